// SPDX-License-Identifier: GPL-2.0
/*
 * Opening heaps and allocating from them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "heaps_test.h"

void heap_path(char *path, size_t len, __u32 kind)
{
	snprintf(path, len, "%s/fpgabuf-%s-%s", HEAPS, DEVICE,
		 kind_names[kind]);
}

int heap_open(__u32 kind)
{
	char path[96];
	int fd;

	heap_path(path, sizeof(path), kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int heap_get_flags(int heap, __u64 len, __u32 fd_flags)
{
	struct dma_heap_allocation_data data = {
		.len = len,
		.fd_flags = fd_flags,
	};
	int ret = fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);

	return ret < 0 ? ret : (int)data.fd;
}

int heap_get(int heap, __u64 len)
{
	return heap_get_flags(heap, len, O_RDWR | O_CLOEXEC);
}

bool heaps_stay(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/dma_heap/fpgabuf-%s-%s",
		 DEVICE, kind_names[0]);
	return !access(path, F_OK);
}
