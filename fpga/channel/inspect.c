// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_INSPECT: what a dma-buf is, as this channel's engine sees it.
 *
 * A buffer that is not registered is mapped for the question, and only to be
 * read: unmapping what a device may have written brings a bounce buffer's bytes
 * back, over a frame that is being captured into the same memory.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "channel.h"

/* Counts all; writes the names that fit. */
static int attached_fill(struct dma_buf *dmabuf, char *names, size_t room,
			 struct fpgabuf_inspect *inspect)
{
	struct dma_buf_attachment *attach;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;

	inspect->attached = 0;
	inspect->names_size = 0;
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		const char *name = dev_name(attach->dev);
		size_t len = strlen(name) + 1;

		if (inspect->names_size + len <= room)
			memcpy(names + inspect->names_size, name, len);
		inspect->names_size += len;
		inspect->attached++;
	}
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

/* User space cannot be written to under the reservation lock. */
static int inspect_attached(struct dma_buf *dmabuf,
			    struct fpgabuf_inspect *inspect)
{
	const size_t room = inspect->names_size;
	char *names = NULL;
	size_t size = 0;
	int ret;

	for (;;) {
		ret = attached_fill(dmabuf, names, size, inspect);
		if (ret || inspect->names_size <= size || size == room)
			break;
		/* There are more than when they were counted last. */
		kvfree(names);
		size = min_t(size_t, inspect->names_size, room);
		names = kvzalloc(size, GFP_KERNEL_ACCOUNT);
		if (!names)
			return -ENOMEM;
	}

	size = min_t(size_t, inspect->names_size, size);
	if (!ret && copy_to_user(u64_to_user_ptr(inspect->names), names, size))
		ret = -EFAULT;
	kvfree(names);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/* By all addresses: a device may get some pages bounced, and others not. */
static bool import_needs_sync(struct device *dev,
			      const struct fpgabuf_import *import)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(import->sgt, sg, i)
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

static int inspect_import(const struct fpgabuf_channel *channel,
			  const struct fpgabuf_import *import, bool coherent,
			  struct fpgabuf_inspect *inspect)
{
	struct device *dev = fpgabuf_channel_dma_dev(channel);
	struct scatterlist *sg;
	struct sg_table table;
	unsigned int i;
	int ret;

	ret = fpgabuf_import_slice(import, NULL, 0, import->dmabuf->size,
				   fpgabuf_pieces_max_segment(channel), &table);
	if (ret)
		return ret;

	inspect->dma_segments = table.nents;
	for_each_sgtable_dma_sg(&table, sg, i)
		inspect->dma_largest = max_t(u64, inspect->dma_largest,
					     sg_dma_len(sg));
	sg_free_table(&table);
	if (!coherent && import_needs_sync(dev, import))
		inspect->traits |= FPGABUF_INSPECT_NEEDS_SYNC;
	return 0;
}

/* As it is registered, with a reference; NULL: it is not. */
static struct fpgabuf_import *inspect_slots(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf)
{
	struct fpgabuf_import *import;

	mutex_lock(&channel->client.lock);
	import = fpgabuf_slots_import(channel, dmabuf);
	mutex_unlock(&channel->client.lock);
	return import;
}

static int inspect_mapping(struct fpgabuf_channel *channel,
			   struct dma_buf *dmabuf, bool coherent,
			   struct fpgabuf_inspect *inspect)
{
	struct fpgabuf_import *import = inspect_slots(channel, dmabuf);
	int ret;

	if (import)
		inspect->traits |= FPGABUF_INSPECT_REGISTERED;
	else
		import = fpgabuf_import(fpgabuf_channel_dma_dev(channel),
					dmabuf, DMA_TO_DEVICE);
	if (IS_ERR(import))
		return PTR_ERR(import);

	ret = inspect_import(channel, import, coherent, inspect);
	fpgabuf_import_put(import);
	return ret;
}

static int inspect_memory(struct fpgabuf_channel *channel,
			  struct dma_buf *dmabuf,
			  struct fpgabuf_inspect *inspect)
{
	struct device *dev = fpgabuf_channel_dma_dev(channel);
	struct fpgabuf_description desc = {};
	bool ours;
	int ret;

	ours = fpgabuf_describe(dmabuf, dev, &desc);
	inspect->size = dmabuf->size;
	inspect->kind = ours ? desc.kind : FPGABUF_KIND_FOREIGN;
	inspect->cpu_segments = desc.pieces;
	inspect->cpu_largest = desc.largest;
	inspect->traits = 0;
	if (!dma_resv_test_signaled(dmabuf->resv, DMA_RESV_USAGE_READ))
		inspect->traits |= FPGABUF_INSPECT_BUSY;

	inspect->dma_segments = 0;
	inspect->dma_largest = 0;
	ret = inspect_mapping(channel, dmabuf, desc.coherent, inspect);
	if (ret == -ERESTARTSYS || ret == -EINTR)
		return -EINTR;
	inspect->status = ret;
	return 0;
}

static int inspect_dmabuf(struct fpgabuf_channel *channel,
			  struct dma_buf *dmabuf,
			  struct fpgabuf_inspect *inspect)
{
	int ret;

	/* Before this call attaches a device itself. */
	ret = inspect_attached(dmabuf, inspect);
	if (!ret)
		ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		return ret;
	ret = inspect_memory(channel, dmabuf, inspect);
	fpgabuf_client_leave(&channel->client);
	return ret;
}

int fpgabuf_ioctl_inspect(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_inspect *inspect = &arg->inspect;
	struct dma_buf *dmabuf;
	int ret;

	if (inspect->flags || inspect->reserved)
		return -EINVAL;

	dmabuf = dma_buf_get(inspect->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = inspect_dmabuf(channel, dmabuf, inspect);
	dma_buf_put(dmabuf);
	return ret ? ret : fpgabuf_ioctl_put(arg);
}
