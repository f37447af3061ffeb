// SPDX-License-Identifier: GPL-2.0
/*
 * An exporter whose memory moves, as that of a graphics card does, when a test
 * says so. Where it was there is something else afterwards.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "dma_mover.h"

#define MOVER_POISON	0x5a
/* So that what begins in a page ends in one, too */
#define MOVER_BLOCK	(MOVER_SIZE + PAGE_SIZE)

/**
 * struct mover_block - a place in memory
 * @ref: of the buffer that is there, and of mappings
 * @data: the place
 */
struct mover_block {
	struct kref ref;
	void *data;
};

/**
 * struct mover - a buffer; guarded by its reservation
 * @block: where it is
 * @offset: bytes of @block that are before it; constant
 * @pins: how many want it to stay there
 * @mappings: how many there are, of this block and those before
 * @revoked: there is no such memory any more
 */
struct mover {
	struct mover_block *block;
	size_t offset;
	unsigned int pins;
	unsigned int mappings;
	bool revoked;
};

struct mover_mapping {
	struct sg_table table;
	struct mover_block *block;
};

static struct mover_block *block_create(void)
{
	struct mover_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

	if (!block)
		return NULL;
	kref_init(&block->ref);
	block->data = alloc_pages_exact(MOVER_BLOCK, GFP_KERNEL | __GFP_ZERO);
	if (!block->data) {
		kfree(block);
		return NULL;
	}
	return block;
}

static void block_release(struct kref *ref)
{
	struct mover_block *block = container_of(ref, struct mover_block, ref);

	free_pages_exact(block->data, MOVER_BLOCK);
	kfree(block);
}

static void block_put(struct mover_block *block)
{
	kref_put(&block->ref, block_release);
}

static int mover_pin(struct dma_buf_attachment *attach)
{
	struct mover *mover = attach->dmabuf->priv;

	mover->pins++;
	return 0;
}

static void mover_unpin(struct dma_buf_attachment *attach)
{
	struct mover *mover = attach->dmabuf->priv;

	mover->pins--;
}

static int mapping_fill(struct mover_mapping *mapping, struct device *dev,
			size_t offset, enum dma_data_direction dir)
{
	int ret = sg_alloc_table(&mapping->table, 1, GFP_KERNEL);

	if (ret)
		return ret;
	sg_set_buf(mapping->table.sgl, mapping->block->data + offset,
		   MOVER_SIZE);
	ret = dma_map_sgtable(dev, &mapping->table, dir, 0);
	if (ret)
		sg_free_table(&mapping->table);
	return ret;
}

static struct sg_table *mover_map(struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	struct mover *mover = attach->dmabuf->priv;
	struct mover_mapping *mapping;
	int ret;

	if (mover->revoked)
		return ERR_PTR(-ENODEV);
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->block = mover->block;
	ret = mapping_fill(mapping, attach->dev, mover->offset, dir);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	kref_get(&mover->block->ref);
	mover->mappings++;
	return &mapping->table;
}

static void mover_unmap(struct dma_buf_attachment *attach,
			struct sg_table *table, enum dma_data_direction dir)
{
	struct mover_mapping *mapping =
		container_of(table, struct mover_mapping, table);
	struct mover *mover = attach->dmabuf->priv;

	dma_unmap_sgtable(attach->dev, table, dir, 0);
	sg_free_table(table);
	block_put(mapping->block);
	kfree(mapping);
	mover->mappings--;
}

static void mover_release(struct dma_buf *dmabuf)
{
	struct mover *mover = dmabuf->priv;

	block_put(mover->block);
	kfree(mover);
}

static const struct dma_buf_ops mover_dma_buf_ops = {
	.pin = mover_pin,
	.unpin = mover_unpin,
	.map_dma_buf = mover_map,
	.unmap_dma_buf = mover_unmap,
	.release = mover_release,
};

static struct dma_buf *mover_export(size_t offset)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct mover *mover;

	mover = kzalloc(sizeof(*mover), GFP_KERNEL);
	if (!mover)
		return ERR_PTR(-ENOMEM);
	mover->offset = offset;
	mover->block = block_create();
	if (!mover->block) {
		kfree(mover);
		return ERR_PTR(-ENOMEM);
	}
	info.ops = &mover_dma_buf_ops;
	info.size = MOVER_SIZE;
	info.flags = O_RDWR;
	info.priv = mover;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		block_put(mover->block);
		kfree(mover);
	}
	return dmabuf;
}

static int mover_alloc(size_t offset)
{
	struct dma_buf *dmabuf;
	int fd;

	if (offset > PAGE_SIZE)
		return -EINVAL;
	dmabuf = mover_export(offset);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

/* Tell all, and wait for what they are at. */
static void mover_invalidate(struct dma_buf *dmabuf)
{
	dma_buf_invalidate_mappings(dmabuf);
	dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
}

static int mover_move(struct dma_buf *dmabuf)
{
	struct mover *mover = dmabuf->priv;
	struct mover_block *block;

	if (mover->pins)
		return -EBUSY;
	block = block_create();
	if (!block)
		return -ENOMEM;
	mover_invalidate(dmabuf);
	memcpy(block->data, mover->block->data, MOVER_BLOCK);
	memset(mover->block->data, MOVER_POISON, MOVER_BLOCK);
	block_put(mover->block);
	mover->block = block;
	return 0;
}

static int mover_revoke(struct dma_buf *dmabuf)
{
	struct mover *mover = dmabuf->priv;

	mover->revoked = true;
	mover_invalidate(dmabuf);
	return 0;
}

static int mover_do(unsigned int cmd, struct dma_buf *dmabuf)
{
	struct mover *mover = dmabuf->priv;

	switch (cmd) {
	case MOVER_MOVE:
		return mover_move(dmabuf);
	case MOVER_REVOKE:
		return mover_revoke(dmabuf);
	case MOVER_MAPPINGS:
		return mover->mappings;
	default:
		return -ENOTTY;
	}
}

static int mover_possible(void)
{
#ifdef HAVE_DMA_BUF_ATTACH_OPS_INVALIDATE
	return 1;
#else
	return IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY);
#endif
}

static long mover_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_buf *dmabuf;
	int ret = -EINVAL;

	if (cmd == MOVER_POSSIBLE)
		return mover_possible();
	if (cmd == MOVER_ALLOC)
		return mover_alloc(arg);
	dmabuf = dma_buf_get(arg);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops == &mover_dma_buf_ops) {
		dma_resv_lock(dmabuf->resv, NULL);
		ret = mover_do(cmd, dmabuf);
		dma_resv_unlock(dmabuf->resv);
	}
	dma_buf_put(dmabuf);
	return ret;
}

static const struct file_operations mover_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = mover_ioctl,
};

static struct miscdevice mover_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME, .fops = &mover_fops,
};

module_misc_device(mover_misc);

MODULE_DESCRIPTION("Memory that moves, for fpgabuf");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
