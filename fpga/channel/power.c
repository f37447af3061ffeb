// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel does when the machine is suspended, or shuts down. The stream ends
 * before the board's device is suspended, whose child the channel is: a capture
 * could not go on where it was, and nobody is to wait for its fences.
 */
#include <linux/device/class.h>
#include <linux/pm.h>

#include "channel.h"

/* All pending jobs complete with @status. An engine that runs on: quarantine. */
static void channel_end_run(struct fpgabuf_channel *channel, int status)
{
	fpgabuf_stream_stop(channel, status);
	/* What the FPGA was set to may be lost. */
	channel->configured = false;
	wake_up_all(&channel->client.engine.wait);
}

/* All tasks are frozen: nobody starts it before it is resumed. */
static int channel_suspend(struct device *dev)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);

	mutex_lock(&channel->client.lock);
	if (!channel->client.gone)
		channel_end_run(channel, -ECANCELED);
	mutex_unlock(&channel->client.lock);
	return 0;
}

/* Its owner starts it again, which sets up the engine and the FPGA. */
static int channel_resume(struct device *dev)
{
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(channel_pm_ops, channel_suspend,
				channel_resume);

/* Tasks run on, and the next kernel may be entered without a reset (kexec). */
static int channel_shutdown(struct device *dev)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);

	mutex_lock(&channel->client.lock);
	if (!channel->client.gone) {
		fpgabuf_client_set_gone(&channel->client);
		channel_end_run(channel, -ENODEV);
	}
	mutex_unlock(&channel->client.lock);
	return 0;
}

/* Before the first channel is registered */
void fpgabuf_power_init(struct class *class)
{
	class->pm = pm_sleep_ptr(&channel_pm_ops);
	class->shutdown_pre = channel_shutdown;
}
