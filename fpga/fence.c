// SPDX-License-Identifier: GPL-2.0
/*
 * The fence of a queued buffer: signals when the engine is done with it. Who
 * holds one may outlive the channel, its node and its board, so that all that a
 * fence needs is in it, and it holds this module.
 */
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "fence.h"

/**
 * struct fpgabuf_fence - a fence
 * @base: what others see; the first member
 * @lock: guards @base
 * @timeline: the channel's name
 */
struct fpgabuf_fence {
	struct dma_fence base;
	spinlock_t lock;	/* for what is said above */
	char timeline[32];
};

static const char *fence_get_driver_name(struct dma_fence *fence)
{
	return "fpgabuf";
}

static const char *fence_get_timeline_name(struct dma_fence *base)
{
	return container_of(base, struct fpgabuf_fence, base)->timeline;
}

/* The exit of the module waits for it: fpgabuf_fence_exit(). */
static void fence_free(struct rcu_head *rcu)
{
	struct dma_fence *base = container_of(rcu, struct dma_fence, rcu);

	kfree(container_of(base, struct fpgabuf_fence, base));
	module_put(THIS_MODULE);
}

static void fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, fence_free);
}

static const struct dma_fence_ops fpgabuf_fence_ops = {
	.get_driver_name	= fence_get_driver_name,
	.get_timeline_name	= fence_get_timeline_name,
	.release		= fence_release,
};

/**
 * fpgabuf_fence_create() - a fence that nobody knows of yet
 * @timeline: name of its timeline; copied
 * @context: the timeline
 * @seqno: place on it
 *
 * Context: process context, may sleep.
 * Return: the fence, to be given back by dma_fence_put(), or NULL. One that was
 * never published need not be signalled.
 */
struct dma_fence *fpgabuf_fence_create(const char *timeline, u64 context,
				       u64 seqno)
{
	struct fpgabuf_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	strscpy(fence->timeline, timeline, sizeof(fence->timeline));
	dma_fence_init(&fence->base, &fpgabuf_fence_ops, &fence->lock, context,
		       seqno);
	return &fence->base;
}

/* The last fence was let go, but what frees it may still run. */
void fpgabuf_fence_exit(void)
{
	rcu_barrier();
}
