// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA engine of the simulated FPGA: a dmaengine provider like any other.
 * See Documentation/driver-api/dmaengine/provider.rst.
 *
 * Descriptors go idle -> submitted -> issued -> current -> idle. They are kept
 * for the next use, so that a stream allocates nothing per frame.
 */
#include <kunit/visibility.h>
#include <linux/bottom_half.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

static struct sim_chan *to_sim_chan(struct dma_chan *chan)
{
	return container_of(chan, struct sim_chan, chan);
}

static struct sim_desc *to_sim_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct sim_desc, tx);
}

static void *sim_desc_get_metadata(struct dma_async_tx_descriptor *tx,
				   size_t *payload_len, size_t *max_len)
{
	struct sim_desc *desc = to_sim_desc(tx);

	*payload_len = sizeof(desc->metadata);
	*max_len = sizeof(desc->metadata);
	return &desc->metadata;
}

static struct dma_descriptor_metadata_ops sim_metadata_ops = {
	.get_ptr = sim_desc_get_metadata,
};

static dma_cookie_t sim_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct sim_chan *chan = to_sim_chan(tx->chan);
	struct sim_desc *desc = to_sim_desc(tx);
	unsigned long flags;
	dma_cookie_t cookie;

	spin_lock_irqsave(&chan->lock, flags);
	if (sim_fault_meets(chan, SIM_FAULT_REFUSE)) {
		list_add(&desc->node, &chan->idle);
		spin_unlock_irqrestore(&chan->lock, flags);
		return -EBUSY;
	}
	cookie = chan->chan.cookie + 1;
	if (cookie < DMA_MIN_COOKIE)
		cookie = DMA_MIN_COOKIE;
	tx->cookie = cookie;
	chan->chan.cookie = cookie;
	list_add_tail(&desc->node, &chan->submitted);
	spin_unlock_irqrestore(&chan->lock, flags);
	return cookie;
}

static struct sim_desc *sim_desc_find_idle(struct sim_chan *chan,
					   unsigned int num)
{
	struct sim_desc *desc, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	list_for_each_entry(desc, &chan->idle, node) {
		if (desc->capacity < num)
			continue;
		list_del(&desc->node);
		found = desc;
		break;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return found;
}

static struct sim_desc *sim_desc_get(struct sim_chan *chan, unsigned int num)
{
	struct sim_desc *desc;

	if (sim_fault_strikes(chan, SIM_FAULT_FULL))
		return NULL;
	desc = sim_desc_find_idle(chan, num);
	if (!desc) {
		desc = kzalloc(struct_size(desc, segs, num), GFP_NOWAIT);
		if (!desc)
			return NULL;
		desc->capacity = num;
	}
	desc->num = num;
	desc->length = 0;
	desc->residue = 0;
	desc->aborted = false;
	desc->planned = false;
	desc->fault = SIM_FAULT_NONE;
	desc->refused = false;
	memset(&desc->tx, 0, sizeof(desc->tx));
	dma_async_tx_descriptor_init(&desc->tx, &chan->chan);
	desc->tx.tx_submit = sim_tx_submit;
	desc->tx.metadata_ops = &sim_metadata_ops;
	return desc;
}

static struct dma_async_tx_descriptor *
sim_prep_slave_sg(struct dma_chan *c, struct scatterlist *sgl,
		  unsigned int sg_len, enum dma_transfer_direction direction,
		  unsigned long flags, void *context)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct scatterlist *sg;
	struct sim_desc *desc;
	unsigned int i;

	if (direction != chan->direction || direction == DMA_MEM_TO_MEM ||
	    !sg_len)
		return NULL;

	desc = sim_desc_get(chan, sg_len);
	if (!desc)
		return NULL;
	for_each_sg(sgl, sg, sg_len, i) {
		desc->segs[i].addr = sg_dma_address(sg);
		desc->segs[i].len = sg_dma_len(sg);
		desc->length += sg_dma_len(sg);
	}
	desc->tx.flags = flags;
	return &desc->tx;
}

static struct dma_async_tx_descriptor *
sim_prep_memcpy(struct dma_chan *c, dma_addr_t dst, dma_addr_t src, size_t len,
		unsigned long flags)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct sim_desc *desc;

	if (chan->direction != DMA_MEM_TO_MEM || !len)
		return NULL;

	desc = sim_desc_get(chan, 2);
	if (!desc)
		return NULL;
	desc->segs[0] = (struct sim_segment){ src, len };
	desc->segs[1] = (struct sim_segment){ dst, len };
	desc->length = len;
	desc->tx.flags = flags;
	return &desc->tx;
}

static void sim_issue_pending(struct dma_chan *c)
{
	struct sim_chan *chan = to_sim_chan(c);
	unsigned long flags;
	bool any;

	spin_lock_irqsave(&chan->lock, flags);
	list_splice_tail_init(&chan->submitted, &chan->issued);
	any = !list_empty(&chan->issued);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (any)
		sim_logic_issued(chan->logic);
}

static enum dma_status sim_tx_status(struct dma_chan *c, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct sim_desc *desc;
	enum dma_status status;
	unsigned long flags;
	size_t residue = 0;

	spin_lock_irqsave(&chan->lock, flags);
	status = dma_async_is_complete(cookie, chan->chan.completed_cookie,
				       chan->chan.cookie);
	if (chan->current_desc && chan->current_desc->tx.cookie == cookie)
		residue = chan->current_desc->length;
	list_for_each_entry(desc, &chan->issued, node)
		if (desc->tx.cookie == cookie)
			residue = desc->length;
	list_for_each_entry(desc, &chan->submitted, node)
		if (desc->tx.cookie == cookie)
			residue = desc->length;
	if (state) {
		state->last = chan->chan.completed_cookie;
		state->used = chan->chan.cookie;
		state->residue = status == DMA_COMPLETE ? 0 : residue;
		state->in_flight_bytes = 0;
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return status;
}

/* The current descriptor, if there is one, is not called back. */
static int sim_chan_abort(struct sim_chan *chan)
{
	struct sim_desc *desc = chan->current_desc;

	lockdep_assert_held(&chan->lock);
	if (!desc)
		return 0;
	if (desc->fault == SIM_FAULT_STUCK) {
		desc->refused = true;
		return -EBUSY;
	}
	WRITE_ONCE(desc->aborted, true);
	return 0;
}

static int sim_terminate_all(struct dma_chan *c)
{
	struct sim_chan *chan = to_sim_chan(c);
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&chan->lock, flags);
	list_splice_init(&chan->submitted, &chan->idle);
	list_splice_init(&chan->issued, &chan->idle);
	ret = sim_chan_abort(chan);
	chan->chan.completed_cookie = chan->chan.cookie;
	spin_unlock_irqrestore(&chan->lock, flags);
	wake_up_all(&chan->wait);
	return ret;
}

/* End the fault of the current descriptor, which goes on if it still may. */
void sim_chan_release(struct sim_chan *chan)
{
	struct sim_desc *desc;

	spin_lock_irq(&chan->lock);
	desc = chan->current_desc;
	if (desc) {
		if (desc->refused)
			WRITE_ONCE(desc->aborted, true);
		desc->refused = false;
		WRITE_ONCE(desc->fault, SIM_FAULT_NONE);
	}
	spin_unlock_irq(&chan->lock);
	wake_up_all(&chan->wait);
}

/* The current descriptor can be terminated, whatever its fault said. */
void sim_chan_unstick(struct sim_chan *chan)
{
	struct sim_desc *desc;

	spin_lock_irq(&chan->lock);
	desc = chan->current_desc;
	if (desc && desc->fault == SIM_FAULT_STUCK)
		WRITE_ONCE(desc->fault, SIM_FAULT_HANG);
	spin_unlock_irq(&chan->lock);
}

/* Whether a descriptor is with the logic's thread, or called back by it. */
bool sim_chan_is_busy(struct sim_chan *chan)
{
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&chan->lock, flags);
	busy = chan->busy;
	spin_unlock_irqrestore(&chan->lock, flags);
	return busy;
}

/* Nothing of the current descriptor goes on, or it will until its fault ends. */
static bool sim_chan_is_quiet(struct sim_chan *chan)
{
	bool quiet;

	spin_lock_irq(&chan->lock);
	quiet = !chan->busy ||
		(chan->current_desc && chan->current_desc->refused);
	spin_unlock_irq(&chan->lock);
	return quiet;
}

/*
 * After this no memory is touched and no callback runs any more; but for the
 * faults whose point it is.
 */
static void sim_synchronize(struct dma_chan *c)
{
	struct sim_chan *chan = to_sim_chan(c);

	wait_event(chan->wait, sim_chan_is_quiet(chan));
}

static int sim_alloc_chan_resources(struct dma_chan *c)
{
	c->cookie = DMA_MIN_COOKIE;
	c->completed_cookie = DMA_MIN_COOKIE;
	return 0;
}

static void sim_free_chan_resources(struct dma_chan *c)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct sim_desc *desc, *next;

	/* Nothing may go on after this, whatever the fault. */
	sim_terminate_all(c);
	sim_chan_release(chan);
	sim_synchronize(c);
	kthread_cancel_delayed_work_sync(&chan->zombie_work);
	list_splice_init(&chan->zombies, &chan->idle);
	list_for_each_entry_safe(desc, next, &chan->idle, node) {
		list_del(&desc->node);
		kfree(desc);
	}
}

/*
 * The engine starts on the oldest issued descriptor, if there is one. Returns NULL
 * while the logic is stopped: what is issued then is for its next run.
 */
struct sim_desc *sim_chan_next(struct sim_chan *chan)
{
	struct sim_desc *desc = NULL;

	spin_lock_irq(&chan->lock);
	if (READ_ONCE(chan->logic->running))
		desc = list_first_entry_or_null(&chan->issued, struct sim_desc,
						node);
	if (desc)
		list_del(&desc->node);
	if (desc && !desc->planned) {
		desc->planned = true;
		desc->fault = sim_fault_next(chan);
	}
	chan->current_desc = desc;
	chan->busy = desc;
	spin_unlock_irq(&chan->lock);
	return desc;
}
EXPORT_SYMBOL_IF_KUNIT(sim_chan_next);

/* The descriptor was not for the engine yet: it is the next one again. */
void sim_chan_put_back(struct sim_chan *chan, struct sim_desc *desc)
{
	spin_lock_irq(&chan->lock);
	list_add(&desc->node, desc->aborted ? &chan->idle : &chan->issued);
	/* What is lost before it is lost. */
	if (desc->fault == SIM_FAULT_DROP)
		desc->fault = SIM_FAULT_NONE;
	chan->current_desc = NULL;
	chan->busy = false;
	spin_unlock_irq(&chan->lock);
	wake_up_all(&chan->wait);
}

static void sim_desc_callback(struct sim_desc *desc,
			      const struct dmaengine_result *result)
{
	struct dma_async_tx_descriptor *tx = &desc->tx;

	/* A callback expects what a tasklet or an interrupt gives it. */
	local_bh_disable();
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
	local_bh_enable();
}

/* What a buggy engine does: the interrupt of what was terminated comes. */
static void sim_zombie_work(struct kthread_work *work)
{
	struct sim_chan *chan = container_of(work, struct sim_chan,
					     zombie_work.work);
	struct dmaengine_result info = { .result = DMA_TRANS_NOERROR };
	struct sim_desc *desc;

	for (;;) {
		spin_lock_irq(&chan->lock);
		desc = list_first_entry_or_null(&chan->zombies, struct sim_desc,
						node);
		if (desc)
			list_del(&desc->node);
		spin_unlock_irq(&chan->lock);
		if (!desc)
			break;
		info.residue = desc->residue;
		sim_desc_callback(desc, &info);
		spin_lock_irq(&chan->lock);
		list_add(&desc->node, &chan->idle);
		spin_unlock_irq(&chan->lock);
	}
}

static enum dmaengine_tx_result sim_chan_result(const struct sim_chan *chan,
						int status)
{
	switch (status) {
	case 0:
	case -EMSGSIZE:
		return DMA_TRANS_NOERROR;
	case -ECONNABORTED:
		return DMA_TRANS_ABORTED;
	default:
		return chan->direction == DMA_MEM_TO_DEV ?
			DMA_TRANS_READ_FAILED : DMA_TRANS_WRITE_FAILED;
	}
}

/* Take the current descriptor from the engine. */
static bool sim_chan_finish(struct sim_chan *chan, struct sim_desc *desc)
{
	bool aborted;

	spin_lock_irq(&chan->lock);
	aborted = desc->aborted;
	chan->current_desc = NULL;
	if (!aborted)
		chan->chan.completed_cookie = desc->tx.cookie;
	spin_unlock_irq(&chan->lock);
	return aborted;
}

/*
 * The engine is done with its current descriptor: the interrupt, so to speak.
 * @status is what moving the frame ended with.
 */
void sim_chan_complete(struct sim_chan *chan, struct sim_desc *desc,
		       int status)
{
	const struct dmaengine_result info = {
		.result = sim_chan_result(chan, status),
		.residue = desc->residue,
	};
	bool aborted = sim_chan_finish(chan, desc);
	bool zombie = aborted && desc->fault == SIM_FAULT_ZOMBIE;

	if (!aborted && desc->fault != SIM_FAULT_LOST)
		sim_desc_callback(desc, &info);
	if (!aborted && desc->fault == SIM_FAULT_DUPLICATE)
		sim_desc_callback(desc, &info);

	/* Before it is not busy: nothing is queued when its resources go. */
	if (zombie)
		kthread_queue_delayed_work(chan->logic->worker,
					   &chan->zombie_work,
					   msecs_to_jiffies(chan->fault_ms));

	spin_lock_irq(&chan->lock);
	if (zombie)
		list_add_tail(&desc->node, &chan->zombies);
	else
		list_add(&desc->node, &chan->idle);
	chan->busy = false;
	spin_unlock_irq(&chan->lock);
	wake_up_all(&chan->wait);
}

/* The engine has channels of all directions, a channel has one. */
static void sim_device_caps(struct dma_chan *c, struct dma_slave_caps *caps)
{
	caps->directions = BIT(to_sim_chan(c)->direction);
}

static bool sim_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

/**
 * sim_engine_add_chan() - one more channel, before the engine is registered
 * @engine: zeroed at first
 * @direction: of its frames
 * @name: for dma_request_chan()
 *
 * Return: the channel.
 */
struct sim_chan *sim_engine_add_chan(struct sim_engine *engine,
				     enum dma_transfer_direction direction,
				     const char *name)
{
	struct sim_chan *chan = &engine->chans[engine->num_chans++];

	chan->direction = direction;
	strscpy(chan->name, name, sizeof(chan->name));
	spin_lock_init(&chan->lock);
	init_waitqueue_head(&chan->wait);
	INIT_LIST_HEAD(&chan->idle);
	INIT_LIST_HEAD(&chan->submitted);
	INIT_LIST_HEAD(&chan->issued);
	INIT_LIST_HEAD(&chan->zombies);
	kthread_init_delayed_work(&chan->zombie_work, sim_zombie_work);
	return chan;
}

static void sim_engine_list_chan(struct sim_engine *engine, unsigned int i)
{
	struct sim_chan *chan = &engine->chans[i];

	chan->chan.device = &engine->dma;
	list_add_tail(&chan->chan.device_node, &engine->dma.channels);
	engine->map[i].devname = dev_name(engine->dma.dev);
	engine->map[i].slave = chan->name;
	engine->map[i].param = &chan->chan;
}

int sim_engine_register(struct sim_engine *engine, struct device *dev)
{
	struct dma_device *dma = &engine->dma;
	unsigned int i;

	dma->dev = dev;
	INIT_LIST_HEAD(&dma->channels);
	for (i = 0; i < engine->num_chans; i++)
		sim_engine_list_chan(engine, i);

	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->directions = BIT(DMA_DEV_TO_MEM) | BIT(DMA_MEM_TO_DEV) |
		BIT(DMA_MEM_TO_MEM);
	dma->src_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->dst_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	dma->desc_metadata_modes = DESC_METADATA_ENGINE;
	dma->filter.fn = sim_filter;
	dma->filter.map = engine->map;
	dma->filter.mapcnt = engine->num_chans;
	dma->device_alloc_chan_resources = sim_alloc_chan_resources;
	dma->device_free_chan_resources = sim_free_chan_resources;
	dma->device_caps = sim_device_caps;
	dma->device_prep_slave_sg = sim_prep_slave_sg;
	dma->device_prep_dma_memcpy = sim_prep_memcpy;
	dma->device_issue_pending = sim_issue_pending;
	dma->device_tx_status = sim_tx_status;
	dma->device_terminate_all = sim_terminate_all;
	dma->device_synchronize = sim_synchronize;
	return dma_async_device_register(dma);
}

void sim_engine_unregister(struct sim_engine *engine)
{
	dma_async_device_unregister(&engine->dma);
}
