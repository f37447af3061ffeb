// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming: jobs to descriptors and back.
 *
 * A queued job goes to the engine once it has nothing to wait for, in order;
 * what the engine's callback says becomes its completion, and signals its fence.
 * From the moment that a fence is published all of this is in the way of whoever
 * waits for it, and is marked so (dma_fence_begin_signalling()): nothing here
 * allocates memory or takes a reservation, or a lock under which somebody does.
 */
#include <linux/dma-fence.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/poll.h>

#include "channel.h"
#include "trace.h"

static int stream_status(const struct dmaengine_result *result)
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
 * What the board, or else the channel itself, knows of the frame. An engine that
 * failed has not described it: its metadata may be anything.
 */
static struct fpgabuf_frame stream_frame(const struct fpgabuf_slot *slot,
					 const struct dmaengine_result *result)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_frame frame = {
		.sequence = channel->next_sequence,
		.timestamp = ktime_get_ns(),
	};
	size_t len, max;
	void *metadata;

	if (!channel->has_metadata || result->result != DMA_TRANS_NOERROR)
		return frame;
	metadata = dmaengine_desc_get_metadata_ptr(slot->desc, &len, &max);
	if (!IS_ERR_OR_NULL(metadata))
		channel->config.ops->frame(channel->config.priv, metadata, len,
					   &frame);
	return frame;
}

/* Numbers of frames only rise. One that does not is an error of its frame. */
static int stream_check_frame(const struct fpgabuf_channel *channel,
			      struct fpgabuf_frame *frame)
{
	if (frame->sequence >= channel->next_sequence)
		return 0;
	frame->sequence = channel->next_sequence;
	return -EIO;
}

static void stream_fill_done(struct fpgabuf_channel *channel,
			     const struct fpgabuf_frame *frame,
			     struct fpgabuf_completion *done)
{
	u64 lost = frame->sequence - channel->next_sequence;

	lockdep_assert_held(&channel->queue.lock);
	done->sequence = frame->sequence;
	done->timestamp = frame->timestamp;
	done->lost = min_t(u64, lost, U32_MAX);
	done->flags = lost ? frame->flags : 0;
	channel->next_sequence = frame->sequence + 1;
}

static void stream_signal(struct fpgabuf_channel *channel,
			  struct fpgabuf_slot *slot, int status)
{
	struct dma_fence *fence = slot->fence;

	if (!fence)
		return;
	slot->fence = NULL;
	channel->num_fenced--;
	if (status)
		dma_fence_set_error(fence, status);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/*
 * The oldest job is done; what else its completion says is filled in. The fence
 * is signaled with the lock held, so that the next one cannot come first.
 */
static void stream_complete(struct fpgabuf_channel *channel,
			    struct fpgabuf_job *job, int status)
{
	struct fpgabuf_slot *slot = &channel->slots[job->done.slot];

	lockdep_assert_held(&channel->queue.lock);
	job->done.status = status;
	job->done.run = channel->run;
	if (slot->transfer)
		slot->transfer->slot = NULL;
	slot->transfer = NULL;
	channel->head_since = ktime_get_ns();
	fpgabuf_stats_count(channel, &job->done);
	fpgabuf_queue_complete(&channel->queue, job);
	stream_signal(channel, slot, status);
	trace_fpgabuf_done(channel, job);
}

/* The oldest job is done, and there is no frame. */
void fpgabuf_stream_finish_job(struct fpgabuf_channel *channel,
			       struct fpgabuf_job *job, int status)
{
	job->done.sequence = channel->next_sequence;
	job->done.timestamp = ktime_get_ns();
	stream_complete(channel, job, status);
}

static void stream_wake(struct fpgabuf_channel *channel)
{
	wake_up_interruptible_poll(&channel->wait, EPOLLIN | EPOLLRDNORM);
}

/*
 * A descriptor is complete: the engine no longer touches its buffer, nor those
 * of the descriptors before it, whose callbacks have gone lost.
 */
static void stream_transfer_done(struct fpgabuf_channel *channel,
				 struct fpgabuf_slot *slot,
				 const struct dmaengine_result *result)
{
	struct fpgabuf_completion *done = &slot->job->done;
	struct fpgabuf_frame frame;
	struct fpgabuf_job *job;
	int status;

	while ((job = fpgabuf_queue_oldest(&channel->queue)) != slot->job) {
		fpgabuf_stream_finish_job(channel, job, -EIO);
		/* It may be there, and is told of: not lost. */
		channel->next_sequence++;
	}

	frame = stream_frame(slot, result);
	status = stream_status(result) ?: stream_check_frame(channel, &frame);
	done->bytes = slot->bytes - min_t(u64, result->residue, slot->bytes);
	stream_fill_done(channel, &frame, done);
	stream_complete(channel, slot->job, status);

	/* What found no descriptor, or waited for its turn to fail. */
	if (!list_empty(&channel->queue.queued))
		fpgabuf_queue_work(&channel->work);
}

/*
 * Called by the engine, in any context that does not sleep; by a faulty one also
 * twice, or for what was terminated before.
 */
static void stream_callback(void *param, const struct dmaengine_result *result)
{
	struct fpgabuf_transfer *transfer = param;
	struct fpgabuf_channel *channel = transfer->channel;
	struct fpgabuf_slot *slot;
	unsigned long flags;
	bool cookie;

	cookie = dma_fence_begin_signalling();
	spin_lock_irqsave(&channel->queue.lock, flags);
	slot = transfer->slot;
	if (slot)
		stream_transfer_done(channel, slot, result);
	else
		channel->stats.stray++;
	spin_unlock_irqrestore(&channel->queue.lock, flags);
	dma_fence_end_signalling(cookie);

	if (slot)
		stream_wake(channel);
}

static struct fpgabuf_transfer *
stream_get_transfer(struct fpgabuf_channel *channel)
{
	unsigned int i = channel->next_transfer++;

	lockdep_assert_held(&channel->engine_lock);
	return &channel->transfers[i % FPGABUF_NUM_TRANSFERS];
}

static struct dma_async_tx_descriptor *
stream_prepare_sg(struct fpgabuf_channel *channel, struct scatterlist *sgl,
		  unsigned int nents)
{
	enum dma_transfer_direction dir = fpgabuf_channel_is_output(channel) ?
		DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;

	return dmaengine_prep_slave_sg(channel->dma, sgl, nents, dir,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
}

/* A frame that is shorter than others */
static struct dma_async_tx_descriptor *
stream_prepare_part(struct fpgabuf_channel *channel, struct fpgabuf_slot *slot)
{
	struct scatterlist *from = slot->pieces.frame.sgl;
	struct scatterlist *to = slot->pieces.part.sgl;
	unsigned int nents = 0, len;
	u64 left = slot->bytes;

	for (; left; left -= len, nents++) {
		len = min_t(u64, left, sg_dma_len(from));
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = len;
		/* Some providers walk the CPU lengths. */
		to->length = len;
		from = sg_next(from);
		to = sg_next(to);
	}
	return stream_prepare_sg(channel, slot->pieces.part.sgl, nents);
}

static struct dma_async_tx_descriptor *
stream_prepare(struct fpgabuf_channel *channel, struct fpgabuf_slot *slot)
{
	const struct sg_table *frame = &slot->pieces.frame;

	if (slot->bytes < channel->format.size)
		return stream_prepare_part(channel, slot);
	return stream_prepare_sg(channel, frame->sgl, frame->nents);
}

/* The engine is to have the job; it may be done before it is submitted. */
static void stream_account(struct fpgabuf_channel *channel,
			   struct fpgabuf_job *job,
			   struct dma_async_tx_descriptor *desc,
			   struct fpgabuf_transfer *transfer)
{
	struct fpgabuf_slot *slot = &channel->slots[job->done.slot];

	spin_lock_irq(&channel->queue.lock);
	slot->desc = desc;
	slot->transfer = transfer;
	transfer->slot = slot;
	if (list_empty(&channel->queue.active))
		channel->head_since = ktime_get_ns();
	fpgabuf_queue_issue(&channel->queue, job);
	trace_fpgabuf_issue(channel, job);
	spin_unlock_irq(&channel->queue.lock);
}

/* The engine did not take it. */
static void stream_unaccount(struct fpgabuf_channel *channel,
			     struct fpgabuf_job *job)
{
	struct fpgabuf_slot *slot = &channel->slots[job->done.slot];

	spin_lock_irq(&channel->queue.lock);
	slot->transfer->slot = NULL;
	slot->transfer = NULL;
	fpgabuf_queue_unissue(&channel->queue, job);
	trace_fpgabuf_unissue(channel, job);
	/* The last completion may have come before there was one to try again. */
	if (list_empty(&channel->queue.active))
		fpgabuf_queue_work(&channel->work);
	spin_unlock_irq(&channel->queue.lock);
}

/* Hand a job to the engine; false when it takes no more. */
static bool stream_issue_job(struct fpgabuf_channel *channel,
			     struct fpgabuf_job *job)
{
	struct fpgabuf_slot *slot = &channel->slots[job->done.slot];
	struct fpgabuf_transfer *transfer;
	struct dma_async_tx_descriptor *desc;

	desc = stream_prepare(channel, slot);
	if (!desc)
		return false;
	transfer = stream_get_transfer(channel);
	desc->callback_result = stream_callback;
	desc->callback_param = transfer;

	stream_account(channel, job, desc, transfer);
	if (!dma_submit_error(dmaengine_submit(desc)))
		return true;
	stream_unaccount(channel, job);
	return false;
}

/* The oldest job comes to nothing. */
static void stream_fail_job(struct fpgabuf_channel *channel,
			    struct fpgabuf_job *job, int status)
{
	spin_lock_irq(&channel->queue.lock);
	fpgabuf_stream_finish_job(channel, job, status);
	spin_unlock_irq(&channel->queue.lock);
	stream_wake(channel);
}

/* The oldest queued job, if the channel is to work on it. */
static struct fpgabuf_job *stream_next_job(struct fpgabuf_channel *channel,
					   bool *idle)
{
	struct fpgabuf_job *job = NULL;

	spin_lock_irq(&channel->queue.lock);
	if (channel->streaming)
		job = list_first_entry_or_null(&channel->queue.queued,
					       struct fpgabuf_job, node);
	*idle = list_empty(&channel->queue.active);
	spin_unlock_irq(&channel->queue.lock);
	return job;
}

/*
 * The next job, as far as it can go now; false when it cannot. One that fails
 * must wait for those before it; an engine that refuses a job has no room, which
 * the next completion makes. With none to come the job has failed.
 */
static bool stream_try_job(struct fpgabuf_channel *channel,
			   struct fpgabuf_job *job, bool idle)
{
	struct fpgabuf_wait *wait = &channel->slots[job->done.slot].wait;
	int status;

	if (!fpgabuf_wait_done(wait))
		return false;
	status = fpgabuf_wait_error(wait);
	if (status && !idle)
		return false;
	/* Once the engine has it, it may be done, and queued again. */
	fpgabuf_wait_fini(wait);
	if (!status && stream_issue_job(channel, job))
		return true;
	if (!status && !idle)
		return false;
	stream_fail_job(channel, job, status ?: -EIO);
	return true;
}

/* Give the engine what it takes of the jobs that have nothing to wait for. */
void fpgabuf_stream_issue_ready(struct fpgabuf_channel *channel)
{
	struct fpgabuf_job *job;
	bool idle;

	lockdep_assert_held(&channel->engine_lock);
	if (channel->quarantine)
		fpgabuf_stream_complete_all(channel, -EIO);
	while ((job = stream_next_job(channel, &idle)))
		if (!stream_try_job(channel, job, idle))
			break;
	if (!channel->streaming)
		return;
	dma_async_issue_pending(channel->dma);
	fpgabuf_watchdog_start(channel);
}

/* Likewise, for who holds nothing of the engine's. */
void fpgabuf_stream_issue(struct fpgabuf_channel *channel)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&channel->engine_lock);
	fpgabuf_stream_issue_ready(channel);
	mutex_unlock(&channel->engine_lock);
	dma_fence_end_signalling(cookie);
}

static void stream_work(struct work_struct *work)
{
	fpgabuf_stream_issue(container_of(work, struct fpgabuf_channel, work));
}

/* The last fence that a job waited for, in whatever context. */
static void stream_ready(struct fpgabuf_wait *wait)
{
	struct fpgabuf_slot *slot =
		container_of(wait, struct fpgabuf_slot, wait);

	fpgabuf_queue_work(&slot->channel->work);
}

void fpgabuf_stream_init(struct fpgabuf_channel *channel)
{
	unsigned int i;

	mutex_init(&channel->engine_lock);
	INIT_WORK(&channel->work, stream_work);
	fpgabuf_watchdog_init(channel);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++)
		fpgabuf_wait_init(&channel->slots[i].wait, stream_ready);
	for (i = 0; i < FPGABUF_NUM_TRANSFERS; i++)
		channel->transfers[i].channel = channel;
}

/* Stopped for the last time: nobody queues the works any more. */
void fpgabuf_stream_fini(struct fpgabuf_channel *channel)
{
	cancel_work_sync(&channel->work);
	cancel_delayed_work_sync(&channel->watchdog);
}

/*
 * Give the board a format. After an error it may have a part of it: it gets one
 * again before it is started.
 */
int fpgabuf_stream_configure(struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret = 0;

	lockdep_assert_held(&channel->lock);
	if (ops && ops->set_format)
		ret = ops->set_format(channel->config.priv, format);
	channel->configured = !ret;
	return ret;
}

static void stream_set(struct fpgabuf_channel *channel, bool streaming)
{
	lockdep_assert_held(&channel->engine_lock);
	spin_lock_irq(&channel->queue.lock);
	channel->streaming = streaming;
	spin_unlock_irq(&channel->queue.lock);
}

/* The engine is stopped: its jobs are to be given to it again, in order. */
void fpgabuf_stream_unissue_all(struct fpgabuf_channel *channel)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&channel->queue.lock);
	list_for_each_entry(job, &channel->queue.active, node) {
		struct fpgabuf_slot *slot = &channel->slots[job->done.slot];

		slot->transfer->slot = NULL;
		slot->transfer = NULL;
		trace_fpgabuf_unissue(channel, job);
	}
	fpgabuf_queue_unissue_all(&channel->queue);
}

/* The board did not start: as if nothing had been tried. */
static void stream_unstart(struct fpgabuf_channel *channel)
{
	int status;

	mutex_lock(&channel->engine_lock);
	status = fpgabuf_engine_halt(channel, false);
	if (status) {
		fpgabuf_stream_complete_all(channel, status);
	} else {
		spin_lock_irq(&channel->queue.lock);
		fpgabuf_stream_unissue_all(channel);
		spin_unlock_irq(&channel->queue.lock);
	}
	stream_set(channel, false);
	mutex_unlock(&channel->engine_lock);
	channel->run--;
}

int fpgabuf_stream_start(struct fpgabuf_channel *channel, u32 timeout_ms)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret;

	lockdep_assert_held(&channel->lock);
	ret = fpgabuf_quarantine_end(channel);
	if (ret)
		return ret;
	if (!channel->configured)
		ret = fpgabuf_stream_configure(channel, &channel->format);
	if (ret)
		return ret;

	channel->run++;
	channel->context = dma_fence_context_alloc(1);
	channel->seqno = 0;
	channel->next_sequence = 0;
	mutex_lock(&channel->engine_lock);
	channel->timeout = (u64)timeout_ms * NSEC_PER_MSEC;
	stream_set(channel, true);
	fpgabuf_stream_issue_ready(channel);
	mutex_unlock(&channel->engine_lock);

	if (ops && ops->start)
		ret = ops->start(channel->config.priv, channel->run);
	trace_fpgabuf_start(channel, ret);
	if (ret)
		stream_unstart(channel);
	return ret;
}

/* The engine is idle, or in quarantine. */
void fpgabuf_stream_complete_all(struct fpgabuf_channel *channel, int status)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&channel->engine_lock);
	spin_lock_irq(&channel->queue.lock);
	while ((job = fpgabuf_queue_oldest(&channel->queue)))
		fpgabuf_stream_finish_job(channel, job, status);
	spin_unlock_irq(&channel->queue.lock);
	wake_up_all(&channel->wait);
}

/*
 * When it returns the engine touches no buffer but those in quarantine, and what
 * it calls back is not listened to. All that is pending is done with @status.
 */
void fpgabuf_stream_stop(struct fpgabuf_channel *channel, int status)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	unsigned int i;
	bool cookie;
	int ret = 0;

	lockdep_assert_held(&channel->lock);
	trace_fpgabuf_stop(channel, status);
	if (channel->streaming && ops && ops->stop)
		ops->stop(channel->config.priv);

	cookie = dma_fence_begin_signalling();
	mutex_lock(&channel->engine_lock);
	if (channel->streaming)
		ret = fpgabuf_engine_halt(channel, false);
	stream_set(channel, false);
	fpgabuf_stream_complete_all(channel, ret ?: status);
	/* The next run may have a shorter timeout than the one it waits for. */
	cancel_delayed_work(&channel->watchdog);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++)
		fpgabuf_wait_fini(&channel->slots[i].wait);
	mutex_unlock(&channel->engine_lock);
	dma_fence_end_signalling(cookie);
}
