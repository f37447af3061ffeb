// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's devices are suspended beside streams and copies, and resumed. What
 * was pending has ended, with its fences, and whoever starts again goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fences.h"
#include "../importer/importer_test.h"
#include "../sim/sim_test.h"

#define PM_TEST		"/sys/power/pm_test"
#define PM_STATE	"/sys/power/state"
#define PM_DELAY	"/sys/module/suspend/parameters/pm_test_delay"
#define FRAME		4096

/* Suspend all devices, and resume them at once. 0, or a negative errno. */
static int suspend(void)
{
	int ret = write_file(PM_TEST, "devices");

	if (!ret)
		ret = write_file(PM_STATE, "freeze");
	return ret;
}

static const char *suspend_missing(void)
{
	if (access(PM_TEST, W_OK))
		return "no CONFIG_PM_DEBUG";
	/* By default it waits for five seconds. */
	return write_file(PM_DELAY, "0") ? "no " PM_DELAY : NULL;
}

FIXTURE(suspend) {
	struct totals before;
	struct buffer b;
	int ch;
};

FIXTURE_SETUP(suspend)
{
	REQUIRE_CHANNEL(self->before);
	if (suspend_missing())
		SKIP(return, "%s", suspend_missing());
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, 2 * FRAME, FPGABUF_KIND_SYSTEM,
				  &self->b));
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, 2));
}

FIXTURE_TEARDOWN_PARENT(suspend)
{
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

static const char *capture(int ch, const struct buffer *b)
{
	struct fpgabuf_completion done;

	if (fpga_queue(ch, 0, 0) || fpga_take(ch, &done, 1, 1, 5 * SEC) != 1)
		return "no frame";
	return raw_check_synced(b->fd, b->map, FRAME, &done);
}

/* A frame is in the middle, and another one waits behind it. */
TEST_F_TIMEOUT(suspend, ends_a_stream, 60)
{
	struct fpgabuf_completion done[2];
	int i, out[2];

	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, FPGABUF_MAX_TIMEOUT_MS));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &out[i]));
	ASSERT_EQ(0, suspend());
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ECANCELED, sync_file_status(out[i]));
	ASSERT_EQ(2, fpga_take(self->ch, done, 2, 2, 0));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ECANCELED, done[i].status);
	EXPECT_EQ(POLLERR, poll_fd(self->ch, POLLIN, 0));
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, done, 1, 1, SEC));
}

/* The FPGA has forgotten its format, and its owner need not know. */
TEST_F_TIMEOUT(suspend, is_started_again, 60)
{
	int i;

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(i, fpga_start(self->ch));
		EXPECT_STREQ("ok", capture(self->ch, &self->b));
		ASSERT_EQ(0, suspend());
	}
}

/* It need not be started by then. */
TEST_F_TIMEOUT(suspend, cancels_what_is_queued, 60)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 0, 0));
	EXPECT_EQ(-ECANCELED, done.status);
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
}

/* An engine that does not stop keeps its buffers, and the machine is suspended. */
TEST_F_TIMEOUT(suspend, keeps_what_is_stuck, 60)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, sim_fault("rx0", "stuck"));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	/* The engine is in the middle of the frame then. */
	pass_time(200 * MSEC);
	ASSERT_EQ(0, suspend());
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(-EIO, done.status);
	EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, 0));
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(2, fpga_start(self->ch));
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
}

/* A copy that hangs fails, and the next one is done. */
TEST_F_TIMEOUT(suspend, ends_a_copy, 60)
{
	struct fpgabuf_import_copy copy = {
		.length = FRAME,
		.dst_offset = FRAME,
		.flags = FPGABUF_QUEUE_OUT_FENCE,
	};
	struct fpgabuf_import_done done;
	const int dev = import_open(O_RDWR);

	ASSERT_LE(0, dev);
	ASSERT_EQ(0, import_attach(dev, self->b.fd, IMPORT_BOTH));
	ASSERT_EQ(0, sim_fault("copy0", "hang"));
	ASSERT_EQ(0, import_queue(dev, &copy, 1));
	ASSERT_EQ(0, suspend());
	EXPECT_EQ(-ECANCELED, sync_file_status(copy.out_fence));
	ASSERT_EQ(1, import_take(dev, &done, 1, 1, 0));
	EXPECT_EQ(-ECANCELED, done.status);

	ASSERT_EQ(0, import_queue(dev, &copy, 1));
	EXPECT_EQ(0, sync_file_wait(copy.out_fence, 5000));
	EXPECT_EQ(1, sync_file_status(copy.out_fence));
	ASSERT_EQ(1, import_take(dev, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
}

TEST_HARNESS_MAIN
