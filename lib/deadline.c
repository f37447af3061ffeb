// SPDX-License-Identifier: LGPL-2.1-or-later
#include <time.h>

#include "internal.h"

#define NSEC_PER_SEC	INT64_C(1000000000)

static int64_t monotonic_ns(void)
{
	struct timespec now;

	/* Cannot fail: the clock always exists, and the pointer is good. */
	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

int64_t fpgabuf_deadline(int64_t timeout_ns)
{
	int64_t deadline;

	if (timeout_ns < 0)
		return FPGABUF_DEADLINE_NEVER;
	if (timeout_ns == 0)
		return FPGABUF_DEADLINE_NOW;
	if (__builtin_add_overflow(monotonic_ns(), timeout_ns, &deadline))
		return FPGABUF_DEADLINE_NEVER;

	return deadline;
}

int64_t fpgabuf_deadline_left(int64_t deadline)
{
	int64_t left;

	if (deadline == FPGABUF_DEADLINE_NEVER)
		return -1;
	if (deadline == FPGABUF_DEADLINE_NOW)
		return 0;

	/* Not 0 when the time is over: that is -EAGAIN, not -ETIMEDOUT. */
	left = deadline - monotonic_ns();

	return left > 0 ? left : 1;
}
