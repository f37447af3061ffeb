// SPDX-License-Identifier: GPL-2.0
/*
 * What is wrong with a request, and that it has changed nothing then: no buffer
 * queued, no file left, no fence in any buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/resource.h>

#include "../kselftest_harness.h"
#include "fences_test.h"

#define NUM	4

FIXTURE(submit) {
	struct totals before;
	struct slots s;
	int fds;
	struct fpgabuf_queue_entry entries[NUM];
	struct fpgabuf_fences fences[NUM];
};

FIXTURE_SETUP(submit)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, slots_open(&self->s, 0, NUM, 0));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	for (i = 0; i < NUM; i++) {
		self->entries[i].slot = i;
		self->entries[i].flags = FPGABUF_QUEUE_OUT_FENCE;
	}
	self->fds = open_fds();
}

FIXTURE_TEARDOWN_PARENT(submit)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int exchange(int ch, const void *entries, void *fences)
{
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)entries,
		.queue_count = NUM,
		.fences = (uintptr_t)fences,
	};

	return fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);
}

static void expect_unchanged(struct __test_metadata *_metadata,
			     FIXTURE_DATA(submit) *self)
{
	struct fpgabuf_completion done;
	int i;

	EXPECT_EQ(self->fds, open_fds());
	EXPECT_EQ(-EAGAIN, fpga_take(self->s.ch, &done, 1, 0, 0));
	for (i = 0; i < NUM; i++)
		EXPECT_EQ(POLLIN | POLLOUT,
			  poll_fd(self->s.b[i].fd, POLLIN | POLLOUT, 0));
}

TEST_F(submit, all)
{
	int i;

	ASSERT_EQ(0, exchange(self->s.ch, self->entries, self->fences));
	EXPECT_EQ(self->fds + NUM, open_fds());
	for (i = 0; i < NUM; i++) {
		EXPECT_EQ(FD_CLOEXEC, fcntl(self->fences[i].out, F_GETFD));
		EXPECT_EQ(0, sync_file_wait(self->fences[i].out, 5000));
		EXPECT_STREQ("ok", slots_take(&self->s, i));
	}
}

TEST_F(submit, no_fences)
{
	EXPECT_EQ(-EINVAL, exchange(self->s.ch, self->entries, NULL));
	self->entries[3].flags = FPGABUF_QUEUE_IN_FENCE;
	EXPECT_EQ(-EINVAL, exchange(self->s.ch, self->entries, NULL));
	expect_unchanged(_metadata, self);
}

TEST_F(submit, bad_pointers)
{
	void *read_only = read_only_copy(self->fences, sizeof(self->fences));

	EXPECT_EQ(-EFAULT, exchange(self->s.ch, self->entries,
				    no_access_page()));
	EXPECT_EQ(-EFAULT, exchange(self->s.ch, self->entries, read_only));
	expect_unchanged(_metadata, self);
}

/* In the last entry, when all others are ready. */
TEST_F(submit, bad_in_fences)
{
	int pipe_fds[2];
	int i;

	ASSERT_EQ(0, pipe(pipe_fds));
	self->fds = open_fds();
	self->entries[NUM - 1].flags = IN_OUT;
	for (i = -1; i < 2; i++) {
		self->fences[NUM - 1].in = i < 0 ? -1 : pipe_fds[i];
		EXPECT_EQ(-EINVAL, exchange(self->s.ch, self->entries,
					    self->fences));
	}
	self->fences[NUM - 1].in = self->s.b[0].fd;
	EXPECT_EQ(-EINVAL, exchange(self->s.ch, self->entries, self->fences));
	expect_unchanged(_metadata, self);
}

TEST_F(submit, bad_slots)
{
	self->entries[NUM - 1].slot = NUM;
	EXPECT_EQ(-ENOENT, exchange(self->s.ch, self->entries, self->fences));
	self->entries[NUM - 1].slot = 0;
	EXPECT_EQ(-EBUSY, exchange(self->s.ch, self->entries, self->fences));
	expect_unchanged(_metadata, self);
}

/* A fence must signal in bounded time: not of a channel that does nothing. */
TEST_F(submit, not_started)
{
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	EXPECT_EQ(-EPIPE, exchange(self->s.ch, self->entries, self->fences));
	ASSERT_EQ(2, fpga_start(self->s.ch));
	expect_unchanged(_metadata, self);
}

/* At every one of the files that are to be made. */
TEST_F(submit, no_file_descriptor)
{
	struct rlimit limit, all;
	int first = dup(0), i;

	ASSERT_LE(0, first);
	close(first);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &all));
	for (i = 0; i < NUM; i++) {
		limit = all;
		limit.rlim_cur = first + i;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_EQ(-EMFILE, exchange(self->s.ch, self->entries,
					    self->fences));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &all));
		expect_unchanged(_metadata, self);
	}
}

TEST_F(submit, bad_timeouts)
{
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	EXPECT_EQ(-EINVAL, fpga_start_timeout(self->s.ch,
					      FPGABUF_MAX_TIMEOUT_MS + 1));
	EXPECT_EQ(-EINVAL, fpga_start_timeout(self->s.ch, ~0U));
	EXPECT_EQ(2, fpga_start_timeout(self->s.ch, FPGABUF_MAX_TIMEOUT_MS));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
