/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: the buffers of a channel as GstMemory
 */
#ifndef __GST_FPGA_ALLOCATOR_H__
#define __GST_FPGA_ALLOCATOR_H__

#include <fpgabuf.h>
#include <gst/gst.h>
#include <gst/allocators/allocators.h>

G_BEGIN_DECLS

/* Buffers that are queued or taken in one system call */
#define GST_FPGA_BATCH 64

#define GST_TYPE_FPGA_ALLOCATOR gst_fpga_allocator_get_type ()
G_DECLARE_FINAL_TYPE (GstFpgaAllocator, gst_fpga_allocator, GST,
    FPGA_ALLOCATOR, GstDmaBufAllocator);

GstFpgaAllocator *gst_fpga_allocator_new (struct fpgabuf_channel *channel,
    guint64 frame_size, guint32 kind, guint num_buffers, gint wake_fd,
    gint * error);

gint gst_fpga_allocator_queue (GstFpgaAllocator * self);

gint gst_fpga_allocator_exchange (GstFpgaAllocator * self,
    struct fpgabuf_completion *done, guint max);

void gst_fpga_allocator_drain (GstFpgaAllocator * self);

GstMemory *gst_fpga_allocator_take (GstFpgaAllocator * self,
    const struct fpgabuf_completion *done);

void gst_fpga_allocator_recycle (GstFpgaAllocator * self,
    const struct fpgabuf_completion *done);

gboolean gst_fpga_allocator_is_short (GstFpgaAllocator * self);

gboolean gst_fpga_allocator_prepare_wait (GstFpgaAllocator * self);

void gst_fpga_allocator_detach (GstFpgaAllocator * self);

guint gst_fpga_allocator_get_size (GstFpgaAllocator * self);

void gst_fpga_allocator_count (GstFpgaAllocator * self, guint * queued,
    guint * held);

G_END_DECLS

#endif /* __GST_FPGA_ALLOCATOR_H__ */
