/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other exporters and importers of dma-bufs, for tests against fpgabuf's.
 *
 * Functions return a negative errno when they fail; -ENOENT and -ENODEV say
 * that the kernel does not have it.
 */
#ifndef FPGABUF_FOREIGN_H
#define FPGABUF_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* vgem: a DRM device with fences that user space signals */

int vgem_open(void);
/* Creates a buffer and exports it. */
int vgem_alloc(int drm, size_t size);
/* The same, for who has no use for the device */
int vgem_memory(size_t size);
int vgem_import(int drm, int fd, __u32 *handle);
int vgem_export(int drm, __u32 handle);
int vgem_close(int drm, __u32 handle);
/* Adds an unsignalled fence to the buffer; returns its number. */
int vgem_fence_attach(int drm, __u32 handle, bool write);
int vgem_fence_signal(int drm, __u32 fence);

/* Pages of a memfd as a dma-buf */
int udmabuf_alloc(size_t size);
/* /dev/dma_heap/system */
int heap_alloc(size_t size);

/* vivid: a V4L2 capture device that maps dma-bufs into the kernel */

#define VIVID_PARAM	"node_types=0x1"

/* Opens its capture node, with a still picture set; tells a frame's bytes. */
int vivid_open(size_t *size);
/* One buffer of its own memory, exported. */
int vivid_alloc(int video);
/* Captures a picture, into @fd or, with -1, into its own memory at @copy. */
int vivid_capture(int video, int fd, void *copy, size_t size);

#endif /* FPGABUF_FOREIGN_H */
