/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libfpgabuf share and do not export. */
#ifndef FPGABUF_INTERNAL_H
#define FPGABUF_INTERNAL_H

#include "fpgabuf.h"

struct fpgabuf_channel {
	int fd;
	char *path;
	struct fpgabuf_info info;
};

/* ioctl(2) that is repeated on EINTR. Return: >= 0 or a negative errno. */
int fpgabuf_ioctl(int fd, unsigned long request, void *arg);

/* fpgabuf_list() of the devices in @class_dir that have a node in @dev_dir. */
int fpgabuf_list_dir(const char *class_dir, const char *dev_dir, char ***paths);

/*
 * A point of CLOCK_MONOTONIC in ns. A wait that is taken up again after a
 * signal ends when it would have ended without.
 */
#define FPGABUF_DEADLINE_NEVER	INT64_MAX
#define FPGABUF_DEADLINE_NOW	INT64_MIN

int64_t fpgabuf_deadline(int64_t timeout_ns);
/* The timeout that is left: negative for no limit, 0 for no wait at all. */
int64_t fpgabuf_deadline_left(int64_t deadline);

#endif /* FPGABUF_INTERNAL_H */
