// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming: jobs to descriptors and back. The only file that talks to the
 * engine.
 */
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/poll.h>

#include "channel.h"

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

/* What the board, or else the channel itself, knows of the frame. */
static struct fpgabuf_frame stream_frame(const struct fpgabuf_slot *slot)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_frame frame = {
		.sequence = READ_ONCE(channel->next_sequence),
		.timestamp = ktime_get_ns(),
	};
	size_t len, max;
	void *metadata;

	if (!channel->has_metadata)
		return frame;
	metadata = dmaengine_desc_get_metadata_ptr(slot->desc, &len, &max);
	if (!IS_ERR_OR_NULL(metadata))
		channel->config.ops->frame(channel->config.priv, metadata, len,
					   &frame);
	return frame;
}

static void stream_fill_done(struct fpgabuf_channel *channel,
			     const struct fpgabuf_frame *frame,
			     struct fpgabuf_completion *done)
{
	u64 lost = frame->sequence - channel->next_sequence;

	lockdep_assert_held(&channel->queue.lock);
	done->sequence = frame->sequence;
	done->timestamp = frame->timestamp;
	done->run = channel->run;
	done->lost = min_t(u64, lost, U32_MAX);
	done->flags = lost ? frame->flags : 0;
	WRITE_ONCE(channel->next_sequence, frame->sequence + 1);
}

/*
 * A descriptor is complete: the engine no longer touches its buffer. Called by
 * the engine, one at a time and in order, in any context that does not sleep.
 */
static void stream_done(void *param, const struct dmaengine_result *result)
{
	struct fpgabuf_slot *slot = param;
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_frame frame = stream_frame(slot);
	struct fpgabuf_completion *done = &slot->job->done;
	unsigned long flags;

	spin_lock_irqsave(&channel->queue.lock, flags);
	done->status = stream_status(result);
	done->bytes = channel->format.size - result->residue;
	stream_fill_done(channel, &frame, done);
	fpgabuf_queue_complete(&channel->queue, slot->job);
	spin_unlock_irqrestore(&channel->queue.lock, flags);

	wake_up_interruptible_poll(&channel->wait, EPOLLIN | EPOLLRDNORM);
}

/* Hand a job to the engine; false when it has no descriptor left. */
static bool stream_issue_job(struct fpgabuf_channel *channel,
			     struct fpgabuf_job *job)
{
	struct fpgabuf_slot *slot = &channel->slots[job->done.slot];
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_slave_sg(channel->dma, slot->frame.sgl,
				       slot->frame.nents, DMA_DEV_TO_MEM,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return false;
	desc->callback_result = stream_done;
	desc->callback_param = slot;
	slot->desc = desc;

	/* Before it is submitted: it may be complete before that returns. */
	spin_lock_irq(&channel->queue.lock);
	fpgabuf_queue_issue(&channel->queue, job);
	spin_unlock_irq(&channel->queue.lock);

	if (dma_submit_error(dmaengine_submit(desc))) {
		const struct dmaengine_result failed = {
			.result = DMA_TRANS_READ_FAILED,
			.residue = channel->format.size,
		};

		stream_done(slot, &failed);
	}
	return true;
}

/*
 * The engine refuses the only job there is: nothing will ever complete and make
 * room for it, so it is done, with an error.
 */
static void stream_fail_job(struct fpgabuf_channel *channel,
			    struct fpgabuf_job *job)
{
	spin_lock_irq(&channel->queue.lock);
	job->done.status = -EIO;
	job->done.run = channel->run;
	job->done.sequence = channel->next_sequence;
	job->done.timestamp = ktime_get_ns();
	fpgabuf_queue_complete(&channel->queue, job);
	spin_unlock_irq(&channel->queue.lock);

	wake_up_interruptible_poll(&channel->wait, EPOLLIN | EPOLLRDNORM);
}

static struct fpgabuf_job *stream_next_job(struct fpgabuf_channel *channel,
					   bool *idle)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&channel->queue.lock);
	job = list_first_entry_or_null(&channel->queue.queued,
				       struct fpgabuf_job, node);
	*idle = list_empty(&channel->queue.active);
	spin_unlock_irq(&channel->queue.lock);
	return job;
}

/*
 * Give the engine as many of the queued jobs as it takes. What it does not take
 * now is tried again at the next exchange, which a completion brings about.
 */
void fpgabuf_stream_issue(struct fpgabuf_channel *channel)
{
	struct fpgabuf_job *job;
	bool idle;

	lockdep_assert_held(&channel->lock);
	while ((job = stream_next_job(channel, &idle))) {
		if (stream_issue_job(channel, job))
			continue;
		if (!idle)
			break;
		stream_fail_job(channel, job);
	}
	dma_async_issue_pending(channel->dma);
}

static int stream_configure(struct fpgabuf_channel *channel)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret;

	if (channel->configured || !ops || !ops->set_format)
		return 0;
	ret = ops->set_format(channel->config.priv, &channel->format);
	channel->configured = !ret;
	return ret;
}

static void stream_set(struct fpgabuf_channel *channel, bool streaming)
{
	spin_lock_irq(&channel->queue.lock);
	channel->streaming = streaming;
	spin_unlock_irq(&channel->queue.lock);
}

int fpgabuf_stream_start(struct fpgabuf_channel *channel)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret;

	lockdep_assert_held(&channel->lock);
	ret = stream_configure(channel);
	if (ret)
		return ret;

	channel->run++;
	channel->next_sequence = 0;
	stream_set(channel, true);
	fpgabuf_stream_issue(channel);
	if (!ops || !ops->start)
		return 0;

	ret = ops->start(channel->config.priv, channel->run);
	if (ret) {
		dmaengine_terminate_sync(channel->dma);
		spin_lock_irq(&channel->queue.lock);
		fpgabuf_queue_unissue_all(&channel->queue);
		channel->streaming = false;
		spin_unlock_irq(&channel->queue.lock);
		channel->run--;
	}
	return ret;
}

/* When it returns, the engine touches no buffer and calls nothing back. */
void fpgabuf_stream_stop(struct fpgabuf_channel *channel)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;

	lockdep_assert_held(&channel->lock);
	if (channel->streaming) {
		if (ops && ops->stop)
			ops->stop(channel->config.priv);
		dmaengine_terminate_sync(channel->dma);
	}

	spin_lock_irq(&channel->queue.lock);
	channel->streaming = false;
	fpgabuf_queue_cancel_all(&channel->queue, channel->run,
				 ktime_get_ns());
	spin_unlock_irq(&channel->queue.lock);
	wake_up_all(&channel->wait);
}
