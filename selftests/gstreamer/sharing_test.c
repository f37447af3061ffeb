// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of fpgasrc in other devices and programs, which import the dma-buf.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "gst_test.h"
#include "vivid.h"

#define FRAMES	60

/* What a sink has shown and dropped, as GstBaseSink counts it. */
static uint64_t sink_count(GstElement *sink, const char *name)
{
	GstStructure *stats;
	guint64 count = 0;

	g_object_get(sink, "stats", &stats, NULL);
	gst_structure_get_uint64(stats, name, &count);
	gst_structure_free(stats);
	return count;
}

/* An importing device, in both of the ways that videobuf2 reads a dma-buf */

FIXTURE(vivid) {
	char node[32];
};

FIXTURE_VARIANT(vivid) {
	int allocator;
	const char *kinds[4];
};

FIXTURE_VARIANT_ADD(vivid, vmalloc) {
	.allocator = 0,
	.kinds = { "system", "coherent", "writecombine", "noncontiguous" },
};

FIXTURE_VARIANT_ADD(vivid, dma_contig) {
	.allocator = 1, .kinds = { "contiguous", "noncontiguous" },
};

FIXTURE_SETUP(vivid)
{
	GstElementFactory *factory = gst_element_factory_find("v4l2sink");
	const char *missing;

	if (!factory)
		SKIP(return, "the GStreamer plugin video4linux2 is missing");
	gst_object_unref(factory);
	missing = vivid_load(variant->allocator, self->node,
			     sizeof(self->node));
	if (missing)
		SKIP(return, "%s", missing);
}

FIXTURE_TEARDOWN_PARENT(vivid)
{
	vivid_unload();
}

/*
 * Small, as a bounced buffer (swiotlb) is in one piece only up to 256 KiB, and
 * dma-contig needs one piece.
 */
#define VIVID_CAPS	"video/x-raw,format=YUY2,width=320,height=180," \
			"framerate=60/1"

static GstElement *vivid_pipeline(const char *kind, const char *node)
{
	return test_pipeline(
		"kind=%s num-buffers=%d ! " VIVID_CAPS
		" ! tee name=t ! queue max-size-buffers=2"
		" ! v4l2sink name=output device=%s io-mode=dmabuf-import"
		" sync=false t. ! queue max-size-buffers=2"
		" ! appsink name=sink sync=false",
		kind, FRAMES, node);
}

/*
 * The same buffers go to the device and to us: that the device has shown them
 * is told by its count, what is in them by their trailers.
 */
static void check_shared(struct __test_metadata *_metadata,
			 GstElement *pipeline)
{
	struct fpgabuf_trailer trailer;
	struct test_error error;
	GstBuffer *buffer;
	uint64_t inode;

	for (int i = 0; i < FRAMES; i++) {
		buffer = test_pull(pipeline, SOON);
		if (!buffer) {
			error = test_error(pipeline, 0);
			TH_LOG("frame %d: %s (%s)", i, error.text, error.debug);
			test_error_free(&error);
		}
		ASSERT_NE(NULL, buffer);
		ASSERT_EQ(0, frame_verify(buffer, &trailer));
		EXPECT_EQ(0, frame_dmabuf(buffer, &inode));
		EXPECT_EQ(GST_BUFFER_OFFSET(buffer), trailer.sequence);
		gst_buffer_unref(buffer);
	}
}

TEST_F_TIMEOUT(vivid, v4l2sink, 60)
{
	for (int i = 0; i < 4 && variant->kinds[i]; i++) {
		GstElement *pipeline = vivid_pipeline(variant->kinds[i],
						      self->node);
		GstElement *output = test_get(pipeline, "output");
		GstMessage *message;

		ASSERT_TRUE(test_play(pipeline));
		check_shared(_metadata, pipeline);
		message = test_message(pipeline, GST_MESSAGE_EOS, SOON);
		ASSERT_NE(NULL, message);
		gst_message_unref(message);

		EXPECT_EQ(FRAMES, sink_count(output, "rendered"));
		EXPECT_EQ(0, sink_count(output, "dropped"));
		EXPECT_EQ(0, test_copied_bytes(pipeline));
		EXPECT_TRUE(test_free(pipeline));
	}
}

/* Another program, by a socket; that both ends are here makes no difference */

FIXTURE(unixfd) {
	char *dir;
	GstElement *sender;
	GstElement *receiver;
};

FIXTURE_SETUP(unixfd)
{
	GstElementFactory *factory = gst_element_factory_find("unixfdsink");
	char *receiver;

	if (!factory)
		SKIP(return, "no unixfdsink, which came with GStreamer 1.24");
	gst_object_unref(factory);
	self->dir = g_dir_make_tmp("unixfd.XXXXXX", NULL);
	ASSERT_NE(NULL, self->dir);

	self->sender = test_pipeline("! video/x-raw,format=YUY2," SMALL
				     ",framerate=100/1 ! tee name=t"
				     " ! queue ! unixfdsink socket-path=%s/s"
				     " sync=false t. ! queue"
				     " ! appsink name=sink sync=false"
				     " max-buffers=2 drop=true", self->dir);
	ASSERT_TRUE(test_play(self->sender));
	receiver = g_strdup_printf("unixfdsrc socket-path=%s/s"
				   " ! appsink name=sink sync=false"
				   " max-buffers=2 drop=true", self->dir);
	self->receiver = gst_parse_launch(receiver, NULL);
	g_free(receiver);
}

FIXTURE_TEARDOWN(unixfd)
{
	char *path;

	if (!self->sender)
		return;
	EXPECT_TRUE(test_free(self->receiver));
	EXPECT_TRUE(test_free(self->sender));
	path = g_strdup_printf("%s/s", self->dir);
	unlink(path);
	rmdir(self->dir);
	g_free(path);
	g_free(self->dir);
}

/* Frames that the receiver takes */
#define RECEIVED	30

TEST_F(unixfd, receive)
{
	GstBuffer *buffer = test_pull(self->sender, SOON);
	uint64_t sent[RECEIVED], inode;
	struct fpgabuf_trailer trailer;
	uint64_t last = 0;
	bool known = false;

	ASSERT_NE(NULL, buffer);
	gst_buffer_unref(buffer);
	ASSERT_TRUE(test_play(self->receiver));
	for (int i = 0; i < RECEIVED; i++) {
		buffer = test_pull(self->receiver, SOON);
		ASSERT_NE(NULL, buffer);
		ASSERT_EQ(0, frame_verify(buffer,
					  &trailer));
		EXPECT_EQ(0, frame_dmabuf(buffer,
					  &sent[i]));
		if (i)
			EXPECT_LT(last, trailer.sequence);
		last = trailer.sequence;
		gst_buffer_unref(buffer);
	}

	/*
	 * They are the very dma-bufs that the sender has. Which of them its sink
	 * sees is chance, since it drops frames when it is slow.
	 */
	for (int i = 0; i < 100 && !known; i++) {
		buffer = test_pull(self->sender, SOON);
		ASSERT_NE(NULL, buffer);
		EXPECT_EQ(0, frame_dmabuf(buffer,
					  &inode));
		gst_buffer_unref(buffer);
		for (int j = 0; j < RECEIVED; j++)
			known = known || inode == sent[j];
	}
	EXPECT_TRUE(known);
}

TEST_GSTREAMER_MAIN
