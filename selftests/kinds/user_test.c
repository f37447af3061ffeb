// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_ALLOC_USER: frames in memory that a program already has.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/foreign.h"
#include "kinds_test.h"

#define RW	(O_RDWR | O_CLOEXEC)
#define RO	(O_RDONLY | O_CLOEXEC)
#define GUARD	64
#define HUGE_PAGES	4

/* A user that nobody else is */
#define ORDINARY_UID	54321

/* In a child: end it, so that its parent can tell where. */
#define NEED(condition) do {						\
	if (!(condition))						\
		_exit(__LINE__ % 251 + 1);				\
} while (0)

static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   256 + WTERMSIG(status);
}

/* One frame into all of @fd, which is the memory at @frame. */
static const char *capture_into(int ch, int fd, const void *frame, size_t size)
{
	struct fpgabuf_completion done;
	const char *verdict;
	int slot;

	if (fpga_set_raw(ch, size, 0))
		return "cannot set a format";
	slot = fpga_register(ch, fd, 0, 0);
	if (slot < 0)
		return strerror(-slot);
	if (fpga_capture(ch, slot, &done))
		return "cannot capture";
	verdict = raw_check_synced(fd, frame, size, &done);
	if (fpga_unregister(ch, slot))
		return "cannot unregister";
	return verdict;
}

FIXTURE(memory) {
	struct totals before;
	__s64 pinned;
	int ch;
	struct memory m;
};

FIXTURE_VARIANT(memory) {
	enum memory_origin origin;
};

FIXTURE_VARIANT_ADD(memory, anonymous) {
	.origin = ANONYMOUS,
};

FIXTURE_VARIANT_ADD(memory, memfd) {
	.origin = MEMFD,
};

FIXTURE_VARIANT_ADD(memory, private_file) {
	.origin = PRIVATE_FILE,
};

FIXTURE_VARIANT_ADD(memory, hugetlb) {
	.origin = HUGE,
};

FIXTURE_SETUP(memory)
{
	int ret;

	REQUIRE_CHANNEL_NUMBER(SIM_BYTES, self->before);
	if (variant->origin == HUGE && huge_pages(HUGE_PAGES) < HUGE_PAGES)
		SKIP(return, "no huge pages: no CONFIG_HUGETLBFS, or memory is in pieces");
	self->pinned = pinned_pages();
	ASSERT_LE(0, self->pinned);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
	ret = memory_get(&self->m, variant->origin, 1 << 20);
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN_PARENT(memory)
{
	if (variant->origin == HUGE)
		huge_pages(0);
	EXPECT_NOTHING_LEFT(self->before);
	EXPECT_EQ(self->pinned, pinned_pages());
}

/* From the start of the second page on; it may start before it. */
static const struct {
	int offset;
	size_t length;
} ranges[] = {
	{ 0, 4096 }, { 0, 64 }, { 1, 64 }, { 63, 65 }, { 4032, 64 },
	{ 4095, 67 }, { 4000, 1237 }, { -1, 66 }, { -33, 64 }, { 0, 4095 },
	{ 0, 4097 }, { 1, 4095 }, { 1, 4096 }, { -1, 4098 }, { 13, 100003 },
	{ 0, 128 << 10 }, { 4090, (512 << 10) + 11 },
};

/* Every byte of the range, and none beside it */
TEST_F(memory, ranges)
{
	char text[32], *map = self->m.map;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		char *frame = map + page_size() + ranges[i].offset;
		size_t len = ranges[i].length;

		memset(frame - GUARD, BEFORE, len + 2 * GUARD);
		fd = fpga_alloc_user(self->ch, frame, len, RW);
		ASSERT_LE(0, fd) TH_LOG("%zu at %d", len, ranges[i].offset);
		EXPECT_EQ((__s64)len, dmabuf_size(fd));
		ASSERT_EQ(0, dmabuf_fdinfo(fd, "exp_name", text, sizeof(text)));
		EXPECT_STREQ("fpgabuf-user", text);
		/* It is as it was. */
		EXPECT_TRUE(all_bytes(frame, BEFORE, len));

		EXPECT_STREQ("ok", capture_into(self->ch, fd, frame, len))
			TH_LOG("%zu at %d", len, ranges[i].offset);
		EXPECT_TRUE(all_bytes(frame - GUARD, BEFORE, GUARD));
		EXPECT_TRUE(all_bytes(frame + len, BEFORE, GUARD));
		EXPECT_EQ(0, close(fd));
		EXPECT_STREQ("ok", raw_check(frame, len,
					     &(struct fpgabuf_completion){
						.bytes = len, .run = i + 1 }));
	}
	EXPECT_EQ(self->pinned, pinned_pages());
}

/* It is counted while it lives, in bytes and in pages, and may be a byte. */
TEST_F(memory, counted)
{
	struct totals now;
	int fd[2];

	fd[0] = fpga_alloc_user(self->ch, self->m.map + 4095, 4098, RW);
	ASSERT_LE(0, fd[0]);
	fd[1] = fpga_alloc_user(self->ch, self->m.map + 77, 1, RW);
	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[FPGABUF_KIND_USER] + 2,
		  now.count[FPGABUF_KIND_USER]);
	EXPECT_EQ(self->before.bytes[FPGABUF_KIND_USER] + 4099,
		  now.bytes[FPGABUF_KIND_USER]);
	EXPECT_EQ(self->pinned + 3 + 1, pinned_pages());

	EXPECT_EQ(1, dmabuf_size(fd[1]));
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIM_MIN_FRAME, 0));
	EXPECT_EQ(-EMSGSIZE, fpga_register(self->ch, fd[1], 0, 0));
}

/*
 * The memory, and a mapping of the dma-buf of it, are the same pages. What is
 * mapped of a page is all of it: there is none that is half ours.
 */
TEST_F(memory, mapped)
{
	const size_t page = page_size();
	char *map;
	int fd;

	fd = fpga_alloc_user(self->ch, self->m.map, 3 * page + 1, RW);
	ASSERT_LE(0, fd);
	map = dmabuf_map(fd, 3 * page);
	ASSERT_NE(NULL, map);
	EXPECT_TRUE(all_bytes(map, BEFORE, 3 * page));
	memset(self->m.map + page, 0x11, page);
	EXPECT_TRUE(all_bytes(map + page, 0x11, page));
	memset(map + 2 * page, 0x22, page);
	EXPECT_TRUE(all_bytes(self->m.map + 2 * page, 0x22, page));
	EXPECT_EQ(NULL, dmabuf_map(fd, 4 * page));
	EXPECT_EQ(EINVAL, errno);
	munmap(map, 3 * page);
	close(fd);

	fd = fpga_alloc_user(self->ch, self->m.map + 1, 3 * page, RW);
	ASSERT_LE(0, fd);
	EXPECT_EQ(NULL, dmabuf_map(fd, page));
	EXPECT_EQ(EINVAL, errno);
}

/*
 * The pages stay when the mapping that they came from does not: before the first
 * frame comes, and in the middle of frames that come as fast as they can.
 */
TEST_F(memory, unmapped)
{
	const size_t size = 128 << 10;
	struct fpgabuf_completion done;
	struct buffer b[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, buffer_from_fd(fpga_alloc_user(self->ch,
							    self->m.map +
							    i * size, size, RW),
					    &b[i]));
	}
	ASSERT_EQ(0, fpga_set_raw(self->ch, size, 0));
	ASSERT_EQ(0, fpga_register(self->ch, b[0].fd, 0, 0));
	ASSERT_EQ(1, fpga_register(self->ch, b[1].fd, 0, 0));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	/* Of huge pages no part can go. */
	if (variant->origin != HUGE) {
		ASSERT_EQ(0, munmap(self->m.map, size));
	}
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, 1, 0));
	ASSERT_EQ(0, munmap(self->m.map, self->m.size));
	close(self->m.file);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_STREQ("ok", raw_check_synced(b[done.slot].fd,
						    b[done.slot].map, size,
						    &done));
		ASSERT_EQ(0, fpga_queue(self->ch, done.slot, 0));
	}
}

/* Other memory comes to the same place, and no frame comes into that. */
TEST_F(memory, replaced)
{
	const size_t size = 64 << 10;
	struct fpgabuf_completion done;
	struct buffer b;

	ASSERT_EQ(0, buffer_from_fd(fpga_alloc_user(self->ch, self->m.map,
						    size, RW), &b));
	ASSERT_EQ(0, stream_into(self->ch, b.fd, size));
	ASSERT_EQ(self->m.map, mmap(self->m.map, self->m.size,
				    PROT_READ | PROT_WRITE, MAP_PRIVATE |
				    MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memset(self->m.map, 0x3c, self->m.size);
	ASSERT_EQ(1, next_frame(self->ch, &done));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, size, &done));
	EXPECT_TRUE(all_bytes(self->m.map, 0x3c, self->m.size));
}

/* Two buffers of the same memory are the same memory. */
TEST_F(memory, twice)
{
	const size_t size = 10000;
	int fd[2], i;

	for (i = 0; i < 2; i++) {
		fd[i] = fpga_alloc_user(self->ch, self->m.map + 5, size, RW);
		ASSERT_LE(0, fd[i]);
	}
	EXPECT_EQ(self->pinned + 6, pinned_pages());
	for (i = 0; i < 2; i++)
		EXPECT_STREQ("ok", capture_into(self->ch, fd[i],
						self->m.map + 5, size));
}

FIXTURE(user) {
	struct totals before;
	__s64 pinned;
	int ch;
	size_t page;
	struct memory m;
};

FIXTURE_SETUP(user)
{
	REQUIRE_CHANNEL_NUMBER(SIM_BYTES, self->before);
	self->pinned = pinned_pages();
	ASSERT_LE(0, self->pinned);
	self->page = page_size();
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, memory_get(&self->m, ANONYMOUS, 64 * self->page));
}

FIXTURE_TEARDOWN_PARENT(user)
{
	EXPECT_NOTHING_LEFT(self->before);
	EXPECT_EQ(self->pinned, pinned_pages());
}

TEST_F(user, bad_arguments)
{
	static const __u32 bad_fd_flags[] = {
		O_ACCMODE, O_RDWR | O_NONBLOCK, O_RDWR | O_APPEND, 1U << 31,
	};
	struct fpgabuf_alloc_user good = {
		.address = (uintptr_t)self->m.map,
		.length = 4096,
		.fd_flags = RW,
		.fd = -1,
	}, arg;
	size_t i;

	for (i = 0; i < 32; i++) {
		arg = good;
		arg.flags = 1U << i;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_USER,
					      &arg));
		arg = good;
		arg.reserved = 1U << i;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_USER,
					      &arg));
		EXPECT_EQ(-1, arg.fd);
	}
	for (i = 0; i < ARRAY_LEN(bad_fd_flags); i++) {
		arg = good;
		arg.fd_flags = bad_fd_flags[i];
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_USER,
					      &arg));
	}
	EXPECT_EQ(-EINVAL, fpga_alloc_user(self->ch, self->m.map, 0, RW));
}

TEST_F(user, bad_ranges)
{
	const __u64 here = (uintptr_t)self->m.map;
	const struct {
		__u64 address;
		__u64 length;
		int error;
	} bad[] = {
		{ UINT64_MAX, 1, -EOVERFLOW },
		{ UINT64_MAX - 4095, 4096, -EOVERFLOW },
		{ UINT64_MAX - 4095, 8192, -EOVERFLOW },
		{ here, UINT64_MAX, -EOVERFLOW },
		{ here, INT64_MAX, -EOVERFLOW },
		{ here, 1ULL << 62, -ENOMEM },
		{ here, 1ULL << 45, -ENOMEM },
		/* The kernel's, the last page there is, and the first one */
		{ 1ULL << 63, 4096, -EFAULT },
		{ UINT64_MAX - 8191, 4096, -EFAULT },
		{ 0, 4096, -EFAULT },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(bad[i].error,
			  fpga_alloc_user(self->ch,
					  (void *)(uintptr_t)bad[i].address,
					  bad[i].length, RW))
			TH_LOG("%#jx at %#jx", (uintmax_t)bad[i].length,
			       (uintmax_t)bad[i].address);
	}
}

/* A page in the middle, or the last one, is what is wrong. */
static int with_bad_page(const FIXTURE_DATA(user) *self, size_t n, int flags)
{
	int fd = fpga_alloc_user(self->ch, self->m.map + 100,
				 (n + 1) * self->page - 200, flags);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F(user, not_mapped)
{
	size_t n[] = { 0, 1, 20, 63 };
	size_t i;

	for (i = ARRAY_LEN(n); i-- > 0;) {
		EXPECT_EQ(0, with_bad_page(self, n[i], RW));
		ASSERT_EQ(0, munmap(self->m.map + n[i] * self->page,
				    self->page));
		EXPECT_EQ(-EFAULT, with_bad_page(self, n[i], RW));
		EXPECT_EQ(-EFAULT, with_bad_page(self, n[i], RO));
		EXPECT_EQ(self->pinned, pinned_pages());
	}
}

TEST_F(user, not_accessible)
{
	char *second = self->m.map + self->page;

	ASSERT_EQ(0, mprotect(second, self->page, PROT_READ));
	EXPECT_EQ(-EACCES, with_bad_page(self, 1, RW));
	EXPECT_EQ(-EACCES, with_bad_page(self, 1, O_WRONLY | O_CLOEXEC));
	EXPECT_EQ(0, with_bad_page(self, 1, RO));
	ASSERT_EQ(0, mprotect(second, self->page, PROT_NONE));
	EXPECT_EQ(-EACCES, with_bad_page(self, 1, RW));
	EXPECT_EQ(-EACCES, with_bad_page(self, 1, RO));
	EXPECT_EQ(self->pinned, pinned_pages());
	ASSERT_EQ(0, mprotect(second, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, with_bad_page(self, 1, RW));
}

TEST_F(user, past_the_end_of_a_file)
{
	struct memory m;

	ASSERT_EQ(0, memory_get(&m, MEMFD, 4 * self->page));
	ASSERT_EQ(0, ftruncate(m.file, 2 * self->page));
	EXPECT_EQ(-EFAULT, fpga_alloc_user(self->ch, m.map, m.size, RW));
	EXPECT_EQ(-EFAULT, fpga_alloc_user(self->ch, m.map, m.size, RO));
	EXPECT_LE(0, fpga_alloc_user(self->ch, m.map, 2 * self->page, RW));
}

/* A mapped dma-buf has no pages that anybody else may hold. */
TEST_F(user, of_a_dma_buf)
{
	struct buffer b;
	__u32 kind;

	for (kind = 0; kind < SIZED_KINDS; kind++) {
		ASSERT_EQ(0, buffer_alloc(self->ch, 4 * self->page, kind, &b));
		EXPECT_EQ(-EOPNOTSUPP, fpga_alloc_user(self->ch, b.map,
						       b.size, RW))
			TH_LOG("%s", kind_names[kind]);
		EXPECT_EQ(-EOPNOTSUPP, fpga_alloc_user(self->ch, b.map,
						       b.size, RO));
		buffer_free(&b);
	}
}

TEST_F(user, unwritable_argument)
{
	struct fpgabuf_alloc_user arg = {
		.address = (uintptr_t)self->m.map,
		.length = self->m.size,
		.fd_flags = RW,
		.fd = -1,
	};
	void *page = read_only_copy(&arg, sizeof(arg));
	int fd = free_fd();

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_USER, page));
	EXPECT_EQ(fd, free_fd());
	EXPECT_EQ(self->pinned, pinned_pages());
}

/* Read-only memory, and how one may try to get it written in spite of that */

static int map_errno(int fd, int prot)
{
	void *map = mmap(NULL, 4096, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, 4096);
	return 0;
}

TEST_F(user, read_only)
{
	char path[64];
	void *map;
	int fd;

	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size, RO);
	ASSERT_LE(0, fd);
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	EXPECT_EQ(-EACCES, fpga_register(self->ch, fd, 0, 0));
	EXPECT_EQ(EACCES, map_errno(fd, PROT_READ | PROT_WRITE));
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_TRUE(all_bytes(self->m.map, BEFORE, self->m.size));
}

/* It may be pinned before it is first written. */
TEST_F(user, read_only_written_later)
{
	struct memory m;
	struct buffer b;

	m.size = 4 * self->page;
	m.map = mmap(NULL, m.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, m.map);
	b.fd = fpga_alloc_user(self->ch, m.map, m.size, RO);
	ASSERT_LE(0, b.fd);
	b.map = mmap(NULL, m.size, PROT_READ, MAP_SHARED, b.fd, 0);
	ASSERT_NE(MAP_FAILED, b.map);
	memset(m.map, 0x77, m.size);
	EXPECT_TRUE(all_bytes(b.map, 0x77, m.size));
}

/* Who maps it into the kernel could write it. */
TEST_F(user, read_only_mapped_by_the_kernel)
{
	size_t size;
	int fd, video;

	if (!module_loaded("vivid"))
		SKIP(return, "no vivid module");
	video = vivid_open(&size);
	ASSERT_LE(0, video);
	ASSERT_EQ(0, memory_get(&self->m, ANONYMOUS, size));
	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size, RO);
	ASSERT_LE(0, fd);
	EXPECT_GT(0, vivid_capture(video, fd, NULL, size));
	EXPECT_TRUE(all_bytes(self->m.map, BEFORE, self->m.size));
}

/* Whole pages are anybody's, parts of pages only the device's. */
TEST_F(user, other_devices)
{
	const struct {
		size_t offset;
		size_t length;
		int ret;
	} cases[] = {
		{ 0, 4 * self->page, 0 },
		{ self->page, self->page, 0 },
		{ 1, 4 * self->page - 1, -EOPNOTSUPP },
		{ 0, 4 * self->page - 1, -EOPNOTSUPP },
		{ 64, self->page, -EOPNOTSUPP },
	};
	__u32 handle;
	int fd, drm;
	size_t i;

	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	drm = vgem_open();
	ASSERT_LE(0, drm);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		int log = log_open();

		fd = fpga_alloc_user(self->ch, self->m.map + cases[i].offset,
				     cases[i].length, RW);
		ASSERT_LE(0, fd);
		EXPECT_EQ(cases[i].ret, vgem_import(drm, fd, &handle))
			TH_LOG("%zu at %zu", cases[i].length, cases[i].offset);
		EXPECT_EQ(!!cases[i].ret, log_says(log, "vgem",
						   "whole pages helps"));
		if (!cases[i].ret) {
			EXPECT_EQ(0, vgem_close(drm, handle));
		}
		close(log);
		close(fd);
	}
}

/* Another channel of the device takes it where its alignment allows. */
TEST_F(user, other_channel)
{
	const size_t size = 3 * self->page;
	int ch = fpga_open(0, O_RDWR);
	char *frame;
	int fd;

	ASSERT_LE(0, ch);
	frame = self->m.map + SIM_ALIGNMENT;
	fd = fpga_alloc_user(self->ch, frame, size, RW);
	ASSERT_LE(0, fd);
	EXPECT_STREQ("ok", capture_into(ch, fd, frame, size));
	close(fd);

	frame = self->m.map + SIM_ALIGNMENT + 4;
	fd = fpga_alloc_user(self->ch, frame, size, RW);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, fpga_register(ch, fd, 0, 0));
	close(fd);
	EXPECT_TRUE(all_bytes(self->m.map, BEFORE, SIM_ALIGNMENT));
}

/* The kernel sees it where it starts. */
TEST_F(user, mapped_by_the_kernel)
{
	char *aligned, *odd;
	struct memory m;
	size_t size;
	int fd, video;

	if (!module_loaded("vivid"))
		SKIP(return, "no vivid module");
	video = vivid_open(&size);
	ASSERT_LE(0, video);
	ASSERT_EQ(0, memory_get(&m, ANONYMOUS, 2 * size + 4 * self->page));
	aligned = m.map;
	fd = fpga_alloc_user(self->ch, aligned, size, RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vivid_capture(video, fd, NULL, size));
	close(fd);

	odd = m.map + (size / self->page + 2) * self->page + 1001;
	fd = fpga_alloc_user(self->ch, odd, size, RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vivid_capture(video, fd, NULL, size));
	close(fd);
	EXPECT_FALSE(all_bytes(aligned, BEFORE, size));
	EXPECT_EQ(0, memcmp(aligned, odd, size));
	EXPECT_TRUE(all_bytes(aligned + size, BEFORE, odd - aligned - size));
	EXPECT_TRUE(all_bytes(odd + size, BEFORE, self->page));
}

/* The file has what the device wrote when nothing else is left. */
TEST_F(user, file_keeps_it)
{
	const size_t size = 100000;
	struct fpgabuf_completion done;
	static char copy[100000];
	struct memory m;
	int fd;

	ASSERT_EQ(0, memory_get(&m, MEMFD, size));
	fd = fpga_alloc_user(self->ch, m.map, size, RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fpga_set_raw(self->ch, size, 0));
	ASSERT_EQ(0, fpga_register(self->ch, fd, 0, 0));
	ASSERT_EQ(0, munmap(m.map, m.size));
	ASSERT_EQ(0, fpga_capture(self->ch, 0, &done));
	close(fd);
	close(self->ch);
	ASSERT_EQ((ssize_t)size, pread(m.file, copy, size, 0));
	EXPECT_STREQ("ok", raw_check(copy, size, &done));
}

/* What madvise() takes away is only taken from the process. */
TEST_F(user, given_up)
{
	const size_t size = 8 * self->page;
	struct fpgabuf_completion done;
	struct buffer b;

	ASSERT_EQ(0, buffer_from_fd(fpga_alloc_user(self->ch, self->m.map,
						    size, RW), &b));
	ASSERT_EQ(0, stream_into(self->ch, b.fd, size));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, madvise(self->m.map, size, MADV_DONTNEED));
	EXPECT_TRUE(all_bytes(self->m.map, 0, size));
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, size, &done));
	EXPECT_TRUE(all_bytes(self->m.map, 0, size));
}

/* The child gets a copy: the pages that the device has stay with the parent. */
TEST_F(user, fork)
{
	const size_t size = 4 * self->page;
	struct fpgabuf_completion done;
	int fd, pipes[2];
	pid_t pid;
	char go;

	ASSERT_EQ(0, pipe(pipes));
	fd = fpga_alloc_user(self->ch, self->m.map + 8, size, RW);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stream_into(self->ch, fd, size));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		NEED(read(pipes[0], &go, 1) == 1);
		NEED(all_bytes(self->m.map, BEFORE, self->m.size));
		memset(self->m.map, 0x66, self->m.size);
		_exit(0);
	}
	/* Would be copied now, had the child the same page. */
	self->m.map[0] = BEFORE;
	self->m.map[size + 8] = BEFORE;
	ASSERT_EQ(1, next_frame(self->ch, &done));
	EXPECT_STREQ("ok", raw_check_synced(fd, self->m.map + 8, size, &done));
	ASSERT_EQ(1, write(pipes[1], "g", 1));
	EXPECT_EQ(0, end_of(pid));
	EXPECT_STREQ("ok", raw_check_synced(fd, self->m.map + 8, size, &done));
	ASSERT_EQ(1, next_frame(self->ch, &done));
	EXPECT_STREQ("ok", raw_check_synced(fd, self->m.map + 8, size, &done));
}

/* Capture into its own memory until it is killed. */
static void capture_forever(int ch, int socket)
{
	struct fpgabuf_completion done;
	struct memory m;
	int fd;

	NEED(!memory_get(&m, ANONYMOUS, 256 << 10));
	fd = fpga_alloc_user(ch, m.map, m.size, RW);
	NEED(fd >= 0);
	NEED(!stream_into(ch, fd, m.size));
	NEED(next_frame(ch, &done) == 1);
	NEED(!send_fd(socket, fd));
	for (;;)
		NEED(next_frame(ch, &done) == 1);
}

/* The memory is its last user's, and nobody else gets the pages meanwhile. */
TEST_F(user, killed_while_captured)
{
	int sockets[2], fd, round;
	struct buffer b;
	pid_t pid;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			capture_forever(self->ch, sockets[1]);
		fd = recv_fd(sockets[0]);
		ASSERT_LE(0, fd);
		pass_time(round * MSEC);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(256 + SIGKILL, end_of(pid));
		/* Its file was ours as well. */
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));

		ASSERT_EQ(0, buffer_from_fd(fd, &b));
		EXPECT_STREQ("ok", capture_into(self->ch, b.fd, b.map, b.size));
		buffer_free(&b);
		close(sockets[0]);
		close(sockets[1]);
	}
}

/* The channel goes with the process, in the middle of a frame. */
TEST_F(user, killed_with_its_channel)
{
	int sockets[2], ch, fd, round;
	struct buffer b;
	pid_t pid;

	close(self->ch);
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			capture_forever(fpga_open(SIM_BYTES, O_RDWR),
					sockets[1]);
		fd = recv_fd(sockets[0]);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(256 + SIGKILL, end_of(pid));

		ASSERT_EQ(0, buffer_from_fd(fd, &b));
		ch = fpga_open(SIM_BYTES, O_RDWR);
		ASSERT_LE(0, ch);
		EXPECT_STREQ("ok", capture_into(ch, b.fd, b.map, b.size));
		close(ch);
		buffer_free(&b);
		close(sockets[0]);
		close(sockets[1]);
	}
}

/* Become somebody who may lock @pages and no more. */
static void become_ordinary(size_t pages)
{
	const struct rlimit limit = {
		.rlim_cur = pages * page_size(),
		.rlim_max = pages * page_size(),
	};

	NEED(!setrlimit(RLIMIT_MEMLOCK, &limit));
	NEED(!setgroups(0, NULL));
	NEED(!setgid(ORDINARY_UID));
	NEED(!setuid(ORDINARY_UID));
}

/* To the page, and whether or not they are all there */
static void use_up_limit(int ch, char *map)
{
	const size_t page = page_size();
	int fd[4], i;

	become_ordinary(64);
	NEED(fpga_alloc_user(ch, map, 64 * page + 1, RW) == -ENOMEM);
	NEED(fpga_alloc_user(ch, map + 1, 64 * page, RO) == -ENOMEM);
	for (i = 0; i < 4; i++) {
		fd[i] = fpga_alloc_user(ch, map + 100, 16 * page - 100, RW);
		NEED(fd[i] >= 0);
	}
	NEED(fpga_alloc_user(ch, map, 1, RW) == -ENOMEM);
	NEED(!close(fd[1]));
	/* 16 are left: 17 are touched. */
	NEED(fpga_alloc_user(ch, map + 1, 16 * page, RW) == -ENOMEM);
	/* What fails takes nothing. */
	NEED(!munmap(map + 15 * page, page));
	NEED(fpga_alloc_user(ch, map, 16 * page, RW) == -EFAULT);
	fd[1] = fpga_alloc_user(ch, map + 16 * page, 16 * page, RW);
	NEED(fd[1] >= 0);
	NEED(fpga_alloc_user(ch, map, 1, RW) == -ENOMEM);
	for (i = 0; i < 4; i++)
		NEED(!close(fd[i]));
	NEED(fpga_alloc_user(ch, map + 16 * page, 48 * page, RW) >= 0);
	NEED(fpga_alloc_user(ch, map, 15 * page, RW) >= 0);
	NEED(fpga_alloc_user(ch, map, 1, RW) >= 0);
	NEED(fpga_alloc_user(ch, map, 1, RW) == -ENOMEM);
	_exit(0);
}

static const char limit_helps[] = "RLIMIT_MEMLOCK (ulimit -l) helps";

TEST_F(user, memlock_limit)
{
	int log = log_open();
	pid_t pid;

	ASSERT_LE(0, log);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		use_up_limit(self->ch, self->m.map);
	EXPECT_EQ(0, end_of(pid));
	EXPECT_TRUE(log_says(log, "fpgabuf: no ", limit_helps));
}

/* It is the user's, however many processes; and root's are not counted. */
static void hold(int ch, char *map, int socket)
{
	int fd;

	become_ordinary(64);
	fd = fpga_alloc_user(ch, map, 60 * page_size(), RW);
	NEED(fd >= 0);
	NEED(!send_fd(socket, fd));
	_exit(0);
}

static void have(int ch, char *map, size_t pages)
{
	const size_t page = page_size();

	become_ordinary(64);
	NEED(fpga_alloc_user(ch, map, (pages + 1) * page, RW) == -ENOMEM);
	NEED(fpga_alloc_user(ch, map, pages * page, RW) >= 0);
	_exit(0);
}

static int in_child(void (*func)(int ch, char *map, size_t pages),
		    const FIXTURE_DATA(user) *self, size_t pages)
{
	pid_t pid = fork();

	if (!pid)
		func(self->ch, self->m.map, pages);
	return pid < 0 ? -errno : end_of(pid);
}

TEST_F(user, memlock_is_the_users)
{
	int sockets[2], fd, own;
	pid_t pid;

	ASSERT_EQ(0, memory_get(&self->m, ANONYMOUS, 65 * self->page));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	own = fpga_alloc_user(self->ch, self->m.map, self->m.size, RW);
	ASSERT_LE(0, own);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		hold(self->ch, self->m.map, sockets[1]);
	fd = recv_fd(sockets[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, end_of(pid));

	/* Who has it is another user by now, and the process is gone. */
	EXPECT_EQ(0, in_child(have, self, 4));
	close(fd);
	EXPECT_EQ(0, in_child(have, self, 64));
}

/*
 * vivid is loaded anew, as a device that maps what it captures into; and again as
 * it was, since the order of the tests is the compiler's choice. It makes -EINVAL
 * of what the exporter says, and -EFAULT of memory that is in pieces.
 */
TEST_F(user, read_only_mapped_by_a_device)
{
	const char *const remove[] = { "modprobe", "-r", "vivid", NULL };
	const char *const load[] = {
		"modprobe", "vivid", VIVID_PARAM, "allocators=1", NULL,
	};
	const char *const restore[] = { "modprobe", "vivid", VIVID_PARAM, NULL };
	size_t size;
	int fd, video, ret;

	if (!module_loaded("vivid"))
		SKIP(return, "no vivid module");
	ASSERT_EQ(0, run_program(remove));
	ASSERT_EQ(0, run_program(load));
	video = vivid_open(&size);
	ASSERT_LE(0, video);
	ASSERT_EQ(0, memory_get(&self->m, ANONYMOUS, size));
	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size, RO);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, vivid_capture(video, fd, NULL, size));
	EXPECT_TRUE(all_bytes(self->m.map, BEFORE, self->m.size));
	close(fd);

	fd = fpga_alloc_user(self->ch, self->m.map, self->m.size, RW);
	ASSERT_LE(0, fd);
	ret = vivid_capture(video, fd, NULL, size);
	EXPECT_TRUE(!ret || ret == -EFAULT) TH_LOG("%s", strerror(-ret));
	close(fd);
	close(video);
	EXPECT_EQ(0, run_program(remove));
	EXPECT_EQ(0, run_program(restore));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	load_module("vivid", VIVID_PARAM);
	return test_harness_run(argc, argv);
}
