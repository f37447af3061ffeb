/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the heaps share, besides what ../fpgabuf has. A heap is used
 * as a program does that knows nothing of fpgabuf.
 */
#ifndef FPGABUF_HEAPS_TEST_H
#define FPGABUF_HEAPS_TEST_H

#include <linux/dma-heap.h>

#include "../fpgabuf/fpgabuf_test.h"

#define HEAPS		"/dev/dma_heap"
#define DEVICE		SIM_DEVICE
#define MODULE		"fpgabuf_heaps"

/* Path of the heap of a kind of memory of the simulated FPGA */
void heap_path(char *path, size_t len, __u32 kind);
int heap_open(__u32 kind);
/* A new dma-buf, or a negative errno */
int heap_get(int heap, __u64 len);
int heap_get_flags(int heap, __u64 len, __u32 fd_flags);
/* The heaps were added to those of the kernel, which lets none go again. */
bool heaps_stay(void);

#endif /* FPGABUF_HEAPS_TEST_H */
