// SPDX-License-Identifier: GPL-2.0
/*
 * The fence of work on a buffer: signals when a device is done with it. Who
 * holds one may outlive the device, its node and its driver, so that all that a
 * fence needs is in it, and it holds this module.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fpgabuf.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>

#include "importer.h"

/**
 * struct fpgabuf_fence - a fence
 * @base: what others see; the first member
 * @lock: protects @base on kernels whose fences have no lock of their own
 * @timeline: name of the timeline
 */
struct fpgabuf_fence {
	struct dma_fence base;
	struct fpgabuf_fence_lock lock;
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

/* The exit of the module waits for it: fpgabuf_fences_exit(). */
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
 * It has no reference to anything of the caller's, whose module may go while it
 * is held; fpgabuf_importer.ko may not.
 *
 * Context: process context, may sleep.
 * Return: the fence, to be given back by dma_fence_put(), or NULL. One that was
 * never published need not be signaled.
 */
struct dma_fence *fpgabuf_fence_create(const char *timeline, u64 context,
				       u64 seqno)
{
	struct fpgabuf_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	__module_get(THIS_MODULE);
	strscpy(fence->timeline, timeline, sizeof(fence->timeline));
	dma_fence_init(&fence->base, &fpgabuf_fence_ops,
		       fpgabuf_fence_lock_init(&fence->lock), context, seqno);
	return &fence->base;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_fence_create, "FPGABUF");

/**
 * fpgabuf_fence_file() - a file of a fence, for a caller who may still fail
 * @fence: the fence; the file takes a reference of its own
 * @file: out: the file, not yet installed
 *
 * Context: process context, may sleep.
 * Return: the number that is kept for it in the caller's process, with O_CLOEXEC;
 * -EMFILE, -ENFILE or -ENOMEM. To be followed by fd_install(), or by
 * put_unused_fd() and fput().
 */
int fpgabuf_fence_file(struct dma_fence *fence, struct sync_file **file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	*file = sync_file_create(fence);
	if (*file)
		return fd;
	put_unused_fd(fd);
	return -ENOMEM;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_fence_file, "FPGABUF");

/* The last fence was let go, but what frees it may still run. */
void fpgabuf_fences_exit(void)
{
	rcu_barrier();
}
