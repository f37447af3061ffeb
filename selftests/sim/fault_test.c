// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on demand: what a program sees of each of them, what is written to its
 * memory, and that the channel works afterwards.
 *
 * The memory is coherent: what the engine does to it is seen as it happens.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "sim_test.h"

#define FRAME		4096
#define HALF		(FRAME / 2)
#define SLOTS		4
#define PAINT		0xa5
/* So late that it does not come while a test runs */
#define NEVER_MS	600000

FIXTURE(fault) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(fault)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_COHERENT, &self->b));
	memset(self->b.map, PAINT, self->b.size);
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_STREQ("none", sim_fault_left("rx0"));
}

/* Nothing is left of a test that failed: another needs the channels. */
static void end_faults(void)
{
	static const char * const names[] = { "rx0", "tx0", "loop0" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		sim_fault(names[i], "none");
		sim_fault_ms(names[i], 100);
	}
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	end_faults();
	EXPECT_NOTHING_LEFT(self->before);
}

static char *frame_at(const struct buffer *b, int slot)
{
	return (char *)b->map + slot * FRAME;
}

/* Plan @fault, queue the first @count buffers, and start. */
static int start_with(int ch, const char *name, const char *fault, int count)
{
	int i, ret;

	ret = sim_fault(name, fault);
	for (i = 0; !ret && i < count; i++)
		ret = fpga_queue(ch, i, i);
	return ret ?: fpga_start(ch) < 0 ? -EPIPE : 0;
}

/* Start with a fault, and take @count completions. */
static int run_with(int ch, const char *fault, int count,
		    struct fpgabuf_completion *done)
{
	int ret = start_with(ch, "rx0", fault, count);

	if (ret)
		return ret;
	ret = fpga_take(ch, done, count, count, 5 * SEC);
	return ret == count ? 0 : ret < 0 ? ret : -ETIME;
}

static const char *check(const struct buffer *b,
			 const struct fpgabuf_completion *done)
{
	return raw_check(frame_at(b, done->slot), FRAME, done);
}

/* Nothing but the first half of the frame is written. */
static bool half_written(const char *frame)
{
	return !all_bytes(frame, PAINT, HALF) &&
	       all_bytes(frame + HALF, PAINT, HALF);
}

/* The frame in the engine's hands has come to its middle. */
static bool comes_to_half(const char *frame)
{
	__s64 end = now_ns() + 5 * SEC;

	while (!half_written(frame) && now_ns() < end)
		pass_time(MSEC);
	return half_written(frame);
}

/* Nothing is written into all of the buffer any more. */
static bool is_left_alone(const struct buffer *b)
{
	memset(b->map, PAINT, b->size);
	pass_time(20 * MSEC);
	return all_bytes(b->map, PAINT, b->size);
}

static const char *works(int ch, const struct buffer *b)
{
	struct fpgabuf_completion done;
	int ret = fpga_capture(ch, 0, &done);

	return ret ? strerror(-ret) : check(b, &done);
}

TEST_F(fault, plan)
{
	static const char * const wrong[] = {
		"", " ", "hangs", "hang 0", "hang x", "hang -1", "hang 1 x",
		"hang 1 2 3", "hang 1  2", "none of this",
	};
	size_t i;

	EXPECT_EQ(0, sim_fault("rx0", "late"));
	EXPECT_STREQ("late 1 0", sim_fault_left("rx0"));
	EXPECT_EQ(0, sim_fault("rx0", "hang 7\n"));
	EXPECT_STREQ("hang 7 0", sim_fault_left("rx0"));
	EXPECT_EQ(0, sim_fault("rx0", "short 3 2"));
	for (i = 0; i < ARRAY_LEN(wrong); i++)
		EXPECT_EQ(-EINVAL, sim_fault("rx0", wrong[i]));
	EXPECT_STREQ("short 3 2", sim_fault_left("rx0"));
	EXPECT_STREQ("none", sim_fault_left("rx1"));
	EXPECT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_STREQ("none", sim_fault_left("rx0"));
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

/* As many descriptors as it says, after as many as it says. */
TEST_F(fault, count_and_skip)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, run_with(self->ch, "short 2 1", SLOTS, done));
	EXPECT_STREQ("none", sim_fault_left("rx0"));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ((__u64)i, done[i].sequence);
		EXPECT_EQ(i == 1 || i == 2 ? -EMSGSIZE : 0, done[i].status);
	}

	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(0, run_with(self->ch, "short 5 2", 3, done));
	EXPECT_STREQ("short 4 0", sim_fault_left("rx0"));
}

/* A frame that was lost is told with the next one, which is in order. */
static void expect_drop(struct __test_metadata *_metadata, int ch,
			const struct buffer *b)
{
	struct fpgabuf_completion done[3];

	ASSERT_EQ(0, run_with(ch, "drop 1 1", 3, done));
	EXPECT_EQ(1U, done[1].lost);
	EXPECT_EQ((__u32)FPGABUF_DONE_LOST_OVERRUN, done[1].flags);
	EXPECT_EQ(done[0].sequence + 2, done[1].sequence);
	EXPECT_STREQ("ok", check(b, &done[1]));
	EXPECT_EQ(0U, done[2].lost);
	EXPECT_EQ(done[1].sequence + 1, done[2].sequence);
	EXPECT_STREQ("ok", check(b, &done[2]));
}

TEST_F(fault, drop)
{
	expect_drop(_metadata, self->ch, &self->b);
}

FIXTURE(fault_clocked) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(fault_clocked)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_COHERENT, &self->b));
	/* Slow enough that a busy machine does not lose frames of its own */
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 20));
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
}

FIXTURE_TEARDOWN_PARENT(fault_clocked)
{
	end_faults();
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(fault_clocked, drop)
{
	expect_drop(_metadata, self->ch, &self->b);
}

/* What came due during a fault is written, or told as lost, after it. */
TEST_F(fault_clocked, late)
{
	struct fpgabuf_completion done[3];

	ASSERT_EQ(0, sim_fault_ms("rx0", 150));
	ASSERT_EQ(0, run_with(self->ch, "late 1 1", 3, done));
	EXPECT_EQ(0, done[1].status);
	/* From its own beginning on; the frame before may have been late, too. */
	EXPECT_LE(150 * MSEC, (__s64)(done[1].timestamp - done[0].timestamp));
	EXPECT_EQ(done[1].sequence + 1 + done[2].lost, done[2].sequence);
	EXPECT_STREQ("ok", check(&self->b, &done[2]));
}

TEST_F(fault, short_frame)
{
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, run_with(self->ch, "short", 2, done));
	EXPECT_EQ(-EMSGSIZE, done[0].status);
	EXPECT_EQ((__u64)HALF, done[0].bytes);
	EXPECT_EQ(0U, done[0].sequence);
	EXPECT_TRUE(half_written(frame_at(&self->b, 0)));
	EXPECT_EQ(0U, done[1].lost);
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
}

TEST_F(fault, late)
{
	struct fpgabuf_completion done[2];
	__s64 start = now_ns();

	ASSERT_EQ(0, sim_fault_ms("rx0", 50));
	ASSERT_EQ(0, run_with(self->ch, "late", 2, done));
	EXPECT_LE(50 * MSEC, (__s64)done[0].timestamp - start);
	EXPECT_GE(50 * MSEC + SLACK, (__s64)done[0].timestamp - start);
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
}

/* However late, a stop does not wait for it. */
TEST_F(fault, late_stop)
{
	struct fpgabuf_completion done[2];
	__s64 start = now_ns();

	ASSERT_EQ(0, sim_fault_ms("rx0", NEVER_MS));
	ASSERT_EQ(0, start_with(self->ch, "rx0", "late", 2));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->ch, done, 1, 1, 20 * MSEC));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_GT(10 * SEC, now_ns() - start);
	ASSERT_EQ(2, fpga_take(self->ch, done, 2, 2, 0));
	EXPECT_EQ(-ECANCELED, done[0].status);
	EXPECT_EQ(-ECANCELED, done[1].status);
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

TEST_F(fault, abort)
{
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, run_with(self->ch, "abort", 2, done));
	EXPECT_EQ(-ECANCELED, done[0].status);
	EXPECT_EQ(0U, done[0].bytes);
	EXPECT_TRUE(all_bytes(frame_at(&self->b, 0), PAINT, FRAME));
	EXPECT_EQ(1U, done[1].sequence);
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
}

TEST_F(fault, error)
{
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, run_with(self->ch, "error", 2, done));
	EXPECT_EQ(-EIO, done[0].status);
	EXPECT_TRUE(half_written(frame_at(&self->b, 0)));
	EXPECT_EQ(1U, done[1].sequence);
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
}

/* What an engine that failed appends is zero: nobody may believe it. */
TEST_F(fault, metadata_of_failed)
{
	static const char * const faults[] = { "abort 1 1", "error 1 1" };
	struct fpgabuf_completion done[3];
	size_t i;

	for (i = 0; i < ARRAY_LEN(faults); i++) {
		ASSERT_EQ(0, run_with(self->ch, faults[i], 3, done));
		EXPECT_STREQ("ok", check(&self->b, &done[0]));
		EXPECT_NE(0, done[1].status);
		EXPECT_EQ(0U, done[1].lost);
		EXPECT_EQ(2U, done[2].sequence);
		EXPECT_EQ(0U, done[2].lost);
		EXPECT_STREQ("ok", check(&self->b, &done[2]));
		ASSERT_EQ(0, fpga_stop(self->ch));
	}
}

/* The second frame's number came before; that is no loss, and the third is good. */
static const char *check_back(const struct buffer *b,
			      const struct fpgabuf_completion *done, int status)
{
	if (done[1].status != status)
		return "another status";
	if (done[1].sequence != 1 || done[2].sequence != 2)
		return "the numbers do not rise";
	if (done[1].lost || done[1].flags || done[2].lost)
		return "frames are lost";
	return check(b, &done[2]);
}

/* A number that came before is an error of its frame, and of no other. */
TEST_F(fault, back)
{
	struct fpgabuf_completion done[3];

	ASSERT_EQ(0, run_with(self->ch, "back 1 1", 3, done));
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	EXPECT_STREQ("ok", check_back(&self->b, done, -EIO));
}

/* The metadata of a short frame is read, too, and checked. */
TEST_F(fault, back_and_short)
{
	struct fpgabuf_completion done[3];

	ASSERT_EQ(0, run_with(self->ch, "short-back 1 1", 3, done));
	EXPECT_STREQ("ok", check_back(&self->b, done, -EMSGSIZE));
}

/* The board has a part of the new format; it gets the old one before a start. */
TEST_F(fault, format)
{
	struct fpgabuf_format format;
	int i;

	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->ch, i));
	ASSERT_EQ(0, sim_fault("rx0", "format"));
	EXPECT_EQ(-EIO, fpga_set_raw(self->ch, 2 * FRAME, 0));
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ((__u64)FRAME, format.size);
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	EXPECT_STREQ("ok", works(self->ch, &self->b));

	/* So it is when a start had to set it. */
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->ch, i));
	ASSERT_EQ(0, sim_fault("rx0", "format 2"));
	EXPECT_EQ(-EIO, fpga_set_raw(self->ch, 2 * FRAME, 0));
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

/* The frame is there, but nobody is told before the next one. */
TEST_F(fault, lost)
{
	struct fpgabuf_completion done[3];

	ASSERT_EQ(0, run_with(self->ch, "lost 1 1", 3, done));
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	EXPECT_EQ(1U, done[1].slot);
	EXPECT_EQ(-EIO, done[1].status);
	EXPECT_STREQ("ok", check(&self->b, &done[2]));
	EXPECT_EQ(2U, done[2].sequence);
	EXPECT_EQ(0U, done[2].lost);

	done[1].status = 0;
	done[1].sequence = 1;
	done[1].bytes = FRAME;
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

/*
 * With others in the engine there is no room for it yet; with none it is tried
 * again, for as long as a frame may take. Then all that are queued have failed.
 */
static void expect_refused(struct __test_metadata *_metadata, int ch,
			   const struct buffer *b, const char *kind)
{
	struct fpgabuf_completion done[SLOTS];
	char plan[16];
	__s64 begin;
	int i;

	snprintf(plan, sizeof(plan), "%s 1 2", kind);
	ASSERT_EQ(0, run_with(ch, plan, SLOTS, done));
	EXPECT_STREQ("none", sim_fault_left("rx0"));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ((__u32)i, done[i].slot);
		EXPECT_STREQ("ok", check(b, &done[i]));
	}
	ASSERT_EQ(0, fpga_stop(ch));
	snprintf(plan, sizeof(plan), "%s 2", kind);
	ASSERT_EQ(0, run_with(ch, plan, 3, done));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ((__u64)i, done[i].sequence);
		EXPECT_STREQ("ok", check(b, &done[i]));
	}
	ASSERT_EQ(0, fpga_stop(ch));

	snprintf(plan, sizeof(plan), "%s 99999", kind);
	begin = now_ns();
	ASSERT_EQ(0, run_with(ch, plan, 3, done));
	EXPECT_GE(2000 + 1000, (now_ns() - begin) / MSEC);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EIO, done[i].status);
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(0, fpga_stop(ch));
	EXPECT_STREQ("ok", works(ch, b));
}

TEST_F(fault, full)
{
	expect_refused(_metadata, self->ch, &self->b, "full");
}

TEST_F(fault, refuse)
{
	expect_refused(_metadata, self->ch, &self->b, "refuse");
}

/* Half of the frame, and then nothing; a stop ends it, and nothing follows. */
TEST_F(fault, hang)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, start_with(self->ch, "rx0", "hang 1 1", SLOTS));
	ASSERT_EQ(1, fpga_take(self->ch, done, SLOTS, 1, 5 * SEC));
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	ASSERT_TRUE(comes_to_half(frame_at(&self->b, 1)));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->ch, done, 1, 1, 20 * MSEC));
	EXPECT_TRUE(half_written(frame_at(&self->b, 1)));
	EXPECT_TRUE(all_bytes(frame_at(&self->b, 2), PAINT, 2 * FRAME));

	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_TRUE(half_written(frame_at(&self->b, 1)));
	EXPECT_TRUE(is_left_alone(&self->b));
	ASSERT_EQ(SLOTS - 1, fpga_take(self->ch, done, SLOTS, SLOTS - 1, 0));
	for (i = 0; i < SLOTS - 1; i++) {
		EXPECT_EQ((__u32)i + 1, done[i].slot);
		EXPECT_EQ(-ECANCELED, done[i].status);
	}
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

/* What hung goes on as if nothing had been. */
TEST_F(fault, hang_cleared)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, start_with(self->ch, "rx0", "hang 9", SLOTS));
	ASSERT_TRUE(comes_to_half(frame_at(&self->b, 0)));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(SLOTS, fpga_take(self->ch, done, SLOTS, SLOTS, 5 * SEC));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ((__u64)i, done[i].sequence);
		EXPECT_STREQ("ok", check(&self->b, &done[i]));
	}
}

/* Nothing hangs that depends on the engine: not the end of its file either. */
TEST_F(fault, hang_close)
{
	ASSERT_EQ(0, start_with(self->ch, "rx0", "hang", SLOTS));
	ASSERT_TRUE(comes_to_half(frame_at(&self->b, 0)));
	ASSERT_EQ(0, close(self->ch));
	EXPECT_TRUE(is_left_alone(&self->b));
	EXPECT_STREQ("ok", channel_usable());
}

/* A callback that is to come does not, once the channel is closed. */
TEST_F(fault, zombie_close)
{
	struct fpgabuf_completion done[SLOTS];

	ASSERT_EQ(0, sim_fault_ms("rx0", NEVER_MS));
	ASSERT_EQ(0, start_with(self->ch, "rx0", "zombie", SLOTS));
	ASSERT_TRUE(comes_to_half(frame_at(&self->b, 0)));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_TRUE(is_left_alone(&self->b));
	ASSERT_EQ(SLOTS, fpga_take(self->ch, done, SLOTS, SLOTS, 0));
	EXPECT_EQ(-ECANCELED, done[0].status);
	EXPECT_STREQ("ok", works(self->ch, &self->b));
	ASSERT_EQ(0, close(self->ch));
	EXPECT_STREQ("ok", channel_usable());
}

/* The engine is writing again where it was told to stop. */
static bool is_written_again(const struct buffer *b)
{
	__s64 end = now_ns() + 5 * SEC;

	memset(b->map, PAINT, b->size);
	while (!half_written(b->map) && now_ns() < end)
		pass_time(MSEC);
	return half_written(b->map);
}

/* It cannot be stopped, until the fault is cleared. */
TEST_F(fault, stuck)
{
	ASSERT_EQ(0, start_with(self->ch, "rx0", "stuck", 2));
	EXPECT_TRUE(is_written_again(&self->b));
	fpga_stop(self->ch);
	EXPECT_TRUE(is_written_again(&self->b));
	EXPECT_GT(0, fpga_start(self->ch));

	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_TRUE(is_left_alone(&self->b));
}

/* If nobody stopped it meanwhile, its frame is whole in the end. */
TEST_F(fault, stuck_cleared)
{
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, start_with(self->ch, "rx0", "stuck", 2));
	ASSERT_TRUE(is_written_again(&self->b));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	ASSERT_EQ(2, fpga_take(self->ch, done, 2, 2, 5 * SEC));
	EXPECT_STREQ("ok", check(&self->b, &done[0]));
	EXPECT_STREQ("ok", check(&self->b, &done[1]));
	EXPECT_EQ(0, fpga_stop(self->ch));
	EXPECT_STREQ("ok", works(self->ch, &self->b));
}

/* An output channel: what its sink makes of it. */
FIXTURE(fault_output) {
	struct totals before;
	int tx;
	struct buffer b;
};

FIXTURE_SETUP(fault_output)
{
	struct fpgabuf_completion done[SLOTS];
	int rx, i;

	REQUIRE_CHANNEL(self->before);
	rx = sim_open("rx0");
	self->tx = sim_open("tx0");
	ASSERT_LE(0, rx);
	ASSERT_LE(0, self->tx);
	ASSERT_EQ(0, buffer_alloc(rx, SLOTS * FRAME, FPGABUF_KIND_COHERENT,
				  &self->b));
	ASSERT_EQ(0, fpga_set_raw(rx, FRAME, 0));
	ASSERT_EQ(0, fpga_set_raw(self->tx, FRAME, 0));
	ASSERT_EQ(0, sim_register(rx, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, sim_register(self->tx, self->b.fd, FRAME, SLOTS));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_queue(rx, i, i));
	ASSERT_EQ(1, fpga_start(rx));
	ASSERT_EQ(SLOTS, fpga_take(rx, done, SLOTS, SLOTS, 5 * SEC));
	close(rx);
}

FIXTURE_TEARDOWN_PARENT(fault_output)
{
	end_faults();
	EXPECT_NOTHING_LEFT(self->before);
}

#define EXPECT_SINK(_frames, _good, _bad) do {				\
	EXPECT_EQ(_frames, sim_number("tx0", "frames"));		\
	EXPECT_EQ(_good, sim_number("tx0", "good"));			\
	EXPECT_EQ(_bad, sim_number("tx0", "bad"));			\
} while (0)

TEST_F(fault_output, short_and_error)
{
	struct fpgabuf_completion done[SLOTS];

	ASSERT_EQ(0, start_with(self->tx, "tx0", "short 1 1", 2));
	ASSERT_EQ(2, fpga_take(self->tx, done, SLOTS, 2, 5 * SEC));
	EXPECT_EQ(0, done[0].status);
	EXPECT_EQ(-EMSGSIZE, done[1].status);
	EXPECT_SINK(2, 1, 1);

	ASSERT_EQ(0, sim_fault("tx0", "error"));
	ASSERT_EQ(0, fpga_queue(self->tx, 2, 2));
	ASSERT_EQ(0, fpga_queue(self->tx, 3, 3));
	ASSERT_EQ(2, fpga_take(self->tx, done, SLOTS, 2, 5 * SEC));
	EXPECT_EQ(-EIO, done[0].status);
	EXPECT_EQ(0, done[1].status);
	EXPECT_SINK(4, 2, 2);
}

TEST_F(fault_output, drop)
{
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, start_with(self->tx, "tx0", "drop", 2));
	ASSERT_EQ(2, fpga_take(self->tx, done, 2, 2, 5 * SEC));
	EXPECT_EQ(1U, done[0].lost);
	EXPECT_EQ((__u32)FPGABUF_DONE_LOST_OVERRUN, done[0].flags);
	EXPECT_EQ(0U, done[1].lost);
	EXPECT_SINK(2, 2, 0);
}

/* What hangs is not a frame that the sink has. */
TEST_F(fault_output, hang)
{
	struct fpgabuf_completion done[SLOTS];

	ASSERT_EQ(0, start_with(self->tx, "tx0", "hang 1 1", SLOTS));
	ASSERT_EQ(1, fpga_take(self->tx, done, SLOTS, 1, 5 * SEC));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->tx, done, 1, 1, 20 * MSEC));
	ASSERT_EQ(0, fpga_stop(self->tx));
	ASSERT_EQ(SLOTS - 1, fpga_take(self->tx, done, SLOTS, SLOTS - 1, 0));
	EXPECT_EQ(-ECANCELED, done[0].status);
	EXPECT_SINK(1, 1, 0);
}

/*
 * While loop0 hangs with a frame of tx0's, there is one store between them: tx0
 * waits, can be stopped, and started with larger frames.
 */
TEST_F(fault_output, hang_of_loop)
{
	struct fpgabuf_completion done[SLOTS];
	int loop = sim_open("loop0"), i;
	struct buffer b;

	ASSERT_LE(0, loop);
	ASSERT_EQ(0, buffer_alloc(loop, 2 * FRAME, FPGABUF_KIND_COHERENT, &b));
	memset(b.map, PAINT, b.size);
	ASSERT_EQ(0, fpga_set_raw(loop, FRAME, 0));
	ASSERT_EQ(0, sim_register(loop, b.fd, FRAME, 2));
	ASSERT_EQ(0, start_with(loop, "loop0", "hang", 2));
	ASSERT_EQ(0, start_with(self->tx, "tx0", "none", SLOTS));
	ASSERT_TRUE(comes_to_half(b.map));
	ASSERT_EQ(1, fpga_take(self->tx, done, SLOTS, 1, 5 * SEC));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->tx, done, 1, 1, 20 * MSEC));
	ASSERT_EQ(0, fpga_stop(self->tx));

	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->tx, i));
	ASSERT_EQ(0, fpga_set_raw(self->tx, 2 * FRAME, 0));
	ASSERT_EQ(0, fpga_register(self->tx, self->b.fd, 0, 2 * FRAME));
	ASSERT_EQ(0, start_with(self->tx, "tx0", "none", 1));
	ASSERT_EQ(1, fpga_take(self->tx, done, SLOTS, 1, 5 * SEC));
	ASSERT_EQ(0, sim_fault("loop0", "none"));
	ASSERT_EQ(2, fpga_take(loop, done, SLOTS, 2, 5 * SEC));
	EXPECT_EQ(0, memcmp(b.map, self->b.map, FRAME));
	EXPECT_EQ(0, memcmp(frame_at(&b, 1), self->b.map, FRAME));
}

/* The driver goes in mid-fault, with files open. */
FIXTURE(fault_unbind) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(fault_unbind) {
	const char *fault;
	bool stop;
};

FIXTURE_VARIANT_ADD(fault_unbind, late) { .fault = "late" };
FIXTURE_VARIANT_ADD(fault_unbind, lost) { .fault = "lost" };
FIXTURE_VARIANT_ADD(fault_unbind, hang) { .fault = "hang" };
FIXTURE_VARIANT_ADD(fault_unbind, zombie) { .fault = "zombie", .stop = true };
FIXTURE_VARIANT_ADD(fault_unbind, stuck) { .fault = "stuck" };
FIXTURE_VARIANT_ADD(fault_unbind, stuck_stopped) {
	.fault = "stuck",
	.stop = true,
};

FIXTURE_SETUP(fault_unbind)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_COHERENT, &self->b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, sim_register(self->ch, self->b.fd, FRAME, SLOTS));
	ASSERT_EQ(0, sim_fault_ms("rx0", NEVER_MS));
}

FIXTURE_TEARDOWN_PARENT(fault_unbind)
{
	if (access("/sys/bus/platform/drivers/" SIM_DRIVER "/" SIM_DEVICE,
		   F_OK))
		EXPECT_EQ(0, driver_write("bind"));
	end_faults();
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(fault_unbind, gone)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, start_with(self->ch, "rx0", variant->fault, SLOTS));
	pass_time(20 * MSEC);
	if (variant->stop)
		fpga_stop(self->ch);
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_TRUE(is_left_alone(&self->b));
	EXPECT_EQ(-ENODEV, fpga_take(self->ch, &done, 1, 1, 0));
	EXPECT_GT(0, sim_number("rx0", "fault_ms"));
}

TEST_HARNESS_MAIN
