// SPDX-License-Identifier: GPL-2.0
/*
 * What copies are to the engine: a descriptor for each piece that is contiguous in
 * both buffers.
 */
#include <linux/dmaengine.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "node.h"
#include "trace.h"

static void cursor_set(struct importer_cursor *cursor,
		       const struct importer_map *map, u64 offset)
{
	cursor->sg = map->table.sgl;
	cursor->skip = offset;
	while (cursor->skip >= sg_dma_len(cursor->sg)) {
		cursor->skip -= sg_dma_len(cursor->sg);
		cursor->sg = sg_next(cursor->sg);
	}
}

static dma_addr_t cursor_address(const struct importer_cursor *cursor)
{
	return sg_dma_address(cursor->sg) + cursor->skip;
}

static u64 cursor_room(const struct importer_cursor *cursor)
{
	return sg_dma_len(cursor->sg) - cursor->skip;
}

static void cursor_advance(struct importer_cursor *cursor, u64 len)
{
	cursor->skip += len;
	if (cursor->skip < sg_dma_len(cursor->sg))
		return;
	cursor->sg = sg_next(cursor->sg);
	cursor->skip = 0;
}

/*
 * The copy does not use the buffer any more. But an engine that does not stop may:
 * then the mapping is kept.
 */
static void copy_put_map(struct importer_copy *copy, struct importer_map *map,
			 u32 slot)
{
	struct fpgabuf_importer *importer = copy->importer;

	if (importer->client.engine.quarantine)
		importer->kept[importer->num_kept++] = map;
	else
		importer_map_put(importer, map);
	importer->slots[slot].pending--;
}

static void copy_done(struct fpgabuf_job *job)
{
	struct importer_copy *copy = to_importer_copy(job);

	copy->timestamp = ktime_get_ns();
	copy_put_map(copy, copy->from, copy->arg.src);
	copy_put_map(copy, copy->to, copy->arg.dst);
	copy->from = NULL;
	copy->to = NULL;
	trace_fpgabuf_copy_done(copy);
}

static void copy_begin(struct fpgabuf_job *job)
{
	struct importer_copy *copy = to_importer_copy(job);

	cursor_set(&copy->src, copy->from, copy->arg.src_offset);
	cursor_set(&copy->dst, copy->to, copy->arg.dst_offset);
	copy->left = copy->arg.length;
	copy->last = 0;
	trace_fpgabuf_copy_begin(copy);
}

/*
 * The next copy may read what this one wrote: a pipelined engine must not begin
 * with it before the last piece is written.
 */
static unsigned long copy_flags(bool more)
{
	unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;

	return more ? flags : flags | DMA_PREP_FENCE;
}

static struct dma_async_tx_descriptor *copy_prepare(struct fpgabuf_job *job,
						    bool *more)
{
	struct importer_copy *copy = to_importer_copy(job);
	struct dma_async_tx_descriptor *desc;
	unsigned int len;

	/* The engine has taken the piece before. */
	if (copy->last) {
		cursor_advance(&copy->src, copy->last);
		cursor_advance(&copy->dst, copy->last);
		copy->left -= copy->last;
		copy->last = 0;
	}
	len = min3(copy->left, cursor_room(&copy->src),
		   cursor_room(&copy->dst));
	*more = len < copy->left;
	desc = dmaengine_prep_dma_memcpy(job->engine->chan,
					 cursor_address(&copy->dst),
					 cursor_address(&copy->src), len,
					 copy_flags(*more));
	if (desc)
		copy->last = len;
	return desc;
}

static void copy_refused(struct fpgabuf_job *job)
{
	to_importer_copy(job)->last = 0;
}

static void copy_again(struct fpgabuf_job *job)
{
	trace_fpgabuf_copy_again(to_importer_copy(job));
}

static void copy_quarantine(struct fpgabuf_job *job)
{
	struct importer_copy *copy = to_importer_copy(job);
	struct importer_slot *slots = copy->importer->slots;

	slots[copy->arg.src].quarantined = true;
	slots[copy->arg.dst].quarantined = true;
}

static void copy_idle(struct fpgabuf_engine *engine)
{
	struct fpgabuf_importer *importer =
		container_of(engine, struct fpgabuf_importer, client.engine);
	unsigned int i;

	for (i = 0; i < IMPORTER_SLOTS; i++)
		importer->slots[i].quarantined = false;
}

const struct fpgabuf_engine_ops importer_copy_ops = {
	.begin		= copy_begin,
	.prepare	= copy_prepare,
	.refused	= copy_refused,
	.again		= copy_again,
	.done		= copy_done,
	.quarantine	= copy_quarantine,
	.idle		= copy_idle,
};

void importer_copies_init(struct fpgabuf_importer *importer)
{
	unsigned int i;

	INIT_LIST_HEAD(&importer->idle);
	for (i = 0; i < IMPORTER_DEPTH; i++) {
		struct importer_copy *copy = &importer->copies[i];

		copy->importer = importer;
		fpgabuf_engine_job_init(&importer->client.engine, &copy->job);
		list_add_tail(&copy->job.node, &importer->idle);
	}
	importer->num_idle = IMPORTER_DEPTH;
}
