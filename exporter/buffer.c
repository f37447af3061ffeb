// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer, whatever its kind.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "exporter.h"

/**
 * fpgabuf_buffer_new() - get memory
 * @dev: the device it is for
 * @size: bytes
 * @ops: its kind
 * @kind: number of that
 * @request: what @ops->alloc finds in &fpgabuf_buffer.priv
 *
 * Return: a buffer that belongs to the caller, or an ERR_PTR of @ops->alloc.
 */
struct fpgabuf_buffer *fpgabuf_buffer_new(struct device *dev, size_t size,
					  const struct fpgabuf_kind_ops *ops,
					  enum fpgabuf_kind kind, void *request)
{
	struct fpgabuf_buffer *buffer;
	int ret;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);

	kref_init(&buffer->ref);
	buffer->dev = get_device(dev);
	buffer->kind = ops;
	buffer->number = kind;
	buffer->size = size;
	buffer->priv = request;
	buffer->dma_addr = DMA_MAPPING_ERROR;
	buffer->reserved = fpgabuf_reserved_get(dev, kind);
	init_rwsem(&buffer->memory);
	mutex_init(&buffer->lock);
	mutex_init(&buffer->mappings_lock);
	init_waitqueue_head(&buffer->unmapped);
	INIT_LIST_HEAD(&buffer->attachments);
	INIT_LIST_HEAD(&buffer->live);

	ret = ops->alloc(buffer);
	if (ret) {
		fpgabuf_buffer_free(buffer);
		return ERR_PTR(ret);
	}
	return buffer;
}

/**
 * fpgabuf_buffer_free() - free a buffer that has no memory
 * @buffer: the buffer, in use no more
 */
void fpgabuf_buffer_free(struct fpgabuf_buffer *buffer)
{
	mutex_destroy(&buffer->mappings_lock);
	mutex_destroy(&buffer->lock);
	fpgabuf_reserved_put(buffer->reserved);
	put_device(buffer->dev);
	kfree(buffer);
}

/**
 * fpgabuf_buffer_destroy() - free a buffer and its memory
 * @buffer: the buffer, in use no more; if it is of a @bound kind, its device has a
 *	driver
 */
void fpgabuf_buffer_destroy(struct fpgabuf_buffer *buffer)
{
	buffer->kind->free(buffer);
	fpgabuf_buffer_free(buffer);
}
