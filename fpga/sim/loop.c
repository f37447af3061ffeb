// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of the simulated FPGA's loop0: frames that tx0 took come back, byte
 * for byte. Between the two there is a store for one frame: sink.c fills it, and
 * takes no other frame until loop0's thread has emptied it.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "sim.h"

static struct sim_loop *to_sim_loop(struct sim_logic *logic)
{
	return container_of(logic, struct sim_loop, logic);
}

/* The store may have been replaced by a larger one while it was in use. */
static void loop_release(struct sim_loop *loop, struct sim_loop_frame *frame)
{
	struct sim_loop_frame *replaced = frame;

	spin_lock(&loop->lock);
	if (frame && !loop->empty && frame->capacity >= loop->capacity) {
		loop->empty = frame;
		replaced = NULL;
	}
	spin_unlock(&loop->lock);
	kvfree(replaced);
	sim_logic_kick(loop->from);
}

static struct sim_loop_frame *loop_take_full(struct sim_loop *loop)
{
	struct sim_loop_frame *frame;

	spin_lock(&loop->lock);
	frame = loop->full;
	loop->full = NULL;
	spin_unlock(&loop->lock);
	return frame;
}

/**
 * sim_loop_resize() - make room for the frames to come
 * @loop: the loop; what fills it is stopped
 * @capacity: bytes of a frame
 *
 * A frame that nobody has taken yet is dropped.
 *
 * Return: 0, or -ENOMEM.
 */
int sim_loop_resize(struct sim_loop *loop, size_t capacity)
{
	struct sim_loop_frame *frame, *empty, *full;

	frame = kvmalloc(struct_size(frame, data, capacity), GFP_KERNEL);
	if (!frame)
		return -ENOMEM;
	frame->capacity = capacity;

	spin_lock(&loop->lock);
	empty = loop->empty;
	full = loop->full;
	loop->empty = frame;
	loop->full = NULL;
	loop->capacity = capacity;
	spin_unlock(&loop->lock);
	kvfree(empty);
	kvfree(full);
	return 0;
}

/**
 * sim_loop_set_patient() - what becomes of a frame that has no descriptor
 * @loop: the loop
 * @patient: it waits, else it is lost
 */
void sim_loop_set_patient(struct sim_loop *loop, bool patient)
{
	WRITE_ONCE(loop->patient, patient);
	/* One may be waiting that is lost now. */
	sim_logic_kick(&loop->logic);
}

/* Whether the store can take a frame. */
bool sim_loop_is_empty(struct sim_loop *loop)
{
	return READ_ONCE(loop->empty);
}

/* The store, to fill it: only after sim_loop_is_empty(), by the same thread. */
struct sim_loop_frame *sim_loop_take_empty(struct sim_loop *loop)
{
	struct sim_loop_frame *frame;

	spin_lock(&loop->lock);
	frame = loop->empty;
	loop->empty = NULL;
	spin_unlock(&loop->lock);
	return frame;
}

/**
 * sim_loop_give() - a frame is in the store
 * @loop: the loop
 * @frame: the store, from sim_loop_take_empty()
 * @length: bytes of the frame; 0: there is none
 */
void sim_loop_give(struct sim_loop *loop, struct sim_loop_frame *frame,
		   size_t length)
{
	bool given;

	frame->length = length;
	spin_lock(&loop->lock);
	given = length && READ_ONCE(loop->logic.running);
	if (given)
		loop->full = frame;
	spin_unlock(&loop->lock);
	if (given)
		sim_logic_kick(&loop->logic);
	else
		loop_release(loop, frame);
}

static int loop_move(struct sim_logic *logic, struct sim_transfer *transfer,
		     u64 sequence)
{
	struct sim_loop_frame *frame = to_sim_loop(logic)->current_frame;
	const size_t end = min(frame->length, transfer->desc->length);
	int ret = 0;

	while (!ret && transfer->moved < end)
		ret = sim_transfer_move(transfer,
					frame->data + transfer->moved,
					min(SIM_BLOCK, end - transfer->moved));
	return ret;
}

/* The frame in the store goes to the next descriptor, is lost, or waits. */
static bool loop_step(struct sim_logic *logic)
{
	struct sim_loop *loop = to_sim_loop(logic);
	struct sim_desc *desc;

	if (!READ_ONCE(loop->full))
		return false;
	desc = sim_chan_next(logic->chan);
	if (!desc && READ_ONCE(loop->patient))
		return false;
	loop->current_frame = loop_take_full(loop);
	if (desc && loop->current_frame)
		sim_logic_move(logic, desc);
	else if (desc)
		sim_chan_put_back(logic->chan, desc);
	else if (loop->current_frame)
		sim_logic_lose(logic, 1, FPGABUF_DONE_LOST_STARVED);
	loop_release(loop, loop->current_frame);
	loop->current_frame = NULL;
	return true;
}

static const struct sim_logic_ops loop_logic_ops = {
	.step	= loop_step,
	.move	= loop_move,
};

static int loop_set_format(void *priv, const struct fpgabuf_format *format)
{
	return sim_logic_set_format(priv, format, 0);
}

/* Its rate is that of the frames that it gets. */
static int loop_start(void *priv, u32 run)
{
	return sim_logic_start(priv, run, 0);
}

static void loop_stop(void *priv)
{
	struct sim_loop *loop = to_sim_loop(priv);

	sim_logic_stop(priv);
	loop_release(loop, loop_take_full(loop));
}

const struct fpgabuf_channel_ops sim_loop_ops = {
	.set_format	= loop_set_format,
	.start		= loop_start,
	.stop		= loop_stop,
	.configure	= sim_logic_configure,
	.idle		= sim_logic_idle,
	.frame		= sim_logic_frame,
};

int sim_loop_init(struct sim_loop *loop, struct sim_chan *chan,
		  const char *name)
{
	spin_lock_init(&loop->lock);
	return sim_logic_init(&loop->logic, chan, &loop_logic_ops, name);
}

/* Nothing fills or empties it any more. */
void sim_loop_fini(struct sim_loop *loop)
{
	kvfree(loop->empty);
	kvfree(loop->full);
}
