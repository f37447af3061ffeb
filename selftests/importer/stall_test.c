// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose memory is long in coming holds up nobody but itself: not who
 * streams, not close, not unbind. And its request is as if nothing had been, once
 * the memory is there.
 *
 * Each request is made by a child with one pointer to a page of /dev/page_stall.
 * Once it is stalled there, other children do what must be possible meanwhile:
 * children, for a lock that is held for ever cannot be waited for otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "importer_test.h"
#include "test_modules/page_stall.h"

#define STALLER		"page_stall"
#define STALLER_FILE	"test_modules/" STALLER ".ko"
#define FRAME	4096
#define SLOTS	4
/* What anything may take that is not held up, on a machine that is busy */
#define SOON	(10 * SEC)

/**
 * struct scene - what a request is made with
 * @page: the page of /dev/page_stall; NULL: not mapped
 * @staller: /dev/page_stall
 * @ch: a channel
 * @dev: an importing device, or -1
 * @b: a buffer: slot 0 of both
 */
struct scene {
	void *page;
	int staller;
	int ch;
	int dev;
	struct buffer b;
};

/* ---- the requests: what they return ---- */

static int inspect_names(struct scene *s)
{
	struct fpgabuf_inspect inspect;

	return fpga_inspect(s->ch, s->b.fd, &inspect, s->page, 256);
}

static int inspect_answer(struct scene *s)
{
	struct fpgabuf_inspect *inspect = s->page;

	return fpga_ioctl(s->ch, FPGABUF_IOC_INSPECT, inspect);
}

static int info_answer(struct scene *s)
{
	return fpga_ioctl(s->ch, FPGABUF_IOC_INFO, s->page);
}

static int format_answer(struct scene *s)
{
	return fpga_ioctl(s->ch, FPGABUF_IOC_GET_FORMAT, s->page);
}

static int alloc_answer(struct scene *s)
{
	return fpga_ioctl(s->ch, FPGABUF_IOC_ALLOC, s->page);
}

/* Its memory cannot have come if the device has gone meanwhile. */
static int alloc_user(struct scene *s)
{
	int fd = fpga_alloc_user(s->ch, s->page, FRAME, O_RDWR);

	return fd < 0 ? fd : 0;
}

static int exchange_queue(struct scene *s)
{
	return fpga_exchange(s->ch, s->page, 1, NULL, 0, 0, 0);
}

static int exchange_done(struct scene *s)
{
	int ret = fpga_take(s->ch, s->page, 1, 0, 0);

	return ret == -EAGAIN || ret == -EPIPE ? 0 : ret;
}

/* In, for the stream is not started. */
static int exchange_fences(struct scene *s)
{
	struct fpgabuf_queue_entry entry = { .flags = FPGABUF_QUEUE_IN_FENCE };
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)&entry,
		.queue_count = 1,
		.fences = (uintptr_t)s->page,
	};
	int ret = fpga_ioctl(s->ch, FPGABUF_IOC_EXCHANGE, &exchange);

	/* A page of zeros is no fence. */
	return ret == -EINVAL || ret == -EBADF ? 0 : ret;
}

static int importer_copies(struct scene *s)
{
	struct fpgabuf_import_exchange x = {
		.copies = (uintptr_t)s->page,
		.copy_count = 1,
	};
	int ret = fpga_ioctl(s->dev, FPGABUF_IMPORT_IOC_EXCHANGE, &x);

	/* A copy of no bytes */
	return ret == -EINVAL ? 0 : ret;
}

static int importer_done(struct scene *s)
{
	int ret = import_take(s->dev, s->page, 1, 0, 0);

	return ret == -EAGAIN ? 0 : ret;
}

static int importer_segments(struct scene *s)
{
	__u32 count = 1;

	return import_segments(s->dev, 0, s->page, &count);
}

static int importer_attach(struct scene *s)
{
	struct fpgabuf_import_attach *arg = s->page;

	return fpga_ioctl(s->dev, FPGABUF_IMPORT_IOC_ATTACH, arg);
}

/* ---- the scene ---- */

/* Memory that is there, and what a request finds in it */
static int page_fill(struct scene *s, const void *data, size_t len)
{
	void *map;

	if (ioctl(s->staller, STALL_NOBODY))
		return -errno;
	map = mmap(NULL, FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, s->staller,
		   0);
	if (map == MAP_FAILED)
		return -errno;
	memcpy(map, data, len);
	return munmap(map, FRAME);
}

static int page_map(struct scene *s, unsigned int mode)
{
	if (ioctl(s->staller, mode))
		return -errno;
	s->page = mmap(NULL, FRAME, PROT_READ | PROT_WRITE, MAP_SHARED,
		       s->staller, 0);
	if (s->page != MAP_FAILED)
		return 0;
	s->page = NULL;
	return -errno;
}

/* A channel with a buffer in slot 0; with an importing device, that has it, too. */
static int scene_set(struct scene *s, bool importer)
{
	int ret;

	s->dev = -1;
	s->staller = open("/dev/" STALLER, O_RDWR | O_CLOEXEC);
	s->ch = fpga_open(0, O_RDWR);
	if (s->staller < 0 || s->ch < 0)
		return s->ch < 0 ? s->ch : -errno;
	ret = buffer_alloc(s->ch, FRAME, FPGABUF_KIND_COHERENT, &s->b);
	if (ret || !importer)
		return ret;
	s->dev = import_open(O_RDWR);
	return s->dev < 0 ? s->dev : import_attach(s->dev, s->b.fd, IMPORT_BOTH);
}

/* A child that does something; its exit status is minus what that returned. */
static pid_t start(int (*func)(struct scene *s), struct scene *s)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-func(s) & 0xff);
	return pid;
}

static bool stalled(struct scene *s)
{
	return poll_fd(s->staller, POLLIN, SOON / MSEC) == POLLIN;
}

static int release(struct scene *s)
{
	return ioctl(s->staller, STALL_RELEASE) ? -errno : 0;
}

/* What a child returned, or -ETIME if it does not end. */
static int end_soon(pid_t pid)
{
	__s64 end = now_ns() + SOON;
	int status;
	pid_t ret;

	if (pid < 0)
		return -EAGAIN;
	while (!(ret = waitpid(pid, &status, WNOHANG)) && now_ns() < end)
		pass_time(5 * MSEC);
	if (!ret)
		return -ETIME;
	return ret == pid && WIFEXITED(status) ? -WEXITSTATUS(status) :
						 -ENOTRECOVERABLE;
}

/* ---- what is to be possible meanwhile ---- */

static int stream(struct scene *s)
{
	return strcmp(channel_usable(), "ok") ? -EPROTO : 0;
}

static int unbind(struct scene *s)
{
	return driver_write("unbind");
}

static int bind(struct scene *s)
{
	return driver_write("bind");
}

/* What is in the page before the request */
union what {
	char any[256];
	struct fpgabuf_inspect inspect;
	struct fpgabuf_alloc alloc;
	struct fpgabuf_queue_entry entry;
	struct fpgabuf_import_attach attach;
};

FIXTURE(stall) {
	struct totals before;
	struct scene s;
	pid_t child;
};

FIXTURE_VARIANT(stall) {
	int (*func)(struct scene *s);
	unsigned int mode;
	bool importer;
	bool owner;
	void (*fill)(union what *what, const struct scene *s);
};

static void fill_inspect(union what *what, const struct scene *s)
{
	what->inspect.fd = s->b.fd;
}

static void fill_alloc(union what *what, const struct scene *s)
{
	what->alloc.size = FRAME;
	what->alloc.kind = FPGABUF_KIND_SYSTEM;
	what->alloc.fd_flags = O_RDWR | O_CLOEXEC;
}

/* A buffer that the device does not have yet; the child has its number. */
static void fill_attach(union what *what, const struct scene *s)
{
	what->attach.fd = fpga_alloc(s->ch, FRAME, FPGABUF_KIND_SYSTEM);
	what->attach.access = IMPORT_BOTH;
}

FIXTURE_VARIANT_ADD(stall, inspect_names) {
	.func = inspect_names, .mode = STALL_ALL, .owner = true,
};

FIXTURE_VARIANT_ADD(stall, inspect_answer) {
	.func = inspect_answer, .mode = STALL_WRITERS, .fill = fill_inspect,
};

FIXTURE_VARIANT_ADD(stall, info_answer) {
	.func = info_answer, .mode = STALL_ALL,
};

FIXTURE_VARIANT_ADD(stall, format_answer) {
	.func = format_answer, .mode = STALL_ALL,
};

FIXTURE_VARIANT_ADD(stall, alloc_answer) {
	.func = alloc_answer, .mode = STALL_WRITERS, .fill = fill_alloc,
};

FIXTURE_VARIANT_ADD(stall, alloc_user) {
	.func = alloc_user, .mode = STALL_ALL,
};

FIXTURE_VARIANT_ADD(stall, exchange_queue) {
	.func = exchange_queue, .mode = STALL_ALL, .owner = true,
};

FIXTURE_VARIANT_ADD(stall, exchange_done) {
	.func = exchange_done, .mode = STALL_ALL,
};

FIXTURE_VARIANT_ADD(stall, exchange_fences) {
	.func = exchange_fences, .mode = STALL_ALL, .owner = true,
};

FIXTURE_VARIANT_ADD(stall, importer_copies) {
	.func = importer_copies, .mode = STALL_ALL, .importer = true,
};

FIXTURE_VARIANT_ADD(stall, importer_done) {
	.func = importer_done, .mode = STALL_ALL, .importer = true,
};

FIXTURE_VARIANT_ADD(stall, importer_segments) {
	.func = importer_segments, .mode = STALL_ALL, .importer = true,
};

FIXTURE_VARIANT_ADD(stall, importer_attach) {
	.func = importer_attach, .mode = STALL_WRITERS, .importer = true,
	.fill = fill_attach,
};

FIXTURE_SETUP(stall)
{
	union what what = { 0 };
	struct scene *s = &self->s;

	REQUIRE_CHANNEL(self->before);
	if (access("/dev/" STALLER, F_OK))
		SKIP(return, "no " STALLER_FILE ": built without the modules");
	ASSERT_EQ(0, scene_set(s, variant->importer));
	if (variant->owner) {
		ASSERT_EQ(0, fpga_set_raw(s->ch, FRAME, 0));
		ASSERT_EQ(0, fpga_register(s->ch, s->b.fd, 0, 0));
	}
	if (variant->fill)
		variant->fill(&what, s);
	ASSERT_EQ(0, page_fill(s, &what, sizeof(what)));
	ASSERT_EQ(0, page_map(s, variant->mode));
	self->child = start(variant->func, s);
	ASSERT_TRUE(stalled(s));
}

FIXTURE_TEARDOWN_PARENT(stall)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Somebody else, or the owner himself */
static int take_one(struct scene *s)
{
	struct fpgabuf_completion done;
	int slot = fpga_register(s->ch, fpga_alloc(s->ch, FRAME,
						   FPGABUF_KIND_COHERENT), 0, 0);
	int ret = slot < 0 ? slot : fpga_capture(s->ch, slot, &done);

	return ret ?: done.status;
}

static int copy_one(struct scene *s)
{
	int ret = import_attach(s->dev, fpga_alloc(s->ch, FRAME,
						   FPGABUF_KIND_COHERENT),
				IMPORT_BOTH);

	return ret < 0 ? ret : import_copy(s->dev, 0, ret, FRAME);
}

TEST_F_TIMEOUT(stall, nobody_else, 60)
{
	struct scene *s = &self->s;
	int (*func)(struct scene *s) = variant->importer ? copy_one :
		variant->owner ? take_one : stream;

	EXPECT_EQ(0, end_soon(start(func, s)));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(self->child));
	/* It has left no trace. */
	EXPECT_EQ(0, end_soon(start(func, s)));
}

TEST_F_TIMEOUT(stall, not_unbind, 60)
{
	struct scene *s = &self->s;
	int ret;

	EXPECT_EQ(0, end_soon(start(unbind, s)));
	EXPECT_EQ(0, end_soon(start(bind, s)));
	ASSERT_EQ(0, release(s));
	ret = end_soon(self->child);
	/* What was done by then is done. */
	if (ret)
		EXPECT_EQ(-ENODEV, ret);
}

TEST_F_TIMEOUT(stall, not_its_end, 60)
{
	struct scene *s = &self->s;

	ASSERT_EQ(0, kill(self->child, SIGKILL));
	EXPECT_EQ(-ENOTRECOVERABLE, end_soon(self->child));
	ASSERT_EQ(0, release(s));
	close(s->ch);
	close(s->dev);
	EXPECT_EQ(0, end_soon(start(stream, s)));
}

/* What is queued by memory that was long in coming is queued once. */
FIXTURE(once) {
	struct totals before;
	struct scene s;
};

FIXTURE_SETUP(once)
{
	REQUIRE_CHANNEL(self->before);
	if (access("/dev/" STALLER, F_OK))
		SKIP(return, "no " STALLER_FILE ": built without the modules");
	ASSERT_EQ(0, scene_set(&self->s, false));
	ASSERT_EQ(0, fpga_set_raw(self->s.ch, FRAME, 0));
}

FIXTURE_TEARDOWN_PARENT(once)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int queue_it(struct scene *s)
{
	return fpga_exchange(s->ch, s->page, 1, NULL, 0, 0, 0);
}

TEST_F_TIMEOUT(once, queued, 60)
{
	struct fpgabuf_queue_entry entry = { .user_data = 42 };
	struct fpgabuf_completion done[2];
	struct scene *s = &self->s;
	pid_t child;

	ASSERT_EQ(0, fpga_register(s->ch, s->b.fd, 0, 0));
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, page_fill(s, &entry, sizeof(entry)));
	ASSERT_EQ(0, page_map(s, STALL_ALL));
	child = start(queue_it, s);
	ASSERT_TRUE(stalled(s));
	EXPECT_EQ(-EAGAIN, fpga_take(s->ch, done, 2, 0, 0));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(child));
	EXPECT_EQ(1, fpga_take(s->ch, done, 2, 1, SOON));
	EXPECT_EQ(42ULL, done[0].user_data);
	EXPECT_EQ(0, done[0].status);
	EXPECT_EQ(-EAGAIN, fpga_take(s->ch, done, 2, 0, 0));
}

/* The fence's number goes where the memory was not there to be written. */
static int queue_fenced(struct scene *s)
{
	struct fpgabuf_queue_entry entry = { .flags = FPGABUF_QUEUE_OUT_FENCE };
	struct fpgabuf_fences *fences = s->page;
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)&entry,
		.queue_count = 1,
		.fences = (uintptr_t)fences,
	};
	int before = open_fds();
	int ret = fpga_ioctl(s->ch, FPGABUF_IOC_EXCHANGE, &exchange);

	if (ret)
		return ret;
	if (open_fds() != before + 1)
		return -EMFILE;
	return sync_file_wait(fences->out, SOON / MSEC);
}

TEST_F_TIMEOUT(once, fenced, 60)
{
	struct fpgabuf_completion done[2];
	struct scene *s = &self->s;
	pid_t child;

	ASSERT_EQ(0, fpga_register(s->ch, s->b.fd, 0, 0));
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, page_map(s, STALL_WRITERS));
	child = start(queue_fenced, s);
	ASSERT_TRUE(stalled(s));
	EXPECT_EQ(-EAGAIN, fpga_take(s->ch, done, 2, 0, 0));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(child));
	EXPECT_EQ(1, fpga_take(s->ch, done, 2, 1, SOON));
	EXPECT_EQ(0, done[0].status);
	EXPECT_EQ(-EAGAIN, fpga_take(s->ch, done, 2, 0, 0));
}

static int register_it(struct scene *s)
{
	struct fpgabuf_register *reg = s->page;

	return fpga_ioctl(s->ch, FPGABUF_IOC_REGISTER, reg) ?: -(int)reg->slot;
}

TEST_F_TIMEOUT(once, registered, 60)
{
	struct fpgabuf_register reg = { .fd = self->s.b.fd };
	struct scene *s = &self->s;
	pid_t child;

	ASSERT_EQ(0, page_fill(s, &reg, sizeof(reg)));
	ASSERT_EQ(0, page_map(s, STALL_WRITERS));
	child = start(register_it, s);
	ASSERT_TRUE(stalled(s));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(child));
	EXPECT_EQ(-EEXIST, fpga_register(s->ch, s->b.fd, 0, 0));
	EXPECT_EQ(0, fpga_unregister(s->ch, 0));
	EXPECT_EQ(-ENOENT, fpga_unregister(s->ch, 1));
	EXPECT_EQ(0, fpga_register(s->ch, s->b.fd, 0, 0));
}

static int start_it(struct scene *s)
{
	struct fpgabuf_start *arg = s->page;

	return fpga_ioctl(s->ch, FPGABUF_IOC_START, arg) ?: 1 - (int)arg->run;
}

TEST_F_TIMEOUT(once, started, 60)
{
	struct fpgabuf_completion done;
	struct scene *s = &self->s;
	pid_t child;

	ASSERT_EQ(0, fpga_register(s->ch, s->b.fd, 0, 0));
	ASSERT_EQ(0, page_map(s, STALL_WRITERS));
	child = start(start_it, s);
	ASSERT_TRUE(stalled(s));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(child));
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	EXPECT_EQ(1, fpga_take(s->ch, &done, 1, 1, SOON));
	EXPECT_EQ(1U, done.run);
}

static int try_format(struct scene *s)
{
	return fpga_ioctl(s->ch, FPGABUF_IOC_SET_FORMAT, s->page);
}

/* Done again from its beginning, it is still no more than a try. */
TEST_F_TIMEOUT(once, tried, 60)
{
	struct fpgabuf_format format, now;
	struct scene *s = &self->s;
	pid_t child;

	ASSERT_EQ(0, fpga_get_format(s->ch, &format));
	format.flags = FPGABUF_FORMAT_TRY;
	format.size = 2 * FRAME;
	ASSERT_EQ(0, page_fill(s, &format, sizeof(format)));
	ASSERT_EQ(0, page_map(s, STALL_WRITERS));
	child = start(try_format, s);
	ASSERT_TRUE(stalled(s));
	ASSERT_EQ(0, release(s));
	EXPECT_EQ(0, end_soon(child));
	ASSERT_EQ(0, fpga_get_format(s->ch, &now));
	EXPECT_EQ((__u64)FRAME, now.size);
}

/* ---- memory that takes its time to be cleared ---- */

#define LARGE	(512ULL << 20)
#define FPS	20

FIXTURE(large) {
	struct totals before;
	struct scene s;
	struct buffer b[SLOTS];
};

FIXTURE_SETUP(large)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	if (memory_kib("MemAvailable") < (long)(LARGE >> 10) * 3 / 2)
		SKIP(return, "too little memory");
	self->s.ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->s.ch);
	ASSERT_EQ(0, fpga_set_raw(self->s.ch, FRAME, FPS));
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, buffer_alloc(self->s.ch, FRAME,
					  FPGABUF_KIND_COHERENT, &self->b[i]));
		ASSERT_EQ(i, fpga_register(self->s.ch, self->b[i].fd, 0, 0));
		ASSERT_EQ(0, fpga_queue(self->s.ch, i, 0));
	}
}

FIXTURE_TEARDOWN_PARENT(large)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int alloc_large(struct scene *s)
{
	int ch = fpga_open(0, O_RDWR);
	int i, fd = 0;

	for (i = 0; i < 3 && fd >= 0; i++) {
		fd = fpga_alloc(ch, LARGE, FPGABUF_KIND_SYSTEM);
		close(fd);
	}
	return fd < 0 ? fd : 0;
}

/* The owner has 150 ms to give a buffer back. */
TEST_F_TIMEOUT(large, takes_no_frame, 100)
{
	struct fpgabuf_completion done;
	struct scene *s = &self->s;
	unsigned int lost = 0, frames = 0;
	int status = 0;
	pid_t child;

	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(1, fpga_take(s->ch, &done, 1, 1, SOON));
	ASSERT_EQ(0, fpga_queue(s->ch, done.slot, 0));
	child = start(alloc_large, s);
	while (!waitpid(child, &status, WNOHANG) && !status) {
		ASSERT_EQ(1, fpga_take(s->ch, &done, 1, 1, SOON));
		ASSERT_EQ(0, fpga_queue(s->ch, done.slot, 0));
		lost += done.lost;
		frames++;
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(0U, lost);
	/* Else nothing was tested. */
	EXPECT_LE(2U, frames);
}

int main(int argc, char **argv)
{
	const char *const insert[] = { "insmod", STALLER_FILE, NULL };
	const char *const rmmod[] = { "rmmod", STALLER, NULL };
	int ret;

	if (!access(STALLER_FILE, F_OK))
		run_program(insert);
	ret = test_harness_run(argc, argv);
	if (module_loaded(STALLER))
		run_program(rmmod);
	return ret;
}
