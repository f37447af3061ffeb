// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA engine of the simulated FPGA: a dmaengine provider like any other.
 * See Documentation/driver-api/dmaengine/provider.rst.
 *
 * Descriptors go idle -> submitted -> issued -> current -> idle; or by way of
 * gathered, if the engine reports several ones at a time.
 */
#include <kunit/visibility.h>
#include <linux/bottom_half.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

/* &dma_async_tx_descriptor.tx_submit of all descriptors */
dma_cookie_t sim_chan_submit(struct dma_async_tx_descriptor *tx)
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

/* What is left of a descriptor that is not complete: the rest of a round */
static size_t sim_desc_residue(const struct sim_desc *desc)
{
	return desc->num_frames ?
		(desc->num_frames - desc->frame) * desc->length : desc->length;
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
	if (chan->failed && status != DMA_COMPLETE)
		status = DMA_ERROR;
	if (chan->current_desc && chan->current_desc->tx.cookie == cookie)
		residue = sim_desc_residue(chan->current_desc);
	list_for_each_entry(desc, &chan->issued, node)
		if (desc->tx.cookie == cookie)
			residue = sim_desc_residue(desc);
	list_for_each_entry(desc, &chan->submitted, node)
		if (desc->tx.cookie == cookie)
			residue = sim_desc_residue(desc);
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
		return chan->face->lies ? 0 : -EBUSY;
	}
	WRITE_ONCE(desc->aborted, true);
	return 0;
}

static int sim_config(struct dma_chan *c, struct dma_slave_config *config)
{
	struct sim_chan *chan = to_sim_chan(c);

	WRITE_ONCE(chan->configured, true);
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
	list_splice_init(&chan->gathered, &chan->idle);
	chan->num_gathered = 0;
	chan->failed = false;
	WRITE_ONCE(chan->configured, false);
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

/*
 * Let the current descriptor be terminated, although its fault forbids it. A
 * terminate that follows waits for its end, even if an earlier one was refused.
 */
void sim_chan_unstick(struct sim_chan *chan)
{
	struct sim_desc *desc;

	spin_lock_irq(&chan->lock);
	desc = chan->current_desc;
	if (desc && desc->fault == SIM_FAULT_STUCK) {
		WRITE_ONCE(desc->fault, SIM_FAULT_HANG);
		desc->refused = false;
	}
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
		chan->num_descs--;
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
	if (READ_ONCE(chan->logic->running) && !chan->failed)
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

static void sim_desc_callback(struct sim_desc *desc)
{
	const struct sim_chan *chan = to_sim_chan(desc->tx.chan);
	struct dma_async_tx_descriptor *tx = &desc->tx;
	struct dmaengine_result result = {
		.result = desc->result,
		.residue = desc->residue,
	};

	/* As dmaengine_desc_callback_invoke() does for a driver without a result */
	if (chan->face->no_results)
		result = (struct dmaengine_result){};

	/* A callback expects what a tasklet or an interrupt gives it. */
	local_bh_disable();
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
	local_bh_enable();
}

/* What a buggy engine does: the interrupt of what was terminated comes. */
static void sim_zombie_work(struct kthread_work *work)
{
	struct sim_chan *chan = container_of(work, struct sim_chan,
					     zombie_work.work);
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
		desc->result = DMA_TRANS_NOERROR;
		sim_desc_callback(desc);
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

/* Whether the engine stops at the descriptor, with an error and no callback */
static bool sim_desc_is_silent(const struct sim_chan *chan,
			       const struct sim_desc *desc)
{
	return chan->face->hides_errors && desc->result != DMA_TRANS_NOERROR &&
		chan->direction != DMA_MEM_TO_MEM;
}

/*
 * Take the current descriptor from the engine. Returns whether it was aborted, or
 * failed in silence: then it is not called back.
 */
static bool sim_chan_finish(struct sim_chan *chan, struct sim_desc *desc)
{
	bool over;

	spin_lock_irq(&chan->lock);
	over = desc->aborted;
	chan->current_desc = NULL;
	if (!over && sim_desc_is_silent(chan, desc)) {
		chan->failed = true;
		over = true;
	}
	spin_unlock_irq(&chan->lock);
	return over;
}

/* The descriptor is complete: call back for it, if there is an interrupt. */
static void sim_chan_report(struct sim_chan *chan, struct sim_desc *desc)
{
	spin_lock_irq(&chan->lock);
	chan->chan.completed_cookie = desc->tx.cookie;
	spin_unlock_irq(&chan->lock);
	if (desc->fault != SIM_FAULT_LOST)
		sim_desc_callback(desc);
	if (desc->fault == SIM_FAULT_DUPLICATE)
		sim_desc_callback(desc);
}

/* Have one interrupt for several descriptors. Returns whether it is due. */
static bool sim_chan_gather(struct sim_chan *chan, struct sim_desc *desc)
{
	bool due;

	spin_lock_irq(&chan->lock);
	list_add_tail(&desc->node, &chan->gathered);
	due = ++chan->num_gathered >= chan->face->gathers ||
		list_empty(&chan->issued);
	spin_unlock_irq(&chan->lock);
	return due;
}

static struct sim_desc *sim_chan_next_gathered(struct sim_chan *chan)
{
	struct sim_desc *desc;

	spin_lock_irq(&chan->lock);
	desc = list_first_entry_or_null(&chan->gathered, struct sim_desc, node);
	if (desc) {
		list_del(&desc->node);
		chan->num_gathered--;
	}
	spin_unlock_irq(&chan->lock);
	return desc;
}

static void sim_chan_put_idle(struct sim_chan *chan, struct sim_desc *desc)
{
	spin_lock_irq(&chan->lock);
	list_add(&desc->node, &chan->idle);
	spin_unlock_irq(&chan->lock);
}

static void sim_chan_report_gathered(struct sim_chan *chan)
{
	struct sim_desc *desc;

	while ((desc = sim_chan_next_gathered(chan))) {
		sim_chan_report(chan, desc);
		sim_chan_put_idle(chan, desc);
	}
}

/* It was terminated, and is called back later all the same. */
static void sim_chan_put_zombie(struct sim_chan *chan, struct sim_desc *desc)
{
	spin_lock_irq(&chan->lock);
	list_add_tail(&desc->node, &chan->zombies);
	spin_unlock_irq(&chan->lock);
	kthread_queue_delayed_work(chan->logic->worker, &chan->zombie_work,
				   msecs_to_jiffies(chan->fault_ms));
}

/* Of a cyclic descriptor: the next frame is the engine's, unless it ends. */
static bool sim_desc_next_frame(struct sim_chan *chan, struct sim_desc *desc)
{
	bool goes_on;

	spin_lock_irq(&chan->lock);
	goes_on = !desc->aborted && !sim_desc_is_silent(chan, desc);
	if (goes_on && ++desc->frame == desc->num_frames)
		desc->frame = 0;
	spin_unlock_irq(&chan->lock);
	return goes_on;
}

/*
 * A frame of a cyclic descriptor is complete: call back, and go on. It is current
 * until it is issued again, so that it can be terminated. Returns false if it was.
 */
static bool sim_chan_go_round(struct sim_chan *chan, struct sim_desc *desc)
{
	bool goes_on;

	if (!desc->num_frames || !sim_desc_next_frame(chan, desc))
		return false;
	if (desc->fault != SIM_FAULT_LOST)
		sim_desc_callback(desc);
	spin_lock_irq(&chan->lock);
	goes_on = !desc->aborted;
	if (goes_on) {
		desc->planned = false;
		chan->current_desc = NULL;
		list_add(&desc->node, &chan->issued);
	}
	spin_unlock_irq(&chan->lock);
	return goes_on;
}

/* The current descriptor is no longer with the engine: call back, or keep it. */
static void sim_chan_hand_back(struct sim_chan *chan, struct sim_desc *desc)
{
	if (sim_chan_go_round(chan, desc))
		return;
	if (sim_chan_finish(chan, desc)) {
		if (desc->fault == SIM_FAULT_ZOMBIE)
			sim_chan_put_zombie(chan, desc);
		else
			sim_chan_put_idle(chan, desc);
	} else if (!chan->face->gathers) {
		sim_chan_report(chan, desc);
		sim_chan_put_idle(chan, desc);
	} else if (sim_chan_gather(chan, desc)) {
		sim_chan_report_gathered(chan);
	}
}

/*
 * The engine is done with its current descriptor: the interrupt, so to speak.
 * @status is what moving the frame ended with.
 */
void sim_chan_complete(struct sim_chan *chan, struct sim_desc *desc,
		       int status)
{
	desc->result = sim_chan_result(chan, status);
	sim_chan_hand_back(chan, desc);

	spin_lock_irq(&chan->lock);
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
 * @engine: its device and its face are set
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

	chan->dev = engine->dev;
	chan->face = engine->face;
	chan->direction = direction;
	strscpy(chan->name, name, sizeof(chan->name));
	spin_lock_init(&chan->lock);
	init_waitqueue_head(&chan->wait);
	INIT_LIST_HEAD(&chan->idle);
	INIT_LIST_HEAD(&chan->submitted);
	INIT_LIST_HEAD(&chan->issued);
	INIT_LIST_HEAD(&chan->gathered);
	INIT_LIST_HEAD(&chan->zombies);
	kthread_init_delayed_work(&chan->zombie_work, sim_zombie_work);
	return chan;
}

static void sim_engine_list_chan(struct sim_engine *engine, unsigned int i)
{
	struct sim_chan *chan = &engine->chans[i];

	chan->chan.device = &engine->dma;
	list_add_tail(&chan->chan.device_node, &engine->dma.channels);
	engine->map[i].devname = dev_name(engine->dev);
	engine->map[i].slave = chan->name;
	engine->map[i].param = &chan->chan;
}

static void sim_engine_describe(struct dma_device *dma,
				const struct sim_face *face)
{
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	if (!face->reports_nothing)
		dma->directions = BIT(DMA_DEV_TO_MEM) | BIT(DMA_MEM_TO_DEV) |
			BIT(DMA_MEM_TO_MEM);
	dma->src_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->dst_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	dma->desc_metadata_modes = DESC_METADATA_ENGINE;
	dma->filter.fn = sim_filter;
	dma->device_alloc_chan_resources = sim_alloc_chan_resources;
	dma->device_free_chan_resources = sim_free_chan_resources;
	if (!face->reports_nothing)
		dma->device_caps = sim_device_caps;
	if (face->by_lines)
		dma->device_prep_interleaved_dma = sim_prep_interleaved;
	else
		dma->device_prep_slave_sg = sim_prep_slave_sg;
	if (face->by_ring) {
		dma->device_prep_dma_cyclic = sim_prep_cyclic;
		dma->residue_granularity = DMA_RESIDUE_GRANULARITY_SEGMENT;
	}
	dma->device_config = sim_config;
	dma->device_prep_dma_memcpy = sim_prep_memcpy;
	dma->device_issue_pending = sim_issue_pending;
	dma->device_tx_status = sim_tx_status;
	dma->device_terminate_all = sim_terminate_all;
	dma->device_synchronize = sim_synchronize;
}

/* For the device that dmaengine knows, if it is a child: dmaengine wants a driver. */
struct platform_driver sim_engine_driver = {
	.driver = {
		.name = "fpgabuf_sim_dma",
		.suppress_bind_attrs = true,
	},
};

/* The device that dmaengine knows, bound; or an ERR_PTR */
static struct device *sim_engine_add_device(struct sim_engine *engine)
{
	struct platform_device_info info = {
		.parent = engine->dev,
		.name = sim_engine_driver.driver.name,
		.id = PLATFORM_DEVID_AUTO,
	};
	struct platform_device *child;

	if (!engine->face->is_child)
		return engine->dev;
	child = platform_device_register_full(&info);
	if (IS_ERR(child))
		return ERR_CAST(child);
	if (!child->dev.driver) {
		platform_device_unregister(child);
		return ERR_PTR(-ENODEV);
	}
	engine->child = child;
	return &child->dev;
}

/**
 * sim_engine_register() - let dmaengine know the engine
 * @engine: with all its channels
 *
 * Return: 0 or a negative errno.
 */
int sim_engine_register(struct sim_engine *engine)
{
	struct dma_device *dma = &engine->dma;
	unsigned int i;
	int ret;

	dma->dev = sim_engine_add_device(engine);
	if (IS_ERR(dma->dev))
		return PTR_ERR(dma->dev);
	INIT_LIST_HEAD(&dma->channels);
	for (i = 0; i < engine->num_chans; i++)
		sim_engine_list_chan(engine, i);
	dma->filter.map = engine->map;
	dma->filter.mapcnt = engine->num_chans;
	sim_engine_describe(dma, engine->face);
	ret = dma_async_device_register(dma);
	if (ret)
		platform_device_unregister(engine->child);
	return ret;
}

void sim_engine_unregister(struct sim_engine *engine)
{
	dma_async_device_unregister(&engine->dma);
	platform_device_unregister(engine->child);
}
