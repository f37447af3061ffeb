/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: caps and the formats of a channel
 *
 * Only linear formats are offered. Each of them is offered twice, as
 * memory:DMABuf and as plain video/x-raw: the bytes and the memory are the
 * same, but not every element that can import a dma-buf knows the first.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgaformat.h"

#include <string.h>
#include <drm_fourcc.h>

static const struct
{
  GstVideoFormat format;
  guint32 fourcc;
} format_map[] = {
  {GST_VIDEO_FORMAT_YUY2, DRM_FORMAT_YUYV},
  {GST_VIDEO_FORMAT_UYVY, DRM_FORMAT_UYVY},
  {GST_VIDEO_FORMAT_YVYU, DRM_FORMAT_YVYU},
  {GST_VIDEO_FORMAT_VYUY, DRM_FORMAT_VYUY},
  {GST_VIDEO_FORMAT_NV12, DRM_FORMAT_NV12},
  {GST_VIDEO_FORMAT_NV21, DRM_FORMAT_NV21},
  {GST_VIDEO_FORMAT_NV16, DRM_FORMAT_NV16},
  {GST_VIDEO_FORMAT_NV61, DRM_FORMAT_NV61},
  {GST_VIDEO_FORMAT_NV24, DRM_FORMAT_NV24},
  {GST_VIDEO_FORMAT_I420, DRM_FORMAT_YUV420},
  {GST_VIDEO_FORMAT_YV12, DRM_FORMAT_YVU420},
  {GST_VIDEO_FORMAT_Y42B, DRM_FORMAT_YUV422},
  {GST_VIDEO_FORMAT_Y444, DRM_FORMAT_YUV444},
  {GST_VIDEO_FORMAT_P010_10LE, DRM_FORMAT_P010},
  {GST_VIDEO_FORMAT_RGB16, DRM_FORMAT_RGB565},
  {GST_VIDEO_FORMAT_BGR16, DRM_FORMAT_BGR565},
  {GST_VIDEO_FORMAT_RGB, DRM_FORMAT_BGR888},
  {GST_VIDEO_FORMAT_BGR, DRM_FORMAT_RGB888},
  {GST_VIDEO_FORMAT_RGBx, DRM_FORMAT_XBGR8888},
  {GST_VIDEO_FORMAT_BGRx, DRM_FORMAT_XRGB8888},
  {GST_VIDEO_FORMAT_xRGB, DRM_FORMAT_BGRX8888},
  {GST_VIDEO_FORMAT_xBGR, DRM_FORMAT_RGBX8888},
  {GST_VIDEO_FORMAT_RGBA, DRM_FORMAT_ABGR8888},
  {GST_VIDEO_FORMAT_BGRA, DRM_FORMAT_ARGB8888},
  {GST_VIDEO_FORMAT_ARGB, DRM_FORMAT_BGRA8888},
  {GST_VIDEO_FORMAT_ABGR, DRM_FORMAT_RGBA8888},
  {GST_VIDEO_FORMAT_GRAY8, DRM_FORMAT_R8},
  {GST_VIDEO_FORMAT_GRAY16_LE, DRM_FORMAT_R16},
};

static guint32
format_to_fourcc (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (format_map); i++) {
    if (format_map[i].format == format)
      return format_map[i].fourcc;
  }

  return DRM_FORMAT_INVALID;
}

static GstVideoFormat
fourcc_to_format (guint32 fourcc)
{
  for (guint i = 0; i < G_N_ELEMENTS (format_map); i++) {
    if (format_map[i].fourcc == fourcc)
      return format_map[i].format;
  }

  return GST_VIDEO_FORMAT_UNKNOWN;
}

static gint
to_int (guint32 value)
{
  return MIN (value, G_MAXINT);
}

static GArray *
list_descs (struct fpgabuf_channel *channel, guint32 first_fourcc)
{
  GArray *descs =
      g_array_new (FALSE, FALSE, sizeof (struct fpgabuf_format_desc));
  struct fpgabuf_format_desc desc;

  for (guint i = 0; fpgabuf_channel_enum_format (channel, i, &desc) == 0; i++) {
    if (desc.type != FPGABUF_FORMAT_VIDEO ||
        desc.modifier != DRM_FORMAT_MOD_LINEAR ||
        fourcc_to_format (desc.fourcc) == GST_VIDEO_FORMAT_UNKNOWN)
      continue;

    if (desc.fourcc == first_fourcc)
      g_array_prepend_val (descs, desc);
    else
      g_array_append_val (descs, desc);
  }

  return descs;
}

static gboolean
same_limits (const struct fpgabuf_format_desc *a,
    const struct fpgabuf_format_desc *b)
{
  return a->min_width == b->min_width && a->max_width == b->max_width &&
      a->step_width == b->step_width && a->min_height == b->min_height &&
      a->max_height == b->max_height && a->step_height == b->step_height &&
      !memcmp (&a->min_rate, &b->min_rate, sizeof (a->min_rate)) &&
      !memcmp (&a->max_rate, &b->max_rate, sizeof (a->max_rate));
}

static void
set_int_range (GstStructure * s, const gchar * field, guint32 min, guint32 max,
    guint32 step)
{
  GValue value = G_VALUE_INIT;

  /* GStreamer's ranges are of multiples, so no others can be told. */
  step = CLAMP (step, 1, G_MAXINT);
  min = (to_int (min) + step - 1) / step * step;
  max = to_int (max) / step * step;

  if (min < max) {
    g_value_init (&value, GST_TYPE_INT_RANGE);
    gst_value_set_int_range_step (&value, min, max, step);
  } else {
    g_value_init (&value, G_TYPE_INT);
    g_value_set_int (&value, max);
  }
  gst_structure_take_value (s, field, &value);
}

static void
set_rate_range (GstStructure * s, const struct fpgabuf_format_desc *desc)
{
  gint min_n = to_int (desc->min_rate.numerator);
  gint min_d = to_int (desc->min_rate.denominator);
  gint max_n = to_int (desc->max_rate.numerator);
  gint max_d = to_int (desc->max_rate.denominator);

  if (gst_util_fraction_compare (min_n, min_d, max_n, max_d) < 0)
    gst_structure_set (s, "framerate", GST_TYPE_FRACTION_RANGE,
        min_n, min_d, max_n, max_d, NULL);
  else
    gst_structure_set (s, "framerate", GST_TYPE_FRACTION, max_n, max_d, NULL);
}

#if GST_CHECK_VERSION(1,24,0)
static gchar *
format_name (guint32 fourcc, gboolean dmabuf)
{
  if (dmabuf)
    return gst_video_dma_drm_fourcc_to_string (fourcc, DRM_FORMAT_MOD_LINEAR);

  return g_strdup (gst_video_format_to_string (fourcc_to_format (fourcc)));
}

static void
set_formats (GstStructure * s, GValue * formats, gboolean dmabuf)
{
  if (dmabuf)
    gst_structure_set (s, "format", G_TYPE_STRING, "DMA_DRM", NULL);
  gst_structure_take_value (s, dmabuf ? "drm-format" : "format", formats);
}
#else
static gchar *
format_name (guint32 fourcc, gboolean dmabuf G_GNUC_UNUSED)
{
  return g_strdup (gst_video_format_to_string (fourcc_to_format (fourcc)));
}

static void
set_formats (GstStructure * s, GValue * formats, gboolean dmabuf G_GNUC_UNUSED)
{
  gst_structure_take_value (s, "format", formats);
}
#endif

static void
append_format (GValue * list, guint32 fourcc, gboolean dmabuf)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, format_name (fourcc, dmabuf));
  gst_value_list_append_and_take_value (list, &value);
}

/* One structure for the formats that have the limits of the first one. */
static GstStructure *
new_structure (GArray * descs, gboolean * used, guint first, gboolean dmabuf)
{
  struct fpgabuf_format_desc *desc =
      &g_array_index (descs, struct fpgabuf_format_desc, first);
  GstStructure *s = gst_structure_new_empty ("video/x-raw");
  GValue formats = G_VALUE_INIT;

  g_value_init (&formats, GST_TYPE_LIST);
  for (guint i = first; i < descs->len; i++) {
    struct fpgabuf_format_desc *other =
        &g_array_index (descs, struct fpgabuf_format_desc, i);

    if (used[i] || !same_limits (desc, other))
      continue;
    append_format (&formats, other->fourcc, dmabuf);
    used[i] = TRUE;
  }

  set_formats (s, &formats, dmabuf);
  set_int_range (s, "width", desc->min_width, desc->max_width,
      desc->step_width);
  set_int_range (s, "height", desc->min_height, desc->max_height,
      desc->step_height);
  set_rate_range (s, desc);

  return s;
}

static void
append_structure (GstCaps * caps, GstStructure * s, gboolean dmabuf)
{
  gst_caps_append_structure_full (caps, s, dmabuf ?
      gst_caps_features_new (GST_CAPS_FEATURE_MEMORY_DMABUF, NULL) : NULL);
}

static void
append_formats (GstCaps * caps, GArray * descs, gboolean dmabuf,
    gboolean can_unthrottle)
{
  g_autofree gboolean *used = g_new0 (gboolean, descs->len);
  GstCaps *unthrottled = gst_caps_new_empty ();

  for (guint i = 0; i < descs->len; i++) {
    GstStructure *s;

    if (used[i])
      continue;

    s = new_structure (descs, used, i, dmabuf);
    if (can_unthrottle) {
      GstStructure *copy = gst_structure_copy (s);

      /* what 0/1 means to the driver: only the buffers set the pace */
      gst_structure_set (copy, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
      append_structure (unthrottled, copy, dmabuf);
    }
    append_structure (caps, s, dmabuf);
  }

  /* Last, so that it is only used where downstream asks for it. */
  gst_caps_append (caps, unthrottled);
}

/*
 * The caps of all linear video formats of a channel, dma-buf caps before plain
 * ones and the format of @preferred before others; empty when there is none.
 */
GstCaps *
gst_fpga_format_probe_caps (struct fpgabuf_channel *channel,
    const struct fpgabuf_format *preferred)
{
  gboolean can_unthrottle = fpgabuf_channel_info (channel)->capabilities &
      FPGABUF_CAP_UNTHROTTLED ? TRUE : FALSE;
  GArray *descs = list_descs (channel, preferred->fourcc);
  GstCaps *caps = gst_caps_new_empty ();

  append_formats (caps, descs, TRUE, can_unthrottle);
  append_formats (caps, descs, FALSE, can_unthrottle);
  g_array_unref (descs);

  return caps;
}

/*
 * @caps in the order for a peer that takes anything: it may well be an
 * application that maps the frames and knows nothing of drm-format.
 */
GstCaps *
gst_fpga_format_plain_caps_first (const GstCaps * caps)
{
  GstCaps *plain = gst_caps_new_empty ();
  GstCaps *dmabuf = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstCaps *nth = gst_caps_copy_nth (caps, i);

    gst_caps_append (gst_fpga_format_is_dmabuf_caps (nth) ? dmabuf : plain,
        nth);
  }
  gst_caps_append (plain, dmabuf);

  return plain;
}

/* Structure @index of @caps, fixed, as near to @preferred as it allows. */
GstCaps *
gst_fpga_format_fixate_nth (const GstCaps * caps, guint index,
    const struct fpgabuf_format *preferred)
{
  GstCaps *nth = gst_caps_copy_nth (caps, index);
  GstStructure *s = gst_caps_get_structure (nth, 0);

  if (preferred->type == FPGABUF_FORMAT_VIDEO) {
    gst_structure_fixate_field_nearest_int (s, "width",
        to_int (preferred->width));
    gst_structure_fixate_field_nearest_int (s, "height",
        to_int (preferred->height));
  }
  if (preferred->rate.numerator)
    gst_structure_fixate_field_nearest_fraction (s, "framerate",
        to_int (preferred->rate.numerator),
        to_int (preferred->rate.denominator));

  /* The device does not tell these, so they are what downstream says. */
  if (gst_structure_has_field (s, "interlace-mode"))
    gst_structure_fixate_field_string (s, "interlace-mode", "progressive");
  if (gst_structure_has_field (s, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (s, "pixel-aspect-ratio", 1, 1);

  return gst_caps_fixate (nth);
}

gboolean
gst_fpga_format_is_dmabuf_caps (const GstCaps * caps)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  return features && gst_caps_features_contains (features,
      GST_CAPS_FEATURE_MEMORY_DMABUF);
}

static gboolean
info_from_caps (const GstCaps * caps, GstVideoInfo * info)
{
#if GST_CHECK_VERSION(1,24,0)
  if (gst_video_is_dma_drm_caps (caps)) {
    GstVideoInfoDmaDrm drm;
    GstVideoFormat format;

    if (!gst_video_info_dma_drm_from_caps (&drm, caps) ||
        drm.drm_modifier != DRM_FORMAT_MOD_LINEAR)
      return FALSE;

    format = fourcc_to_format (drm.drm_fourcc);
    if (format == GST_VIDEO_FORMAT_UNKNOWN ||
        !gst_video_info_set_format (info, format,
            GST_VIDEO_INFO_WIDTH (&drm.vinfo),
            GST_VIDEO_INFO_HEIGHT (&drm.vinfo)))
      return FALSE;

    GST_VIDEO_INFO_FPS_N (info) = GST_VIDEO_INFO_FPS_N (&drm.vinfo);
    GST_VIDEO_INFO_FPS_D (info) = GST_VIDEO_INFO_FPS_D (&drm.vinfo);
    return TRUE;
  }
#endif
  return gst_video_info_from_caps (info, caps);
}

/*
 * What to ask the driver for when @caps, which are fixed, were negotiated.
 * @info gets GStreamer's default layout of them, for dma-buf caps too.
 */
gboolean
gst_fpga_format_from_caps (const GstCaps * caps, struct fpgabuf_format *format,
    GstVideoInfo * info)
{
  guint32 fourcc;

  if (!info_from_caps (caps, info))
    return FALSE;

  fourcc = format_to_fourcc (GST_VIDEO_INFO_FORMAT (info));
  if (fourcc == DRM_FORMAT_INVALID)
    return FALSE;

  memset (format, 0, sizeof (*format));
  format->type = FPGABUF_FORMAT_VIDEO;
  format->fourcc = fourcc;
  format->modifier = DRM_FORMAT_MOD_LINEAR;
  format->width = GST_VIDEO_INFO_WIDTH (info);
  format->height = GST_VIDEO_INFO_HEIGHT (info);
  format->rate.numerator = GST_VIDEO_INFO_FPS_N (info);
  format->rate.denominator = GST_VIDEO_INFO_FPS_D (info);

  return TRUE;
}

/* Is @format laid out as elements without GstVideoMeta take for granted? */
gboolean
gst_fpga_format_is_default_layout (const struct fpgabuf_format *format,
    const GstVideoInfo * info)
{
  if (format->num_planes != GST_VIDEO_INFO_N_PLANES (info))
    return FALSE;

  for (guint i = 0; i < format->num_planes; i++) {
    if (format->pitches[i] != (guint) GST_VIDEO_INFO_PLANE_STRIDE (info, i) ||
        format->offsets[i] != GST_VIDEO_INFO_PLANE_OFFSET (info, i))
      return FALSE;
  }

  return TRUE;
}

void
gst_fpga_format_add_video_meta (const struct fpgabuf_format *format,
    const GstVideoInfo * info, GstBuffer * buffer)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0, };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0, };

  for (guint i = 0; i < format->num_planes; i++) {
    offsets[i] = format->offsets[i];
    strides[i] = format->pitches[i];
  }

  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), format->width, format->height,
      format->num_planes, offsets, strides);
}
