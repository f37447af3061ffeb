/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mock_channel.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <drm_fourcc.h>
#include <gst/gst.h>

#define MOCK_PATH "/dev/mock0"

struct slot
{
  gint fd;                      /* -1: unused */
  guint64 user_data;
};

#define MOCK_SLOTS 64

struct fpgabuf_channel
{
  gint fd;                      /* an eventfd, readable when there is news */
  struct fpgabuf_format format;
  struct slot slots[MOCK_SLOTS];
  GQueue queued;                /* of slots */
  GQueue done;                  /* of struct fpgabuf_completion */
  gboolean running;
  gboolean gone;
};

struct mock_config mock_config;

static GMutex lock;
static GCond cond;
/* protected by lock */
static struct fpgabuf_channel *current;
static guint num_open;
static guint num_slots;
static guint num_allocs;
static guint num_runs;
static guint num_registers;
static guint num_polls;
static guint polling;
static guint32 last_kind;

/* The test's side */

static const struct fpgabuf_format_desc default_formats[] = {
  {
        .type = FPGABUF_FORMAT_RAW,
        .min_size = 64,
        .max_size = 4096,
        .step_size = 4,
      },
  {
        .type = FPGABUF_FORMAT_VIDEO,
        .fourcc = DRM_FORMAT_YUYV,
        .min_width = 16,
        .max_width = 1024,
        .step_width = 2,
        .min_height = 1,
        .max_height = 1024,
        .step_height = 1,
        .min_rate = {1, 1},
        .max_rate = {1000, 1},
      },
  {
        .type = FPGABUF_FORMAT_VIDEO,
        .fourcc = DRM_FORMAT_NV12,
        .min_width = 16,
        .max_width = 1024,
        .step_width = 2,
        .min_height = 2,
        .max_height = 1024,
        .step_height = 2,
        .min_rate = {1, 1},
        .max_rate = {1000, 1},
      },
};

void
mock_reset (void)
{
  memset (&mock_config, 0, sizeof (mock_config));
  mock_config.info = (struct fpgabuf_info) {
    .abi_version = FPGABUF_ABI_VERSION,
    .direction = FPGABUF_DIR_CAPTURE,
    .capabilities = FPGABUF_CAP_SCATTER | FPGABUF_CAP_LOSS,
    .num_formats = G_N_ELEMENTS (default_formats),
    .num_slots = MOCK_SLOTS,
    .queue_depth = 32,
  };
  memcpy (mock_config.formats, default_formats, sizeof (default_formats));
  mock_config.preferred = (struct fpgabuf_format) {
    .type = FPGABUF_FORMAT_VIDEO,
    .fourcc = DRM_FORMAT_YUYV,
    .width = 64,
    .height = 48,
    .rate = {100, 1},
  };
  mock_config.pitch_align = 4;
  num_allocs = 0;
  num_runs = 0;
  num_registers = 0;
  num_polls = 0;
}

static void
fill (gint fd, gsize size, guint64 sequence)
{
  void *map = mmap (NULL, size, PROT_WRITE, MAP_SHARED, fd, 0);

  g_assert_true (map != MAP_FAILED);
  memset (map, (gint) sequence, size);
  munmap (map, size);
}

static guint64
now (void)
{
  struct timespec ts;

  clock_gettime (CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * G_GUINT64_CONSTANT (1000000000) + ts.tv_nsec;
}

/* Call with the lock. */
static void
complete (struct fpgabuf_channel *channel, guint64 sequence, gint status)
{
  struct slot *slot = g_queue_pop_head (&channel->queued);
  struct fpgabuf_completion *done = g_new0 (struct fpgabuf_completion, 1);

  done->slot = slot - channel->slots;
  done->status = status;
  done->sequence = sequence;
  done->bytes = status ? 1 : channel->format.size;
  done->timestamp = now () - mock_config.age;
  done->user_data = slot->user_data;
  done->run = num_runs;
  g_queue_push_tail (&channel->done, done);
  eventfd_write (channel->fd, 1);
}

void
mock_complete (guint64 sequence, gint status)
{
  struct slot *slot;

  g_mutex_lock (&lock);
  while (!current || !current->running || !current->queued.length)
    g_cond_wait (&cond, &lock);
  slot = g_queue_peek_head (&current->queued);
  fill (slot->fd, current->format.size, sequence);
  complete (current, sequence, status);
  g_mutex_unlock (&lock);
}

void
mock_remove (void)
{
  g_mutex_lock (&lock);
  current->gone = TRUE;
  eventfd_write (current->fd, 1);
  g_mutex_unlock (&lock);
}

void
mock_wait_for_run (guint runs)
{
  g_mutex_lock (&lock);
  while (num_runs < runs)
    g_cond_wait (&cond, &lock);
  g_mutex_unlock (&lock);
}

static guint
read_count (const guint * count)
{
  guint ret;

  g_mutex_lock (&lock);
  ret = *count;
  g_mutex_unlock (&lock);

  return ret;
}

guint
mock_count_open (void)
{
  return read_count (&num_open);
}

guint
mock_count_slots (void)
{
  return read_count (&num_slots);
}

guint
mock_count_allocs (void)
{
  return read_count (&num_allocs);
}

guint32
mock_last_kind (void)
{
  return read_count (&last_kind);
}

guint
mock_count_poll_errors (void)
{
  return read_count (&mock_config.poll_errors);
}

guint
mock_count_polls (void)
{
  return read_count (&num_polls);
}

gboolean
mock_is_polling (void)
{
  return read_count (&polling) > 0;
}

/* What the plugin calls in place of gst_poll_wait(): see the Makefile. */
gint __real_gst_poll_wait (GstPoll * set, GstClockTime timeout);
gint __wrap_gst_poll_wait (GstPoll * set, GstClockTime timeout);

gint
__wrap_gst_poll_wait (GstPoll * set, GstClockTime timeout)
{
  gboolean fails;
  gint ret = -1, error;

  g_mutex_lock (&lock);
  fails = mock_config.poll_errors > 0;
  if (fails)
    mock_config.poll_errors--;
  num_polls++;
  polling++;
  g_mutex_unlock (&lock);

  if (!fails)
    ret = __real_gst_poll_wait (set, timeout);
  error = fails ? mock_config.poll_errno : errno;

  g_mutex_lock (&lock);
  polling--;
  g_mutex_unlock (&lock);
  errno = error;

  return ret;
}

/* libfpgabuf's side */

int
fpgabuf_list (char ***paths)
{
  if (mock_config.list_error)
    return mock_config.list_error;

  *paths = g_new0 (char *, 2);
  (*paths)[0] = g_strdup (MOCK_PATH);

  return 1;
}

void
fpgabuf_list_free (char **paths)
{
  g_strfreev (paths);
}

int
fpgabuf_channel_open (const char *path, struct fpgabuf_channel **channel)
{
  struct fpgabuf_channel *new;

  if (mock_config.open_error)
    return mock_config.open_error;

  new = g_new0 (struct fpgabuf_channel, 1);
  new->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_queue_init (&new->queued);
  g_queue_init (&new->done);
  for (guint i = 0; i < G_N_ELEMENTS (new->slots); i++)
    new->slots[i].fd = -1;

  g_mutex_lock (&lock);
  num_open++;
  current = new;
  g_mutex_unlock (&lock);
  *channel = new;

  return 0;
}

void
fpgabuf_channel_close (struct fpgabuf_channel *channel)
{
  if (!channel)
    return;

  g_mutex_lock (&lock);
  num_open--;
  if (current == channel)
    current = NULL;
  g_mutex_unlock (&lock);

  g_queue_clear (&channel->queued);
  g_queue_clear_full (&channel->done, g_free);
  close (channel->fd);
  g_free (channel);
}

int
fpgabuf_channel_fd (const struct fpgabuf_channel *channel)
{
  return channel->fd;
}

const char *
fpgabuf_channel_path (const struct fpgabuf_channel *channel)
{
  return MOCK_PATH;
}

const struct fpgabuf_info *
fpgabuf_channel_info (const struct fpgabuf_channel *channel)
{
  return &mock_config.info;
}

int
fpgabuf_channel_enum_format (struct fpgabuf_channel *channel, uint32_t index,
    struct fpgabuf_format_desc *desc)
{
  if (index >= mock_config.info.num_formats)
    return -ENOENT;
  *desc = mock_config.formats[index];

  return 0;
}

int
fpgabuf_channel_get_format (struct fpgabuf_channel *channel,
    struct fpgabuf_format *format)
{
  *format = mock_config.preferred;

  return 0;
}

int
fpgabuf_channel_try_format (struct fpgabuf_channel *channel,
    struct fpgabuf_format *format)
{
  gboolean nv12 = format->fourcc == DRM_FORMAT_NV12;
  guint32 min = format->width * (nv12 ? 1 : 2);
  guint32 align = mock_config.pitch_align;

  if (!format->pitches[0])
    format->pitches[0] = (min + align - 1) / align * align;
  if (format->pitches[0] < min || format->pitches[0] % align)
    return -EINVAL;

  format->num_planes = nv12 ? 2 : 1;
  format->size = format->pitches[0] * format->height;
  if (nv12) {
    format->pitches[1] = format->pitches[0];
    format->offsets[1] = format->size;
    format->size += format->size / 2;
  }

  return 0;
}

int
fpgabuf_channel_set_format (struct fpgabuf_channel *channel,
    struct fpgabuf_format *format)
{
  gint ret = mock_config.set_format_error;

  if (ret == 0 && num_slots > 0)
    ret = -EBUSY;
  if (ret == 0)
    ret = fpgabuf_channel_try_format (channel, format);
  g_usleep (mock_config.set_format_time);
  if (ret == 0)
    channel->format = *format;

  return ret;
}

int
fpgabuf_channel_alloc (struct fpgabuf_channel *channel, uint64_t size,
    uint32_t kind)
{
  gint fd;

  if (mock_config.alloc_error)
    return mock_config.alloc_error;

  fd = memfd_create ("mock", MFD_CLOEXEC);
  g_assert_cmpint (ftruncate (fd, (size + 4095) & ~G_GUINT64_CONSTANT (4095)),
      ==, 0);
  g_mutex_lock (&lock);
  last_kind = kind;
  num_allocs++;
  g_mutex_unlock (&lock);

  return fd;
}

int
fpgabuf_channel_register (struct fpgabuf_channel *channel, int fd,
    uint64_t offset, uint64_t length)
{
  if (++num_registers == mock_config.register_fails)
    return -ENOSPC;

  for (guint i = 0; i < mock_config.info.num_slots; i++) {
    if (channel->slots[i].fd >= 0)
      continue;
    channel->slots[i].fd = dup (fd);
    g_mutex_lock (&lock);
    num_slots++;
    g_mutex_unlock (&lock);
    return i;
  }

  return -ENOSPC;
}

int
fpgabuf_channel_unregister (struct fpgabuf_channel *channel, uint32_t number)
{
  struct slot *slot = &channel->slots[number];

  if (slot->fd < 0)
    return -ENOENT;

  g_mutex_lock (&lock);
  g_assert_null (g_queue_find (&channel->queued, slot));
  num_slots--;
  g_mutex_unlock (&lock);
  close (slot->fd);
  slot->fd = -1;

  return 0;
}

int
fpgabuf_channel_start (struct fpgabuf_channel *channel)
{
  if (mock_config.start_error)
    return mock_config.start_error;

  g_mutex_lock (&lock);
  g_assert_false (channel->running);
  channel->running = TRUE;
  num_runs++;
  g_cond_broadcast (&cond);
  g_mutex_unlock (&lock);

  return 0;
}

int
fpgabuf_channel_stop (struct fpgabuf_channel *channel)
{
  g_mutex_lock (&lock);
  channel->running = FALSE;
  while (channel->queued.length)
    complete (channel, 0, -ECANCELED);
  eventfd_write (channel->fd, 1);       /* EPOLLERR at least */
  g_mutex_unlock (&lock);

  return 0;
}

static guint
take (struct fpgabuf_channel *channel, struct fpgabuf_completion *done,
    guint max)
{
  eventfd_t value;
  guint n = 0;

  while (n < max && channel->done.length) {
    struct fpgabuf_completion *head = g_queue_pop_head (&channel->done);

    done[n++] = *head;
    g_free (head);
  }
  if (!channel->done.length && !channel->gone)
    eventfd_read (channel->fd, &value);

  return n;
}

int
fpgabuf_channel_exchange (struct fpgabuf_channel *channel,
    const struct fpgabuf_queue_entry *queue, uint32_t queue_count,
    struct fpgabuf_completion *done, uint32_t max, uint32_t min,
    int64_t timeout_ns)
{
  gint ret;

  g_mutex_lock (&lock);
  if (channel->gone) {
    g_mutex_unlock (&lock);
    return -ENODEV;
  }
  for (guint i = 0; i < queue_count; i++) {
    struct slot *slot = &channel->slots[queue[i].slot];

    g_assert_null (g_queue_find (&channel->queued, slot));
    g_assert_cmpuint (channel->queued.length, <, mock_config.info.queue_depth);
    slot->user_data = queue[i].user_data;
    g_queue_push_tail (&channel->queued, slot);
  }
  ret = take (channel, done, max);
  if (ret == 0 && queue_count == 0 && max > 0)
    ret = channel->running ? -EAGAIN : -EPIPE;
  g_cond_broadcast (&cond);
  g_mutex_unlock (&lock);

  return ret;
}

int
fpgabuf_channel_take (struct fpgabuf_channel *channel,
    struct fpgabuf_completion *done, uint32_t max, uint32_t min,
    int64_t timeout_ns)
{
  return fpgabuf_channel_exchange (channel, NULL, 0, done, max, min,
      timeout_ns);
}

const char *
fpgabuf_kind_name (uint32_t kind)
{
  return "mock";
}
