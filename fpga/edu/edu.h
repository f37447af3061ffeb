/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's edu device (its docs/specs/edu.rst), as an FPGA board: a DMA engine
 * that moves a few KiB between memory and a buffer on the chip, which the CPU
 * cannot reach, in about 100 ms.
 *
 *	engine.c  the DMA engine, a dmaengine provider
 *	main.c    the board's driver: describes its channel to fpgabuf_dma
 */
#ifndef _FPGABUF_EDU_H
#define _FPGABUF_EDU_H

#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct edu_desc;
struct pci_dev;

/*
 * The on-chip buffer, and what is used of it: half, since QEMU up to 7.2 takes
 * a transfer that reaches the buffer's end for one that goes past it, and ends.
 */
#define EDU_BUFFER	0x40000
#define EDU_CHUNK	SZ_2K

/* Name of the engine's only channel */
#define EDU_CHANNEL	"frames"

/**
 * struct edu_engine - the DMA engine
 * @dma: what dmaengine knows of it
 * @chan: its only channel
 * @map: @chan by name
 * @pdev: the device; constant
 * @regs: its registers; constant
 * @irq: its interrupt; constant
 * @lock: guards what follows, and the registers of a transfer; taken in any
 *	context
 * @submitted: descriptors in the order of submission, not yet issued
 * @issued: to be done next, oldest first
 * @current_desc: a transfer of it is under way, or NULL
 * @flowing: frames may begin: there is something in the on-chip buffer
 * @busy: a transfer is under way
 * @broken: one did not end; the device was cut off from the bus
 * @idle: woken when nothing is under way any more
 */
struct edu_engine {
	struct dma_device dma;
	struct dma_chan chan;
	struct dma_slave_map map;
	struct pci_dev *pdev;
	void __iomem *regs;
	int irq;

	spinlock_t lock;	/* for what is said above */
	struct list_head submitted;
	struct list_head issued;
	struct edu_desc *current_desc;
	bool flowing;
	bool busy;
	bool broken;
	wait_queue_head_t idle;
};

int edu_engine_register(struct edu_engine *engine, struct pci_dev *pdev,
			void __iomem *regs);
void edu_engine_unregister(struct edu_engine *engine);
int edu_engine_fill(struct edu_engine *engine, dma_addr_t addr);
void edu_engine_flow(struct edu_engine *engine, bool flowing);

#endif /* _FPGABUF_EDU_H */
