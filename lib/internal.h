/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of libfpgabuf share and do not export. */
#ifndef FPGABUF_INTERNAL_H
#define FPGABUF_INTERNAL_H

#include "fpgabuf.h"

/* A device node, open. */
struct fpgabuf_node {
	int fd;
	char *path;
};

struct fpgabuf_channel {
	struct fpgabuf_node node;
	struct fpgabuf_info info;
};

struct fpgabuf_importer {
	struct fpgabuf_node node;
	struct fpgabuf_import_info info;
};

/*
 * Opens @wanted, or with NULL the first one of @list, and asks it by @request for
 * its @info, which begins with the version of the ABI.
 */
int fpgabuf_node_open(struct fpgabuf_node *node, const char *wanted,
		      int (*list)(char ***paths), unsigned long request,
		      void *info);
void fpgabuf_node_close(struct fpgabuf_node *node);

/* ioctl(2) that is repeated on EINTR. Return: >= 0 or a negative errno. */
int fpgabuf_ioctl(int fd, unsigned long request, void *arg);
/*
 * The same of one that waits and takes completions: with *@timeout as is left of
 * the time, and *@done_count as it was. Return: that count, or a negative errno.
 */
int fpgabuf_ioctl_wait(int fd, unsigned long request, void *arg,
		       __u32 *done_count, __s64 *timeout, int64_t deadline);

/*
 * fpgabuf_list() of the devices in @class_dir, by the name of @prefix and a
 * number, that have a node in @dev_dir.
 */
int fpgabuf_list_dir(const char *class_dir, const char *dev_dir,
		     const char *prefix, char ***paths);

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
