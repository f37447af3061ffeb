// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of memory whose device is unbound while the memory is in use: by
 * nobody but the one who has the dma-buf, by another device, by the device itself.
 * See Documentation/ends.md.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../exporter.h"
#include "test_device.h"

/* No power of two */
#define ENDS_SIZE	(5 * SZ_64K + PAGE_SIZE)
/* A multiple of nothing that a page is */
#define ENDS_PERIOD	251

/**
 * struct ends_test - what a test has
 * @own: the device that the memory is for
 * @other: another one
 * @attach: the attachment of one of them
 * @table: its mapping
 * @dmabuf: the memory
 */
struct ends_test {
	struct platform_device *own;
	struct platform_device *other;
	struct dma_buf_attachment *attach;
	struct sg_table *table;
	struct dma_buf *dmabuf;
};

static int ends_test_init(struct kunit *test)
{
	struct ends_test *t;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->own = test_device(test, DMA_BIT_MASK(64));
	t->other = test_device(test, DMA_BIT_MASK(64));
	/* Of noncontiguous memory all is one segment. */
	dma_set_max_seg_size(&t->own->dev, ENDS_SIZE);
	return 0;
}

static void ends_detach(struct ends_test *t)
{
	if (t->table)
		dma_buf_unmap_attachment_unlocked(t->attach, t->table,
						  DMA_BIDIRECTIONAL);
	t->table = NULL;
	if (t->attach)
		dma_buf_detach(t->dmabuf, t->attach);
	t->attach = NULL;
}

/* A thread of the kernel closes files later. */
static void ends_put(struct ends_test *t)
{
	if (t->dmabuf)
		dma_buf_put(t->dmabuf);
	t->dmabuf = NULL;
	flush_delayed_fput();
}

static void ends_test_exit(struct kunit *test)
{
	struct ends_test *t = test->priv;

	ends_detach(t);
	ends_put(t);
	if (t->other)
		platform_device_unregister(t->other);
	if (t->own)
		platform_device_unregister(t->own);
}

static struct dma_buf *ends_make(struct device *dev, enum fpgabuf_kind kind)
{
	u32 stride;

	if (kind == FPGABUF_KIND_POOL)
		return fpgabuf_alloc_pool(dev, PAGE_SIZE, ENDS_SIZE / PAGE_SIZE,
					  0, 0, O_RDWR, &stride);
	return fpgabuf_alloc(dev, ENDS_SIZE, kind, O_RDWR);
}

/* Memory with contents that no other has */
static struct fpgabuf_buffer *ends_alloc(struct kunit *test,
					 enum fpgabuf_kind kind)
{
	struct ends_test *t = test->priv;
	struct dma_buf *dmabuf = ends_make(&t->own->dev, kind);
	struct iosys_map map;
	size_t i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	t->dmabuf = dmabuf;
	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dmabuf, &map));
	for (i = 0; i < ENDS_SIZE; i++)
		((u8 *)map.vaddr)[i] = i % ENDS_PERIOD;
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return dmabuf->priv;
}

static void ends_expect_contents(struct kunit *test)
{
	struct ends_test *t = test->priv;
	struct iosys_map map;
	size_t i;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(t->dmabuf, &map));
	for (i = 0; i < ENDS_SIZE; i++)
		if (((u8 *)map.vaddr)[i] != i % ENDS_PERIOD)
			break;
	KUNIT_EXPECT_EQ(test, ENDS_SIZE, i);
	dma_buf_vunmap_unlocked(t->dmabuf, &map);
}

static void ends_attach(struct kunit *test, struct device *dev)
{
	struct ends_test *t = test->priv;

	t->attach = dma_buf_attach(t->dmabuf, dev);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->attach);
}

static void ends_map(struct kunit *test)
{
	struct ends_test *t = test->priv;
	struct scatterlist *sg;
	size_t length = 0;
	unsigned int i;

	t->table = dma_buf_map_attachment_unlocked(t->attach,
						   DMA_BIDIRECTIONAL);
	if (IS_ERR(t->table))
		t->table = NULL;
	KUNIT_ASSERT_NOT_NULL(test, t->table);
	for_each_sgtable_dma_sg(t->table, sg, i)
		length += sg_dma_len(sg);
	KUNIT_EXPECT_EQ(test, ENDS_SIZE, length);
}

static void ends_expect_stranded(struct kunit *test, unsigned int buffers)
{
	KUNIT_EXPECT_EQ(test, buffers, fpgabuf_stranded_count());
}

static const enum fpgabuf_kind ends_kinds[] = {
	FPGABUF_KIND_COHERENT, FPGABUF_KIND_CONTIGUOUS,
	FPGABUF_KIND_WRITECOMBINE, FPGABUF_KIND_NONCONTIGUOUS,
	FPGABUF_KIND_POOL,
};

static void ends_kind_desc(const enum fpgabuf_kind *kind, char *desc)
{
	strscpy(desc, fpgabuf_kind_name(*kind), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ends_kind, ends_kinds, ends_kind_desc);

/* There is no driver that could go, nor one above: nothing is kept, or waited for. */
static void ends_test_no_driver(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer;

	device_release_driver(&t->own->dev);
	buffer = ends_alloc(test, *kind);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->own->dev.devres_head));
	KUNIT_EXPECT_NULL(test, buffer->binding->bound);
	ends_expect_contents(test);
	ends_put(t);
	ends_expect_stranded(test, 0);
}

/* As the channels of some engines, which do the DMA for their parent's driver */
static void ends_test_driver_above(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer;
	struct platform_device *below;

	below = platform_device_register_resndata(&t->own->dev, "fpgabuf_below",
						  PLATFORM_DEVID_AUTO, NULL, 0,
						  NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, below);
	dma_set_mask_and_coherent(&below->dev, DMA_BIT_MASK(64));
	dma_set_max_seg_size(&below->dev, ENDS_SIZE);
	t->dmabuf = ends_make(&below->dev, *kind);
	if (IS_ERR(t->dmabuf))
		t->dmabuf = NULL;
	KUNIT_EXPECT_NOT_NULL(test, t->dmabuf);
	if (t->dmabuf) {
		buffer = t->dmabuf->priv;
		device_release_driver(&t->own->dev);
		KUNIT_EXPECT_TRUE(test, buffer->moved);
	}
	ends_put(t);
	platform_device_unregister(below);
	ends_expect_stranded(test, 0);
}

/* It stays what it was for who has it, though it is elsewhere. */
static void ends_test_moved(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer = ends_alloc(test, *kind);

	ends_attach(test, &t->other->dev);
	ends_map(test);
	dma_buf_unmap_attachment_unlocked(t->attach, t->table,
					  DMA_BIDIRECTIONAL);
	t->table = NULL;
	device_release_driver(&t->own->dev);
	KUNIT_EXPECT_TRUE(test, buffer->moved);
	ends_expect_contents(test);
	/* An attachment from before finds it, and a new one. */
	ends_map(test);
	ends_detach(t);
	ends_attach(test, &t->own->dev);
	ends_detach(t);

	ends_put(t);
	ends_expect_stranded(test, 0);
}

/* Another device is in it, and cannot be told. */
static void ends_test_stranded(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer = ends_alloc(test, *kind);
	dma_addr_t addr;

	ends_attach(test, &t->other->dev);
	ends_map(test);
	addr = sg_dma_address(t->table->sgl);
	device_release_driver(&t->own->dev);
	KUNIT_EXPECT_FALSE(test, buffer->moved);
	KUNIT_EXPECT_EQ(test, addr, sg_dma_address(t->table->sgl));
	ends_expect_contents(test);
	ends_detach(t);
	ends_put(t);
	ends_expect_stranded(test, 1);

	/* Freed when it may be: the next time that there is a driver. */
	KUNIT_ASSERT_EQ(test, 1, device_attach(&t->own->dev));
	ends_alloc(test, *kind);
	ends_expect_stranded(test, 0);
}

/* The driver itself gives it back last, after our part of the end. */
static void ends_test_own(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer = ends_alloc(test, *kind);

	ends_attach(test, &t->own->dev);
	ends_map(test);
	device_release_driver(&t->own->dev);
	KUNIT_EXPECT_FALSE(test, buffer->moved);
	ends_detach(t);
	KUNIT_EXPECT_TRUE(test, buffer->moved);
	ends_expect_contents(test);
	ends_put(t);
	ends_expect_stranded(test, 0);
}

/* The kernel has an address of it. */
static void ends_test_vmapped(struct kunit *test)
{
	const enum fpgabuf_kind *kind = test->param_value;
	struct ends_test *t = test->priv;
	struct fpgabuf_buffer *buffer = ends_alloc(test, *kind);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(t->dmabuf, &map));
	device_release_driver(&t->own->dev);
	KUNIT_EXPECT_FALSE(test, buffer->moved);
	((u8 *)map.vaddr)[0] = 0;
	dma_buf_vunmap_unlocked(t->dmabuf, &map);
	ends_expect_contents(test);
	ends_put(t);
	ends_expect_stranded(test, 1);
	KUNIT_ASSERT_EQ(test, 1, device_attach(&t->own->dev));
	ends_alloc(test, *kind);
	ends_expect_stranded(test, 0);
}

static struct kunit_case ends_test_cases[] = {
	KUNIT_CASE_PARAM(ends_test_no_driver, ends_kind_gen_params),
	KUNIT_CASE_PARAM(ends_test_driver_above, ends_kind_gen_params),
	KUNIT_CASE_PARAM(ends_test_moved, ends_kind_gen_params),
	KUNIT_CASE_PARAM(ends_test_stranded, ends_kind_gen_params),
	KUNIT_CASE_PARAM(ends_test_own, ends_kind_gen_params),
	KUNIT_CASE_PARAM(ends_test_vmapped, ends_kind_gen_params),
	{}
};

static struct kunit_suite ends_test_suite = {
	.name = "fpgabuf_ends",
	.suite_init = test_driver_init,
	.suite_exit = test_driver_exit,
	.init = ends_test_init,
	.exit = ends_test_exit,
	.test_cases = ends_test_cases,
};

kunit_test_suite(ends_test_suite);
