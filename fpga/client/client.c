// SPDX-License-Identifier: GPL-2.0
/*
 * An engine as a front uses it, and what happens when its device goes while
 * programs still have the front's node open.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "client.h"

/* Requests of an exchange there is room for from the beginning */
#define CLIENT_CAPACITY	64

static void submission_free(struct fpgabuf_submission *s)
{
	kvfree(s->args);
	kvfree(s->res);
	kvfree(s->requests);
}

static int submission_alloc(const struct fpgabuf_client_ops *ops,
			    unsigned int capacity, struct fpgabuf_submission *s)
{
	*s = (struct fpgabuf_submission){ .capacity = capacity };
	s->requests = kvcalloc(capacity, sizeof(*s->requests),
			       GFP_KERNEL_ACCOUNT);
	s->res = kvcalloc(capacity * ops->num_buffers, sizeof(*s->res),
			  GFP_KERNEL_ACCOUNT);
	s->args = kvcalloc(capacity, ops->arg_size, GFP_KERNEL_ACCOUNT);
	if (s->requests && s->res && s->args)
		return 0;
	submission_free(s);
	return -ENOMEM;
}

/**
 * fpgabuf_client_init() - initialize a client
 * @client: the client; zeroed, its engine initialized
 * @ops: the front's functions
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpgabuf_client_init(struct fpgabuf_client *client,
			const struct fpgabuf_client_ops *ops)
{
	client->ops = ops;
	init_rwsem(&client->alive);
	mutex_init(&client->lock);
	return submission_alloc(ops, CLIENT_CAPACITY, &client->submission);
}

/**
 * fpgabuf_client_fini() - the end of a client that nobody uses any more
 * @client: the client
 *
 * Context: process context.
 */
void fpgabuf_client_fini(struct fpgabuf_client *client)
{
	submission_free(&client->submission);
	mutex_destroy(&client->lock);
}

/**
 * fpgabuf_client_reserve() - make room for the requests of an exchange
 * @client: the client
 * @num: number of requests
 *
 * Context: process context, may sleep; no lock held.
 * Return: 0 or -ENOMEM.
 */
int fpgabuf_client_reserve(struct fpgabuf_client *client, unsigned int num)
{
	struct fpgabuf_submission s;
	int ret;

	/* It only grows. */
	if (num <= READ_ONCE(client->submission.capacity))
		return 0;
	ret = submission_alloc(client->ops, roundup_pow_of_two(num), &s);
	if (ret)
		return ret;
	mutex_lock(&client->lock);
	if (s.capacity > client->submission.capacity)
		swap(s, client->submission);
	mutex_unlock(&client->lock);
	submission_free(&s);
	return 0;
}

/**
 * fpgabuf_client_enter() - use the engine's device without the client's lock
 * @client: the client, its engine open
 *
 * Context: process context, may sleep; no lock held.
 * Return: 0, to be followed by fpgabuf_client_leave(); -ENODEV if the device is
 * no more; -EINTR if the process is being killed.
 */
int fpgabuf_client_enter(struct fpgabuf_client *client)
{
	if (down_read_killable(&client->alive))
		return -EINTR;
	if (READ_ONCE(client->gone)) {
		up_read(&client->alive);
		return -ENODEV;
	}
	return 0;
}

/**
 * fpgabuf_client_leave() - the end of fpgabuf_client_enter()
 * @client: the client
 *
 * Context: process context.
 */
void fpgabuf_client_leave(struct fpgabuf_client *client)
{
	up_read(&client->alive);
}

/**
 * fpgabuf_client_new_timeline() - let fences begin with a new timeline
 * @client: the client, with no fence pending
 *
 * Context: any, with &fpgabuf_client.lock held.
 */
void fpgabuf_client_new_timeline(struct fpgabuf_client *client)
{
	lockdep_assert_held(&client->lock);
	client->context = dma_fence_context_alloc(1);
	client->seqno = 0;
}

/**
 * fpgabuf_client_set_gone() - the device is no more
 * @client: the client
 *
 * Context: process context, with &fpgabuf_client.lock held.
 */
void fpgabuf_client_set_gone(struct fpgabuf_client *client)
{
	lockdep_assert_held(&client->lock);
	spin_lock_irq(&client->engine.queue.lock);
	WRITE_ONCE(client->gone, true);
	spin_unlock_irq(&client->engine.queue.lock);
}
