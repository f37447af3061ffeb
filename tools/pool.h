/* SPDX-License-Identifier: GPL-2.0 */
/* The buffers of a capture: allocated, registered and mapped once. */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <fpgabuf.h>

struct buffer {
	uint32_t slot;
	struct fpgabuf_map map;
};

struct pool {
	/* room for all that were asked for */
	struct buffer *buffers;
	unsigned int count;
	bool mapped;
	/* what all buffers are in, of a channel with FPGABUF_CAP_RING */
	struct fpgabuf_map ring;
};

/* The most that a request may ask for; a channel may take fewer. */
#define POOL_MAX	4096

struct pool_request {
	/* 0: a default */
	unsigned int count;
	/* enum fpgabuf_kind, -1: the one that suits the channel's engine */
	int kind;
	/* a dma-heap's node to allocate from in place of the channel, or NULL */
	const char *heap;
	/*
	 * bytes of each buffer in memory of this process, in place of the
	 * channel's, for those who can take only that; 0: not so
	 */
	uint64_t own;
	/* whether the frames are looked at */
	bool map;
};

/* Both tell what went wrong. The pool of a failed init is to be freed, too. */
bool pool_init(struct pool *pool, struct fpgabuf_channel *channel,
	       const struct pool_request *request, uint64_t size);
/* The buffers are unregistered when the channel is closed. */
void pool_free(struct pool *pool);

#endif /* POOL_H */
