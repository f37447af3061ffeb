// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

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

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_ALLOC, &arg);

	return ret < 0 ? ret : arg.fd;
}

/* What devices may do is what the dma-buf is opened for. */
static int open_flags(int prot)
{
	switch (prot) {
	case PROT_READ:
		return O_RDONLY | O_CLOEXEC;
	case PROT_READ | PROT_WRITE:
		return O_RDWR | O_CLOEXEC;
	default:
		return -EINVAL;
	}
}

int fpgabuf_channel_alloc_user(struct fpgabuf_channel *channel, void *address,
			       size_t length, int prot)
{
	struct fpgabuf_alloc_user arg = {
		.address = (uintptr_t)address,
		.length = length,
	};
	int ret;

	ret = open_flags(prot);
	if (ret < 0)
		return ret;
	arg.fd_flags = ret;
	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_ALLOC_USER, &arg);

	return ret < 0 ? ret : arg.fd;
}

int fpgabuf_channel_alloc_pool(struct fpgabuf_channel *channel,
			       uint32_t block_size, uint32_t num_blocks,
			       uint32_t alignment, uint32_t boundary,
			       uint32_t *stride)
{
	struct fpgabuf_alloc_pool arg = {
		.block_size = block_size,
		.num_blocks = num_blocks,
		.alignment = alignment,
		.boundary = boundary,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret;

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_ALLOC_POOL, &arg);
	if (ret < 0)
		return ret;
	*stride = arg.stride;

	return arg.fd;
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

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_REGISTER, &arg);

	return ret < 0 ? ret : (int)arg.slot;
}

int fpgabuf_channel_unregister(struct fpgabuf_channel *channel, uint32_t slot)
{
	struct fpgabuf_unregister arg = { .slot = slot };

	return fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_UNREGISTER, &arg);
}
