// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting: signals neither end nor prolong it, and nothing that was taken is
 * lost. The kernel and the clock are the test's own, so that times are exact.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "internal.h"
#include "tap.h"

#define START	INT64_C(5000000000)

/* What a call is to do, and how long it takes. */
struct step {
	int error;
	uint32_t take;
	int64_t ns;
};

static const struct step *steps;
static struct fpgabuf_exchange seen[8];
/* Of the last exchange that had any; @out is what the kernel answers. */
static struct fpgabuf_queue_entry seen_entry;
static struct fpgabuf_fences seen_fences;
#define OUT_FENCE	77
static int num_steps, calls;
static int64_t now;
static uint64_t sequence;

static struct fpgabuf_channel channel = { .node.fd = 0 };

int clock_gettime(clockid_t id, struct timespec *ts)
{
	need(id == CLOCK_MONOTONIC);
	ts->tv_sec = now / 1000000000;
	ts->tv_nsec = now % 1000000000;

	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct fpgabuf_exchange *arg;
	struct fpgabuf_completion *done;
	const struct step *step;
	va_list args;
	uint32_t i;

	va_start(args, request);
	arg = va_arg(args, struct fpgabuf_exchange *);
	va_end(args);

	need(!fd && request == FPGABUF_IOC_EXCHANGE && calls < num_steps);
	step = &steps[calls];
	seen[calls++] = *arg;
	now += step->ns;
	if (arg->queue_count)
		seen_entry = *(struct fpgabuf_queue_entry *)(uintptr_t)arg->queue;
	if (arg->fences) {
		struct fpgabuf_fences *fences =
			(struct fpgabuf_fences *)(uintptr_t)arg->fences;

		seen_fences = *fences;
		if (seen_entry.flags & FPGABUF_QUEUE_OUT_FENCE)
			fences->out = OUT_FENCE;
	}
	if (step->error) {
		/* A kernel may write the count back before it fails. */
		arg->done_count = 0;
		errno = step->error;
		return -1;
	}

	need(step->take <= arg->done_count);
	done = (struct fpgabuf_completion *)(uintptr_t)arg->done;
	for (i = 0; i < step->take; i++)
		done[i].sequence = sequence++;
	arg->done_count = step->take;

	return 0;
}

#define SCRIPT(...)	script((const struct step[]){ __VA_ARGS__ },	\
			       sizeof((const struct step[]){ __VA_ARGS__ }) / \
			       sizeof(struct step))

static void script(const struct step *list, size_t count)
{
	static struct step copy[8];

	need(count <= 8);
	memcpy(copy, list, count * sizeof(*list));
	steps = copy;
	num_steps = count;
	calls = 0;
	now = START;
	sequence = 0;
	memset(seen, 0, sizeof(seen));
}

static void test_take(void)
{
	struct fpgabuf_completion done[4] = { 0 };

	SCRIPT({ .take = 3 });
	is(fpgabuf_channel_take(&channel, done, 4, 2, 1000), 3, "take");
	is(seen[0].queue_count, 0, "take: queues nothing");
	is(seen[0].done, (uintptr_t)done, "take: where to");
	is(seen[0].done_count, 4, "take: at most");
	is(seen[0].min_done, 2, "take: at least");
	is(seen[0].flags, 0, "take: flags");
	is(seen[0].timeout, 1000, "take: timeout");
	is(calls, 1, "take: one system call");
}

/* What is not set of a variable has the value that the stack had before. */
__attribute__((noinline))
static void fill_stack(void)
{
	volatile uint8_t garbage[4096];
	size_t i;

	for (i = 0; i < sizeof(garbage); i++)
		garbage[i] = 0xa5;
}

/* The kernel refuses flags that it does not know, and reads all the others. */
static void test_unused_fields(void)
{
	SCRIPT({ .take = 0 });
	fill_stack();
	is(fpgabuf_channel_queue(&channel, 7, 42), 0, "queue, unused fields");
	is(seen_entry.slot, 7, "queue: slot");
	is(seen_entry.user_data, 42, "queue: user data");
	is(seen_entry.flags, 0, "queue: no flags");
	is(seen_entry.bytes, 0, "queue: no bytes");
	is(seen[0].flags, 0, "queue: no flags of the exchange");
	is(seen[0].fences, 0, "queue: no fences");
}

static void test_queue(void)
{
	SCRIPT({ .take = 0 });
	is(fpgabuf_channel_queue(&channel, 7, 42), 0, "queue");
	is(seen[0].queue_count, 1, "queue: one buffer");
	is(seen[0].done_count, 0, "queue: takes none");
	is(seen[0].min_done, 0, "queue: waits for none");
	is(calls, 1, "queue: one system call");

	SCRIPT({ .error = EBUSY });
	is(fpgabuf_channel_queue(&channel, 7, 42), -EBUSY, "queue: error");
}

static void test_queue_fenced(void)
{
	const struct fpgabuf_queue_entry entry = {
		.slot = 7,
		.flags = FPGABUF_QUEUE_NO_IMPLICIT | FPGABUF_QUEUE_OUT_FENCE,
		.bytes = 100,
		.user_data = 42,
	};
	int out = 0;

	SCRIPT({ .take = 0 });
	is(fpgabuf_channel_queue_fenced(&channel, &entry, -1, NULL), 0,
	   "queue, no fences");
	is(seen_entry.flags, FPGABUF_QUEUE_NO_IMPLICIT,
	   "queue, no fences: flags");
	is(seen_entry.slot, 7, "queue, no fences: slot");
	is(seen_entry.bytes, 100, "queue, no fences: bytes");
	is(seen_entry.user_data, 42, "queue, no fences: user data");
	is(seen[0].queue_count, 1, "queue, no fences: one buffer");

	SCRIPT({ .error = EINTR }, { .take = 0 });
	is(fpgabuf_channel_queue_fenced(&channel, &entry, 3, &out), 0,
	   "queue, fences, again after a signal");
	is(seen_entry.flags, FPGABUF_QUEUE_NO_IMPLICIT |
	   FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE,
	   "queue, fences: flags");
	is(seen_fences.in, 3, "queue, fences: in");
	is(out, OUT_FENCE, "queue, fences: out");

	SCRIPT({ .error = EPIPE });
	is(fpgabuf_channel_queue_fenced(&channel, &entry, 0, &out), -EPIPE,
	   "queue, fences: error");
	is(seen_entry.flags & FPGABUF_QUEUE_IN_FENCE, FPGABUF_QUEUE_IN_FENCE,
	   "queue, fences: file 0 is one");
	is(out, -1, "queue, fences: no file after an error");
}

static void test_interrupted(void)
{
	struct fpgabuf_completion done[4] = { 0 };

	SCRIPT({ .error = EINTR, .ns = 300 }, { .error = EINTR, .ns = 200 },
	       { .take = 1 });
	is(fpgabuf_channel_take(&channel, done, 4, 1, 1000), 1,
	   "signals do not end a wait");
	is(seen[1].timeout, 700, "the time that is left");
	is(seen[2].timeout, 500, "the time that is left after two");
	is(seen[2].done_count, 4, "the room is as it was");
	is(seen[2].min_done, 1, "and what is waited for");
}

static void test_time_over(void)
{
	struct fpgabuf_completion done[4] = { 0 };

	SCRIPT({ .error = EINTR, .ns = 1000 }, { .error = ETIMEDOUT });
	is(fpgabuf_channel_take(&channel, done, 4, 1, 1000), -ETIMEDOUT,
	   "the time is over at the signal");
	is(seen[1].timeout, 1, "which is not the same as no wait");

	SCRIPT({ .error = EINTR, .ns = 5000 }, { .error = ETIMEDOUT });
	is(fpgabuf_channel_take(&channel, done, 4, 1, 1000), -ETIMEDOUT,
	   "the time was over before");
	is(seen[1].timeout, 1, "which is not without a limit");
}

static void test_limits(void)
{
	struct fpgabuf_completion done[1] = { 0 };

	SCRIPT({ .error = EINTR, .ns = 50 }, { .error = EAGAIN });
	is(fpgabuf_channel_take(&channel, done, 1, 1, 0), -EAGAIN, "no wait");
	is(seen[0].timeout, 0, "no wait: timeout");
	is(seen[1].timeout, 0, "no wait: after a signal");

	SCRIPT({ .error = EINTR, .ns = 50 }, { .take = 1 });
	is(fpgabuf_channel_take(&channel, done, 1, 1, -7), 1, "no limit");
	ok(seen[0].timeout < 0 && seen[1].timeout < 0, "no limit: timeout");

	SCRIPT({ .error = EINTR, .ns = 50 }, { .take = 1 });
	is(fpgabuf_channel_take(&channel, done, 1, 1, INT64_MAX), 1,
	   "longer than the clock can tell");
	ok(seen[0].timeout < 0, "is no limit");
}

/* A signal after something was done: the kernel can only report a success. */
static void test_partial(void)
{
	const struct fpgabuf_queue_entry queue[2] = { { .slot = 1 } };
	struct fpgabuf_completion done[8] = { 0 };

	SCRIPT({ .take = 0, .ns = 100 }, { .take = 1, .ns = 100 },
	       { .error = EINTR, .ns = 100 }, { .take = 4 });
	is(fpgabuf_channel_exchange(&channel, queue, 2, done, 8, 3, 1000), 5,
	   "an exchange is completed");
	is(seen[0].queue, (uintptr_t)queue, "what is queued");
	is(seen[0].queue_count, 2, "is queued");
	is(seen[1].queue_count, 0, "once");
	is(seen[1].min_done, 3, "all are waited for");
	is(seen[1].timeout, 900, "in the time that is left");
	is(seen[2].done, (uintptr_t)&done[1], "after what was taken");
	is(seen[2].done_count, 7, "there is less room");
	is(seen[2].min_done, 2, "and less to wait for");
	is(seen[3].done_count, 7, "which a signal does not change");
	is(seen[3].timeout, 700, "the time that is left");
	is(done[4].sequence, 4, "all are in their order");
}

static void test_partial_end(int error, const char *what)
{
	const struct fpgabuf_queue_entry queue = { .slot = 1 };
	struct fpgabuf_completion done[4] = { 0 };

	SCRIPT({ .take = 2 }, { .error = error });
	is(fpgabuf_channel_take(&channel, done, 4, 3, 1000), 2,
	   "%s: what was taken is told", what);

	SCRIPT({ .take = 0 }, { .error = error });
	is(fpgabuf_channel_exchange(&channel, &queue, 1, done, 4, 3, 1000), 0,
	   "%s: what was queued is no error", what);
}

static void test_error(int error)
{
	const struct fpgabuf_queue_entry queue = { .slot = 1 };
	struct fpgabuf_completion done[4] = { 0 };

	SCRIPT({ .error = error });
	is(fpgabuf_channel_exchange(&channel, &queue, 1, done, 4, 1, -1),
	   -error, "error %d", error);
	is(calls, 1, "error %d: is not repeated", error);
}

int main(void)
{
	test_take();
	test_queue();
	test_unused_fields();
	test_queue_fenced();
	test_interrupted();
	test_time_over();
	test_limits();
	test_partial();
	test_partial_end(ETIMEDOUT, "time over");
	test_partial_end(EPIPE, "stopped");
	test_partial_end(ENODEV, "gone");
	test_error(ENODEV);
	test_error(EPIPE);
	test_error(ETIMEDOUT);
	test_error(EAGAIN);

	return tap_end();
}
