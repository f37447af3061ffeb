// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of which devices may be attached to which memory, with devices
 * that reach 16 MiB and devices that reach all.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include "../exporter.h"
#include "test_device.h"

/* A zone of its own: nobody gets memory of it who does not need it. */
#define NARROW_BITS	24
#define NARROW_END	BIT_ULL(NARROW_BITS)

/* Of memory that is asked for until some is out of the narrow device's reach */
#define PIECE		SZ_16M
#define MAX_PIECES	64

/**
 * struct limits_test - what a test has to give back
 * @narrow: reaches NARROW_BITS
 * @wide: reaches 64 bits
 * @bufs: memory
 * @num_bufs: of them
 */
struct limits_test {
	struct platform_device *narrow;
	struct platform_device *wide;
	struct dma_buf *bufs[MAX_PIECES];
	unsigned int num_bufs;
};

static int limits_test_init(struct kunit *test)
{
	struct limits_test *t;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->narrow = test_device(test, DMA_BIT_MASK(NARROW_BITS));
	t->wide = test_device(test, DMA_BIT_MASK(64));
	if (is_swiotlb_force_bounce(&t->narrow->dev))
		kunit_skip(test, "swiotlb=force: any memory will do");
	return 0;
}

static void limits_test_exit(struct kunit *test)
{
	struct limits_test *t = test->priv;

	while (t->num_bufs)
		dma_buf_put(t->bufs[--t->num_bufs]);
	if (t->wide)
		platform_device_unregister(t->wide);
	if (t->narrow)
		platform_device_unregister(t->narrow);
}

static struct dma_buf *limits_alloc(struct kunit *test,
				    struct platform_device *pdev, size_t size,
				    enum fpgabuf_kind kind)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf;

	KUNIT_ASSERT_LT(test, t->num_bufs, MAX_PIECES);
	dmabuf = fpgabuf_alloc(&pdev->dev, size, kind, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	t->bufs[t->num_bufs++] = dmabuf;
	return dmabuf;
}

/* One past the highest address that the memory has */
static phys_addr_t limits_end(const struct dma_buf *dmabuf)
{
	const struct fpgabuf_buffer *buffer = dmabuf->priv;
	struct scatterlist *sg;
	phys_addr_t end = 0;
	unsigned int i;

	for_each_sgtable_sg(&buffer->pages, sg, i)
		end = max(end, sg_phys(sg) + sg->length);
	return end;
}

static struct dma_buf *limits_alloc_high(struct kunit *test)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf;

	do {
		dmabuf = limits_alloc(test, t->wide, PIECE,
				      FPGABUF_KIND_SYSTEM);
	} while (limits_end(dmabuf) <= NARROW_END);
	return dmabuf;
}

static int limits_attach(struct dma_buf *dmabuf, struct platform_device *pdev)
{
	struct dma_buf_attachment *attach;

	attach = dma_buf_attach(dmabuf, &pdev->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	dma_buf_detach(dmabuf, attach);
	return 0;
}

static void limits_test_out_of_reach(struct kunit *test)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf = limits_alloc_high(test);

	KUNIT_EXPECT_EQ(test, -ENXIO, limits_attach(dmabuf, t->narrow));
	KUNIT_EXPECT_EQ(test, 0, limits_attach(dmabuf, t->wide));
}

/* A bus with fewer lines than the device */
static void limits_test_bus(struct kunit *test)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf = limits_alloc_high(test);

	t->wide->dev.bus_dma_limit = limits_end(dmabuf) - 2;
	KUNIT_EXPECT_EQ(test, -ENXIO, limits_attach(dmabuf, t->wide));
	t->wide->dev.bus_dma_limit = limits_end(dmabuf) - 1;
	KUNIT_EXPECT_EQ(test, 0, limits_attach(dmabuf, t->wide));
}

/* The DMA API maps nothing for it: only the CPU will use the memory. */
static void limits_test_no_dma(struct kunit *test)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf = limits_alloc_high(test);
	u64 *mask = t->narrow->dev.dma_mask;

	t->narrow->dev.dma_mask = NULL;
	KUNIT_EXPECT_EQ(test, 0, limits_attach(dmabuf, t->narrow));
	t->narrow->dev.dma_mask = mask;
}

static const enum fpgabuf_kind limits_kinds[] = {
	FPGABUF_KIND_COHERENT, FPGABUF_KIND_CONTIGUOUS, FPGABUF_KIND_SYSTEM,
	FPGABUF_KIND_WRITECOMBINE, FPGABUF_KIND_NONCONTIGUOUS,
};

static void limits_kind_desc(const enum fpgabuf_kind *kind, char *desc)
{
	strscpy(desc, fpgabuf_kind_name(*kind), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(limits_kind, limits_kinds, limits_kind_desc);

/* What is allocated for a device is within its reach, of whatever kind. */
static void limits_test_own(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct limits_test *t = test->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct scatterlist *sg;
	struct sg_table *table;
	unsigned int i;

	dmabuf = limits_alloc(test, t->narrow, SZ_64K, *kind);
	KUNIT_EXPECT_LE(test, limits_end(dmabuf), NARROW_END);
	KUNIT_EXPECT_EQ(test, 0, limits_attach(dmabuf, t->wide));

	attach = dma_buf_attach(dmabuf, &t->narrow->dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, attach);
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(table));
	if (!IS_ERR(table)) {
		for_each_sgtable_dma_sg(table, sg, i)
			KUNIT_EXPECT_LE(test, sg_dma_address(sg) +
					sg_dma_len(sg), NARROW_END);
		dma_buf_unmap_attachment_unlocked(attach, table,
						  DMA_BIDIRECTIONAL);
	}
	dma_buf_detach(dmabuf, attach);
}

/* More than the zone for such devices has, and less than the machine has. */
static void limits_test_shortage(struct kunit *test)
{
	struct limits_test *t = test->priv;
	struct dma_buf *dmabuf;

	dmabuf = fpgabuf_alloc(&t->narrow->dev, SZ_32M,
			       FPGABUF_KIND_SYSTEM, O_RDWR);
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-ENOMEM), dmabuf);
	if (!IS_ERR(dmabuf))
		dma_buf_put(dmabuf);
}

static struct kunit_case limits_test_cases[] = {
	KUNIT_CASE(limits_test_out_of_reach),
	KUNIT_CASE(limits_test_bus),
	KUNIT_CASE(limits_test_no_dma),
	KUNIT_CASE_PARAM(limits_test_own, limits_kind_gen_params),
	KUNIT_CASE(limits_test_shortage),
	{}
};

static struct kunit_suite limits_test_suite = {
	.name = "fpgabuf_limits",
	.suite_init = test_driver_init,
	.suite_exit = test_driver_exit,
	.init = limits_test_init,
	.exit = limits_test_exit,
	.test_cases = limits_test_cases,
};

kunit_test_suite(limits_test_suite);
