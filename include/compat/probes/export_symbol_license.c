// SPDX-License-Identifier: GPL-2.0
/* Before 6.4 the second of __EXPORT_SYMBOL() was the suffix of a section. */
#include <linux/export.h>

#ifndef __EXPORT_SYMBOL_REF
#error
#endif
