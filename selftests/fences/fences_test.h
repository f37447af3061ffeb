/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FENCES_TEST_H
#define FENCES_TEST_H

#include "../fpgabuf/fences.h"
#include "../fpgabuf/fpgabuf_test.h"

#define FRAME		4096
#define MAX_SLOTS	SIM_DEPTH

/* Both are wanted more often than one. */
#define IN_OUT	(FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE)

/**
 * struct slots - a channel with buffers registered, slot i is buffer i
 * @ch: the channel
 * @num: how many
 * @b: the buffers
 */
struct slots {
	int ch;
	unsigned int num;
	struct buffer b[MAX_SLOTS];
};

/* Raw frames of FRAME bytes, @fps of them a second, 0: as fast as it goes. */
int slots_open(struct slots *s, unsigned int channel, unsigned int num,
	       __u32 fps);
/* Fill a buffer, so that it shows when something is written. */
void slots_fill(struct slots *s, unsigned int slot);
bool slots_untouched(struct slots *s, unsigned int slot);
/* Take one completion and check its frame: "ok", or what is wrong. */
const char *slots_take(struct slots *s, unsigned int slot);
/* Take one completion of @slot: its status; -ENODATA: none came. */
int slots_take_status(struct slots *s, unsigned int slot);

/* Queue slots 0 to @num - 1 of a channel, each with an out-fence. */
int batch_queue(int ch, unsigned int num);
/* Take them all, in order: the first error, or how many frames were lost. */
int batch_take(int ch, struct fpgabuf_completion *done, unsigned int num);

/* A counter of the first channel, in sysfs; or a negative errno */
long long channel_stat(const char *name);

#endif /* FENCES_TEST_H */
