// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel does not manage: on-board RAM behind a BAR, or a
 * carve-out that is reserved for the FPGA. It may have no struct page, so it is
 * mapped for a device by dma_map_resource(), and for the CPU by its address.
 *
 * On-board memory goes with its device: fpgabuf_region_remove() takes it away
 * from everybody who has it mapped, and from then on a buffer of it is a shell.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "exporter.h"

/* gen_pool takes address 0 for a failure: offsets are moved up by a page. */
#define REGION_BASE	PAGE_SIZE

/**
 * struct fpgabuf_region - memory that a device brings along
 * @ref: held by region_list, and by each buffer
 * @node: in region_list, guarded by region_list_lock
 * @dev: its device; a key only, not to be used once @gone
 * @config: what its driver said of it; constant
 * @pool: its free pages; has a lock of its own
 * @lock: guards @gone, @blocks and what &struct region_block says. Taken inside
 *	of mmap_lock and of a dma-buf's reservation
 * @gone: on-board memory whose device is no more: must not be touched
 * @blocks: its buffers
 */
struct fpgabuf_region {
	struct kref ref;
	struct list_head node;
	struct device *dev;
	struct fpgabuf_region_config config;
	struct gen_pool *pool;

	struct rw_semaphore lock;	/* for what is said above */
	bool gone;
	struct list_head blocks;
};

/**
 * struct region_block - the memory of a buffer
 * @node: in &fpgabuf_region.blocks
 * @region: where it is; a reference is held
 * @offset: where in there, bytes
 * @vaddr: the CPU's address of it
 * @mapping: of the dma-buf's file; valid while @mappings is not 0
 * @mappings: user mappings of it, which hold that file
 * @dmabuf: valid while @peers is not 0
 * @peers: other devices that are attached, which hold that dma-buf
 * @told: they were told that the memory is gone
 *
 * The last five are guarded by &fpgabuf_region.lock, the others constant.
 */
struct region_block {
	struct list_head node;
	struct fpgabuf_region *region;
	size_t offset;
	struct iosys_map vaddr;
	struct address_space *mapping;
	unsigned int mappings;
	struct dma_buf *dmabuf;
	unsigned int peers;
	bool told;
};

/* Taken outside of &fpgabuf_region.lock. */
static DEFINE_MUTEX(region_list_lock);
static LIST_HEAD(region_list);

static struct fpgabuf_region *region_find(const struct device *dev)
{
	struct fpgabuf_region *region;

	lockdep_assert_held(&region_list_lock);
	list_for_each_entry(region, &region_list, node)
		if (region->dev == dev)
			return region;
	return NULL;
}

static struct fpgabuf_region *region_get(const struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	if (region)
		kref_get(&region->ref);
	mutex_unlock(&region_list_lock);
	return region;
}

static void region_release(struct kref *ref)
{
	struct fpgabuf_region *region =
		container_of(ref, struct fpgabuf_region, ref);

	if (region->config.release)
		region->config.release(region->config.priv);
	gen_pool_destroy(region->pool);
	kfree(region);
}

static void region_put(struct fpgabuf_region *region)
{
	kref_put(&region->ref, region_release);
}

static phys_addr_t region_phys(const struct region_block *block)
{
	return block->region->config.start + block->offset;
}

/* ---- the CPU's view ---- */

static int region_map_cpu(struct region_block *block, size_t size)
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

static void region_unmap_cpu(struct region_block *block)
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

static int region_block_init(struct fpgabuf_buffer *buffer,
			     struct region_block *block)
{
	struct fpgabuf_region *region = block->region;
	int ret = -ENODEV;

	down_write(&region->lock);
	if (region->gone)
		goto out_unlock;
	ret = region_map_cpu(block, buffer->size);
	if (ret)
		goto out_unlock;
	iosys_map_memset(&block->vaddr, 0, 0, buffer->size);
	list_add_tail(&block->node, &region->blocks);
out_unlock:
	up_write(&region->lock);
	return ret;
}

static int region_take(struct fpgabuf_buffer *buffer,
		       struct region_block *block)
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
	block->offset = addr - REGION_BASE;

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
	struct region_block *block;
	int ret;

	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;

	ret = -EOPNOTSUPP;
	block->region = region_get(buffer->dev);
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
	region_put(block->region);
err_free:
	kfree(block);
	return ret;
}

static void region_free(struct fpgabuf_buffer *buffer)
{
	struct region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;

	down_write(&region->lock);
	list_del(&block->node);
	up_write(&region->lock);

	region_unmap_cpu(block);
	sg_free_table(&buffer->pages);
	gen_pool_free(region->pool, block->offset + REGION_BASE, buffer->size);
	region_put(region);
	kfree(block);
}

/* ---- devices ---- */

/* Peer to peer only where the PCI core says so. */
static bool region_is_peer(const struct fpgabuf_region *region,
			   struct dma_buf_attachment *attach)
{
	struct device *peer = attach->dev;

	return attach->peer2peer && dev_is_pci(region->dev) &&
	       pci_p2pdma_distance_many(to_pci_dev(region->dev), &peer, 1,
					true) >= 0;
}

static int region_attach(const struct fpgabuf_buffer *buffer,
			 struct dma_buf_attachment *attach)
{
	struct region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;
	const bool own = attach->dev == buffer->dev;
	int ret = 0;

	down_write(&region->lock);
	if (region->gone) {
		ret = -ENODEV;
	} else if (region->config.on_board && !own &&
		   !region_is_peer(region, attach)) {
		ret = -EOPNOTSUPP;
	} else if (!own) {
		block->dmabuf = attach->dmabuf;
		block->peers++;
	}
	up_write(&region->lock);

	if (ret == -EOPNOTSUPP)
		dev_warn_ratelimited(attach->dev,
				     "does not reach the memory on %s; peer to peer (CONFIG_PCI_P2PDMA), or another kind of memory, helps\n",
				     dev_name(buffer->dev));
	return ret;
}

static void region_detach(const struct fpgabuf_buffer *buffer,
			  struct dma_buf_attachment *attach)
{
	struct region_block *block = buffer->priv;

	if (attach->dev == buffer->dev)
		return;
	down_write(&block->region->lock);
	block->peers--;
	up_write(&block->region->lock);
}

static int region_map(const struct fpgabuf_buffer *buffer, struct device *dev,
		      struct sg_table *table, enum dma_data_direction dir)
{
	struct region_block *block = buffer->priv;
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

static void region_unmap(const struct fpgabuf_buffer *buffer,
			 struct device *dev, struct sg_table *table,
			 enum dma_data_direction dir)
{
	dma_unmap_resource(dev, sg_dma_address(table->sgl), buffer->size, dir,
			   0);
}

/* ---- user mappings ---- */

static struct region_block *block_of(const struct vm_area_struct *vma)
{
	const struct fpgabuf_buffer *buffer = vma->vm_private_data;

	return buffer->priv;
}

static struct fpgabuf_region *region_of(const struct vm_area_struct *vma)
{
	return block_of(vma)->region;
}

static void region_vm_open(struct vm_area_struct *vma)
{
	struct region_block *block = block_of(vma);

	down_write(&block->region->lock);
	block->mappings++;
	up_write(&block->region->lock);
}

static void region_vm_close(struct vm_area_struct *vma)
{
	struct region_block *block = block_of(vma);

	down_write(&block->region->lock);
	block->mappings--;
	up_write(&block->region->lock);
}

static vm_fault_t region_vm_fault(struct vm_fault *vmf)
{
	struct fpgabuf_region *region = region_of(vmf->vma);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&region->lock);
	if (!region->gone)
		ret = fpgabuf_vm_fault(vmf);
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
		ret = fpgabuf_vm_huge_fault(vmf, order);
	up_read(&region->lock);
	return ret;
}
#endif

static const struct vm_operations_struct region_vm_ops = {
	.open		= region_vm_open,
	.close		= region_vm_close,
	.fault		= region_vm_fault,
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	.huge_fault	= region_vm_huge_fault,
#endif
};

static int region_mmap(struct fpgabuf_buffer *buffer,
		       struct vm_area_struct *vma)
{
	struct region_block *block = buffer->priv;
	struct fpgabuf_region *region = block->region;

	vma->vm_page_prot = region_pgprot(region, vma->vm_page_prot);
	fpgabuf_mmap_pfns(buffer, vma, &region_vm_ops);

	down_write(&region->lock);
	block->mapping = vma->vm_file->f_mapping;
	block->mappings++;
	up_write(&region->lock);
	return 0;
}

/* Of a carve-out only, which stays. */
static int region_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	const struct region_block *block = buffer->priv;

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
	.detach		= region_detach,
	.map		= region_map,
	.unmap		= region_unmap,
	.mmap		= region_mmap,
	.vmap		= region_vmap,
	.vunmap		= region_vunmap,
};

/* ---- what drivers call ---- */

static int region_check(const struct fpgabuf_region_config *config)
{
	if (!config->size || config->size > SSIZE_MAX ||
	    !PAGE_ALIGNED(config->start) || !PAGE_ALIGNED(config->size) ||
	    config->start + config->size - 1 < config->start)
		return -EINVAL;
	if (config->caching > FPGABUF_REGION_UNCACHED)
		return -EINVAL;
	return 0;
}

static struct fpgabuf_region *
region_create(struct device *dev, const struct fpgabuf_region_config *config)
{
	struct fpgabuf_region *region;

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return NULL;

	kref_init(&region->ref);
	region->dev = dev;
	region->config = *config;
	init_rwsem(&region->lock);
	INIT_LIST_HEAD(&region->blocks);
	region->pool = gen_pool_create(PAGE_SHIFT, dev_to_node(dev));
	if (!region->pool)
		goto err_free;
	if (gen_pool_add(region->pool, REGION_BASE, config->size,
			 dev_to_node(dev)))
		goto err_destroy;
	return region;

err_destroy:
	gen_pool_destroy(region->pool);
err_free:
	kfree(region);
	return NULL;
}

/**
 * fpgabuf_region_add() - offer memory that a device brings along
 * @dev: the device that does the DMA, bound to its driver. On-board memory of a
 *	PCI device is behind one of its BARs
 * @config: the memory; copied. The caller has claimed it (request_mem_region(),
 *	pcim_iomap_regions(), reserved-memory of the device tree). On-board
 *	memory is claimed until fpgabuf_region_remove(), a carve-out until
 *	&fpgabuf_region_config.release
 *
 * From now on fpgabuf_alloc() makes %FPGABUF_KIND_REGION for @dev.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL for a range that is not whole pages, -EBUSY when @dev has
 * one already, -ENOMEM.
 */
int fpgabuf_region_add(struct device *dev,
		       const struct fpgabuf_region_config *config)
{
	struct fpgabuf_region *region;
	int ret;

	ret = region_check(config);
	if (ret)
		return ret;
	region = region_create(dev, config);
	if (!region)
		return -ENOMEM;

	mutex_lock(&region_list_lock);
	if (region_find(dev))
		ret = -EBUSY;
	else
		list_add_tail(&region->node, &region_list);
	mutex_unlock(&region_list_lock);
	if (ret) {
		/* Still the caller's: not released. */
		region->config.release = NULL;
		region_put(region);
	}
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_add, "FPGABUF");

/* A buffer whose peers do not know yet that the memory is gone. */
static struct dma_buf *region_next_untold(struct fpgabuf_region *region)
{
	struct dma_buf *dmabuf = NULL;
	struct region_block *block;

	down_write(&region->lock);
	list_for_each_entry(block, &region->blocks, node) {
		if (!block->peers || block->told)
			continue;
		block->told = true;
		dmabuf = block->dmabuf;
		get_dma_buf(dmabuf);
		break;
	}
	up_write(&region->lock);
	return dmabuf;
}

/*
 * What a peer's device is at goes on until its fence signals, which it does in
 * bounded time.
 */
static void region_tell_peers(struct fpgabuf_region *region)
{
	struct dma_buf *dmabuf;

	while ((dmabuf = region_next_untold(region))) {
		dma_resv_lock(dmabuf->resv, NULL);
		dma_buf_invalidate_mappings(dmabuf);
		dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
				      false, MAX_SCHEDULE_TIMEOUT);
		dma_resv_unlock(dmabuf->resv);
		dma_buf_put(dmabuf);
	}
}

static void region_zap(struct fpgabuf_region *region)
{
	struct region_block *block;

	down_write(&region->lock);
	region->gone = true;
	list_for_each_entry(block, &region->blocks, node)
		if (block->mappings)
			unmap_mapping_range(block->mapping, 0, 0, 1);
	up_write(&region->lock);
}

/**
 * fpgabuf_region_remove() - take a device's memory away
 * @dev: of fpgabuf_region_add()
 *
 * Nothing is allocated from it any more. On-board memory is not touched by the
 * CPU any more when this returns: user mappings of it fail with SIGBUS, and new
 * mappings with -ENODEV; the devices of dynamic importers are told, and have done
 * what they had a fence for. The caller sees to it that its own device is idle.
 *
 * Context: process context, may sleep; before @dev's driver is unbound.
 */
void fpgabuf_region_remove(struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	if (region)
		list_del(&region->node);
	mutex_unlock(&region_list_lock);
	if (WARN_ON(!region))
		return;

	if (region->config.on_board) {
		region_zap(region);
		region_tell_peers(region);
	}
	region_put(region);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_remove, "FPGABUF");

/**
 * fpgabuf_region_exists() - does a device bring memory along
 * @dev: the device
 *
 * Context: process context, may sleep.
 * Return: whether fpgabuf_alloc() can make %FPGABUF_KIND_REGION for it.
 */
bool fpgabuf_region_exists(const struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	mutex_unlock(&region_list_lock);
	return region;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_exists, "FPGABUF");

/* Whether it is memory that any device may be attached to. */
bool fpgabuf_region_is_shared(const struct device *dev)
{
	struct fpgabuf_region *region;
	bool shared;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	shared = region && !region->config.on_board;
	mutex_unlock(&region_list_lock);
	return shared;
}
