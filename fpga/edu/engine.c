// SPDX-License-Identifier: GPL-2.0
/*
 * The engine, a dmaengine provider with one channel: DMA_DEV_TO_MEM moves the
 * on-chip buffer to memory, over and over again; a copy goes through it.
 *
 * The device does one transfer at a time. It cannot be stopped, nor does it tell
 * of errors on the bus. Descriptors go submitted -> issued -> current.
 */
#include <linux/bottom_half.h>
#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "edu.h"

#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_DMA_CMD_START	BIT(0)
#define EDU_DMA_CMD_TO_MEMORY	BIT(1)
#define EDU_DMA_CMD_IRQ		BIT(2)

/* Far longer than a transfer takes */
#define EDU_TIMEOUT_MS		5000

/**
 * struct edu_segment - a piece of memory, as the device knows it
 * @addr: DMA address
 * @len: bytes
 */
struct edu_segment {
	dma_addr_t addr;
	size_t len;
};

/**
 * struct edu_desc - a descriptor
 * @tx: what dmaengine knows of it
 * @node: in one of the engine's lists, if it is not the current one
 * @length: bytes of all segments
 * @done: bytes that are in memory
 * @src: where a copy reads
 * @copy: it is one
 * @loaded: the next chunk of the copy is in the on-chip buffer
 * @aborted: terminated while it was current: not called back
 * @seg: the segment that is being written
 * @offset: bytes of it that are
 * @segs: the segments
 *
 * From tx_submit() on guarded by &edu_engine.lock.
 */
struct edu_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	size_t length;
	size_t done;
	dma_addr_t src;
	bool copy;
	bool loaded;
	bool aborted;
	struct edu_segment *seg;
	size_t offset;
	struct edu_segment segs[];
};

static struct edu_engine *to_edu_engine(struct dma_chan *chan)
{
	return container_of(chan, struct edu_engine, chan);
}

static struct edu_desc *to_edu_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct edu_desc, tx);
}

static void edu_transfer(struct edu_engine *engine, dma_addr_t src,
			 dma_addr_t dst, size_t len, u64 direction)
{
	lockdep_assert_held(&engine->lock);
	engine->busy = true;
	writeq(src, engine->regs + EDU_DMA_SRC);
	writeq(dst, engine->regs + EDU_DMA_DST);
	writeq(len, engine->regs + EDU_DMA_COUNT);
	writeq(EDU_DMA_CMD_START | EDU_DMA_CMD_IRQ | direction,
	       engine->regs + EDU_DMA_CMD);
}

/* A chunk ends where the on-chip buffer or the segment does. */
static size_t edu_desc_chunk(const struct edu_desc *desc)
{
	return min_t(size_t, EDU_CHUNK - desc->done % EDU_CHUNK,
		     desc->seg->len - desc->offset);
}

static void edu_desc_transfer(struct edu_engine *engine, struct edu_desc *desc)
{
	dma_addr_t chip = EDU_BUFFER + desc->done % EDU_CHUNK;
	size_t len = edu_desc_chunk(desc);

	if (desc->copy && !desc->loaded)
		edu_transfer(engine, desc->src + desc->done, chip, len, 0);
	else
		edu_transfer(engine, chip, desc->seg->addr + desc->offset, len,
			     EDU_DMA_CMD_TO_MEMORY);
}

/* A transfer is over. Returns whether it was the last one. */
static bool edu_desc_advance(struct edu_desc *desc)
{
	size_t len = edu_desc_chunk(desc);

	if (desc->copy && !desc->loaded) {
		desc->loaded = true;
		return false;
	}
	desc->loaded = false;
	desc->done += len;
	desc->offset += len;
	if (desc->offset == desc->seg->len) {
		desc->offset = 0;
		desc->seg++;
	}
	return desc->done == desc->length;
}

/* Begin the next transfer, if there is one to begin. */
static void edu_run(struct edu_engine *engine)
{
	struct edu_desc *desc = engine->current_desc;

	lockdep_assert_held(&engine->lock);
	if (engine->busy || engine->broken)
		return;
	if (!desc) {
		desc = list_first_entry_or_null(&engine->issued,
						struct edu_desc, node);
		if (!desc || !(desc->copy || engine->flowing))
			return;
		list_del(&desc->node);
		engine->current_desc = desc;
	}
	edu_desc_transfer(engine, desc);
}

/* A transfer has ended. Returns the current descriptor if that has, too. */
static struct edu_desc *edu_transfer_done(struct edu_engine *engine)
{
	struct edu_desc *desc = engine->current_desc;

	engine->busy = false;
	if (!desc || (!desc->aborted && !edu_desc_advance(desc)))
		return NULL;
	engine->current_desc = NULL;
	if (!desc->aborted)
		engine->chan.completed_cookie = desc->tx.cookie;
	return desc;
}

static void edu_desc_callback(struct edu_desc *desc)
{
	const struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	struct dma_async_tx_descriptor *tx = &desc->tx;

	/* A callback expects what a tasklet gives it. */
	local_bh_disable();
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
	local_bh_enable();
}

static irqreturn_t edu_irq(int irq, void *data)
{
	struct edu_engine *engine = data;
	u32 status = readl(engine->regs + EDU_IRQ_STATUS);

	if (!status)
		return IRQ_NONE;
	writel(status, engine->regs + EDU_IRQ_ACK);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t edu_irq_thread(int irq, void *data)
{
	struct edu_engine *engine = data;
	struct edu_desc *desc = NULL;

	spin_lock_irq(&engine->lock);
	if (engine->busy)
		desc = edu_transfer_done(engine);
	edu_run(engine);
	if (!engine->busy)
		wake_up(&engine->idle);
	spin_unlock_irq(&engine->lock);

	if (desc && !desc->aborted)
		edu_desc_callback(desc);
	kfree(desc);
	return IRQ_HANDLED;
}

static bool edu_is_busy(struct edu_engine *engine)
{
	bool busy;

	spin_lock_irq(&engine->lock);
	busy = engine->busy;
	spin_unlock_irq(&engine->lock);
	return busy;
}

/* It may not write any more: the memory is about to be unmapped. */
static void edu_cut_off(struct edu_engine *engine)
{
	struct edu_desc *desc;

	pci_err(engine->pdev, "a transfer does not end; bind it anew\n");
	pci_clear_master(engine->pdev);

	spin_lock_irq(&engine->lock);
	WRITE_ONCE(engine->broken, true);
	engine->busy = false;
	desc = engine->current_desc;
	engine->current_desc = NULL;
	spin_unlock_irq(&engine->lock);
	kfree(desc);
}

/* Until nothing is under way: within the time of a transfer, if none follows. */
static int edu_wait_idle(struct edu_engine *engine)
{
	if (wait_event_timeout(engine->idle, !edu_is_busy(engine),
			       msecs_to_jiffies(EDU_TIMEOUT_MS)))
		return 0;
	edu_cut_off(engine);
	return -EIO;
}

/**
 * edu_engine_fill() - fill the on-chip buffer
 * @engine: the engine; frames do not flow
 * @addr: DMA address of EDU_CHUNK bytes
 *
 * Return: 0, or -EIO: the device is broken.
 */
int edu_engine_fill(struct edu_engine *engine, dma_addr_t addr)
{
	int ret;

	ret = edu_wait_idle(engine);
	if (ret)
		return ret;
	spin_lock_irq(&engine->lock);
	if (engine->broken)
		ret = -EIO;
	else
		edu_transfer(engine, addr, EDU_BUFFER, EDU_CHUNK, 0);
	spin_unlock_irq(&engine->lock);
	return ret ?: edu_wait_idle(engine);
}

/**
 * edu_engine_flow() - let frames begin, or no more
 * @engine: the engine
 * @flowing: whether they may. One that has begun goes on
 */
void edu_engine_flow(struct edu_engine *engine, bool flowing)
{
	spin_lock_irq(&engine->lock);
	engine->flowing = flowing;
	edu_run(engine);
	spin_unlock_irq(&engine->lock);
}

static dma_cookie_t edu_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct edu_engine *engine = to_edu_engine(tx->chan);
	unsigned long flags;
	dma_cookie_t cookie;

	spin_lock_irqsave(&engine->lock, flags);
	cookie = engine->chan.cookie + 1;
	if (cookie < DMA_MIN_COOKIE)
		cookie = DMA_MIN_COOKIE;
	tx->cookie = cookie;
	engine->chan.cookie = cookie;
	list_add_tail(&to_edu_desc(tx)->node, &engine->submitted);
	spin_unlock_irqrestore(&engine->lock, flags);
	return cookie;
}

static struct edu_desc *edu_desc_alloc(struct dma_chan *chan, unsigned int num,
				       unsigned long flags)
{
	struct edu_desc *desc;

	if (READ_ONCE(to_edu_engine(chan)->broken))
		return NULL;
	desc = kzalloc(struct_size(desc, segs, num), GFP_NOWAIT);
	if (!desc)
		return NULL;
	dma_async_tx_descriptor_init(&desc->tx, chan);
	desc->tx.tx_submit = edu_tx_submit;
	desc->tx.flags = flags;
	desc->seg = desc->segs;
	return desc;
}

static struct dma_async_tx_descriptor *
edu_prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl,
		  unsigned int sg_len, enum dma_transfer_direction direction,
		  unsigned long flags, void *context)
{
	struct scatterlist *sg;
	struct edu_desc *desc;
	unsigned int i;

	if (direction != DMA_DEV_TO_MEM || !sg_len)
		return NULL;
	desc = edu_desc_alloc(chan, sg_len, flags);
	if (!desc)
		return NULL;
	for_each_sg(sgl, sg, sg_len, i) {
		desc->segs[i].addr = sg_dma_address(sg);
		desc->segs[i].len = sg_dma_len(sg);
		desc->length += sg_dma_len(sg);
	}
	return &desc->tx;
}

static struct dma_async_tx_descriptor *
edu_prep_memcpy(struct dma_chan *chan, dma_addr_t dst, dma_addr_t src,
		size_t len, unsigned long flags)
{
	struct edu_desc *desc;

	if (!len)
		return NULL;
	desc = edu_desc_alloc(chan, 1, flags);
	if (!desc)
		return NULL;
	desc->copy = true;
	desc->src = src;
	desc->length = len;
	desc->segs[0].addr = dst;
	desc->segs[0].len = len;
	return &desc->tx;
}

static void edu_issue_pending(struct dma_chan *chan)
{
	struct edu_engine *engine = to_edu_engine(chan);
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_splice_tail_init(&engine->submitted, &engine->issued);
	edu_run(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* Bytes of a descriptor that are not in memory yet */
static size_t edu_residue(const struct edu_engine *engine, dma_cookie_t cookie)
{
	const struct edu_desc *desc = engine->current_desc;

	if (desc && desc->tx.cookie == cookie)
		return desc->length - desc->done;
	list_for_each_entry(desc, &engine->issued, node)
		if (desc->tx.cookie == cookie)
			return desc->length;
	list_for_each_entry(desc, &engine->submitted, node)
		if (desc->tx.cookie == cookie)
			return desc->length;
	return 0;
}

static enum dma_status edu_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct edu_engine *engine = to_edu_engine(chan);
	enum dma_status status;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie,
				       chan->cookie);
	if (state) {
		state->last = chan->completed_cookie;
		state->used = chan->cookie;
		state->residue = edu_residue(engine, cookie);
		state->in_flight_bytes = 0;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return status;
}

static int edu_terminate_all(struct dma_chan *chan)
{
	struct edu_engine *engine = to_edu_engine(chan);
	struct edu_desc *desc, *next;
	unsigned long flags;
	LIST_HEAD(dropped);

	spin_lock_irqsave(&engine->lock, flags);
	list_splice_init(&engine->issued, &dropped);
	list_splice_tail_init(&engine->submitted, &dropped);
	if (engine->current_desc)
		engine->current_desc->aborted = true;
	chan->completed_cookie = chan->cookie;
	spin_unlock_irqrestore(&engine->lock, flags);

	list_for_each_entry_safe(desc, next, &dropped, node)
		kfree(desc);
	return 0;
}

/* After this no memory is written and no callback runs any more. */
static void edu_synchronize(struct dma_chan *chan)
{
	struct edu_engine *engine = to_edu_engine(chan);

	edu_wait_idle(engine);
	synchronize_irq(engine->irq);
}

static int edu_alloc_chan_resources(struct dma_chan *chan)
{
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	return 0;
}

static void edu_free_chan_resources(struct dma_chan *chan)
{
	edu_terminate_all(chan);
	edu_synchronize(chan);
}

static bool edu_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

static void edu_engine_init(struct edu_engine *engine)
{
	struct dma_device *dma = &engine->dma;

	spin_lock_init(&engine->lock);
	init_waitqueue_head(&engine->idle);
	INIT_LIST_HEAD(&engine->submitted);
	INIT_LIST_HEAD(&engine->issued);
	INIT_LIST_HEAD(&dma->channels);
	engine->chan.device = dma;
	list_add_tail(&engine->chan.device_node, &dma->channels);
	engine->map.devname = pci_name(engine->pdev);
	engine->map.slave = EDU_CHANNEL;
	engine->map.param = &engine->chan;

	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->dev = &engine->pdev->dev;
	dma->directions = BIT(DMA_DEV_TO_MEM) | BIT(DMA_MEM_TO_MEM);
	dma->src_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_1_BYTE);
	dma->dst_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_1_BYTE);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	dma->filter.fn = edu_filter;
	dma->filter.map = &engine->map;
	dma->filter.mapcnt = 1;
	dma->device_alloc_chan_resources = edu_alloc_chan_resources;
	dma->device_free_chan_resources = edu_free_chan_resources;
	dma->device_prep_slave_sg = edu_prep_slave_sg;
	dma->device_prep_dma_memcpy = edu_prep_memcpy;
	dma->device_issue_pending = edu_issue_pending;
	dma->device_tx_status = edu_tx_status;
	dma->device_terminate_all = edu_terminate_all;
	dma->device_synchronize = edu_synchronize;
}

int edu_engine_register(struct edu_engine *engine, struct pci_dev *pdev,
			void __iomem *regs)
{
	u64 cmd;
	int ret;

	engine->pdev = pdev;
	engine->regs = regs;
	engine->irq = pci_irq_vector(pdev, 0);
	edu_engine_init(engine);

	/* What somebody else began before, and its interrupt */
	ret = readq_poll_timeout(regs + EDU_DMA_CMD, cmd,
				 !(cmd & EDU_DMA_CMD_START), USEC_PER_MSEC,
				 EDU_TIMEOUT_MS * USEC_PER_MSEC);
	if (ret)
		return ret;
	writel(readl(regs + EDU_IRQ_STATUS), regs + EDU_IRQ_ACK);

	ret = devm_request_threaded_irq(&pdev->dev, engine->irq, edu_irq,
					edu_irq_thread, 0, KBUILD_MODNAME,
					engine);
	if (ret)
		return ret;
	return dma_async_device_register(&engine->dma);
}

void edu_engine_unregister(struct edu_engine *engine)
{
	dma_async_device_unregister(&engine->dma);
}
