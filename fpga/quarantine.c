// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that cannot be stopped may write as long as it likes: the buffers
 * that it has stay mapped, and are nobody's, until it is known to be idle. Their
 * fences are signaled all the same, with an error, and the channel does no more
 * work.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dmaengine.h>
#include <linux/lockdep.h>

#include "channel.h"
#include "trace.h"

static int engine_stop(struct fpgabuf_channel *channel, bool reset)
{
	const struct fpgabuf_channel_ops *ops = channel->config.ops;
	int ret = dmaengine_terminate_sync(channel->dma);

	if (!ret && reset && ops && ops->reset)
		ret = ops->reset(channel->config.priv);
	return ret;
}

/*
 * Stop the engine, and wait until it is idle; with @reset, let the FPGA begin
 * anew. 0, or -EIO: it is not idle, and what it has is in quarantine.
 */
int fpgabuf_engine_halt(struct fpgabuf_channel *channel, bool reset)
{
	struct fpgabuf_job *job;
	unsigned int num = 0;
	int ret;

	lockdep_assert_held(&channel->engine_lock);
	ret = engine_stop(channel, reset);
	if (!ret)
		return channel->quarantine ? -EIO : 0;

	spin_lock_irq(&channel->queue.lock);
	list_for_each_entry(job, &channel->queue.active, node) {
		channel->slots[job->done.slot].quarantined = true;
		num++;
	}
	WRITE_ONCE(channel->quarantine, true);
	spin_unlock_irq(&channel->queue.lock);
	trace_fpgabuf_quarantine(channel, ret);
	dev_err(&channel->dev,
		"the engine cannot be stopped (%d), %u buffers go into quarantine\n",
		ret, num);
	return -EIO;
}

static void quarantine_release(struct fpgabuf_channel *channel)
{
	unsigned int i;

	spin_lock_irq(&channel->queue.lock);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++)
		channel->slots[i].quarantined = false;
	WRITE_ONCE(channel->quarantine, false);
	spin_unlock_irq(&channel->queue.lock);
}

static void quarantine_forget(struct fpgabuf_kept *kept)
{
	fpgabuf_pieces_free(&kept->pieces);
	fpgabuf_import_put(kept->import);
}

/* Try again, if there is one. 0: the engine is idle; or -EIO. */
int fpgabuf_quarantine_end(struct fpgabuf_channel *channel)
{
	int ret;

	lockdep_assert_held(&channel->lock);
	/* It comes about while the channel streams, and no more after that. */
	if (!READ_ONCE(channel->quarantine))
		return 0;

	mutex_lock(&channel->engine_lock);
	ret = engine_stop(channel, true);
	if (!ret)
		quarantine_release(channel);
	mutex_unlock(&channel->engine_lock);
	if (ret)
		return -EIO;

	dev_info(&channel->dev, "the engine is idle, the quarantine ends\n");
	while (channel->num_kept)
		quarantine_forget(&channel->kept[--channel->num_kept]);
	return 0;
}

/* The owner goes; the buffer stays as it is. The slot is empty after this. */
void fpgabuf_quarantine_keep(struct fpgabuf_channel *channel,
			     struct fpgabuf_slot *slot)
{
	lockdep_assert_held(&channel->lock);
	channel->kept[channel->num_kept++] = (struct fpgabuf_kept){
		.import = fpgabuf_import_get(slot->import),
		.pieces = slot->pieces,
	};
	slot->pieces = (struct fpgabuf_pieces){};
	spin_lock_irq(&channel->queue.lock);
	slot->quarantined = false;
	spin_unlock_irq(&channel->queue.lock);
}

/*
 * The board goes, with an engine that may still write: what it has stays mapped
 * for ever, since that is the lesser evil.
 */
void fpgabuf_quarantine_abandon(struct fpgabuf_channel *channel)
{
	unsigned int i;

	lockdep_assert_held(&channel->lock);
	if (!channel->num_kept)
		return;
	dev_err(&channel->dev, "%u buffers are lost to an engine that does not stop\n",
		channel->num_kept);
	/* Their exporters know the device as long as they are. */
	for (i = 0; i < channel->num_kept; i++)
		get_device(channel->kept[i].import->attach->dev);
	channel->num_kept = 0;
}
