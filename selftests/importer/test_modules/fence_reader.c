// SPDX-License-Identifier: GPL-2.0
/*
 * A reader of a fence under RCU, as those of a reservation, a sync_file or a
 * trace are: it has no reference, and the last one goes while it reads. Loads if
 * the fence is whole until the reader is through.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/fpgabuf.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#define READER_NAME	"a timeline of its own"

static const char *reader_get_name(struct dma_fence *fence)
{
	/* The newest kernels mark the pointer, others do not. */
	const struct dma_fence_ops __rcu **ops =
		(__force const struct dma_fence_ops __rcu **)&fence->ops;

	return rcu_dereference(*ops)->get_timeline_name(fence);
}

static int __init reader_init(void)
{
	struct dma_fence *fence;
	bool whole;

	fence = fpgabuf_fence_create(READER_NAME, dma_fence_context_alloc(1),
				     1);
	if (!fence)
		return -ENOMEM;
	rcu_read_lock();
	dma_fence_put(fence);
	whole = !dma_fence_get_rcu(fence) &&
		!strcmp(reader_get_name(fence), READER_NAME);
	rcu_read_unlock();
	return whole ? 0 : -EILSEQ;
}

static void __exit reader_exit(void)
{
}

module_init(reader_init);
module_exit(reader_exit);

MODULE_DESCRIPTION("A reader of fences, for fpgabuf");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
