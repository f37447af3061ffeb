// SPDX-License-Identifier: GPL-2.0
/*
 * As many buffers as a channel takes, in batches as large as an exchange takes:
 * what a stream of packets needs.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/resource.h>

#include "../kselftest_harness.h"
#include "fences.h"
#include "fpgabuf_test.h"

#define PACKET		2048
#define PACKETS		100000

FIXTURE(many) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(many)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIM_SLOTS * PACKET,
				  FPGABUF_KIND_SYSTEM, &self->b));
	ASSERT_EQ(0, fpga_set_packets(self->ch, PACKET, 0));
	for (i = 0; i < SIM_SLOTS; i++)
		ASSERT_EQ(i, fpga_register(self->ch, self->b.fd, i * PACKET,
					   PACKET));
}

FIXTURE_TEARDOWN_PARENT(many)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int queue_all(int ch, struct fpgabuf_queue_entry *queue)
{
	int i, ret;

	for (i = 0; i < SIM_SLOTS; i++) {
		queue[i % SIM_BATCH] = (struct fpgabuf_queue_entry){
			.slot = i,
		};
		if (i % SIM_BATCH != SIM_BATCH - 1)
			continue;
		ret = fpga_exchange(ch, queue, SIM_BATCH, NULL, 0, 0, 0);
		if (ret)
			return ret;
	}
	return 0;
}

/* "ok", or what is wrong with the packets that were taken */
static const char *check(const struct buffer *b, int first,
			 const struct fpgabuf_completion *done, int num)
{
	const char *verdict = "ok";
	int i;

	if (dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return "no sync";
	for (i = 0; i < num && !strcmp(verdict, "ok"); i++) {
		if (done[i].slot != (__u32)(first + i) % SIM_SLOTS ||
		    done[i].sequence != (__u64)(first + i) || done[i].lost)
			verdict = "out of order, or lost";
		else
			verdict = frame_check(b->map + done[i].slot * PACKET,
					      done[i].bytes, &done[i]);
	}
	if (dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ))
		return "no sync";
	return verdict;
}

/* All buffers go round and round: each packet comes, once, and in order. */
TEST_F_TIMEOUT(many, in_order, 180)
{
	static struct fpgabuf_queue_entry queue[SIM_BATCH];
	static struct fpgabuf_completion done[SIM_BATCH];
	int taken = 0, i, num;

	ASSERT_EQ(0, queue_all(self->ch, queue));
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	while (taken < PACKETS) {
		num = fpga_take(self->ch, done, SIM_BATCH, SIM_BATCH, 20 * SEC);
		ASSERT_LT(0, num);
		ASSERT_STREQ("ok", check(&self->b, taken, done, num));
		taken += num;
		for (i = 0; i < num; i++)
			queue[i].slot = done[i].slot;
		ASSERT_EQ(0, fpga_exchange(self->ch, queue, num, NULL, 0, 0,
					   0));
	}
	ASSERT_EQ(0, fpga_stop(self->ch));
}

/* None is lost when it is stopped with all of them queued; nor is a slot. */
TEST_F_TIMEOUT(many, are_canceled, 180)
{
	static struct fpgabuf_queue_entry queue[SIM_BATCH];
	static struct fpgabuf_completion done[SIM_BATCH];
	int taken, num, i;

	ASSERT_EQ(0, queue_all(self->ch, queue));
	ASSERT_EQ(0, fpga_stop(self->ch));
	for (taken = 0; taken < SIM_SLOTS; taken += num) {
		num = fpga_take(self->ch, done, SIM_BATCH, 1, 0);
		ASSERT_LT(0, num);
		for (i = 0; i < num; i++) {
			ASSERT_EQ((__u32)(taken + i), done[i].slot);
			ASSERT_EQ(-ECANCELED, done[i].status);
		}
	}
	for (i = 0; i < SIM_SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->ch, i));
}

/* A whole batch with fences: all signal, and in order. */
TEST_F_TIMEOUT(many, have_fences, 180)
{
	static struct fpgabuf_queue_entry queue[SIM_BATCH];
	static struct fpgabuf_fences fences[SIM_BATCH];
	const struct rlimit limit = { 2 * SIM_BATCH, 2 * SIM_BATCH };
	struct fpgabuf_exchange x = {
		.queue = (uintptr_t)queue,
		.queue_count = SIM_BATCH,
		.fences = (uintptr_t)fences,
	};
	__s64 last = 0;
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < SIM_BATCH; i++)
		queue[i] = (struct fpgabuf_queue_entry){
			.slot = i, .flags = FPGABUF_QUEUE_OUT_FENCE,
		};
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	for (i = 0; i < SIM_BATCH; i++) {
		ASSERT_EQ(0, sync_file_wait(fences[i].out, 10000));
		ASSERT_EQ(1, sync_file_status(fences[i].out));
		ASSERT_LE(last, sync_file_time(fences[i].out));
		last = sync_file_time(fences[i].out);
		close(fences[i].out);
	}
	ASSERT_EQ(0, fpga_stop(self->ch));
}

TEST_HARNESS_MAIN
