// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs to descriptors. A queued job goes to the engine once its fences have
 * signaled and its predecessors have been issued.
 *
 * From the moment a fence is published all of this is in the path that signals it,
 * and is marked so (dma_fence_begin_signalling()): nothing here allocates memory
 * or takes a reservation, or a lock under which somebody does.
 */
#include <linux/dma-fence.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/poll.h>

#include "internal.h"

/* How often an idle engine is given a descriptor that it refused */
#define ISSUE_RETRY_MS	10

static struct fpgabuf_transfer *
engine_get_transfer(struct fpgabuf_engine *engine)
{
	unsigned int i = engine->next_transfer++;

	lockdep_assert_held(&engine->lock);
	return &engine->transfers[i % FPGABUF_NUM_TRANSFERS];
}

/* The engine gets a descriptor, and may complete it before it is submitted. */
static struct fpgabuf_transfer *issue_account(struct fpgabuf_engine *engine,
					      struct fpgabuf_job *job,
					      bool more)
{
	struct fpgabuf_transfer *transfer = engine_get_transfer(engine);

	spin_lock_irq(&engine->queue.lock);
	if (job->state == FPGABUF_JOB_QUEUED)
		fpgabuf_queue_begin(&engine->queue, job);
	if (!engine->queue.in_flight)
		engine->since = ktime_get_ns();
	transfer->number = fpgabuf_queue_issue(&engine->queue, job, more);
	transfer->job = job;
	transfer->cookie = 0;
	spin_unlock_irq(&engine->queue.lock);
	return transfer;
}

/* The engine refused the descriptor. */
static void issue_unaccount(struct fpgabuf_engine *engine,
			    struct fpgabuf_transfer *transfer)
{
	spin_lock_irq(&engine->queue.lock);
	fpgabuf_queue_unissue(&engine->queue, transfer->job);
	transfer->job = NULL;
	spin_unlock_irq(&engine->queue.lock);
}

/*
 * What became of a descriptor. After ISSUE_LAST the job may be complete, and
 * queued again: it must not be used any more.
 */
enum issue {
	ISSUE_MORE,
	ISSUE_LAST,
	ISSUE_FULL,
	ISSUE_REFUSED,
};

static enum issue issue_descriptor(struct fpgabuf_engine *engine,
				   struct fpgabuf_job *job)
{
	struct dma_async_tx_descriptor *desc;
	struct fpgabuf_transfer *transfer;
	dma_cookie_t cookie;
	bool more;

	desc = engine->ops->prepare(job, &more);
	if (!desc)
		return ISSUE_REFUSED;
	transfer = issue_account(engine, job, more);
	desc->callback_result = fpgabuf_engine_callback;
	desc->callback_param = transfer;
	cookie = dmaengine_submit(desc);
	if (!dma_submit_error(cookie)) {
		WRITE_ONCE(transfer->cookie, cookie);
		engine->refused_since = 0;
		return more ? ISSUE_MORE : ISSUE_LAST;
	}
	issue_unaccount(engine, transfer);
	if (engine->ops->refused)
		engine->ops->refused(job);
	return ISSUE_REFUSED;
}

/*
 * Issue as many descriptors of an active job as the engine takes. It may have no
 * room, until the next completion. @idle: no completion is to come.
 */
static enum issue issue_descriptors(struct fpgabuf_engine *engine,
				    struct fpgabuf_job *job, bool *idle)
{
	enum issue issue = ISSUE_MORE;

	*idle = false;
	while (issue == ISSUE_MORE && !READ_ONCE(job->status)) {
		/* Completions may only make it less. */
		const unsigned int in_flight =
			READ_ONCE(engine->queue.in_flight);

		if (in_flight >= engine->config.limits.max_in_flight)
			return ISSUE_FULL;
		*idle = !in_flight;
		issue = issue_descriptor(engine, job);
	}
	return issue;
}

/*
 * An idle engine refuses descriptors: it may have no memory for one now. Try again,
 * but for no longer than a descriptor may take; then return false.
 */
static bool issue_retry(struct fpgabuf_engine *engine)
{
	const u64 now = ktime_get_ns();

	if (!engine->refused_since)
		engine->refused_since = now;
	if (now - engine->refused_since >= engine->timeout)
		return false;
	fpgabuf_queue_delayed_work(&engine->retry,
				   msecs_to_jiffies(ISSUE_RETRY_MS));
	return true;
}

/* Returns whether the next job may be issued. */
static bool issue_job(struct fpgabuf_engine *engine, struct fpgabuf_job *job)
{
	bool idle, failed;
	enum issue issue;

	issue = issue_descriptors(engine, job, &idle);
	if (issue == ISSUE_LAST)
		return true;
	failed = issue == ISSUE_REFUSED && idle && !issue_retry(engine);

	spin_lock_irq(&engine->queue.lock);
	if (job->state == FPGABUF_JOB_QUEUED)
		fpgabuf_queue_begin(&engine->queue, job);
	job->issuing = false;
	if (failed)
		job->status = job->status ?: -EIO;
	/* The last completion may have come before, and found nothing to issue. */
	if (issue == ISSUE_REFUSED && !idle && !engine->queue.in_flight)
		fpgabuf_queue_work(&engine->work);
	failed = job->status;
	fpgabuf_engine_reap(engine);
	/* The next job is tried for as long. */
	if (!engine->queue.num_pending)
		engine->refused_since = 0;
	spin_unlock_irq(&engine->queue.lock);
	/* No callback wakes the waiters. */
	if (failed)
		wake_up_interruptible_poll(&engine->wait,
					   EPOLLIN | EPOLLRDNORM);
	return failed;
}

/*
 * The oldest queued job is next. It becomes active with its first descriptor; or
 * without one, if a fence it waited for failed, or if the engine has no room.
 */
static void issue_begin(struct fpgabuf_engine *engine, struct fpgabuf_job *job)
{
	/* A requeued job may have failed before. */
	job->status = job->status ?: fpgabuf_wait_error(&job->wait);
	fpgabuf_wait_fini(&job->wait);
	if (!job->status)
		engine->ops->begin(job);
}

/* The job of which the next descriptor is to be issued, or NULL */
static struct fpgabuf_job *issue_next(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&engine->queue.lock);
	job = fpgabuf_queue_unfinished(&engine->queue);
	if (job) {
		job->issuing = true;
		spin_unlock_irq(&engine->queue.lock);
		return job;
	}
	job = fpgabuf_queue_first(&engine->queue);
	spin_unlock_irq(&engine->queue.lock);

	if (!job || !fpgabuf_wait_done(&job->wait))
		return NULL;
	issue_begin(engine, job);
	return job;
}

/* The job whose descriptor the engine is at, or NULL; and how long it has, in ns */
struct fpgabuf_job *fpgabuf_engine_look(struct fpgabuf_engine *engine,
					s64 *left)
{
	struct fpgabuf_job *job = NULL;

	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	if (engine->running && engine->queue.in_flight)
		job = list_first_entry(&engine->queue.active,
				       struct fpgabuf_job, node);
	*left = engine->since + engine->timeout - ktime_get_ns();
	spin_unlock_irq(&engine->queue.lock);
	return job;
}

/*
 * Have the watchdog look when the engine's oldest descriptor should be complete,
 * but not before @min_ns. Does nothing if the watchdog is armed: it arms itself
 * again.
 */
void fpgabuf_engine_arm(struct fpgabuf_engine *engine, u64 min_ns)
{
	s64 left;

	if (delayed_work_pending(&engine->watchdog) ||
	    !fpgabuf_engine_look(engine, &left))
		return;
	left = max_t(s64, left, min_ns);
	fpgabuf_queue_delayed_work(&engine->watchdog,
				   nsecs_to_jiffies(left) + 1);
}

/* Issue all jobs that are ready, as far as the engine has room. */
void fpgabuf_engine_issue_ready(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&engine->lock);
	if (engine->quarantine)
		fpgabuf_engine_complete_all(engine, -EIO);
	if (!engine->running || engine->ring.num)
		return;
	while ((job = issue_next(engine)))
		if (!issue_job(engine, job))
			break;
	dma_async_issue_pending(engine->chan);
	fpgabuf_engine_arm(engine, 0);
}

/**
 * fpgabuf_engine_add() - queue a job
 * @engine: the engine, open
 * @job: an idle job, its wait started
 *
 * To be followed by fpgabuf_engine_issue().
 *
 * Context: any, with &fpgabuf_queue.lock held.
 */
void fpgabuf_engine_add(struct fpgabuf_engine *engine, struct fpgabuf_job *job)
{
	/* What the engine does meanwhile had no limit of time. */
	if (job->fence && !engine->queue.num_fenced)
		engine->since = ktime_get_ns();
	fpgabuf_queue_add(&engine->queue, job);
}

/**
 * fpgabuf_engine_issue() - issue jobs that are ready
 * @engine: the engine; need not be open
 *
 * Context: process context, may sleep; in the path that signals fences.
 */
void fpgabuf_engine_issue(struct fpgabuf_engine *engine)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&engine->lock);
	fpgabuf_engine_issue_ready(engine);
	mutex_unlock(&engine->lock);
	dma_fence_end_signalling(cookie);
}

void fpgabuf_engine_work(struct work_struct *work)
{
	fpgabuf_engine_issue(container_of(work, struct fpgabuf_engine, work));
}

void fpgabuf_engine_retry_work(struct work_struct *work)
{
	fpgabuf_engine_issue(container_of(work, struct fpgabuf_engine,
					  retry.work));
}
