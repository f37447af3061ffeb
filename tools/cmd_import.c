// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "device.h"
#include "importing.h"
#include "memory.h"
#include "message.h"
#include "parse.h"

struct import_options {
	const char *device;
	/* whose memory takes what the device reads */
	const char *channel;
	/* FPGABUF_IMPORT_MOVABLE, _PEER */
	uint32_t flags;
	bool segments;
};

static void print_help(void)
{
	puts("Usage: fpgabuf import [OPTION]... [PID FD [PID FD]]\n"
	     "Attaches an importing device to the dma-buf FD of a process,\n"
	     "whoever made it, tells in which pieces the device gets it, has the\n"
	     "device read all of it, and compares that with what the CPU reads.\n"
	     "With two dma-bufs, the device copies the first one to the second.\n"
	     "With none, tells what the device can do.\n"
	     "\n"
	     "Options:\n"
	     "  -c, --channel DEV    channel whose memory takes what is read (the\n"
	     "                       first)\n"
	     "  -d, --device DEV     node or number of the importing device (the\n"
	     "                       first)\n"
	     "  -m, --movable        the memory may be moved, or taken away\n"
	     "  -p, --peer           and it may be another device's\n"
	     "  -s, --segments       tell each of the pieces\n"
	     "  -h, --help           this text");
}

/* Memory of this process, for what the device reads of @buffer */
static bool alloc_copy(const char *name, const struct imported *buffer,
		       struct imported *copy)
{
	struct fpgabuf_channel *channel;
	uint32_t kind;
	int fd = -1;

	channel = open_channel(name);
	if (!channel)
		return false;
	if (choose_kind(channel, -1, &kind)) {
		fd = fpgabuf_channel_alloc(channel, buffer->attach.size, kind);
		if (fd < 0)
			complain_alloc(channel, fpgabuf_kind_name(kind),
				       buffer->attach.size, -fd);
	}
	fpgabuf_channel_close(channel);
	*copy = (struct imported){ .pid = getpid(), .number = fd };

	return fd >= 0;
}

static bool read_one(struct fpgabuf_importer *importer,
		     struct imported *buffer,
		     const struct import_options *options)
{
	struct imported copy;

	return import_buffer(importer, buffer, FPGABUF_IMPORT_READ,
			     options->flags) &&
	       print_imported(importer, buffer, options->segments) &&
	       alloc_copy(options->channel, buffer, &copy) &&
	       import_buffer(importer, &copy, FPGABUF_IMPORT_WRITE, 0) &&
	       import_copy(importer, buffer, &copy) &&
	       compare_with_cpu(buffer, &copy);
}

static bool copy_one(struct fpgabuf_importer *importer,
		     struct imported buffers[2],
		     const struct import_options *options)
{
	if (!import_buffer(importer, &buffers[0], FPGABUF_IMPORT_READ,
			   options->flags) ||
	    !import_buffer(importer, &buffers[1], FPGABUF_IMPORT_WRITE,
			   options->flags) ||
	    !print_imported(importer, &buffers[0], options->segments))
		return false;
	putchar('\n');
	if (!print_imported(importer, &buffers[1], options->segments))
		return false;
	if (buffers[1].attach.size < buffers[0].attach.size) {
		complain("file descriptor %d of process %d: is too small for the other one",
			 buffers[1].number, buffers[1].pid);
		return false;
	}
	putchar('\n');

	return import_copy(importer, &buffers[0], &buffers[1]);
}

/* What is attached, and open, goes with the process. */
static int import(struct imported *buffers, int count,
		  const struct import_options *options)
{
	struct fpgabuf_importer *importer;
	bool good = true;

	importer = open_importer(options->device);
	if (!importer)
		return STATUS_FAILURE;

	if (!count)
		print_importer(importer);
	else if (count == 1)
		good = read_one(importer, buffers, options);
	else
		good = copy_one(importer, buffers, options);
	fpgabuf_importer_close(importer);

	return good ? STATUS_OK : STATUS_FAILURE;
}

static int parse_and_import(const struct import_options *options, int argc,
			    char **argv)
{
	struct imported buffers[2];
	uint64_t pid;
	int i;

	if (argc > 4)
		return usage_error("import", "unexpected argument '%s'",
				   argv[4]);
	if (argc % 2)
		return usage_error("import", "process %s: the number of a file descriptor is missing",
				   argv[argc - 1]);
	for (i = 0; i < argc / 2; i++) {
		if (!parse_count(argv[2 * i], INT_MAX, &pid))
			return usage_error("import", "'%s' is not the number of a process",
					   argv[2 * i]);
		if (!parse_fd(argv[2 * i + 1], &buffers[i].number))
			return usage_error("import", "'%s' is not a file descriptor",
					   argv[2 * i + 1]);
		buffers[i].pid = pid;
	}

	return import(buffers, argc / 2, options);
}

static bool set_option(int option, struct import_options *options)
{
	switch (option) {
	case 'c':
		options->channel = optarg;
		return true;
	case 'd':
		options->device = optarg;
		return true;
	case 'm':
		options->flags |= FPGABUF_IMPORT_MOVABLE;
		return true;
	case 'p':
		options->flags |= FPGABUF_IMPORT_MOVABLE | FPGABUF_IMPORT_PEER;
		return true;
	case 's':
		options->segments = true;
		return true;
	default:
		return false;
	}
}

int cmd_import(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "channel", required_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'd' },
		{ "movable", no_argument, NULL, 'm' },
		{ "peer", no_argument, NULL, 'p' },
		{ "segments", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct import_options options = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "c:d:mpsh", long_options,
				     NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return STATUS_OK;
		}
		if (!set_option(option, &options))
			return usage_hint("import");
	}

	return parse_and_import(&options, argc - optind, argv + optind);
}
