// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of fpgasrc: their formats, contents, order, time stamps and layout.
 */
#include <errno.h>
#include <string.h>
#include <drm_fourcc.h>

#include "../kselftest_harness.h"
#include "gst_test.h"

/* More buffers than a pipeline here has */
#define MAX_HELD	64

#if GST_CHECK_VERSION(1, 24, 0)
#define DMABUF_CAPS	"video/x-raw(memory:DMABuf),format=DMA_DRM," \
			"drm-format=\"%s\""
#else
#define DMABUF_CAPS	"video/x-raw(memory:DMABuf),format=%s"
#endif
#define PLAIN_CAPS	"video/x-raw,format=%s"

/* Formats: one variant for each that the simulated FPGA has */

FIXTURE(format) {
	struct fpgabuf_channel *channel;
	struct fpgabuf_format_desc desc;
	GstElement *pipeline;
};

FIXTURE_VARIANT(format) {
	uint32_t fourcc;
	const char *name;
	const char *drm_name;
	unsigned int cpp;
};

FIXTURE_VARIANT_ADD(format, yuyv) {
	DRM_FORMAT_YUYV, "YUY2", "YUYV", 2,
};

FIXTURE_VARIANT_ADD(format, uyvy) {
	DRM_FORMAT_UYVY, "UYVY", "UYVY", 2,
};

FIXTURE_VARIANT_ADD(format, xrgb8888) {
	DRM_FORMAT_XRGB8888, "BGRx", "XR24", 4,
};

FIXTURE_VARIANT_ADD(format, r8) {
	DRM_FORMAT_R8, "GRAY8", "R8  ", 1,
};

FIXTURE_SETUP(format)
{
	uint32_t i = 0;

	ASSERT_EQ(0, fpgabuf_channel_open(test_device(), &self->channel));
	do {
		ASSERT_EQ(0, fpgabuf_channel_enum_format(self->channel, i++,
							 &self->desc))
			TH_LOG("the device lacks the format");
	} while (self->desc.fourcc != variant->fourcc);
}

FIXTURE_TEARDOWN(format)
{
	fpgabuf_channel_close(self->channel);
}

static bool takes(GstElement *src, const char *caps_format, const char *format,
		  unsigned int width, unsigned int height, const char *rate)
{
	char *base = g_strdup_printf(caps_format, format);
	char *text = g_strdup_printf("%s,width=%u,height=%u,framerate=%s",
				     base, width, height, rate);
	GstCaps *caps = gst_caps_from_string(text);
	GstPad *pad = gst_element_get_static_pad(src, "src");
	GstCaps *own = gst_pad_query_caps(pad, NULL);
	bool ret = gst_caps_is_subset(caps, own);

	gst_caps_unref(own);
	gst_object_unref(pad);
	gst_caps_unref(caps);
	g_free(text);
	g_free(base);
	return ret;
}

static void check_limits(struct __test_metadata *_metadata, GstElement *src,
			 const struct fpgabuf_format_desc *desc,
			 const char *caps, const char *name)
{
	unsigned int step = desc->step_width;

	EXPECT_TRUE(takes(src, caps, name, desc->min_width, desc->min_height,
			  "60/1"));
	EXPECT_TRUE(takes(src, caps, name, desc->max_width, desc->max_height,
			  "30000/1001"));
	EXPECT_FALSE(takes(src, caps, name, desc->min_width - step,
			   desc->min_height, "60/1"));
	EXPECT_FALSE(takes(src, caps, name, desc->max_width + step,
			   desc->min_height, "60/1"));
	EXPECT_FALSE(takes(src, caps, name, desc->min_width,
			   desc->max_height + desc->step_height, "60/1"));
	if (step > 1)
		EXPECT_FALSE(takes(src, caps, name, desc->min_width + 1,
				   desc->min_height, "60/1"));
	/* The simulated FPGA can be unthrottled, but not slower than 1/1. */
	EXPECT_TRUE(takes(src, caps, name, 64, 48, "0/1"));
	EXPECT_TRUE(takes(src, caps, name, 64, 48, "1/1"));
	EXPECT_FALSE(takes(src, caps, name, 64, 48, "1/2"));
}

static const char *dmabuf_name(const char *name, const char *drm_name)
{
	return GST_CHECK_VERSION(1, 24, 0) ? drm_name : name;
}

TEST_F(format, caps)
{
	GstElement *pipeline = test_pipeline("! appsink name=sink");
	GstElement *src = test_get(pipeline, "src");

	ASSERT_EQ(GST_STATE_CHANGE_SUCCESS,
		  gst_element_set_state(src, GST_STATE_READY));
	check_limits(_metadata, src, &self->desc, PLAIN_CAPS, variant->name);
	check_limits(_metadata, src, &self->desc, DMABUF_CAPS,
		     dmabuf_name(variant->name, variant->drm_name));
	EXPECT_FALSE(takes(src, PLAIN_CAPS, "NV12", 64, 48, "60/1"));
	EXPECT_TRUE(test_free(pipeline));
}

/* Pulls one frame of 64x48 and checks its layout and all of its bytes. */
static void check_frame(struct __test_metadata *_metadata, GstElement *pipeline,
			const char *name, unsigned int cpp)
{
	GstBuffer *buffer = test_pull(pipeline, SOON);
	GstVideoMeta *meta;

	ASSERT_NE(NULL, buffer);
	EXPECT_EQ(64 * 48 * cpp, gst_buffer_get_size(buffer));
	EXPECT_EQ(0, frame_verify(buffer, NULL));

	meta = gst_buffer_get_video_meta(buffer);
	ASSERT_NE(NULL, meta);
	EXPECT_STREQ(name, gst_video_format_to_string(meta->format));
	EXPECT_EQ(64, meta->width);
	EXPECT_EQ(48, meta->height);
	EXPECT_EQ(1, meta->n_planes);
	EXPECT_EQ(0, meta->offset[0]);
	EXPECT_EQ(64 * cpp, meta->stride[0]);
	gst_buffer_unref(buffer);
}

TEST_F(format, plain_frame)
{
	GstElement *pipeline = test_pipeline(
		"! " PLAIN_CAPS "," SMALL " ! appsink name=sink",
		variant->name);

	ASSERT_TRUE(test_play(pipeline));
	check_frame(_metadata, pipeline, variant->name, variant->cpp);
	EXPECT_TRUE(test_free(pipeline));
}

TEST_F(format, dmabuf_frame)
{
	GstElement *pipeline = test_pipeline(
		"! " DMABUF_CAPS "," SMALL " ! appsink name=sink",
		dmabuf_name(variant->name, variant->drm_name));

	ASSERT_TRUE(test_play(pipeline));
	check_frame(_metadata, pipeline, variant->name, variant->cpp);
	EXPECT_TRUE(test_free(pipeline));
}

/* Negotiation */

TEST(device_default)
{
	GstElement *pipeline = test_pipeline("num-buffers=1 ! appsink name=sink");
	struct fpgabuf_channel *channel;
	struct fpgabuf_format format;
	GstBuffer *buffer;
	GstVideoInfo info;

	ASSERT_EQ(0, fpgabuf_channel_open(test_device(), &channel));
	ASSERT_EQ(0, fpgabuf_channel_get_format(channel, &format));
	fpgabuf_channel_close(channel);
	ASSERT_EQ(DRM_FORMAT_YUYV, format.fourcc);

	ASSERT_TRUE(test_play(pipeline));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	ASSERT_TRUE(test_video_info(pipeline, &info));
	EXPECT_EQ(GST_VIDEO_FORMAT_YUY2, GST_VIDEO_INFO_FORMAT(&info));
	EXPECT_EQ(format.width, GST_VIDEO_INFO_WIDTH(&info));
	EXPECT_EQ(format.height, GST_VIDEO_INFO_HEIGHT(&info));
	EXPECT_EQ(format.rate.numerator, GST_VIDEO_INFO_FPS_N(&info));
	EXPECT_EQ(format.rate.denominator, GST_VIDEO_INFO_FPS_D(&info));
	EXPECT_EQ(0, frame_verify(buffer, NULL));
	gst_buffer_unref(buffer);
	EXPECT_TRUE(test_free(pipeline));
}

/* Width and height are left open within limits: the nearest is taken. */
TEST(nearest_to_default)
{
	GstElement *pipeline = test_pipeline(
		"num-buffers=1 ! video/x-raw,width=[16,320],height=[800,900],"
		"framerate=[100/1,200/1] ! appsink name=sink");
	GstBuffer *buffer;
	GstVideoInfo info;

	ASSERT_TRUE(test_play(pipeline));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	ASSERT_TRUE(test_video_info(pipeline, &info));
	EXPECT_EQ(320, GST_VIDEO_INFO_WIDTH(&info));
	EXPECT_EQ(800, GST_VIDEO_INFO_HEIGHT(&info));
	EXPECT_EQ(100, GST_VIDEO_INFO_FPS_N(&info));
	gst_buffer_unref(buffer);
	EXPECT_TRUE(test_free(pipeline));
}

/* Order, memory and time */

#define MANY	300

static bool add_inode(uint64_t *inodes, unsigned int *count, uint64_t inode)
{
	for (unsigned int i = 0; i < *count; i++)
		if (inodes[i] == inode)
			return true;
	if (*count == MAX_HELD)
		return false;
	inodes[(*count)++] = inode;
	return true;
}

TEST(many_in_order)
{
	GstElement *pipeline = test_pipeline("num-buffers=%d ! video/x-raw,"
					     SMALL "," UNTHROTTLED
					     " ! appsink name=sink sync=false",
					     MANY);
	uint64_t inodes[MAX_HELD], inode;
	struct fpgabuf_trailer trailer;
	GstClockTime last = 0;
	unsigned int count = 0;
	GstBuffer *buffer;

	ASSERT_TRUE(test_play(pipeline));
	for (uint64_t i = 0; i < MANY; i++) {
		buffer = test_pull(pipeline, SOON);
		ASSERT_NE(NULL, buffer) TH_LOG("frame %lu", i);
		ASSERT_EQ(0, frame_verify(buffer, &trailer));
		ASSERT_EQ(i, trailer.sequence);
		ASSERT_EQ(i, GST_BUFFER_OFFSET(buffer));
		ASSERT_EQ(i + 1, GST_BUFFER_OFFSET_END(buffer));
		ASSERT_LE(last, GST_BUFFER_PTS(buffer));
		last = GST_BUFFER_PTS(buffer);
		ASSERT_EQ(0, frame_dmabuf(buffer, &inode));
		ASSERT_TRUE(add_inode(inodes, &count, inode));
		gst_buffer_unref(buffer);
	}
	ASSERT_EQ(NULL, test_pull(pipeline, SOON));
	EXPECT_TRUE(gst_app_sink_is_eos(GST_APP_SINK(test_get(pipeline,
							      "sink"))));

	EXPECT_LE(2, count);
	EXPECT_GE(test_stat(pipeline, "buffers"), count);
	EXPECT_EQ(MANY, test_stat(pipeline, "frames"));
	EXPECT_EQ(0, test_stat(pipeline, "lost"));
	EXPECT_EQ(0, test_copied_bytes(pipeline));
	EXPECT_TRUE(test_free(pipeline));
}

#define TIMED	50

TEST(time_stamps)
{
	GstElement *pipeline = test_pipeline("! video/x-raw," SMALL
					     ",framerate=100/1"
					     " ! appsink name=sink sync=false");
	gint64 start, earliest[2] = { G_MAXINT64, G_MAXINT64 };
	GstClockTime captured, now, pts, last = 0, base;
	GstClock *clock;
	GstBuffer *buffer;

	ASSERT_TRUE(test_play(pipeline));
	for (int i = 0; i < TIMED; i++) {
		gint64 *half = &earliest[i >= TIMED / 2];

		buffer = test_pull(pipeline, SOON);
		ASSERT_NE(NULL, buffer);
		clock = gst_element_get_clock(pipeline);
		base = gst_element_get_base_time(pipeline);
		now = gst_clock_get_time(clock) - base;
		gst_object_unref(clock);

		pts = GST_BUFFER_PTS(buffer);
		captured = test_captured(buffer);
		EXPECT_EQ(10 * GST_MSECOND, GST_BUFFER_DURATION(buffer));
		EXPECT_LT(last, pts);
		EXPECT_LE(pts, now);
		/*
		 * The pipeline's clock is CLOCK_MONOTONIC, so that the age of
		 * the frame can be checked against it: up to what lies between
		 * reading one clock and the other.
		 */
		EXPECT_LE(captured, pts + base);
		EXPECT_GT(captured + 100 * GST_MSECOND, pts + base);
		start = captured - GST_BUFFER_OFFSET(buffer) * 10 * GST_MSECOND;
		*half = MIN(*half, start);
		last = pts;
		gst_buffer_unref(buffer);
	}
	/*
	 * The driver's clock keeps the rate: within one frame of 100 fps, by
	 * the frame of each half that a busy machine delayed least.
	 */
	EXPECT_LT(ABS(earliest[1] - earliest[0]), (gint64)(10 * GST_MSECOND));
	EXPECT_TRUE(test_free(pipeline));
}

TEST(latency)
{
	GstElement *pipeline = test_pipeline("! video/x-raw," SMALL
					     ",framerate=50/1"
					     " ! appsink name=sink sync=false");
	GstElement *src = test_get(pipeline, "src");
	GstQuery *query = gst_query_new_latency();
	GstClockTime min, max;
	GstBuffer *buffer;
	gboolean live;

	ASSERT_EQ(GST_STATE_CHANGE_SUCCESS,
		  gst_element_set_state(src, GST_STATE_READY));
	EXPECT_FALSE(gst_element_query(src, query));

	ASSERT_TRUE(test_play(pipeline));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	gst_buffer_unref(buffer);
	ASSERT_TRUE(gst_element_query(src, query));
	gst_query_parse_latency(query, &live, &min, &max);
	EXPECT_TRUE(live);
	EXPECT_EQ(20 * GST_MSECOND, min);
	EXPECT_EQ(20 * GST_MSECOND * test_stat(pipeline, "buffers"), max);
	gst_query_unref(query);
	EXPECT_TRUE(test_free(pipeline));
}

/* Layout */

/* 100 pixels of YUYV are 200 bytes: GStreamer's stride, but not 256's. */
#define ODD_CAPS	"video/x-raw,format=YUY2,width=100,height=48"

static GstBuffer *pull_first(GstElement *pipeline)
{
	return test_play(pipeline) ? test_pull(pipeline, SOON) : NULL;
}

TEST(stride_for_plain_peer)
{
	GstElement *pipeline = test_pipeline("! " ODD_CAPS
					     " ! appsink name=sink");
	GstBuffer *buffer = pull_first(pipeline);

	ASSERT_NE(NULL, buffer);
	EXPECT_EQ(200 * 48, gst_buffer_get_size(buffer));
	EXPECT_EQ(0, frame_verify(buffer, NULL));
	EXPECT_EQ(0, test_copied_bytes(pipeline));
	gst_buffer_unref(buffer);
	EXPECT_TRUE(test_free(pipeline));
}

TEST(stride_align)
{
	GstElement *pipeline = test_pipeline("stride-align=256 ! " ODD_CAPS
					     " ! appsink name=sink");
	GstVideoMeta *meta;
	GstBuffer *buffer;

	test_accept_video_meta(pipeline);
	buffer = pull_first(pipeline);
	ASSERT_NE(NULL, buffer);
	meta = gst_buffer_get_video_meta(buffer);
	ASSERT_NE(NULL, meta);
	EXPECT_EQ(256, meta->stride[0]);
	EXPECT_EQ(256 * 48, gst_buffer_get_size(buffer));
	EXPECT_EQ(0, frame_verify(buffer, NULL));
	EXPECT_EQ(0, test_copied_bytes(pipeline));
	gst_buffer_unref(buffer);
	EXPECT_TRUE(test_free(pipeline));
}

/* The first frame, which is the same in each run. */
static GstBuffer *first_of_stride_256(bool copied)
{
	GstElement *pipeline = test_pipeline("stride-align=256 ! " ODD_CAPS ","
					     UNTHROTTLED
					     " ! appsink name=sink");
	GstBuffer *buffer;

	if (!copied)
		test_accept_video_meta(pipeline);
	buffer = pull_first(pipeline);
	test_free(pipeline);
	return buffer;
}

/* A peer without GstVideoMeta gets the picture, and the copy is told. */
TEST(copy_for_plain_peer)
{
	GstBuffer *original = first_of_stride_256(false);
	GstBuffer *copy = first_of_stride_256(true);
	GstMapInfo from, to;
	uint64_t inode;

	ASSERT_NE(NULL, original);
	ASSERT_NE(NULL, copy);
	ASSERT_EQ(0, GST_BUFFER_OFFSET(original));
	ASSERT_EQ(0, GST_BUFFER_OFFSET(copy));
	EXPECT_EQ(-EXDEV, frame_dmabuf(copy, &inode));

	ASSERT_TRUE(gst_buffer_map(original, &from, GST_MAP_READ));
	ASSERT_TRUE(gst_buffer_map(copy, &to, GST_MAP_READ));
	ASSERT_EQ(200 * 48, to.size);
	for (int y = 0; y < 48; y++)
		EXPECT_EQ(0, memcmp(from.data + y * 256, to.data + y * 200,
				    200));
	gst_buffer_unmap(copy, &to);
	gst_buffer_unmap(original, &from);
	gst_buffer_unref(copy);
	gst_buffer_unref(original);
}

TEST(copied_bytes)
{
	GstElement *pipeline = test_pipeline("num-buffers=10 stride-align=256 ! "
					     ODD_CAPS "," UNTHROTTLED
					     " ! fakesink name=sink");
	GstMessage *message;

	ASSERT_TRUE(test_play(pipeline));
	message = test_message(pipeline, GST_MESSAGE_EOS, SOON);
	ASSERT_NE(NULL, message);
	gst_message_unref(message);
	EXPECT_EQ(10 * 200 * 48, test_copied_bytes(pipeline));
	EXPECT_EQ(10 * 200 * 48, test_stat(pipeline, "copied-bytes"));
	EXPECT_TRUE(test_free(pipeline));
}

/* Memory: each kind that the device has */

FIXTURE(kind) {
	GstElement *pipeline;
};

FIXTURE_VARIANT(kind) {
	const char *name;
};

FIXTURE_VARIANT_ADD(kind, coherent) {
	"coherent",
};

FIXTURE_VARIANT_ADD(kind, contiguous) {
	"contiguous",
};

FIXTURE_VARIANT_ADD(kind, system) {
	"system",
};

FIXTURE_VARIANT_ADD(kind, writecombine) {
	"writecombine",
};

FIXTURE_VARIANT_ADD(kind, noncontiguous) {
	"noncontiguous",
};

FIXTURE_SETUP(kind)
{
	self->pipeline = test_pipeline("kind=%s num-buffers=10 ! video/x-raw,"
				       SMALL "," UNTHROTTLED
				       " ! appsink name=sink", variant->name);
}

FIXTURE_TEARDOWN(kind)
{
	EXPECT_TRUE(test_free(self->pipeline));
}

TEST_F(kind, frames)
{
	GstBuffer *buffer;

	ASSERT_TRUE(test_play(self->pipeline));
	for (int i = 0; i < 10; i++) {
		buffer = test_pull(self->pipeline, SOON);
		ASSERT_NE(NULL, buffer);
		EXPECT_EQ(0, frame_verify(buffer, NULL));
		gst_buffer_unref(buffer);
	}
}

TEST_GSTREAMER_MAIN
