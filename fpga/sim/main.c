// SPDX-License-Identifier: GPL-2.0
/*
 * fpgabuf simulated FPGA: a platform device with capture and output channels, so
 * that all of fpgabuf runs with no hardware. This file is what a board's driver
 * looks like.
 */
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <drm/drm_fourcc.h>

#include "sim.h"

static unsigned int channels = 2;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "capture channels, 1 to 8 (default 2)");

static unsigned int outputs = 1;
module_param(outputs, uint, 0444);
MODULE_PARM_DESC(outputs, "output channels, 0 to 8 (default 1)");

static bool loopback = true;
module_param(loopback, bool, 0444);
MODULE_PARM_DESC(loopback, "a capture channel that gets what tx0 takes, if there is one (default yes)");

static bool copier = true;
module_param(copier, bool, 0444);
MODULE_PARM_DESC(copier, "an importing device that copies (default yes)");

static unsigned int copier_timeout;
module_param(copier_timeout, uint, 0644);
MODULE_PARM_DESC(copier_timeout, "ms that the importing device's engine may take, read when the device is bound (default 0: that of all importing devices)");

static unsigned int ram = 4;
module_param(ram, uint, 0444);
MODULE_PARM_DESC(ram, "on-board memory in MiB, 0: none (default 4)");

static char *engine_name = "ideal";
module_param_named(engine, engine_name, charp, 0444);
MODULE_PARM_DESC(engine, "whose habits the DMA engine has: ideal, vdma, axidma, xdma, qdma, cyclic, edma (default ideal)");

/* Cut long frames, so that the segments of a descriptor are put to use. */
#define SIM_MAX_SEGMENT	SZ_2M
#define SIM_ALIGNMENT	64
/* The channel that writes frames of any size to any address, as packets do */
#define SIM_BYTE_CHANNEL	1
#define SIM_PACKET_DEPTH	FPGABUF_MAX_DEPTH
#define SIM_MAX_RATE	10000

/**
 * struct sim_board - the device
 * @ram: its memory
 * @engine: its DMA engine
 * @sources: its logic, one per capture channel
 * @sinks: one per output channel
 * @loop: gives back what the first sink took
 * @copier: moves from memory to memory
 * @num_logics: how many of all of them are set up, in the order of @engine
 * @channels: as registered with fpgabuf_dma, in the order of @engine; NULL from
 *	the first one missing
 * @importer: as registered with fpgabuf_importer, or NULL
 * @debugfs: folder of the device
 */
struct sim_board {
	struct sim_ram ram;
	struct sim_engine engine;
	struct sim_logic sources[SIM_MAX_SOURCES];
	struct sim_sink sinks[SIM_MAX_SINKS];
	struct sim_loop loop;
	struct sim_logic copier;
	unsigned int num_logics;
	struct fpgabuf_channel *channels[SIM_MAX_CHANNELS];
	struct fpgabuf_importer *importer;
	struct dentry *debugfs;
};

#define SIM_VIDEO(_fourcc, _step_width) {				\
	.type = FPGABUF_FORMAT_VIDEO,					\
	.fourcc = (_fourcc),						\
	.modifier = DRM_FORMAT_MOD_LINEAR,				\
	.stride_align = 4,						\
	.min_width = 16, .max_width = 8192, .step_width = (_step_width), \
	.min_height = 1, .max_height = 8192, .step_height = 1,		\
	.min_size = SIM_MIN_SIZE, .max_size = SZ_64M,			\
	.min_rate = { 1, 1 },						\
	.max_rate = { SIM_MAX_RATE, 1 },				\
}

#define SIM_RAW(_step_size) {						\
	.type = FPGABUF_FORMAT_RAW,					\
	.flags = FPGABUF_FORMAT_PACKETS,				\
	.min_size = SIM_MIN_SIZE,					\
	.max_size = SZ_64M,						\
	.step_size = (_step_size),					\
	.min_rate = { 1, 1 },						\
	.max_rate = { SIM_MAX_RATE, 1 },				\
}

#define SIM_FORMATS(_raw_step) {					\
	SIM_VIDEO(DRM_FORMAT_YUYV, 2),					\
	SIM_VIDEO(DRM_FORMAT_UYVY, 2),					\
	SIM_VIDEO(DRM_FORMAT_XRGB8888, 1),				\
	SIM_VIDEO(DRM_FORMAT_R8, 1),					\
	SIM_RAW(_raw_step),						\
}

static const struct fpgabuf_format_desc sim_formats[] = SIM_FORMATS(4);
static const struct fpgabuf_format_desc sim_byte_formats[] = SIM_FORMATS(1);

static const struct fpgabuf_channel_config sim_config = {
	.direction = FPGABUF_DIR_CAPTURE,
	.capabilities = FPGABUF_CAP_LOSS | FPGABUF_CAP_UNTHROTTLED,
	.queue_depth = 32,
	.alignment = SIM_ALIGNMENT,
	.formats = sim_formats,
	.num_formats = ARRAY_SIZE(sim_formats),
	.default_format = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = DRM_FORMAT_YUYV,
		.width = 1280,
		.height = 720,
		.rate = { 60, 1 },
	},
};

const struct sim_ram *sim_board_ram(struct device *dev)
{
	const struct sim_board *board = dev_get_drvdata(dev);

	return &board->ram;
}

static void sim_channel_name(const struct sim_board *board, unsigned int i,
			     char *name, size_t len)
{
	snprintf(name, len, "%s %s", dev_name(board->engine.dev),
		 board->engine.chans[i].name);
}

static int sim_init_logic(struct sim_board *board, unsigned int i)
{
	struct sim_chan *chan = &board->engine.chans[i];
	struct sim_loop *loop = NULL;
	char name[32];

	sim_channel_name(board, i, name, sizeof(name));
	if (chan->direction == DMA_MEM_TO_MEM)
		return sim_copier_init(&board->copier, chan, name);
	if (i < channels)
		return sim_source_init(&board->sources[i], chan, name);
	i -= channels;
	if (i == outputs)
		return sim_loop_init(&board->loop, chan, name);
	if (!i && loopback)
		loop = &board->loop;
	return sim_sink_init(&board->sinks[i], chan, loop, name);
}

static void sim_describe(unsigned int i, struct fpgabuf_channel_config *config)
{
	if (i < channels) {
		config->ops = &sim_source_ops;
		config->capabilities |= FPGABUF_CAP_TRAILER;
	} else if (i < channels + outputs) {
		config->ops = &sim_sink_ops;
		config->direction = FPGABUF_DIR_OUTPUT;
	} else {
		config->ops = &sim_loop_ops;
	}
	if (i < channels && i == SIM_BYTE_CHANNEL) {
		config->alignment = 1;
		config->queue_depth = SIM_PACKET_DEPTH;
		config->formats = sim_byte_formats;
	}
}

/* What dmaengine does not report */
static struct fpgabuf_engine_limits sim_limits(const struct sim_engine *engine)
{
	return (struct fpgabuf_engine_limits){
		.dma_dev = engine->child ? engine->dev : NULL,
		.max_coalesced = engine->face->gathers,
	};
}

static int sim_add_channel(struct sim_board *board, unsigned int i)
{
	struct fpgabuf_channel_config config = sim_config;
	struct sim_chan *chan = &board->engine.chans[i];
	struct fpgabuf_channel *channel;
	char name[32];

	sim_channel_name(board, i, name, sizeof(name));
	sim_describe(i, &config);
	config.name = name;
	config.dma_name = chan->name;
	config.priv = chan->logic;
	config.limits = sim_limits(&board->engine);
	/* An engine that nothing holds back has a rate. */
	if (board->engine.face->by_ring &&
	    config.direction == FPGABUF_DIR_CAPTURE) {
		config.limits.ring = true;
		config.capabilities &= ~FPGABUF_CAP_UNTHROTTLED;
	}
	channel = fpgabuf_channel_register(board->engine.dev, &config);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	board->channels[i] = channel;
	return 0;
}

static int sim_add_importer(struct sim_board *board, unsigned int i)
{
	struct fpgabuf_importer_config config = {
		.dma_name = board->engine.chans[i].name,
		.timeout_ms = READ_ONCE(copier_timeout),
		.limits = sim_limits(&board->engine),
	};
	struct fpgabuf_importer *importer;
	char name[32];

	sim_channel_name(board, i, name, sizeof(name));
	config.name = name;
	importer = fpgabuf_importer_register(board->engine.dev, &config);
	if (IS_ERR(importer))
		return PTR_ERR(importer);
	board->importer = importer;
	return 0;
}

static void sim_add_debugfs(struct sim_board *board)
{
	struct dentry *root, *dir;
	unsigned int i;

	root = debugfs_create_dir(dev_name(board->engine.dev), NULL);
	board->debugfs = root;
	for (i = 0; i < board->engine.num_chans; i++) {
		dir = debugfs_create_dir(board->engine.chans[i].name, root);
		sim_fault_debugfs(&board->engine.chans[i], dir);
		if (i >= channels && i < channels + outputs)
			sim_sink_debugfs(&board->sinks[i - channels], dir);
	}
}

/*
 * By devm, because what .remove returns differs between kernels. The loop's
 * thread goes before the one that it kicks: last comes first.
 */
static void sim_remove(void *data)
{
	struct sim_board *board = data;
	unsigned int i;

	debugfs_remove_recursive(board->debugfs);
	/* Nobody could make it stop any more. */
	for (i = 0; i < board->engine.num_chans; i++)
		sim_fault_unstick(&board->engine.chans[i]);
	if (board->importer)
		fpgabuf_importer_unregister(board->importer);
	for (i = 0; i < SIM_MAX_CHANNELS && board->channels[i]; i++)
		fpgabuf_channel_unregister(board->channels[i]);
	for (i = board->num_logics; i--;)
		sim_logic_fini(board->engine.chans[i].logic);
	sim_loop_fini(&board->loop);
	sim_engine_unregister(&board->engine);
}

static void sim_remove_ram(void *data)
{
	struct device *dev = data;
	struct sim_board *board = dev_get_drvdata(dev);

	sim_ram_remove(&board->ram, dev);
}

/* rx0 to rxN, tx0 to txN, loop0: so are the numbers of the nodes; then copy0. */
static int sim_add_engine(struct sim_board *board, struct device *dev)
{
	char name[16];
	unsigned int i;

	board->engine.dev = dev;
	board->engine.face = sim_face_find(engine_name);
	for (i = 0; i < channels; i++) {
		snprintf(name, sizeof(name), "rx%u", i);
		sim_engine_add_chan(&board->engine, DMA_DEV_TO_MEM, name);
	}
	for (i = 0; i < outputs; i++) {
		snprintf(name, sizeof(name), "tx%u", i);
		sim_engine_add_chan(&board->engine, DMA_MEM_TO_DEV, name);
	}
	if (outputs && loopback)
		sim_engine_add_chan(&board->engine, DMA_DEV_TO_MEM, "loop0");
	if (copier)
		sim_engine_add_chan(&board->engine, DMA_MEM_TO_MEM, "copy0");
	return sim_engine_register(&board->engine);
}

/* All logic first: that of tx0 and of loop0 work together. */
static int sim_add_channels(struct sim_board *board)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < board->engine.num_chans; i++) {
		ret = sim_init_logic(board, i);
		board->num_logics += !ret;
	}
	if (ret)
		return ret;
	sim_add_debugfs(board);
	/* From now on it has power only while somebody uses it. */
	ret = devm_pm_runtime_enable(board->engine.dev);
	for (i = 0; !ret && i < board->engine.num_chans; i++)
		ret = board->engine.chans[i].direction == DMA_MEM_TO_MEM ?
			sim_add_importer(board, i) : sim_add_channel(board, i);
	return ret;
}

static int sim_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct sim_board *board;
	int ret;

	board = devm_kzalloc(dev, sizeof(*board), GFP_KERNEL);
	if (!board)
		return -ENOMEM;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, SIM_MAX_SEGMENT);
	dev_set_drvdata(dev, board);

	/* First, so that the heaps see it. */
	ret = sim_ram_add(&board->ram, dev, (size_t)ram * SZ_1M);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, sim_remove_ram, dev);
	if (ret)
		return ret;
	ret = sim_add_engine(board, dev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, sim_remove, board);
	if (ret)
		return ret;
	return sim_add_channels(board);
}

/* Without power the FPGA forgets everything, but for what the copier is. */
static int sim_suspend(struct device *dev)
{
	struct sim_board *board = dev_get_drvdata(dev);
	unsigned int i;

	for (i = 0; i < board->num_logics; i++)
		if (board->engine.chans[i].direction != DMA_MEM_TO_MEM)
			board->engine.chans[i].logic->configured = false;
	return 0;
}

static int sim_resume(struct device *dev)
{
	return 0;
}

static const struct dev_pm_ops sim_pm_ops = {
	RUNTIME_PM_OPS(sim_suspend, sim_resume, NULL)
	SYSTEM_SLEEP_PM_OPS(pm_runtime_force_suspend, pm_runtime_force_resume)
};

static struct platform_driver sim_driver = {
	.probe = sim_probe,
	.driver = {
		.name = "fpgabuf_sim",
		.pm = pm_ptr(&sim_pm_ops),
	},
};

static struct platform_driver *const sim_drivers[] = {
	&sim_engine_driver,
	&sim_driver,
};

static struct platform_device *sim_device;

static int __init sim_init(void)
{
	int ret;

	if (!channels || channels > SIM_MAX_SOURCES || outputs > SIM_MAX_SINKS)
		return -EINVAL;
	if (!sim_face_find(engine_name))
		return -EINVAL;

	ret = platform_register_drivers(sim_drivers, ARRAY_SIZE(sim_drivers));
	if (ret)
		return ret;
	sim_device = platform_device_register_simple("fpgabuf_sim", 0, NULL, 0);
	if (IS_ERR(sim_device)) {
		platform_unregister_drivers(sim_drivers,
					    ARRAY_SIZE(sim_drivers));
		return PTR_ERR(sim_device);
	}
	return 0;
}

static void __exit sim_exit(void)
{
	platform_device_unregister(sim_device);
	platform_unregister_drivers(sim_drivers, ARRAY_SIZE(sim_drivers));
}

module_init(sim_init);
module_exit(sim_exit);

MODULE_DESCRIPTION("Simulated FPGA with a DMA engine, for fpgabuf");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
