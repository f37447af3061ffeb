// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog: while there is a fence to be signaled, no frame may take longer
 * than the channel's timeout. One that does is given up, and those behind it
 * begin anew, once: an engine that hangs again fails all that were pending when it
 * did so before. So an engine that hangs for good has all fences signaled after
 * two timeouts, however many there are. Frames that nobody has a fence of may
 * take for ever.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "channel.h"
#include "trace.h"

/* The oldest job, if it had its second try and a fence depends on it. */
static struct fpgabuf_job *watchdog_next_tried(struct fpgabuf_channel *channel)
{
	struct fpgabuf_job *job;

	spin_lock_irq(&channel->queue.lock);
	job = fpgabuf_queue_oldest(&channel->queue);
	if (job && (!channel->num_fenced ||
		    !channel->slots[job->done.slot].again))
		job = NULL;
	spin_unlock_irq(&channel->queue.lock);
	return job;
}

/* Nothing is with the engine. */
static void watchdog_fail_tried(struct fpgabuf_channel *channel)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&channel->engine_lock);
	while ((job = watchdog_next_tried(channel))) {
		fpgabuf_wait_fini(&channel->slots[job->done.slot].wait);
		spin_lock_irq(&channel->queue.lock);
		fpgabuf_stream_finish_job(channel, job, -ETIMEDOUT);
		spin_unlock_irq(&channel->queue.lock);
	}

	spin_lock_irq(&channel->queue.lock);
	list_for_each_entry(job, &channel->queue.queued, node)
		channel->slots[job->done.slot].again = true;
	spin_unlock_irq(&channel->queue.lock);
}

/*
 * The engine is stopped, in which it may have got the job done after all. If it
 * has not, the job has failed; the others begin anew.
 */
static void watchdog_give_up(struct fpgabuf_channel *channel,
			     struct fpgabuf_job *job)
{
	int status = fpgabuf_engine_halt(channel, true);

	trace_fpgabuf_timeout(channel, status);
	if (status) {
		fpgabuf_stream_complete_all(channel, status);
		return;
	}

	spin_lock_irq(&channel->queue.lock);
	if (job->state == FPGABUF_JOB_ACTIVE)
		fpgabuf_stream_finish_job(channel, job, -ETIMEDOUT);
	fpgabuf_stream_unissue_all(channel);
	spin_unlock_irq(&channel->queue.lock);
	watchdog_fail_tried(channel);
	wake_up_all(&channel->wait);
}

/* What the engine works on, if it must come to an end; and how long it has. */
static struct fpgabuf_job *watchdog_look(struct fpgabuf_channel *channel,
					 s64 *left)
{
	struct fpgabuf_job *job = NULL;

	spin_lock_irq(&channel->queue.lock);
	if (channel->streaming && channel->num_fenced)
		job = list_first_entry_or_null(&channel->queue.active,
					       struct fpgabuf_job, node);
	*left = channel->head_since + channel->timeout - ktime_get_ns();
	spin_unlock_irq(&channel->queue.lock);
	return job;
}

static void watchdog_work(struct work_struct *work)
{
	struct fpgabuf_channel *channel =
		container_of(work, struct fpgabuf_channel, watchdog.work);
	bool cookie = dma_fence_begin_signalling();
	struct fpgabuf_job *job;
	s64 left;

	mutex_lock(&channel->engine_lock);
	job = watchdog_look(channel, &left);
	if (job && left <= 0) {
		watchdog_give_up(channel, job);
		fpgabuf_stream_issue_ready(channel);
	} else {
		fpgabuf_watchdog_start(channel);
	}
	mutex_unlock(&channel->engine_lock);
	dma_fence_end_signalling(cookie);
}

void fpgabuf_watchdog_init(struct fpgabuf_channel *channel)
{
	INIT_DELAYED_WORK(&channel->watchdog, watchdog_work);
}

/*
 * Look again when the frame that the engine is at should be done. It runs
 * already, but for the first fence after a while; one look is enough for many
 * frames.
 */
void fpgabuf_watchdog_start(struct fpgabuf_channel *channel)
{
	s64 left;

	lockdep_assert_held(&channel->engine_lock);
	if (!READ_ONCE(channel->num_fenced) || !watchdog_look(channel, &left))
		return;
	fpgabuf_queue_delayed_work(&channel->watchdog,
				   nsecs_to_jiffies(max_t(s64, left, 0)) + 1);
}
