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
 */
struct alloc_case {
	const char *name;
	size_t size;
	int kind;
	int ret;
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
	{ "kind after the last one", 1, FPGABUF_KIND_NONCONTIGUOUS + 1,
	  -EOPNOTSUPP },
	{ "kind before the first one", 1, -1, -EOPNOTSUPP },
	{ "largest that can be rounded up", SSIZE_MAX - PAGE_SIZE,
	  FPGABUF_KIND_SYSTEM, -ENOMEM },
	{ "one that cannot", SSIZE_MAX - PAGE_SIZE + 1, FPGABUF_KIND_SYSTEM,
	  -EOVERFLOW },
	{ "one that would be 0 pages", SIZE_MAX, FPGABUF_KIND_SYSTEM,
	  -EOVERFLOW },
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
			fpgabuf_alloc_check(c->size, c->kind, RAM_PAGES));
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
 */
struct cut_case {
	const char *name;
	unsigned int pages[NUM_BLOCKS];
	size_t max;
	unsigned int pieces;
};

static const struct cut_case cut_cases[] = {
	{ "not cut", { 16, 4, 1 }, 256, 3 },
	{ "just long enough", { 16, 16, 4 }, 16, 3 },
	{ "in halves", { 16, 2, 16 }, 8, 5 },
	{ "with a rest", { 16, 7, 1 }, 5, 7 },
	{ "page by page", { 3, 16, 5 }, 1, 24 },
};

static void cut_case_desc(const struct cut_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cut_case, cut_cases, cut_case_desc);

/* Every page once and in order, no piece too long, none across blocks. */
static void expect_pieces(struct kunit *test, const struct cut_case *c)
{
	struct cut_test *t = test->priv;
	unsigned int i, block = 0, page = 0;
	struct scatterlist *sg;

	for_each_sgtable_sg(&t->to, sg, i) {
		KUNIT_ASSERT_LT(test, block, NUM_BLOCKS);
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg), t->blocks[block] + page);
		KUNIT_EXPECT_EQ(test, 0, sg->offset);
		KUNIT_EXPECT_GT(test, sg->length, 0);
		KUNIT_EXPECT_LE(test, sg->length, c->max << PAGE_SHIFT);
		page += sg->length >> PAGE_SHIFT;
		KUNIT_ASSERT_LE(test, page, c->pages[block]);
		if (page == c->pages[block]) {
			page = 0;
			block++;
		}
	}
	KUNIT_EXPECT_EQ(test, NUM_BLOCKS, block);
}

static void buffer_test_cut(struct kunit *test)
{
	const struct cut_case *c = test->param_value;
	struct cut_test *t = test->priv;
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0,
			sg_alloc_table(&t->from, NUM_BLOCKS, GFP_KERNEL));
	for_each_sgtable_sg(&t->from, sg, i)
		sg_set_page(sg, t->blocks[i], c->pages[i] << PAGE_SHIFT, 0);

	KUNIT_ASSERT_EQ(test, 0, fpgabuf_cut_table(&t->from, &t->to,
						   c->max << PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, c->pieces, t->to.orig_nents);
	expect_pieces(test, c);
}

static struct kunit_case buffer_test_alloc_cases[] = {
	KUNIT_CASE_PARAM(buffer_test_alloc_check, alloc_case_gen_params),
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

MODULE_DESCRIPTION("KUnit tests of fpgabuf_exporter's pure logic");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
