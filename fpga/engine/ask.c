// SPDX-License-Identifier: GPL-2.0
/*
 * An engine whose oldest descriptor is overdue is asked for its state, before it is
 * given up: an interrupt may have been lost, or the engine may have failed without
 * calling anybody back.
 */
#include <linux/dmaengine.h>
#include <linux/lockdep.h>
#include <linux/poll.h>

#include "internal.h"

/* The transfer of the oldest descriptor that the engine has, or NULL */
static struct fpgabuf_transfer *ask_oldest(struct fpgabuf_engine *engine)
{
	struct fpgabuf_transfer *transfer;
	struct fpgabuf_job *job;
	unsigned int i;

	lockdep_assert_held(&engine->queue.lock);
	list_for_each_entry(job, &engine->queue.active, node)
		if (job->issued != job->finished)
			break;
	if (list_entry_is_head(job, &engine->queue.active, node))
		return NULL;
	for (i = 0; i < FPGABUF_NUM_TRANSFERS; i++) {
		transfer = &engine->transfers[i];
		if (transfer->job == job && transfer->number == job->finished)
			return transfer;
	}
	return NULL;
}

/* The callback did not come. Its result is not known, but for the residue. */
static void ask_complete(struct fpgabuf_engine *engine,
			 struct fpgabuf_transfer *transfer, u32 residue)
{
	const struct dmaengine_result result = {
		.result = DMA_TRANS_NOERROR,
		.residue = residue,
	};

	spin_lock_irq(&engine->queue.lock);
	/* It may have come by now. */
	if (transfer->job) {
		transfer->job->asked = true;
		transfer->given_up = true;
		fpgabuf_engine_transfer_done(engine, transfer, &result);
	}
	spin_unlock_irq(&engine->queue.lock);
	wake_up_interruptible_poll(&engine->wait, EPOLLIN | EPOLLRDNORM);
}

/*
 * Ask the engine about its oldest descriptor. To be called again after a while if
 * that is complete: if it has not called back by then, it never will.
 */
enum fpgabuf_answer fpgabuf_engine_ask(struct fpgabuf_engine *engine)
{
	struct fpgabuf_transfer *transfer;
	struct dma_tx_state state = {};
	enum dma_status status;

	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	transfer = ask_oldest(engine);
	spin_unlock_irq(&engine->queue.lock);
	if (!transfer)
		return FPGABUF_ANSWER_BUSY;

	status = dmaengine_tx_status(engine->chan, transfer->cookie, &state);
	if (status == DMA_ERROR)
		return FPGABUF_ANSWER_FAILED;
	if (status != DMA_COMPLETE)
		return FPGABUF_ANSWER_BUSY;
	if (engine->asked != transfer->cookie) {
		engine->asked = transfer->cookie;
		return FPGABUF_ANSWER_COMPLETE;
	}
	ask_complete(engine, transfer, state.residue);
	return FPGABUF_ANSWER_LOST;
}
