// SPDX-License-Identifier: GPL-2.0
/*
 * Submit: jobs, the fences they wait for, and the fences that come out of them,
 * into the engine's queue. All jobs of an exchange or none: whatever can fail is
 * done before the first fence is published.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/lockdep.h>
#include <linux/sync_file.h>
#include <linux/ww_mutex.h>

#include "client.h"

static unsigned int submit_num_res(const struct fpgabuf_client *client,
				   unsigned int num)
{
	return num * client->ops->num_buffers;
}

static bool submit_fenced(const struct fpgabuf_client *client,
			  const struct fpgabuf_request *r)
{
	return client->ops->fenced || r->flags & FPGABUF_QUEUE_OUT_FENCE;
}

/* Sets out_fence only if there is a file. */
static int submit_out_fence(struct fpgabuf_client *client,
			    struct fpgabuf_request *r)
{
	int fd;

	r->job->fence = fpgabuf_fence_create(dev_name(client->engine.node),
					     client->context, ++client->seqno);
	if (!r->job->fence)
		return -ENOMEM;
	if (!(r->flags & FPGABUF_QUEUE_OUT_FENCE))
		return 0;
	fd = fpgabuf_fence_file(r->job->fence, &r->file);
	if (fd < 0)
		return fd;
	r->out_fence = fd;
	return 0;
}

static int submit_prepare(struct fpgabuf_client *client, unsigned int i)
{
	struct fpgabuf_submission *s = &client->submission;
	struct fpgabuf_request *r = &s->requests[i];
	unsigned int k;
	int ret = 0;

	r->file = NULL;
	if (r->flags & FPGABUF_QUEUE_IN_FENCE)
		ret = fpgabuf_wait_add_file(&r->job->wait, r->in_fence);
	if (!ret && submit_fenced(client, r))
		ret = submit_out_fence(client, r);
	for (k = submit_num_res(client, i); k < submit_num_res(client, i + 1);
	     k++) {
		s->res[k].fence = r->job->fence;
		s->res[k].explicit_sync = r->flags & FPGABUF_QUEUE_NO_IMPLICIT;
		s->res[k].unseen = !(r->flags & FPGABUF_QUEUE_OUT_FENCE);
		s->res[k].locked = false;
	}
	return ret;
}

/* Nothing of the first @num requests has been published. */
static void submit_undo(struct fpgabuf_client *client, unsigned int num)
{
	while (num--) {
		struct fpgabuf_request *r = &client->submission.requests[num];

		fpgabuf_wait_fini(&r->job->wait);
		dma_fence_put(r->job->fence);
		r->job->fence = NULL;
		if (!r->file)
			continue;
		put_unused_fd(r->out_fence);
		fput(r->file->file);
	}
}

/* Who uses the buffers now. Those that get a fence are locked. */
static int submit_add_implicit(struct fpgabuf_client *client, unsigned int num)
{
	struct fpgabuf_submission *s = &client->submission;
	const unsigned int num_buffers = client->ops->num_buffers;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < submit_num_res(client, num); i++) {
		struct fpgabuf_job *job = s->requests[i / num_buffers].job;

		ret = fpgabuf_wait_add_implicit(&job->wait, &s->res[i],
						client->context);
	}
	return ret;
}

static void submit_queue(struct fpgabuf_client *client, unsigned int num)
{
	struct fpgabuf_engine *engine = &client->engine;
	unsigned int i;

	spin_lock_irq(&engine->queue.lock);
	for (i = 0; i < num; i++) {
		fpgabuf_engine_add(engine, client->submission.requests[i].job);
		client->ops->queue(client, i);
	}
	spin_unlock_irq(&engine->queue.lock);
}

/* From the first published fence on nothing may fail. */
static void submit_commit(struct fpgabuf_client *client, unsigned int num,
			  struct ww_acquire_ctx *ctx)
{
	struct fpgabuf_submission *s = &client->submission;
	const unsigned int num_res = submit_num_res(client, num);
	bool cookie = dma_fence_begin_signalling();
	unsigned int i;

	for (i = 0; i < num; i++)
		fpgabuf_wait_start(&s->requests[i].job->wait);
	for (i = 0; i < num_res; i++)
		if (s->res[i].fence)
			fpgabuf_publish(&s->res[i]);
	submit_queue(client, num);
	if (ctx)
		fpgabuf_unreserve(s->res, num_res, ctx);
	fpgabuf_engine_issue(&client->engine);
	dma_fence_end_signalling(cookie);

	for (i = 0; i < num; i++)
		if (s->requests[i].file)
			fd_install(s->requests[i].out_fence,
				   s->requests[i].file->file);
}

static int submit_unlocked(struct fpgabuf_client *client, unsigned int num)
{
	int ret = submit_add_implicit(client, num);

	if (!ret)
		submit_commit(client, num, NULL);
	return ret;
}

/* With the reservations of all buffers that get a fence */
static int submit_locked(struct fpgabuf_client *client, unsigned int num)
{
	struct fpgabuf_submission *s = &client->submission;
	const unsigned int num_res = submit_num_res(client, num);
	struct ww_acquire_ctx ctx;
	int ret;

	ret = fpgabuf_reserve(s->res, num_res, &ctx);
	if (ret)
		return ret;
	if (client->ops->locate)
		ret = client->ops->locate(client, num);
	if (!ret)
		ret = submit_add_implicit(client, num);
	if (ret) {
		fpgabuf_unreserve(s->res, num_res, &ctx);
		return ret;
	}
	submit_commit(client, num, &ctx);
	return 0;
}

/**
 * fpgabuf_client_submit() - queue the jobs of an exchange, and issue them
 * @client: the client; its submission is filled in
 * @exchange: handed to &fpgabuf_client_ops.report
 * @num: number of requests, at least one
 * @fault: user memory that was not there, with -EFAULT
 *
 * Context: process context, may sleep; with &fpgabuf_client.lock held.
 * Return: 0, or a negative errno, with nothing changed: -EINVAL for an in_fence
 * that is not a sync_file, -ENOMEM, -EMFILE, -EINTR, -EFAULT, or what
 * &fpgabuf_client_ops.locate returned.
 */
int fpgabuf_client_submit(struct fpgabuf_client *client, const void *exchange,
			  unsigned int num, struct fpgabuf_user_fault *fault)
{
	const u32 flags = client->submission.flags;
	unsigned int i;
	int ret = 0;

	lockdep_assert_held(&client->lock);
	for (i = 0; !ret && i < num; i++)
		ret = submit_prepare(client, i);
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE)
		ret = client->ops->report(client, exchange, num, fault);
	if (!ret && (client->ops->fenced || flags & FPGABUF_QUEUE_OUT_FENCE))
		ret = submit_locked(client, num);
	else if (!ret)
		ret = submit_unlocked(client, num);
	if (ret)
		submit_undo(client, i);
	return ret;
}
