/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: a channel that streams
 */
#ifndef __GST_FPGA_STREAM_H__
#define __GST_FPGA_STREAM_H__

#include <fpgabuf.h>
#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstFpgaStream GstFpgaStream;

typedef struct
{
  guint buffers;
  guint queued;
  guint held;
} GstFpgaStreamCounts;

GstFpgaStream *gst_fpga_stream_new (struct fpgabuf_channel *channel);

void gst_fpga_stream_free (GstFpgaStream * self);

struct fpgabuf_channel *gst_fpga_stream_get_channel (GstFpgaStream * self);

gint gst_fpga_stream_configure (GstFpgaStream * self,
    struct fpgabuf_format *format, guint32 kind, guint num_buffers);

void gst_fpga_stream_drop_buffers (GstFpgaStream * self);

void gst_fpga_stream_get_format (GstFpgaStream * self,
    struct fpgabuf_format *format);

void gst_fpga_stream_count (GstFpgaStream * self, GstFpgaStreamCounts * counts);

void gst_fpga_stream_set_playing (GstFpgaStream * self, gboolean playing);

void gst_fpga_stream_set_flushing (GstFpgaStream * self, gboolean flushing);

gint gst_fpga_stream_next (GstFpgaStream * self,
    struct fpgabuf_completion *done);

GstMemory *gst_fpga_stream_take (GstFpgaStream * self,
    const struct fpgabuf_completion *done);

void gst_fpga_stream_recycle (GstFpgaStream * self,
    const struct fpgabuf_completion *done);

G_END_DECLS

#endif /* __GST_FPGA_STREAM_H__ */
