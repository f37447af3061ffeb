// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel does not manage: on-board RAM behind a BAR, or a
 * carve-out that is reserved for the FPGA. It may have no struct page, so it is
 * mapped for a device by dma_map_resource(), and for the CPU by its address.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "exporter.h"
#include "region.h"

/* Bytes that are cleared at a time */
#define REGION_CLEAR	SZ_1M

static phys_addr_t region_phys(const struct fpgabuf_region_block *block)
{
	return block->region->config.start + block->offset;
}

/* ---- the CPU's view ---- */

static int region_map_cpu(struct fpgabuf_region_block *block, size_t size)
{
	const phys_addr_t phys = region_phys(block);
	void __iomem *iomem;
	void *vaddr;

	switch (block->region->config.caching) {
	case FPGABUF_REGION_CACHED:
	case FPGABUF_REGION_WRITECOMBINE:
		vaddr = memremap(phys, size, block->region->config.caching ==
				 FPGABUF_REGION_CACHED ?
				 MEMREMAP_WB : MEMREMAP_WC);
		if (!vaddr)
			return -ENOMEM;
		iosys_map_set_vaddr(&block->vaddr, vaddr);
		return 0;
	case FPGABUF_REGION_UNCACHED:
		iomem = ioremap(phys, size);
		if (!iomem)
			return -ENOMEM;
		iosys_map_set_vaddr_iomem(&block->vaddr, iomem);
		return 0;
	}
	return -EINVAL;
}

static void region_unmap_cpu(struct fpgabuf_region_block *block)
{
	if (block->vaddr.is_iomem)
		iounmap(block->vaddr.vaddr_iomem);
	else
		memunmap(block->vaddr.vaddr);
}

static pgprot_t region_pgprot(const struct fpgabuf_region *region,
			      pgprot_t prot)
{
	switch (region->config.caching) {
	case FPGABUF_REGION_WRITECOMBINE:
		return pgprot_writecombine(prot);
	case FPGABUF_REGION_UNCACHED:
		return pgprot_noncached(prot);
	default:
		return prot;
	}
}

/* ---- allocating ---- */

/*
 * Without a lock that an end of the device would wait for, but for a piece. It is in
 * no list yet.
 */
static int region_clear(struct fpgabuf_region_block *block, size_t size)
{
	struct fpgabuf_region *region = block->region;
	size_t done, piece;
	int ret = 0;

	for (done = 0; !ret && done < size; done += piece) {
		piece = min_t(size_t, size - done, REGION_CLEAR);
		if (fatal_signal_pending(current))
			return -EINTR;
		down_read(&region->lock);
		if (region->gone)
			ret = -ENODEV;
		else
			iosys_map_memset(&block->vaddr, done, 0, piece);
		up_read(&region->lock);
		cond_resched();
	}
	return ret;
}

static int region_block_init(struct fpgabuf_buffer *buffer,
			     struct fpgabuf_region_block *block)
{
	struct fpgabuf_region *region = block->region;
	int ret;

	ret = region_map_cpu(block, buffer->size);
	if (ret)
		return ret;
	ret = region_clear(block, buffer->size);
	if (ret)
		goto err_unmap;
	down_write(&region->lock);
	if (region->gone)
		ret = -ENODEV;
	else
		list_add_tail(&block->node, &region->blocks);
	up_write(&region->lock);
	if (ret)
		goto err_unmap;
	return 0;

err_unmap:
	region_unmap_cpu(block);
	return ret;
}

static int region_take(struct fpgabuf_buffer *buffer,
		       struct fpgabuf_region_block *block)
{
	struct fpgabuf_region *region = block->region;
	unsigned long addr;
	int ret;

	addr = gen_pool_alloc(region->pool, buffer->size);
	if (!addr) {
		dev_warn_ratelimited(buffer->dev,
				     "no %zu bytes in one piece of the region's %zu, %zu are free; a larger reserved area helps\n",
				     buffer->size, region->config.size,
				     gen_pool_avail(region->pool));
		return -ENOMEM;
	}
	block->offset = addr - FPGABUF_REGION_BASE;

	ret = sg_alloc_table(&buffer->pages, 1, GFP_KERNEL);
	if (ret)
		goto err_free;
	buffer->pages.sgl->length = buffer->size;
	sg_dma_address(buffer->pages.sgl) = region_phys(block);

	ret = region_block_init(buffer, block);
	if (ret)
		goto err_free_table;
	return 0;

err_free_table:
	sg_free_table(&buffer->pages);
err_free:
	gen_pool_free(region->pool, addr, buffer->size);
	return ret;
}

static int region_alloc(struct fpgabuf_buffer *buffer)
{
	const struct fpgabuf_region_config *config;
	struct fpgabuf_region_block *block;
	int ret;

	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;

	ret = -EOPNOTSUPP;
	block->buffer = buffer;
	block->region = fpgabuf_region_get(buffer->dev);
	if (!block->region)
		goto err_free;
	ret = region_take(buffer, block);
	if (ret)
		goto err_put;

	config = &block->region->config;
	if (config->bus_address != DMA_MAPPING_ERROR)
		buffer->dma_addr = config->bus_address + block->offset;
	buffer->no_vmap = config->on_board;
	buffer->priv = block;
	return 0;

err_put:
	fpgabuf_region_put(block->region);
err_free:
	kfree(block);
	return ret;
}

static void region_free(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;

	down_write(&region->lock);
	list_del(&block->node);
	up_write(&region->lock);

	region_unmap_cpu(block);
	sg_free_table(&buffer->pages);
	gen_pool_free(region->pool, block->offset + FPGABUF_REGION_BASE, buffer->size);
	fpgabuf_region_put(region);
	kfree(block);
}

/* ---- devices ---- */

/*
 * Peer to peer only where the PCI core says so, and only for who unmaps it when it is
 * told that the memory goes.
 */
static bool region_is_peer(const struct fpgabuf_region *region,
			   struct dma_buf_attachment *attach)
{
	struct device *peer = attach->dev;

	return attach->peer2peer && dma_buf_attach_revocable(attach) &&
	       dev_is_pci(region->dev) &&
	       pci_p2pdma_distance_many(to_pci_dev(region->dev), &peer, 1,
					true) >= 0;
}

static int region_attach(const struct fpgabuf_buffer *buffer,
			 struct dma_buf_attachment *attach)
{
	struct fpgabuf_region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;
	const bool own = attach->dev == buffer->dev;
	int ret = 0;

	/* Once it is gone a map says so, too. */
	down_read(&region->lock);
	if (region->gone)
		ret = -ENODEV;
	else if (region->config.on_board && !own &&
		 !region_is_peer(region, attach))
		ret = -EOPNOTSUPP;
	up_read(&region->lock);

	if (ret == -EOPNOTSUPP)
		dev_warn_ratelimited(attach->dev,
				     "does not reach the memory on %s; peer to peer (CONFIG_PCI_P2PDMA), or another kind of memory, helps\n",
				     dev_name(buffer->dev));
	return ret;
}

static int region_map(const struct fpgabuf_buffer *buffer, struct device *dev,
		      struct sg_table *table, enum dma_data_direction dir)
{
	struct fpgabuf_region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;
	dma_addr_t addr = DMA_MAPPING_ERROR;
	bool gone;

	down_read(&region->lock);
	gone = region->gone;
	if (!gone)
		addr = dma_map_resource(dev, region_phys(block), buffer->size,
					dir, 0);
	up_read(&region->lock);
	if (gone)
		return -ENODEV;
	if (dma_mapping_error(dev, addr))
		return -EIO;
	fpgabuf_set_addresses(table, addr);
	return 0;
}

/* ---- user mappings ---- */

static struct fpgabuf_region_block *block_of(const struct vm_area_struct *vma)
{
	const struct fpgabuf_buffer *buffer = vma->vm_private_data;

	return buffer->priv;
}

static struct fpgabuf_region *region_of(const struct vm_area_struct *vma)
{
	return block_of(vma)->region;
}

static vm_fault_t region_vm_fault(struct vm_fault *vmf)
{
	struct fpgabuf_region *region = region_of(vmf->vma);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&region->lock);
	if (!region->gone)
		ret = fpgabuf_fault(vmf);
	up_read(&region->lock);
	return ret;
}

#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
static vm_fault_t region_vm_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct fpgabuf_region *region = region_of(vmf->vma);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&region->lock);
	if (!region->gone)
		ret = fpgabuf_huge_fault(vmf, order);
	up_read(&region->lock);
	return ret;
}
#endif

static const struct vm_operations_struct region_vm_ops = {
	.open		= fpgabuf_vm_open,
	.close		= fpgabuf_vm_close,
	.fault		= region_vm_fault,
	.access		= fpgabuf_vm_access,
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	.huge_fault	= region_vm_huge_fault,
#endif
};

static int region_mmap(struct fpgabuf_buffer *buffer,
		       struct vm_area_struct *vma)
{
	const struct fpgabuf_region_block *block = buffer->priv;

	vma->vm_page_prot = region_pgprot(block->region, vma->vm_page_prot);
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_ops = &region_vm_ops;
	return 0;
}

/* Of a carve-out only, which stays. */
static int region_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	const struct fpgabuf_region_block *block = buffer->priv;

	*map = block->vaddr;
	return 0;
}

static void region_vunmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
}

const struct fpgabuf_kind_ops fpgabuf_kind_region = {
	.name		= "region",
	.exp_name	= "fpgabuf-region",
	.one_piece	= true,
	.alloc		= region_alloc,
	.free		= region_free,
	.attach		= region_attach,
	.map		= region_map,
	.mmap		= region_mmap,
	.vmap		= region_vmap,
	.vunmap		= region_vunmap,
};
