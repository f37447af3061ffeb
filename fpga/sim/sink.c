// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of the simulated FPGA's tx channels: it takes frames, and looks at
 * the trailer of those that have one.
 */
#include <linux/crc32c.h>
#include <linux/debugfs.h>
#include <linux/minmax.h>

#include "sim.h"

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

static void sink_look_at(struct sim_sink *sink,
			 const struct fpgabuf_trailer *trailer, u64 length,
			 u32 crc)
{
	u64 sequence = le64_to_cpu(trailer->sequence);
	u32 run = le32_to_cpu(trailer->run);

	if (trailer->magic != cpu_to_le32(FPGABUF_TRAILER_MAGIC))
		return;
	if (sim_pattern_trailer_right(trailer, length, crc))
		sink->good++;
	else
		sink->bad++;
	if (!sink_follows(sink, run, sequence))
		sink->disordered++;
	sink->last_run = run;
	sink->last_sequence = sequence;
	sink->any = true;
}

/* All of a frame but its trailer; tells the CRC of it. */
static int sink_read(struct sim_logic *logic, struct sim_transfer *transfer,
		     size_t left, u32 *crc)
{
	*crc = ~0U;
	while (left) {
		size_t len = min_t(size_t, SIM_BLOCK, left);
		int ret = sim_transfer_move(transfer, logic->scratch, len);

		if (ret)
			return ret;
		*crc = crc32c(*crc, logic->scratch, len);
		left -= len;
	}
	return 0;
}

static int sink_move(struct sim_logic *logic, struct sim_transfer *transfer,
		     u64 sequence)
{
	struct sim_sink *sink = to_sim_sink(logic);
	const size_t length = transfer->desc->length;
	struct fpgabuf_trailer trailer = { 0 };
	size_t end = min(length, sizeof(trailer));
	u32 crc;
	int ret;

	ret = sink_read(logic, transfer, length - end, &crc);
	if (!ret)
		ret = sim_transfer_move(transfer, &trailer, end);
	if (ret == -ECANCELED)
		return ret;
	sink->frames++;
	if (ret)
		sink->bad++;
	else if (end == sizeof(trailer))
		sink_look_at(sink, &trailer, length, crc);
	return ret;
}

static const struct sim_logic_ops sink_logic_ops = {
	.step	= sim_logic_step,
	.move	= sink_move,
};

static int sink_set_format(void *priv, const struct fpgabuf_format *format)
{
	return sim_logic_set_format(priv, format, SIM_BLOCK);
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

	sink_reset(to_sim_sink(logic));
	return sim_logic_start(logic, run);
}

const struct fpgabuf_channel_ops sim_sink_ops = {
	.set_format	= sink_set_format,
	.start		= sink_start,
	.stop		= sim_logic_stop,
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
		  const char *name)
{
	return sim_logic_init(&sink->logic, chan, &sink_logic_ops, name);
}
