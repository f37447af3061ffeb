// SPDX-License-Identifier: GPL-2.0
/*
 * The timeout is that of a frame, not of a stream: an engine that is never idle
 * gets it anew for each frame.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../kselftest_harness.h"
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

TEST_HARNESS_MAIN
