// SPDX-License-Identifier: GPL-2.0
/*
 * A channel whose engine goes round in the registered buffers and never stops. It
 * also writes to buffers that are not queued. A frame completes its buffer if that
 * is queued; otherwise it is lost, and a completion of the buffer reports that its
 * contents were overwritten.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "channel.h"

static struct fpgabuf_slot *ring_slot(struct rb_node *node)
{
	return rb_entry_safe(node, struct fpgabuf_slot, range);
}

static dma_addr_t ring_addr(const struct fpgabuf_slot *slot)
{
	return sg_dma_address(slot->pieces.frame.sgl);
}

/* Whether @slot begins where the frame of the one before it ends */
static bool ring_follows(const struct fpgabuf_slot *before,
			 const struct fpgabuf_slot *slot)
{
	const u64 size = slot->channel->format.size;

	return slot->import == before->import &&
		slot->offset == before->offset + size &&
		ring_addr(slot) == ring_addr(before) + size;
}

/* All slots in the order of their offsets; -EXDEV, -EFBIG: they are no ring. */
static int ring_collect(struct fpgabuf_channel *channel)
{
	struct fpgabuf_slot *slot, *before = NULL;
	struct rb_node *node;
	unsigned int num = 0;

	if (channel->num_slots < 2)
		return -EXDEV;
	/* An engine says where it is in 32 bits. */
	if (channel->format.size * channel->num_slots > U32_MAX)
		return -EFBIG;
	channel->ring = kvcalloc(channel->num_slots, sizeof(*channel->ring),
				 GFP_KERNEL_ACCOUNT);
	if (!channel->ring)
		return -ENOMEM;
	for (node = rb_first(&channel->ranges); node; node = rb_next(node)) {
		slot = ring_slot(node);
		if (before && !ring_follows(before, slot)) {
			fpgabuf_ring_free(channel);
			return -EXDEV;
		}
		channel->ring[num++] = slot;
		before = slot;
	}
	return 0;
}

static void ring_complete(struct fpgabuf_slot *slot, u64 sequence)
{
	struct fpgabuf_channel *channel = slot->channel;
	const struct fpgabuf_frame frame = {
		.sequence = sequence,
		.timestamp = ktime_get_ns(),
		.bytes = slot->bytes,
		.flags = FPGABUF_DONE_LOST_STARVED,
	};

	fpgabuf_stream_fill_done(slot, &frame);
	if (slot->overwritten)
		slot->done.flags |= FPGABUF_DONE_OVERWRITTEN;
	slot->overwritten = false;
	fpgabuf_engine_ring_done(&channel->client.engine, &slot->job);
}

/*
 * &fpgabuf_engine_ops.entered: the frame in the buffer is overwritten. A completion
 * that is DONE may have been copied to the user before: then only the next one can
 * report it.
 */
void fpgabuf_ring_entered(struct fpgabuf_engine *engine, unsigned int index)
{
	struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	struct fpgabuf_slot *slot = channel->ring[index];

	lockdep_assert_held(&engine->queue.lock);
	slot->overwritten = slot->overwritten ||
		slot->job.state == FPGABUF_JOB_IDLE ||
		slot->job.state == FPGABUF_JOB_DONE;
	if (slot->job.state == FPGABUF_JOB_DONE)
		slot->done.status = slot->done.status ?: -EOVERFLOW;
}

/* &fpgabuf_engine_ops.passed */
void fpgabuf_ring_passed(struct fpgabuf_engine *engine, unsigned int index)
{
	struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	const u64 sequence = channel->ring_sequence++;
	struct fpgabuf_slot *slot = channel->ring[index];

	lockdep_assert_held(&engine->queue.lock);
	if (slot->job.state == FPGABUF_JOB_QUEUED)
		ring_complete(slot, sequence);
}

/* &fpgabuf_engine_ops.quarantine_ring */
void fpgabuf_ring_quarantine(struct fpgabuf_engine *engine)
{
	struct fpgabuf_channel *channel =
		container_of(engine, struct fpgabuf_channel, client.engine);
	unsigned int i;

	lockdep_assert_held(&engine->queue.lock);
	for (i = 0; i < channel->num_slots; i++)
		channel->ring[i]->quarantined = true;
}

/* Returns 0; -EXDEV, -EFBIG, -ENOMEM; -EIO: the engine refuses it. */
int fpgabuf_ring_start(struct fpgabuf_channel *channel, u32 timeout_ms)
{
	struct fpgabuf_engine *engine = &channel->client.engine;
	int ret;

	lockdep_assert_held(&channel->client.lock);
	ret = ring_collect(channel);
	if (ret)
		return ret;
	channel->ring_sequence = 0;
	ret = fpgabuf_engine_start_ring(engine, timeout_ms,
					ring_addr(channel->ring[0]),
					channel->format.size,
					channel->num_slots);
	if (ret)
		fpgabuf_ring_free(channel);
	return ret;
}

/* The engine does not go round any more. */
void fpgabuf_ring_free(struct fpgabuf_channel *channel)
{
	lockdep_assert_held(&channel->client.lock);
	kvfree(channel->ring);
	channel->ring = NULL;
}
