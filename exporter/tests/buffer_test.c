// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the exporter's arithmetic: what sizes are possible, and how the
 * memory is cut to pieces that a device takes.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../exporter.h"

#define RAM_PAGES	1000UL

/**
 * struct alloc_case - a request on a machine with RAM_PAGES
 * @name: what is special
 * @size: bytes
 * @kind: kind of memory
 * @ret: the answer
 * @ram_pages: of the machine; 0: RAM_PAGES
 */
struct alloc_case {
	const char *name;
	size_t size;
	int kind;
	int ret;
	unsigned long ram_pages;
};

static const struct alloc_case alloc_cases[] = {
	{ "coherent", 1, FPGABUF_KIND_COHERENT, 0 },
	{ "contiguous", PAGE_SIZE, FPGABUF_KIND_CONTIGUOUS, 0 },
	{ "system", PAGE_SIZE + 1, FPGABUF_KIND_SYSTEM, 0 },
	{ "writecombine", PAGE_SIZE, FPGABUF_KIND_WRITECOMBINE, 0 },
	{ "noncontiguous", PAGE_SIZE, FPGABUF_KIND_NONCONTIGUOUS, 0 },
	{ "all of the memory", RAM_PAGES * PAGE_SIZE, FPGABUF_KIND_SYSTEM, 0 },
	{ "all of it, rounded up", RAM_PAGES * PAGE_SIZE - PAGE_SIZE + 1,
	  FPGABUF_KIND_SYSTEM, 0 },
	{ "a byte more", RAM_PAGES * PAGE_SIZE + 1, FPGABUF_KIND_SYSTEM,
	  -ENOMEM },
	{ "nothing", 0, FPGABUF_KIND_SYSTEM, -EINVAL },
	{ "user, of which a size says nothing", 1, FPGABUF_KIND_USER, -EINVAL },
	{ "pool, which needs more", PAGE_SIZE, FPGABUF_KIND_POOL, -EINVAL },
	{ "region", PAGE_SIZE, FPGABUF_KIND_REGION, 0 },
	{ "kind after the last one", 1, FPGABUF_KIND_REGION + 1, -EOPNOTSUPP },
	{ "kind before the first one", 1, -1, -EOPNOTSUPP },
	{ "largest that can be rounded up", SSIZE_MAX - PAGE_SIZE,
	  FPGABUF_KIND_SYSTEM, -ENOMEM },
	{ "one that cannot", SSIZE_MAX - PAGE_SIZE + 1, FPGABUF_KIND_SYSTEM,
	  -EOVERFLOW },
	{ "one that would be 0 pages", SIZE_MAX, FPGABUF_KIND_SYSTEM,
	  -EOVERFLOW },
#ifdef CONFIG_64BIT
	{ "longest piece", SZ_4G - PAGE_SIZE, FPGABUF_KIND_REGION, 0,
	  ULONG_MAX },
	{ "no piece is that long", SZ_4G - PAGE_SIZE + 1, FPGABUF_KIND_REGION,
	  -EFBIG, ULONG_MAX },
	{ "nor of the kernel's memory", SZ_4G, FPGABUF_KIND_CONTIGUOUS, -EFBIG,
	  SZ_4G / PAGE_SIZE },
	{ "nor coherent", SZ_4G, FPGABUF_KIND_COHERENT, -EFBIG,
	  SZ_4G / PAGE_SIZE },
	{ "nor write-combined", SZ_4G, FPGABUF_KIND_WRITECOMBINE, -EFBIG,
	  SZ_4G / PAGE_SIZE },
	{ "many pieces are", SZ_4G, FPGABUF_KIND_SYSTEM, 0, SZ_4G / PAGE_SIZE },
#endif
};

static void alloc_case_desc(const struct alloc_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(alloc_case, alloc_cases, alloc_case_desc);

static void buffer_test_alloc_check(struct kunit *test)
{
	const struct alloc_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->ret,
			fpgabuf_alloc_check(c->size, c->kind,
					    c->ram_pages ?: RAM_PAGES));
}

/**
 * struct user_case - memory of a process, on a machine with RAM_PAGES
 * @name: what is special
 * @address: where it starts
 * @length: bytes
 * @ret: the answer
 */
struct user_case {
	const char *name;
	unsigned long address;
	size_t length;
	int ret;
};

static const struct user_case user_cases[] = {
	{ "a page", PAGE_SIZE, PAGE_SIZE, 0 },
	{ "a byte", PAGE_SIZE - 1, 1, 0 },
	{ "the last byte but one", ULONG_MAX - 1, 1, 0 },
	{ "nothing", PAGE_SIZE, 0, -EINVAL },
	{ "as much as there is", 1, RAM_PAGES * PAGE_SIZE, 0 },
	{ "a byte more", 1, RAM_PAGES * PAGE_SIZE + 1, -ENOMEM },
	{ "the end of the range is 0", ULONG_MAX, 1, -EOVERFLOW },
	{ "past the end", ULONG_MAX - PAGE_SIZE, 2 * PAGE_SIZE, -EOVERFLOW },
	{ "no size that is possible", 0, SIZE_MAX, -EOVERFLOW },
};

static void user_case_desc(const struct user_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(user_case, user_cases, user_case_desc);

static void buffer_test_user_check(struct kunit *test)
{
	const struct user_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->ret, fpgabuf_user_check(c->address, c->length,
							 RAM_PAGES));
}

static void buffer_test_by_size(struct kunit *test)
{
	int kind;

	for (kind = -1; kind <= FPGABUF_KIND_REGION + 1; kind++)
		KUNIT_EXPECT_EQ_MSG(test, (kind >= FPGABUF_KIND_COHERENT &&
					   kind <= FPGABUF_KIND_NONCONTIGUOUS) ||
				    kind == FPGABUF_KIND_REGION,
				    fpgabuf_kind_by_size(kind), "kind %d",
				    kind);
}

/* Pages of the blocks that the tables of the tests are made of */
#define BLOCK_ORDER	4
#define BLOCK_PAGES	((unsigned int)BIT(BLOCK_ORDER))
#define NUM_BLOCKS	3

/**
 * struct cut_test - what a test has to give back
 * @blocks: memory
 * @from: a table of it
 * @to: the same, cut
 */
struct cut_test {
	struct page *blocks[NUM_BLOCKS];
	struct sg_table from;
	struct sg_table to;
};

static int cut_test_init(struct kunit *test)
{
	struct cut_test *t;
	unsigned int i;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	for (i = 0; i < NUM_BLOCKS; i++) {
		t->blocks[i] = alloc_pages(GFP_KERNEL | __GFP_COMP,
					   BLOCK_ORDER);
		KUNIT_ASSERT_NOT_NULL(test, t->blocks[i]);
	}
	return 0;
}

static void cut_test_exit(struct kunit *test)
{
	struct cut_test *t = test->priv;
	unsigned int i;

	sg_free_table(&t->to);
	sg_free_table(&t->from);
	for (i = 0; i < NUM_BLOCKS; i++)
		if (t->blocks[i])
			__free_pages(t->blocks[i], BLOCK_ORDER);
}

/**
 * struct cut_case - a table of blocks, and the longest piece
 * @name: what is special
 * @pages: of each block
 * @max: longest piece, in pages
 * @pieces: how many come out
 * @boundary: pages that a piece must not cross a multiple of; 0: none. The
 *	blocks are aligned to their size
 * @own: page number of the address on the device that the blocks have, in one
 *	piece; 0: none
 * @head: bytes of the first page that are not in the table
 * @tail: bytes of the last page that are not
 */
struct cut_case {
	const char *name;
	unsigned int pages[NUM_BLOCKS];
	size_t max;
	unsigned int pieces;
	unsigned int boundary;
	unsigned int own;
	unsigned int head;
	unsigned int tail;
};

static const struct cut_case cut_cases[] = {
	{ "not cut", { 16, 4, 1 }, 256, 3 },
	{ "just long enough", { 16, 16, 4 }, 16, 3 },
	{ "in halves", { 16, 2, 16 }, 8, 5 },
	{ "with a rest", { 16, 7, 1 }, 5, 7 },
	{ "page by page", { 3, 16, 5 }, 1, 24 },
	{ "a byte less in front", { 16, 4, 1 }, 256, 3, .head = 1 },
	{ "a byte less at the end", { 16, 4, 1 }, 256, 3, .tail = 1 },
	{ "a byte of the first page", { 2, 4, 1 }, 256, 3,
	  .head = PAGE_SIZE - 1 },
	{ "a byte of the last page", { 2, 4, 1 }, 256, 3,
	  .tail = PAGE_SIZE - 1 },
	{ "unaligned, in halves", { 16, 2, 16 }, 8, 5, .head = 100,
	  .tail = 3000 },
	{ "unaligned, with a rest", { 16, 7, 1 }, 5, 7, .head = 4000,
	  .tail = 4000 },
	{ "unaligned, page by page", { 3, 16, 5 }, 1, 24, .head = 13,
	  .tail = 77 },
	{ "boundary before the longest", { 16, 16, 5 }, 256, 10,
	  .boundary = 4 },
	{ "boundary after the longest", { 16, 4, 1 }, 4, 6, .boundary = 16 },
	{ "boundary and longest out of step", { 16, 3, 1 }, 3, 10,
	  .boundary = 4 },
	{ "a page between boundaries", { 16, 3, 1 }, 256, 20, .boundary = 1 },
	{ "unaligned, with a boundary", { 16, 16, 5 }, 256, 10, .boundary = 4,
	  .head = 4095, .tail = 4095 },
	{ "boundary at the device's address", { 16, 16, 5 }, 256, 12,
	  .boundary = 4, .own = 3 },
	{ "boundary with no block's end", { 3, 3, 3 }, 256, 5,
	  .boundary = 4, .own = 8 },
	{ "device's address, and no boundary", { 16, 4, 1 }, 256, 3,
	  .own = 5 },
};

static void cut_case_desc(const struct cut_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cut_case, cut_cases, cut_case_desc);

static unsigned long cut_boundary(const struct cut_case *c)
{
	return c->boundary ? (c->boundary << PAGE_SHIFT) - 1 : ULONG_MAX;
}

/* @at: bytes from the start of the table to it */
static void expect_piece(struct kunit *test, const struct cut_case *c,
			 struct scatterlist *sg, size_t at)
{
	const u64 first = c->own ? ((u64)c->own << PAGE_SHIFT) + at :
			  page_to_phys(sg_page(sg)) + sg->offset;
	const unsigned long mask = ~cut_boundary(c);

	KUNIT_EXPECT_GT(test, sg->length, 0);
	KUNIT_EXPECT_LE(test, sg->length, c->max << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, first & mask, (first + sg->length - 1) & mask);
}

/*
 * Every byte once and in order, no piece too long, none across blocks, and none
 * but the first one and the last one with a part of a page.
 */
static void expect_pieces(struct kunit *test, const struct cut_case *c)
{
	struct cut_test *t = test->priv;
	unsigned int i, block = 0;
	struct scatterlist *sg;
	size_t at = c->head, before = 0;

	for_each_sgtable_sg(&t->to, sg, i) {
		size_t end;

		KUNIT_ASSERT_LT(test, block, NUM_BLOCKS);
		end = c->pages[block] << PAGE_SHIFT;
		if (block == NUM_BLOCKS - 1)
			end -= c->tail;
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg),
				    t->blocks[block] + (at >> PAGE_SHIFT));
		KUNIT_EXPECT_EQ(test, offset_in_page(at), sg->offset);
		KUNIT_EXPECT_TRUE(test, !i || !sg->offset);
		expect_piece(test, c, sg, before);
		before += sg->length;
		at += sg->length;
		KUNIT_ASSERT_LE(test, at, end);
		if (at == end) {
			at = 0;
			block++;
		} else {
			KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(at));
		}
	}
	KUNIT_EXPECT_EQ(test, NUM_BLOCKS, block);
}

static void cut_from(struct kunit *test, const struct cut_case *c)
{
	struct cut_test *t = test->priv;
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0,
			sg_alloc_table(&t->from, NUM_BLOCKS, GFP_KERNEL));
	for_each_sgtable_sg(&t->from, sg, i) {
		const unsigned int head = i ? 0 : c->head;
		const unsigned int tail = i < NUM_BLOCKS - 1 ? 0 : c->tail;

		sg_set_page(sg, t->blocks[i],
			    (c->pages[i] << PAGE_SHIFT) - head - tail, head);
	}
}

static void buffer_test_cut(struct kunit *test)
{
	const struct cut_case *c = test->param_value;
	const struct fpgabuf_cut cut = {
		.max = c->max << PAGE_SHIFT,
		.boundary = cut_boundary(c),
		.own = c->own ? (dma_addr_t)c->own << PAGE_SHIFT :
				DMA_MAPPING_ERROR,
	};
	struct cut_test *t = test->priv;

	cut_from(test, c);
	KUNIT_ASSERT_EQ(test, 0, fpgabuf_cut_table(&t->from, &t->to, &cut));
	KUNIT_EXPECT_EQ(test, c->pieces, t->to.orig_nents);
	expect_pieces(test, c);
}

static struct kunit_case buffer_test_alloc_cases[] = {
	KUNIT_CASE_PARAM(buffer_test_alloc_check, alloc_case_gen_params),
	KUNIT_CASE_PARAM(buffer_test_user_check, user_case_gen_params),
	KUNIT_CASE(buffer_test_by_size),
	{}
};

static struct kunit_case buffer_test_cut_cases[] = {
	KUNIT_CASE_PARAM(buffer_test_cut, cut_case_gen_params),
	{}
};

static struct kunit_suite buffer_test_suites[] = {
	{
		.name = "fpgabuf_alloc",
		.test_cases = buffer_test_alloc_cases,
	}, {
		.name = "fpgabuf_cut",
		.init = cut_test_init,
		.exit = cut_test_exit,
		.test_cases = buffer_test_cut_cases,
	},
};

kunit_test_suites(&buffer_test_suites[0], &buffer_test_suites[1]);

MODULE_DESCRIPTION("KUnit tests of fpgabuf_exporter");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
