// SPDX-License-Identifier: GPL-2.0
/*
 * The buffers that an importing device is attached to: dma-bufs of any origin,
 * attached and mapped once, so that a copy costs neither.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "node.h"

/* The buffer of that number, or NULL. */
struct importer_slot *importer_slot(struct fpgabuf_importer *importer,
				    u32 number)
{
	struct importer_slot *slot;

	lockdep_assert_held(&importer->client.lock);
	if (number >= IMPORTER_SLOTS)
		return NULL;
	slot = &importer->slots[number];
	return !slot->busy && slot->import ? slot : NULL;
}

/* The buffer that the slot is for; NULL: none. */
static const struct dma_buf *slot_dmabuf(const struct importer_slot *slot)
{
	/* While it is busy the rest of it is somebody else's. */
	if (slot->busy)
		return slot->busy;
	return slot->import ? slot->import->dmabuf : NULL;
}

static struct importer_slot *slot_find_free(struct fpgabuf_importer *importer)
{
	unsigned int i;

	for (i = 0; i < IMPORTER_SLOTS; i++)
		if (!slot_dmabuf(&importer->slots[i]))
			return &importer->slots[i];
	return NULL;
}

static bool slots_have(const struct fpgabuf_importer *importer,
		       const struct dma_buf *dmabuf)
{
	unsigned int i;

	for (i = 0; i < IMPORTER_SLOTS; i++)
		if (slot_dmabuf(&importer->slots[i]) == dmabuf)
			return true;
	return false;
}

static enum dma_data_direction attach_dir(u32 access)
{
	if (access == FPGABUF_IMPORT_READ)
		return DMA_TO_DEVICE;
	return access == FPGABUF_IMPORT_WRITE ? DMA_FROM_DEVICE :
						DMA_BIDIRECTIONAL;
}

static int attach_check(struct fpgabuf_importer *importer,
			const struct dma_buf *dmabuf, u32 access)
{
	const fmode_t mode = dmabuf->file->f_mode;

	if (access & FPGABUF_IMPORT_READ && !(mode & FMODE_READ))
		return -EACCES;
	if (access & FPGABUF_IMPORT_WRITE && !(mode & FMODE_WRITE))
		return -EACCES;
	if (slots_have(importer, dmabuf))
		return -EEXIST;
	return READ_ONCE(importer->client.engine.quarantine) ? -EIO : 0;
}

static int slot_pin(struct importer_slot *slot, struct dma_buf *dmabuf,
		    u32 access)
{
	struct fpgabuf_importer *importer = slot->importer;
	struct fpgabuf_import *import;
	struct importer_map *map;

	import = fpgabuf_import(importer_dma_dev(importer), dmabuf,
				attach_dir(access));
	if (IS_ERR(import))
		return PTR_ERR(import);
	map = importer_map_pinned(importer, import);
	if (IS_ERR(map)) {
		fpgabuf_import_put(import);
		return PTR_ERR(map);
	}
	slot->map = map;
	slot->import = import;
	return 0;
}

/* Of a slot that nobody else uses, now or ever again. */
static void slot_clear(struct importer_slot *slot)
{
	struct fpgabuf_import *import = slot->import;
	struct importer_map *map;

	if (!import)
		return;
	dma_resv_lock(import->dmabuf->resv, NULL);
	map = slot->map;
	slot->map = NULL;
	dma_resv_unlock(import->dmabuf->resv);
	importer_map_put(slot->importer, map);
	importer_maps_flush(slot->importer);
	slot->import = NULL;
	fpgabuf_import_put(import);
}

static int slot_move(struct importer_slot *slot, struct dma_buf *dmabuf,
		     u32 access, bool peer)
{
	struct fpgabuf_importer *importer = slot->importer;
	struct fpgabuf_import *import;

	import = fpgabuf_import_movable(importer_dma_dev(importer), dmabuf,
					attach_dir(access), peer,
					&importer_import_ops, slot);
	if (IS_ERR(import))
		return PTR_ERR(import);
	slot->import = import;
	return 0;
}

/* Where it is now, with a reference. */
static int slot_get_map(struct importer_slot *slot, struct importer_map **map)
{
	struct dma_resv *resv = slot->import->dmabuf->resv;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = importer_map_slot(slot->importer, slot);
	if (!ret) {
		refcount_inc(&slot->map->ref);
		*map = slot->map;
	}
	dma_resv_unlock(resv);
	return ret;
}

/* A slot for the buffer, which is busy from then on. */
static int attach_begin(struct fpgabuf_importer *importer,
			struct dma_buf *dmabuf, u32 access,
			struct importer_slot **slot)
{
	int ret;

	if (mutex_lock_interruptible(&importer->client.lock))
		return -EINTR;
	ret = importer->client.gone ? -ENODEV :
		attach_check(importer, dmabuf, access);
	if (ret)
		goto out_unlock;
	*slot = slot_find_free(importer);
	if (*slot) {
		(*slot)->busy = dmabuf;
		(*slot)->access = access;
	} else {
		ret = -ENOSPC;
	}
out_unlock:
	mutex_unlock(&importer->client.lock);
	return ret;
}

/* Attaching and mapping take as long as the buffer's exporter likes. */
static int attach_slot(struct importer_slot *slot,
		       struct fpgabuf_import_attach *arg)
{
	struct importer_map *map;
	int ret;

	if (arg->flags & FPGABUF_IMPORT_MOVABLE)
		ret = slot_move(slot, slot->busy, arg->access,
				arg->flags & FPGABUF_IMPORT_PEER);
	else
		ret = slot_pin(slot, slot->busy, arg->access);
	if (!ret)
		ret = slot_get_map(slot, &map);
	if (ret)
		return ret;
	arg->slot = slot - slot->importer->slots;
	arg->size = slot->busy->size;
	arg->segments = map->table.nents;
	importer_map_put(slot->importer, map);
	return 0;
}

/* Attached, if @ret is 0, and the answer can be given. */
static int attach_end(struct importer_slot *slot, int ret,
		      const struct fpgabuf_import_attach *arg,
		      void __user *user, size_t size,
		      struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_importer *importer = slot->importer;

	mutex_lock(&importer->client.lock);
	if (!ret && importer->client.gone)
		ret = -ENODEV;
	if (!ret)
		ret = fpgabuf_user_write((uintptr_t)user, arg,
					 min(size, sizeof(*arg)), fault);
	if (!ret)
		slot->busy = NULL;
	mutex_unlock(&importer->client.lock);
	if (!ret)
		return 0;

	slot_clear(slot);
	mutex_lock(&importer->client.lock);
	slot->busy = NULL;
	mutex_unlock(&importer->client.lock);
	return ret;
}

static int attach_dmabuf(struct fpgabuf_importer *importer,
			 struct dma_buf *dmabuf,
			 struct fpgabuf_import_attach arg, void __user *user,
			 size_t size, struct fpgabuf_user_fault *fault)
{
	struct importer_slot *slot;
	int ret;

	ret = fpgabuf_client_enter(&importer->client);
	if (ret)
		return ret;
	ret = attach_begin(importer, dmabuf, arg.access, &slot);
	if (!ret) {
		ret = attach_slot(slot, &arg);
		ret = attach_end(slot, ret, &arg, user, size, fault);
	}
	fpgabuf_client_leave(&importer->client);
	return ret;
}

int importer_ioctl_attach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size)
{
	struct fpgabuf_user_fault fault = {};
	struct fpgabuf_import_attach arg;
	struct dma_buf *dmabuf;
	int ret;

	ret = copy_struct_from_user(&arg, sizeof(arg), user, size);
	if (ret)
		return ret;
	if (arg.flags & ~(FPGABUF_IMPORT_MOVABLE | FPGABUF_IMPORT_PEER) ||
	    arg.flags == FPGABUF_IMPORT_PEER || arg.reserved || !arg.access ||
	    arg.access & ~(FPGABUF_IMPORT_READ | FPGABUF_IMPORT_WRITE))
		return -EINVAL;

	dmabuf = dma_buf_get(arg.fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	do {
		ret = attach_dmabuf(importer, dmabuf, arg, user, size, &fault);
	} while (ret == -EFAULT && !fpgabuf_user_fault_in(&fault));
	dma_buf_put(dmabuf);
	return ret;
}

/* The slot is the caller's, if nobody uses it. */
static int detach_begin(struct fpgabuf_importer *importer, u32 number,
			struct importer_slot **slot)
{
	int ret = 0;

	if (mutex_lock_interruptible(&importer->client.lock))
		return -EINTR;
	if (importer->client.gone) {
		ret = -ENODEV;
		goto out_unlock;
	}
	*slot = importer_slot(importer, number);
	if (!*slot) {
		ret = -ENOENT;
		goto out_unlock;
	}
	spin_lock_irq(&importer->client.engine.queue.lock);
	if ((*slot)->pending || (*slot)->quarantined)
		ret = -EBUSY;
	spin_unlock_irq(&importer->client.engine.queue.lock);
	if (!ret)
		(*slot)->busy = (*slot)->import->dmabuf;
out_unlock:
	mutex_unlock(&importer->client.lock);
	return ret;
}

int importer_ioctl_detach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size)
{
	struct fpgabuf_import_detach arg;
	struct importer_slot *slot;
	int ret;

	ret = copy_struct_from_user(&arg, sizeof(arg), user, size);
	if (ret)
		return ret;
	if (arg.flags)
		return -EINVAL;
	ret = fpgabuf_client_enter(&importer->client);
	if (ret)
		return ret;
	ret = detach_begin(importer, arg.slot, &slot);
	if (!ret) {
		slot_clear(slot);
		mutex_lock(&importer->client.lock);
		slot->busy = NULL;
		mutex_unlock(&importer->client.lock);
	}
	fpgabuf_client_leave(&importer->client);
	return ret;
}

static void segments_tell(const struct importer_map *map,
			  struct fpgabuf_import_segment *segments, u32 count)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&map->table, sg, i) {
		const dma_addr_t addr = sg_dma_address(sg);

		if (i == count)
			break;
		segments[i].length = sg_dma_len(sg);
		segments[i].alignment = addr & -addr;
	}
}

/* What it is mapped to, with a reference that is put before importer_leave(). */
static int segments_map(struct fpgabuf_importer *importer, u32 number,
			struct importer_map **map)
{
	struct importer_slot *slot;
	int ret;

	if (mutex_lock_interruptible(&importer->client.lock))
		return -EINTR;
	slot = importer->client.gone ? NULL : importer_slot(importer, number);
	if (slot)
		ret = slot_get_map(slot, map);
	else
		ret = importer->client.gone ? -ENODEV : -ENOENT;
	mutex_unlock(&importer->client.lock);
	return ret;
}

/* Into memory of the kernel, which is the caller's to free, also at an error. */
static int segments_get(struct fpgabuf_importer *importer,
			struct fpgabuf_import_segments *arg, u32 *count,
			struct fpgabuf_import_segment **segments)
{
	struct importer_map *map;
	int ret;

	ret = fpgabuf_client_enter(&importer->client);
	if (ret)
		return ret;
	ret = segments_map(importer, arg->slot, &map);
	if (ret)
		goto out_leave;
	*count = min(arg->count, map->table.nents);
	arg->count = map->table.nents;
	/* The table's own size is not in the caller's hands. */
	*segments = kvcalloc(*count, sizeof(**segments), GFP_KERNEL);
	if (*segments)
		segments_tell(map, *segments, *count);
	else
		ret = -ENOMEM;
	importer_map_put(importer, map);
out_leave:
	fpgabuf_client_leave(&importer->client);
	return ret;
}

int importer_ioctl_segments(struct fpgabuf_importer *importer,
			    void __user *user, size_t size)
{
	struct fpgabuf_import_segment *segments = NULL;
	struct fpgabuf_import_segments arg;
	u32 count;
	int ret;

	ret = copy_struct_from_user(&arg, sizeof(arg), user, size);
	if (ret)
		return ret;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	ret = segments_get(importer, &arg, &count, &segments);
	if (!ret && copy_to_user(u64_to_user_ptr(arg.segments), segments,
				 count * sizeof(*segments)))
		ret = -EFAULT;
	kvfree(segments);
	return ret ?: copy_struct_to_user(user, size, &arg, sizeof(arg), NULL);
}

/* Nothing is queued. What the engine may still be at is kept elsewhere. */
void importer_slots_release(struct fpgabuf_importer *importer)
{
	unsigned int i;

	lockdep_assert_held(&importer->client.lock);
	for (i = 0; i < IMPORTER_SLOTS; i++) {
		struct importer_slot *slot = &importer->slots[i];

		/* Who attaches or detaches it ends that. */
		if (slot->busy)
			continue;
		slot->quarantined = false;
		slot_clear(slot);
	}
}

void importer_slots_init(struct fpgabuf_importer *importer)
{
	unsigned int i;

	for (i = 0; i < IMPORTER_SLOTS; i++)
		importer->slots[i].importer = importer;
}
