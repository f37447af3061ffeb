// SPDX-License-Identifier: GPL-2.0
/*
 * fpgabuf importer: any dma-buf as addresses on a device, attached and mapped
 * once and kept, so that a transfer costs neither.
 */
#include <kunit/visibility.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fpgabuf.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "importer.h"

/* An exporter that maps less than it says would let the device run past it. */
bool fpgabuf_table_covers(const struct sg_table *sgt, u64 size)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 len = 0;

	for_each_sgtable_dma_sg(sgt, sg, i)
		len += sg_dma_len(sg);
	return len >= size;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_table_covers);

static struct fpgabuf_import *import_alloc(struct dma_buf *dmabuf,
					   enum dma_data_direction dir)
{
	struct fpgabuf_import *import;

	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import)
		return NULL;
	kref_init(&import->ref);
	get_dma_buf(dmabuf);
	import->dmabuf = dmabuf;
	import->dir = dir;
	return import;
}

static void import_free(struct fpgabuf_import *import)
{
	dma_buf_put(import->dmabuf);
	kfree(import);
}

/**
 * fpgabuf_import() - attach a device to a dma-buf and map it
 * @dev: the device that really does the DMA
 * @dmabuf: any dma-buf; the import takes a reference of its own
 * @dir: DMA_FROM_DEVICE when @dev writes it, DMA_TO_DEVICE when it reads it
 *
 * The memory does not move until the last fpgabuf_import_put(): for a device that
 * may be at it at any time.
 *
 * One device should import a buffer once, and share that: where memory has to be
 * bounced every mapping has a copy of its own.
 *
 * Context: process context, may sleep; the reservation of @dmabuf not held.
 * Return: the import, given back by fpgabuf_import_put(), or an ERR_PTR:
 * -ENOMEM, -EIO when the exporter maps less than the buffer's size, and what
 * it says when it refuses @dev.
 */
struct fpgabuf_import *fpgabuf_import(struct device *dev,
				      struct dma_buf *dmabuf,
				      enum dma_data_direction dir)
{
	struct fpgabuf_import *import;
	int ret;

	import = import_alloc(dmabuf, dir);
	if (!import)
		return ERR_PTR(-ENOMEM);

	import->attach = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(import->attach)) {
		ret = PTR_ERR(import->attach);
		goto err_free;
	}

	import->sgt = dma_buf_map_attachment_unlocked(import->attach, dir);
	if (IS_ERR(import->sgt)) {
		ret = PTR_ERR(import->sgt);
		goto err_detach;
	}

	ret = -EIO;
	if (!fpgabuf_table_covers(import->sgt, dmabuf->size))
		goto err_unmap;
	return import;

err_unmap:
	dma_buf_unmap_attachment_unlocked(import->attach, import->sgt, dir);
err_detach:
	dma_buf_detach(dmabuf, import->attach);
err_free:
	import_free(import);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import, "FPGABUF");

static void import_invalidate(struct dma_buf_attachment *attach)
{
	struct fpgabuf_import *import = attach->importer_priv;

	import->ops->invalidate(import);
}

static const struct dma_buf_attach_ops import_attach_ops = {
	.invalidate_mappings = import_invalidate,
};

static const struct dma_buf_attach_ops import_peer_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = import_invalidate,
};

/**
 * fpgabuf_import_movable() - attach a device to a dma-buf that may move
 * @dev: the device that really does the DMA
 * @dmabuf: any dma-buf; the import takes a reference of its own
 * @dir: DMA_FROM_DEVICE when @dev writes it, DMA_TO_DEVICE when it reads it
 * @peer: @dev can do with memory of another device (peer to peer)
 * @ops: the caller's functions, called when the memory is to move, or has gone
 * @priv: for the caller
 *
 * For a device that is at the buffer only between a fence that is in its
 * reservation, and the signal of that. It is mapped before that, and as often as
 * it was invalidated, by fpgabuf_import_map(). An exporter whose memory does not
 * move may map it here already, for both directions. On kernels before 7.0 without
 * CONFIG_DMABUF_MOVE_NOTIFY memory does not move while it is mapped.
 *
 * Context: process context, may sleep; the reservation of @dmabuf not held.
 * Return: the import, given back by fpgabuf_import_put(), or an ERR_PTR: -ENOMEM,
 * and what the exporter says when it refuses @dev.
 */
struct fpgabuf_import *
fpgabuf_import_movable(struct device *dev, struct dma_buf *dmabuf,
		       enum dma_data_direction dir, bool peer,
		       const struct fpgabuf_import_ops *ops, void *priv)
{
	struct fpgabuf_import *import = import_alloc(dmabuf, dir);
	int ret;

	if (!import)
		return ERR_PTR(-ENOMEM);
	import->ops = ops;
	import->priv = priv;
	import->attach = dma_buf_dynamic_attach(dmabuf, dev, peer ?
						&import_peer_attach_ops :
						&import_attach_ops, import);
	if (IS_ERR(import->attach)) {
		ret = PTR_ERR(import->attach);
		import_free(import);
		return ERR_PTR(ret);
	}
	return import;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_movable, "FPGABUF");

/**
 * fpgabuf_import_map() - map a buffer that may move, where it is now
 * @import: from fpgabuf_import_movable()
 *
 * Who puts a device to work on it adds a fence to the reservation before giving
 * that back, and lets the device wait for the fences of the kernel's own
 * (DMA_RESV_USAGE_KERNEL), which may still be moving it.
 *
 * Context: process context, may sleep; the reservation held.
 * Return: the mapping, of which only DMA addresses and lengths may be used, given
 * back by fpgabuf_import_unmap(); or an ERR_PTR: -EIO when the exporter maps less
 * than the buffer's size, and what it says: -ENODEV when the memory is gone.
 */
struct sg_table *fpgabuf_import_map(struct fpgabuf_import *import)
{
	struct sg_table *sgt;

	dma_resv_assert_held(import->dmabuf->resv);
	sgt = dma_buf_map_attachment(import->attach, import->dir);
	if (IS_ERR(sgt) || fpgabuf_table_covers(sgt, import->dmabuf->size))
		return sgt;
	dma_buf_unmap_attachment(import->attach, sgt, import->dir);
	return ERR_PTR(-EIO);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_map, "FPGABUF");

/**
 * fpgabuf_import_unmap() - give a mapping back
 * @import: from fpgabuf_import_movable()
 * @sgt: from fpgabuf_import_map(); the device is not at it any more
 *
 * Context: process context, may sleep; the reservation held.
 */
void fpgabuf_import_unmap(struct fpgabuf_import *import, struct sg_table *sgt)
{
	dma_resv_assert_held(import->dmabuf->resv);
	dma_buf_unmap_attachment(import->attach, sgt, import->dir);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_unmap, "FPGABUF");

/**
 * fpgabuf_import_get() - one more user of an import
 * @import: the import, of which the caller has a reference
 *
 * Context: any.
 * Return: @import.
 */
struct fpgabuf_import *fpgabuf_import_get(struct fpgabuf_import *import)
{
	kref_get(&import->ref);
	return import;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_get, "FPGABUF");

static void import_release(struct kref *ref)
{
	struct fpgabuf_import *import =
		container_of(ref, struct fpgabuf_import, ref);

	if (import->sgt)
		dma_buf_unmap_attachment_unlocked(import->attach, import->sgt,
						  import->dir);
	dma_buf_detach(import->dmabuf, import->attach);
	import_free(import);
}

/**
 * fpgabuf_import_put() - give an import back
 * @import: the import; for this user its device no longer touches the memory
 *
 * The last one unmaps the buffer, unless its user maps it, detaches and forgets
 * it.
 *
 * Context: process context, may sleep; the reservation of the dma-buf not held.
 */
void fpgabuf_import_put(struct fpgabuf_import *import)
{
	kref_put(&import->ref, import_release);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_put, "FPGABUF");

/**
 * struct slice_cursor - the pieces of a range of a mapped table, one by one
 * @sg: entry of the table that the next piece lies in
 * @skip: bytes of @sg that are before it
 * @left: bytes of the range that are left
 * @max: longest piece
 * @boundary: no piece crosses a multiple of it + 1, a power of two
 */
struct slice_cursor {
	struct scatterlist *sg;
	u64 skip;
	u64 left;
	unsigned int max;
	unsigned long boundary;
};

static void slice_start(struct slice_cursor *c, const struct sg_table *sgt,
			u64 offset, u64 length)
{
	c->sg = sgt->sgl;
	c->skip = offset;
	c->left = length;
	while (c->skip >= sg_dma_len(c->sg)) {
		c->skip -= sg_dma_len(c->sg);
		c->sg = sg_next(c->sg);
	}
}

/* Take what is left of the current entry, but no more than @room. */
static unsigned int slice_advance(struct slice_cursor *c, unsigned int room)
{
	unsigned int len = min3((u64)room, c->left,
				(u64)sg_dma_len(c->sg) - c->skip);

	c->left -= len;
	c->skip += len;
	if (c->skip == sg_dma_len(c->sg)) {
		c->skip = 0;
		c->sg = sg_next(c->sg);
	}
	return len;
}

/* The longest piece that may start at @addr */
static unsigned int slice_room(const struct slice_cursor *c, dma_addr_t addr)
{
	const unsigned long room = c->boundary - (addr & c->boundary);

	return min_t(unsigned long, c->max - 1, room) + 1;
}

/* Entries that are neighbours for the device make one piece. */
static bool slice_next(struct slice_cursor *c, dma_addr_t *addr,
		       unsigned int *len)
{
	unsigned int room;

	if (!c->left)
		return false;

	*addr = sg_dma_address(c->sg) + c->skip;
	room = slice_room(c, *addr);
	*len = slice_advance(c, room);
	while (c->left && *len < room &&
	       sg_dma_address(c->sg) + c->skip == *addr + *len)
		*len += slice_advance(c, room - *len);
	return true;
}

/*
 * fpgabuf_import_slice() of the mapped table of a buffer of @size bytes, which
 * it covers.
 */
int fpgabuf_table_slice(const struct sg_table *sgt, u64 size, u64 offset,
			u64 length, unsigned int max_segment,
			unsigned long boundary, struct sg_table *slice)
{
	struct slice_cursor cursor = {
		.max = max_segment,
		.boundary = boundary,
	};
	unsigned int pieces = 0;
	struct scatterlist *sg;
	unsigned int len;
	dma_addr_t addr;
	int ret;

	if (!length || !max_segment || offset >= size || length > size - offset)
		return -ERANGE;

	slice_start(&cursor, sgt, offset, length);
	while (slice_next(&cursor, &addr, &len))
		pieces++;

	ret = sg_alloc_table(slice, pieces, GFP_KERNEL);
	if (ret)
		return ret;

	sg = slice->sgl;
	slice_start(&cursor, sgt, offset, length);
	while (slice_next(&cursor, &addr, &len)) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = len;
		/* Some providers walk the CPU lengths. */
		sg->length = len;
		sg = sg_next(sg);
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_table_slice);

/**
 * fpgabuf_import_slice() - the device's view of a range of an import
 * @import: from fpgabuf_import() or fpgabuf_import_movable()
 * @sgt: the mapping: NULL for that of fpgabuf_import(), else from
 *	fpgabuf_import_map()
 * @offset: where the range starts in the dma-buf, bytes
 * @length: its length in bytes, at least 1
 * @max_segment: longest segment in bytes that the engine takes
 * @slice: out: table with DMA addresses and lengths only (it has no pages);
 *	freed by sg_free_table(), valid as long as the mapping
 *
 * No segment crosses the segment boundary of the device either.
 *
 * Context: process context, may sleep.
 * Return: 0, -ERANGE when the range is not inside of the dma-buf, -ENOMEM.
 */
int fpgabuf_import_slice(const struct fpgabuf_import *import,
			 const struct sg_table *sgt, u64 offset, u64 length,
			 unsigned int max_segment, struct sg_table *slice)
{
	return fpgabuf_table_slice(sgt ?: import->sgt, import->dmabuf->size,
				   offset, length, max_segment,
				   dma_get_seg_boundary(import->attach->dev),
				   slice);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_import_slice, "FPGABUF");
