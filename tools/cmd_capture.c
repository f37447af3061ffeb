// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "command.h"
#include "message.h"
#include "parse.h"

static void print_help(void)
{
	puts("Usage: fpgabuf capture [OPTION]...\n"
	     "Takes frames from a channel, until as many are there as asked for\n"
	     "or Ctrl-C is pressed, and tells how many came and how fast.\n"
	     "\n"
	     "Options:\n"
	     "  -d, --device DEV     node or number of the channel (the first)\n"
	     "  -f, --format FORMAT  raw, or a DRM fourcc: YUYV, XR24 (the\n"
	     "                       channel's default)\n"
	     "  -s, --size WxH       size of a picture in pixels\n"
	     "  -b, --bytes N        size of a raw frame; K, M and G may follow\n"
	     "  -p, --packets        raw frames of any length up to that\n"
	     "  -r, --rate N[/D]     frames per second, or 'max': as fast as\n"
	     "                       buffers are there\n"
	     "  -n, --frames N       stop after so many (at Ctrl-C)\n"
	     "  -B, --buffers N      buffers to use (8)\n"
	     "  -k, --kind KIND      memory: coherent, contiguous, noncontiguous,\n"
	     "                       region, system or writecombine\n"
	     "  -H, --register-heap PATH\n"
	     "                       memory of a dma-heap, in place of --kind\n"
	     "  -v, --verify         check each frame's order and contents; a\n"
	     "                       lost, wrong or reordered one is a failure\n"
	     "  -o, --output FILE    write the frames there; - is standard\n"
	     "                       output\n"
	     "  -D, --direct FILE    the disk writes the frames there from the\n"
	     "                       memory that the FPGA writes, with no copy\n"
	     "  -t, --timeout S      give up when no frame comes for S seconds\n"
	     "  -q, --quiet          tell failures only\n"
	     "  -h, --help           this text");
}

static bool parse_format(const char *text, struct format_request *format)
{
	if (!strcmp(text, "raw")) {
		format->type = FPGABUF_FORMAT_RAW;
		format->fourcc = 0;
		return true;
	}
	format->type = FPGABUF_FORMAT_VIDEO;

	return parse_fourcc(text, &format->fourcc);
}

static bool parse_buffers(const char *text, struct pool_request *pool)
{
	uint64_t count;

	if (!parse_count(text, POOL_MAX, &count))
		return false;
	pool->count = count;

	return true;
}

static bool parse_kind(const char *text, struct pool_request *pool)
{
	pool->kind = fpgabuf_kind_from_name(text);

	/* These two are not made by size. */
	return pool->kind >= 0 && pool->kind != FPGABUF_KIND_USER &&
	       pool->kind != FPGABUF_KIND_POOL;
}

/* Options whose value must be understood. */
static bool parse_value(int option, const char *value,
			struct capture_options *options)
{
	struct format_request *format = &options->format;

	switch (option) {
	case 'f':
		return parse_format(value, format);
	case 's':
		return parse_size(value, &format->width, &format->height);
	case 'b':
		return parse_bytes(value, &format->bytes);
	case 'r':
		return parse_rate(value, &format->rate);
	case 'n':
		return parse_count(value, UINT64_MAX, &options->frames);
	case 'B':
		return parse_buffers(value, &options->pool);
	case 'k':
		return parse_kind(value, &options->pool);
	default:
		return parse_seconds(value, &options->timeout);
	}
}

/* Return: whether @option is one that takes anything, or nothing. */
static bool set_option(int option, const char *value,
		       struct capture_options *options)
{
	switch (option) {
	case 'd':
		options->device = value;
		return true;
	case 'H':
		options->pool.heap = value;
		return true;
	case 'o':
		options->output = value;
		return true;
	case 'D':
		options->direct = value;
		return true;
	case 'p':
		options->format.packets = true;
		return true;
	case 'v':
		options->verify = true;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	default:
		return false;
	}
}

/* What contradicts itself whatever the channel is. */
static int check_options(struct capture_options *options)
{
	struct format_request *format = &options->format;

	if (options->pool.heap && options->pool.kind >= 0)
		return usage_error("capture", "--kind and --register-heap exclude each other");
	if (options->direct && options->output)
		return usage_error("capture", "--direct and --output exclude each other");
	if (options->direct && (options->pool.heap || options->pool.kind >= 0))
		return usage_error("capture", "--direct has memory of its own: no --kind, no --register-heap");
	if (format->bytes && format->width)
		return usage_error("capture", "--bytes and --size exclude each other");
	if (format->bytes && format->type == FPGABUF_FORMAT_VIDEO)
		return usage_error("capture", "--bytes is for raw frames");
	if (format->packets &&
	    (format->width || format->type == FPGABUF_FORMAT_VIDEO))
		return usage_error("capture", "--packets is for raw frames");
	if (format->packets && options->direct)
		return usage_error("capture", "--direct is for frames of one size: no --packets");
	if (format->width && format->type == FPGABUF_FORMAT_RAW)
		return usage_error("capture", "--size is for pictures");
	if (format->bytes || format->packets)
		format->type = FPGABUF_FORMAT_RAW;

	return STATUS_OK;
}

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "format", required_argument, NULL, 'f' },
	{ "size", required_argument, NULL, 's' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "packets", no_argument, NULL, 'p' },
	{ "rate", required_argument, NULL, 'r' },
	{ "frames", required_argument, NULL, 'n' },
	{ "buffers", required_argument, NULL, 'B' },
	{ "kind", required_argument, NULL, 'k' },
	{ "register-heap", required_argument, NULL, 'H' },
	{ "verify", no_argument, NULL, 'v' },
	{ "output", required_argument, NULL, 'o' },
	{ "direct", required_argument, NULL, 'D' },
	{ "timeout", required_argument, NULL, 't' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const char *option_name(int option)
{
	const struct option *o = long_options;

	while (o->val != option)
		o++;

	return o->name;
}

int cmd_capture(int argc, char **argv)
{
	struct capture_options options = { .pool.kind = -1 };
	int option, status;

	while ((option = getopt_long(argc, argv, "d:f:s:b:pr:n:B:k:H:vo:D:t:qh",
				     long_options, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return STATUS_OK;
		}
		if (option == '?')
			return usage_hint("capture");
		if (set_option(option, optarg, &options))
			continue;
		if (!parse_value(option, optarg, &options))
			return usage_error("capture", "--%s: '%s' is not valid",
					   option_name(option), optarg);
	}
	if (optind < argc)
		return usage_error("capture", "unexpected argument '%s'",
				   argv[optind]);

	status = check_options(&options);

	return status == STATUS_OK ? capture(&options) : status;
}
