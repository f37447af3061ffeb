// SPDX-License-Identifier: GPL-2.0
/*
 * The end of an importing device's file, of its process, of its device and of its
 * driver: all fences signal, and nothing is freed early, or kept.
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
#include "importer_test.h"

#define SIZE	8192
#define NUM	4
#define TIMEOUT_MS	200

FIXTURE(release) {
	struct totals before;
	int ch, dev;
	struct buffer b[2];
	struct fpgabuf_import_copy copies[NUM];
};

static int set_up(int ch, struct buffer *b, struct fpgabuf_import_copy *copies)
{
	int dev = import_open(O_RDWR);
	int i, ret = dev < 0 ? dev : 0;

	for (i = 0; !ret && i < 2; i++) {
		ret = buffer_alloc(ch, SIZE, FPGABUF_KIND_COHERENT, &b[i]);
		if (!ret)
			ret = import_attach(dev, b[i].fd, IMPORT_BOTH) - i;
	}
	for (i = 0; i < NUM; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = SIZE,
			.flags = FPGABUF_QUEUE_OUT_FENCE,
			.dst = 1,
		};
	return ret ?: dev;
}

/* Whether the engine has come to a fault that is left to so many after that. */
static bool engine_meets(const char *left)
{
	__s64 end = now_ns() + 5 * SEC;

	while (strcmp(sim_fault_left("copy0"), left) && now_ns() < end)
		pass_time(MSEC);
	return !strcmp(sim_fault_left("copy0"), left);
}

/* No copy comes to its end. */
FIXTURE_SETUP(release)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->dev = set_up(self->ch, self->b, self->copies);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, sim_fault("copy0", "hang 1000"));
	ASSERT_EQ(0, import_queue(self->dev, self->copies, NUM));
	ASSERT_TRUE(engine_meets("hang 999 0"));
}

FIXTURE_TEARDOWN_PARENT(release)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(release, by_close)
{
	int i;

	EXPECT_EQ(0, sync_file_status(self->copies[0].out_fence));
	close(self->dev);
	for (i = 0; i < NUM; i++)
		EXPECT_EQ(-ECANCELED,
			  sync_file_status(self->copies[i].out_fence));
	/* The next one finds it as new. */
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, import_attach(self->dev, self->b[1].fd, IMPORT_BOTH));
	ASSERT_EQ(1, import_attach(self->dev, self->b[0].fd, IMPORT_BOTH));
	buffer_fill(&self->b[1], 1);
	EXPECT_EQ(0, import_copy(self->dev, 0, 1, SIZE));
	EXPECT_EQ(SIZE, buffer_differs(&self->b[0], 1, 0, SIZE));
}

/* What is queued cannot be detached, what is done can. */
TEST_F(release, not_by_detach)
{
	EXPECT_EQ(-EBUSY, import_detach(self->dev, 0));
	EXPECT_EQ(-EBUSY, import_detach(self->dev, 1));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	ASSERT_EQ(0, sync_file_wait(self->copies[NUM - 1].out_fence, 5000));
	EXPECT_EQ(0, import_detach(self->dev, 0));
	EXPECT_EQ(0, import_detach(self->dev, 1));
}

TEST_F(release, by_unbind)
{
	struct fpgabuf_import_info info;
	struct fpgabuf_import_done done;
	int i, dev;

	ASSERT_EQ(0, driver_write("unbind"));
	for (i = 0; i < NUM; i++)
		EXPECT_EQ(-ENODEV, sync_file_status(self->copies[i].out_fence));
	EXPECT_EQ(-ENODEV, import_info(self->dev, &info));
	EXPECT_EQ(-ENODEV, import_attach(self->dev, self->b[0].fd, IMPORT_BOTH));
	EXPECT_EQ(-ENODEV, import_queue(self->dev, self->copies, 1));
	EXPECT_EQ(-ENODEV, import_take(self->dev, &done, 1, 1, -1));
	EXPECT_EQ(POLLERR | POLLHUP, poll_fd(self->dev, POLLIN, 0));
	/* What was allocated is there nevertheless. */
	buffer_fill(&self->b[0], 1);
	EXPECT_EQ(SIZE, buffer_differs(&self->b[0], 1, 0, SIZE));
	ASSERT_EQ(0, driver_write("bind"));
	/* The old file has no part in the new device, which has its number. */
	dev = import_open(O_RDWR);
	ASSERT_LE(0, dev);
	EXPECT_EQ(0, import_attach(dev, self->b[0].fd, IMPORT_BOTH));
	EXPECT_EQ(-ENODEV, import_info(self->dev, &info));
}

/* Somebody waits for a copy when the device goes. */
TEST_F(release, woken_by_unbind)
{
	struct fpgabuf_import_done done;
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(import_take(self->dev, &done, 1, 1, -1) != -ENODEV);
	pass_time(50 * MSEC);
	ASSERT_EQ(0, driver_write("unbind"));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(self->dev);
	close(self->ch);
	ASSERT_EQ(0, driver_write("bind"));
}

/* The same, and the engine has little time for each. */
FIXTURE(timeout) {
	struct totals before;
	int ch, dev;
	struct buffer b[2];
	struct fpgabuf_import_copy copies[NUM];
};

FIXTURE_SETUP(timeout)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_copier_timeout(TIMEOUT_MS));
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->dev = set_up(self->ch, self->b, self->copies);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, sim_fault("copy0", "hang 1000"));
}

FIXTURE_TEARDOWN_PARENT(timeout)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

/* The first one has the time to itself, those behind it as much together. */
TEST_F(timeout, of_all)
{
	struct fpgabuf_import_info info = { 0 };
	__s64 began = now_ns(), ended, least;
	int i;

	ASSERT_EQ(0, import_info(self->dev, &info));
	EXPECT_EQ((__u32)TIMEOUT_MS, info.timeout_ms);
	ASSERT_EQ(0, import_queue(self->dev, self->copies, NUM));
	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, sync_file_wait(self->copies[i].out_fence, 5000));
		EXPECT_EQ(-ETIMEDOUT,
			  sync_file_status(self->copies[i].out_fence));
		ended = sync_file_time(self->copies[i].out_fence);
		least = i < 2 ? TIMEOUT_MS * MSEC : 0;
		EXPECT_LE(least, ended - began);
		EXPECT_GE(least + SLACK, ended - began);
		began = ended;
	}
	/* It has done no harm. */
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	buffer_fill(&self->b[0], 1);
	ASSERT_EQ(0, import_queue(self->dev, self->copies, 1));
	ASSERT_EQ(0, sync_file_wait(self->copies[0].out_fence, 5000));
	EXPECT_EQ(1, sync_file_status(self->copies[0].out_fence));
	EXPECT_EQ(SIZE, buffer_differs(&self->b[1], 1, 0, SIZE));
}

/* The engine cannot be stopped: what it has is nobody's until it can. */
FIXTURE(stuck) {
	struct totals before;
	int ch, dev;
	struct buffer b[2];
	struct fpgabuf_import_copy copies[NUM];
};

FIXTURE_SETUP(stuck)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_copier_timeout(TIMEOUT_MS));
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->dev = set_up(self->ch, self->b, self->copies);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, sim_fault("copy0", "stuck"));
	ASSERT_EQ(0, import_queue(self->dev, self->copies, NUM));
	ASSERT_TRUE(engine_meets("none"));
}

FIXTURE_TEARDOWN_PARENT(stuck)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(stuck, quarantine)
{
	struct fpgabuf_import_info info = { 0 };
	struct fpgabuf_import_done done[NUM];
	__s64 began = now_ns();
	int i;

	ASSERT_EQ(NUM, import_take(self->dev, done, NUM, NUM, 10 * SEC));
	EXPECT_GE(TIMEOUT_MS * MSEC + SLACK, now_ns() - began);
	for (i = 0; i < NUM; i++) {
		EXPECT_EQ(-EIO, done[i].status);
		EXPECT_EQ(-EIO, sync_file_status(self->copies[i].out_fence));
	}
	ASSERT_EQ(0, import_info(self->dev, &info));
	EXPECT_EQ(FPGABUF_STATE_QUARANTINE, info.state);
	EXPECT_EQ(POLLERR, poll_fd(self->dev, POLLIN, 0));
	EXPECT_EQ(-EBUSY, import_detach(self->dev, 0));
	EXPECT_EQ(-EIO, import_queue(self->dev, self->copies, 1));
	close(self->dev);
	EXPECT_EQ(-EIO, import_open(O_RDWR));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, import_info(self->dev, &info));
	EXPECT_EQ(0U, info.state);
	ASSERT_EQ(0, import_attach(self->dev, self->b[0].fd, IMPORT_BOTH));
	ASSERT_EQ(1, import_attach(self->dev, self->b[1].fd, IMPORT_BOTH));
	EXPECT_EQ(0, import_copy(self->dev, 0, 1, SIZE));
}

TEST_F(stuck, unbound)
{
	close(self->dev);
	close(self->ch);
	ASSERT_EQ(0, driver_write("unbind"));
	ASSERT_EQ(0, driver_write("bind"));
	self->dev = import_open(O_RDWR);
	EXPECT_LE(0, self->dev);
}

FIXTURE(end) {
	struct totals before;
	struct buffer b[2];
	struct fpgabuf_import_copy copies[NUM];
};

FIXTURE_SETUP(end)
{
	REQUIRE_CHANNEL(self->before);
}

FIXTURE_TEARDOWN_PARENT(end)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

/* A process is killed; who was given its fence learns of it. */
TEST_F(end, by_kill)
{
	int sockets[2], fence, status, dev;
	pid_t pid;

	ASSERT_EQ(0, sim_fault("copy0", "hang 1000"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	if (!pid) {
		dev = set_up(fpga_open(0, O_RDWR), self->b, self->copies);
		if (dev < 0 || import_queue(dev, self->copies, NUM))
			_exit(1);
		send_fd(sockets[1], self->copies[0].out_fence);
		pause();
	}
	fence = recv_fd(sockets[0]);
	ASSERT_LE(0, fence);
	EXPECT_EQ(0, sync_file_status(fence));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, sync_file_wait(fence, 5000));
	EXPECT_EQ(-ECANCELED, sync_file_status(fence));
	dev = import_open(O_RDWR);
	EXPECT_LE(0, dev);
}

/* Its driver stays as long as it is open. */
TEST_F(end, of_the_driver)
{
	static const char *const remove[] = { "rmmod", SIM_DRIVER, NULL };
	static const char *const load[] = { "modprobe", SIM_DRIVER, NULL };
	int dev = import_open(O_RDWR);

	ASSERT_LE(0, dev);
	EXPECT_NE(0, run_program(remove));
	EXPECT_TRUE(module_loaded(SIM_DRIVER));
	close(dev);
	EXPECT_EQ(0, run_program(remove));
	EXPECT_EQ(-ENOENT, import_open(O_RDWR));
	EXPECT_EQ(0, run_program(load));
	dev = import_open(O_RDWR);
	EXPECT_LE(0, dev);
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
