// SPDX-License-Identifier: GPL-2.0
/*
 * The exchange: copies in, completions out, in one system call.
 */
#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "node.h"

static int exchange_check(const struct fpgabuf_import_exchange *x)
{
	if (x->flags || x->min_done > x->done_count)
		return -EINVAL;
	if (x->copy_count > FPGABUF_MAX_BATCH ||
	    x->done_count > FPGABUF_MAX_BATCH)
		return -E2BIG;
	/* Probing @done writes to it, before the copies are read. */
	if (fpgabuf_overlap(x->done,
			    x->done_count * sizeof(struct fpgabuf_import_done),
			    x->copies,
			    x->copy_count * sizeof(struct fpgabuf_import_copy)))
		return -EINVAL;
	return 0;
}

/*
 * Find out about bad pointers before anything is done: completions that were
 * taken off the queue cannot be lost to one.
 */
static int exchange_probe(void __user *user, size_t size,
			  const struct fpgabuf_import_exchange *x)
{
	if (fault_in_writeable(u64_to_user_ptr(x->done), x->done_count *
			       sizeof(struct fpgabuf_import_done)))
		return -EFAULT;
	return copy_struct_to_user(user, size, x, sizeof(*x), NULL);
}

/* Nothing is done that was not taken, and nothing will be. */
static bool exchange_idle(struct fpgabuf_importer *importer)
{
	bool idle;

	spin_lock_irq(&importer->queue_lock);
	idle = importer->num_idle == IMPORTER_DEPTH;
	spin_unlock_irq(&importer->queue_lock);
	return idle;
}

/* Enough is done, or there is nothing that could be any more. */
static bool exchange_ready(struct fpgabuf_importer *importer, u32 min_done)
{
	bool ready;

	spin_lock_irq(&importer->queue_lock);
	ready = importer->num_done >= min_done || importer->gone ||
		(list_empty(&importer->queued) &&
		 list_empty(&importer->active));
	spin_unlock_irq(&importer->queue_lock);
	return ready;
}

static ktime_t exchange_end(const struct fpgabuf_import_exchange *x)
{
	if (x->timeout <= 0)
		return KTIME_MAX;
	return ktime_add_safe(ktime_get(), ns_to_ktime(x->timeout));
}

/* Until @end, KTIME_MAX: no limit. 0 also when there is nothing to wait for. */
static int exchange_wait(struct fpgabuf_importer *importer,
			 const struct fpgabuf_import_exchange *x, bool nonblock,
			 ktime_t end)
{
	ktime_t left = end;
	int ret;

	if (!x->min_done || exchange_ready(importer, x->min_done))
		return 0;
	if (nonblock || !x->timeout)
		return -EAGAIN;
	if (end != KTIME_MAX)
		left = max_t(ktime_t, ktime_sub(end, ktime_get()), 0);
	ret = wait_event_interruptible_hrtimeout(importer->wait,
						 exchange_ready(importer,
								x->min_done),
						 left);
	if (ret == -ETIME)
		return -ETIMEDOUT;
	return ret ? -EINTR : 0;
}

static struct importer_copy *exchange_first(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;

	spin_lock_irq(&importer->queue_lock);
	copy = list_first_entry_or_null(&importer->done, struct importer_copy,
					node);
	spin_unlock_irq(&importer->queue_lock);
	return copy;
}

static void exchange_pop(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;

	spin_lock_irq(&importer->queue_lock);
	list_move_tail(&copy->node, &importer->idle);
	importer->num_done--;
	importer->num_idle++;
	spin_unlock_irq(&importer->queue_lock);
}

/*
 * Returns how many were taken, or -EFAULT when there was no memory for the first
 * one. What could not be copied stays in the queue.
 */
static int exchange_take(struct fpgabuf_importer *importer,
			 const struct fpgabuf_import_exchange *x,
			 struct fpgabuf_user_fault *fault)
{
	struct importer_copy *copy;
	unsigned int taken;

	for (taken = 0; taken < x->done_count; taken++) {
		struct fpgabuf_import_done done = {};

		copy = exchange_first(importer);
		if (!copy)
			break;
		done.user_data = copy->arg.user_data;
		done.timestamp = copy->timestamp;
		done.status = copy->status;
		if (fpgabuf_user_write(x->done + taken * sizeof(done), &done,
				       sizeof(done), fault))
			return taken ?: -EFAULT;
		exchange_pop(copy);
	}
	return taken;
}

/* 1: another task has taken what this one waited for, which is to wait on. */
static int exchange_finish(struct fpgabuf_importer *importer,
			   struct fpgabuf_import_exchange *x, int waited,
			   struct fpgabuf_user_fault *fault)
{
	int taken;

	if (importer->gone)
		return -ENODEV;
	taken = exchange_take(importer, x, fault);
	if (taken < 0)
		return taken;
	if (!taken && x->done_count && !x->copy_count) {
		if (waited)
			return waited;
		if (!x->min_done)
			return -EAGAIN;
		return exchange_idle(importer) ? -EPIPE : 1;
	}
	x->done_count = taken;
	return 0;
}

static int exchange_queue(struct fpgabuf_importer *importer,
			  const struct fpgabuf_import_exchange *x)
{
	struct fpgabuf_user_fault fault = {};
	int ret;

	do {
		if (mutex_lock_interruptible(&importer->lock))
			return -EINTR;
		ret = importer->gone ? -ENODEV :
			importer_submit(importer, x, &fault);
		mutex_unlock(&importer->lock);
	} while (ret == -EFAULT && !fpgabuf_user_fault_in(&fault));
	return ret;
}

static int exchange_collect(struct fpgabuf_importer *importer,
			    struct fpgabuf_import_exchange *x, bool nonblock)
{
	const ktime_t end = exchange_end(x);
	struct fpgabuf_user_fault fault = {};
	int ret, waited;

	do {
		waited = exchange_wait(importer, x, nonblock, end);
		/* What is queued is: a signal must not make it look otherwise. */
		mutex_lock(&importer->lock);
		ret = exchange_finish(importer, x, waited, &fault);
		mutex_unlock(&importer->lock);
	} while (ret > 0 ||
		 (ret == -EFAULT && !fpgabuf_user_fault_in(&fault)));
	return ret;
}

int importer_ioctl_exchange(struct fpgabuf_importer *importer,
			    void __user *user, size_t size, bool nonblock)
{
	struct fpgabuf_import_exchange x;
	int ret;

	ret = copy_struct_from_user(&x, sizeof(x), user, size);
	if (!ret)
		ret = exchange_check(&x);
	if (!ret)
		ret = exchange_probe(user, size, &x);
	if (!ret)
		ret = exchange_queue(importer, &x);
	if (!ret)
		ret = exchange_collect(importer, &x, nonblock);
	return ret ?: copy_struct_to_user(user, size, &x, sizeof(x), NULL);
}
