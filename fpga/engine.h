/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_ENGINE_H
#define _FPGABUF_ENGINE_H

#include <linux/types.h>

struct device;
struct dma_chan;

/**
 * enum fpgabuf_engine_use - what an engine's channel is for
 * @FPGABUF_ENGINE_CAPTURE: from the FPGA to memory
 * @FPGABUF_ENGINE_OUTPUT: from memory to the FPGA
 * @FPGABUF_ENGINE_COPY: from memory to memory
 */
enum fpgabuf_engine_use {
	FPGABUF_ENGINE_CAPTURE,
	FPGABUF_ENGINE_OUTPUT,
	FPGABUF_ENGINE_COPY,
};

struct dma_chan *fpgabuf_engine_get(struct device *dev, const char *name,
				    enum fpgabuf_engine_use use);
void fpgabuf_engine_put(struct device *dev, struct dma_chan *chan);
int fpgabuf_engine_check(struct device *dev, const char *name,
			 enum fpgabuf_engine_use use);
bool fpgabuf_engine_scatters(struct dma_chan *chan);

#endif /* _FPGABUF_ENGINE_H */
