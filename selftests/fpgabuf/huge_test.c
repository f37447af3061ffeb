// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that are filled when they are touched: by huge entries where memory
 * and address allow it, with one fault for a huge page of memory in any case,
 * and never with references to the pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

/* As libfpgabuf has it */
#define HUGE		((size_t)2 << 20)
#define ROUNDS		20
/* So many mappings tell their page tables from what is above those. */
#define MAPPINGS	4

FIXTURE(huge) {
	struct totals before;
	int ch;
	struct buffer b;
	size_t page;
	size_t chunks;
	long free_blocks;
};

FIXTURE_VARIANT(huge) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(huge, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(huge, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(huge, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(huge, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(huge, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

/*
 * Map @len bytes from @offset on, as libfpgabuf does it: on an address that is
 * @shift bytes past one that huge pages need.
 */
static char *map_at(int fd, size_t offset, size_t len, size_t shift, int prot)
{
	size_t reserved = shift + len + 2 * HUGE;
	char *base = mmap(NULL, reserved, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *addr;

	if (base == MAP_FAILED)
		return NULL;
	addr = base + (-(uintptr_t)base & (HUGE - 1)) + shift;
	munmap(base, addr - base);
	munmap(addr + len, base + reserved - (addr + len));
	addr = mmap(addr, len, prot, MAP_SHARED | MAP_FIXED, fd, offset);
	return addr == MAP_FAILED ? NULL : addr;
}

/*
 * 8 MiB, if there is that: the buddy allocator has 4 MiB in one piece, with
 * 4 KiB pages, and the simulated FPGA takes segments of 2 MiB.
 */
static int alloc_large(int ch, __u32 kind)
{
	size_t size;
	int fd;

	for (size = 4 * HUGE; size >= HUGE; size /= 2) {
		fd = fpga_alloc(ch, size, kind);
		if (fd != -ENOMEM && fd != -EFBIG)
			break;
	}
	return fd;
}

/* The first number of the first line that begins with @name, or -1. */
static long number_in(const char *path, const char *name)
{
	char line[256];
	long number = -1;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), "%ld", &number);
	fclose(f);
	return number;
}

/* Free memory in blocks of huge pages: orders 9 and 10, with 4 KiB pages. */
static long free_blocks(void)
{
	long n[11], sum = 0;
	char line[256];
	FILE *f;

	f = fopen("/proc/buddyinfo", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Node %*d, zone %*s %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld",
			   &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6],
			   &n[7], &n[8], &n[9], &n[10]) == 11)
			sum += n[9] + 2 * n[10];
	fclose(f);
	return sum;
}

/* Each page says which one it is. */
static void number_pages(char *map, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += page_size())
		*(size_t *)(map + i) = i;
}

static bool shows_pages(const char *map, size_t len, size_t offset)
{
	size_t i;

	for (i = 0; i < len; i += page_size())
		if (*(size_t *)(map + i) != offset + i)
			return false;
	return true;
}

FIXTURE_SETUP(huge)
{
	REQUIRE_CHANNEL(self->before);
	self->page = page_size();
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->free_blocks = free_blocks();
	self->b.fd = alloc_large(self->ch, variant->kind);
	if (self->b.fd == -ENOMEM)
		SKIP(return, "no memory of 2 MiB in one piece is left");
	ASSERT_LE(0, self->b.fd);
	self->b.size = dmabuf_size(self->b.fd);
	self->chunks = self->b.size / HUGE;
	self->b.map = map_at(self->b.fd, 0, self->b.size, 0,
			     PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, self->b.map);
}

FIXTURE_TEARDOWN_PARENT(huge)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static long faults_so_far(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Faults that it takes to read every page, or to write to it. */
static long faults_of(volatile char *map, size_t len, bool write)
{
	long before = faults_so_far();
	size_t i;

	for (i = 0; i < len; i += page_size()) {
		if (write)
			map[i] = 1;
		else
			(void)map[i];
	}
	return faults_so_far() - before;
}

/* One for each page table's worth, whatever the memory is made of. */
TEST_F(huge, one_fault_for_many_pages)
{
	char *map;

	EXPECT_EQ((long)self->chunks, faults_of(self->b.map, self->b.size,
						true));
	EXPECT_EQ(0, faults_of(self->b.map, self->b.size, true));

	/* Read first: to write then is no fault, either. */
	map = map_at(self->b.fd, 0, self->b.size, 0, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, map);
	EXPECT_EQ((long)self->chunks, faults_of(map, self->b.size, false));
	EXPECT_EQ(0, faults_of(map, self->b.size, true));

	/* No huge page fits this address. */
	map = map_at(self->b.fd, 0, self->b.size, self->page,
		     PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, map);
	EXPECT_EQ((long)self->chunks + 1, faults_of(map, self->b.size, true));
}

/* Only what is asked for: not all of the mapping at the first touch. */
TEST_F(huge, filled_when_touched)
{
	char *map = self->b.map;

	EXPECT_EQ(1, faults_of(map + self->b.size - self->page, self->page,
			       false));
	EXPECT_EQ(0, faults_of(map + self->b.size - HUGE, HUGE, true));
	EXPECT_EQ((long)self->chunks - 1,
		  faults_of(map, self->b.size, true));
}

/* Why there can be no huge entries, or NULL. */
static const char *no_huge_entries(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) ||
	    sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return "uname() failed";
	if (major < 6 || (major == 6 && minor < 12))
		return "before 6.12 there are no huge PFN mappings";
	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		return "this kernel has no transparent huge pages";
	return NULL;
}

/* Why that memory may not be in blocks that huge entries fit, or NULL. */
static const char *no_huge_memory(__u32 kind, long blocks)
{
	if (kind == FPGABUF_KIND_COHERENT || kind == FPGABUF_KIND_WRITECOMBINE)
		return "the DMA API has made page tables for it";
	if (kind == FPGABUF_KIND_SYSTEM)
		return blocks < 16 ? "there are few free blocks of 2 MiB" : NULL;
	return number_in("/proc/meminfo", "CmaTotal:") > 0 ?
		"what a CMA area gives is aligned to 1 MiB only" : NULL;
}

/* A huge entry needs no page table. */
TEST_F(huge, huge_where_memory_is)
{
	const char *missing = no_huge_entries();
	long before, grown;
	char *map;
	int i;

	if (!missing)
		missing = no_huge_memory(variant->kind, self->free_blocks);
	if (missing)
		SKIP(return, "%s", missing);

	before = number_in("/proc/self/status", "VmPTE:");
	ASSERT_LT(0, before);
	for (i = 0; i < MAPPINGS; i++) {
		map = map_at(self->b.fd, 0, self->b.size, 0,
			     PROT_READ | PROT_WRITE);
		ASSERT_NE(NULL, map);
		EXPECT_EQ((long)self->chunks,
			  faults_of(map, self->b.size, true));
	}
	grown = number_in("/proc/self/status", "VmPTE:") - before;
	/* Two may be for what is above them. */
	EXPECT_LE(grown, 2 * (long)self->page / 1024) {
		TH_LOG("%ld KiB of page tables for %zu huge pages", grown,
		       MAPPINGS * self->chunks);
	}
}

/* Every part shows its own, on addresses that fit huge pages and others. */
TEST_F(huge, parts)
{
	const size_t starts[] = {
		0, self->page, HUGE - self->page, HUGE, HUGE + self->page,
		HUGE / 2,
	};
	size_t i, j, len;
	char *map;

	number_pages(self->b.map, self->b.size);
	for (i = 0; i < ARRAY_LEN(starts); i++) {
		for (j = 0; j < ARRAY_LEN(starts); j++) {
			if (starts[i] + starts[j] >= self->b.size)
				continue;
			len = self->b.size - starts[i] - starts[j];
			map = map_at(self->b.fd, starts[i], len,
				     starts[i] % HUGE, PROT_READ);
			ASSERT_NE(NULL, map);
			EXPECT_TRUE(shows_pages(map, len, starts[i]))
				TH_LOG("%zu bytes from %zu on", len, starts[i]);
			ASSERT_EQ(0, munmap(map, len));

			map = map_at(self->b.fd, starts[i], len, starts[j],
				     PROT_READ);
			ASSERT_NE(NULL, map);
			EXPECT_TRUE(shows_pages(map, len, starts[i]))
				TH_LOG("%zu bytes from %zu on, shifted by %zu",
				       len, starts[i], starts[j]);
			ASSERT_EQ(0, munmap(map, len));
		}
	}
}

/* A hole in what a huge entry maps, and another one at its end */
TEST_F(huge, holes)
{
	char *map = self->b.map;
	/* In the last one */
	size_t hole = self->b.size - HUGE / 2;

	number_pages(map, self->b.size);
	ASSERT_EQ(0, munmap(map + hole, self->page));
	EXPECT_TRUE(shows_pages(map, hole, 0));
	EXPECT_TRUE(shows_pages(map + hole + self->page,
				self->b.size - hole - self->page,
				hole + self->page));
	ASSERT_EQ(0, munmap(map + self->b.size - self->page, self->page));
	EXPECT_TRUE(shows_pages(map, hole, 0));
	number_pages(map, hole);
	EXPECT_TRUE(shows_pages(map + hole + self->page,
				self->b.size - hole - 2 * self->page,
				hole + self->page));
}

static void exit_1(int sig)
{
	(void)sig;
	_exit(1);
}

/* Whether a process that writes to @addr gets SIGSEGV for it. */
static bool write_faults(char *addr)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		signal(SIGSEGV, exit_1);
		*(volatile char *)addr = 1;
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	       WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST_F(huge, protection)
{
	char *last = (char *)self->b.map + self->b.size - HUGE;
	char *map = self->b.map;

	number_pages(map, self->b.size);
	/* All of an entry */
	ASSERT_EQ(0, mprotect(map, HUGE, PROT_READ));
	EXPECT_TRUE(write_faults(map + HUGE - self->page));
	ASSERT_EQ(0, mprotect(map, HUGE, PROT_READ | PROT_WRITE));
	EXPECT_FALSE(write_faults(map + HUGE - 1));
	/* A page of one */
	ASSERT_EQ(0, mprotect(last + self->page, self->page, PROT_READ));
	EXPECT_TRUE(write_faults(last + self->page));
	EXPECT_FALSE(write_faults(last + self->page - 1));
	EXPECT_FALSE(write_faults(last + 3 * self->page - 1));
	EXPECT_TRUE(shows_pages(map, self->b.size, 0));

	ASSERT_EQ(0, mprotect(map, self->b.size, PROT_READ | PROT_WRITE));
	memset(map, 0x77, self->b.size);
	ASSERT_EQ(0, mprotect(map, self->b.size, PROT_NONE));
	ASSERT_EQ(0, mprotect(map, self->b.size, PROT_READ));
	EXPECT_TRUE(all_bytes(map, 0x77, self->b.size));
	EXPECT_TRUE(write_faults(map));
}

/* To where huge pages fit again, and to where they do not */
TEST_F(huge, moves)
{
	char *map = self->b.map;
	char *place = map_at(self->b.fd, 0, self->b.size, self->page,
			     PROT_NONE);

	ASSERT_NE(NULL, place);
	number_pages(map, self->b.size);
	ASSERT_EQ(place, mremap(map, self->b.size, self->b.size,
				MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_TRUE(shows_pages(place, self->b.size, 0));
	ASSERT_EQ(map, mremap(place, self->b.size, self->b.size,
			      MREMAP_MAYMOVE | MREMAP_FIXED, map));
	EXPECT_TRUE(shows_pages(map, self->b.size, 0));
	number_pages(map, self->b.size);
	EXPECT_TRUE(shows_pages(map, self->b.size, 0));
}

/* The child has a mapping of its own of the same memory. */
TEST_F(huge, fork)
{
	char *map = self->b.map;
	int status;
	pid_t pid;

	number_pages(map, self->b.size / 2);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bool right = shows_pages(map, self->b.size / 2, 0);

		number_pages(map, self->b.size);
		_exit(right ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(shows_pages(map, self->b.size, 0));
}

/* Who got a reference to a page would keep it when the buffer is gone. */
TEST_F(huge, no_references)
{
	struct iovec iov = { .iov_len = self->page };
	size_t offset;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	faults_of(self->b.map, self->b.size, true);
	for (offset = 0; offset < self->b.size; offset += HUGE / 2) {
		iov.iov_base = (char *)self->b.map + offset;
		EXPECT_EQ(-1, vmsplice(fds[1], &iov, 1, 0));
		EXPECT_EQ(EFAULT, errno);
	}
}

struct toucher {
	pthread_t thread;
	pthread_barrier_t *start;
	char *map;
	size_t len;
	bool write;
	bool right;
};

static void *touch_all(void *arg)
{
	struct toucher *t = arg;

	pthread_barrier_wait(t->start);
	if (t->write)
		number_pages(t->map, t->len);
	t->right = shows_pages(t->map, t->len, 0);
	return NULL;
}

/* Two threads and the same pages: both see the memory, whoever comes first. */
TEST_F(huge, two_threads)
{
	pthread_barrier_t start;
	struct toucher t[2];
	int i, round;
	char *map;

	number_pages(self->b.map, self->b.size);
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, ARRAY_LEN(t)));
	for (round = 0; round < ROUNDS; round++) {
		map = map_at(self->b.fd, 0, self->b.size,
			     round % 2 * self->page, PROT_READ | PROT_WRITE);
		ASSERT_NE(NULL, map);
		for (i = 0; i < (int)ARRAY_LEN(t); i++) {
			t[i] = (struct toucher){
				.start = &start,
				.map = map,
				.len = self->b.size,
				.write = round / 2 % 2 == i,
			};
			ASSERT_EQ(0, pthread_create(&t[i].thread, NULL,
						    touch_all, &t[i]));
		}
		for (i = 0; i < (int)ARRAY_LEN(t); i++) {
			ASSERT_EQ(0, pthread_join(t[i].thread, NULL));
			EXPECT_TRUE(t[i].right);
		}
		ASSERT_EQ(0, munmap(map, self->b.size));
	}
}

TEST_HARNESS_MAIN
