// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel has done since it was registered, in sysfs: statistics/ of its
 * device. Counted with the queue's lock held.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>

#include "channel.h"

/* A job is done. */
void fpgabuf_stats_count(struct fpgabuf_channel *channel,
			 const struct fpgabuf_completion *done)
{
	struct fpgabuf_stats *stats = &channel->stats;

	lockdep_assert_held(&channel->client.engine.queue.lock);
	stats->lost += done->lost;
	switch (done->status) {
	case 0:
		stats->frames++;
		stats->bytes += done->bytes;
		break;
	case -ECANCELED:
	case -ENODEV:
		stats->canceled++;
		break;
	case -ETIMEDOUT:
		stats->timeouts++;
		break;
	default:
		stats->errors++;
		break;
	}
}

struct stats_attribute {
	struct device_attribute attr;
	size_t offset;
};

static ssize_t stats_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);
	const struct stats_attribute *a =
		container_of(attr, struct stats_attribute, attr);
	u64 value;

	spin_lock_irq(&channel->client.engine.queue.lock);
	value = *(u64 *)((void *)&channel->stats + a->offset);
	spin_unlock_irq(&channel->client.engine.queue.lock);
	return sysfs_emit(buf, "%llu\n", value);
}

static struct stats_attribute stats_attributes[] = {
	{ __ATTR(frames, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, frames) },
	{ __ATTR(bytes, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, bytes) },
	{ __ATTR(lost, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, lost) },
	{ __ATTR(errors, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, errors) },
	{ __ATTR(timeouts, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, timeouts) },
	{ __ATTR(canceled, 0444, stats_show, NULL),
	  offsetof(struct fpgabuf_stats, canceled) },
};

/* Callbacks of the engine for descriptors that were complete or given up */
static ssize_t stray_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);
	struct fpgabuf_engine *engine = &channel->client.engine;
	u64 stray;

	spin_lock_irq(&engine->queue.lock);
	stray = engine->stray;
	spin_unlock_irq(&engine->queue.lock);
	return sysfs_emit(buf, "%llu\n", stray);
}
static DEVICE_ATTR_RO(stray);

static struct attribute *stats_group_attributes[] = {
	&stats_attributes[0].attr.attr,
	&stats_attributes[1].attr.attr,
	&stats_attributes[2].attr.attr,
	&stats_attributes[3].attr.attr,
	&stats_attributes[4].attr.attr,
	&stats_attributes[5].attr.attr,
	&dev_attr_stray.attr,
	NULL
};

const struct attribute_group fpgabuf_stats_group = {
	.name = "statistics",
	.attrs = stats_group_attributes,
};
