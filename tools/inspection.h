/* SPDX-License-Identifier: GPL-2.0 */
/* What a buffer is, for people. */
#ifndef INSPECTION_H
#define INSPECTION_H

#include <stdbool.h>
#include <sys/types.h>
#include <fpgabuf.h>

/*
 * Prints what the dma-buf @fd is, which is @number in the process @pid. Tells
 * when that cannot be found out.
 */
bool print_inspection(struct fpgabuf_channel *channel, int fd, pid_t pid,
		      int number);

#endif /* INSPECTION_H */
