/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults by number: the n-th allocation that a call makes fails, for n = 1, 2, 3
 * and so on until the call makes no more. See the kernel's
 * Documentation/fault-injection/fault-injection.rst.
 */
#ifndef FPGABUF_INJECT_H
#define FPGABUF_INJECT_H

#include <stdbool.h>

#include "../fpgabuf/fpgabuf_test.h"

/* The channel that is used, and that nobody has open */
#define CHANNEL		1

/*
 * For main(): sets fault injection up. Returns 0, or the program's exit status
 * after it said why none of its tests can run.
 */
int inject_set_up(void);

/* This task's @n-th allocation from now on fails; 0: none does. */
int inject_nth(unsigned int n);

/**
 * struct fault_call - a call to try
 * @name: of the call
 * @prepare: what comes before it, without faults; 0 or a negative errno; NULL:
 *	nothing
 * @call: does it; negative errno, or what it returns
 * @undo: what a success is followed by; gets that value; NULL: nothing
 * @errnos: how it may fail, besides ENOMEM, as the ABI says
 * @leave: fault to begin with is the last but so many; 0: the first. For a call
 *	whose beginning is somebody else's
 * @stride: try one of so many faults only, which one is random; 0: each
 * @min: faults that it must meet at least; 0: 1
 * @none: why it allocates nothing, NULL if it does: it must not meet a fault
 */
struct fault_call {
	const char *name;
	int (*prepare)(void *ctx);
	int (*call)(void *ctx);
	void (*undo)(void *ctx, int ret);
	int errnos[4];
	unsigned int leave;
	unsigned int stride;
	unsigned int min;
	const char *none;
};

/*
 * Makes each allocation of the call fail in turn. Each time it must fail as it
 * may, or succeed; leave nothing behind: no file, no buffer, no reference to a
 * module; and then succeed with no fault. It must meet as many faults as the call
 * says. "ok", or what was wrong. Prints how many faults there were.
 */
const char *fault_each(const struct fault_call *call, void *ctx);

/* How many faults made a call of this process fail */
unsigned int fault_failures(void);

#endif /* FPGABUF_INJECT_H */
