// SPDX-License-Identifier: GPL-2.0
/*
 * The timeout is that of a frame, not of a stream: an engine that is never idle
 * gets it anew for each frame. And it is no longer than its user said.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

/* Frames a second; a frame takes much less than the timeout, all of them more. */
#define RATE		10
#define TIMEOUT_MS	1500

FIXTURE(deadline) {
	struct totals before;
	struct slots s;
};

FIXTURE_SETUP(deadline)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, slots_open(&self->s, 0, MAX_SLOTS, RATE));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
}

FIXTURE_TEARDOWN_PARENT(deadline)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* There is always a fence, and the engine always has a frame. */
TEST_F_TIMEOUT(deadline, is_of_each_frame, 60)
{
	struct fpgabuf_completion done[MAX_SLOTS];
	__s64 began = now_ns();

	ASSERT_EQ(0, batch_queue(self->s.ch, MAX_SLOTS));
	EXPECT_LE(0, batch_take(self->s.ch, done, MAX_SLOTS));
	/* Else nothing was tested. */
	EXPECT_LT(TIMEOUT_MS * MSEC, now_ns() - began);
}

FIXTURE(hang) {
	struct totals before;
	struct slots s;
	int out;
};

FIXTURE_SETUP(hang)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(0, slots_open(&self->s, 0, 1, 0));
}

FIXTURE_TEARDOWN_PARENT(hang)
{
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

/* A busy machine is late by less than twice as much. */
#define HANG_MS		3000

TEST_F(hang, ends_in_time)
{
	__s64 began;

	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, HANG_MS));
	began = now_ns();
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 0, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &self->out));
	EXPECT_EQ(0, sync_file_wait(self->out, 3 * HANG_MS));
	EXPECT_LE(HANG_MS * MSEC, now_ns() - began);
	EXPECT_EQ(-ETIMEDOUT, sync_file_status(self->out));
	EXPECT_EQ(-ETIMEDOUT, slots_take_status(&self->s, 0));
}

/*
 * What an earlier run, or an earlier owner, had time for does not count. The
 * longer run lasts until what the fixture's run had time for is over, too.
 */
TEST_F(hang, ends_in_time_after_a_longer_one)
{
	struct slots *s = &self->s;

	ASSERT_EQ(1, fpga_start_timeout(s->ch, FPGABUF_MAX_TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, FPGABUF_QUEUE_OUT_FENCE, -1,
				       &self->out));
	EXPECT_EQ(-ETIMEDOUT, sync_file_wait(self->out, HANG_MS));
	ASSERT_EQ(0, fpga_stop(s->ch));
	EXPECT_EQ(-ECANCELED, slots_take_status(s, 0));
	close(self->out);

	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(2, fpga_start_timeout(s->ch, TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, FPGABUF_QUEUE_OUT_FENCE, -1,
				       &self->out));
	EXPECT_EQ(0, sync_file_wait(self->out, 3 * TIMEOUT_MS));
	EXPECT_EQ(-ETIMEDOUT, sync_file_status(self->out));
	EXPECT_EQ(-ETIMEDOUT, slots_take_status(s, 0));
}

FIXTURE(hangs) {
	struct totals before;
	struct slots s;
};

FIXTURE_SETUP(hangs)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, slots_open(&self->s, 0, MAX_SLOTS, 0));
}

FIXTURE_TEARDOWN_PARENT(hangs)
{
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

/*
 * The bound does not depend on how many there are: two timeouts, where each in
 * turn would take MAX_SLOTS of them. A busy machine is late by less than as much
 * again.
 */
TEST_F_TIMEOUT(hangs, end_together, 60)
{
	struct fpgabuf_completion done[MAX_SLOTS];
	__s64 began;
	int i;

	ASSERT_EQ(0, sim_fault("rx0", "hang 1000"));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	began = now_ns();
	ASSERT_EQ(0, batch_queue(self->s.ch, MAX_SLOTS));
	ASSERT_EQ(MAX_SLOTS, fpga_take(self->s.ch, done, MAX_SLOTS, MAX_SLOTS,
				       MAX_SLOTS * TIMEOUT_MS * MSEC));
	EXPECT_LE(2 * TIMEOUT_MS * MSEC, now_ns() - began);
	EXPECT_GT(4 * TIMEOUT_MS * MSEC, now_ns() - began);
	for (i = 0; i < MAX_SLOTS; i++)
		EXPECT_EQ(-ETIMEDOUT, done[i].status);
}

/* Those behind a frame that hangs are right; if a second one hangs, they fail. */
TEST_F_TIMEOUT(hangs, spare_the_others_once, 60)
{
	struct fpgabuf_completion done[MAX_SLOTS];
	int i;

	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	ASSERT_EQ(0, sim_fault("rx0", "hang 1"));
	ASSERT_EQ(0, batch_queue(self->s.ch, MAX_SLOTS));
	ASSERT_EQ(MAX_SLOTS, fpga_take(self->s.ch, done, MAX_SLOTS, MAX_SLOTS,
				       10 * SEC));
	for (i = 0; i < MAX_SLOTS; i++)
		EXPECT_EQ(i ? 0 : -ETIMEDOUT, done[i].status);

	ASSERT_EQ(0, sim_fault("rx0", "hang 1"));
	ASSERT_EQ(0, batch_queue(self->s.ch, MAX_SLOTS / 2));
	ASSERT_EQ(1, fpga_take(self->s.ch, done, 1, 1, 10 * SEC));
	EXPECT_EQ(-ETIMEDOUT, done[0].status);
	ASSERT_EQ(MAX_SLOTS / 2 - 1,
		  fpga_take(self->s.ch, done, MAX_SLOTS, MAX_SLOTS / 2 - 1,
			    10 * SEC));
	for (i = 0; i < MAX_SLOTS / 2 - 1; i++)
		EXPECT_EQ(0, done[i].status);
}

TEST_HARNESS_MAIN
