// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "device.h"
#include "message.h"
#include "text.h"

/* As in Documentation/ABI/testing-sysfs-class-fpgabuf */
static const struct counter {
	const char *file;
	const char *text;
} counters[] = {
	{ "frames", "Frames:" },
	{ "bytes", "Bytes:" },
	{ "lost", "Lost:" },
	{ "errors", "Errors:" },
	{ "timeouts", "Timed out:" },
	{ "canceled", "Canceled:" },
	{ "stray", "Stray:" },
};

#define NUM_COUNTERS	(sizeof(counters) / sizeof(counters[0]))

static void print_help(void)
{
	puts("Usage: fpgabuf stats [DEVICE]\n"
	     "Shows what a channel does now, and what it has done since its\n"
	     "board's driver registered it.\n"
	     "DEVICE is a path, a name or a number; the first one if not given.\n"
	     "\n"
	     "Options:\n"
	     "  -h, --help     this text");
}

static const char *state_text(uint32_t state)
{
	if (state & FPGABUF_STATE_QUARANTINE)
		return "in quarantine: its engine does not stop";
	return state & FPGABUF_STATE_STREAMING ? "streaming" : "stopped";
}

static bool read_counter(const char *path, const char *name,
			 unsigned long long *value)
{
	struct text file;
	FILE *f;
	int got;

	snprintf(file.s, sizeof(file.s), "/sys/class/fpgabuf/%s/statistics/%s",
		 strrchr(path, '/') + 1, name);
	f = fopen(file.s, "re");
	if (!f) {
		complain("%s: %m", file.s);
		return false;
	}
	got = fscanf(f, "%llu", value);
	fclose(f);
	if (got != 1)
		complain("%s: no number", file.s);
	return got == 1;
}

static int print_counters(const char *path)
{
	unsigned long long value;
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++) {
		if (!read_counter(path, counters[i].file, &value))
			return STATUS_FAILURE;
		printf("%-15s %llu\n", counters[i].text, value);
	}

	return STATUS_OK;
}

static int stats(const char *name)
{
	struct fpgabuf_channel *channel;
	int status;

	channel = open_channel(name);
	if (!channel)
		return STATUS_FAILURE;

	printf("%-15s %s\n", "Device:", fpgabuf_channel_path(channel));
	printf("%-15s %s\n", "State:",
	       state_text(fpgabuf_channel_info(channel)->state));
	status = print_counters(fpgabuf_channel_path(channel));
	fpgabuf_channel_close(channel);

	return status;
}

int cmd_stats(int argc, char **argv)
{
	return run_on_device(argc, argv, "stats", print_help, stats);
}
