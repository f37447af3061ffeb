/* SPDX-License-Identifier: GPL-2.0 */
/* From what was asked for on the command line to the channel's format. */
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>
#include <fpgabuf.h>

/* What is 0 was not asked for. */
struct format_request {
	uint32_t type;
	uint32_t fourcc;
	uint32_t width;
	uint32_t height;
	uint64_t bytes;
	bool packets;
	struct fpgabuf_fract rate;
};

/* Sets the format, and owns the channel then. Tells why when it cannot. */
bool select_format(struct fpgabuf_channel *channel,
		   const struct format_request *request,
		   struct fpgabuf_format *format);

#endif /* SELECT_H */
