/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fpgasrc on a channel that the test controls: errors of the driver, frames
 * that are short or were lost, devices unlike the simulated FPGA.
 */
#include <errno.h>
#include <drm_fourcc.h>
#include <gst/gst.h>
#include <gst/app/gstappsink.h>
#include <gst/base/gstbasesrc.h>
#include <gst/video/video.h>

#include "../gstfpgasrc.h"
#include "mock_channel.h"

#define SOON (10 * GST_SECOND)

struct fixture
{
  GstElement *pipeline;
  GstElement *src;
  GstElement *sink;
};

static void
set_up (struct fixture *f, gconstpointer caps)
{
  g_autofree gchar *text = NULL;

  mock_reset ();
  text = g_strdup_printf ("fpgasrc name=src ! %s ! appsink name=sink "
      "sync=false enable-last-sample=false",
      caps ? (const gchar *) caps : "video/x-raw");
  f->pipeline = gst_parse_launch (text, NULL);
  g_assert_nonnull (f->pipeline);
  f->src = gst_bin_get_by_name (GST_BIN (f->pipeline), "src");
  f->sink = gst_bin_get_by_name (GST_BIN (f->pipeline), "sink");
}

static void
tear_down (struct fixture *f, gconstpointer caps)
{
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_NULL), ==,
      GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpuint (mock_count_open (), ==, 0);
  g_assert_cmpuint (mock_count_slots (), ==, 0);
  gst_object_unref (f->sink);
  gst_object_unref (f->src);
  gst_object_unref (f->pipeline);
}

static void
play (struct fixture *f)
{
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
}

static GstBuffer *
pull (struct fixture *f)
{
  GstSample *sample = gst_app_sink_try_pull_sample (GST_APP_SINK (f->sink),
      SOON);
  GstBuffer *buffer;

  g_assert_nonnull (sample);
  buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  gst_sample_unref (sample);

  return buffer;
}

/* Pulls a frame, which must be number @sequence with its bytes. */
static GstBufferFlags
pull_frame (struct fixture *f, guint64 sequence)
{
  GstBuffer *buffer = pull (f);
  GstBufferFlags flags = GST_BUFFER_FLAGS (buffer);
  guint8 byte = sequence;

  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, sequence);
  g_assert_cmpint (gst_buffer_memcmp (buffer, 100, &byte, 1), ==, 0);
  gst_buffer_unref (buffer);

  return flags;
}

static GstMessage *
pop_message (struct fixture *f, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus (f->pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, SOON, type);

  g_assert_nonnull (message);
  gst_object_unref (bus);

  return message;
}

static void
assert_error (struct fixture *f, GQuark domain, gint code, const gchar * text)
{
  GstMessage *message = pop_message (f, GST_MESSAGE_ERROR);
  g_autofree gchar *debug = NULL;
  GError *error = NULL;

  gst_message_parse_error (message, &error, &debug);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, text));
  g_error_free (error);
  gst_message_unref (message);
}

static guint64
get_stat (struct fixture *f, const gchar * name)
{
  GstStructure *stats;
  guint64 value;

  g_object_get (f->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);

  return value;
}

/* Frames */

static void
test_frames (struct fixture *f, gconstpointer data)
{
  play (f);
  for (guint64 i = 0; i < 20; i++) {
    mock_complete (i, 0);
    g_assert_false (pull_frame (f, i) & GST_BUFFER_FLAG_CORRUPTED);
  }
  g_assert_cmpuint (get_stat (f, "frames"), ==, 20);
  g_assert_cmpuint (get_stat (f, "lost"), ==, 0);
}

/* Properties are read at any time, by any thread. */
static void
test_properties (struct fixture *f, gconstpointer data)
{
  GstClock *clock;
  gint refs;

  play (f);
  get_stat (f, "frames");
  mock_wait_for_run (1);
  clock = gst_element_get_clock (f->pipeline);
  refs = GST_OBJECT_REFCOUNT_VALUE (clock);

  for (guint64 i = 0; i < 20; i++) {
    guint64 copied;

    mock_complete (i, 0);
    g_object_get (f->src, "copied-bytes", &copied, NULL);
    g_assert_cmpuint (copied, ==, 0);
    g_assert_cmpuint (get_stat (f, "frames"), <=, i + 1);
    pull_frame (f, i);
  }

  /* others may use it at this moment, but not 20 of them */
  g_assert_cmpint (GST_OBJECT_REFCOUNT_VALUE (clock), <, refs + 15);
  gst_object_unref (clock);
}

/* A frame that is kept outlives the buffers' slots, with its contents. */
static void
test_kept (struct fixture *f, gconstpointer data)
{
  guint8 byte = 7;
  GstBuffer *kept;

  play (f);
  mock_complete (byte, 0);
  kept = pull (f);
  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  g_assert_cmpuint (mock_count_slots (), ==, 0);
  g_assert_cmpint (gst_buffer_memcmp (kept, 100, &byte, 1), ==, 0);

  play (f);
  mock_wait_for_run (2);
  mock_complete (0, 0);
  pull_frame (f, 0);
  g_assert_cmpint (gst_buffer_memcmp (kept, 100, &byte, 1), ==, 0);
  gst_buffer_unref (kept);
}

static GstPadProbeReturn
resize (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstMemory *mem = gst_buffer_peek_memory (GST_PAD_PROBE_INFO_BUFFER (info), 0);

  g_assert_cmpuint (mem->offset, ==, 0);
  g_assert_cmpuint (mem->size, ==, 64 * 48 * 2);
  gst_memory_resize (mem, 128, 256);

  return GST_PAD_PROBE_OK;
}

/* Memory that comes back smaller than it went has its size again. */
static void
test_resized (struct fixture *f, gconstpointer data)
{
  GstPad *pad = gst_element_get_static_pad (f->src, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, resize, NULL, NULL);
  gst_object_unref (pad);
  mock_config.info.num_slots = 4;
  play (f);
  for (guint64 i = 0; i < 12; i++) {
    GstBuffer *buffer;

    mock_complete (i, 0);
    buffer = pull (f);
    g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 256);
    gst_buffer_unref (buffer);
  }
}

static void
test_short_frame (struct fixture *f, gconstpointer data)
{
  play (f);
  mock_complete (0, 0);
  mock_complete (1, -EMSGSIZE);
  mock_complete (2, 0);
  g_assert_false (pull_frame (f, 0) & GST_BUFFER_FLAG_CORRUPTED);
  g_assert_true (pull_frame (f, 1) & GST_BUFFER_FLAG_CORRUPTED);
  g_assert_false (pull_frame (f, 2) & GST_BUFFER_FLAG_CORRUPTED);
  g_assert_cmpuint (get_stat (f, "corrupted"), ==, 1);
  g_assert_cmpuint (get_stat (f, "frames"), ==, 3);
}

/* Dropped with a warning, and the buffer goes round. */
static void
test_engine_error (struct fixture *f, gconstpointer data)
{
  GstMessage *message;

  play (f);
  mock_complete (0, 0);
  pull_frame (f, 0);
  for (guint64 i = 1; i <= 20; i++)
    mock_complete (i, -EIO);
  mock_complete (21, 0);
  pull_frame (f, 21);

  for (guint i = 0; i < 20; i++) {
    message = pop_message (f, GST_MESSAGE_WARNING);
    gst_message_unref (message);
  }
  g_assert_cmpuint (get_stat (f, "errors"), ==, 20);
  g_assert_cmpuint (get_stat (f, "frames"), ==, 2);
  g_assert_cmpuint (get_stat (f, "lost"), ==, 0);
}

static void
test_loss (struct fixture *f, gconstpointer data)
{
  GstClockTime duration;
  GstMessage *message;
  guint64 processed, dropped;
  GstFormat format;

  play (f);
  mock_complete (3, 0);
  g_assert_true (pull_frame (f, 3) & GST_BUFFER_FLAG_DISCONT);
  mock_complete (4, 0);
  g_assert_false (pull_frame (f, 4) & GST_BUFFER_FLAG_DISCONT);
  mock_complete (7, 0);
  g_assert_true (pull_frame (f, 7) & GST_BUFFER_FLAG_DISCONT);
  g_assert_cmpuint (get_stat (f, "lost"), ==, 5);

  message = pop_message (f, GST_MESSAGE_QOS);
  gst_message_parse_qos (message, NULL, NULL, NULL, NULL, &duration);
  g_assert_cmpuint (duration, ==, 30 * GST_MSECOND);
  gst_message_unref (message);

  message = pop_message (f, GST_MESSAGE_QOS);
  gst_message_parse_qos (message, NULL, NULL, NULL, NULL, &duration);
  gst_message_parse_qos_stats (message, &format, &processed, &dropped);
  g_assert_cmpuint (duration, ==, 20 * GST_MSECOND);
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (processed, ==, 2);
  g_assert_cmpuint (dropped, ==, 5);
  gst_message_unref (message);
}

/* A pause ends the run: the next one counts from 0, the offsets go on. */
static void
test_runs (struct fixture *f, gconstpointer data)
{
  GstBuffer *buffer;

  play (f);
  for (guint64 i = 0; i < 5; i++) {
    mock_complete (i, 0);
    pull_frame (f, i);
  }
  gst_element_set_state (f->pipeline, GST_STATE_PAUSED);
  play (f);
  mock_wait_for_run (2);
  mock_complete (0, 0);
  buffer = pull (f);
  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, 5);
  gst_buffer_unref (buffer);
  g_assert_cmpuint (get_stat (f, "lost"), ==, 0);
}

/* A signal is no error of the wait. */
static void
test_signal (struct fixture *f, gconstpointer data)
{
  mock_config.poll_errno = EINTR;
  mock_config.poll_errors = 3;
  play (f);
  for (guint64 i = 0; i < 3; i++) {
    mock_complete (i, 0);
    pull_frame (f, i);
  }
  g_assert_cmpuint (mock_count_poll_errors (), ==, 0);
  g_assert_cmpuint (get_stat (f, "lost"), ==, 0);
}

static void
test_wait_fails (struct fixture *f, gconstpointer data)
{
  mock_config.poll_errno = EIO;
  mock_config.poll_errors = 1;
  play (f);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "/dev/mock0");
}

/* Pulls a frame and checks that it is @age old by its PTS, within 500 ms. */
static GstClockTime
pull_aged (struct fixture *f, GstClockTime age)
{
  GstClock *clock = gst_element_get_clock (f->pipeline);
  GstBuffer *buffer = pull (f);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime now = gst_clock_get_time (clock);

  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, 10 * GST_MSECOND);
  g_assert_cmpuint (pts, <=, now - age);
  g_assert_cmpuint (now - age - pts, <, GST_SECOND / 2);
  gst_buffer_unref (buffer);
  gst_object_unref (clock);

  return pts;
}

/* A frame's age counts, the future does not, and time never runs backwards. */
static void
test_time (struct fixture *f, gconstpointer data)
{
  GstClockTime first, pts;

  /* running time is the clock's, so that there is a past */
  gst_element_set_start_time (f->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (f->pipeline, 0);
  play (f);

  mock_config.age = 5 * GST_SECOND;
  mock_complete (0, 0);
  first = pull_aged (f, 5 * GST_SECOND);

  mock_config.age = -5 * (gint64) GST_SECOND;
  mock_complete (1, 0);
  pts = pull_aged (f, 0);
  g_assert_cmpuint (pts, >, first);

  mock_config.age = 1 * GST_SECOND;
  mock_complete (2, 0);
  g_assert_cmpuint (pull_aged (f, 0), ==, pts);
}

/* Waits until the source has nothing to do but to wait. */
static void
wait_for_poll (void)
{
  for (guint i = 0; i < 10000 && !mock_is_polling (); i++)
    g_usleep (1000);
  g_assert_true (mock_is_polling ());
}

/* A buffer that comes back wakes the source once, and it waits again. */
static void
test_idle (struct fixture *f, gconstpointer data)
{
  GstBuffer *held[4];
  guint polls;

  mock_config.info.num_slots = G_N_ELEMENTS (held);
  play (f);
  for (guint64 i = 0; i < G_N_ELEMENTS (held); i++) {
    mock_complete (i, 0);
    held[i] = pull (f);
  }
  wait_for_poll ();
  polls = mock_count_polls ();
  gst_buffer_unref (held[0]);
  /* which a wait for nothing would fill with waits */
  g_usleep (200000);
  g_assert_cmpuint (mock_count_polls () - polls, >=, 1);
  g_assert_cmpuint (mock_count_polls () - polls, <=, 4);
  for (guint i = 1; i < G_N_ELEMENTS (held); i++)
    gst_buffer_unref (held[i]);
}

static gpointer
read_stats (gpointer data)
{
  struct fixture *f = data;

  while (g_object_get_data (G_OBJECT (f->src), "reading"))
    get_stat (f, "frames");

  return NULL;
}

/*
 * Somebody reads statistics while buffers are made and dropped, which takes long
 * enough for that: for the thread sanitizer.
 */
static void
test_configured (struct fixture *f, gconstpointer data)
{
  GThread *reader;

  mock_config.set_format_time = 20000;
  g_object_set_data (G_OBJECT (f->src), "reading", f);
  reader = g_thread_new ("reader", read_stats, f);
  for (guint runs = 1; runs <= 10; runs++) {
    play (f);
    mock_wait_for_run (runs);
    mock_complete (0, 0);
    pull_frame (f, 0);
    gst_element_set_state (f->pipeline, GST_STATE_NULL);
  }
  g_object_set_data (G_OBJECT (f->src), "reading", NULL);
  g_thread_join (reader);
}

/* Answers in place of the appsink, which offers no pool. */
static GstPadProbeReturn
offer_pool (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstBufferPool *pool;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  pool = gst_buffer_pool_new ();
  gst_query_add_allocation_pool (query, pool, 64 * 48 * 3 / 2, 2, 0);
  gst_object_unref (pool);

  return GST_PAD_PROBE_HANDLED;
}

static gboolean
has_pool (struct fixture *f)
{
  GstBufferPool *pool = gst_base_src_get_buffer_pool (GST_BASE_SRC (f->src));
  gboolean ret = pool != NULL;

  gst_clear_object (&pool);

  return ret;
}

/* Two planes, in a layout that is not GStreamer's own */
static void
test_planes (struct fixture *f, gconstpointer data)
{
  GstPad *pad = gst_element_get_static_pad (f->sink, "sink");
  GstVideoMeta *meta;
  GstBuffer *buffer;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_pool, NULL,
      NULL);
  gst_object_unref (pad);
  g_object_set (f->src, "stride-align", 256, NULL);
  play (f);
  mock_complete (0, 0);
  buffer = pull (f);
  /* the appsink reads no GstVideoMeta, so this is a copy */
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 64 * 48 * 3 / 2);
  gst_buffer_unref (buffer);
  g_assert_cmpuint (get_stat (f, "copied-bytes"), ==, 64 * 48 * 3 / 2);
  g_assert_true (has_pool (f));

  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  g_object_set (f->src, "stride-align", 0, NULL);
  play (f);
  mock_wait_for_run (2);
  mock_complete (0, 0);
  buffer = pull (f);
  meta = gst_buffer_get_video_meta (buffer);
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->n_planes, ==, 2);
  g_assert_cmpuint (meta->offset[1], ==, 64 * 48);
  g_assert_cmpint (meta->stride[1], ==, 64);
  gst_buffer_unref (buffer);
  /* its memory is the channel's */
  g_assert_false (has_pool (f));
  g_assert_cmpuint (get_stat (f, "copied-bytes"), ==, 0);
}

/* Devices */

static void
test_gone (struct fixture *f, gconstpointer data)
{
  play (f);
  mock_complete (0, 0);
  pull_frame (f, 0);
  mock_remove ();
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "/dev/mock0");
}

static void
test_no_device (struct fixture *f, gconstpointer data)
{
  mock_config.list_error = -ENOENT;
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "fpgabuf_sim");
}

static void
test_no_permission (struct fixture *f, gconstpointer data)
{
  mock_config.open_error = -EACCES;
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE,
      g_strerror (EACCES));
}

static void
test_output (struct fixture *f, gconstpointer data)
{
  mock_config.info.direction = FPGABUF_DIR_OUTPUT;
  g_object_set (f->src, "device", "/dev/mock0", NULL);
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "output");

  /* by itself it looks for a capture device, and there is none */
  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  g_object_set (f->src, "device", NULL, NULL);
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "");
}

/* Raw data, and a tiled format: neither is video that GStreamer can have. */
static void
test_no_video (struct fixture *f, gconstpointer data)
{
  mock_config.formats[1].modifier = I915_FORMAT_MOD_X_TILED;
  mock_config.info.num_formats = 2;
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "/dev/mock0");
}

static void
test_busy (struct fixture *f, gconstpointer data)
{
  mock_config.set_format_error = -EBUSY;
  play (f);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY, "/dev/mock0");
}

static void
test_no_memory (struct fixture *f, gconstpointer data)
{
  mock_config.alloc_error = -ENOMEM;
  play (f);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "/dev/mock0");
}

/* Of the mock channel's, those that are open. */
static guint
count_buffers (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const gchar *name;
  guint count = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename ("/proc/self/fd", name, NULL);
    gchar *target = g_file_read_link (path, NULL);

    count += target && g_str_has_prefix (target, "/memfd:mock");
    g_free (target);
    g_free (path);
  }
  g_dir_close (dir);

  return count;
}

/* The third buffer gets no slot: it is closed, as the first two are. */
static void
test_no_slot (struct fixture *f, gconstpointer data)
{
  mock_config.register_fails = 3;
  play (f);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "/dev/mock0");
  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  g_assert_cmpuint (mock_count_allocs (), ==, 3);
  g_assert_cmpuint (count_buffers (), ==, 0);
}

static void
test_no_start (struct fixture *f, gconstpointer data)
{
  mock_config.start_error = -EIO;
  play (f);
  assert_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, "/dev/mock0");
}

/* What does not take scattered memory gets one block. */
static void
test_kind (struct fixture *f, gconstpointer data)
{
  play (f);
  mock_complete (0, 0);
  pull_frame (f, 0);
  g_assert_cmpuint (mock_last_kind (), ==, FPGABUF_KIND_SYSTEM);

  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  mock_config.info.capabilities = 0;
  play (f);
  mock_wait_for_run (2);
  mock_complete (0, 0);
  pull_frame (f, 0);
  g_assert_cmpuint (mock_last_kind (), ==, FPGABUF_KIND_CONTIGUOUS);

  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  gst_util_set_object_arg (G_OBJECT (f->src), "kind", "coherent");
  play (f);
  mock_wait_for_run (3);
  mock_complete (0, 0);
  pull_frame (f, 0);
  g_assert_cmpuint (mock_last_kind (), ==, FPGABUF_KIND_COHERENT);
}

/* No more buffers than slots, and no more queued than the driver takes. */
static void
test_limits (struct fixture *f, gconstpointer data)
{
  mock_config.info.num_slots = 5;
  mock_config.info.queue_depth = 2;
  g_object_set (f->src, "min-buffers", 64, NULL);
  play (f);
  for (guint64 i = 0; i < 50; i++) {
    mock_complete (i, 0);
    pull_frame (f, i);
  }
  g_assert_cmpuint (mock_count_allocs (), ==, 5);
}

/* As many more buffers as the property says. */
static void
test_min_buffers (struct fixture *f, gconstpointer data)
{
  guint allocs;

  g_object_set (f->src, "min-buffers", 3, NULL);
  play (f);
  mock_wait_for_run (1);
  allocs = mock_count_allocs ();

  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  g_object_set (f->src, "min-buffers", 10, NULL);
  play (f);
  mock_wait_for_run (2);
  g_assert_cmpuint (mock_count_allocs () - allocs, ==, allocs + 7);
}

/* Only what the capability allows is offered. */
static void
test_unthrottled (struct fixture *f, gconstpointer data)
{
  mock_config.info.capabilities |= FPGABUF_CAP_UNTHROTTLED;
  play (f);
  mock_complete (0, 0);
  pull_frame (f, 0);

  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  mock_config.info.capabilities &= ~FPGABUF_CAP_UNTHROTTLED;
  play (f);
  assert_error (f, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "/dev/mock0");
}

/* Downstream tells formats that a capture device does not know of by itself. */
static void
test_progressive (struct fixture *f, gconstpointer data)
{
  GstStructure *s;
  GstCaps *caps;
  GstPad *pad;

  play (f);
  mock_complete (0, 0);
  pull_frame (f, 0);
  pad = gst_element_get_static_pad (f->src, "src");
  caps = gst_pad_get_current_caps (pad);
  s = gst_caps_get_structure (caps, 0);
  g_assert_cmpstr (gst_structure_get_string (s, "interlace-mode"), ==,
      "progressive");
  gst_caps_unref (caps);
  gst_object_unref (pad);
}

/* A limit that is no multiple of the step: the last one that is. */
static void
test_step (struct fixture *f, gconstpointer data)
{
  const GValue *width;
  GstCaps *caps;
  GstPad *pad;

  mock_config.formats[1].max_width = 1023;
  g_assert_cmpint (gst_element_set_state (f->pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_SUCCESS);
  pad = gst_element_get_static_pad (f->src, "src");
  caps = gst_pad_query_caps (pad, NULL);
  width = gst_structure_get_value (gst_caps_get_structure (caps, 0), "width");
  g_assert_cmpint (gst_value_get_int_range_min (width), ==, 16);
  g_assert_cmpint (gst_value_get_int_range_max (width), ==, 1022);
  g_assert_cmpint (gst_value_get_int_range_step (width), ==, 2);
  gst_caps_unref (caps);
  gst_object_unref (pad);
}

static void
add (const gchar * path, const gchar * caps,
    void (*test) (struct fixture *, gconstpointer))
{
  g_test_add (path, struct fixture, caps, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (fpgasrc, NULL);

  add ("/frames/all", NULL, test_frames);
  add ("/frames/properties", NULL, test_properties);
  add ("/frames/kept", NULL, test_kept);
  add ("/frames/resized", NULL, test_resized);
  add ("/frames/short", NULL, test_short_frame);
  add ("/frames/engine-error", NULL, test_engine_error);
  add ("/frames/loss", NULL, test_loss);
  add ("/frames/runs", NULL, test_runs);
  add ("/frames/signal", NULL, test_signal);
  add ("/frames/wait-fails", NULL, test_wait_fails);
  add ("/frames/idle", NULL, test_idle);
  add ("/frames/configured", NULL, test_configured);
  add ("/frames/time", NULL, test_time);
  add ("/frames/planes", "video/x-raw,format=NV12", test_planes);
  add ("/device/gone", NULL, test_gone);
  add ("/device/none", NULL, test_no_device);
  add ("/device/no-permission", NULL, test_no_permission);
  add ("/device/output", NULL, test_output);
  add ("/device/no-video", NULL, test_no_video);
  add ("/device/busy", NULL, test_busy);
  add ("/device/no-memory", NULL, test_no_memory);
  add ("/device/no-slot", NULL, test_no_slot);
  add ("/device/no-start", NULL, test_no_start);
  add ("/device/kind", NULL, test_kind);
  add ("/device/limits", NULL, test_limits);
  add ("/device/min-buffers", NULL, test_min_buffers);
  add ("/caps/unthrottled", "video/x-raw,framerate=0/1", test_unthrottled);
  add ("/caps/step", NULL, test_step);
  add ("/caps/progressive",
      "video/x-raw,interlace-mode={interleaved,progressive}", test_progressive);

  return g_test_run ();
}
