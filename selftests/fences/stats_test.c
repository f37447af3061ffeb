// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel has done, as its statistics in sysfs and its tracepoints tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

FIXTURE(stats) {
	struct totals before;
	struct slots s;
	long long frames, bytes, timeouts, canceled, errors;
};

FIXTURE_SETUP(stats)
{
	REQUIRE_CHANNEL(self->before);
	self->frames = channel_stat("frames");
	self->bytes = channel_stat("bytes");
	self->timeouts = channel_stat("timeouts");
	self->canceled = channel_stat("canceled");
	self->errors = channel_stat("errors");
	ASSERT_LE(0, self->frames);
	ASSERT_LE(0, self->bytes);
	ASSERT_LE(0, self->timeouts);
	ASSERT_LE(0, self->canceled);
	ASSERT_LE(0, self->errors);
}

FIXTURE_TEARDOWN_PARENT(stats)
{
	sim_fault("rx0", "none");
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(stats, frames)
{
	int i;

	ASSERT_EQ(0, slots_open(&self->s, 0, 3, 0));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, fpga_queue(self->s.ch, i, 0));
		ASSERT_EQ(0, slots_take_status(&self->s, i));
	}
	EXPECT_EQ(self->frames + 3, channel_stat("frames"));
	EXPECT_EQ(self->bytes + 3 * FRAME, channel_stat("bytes"));
	EXPECT_EQ(self->canceled, channel_stat("canceled"));
}

TEST_F(stats, what_became_no_frame)
{
	int i, out;

	ASSERT_EQ(0, sim_fault("rx0", "hang 1000"));
	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, 50));
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 0, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &out));
	ASSERT_EQ(-ETIMEDOUT, slots_take_status(&self->s, 0));
	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, fpga_queue(self->s.ch, i, 0));
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	EXPECT_EQ(self->timeouts + 1, channel_stat("timeouts"));
	EXPECT_EQ(self->canceled + 3, channel_stat("canceled"));
	EXPECT_EQ(self->frames, channel_stat("frames"));
	EXPECT_EQ(self->errors, channel_stat("errors"));
}

/* Starved: the sequence says how many, and so does the counter. */
TEST_F(stats, lost)
{
	struct fpgabuf_completion done;
	long long lost = channel_stat("lost");

	ASSERT_EQ(0, slots_open(&self->s, 0, 1, 1000));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	pass_time(50 * MSEC);
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	ASSERT_EQ(1, fpga_take(self->s.ch, &done, 1, 1, 5 * SEC));
	EXPECT_NE(0U, done.lost);
	EXPECT_EQ(lost + done.lost, channel_stat("lost"));
}

static const char *fdinfo(int ch, const char *key)
{
	static char value[32];
	int ret = dmabuf_fdinfo(ch, key, value, sizeof(value));

	return ret ? strerror(-ret) : value;
}

/* Who looks into a stream that stands sees where its buffers are. */
TEST_F(stats, in_fdinfo)
{
	struct gate gate;
	int out;

	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	ASSERT_EQ(0, gate_make(&gate, GATE_VGEM));
	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	EXPECT_STREQ("stopped", fdinfo(self->s.ch, "state"));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	EXPECT_EQ(POLLIN, poll_fd(self->s.ch, POLLIN, 5000));
	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 1, 0));
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 2, IN_OUT, gate.fence,
				       &out));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 3, 0));
	EXPECT_STREQ("streaming", fdinfo(self->s.ch, "state"));
	EXPECT_STREQ("2", fdinfo(self->s.ch, "queued"));
	EXPECT_STREQ("1", fdinfo(self->s.ch, "active"));
	EXPECT_STREQ("1", fdinfo(self->s.ch, "done"));
	EXPECT_STREQ("1", fdinfo(self->s.ch, "fences"));
	ASSERT_EQ(0, gate_open(&gate));
}

TEST_F(stats, traced)
{
	struct fpgabuf_completion done;

	if (trace_events("fpgabuf", true) == -ENOENT)
		SKIP(return, "no CONFIG_EVENT_TRACING");
	ASSERT_EQ(0, slots_open(&self->s, 0, 2, 0));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 1, 0xf00d));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(1, fpga_take(self->s.ch, &done, 1, 1, 5 * SEC));
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	ASSERT_EQ(0, trace_events("fpgabuf", false));

	EXPECT_EQ(1, trace_count("fpgabuf_queue: channel=0 run=0 slot=1 user_data=0xf00d"));
	EXPECT_EQ(1, trace_count("fpgabuf_issue: channel=0 run=1 slot=1 user_data=0xf00d"));
	EXPECT_EQ(1, trace_count("fpgabuf_done: channel=0 run=1 slot=1 status=0"));
	EXPECT_EQ(1, trace_count("status=0 sequence=0 bytes=4096 lost=0"));
	EXPECT_EQ(1, trace_count("fpgabuf_start: channel=0 run=1 status=0"));
	EXPECT_EQ(1, trace_count("fpgabuf_stop: channel=0 run=1 status=-125 pending=0"));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
