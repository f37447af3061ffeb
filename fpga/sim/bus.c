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
#include <linux/pm_runtime.h>

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

/* A piece of memory in one page. */
struct sim_bus_part {
	struct page *page;
	unsigned int offset;
	unsigned int len;
};

/* What the cursor stands at, up to @len bytes; it moves behind them. */
static int sim_bus_next(struct sim_cursor *cursor, size_t len,
			struct sim_bus_part *part)
{
	phys_addr_t phys;

	if (!cursor->num || !pm_runtime_active(cursor->dev))
		return -EFAULT;
	phys = sim_bus_translate(cursor->dev, cursor->seg->addr +
				 (u64)cursor->line * cursor->seg->pitch +
				 cursor->offset);
	if (!phys || !pfn_valid(PHYS_PFN(phys)))
		return -EFAULT;
	part->page = pfn_to_page(PHYS_PFN(phys));
	part->offset = offset_in_page(phys);
	part->len = min3(len, (size_t)(cursor->seg->len - cursor->offset),
			 PAGE_SIZE - part->offset);

	cursor->offset += part->len;
	if (cursor->offset < cursor->seg->len)
		return 0;
	cursor->offset = 0;
	if (++cursor->line < cursor->seg->num)
		return 0;
	cursor->line = 0;
	cursor->seg++;
	cursor->num--;
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
	struct sim_bus_part part;

	for (; len; len -= part.len, data += part.len) {
		int ret = sim_bus_next(cursor, len, &part);

		if (ret)
			return ret;
		memcpy_to_page(part.page, part.offset, data, part.len);
	}
	return 0;
}

/**
 * sim_bus_read() - read where the cursor stands, and move it on
 * @cursor: position in a descriptor's segments
 * @data: out
 * @len: bytes
 *
 * Return: 0; -EFAULT: a bus error, or past the last segment.
 */
int sim_bus_read(struct sim_cursor *cursor, void *data, size_t len)
{
	struct sim_bus_part part;

	for (; len; len -= part.len, data += part.len) {
		int ret = sim_bus_next(cursor, len, &part);

		if (ret)
			return ret;
		memcpy_from_page(data, part.page, part.offset, part.len);
	}
	return 0;
}
