/* SPDX-License-Identifier: GPL-2.0 */
/* A frame as a picture in a file. */
#ifndef FRAME_PNG_H
#define FRAME_PNG_H

#include <gst/gst.h>

/* A copy of @buffer in ordinary memory, so that the dma-buf can go back. */
GstBuffer *frame_copy(GstBuffer *buffer);

/* Converts @buffer, by its GstVideoMeta. On failure @error is set. */
gboolean frame_write_png(GstBuffer *buffer, const char *path, GError **error);

#endif
