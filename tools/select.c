// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "select.h"
#include "text.h"

/* Return: 0, or -ENOENT when the channel has no such format. */
static int find_desc(struct fpgabuf_channel *channel, uint32_t type,
		     uint32_t fourcc, struct fpgabuf_format_desc *desc)
{
	uint32_t index;
	int ret;

	for (index = 0; ; index++) {
		ret = fpgabuf_channel_enum_format(channel, index, desc);
		if (ret < 0)
			return ret;
		if (desc->type == type && desc->fourcc == fourcc)
			return 0;
	}
}

static void complain_unsupported(struct fpgabuf_channel *channel,
				 const char *wanted)
{
	struct fpgabuf_format_desc desc;
	char *formats = NULL;
	size_t size = 0;
	struct text text;
	uint32_t index;
	FILE *list;

	list = open_memstream(&formats, &size);
	if (!list) {
		complain("%s: %m", fpgabuf_channel_path(channel));
		return;
	}
	for (index = 0; !fpgabuf_channel_enum_format(channel, index, &desc);
	     index++)
		fprintf(list, "%s%s", index ? ", " : "",
			desc_text(&text, &desc));
	fclose(list);

	complain("%s: format %s is not supported; the channel has: %s",
		 fpgabuf_channel_path(channel), wanted, formats ?: "");
	free(formats);
}

/* "64 bytes to 64 MiB in steps of 4", "16x1 to 8192x8192 in steps of 2x1" */
static const char *range_text(struct text *text,
			      const struct fpgabuf_format_desc *desc)
{
	struct text min, max;

	if (desc->type == FPGABUF_FORMAT_VIDEO)
		snprintf(text->s, sizeof(text->s),
			 "%ux%u to %ux%u in steps of %ux%u", desc->min_width,
			 desc->min_height, desc->max_width, desc->max_height,
			 desc->step_width, desc->step_height);
	else
		snprintf(text->s, sizeof(text->s),
			 "%.32s to %.32s in steps of %u",
			 bytes_text(&min, desc->min_size),
			 bytes_text(&max, desc->max_size), desc->step_size);

	return text->s;
}

static void complain_range(struct fpgabuf_channel *channel,
			   const struct fpgabuf_format *format)
{
	const char *path = fpgabuf_channel_path(channel);
	const bool unthrottled = fpgabuf_channel_info(channel)->capabilities &
				 FPGABUF_CAP_UNTHROTTLED;
	struct text shape, rate, range, max, low, high;
	struct fpgabuf_format_desc desc;

	format_text(&shape, format);
	rate_text(&rate, &format->rate);
	if (find_desc(channel, format->type, format->fourcc, &desc) < 0) {
		complain("%s: %s at %s is out of range", path, shape.s, rate.s);
		return;
	}

	complain("%s: %s at %s is out of range: it can do %s, up to %s a frame, %s to %s%s",
		 path, shape.s, rate.s, range_text(&range, &desc),
		 bytes_text(&max, desc.max_size),
		 rate_text(&low, &desc.min_rate),
		 rate_text(&high, &desc.max_rate), unthrottled ? " or max" : "");
}

static void complain_set(struct fpgabuf_channel *channel,
			 const struct fpgabuf_format *format, int error)
{
	const char *path = fpgabuf_channel_path(channel);
	struct text text;

	switch (error) {
	case EBUSY:
		complain("%s: is busy: another program owns the channel", path);
		break;
	case EOPNOTSUPP:
		complain_unsupported(channel, format_text(&text, format));
		break;
	case ERANGE:
		complain_range(channel, format);
		break;
	default:
		complain("%s: format %s: %s", path, format_text(&text, format),
			 strerror(error));
	}
}

/* Another format than the default one: nothing of the default is kept. */
static bool change_format(struct fpgabuf_channel *channel,
			  const struct format_request *request,
			  struct fpgabuf_format *format)
{
	const struct fpgabuf_format old = *format;
	struct fpgabuf_format_desc desc;
	struct text text;
	int ret;

	ret = find_desc(channel, request->type, request->fourcc, &desc);
	if (ret < 0) {
		complain_unsupported(channel, request->fourcc ?
				     fourcc_text(&text, request->fourcc) :
				     "raw");
		return false;
	}

	*format = (struct fpgabuf_format) {
		.type = desc.type,
		.fourcc = desc.fourcc,
		.modifier = desc.modifier,
	};
	/* A picture of another format can still be of the same size. */
	if (desc.type == FPGABUF_FORMAT_VIDEO) {
		format->width = old.width;
		format->height = old.height;
	}

	return true;
}

static void change_size(const struct format_request *request,
			struct fpgabuf_format *format)
{
	if (request->width) {
		format->width = request->width;
		format->height = request->height;
		memset(format->pitches, 0, sizeof(format->pitches));
		memset(format->offsets, 0, sizeof(format->offsets));
		format->size = 0;
	}
	if (request->bytes)
		format->size = request->bytes;
	if (request->packets)
		format->flags = FPGABUF_FORMAT_PACKETS;
	if (request->rate.denominator)
		format->rate = request->rate;
}

static bool is_complete(const char *path, const struct fpgabuf_format *format)
{
	if (format->type == FPGABUF_FORMAT_RAW && !format->size)
		complain("%s: raw frames need --bytes here", path);
	else if (format->type == FPGABUF_FORMAT_VIDEO && !format->width)
		complain("%s: pictures need --size here", path);
	else
		return true;

	return false;
}

static bool fits_type(const char *path, const struct format_request *request,
		      const struct fpgabuf_format *format)
{
	if (!request->width || format->type == FPGABUF_FORMAT_VIDEO)
		return true;
	complain("%s: its default format is no picture: --size needs --format",
		 path);

	return false;
}

bool select_format(struct fpgabuf_channel *channel,
		   const struct format_request *request,
		   struct fpgabuf_format *format)
{
	const char *path = fpgabuf_channel_path(channel);
	struct fpgabuf_format wanted;
	int ret;

	ret = fpgabuf_channel_get_format(channel, &wanted);
	if (ret < 0) {
		complain("%s: %s", path, strerror(-ret));
		return false;
	}

	if (request->type && (request->type != wanted.type ||
			      request->fourcc != wanted.fourcc) &&
	    !change_format(channel, request, &wanted))
		return false;
	if (!fits_type(path, request, &wanted))
		return false;
	change_size(request, &wanted);
	if (!is_complete(path, &wanted))
		return false;

	*format = wanted;
	ret = fpgabuf_channel_set_format(channel, format);
	if (ret < 0)
		complain_set(channel, &wanted, -ret);

	return ret >= 0;
}
