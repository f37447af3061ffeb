// SPDX-License-Identifier: GPL-2.0
/*
 * The exchange: buffers in, completions out, in one system call a frame.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "channel.h"

/* The file is to stream: it is or becomes the owner, or gets -EBUSY. */
int fpgabuf_channel_claim(struct fpgabuf_channel *channel, struct file *file)
{
	lockdep_assert_held(&channel->client.lock);
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	WRITE_ONCE(channel->owner, file);
	return 0;
}

/* Probing @done and @metadata writes to them, before the others are read. */
static bool exchange_overlaps(const struct fpgabuf_exchange *x)
{
	const u64 done = x->done_count * sizeof(struct fpgabuf_completion);
	const u64 queue = x->queue_count * sizeof(struct fpgabuf_queue_entry);
	const u64 fences = x->fences ?
		x->queue_count * sizeof(struct fpgabuf_fences) : 0;
	const u64 metadata = x->metadata ?
		x->done_count * sizeof(struct fpgabuf_metadata) : 0;

	return fpgabuf_overlap(x->done, done, x->queue, queue) ||
		fpgabuf_overlap(x->done, done, x->fences, fences) ||
		fpgabuf_overlap(x->metadata, metadata, x->queue, queue) ||
		fpgabuf_overlap(x->metadata, metadata, x->fences, fences) ||
		fpgabuf_overlap(x->metadata, metadata, x->done, done);
}

static int exchange_check(struct fpgabuf_exchange *x)
{
	if (x->flags || x->min_done > x->done_count)
		return -EINVAL;
	if (x->queue_count > FPGABUF_MAX_BATCH ||
	    x->done_count > FPGABUF_MAX_BATCH)
		return -E2BIG;
	return exchange_overlaps(x) ? -EINVAL : 0;
}

/*
 * Find out about bad pointers before anything is done: completions that were
 * taken off the queue cannot be lost to one.
 */
static int exchange_probe(const struct fpgabuf_ioctl_arg *arg)
{
	const struct fpgabuf_exchange *x = &arg->exchange;

	if (fault_in_writeable(u64_to_user_ptr(x->done),
			       x->done_count *
			       sizeof(struct fpgabuf_completion)))
		return -EFAULT;
	if (x->metadata &&
	    fault_in_writeable(u64_to_user_ptr(x->metadata),
			       x->done_count * sizeof(struct fpgabuf_metadata)))
		return -EFAULT;
	return fpgabuf_ioctl_put(arg);
}

static int exchange_allowed(struct fpgabuf_client *client, struct file *file)
{
	const struct fpgabuf_channel *channel = to_fpgabuf_channel(client);

	return channel->owner && channel->owner != file ? -EBUSY : 0;
}

/* As long as the channel streams another task may queue a buffer. */
static int exchange_ended(struct fpgabuf_client *client, u32 min_done)
{
	if (client->engine.quarantine)
		return -EIO;
	return client->engine.running ? 0 : -EPIPE;
}

static void exchange_fill(struct fpgabuf_job *job, void *done)
{
	struct fpgabuf_slot *slot = to_fpgabuf_slot(job);

	memcpy(done, &slot->done, sizeof(slot->done));
	/* This completion reports it; the next one need not. */
	if (slot->done.status == -EOVERFLOW)
		slot->overwritten = false;
}

static const void *exchange_extra(const struct fpgabuf_job *job, size_t *len)
{
	const struct fpgabuf_slot *slot =
		container_of(job, struct fpgabuf_slot, job);

	*len = slot->done.metadata_len;
	return &slot->metadata;
}

static_assert(sizeof(struct fpgabuf_completion) <= FPGABUF_DONE_SIZE);

const struct fpgabuf_client_ops fpgabuf_exchange_ops = {
	.num_buffers	= 1,
	.arg_size	= sizeof(struct fpgabuf_queue_entry) +
			  sizeof(struct fpgabuf_fences),
	.done_size	= sizeof(struct fpgabuf_completion),
	.submit		= fpgabuf_submit,
	.report		= fpgabuf_submit_report,
	.queue		= fpgabuf_submit_queue,
	.allowed	= exchange_allowed,
	.ended		= exchange_ended,
	.fill		= exchange_fill,
	.extra_size	= sizeof(struct fpgabuf_metadata),
	.extra		= exchange_extra,
};

int fpgabuf_ioctl_exchange(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_exchange *x = &arg->exchange;
	struct fpgabuf_client_exchange cx;
	int ret;

	ret = exchange_check(x);
	if (!ret)
		ret = exchange_probe(arg);
	if (ret)
		return ret;
	cx = (struct fpgabuf_client_exchange){
		.client = &channel->client,
		.file = file,
		.exchange = x,
		.queue_count = x->queue_count,
		.done = x->done,
		.done_count = x->done_count,
		.min_done = x->min_done,
		.timeout = x->timeout,
		.extra = x->metadata,
	};
	ret = fpgabuf_client_exchange(&cx);
	if (ret)
		return ret;
	x->done_count = cx.done_count;
	return fpgabuf_ioctl_put(arg);
}
