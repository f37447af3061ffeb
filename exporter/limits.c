// SPDX-License-Identifier: GPL-2.0
/*
 * What memory a device reaches. The DMA API would put a bounce buffer where it
 * does not reach: a copy of each frame, in silence. So memory is allocated where
 * its device reaches it, and other devices that do not are refused.
 */
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/swiotlb.h>

#include "exporter.h"

/* Its addresses go through a page table, which leads to all of the memory. */
static bool fpgabuf_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/* The last address that it can put on its bus */
static u64 fpgabuf_last(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/*
 * The user wants bounce buffers (swiotlb=force), but this device does not reach
 * them: the DMA API would warn of each mapping.
 */
static bool fpgabuf_bounced_too_far(struct device *dev)
{
#if IS_ENABLED(CONFIG_SWIOTLB) && !IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC)
	return dev->dma_mask && is_swiotlb_force_bounce(dev) &&
	       !fpgabuf_translated(dev) &&
	       phys_to_dma(dev, fpgabuf_swiotlb_end(dev) - 1) >
	       fpgabuf_last(dev);
#else
	/* None, or they are made where it reaches. */
	return false;
#endif
}

/* What can be said of a size on a machine with @ram_pages before trying. */
int fpgabuf_size_check(size_t size, unsigned long ram_pages)
{
	if (!size)
		return -EINVAL;
	if (size > SSIZE_MAX - PAGE_SIZE)
		return -EOVERFLOW;
	/* More than the machine has: do not make the OOM killer find out. */
	if (PFN_UP(size) > ram_pages)
		return -ENOMEM;
	return 0;
}

/**
 * fpgabuf_reach() - how far a device reaches
 * @dev: the device
 *
 * Return: the last address that it can put on its bus, where this is what
 * decides; U64_MAX where an IOMMU leads to all memory, where bounce buffers are
 * what the user wants (swiotlb=force), and for a device that does no DMA at all,
 * to which the DMA API maps nothing.
 */
u64 fpgabuf_reach(struct device *dev)
{
	if (!dev->dma_mask || is_swiotlb_force_bounce(dev) ||
	    fpgabuf_translated(dev))
		return U64_MAX;
	return fpgabuf_last(dev);
}

/**
 * fpgabuf_reaches() - whether a device reaches all of a table
 * @dev: the device
 * @table: the memory, as the CPU sees it
 *
 * Return: whether it does, with no bounce buffer.
 */
bool fpgabuf_reaches(struct device *dev, const struct sg_table *table)
{
	u64 last = fpgabuf_reach(dev);
	struct scatterlist *sg;
	unsigned int i;

	if (last == U64_MAX)
		return true;

	for_each_sgtable_sg(table, sg, i) {
		dma_addr_t addr = phys_to_dma(dev, fpgabuf_sg_phys(sg));

		/* Not on its bus at all, or too far */
		if (addr == DMA_MAPPING_ERROR || addr > last ||
		    sg->length - 1 > last - addr)
			return false;
	}
	return true;
}

/**
 * fpgabuf_limits_attach() - whether a device may be attached to a buffer
 * @buffer: the buffer
 * @dev: the device
 *
 * Return: 0, or -ENXIO when @dev does not reach all of the memory, or the bounce
 * buffers that swiotlb=force puts in its place; then the kernel log says what
 * helps.
 */
int fpgabuf_limits_attach(const struct fpgabuf_buffer *buffer,
			  struct device *dev)
{
	if (fpgabuf_bounced_too_far(dev)) {
		dev_warn_ratelimited(dev, "does not reach the bounce buffers of swiotlb=force, with %d address bits; to boot without it helps\n",
				     fls64(fpgabuf_last(dev)));
		return -ENXIO;
	}
	if (fpgabuf_reaches(dev, &buffer->pages))
		return 0;

	dev_warn_ratelimited(dev, "does not reach the %s memory of %s, with %d address bits; an IOMMU, or memory allocated for this device, helps\n",
			     buffer->kind->name, dev_name(buffer->dev),
			     fls64(fpgabuf_reach(dev)));
	return -ENXIO;
}

/**
 * fpgabuf_limits_gfp() - where in memory to allocate for a device
 * @dev: the device
 *
 * Return: 0, or the zone whose pages @dev reaches. Zones are coarse: of a narrow
 * one it may still not reach all.
 */
gfp_t fpgabuf_limits_gfp(struct device *dev)
{
	u64 last = fpgabuf_reach(dev);

	if (last >= dma_get_required_mask(dev))
		return 0;
	if (IS_ENABLED(CONFIG_ZONE_DMA32) &&
	    dma_to_phys(dev, last) >= DMA_BIT_MASK(32))
		return GFP_DMA32;
	return GFP_DMA;
}

/**
 * fpgabuf_limits_shortage() - say that there is no memory, and what helps
 * @dev: the device that it was to be for
 * @size: bytes
 * @ops: its kind
 * @reserved: it would be from an area that the device tree reserves
 */
void fpgabuf_limits_shortage(struct device *dev, size_t size,
			     const struct fpgabuf_kind_ops *ops, bool reserved)
{
	u64 last = fpgabuf_reach(dev);

	if (reserved)
		dev_warn_ratelimited(dev, "no %zu bytes of %s memory; a larger memory-region in the device tree helps\n",
				     size, ops->name);
	else if (last >= dma_get_required_mask(dev))
		dev_warn_ratelimited(dev, "no %zu %s\n", size, ops->shortage);
	else
		dev_warn_ratelimited(dev, "no %zu %s; so does an IOMMU, for it reaches %d address bits only\n",
				     size, ops->shortage, fls64(last));
}
