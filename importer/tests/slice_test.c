// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of how a mapped table is cut to what an engine takes. The tables
 * are made up: no device, and no memory behind the addresses.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../importer.h"

#define MAX_PIECES	8

/**
 * struct piece - an entry of a mapped table
 * @addr: DMA address
 * @len: bytes; the first one of 0 ends a list
 */
struct piece {
	u64 addr;
	unsigned int len;
};

/**
 * struct slice_test - what a test has to give back
 * @sgt: the mapped table
 * @slice: what was cut from it
 */
struct slice_test {
	struct sg_table sgt;
	struct sg_table slice;
};

static int slice_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct slice_test), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return 0;
}

static void slice_test_exit(struct kunit *test)
{
	struct slice_test *t = test->priv;

	sg_free_table(&t->slice);
	sg_free_table(&t->sgt);
}

/*
 * A table as an IOMMU leaves it, that mapped two more entries in front of the
 * space of others: what comes behind nents is not to be looked at.
 */
static void make_table(struct kunit *test, const struct piece *pieces,
		       unsigned int num)
{
	struct slice_test *t = test->priv;
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, sg_alloc_table(&t->sgt, num + 2, GFP_KERNEL));
	for_each_sgtable_sg(&t->sgt, sg, i) {
		sg_dma_address(sg) = i < num ? pieces[i].addr : 0xbad000;
		sg_dma_len(sg) = i < num ? pieces[i].len : SZ_4K;
	}
	t->sgt.nents = num;
}

static unsigned int count_pieces(const struct piece *pieces)
{
	unsigned int num = 0;

	while (num < MAX_PIECES && pieces[num].len)
		num++;
	return num;
}

static u64 total(const struct piece *pieces, unsigned int num)
{
	u64 len = 0;

	while (num--)
		len += pieces[num].len;
	return len;
}

/**
 * struct slice_case - a range, and how it is cut
 * @name: what is special
 * @in: the mapped table
 * @offset: of the range
 * @length: of the range
 * @max: longest segment
 * @out: what is wanted
 * @boundary: that no segment crosses a multiple of; 0: none
 */
struct slice_case {
	const char *name;
	struct piece in[MAX_PIECES];
	u64 offset;
	u64 length;
	unsigned int max;
	struct piece out[MAX_PIECES];
	unsigned long boundary;
};

static const struct slice_case slice_cases[] = {
	{ "all of one", { { 0x1000, 0x1000 } }, 0, 0x1000, SZ_1M,
	  { { 0x1000, 0x1000 } } },
	{ "inside of one", { { 0x1000, 0x1000 } }, 0x40, 0x80, SZ_1M,
	  { { 0x1040, 0x80 } } },
	{ "one byte", { { 0x1000, 0x1000 } }, 0xfff, 1, SZ_1M,
	  { { 0x1fff, 1 } } },
	{ "in order, not by address",
	  { { 0x9000, 0x1000 }, { 0x3000, 0x2000 }, { 0x7000, 0x1000 } },
	  0, 0x4000, SZ_1M,
	  { { 0x9000, 0x1000 }, { 0x3000, 0x2000 }, { 0x7000, 0x1000 } } },
	{ "neighbours become one",
	  { { 0x1000, 0x1000 }, { 0x2000, 0x1000 }, { 0x3000, 0x800 },
	    { 0x9000, 0x1000 } }, 0, 0x3800, SZ_1M,
	  { { 0x1000, 0x2800 }, { 0x9000, 0x1000 } } },
	{ "downwards they are none",
	  { { 0x2000, 0x1000 }, { 0x1000, 0x1000 } }, 0, 0x2000, SZ_1M,
	  { { 0x2000, 0x1000 }, { 0x1000, 0x1000 } } },
	{ "a gap of a byte",
	  { { 0x1000, 0x1000 }, { 0x2001, 0x1000 } }, 0, 0x2000, SZ_1M,
	  { { 0x1000, 0x1000 }, { 0x2001, 0x1000 } } },
	{ "cut at the longest segment", { { 0x10000, 0x5000 } },
	  0, 0x5000, 0x2000,
	  { { 0x10000, 0x2000 }, { 0x12000, 0x2000 }, { 0x14000, 0x1000 } } },
	{ "cut across neighbours",
	  { { 0x10000, 0x3000 }, { 0x13000, 0x3000 } }, 0, 0x6000, 0x2000,
	  { { 0x10000, 0x2000 }, { 0x12000, 0x2000 }, { 0x14000, 0x2000 } } },
	{ "a segment that is just long enough",
	  { { 0x10000, 0x2000 }, { 0x12000, 0x2000 } }, 0, 0x4000, 0x4000,
	  { { 0x10000, 0x4000 } } },
	{ "counted anew after a gap",
	  { { 0x10000, 0x1800 }, { 0x20000, 0x2000 } }, 0, 0x3800, 0x1000,
	  { { 0x10000, 0x1000 }, { 0x11000, 0x800 }, { 0x20000, 0x1000 },
	    { 0x21000, 0x1000 } } },
	{ "starts where an entry starts",
	  { { 0x1000, 0x1000 }, { 0x8000, 0x1000 } }, 0x1000, 0x1000, SZ_1M,
	  { { 0x8000, 0x1000 } } },
	{ "starts in the middle of a later one",
	  { { 0x1000, 0x1000 }, { 0x8000, 0x1000 }, { 0x4000, 0x1000 } },
	  0x1800, 0x1000, SZ_1M,
	  { { 0x8800, 0x800 }, { 0x4000, 0x800 } } },
	{ "ends where an entry ends",
	  { { 0x1000, 0x1000 }, { 0x8000, 0x1000 }, { 0x4000, 0x1000 } },
	  0x400, 0x1c00, SZ_1M,
	  { { 0x1400, 0xc00 }, { 0x8000, 0x1000 } } },
	{ "cut at a boundary", { { 0x10800, 0x2000 } }, 0, 0x2000, SZ_1M,
	  { { 0x10800, 0x800 }, { 0x11000, 0x1000 }, { 0x12000, 0x800 } },
	  0x1000 },
	{ "neighbours at a boundary stay two",
	  { { 0x1000, 0x3000 }, { 0x4000, 0x1000 }, { 0x5000, 0x1000 } },
	  0, 0x5000, SZ_1M, { { 0x1000, 0x3000 }, { 0x4000, 0x2000 } },
	  0x4000 },
	{ "a boundary in a later one, and the longest segment",
	  { { 0x1c00, 0x400 }, { 0x2000, 0x3000 } }, 0x100, 0x3300, 0x1800,
	  { { 0x1d00, 0x300 }, { 0x2000, 0x1800 }, { 0x3800, 0x800 },
	    { 0x4000, 0x1000 } }, 0x2000 },
	{ "the end of the address space",
	  { { 0xfffffffffffff000ULL, 0x1000 }, { 0, 0x1000 } },
	  0x800, 0x1000, 0x400,
	  { { 0xfffffffffffff800ULL, 0x400 }, { 0xfffffffffffffc00ULL, 0x400 },
	    { 0, 0x400 }, { 0x400, 0x400 } } },
	{ "past 4 GiB",
	  { { 0x100000000ULL, 0xfffff000 }, { 0x300000000ULL, 0xfffff000 },
	    { 0x700000000ULL, 0x10000 } }, 0x1ffffd000ULL, 0x3000, SZ_1M,
	  { { 0x3ffffe000ULL, 0x1000 }, { 0x700000000ULL, 0x2000 } } },
	{ "longer than 32 bits can say",
	  { { 0x100000000ULL, 0x80000000 }, { 0x180000000ULL, 0x80000000 },
	    { 0x200000000ULL, 0x80000000 } }, 0, 0x180000000ULL, UINT_MAX,
	  { { 0x100000000ULL, UINT_MAX }, { 0x1ffffffffULL, 0x80000001 } } },
};

static void slice_case_desc(const struct slice_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(slice_case, slice_cases, slice_case_desc);

static void slice_test_table(struct kunit *test)
{
	const struct slice_case *c = test->param_value;
	const unsigned int num = count_pieces(c->in);
	struct slice_test *t = test->priv;
	struct scatterlist *sg;
	unsigned int i;

	make_table(test, c->in, num);
	KUNIT_ASSERT_EQ(test, 0,
			fpgabuf_table_slice(&t->sgt, total(c->in, num),
					    c->offset, c->length, c->max,
					    c->boundary - 1, &t->slice));
	KUNIT_ASSERT_EQ(test, count_pieces(c->out), t->slice.nents);
	KUNIT_EXPECT_EQ(test, t->slice.nents, t->slice.orig_nents);
	for_each_sgtable_dma_sg(&t->slice, sg, i) {
		KUNIT_EXPECT_EQ(test, c->out[i].addr, sg_dma_address(sg));
		KUNIT_EXPECT_EQ(test, c->out[i].len, sg_dma_len(sg));
		KUNIT_EXPECT_EQ(test, c->out[i].len, sg->length);
	}
}

/**
 * struct range_case - a range of a buffer of 0x2000 bytes
 * @name: what is special
 * @offset: where it starts
 * @length: its bytes
 * @max: longest segment
 * @ret: the answer
 */
struct range_case {
	const char *name;
	u64 offset;
	u64 length;
	unsigned int max;
	int ret;
};

static const struct range_case range_cases[] = {
	{ "all", 0, 0x2000, SZ_4K, 0 },
	{ "last byte", 0x1fff, 1, SZ_4K, 0 },
	{ "nothing", 0, 0, SZ_4K, -ERANGE },
	{ "no segment", 0, 0x2000, 0, -ERANGE },
	{ "one byte too long", 0, 0x2001, SZ_4K, -ERANGE },
	{ "one byte too far", 0x1001, 0x1000, SZ_4K, -ERANGE },
	{ "starts at the end", 0x2000, 1, SZ_4K, -ERANGE },
	{ "starts behind the end", 0x2001, 1, SZ_4K, -ERANGE },
	{ "sum that overflows", 0x1000, U64_MAX, SZ_4K, -ERANGE },
	{ "offset that overflows", U64_MAX, 2, SZ_4K, -ERANGE },
};

static void range_case_desc(const struct range_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range_case, range_cases, range_case_desc);

/* The buffer counts, though more is mapped. */
static void slice_test_range(struct kunit *test)
{
	static const struct piece pieces[] = {
		{ 0x1000, 0x1000 }, { 0x8000, 0x3000 },
	};
	const struct range_case *c = test->param_value;
	struct slice_test *t = test->priv;

	make_table(test, pieces, ARRAY_SIZE(pieces));
	KUNIT_EXPECT_EQ(test, c->ret,
			fpgabuf_table_slice(&t->sgt, 0x2000, c->offset,
					    c->length, c->max, ULONG_MAX,
					    &t->slice));
}

static void slice_test_covers(struct kunit *test)
{
	static const struct piece pieces[] = {
		{ 0x100000000ULL, 0xfffff000 }, { 0x1000, 0xfffff000 },
	};
	struct slice_test *t = test->priv;

	make_table(test, pieces, ARRAY_SIZE(pieces));
	KUNIT_EXPECT_TRUE(test, fpgabuf_table_covers(&t->sgt, 1));
	KUNIT_EXPECT_TRUE(test, fpgabuf_table_covers(&t->sgt, 0x1ffffe000ULL));
	KUNIT_EXPECT_FALSE(test, fpgabuf_table_covers(&t->sgt, 0x1ffffe001ULL));
	KUNIT_EXPECT_FALSE(test, fpgabuf_table_covers(&t->sgt, U64_MAX));
}

/* A mapping and a slice of so many entries that their tables are chained */
static void slice_test_chained(struct kunit *test)
{
	const unsigned int num = 3 * SG_MAX_SINGLE_ALLOC;
	struct slice_test *t = test->priv;
	struct scatterlist *sg;
	struct piece *pieces;
	unsigned int i;

	pieces = kunit_kcalloc(test, num, sizeof(*pieces), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pieces);
	for (i = 0; i < num; i++)
		pieces[i] = (struct piece){ 0x2000 * (num - i), 0x1000 };
	make_table(test, pieces, num);
	KUNIT_ASSERT_EQ(test, 0, fpgabuf_table_slice(&t->sgt, 0x1000 * num,
						     0x800, 0x1000 * num - 0x800,
						     SZ_1M, ULONG_MAX,
						     &t->slice));
	KUNIT_ASSERT_EQ(test, num, t->slice.nents);
	for_each_sgtable_dma_sg(&t->slice, sg, i) {
		KUNIT_ASSERT_EQ(test, pieces[i].addr + (i ? 0 : 0x800),
				sg_dma_address(sg));
		KUNIT_ASSERT_EQ(test, i ? 0x1000 : 0x800, sg_dma_len(sg));
	}
}

/* Address of byte @at of a buffer */
static u64 byte_addr(const struct piece *pieces, u64 at)
{
	while (at >= pieces->len)
		at -= pieces++->len;
	return pieces->addr + at;
}

/*
 * Every byte once and in order, no segment too long, and none that could have
 * been part of the one before it.
 */
static void check_slice(struct kunit *test, const struct piece *pieces,
			u64 offset, u64 length, unsigned int max)
{
	struct slice_test *t = test->priv;
	unsigned int i, k, before = max;
	struct scatterlist *sg;
	u64 next = 0;

	for_each_sgtable_dma_sg(&t->slice, sg, i) {
		KUNIT_ASSERT_GT(test, sg_dma_len(sg), 0);
		KUNIT_ASSERT_LE(test, sg_dma_len(sg), max);
		KUNIT_ASSERT_TRUE(test, before == max ||
				  sg_dma_address(sg) != next);
		for (k = 0; k < sg_dma_len(sg); k++)
			if (sg_dma_address(sg) + k !=
			    byte_addr(pieces, offset + k))
				KUNIT_FAIL_AND_ABORT(test, "segment %u, byte %u",
						     i, k);
		before = sg_dma_len(sg);
		next = sg_dma_address(sg) + before;
		offset += before;
		length -= before;
	}
	KUNIT_ASSERT_EQ(test, 0, length);
}

static const u64 random_seeds[] = { 2, 0x736c696365ULL };

static void random_seed_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %#llx", *seed);
}

KUNIT_ARRAY_PARAM(random_seed, random_seeds, random_seed_desc);

/* Short entries at addresses that are often neighbours. */
static void random_pieces(struct rnd_state *rnd, struct piece *pieces,
			  unsigned int num)
{
	u64 next = 0x1000;
	unsigned int i;

	for (i = 0; i < num; i++) {
		if (prandom_u32_state(rnd) % 3 == 0)
			next = 0x1000 + prandom_u32_state(rnd) % 0x10000;
		pieces[i].addr = next;
		pieces[i].len = 1 + prandom_u32_state(rnd) % 40;
		next += pieces[i].len;
	}
}

static void slice_test_random(struct kunit *test)
{
	const u64 *seed = test->param_value;
	struct slice_test *t = test->priv;
	struct piece pieces[MAX_PIECES];
	struct rnd_state rnd;
	unsigned int round;

	prandom_seed_state(&rnd, *seed);
	for (round = 0; round < 300; round++) {
		unsigned int num = 1 + prandom_u32_state(&rnd) % MAX_PIECES;
		unsigned int max = 1 + prandom_u32_state(&rnd) % 64;
		u32 size, offset, length;

		random_pieces(&rnd, pieces, num);
		size = total(pieces, num);
		offset = prandom_u32_state(&rnd) % size;
		length = 1 + prandom_u32_state(&rnd) % (size - offset);
		make_table(test, pieces, num);
		KUNIT_ASSERT_EQ(test, 0,
				fpgabuf_table_slice(&t->sgt, size, offset,
						    length, max, ULONG_MAX,
						    &t->slice));
		check_slice(test, pieces, offset, length, max);
		slice_test_exit(test);
	}
}

static struct kunit_case slice_test_cases[] = {
	KUNIT_CASE_PARAM(slice_test_table, slice_case_gen_params),
	KUNIT_CASE_PARAM(slice_test_range, range_case_gen_params),
	KUNIT_CASE(slice_test_covers),
	KUNIT_CASE(slice_test_chained),
	KUNIT_CASE_PARAM(slice_test_random, random_seed_gen_params),
	{}
};

static struct kunit_suite slice_test_suite = {
	.name = "fpgabuf_slice",
	.init = slice_test_init,
	.exit = slice_test_exit,
	.test_cases = slice_test_cases,
};

kunit_test_suite(slice_test_suite);

MODULE_DESCRIPTION("KUnit tests of fpgabuf_importer's pure logic");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
