// SPDX-License-Identifier: GPL-2.0
/*
 * Runtime PM of a board: it has power while it streams, or may, and no longer. The
 * simulated FPGA without power moves nothing, and forgets its format.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"

#define STATUS	"/sys/devices/platform/" SIM_DEVICE "/power/runtime_status"
#define FRAME	4096

static const char *power_missing(void)
{
	static char line[32];

	if (read_first_line(STATUS, line, sizeof(line)))
		return "no CONFIG_PM";
	return strcmp(line, "unsupported") ? NULL : "no runtime PM";
}

/* The status follows a while after the last user: for 5 s at most. */
static bool power_is(const char *what)
{
	const __s64 end = now_ns() + 5 * SEC;
	char line[32];

	do {
		if (read_first_line(STATUS, line, sizeof(line)))
			return false;
		if (!strcmp(line, what))
			return true;
		pass_time(10 * MSEC);
	} while (now_ns() < end);
	return false;
}

FIXTURE(runtime) {
	struct totals before;
	struct buffer b;
	int ch;
};

FIXTURE_SETUP(runtime)
{
	REQUIRE_CHANNEL(self->before);
	if (power_missing())
		SKIP(return, "%s", power_missing());
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, FRAME, FPGABUF_KIND_SYSTEM,
				  &self->b));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_TRUE(power_is("suspended"));
}

FIXTURE_TEARDOWN_PARENT(runtime)
{
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
	EXPECT_TRUE(power_missing() || power_is("suspended"));
}

static const char *capture(int ch, const struct buffer *b)
{
	struct fpgabuf_completion done;

	if (fpga_queue(ch, 0, 0) || fpga_take(ch, &done, 1, 1, 5 * SEC) != 1)
		return "no frame";
	return raw_check_synced(b->fd, b->map, FRAME, &done);
}

/* It was suspended since it got its format: it has to get it again. */
TEST_F(runtime, while_it_streams)
{
	int i;

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(i, fpga_start(self->ch));
		EXPECT_TRUE(power_is("active"));
		EXPECT_STREQ("ok", capture(self->ch, &self->b));
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_TRUE(power_is("suspended"));
	}
}

TEST_F(runtime, until_it_is_closed)
{
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
	close(self->ch);
	EXPECT_TRUE(power_is("suspended"));
}

/* Others stream still. */
TEST_F(runtime, until_the_last_one_stops)
{
	const int other = sim_open("rx1");

	ASSERT_LE(0, other);
	ASSERT_EQ(0, fpga_set_raw(other, FRAME, 0));
	ASSERT_EQ(1, fpga_start(other));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_stop(self->ch));
	pass_time(200 * MSEC);
	EXPECT_TRUE(power_is("active"));
	ASSERT_EQ(2, fpga_start(self->ch));
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
	close(other);
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
}

/* A start that fails leaves no reference behind. */
TEST_F(runtime, not_after_an_error)
{
	ASSERT_EQ(0, sim_fault("rx0", "format"));
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	EXPECT_TRUE(power_is("suspended"));
	EXPECT_EQ(1, fpga_start(self->ch));
	EXPECT_STREQ("ok", capture(self->ch, &self->b));
}

/* An engine that does not stop may use the device: it keeps its power. */
TEST_F(runtime, in_quarantine)
{
	ASSERT_EQ(0, sim_fault("rx0", "stuck"));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	/* The engine is in the middle of the frame then. */
	pass_time(200 * MSEC);
	ASSERT_EQ(0, fpga_stop(self->ch));
	pass_time(200 * MSEC);
	EXPECT_TRUE(power_is("active"));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	close(self->ch);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(1, fpga_start(self->ch));
}

/* The importing device has power while somebody may copy. */
TEST_F(runtime, while_it_may_copy)
{
	const int dev = open("/dev/fpgabuf_import0", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, dev);
	EXPECT_TRUE(power_is("active"));
	close(dev);
	EXPECT_TRUE(power_is("suspended"));
}

/* Whoever is bound next finds no reference of the one before. */
TEST_F(runtime, until_it_is_unbound)
{
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, driver_write("unbind"));
	close(self->ch);
	ASSERT_EQ(0, driver_write("bind"));
	EXPECT_TRUE(power_is("suspended"));
}

TEST_HARNESS_MAIN
