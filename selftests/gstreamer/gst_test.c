// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gst_test.h"

static const char *const plugins[] = {
	"fpgabuf", "coreelements", "app", "videotestsrc", "video4linux2",
	"unixfd", "debugutilsbad",
};

static char *find_plugin(const char *name)
{
	const char *path = getenv("GST_PLUGIN_PATH");
	char *dirs = g_strconcat(path ? path : "", ":", GST_PLUGINS_DIR, NULL);
	char **dir = g_strsplit(dirs, ":", -1);
	char *file = NULL;

	for (int i = 0; dir[i] && !file; i++) {
		file = g_strdup_printf("%s/libgst%s.so", dir[i], name);
		if (!dir[i][0] || access(file, R_OK))
			g_clear_pointer(&file, g_free);
	}
	g_strfreev(dir);
	g_free(dirs);
	return file;
}

/* A registry of all plugins is not needed here, and slow to make. */
void test_init(int *argc, char ***argv)
{
	setenv("GST_REGISTRY_DISABLE", "yes", 1);
	gst_init(argc, argv);
	/* a failed assertion of GStreamer fails the test */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	for (size_t i = 0; i < G_N_ELEMENTS(plugins); i++) {
		char *file = find_plugin(plugins[i]);
		GstPlugin *plugin;

		plugin = file ? gst_plugin_load_file(file, NULL) : NULL;
		if (plugin)
			gst_object_unref(plugin);
		g_free(file);
	}
}

static bool have_element(const char *name)
{
	GstElementFactory *factory = gst_element_factory_find(name);

	if (!factory)
		return false;
	gst_object_unref(factory);
	return true;
}

const char *test_missing(bool *ours)
{
	*ours = true;
	if (access(test_device(), F_OK))
		return "no channel device, is fpgabuf_sim loaded?";
	if (!have_element("fpgasrc"))
		return "the GStreamer plugin fpgabuf is not installed";
	*ours = false;
	if (!have_element("appsink"))
		return "the GStreamer plugin app is not installed";
	return NULL;
}

const char *test_device(void)
{
	const char *device = getenv("FPGABUF_DEVICE");

	return device ? device : "/dev/fpgabuf0";
}

GstElement *test_pipeline(const char *format, ...)
{
	GstElement *pipeline;
	char *rest, *all;
	va_list args;

	va_start(args, format);
	rest = g_strdup_vprintf(format, args);
	va_end(args);
	all = g_strdup_printf("fpgasrc name=src device=%s %s", test_device(),
			      rest);
	pipeline = gst_parse_launch(all, NULL);
	g_free(all);
	g_free(rest);
	return pipeline;
}

bool test_free(GstElement *pipeline)
{
	GstStateChangeReturn ret;

	ret = gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(pipeline);
	return ret == GST_STATE_CHANGE_SUCCESS;
}

GstElement *test_get(GstElement *pipeline, const char *name)
{
	GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);

	/* the pipeline holds it as long as the tests need it */
	g_assert(element);
	gst_object_unref(element);
	return element;
}

bool test_play(GstElement *pipeline)
{
	return gst_element_set_state(pipeline, GST_STATE_PLAYING) !=
	       GST_STATE_CHANGE_FAILURE;
}

GstBuffer *test_pull(GstElement *pipeline, GstClockTime timeout)
{
	GstElement *sink = test_get(pipeline, "sink");
	GstBuffer *buffer;
	GstSample *sample;

	sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), timeout);
	if (!sample)
		return NULL;
	buffer = gst_buffer_ref(gst_sample_get_buffer(sample));
	gst_sample_unref(sample);
	return buffer;
}

bool test_video_info(GstElement *pipeline, GstVideoInfo *info)
{
	GstPad *pad = gst_element_get_static_pad(test_get(pipeline, "sink"),
						 "sink");
	GstCaps *caps = gst_pad_get_current_caps(pad);
	bool ret = caps && gst_video_info_from_caps(info, caps);

	gst_clear_caps(&caps);
	gst_object_unref(pad);
	return ret;
}

GstMessage *test_message(GstElement *pipeline, GstMessageType types,
			 GstClockTime timeout)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	GstMessage *message = gst_bus_timed_pop_filtered(bus, timeout, types);

	gst_object_unref(bus);
	return message;
}

struct test_error test_error(GstElement *pipeline, GstClockTime timeout)
{
	GstMessage *message = test_message(pipeline, GST_MESSAGE_ERROR,
					   timeout);
	struct test_error error = { .code = -1 };
	GError *gerror;

	if (!message)
		return error;
	gst_message_parse_error(message, &gerror, &error.debug);
	error.domain = gerror->domain;
	error.code = gerror->code;
	error.text = g_strdup(gerror->message);
	g_error_free(gerror);
	gst_message_unref(message);
	return error;
}

void test_error_free(struct test_error *error)
{
	g_free(error->text);
	g_free(error->debug);
}

uint64_t test_stat(GstElement *pipeline, const char *name)
{
	GstStructure *stats;
	guint64 value64;
	guint value;

	g_object_get(test_get(pipeline, "src"), "stats", &stats, NULL);
	if (!gst_structure_get_uint64(stats, name, &value64)) {
		g_assert(gst_structure_get_uint(stats, name, &value));
		value64 = value;
	}
	gst_structure_free(stats);
	return value64;
}

uint64_t test_copied_bytes(GstElement *pipeline)
{
	guint64 bytes;

	g_object_get(test_get(pipeline, "src"), "copied-bytes", &bytes, NULL);
	return bytes;
}

GstClockTime test_captured(GstBuffer *buffer)
{
	GstCaps *caps = gst_caps_new_empty_simple("timestamp/x-system-monotonic");
	GstReferenceTimestampMeta *meta;

	meta = gst_buffer_get_reference_timestamp_meta(buffer, caps);
	gst_caps_unref(caps);
	return meta ? meta->timestamp : GST_CLOCK_TIME_NONE;
}

static GstPadProbeReturn add_video_meta(GstPad *pad, GstPadProbeInfo *info,
					gpointer data)
{
	GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);

	if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
		return GST_PAD_PROBE_OK;
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
	return GST_PAD_PROBE_HANDLED;
}

void test_accept_video_meta(GstElement *pipeline)
{
	GstPad *pad = gst_element_get_static_pad(test_get(pipeline, "sink"),
						 "sink");

	gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM |
			  GST_PAD_PROBE_TYPE_PUSH, add_video_meta, NULL, NULL);
	gst_object_unref(pad);
}

GstClockTime test_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return GST_TIMESPEC_TO_TIME(ts);
}

unsigned int test_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	g_assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}
