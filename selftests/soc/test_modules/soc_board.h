/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests of /dev/soc_board, for boards of the device tree. Where memory is, is
 * looked at in the kernel only.
 */
#ifndef FPGABUF_SOC_BOARD_H
#define FPGABUF_SOC_BOARD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SOC_BOARD_NAME	32
#define SOC_BOARD_COMPATIBLE	"fpgabuf,soc-board"

/**
 * struct soc_board_request - what is to be done
 * @board: name of the device
 * @size: of what is allocated, bytes
 * @kind: of what is allocated, enum fpgabuf_kind
 * @fd: a dma-buf that there is
 * @to: one that it is copied to, not shorter
 * @reserved: 0
 */
struct soc_board_request {
	char board[SOC_BOARD_NAME];
	__u64 size;
	__u32 kind;
	__s32 fd;
	__s32 to;
	__u32 reserved;
};

/* Allocate: the answer is a dma-buf */
#define SOC_BOARD_ALLOC	_IOW('s', 0, struct soc_board_request)
/* Which entry of the board's memory-region all of the dma-buf is in, or -ERANGE */
#define SOC_BOARD_WHERE	_IOW('s', 1, struct soc_board_request)
/* Copy, by an engine that is a device of its own */
#define SOC_BOARD_COPY	_IOW('s', 2, struct soc_board_request)

#endif /* FPGABUF_SOC_BOARD_H */
