// SPDX-License-Identifier: GPL-2.0
/*
 * A frame in memory, as the engine gets it: as a scatterlist, or line by line.
 * Everything that a descriptor is prepared from is made when its buffer is
 * registered.
 */
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "channel.h"

/*
 * The longest piece of a buffer in bytes, for the engine: any, if it is only the
 * lines in it that must not be too long.
 */
u32 fpgabuf_pieces_max_segment(const struct fpgabuf_channel *channel)
{
	const struct fpgabuf_engine *engine = &channel->client.engine;

	return fpgabuf_engine_by_lines(engine) ?
		round_down(U32_MAX, fpgabuf_engine_alignment(engine)) :
		fpgabuf_engine_max_segment(engine);
}

/* What pitches must be multiples of, bytes; 1: of anything */
u32 fpgabuf_pieces_line_align(const struct fpgabuf_channel *channel)
{
	const struct fpgabuf_engine *engine = &channel->client.engine;

	return fpgabuf_engine_by_lines(engine) ?
		fpgabuf_engine_alignment(engine) : 1;
}

static int pieces_slice(const struct fpgabuf_channel *channel,
			const struct fpgabuf_import *import, u64 offset,
			u64 size, struct sg_table *frame)
{
	int ret;

	ret = fpgabuf_import_slice(import, NULL, offset, size,
				   fpgabuf_pieces_max_segment(channel), frame);
	if (ret)
		return ret;
	ret = fpgabuf_engine_check_table(&channel->client.engine, frame);
	if (ret)
		sg_free_table(frame);
	return ret;
}

/**
 * fpgabuf_pieces_check() - whether the engine moves frames of a format
 * @channel: the channel; open
 * @format: the format, complete
 * @lines: out: how, if it moves them line by line
 *
 * Return: 0, or as fpgabuf_format_lines().
 */
int fpgabuf_pieces_check(const struct fpgabuf_channel *channel,
			 const struct fpgabuf_format *format,
			 struct fpgabuf_lines *lines)
{
	const struct fpgabuf_engine *engine = &channel->client.engine;

	if (!fpgabuf_engine_by_lines(engine))
		return 0;
	return fpgabuf_format_lines(format, fpgabuf_engine_max_segment(engine),
				    fpgabuf_engine_alignment(engine), lines);
}

/* The padding between lines belongs to the side that is memory. */
static struct dma_interleaved_template *
lines_template(const struct fpgabuf_channel *channel,
	       const struct fpgabuf_lines *lines, dma_addr_t addr)
{
	const bool output = fpgabuf_channel_is_output(channel);
	struct dma_interleaved_template *xt;

	xt = kzalloc(struct_size(xt, sgl, 1), GFP_KERNEL_ACCOUNT);
	if (!xt)
		return NULL;
	xt->dir = output ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;
	xt->src_start = output ? addr : 0;
	xt->src_inc = output;
	xt->src_sgl = output;
	xt->dst_start = output ? 0 : addr;
	xt->dst_inc = !output;
	xt->dst_sgl = !output;
	xt->numf = lines->num;
	xt->frame_size = 1;
	xt->sgl[0].size = lines->length;
	xt->sgl[0].icg = lines->pitch - lines->length;
	return xt;
}

static int pieces_init_lines(struct fpgabuf_pieces *pieces,
			     const struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format)
{
	int ret;

	ret = fpgabuf_pieces_check(channel, format, &pieces->lines);
	if (ret)
		return ret;
	pieces->template = lines_template(channel, &pieces->lines,
					  sg_dma_address(pieces->frame.sgl));
	return pieces->template ? 0 : -ENOMEM;
}

/**
 * fpgabuf_pieces_init() - make all that descriptors of a buffer are prepared from
 * @pieces: out; zeroed. After an error it is as before
 * @channel: the channel; open
 * @format: of the frame, complete
 * @import: the buffer
 * @offset: where in it the frame starts, bytes
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOMEM; or the engine does not take it, as
 * fpgabuf_engine_check_table(), fpgabuf_format_lines() and fpgabuf_import_slice().
 */
int fpgabuf_pieces_init(struct fpgabuf_pieces *pieces,
			const struct fpgabuf_channel *channel,
			const struct fpgabuf_format *format,
			const struct fpgabuf_import *import, u64 offset)
{
	int ret;

	ret = pieces_slice(channel, import, offset, format->size,
			   &pieces->frame);
	if (ret)
		return ret;
	if (fpgabuf_engine_by_lines(&channel->client.engine))
		ret = pieces_init_lines(pieces, channel, format);
	else if (fpgabuf_channel_is_output(channel))
		ret = sg_alloc_table(&pieces->part, pieces->frame.nents,
				     GFP_KERNEL);
	if (ret)
		sg_free_table(&pieces->frame);
	return ret;
}

/* The engine does not read any of it any more. */
void fpgabuf_pieces_fini(struct fpgabuf_pieces *pieces)
{
	kfree(pieces->template);
	sg_free_table(&pieces->part);
	sg_free_table(&pieces->frame);
}

static struct dma_async_tx_descriptor *
pieces_prepare_sg(const struct fpgabuf_channel *channel,
		  struct scatterlist *sgl, unsigned int nents)
{
	enum dma_transfer_direction dir = fpgabuf_channel_is_output(channel) ?
		DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;

	return dmaengine_prep_slave_sg(channel->client.engine.chan, sgl, nents,
				       dir, DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
}

/* A frame that is shorter than others */
static struct dma_async_tx_descriptor *
pieces_prepare_part(const struct fpgabuf_slot *slot)
{
	struct scatterlist *from = slot->pieces.frame.sgl;
	struct scatterlist *to = slot->pieces.part.sgl;
	unsigned int nents = 0, len;
	u64 left = slot->bytes;

	for (; left; left -= len, nents++) {
		len = min_t(u64, left, sg_dma_len(from));
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = len;
		/* Some providers walk the CPU lengths. */
		to->length = len;
		from = sg_next(from);
		to = sg_next(to);
	}
	return pieces_prepare_sg(slot->channel, slot->pieces.part.sgl, nents);
}

/* Only raw blocks may be shorter than others, and these are one line. */
static struct dma_async_tx_descriptor *
pieces_prepare_lines(const struct fpgabuf_slot *slot)
{
	struct dma_interleaved_template *xt = slot->pieces.template;

	xt->sgl[0].size = min_t(u64, slot->bytes, slot->pieces.lines.length);
	return dmaengine_prep_interleaved_dma(slot->channel->client.engine.chan,
					      xt, DMA_PREP_INTERRUPT |
					      DMA_CTRL_ACK);
}

/* The slot's descriptor, or NULL if the engine has no room; allocates nothing. */
struct dma_async_tx_descriptor *
fpgabuf_pieces_prepare(const struct fpgabuf_slot *slot)
{
	const struct sg_table *frame = &slot->pieces.frame;

	if (slot->pieces.template)
		return pieces_prepare_lines(slot);
	if (slot->bytes < slot->channel->format.size)
		return pieces_prepare_part(slot);
	return pieces_prepare_sg(slot->channel, frame->sgl, frame->nents);
}

/* How much of the slot's frame was moved, in bytes of memory from its start */
u64 fpgabuf_pieces_moved(const struct fpgabuf_slot *slot, u32 residue)
{
	const bool whole = slot->bytes == slot->channel->format.size;

	if (slot->pieces.template && whole)
		return fpgabuf_lines_moved(&slot->pieces.lines, residue);
	return slot->bytes - min_t(u64, residue, slot->bytes);
}
