// SPDX-License-Identifier: GPL-2.0
/*
 * The device is taken away: while it writes, and while there is memory that was
 * made for it. Its driver waits for the engine, or the IOMMU would tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "edu.h"

#define FRAME	5000
#define SIZE	(16 << 10)
#define DEPTH	8

/* Far more than a transfer of 100 ms, and less than a driver's time limit */
#define BOUND	(3 * SEC)

/* Read by the tests' processes and by their parent */
static int kmsg;

static int remove_driver(void)
{
	return syscall(SYS_delete_module, EDU_DRIVER, O_NONBLOCK) ? -errno : 0;
}

static int insert_driver(void)
{
	const char *const argv[] = { "modprobe", EDU_DRIVER, NULL };

	return run_program(argv);
}

static const char *usable(void)
{
	struct fpgabuf_info info;
	int ch = edu_open(&info);
	const char *verdict;
	struct buffer b;

	if (ch < 0)
		return "no channel";
	if (buffer_alloc(ch, SIZE, FPGABUF_KIND_COHERENT, &b)) {
		verdict = "cannot allocate";
	} else {
		verdict = edu_capture(ch, &b, 0, FRAME);
		buffer_free(&b);
	}
	close(ch);
	return verdict;
}

FIXTURE(gone) {
	struct totals before;
	struct fpgabuf_info info;
	int ch;
};

FIXTURE_SETUP(gone)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = edu_open(&self->info);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(gone)
{
	struct totals after;

	/* Fails when it is bound, as it is after most tests. */
	edu_driver_write("bind");
	EXPECT_EQ(0, totals_read(&after));
	EXPECT_TRUE(totals_equal(&self->before, &after));
	EXPECT_STREQ("ok", usable());
	EXPECT_EQ(0, kmsg_faults(kmsg));
}

/*
 * Queue as many frames as it takes, in memory of all of @kinds, and wait until
 * the first of them is done.
 */
static int stream(int ch, struct buffer *b, const struct fpgabuf_info *kinds)
{
	struct fpgabuf_completion done;
	int i, ret, slot;
	int kind = -1;

	ret = fpga_set_raw(ch, FRAME, 0);
	for (i = 0; !ret && i < DEPTH; i++) {
		if (!edu_next_kind(kinds, &kind)) {
			kind = -1;
			edu_next_kind(kinds, &kind);
		}
		ret = buffer_alloc(ch, SIZE, kind, &b[i]);
		if (ret)
			return ret;
		slot = fpga_register(ch, b[i].fd, 0, 0);
		if (slot < 0)
			return slot;
		ret = fpga_queue(ch, slot, 0);
	}
	if (ret)
		return ret;
	ret = fpga_start(ch);
	if (ret != 1)
		return ret < 0 ? ret : -EPROTO;
	ret = fpga_take(ch, &done, 1, 1, 5 * SEC);
	return ret == 1 ? done.status : ret;
}

TEST_F(gone, while_streaming)
{
	struct buffer b[DEPTH];
	__s64 began;
	int i;

	ASSERT_EQ(0, stream(self->ch, b, &self->info));
	began = now_ns();
	ASSERT_EQ(0, edu_driver_write("unbind"));
	EXPECT_GT(BOUND, now_ns() - began);
	/* Not left to itself: it may not master the bus any more, but would later. */
	EXPECT_EQ(0, edu_busy());

	EXPECT_EQ(-ENODEV, fpga_stop(self->ch));
	EXPECT_EQ(POLLERR | POLLHUP, poll_fd(self->ch, POLLIN, 0));
	EXPECT_EQ(-ENODEV, edu_open(&self->info));
	EXPECT_TRUE(edu_frame(b[0].map, FRAME, 1));
	for (i = 0; i < DEPTH; i++)
		memset(b[i].map, 0x5a, SIZE);
	/* Longer than a transfer takes: nobody writes any more. */
	pass_time(300 * MSEC);
	for (i = 0; i < DEPTH; i++)
		EXPECT_TRUE(all_bytes(b[i].map, 0x5a, SIZE));

	ASSERT_EQ(0, edu_driver_write("bind"));
	EXPECT_STREQ("ok", usable());
	/* The file from before is of the device from before. */
	EXPECT_EQ(-ENODEV, fpga_stop(self->ch));
	for (i = 0; i < DEPTH; i++)
		buffer_free(&b[i]);
}

/* Buffers stay what they are, and go when nobody has them any more. */
TEST_F(gone, buffers_stay)
{
	struct buffer b[KIND_COUNT];
	int kind = -1;
	unsigned int i, n = 0;

	while (edu_next_kind(&self->info, &kind)) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b[n]));
		ASSERT_STREQ("ok", edu_capture(self->ch, &b[n], 0, 64));
		memset(b[n++].map, 0x42, SIZE);
	}
	ASSERT_EQ(0, edu_driver_write("unbind"));
	for (i = 0; i < n; i++)
		EXPECT_TRUE(all_bytes(b[i].map, 0x42, SIZE));
	/* One goes while there is no driver, the others when it is back. */
	buffer_free(&b[0]);
	ASSERT_EQ(0, edu_driver_write("bind"));
	close(self->ch);
	self->ch = edu_open(NULL);
	ASSERT_LE(0, self->ch);
	for (i = 1; i < n; i++) {
		EXPECT_TRUE(all_bytes(b[i].map, 0x42, SIZE));
		/* The same device: what was made for it, it can use. */
		EXPECT_STREQ("ok", edu_capture(self->ch, &b[i], 0, FRAME));
		buffer_free(&b[i]);
	}
}

/* When there is not even a device any more, there still is its memory. */
TEST_F(gone, device_pulled_out)
{
	struct buffer b[DEPTH];
	void *map;
	int i;

	ASSERT_EQ(0, stream(self->ch, b, &self->info));
	ASSERT_EQ(0, edu_pull_out());
	EXPECT_EQ(-ENODEV, fpga_stop(self->ch));
	EXPECT_TRUE(edu_frame(b[0].map, FRAME, 1));
	for (i = 0; i < DEPTH; i++) {
		memset(b[i].map, 0x42, SIZE);
		map = dmabuf_map(b[i].fd, SIZE);
		ASSERT_NE(NULL, map);
		EXPECT_TRUE(all_bytes(map, 0x42, SIZE));
		munmap(map, SIZE);
	}
	for (i = 0; i < DEPTH / 2; i++)
		buffer_free(&b[i]);
	ASSERT_EQ(0, edu_put_back());
	EXPECT_STREQ("ok", usable());
	for (; i < DEPTH; i++)
		buffer_free(&b[i]);
}

/* A file or a buffer is a use of the driver. */
TEST_F(gone, driver_removed)
{
	struct buffer b;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM, &b));
	EXPECT_EQ(-EAGAIN, remove_driver());
	close(self->ch);
	EXPECT_EQ(-EAGAIN, remove_driver());
	buffer_free(&b);
	ASSERT_EQ(0, remove_driver());
	EXPECT_EQ(-ENODEV, edu_open(NULL));
	ASSERT_EQ(0, insert_driver());
}

int main(int argc, char **argv)
{
	int status = edu_set_up();

	if (status)
		return status;
	kmsg = kmsg_open();
	return test_harness_run(argc, argv);
}
