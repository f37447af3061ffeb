// SPDX-License-Identifier: GPL-2.0
/*
 * Power of the board's device, by runtime PM: a front has a reference while it uses
 * the device, and as long as an engine that does not stop may use it.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/pm_runtime.h>

#include "client.h"

/**
 * fpgabuf_client_power_up() - have the device resumed
 * @client: the client, its engine open
 *
 * To be followed by fpgabuf_client_power_down(), also if it is called twice.
 *
 * Context: process context, may sleep; with &fpgabuf_client.lock held.
 * Return: 0, also if the device has no runtime PM; or a negative errno of its
 * driver.
 */
int fpgabuf_client_power_up(struct fpgabuf_client *client)
{
	int ret;

	lockdep_assert_held(&client->lock);
	if (client->powered)
		return 0;
	ret = pm_runtime_resume_and_get(client->engine.config.parent);
	client->powered = !ret;
	/* Runtime PM is not enabled: the device has power. */
	return ret == -EACCES ? 0 : ret;
}

/**
 * fpgabuf_client_power_down() - the device may be suspended
 * @client: the client
 *
 * Does nothing while the engine runs, or is in quarantine.
 *
 * Context: process context; with &fpgabuf_client.lock held.
 * Return: whether the reference was put. The device may have forgotten then what
 * it was set to.
 */
bool fpgabuf_client_power_down(struct fpgabuf_client *client)
{
	const struct fpgabuf_engine *engine = &client->engine;

	lockdep_assert_held(&client->lock);
	if (!client->powered || engine->running ||
	    READ_ONCE(engine->quarantine))
		return false;
	pm_runtime_put(engine->config.parent);
	client->powered = false;
	return true;
}

/**
 * fpgabuf_client_power_end() - the device is no more the client's
 * @client: the client; its engine may be in quarantine
 *
 * Context: process context; with &fpgabuf_client.lock held.
 */
void fpgabuf_client_power_end(struct fpgabuf_client *client)
{
	lockdep_assert_held(&client->lock);
	if (client->powered)
		pm_runtime_put(client->engine.config.parent);
	client->powered = false;
}
