// SPDX-License-Identifier: GPL-2.0
/*
 * An importer that can do without its mapping when it is told to, and that takes
 * memory of other devices: any PCI device that is given to this driver
 * (driver_override). If it is QEMU's edu it also writes there.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "dma_peer.h"

static bool peer2peer = true;
module_param(peer2peer, bool, 0444);

/* Whether it is told when the memory goes; a must before 7.0 */
static bool told = true;
module_param(told, bool, 0444);

/* edu's registers, and its on-chip buffer at its own addresses */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_CMD_START	BIT(0)
#define EDU_CMD_TO_MEM	BIT(1)
#define EDU_BUFFER	0x40000

/* Where edu fetches the words from; its buffer is not for the CPU. */
#define EDU_DMA_BITS	28

/* Guards all that follows. Taken outside of a reservation. */
static DEFINE_MUTEX(peer_lock);
static struct pci_dev *peer_pdev;
static void __iomem *peer_regs;
static __le32 *peer_words;
static dma_addr_t peer_words_addr;
static struct dma_buf_attachment *peer_attach;
static struct sg_table *peer_table;
static atomic_t peer_told;

/* With the reservation held */
static void peer_invalidate(struct dma_buf_attachment *attach)
{
	atomic_inc(&peer_told);
}

static struct dma_buf_attach_ops peer_ops = {
	.invalidate_mappings = peer_invalidate,
};

static int peer_do_attach(int fd)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;

	if (peer_attach)
		return -EBUSY;
	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attach = dma_buf_dynamic_attach(dmabuf, &peer_pdev->dev, &peer_ops,
					NULL);
	if (IS_ERR(attach)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attach);
	}
	atomic_set(&peer_told, 0);
	peer_attach = attach;
	return 0;
}

static int peer_do_map(void)
{
	struct sg_table *table;

	if (!peer_attach || peer_table)
		return -EBUSY;
	table = dma_buf_map_attachment_unlocked(peer_attach, DMA_FROM_DEVICE);
	if (IS_ERR(table))
		return PTR_ERR(table);
	peer_table = table;
	return 0;
}

static int peer_do_unmap(void)
{
	if (!peer_table)
		return -EINVAL;
	dma_buf_unmap_attachment_unlocked(peer_attach, peer_table,
					  DMA_FROM_DEVICE);
	peer_table = NULL;
	return 0;
}

static int peer_do_detach(void)
{
	struct dma_buf *dmabuf;

	if (!peer_attach)
		return -EINVAL;
	if (peer_table)
		peer_do_unmap();
	dmabuf = peer_attach->dmabuf;
	dma_buf_detach(dmabuf, peer_attach);
	dma_buf_put(dmabuf);
	peer_attach = NULL;
	return 0;
}

static int peer_transfer(u64 src, u64 dst, u32 cmd)
{
	u64 state;

	writeq(src, peer_regs + EDU_SRC);
	writeq(dst, peer_regs + EDU_DST);
	writeq(PEER_BYTES, peer_regs + EDU_COUNT);
	writeq(cmd | EDU_CMD_START, peer_regs + EDU_CMD);
	return readq_poll_timeout(peer_regs + EDU_CMD, state,
				  !(state & EDU_CMD_START), USEC_PER_MSEC,
				  USEC_PER_SEC);
}

static int peer_do_write(u32 first)
{
	unsigned int i;
	int ret;

	if (!peer_regs || !peer_table ||
	    sg_dma_len(peer_table->sgl) < PEER_BYTES)
		return -EINVAL;
	for (i = 0; i < PEER_BYTES / sizeof(*peer_words); i++)
		peer_words[i] = cpu_to_le32(first + i);
	ret = peer_transfer(peer_words_addr, EDU_BUFFER, 0);
	if (ret)
		return ret;
	return peer_transfer(EDU_BUFFER, sg_dma_address(peer_table->sgl),
			     EDU_CMD_TO_MEM);
}

/* Older kernels do not say whether an importer unmaps what it is told of. */
static bool peer_possible(void)
{
#ifdef HAVE_DMA_BUF_ATTACH_REVOCABLE
	return IS_ENABLED(CONFIG_PCI_P2PDMA);
#else
	return false;
#endif
}

static int peer_do(unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case PEER_POSSIBLE:
		return peer_possible();
	case PEER_ATTACH:
		return peer_do_attach(arg);
	case PEER_DETACH:
		return peer_do_detach();
	case PEER_MAP:
		return peer_do_map();
	case PEER_UNMAP:
		return peer_do_unmap();
	case PEER_TOLD:
		return atomic_read(&peer_told);
	case PEER_WRITE:
		return peer_do_write(arg);
	default:
		return -ENOTTY;
	}
}

static long peer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int ret = -ENODEV;

	mutex_lock(&peer_lock);
	if (peer_pdev)
		ret = peer_do(cmd, arg);
	mutex_unlock(&peer_lock);
	return ret;
}

/* What is attached goes with the file. */
static int peer_release(struct inode *inode, struct file *file)
{
	mutex_lock(&peer_lock);
	peer_do_detach();
	mutex_unlock(&peer_lock);
	return 0;
}

static const struct file_operations peer_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = peer_ioctl,
	.release = peer_release,
};

static struct miscdevice peer_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME, .fops = &peer_fops,
};

static int peer_set_up_edu(struct pci_dev *pdev)
{
	void __iomem *regs;
	int ret;

	regs = pcim_iomap_region(pdev, 0, KBUILD_MODNAME);
	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = dma_set_coherent_mask(&pdev->dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (ret)
		return ret;
	peer_words = dmam_alloc_coherent(&pdev->dev, PEER_BYTES,
					 &peer_words_addr, GFP_KERNEL);
	if (!peer_words)
		return -ENOMEM;
	pci_set_master(pdev);
	peer_regs = regs;
	return 0;
}

static int peer_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret;

	/* There is one node. */
	if (peer_pdev)
		return -EBUSY;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(64));
	if (!ret && pdev->vendor == 0x1234 && pdev->device == 0x11e8)
		ret = peer_set_up_edu(pdev);
	if (ret)
		return ret;
	mutex_lock(&peer_lock);
	peer_pdev = pdev;
	mutex_unlock(&peer_lock);
	return 0;
}

static void peer_remove(struct pci_dev *pdev)
{
	mutex_lock(&peer_lock);
	peer_do_detach();
	peer_pdev = NULL;
	peer_regs = NULL;
	mutex_unlock(&peer_lock);
}

static struct pci_driver peer_driver = {
	.name = KBUILD_MODNAME,
	.probe = peer_probe,
	.remove = peer_remove,
};

static int __init peer_init(void)
{
	int ret;

	peer_ops.allow_peer2peer = peer2peer;
	if (!told)
		peer_ops.invalidate_mappings = NULL;
	ret = misc_register(&peer_misc);
	if (ret)
		return ret;
	ret = pci_register_driver(&peer_driver);
	if (ret)
		misc_deregister(&peer_misc);
	return ret;
}

static void __exit peer_exit(void)
{
	pci_unregister_driver(&peer_driver);
	misc_deregister(&peer_misc);
}

module_init(peer_init);
module_exit(peer_exit);

MODULE_DESCRIPTION("A device that imports memory of another, for fpgabuf");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
