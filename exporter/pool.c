// SPDX-License-Identifier: GPL-2.0
/*
 * Many small blocks of coherent memory, for descriptors, headers and metadata:
 * aligned, and across no boundary, at the device's addresses. A dma-buf has all
 * of its blocks in one piece of memory.
 */
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "exporter.h"

/* The bytes that a block must lie within a multiple of; 0: none. */
static u64 pool_limit(u32 block_size, u32 boundary)
{
	if (block_size > PAGE_SIZE)
		return boundary;
	return boundary ? min_t(u64, boundary, PAGE_SIZE) : PAGE_SIZE;
}

/* As fpgabuf_alloc_pool() says. */
int fpgabuf_pool_lay_out(u32 block_size, u32 num_blocks, u32 alignment,
			 u32 boundary, struct fpgabuf_pool_layout *layout)
{
	const u64 limit = pool_limit(block_size, boundary);
	u64 stride, size;

	if (!block_size || block_size > FPGABUF_POOL_MAX_BLOCK || !num_blocks)
		return -EINVAL;
	if (!alignment)
		alignment = roundup_pow_of_two(block_size);
	if (!is_power_of_2(alignment) || alignment > FPGABUF_POOL_MAX_BLOCK)
		return -EINVAL;
	if (boundary && (!is_power_of_2(boundary) || boundary < block_size))
		return -EINVAL;

	stride = ALIGN((u64)block_size, alignment);
	if (limit && stride * (num_blocks - 1) + block_size > limit)
		stride = roundup_pow_of_two(stride);
	size = ALIGN(stride * num_blocks, max_t(u64, alignment, PAGE_SIZE));
	/* The ABI's limit; strides are numbers of 32 bits. */
	if (size > INT_MAX)
		return -EOVERFLOW;

	layout->stride = stride;
	layout->size = size;
	layout->base = max_t(u64, alignment,
			     min_t(u64, boundary, roundup_pow_of_two(size)));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_pool_lay_out);

/*
 * Coherent memory is aligned to its size, rounded up to a power of two; but a
 * device's reserved area may start anywhere, and CMA has a largest alignment.
 */
static int pool_check_base(const struct fpgabuf_buffer *buffer,
			   const struct fpgabuf_pool_layout *layout)
{
	if (IS_ALIGNED(buffer->dma_addr, layout->base))
		return 0;
	dev_warn_ratelimited(buffer->dev,
			     "no %zu bytes of pool memory at a multiple of %zu; a larger CMA alignment, or a smaller boundary, helps\n",
			     buffer->size, layout->base);
	return -ENXIO;
}

static int pool_alloc(struct fpgabuf_buffer *buffer)
{
	const struct fpgabuf_pool_layout *layout = buffer->priv;
	int ret;

	ret = fpgabuf_coherent_alloc(buffer);
	if (ret)
		return ret;
	ret = pool_check_base(buffer, layout);
	if (ret)
		fpgabuf_coherent_free(buffer);
	return ret;
}

const struct fpgabuf_kind_ops fpgabuf_kind_pool = {
	.name		= "pool",
	.exp_name	= "fpgabuf-pool",
	.shortage	= "bytes of pool memory; a larger CMA area (cma=) helps",
	.requested	= true,
	.bound		= true,
	.alloc		= pool_alloc,
	.free		= fpgabuf_coherent_free,
	.map		= fpgabuf_coherent_map,
	.mmap		= fpgabuf_coherent_mmap,
	.vmap		= fpgabuf_coherent_vmap,
	.vunmap		= fpgabuf_coherent_vunmap,
};
