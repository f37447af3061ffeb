// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "message.h"

/* What there is of devices */
struct family {
	const char *what;
	/* a node's path without its number */
	const char *prefix;
	const char *list;
};

static const struct family channels = {
	.what = "channel",
	.prefix = "/dev/fpgabuf",
	.list = "fpgabuf list",
};

static const struct family importers = {
	.what = "importing device",
	.prefix = "/dev/fpgabuf_import",
	.list = "ls /dev/fpgabuf_import*",
};

static void complain_none(const struct family *family)
{
	complain("no %s here: load your board's driver, or 'modprobe fpgabuf_sim' for a simulated FPGA",
		 family->what);
}

void complain_no_channel(void)
{
	complain_none(&channels);
}

static char *node_path(const struct family *family, const char *name)
{
	char *path;
	int ret;

	if (strchr(name, '/'))
		ret = asprintf(&path, "%s", name);
	else if (name[strspn(name, "0123456789")])
		ret = asprintf(&path, "/dev/%s", name);
	else
		ret = asprintf(&path, "%s%s", family->prefix, name);

	return ret < 0 ? NULL : path;
}

/* *@path: NULL without a @name, which is the first device. */
static bool make_path(const struct family *family, const char *name,
		      char **path)
{
	*path = NULL;
	if (!name)
		return true;
	*path = node_path(family, name);
	if (!*path)
		complain("%s: %m", name);

	return *path;
}

/* @path: NULL for the first one */
static void complain_open(const struct family *family, const char *path,
			  int error)
{
	char first[64];

	if (error == ENOENT && !path) {
		complain_none(family);
		return;
	}
	if (!path) {
		snprintf(first, sizeof(first), "the first %s", family->what);
		path = first;
	}

	switch (error) {
	case ENOENT:
		complain("%s: no such device; '%s' shows those that there are",
			 path, family->list);
		break;
	case EBUSY:
		complain("%s: is busy: another program has it", path);
		break;
	case ENOTTY:
		complain("%s: is not an fpgabuf %s", path, family->what);
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
	char *path;
	int ret;

	if (!make_path(&channels, name, &path))
		return NULL;
	ret = fpgabuf_channel_open(path, &channel);
	if (ret < 0)
		complain_open(&channels, path, -ret);
	free(path);

	return ret < 0 ? NULL : channel;
}

struct fpgabuf_importer *open_importer(const char *name)
{
	struct fpgabuf_importer *importer = NULL;
	char *path;
	int ret;

	if (!make_path(&importers, name, &path))
		return NULL;
	ret = fpgabuf_importer_open(path, &importer);
	if (ret < 0)
		complain_open(&importers, path, -ret);
	free(path);

	return ret < 0 ? NULL : importer;
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
