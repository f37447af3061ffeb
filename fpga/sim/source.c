// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of the simulated FPGA's rx channels: it makes frames.
 */
#include <linux/crc32c.h>
#include <linux/minmax.h>

#include "sim.h"

/**
 * struct sim_writer - a frame that is made
 * @transfer: where it goes
 * @logic: where it comes from
 * @length: bytes of the frame, trailer included
 * @crc: CRC-32C of what was written
 * @left: bytes of the frame to come, but for its trailer
 */
struct sim_writer {
	struct sim_transfer *transfer;
	const struct sim_logic *logic;
	u64 length;
	u32 crc;
	u64 left;
};

static int writer_put(struct sim_writer *w, size_t len)
{
	w->crc = crc32c(w->crc, w->logic->scratch, len);
	w->left -= len;
	return sim_transfer_move(w->transfer, w->logic->scratch, len);
}

static int writer_put_trailer(struct sim_writer *w, u64 sequence)
{
	struct fpgabuf_trailer trailer;

	sim_pattern_trailer(w->logic->run, sequence, w->length, w->crc,
			    &trailer);
	return sim_transfer_move(w->transfer, &trailer, sizeof(trailer));
}

static int writer_put_video(struct sim_writer *w, u64 sequence)
{
	const u32 line = sim_logic_line(w->logic);
	int ret = 0;

	sim_pattern_bars(&w->logic->format, sequence, w->logic->scratch);
	while (!ret && w->left)
		ret = writer_put(w, min_t(u64, line, w->left));
	return ret;
}

static int writer_put_raw(struct sim_writer *w, u64 sequence)
{
	const u64 end = w->left;
	int ret = 0;

	while (!ret && w->left) {
		size_t len = min_t(u64, SIM_BLOCK, w->left);

		sim_pattern_count(sequence, end - w->left, w->logic->scratch,
				  len);
		ret = writer_put(w, len);
	}
	return ret;
}

static u64 source_length(const struct sim_logic *logic, u64 sequence)
{
	const struct fpgabuf_format *format = &logic->format;

	if (format->type == FPGABUF_FORMAT_VIDEO)
		return (u64)sim_logic_line(logic) * format->height;
	if (!(format->flags & FPGABUF_FORMAT_PACKETS))
		return format->size;
	return sim_pattern_length(sequence, format->size);
}

static int source_move(struct sim_logic *logic, struct sim_transfer *transfer,
		       u64 sequence)
{
	const u64 length = source_length(logic, sequence);
	struct sim_writer w = {
		.transfer = transfer,
		.logic = logic,
		.length = length,
		.crc = ~0U,
		.left = length - sizeof(struct fpgabuf_trailer),
	};
	int ret;

	if (logic->format.type == FPGABUF_FORMAT_VIDEO)
		ret = writer_put_video(&w, sequence);
	else
		ret = writer_put_raw(&w, sequence);
	return ret ?: writer_put_trailer(&w, sequence);
}

static const struct sim_logic_ops source_logic_ops = {
	.step	= sim_logic_step,
	.move	= source_move,
};

static int source_set_format(void *priv, const struct fpgabuf_format *format)
{
	return sim_logic_set_format(priv, format,
				    max_t(size_t, SIM_BLOCK,
					  format->pitches[0]));
}

static int source_start(void *priv, u32 run)
{
	return sim_logic_start(priv, run, sim_logic_interval(priv));
}

const struct fpgabuf_channel_ops sim_source_ops = {
	.set_format	= source_set_format,
	.start		= source_start,
	.stop		= sim_logic_stop,
	.configure	= sim_logic_configure,
	.idle		= sim_logic_idle,
	.frame		= sim_logic_frame,
};

int sim_source_init(struct sim_logic *logic, struct sim_chan *chan,
		    const char *name)
{
	return sim_logic_init(logic, chan, &source_logic_ops, name);
}
