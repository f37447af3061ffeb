/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: source of video frames
 */
#ifndef __GST_FPGA_SRC_H__
#define __GST_FPGA_SRC_H__

#include <gst/gst.h>

G_BEGIN_DECLS

GST_ELEMENT_REGISTER_DECLARE (fpgasrc);

G_END_DECLS

#endif /* __GST_FPGA_SRC_H__ */
