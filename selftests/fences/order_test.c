// SPDX-License-Identifier: GPL-2.0
/*
 * The out-fences of a run signal in the order in which its buffers were queued,
 * whatever they wait for, and never before their frame is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "fences_test.h"

FIXTURE(order) {
	struct totals before;
	struct slots s;
	struct gate gates[MAX_SLOTS];
	int out[MAX_SLOTS];
};

FIXTURE_VARIANT(order) {
	enum gate_kind gates;
	unsigned int num;
};

FIXTURE_VARIANT_ADD(order, one) {
	.gates = GATE_VGEM,
	.num = 1,
};

FIXTURE_VARIANT_ADD(order, two) {
	.gates = GATE_VGEM,
	.num = 2,
};

FIXTURE_VARIANT_ADD(order, many) {
	.gates = GATE_VGEM,
	.num = 32,
};

FIXTURE_VARIANT_ADD(order, many_sw_sync) {
	.gates = GATE_SW_SYNC,
	.num = 32,
};

FIXTURE_SETUP(order)
{
	unsigned int i;

	REQUIRE_CHANNEL(self->before);
	if (gate_missing(variant->gates))
		SKIP(return, "%s", gate_missing(variant->gates));
	ASSERT_EQ(0, slots_open(&self->s, 0, variant->num, 0));
	for (i = 0; i < variant->num; i++)
		ASSERT_EQ(0, gate_make(&self->gates[i], variant->gates));
	ASSERT_EQ(1, fpga_start(self->s.ch));
}

FIXTURE_TEARDOWN_PARENT(order)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* None when the gates before it are shut: the first one opens last. */
TEST_F(order, in_reverse)
{
	struct slots *s = &self->s;
	unsigned int i, j;
	__s64 before = 0;

	for (i = 0; i < s->num; i++) {
		slots_fill(s, i);
		ASSERT_EQ(0, fpga_queue_fenced(s->ch, i, IN_OUT,
					       self->gates[i].fence,
					       &self->out[i]));
	}
	for (i = s->num; i-- > 1;) {
		ASSERT_EQ(0, gate_open(&self->gates[i]));
		for (j = 0; j < s->num; j++) {
			ASSERT_EQ(0, sync_file_status(self->out[j]));
			ASSERT_TRUE(slots_untouched(s, j));
		}
	}
	ASSERT_EQ(0, gate_open(&self->gates[0]));
	for (i = 0; i < s->num; i++) {
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		for (j = 0; j <= i; j++)
			ASSERT_EQ(1, sync_file_status(self->out[j]));
		EXPECT_LE(before, sync_file_time(self->out[i]));
		before = sync_file_time(self->out[i]);
		EXPECT_STREQ("ok", slots_take(s, i));
	}
}

/* Each as soon as its own gate opens. */
TEST_F(order, one_by_one)
{
	struct slots *s = &self->s;
	unsigned int i, j;

	for (i = 0; i < s->num; i++)
		ASSERT_EQ(0, fpga_queue_fenced(s->ch, i, IN_OUT,
					       self->gates[i].fence,
					       &self->out[i]));
	for (i = 0; i < s->num; i++) {
		for (j = i; j < s->num; j++)
			ASSERT_EQ(0, sync_file_status(self->out[j]));
		ASSERT_EQ(0, gate_open(&self->gates[i]));
		ASSERT_EQ(0, sync_file_wait(self->out[i], 5000));
		EXPECT_STREQ("ok", slots_take(s, i));
	}
}

/* One without a fence keeps its place among those that have one. */
TEST_F(order, with_those_that_have_none)
{
	struct slots *s = &self->s;
	unsigned int i;

	for (i = 0; i < s->num; i++)
		ASSERT_EQ(0, fpga_queue_fenced(s->ch, i, i % 2 ? 0 :
					       FPGABUF_QUEUE_IN_FENCE,
					       self->gates[i].fence,
					       &self->out[i]));
	for (i = s->num; i-- > 0;)
		ASSERT_EQ(0, gate_open(&self->gates[i]));
	for (i = 0; i < s->num; i++) {
		EXPECT_EQ(-1, self->out[i]);
		EXPECT_STREQ("ok", slots_take(s, i));
	}
}

/* One sync_file for all of them, and one in-fence made of all gates. */
TEST_F(order, merged)
{
	struct slots *s = &self->s;
	int in = self->gates[0].fence;
	unsigned int i;
	int all;

	for (i = 1; i < s->num; i++) {
		in = sync_file_merge(in, self->gates[i].fence);
		ASSERT_LE(0, in);
	}
	for (i = 0; i < s->num; i++)
		ASSERT_EQ(0, fpga_queue_fenced(s->ch, i, IN_OUT, in,
					       &self->out[i]));
	all = self->out[0];
	for (i = 1; i < s->num; i++) {
		all = sync_file_merge(all, self->out[i]);
		ASSERT_LE(0, all);
	}
	for (i = 0; i < s->num; i++) {
		EXPECT_EQ(0, sync_file_status(all));
		EXPECT_EQ(0, sync_file_status(self->out[0]));
		ASSERT_EQ(0, gate_open(&self->gates[i]));
	}
	EXPECT_EQ(0, sync_file_wait(all, 5000));
	EXPECT_EQ(1, sync_file_status(self->out[s->num - 1]));
	for (i = 0; i < s->num; i++)
		EXPECT_STREQ("ok", slots_take(s, i));
}

/* Two channels, the same two buffers, queued in opposite orders at a time. */
FIXTURE(crossed) {
	struct totals before;
	int ch[2];
	struct buffer b[2];
};

FIXTURE_SETUP(crossed)
{
	int i, j;

	REQUIRE_CHANNEL(self->before);
	for (i = 0; i < 2; i++) {
		self->ch[i] = fpga_open(i, O_RDWR);
		ASSERT_LE(0, self->ch[i]);
		ASSERT_EQ(0, buffer_alloc(self->ch[i], FRAME,
					  FPGABUF_KIND_SYSTEM, &self->b[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fpga_set_raw(self->ch[i], FRAME, 0));
		for (j = 0; j < 2; j++)
			ASSERT_EQ(j, fpga_register(self->ch[i],
						   self->b[j ^ i].fd, 0, 0));
		ASSERT_EQ(1, fpga_start(self->ch[i]));
	}
}

FIXTURE_TEARDOWN_PARENT(crossed)
{
	EXPECT_NOTHING_LEFT(self->before);
}

#define ROUNDS	200

static void *cross(void *arg)
{
	static const struct fpgabuf_queue_entry both[2] = {
		{ .slot = 0, .flags = FPGABUF_QUEUE_OUT_FENCE },
		{ .slot = 1, .flags = FPGABUF_QUEUE_OUT_FENCE },
	};
	struct fpgabuf_completion done[2];
	struct fpgabuf_fences fences[2];
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)both,
		.done = (uintptr_t)done,
		.queue_count = 2,
		.min_done = 2,
		.timeout = 5 * SEC,
		.fences = (uintptr_t)fences,
	};
	const int ch = *(int *)arg;
	intptr_t rounds;
	int ret;

	for (rounds = 0; rounds < ROUNDS; rounds++) {
		exchange.done_count = 2;
		ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);
		if (ret || exchange.done_count != 2 || done[0].status ||
		    done[1].status)
			break;
		close(fences[0].out);
		close(fences[1].out);
	}
	return (void *)rounds;
}

TEST_F(crossed, goes_on)
{
	pthread_t other;
	void *rounds;

	ASSERT_EQ(0, pthread_create(&other, NULL, cross, &self->ch[1]));
	EXPECT_EQ((void *)ROUNDS, cross(&self->ch[0]));
	ASSERT_EQ(0, pthread_join(other, &rounds));
	EXPECT_EQ((void *)ROUNDS, rounds);
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
