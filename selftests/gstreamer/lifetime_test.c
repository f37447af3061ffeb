// SPDX-License-Identifier: GPL-2.0
/*
 * How long the memory of a frame lives, and what happens while it is kept; how
 * fpgasrc starts, stops, pauses and changes its format meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "../kselftest_harness.h"
#include "gst_test.h"

/* More buffers than a pipeline here has */
#define MAX_HELD	64

#define CAPS(rate)	"video/x-raw,format=YUY2," SMALL ",framerate=" rate

static GstElement *small_pipeline(const char *rate)
{
	return test_pipeline("! video/x-raw,format=YUY2," SMALL ",framerate=%s"
			     " ! appsink name=sink sync=false"
			     " enable-last-sample=false", rate);
}

/* The frame of @buffer is whole, and is frame @sequence. */
static bool is_frame(GstBuffer *buffer, uint64_t sequence)
{
	struct fpgabuf_trailer trailer;

	return buffer && !frame_verify(buffer, &trailer) &&
	       trailer.sequence == sequence;
}

/* Plays until @count frames came. */
static bool pull_frames(GstElement *pipeline, unsigned int count)
{
	while (count--) {
		GstBuffer *buffer = test_pull(pipeline, SOON);

		if (!buffer)
			return false;
		gst_buffer_unref(buffer);
	}
	return true;
}

/* Memory outlives all that made it, and another run leaves it alone. */
TEST(sample_outlives_pipeline)
{
	unsigned int fds = test_count_fds();
	GstElement *pipeline = small_pipeline("0/1");
	GstBuffer *buffer;
	uint64_t sequence;

	ASSERT_TRUE(test_play(pipeline));
	ASSERT_TRUE(pull_frames(pipeline, 3));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	sequence = GST_BUFFER_OFFSET(buffer);
	ASSERT_TRUE(test_free(pipeline));
	EXPECT_TRUE(is_frame(buffer, sequence));

	/* The device is free again though its memory is not. */
	pipeline = small_pipeline("0/1");
	ASSERT_TRUE(test_play(pipeline));
	ASSERT_TRUE(pull_frames(pipeline, 20));
	ASSERT_TRUE(test_free(pipeline));
	EXPECT_TRUE(is_frame(buffer, sequence));

	gst_buffer_unref(buffer);
	EXPECT_EQ(fds, test_count_fds());
}

/* It is the memory that counts, not the buffer that it came in. */
TEST(memory_without_buffer)
{
	GstElement *pipeline = small_pipeline("0/1");
	struct fpgabuf_trailer trailer;
	GstMemory *memory;
	GstBuffer *buffer;
	uint64_t sequence;

	ASSERT_TRUE(test_play(pipeline));
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	sequence = GST_BUFFER_OFFSET(buffer);
	memory = gst_buffer_get_memory(buffer, 0);
	gst_buffer_unref(buffer);

	/* Every buffer of the ring is filled several times. */
	ASSERT_TRUE(pull_frames(pipeline, 40));
	buffer = gst_buffer_new();
	gst_buffer_append_memory(buffer, memory);
	ASSERT_EQ(0, frame_verify(buffer, &trailer));
	EXPECT_EQ(sequence, trailer.sequence);
	gst_buffer_unref(buffer);

	ASSERT_TRUE(pull_frames(pipeline, 40));
	EXPECT_TRUE(test_free(pipeline));
}

/* What downstream did to the size of a memory is gone with the next frame. */
TEST(resized_memory)
{
	GstElement *pipeline = small_pipeline("0/1");
	GstBuffer *buffer, *last = NULL;

	ASSERT_TRUE(test_play(pipeline));
	for (int i = 0; i < 20; i++) {
		buffer = test_pull(pipeline, SOON);
		ASSERT_TRUE(is_frame(buffer, i));
		if (last) {
			/* now that the sink has the next one, it is all ours */
			ASSERT_TRUE(gst_buffer_is_writable(last));
			ASSERT_TRUE(gst_buffer_is_all_memory_writable(last));
			gst_buffer_resize(last, 64, 128);
			gst_buffer_unref(last);
		}
		last = buffer;
	}
	gst_buffer_unref(last);
	EXPECT_TRUE(test_free(pipeline));
}

/* Takes all frames there are to have, until none comes any more. */
static unsigned int hold_all(GstElement *pipeline, GstBuffer **held)
{
	unsigned int n = 0;

	while (n < MAX_HELD) {
		bool all = n && test_stat(pipeline, "held-buffers") ==
			   test_stat(pipeline, "buffers");

		held[n] = test_pull(pipeline, all ? GST_SECOND / 2 : SOON);
		if (!held[n])
			break;
		n++;
	}
	return n;
}

/*
 * With every buffer held downstream frames are lost, in order and told: by the
 * numbers of the frames, by a QoS message, in stats.
 */
TEST(hold_all_and_release)
{
	GstElement *pipeline = small_pipeline("100/1");
	GstBuffer *held[MAX_HELD], *buffer;
	guint64 processed, dropped;
	GstMessage *message;
	unsigned int n;
	uint64_t last, lost;
	GstFormat format;
	gboolean live;
	guint64 duration;

	ASSERT_TRUE(test_play(pipeline));
	n = hold_all(pipeline, held);
	ASSERT_EQ(test_stat(pipeline, "buffers"), n);
	EXPECT_EQ(n, test_stat(pipeline, "held-buffers"));
	EXPECT_EQ(0, test_stat(pipeline, "queued-buffers"));
	for (unsigned int i = 0; i < n; i++)
		EXPECT_TRUE(is_frame(held[i], i));
	last = GST_BUFFER_OFFSET(held[n - 1]);

	gst_buffer_unref(held[0]);
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	lost = GST_BUFFER_OFFSET(buffer) - last - 1;
	EXPECT_LT(0, lost);
	EXPECT_TRUE(is_frame(buffer, last + 1 + lost));
	EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer,
					   GST_BUFFER_FLAG_DISCONT));
	EXPECT_EQ(lost, test_stat(pipeline, "lost"));

	message = test_message(pipeline, GST_MESSAGE_QOS, SOON);
	ASSERT_NE(NULL, message);
	gst_message_parse_qos(message, &live, NULL, NULL, NULL, &duration);
	EXPECT_TRUE(live);
	EXPECT_EQ(lost * 10 * GST_MSECOND, duration);
	gst_message_parse_qos_stats(message, &format, &processed, &dropped);
	EXPECT_EQ(GST_FORMAT_BUFFERS, format);
	EXPECT_EQ(n, processed);
	EXPECT_EQ(lost, dropped);
	gst_message_unref(message);

	gst_buffer_unref(buffer);
	for (unsigned int i = 1; i < n; i++)
		gst_buffer_unref(held[i]);
	ASSERT_TRUE(pull_frames(pipeline, 2 * n));
	EXPECT_EQ(test_stat(pipeline, "buffers"), n);
	EXPECT_TRUE(test_free(pipeline));
}

/* Nothing can come any more, and still it stops at once. */
TEST(stop_while_all_are_held)
{
	GstElement *pipeline = small_pipeline("0/1");
	GstBuffer *held[MAX_HELD];
	GstClockTime begin;
	unsigned int n;

	ASSERT_TRUE(test_play(pipeline));
	n = hold_all(pipeline, held);
	ASSERT_EQ(test_stat(pipeline, "buffers"), n);

	begin = test_monotonic();
	EXPECT_TRUE(test_free(pipeline));
	EXPECT_GT(2 * GST_SECOND, test_monotonic() - begin);
	for (unsigned int i = 0; i < n; i++) {
		EXPECT_TRUE(is_frame(held[i], i));
		gst_buffer_unref(held[i]);
	}
}

/* At one frame a second a stop does not wait for the frame. */
TEST(stop_while_waiting)
{
	GstElement *pipeline = small_pipeline("1/1");
	GstClockTime begin;

	ASSERT_TRUE(test_play(pipeline));
	ASSERT_TRUE(pull_frames(pipeline, 1));
	begin = test_monotonic();
	EXPECT_TRUE(test_free(pipeline));
	EXPECT_GT(GST_SECOND / 2, test_monotonic() - begin);
}

TEST(flush)
{
	GstElement *pipeline = small_pipeline("0/1");
	GstElement *src = test_get(pipeline, "src");
	GstBuffer *held[MAX_HELD];
	unsigned int n;

	ASSERT_TRUE(test_play(pipeline));
	n = hold_all(pipeline, held);
	ASSERT_LT(0, n);

	/* flush-start unlocks a source that waits for a buffer */
	ASSERT_TRUE(gst_element_send_event(src, gst_event_new_flush_start()));
	ASSERT_TRUE(gst_element_send_event(src, gst_event_new_flush_stop(TRUE)));
	for (unsigned int i = 0; i < n; i++) {
		EXPECT_TRUE(is_frame(held[i], i));
		gst_buffer_unref(held[i]);
	}
	EXPECT_TRUE(pull_frames(pipeline, 2 * n));
	EXPECT_TRUE(test_free(pipeline));
}

/* 50 times up and down; each time a frame of the last time is still held. */
TEST(state_cycles)
{
	GstElement *pipeline = small_pipeline("0/1");
	GstBuffer *held = NULL, *buffer;
	unsigned int fds = 0;

	for (int i = 0; i < 50; i++) {
		ASSERT_TRUE(test_play(pipeline));
		buffer = test_pull(pipeline, SOON);
		ASSERT_TRUE(is_frame(buffer, 0)) TH_LOG("cycle %d", i);
		ASSERT_EQ(GST_STATE_CHANGE_SUCCESS,
			  gst_element_set_state(pipeline, GST_STATE_NULL));
		if (held) {
			ASSERT_TRUE(is_frame(held, 0));
			gst_buffer_unref(held);
		}
		held = buffer;
		if (i == 1)
			fds = test_count_fds();
	}
	EXPECT_EQ(fds, test_count_fds());
	gst_buffer_unref(held);
	EXPECT_TRUE(test_free(pipeline));
}

/* Down from each state, without a frame. */
TEST(null_without_frames)
{
	static const GstState states[] = {
		GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
	};
	GstElement *pipeline = small_pipeline("1/1");
	unsigned int fds = test_count_fds();

	for (int i = 0; i < 12; i++) {
		ASSERT_NE(GST_STATE_CHANGE_FAILURE,
			  gst_element_set_state(pipeline, states[i % 3]));
		ASSERT_EQ(GST_STATE_CHANGE_SUCCESS,
			  gst_element_set_state(pipeline, GST_STATE_NULL));
	}
	EXPECT_EQ(fds, test_count_fds());
	EXPECT_TRUE(test_free(pipeline));
}

/* All frames that come after a pause were captured after it. */
TEST(pause_and_resume)
{
	/* so many buffers that nothing is lost to a slow machine */
	GstElement *pipeline = test_pipeline("min-buffers=20 ! " CAPS("50/1")
					     " ! appsink name=sink sync=false");
	struct timespec delay = { .tv_nsec = 400000000 };
	GstClockTime resumed, last;
	GstBuffer *buffer;
	uint64_t offset;

	ASSERT_TRUE(test_play(pipeline));
	ASSERT_TRUE(pull_frames(pipeline, 2));
	ASSERT_NE(GST_STATE_CHANGE_FAILURE,
		  gst_element_set_state(pipeline, GST_STATE_PAUSED));
	/* time for 20 frames, of which none shall come */
	nanosleep(&delay, NULL);
	do {
		/* what the sink had already */
		buffer = test_pull(pipeline, 0);
		if (buffer)
			gst_buffer_unref(buffer);
	} while (buffer);
	offset = test_stat(pipeline, "frames");

	resumed = test_monotonic();
	ASSERT_TRUE(test_play(pipeline));
	last = 0;
	buffer = test_pull(pipeline, SOON);
	ASSERT_NE(NULL, buffer);
	/* a paused sink holds one that was on its way */
	if (GST_BUFFER_OFFSET(buffer) + 1 == offset) {
		gst_buffer_unref(buffer);
		buffer = NULL;
	}
	for (int i = 0; i < 10; i++) {
		if (!buffer)
			buffer = test_pull(pipeline, SOON);
		ASSERT_NE(NULL, buffer);
		EXPECT_LT(resumed, test_captured(buffer));
		EXPECT_LT(last, GST_BUFFER_PTS(buffer));
		EXPECT_EQ(offset + i, GST_BUFFER_OFFSET(buffer));
		last = GST_BUFFER_PTS(buffer);
		gst_buffer_unref(buffer);
		buffer = NULL;
	}
	EXPECT_EQ(0, test_stat(pipeline, "lost"));
	EXPECT_TRUE(test_free(pipeline));
}

/* Pauses that come while frames come, and before any has come. */
TEST(many_pauses)
{
	GstElement *pipeline = small_pipeline("0/1");

	ASSERT_TRUE(test_play(pipeline));
	for (int i = 0; i < 50; i++) {
		ASSERT_TRUE(pull_frames(pipeline, i % 3));
		ASSERT_NE(GST_STATE_CHANGE_FAILURE,
			  gst_element_set_state(pipeline, GST_STATE_PAUSED));
		ASSERT_TRUE(test_play(pipeline));
	}
	/* more than the sink may have kept: frames still come */
	ASSERT_TRUE(pull_frames(pipeline, 100));
	EXPECT_EQ(0, test_stat(pipeline, "lost"));
	EXPECT_TRUE(test_free(pipeline));
}

/* Another format while it plays; what downstream has of the old one is kept. */
TEST(renegotiate)
{
	GstElement *pipeline = test_pipeline("! capsfilter name=filter caps="
					     CAPS("0/1")
					     " ! appsink name=sink sync=false"
					     " max-buffers=2");
	GstCaps *caps = gst_caps_from_string("video/x-raw,format=BGRx,width=128,"
					     "height=32,framerate=0/1");
	GstBuffer *held, *buffer;
	gsize size;

	ASSERT_TRUE(test_play(pipeline));
	held = test_pull(pipeline, SOON);
	ASSERT_TRUE(is_frame(held, 0));

	g_object_set(test_get(pipeline, "filter"), "caps", caps, NULL);
	for (int i = 0;; i++) {
		buffer = test_pull(pipeline, SOON);
		ASSERT_NE(NULL, buffer);
		ASSERT_EQ(0, frame_verify(buffer, NULL));
		size = gst_buffer_get_size(buffer);
		gst_buffer_unref(buffer);
		if (size == 128 * 4 * 32)
			break;
		ASSERT_EQ(64 * 2 * 48, size);
		ASSERT_GT(100, i);
	}
	ASSERT_TRUE(pull_frames(pipeline, 20));
	EXPECT_TRUE(is_frame(held, 0));
	gst_buffer_unref(held);
	gst_caps_unref(caps);
	EXPECT_TRUE(test_free(pipeline));
}

TEST_GSTREAMER_MAIN
