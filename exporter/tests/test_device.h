/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_TEST_DEVICE_H
#define _FPGABUF_TEST_DEVICE_H

#include <linux/types.h>

struct kunit;
struct kunit_suite;
struct platform_device;

/* For &kunit_suite.suite_init and suite_exit: a driver that does nothing */
int test_driver_init(struct kunit_suite *suite);
void test_driver_exit(struct kunit_suite *suite);
/* A device that is bound to it; for platform_device_unregister() */
struct platform_device *test_device(struct kunit *test, u64 dma_mask);

#endif /* _FPGABUF_TEST_DEVICE_H */
