// SPDX-License-Identifier: GPL-2.0
/*
 * One contiguous, cached block, dma_alloc_pages(): for engines without
 * scatter-gather and frames that the CPU reads.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "exporter.h"

/* Every attachment may use the memory in any direction. */
#define CONTIGUOUS_DIR	DMA_BIDIRECTIONAL

static int contiguous_alloc(struct fpgabuf_buffer *buffer)
{
	struct page *page;
	int ret;

	/* dma_alloc_pages() returns zeroed memory */
	page = dma_alloc_pages(buffer->dev, buffer->size, &buffer->dma_addr,
			       CONTIGUOUS_DIR,
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!page)
		return -ENOMEM;

	ret = sg_alloc_table(&buffer->pages, 1, GFP_KERNEL);
	if (ret) {
		dma_free_pages(buffer->dev, buffer->size, page,
			       buffer->dma_addr, CONTIGUOUS_DIR);
		return ret;
	}
	sg_set_page(buffer->pages.sgl, page, buffer->size, 0);
	return 0;
}

static void contiguous_free(struct fpgabuf_buffer *buffer)
{
	struct page *page = sg_page(buffer->pages.sgl);

	sg_free_table(&buffer->pages);
	dma_free_pages(buffer->dev, buffer->size, page, buffer->dma_addr,
		       CONTIGUOUS_DIR);
}

static int contiguous_vmap(struct fpgabuf_buffer *buffer,
			   struct iosys_map *map)
{
	struct page *page = sg_page(buffer->pages.sgl);

	/* A CMA area may lie in high memory on 32 bit. */
	if (PageHighMem(page))
		return -ENOMEM;
	iosys_map_set_vaddr(map, page_address(page));
	return 0;
}

static void contiguous_vunmap(struct fpgabuf_buffer *buffer,
			      struct iosys_map *map)
{
}

static void contiguous_sync_for_device(const struct fpgabuf_buffer *buffer,
				       enum dma_data_direction dir)
{
	dma_sync_single_for_device(buffer->dev, buffer->dma_addr, buffer->size,
				   dir);
}

static void contiguous_sync_for_cpu(const struct fpgabuf_buffer *buffer,
				    enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(buffer->dev, buffer->dma_addr, buffer->size,
				dir);
}

const struct fpgabuf_kind_ops fpgabuf_kind_contiguous = {
	.name			= "contiguous",
	.exp_name		= "fpgabuf-contiguous",
	.shortage		= "contiguous bytes; a CMA area (cma=) or the system kind helps",
	.one_piece		= true,
	.bound			= true,
	.alloc			= contiguous_alloc,
	.free			= contiguous_free,
	.clear			= fpgabuf_clear_pages,
	.vmap			= contiguous_vmap,
	.vunmap			= contiguous_vunmap,
	.sync_for_device	= contiguous_sync_for_device,
	.sync_for_cpu		= contiguous_sync_for_cpu,
};
