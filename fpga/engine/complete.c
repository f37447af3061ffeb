// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors and jobs that are complete.
 *
 * Jobs complete in the order in which they were queued, and their fences signal in
 * that order, with &fpgabuf_queue.lock held. Everything here is in the path that
 * signals fences.
 */
#include <linux/dma-fence.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/poll.h>

#include "internal.h"

static void engine_complete(struct fpgabuf_engine *engine,
			    struct fpgabuf_job *job)
{
	struct dma_fence *fence = job->fence;

	fpgabuf_queue_complete(&engine->queue, job);
	job->fence = NULL;
	engine->ops->done(job);
	if (!fence)
		return;
	if (job->status)
		dma_fence_set_error(fence, job->status);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* Complete all jobs that are over, and whose predecessors are complete. */
void fpgabuf_engine_reap(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	while ((job = fpgabuf_queue_over(&engine->queue)))
		engine_complete(engine, job);
}

/* Ignore callbacks for descriptors of the job from here on. */
void fpgabuf_engine_forget(struct fpgabuf_engine *engine,
			   struct fpgabuf_job *job)
{
	unsigned int i;

	if (job->issued == job->finished)
		return;
	for (i = 0; i < FPGABUF_NUM_TRANSFERS; i++)
		if (engine->transfers[i].job == job) {
			engine->transfers[i].job = NULL;
			engine->transfers[i].given_up = true;
		}
}

/* An active job fails. It completes when its predecessors have. */
void fpgabuf_engine_fail(struct fpgabuf_engine *engine, struct fpgabuf_job *job,
			 int status)
{
	fpgabuf_engine_forget(engine, job);
	fpgabuf_queue_fail(&engine->queue, job, status);
}

/* The oldest queued job fails. No job is active. */
void fpgabuf_engine_fail_queued(struct fpgabuf_engine *engine,
				struct fpgabuf_job *job, int status)
{
	lockdep_assert_held(&engine->lock);
	fpgabuf_wait_fini(&job->wait);
	spin_lock_irq(&engine->queue.lock);
	fpgabuf_queue_begin(&engine->queue, job);
	fpgabuf_queue_fail(&engine->queue, job, status);
	job->issuing = false;
	fpgabuf_engine_reap(engine);
	spin_unlock_irq(&engine->queue.lock);
}

static struct fpgabuf_job *engine_first(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&engine->queue.lock);
	job = fpgabuf_queue_first(&engine->queue);
	spin_unlock_irq(&engine->queue.lock);
	return job;
}

/* Complete all pending jobs with @status. The engine is idle or in quarantine. */
void fpgabuf_engine_complete_all(struct fpgabuf_engine *engine, int status)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	list_for_each_entry(job, &engine->queue.active, node)
		fpgabuf_engine_fail(engine, job, status);
	fpgabuf_engine_reap(engine);
	spin_unlock_irq(&engine->queue.lock);
	while ((job = engine_first(engine)))
		fpgabuf_engine_fail_queued(engine, job, status);
	wake_up_all(&engine->wait);
}

static int transfer_status(const struct dmaengine_result *result)
{
	switch (result->result) {
	case DMA_TRANS_NOERROR:
		return result->residue ? -EMSGSIZE : 0;
	case DMA_TRANS_ABORTED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

/*
 * Engines complete descriptors in order: those before this one are complete, too,
 * although their callbacks were never called.
 */
static void transfer_skip(struct fpgabuf_engine *engine,
			  const struct fpgabuf_transfer *transfer)
{
	struct fpgabuf_job *job;
	unsigned int i;

	list_for_each_entry(job, &engine->queue.active, node) {
		if (job == transfer->job)
			break;
		fpgabuf_engine_fail(engine, job, -EIO);
		job->lost = true;
	}
	fpgabuf_engine_reap(engine);

	job = transfer->job;
	if (job->finished == transfer->number)
		return;
	for (i = 0; i < FPGABUF_NUM_TRANSFERS; i++)
		if (engine->transfers[i].job == job &&
		    engine->transfers[i].number < transfer->number)
			engine->transfers[i].job = NULL;
	fpgabuf_queue_finish_to(&engine->queue, job, transfer->number);
	job->status = job->status ?: -EIO;
}

/* A descriptor is complete, and with it all before it. */
void fpgabuf_engine_transfer_done(struct fpgabuf_engine *engine,
				  struct fpgabuf_transfer *transfer,
				  const struct dmaengine_result *result)
{
	struct fpgabuf_job *job = transfer->job;
	int status = transfer_status(result);

	transfer_skip(engine, transfer);
	transfer->job = NULL;
	fpgabuf_queue_finish_to(&engine->queue, job, transfer->number + 1);
	if (engine->ops->transferred)
		status = engine->ops->transferred(job, result, status);
	job->status = job->status ?: status;
	engine->since = ktime_get_ns();
	fpgabuf_engine_reap(engine);
	/* Jobs that found no room, and those that are ready by now */
	if (fpgabuf_queue_unfinished(&engine->queue) ||
	    fpgabuf_queue_first(&engine->queue))
		fpgabuf_queue_work(&engine->work);
}

/*
 * Whether a callback is for the descriptor that the transfer is used for now. An
 * engine may call back for one that was terminated, when the transfer has been
 * reused: then the current descriptor is not complete.
 */
static bool transfer_is_current(const struct fpgabuf_engine *engine,
				const struct fpgabuf_transfer *transfer)
{
	const struct dma_chan *chan = engine->chan;
	const dma_cookie_t cookie = READ_ONCE(transfer->cookie);

	if (!transfer->job)
		return false;
	/* It may be complete before its cookie is known. */
	if (!transfer->given_up || !cookie)
		return true;
	return dma_async_is_complete(cookie,
				     READ_ONCE(chan->completed_cookie),
				     READ_ONCE(chan->cookie)) != DMA_IN_PROGRESS;
}

/*
 * Called by the engine, in any context that does not sleep. A faulty engine may
 * call it twice, or for a descriptor that was terminated.
 */
void fpgabuf_engine_callback(void *param, const struct dmaengine_result *result)
{
	struct fpgabuf_transfer *transfer = param;
	struct fpgabuf_engine *engine = transfer->engine;
	unsigned long flags;
	bool cookie;

	cookie = dma_fence_begin_signalling();
	spin_lock_irqsave(&engine->queue.lock, flags);
	if (transfer_is_current(engine, transfer))
		fpgabuf_engine_transfer_done(engine, transfer, result);
	else
		engine->stray++;
	spin_unlock_irqrestore(&engine->queue.lock, flags);
	dma_fence_end_signalling(cookie);
	wake_up_interruptible_poll(&engine->wait, EPOLLIN | EPOLLRDNORM);
}
