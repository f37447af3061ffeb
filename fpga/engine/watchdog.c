// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog. While there is a fence to be signaled, no descriptor may take
 * longer than the engine's timeout. If one does, its job fails and the jobs behind
 * it begin again, once: if the engine hangs a second time, all jobs fail that were
 * pending the first time. So an engine that hangs for good has all fences signaled
 * after two timeouts, however many there are. Jobs without a fence, and with none
 * behind them, may take any time.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "internal.h"
#include "trace.h"

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
static void watchdog_fail_tried(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	while ((job = watchdog_next_tried(engine)))
		fpgabuf_engine_fail_queued(engine, job, -ETIMEDOUT);

	spin_lock_irq(&engine->queue.lock);
	list_for_each_entry(job, &engine->queue.queued, node)
		job->again = true;
	spin_unlock_irq(&engine->queue.lock);
}

static void watchdog_give_up(struct fpgabuf_engine *engine,
			     const struct fpgabuf_job *job)
{
	int status = fpgabuf_engine_halt(engine, true);

	trace_fpgabuf_timeout(engine, status);
	if (status) {
		fpgabuf_engine_complete_all(engine, status);
		return;
	}
	fpgabuf_engine_requeue(engine, job, -ETIMEDOUT);
	watchdog_fail_tried(engine);
	wake_up_all(&engine->wait);
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
	if (job && left <= 0) {
		watchdog_give_up(engine, job);
		fpgabuf_engine_issue_ready(engine);
	} else {
		fpgabuf_engine_arm(engine);
	}
	mutex_unlock(&engine->lock);
	dma_fence_end_signalling(cookie);
}
