// SPDX-License-Identifier: GPL-2.0
/*
 * The dma_buf_ops: the same for all kinds of memory.
 *
 * Each attachment has an sg_table of its own, cut to what its device takes, and
 * mapped for that device only. The device that the memory was allocated for may
 * have got an address with it; then its attachment uses that address, and the
 * memory is not mapped for it a second time.
 *
 * Mappings are made with DMA_ATTR_SKIP_CPU_SYNC, and synchronised explicitly:
 * a buffer may be mapped for several devices at once, and only this file knows
 * when the CPU or a device gets it.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "exporter.h"

/* The longest piece, in whole pages, that can be mapped for @dev. */
static size_t fpgabuf_max_piece(struct device *dev)
{
	size_t max = min_t(size_t, dma_get_max_seg_size(dev),
			   dma_max_mapping_size(dev));

	return max & PAGE_MASK;
}

/*
 * Importers take it that a dma-buf starts and ends with a page, and map whole
 * ones (IOMMUs do). Only the device that it was made for knows better.
 */
static bool fpgabuf_may_attach(const struct fpgabuf_buffer *buffer,
			       struct device *dev)
{
	const unsigned int offset = buffer->pages.sgl->offset;

	if (PAGE_ALIGNED(offset | buffer->size) || dev == buffer->dev)
		return true;
	dev_warn_ratelimited(dev,
			     "refused %zu bytes at offset %u of a page, made for %s; memory of whole pages helps\n",
			     buffer->size, offset, dev_name(buffer->dev));
	return false;
}

/* The DMA API must not be used for the memory's own device any more. */
static bool fpgabuf_is_over(const struct fpgabuf_buffer *buffer)
{
	return buffer->kind->bound && READ_ONCE(buffer->binding->over);
}

/* Whether @dev has the address that came with the memory. */
static bool fpgabuf_is_own(const struct fpgabuf_buffer *buffer,
			   const struct device *dev)
{
	return dev == buffer->dev && buffer->dma_addr != DMA_MAPPING_ERROR &&
	       !fpgabuf_is_over(buffer);
}

/* What @a->dev takes of the memory that there is now. Nothing is left on an error. */
static int fpgabuf_attachment_cut(const struct fpgabuf_buffer *buffer,
				  struct fpgabuf_attachment *a)
{
	const bool own = fpgabuf_is_own(buffer, a->dev);
	const struct fpgabuf_cut cut = {
		.max = fpgabuf_max_piece(a->dev),
		.boundary = dma_get_seg_boundary(a->dev),
		.own = own ? buffer->dma_addr : DMA_MAPPING_ERROR,
	};
	int ret;

	if (!cut.max || cut.boundary < PAGE_SIZE - 1 ||
	    !fpgabuf_may_attach(buffer, a->dev))
		return -EOPNOTSUPP;
	/* What came with an address is where the device reaches. */
	ret = own ? 0 : fpgabuf_limits_attach(buffer, a->dev);
	if (ret)
		return ret;
	ret = fpgabuf_cut_table(&buffer->pages, &a->table, &cut);
	if (ret)
		return ret;
	ret = fpgabuf_cut_table(&buffer->pages, &a->view, &cut);
	if (ret)
		sg_free_table(&a->table);
	a->own = own;
	a->way = fpgabuf_way(buffer, own);
	return ret;
}

static void fpgabuf_attachment_uncut(struct fpgabuf_attachment *a)
{
	sg_free_table(&a->view);
	sg_free_table(&a->table);
}

static int fpgabuf_attach_to(struct fpgabuf_buffer *buffer,
			     struct dma_buf_attachment *attach,
			     struct fpgabuf_attachment *a)
{
	int ret;

	ret = fpgabuf_attachment_cut(buffer, a);
	if (ret)
		return ret;
	if (buffer->kind->attach) {
		ret = buffer->kind->attach(buffer, attach);
		if (ret) {
			fpgabuf_attachment_uncut(a);
			return ret;
		}
	}
	mutex_lock(&buffer->lock);
	list_add_tail(&a->node, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int fpgabuf_attach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	struct fpgabuf_attachment *a;
	int ret;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->dev = attach->dev;
	a->revocable = dma_buf_attach_revocable(attach);
	attach->priv = a;

	down_read(&buffer->memory);
	ret = fpgabuf_attach_to(buffer, attach, a);
	up_read(&buffer->memory);
	if (ret)
		kfree(a);
	return ret;
}

static void fpgabuf_detach(struct dma_buf *dmabuf,
			   struct dma_buf_attachment *attach)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	struct fpgabuf_attachment *a = attach->priv;

	mutex_lock(&buffer->lock);
	list_del(&a->node);
	mutex_unlock(&buffer->lock);

	fpgabuf_attachment_uncut(a);
	kfree(a);
}

static void fpgabuf_sync_for_cpu(const struct fpgabuf_buffer *buffer,
				 struct fpgabuf_attachment *a)
{
	/* The device does not write: there is nothing new to see. */
	if (a->dir != DMA_TO_DEVICE)
		a->way->sync_for_cpu(buffer, a);
}

/* The importer sees the addresses that the table has got. */
static void fpgabuf_fill_view(struct fpgabuf_attachment *a)
{
	struct scatterlist *to = a->view.sgl;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&a->table, sg, i) {
		sg_dma_address(to) = sg_dma_address(sg);
		sg_dma_len(to) = sg_dma_len(sg);
		to = sg_next(to);
	}
	a->view.nents = a->table.nents;
}

/*
 * The CPU may write into what a device writes, too (draw into a captured frame).
 * Mapped DMA_FROM_DEVICE this would never reach the device's side, a bounce
 * buffer say, and come back undone with the next sync.
 */
static enum dma_data_direction fpgabuf_map_dir(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE ? DMA_BIDIRECTIONAL : dir;
}

/* The memory has moved since it was cut. */
static int fpgabuf_attachment_refresh(const struct fpgabuf_buffer *buffer,
				      struct fpgabuf_attachment *a)
{
	struct fpgabuf_attachment fresh = { .dev = a->dev };
	int ret;

	ret = fpgabuf_attachment_cut(buffer, &fresh);
	if (ret)
		return ret;
	fpgabuf_attachment_uncut(a);
	a->table = fresh.table;
	a->view = fresh.view;
	a->own = fresh.own;
	a->way = fresh.way;
	a->stale = false;
	return 0;
}

/* With both locks of the buffer held */
static int fpgabuf_map_locked(const struct fpgabuf_buffer *buffer,
			      struct fpgabuf_attachment *a,
			      enum dma_data_direction dir)
{
	int ret = 0;

	if (a->mapped)
		return -EBUSY;
	if (a->stale)
		ret = fpgabuf_attachment_refresh(buffer, a);
	if (ret)
		return ret;
	a->dir = dir;
	ret = a->way->map(buffer, a);
	if (ret)
		return ret;
	a->mapped = true;
	fpgabuf_fill_view(a);
	a->way->sync_for_device(buffer, a);
	return 0;
}

static struct sg_table *fpgabuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = attach->dmabuf->priv;
	struct fpgabuf_attachment *a = attach->priv;
	int ret;

	if (buffer->read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);

	down_read(&buffer->memory);
	mutex_lock(&buffer->lock);
	ret = fpgabuf_map_locked(buffer, a, fpgabuf_map_dir(dir));
	mutex_unlock(&buffer->lock);
	up_read(&buffer->memory);
	return ret ? ERR_PTR(ret) : &a->view;
}

/*
 * The driver of the buffer's device is on its way out, and was the one who kept the
 * memory from moving.
 */
static bool fpgabuf_must_move(const struct fpgabuf_buffer *buffer,
			      const struct fpgabuf_attachment *a)
{
	return a->own && buffer->kind->bound &&
	       READ_ONCE(buffer->binding->closed);
}

static void fpgabuf_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *table, enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = attach->dmabuf->priv;
	struct fpgabuf_attachment *a = attach->priv;
	bool move;

	down_read(&buffer->memory);
	mutex_lock(&buffer->lock);
	fpgabuf_sync_for_cpu(buffer, a);
	a->way->unmap(buffer, a);
	a->mapped = false;
	move = fpgabuf_must_move(buffer, a);
	mutex_unlock(&buffer->lock);
	up_read(&buffer->memory);
	wake_up_all(&buffer->unmapped);
	if (move)
		fpgabuf_buffer_move(buffer);
}

static void fpgabuf_release(struct dma_buf *dmabuf)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;

	buffer->release(buffer);
}

static int fpgabuf_begin_cpu_access(struct dma_buf *dmabuf,
				    enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	struct fpgabuf_attachment *a;
	long ret;

	/*
	 * dma_buf_begin_cpu_access() waits after this function: too late for
	 * the cache maintenance of a device that is still writing.
	 */
	ret = dma_resv_wait_timeout(dmabuf->resv,
				    dma_resv_usage_rw(dir != DMA_FROM_DEVICE),
				    true, MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;

	down_read(&buffer->memory);
	mutex_lock(&buffer->lock);
	if (buffer->vaddr)
		invalidate_kernel_vmap_range(buffer->vaddr, buffer->size);
	list_for_each_entry(a, &buffer->attachments, node)
		if (a->mapped && !(a->own && fpgabuf_is_over(buffer)))
			fpgabuf_sync_for_cpu(buffer, a);
	mutex_unlock(&buffer->lock);
	up_read(&buffer->memory);
	return 0;
}

static int fpgabuf_end_cpu_access(struct dma_buf *dmabuf,
				  enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	struct fpgabuf_attachment *a;

	/*
	 * The CPU only read. Besides being needless, to copy back what it saw
	 * would destroy another frame of this buffer that is being written now.
	 */
	if (dir == DMA_FROM_DEVICE)
		return 0;

	down_read(&buffer->memory);
	mutex_lock(&buffer->lock);
	if (buffer->vaddr)
		flush_kernel_vmap_range(buffer->vaddr, buffer->size);
	list_for_each_entry(a, &buffer->attachments, node)
		if (a->mapped && !(a->own && fpgabuf_is_over(buffer)))
			a->way->sync_for_device(buffer, a);
	mutex_unlock(&buffer->lock);
	up_read(&buffer->memory);
	return 0;
}

static int fpgabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	int ret;

	down_read(&buffer->memory);
	mutex_lock(&buffer->lock);
	ret = buffer->kind->vmap(buffer, map);
	if (!ret)
		buffer->vaddr = map->vaddr;
	mutex_unlock(&buffer->lock);
	up_read(&buffer->memory);
	return ret;
}

static void fpgabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;

	/* It does not move while it has an alias. */
	mutex_lock(&buffer->lock);
	buffer->vaddr = NULL;
	buffer->kind->vunmap(buffer, map);
	mutex_unlock(&buffer->lock);
}

static const struct dma_buf_ops fpgabuf_dmabuf_ops = {
	.attach			= fpgabuf_attach,
	.detach			= fpgabuf_detach,
	.map_dma_buf		= fpgabuf_map,
	.unmap_dma_buf		= fpgabuf_unmap,
	.release		= fpgabuf_release,
	.begin_cpu_access	= fpgabuf_begin_cpu_access,
	.end_cpu_access		= fpgabuf_end_cpu_access,
	.mmap			= fpgabuf_mmap,
	.vmap			= fpgabuf_vmap,
	.vunmap			= fpgabuf_vunmap,
};

/* No op at all, because the core warns of one that fails. */
static const struct dma_buf_ops fpgabuf_no_vmap_ops = {
	.attach			= fpgabuf_attach,
	.detach			= fpgabuf_detach,
	.map_dma_buf		= fpgabuf_map,
	.unmap_dma_buf		= fpgabuf_unmap,
	.release		= fpgabuf_release,
	.begin_cpu_access	= fpgabuf_begin_cpu_access,
	.end_cpu_access		= fpgabuf_end_cpu_access,
	.mmap			= fpgabuf_mmap,
};

/*
 * On success the dma-buf owns @buffer, and dma_buf_put() is the only way to get
 * rid of it; on an error it is still the caller's.
 */
struct dma_buf *fpgabuf_dmabuf_export(struct fpgabuf_buffer *buffer,
				      unsigned int fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct dma_buf *dmabuf;

	exp_info.exp_name = buffer->kind->exp_name;
	exp_info.ops = buffer->no_vmap ? &fpgabuf_no_vmap_ops :
					   &fpgabuf_dmabuf_ops;
	exp_info.size = buffer->size;
	exp_info.flags = fd_flags & O_ACCMODE;
	exp_info.priv = buffer;
	dmabuf = dma_buf_export(&exp_info);
	if (!IS_ERR(dmabuf))
		buffer->dmabuf = dmabuf;
	return dmabuf;
}

/**
 * fpgabuf_describe() - what a buffer is made of
 * @dmabuf: any dma-buf, of which the caller has a reference
 * @dev: the device in question
 * @desc: out: what is known; not touched when it is not one of fpgabuf_alloc()
 *
 * Context: process context, may sleep.
 * Return: whether @dmabuf is one of this exporter.
 */
bool fpgabuf_describe(const struct dma_buf *dmabuf, const struct device *dev,
		      struct fpgabuf_description *desc)
{
	struct fpgabuf_buffer *buffer;
	struct scatterlist *sg;
	unsigned int i;

	if (dmabuf->ops != &fpgabuf_dmabuf_ops &&
	    dmabuf->ops != &fpgabuf_no_vmap_ops)
		return false;

	buffer = dmabuf->priv;
	down_read(&buffer->memory);
	*desc = (struct fpgabuf_description){
		.kind = buffer->moved ? FPGABUF_KIND_SYSTEM : buffer->number,
		.pieces = buffer->pages.orig_nents,
		.coherent = fpgabuf_is_own(buffer, dev) &&
			    !buffer->kind->sync_for_device,
	};
	for_each_sgtable_sg(&buffer->pages, sg, i)
		desc->largest = max_t(u64, desc->largest, sg->length);
	up_read(&buffer->memory);
	return true;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_describe, "FPGABUF");
