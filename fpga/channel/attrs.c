// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel is, in sysfs, so that udev's rules can tell channels apart:
 * Documentation/ABI/testing-sysfs-class-fpgabuf.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "channel.h"

static ssize_t name_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);

	return sysfs_emit(buf, "%s\n", channel->name);
}
static DEVICE_ATTR_RO(name);

static ssize_t direction_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	struct fpgabuf_channel *channel =
		container_of(dev, struct fpgabuf_channel, dev);

	return sysfs_emit(buf, "%s\n", fpgabuf_channel_is_output(channel) ?
			  "output" : "capture");
}
static DEVICE_ATTR_RO(direction);

static struct attribute *identity_attributes[] = {
	&dev_attr_name.attr,
	&dev_attr_direction.attr,
	NULL
};

static const struct attribute_group identity_group = {
	.attrs = identity_attributes,
};

const struct attribute_group *fpgabuf_channel_groups[] = {
	&identity_group,
	&fpgabuf_stats_group,
	NULL
};
