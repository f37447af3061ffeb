// SPDX-License-Identifier: GPL-2.0
/*
 * Every fence signals in bounded time, whatever becomes of the frame, the
 * channel, its owner or its device; and whoever holds it then holds what it
 * needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

#define TIMEOUT_MS	50

FIXTURE(end) {
	struct totals before;
	struct slots s;
	int out[4];
};

/* No frame of the first channel comes to its end, until frames_come(). */
FIXTURE_SETUP(end)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_fault("rx0", "hang 1000"));
}

static int frames_come(void)
{
	return sim_fault("rx0", "none");
}

FIXTURE_TEARDOWN_PARENT(end)
{
	frames_come();
	EXPECT_NOTHING_LEFT(self->before);
}

static int queue_fenced(struct slots *s, unsigned int num, int *out)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < num; i++)
		ret = fpga_queue_fenced(s->ch, i, FPGABUF_QUEUE_OUT_FENCE, -1,
					&out[i]);
	return ret;
}

/* The first one has the time to itself, those behind it as much together. */
TEST_F(end, by_timeout)
{
	__s64 began, ended, least;
	int i;

	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	began = now_ns();
	ASSERT_EQ(0, queue_fenced(&self->s, 3, self->out));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		ended = sync_file_time(self->out[i]);
		EXPECT_EQ(-ETIMEDOUT, sync_file_status(self->out[i]));
		least = i < 2 ? TIMEOUT_MS * MSEC : 0;
		EXPECT_LE(least, ended - began);
		EXPECT_GE(least + SLACK, ended - began);
		EXPECT_EQ(-ETIMEDOUT, slots_take_status(&self->s, i));
		began = ended;
	}
	/* It has done no harm. */
	ASSERT_EQ(0, frames_come());
	ASSERT_EQ(0, fpga_queue(self->s.ch, 3, 0));
	EXPECT_STREQ("ok", slots_take(&self->s, 3));
}

/* One without a fence is in the way of one that has one. */
TEST_F(end, by_timeout_of_another)
{
	__s64 began, took;

	ASSERT_EQ(0, slots_open(&self->s, 0, 2, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	began = now_ns();
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 1, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &self->out[0]));
	ASSERT_EQ(0, sync_file_wait(self->out[0], 5000));
	EXPECT_EQ(-ETIMEDOUT, sync_file_status(self->out[0]));
	/* Each has the time to itself. */
	took = sync_file_time(self->out[0]) - began;
	EXPECT_LE(2 * TIMEOUT_MS * MSEC, took);
	EXPECT_GE(2 * TIMEOUT_MS * MSEC + SLACK, took);
	EXPECT_EQ(-ETIMEDOUT, slots_take_status(&self->s, 0));
	EXPECT_EQ(-ETIMEDOUT, slots_take_status(&self->s, 1));
}

/* A source may be idle for longer than that, if nobody has a fence. */
TEST_F(end, not_by_timeout_without_a_fence)
{
	ASSERT_EQ(0, slots_open(&self->s, 0, 2, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	EXPECT_EQ(0, poll_fd(self->s.ch, POLLIN, 4 * TIMEOUT_MS));
	ASSERT_EQ(0, frames_come());
	EXPECT_STREQ("ok", slots_take(&self->s, 0));
}

/* The time that went by before there was a fence does not count. */
TEST_F(end, by_timeout_from_the_fence_on)
{
	__s64 queued, took;

	ASSERT_EQ(0, slots_open(&self->s, 0, 2, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->s.ch, 4 * TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue(self->s.ch, 0, 0));
	pass_time(4 * TIMEOUT_MS * MSEC);
	queued = now_ns();
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 1, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &self->out[0]));
	EXPECT_EQ(-ETIMEDOUT, slots_take_status(&self->s, 0));
	took = now_ns() - queued;
	EXPECT_LE(4 * TIMEOUT_MS * MSEC, took);
	EXPECT_GE(4 * TIMEOUT_MS * MSEC + SLACK, took);
}

TEST_F(end, by_stop)
{
	int i;

	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(0, queue_fenced(&self->s, 4, self->out));
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-ECANCELED, sync_file_status(self->out[i]));
		EXPECT_EQ(-ECANCELED, slots_take_status(&self->s, i));
	}
}

/* What waited for it fails with the same error, on another channel. */
TEST_F(end, by_stop_of_another)
{
	struct slots other;
	int out;

	ASSERT_EQ(0, slots_open(&self->s, 0, 1, 0));
	ASSERT_EQ(0, slots_open(&other, 1, 2, 0));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(1, fpga_start(other.ch));
	ASSERT_EQ(0, queue_fenced(&self->s, 1, self->out));
	slots_fill(&other, 0);
	ASSERT_EQ(0, fpga_queue_fenced(other.ch, 0, IN_OUT, self->out[0],
				       &out));
	ASSERT_EQ(0, fpga_queue(other.ch, 1, 0));
	ASSERT_EQ(0, fpga_stop(self->s.ch));
	ASSERT_EQ(0, sync_file_wait(out, 5000));
	EXPECT_EQ(-ECANCELED, sync_file_status(out));
	EXPECT_EQ(-ECANCELED, slots_take_status(&other, 0));
	EXPECT_TRUE(slots_untouched(&other, 0));
	EXPECT_STREQ("ok", slots_take(&other, 1));
}

TEST_F(end, by_close)
{
	int i;

	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(0, queue_fenced(&self->s, 4, self->out));
	close(self->s.ch);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ECANCELED, sync_file_status(self->out[i]));
}

static void child_queues(int socket)
{
	struct slots s;
	int out = -1;

	if (!slots_open(&s, 0, 1, 0) && fpga_start(s.ch) == 1)
		queue_fenced(&s, 1, &out);
	send_fd(socket, out);
	pause();
}

TEST_F(end, by_kill)
{
	int sockets[2];
	int status, out;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		child_queues(sockets[1]);
	out = recv_fd(sockets[0]);
	ASSERT_LE(0, out);
	EXPECT_EQ(0, sync_file_status(out));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, sync_file_wait(out, 5000));
	EXPECT_EQ(-ECANCELED, sync_file_status(out));
}

/* The newest kernels part a fence that has signaled from its driver. */
static bool names_are_right(int sync_file, const char *node)
{
	char driver[32], timeline[32];

	if (sync_file_names(sync_file, driver, timeline))
		return false;
	if (!strcmp(driver, "detached-driver"))
		return !strcmp(timeline, "signaled-timeline");
	return !strcmp(driver, "fpgabuf") && !strcmp(timeline, node);
}

/* The fence outlives the device, and tells what it has told before. */
TEST_F(end, by_unbind)
{
	char node[32];
	int i;

	ASSERT_EQ(0, slots_open(&self->s, 0, 4, 0));
	ASSERT_EQ(0, node_name(self->s.ch, node, sizeof(node)));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(0, queue_fenced(&self->s, 4, self->out));
	ASSERT_EQ(0, driver_write("unbind"));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ENODEV, sync_file_status(self->out[i]));
	close(self->s.ch);
	EXPECT_TRUE(names_are_right(self->out[0], node));
	ASSERT_EQ(0, driver_write("bind"));
	EXPECT_EQ(-ENODEV, sync_file_status(self->out[0]));
}

/* A fence holds its module until RCU has freed it, some moments after the last fd. */
static int run_until_it_works(const char *const argv[])
{
	const __s64 end = now_ns() + 5 * SEC;
	int ret;

	while ((ret = run_program(argv)) && now_ns() < end)
		pass_time(10 * MSEC);
	return ret;
}

/* The board and the channel go; a fence's own code stays as long as it does. */
TEST_F(end, of_the_module)
{
	static const char *const remove[] = {
		"rmmod", "fpgabuf_sim", "fpgabuf_dma", NULL,
	};
	static const char *const remove_last[] = {
		"rmmod", "fpgabuf_importer", NULL,
	};
	static const char *const load[] = { "modprobe", "fpgabuf_sim", NULL };
	char node[32];

	ASSERT_EQ(0, frames_come());
	ASSERT_EQ(0, slots_open(&self->s, 0, 1, 0));
	ASSERT_EQ(0, node_name(self->s.ch, node, sizeof(node)));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	ASSERT_EQ(0, queue_fenced(&self->s, 1, self->out));
	ASSERT_EQ(0, sync_file_wait(self->out[0], 5000));
	close(self->s.ch);
	buffer_free(&self->s.b[0]);

	EXPECT_EQ(0, run_program(remove));
	EXPECT_NE(0, run_program(remove_last));
	EXPECT_TRUE(module_loaded("fpgabuf_importer"));
	EXPECT_EQ(1, sync_file_status(self->out[0]));
	EXPECT_TRUE(names_are_right(self->out[0], node));
	close(self->out[0]);
	EXPECT_EQ(0, run_until_it_works(remove_last));
	ASSERT_EQ(0, run_program(load));
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
