// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a program that the kernel may write back, or out, at any time: it is
 * to know of what a device wrote there, and to refuse what it cannot know of.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "kinds_test.h"

/* Disk in RAM, whose pages are cached and written back as those of any other */
#define DISK_MODULE	"brd"
#define DISK_PARAM	"rd_nr=1"
#define DISK		"/dev/ram0"

#define PAGES		4

FIXTURE(file) {
	struct totals before;
	struct memory m;
	int ch;
};

FIXTURE_SETUP(file)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, memory_get(&self->m, ANONYMOUS, PAGES * page_size()));
}

FIXTURE_TEARDOWN_PARENT(file)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static __u64 read_u64(const char *path, __u64 index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	__u64 value = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &value, sizeof(value), index * sizeof(value)) !=
	    sizeof(value))
		value = 0;
	close(fd);
	return value;
}

/* What /proc/kpageflags says of the page at @address */
static __u64 page_flags(const void *address)
{
	const __u64 entry = read_u64("/proc/self/pagemap",
				     (uintptr_t)address / page_size());

	/* Present, and number of the page */
	if (!(entry >> 63))
		return 0;
	return read_u64("/proc/kpageflags", entry & ((1ULL << 55) - 1));
}

static unsigned int dirty_pages(const struct memory *m)
{
	unsigned int i, dirty = 0;

	for (i = 0; i < PAGES; i++)
		dirty += page_flags(m->map + i * page_size()) >> KPF_DIRTY & 1;
	return dirty;
}

/*
 * That the program wrote a page of its own is in its page table only, and
 * what a device writes is not even there.
 */
TEST_F(file, is_dirty_after_a_device)
{
	int fd;

	if (access("/proc/kpageflags", R_OK))
		SKIP(return, "no CONFIG_PROC_PAGE_MONITOR");
	/* Pages of a CMA area are moved before they are pinned. */
	if (memory_kib("CmaTotal") > 0)
		SKIP(return, "a page that is moved is dirty after it");
	ASSERT_NE(0ULL, page_flags(self->m.map));
	ASSERT_EQ(0U, dirty_pages(&self->m));
	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size,
			     O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	close(fd);
	/* No device could write them. */
	EXPECT_EQ(0U, dirty_pages(&self->m));
	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size,
			     O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ((unsigned int)PAGES, dirty_pages(&self->m));
}

/* Pages of a disk are written back while a device writes them, unnoticed. */
TEST_F(file, of_a_disk)
{
	const size_t size = PAGES * page_size();
	int disk;
	char *map;

	if (access(DISK, F_OK))
		SKIP(return, "no " DISK_MODULE " module");
	disk = open(DISK, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, disk);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, disk, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-EOPNOTSUPP, fpga_alloc_user(self->ch, map, size,
					       O_RDWR | O_CLOEXEC));
	/* A copy of them is the program's own. */
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, disk, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_LE(0, fpga_alloc_user(self->ch, map, size, O_RDWR | O_CLOEXEC));
}

int main(int argc, char **argv)
{
	load_module(DISK_MODULE, DISK_PARAM);
	return test_harness_run(argc, argv);
}
