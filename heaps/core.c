// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps through dma_heap_add().
 *
 * There is no dma_heap_remove(): a heap whose device is gone stays and fails
 * with -ENODEV, and the module, which its functions are in, stays too.
 */
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/module.h>

#include "heap.h"

static struct dma_buf *core_allocate(struct dma_heap *core, unsigned long len,
				     u32 fd_flags, u64 heap_flags)
{
	return fpgabuf_heap_alloc(dma_heap_get_drvdata(core), len, fd_flags);
}

static const struct dma_heap_ops core_ops = {
	.allocate = core_allocate,
};

int fpgabuf_heap_show(struct fpgabuf_heap *heap)
{
	const struct dma_heap_export_info info = {
		.name = heap->name,
		.ops = &core_ops,
		.priv = heap,
	};
	struct dma_heap *core;

	/* The device is back. */
	if (heap->core)
		return 0;

	core = dma_heap_add(&info);
	if (IS_ERR(core))
		return PTR_ERR(core);
	heap->core = core;
	__module_get(THIS_MODULE);
	return 0;
}

void fpgabuf_heap_hide(struct fpgabuf_heap *heap)
{
}

int __init fpgabuf_nodes_init(void)
{
	return 0;
}

/* Only where no heap was ever added: there is nothing to give back. */
void fpgabuf_nodes_exit(void)
{
}

MODULE_IMPORT_NS("DMA_BUF_HEAP");
