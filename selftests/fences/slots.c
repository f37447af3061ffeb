// SPDX-License-Identifier: GPL-2.0
/*
 * A channel with buffers, see fences_test.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/dma-buf.h>

#include "fences_test.h"

#define FILLING	0xa5

int slots_open(struct slots *s, unsigned int channel, unsigned int num,
	       __u32 fps)
{
	unsigned int i;
	int ret;

	s->num = num;
	s->ch = fpga_open(channel, O_RDWR);
	if (s->ch < 0)
		return s->ch;
	ret = fpga_set_raw(s->ch, FRAME, fps);
	for (i = 0; !ret && i < num; i++) {
		ret = buffer_alloc(s->ch, FRAME, FPGABUF_KIND_SYSTEM, &s->b[i]);
		if (!ret)
			ret = fpga_register(s->ch, s->b[i].fd, 0, 0);
		if (ret >= 0)
			ret = ret == (int)i ? 0 : -EIO;
	}
	return ret;
}

void slots_fill(struct slots *s, unsigned int slot)
{
	dmabuf_sync(s->b[slot].fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	memset(s->b[slot].map, FILLING, FRAME);
	dmabuf_sync(s->b[slot].fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

/* No bracket: it would wait for the fences. */
bool slots_untouched(struct slots *s, unsigned int slot)
{
	return all_bytes(s->b[slot].map, FILLING, FRAME);
}

const char *slots_take(struct slots *s, unsigned int slot)
{
	struct fpgabuf_completion done;
	int ret = fpga_take(s->ch, &done, 1, 1, 5 * SEC);

	if (ret != 1)
		return strerror(ret < 0 ? -ret : ENODATA);
	if (done.slot != slot)
		return "not its turn";
	return raw_check_synced(s->b[slot].fd, s->b[slot].map, FRAME, &done);
}

int slots_take_status(struct slots *s, unsigned int slot)
{
	struct fpgabuf_completion done;

	/* Not what the call says: -ETIMEDOUT is a status, too. */
	if (fpga_take(s->ch, &done, 1, 1, 5 * SEC) != 1)
		return -ENODATA;
	return done.slot == slot ? done.status : -EBADSLT;
}
