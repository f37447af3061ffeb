// SPDX-License-Identifier: GPL-2.0
/*
 * What an importing device's calls ask of the kernel, and make of its answers.
 * The kernel is an ioctl() of the test's own, the device node /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "internal.h"
#include "tap.h"

#define NODE	"/dev/null"
#define START	INT64_C(5000000000)

/* What a call is to do: fail, or take so many, and how long it takes. */
struct step {
	int error;
	uint32_t take;
	int64_t ns;
};

static struct step steps[4];
static int calls;
static int64_t now;

/* The last call, and all exchanges */
static unsigned long request;
static uint8_t argument[256];
static struct fpgabuf_import_exchange seen[4];

static struct fpgabuf_importer *importer;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	need(id == CLOCK_MONOTONIC);
	ts->tv_sec = now / 1000000000;
	ts->tv_nsec = now % 1000000000;

	return 0;
}

static void answer(unsigned long req, void *arg, const struct step *step)
{
	switch (req) {
	case FPGABUF_IMPORT_IOC_INFO:
		((struct fpgabuf_import_info *)arg)->abi_version =
			FPGABUF_ABI_VERSION + step->take;
		break;
	case FPGABUF_IMPORT_IOC_ATTACH:
		((struct fpgabuf_import_attach *)arg)->slot = 3;
		((struct fpgabuf_import_attach *)arg)->segments = 5;
		break;
	case FPGABUF_IMPORT_IOC_SEGMENTS:
		((struct fpgabuf_import_segments *)arg)->count = 5;
		break;
	case FPGABUF_IMPORT_IOC_EXCHANGE:
		((struct fpgabuf_import_exchange *)arg)->done_count =
			step->take;
		break;
	}
}

int ioctl(int fd, unsigned long req, ...)
{
	const struct step *step;
	va_list args;
	void *arg;

	va_start(args, req);
	arg = va_arg(args, void *);
	va_end(args);

	need(fd >= 0 && calls < 4);
	request = req;
	memcpy(argument, arg, _IOC_SIZE(req));
	if (req == FPGABUF_IMPORT_IOC_EXCHANGE)
		memcpy(&seen[calls], arg, sizeof(seen[0]));
	step = &steps[calls++];
	now += step->ns;
	if (step->error) {
		errno = step->error;
		return -1;
	}
	answer(req, arg, step);

	return 0;
}

static void script(struct step first, struct step second)
{
	memset(steps, 0, sizeof(steps));
	steps[0] = first;
	steps[1] = second;
	calls = 0;
	now = START;
}

#define STEP(...)	((struct step){ __VA_ARGS__ })

static void test_open(void)
{
	int fd;

	script(STEP(.error = EINTR), STEP());
	is(fpgabuf_importer_open(NODE, &importer), 0, "open");
	is(request, FPGABUF_IMPORT_IOC_INFO, "asks for the info");
	is(calls, 2, "again after a signal");
	ok(!strcmp(fpgabuf_importer_path(importer), NODE), "path");
	is(fpgabuf_importer_info(importer)->abi_version, FPGABUF_ABI_VERSION,
	   "info");
	fd = fpgabuf_importer_fd(importer);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
	is(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR, "blocking");
}

static void test_open_fails(struct step step, const char *path, int wanted,
			    const char *what)
{
	struct fpgabuf_importer *none;

	script(step, step);
	is(fpgabuf_importer_open(path, &none), wanted, "%s", what);
}

static void test_buffers(void)
{
	struct fpgabuf_import_attach attach = {
		.fd = 9,
		.access = FPGABUF_IMPORT_READ,
		.flags = FPGABUF_IMPORT_MOVABLE,
	};
	const struct fpgabuf_import_attach wanted = attach;
	const struct fpgabuf_import_detach detach = { .slot = 3 };
	struct fpgabuf_import_segment segments[2];
	const struct fpgabuf_import_segments ask = {
		.segments = (uintptr_t)segments,
		.slot = 3,
		.count = 2,
	};

	script(STEP(.error = EINTR), STEP());
	is(fpgabuf_importer_attach(importer, &attach), 0, "attach");
	is(request, FPGABUF_IMPORT_IOC_ATTACH, "attach: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "attach: argument");
	is(attach.slot, 3, "attach: slot");

	script(STEP(), STEP());
	is(fpgabuf_importer_segments(importer, 3, segments, 2), 5,
	   "segments: all are counted");
	is(request, FPGABUF_IMPORT_IOC_SEGMENTS, "segments: request");
	ok(!memcmp(argument, &ask, sizeof(ask)), "segments: argument");
	script(STEP(.error = ENOENT), STEP());
	is(fpgabuf_importer_segments(importer, 3, segments, 2), -ENOENT,
	   "segments: error");

	script(STEP(), STEP());
	is(fpgabuf_importer_detach(importer, 3), 0, "detach");
	is(request, FPGABUF_IMPORT_IOC_DETACH, "detach: request");
	ok(!memcmp(argument, &detach, sizeof(detach)), "detach: argument");
	script(STEP(.error = EBUSY), STEP());
	is(fpgabuf_importer_detach(importer, 3), -EBUSY, "detach: error");
}

static void test_exchange(void)
{
	struct fpgabuf_import_copy copies[2] = { { .length = 1 } };
	struct fpgabuf_import_done done[4] = { 0 };

	script(STEP(.take = 3), STEP());
	is(fpgabuf_importer_exchange(importer, copies, 2, done, 4, 2, 1000), 3,
	   "exchange");
	is(calls, 1, "exchange: one system call");
	is(seen[0].copies, (uintptr_t)copies, "exchange: copies");
	is(seen[0].copy_count, 2, "exchange: how many");
	is(seen[0].done, (uintptr_t)done, "exchange: where to");
	is(seen[0].done_count, 4, "exchange: at most");
	is(seen[0].min_done, 2, "exchange: at least");
	is(seen[0].timeout, 1000, "exchange: timeout");

	script(STEP(.error = ENOSPC), STEP());
	is(fpgabuf_importer_exchange(importer, copies, 2, done, 4, 2, 1000),
	   -ENOSPC, "exchange: error");
}

static void test_interrupted(void)
{
	struct fpgabuf_import_copy copy = { .length = 1 };
	struct fpgabuf_import_done done[4] = { 0 };

	script(STEP(.error = EINTR, .ns = 300), STEP(.take = 1));
	is(fpgabuf_importer_exchange(importer, &copy, 1, done, 4, 1, 1000), 1,
	   "a signal before anything was queued");
	is(seen[1].copy_count, 1, "it is queued after it");
	is(seen[1].timeout, 700, "in the time that is left");

	script(STEP(.take = 1, .ns = 400), STEP(.take = 2));
	is(fpgabuf_importer_exchange(importer, &copy, 1, done, 4, 3, 1000), 3,
	   "a signal after it");
	is(seen[1].copy_count, 0, "nothing is queued twice");
	is(seen[1].done, (uintptr_t)&done[1], "after what was taken");
	is(seen[1].done_count, 3, "there is less room");
	is(seen[1].min_done, 2, "and less to wait for");
	is(seen[1].timeout, 600, "in the time that is left");

	script(STEP(.take = 1), STEP(.error = ETIMEDOUT));
	is(fpgabuf_importer_exchange(importer, &copy, 1, done, 4, 3, 1000), 1,
	   "the time is over: what was taken is told");
}

int main(void)
{
	test_open();
	test_open_fails(STEP(.error = EINVAL), NODE, -ENOTTY,
			"not an importing device");
	test_open_fails(STEP(.error = ENOTTY), NODE, -ENOTTY,
			"nor that one");
	test_open_fails(STEP(.take = 1), NODE, -EPROTO, "another ABI");
	test_open_fails(STEP(), "/nonexistent", -ENOENT, "no such node");
	test_buffers();
	test_exchange();
	test_interrupted();
	fpgabuf_importer_close(importer);
	fpgabuf_importer_close(NULL);

	return tap_end();
}
