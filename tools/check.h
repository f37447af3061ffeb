/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is wrong with a captured frame: from its completion, and from what it
 * says of itself in its trailer.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <fpgabuf.h>

struct check {
	/* of the next frame, if none is lost */
	uint64_t next;
	/* frames that failed since the last one that has a number */
	uint64_t unnumbered;
	uint64_t lost;
	uint64_t reordered;
	uint64_t wrong;
	/* what was told, of which there is a bound */
	unsigned int told;
	/* whether loss and order are errors, to be told each */
	bool strict;
};

/* Return: whether there is a whole frame in the buffer. */
bool check_completion(struct check *check,
		      const struct fpgabuf_completion *done, uint64_t size);

/* @frame: @size bytes, readable. */
void check_frame(struct check *check, const struct fpgabuf_completion *done,
		 const void *frame, uint64_t size);

bool check_failed(const struct check *check);

#endif /* CHECK_H */
