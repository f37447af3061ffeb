// SPDX-License-Identifier: GPL-2.0
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include "frame_png.h"

#define TIMEOUT	(60 * GST_SECOND)

GstBuffer *frame_copy(GstBuffer *buffer)
{
	/* all metas, in particular the layout */
	return gst_buffer_copy_deep(buffer);
}

static GstCaps *caps_of(const GstVideoMeta *meta)
{
	return gst_caps_new_simple("video/x-raw",
		"format", G_TYPE_STRING,
		gst_video_format_to_string(meta->format),
		"width", G_TYPE_INT, meta->width,
		"height", G_TYPE_INT, meta->height,
		"framerate", GST_TYPE_FRACTION, 0, 1, NULL);
}

static gboolean wait_for_eos(GstElement *pipeline, GError **error)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *message;
	gboolean ret;

	message = gst_bus_timed_pop_filtered(bus, TIMEOUT, GST_MESSAGE_EOS |
					     GST_MESSAGE_ERROR);
	gst_object_unref(bus);
	ret = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
	if (!message)
		g_set_error(error, GST_RESOURCE_ERROR,
			    GST_RESOURCE_ERROR_WRITE, "timed out");
	else if (!ret)
		gst_message_parse_error(message, error, NULL);
	g_clear_pointer(&message, gst_message_unref);
	return ret;
}

static void push(GstElement *pipeline, GstBuffer *buffer)
{
	GstElement *src = gst_bin_get_by_name(GST_BIN(pipeline), "src");
	GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	GstCaps *caps = caps_of(meta);

	gst_app_src_set_caps(GST_APP_SRC(src), caps);
	gst_app_src_push_buffer(GST_APP_SRC(src), gst_buffer_ref(buffer));
	gst_app_src_end_of_stream(GST_APP_SRC(src));
	gst_caps_unref(caps);
	gst_object_unref(src);
}

gboolean frame_write_png(GstBuffer *buffer, const char *path, GError **error)
{
	GstElement *pipeline, *sink;
	gboolean ret;

	if (!gst_buffer_get_video_meta(buffer)) {
		g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
			    "the frame has no GstVideoMeta");
		return FALSE;
	}
	pipeline = gst_parse_launch("appsrc name=src format=time"
				    " ! videoconvert ! pngenc snapshot=true"
				    " ! filesink name=sink", error);
	if (!pipeline)
		return FALSE;
	sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
	g_object_set(sink, "location", path, NULL);
	gst_object_unref(sink);

	push(pipeline, buffer);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	ret = wait_for_eos(pipeline, error);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(pipeline);
	return ret;
}
