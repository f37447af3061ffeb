/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's virtual video output (vivid), which imports dma-bufs as a
 * display controller does.
 */
#ifndef VIVID_H
#define VIVID_H

#include <stddef.h>

/*
 * Loads vivid anew, with one progressive output that uses @allocator: 0 reads
 * dma-bufs by the CPU (vmalloc), 1 by addresses on the device (dma-contig).
 * Fills in the node of the output. NULL, or why there is none.
 */
const char *vivid_load(int allocator, char *node, size_t len);
void vivid_unload(void);

#endif
