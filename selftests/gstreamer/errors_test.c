// SPDX-License-Identifier: GPL-2.0
/*
 * What fpgasrc says when it cannot work: which error, and is the cause named.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "gst_test.h"

/* Plays @pipeline, which must fail, and frees it. */
static struct test_error play_to_error(GstElement *pipeline)
{
	struct test_error error;

	test_play(pipeline);
	error = test_error(pipeline, SOON);
	test_free(pipeline);
	return error;
}

#define EXPECT_ERROR(error, error_domain, error_code) do { \
	EXPECT_EQ(error_domain, (error).domain); \
	EXPECT_EQ(error_code, (error).code) \
		TH_LOG("%s (%s)", (error).text, (error).debug); \
} while (0)

#define EXPECT_SAYS(text, word) \
	EXPECT_NE(NULL, strstr(text ?: "", word)) TH_LOG("%s", text)

TEST(no_such_device)
{
	GstElement *pipeline = gst_parse_launch(
		"fpgasrc device=/dev/fpgabuf-none ! fakesink", NULL);
	struct test_error error = play_to_error(pipeline);

	EXPECT_ERROR(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
	EXPECT_SAYS(error.text, "/dev/fpgabuf-none");
	EXPECT_SAYS(error.text, "fpgabuf_sim");
	test_error_free(&error);
}

TEST(not_a_channel)
{
	GstElement *pipeline = gst_parse_launch(
		"fpgasrc device=/dev/null ! fakesink", NULL);
	struct test_error error = play_to_error(pipeline);

	EXPECT_ERROR(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_SAYS(error.text, "/dev/null");
	test_error_free(&error);
}

/* The second user is told, the first one is not disturbed. */
TEST(busy)
{
	GstElement *first = test_pipeline("! video/x-raw," SMALL "," UNTHROTTLED
					  " ! appsink name=sink");
	struct test_error error;
	GstBuffer *buffer;

	ASSERT_TRUE(test_play(first));
	buffer = test_pull(first, SOON);
	ASSERT_NE(NULL, buffer);
	gst_buffer_unref(buffer);

	error = play_to_error(test_pipeline("! fakesink"));
	EXPECT_ERROR(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
	EXPECT_SAYS(error.text, test_device());
	test_error_free(&error);

	for (int i = 0; i < 20; i++) {
		buffer = test_pull(first, SOON);
		ASSERT_NE(NULL, buffer);
		EXPECT_EQ(0, frame_verify(buffer, NULL));
		gst_buffer_unref(buffer);
	}
	EXPECT_TRUE(test_free(first));

	/* and when it is gone, the device is free */
	first = test_pipeline("! video/x-raw," SMALL " ! appsink name=sink");
	ASSERT_TRUE(test_play(first));
	buffer = test_pull(first, SOON);
	ASSERT_NE(NULL, buffer);
	gst_buffer_unref(buffer);
	EXPECT_TRUE(test_free(first));
}

/* Both sides' wishes are in the error. */
TEST(unsupported_format)
{
	struct test_error error = play_to_error(test_pipeline(
		"! video/x-raw,format=NV12 ! fakesink"));

	EXPECT_ERROR(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
	EXPECT_SAYS(error.text, test_device());
	EXPECT_SAYS(error.debug, "NV12");
	EXPECT_SAYS(error.debug, "YUY2");
	test_error_free(&error);
}

TEST(unsupported_size)
{
	struct test_error error = play_to_error(test_pipeline(
		"! video/x-raw,width=100000,height=64 ! fakesink"));

	EXPECT_ERROR(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
	EXPECT_SAYS(error.debug, "100000");
	test_error_free(&error);
}

/* Sizes and rates that each are fine, but make frames that are too large. */
TEST(unsupported_combination)
{
	struct test_error error = play_to_error(test_pipeline(
		"! video/x-raw,format=BGRx,width=8192,height=8192 ! fakesink"));

	EXPECT_ERROR(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
	test_error_free(&error);
}

TEST(unsupported_stride)
{
	struct test_error error = play_to_error(test_pipeline(
		"stride-align=67 ! video/x-raw,format=YUY2," SMALL
		" ! fakesink"));

	EXPECT_ERROR(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_SAYS(error.text, test_device());
	test_error_free(&error);
}

/* Surprise removal: the driver's part of the device goes away */

struct binding {
	char *driver;
	char *device;
};

static bool find_binding(struct binding *binding)
{
	char *name = g_path_get_basename(test_device());
	char *path = g_strdup_printf("/sys/class/fpgabuf/%s/device", name);
	char *driver = g_strdup_printf("%s/driver", path);
	char *real = realpath(path, NULL);

	binding->driver = realpath(driver, NULL);
	binding->device = real ? g_path_get_basename(real) : NULL;
	free(real);
	g_free(driver);
	g_free(path);
	g_free(name);
	return binding->driver && binding->device;
}

static int tell_driver(const struct binding *binding, const char *what)
{
	char *path = g_strdup_printf("%s/%s", binding->driver, what);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	g_free(path);
	if (fd < 0)
		return -errno;
	if (write(fd, binding->device, strlen(binding->device)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

TEST(device_gone)
{
	GstElement *pipeline = test_pipeline("! video/x-raw," SMALL
					     ",framerate=1/1"
					     " ! appsink name=sink");
	struct test_error error;
	struct binding binding;
	GstBuffer *buffer;

	if (!find_binding(&binding)) {
		ASSERT_EQ(NULL, getenv("FPGABUF_REQUIRED"));
		SKIP(return, "cannot find the device's driver in sysfs");
	}
	ASSERT_TRUE(test_play(pipeline));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);

	if (tell_driver(&binding, "unbind") == -EACCES) {
		ASSERT_EQ(NULL, getenv("FPGABUF_REQUIRED"));
		SKIP(return, "only root may unbind a driver");
	}
	error = test_error(pipeline, SOON);
	EXPECT_ERROR(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
	EXPECT_SAYS(error.text, test_device());
	test_error_free(&error);
	EXPECT_TRUE(test_free(pipeline));
	EXPECT_EQ(0, frame_verify(buffer, NULL));

	/* The old frame is still there when the device is back. */
	ASSERT_EQ(0, tell_driver(&binding, "bind"));
	pipeline = test_pipeline("! video/x-raw," SMALL " ! appsink name=sink");
	ASSERT_TRUE(test_play(pipeline));
	for (int i = 0; i < 10; i++) {
		GstBuffer *other = test_pull(pipeline, SOON);

		ASSERT_NE(NULL, other);
		gst_buffer_unref(other);
	}
	EXPECT_TRUE(test_free(pipeline));
	EXPECT_EQ(0, frame_verify(buffer, NULL));
	gst_buffer_unref(buffer);
}

TEST_GSTREAMER_MAIN
