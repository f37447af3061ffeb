// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that know no rules: random requests with random arguments on all
 * channels and on an importing device, from several processes that are killed at
 * random while others unbind the device. Nothing may crash, hang, or be left.
 * FPGABUF_CALLS=N makes that many calls in all, FPGABUF_SEED=N the same ones
 * again. Most arguments are right, so that calls get as far as the code behind the
 * checks, and of each kind of call a share must succeed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
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
#define CALLS		12000
#define REBINDS		10
/* Files of a sort that a process has at most */
#define FILES		8
/* Of a thousand calls so many must succeed; and where devices are gone. */
#define FLOOR		120
#define FLOOR_GONE	20

#define TIMEOUT_AT	offsetof(struct fpgabuf_exchange, timeout)
_Static_assert(offsetof(struct fpgabuf_import_exchange, timeout) == TIMEOUT_AT,
	       "both exchanges have their timeout at the same place");

/* The sorts of files that requests are for */
enum kind { CHANNEL, IMPORTER, BUFFER, FENCE, NUM_SORTS };

/**
 * struct vandal - one of the processes
 * @seed: of its random numbers
 * @files: what it has of each sort, -1: none
 * @slots: how many slots a channel or an importing device had at most
 * @page: memory that its arguments point to
 */
struct vandal {
	unsigned int seed;
	int files[NUM_SORTS][FILES];
	unsigned int slots[NUM_SORTS][FILES];
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

/* Mostly @right */
static __u64 draw_wrong(struct vandal *v, __u64 right)
{
	return draw(v, 32) ? right : draw_number(v);
}

/* The place of a file of that sort; of an empty one if there is none. */
static unsigned int draw_place(struct vandal *v, enum kind sort)
{
	unsigned int first = draw(v, FILES), i;

	for (i = 0; i < FILES; i++)
		if (v->files[sort][(first + i) % FILES] >= 0)
			return (first + i) % FILES;
	return first;
}

/* Mostly one that has slots, which only one file of a node may have. */
static unsigned int draw_owner(struct vandal *v, enum kind sort)
{
	unsigned int place = draw_place(v, sort), i;

	for (i = 0; i < FILES && draw(v, 8); i++, place = (place + 1) % FILES)
		if (v->files[sort][place] >= 0 && v->slots[sort][place])
			return place;
	return draw_place(v, sort);
}

/* A file of that sort, or now and then of another, or a number. */
static int draw_fd(struct vandal *v, enum kind sort)
{
	if (!draw(v, 24))
		sort = draw(v, NUM_SORTS);
	return draw_wrong(v, v->files[sort][draw_place(v, sort)]);
}

/* A slot that there is, of the channel or importing device at that place */
static unsigned int draw_slot(struct vandal *v, enum kind sort,
			      unsigned int place)
{
	return draw_wrong(v, draw(v, v->slots[sort][place] ?: 1));
}

static void note_slot(struct vandal *v, enum kind sort, unsigned int place,
		      int slot)
{
	if (slot >= (int)v->slots[sort][place])
		v->slots[sort][place] = slot + 1;
}

static int keep_fd(struct vandal *v, enum kind sort, int fd)
{
	unsigned int place = draw(v, FILES);

	if (fd < 0)
		return fd;
	if (v->files[sort][place] >= 0)
		close(v->files[sort][place]);
	v->files[sort][place] = fd;
	v->slots[sort][place] = 0;
	return 0;
}

/* The argument as it is, or damaged: a word of it, its size, its address. */
static int request(struct vandal *v, int fd, unsigned long cmd, void *arg)
{
	const size_t size = _IOC_SIZE(cmd);
	/* Room for any size */
	__u32 words[4096 / sizeof(__u32)] = { 0 };
	int ret;

	memcpy(words, arg, size);
	if (size && !draw(v, 24))
		words[draw(v, size / sizeof(*words))] = draw_number(v);
	/* A wait for ever is allowed to the kernel, but not to the test. */
	if (cmd == FPGABUF_IOC_EXCHANGE ||
	    cmd == FPGABUF_IMPORT_IOC_EXCHANGE)
		memcpy((char *)words + TIMEOUT_AT, (char *)arg + TIMEOUT_AT,
		       sizeof(__s64));
	if (!draw(v, 48))
		cmd = _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd),
			   draw(v, 256));
	ret = fpga_ioctl(fd, cmd, draw(v, 64) ? words : no_access_page());
	memcpy(arg, words, size);
	return ret;
}

static int drop_fd(struct vandal *v, enum kind sort, unsigned int place)
{
	int fd = v->files[sort][place];

	v->files[sort][place] = -1;
	v->slots[sort][place] = 0;
	return close(fd) ? -errno : 0;
}

/*
 * The same, of a channel or an importing device. One that is gone, or that
 * somebody else has, is given up sooner or later.
 */
static int request_at(struct vandal *v, enum kind sort, unsigned int place,
		      unsigned long cmd, void *arg)
{
	int fd = draw_wrong(v, v->files[sort][place]);
	int ret = request(v, fd, cmd, arg);

	if ((ret == -ENODEV || ret == -EBUSY) && !draw(v, 4))
		drop_fd(v, sort, place);
	return ret;
}

/*
 * The number of a node that there is now, -1: none.
 */
static int draw_node(struct vandal *v, const char *prefix)
{
	const size_t len = strlen(prefix);
	DIR *dir = opendir("/dev");
	struct dirent *entry;
	unsigned int seen = 0;
	int number = -1;

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, prefix, len) &&
		    isdigit(entry->d_name[len]) && !draw(v, ++seen))
			number = atoi(entry->d_name + len);
	if (dir)
		closedir(dir);
	return number;
}

static int call_open(struct vandal *v)
{
	int number = draw_node(v, "fpgabuf");
	int ch = fpga_open(number, O_RDWR | (draw(v, 2) ? O_NONBLOCK : 0));

	if (ch < 0)
		return ch;
	fpga_set_raw(ch, draw(v, 8) ? 4096 : draw_number(v),
		     draw(v, 2) ? 0 : 1000);
	return keep_fd(v, CHANNEL, ch);
}

/* One file at a time, so that it is busy more often than not. */
static int call_open_importer(struct vandal *v)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/fpgabuf_import%d",
		 draw_node(v, "fpgabuf_import"));
	fd = open(path, O_RDWR | O_CLOEXEC | (draw(v, 2) ? O_NONBLOCK : 0));
	return fd < 0 ? -errno : keep_fd(v, IMPORTER, fd);
}

static int call_close(struct vandal *v)
{
	enum kind sort = draw(v, NUM_SORTS);

	return drop_fd(v, sort, draw_place(v, sort));
}

static int call_info(struct vandal *v)
{
	struct fpgabuf_info info = { 0 };

	return request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_INFO, &info);
}

static int call_enum_format(struct vandal *v)
{
	struct fpgabuf_format_desc desc = { .index = draw(v, 6) };

	return request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_ENUM_FORMAT, &desc);
}

/* As it is now, or a raw one; often tried only. */
static int call_format(struct vandal *v)
{
	int ch = draw_fd(v, CHANNEL), ret;
	struct fpgabuf_format format = { 0 };

	ret = request(v, ch, FPGABUF_IOC_GET_FORMAT, &format);
	if (ret)
		return ret;
	if (draw(v, 2))
		format = (struct fpgabuf_format){
			.type = FPGABUF_FORMAT_RAW,
			.size = 64 * (1 + draw(v, 64)),
			.rate = { draw(v, 2) * 1000, 1 },
		};
	format.flags = draw(v, 4) ? FPGABUF_FORMAT_TRY : 0;
	return request(v, ch, FPGABUF_IOC_SET_FORMAT, &format);
}

static int call_alloc(struct vandal *v)
{
	struct fpgabuf_alloc alloc = {
		.size = 4096 + draw(v, 60 << 10),
		.kind = draw(v, KIND_COUNT),
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_ALLOC, &alloc);

	return ret < 0 ? ret : keep_fd(v, BUFFER, alloc.fd);
}

static int call_alloc_user(struct vandal *v)
{
	struct fpgabuf_alloc_user alloc = {
		.address = (uintptr_t)v->page + draw(v, 2) * 64,
		.length = 4096 + draw(v, 2) * 64,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_ALLOC_USER,
			  &alloc);

	return ret < 0 ? ret : keep_fd(v, BUFFER, alloc.fd);
}

static int call_alloc_pool(struct vandal *v)
{
	struct fpgabuf_alloc_pool alloc = {
		.block_size = 1 + draw(v, 512),
		.num_blocks = 1 + draw(v, 64),
		.alignment = draw(v, 2) * 64,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret = request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_ALLOC_POOL,
			  &alloc);

	return ret < 0 ? ret : keep_fd(v, BUFFER, alloc.fd);
}

static int call_register(struct vandal *v)
{
	unsigned int place = draw_place(v, CHANNEL);
	struct fpgabuf_register arg = {
		.fd = draw_fd(v, BUFFER),
		.offset = draw(v, 3) ? 0 : draw(v, 3) * 4096,
	};
	int ret = request_at(v, CHANNEL, place, FPGABUF_IOC_REGISTER, &arg);

	if (!ret)
		note_slot(v, CHANNEL, place, arg.slot);
	return ret;
}

static int call_unregister(struct vandal *v)
{
	unsigned int place = draw_owner(v, CHANNEL);
	struct fpgabuf_unregister arg = {
		.slot = draw_slot(v, CHANNEL, place),
	};

	return request_at(v, CHANNEL, place, FPGABUF_IOC_UNREGISTER, &arg);
}

static int call_inspect(struct vandal *v)
{
	struct fpgabuf_inspect arg = {
		.fd = draw_fd(v, BUFFER),
		.names = (uintptr_t)v->page,
		.names_size = draw(v, 2) * 256,
	};

	return request(v, draw_fd(v, CHANNEL), FPGABUF_IOC_INSPECT, &arg);
}

static int call_start(struct vandal *v)
{
	struct fpgabuf_start arg = { .timeout_ms = 1 + draw(v, 100) };

	return request_at(v, CHANNEL, draw_owner(v, CHANNEL), FPGABUF_IOC_START,
			  &arg);
}

static int call_stop(struct vandal *v)
{
	char none = 0;

	return request_at(v, CHANNEL, draw_owner(v, CHANNEL), FPGABUF_IOC_STOP,
			  &none);
}

/* Most of them have one fence at most. */
static __u32 draw_queue_flags(struct vandal *v)
{
	return draw_wrong(v, draw(v, 2) ? 0 : draw(v, 8));
}

static int call_exchange(struct vandal *v)
{
	unsigned int place = draw_owner(v, CHANNEL), i;
	struct fpgabuf_queue_entry *entries = v->page;
	struct fpgabuf_fences *fences = v->page + 2048;
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)entries,
		.done = (uintptr_t)v->page + 4096,
		.queue_count = draw(v, 2) ? draw(v, 2) : draw(v, 5),
		.done_count = draw(v, 5),
		.timeout = draw(v, 2) * MSEC,
		.fences = draw_wrong(v, (uintptr_t)fences),
	};
	int ret;

	exchange.min_done = draw(v, exchange.done_count + 1);
	for (i = 0; i < exchange.queue_count; i++) {
		entries[i] = (struct fpgabuf_queue_entry){
			.slot = draw_slot(v, CHANNEL, place),
			.flags = draw_queue_flags(v),
			.bytes = draw_wrong(v, 0),
		};
		fences[i] = (struct fpgabuf_fences){ draw_fd(v, FENCE), -1 };
	}
	ret = request_at(v, CHANNEL, place, FPGABUF_IOC_EXCHANGE, &exchange);
	for (i = 0; !ret && i < exchange.queue_count; i++)
		if (entries[i].flags & FPGABUF_QUEUE_OUT_FENCE)
			keep_fd(v, FENCE, fences[i].out);
	return ret;
}

static int call_import_info(struct vandal *v)
{
	struct fpgabuf_import_info info = { 0 };

	return request(v, draw_fd(v, IMPORTER), FPGABUF_IMPORT_IOC_INFO, &info);
}

static int call_attach(struct vandal *v)
{
	unsigned int place = draw_place(v, IMPORTER);
	struct fpgabuf_import_attach arg = {
		.fd = draw_fd(v, BUFFER),
		.flags = draw(v, 4),
		.access = draw(v, 2) ? IMPORT_BOTH : 1 + draw(v, 3),
	};
	int ret = request_at(v, IMPORTER, place, FPGABUF_IMPORT_IOC_ATTACH,
			     &arg);

	if (!ret)
		note_slot(v, IMPORTER, place, arg.slot);
	return ret;
}

static int call_detach(struct vandal *v)
{
	unsigned int place = draw_owner(v, IMPORTER);
	struct fpgabuf_import_detach arg = {
		.slot = draw_slot(v, IMPORTER, place),
	};

	return request_at(v, IMPORTER, place, FPGABUF_IMPORT_IOC_DETACH, &arg);
}

static int call_segments(struct vandal *v)
{
	unsigned int place = draw_owner(v, IMPORTER);
	struct fpgabuf_import_segments arg = {
		.segments = (uintptr_t)v->page,
		.slot = draw_slot(v, IMPORTER, place),
		.count = draw(v, 64),
	};

	return request_at(v, IMPORTER, place, FPGABUF_IMPORT_IOC_SEGMENTS,
			  &arg);
}

static int call_copy(struct vandal *v)
{
	unsigned int place = draw_owner(v, IMPORTER), i;
	struct fpgabuf_import_copy *copies = v->page;
	struct fpgabuf_import_exchange exchange = {
		.copies = (uintptr_t)copies,
		.done = (uintptr_t)v->page + 4096,
		.copy_count = draw(v, 2) ? draw(v, 2) : draw(v, 5),
		.done_count = draw(v, 5),
		.timeout = draw(v, 2) * MSEC,
	};
	int ret;

	exchange.min_done = draw(v, exchange.done_count + 1);
	for (i = 0; i < exchange.copy_count; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.src_offset = draw(v, 2048),
			.dst_offset = draw(v, 2048),
			.length = draw_wrong(v, 1 + draw(v, 2048)),
			.src = draw_slot(v, IMPORTER, place),
			.dst = draw_slot(v, IMPORTER, place),
			.flags = draw_queue_flags(v),
			.in_fence = draw_fd(v, FENCE),
		};
	ret = request_at(v, IMPORTER, place, FPGABUF_IMPORT_IOC_EXCHANGE,
			 &exchange);
	for (i = 0; !ret && i < exchange.copy_count; i++)
		if (copies[i].flags & FPGABUF_QUEUE_OUT_FENCE)
			keep_fd(v, FENCE, copies[i].out_fence);
	return ret;
}

static int call_sync(struct vandal *v)
{
	struct dma_buf_sync arg = {
		.flags = (1 + draw(v, 3)) | (draw(v, 2) ? DMA_BUF_SYNC_END : 0),
	};

	return request(v, draw_fd(v, BUFFER), DMA_BUF_IOCTL_SYNC, &arg);
}

static int call_export_fence(struct vandal *v)
{
	struct dma_buf_export_sync_file arg = { .flags = 1 + draw(v, 3) };
	int ret = request(v, draw_fd(v, BUFFER), DMA_BUF_IOCTL_EXPORT_SYNC_FILE,
			  &arg);

	return ret < 0 ? ret : keep_fd(v, FENCE, arg.fd);
}

static int call_import_fence(struct vandal *v)
{
	struct dma_buf_import_sync_file arg = {
		.flags = 1 + draw(v, 3),
		.fd = draw_fd(v, FENCE),
	};

	return request(v, draw_fd(v, BUFFER), DMA_BUF_IOCTL_IMPORT_SYNC_FILE,
		       &arg);
}

/**
 * struct call - a kind of call
 * @name: of it
 * @make: makes one; negative errno, or it succeeded
 * @weight: how often it is made
 * @floor: of a thousand of them so many must succeed
 */
struct call {
	const char *name;
	int (*make)(struct vandal *v);
	unsigned int weight;
	unsigned int floor;
};

static const struct call calls[] = {
	{ "open", call_open, 3, 300 },
	{ "open importer", call_open_importer, 3, 3 },
	{ "close", call_close, 1, 200 },
	{ "info", call_info, 1, 150 },
	{ "enum_format", call_enum_format, 1, 150 },
	{ "format", call_format, 2, 150 },
	{ "alloc", call_alloc, 4, 120 },
	{ "alloc_user", call_alloc_user, 2, 150 },
	{ "alloc_pool", call_alloc_pool, 2, 150 },
	{ "register", call_register, 8, 40 },
	{ "unregister", call_unregister, 3, 40 },
	{ "inspect", call_inspect, 2, 150 },
	{ "start", call_start, 4, 50 },
	{ "stop", call_stop, 2, 100 },
	{ "exchange", call_exchange, 12, 20 },
	{ "import info", call_import_info, 1, 30 },
	{ "attach", call_attach, 6, 20 },
	{ "detach", call_detach, 3, 20 },
	{ "segments", call_segments, 2, 20 },
	{ "copy", call_copy, 8, 8 },
	{ "sync", call_sync, 2, 200 },
	{ "export fence", call_export_fence, 2, 200 },
	{ "import fence", call_import_fence, 2, 200 },
};

#define NUM_CALLS	ARRAY_LEN(calls)

/* How many were made, and how many succeeded: of all processes. */
struct tally {
	atomic_uint made[NUM_CALLS];
	atomic_uint good[NUM_CALLS];
};

static unsigned int draw_call(struct vandal *v)
{
	unsigned int all = 0, i;

	for (i = 0; i < NUM_CALLS; i++)
		all += calls[i].weight;
	all = draw(v, all);
	for (i = 0; all >= calls[i].weight; i++)
		all -= calls[i].weight;
	return i;
}

static void vandalise(unsigned int seed, unsigned int count,
		      struct tally *tally)
{
	struct vandal v = { .seed = seed };
	unsigned int i, call;

	memset(v.files, -1, sizeof(v.files));
	v.page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < count; i++) {
		call = draw_call(&v);
		tally->made[call]++;
		if (calls[call].make(&v) >= 0)
			tally->good[call]++;
	}
	_exit(0);
}

FIXTURE(abuse) {
	struct totals before;
	unsigned int seed, calls;
	struct tally *tally;
};

FIXTURE_SETUP(abuse)
{
	REQUIRE_CHANNEL(self->before);
	self->seed = test_seed();
	self->calls = env_number("FPGABUF_CALLS", CALLS);
	self->tally = mmap(NULL, sizeof(*self->tally), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->tally);
}

FIXTURE_TEARDOWN_PARENT(abuse)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static pid_t spawn(const FIXTURE_DATA(abuse) *self, unsigned int number,
		   unsigned int calls)
{
	pid_t pid = fork();

	if (!pid)
		vandalise(self->seed + number, calls, self->tally);
	return pid;
}

static void spawn_all(struct __test_metadata *_metadata,
		      const FIXTURE_DATA(abuse) *self, pid_t *pids,
		      unsigned int calls)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		pids[i] = spawn(self, i, calls);
		ASSERT_LT(0, pids[i]);
	}
}

/* It was alive until then: no other signal ended it. */
static void expect_killed(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
}

/* What is counted when frames move */
static atomic_uint *exchanges(struct tally *tally)
{
	unsigned int i;

	for (i = 0; calls[i].make != call_exchange; i++)
		;
	return &tally->good[i];
}

static unsigned int permille(unsigned int good, unsigned int made)
{
	return made ? good * 1000ULL / made : 0;
}

/* Random calls that all fail try nothing. */
static void expect_success(struct __test_metadata *_metadata,
			   const struct tally *tally, unsigned int floor)
{
	unsigned int made = 0, good = 0, i;

	for (i = 0; i < NUM_CALLS; i++) {
		made += tally->made[i];
		good += tally->good[i];
	}
	TH_LOG("%u of %u calls succeeded", good, made);
	EXPECT_LE(floor, permille(good, made));
}

/* A share of every kind of call, if there were enough of it to judge */
static void expect_each(struct __test_metadata *_metadata,
			const struct tally *tally)
{
	unsigned int made, good, i;

	for (i = 0; i < NUM_CALLS; i++) {
		made = tally->made[i];
		good = tally->good[i];
		if (made < 100)
			continue;
		EXPECT_LE(calls[i].floor, permille(good, made)) {
			TH_LOG("%s: %u of %u succeeded", calls[i].name, good,
			       made);
		}
	}
}

TEST_F_TIMEOUT(abuse, random_calls, 1200)
{
	pid_t pids[PROCESSES];
	unsigned int i;
	int status;

	spawn_all(_metadata, self, pids, self->calls / PROCESSES);
	for (i = 0; i < PROCESSES; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	expect_success(_metadata, self->tally, FLOOR);
	expect_each(_metadata, self->tally);
}

/* As soon as one is killed there is another. */
TEST_F_TIMEOUT(abuse, killed_at_random, 1200)
{
	unsigned int seed = self->seed;
	unsigned int kills = self->calls / 400;
	pid_t pids[PROCESSES];
	unsigned int i;

	spawn_all(_metadata, self, pids, ~0U);
	for (i = 0; i < kills; i++) {
		pid_t *pid = &pids[rand_r(&seed) % PROCESSES];

		pass_time((1 + rand_r(&seed) % 20) * MSEC);
		expect_killed(_metadata, *pid);
		*pid = spawn(self, PROCESSES + i, ~0U);
		ASSERT_LT(0, *pid);
	}
	for (i = 0; i < PROCESSES; i++)
		expect_killed(_metadata, pids[i]);
	expect_success(_metadata, self->tally, FLOOR);
}

TEST_F_TIMEOUT(abuse, unbound_at_random, 1200)
{
	unsigned int rebinds = env_number("FPGABUF_REBINDS", REBINDS);
	unsigned int seed = self->seed;
	pid_t pids[PROCESSES];
	unsigned int i;

	spawn_all(_metadata, self, pids, ~0U);
	/* When somebody has found the nodes of a binding it may end. */
	for (i = 0; i < rebinds && counts_on(exchanges(self->tally)); i++) {
		pass_time((1 + rand_r(&seed) % 20) * MSEC);
		EXPECT_EQ(0, driver_write("unbind"));
		EXPECT_EQ(0, driver_write("bind"));
	}
	EXPECT_EQ(rebinds, i);
	for (i = 0; i < PROCESSES; i++)
		expect_killed(_metadata, pids[i]);
	expect_success(_metadata, self->tally, FLOOR_GONE);
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
