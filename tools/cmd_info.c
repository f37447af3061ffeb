// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "device.h"
#include "message.h"
#include "text.h"

static void print_help(void)
{
	puts("Usage: fpgabuf info [DEVICE]\n"
	     "Tells what a channel can do: its limits, kinds of memory, and\n"
	     "formats. DEVICE is a node, as in /dev/fpgabuf1, or only its\n"
	     "number; without it, the first channel.\n"
	     "\n"
	     "Options:\n"
	     "  -h, --help     this text");
}

static void print_capabilities(uint32_t capabilities)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ FPGABUF_CAP_SCATTER, "scatter" },
		{ FPGABUF_CAP_TRAILER, "trailer" },
		{ FPGABUF_CAP_LOSS, "loss" },
		{ FPGABUF_CAP_UNTHROTTLED, "unthrottled" },
		{ FPGABUF_CAP_FENCES, "fences" },
		{ FPGABUF_CAP_LINES, "lines" },
		{ FPGABUF_CAP_RING, "ring" },
	};
	size_t i;

	printf("Capabilities:  ");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (capabilities & names[i].flag)
			printf(" %s", names[i].name);
		capabilities &= ~names[i].flag;
	}
	if (capabilities)
		printf(" 0x%x", capabilities);
	putchar('\n');
}

static void print_kinds(uint32_t kinds)
{
	const char *name;
	uint32_t kind;

	printf("Memory kinds:  ");
	for (kind = 0; kind < 32; kind++) {
		if (!(kinds & 1U << kind))
			continue;
		name = fpgabuf_kind_name(kind);
		if (name)
			printf(" %s", name);
		else
			printf(" %u", kind);
	}
	putchar('\n');
}

static void print_info(const char *path, const struct fpgabuf_info *info)
{
	struct text text;

	printf("Device:         %s\n", path);
	printf("Name:           %s\n", (const char *)info->name);
	printf("Driver:         %s\n", (const char *)info->driver);
	printf("DMA device:     %s\n", (const char *)info->bus);
	printf("ABI version:    %u\n", info->abi_version);
	printf("Direction:      %s\n", direction_text(info->direction));
	print_capabilities(info->capabilities);
	print_kinds(info->kinds);
	printf("Buffer slots:   %u\n", info->num_slots);
	printf("Queue depth:    %u\n", info->queue_depth);
	printf("Alignment:      %s\n", bytes_text(&text, info->alignment));
	printf("Longest piece:  %s\n", bytes_text(&text, info->max_segment));
	printf("DMA mask:       0x%" PRIx64 "\n", (uint64_t)info->dma_mask);
	printf("Timeout:        %u ms a frame, while somebody waits for a fence\n",
	       info->timeout_ms);
}

static void print_default(const struct fpgabuf_format *format)
{
	struct text shape, rate, size;
	uint32_t plane;

	printf("Default format: %s at %s, %s a frame", format_text(&shape, format),
	       rate_text(&rate, &format->rate),
	       bytes_text(&size, format->size));
	for (plane = 0; plane < format->num_planes &&
	     plane < FPGABUF_MAX_PLANES; plane++)
		printf(", pitch %u bytes", format->pitches[plane]);
	putchar('\n');
}

static void print_video(const struct fpgabuf_format_desc *desc)
{
	struct text text;

	printf("    width:      %u to %u pixels, in steps of %u\n",
	       desc->min_width, desc->max_width, desc->step_width);
	printf("    height:     %u to %u lines, in steps of %u\n",
	       desc->min_height, desc->max_height, desc->step_height);
	printf("    pitch:      in steps of %u bytes\n", desc->stride_align);
	printf("    modifier:   %s\n", modifier_text(&text, desc->modifier));
	printf("    frame size: up to %s\n", bytes_text(&text, desc->max_size));
}

static void print_raw(const struct fpgabuf_format_desc *desc)
{
	struct text min, max;

	printf("    frame size: %s to %s, in steps of %u bytes\n",
	       bytes_text(&min, desc->min_size),
	       bytes_text(&max, desc->max_size), desc->step_size);
}

static void print_desc(const struct fpgabuf_format_desc *desc)
{
	struct text text, max;

	printf("  %s\n", desc_text(&text, desc));
	if (desc->type == FPGABUF_FORMAT_VIDEO)
		print_video(desc);
	else
		print_raw(desc);
	printf("    rate:       %s to %s\n", rate_text(&text, &desc->min_rate),
	       rate_text(&max, &desc->max_rate));
}

static int print_formats(struct fpgabuf_channel *channel)
{
	struct fpgabuf_format_desc desc;
	uint32_t index;
	int ret;

	puts("Formats:");
	for (index = 0; ; index++) {
		ret = fpgabuf_channel_enum_format(channel, index, &desc);
		if (ret < 0)
			return ret == -ENOENT ? 0 : ret;
		print_desc(&desc);
	}
}

static int print_all(struct fpgabuf_channel *channel)
{
	struct fpgabuf_format format;
	int ret;

	ret = fpgabuf_channel_get_format(channel, &format);
	if (ret < 0)
		return ret;

	print_info(fpgabuf_channel_path(channel),
		   fpgabuf_channel_info(channel));
	print_default(&format);

	return print_formats(channel);
}

static int info(const char *name)
{
	struct fpgabuf_channel *channel;
	int ret;

	channel = open_channel(name);
	if (!channel)
		return STATUS_FAILURE;

	ret = print_all(channel);
	if (ret < 0)
		complain("%s: %s", fpgabuf_channel_path(channel),
			 strerror(-ret));
	fpgabuf_channel_close(channel);

	return ret < 0 ? STATUS_FAILURE : STATUS_OK;
}

int cmd_info(int argc, char **argv)
{
	return run_on_device(argc, argv, "info", print_help, info);
}
