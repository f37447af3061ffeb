/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_FENCE_H
#define _FPGABUF_FENCE_H

#include <linux/types.h>

struct dma_fence;

struct dma_fence *fpgabuf_fence_create(const char *timeline, u64 context,
				       u64 seqno);
void fpgabuf_fence_exit(void);

#endif /* _FPGABUF_FENCE_H */
