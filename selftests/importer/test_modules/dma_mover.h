/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of /dev/dma_mover, for the module and its test. What returns no
 * number returns 0, and any of them a negative errno. All but the first two have
 * the file descriptor of a dma-buf as their argument.
 */
#ifndef DMA_MOVER_H
#define DMA_MOVER_H

#include <linux/ioctl.h>

/* Whether memory may move on this kernel while it is mapped */
#define MOVER_POSSIBLE	_IO('m', 0)
/*
 * A dma-buf of 64 KiB, which begins that many bytes into a page; its file
 * descriptor
 */
#define MOVER_ALLOC	_IO('m', 1)
/* Let it be elsewhere. -EBUSY: it is pinned */
#define MOVER_MOVE	_IO('m', 2)
/* Take it away, from those who have it pinned, too. */
#define MOVER_REVOKE	_IO('m', 3)
/* How many mappings there are of where it is, and of where it was */
#define MOVER_MAPPINGS	_IO('m', 4)

#define MOVER_SIZE	(64 * 1024)

#endif /* DMA_MOVER_H */
