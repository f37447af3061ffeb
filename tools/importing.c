// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/dma-buf.h>

#include "importing.h"
#include "message.h"
#include "process.h"
#include "text.h"

static const char *state_text(uint32_t state)
{
	return state & FPGABUF_STATE_QUARANTINE ?
		"in quarantine: its engine does not stop" : "ready";
}

void print_importer(const struct fpgabuf_importer *importer)
{
	const struct fpgabuf_import_info *info = fpgabuf_importer_info(importer);
	struct text text;

	printf("Device:         %s\n", fpgabuf_importer_path(importer));
	printf("Name:           %s\n", (const char *)info->name);
	printf("Driver:         %s\n", (const char *)info->driver);
	printf("DMA device:     %s\n", (const char *)info->bus);
	printf("State:          %s\n", state_text(info->state));
	printf("Buffer slots:   %u\n", info->num_slots);
	printf("Queue depth:    %u\n", info->queue_depth);
	printf("Alignment:      %s\n", bytes_text(&text, info->alignment));
	printf("Longest piece:  %s\n", bytes_text(&text, info->max_segment));
	printf("DMA mask:       0x%" PRIx64 "\n", (uint64_t)info->dma_mask);
	printf("Timeout:        %u ms a piece\n", info->timeout_ms);
}

/* ---- the buffer of a process ---- */

static void complain_buffer(const struct imported *buffer, const char *what)
{
	complain("file descriptor %d of process %d: %s", buffer->number,
		 buffer->pid, what);
}

static int get_file(const struct imported *buffer)
{
	struct process process;
	int fd;

	if (!process_open(&process, buffer->pid))
		return -1;
	fd = process_get_fd(&process, buffer->number);
	process_close(&process);

	return fd;
}

/* What the kernel says, where a user can know more from that. */
static const char *attach_error(const struct imported *buffer, int error)
{
	switch (error) {
	case EACCES:
		return buffer->attach.access & FPGABUF_IMPORT_WRITE ?
			"is not open for writing" : "is not open for reading";
	case EEXIST:
		return "is the same buffer as the other one";
	case ENXIO:
		return "the device does not reach all of its memory";
	case EINVAL:
		return "is not aligned as the device needs it";
	default:
		return strerror(error);
	}
}

bool import_buffer(struct fpgabuf_importer *importer, struct imported *buffer,
		   uint32_t access, uint32_t flags)
{
	char exporter[64];
	int ret;

	buffer->fd = get_file(buffer);
	if (buffer->fd < 0)
		return false;
	if (!dmabuf_exporter(buffer->fd, exporter, sizeof(exporter))) {
		complain_buffer(buffer, "is not a dma-buf");
		return false;
	}

	buffer->attach = (struct fpgabuf_import_attach){
		.fd = buffer->fd,
		.access = access,
		.flags = flags,
	};
	ret = fpgabuf_importer_attach(importer, &buffer->attach);
	if (ret < 0)
		complain_buffer(buffer, attach_error(buffer, -ret));

	return ret >= 0;
}

/* ---- the pieces ---- */

static void print_pieces(const struct fpgabuf_import_segment *segments,
			 uint32_t count)
{
	struct text length, alignment;
	uint32_t i;

	for (i = 0; i < count; i++) {
		printf("  %6u: %s", i, bytes_text(&length, segments[i].length));
		if (segments[i].alignment)
			printf(", aligned to %s", bytes_text(&alignment,
							     segments[i].alignment));
		putchar('\n');
	}
}

static uint64_t longest(const struct fpgabuf_import_segment *segments,
			uint32_t count)
{
	uint64_t max = 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (segments[i].length > max)
			max = segments[i].length;

	return max;
}

bool print_imported(struct fpgabuf_importer *importer,
		    const struct imported *buffer, bool pieces)
{
	struct fpgabuf_import_segment *segments;
	uint32_t count = buffer->attach.segments;
	char exporter[64] = "";
	struct text text;
	int ret;

	segments = calloc(count, sizeof(*segments));
	if (!segments) {
		complain("%m");
		return false;
	}
	ret = fpgabuf_importer_segments(importer, buffer->attach.slot, segments,
					count);
	if (ret < 0) {
		complain_buffer(buffer, strerror(-ret));
		free(segments);
		return false;
	}
	/* Memory that may move may have moved since. */
	if ((uint32_t)ret < count)
		count = ret;

	dmabuf_exporter(buffer->fd, exporter, sizeof(exporter));
	printf("Buffer:         file descriptor %d of process %d\n",
	       buffer->number, buffer->pid);
	printf("Exporter:       %s\n", exporter);
	printf("Size:           %s\n", bytes_text(&text, buffer->attach.size));
	printf("Device pieces:  %s\n",
	       pieces_text(&text, ret, longest(segments, count)));
	if (pieces)
		print_pieces(segments, count);
	free(segments);

	return true;
}

/* ---- copies ---- */

static const char *copy_error(int error)
{
	switch (error) {
	case EIO:
		return "the engine failed";
	case ETIMEDOUT:
		return "the engine took too long";
	case ENODEV:
		return "the buffer, or the device, is gone";
	default:
		return strerror(error);
	}
}

static double milliseconds(const struct timespec *from,
			   const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1e3 +
		(to->tv_nsec - from->tv_nsec) / 1e6;
}

bool import_copy(struct fpgabuf_importer *importer, const struct imported *from,
		 const struct imported *to)
{
	struct fpgabuf_import_copy copy = {
		.length = from->attach.size,
		.src = from->attach.slot,
		.dst = to->attach.slot,
	};
	struct fpgabuf_import_done done = { 0 };
	struct timespec begin, end;
	struct text text;
	double ms;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	ret = fpgabuf_importer_exchange(importer, &copy, 1, &done, 1, 1, -1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (ret < 0 || done.status) {
		complain_buffer(from, copy_error(ret < 0 ? -ret : -done.status));
		return false;
	}

	ms = milliseconds(&begin, &end);
	printf("Copied:         %s in %.3f ms, %.0f MB/s\n",
	       bytes_text(&text, from->attach.size), ms,
	       from->attach.size / ms / 1e3);

	return true;
}

/* ---- the CPU's view ---- */

static bool map_for_cpu(const struct imported *buffer, struct fpgabuf_map *map)
{
	int ret;

	ret = fpgabuf_map(buffer->fd, PROT_READ, map);
	if (ret < 0)
		goto err;
	ret = fpgabuf_map_begin(map, DMA_BUF_SYNC_READ);
	if (ret < 0)
		goto err_unmap;

	return true;

err_unmap:
	fpgabuf_unmap(map);
err:
	printf("CPU:            cannot read it: %s\n", strerror(-ret));

	return false;
}

static void unmap_for_cpu(struct fpgabuf_map *map)
{
	fpgabuf_map_end(map, DMA_BUF_SYNC_READ);
	fpgabuf_unmap(map);
}

/* @size: there is none. Looked at once: the bytes may change, and change back. */
static size_t first_difference(const uint8_t *one, const uint8_t *other,
			       size_t size)
{
	size_t i = 0;

	while (i < size && one[i] == other[i])
		i++;

	return i;
}

/* Of what was read, both ways; whether it is the same. */
static bool compare(const struct fpgabuf_map *cpu,
		    const struct fpgabuf_map *device, size_t size)
{
	const size_t differ = first_difference(cpu->addr, device->addr, size);

	printf("CRC-32C:        0x%08x, ",
	       fpgabuf_crc32c(0, device->addr, size));
	if (differ == size) {
		puts("the same for the CPU");
		return true;
	}
	printf("for the CPU 0x%08x\n", fpgabuf_crc32c(0, cpu->addr, size));
	complain("the device and the CPU read different bytes, from byte %zu on: is the buffer written meanwhile, or a cache not synchronised?",
		 differ);

	return false;
}

bool compare_with_cpu(const struct imported *buffer,
		      const struct imported *copy)
{
	struct fpgabuf_map cpu, device;
	bool same = false;

	/* Memory that is for devices only is no failure. */
	if (!map_for_cpu(buffer, &cpu))
		return true;
	if (map_for_cpu(copy, &device)) {
		same = compare(&cpu, &device, buffer->attach.size);
		unmap_for_cpu(&device);
	}
	unmap_for_cpu(&cpu);

	return same;
}
