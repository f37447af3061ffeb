/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fences as files: those of dma-bufs, those of the channel's queue, and gates,
 * which signal when a test says so.
 *
 * Functions return a negative errno when they fail.
 */
#ifndef FPGABUF_FENCES_H
#define FPGABUF_FENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/fpgabuf.h>

/* What is in a dma-buf's reservation, @flags: DMA_BUF_SYNC_* */
int export_sync_file(int fd, __u32 flags);
int import_sync_file(int fd, __u32 flags, int sync_file);

/* 1: signalled, 0: not yet; a negative errno is the fence's own error. */
int sync_file_status(int sync_file);
/* CLOCK_MONOTONIC in ns when the (only) fence signaled */
__s64 sync_file_time(int sync_file);
/* Names of its first fence's driver and timeline, 32 bytes each */
int sync_file_names(int sync_file, char *driver, char *timeline);
int sync_file_merge(int one, int other);
/* 0: signaled within @timeout_ms, or -ETIMEDOUT */
int sync_file_wait(int sync_file, int timeout_ms);

/* Queue a slot with @flags and, if they say so, @in; *@out is a new file or -1. */
int fpga_queue_fenced(int ch, __u32 slot, __u32 flags, int in, int *out);
int fpga_start_timeout(int ch, __u32 timeout_ms);

enum gate_kind {
	GATE_VGEM,
	GATE_SW_SYNC,
};

/**
 * struct gate - a fence that waits for the test
 * @kind: who makes it
 * @fence: a sync_file of it
 * @device: vgem, or a timeline of its own
 * @number: of the fence in vgem
 */
struct gate {
	enum gate_kind kind;
	int fence;
	int device;
	int number;
};

/* NULL, or why there are none of that kind. */
const char *gate_missing(enum gate_kind kind);
int gate_make(struct gate *gate, enum gate_kind kind);
int gate_open(struct gate *gate);
/* It fails: signals with an error. GATE_SW_SYNC only; returns that error. */
int gate_break(struct gate *gate);
void gate_free(struct gate *gate);

#endif /* FPGABUF_FENCES_H */
