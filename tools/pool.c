// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-heap.h>

#include "memory.h"
#include "message.h"
#include "pool.h"

#define DEFAULT_COUNT	8

/* Where buffers come from: this process, a heap if there is one, the channel. */
struct source {
	struct fpgabuf_channel *channel;
	const char *name;
	uint32_t kind;
	int heap;
	/* bytes of a buffer, 0: not from this process */
	uint64_t own;
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

static bool choose_source(struct source *source, int wanted)
{
	if (!choose_kind(source->channel, wanted, &source->kind))
		return false;
	source->name = fpgabuf_kind_name(source->kind);

	return true;
}

static bool source_open(struct source *source, struct fpgabuf_channel *channel,
			const struct pool_request *request)
{
	*source = (struct source){
		.channel = channel, .heap = -1, .own = request->own,
	};
	if (request->own)
		return choose_source(source, FPGABUF_KIND_USER);
	if (!request->heap)
		return choose_source(source, request->kind);

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

static void complain_source(const struct source *source, uint64_t size,
			    int error)
{
	if (error == ENOTTY && source->heap >= 0)
		complain("%s: is not a dma-heap", source->name);
	else
		complain_alloc(source->channel, source->name, size, error);
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

static void complain_own(const struct source *source, uint64_t length,
			 int error)
{
	if (error == ENOMEM)
		complain("%s: %" PRIu64 " bytes more cannot be pinned: fewer buffers, or a higher RLIMIT_MEMLOCK (ulimit -l), help",
			 fpgabuf_channel_path(source->channel), length);
	else
		complain_alloc(source->channel, source->name, length, error);
}

/* In huge pages where there are any: fewer pieces for the engine and the disk. */
static bool map_own(const struct source *source, struct fpgabuf_map *map)
{
	const size_t page = sysconf(_SC_PAGESIZE);

	map->size = (source->own + page - 1) / page * page;
	map->prot = PROT_READ | PROT_WRITE;
	map->addr = mmap(NULL, map->size, map->prot,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map->addr == MAP_FAILED) {
		complain("%zu bytes of memory: %m", map->size);
		return false;
	}
	madvise(map->addr, map->size, MADV_HUGEPAGE);

	map->fd = fpgabuf_channel_alloc_user(source->channel, map->addr,
					     map->size, map->prot);
	if (map->fd < 0) {
		complain_own(source, map->size, -map->fd);
		munmap(map->addr, map->size);
	}

	return map->fd >= 0;
}

static bool add_own_buffer(struct pool *pool, const struct source *source)
{
	struct buffer *buffer = &pool->buffers[pool->count];
	int slot;

	if (!map_own(source, &buffer->map))
		return false;
	slot = fpgabuf_channel_register(source->channel, buffer->map.fd, 0, 0);
	if (slot < 0) {
		complain_register(source, -slot);
		fpgabuf_unmap(&buffer->map);
		return false;
	}
	buffer->slot = slot;
	pool->count++;

	return true;
}

static bool add_buffer(struct pool *pool, const struct source *source,
		       uint64_t size)
{
	int fd, slot;
	bool good;

	if (source->own)
		return add_own_buffer(pool, source);

	fd = source_alloc(source, size);
	if (fd < 0) {
		complain_source(source, size, -fd);
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

static bool register_ring(struct pool *pool, const struct source *source,
			  int fd, uint64_t size, unsigned int count)
{
	unsigned int i;
	int slot;

	for (i = 0; i < count; i++) {
		slot = fpgabuf_channel_register(source->channel, fd, i * size,
						size);
		if (slot < 0) {
			complain_register(source, -slot);
			return false;
		}
		pool->buffers[i].slot = slot;
	}

	return true;
}

static bool map_ring(struct pool *pool, const char *path, int fd,
		     uint64_t size, unsigned int count)
{
	unsigned int i;
	int ret;

	if (!pool->mapped)
		return true;

	ret = fpgabuf_map(fd, PROT_READ, &pool->ring);
	if (ret < 0) {
		complain("%s: mapping the buffers: %s", path, strerror(-ret));
		return false;
	}
	for (i = 0; i < count; i++) {
		struct fpgabuf_map *map = &pool->buffers[i].map;

		*map = pool->ring;
		map->addr = (char *)pool->ring.addr + i * size;
		map->size = size;
	}

	return true;
}

/* All buffers in one piece of memory, one after the other */
static bool add_ring(struct pool *pool, const struct source *source,
		     uint64_t size, unsigned int count)
{
	const char *path = fpgabuf_channel_path(source->channel);
	bool good;
	int fd;

	if (source->own) {
		complain("%s: goes round in one piece of memory, which user memory is not",
			 path);
		return false;
	}
	fd = source_alloc(source, size * count);
	if (fd < 0) {
		complain_source(source, size * count, -fd);
		return false;
	}
	good = register_ring(pool, source, fd, size, count) &&
	       map_ring(pool, path, fd, size, count);
	if (good)
		pool->count = count;
	close(fd);

	return good;
}

static bool choose_count(const struct fpgabuf_channel *channel,
			 unsigned int wanted, unsigned int *count)
{
	const struct fpgabuf_info *info = fpgabuf_channel_info(channel);
	/* All go into one exchange. A kernel that does not say how many takes 64. */
	unsigned int max = info->max_batch ?: 64;

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
	const struct fpgabuf_info *info = fpgabuf_channel_info(channel);
	struct source source;
	unsigned int count;
	bool good = true;

	*pool = (struct pool){ .mapped = request->map };
	if (!choose_count(channel, request->count, &count))
		return false;
	pool->buffers = calloc(count, sizeof(*pool->buffers));
	if (!pool->buffers) {
		complain("no memory for %u buffers", count);
		return false;
	}
	if (!source_open(&source, channel, request))
		return false;

	if (info->capabilities & FPGABUF_CAP_RING)
		good = add_ring(pool, &source, size, count);
	while (good && pool->count < count)
		good = add_buffer(pool, &source, size);
	source_close(&source);

	return good;
}

void pool_free(struct pool *pool)
{
	if (pool->ring.addr) {
		fpgabuf_unmap(&pool->ring);
		pool->ring.addr = NULL;
		pool->mapped = false;
	}
	while (pool->count--)
		if (pool->mapped)
			fpgabuf_unmap(&pool->buffers[pool->count].map);
	pool->count = 0;
	free(pool->buffers);
	pool->buffers = NULL;
}
