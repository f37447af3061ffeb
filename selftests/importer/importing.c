// SPDX-License-Identifier: GPL-2.0
/*
 * An importing device, see importer_test.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "importer_test.h"

int import_open(int flags)
{
	int fd = open("/dev/fpgabuf_import0", flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int import_info(int dev, struct fpgabuf_import_info *info)
{
	return fpga_ioctl(dev, FPGABUF_IMPORT_IOC_INFO, info);
}

int import_attach(int dev, int fd, __u32 access)
{
	struct fpgabuf_import_attach arg = { .fd = fd, .access = access };
	int ret = fpga_ioctl(dev, FPGABUF_IMPORT_IOC_ATTACH, &arg);

	return ret < 0 ? ret : (int)arg.slot;
}

int import_detach(int dev, __u32 slot)
{
	struct fpgabuf_import_detach arg = { .slot = slot };

	return fpga_ioctl(dev, FPGABUF_IMPORT_IOC_DETACH, &arg);
}

int import_segments(int dev, __u32 slot, struct fpgabuf_import_segment *to,
		    __u32 *count)
{
	struct fpgabuf_import_segments arg = {
		.segments = (uintptr_t)to,
		.slot = slot,
		.count = *count,
	};
	int ret = fpga_ioctl(dev, FPGABUF_IMPORT_IOC_SEGMENTS, &arg);

	*count = arg.count;
	return ret;
}

int import_queue(int dev, struct fpgabuf_import_copy *copies, __u32 num)
{
	struct fpgabuf_import_exchange x = {
		.copies = (uintptr_t)copies,
		.copy_count = num,
	};

	return fpga_ioctl(dev, FPGABUF_IMPORT_IOC_EXCHANGE, &x);
}

int import_take(int dev, struct fpgabuf_import_done *done, __u32 max,
		__u32 min, __s64 timeout)
{
	struct fpgabuf_import_exchange x = {
		.done = (uintptr_t)done,
		.done_count = max,
		.min_done = min,
		.timeout = timeout,
	};
	int ret = fpga_ioctl(dev, FPGABUF_IMPORT_IOC_EXCHANGE, &x);

	return ret < 0 ? ret : (int)x.done_count;
}

int import_copy(int dev, __u32 src, __u32 dst, __u64 length)
{
	struct fpgabuf_import_copy copy = {
		.src = src,
		.dst = dst,
		.length = length,
	};
	struct fpgabuf_import_done done;
	int ret = import_queue(dev, &copy, 1);

	if (ret)
		return ret;
	ret = import_take(dev, &done, 1, 1, 10 * SEC);
	if (ret != 1)
		return ret < 0 ? ret : -ENODATA;
	return done.status;
}

int origin_alloc(enum origin origin, int ch, size_t size, struct buffer *b)
{
	static const __u32 kinds[] = {
		[ORIGIN_COHERENT]	= FPGABUF_KIND_COHERENT,
		[ORIGIN_WRITECOMBINE]	= FPGABUF_KIND_WRITECOMBINE,
		[ORIGIN_CONTIGUOUS]	= FPGABUF_KIND_CONTIGUOUS,
		[ORIGIN_NONCONTIGUOUS]	= FPGABUF_KIND_NONCONTIGUOUS,
		[ORIGIN_SYSTEM]		= FPGABUF_KIND_SYSTEM,
		[ORIGIN_USER]		= FPGABUF_KIND_USER,
		[ORIGIN_POOL]		= FPGABUF_KIND_POOL,
	};
	int fd;

	switch (origin) {
	case ORIGIN_VGEM:
		fd = vgem_memory(size);
		break;
	case ORIGIN_UDMABUF:
		fd = udmabuf_alloc(size);
		break;
	case ORIGIN_HEAP:
		fd = heap_alloc(size);
		break;
	default:
		return buffer_alloc(ch, size, kinds[origin], b);
	}
	return fd < 0 ? fd : buffer_from_fd(fd, b);
}

bool origin_syncs(enum origin origin)
{
	return origin != ORIGIN_VGEM && origin != ORIGIN_UDMABUF;
}

/*
 * The kernel's heap syncs for whatever the CPU does, in which direction the
 * buffer may have been mapped or not, as the DMA-API debugger says.
 */
__u32 origin_access(enum origin origin)
{
	return origin == ORIGIN_HEAP ? IMPORT_BOTH : 0;
}

/* A period that no page, block or piece has */
#define PERIOD	4099

/* What all memory is filled with: so much of it that there is any part at once. */
static const __u8 *pattern_at(size_t i)
{
	static __u8 pattern[2 * PERIOD];
	size_t n;

	for (n = pattern[1] ? PERIOD : 0; n < PERIOD; n++) {
		pattern[n] = n * 2654435761U >> 24;
		pattern[PERIOD + n] = pattern[n];
	}
	return pattern + i % PERIOD;
}

static size_t chunk_of(size_t begin, size_t end)
{
	return end - begin < PERIOD ? end - begin : PERIOD;
}

void buffer_fill(const struct buffer *b, __u32 seed)
{
	size_t i, len;

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	for (i = 0; i < b->size; i += len) {
		len = chunk_of(i, b->size);
		memcpy((__u8 *)b->map + i, pattern_at(seed + i), len);
	}
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static int differs_from(const __u8 *bytes, __u32 seed, size_t begin,
			size_t end, size_t from)
{
	size_t i, len;

	for (i = begin; i < end; i += len) {
		const __u8 *right = pattern_at(seed + from + i - begin);

		len = chunk_of(i, end);
		if (!memcmp(bytes + i, right, len))
			continue;
		while (bytes[i] == *right++)
			i++;
		return i;
	}
	return end;
}

int buffer_differs_from(const struct buffer *b, __u32 seed, size_t begin,
			size_t end, size_t from)
{
	int i;

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	i = differs_from(b->map, seed, begin, end, from);
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return i;
}

int buffer_differs(const struct buffer *b, __u32 seed, size_t begin,
		   size_t end)
{
	return buffer_differs_from(b, seed, begin, end, begin);
}

static int pair_attach(struct pair *p, size_t size, __u32 kind, __u32 access)
{
	int i, ret = 0;

	for (i = SRC; !ret && i <= DST; i++) {
		ret = buffer_alloc(p->ch, size, kind, &p->b[i]);
		if (ret)
			break;
		buffer_fill(&p->b[i], i == SRC ? SEED : OTHER);
		ret = import_attach(p->dev, p->b[i].fd,
				    i == SRC ? access : IMPORT_BOTH);
		if (ret >= 0)
			ret = ret == i ? 0 : -EBADSLT;
	}
	return ret;
}

int pair_open(struct pair *p, size_t size, __u32 kind, __u32 access)
{
	p->ch = fpga_open(0, O_RDWR);
	if (p->ch < 0)
		return p->ch;
	p->dev = import_open(O_RDWR);
	if (p->dev < 0)
		return p->dev;
	return pair_attach(p, size, kind, access);
}
