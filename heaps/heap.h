/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_HEAP_H
#define _FPGABUF_HEAP_H

#include <linux/fpgabuf.h>
#include <linux/list.h>
#include <linux/types.h>

/* As many as the kernel has minors for its own */
#define FPGABUF_MAX_HEAPS	128

struct cdev;
struct dma_buf;
struct dma_heap;

/**
 * struct fpgabuf_heap - one kind of memory of one device, as a dma-heap
 * @list: in the list of main.c
 * @device: name of the device
 * @kind: the kind of memory
 * @name: of the node, in /dev/dma_heap
 * @number: of the heap, from 0 on
 * @cdev: chardev.c: the node, while it is there
 * @core: core.c: the heap as the kernel knows it
 *
 * Stays until the module goes, and is used again when its device comes back: a
 * file that is open may reach it at any time. @cdev and @core are only used by
 * fpgabuf_heap_show() and fpgabuf_heap_hide(), all else is constant.
 */
struct fpgabuf_heap {
	struct list_head list;
	char *device;
	enum fpgabuf_kind kind;
	char *name;
	unsigned int number;
	struct cdev *cdev;
	struct dma_heap *core;
};

/* main.c */
struct dma_buf *fpgabuf_heap_alloc(const struct fpgabuf_heap *heap,
				   unsigned long len, u32 fd_flags);

/*
 * core.c with a kernel that lets modules add heaps, else chardev.c. The middle
 * two are called one at a time.
 */
int fpgabuf_nodes_init(void);
int fpgabuf_heap_show(struct fpgabuf_heap *heap);
void fpgabuf_heap_hide(struct fpgabuf_heap *heap);
void fpgabuf_nodes_exit(void);

#endif /* _FPGABUF_HEAP_H */
