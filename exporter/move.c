// SPDX-License-Identifier: GPL-2.0
/*
 * Moving a buffer's memory into ordinary pages, so that what needs its device's
 * driver can be freed. Whoever has the buffer keeps it, with its contents: user
 * mappings find the pages by a fault, devices when they map it the next time.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "exporter.h"

/* Whether a device that is told of moves has it mapped */
static bool move_is_awaited(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_attachment *a;
	bool awaited = false;

	mutex_lock(&buffer->lock);
	list_for_each_entry(a, &buffer->attachments, node)
		awaited |= a->mapped && a->revocable;
	mutex_unlock(&buffer->lock);
	return awaited;
}

/* The dma-buf, with a reference, if a device is attached to it; or NULL */
static struct dma_buf *move_get_dmabuf(struct fpgabuf_buffer *buffer)
{
	struct dma_buf *dmabuf = NULL;

	mutex_lock(&buffer->lock);
	if (!list_empty(&buffer->attachments)) {
		dmabuf = buffer->dmabuf;
		get_dma_buf(dmabuf);
	}
	mutex_unlock(&buffer->lock);
	return dmabuf;
}

static unsigned long move_left(ktime_t end)
{
	const s64 ms = ktime_ms_delta(end, ktime_get());

	/* dma_resv_wait_timeout() takes 0 for a test. */
	return ms > 0 ? msecs_to_jiffies(ms) : 0;
}

static void move_tell(struct fpgabuf_buffer *buffer, struct dma_buf *dmabuf,
		      ktime_t end)
{
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_invalidate_mappings(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      move_left(end));
	wait_event_timeout(buffer->unmapped, !move_is_awaited(buffer),
			   move_left(end));
}

/**
 * fpgabuf_buffer_tell() - tell attached devices that the memory goes
 * @buffer: the buffer; the caller has a reference
 * @end: when to wait no longer
 *
 * Waits for what they are at, by the fences of the dma-buf, and until they have
 * unmapped it. Those that cannot be told are not waited for.
 *
 * Context: process context, may sleep; no lock of a dma-buf held.
 * Return: whether all that were told have unmapped it.
 */
bool fpgabuf_buffer_tell(struct fpgabuf_buffer *buffer, ktime_t end)
{
	struct dma_buf *dmabuf = move_get_dmabuf(buffer);
	bool done;

	if (!dmabuf)
		return true;
	if (move_is_awaited(buffer))
		move_tell(buffer, dmabuf, end);
	done = !move_is_awaited(buffer);
	dma_buf_put(dmabuf);
	return done;
}

/* With &fpgabuf_buffer.lock held */
static bool move_is_used(const struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_attachment *a;

	list_for_each_entry(a, &buffer->attachments, node)
		if (a->mapped)
			return true;
	return buffer->vaddr;
}

static int move_copy(struct fpgabuf_buffer *buffer, struct sg_table *to)
{
	struct iosys_map from;
	struct scatterlist *sg;
	size_t done = 0;
	unsigned int i;
	int ret;

	ret = buffer->kind->vmap(buffer, &from);
	if (ret)
		return ret;
	for_each_sgtable_sg(to, sg, i) {
		iosys_map_memcpy_from(page_address(sg_page(sg)), &from, done,
				      sg->length);
		done += sg->length;
		cond_resched();
	}
	buffer->kind->vunmap(buffer, &from);
	return 0;
}

/* With the locks of the buffer; nobody uses what it had before. */
static void move_to(struct fpgabuf_buffer *buffer, struct sg_table *pages)
{
	struct fpgabuf_attachment *a;

	buffer->kind->free(buffer);
	buffer->kind = &fpgabuf_kind_system;
	buffer->pages = *pages;
	buffer->dma_addr = DMA_MAPPING_ERROR;
	buffer->priv = NULL;
	buffer->moved = true;
	list_for_each_entry(a, &buffer->attachments, node)
		a->stale = true;
}

static int move_locked(struct fpgabuf_buffer *buffer, struct sg_table *pages)
{
	int ret = -EBUSY;

	mutex_lock(&buffer->lock);
	if (buffer->kind->bound && !move_is_used(buffer)) {
		fpgabuf_zap(buffer);
		ret = move_copy(buffer, pages);
	}
	if (!ret)
		move_to(buffer, pages);
	mutex_unlock(&buffer->lock);
	return ret;
}

/**
 * fpgabuf_buffer_move() - move memory of a @bound kind into ordinary pages
 * @buffer: the buffer; the caller has a reference. Its device has a driver
 *
 * Context: process context, may sleep; the reservation may be held.
 * Return: 0; -EBUSY: a device has it mapped, or the kernel; or it was moved before;
 * -ENOMEM. Then it is what it was.
 */
int fpgabuf_buffer_move(struct fpgabuf_buffer *buffer)
{
	struct sg_table pages;
	int ret;

	/* Whoever unbinds a device is not who asked for the memory. */
	ret = fpgabuf_system_get_pages(buffer->dev, buffer->size, GFP_KERNEL,
				       &pages);
	if (ret)
		return ret;
	down_write(&buffer->memory);
	ret = move_locked(buffer, &pages);
	up_write(&buffer->memory);
	if (ret) {
		fpgabuf_system_put_pages(&pages);
		return ret;
	}
	fpgabuf_reserved_put(buffer->reserved);
	buffer->reserved = NULL;
	return 0;
}
