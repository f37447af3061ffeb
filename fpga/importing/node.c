// SPDX-License-Identifier: GPL-2.0
/*
 * The node of an importing device: its registration and its file.
 */
#include <linux/cdev.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

#include "node.h"

#define IMPORTER_MINORS			256
#define IMPORTER_DEFAULT_TIMEOUT_MS	2000

static struct class *importer_class;
static dev_t importer_devt;
static DEFINE_IDA(importer_ida);

/* Try to stop the engine again, if it is in quarantine. 0: it is idle; or -EIO. */
static int importer_quarantine_end(struct fpgabuf_importer *importer)
{
	int ret = fpgabuf_engine_end_quarantine(&importer->client.engine);

	if (!ret)
		importer_maps_unkeep(importer);
	return ret;
}

/* Take all completions, which nobody can ask for any more. */
static void importer_drop_done(struct fpgabuf_importer *importer)
{
	struct fpgabuf_queue *queue = &importer->client.engine.queue;
	struct fpgabuf_job *job;

	spin_lock_irq(&queue->lock);
	while ((job = fpgabuf_queue_first_done(queue))) {
		fpgabuf_queue_take(queue, job);
		importer_exchange_ops.taken(job);
	}
	spin_unlock_irq(&queue->lock);
}

/* Back to how a new file finds it. Pending copies complete with @status. */
static void importer_reset(struct fpgabuf_importer *importer, int status)
{
	lockdep_assert_held(&importer->client.lock);
	fpgabuf_engine_stop(&importer->client.engine, status);
	importer_quarantine_end(importer);
	importer_slots_release(importer);
	importer_maps_flush(importer);
	importer_drop_done(importer);
}

/* After an error the engine is as it was before the open. */
static int importer_power_up(struct fpgabuf_importer *importer)
{
	const int ret = fpgabuf_client_power_up(&importer->client);

	if (ret)
		fpgabuf_engine_close(&importer->client.engine);
	return ret;
}

static int importer_begin(struct fpgabuf_importer *importer)
{
	struct fpgabuf_client *client = &importer->client;
	int ret;

	if (importer->client.gone)
		return -ENODEV;
	if (importer->opened)
		return -EBUSY;
	/* It was not closed if the engine was in quarantine. */
	if (!client->engine.chan)
		ret = fpgabuf_engine_open(&client->engine);
	else
		ret = importer_quarantine_end(importer);
	if (!ret)
		ret = importer_power_up(importer);
	if (ret)
		return ret;
	importer_maps_flush(importer);
	fpgabuf_client_new_timeline(client);
	fpgabuf_engine_start(&client->engine, importer->config.timeout_ms);
	importer->opened = true;
	return 0;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct fpgabuf_importer *importer =
		container_of(inode->i_cdev, struct fpgabuf_importer, cdev);
	int ret;

	mutex_lock(&importer->client.lock);
	ret = importer_begin(importer);
	mutex_unlock(&importer->client.lock);
	if (ret)
		return ret;
	file->private_data = importer;
	return stream_open(inode, file);
}

static int importer_release(struct inode *inode, struct file *file)
{
	struct fpgabuf_importer *importer = file->private_data;

	mutex_lock(&importer->client.lock);
	importer->opened = false;
	if (!importer->client.gone) {
		importer_reset(importer, -ECANCELED);
		fpgabuf_client_power_down(&importer->client);
		if (!READ_ONCE(importer->client.engine.quarantine))
			fpgabuf_engine_close(&importer->client.engine);
	}
	mutex_unlock(&importer->client.lock);
	return 0;
}

static __poll_t importer_poll(struct file *file, poll_table *wait)
{
	struct fpgabuf_importer *importer = file->private_data;
	struct fpgabuf_engine *engine = &importer->client.engine;
	__poll_t mask = 0;

	poll_wait(file, &engine->wait, wait);

	spin_lock_irq(&engine->queue.lock);
	if (importer->client.gone)
		mask = EPOLLERR | EPOLLHUP;
	else if (engine->queue.num_done)
		mask = EPOLLIN | EPOLLRDNORM;
	else if (engine->quarantine)
		mask = EPOLLERR;
	spin_unlock_irq(&engine->queue.lock);
	return mask;
}

/* Where its copies are: for who looks at a pipeline that stands still. */
static void importer_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct fpgabuf_importer *importer = file->private_data;
	struct fpgabuf_engine *engine = &importer->client.engine;
	unsigned int pending, active, done, pieces;
	bool quarantine;

	spin_lock_irq(&engine->queue.lock);
	pending = engine->queue.num_pending;
	active = list_count_nodes(&engine->queue.active);
	done = engine->queue.num_done;
	pieces = engine->queue.in_flight;
	quarantine = engine->quarantine;
	spin_unlock_irq(&engine->queue.lock);

	seq_printf(m, "state:\t%s\n", quarantine ? "quarantine" : "ready");
	seq_printf(m, "queued:\t%u\n", pending - active);
	seq_printf(m, "active:\t%u\n", active);
	seq_printf(m, "pieces:\t%u\n", pieces);
	seq_printf(m, "done:\t%u\n", done);
}

static void importer_info(struct fpgabuf_importer *importer,
			  struct fpgabuf_import_info *info)
{
	struct device *dma_dev = importer_dma_dev(importer);

	*info = (struct fpgabuf_import_info){
		.abi_version = FPGABUF_ABI_VERSION,
		.num_slots = IMPORTER_SLOTS,
		.queue_depth = IMPORTER_DEPTH,
		.alignment = fpgabuf_engine_alignment(&importer->client.engine),
		.timeout_ms = importer->config.timeout_ms,
		.max_segment =
			fpgabuf_engine_max_segment(&importer->client.engine),
		.dma_mask = dma_get_mask(dma_dev),
	};

	if (READ_ONCE(importer->client.engine.quarantine))
		info->state |= FPGABUF_STATE_QUARANTINE;
	strscpy(info->name, importer->name, sizeof(info->name));
	strscpy(info->driver, importer->parent->driver->name,
		sizeof(info->driver));
	strscpy(info->bus, dev_name(dma_dev), sizeof(info->bus));
}

static int importer_ioctl_info(struct fpgabuf_importer *importer,
			       void __user *user, size_t size)
{
	struct fpgabuf_import_info info;
	int ret;

	ret = fpgabuf_client_enter(&importer->client);
	if (ret)
		return ret;
	importer_info(importer, &info);
	fpgabuf_client_leave(&importer->client);
	return copy_struct_to_user(user, size, &info, sizeof(info), NULL);
}

/**
 * struct importer_ioctl_desc - an ioctl but for the exchange
 * @cmd: its request number, with the size that its argument has in this kernel
 * @min_size: the size that it had at first
 * @func: does it; takes the locks that it needs
 */
struct importer_ioctl_desc {
	unsigned int cmd;
	size_t min_size;
	int (*func)(struct fpgabuf_importer *importer, void __user *user,
		    size_t size);
};

static const struct importer_ioctl_desc importer_ioctls[] = {
	{ FPGABUF_IMPORT_IOC_INFO, sizeof(struct fpgabuf_import_info),
	  importer_ioctl_info },
	{ FPGABUF_IMPORT_IOC_ATTACH, sizeof(struct fpgabuf_import_attach),
	  importer_ioctl_attach },
	{ FPGABUF_IMPORT_IOC_DETACH, sizeof(struct fpgabuf_import_detach),
	  importer_ioctl_detach },
	{ FPGABUF_IMPORT_IOC_SEGMENTS, sizeof(struct fpgabuf_import_segments),
	  importer_ioctl_segments },
};

/* The number, type and direction must be right; the size may have grown. */
static bool ioctl_is(unsigned int cmd, unsigned int known)
{
	return !((cmd ^ known) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT));
}

static int importer_ioctl_other(struct fpgabuf_importer *importer,
				const struct importer_ioctl_desc *desc,
				void __user *user, size_t size)
{
	if (size < desc->min_size)
		return -EINVAL;
	if (READ_ONCE(importer->client.gone))
		return -ENODEV;
	return desc->func(importer, user, size);
}

static long importer_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct fpgabuf_importer *importer = file->private_data;
	void __user *user = (void __user *)arg;
	const size_t size = _IOC_SIZE(cmd);
	unsigned int i;

	if (ioctl_is(cmd, FPGABUF_IMPORT_IOC_EXCHANGE)) {
		if (size < sizeof(struct fpgabuf_import_exchange))
			return -EINVAL;
		return importer_ioctl_exchange(importer, file, user, size);
	}
	for (i = 0; i < ARRAY_SIZE(importer_ioctls); i++)
		if (ioctl_is(cmd, importer_ioctls[i].cmd))
			return importer_ioctl_other(importer,
						    &importer_ioctls[i], user,
						    size);
	return -ENOTTY;
}

static const struct file_operations importer_fops = {
	.owner		= THIS_MODULE,
	.open		= importer_open,
	.release	= importer_release,
	.poll		= importer_poll,
	.unlocked_ioctl	= importer_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= importer_show_fdinfo,
};

static ssize_t name_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct fpgabuf_importer *importer =
		container_of(dev, struct fpgabuf_importer, dev);

	return sysfs_emit(buf, "%s\n", importer->name);
}
static DEVICE_ATTR_RO(name);

/* For udev's rules: Documentation/ABI/testing-sysfs-class-fpgabuf */
static struct attribute *importer_attrs[] = {
	&dev_attr_name.attr,
	NULL
};
ATTRIBUTE_GROUPS(importer);

/* Devices whose release has not run: it is code of this module. */
static atomic_t importers_alive = ATOMIC_INIT(0);

static void importer_free(struct device *dev)
{
	struct fpgabuf_importer *importer =
		container_of(dev, struct fpgabuf_importer, dev);

	fpgabuf_engine_fini(&importer->client.engine);
	fpgabuf_client_fini(&importer->client);
	kvfree(importer);
	if (atomic_dec_and_test(&importers_alive))
		wake_up_var(&importers_alive);
}

static int importer_check_config(struct fpgabuf_importer_config *config)
{
	if (!config->name || !config->dma_name ||
	    config->timeout_ms > FPGABUF_MAX_TIMEOUT_MS)
		return -EINVAL;
	if (!config->timeout_ms)
		config->timeout_ms = IMPORTER_DEFAULT_TIMEOUT_MS;
	return 0;
}

/**
 * fpgabuf_importer_register() - make an importing device of a dmaengine channel
 * @dev: the device, bound to its driver; dma_request_chan() is called on it
 * @config: what it is; copied, what it points to is not
 *
 * The node /dev/fpgabuf_importN appears and may be opened before this returns.
 * The engine's channel is looked at here and held while the node is open, as by
 * fpgabuf_channel_register().
 *
 * Context: process context, may sleep.
 * Return: the importing device, or an ERR_PTR: -EINVAL for a configuration that
 * is wrong, -EPROBE_DEFER or -EOPNOTSUPP as fpgabuf_channel_register(), -ENOSPC
 * when there are too many, -ENOMEM.
 */
struct fpgabuf_importer *
fpgabuf_importer_register(struct device *dev,
			  const struct fpgabuf_importer_config *config)
{
	struct fpgabuf_engine_config engine_config;
	struct fpgabuf_importer *importer;
	int minor, ret;

	importer = kvzalloc(sizeof(*importer), GFP_KERNEL);
	if (!importer)
		return ERR_PTR(-ENOMEM);

	importer->config = *config;
	ret = importer_check_config(&importer->config);
	engine_config = (struct fpgabuf_engine_config){
		.parent = dev,
		.dma_name = config->dma_name,
		.use = FPGABUF_ENGINE_COPY,
		.limits = config->limits,
	};
	if (!ret)
		ret = fpgabuf_engine_check(&engine_config);
	if (ret)
		goto err_free;
	minor = ida_alloc_max(&importer_ida, IMPORTER_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		ret = minor;
		goto err_free;
	}

	strscpy(importer->name, config->name, sizeof(importer->name));
	importer->parent = dev;
	fpgabuf_engine_init(&importer->client.engine, &importer_copy_ops,
			    &importer->dev, &engine_config);
	ret = fpgabuf_client_init(&importer->client, &importer_exchange_ops);
	if (ret) {
		ida_free(&importer_ida, minor);
		goto err_free;
	}
	importer_slots_init(importer);
	importer_maps_init(importer);
	importer_copies_init(importer);

	device_initialize(&importer->dev);
	atomic_inc(&importers_alive);
	importer->dev.class = importer_class;
	importer->dev.parent = dev;
	importer->dev.devt = MKDEV(MAJOR(importer_devt), minor);
	importer->dev.groups = importer_groups;
	importer->dev.release = importer_free;
	cdev_init(&importer->cdev, &importer_fops);
	importer->cdev.owner = THIS_MODULE;

	ret = dev_set_name(&importer->dev, "fpgabuf_import%d", minor);
	if (!ret)
		ret = cdev_device_add(&importer->cdev, &importer->dev);
	if (ret) {
		ida_free(&importer_ida, minor);
		put_device(&importer->dev);
		return ERR_PTR(ret);
	}
	return importer;

err_free:
	kvfree(importer);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_importer_register, "FPGABUF");

/**
 * fpgabuf_importer_unregister() - take an importing device away
 * @importer: from fpgabuf_importer_register()
 *
 * Stops the engine, detaches from all buffers, releases the engine's channel and
 * wakes who waits. A file may stay open. When it returns nothing of the device is
 * used any more, and @importer is no longer the caller's.
 *
 * Context: process context, may sleep; called before the device is unbound.
 */
void fpgabuf_importer_unregister(struct fpgabuf_importer *importer)
{
	cdev_device_del(&importer->cdev, &importer->dev);
	/* The number may be reused; files of this node may still be open. */
	ida_free(&importer_ida, MINOR(importer->dev.devt));

	mutex_lock(&importer->client.lock);
	fpgabuf_client_set_gone(&importer->client);
	if (importer->client.engine.chan)
		importer_reset(importer, -ENODEV);
	mutex_unlock(&importer->client.lock);

	/* Until the last one is done that attaches, maps or detaches. */
	down_write(&importer->client.alive);
	mutex_lock(&importer->client.lock);
	if (importer->client.engine.chan) {
		importer_maps_flush(importer);
		importer_maps_abandon(importer);
		fpgabuf_client_power_end(&importer->client);
		fpgabuf_engine_close(&importer->client.engine);
	}
	mutex_unlock(&importer->client.lock);
	up_write(&importer->client.alive);

	fpgabuf_engine_cancel(&importer->client.engine);
	wake_up_all(&importer->client.engine.wait);
	put_device(&importer->dev);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_importer_unregister, "FPGABUF");

/**
 * fpgabuf_importing_init() - before the first importing device is registered
 *
 * Context: process context, may sleep.
 * Return: 0, or why there can be none.
 */
int __init fpgabuf_importing_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&importer_devt, 0, IMPORTER_MINORS,
				  "fpgabuf_import");
	if (ret)
		return ret;
	importer_class = class_create("fpgabuf_import");
	if (IS_ERR(importer_class)) {
		unregister_chrdev_region(importer_devt, IMPORTER_MINORS);
		return PTR_ERR(importer_class);
	}
	importer_power_init(importer_class);
	return 0;
}

/**
 * fpgabuf_importing_exit() - after the last importing device was unregistered
 *
 * Context: process context, may sleep: until what others hold of them is
 * released.
 */
void fpgabuf_importing_exit(void)
{
	/* The last reference may be put by somebody who comes later. */
	wait_var_event(&importers_alive, !atomic_read(&importers_alive));
	class_destroy(importer_class);
	unregister_chrdev_region(importer_devt, IMPORTER_MINORS);
	ida_destroy(&importer_ida);
}
