// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that lie one after the other in one mapping, with a few bytes between
 * them that are not theirs, and with no alignment at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "kinds_test.h"

#define FRAMES	1000
#define FRAME	1237
#define GUARD	3
#define STEP	(FRAME + GUARD)
#define FIRST	1
#define RING	(FIRST + FRAMES * STEP)

/* What the guards of a frame are changed to while the device has it */
#define CHANGED	0x5a

FIXTURE(ring) {
	struct totals before;
	__s64 pinned;
	int ch;
	struct memory m;
};

FIXTURE_VARIANT(ring) {
	enum memory_origin origin;
};

FIXTURE_VARIANT_ADD(ring, anonymous) {
	.origin = ANONYMOUS,
};

FIXTURE_VARIANT_ADD(ring, memfd) {
	.origin = MEMFD,
};

FIXTURE_SETUP(ring)
{
	REQUIRE_CHANNEL_NUMBER(SIM_BYTES, self->before);
	self->pinned = pinned_pages();
	ASSERT_LE(0, self->pinned);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, memory_get(&self->m, variant->origin, RING));
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
}

FIXTURE_TEARDOWN_PARENT(ring)
{
	EXPECT_NOTHING_LEFT(self->before);
	EXPECT_EQ(self->pinned, pinned_pages());
}

/**
 * struct batch - frames that the device has at a time
 * @first: the first one's number
 * @count: how many
 * @fd: the dma-buf of each
 * @queue: each one's slot
 * @done: their completions
 */
struct batch {
	int first;
	int count;
	int fd[SIM_DEPTH];
	struct fpgabuf_queue_entry queue[SIM_DEPTH];
	struct fpgabuf_completion done[SIM_DEPTH];
};

static char *frame_at(const struct memory *m, int number)
{
	return m->map + FIRST + number * STEP;
}

static int batch_capture(int ch, struct batch *b)
{
	int ret = fpga_exchange(ch, b->queue, b->count, b->done, b->count,
				b->count, 5 * SEC);

	return ret < 0 ? ret : ret == b->count ? 0 : -ETIMEDOUT;
}

/* "ok", or what is wrong with the first frame of @b that something is. */
static const char *batch_check(const struct memory *m, const struct batch *b)
{
	const char *verdict = "ok";
	int i;

	for (i = 0; i < b->count && !strcmp(verdict, "ok"); i++)
		verdict = raw_check(frame_at(m, b->first + i), FRAME,
				    &b->done[i]);
	return verdict;
}

static int batch_unregister(int ch, const struct batch *b)
{
	int i, ret = 0;

	for (i = 0; !ret && i < b->count; i++)
		ret = fpga_unregister(ch, b->queue[i].slot);
	return ret;
}

static bool batch_next(struct batch *b)
{
	b->first += b->count;
	b->count = FRAMES - b->first < SIM_DEPTH ? FRAMES - b->first :
						   SIM_DEPTH;
	return b->count;
}

/* All guards, and what lies before the first frame and behind the last one */
static bool guards_are(const struct memory *m, __u8 value)
{
	const char *end = frame_at(m, FRAMES - 1) + STEP;
	int i;

	for (i = 0; i < FRAMES; i++)
		if (!all_bytes(frame_at(m, i) + FRAME, value, GUARD))
			return false;
	return all_bytes(m->map, BEFORE, FIRST) &&
	       all_bytes(end, BEFORE, m->map + m->size - end);
}

/* The whole mapping is one dma-buf, and each frame a range of it. */
TEST_F(ring, one_buffer)
{
	int fd, i;
	struct batch b = { 0 };

	fd = fpga_alloc_user(self->ch, self->m.map + FIRST, FRAMES * STEP,
			     O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	while (batch_next(&b)) {
		for (i = 0; i < b.count; i++) {
			int slot = fpga_register(self->ch, fd,
						 (b.first + i) * STEP, FRAME);

			ASSERT_LE(0, slot);
			b.queue[i].slot = slot;
		}
		ASSERT_EQ(0, batch_capture(self->ch, &b));
		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		ASSERT_STREQ("ok", batch_check(&self->m, &b))
			TH_LOG("frames from %d on", b.first);
		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_READ));
		ASSERT_EQ(0, batch_unregister(self->ch, &b));
	}
	close(fd);
	EXPECT_TRUE(guards_are(&self->m, BEFORE));
}

static int batch_sync(const struct batch *b, __u64 flags)
{
	int i, ret = 0;

	for (i = 0; !ret && i < b->count; i++)
		ret = dmabuf_sync(b->fd[i], flags | DMA_BUF_SYNC_READ);
	return ret;
}

static int batch_alloc(int ch, const struct memory *m, struct batch *b)
{
	int i, ret = 0;

	for (i = 0; ret >= 0 && i < b->count; i++) {
		ret = fpga_alloc_user(ch, frame_at(m, b->first + i), FRAME,
				      O_RDWR | O_CLOEXEC);
		if (ret < 0)
			break;
		b->fd[i] = ret;
		ret = fpga_register(ch, b->fd[i], 0, 0);
		b->queue[i].slot = ret;
	}
	return ret < 0 ? ret : 0;
}

/*
 * Each frame is a dma-buf of its own, in pages that it has a part of only. What
 * the CPU writes beside it while the device has it stays: nothing there is ever
 * copied or invalidated.
 */
TEST_F(ring, buffer_per_frame)
{
	struct batch b = { 0 };
	int i;

	while (batch_next(&b)) {
		ASSERT_EQ(0, batch_alloc(self->ch, &self->m, &b));
		ASSERT_EQ(0, batch_capture(self->ch, &b));
		for (i = 0; i < b.count; i++)
			memset(frame_at(&self->m, b.first + i) + FRAME, CHANGED,
			       GUARD);
		ASSERT_EQ(0, batch_sync(&b, DMA_BUF_SYNC_START));
		ASSERT_STREQ("ok", batch_check(&self->m, &b))
			TH_LOG("frames from %d on", b.first);
		ASSERT_EQ(0, batch_sync(&b, DMA_BUF_SYNC_END));
		ASSERT_EQ(0, batch_unregister(self->ch, &b));
		for (i = 0; i < b.count; i++)
			close(b.fd[i]);
	}
	EXPECT_TRUE(guards_are(&self->m, CHANGED));
}

TEST_HARNESS_MAIN
