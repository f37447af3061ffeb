// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of the simulated FPGA: a frame clock, and a thread that does what
 * the hardware does when it ticks: make a frame, let the engine write it, or
 * lose it when no descriptor is there. The thread may be late (its CPU is not
 * the FPGA's own): then frames wait in a store, and are lost when that is full.
 */
#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

/* Block of the counting pattern that is made at a time. */
#define SIM_BLOCK	PAGE_SIZE

/* Frames that the FPGA stores for an engine that is late. */
#define SIM_BACKLOG	8

/**
 * struct sim_writer - a frame on its way to memory
 * @cursor: where it goes
 * @source: where it comes from
 * @desc: the descriptor
 * @crc: CRC-32C of what was written
 * @left: bytes of the frame to come, trailer included
 */
struct sim_writer {
	struct sim_cursor cursor;
	const struct sim_source *source;
	const struct sim_desc *desc;
	u32 crc;
	u64 left;
};

static int writer_put(struct sim_writer *w, const void *data, size_t len)
{
	/* As an engine stops in mid-frame when it is told to. */
	if (READ_ONCE(w->desc->aborted))
		return -ECANCELED;
	w->crc = crc32c(w->crc, data, len);
	w->left -= len;
	return sim_bus_write(&w->cursor, data, len);
}

static int writer_put_trailer(struct sim_writer *w, u64 sequence)
{
	struct fpgabuf_trailer trailer;

	sim_pattern_trailer(w->source->run, sequence, w->source->format.size,
			    w->crc, &trailer);
	w->left -= sizeof(trailer);
	return sim_bus_write(&w->cursor, &trailer, sizeof(trailer));
}

static int writer_put_video(struct sim_writer *w, u64 sequence)
{
	const struct fpgabuf_format *format = &w->source->format;
	const size_t trailer = sizeof(struct fpgabuf_trailer);
	int ret = 0;

	sim_pattern_bars(format, sequence, w->source->line);
	while (!ret && w->left > trailer)
		ret = writer_put(w, w->source->line,
				 min_t(u64, format->pitches[0],
				       w->left - trailer));
	return ret;
}

static int writer_put_raw(struct sim_writer *w, u64 sequence)
{
	const u64 end = w->source->format.size - sizeof(struct fpgabuf_trailer);
	u64 offset;
	int ret = 0;

	for (offset = 0; !ret && offset < end; offset += SIM_BLOCK) {
		size_t len = min_t(u64, SIM_BLOCK, end - offset);

		sim_pattern_count(sequence, offset, w->source->line, len);
		ret = writer_put(w, w->source->line, len);
	}
	return ret;
}

/* Let the engine write a frame into a descriptor. */
static int source_write(struct sim_source *source, struct sim_desc *desc,
			u64 sequence)
{
	struct sim_writer w = {
		.cursor = {
			.dev = source->chan->chan.device->dev,
			.seg = desc->segs,
			.num = desc->num,
		},
		.source = source,
		.desc = desc,
		.crc = ~0U,
		.left = source->format.size,
	};
	int ret;

	if (source->format.type == FPGABUF_FORMAT_VIDEO)
		ret = writer_put_video(&w, sequence);
	else
		ret = writer_put_raw(&w, sequence);
	if (!ret)
		ret = writer_put_trailer(&w, sequence);
	desc->residue = w.left;
	return ret;
}

/* Let the engine write the next frame, and complete the descriptor. */
static void source_put_frame(struct sim_source *source, struct sim_desc *desc)
{
	u64 sequence = source->sequence++;
	int ret = source_write(source, desc, sequence);

	desc->metadata = (struct sim_metadata){
		.sequence = sequence,
		.timestamp = ktime_get_ns(),
		.flags = source->lost_flags,
	};
	source->lost_flags = 0;
	sim_chan_complete(source->chan, desc,
			  ret ? DMA_TRANS_WRITE_FAILED : DMA_TRANS_NOERROR);
}

static void source_lose(struct sim_source *source, unsigned int frames,
			u32 reason)
{
	source->sequence += frames;
	source->lost_flags |= reason;
}

/* As fast as descriptors are issued: nothing can be lost. */
static bool source_run_unthrottled(struct sim_source *source)
{
	struct sim_desc *desc = sim_chan_next(source->chan);

	if (desc)
		source_put_frame(source, desc);
	return desc;
}

/* One of the frames that are due, or the loss of all of them. */
static bool source_run_clocked(struct sim_source *source)
{
	unsigned int due = atomic_read(&source->due);
	struct sim_desc *desc;

	if (!due)
		return false;
	desc = sim_chan_next(source->chan);
	if (!desc) {
		atomic_sub(due, &source->due);
		source_lose(source, due, FPGABUF_DONE_LOST_STARVED);
		return true;
	}
	if (due > SIM_BACKLOG) {
		atomic_sub(due - SIM_BACKLOG, &source->due);
		source_lose(source, due - SIM_BACKLOG,
			    FPGABUF_DONE_LOST_OVERRUN);
	}
	atomic_dec(&source->due);
	source_put_frame(source, desc);
	return true;
}

static void source_work(struct kthread_work *work)
{
	struct sim_source *source = container_of(work, struct sim_source, work);
	bool more = true;

	while (more && READ_ONCE(source->running)) {
		more = source->interval ? source_run_clocked(source) :
					  source_run_unthrottled(source);
		cond_resched();
	}
}

static enum hrtimer_restart source_tick(struct hrtimer *timer)
{
	struct sim_source *source =
		container_of(timer, struct sim_source, timer);

	atomic_add(hrtimer_forward_now(timer, source->interval), &source->due);
	kthread_queue_work(source->worker, &source->work);
	return HRTIMER_RESTART;
}

/* Descriptors were issued: what an unthrottled source waits for. */
void sim_source_kick(struct sim_source *source)
{
	if (READ_ONCE(source->running) && !source->interval)
		kthread_queue_work(source->worker, &source->work);
}

/* Wait until what the thread is doing now is done. */
void sim_source_flush(struct sim_source *source)
{
	kthread_flush_work(&source->work);
}

static int source_set_format(void *priv, const struct fpgabuf_format *format)
{
	struct sim_source *source = priv;
	size_t size = max_t(size_t, SIM_BLOCK, format->pitches[0]);

	if (size > source->line_size) {
		u8 *line = kvmalloc(size, GFP_KERNEL);

		if (!line)
			return -ENOMEM;
		kvfree(source->line);
		source->line = line;
		source->line_size = size;
	}
	source->format = *format;
	return 0;
}

static int source_start(void *priv, u32 run)
{
	struct sim_source *source = priv;
	const struct fpgabuf_fract *rate = &source->format.rate;

	source->run = run;
	source->sequence = 0;
	source->lost_flags = 0;
	atomic_set(&source->due, 0);
	source->interval = rate->numerator ?
		ns_to_ktime(div_u64((u64)rate->denominator * NSEC_PER_SEC,
				    rate->numerator)) : 0;
	WRITE_ONCE(source->running, true);
	if (source->interval)
		hrtimer_start(&source->timer, source->interval,
			      HRTIMER_MODE_REL);
	else
		sim_source_kick(source);
	return 0;
}

static void source_stop(void *priv)
{
	struct sim_source *source = priv;

	WRITE_ONCE(source->running, false);
	hrtimer_cancel(&source->timer);
	/* A frame that is being written is finished, or aborted by terminate. */
}

static void source_frame_info(void *priv, const void *metadata, size_t len,
			      struct fpgabuf_frame *frame)
{
	const struct sim_metadata *m = metadata;

	if (len < sizeof(*m))
		return;
	frame->sequence = m->sequence;
	frame->timestamp = m->timestamp;
	frame->flags = m->flags;
}

const struct fpgabuf_channel_ops sim_source_ops = {
	.set_format	= source_set_format,
	.start		= source_start,
	.stop		= source_stop,
	.frame		= source_frame_info,
};

int sim_source_init(struct sim_source *source, struct sim_chan *chan,
		    const char *name)
{
	source->chan = chan;
	chan->source = source;
	kthread_init_work(&source->work, source_work);
	hrtimer_setup(&source->timer, source_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	source->worker = kthread_create_worker(0, "%s", name);
	return PTR_ERR_OR_ZERO(source->worker);
}

/* Stopped before, by the channel's unregistration. */
void sim_source_fini(struct sim_source *source)
{
	kthread_destroy_worker(source->worker);
	kvfree(source->line);
	source->line = NULL;
}
