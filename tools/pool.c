// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-heap.h>

#include "message.h"
#include "pool.h"

#define DEFAULT_COUNT	8

/* Where buffers come from: the heap if there is one, else the channel. */
struct source {
	struct fpgabuf_channel *channel;
	const char *name;
	uint32_t kind;
	int heap;
};

static int heap_alloc(int heap, uint64_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int ret;

	do {
		ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	} while (ret < 0 && errno == EINTR);

	return ret < 0 ? -errno : (int)data.fd;
}

static int source_alloc(const struct source *source, uint64_t size)
{
	if (source->heap >= 0)
		return heap_alloc(source->heap, size);

	return fpgabuf_channel_alloc(source->channel, size, source->kind);
}

static bool has_kind(const struct fpgabuf_info *info, uint32_t kind)
{
	return kind < 32 && info->kinds & 1U << kind;
}

/* Cached memory first: a CPU that reads frames is slow without. */
static bool default_kind(const struct fpgabuf_info *info, uint32_t *kind)
{
	static const uint32_t preferred[] = {
		FPGABUF_KIND_SYSTEM,
		FPGABUF_KIND_CONTIGUOUS,
		FPGABUF_KIND_COHERENT,
	};
	size_t i;

	for (i = 0; i < sizeof(preferred) / sizeof(preferred[0]); i++) {
		*kind = preferred[i];
		if (*kind == FPGABUF_KIND_SYSTEM &&
		    !(info->capabilities & FPGABUF_CAP_SCATTER))
			continue;
		if (has_kind(info, *kind))
			return true;
	}

	return false;
}

static bool choose_kind(struct source *source, int wanted)
{
	const char *path = fpgabuf_channel_path(source->channel);
	const struct fpgabuf_info *info = fpgabuf_channel_info(source->channel);

	if (wanted < 0) {
		if (!default_kind(info, &source->kind)) {
			complain("%s: allocates no memory: give --register-heap", path);
			return false;
		}
	} else {
		source->kind = wanted;
		if (!has_kind(info, wanted)) {
			complain("%s: has no %s memory; see 'fpgabuf info %s'",
				 path, fpgabuf_kind_name(wanted), path);
			return false;
		}
	}
	source->name = fpgabuf_kind_name(source->kind);

	return true;
}

static bool source_open(struct source *source, struct fpgabuf_channel *channel,
			const struct pool_request *request)
{
	*source = (struct source){ .channel = channel, .heap = -1 };
	if (!request->heap)
		return choose_kind(source, request->kind);

	source->name = request->heap;
	source->heap = open(request->heap, O_RDWR | O_CLOEXEC);
	if (source->heap < 0)
		complain("%s: %m", request->heap);

	return source->heap >= 0;
}

static void source_close(struct source *source)
{
	if (source->heap >= 0)
		close(source->heap);
}

static void complain_alloc(const struct source *source, uint64_t size,
			   int error)
{
	const char *path = fpgabuf_channel_path(source->channel);

	if (error == ENOTTY && source->heap >= 0)
		complain("%s: is not a dma-heap", source->name);
	else if (error == ENOMEM)
		complain("%s: no %s memory for a buffer of %" PRIu64 " bytes; the kernel log tells more",
			 path, source->name, size);
	else if (error == EFBIG)
		complain("%s: %" PRIu64 " bytes are more than its longest piece, which %s memory is; see 'fpgabuf info %s'",
			 path, size, source->name, path);
	else
		complain("%s: %s memory for a buffer of %" PRIu64 " bytes: %s",
			 path, source->name, size, strerror(error));
}

static void complain_register(const struct source *source, int error)
{
	const char *path = fpgabuf_channel_path(source->channel);

	if (error == EOPNOTSUPP)
		complain("%s: its engine cannot take %s memory: too many pieces",
			 path, source->name);
	else
		complain("%s: registering %s memory: %s", path,
			 source->name, strerror(error));
}

static bool add_mapping(struct pool *pool, const char *path, int fd)
{
	struct buffer *buffer = &pool->buffers[pool->count];
	int ret;

	if (!pool->mapped)
		return true;

	ret = fpgabuf_map(fd, PROT_READ, &buffer->map);
	if (ret < 0)
		complain("%s: mapping a buffer: %s", path, strerror(-ret));

	return ret >= 0;
}

static bool add_buffer(struct pool *pool, const struct source *source,
		       uint64_t size)
{
	int fd, slot;
	bool good;

	fd = source_alloc(source, size);
	if (fd < 0) {
		complain_alloc(source, size, -fd);
		return false;
	}

	slot = fpgabuf_channel_register(source->channel, fd, 0, 0);
	if (slot < 0) {
		complain_register(source, -slot);
		close(fd);
		return false;
	}
	pool->buffers[pool->count].slot = slot;

	good = add_mapping(pool, fpgabuf_channel_path(source->channel), fd);
	if (good)
		pool->count++;
	/* The slot and the mapping hold what they need. */
	close(fd);

	return good;
}

static bool choose_count(const struct fpgabuf_channel *channel,
			 unsigned int wanted, unsigned int *count)
{
	const struct fpgabuf_info *info = fpgabuf_channel_info(channel);
	unsigned int max = FPGABUF_MAX_SLOTS;

	if (info->num_slots < max)
		max = info->num_slots;
	if (info->queue_depth < max)
		max = info->queue_depth;

	*count = wanted ?: max < DEFAULT_COUNT ? max : DEFAULT_COUNT;
	if (*count > max)
		complain("%s: takes at most %u buffers",
			 fpgabuf_channel_path(channel), max);

	return *count <= max;
}

bool pool_init(struct pool *pool, struct fpgabuf_channel *channel,
	       const struct pool_request *request, uint64_t size)
{
	struct source source;
	unsigned int count;
	bool good = true;

	*pool = (struct pool){ .mapped = request->map };
	if (!choose_count(channel, request->count, &count) ||
	    !source_open(&source, channel, request))
		return false;

	while (good && pool->count < count)
		good = add_buffer(pool, &source, size);
	source_close(&source);

	return good;
}

void pool_free(struct pool *pool)
{
	while (pool->count--)
		if (pool->mapped)
			fpgabuf_unmap(&pool->buffers[pool->count].map);
	pool->count = 0;
}
