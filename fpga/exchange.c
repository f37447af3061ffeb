// SPDX-License-Identifier: GPL-2.0
/*
 * The exchange: buffers in, completions out, in one system call a frame.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "channel.h"

/* Probing @done writes to it, before the others are read. */
static bool exchange_overlaps(const struct fpgabuf_exchange *x)
{
	const u64 done = x->done_count * sizeof(struct fpgabuf_completion);
	const u64 queue = x->queue_count * sizeof(struct fpgabuf_queue_entry);
	const u64 fences = x->queue_count * sizeof(struct fpgabuf_fences);

	return fpgabuf_overlap(x->done, done, x->queue, queue) ||
		(x->fences &&
		 fpgabuf_overlap(x->done, done, x->fences, fences));
}

static int exchange_check(struct fpgabuf_exchange *x)
{
	if (x->flags || x->min_done > x->done_count)
		return -EINVAL;
	if (x->queue_count > FPGABUF_MAX_BATCH ||
	    x->done_count > FPGABUF_MAX_BATCH)
		return -E2BIG;
	return exchange_overlaps(x) ? -EINVAL : 0;
}

/*
 * Find out about bad pointers before anything is done: completions that were
 * taken off the queue cannot be lost to one.
 */
static int exchange_probe(const struct fpgabuf_ioctl_arg *arg)
{
	const struct fpgabuf_exchange *x = &arg->exchange;

	if (fault_in_writeable(u64_to_user_ptr(x->done),
			       x->done_count *
			       sizeof(struct fpgabuf_completion)))
		return -EFAULT;
	return fpgabuf_ioctl_put(arg);
}

static int exchange_submit(struct fpgabuf_channel *channel, struct file *file,
			   const struct fpgabuf_exchange *x,
			   struct fpgabuf_user_fault *fault)
{
	int ret = 0;

	if (channel->gone)
		return -ENODEV;
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	/* An engine that stopped after all takes buffers before a start, too. */
	if (x->queue_count && !channel->streaming)
		ret = fpgabuf_quarantine_end(channel);
	return ret ?: fpgabuf_submit(channel, x, fault);
}

static int exchange_queue(struct fpgabuf_channel *channel, struct file *file,
			  const struct fpgabuf_exchange *x)
{
	struct fpgabuf_user_fault fault = {};
	int ret;

	do {
		if (mutex_lock_interruptible(&channel->lock))
			return -EINTR;
		ret = exchange_submit(channel, file, x, &fault);
		mutex_unlock(&channel->lock);
	} while (ret == -EFAULT && !fpgabuf_user_fault_in(&fault));
	return ret;
}

static bool exchange_ready(struct fpgabuf_channel *channel, u32 min_done)
{
	bool ready;

	spin_lock_irq(&channel->queue.lock);
	ready = channel->queue.num_done >= min_done || !channel->streaming ||
		channel->quarantine || channel->gone;
	spin_unlock_irq(&channel->queue.lock);
	return ready;
}

/* Until @end, KTIME_MAX: no limit. */
static int exchange_sleep(struct fpgabuf_channel *channel, u32 min_done,
			  ktime_t end)
{
	ktime_t left = end;
	int ret;

	if (end != KTIME_MAX)
		left = max_t(ktime_t, ktime_sub(end, ktime_get()), 0);
	ret = wait_event_interruptible_hrtimeout(channel->wait,
						 exchange_ready(channel,
								min_done),
						 left);
	if (ret == -ETIME)
		return -ETIMEDOUT;
	return ret ? -EINTR : 0;
}

static ktime_t exchange_end(const struct fpgabuf_exchange *x)
{
	if (x->timeout <= 0)
		return KTIME_MAX;
	return ktime_add_safe(ktime_get(), ns_to_ktime(x->timeout));
}

/* Returns 0 also when there is nothing to wait for, or the stream ended. */
static int exchange_wait(struct fpgabuf_channel *channel,
			 const struct fpgabuf_exchange *x, bool nonblock,
			 ktime_t end)
{
	if (!x->min_done || exchange_ready(channel, x->min_done))
		return 0;
	if (nonblock || !x->timeout)
		return -EAGAIN;
	return exchange_sleep(channel, x->min_done, end);
}

/*
 * Returns how many were taken, or -EFAULT when there was no memory for the first
 * one. What could not be copied stays in the queue.
 */
static int exchange_take(struct fpgabuf_channel *channel,
			 const struct fpgabuf_exchange *x,
			 struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_queue *queue = &channel->queue;
	struct fpgabuf_completion done;
	unsigned int taken;
	bool found;

	for (taken = 0; taken < x->done_count; taken++) {
		spin_lock_irq(&queue->lock);
		found = fpgabuf_queue_peek(queue, &done);
		spin_unlock_irq(&queue->lock);
		if (!found)
			break;
		if (fpgabuf_user_write(x->done + taken * sizeof(done), &done,
				       sizeof(done), fault))
			return taken ?: -EFAULT;
		spin_lock_irq(&queue->lock);
		fpgabuf_queue_pop(queue);
		spin_unlock_irq(&queue->lock);
	}
	return taken;
}

/*
 * Why nothing was taken, for a call that queued nothing either; 1: another task
 * has taken what this one waited for, which is to wait on.
 */
static int exchange_why_none(struct fpgabuf_channel *channel,
			     const struct fpgabuf_exchange *x, int waited)
{
	if (waited && waited != -EAGAIN)
		return waited;
	if (READ_ONCE(channel->quarantine))
		return -EIO;
	if (!channel->streaming)
		return -EPIPE;
	return !waited && x->min_done ? 1 : -EAGAIN;
}

static int exchange_finish(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_exchange *x, int waited,
			   struct fpgabuf_user_fault *fault)
{
	int taken;

	if (channel->gone)
		return -ENODEV;
	/* Another file may have become the owner during the wait. */
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	taken = exchange_take(channel, x, fault);
	if (taken < 0)
		return taken;
	if (!taken && x->done_count && !x->queue_count)
		return exchange_why_none(channel, x, waited);
	x->done_count = taken;
	return 0;
}

static int exchange_collect(struct fpgabuf_channel *channel, struct file *file,
			    struct fpgabuf_exchange *x)
{
	const ktime_t end = exchange_end(x);
	struct fpgabuf_user_fault fault = {};
	int ret, waited;

	do {
		waited = exchange_wait(channel, x, file->f_flags & O_NONBLOCK,
				       end);
		/* What is queued is: a signal must not make it look otherwise. */
		mutex_lock(&channel->lock);
		ret = exchange_finish(channel, file, x, waited, &fault);
		mutex_unlock(&channel->lock);
	} while (ret > 0 ||
		 (ret == -EFAULT && !fpgabuf_user_fault_in(&fault)));
	return ret;
}

int fpgabuf_ioctl_exchange(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_exchange *x = &arg->exchange;
	int ret;

	ret = exchange_check(x);
	if (!ret)
		ret = exchange_probe(arg);
	if (!ret)
		ret = exchange_queue(channel, file, x);
	if (!ret)
		ret = exchange_collect(channel, file, x);
	return ret ?: fpgabuf_ioctl_put(arg);
}
