// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that needs no cache maintenance, dma_alloc_attrs(): what the CPU and
 * the device it was allocated for write is visible to the other at once.
 *
 * Coherent, and the same write-combined: where a device does not snoop the
 * CPU's caches, writes are gathered, and reads are slow. The DMA API knows where
 * that is, and maps it so; where the device snoops both kinds are cached.
 */
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "exporter.h"

/*
 * A reserved area may be memory that the kernel has no pages of, or has them but
 * does not map it (no-map): cache maintenance of such a page is an oops.
 */
static bool coherent_is_ram(const struct fpgabuf_buffer *buffer)
{
	return region_intersects(sg_phys(buffer->pages.sgl), PAGE_SIZE,
				 IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) ==
	       REGION_INTERSECTS;
}

/* Such an area is one piece. */
static void coherent_forget_pages(struct fpgabuf_buffer *buffer)
{
	struct scatterlist *sg = buffer->pages.sgl;
	const phys_addr_t phys = sg_phys(sg);

	sg_set_page(sg, NULL, buffer->size, 0);
	sg_dma_address(sg) = phys;
}

static int coherent_get_pages(struct fpgabuf_buffer *buffer, void *vaddr)
{
	int ret;

	ret = dma_get_sgtable_attrs(buffer->dev, &buffer->pages, vaddr,
				    buffer->dma_addr, buffer->size,
				    buffer->kind->attrs);
	if (!ret && !coherent_is_ram(buffer))
		coherent_forget_pages(buffer);
	return ret;
}

/* For other devices than its own, what it is for the CPU: not cached. */
int fpgabuf_coherent_map(const struct fpgabuf_buffer *buffer,
			 struct device *dev, struct sg_table *table,
			 enum dma_data_direction dir)
{
	dma_addr_t addr;

	addr = dma_map_resource(dev, fpgabuf_sg_phys(buffer->pages.sgl),
				buffer->size, dir, 0);
	if (dma_mapping_error(dev, addr))
		return -EIO;
	fpgabuf_set_addresses(table, addr);
	return 0;
}

int fpgabuf_coherent_alloc(struct fpgabuf_buffer *buffer)
{
	const unsigned long attrs = buffer->kind->attrs;
	void *vaddr;
	int ret;

	vaddr = dma_alloc_attrs(buffer->dev, buffer->size, &buffer->dma_addr,
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN, attrs);
	if (!vaddr)
		return -ENOMEM;

	ret = coherent_get_pages(buffer, vaddr);
	if (ret) {
		dma_free_attrs(buffer->dev, buffer->size, vaddr,
			       buffer->dma_addr, attrs);
		return ret;
	}
	buffer->priv = vaddr;
	return 0;
}

void fpgabuf_coherent_free(struct fpgabuf_buffer *buffer)
{
	sg_free_table(&buffer->pages);
	dma_free_attrs(buffer->dev, buffer->size, buffer->priv,
		       buffer->dma_addr, buffer->kind->attrs);
}

static void coherent_clear(struct fpgabuf_buffer *buffer)
{
	memset(buffer->priv, 0, buffer->size);
}

int fpgabuf_coherent_mmap(struct fpgabuf_buffer *buffer,
			  struct vm_area_struct *vma)
{
	int ret;

	/* Its driver may be on its way out, or have gone, and the memory be in use. */
	if (READ_ONCE(buffer->binding->closed))
		return -ENODEV;
	ret = dma_mmap_attrs(buffer->dev, vma, buffer->priv, buffer->dma_addr,
			     buffer->size, buffer->kind->attrs);
	if (!(vma->vm_flags & VM_PFNMAP)) {
		/* Also if it failed: get_user_pages_fast() does not wait. */
		WRITE_ONCE(buffer->referenced, true);
	} else if (!ret) {
		/*
		 * Only the protection is wanted: faults fill it again. It cannot
		 * be found before it is complete, so memory that moves meanwhile
		 * would stay mapped.
		 */
		zap_special_vma_range(vma, vma->vm_start,
				      vma->vm_end - vma->vm_start);
	}
	return ret;
}

int fpgabuf_coherent_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, buffer->priv);
	return 0;
}

void fpgabuf_coherent_vunmap(struct fpgabuf_buffer *buffer,
			     struct iosys_map *map)
{
}

const struct fpgabuf_kind_ops fpgabuf_kind_coherent = {
	.name		= "coherent",
	.exp_name	= "fpgabuf-coherent",
	.shortage	= "bytes of coherent memory; a larger CMA area (cma=) helps",
	.one_piece	= true,
	.bound		= true,
	.alloc		= fpgabuf_coherent_alloc,
	.free		= fpgabuf_coherent_free,
	.clear		= coherent_clear,
	.map		= fpgabuf_coherent_map,
	.mmap		= fpgabuf_coherent_mmap,
	.vmap		= fpgabuf_coherent_vmap,
	.vunmap		= fpgabuf_coherent_vunmap,
};

const struct fpgabuf_kind_ops fpgabuf_kind_writecombine = {
	.name		= "writecombine",
	.exp_name	= "fpgabuf-writecombine",
	.shortage	= "bytes of writecombine memory; a larger CMA area (cma=) helps",
	.attrs		= DMA_ATTR_WRITE_COMBINE,
	.one_piece	= true,
	.bound		= true,
	.alloc		= fpgabuf_coherent_alloc,
	.free		= fpgabuf_coherent_free,
	.clear		= coherent_clear,
	.map		= fpgabuf_coherent_map,
	.mmap		= fpgabuf_coherent_mmap,
	.vmap		= fpgabuf_coherent_vmap,
	.vunmap		= fpgabuf_coherent_vunmap,
};
