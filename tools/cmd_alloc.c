// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "inspection.h"
#include "memory.h"
#include "message.h"
#include "parse.h"

/* Where a command finds the numbers of its file descriptors */
#define VARIABLE	"FPGABUF_FD"

/* A process may not have more files, unless it is told so. */
#define MAX_COUNT	1024

struct alloc_options {
	const char *device;
	uint64_t size;
	uint64_t count;
	/* enum fpgabuf_kind, -1: the one that suits the channel's engine */
	int kind;
	bool quiet;
	/* NULL-terminated; the first one is NULL when there is none */
	char **command;
};

static void print_help(void)
{
	puts("Usage: fpgabuf alloc [OPTION]... --size N [--] [COMMAND [ARG]...]\n"
	     "Allocates dma-bufs for a channel's engine, tells what they are,\n"
	     "and runs COMMAND with them: the variable " VARIABLE " has the\n"
	     "numbers of their file descriptors, with blanks between them.\n"
	     "Without COMMAND they are given back at once.\n"
	     "\n"
	     "Options:\n"
	     "  -d, --device DEV     node or number of the channel (the first)\n"
	     "  -k, --kind KIND      memory: coherent, contiguous, noncontiguous,\n"
	     "                       region, system or writecombine\n"
	     "  -s, --size N         bytes of a buffer; K, M and G may follow\n"
	     "  -n, --count N        buffers to allocate (1)\n"
	     "  -q, --quiet          do not tell what they are\n"
	     "  -h, --help           this text");
}

static int alloc_one(struct fpgabuf_channel *channel, uint32_t kind,
		     const struct alloc_options *options)
{
	int fd;

	fd = fpgabuf_channel_alloc(channel, options->size, kind);
	if (fd < 0)
		complain_alloc(channel, fpgabuf_kind_name(kind), options->size,
			       -fd);

	return fd;
}

static bool alloc_all(struct fpgabuf_channel *channel, int *fds,
		      const struct alloc_options *options)
{
	uint32_t kind;
	uint64_t i;

	if (!choose_kind(channel, options->kind, &kind))
		return false;

	for (i = 0; i < options->count; i++) {
		fds[i] = alloc_one(channel, kind, options);
		if (fds[i] < 0)
			return false;
	}
	for (i = 0; i < options->count && !options->quiet; i++) {
		if (i)
			putchar('\n');
		if (!print_inspection(channel, fds[i], getpid(), fds[i]))
			return false;
	}

	return true;
}

/* The command inherits them, and learns their numbers. */
static bool hand_over(const int *fds, uint64_t count)
{
	char numbers[MAX_COUNT * 12], *p = numbers;
	uint64_t i;

	for (i = 0; i < count; i++) {
		if (fcntl(fds[i], F_SETFD, 0))
			return false;
		p += sprintf(p, "%s%d", i ? " " : "", fds[i]);
	}

	return !setenv(VARIABLE, numbers, 1);
}

static int run(char **command, const int *fds, uint64_t count)
{
	int error;

	if (fflush(stdout)) {
		complain("standard output: %m");
		return STATUS_FAILURE;
	}
	if (!hand_over(fds, count)) {
		complain("handing the buffers over: %m");
		return STATUS_FAILURE;
	}

	execvp(command[0], command);
	error = errno;
	complain("%s: %m", command[0]);

	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

/* The buffers go with the process, this one or what it becomes. */
static int alloc(const struct alloc_options *options)
{
	struct fpgabuf_channel *channel;
	int fds[MAX_COUNT];
	bool good;

	channel = open_channel(options->device);
	if (!channel)
		return STATUS_FAILURE;
	good = alloc_all(channel, fds, options);
	fpgabuf_channel_close(channel);
	if (!good)
		return STATUS_FAILURE;

	return *options->command ? run(options->command, fds, options->count) :
				   STATUS_OK;
}

static bool parse_kind(const char *text, int *kind)
{
	*kind = fpgabuf_kind_from_name(text);

	/* These two are not made by size. */
	return *kind >= 0 && *kind != FPGABUF_KIND_USER &&
	       *kind != FPGABUF_KIND_POOL;
}

static bool set_option(int option, const char *value,
		       struct alloc_options *options)
{
	switch (option) {
	case 'd':
		options->device = value;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	case 'k':
		return parse_kind(value, &options->kind);
	case 's':
		return parse_bytes(value, &options->size);
	default:
		return parse_count(value, MAX_COUNT, &options->count);
	}
}

int cmd_alloc(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "kind", required_argument, NULL, 'k' },
		{ "size", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'n' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct alloc_options options = { .kind = -1, .count = 1 };
	int option;

	/* "+": what follows the command belongs to the command. */
	while ((option = getopt_long(argc, argv, "+d:k:s:n:qh", long_options,
				     NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return STATUS_OK;
		}
		if (option == '?')
			return usage_hint("alloc");
		if (!set_option(option, optarg, &options))
			return usage_error("alloc", "-%c: '%s' is not valid",
					   option, optarg);
	}
	if (!options.size)
		return usage_error("alloc", "--size is missing");
	options.command = argv + optind;

	return alloc(&options);
}
