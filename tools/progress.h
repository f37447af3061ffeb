/* SPDX-License-Identifier: GPL-2.0 */
/* How far a capture is and how fast it goes. Times are CLOCK_MONOTONIC, ns. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "check.h"

struct progress {
	int64_t start;
	/* the last frame's */
	int64_t end;
	uint64_t frames;
	uint64_t bytes;
	/* since the line that was shown last */
	int64_t shown_at;
	uint64_t shown_frames;
	uint64_t shown_bytes;
	/* a line a second on a terminal */
	bool live;
};

int64_t monotonic_ns(void);

void progress_start(struct progress *progress, bool live);
void progress_frame(struct progress *progress, int64_t timestamp,
		    uint64_t bytes);
/* Shows a line when one is due. Return: ns to the next one, -1 if never. */
int64_t progress_tick(struct progress *progress, const struct check *check);
/* @verified: whether the contents of the frames were checked. */
void progress_summary(const struct progress *progress,
		      const struct check *check, bool verified, FILE *to);

#endif /* PROGRESS_H */
