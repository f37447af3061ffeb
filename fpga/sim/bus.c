// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated bus. An engine knows memory by DMA address only; so does all of
 * the simulator but this file, which is its IOMMU and its memory controller.
 */
#include <linux/dma-direct.h>
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/pfn.h>

#include "sim.h"

/*
 * What the hardware between an engine and memory does with an address: on-board
 * memory is on the board's own bus; all else goes through the IOMMU's page table
 * where there is one, or by the bus's fixed offset.
 */
static phys_addr_t sim_bus_translate(struct device *dev, dma_addr_t addr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	phys_addr_t phys = sim_ram_translate(sim_board_ram(dev), addr);

	if (phys)
		return phys;
	return domain ? iommu_iova_to_phys(domain, addr) :
			dma_to_phys(dev, addr);
}

/* Write up to the end of the page; -EFAULT is a bus error. */
static int sim_bus_write_page(struct device *dev, dma_addr_t addr,
			      const void *data, size_t len)
{
	phys_addr_t phys = sim_bus_translate(dev, addr);
	unsigned long pfn = PHYS_PFN(phys);

	if (!phys || !pfn_valid(pfn))
		return -EFAULT;
	memcpy_to_page(pfn_to_page(pfn), offset_in_page(phys), data, len);
	return 0;
}

/**
 * sim_bus_write() - write where the cursor stands, and move it on
 * @cursor: position in a descriptor's segments
 * @data: what to write
 * @len: bytes
 *
 * Return: 0; -EFAULT: a bus error, or past the last segment.
 */
int sim_bus_write(struct sim_cursor *cursor, const void *data, size_t len)
{
	while (len) {
		dma_addr_t addr;
		size_t part;
		int ret;

		if (!cursor->num)
			return -EFAULT;
		addr = cursor->seg->addr + cursor->offset;
		part = min3(len, (size_t)(cursor->seg->len - cursor->offset),
			    PAGE_SIZE - offset_in_page(addr));
		ret = sim_bus_write_page(cursor->dev, addr, data, part);
		if (ret)
			return ret;

		data += part;
		len -= part;
		cursor->offset += part;
		if (cursor->offset == cursor->seg->len) {
			cursor->offset = 0;
			cursor->seg++;
			cursor->num--;
		}
	}
	return 0;
}
