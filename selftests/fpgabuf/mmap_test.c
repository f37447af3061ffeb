// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of a buffer: their bounds, who shares them, how long they live, and
 * that they show what the device wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/dma-buf.h>
#include <sys/socket.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

/* The system kind makes it of blocks of 256, 16 and 1 pages. */
#define PAGES	(256 + 2 * 16 + 3)

FIXTURE(mapping) {
	struct totals before;
	int ch;
	size_t page;
	struct buffer b;
};

FIXTURE_VARIANT(mapping) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(mapping, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(mapping, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(mapping, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(mapping, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(mapping, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(mapping, region) {
	.kind = FPGABUF_KIND_REGION,
};

static void number_words(const struct buffer *b)
{
	__u32 *word = b->map;
	size_t i;

	for (i = 0; i < b->size / sizeof(*word); i++)
		word[i] = i;
}

/* Whether @map shows @len bytes of a numbered buffer from @offset on. */
static bool shows_words(const void *map, size_t len, size_t offset)
{
	const __u32 *word = map;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++)
		if (word[i] != offset / sizeof(*word) + i)
			return false;
	return true;
}

FIXTURE_SETUP(mapping)
{
	REQUIRE_CHANNEL(self->before);
	self->page = page_size();
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, PAGES * self->page, variant->kind,
				  &self->b));
	number_words(&self->b);
}

FIXTURE_TEARDOWN_PARENT(mapping)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static void *map_pages(int fd, size_t first, size_t count)
{
	return mmap(NULL, count * page_size(), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, first * page_size());
}

/* Starts and ends inside of, at and across the borders of blocks. */
TEST_F(mapping, parts)
{
	static const size_t starts[] = {
		0, 1, 15, 16, 255, 256, 257, 271, 272, 287, 288, PAGES - 1,
	};
	static const size_t counts[] = { 1, 2, 16, 17, 33, PAGES };
	size_t i, j, count;
	void *map;

	for (i = 0; i < ARRAY_LEN(starts); i++) {
		for (j = 0; j < ARRAY_LEN(counts); j++) {
			count = counts[j];
			if (count > PAGES - starts[i])
				count = PAGES - starts[i];
			map = map_pages(self->b.fd, starts[i], count);
			ASSERT_NE(MAP_FAILED, map);
			ASSERT_TRUE(shows_words(map, count * self->page,
						starts[i] * self->page))
				TH_LOG("%zu pages from %zu on", count,
				       starts[i]);
			ASSERT_EQ(0, munmap(map, count * self->page));
		}
	}
}

/* What is written through one mapping is seen through every other. */
TEST_F(mapping, parts_are_shared)
{
	__u8 *whole = self->b.map;
	__u8 *map = map_pages(self->b.fd, 255, 2);

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 0xc3, 2 * self->page);
	EXPECT_TRUE(all_bytes(whole + 255 * self->page, 0xc3,
			      2 * self->page));
	EXPECT_TRUE(shows_words(whole, 255 * self->page, 0));
	EXPECT_TRUE(shows_words(whole + 257 * self->page,
				(PAGES - 257) * self->page,
				257 * self->page));
	whole[255 * self->page] = 0x3c;
	EXPECT_EQ(0x3c, map[0]);
}

TEST_F(mapping, bounds)
{
	static const struct {
		size_t first;
		size_t count;
	} bad[] = {
		{ 0, PAGES + 1 },
		{ 1, PAGES },
		{ PAGES - 1, 2 },
		{ PAGES, 1 },
		{ PAGES + 1, 1 },
		{ (size_t)1 << 40, 1 },
	};
	void *map;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		errno = 0;
		map = map_pages(self->b.fd, bad[i].first, bad[i].count);
		EXPECT_EQ(MAP_FAILED, map) {
			TH_LOG("%zu pages from %zu on", bad[i].count,
			       bad[i].first);
		}
		EXPECT_EQ(EINVAL, errno);
	}

	/* A length is rounded up to pages. */
	map = mmap(NULL, PAGES * self->page - 1, PROT_READ, MAP_SHARED,
		   self->b.fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(shows_words(map, PAGES * self->page, 0));
	map = mmap(NULL, PAGES * self->page + 1, PROT_READ, MAP_SHARED,
		   self->b.fd, 0);
	EXPECT_EQ(MAP_FAILED, map);
}

/* A mapping that may grow would show whatever memory is next. */
TEST_F(mapping, does_not_grow)
{
	void *map = map_pages(self->b.fd, 0, 2);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MAP_FAILED, mremap(map, 2 * self->page, 3 * self->page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(map, 2 * self->page,
				     (PAGES + 1) * self->page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	/* An old size of 0 asks for a second mapping. */
	EXPECT_EQ(MAP_FAILED, mremap(map, 0, 3 * self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(shows_words(map, 2 * self->page, 0));
}

TEST_F(mapping, moves_and_shrinks)
{
	char *map = map_pages(self->b.fd, 15, 4);
	char *place = mmap(NULL, 4 * self->page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_NE(MAP_FAILED, (void *)place);
	ASSERT_EQ((void *)place,
		  mremap(map, 4 * self->page, 4 * self->page,
			 MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_TRUE(shows_words(place, 4 * self->page, 15 * self->page));
	ASSERT_EQ((void *)place, mremap(place, 4 * self->page, self->page, 0));
	EXPECT_TRUE(shows_words(place, self->page, 15 * self->page));
	/* A hole in the middle of another one */
	ASSERT_EQ(0, munmap((char *)self->b.map + 16 * self->page,
			    self->page));
	EXPECT_TRUE(shows_words((char *)self->b.map + 17 * self->page,
				self->page, 17 * self->page));
}

TEST_F(mapping, private_is_refused)
{
	void *map = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			 self->b.fd, 0);

	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EINVAL, errno);
}

static bool vm_flag(const void *map, const char *flag)
{
	char line[512], start[32];
	bool inside = false;
	bool found = false;
	FILE *f;

	f = fopen("/proc/self/smaps", "re");
	if (!f)
		return false;
	snprintf(start, sizeof(start), "%08lx-", (unsigned long)map);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, start, strlen(start))) {
			inside = true;
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			found = strstr(line, flag);
			break;
		}
	}
	fclose(f);
	return found;
}

/* dma-buf's rule: PFN mappings that neither grow nor go into core dumps. */
TEST_F(mapping, flags)
{
	EXPECT_TRUE(vm_flag(self->b.map, " sh "));
	EXPECT_TRUE(vm_flag(self->b.map, " pf "));
	EXPECT_TRUE(vm_flag(self->b.map, " de "));
	EXPECT_TRUE(vm_flag(self->b.map, " dd "));
}

/* Pages that madvise() drops could not come back. */
TEST_F(mapping, pages_stay)
{
	EXPECT_EQ(-1, madvise(self->b.map, self->b.size, MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(shows_words(self->b.map, self->b.size, 0));
}

TEST_F(mapping, outlives_fd)
{
	struct totals now;

	close(self->b.fd);
	EXPECT_TRUE(shows_words(self->b.map, self->b.size, 0));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);

	/* The last of it keeps the buffer. */
	ASSERT_EQ(0, munmap(self->b.map, self->b.size - self->page));
	EXPECT_TRUE(shows_words((char *)self->b.map + self->b.size - self->page,
				self->page, self->b.size - self->page));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);

	ASSERT_EQ(0, munmap((char *)self->b.map + self->b.size - self->page,
			    self->page));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

TEST_F(mapping, fd_outlives_mapping)
{
	struct totals now;

	ASSERT_EQ(0, munmap(self->b.map, self->b.size));
	ASSERT_EQ(0, buffer_from_fd(self->b.fd, &self->b));
	EXPECT_TRUE(shows_words(self->b.map, self->b.size, 0));
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* Waits until the other side of the pair has come to the same place. */
static bool meet(int socket)
{
	char byte = 'm';

	return write(socket, &byte, 1) == 1 && read(socket, &byte, 1) == 1;
}

/* Both processes see the same memory, and the child keeps it by itself. */
TEST_F(mapping, fork)
{
	struct totals now;
	int pair[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		EXPECT_TRUE(shows_words(self->b.map, self->b.size, 0));
		memset(self->b.map, 0x11, self->b.size);
		close(self->b.fd);
		EXPECT_TRUE(meet(pair[1]));
		/* The parent has written, unmapped and closed. */
		EXPECT_TRUE(meet(pair[1]));
		EXPECT_TRUE(all_bytes(self->b.map, 0x22, self->b.size));
		_exit(0);
	}
	EXPECT_TRUE(meet(pair[0]));
	EXPECT_TRUE(all_bytes(self->b.map, 0x11, self->b.size));
	memset(self->b.map, 0x22, self->b.size);
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);
	EXPECT_TRUE(meet(pair[0]));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* A stranger gets the buffer with the fd, also while the fd is on its way. */
TEST_F(mapping, passed_fd)
{
	struct totals now;
	struct buffer b;
	int pair[2], status, fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, send_fd(pair[0], self->b.fd));
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->ch);
		fd = recv_fd(pair[1]);
		ASSERT_EQ(0, buffer_from_fd(fd, &b));
		EXPECT_TRUE(shows_words(b.map, b.size, 0));
		EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_RW));
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* One frame of all of the buffer, by a mapping made before, one made after. */
TEST_F(mapping, shows_what_the_device_wrote)
{
	struct fpgabuf_completion done;
	struct buffer after;
	int slot;

	ASSERT_EQ(0, fpga_set_raw(self->ch, self->b.size, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
					    self->b.size, &done));
	ASSERT_EQ(0, buffer_from_fd(dup(self->b.fd), &after));
	EXPECT_STREQ("ok", raw_check_synced(after.fd, after.map, after.size,
					    &done));
	EXPECT_EQ(0, memcmp(after.map, self->b.map, after.size));
	buffer_free(&after);
}

TEST_HARNESS_MAIN
