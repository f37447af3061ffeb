// SPDX-License-Identifier: GPL-2.0
/*
 * An engine's channel: checked, requested, started, stopped, released. What it
 * must be able to do is in Documentation/driver-api/dmaengine/provider.rst of the
 * kernel.
 */
#include <linux/align.h>
#include <linux/device.h>
#include <linux/device/driver.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

#include "internal.h"

/* Some providers report nothing: then nothing is known, and all is possible. */
static struct dma_slave_caps engine_caps(struct dma_chan *chan)
{
	struct dma_slave_caps caps = {};

	if (dma_get_slave_caps(chan, &caps))
		return (struct dma_slave_caps){};
	return caps;
}

static bool engine_goes(struct dma_chan *chan,
			enum dma_transfer_direction direction)
{
	const u32 directions = engine_caps(chan).directions;

	return !directions || directions & BIT(direction);
}

static u32 config_alignment(const struct fpgabuf_engine_config *config,
			    const struct dma_chan *chan)
{
	return config->alignment ?: 1U << chan->device->copy_align;
}

/* A multiple of the alignment; 0: no segment is aligned. */
static u32 config_max_segment(const struct fpgabuf_engine_config *config,
			      struct dma_chan *chan)
{
	struct device *dev = config->limits.dma_dev ?:
		dmaengine_get_dma_device(chan);
	const u32 max = min_not_zero(config->limits.max_segment,
				     dma_get_max_seg_size(dev));

	return round_down(max, config_alignment(config, chan));
}

/* The board says so, or the engine has only cyclic descriptors. */
static bool config_by_ring(const struct fpgabuf_engine_config *config,
			   const struct dma_chan *chan)
{
	const struct dma_device *dma = chan->device;

	if (config->use == FPGABUF_ENGINE_COPY)
		return false;
	return config->limits.ring ||
		(config->use == FPGABUF_ENGINE_CAPTURE &&
		 dma->device_prep_dma_cyclic && !dma->device_prep_slave_sg &&
		 !dma->device_prep_interleaved_dma);
}

static bool config_by_lines(const struct fpgabuf_engine_config *config,
			    const struct dma_chan *chan)
{
	return config->use != FPGABUF_ENGINE_COPY &&
		!config_by_ring(config, chan) &&
		(config->limits.lines || !chan->device->device_prep_slave_sg);
}

/* What the engine lacks to go round in a ring; NULL: nothing. */
static const char *engine_lacks_ring(const struct fpgabuf_engine_config *config,
				     struct dma_chan *chan)
{
	if (config->use != FPGABUF_ENGINE_CAPTURE)
		return "goes round in a ring, which is for capture only";
	if (!chan->device->device_prep_dma_cyclic)
		return "goes round in no ring (no device_prep_dma_cyclic)";
	/* Counted callbacks would be wrong for ever after a lost one. */
	if (engine_caps(chan).residue_granularity ==
	    DMA_RESIDUE_GRANULARITY_DESCRIPTOR)
		return "does not report where in a ring it is (residue_granularity)";
	return NULL;
}

/* What an engine lacks to move frames in the way that is chosen; NULL: nothing. */
static const char *engine_lacks_way(const struct fpgabuf_engine_config *config,
				    struct dma_chan *chan)
{
	struct dma_device *dma = chan->device;

	if (config->use == FPGABUF_ENGINE_COPY)
		return dma->device_prep_dma_memcpy ? NULL :
			"does not copy (no device_prep_dma_memcpy)";
	if (config_by_ring(config, chan))
		return engine_lacks_ring(config, chan);
	if (!config_by_lines(config, chan) || dma->device_prep_interleaved_dma)
		return NULL;
	return config->limits.lines ?
		"moves no lines (no device_prep_interleaved_dma)" :
		"takes no scatterlists (no device_prep_slave_sg), nor lines";
}

/* What the engine lacks; NULL: nothing. */
static const char *engine_lacks(const struct fpgabuf_engine_config *config,
				struct dma_chan *chan)
{
	const enum fpgabuf_engine_use use = config->use;
	struct dma_device *dma = chan->device;

	if (!dma->device_terminate_all)
		return "cannot be stopped (no device_terminate_all)";
	if (dma_has_cap(DMA_COMPLETION_NO_ORDER, dma->cap_mask))
		return "completes out of order (DMA_COMPLETION_NO_ORDER)";
	if (!config_max_segment(config, chan))
		return "takes only segments shorter than their alignment";
	if (use == FPGABUF_ENGINE_CAPTURE && !engine_goes(chan, DMA_DEV_TO_MEM))
		return "does not write to memory (DMA_DEV_TO_MEM)";
	if (use == FPGABUF_ENGINE_OUTPUT && !engine_goes(chan, DMA_MEM_TO_DEV))
		return "does not read from memory (DMA_MEM_TO_DEV)";
	return engine_lacks_way(config, chan);
}

/* Returns 0, or -EOPNOTSUPP, with the reason in the kernel's log. */
static int engine_judge(const struct fpgabuf_engine_config *config,
			struct dma_chan *chan)
{
	const char *lacks = engine_lacks(config, chan);

	if (!lacks)
		return 0;
	dev_err(config->parent, "the engine of DMA channel \"%s\" %s\n",
		config->dma_name, lacks);
	return -EOPNOTSUPP;
}

/**
 * fpgabuf_engine_check() - whether there is an engine that can be used
 * @config: which one; the parent is bound or being probed
 *
 * Reports in the kernel's log what is wrong. Nothing is held after it.
 *
 * Context: process context, may sleep.
 * Return: 0; -EPROBE_DEFER: there is none (yet); -EOPNOTSUPP: it cannot be used for
 * that; or what dma_request_chan() returns.
 */
int fpgabuf_engine_check(const struct fpgabuf_engine_config *config)
{
	struct dma_chan *chan;
	int ret;

	chan = dma_request_chan(config->parent, config->dma_name);
	if (IS_ERR(chan))
		return dev_err_probe(config->parent, PTR_ERR(chan),
				     "no DMA channel \"%s\"\n",
				     config->dma_name);
	ret = engine_judge(config, chan);
	dma_release_channel(chan);
	return ret;
}

/**
 * fpgabuf_engine_init() - initialize an engine, closed and stopped
 * @engine: the engine; zeroed
 * @ops: the front's functions
 * @node: the front's device
 * @config: which channel it is, which was checked; copied
 *
 * Context: process context.
 */
void fpgabuf_engine_init(struct fpgabuf_engine *engine,
			 const struct fpgabuf_engine_ops *ops,
			 struct device *node,
			 const struct fpgabuf_engine_config *config)
{
	u32 *max_in_flight = &engine->config.limits.max_in_flight;
	unsigned int i;

	engine->ops = ops;
	engine->node = node;
	engine->config = *config;
	*max_in_flight = min_not_zero(*max_in_flight, FPGABUF_IN_FLIGHT);
	engine->config.limits.max_coalesced =
		clamp(config->limits.max_coalesced, 1, *max_in_flight);
	mutex_init(&engine->lock);
	INIT_WORK(&engine->work, fpgabuf_engine_work);
	INIT_DELAYED_WORK(&engine->watchdog, fpgabuf_watchdog_work);
	INIT_DELAYED_WORK(&engine->retry, fpgabuf_engine_retry_work);
	fpgabuf_queue_init(&engine->queue);
	init_waitqueue_head(&engine->wait);
	for (i = 0; i < FPGABUF_NUM_TRANSFERS; i++)
		engine->transfers[i].engine = engine;
}

/**
 * fpgabuf_engine_cancel() - wait until no work of the engine runs
 * @engine: the engine, stopped for the last time
 *
 * Context: process context, may sleep.
 */
void fpgabuf_engine_cancel(struct fpgabuf_engine *engine)
{
	cancel_work_sync(&engine->work);
	cancel_delayed_work_sync(&engine->watchdog);
	cancel_delayed_work_sync(&engine->retry);
}

/**
 * fpgabuf_engine_fini() - the end of an engine that is not used any more
 * @engine: the engine, closed
 *
 * Context: process context.
 */
void fpgabuf_engine_fini(struct fpgabuf_engine *engine)
{
	mutex_destroy(&engine->lock);
}

/* The last fence that a job waited for has signaled. Called in any context. */
static void job_ready(struct fpgabuf_wait *wait)
{
	struct fpgabuf_job *job = container_of(wait, struct fpgabuf_job, wait);

	fpgabuf_queue_work(&job->engine->work);
}

/**
 * fpgabuf_engine_job_init() - initialize a job, idle
 * @engine: the engine that is to do it
 * @job: the job
 *
 * Context: any.
 */
void fpgabuf_engine_job_init(struct fpgabuf_engine *engine,
			     struct fpgabuf_job *job)
{
	job->engine = engine;
	fpgabuf_job_init(job);
	fpgabuf_wait_init(&job->wait, job_ready);
}

/**
 * fpgabuf_engine_configure() - set up the channel, which may have forgotten it
 * @engine: the engine, open and stopped
 *
 * Context: process context, may sleep.
 * Return: 0, or a negative errno of the front.
 */
int fpgabuf_engine_configure(struct fpgabuf_engine *engine)
{
	int ret = 0;

	mutex_lock(&engine->lock);
	/* The end of a quarantine does it. */
	if (engine->ops->configure && !engine->quarantine)
		ret = engine->ops->configure(engine);
	mutex_unlock(&engine->lock);
	return ret;
}

/**
 * fpgabuf_engine_open() - request the engine's channel
 * @engine: the engine, closed
 *
 * Takes a reference to the module of the parent's driver, too.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENODEV if the driver or the channel has gone; -EOPNOTSUPP as
 * fpgabuf_engine_check(); or what dma_request_chan() or the front's configure
 * returns.
 */
int fpgabuf_engine_open(struct fpgabuf_engine *engine)
{
	const struct fpgabuf_engine_config *config = &engine->config;
	struct module *owner = config->parent->driver->owner;
	struct dma_chan *chan;
	int ret;

	if (!try_module_get(owner))
		return -ENODEV;
	chan = dma_request_chan(config->parent, config->dma_name);
	/* It was there at registration. There is no probe to defer now. */
	ret = PTR_ERR_OR_ZERO(chan) == -EPROBE_DEFER ? -ENODEV :
						       PTR_ERR_OR_ZERO(chan);
	if (ret)
		goto err_put;
	ret = engine_judge(config, chan);
	if (ret)
		goto err_release;
	engine->chan = chan;
	engine->by_ring = config_by_ring(config, chan);
	ret = fpgabuf_engine_configure(engine);
	if (ret)
		goto err_release;
	return 0;

err_release:
	engine->chan = NULL;
	dma_release_channel(chan);
err_put:
	module_put(owner);
	return ret;
}

/**
 * fpgabuf_engine_close() - release the engine's channel
 * @engine: the engine, stopped and idle
 *
 * Context: process context, may sleep.
 */
void fpgabuf_engine_close(struct fpgabuf_engine *engine)
{
	dma_release_channel(engine->chan);
	engine->chan = NULL;
	module_put(engine->config.parent->driver->owner);
}

/**
 * fpgabuf_engine_scatters() - whether a descriptor may have several pieces
 * @engine: the engine, open
 *
 * Context: any.
 * Return: whether it may; true where the provider does not report it.
 */
bool fpgabuf_engine_scatters(const struct fpgabuf_engine *engine)
{
	return !fpgabuf_engine_by_lines(engine) &&
		!engine->by_ring &&
		engine_caps(engine->chan).max_sg_burst != 1;
}

/**
 * fpgabuf_engine_by_lines() - whether it moves pictures line by line
 * @engine: the engine, open
 *
 * Context: any.
 * Return: whether frames are to be prepared by dmaengine_prep_interleaved_dma(),
 * with lines of at most fpgabuf_engine_max_segment() bytes; else by
 * dmaengine_prep_slave_sg(), or as copies.
 */
bool fpgabuf_engine_by_lines(const struct fpgabuf_engine *engine)
{
	return config_by_lines(&engine->config, engine->chan);
}

/**
 * fpgabuf_engine_alignment() - of addresses and segments
 * @engine: the engine, open
 *
 * Context: any.
 * Return: bytes, a power of two.
 */
u32 fpgabuf_engine_alignment(const struct fpgabuf_engine *engine)
{
	return config_alignment(&engine->config, engine->chan);
}

/**
 * fpgabuf_engine_max_segment() - the longest segment of a descriptor, or line
 * @engine: the engine, open
 *
 * Context: any.
 * Return: bytes, a multiple of the alignment.
 */
u32 fpgabuf_engine_max_segment(const struct fpgabuf_engine *engine)
{
	return config_max_segment(&engine->config, engine->chan);
}

/* How many segments a descriptor may have; a copy has a descriptor for each. */
static u32 engine_max_segments(const struct fpgabuf_engine *engine)
{
	if (engine->config.use == FPGABUF_ENGINE_COPY)
		return U32_MAX;
	if (!fpgabuf_engine_scatters(engine))
		return 1;
	return engine->config.limits.max_segments ?: U32_MAX;
}

/**
 * fpgabuf_engine_check_table() - whether the engine takes a buffer
 * @engine: the engine, open
 * @table: the buffer's segments, as the device sees them, none longer than
 *	fpgabuf_engine_max_segment()
 *
 * Segments must be aligned wherever the buffer begins: user memory starts
 * anywhere, and its segments end at pages.
 *
 * Context: any.
 * Return: 0; -EOPNOTSUPP: more segments than a descriptor may have; -EINVAL: one
 * is not aligned.
 */
int fpgabuf_engine_check_table(const struct fpgabuf_engine *engine,
			       const struct sg_table *table)
{
	const u32 alignment = fpgabuf_engine_alignment(engine);
	struct scatterlist *sg;
	unsigned int i;

	if (table->nents > engine_max_segments(engine))
		return -EOPNOTSUPP;
	for_each_sgtable_dma_sg(table, sg, i) {
		if (!IS_ALIGNED(sg_dma_address(sg), alignment))
			return -EINVAL;
		if (i < table->nents - 1 &&
		    !IS_ALIGNED(sg_dma_len(sg), alignment))
			return -EINVAL;
	}
	return 0;
}

void fpgabuf_engine_set_running(struct fpgabuf_engine *engine, bool running)
{
	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	engine->running = running;
	spin_unlock_irq(&engine->queue.lock);
}

/**
 * fpgabuf_engine_start() - let the engine work on jobs
 * @engine: the engine, open and not in quarantine
 * @timeout_ms: longest time for a descriptor that somebody waits for by a fence
 *
 * Context: process context, may sleep.
 */
void fpgabuf_engine_start(struct fpgabuf_engine *engine, u32 timeout_ms)
{
	mutex_lock(&engine->lock);
	engine->timeout = (u64)timeout_ms * NSEC_PER_MSEC *
		engine->config.limits.max_coalesced;
	engine->refused_since = 0;
	engine->asked = 0;
	fpgabuf_engine_set_running(engine, true);
	fpgabuf_engine_issue_ready(engine);
	mutex_unlock(&engine->lock);
}

/**
 * fpgabuf_engine_unstart() - undo fpgabuf_engine_start()
 * @engine: the engine
 *
 * All jobs are queued again, in order; or they fail, if the engine does not stop.
 *
 * Context: process context, may sleep.
 */
void fpgabuf_engine_unstart(struct fpgabuf_engine *engine)
{
	int status;

	mutex_lock(&engine->lock);
	status = fpgabuf_engine_halt(engine, false);
	fpgabuf_ring_end(engine);
	if (status)
		fpgabuf_engine_complete_all(engine, status);
	else
		fpgabuf_engine_requeue(engine, NULL, 0);
	fpgabuf_engine_set_running(engine, false);
	mutex_unlock(&engine->lock);
}

/**
 * fpgabuf_engine_stop() - stop the engine, and complete all pending jobs
 * @engine: the engine; may be stopped, or closed
 * @status: a negative errno for the jobs. If the engine does not stop, it is -EIO
 *
 * When it returns, the engine accesses no memory except that in quarantine, and
 * ignores callbacks.
 *
 * Context: process context, may sleep; in the path that signals fences.
 */
void fpgabuf_engine_stop(struct fpgabuf_engine *engine, int status)
{
	bool cookie = dma_fence_begin_signalling();
	int ret = 0;

	mutex_lock(&engine->lock);
	if (engine->running)
		ret = fpgabuf_engine_halt(engine, false);
	fpgabuf_ring_end(engine);
	fpgabuf_engine_set_running(engine, false);
	fpgabuf_engine_complete_all(engine, ret ?: status);
	/* The next run may have a shorter timeout than the one it waits for. */
	cancel_delayed_work(&engine->watchdog);
	mutex_unlock(&engine->lock);
	dma_fence_end_signalling(cookie);
}

/**
 * fpgabuf_engine_end_quarantine() - try again to stop the engine
 * @engine: the engine, open if it is in quarantine
 *
 * Context: process context, may sleep. A quarantine begins while the engine runs;
 * the caller keeps others from starting it.
 * Return: 0: the engine is idle, or was not in quarantine; or -EIO.
 */
int fpgabuf_engine_end_quarantine(struct fpgabuf_engine *engine)
{
	int ret;

	if (!READ_ONCE(engine->quarantine))
		return 0;
	mutex_lock(&engine->lock);
	ret = fpgabuf_engine_terminate(engine, true);
	if (!ret) {
		spin_lock_irq(&engine->queue.lock);
		engine->ops->idle(engine);
		WRITE_ONCE(engine->quarantine, false);
		spin_unlock_irq(&engine->queue.lock);
	}
	mutex_unlock(&engine->lock);
	if (ret)
		return -EIO;
	dev_info(engine->node, "the engine is idle, the quarantine ends\n");
	return 0;
}
