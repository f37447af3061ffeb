// SPDX-License-Identifier: GPL-2.0
/*
 * An engine as a front uses it, and what happens when its device goes while
 * programs still have the front's node open.
 */
#include <linux/dma-fence.h>
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "client.h"

/**
 * fpgabuf_client_init() - initialize a client
 * @client: the client; zeroed, its engine initialized
 * @ops: the front's functions
 *
 * Context: process context.
 */
void fpgabuf_client_init(struct fpgabuf_client *client,
			 const struct fpgabuf_client_ops *ops)
{
	client->ops = ops;
	init_rwsem(&client->alive);
	mutex_init(&client->lock);
}

/**
 * fpgabuf_client_fini() - the end of a client that nobody uses any more
 * @client: the client
 *
 * Context: process context.
 */
void fpgabuf_client_fini(struct fpgabuf_client *client)
{
	mutex_destroy(&client->lock);
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
