/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: opening a device, and what went wrong
 */
#ifndef __GST_FPGA_DEVICE_H__
#define __GST_FPGA_DEVICE_H__

#include <fpgabuf.h>
#include <gst/gst.h>

G_BEGIN_DECLS

struct fpgabuf_channel *gst_fpga_device_open_capture (GstElement * element,
    const gchar * device);

void gst_fpga_device_post_error (GstElement * element,
    const struct fpgabuf_channel *channel, gint error, const gchar * what);

G_END_DECLS

#endif /* __GST_FPGA_DEVICE_H__ */
