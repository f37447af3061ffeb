// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog. While there is a fence to be signaled, no descriptor may take
 * longer than the engine's timeout. If one does, its job fails and the jobs behind
 * it begin again, once: if the engine hangs a second time, all jobs fail that were
 * pending the first time. So an engine that hangs for good has all fences signaled
 * after two timeouts, however many there are.
 *
 * So has one whose interrupts are lost: a job that it reports to be complete is good,
 * and if a second one is found so, all fail that were pending the first time.
 *
 * Jobs without a fence, and with none behind them, may take any time. But the
 * engine is asked once a timeout, and if it has failed, so does the job.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "internal.h"
#include "trace.h"

/* How long a callback may take after its descriptor is complete */
#define WATCHDOG_GRACE_NS	(100 * NSEC_PER_MSEC)

/* All pending jobs: their time is up when the engine is overdue once more. */
static void watchdog_mark(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&engine->queue.lock);
	list_for_each_entry(job, &engine->queue.active, node)
		job->again = true;
	list_for_each_entry(job, &engine->queue.queued, node)
		job->again = true;
	spin_unlock_irq(&engine->queue.lock);
}

/* Whether this is the second time for the oldest active job, and a fence waits */
static bool watchdog_is_second(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_job *job;
	bool second;

	spin_lock_irq(&engine->queue.lock);
	job = list_first_entry_or_null(&engine->queue.active,
				       struct fpgabuf_job, node);
	second = job && job->again && engine->queue.num_fenced;
	spin_unlock_irq(&engine->queue.lock);
	return second;
}

/* The oldest queued job, if this was its second try and a fence depends on it */
static struct fpgabuf_job *watchdog_next_tried(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&engine->queue.lock);
	job = fpgabuf_queue_first(&engine->queue);
	if (job && (!engine->queue.num_fenced || !job->again))
		job = NULL;
	spin_unlock_irq(&engine->queue.lock);
	return job;
}

/* No job is active. */
static void watchdog_fail_tried(struct fpgabuf_engine *engine, int status)
{
	struct fpgabuf_job *job;

	while ((job = watchdog_next_tried(engine)))
		fpgabuf_engine_fail_queued(engine, job, status);
	watchdog_mark(engine);
}

/*
 * Stop the engine, and begin again with the jobs behind @job; that one fails with
 * @status. NULL: with all.
 */
static void watchdog_give_up(struct fpgabuf_engine *engine,
			     const struct fpgabuf_job *job, int status)
{
	int ret = fpgabuf_engine_halt(engine, true);

	trace_fpgabuf_timeout(engine, ret ?: status);
	if (ret) {
		fpgabuf_engine_complete_all(engine, ret);
	} else {
		fpgabuf_engine_requeue(engine, job, status);
		watchdog_fail_tried(engine, status);
		wake_up_all(&engine->wait);
	}
	fpgabuf_engine_issue_ready(engine);
}

/*
 * A job is complete, and no callback came. If that happens again, nobody knows when
 * the others will be: they do not have a timeout each.
 */
static void watchdog_lost(struct fpgabuf_engine *engine, bool second)
{
	if (second) {
		watchdog_give_up(engine, NULL, -EIO);
		return;
	}
	watchdog_mark(engine);
	fpgabuf_engine_issue_ready(engine);
}

/* The engine's descriptor takes longer than it may. */
static void watchdog_overdue(struct fpgabuf_engine *engine,
			     const struct fpgabuf_job *job)
{
	const bool second = watchdog_is_second(engine);

	switch (fpgabuf_engine_ask(engine)) {
	case FPGABUF_ANSWER_LOST:
		watchdog_lost(engine, second);
		return;
	case FPGABUF_ANSWER_COMPLETE:
		fpgabuf_engine_arm(engine, WATCHDOG_GRACE_NS);
		return;
	case FPGABUF_ANSWER_FAILED:
		watchdog_give_up(engine, job, -EIO);
		return;
	case FPGABUF_ANSWER_BUSY:
		break;
	}
	if (READ_ONCE(engine->queue.num_fenced))
		watchdog_give_up(engine, job, -ETIMEDOUT);
	else
		fpgabuf_engine_arm(engine, engine->timeout);
}

void fpgabuf_watchdog_work(struct work_struct *work)
{
	struct fpgabuf_engine *engine =
		container_of(work, struct fpgabuf_engine, watchdog.work);
	bool cookie = dma_fence_begin_signalling();
	struct fpgabuf_job *job;
	s64 left;

	mutex_lock(&engine->lock);
	job = fpgabuf_engine_look(engine, &left);
	if (engine->ring.num)
		fpgabuf_ring_watch(engine);
	else if (job && left <= 0)
		watchdog_overdue(engine, job);
	else
		fpgabuf_engine_arm(engine, 0);
	mutex_unlock(&engine->lock);
	dma_fence_end_signalling(cookie);
}
