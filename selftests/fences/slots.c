// SPDX-License-Identifier: GPL-2.0
/*
 * A channel with buffers, see fences_test.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

int batch_queue(int ch, unsigned int num)
{
	struct fpgabuf_queue_entry entries[MAX_SLOTS] = { 0 };
	struct fpgabuf_fences fences[MAX_SLOTS];
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)entries,
		.queue_count = num,
		.fences = (uintptr_t)fences,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < num; i++) {
		entries[i].slot = i;
		entries[i].flags = FPGABUF_QUEUE_OUT_FENCE;
	}
	ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);
	for (i = 0; !ret && i < num; i++)
		close(fences[i].out);
	return ret;
}

int batch_take(int ch, struct fpgabuf_completion *done, unsigned int num)
{
	int lost = 0, ret = fpga_take(ch, done, num, num, 10 * SEC);
	unsigned int i;

	if (ret != (int)num)
		return ret < 0 ? ret : -ETIME;
	for (i = 0; i < num; i++) {
		if (done[i].status || done[i].slot != i)
			return done[i].status ?: -EBADSLT;
		lost += done[i].lost;
	}
	return lost;
}

long long channel_stat(const char *name)
{
	char path[128], text[32] = "";
	int fd, len;

	snprintf(path, sizeof(path), "/sys/class/fpgabuf/fpgabuf0/statistics/%s",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 ? atoll(text) : -EIO;
}
