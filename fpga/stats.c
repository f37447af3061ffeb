// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel has done since it was registered, in sysfs: statistics/ of its
 * device. Counted with the queue's lock held, which whoever counts has anyway.
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

	lockdep_assert_held(&channel->queue.lock);
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

	spin_lock_irq(&channel->queue.lock);
	value = *(u64 *)((void *)&channel->stats + a->offset);
	spin_unlock_irq(&channel->queue.lock);
	return sysfs_emit(buf, "%llu\n", value);
}

#define STATS_ATTRIBUTE(_name)						\
	static struct stats_attribute stats_##_name = {			\
		.attr = __ATTR(_name, 0444, stats_show, NULL),		\
		.offset = offsetof(struct fpgabuf_stats, _name),	\
	}

STATS_ATTRIBUTE(frames);
STATS_ATTRIBUTE(bytes);
STATS_ATTRIBUTE(lost);
STATS_ATTRIBUTE(errors);
STATS_ATTRIBUTE(timeouts);
STATS_ATTRIBUTE(canceled);
STATS_ATTRIBUTE(stray);

static struct attribute *stats_attributes[] = {
	&stats_frames.attr.attr,
	&stats_bytes.attr.attr,
	&stats_lost.attr.attr,
	&stats_errors.attr.attr,
	&stats_timeouts.attr.attr,
	&stats_canceled.attr.attr,
	&stats_stray.attr.attr,
	NULL
};

static const struct attribute_group stats_group = {
	.name = "statistics",
	.attrs = stats_attributes,
};

const struct attribute_group *fpgabuf_channel_groups[] = {
	&stats_group,
	NULL
};
