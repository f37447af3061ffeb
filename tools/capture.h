/* SPDX-License-Identifier: GPL-2.0 */
/* A capture, as the options of the command say. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "pool.h"
#include "select.h"

struct capture_options {
	const char *device;
	struct format_request format;
	struct pool_request pool;
	/* 0: until interrupted */
	uint64_t frames;
	/* longest wait for a frame, in ns; 0: no limit */
	int64_t timeout;
	bool verify;
	bool quiet;
	/* "-" for standard output; NULL for nowhere */
	const char *output;
	/* file that the disk writes from the buffers, or NULL */
	const char *direct;
};

/* Return: the exit status. */
int capture(const struct capture_options *options);

#endif /* CAPTURE_H */
