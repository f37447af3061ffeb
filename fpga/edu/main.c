// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's edu device as an FPGA board with a capture channel: what a board's own
 * driver looks like. Word i of a frame, little-endian, is the number of the run
 * times 65536, plus i modulo the words of a chunk.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fpgabuf.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "edu.h"

#define EDU_VENDOR_ID	0x1234
#define EDU_DEVICE_ID	0x11e8
#define EDU_BAR		0

/* It drives 28 address lines. */
#define EDU_DMA_BITS	28

/**
 * struct edu_board - the device
 * @engine: its DMA engine
 * @pattern: what the on-chip buffer is filled with
 * @pattern_addr: DMA address of @pattern
 * @channel: as registered with fpgabuf_dma
 */
struct edu_board {
	struct edu_engine engine;
	__le32 *pattern;
	dma_addr_t pattern_addr;
	struct fpgabuf_channel *channel;
};

static const struct fpgabuf_format_desc edu_formats[] = {
	{
		.type = FPGABUF_FORMAT_RAW,
		.min_size = 64,
		.max_size = SZ_64K,
		.step_size = sizeof(__le32),
		/* As fast as it can, and no other rate */
		.min_rate = { 0, 1 },
		.max_rate = { 0, 1 },
	},
};

static int edu_start(void *priv, u32 run)
{
	struct edu_board *board = priv;
	unsigned int i;
	int ret;

	for (i = 0; i < EDU_CHUNK / sizeof(*board->pattern); i++)
		board->pattern[i] = cpu_to_le32((run << 16) + i);
	ret = edu_engine_fill(&board->engine, board->pattern_addr);
	if (ret)
		return ret;
	edu_engine_flow(&board->engine, true);
	return 0;
}

static void edu_stop(void *priv)
{
	struct edu_board *board = priv;

	edu_engine_flow(&board->engine, false);
}

static const struct fpgabuf_channel_ops edu_channel_ops = {
	.start	= edu_start,
	.stop	= edu_stop,
};

static const struct fpgabuf_channel_config edu_config = {
	.name = "edu",
	.dma_name = EDU_CHANNEL,
	.direction = FPGABUF_DIR_CAPTURE,
	.capabilities = FPGABUF_CAP_UNTHROTTLED,
	.queue_depth = 8,
	.alignment = sizeof(__le32),
	.formats = edu_formats,
	.num_formats = ARRAY_SIZE(edu_formats),
	.default_format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = SZ_4K,
		.rate = { 0, 1 },
	},
	.ops = &edu_channel_ops,
};

static int edu_add_channel(struct edu_board *board, struct device *dev)
{
	struct fpgabuf_channel_config config = edu_config;

	config.priv = board;
	board->channel = fpgabuf_channel_register(dev, &config);
	return PTR_ERR_OR_ZERO(board->channel);
}

static int edu_set_up_dma(struct edu_board *board, struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (ret)
		return ret;
	/* Segments of any length: the engine cuts them. */
	dma_set_max_seg_size(dev, UINT_MAX);

	board->pattern = dmam_alloc_coherent(dev, EDU_CHUNK,
					     &board->pattern_addr, GFP_KERNEL);
	if (!board->pattern)
		return -ENOMEM;
	pci_set_master(pdev);
	return pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_board *board;
	void __iomem *regs;
	int ret;

	board = devm_kzalloc(&pdev->dev, sizeof(*board), GFP_KERNEL);
	if (!board)
		return -ENOMEM;
	pci_set_drvdata(pdev, board);

	/* Undone when the driver is unbound, as is all that is managed. */
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	regs = pcim_iomap_region(pdev, EDU_BAR, KBUILD_MODNAME);
	if (IS_ERR(regs))
		return PTR_ERR(regs);
	ret = edu_set_up_dma(board, pdev);
	if (ret < 0)
		return ret;

	ret = edu_engine_register(&board->engine, pdev, regs);
	if (ret)
		return ret;
	ret = edu_add_channel(board, &pdev->dev);
	if (ret)
		edu_engine_unregister(&board->engine);
	return ret;
}

/* The channel first: it waits until the engine has written its last. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu_board *board = pci_get_drvdata(pdev);

	fpgabuf_channel_unregister(board->channel);
	edu_engine_unregister(&board->engine);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("QEMU's edu device as an FPGA, for fpgabuf");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
