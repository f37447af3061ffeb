// SPDX-License-Identifier: GPL-2.0
#include <linux/dma-fence.h>

bool probe(struct dma_fence *fence);
bool probe(struct dma_fence *fence)
{
	return test_bit(DMA_FENCE_FLAG_INLINE_LOCK_BIT, &fence->flags);
}
