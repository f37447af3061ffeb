// SPDX-License-Identifier: GPL-2.0
/*
 * Free buffers: the next one of a size is had from them, and is as clean as a
 * new one; they are bounded, given back when memory runs short, and gone with
 * the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

#define DEVICE		SIM_DRIVER ".0"
#define DRIVER_DIR	"/sys/bus/platform/drivers/" SIM_DRIVER "/"
#define FREE		"/sys/kernel/debug/fpgabuf/free"
#define PARAMETERS	"/sys/module/fpgabuf_exporter/parameters/"
#define DROP_CACHES	"/proc/sys/vm/drop_caches"
#define SIZE		(256 << 10)
#define LIMIT		"33554432"
#define THREADS		4
#define ROUNDS		60

/* A line of debugfs; all 0 where there is none. */
struct count {
	long buffers;
	long bytes;
	long hits;
	long misses;
	long shrunk;
};

/* Of @kind of the device, or of all there is */
static int read_counts(const char *kind, struct count *sum)
{
	char line[256], device[64], name[32];
	struct count now;
	FILE *f;

	memset(sum, 0, sizeof(*sum));
	f = fopen(FREE, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %31s %ld %ld %ld %ld %ld", device, name,
			   &now.buffers, &now.bytes, &now.hits, &now.misses,
			   &now.shrunk) != 7)
			continue;
		if (kind && (strcmp(device, DEVICE) || strcmp(name, kind)))
			continue;
		sum->buffers += now.buffers;
		sum->bytes += now.bytes;
		sum->hits += now.hits;
		sum->misses += now.misses;
		sum->shrunk += now.shrunk;
	}
	fclose(f);
	return 0;
}

static int read_count(__u32 kind, struct count *c)
{
	return read_counts(kind_names[kind], c);
}

/* All -1 if there is nothing to read */
static struct count all_counts(void)
{
	struct count c;

	if (read_counts(NULL, &c))
		memset(&c, 0xff, sizeof(c));
	return c;
}

static int set_limit(const char *limit)
{
	return write_file(PARAMETERS "free_limit", limit);
}

/* Begin with none. */
static int start_empty(void)
{
	int ret = set_limit("0");

	return ret ? ret : set_limit(LIMIT);
}

/* Allocate a buffer, leave @value everywhere in it, release it. */
static int use_one(int ch, size_t size, __u32 kind, __u8 value)
{
	struct buffer b;
	int ret;

	ret = buffer_alloc(ch, size, kind, &b);
	if (ret)
		return ret;
	memset(b.map, value, b.size);
	buffer_free(&b);
	return 0;
}

FIXTURE(free) {
	struct totals before;
	struct count start;
	int ch;
};

FIXTURE_VARIANT(free) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(free, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(free, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(free, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(free, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(free, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(free)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, start_empty());
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, read_count(variant->kind, &self->start));
	ASSERT_EQ(0, self->start.buffers);
}

FIXTURE_TEARDOWN_PARENT(free)
{
	EXPECT_EQ(0, set_limit(LIMIT));
	EXPECT_NOTHING_LEFT(self->before);
}

/* What is free is no live buffer, and the other way round. */
TEST_F(free, second_one_is_had_from_it)
{
	struct totals live;
	struct count c;
	struct buffer b;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, variant->kind, &b));
		ASSERT_EQ(0, read_count(variant->kind, &c));
		EXPECT_EQ(0, c.buffers);
		EXPECT_EQ(0, c.bytes);
		EXPECT_EQ(self->start.hits + i, c.hits);
		EXPECT_EQ(self->start.misses + 1, c.misses);
		ASSERT_EQ(0, totals_read(&live));
		EXPECT_EQ(self->before.count[variant->kind] + 1,
			  live.count[variant->kind]);

		EXPECT_TRUE(all_bytes(b.map, 0, b.size));
		memset(b.map, 0xa5, b.size);
		buffer_free(&b);
		ASSERT_EQ(0, read_count(variant->kind, &c));
		EXPECT_EQ(1, c.buffers);
		EXPECT_EQ(SIZE, c.bytes);
		ASSERT_EQ(0, totals_read(&live));
		EXPECT_TRUE(totals_equal(&self->before, &live));
	}
}

/* A frame is the first half of it: the rest must be 0, a device's view too. */
static void capture_half(struct __test_metadata *_metadata, int ch, __u32 kind)
{
	struct fpgabuf_completion done;
	struct buffer b;
	int slot;

	ASSERT_EQ(0, fpga_set_raw(ch, SIZE / 2, 0));
	ASSERT_EQ(0, buffer_alloc(ch, SIZE, kind, &b));
	slot = fpga_register(ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(ch, slot, &done));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE / 2, &done));
	EXPECT_TRUE(all_bytes((char *)b.map + SIZE / 2, 0, SIZE / 2));
	/* For the next one to find, if it is not cleared */
	ASSERT_EQ(0, fpga_unregister(ch, slot));
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	slot = fpga_register(ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(ch, slot, &done));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE, &done));
	ASSERT_EQ(0, fpga_unregister(ch, slot));
	buffer_free(&b);
}

TEST_F(free, clean_for_the_device)
{
	struct count c;
	int i;

	for (i = 0; i < 3; i++)
		capture_half(_metadata, self->ch, variant->kind);
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(self->start.hits + 2, c.hits);
}

TEST_F(free, only_the_same_size)
{
	struct count c;

	ASSERT_EQ(0, use_one(self->ch, SIZE, variant->kind, 1));
	ASSERT_EQ(0, use_one(self->ch, SIZE / 2, variant->kind, 1));
	ASSERT_EQ(0, use_one(self->ch, SIZE * 2, variant->kind, 1));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(self->start.hits, c.hits);
	EXPECT_EQ(self->start.misses + 3, c.misses);
	EXPECT_EQ(3, c.buffers);
	EXPECT_EQ(SIZE + SIZE / 2 + SIZE * 2, c.bytes);

	/* Rounded up to pages it is the same. */
	ASSERT_EQ(0, use_one(self->ch, SIZE - 1, variant->kind, 1));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(self->start.hits + 1, c.hits);
}

TEST_F(free, only_the_same_kind)
{
	__u32 other = (variant->kind + 1) % SIZED_KINDS;
	struct count before, c;

	ASSERT_EQ(0, read_count(other, &before));
	ASSERT_EQ(0, use_one(self->ch, SIZE, variant->kind, 1));
	ASSERT_EQ(0, use_one(self->ch, SIZE, other, 1));
	ASSERT_EQ(0, read_count(other, &c));
	EXPECT_EQ(before.hits, c.hits);
	EXPECT_EQ(before.misses + 1, c.misses);
	EXPECT_EQ(1, c.buffers);
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(1, c.buffers);
	EXPECT_EQ(2, all_counts().buffers);
	EXPECT_EQ(2 * SIZE, all_counts().bytes);
}

TEST_F(free, bound)
{
	static const size_t sizes[] = { SIZE, 2 * SIZE, 4 * SIZE };
	struct buffer b[ARRAY_LEN(sizes)];
	struct count c;
	size_t i;

	ASSERT_EQ(0, set_limit("1572864"));
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		ASSERT_EQ(0, buffer_alloc(self->ch, sizes[i], variant->kind,
					  &b[i]));
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		buffer_free(&b[i]);
	/* The oldest one had to go. */
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(2, c.buffers);
	EXPECT_EQ(6 * SIZE, c.bytes);

	/* One that is larger than all of the bound drives nobody out. */
	ASSERT_EQ(0, use_one(self->ch, 7 * SIZE, variant->kind, 1));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(6 * SIZE, c.bytes);

	ASSERT_EQ(0, set_limit("1048576"));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(1, c.buffers);
	EXPECT_EQ(4 * SIZE, c.bytes);
	ASSERT_EQ(0, set_limit("0"));
	ASSERT_EQ(0, use_one(self->ch, SIZE, variant->kind, 1));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(0, c.buffers);
	EXPECT_EQ(self->start.shrunk, c.shrunk);
}

TEST_F(free, given_back_for_want_of_memory)
{
	long shrunk = all_counts().shrunk;
	struct count c;

	ASSERT_LE(0, shrunk);
	ASSERT_EQ(0, use_one(self->ch, SIZE, variant->kind, 1));
	ASSERT_EQ(0, use_one(self->ch, 2 * SIZE, variant->kind, 1));
	ASSERT_EQ(0, write_file(DROP_CACHES, "2"));
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(0, c.buffers);
	EXPECT_EQ(0, c.bytes);
	EXPECT_EQ(self->start.shrunk + 2, c.shrunk);
	EXPECT_EQ(shrunk + 2, all_counts().shrunk);
	EXPECT_EQ(0, all_counts().buffers);
}

/* What is kept must not be what an allocation lacks. */
TEST_F(free, does_not_starve_allocations)
{
	__u64 size = sysconf(_SC_PHYS_PAGES) / 2 * page_size();
	struct count c;
	int fd;

	ASSERT_EQ(0, use_one(self->ch, SIZE, variant->kind, 1));
	/* There is none in one piece, whatever is given back for it. */
	fd = fpga_alloc(self->ch, size, FPGABUF_KIND_CONTIGUOUS);
	EXPECT_EQ(-ENOMEM, fd);
	ASSERT_EQ(0, read_count(variant->kind, &c));
	EXPECT_EQ(0, c.buffers);
}

FIXTURE(all) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(all)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, start_empty());
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(all)
{
	EXPECT_EQ(0, set_limit(LIMIT));
	EXPECT_NOTHING_LEFT(self->before);
}

struct user {
	pthread_t thread;
	int ch;
	unsigned int seed;
	const char *wrong;
};

/* Each says with its own byte whose buffer it is. */
static void *use_many(void *arg)
{
	static const size_t sizes[] = { 4096, 64 << 10, SIZE };
	struct user *u = arg;
	struct buffer b;
	int i;

	for (i = 0; i < ROUNDS && !u->wrong; i++) {
		if (i % 8 == 7 && write_file(DROP_CACHES, "2"))
			u->wrong = "drop_caches";
		if (buffer_alloc(u->ch, sizes[rand_r(&u->seed) % 3],
				 rand_r(&u->seed) % SIZED_KINDS, &b)) {
			u->wrong = "cannot allocate";
			break;
		}
		if (!all_bytes(b.map, 0, b.size))
			u->wrong = "not zeroed";
		memset(b.map, u->seed, b.size);
		sched_yield();
		if (!all_bytes(b.map, u->seed, b.size))
			u->wrong = "somebody else has it";
		buffer_free(&b);
	}
	return NULL;
}

TEST_F(all, threads)
{
	long hits = all_counts().hits;
	struct user users[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		users[i] = (struct user){
			.ch = self->ch,
			.seed = test_seed() + i,
		};
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, use_many,
					    &users[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(users[i].thread, NULL));
		EXPECT_EQ(NULL, users[i].wrong)
			TH_LOG("%s", users[i].wrong);
	}
	EXPECT_LT(hits, all_counts().hits);
}

/* One of each kind, and nothing that is live */
static void fill(struct __test_metadata *_metadata, int ch)
{
	__u32 kind;

	for (kind = 0; kind < SIZED_KINDS; kind++)
		ASSERT_EQ(0, use_one(ch, SIZE, kind, 1));
	ASSERT_EQ(SIZED_KINDS, all_counts().buffers);
}

/* Unbound, and bound again: what is released in between is not kept. */
TEST_F(all, unbind)
{
	struct buffer live;
	struct count c;

	fill(_metadata, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, 2 * SIZE, FPGABUF_KIND_SYSTEM,
				  &live));
	close(self->ch);
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(0, all_counts().buffers);
	EXPECT_EQ(0, all_counts().bytes);
	buffer_free(&live);
	EXPECT_EQ(0, all_counts().buffers);
	ASSERT_EQ(0, driver_write("bind"));

	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, read_count(FPGABUF_KIND_SYSTEM, &c));
	EXPECT_EQ(0, c.hits + c.misses);
	ASSERT_EQ(0, use_one(self->ch, SIZE, FPGABUF_KIND_SYSTEM, 1));
	EXPECT_EQ(1, all_counts().buffers);
}

/* A buffer of an earlier binding is none of the later one. */
TEST_F(all, bound_again)
{
	struct buffer old;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM, &old));
	close(self->ch);
	ASSERT_EQ(0, driver_write("unbind"));
	ASSERT_EQ(0, driver_write("bind"));
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, use_one(self->ch, 2 * SIZE, FPGABUF_KIND_SYSTEM, 1));
	buffer_free(&old);
	EXPECT_EQ(1, all_counts().buffers);
	EXPECT_EQ(2 * SIZE, all_counts().bytes);
}

/* Free buffers are no use of the driver's module. */
TEST_F(all, driver_removed)
{
	const char *const argv[] = { "modprobe", SIM_DRIVER, NULL };

	fill(_metadata, self->ch);
	close(self->ch);
	ASSERT_EQ(0, syscall(SYS_delete_module, SIM_DRIVER, O_NONBLOCK));
	EXPECT_EQ(0, all_counts().buffers);
	ASSERT_EQ(0, run_program(argv));
	EXPECT_STREQ("ok", channel_usable());
}

static int cgroup_file(const char *top, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return write_file(path, text);
}

/* Returns NULL; or why there are no groups with a memory controller at @top. */
static const char *mount_groups(char *top)
{
	if (!mkdtemp(top))
		return "no folder to mount them at";
	if (mount("cgroup2", top, "cgroup2", 0, NULL)) {
		rmdir(top);
		return "no cgroup2 in this kernel";
	}
	if (!cgroup_file(top, "cgroup.subtree_control", "+memory"))
		return NULL;
	umount(top);
	rmdir(top);
	return "no memory controller in this kernel's cgroup2";
}

/* Memory stays charged to who allocated it, and nobody else gets it. */
static void use_in_groups(struct __test_metadata *_metadata, int ch,
			  const char *top)
{
	struct count start, c;

	ASSERT_EQ(0, cgroup_file(top, "a/cgroup.procs", "0"));
	ASSERT_EQ(0, use_one(ch, SIZE, FPGABUF_KIND_SYSTEM, 1));
	ASSERT_EQ(0, read_count(FPGABUF_KIND_SYSTEM, &start));
	ASSERT_EQ(1, start.buffers);

	ASSERT_EQ(0, cgroup_file(top, "b/cgroup.procs", "0"));
	ASSERT_EQ(0, use_one(ch, SIZE, FPGABUF_KIND_SYSTEM, 1));
	ASSERT_EQ(0, read_count(FPGABUF_KIND_SYSTEM, &c));
	EXPECT_EQ(start.hits, c.hits);
	EXPECT_EQ(2, c.buffers);

	ASSERT_EQ(0, cgroup_file(top, "a/cgroup.procs", "0"));
	ASSERT_EQ(0, use_one(ch, SIZE, FPGABUF_KIND_SYSTEM, 1));
	ASSERT_EQ(0, read_count(FPGABUF_KIND_SYSTEM, &c));
	EXPECT_EQ(start.hits + 1, c.hits);
	EXPECT_EQ(2, c.buffers);
}

TEST_F(all, memory_cgroups)
{
	char top[] = "/tmp/cgroup-XXXXXX";
	const char *reason;
	char path[64];

	reason = mount_groups(top);
	if (reason)
		SKIP(return, "%s", reason);
	snprintf(path, sizeof(path), "%s/a", top);
	ASSERT_EQ(0, mkdir(path, 0755));
	snprintf(path, sizeof(path), "%s/b", top);
	ASSERT_EQ(0, mkdir(path, 0755));

	use_in_groups(_metadata, self->ch, top);

	EXPECT_EQ(0, cgroup_file(top, "cgroup.procs", "0"));
	EXPECT_EQ(0, set_limit("0"));
	EXPECT_EQ(0, rmdir(path));
	snprintf(path, sizeof(path), "%s/a", top);
	EXPECT_EQ(0, rmdir(path));
	EXPECT_EQ(0, umount(top));
	EXPECT_EQ(0, rmdir(top));
}

#define GROUP_MAX	"50331648"
#define GROUP_FRAME	(24 << 20)
#define GROUP_MORE	(36 << 20)

/* In a process of its own, which is killed if there is no memory left for it. */
static void touch_more(void)
{
	char *more = mmap(NULL, GROUP_MORE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (more == MAP_FAILED)
		_exit(1);
	for (i = 0; i < GROUP_MORE; i += 4096)
		more[i] = 1;
	_exit(0);
}

static void use_in_limited_group(struct __test_metadata *_metadata, int ch,
				 const char *top)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, cgroup_file(top, "a/memory.max", GROUP_MAX));
	ASSERT_EQ(0, cgroup_file(top, "a/cgroup.procs", "0"));
	ASSERT_EQ(0, use_one(ch, GROUP_FRAME, FPGABUF_KIND_SYSTEM, 1));
	EXPECT_EQ(0, all_counts().buffers);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		touch_more();
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The limit of a group above counts as well. */
	ASSERT_EQ(0, cgroup_file(top, "cgroup.procs", "0"));
	ASSERT_EQ(0, cgroup_file(top, "a/cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, cgroup_file(top, "a/b/cgroup.procs", "0"));
	ASSERT_EQ(0, use_one(ch, SIZE, FPGABUF_KIND_SYSTEM, 1));
	EXPECT_EQ(0, all_counts().buffers);
}

/* What is kept would get a process killed that has a limit. */
TEST_F(all, limited_memory_cgroup)
{
	char top[] = "/tmp/cgroup-XXXXXX";
	const char *reason;
	char path[64];

	reason = mount_groups(top);
	if (reason)
		SKIP(return, "%s", reason);
	snprintf(path, sizeof(path), "%s/a", top);
	ASSERT_EQ(0, mkdir(path, 0755));
	snprintf(path, sizeof(path), "%s/a/b", top);
	ASSERT_EQ(0, mkdir(path, 0755));

	use_in_limited_group(_metadata, self->ch, top);

	EXPECT_EQ(0, cgroup_file(top, "cgroup.procs", "0"));
	EXPECT_EQ(0, rmdir(path));
	snprintf(path, sizeof(path), "%s/a", top);
	EXPECT_EQ(0, rmdir(path));
	EXPECT_EQ(0, umount(top));
	EXPECT_EQ(0, rmdir(top));
}

TEST_HARNESS_MAIN
