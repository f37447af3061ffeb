// SPDX-License-Identifier: GPL-2.0
/*
 * A DMA engine that moves nothing, and does what a test says: with a channel in
 * each direction and an importing device. It has what the simulated FPGA's has not:
 * copies must be aligned, a frame must be in one piece, it must be configured each
 * time it was terminated (dw-edma), and its descriptors are done, fail or are
 * refused at any moment.
 */
#include <linux/bottom_half.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/fpgabuf.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "dma_bare.h"

#define BARE_WAIT	(10 * HZ)

/**
 * struct bare_chan - a channel
 * @chan: the dmaengine's
 * @lock: guards what follows
 * @pending: descriptors that were submitted, in order
 * @refuse: the next one is to be refused
 * @refused: how many were
 * @sgl: the scatterlist of the descriptor that was prepared last, as engines keep
 *	it that walk it while they work
 * @sg_len: its entries
 * @fenced: the descriptor that was prepared last has DMA_PREP_FENCE
 * @stuck: it does not stop
 * @lies: likewise, but it reports that it has stopped
 * @failed: cookie of the descriptor that it failed in; 0: none
 * @configured: since it was requested or terminated
 * @verdict: what the board says of frames
 * @stale: what the descriptor that was terminated first called back, and with what
 * @wait: woken when there is one more
 */
struct bare_chan {
	struct dma_chan chan;
	spinlock_t lock;	/* for what is said above */
	struct list_head pending;
	bool refuse;
	int refused;
	struct scatterlist *sgl;
	unsigned int sg_len;
	bool fenced;
	bool stuck;
	bool lies;
	dma_cookie_t failed;
	bool configured;
	enum bare_verdict verdict;
	struct {
		dma_async_tx_callback_result callback;
		void *param;
	} stale;
	wait_queue_head_t wait;
};

/* @metadata: with the descriptor, so it goes when that does */
struct bare_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	u32 metadata;
};

static char *habit = "";
module_param(habit, charp, 0444);
MODULE_PARM_DESC(habit, "what is wrong with the engine: endless, unordered, one_way, no_pieces, no_copies, no_lines, no_ring, blind_ring, absent; or what the board says of it: two_pieces, short_pieces, tiny_pieces, tiny_copies, one_at_a_time, elsewhere");

static bool bare_is(const char *what)
{
	return !strcmp(habit, what);
}

static const char * const bare_names[BARE_CHANS] = { "rx", "copy", "tx" };

static struct dma_device bare_dma;
static struct bare_chan bare_chans[BARE_CHANS];
static struct dma_slave_map bare_map[BARE_CHANS];
static struct fpgabuf_importer *bare_importer;
/* The engine's device, and the one above it */
static struct platform_device *bare_device;
static struct platform_device *bare_bridge;

static struct bare_chan *to_bare_chan(struct dma_chan *chan)
{
	return container_of(chan, struct bare_chan, chan);
}

/* Complete the oldest descriptor, if there is one; @call: with an interrupt. */
static bool bare_complete(struct bare_chan *chan, bool call)
{
	const struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	struct bare_desc *desc;

	spin_lock_irq(&chan->lock);
	desc = list_first_entry_or_null(&chan->pending, struct bare_desc, node);
	if (desc) {
		list_del(&desc->node);
		desc->metadata = chan->verdict;
		chan->chan.completed_cookie = desc->tx.cookie;
	}
	spin_unlock_irq(&chan->lock);
	if (!desc)
		return false;
	local_bh_disable();
	if (call)
		desc->tx.callback_result(desc->tx.callback_param, &result);
	local_bh_enable();
	kfree(desc);
	return true;
}

static void *bare_desc_get_metadata(struct dma_async_tx_descriptor *tx,
				    size_t *payload_len, size_t *max_len)
{
	struct bare_desc *desc = container_of(tx, struct bare_desc, tx);

	*payload_len = sizeof(desc->metadata);
	*max_len = sizeof(desc->metadata);
	return &desc->metadata;
}

static struct dma_descriptor_metadata_ops bare_metadata_ops = {
	.get_ptr = bare_desc_get_metadata,
};

static dma_cookie_t bare_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct bare_desc *desc = container_of(tx, struct bare_desc, tx);
	struct bare_chan *chan = to_bare_chan(tx->chan);
	dma_cookie_t cookie = -EBUSY;

	spin_lock_irq(&chan->lock);
	if (!chan->refuse) {
		cookie = max(chan->chan.cookie + 1, DMA_MIN_COOKIE);
		tx->cookie = cookie;
		chan->chan.cookie = cookie;
		list_add_tail(&desc->node, &chan->pending);
	} else {
		chan->refuse = false;
		chan->refused++;
	}
	spin_unlock_irq(&chan->lock);

	if (cookie >= DMA_MIN_COOKIE) {
		wake_up_all(&chan->wait);
		return cookie;
	}
	while (bare_complete(chan, true))
		;
	kfree(desc);
	return cookie;
}

static struct dma_async_tx_descriptor *bare_prep(struct dma_chan *chan,
						 unsigned long flags)
{
	struct bare_desc *desc = kzalloc(sizeof(*desc), GFP_NOWAIT);

	if (!desc)
		return NULL;
	WRITE_ONCE(to_bare_chan(chan)->fenced, flags & DMA_PREP_FENCE);
	dma_async_tx_descriptor_init(&desc->tx, chan);
	desc->tx.tx_submit = bare_tx_submit;
	desc->tx.metadata_ops = &bare_metadata_ops;
	desc->tx.flags = flags;
	return &desc->tx;
}

static struct dma_async_tx_descriptor *
bare_prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl,
		   unsigned int sg_len, enum dma_transfer_direction direction,
		   unsigned long flags, void *context)
{
	struct bare_chan *bare = to_bare_chan(chan);
	bool configured;

	spin_lock_irq(&bare->lock);
	bare->sgl = sgl;
	bare->sg_len = sg_len;
	configured = bare->configured;
	spin_unlock_irq(&bare->lock);
	return configured ? bare_prep(chan, flags) : NULL;
}

static struct dma_async_tx_descriptor *
bare_prep_memcpy(struct dma_chan *chan, dma_addr_t dst, dma_addr_t src,
		 size_t len, unsigned long flags)
{
	return bare_prep(chan, flags);
}

static void bare_issue_pending(struct dma_chan *chan)
{
}

static enum dma_status bare_tx_status(struct dma_chan *chan,
				      dma_cookie_t cookie,
				      struct dma_tx_state *state)
{
	if (state)
		*state = (struct dma_tx_state){
			.last = chan->completed_cookie,
			.used = chan->cookie,
		};
	if (READ_ONCE(to_bare_chan(chan)->failed) == cookie)
		return DMA_ERROR;
	return dma_async_is_complete(cookie, chan->completed_cookie,
				     chan->cookie);
}

static int bare_config(struct dma_chan *c, struct dma_slave_config *config)
{
	struct bare_chan *chan = to_bare_chan(c);

	spin_lock_irq(&chan->lock);
	chan->configured = true;
	spin_unlock_irq(&chan->lock);
	return 0;
}

/* The callback of what is terminated may still come. */
static void bare_keep_stale(struct bare_chan *chan,
			    struct list_head *terminated)
{
	const struct bare_desc *desc =
		list_first_entry_or_null(terminated, struct bare_desc, node);

	if (!desc || chan->stale.callback)
		return;
	chan->stale.callback = desc->tx.callback_result;
	chan->stale.param = desc->tx.callback_param;
}

static int bare_terminate_all(struct dma_chan *c)
{
	struct bare_chan *chan = to_bare_chan(c);
	struct bare_desc *desc, *next;
	LIST_HEAD(pending);

	if (READ_ONCE(chan->stuck))
		return -EBUSY;
	spin_lock_irq(&chan->lock);
	list_splice_init(&chan->pending, &pending);
	bare_keep_stale(chan, &pending);
	chan->chan.completed_cookie = chan->chan.cookie;
	chan->refuse = false;
	chan->failed = 0;
	chan->configured = false;
	spin_unlock_irq(&chan->lock);
	list_for_each_entry_safe(desc, next, &pending, node)
		kfree(desc);
	return 0;
}

/* Nothing goes on that was terminated. */
static void bare_synchronize(struct dma_chan *chan)
{
}

static int bare_alloc_chan_resources(struct dma_chan *chan)
{
	struct bare_chan *bare = to_bare_chan(chan);

	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	bare->configured = false;
	bare->stale.callback = NULL;
	return 0;
}

static void bare_free_chan_resources(struct dma_chan *chan)
{
	WRITE_ONCE(to_bare_chan(chan)->stuck, false);
	WRITE_ONCE(to_bare_chan(chan)->lies, false);
	bare_terminate_all(chan);
}

static bool bare_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

static void bare_add_chan(struct device *dev, unsigned int i)
{
	struct bare_chan *chan = &bare_chans[i];

	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->pending);
	init_waitqueue_head(&chan->wait);
	chan->chan.device = &bare_dma;
	list_add_tail(&chan->chan.device_node, &bare_dma.channels);
	bare_map[i] = (struct dma_slave_map){
		.devname = dev_name(dev),
		.slave = bare_names[i],
		.param = &chan->chan,
	};
}

static void bare_forget_copies(struct dma_device *dma)
{
	dma_cap_clear(DMA_MEMCPY, dma->cap_mask);
	dma->device_prep_dma_memcpy = NULL;
}

/* Nobody gets that far. */
static struct dma_async_tx_descriptor *
bare_prep_cyclic(struct dma_chan *c, dma_addr_t addr, size_t len, size_t period,
		 enum dma_transfer_direction direction, unsigned long flags)
{
	return NULL;
}

/* As engines do that exist: mSGDMA, idxd, one that only reads, zynqmp-dma, edu. */
static void bare_take_habit(struct dma_device *dma)
{
	if (bare_is("endless"))
		dma->device_terminate_all = NULL;
	else if (bare_is("unordered"))
		dma_cap_set(DMA_COMPLETION_NO_ORDER, dma->cap_mask);
	else if (bare_is("one_way"))
		dma->directions = BIT(DMA_MEM_TO_DEV);
	else if (bare_is("no_pieces"))
		dma->device_prep_slave_sg = NULL;
	else if (bare_is("blind_ring"))
		dma->device_prep_dma_cyclic = bare_prep_cyclic;
	else if (bare_is("no_copies"))
		bare_forget_copies(dma);
	else if (bare_is("absent"))
		dma->filter.mapcnt = 0;
}

static int bare_add_engine(struct device *dev)
{
	struct dma_device *dma = &bare_dma;
	unsigned int i;

	dma->dev = dev;
	INIT_LIST_HEAD(&dma->channels);
	for (i = 0; i < BARE_CHANS; i++)
		bare_add_chan(dev, i);
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->directions = BIT(DMA_DEV_TO_MEM) | BIT(DMA_MEM_TO_DEV) |
			  BIT(DMA_MEM_TO_MEM);
	dma->src_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->dst_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	dma->desc_metadata_modes = DESC_METADATA_ENGINE;
	dma->copy_align = ilog2(BARE_ALIGN);
	dma->max_sg_burst = bare_is("two_pieces") ? 0 : 1;
	dma->filter.fn = bare_filter;
	dma->filter.map = bare_map;
	dma->filter.mapcnt = BARE_CHANS;
	dma->device_alloc_chan_resources = bare_alloc_chan_resources;
	dma->device_free_chan_resources = bare_free_chan_resources;
	dma->device_prep_slave_sg = bare_prep_slave_sg;
	dma->device_prep_dma_memcpy = bare_prep_memcpy;
	dma->device_issue_pending = bare_issue_pending;
	dma->device_tx_status = bare_tx_status;
	dma->device_config = bare_config;
	dma->device_terminate_all = bare_terminate_all;
	dma->device_synchronize = bare_synchronize;
	bare_take_habit(dma);
	return dma_async_device_register(dma);
}

static void bare_remove_engine(void *data)
{
	dma_async_device_unregister(&bare_dma);
}

static const struct fpgabuf_format_desc bare_formats[] = {
	{
		.type = FPGABUF_FORMAT_RAW,
		.flags = FPGABUF_FORMAT_PACKETS,
		.min_size = SZ_4K,
		.max_size = SZ_16M,
		.step_size = SZ_4K,
		.min_rate = { 0, 1 },
		.max_rate = { 0, 1 },
	},
};

/* As a board does whose engine wants to know its register in the FPGA */
static int bare_configure(void *priv, struct dma_chan *chan)
{
	struct dma_slave_config config = {};

	return dmaengine_slave_config(chan, &config);
}

static int bare_idle(void *priv)
{
	struct bare_chan *chan = priv;

	return READ_ONCE(chan->lies) ? -EBUSY : 0;
}

/* Longer than what users get: the rest is for nobody. */
static const u8 bare_words[FPGABUF_METADATA_SIZE + 1] = "verbose";

/* Its metadata has no number, but a verdict. */
static void bare_frame(void *priv, const void *metadata, size_t len,
		       struct fpgabuf_frame *frame)
{
	switch (READ_ONCE(*(const u32 *)metadata)) {
	case BARE_HALF:
		frame->bytes /= 2;
		break;
	case BARE_TOO_LONG:
		frame->bytes++;
		break;
	case BARE_DAMAGED:
		frame->status = -EILSEQ;
		break;
	case BARE_POSITIVE:
		frame->status = 1;
		break;
	case BARE_TALKATIVE:
		frame->metadata = bare_words;
		frame->metadata_len = sizeof(bare_words);
		break;
	}
}

static const struct fpgabuf_channel_ops bare_ops = {
	.frame = bare_frame,
	.configure = bare_configure,
	.idle = bare_idle,
};

/* But for its direction */
static const struct fpgabuf_channel_config bare_channel_config = {
	.name = "dma_bare",
	.capabilities = FPGABUF_CAP_UNTHROTTLED,
	.queue_depth = 4,
	.alignment = BARE_CHANNEL_ALIGN,
	.formats = bare_formats,
	.num_formats = ARRAY_SIZE(bare_formats),
	.default_format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = SZ_4K,
		.rate = { 0, 1 },
	},
};

static const struct fpgabuf_importer_config bare_importer_config = {
	.name = "dma_bare",
	.dma_name = "copy",
};

static void bare_remove_channel(void *channel)
{
	fpgabuf_channel_unregister(channel);
}

static void bare_limit(struct device *dev, struct fpgabuf_engine_limits *limits)
{
	if (bare_is("two_pieces"))
		limits->max_segments = 2;
	else if (bare_is("short_pieces"))
		limits->max_segment = BARE_SHORT;
	else if (bare_is("tiny_pieces"))
		limits->max_segment = BARE_CHANNEL_ALIGN / 2;
	else if (bare_is("one_at_a_time"))
		limits->max_in_flight = 1;
	else if (bare_is("no_lines"))
		limits->lines = true;
	else if (bare_is("no_ring") || bare_is("blind_ring"))
		limits->ring = true;
	else if (bare_is("elsewhere"))
		limits->dma_dev = dev->parent;
}

static int bare_add_channel(struct device *dev, unsigned int i,
			    enum fpgabuf_direction direction)
{
	struct fpgabuf_channel_config config = bare_channel_config;
	struct fpgabuf_channel *channel;

	config.dma_name = bare_names[i];
	config.direction = direction;
	config.ops = &bare_ops;
	config.priv = &bare_chans[i];
	bare_limit(dev, &config.limits);
	channel = fpgabuf_channel_register(dev, &config);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	return devm_add_action_or_reset(dev, bare_remove_channel, channel);
}

static void bare_remove_importer(void *data)
{
	fpgabuf_importer_unregister(bare_importer);
}

/* By devm, because what .remove returns differs between kernels. */
static int bare_probe(struct platform_device *pdev)
{
	struct fpgabuf_importer_config config = bare_importer_config;
	struct device *dev = &pdev->dev;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);
	ret = bare_add_engine(dev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, bare_remove_engine, NULL);
	if (ret)
		return ret;
	ret = bare_add_channel(dev, BARE_RX, FPGABUF_DIR_CAPTURE);
	if (ret)
		return ret;
	ret = bare_add_channel(dev, BARE_TX, FPGABUF_DIR_OUTPUT);
	if (ret)
		return ret;
	if (bare_is("tiny_copies"))
		config.limits.max_segment = BARE_ALIGN / 2;
	bare_importer = fpgabuf_importer_register(dev, &config);
	if (IS_ERR(bare_importer))
		return PTR_ERR(bare_importer);
	return devm_add_action_or_reset(dev, bare_remove_importer, NULL);
}

static struct platform_driver bare_driver = {
	.probe = bare_probe,
	.driver = {
		.name = KBUILD_MODNAME,
	},
};

static bool bare_has_pending(struct bare_chan *chan)
{
	bool pending;

	spin_lock_irq(&chan->lock);
	pending = !list_empty(&chan->pending);
	spin_unlock_irq(&chan->lock);
	return pending;
}

static int bare_do_complete(struct bare_chan *chan, bool call)
{
	long left;

	left = wait_event_interruptible_timeout(chan->wait,
						bare_has_pending(chan),
						BARE_WAIT);
	if (left < 0)
		return -EINTR;
	return left && bare_complete(chan, call) ? 0 : -ETIMEDOUT;
}

static int bare_do_refuse(struct bare_chan *chan)
{
	spin_lock_irq(&chan->lock);
	chan->refuse = true;
	spin_unlock_irq(&chan->lock);
	return 0;
}

static int bare_do_fail(struct bare_chan *chan)
{
	const struct bare_desc *desc;
	int ret = -ENOENT;

	spin_lock_irq(&chan->lock);
	desc = list_first_entry_or_null(&chan->pending, struct bare_desc, node);
	if (desc) {
		WRITE_ONCE(chan->failed, desc->tx.cookie);
		ret = 0;
	}
	spin_unlock_irq(&chan->lock);
	return ret;
}

static int bare_do_count(struct bare_chan *chan)
{
	int count;

	spin_lock_irq(&chan->lock);
	count = list_count_nodes(&chan->pending);
	spin_unlock_irq(&chan->lock);
	return count;
}

static int bare_do_stale(struct bare_chan *chan)
{
	const struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	dma_async_tx_callback_result callback;
	void *param;

	spin_lock_irq(&chan->lock);
	callback = chan->stale.callback;
	param = chan->stale.param;
	chan->stale.callback = NULL;
	spin_unlock_irq(&chan->lock);
	if (!callback)
		return -ENOENT;
	local_bh_disable();
	callback(param, &result);
	local_bh_enable();
	return 0;
}

/* Bytes of the scatterlist that the engine has, as it reads it now. */
static int bare_do_walk(struct bare_chan *chan)
{
	struct scatterlist *sg;
	unsigned int i;
	int bytes = 0;

	for_each_sg(chan->sgl, sg, chan->sg_len, i)
		bytes += sg_dma_len(sg);
	return bytes;
}

static int bare_do_say(struct bare_chan *chan, enum bare_verdict verdict)
{
	spin_lock_irq(&chan->lock);
	chan->verdict = verdict;
	spin_unlock_irq(&chan->lock);
	return 0;
}

static long bare_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bare_chan *chan;

	if (arg >= BARE_CHANS)
		return -EINVAL;
	chan = &bare_chans[arg];
	switch (cmd) {
	case BARE_COMPLETE:
		return bare_do_complete(chan, true);
	case BARE_REFUSE:
		return bare_do_refuse(chan);
	case BARE_REFUSED:
		return READ_ONCE(chan->refused);
	case BARE_STICK:
	case BARE_LOOSEN:
		WRITE_ONCE(chan->stuck, cmd == BARE_STICK);
		WRITE_ONCE(chan->lies, false);
		return 0;
	case BARE_LIE:
		WRITE_ONCE(chan->lies, true);
		return 0;
	case BARE_LOSE:
		return bare_do_complete(chan, false);
	case BARE_FAIL:
		return bare_do_fail(chan);
	case BARE_PENDING:
		return bare_do_count(chan);
	case BARE_STALE:
		return bare_do_stale(chan);
	case BARE_SAY(BARE_GOOD) ... BARE_SAY(BARE_VERDICTS - 1):
		return bare_do_say(chan, cmd - BARE_SAY(BARE_GOOD));
	case BARE_FENCED:
		return READ_ONCE(chan->fenced);
	case BARE_WALK:
		return bare_do_walk(chan);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bare_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bare_ioctl,
};

static struct miscdevice bare_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME, .fops = &bare_fops,
};

static void bare_remove_devices(void)
{
	platform_device_unregister(bare_device);
	platform_device_unregister(bare_bridge);
}

static int __init bare_add_devices(void)
{
	const struct platform_device_info bridge = {
		.name = BARE_BRIDGE,
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct platform_device_info info = {
		.name = KBUILD_MODNAME,
	};

	bare_bridge = platform_device_register_full(&bridge);
	if (IS_ERR(bare_bridge))
		return PTR_ERR(bare_bridge);
	info.parent = &bare_bridge->dev;
	bare_device = platform_device_register_full(&info);
	if (!IS_ERR(bare_device))
		return 0;
	platform_device_unregister(bare_bridge);
	return PTR_ERR(bare_device);
}

static int __init bare_init(void)
{
	int ret;

	ret = platform_driver_register(&bare_driver);
	if (ret)
		return ret;
	ret = bare_add_devices();
	if (ret)
		goto err_driver;
	ret = misc_register(&bare_misc);
	if (ret)
		goto err_device;
	return 0;

err_device:
	bare_remove_devices();
err_driver:
	platform_driver_unregister(&bare_driver);
	return ret;
}

static void __exit bare_exit(void)
{
	misc_deregister(&bare_misc);
	bare_remove_devices();
	platform_driver_unregister(&bare_driver);
}

module_init(bare_init);
module_exit(bare_exit);

MODULE_DESCRIPTION("A DMA engine that does as it is told, for fpgabuf");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
