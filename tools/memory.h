/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a channel: which kind, and why there is none. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <fpgabuf.h>

/* @wanted: enum fpgabuf_kind, -1: the one that suits the channel's engine. */
bool choose_kind(const struct fpgabuf_channel *channel, int wanted,
		 uint32_t *kind);
/* @name: of the memory, @error: what allocating it ended with */
void complain_alloc(const struct fpgabuf_channel *channel, const char *name,
		    uint64_t size, int error);

#endif /* MEMORY_H */
