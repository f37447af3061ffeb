// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads on one channel, each doing what it likes: every call must come
 * back with one of its own results, and in the end nothing is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

#define THREADS		4
#define CALLS		1500
#define FRAME		4096
#define FRAMES		24

FIXTURE(race) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(race)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, FRAMES * FRAME,
				  FPGABUF_KIND_SYSTEM, &self->b));
}

FIXTURE_TEARDOWN_PARENT(race)
{
	EXPECT_NOTHING_LEFT(self->before);
}

struct actor {
	pthread_t thread;
	int ch;
	int fd;
	unsigned int seed;
	/* The first result that must not be, and of what */
	const char *call;
	int result;
	unsigned int frames;
};

static unsigned int pick(struct actor *a, unsigned int count)
{
	return rand_r(&a->seed) % count;
}

static bool one_of(int result, const int *errors)
{
	while (*errors && *errors != result)
		errors++;
	return *errors;
}

#define ALLOWED(...)	((const int[]){ __VA_ARGS__, 0 })

static void judge(struct actor *a, const char *call, int result,
		  const int *errors)
{
	if (a->call || result >= 0 || one_of(result, errors))
		return;
	a->call = call;
	a->result = result;
}

static void act_exchange(struct actor *a)
{
	struct fpgabuf_queue_entry queue[4] = { 0 };
	struct fpgabuf_completion done[8];
	unsigned int count = pick(a, 5);
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++)
		queue[i].slot = pick(a, FRAMES);
	ret = fpga_exchange(a->ch, queue, count, done, 8, pick(a, 3),
			    pick(a, 2) * MSEC);
	judge(a, "EXCHANGE", ret, ALLOWED(-ENOENT, -EBUSY, -ENOSPC, -EAGAIN,
					  -ETIMEDOUT, -EPIPE));
	for (i = 0; ret > 0 && i < (unsigned int)ret; i++) {
		judge(a, "a completion", done[i].status, ALLOWED(-ECANCELED));
		a->frames += !done[i].status;
	}
}

static void act_buffers(struct actor *a)
{
	unsigned int i = pick(a, FRAMES);

	judge(a, "REGISTER", fpga_register(a->ch, a->fd, i * FRAME, FRAME),
	      ALLOWED(-EEXIST, -ENOSPC));
	if (!pick(a, 4))
		judge(a, "UNREGISTER", fpga_unregister(a->ch, pick(a, FRAMES)),
		      ALLOWED(-ENOENT, -EBUSY));
}

static void act_control(struct actor *a)
{
	switch (pick(a, 4)) {
	case 0:
		judge(a, "STOP", fpga_stop(a->ch), ALLOWED(0));
		break;
	case 1:
		judge(a, "SET_FORMAT", fpga_set_raw(a->ch, FRAME, 0),
		      ALLOWED(-EBUSY));
		break;
	default:
		judge(a, "START", fpga_start(a->ch), ALLOWED(-EALREADY));
	}
}

static void act_alloc(struct actor *a)
{
	int fd = fpga_alloc(a->ch, FRAME, pick(a, SIZED_KINDS));
	struct fpgabuf_inspect inspect;
	char names[64];

	judge(a, "ALLOC", fd, ALLOWED(0));
	judge(a, "INSPECT", fpga_inspect(a->ch, pick(a, 2) ? a->fd : fd,
					 &inspect, names, sizeof(names)),
	      ALLOWED(0));
	judge(a, "an inspection", inspect.status, ALLOWED(0));
	if (fd >= 0)
		close(fd);
	poll_fd(a->ch, POLLIN, 0);
	judge(a, "SYNC", dmabuf_sync(a->fd, DMA_BUF_SYNC_START |
				     DMA_BUF_SYNC_READ), ALLOWED(0));
	judge(a, "SYNC", dmabuf_sync(a->fd, DMA_BUF_SYNC_END |
				     DMA_BUF_SYNC_READ), ALLOWED(0));
}

static void *act(void *arg)
{
	struct actor *a = arg;
	int i;

	for (i = 0; i < CALLS; i++) {
		switch (pick(a, 16)) {
		case 0 ... 8:
			act_exchange(a);
			break;
		case 9 ... 12:
			act_buffers(a);
			break;
		case 13 ... 14:
			act_control(a);
			break;
		default:
			act_alloc(a);
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(race, one_file, 60)
{
	struct actor actors[THREADS];
	unsigned int frames = 0;
	int i;

	/* First, so that REGISTER finds small frames */
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	for (i = 0; i < THREADS; i++) {
		actors[i] = (struct actor){
			.ch = self->ch,
			.fd = self->b.fd,
			.seed = test_seed() + i,
		};
		ASSERT_EQ(0, pthread_create(&actors[i].thread, NULL, act,
					    &actors[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(actors[i].thread, NULL));
		EXPECT_EQ(NULL, actors[i].call)
			TH_LOG("%s: %s", actors[i].call,
			       strerror(-actors[i].result));
		frames += actors[i].frames;
	}
	/* It was worth it. */
	EXPECT_LE(100U, frames);
}

/*
 * Files of their own: one of them streams, the others are refused. How often
 * one gets as far as a frame is the scheduler's choice: on until some did.
 */
#define ENOUGH	10U
static atomic_uint taken;

static void *open_and_close(void *arg)
{
	__s64 end = now_ns() + 40 * SEC;
	struct actor *a = arg;
	struct fpgabuf_completion done;
	int i, ch, slot;

	for (i = 0; i < CALLS / 10 || (taken < ENOUGH && now_ns() < end); i++) {
		ch = fpga_open(0, O_RDWR);
		judge(a, "open", ch, ALLOWED(0));
		if (ch < 0)
			break;
		judge(a, "SET_FORMAT", fpga_set_raw(ch, FRAME, 0),
		      ALLOWED(-EBUSY));
		slot = fpga_register(ch, a->fd, pick(a, FRAMES) * FRAME,
				     FRAME);
		/* Between the two somebody may have become the owner, or gone. */
		judge(a, "REGISTER", slot, ALLOWED(-EBUSY, -EMSGSIZE));
		if (slot >= 0 && !fpga_queue(ch, slot, 0) &&
		    fpga_start(ch) > 0 &&
		    fpga_take(ch, &done, 1, 1, 5 * SEC) == 1) {
			judge(a, "a completion", done.status, ALLOWED(0));
			taken++;
		}
		close(ch);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, many_files, 60)
{
	struct actor actors[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		actors[i] = (struct actor){
			.fd = self->b.fd,
			.seed = test_seed() + i,
		};
		ASSERT_EQ(0, pthread_create(&actors[i].thread, NULL,
					    open_and_close, &actors[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(actors[i].thread, NULL));
		EXPECT_EQ(NULL, actors[i].call)
			TH_LOG("%s: %s", actors[i].call,
			       strerror(-actors[i].result));
	}
	EXPECT_LE(ENOUGH, atomic_load(&taken));
}

#define ROUNDS	100

static void *take_them(void *arg)
{
	struct fpgabuf_completion done;
	struct actor *a = arg;
	int i, ret;

	for (i = 0; i < ROUNDS / 2; i++) {
		ret = fpga_take(a->ch, &done, 1, 1, 20 * SEC);
		if (ret != 1) {
			a->call = "EXCHANGE";
			a->result = ret;
			break;
		}
		a->frames++;
	}
	return NULL;
}

/*
 * Both wait for each frame, and each is to get half of them: who comes too late
 * for one waits on, and is told nothing else.
 */
TEST_F_TIMEOUT(race, two_wait_for_one, 60)
{
	struct actor actors[2];
	int i;

	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	for (i = 0; i < FRAMES; i++)
		ASSERT_EQ(i, fpga_register(self->ch, self->b.fd, i * FRAME,
					   FRAME));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < 2; i++) {
		actors[i] = (struct actor){ .ch = self->ch };
		ASSERT_EQ(0, pthread_create(&actors[i].thread, NULL, take_them,
					    &actors[i]));
	}
	/* One frame at a time, when both should wait. */
	for (i = 0; i < ROUNDS; i++) {
		pass_time(2 * MSEC);
		ASSERT_EQ(0, fpga_queue(self->ch, i % FRAMES, 0));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(actors[i].thread, NULL));
		EXPECT_EQ(NULL, actors[i].call)
			TH_LOG("%s: %s", actors[i].call,
			       strerror(-actors[i].result));
		EXPECT_EQ(ROUNDS / 2U, actors[i].frames);
	}
}

TEST_HARNESS_MAIN
