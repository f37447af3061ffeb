// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gst/allocators/allocators.h>

#include "frame_check.h"

int frame_verify(GstBuffer *buffer, struct fpgabuf_trailer *trailer)
{
	GstMapInfo map;
	int ret;

	if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
		return -EIO;
	ret = fpgabuf_verify_frame(map.data, map.size, trailer);
	gst_buffer_unmap(buffer, &map);
	return ret;
}

/* GStreamer takes any fd for that of a dma-buf; the kernel knows better. */
static bool fd_is_dmabuf(int fd)
{
	char path[32], target[32];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return !strncmp(target, "/dmabuf:", strlen("/dmabuf:"));
}

int frame_dmabuf(GstBuffer *buffer, uint64_t *inode)
{
	GstMemory *mem = gst_buffer_peek_memory(buffer, 0);
	struct stat st;
	int fd;

	if (gst_buffer_n_memory(buffer) != 1 || !gst_is_dmabuf_memory(mem))
		return -EXDEV;
	fd = gst_dmabuf_memory_get_fd(mem);
	if (!fd_is_dmabuf(fd))
		return -EXDEV;
	if (fstat(fd, &st) < 0)
		return -errno;
	*inode = st.st_ino;
	return 0;
}
