// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that never stops: it goes round in a buffer of several frames by one
 * cyclic descriptor, whether or not there is a job for a frame. What it has passed
 * is reported to the front, which completes the job for it, if there is one.
 */
#include <linux/dma-fence.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/poll.h>

#include "internal.h"

/* The frame that the engine is at. Callbacks are not counted: one may be lost. */
static unsigned int ring_position(const struct fpgabuf_engine *engine)
{
	const struct fpgabuf_ring *ring = &engine->ring;
	const u64 size = (u64)ring->period * ring->num;
	struct dma_tx_state state = {};
	u64 done;
	u32 index;

	dmaengine_tx_status(engine->chan, ring->cookie, &state);
	done = div_u64(size - min_t(u64, state.residue, size), ring->period);
	/* It may not have begun the next round yet. */
	div_u64_rem(done, ring->num, &index);
	return index;
}

static void ring_advance(struct fpgabuf_engine *engine, unsigned int position)
{
	struct fpgabuf_ring *ring = &engine->ring;

	lockdep_assert_held(&engine->queue.lock);
	while (ring->next != position) {
		const unsigned int index = ring->next;

		ring->next = index + 1 == ring->num ? 0 : index + 1;
		engine->ops->passed(engine, index);
		engine->ops->entered(engine, ring->next);
	}
}

/* Called by the engine, in any context that does not sleep. */
static void ring_callback(void *param, const struct dmaengine_result *result)
{
	struct fpgabuf_engine *engine = param;
	unsigned long flags;

	spin_lock_irqsave(&engine->queue.lock, flags);
	if (engine->ring.num)
		ring_advance(engine, ring_position(engine));
	else
		engine->stray++;
	spin_unlock_irqrestore(&engine->queue.lock, flags);
	wake_up_interruptible_poll(&engine->wait, EPOLLIN | EPOLLRDNORM);
}

static void ring_set(struct fpgabuf_engine *engine,
		     const struct fpgabuf_ring *ring)
{
	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	engine->ring = *ring;
	if (ring->num)
		engine->ops->entered(engine, ring->next);
	spin_unlock_irq(&engine->queue.lock);
}

static void ring_arm(struct fpgabuf_engine *engine)
{
	fpgabuf_queue_delayed_work(&engine->watchdog,
				   nsecs_to_jiffies(engine->timeout) + 1);
}

/* There is no callback before dma_async_issue_pending(). */
static int ring_begin(struct fpgabuf_engine *engine, struct fpgabuf_ring ring)
{
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_dma_cyclic(engine->chan, ring.addr,
					 (size_t)ring.period * ring.num,
					 ring.period, DMA_DEV_TO_MEM,
					 DMA_PREP_INTERRUPT);
	if (!desc)
		return -EIO;
	desc->callback_result = ring_callback;
	desc->callback_param = engine;
	ring.next = 0;
	ring.cookie = dmaengine_submit(desc);
	if (dma_submit_error(ring.cookie))
		return -EIO;
	ring_set(engine, &ring);
	dma_async_issue_pending(engine->chan);
	ring_arm(engine);
	return 0;
}

/* The engine is idle, or in quarantine: later callbacks are ignored. */
void fpgabuf_ring_end(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_ring none = {};

	ring_set(engine, &none);
}

/* Begin with the first frame; without a descriptor jobs fail, until it has one. */
static void ring_begin_again(struct fpgabuf_engine *engine,
			     struct fpgabuf_ring ring)
{
	if (!ring_begin(engine, ring))
		return;
	fpgabuf_engine_complete_all(engine, -EIO);
	wake_up_all(&engine->wait);
	ring.next = 0;
	ring.cookie = 0;
	ring_set(engine, &ring);
	ring_arm(engine);
}

/* The engine has failed, and with it all queued jobs. */
static void ring_restart(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_ring ring = engine->ring;
	int ret = fpgabuf_engine_halt(engine, true);

	fpgabuf_ring_end(engine);
	fpgabuf_engine_complete_all(engine, -EIO);
	wake_up_all(&engine->wait);
	if (!ret)
		ring_begin_again(engine, ring);
}

/* Once per timeout: some engines report an error only when they are asked. */
void fpgabuf_ring_watch(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_ring ring = engine->ring;
	struct dma_tx_state state = {};

	lockdep_assert_held(&engine->lock);
	if (!ring.cookie)
		ring_begin_again(engine, ring);
	else if (dmaengine_tx_status(engine->chan, ring.cookie, &state) ==
		 DMA_ERROR)
		ring_restart(engine);
	else
		ring_arm(engine);
}

/**
 * fpgabuf_engine_start_ring() - let the engine go round
 * @engine: the engine, open, not in quarantine, with @by_ring
 * @timeout_ms: how often it is asked whether it has failed
 * @addr: where its first frame is, for the device
 * @period: bytes of a frame; the next one follows at once
 * @num: frames, at least two; 4 GiB of them at most, as engines report where they
 *	are in 32 bits
 *
 * &fpgabuf_engine_ops.entered and passed are called for each frame from now on,
 * until fpgabuf_engine_stop() or fpgabuf_engine_unstart(). Jobs are for the front to
 * complete, by fpgabuf_engine_ring_done(); they must not have fences.
 *
 * Context: process context, may sleep.
 * Return: 0; -EIO: the engine refuses it.
 */
int fpgabuf_engine_start_ring(struct fpgabuf_engine *engine, u32 timeout_ms,
			      dma_addr_t addr, u32 period, unsigned int num)
{
	const struct fpgabuf_ring ring = {
		.addr = addr,
		.period = period,
		.num = num,
	};
	int ret;

	mutex_lock(&engine->lock);
	engine->timeout = (u64)timeout_ms * NSEC_PER_MSEC;
	ret = ring_begin(engine, ring);
	if (!ret)
		fpgabuf_engine_set_running(engine, true);
	mutex_unlock(&engine->lock);
	return ret;
}

/**
 * fpgabuf_engine_ring_done() - a queued job is complete: its frame was passed
 * @engine: the engine, in a ring
 * @job: a job in the state FPGABUF_JOB_QUEUED, in any place of the queue
 *
 * Context: any, with &fpgabuf_queue.lock held.
 */
void fpgabuf_engine_ring_done(struct fpgabuf_engine *engine,
			      struct fpgabuf_job *job)
{
	lockdep_assert_held(&engine->queue.lock);
	/* Nothing holds the engine back. */
	fpgabuf_wait_fini(&job->wait);
	fpgabuf_queue_begin(&engine->queue, job);
	fpgabuf_queue_issue(&engine->queue, job, false);
	fpgabuf_queue_finish_to(&engine->queue, job, 1);
	fpgabuf_engine_reap(engine);
}
