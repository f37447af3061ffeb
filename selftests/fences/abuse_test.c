// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that know no rules: random requests with random arguments on all
 * channels and on an importing device, from several processes that are killed at
 * random while others unbind the device. Nothing may crash, hang, or be left.
 * FPGABUF_CALLS=N makes that many calls in all, FPGABUF_SEED=N the same ones
 * again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../importer/importer_test.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

#define PROCESSES	4
#define CALLS		40000
#define NODES		4
#define FDS		24
#define REBINDS		20

/**
 * struct vandal - one of the processes
 * @seed: of its random numbers
 * @fds: what it has: channels, dma-bufs, sync_files; 0: none
 * @page: memory that its arguments point to
 */
struct vandal {
	unsigned int seed;
	int fds[FDS];
	void *page;
};

static unsigned int draw(struct vandal *v, unsigned int limit)
{
	return rand_r(&v->seed) % limit;
}

static __u64 draw_number(struct vandal *v)
{
	static const __u64 numbers[] = {
		0, 1, 2, 3, 63, 64, 65, 256, 4095, 4096, 1 << 20,
		0x7fffffff, 0xffffffff, 1ULL << 32, ~0ULL >> 1, ~0ULL,
	};

	if (!draw(v, 4))
		return (__u64)rand_r(&v->seed) << 32 | rand_r(&v->seed);
	return numbers[draw(v, ARRAY_LEN(numbers))];
}

static int draw_fd(struct vandal *v)
{
	return draw(v, 16) ? v->fds[draw(v, FDS)] : (int)draw_number(v);
}

static void keep_fd(struct vandal *v, int fd)
{
	int *place = &v->fds[draw(v, FDS)];

	if (fd < 0)
		return;
	if (*place)
		close(*place);
	*place = fd;
}

/* An argument that has something to do with the request, and its fd if any. */
static void *draw_argument(struct vandal *v, unsigned long *request)
{
	static const unsigned long requests[] = {
		FPGABUF_IOC_INFO, FPGABUF_IOC_ENUM_FORMAT,
		FPGABUF_IOC_GET_FORMAT, FPGABUF_IOC_SET_FORMAT,
		FPGABUF_IOC_ALLOC, FPGABUF_IOC_REGISTER,
		FPGABUF_IOC_UNREGISTER, FPGABUF_IOC_EXCHANGE,
		FPGABUF_IOC_START, FPGABUF_IOC_STOP, FPGABUF_IOC_ALLOC_USER,
		FPGABUF_IOC_ALLOC_POOL, FPGABUF_IOC_INSPECT,
		DMA_BUF_IOCTL_SYNC, DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
		DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
		FPGABUF_IMPORT_IOC_INFO, FPGABUF_IMPORT_IOC_ATTACH,
		FPGABUF_IMPORT_IOC_DETACH, FPGABUF_IMPORT_IOC_SEGMENTS,
		FPGABUF_IMPORT_IOC_EXCHANGE,
	};
	static __u64 argument[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(argument); i++)
		argument[i] = draw_number(v);
	*request = requests[draw(v, ARRAY_LEN(requests))];
	if (!draw(v, 32))
		*request = _IOC(_IOC_DIR(*request), _IOC_TYPE(*request),
				_IOC_NR(*request), draw(v, 256));
	return draw(v, 64) ? argument : no_access_page();
}

static void call_random(struct vandal *v)
{
	unsigned long request;
	void *argument = draw_argument(v, &request);

	/* A wait for ever is allowed to the kernel, but not to the test. */
	if (_IOC_NR(request) != _IOC_NR(FPGABUF_IOC_EXCHANGE) &&
	    _IOC_NR(request) != _IOC_NR(FPGABUF_IMPORT_IOC_EXCHANGE))
		fpga_ioctl(draw_fd(v), request, argument);
}

static void call_open(struct vandal *v)
{
	int ch = fpga_open(draw(v, NODES), O_RDWR |
			   (draw(v, 2) ? O_NONBLOCK : 0));

	if (ch < 0)
		return;
	fpga_set_raw(ch, draw(v, 4) ? 4096 : draw_number(v),
		     draw(v, 2) ? 0 : 1000);
	keep_fd(v, ch);
}

/* There is one at a time, so that it is busy more often than not. */
static void call_open_importer(struct vandal *v)
{
	keep_fd(v, import_open(O_RDWR | (draw(v, 2) ? O_NONBLOCK : 0)));
}

static void call_attach(struct vandal *v)
{
	struct fpgabuf_import_attach arg = {
		.fd = draw_fd(v),
		.flags = draw(v, 4),
		.access = draw(v, 16) ? 1 + draw(v, 3) : draw_number(v),
	};

	if (draw(v, 4))
		fpga_ioctl(draw_fd(v), FPGABUF_IMPORT_IOC_ATTACH, &arg);
	else
		import_detach(draw_fd(v), draw(v, 8));
}

static void call_copy(struct vandal *v)
{
	struct fpgabuf_import_copy *copies = v->page;
	struct fpgabuf_import_exchange exchange = {
		.copies = (uintptr_t)copies,
		.done = (uintptr_t)v->page + 4096,
		.copy_count = draw(v, 5),
		.done_count = draw(v, 5),
		.min_done = draw(v, 3),
		.timeout = draw(v, 2) * MSEC,
	};
	unsigned int i;

	for (i = 0; i < exchange.copy_count; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.src_offset = draw(v, 4096),
			.dst_offset = draw(v, 4096),
			.length = draw(v, 16) ? draw(v, 4096) : draw_number(v),
			.src = draw(v, 4),
			.dst = draw(v, 4),
			.flags = draw(v, 16) ? draw(v, 8) : draw_number(v),
			.in_fence = draw_fd(v),
		};
	if (fpga_ioctl(draw_fd(v), FPGABUF_IMPORT_IOC_EXCHANGE, &exchange))
		return;
	for (i = 0; i < exchange.copy_count; i++)
		if (copies[i].flags & FPGABUF_QUEUE_OUT_FENCE)
			keep_fd(v, copies[i].out_fence);
}

static void call_alloc(struct vandal *v)
{
	keep_fd(v, fpga_alloc(draw_fd(v), 1 + draw(v, 64 << 10), draw(v, 9)));
}

static void call_register(struct vandal *v)
{
	fpga_register(draw_fd(v), draw_fd(v), draw(v, 3) * 4096,
		      draw(v, 2) ? 0 : draw_number(v));
}

static void call_exchange(struct vandal *v)
{
	struct fpgabuf_queue_entry *entries = v->page;
	struct fpgabuf_fences *fences = v->page + 2048;
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)entries,
		.done = (uintptr_t)v->page + 4096,
		.queue_count = draw(v, 5),
		.done_count = draw(v, 5),
		.min_done = draw(v, 3),
		.timeout = draw(v, 2) * MSEC,
		.fences = draw(v, 8) ? (uintptr_t)fences : draw_number(v),
	};
	unsigned int i;

	for (i = 0; i < exchange.queue_count; i++) {
		entries[i] = (struct fpgabuf_queue_entry){
			.slot = draw(v, 8),
			.flags = draw(v, 16) ? draw(v, 8) : draw_number(v),
			.bytes = draw(v, 16) ? 0 : draw_number(v),
		};
		fences[i] = (struct fpgabuf_fences){ draw_fd(v), -1 };
	}
	if (fpga_ioctl(draw_fd(v), FPGABUF_IOC_EXCHANGE, &exchange))
		return;
	for (i = 0; i < exchange.queue_count; i++)
		if (entries[i].flags & FPGABUF_QUEUE_OUT_FENCE)
			keep_fd(v, fences[i].out);
}

static void call_start_stop(struct vandal *v)
{
	if (draw(v, 3))
		fpga_start_timeout(draw_fd(v), 1 + draw(v, 100));
	else
		fpga_stop(draw_fd(v));
}

static void call_close(struct vandal *v)
{
	int *place = &v->fds[draw(v, FDS)];

	if (*place)
		close(*place);
	*place = 0;
}

static void call_any(struct vandal *v)
{
	static void (*const calls[])(struct vandal *v) = {
		call_random, call_random, call_open, call_alloc,
		call_register, call_register, call_exchange, call_exchange,
		call_exchange, call_start_stop, call_close, call_open_importer,
		call_attach, call_attach, call_copy, call_copy,
	};

	calls[draw(v, ARRAY_LEN(calls))](v);
}

static void vandalise(unsigned int seed, unsigned int calls)
{
	struct vandal v = { .seed = seed };
	unsigned int i;

	v.page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < calls; i++)
		call_any(&v);
	_exit(0);
}

FIXTURE(abuse) {
	struct totals before;
	unsigned int seed, calls;
};

FIXTURE_SETUP(abuse)
{
	REQUIRE_CHANNEL(self->before);
	self->seed = env_number("FPGABUF_SEED", getpid());
	self->calls = env_number("FPGABUF_CALLS", CALLS);
	TH_LOG("FPGABUF_SEED=%u", self->seed);
}

FIXTURE_TEARDOWN_PARENT(abuse)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static pid_t spawn(unsigned int seed, unsigned int calls)
{
	pid_t pid = fork();

	if (!pid)
		vandalise(seed, calls);
	return pid;
}

TEST_F_TIMEOUT(abuse, random_calls, 1200)
{
	int i, status;

	for (i = 0; i < PROCESSES; i++)
		ASSERT_LT(0, spawn(self->seed + i, self->calls / PROCESSES));
	for (i = 0; i < PROCESSES; i++) {
		ASSERT_LT(0, wait(&status));
		EXPECT_EQ(0, status);
	}
}

/* As soon as one is killed there is another. */
TEST_F_TIMEOUT(abuse, killed_at_random, 1200)
{
	unsigned int seed = self->seed;
	unsigned int kills = self->calls / 1000;
	pid_t pids[PROCESSES];
	unsigned int i;
	int status;

	for (i = 0; i < PROCESSES; i++)
		pids[i] = spawn(seed++, ~0U);
	for (i = 0; i < kills; i++) {
		pid_t *pid = &pids[rand_r(&seed) % PROCESSES];

		pass_time((1 + rand_r(&seed) % 20) * MSEC);
		ASSERT_EQ(0, kill(*pid, SIGKILL));
		ASSERT_EQ(*pid, waitpid(*pid, &status, 0));
		*pid = spawn(seed++, ~0U);
	}
	for (i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
	}
}

TEST_F_TIMEOUT(abuse, unbound_at_random, 1200)
{
	unsigned int rebinds = env_number("FPGABUF_REBINDS", REBINDS);
	unsigned int seed = self->seed;
	pid_t pids[PROCESSES];
	unsigned int i;
	int status;

	for (i = 0; i < PROCESSES; i++)
		pids[i] = spawn(seed++, ~0U);
	for (i = 0; i < rebinds; i++) {
		pass_time((1 + rand_r(&seed) % 20) * MSEC);
		EXPECT_EQ(0, driver_write("unbind"));
		EXPECT_EQ(0, driver_write("bind"));
	}
	for (i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
	}
	/* Files that were open kept the nodes' numbers from the last binding. */
	EXPECT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(0, driver_write("bind"));
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
