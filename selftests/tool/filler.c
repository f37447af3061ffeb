// SPDX-License-Identifier: GPL-2.0
/*
 * A process with dma-bufs that have bytes: those that the variable FPGABUF_FD
 * names, see fpgabuf-alloc. Says their numbers when all are filled, and ends with
 * its standard input.
 *
 * Usage: filler [keep]: "keep" goes on changing the eight bytes from 64 on, and
 * heeds nobody's fences.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CHANGING	64

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void bracket(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_WRITE | flags };

	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync))
		die("DMA_BUF_IOCTL_SYNC");
}

static uint32_t *fill(int fd, uint32_t seed)
{
	const off_t size = lseek(fd, 0, SEEK_END);
	uint32_t *words;
	off_t i;

	words = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (size < 0 || words == MAP_FAILED)
		die("mmap");
	bracket(fd, DMA_BUF_SYNC_START);
	for (i = 0; i < size / 4; i++) {
		seed = seed * 1664525 + 1013904223;
		words[i] = seed;
	}
	bracket(fd, DMA_BUF_SYNC_END);

	return words;
}

int main(int argc, char **argv)
{
	const bool keep = argc > 1 && !strcmp(argv[1], "keep");
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	const char *numbers = getenv("FPGABUF_FD");
	uint32_t *words = NULL;
	char *next;
	int fd = -1;

	if (!numbers) {
		fputs("FPGABUF_FD is not set\n", stderr);
		return 1;
	}
	for (next = (char *)numbers; *next;) {
		fd = strtol(next, &next, 10);
		words = fill(fd, fd);
	}
	puts(numbers);
	fflush(stdout);

	while (!poll(&in, 1, keep ? 1 : -1))
		++*(volatile uint64_t *)(words + CHANGING / 4);

	return 0;
}
