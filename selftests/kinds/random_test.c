// SPDX-License-Identifier: GPL-2.0
/*
 * 10,000 random steps over all kinds of memory: allocate, map, attach, capture,
 * pass on, free, by four processes that share buffers while memory is short.
 * Each may fail for want of memory, and for nothing else; at the end nothing is
 * left. A run can be repeated: FPGABUF_SEED=N.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/foreign.h"
#include "../fpgabuf/fpgabuf_test.h"

#define STEPS		10000
#define PROCESSES	4
#define OBJECTS		16
#define MAX_SIZE	(256 << 10)
#define FRAME		4096
/* The user kind's memory of a process, which its buffers may have in common. */
#define ARENA		(1 << 20)
/* What the hog leaves to everybody else */
#define SPARE_KIB	(96 << 10)
#define HUGE_POOL	"/proc/sys/vm/nr_hugepages"

/**
 * struct object - a buffer of a process
 * @fd: the dma-buf, -1: none
 * @size: its bytes
 * @map: where some of it is mapped, or NULL
 * @mapped: bytes there
 * @handle: in vgem, 0: not imported
 */
struct object {
	int fd;
	size_t size;
	char *map;
	size_t mapped;
	__u32 handle;
};

/**
 * struct player - one of the processes
 * @seed: of its random numbers
 * @number: its channel's number; only the first two have one to themselves
 * @ch: that channel
 * @drm: vgem, or negative
 * @in: where others' buffers come from
 * @out: where it sends buffers to
 * @arena: its own memory
 * @objects: its buffers
 * @step: what it is doing, for the message
 */
struct player {
	unsigned int seed;
	unsigned int number;
	int ch;
	int drm;
	int in;
	int out;
	char *arena;
	struct object objects[OBJECTS];
	const char *step;
};

static unsigned int draw(struct player *p, unsigned int limit)
{
	return rand_r(&p->seed) % limit;
}

/* Memory may be short, never anything else. */
static int tolerate(int ret)
{
	return ret == -ENOMEM ? 0 : ret;
}

/* What came back from a neighbour may be a buffer that we have: one handle. */
static int close_import(struct player *p, struct object *o)
{
	const __u32 handle = o->handle;
	int i;

	if (!handle)
		return 0;
	for (i = 0; i < OBJECTS; i++)
		if (p->objects[i].handle == handle)
			p->objects[i].handle = 0;
	return vgem_close(p->drm, handle);
}

static int unmap(struct object *o)
{
	int ret = o->map ? munmap(o->map, o->mapped) : 0;

	o->map = NULL;
	return ret ? -errno : 0;
}

static int drop(struct player *p, struct object *o)
{
	int ret = 0;

	/* In any order, as the buffer does not care */
	if (draw(p, 2))
		ret = unmap(o);
	if (!ret)
		ret = close_import(p, o);
	close(o->fd);
	o->fd = -1;
	return ret ? ret : unmap(o);
}

static int alloc_user(struct player *p)
{
	size_t offset = draw(p, ARENA - 1);
	size_t length = 1 + draw(p, ARENA - offset);

	if (length > MAX_SIZE)
		length = MAX_SIZE;
	if (draw(p, 2)) {
		offset &= ~(page_size() - 1);
		length = page_size();
	}
	return fpga_alloc_user(p->ch, p->arena + offset, length,
			       O_RDWR | O_CLOEXEC);
}

static int alloc_any(struct player *p)
{
	static const __u32 kinds[] = {
		FPGABUF_KIND_COHERENT, FPGABUF_KIND_CONTIGUOUS,
		FPGABUF_KIND_SYSTEM, FPGABUF_KIND_WRITECOMBINE,
		FPGABUF_KIND_NONCONTIGUOUS, FPGABUF_KIND_USER,
		FPGABUF_KIND_POOL, FPGABUF_KIND_REGION,
	};
	__u32 kind = kinds[draw(p, ARRAY_LEN(kinds))], stride;

	if (kind == FPGABUF_KIND_USER)
		return alloc_user(p);
	if (kind == FPGABUF_KIND_POOL)
		return fpga_alloc_pool(p->ch, 1 + draw(p, 512),
				       1 + draw(p, 64), 0, 0, &stride);
	return fpga_alloc(p->ch, 1 + draw(p, MAX_SIZE), kind);
}

static int step_alloc(struct player *p, struct object *o)
{
	int fd;

	p->step = "alloc";
	if (o->fd >= 0)
		return drop(p, o);
	fd = alloc_any(p);
	if (fd < 0)
		return tolerate(fd);
	*o = (struct object){ .fd = fd, .size = dmabuf_size(fd) };
	return 0;
}

/* Memory that does not begin or end with a page cannot be mapped there. */
static int step_map(struct player *p, struct object *o)
{
	size_t pages = o->size / page_size();
	size_t first, count;

	p->step = "map";
	if (o->map)
		return unmap(o);
	if (!pages)
		return 0;
	first = draw(p, pages);
	count = 1 + draw(p, pages - first);
	o->mapped = count * page_size();
	o->map = mmap(NULL, o->mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
		      o->fd, first * page_size());
	if (o->map == MAP_FAILED) {
		o->map = NULL;
		return errno == EINVAL ? 0 : tolerate(-errno);
	}
	o->map[0]++;
	o->map[o->mapped - 1]++;
	return 0;
}

static int step_sync(struct player *p, struct object *o)
{
	__u64 dir = 1 + draw(p, 3);
	int ret;

	p->step = "sync";
	ret = dmabuf_sync(o->fd, DMA_BUF_SYNC_START | dir);
	return ret ? ret : dmabuf_sync(o->fd, DMA_BUF_SYNC_END | dir);
}

/* A device that may not have it (region, not of whole pages) is refused. */
static int step_import(struct player *p, struct object *o)
{
	int ret;

	p->step = "import";
	if (p->drm < 0)
		return 0;
	if (o->handle)
		return close_import(p, o);
	ret = vgem_import(p->drm, o->fd, &o->handle);
	if (ret)
		o->handle = 0;
	return ret == -EOPNOTSUPP ? 0 : tolerate(ret);
}

/* A frame into it, if it is long enough and its address suits the engine */
static int step_capture(struct player *p, struct object *o)
{
	struct fpgabuf_completion done;
	int slot, ret;

	p->step = "capture";
	if (p->number > 1 || o->size < FRAME)
		return 0;
	slot = fpga_register(p->ch, o->fd, 0, 0);
	if (slot == -EINVAL || slot == -EOPNOTSUPP)
		return 0;
	if (slot < 0)
		return tolerate(slot);
	ret = fpga_capture(p->ch, slot, &done);
	if (!ret)
		ret = done.status;
	return ret ? ret : fpga_unregister(p->ch, slot);
}

static int step_send(struct player *p, struct object *o)
{
	p->step = "send";
	/* Full: the neighbour has enough. */
	send_fd(p->out, o->fd);
	return 0;
}

static int step_receive(struct player *p, struct object *o)
{
	int fd;

	p->step = "receive";
	fd = recv_fd(p->in);
	if (fd < 0)
		return 0;
	if (o->fd >= 0) {
		close(fd);
		return 0;
	}
	*o = (struct object){ .fd = fd, .size = dmabuf_size(fd) };
	return 0;
}

static int play_step(struct player *p)
{
	static int (*const steps[])(struct player *p, struct object *o) = {
		step_map, step_sync, step_import, step_capture, step_send,
	};
	struct object *o = &p->objects[draw(p, OBJECTS)];
	unsigned int choice = draw(p, 9);

	if (choice < 3 || (o->fd < 0 && choice != 8))
		return step_alloc(p, o);
	if (choice == 8)
		return step_receive(p, o);
	return steps[choice - 3](p, o);
}

/* Returns the step that failed, or the number of steps. */
static unsigned int play(struct player *p, unsigned int steps, int *err)
{
	unsigned int i;

	for (i = 0; i < steps; i++) {
		*err = play_step(p);
		if (*err)
			break;
	}
	return i;
}

static int player_init(struct player *p)
{
	int i;

	p->ch = fpga_open(p->number % 2, O_RDWR);
	if (p->ch < 0)
		return p->ch;
	p->drm = vgem_open();
	p->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < OBJECTS; i++)
		p->objects[i].fd = -1;
	return p->number > 1 ? 0 : fpga_set_raw(p->ch, FRAME, 0);
}

static long huge_pool(long pages)
{
	long before = -1;
	FILE *f;

	f = fopen(HUGE_POOL, "r+e");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &before) != 1)
		before = -1;
	rewind(f);
	if (pages >= 0)
		fprintf(f, "%ld", pages);
	fclose(f);
	return before;
}

/* Huge pages that are set aside are gone for everybody, and cost no time. */
static long hog_begin(void)
{
	long before = huge_pool(-1);
	long spare = memory_kib("MemAvailable") - SPARE_KIB;

	if (before >= 0 && spare > 0)
		huge_pool(before + spare / memory_kib("Hugepagesize"));
	return before;
}

FIXTURE(random) {
	struct totals before;
	long huge_pages;
	unsigned int seed;
	int ring[PROCESSES][2];
};

FIXTURE_SETUP(random)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	self->seed = test_seed();
	for (i = 0; i < PROCESSES; i++)
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
					0, self->ring[i]));
	self->huge_pages = hog_begin();
}

FIXTURE_TEARDOWN_PARENT(random)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F_TIMEOUT(random, sequences, 300)
{
	pid_t pids[PROCESSES];
	int i, status;

	TH_LOG("%ld MiB available", memory_kib("MemAvailable") >> 10);
	for (i = 0; i < PROCESSES; i++) {
		struct player p = {
			.seed = self->seed + i,
			.number = i,
			.in = self->ring[i][0],
			.out = self->ring[(i + 1) % PROCESSES][1],
		};
		unsigned int steps = STEPS / PROCESSES, done;
		int err = 0;

		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		ASSERT_EQ(0, player_init(&p));
		done = play(&p, steps, &err);
		EXPECT_EQ(steps, done)
			TH_LOG("process %d, step %u, %s: %s", i, done, p.step,
			       strerror(-err));
		/* With all that it has left */
		_exit(done != steps);
	}
	for (i = 0; i < PROCESSES; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	if (self->huge_pages >= 0)
		huge_pool(self->huge_pages);
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
