// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers of a capture, and that nothing is left of them when one cannot be
 * had. The channel is the test's own, its memory comes from memfds.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "message.h"
#include "pool.h"
#include "tap.h"

#define SIZE	8192

/* Which call fails, counted from 1, and how. */
static struct fault {
	int alloc;
	int enroll;
	/* the memory of this call is too short to be mapped */
	int map;
	int error;
} fault;

static struct fpgabuf_info info;
static int allocs, registers, complaints;
/* What the last user memory was asked for. */
static void *user_address;
static size_t user_length;

void complain(const char *format, ...)
{
	(void)format;
	complaints++;
}

bool choose_kind(const struct fpgabuf_channel *channel, int wanted,
		 uint32_t *kind)
{
	(void)channel;
	*kind = wanted < 0 ? FPGABUF_KIND_SYSTEM : wanted;

	return true;
}

void complain_alloc(const struct fpgabuf_channel *channel, const char *name,
		    uint64_t size, int error)
{
	(void)channel;
	(void)name;
	is(size, SIZE, "no memory: the size is reported");
	is(error, fault.error, "no memory: and the error");
	complaints++;
}

const char *fpgabuf_channel_path(const struct fpgabuf_channel *channel)
{
	(void)channel;

	return "test";
}

const struct fpgabuf_info *
fpgabuf_channel_info(const struct fpgabuf_channel *channel)
{
	(void)channel;

	return &info;
}

static int make_memory(size_t size)
{
	int fd;

	if (++allocs == fault.alloc)
		return -fault.error;
	fd = memfd_create("frame", MFD_CLOEXEC);
	need(fd >= 0 && !ftruncate(fd, allocs == fault.map ? 0 : size));

	return fd;
}

int fpgabuf_channel_alloc(struct fpgabuf_channel *channel, uint64_t size,
			  uint32_t kind)
{
	(void)channel;
	need(kind == FPGABUF_KIND_SYSTEM);

	return make_memory(size);
}

int fpgabuf_channel_alloc_user(struct fpgabuf_channel *channel, void *address,
			       size_t length, int prot)
{
	(void)channel;
	need(prot == (PROT_READ | PROT_WRITE));
	user_address = address;
	user_length = length;

	return make_memory(length);
}

int fpgabuf_channel_register(struct fpgabuf_channel *channel, int fd,
			     uint64_t offset, uint64_t length)
{
	(void)channel;
	need(fd >= 0);
	if (info.capabilities & FPGABUF_CAP_RING)
		need(offset == (uint64_t)registers * SIZE && length == SIZE);
	else
		need(!offset && !length);
	if (++registers == fault.enroll)
		return -fault.error;

	/* Slots need not be numbered as buffers are. */
	return 10 + registers;
}

static int count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	need(dir);
	while (readdir(dir))
		count++;
	closedir(dir);

	return count;
}

static bool is_mapped(void *address)
{
	unsigned char resident;

	return !mincore(address, 1, &resident) || errno != ENOMEM;
}

static bool init(struct pool *pool, const struct pool_request *request,
		 struct fault what)
{
	fault = what;
	info = (struct fpgabuf_info){ .num_slots = 64, .queue_depth = 32 };
	allocs = 0;
	registers = 0;
	complaints = 0;

	return pool_init(pool, NULL, request, SIZE);
}

static void test_good(bool map)
{
	const struct pool_request request = {
		.kind = -1, .count = 4, .map = map,
	};
	const int files = count_files();
	unsigned int i, wrong = 0;
	struct pool pool;

	ok(init(&pool, &request, (struct fault){ 0 }), "a pool, map %d", map);
	is(pool.count, 4, "has its buffers");
	for (i = 0; i < pool.count; i++)
		wrong += pool.buffers[i].slot != 11 + i ||
			 (map && pool.buffers[i].map.prot != PROT_READ);
	is(wrong, 0, "each in its slot, frames are read only");
	is(count_files(), files + (map ? 4 : 0),
	   "a buffer's fd is only kept for its mapping");
	pool_free(&pool);
	is(count_files(), files, "nothing is left of it");
}

/* The second of four buffers fails: neither it nor the first may stay. */
static void test_fails(struct fault what, const char *name)
{
	const struct pool_request request = {
		.kind = -1, .count = 4, .map = true,
	};
	const int files = count_files();
	struct pool pool;

	ok(!init(&pool, &request, what), "%s: no pool", name);
	is(complaints, 1, "%s: reported once", name);
	is(allocs, 2, "%s: nothing is tried after it", name);
	pool_free(&pool);
	is(count_files(), files, "%s: no fd is left", name);
}

static void test_own(struct fault what, const char *name)
{
	const struct pool_request request = { .count = 2, .own = 5000 };
	const bool good = !what.alloc && !what.enroll;
	const int files = count_files();
	struct pool pool;

	is(init(&pool, &request, what), good, "own memory: %s", name);
	is(user_length, 8192, "own memory: %s: whole pages", name);
	is(is_mapped(user_address), good, "own memory: %s: mapped if good",
	   name);
	/* What the kernel has not taken is not in the pool. */
	is(pool.count, good ? 2 : 1, "own memory: %s: buffers", name);
	while (pool.count) {
		pool.count--;
		fpgabuf_unmap(&pool.buffers[pool.count].map);
	}
	pool_free(&pool);
	is(count_files(), files, "own memory: %s: no fd is left", name);
}

/* All in one: one allocation, one mapping, a slot for each frame of it */
static void test_ring(struct fault what, const char *name)
{
	const struct pool_request request = {
		.kind = -1, .count = 4, .map = true,
	};
	const bool good = !what.enroll && !what.map;
	const int files = count_files();
	unsigned int i, wrong = 0;
	struct pool pool;

	fault = what;
	info = (struct fpgabuf_info){
		.num_slots = 64, .queue_depth = 32,
		.capabilities = FPGABUF_CAP_RING,
	};
	allocs = 0;
	registers = 0;
	complaints = 0;
	is(pool_init(&pool, NULL, &request, SIZE), good, "ring: %s", name);
	is(allocs, 1, "ring: %s: one piece of memory", name);
	is(complaints, !good, "ring: %s: reported once if it fails", name);
	is(pool.count, good ? 4 : 0, "ring: %s: buffers", name);
	for (i = 0; i < pool.count; i++)
		wrong += pool.buffers[i].slot != 11 + i ||
			 pool.buffers[i].map.size != SIZE ||
			 (char *)pool.buffers[i].map.addr !=
				 (char *)pool.ring.addr + i * SIZE;
	is(wrong, 0, "ring: %s: one after the other", name);
	pool_free(&pool);
	is(count_files(), files, "ring: %s: no fd is left", name);
}

static void test_no_own_ring(void)
{
	const struct pool_request request = { .count = 2, .own = 5000 };
	struct pool pool;

	info = (struct fpgabuf_info){
		.num_slots = 64, .queue_depth = 32,
		.capabilities = FPGABUF_CAP_RING,
	};
	complaints = 0;
	ok(!pool_init(&pool, NULL, &request, SIZE), "no ring of user memory");
	is(complaints, 1, "which is reported");
	pool_free(&pool);
}

static void test_count(uint32_t slots, uint32_t depth, uint32_t batch,
		       unsigned int wanted, unsigned int count)
{
	const struct pool_request request = { .kind = -1, .count = wanted };
	struct pool pool;
	bool good;

	fault = (struct fault){ 0 };
	complaints = 0;
	info = (struct fpgabuf_info){
		.num_slots = slots, .queue_depth = depth, .max_batch = batch,
	};
	good = pool_init(&pool, NULL, &request, SIZE);
	is(pool.count, count, "%u buffers of %u slots, %u deep", wanted, slots,
	   depth);
	is(good, count != 0, "which is%s possible", count ? "" : " not");
	is(complaints, good ? 0 : 1, "and reported if not");
	pool_free(&pool);
}

int main(void)
{
	test_good(false);
	test_good(true);
	test_fails((struct fault){ .alloc = 2, .error = ENOMEM }, "no memory");
	test_fails((struct fault){ .enroll = 2, .error = ENOSPC }, "no slot");
	test_fails((struct fault){ .map = 2 }, "no mapping");
	test_own((struct fault){ 0 }, "good");
	test_own((struct fault){ .alloc = 2, .error = ENOMEM }, "not pinned");
	test_own((struct fault){ .enroll = 2, .error = ENOSPC }, "no slot");
	test_ring((struct fault){ 0 }, "good");
	test_ring((struct fault){ .enroll = 2, .error = ENOSPC }, "no slot");
	test_ring((struct fault){ .map = 1 }, "no mapping");
	test_no_own_ring();
	test_count(64, 32, 1024, 0, 8);
	test_count(64, 4, 1024, 0, 4);
	test_count(3, 32, 1024, 0, 3);
	test_count(64, 32, 1024, 32, 32);
	test_count(64, 32, 1024, 33, 0);
	test_count(4096, 4096, 1024, 1024, 1024);
	test_count(4096, 4096, 1024, 1025, 0);
	/* A kernel that does not say how many */
	test_count(4096, 4096, 0, 64, 64);
	test_count(4096, 4096, 0, 65, 0);

	return tap_end();
}
