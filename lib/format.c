// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"

int fpgabuf_channel_enum_format(struct fpgabuf_channel *channel, uint32_t index,
				struct fpgabuf_format_desc *desc)
{
	struct fpgabuf_format_desc arg = { .index = index };
	int ret;

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_ENUM_FORMAT, &arg);
	if (ret < 0)
		return ret;

	*desc = arg;

	return 0;
}

int fpgabuf_channel_get_format(struct fpgabuf_channel *channel,
			       struct fpgabuf_format *format)
{
	struct fpgabuf_format arg = { 0 };
	int ret;

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_GET_FORMAT, &arg);
	if (ret < 0)
		return ret;

	*format = arg;

	return 0;
}

static int set_format(struct fpgabuf_channel *channel,
		      struct fpgabuf_format *format, uint32_t flags)
{
	struct fpgabuf_format arg = *format;
	int ret;

	arg.flags &= FPGABUF_FORMAT_PACKETS;
	arg.flags |= flags;
	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_SET_FORMAT, &arg);
	if (ret < 0)
		return ret;

	/* What was tried can be set, or compared, as it is. */
	arg.flags &= ~FPGABUF_FORMAT_TRY;
	*format = arg;

	return 0;
}

int fpgabuf_channel_try_format(struct fpgabuf_channel *channel,
			       struct fpgabuf_format *format)
{
	return set_format(channel, format, FPGABUF_FORMAT_TRY);
}

int fpgabuf_channel_set_format(struct fpgabuf_channel *channel,
			       struct fpgabuf_format *format)
{
	return set_format(channel, format, 0);
}
