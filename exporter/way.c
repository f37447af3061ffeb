// SPDX-License-Identifier: GPL-2.0
/*
 * The three ways in which a device gets at memory: by the address that came with it,
 * by the pages, or as a resource, which has none.
 */
#include <linux/dma-mapping.h>

#include "exporter.h"

static int own_map(const struct fpgabuf_buffer *buffer,
		   struct fpgabuf_attachment *a)
{
	fpgabuf_set_addresses(&a->table, buffer->dma_addr);
	return 0;
}

static void own_sync_for_device(const struct fpgabuf_buffer *buffer,
				struct fpgabuf_attachment *a)
{
	if (buffer->kind->sync_for_device)
		buffer->kind->sync_for_device(buffer, a->dir);
}

static void own_sync_for_cpu(const struct fpgabuf_buffer *buffer,
			     struct fpgabuf_attachment *a)
{
	if (buffer->kind->sync_for_cpu)
		buffer->kind->sync_for_cpu(buffer, a->dir);
}

static int pages_map(const struct fpgabuf_buffer *buffer,
		     struct fpgabuf_attachment *a)
{
	return dma_map_sgtable(a->dev, &a->table, a->dir,
			       DMA_ATTR_SKIP_CPU_SYNC);
}

static void pages_unmap(const struct fpgabuf_buffer *buffer,
			struct fpgabuf_attachment *a)
{
	dma_unmap_sgtable(a->dev, &a->table, a->dir, DMA_ATTR_SKIP_CPU_SYNC);
}

static void pages_sync_for_device(const struct fpgabuf_buffer *buffer,
				  struct fpgabuf_attachment *a)
{
	dma_sync_sgtable_for_device(a->dev, &a->table, a->dir);
}

static void pages_sync_for_cpu(const struct fpgabuf_buffer *buffer,
			       struct fpgabuf_attachment *a)
{
	dma_sync_sgtable_for_cpu(a->dev, &a->table, a->dir);
}

static int resource_map(const struct fpgabuf_buffer *buffer,
			struct fpgabuf_attachment *a)
{
	return buffer->kind->map(buffer, a->dev, &a->table, a->dir);
}

static void resource_unmap(const struct fpgabuf_buffer *buffer,
			   struct fpgabuf_attachment *a)
{
	dma_unmap_resource(a->dev, sg_dma_address(a->table.sgl), buffer->size,
			   a->dir, 0);
}

/* Nothing to undo, or no cache that holds any of it */
static void way_unmap_nothing(const struct fpgabuf_buffer *buffer,
			      struct fpgabuf_attachment *a)
{
}

static void way_sync_nothing(const struct fpgabuf_buffer *buffer,
			     struct fpgabuf_attachment *a)
{
}

static const struct fpgabuf_way way_own = {
	.map			= own_map,
	.unmap			= way_unmap_nothing,
	.sync_for_device	= own_sync_for_device,
	.sync_for_cpu		= own_sync_for_cpu,
};

static const struct fpgabuf_way way_pages = {
	.map			= pages_map,
	.unmap			= pages_unmap,
	.sync_for_device	= pages_sync_for_device,
	.sync_for_cpu		= pages_sync_for_cpu,
};

static const struct fpgabuf_way way_resource = {
	.map			= resource_map,
	.unmap			= resource_unmap,
	.sync_for_device	= way_sync_nothing,
	.sync_for_cpu		= way_sync_nothing,
};

/* How a device gets at what @buffer is now; @own: it has the memory's address. */
const struct fpgabuf_way *fpgabuf_way(const struct fpgabuf_buffer *buffer,
				      bool own)
{
	if (own)
		return &way_own;
	return fpgabuf_has_pages(buffer) ? &way_pages : &way_resource;
}
