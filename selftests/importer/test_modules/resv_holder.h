/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of /dev/resv_holder, for the module and its test. The argument is
 * the file descriptor of a dma-buf; all return 0 or a negative errno.
 */
#ifndef RESV_HOLDER_H
#define RESV_HOLDER_H

#include <linux/ioctl.h>

/* Hold its reservation, with a context for more, until HOLDER_RELEASE. */
#define HOLDER_HOLD	_IO('h', 0)
/* 0: it is held, -ETIMEDOUT: it never was */
#define HOLDER_WAIT	_IO('h', 1)
/* Whether another reservation can be locked meanwhile. -ETIMEDOUT: no */
#define HOLDER_TRY	_IO('h', 2)
/* No argument */
#define HOLDER_RELEASE	_IO('h', 3)

#endif /* RESV_HOLDER_H */
