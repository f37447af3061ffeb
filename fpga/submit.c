// SPDX-License-Identifier: GPL-2.0
/*
 * Submitting: the buffers of an exchange, with what they wait for and the fences
 * that come out of it, into the queue. All of them or none: whatever can fail is
 * done before the first fence is published.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/sync_file.h>

#include "channel.h"
#include "format.h"
#include "trace.h"

#define SUBMIT_FENCES	(FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE)
#define SUBMIT_FLAGS	(SUBMIT_FENCES | FPGABUF_QUEUE_NO_IMPLICIT)

static struct fpgabuf_slot *submit_slot(struct fpgabuf_channel *channel,
					unsigned int i)
{
	return &channel->slots[channel->submission.entries[i].slot];
}

/* Output may be less than a frame, if that is a format, too. */
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
				       FPGABUF_CAP_UNTHROTTLED, &format) ?
		-EINVAL : 0;
}

/* What the caller wants, as far as it can be told without looking at slots. */
static int submit_get(struct fpgabuf_channel *channel,
		      const struct fpgabuf_exchange *x, u32 *flags,
		      struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_submission *s = &channel->submission;
	unsigned int i;
	int ret;

	ret = fpgabuf_user_read(s->entries, x->queue,
				x->queue_count * sizeof(*s->entries), fault);
	if (ret)
		return ret;

	*flags = 0;
	for (i = 0; i < x->queue_count; i++) {
		ret = submit_check_bytes(channel, &s->entries[i]);
		if (ret)
			return ret;
		*flags |= s->entries[i].flags;
	}
	if (*flags & ~SUBMIT_FLAGS)
		return -EINVAL;
	if (!(*flags & SUBMIT_FENCES))
		return 0;
	if (!x->fences)
		return -EINVAL;
	return fpgabuf_user_read(s->fds, x->fences,
				 x->queue_count * sizeof(*s->fds), fault);
}

static int submit_check(struct fpgabuf_channel *channel,
			const struct fpgabuf_exchange *x, u32 flags)
{
	struct fpgabuf_queue *queue = &channel->queue;
	int ret;

	spin_lock_irq(&queue->lock);
	ret = fpgabuf_queue_check(queue, channel->submission.entries,
				  x->queue_count, channel->config.queue_depth);
	if (!ret && x->min_done && !channel->streaming && !queue->num_done)
		ret = -EPIPE;
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE && !channel->streaming)
		ret = -EPIPE;
	if (!ret && x->queue_count && channel->quarantine)
		ret = -EIO;
	spin_unlock_irq(&queue->lock);
	return ret;
}

/* Leaves the number of a file in @fd only when there is one. */
static int submit_out_fence(struct fpgabuf_channel *channel,
			    struct fpgabuf_slot *slot, struct sync_file **file,
			    int *fd)
{
	int ret;

	slot->fence = fpgabuf_fence_create(dev_name(&channel->dev),
					   channel->context, ++channel->seqno);
	if (!slot->fence)
		return -ENOMEM;
	ret = fpgabuf_fence_file(slot->fence, file);
	if (ret < 0)
		return ret;
	*fd = ret;
	return 0;
}

static int submit_prepare(struct fpgabuf_channel *channel, unsigned int i)
{
	struct fpgabuf_submission *s = &channel->submission;
	struct fpgabuf_slot *slot = submit_slot(channel, i);
	const u32 flags = s->entries[i].flags;
	int ret = 0;

	slot->bytes = s->entries[i].bytes;
	s->files[i] = NULL;
	if (flags & FPGABUF_QUEUE_IN_FENCE)
		ret = fpgabuf_wait_add_file(&slot->wait, s->fds[i].in);
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE)
		ret = submit_out_fence(channel, slot, &s->files[i],
				       &s->fds[i].out);
	s->res[i] = (struct fpgabuf_reservation){
		.import = slot->import,
		.fence = slot->fence,
		.write = !fpgabuf_channel_is_output(channel),
		.explicit_sync = flags & FPGABUF_QUEUE_NO_IMPLICIT,
	};
	return ret;
}

/* Nobody has seen anything of the first @num. */
static void submit_undo(struct fpgabuf_channel *channel, unsigned int num)
{
	struct fpgabuf_submission *s = &channel->submission;

	while (num--) {
		struct fpgabuf_slot *slot = submit_slot(channel, num);

		fpgabuf_wait_fini(&slot->wait);
		dma_fence_put(slot->fence);
		slot->fence = NULL;
		if (!s->files[num])
			continue;
		put_unused_fd(s->fds[num].out);
		fput(s->files[num]->file);
	}
}

/* Who uses the buffers now; those with a fence to come are locked. */
static int submit_add_implicit(struct fpgabuf_channel *channel,
			       unsigned int num)
{
	const struct fpgabuf_submission *s = &channel->submission;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < num; i++) {
		struct fpgabuf_slot *slot = submit_slot(channel, i);

		ret = fpgabuf_wait_add_implicit(&slot->wait, &s->res[i],
						channel->context);
	}
	return ret;
}

static void submit_queue(struct fpgabuf_channel *channel, unsigned int num)
{
	struct fpgabuf_submission *s = &channel->submission;
	unsigned int i;

	spin_lock_irq(&channel->queue.lock);
	for (i = 0; i < num; i++) {
		submit_slot(channel, i)->again = false;
		fpgabuf_queue_add(&channel->queue, &s->entries[i]);
		trace_fpgabuf_queue(channel, submit_slot(channel, i)->job);
		if (!s->res[i].fence)
			continue;
		if (!channel->num_fenced++)
			channel->head_since = ktime_get_ns();
	}
	spin_unlock_irq(&channel->queue.lock);
}

/* From the first fence on there is no way back. */
static void submit_commit(struct fpgabuf_channel *channel, unsigned int num,
			  struct ww_acquire_ctx *ctx)
{
	struct fpgabuf_submission *s = &channel->submission;
	bool cookie = dma_fence_begin_signalling();
	unsigned int i;

	for (i = 0; i < num; i++) {
		fpgabuf_wait_start(&submit_slot(channel, i)->wait);
		if (s->res[i].fence)
			fpgabuf_publish(&s->res[i]);
	}
	submit_queue(channel, num);
	if (ctx)
		fpgabuf_unreserve(s->res, num, ctx);
	if (channel->streaming)
		fpgabuf_stream_issue(channel);
	dma_fence_end_signalling(cookie);

	for (i = 0; i < num; i++)
		if (s->files[i])
			fd_install(s->fds[i].out, s->files[i]->file);
}

static int submit_unfenced(struct fpgabuf_channel *channel, unsigned int num)
{
	int ret = submit_add_implicit(channel, num);

	if (!ret)
		submit_commit(channel, num, NULL);
	return ret;
}

static int submit_fenced(struct fpgabuf_channel *channel, unsigned int num,
			 u64 fences, struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_submission *s = &channel->submission;
	struct ww_acquire_ctx ctx;
	int ret;

	ret = fpgabuf_user_write(fences, s->fds, num * sizeof(*s->fds), fault);
	if (ret)
		return ret;
	ret = fpgabuf_reserve(s->res, num, &ctx);
	if (ret)
		return ret;
	ret = submit_add_implicit(channel, num);
	if (ret) {
		fpgabuf_unreserve(s->res, num, &ctx);
		return ret;
	}
	submit_commit(channel, num, &ctx);
	return 0;
}

/*
 * Queue what an exchange brings, and let the engine have what it takes of it.
 * -EFAULT leaves everything as it was, and @fault says what to bring in.
 */
int fpgabuf_submit(struct fpgabuf_channel *channel,
		   const struct fpgabuf_exchange *x,
		   struct fpgabuf_user_fault *fault)
{
	const unsigned int num = x->queue_count;
	unsigned int i;
	u32 flags;
	int ret;

	lockdep_assert_held(&channel->lock);
	ret = submit_get(channel, x, &flags, fault);
	if (!ret)
		ret = submit_check(channel, x, flags);
	if (ret || !num)
		return ret;

	for (i = 0; !ret && i < num; i++)
		ret = submit_prepare(channel, i);
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE)
		ret = submit_fenced(channel, num, x->fences, fault);
	else if (!ret)
		ret = submit_unfenced(channel, num);
	if (ret)
		submit_undo(channel, i);
	return ret;
}
