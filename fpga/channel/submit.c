// SPDX-License-Identifier: GPL-2.0
/*
 * The requests of an exchange: buffers that are to be queued.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "channel.h"
#include "format.h"
#include "trace.h"

/* Output may be shorter than a frame, if that is a format, too. */
static int submit_check_bytes(const struct fpgabuf_channel *channel,
			      struct fpgabuf_queue_entry *entry)
{
	const struct fpgabuf_channel_config *config = &channel->config;
	struct fpgabuf_format format = channel->format;

	if (!entry->bytes) {
		entry->bytes = channel->format.size;
		return 0;
	}
	if (!fpgabuf_channel_is_output(channel) ||
	    entry->bytes > channel->format.size)
		return -EINVAL;
	if (entry->bytes == channel->format.size)
		return 0;
	format.size = entry->bytes;
	return fpgabuf_format_complete(config->formats, config->num_formats,
				       config->default_format.rate,
				       config->capabilities &
				       FPGABUF_CAP_UNTHROTTLED,
				       fpgabuf_pieces_line_align(channel),
				       &format) ?
		-EINVAL : 0;
}

/* Read the entries and their fences. Returns the flags of all in @flags. */
static int submit_read(struct fpgabuf_channel *channel,
		       const struct fpgabuf_exchange *x, u32 *flags,
		       struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_queue_entry *entries = fpgabuf_channel_entries(channel);
	struct fpgabuf_fences *fences = fpgabuf_channel_fences(channel);
	unsigned int i;
	int ret;

	ret = fpgabuf_user_read(entries, x->queue,
				x->queue_count * sizeof(*entries), fault);
	if (ret)
		return ret;

	*flags = 0;
	for (i = 0; i < x->queue_count; i++) {
		ret = submit_check_bytes(channel, &entries[i]);
		if (ret)
			return ret;
		*flags |= entries[i].flags;
	}
	if (*flags & ~FPGABUF_CLIENT_FLAGS)
		return -EINVAL;
	if (channel->client.engine.by_ring &&
	    *flags & (FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE))
		return -EOPNOTSUPP;
	if (!(*flags & (FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE)))
		return 0;
	if (!x->fences)
		return -EINVAL;
	return fpgabuf_user_read(fences, x->fences,
				 x->queue_count * sizeof(*fences), fault);
}

/* Find the slots of all entries: different ones, and idle. */
static int submit_find(struct fpgabuf_channel *channel, unsigned int num)
{
	const struct fpgabuf_queue_entry *entries =
		fpgabuf_channel_entries(channel);
	unsigned int i;

	lockdep_assert_held(&channel->client.engine.queue.lock);
	channel->num_submissions++;
	for (i = 0; i < num; i++) {
		struct fpgabuf_slot *slot =
			fpgabuf_slot(channel, entries[i].slot);

		if (!slot)
			return -ENOENT;
		if (slot->job.state != FPGABUF_JOB_IDLE ||
		    slot->seen == channel->num_submissions)
			return -EBUSY;
		slot->seen = channel->num_submissions;
		channel->client.submission.requests[i].job = &slot->job;
	}
	return 0;
}

static int submit_check(struct fpgabuf_channel *channel,
			const struct fpgabuf_exchange *x, u32 flags)
{
	struct fpgabuf_engine *engine = &channel->client.engine;
	struct fpgabuf_queue *queue = &engine->queue;
	int ret;

	spin_lock_irq(&queue->lock);
	ret = submit_find(channel, x->queue_count);
	if (!ret && queue->num_pending + x->queue_count >
		    channel->config.queue_depth)
		ret = -ENOSPC;
	if (!ret && x->min_done && !engine->running && !queue->num_done)
		ret = -EPIPE;
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE && !engine->running)
		ret = -EPIPE;
	if (!ret && x->queue_count && engine->quarantine)
		ret = -EIO;
	spin_unlock_irq(&queue->lock);
	return ret;
}

static void submit_fill(struct fpgabuf_channel *channel, unsigned int i)
{
	const struct fpgabuf_queue_entry *entry =
		&fpgabuf_channel_entries(channel)[i];
	struct fpgabuf_submission *s = &channel->client.submission;
	struct fpgabuf_slot *slot = to_fpgabuf_slot(s->requests[i].job);

	slot->bytes = entry->bytes;
	slot->done = (struct fpgabuf_completion){
		.slot = entry->slot,
		.user_data = entry->user_data,
	};
	s->requests[i].flags = entry->flags;
	if (channel->client.engine.by_ring)
		s->requests[i].flags |= FPGABUF_QUEUE_NO_IMPLICIT;
	s->requests[i].in_fence = fpgabuf_channel_fences(channel)[i].in;
	s->res[i].import = slot->import;
	s->res[i].write = !fpgabuf_channel_is_output(channel);
}

static int submit_end_quarantine(struct fpgabuf_channel *channel)
{
	const int ret = fpgabuf_quarantine_end(channel);

	fpgabuf_stream_power_down(channel);
	return ret;
}

/* &fpgabuf_client_ops.submit */
int fpgabuf_submit(struct fpgabuf_client *client, struct file *file,
		   const void *exchange, struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_channel *channel = to_fpgabuf_channel(client);
	const struct fpgabuf_exchange *x = exchange;
	unsigned int i;
	u32 flags;
	int ret = 0;

	/* An engine that stopped after all takes buffers before a start, too. */
	if (x->queue_count && !client->engine.running)
		ret = submit_end_quarantine(channel);
	if (!ret)
		ret = submit_read(channel, x, &flags, fault);
	if (!ret)
		ret = submit_check(channel, x, flags);
	if (ret || !x->queue_count)
		return ret;
	for (i = 0; i < x->queue_count; i++)
		submit_fill(channel, i);
	client->submission.flags = flags;
	return fpgabuf_client_submit(client, x, x->queue_count, fault);
}

/* &fpgabuf_client_ops.report */
int fpgabuf_submit_report(struct fpgabuf_client *client, const void *exchange,
			  unsigned int num, struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_channel *channel = to_fpgabuf_channel(client);
	const struct fpgabuf_request *requests = client->submission.requests;
	struct fpgabuf_fences *fences = fpgabuf_channel_fences(channel);
	const struct fpgabuf_exchange *x = exchange;
	unsigned int i;

	for (i = 0; i < num; i++)
		if (requests[i].file)
			fences[i].out = requests[i].out_fence;
	return fpgabuf_user_write(x->fences, fences, num * sizeof(*fences),
				  fault);
}

/* &fpgabuf_client_ops.queue */
void fpgabuf_submit_queue(struct fpgabuf_client *client, unsigned int i)
{
	trace_fpgabuf_queue(to_fpgabuf_slot(client->submission.requests[i].job));
}
