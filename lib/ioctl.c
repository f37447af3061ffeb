// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <sys/ioctl.h>

#include "internal.h"

int fpgabuf_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret < 0 ? -errno : ret;
}

int fpgabuf_ioctl_wait(int fd, unsigned long request, void *arg,
		       __u32 *done_count, __s64 *timeout, int64_t deadline)
{
	const uint32_t max = *done_count;
	int ret;

	do {
		*done_count = max;
		*timeout = fpgabuf_deadline_left(deadline);
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret < 0 ? -errno : (int)*done_count;
}
