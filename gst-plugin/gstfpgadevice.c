/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: opening a device, and what went wrong
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgadevice.h"

#include <errno.h>

static gboolean
is_capture (struct fpgabuf_channel *channel)
{
  return fpgabuf_channel_info (channel)->direction == FPGABUF_DIR_CAPTURE;
}

static gint
open_first_capture (struct fpgabuf_channel **channel)
{
  gchar **paths;
  gint ret, n;

  n = fpgabuf_list (&paths);
  if (n < 0)
    return n;

  ret = -ENOENT;
  for (gint i = 0; i < n; i++) {
    gint error = fpgabuf_channel_open (paths[i], channel);

    if (error == 0 && is_capture (*channel)) {
      ret = 0;
      break;
    }
    if (error == 0)
      fpgabuf_channel_close (*channel);
    else if (ret == -ENOENT)
      ret = error;
  }
  fpgabuf_list_free (paths);

  return ret;
}

static void
post_open_error (GstElement * element, const gchar * device, gint error)
{
  const gchar *name = device ? device : "/dev/fpgabuf*";

  switch (-error) {
    case ENOENT:
      GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND,
          ("There is no capture device '%s'. Is the driver of the board "
              "loaded, or fpgabuf_sim, which simulates one?", name),
          ("%s", g_strerror (-error)));
      break;
    case ENOTTY:
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("Device '%s' is not an fpgabuf channel.", name),
          ("%s", g_strerror (-error)));
      break;
    case EPROTO:
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("The driver of device '%s' is too new for this libfpgabuf.", name),
          ("%s", g_strerror (-error)));
      break;
    default:
      GST_ELEMENT_ERROR (element, RESOURCE, OPEN_READ_WRITE,
          ("Could not open device '%s': %s.", name, g_strerror (-error)),
          (NULL));
      break;
  }
}

/*
 * Opens @device, or the first one that captures when it is NULL.
 *
 * Returns: NULL on failure, then @element has posted an error
 */
struct fpgabuf_channel *
gst_fpga_device_open_capture (GstElement * element, const gchar * device)
{
  struct fpgabuf_channel *channel;
  gint error;

  error = device ? fpgabuf_channel_open (device, &channel) :
      open_first_capture (&channel);
  if (error < 0) {
    post_open_error (element, device, error);
    return NULL;
  }

  if (!is_capture (channel)) {
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("Device '%s' is an output, it does not capture.", device), (NULL));
    fpgabuf_channel_close (channel);
    return NULL;
  }

  return channel;
}

/* Posts the error that fits the errno @error of an open channel. */
void
gst_fpga_device_post_error (GstElement * element,
    const struct fpgabuf_channel *channel, gint error, const gchar * what)
{
  const gchar *path = fpgabuf_channel_path (channel);
  const gchar *reason = g_strerror (-error);

  switch (-error) {
    case EBUSY:
      GST_ELEMENT_ERROR (element, RESOURCE, BUSY,
          ("Device '%s' is in use by another program or element.", path),
          ("%s: %s", what, reason));
      break;
    case ENODEV:
      GST_ELEMENT_ERROR (element, RESOURCE, READ,
          ("Device '%s' is gone.", path), ("%s: %s", what, reason));
      break;
    case ENOMEM:
      GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT,
          ("There is no memory for the buffers of device '%s'. The kernel log "
              "tells what can be done.", path), ("%s: %s", what, reason));
      break;
    case EINVAL:
    case ERANGE:
    case EOPNOTSUPP:
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("Device '%s' does not support what was asked for.", path),
          ("%s: %s", what, reason));
      break;
    default:
      GST_ELEMENT_ERROR (element, RESOURCE, FAILED,
          ("Device '%s' failed.", path), ("%s: %s", what, reason));
      break;
  }
}
