// SPDX-License-Identifier: GPL-2.0
/*
 * fpgabuf heaps: every kind of memory that a size is enough to ask for, of every
 * device that has a channel, as /dev/dma_heap/fpgabuf-DEVICE-KIND, for programs
 * that know only dma-heaps.
 *
 * This file knows which heaps there are, core.c or chardev.c how to show one.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "heap.h"

/* All there ever were; only for the notifier, and exit when there is none. */
static LIST_HEAD(fpgabuf_heaps);
static unsigned int fpgabuf_num_heaps;

/*
 * Memory for a heap's ioctl: @len is not 0 and whole pages, @fd_flags are
 * valid. Users of heaps know no other errno for a size that is too large.
 */
struct dma_buf *fpgabuf_heap_alloc(const struct fpgabuf_heap *heap,
				   unsigned long len, u32 fd_flags)
{
	struct dma_buf *dmabuf;

	dmabuf = fpgabuf_device_alloc(heap->device, len, heap->kind, fd_flags);
	if (dmabuf == ERR_PTR(-EOVERFLOW) || dmabuf == ERR_PTR(-EFBIG))
		return ERR_PTR(-ENOMEM);
	return dmabuf;
}

static void heap_free(struct fpgabuf_heap *heap)
{
	kfree(heap->name);
	kfree(heap->device);
	kfree(heap);
}

static struct fpgabuf_heap *heap_create(const char *device,
					enum fpgabuf_kind kind)
{
	struct fpgabuf_heap *heap;

	if (fpgabuf_num_heaps == FPGABUF_MAX_HEAPS)
		return ERR_PTR(-ENOSPC);

	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	heap->kind = kind;
	heap->number = fpgabuf_num_heaps;
	heap->device = kstrdup(device, GFP_KERNEL);
	heap->name = kasprintf(GFP_KERNEL, "fpgabuf-%s-%s", device,
			       fpgabuf_kind_name(kind));
	if (!heap->device || !heap->name) {
		heap_free(heap);
		return ERR_PTR(-ENOMEM);
	}
	/* It would stand for a folder. */
	strreplace(heap->name, '!', '_');

	list_add_tail(&heap->list, &fpgabuf_heaps);
	fpgabuf_num_heaps++;
	return heap;
}

static struct fpgabuf_heap *heap_find(const char *device,
				      enum fpgabuf_kind kind)
{
	struct fpgabuf_heap *heap;

	list_for_each_entry(heap, &fpgabuf_heaps, list)
		if (heap->kind == kind && !strcmp(heap->device, device))
			return heap;
	return heap_create(device, kind);
}

static void heaps_show(const struct fpgabuf_device *device)
{
	const char *name = dev_name(device->dev);
	unsigned int kind;

	for (kind = 0; fpgabuf_kind_name(kind); kind++) {
		struct fpgabuf_heap *heap;
		int ret;

		if (!fpgabuf_device_offers(device, kind))
			continue;
		heap = heap_find(name, kind);
		ret = PTR_ERR_OR_ZERO(heap);
		if (!ret)
			ret = fpgabuf_heap_show(heap);
		if (ret)
			pr_warn("fpgabuf_heaps: no heap of %s memory for %s: %d\n",
				fpgabuf_kind_name(kind), name, ret);
	}
}

static void heaps_hide(const char *device)
{
	struct fpgabuf_heap *heap;

	list_for_each_entry(heap, &fpgabuf_heaps, list)
		if (!strcmp(heap->device, device))
			fpgabuf_heap_hide(heap);
}

static int heaps_notify(struct notifier_block *nb, unsigned long event,
			void *data)
{
	const struct fpgabuf_device *device = data;

	if (event == FPGABUF_DEVICE_ADD)
		heaps_show(device);
	else
		heaps_hide(dev_name(device->dev));
	return NOTIFY_OK;
}

static struct notifier_block heaps_notifier = {
	.notifier_call = heaps_notify,
};

static int __init fpgabuf_heaps_init(void)
{
	int ret;

	ret = fpgabuf_nodes_init();
	if (ret)
		return ret;
	ret = fpgabuf_device_register_notifier(&heaps_notifier);
	if (ret)
		fpgabuf_nodes_exit();
	return ret;
}

static void __exit fpgabuf_heaps_exit(void)
{
	struct fpgabuf_heap *heap, *next;

	fpgabuf_device_unregister_notifier(&heaps_notifier);
	list_for_each_entry_safe(heap, next, &fpgabuf_heaps, list) {
		fpgabuf_heap_hide(heap);
		heap_free(heap);
	}
	fpgabuf_nodes_exit();
}

module_init(fpgabuf_heaps_init);
module_exit(fpgabuf_heaps_exit);

MODULE_DESCRIPTION("DMA memory for FPGAs, as dma-heaps");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
