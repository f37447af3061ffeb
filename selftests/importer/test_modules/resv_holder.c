// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody who locks the reservations of several buffers, and was there before.
 * Who locks them in another order must give way: give back what he has, and
 * wait. Here it shows whether he does.
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iopoll.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/ww_mutex.h>

#include "resv_holder.h"

#define HOLDER_TIMEOUT	(20 * HZ)
#define HOLDER_TRY_US	(5 * USEC_PER_SEC)

static DECLARE_COMPLETION(holder_held);
static DECLARE_COMPLETION(holder_done);

static int holder_hold(struct dma_resv *resv)
{
	struct ww_acquire_ctx ctx;
	int ret;

	reinit_completion(&holder_done);
	ww_acquire_init(&ctx, &reservation_ww_class);
	ret = dma_resv_lock_interruptible(resv, &ctx);
	if (!ret) {
		complete(&holder_held);
		/* Whoever waits must not wait for ever. */
		if (!wait_for_completion_timeout(&holder_done, HOLDER_TIMEOUT))
			ret = -ETIMEDOUT;
		dma_resv_unlock(resv);
	}
	ww_acquire_fini(&ctx);
	return ret;
}

static int holder_try(struct dma_resv *resv)
{
	bool locked;
	int ret;

	ret = read_poll_timeout(dma_resv_trylock, locked, locked,
				USEC_PER_MSEC, HOLDER_TRY_US, false, resv);
	if (!ret)
		dma_resv_unlock(resv);
	return ret;
}

static long holder_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_buf *dmabuf;
	int ret;

	switch (cmd) {
	case HOLDER_WAIT:
		return wait_for_completion_timeout(&holder_held,
						   HOLDER_TIMEOUT) ?
			0 : -ETIMEDOUT;
	case HOLDER_RELEASE:
		complete(&holder_done);
		return 0;
	case HOLDER_HOLD:
	case HOLDER_TRY:
		break;
	default:
		return -ENOTTY;
	}
	dmabuf = dma_buf_get(arg);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = cmd == HOLDER_HOLD ? holder_hold(dmabuf->resv) :
				   holder_try(dmabuf->resv);
	dma_buf_put(dmabuf);
	return ret;
}

static const struct file_operations holder_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = holder_ioctl,
};

static struct miscdevice holder_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME,
	.fops = &holder_fops,
};

module_misc_device(holder_misc);

MODULE_DESCRIPTION("Somebody who holds reservations, for fpgabuf");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
