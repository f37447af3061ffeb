/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: caps and the formats of a channel
 */
#ifndef __GST_FPGA_FORMAT_H__
#define __GST_FPGA_FORMAT_H__

#include <fpgabuf.h>
#include <gst/gst.h>
#include <gst/allocators/allocators.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* What gstfpgaformat.c has a DRM fourcc for. */
#define GST_FPGA_VIDEO_FORMATS \
    "{ YUY2, UYVY, YVYU, VYUY, NV12, NV21, NV16, NV61, NV24, I420, YV12, " \
    "Y42B, Y444, P010_10LE, RGB16, BGR16, RGB, BGR, RGBx, BGRx, xRGB, xBGR, " \
    "RGBA, BGRA, ARGB, ABGR, GRAY8, GRAY16_LE }"

/* 1.24 names a dma-buf's layout by drm-format, before it was by format. */
#if GST_CHECK_VERSION(1,24,0)
#define GST_FPGA_DMABUF_CAPS GST_VIDEO_DMA_DRM_CAPS_MAKE
#else
#define GST_FPGA_DMABUF_CAPS GST_VIDEO_CAPS_MAKE_WITH_FEATURES ( \
    GST_CAPS_FEATURE_MEMORY_DMABUF, GST_FPGA_VIDEO_FORMATS)
#endif

#define GST_FPGA_CAPS \
    GST_FPGA_DMABUF_CAPS "; " GST_VIDEO_CAPS_MAKE (GST_FPGA_VIDEO_FORMATS)

GstCaps *gst_fpga_format_probe_caps (struct fpgabuf_channel *channel,
    const struct fpgabuf_format *preferred);

GstCaps *gst_fpga_format_plain_caps_first (const GstCaps * caps);

GstCaps *gst_fpga_format_fixate_nth (const GstCaps * caps, guint index,
    const struct fpgabuf_format *preferred);

gboolean gst_fpga_format_from_caps (const GstCaps * caps,
    struct fpgabuf_format *format, GstVideoInfo * info);

gboolean gst_fpga_format_is_default_layout (const struct fpgabuf_format *format,
    const GstVideoInfo * info);

gboolean gst_fpga_format_is_dmabuf_caps (const GstCaps * caps);

void gst_fpga_format_add_video_meta (const struct fpgabuf_format *format,
    const GstVideoInfo * info, GstBuffer * buffer);

G_END_DECLS

#endif /* __GST_FPGA_FORMAT_H__ */
