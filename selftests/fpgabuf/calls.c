// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of a channel device and of a dma-buf, one function each.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fpgabuf_test.h"

int fpga_open(unsigned int number, int flags)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/fpgabuf%u", number);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int fpga_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int fpga_alloc_flags(int ch, __u64 size, __u32 kind, __u32 fd_flags)
{
	struct fpgabuf_alloc alloc = {
		.size = size,
		.kind = kind,
		.fd_flags = fd_flags,
		.fd = -1,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_ALLOC, &alloc);

	return ret < 0 ? ret : alloc.fd;
}

int fpga_alloc(int ch, __u64 size, __u32 kind)
{
	return fpga_alloc_flags(ch, size, kind, O_RDWR | O_CLOEXEC);
}

int fpga_alloc_user(int ch, const void *address, __u64 length, __u32 fd_flags)
{
	struct fpgabuf_alloc_user alloc = {
		.address = (uintptr_t)address,
		.length = length,
		.fd_flags = fd_flags,
		.fd = -1,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_ALLOC_USER, &alloc);

	return ret < 0 ? ret : alloc.fd;
}

int fpga_alloc_pool(int ch, __u32 block_size, __u32 num_blocks,
		    __u32 alignment, __u32 boundary, __u32 *stride)
{
	struct fpgabuf_alloc_pool alloc = {
		.block_size = block_size,
		.num_blocks = num_blocks,
		.alignment = alignment,
		.boundary = boundary,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_ALLOC_POOL, &alloc);

	*stride = alloc.stride;
	return ret < 0 ? ret : alloc.fd;
}

int fpga_register(int ch, int fd, __u64 offset, __u64 length)
{
	struct fpgabuf_register reg = {
		.fd = fd,
		.offset = offset,
		.length = length,
		.slot = ~0U,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_REGISTER, &reg);

	return ret < 0 ? ret : (int)reg.slot;
}

int fpga_unregister(int ch, __u32 slot)
{
	struct fpgabuf_unregister unreg = { .slot = slot };

	return fpga_ioctl(ch, FPGABUF_IOC_UNREGISTER, &unreg);
}

int fpga_inspect(int ch, int fd, struct fpgabuf_inspect *inspect, void *names,
		 __u32 room)
{
	*inspect = (struct fpgabuf_inspect){
		.fd = fd,
		.names = (uintptr_t)names,
		.names_size = room,
	};
	return fpga_ioctl(ch, FPGABUF_IOC_INSPECT, inspect);
}

int fpga_start(int ch)
{
	struct fpgabuf_start start = { 0 };
	int ret = fpga_ioctl(ch, FPGABUF_IOC_START, &start);

	return ret < 0 ? ret : (int)start.run;
}

int fpga_stop(int ch)
{
	return fpga_ioctl(ch, FPGABUF_IOC_STOP, NULL);
}

int fpga_get_format(int ch, struct fpgabuf_format *format)
{
	memset(format, 0, sizeof(*format));
	return fpga_ioctl(ch, FPGABUF_IOC_GET_FORMAT, format);
}

int fpga_set_format(int ch, struct fpgabuf_format *format)
{
	return fpga_ioctl(ch, FPGABUF_IOC_SET_FORMAT, format);
}

static int set_raw(int ch, __u64 size, __u32 fps, __u32 flags)
{
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_RAW,
		.flags = flags,
		.size = size,
		.rate = { .numerator = fps, .denominator = 1 },
	};

	return fpga_set_format(ch, &format);
}

int fpga_set_raw(int ch, __u64 size, __u32 fps)
{
	return set_raw(ch, size, fps, 0);
}

int fpga_set_packets(int ch, __u64 size, __u32 fps)
{
	return set_raw(ch, size, fps, FPGABUF_FORMAT_PACKETS);
}

int fpga_exchange(int ch, const struct fpgabuf_queue_entry *queue,
		  __u32 queue_count, struct fpgabuf_completion *done,
		  __u32 max, __u32 min, __s64 timeout)
{
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)queue,
		.done = (uintptr_t)done,
		.queue_count = queue_count,
		.done_count = max,
		.min_done = min,
		.timeout = timeout,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);

	return ret < 0 ? ret : (int)exchange.done_count;
}

int fpga_queue(int ch, __u32 slot, __u64 user_data)
{
	struct fpgabuf_queue_entry entry = {
		.slot = slot,
		.user_data = user_data,
	};

	return fpga_exchange(ch, &entry, 1, NULL, 0, 0, 0);
}

int fpga_take(int ch, struct fpgabuf_completion *done, __u32 max,
	      __u32 min, __s64 timeout)
{
	return fpga_exchange(ch, NULL, 0, done, max, min, timeout);
}

int fpga_capture(int ch, __u32 slot, struct fpgabuf_completion *done)
{
	int stopped;
	int ret;

	ret = fpga_queue(ch, slot, slot);
	if (ret < 0)
		return ret;
	ret = fpga_start(ch);
	if (ret < 0)
		return ret;
	ret = fpga_take(ch, done, 1, 1, 5 * SEC);
	stopped = fpga_stop(ch);
	if (ret < 0)
		return ret;
	return stopped;
}

int poll_fd(int fd, short events, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret = poll(&pfd, 1, timeout_ms);

	return ret < 0 ? -errno : pfd.revents;
}

int node_name(int fd, char *name, size_t len)
{
	char link[32], path[64];
	ssize_t used;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	used = readlink(link, path, sizeof(path) - 1);
	if (used < 0)
		return -errno;
	path[used] = '\0';
	if (strncmp(path, "/dev/", 5))
		return -ENODEV;
	snprintf(name, len, "%s", path + 5);
	return 0;
}

size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int dmabuf_sync(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return fpga_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

__s64 dmabuf_size(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	return size < 0 ? -errno : size;
}

int dmabuf_fdinfo(int fd, const char *key, char *value, size_t len)
{
	size_t key_len = strlen(key);
	char path[64], line[256];
	int ret = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, key_len) || line[key_len] != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, len, "%s",
			 line + key_len + 1 + strspn(line + key_len + 1, "\t "));
		ret = 0;
	}
	fclose(f);
	return ret;
}

void *dmabuf_map(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

int buffer_from_fd(int fd, struct buffer *b)
{
	__s64 size;
	int ret;

	if (fd < 0)
		return fd;
	size = dmabuf_size(fd);
	if (size < 0) {
		close(fd);
		return size;
	}
	b->fd = fd;
	b->size = size;
	b->map = dmabuf_map(fd, size);
	if (!b->map) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return 0;
}

/* Memory of our own; the buffer's mapping is where it was before. */
static int buffer_alloc_user(int ch, __u64 size, struct buffer *b)
{
	b->size = size;
	b->map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->map == MAP_FAILED)
		return -errno;
	b->fd = fpga_alloc_user(ch, b->map, size, O_RDWR | O_CLOEXEC);
	if (b->fd >= 0)
		return 0;
	munmap(b->map, size);
	return b->fd;
}

int buffer_alloc(int ch, __u64 size, __u32 kind, struct buffer *b)
{
	__u32 stride;

	switch (kind) {
	case FPGABUF_KIND_USER:
		return buffer_alloc_user(ch, size, b);
	case FPGABUF_KIND_POOL:
		return buffer_from_fd(fpga_alloc_pool(ch, 64, size / 64, 0, 0,
						      &stride), b);
	default:
		return buffer_from_fd(fpga_alloc(ch, size, kind), b);
	}
}

void buffer_free(struct buffer *b)
{
	munmap(b->map, b->size);
	close(b->fd);
}
