// SPDX-License-Identifier: GPL-2.0
/*
 * Cached memory at one address for its device, dma_alloc_noncontiguous(): in
 * pieces where an IOMMU puts them together, else one contiguous block. For
 * large frames, and engines without scatter-gather.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>

#include "exporter.h"

/* Every attachment may use the memory in any direction. */
#define NONCONTIGUOUS_DIR	DMA_BIDIRECTIONAL

static int noncontiguous_alloc(struct fpgabuf_buffer *buffer)
{
	const unsigned int max = dma_get_max_seg_size(buffer->dev);
	struct sg_table *sgt;

	/* It is one segment, and the device says how long those may be. */
	if (buffer->size > max) {
		dev_warn_ratelimited(buffer->dev,
				     "no %zu bytes at one address, segments have at most %u; dma_set_max_seg_size() or the system kind helps\n",
				     buffer->size, max);
		return -EFBIG;
	}

	/* Behind an IOMMU it is only zeroed when asked for. */
	sgt = dma_alloc_noncontiguous(buffer->dev, buffer->size,
				      NONCONTIGUOUS_DIR,
				      GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				      __GFP_NOWARN, 0);
	if (!sgt)
		return -ENOMEM;

	/* One segment for the device, whatever the number of pieces. */
	buffer->dma_addr = sg_dma_address(sgt->sgl);
	buffer->pages = *sgt;
	buffer->priv = sgt;
	return 0;
}

static void noncontiguous_free(struct fpgabuf_buffer *buffer)
{
	dma_free_noncontiguous(buffer->dev, buffer->size, buffer->priv,
			       NONCONTIGUOUS_DIR);
}

static int noncontiguous_vmap(struct fpgabuf_buffer *buffer,
			      struct iosys_map *map)
{
	void *vaddr;

	vaddr = dma_vmap_noncontiguous(buffer->dev, buffer->size, buffer->priv);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void noncontiguous_vunmap(struct fpgabuf_buffer *buffer,
				 struct iosys_map *map)
{
	dma_vunmap_noncontiguous(buffer->dev, map->vaddr);
}

/* By the pieces: they are neighbours for the device only. */
static void noncontiguous_sync_for_device(const struct fpgabuf_buffer *buffer,
					  enum dma_data_direction dir)
{
	dma_sync_sgtable_for_device(buffer->dev, buffer->priv, dir);
}

static void noncontiguous_sync_for_cpu(const struct fpgabuf_buffer *buffer,
				       enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(buffer->dev, buffer->priv, dir);
}

/*
 * No mmap of its own: dma_mmap_noncontiguous() would map by page behind an
 * IOMMU, so that pages could be pinned which the dma-buf then frees.
 */
const struct fpgabuf_kind_ops fpgabuf_kind_noncontiguous = {
	.name			= "noncontiguous",
	.exp_name		= "fpgabuf-noncontiguous",
	.shortage		=
		"bytes at one address; an IOMMU, a CMA area (cma=) or the system kind helps",
	.bound			= true,
	.alloc			= noncontiguous_alloc,
	.free			= noncontiguous_free,
	.clear			= fpgabuf_clear_pages,
	.vmap			= noncontiguous_vmap,
	.vunmap			= noncontiguous_vunmap,
	.sync_for_device	= noncontiguous_sync_for_device,
	.sync_for_cpu		= noncontiguous_sync_for_cpu,
};
