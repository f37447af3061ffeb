/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A channel in place of libfpgabuf's, for tests of what no device does on
 * demand. It has memory but no engine: the test completes each buffer.
 */
#ifndef MOCK_CHANNEL_H
#define MOCK_CHANNEL_H

#include <fpgabuf.h>
#include <glib.h>

#define MOCK_MAX_FORMATS 4

/* What the device is, and which call fails how (0 or a negative errno). */
struct mock_config
{
  struct fpgabuf_info info;
  struct fpgabuf_format_desc formats[MOCK_MAX_FORMATS];
  struct fpgabuf_format preferred;
  guint32 pitch_align;          /* of the pitch that it chooses by itself */
  gint64 age;                   /* of frames when they are done, in ns */
  gint list_error;
  gint open_error;
  gint set_format_error;
  gulong set_format_time;       /* in us */
  gint alloc_error;
  gint start_error;
  guint register_fails;         /* the register that fails, from 1; 0: none */
  guint poll_errors;            /* waits that end with poll_errno first */
  gint poll_errno;
};

extern struct mock_config mock_config;

/* A capture device that can do YUYV and NV12, 64x48 at 100/1 by default. */
void mock_reset (void);

/*
 * Completes the oldest queued buffer, waiting for one; @sequence counts as the
 * driver's. The buffer's bytes become @sequence.
 */
void mock_complete (guint64 sequence, gint status);

/* From now on the device is gone. */
void mock_remove (void);

/* Waits until the channel was started @runs times in all. */
void mock_wait_for_run (guint runs);

/* What is still in use; all 0 when nothing leaks. */
guint mock_count_open (void);
guint mock_count_slots (void);

/* The last kind of memory that was allocated, and how often. */
guint32 mock_last_kind (void);
guint mock_count_allocs (void);

/* The waits of poll_errors that are left. */
guint mock_count_poll_errors (void);

/* Waits that began, and whether one goes on at this moment. */
guint mock_count_polls (void);
gboolean mock_is_polling (void);

#endif /* MOCK_CHANNEL_H */
