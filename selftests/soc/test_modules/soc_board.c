// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of boards that are nothing but a node of the device tree with
 * memory that is reserved (board.dtsi). It allocates for them, says where that
 * memory is, and has an engine copy it.
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/fpgabuf.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "soc_board.h"

/**
 * struct soc_board - a board, from its probe() until its remove()
 * @node: in soc_boards
 * @chan: what does its DMA, or NULL: itself
 * @dma_dev: the device of that
 * @device: as which it is announced to others (dma-heaps)
 */
struct soc_board {
	struct list_head node;
	struct dma_chan *chan;
	struct device *dma_dev;
	struct fpgabuf_device device;
};

/* Guards the list; held while a board of it is used, which cannot go then. */
static DEFINE_MUTEX(soc_boards_lock);
static LIST_HEAD(soc_boards);

static int soc_board_fd(struct dma_buf *dmabuf)
{
	int fd;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static struct fpgabuf_import *soc_board_import(struct device *dev, int fd)
{
	struct fpgabuf_import *import;
	struct dma_buf *dmabuf;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	import = fpgabuf_import(dev, dmabuf, DMA_BIDIRECTIONAL);
	dma_buf_put(dmabuf);
	return import;
}

/* Addresses of a device with no IOMMU are those of the memory. */
static bool soc_board_is_within(const struct fpgabuf_import *import,
				const struct reserved_mem *rmem)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(import->sgt, sg, i)
		if (sg_dma_address(sg) < rmem->base ||
		    sg_dma_address(sg) + sg_dma_len(sg) >
		    rmem->base + rmem->size)
			return false;
	return true;
}

static int soc_board_where_is(struct device *dev,
			      const struct fpgabuf_import *import)
{
	struct reserved_mem *rmem;
	struct device_node *node;
	int i;

	for (i = 0;; i++) {
		node = of_parse_phandle(dev->of_node, "memory-region", i);
		if (!node)
			return -ERANGE;
		rmem = of_reserved_mem_lookup(node);
		of_node_put(node);
		if (rmem && soc_board_is_within(import, rmem))
			return i;
	}
}

static int soc_board_where(const struct soc_board *board, int fd)
{
	struct fpgabuf_import *import;
	int ret;

	import = soc_board_import(board->dma_dev, fd);
	if (IS_ERR(import))
		return PTR_ERR(import);
	ret = soc_board_where_is(board->device.dev, import);
	fpgabuf_import_put(import);
	return ret;
}

static void soc_board_copy_done(void *done)
{
	complete(done);
}

static int soc_board_copy_piece(struct dma_chan *chan, dma_addr_t to,
				dma_addr_t from, size_t len)
{
	struct dma_async_tx_descriptor *desc;
	DECLARE_COMPLETION_ONSTACK(done);
	dma_cookie_t cookie;

	desc = dmaengine_prep_dma_memcpy(chan, to, from, len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	desc->callback = soc_board_copy_done;
	desc->callback_param = &done;
	cookie = dmaengine_submit(desc);
	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(chan);
	if (wait_for_completion_timeout(&done, 10 * HZ))
		return 0;
	dmaengine_terminate_sync(chan);
	return -ETIMEDOUT;
}

/* Both are one piece: a board has no IOMMU, and no kind that is scattered. */
static int soc_board_copy_imports(struct dma_chan *chan,
				  const struct fpgabuf_import *to,
				  const struct fpgabuf_import *from)
{
	struct scatterlist *src = from->sgt->sgl;
	struct scatterlist *dst = to->sgt->sgl;
	size_t left = from->dmabuf->size, done = 0;
	int ret;

	if (to->dmabuf->size < left)
		return -EINVAL;
	for (; left; done += SZ_64K, left -= min_t(size_t, left, SZ_64K)) {
		ret = soc_board_copy_piece(chan, sg_dma_address(dst) + done,
					   sg_dma_address(src) + done,
					   min_t(size_t, left, SZ_64K));
		if (ret)
			return ret;
	}
	return 0;
}

static int soc_board_copy_by(struct dma_chan *chan, int from_fd, int to_fd)
{
	struct device *dev = dmaengine_get_dma_device(chan);
	struct fpgabuf_import *from, *to;
	int ret;

	from = soc_board_import(dev, from_fd);
	if (IS_ERR(from))
		return PTR_ERR(from);
	to = soc_board_import(dev, to_fd);
	ret = PTR_ERR_OR_ZERO(to);
	if (!ret) {
		ret = soc_board_copy_imports(chan, to, from);
		fpgabuf_import_put(to);
	}
	fpgabuf_import_put(from);
	return ret;
}

/* The simulated FPGA is an engine, too. */
static bool soc_board_is_engine(struct dma_chan *chan, void *param)
{
	return of_device_is_compatible(chan->device->dev->of_node,
				       "xlnx,zynqmp-dma-1.0");
}

static struct dma_chan *soc_board_engine(void)
{
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	return dma_request_channel(mask, soc_board_is_engine, NULL);
}

static int soc_board_copy(int from_fd, int to_fd)
{
	struct dma_chan *chan = soc_board_engine();
	int ret;

	if (!chan)
		return -ENXIO;
	ret = soc_board_copy_by(chan, from_fd, to_fd);
	dma_release_channel(chan);
	return ret;
}

static long soc_board_do(const struct soc_board *board, unsigned int cmd,
			 const struct soc_board_request *req)
{
	switch (cmd) {
	case SOC_BOARD_ALLOC:
		return soc_board_fd(fpgabuf_alloc(board->dma_dev, req->size,
						  req->kind, O_RDWR));
	case SOC_BOARD_WHERE:
		return soc_board_where(board, req->fd);
	case SOC_BOARD_COPY:
		return soc_board_copy(req->fd, req->to);
	default:
		return -ENOTTY;
	}
}

static long soc_board_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct soc_board_request req;
	struct soc_board *board;
	long ret = -ENODEV;

	if (copy_from_user(&req, (void __user *)arg, sizeof(req)))
		return -EFAULT;
	mutex_lock(&soc_boards_lock);
	list_for_each_entry(board, &soc_boards, node) {
		if (strncmp(dev_name(board->device.dev), req.board,
			    sizeof(req.board)))
			continue;
		ret = soc_board_do(board, cmd, &req);
		break;
	}
	mutex_unlock(&soc_boards_lock);
	return ret;
}

static const struct file_operations soc_board_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = soc_board_ioctl,
};

static struct miscdevice soc_board_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME, .fops = &soc_board_fops,
};

static struct device *soc_board_get(struct fpgabuf_device *device)
{
	return container_of(device, struct soc_board, device)->dma_dev;
}

static void soc_board_put(struct fpgabuf_device *device)
{
}

static const struct fpgabuf_device_ops soc_board_ops = {
	.get = soc_board_get,
	.put = soc_board_put,
};

/* By devm, because what .remove returns differs between kernels. */
static void soc_board_gone(void *data)
{
	struct soc_board *board = data;

	mutex_lock(&soc_boards_lock);
	list_del(&board->node);
	mutex_unlock(&soc_boards_lock);
	fpgabuf_device_remove(&board->device);
}

static void soc_board_release_engine(void *data)
{
	struct soc_board *board = data;

	dma_release_channel(board->chan);
}

/* Its DMA is done by an engine of another driver's. */
static int soc_board_request_engine(struct soc_board *board)
{
	board->chan = dma_request_chan(board->device.dev, "copy");
	if (IS_ERR(board->chan))
		return PTR_ERR(board->chan);
	board->dma_dev = dmaengine_get_dma_device(board->chan);
	return devm_add_action_or_reset(board->device.dev,
					soc_board_release_engine, board);
}

static int soc_board_set_up(struct soc_board *board)
{
	struct device *dev = board->device.dev;
	int ret;

	if (of_property_read_bool(dev->of_node, "dmas")) {
		ret = soc_board_request_engine(board);
	} else {
		board->dma_dev = dev;
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	}
	return ret ?: devm_fpgabuf_reserved_add(dev, board->dma_dev,
						FPGABUF_REGION_WRITECOMBINE);
}

static int soc_board_probe(struct platform_device *pdev)
{
	struct soc_board *board;
	int ret;

	board = devm_kzalloc(&pdev->dev, sizeof(*board), GFP_KERNEL);
	if (!board)
		return -ENOMEM;
	board->device.dev = &pdev->dev;
	board->device.ops = &soc_board_ops;
	ret = soc_board_set_up(board);
	if (ret)
		return ret;
	fpgabuf_device_add(&board->device);
	mutex_lock(&soc_boards_lock);
	list_add(&board->node, &soc_boards);
	mutex_unlock(&soc_boards_lock);
	return devm_add_action_or_reset(&pdev->dev, soc_board_gone, board);
}

static const struct of_device_id soc_board_ids[] = {
	{ .compatible = SOC_BOARD_COMPATIBLE }, {}
};
MODULE_DEVICE_TABLE(of, soc_board_ids);

static struct platform_driver soc_board_driver = {
	.probe = soc_board_probe,
	.driver = {
		.name = KBUILD_MODNAME,
		.of_match_table = soc_board_ids,
	},
};

static int __init soc_board_init(void)
{
	int ret;

	ret = misc_register(&soc_board_misc);
	if (ret)
		return ret;
	ret = platform_driver_register(&soc_board_driver);
	if (ret)
		misc_deregister(&soc_board_misc);
	return ret;
}

static void __exit soc_board_exit(void)
{
	platform_driver_unregister(&soc_board_driver);
	misc_deregister(&soc_board_misc);
}

module_init(soc_board_init);
module_exit(soc_board_exit);

MODULE_DESCRIPTION("Boards with memory that the device tree reserves, for fpgabuf");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
