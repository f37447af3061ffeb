// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer that a driver with no channel allocated, filled and handed out.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fpgabuf_test.h"

#define MODULE		"fpgabuf_sample"
#define MODULE_FILE	"test_modules/" MODULE ".ko"
#define NODE		"/dev/" MODULE
#define SIZE		(64 << 10)

static int insert(void)
{
	const char *const argv[] = { "insmod", MODULE_FILE, NULL };

	return run_program(argv);
}

/* The driver has a buffer as long as it has its device. */
static int unbind(void)
{
	return write_file("/sys/bus/platform/drivers/" MODULE "/unbind",
			  MODULE ".0");
}

static int unload(void)
{
	const char *const argv[] = { "rmmod", MODULE, NULL };

	unbind();
	return run_program(argv);
}

FIXTURE(sample) {
	struct totals before;
	int node;
	struct buffer b;
};

FIXTURE_SETUP(sample)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_FILE(MODULE_FILE);
	ASSERT_EQ(0, insert());
	self->node = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->node);
	ASSERT_EQ(0, buffer_from_fd(ioctl(self->node, 0), &self->b));
	ASSERT_EQ((size_t)SIZE, self->b.size);
}

FIXTURE_TEARDOWN_PARENT(sample)
{
	if (module_loaded(MODULE))
		EXPECT_EQ(0, unload());
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(sample, holds_what_the_driver_wrote)
{
	EXPECT_STREQ("from the kernel", self->b.map);
	EXPECT_TRUE(all_bytes((char *)self->b.map + 16, 0, SIZE - 16));
}

/* Everybody gets the same buffer. */
TEST_F(sample, one_buffer)
{
	struct totals now;
	struct buffer b;

	ASSERT_EQ(0, buffer_from_fd(ioctl(self->node, 0), &b));
	memset(self->b.map, 0x77, SIZE);
	EXPECT_TRUE(all_bytes(b.map, 0x77, SIZE));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[FPGABUF_KIND_COHERENT] + 1,
		  now.count[FPGABUF_KIND_COHERENT]);
	buffer_free(&b);
}

/* A channel writes into it as into any other. */
TEST_F(sample, captured_into)
{
	struct fpgabuf_completion done;
	int ch, slot;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	slot = fpga_register(ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(ch, slot, &done));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map, SIZE,
					    &done));
	close(ch);
}

/* The driver is done with it; whoever has it still has it. */
TEST_F(sample, outlives_its_device)
{
	close(self->node);
	ASSERT_EQ(0, unbind());
	EXPECT_STREQ("from the kernel", self->b.map);
	memset(self->b.map, 0x77, SIZE);
	buffer_free(&self->b);
}

TEST_HARNESS_MAIN
