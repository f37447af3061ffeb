// SPDX-License-Identifier: GPL-2.0
/*
 * A frame that fails by what it waited for fails in its turn: neither its
 * completion nor its fence comes before those of the frames before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

FIXTURE(error) {
	struct totals before;
	struct slots s;
	/* Has failed before anybody waits for it */
	int in;
};

static int fence_failed(void)
{
	struct slots other;
	int fence = -1;
	int ret = sim_fault("rx1", "hang");

	if (!ret)
		ret = slots_open(&other, 1, 1, 0);
	if (!ret && fpga_start(other.ch) != 1)
		ret = -EIO;
	if (!ret)
		ret = fpga_queue_fenced(other.ch, 0, FPGABUF_QUEUE_OUT_FENCE,
					-1, &fence);
	if (!ret)
		ret = fpga_stop(other.ch);
	return ret ?: fence;
}

FIXTURE_SETUP(error)
{
	REQUIRE_CHANNEL(self->before);
	self->in = fence_failed();
	ASSERT_LE(0, self->in);
	ASSERT_EQ(-ECANCELED, sync_file_status(self->in));
	ASSERT_EQ(0, slots_open(&self->s, 0, 3, 0));
	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(1, fpga_start(self->s.ch));
}

FIXTURE_TEARDOWN_PARENT(error)
{
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_EQ(0, sim_fault("rx1", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(error, comes_in_its_turn)
{
	struct slots *s = &self->s;
	int i, out[3];

	for (i = 0; i < 3; i++) {
		slots_fill(s, i);
		ASSERT_EQ(0, fpga_queue_fenced(s->ch, i, i == 1 ? IN_OUT :
					       FPGABUF_QUEUE_OUT_FENCE,
					       self->in, &out[i]));
	}
	EXPECT_EQ(0, poll_fd(s->ch, POLLIN, 50));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, sync_file_status(out[i]));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_STREQ("ok", slots_take(s, 0));
	EXPECT_EQ(-ECANCELED, slots_take_status(s, 1));
	EXPECT_STREQ("ok", slots_take(s, 2));
	EXPECT_EQ(1, sync_file_status(out[0]));
	EXPECT_EQ(-ECANCELED, sync_file_status(out[1]));
	EXPECT_EQ(1, sync_file_status(out[2]));
	EXPECT_LE(sync_file_time(out[0]), sync_file_time(out[1]));
	EXPECT_LE(sync_file_time(out[1]), sync_file_time(out[2]));
	EXPECT_TRUE(slots_untouched(s, 1));
}

TEST_HARNESS_MAIN
