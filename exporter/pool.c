// SPDX-License-Identifier: GPL-2.0
/*
 * Many small blocks of coherent memory, for descriptors, headers and metadata:
 * aligned, and across no boundary, at the device's addresses. A dma-buf has all
 * of its blocks in one piece of memory, which is a block of a dma_pool.
 */
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "exporter.h"

/**
 * struct fpgabuf_pool - where buffers of blocks come from
 * @dev: the device; a reference is held, unless @once
 * @owner: module of its driver, held as @dev is; may be NULL
 * @memory: the memory of a buffer is a block of it
 * @layout: where the blocks are in a buffer
 * @out: buffers that live
 * @once: for the one buffer that there is, and destroyed with it
 *
 * Constant but for @out from the first allocation on.
 */
struct fpgabuf_pool {
	struct device *dev;
	struct module *owner;
	struct dma_pool *memory;
	struct fpgabuf_pool_layout layout;
	atomic_t out;
	bool once;
};

/* The bytes that a block must lie within a multiple of; 0: none. */
static u64 pool_limit(u32 block_size, u32 boundary)
{
	if (block_size > PAGE_SIZE)
		return boundary;
	return boundary ? min_t(u64, boundary, PAGE_SIZE) : PAGE_SIZE;
}

/* As fpgabuf_pool_create() says. */
VISIBLE_IF_KUNIT int fpgabuf_pool_lay_out(u32 block_size, u32 num_blocks,
					  u32 alignment, u32 boundary,
					  struct fpgabuf_pool_layout *layout)
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
	/* What a dma_pool can have */
	if (size > INT_MAX)
		return -EOVERFLOW;

	layout->stride = stride;
	layout->size = size;
	layout->base = max_t(u64, alignment,
			     min_t(u64, boundary, roundup_pow_of_two(size)));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_pool_lay_out);

static void pool_put_driver(const struct fpgabuf_pool *pool)
{
	put_device(pool->dev);
	module_put(pool->owner);
}

static struct fpgabuf_pool *pool_new(struct device *dev, const char *name,
				     const struct fpgabuf_pool_layout *layout,
				     u32 boundary)
{
	struct fpgabuf_pool *pool;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);

	pool->owner = dev->driver ? dev->driver->owner : NULL;
	if (!try_module_get(pool->owner)) {
		kfree(pool);
		return ERR_PTR(-ENODEV);
	}
	pool->dev = get_device(dev);
	pool->layout = *layout;
	/* Within a buffer the layout keeps smaller ones. */
	pool->memory = dma_pool_create(name, dev, layout->size, layout->base,
				       boundary >= layout->size ? boundary : 0);
	if (!pool->memory) {
		pool_put_driver(pool);
		kfree(pool);
		return ERR_PTR(-ENOMEM);
	}
	return pool;
}

/**
 * fpgabuf_pool_create() - a source of buffers that are made of small blocks
 * @dev: the device that really does the DMA; as in fpgabuf_alloc()
 * @name: for sysfs
 * @block_size: bytes of a block, 1 to FPGABUF_POOL_MAX_BLOCK
 * @num_blocks: blocks of a buffer, at least 1
 * @alignment: of each block at the device's address, a power of two up to
 *	FPGABUF_POOL_MAX_BLOCK; 0: @block_size, rounded up to a power of two
 * @boundary: no block crosses a multiple of it at the device's address, a power
 *	of two and no less than @block_size; 0: none
 *
 * Block i of a buffer starts at i * fpgabuf_pool_stride(). The stride is
 * @block_size, rounded up to a multiple of @alignment; and that rounded up to a
 * power of two where a block would cross a multiple of @boundary otherwise, or a
 * page if it is no longer than one: when the blocks do not all end before the
 * first such multiple.
 *
 * The memory of buffers that were given back is kept for the next ones until
 * the pool is destroyed.
 *
 * Context: process context, may sleep.
 * Return: the pool, or an ERR_PTR: -EINVAL for numbers that are not as said,
 * -EOVERFLOW for a buffer of more than INT_MAX bytes, -ENODEV when the driver of
 * @dev is being removed, -ENOMEM.
 */
struct fpgabuf_pool *fpgabuf_pool_create(struct device *dev, const char *name,
					 u32 block_size, u32 num_blocks,
					 u32 alignment, u32 boundary)
{
	struct fpgabuf_pool_layout layout;
	int ret;

	ret = fpgabuf_pool_lay_out(block_size, num_blocks, alignment, boundary,
				   &layout);
	if (!ret)
		ret = fpgabuf_size_check(layout.size, totalram_pages());
	if (ret)
		return ERR_PTR(ret);
	return pool_new(dev, name, &layout, boundary);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_pool_create, "FPGABUF");

/**
 * fpgabuf_pool_stride() - where the blocks of a pool's buffers are
 * @pool: the pool
 *
 * Return: bytes from the start of a block to that of the next one.
 */
u32 fpgabuf_pool_stride(const struct fpgabuf_pool *pool)
{
	return pool->layout.stride;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_pool_stride, "FPGABUF");

/**
 * fpgabuf_pool_alloc() - a buffer of a pool's blocks
 * @pool: the pool
 * @fd_flags: access mode of the dma-buf's file: O_RDONLY, O_WRONLY or O_RDWR
 *
 * The memory is zeroed.
 *
 * Context: process context, may sleep; no lock of a dma-buf held.
 * Return: the dma-buf, whose only reference is the caller's, or an ERR_PTR:
 * -ENXIO when the coherent memory of the device is not aligned as it must be,
 * -ENODEV when the driver of the device is being removed, -ENOMEM.
 */
struct dma_buf *fpgabuf_pool_alloc(struct fpgabuf_pool *pool,
				   unsigned int fd_flags)
{
	return fpgabuf_alloc_requested(pool->dev, pool->layout.size,
				       FPGABUF_KIND_POOL, fd_flags, pool);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_pool_alloc, "FPGABUF");

/**
 * fpgabuf_pool_destroy() - give a pool back
 * @pool: the pool, which nobody allocates from any more
 *
 * Context: process context, may sleep.
 * Return: 0, or -EBUSY, and the pool is as before, when a buffer of it lives.
 */
int fpgabuf_pool_destroy(struct fpgabuf_pool *pool)
{
	/* Pairs with the release of the last buffer, which is done with it. */
	if (atomic_read_acquire(&pool->out))
		return -EBUSY;

	dma_pool_destroy(pool->memory);
	if (!pool->once)
		pool_put_driver(pool);
	kfree(pool);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_pool_destroy, "FPGABUF");

/**
 * fpgabuf_alloc_pool() - a single buffer of small blocks
 * @dev: as in fpgabuf_pool_create()
 * @block_size: as in fpgabuf_pool_create()
 * @num_blocks: as in fpgabuf_pool_create()
 * @alignment: as in fpgabuf_pool_create()
 * @boundary: as in fpgabuf_pool_create()
 * @fd_flags: as in fpgabuf_pool_alloc()
 * @stride: out: bytes from the start of a block to that of the next one
 *
 * Context: process context, may sleep; no lock of a dma-buf held.
 * Return: as fpgabuf_pool_create() and fpgabuf_pool_alloc().
 */
struct dma_buf *fpgabuf_alloc_pool(struct device *dev, u32 block_size,
				   u32 num_blocks, u32 alignment, u32 boundary,
				   unsigned int fd_flags, u32 *stride)
{
	struct fpgabuf_pool *pool;
	struct dma_buf *dmabuf;

	pool = fpgabuf_pool_create(dev, "fpgabuf", block_size, num_blocks,
				   alignment, boundary);
	if (IS_ERR(pool))
		return ERR_CAST(pool);

	dmabuf = fpgabuf_pool_alloc(pool, fd_flags);
	if (IS_ERR(dmabuf)) {
		fpgabuf_pool_destroy(pool);
		return dmabuf;
	}
	*stride = pool->layout.stride;
	/*
	 * Only the caller has the dma-buf. From now on it owns the pool, and
	 * holds the driver for it.
	 */
	pool->once = true;
	pool_put_driver(pool);
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_alloc_pool, "FPGABUF");

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
	struct fpgabuf_pool *pool = buffer->priv;
	void *vaddr;
	int ret;

	vaddr = dma_pool_zalloc(pool->memory, GFP_KERNEL_ACCOUNT | __GFP_NOWARN,
				&buffer->dma_addr);
	if (!vaddr)
		return -ENOMEM;

	ret = pool_check_base(buffer, &pool->layout);
	if (!ret)
		ret = fpgabuf_coherent_get_pages(buffer, vaddr);
	if (ret) {
		dma_pool_free(pool->memory, vaddr, buffer->dma_addr);
		return ret;
	}
	buffer->priv = vaddr;
	buffer->pool = pool;
	atomic_inc(&pool->out);
	return 0;
}

static void pool_free(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_pool *pool = buffer->pool;
	const bool once = pool->once;

	sg_free_table(&buffer->pages);
	dma_pool_free(pool->memory, buffer->priv, buffer->dma_addr);
	/* From here on a pool that has other users may be gone. */
	atomic_dec_return_release(&pool->out);
	if (once)
		fpgabuf_pool_destroy(pool);
}

const struct fpgabuf_kind_ops fpgabuf_kind_pool = {
	.name		= "pool",
	.exp_name	= "fpgabuf-pool",
	.shortage	= "bytes of pool memory; a larger CMA area (cma=) helps",
	.requested	= true,
	.alloc		= pool_alloc,
	.free		= pool_free,
	.map		= fpgabuf_coherent_map,
	.unmap		= fpgabuf_coherent_unmap,
	.mmap		= fpgabuf_coherent_mmap,
	.vmap		= fpgabuf_coherent_vmap,
	.vunmap		= fpgabuf_coherent_vunmap,
};
