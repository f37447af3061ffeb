// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that goes round in its buffers and never stops: frames of buffers that
 * are given back in time are whole, and all others are reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fences.h"
#include "sim_test.h"

#define FRAME		4096
#define SLOTS		16
/* Frames a second: a program may be late by SLOTS of them. */
#define FPS		20
#define FRAME_NS	(SEC / FPS)
#define ROUND_NS	(SLOTS * FRAME_NS)

FIXTURE(ring) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, sim_load("cyclic"));
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, FPS));
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_CONTIGUOUS, &self->b));
}

/* As EXPECT_NOTHING_LEFT(), for a channel that has a rate */
FIXTURE_TEARDOWN_PARENT(ring)
{
	struct totals after;
	int ch;

	EXPECT_EQ(0, totals_read(&after));
	EXPECT_TRUE(totals_equal(&self->before, &after));
	ch = sim_open("rx0");
	EXPECT_EQ(0, fpga_set_raw(ch, FRAME, FPS));
	EXPECT_EQ(-EXDEV, fpga_start(ch));
	close(ch);
}

static int queue_some(int ch, int num)
{
	int i, ret = 0;

	for (i = 0; !ret && i < num; i++)
		ret = fpga_queue(ch, i, i);
	return ret;
}

static int set_up(int ch, const struct buffer *b)
{
	int ret = sim_register(ch, b->fd, FRAME, SLOTS) ?:
		  queue_some(ch, SLOTS);

	return ret ?: fpga_start(ch) > 0 ? 0 : -EIO;
}

static const char *check(const struct buffer *b,
			 const struct fpgabuf_completion *done)
{
	return raw_check_synced(b->fd, (char *)b->map + done->slot * FRAME,
				FRAME, done);
}

static int take_one(int ch, struct fpgabuf_completion *done)
{
	return fpga_take(ch, done, 1, 1, 5 * SEC) == 1 ? 0 : -ETIME;
}

TEST_F(ring, is_described)
{
	struct fpgabuf_info info = { 0 };
	int out;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_TRUE(!!(info.capabilities & FPGABUF_CAP_RING));
	EXPECT_EQ(0U, info.capabilities &
		  (FPGABUF_CAP_FENCES | FPGABUF_CAP_SCATTER |
		   FPGABUF_CAP_UNTHROTTLED));
	ASSERT_EQ(0, set_up(self->ch, &self->b));
	/* Nothing holds it back, so there is nothing to wait for. */
	EXPECT_EQ(-EOPNOTSUPP, fpga_queue_fenced(self->ch, 0,
						 FPGABUF_QUEUE_OUT_FENCE, -1,
						 &out));
	EXPECT_EQ(-EOPNOTSUPP, fpga_queue_fenced(self->ch, 0,
						 FPGABUF_QUEUE_IN_FENCE, -1,
						 &out));
	/* The engine is in all of its buffers. */
	EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, SLOTS - 1));
	EXPECT_EQ(-EBUSY, fpga_register(self->ch, self->b.fd, 0, FRAME));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0, fpga_unregister(self->ch, SLOTS - 1));
}

/* One after the other in memory, at least two, and nothing in between */
TEST_F(ring, needs_a_ring)
{
	struct buffer other;

	EXPECT_EQ(-EXDEV, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, FRAME));
	EXPECT_EQ(-EXDEV, fpga_start(self->ch));
	ASSERT_EQ(1, fpga_register(self->ch, self->b.fd, 2 * FRAME, FRAME));
	EXPECT_EQ(-EXDEV, fpga_start(self->ch));
	/* In any order */
	ASSERT_EQ(2, fpga_register(self->ch, self->b.fd, FRAME, FRAME));
	EXPECT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(0, buffer_alloc(self->ch, FRAME, FPGABUF_KIND_CONTIGUOUS,
				  &other));
	ASSERT_EQ(3, fpga_register(self->ch, other.fd, 0, FRAME));
	EXPECT_EQ(-EXDEV, fpga_start(self->ch));
}

/* Given back at once, no frame is lost and none is torn. */
TEST_F(ring, captures)
{
	struct fpgabuf_completion done;
	__u64 next = 0;
	int i;

	ASSERT_EQ(0, set_up(self->ch, &self->b));
	for (i = 0; i < 60; i++) {
		ASSERT_EQ(0, take_one(self->ch, &done));
		EXPECT_STREQ("ok", check(&self->b, &done));
		EXPECT_EQ(next, done.sequence);
		EXPECT_EQ(0U, done.lost);
		EXPECT_EQ(0U, done.flags);
		EXPECT_EQ(next % SLOTS, done.slot);
		EXPECT_EQ(next < SLOTS ? next : 0, done.user_data);
		next = done.sequence + 1;
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	}
	EXPECT_EQ(0, fpga_stop(self->ch));
}

/* Frames for buffers that are not queued are lost, and counted. */
TEST_F(ring, loses_what_has_no_buffer)
{
	struct fpgabuf_completion done;
	int round;

	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, fpga_queue(self->ch, 3, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, take_one(self->ch, &done));
		EXPECT_STREQ("ok", check(&self->b, &done));
		EXPECT_EQ(3U, done.slot);
		EXPECT_EQ(3ULL + round * SLOTS, done.sequence);
		EXPECT_EQ(round ? SLOTS - 1U : 3, done.lost);
		EXPECT_EQ((__u32)FPGABUF_DONE_LOST_STARVED, done.flags);
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	}
}

/* The interrupts of two frames are lost: the next one is for all of them. */
TEST_F(ring, needs_no_interrupt_for_each)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, sim_fault("rx0", "lost 2 3"));
	ASSERT_EQ(0, set_up(self->ch, &self->b));
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, take_one(self->ch, &done[i]));
		EXPECT_STREQ("ok", check(&self->b, &done[i]));
		EXPECT_EQ((__u64)i, done[i].sequence);
	}
	/* With it, not one by one with those after it */
	EXPECT_GT((__u64)FRAME_NS / 2, done[5].timestamp - done[3].timestamp);
}

/* A buffer that is read for longer than a round is reported. */
TEST_F(ring, reports_what_was_overwritten)
{
	struct fpgabuf_completion late, done;

	ASSERT_EQ(0, set_up(self->ch, &self->b));
	ASSERT_EQ(0, take_one(self->ch, &late));
	/* Until the engine is in that buffer again */
	do {
		ASSERT_EQ(0, take_one(self->ch, &done));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ(0U, done.flags & FPGABUF_DONE_OVERWRITTEN);
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	} while (done.sequence < late.sequence + SLOTS + 1);
	EXPECT_STRNE("ok", check(&self->b, &late));
	ASSERT_EQ(0, fpga_queue(self->ch, late.slot, 0));
	do {
		ASSERT_EQ(0, take_one(self->ch, &done));
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	} while (done.slot != late.slot);
	EXPECT_EQ(0, done.status);
	EXPECT_TRUE(!!(done.flags & FPGABUF_DONE_OVERWRITTEN));
	/* Once: the next time it was in time. */
	do {
		ASSERT_EQ(0, take_one(self->ch, &done));
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	} while (done.slot != late.slot);
	EXPECT_EQ(0U, done.flags & FPGABUF_DONE_OVERWRITTEN);
}

/* A completion that is not taken in time reports that its frame is lost. */
TEST_F(ring, reports_what_nobody_took)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, set_up(self->ch, &self->b));
	/* All are done, and the first ones are overwritten. */
	pass_time(ROUND_NS + ROUND_NS / 2);
	ASSERT_EQ(SLOTS, fpga_take(self->ch, done, SLOTS, SLOTS, 5 * SEC));
	EXPECT_EQ(-EOVERFLOW, done[0].status);
	EXPECT_EQ(-EOVERFLOW, done[1].status);
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ((__u32)i, done[i].slot);
		if (done[i].status)
			EXPECT_EQ(-EOVERFLOW, done[i].status);
	}
	/* Reported once: its next completion has nothing to add. */
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, take_one(self->ch, &done[0]));
	EXPECT_EQ(0, done[0].status);
	EXPECT_EQ(0U, done[0].flags & FPGABUF_DONE_OVERWRITTEN);
}

/* There is no callback for an error: the engine is asked, and begins again. */
TEST_F(ring, goes_on_after_an_error)
{
	struct fpgabuf_completion done;
	int i, failed = 0;
	__s64 begin;

	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, queue_some(self->ch, SLOTS));
	ASSERT_EQ(0, sim_fault("rx0", "error 1 2"));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, 200));
	begin = now_ns();
	for (i = 0; i < 3 * SLOTS; i++) {
		ASSERT_EQ(0, take_one(self->ch, &done));
		failed += done.status == -EIO;
		if (done.status)
			EXPECT_EQ(-EIO, done.status);
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	}
	/* All that were queued, but not what came before and after */
	EXPECT_LE(SLOTS - 2, failed);
	EXPECT_GE(SLOTS, failed);
	EXPECT_EQ(0, done.status);
	EXPECT_GE(3 * ROUND_NS + 2 * 200 * MSEC + SLACK, now_ns() - begin);
}

/* It begins with the first buffer then, also if that is not queued. */
TEST_F(ring, reports_what_was_overwritten_after_an_error)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, queue_some(self->ch, SLOTS));
	ASSERT_EQ(0, sim_fault("rx0", "error 1 1"));
	/* It begins again when it is asked, and then stays in the first buffer. */
	ASSERT_EQ(1, fpga_start_timeout(self->ch, 2000));
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(0, take_one(self->ch, &done));
	EXPECT_EQ(0U, done.slot);
	EXPECT_EQ(0, done.status);
	for (i = 1; i < SLOTS; i++) {
		ASSERT_EQ(0, take_one(self->ch, &done));
		EXPECT_EQ(-EIO, done.status);
	}
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(0, take_one(self->ch, &done));
	EXPECT_EQ(0U, done.slot);
	EXPECT_EQ(0, done.status);
	EXPECT_TRUE(!!(done.flags & FPGABUF_DONE_OVERWRITTEN));
}

/* It has no descriptor at first when it is to begin again. */
TEST_F(ring, tries_again)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, queue_some(self->ch, 4));
	ASSERT_EQ(0, sim_fault("rx0", "error"));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, 1000));
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, sim_fault("rx0", "full"));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, take_one(self->ch, &done));
		EXPECT_EQ(-EIO, done.status);
	}
	ASSERT_TRUE(sim_fault_met("rx0"));
	/* Of what was lost meanwhile the channel knows no number. */
	ASSERT_EQ(0, fpga_queue(self->ch, 5, 0));
	ASSERT_EQ(0, take_one(self->ch, &done));
	EXPECT_EQ(0, done.status);
	EXPECT_EQ(5U, done.slot);
}

TEST_F(ring, is_stopped)
{
	struct fpgabuf_completion done[SLOTS];
	int i, run;

	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	for (run = 1; run < 4; run++) {
		ASSERT_EQ(0, queue_some(self->ch, SLOTS));
		ASSERT_EQ(run, fpga_start(self->ch));
		ASSERT_EQ(POLLIN, poll_fd(self->ch, POLLIN, 5000));
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(SLOTS, fpga_take(self->ch, done, SLOTS, SLOTS, 0));
		EXPECT_EQ(0, done[0].status);
		EXPECT_STREQ("ok", check(&self->b, &done[0]));
		for (i = 0; i < SLOTS; i++)
			EXPECT_EQ((__u32)run, done[i].run);
		EXPECT_EQ(-ECANCELED, done[SLOTS - 1].status);
	}
}

/* All of its memory, since it may be anywhere in it */
TEST_F(ring, is_quarantined)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, set_up(self->ch, &self->b));
	ASSERT_EQ(0, sim_fault("rx0", "stuck"));
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(SLOTS, fpga_take(self->ch, done, SLOTS, SLOTS, 0));
	EXPECT_EQ(-EIO, done[SLOTS - 1].status);
	for (i = 0; i < SLOTS; i++)
		EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, i));
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(0, queue_some(self->ch, SLOTS));
	ASSERT_EQ(2, fpga_start(self->ch));
	ASSERT_EQ(0, take_one(self->ch, &done[0]));
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0, fpga_unregister(self->ch, 0));
}

TEST_F(ring, is_unbound)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, set_up(self->ch, &self->b));
	ASSERT_EQ(0, take_one(self->ch, &done));
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(-ENODEV, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	ASSERT_EQ(0, driver_write("bind"));
}

/* What another channel puts out comes in order, whatever its rate. */
TEST_F(ring, gets_what_is_put_out)
{
	int tx = sim_open("tx0"), loop = sim_open("loop0"), i;
	struct fpgabuf_completion done;
	struct buffer out;

	ASSERT_EQ(0, fpga_set_raw(loop, FRAME, FPS));
	ASSERT_EQ(0, fpga_set_raw(tx, FRAME, 0));
	ASSERT_EQ(0, buffer_alloc(tx, FRAME, FPGABUF_KIND_CONTIGUOUS, &out));
	ASSERT_EQ(0, fpga_register(tx, out.fd, 0, 0));
	ASSERT_EQ(0, set_up(loop, &self->b));
	ASSERT_EQ(1, fpga_start(tx));
	for (i = 0; i < 3 * SLOTS; i++) {
		ASSERT_EQ(0, dmabuf_sync(out.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_WRITE));
		memset(out.map, i, FRAME);
		ASSERT_EQ(0, dmabuf_sync(out.fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_WRITE));
		ASSERT_EQ(0, fpga_queue(tx, 0, 0));
		ASSERT_EQ(0, take_one(tx, &done));
		ASSERT_EQ(0, take_one(loop, &done));
		EXPECT_EQ((__u64)i, done.sequence);
		ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		EXPECT_TRUE(all_bytes((char *)self->b.map + done.slot * FRAME,
				      i, FRAME));
		ASSERT_EQ(0, fpga_queue(loop, done.slot, 0));
	}
}

int main(int argc, char **argv)
{
	sim_load_at_exit();
	return test_harness_run(argc, argv);
}
