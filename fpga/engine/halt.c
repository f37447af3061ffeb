// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that is stopped. One that cannot be stopped may access memory at any
 * time: the memory of its jobs stays mapped, in quarantine, until the engine is
 * known to be idle. Their fences are signaled all the same, with an error, and the
 * engine gets no more work.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "internal.h"
#include "trace.h"

/* 0: the engine is idle, and with @reset the device, too; or a negative errno. */
int fpgabuf_engine_terminate(struct fpgabuf_engine *engine, bool reset)
{
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = dmaengine_terminate_sync(engine->chan);
	if (!ret && engine->ops->stopped)
		ret = engine->ops->stopped(engine);
	if (!ret && reset && engine->ops->reset)
		ret = engine->ops->reset(engine);
	if (!ret && engine->ops->configure)
		ret = engine->ops->configure(engine);
	return ret;
}

static unsigned int halt_quarantine(struct fpgabuf_engine *engine)
{
	struct fpgabuf_job *job;
	unsigned int num = 0;

	spin_lock_irq(&engine->queue.lock);
	list_for_each_entry(job, &engine->queue.active, node) {
		engine->ops->quarantine(job);
		num++;
	}
	if (engine->ring.num)
		engine->ops->quarantine_ring(engine);
	num += engine->ring.num;
	WRITE_ONCE(engine->quarantine, true);
	spin_unlock_irq(&engine->queue.lock);
	return num;
}

/*
 * Stop the engine and wait until it is idle; with @reset, reset the device. 0, or
 * -EIO: it is not idle, and its active jobs are in quarantine.
 */
int fpgabuf_engine_halt(struct fpgabuf_engine *engine, bool reset)
{
	int ret = fpgabuf_engine_terminate(engine, reset);
	unsigned int num;

	if (!ret)
		return engine->quarantine ? -EIO : 0;
	num = halt_quarantine(engine);
	trace_fpgabuf_quarantine(engine, ret);
	dev_err(engine->node,
		"the engine cannot be stopped (%d), the memory of %u jobs goes into quarantine\n",
		ret, num);
	return -EIO;
}

/*
 * The engine was stopped: all active jobs are queued again, in order, but those
 * up to and including @failed, which fail with @status. It may have completed
 * before the engine stopped; NULL: none fails.
 */
void fpgabuf_engine_requeue(struct fpgabuf_engine *engine,
			    const struct fpgabuf_job *failed, int status)
{
	struct fpgabuf_job *job, *prev;

	lockdep_assert_held(&engine->lock);
	spin_lock_irq(&engine->queue.lock);
	list_for_each_entry_safe_reverse(job, prev, &engine->queue.active,
					 node) {
		if (job == failed) {
			fpgabuf_engine_fail(engine, job, status);
			break;
		}
		fpgabuf_engine_forget(engine, job);
		fpgabuf_queue_requeue(&engine->queue, job);
		engine->ops->again(job);
	}
	fpgabuf_engine_reap(engine);
	spin_unlock_irq(&engine->queue.lock);
}
