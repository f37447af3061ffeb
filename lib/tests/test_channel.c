// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel's calls ask of the kernel, and make of its answers. The kernel
 * is an ioctl() of the test's own, the device node /dev/null.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fpgabuf.h"
#include "tap.h"

#define NODE	"/dev/null"

/* The next call's errors, in order; then what it returns in its argument. */
static int errors[2];
static const void *answer;

/* The last call. */
static unsigned long request;
static uint8_t argument[256];
static int calls;

static struct fpgabuf_channel *channel;

int ioctl(int fd, unsigned long req, ...)
{
	const int error = calls < 2 ? errors[calls] : 0;
	va_list args;
	void *arg;

	va_start(args, req);
	arg = va_arg(args, void *);
	va_end(args);

	need(fd >= 0);
	calls++;
	request = req;
	if (arg)
		memcpy(argument, arg, _IOC_SIZE(req));
	if (error) {
		errno = error;
		return -1;
	}
	if (answer && arg)
		memcpy(arg, answer, _IOC_SIZE(req));

	return 0;
}

static void script(int first, int second, const void *arg)
{
	errors[0] = first;
	errors[1] = second;
	answer = arg;
	calls = 0;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	need(dir);
	while (readdir(dir))
		count++;
	closedir(dir);

	return count;
}

static void test_open(void)
{
	const struct fpgabuf_info info = {
		.abi_version = FPGABUF_ABI_VERSION,
		.direction = FPGABUF_DIR_CAPTURE,
		.num_slots = 64,
		.name = "test",
	};
	int fd;

	script(EINTR, 0, &info);
	is(fpgabuf_channel_open(NODE, &channel), 0, "open");
	is(request, FPGABUF_IOC_INFO, "asks for the info");
	is(calls, 2, "again after a signal");
	ok(!strcmp(fpgabuf_channel_path(channel), NODE), "path");
	ok(!memcmp(fpgabuf_channel_info(channel), &info, sizeof(info)), "info");

	fd = fpgabuf_channel_fd(channel);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
	is(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR, "blocking");
}

static void test_open_fails(int error, uint32_t version, const char *path,
			    int wanted, const char *what)
{
	const struct fpgabuf_info info = { .abi_version = version };
	const int fds = count_fds();
	struct fpgabuf_channel *none;

	script(error, error, &info);
	is(fpgabuf_channel_open(path, &none), wanted, "%s", what);
	is(count_fds(), fds, "%s: no fd is left", what);
}

static void test_enum_format(void)
{
	const struct fpgabuf_format_desc reply = {
		.index = 3,
		.fourcc = 0x56595559,
		.max_width = 8192,
	};
	const struct fpgabuf_format_desc wanted = { .index = 3 };
	struct fpgabuf_format_desc desc;

	memset(&desc, 0xff, sizeof(desc));
	script(0, 0, &reply);
	is(fpgabuf_channel_enum_format(channel, 3, &desc), 0, "enum_format");
	is(request, FPGABUF_IOC_ENUM_FORMAT, "enum_format: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "enum_format: argument");
	ok(!memcmp(&desc, &reply, sizeof(desc)), "enum_format: answer");

	script(ENOENT, 0, NULL);
	is(fpgabuf_channel_enum_format(channel, 4, &desc), -ENOENT,
	   "enum_format: past the end");
}

static void test_get_format(void)
{
	const struct fpgabuf_format reply = { .type = FPGABUF_FORMAT_VIDEO };
	struct fpgabuf_format format = { 0 };

	script(0, 0, &reply);
	is(fpgabuf_channel_get_format(channel, &format), 0, "get_format");
	is(request, FPGABUF_IOC_GET_FORMAT, "get_format: request");
	ok(!memcmp(&format, &reply, sizeof(reply)), "get_format: answer");
}

typedef int set_func(struct fpgabuf_channel *, struct fpgabuf_format *);

static void test_set_format(set_func *set, uint32_t flags, const char *name)
{
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_RAW,
		.flags = FPGABUF_FORMAT_TRY | FPGABUF_FORMAT_PACKETS,
		.size = 100,
	};
	const struct fpgabuf_format before = format;
	struct fpgabuf_format reply = format, sent;

	reply.flags = FPGABUF_FORMAT_PACKETS;
	reply.rate.numerator = 60;
	reply.rate.denominator = 1;

	script(ERANGE, 0, &reply);
	is(set(channel, &format), -ERANGE, "%s: refused", name);
	ok(!memcmp(&format, &before, sizeof(format)),
	   "%s: a refused format is left as it was", name);

	script(0, 0, &reply);
	is(set(channel, &format), 0, "%s", name);
	is(request, FPGABUF_IOC_SET_FORMAT, "%s: request", name);
	memcpy(&sent, argument, sizeof(sent));
	is(sent.flags, flags | FPGABUF_FORMAT_PACKETS, "%s: flags", name);
	is(sent.size, 100, "%s: size", name);
	is(format.rate.numerator, 60, "%s: completed", name);
	is(format.flags, FPGABUF_FORMAT_PACKETS, "%s: packets", name);
}

static void test_alloc(void)
{
	const struct fpgabuf_alloc reply = { .size = 8192, .fd = 77 };
	const struct fpgabuf_alloc wanted = {
		.size = 5000,
		.kind = FPGABUF_KIND_SYSTEM,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	script(0, 0, &reply);
	is(fpgabuf_channel_alloc(channel, 5000, FPGABUF_KIND_SYSTEM), 77,
	   "alloc: fd");
	is(request, FPGABUF_IOC_ALLOC, "alloc: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "alloc: argument");

	script(ENOMEM, 0, NULL);
	is(fpgabuf_channel_alloc(channel, 5000, 0), -ENOMEM, "alloc: error");
}

static void test_alloc_user(void)
{
	const struct fpgabuf_alloc_user reply = { .fd = 78 };
	static char memory[4];
	struct fpgabuf_alloc_user wanted = {
		.address = (uintptr_t)memory + 1,
		.length = 3,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	script(0, 0, &reply);
	is(fpgabuf_channel_alloc_user(channel, memory + 1, 3,
				      PROT_READ | PROT_WRITE), 78,
	   "alloc_user: fd");
	is(request, FPGABUF_IOC_ALLOC_USER, "alloc_user: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "alloc_user: argument");

	script(0, 0, &reply);
	wanted.fd_flags = O_RDONLY | O_CLOEXEC;
	is(fpgabuf_channel_alloc_user(channel, memory + 1, 3, PROT_READ), 78,
	   "alloc_user: read-only");
	ok(!memcmp(argument, &wanted, sizeof(wanted)),
	   "alloc_user: argument of read-only");

	script(0, 0, &reply);
	is(fpgabuf_channel_alloc_user(channel, memory, 4, PROT_WRITE), -EINVAL,
	   "alloc_user: only PROT_WRITE");
	is(fpgabuf_channel_alloc_user(channel, memory, 4, PROT_NONE), -EINVAL,
	   "alloc_user: PROT_NONE");
	is(calls, 0, "alloc_user: the kernel is not asked");

	script(EACCES, 0, NULL);
	is(fpgabuf_channel_alloc_user(channel, memory, 4, PROT_READ), -EACCES,
	   "alloc_user: error");
}

static void test_alloc_pool(void)
{
	const struct fpgabuf_alloc_pool reply = { .fd = 79, .stride = 128 };
	const struct fpgabuf_alloc_pool wanted = {
		.block_size = 100,
		.num_blocks = 1000,
		.alignment = 16,
		.boundary = 4096,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	uint32_t stride = 0;

	script(0, 0, &reply);
	is(fpgabuf_channel_alloc_pool(channel, 100, 1000, 16, 4096, &stride),
	   79, "alloc_pool: fd");
	is(stride, 128, "alloc_pool: stride");
	is(request, FPGABUF_IOC_ALLOC_POOL, "alloc_pool: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "alloc_pool: argument");

	script(EOVERFLOW, 0, NULL);
	stride = 5;
	is(fpgabuf_channel_alloc_pool(channel, 100, ~0U, 0, 0, &stride),
	   -EOVERFLOW, "alloc_pool: error");
	is(stride, 5, "alloc_pool: no stride with an error");
}

static void test_register(void)
{
	const struct fpgabuf_register reply = { .slot = 63 };
	const struct fpgabuf_register wanted = {
		.fd = 5,
		.offset = 4096,
		.length = 64,
	};

	script(0, 0, &reply);
	is(fpgabuf_channel_register(channel, 5, 4096, 64), 63, "register");
	is(request, FPGABUF_IOC_REGISTER, "register: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "register: argument");

	script(EEXIST, 0, NULL);
	is(fpgabuf_channel_register(channel, 5, 0, 0), -EEXIST,
	   "register: error");
}

static void test_unregister(void)
{
	const struct fpgabuf_unregister wanted = { .slot = 63 };

	script(0, 0, NULL);
	is(fpgabuf_channel_unregister(channel, 63), 0, "unregister");
	is(request, FPGABUF_IOC_UNREGISTER, "unregister: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "unregister: argument");
}

static void test_start_stop(void)
{
	const struct fpgabuf_start reply = { .run = 9 };
	const struct fpgabuf_start wanted = { 0 };

	script(EINTR, 0, &reply);
	is(fpgabuf_channel_start(channel), 0, "start");
	is(calls, 2, "start: again after a signal");
	is(request, FPGABUF_IOC_START, "start: request");
	ok(!memcmp(argument, &wanted, sizeof(wanted)), "start: argument");
	script(EALREADY, 0, NULL);
	is(fpgabuf_channel_start(channel), -EALREADY, "start: error");
	script(0, 0, &reply);
	is(fpgabuf_channel_start_timeout(channel, 250), 0, "start, timeout");
	is(((const struct fpgabuf_start *)argument)->timeout_ms, 250,
	   "start, timeout: argument");

	script(EINTR, 0, NULL);
	is(fpgabuf_channel_stop(channel), 0, "stop");
	is(calls, 2, "stop: again after a signal");
	is(request, FPGABUF_IOC_STOP, "stop: request");
}

int main(void)
{
	const int fds = count_fds();

	test_open_fails(0, FPGABUF_ABI_VERSION + 1, NODE, -EPROTO, "newer ABI");
	test_open_fails(0, 0, NODE, -EPROTO, "no ABI version");
	test_open_fails(ENOTTY, 0, NODE, -ENOTTY, "another device");
	test_open_fails(EINVAL, 0, NODE, -ENOTTY, "an older other device");
	test_open_fails(ENODEV, 0, NODE, -ENODEV, "a device that went away");
	test_open_fails(0, FPGABUF_ABI_VERSION, "/dev/null/0", -ENOTDIR,
			"a node below a node");
	test_open_fails(0, FPGABUF_ABI_VERSION, "/dev/fpgabuf-absent", -ENOENT,
			"no such node");
	test_open();
	test_enum_format();
	test_get_format();
	test_set_format(fpgabuf_channel_try_format, FPGABUF_FORMAT_TRY,
			"try_format");
	test_set_format(fpgabuf_channel_set_format, 0, "set_format");
	test_alloc();
	test_alloc_user();
	test_alloc_pool();
	test_register();
	test_unregister();
	test_start_stop();

	fpgabuf_channel_close(channel);
	fpgabuf_channel_close(NULL);
	is(count_fds(), fds, "close leaves no fd");

	return tap_end();
}
