// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of pools: where the blocks of a buffer are, and how long a pool
 * lives. The memory is that of a device that nothing is behind.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../exporter.h"
#include "test_device.h"

/**
 * struct layout_case - a request for blocks
 * @name: what is special
 * @block_size: bytes of a block
 * @num_blocks: how many
 * @alignment: of each
 * @boundary: that none may cross
 * @ret: the answer
 * @stride: where the second one is
 */
struct layout_case {
	const char *name;
	u32 block_size;
	u32 num_blocks;
	u32 alignment;
	u32 boundary;
	int ret;
	size_t stride;
};

static const struct layout_case layout_cases[] = {
	{ "a byte", 1, 1, .stride = 1 },
	{ "bytes", 1, 100000, .stride = 1 },
	{ "natural alignment", 40, 10, .stride = 64 },
	{ "bytes in a row", 40, 10, 1, .stride = 40 },
	{ "a page of bytes in a row", 40, PAGE_SIZE / 40, 1, .stride = 40 },
	{ "one block more than that", 40, PAGE_SIZE / 40 + 1, 1,
	  .stride = 64 },
	{ "a power of two in a row", 32, 100000, 1, .stride = 32 },
	{ "an alignment", 40, 10, 16, .stride = 48 },
	{ "an alignment, and many", 40, 1000, 16, .stride = 64 },
	{ "an alignment of more than the size", 40, 10, 256, .stride = 256 },
	{ "an alignment of more than a page", 40, 10, SZ_64K,
	  .stride = SZ_64K },
	{ "a boundary that is not reached", 40, 6, 8, 256, .stride = 40 },
	{ "a boundary that is", 40, 7, 8, 256, .stride = 64 },
	{ "a boundary at the end of the last", 64, 4, 64, 256, .stride = 64 },
	{ "a block that fills a boundary", 256, 10, 1, 256, .stride = 256 },
	{ "a boundary of less than the alignment", 40, 10, 4096, 64,
	  .stride = 4096 },
	{ "a boundary of more than a page", 1500, 3, 4, SZ_64K,
	  .stride = 2048 },
	{ "blocks of more than a page", PAGE_SIZE + 4, 10, 4,
	  .stride = PAGE_SIZE + 4 },
	{ "those with a boundary", SZ_64K + 4, 100, 4, SZ_1M,
	  .stride = SZ_128K },
	{ "largest block", FPGABUF_POOL_MAX_BLOCK, 2,
	  .stride = FPGABUF_POOL_MAX_BLOCK },
	{ "largest alignment", 1, 2, FPGABUF_POOL_MAX_BLOCK,
	  .stride = FPGABUF_POOL_MAX_BLOCK },
	{ "largest boundary", 40, 10, 8, 1U << 31, .stride = 40 },
	{ "no size", 0, 1, 1, 0, -EINVAL },
	{ "too large a block", FPGABUF_POOL_MAX_BLOCK + 1, 1, 1, 0, -EINVAL },
	{ "no blocks", 64, 0, 1, 0, -EINVAL },
	{ "an alignment of three", 64, 1, 3, 0, -EINVAL },
	{ "too large an alignment", 64, 1, 2 * FPGABUF_POOL_MAX_BLOCK, 0,
	  -EINVAL },
	{ "a boundary of 100", 64, 1, 1, 100, -EINVAL },
	{ "a boundary of less than a block", 65, 1, 1, 64, -EINVAL },
	{ "too much in all", FPGABUF_POOL_MAX_BLOCK, SZ_2K, 0, 0, -EOVERFLOW },
	{ "too much by the stride", 1, SZ_2K, FPGABUF_POOL_MAX_BLOCK, 0,
	  -EOVERFLOW },
	{ "too much by far", FPGABUF_POOL_MAX_BLOCK, U32_MAX, 0, 0,
	  -EOVERFLOW },
	{ "just not too much", FPGABUF_POOL_MAX_BLOCK, SZ_2K - 1,
	  .stride = FPGABUF_POOL_MAX_BLOCK },
};

static void layout_case_desc(const struct layout_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(layout_case, layout_cases, layout_case_desc);

/* Whether the bytes from @start on lie within a multiple of @limit. */
static bool within(u64 start, u64 len, u64 limit)
{
	return !limit || start / limit == (start + len - 1) / limit;
}

/* Block @i of a buffer that is at @base is as it was asked for. */
static void expect_block(struct kunit *test, const struct layout_case *c,
			 const struct fpgabuf_pool_layout *layout, u64 base,
			 u32 i)
{
	const u64 start = base + i * (u64)layout->stride;

	KUNIT_EXPECT_TRUE_MSG(test, IS_ALIGNED(start, c->alignment ?:
					       roundup_pow_of_two(c->block_size)),
			      "block %u at %#llx", i, start);
	KUNIT_EXPECT_TRUE_MSG(test, within(start, c->block_size, c->boundary),
			      "block %u at %#llx", i, start);
	KUNIT_EXPECT_TRUE_MSG(test, c->block_size > PAGE_SIZE ||
			      within(start, c->block_size, PAGE_SIZE),
			      "block %u at %#llx", i, start);
}

static void pool_test_layout(struct kunit *test)
{
	const struct layout_case *c = test->param_value;
	struct fpgabuf_pool_layout layout = {};
	u32 i, step = c->num_blocks / 1000 + 1;

	KUNIT_ASSERT_EQ(test, c->ret,
			fpgabuf_pool_lay_out(c->block_size, c->num_blocks,
					     c->alignment, c->boundary,
					     &layout));
	if (c->ret)
		return;

	KUNIT_EXPECT_EQ(test, c->stride, layout.stride);
	KUNIT_EXPECT_GE(test, layout.stride, c->block_size);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(layout.size));
	KUNIT_EXPECT_GE(test, layout.size,
			layout.stride * (c->num_blocks - 1) + c->block_size);
	KUNIT_ASSERT_TRUE(test, is_power_of_2(layout.base));
	for (i = 0; i < c->num_blocks; i += step) {
		expect_block(test, c, &layout, 0, i);
		expect_block(test, c, &layout,
			     max_t(u64, layout.base, PAGE_SIZE) * 5, i);
	}
	expect_block(test, c, &layout, 0, c->num_blocks - 1);
}

static int pool_test_init(struct kunit *test)
{
	test->priv = test_device(test, DMA_BIT_MASK(64));
	return 0;
}

static void pool_test_exit(struct kunit *test)
{
	platform_device_unregister(test->priv);
}

static struct device *pool_test_dev(struct kunit *test)
{
	struct platform_device *pdev = test->priv;

	return &pdev->dev;
}

/* dma_buf_put() of a thread of the kernel lets a work do it, later. */
static void put_now(struct dma_buf *dmabuf)
{
	__fput_sync(dmabuf->file);
}

/* Blocks are where they must be at the addresses that the device has for them. */
static void pool_test_addresses(struct kunit *test)
{
	static const struct layout_case cases[] = {
		{ "small", 40, 100, 0, 0 },
		{ "bounded", 100, 1000, 4, 256 },
		{ "three pages, a boundary of four", 1024, 12, 0, SZ_16K },
		{ "aligned to more than a page", 64, 5, SZ_64K, 0 },
		{ "large", SZ_64K + 4, 10, 4, SZ_1M },
	};
	struct fpgabuf_pool_layout layout;
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	unsigned int i, n;
	u32 stride = 0;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct layout_case *c = &cases[i];

		KUNIT_ASSERT_EQ(test, 0,
				fpgabuf_pool_lay_out(c->block_size,
						     c->num_blocks,
						     c->alignment, c->boundary,
						     &layout));
		dmabuf = fpgabuf_alloc_pool(pool_test_dev(test), c->block_size,
					    c->num_blocks, c->alignment,
					    c->boundary, O_RDWR, &stride);
		KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
		KUNIT_EXPECT_EQ(test, layout.stride, stride);
		attach = dma_buf_attach(dmabuf, pool_test_dev(test));
		KUNIT_ASSERT_FALSE(test, IS_ERR(attach));
		sgt = dma_buf_map_attachment_unlocked(attach,
						      DMA_BIDIRECTIONAL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
		for (n = 0; n < c->num_blocks; n++)
			expect_block(test, c, &layout,
				     sg_dma_address(sgt->sgl), n);
		dma_buf_unmap_attachment_unlocked(attach, sgt,
						  DMA_BIDIRECTIONAL);
		dma_buf_detach(dmabuf, attach);
		put_now(dmabuf);
	}
}

static void expect_bytes(struct kunit *test, struct dma_buf *dmabuf, u8 before,
			 u8 after)
{
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	KUNIT_EXPECT_NULL(test, memchr_inv(map.vaddr, before, dmabuf->size));
	memset(map.vaddr, after, dmabuf->size);
	dma_buf_vunmap_unlocked(dmabuf, &map);
}

static struct dma_buf *pool_of(struct kunit *test, u32 block_size,
			       u32 num_blocks)
{
	struct dma_buf *dmabuf;
	u32 stride;

	dmabuf = fpgabuf_alloc_pool(pool_test_dev(test), block_size,
				    num_blocks, 0, 0, O_RDWR, &stride);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dmabuf));
	return dmabuf;
}

/* Each has its own memory, whichever is released first. */
static void pool_test_two(struct kunit *test)
{
	struct dma_buf *first = pool_of(test, 128, 200);
	struct dma_buf *second = pool_of(test, 128, 200);

	KUNIT_EXPECT_EQ(test, PAGE_ALIGN(128 * 200), first->size);
	expect_bytes(test, first, 0, 0x11);
	expect_bytes(test, second, 0, 0x22);
	put_now(first);
	expect_bytes(test, second, 0x22, 0x33);
	put_now(second);
}

/* Nothing is left of what was in the memory before. */
static void pool_test_again(struct kunit *test)
{
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		dmabuf = pool_of(test, 64, 1000);
		expect_bytes(test, dmabuf, 0, 0x5a);
		put_now(dmabuf);
	}
}

static struct kunit_case pool_test_layout_cases[] = {
	KUNIT_CASE_PARAM(pool_test_layout, layout_case_gen_params),
	{}
};

static struct kunit_case pool_test_cases[] = {
	KUNIT_CASE(pool_test_addresses),
	KUNIT_CASE(pool_test_two),
	KUNIT_CASE(pool_test_again),
	{}
};

static struct kunit_suite pool_test_layout_suite = {
	.name = "fpgabuf_pool_layout",
	.test_cases = pool_test_layout_cases,
};

static struct kunit_suite pool_test_suite = {
	.name = "fpgabuf_pool",
	.suite_init = test_driver_init,
	.suite_exit = test_driver_exit,
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = pool_test_cases,
};

kunit_test_suites(&pool_test_layout_suite, &pool_test_suite);

MODULE_IMPORT_NS("DMA_BUF");
