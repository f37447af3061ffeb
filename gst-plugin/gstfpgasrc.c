/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: source of video frames
 */

/**
 * SECTION:element-fpgasrc
 * @title: fpgasrc
 *
 * Captures video from an FPGA through a channel of the fpgabuf drivers. The
 * FPGA's DMA engine writes each frame into a dma-buf, and that dma-buf is what
 * is pushed: no CPU touches the frame on the way to an element that imports
 * dma-bufs, such as v4l2sink, kmssink, waylandsink or glupload.
 *
 * A buffer goes back to the engine when the last user of its memory has
 * released it. While downstream keeps all of them the FPGA has nowhere to write
 * to; the frames that are lost then are reported by a QoS message and in
 * #GstFpgaSrc:stats. More of #GstFpgaSrc:min-buffers helps against it.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -v fpgasrc ! v4l2sink device=/dev/video1 io-mode=dmabuf-import sync=false
 * ]| Show the FPGA's picture on a V4L2 output, without a copy.
 * |[
 * gst-launch-1.0 fpgasrc device=/dev/fpgabuf1 ! video/x-raw,format=YUY2,width=640,height=480,framerate=30/1 ! videoconvert ! autovideosink
 * ]| Ask for a format, and convert it.
 *
 * Since: 0.1
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgasrc.h"

#include <errno.h>
#include <time.h>
#include <gst/base/gstpushsrc.h>

#include "gstfpgadevice.h"
#include "gstfpgaformat.h"
#include "gstfpgastream.h"

#define GST_CAT_DEFAULT fpgasrc_debug
GST_DEBUG_CATEGORY_STATIC (fpgasrc_debug);
GST_DEBUG_CATEGORY_STATIC (performance_debug);

/* Buffers that keep the engine busy, besides those that downstream holds. */
#define DEFAULT_MIN_BUFFERS 4
/* The device may have fewer. */
#define MAX_MIN_BUFFERS 4096
/* More for a peer that did not tell how many it holds, as v4l2src does. */
#define UNKNOWN_PEER_BUFFERS 2

typedef enum
{
  GST_FPGA_SRC_KIND_AUTO = -1,
  GST_FPGA_SRC_KIND_COHERENT = FPGABUF_KIND_COHERENT,
  GST_FPGA_SRC_KIND_CONTIGUOUS = FPGABUF_KIND_CONTIGUOUS,
  GST_FPGA_SRC_KIND_SYSTEM = FPGABUF_KIND_SYSTEM,
  GST_FPGA_SRC_KIND_WRITECOMBINE = FPGABUF_KIND_WRITECOMBINE,
  GST_FPGA_SRC_KIND_NONCONTIGUOUS = FPGABUF_KIND_NONCONTIGUOUS,
  GST_FPGA_SRC_KIND_REGION = FPGABUF_KIND_REGION,
} GstFpgaSrcKind;

enum
{
  PROP_0,
  PROP_DEVICE,
  PROP_KIND,
  PROP_MIN_BUFFERS,
  PROP_STRIDE_ALIGN,
  PROP_COPIED_BYTES,
  PROP_STATS,
};

#define GST_TYPE_FPGA_SRC gst_fpga_src_get_type ()
G_DECLARE_FINAL_TYPE (GstFpgaSrc, gst_fpga_src, GST, FPGA_SRC, GstPushSrc);

struct _GstFpgaSrc
{
  GstPushSrc parent;

  /* properties, protected by the object lock */
  gchar *device;
  GstFpgaSrcKind kind;
  guint min_buffers;
  guint stride_align;

  /* from READY to NULL; written with the object lock */
  GstFpgaStream *stream;
  GstCaps *caps;
  struct fpgabuf_format preferred;

  /* negotiated, used by the streaming thread */
  struct fpgabuf_format wanted;
  struct fpgabuf_format format;
  GstVideoInfo info;
  gboolean dmabuf_caps;
  gboolean copy;

  gint pausing;                 /* atomic */

  /* used by the streaming thread */
  guint32 run;
  guint64 offset;               /* of the run's first frame */
  guint64 sequence;             /* of the run's next frame */
  GstClockTime last_pts;

  /* statistics, protected by the object lock */
  guint64 frames;
  guint64 lost;
  guint64 corrupted;
  guint64 errors;
  guint64 copied_bytes;
};

#define gst_fpga_src_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstFpgaSrc, gst_fpga_src, GST_TYPE_PUSH_SRC,
    GST_DEBUG_CATEGORY_INIT (fpgasrc_debug, "fpgasrc", 0, "fpgabuf source");
    GST_DEBUG_CATEGORY_GET (performance_debug, "GST_PERFORMANCE"));
GST_ELEMENT_REGISTER_DEFINE (fpgasrc, "fpgasrc", GST_RANK_NONE,
    GST_TYPE_FPGA_SRC);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC,
    GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_FPGA_CAPS));

static GstStaticCaps monotonic_caps =
GST_STATIC_CAPS ("timestamp/x-system-monotonic");

#define GST_TYPE_FPGA_SRC_KIND (gst_fpga_src_kind_get_type ())
static GType
gst_fpga_src_kind_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_FPGA_SRC_KIND_AUTO,
        "Pages where the engine has scatter-gather, else one block", "auto"},
    {GST_FPGA_SRC_KIND_COHERENT, "Coherent memory", "coherent"},
    {GST_FPGA_SRC_KIND_CONTIGUOUS, "One contiguous cached block",
        "contiguous"},
    {GST_FPGA_SRC_KIND_SYSTEM, "Cached pages", "system"},
    {GST_FPGA_SRC_KIND_WRITECOMBINE, "Coherent memory that the CPU only writes",
        "writecombine"},
    {GST_FPGA_SRC_KIND_NONCONTIGUOUS, "Cached memory at one device address",
        "noncontiguous"},
    {GST_FPGA_SRC_KIND_REGION, "Memory that the device brings along", "region"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstFpgaSrcKind", values));

  return type;
}

static struct fpgabuf_channel *
gst_fpga_src_get_channel (GstFpgaSrc * self)
{
  return gst_fpga_stream_get_channel (self->stream);
}

static const gchar *
gst_fpga_src_get_path (GstFpgaSrc * self)
{
  return fpgabuf_channel_path (gst_fpga_src_get_channel (self));
}

static void
gst_fpga_src_post_error (GstFpgaSrc * self, gint error, const gchar * what)
{
  gst_fpga_device_post_error (GST_ELEMENT_CAST (self),
      gst_fpga_src_get_channel (self), error, what);
}

/* Opening and closing: from NULL to READY and back */

static GstCaps *
gst_fpga_src_probe (GstFpgaSrc * self, struct fpgabuf_channel *channel)
{
  GstCaps *caps;
  gint error;

  error = fpgabuf_channel_get_format (channel, &self->preferred);
  if (error < 0) {
    gst_fpga_device_post_error (GST_ELEMENT_CAST (self), channel, error,
        "get format");
    return NULL;
  }

  caps = gst_fpga_format_probe_caps (channel, &self->preferred);
  GST_DEBUG_OBJECT (self, "%s: %" GST_PTR_FORMAT,
      fpgabuf_channel_path (channel), caps);
  if (gst_caps_is_empty (caps)) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Device '%s' has no linear video format that GStreamer knows.",
            fpgabuf_channel_path (channel)), (NULL));
    gst_clear_caps (&caps);
  }

  return caps;
}

static GstFpgaStream *
gst_fpga_src_new_stream (GstFpgaSrc * self, struct fpgabuf_channel *channel)
{
  GstFpgaStream *stream = gst_fpga_stream_new (channel);

  if (!stream)
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
        ("Could not open what is needed to wait for frames."),
        GST_ERROR_SYSTEM);

  return stream;
}

static gboolean
gst_fpga_src_open (GstFpgaSrc * self)
{
  struct fpgabuf_channel *channel;
  g_autofree gchar *device = NULL;
  GstFpgaStream *stream = NULL;
  GstCaps *caps;

  GST_OBJECT_LOCK (self);
  device = g_strdup (self->device);
  GST_OBJECT_UNLOCK (self);

  channel = gst_fpga_device_open_capture (GST_ELEMENT_CAST (self), device);
  if (!channel)
    return FALSE;

  caps = gst_fpga_src_probe (self, channel);
  if (caps)
    stream = gst_fpga_src_new_stream (self, channel);
  if (!stream) {
    gst_clear_caps (&caps);
    fpgabuf_channel_close (channel);
    return FALSE;
  }

  GST_OBJECT_LOCK (self);
  self->stream = stream;
  self->caps = caps;
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

static void
gst_fpga_src_close (GstFpgaSrc * self)
{
  GstFpgaStream *stream;

  GST_OBJECT_LOCK (self);
  stream = self->stream;
  self->stream = NULL;
  gst_clear_caps (&self->caps);
  GST_OBJECT_UNLOCK (self);

  gst_fpga_stream_free (stream);
}

/* Negotiation */

static GstCaps *
gst_fpga_src_get_caps (GstBaseSrc * basesrc, GstCaps * filter)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);
  GstCaps *caps = NULL, *filtered;

  GST_OBJECT_LOCK (self);
  if (self->caps)
    caps = gst_caps_ref (self->caps);
  GST_OBJECT_UNLOCK (self);

  if (!caps)
    caps = gst_pad_get_pad_template_caps (GST_BASE_SRC_PAD (basesrc));
  if (!filter)
    return caps;

  filtered = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);

  return filtered;
}

/* The peer's order counts; one that takes anything gets plain caps. */
static GstCaps *
common_caps (GstCaps * caps, GstCaps * peercaps)
{
  if (!peercaps || gst_caps_is_any (peercaps))
    return gst_fpga_format_plain_caps_first (caps);

  return gst_caps_intersect_full (peercaps, caps, GST_CAPS_INTERSECT_FIRST);
}

static gint
gst_fpga_src_try_format (GstFpgaSrc * self, struct fpgabuf_format *format)
{
  return fpgabuf_channel_try_format (gst_fpga_src_get_channel (self), format);
}

/*
 * Returns: (transfer full): the first caps of @common that the driver takes;
 * NULL if there are none, then @error is what it says of the last ones
 */
static GstCaps *
gst_fpga_src_choose_caps (GstFpgaSrc * self, GstCaps * common, gint * error)
{
  *error = -EINVAL;
  for (guint i = 0; i < gst_caps_get_size (common); i++) {
    GstCaps *caps = gst_fpga_format_fixate_nth (common, i, &self->preferred);
    struct fpgabuf_format format;
    GstVideoInfo info;

    *error = -EINVAL;
    if (gst_fpga_format_from_caps (caps, &format, &info))
      *error = gst_fpga_src_try_format (self, &format);
    if (*error == 0)
      return caps;

    GST_DEBUG_OBJECT (self, "not %" GST_PTR_FORMAT ": %s", caps,
        g_strerror (-*error));
    gst_caps_unref (caps);
  }

  return NULL;
}

static void
gst_fpga_src_post_no_format (GstFpgaSrc * self, gint error, GstCaps * caps,
    GstCaps * peercaps)
{
  if (error == -ENODEV)
    gst_fpga_src_post_error (self, error, "negotiate");
  else
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Device '%s' has no format that the next element takes.",
            gst_fpga_src_get_path (self)),
        ("device: %" GST_PTR_FORMAT "; next element: %" GST_PTR_FORMAT, caps,
            peercaps));
}

static gboolean
gst_fpga_src_negotiate (GstBaseSrc * basesrc)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);
  GstPad *pad = GST_BASE_SRC_PAD (basesrc);
  GstCaps *caps = gst_pad_query_caps (pad, NULL);
  GstCaps *peercaps = gst_pad_peer_query_caps (pad, NULL);
  GstCaps *common = common_caps (caps, peercaps);
  gboolean ret = FALSE;
  GstCaps *chosen;
  gint error;

  chosen = gst_fpga_src_choose_caps (self, common, &error);
  if (chosen) {
    GST_INFO_OBJECT (self, "chose %" GST_PTR_FORMAT, chosen);
    ret = gst_base_src_set_caps (basesrc, chosen);
    gst_caps_unref (chosen);
  } else if (!GST_PAD_IS_FLUSHING (pad)) {
    gst_fpga_src_post_no_format (self, error, caps, peercaps);
  }

  gst_caps_unref (common);
  gst_clear_caps (&peercaps);
  gst_caps_unref (caps);

  return ret;
}

static gboolean
gst_fpga_src_set_caps (GstBaseSrc * basesrc, GstCaps * caps)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);

  self->dmabuf_caps = gst_fpga_format_is_dmabuf_caps (caps);

  return gst_fpga_format_from_caps (caps, &self->wanted, &self->info);
}

static gint
gst_fpga_src_try_pitch (GstFpgaSrc * self, guint32 pitch)
{
  struct fpgabuf_format format = self->wanted;
  gint error;

  format.pitches[0] = pitch;
  error = gst_fpga_src_try_format (self, &format);
  if (error == 0)
    self->format = format;

  return error;
}

static guint
gst_fpga_src_get_stride_align (GstFpgaSrc * self)
{
  guint align;

  GST_OBJECT_LOCK (self);
  align = self->stride_align;
  GST_OBJECT_UNLOCK (self);

  return align;
}

/*
 * Finds the layout: the driver's own, or what the user asks for. Where
 * downstream reads no GstVideoMeta, GStreamer's default is better than a copy.
 */
static gint
gst_fpga_src_choose_layout (GstFpgaSrc * self, gboolean has_video_meta)
{
  guint32 pitch = GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0);
  guint align = gst_fpga_src_get_stride_align (self);
  gint error;

  if (align)
    return gst_fpga_src_try_pitch (self, (pitch + align - 1) / align * align);

  error = gst_fpga_src_try_pitch (self, 0);
  if (error < 0 || has_video_meta ||
      gst_fpga_format_is_default_layout (&self->format, &self->info))
    return error;

  error = gst_fpga_src_try_pitch (self, pitch);
  GST_DEBUG_OBJECT (self, "default pitch %u: %s", pitch, g_strerror (-error));

  return 0;
}

static guint
gst_fpga_src_count_buffers (GstFpgaSrc * self, GstQuery * query)
{
  guint max = fpgabuf_channel_info (gst_fpga_src_get_channel (self))->num_slots;
  guint min_buffers, downstream = UNKNOWN_PEER_BUFFERS;

  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &downstream,
        NULL);

  GST_OBJECT_LOCK (self);
  min_buffers = self->min_buffers;
  GST_OBJECT_UNLOCK (self);

  if (downstream > max || min_buffers + downstream > max) {
    GST_WARNING_OBJECT (self, "%u + %u buffers wanted, the device has %u slots",
        min_buffers, downstream, max);
    return max;
  }

  return min_buffers + downstream;
}

static guint32
gst_fpga_src_get_kind (GstFpgaSrc * self)
{
  const struct fpgabuf_info *info =
      fpgabuf_channel_info (gst_fpga_src_get_channel (self));
  GstFpgaSrcKind kind;

  GST_OBJECT_LOCK (self);
  kind = self->kind;
  GST_OBJECT_UNLOCK (self);

  if (kind != GST_FPGA_SRC_KIND_AUTO)
    return kind;

  return info->capabilities & FPGABUF_CAP_SCATTER ? FPGABUF_KIND_SYSTEM :
      FPGABUF_KIND_CONTIGUOUS;
}

static gboolean
gst_fpga_src_configure (GstFpgaSrc * self, guint num_buffers)
{
  guint32 kind = gst_fpga_src_get_kind (self);
  gint ret = gst_fpga_stream_configure (self->stream, &self->format, kind,
      num_buffers);

  if (ret < 0) {
    gst_fpga_src_post_error (self, ret, "set format and allocate buffers");
    return FALSE;
  }

  if (ret > 0) {
    GST_INFO_OBJECT (self, "%u %s buffers of %" G_GUINT64_FORMAT " bytes",
        num_buffers, fpgabuf_kind_name (kind), (guint64) self->format.size);
    gst_element_post_message (GST_ELEMENT_CAST (self),
        gst_message_new_latency (GST_OBJECT_CAST (self)));
  }

  return TRUE;
}

/* Pushed buffers are made of our own memory, no pool is needed. */
static void
drop_pools (GstQuery * query)
{
  while (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_remove_nth_allocation_pool (query, 0);
}

static gboolean
gst_fpga_src_decide_allocation (GstBaseSrc * basesrc, GstQuery * query)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);
  gboolean has_video_meta = gst_query_find_allocation_meta (query,
      GST_VIDEO_META_API_TYPE, NULL);
  gint error;

  error = gst_fpga_src_choose_layout (self, has_video_meta);
  if (error < 0) {
    gst_fpga_src_post_error (self, error, "choose layout");
    return FALSE;
  }

  /* Elements that negotiate dma-buf caps have no use for a copy. */
  self->copy = !has_video_meta && !self->dmabuf_caps &&
      !gst_fpga_format_is_default_layout (&self->format, &self->info);

  if (!gst_fpga_src_configure (self, gst_fpga_src_count_buffers (self, query)))
    return FALSE;

  if (!self->copy) {
    drop_pools (query);
    return TRUE;
  }

  GST_CAT_WARNING_OBJECT (performance_debug, self, "frames will be copied: "
      "downstream has no GstVideoMeta and takes a stride of %d, not %u",
      GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0), self->format.pitches[0]);

  return GST_BASE_SRC_CLASS (parent_class)->decide_allocation (basesrc, query);
}

/* Streaming */

static GstClockTime
gst_fpga_src_get_duration (GstFpgaSrc * self, guint64 frames)
{
  if (GST_VIDEO_INFO_FPS_N (&self->info) == 0)
    return GST_CLOCK_TIME_NONE;

  return gst_util_uint64_scale (frames,
      GST_SECOND * GST_VIDEO_INFO_FPS_D (&self->info),
      GST_VIDEO_INFO_FPS_N (&self->info));
}

/* The age of the frame counts, so that any clock of the pipeline will do. */
static GstClockTime
gst_fpga_src_get_pts (GstFpgaSrc * self, GstClockTime captured)
{
  GstClockTime now, pts, age;
  GstClock *clock = gst_element_get_clock (GST_ELEMENT_CAST (self));
  struct timespec monotonic;

  if (!clock)
    return GST_CLOCK_TIME_NONE;

  clock_gettime (CLOCK_MONOTONIC, &monotonic);
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);

  now -= MIN (now, gst_element_get_base_time (GST_ELEMENT_CAST (self)));
  age = GST_TIMESPEC_TO_TIME (monotonic);
  age -= MIN (age, captured);
  pts = now - MIN (now, age);

  /* the two clocks are not read at the same instant */
  if (GST_CLOCK_TIME_IS_VALID (self->last_pts))
    pts = MAX (pts, self->last_pts);
  self->last_pts = pts;

  return pts;
}

static void
gst_fpga_src_report_loss (GstFpgaSrc * self,
    const struct fpgabuf_completion *done, guint64 lost, GstClockTime pts)
{
  GstMessage *message;
  guint64 frames, total;

  GST_OBJECT_LOCK (self);
  total = self->lost += lost;
  frames = self->frames;
  GST_OBJECT_UNLOCK (self);

  GST_WARNING_OBJECT (self, "lost %" G_GUINT64_FORMAT " frames before frame %"
      G_GUINT64_FORMAT "%s%s", lost, (guint64) done->sequence,
      done->flags & FPGABUF_DONE_LOST_STARVED ?
      ": no buffer was queued" : "",
      done->flags & FPGABUF_DONE_LOST_OVERRUN ?
      ": the device could not keep up" : "");

  message = gst_message_new_qos (GST_OBJECT_CAST (self), TRUE, pts,
      GST_CLOCK_TIME_NONE, pts, gst_fpga_src_get_duration (self, lost));
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, frames, total);
  gst_element_post_message (GST_ELEMENT_CAST (self), message);
}

/* FALSE: there is no frame in it, and its buffer was given back. */
static gboolean
gst_fpga_src_accept (GstFpgaSrc * self, const struct fpgabuf_completion *done)
{
  if (done->status == 0 || done->status == -EMSGSIZE)
    return TRUE;

  gst_fpga_stream_recycle (self->stream, done);
  if (done->status == -ECANCELED)
    return FALSE;

  GST_OBJECT_LOCK (self);
  self->errors++;
  GST_OBJECT_UNLOCK (self);
  GST_ELEMENT_WARNING (self, RESOURCE, READ,
      ("Device '%s' failed to transfer a frame, which was dropped.",
          gst_fpga_src_get_path (self)),
      ("frame %" G_GUINT64_FORMAT ": %s", (guint64) done->sequence,
          g_strerror (-done->status)));

  return FALSE;
}

/*
 * Frames that were missed since the last one, by the numbers of the driver.
 * These start anew with each run, offsets do not.
 */
static guint64
gst_fpga_src_advance (GstFpgaSrc * self, const struct fpgabuf_completion *done)
{
  guint64 lost = 0;

  if (done->status == -ECANCELED)
    return 0;

  if (done->run != self->run) {
    self->run = done->run;
    self->offset += self->sequence;
    self->sequence = 0;
  }

  if (done->sequence >= self->sequence)
    lost = done->sequence - self->sequence;
  else
    GST_ERROR_OBJECT (self, "frame %" G_GUINT64_FORMAT " came after frame %"
        G_GUINT64_FORMAT, (guint64) done->sequence, self->sequence - 1);
  self->sequence = done->sequence + 1;

  return lost;
}

static GstBuffer *
gst_fpga_src_wrap (GstFpgaSrc * self, const struct fpgabuf_completion *done)
{
  GstBuffer *buffer = gst_buffer_new ();

  gst_buffer_append_memory (buffer, gst_fpga_stream_take (self->stream, done));
  gst_fpga_format_add_video_meta (&self->format, &self->info, buffer);

  return buffer;
}

static gsize
count_bytes (const GstVideoFrame * frame)
{
  gsize bytes = 0;

  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (frame); i++)
    bytes += (gsize) GST_VIDEO_FRAME_COMP_WIDTH (frame, i) *
        GST_VIDEO_FRAME_COMP_PSTRIDE (frame, i) *
        GST_VIDEO_FRAME_COMP_HEIGHT (frame, i);

  return bytes;
}

static gboolean
gst_fpga_src_copy_frame (GstFpgaSrc * self, GstBuffer * from, GstBuffer * to)
{
  GstVideoFrame src, dest;
  gboolean ret;

  if (!gst_video_frame_map (&src, &self->info, from, GST_MAP_READ))
    return FALSE;
  if (!gst_video_frame_map (&dest, &self->info, to, GST_MAP_WRITE)) {
    gst_video_frame_unmap (&src);
    return FALSE;
  }

  ret = gst_video_frame_copy (&dest, &src);
  GST_OBJECT_LOCK (self);
  self->copied_bytes += count_bytes (&dest);
  GST_OBJECT_UNLOCK (self);

  gst_video_frame_unmap (&dest);
  gst_video_frame_unmap (&src);

  return ret;
}

/* Replaces @buffer, which has a layout that downstream cannot know. */
static GstFlowReturn
gst_fpga_src_copy (GstFpgaSrc * self, GstBuffer ** buffer)
{
  GstBuffer *from = *buffer;
  GstFlowReturn ret;

  *buffer = NULL;
  ret = GST_BASE_SRC_CLASS (parent_class)->alloc (GST_BASE_SRC (self), 0,
      GST_VIDEO_INFO_SIZE (&self->info), buffer);
  if (ret == GST_FLOW_OK && !gst_fpga_src_copy_frame (self, from, *buffer)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("Could not copy a frame."),
        (NULL));
    gst_clear_buffer (buffer);
    ret = GST_FLOW_ERROR;
  }
  gst_buffer_unref (from);

  return ret;
}

static void
gst_fpga_src_stamp (GstFpgaSrc * self, GstBuffer * buffer,
    const struct fpgabuf_completion *done)
{
  GstCaps *reference = gst_static_caps_get (&monotonic_caps);

  GST_BUFFER_PTS (buffer) = gst_fpga_src_get_pts (self, done->timestamp);
  GST_BUFFER_DURATION (buffer) = gst_fpga_src_get_duration (self, 1);
  GST_BUFFER_OFFSET (buffer) = self->offset + done->sequence;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET (buffer) + 1;

  gst_buffer_add_reference_timestamp_meta (buffer, reference, done->timestamp,
      GST_CLOCK_TIME_NONE);
  gst_caps_unref (reference);

  if (done->status == -EMSGSIZE) {
    GST_WARNING_OBJECT (self, "frame %" G_GUINT64_FORMAT " is short: %"
        G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes",
        (guint64) done->sequence, (guint64) done->bytes,
        (guint64) self->format.size);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
  }
}

static void
gst_fpga_src_count_frame (GstFpgaSrc * self,
    const struct fpgabuf_completion *done)
{
  GST_OBJECT_LOCK (self);
  self->frames++;
  if (done->status == -EMSGSIZE)
    self->corrupted++;
  GST_OBJECT_UNLOCK (self);
}

/* Takes the next frame, and counts what was lost before it. */
static GstFlowReturn
gst_fpga_src_next (GstFpgaSrc * self, struct fpgabuf_completion *done,
    guint64 * lost)
{
  gint error;

  *lost = 0;
  do {
    error = gst_fpga_stream_next (self->stream, done);
    if (error == -ECANCELED)
      return GST_FLOW_FLUSHING;
    if (error < 0) {
      gst_fpga_src_post_error (self, error, "capture");
      return GST_FLOW_ERROR;
    }
    *lost += gst_fpga_src_advance (self, done);
  } while (!gst_fpga_src_accept (self, done));

  return GST_FLOW_OK;
}

static GstFlowReturn
gst_fpga_src_create (GstPushSrc * pushsrc, GstBuffer ** buffer)
{
  GstFpgaSrc *self = GST_FPGA_SRC (pushsrc);
  struct fpgabuf_completion done;
  GstFlowReturn ret;
  guint64 lost;

  ret = gst_fpga_src_next (self, &done, &lost);
  if (ret != GST_FLOW_OK)
    return ret;

  *buffer = gst_fpga_src_wrap (self, &done);
  if (self->copy) {
    ret = gst_fpga_src_copy (self, buffer);
    if (ret != GST_FLOW_OK)
      return ret;
  }

  gst_fpga_src_stamp (self, *buffer, &done);
  if (lost) {
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
    gst_fpga_src_report_loss (self, &done, lost, GST_BUFFER_PTS (*buffer));
  }
  gst_fpga_src_count_frame (self, &done);

  GST_LOG_OBJECT (self, "frame %" G_GUINT64_FORMAT " pts %" GST_TIME_FORMAT,
      (guint64) done.sequence, GST_TIME_ARGS (GST_BUFFER_PTS (*buffer)));

  return GST_FLOW_OK;
}

static gboolean
gst_fpga_src_unlock (GstBaseSrc * basesrc)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);

  /*
   * Newer base classes unlock for a pause, too. If create() returned for that
   * and it played again by then, they would take it for a flush, and end the
   * streaming thread. It waits in create() instead.
   */
  if (!g_atomic_int_get (&self->pausing) ||
      GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (basesrc)))
    gst_fpga_stream_set_flushing (self->stream, TRUE);

  return TRUE;
}

static gboolean
gst_fpga_src_unlock_stop (GstBaseSrc * basesrc)
{
  gst_fpga_stream_set_flushing (GST_FPGA_SRC (basesrc)->stream, FALSE);

  return TRUE;
}

/* States */

static gboolean
gst_fpga_src_start (GstBaseSrc * basesrc)
{
  GstFpgaSrc *self = GST_FPGA_SRC (basesrc);

  self->run = 0;
  self->offset = 0;
  self->sequence = 0;
  self->last_pts = GST_CLOCK_TIME_NONE;

  GST_OBJECT_LOCK (self);
  self->frames = self->lost = self->corrupted = self->errors = 0;
  self->copied_bytes = 0;
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

static gboolean
gst_fpga_src_stop (GstBaseSrc * basesrc)
{
  gst_fpga_stream_drop_buffers (GST_FPGA_SRC (basesrc)->stream);

  return TRUE;
}

static GstStateChangeReturn
gst_fpga_src_change_state (GstElement * element, GstStateChange transition)
{
  GstFpgaSrc *self = GST_FPGA_SRC (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_fpga_src_open (self))
    return GST_STATE_CHANGE_FAILURE;

  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    gst_fpga_stream_set_playing (self->stream, FALSE);
    g_atomic_int_set (&self->pausing, TRUE);
  }

  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);

  switch (transition) {
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      gst_fpga_stream_set_playing (self->stream,
          ret != GST_STATE_CHANGE_FAILURE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      g_atomic_int_set (&self->pausing, FALSE);
      break;
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (ret == GST_STATE_CHANGE_FAILURE)
        gst_fpga_src_close (self);
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      gst_fpga_src_close (self);
      break;
    default:
      break;
  }

  return ret;
}

/* Queries and properties */

/* What the element adds: at least one frame, and what its buffers can hold. */
static gboolean
gst_fpga_src_query_latency (GstFpgaSrc * self, GstQuery * query)
{
  struct fpgabuf_format format = { 0, };
  GstFpgaStreamCounts counts = { 0, };
  GstClockTime min, max;

  GST_OBJECT_LOCK (self);
  if (self->stream) {
    gst_fpga_stream_count (self->stream, &counts);
    gst_fpga_stream_get_format (self->stream, &format);
  }
  GST_OBJECT_UNLOCK (self);

  if (counts.buffers == 0) {
    GST_DEBUG_OBJECT (self, "latency is not known before negotiation");
    return FALSE;
  }

  if (format.rate.numerator == 0) {
    min = 0;
    max = GST_CLOCK_TIME_NONE;
  } else {
    min = gst_util_uint64_scale_ceil (GST_SECOND, format.rate.denominator,
        format.rate.numerator);
    max = counts.buffers * min;
  }
  gst_query_set_latency (query, TRUE, min, max);

  return TRUE;
}

static gboolean
gst_fpga_src_query (GstBaseSrc * basesrc, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_fpga_src_query_latency (GST_FPGA_SRC (basesrc), query);

  return GST_BASE_SRC_CLASS (parent_class)->query (basesrc, query);
}

/* Call with the object lock. */
static GstStructure *
gst_fpga_src_create_stats (GstFpgaSrc * self)
{
  GstFpgaStreamCounts counts = { 0, };

  if (self->stream)
    gst_fpga_stream_count (self->stream, &counts);

  return gst_structure_new ("application/x-fpgasrc-stats",
      "frames", G_TYPE_UINT64, self->frames,
      "lost", G_TYPE_UINT64, self->lost,
      "corrupted", G_TYPE_UINT64, self->corrupted,
      "errors", G_TYPE_UINT64, self->errors,
      "copied-bytes", G_TYPE_UINT64, self->copied_bytes,
      "buffers", G_TYPE_UINT, counts.buffers,
      "queued-buffers", G_TYPE_UINT, counts.queued,
      "held-buffers", G_TYPE_UINT, counts.held, NULL);
}

static void
gst_fpga_src_set_property (GObject * object, guint prop_id,
    const GValue * value, GParamSpec * pspec)
{
  GstFpgaSrc *self = GST_FPGA_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      break;
    case PROP_KIND:
      self->kind = g_value_get_enum (value);
      break;
    case PROP_MIN_BUFFERS:
      self->min_buffers = g_value_get_uint (value);
      break;
    case PROP_STRIDE_ALIGN:
      self->stride_align = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fpga_src_get_property (GObject * object, guint prop_id, GValue * value,
    GParamSpec * pspec)
{
  GstFpgaSrc *self = GST_FPGA_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DEVICE:
      g_value_set_string (value, self->stream ?
          gst_fpga_src_get_path (self) : self->device);
      break;
    case PROP_KIND:
      g_value_set_enum (value, self->kind);
      break;
    case PROP_MIN_BUFFERS:
      g_value_set_uint (value, self->min_buffers);
      break;
    case PROP_STRIDE_ALIGN:
      g_value_set_uint (value, self->stride_align);
      break;
    case PROP_COPIED_BYTES:
      g_value_set_uint64 (value, self->copied_bytes);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, gst_fpga_src_create_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fpga_src_init (GstFpgaSrc * self)
{
  self->kind = GST_FPGA_SRC_KIND_AUTO;
  self->min_buffers = DEFAULT_MIN_BUFFERS;
  gst_video_info_init (&self->info);

  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
}

static void
gst_fpga_src_finalize (GObject * object)
{
  GstFpgaSrc *self = GST_FPGA_SRC (object);

  g_free (self->device);

  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_fpga_src_install_properties (GObjectClass * object_class)
{
  /**
   * GstFpgaSrc:device:
   *
   * Device node of the channel. Unset, the first one that captures is used.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "Device node of the channel (NULL = first one that captures)", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_READY));

  /**
   * GstFpgaSrc:kind:
   *
   * Kind of memory that the frames are captured to.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_KIND,
      g_param_spec_enum ("kind", "Kind", "Kind of memory of the buffers",
          GST_TYPE_FPGA_SRC_KIND, GST_FPGA_SRC_KIND_AUTO,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_READY));

  /**
   * GstFpgaSrc:min-buffers:
   *
   * Buffers besides those that downstream says it holds.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_MIN_BUFFERS,
      g_param_spec_uint ("min-buffers", "Minimum buffers",
          "Buffers besides those that downstream says it holds",
          2, MAX_MIN_BUFFERS, DEFAULT_MIN_BUFFERS,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_READY));

  /**
   * GstFpgaSrc:stride-align:
   *
   * Bytes that the stride is a multiple of, for importers that need it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_STRIDE_ALIGN,
      g_param_spec_uint ("stride-align", "Stride alignment",
          "Bytes that the stride is a multiple of (0 = the driver's choice)",
          0, 4096, 0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
          GST_PARAM_MUTABLE_READY));

  /**
   * GstFpgaSrc:copied-bytes:
   *
   * Bytes of video that this element has copied since it was started. It does
   * so only for elements that do not read #GstVideoMeta and need another
   * stride than the one in use; 0 proves that no frame was copied.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_COPIED_BYTES,
      g_param_spec_uint64 ("copied-bytes", "Copied bytes",
          "Bytes of video that were copied by the CPU", 0, G_MAXUINT64, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  /**
   * GstFpgaSrc:stats:
   *
   * Counts since the element was started: "frames" pushed, "lost" by the
   * device, "corrupted" (short, pushed with #GST_BUFFER_FLAG_CORRUPTED),
   * "errors" (dropped), "copied-bytes"; and of the "buffers" there are,
   * "queued-buffers" (with the engine) and "held-buffers" (downstream).
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counts of frames and buffers", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_type_mark_as_plugin_api (GST_TYPE_FPGA_SRC_KIND, 0);
}

static void
gst_fpga_src_class_init (GstFpgaSrcClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *basesrc_class = GST_BASE_SRC_CLASS (klass);
  GstPushSrcClass *pushsrc_class = GST_PUSH_SRC_CLASS (klass);

  object_class->set_property = gst_fpga_src_set_property;
  object_class->get_property = gst_fpga_src_get_property;
  object_class->finalize = gst_fpga_src_finalize;
  gst_fpga_src_install_properties (object_class);

  element_class->change_state = gst_fpga_src_change_state;
  gst_element_class_set_static_metadata (element_class,
      "FPGA video source", "Source/Video",
      "Captures video from an FPGA into dma-bufs, without a copy",
      "The fpgabuf developers");
  gst_element_class_add_static_pad_template (element_class, &src_template);

  basesrc_class->get_caps = gst_fpga_src_get_caps;
  basesrc_class->negotiate = gst_fpga_src_negotiate;
  basesrc_class->set_caps = gst_fpga_src_set_caps;
  basesrc_class->decide_allocation = gst_fpga_src_decide_allocation;
  basesrc_class->start = gst_fpga_src_start;
  basesrc_class->stop = gst_fpga_src_stop;
  basesrc_class->unlock = gst_fpga_src_unlock;
  basesrc_class->unlock_stop = gst_fpga_src_unlock_stop;
  basesrc_class->query = gst_fpga_src_query;

  pushsrc_class->create = gst_fpga_src_create;
}
