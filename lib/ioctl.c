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
