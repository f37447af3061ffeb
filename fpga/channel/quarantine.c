// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in quarantine: an engine that could not be stopped may access them, so
 * they stay mapped when their owner closes the node, until the engine is idle.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/lockdep.h>

#include "channel.h"

/* Try to stop the engine again, if it is in quarantine. 0: it is idle; or -EIO. */
int fpgabuf_quarantine_end(struct fpgabuf_channel *channel)
{
	int ret;

	lockdep_assert_held(&channel->client.lock);
	ret = fpgabuf_engine_end_quarantine(&channel->client.engine);
	if (!ret)
		fpgabuf_slots_free(&channel->kept);
	return ret;
}

/*
 * The device goes, with an engine that may still write: the buffers stay mapped for
 * ever, which is the lesser evil.
 */
void fpgabuf_quarantine_abandon(struct fpgabuf_channel *channel)
{
	struct fpgabuf_slot *slot;

	lockdep_assert_held(&channel->client.lock);
	if (list_empty(&channel->kept))
		return;
	dev_err(&channel->dev, "%zu buffers are lost to an engine that does not stop\n",
		list_count_nodes(&channel->kept));
	/* Their exporters know the device as long as they are. */
	list_for_each_entry(slot, &channel->kept, job.node)
		get_device(slot->import->attach->dev);
	INIT_LIST_HEAD(&channel->kept);
}
