// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a pipeline and checks every frame that reaches its appsink named
 * "verify": is it the dma-buf that the FPGA wrote, whole, and next in order?
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib-unix.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

#include "frame_check.h"
#include "frame_png.h"

#define SHOWN_ERRORS	10

struct options {
	unsigned int frames;
	unsigned int timeout;
	const char *png;
	unsigned int png_frame;
	bool quiet;
};

/* Filled by the appsink's thread, read elsewhere: all under the lock. */
struct result {
	GMutex lock;
	uint64_t frames;
	uint64_t bytes;
	uint64_t lost;
	uint64_t wrong;
	uint64_t reordered;
	uint64_t not_dmabuf;
	uint32_t run;
	uint64_t run_offset;
	uint64_t expected;
	gint64 first_us;
	gint64 last_us;
	GHashTable *dmabufs;
	GstBuffer *picture;
	GstCaps *caps;
};

struct verify {
	struct options options;
	struct result result;
	GstElement *pipeline;
	GstElement *src;
	GMainLoop *loop;
	uint64_t qos_messages;
	bool failed;
	int interrupts;
};

/* Frames */

static const char *verify_text(int error)
{
	switch (-error) {
	case EMSGSIZE:
		return "its length is wrong";
	case EBADMSG:
		return "it has no trailer";
	case EILSEQ:
		return "its CRC-32C is wrong";
	case EIO:
		return "it cannot be mapped";
	default:
		return strerror(-error);
	}
}

G_GNUC_PRINTF(3, 4)
static void complain(struct result *result, uint64_t *count, const char *format,
		     ...)
{
	va_list args;

	(*count)++;
	if (result->wrong + result->reordered + result->not_dmabuf +
	    result->lost > SHOWN_ERRORS)
		return;
	fprintf(stderr, "fpgaverify: frame %" PRIu64 ": ", result->frames);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void check_memory(struct result *result, GstBuffer *buffer)
{
	uint64_t *inode = g_new(uint64_t, 1);

	if (frame_dmabuf(buffer, inode)) {
		complain(result, &result->not_dmabuf, "it is not one dma-buf");
		g_free(inode);
		return;
	}
	g_hash_table_add(result->dmabufs, inode);
}

static void check_number(struct result *result, uint64_t number,
			 uint64_t expected)
{
	if (number < expected)
		complain(result, &result->reordered,
			 "number %" PRIu64 " came in place of %" PRIu64,
			 number, expected);
	if (number <= expected)
		return;
	complain(result, &result->lost, "%" PRIu64 " lost before it",
		 number - expected);
	result->lost += number - expected - 1;
}

/* The FPGA numbers the frames of a run, fpgasrc those of all its runs. */
static void check_order(struct result *result, GstBuffer *buffer,
			const struct fpgabuf_trailer *trailer)
{
	uint64_t offset = GST_BUFFER_OFFSET(buffer);
	bool first = !result->frames;

	if (first || trailer->run != result->run) {
		result->run = trailer->run;
		result->run_offset = first ? 0 : offset - trailer->sequence;
		result->expected = 0;
	}
	check_number(result, trailer->sequence, result->expected);
	result->expected = trailer->sequence + 1;
	if (offset != result->run_offset + trailer->sequence)
		complain(result, &result->wrong,
			 "its offset is %" PRIu64 ", its number %" PRIu64,
			 offset, (uint64_t)trailer->sequence);
}

static void check_frame(struct verify *verify, GstBuffer *buffer)
{
	struct result *result = &verify->result;
	struct fpgabuf_trailer trailer;
	int ret;

	check_memory(result, buffer);
	ret = frame_verify(buffer, &trailer);
	if (ret)
		complain(result, &result->wrong, "%s", verify_text(ret));
	else
		check_order(result, buffer, &trailer);
	if (verify->options.png && !result->picture &&
	    result->frames >= verify->options.png_frame)
		result->picture = frame_copy(buffer);

	result->last_us = g_get_monotonic_time();
	if (!result->frames)
		result->first_us = result->last_us;
	result->frames++;
	result->bytes += gst_buffer_get_size(buffer);
}

static GstFlowReturn new_sample(GstAppSink *sink, gpointer data)
{
	struct verify *verify = data;
	GstSample *sample = gst_app_sink_pull_sample(sink);

	if (!sample)
		return GST_FLOW_EOS;
	g_mutex_lock(&verify->result.lock);
	gst_caps_replace(&verify->result.caps, gst_sample_get_caps(sample));
	check_frame(verify, gst_sample_get_buffer(sample));
	g_mutex_unlock(&verify->result.lock);
	gst_sample_unref(sample);
	return GST_FLOW_OK;
}

/* The pipeline */

static GstElement *find_source(GstElement *pipeline)
{
	GstIterator *it = gst_bin_iterate_all_by_element_factory_name(
		GST_BIN(pipeline), "fpgasrc");
	GValue value = G_VALUE_INIT;
	GstElement *src = NULL;

	if (gst_iterator_next(it, &value) == GST_ITERATOR_OK) {
		src = g_value_dup_object(&value);
		g_value_unset(&value);
	}
	gst_iterator_free(it);
	return src;
}

static bool set_up_sink(struct verify *verify)
{
	GstAppSinkCallbacks callbacks = { .new_sample = new_sample };
	GstElement *sink = gst_bin_get_by_name(GST_BIN(verify->pipeline),
					       "verify");
	bool ok = sink && GST_IS_APP_SINK(sink);

	if (ok) {
		/* Frames are checked at once, and none is kept. */
		g_object_set(sink, "sync", FALSE, "enable-last-sample", FALSE,
			     NULL);
		gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks,
					   verify, NULL);
	} else {
		fputs("fpgaverify: the pipeline has no appsink named verify\n",
		      stderr);
	}
	gst_clear_object(&sink);
	return ok;
}

static bool set_up(struct verify *verify, const char **args)
{
	GError *error = NULL;

	/* a pipeline in one argument, or in many as gst-launch-1.0 has it */
	verify->pipeline = args[1] ? gst_parse_launchv(args, &error) :
			   gst_parse_launch(args[0], &error);
	if (error) {
		fprintf(stderr, "fpgaverify: %s\n", error->message);
		g_error_free(error);
		return false;
	}
	if (!GST_IS_PIPELINE(verify->pipeline) || !set_up_sink(verify))
		return false;
	verify->src = find_source(verify->pipeline);
	if (!verify->src) {
		fputs("fpgaverify: the pipeline has no fpgasrc\n", stderr);
		return false;
	}
	/* EOS after that many, so that every sink gets the same frames */
	if (verify->options.frames)
		g_object_set(verify->src, "num-buffers", verify->options.frames,
			     NULL);
	return true;
}

static void show_error(struct verify *verify, GstMessage *message)
{
	char *debug = NULL;
	GError *error;

	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		gst_message_parse_error(message, &error, &debug);
		verify->failed = true;
	} else {
		gst_message_parse_warning(message, &error, &debug);
	}
	fprintf(stderr, "fpgaverify: %s: %s\n", GST_MESSAGE_SRC_NAME(message),
		error->message);
	if (debug)
		fprintf(stderr, "fpgaverify: %s\n", debug);
	g_error_free(error);
	g_free(debug);
}

static void show_first_error(struct verify *verify, GstBus *bus)
{
	GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);

	verify->failed = true;
	if (message)
		show_error(verify, message);
	g_clear_pointer(&message, gst_message_unref);
}

static gboolean bus_message(GstBus *bus G_GNUC_UNUSED, GstMessage *message,
			    gpointer data)
{
	struct verify *verify = data;

	switch (GST_MESSAGE_TYPE(message)) {
	case GST_MESSAGE_EOS:
		g_main_loop_quit(verify->loop);
		break;
	case GST_MESSAGE_ERROR:
		show_error(verify, message);
		g_main_loop_quit(verify->loop);
		break;
	case GST_MESSAGE_WARNING:
		show_error(verify, message);
		break;
	case GST_MESSAGE_QOS:
		if (GST_MESSAGE_SRC(message) == GST_OBJECT(verify->src))
			verify->qos_messages++;
		break;
	case GST_MESSAGE_LATENCY:
		gst_bin_recalculate_latency(GST_BIN(verify->pipeline));
		break;
	default:
		break;
	}
	return G_SOURCE_CONTINUE;
}

static double rate(const struct result *result)
{
	gint64 us = result->last_us - result->first_us;

	return us > 0 ? (result->frames - 1) * 1e6 / us : 0;
}

static gboolean show_progress(gpointer data)
{
	struct verify *verify = data;
	struct result *result = &verify->result;

	g_mutex_lock(&result->lock);
	fprintf(stderr, "fpgaverify: %" PRIu64 " frames, %.1f/s, %" PRIu64
		" lost, %" PRIu64 " wrong, %" PRIu64 " reordered\n",
		result->frames, rate(result), result->lost,
		result->wrong + result->not_dmabuf, result->reordered);
	g_mutex_unlock(&result->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean timed_out(gpointer data)
{
	struct verify *verify = data;

	fprintf(stderr, "fpgaverify: not done after %u s\n",
		verify->options.timeout);
	verify->failed = true;
	g_main_loop_quit(verify->loop);
	return G_SOURCE_CONTINUE;
}

/* The first one ends the stream in order, the second one ends it at once. */
static gboolean interrupted(gpointer data)
{
	struct verify *verify = data;

	if (verify->interrupts++)
		g_main_loop_quit(verify->loop);
	else
		gst_element_send_event(verify->pipeline, gst_event_new_eos());
	return G_SOURCE_CONTINUE;
}

static void run(struct verify *verify)
{
	GstBus *bus = gst_element_get_bus(verify->pipeline);

	verify->loop = g_main_loop_new(NULL, FALSE);
	gst_bus_add_watch(bus, bus_message, verify);
	g_unix_signal_add(SIGINT, interrupted, verify);
	g_unix_signal_add(SIGTERM, interrupted, verify);
	if (verify->options.timeout)
		g_timeout_add_seconds(verify->options.timeout, timed_out,
				      verify);
	if (!verify->options.quiet)
		g_timeout_add_seconds(1, show_progress, verify);

	if (gst_element_set_state(verify->pipeline, GST_STATE_PLAYING) !=
	    GST_STATE_CHANGE_FAILURE)
		g_main_loop_run(verify->loop);
	else
		show_first_error(verify, bus);
	gst_bus_remove_watch(bus);
	gst_object_unref(bus);
}

/* The summary: lines of key=value */

static uint64_t get_count(const GstStructure *stats, const char *name)
{
	guint64 count64 = 0;
	guint count;

	if (gst_structure_get_uint(stats, name, &count))
		return count;
	gst_structure_get_uint64(stats, name, &count64);
	return count64;
}

/* What the other sinks showed: GstBaseSink counts it. */
static void print_sink(const GValue *value, gpointer data)
{
	GstElement *sink = g_value_get_object(value);
	uint64_t *rendered = data;
	GstStructure *stats;

	if (!strcmp(GST_OBJECT_NAME(sink), "verify") ||
	    !g_object_class_find_property(G_OBJECT_GET_CLASS(sink), "stats"))
		return;
	g_object_get(sink, "stats", &stats, NULL);
	printf("rendered.%s=%" PRIu64 "\n", GST_OBJECT_NAME(sink),
	       get_count(stats, "rendered"));
	printf("dropped.%s=%" PRIu64 "\n", GST_OBJECT_NAME(sink),
	       get_count(stats, "dropped"));
	*rendered += get_count(stats, "rendered");
	gst_structure_free(stats);
}

static void print_sinks(struct verify *verify)
{
	GstIterator *it = gst_bin_iterate_sinks(GST_BIN(verify->pipeline));
	uint64_t rendered = 0;

	gst_iterator_foreach(it, print_sink, &rendered);
	gst_iterator_free(it);
	printf("rendered=%" PRIu64 "\n", rendered);
}

static void print_source(struct verify *verify)
{
	static const char *const counts[] = {
		"frames", "lost", "corrupted", "errors", "buffers",
		"held-buffers",
	};
	GstStructure *stats;
	guint64 copied;
	char *device;

	g_object_get(verify->src, "stats", &stats, "copied-bytes", &copied,
		     "device", &device, NULL);
	printf("device=%s\n", device ? device : "");
	printf("copied_bytes=%" PRIu64 "\n", (uint64_t)copied);
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
		printf("src.%s=%" PRIu64 "\n", counts[i],
		       get_count(stats, counts[i]));
	printf("qos_messages=%" PRIu64 "\n", verify->qos_messages);
	gst_structure_free(stats);
	g_free(device);
}

static void print_frames(const struct result *result)
{
	char *caps = result->caps ? gst_caps_to_string(result->caps) : NULL;

	printf("frames=%" PRIu64 "\n", result->frames);
	printf("lost=%" PRIu64 "\n", result->lost);
	printf("wrong=%" PRIu64 "\n", result->wrong);
	printf("reordered=%" PRIu64 "\n", result->reordered);
	printf("not_dmabuf=%" PRIu64 "\n", result->not_dmabuf);
	printf("dmabufs=%u\n", g_hash_table_size(result->dmabufs));
	printf("bytes=%" PRIu64 "\n", result->bytes);
	printf("seconds=%.3f\n", (result->last_us - result->first_us) / 1e6);
	printf("rate=%.2f\n", rate(result));
	printf("caps=%s\n", caps ? caps : "");
	g_free(caps);
}

/* The dma-bufs go round: there are no more than fpgasrc has buffers. */
static bool is_good(struct verify *verify)
{
	const struct result *result = &verify->result;
	GstStructure *stats;
	uint64_t buffers;

	g_object_get(verify->src, "stats", &stats, NULL);
	buffers = get_count(stats, "buffers");
	gst_structure_free(stats);
	if (g_hash_table_size(result->dmabufs) > buffers) {
		fprintf(stderr, "fpgaverify: %u dma-bufs came out of %" PRIu64
			" buffers\n", g_hash_table_size(result->dmabufs),
			buffers);
		return false;
	}
	return !verify->failed && result->frames > 0 &&
	       result->frames >= verify->options.frames && !result->lost &&
	       !result->wrong && !result->reordered && !result->not_dmabuf;
}

static bool write_picture(struct verify *verify)
{
	GError *error = NULL;

	if (!verify->options.png)
		return true;
	if (!verify->result.picture) {
		fprintf(stderr, "fpgaverify: frame %u, for %s, never came\n",
			verify->options.png_frame, verify->options.png);
		return false;
	}
	if (!frame_write_png(verify->result.picture, verify->options.png,
			     &error)) {
		fprintf(stderr, "fpgaverify: %s: %s\n", verify->options.png,
			error->message);
		g_error_free(error);
		return false;
	}
	printf("png=%s\n", verify->options.png);
	return true;
}

/* The counts are read before the pipeline stops, which resets them. */
static bool summarize(struct verify *verify)
{
	bool good;

	g_mutex_lock(&verify->result.lock);
	print_frames(&verify->result);
	print_source(verify);
	print_sinks(verify);
	good = is_good(verify);
	g_mutex_unlock(&verify->result.lock);
	gst_element_set_state(verify->pipeline, GST_STATE_NULL);
	good &= write_picture(verify);
	printf("result=%s\n", good ? "good" : "bad");
	return good;
}

/* The command line */

static void usage(FILE *out)
{
	fputs("Usage: fpgaverify [OPTION]... PIPELINE\n"
	      "Runs PIPELINE, as of gst-launch-1.0, which has an fpgasrc and an\n"
	      "appsink named verify, and checks each frame that comes there.\n"
	      "\n"
	      "  -n, --frames N     end after N frames; fewer are a failure\n"
	      "  -t, --timeout S    give up after S seconds\n"
	      "  -p, --png FILE     write a frame as a picture\n"
	      "  -f, --png-frame N  which one, from 0 (0)\n"
	      "  -q, --quiet        no progress on stderr\n"
	      "  -h, --help\n"
	      "\n"
	      "The summary on stdout has lines of key=value. Exit status: 0: all\n"
	      "frames came, right and in order; 1: they did not; 2: usage.\n",
	      out);
}

static bool parse_number(const char *text, unsigned int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || !*text || *end || *text == '-' || value > G_MAXINT) {
		fprintf(stderr, "fpgaverify: not a number: %s\n", text);
		return false;
	}
	*number = value;
	return true;
}

/* Returns the exit status, or -1 to go on. */
static int parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "frames", required_argument, NULL, 'n' },
		{ "timeout", required_argument, NULL, 't' },
		{ "png", required_argument, NULL, 'p' },
		{ "png-frame", required_argument, NULL, 'f' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "+n:t:p:f:qh", longs,
				      NULL)) != -1) {
		switch (c) {
		case 'n':
			ok = parse_number(optarg, &options->frames);
			break;
		case 't':
			ok = parse_number(optarg, &options->timeout);
			break;
		case 'p':
			options->png = optarg;
			break;
		case 'f':
			ok = parse_number(optarg, &options->png_frame);
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			ok = false;
		}
	}
	if (ok && optind < argc)
		return -1;
	usage(stderr);
	return 2;
}

static void clean_up(struct verify *verify)
{
	gst_clear_object(&verify->src);
	gst_clear_object(&verify->pipeline);
	gst_clear_buffer(&verify->result.picture);
	gst_clear_caps(&verify->result.caps);
	g_hash_table_unref(verify->result.dmabufs);
	g_clear_pointer(&verify->loop, g_main_loop_unref);
	gst_deinit();
}

int main(int argc, char **argv)
{
	static struct verify verify;
	int status;

	status = parse(&verify.options, argc, argv);
	if (status >= 0)
		return status;
	gst_init(NULL, NULL);
	verify.result.dmabufs = g_hash_table_new_full(g_int64_hash,
						      g_int64_equal, g_free,
						      NULL);
	if (set_up(&verify, (const char **)argv + optind)) {
		run(&verify);
		status = summarize(&verify) ? 0 : 1;
	} else {
		status = 2;
	}
	clean_up(&verify);
	return status;
}
