// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that tests have memory for: there is nothing behind them, but they are
 * bound to a driver, as the DMA API wants it.
 */
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/platform_device.h>

#include "test_device.h"

#define TEST_DEVICE	"fpgabuf_test"

static int test_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver test_driver = {
	.probe = test_probe,
	.driver = {
		.name = TEST_DEVICE,
	},
};

int test_driver_init(struct kunit_suite *suite)
{
	return platform_driver_register(&test_driver);
}

void test_driver_exit(struct kunit_suite *suite)
{
	platform_driver_unregister(&test_driver);
}

struct platform_device *test_device(struct kunit *test, u64 dma_mask)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple(TEST_DEVICE,
					       PLATFORM_DEVID_AUTO, NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_set_mask_and_coherent(&pdev->dev, dma_mask));
	KUNIT_ASSERT_NOT_NULL(test, pdev->dev.driver);
	return pdev;
}
