/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests with QEMU's edu device share, besides what ../fpgabuf has: they
 * are about what stands between a device and memory, an IOMMU.
 */
#ifndef FPGABUF_EDU_TEST_H
#define FPGABUF_EDU_TEST_H

#include <stdbool.h>

#include "../fpgabuf/fpgabuf_test.h"

#define EDU_DRIVER	"fpgabuf_edu"

/*
 * For main(): loads the driver of a device behind an IOMMU, removed at exit.
 * Returns 0, or the program's exit status after it said why none of its tests
 * can run.
 */
int edu_set_up(void);
/* Its name, as of a PCI device, or NULL: there is none. */
const char *edu_name(void);
/* Whether it has one that stands between it and memory */
bool edu_behind_iommu(void);
/* Its channel and what that says of itself; -ENODEV: there is none (now). */
int edu_open(struct fpgabuf_info *info);
/* Write its name into a file of its driver. */
int edu_driver_write(const char *file);
/* Whether a transfer is under way, while it has no driver; or a negative errno */
int edu_busy(void);
/* As if it were pulled out of its slot, and put back. */
int edu_pull_out(void);
int edu_put_back(void);

/* Whether there is a next kind in @info, which becomes *@kind; begin with -1. */
bool edu_next_kind(const struct fpgabuf_info *info, int *kind);

/*
 * Clear all of @b and capture @size bytes into it at @offset. "ok", or what is
 * wrong: the frame, or what is around it.
 */
const char *edu_capture(int ch, const struct buffer *b, size_t offset,
			size_t size);
/* Whether it is a frame, or the beginning of one, of run @run. */
bool edu_frame(const void *frame, size_t size, __u32 run);

/* The kernel's log from now on */
int kmsg_open(void);
/* Wait until there is a line with @text: 0, or a negative errno. */
int kmsg_wait(int kmsg, const char *text, int timeout_ms);
/* Faults of the IOMMU in it that were not read yet, or a negative errno */
int kmsg_faults(int kmsg);

#endif /* FPGABUF_EDU_TEST_H */
