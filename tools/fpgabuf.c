// SPDX-License-Identifier: GPL-2.0
/* fpgabuf: look at, and use, the channels of libfpgabuf from a shell. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "message.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "list", cmd_list, "the channels of this machine" },
	{ "info", cmd_info, "what a channel can do" },
	{ "alloc", cmd_alloc, "memory for a channel, and for a program" },
	{ "inspect", cmd_inspect, "what the buffers of a process are" },
	{ "import", cmd_import, "what another device gets of a buffer, and copies" },
	{ "capture", cmd_capture, "take frames from a channel" },
	{ "stats", cmd_stats, "what a channel has done" },
};

#define NUM_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	size_t i;

	puts("Usage: fpgabuf COMMAND [OPTION]...\n"
	     "Frames between an FPGA and memory, shared as dma-bufs.\n"
	     "\n"
	     "Commands:");
	for (i = 0; i < NUM_COMMANDS; i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].help);
	puts("\n"
	     "Options:\n"
	     "  -h, --help     this text; after a command, that of the command\n"
	     "      --version  the version\n"
	     "\n"
	     "The exit status is 0 when all went well, 1 on a failure, and\n"
	     "2 when the command line is wrong.");
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NUM_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];

	return NULL;
}

static int run_command(int argc, char **argv, char *program)
{
	const struct command *command;

	if (!argc)
		return usage_error(NULL, "a command is missing");

	command = find_command(argv[0]);
	if (!command)
		return usage_error(NULL, "there is no command '%s'", argv[0]);

	/* getopt starts anew; its messages begin with the first argument. */
	argv[0] = program;
	optind = 0;

	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ }
	};
	int status;

	/* "+": what follows the command belongs to the command. */
	switch (getopt_long(argc, argv, "+h", options, NULL)) {
	case -1:
		status = run_command(argc - optind, argv + optind, argv[0]);
		break;
	case 'h':
		print_help();
		status = STATUS_OK;
		break;
	case 'V':
		puts("fpgabuf " VERSION);
		status = STATUS_OK;
		break;
	default:
		status = usage_hint(NULL);
	}

	/* A full disk or a closed pipe shows here, if anywhere. */
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output: %m");
		status = STATUS_FAILURE;
	}

	return status;
}
