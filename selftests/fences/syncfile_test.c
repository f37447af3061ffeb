// SPDX-License-Identifier: GPL-2.0
/*
 * Our fences as sync_files, out of buffers and into buffers: the cases of IGT's
 * dmabuf_sync_file and of the kernel's own sync tests, for a channel in place of
 * vgem and sw_sync. Each buffer is queued behind a gate, so that its fence
 * signals when the test says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "fences_test.h"

#define NUM	8

FIXTURE(sync_file) {
	struct totals before;
	struct slots s;
	struct gate gates[NUM];
	int out[NUM];
	/* Is registered nowhere */
	struct buffer idle;
};

FIXTURE_SETUP(sync_file)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	ASSERT_EQ(0, slots_open(&self->s, 0, NUM, 0));
	for (i = 0; i < NUM; i++)
		ASSERT_EQ(0, gate_make(&self->gates[i], GATE_VGEM));
	ASSERT_EQ(0, buffer_alloc(self->s.ch, FRAME, FPGABUF_KIND_SYSTEM,
				  &self->idle));
	ASSERT_EQ(1, fpga_start(self->s.ch));
}

FIXTURE_TEARDOWN_PARENT(sync_file)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Slot @i is pending until pass(): a fence of a writer in its buffer. */
static int pend(FIXTURE_DATA(sync_file) *self, int i)
{
	return fpga_queue_fenced(self->s.ch, i, IN_OUT, self->gates[i].fence,
				 &self->out[i]);
}

static int pass(FIXTURE_DATA(sync_file) *self, int i)
{
	int ret = gate_open(&self->gates[i]);

	return ret ? ret : sync_file_wait(self->out[i], 5000);
}

/* The fence itself, without the buffer's being in use. */
static int pend_explicit(FIXTURE_DATA(sync_file) *self, int i)
{
	return fpga_queue_fenced(self->s.ch, i, IN_OUT |
				 FPGABUF_QUEUE_NO_IMPLICIT,
				 self->gates[i].fence, &self->out[i]);
}

static int busy(int fd, __u32 flags)
{
	int sf = export_sync_file(fd, flags);
	int status;

	if (sf < 0)
		return sf;
	status = sync_file_status(sf);
	close(sf);
	return status < 0 ? status : !status;
}

TEST_F(sync_file, export_basic)
{
	int fd = self->s.b[0].fd;

	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_RW));
	ASSERT_EQ(0, pend(self, 0));
	EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_READ));
	EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_RW));
	ASSERT_EQ(0, pass(self, 0));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_RW));
}

/* What was exported stays what it was: later users are not in it. */
TEST_F(sync_file, export_before_signal)
{
	int fd = self->s.b[0].fd;
	int first, second;

	ASSERT_EQ(0, pend_explicit(self, 0));
	ASSERT_EQ(0, import_sync_file(fd, DMA_BUF_SYNC_WRITE, self->out[0]));
	first = export_sync_file(fd, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, first);
	ASSERT_EQ(0, pend_explicit(self, 1));
	ASSERT_EQ(0, import_sync_file(fd, DMA_BUF_SYNC_WRITE, self->out[1]));
	second = export_sync_file(fd, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, pass(self, 0));
	EXPECT_EQ(1, sync_file_status(first));
	EXPECT_EQ(0, sync_file_status(second));
	ASSERT_EQ(0, pass(self, 1));
	EXPECT_EQ(1, sync_file_status(second));
}

static void *wait_for(void *arg)
{
	return (void *)(intptr_t)sync_file_wait(*(int *)arg, 5000);
}

TEST_F(sync_file, export_multiwait)
{
	pthread_t waiters[NUM];
	int sf[NUM];
	void *ret;
	int i;

	ASSERT_EQ(0, pend(self, 0));
	for (i = 0; i < NUM; i++) {
		sf[i] = export_sync_file(self->s.b[0].fd, DMA_BUF_SYNC_RW);
		ASSERT_LE(0, sf[i]);
		ASSERT_EQ(0, pthread_create(&waiters[i], NULL, wait_for,
					    &sf[i]));
	}
	ASSERT_EQ(0, pass(self, 0));
	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, pthread_join(waiters[i], &ret));
		EXPECT_EQ(NULL, ret);
		EXPECT_EQ(1, sync_file_status(sf[i]));
	}
}

/* The file is there before who signals it is under way. */
TEST_F(sync_file, export_wait_after_attach)
{
	int early = export_sync_file(self->s.b[0].fd, DMA_BUF_SYNC_RW);
	pthread_t waiter;
	void *ret;
	int sf;

	ASSERT_EQ(0, pend(self, 0));
	EXPECT_EQ(1, sync_file_status(early));
	sf = export_sync_file(self->s.b[0].fd, DMA_BUF_SYNC_RW);
	ASSERT_EQ(0, pthread_create(&waiter, NULL, wait_for, &sf));
	EXPECT_EQ(-ETIMEDOUT, sync_file_wait(sf, 50));
	ASSERT_EQ(0, pass(self, 0));
	ASSERT_EQ(0, pthread_join(waiter, &ret));
	EXPECT_EQ(NULL, ret);
}

TEST_F(sync_file, import_basic)
{
	int fd = self->idle.fd;

	ASSERT_EQ(0, pend(self, 0));
	ASSERT_EQ(0, import_sync_file(fd, DMA_BUF_SYNC_RW, self->out[0]));
	EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_READ));
	EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(0, poll_fd(fd, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, pass(self, 0));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(fd, POLLIN | POLLOUT, 5000));
}

/* Who writes waits for the last of the readers, who reads for none of them. */
TEST_F(sync_file, import_multiple_read_only)
{
	int fd = self->idle.fd;
	int i;

	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, pend(self, i));
		ASSERT_EQ(0, import_sync_file(fd, DMA_BUF_SYNC_READ,
					      self->out[i]));
	}
	for (i = 0; i < NUM; i++) {
		EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_READ));
		EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_WRITE));
		ASSERT_EQ(0, pass(self, i));
	}
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_WRITE));
}

TEST_F(sync_file, import_multiple_read_write)
{
	int fd = self->idle.fd;
	int i;

	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, pend(self, i));
		ASSERT_EQ(0, import_sync_file(fd, i < NUM / 2 ?
					      DMA_BUF_SYNC_RW :
					      DMA_BUF_SYNC_READ,
					      self->out[i]));
	}
	for (i = 0; i < NUM; i++) {
		EXPECT_EQ(i < NUM / 2, busy(fd, DMA_BUF_SYNC_READ));
		EXPECT_EQ(1, busy(fd, DMA_BUF_SYNC_WRITE));
		ASSERT_EQ(0, pass(self, i));
	}
	EXPECT_EQ(0, busy(fd, DMA_BUF_SYNC_WRITE));
}

/* A buffer that somebody has imported a fence into is not written before. */
TEST_F(sync_file, import_holds_the_engine_back)
{
	slots_fill(&self->s, 0);
	ASSERT_EQ(0, import_sync_file(self->s.b[0].fd, DMA_BUF_SYNC_READ,
				      self->gates[0].fence));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	pass_time(50 * MSEC);
	EXPECT_TRUE(slots_untouched(&self->s, 0));
	ASSERT_EQ(0, gate_open(&self->gates[0]));
	EXPECT_STREQ("ok", slots_take(&self->s, 0));
}

/* Of one timeline the last one stands for all, and the same one for itself. */
TEST_F(sync_file, merge_one_timeline)
{
	int both, same;

	ASSERT_EQ(0, pend(self, 0));
	ASSERT_EQ(0, pend(self, 1));
	both = sync_file_merge(self->out[0], self->out[1]);
	same = sync_file_merge(self->out[0], self->out[0]);
	ASSERT_LE(0, both);
	ASSERT_LE(0, same);
	ASSERT_EQ(0, pass(self, 0));
	EXPECT_EQ(0, sync_file_status(both));
	EXPECT_EQ(1, sync_file_status(same));
	ASSERT_EQ(0, pass(self, 1));
	EXPECT_EQ(1, sync_file_status(both));
}

/* Of two channels it takes both, whichever comes first. */
TEST_F(sync_file, merge_two_timelines)
{
	struct slots other;
	struct gate gate;
	int first, out, both;

	ASSERT_EQ(0, slots_open(&other, 1, 1, 0));
	ASSERT_EQ(1, fpga_start(other.ch));
	for (first = 0; first < 2; first++) {
		ASSERT_EQ(0, gate_make(&gate, GATE_VGEM));
		ASSERT_EQ(0, pend(self, first));
		ASSERT_EQ(0, fpga_queue_fenced(other.ch, 0, IN_OUT, gate.fence,
					       &out));
		both = sync_file_merge(self->out[first], out);
		ASSERT_LE(0, both);
		ASSERT_EQ(0, first ? gate_open(&gate) : pass(self, 0));
		EXPECT_EQ(0, sync_file_status(both));
		ASSERT_EQ(0, first ? pass(self, 1) : gate_open(&gate));
		EXPECT_EQ(0, sync_file_wait(both, 5000));
		EXPECT_EQ(1, sync_file_status(both));
		EXPECT_STREQ("ok", slots_take(&self->s, first));
		EXPECT_STREQ("ok", slots_take(&other, 0));
		gate_free(&gate);
	}
}

/* Merged at random while they signal: done when the last one is, once. */
TEST_F(sync_file, merge_stress)
{
	const int rounds = 100;
	int merged, next, round, i;

	srandom(test_seed());
	for (round = 0; round < rounds; round++) {
		merged = -1;
		for (i = 0; i < NUM; i++) {
			ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, i,
						       FPGABUF_QUEUE_OUT_FENCE,
						       -1, &self->out[i]));
			if (merged < 0) {
				merged = dup(self->out[i]);
				continue;
			}
			next = sync_file_merge(merged,
					       self->out[random() % (i + 1)]);
			ASSERT_LE(0, next);
			close(merged);
			merged = next;
		}
		next = sync_file_merge(merged, self->out[NUM - 1]);
		ASSERT_EQ(0, sync_file_wait(next, 5000));
		for (i = 0; i < NUM; i++) {
			ASSERT_EQ(1, sync_file_status(self->out[i]));
			ASSERT_EQ(0, slots_take_status(&self->s, i));
			close(self->out[i]);
		}
		close(next);
		close(merged);
	}
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
