// SPDX-License-Identifier: GPL-2.0
/*
 * What the logic of all channels shares: a frame clock, and a thread that does
 * what the hardware does when it ticks: let the engine move a frame, or lose it
 * when no descriptor is there. The thread may be late (its CPU is not the FPGA's
 * own): then frames wait in a store, and are lost when that is full.
 *
 * Fences depend on the thread: it allocates nothing, and takes no lock under
 * which others do.
 */
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

/* Frames that the FPGA stores for an engine that is late. */
#define SIM_BACKLOG	8

/**
 * sim_logic_lose() - frames are lost
 * @logic: of the channel
 * @frames: how many
 * @reason: FPGABUF_DONE_LOST_*
 */
void sim_logic_lose(struct sim_logic *logic, unsigned int frames, u32 reason)
{
	logic->sequence += frames;
	logic->lost_flags |= reason;
}

static bool logic_goes_back(enum sim_fault fault)
{
	return fault == SIM_FAULT_BACK || fault == SIM_FAULT_SHORT_BACK;
}

/*
 * An engine that failed had nothing to append: what is there may be anything. But
 * if it has no other way to report that, it does so there.
 */
static void logic_describe(struct sim_logic *logic, struct sim_desc *desc,
			   u64 sequence, int status)
{
	const bool failed = status && status != -EMSGSIZE;

	if (failed && !logic->chan->face->no_results) {
		memset(&desc->metadata, 0xff, sizeof(desc->metadata));
		return;
	}
	desc->metadata = (struct sim_metadata){ 0 };
	if (!logic_goes_back(READ_ONCE(desc->fault)))
		desc->metadata.sequence = sequence;
	desc->metadata.timestamp = ktime_get_ns();
	desc->metadata.flags = logic->lost_flags;
	desc->metadata.status = failed ? status : 0;
	logic->lost_flags = 0;
	desc->metadata.user = (struct sim_user_metadata){
		.sequence = cpu_to_le64(sequence),
		.length = cpu_to_le32(desc->length - desc->residue),
		.run = cpu_to_le32(logic->run),
	};
}

/**
 * sim_logic_move() - let the engine move the next frame
 * @logic: of the channel
 * @desc: the descriptor, from sim_chan_next(); completed, or put back when the
 *	FPGA loses the frame
 */
void sim_logic_move(struct sim_logic *logic, struct sim_desc *desc)
{
	struct sim_transfer transfer;
	u64 sequence;
	int ret;

	if (READ_ONCE(desc->fault) == SIM_FAULT_DROP) {
		sim_logic_lose(logic, 1, FPGABUF_DONE_LOST_OVERRUN);
		sim_chan_put_back(logic->chan, desc);
		return;
	}
	sequence = logic->sequence++;
	sim_transfer_begin(&transfer, logic->chan, desc);
	ret = logic->ops->move(logic, &transfer, sequence);
	sim_transfer_end(&transfer);
	logic_describe(logic, desc, sequence, ret);
	sim_chan_complete(logic->chan, desc, ret);
}

/* As fast as descriptors are issued: nothing can be lost. */
static bool logic_step_unthrottled(struct sim_logic *logic)
{
	struct sim_desc *desc = sim_chan_next(logic->chan);

	if (desc)
		sim_logic_move(logic, desc);
	return desc;
}

/* One of the frames that are due, or the loss of all of them. */
static bool logic_step_clocked(struct sim_logic *logic)
{
	unsigned int due = atomic_read(&logic->due);
	struct sim_desc *desc;

	if (!due)
		return false;
	desc = sim_chan_next(logic->chan);
	if (!desc) {
		atomic_sub(due, &logic->due);
		sim_logic_lose(logic, due, FPGABUF_DONE_LOST_STARVED);
		return true;
	}
	if (due > SIM_BACKLOG) {
		atomic_sub(due - SIM_BACKLOG, &logic->due);
		sim_logic_lose(logic, due - SIM_BACKLOG,
			       FPGABUF_DONE_LOST_OVERRUN);
	}
	atomic_dec(&logic->due);
	sim_logic_move(logic, desc);
	return true;
}

/**
 * sim_logic_step() - a frame at the channel's own rate
 * @logic: of the channel
 *
 * Return: false when no frame is due, or there is no descriptor for one that
 * can wait.
 */
bool sim_logic_step(struct sim_logic *logic)
{
	return logic->interval ? logic_step_clocked(logic) :
				 logic_step_unthrottled(logic);
}

static void logic_work(struct kthread_work *work)
{
	struct sim_logic *logic = container_of(work, struct sim_logic, work);
	bool signalling = dma_fence_begin_signalling();
	bool more = true;

	while (more && READ_ONCE(logic->running)) {
		more = logic->ops->step(logic);
		cond_resched();
	}
	dma_fence_end_signalling(signalling);
}

static enum hrtimer_restart logic_tick(struct hrtimer *timer)
{
	struct sim_logic *logic = container_of(timer, struct sim_logic, timer);

	atomic_add(hrtimer_forward_now(timer, logic->interval), &logic->due);
	kthread_queue_work(logic->worker, &logic->work);
	return HRTIMER_RESTART;
}

/**
 * sim_logic_kick() - there may be something to do
 * @logic: of the channel
 */
void sim_logic_kick(struct sim_logic *logic)
{
	if (READ_ONCE(logic->running))
		kthread_queue_work(logic->worker, &logic->work);
}

/**
 * sim_logic_issued() - descriptors were issued
 * @logic: of the channel; waits for them if it has no clock
 */
void sim_logic_issued(struct sim_logic *logic)
{
	if (!logic->interval)
		sim_logic_kick(logic);
}

/*
 * The engine does not move anything, nor does the thread any more. Without power
 * its registers cannot be accessed.
 */
static int logic_settle(struct sim_logic *logic)
{
	if (!pm_runtime_active(logic->chan->dev))
		return -EIO;
	if (sim_chan_is_busy(logic->chan))
		return -EBUSY;
	kthread_flush_work(&logic->work);
	return 0;
}

/**
 * sim_logic_set_format() - take over a format
 * @logic: of the channel, stopped
 * @format: the format
 * @scratch: bytes of &sim_logic.scratch that are needed
 *
 * Return: 0; -ENOMEM; -EBUSY: the engine could not be stopped; -EIO: no power, or
 * the fault "format", which leaves the FPGA with a part of the new format.
 */
int sim_logic_set_format(struct sim_logic *logic,
			 const struct fpgabuf_format *format, size_t scratch)
{
	int ret = logic_settle(logic);

	if (ret)
		return ret;
	if (scratch > logic->scratch_size) {
		u8 *bytes = kvmalloc(scratch, GFP_KERNEL);

		if (!bytes)
			return -ENOMEM;
		kvfree(logic->scratch);
		logic->scratch = bytes;
		logic->scratch_size = scratch;
	}
	logic->format = *format;
	logic->configured = true;
	return sim_fault_strikes(logic->chan, SIM_FAULT_FORMAT) ? -EIO : 0;
}

/**
 * sim_logic_interval() - time of a frame
 * @logic: of the channel
 *
 * Return: what its format says; 0: unthrottled.
 */
ktime_t sim_logic_interval(const struct sim_logic *logic)
{
	const struct fpgabuf_fract *rate = &logic->format.rate;

	if (!rate->numerator)
		return 0;
	return ns_to_ktime(div_u64((u64)rate->denominator * NSEC_PER_SEC,
				   rate->numerator));
}

/**
 * sim_logic_start() - let frames flow
 * @logic: of the channel
 * @run: number of the run
 * @interval: time of a frame; 0: unthrottled
 *
 * Return: 0; -EBUSY: the engine could not be stopped before; -EIO: no power, or no
 * format since it came.
 */
int sim_logic_start(struct sim_logic *logic, u32 run, ktime_t interval)
{
	int ret = logic_settle(logic);

	if (!ret && !logic->configured)
		ret = -EIO;
	if (ret)
		return ret;
	logic->run = run;
	logic->sequence = 0;
	logic->lost_flags = 0;
	atomic_set(&logic->due, 0);
	logic->interval = interval;
	WRITE_ONCE(logic->running, true);
	if (logic->interval)
		hrtimer_start(&logic->timer, logic->interval,
			      HRTIMER_MODE_REL);
	else
		sim_logic_kick(logic);
	return 0;
}

/* &fpgabuf_channel_ops.stop of all channels */
void sim_logic_stop(void *priv)
{
	struct sim_logic *logic = priv;

	/* The thread may have seen that it runs, and take a descriptor late. */
	spin_lock_irq(&logic->chan->lock);
	WRITE_ONCE(logic->running, false);
	spin_unlock_irq(&logic->chan->lock);
	hrtimer_cancel(&logic->timer);
	/* A frame that is being moved is finished, or aborted by terminate. */
}

/* &fpgabuf_channel_ops.configure of all channels */
int sim_logic_configure(void *priv, struct dma_chan *chan)
{
	const struct sim_logic *logic = priv;
	struct dma_slave_config config = {
		.direction = logic->chan->direction,
		.src_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
		.dst_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
	};

	if (!logic->chan->face->needs_config)
		return 0;
	return dmaengine_slave_config(chan, &config);
}

/* &fpgabuf_channel_ops.idle of all channels */
int sim_logic_idle(void *priv)
{
	const struct sim_logic *logic = priv;

	return sim_chan_is_busy(logic->chan) ? -EBUSY : 0;
}

/**
 * sim_logic_line() - bytes of a picture's line in the stream
 * @logic: of the channel
 *
 * Return: as in memory, but without padding from an engine that moves lines.
 */
u32 sim_logic_line(const struct sim_logic *logic)
{
	const struct fpgabuf_format *format = &logic->format;

	if (!logic->chan->face->by_lines)
		return format->pitches[0];
	return format->width * sim_pattern_cpp(format->fourcc);
}

/* &fpgabuf_channel_ops.frame of all channels */
void sim_logic_frame(void *priv, const void *metadata, size_t len,
		     struct fpgabuf_frame *frame)
{
	const struct sim_logic *logic = priv;
	const struct sim_metadata *m = metadata;

	if (len < sizeof(*m))
		return;
	if (logic->chan->face->no_results) {
		frame->status = m->status;
		frame->bytes = le32_to_cpu(m->user.length);
	}
	frame->sequence = m->sequence;
	frame->timestamp = m->timestamp;
	frame->flags = m->flags;
	frame->metadata = &m->user;
	frame->metadata_len = sizeof(m->user);
}

int sim_logic_init(struct sim_logic *logic, struct sim_chan *chan,
		   const struct sim_logic_ops *ops, const char *name)
{
	logic->chan = chan;
	logic->ops = ops;
	chan->logic = logic;
	kthread_init_work(&logic->work, logic_work);
	hrtimer_setup(&logic->timer, logic_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
	logic->worker = kthread_create_worker(0, "%s", name);
	return PTR_ERR_OR_ZERO(logic->worker);
}

/* Stopped before, by the channel's unregistration. */
void sim_logic_fini(struct sim_logic *logic)
{
	kthread_destroy_worker(logic->worker);
	kvfree(logic->scratch);
	logic->scratch = NULL;
}
