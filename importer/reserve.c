// SPDX-License-Identifier: GPL-2.0
/*
 * The reservations of several buffers at a time, and fences in them.
 */
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fpgabuf.h>

/*
 * A later fence of the same timeline replaces an earlier one, but only of the same
 * usage or a weaker one: there may be one for WRITE, READ and BOOKKEEP each.
 */
#define RESERVE_FENCES	3

static void reserve_unlock(struct fpgabuf_reservation *res, unsigned int num)
{
	while (num--) {
		if (!res[num].locked)
			continue;
		res[num].locked = false;
		dma_resv_unlock(res[num].import->dmabuf->resv);
	}
}

/*
 * Lock all that are not. -EDEADLK: somebody holds number @failed who must come
 * first, so that all others have to be given back before it is waited for.
 */
static int reserve_lock(struct fpgabuf_reservation *res, unsigned int num,
			struct ww_acquire_ctx *ctx, unsigned int *failed)
{
	unsigned int i;
	int ret;

	for (i = 0; i < num; i++) {
		if (res[i].locked || !res[i].fence)
			continue;
		ret = dma_resv_lock_interruptible(res[i].import->dmabuf->resv,
						  ctx);
		/* Several of one buffer: the first one has it. */
		if (ret == -EALREADY)
			continue;
		if (ret) {
			*failed = i;
			return ret;
		}
		res[i].locked = true;
	}
	return 0;
}

static int reserve_lock_all(struct fpgabuf_reservation *res, unsigned int num,
			    struct ww_acquire_ctx *ctx)
{
	unsigned int failed;
	int ret;

	while ((ret = reserve_lock(res, num, ctx, &failed)) == -EDEADLK) {
		struct dma_resv *resv = res[failed].import->dmabuf->resv;

		reserve_unlock(res, num);
		ret = dma_resv_lock_slow_interruptible(resv, ctx);
		if (ret)
			return ret;
		res[failed].locked = true;
	}
	if (ret)
		reserve_unlock(res, num);
	return ret;
}

/**
 * fpgabuf_reserve() - get ready to add fences to buffers
 * @res: the buffers and the fences to come, in the order in which they signal;
 *	all of one timeline. A buffer may be there several times. Entries without a fence are left
 *	out
 * @num: how many
 * @ctx: the caller's; constant until fpgabuf_unreserve()
 *
 * Locks the reservations of all buffers, against deadlocks with others who lock
 * several, and makes room in them.
 *
 * Context: process context, may sleep; no reservation held.
 * Return: 0, -ENOMEM, or -EINTR for a signal; then nothing is locked.
 */
int fpgabuf_reserve(struct fpgabuf_reservation *res, unsigned int num,
		    struct ww_acquire_ctx *ctx)
{
	unsigned int i;
	int ret;

	ww_acquire_init(ctx, &reservation_ww_class);
	ret = reserve_lock_all(res, num, ctx);
	if (ret) {
		ww_acquire_fini(ctx);
		return ret;
	}
	ww_acquire_done(ctx);

	for (i = 0; !ret && i < num; i++)
		if (res[i].locked)
			ret = dma_resv_reserve_fences(res[i].import->dmabuf->resv,
						      RESERVE_FENCES);
	if (ret)
		fpgabuf_unreserve(res, num, ctx);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_reserve, "FPGABUF");

/**
 * fpgabuf_publish() - let everybody see a fence
 * @res: an entry that fpgabuf_reserve() was called with, with a fence
 *
 * For WRITE when the device writes the buffer, READ when it reads it, BOOKKEEP
 * when nobody is to wait for it unasked. From here on the fence must signal in
 * bounded time, and what leads there must not wait for memory: to be called
 * after dma_fence_begin_signalling().
 *
 * Context: any, with what fpgabuf_reserve() locked.
 */
void fpgabuf_publish(const struct fpgabuf_reservation *res)
{
	enum dma_resv_usage usage = DMA_RESV_USAGE_WRITE;

	if (res->explicit_sync || res->unseen)
		usage = DMA_RESV_USAGE_BOOKKEEP;
	else if (!res->write)
		usage = DMA_RESV_USAGE_READ;
	dma_resv_add_fence(res->import->dmabuf->resv, res->fence, usage);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_publish, "FPGABUF");

/**
 * fpgabuf_unreserve() - give back what fpgabuf_reserve() locked
 * @res: what it was called with
 * @num: likewise
 * @ctx: likewise
 *
 * Context: process context.
 */
void fpgabuf_unreserve(struct fpgabuf_reservation *res, unsigned int num,
		       struct ww_acquire_ctx *ctx)
{
	reserve_unlock(res, num);
	ww_acquire_fini(ctx);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_unreserve, "FPGABUF");
