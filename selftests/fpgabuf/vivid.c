// SPDX-License-Identifier: GPL-2.0
/*
 * vivid as an exporter, and as an importer that uses the kernel mapping (vmap)
 * of a dma-buf.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "foreign.h"
#include "fpgabuf_test.h"

/*
 * All lines are the same and 1280 bytes long: the picture repeats after 5 pages
 * and not before, so blocks of 2^n pages that change places show.
 */
#define STILL_PATTERN	"Gray Ramp"

static bool is_vivid_capture(int fd)
{
	struct v4l2_capability cap = { 0 };

	return !ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
	       !strcmp((char *)cap.driver, "vivid") &&
	       cap.device_caps & V4L2_CAP_VIDEO_CAPTURE;
}

static int find_capture(void)
{
	char path[32];
	int fd, i;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vivid_capture(fd))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static int find_control(int video, const char *name,
			struct v4l2_queryctrl *ctrl)
{
	memset(ctrl, 0, sizeof(*ctrl));
	ctrl->id = V4L2_CTRL_FLAG_NEXT_CTRL;
	while (!ioctl(video, VIDIOC_QUERYCTRL, ctrl)) {
		if (!strcmp((char *)ctrl->name, name))
			return 0;
		ctrl->id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	return -ENOENT;
}

static int set_menu(int video, const char *name, const char *item)
{
	struct v4l2_queryctrl ctrl;
	struct v4l2_querymenu menu;
	int ret;

	ret = find_control(video, name, &ctrl);
	if (ret)
		return ret;
	for (int i = ctrl.minimum; i <= ctrl.maximum; i++) {
		struct v4l2_control value = { .id = ctrl.id, .value = i };

		menu = (struct v4l2_querymenu){ .id = ctrl.id, .index = i };
		if (!ioctl(video, VIDIOC_QUERYMENU, &menu) &&
		    !strcmp((char *)menu.name, item))
			return fpga_ioctl(video, VIDIOC_S_CTRL, &value);
	}
	return -ENOENT;
}

int vivid_open(size_t *size)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = 640,
			.height = 360,
			.pixelformat = V4L2_PIX_FMT_YUYV,
		},
	};
	int video = find_capture();
	int ret;

	if (video < 0)
		return video;
	ret = set_menu(video, "Test Pattern", STILL_PATTERN);
	if (!ret)
		ret = set_menu(video, "OSD Text Mode", "None");
	if (!ret)
		ret = fpga_ioctl(video, VIDIOC_S_FMT, &format);
	if (ret) {
		close(video);
		return ret;
	}
	*size = format.fmt.pix.sizeimage;
	return video;
}

static int request(int video, __u32 memory, __u32 count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	return fpga_ioctl(video, VIDIOC_REQBUFS, &req);
}

int vivid_alloc(int video)
{
	struct v4l2_exportbuffer exp = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	int ret;

	ret = request(video, V4L2_MEMORY_MMAP, 1);
	if (!ret)
		ret = fpga_ioctl(video, VIDIOC_EXPBUF, &exp);
	return ret < 0 ? ret : exp.fd;
}

static int queue(int video, struct v4l2_buffer *buf, int fd)
{
	buf->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	buf->memory = fd < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF;
	if (fd >= 0)
		buf->m.fd = fd;
	return fpga_ioctl(video, VIDIOC_QBUF, buf);
}

static int stream_one(int video, struct v4l2_buffer *buf)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	int ret;

	ret = fpga_ioctl(video, VIDIOC_STREAMON, &type);
	if (ret)
		return ret;
	ret = poll_fd(video, POLLIN, 5000);
	if (ret & POLLIN)
		ret = fpga_ioctl(video, VIDIOC_DQBUF, buf);
	else
		ret = ret < 0 ? ret : -ETIMEDOUT;
	fpga_ioctl(video, VIDIOC_STREAMOFF, &type);
	return ret;
}

static int copy_out(int video, const struct v4l2_buffer *buf, void *copy,
		    size_t size)
{
	void *map = mmap(NULL, buf->length, PROT_READ, MAP_SHARED, video,
			 buf->m.offset);

	if (map == MAP_FAILED)
		return -errno;
	memcpy(copy, map, size);
	munmap(map, buf->length);
	return 0;
}

int vivid_capture(int video, int fd, void *copy, size_t size)
{
	__u32 memory = fd < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF;
	struct v4l2_buffer buf = { 0 };
	int ret;

	ret = request(video, memory, 1);
	if (ret)
		return ret;
	ret = queue(video, &buf, fd);
	if (!ret)
		ret = stream_one(video, &buf);
	if (!ret && buf.bytesused != size)
		ret = -EMSGSIZE;
	if (!ret && fd < 0)
		ret = copy_out(video, &buf, copy, size);
	request(video, memory, 0);
	return ret;
}
