/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of fpgasrc share: GStreamer without a registry, pipelines with
 * an appsink at the end, waiting for messages with a limit.
 */
#ifndef GST_TEST_H
#define GST_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <gst/gst.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "frame_check.h"

/* Bounds for what happens at once unless something hangs; emulation is slow. */
#define SOON		(10 * GST_SECOND)

/* Small frames: what is tested does not depend on the size. */
#define SMALL		"width=64,height=48"
/* A frame as soon as there is a buffer: nothing is lost, no time is spent. */
#define UNTHROTTLED	"framerate=0/1"

/* Loads the plugins in use; elements of a missing one are just not there. */
void test_init(int *argc, char ***argv);

/*
 * NULL: go on. Else the reason for which nothing can be tested; *@ours: it is one
 * that comes with this tree, which is there in a lane (FPGABUF_REQUIRED).
 */
const char *test_missing(bool *ours);

/* FPGABUF_DEVICE of the environment, or the first channel. */
const char *test_device(void);

/* A pipeline that begins with "fpgasrc name=src device=..." */
GstElement *test_pipeline(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Stops and frees; false when it did not stop. */
bool test_free(GstElement *pipeline);

GstElement *test_get(GstElement *pipeline, const char *name);

bool test_play(GstElement *pipeline);

/* The next frame of the appsink named "sink"; NULL after @timeout or at EOS. */
GstBuffer *test_pull(GstElement *pipeline, GstClockTime timeout);

/* What that appsink negotiated. */
bool test_video_info(GstElement *pipeline, GstVideoInfo *info);

/* The next message of @types; NULL after @timeout. */
GstMessage *test_message(GstElement *pipeline, GstMessageType types,
			 GstClockTime timeout);

/*
 * The next error: its domain, code and text (user text, then debug text).
 * Without one code is -1. Freed by test_error_free().
 */
struct test_error {
	GQuark domain;
	int code;
	char *text;
	char *debug;
};

struct test_error test_error(GstElement *pipeline, GstClockTime timeout);
void test_error_free(struct test_error *error);

/* A count of fpgasrc's stats. */
uint64_t test_stat(GstElement *pipeline, const char *name);
uint64_t test_copied_bytes(GstElement *pipeline);

/* The driver's time stamp of a frame. */
GstClockTime test_captured(GstBuffer *buffer);

/* The sink's pad answers the ALLOCATION query with GstVideoMeta. */
void test_accept_video_meta(GstElement *pipeline);

GstClockTime test_monotonic(void);

/* Open files of this process. */
unsigned int test_count_fds(void);

/* In place of TEST_HARNESS_MAIN; GStreamer is set up before the tests fork. */
#define TEST_GSTREAMER_MAIN \
	int main(int argc, char **argv) \
	{ \
		const char *missing; \
		bool ours; \
\
		test_init(&argc, &argv); \
		missing = test_missing(&ours); \
		if (missing && ours && getenv("FPGABUF_REQUIRED")) { \
			ksft_print_header(); \
			ksft_exit_fail_msg("%s\n", missing); \
		} \
		if (missing) \
			ksft_exit_skip("%s\n", missing); \
		return test_harness_run(argc, argv); \
	}

#endif
