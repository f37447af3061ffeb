// SPDX-License-Identifier: GPL-2.0
/*
 * Allocating memory of any kind, and giving it back: what is refused, what is had
 * from the free buffers, and how much of it there is.
 */
#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "exporter.h"

/* Live buffers and their bytes, per kind, for debugfs and leak tests. */
static struct {
	atomic_t buffers;
	atomic64_t bytes;
} fpgabuf_totals[FPGABUF_NUM_KINDS];

static void alloc_account(const struct fpgabuf_buffer *buffer, int sign)
{
	atomic_add(sign, &fpgabuf_totals[buffer->number].buffers);
	atomic64_add(sign * (s64)buffer->size,
		     &fpgabuf_totals[buffer->number].bytes);
}

int fpgabuf_buffers_show(struct seq_file *s, void *unused)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_NUM_KINDS; i++)
		seq_printf(s, "%s %d %lld\n", fpgabuf_kinds[i]->name,
			   atomic_read(&fpgabuf_totals[i].buffers),
			   atomic64_read(&fpgabuf_totals[i].bytes));
	return 0;
}

/* A free one, zeroed, or NULL */
static struct fpgabuf_buffer *alloc_again(struct fpgabuf_binding *binding,
					  size_t size, enum fpgabuf_kind kind)
{
	struct fpgabuf_buffer *buffer;

	if (!binding || !fpgabuf_kinds[kind]->clear)
		return NULL;
	buffer = fpgabuf_stock_take(&binding->stock, size, kind);
	if (buffer) {
		kref_init(&buffer->ref);
		buffer->kind->clear(buffer);
	}
	return buffer;
}

static void alloc_report_shortage(struct device *dev, size_t size,
				  enum fpgabuf_kind kind)
{
	struct fpgabuf_reserved *reserved = fpgabuf_reserved_get(dev, kind);

	fpgabuf_limits_shortage(dev, size, fpgabuf_kinds[kind], reserved);
	fpgabuf_reserved_put(reserved);
}

/* A new one; once more without what is kept for later, which may be what it lacks. */
static struct fpgabuf_buffer *
alloc_new(struct device *dev, size_t size, enum fpgabuf_kind kind,
	  void *request)
{
	const struct fpgabuf_kind_ops *ops = fpgabuf_kinds[kind];
	struct fpgabuf_buffer *buffer;

	buffer = fpgabuf_buffer_new(dev, size, ops, kind, request);
	if (buffer == ERR_PTR(-ENOMEM) && ops->shortage &&
	    fpgabuf_stocks_drop())
		buffer = fpgabuf_buffer_new(dev, size, ops, kind, request);
	if (buffer == ERR_PTR(-ENOMEM) && ops->shortage)
		alloc_report_shortage(dev, size, kind);
	if (!IS_ERR(buffer))
		fpgabuf_stock_charge(buffer);
	return buffer;
}

/* Takes over the reference to @binding on success. */
static struct fpgabuf_buffer *
alloc_bound(struct device *dev, struct fpgabuf_binding *binding, size_t size,
	    enum fpgabuf_kind kind, void *request)
{
	struct fpgabuf_buffer *buffer;
	int ret;

	buffer = alloc_again(binding, size, kind) ?:
		 alloc_new(dev, size, kind, request);
	if (IS_ERR(buffer))
		return buffer;
	buffer->binding = binding;
	ret = fpgabuf_binding_add(buffer);
	if (ret) {
		fpgabuf_buffer_destroy(buffer);
		return ERR_PTR(ret);
	}
	return buffer;
}

static struct fpgabuf_buffer *alloc_buffer(struct device *dev, size_t size,
					   enum fpgabuf_kind kind,
					   void *request)
{
	const struct fpgabuf_kind_ops *ops = fpgabuf_kinds[kind];
	struct fpgabuf_binding *binding = NULL;
	struct fpgabuf_buffer *buffer;

	if (ops->bound || ops->clear)
		binding = fpgabuf_binding_get(dev);
	if (ops->bound && !binding)
		return ERR_PTR(-ENODEV);
	buffer = alloc_bound(dev, binding, size, kind, request);
	if (IS_ERR(buffer))
		fpgabuf_binding_put(binding);
	return buffer;
}

/* Called by the dma-buf's release: nobody else can reach the buffer. */
static void alloc_release(struct fpgabuf_buffer *buffer)
{
	alloc_account(buffer, -1);
	fpgabuf_binding_del(buffer);
	fpgabuf_binding_put_buffer(buffer);
}

/* What is asked for was checked; @request is for a kind that takes one. */
static struct dma_buf *alloc_requested(struct device *dev, size_t size,
				       enum fpgabuf_kind kind,
				       unsigned int fd_flags, void *request)
{
	struct module *owner = dev->driver ? dev->driver->owner : NULL;
	struct fpgabuf_buffer *buffer;
	struct dma_buf *dmabuf;

	if (!try_module_get(owner))
		return ERR_PTR(-ENODEV);
	buffer = alloc_buffer(dev, size, kind, request);
	if (IS_ERR(buffer)) {
		module_put(owner);
		return ERR_CAST(buffer);
	}
	buffer->owner = owner;
	buffer->release = alloc_release;
	alloc_account(buffer, 1);

	dmabuf = fpgabuf_dmabuf_export(buffer, fd_flags);
	if (IS_ERR(dmabuf))
		alloc_release(buffer);
	return dmabuf;
}

/*
 * What can be said of a request before trying, for memory that is within @ram_pages.
 * A piece of it has a length of 32 bits.
 */
VISIBLE_IF_KUNIT int fpgabuf_alloc_check(size_t size, enum fpgabuf_kind kind,
					 unsigned long ram_pages)
{
	int ret;

	if (!size)
		return -EINVAL;
	if (!fpgabuf_kind_name(kind))
		return -EOPNOTSUPP;
	if (!fpgabuf_kind_by_size(kind))
		return -EINVAL;
	ret = fpgabuf_size_check(size, ram_pages);
	if (!ret && fpgabuf_kinds[kind]->one_piece &&
	    PAGE_ALIGN(size) > UINT_MAX)
		ret = -EFBIG;
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_alloc_check);

/*
 * How many pages memory of @kind may have for @dev. What is on a device, or reserved
 * for it with no-map, is none of the RAM that the kernel counts.
 */
static unsigned long fpgabuf_alloc_ram(struct device *dev,
				       enum fpgabuf_kind kind)
{
	if (kind == FPGABUF_KIND_REGION || fpgabuf_reserved_no_map(dev, kind))
		return ULONG_MAX;
	return totalram_pages();
}

/**
 * fpgabuf_alloc() - allocate memory for a device, as a dma-buf
 * @dev: the device that really does the DMA (of a dmaengine channel, what
 *	dmaengine_get_dma_device() returns). Must be bound to its driver during
 *	the call; that driver's module cannot be removed while the buffer lives,
 *	but @dev may be unbound: see Documentation/ends.md
 * @size: bytes; rounded up to whole pages
 * @kind: kind of memory
 * @fd_flags: access mode of the dma-buf's file: O_RDONLY, O_WRONLY or O_RDWR
 *
 * The memory is zeroed. It is charged to the caller's memory cgroup, unless it is
 * from a CMA area, reserved for @dev, or on it. It may be that of a buffer which
 * was released: up to free_limit bytes (a parameter of the module) are kept for
 * each device, until memory runs short or the device is unbound. They stay charged
 * to the cgroup that they were allocated in, and are given to nobody else. Not kept
 * is memory whose cgroup has a limit, or one above it has: memory.max, memory.high;
 * and memory that a process may hold references to pages of: it goes back to the
 * kernel, which uses no page again before its last reference is gone.
 *
 * Context: process context, may sleep; no lock of a dma-buf held.
 * Return: the dma-buf, whose only reference is the caller's, or an ERR_PTR:
 * -EINVAL for size 0 and a kind that needs more than a size (see
 * fpgabuf_kind_by_size()), -EOVERFLOW for one that does not fit, -EOPNOTSUPP for
 * an unknown kind, -ENODEV when @dev is being unbound, -EFBIG when
 * noncontiguous memory would be longer than a segment of @dev, or memory in one
 * piece (all other kinds but system) be 4 GiB or more, -ENOMEM.
 */
struct dma_buf *fpgabuf_alloc(struct device *dev, size_t size,
			      enum fpgabuf_kind kind, unsigned int fd_flags)
{
	int ret;

	ret = fpgabuf_alloc_check(size, kind, fpgabuf_alloc_ram(dev, kind));
	if (ret == -ENOMEM)
		dev_warn_ratelimited(dev, "no %zu bytes: the machine has %lu; more RAM helps\n",
				     size, totalram_pages() << PAGE_SHIFT);
	if (ret)
		return ERR_PTR(ret);
	return alloc_requested(dev, PAGE_ALIGN(size), kind, fd_flags, NULL);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_alloc, "FPGABUF");

/**
 * fpgabuf_alloc_pool() - a buffer that is made of small blocks
 * @dev: the device that really does the DMA; as in fpgabuf_alloc()
 * @block_size: bytes of a block, 1 to FPGABUF_POOL_MAX_BLOCK
 * @num_blocks: blocks of the buffer, at least 1
 * @alignment: of each block at the device's address, a power of two up to
 *	FPGABUF_POOL_MAX_BLOCK; 0: @block_size, rounded up to a power of two
 * @boundary: no block crosses a multiple of it at the device's address, a power
 *	of two and no less than @block_size; 0: none
 * @fd_flags: access mode of the dma-buf's file: O_RDONLY, O_WRONLY or O_RDWR
 * @stride: out: bytes from the start of a block to that of the next one
 *
 * Block i starts at i * @stride. The stride is @block_size, rounded up to a
 * multiple of @alignment; and that rounded up to a power of two where a block
 * would cross a multiple of @boundary otherwise, or a page if it is no longer
 * than one: when the blocks do not all end before the first such multiple.
 *
 * The memory is zeroed. When it is released it is not kept for other buffers.
 *
 * Context: process context, may sleep; no lock of a dma-buf held.
 * Return: the dma-buf, whose only reference is the caller's, or an ERR_PTR:
 * -EINVAL for numbers that are not as said, -EOVERFLOW for a buffer of more than
 * INT_MAX bytes, -ENXIO when the coherent memory of the device is not aligned as
 * it must be, -ENODEV when the driver of @dev is being removed, -ENOMEM.
 */
struct dma_buf *fpgabuf_alloc_pool(struct device *dev, u32 block_size,
				   u32 num_blocks, u32 alignment, u32 boundary,
				   unsigned int fd_flags, u32 *stride)
{
	struct fpgabuf_pool_layout layout;
	struct dma_buf *dmabuf;
	int ret;

	ret = fpgabuf_pool_lay_out(block_size, num_blocks, alignment, boundary,
				   &layout);
	if (!ret)
		ret = fpgabuf_size_check(layout.size, totalram_pages());
	if (ret)
		return ERR_PTR(ret);

	dmabuf = alloc_requested(dev, layout.size, FPGABUF_KIND_POOL, fd_flags,
				 &layout);
	if (!IS_ERR(dmabuf))
		*stride = layout.stride;
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_alloc_pool, "FPGABUF");

/**
 * fpgabuf_alloc_pinned() - pinned memory as a dma-buf
 * @dev: the device that really does the DMA; as in fpgabuf_alloc()
 * @memory: from fpgabuf_user_pin(). The caller keeps its reference, and may put
 *	it right after. One dma-buf can be made of it
 *
 * The dma-buf has exactly the pinned bytes. They stay pinned until it is
 * released. Unless it is O_RDONLY its pages are marked dirty then.
 *
 * What importers map of a dma-buf is page-aligned. So memory that does not
 * start and end with a page can be attached to by @dev only, who knows. Where
 * @dev does not snoop the CPU's caches nothing else in the first and the last
 * cache line may be written meanwhile (see dma_get_cache_alignment()).
 *
 * Context: process context, may sleep, but does not touch user memory; no lock
 * of a dma-buf held.
 * Return: the dma-buf, whose only reference is the caller's, or an ERR_PTR:
 * -ENODEV when the driver of @dev is being removed, -ENOMEM.
 */
struct dma_buf *fpgabuf_alloc_pinned(struct device *dev,
				     struct fpgabuf_user_memory *memory)
{
	unsigned int fd_flags;
	size_t length = fpgabuf_user_length(memory, &fd_flags);

	return alloc_requested(dev, length, FPGABUF_KIND_USER, fd_flags,
			       memory);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_alloc_pinned, "FPGABUF");
