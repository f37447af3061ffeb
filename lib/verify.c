// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "internal.h"

static void read_trailer(const void *frame, size_t length,
			 struct fpgabuf_trailer *trailer)
{
	const size_t start = length - sizeof(*trailer);

	/* A frame of any length: the trailer need not be aligned. */
	memcpy(trailer, (const char *)frame + start, sizeof(*trailer));

	trailer->magic = le32toh(trailer->magic);
	trailer->run = le32toh(trailer->run);
	trailer->sequence = le64toh(trailer->sequence);
	trailer->length = le64toh(trailer->length);
	trailer->reserved = le32toh(trailer->reserved);
	trailer->crc = le32toh(trailer->crc);
}

int fpgabuf_verify_frame(const void *frame, size_t length,
			 struct fpgabuf_trailer *trailer)
{
	struct fpgabuf_trailer found;

	if (length < sizeof(found))
		return -EMSGSIZE;

	read_trailer(frame, length, &found);
	if (trailer)
		*trailer = found;

	if (found.magic != FPGABUF_TRAILER_MAGIC)
		return -EBADMSG;
	if (found.length != length)
		return -EMSGSIZE;
	if (found.crc != fpgabuf_crc32c(0, frame, length - sizeof(found.crc)))
		return -EILSEQ;

	return 0;
}
