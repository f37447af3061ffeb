// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for fences by callback: no thread blocks, and there is no limit of
 * their number. Who signals them in bounded time is their issuers' business, see
 * "DMA Fence Cross-Driver Contract" in Documentation/driver-api/dma-buf.rst.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fpgabuf.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

/**
 * struct fpgabuf_wait_fence - one of the fences
 * @cb: in @fence's list between fpgabuf_wait_start() and fpgabuf_wait_fini()
 * @node: in &fpgabuf_wait.fences
 * @wait: whose it is
 * @fence: the fence, with a reference
 * @needed: without it there is nothing to go on for: its error is the wait's
 */
struct fpgabuf_wait_fence {
	struct dma_fence_cb cb;
	struct list_head node;
	struct fpgabuf_wait *wait;
	struct dma_fence *fence;
	bool needed;
};

/**
 * fpgabuf_wait_init() - nothing to wait for yet
 * @wait: the wait
 * @func: called when the last fence signals, if that is after
 *	fpgabuf_wait_start(); in any context, with interrupts off and the fence's
 *	lock held
 */
void fpgabuf_wait_init(struct fpgabuf_wait *wait,
		       void (*func)(struct fpgabuf_wait *wait))
{
	wait->func = func;
	INIT_LIST_HEAD(&wait->fences);
	atomic_set(&wait->left, 0);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_init, "FPGABUF");

/**
 * fpgabuf_wait_add() - wait for a fence, too
 * @wait: the wait, not started
 * @fence: the fence; the wait takes a reference of its own
 * @needed: its error, if it comes to one, is to be the wait's
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpgabuf_wait_add(struct fpgabuf_wait *wait, struct dma_fence *fence,
		     bool needed)
{
	struct fpgabuf_wait_fence *f;

	/* One that failed already is kept for its error. */
	if (!needed && dma_fence_is_signaled(fence))
		return 0;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->wait = wait;
	f->fence = dma_fence_get(fence);
	f->needed = needed;
	list_add_tail(&f->node, &wait->fences);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_add, "FPGABUF");

/**
 * fpgabuf_wait_add_file() - wait for a fence that a program has
 * @wait: the wait, not started
 * @fd: its sync_file; the error that it may come to is to be the wait's
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL when it is none, -ENOMEM.
 */
int fpgabuf_wait_add_file(struct fpgabuf_wait *wait, int fd)
{
	struct dma_fence *fence = sync_file_get_fence(fd);
	int ret;

	if (!fence)
		return -EINVAL;
	ret = fpgabuf_wait_add(wait, fence, true);
	dma_fence_put(fence);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_add_file, "FPGABUF");

/**
 * fpgabuf_wait_add_implicit() - wait for those who use the buffer now
 * @wait: the wait, not started
 * @res: the buffer, and what is to be done with it
 * @context: fences of this context are not waited for: the caller's own, which
 *	signal in order anyway
 *
 * A device that writes waits for all others, one that reads for those that
 * write; without what they have written it is of no use, so that an error of
 * theirs is the wait's. With &fpgabuf_reservation.explicit_sync it is only the
 * kernel's own use of the buffer (moving and clearing), of which nobody may opt
 * out.
 *
 * Costs next to nothing when nobody uses it. With the reservation held, and a
 * fence of the caller's added before it is given back, the order among several
 * callers is the same for all buffers.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpgabuf_wait_add_implicit(struct fpgabuf_wait *wait,
			      const struct fpgabuf_reservation *res, u64 context)
{
	const enum dma_resv_usage usage = res->explicit_sync ?
		DMA_RESV_USAGE_KERNEL : dma_resv_usage_rw(res->write);
	struct dma_resv *resv = res->import->dmabuf->resv;
	struct dma_fence **fences;
	unsigned int i, num;
	int ret;

	if (dma_resv_test_signaled(resv, usage))
		return 0;
	ret = dma_resv_get_fences(resv, usage, &num, &fences);
	if (ret)
		return ret;

	for (i = 0; i < num; i++) {
		if (!ret && fences[i]->context != context)
			ret = fpgabuf_wait_add(wait, fences[i], !res->write);
		dma_fence_put(fences[i]);
	}
	kfree(fences);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_add_implicit, "FPGABUF");

static void wait_one_less(struct fpgabuf_wait *wait)
{
	if (atomic_dec_and_test(&wait->left))
		wait->func(wait);
}

static void wait_fence_signaled(struct dma_fence *fence,
				struct dma_fence_cb *cb)
{
	struct fpgabuf_wait_fence *f =
		container_of(cb, struct fpgabuf_wait_fence, cb);

	wait_one_less(f->wait);
}

/**
 * fpgabuf_wait_start() - begin to wait
 * @wait: the wait; complete
 *
 * Context: any context that may take a fence's lock; in a section where fences
 * are to be signalled, too.
 */
void fpgabuf_wait_start(struct fpgabuf_wait *wait)
{
	struct fpgabuf_wait_fence *f;

	/* No end before all have begun, and no call for what did not last. */
	atomic_set(&wait->left, 1);
	list_for_each_entry(f, &wait->fences, node) {
		atomic_inc(&wait->left);
		if (dma_fence_add_callback(f->fence, &f->cb,
					   wait_fence_signaled))
			atomic_dec(&wait->left);
	}
	atomic_dec(&wait->left);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_start, "FPGABUF");

/**
 * fpgabuf_wait_done() - whether all fences have signaled
 * @wait: the wait, started; one without fences need not be
 *
 * Context: any.
 * Return: true if they have.
 */
bool fpgabuf_wait_done(const struct fpgabuf_wait *wait)
{
	/* What the fences say is read after this. */
	return !atomic_read_acquire(&wait->left);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_done, "FPGABUF");

/**
 * fpgabuf_wait_error() - what came of it
 * @wait: a wait that is done
 *
 * Context: any.
 * Return: 0, or the negative errno of the first needed fence that has one.
 */
int fpgabuf_wait_error(const struct fpgabuf_wait *wait)
{
	const struct fpgabuf_wait_fence *f;

	list_for_each_entry(f, &wait->fences, node) {
		int status = f->needed ? dma_fence_get_status(f->fence) : 0;

		if (status < 0)
			return status;
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_error, "FPGABUF");

/**
 * fpgabuf_wait_fini() - wait no more
 * @wait: the wait, done or not; can be used again
 *
 * When it returns, &fpgabuf_wait.func is not running, nor called any more.
 *
 * Context: any, but with no fence's lock held.
 */
void fpgabuf_wait_fini(struct fpgabuf_wait *wait)
{
	struct fpgabuf_wait_fence *f, *next;

	list_for_each_entry_safe(f, next, &wait->fences, node) {
		/* One that was never added is in no list. */
		if (f->cb.func)
			dma_fence_remove_callback(f->fence, &f->cb);
		list_del(&f->node);
		dma_fence_put(f->fence);
		kfree(f);
	}
	atomic_set(&wait->left, 0);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_wait_fini, "FPGABUF");
