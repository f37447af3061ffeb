// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at a buffer: the names of its devices come whole, however many there
 * are when the kernel is asked. The kernel is the test's own.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"
#include "tap.h"

#define FD	7

static struct fpgabuf_channel channel = { .node.fd = 0 };

/* How many devices there are at each call, and the error of the last one. */
static const unsigned int *devices;
static int calls, num_calls, last_error;

static size_t put_names(char *names, size_t room, unsigned int count)
{
	size_t needed = 0;
	unsigned int i;
	char name[32];

	for (i = 0; i < count; i++) {
		size_t len = snprintf(name, sizeof(name), "device.%u", i) + 1;

		if (needed + len <= room)
			memcpy(names + needed, name, len);
		needed += len;
	}

	return needed;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct fpgabuf_inspect *arg;
	va_list args;

	va_start(args, request);
	arg = va_arg(args, struct fpgabuf_inspect *);
	va_end(args);

	need(!fd && request == FPGABUF_IOC_INSPECT && calls < num_calls);
	need(arg->fd == FD && !arg->flags && !arg->reserved);
	if (++calls == num_calls && last_error) {
		errno = last_error;
		return -1;
	}

	arg->size = 4096;
	arg->attached = devices[calls - 1];
	arg->names_size = put_names((char *)(uintptr_t)arg->names,
				    arg->names_size, arg->attached);

	return 0;
}

static int inspect(const unsigned int *counts, int count, int error,
		   struct fpgabuf_inspect *answer, char ***names)
{
	devices = counts;
	num_calls = count;
	last_error = error;
	calls = 0;

	return fpgabuf_channel_inspect(&channel, FD, answer, names);
}

static bool names_are_whole(char **names, unsigned int count)
{
	char name[32];
	unsigned int i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "device.%u", i);
		if (!names[i] || strcmp(names[i], name))
			return false;
	}

	return !names[count];
}

static void test_names(void)
{
	static const unsigned int counts[][3] = {
		{ 0 }, { 1 }, { 100, 100 }, { 100, 1000, 1000 }, { 100, 2 },
	};
	static const int asked[] = { 1, 1, 2, 3, 2 };
	struct fpgabuf_inspect answer;
	char **names;
	size_t i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const unsigned int last = counts[i][asked[i] - 1];

		need(!inspect(counts[i], asked[i], 0, &answer, &names));
		ok(calls == asked[i] && answer.attached == last &&
		   names_are_whole(names, last), "%u names, of %u at first",
		   last, counts[i][0]);
		ok(answer.size == 4096 && !answer.names,
		   "and the answer itself");
		fpgabuf_list_free(names);
	}
}

static void test_no_names(void)
{
	static const unsigned int counts[] = { 1 };
	struct fpgabuf_inspect answer;

	ok(!inspect(counts, 1, 0, &answer, NULL) && answer.attached == 1,
	   "names that nobody wants");
}

static void test_errors(void)
{
	static const unsigned int counts[] = { 100, 100 };
	struct fpgabuf_inspect answer = { .size = 1 };
	char *none = NULL, **names = &none;

	ok(inspect(counts, 1, EBADF, &answer, &names) == -EBADF,
	   "an error at once");
	ok(inspect(counts, 2, ENODEV, &answer, &names) == -ENODEV,
	   "an error when there is room");
	ok(answer.size == 1 && names == &none, "which leave the answer alone");
}

int main(void)
{
	test_names();
	test_no_names();
	test_errors();

	return tap_end();
}
