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
#include <kunit/visibility.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "exporter.h"

/**
 * struct fpgabuf_attachment - a device that is attached to a buffer
 * @dev: the device; the importer holds it for as long as it is attached
 * @table: the memory, in pieces that @dev takes; what is mapped and synchronised
 * @view: copy of @table, for the importer. The core scrambles the page links of
 *	what it hands out (CONFIG_DMABUF_DEBUG), which synchronising needs
 * @node: in &fpgabuf_buffer.attachments
 * @own: @dev has the address that came with the memory
 * @mapped: between map and unmap; guarded by &fpgabuf_buffer.lock
 * @dir: the direction it is mapped in, while @mapped
 */
struct fpgabuf_attachment {
	struct device *dev;
	struct sg_table table;
	struct sg_table view;
	struct list_head node;
	bool own;
	bool mapped;
	enum dma_data_direction dir;
};

/*
 * How much of the @left bytes at @start makes one piece. It ends with a page, so
 * that all pieces but the first one start with one, or with the memory.
 */
static size_t fpgabuf_piece(u64 start, size_t left,
			    const struct fpgabuf_cut *cut)
{
	const size_t len = min_t(size_t, left,
				 cut->max - offset_in_page(start));
	const unsigned long room = cut->boundary - (start & cut->boundary);

	return min_t(size_t, len - 1, room) + 1;
}

/*
 * The address that counts for the boundary, @done bytes into @sg, which is @before
 * bytes into the memory. Where the memory has none for the device yet, the DMA API
 * keeps to the boundary, or maps one to one.
 */
static u64 fpgabuf_cut_address(const struct fpgabuf_cut *cut,
			       struct scatterlist *sg, size_t before,
			       size_t done)
{
	if (cut->own != DMA_MAPPING_ERROR)
		return (u64)cut->own + before + done;
	return fpgabuf_sg_phys(sg) + done;
}

static unsigned int fpgabuf_count_pieces(const struct sg_table *table,
					 const struct fpgabuf_cut *cut)
{
	unsigned int i, pieces = 0;
	size_t done, before = 0;
	struct scatterlist *sg;

	for_each_sgtable_sg(table, sg, i) {
		for (done = 0; done < sg->length; pieces++)
			done += fpgabuf_piece(fpgabuf_cut_address(cut, sg,
								  before, done),
					      sg->length - done, cut);
		before += sg->length;
	}
	return pieces;
}

/* The piece of @len bytes that is @done bytes into @sg */
static void fpgabuf_set_piece(struct scatterlist *piece,
			      struct scatterlist *sg, size_t done,
			      size_t len)
{
	const size_t offset = sg->offset + done;

	/* Memory with no pages: only a length. */
	if (sg_page(sg))
		sg_set_page(piece, sg_page(sg) + (offset >> PAGE_SHIFT), len,
			    offset_in_page(offset));
	piece->length = len;
}

/* Copy a table of memory, cut to pieces. It may start and end within a page. */
VISIBLE_IF_KUNIT int fpgabuf_cut_table(const struct sg_table *from,
				       struct sg_table *to,
				       const struct fpgabuf_cut *cut)
{
	struct scatterlist *sg, *piece;
	size_t done, len, before = 0;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(to, fpgabuf_count_pieces(from, cut), GFP_KERNEL);
	if (ret)
		return ret;

	piece = to->sgl;
	for_each_sgtable_sg(from, sg, i) {
		for (done = 0; done < sg->length; done += len) {
			len = fpgabuf_piece(fpgabuf_cut_address(cut, sg,
								before, done),
					    sg->length - done, cut);
			fpgabuf_set_piece(piece, sg, done, len);
			piece = sg_next(piece);
		}
		before += sg->length;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_cut_table);

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

/* Whether @dev has the address that came with the memory. */
static bool fpgabuf_is_own(const struct fpgabuf_buffer *buffer,
			   const struct device *dev)
{
	return dev == buffer->dev && buffer->dma_addr != DMA_MAPPING_ERROR;
}

static int fpgabuf_attach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	const bool own = fpgabuf_is_own(buffer, attach->dev);
	const struct fpgabuf_cut cut = {
		.max = fpgabuf_max_piece(attach->dev),
		.boundary = dma_get_seg_boundary(attach->dev),
		.own = own ? buffer->dma_addr : DMA_MAPPING_ERROR,
	};
	struct fpgabuf_attachment *a;
	int ret;

	if (!cut.max || cut.boundary < PAGE_SIZE - 1 ||
	    !fpgabuf_may_attach(buffer, attach->dev))
		return -EOPNOTSUPP;
	ret = fpgabuf_limits_attach(buffer, attach->dev);
	if (ret)
		return ret;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;

	if (buffer->kind->attach) {
		ret = buffer->kind->attach(buffer, attach);
		if (ret)
			goto err_free;
	}
	ret = fpgabuf_cut_table(&buffer->pages, &a->table, &cut);
	if (ret)
		goto err_detach;
	ret = fpgabuf_cut_table(&buffer->pages, &a->view, &cut);
	if (ret)
		goto err_free_table;
	a->dev = attach->dev;
	a->own = own;
	attach->priv = a;

	mutex_lock(&buffer->lock);
	list_add_tail(&a->node, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;

err_free_table:
	sg_free_table(&a->table);
err_detach:
	if (buffer->kind->detach)
		buffer->kind->detach(buffer, attach);
err_free:
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

	sg_free_table(&a->view);
	sg_free_table(&a->table);
	if (buffer->kind->detach)
		buffer->kind->detach(buffer, attach);
	kfree(a);
}

static void fpgabuf_sync_for_device(const struct fpgabuf_buffer *buffer,
				    struct fpgabuf_attachment *a)
{
	if (!a->own && fpgabuf_has_pages(buffer))
		dma_sync_sgtable_for_device(a->dev, &a->table, a->dir);
	else if (a->own && buffer->kind->sync_for_device)
		buffer->kind->sync_for_device(buffer, a->dir);
}

static void fpgabuf_sync_for_cpu(const struct fpgabuf_buffer *buffer,
				 struct fpgabuf_attachment *a)
{
	/* The device does not write: there is nothing new to see. */
	if (a->dir == DMA_TO_DEVICE)
		return;
	if (!a->own && fpgabuf_has_pages(buffer))
		dma_sync_sgtable_for_cpu(a->dev, &a->table, a->dir);
	else if (a->own && buffer->kind->sync_for_cpu)
		buffer->kind->sync_for_cpu(buffer, a->dir);
}

/* The device finds the pieces of @table one behind the other, from @addr on. */
void fpgabuf_set_addresses(struct sg_table *table, dma_addr_t addr)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(table, sg, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		addr += sg->length;
	}
	table->nents = table->orig_nents;
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

static struct sg_table *fpgabuf_map(struct dma_buf_attachment *attach,
				    enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = attach->dmabuf->priv;
	struct fpgabuf_attachment *a = attach->priv;
	int ret = 0;

	if (buffer->read_only && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);

	dir = fpgabuf_map_dir(dir);
	mutex_lock(&buffer->lock);
	if (a->mapped)
		ret = -EBUSY;
	else if (a->own)
		fpgabuf_set_addresses(&a->table, buffer->dma_addr);
	else if (!fpgabuf_has_pages(buffer))
		ret = buffer->kind->map(buffer, a->dev, &a->table, dir);
	else
		ret = dma_map_sgtable(a->dev, &a->table, dir,
				      DMA_ATTR_SKIP_CPU_SYNC);
	if (!ret) {
		a->dir = dir;
		a->mapped = true;
		fpgabuf_fill_view(a);
		fpgabuf_sync_for_device(buffer, a);
	}
	mutex_unlock(&buffer->lock);
	return ret ? ERR_PTR(ret) : &a->view;
}

static void fpgabuf_unmap(struct dma_buf_attachment *attach,
			  struct sg_table *table, enum dma_data_direction dir)
{
	struct fpgabuf_buffer *buffer = attach->dmabuf->priv;
	struct fpgabuf_attachment *a = attach->priv;

	mutex_lock(&buffer->lock);
	fpgabuf_sync_for_cpu(buffer, a);
	if (!a->own && !fpgabuf_has_pages(buffer))
		buffer->kind->unmap(buffer, a->dev, &a->table, a->dir);
	else if (!a->own)
		dma_unmap_sgtable(a->dev, &a->table, a->dir,
				  DMA_ATTR_SKIP_CPU_SYNC);
	a->mapped = false;
	mutex_unlock(&buffer->lock);
}

static void fpgabuf_release(struct dma_buf *dmabuf)
{
	fpgabuf_buffer_release(dmabuf->priv);
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

	mutex_lock(&buffer->lock);
	if (buffer->vaddr)
		invalidate_kernel_vmap_range(buffer->vaddr, buffer->size);
	list_for_each_entry(a, &buffer->attachments, node)
		if (a->mapped)
			fpgabuf_sync_for_cpu(buffer, a);
	mutex_unlock(&buffer->lock);
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

	mutex_lock(&buffer->lock);
	if (buffer->vaddr)
		flush_kernel_vmap_range(buffer->vaddr, buffer->size);
	list_for_each_entry(a, &buffer->attachments, node)
		if (a->mapped)
			fpgabuf_sync_for_device(buffer, a);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int fpgabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	int ret;

	mutex_lock(&buffer->lock);
	ret = buffer->kind->vmap(buffer, map);
	if (!ret)
		buffer->vaddr = map->vaddr;
	mutex_unlock(&buffer->lock);
	return ret;
}

static void fpgabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;

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

	exp_info.exp_name = buffer->kind->exp_name;
	exp_info.ops = buffer->no_vmap ? &fpgabuf_no_vmap_ops :
					   &fpgabuf_dmabuf_ops;
	exp_info.size = buffer->size;
	exp_info.flags = fd_flags & O_ACCMODE;
	exp_info.priv = buffer;
	return dma_buf_export(&exp_info);
}

/**
 * fpgabuf_describe() - what a buffer is made of
 * @dmabuf: any dma-buf, of which the caller has a reference
 * @dev: the device in question
 * @desc: out: what is known; not touched when it is not one of fpgabuf_alloc()
 *
 * Context: any.
 * Return: whether @dmabuf is one of this exporter.
 */
bool fpgabuf_describe(const struct dma_buf *dmabuf, const struct device *dev,
		      struct fpgabuf_description *desc)
{
	const struct fpgabuf_buffer *buffer;
	struct scatterlist *sg;
	unsigned int i;

	if (dmabuf->ops != &fpgabuf_dmabuf_ops &&
	    dmabuf->ops != &fpgabuf_no_vmap_ops)
		return false;

	buffer = dmabuf->priv;
	*desc = (struct fpgabuf_description){
		.kind = buffer->number,
		.pieces = buffer->pages.orig_nents,
		.coherent = fpgabuf_is_own(buffer, dev) &&
			    !buffer->kind->sync_for_device,
	};
	for_each_sgtable_sg(&buffer->pages, sg, i)
		desc->largest = max_t(u64, desc->largest, sg->length);
	return true;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_describe, "FPGABUF");
