// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in quarantine: an engine that could not be stopped may access them, so
 * they stay mapped when their owner closes the node, until the engine is idle.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/lockdep.h>

#include "channel.h"

static void quarantine_forget(struct fpgabuf_kept *kept)
{
	fpgabuf_pieces_free(&kept->pieces);
	fpgabuf_import_put(kept->import);
}

/* Try to stop the engine again, if it is in quarantine. 0: it is idle; or -EIO. */
int fpgabuf_quarantine_end(struct fpgabuf_channel *channel)
{
	int ret;

	lockdep_assert_held(&channel->client.lock);
	ret = fpgabuf_engine_end_quarantine(&channel->client.engine);
	if (ret)
		return ret;
	while (channel->num_kept)
		quarantine_forget(&channel->kept[--channel->num_kept]);
	return 0;
}

/* The owner closes the node; the buffer stays mapped. */
void fpgabuf_quarantine_keep(struct fpgabuf_channel *channel,
			     struct fpgabuf_slot *slot)
{
	lockdep_assert_held(&channel->client.lock);
	channel->kept[channel->num_kept++] = (struct fpgabuf_kept){
		.import = fpgabuf_import_get(slot->import),
		.pieces = slot->pieces,
	};
	slot->pieces = (struct fpgabuf_pieces){};
	spin_lock_irq(&channel->client.engine.queue.lock);
	slot->quarantined = false;
	spin_unlock_irq(&channel->client.engine.queue.lock);
}

/*
 * The device goes, with an engine that may still write: the buffers stay mapped for
 * ever, which is the lesser evil.
 */
void fpgabuf_quarantine_abandon(struct fpgabuf_channel *channel)
{
	unsigned int i;

	lockdep_assert_held(&channel->client.lock);
	if (!channel->num_kept)
		return;
	dev_err(&channel->dev, "%u buffers are lost to an engine that does not stop\n",
		channel->num_kept);
	/* Their exporters know the device as long as they are. */
	for (i = 0; i < channel->num_kept; i++)
		get_device(channel->kept[i].import->attach->dev);
	channel->num_kept = 0;
}
