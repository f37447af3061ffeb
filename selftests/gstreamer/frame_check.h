/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a GstBuffer from fpgasrc must be: one dma-buf with one whole frame, as
 * the frame's own trailer proves.
 */
#ifndef FRAME_CHECK_H
#define FRAME_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <fpgabuf.h>
#include <gst/gst.h>

/* Both of these return 0 or a negative errno. */

/*
 * Maps @buffer and checks its frame; see fpgabuf_verify_frame(). @trailer may
 * be NULL. -EIO: it cannot be mapped.
 */
int frame_verify(GstBuffer *buffer, struct fpgabuf_trailer *trailer);

/*
 * Is all of @buffer in one dma-buf? @inode tells one dma-buf from another.
 * -EXDEV: it is in no dma-buf, or in several memories.
 */
int frame_dmabuf(GstBuffer *buffer, uint64_t *inode);

#endif
