// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming: FPGABUF_IOC_EXCHANGE, _START and _STOP, poll(), and what the
 * completions tell: order, completeness, loss, time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <linux/dma-buf.h>
#include <sys/resource.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

#define FRAME		256
/* More than can be queued */
#define SLOTS		40
#define NEVER		(-1LL)

FIXTURE(stream) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(stream)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME, FPGABUF_KIND_SYSTEM,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(stream)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Raw frames one after the other in @b, frame i in slot i. */
static int prepare(int ch, const struct buffer *b, __u32 fps, int slots)
{
	int i, ret;

	ret = fpga_set_raw(ch, FRAME, fps);
	for (i = 0; !ret && i < slots; i++)
		if (fpga_register(ch, b->fd, i * FRAME, FRAME) != i)
			ret = -EBADSLT;
	return ret;
}

static int queue_first(int ch, int count)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++)
		ret = fpga_queue(ch, i, i);
	return ret;
}

static char *frame_of(const struct buffer *b,
		      const struct fpgabuf_completion *done)
{
	return (char *)b->map + done->slot * FRAME;
}

static const char *check_slot(const struct buffer *b,
			      const struct fpgabuf_completion *done)
{
	return raw_check_synced(b->fd, frame_of(b, done), FRAME, done);
}

static __u64 cookie(__u64 n)
{
	return n * 0x9e3779b97f4a7c15ULL + 1;
}

/* Known answers of RFC 3720 B.4 for the tests' own CRC-32C */
TEST_F(stream, oracle)
{
	__u8 data[32];
	int i;

	memset(data, 0, sizeof(data));
	EXPECT_EQ(0x8a9136aaU, crc32c(data, sizeof(data)));
	memset(data, 0xff, sizeof(data));
	EXPECT_EQ(0x62a8ab43U, crc32c(data, sizeof(data)));
	for (i = 0; i < 32; i++)
		data[i] = i;
	EXPECT_EQ(0x46dd794eU, crc32c(data, sizeof(data)));
}

/*
 * Every frame comes, once, in order, whole, with the user data of its buffer.
 * The count of the exchanges differs from run to run, so batches of all sizes
 * come by.
 */
static void stream_frames(struct __test_metadata *_metadata, int ch,
			  const struct buffer *b, __u64 frames)
{
	struct fpgabuf_queue_entry queue[SIM_DEPTH] = { 0 };
	struct fpgabuf_completion done[SIM_DEPTH];
	__u64 next = 0, queued = 0, last_time = 0;
	int count = SIM_DEPTH, i;

	for (i = 0; i < count; i++) {
		queue[i].slot = i;
		queue[i].user_data = cookie(queued++);
	}
	ASSERT_EQ(1, fpga_start(ch));
	while (next < frames) {
		count = fpga_exchange(ch, queue, count, done, SIM_DEPTH, 1,
				      5 * SEC);
		ASSERT_LE(1, count);
		ASSERT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		for (i = 0; i < count; i++, next++) {
			ASSERT_EQ(next, done[i].sequence);
			ASSERT_EQ(cookie(next), done[i].user_data);
			ASSERT_EQ(1U, done[i].run);
			ASSERT_EQ(0U, done[i].lost);
			ASSERT_EQ(0U, done[i].flags);
			ASSERT_LE(last_time, done[i].timestamp);
			ASSERT_STREQ("ok", raw_check(frame_of(b, &done[i]),
						     FRAME, &done[i]));
			last_time = done[i].timestamp;
			queue[i].slot = done[i].slot;
			queue[i].user_data = cookie(queued++);
		}
		ASSERT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_READ));
	}
	ASSERT_EQ(0, fpga_stop(ch));
}

TEST_F(stream, ten_thousand_frames)
{
	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, SIM_DEPTH));
	stream_frames(_metadata, self->ch, &self->b, 10000);
}

TEST_F(stream, min_done)
{
	static const struct {
		__u32 max;
		__u32 min;
	} wants[] = {
		{ 1, 1 }, { 8, 8 }, { 32, 1 }, { 5, 3 }, { 31, 31 }, { 32, 32 },
	};
	struct fpgabuf_queue_entry queue[SIM_DEPTH] = { 0 };
	struct fpgabuf_completion done[SIM_DEPTH];
	__u64 next = 0;
	int count, left;
	size_t i;
	int j;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, SIM_DEPTH));
	for (j = 0; j < SIM_DEPTH; j++)
		queue[j].slot = j;
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < ARRAY_LEN(wants); i++) {
		count = fpga_exchange(self->ch, queue, SIM_DEPTH, done,
				      wants[i].max, wants[i].min, 5 * SEC);
		EXPECT_LE((int)wants[i].min, count);
		EXPECT_GE((int)wants[i].max, count);
		left = SIM_DEPTH - count;
		if (left) {
			EXPECT_EQ(left, fpga_take(self->ch, done + count, left,
						  left, 5 * SEC));
		}
		for (j = 0; j < SIM_DEPTH; j++, next++) {
			EXPECT_EQ((__u32)j, done[j].slot);
			EXPECT_EQ(next, done[j].sequence);
		}
	}
}

/* Nothing but queueing; nothing but taking, of what is there */
TEST_F(stream, no_wait)
{
	struct fpgabuf_completion done[4];

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 4));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(0, fpga_exchange(self->ch, NULL, 0, NULL, 0, 0, 0));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, done, 4, 0, 0));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, done, 4, 0, 5 * SEC));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, done, 4, 1, 0));
	ASSERT_EQ(0, queue_first(self->ch, 4));
	ASSERT_EQ(1, fpga_take(self->ch, done, 1, 1, 5 * SEC));
	EXPECT_EQ(0U, done[0].slot);
	ASSERT_EQ(3, fpga_take(self->ch, done, 3, 3, NEVER));
	EXPECT_EQ(1U, done[0].slot);
	EXPECT_EQ(3U, done[2].slot);
}

/* Queued before the start, in the order of queueing and not of slots */
TEST_F(stream, queue_order)
{
	static const __u32 order[] = { 3, 0, 2, 1 };
	struct fpgabuf_completion done[4];
	int i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 4));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, fpga_queue(self->ch, order[i], cookie(i)));
	}
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(4, fpga_take(self->ch, done, 4, 4, 5 * SEC));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(order[i], done[i].slot);
		EXPECT_EQ(cookie(i), done[i].user_data);
		EXPECT_EQ((__u64)i, done[i].sequence);
	}
}

TEST_F(stream, full)
{
	struct fpgabuf_queue_entry queue[SLOTS] = { 0 };
	struct fpgabuf_completion done[SIM_DEPTH];
	int i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, SLOTS));
	for (i = 0; i < SLOTS; i++)
		queue[i].slot = i;
	/* All or none of a list */
	EXPECT_EQ(-ENOSPC, fpga_exchange(self->ch, queue, SIM_DEPTH + 1, NULL,
					 0, 0, 0));
	EXPECT_EQ(0, fpga_exchange(self->ch, queue, SIM_DEPTH, NULL, 0, 0, 0));
	EXPECT_EQ(-ENOSPC, fpga_queue(self->ch, SIM_DEPTH, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(SIM_DEPTH, fpga_take(self->ch, done, SIM_DEPTH, SIM_DEPTH,
				       5 * SEC));
	EXPECT_EQ(0, fpga_queue(self->ch, SIM_DEPTH, 0));
}

TEST_F(stream, bad_entries)
{
	struct fpgabuf_queue_entry two[2] = { { .slot = 0 }, { .slot = 1 } };
	struct fpgabuf_completion done[2];
	int bit;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 2));
	for (bit = 0; bit < 64; bit++) {
		two[1].bytes = 1ULL << bit;
		EXPECT_EQ(-EINVAL, fpga_exchange(self->ch, two, 2, NULL, 0, 0,
						 0));
		two[1].bytes = 0;
		two[1].flags = bit < 32 ? 1U << bit : 3;
		if (two[1].flags == FPGABUF_QUEUE_NO_IMPLICIT)
			continue;
		EXPECT_EQ(-EINVAL, fpga_exchange(self->ch, two, 2, NULL, 0, 0,
						 0));
		two[1].flags = 0;
	}
	two[1].slot = 2;
	EXPECT_EQ(-ENOENT, fpga_exchange(self->ch, two, 2, NULL, 0, 0, 0));
	two[1].slot = SIM_SLOTS;
	EXPECT_EQ(-ENOENT, fpga_exchange(self->ch, two, 2, NULL, 0, 0, 0));
	two[1].slot = ~0U;
	EXPECT_EQ(-ENOENT, fpga_exchange(self->ch, two, 2, NULL, 0, 0, 0));
	two[1].slot = 0;
	EXPECT_EQ(-EBUSY, fpga_exchange(self->ch, two, 2, NULL, 0, 0, 0));

	/* None of them has queued the first entry. */
	EXPECT_EQ(0, fpga_queue(self->ch, 0, 0));
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(POLLIN, poll_fd(self->ch, POLLIN, 5000));
	/* Done, but not taken */
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(1, fpga_take(self->ch, done, 2, 1, 5 * SEC));
	EXPECT_EQ(0, fpga_queue(self->ch, 0, 0));
}

TEST_F(stream, bad_counts)
{
	static struct fpgabuf_queue_entry queue[SIM_BATCH + 1];
	static struct fpgabuf_completion done[SIM_BATCH + 1];
	int ch = self->ch;

	ASSERT_EQ(0, prepare(ch, &self->b, 0, 1));
	ASSERT_EQ(1, fpga_start(ch));
	EXPECT_EQ(-E2BIG, fpga_exchange(ch, queue, SIM_BATCH + 1, NULL,
					0, 0, 0));
	EXPECT_EQ(-E2BIG, fpga_exchange(ch, queue, ~0U, NULL, 0, 0, 0));
	EXPECT_EQ(-E2BIG, fpga_take(ch, done, SIM_BATCH + 1, 0, 0));
	EXPECT_EQ(-E2BIG, fpga_take(ch, done, ~0U, 0, 0));
	EXPECT_EQ(-EINVAL, fpga_take(ch, done, 1, 2, 0));
	EXPECT_EQ(-EINVAL, fpga_take(ch, done, 0, 1, 0));
	EXPECT_EQ(-EINVAL, fpga_take(ch, done, SIM_BATCH, ~0U, 0));
	EXPECT_EQ(-EAGAIN, fpga_take(ch, done, SIM_BATCH, 0, 0));
}

TEST_F(stream, timeout)
{
	struct fpgabuf_completion done;
	__s64 begin, took;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 1));
	ASSERT_EQ(1, fpga_start(self->ch));
	begin = now_ns();
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->ch, &done, 1, 1, 100 * MSEC));
	took = now_ns() - begin;
	EXPECT_LE(100 * MSEC, took);
	EXPECT_GT(3 * SEC, took);
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->ch, &done, 1, 1, 1));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, &done, 1, 1, 0));
}

/* Time is over when some, but not all are done: those are the result. */
TEST_F(stream, timeout_with_some)
{
	struct fpgabuf_queue_entry queue = { .slot = 1 };
	struct fpgabuf_completion done[2];

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 2));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(1, fpga_take(self->ch, done, 2, 2, 100 * MSEC));
	ASSERT_EQ(0, fpga_stop(self->ch));

	/* Queued, but not done */
	ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	ASSERT_EQ(0, fpga_unregister(self->ch, 1));
	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 2));
	ASSERT_EQ(2, fpga_start(self->ch));
	EXPECT_EQ(0, fpga_exchange(self->ch, &queue, 1, done, 1, 1,
				   50 * MSEC));
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 1, 0));
}

TEST_F(stream, nonblocking)
{
	struct fpgabuf_queue_entry queue = { .slot = 0 };
	struct fpgabuf_completion done;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 1));
	ASSERT_EQ(0, fcntl(self->ch, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, &done, 1, 1, NEVER));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, &done, 1, 1, 60 * SEC));
	/* With a wait it would be 1. */
	EXPECT_EQ(0, fpga_exchange(self->ch, &queue, 1, &done, 1, 1, NEVER));
	EXPECT_EQ(POLLIN, poll_fd(self->ch, POLLIN, 5000));
	EXPECT_EQ(1, fpga_take(self->ch, &done, 1, 1, NEVER));
}

TEST_F(stream, not_started)
{
	struct fpgabuf_queue_entry queue = { .slot = 0 };
	struct fpgabuf_completion done;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 1));
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, &done, 1, 1, NEVER));
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, &done, 1, 0, 0));
	EXPECT_EQ(-EPIPE, fpga_exchange(self->ch, &queue, 1, &done, 1, 1,
					NEVER));
	/* That has not queued it. */
	EXPECT_EQ(0, fpga_exchange(self->ch, &queue, 1, &done, 1, 0, NEVER));
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 0, 0));
}

TEST_F(stream, stop_and_start)
{
	struct fpgabuf_start bad = { .flags = 1, .run = 77 };
	struct fpgabuf_completion done[4];
	int run, i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 4));
	EXPECT_EQ(0, fpga_stop(self->ch));
	for (run = 1; run <= 3; run++) {
		ASSERT_EQ(0, queue_first(self->ch, 4));
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_START,
					      &bad));
		ASSERT_EQ(run, fpga_start(self->ch));
		EXPECT_EQ(-EALREADY, fpga_start(self->ch));
		ASSERT_EQ(0, fpga_stop(self->ch));
		EXPECT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(4, fpga_take(self->ch, done, 4, 4, NEVER));
		for (i = 0; i < 4; i++) {
			ASSERT_EQ((__u32)i, done[i].slot);
			EXPECT_EQ(-ECANCELED, done[i].status);
			EXPECT_EQ((__u64)i, done[i].user_data);
			EXPECT_EQ((__u32)run, done[i].run);
		}
		EXPECT_EQ(-EPIPE, fpga_take(self->ch, done, 1, 1, NEVER));
	}
}

/* Sequence and loss begin anew with every run. */
TEST_F(stream, runs_are_separate)
{
	struct fpgabuf_completion done[4];
	int run, i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 4));
	for (run = 1; run <= 50; run++) {
		ASSERT_EQ(0, queue_first(self->ch, 4));
		ASSERT_EQ(run, fpga_start(self->ch));
		ASSERT_EQ(4, fpga_take(self->ch, done, 4, 4, 5 * SEC));
		ASSERT_EQ(0, fpga_stop(self->ch));
		for (i = 0; i < 4; i++) {
			EXPECT_EQ((__u32)run, done[i].run);
			EXPECT_EQ((__u64)i, done[i].sequence);
			EXPECT_EQ(0U, done[i].lost);
		}
	}
}

/* Stopped in mid-stream: what was done stays done, the rest is cancelled. */
TEST_F(stream, stop_in_the_middle)
{
	struct fpgabuf_completion done[SIM_DEPTH];
	int round, i, whole;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, SIM_DEPTH));
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, queue_first(self->ch, SIM_DEPTH));
		ASSERT_EQ(round + 1, fpga_start(self->ch));
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(SIM_DEPTH, fpga_take(self->ch, done, SIM_DEPTH,
					       SIM_DEPTH, NEVER));
		whole = 0;
		while (whole < SIM_DEPTH && !done[whole].status) {
			ASSERT_STREQ("ok", check_slot(&self->b, &done[whole]));
			whole++;
		}
		for (i = 0; i < SIM_DEPTH; i++) {
			ASSERT_EQ((__u32)i, done[i].slot);
			ASSERT_EQ(i < whole ? 0 : -ECANCELED, done[i].status);
		}
	}
}

/* Waits until the first word of the buffer is not @old any more. */
static bool written(const struct buffer *b, __u32 old)
{
	volatile __u32 *word = b->map;
	__s64 deadline = now_ns() + 5 * SEC;
	bool changed = false;

	while (!changed && now_ns() < deadline) {
		dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		changed = *word != old;
		dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	}
	return changed;
}

/* How many words of a frame are written, the rest being ~0 still */
static size_t frontier(const struct buffer *b)
{
	volatile __u32 *word = b->map;
	size_t low = 0, high = b->size / sizeof(*word);

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (word[middle] == ~0U)
			high = middle;
		else
			low = middle + 1;
	}
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return low;
}

/* When the stop returns, the engine has written its last byte. */
TEST_F(stream, stop_in_mid_frame)
{
	struct fpgabuf_completion done;
	struct buffer b;
	size_t words;
	int round;

	ASSERT_EQ(0, buffer_alloc(self->ch, 1 << 20, FPGABUF_KIND_SYSTEM, &b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, b.size, 0));
	for (round = 1; round <= 20; round++) {
		memset(b.map, 0xff, b.size);
		ASSERT_EQ(0, fpga_register(self->ch, b.fd, 0, 0));
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
		ASSERT_EQ(round, fpga_start(self->ch));
		ASSERT_TRUE(written(&b, ~0U));
		ASSERT_EQ(0, fpga_stop(self->ch));
		words = frontier(&b);
		pass_time(MSEC);
		EXPECT_EQ(words, frontier(&b));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 0));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));
		if (done.status != -ECANCELED) {
			EXPECT_STREQ("ok", raw_check(b.map, b.size, &done));
		}
	}
	buffer_free(&b);
}

static void *stop_soon(void *arg)
{
	int ch = *(int *)arg;

	pass_time(50 * MSEC);
	return (void *)(intptr_t)fpga_stop(ch);
}

/* A wait ends when another thread stops the channel. */
TEST_F(stream, stopped_while_waiting)
{
	struct fpgabuf_completion done[4];
	pthread_t thread;
	void *stopped;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 4));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_soon, &self->ch));
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, done, 1, 1, NEVER));
	ASSERT_EQ(0, pthread_join(thread, &stopped));
	EXPECT_EQ(NULL, stopped);

	ASSERT_EQ(0, queue_first(self->ch, 2));
	ASSERT_EQ(2, fpga_start(self->ch));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_soon, &self->ch));
	EXPECT_EQ(2, fpga_take(self->ch, done, 4, 4, NEVER));
	ASSERT_EQ(0, pthread_join(thread, &stopped));
	EXPECT_EQ(NULL, stopped);
	EXPECT_EQ(-ECANCELED, done[0].status);
	EXPECT_EQ(-ECANCELED, done[1].status);
}

/* Sends SIGUSR1 to a thread until it is told that it was enough. */
struct pester {
	pthread_t self;
	pthread_t victim;
	/* Begin when a completion can be taken; -1: at once */
	int after_poll;
	atomic_bool enough;
};

static void *pester_thread(void *arg)
{
	struct pester *p = arg;

	if (p->after_poll >= 0)
		poll_fd(p->after_poll, POLLIN, 5000);
	while (!p->enough) {
		pthread_kill(p->victim, SIGUSR1);
		pass_time(10 * MSEC);
	}
	return NULL;
}

static int pester_start(struct pester *p, int after_poll)
{
	p->victim = pthread_self();
	p->after_poll = after_poll;
	p->enough = false;
	return pthread_create(&p->self, NULL, pester_thread, p);
}

static int pester_end(struct pester *p)
{
	p->enough = true;
	return pthread_join(p->self, NULL);
}

TEST_F(stream, signals)
{
	struct fpgabuf_queue_entry queue = { .slot = 1 };
	struct fpgabuf_completion done[2];
	struct pester p;

	ASSERT_EQ(0, catch_signal(SIGUSR1));
	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 2));
	ASSERT_EQ(1, fpga_start(self->ch));

	/* Nothing queued, nothing done */
	ASSERT_EQ(0, pester_start(&p, -1));
	EXPECT_EQ(-EINTR, fpga_take(self->ch, done, 1, 1, NEVER));
	ASSERT_EQ(0, pester_end(&p));

	/* Queued: that stands, and the call must not look as if it did not. */
	ASSERT_EQ(0, pester_start(&p, -1));
	EXPECT_EQ(0, fpga_exchange(self->ch, &queue, 1, done, 1, 1, NEVER));
	ASSERT_EQ(0, pester_end(&p));
	EXPECT_EQ(-EBUSY, fpga_queue(self->ch, 1, 0));

	/* One of two done */
	ASSERT_EQ(0, pester_start(&p, self->ch));
	EXPECT_EQ(1, fpga_take(self->ch, done, 2, 2, NEVER));
	ASSERT_EQ(0, pester_end(&p));
	EXPECT_EQ(1U, done[0].slot);
	EXPECT_STREQ("ok", check_slot(&self->b, &done[0]));
}

TEST_F(stream, poll)
{
	struct fpgabuf_completion done;
	int ch = self->ch;

	EXPECT_EQ(POLLERR, poll_fd(ch, POLLIN, 0));
	ASSERT_EQ(0, prepare(ch, &self->b, 10, 2));
	EXPECT_EQ(POLLERR, poll_fd(ch, POLLIN, 0));
	ASSERT_EQ(1, fpga_start(ch));
	EXPECT_EQ(0, poll_fd(ch, POLLIN, 0));
	ASSERT_EQ(0, fpga_queue(ch, 0, 0));
	ASSERT_EQ(0, fpga_queue(ch, 1, 0));
	EXPECT_EQ(POLLIN, poll_fd(ch, POLLIN, 5000));
	ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 0));
	ASSERT_EQ(0, fpga_stop(ch));
	/* One is left, cancelled or done: it comes first. */
	EXPECT_EQ(POLLIN, poll_fd(ch, POLLIN, 0));
	ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 0));
	EXPECT_EQ(POLLERR, poll_fd(ch, POLLIN, 0));
}

TEST_F(stream, poll_wakes_at_stop)
{
	pthread_t thread;
	void *stopped;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 1));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_soon, &self->ch));
	EXPECT_EQ(POLLERR, poll_fd(self->ch, POLLIN, 5000));
	ASSERT_EQ(0, pthread_join(thread, &stopped));
	EXPECT_EQ(NULL, stopped);
}

/* What is lost is told by the next frame: how many, and why. */
TEST_F(stream, loss)
{
	struct fpgabuf_completion first = { 0 }, now;
	__u64 next = 0, lost = 0;
	__u32 flags = 0;
	__s64 span, time;
	int i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 1000, 1));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < 8; i++) {
		/* Some 20 frames find no buffer. */
		pass_time(20 * MSEC);
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
		ASSERT_EQ(1, fpga_take(self->ch, &now, 1, 1, 5 * SEC));
		ASSERT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
						    FRAME, &now));
		EXPECT_EQ(now.sequence - next, now.lost);
		EXPECT_LE(10U, now.lost);
		EXPECT_NE(0U, now.flags);
		EXPECT_EQ(0U, now.flags & ~(FPGABUF_DONE_LOST_STARVED |
					    FPGABUF_DONE_LOST_OVERRUN));
		flags |= now.flags;
		next = now.sequence + 1;
		lost += now.lost;
		if (!i)
			first = now;
	}
	/* On a slow machine some may have been lost to an overrun. */
	EXPECT_NE(0U, flags & FPGABUF_DONE_LOST_STARVED);
	/* The frames that came are 8, the rest of the time was lost. */
	EXPECT_EQ(now.sequence + 1, lost + 8);
	span = now.timestamp - first.timestamp;
	time = (now.sequence - first.sequence) * MSEC;
	EXPECT_GT(span / 5 + 20 * MSEC, llabs(span - time));
}

/* With a buffer always there nothing is lost, and the flags say so. */
TEST_F(stream, no_loss_unasked)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 1));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < 3; i++) {
		/* An unthrottled source waits for buffers. */
		pass_time(10 * MSEC);
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_EQ((__u64)i, done.sequence);
		EXPECT_EQ(0U, done.lost);
		EXPECT_EQ(0U, done.flags);
	}
}

/**
 * struct pace - how a run kept time, as judged by sequences and timestamps
 * @lost: frames that were lost, and told
 * @late: in each half of the run, how late its most punctual frame was, in ns
 */
struct pace {
	__u64 lost;
	__s64 late[2];
};

static long voluntary_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

/* Who waits for many frames is not woken by each of them. */
TEST_F(stream, wakes_once_for_many)
{
	struct fpgabuf_completion done[SIM_DEPTH];
	long switches;

	ASSERT_EQ(0, prepare(self->ch, &self->b, 200, SIM_DEPTH));
	ASSERT_EQ(0, queue_first(self->ch, SIM_DEPTH));
	ASSERT_EQ(1, fpga_start(self->ch));
	switches = voluntary_switches();
	ASSERT_EQ(SIM_DEPTH, fpga_take(self->ch, done, SIM_DEPTH, SIM_DEPTH,
				       10 * SEC));
	/* A lock may have to be waited for, but not at each frame. */
	EXPECT_GE(SIM_DEPTH / 4, voluntary_switches() - switches);
}

/*
 * A run of @num frames. None is early, by the device's clock, which began at the
 * start or after it; how late each is depends on the machine as well.
 */
static void run_paced(struct __test_metadata *_metadata, int ch, __s64 interval,
		      int num, struct pace *pace)
{
	const __s64 begin = now_ns();
	struct fpgabuf_completion done;
	__u64 next = 0;
	__s64 late;
	int i;

	*pace = (struct pace){ .late = { INT64_MAX, INT64_MAX } };
	ASSERT_LE(1, fpga_start(ch));
	for (i = 0; i < num; i++) {
		ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 10 * SEC));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ(done.sequence - next, done.lost);
		EXPECT_EQ(!done.lost, !done.flags);
		ASSERT_EQ(0, fpga_queue(ch, done.slot, 0));
		next = done.sequence + 1;
		pace->lost += done.lost;
		late = (__s64)done.timestamp - begin - (__s64)next * interval;
		EXPECT_LE(0, late);
		EXPECT_GE(now_ns(), (__s64)done.timestamp);
		if (late < pace->late[2 * i / num])
			pace->late[2 * i / num] = late;
	}
	ASSERT_EQ(0, fpga_stop(ch));
	/* What the stop gave back */
	while (fpga_take(ch, &done, 1, 1, 0) == 1)
		ASSERT_EQ(0, fpga_queue(ch, done.slot, 0));
}

/*
 * A clock that is slow gets later from frame to frame, a machine that is slow
 * makes some frames late, or lost: a run in which it did neither is enough.
 */
static void expect_pace(struct __test_metadata *_metadata, int ch,
			__s64 interval, int num, __s64 slack)
{
	struct pace pace;
	bool right = false;
	int i;

	for (i = 0; i < 5 && !right; i++) {
		run_paced(_metadata, ch, interval, num, &pace);
		right = 2 * pace.lost < (__u64)num && pace.late[0] < slack &&
			pace.late[1] < slack;
	}
	EXPECT_TRUE(right)
		TH_LOG("%jd frames lost of %d, late by %jd and %jd ns",
		       (intmax_t)pace.lost, num, (intmax_t)pace.late[0],
		       (intmax_t)pace.late[1]);
}

TEST_F(stream, one_frame_a_second)
{
	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 2));
	ASSERT_EQ(0, queue_first(self->ch, 2));
	expect_pace(_metadata, self->ch, SEC, 2, 250 * MSEC);
}

TEST_F(stream, hundred_frames_a_second)
{
	ASSERT_EQ(0, prepare(self->ch, &self->b, 100, SIM_DEPTH));
	ASSERT_EQ(0, queue_first(self->ch, SIM_DEPTH));
	expect_pace(_metadata, self->ch, SEC / 100, 50, 30 * MSEC);
}

/* One file streams; the others may look, and allocate, but not touch. */
TEST_F(stream, owner)
{
	struct fpgabuf_queue_entry queue = { .slot = 0 };
	struct fpgabuf_format format, try;
	struct fpgabuf_completion done;
	struct fpgabuf_info info;
	struct buffer b;
	int other;

	other = fpga_open(0, O_RDWR);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, prepare(self->ch, &self->b, 0, 1));

	EXPECT_EQ(-EBUSY, fpga_set_raw(other, FRAME, 0));
	EXPECT_EQ(-EBUSY, fpga_register(other, self->b.fd, FRAME, FRAME));
	EXPECT_EQ(-EBUSY, fpga_unregister(other, 0));
	EXPECT_EQ(-EBUSY, fpga_queue(other, 0, 0));
	EXPECT_EQ(-EBUSY, fpga_take(other, &done, 1, 0, 0));
	EXPECT_EQ(-EBUSY, fpga_start(other));
	EXPECT_EQ(-EBUSY, fpga_stop(other));

	EXPECT_EQ(0, fpga_ioctl(other, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ(0, fpga_get_format(other, &format));
	EXPECT_EQ((__u64)FRAME, format.size);
	try = format;
	try.size = 2 * FRAME;
	try.flags = FPGABUF_FORMAT_TRY;
	EXPECT_EQ(0, fpga_set_format(other, &try));
	ASSERT_EQ(0, buffer_alloc(other, FRAME, FPGABUF_KIND_SYSTEM, &b));

	/* What it allocated serves the owner. */
	ASSERT_EQ(1, fpga_register(self->ch, b.fd, 0, 0));
	queue.slot = 1;
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(1, fpga_exchange(self->ch, &queue, 1, &done, 1, 1, 5 * SEC));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, FRAME, &done));
	EXPECT_EQ(-EBUSY, fpga_stop(other));

	/* What the owner can take is nothing to others. */
	ASSERT_EQ(0, fpga_queue(self->ch, 1, 0));
	EXPECT_EQ(POLLIN, poll_fd(self->ch, POLLIN, 5000));
	EXPECT_EQ(0, poll_fd(other, POLLIN, 0));
	EXPECT_EQ(-EBUSY, fpga_take(other, &done, 1, 0, 0));

	close(self->ch);
	EXPECT_EQ(0, fpga_get_format(other, &format));
	EXPECT_EQ((__u32)FPGABUF_FORMAT_VIDEO, format.type);
	EXPECT_EQ(0, prepare(other, &self->b, 0, 1));
	ASSERT_EQ(0, fpga_queue(other, 0, 0));
	/* Counted anew for each owner */
	EXPECT_EQ(1, fpga_start(other));
	EXPECT_EQ(1, fpga_take(other, &done, 1, 1, 5 * SEC));
	buffer_free(&b);
}

static void *close_soon(void *arg)
{
	pass_time(50 * MSEC);
	return (void *)(intptr_t)close(*(int *)arg);
}

/* Who waits for a channel that another file streams from wakes when it may. */
TEST_F(stream, poll_wakes_at_close)
{
	pthread_t thread;
	void *closed;
	int other;

	other = fpga_open(0, O_RDWR);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, prepare(self->ch, &self->b, 1, 1));
	EXPECT_EQ(0, poll_fd(other, POLLIN, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, close_soon, &self->ch));
	EXPECT_EQ(POLLERR, poll_fd(other, POLLIN, 5000));
	ASSERT_EQ(0, pthread_join(thread, &closed));
	EXPECT_EQ(NULL, closed);
	EXPECT_EQ(0, fpga_set_raw(other, FRAME, 0));
}

/* Asking, trying, failing and allocating make nobody the owner. */
TEST_F(stream, no_owner)
{
	struct fpgabuf_format format;
	int other, fd;

	other = fpga_open(0, O_RDWR);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	format.flags = FPGABUF_FORMAT_TRY;
	EXPECT_EQ(0, fpga_set_format(self->ch, &format));
	EXPECT_EQ(-ERANGE, fpga_set_raw(self->ch, 4, 0));
	EXPECT_EQ(-EBADF, fpga_register(self->ch, -1, 0, 0));
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, 0));
	EXPECT_EQ(-ENOENT, fpga_queue(self->ch, 0, 0));
	EXPECT_EQ(0, fpga_stop(self->ch));
	fd = fpga_alloc(self->ch, FRAME, FPGABUF_KIND_SYSTEM);
	EXPECT_LE(0, fd);

	EXPECT_EQ(0, fpga_set_raw(other, FRAME, 0));
	EXPECT_EQ(-EBUSY, fpga_set_raw(self->ch, FRAME, 0));
}

/* Each of the three ways to become the owner */
TEST_F(stream, ways_to_own)
{
	struct fpgabuf_format format;
	struct buffer b;
	int first, second;

	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	ASSERT_EQ(0, buffer_alloc(self->ch, format.size, FPGABUF_KIND_SYSTEM,
				  &b));
	second = self->ch;

	first = fpga_open(0, O_RDWR);
	ASSERT_EQ(0, fpga_set_format(first, &format));
	EXPECT_EQ(-EBUSY, fpga_start(second));
	close(first);

	first = fpga_open(0, O_RDWR);
	ASSERT_EQ(0, fpga_register(first, b.fd, 0, 0));
	EXPECT_EQ(-EBUSY, fpga_start(second));
	close(first);

	first = fpga_open(0, O_RDWR);
	ASSERT_EQ(1, fpga_start(first));
	EXPECT_EQ(-EBUSY, fpga_set_format(second, &format));
	close(first);
	EXPECT_EQ(1, fpga_start(second));
	buffer_free(&b);
}

/* Two channels at once, each with frames of its own */
TEST_F(stream, two_channels)
{
	struct fpgabuf_completion done;
	__u64 next[2] = { 0, 0 };
	struct buffer b[2];
	int ch[2], i, round;

	REQUIRE_NOTHING_MISSING(test_channel_missing(1));
	ch[0] = self->ch;
	ch[1] = fpga_open(1, O_RDWR);
	ASSERT_LE(0, ch[1]);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, buffer_alloc(ch[i], 4 * FRAME,
					  FPGABUF_KIND_CONTIGUOUS, &b[i]));
		ASSERT_EQ(0, prepare(ch[i], &b[i], 0, 4));
		ASSERT_EQ(0, queue_first(ch[i], 4));
		ASSERT_EQ(1, fpga_start(ch[i]));
	}
	for (round = 0; round < 500; round++) {
		/* The second one runs ahead, by two frames to one. */
		i = round % 3 ? 1 : 0;
		ASSERT_EQ(1, fpga_take(ch[i], &done, 1, 1, 5 * SEC));
		ASSERT_EQ(next[i]++, done.sequence);
		ASSERT_STREQ("ok", check_slot(&b[i], &done));
		ASSERT_EQ(0, fpga_queue(ch[i], done.slot, 0));
	}
	/* Stopping one does not stop the other. */
	ASSERT_EQ(0, fpga_stop(ch[0]));
	ASSERT_EQ(1, fpga_take(ch[1], &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
	for (i = 0; i < 2; i++)
		buffer_free(&b[i]);
}

TEST_HARNESS_MAIN
