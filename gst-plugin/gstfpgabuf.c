/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: the plugin itself
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgasrc.h"

/* Runs in the plugin scanner too: registers, and touches no device. */
static gboolean
plugin_init (GstPlugin * plugin)
{
  return GST_ELEMENT_REGISTER (fpgasrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR,
    GST_VERSION_MINOR,
    fpgabuf,
    "Zero-copy video from FPGAs through fpgabuf channels",
    plugin_init, VERSION, "LGPL", PACKAGE, GST_PACKAGE_ORIGIN)
