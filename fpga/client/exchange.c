// SPDX-License-Identifier: GPL-2.0
/*
 * An exchange: requests in, completions out, in one system call.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "client.h"

static int exchange_allowed(const struct fpgabuf_client_exchange *x)
{
	struct fpgabuf_client *client = x->client;

	if (client->gone)
		return -ENODEV;
	return client->ops->allowed ? client->ops->allowed(client, x->file) : 0;
}

static int exchange_queue(const struct fpgabuf_client_exchange *x)
{
	struct fpgabuf_client *client = x->client;
	struct fpgabuf_user_fault fault = {};
	int ret;

	ret = fpgabuf_client_reserve(client, x->queue_count);
	if (ret)
		return ret;
	do {
		if (mutex_lock_interruptible(&client->lock))
			return -EINTR;
		ret = exchange_allowed(x);
		if (!ret)
			ret = client->ops->submit(client, x->file, x->exchange,
						  &fault);
		mutex_unlock(&client->lock);
	} while (ret == -EFAULT && !fpgabuf_user_fault_in(&fault));
	return ret;
}

/* Enough jobs are done, or no more will be. */
static bool exchange_ready(const struct fpgabuf_client_exchange *x)
{
	struct fpgabuf_client *client = x->client;
	struct fpgabuf_queue *queue = &client->engine.queue;
	bool ready;

	spin_lock_irq(&queue->lock);
	ready = queue->num_done >= x->min_done || client->gone ||
		client->ops->ended(client, x->min_done);
	spin_unlock_irq(&queue->lock);
	return ready;
}

/**
 * struct exchange_sleeper - a task that waits for completions
 * @entry: in the engine's list of those who wait
 * @queue: the engine's jobs
 * @min_done: how many are to be done
 */
struct exchange_sleeper {
	struct wait_queue_entry entry;
	const struct fpgabuf_queue *queue;
	u32 min_done;
};

/*
 * Each completion wakes with a poll mask as @key: that is for nothing as long as
 * there are too few. The end of a run wakes without one.
 */
static int exchange_wake(struct wait_queue_entry *entry, unsigned int mode,
			 int sync, void *key)
{
	const struct exchange_sleeper *sleeper =
		container_of(entry, struct exchange_sleeper, entry);

	if (key && READ_ONCE(sleeper->queue->num_done) < sleeper->min_done)
		return 0;
	return autoremove_wake_function(entry, mode, sync, key);
}

/* Until @end; KTIME_MAX: no limit */
static int exchange_sleep(const struct fpgabuf_client_exchange *x, ktime_t end)
{
	struct fpgabuf_engine *engine = &x->client->engine;
	struct exchange_sleeper sleeper = {
		.queue = &engine->queue,
		.min_done = x->min_done,
	};
	int ret = 0;

	init_wait(&sleeper.entry);
	sleeper.entry.func = exchange_wake;
	do {
		prepare_to_wait(&engine->wait, &sleeper.entry,
				TASK_INTERRUPTIBLE);
		if (exchange_ready(x))
			break;
		if (signal_pending(current))
			ret = -EINTR;
		else if (!schedule_hrtimeout(end == KTIME_MAX ? NULL : &end,
					     HRTIMER_MODE_ABS))
			ret = -ETIMEDOUT;
	} while (!ret);
	finish_wait(&engine->wait, &sleeper.entry);
	return ret;
}

static ktime_t exchange_end(const struct fpgabuf_client_exchange *x)
{
	if (x->timeout <= 0)
		return KTIME_MAX;
	return ktime_add_safe(ktime_get(), ns_to_ktime(x->timeout));
}

/* Returns 0 also if there is nothing to wait for. */
static int exchange_wait(const struct fpgabuf_client_exchange *x, ktime_t end)
{
	if (!x->min_done || exchange_ready(x))
		return 0;
	if (x->file->f_flags & O_NONBLOCK || !x->timeout)
		return -EAGAIN;
	return exchange_sleep(x, end);
}

/* What a completion looks like to the user: &fpgabuf_client_ops.done_size bytes */
struct exchange_done {
	u64 words[FPGABUF_DONE_SIZE / sizeof(u64)];
};

/*
 * The oldest completion, copied to @done, or NULL. @taken: the one before, which is
 * taken now
 */
static struct fpgabuf_job *exchange_next(struct fpgabuf_client *client,
					 struct fpgabuf_job *taken,
					 struct exchange_done *done)
{
	struct fpgabuf_queue *queue = &client->engine.queue;
	struct fpgabuf_job *job;

	spin_lock_irq(&queue->lock);
	if (taken) {
		fpgabuf_queue_take(queue, taken);
		if (client->ops->taken)
			client->ops->taken(taken);
	}
	job = fpgabuf_queue_first_done(queue);
	*done = (struct exchange_done){};
	if (job)
		client->ops->fill(job, done->words);
	spin_unlock_irq(&queue->lock);
	return job;
}

/* Copy a completion to user memory, as the exchange's number @i. */
static int exchange_put(const struct fpgabuf_client_exchange *x,
			const struct fpgabuf_job *job,
			const struct exchange_done *done, unsigned int i,
			struct fpgabuf_user_fault *fault)
{
	const struct fpgabuf_client_ops *ops = x->client->ops;
	const void *extra;
	size_t len = 0;
	int ret;

	ret = fpgabuf_user_write(x->done + i * ops->done_size, done->words,
				 ops->done_size, fault);
	if (ret || !x->extra)
		return ret;
	extra = ops->extra(job, &len);
	return fpgabuf_user_write(x->extra + i * ops->extra_size, extra, len,
				  fault);
}

/*
 * Returns the number of completions taken, or -EFAULT if the first one could not
 * be copied. What could not be copied stays in the queue.
 */
static int exchange_take(const struct fpgabuf_client_exchange *x,
			 struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_client *client = x->client;
	struct exchange_done done;
	struct fpgabuf_job *job;
	unsigned int taken;

	job = x->done_count ? exchange_next(client, NULL, &done) : NULL;
	for (taken = 0; job && taken < x->done_count; taken++) {
		if (exchange_put(x, job, &done, taken, fault))
			return taken ?: -EFAULT;
		job = exchange_next(client, job, &done);
	}
	return taken;
}

/*
 * Why no completion was taken, by an exchange that queued nothing either. 1:
 * another task has taken those that were waited for: wait again.
 */
static int exchange_why_none(const struct fpgabuf_client_exchange *x,
			     int waited)
{
	struct fpgabuf_client *client = x->client;
	int ret;

	if (waited && waited != -EAGAIN)
		return waited;
	spin_lock_irq(&client->engine.queue.lock);
	ret = client->ops->ended(client, x->min_done);
	spin_unlock_irq(&client->engine.queue.lock);
	if (ret)
		return ret;
	return waited || !x->min_done ? -EAGAIN : 1;
}

static int exchange_finish(struct fpgabuf_client_exchange *x, int waited,
			   struct fpgabuf_user_fault *fault)
{
	/* The device may have gone, or another file may own it by now. */
	int ret = exchange_allowed(x);

	if (!ret)
		ret = exchange_take(x, fault);
	if (ret < 0)
		return ret;
	if (!ret && x->done_count && !x->queue_count)
		return exchange_why_none(x, waited);
	x->done_count = ret;
	return 0;
}

static int exchange_collect(struct fpgabuf_client_exchange *x)
{
	struct fpgabuf_client *client = x->client;
	const ktime_t end = exchange_end(x);
	struct fpgabuf_user_fault fault = {};
	int ret, waited;

	do {
		waited = exchange_wait(x, end);
		/* Requests are queued: a signal must not make it look otherwise. */
		mutex_lock(&client->lock);
		ret = exchange_finish(x, waited, &fault);
		mutex_unlock(&client->lock);
	} while (ret > 0 ||
		 (ret == -EFAULT && !fpgabuf_user_fault_in(&fault)));
	return ret;
}

/**
 * fpgabuf_client_exchange() - queue requests, wait, and take completions
 * @x: the exchange; the front has checked its values and probed its memory
 *
 * Context: process context, may sleep; no lock held.
 * Return: 0, with &fpgabuf_client_exchange.done_count set; or a negative errno.
 * Requests are queued if completions are not taken only for want of time.
 */
int fpgabuf_client_exchange(struct fpgabuf_client_exchange *x)
{
	int ret = exchange_queue(x);

	return ret ?: exchange_collect(x);
}
