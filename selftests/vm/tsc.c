// SPDX-License-Identifier: GPL-2.0
/*
 * Prints how fast this machine's TSC counts, in kHz.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
	uint64_t tsc;
	uint64_t ns;
};

/* Both clocks, from the try in which they were read closest to each other. */
static struct moment now(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;
	struct timespec ts;
	int i;

	for (i = 0; i < 50; i++) {
		uint64_t before = __rdtsc();
		uint64_t took;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		took = __rdtsc() - before;
		if (took >= least)
			continue;
		least = took;
		best.tsc = before + took / 2;
		best.ns = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec a_while = { .tv_nsec = 20000000 };
	struct moment from = now();
	struct moment to;

	nanosleep(&a_while, NULL);
	to = now();
	printf("%ju\n", (uintmax_t)((to.tsc - from.tsc) * 1000000 /
				    (to.ns - from.ns)));
	return 0;
}
