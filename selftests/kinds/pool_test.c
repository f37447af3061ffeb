// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_ALLOC_POOL: many small blocks in one dma-buf, each where the device
 * wants it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "kinds_test.h"

#define DEVICE	"/sys/bus/platform/devices/" SIM_DRIVER ".0"
#define MAX	FPGABUF_POOL_MAX_BLOCK

FIXTURE(pool) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(pool)
{
	REQUIRE_CHANNEL_NUMBER(SIM_BYTES, self->before);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(pool)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static const struct {
	__u32 block_size;
	__u32 num_blocks;
	__u32 alignment;
	__u32 boundary;
	__u32 stride;
} layouts[] = {
	{ 1, 1, 0, 0, 1 },
	{ 1, 500, 0, 0, 1 },
	{ 40, 10, 0, 0, 64 },
	{ 40, 10, 1, 0, 40 },
	{ 40, 1000, 1, 0, 64 },
	{ 40, 1000, 16, 128, 64 },
	{ 100, 3, 16, 4096, 112 },
	{ 100, 300, 4, 4096, 128 },
	{ 64, 500, 64, 256, 64 },
	{ 64, 10, 65536, 0, 65536 },
	{ 1500, 200, 4, 65536, 2048 },
	{ 5000, 30, 8, 0, 5000 },
	{ 5000, 30, 8, 65536, 8192 },
	{ 300000, 3, 64, MAX, 300032 },
	{ 300000, 4, 64, MAX, 524288 },
	{ MAX, 2, 0, 0, MAX },
};

static bool within(__u64 start, __u64 len, __u64 limit)
{
	return !limit || start / limit == (start + len - 1) / limit;
}

/* @n, rounded up to one */
static __u32 power_of_two(__u32 n)
{
	__u32 power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/*
 * "ok", or what is wrong with the block of layout @i that starts at @start. The
 * first one is at a multiple of all that counts; a test in the kernel sees that.
 */
static const char *block_check(__u64 start, size_t i)
{
	const __u32 size = layouts[i].block_size;

	if (start % (layouts[i].alignment ?: power_of_two(size)))
		return "not aligned";
	if (!within(start, size, layouts[i].boundary))
		return "crosses a boundary";
	if (size <= page_size() && !within(start, size, page_size()))
		return "crosses a page";
	return "ok";
}

TEST_F(pool, layout)
{
	struct buffer b;
	__u32 stride, n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(layouts); i++) {
		int fd = fpga_alloc_pool(self->ch, layouts[i].block_size,
					 layouts[i].num_blocks,
					 layouts[i].alignment,
					 layouts[i].boundary, &stride);

		ASSERT_LE(0, fd) TH_LOG("layout %zu", i);
		EXPECT_EQ(layouts[i].stride, stride);
		ASSERT_EQ(0, buffer_from_fd(fd, &b));
		EXPECT_EQ(0U, b.size % page_size());
		EXPECT_LE((size_t)stride * (layouts[i].num_blocks - 1) +
			  layouts[i].block_size, b.size);
		EXPECT_TRUE(all_bytes(b.map, 0, b.size));
		memset(b.map, BEFORE, b.size);
		for (n = 0; n < layouts[i].num_blocks; n++)
			EXPECT_STREQ("ok", block_check((__u64)n * stride, i))
				TH_LOG("block %u of layout %zu", n, i);
		buffer_free(&b);
	}
}

/* A frame into each of some blocks, and nothing into what is beside it */
static const char *capture_block(int ch, const struct buffer *b, __u32 stride,
				 __u32 n, size_t size)
{
	const size_t offset = (size_t)n * stride;
	char *frame = (char *)b->map + offset;
	struct fpgabuf_completion done;
	const char *verdict;
	int slot;

	memset(b->map, BEFORE, b->size);
	slot = fpga_register(ch, b->fd, offset, size);
	if (slot < 0)
		return strerror(-slot);
	if (fpga_capture(ch, slot, &done))
		return "cannot capture";
	verdict = raw_check_synced(b->fd, frame, size, &done);
	if (fpga_unregister(ch, slot))
		return "cannot unregister";
	if (!all_bytes(b->map, BEFORE, offset) ||
	    !all_bytes(frame + size, BEFORE, b->size - offset - size))
		return "more was written than the block";
	return verdict;
}

TEST_F(pool, capture)
{
	static const __u32 blocks[] = { 0, 1, 31, 32, 77, 99 };
	struct buffer b;
	__u32 stride;
	size_t i;

	ASSERT_EQ(0, buffer_from_fd(fpga_alloc_pool(self->ch, 101, 100, 1, 4096,
						    &stride), &b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, 101, 0));
	for (i = 0; i < ARRAY_LEN(blocks); i++)
		EXPECT_STREQ("ok", capture_block(self->ch, &b, stride,
						 blocks[i], 101))
			TH_LOG("block %u", blocks[i]);
	buffer_free(&b);
}

/* All blocks of a buffer at a time, on a channel that wants them aligned */
TEST_F(pool, capture_all)
{
	struct fpgabuf_queue_entry queue[SIM_DEPTH] = { 0 };
	struct fpgabuf_completion done[SIM_DEPTH];
	struct buffer b;
	__u32 stride;
	int ch, i;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, buffer_from_fd(fpga_alloc_pool(ch, 200, SIM_DEPTH,
						    SIM_ALIGNMENT, 0, &stride),
				    &b));
	EXPECT_EQ(256U, stride);
	ASSERT_EQ(0, fpga_set_raw(ch, 200, 0));
	for (i = 0; i < SIM_DEPTH; i++) {
		int slot = fpga_register(ch, b.fd, i * stride, 200);

		ASSERT_LE(0, slot);
		queue[i].slot = slot;
	}
	ASSERT_EQ(1, fpga_start(ch));
	ASSERT_EQ(SIM_DEPTH, fpga_exchange(ch, queue, SIM_DEPTH, done,
					   SIM_DEPTH, SIM_DEPTH, 5 * SEC));
	for (i = 0; i < SIM_DEPTH; i++) {
		char *frame = (char *)b.map + i * stride;

		EXPECT_STREQ("ok", raw_check(frame, 200, &done[i]));
		EXPECT_TRUE(all_bytes(frame + 200, 0, stride - 200));
	}
	close(ch);
	buffer_free(&b);
}

static const struct {
	__u32 block_size;
	__u32 num_blocks;
	__u32 alignment;
	__u32 boundary;
	int error;
} bad[] = {
	{ 0, 1, 0, 0, -EINVAL },
	{ MAX + 1, 1, 0, 0, -EINVAL },
	{ ~0U, 1, 0, 0, -EINVAL },
	{ 64, 0, 0, 0, -EINVAL },
	{ 64, 1, 3, 0, -EINVAL },
	{ 64, 1, 2 * MAX, 0, -EINVAL },
	{ 64, 1, ~0U, 0, -EINVAL },
	{ 64, 1, 0, 65, -EINVAL },
	{ 64, 1, 0, 32, -EINVAL },
	{ 64, 1, 0, ~0U, -EINVAL },
	{ 64, 1U << 25, 0, 0, -EOVERFLOW },
	{ MAX, 2048, 0, 0, -EOVERFLOW },
	{ MAX, ~0U, MAX, 1U << 31, -EOVERFLOW },
	{ 1, 2048, MAX, 0, -EOVERFLOW },
};

TEST_F(pool, bad_layouts)
{
	__u32 stride;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(bad[i].error,
			  fpga_alloc_pool(self->ch, bad[i].block_size,
					  bad[i].num_blocks, bad[i].alignment,
					  bad[i].boundary, &stride))
			TH_LOG("layout %zu", i);
		EXPECT_EQ(0U, stride);
	}
}

TEST_F(pool, bad_flags)
{
	static const __u32 bad_fd_flags[] = {
		O_ACCMODE, O_RDWR | O_NONBLOCK, O_RDWR | O_APPEND, 1U << 31,
	};
	const struct fpgabuf_alloc_pool good = {
		.block_size = 64,
		.num_blocks = 64,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	struct fpgabuf_alloc_pool arg;
	size_t i;

	for (i = 0; i < 32; i++) {
		arg = good;
		arg.flags = 1U << i;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_POOL,
					      &arg));
		EXPECT_EQ(-1, arg.fd);
	}
	for (i = 0; i < ARRAY_LEN(bad_fd_flags); i++) {
		arg = good;
		arg.fd_flags = bad_fd_flags[i];
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_POOL,
					      &arg));
	}
}

/* Nearly 2 GiB in one piece: there is none. */
TEST_F(pool, shortage_says_what_helps)
{
	const __u64 memory = sysconf(_SC_PHYS_PAGES) * (__u64)page_size();
	__u32 stride, blocks = memory / 2 / MAX;
	int log = log_open();

	ASSERT_LE(0, log);
	if (!access(DEVICE "/iommu_group", F_OK))
		SKIP(return, "behind an IOMMU coherent memory is in pieces");
	EXPECT_EQ(-ENOMEM, fpga_alloc_pool(self->ch, MAX,
					   blocks < 2047 ? blocks : 2047, 0, 0,
					   &stride));
	EXPECT_TRUE(log_says(log, " bytes of pool memory", "(cma=)"));
}

TEST_F(pool, unwritable_argument)
{
	struct fpgabuf_alloc_pool arg = {
		.block_size = 64,
		.num_blocks = 64,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	void *page = read_only_copy(&arg, sizeof(arg));
	int fd = free_fd();

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC_POOL, page));
	EXPECT_EQ(fd, free_fd());
}

/* Several at a time are different memory, and the memory is the device's. */
TEST_F(pool, separate)
{
	struct buffer b[4];
	struct totals now;
	__u32 stride;
	size_t i;

	for (i = 0; i < ARRAY_LEN(b); i++) {
		ASSERT_EQ(0, buffer_from_fd(fpga_alloc_pool(self->ch, 64, 64, 0,
							    0, &stride),
					    &b[i]));
		EXPECT_TRUE(all_bytes(b[i].map, 0, b[i].size));
		memset(b[i].map, i + 1, b[i].size);
	}
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[FPGABUF_KIND_POOL] + 4,
		  now.count[FPGABUF_KIND_POOL]);
	EXPECT_EQ(self->before.bytes[FPGABUF_KIND_POOL] + 4 * 4096,
		  now.bytes[FPGABUF_KIND_POOL]);
	close(self->ch);
	for (i = 0; i < ARRAY_LEN(b); i++) {
		EXPECT_TRUE(all_bytes(b[i].map, i + 1, b[i].size));
		buffer_free(&b[i]);
	}
}

TEST_HARNESS_MAIN
