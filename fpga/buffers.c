// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers of a channel: allocating memory for it, and registering dma-bufs
 * of any origin: attached and mapped once, so that a frame costs neither.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/overflow.h>

#include "channel.h"
#include "engine.h"

void fpgabuf_slots_init(struct fpgabuf_channel *channel)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		channel->slots[i].channel = channel;
		channel->slots[i].job = &channel->queue.jobs[i];
	}
}

bool fpgabuf_slots_used(const struct fpgabuf_channel *channel)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++)
		if (channel->slots[i].import)
			return true;
	return false;
}

void fpgabuf_pieces_free(struct fpgabuf_pieces *pieces)
{
	sg_free_table(&pieces->part);
	sg_free_table(&pieces->frame);
}

static int slot_empty(struct fpgabuf_channel *channel, unsigned int number)
{
	struct fpgabuf_slot *slot;
	int ret;

	if (number >= FPGABUF_MAX_SLOTS)
		return -ENOENT;

	slot = &channel->slots[number];
	spin_lock_irq(&channel->queue.lock);
	ret = slot->quarantined ? -EBUSY :
		fpgabuf_queue_empty(&channel->queue, number);
	spin_unlock_irq(&channel->queue.lock);
	if (ret)
		return ret;

	fpgabuf_pieces_free(&slot->pieces);
	fpgabuf_import_put(slot->import);
	slot->import = NULL;
	return 0;
}

/* The stream is stopped: nothing is queued. */
void fpgabuf_slots_release(struct fpgabuf_channel *channel)
{
	unsigned int i;

	lockdep_assert_held(&channel->lock);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		struct fpgabuf_slot *slot = &channel->slots[i];

		if (!slot->import)
			continue;
		if (slot->quarantined)
			fpgabuf_quarantine_keep(channel, slot);
		WARN_ON(slot_empty(channel, i));
	}
}

/* A number for the dma-buf to come, if the flags are right. */
static int alloc_get_fd(u32 flags, u32 fd_flags)
{
	if (flags || fd_flags & ~(O_ACCMODE | O_CLOEXEC) ||
	    (fd_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return get_unused_fd_flags(fd_flags & O_CLOEXEC);
}

/* The answer is complete: tell it, and then let @fd be @dmabuf. */
static int alloc_answer(const struct fpgabuf_ioctl_arg *arg,
			struct dma_buf *dmabuf, int fd)
{
	int ret = fpgabuf_ioctl_put(arg);

	if (ret) {
		dma_buf_put(dmabuf);
		put_unused_fd(fd);
		return ret;
	}
	dma_buf_fd_install(dmabuf, fd);
	return 0;
}

int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc *alloc = &arg->alloc;
	struct dma_buf *dmabuf;
	int fd;

	if (overflows_type(alloc->size, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;

	dmabuf = fpgabuf_alloc(fpgabuf_channel_dma_dev(channel), alloc->size,
			       alloc->kind, alloc->fd_flags & O_ACCMODE);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(fd);
		return PTR_ERR(dmabuf);
	}
	alloc->size = dmabuf->size;
	alloc->fd = fd;
	return alloc_answer(arg, dmabuf, fd);
}

int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_user *alloc = &arg->alloc_user;
	struct dma_buf *dmabuf;
	int fd;

	if (alloc->reserved)
		return -EINVAL;
	if (overflows_type(alloc->address, unsigned long) ||
	    overflows_type(alloc->length, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;

	dmabuf = fpgabuf_alloc_user(fpgabuf_channel_dma_dev(channel),
				    alloc->address, alloc->length,
				    alloc->fd_flags & O_ACCMODE);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(fd);
		return PTR_ERR(dmabuf);
	}
	alloc->fd = fd;
	return alloc_answer(arg, dmabuf, fd);
}

int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_pool *alloc = &arg->alloc_pool;
	struct dma_buf *dmabuf;
	int fd;

	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;

	dmabuf = fpgabuf_alloc_pool(fpgabuf_channel_dma_dev(channel),
				    alloc->block_size, alloc->num_blocks,
				    alloc->alignment, alloc->boundary,
				    alloc->fd_flags & O_ACCMODE,
				    &alloc->stride);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(fd);
		return PTR_ERR(dmabuf);
	}
	alloc->fd = fd;
	return alloc_answer(arg, dmabuf, fd);
}

static enum dma_data_direction
channel_dir(const struct fpgabuf_channel *channel)
{
	return fpgabuf_channel_is_output(channel) ? DMA_TO_DEVICE :
						    DMA_FROM_DEVICE;
}

static bool slots_overlap(const struct fpgabuf_channel *channel,
			  const struct dma_buf *dmabuf, u64 offset, u64 length)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		const struct fpgabuf_slot *slot = &channel->slots[i];

		if (slot->import && slot->import->dmabuf == dmabuf &&
		    offset < slot->offset + slot->length &&
		    slot->offset < offset + length)
			return true;
	}
	return false;
}

/* Check the range and say how long it is. */
static int register_check(const struct fpgabuf_channel *channel,
			  const struct dma_buf *dmabuf,
			  struct fpgabuf_register *reg)
{
	const fmode_t mode = channel_dir(channel) == DMA_FROM_DEVICE ?
		FMODE_WRITE : FMODE_READ;

	if (!(dmabuf->file->f_mode & mode))
		return -EACCES;
	if (!IS_ALIGNED(reg->offset, channel->config.alignment))
		return -EINVAL;
	if (reg->offset >= dmabuf->size ||
	    reg->length > dmabuf->size - reg->offset)
		return -ERANGE;
	if (!reg->length)
		reg->length = dmabuf->size - reg->offset;
	if (reg->length < channel->format.size)
		return -EMSGSIZE;
	if (slots_overlap(channel, dmabuf, reg->offset, reg->length))
		return -EEXIST;
	return 0;
}

/* The longest segment the engine takes, in whole units of its alignment. */
unsigned int fpgabuf_max_segment(const struct fpgabuf_channel *channel)
{
	unsigned int max =
		dma_get_max_seg_size(fpgabuf_channel_dma_dev(channel));

	return round_down(max, channel->config.alignment);
}

/*
 * What the device sees must be aligned, wherever the frame is in its dma-buf:
 * user memory starts anywhere, and its pieces are cut at pages.
 */
static bool frame_aligned(const struct sg_table *frame, u32 alignment)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(frame, sg, i) {
		if (!IS_ALIGNED(sg_dma_address(sg), alignment))
			return false;
		if (i < frame->nents - 1 && !IS_ALIGNED(sg_dma_len(sg), alignment))
			return false;
	}
	return true;
}

static int slice_frame(const struct fpgabuf_channel *channel,
		       const struct fpgabuf_import *import, u64 offset,
		       struct sg_table *frame)
{
	int ret;

	ret = fpgabuf_import_slice(import, NULL, offset, channel->format.size,
				   fpgabuf_max_segment(channel), frame);
	if (ret)
		return ret;
	if (frame->nents > 1 && !fpgabuf_engine_scatters(channel->dma))
		ret = -EOPNOTSUPP;
	else if (!frame_aligned(frame, channel->config.alignment))
		ret = -EINVAL;
	if (ret)
		sg_free_table(frame);
	return ret;
}

static int pieces_alloc(const struct fpgabuf_channel *channel,
			const struct fpgabuf_import *import, u64 offset,
			struct fpgabuf_pieces *pieces)
{
	int ret;

	*pieces = (struct fpgabuf_pieces){};
	ret = slice_frame(channel, import, offset, &pieces->frame);
	if (ret || !fpgabuf_channel_is_output(channel))
		return ret;
	ret = sg_alloc_table(&pieces->part, pieces->frame.nents, GFP_KERNEL);
	if (ret)
		sg_free_table(&pieces->frame);
	return ret;
}

/* Put an import into a slot. Nothing can use the slot before the lock is free. */
static int slot_fill(struct fpgabuf_channel *channel,
		     struct fpgabuf_import *import,
		     const struct fpgabuf_pieces *pieces,
		     struct fpgabuf_register *reg)
{
	struct fpgabuf_slot *slot;
	struct fpgabuf_job *job;

	spin_lock_irq(&channel->queue.lock);
	job = fpgabuf_queue_fill(&channel->queue);
	spin_unlock_irq(&channel->queue.lock);
	if (!job)
		return -ENOSPC;

	slot = &channel->slots[job->done.slot];
	slot->import = import;
	slot->offset = reg->offset;
	slot->length = reg->length;
	slot->pieces = *pieces;
	reg->slot = job->done.slot;
	return 0;
}

/* All slots in a dma-buf share one import; NULL: there is no slot in it. */
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		struct fpgabuf_import *import = channel->slots[i].import;

		if (import && import->dmabuf == dmabuf)
			return fpgabuf_import_get(import);
	}
	return NULL;
}

static struct fpgabuf_import *slot_import(struct fpgabuf_channel *channel,
					  struct dma_buf *dmabuf)
{
	struct fpgabuf_import *import = fpgabuf_slots_import(channel, dmabuf);

	return import ?: fpgabuf_import(fpgabuf_channel_dma_dev(channel),
					dmabuf, channel_dir(channel));
}

static int register_dmabuf(struct fpgabuf_channel *channel,
			   struct dma_buf *dmabuf, struct fpgabuf_register *reg)
{
	struct fpgabuf_import *import;
	struct fpgabuf_pieces pieces;
	int ret;

	ret = register_check(channel, dmabuf, reg);
	if (ret)
		return ret;

	import = slot_import(channel, dmabuf);
	if (IS_ERR(import))
		return PTR_ERR(import);
	ret = pieces_alloc(channel, import, reg->offset, &pieces);
	if (ret)
		goto err_put;
	ret = slot_fill(channel, import, &pieces, reg);
	if (ret)
		goto err_free;
	return 0;

err_free:
	fpgabuf_pieces_free(&pieces);
err_put:
	fpgabuf_import_put(import);
	return ret;
}

int fpgabuf_ioctl_register(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_register *reg = &arg->reg;
	const u64 length = reg->length;
	struct dma_buf *dmabuf;
	int ret;

	if (reg->flags || reg->reserved)
		return -EINVAL;
	if (channel->owner && channel->owner != file)
		return -EBUSY;

	dmabuf = dma_buf_get(reg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = register_dmabuf(channel, dmabuf, reg);
	dma_buf_put(dmabuf);
	if (ret)
		return ret;

	reg->length = length;
	ret = fpgabuf_ioctl_put(arg);
	if (ret) {
		WARN_ON(slot_empty(channel, reg->slot));
		return ret;
	}
	return fpgabuf_channel_claim(channel, file);
}

int fpgabuf_ioctl_unregister(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	if (arg->unreg.flags)
		return -EINVAL;
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	return slot_empty(channel, arg->unreg.slot);
}
