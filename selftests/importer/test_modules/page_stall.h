/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of /dev/page_stall, for the module and its test. Each file has
 * pages of its own, to be mapped MAP_SHARED. poll() says POLLIN while somebody
 * is stalled.
 */
#ifndef PAGE_STALL_H
#define PAGE_STALL_H

#include <linux/ioctl.h>

#define STALL_PAGES	4

/* For what is mapped after that: nobody is stalled, as at first. */
#define STALL_NOBODY	_IO('S', 0)
/* Who touches a page for the first time */
#define STALL_ALL	_IO('S', 1)
/* Who writes to a page for the first time */
#define STALL_WRITERS	_IO('S', 2)
/* Nobody is any more, nor will be. */
#define STALL_RELEASE	_IO('S', 3)

#endif /* PAGE_STALL_H */
