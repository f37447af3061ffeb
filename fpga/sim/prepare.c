// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of the simulated engine, until they are submitted. They are kept for
 * the next use, so that a stream allocates nothing per frame.
 */
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

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

/* An idle one that has room for @num segments; with the lock held. */
static struct sim_desc *sim_desc_find_idle(struct sim_chan *chan,
					   unsigned int num)
{
	struct sim_desc *desc;

	list_for_each_entry(desc, &chan->idle, node) {
		if (desc->capacity < num)
			continue;
		list_del(&desc->node);
		return desc;
	}
	return NULL;
}

/* One more may be made; it may have to replace an idle one. With the lock held. */
static bool sim_desc_have_room(struct sim_chan *chan)
{
	const unsigned int room = chan->face->room;
	struct sim_desc *desc;

	if (room && chan->num_descs == room) {
		desc = list_first_entry_or_null(&chan->idle, struct sim_desc,
						node);
		if (!desc)
			return false;
		list_del(&desc->node);
		kfree(desc);
		chan->num_descs--;
	}
	chan->num_descs++;
	return true;
}

static struct sim_desc *sim_desc_create(struct sim_chan *chan,
					unsigned int num)
{
	struct sim_desc *desc;
	unsigned long flags;

	desc = kzalloc(struct_size(desc, segs, num), GFP_NOWAIT);
	if (desc) {
		desc->capacity = num;
		return desc;
	}
	spin_lock_irqsave(&chan->lock, flags);
	chan->num_descs--;
	spin_unlock_irqrestore(&chan->lock, flags);
	return NULL;
}

/* NULL: it has no more, or no memory for one. */
static struct sim_desc *sim_desc_find(struct sim_chan *chan, unsigned int num)
{
	struct sim_desc *desc;
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&chan->lock, flags);
	desc = sim_desc_find_idle(chan, num);
	room = desc || sim_desc_have_room(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
	if (desc || !room)
		return desc;
	return sim_desc_create(chan, num);
}

static bool sim_chan_is_ready(const struct sim_chan *chan)
{
	return !chan->face->needs_config || READ_ONCE(chan->configured) ||
		chan->direction == DMA_MEM_TO_MEM;
}

static struct sim_desc *sim_desc_get(struct sim_chan *chan, unsigned int num)
{
	struct sim_desc *desc;

	if (!sim_chan_is_ready(chan) ||
	    sim_fault_strikes(chan, SIM_FAULT_FULL))
		return NULL;
	desc = sim_desc_find(chan, num);
	if (!desc)
		return NULL;
	desc->num = num;
	desc->length = 0;
	desc->num_frames = 0;
	desc->frame = 0;
	desc->sgl = NULL;
	desc->residue = 0;
	desc->aborted = false;
	desc->planned = false;
	desc->fault = SIM_FAULT_NONE;
	desc->refused = false;
	memset(&desc->tx, 0, sizeof(desc->tx));
	dma_async_tx_descriptor_init(&desc->tx, &chan->chan);
	desc->tx.tx_submit = sim_chan_submit;
	desc->tx.metadata_ops = &sim_metadata_ops;
	return desc;
}

static void sim_desc_read(struct sim_desc *desc, struct scatterlist *sgl)
{
	struct scatterlist *sg;
	size_t length = 0;
	unsigned int i;

	for_each_sg(sgl, sg, desc->num, i) {
		desc->segs[i] = (struct sim_segment){
			.addr = sg_dma_address(sg),
			.len = sg_dma_len(sg),
			.num = 1,
		};
		length += sg_dma_len(sg);
	}
	desc->length = length;
}

/* The engine begins with a descriptor, and reads its scatterlist only now. */
void sim_desc_read_late(struct sim_desc *desc)
{
	if (desc->sgl)
		sim_desc_read(desc, desc->sgl);
}

struct dma_async_tx_descriptor *
sim_prep_slave_sg(struct dma_chan *c, struct scatterlist *sgl,
		  unsigned int sg_len, enum dma_transfer_direction direction,
		  unsigned long flags, void *context)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct sim_desc *desc;

	if (direction != chan->direction || direction == DMA_MEM_TO_MEM ||
	    !sg_len)
		return NULL;
	if (chan->face->by_ring && direction == DMA_DEV_TO_MEM)
		return NULL;

	desc = sim_desc_get(chan, sg_len);
	if (!desc)
		return NULL;
	sim_desc_read(desc, sgl);
	if (chan->face->reads_late)
		desc->sgl = sgl;
	desc->tx.flags = flags;
	return &desc->tx;
}

/* As the VDMA's driver: one chunk a line, which has a gap behind it in memory */
struct dma_async_tx_descriptor *
sim_prep_interleaved(struct dma_chan *c, struct dma_interleaved_template *xt,
		     unsigned long flags)
{
	struct sim_chan *chan = to_sim_chan(c);
	const bool output = xt->dir == DMA_MEM_TO_DEV;
	struct sim_desc *desc;
	size_t gap;

	if (xt->dir != chan->direction || xt->dir == DMA_MEM_TO_MEM ||
	    !xt->numf || !xt->sgl[0].size || xt->frame_size != 1)
		return NULL;

	desc = sim_desc_get(chan, 1);
	if (!desc)
		return NULL;
	gap = output ? dmaengine_get_src_icg(xt, &xt->sgl[0]) :
		       dmaengine_get_dst_icg(xt, &xt->sgl[0]);
	desc->segs[0] = (struct sim_segment){
		.addr = output ? xt->src_start : xt->dst_start,
		.len = xt->sgl[0].size,
		.num = xt->numf,
		.pitch = xt->sgl[0].size + gap,
	};
	desc->length = xt->sgl[0].size * xt->numf;
	desc->tx.flags = flags;
	return &desc->tx;
}

struct dma_async_tx_descriptor *
sim_prep_cyclic(struct dma_chan *c, dma_addr_t addr, size_t len, size_t period,
		enum dma_transfer_direction direction, unsigned long flags)
{
	struct sim_chan *chan = to_sim_chan(c);
	struct sim_desc *desc;

	if (direction != chan->direction || direction != DMA_DEV_TO_MEM ||
	    !period || len < period || len % period)
		return NULL;

	desc = sim_desc_get(chan, 1);
	if (!desc)
		return NULL;
	desc->length = period;
	desc->num_frames = len / period;
	desc->segs[0] = (struct sim_segment){
		.addr = addr,
		.len = period,
		.num = desc->num_frames,
		.pitch = period,
	};
	desc->tx.flags = flags;
	return &desc->tx;
}

struct dma_async_tx_descriptor *
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
	desc->segs[0] = (struct sim_segment){ src, len, 1 };
	desc->segs[1] = (struct sim_segment){ dst, len, 1 };
	desc->length = len;
	desc->tx.flags = flags;
	return &desc->tx;
}
