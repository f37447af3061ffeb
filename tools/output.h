/* SPDX-License-Identifier: GPL-2.0 */
/* Where captured frames are written to. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct output {
	int fd;
	const char *name;
	/* bytes from a frame to the next; 0: one after the other, as a stream */
	uint64_t stride;
	/* where the next frame goes to, with a stride */
	off_t position;
};

/* @path: "-" for standard output. Tells what went wrong, as all of these. */
bool output_open(struct output *output, const char *path);
/*
 * For frames of @size bytes, which the disk fetches from where they are: each
 * has @stride bytes of memory, aligned to pages, of which nothing is copied.
 */
bool output_open_direct(struct output *output, const char *path, uint64_t size);
/* What was in the file is gone. */
bool output_empty(const struct output *output);
/* Return: 0, -EINTR when interrupted(), which is not told, or another errno. */
int output_write(struct output *output, const void *data, size_t size);
/* Some file systems tell only here that the data did not get there. */
bool output_close(struct output *output);

#endif /* OUTPUT_H */
