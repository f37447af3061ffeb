// SPDX-License-Identifier: GPL-2.0
/*
 * The library with a real channel (any that can send raw frames, such as that
 * of fpgabuf_sim): waits that signals disturb all the time, and stop from
 * another thread.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include <fpgabuf.h>

#include "../kselftest.h"

#define NUM_BUFFERS	16
#define SIZE		4096
#define MSEC		INT64_C(1000000)

#define ok(condition, text, ...)					\
	ksft_test_result(condition, text "\n", ##__VA_ARGS__)

#define is(found, wanted, text) do {					\
	const long long f_ = (found), w_ = (wanted);			\
									\
	ksft_test_result(f_ == w_, text "\n");				\
	if (f_ != w_)							\
		ksft_print_msg("found %lld, wanted %lld\n", f_, w_);	\
} while (0)

/* For what a test needs and that is not its subject. */
#define need(condition) do {						\
	if (!(condition))						\
		ksft_exit_fail_msg("%s:%d: %s: %m\n", __FILE__,		\
				   __LINE__, #condition);		\
} while (0)

static struct fpgabuf_channel *channel;
static struct fpgabuf_map maps[NUM_BUFFERS];
static uint32_t slots[NUM_BUFFERS];
static volatile sig_atomic_t signals;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec * 1000 * MSEC + ts.tv_nsec;
}

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static void set_timer(int usec)
{
	const struct itimerval timer = {
		.it_interval.tv_usec = usec,
		.it_value.tv_usec = usec,
	};
	/* No SA_RESTART: each call that waits is interrupted. */
	const struct sigaction action = { .sa_handler = count_signal };

	need(!sigaction(SIGALRM, &action, NULL));
	need(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void begin_signals(void)
{
	signals = 0;
	set_timer(1000);
}

static void end_signals(void)
{
	set_timer(0);
	ok(signals >= 10, "%d signals came", (int)signals);
}

static bool set_raw_format(uint32_t rate)
{
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = SIZE,
		.rate = { rate, 1 },
	};

	return !fpgabuf_channel_set_format(channel, &format);
}

static void add_buffers(void)
{
	int fd, slot, i;

	for (i = 0; i < NUM_BUFFERS; i++) {
		fd = fpgabuf_channel_alloc(channel, SIZE, FPGABUF_KIND_SYSTEM);
		need(fd >= 0);
		slot = fpgabuf_channel_register(channel, fd, 0, 0);
		need(slot >= 0);
		need(!fpgabuf_map(fd, PROT_READ, &maps[i]));
		slots[i] = slot;
		close(fd);
	}
}

static void remove_buffers(void)
{
	int i;

	for (i = 0; i < NUM_BUFFERS; i++) {
		need(!fpgabuf_channel_unregister(channel, slots[i]));
		fpgabuf_unmap(&maps[i]);
	}
}

static void queue_all(void)
{
	int i;

	for (i = 0; i < NUM_BUFFERS; i++)
		need(!fpgabuf_channel_queue(channel, slots[i], i));
}

static int check_frame(const struct fpgabuf_completion *done)
{
	const struct fpgabuf_map *map = &maps[done->user_data];
	int ret;

	if (fpgabuf_map_begin(map, DMA_BUF_SYNC_READ))
		return -EIO;
	ret = fpgabuf_verify_frame(map->addr, SIZE, NULL);

	return fpgabuf_map_end(map, DMA_BUF_SYNC_READ) ?: ret;
}

static void test_signals(void)
{
	struct fpgabuf_queue_entry queue[NUM_BUFFERS];
	struct fpgabuf_completion done[NUM_BUFFERS];
	uint64_t next = 0;
	int count = 0, fewer = 0, disordered = 0, broken = 0, i;

	queue_all();
	begin_signals();
	need(!fpgabuf_channel_start(channel));
	while (next < 400) {
		/* What was taken in the last round is queued in this one. */
		count = fpgabuf_channel_exchange(channel, queue, count, done,
						 NUM_BUFFERS, 4, -1);
		if (count < 0)
			break;
		fewer += count < 4;
		for (i = 0; i < count; i++) {
			disordered += done[i].sequence != next + done[i].lost;
			next = done[i].sequence + 1;
			broken += check_frame(&done[i]) != 0;
			queue[i] = (struct fpgabuf_queue_entry){
				.slot = done[i].slot,
				.user_data = done[i].user_data,
			};
		}
	}
	end_signals();
	ok(count >= 0, "a stream under signals: %d", count);
	is(fewer, 0, "never fewer than were waited for");
	is(disordered, 0, "all in their order");
	is(broken, 0, "all whole");
	need(!fpgabuf_channel_stop(channel));
}

static void drain(void)
{
	struct fpgabuf_completion done[NUM_BUFFERS];
	int ret;

	do {
		ret = fpgabuf_channel_take(channel, done, NUM_BUFFERS, 0, 0);
	} while (ret > 0);
	is(ret, -EPIPE, "nothing is left after a stop");
}

/* At one frame a second nothing comes before the time is over. */
static void test_timeout(void)
{
	struct fpgabuf_completion done;
	int64_t start, taken;
	int ret;

	queue_all();
	need(!fpgabuf_channel_start(channel));
	begin_signals();
	start = now();
	ret = fpgabuf_channel_take(channel, &done, 1, 1, 300 * MSEC);
	taken = now() - start;
	end_signals();
	is(ret, -ETIMEDOUT, "the time is over");
	ok(taken >= 300 * MSEC, "not before it is: %lld ns", (long long)taken);
	ok(taken < 900 * MSEC, "nor much later: %lld ns", (long long)taken);

	start = now();
	is(fpgabuf_channel_take(channel, &done, 1, 1, 0), -EAGAIN, "no wait");
	need(!fpgabuf_channel_stop(channel));
}

/* Whether this comes before the other thread waits or while it does. */
static void *stop_thread(void *arg)
{
	pthread_barrier_wait(arg);

	return (void *)(intptr_t)fpgabuf_channel_stop(channel);
}

static void test_stop(void)
{
	struct fpgabuf_completion done[NUM_BUFFERS];
	pthread_barrier_t barrier;
	pthread_t thread;
	int count, cancelled, i;
	void *result;

	queue_all();
	need(!pthread_barrier_init(&barrier, NULL, 2));
	need(!pthread_create(&thread, NULL, stop_thread, &barrier));
	need(!fpgabuf_channel_start(channel));
	pthread_barrier_wait(&barrier);
	count = fpgabuf_channel_take(channel, done, NUM_BUFFERS, NUM_BUFFERS,
				     -1);
	need(!pthread_join(thread, &result));
	is((intptr_t)result, 0, "stop from another thread");
	is(count, NUM_BUFFERS, "ends the wait: all come back");
	for (i = cancelled = 0; i < count; i++)
		cancelled += done[i].status == -ECANCELED;
	ok(cancelled >= NUM_BUFFERS - 1, "%d are cancelled", cancelled);
	is(fpgabuf_channel_take(channel, done, 1, 1, -1), -EPIPE,
	   "there is nothing to wait for then");
	pthread_barrier_destroy(&barrier);
}

/* The two rates need two formats, which only a channel without buffers takes. */
static void run_at(uint32_t rate, void (*test)(void))
{
	need(set_raw_format(rate));
	add_buffers();
	test();
	drain();
	remove_buffers();
}

int main(int argc, char **argv)
{
	int ret;

	ksft_print_header();
	ret = fpgabuf_channel_open(argc > 1 ? argv[1] : NULL, &channel);
	if (ret < 0 && getenv("FPGABUF_REQUIRED"))
		ksft_exit_fail_msg("no channel to open: %s\n", strerror(-ret));
	if (ret < 0)
		ksft_exit_skip("no channel to open: %s\n", strerror(-ret));
	ksft_set_plan(17);

	run_at(400, test_signals);
	run_at(1, test_timeout);
	run_at(1, test_stop);
	fpgabuf_channel_close(channel);

	ksft_finished();
}
