/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated FPGA. It has the parts of a real one, and the same borders:
 *
 *	pattern.c  what a frame contains: pure functions
 *	source.c   the FPGA's logic: makes frames at a rate
 *	engine.c   the DMA engine, a dmaengine provider
 *	bus.c      the bus: the only place that turns a DMA address into memory
 *	ram.c      its on-board memory
 *	main.c     the board's driver: describes its channels to fpgabuf_dma
 */
#ifndef _FPGABUF_SIM_H
#define _FPGABUF_SIM_H

#include <linux/atomic.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#define SIM_MAX_CHANNELS	8

struct sim_source;

/**
 * struct sim_segment - a piece of memory, as an engine knows it
 * @addr: DMA address
 * @len: bytes
 */
struct sim_segment {
	dma_addr_t addr;
	unsigned int len;
};

/**
 * struct sim_cursor - where the engine writes next
 * @dev: whose DMA addresses they are
 * @seg: current segment
 * @num: segments left, that one included
 * @offset: bytes of it that are written
 */
struct sim_cursor {
	struct device *dev;
	const struct sim_segment *seg;
	unsigned int num;
	unsigned int offset;
};

/**
 * struct sim_ram - on-board memory, which only the board's own bus reaches
 * @vaddr: where it is
 * @size: bytes; 0: the board has none
 */
struct sim_ram {
	void *vaddr;
	size_t size;
};

/* ram.c */
int sim_ram_add(struct sim_ram *ram, struct device *dev, size_t size);
void sim_ram_remove(struct sim_ram *ram, struct device *dev);
phys_addr_t sim_ram_translate(const struct sim_ram *ram, dma_addr_t addr);

/* main.c */
const struct sim_ram *sim_board_ram(struct device *dev);

/* bus.c */
int sim_bus_write(struct sim_cursor *cursor, const void *data, size_t len);

/**
 * struct sim_metadata - what the engine appends to a descriptor
 * @sequence: of the frame
 * @timestamp: CLOCK_MONOTONIC in ns when it was complete
 * @flags: FPGABUF_DONE_LOST_*: why frames before it were lost
 */
struct sim_metadata {
	u64 sequence;
	u64 timestamp;
	u32 flags;
};

/**
 * struct sim_desc - a descriptor
 * @tx: what dmaengine knows of it
 * @node: in one of the channel's lists
 * @length: bytes of all segments
 * @residue: bytes not written; valid once it is complete
 * @metadata: valid once it is complete
 * @aborted: terminated while it was written: not called back; guarded by the
 *	channel's lock, read without
 * @capacity: segments that there is room for
 * @num: segments in use
 * @segs: the segments
 *
 * Owned by the list that it is in; the current one by the channel's worker.
 */
struct sim_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	size_t length;
	size_t residue;
	struct sim_metadata metadata;
	bool aborted;
	unsigned int capacity;
	unsigned int num;
	struct sim_segment segs[] __counted_by(capacity);
};

/**
 * struct sim_chan - a channel of the engine
 * @chan: what dmaengine knows of it
 * @lock: guards the lists and @current_desc; taken in any context
 * @idle: descriptors to be used again
 * @submitted: in the order of submission, not yet issued
 * @issued: to be written next, oldest first
 * @current_desc: being written by the source's worker, or NULL
 * @source: where its frames come from; constant
 */
struct sim_chan {
	struct dma_chan chan;
	spinlock_t lock;	/* for what is said above */
	struct list_head idle;
	struct list_head submitted;
	struct list_head issued;
	struct sim_desc *current_desc;
	struct sim_source *source;
};

struct sim_engine {
	struct dma_device dma;
	struct dma_slave_map map[SIM_MAX_CHANNELS];
	char names[SIM_MAX_CHANNELS][16];
	struct sim_chan chans[SIM_MAX_CHANNELS];
	unsigned int num_chans;
};

/* engine.c */
int sim_engine_register(struct sim_engine *engine, struct device *dev,
			unsigned int num_chans);
void sim_engine_unregister(struct sim_engine *engine);
struct sim_desc *sim_chan_next(struct sim_chan *chan);
void sim_chan_complete(struct sim_chan *chan, struct sim_desc *desc,
		       enum dmaengine_tx_result result);

/**
 * struct sim_source - the FPGA's logic of a channel
 * @chan: where the frames go
 * @worker: thread that does the work of the hardware
 * @work: makes the frames that are due
 * @timer: the frame clock, in hardirq context
 * @interval: time of a frame; 0: as fast as descriptors are issued
 * @due: frames whose time has come, and that are neither written nor lost
 * @running: between start and stop
 * @format: set while not running
 * @run: number of the run, part of every frame
 * @sequence: of the next frame; only @work uses it
 * @lost_flags: why frames were lost since the last good one; only @work
 * @line: scratch for a line or a block of a frame
 * @line_size: bytes of it
 */
struct sim_source {
	struct sim_chan *chan;
	struct kthread_worker *worker;
	struct kthread_work work;
	struct hrtimer timer;
	ktime_t interval;
	atomic_t due;
	bool running;
	struct fpgabuf_format format;
	u32 run;
	u64 sequence;
	u32 lost_flags;
	u8 *line;
	size_t line_size;
};

/* source.c */
int sim_source_init(struct sim_source *source, struct sim_chan *chan,
		    const char *name);
void sim_source_fini(struct sim_source *source);
void sim_source_kick(struct sim_source *source);
void sim_source_flush(struct sim_source *source);
extern const struct fpgabuf_channel_ops sim_source_ops;

/* pattern.c */
void sim_pattern_bars(const struct fpgabuf_format *format, u64 sequence,
		      u8 *line);
void sim_pattern_count(u64 sequence, u64 offset, u8 *block, size_t len);
void sim_pattern_trailer(u32 run, u64 sequence, u64 length, u32 crc,
			 struct fpgabuf_trailer *trailer);

#endif /* _FPGABUF_SIM_H */
