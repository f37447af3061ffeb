// SPDX-License-Identifier: GPL-2.0
/*
 * Four devices, queued all at once, run by fences alone: what rx0 captures an
 * importing device copies, tx0 puts out, and loop0 captures again. No program is
 * woken up in between, and each frame is whole in the end. A buffer is captured
 * into again while the program has not heard of its output: the fence holds that
 * back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "../importer/importer_test.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

#define DEPTH	16
/* A kernel with all its checks on has had enough when ENOUGH_TIME is over. */
#define FRAMES	10000
#define FRAMES_MIN 1600
#define ENOUGH_TIME (40 * SEC)
/* Bytes of a frame: few, so that many frames take little time */
#define SHORT	256

enum { RX, TX, LOOP, CHANNELS };

FIXTURE(chain) {
	struct totals before;
	int ch[CHANNELS], copier;
	/* What rx0 writes, what tx0 reads, and what comes out in the end */
	struct buffer begin[DEPTH], middle[DEPTH], end[DEPTH];
};

/* What it reads is slot 2 * @i of the copier, what it writes the next one. */
static int attach_copier(int dev, int i, const struct buffer *begin,
			 const struct buffer *middle)
{
	int ret = import_attach(dev, begin->fd, FPGABUF_IMPORT_READ);

	if (ret != 2 * i)
		return ret < 0 ? ret : -EBADSLT;
	ret = import_attach(dev, middle->fd, FPGABUF_IMPORT_WRITE);
	if (ret != 2 * i + 1)
		return ret < 0 ? ret : -EBADSLT;
	return 0;
}

static int copier_queue(int dev)
{
	struct fpgabuf_import_copy copies[DEPTH];
	int i, ret;

	for (i = 0; i < DEPTH; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = SHORT,
			.user_data = i,
			.src = 2 * i,
			.dst = 2 * i + 1,
			.flags = FPGABUF_QUEUE_OUT_FENCE,
		};
	ret = import_queue(dev, copies, DEPTH);
	for (i = 0; !ret && i < DEPTH; i++)
		close(copies[i].out_fence);
	return ret;
}

/* Take them all, in order: the first error. */
static int copier_take(int dev)
{
	struct fpgabuf_import_done done[DEPTH];
	int i, ret = import_take(dev, done, DEPTH, DEPTH, 10 * SEC);

	if (ret != DEPTH)
		return ret < 0 ? ret : -ETIME;
	for (i = 0; i < DEPTH; i++)
		if (done[i].status || done[i].user_data != (__u64)i)
			return done[i].status ?: -EBADSLT;
	return 0;
}

FIXTURE_SETUP(chain)
{
	static const char *const names[CHANNELS] = { "rx0", "tx0", "loop0" };
	int i;

	REQUIRE_CHANNEL(self->before);
	for (i = 0; i < CHANNELS; i++) {
		self->ch[i] = sim_open(names[i]);
		ASSERT_LE(0, self->ch[i]);
		ASSERT_EQ(0, fpga_set_raw(self->ch[i], SHORT, 0));
	}
	self->copier = import_open(O_RDWR);
	ASSERT_LE(0, self->copier);
	/* Coherent: what one device writes another one of it sees at once. */
	for (i = 0; i < DEPTH; i++) {
		ASSERT_EQ(0, buffer_alloc(self->ch[RX], FRAME,
					  FPGABUF_KIND_COHERENT,
					  &self->begin[i]));
		ASSERT_EQ(0, buffer_alloc(self->ch[RX], FRAME,
					  FPGABUF_KIND_COHERENT,
					  &self->middle[i]));
		ASSERT_EQ(0, buffer_alloc(self->ch[RX], FRAME,
					  FPGABUF_KIND_COHERENT,
					  &self->end[i]));
		ASSERT_EQ(0, attach_copier(self->copier, i, &self->begin[i],
					   &self->middle[i]));
		ASSERT_EQ(i, fpga_register(self->ch[RX], self->begin[i].fd, 0,
					   0));
		ASSERT_EQ(i, fpga_register(self->ch[TX], self->middle[i].fd, 0,
					   0));
		ASSERT_EQ(i, fpga_register(self->ch[LOOP], self->end[i].fd, 0,
					   0));
	}
	for (i = CHANNELS; i-- > 0;)
		ASSERT_EQ(1, fpga_start(self->ch[i]));
}

FIXTURE_TEARDOWN_PARENT(chain)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* What loop0 tells of a frame is its own; the frame is still that of rx0. */
static const char *check_end(const struct buffer *b,
			     const struct fpgabuf_completion *rx)
{
	return raw_check_synced(b->fd, b->map, SHORT, rx);
}

/*
 * How many frames are run depends on the machine; how long each batch may take
 * does not (batch_take() and copier_take() have that limit).
 */
TEST_F_TIMEOUT(chain, runs_by_fences_alone, 300)
{
	struct fpgabuf_completion rx[DEPTH], other[DEPTH];
	const __s64 enough = now_ns() + ENOUGH_TIME;
	int frames, i;

	for (frames = 0; frames < FRAMES_MIN ||
	     (frames < FRAMES && now_ns() < enough); frames += DEPTH) {
		ASSERT_EQ(0, batch_queue(self->ch[RX], DEPTH));
		ASSERT_EQ(0, copier_queue(self->copier));
		ASSERT_EQ(0, batch_queue(self->ch[TX], DEPTH));
		ASSERT_EQ(0, batch_queue(self->ch[LOOP], DEPTH));
		ASSERT_EQ(0, batch_take(self->ch[LOOP], other, DEPTH));
		ASSERT_EQ(0, batch_take(self->ch[TX], other, DEPTH));
		ASSERT_EQ(0, copier_take(self->copier));
		ASSERT_EQ(0, batch_take(self->ch[RX], rx, DEPTH));
		for (i = 0; i < DEPTH; i++)
			ASSERT_STREQ("ok", check_end(&self->end[i], &rx[i]));
	}
	TH_LOG("%d frames", frames);
	EXPECT_EQ(frames, sim_number("tx0", "good"));
	EXPECT_EQ(0, sim_number("tx0", "bad"));
	EXPECT_EQ(0, sim_number("tx0", "disordered"));
}

/* rx0 goes on while nobody has heard of tx0; its fences say when it may. */
TEST_F(chain, holds_back_the_first)
{
	struct fpgabuf_completion rx[DEPTH];
	int round, i;

	ASSERT_EQ(0, sim_fault("tx0", "hang"));
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, batch_queue(self->ch[RX], DEPTH));
		ASSERT_EQ(0, copier_queue(self->copier));
		if (round)
			break;
		ASSERT_EQ(0, batch_queue(self->ch[TX], DEPTH));
		ASSERT_EQ(0, batch_take(self->ch[RX], rx, DEPTH));
		ASSERT_EQ(0, copier_take(self->copier));
	}
	/* tx0 has the first buffer in hand, and all others are to come. */
	pass_time(50 * MSEC);
	for (i = 0; i < DEPTH; i++)
		EXPECT_STREQ("ok", raw_check(self->middle[i].map, SHORT,
					     &rx[i]));
	ASSERT_EQ(0, sim_fault("tx0", "none"));
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, batch_queue(self->ch[LOOP], DEPTH));
		ASSERT_EQ(0, batch_take(self->ch[LOOP], rx, DEPTH));
		ASSERT_EQ(0, batch_take(self->ch[TX], rx, DEPTH));
		if (round)
			break;
		ASSERT_EQ(0, batch_take(self->ch[RX], rx, DEPTH));
		ASSERT_EQ(0, copier_take(self->copier));
		ASSERT_EQ(0, batch_queue(self->ch[TX], DEPTH));
	}
	EXPECT_EQ(0, sim_number("tx0", "bad"));
	EXPECT_EQ(0, sim_number("tx0", "disordered"));
}

/* A frame that fails on the way fails in the end; the next ones do not. */
TEST_F(chain, hands_an_error_on)
{
	struct fpgabuf_completion done[DEPTH];
	int i;

	/* Not started, it takes what tx0 puts out for granted. */
	ASSERT_EQ(0, fpga_stop(self->ch[LOOP]));
	ASSERT_EQ(0, sim_fault("rx0", "hang 1 3"));
	ASSERT_EQ(0, batch_queue(self->ch[RX], DEPTH));
	ASSERT_EQ(0, copier_queue(self->copier));
	ASSERT_EQ(0, batch_queue(self->ch[TX], DEPTH));
	EXPECT_EQ(-ETIMEDOUT, copier_take(self->copier));
	for (i = 0; i < CHANNELS - 1; i++) {
		ASSERT_EQ(DEPTH, fpga_take(self->ch[i], done, DEPTH, DEPTH,
					   10 * SEC));
		EXPECT_EQ(0, done[2].status);
		EXPECT_EQ(-ETIMEDOUT, done[3].status);
		EXPECT_EQ(0, done[4].status);
	}
	EXPECT_EQ(0, sim_number("tx0", "bad"));
	EXPECT_EQ(DEPTH - 1, sim_number("tx0", "good"));
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
