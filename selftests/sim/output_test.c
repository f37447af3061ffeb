// SPDX-License-Identifier: GPL-2.0
/*
 * Output channels: what tx0 reads is what was captured, or what the CPU wrote,
 * and it says so; its rate, and what it tells of frames that did not come.
 */
#include <errno.h>
#include <string.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "sim_test.h"

#define FRAME		4096
#define SLOTS		8
/* YUYV as a DRM fourcc */
#define YUYV		0x56595559

/* A dma-buf per frame: the CPU may have one while the FPGA writes another. */
FIXTURE(output) {
	struct totals before;
	int rx, tx;
	struct buffer b[SLOTS];
};

FIXTURE_VARIANT(output) {
	struct fpgabuf_format format;
};

FIXTURE_VARIANT_ADD(output, raw) {
	.format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = FRAME,
		.rate = { 0, 1 },
	},
};

FIXTURE_VARIANT_ADD(output, video) {
	.format = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = YUYV,
		.width = 64,
		.height = FRAME / 128,
		.rate = { 0, 1 },
	},
};

FIXTURE_SETUP(output)
{
	struct fpgabuf_format format = variant->format;
	int i;

	REQUIRE_CHANNEL(self->before);
	self->rx = sim_open("rx0");
	self->tx = sim_open("tx0");
	ASSERT_LE(0, self->rx);
	ASSERT_LE(0, self->tx);
	ASSERT_EQ(0, fpga_set_format(self->rx, &format));
	format = variant->format;
	ASSERT_EQ(0, fpga_set_format(self->tx, &format));
	ASSERT_EQ((__u64)FRAME, format.size);
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, buffer_alloc(self->rx, FRAME, FPGABUF_KIND_SYSTEM,
					  &self->b[i]));
		ASSERT_EQ(i, fpga_register(self->rx, self->b[i].fd, 0, 0));
		ASSERT_EQ(i, fpga_register(self->tx, self->b[i].fd, 0, 0));
	}
}

FIXTURE_TEARDOWN_PARENT(output)
{
	EXPECT_NOTHING_LEFT(self->before);
}

#define EXPECT_SINK(_frames, _good, _bad, _disordered) do {		\
	EXPECT_EQ((__s64)(_frames), sim_number("tx0", "frames"));	\
	EXPECT_EQ((__s64)(_good), sim_number("tx0", "good"));		\
	EXPECT_EQ(_bad, sim_number("tx0", "bad"));			\
	EXPECT_EQ(_disordered, sim_number("tx0", "disordered"));	\
} while (0)

/* What the FPGA wrote is for the CPU, and what the CPU made of it for the FPGA. */
static int hand_over(int fd)
{
	int ret = dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);

	return ret ?: dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

/* The frames of a new run, one in each slot, for the FPGA to read. */
static int capture_all(int rx, const struct buffer *b)
{
	struct fpgabuf_completion done[SLOTS];
	int i, ret = 0;

	for (i = 0; !ret && i < SLOTS; i++)
		ret = fpga_queue(rx, i, 0);
	if (!ret && fpga_start(rx) < 0)
		ret = -EPIPE;
	if (!ret && fpga_take(rx, done, SLOTS, SLOTS, 5 * SEC) != SLOTS)
		ret = -ETIME;
	for (i = 0; !ret && i < SLOTS; i++)
		ret = hand_over(b[i].fd);
	return fpga_stop(rx) ?: ret;
}

/* Sends the frames of @slots, one at a time; the channel is started. */
static int send(int tx, const int *slots, int count)
{
	struct fpgabuf_completion done;
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++) {
		ret = fpga_queue(tx, slots[i], 0);
		if (!ret && fpga_take(tx, &done, 1, 1, 5 * SEC) != 1)
			ret = -ETIME;
		if (!ret)
			ret = done.status;
	}
	return ret;
}

static const int in_order[SLOTS] = { 0, 1, 2, 3, 4, 5, 6, 7 };

TEST_F(output, info)
{
	struct fpgabuf_info info = { 0 };

	ASSERT_EQ(0, fpga_ioctl(self->tx, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ((__u32)FPGABUF_DIR_OUTPUT, info.direction);
	EXPECT_EQ((__u32)SIM_DEPTH, info.queue_depth);
	/* No trailer: a program may send what it likes. */
	EXPECT_EQ((__u32)(FPGABUF_CAP_SCATTER | FPGABUF_CAP_LOSS |
			  FPGABUF_CAP_UNTHROTTLED | FPGABUF_CAP_FENCES),
		  info.capabilities);
}

/*
 * From the FPGA to memory and back, in the same buffers, both channels at a time:
 * every frame arrives, whole and in order.
 */
TEST_F(output, what_was_captured)
{
	const __u64 frames = 200;
	struct fpgabuf_completion done;
	__u64 next;
	int i;

	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_queue(self->rx, i, i));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(1, fpga_start(self->rx));
	for (next = 0; next < frames; next++) {
		ASSERT_EQ(1, fpga_take(self->rx, &done, 1, 1, 5 * SEC));
		ASSERT_EQ(next, done.sequence);
		ASSERT_EQ(0, hand_over(self->b[done.slot].fd));
		ASSERT_EQ(0, fpga_queue(self->tx, done.slot, next));
		ASSERT_EQ(1, fpga_take(self->tx, &done, 1, 1, 5 * SEC));
		ASSERT_EQ(0, done.status);
		ASSERT_EQ(next, done.sequence);
		ASSERT_EQ(next, done.user_data);
		ASSERT_EQ((__u64)FRAME, done.bytes);
		ASSERT_EQ(0U, done.lost);
		ASSERT_EQ(0, fpga_queue(self->rx, done.slot, 0));
	}
	EXPECT_SINK(frames, frames, 0, 0);
	EXPECT_EQ((__s64)frames - 1, sim_number("tx0", "last_sequence"));
	EXPECT_EQ(1, sim_number("tx0", "last_run"));
}

/* One byte anywhere before the trailer's fields, changed by the CPU: bad */
TEST_F(output, changed_byte)
{
	static const size_t at[] = { 0, 1, FRAME / 2 + 1, FRAME - 33, FRAME - 1 };
	char *frame = self->b[2].map;
	size_t i;

	for (i = 0; i < ARRAY_LEN(at); i++) {
		ASSERT_EQ(0, capture_all(self->rx, self->b));
		ASSERT_EQ(0, dmabuf_sync(self->b[2].fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_RW));
		frame[at[i]] ^= 4;
		ASSERT_EQ(0, dmabuf_sync(self->b[2].fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_RW));
		ASSERT_LE(1, fpga_start(self->tx));
		ASSERT_EQ(0, send(self->tx, in_order, SLOTS));
		EXPECT_SINK(SLOTS, SLOTS - 1, 1, 0);
		ASSERT_EQ(0, fpga_stop(self->tx));
	}
}

/* Each that does not follow the one before, or comes twice, counts once. */
TEST_F(output, disorder)
{
	static const int slots[] = { 0, 1, 3, 2, 3, 3, 4 };

	ASSERT_EQ(0, capture_all(self->rx, self->b));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, send(self->tx, slots, ARRAY_LEN(slots)));
	EXPECT_SINK(ARRAY_LEN(slots), ARRAY_LEN(slots), 0, 3);
}

/* After the last frame of a run the first one of another is in order. */
TEST_F(output, another_run)
{
	static const int middle[] = { 3 };

	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, capture_all(self->rx, self->b));
	ASSERT_EQ(0, send(self->tx, in_order, SLOTS));
	ASSERT_EQ(0, capture_all(self->rx, self->b));
	ASSERT_EQ(0, send(self->tx, in_order, SLOTS));
	EXPECT_SINK(2 * SLOTS, 2 * SLOTS, 0, 0);
	EXPECT_EQ(2, sim_number("tx0", "last_run"));
	ASSERT_EQ(0, capture_all(self->rx, self->b));
	ASSERT_EQ(0, send(self->tx, middle, 1));
	EXPECT_EQ(1, sim_number("tx0", "disordered"));
}

/* Anything may be sent: the zeros of new memory, too. A start begins to count anew. */
TEST_F(output, no_trailer)
{
	const int fd = self->b[0].fd;

	ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	memset(self->b[0].map, 0x5a, FRAME);
	ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, send(self->tx, in_order, 3));
	EXPECT_SINK(3, 0, 0, 0);
	ASSERT_EQ(0, fpga_stop(self->tx));
	EXPECT_EQ(3, sim_number("tx0", "frames"));
	ASSERT_EQ(2, fpga_start(self->tx));
	EXPECT_SINK(0, 0, 0, 0);
}

FIXTURE(clocked) {
	struct totals before;
	int tx;
	struct buffer b;
};

FIXTURE_SETUP(clocked)
{
	REQUIRE_CHANNEL(self->before);
	self->tx = sim_open("tx0");
	ASSERT_LE(0, self->tx);
	ASSERT_EQ(0, buffer_alloc(self->tx, SLOTS * FRAME,
				  FPGABUF_KIND_SYSTEM, &self->b));
	ASSERT_EQ(0, fpga_set_raw(self->tx, FRAME, 50));
	ASSERT_EQ(0, sim_register(self->tx, self->b.fd, FRAME, SLOTS));
}

FIXTURE_TEARDOWN_PARENT(clocked)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* No frame is taken before it is due. */
TEST_F(clocked, rate)
{
	struct fpgabuf_completion done[SLOTS];
	__u64 next = 0;
	__s64 start;
	int i;

	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_queue(self->tx, i, i));
	start = now_ns();
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(SLOTS, fpga_take(self->tx, done, SLOTS, SLOTS, 5 * SEC));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ(0, done[i].status);
		EXPECT_EQ((__u32)i, done[i].slot);
		EXPECT_LE((i + 1) * 20 * MSEC, (__s64)done[i].timestamp - start);
		EXPECT_GE((i + 1) * 20 * MSEC + SLACK,
			  (__s64)done[i].timestamp - start);
		EXPECT_EQ(next + done[i].lost, done[i].sequence);
		next = done[i].sequence + 1;
	}
}

/* A tick that found no frame is told with the next one. */
TEST_F(clocked, starvation)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, fpga_queue(self->tx, 0, 0));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(1, fpga_take(self->tx, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(done.lost, done.sequence);

	/* Two ticks at least */
	pass_time(50 * MSEC);
	ASSERT_EQ(0, fpga_queue(self->tx, 1, 1));
	ASSERT_EQ(1, fpga_take(self->tx, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
	EXPECT_LE(2U, done.lost);
	EXPECT_LT(done.lost, done.sequence);
	EXPECT_EQ((__u32)FPGABUF_DONE_LOST_STARVED, done.flags);
	EXPECT_EQ(2, sim_number("tx0", "frames"));
}

TEST_HARNESS_MAIN
