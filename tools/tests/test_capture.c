// SPDX-License-Identifier: GPL-2.0
/*
 * A capture's waits: what ends them, and when. The channel and the clock are the
 * test's own, so that times are exact.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

#include "capture.h"
#include "device.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "progress.h"
#include "tap.h"

#define SIZE	256
#define NEVER	INT64_MAX
#define START	INT64_C(7000000000)
#define SEC	INT64_C(1000000000)

/* What is to happen: all times are ns since the start. */
static struct story {
	/* a frame every so many ns, @frames of them */
	int64_t period;
	uint64_t frames;
	/* the first wait after this time is disturbed by a signal at it */
	int64_t signal;
	/* the user stops the program */
	int64_t interrupt;
	/* a line of progress every so many ns; 0: none */
	int64_t tick;
	/* how calls end */
	int poll_error;
	int start_error;
	int stop_error;
	int exchange_error;
} story;

static int64_t now;
static uint64_t taken;
static unsigned int queued;
static int polls, stops, closes, complaints;
static bool disturbed, running, signals;
static char last[200];

static struct fpgabuf_info info = { .direction = FPGABUF_DIR_CAPTURE };

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof(last), format, args);
	va_end(args);
	complaints++;
}

int64_t monotonic_ns(void)
{
	return START + now;
}

void progress_start(struct progress *progress, bool live)
{
	(void)live;
	*progress = (struct progress){ .start = monotonic_ns() };
}

void progress_frame(struct progress *progress, int64_t timestamp,
		    uint64_t bytes)
{
	(void)timestamp;
	(void)bytes;
	progress->frames++;
}

int64_t progress_tick(struct progress *progress, const struct check *check)
{
	(void)progress;
	(void)check;

	return story.tick ? story.tick - now % story.tick : -1;
}

void progress_summary(const struct progress *progress,
		      const struct check *check, bool verified, FILE *to)
{
	(void)progress;
	(void)check;
	(void)verified;
	(void)to;
}

int interrupt_init(void)
{
	signals = true;

	return 3;
}

bool interrupted(void)
{
	return signals && now >= story.interrupt;
}

struct fpgabuf_channel *open_channel(const char *name)
{
	return (struct fpgabuf_channel *)name;
}

void fpgabuf_channel_close(struct fpgabuf_channel *channel)
{
	need(channel);
	closes++;
}

bool select_format(struct fpgabuf_channel *channel,
		   const struct format_request *request,
		   struct fpgabuf_format *format)
{
	(void)channel;
	(void)request;
	format->size = SIZE;

	return true;
}

bool pool_init(struct pool *pool, struct fpgabuf_channel *channel,
	       const struct pool_request *request, uint64_t size)
{
	unsigned int i;

	(void)channel;
	need(size == SIZE);
	*pool = (struct pool){ .count = request->count };
	pool->buffers = calloc(pool->count, sizeof(*pool->buffers));
	need(pool->buffers);
	for (i = 0; i < pool->count; i++)
		pool->buffers[i].slot = 10 + i;

	return true;
}

void pool_free(struct pool *pool)
{
	pool->count = 0;
	free(pool->buffers);
}

bool output_open(struct output *output, const char *path)
{
	(void)output;
	(void)path;

	return false;
}

bool output_open_direct(struct output *output, const char *path, uint64_t size)
{
	(void)output;
	(void)path;
	(void)size;

	return false;
}

bool output_empty(const struct output *output)
{
	(void)output;

	return false;
}

int output_write(struct output *output, const void *data, size_t size)
{
	(void)output;
	(void)data;
	(void)size;

	return -EIO;
}

bool output_close(struct output *output)
{
	(void)output;

	return true;
}

int fpgabuf_channel_fd(const struct fpgabuf_channel *channel)
{
	(void)channel;

	return 4;
}

const char *fpgabuf_channel_path(const struct fpgabuf_channel *channel)
{
	return (const char *)channel;
}

const struct fpgabuf_info *
fpgabuf_channel_info(const struct fpgabuf_channel *channel)
{
	(void)channel;

	return &info;
}

int fpgabuf_channel_start(struct fpgabuf_channel *channel)
{
	(void)channel;
	running = !story.start_error;

	return -story.start_error;
}

int fpgabuf_channel_stop(struct fpgabuf_channel *channel)
{
	(void)channel;
	running = false;
	stops++;

	return -story.stop_error;
}

static int64_t next_frame(void)
{
	return taken < story.frames ? (int64_t)(taken + 1) * story.period :
				      NEVER;
}

int fpgabuf_channel_exchange(struct fpgabuf_channel *channel,
			     const struct fpgabuf_queue_entry *queue,
			     uint32_t queue_count,
			     struct fpgabuf_completion *done,
			     uint32_t max, uint32_t min, int64_t timeout_ns)
{
	uint32_t i;

	(void)channel;
	need(!min && !timeout_ns && (queue || !queue_count));
	if (running && story.exchange_error)
		return -story.exchange_error;
	for (i = 0; i < queue_count; i++)
		need(queue[i].slot == 10 + queue[i].user_data);
	queued += queue_count;
	for (i = 0; i < max && queued && next_frame() <= now; i++) {
		done[i] = (struct fpgabuf_completion){
			.sequence = taken++,
			.bytes = SIZE,
		};
		queued--;
	}

	return !i && max ? -EAGAIN : (int)i;
}

/* The C library's header says that ppoll() only writes to its first argument. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/* Until the first of: the timeout, a frame, a signal, the user's stop. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	  const sigset_t *mask)
{
	int64_t until = NEVER;

	need(count == 2 && fds[0].fd == 4 && fds[1].fd == 3 && !mask);
	need(fds[0].events == POLLIN && fds[1].events == POLLIN);
	need(++polls < 1000);
	if (story.poll_error) {
		errno = story.poll_error;
		return -1;
	}
	if (timeout)
		until = now + timeout->tv_sec * SEC + timeout->tv_nsec;
	if (!disturbed && story.signal <= until &&
	    story.signal < next_frame()) {
		disturbed = true;
		now = story.signal;
		errno = EINTR;
		return -1;
	}
	if (story.interrupt <= until && story.interrupt < next_frame()) {
		now = story.interrupt;
		return 1;
	}
	if (next_frame() <= until) {
		/* Nobody waits for ever in this test. */
		need(next_frame() != NEVER);
		now = now > next_frame() ? now : next_frame();
		return 1;
	}
	now = until;

	return 0;
}

static int run(struct story what, uint64_t frames, int64_t timeout)
{
	const struct capture_options options = {
		.device = "test",
		.pool.count = 4,
		.frames = frames,
		.timeout = timeout,
		.quiet = true,
	};

	story = what;
	if (!story.signal)
		story.signal = NEVER;
	if (!story.interrupt)
		story.interrupt = NEVER;
	now = 0;
	taken = 0;
	queued = 0;
	polls = 0;
	stops = 0;
	closes = 0;
	complaints = 0;
	disturbed = false;
	running = false;
	signals = false;
	last[0] = '\0';

	return capture(&options);
}

#define STORY(...)	((struct story){ __VA_ARGS__ })

static void test_whole(void)
{
	is(run(STORY(.period = SEC / 100, .frames = 50), 50, SEC), STATUS_OK,
	   "all frames");
	is(taken, 50, "all frames: taken");
	is(now, SEC / 2, "all frames: not longer than they take");
	is(complaints, 0, "all frames: nothing to report");
	is(stops, 1, "all frames: stopped");
	is(closes, 1, "all frames: closed");
}

/* The limit is for each frame, not for all of them. */
static void test_slow(void)
{
	is(run(STORY(.period = SEC * 9 / 10, .frames = 20), 20, SEC),
	   STATUS_OK, "frames just in time");
	is(now, 18 * SEC, "frames just in time: all of them");
	is(run(STORY(.period = SEC * 9 / 10, .frames = 20, .tick = SEC / 3), 20,
	       SEC), STATUS_OK, "frames just in time, with progress");
}

static void test_stalled(struct story what, int64_t frame, const char *name)
{
	is(run(what, 100, SEC), STATUS_FAILURE, "%s: a failure", name);
	is(now, frame + SEC, "%s: when its time is over", name);
	ok(!strcmp(last, "test: no frame came for 1 s"), "%s: reported: %s",
	   name, last);
	is(stops, 1, "%s: stopped", name);
}

static void test_signal(void)
{
	is(run(STORY(.period = SEC / 2, .frames = 4, .signal = SEC / 4), 4,
	       SEC), STATUS_OK, "a signal");
	is(taken, 4, "a signal: all frames");
	is(complaints, 0, "a signal: is no error");
	is(run(STORY(.period = 5 * SEC, .frames = 2), 2, 0), STATUS_OK,
	   "no limit");
	is(now, 10 * SEC, "no limit: all frames");
}

static void test_interrupted(void)
{
	is(run(STORY(.period = SEC / 4, .frames = 100,
		     .interrupt = SEC + SEC / 8), 0, SEC), STATUS_OK,
	   "stopped by the user");
	is(taken, 4, "stopped by the user: what came before");
	is(now, SEC + SEC / 8, "stopped by the user: at once");
	is(run(STORY(.period = SEC / 4, .frames = 100, .interrupt = SEC / 2 + 1),
	       10, SEC), STATUS_FAILURE, "stopped too early");
	ok(!strcmp(last, "interrupted after 2 of 10 frames"),
	   "stopped too early: reported: %s", last);
}

static void test_error(struct story what, const char *text, const char *name)
{
	what.period = SEC / 4;
	what.frames = 4;
	is(run(what, 4, SEC), STATUS_FAILURE, "%s: a failure", name);
	ok(strstr(last, text), "%s: reported: %s", name, last);
	is(complaints, 1, "%s: once", name);
	is(closes, 1, "%s: closed", name);
}

int main(void)
{
	test_whole();
	test_slow();
	test_stalled(STORY(.frames = 0), 0, "no frame at all");
	test_stalled(STORY(.period = SEC / 2, .frames = 3), SEC * 3 / 2,
		     "no more frames");
	test_stalled(STORY(.period = SEC / 2, .frames = 3, .tick = SEC / 3),
		     SEC * 3 / 2, "no more frames, with progress");
	test_stalled(STORY(.period = SEC / 2, .frames = 1,
			   .signal = SEC * 5 / 4), SEC / 2,
		     "no more frames, a signal");
	test_signal();
	test_interrupted();
	test_error(STORY(.poll_error = ENOMEM), "poll", "poll fails");
	test_error(STORY(.start_error = EIO), strerror(EIO), "start fails");
	test_error(STORY(.stop_error = EIO), strerror(EIO), "stop fails");
	test_error(STORY(.exchange_error = ENODEV), "gone", "device gone");
	test_error(STORY(.exchange_error = EPIPE), "stopped", "stopped");

	return tap_end();
}
