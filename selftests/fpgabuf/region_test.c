// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the device brings along, here the simulated FPGA's on-board RAM:
 * nobody else reaches it, there is only so much of it, and it goes with its
 * device. What it has in common with the other kinds is tested with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "foreign.h"
#include "fpgabuf_test.h"

#define SIZE	(64 << 10)
/* More buffers of SIZE than any board of ours has room for. */
#define MANY	4096

FIXTURE(region) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(region)
{
	struct fpgabuf_info info;

	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	REQUIRE_NOTHING_MISSING(info.kinds & 1U << FPGABUF_KIND_REGION ? NULL :
				"the simulated FPGA has no memory (ram=0)");
}

FIXTURE_TEARDOWN_PARENT(region)
{
	/* A test that failed may have left it unbound. */
	if (test_channel_missing(0)) {
		driver_write("unbind");
		driver_write("bind");
	}
	EXPECT_NOTHING_LEFT(self->before);
}

/* Takes all there is; returns how many buffers that was. */
static unsigned int take_all(int ch, int *fds)
{
	unsigned int count = 0;

	while (count < MANY &&
	       (fds[count] = fpga_alloc(ch, SIZE, FPGABUF_KIND_REGION)) >= 0)
		count++;
	return count;
}

static void close_all(const int *fds, unsigned int count)
{
	while (count--)
		close(fds[count]);
}

/* None of it is lost, whatever the order in which it is given back. */
TEST_F(region, all_of_it)
{
	static int fds[MANY];
	unsigned int count, i;
	int fd;

	count = take_all(self->ch, fds);
	ASSERT_LT(1U, count);
	ASSERT_GT((unsigned int)MANY, count);
	EXPECT_EQ(-ENOMEM, fds[count]);

	/* Every other one: the rest is in pieces. */
	for (i = 0; i < count; i += 2)
		close(fds[i]);
	EXPECT_EQ(-ENOMEM,
		  fpga_alloc(self->ch, 2 * SIZE, FPGABUF_KIND_REGION));
	for (i = 1; i < count; i += 2)
		close(fds[i]);
	fd = fpga_alloc(self->ch, (__u64)count * SIZE, FPGABUF_KIND_REGION);
	EXPECT_LE(0, fd);
	close(fd);

	EXPECT_EQ(-ENOMEM, fpga_alloc(self->ch, (__u64)(count + 1) * SIZE,
				      FPGABUF_KIND_REGION));
	EXPECT_EQ(count, take_all(self->ch, fds));
	close_all(fds, count);
}

/* The next owner does not see what the last one wrote. */
TEST_F(region, zeroed)
{
	static int fds[MANY];
	unsigned int count, i, round;
	struct buffer b;

	for (round = 0; round < 2; round++) {
		count = take_all(self->ch, fds);
		ASSERT_LT(1U, count);
		for (i = 0; i < count; i++) {
			ASSERT_EQ(0, buffer_from_fd(fds[i], &b));
			EXPECT_TRUE(all_bytes(b.map, 0, SIZE)) {
				TH_LOG("round %u, buffer %u", round, i);
			}
			memset(b.map, 0xa5, SIZE);
			munmap(b.map, b.size);
		}
		close_all(fds, count);
	}
}

/* The board's channels have it in common. */
TEST_F(region, other_channel)
{
	int other = fpga_open(1, O_RDWR), slot;
	struct fpgabuf_completion done;
	struct buffer b;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_REGION, &b));
	ASSERT_EQ(0, fpga_set_raw(other, SIZE, 0));
	slot = fpga_register(other, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(other, slot, &done));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE, &done));
	close(other);
	buffer_free(&b);
}

/* Its address means nothing to a device that is not on the board's bus. */
TEST_F(region, others_are_refused)
{
	struct buffer b;
	__u32 handle;
	int drm;

	drm = vgem_open();
	if (drm == -ENOENT || drm == -ENODEV)
		SKIP(return, "this kernel has no vgem");
	ASSERT_LE(0, drm);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_REGION, &b));
	EXPECT_EQ(-EOPNOTSUPP, vgem_import(drm, b.fd, &handle));
	/* And it is none the worse for it. */
	EXPECT_TRUE(all_bytes(b.map, 0, SIZE));
	close(drm);
	buffer_free(&b);
}

/* An address of it in the kernel could not be taken back from who has it. */
TEST_F(region, kernel_gets_no_address)
{
	struct buffer b;
	size_t size;
	int video;

	if (!module_loaded("vivid"))
		SKIP(return, "no vivid module");
	video = vivid_open(&size);
	ASSERT_LE(0, video);
	ASSERT_EQ(0, buffer_alloc(self->ch, size, FPGABUF_KIND_REGION, &b));
	EXPECT_GT(0, vivid_capture(video, b.fd, NULL, size));
	EXPECT_TRUE(all_bytes(b.map, 0, size));
	close(video);
	buffer_free(&b);
}

/* What is left of a buffer is a shell, which no new device of it takes. */
TEST_F(region, goes_with_its_device)
{
	struct buffer b, late;
	int ch;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_REGION, &b));
	memset(b.map, 0x5a, SIZE);
	EXPECT_EQ(0, touch(b.map));
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(SIGBUS, touch(b.map));
	EXPECT_EQ(SIGBUS, touch((char *)b.map + SIZE - 1));
	ASSERT_EQ(0, buffer_from_fd(dup(b.fd), &late));
	EXPECT_EQ(SIGBUS, touch(late.map));

	close(self->ch);
	ASSERT_EQ(0, driver_write("bind"));
	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	EXPECT_EQ(SIGBUS, touch(b.map));
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	EXPECT_EQ(-ENODEV, fpga_register(ch, b.fd, 0, 0));
	buffer_free(&late);

	/* All of the new one's memory is there. */
	ASSERT_EQ(0, buffer_alloc(ch, SIZE, FPGABUF_KIND_REGION, &late));
	EXPECT_TRUE(all_bytes(late.map, 0, SIZE));
	buffer_free(&late);
	buffer_free(&b);
	close(ch);
}

/* A frame is on its way into it when its device goes. */
TEST_F(region, unbound_while_streaming)
{
	struct buffer b;
	int slot;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_REGION, &b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	slot = fpga_register(self->ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_LT(0, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(SIGBUS, touch(b.map));
	EXPECT_EQ(-ENODEV, fpga_stop(self->ch));
	buffer_free(&b);
	close(self->ch);
	ASSERT_EQ(0, driver_write("bind"));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	load_module("vivid", VIVID_PARAM);
	return test_harness_run(argc, argv);
}
