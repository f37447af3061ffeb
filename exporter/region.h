/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_REGION_H
#define _FPGABUF_REGION_H

#include <linux/fpgabuf.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rwsem.h>

struct device;
struct fpgabuf_buffer;
struct gen_pool;

/* gen_pool takes address 0 for a failure: offsets are moved up by a page. */
#define FPGABUF_REGION_BASE	PAGE_SIZE

/**
 * struct fpgabuf_region - memory that a device brings along
 * @ref: held by the list of all regions, and by each buffer
 * @node: in that list, guarded by its lock
 * @dev: its device; a key only, not to be used once @gone
 * @config: what its driver said of it; constant
 * @pool: its free pages; has a lock of its own
 * @lock: guards @gone, @blocks and what &struct fpgabuf_region_block says. Taken inside
 *	of mmap_lock and of a dma-buf's reservation
 * @gone: on-board memory whose device is no more: must not be touched
 * @blocks: its buffers
 */
struct fpgabuf_region {
	struct kref ref;
	struct list_head node;
	struct device *dev;
	struct fpgabuf_region_config config;
	struct gen_pool *pool;

	struct rw_semaphore lock;	/* for what is said above */
	bool gone;
	struct list_head blocks;
};

/**
 * struct fpgabuf_region_block - the memory of a buffer
 * @node: in &fpgabuf_region.blocks
 * @region: where it is; a reference is held
 * @offset: where in there, bytes
 * @vaddr: the CPU's address of it
 * @buffer: the buffer that has it
 * @told: others who had it were told that it is gone
 *
 * @node and @told are guarded by &fpgabuf_region.lock, the others constant.
 */
struct fpgabuf_region_block {
	struct list_head node;
	struct fpgabuf_region *region;
	size_t offset;
	struct iosys_map vaddr;
	struct fpgabuf_buffer *buffer;
	bool told;
};

/* registry.c */
struct fpgabuf_region *fpgabuf_region_get(const struct device *dev);
void fpgabuf_region_put(struct fpgabuf_region *region);
struct fpgabuf_region *fpgabuf_region_unlist(const struct device *dev);
bool fpgabuf_region_is_shared(const struct device *dev);

#endif /* _FPGABUF_REGION_H */
