// SPDX-License-Identifier: GPL-2.0
/*
 * On-board memory of the simulated FPGA. Its engine reaches it by addresses of
 * the board's own bus, the CPU through a window, as with a BAR.
 */
#include <linux/fpgabuf.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/slab.h>

#include "sim.h"

/* Half of the board's address space: nothing of the system is seen there. */
#define SIM_RAM_BUS_ADDRESS	(~(~(dma_addr_t)0 >> 1))

/**
 * struct sim_ram_pages - what is given back with the last buffer
 * @vaddr: the pages
 * @size: bytes
 */
struct sim_ram_pages {
	void *vaddr;
	size_t size;
};

static void sim_ram_release(void *priv)
{
	struct sim_ram_pages *pages = priv;

	free_pages_exact(pages->vaddr, pages->size);
	kfree(pages);
}

/**
 * sim_ram_add() - give the board its memory
 * @ram: filled in
 * @dev: the board
 * @size: bytes, whole pages; 0: none
 *
 * Return: 0, or -ENOMEM.
 */
int sim_ram_add(struct sim_ram *ram, struct device *dev, size_t size)
{
	struct fpgabuf_region_config config = {
		.size = size,
		.bus_address = SIM_RAM_BUS_ADDRESS,
		.on_board = true,
		.caching = FPGABUF_REGION_CACHED,
		.release = sim_ram_release,
	};
	struct sim_ram_pages *pages;
	int ret = -ENOMEM;

	if (!size)
		return 0;
	pages = kzalloc(sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	pages->size = size;
	/* What was in there before is the exporter's to clear. */
	pages->vaddr = alloc_pages_exact(size, GFP_KERNEL | __GFP_NOWARN |
					 __GFP_RETRY_MAYFAIL);
	if (!pages->vaddr)
		goto err_free;

	/*
	 * Plays the BAR: where the CPU finds the board's memory. No device is
	 * given it, the engine knows the bus address. Of pages in the kernel's
	 * linear mapping, so that virt_to_phys() is right.
	 */
	config.start = virt_to_phys(pages->vaddr);
	config.priv = pages;
	ret = fpgabuf_region_add(dev, &config);
	if (ret)
		goto err_free_pages;
	ram->vaddr = pages->vaddr;
	ram->size = size;
	return 0;

err_free_pages:
	free_pages_exact(pages->vaddr, size);
err_free:
	kfree(pages);
	return ret;
}

/**
 * sim_ram_remove() - take it away; its engine is idle
 * @ram: from sim_ram_add()
 * @dev: the board
 */
void sim_ram_remove(struct sim_ram *ram, struct device *dev)
{
	if (ram->size)
		fpgabuf_region_remove(dev);
	ram->size = 0;
}

/**
 * sim_ram_translate() - what an address of the board's bus is for the CPU
 * @ram: the memory
 * @addr: the address
 *
 * Return: its physical address; 0: it is not one of @ram.
 */
phys_addr_t sim_ram_translate(const struct sim_ram *ram, dma_addr_t addr)
{
	if (addr < SIM_RAM_BUS_ADDRESS ||
	    addr - SIM_RAM_BUS_ADDRESS >= ram->size)
		return 0;
	/* Linear mapping, see sim_ram_add(). For bus.c, the memory controller. */
	return virt_to_phys(ram->vaddr) + (addr - SIM_RAM_BUS_ADDRESS);
}
