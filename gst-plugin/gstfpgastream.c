/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: a channel that streams
 *
 * One thread, the streaming thread, configures the channel and takes frames;
 * others may tell it to play, to pause and to flush. A pause ends the run of
 * the channel, because frames that were captured during it would be stale.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgastream.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gstfpgaallocator.h"

struct _GstFpgaStream
{
  /* constant */
  struct fpgabuf_channel *channel;
  GstPoll *poll;
  GstPollFD wake_fd;            /* an eventfd */

  /* orders starts and stops of the channel */
  GMutex lock;
  GCond cond;                   /* flushing or playing has changed */
  /* protected by lock */
  gboolean flushing;
  gboolean playing;
  gboolean running;
  /* written with lock by the streaming thread, which may read without */
  struct fpgabuf_format format;
  GstFpgaAllocator *allocator;

  /* used by the streaming thread: taken from the driver, not by the caller */
  struct fpgabuf_completion done[GST_FPGA_BATCH];
  guint num_done;
  guint next_done;
};

/*
 * Returns: (nullable): a stream that owns @channel from now on. On failure
 * errno is set.
 */
GstFpgaStream *
gst_fpga_stream_new (struct fpgabuf_channel *channel)
{
  GstPollFD channel_fd = GST_POLL_FD_INIT;
  GstFpgaStream *self;
  gint fd;

  fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0)
    return NULL;

  self = g_new0 (GstFpgaStream, 1);
  self->channel = channel;
  self->poll = gst_poll_new (TRUE);
  if (!self->poll) {
    close (fd);
    g_free (self);
    return NULL;
  }

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);

  gst_poll_fd_init (&self->wake_fd);
  self->wake_fd.fd = fd;
  gst_poll_add_fd (self->poll, &self->wake_fd);
  gst_poll_fd_ctl_read (self->poll, &self->wake_fd, TRUE);

  channel_fd.fd = fpgabuf_channel_fd (channel);
  gst_poll_add_fd (self->poll, &channel_fd);
  gst_poll_fd_ctl_read (self->poll, &channel_fd, TRUE);

  return self;
}

/* Closes the channel. Memory that is downstream outlives it. */
void
gst_fpga_stream_free (GstFpgaStream * self)
{
  gst_fpga_stream_drop_buffers (self);
  gst_poll_free (self->poll);
  close (self->wake_fd.fd);
  fpgabuf_channel_close (self->channel);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

struct fpgabuf_channel *
gst_fpga_stream_get_channel (GstFpgaStream * self)
{
  return self->channel;
}

/* Buffers */

/*
 * Call with the lock. Also gives back what was queued without a start, which
 * the streaming thread may have done just after a pause.
 */
static void
stop_run (GstFpgaStream * self)
{
  gint error = fpgabuf_channel_stop (self->channel);

  if (error < 0)
    GST_WARNING ("%s: stop: %s", fpgabuf_channel_path (self->channel),
        g_strerror (-error));
  self->running = FALSE;
}

/* Call with the lock. */
static void
drop_buffers (GstFpgaStream * self)
{
  if (!self->allocator)
    return;

  stop_run (self);
  gst_fpga_allocator_detach (self->allocator);
  gst_clear_object (&self->allocator);
  self->num_done = self->next_done = 0;
}

/* Call with the lock. */
static gint
make_buffers (GstFpgaStream * self, struct fpgabuf_format *format,
    guint32 kind, guint num_buffers)
{
  gint error = fpgabuf_channel_set_format (self->channel, format);

  if (error < 0)
    return error;

  self->allocator = gst_fpga_allocator_new (self->channel, format->size, kind,
      num_buffers, self->wake_fd.fd, &error);
  if (!self->allocator)
    return error;
  self->format = *format;

  return 0;
}

static gboolean
is_configured (GstFpgaStream * self, const struct fpgabuf_format *format,
    guint num_buffers)
{
  /* No implicit padding, and the driver clears what is not used. */
  return self->allocator &&
      !memcmp (format, &self->format, sizeof (*format)) &&
      gst_fpga_allocator_get_size (self->allocator) >= num_buffers;
}

/*
 * Sets @format, as fpgabuf_channel_try_format() completed it, and makes the
 * buffers. A channel that already is what is wanted is left alone.
 *
 * Returns: 1 when anything was changed, 0 when not, or a negative errno
 */
gint
gst_fpga_stream_configure (GstFpgaStream * self, struct fpgabuf_format *format,
    guint32 kind, guint num_buffers)
{
  gint ret = 0;

  g_mutex_lock (&self->lock);
  if (!is_configured (self, format, num_buffers)) {
    drop_buffers (self);
    ret = make_buffers (self, format, kind, num_buffers);
    if (ret == 0)
      ret = 1;
  }
  g_mutex_unlock (&self->lock);

  return ret;
}

/* Stops. Memory that is downstream stays valid, but is no part of this. */
void
gst_fpga_stream_drop_buffers (GstFpgaStream * self)
{
  g_mutex_lock (&self->lock);
  drop_buffers (self);
  g_mutex_unlock (&self->lock);
}

/* The format that is set; all zero before the first one. */
void
gst_fpga_stream_get_format (GstFpgaStream * self, struct fpgabuf_format *format)
{
  g_mutex_lock (&self->lock);
  *format = self->format;
  g_mutex_unlock (&self->lock);
}

void
gst_fpga_stream_count (GstFpgaStream * self, GstFpgaStreamCounts * counts)
{
  memset (counts, 0, sizeof (*counts));
  g_mutex_lock (&self->lock);
  if (self->allocator) {
    counts->buffers = gst_fpga_allocator_get_size (self->allocator);
    gst_fpga_allocator_count (self->allocator, &counts->queued, &counts->held);
  }
  g_mutex_unlock (&self->lock);
}

/* Other threads' side */

void
gst_fpga_stream_set_playing (GstFpgaStream * self, gboolean playing)
{
  g_mutex_lock (&self->lock);
  self->playing = playing;
  if (playing)
    g_cond_broadcast (&self->cond);
  else if (self->running)
    stop_run (self);            /* which also ends a poll */
  g_mutex_unlock (&self->lock);
}

void
gst_fpga_stream_set_flushing (GstFpgaStream * self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_poll_set_flushing (self->poll, flushing);
}

/* The streaming thread's side */

/* Call with the lock. */
static gint
start_run (GstFpgaStream * self)
{
  gint error;

  /* what an earlier run has left */
  while (self->next_done < self->num_done)
    gst_fpga_allocator_recycle (self->allocator,
        &self->done[self->next_done++]);
  gst_fpga_allocator_drain (self->allocator);

  error = gst_fpga_allocator_queue (self->allocator);
  if (error >= 0)
    error = fpgabuf_channel_start (self->channel);
  self->running = error >= 0;

  return error;
}

static gint
ensure_running (GstFpgaStream * self)
{
  gint ret = 0;

  g_mutex_lock (&self->lock);
  while (!self->playing && !self->flushing)
    g_cond_wait (&self->cond, &self->lock);

  if (self->flushing)
    ret = -ECANCELED;
  else if (!self->running)
    ret = start_run (self);
  g_mutex_unlock (&self->lock);

  return ret;
}

/* A pause stops the channel while it is used. */
static gboolean
is_running (GstFpgaStream * self)
{
  gboolean ret;

  g_mutex_lock (&self->lock);
  ret = self->running;
  g_mutex_unlock (&self->lock);

  return ret;
}

/* Waits until a frame is done, a buffer is needed and there, or a pause. */
static gint
wait_for_news (GstFpgaStream * self)
{
  eventfd_t value;
  gint ret;

  if (!gst_fpga_allocator_prepare_wait (self->allocator))
    return 0;

  do {
    ret = gst_poll_wait (self->poll, GST_CLOCK_TIME_NONE);
  } while (ret < 0 && (errno == EINTR || errno == EAGAIN));

  if (ret < 0)
    return errno == EBUSY ? -ECANCELED : -errno;

  if (gst_poll_fd_can_read (self->poll, &self->wake_fd))
    eventfd_read (self->wake_fd.fd, &value);

  return 0;
}

/*
 * Queues what was released together with taking what is done, so that a frame
 * costs one exchange at most; before that only when the driver runs short.
 */
static gint
fill (GstFpgaStream * self)
{
  gint n;

  if (self->next_done < self->num_done)
    n = gst_fpga_allocator_queue (self->allocator);
  else
    n = gst_fpga_allocator_exchange (self->allocator, self->done,
        G_N_ELEMENTS (self->done));

  if (n < 0)
    return is_running (self) ? n : 0;

  if (self->next_done == self->num_done) {
    self->num_done = n;
    self->next_done = 0;
  }

  return 0;
}

/*
 * Takes the next completion, starting the channel and waiting as needed. The
 * buffer is for gst_fpga_stream_take() or _recycle(), before the next call.
 *
 * Returns: 0, -ECANCELED when flushing, or another negative errno
 */
gint
gst_fpga_stream_next (GstFpgaStream * self, struct fpgabuf_completion *done)
{
  gint ret;

  while ((ret = ensure_running (self)) >= 0) {
    gboolean empty = self->next_done == self->num_done;

    if (empty)
      ret = wait_for_news (self);
    if (ret >= 0 && (empty || gst_fpga_allocator_is_short (self->allocator)))
      ret = fill (self);
    if (ret < 0)
      break;

    if (self->next_done < self->num_done) {
      *done = self->done[self->next_done++];
      break;
    }
  }

  return ret;
}

/* Returns: (transfer full): the memory of @done */
GstMemory *
gst_fpga_stream_take (GstFpgaStream * self,
    const struct fpgabuf_completion *done)
{
  return gst_fpga_allocator_take (self->allocator, done);
}

/* The buffer of @done is not wanted. */
void
gst_fpga_stream_recycle (GstFpgaStream * self,
    const struct fpgabuf_completion *done)
{
  gst_fpga_allocator_recycle (self->allocator, done);
}
