// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming: what a channel's jobs are to the engine. One descriptor a frame; its
 * callback and what the board knows of the frame become the completion.
 */
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "channel.h"
#include "trace.h"

/*
 * What the board, or else the channel itself, knows of the frame. The metadata of
 * a transfer that failed may be anything, and is not read.
 */
static struct fpgabuf_frame stream_frame(const struct fpgabuf_slot *slot,
					 const struct dmaengine_result *result)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_frame frame = {
		.sequence = channel->next_sequence,
		.timestamp = ktime_get_ns(),
		.bytes = fpgabuf_pieces_moved(slot, result->residue),
	};
	size_t len, max;
	void *metadata;

	if (!channel->has_metadata || slot->job.asked ||
	    result->result != DMA_TRANS_NOERROR)
		return frame;
	metadata = dmaengine_desc_get_metadata_ptr(slot->desc, &len, &max);
	if (!IS_ERR_OR_NULL(metadata))
		channel->config.ops->frame(channel->config.priv, metadata, len,
					   &frame);
	return frame;
}

/* Numbers of frames only rise. One that does not is an error of its frame. */
static int stream_check_number(const struct fpgabuf_channel *channel,
			       struct fpgabuf_frame *frame)
{
	if (frame->sequence >= channel->next_sequence)
		return 0;
	frame->sequence = channel->next_sequence;
	return -EIO;
}

/* What is wrong with a frame that was transferred: 0, or a negative errno. */
static int stream_check_frame(const struct fpgabuf_slot *slot,
			      struct fpgabuf_frame *frame)
{
	const struct fpgabuf_channel *channel = slot->channel;
	const int ret = stream_check_number(channel, frame);

	if (frame->status)
		return frame->status < 0 ? frame->status : -EIO;
	if (frame->bytes > slot->bytes) {
		frame->bytes = 0;
		return -EIO;
	}
	if (frame->bytes < slot->bytes &&
	    !(channel->format.flags & FPGABUF_FORMAT_PACKETS))
		return -EMSGSIZE;
	return ret;
}

/* The slot's completion, but for its status */
void fpgabuf_stream_fill_done(struct fpgabuf_slot *slot,
			      const struct fpgabuf_frame *frame)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_completion *done = &slot->done;
	u64 lost = frame->sequence - channel->next_sequence;

	lockdep_assert_held(&channel->client.engine.queue.lock);
	done->sequence = frame->sequence;
	done->timestamp = frame->timestamp;
	done->bytes = frame->bytes;
	done->lost = min_t(u64, lost, U32_MAX);
	done->flags = lost ? frame->flags : 0;
	done->metadata_len = min_t(size_t, frame->metadata_len,
				   FPGABUF_METADATA_SIZE);
	if (done->metadata_len)
		memcpy(&slot->metadata, frame->metadata, done->metadata_len);
	channel->next_sequence = frame->sequence + 1;
}

/* The descriptor is complete: the engine does not access the buffer any more. */
static int stream_transferred(struct fpgabuf_job *job,
			      const struct dmaengine_result *result, int status)
{
	struct fpgabuf_slot *slot = to_fpgabuf_slot(job);
	struct fpgabuf_frame frame = stream_frame(slot, result);

	/* What the engine left over may be no error: that depends on the format. */
	if (result->result == DMA_TRANS_NOERROR)
		status = stream_check_frame(slot, &frame);
	fpgabuf_stream_fill_done(slot, &frame);
	return status;
}

static void stream_done(struct fpgabuf_job *job)
{
	struct fpgabuf_slot *slot = to_fpgabuf_slot(job);
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_completion *done = &slot->done;

	if (!job->finished) {
		done->sequence = channel->next_sequence;
		done->timestamp = ktime_get_ns();
	}
	/*
	 * The frame may be complete in memory. It is reported with -EIO, so do
	 * not count it as lost.
	 */
	if (job->lost)
		channel->next_sequence++;
	done->status = job->status;
	done->run = channel->run;
	fpgabuf_stats_count(channel, done);
	trace_fpgabuf_done(slot);
}

static struct dma_async_tx_descriptor *stream_prepare(struct fpgabuf_job *job,
						      bool *more)
{
	struct fpgabuf_slot *slot = to_fpgabuf_slot(job);

	*more = false;
	slot->desc = fpgabuf_pieces_prepare(slot);
	return slot->desc;
}

static void stream_begin(struct fpgabuf_job *job)
{
	trace_fpgabuf_issue(to_fpgabuf_slot(job));
}

static void stream_again(struct fpgabuf_job *job)
{
	trace_fpgabuf_unissue(to_fpgabuf_slot(job));
}

static int stream_configure(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	const struct fpgabuf_channel_ops *ops = channel->config.ops;

	if (!ops || !ops->configure)
		return 0;
	return ops->configure(channel->config.priv, engine->chan);
}

static int stream_stopped(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	const struct fpgabuf_channel_ops *ops = channel->config.ops;

	return ops && ops->idle ? ops->idle(channel->config.priv) : 0;
}

static int stream_reset(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	const struct fpgabuf_channel_ops *ops = channel->config.ops;

	return ops && ops->reset ? ops->reset(channel->config.priv) : 0;
}

static void stream_quarantine(struct fpgabuf_job *job)
{
	to_fpgabuf_slot(job)->quarantined = true;
}

static void stream_idle(struct fpgabuf_engine *engine)
{
	struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	u32 number;

	for (number = 0; number < channel->max_slots; number++)
		if (channel->slots[number])
			channel->slots[number]->quarantined = false;
}

const struct fpgabuf_engine_ops fpgabuf_stream_ops = {
	.begin		= stream_begin,
	.prepare	= stream_prepare,
	.transferred	= stream_transferred,
	.again		= stream_again,
	.done		= stream_done,
	.configure	= stream_configure,
	.stopped	= stream_stopped,
	.reset		= stream_reset,
	.entered	= fpgabuf_ring_entered,
	.passed		= fpgabuf_ring_passed,
	.quarantine	= stream_quarantine,
	.quarantine_ring = fpgabuf_ring_quarantine,
	.idle		= stream_idle,
};

/* The device may be suspended, if nothing runs, and forget what it was set to. */
void fpgabuf_stream_power_down(struct fpgabuf_channel *channel)
{
	if (fpgabuf_client_power_down(&channel->client))
		channel->configured = false;
}

static int stream_set_format(struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret;

	ret = fpgabuf_engine_configure(&channel->client.engine);
	if (!ret && ops && ops->set_format)
		ret = ops->set_format(channel->config.priv, format);
	channel->configured = !ret;
	return ret;
}

/*
 * Give the board a format. After an error it may have a part of it: it gets one
 * again before it is started.
 */
int fpgabuf_stream_configure(struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format)
{
	int ret;

	lockdep_assert_held(&channel->client.lock);
	ret = fpgabuf_client_power_up(&channel->client);
	if (ret)
		return ret;
	ret = stream_set_format(channel, format);
	fpgabuf_stream_power_down(channel);
	return ret;
}

static int stream_start_engine(struct fpgabuf_channel *channel, u32 timeout_ms)
{
	struct fpgabuf_engine *engine = &channel->client.engine;

	if (engine->by_ring)
		return fpgabuf_ring_start(channel, timeout_ms);
	fpgabuf_engine_start(engine, timeout_ms);
	return 0;
}

static void stream_unstart_engine(struct fpgabuf_channel *channel)
{
	fpgabuf_engine_unstart(&channel->client.engine);
	fpgabuf_ring_free(channel);
}

/* With power */
static int stream_start(struct fpgabuf_channel *channel, u32 timeout_ms)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	struct fpgabuf_client *client = &channel->client;
	int ret;

	ret = fpgabuf_quarantine_end(channel);
	if (!ret && !channel->configured)
		ret = stream_set_format(channel, &channel->format);
	if (ret)
		return ret;

	channel->run++;
	channel->next_sequence = 0;
	fpgabuf_client_new_timeline(client);
	ret = stream_start_engine(channel, timeout_ms);
	if (!ret && ops && ops->start) {
		ret = ops->start(channel->config.priv, channel->run);
		if (ret)
			stream_unstart_engine(channel);
	}
	trace_fpgabuf_start(channel, ret);
	if (ret)
		channel->run--;
	return ret;
}

/* After an error everything is as if nothing had been tried. */
int fpgabuf_stream_start(struct fpgabuf_channel *channel, u32 timeout_ms)
{
	int ret;

	lockdep_assert_held(&channel->client.lock);
	ret = fpgabuf_client_power_up(&channel->client);
	if (ret)
		return ret;
	ret = stream_start(channel, timeout_ms);
	if (ret)
		fpgabuf_stream_power_down(channel);
	return ret;
}

/* All pending jobs complete with @status. */
void fpgabuf_stream_stop(struct fpgabuf_channel *channel, int status)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;

	lockdep_assert_held(&channel->client.lock);
	trace_fpgabuf_stop(channel, status);
	if (channel->client.engine.running && ops && ops->stop)
		ops->stop(channel->config.priv);
	fpgabuf_engine_stop(&channel->client.engine, status);
	fpgabuf_ring_free(channel);
	fpgabuf_stream_power_down(channel);
}
