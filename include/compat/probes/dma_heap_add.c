// SPDX-License-Identifier: GPL-2.0
/* All kernels declare it, newer ones export it, if they have heaps. */
#include <linux/dma-heap.h>

struct dma_heap *probe(const struct dma_heap_export_info *info);
struct dma_heap *probe(const struct dma_heap_export_info *info)
{
	return dma_heap_add(info);
}
