// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "internal.h"

#define HUGE_PAGE_SIZE	((size_t)2 << 20)

static int buffer_size(int fd, size_t *size)
{
	off_t end;

	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	if ((uint64_t)end > SIZE_MAX)
		return -EOVERFLOW;

	*size = end;

	return 0;
}

/*
 * dma-buf files do not choose addresses that huge pages need, as memory from
 * mmap(2) has: reserve more than is wanted, and give back what is around it.
 */
static void *map_aligned(int fd, int prot, size_t size)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	size_t pages, reserved, head;
	char *base;
	void *addr;

	if (__builtin_add_overflow(size, page - 1, &pages))
		goto too_big;
	pages &= ~(page - 1);
	if (__builtin_add_overflow(pages, HUGE_PAGE_SIZE - page, &reserved))
		goto too_big;

	base = mmap(NULL, reserved, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return MAP_FAILED;

	head = -(uintptr_t)base & (HUGE_PAGE_SIZE - 1);
	addr = mmap(base + head, size, prot, MAP_SHARED | MAP_FIXED, fd, 0);
	if (addr == MAP_FAILED) {
		const int err = errno;

		munmap(base, reserved);
		errno = err;
		return MAP_FAILED;
	}

	if (head)
		munmap(base, head);
	if (head + pages < reserved)
		munmap(base + head + pages, reserved - head - pages);

	return addr;

too_big:
	errno = ENOMEM;
	return MAP_FAILED;
}

int fpgabuf_map(int fd, int prot, struct fpgabuf_map *map)
{
	struct fpgabuf_map new = { .prot = prot };
	int ret;

	new.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (new.fd < 0)
		return -errno;

	ret = buffer_size(new.fd, &new.size);
	if (ret < 0)
		goto err_close;

	if (new.size >= HUGE_PAGE_SIZE)
		new.addr = map_aligned(new.fd, prot, new.size);
	else
		new.addr = mmap(NULL, new.size, prot, MAP_SHARED, new.fd, 0);
	if (new.addr == MAP_FAILED) {
		ret = -errno;
		goto err_close;
	}

	*map = new;

	return 0;

err_close:
	close(new.fd);

	return ret;
}

void fpgabuf_unmap(struct fpgabuf_map *map)
{
	munmap(map->addr, map->size);
	close(map->fd);
	*map = (struct fpgabuf_map){ .fd = -1 };
}

static int sync_access(const struct fpgabuf_map *map, uint64_t flags,
		       uint64_t which)
{
	struct dma_buf_sync sync = { .flags = flags | which };
	int ret;

	if (!flags || flags & ~(uint64_t)DMA_BUF_SYNC_RW)
		return -EINVAL;

	/* The wait for the fences may also end with -EAGAIN: see dma-buf.h. */
	do {
		ret = fpgabuf_ioctl(map->fd, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret == -EAGAIN);

	return ret;
}

int fpgabuf_map_begin(const struct fpgabuf_map *map, uint64_t flags)
{
	return sync_access(map, flags, DMA_BUF_SYNC_START);
}

int fpgabuf_map_end(const struct fpgabuf_map *map, uint64_t flags)
{
	return sync_access(map, flags, DMA_BUF_SYNC_END);
}
