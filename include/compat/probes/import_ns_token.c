// SPDX-License-Identifier: GPL-2.0
/* Before 6.13 a namespace is a bare token; from then on it is a string. */
#include <linux/module.h>

MODULE_IMPORT_NS(PROBE);
MODULE_LICENSE("GPL");
