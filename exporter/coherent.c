// SPDX-License-Identifier: GPL-2.0
/*
 * Coherent memory, dma_alloc_attrs(): what the CPU and the device it was
 * allocated for write is visible to the other at once.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>

#include "exporter.h"

static int coherent_alloc(struct fpgabuf_buffer *buffer)
{
	void *vaddr;
	int ret;

	vaddr = dma_alloc_attrs(buffer->dev, buffer->size, &buffer->dma_addr,
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN, 0);
	if (!vaddr) {
		dev_warn_ratelimited(buffer->dev,
				     "no %zu bytes of coherent memory; a larger CMA area (cma=) helps\n",
				     buffer->size);
		return -ENOMEM;
	}

	/* Fails where the memory has no pages: nobody else could import it. */
	ret = dma_get_sgtable_attrs(buffer->dev, &buffer->pages, vaddr,
				    buffer->dma_addr, buffer->size, 0);
	if (ret) {
		dma_free_attrs(buffer->dev, buffer->size, vaddr,
			       buffer->dma_addr, 0);
		return ret;
	}
	buffer->priv = vaddr;
	return 0;
}

static void coherent_free(struct fpgabuf_buffer *buffer)
{
	sg_free_table(&buffer->pages);
	dma_free_attrs(buffer->dev, buffer->size, buffer->priv,
		       buffer->dma_addr, 0);
}

static int coherent_mmap(struct fpgabuf_buffer *buffer,
			 struct vm_area_struct *vma)
{
	return dma_mmap_attrs(buffer->dev, vma, buffer->priv, buffer->dma_addr,
			      buffer->size, 0);
}

static int coherent_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, buffer->priv);
	return 0;
}

static void coherent_vunmap(struct fpgabuf_buffer *buffer,
			    struct iosys_map *map)
{
}

const struct fpgabuf_kind_ops fpgabuf_kind_coherent = {
	.name		= "coherent",
	.exp_name	= "fpgabuf-coherent",
	.alloc		= coherent_alloc,
	.free		= coherent_free,
	.mmap		= coherent_mmap,
	.vmap		= coherent_vmap,
	.vunmap		= coherent_vunmap,
};
