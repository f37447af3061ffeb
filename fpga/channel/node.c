// SPDX-License-Identifier: GPL-2.0
/*
 * fpgabuf channels: /dev/fpgabufN, their registration, open and close.
 *
 * A board's driver registers a channel; the first open() of its node requests the
 * engine's channel. The node may outlive the board's device: unregister stops
 * the stream and lets go of everything of the board, after that every request
 * on a file that is still open fails with -ENODEV.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait_bit.h>

#include "channel.h"
#include "format.h"

#define FPGABUF_MINORS	256

/* When the board's driver has no opinion */
#define FPGABUF_DEFAULT_TIMEOUT_MS	2000

static struct class *fpgabuf_class;
static dev_t fpgabuf_devt;
static DEFINE_IDA(fpgabuf_ida);

/* Back to how a new owner finds it; what is pending is done with @status. */
static void channel_reset(struct fpgabuf_channel *channel, int status)
{
	lockdep_assert_held(&channel->client.lock);
	fpgabuf_stream_stop(channel, status);
	fpgabuf_quarantine_end(channel);
	fpgabuf_stream_power_down(channel);
	fpgabuf_slots_release(channel);
	WRITE_ONCE(channel->owner, NULL);
	channel->run = 0;
	channel->configured = false;
	channel->format = channel->config.default_format;
	/* Others may own the channel now. */
	wake_up_all(&channel->client.engine.wait);
}

static enum fpgabuf_engine_use
engine_use(const struct fpgabuf_channel_config *config)
{
	return config->direction == FPGABUF_DIR_OUTPUT ?
		FPGABUF_ENGINE_OUTPUT : FPGABUF_ENGINE_CAPTURE;
}

static int channel_open_engine(struct fpgabuf_channel *channel)
{
	struct fpgabuf_engine *engine = &channel->client.engine;
	int ret = fpgabuf_engine_open(engine);

	if (ret)
		return ret;
	channel->has_metadata = channel->config.ops &&
		channel->config.ops->frame &&
		dmaengine_is_metadata_mode_supported(engine->chan,
						     DESC_METADATA_ENGINE);
	return 0;
}

static int channel_get_user(struct fpgabuf_channel *channel)
{
	int ret = 0;

	mutex_lock(&channel->client.lock);
	if (channel->client.gone)
		ret = -ENODEV;
	else if (!channel->client.engine.chan)
		ret = channel_open_engine(channel);
	if (!ret)
		channel->users++;
	mutex_unlock(&channel->client.lock);
	return ret;
}

static void channel_put_user(struct fpgabuf_channel *channel)
{
	lockdep_assert_held(&channel->client.lock);
	channel->users--;
	/* Nobody else may have an engine that does not stop. */
	if (!channel->users && !channel->client.gone &&
	    !READ_ONCE(channel->client.engine.quarantine))
		fpgabuf_engine_close(&channel->client.engine);
}

static struct device *channel_device_get(struct fpgabuf_device *device)
{
	struct fpgabuf_channel *channel =
		container_of(device, struct fpgabuf_channel, device);
	int ret = channel_get_user(channel);

	return ret ? ERR_PTR(ret) : fpgabuf_channel_dma_dev(channel);
}

static void channel_device_put(struct fpgabuf_device *device)
{
	struct fpgabuf_channel *channel =
		container_of(device, struct fpgabuf_channel, device);

	mutex_lock(&channel->client.lock);
	channel_put_user(channel);
	mutex_unlock(&channel->client.lock);
}

static const struct fpgabuf_device_ops channel_device_ops = {
	.get = channel_device_get,
	.put = channel_device_put,
};

static int fpgabuf_open(struct inode *inode, struct file *file)
{
	struct fpgabuf_channel *channel =
		container_of(inode->i_cdev, struct fpgabuf_channel, cdev);
	int ret = channel_get_user(channel);

	if (ret)
		return ret;

	file->private_data = channel;
	return stream_open(inode, file);
}

static int fpgabuf_release(struct inode *inode, struct file *file)
{
	struct fpgabuf_channel *channel = file->private_data;

	mutex_lock(&channel->client.lock);
	if (channel->owner == file)
		channel_reset(channel, -ECANCELED);
	channel_put_user(channel);
	mutex_unlock(&channel->client.lock);
	return 0;
}

/* What another file's stream has is not there for this one. */
static __poll_t fpgabuf_poll(struct file *file, poll_table *wait)
{
	struct fpgabuf_channel *channel = file->private_data;
	struct fpgabuf_engine *engine = &channel->client.engine;
	__poll_t mask = 0;
	struct file *owner;

	poll_wait(file, &engine->wait, wait);

	owner = READ_ONCE(channel->owner);
	spin_lock_irq(&engine->queue.lock);
	if (channel->client.gone)
		mask = EPOLLERR | EPOLLHUP;
	else if (owner && owner != file)
		mask = 0;
	else if (engine->queue.num_done)
		mask = EPOLLIN | EPOLLRDNORM;
	else if (!engine->running || engine->quarantine)
		mask = EPOLLERR;
	spin_unlock_irq(&engine->queue.lock);
	return mask;
}

/* Where the buffers are, of any owner: helps to find why a stream stands still. */
static void fpgabuf_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct fpgabuf_channel *channel = file->private_data;
	struct fpgabuf_engine *engine = &channel->client.engine;
	unsigned int pending, active, done, fenced;
	bool streaming, quarantine;

	spin_lock_irq(&engine->queue.lock);
	pending = engine->queue.num_pending;
	active = list_count_nodes(&engine->queue.active);
	done = engine->queue.num_done;
	fenced = engine->queue.num_fenced;
	streaming = engine->running;
	quarantine = engine->quarantine;
	spin_unlock_irq(&engine->queue.lock);

	seq_printf(m, "state:\t%s\n", quarantine ? "quarantine" :
		   streaming ? "streaming" : "stopped");
	seq_printf(m, "queued:\t%u\n", pending - active);
	seq_printf(m, "active:\t%u\n", active);
	seq_printf(m, "done:\t%u\n", done);
	seq_printf(m, "fences:\t%u\n", fenced);
}

static const struct file_operations fpgabuf_fops = {
	.owner		= THIS_MODULE,
	.open		= fpgabuf_open,
	.release	= fpgabuf_release,
	.poll		= fpgabuf_poll,
	.unlocked_ioctl	= fpgabuf_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= fpgabuf_show_fdinfo,
};

/* Devices whose release has not run: it is code of this module. */
static atomic_t channels_alive = ATOMIC_INIT(0);

static void channel_free(struct device *dev)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);

	fpgabuf_engine_fini(&channel->client.engine);
	fpgabuf_client_fini(&channel->client);
	kvfree(channel->slots);
	mutex_destroy(&channel->register_lock);
	kfree(channel);
	if (atomic_dec_and_test(&channels_alive))
		wake_up_var(&channels_alive);
}

static int channel_check_config(struct fpgabuf_channel_config *config)
{
	struct fpgabuf_fract rate = config->default_format.rate;
	bool unthrottled = config->capabilities & FPGABUF_CAP_UNTHROTTLED;

	if (!config->name || !config->dma_name || !config->formats ||
	    !config->num_formats)
		return -EINVAL;
	if (config->direction != FPGABUF_DIR_CAPTURE &&
	    config->direction != FPGABUF_DIR_OUTPUT)
		return -EOPNOTSUPP;
	if (config->timeout_ms > FPGABUF_MAX_TIMEOUT_MS)
		return -EINVAL;
	if (!config->timeout_ms)
		config->timeout_ms = FPGABUF_DEFAULT_TIMEOUT_MS;
	if (!config->queue_depth || config->queue_depth > FPGABUF_MAX_DEPTH)
		return -EINVAL;
	if (!is_power_of_2(config->alignment))
		return -EINVAL;
	return fpgabuf_format_complete(config->formats, config->num_formats,
				       rate, unthrottled, 1,
				       &config->default_format);
}

/**
 * fpgabuf_channel_register() - make a channel of a dmaengine channel
 * @dev: the board's device, bound to its driver. Its name is the bus name that
 *	users see; dma_request_chan() is called on it
 * @config: the channel; copied, what it points to is not
 *
 * The node /dev/fpgabufN appears and may be opened before this returns. The
 * engine's channel is looked at here, and the kernel's log says why it cannot be
 * used; held it is only while the node is open, so that an unused one does not
 * hold its provider's module.
 *
 * Context: process context, may sleep.
 * Return: the channel, or an ERR_PTR: -EINVAL, -EOPNOTSUPP or -ERANGE for a
 * configuration that is wrong, -EPROBE_DEFER when there is no such DMA channel
 * (yet), for the driver's probe to return, -EOPNOTSUPP when its engine cannot do
 * what is needed, -ENOSPC when there are too many channels, -ENOMEM.
 */
struct fpgabuf_channel *
fpgabuf_channel_register(struct device *dev,
			 const struct fpgabuf_channel_config *config)
{
	struct fpgabuf_engine_config engine_config;
	struct fpgabuf_channel *channel;
	int minor, ret;

	channel = kzalloc(sizeof(*channel), GFP_KERNEL);
	if (!channel)
		return ERR_PTR(-ENOMEM);

	channel->config = *config;
	ret = channel_check_config(&channel->config);
	engine_config = (struct fpgabuf_engine_config){
		.parent = dev,
		.dma_name = config->dma_name,
		.use = engine_use(config),
		.limits = config->limits,
		.alignment = config->alignment,
	};
	if (!ret)
		ret = fpgabuf_engine_check(&engine_config);
	if (ret)
		goto err_free;
	minor = ida_alloc_max(&fpgabuf_ida, FPGABUF_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		ret = minor;
		goto err_free;
	}

	strscpy(channel->name, config->name, sizeof(channel->name));
	channel->parent = dev;
	channel->device.dev = dev;
	channel->device.ops = &channel_device_ops;
	channel->format = channel->config.default_format;
	mutex_init(&channel->register_lock);
	fpgabuf_engine_init(&channel->client.engine, &fpgabuf_stream_ops,
			    &channel->dev, &engine_config);
	ret = fpgabuf_client_init(&channel->client, &fpgabuf_exchange_ops);
	if (ret) {
		ida_free(&fpgabuf_ida, minor);
		goto err_free;
	}
	INIT_LIST_HEAD(&channel->kept);
	channel->ranges = RB_ROOT;

	device_initialize(&channel->dev);
	atomic_inc(&channels_alive);
	channel->dev.class = fpgabuf_class;
	channel->dev.parent = dev;
	channel->dev.devt = MKDEV(MAJOR(fpgabuf_devt), minor);
	channel->dev.groups = fpgabuf_channel_groups;
	channel->dev.release = channel_free;
	cdev_init(&channel->cdev, &fpgabuf_fops);
	channel->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&channel->dev, "fpgabuf%d", minor);
	if (!ret)
		ret = cdev_device_add(&channel->cdev, &channel->dev);
	if (ret) {
		ida_free(&fpgabuf_ida, minor);
		put_device(&channel->dev);
		return ERR_PTR(ret);
	}
	fpgabuf_device_add(&channel->device);
	return channel;

err_free:
	kfree(channel);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_channel_register, "FPGABUF");

/**
 * fpgabuf_channel_unregister() - take a channel away
 * @channel: from fpgabuf_channel_register()
 *
 * Stops the stream, unmaps all buffers, releases the engine's channel and wakes
 * all waiters. Files may stay open. When it returns nothing of the board is
 * used any more, and @channel is no longer the caller's.
 *
 * Context: process context, may sleep; called before the driver's device is
 * unbound.
 */
void fpgabuf_channel_unregister(struct fpgabuf_channel *channel)
{
	fpgabuf_device_remove(&channel->device);
	cdev_device_del(&channel->cdev, &channel->dev);
	/* The number may be reused; files of this node may still be open. */
	ida_free(&fpgabuf_ida, MINOR(channel->dev.devt));

	mutex_lock(&channel->client.lock);
	/* First, so that nobody takes the end of the stream for a stop. */
	fpgabuf_client_set_gone(&channel->client);
	channel_reset(channel, -ENODEV);
	mutex_unlock(&channel->client.lock);

	/* Until the last one is done that allocates or maps for the device. */
	down_write(&channel->client.alive);
	mutex_lock(&channel->client.lock);
	fpgabuf_quarantine_abandon(channel);
	fpgabuf_client_power_end(&channel->client);
	if (channel->client.engine.chan)
		fpgabuf_engine_close(&channel->client.engine);
	mutex_unlock(&channel->client.lock);
	up_write(&channel->client.alive);

	fpgabuf_engine_cancel(&channel->client.engine);
	wake_up_all(&channel->client.engine.wait);
	put_device(&channel->dev);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_channel_unregister, "FPGABUF");

/**
 * fpgabuf_channels_init() - before the first channel is registered
 *
 * Context: process context, may sleep.
 * Return: 0, or why there can be no channels.
 */
int __init fpgabuf_channels_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&fpgabuf_devt, 0, FPGABUF_MINORS, "fpgabuf");
	if (ret)
		return ret;

	fpgabuf_class = class_create("fpgabuf");
	if (IS_ERR(fpgabuf_class)) {
		ret = PTR_ERR(fpgabuf_class);
		goto err_unregister;
	}
	fpgabuf_power_init(fpgabuf_class);
	return 0;

err_unregister:
	unregister_chrdev_region(fpgabuf_devt, FPGABUF_MINORS);
	return ret;
}

/**
 * fpgabuf_channels_exit() - after the last channel was unregistered
 *
 * Context: process context, may sleep: until what others hold of channels is
 * released.
 */
void fpgabuf_channels_exit(void)
{
	/* The last reference may be put by somebody who comes later. */
	wait_var_event(&channels_alive, !atomic_read(&channels_alive));
	class_destroy(fpgabuf_class);
	unregister_chrdev_region(fpgabuf_devt, FPGABUF_MINORS);
	ida_destroy(&fpgabuf_ida);
}
