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

void fpgabuf_slots_init(struct fpgabuf_channel *channel)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		channel->slots[i].channel = channel;
		fpgabuf_engine_job_init(&channel->client.engine,
					&channel->slots[i].job);
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

/* Empty a slot, with a completion that nobody took. Its memory is the caller's. */
static int slot_take_back(struct fpgabuf_slot *slot)
{
	struct fpgabuf_queue *queue = &slot->channel->client.engine.queue;
	int ret = 0;

	spin_lock_irq(&queue->lock);
	if (slot->quarantined || fpgabuf_job_pending(&slot->job))
		ret = -EBUSY;
	else if (slot->job.state == FPGABUF_JOB_DONE)
		fpgabuf_queue_take(queue, &slot->job);
	spin_unlock_irq(&queue->lock);
	if (!ret)
		slot->import = NULL;
	return ret;
}

static int slot_empty(struct fpgabuf_slot *slot)
{
	struct fpgabuf_import *import = slot->import;
	int ret = slot_take_back(slot);

	if (ret)
		return ret;
	fpgabuf_pieces_free(&slot->pieces);
	fpgabuf_import_put(import);
	return 0;
}

/* The stream is stopped: nothing is queued. */
void fpgabuf_slots_release(struct fpgabuf_channel *channel)
{
	unsigned int i;

	lockdep_assert_held(&channel->client.lock);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		struct fpgabuf_slot *slot = &channel->slots[i];

		if (!slot->import)
			continue;
		if (slot->quarantined)
			fpgabuf_quarantine_keep(channel, slot);
		WARN_ON(slot_empty(slot));
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

/* The answer is complete, if there is a @dmabuf: then let @fd be that. */
static int alloc_answer(const struct fpgabuf_ioctl_arg *arg,
			struct dma_buf *dmabuf, int fd)
{
	int ret = PTR_ERR_OR_ZERO(dmabuf);

	if (ret)
		goto err_fd;
	ret = fpgabuf_ioctl_put(arg);
	if (ret)
		goto err_dmabuf;
	dma_buf_fd_install(dmabuf, fd);
	return 0;

err_dmabuf:
	dma_buf_put(dmabuf);
err_fd:
	put_unused_fd(fd);
	return ret;
}

static struct dma_buf *alloc_by_size(struct fpgabuf_channel *channel,
				     struct fpgabuf_alloc *alloc)
{
	struct dma_buf *dmabuf;
	int ret;

	ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		return ERR_PTR(ret);
	dmabuf = fpgabuf_alloc(fpgabuf_channel_dma_dev(channel), alloc->size,
			       alloc->kind, alloc->fd_flags & O_ACCMODE);
	fpgabuf_client_leave(&channel->client);
	if (!IS_ERR(dmabuf))
		alloc->size = dmabuf->size;
	return dmabuf;
}

int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc *alloc = &arg->alloc;
	int fd;

	if (overflows_type(alloc->size, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_by_size(channel, alloc), fd);
}

/* The pages may be long in coming: the device may be unbound meanwhile. */
static struct dma_buf *alloc_of_user(struct fpgabuf_channel *channel,
				     const struct fpgabuf_alloc_user *alloc)
{
	struct fpgabuf_user_memory *memory;
	struct dma_buf *dmabuf;
	int ret;

	memory = fpgabuf_user_pin(alloc->address, alloc->length,
				  alloc->fd_flags & O_ACCMODE);
	if (IS_ERR(memory))
		return ERR_CAST(memory);
	ret = fpgabuf_client_enter(&channel->client);
	if (ret) {
		dmabuf = ERR_PTR(ret);
		goto out_put;
	}
	dmabuf = fpgabuf_alloc_pinned(fpgabuf_channel_dma_dev(channel), memory);
	fpgabuf_client_leave(&channel->client);
out_put:
	fpgabuf_user_put(memory);
	return dmabuf;
}

int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_user *alloc = &arg->alloc_user;
	int fd;

	if (alloc->reserved)
		return -EINVAL;
	if (overflows_type(alloc->address, unsigned long) ||
	    overflows_type(alloc->length, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_of_user(channel, alloc), fd);
}

static struct dma_buf *alloc_of_pool(struct fpgabuf_channel *channel,
				     struct fpgabuf_alloc_pool *alloc)
{
	struct dma_buf *dmabuf;
	int ret;

	ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		return ERR_PTR(ret);
	dmabuf = fpgabuf_alloc_pool(fpgabuf_channel_dma_dev(channel),
				    alloc->block_size, alloc->num_blocks,
				    alloc->alignment, alloc->boundary,
				    alloc->fd_flags & O_ACCMODE,
				    &alloc->stride);
	fpgabuf_client_leave(&channel->client);
	return dmabuf;
}

int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_pool *alloc = &arg->alloc_pool;
	int fd;

	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_of_pool(channel, alloc), fd);
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

static int slice_frame(const struct fpgabuf_channel *channel,
		       const struct fpgabuf_import *import, u64 offset,
		       u64 size, struct sg_table *frame)
{
	const struct fpgabuf_engine *engine = &channel->client.engine;
	int ret;

	ret = fpgabuf_import_slice(import, NULL, offset, size,
				   fpgabuf_engine_max_segment(engine), frame);
	if (ret)
		return ret;
	ret = fpgabuf_engine_check_table(engine, frame);
	if (ret)
		sg_free_table(frame);
	return ret;
}

static int pieces_alloc(const struct fpgabuf_channel *channel,
			const struct fpgabuf_import *import, u64 offset,
			u64 size, struct fpgabuf_pieces *pieces)
{
	int ret;

	*pieces = (struct fpgabuf_pieces){};
	ret = slice_frame(channel, import, offset, size, &pieces->frame);
	if (ret || !fpgabuf_channel_is_output(channel))
		return ret;
	ret = sg_alloc_table(&pieces->part, pieces->frame.nents, GFP_KERNEL);
	if (ret)
		sg_free_table(&pieces->frame);
	return ret;
}

/* An empty slot, or NULL */
static struct fpgabuf_slot *slots_find_empty(struct fpgabuf_channel *channel)
{
	unsigned int i;

	for (i = 0; i < FPGABUF_MAX_SLOTS; i++)
		if (!channel->slots[i].import)
			return &channel->slots[i];
	return NULL;
}

/* Put an import into a slot. Nobody can use the slot before the lock is free. */
static int slot_fill(struct fpgabuf_channel *channel,
		     struct fpgabuf_import *import,
		     const struct fpgabuf_pieces *pieces,
		     struct fpgabuf_register *reg)
{
	struct fpgabuf_slot *slot = slots_find_empty(channel);

	if (!slot)
		return -ENOSPC;
	slot->import = import;
	slot->offset = reg->offset;
	slot->length = reg->length;
	slot->pieces = *pieces;
	reg->slot = slot - channel->slots;
	return 0;
}

/*
 * All slots in a dma-buf share one import; NULL: there is no slot in it. The
 * reference that is returned is the caller's.
 */
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf)
{
	unsigned int i;

	lockdep_assert_held(&channel->client.lock);
	for (i = 0; i < FPGABUF_MAX_SLOTS; i++) {
		struct fpgabuf_import *import = channel->slots[i].import;

		if (import && import->dmabuf == dmabuf)
			return fpgabuf_import_get(import);
	}
	return NULL;
}

/**
 * struct registration - a buffer on its way into a slot
 * @dmabuf: the buffer
 * @size: of a frame, when the buffer was looked at
 * @import: the buffer as the engine's device has it, with a reference
 * @pieces: of it, what the engine gets
 */
struct registration {
	struct dma_buf *dmabuf;
	u64 size;
	struct fpgabuf_import *import;
	struct fpgabuf_pieces pieces;
};

static int register_allowed(struct fpgabuf_channel *channel, struct file *file,
			    const struct dma_buf *dmabuf,
			    struct fpgabuf_register *reg)
{
	if (channel->client.gone)
		return -ENODEV;
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	return register_check(channel, dmabuf, reg);
}

/* What is wanted, as far as it can be told without mapping anything. */
static int register_begin(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_register *reg,
			  struct registration *r)
{
	int ret;

	if (mutex_lock_interruptible(&channel->client.lock))
		return -EINTR;
	ret = register_allowed(channel, file, r->dmabuf, reg);
	if (!ret) {
		r->size = channel->format.size;
		r->import = fpgabuf_slots_import(channel, r->dmabuf);
	}
	mutex_unlock(&channel->client.lock);
	return ret;
}

/* Attaching and mapping take as long as the buffer's exporter likes. */
static int register_map(struct fpgabuf_channel *channel,
			const struct fpgabuf_register *reg,
			struct registration *r)
{
	int ret;

	if (!r->import)
		r->import = fpgabuf_import(fpgabuf_channel_dma_dev(channel),
					   r->dmabuf, channel_dir(channel));
	if (IS_ERR(r->import))
		return PTR_ERR(r->import);
	ret = pieces_alloc(channel, r->import, reg->offset, r->size,
			   &r->pieces);
	if (ret)
		fpgabuf_import_put(r->import);
	return ret;
}

/* The format may be another one meanwhile, and the channel somebody else's. */
static int register_commit(struct fpgabuf_channel *channel, struct file *file,
			   const struct registration *r,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_register *reg = &arg->reg;
	const u64 length = reg->length;
	int ret;

	ret = register_allowed(channel, file, r->dmabuf, reg);
	if (!ret && channel->format.size != r->size)
		ret = -EBUSY;
	if (!ret)
		ret = slot_fill(channel, r->import, &r->pieces, reg);
	if (ret)
		return ret;

	reg->length = length;
	ret = fpgabuf_ioctl_put_locked(arg);
	if (!ret)
		return fpgabuf_channel_claim(channel, file);
	WARN_ON(slot_take_back(&channel->slots[reg->slot]));
	return ret;
}

static int register_dmabuf(struct fpgabuf_channel *channel, struct file *file,
			   struct dma_buf *dmabuf,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct registration r = { .dmabuf = dmabuf };
	struct fpgabuf_register wanted = arg->reg;
	int ret;

	ret = register_begin(channel, file, &wanted, &r);
	if (!ret)
		ret = register_map(channel, &wanted, &r);
	if (ret)
		return ret;

	mutex_lock(&channel->client.lock);
	ret = register_commit(channel, file, &r, arg);
	mutex_unlock(&channel->client.lock);
	if (ret) {
		fpgabuf_pieces_free(&r.pieces);
		fpgabuf_import_put(r.import);
	}
	return ret;
}

int fpgabuf_ioctl_register(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct dma_buf *dmabuf;
	int ret;

	if (arg->reg.flags || arg->reg.reserved)
		return -EINVAL;
	dmabuf = dma_buf_get(arg->reg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		goto out_put;
	ret = mutex_lock_interruptible(&channel->register_lock) ? -EINTR : 0;
	if (ret)
		goto out_leave;
	ret = register_dmabuf(channel, file, dmabuf, arg);
	mutex_unlock(&channel->register_lock);
out_leave:
	fpgabuf_client_leave(&channel->client);
out_put:
	dma_buf_put(dmabuf);
	return ret;
}

int fpgabuf_ioctl_unregister(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	if (arg->unreg.flags)
		return -EINVAL;
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	if (arg->unreg.slot >= FPGABUF_MAX_SLOTS ||
	    !channel->slots[arg->unreg.slot].import)
		return -ENOENT;
	return slot_empty(&channel->slots[arg->unreg.slot]);
}
