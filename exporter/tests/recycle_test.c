// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of free buffers of devices that the simulated FPGA is not: one
 * with no driver, and one whose driver knows nothing of fpgabuf, which may still
 * be bound when the exporter is unloaded. Then its exit has to clean up.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/platform_device.h>

#include "../exporter.h"

/* Allocate a page, scribble on it, release it. Return: its buffer. */
static void *recycle_use(struct kunit *test, struct device *dev)
{
	struct fpgabuf_buffer *buffer;
	struct dma_buf *dmabuf;
	u8 *data;

	dmabuf = fpgabuf_alloc(dev, PAGE_SIZE, FPGABUF_KIND_SYSTEM, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmabuf);
	buffer = dmabuf->priv;
	data = page_address(sg_page(buffer->pages.sgl));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, PAGE_SIZE));
	memset(data, 0xa5, PAGE_SIZE);

	dma_buf_put(dmabuf);
	/* This is a kernel thread: its files are closed later. */
	flush_delayed_fput();
	return buffer;
}

static void recycle_test_no_driver(struct kunit *test)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple("fpgabuf_test",
					       PLATFORM_DEVID_NONE, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	recycle_use(test, &pdev->dev);
	/* What it would have been given back by */
	KUNIT_EXPECT_TRUE(test, list_empty(&pdev->dev.devres_head));
	platform_device_unregister(pdev);
}

/* Bound to a driver that is no module */
static int recycle_is_bound(struct device *dev, const void *unused)
{
	return dev->driver && !dev->driver->owner && dev->dma_mask;
}

static void recycle_test_driver_stays(struct kunit *test)
{
	struct device *dev;
	void *first;

	dev = bus_find_device(&platform_bus_type, NULL, NULL, recycle_is_bound);
	if (!dev)
		kunit_skip(test, "no platform device has a driver");
	first = recycle_use(test, dev);
	KUNIT_EXPECT_PTR_EQ(test, first, recycle_use(test, dev));
	put_device(dev);
}

static struct kunit_case recycle_test_cases[] = {
	KUNIT_CASE(recycle_test_no_driver),
	KUNIT_CASE(recycle_test_driver_stays),
	{}
};

static struct kunit_suite recycle_test_suite = {
	.name = "fpgabuf_recycle",
	.test_cases = recycle_test_cases,
};

kunit_test_suite(recycle_test_suite);
