// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "message.h"

void complain_no_channel(void)
{
	complain("no channel here: load your board's driver, or 'modprobe fpgabuf_sim' for a simulated FPGA");
}

static char *node_path(const char *name)
{
	char *path;
	int ret;

	if (strchr(name, '/'))
		ret = asprintf(&path, "%s", name);
	else if (name[strspn(name, "0123456789")])
		ret = asprintf(&path, "/dev/%s", name);
	else
		ret = asprintf(&path, "/dev/fpgabuf%s", name);

	return ret < 0 ? NULL : path;
}

static void complain_open(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		complain("%s: no such device; 'fpgabuf list' shows those that there are", path);
		break;
	case ENOTTY:
		complain("%s: is not an fpgabuf channel", path);
		break;
	case EPROTO:
		complain("%s: its driver speaks another version of the ABI than this program (%d)",
			 path, FPGABUF_ABI_VERSION);
		break;
	default:
		complain("%s: %s", path, strerror(error));
	}
}

struct fpgabuf_channel *open_channel(const char *name)
{
	struct fpgabuf_channel *channel = NULL;
	char *path = NULL;
	int ret;

	if (name) {
		path = node_path(name);
		if (!path) {
			complain("%s: %m", name);
			return NULL;
		}
	}

	ret = fpgabuf_channel_open(path, &channel);
	if (ret == -ENOENT && !path)
		complain_no_channel();
	else if (ret < 0)
		complain_open(path ?: "the first channel", -ret);
	free(path);

	return ret < 0 ? NULL : channel;
}

int run_on_device(int argc, char **argv, const char *command,
		  void (*print_help)(void), int (*run)(const char *device))
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
		return usage_hint(command);
	}
	if (argc - optind > 1)
		return usage_error(command, "one device at a time");

	/* NULL, which argv ends with, is the first channel. */
	return run(argv[optind]);
}
