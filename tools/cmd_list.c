// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "device.h"
#include "message.h"
#include "text.h"

static void print_help(void)
{
	puts("Usage: fpgabuf list\n"
	     "Lists the channels: device node, name, direction, default format\n"
	     "and frame rate.\n"
	     "\n"
	     "Options:\n"
	     "  -h, --help     this text");
}

static int print_channel(const char *path)
{
	struct fpgabuf_channel *channel;
	const struct fpgabuf_info *info;
	struct fpgabuf_format format;
	struct text shape, rate;
	int ret;

	channel = open_channel(path);
	if (!channel)
		return STATUS_FAILURE;

	ret = fpgabuf_channel_get_format(channel, &format);
	if (ret < 0) {
		complain("%s: %s", path, strerror(-ret));
	} else {
		info = fpgabuf_channel_info(channel);
		printf("%-15s %-20s %-8s %-18s %s\n", path,
		       (const char *)info->name,
		       direction_text(info->direction),
		       format_text(&shape, &format),
		       rate_text(&rate, &format.rate));
	}
	fpgabuf_channel_close(channel);

	return ret < 0 ? STATUS_FAILURE : STATUS_OK;
}

static int list(void)
{
	int ret, i, status = STATUS_OK;
	char **paths;

	ret = fpgabuf_list(&paths);
	if (ret < 0) {
		complain("the list of channels: %s", strerror(-ret));
		return STATUS_FAILURE;
	}

	if (ret == 0) {
		complain_no_channel();
		status = STATUS_FAILURE;
	}
	for (i = 0; i < ret; i++)
		if (print_channel(paths[i]) != STATUS_OK)
			status = STATUS_FAILURE;
	fpgabuf_list_free(paths);

	return status;
}

int cmd_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ }
	};

	switch (getopt_long(argc, argv, "h", options, NULL)) {
	case -1:
		break;
	case 'h':
		print_help();
		return STATUS_OK;
	default:
		return usage_hint("list");
	}
	if (optind < argc)
		return usage_error("list", "unexpected argument '%s'",
				   argv[optind]);

	return list();
}
