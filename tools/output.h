/* SPDX-License-Identifier: GPL-2.0 */
/* Where captured frames are written to. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct output {
	int fd;
	const char *name;
};

/* @path: "-" for standard output. Tells what went wrong, as all of these. */
bool output_open(struct output *output, const char *path);
/* Return: 0, -EINTR when interrupted(), which is not told, or another errno. */
int output_write(const struct output *output, const void *data, size_t size);
/* Some file systems tell only here that the data did not get there. */
bool output_close(struct output *output);

#endif /* OUTPUT_H */
