// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of the simulated FPGA's tx channels: it takes frames, and looks at
 * the trailer of those that have one.
 */
#include <linux/crc32c.h>
#include <linux/debugfs.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "sim.h"

/**
 * struct sink_frame - a frame that is read
 * @length: bytes of it
 * @crc: CRC-32C of what was read before the trailer
 * @trailer: its last bytes
 */
struct sink_frame {
	size_t length;
	u32 crc;
	struct fpgabuf_trailer trailer;
};

static struct sim_sink *to_sim_sink(struct sim_logic *logic)
{
	return container_of(logic, struct sim_sink, logic);
}

/* The frames of a run are counted from 0, and so are the runs, from 1. */
static bool sink_follows(const struct sim_sink *sink, u32 run, u64 sequence)
{
	if (!sink->any)
		return true;
	return run == sink->last_run ? sequence == sink->last_sequence + 1 :
				       !sequence;
}

static void sink_look_at(struct sim_sink *sink, const struct sink_frame *frame)
{
	const struct fpgabuf_trailer *trailer = &frame->trailer;
	u64 sequence = le64_to_cpu(trailer->sequence);
	u32 run = le32_to_cpu(trailer->run);

	if (trailer->magic != cpu_to_le32(FPGABUF_TRAILER_MAGIC))
		return;
	if (sim_pattern_trailer_right(trailer, frame->length, frame->crc))
		sink->good++;
	else
		sink->bad++;
	if (!sink_follows(sink, run, sequence))
		sink->disordered++;
	sink->last_run = run;
	sink->last_sequence = sequence;
	sink->any = true;
}

/*
 * Read a frame: all but its trailer into @store, or block after block into the
 * scratch; then the trailer.
 */
static int sink_read(struct sim_logic *logic, struct sim_transfer *transfer,
		     u8 *store, struct sink_frame *frame)
{
	const size_t end = min(frame->length, sizeof(frame->trailer));
	size_t left;
	int ret = 0;

	for (left = frame->length - end; !ret && left;) {
		u8 *to = store ? store + transfer->moved : logic->scratch;
		size_t len = min_t(size_t, SIM_BLOCK, left);

		ret = sim_transfer_move(transfer, to, len);
		if (!ret)
			frame->crc = crc32c(frame->crc, to, len);
		left -= len;
	}
	if (!ret)
		ret = sim_transfer_move(transfer, &frame->trailer, end);
	if (!ret && store)
		memcpy(store + frame->length - end, &frame->trailer, end);
	return ret;
}

static void sink_count(struct sim_sink *sink, const struct sink_frame *frame,
		       int status)
{
	if (status == -ECANCELED)
		return;
	sink->frames++;
	if (status)
		sink->bad++;
	else if (frame->length >= sizeof(frame->trailer))
		sink_look_at(sink, frame);
}

static int sink_move(struct sim_logic *logic, struct sim_transfer *transfer,
		     u64 sequence)
{
	struct sim_sink *sink = to_sim_sink(logic);
	struct sim_loop_frame *store = NULL;
	struct sink_frame frame = {
		.length = transfer->desc->length,
		.crc = ~0U,
	};
	int ret;

	if (sink->loop)
		store = sim_loop_take_empty(sink->loop);
	ret = sink_read(logic, transfer, store ? store->data : NULL, &frame);
	/* A frame that came short goes on as it is. */
	if (store)
		sim_loop_give(sink->loop, store,
			      !ret || ret == -EMSGSIZE ? transfer->moved : 0);
	sink_count(sink, &frame, ret);
	return ret;
}

/* No frame while the one before is on its way to loop0. */
static bool sink_step(struct sim_logic *logic)
{
	struct sim_sink *sink = to_sim_sink(logic);

	if (sink->loop && !sim_loop_is_empty(sink->loop))
		return false;
	return sim_logic_step(logic);
}

static const struct sim_logic_ops sink_logic_ops = {
	.step	= sink_step,
	.move	= sink_move,
};

static int sink_set_format(void *priv, const struct fpgabuf_format *format)
{
	struct sim_logic *logic = priv;
	struct sim_loop *loop = to_sim_sink(logic)->loop;
	int ret = sim_logic_set_format(logic, format, SIM_BLOCK);

	if (!ret && loop)
		ret = sim_loop_resize(loop, format->size);
	return ret;
}

static void sink_reset(struct sim_sink *sink)
{
	sink->frames = 0;
	sink->good = 0;
	sink->bad = 0;
	sink->disordered = 0;
	sink->last_run = 0;
	sink->last_sequence = 0;
	sink->any = false;
}

static int sink_start(void *priv, u32 run)
{
	struct sim_logic *logic = priv;
	struct sim_sink *sink = to_sim_sink(logic);
	ktime_t interval = sim_logic_interval(logic);

	sink_reset(sink);
	if (sink->loop)
		sim_loop_set_patient(sink->loop, !interval);
	return sim_logic_start(logic, run, interval);
}

const struct fpgabuf_channel_ops sim_sink_ops = {
	.set_format	= sink_set_format,
	.start		= sink_start,
	.stop		= sim_logic_stop,
	.configure	= sim_logic_configure,
	.idle		= sim_logic_idle,
	.frame		= sim_logic_frame,
};

void sim_sink_debugfs(struct sim_sink *sink, struct dentry *dir)
{
	debugfs_create_u64("frames", 0444, dir, &sink->frames);
	debugfs_create_u64("good", 0444, dir, &sink->good);
	debugfs_create_u64("bad", 0444, dir, &sink->bad);
	debugfs_create_u64("disordered", 0444, dir, &sink->disordered);
	debugfs_create_u32("last_run", 0444, dir, &sink->last_run);
	debugfs_create_u64("last_sequence", 0444, dir, &sink->last_sequence);
}

int sim_sink_init(struct sim_sink *sink, struct sim_chan *chan,
		  struct sim_loop *loop, const char *name)
{
	sink->loop = loop;
	if (loop)
		loop->from = &sink->logic;
	return sim_logic_init(&sink->logic, chan, &sink_logic_ops, name);
}
