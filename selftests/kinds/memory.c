// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a program, and a stream into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/memfd.h>
#include <sys/mman.h>

#include "kinds_test.h"

#define NR_HUGE_PAGES	"/proc/sys/vm/nr_hugepages"

static int write_number(const char *path, int number)
{
	FILE *f = fopen(path, "we");
	int ret;

	if (!f)
		return -errno;
	ret = fprintf(f, "%d", number) < 0 ? -EIO : 0;
	return fclose(f) ? -errno : ret;
}

static int read_number(const char *path)
{
	int number = -EIO;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%d", &number) != 1)
		number = -EIO;
	fclose(f);
	return number;
}

int huge_pages(int count)
{
	int ret = write_number(NR_HUGE_PAGES, count);

	return ret < 0 ? ret : read_number(NR_HUGE_PAGES);
}

static size_t huge_page_size(void)
{
	size_t kib = 0;
	char line[128];
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Hugepagesize: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

static int new_memfd(size_t size, unsigned int flags)
{
	int fd = memfd_create("kinds-test", MFD_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int memory_get(struct memory *m, enum memory_origin origin, size_t size)
{
	const size_t unit = origin == HUGE ? huge_page_size() : page_size();
	int flags = origin == ANONYMOUS || origin == PRIVATE_FILE ?
		    MAP_PRIVATE : MAP_SHARED;

	if (!unit)
		return -ENOENT;
	m->file = -1;
	m->size = (size + unit - 1) / unit * unit;
	if (origin == ANONYMOUS)
		flags |= MAP_ANONYMOUS;
	else
		m->file = new_memfd(m->size, origin == HUGE ? MFD_HUGETLB : 0);
	if (m->file < 0 && !(flags & MAP_ANONYMOUS))
		return origin == HUGE ? -ENOENT : m->file;

	m->map = mmap(NULL, m->size, PROT_READ | PROT_WRITE, flags, m->file, 0);
	if (m->map == MAP_FAILED)
		return origin == HUGE ? -ENOENT : -errno;
	memset(m->map, BEFORE, m->size);
	return 0;
}

__s64 pinned_pages(void)
{
	long long acquired = -1, released = -1, value;
	char name[64];
	FILE *f;

	/* So that it is not off by what each processor still counts for itself. */
	if (write_number("/proc/sys/vm/stat_refresh", 1))
		return -EIO;
	f = fopen("/proc/vmstat", "re");
	if (!f)
		return -errno;
	while (fscanf(f, "%63s %lld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			acquired = value;
		if (!strcmp(name, "nr_foll_pin_released"))
			released = value;
	}
	fclose(f);
	return acquired < 0 || released < 0 ? -ENODATA : acquired - released;
}

int free_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	if (fd < 0)
		return -errno;
	close(fd);
	return fd;
}

int stream_into(int ch, int fd, size_t size)
{
	int ret;

	ret = fpga_set_raw(ch, size, 0);
	if (!ret)
		ret = fpga_register(ch, fd, 0, 0);
	if (!ret)
		ret = fpga_start(ch);
	return ret < 0 ? ret : 0;
}

int next_frame(int ch, struct fpgabuf_completion *done)
{
	const struct fpgabuf_queue_entry entry = { .slot = 0 };

	return fpga_exchange(ch, &entry, 1, done, 1, 1, 5 * SEC);
}
