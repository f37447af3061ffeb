// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>

#include "internal.h"

int fpgabuf_channel_alloc(struct fpgabuf_channel *channel, uint64_t size,
			  uint32_t kind)
{
	struct fpgabuf_alloc arg = {
		.size = size,
		.kind = kind,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret;

	ret = fpgabuf_ioctl(channel->fd, FPGABUF_IOC_ALLOC, &arg);

	return ret < 0 ? ret : arg.fd;
}

int fpgabuf_channel_register(struct fpgabuf_channel *channel, int fd,
			     uint64_t offset, uint64_t length)
{
	struct fpgabuf_register arg = {
		.fd = fd,
		.offset = offset,
		.length = length,
	};
	int ret;

	ret = fpgabuf_ioctl(channel->fd, FPGABUF_IOC_REGISTER, &arg);

	return ret < 0 ? ret : (int)arg.slot;
}

int fpgabuf_channel_unregister(struct fpgabuf_channel *channel, uint32_t slot)
{
	struct fpgabuf_unregister arg = { .slot = slot };

	return fpgabuf_ioctl(channel->fd, FPGABUF_IOC_UNREGISTER, &arg);
}
