// SPDX-License-Identifier: GPL-2.0
/*
 * The registered buffers of a channel: dma-bufs of any origin, attached and mapped
 * once, so that a frame costs neither.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "channel.h"

/* Returns the slot of that number, or NULL if there is none. */
struct fpgabuf_slot *fpgabuf_slot(const struct fpgabuf_channel *channel,
				  u32 number)
{
	lockdep_assert_held(&channel->client.lock);
	return number < channel->max_slots ? channel->slots[number] : NULL;
}

static void slots_set(struct fpgabuf_channel *channel, unsigned int number,
		      struct fpgabuf_slot *slot)
{
	spin_lock_irq(&channel->client.engine.queue.lock);
	channel->slots[number] = slot;
	spin_unlock_irq(&channel->client.engine.queue.lock);
}

/* Make room for one more. Nobody else registers a buffer meanwhile. */
static int slots_grow(struct fpgabuf_channel *channel)
{
	const unsigned int max = max(2 * channel->max_slots, FPGABUF_MIN_SLOTS);
	struct fpgabuf_slot **slots;

	lockdep_assert_held(&channel->register_lock);
	if (READ_ONCE(channel->num_slots) < channel->max_slots)
		return 0;
	if (max > FPGABUF_MAX_SLOTS)
		return -ENOSPC;
	slots = kvcalloc(max, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return -ENOMEM;
	mutex_lock(&channel->client.lock);
	spin_lock_irq(&channel->client.engine.queue.lock);
	memcpy(slots, channel->slots, channel->max_slots * sizeof(*slots));
	swap(slots, channel->slots);
	channel->max_slots = max;
	spin_unlock_irq(&channel->client.engine.queue.lock);
	mutex_unlock(&channel->client.lock);
	kvfree(slots);
	return 0;
}

/* The lowest number that is free. There is one. */
static u32 slots_free_number(const struct fpgabuf_channel *channel)
{
	u32 number = 0;

	while (channel->slots[number])
		number++;
	return number;
}

/**
 * struct slot_range - a part of a dma-buf
 * @dmabuf: the dma-buf
 * @offset: where it starts, bytes
 * @length: bytes of it
 */
struct slot_range {
	const struct dma_buf *dmabuf;
	u64 offset;
	u64 length;
};

static struct fpgabuf_slot *to_slot(const struct rb_node *node)
{
	return rb_entry(node, struct fpgabuf_slot, range);
}

/* 0: the slot is in that dma-buf */
static int range_cmp_dmabuf(const void *key, const struct rb_node *node)
{
	const struct dma_buf *dmabuf = to_slot(node)->import->dmabuf;

	if (key == dmabuf)
		return 0;
	return (uintptr_t)key < (uintptr_t)dmabuf ? -1 : 1;
}

/* 0: the slot overlaps the range */
static int range_cmp(const void *key, const struct rb_node *node)
{
	const struct fpgabuf_slot *slot = to_slot(node);
	const struct slot_range *range = key;
	int ret = range_cmp_dmabuf(range->dmabuf, node);

	if (ret)
		return ret;
	if (range->offset + range->length <= slot->offset)
		return -1;
	return slot->offset + slot->length <= range->offset;
}

static int range_cmp_nodes(struct rb_node *new, const struct rb_node *node)
{
	const struct fpgabuf_slot *slot = to_slot(new);
	const struct slot_range range = {
		.dmabuf = slot->import->dmabuf,
		.offset = slot->offset,
		.length = slot->length,
	};

	return range_cmp(&range, node);
}

static void slot_free(struct fpgabuf_slot *slot)
{
	fpgabuf_pieces_fini(&slot->pieces);
	fpgabuf_import_put(slot->import);
	kfree(slot);
}

/* Free the slots of a list: their jobs are idle. */
void fpgabuf_slots_free(struct list_head *slots)
{
	struct fpgabuf_slot *slot, *next;

	list_for_each_entry_safe(slot, next, slots, job.node)
		slot_free(slot);
	INIT_LIST_HEAD(slots);
}

/* Remove a slot, with a completion that nobody took. The caller owns it. */
static int slot_remove(struct fpgabuf_slot *slot)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_queue *queue = &channel->client.engine.queue;
	int ret = 0;

	spin_lock_irq(&queue->lock);
	if (slot->quarantined || fpgabuf_job_pending(&slot->job))
		ret = -EBUSY;
	else if (slot->job.state == FPGABUF_JOB_DONE)
		fpgabuf_queue_take(queue, &slot->job);
	spin_unlock_irq(&queue->lock);
	if (ret)
		return ret;
	rb_erase(&slot->range, &channel->ranges);
	slots_set(channel, slot->number, NULL);
	WRITE_ONCE(channel->num_slots, channel->num_slots - 1);
	return 0;
}

/* The engine may still access the slot's memory: keep it. */
static void slot_keep(struct fpgabuf_slot *slot)
{
	struct fpgabuf_queue *queue = &slot->channel->client.engine.queue;

	spin_lock_irq(&queue->lock);
	slot->quarantined = false;
	spin_unlock_irq(&queue->lock);
	WARN_ON(slot_remove(slot));
	list_add(&slot->job.node, &slot->channel->kept);
}

/* The stream is stopped: no job is pending. */
void fpgabuf_slots_release(struct fpgabuf_channel *channel)
{
	struct fpgabuf_slot *slot;
	u32 number;

	lockdep_assert_held(&channel->client.lock);
	for (number = 0; number < channel->max_slots; number++) {
		slot = channel->slots[number];
		if (!slot)
			continue;
		if (slot->quarantined)
			slot_keep(slot);
		else if (!WARN_ON(slot_remove(slot)))
			slot_free(slot);
	}
}

static enum dma_data_direction
channel_dir(const struct fpgabuf_channel *channel)
{
	return fpgabuf_channel_is_output(channel) ? DMA_TO_DEVICE :
						    DMA_FROM_DEVICE;
}

/* Check the range and say how long it is. */
static int register_check(struct fpgabuf_channel *channel,
			  const struct dma_buf *dmabuf,
			  struct fpgabuf_register *reg)
{
	const fmode_t mode = channel_dir(channel) == DMA_FROM_DEVICE ?
		FMODE_WRITE : FMODE_READ;
	struct slot_range range;

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
	range = (struct slot_range){
		.dmabuf = dmabuf,
		.offset = reg->offset,
		.length = reg->length,
	};
	if (rb_find(&range, &channel->ranges, range_cmp))
		return -EEXIST;
	return 0;
}

/*
 * All slots in a dma-buf share one import; NULL: there is no slot in it. The
 * reference that is returned is the caller's.
 */
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf)
{
	struct rb_node *node;

	lockdep_assert_held(&channel->client.lock);
	node = rb_find(dmabuf, &channel->ranges, range_cmp_dmabuf);
	return node ? fpgabuf_import_get(to_slot(node)->import) : NULL;
}

/* A slot for the import, whose reference it takes. It has no number yet. */
static struct fpgabuf_slot *slot_create(struct fpgabuf_channel *channel,
					struct fpgabuf_import *import,
					const struct fpgabuf_register *reg,
					const struct fpgabuf_format *format)
{
	struct fpgabuf_slot *slot;
	int ret;

	slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	ret = fpgabuf_pieces_init(&slot->pieces, channel, format, import,
				  reg->offset);
	if (ret) {
		kfree(slot);
		return ERR_PTR(ret);
	}
	slot->channel = channel;
	slot->offset = reg->offset;
	slot->length = reg->length;
	fpgabuf_engine_job_init(&channel->client.engine, &slot->job);
	slot->import = import;
	return slot;
}

/**
 * struct registration - a buffer on its way into a slot
 * @dmabuf: the buffer
 * @format: of a frame, when the buffer was looked at
 * @import: the buffer as the engine's device has it, with a reference
 */
struct registration {
	struct dma_buf *dmabuf;
	struct fpgabuf_format format;
	struct fpgabuf_import *import;
};

static int register_allowed(struct fpgabuf_channel *channel, struct file *file,
			    const struct dma_buf *dmabuf,
			    struct fpgabuf_register *reg)
{
	if (channel->client.gone)
		return -ENODEV;
	if ((channel->owner && channel->owner != file) || channel->ring)
		return -EBUSY;
	return register_check(channel, dmabuf, reg);
}

/* Check what can be checked without mapping anything. */
static int register_begin(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_register *reg,
			  struct registration *r)
{
	int ret;

	if (mutex_lock_interruptible(&channel->client.lock))
		return -EINTR;
	ret = register_allowed(channel, file, r->dmabuf, reg);
	if (!ret) {
		r->format = channel->format;
		r->import = fpgabuf_slots_import(channel, r->dmabuf);
	}
	mutex_unlock(&channel->client.lock);
	return ret;
}

/* Attaching and mapping take as long as the buffer's exporter likes. */
static struct fpgabuf_slot *register_map(struct fpgabuf_channel *channel,
					 const struct fpgabuf_register *reg,
					 struct registration *r)
{
	struct fpgabuf_slot *slot;

	if (!r->import)
		r->import = fpgabuf_import(fpgabuf_channel_dma_dev(channel),
					   r->dmabuf, channel_dir(channel));
	if (IS_ERR(r->import))
		return ERR_CAST(r->import);
	slot = slot_create(channel, r->import, reg, &r->format);
	if (IS_ERR(slot))
		fpgabuf_import_put(r->import);
	return slot;
}

/* The format may be another one by now, and another file may own the channel. */
static int register_commit(struct file *file, const struct registration *r,
			   struct fpgabuf_slot *slot,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_channel *channel = slot->channel;
	struct fpgabuf_register *reg = &arg->reg;
	const u64 length = reg->length;
	int ret;

	ret = register_allowed(channel, file, r->dmabuf, reg);
	if (!ret && memcmp(&channel->format, &r->format, sizeof(r->format)))
		ret = -EBUSY;
	if (ret)
		return ret;
	reg->length = length;
	slot->number = slots_free_number(channel);
	reg->slot = slot->number;
	ret = fpgabuf_ioctl_put_locked(arg);
	if (!ret)
		ret = fpgabuf_channel_claim(channel, file);
	if (ret)
		return ret;
	/* Nothing may fail once it can be found. */
	slots_set(channel, slot->number, slot);
	WARN_ON(rb_find_add(&slot->range, &channel->ranges, range_cmp_nodes));
	WRITE_ONCE(channel->num_slots, channel->num_slots + 1);
	return 0;
}

static int register_dmabuf(struct fpgabuf_channel *channel, struct file *file,
			   struct dma_buf *dmabuf,
			   struct fpgabuf_ioctl_arg *arg)
{
	struct registration r = { .dmabuf = dmabuf };
	struct fpgabuf_register wanted = arg->reg;
	struct fpgabuf_slot *slot;
	int ret;

	ret = slots_grow(channel);
	if (!ret)
		ret = register_begin(channel, file, &wanted, &r);
	if (ret)
		return ret;
	slot = register_map(channel, &wanted, &r);
	if (IS_ERR(slot))
		return PTR_ERR(slot);

	mutex_lock(&channel->client.lock);
	ret = register_commit(file, &r, slot, arg);
	mutex_unlock(&channel->client.lock);
	if (ret)
		slot_free(slot);
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
	struct fpgabuf_slot *slot;
	int ret;

	if (arg->unreg.flags)
		return -EINVAL;
	if ((channel->owner && channel->owner != file) || channel->ring)
		return -EBUSY;
	slot = fpgabuf_slot(channel, arg->unreg.slot);
	if (!slot)
		return -ENOENT;
	ret = slot_remove(slot);
	if (!ret)
		slot_free(slot);
	return ret;
}
