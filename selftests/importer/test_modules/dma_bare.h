/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of /dev/dma_bare, for the module and its test. The argument is
 * one of the engine's channels; what returns no number returns 0, and any of
 * them a negative errno.
 */
#ifndef DMA_BARE_H
#define DMA_BARE_H

#include <linux/ioctl.h>

enum {
	/* Of /dev/fpgabufN: captures */
	BARE_RX,
	/* Of /dev/fpgabuf_importN: copies */
	BARE_COPY,
	/* Of another /dev/fpgabufN: puts out */
	BARE_TX,
	BARE_CHANS,
};

/* Complete the oldest descriptor; waits for one. -ETIMEDOUT: none came */
#define BARE_COMPLETE	_IO('b', 0)
/*
 * The next descriptor is refused when it is submitted, after what came before it
 * was completed.
 */
#define BARE_REFUSE	_IO('b', 1)
/* How many were refused */
#define BARE_REFUSED	_IO('b', 2)
/* From now on it cannot be stopped; or it can. */
#define BARE_STICK	_IO('b', 3)
#define BARE_LOOSEN	_IO('b', 4)
/* Read the scatterlist of the newest descriptor: its bytes */
#define BARE_WALK	_IO('b', 5)
/* Whether what follows the newest descriptor waits for it: 0 or 1 */
#define BARE_FENCED	_IO('b', 6)

/* Complete the oldest descriptor, but the interrupt is lost: nobody is called. */
#define BARE_LOSE	_IO('b', 7)
/* It fails in the oldest descriptor, and calls nobody, until it is terminated. */
#define BARE_FAIL	_IO('b', 8)
/* It goes on when it is terminated, and reports success; or no more. */
#define BARE_LIE	_IO('b', 9)
/* How many descriptors it has */
#define BARE_PENDING	_IO('b', 10)
/*
 * Call back for the descriptor that was terminated first, since the last time. It
 * is none of those that it has now. -ENOENT: there was none
 */
#define BARE_STALE	_IO('b', 11)

/* What the board says of frames from now on: one of enum bare_verdict */
#define BARE_SAY(verdict)	_IO('b', 16 + (verdict))

enum bare_verdict {
	BARE_GOOD,
	/* Half of a frame, of which the engine says nothing */
	BARE_HALF,
	/* More than its buffer has room for */
	BARE_TOO_LONG,
	/* -EILSEQ, as of a wrong checksum */
	BARE_DAMAGED,
	/* A status that is none */
	BARE_POSITIVE,
	/* More metadata than a completion has room for */
	BARE_TALKATIVE,
	BARE_VERDICTS,
};

/* What copies must be aligned to, bytes */
#define BARE_ALIGN	64
/* Likewise frames */
#define BARE_CHANNEL_ALIGN	4
/* With habit "short_pieces", bytes */
#define BARE_SHORT	1024
/* The device above the engine's, which does the DMA with habit "elsewhere" */
#define BARE_BRIDGE	"dma_bare_bridge"

#endif /* DMA_BARE_H */
