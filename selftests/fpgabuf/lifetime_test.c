// SPDX-License-Identifier: GPL-2.0
/*
 * Who may be the last one alive: a channel's file, a buffer's file, a mapping,
 * a process, the device, the modules. In every order.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <linux/dma-buf.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

/* Takes the engine a while, so that most ends come in the middle of one */
#define FRAME		(64 << 10)
#define SLOTS		16
#define DEVICE		SIM_DRIVER ".0"
#define NEVER		(-1LL)

/* Register SLOTS frames of @b, queue them and start, as fast as it goes. */
static int stream_into(int ch, const struct buffer *b, __u32 fps)
{
	int i, ret;

	ret = fpga_set_raw(ch, FRAME, fps);
	for (i = 0; !ret && i < SLOTS; i++) {
		ret = fpga_register(ch, b->fd, i * FRAME, FRAME);
		if (ret == i)
			ret = fpga_queue(ch, i, i);
	}
	return ret ? ret : fpga_start(ch);
}

/* Take a frame and give its buffer back, for ever or until an error. */
static int keep_streaming(int ch)
{
	struct fpgabuf_completion done;
	int ret;

	do {
		ret = fpga_take(ch, &done, 1, 1, NEVER);
		if (ret == 1)
			ret = fpga_queue(ch, done.slot, done.user_data);
	} while (!ret);
	return ret;
}

/* No device writes to it any more. */
static bool is_still(const struct buffer *b)
{
	void *copy = malloc(b->size);
	bool still;

	if (!copy)
		return false;
	memcpy(copy, b->map, b->size);
	pass_time(10 * MSEC);
	still = !memcmp(copy, b->map, b->size);
	free(copy);
	return still;
}

FIXTURE(lifetime) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(lifetime) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(lifetime, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(lifetime, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(lifetime, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(lifetime, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(lifetime, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(lifetime)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME, variant->kind,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(lifetime)
{
	EXPECT_NOTHING_LEFT(self->before);
}

enum part { CHANNEL, BUFFER, MAPPING, PARTS };

static const enum part orders[][PARTS] = {
	{ CHANNEL, BUFFER, MAPPING },
	{ CHANNEL, MAPPING, BUFFER },
	{ BUFFER, CHANNEL, MAPPING },
	{ BUFFER, MAPPING, CHANNEL },
	{ MAPPING, CHANNEL, BUFFER },
	{ MAPPING, BUFFER, CHANNEL },
};

static int close_part(enum part part, int ch, const struct buffer *b)
{
	switch (part) {
	case CHANNEL:
		return close(ch);
	case BUFFER:
		return close(b->fd);
	default:
		return munmap(b->map, b->size);
	}
}

/* What is left of it still works, and the buffer lives as long as its users. */
static void check_rest(struct __test_metadata *_metadata,
		       const struct totals *before, __u32 kind,
		       const bool open[PARTS], const struct buffer *b,
		       bool streaming)
{
	bool held = open[BUFFER] || open[MAPPING] ||
		    (open[CHANNEL] && streaming);
	struct totals now;

	if (open[MAPPING] && !streaming) {
		EXPECT_TRUE(all_bytes(b->map, 0, b->size));
	}
	if (open[MAPPING] && !open[CHANNEL]) {
		EXPECT_TRUE(is_still(b));
	}
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(before->count[kind] + held, now.count[kind]);
}

static void close_all(struct __test_metadata *_metadata,
		      const struct totals *before, __u32 kind,
		      const enum part order[PARTS], bool streaming)
{
	bool open[PARTS] = { true, true, true };
	struct buffer b;
	int ch, i;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, buffer_alloc(ch, SLOTS * FRAME, kind, &b));
	if (streaming) {
		ASSERT_EQ(1, stream_into(ch, &b, 0));
	}
	for (i = 0; i < PARTS; i++) {
		ASSERT_EQ(0, close_part(order[i], ch, &b));
		open[order[i]] = false;
		check_rest(_metadata, before, kind, open, &b, streaming);
	}
}

TEST_F(lifetime, closed_in_every_order)
{
	size_t i;

	buffer_free(&self->b);
	close(self->ch);
	for (i = 0; i < ARRAY_LEN(orders); i++) {
		close_all(_metadata, &self->before, variant->kind, orders[i],
			  false);
		close_all(_metadata, &self->before, variant->kind, orders[i],
			  true);
	}
}

/* Streams into @b until it is killed; a byte in the pipe tells that it does. */
static pid_t start_child(struct __test_metadata *_metadata,
			 const struct buffer *b, __u32 fps, int *ready)
{
	int fds[2], ch;
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (pid) {
		close(fds[1]);
		*ready = fds[0];
		return pid;
	}

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(1, stream_into(ch, b, fps));
	ASSERT_EQ(1, write(fds[1], &byte, 1));
	/* Until it is killed */
	ASSERT_EQ(0, keep_streaming(ch));
	_exit(1);
}

/* A process is killed; its channel is free, and its device is idle. */
static void kill_child(struct __test_metadata *_metadata,
		       const struct buffer *b, __u32 fps)
{
	int ready, status;
	char byte;
	pid_t pid;

	pid = start_child(_metadata, b, fps, &ready);
	ASSERT_EQ(1, read(ready, &byte, 1));
	close(ready);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(is_still(b));
	EXPECT_STREQ("ok", channel_usable());
}

TEST_F(lifetime, killed)
{
	int i;

	close(self->ch);
	for (i = 0; i < 5; i++) {
		/* While frames come, and while it waits for one */
		kill_child(_metadata, &self->b, 0);
		kill_child(_metadata, &self->b, 1);
	}
}

/* The file is what owns the channel, whoever has it. */
TEST_F(lifetime, forked)
{
	struct fpgabuf_completion done;
	int fds[2], status, other;
	char byte;
	pid_t pid;

	ASSERT_EQ(1, stream_into(self->ch, &self->b, 0));
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(fds[1]);
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(0, fpga_queue(self->ch, done.slot, 0));
		/* Until the parent has closed */
		EXPECT_EQ(0, read(fds[0], &byte, 1));
		_exit(0);
	}
	close(fds[0]);
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	close(self->ch);
	other = fpga_open(0, O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, fpga_set_raw(other, FRAME, 0));
	close(fds[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, fpga_set_raw(other, FRAME, 0));
	EXPECT_TRUE(is_still(&self->b));
}

/* A running channel on its way to another process */
TEST_F(lifetime, passed)
{
	struct fpgabuf_completion done;
	int pair[2], status, ch, other;
	pid_t pid;

	ASSERT_EQ(1, stream_into(self->ch, &self->b, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, send_fd(pair[0], self->ch));
	close(self->ch);
	other = fpga_open(0, O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, fpga_start(other));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		ch = recv_fd(pair[1]);
		ASSERT_LE(0, ch);
		ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(0, fpga_queue(ch, done.slot, 0));
		EXPECT_EQ(0, fpga_stop(ch));
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, fpga_start(other));

	/* Never received: the socket's end is the channel's. */
	ASSERT_EQ(0, send_fd(pair[0], other));
	close(other);
	close(pair[0]);
	close(pair[1]);
	EXPECT_STREQ("ok", channel_usable());
}

/* The device comes and goes; teardown puts it back whatever happened. */
FIXTURE(device) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(device) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(device, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(device, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(device, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(device, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(device, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

static void rebind(void)
{
	driver_write("unbind");
	driver_write("bind");
}

FIXTURE_SETUP(device)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME, variant->kind,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(device)
{
	rebind();
	EXPECT_NOTHING_LEFT(self->before);
}

static void expect_gone(struct __test_metadata *_metadata, int ch)
{
	struct fpgabuf_format_desc desc = { 0 };
	struct fpgabuf_completion done;
	struct fpgabuf_format format;
	struct fpgabuf_info info;

	EXPECT_EQ(-ENODEV, fpga_ioctl(ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ(-ENODEV, fpga_ioctl(ch, FPGABUF_IOC_ENUM_FORMAT, &desc));
	EXPECT_EQ(-ENODEV, fpga_get_format(ch, &format));
	EXPECT_EQ(-ENODEV, fpga_set_raw(ch, FRAME, 0));
	EXPECT_EQ(-ENODEV, fpga_alloc(ch, FRAME, FPGABUF_KIND_SYSTEM));
	EXPECT_EQ(-ENODEV, fpga_register(ch, 0, 0, 0));
	EXPECT_EQ(-ENODEV, fpga_unregister(ch, 0));
	EXPECT_EQ(-ENODEV, fpga_queue(ch, 0, 0));
	EXPECT_EQ(-ENODEV, fpga_take(ch, &done, 1, 1, NEVER));
	EXPECT_EQ(-ENODEV, fpga_start(ch));
	EXPECT_EQ(-ENODEV, fpga_stop(ch));
	EXPECT_EQ(POLLERR | POLLHUP, poll_fd(ch, POLLIN, 0));
}

static void *stream_thread(void *arg)
{
	return (void *)(intptr_t)keep_streaming(*(int *)arg);
}

/* Unbound in mid-stream, with a thread that waits for a frame */
static void unbind_streaming(struct __test_metadata *_metadata, int ch,
			     const struct buffer *b, __u32 fps)
{
	pthread_t thread;
	void *ended;

	ASSERT_EQ(1, stream_into(ch, b, fps));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stream_thread, &ch));
	pass_time(30 * MSEC);
	ASSERT_EQ(0, driver_write("unbind"));
	ASSERT_EQ(0, pthread_join(thread, &ended));
	EXPECT_EQ(-ENODEV, (int)(intptr_t)ended);
	expect_gone(_metadata, ch);
	EXPECT_EQ(-ENOENT, fpga_open(0, O_RDWR));
	EXPECT_TRUE(is_still(b));
	EXPECT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
}

TEST_F(device, unbound_while_streaming)
{
	unbind_streaming(_metadata, self->ch, &self->b, 0);
	/* The memory is given back to a device that has no driver. */
	buffer_free(&self->b);
	close(self->ch);
	EXPECT_EQ(0, driver_write("bind"));
	EXPECT_STREQ("ok", channel_usable());
}

TEST_F(device, unbound_while_waiting)
{
	unbind_streaming(_metadata, self->ch, &self->b, 1);
	close(self->ch);
	buffer_free(&self->b);
	EXPECT_EQ(0, driver_write("bind"));
	EXPECT_STREQ("ok", channel_usable());
}

static void *poll_thread(void *arg)
{
	return (void *)(intptr_t)poll_fd(*(int *)arg, POLLIN, 10000);
}

TEST_F(device, unbound_while_polling)
{
	pthread_t thread;
	void *revents;

	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 1));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_thread, &self->ch));
	pass_time(30 * MSEC);
	ASSERT_EQ(0, driver_write("unbind"));
	ASSERT_EQ(0, pthread_join(thread, &revents));
	/* The stop may be seen before the end of the device. */
	EXPECT_EQ(POLLERR, (int)(intptr_t)revents & ~POLLHUP);
	EXPECT_EQ(POLLERR | POLLHUP, poll_fd(self->ch, POLLIN, 0));
}

/* The old file stays dead beside the new device; the old buffer serves it. */
TEST_F(device, old_file_and_buffer)
{
	struct fpgabuf_completion done;
	int ch;

	memset(self->b.map, 0x77, self->b.size);
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_TRUE(all_bytes(self->b.map, 0x77, self->b.size));
	ASSERT_EQ(0, driver_write("bind"));
	expect_gone(_metadata, self->ch);

	/* Its number is the new one's. */
	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	EXPECT_TRUE(all_bytes(self->b.map, 0x77, self->b.size));
	ASSERT_EQ(0, fpga_set_raw(ch, SLOTS * FRAME, 0));
	ASSERT_EQ(0, fpga_register(ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, fpga_capture(ch, 0, &done));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
					    SLOTS * FRAME, &done));
	expect_gone(_metadata, self->ch);
}

/* Whatever a program does while the device goes, it gets an error. */
static void disturb(__u32 kind, atomic_uint *frames)
{
	struct buffer b;
	int ch;

	for (;;) {
		ch = fpga_open(0, O_RDWR);
		if (ch < 0)
			continue;
		if (!buffer_alloc(ch, SLOTS * FRAME, kind, &b)) {
			struct fpgabuf_completion done;

			if (stream_into(ch, &b, 0) == 1 &&
			    fpga_take(ch, &done, 1, 1, NEVER) == 1)
				++*frames;
			fpga_stop(ch);
			buffer_free(&b);
		}
		close(ch);
	}
}

TEST_F(device, unbound_under_load)
{
	atomic_uint *frames = shared_counters(1);
	int round, status;
	pid_t pid;

	ASSERT_NE(NULL, frames);
	buffer_free(&self->b);
	close(self->ch);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		disturb(variant->kind, frames);
	for (round = 0; round < 10 && counts_on(frames); round++) {
		EXPECT_EQ(0, driver_write("unbind"));
		EXPECT_EQ(0, driver_write("bind"));
	}
	EXPECT_EQ(10, round);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* Modules */

#define MAX_MODULES	16
/* One of the kernel's heaps that is fpgabuf's */
#define HEAP		"/sys/class/dma_heap/fpgabuf-" DEVICE "-system"

FIXTURE(module) {
	struct totals before;
	char sim_param[32];
	char names[MAX_MODULES][32];
	int count;
};

static int read_modules(char names[MAX_MODULES][32])
{
	char line[256];
	int count = 0;
	FILE *f;

	f = fopen("/proc/modules", "re");
	if (!f)
		return -errno;
	while (count < MAX_MODULES && fgets(line, sizeof(line), f))
		if (!strncmp(line, "fpgabuf_", 8) &&
		    sscanf(line, "%31s", names[count]) == 1)
			count++;
	fclose(f);
	return count;
}

static int read_sim_param(char *param, size_t len)
{
	unsigned int channels;
	FILE *f;
	int ret;

	f = fopen("/sys/module/" SIM_DRIVER "/parameters/channels", "re");
	if (!f)
		return -errno;
	ret = fscanf(f, "%u", &channels) == 1 ? 0 : -EBADMSG;
	fclose(f);
	snprintf(param, len, "channels=%u", channels);
	return ret;
}

static int delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int insert_module(const char *name, const char *param)
{
	const char *const argv[] = { "modprobe", name, param, NULL };

	return module_loaded(name) ? 0 : run_program(argv);
}

FIXTURE_SETUP(module)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, read_sim_param(self->sim_param, sizeof(self->sim_param)));
	self->count = read_modules(self->names);
	ASSERT_LE(4, self->count);
}

/* The simulator first: with it comes what it needs. */
static int insert_all(const FIXTURE_DATA(module) *self)
{
	int i, ret;

	ret = insert_module(SIM_DRIVER, self->sim_param);
	for (i = 0; !ret && i < self->count; i++)
		ret = insert_module(self->names[i], NULL);
	return ret;
}

FIXTURE_TEARDOWN_PARENT(module)
{
	EXPECT_EQ(0, insert_all(self));
	EXPECT_NOTHING_LEFT(self->before);
}

/* What is in use cannot be removed; EAGAIN is what rmmod calls "in use". */
static void expect_in_use(struct __test_metadata *_metadata)
{
	static const char *const names[] = {
		SIM_DRIVER, "fpgabuf_dma", "fpgabuf_importer",
		"fpgabuf_exporter",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		EXPECT_EQ(-EAGAIN, delete_module(names[i]))
			TH_LOG("%s", names[i]);
	}
}

TEST_F(module, in_use)
{
	struct buffer b;
	int ch;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	expect_in_use(_metadata);
	ASSERT_EQ(0, buffer_alloc(ch, SLOTS * FRAME, FPGABUF_KIND_COHERENT,
				  &b));
	ASSERT_EQ(1, stream_into(ch, &b, 0));
	expect_in_use(_metadata);
	close(ch);
	/* A file, and then only a mapping of a buffer */
	expect_in_use(_metadata);
	close(b.fd);
	expect_in_use(_metadata);
	EXPECT_TRUE(is_still(&b));
	munmap(b.map, b.size);
}

/* Of an unbound device the memory is left: its modules must stay as well. */
TEST_F(module, in_use_by_memory_of_no_device)
{
	struct buffer b;
	int ch;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, buffer_alloc(ch, FRAME, FPGABUF_KIND_CONTIGUOUS, &b));
	close(ch);
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(-EAGAIN, delete_module(SIM_DRIVER));
	EXPECT_EQ(-EAGAIN, delete_module("fpgabuf_exporter"));
	EXPECT_TRUE(all_bytes(b.map, 0, b.size));
	buffer_free(&b);
	ASSERT_EQ(0, driver_write("bind"));
}

/* Each in its turn; those that others need refuse until it is theirs. */
static int remove_all(void)
{
	char names[MAX_MODULES][32];
	int left, i, removed;

	do {
		removed = 0;
		left = read_modules(names);
		for (i = 0; i < left; i++)
			removed += !delete_module(names[i]);
	} while (removed);
	return left;
}

/*
 * But for fpgabuf_heaps where it added its heaps to the kernel's, which cannot
 * be undone, and what that needs.
 */
TEST_F_TIMEOUT(module, removed_and_loaded, 200)
{
	bool heaps_stay = !access(HEAP, F_OK);
	struct totals totals;
	int round;

	for (round = 0; round < 3; round++) {
		EXPECT_STREQ("ok", channel_usable());
		EXPECT_EQ(heaps_stay ? 2 : 0, remove_all());
		EXPECT_EQ(-ENOENT, fpga_open(0, O_RDWR));
		EXPECT_NE(0, access("/sys/bus/platform/devices/" DEVICE,
				    F_OK));
		EXPECT_EQ(heaps_stay ? 0 : -ENOENT, totals_read(&totals));
		ASSERT_EQ(0, insert_all(self));
	}
}

TEST_HARNESS_MAIN
