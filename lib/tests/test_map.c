// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings. What is about memory is tested with memfds, which map as dma-bufs
 * do; the brackets of CPU access with an ioctl() of the test's own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "fpgabuf.h"
#include "tap.h"

#define MIB	(1UL << 20)

/* What DMA_BUF_IOCTL_SYNC is to answer, one after the other, and was asked. */
static int answers[4];
static int calls;
static uint64_t asked;

int ioctl(int fd, unsigned long request, ...)
{
	struct dma_buf_sync *sync;
	va_list args;

	va_start(args, request);
	sync = va_arg(args, struct dma_buf_sync *);
	va_end(args);

	need(request == DMA_BUF_IOCTL_SYNC && fd >= 0 && calls < 4);
	asked = sync->flags;
	errno = answers[calls++];

	return errno ? -1 : 0;
}

static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	need(dir);
	while (readdir(dir))
		count++;
	closedir(dir);

	return count;
}

/* Mappings of the frames, and address space that is only reserved. */
static int count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int count = 0;

	need(maps);
	while (fgets(line, sizeof(line), maps))
		count += strstr(line, "/memfd:frame") || strstr(line, " ---p ");
	fclose(maps);

	return count;
}

static int make_file(size_t size)
{
	const int fd = memfd_create("frame", MFD_CLOEXEC);

	need(fd >= 0 && !ftruncate(fd, size));

	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* The first and the last byte, as seen by another way into the file. */
static bool shares_memory(const struct fpgabuf_map *map)
{
	const uint8_t wanted[2] = { 0x12, 0x34 };
	uint8_t found[2];

	((uint8_t *)map->addr)[map->size - 1] = wanted[1];
	((uint8_t *)map->addr)[0] = wanted[0];

	return pread(map->fd, &found[0], 1, 0) == 1 &&
	       pread(map->fd, &found[1], 1, map->size - 1) == 1 &&
	       found[0] == wanted[0] &&
	       (map->size == 1 || found[1] == wanted[1]);
}

static void test_size(size_t size)
{
	const int files = count_files("/proc/self/fd");
	const int mappings = count_mappings();
	const int fd = make_file(size);
	struct fpgabuf_map map;

	is(fpgabuf_map(fd, PROT_READ | PROT_WRITE, &map), 0, "%zu bytes", size);
	is(map.size, size, "%zu bytes: size", size);
	is(map.prot, PROT_READ | PROT_WRITE, "%zu bytes: prot", size);
	ok(map.fd != fd && same_file(map.fd, fd), "%zu bytes: own fd", size);
	is(fcntl(map.fd, F_GETFD), FD_CLOEXEC, "%zu bytes: O_CLOEXEC", size);
	if (size >= 2 * MIB)
		is((uintptr_t)map.addr % (2 * MIB), 0,
		   "%zu bytes: on a huge page's boundary", size);
	close(fd);
	ok(shares_memory(&map), "%zu bytes: same memory", size);

	fpgabuf_unmap(&map);
	ok(!map.addr && map.fd == -1, "%zu bytes: unmapped", size);
	is(count_mappings(), mappings, "%zu bytes: no mapping is left", size);
	is(count_files("/proc/self/fd"), files, "%zu bytes: no fd is left",
	   size);
}

/* Memory around an aligned mapping is not ours, and must not stay reserved. */
static void test_many(void)
{
	const int mappings = count_mappings();
	const int fd = make_file(2 * MIB + 4096);
	struct fpgabuf_map maps[16];
	size_t i, unaligned = 0;

	for (i = 0; i < 16; i++) {
		need(!fpgabuf_map(fd, PROT_READ, &maps[i]));
		unaligned += (uintptr_t)maps[i].addr % (2 * MIB) != 0;
	}
	is(unaligned, 0, "16 mappings are aligned");
	is(count_mappings(), mappings + 16, "and nothing else is reserved");
	for (i = 0; i < 16; i++)
		fpgabuf_unmap(&maps[i]);
	is(count_mappings(), mappings, "no mapping is left");
	close(fd);
}

static int map_fails(int fd, int prot)
{
	const int files = count_files("/proc/self/fd");
	const int mappings = count_mappings();
	struct fpgabuf_map map;
	int ret;

	ret = fpgabuf_map(fd, prot, &map);
	is(count_mappings(), mappings, "a failed map maps nothing");
	is(count_files("/proc/self/fd"), files, "and leaks no fd");

	return ret;
}

static void test_read_only(size_t size)
{
	const int fd = make_file(size);
	struct fpgabuf_map map;
	char path[32];
	int rdonly;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rdonly = open(path, O_RDONLY | O_CLOEXEC);
	need(rdonly >= 0);

	is(map_fails(rdonly, PROT_READ | PROT_WRITE), -EACCES,
	   "%zu bytes: no writing to an fd that is open for reading", size);
	is(fpgabuf_map(rdonly, PROT_READ, &map), 0, "%zu bytes: reading", size);
	is(map.prot, PROT_READ, "%zu bytes: prot", size);
	fpgabuf_unmap(&map);
	close(rdonly);
	close(fd);
}

static void test_bad_files(void)
{
	int fd, pipes[2];

	is(map_fails(-1, PROT_READ), -EBADF, "no fd");
	fd = make_file(0);
	is(map_fails(fd, PROT_READ), -EINVAL, "an empty file");
	close(fd);
	need(!pipe(pipes));
	is(map_fails(pipes[0], PROT_READ), -ESPIPE, "a pipe");
	close(pipes[0]);
	close(pipes[1]);
}

static void script(int first, int second, int third)
{
	answers[0] = first;
	answers[1] = second;
	answers[2] = third;
	calls = 0;
}

static void test_sync(void)
{
	const struct fpgabuf_map map = { .fd = 0 };

	script(0, 0, 0);
	is(fpgabuf_map_begin(&map, DMA_BUF_SYNC_READ), 0, "begin");
	is(asked, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, "begin: flags");
	script(0, 0, 0);
	is(fpgabuf_map_end(&map, DMA_BUF_SYNC_RW), 0, "end");
	is(asked, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW, "end: flags");
	is(calls, 1, "end: once");

	script(EINTR, EAGAIN, 0);
	is(fpgabuf_map_begin(&map, DMA_BUF_SYNC_WRITE), 0, "begin, disturbed");
	is(calls, 3, "is repeated");
	is(asked, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, "with its flags");
	script(EINTR, EIO, 0);
	is(fpgabuf_map_begin(&map, DMA_BUF_SYNC_READ), -EIO, "error of begin");
	is(calls, 2, "ends it");

	script(0, 0, 0);
	is(fpgabuf_map_begin(&map, 0), -EINVAL, "no flag");
	is(fpgabuf_map_begin(&map, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END),
	   -EINVAL, "begin with the flag of end");
	is(fpgabuf_map_end(&map, DMA_BUF_SYNC_READ | 1ULL << 63), -EINVAL,
	   "unknown flag");
	is(calls, 0, "the kernel is not asked");
}

int main(void)
{
	/* Allocators reserve memory the first time. */
	printf("# %d files, %d mappings before\n",
	       count_files("/proc/self/fd"), count_mappings());

	test_size(1);
	test_size(4096);
	test_size(2 * MIB - 4096);
	test_size(2 * MIB);
	test_size(2 * MIB + 1);
	test_size(8 * MIB);
	test_many();
	test_read_only(4096);
	test_read_only(2 * MIB);
	test_bad_files();
	test_sync();

	return tap_end();
}
