// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inspection.h"
#include "message.h"
#include "process.h"
#include "text.h"

static void print_memory(const struct fpgabuf_inspect *inspect)
{
	const char *kind = fpgabuf_kind_name(inspect->kind);
	struct text text;

	if (inspect->kind == FPGABUF_KIND_FOREIGN)
		puts("Kind:           foreign");
	else if (kind)
		printf("Kind:           %s\n", kind);
	else
		printf("Kind:           %u\n", inspect->kind);
	printf("Size:           %s\n", bytes_text(&text, inspect->size));
	printf("Memory pieces:  %s\n", inspect->cpu_segments ?
	       pieces_text(&text, inspect->cpu_segments, inspect->cpu_largest) :
	       "only its exporter knows");
}

static void print_device(const struct fpgabuf_inspect *inspect,
			 const struct fpgabuf_info *info)
{
	struct text text;

	printf("DMA device:     %s\n", (const char *)info->bus);
	if (inspect->status) {
		printf("Device pieces:  none: it cannot have the buffer: %s\n",
		       strerror(-inspect->status));
		return;
	}
	printf("Device pieces:  %s\n",
	       pieces_text(&text, inspect->dma_segments, inspect->dma_largest));
	printf("Coherent:       %s\n",
	       inspect->traits & FPGABUF_INSPECT_NEEDS_SYNC ?
	       "no, caches or bounce buffers are to be synchronised" : "yes");
}

static void print_use(const struct fpgabuf_inspect *inspect,
		      char *const *names)
{
	printf("Registered:     %s\n",
	       inspect->traits & FPGABUF_INSPECT_REGISTERED ? "yes" : "no");
	printf("Busy:           %s\n",
	       inspect->traits & FPGABUF_INSPECT_BUSY ?
	       "yes, a fence has not signalled" : "no");
	printf("Attached:      ");
	if (!*names)
		printf(" none");
	for (; *names; names++)
		printf(" %s", *names);
	putchar('\n');
}

bool print_inspection(struct fpgabuf_channel *channel, int fd, pid_t pid,
		      int number)
{
	struct fpgabuf_inspect inspect;
	char exporter[64];
	char **names;
	int ret;

	if (!dmabuf_exporter(fd, exporter, sizeof(exporter))) {
		complain("file descriptor %d of process %d: is not a dma-buf",
			 number, pid);
		return false;
	}
	ret = fpgabuf_channel_inspect(channel, fd, &inspect, &names);
	if (ret < 0) {
		complain("%s: file descriptor %d of process %d: %s",
			 fpgabuf_channel_path(channel), number, pid,
			 ret == -ENOTTY ? "its driver is too old to be asked" :
			 strerror(-ret));
		return false;
	}

	printf("Buffer:         file descriptor %d of process %d\n", number,
	       pid);
	printf("Exporter:       %s\n", exporter);
	print_memory(&inspect);
	print_device(&inspect, fpgabuf_channel_info(channel));
	print_use(&inspect, names);
	fpgabuf_list_free(names);

	return true;
}
