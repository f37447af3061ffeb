// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the device tree reserves for a board, of each sort: what comes from
 * it, when it is used up, who else may have it, and what is left when the board
 * goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "soc.h"

FIXTURE(reserved) {
	struct totals before;
	int node;
	long cma_used;
};

/*
 * board, index: which entry of whose memory-region; kind: what comes from it;
 * pieces: its megabytes; more: how many there are not in one piece when all of it
 * is used, since the kernel looks elsewhere for what does not fit into a reusable
 * one; knob: the line that says so.
 */
FIXTURE_VARIANT(reserved) {
	const char *board;
	int index;
	__u32 kind;
	int pieces;
	int more;
	const char *knob;
	bool no_heap;
};

FIXTURE_VARIANT_ADD(reserved, coherent) {
	.board = "soc-coherent",
	.kind = FPGABUF_KIND_COHERENT,
	.pieces = 4,
	.more = 1,
	.knob = "bytes of coherent memory; a larger memory-region",
};

FIXTURE_VARIANT_ADD(reserved, reusable) {
	.board = "soc-reusable",
	.kind = FPGABUF_KIND_CONTIGUOUS,
	.pieces = 16,
	.more = 32,
	.knob = "bytes of contiguous memory; a larger memory-region",
};

FIXTURE_VARIANT_ADD(reserved, reusable_coherent) {
	.board = "soc-reusable",
	.kind = FPGABUF_KIND_COHERENT,
	.pieces = 16,
	.more = 32,
	.knob = "bytes of coherent memory; a larger memory-region",
};

FIXTURE_VARIANT_ADD(reserved, carve_out) {
	.board = "soc-carveout",
	.kind = FPGABUF_KIND_REGION,
	.pieces = 4,
	.more = 1,
	.knob = "a larger reserved area",
};

FIXTURE_VARIANT_ADD(reserved, all_carve_out) {
	.board = "soc-all",
	.index = 0,
	.kind = FPGABUF_KIND_REGION,
	.pieces = 4,
	.more = 1,
	.knob = "a larger reserved area",
};

FIXTURE_VARIANT_ADD(reserved, all_reusable) {
	.board = "soc-all",
	.index = 1,
	.kind = FPGABUF_KIND_CONTIGUOUS,
	.pieces = 16,
	.more = 32,
	.knob = "bytes of contiguous memory; a larger memory-region",
};

FIXTURE_VARIANT_ADD(reserved, all_coherent) {
	.board = "soc-all",
	.index = 2,
	.kind = FPGABUF_KIND_COHERENT,
	.pieces = 4,
	.more = 1,
	.knob = "bytes of coherent memory; a larger memory-region",
};

FIXTURE_VARIANT_ADD(reserved, engine_carve_out) {
	.board = "soc-engine",
	.index = 0,
	.kind = FPGABUF_KIND_REGION,
	.pieces = 4,
	.more = 1,
	.knob = "a larger reserved area",
	.no_heap = true,
};

FIXTURE_SETUP(reserved)
{
	REQUIRE_CHANNEL(self->before);
	if (soc_missing())
		SKIP(return, "%s", soc_missing());
	self->node = soc_load();
	ASSERT_LE(0, self->node);
	self->cma_used = soc_cma_used("reusable@31000000");
	ASSERT_LE(0, self->cma_used);
}

FIXTURE_TEARDOWN_PARENT(reserved)
{
	EXPECT_EQ(0, soc_unload());
	EXPECT_EQ(self->cma_used, soc_cma_used("reusable@31000000"));
	EXPECT_NOTHING_LEFT(self->before);
}

static int room(int node, const FIXTURE_VARIANT(reserved) *v, int count)
{
	return soc_room(node, v->board, v->kind, v->index, count);
}

static void fill(const struct buffer *b, __u32 first)
{
	__u32 *word = b->map;
	size_t i;

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	for (i = 0; i < b->size / sizeof(*word); i++)
		word[i] = first + i;
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static bool holds(const struct buffer *b, const void *map, __u32 first)
{
	const __u32 *word = map;
	size_t i;

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (i = 0; i < b->size / sizeof(*word) && word[i] == first + i; i++)
		;
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return i == b->size / sizeof(*word);
}

/* What is not of that kind comes from the rest of the memory. */
TEST_F(reserved, is_where_memory_comes_from)
{
	struct buffer b;

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &b));
	EXPECT_TRUE(all_bytes(b.map, 0, MIB));
	EXPECT_EQ(variant->index, soc_where(self->node, variant->board, b.fd));
	EXPECT_EQ(-ERANGE, soc_where(self->node, "soc-none", b.fd));
	buffer_free(&b);

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB,
			       FPGABUF_KIND_SYSTEM, &b));
	EXPECT_EQ(-ERANGE, soc_where(self->node, variant->board, b.fd));
	buffer_free(&b);
}

/* Another device's memory of that kind is elsewhere. */
TEST_F(reserved, is_for_its_board)
{
	struct buffer b;

	if (variant->kind == FPGABUF_KIND_REGION) {
		EXPECT_EQ(-EOPNOTSUPP, soc_get(self->node, "soc-none", MIB,
					       variant->kind));
		return;
	}
	ASSERT_EQ(0, soc_alloc(self->node, "soc-none", MIB, variant->kind, &b));
	EXPECT_EQ(-ERANGE, soc_where(self->node, variant->board, b.fd));
	buffer_free(&b);
}

/* When there is no more of it, what helps is said, or more is found elsewhere. */
TEST_F(reserved, is_used_up)
{
	int fds[SOC_PIECES];
	int log = log_open();
	int count, fd;

	ASSERT_LE(0, log);
	/* More than the RAM: a reusable area is a part of that, others are not. */
	EXPECT_EQ(variant->more > 1 ? -ENOMEM : -EFBIG,
		  soc_get(self->node, variant->board, 1ULL << 45,
			  variant->kind));
	count = soc_take(self->node, variant->board, variant->kind,
			 variant->index, variant->pieces, fds);
	EXPECT_EQ(variant->pieces, count);
	fd = soc_get(self->node, variant->board, variant->more * MIB,
		     variant->kind);
	EXPECT_EQ(-ENOMEM, fd);
	EXPECT_TRUE(log_says(log, variant->knob, "helps"));
	soc_give_back(fds, count);
	EXPECT_EQ(variant->pieces, room(self->node, variant, variant->pieces));
	close(log);
}

/* Recycled, or through the pool */
TEST_F(reserved, is_cleared)
{
	size_t size = variant->pieces * MIB / 2;
	struct buffer b;
	int round;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, soc_alloc(self->node, variant->board, size,
				       variant->kind, &b));
		EXPECT_EQ(variant->index,
			  soc_where(self->node, variant->board, b.fd));
		EXPECT_TRUE(all_bytes(b.map, 0, size));
		memset(b.map, 0xa5, size);
		buffer_free(&b);
	}
	ASSERT_EQ(0, soc_write("unbind", variant->board));
	ASSERT_EQ(0, soc_write("bind", variant->board));
	ASSERT_EQ(0, soc_alloc(self->node, variant->board, size, variant->kind,
			       &b));
	EXPECT_TRUE(all_bytes(b.map, 0, size));
	buffer_free(&b);
}

TEST_F(reserved, is_mapped_twice)
{
	struct buffer b;
	void *other;

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &b));
	other = dmabuf_map(b.fd, MIB);
	ASSERT_NE(NULL, other);
	fill(&b, 1);
	EXPECT_TRUE(holds(&b, other, 1));
	munmap(other, MIB);
	buffer_free(&b);
}

/*
 * A device that is not the board, nor snoops the CPU's caches, reads it and writes
 * it: mapped for it as memory that the kernel itself does not map, where it is.
 */
TEST_F(reserved, is_copied_by_an_engine)
{
	struct buffer from, to;

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &from));
	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &to));
	fill(&from, 0x10000);
	fill(&to, 0x20000);
	ASSERT_EQ(0, soc_copy(self->node, variant->board, from.fd, to.fd));
	EXPECT_TRUE(holds(&to, to.map, 0x10000));
	EXPECT_TRUE(holds(&from, from.map, 0x10000));
	buffer_free(&to);

	/* And memory of another board's */
	ASSERT_EQ(0, soc_alloc(self->node, "soc-none", MIB,
			       FPGABUF_KIND_CONTIGUOUS, &to));
	fill(&to, 0x30000);
	ASSERT_EQ(0, soc_copy(self->node, variant->board, to.fd, from.fd));
	EXPECT_TRUE(holds(&from, from.map, 0x30000));
	buffer_free(&to);
	buffer_free(&from);
}

/*
 * Whoever has it still has it. A carve-out nobody else gets meanwhile; from the other
 * areas it has moved.
 */
TEST_F(reserved, outlives_its_board)
{
	const int kept = variant->kind == FPGABUF_KIND_REGION;
	struct buffer b;
	void *other;

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &b));
	fill(&b, 5);
	ASSERT_EQ(0, soc_write("unbind", variant->board));
	EXPECT_EQ(-ENODEV, soc_get(self->node, variant->board, MIB,
				   variant->kind));
	EXPECT_TRUE(holds(&b, b.map, 5));
	other = dmabuf_map(b.fd, MIB);
	ASSERT_NE(NULL, other);
	EXPECT_TRUE(holds(&b, other, 5));
	munmap(other, MIB);

	ASSERT_EQ(0, soc_write("bind", variant->board));
	EXPECT_EQ(variant->pieces - kept,
		  room(self->node, variant, variant->pieces - kept));
	EXPECT_TRUE(holds(&b, b.map, 5));
	buffer_free(&b);
	EXPECT_EQ(variant->pieces,
		  room(self->node, variant, variant->pieces));
}

/* The last user is who gives it back, long after the board. */
TEST_F(reserved, goes_back_where_it_came_from)
{
	struct buffer b;

	ASSERT_EQ(0, soc_alloc(self->node, variant->board, MIB, variant->kind,
			       &b));
	ASSERT_EQ(0, soc_write("unbind", variant->board));
	buffer_free(&b);
	EXPECT_EQ(self->cma_used, soc_cma_used("reusable@31000000"));
	ASSERT_EQ(0, soc_write("bind", variant->board));
	EXPECT_EQ(variant->pieces,
		  room(self->node, variant, variant->pieces));
}

/*
 * A carve-out has a heap; the others' kinds have one anyway. Heaps are of the
 * board, and the carve-out of an engine is not.
 */
TEST_F(reserved, has_a_heap)
{
	struct dma_heap_allocation_data data = {
		.len = MIB,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[96];
	int heap;

	snprintf(path, sizeof(path), "/dev/dma_heap/fpgabuf-%s-%s",
		 variant->board, kind_names[variant->kind]);
	heap = open(path, O_RDONLY | O_CLOEXEC);
	if (variant->no_heap) {
		EXPECT_EQ(-1, heap);
		EXPECT_EQ(ENOENT, errno);
		return;
	}
	ASSERT_LE(0, heap);
	ASSERT_LE(0, fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data));
	EXPECT_EQ(variant->index,
		  soc_where(self->node, variant->board, data.fd));
	close(data.fd);
	close(heap);
}

TEST_HARNESS_MAIN
