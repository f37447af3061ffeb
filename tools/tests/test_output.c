// SPDX-License-Identifier: GPL-2.0
/*
 * Writing frames: signals and short writes lose nothing, errors are returned
 * and reported. The system calls that write are the test's own.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "tap.h"

#define FD	1000
#define NAME	"frames"

/* The results of the next writes: a number of bytes, or a negative errno. */
static ssize_t results[8];
static int calls, num_results;

/* What arrived, the offset of the last pwrite(), the file's end if it was set. */
static char file[256];
static size_t written;
static off_t offset, end;

static int complaints;
static char last[200];
static bool stop;

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof(last), format, args);
	va_end(args);
	complaints++;
	/* As output to a terminal may do. */
	errno = ENOTTY;
}

bool interrupted(void)
{
	return stop;
}

static ssize_t next_write(const void *data, size_t size)
{
	ssize_t result;

	need(calls < num_results);
	result = results[calls++];
	if (result < 0) {
		errno = -result;
		return -1;
	}
	need((size_t)result <= size && written + result <= sizeof(file));
	memcpy(file + written, data, result);
	written += result;

	return result;
}

ssize_t write(int fd, const void *data, size_t size)
{
	need(fd == FD);

	return next_write(data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t position)
{
	need(fd == FD);
	offset = position;

	return next_write(data, size);
}

int ftruncate(int fd, off_t length)
{
	need(fd == FD);
	end = length;

	return 0;
}

int fsync(int fd)
{
	need(fd == FD && calls < num_results);
	errno = -results[calls++];

	return errno ? -1 : 0;
}

int close(int fd)
{
	need(fd == FD && calls < num_results);
	errno = -results[calls++];

	return errno ? -1 : 0;
}

#define SCRIPT(...)	script((const ssize_t[]){ __VA_ARGS__ },	\
			       sizeof((const ssize_t[]){ __VA_ARGS__ }) / \
			       sizeof(ssize_t))

static void script(const ssize_t *list, int count)
{
	need(count <= 8);
	memcpy(results, list, count * sizeof(*list));
	num_results = count;
	calls = 0;
	written = 0;
	memset(file, 0, sizeof(file));
	end = -1;
	complaints = 0;
	stop = false;
}

static void test_stream(void)
{
	struct output output = { .fd = FD, .name = NAME };

	SCRIPT(10);
	is(output_write(&output, "0123456789", 10), 0, "a frame");
	is(calls, 1, "with one system call");

	SCRIPT(3, -EINTR, 5, 2);
	is(output_write(&output, "0123456789", 10), 0,
	   "short writes and a signal");
	ok(written == 10 && !memcmp(file, "0123456789", 10), "lose nothing");
	is(complaints, 0, "and are no error");

	SCRIPT(4, -EPIPE);
	is(output_write(&output, "0123456789", 10), -EPIPE, "a reader is gone");
	ok(complaints == 1 && strstr(last, NAME), "is reported: %s", last);
	is(calls, 2, "and not tried again");
}

static void test_stop(void)
{
	struct output output = { .fd = FD, .name = NAME };

	SCRIPT(-EINTR, 10);
	stop = true;
	is(output_write(&output, "0123456789", 10), -EINTR,
	   "interrupted in a frame");
	is(calls, 1, "ends the write");
	is(complaints, 0, "and is not reported");

	SCRIPT(10);
	stop = true;
	is(output_write(&output, "0123456789", 10), 0,
	   "interrupted after the whole frame");
}

static void test_direct(void)
{
	struct output output = {
		.fd = FD, .name = NAME, .stride = 16, .position = 32,
	};

	SCRIPT(6, -EINTR, 10);
	is(output_write(&output, "0123456789abcdef", 10), 0, "direct");
	ok(written == 16 && !memcmp(file, "0123456789abcdef", 16),
	   "direct: a whole stride");
	is(offset, 38, "direct: the rest goes after what was written");
	is(output.position, 48, "direct: where the next frame goes");

	SCRIPT(6, -ENOSPC);
	is(output_write(&output, "0123456789abcdef", 10), -ENOSPC,
	   "direct: error");
	ok(complaints == 1 && strstr(last, NAME), "direct: reported: %s", last);
	is(end, 48, "direct: half a frame is cut off");
	is(output.position, 48, "direct: and is not counted");
}

static void test_close(ssize_t sync, ssize_t error, uint64_t stride, bool good,
		       const char *what)
{
	struct output output = { .fd = FD, .name = NAME, .stride = stride };

	if (stride)
		SCRIPT(sync, error);
	else
		SCRIPT(error);
	is(output_close(&output), good, "close: %s", what);
	is(calls, num_results, "close: %s: the file is closed", what);
	is(complaints, good ? 0 : 1, "close: %s: reported if so", what);
	is(output.fd, -1, "close: %s: once", what);
	ok(output_close(&output), "close: %s: twice", what);
}

int main(void)
{
	test_stream();
	test_stop();
	test_direct();
	test_close(0, 0, 0, true, "a stream");
	test_close(0, -EIO, 0, false, "a stream that does not arrive");
	test_close(0, 0, 16, true, "direct");
	test_close(-EIO, 0, 16, false, "direct, not on the disk");
	test_close(0, -ENOSPC, 16, false, "direct, an error at the end");

	return tap_end();
}
