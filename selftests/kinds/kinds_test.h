/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of user and pool memory share, besides what ../fpgabuf has.
 */
#ifndef FPGABUF_KINDS_TEST_H
#define FPGABUF_KINDS_TEST_H

#include "../fpgabuf/fpgabuf_test.h"

/* What memory holds before a frame comes, and what lies beside frames */
#define BEFORE		0xa5

/* Where a program's memory may come from */
enum memory_origin {
	ANONYMOUS,
	MEMFD,
	PRIVATE_FILE,
	HUGE,
};

/**
 * struct memory - memory of this process
 * @map: where it is
 * @size: bytes, whole pages of its kind
 * @file: the memfd, or -1
 */
struct memory {
	char *map;
	size_t size;
	int file;
};

/* All of it holds BEFORE; -ENOENT: no huge pages can be had. */
int memory_get(struct memory *m, enum memory_origin origin, size_t size);
/*
 * Huge pages for the tests: how many there are. Gives those back that it made
 * when @count is 0.
 */
int huge_pages(int count);

/* Pages of the whole machine that are pinned */
__s64 pinned_pages(void);

/* The next number for a file: a number that was kept for one counts as used. */
int free_fd(void);

/* Format, slot and start of a channel that captures into all of @fd, one slot */
int stream_into(int ch, int fd, size_t size);
/* One more frame into slot 0, which is taken. */
int next_frame(int ch, struct fpgabuf_completion *done);

#endif /* FPGABUF_KINDS_TEST_H */
