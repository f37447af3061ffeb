// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that does something wrong: the frame that it meets has an error, in
 * its completion and its fence, in bounded time; those before and behind it are
 * right.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

#define NUM		5
/* The frame that meets the fault */
#define BAD		1
#define TIMEOUT_MS	300

static long long strays_become(long long number)
{
	__s64 end = now_ns() + 5 * SEC;

	while (channel_stat("stray") != number && now_ns() < end)
		pass_time(MSEC);
	return channel_stat("stray");
}

static __u32 channel_state(int ch)
{
	struct fpgabuf_info info = { 0 };

	return fpga_ioctl(ch, FPGABUF_IOC_INFO, &info) ? ~0U : info.state;
}

FIXTURE(fault) {
	struct totals before;
	struct slots s;
	int out[NUM];
	long long strays;
};

FIXTURE_VARIANT(fault) {
	const char *fault;
	int status;
	int stray;
};

FIXTURE_VARIANT_ADD(fault, short_frame) {
	.fault = "short",
	.status = -EMSGSIZE,
};

FIXTURE_VARIANT_ADD(fault, abort) {
	.fault = "abort",
	.status = -ECANCELED,
};

FIXTURE_VARIANT_ADD(fault, error) {
	.fault = "error",
	.status = -EIO,
};

FIXTURE_VARIANT_ADD(fault, late) {
	.fault = "late",
	.status = 0,
};

FIXTURE_VARIANT_ADD(fault, drop) {
	.fault = "drop",
	.status = 0,
};

FIXTURE_VARIANT_ADD(fault, hang) {
	.fault = "hang",
	.status = -ETIMEDOUT,
};

/* The next one's interrupt tells that its own was lost. */
FIXTURE_VARIANT_ADD(fault, lost) {
	.fault = "lost",
	.status = -EIO,
};

FIXTURE_VARIANT_ADD(fault, duplicate) {
	.fault = "duplicate",
	.status = 0,
	.stray = 1,
};

/* Called back after it was given up */
FIXTURE_VARIANT_ADD(fault, zombie) {
	.fault = "zombie",
	.status = -ETIMEDOUT,
	.stray = 1,
};

FIXTURE_SETUP(fault)
{
	char plan[32];

	REQUIRE_CHANNEL(self->before);
	snprintf(plan, sizeof(plan), "%s 1 %d", variant->fault, BAD);
	ASSERT_EQ(0, sim_fault("rx0", plan));
	ASSERT_EQ(0, slots_open(&self->s, 0, NUM, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	self->strays = channel_stat("stray");
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	sim_fault("rx0", "none");
	EXPECT_NOTHING_LEFT(self->before);
}

static void expect_frame(struct __test_metadata *_metadata, struct slots *s,
			 unsigned int slot, int status)
{
	const char *frame = status ? "ok" : slots_take(s, slot);

	EXPECT_EQ(status, status ? slots_take_status(s, slot) : 0);
	EXPECT_STREQ("ok", frame);
}

TEST_F(fault, with_fences)
{
	__s64 before = now_ns(), time;
	int i;

	for (i = 0; i < NUM; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &self->out[i]));
	for (i = 0; i < NUM; i++) {
		const int status = i == BAD ? variant->status : 0;

		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		EXPECT_EQ(status ?: 1, sync_file_status(self->out[i]));
		time = sync_file_time(self->out[i]);
		EXPECT_LE(before, time);
		EXPECT_GE(TIMEOUT_MS * MSEC + SLACK, time - before);
		before = time;
		expect_frame(_metadata, &self->s, i, status);
	}
	EXPECT_EQ(self->strays + variant->stray,
		  strays_become(self->strays + variant->stray));
}

/* Without one a frame may take for ever: a stop ends it, and gives all back. */
TEST_F(fault, without_fences)
{
	const bool hangs = variant->status == -ETIMEDOUT;
	int i;

	for (i = 0; i < NUM; i++)
		ASSERT_EQ(0, fpga_queue(self->s.ch, i, 0));
	for (i = 0; i < BAD; i++)
		expect_frame(_metadata, &self->s, i, 0);
	if (hangs) {
		EXPECT_EQ(0, poll_fd(self->s.ch, POLLIN, 2 * TIMEOUT_MS));
		ASSERT_EQ(0, fpga_stop(self->s.ch));
	}
	for (; i < NUM; i++)
		expect_frame(_metadata, &self->s, i,
			     hangs ? -ECANCELED :
			     i == BAD ? variant->status : 0);
}

/* An engine that cannot be stopped: fences signal, but memory is not given up. */
FIXTURE(stuck) {
	struct totals before;
	struct slots s;
	int out[NUM];
	__s64 began;
};

FIXTURE_SETUP(stuck)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_fault("rx0", "stuck"));
	ASSERT_EQ(0, slots_open(&self->s, 0, NUM, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	self->began = now_ns();
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &self->out[i]));
}

FIXTURE_TEARDOWN_PARENT(stuck)
{
	sim_fault("rx0", "none");
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(stuck, quarantine)
{
	struct slots *s = &self->s;
	struct fpgabuf_completion done;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		EXPECT_GE(TIMEOUT_MS * MSEC + SLACK,
			  sync_file_time(self->out[i]) - self->began);
		EXPECT_EQ(-EIO, sync_file_status(self->out[i]));
		EXPECT_EQ(-EIO, slots_take_status(s, i));
	}
	EXPECT_EQ(FPGABUF_STATE_STREAMING | FPGABUF_STATE_QUARANTINE,
		  channel_state(s->ch));
	EXPECT_EQ(POLLERR, poll_fd(s->ch, POLLIN, 0));
	EXPECT_EQ(-EIO, fpga_take(s->ch, &done, 1, 1, SEC));
	EXPECT_EQ(-EIO, fpga_queue(s->ch, 2, 0));
	EXPECT_EQ(-EBUSY, fpga_unregister(s->ch, 0));
	EXPECT_EQ(0, fpga_unregister(s->ch, 4));

	ASSERT_EQ(0, fpga_stop(s->ch));
	EXPECT_EQ(-EIO, fpga_start(s->ch));
	EXPECT_EQ(-EBUSY, fpga_unregister(s->ch, 0));
	EXPECT_EQ(FPGABUF_STATE_QUARANTINE, channel_state(s->ch));

	/* It ends when the engine does stop. */
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(2, fpga_start(s->ch));
	EXPECT_EQ(FPGABUF_STATE_STREAMING, channel_state(s->ch));
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	EXPECT_STREQ("ok", slots_take(s, 0));
	EXPECT_EQ(0, fpga_unregister(s->ch, 0));
}

/* The quarantine has ended the run: who starts again need not stop it first. */
TEST_F(stuck, started_again)
{
	struct slots *s = &self->s;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		EXPECT_EQ(-EIO, slots_take_status(s, i));
	}
	EXPECT_EQ(-EIO, fpga_start(s->ch));
	EXPECT_EQ(FPGABUF_STATE_QUARANTINE, channel_state(s->ch));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(2, fpga_start(s->ch));
	EXPECT_EQ(-EALREADY, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	EXPECT_STREQ("ok", slots_take(s, 0));
}

/* Programs queue first and start then: what is queued ends the quarantine, too. */
TEST_F(stuck, queued_again)
{
	struct slots *s = &self->s;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		EXPECT_EQ(-EIO, slots_take_status(s, i));
	}
	ASSERT_EQ(0, fpga_stop(s->ch));
	EXPECT_EQ(-EIO, fpga_queue(s->ch, 2, 0));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	EXPECT_EQ(0U, channel_state(s->ch));
	ASSERT_EQ(2, fpga_start(s->ch));
	EXPECT_STREQ("ok", slots_take(s, 0));
}

/* Its owner is gone: the buffers are not, before the engine has stopped. */
TEST_F(stuck, closed)
{
	struct slots *s = &self->s;
	struct totals now;
	int i, ch;

	ASSERT_EQ(0, sync_file_wait(self->out[1], 5000));
	for (i = 0; i < NUM; i++)
		buffer_free(&s->b[i]);
	close(s->ch);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[FPGABUF_KIND_SYSTEM] + 2,
		  now.count[FPGABUF_KIND_SYSTEM]);

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	EXPECT_EQ(FPGABUF_STATE_QUARANTINE, channel_state(ch));
	EXPECT_EQ(-EIO, fpga_start(ch));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_EQ(1, fpga_start(ch));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
