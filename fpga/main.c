// SPDX-License-Identifier: GPL-2.0
/*
 * The module: what an FPGA's dmaengine channels are to user space. Capture and
 * output channels, /dev/fpgabufN (channel.c), and importing devices, which copy
 * from memory to memory, /dev/fpgabuf_importN (importing/node.c).
 */
#include <linux/module.h>

#include "channel.h"
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
