// SPDX-License-Identifier: GPL-2.0
/*
 * A board with RAM behind a BAR, memory that has no struct page (QEMU's
 * ivshmem-plain). What it hands out is that BAR and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-heap.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fpgabuf_test.h"
#include "../pci/edu.h"
#include "board.h"

#define SIZE		(64 << 10)

/* A heap for everybody, of memory that everybody can import */
static int heap_get(size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[96];
	int heap, ret;

	snprintf(path, sizeof(path), "/dev/dma_heap/fpgabuf-%s-region",
		 board_name());
	heap = open(path, O_RDONLY | O_CLOEXEC);
	if (heap < 0)
		return -errno;
	ret = fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret < 0 ? ret : (int)data.fd;
}

FIXTURE(board) {
	struct totals before;
	int node;
	struct buffer b;
};

FIXTURE_VARIANT(board) {
	const char *param;
	bool shared;
};

/* First: there are kernels on which its heap stays. */
FIXTURE_VARIANT_ADD(board, carve_out) {
	.param = "on_board=0",
	.shared = true,
};

FIXTURE_VARIANT_ADD(board, on_board) {
	.param = "on_board=1",
};

FIXTURE_SETUP(board)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_FILE(BOARD_FILE);
	if (!board_name())
		SKIP(return, "no such board: QEMU's ivshmem-plain");
	self->node = board_load(variant->param);
	ASSERT_LE(0, self->node);
	ASSERT_EQ(0, buffer_from_fd(board_get(self->node, SIZE), &self->b));
}

FIXTURE_TEARDOWN_PARENT(board)
{
	EXPECT_EQ(0, board_unload());
	EXPECT_NOTHING_LEFT(self->before);
}

/* The size of the BAR, or 0 */
static size_t bar_size(void)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource2", board_name());
	return stat(path, &st) ? 0 : st.st_size;
}

/*
 * Another way to the same memory: as sysfs shows it, of a board that has no
 * driver which claims it.
 */
static void *map_bar(size_t size)
{
	char path[96];
	void *bar;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/enable", board_name());
	if (write_file(path, "1"))
		return NULL;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource2", board_name());
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return bar == MAP_FAILED ? NULL : bar;
}

static void fill(__u32 *word, size_t size, __u32 first)
{
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = first + i;
}

/* What was written is in the BAR when the driver has gone. */
TEST_F(board, is_the_bar)
{
	size_t size = bar_size(), at;
	static __u32 wanted[SIZE / sizeof(__u32)];
	char *bar;

	ASSERT_LT((size_t)SIZE, size);
	EXPECT_TRUE(all_bytes(self->b.map, 0, SIZE));
	fill(self->b.map, SIZE, 0x12345678);
	fill(wanted, SIZE, 0x12345678);
	ASSERT_EQ(0, board_write("unbind"));
	bar = map_bar(size);
	ASSERT_NE(NULL, bar);
	for (at = 0; at < size; at += SIZE)
		if (!memcmp(bar + at, wanted, SIZE))
			break;
	EXPECT_GT(size, at);
	munmap(bar, size);
	ASSERT_EQ(0, board_write("bind"));
}

/* All of it, in one piece, and cleared when it has been somebody's */
TEST_F(board, all_of_it)
{
	size_t size = bar_size();
	struct buffer all;

	EXPECT_EQ(-ENOMEM, board_get(self->node, size));
	buffer_free(&self->b);
	ASSERT_EQ(0, buffer_from_fd(board_get(self->node, size), &all));
	memset(all.map, 0xa5, size);
	EXPECT_EQ(-ENOMEM, board_get(self->node, SIZE));
	buffer_free(&all);
	ASSERT_EQ(0, buffer_from_fd(board_get(self->node, size), &all));
	EXPECT_TRUE(all_bytes(all.map, 0, size));
	buffer_free(&all);
}

/*
 * Another device reaches the board's memory peer to peer or not at all; a
 * carve-out is there for all of them, and has a heap.
 */
TEST_F(board, others)
{
	int ch, fd;

	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	fd = heap_get(SIZE);
	if (variant->shared) {
		EXPECT_EQ(0, fpga_register(ch, self->b.fd, 0, 0));
		EXPECT_LE(0, fd);
	} else {
		EXPECT_EQ(-EOPNOTSUPP, fpga_register(ch, self->b.fd, 0, 0));
		EXPECT_GT(0, fd);
	}
	close(fd);
	close(ch);
}

/* A device behind an IOMMU writes into the BAR. */
TEST_F(board, written_by_a_device)
{
	struct fpgabuf_info info;
	int ch;

	if (!variant->shared)
		SKIP(return, "on-board memory: not peer to peer");
	if (!edu_behind_iommu())
		SKIP(return, "no edu device behind an IOMMU");
	ch = edu_open(&info);
	ASSERT_LE(0, ch);
	EXPECT_STREQ("ok", edu_capture(ch, &self->b, 4096, 3000));
	close(ch);
}

/* A BAR that nobody drives any more reads as ones: better not at all. */
TEST_F(board, goes_with_its_board)
{
	struct buffer b;

	if (variant->shared)
		SKIP(return, "a carve-out stays");
	EXPECT_EQ(0, touch(self->b.map));
	ASSERT_EQ(0, board_write("unbind"));
	EXPECT_EQ(SIGBUS, touch(self->b.map));
	EXPECT_EQ(-ENODEV, board_get(self->node, SIZE));
	ASSERT_EQ(0, board_write("bind"));
	EXPECT_EQ(SIGBUS, touch(self->b.map));
	ASSERT_EQ(0, buffer_from_fd(board_get(self->node, SIZE), &b));
	EXPECT_TRUE(all_bytes(b.map, 0, SIZE));
	buffer_free(&b);
}

int main(int argc, char **argv)
{
	if (edu_behind_iommu())
		load_module(EDU_DRIVER, NULL);
	return test_harness_run(argc, argv);
}
