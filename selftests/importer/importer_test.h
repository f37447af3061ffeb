/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of importing devices share, besides what ../fpgabuf has. They
 * speak the ABI of <linux/fpgabuf.h> by raw ioctls.
 *
 * Functions return a negative errno when they fail.
 */
#ifndef FPGABUF_IMPORTER_TEST_H
#define FPGABUF_IMPORTER_TEST_H

#include "../fpgabuf/fences.h"
#include "../fpgabuf/foreign.h"
#include "../fpgabuf/fpgabuf_test.h"

#define IMPORT_BOTH	(FPGABUF_IMPORT_READ | FPGABUF_IMPORT_WRITE)
/* Copies that may be queued, or done and not taken, at a time */
#define IMPORT_DEPTH	64
#define IMPORT_SLOTS	64

/* The simulated FPGA's, the first one. */
int import_open(int flags);
int import_info(int dev, struct fpgabuf_import_info *info);
/* Returns the slot. */
int import_attach(int dev, int fd, __u32 access);
int import_detach(int dev, __u32 slot);
int import_segments(int dev, __u32 slot, struct fpgabuf_import_segment *to,
		    __u32 *count);
int import_queue(int dev, struct fpgabuf_import_copy *copies, __u32 num);
/* Returns how many were taken. */
int import_take(int dev, struct fpgabuf_import_done *done, __u32 max,
		__u32 min, __s64 timeout);
/* Queue a copy of the first @length bytes and wait for it: its status. */
int import_copy(int dev, __u32 src, __u32 dst, __u64 length);

/* Memory that an importing device may meet */
enum origin {
	ORIGIN_COHERENT,
	ORIGIN_WRITECOMBINE,
	ORIGIN_CONTIGUOUS,
	ORIGIN_NONCONTIGUOUS,
	ORIGIN_SYSTEM,
	ORIGIN_USER,
	ORIGIN_POOL,
	ORIGIN_VGEM,
	ORIGIN_UDMABUF,
	ORIGIN_HEAP,
};

/*
 * A buffer of at least @size bytes, mapped; @ch: a channel, for memory of ours.
 * -ENOENT, -ENODEV: the kernel does not have it.
 */
int origin_alloc(enum origin origin, int ch, size_t size, struct buffer *b);
/* What it must be attached for besides, because of its exporter */
__u32 origin_access(enum origin origin);
/* Whether others than its devices see to its bounce buffers */
bool origin_syncs(enum origin origin);

/**
 * struct pair - an importing device with two buffers, which are its slots
 * @ch: a channel, for memory
 * @dev: the device
 * @b: the buffers: filled with SEED, and with OTHER
 */
struct pair {
	int ch;
	int dev;
	struct buffer b[2];
};

/* What the two are filled with at first */
#define SEED	7
#define OTHER	1234567

enum { SRC, DST };

/* @access: that of the first buffer; the other one has both. */
int pair_open(struct pair *p, size_t size, __u32 kind, __u32 access);

/* The CPU's bytes, in brackets of DMA_BUF_IOCTL_SYNC; counted from @seed on */
void buffer_fill(const struct buffer *b, __u32 seed);
/* Where the first byte is that is not as if filled with @seed; @end: none */
int buffer_differs(const struct buffer *b, __u32 seed, size_t begin,
		   size_t end);
/* The same of bytes that came from elsewhere: byte i is @seed's byte @from + i. */
int buffer_differs_from(const struct buffer *b, __u32 seed, size_t begin,
			size_t end, size_t from);

#endif /* FPGABUF_IMPORTER_TEST_H */
