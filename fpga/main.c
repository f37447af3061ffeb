// SPDX-License-Identifier: GPL-2.0
/*
 * The module: dmaengine channels of an FPGA for programs. Capture and output
 * channels are /dev/fpgabufN (channel/), importing devices, which copy from memory
 * to memory, are /dev/fpgabuf_importN (importing/). Both use an engine (engine/) as
 * clients of it (client/).
 */
#include <linux/module.h>

#include "channel/channel.h"
#include "importing/node.h"

static int __init fpgabuf_dma_init(void)
{
	int ret;

	ret = fpgabuf_channels_init();
	if (ret)
		return ret;
	ret = fpgabuf_importing_init();
	if (ret)
		fpgabuf_channels_exit();
	return ret;
}

static void __exit fpgabuf_dma_exit(void)
{
	fpgabuf_importing_exit();
	fpgabuf_channels_exit();
}

module_init(fpgabuf_dma_init);
module_exit(fpgabuf_dma_exit);

MODULE_DESCRIPTION("FPGA streams and copies on dmaengine channels, on dma-bufs");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
