// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "inspection.h"
#include "message.h"
#include "parse.h"
#include "process.h"

static void print_help(void)
{
	puts("Usage: fpgabuf inspect [OPTION]... PID [FD]\n"
	     "Tells what the dma-buf FD of a process is, whoever made it, as a\n"
	     "channel's engine sees it; without FD, all those that it has open.\n"
	     "\n"
	     "Options:\n"
	     "  -d, --device DEV     node or number of the channel (the first)\n"
	     "  -h, --help           this text");
}

static bool inspect_one(struct fpgabuf_channel *channel,
			const struct process *process, int number)
{
	bool good;
	int fd;

	fd = process_get_fd(process, number);
	if (fd < 0)
		return false;
	good = print_inspection(channel, fd, process->pid, number);
	close(fd);

	return good;
}

static bool inspect_all(struct fpgabuf_channel *channel,
			const struct process *process)
{
	ssize_t count, i;
	bool good = true;
	int *fds;

	count = process_dmabufs(process, &fds);
	if (count == 0)
		complain("process %d: has no dma-buf open", process->pid);
	for (i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		good = inspect_one(channel, process, fds[i]) && good;
	}
	free(fds);

	return count > 0 && good;
}

/* @fd: -1 for all */
static int inspect(const char *device, pid_t pid, int fd)
{
	struct fpgabuf_channel *channel;
	struct process process;
	bool good = false;

	channel = open_channel(device);
	if (!channel)
		return STATUS_FAILURE;

	if (process_open(&process, pid)) {
		good = fd < 0 ? inspect_all(channel, &process) :
				inspect_one(channel, &process, fd);
		process_close(&process);
	}
	fpgabuf_channel_close(channel);

	return good ? STATUS_OK : STATUS_FAILURE;
}

static int parse_and_inspect(const char *device, int argc, char **argv)
{
	uint64_t pid;
	int fd = -1;

	if (argc < 1)
		return usage_error("inspect", "the number of a process is missing");
	if (argc > 2)
		return usage_error("inspect", "unexpected argument '%s'",
				   argv[2]);
	if (!parse_count(argv[0], INT_MAX, &pid))
		return usage_error("inspect", "'%s' is not the number of a process",
				   argv[0]);
	if (argc > 1 && !parse_fd(argv[1], &fd))
		return usage_error("inspect", "'%s' is not a file descriptor",
				   argv[1]);

	return inspect(device, pid, fd);
}

int cmd_inspect(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *device = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "d:h", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			device = optarg;
			break;
		case 'h':
			print_help();
			return STATUS_OK;
		default:
			return usage_hint("inspect");
		}
	}

	return parse_and_inspect(device, argc - optind, argv + optind);
}
