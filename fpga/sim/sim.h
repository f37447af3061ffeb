/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated FPGA. It has the parts of a real one, and the same borders:
 *
 *	pattern.c   what a frame contains: pure functions
 *	logic.c     the FPGA's logic, as far as its channels share it: the clock of
 *		    the frames, a thread that does the work, the count of what is
 *		    lost
 *	source.c    rx channels: makes frames
 *	sink.c      tx channels: takes frames, and checks them
 *	loop.c      loop0: gives back what tx0 took
 *	copier.c    copy0: moves from memory to memory
 *	transfer.c  a frame on its way between the logic and memory
 *	engine.c    the DMA engine, a dmaengine provider
 *	prepare.c   its descriptors, before they are submitted
 *	faces.c     the engines that it can behave as
 *	faults.c    what goes wrong with it when it is told to
 *	bus.c       the bus: the only place that turns a DMA address into memory
 *	ram.c       its on-board memory
 *	main.c      the board's driver: describes its channels to fpgabuf_dma
 */
#ifndef _FPGABUF_SIM_H
#define _FPGABUF_SIM_H

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct platform_device;

#define SIM_MAX_SOURCES		8
#define SIM_MAX_SINKS		8
/* And loop0 and copy0 */
#define SIM_MAX_CHANNELS	(SIM_MAX_SOURCES + SIM_MAX_SINKS + 2)

/* Bytes of the shortest frame: it holds its trailer, and something before it. */
#define SIM_MIN_SIZE	64

/* Bytes of a frame that the logic makes or takes at a time. */
#define SIM_BLOCK		PAGE_SIZE

/**
 * struct sim_face - habits of an engine
 * @name: of the engine, for users
 * @by_lines: takes no scatterlists, but lines of equal length and distance
 * @by_ring: writes to memory by cyclic descriptors only
 * @gathers: one interrupt for so many descriptors, or when it has no other; 0: each
 *	has its own
 * @room: descriptors that it has; 0: any number
 * @hides_errors: after an error it stops, and calls nobody back
 * @lies: reports that it has stopped, though it has not
 * @reports_nothing: dma_get_slave_caps() fails
 * @is_child: its device is a child of the one that does the DMA
 * @no_results: calls back without a &struct dmaengine_result
 * @reads_late: reads a scatterlist when it begins to move it
 * @needs_config: prepares nothing before dmaengine_slave_config(), nor after it was
 *	terminated
 */
struct sim_face {
	const char *name;
	bool by_lines;
	bool by_ring;
	unsigned int gathers;
	unsigned int room;
	bool hides_errors;
	bool lies;
	bool reports_nothing;
	bool is_child;
	bool no_results;
	bool reads_late;
	bool needs_config;
};

/* faces.c */
const struct sim_face *sim_face_find(const char *name);

/**
 * struct sim_segment - a piece of memory, as an engine knows it, or several ones of
 *	the same length
 * @addr: DMA address
 * @len: bytes of each
 * @num: how many
 * @pitch: bytes from one to the next
 */
struct sim_segment {
	dma_addr_t addr;
	unsigned int len;
	unsigned int num;
	unsigned int pitch;
};

/**
 * struct sim_cursor - where the engine writes or reads next
 * @dev: whose DMA addresses they are
 * @seg: current segment
 * @num: segments left, that one included
 * @line: which piece of it
 * @offset: bytes of that piece that are done
 */
struct sim_cursor {
	struct device *dev;
	const struct sim_segment *seg;
	unsigned int num;
	unsigned int line;
	unsigned int offset;
};

/**
 * struct sim_place - where the engine moves the next bytes
 * @cursor: where they come from or go to in memory
 * @to: from memory to memory: where they go
 */
struct sim_place {
	struct sim_cursor cursor;
	struct sim_cursor to;
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
int sim_bus_read(struct sim_cursor *cursor, void *data, size_t len);

/**
 * struct sim_user_metadata - what users get of it
 * @sequence: of the frame
 * @length: bytes of the frame
 * @run: number of the run
 */
struct sim_user_metadata {
	__le64 sequence;
	__le32 length;
	__le32 run;
};

/**
 * struct sim_metadata - what the engine appends to a descriptor
 * @sequence: of the frame
 * @timestamp: CLOCK_MONOTONIC in ns when it was complete
 * @flags: FPGABUF_DONE_LOST_*: why frames before it were lost
 * @status: 0, or a negative errno, from engines that do not report it otherwise
 * @user: what users get
 */
struct sim_metadata {
	u64 sequence;
	u64 timestamp;
	u32 flags;
	int status;
	struct sim_user_metadata user;
};

/**
 * enum sim_fault - what goes wrong with a descriptor
 * @SIM_FAULT_NONE: nothing
 * @SIM_FAULT_DROP: the FPGA loses its frame; it gets the next one
 * @SIM_FAULT_SHORT: half a frame is moved
 * @SIM_FAULT_LATE: complete some time later than it would be
 * @SIM_FAULT_ABORT: the engine aborts it, before anything is moved
 * @SIM_FAULT_ERROR: the engine fails in the middle
 * @SIM_FAULT_HANG: the engine stops in the middle
 * @SIM_FAULT_LOST: it is moved, but not called back
 * @SIM_FAULT_DUPLICATE: called back twice
 * @SIM_FAULT_FULL: there is none, when it is prepared
 * @SIM_FAULT_REFUSE: it is not taken, when it is submitted
 * @SIM_FAULT_ZOMBIE: like hang, but called back after it was terminated
 * @SIM_FAULT_STUCK: like hang, but it cannot be terminated, and what it was
 *	doing in the middle it does again and again
 * @SIM_FAULT_BACK: its metadata has the number of the first frame
 * @SIM_FAULT_SHORT_BACK: likewise, and it is short
 * @SIM_FAULT_FORMAT: not of a descriptor: a format is taken over, and reported
 *	as refused
 * @SIM_NUM_FAULTS: how many there are
 */
enum sim_fault {
	SIM_FAULT_NONE,
	SIM_FAULT_DROP,
	SIM_FAULT_SHORT,
	SIM_FAULT_LATE,
	SIM_FAULT_ABORT,
	SIM_FAULT_ERROR,
	SIM_FAULT_HANG,
	SIM_FAULT_LOST,
	SIM_FAULT_DUPLICATE,
	SIM_FAULT_FULL,
	SIM_FAULT_REFUSE,
	SIM_FAULT_ZOMBIE,
	SIM_FAULT_STUCK,
	SIM_FAULT_BACK,
	SIM_FAULT_SHORT_BACK,
	SIM_FAULT_FORMAT,
	SIM_NUM_FAULTS,
};

/**
 * struct sim_plan - faults to come
 * @kind: which one
 * @count: how many descriptors will meet it
 * @skip: how many are spared before
 */
struct sim_plan {
	enum sim_fault kind;
	unsigned int count;
	unsigned int skip;
};

/**
 * struct sim_desc - a descriptor
 * @tx: what dmaengine knows of it
 * @node: in one of the channel's lists
 * @length: bytes of all segments; of a frame, if it is cyclic
 * @num_frames: it is cyclic, and has so many frames; 0: it is not
 * @frame: the one of them that is next
 * @sgl: a scatterlist that is to be read when it begins, or NULL
 * @residue: bytes not moved; valid once it is complete
 * @result: likewise
 * @metadata: likewise
 * @aborted: terminated while it was moved: not called back; guarded by the
 *	channel's lock, read without
 * @planned: the channel's plan was asked about it
 * @fault: what it meets; guarded by the channel's lock, read without
 * @refused: it was to be terminated, which its fault did not allow
 * @capacity: segments that there is room for
 * @num: segments in use
 * @segs: the segments; from memory to memory: the source, and the destination
 *
 * Owned by the list that it is in; the current one by the channel's worker.
 */
struct sim_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	size_t length;
	unsigned int num_frames;
	unsigned int frame;
	struct scatterlist *sgl;
	size_t residue;
	enum dmaengine_tx_result result;
	struct sim_metadata metadata;
	bool aborted;
	bool planned;
	enum sim_fault fault;
	bool refused;
	unsigned int capacity;
	unsigned int num;
	struct sim_segment segs[] __counted_by(capacity);
};

struct sim_logic;

/**
 * struct sim_chan - a channel of the engine
 * @chan: what dmaengine knows of it
 * @name: for dma_request_chan()
 * @dev: the device that does the DMA; constant
 * @face: its habits; constant
 * @direction: of its frames; constant
 * @lock: guards all fields down to @plan; taken in any context
 * @num_descs: descriptors that there are
 * @configured: dmaengine_slave_config() was called since it was terminated
 * @failed: it stopped after an error, without an interrupt
 * @idle: descriptors to be used again
 * @submitted: in the order of submission, not yet issued
 * @issued: to be moved next, oldest first
 * @gathered: moved, and not called back yet
 * @num_gathered: how many
 * @current_desc: being moved by the logic's thread, or NULL
 * @busy: from when a descriptor is @current_desc until its callback has returned
 * @plan: faults to come
 * @fault_ms: how late SIM_FAULT_LATE and SIM_FAULT_ZOMBIE are
 * @zombies: terminated, to be called back all the same
 * @zombie_work: calls them back
 * @wait: woken when @busy ends, and when a fault does
 * @logic: what its frames come from or go to; constant
 */
struct sim_chan {
	struct dma_chan chan;
	char name[16];
	struct device *dev;
	const struct sim_face *face;
	enum dma_transfer_direction direction;
	spinlock_t lock;	/* for what is said above */
	unsigned int num_descs;
	bool configured;
	bool failed;
	struct list_head idle;
	struct list_head submitted;
	struct list_head issued;
	struct list_head gathered;
	unsigned int num_gathered;
	struct sim_desc *current_desc;
	bool busy;
	struct sim_plan plan;
	u32 fault_ms;
	struct list_head zombies;
	struct kthread_delayed_work zombie_work;
	wait_queue_head_t wait;
	struct sim_logic *logic;
};

/**
 * struct sim_engine - the engine
 * @dma: what dmaengine knows of it
 * @dev: the device that does the DMA; constant
 * @face: its habits; constant
 * @child: the device that dmaengine knows, if it is not @dev, or NULL
 * @map: names of channels
 * @chans: channels
 * @num_chans: how many
 */
struct sim_engine {
	struct dma_device dma;
	struct device *dev;
	const struct sim_face *face;
	struct platform_device *child;
	struct dma_slave_map map[SIM_MAX_CHANNELS];
	struct sim_chan chans[SIM_MAX_CHANNELS];
	unsigned int num_chans;
};

/* engine.c */
struct sim_chan *sim_engine_add_chan(struct sim_engine *engine,
				     enum dma_transfer_direction direction,
				     const char *name);
int sim_engine_register(struct sim_engine *engine);
void sim_engine_unregister(struct sim_engine *engine);
extern struct platform_driver sim_engine_driver;
struct sim_desc *sim_chan_next(struct sim_chan *chan);
void sim_chan_complete(struct sim_chan *chan, struct sim_desc *desc,
		       int status);
void sim_chan_put_back(struct sim_chan *chan, struct sim_desc *desc);
void sim_chan_release(struct sim_chan *chan);
void sim_chan_unstick(struct sim_chan *chan);
bool sim_chan_is_busy(struct sim_chan *chan);
dma_cookie_t sim_chan_submit(struct dma_async_tx_descriptor *tx);

static inline struct sim_chan *to_sim_chan(struct dma_chan *chan)
{
	return container_of(chan, struct sim_chan, chan);
}

static inline struct sim_desc *to_sim_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct sim_desc, tx);
}

/* prepare.c */
struct dma_async_tx_descriptor *
sim_prep_slave_sg(struct dma_chan *c, struct scatterlist *sgl,
		  unsigned int sg_len, enum dma_transfer_direction direction,
		  unsigned long flags, void *context);
struct dma_async_tx_descriptor *
sim_prep_interleaved(struct dma_chan *c, struct dma_interleaved_template *xt,
		     unsigned long flags);
struct dma_async_tx_descriptor *
sim_prep_cyclic(struct dma_chan *c, dma_addr_t addr, size_t len, size_t period,
		enum dma_transfer_direction direction, unsigned long flags);
struct dma_async_tx_descriptor *
sim_prep_memcpy(struct dma_chan *c, dma_addr_t dst, dma_addr_t src, size_t len,
		unsigned long flags);
void sim_desc_read_late(struct sim_desc *desc);

/* faults.c */
bool sim_fault_meets(struct sim_chan *chan, enum sim_fault kind);
bool sim_fault_strikes(struct sim_chan *chan, enum sim_fault kind);
enum sim_fault sim_fault_next(struct sim_chan *chan);
bool sim_fault_lasts(struct sim_chan *chan, const struct sim_desc *desc,
		     long timeout);
void sim_fault_clear(struct sim_chan *chan);
void sim_fault_unstick(struct sim_chan *chan);
void sim_fault_debugfs(struct sim_chan *chan, struct dentry *dir);

/**
 * struct sim_transfer - a descriptor's frame on its way
 * @chan: the channel
 * @desc: the descriptor
 * @place: where in memory it is
 * @moved: bytes that are done
 * @fault_at: how many will be done when the descriptor's fault strikes
 */
struct sim_transfer {
	struct sim_chan *chan;
	struct sim_desc *desc;
	struct sim_place place;
	size_t moved;
	size_t fault_at;
};

/* transfer.c */
void sim_transfer_begin(struct sim_transfer *transfer, struct sim_chan *chan,
			struct sim_desc *desc);
int sim_transfer_move(struct sim_transfer *transfer, void *data, size_t len);
void sim_transfer_end(struct sim_transfer *transfer);

/**
 * struct sim_logic_ops - where the logic of channels differs
 */
struct sim_logic_ops {
	/**
	 * @step: move a frame, or lose some; false: there is nothing to do, and
	 * sim_logic_kick() tells when there is
	 */
	bool (*step)(struct sim_logic *logic);

	/**
	 * @move: make the frame @sequence and move it to memory, or move it from
	 * there and look at it. 0, or the error of sim_transfer_move()
	 */
	int (*move)(struct sim_logic *logic, struct sim_transfer *transfer,
		    u64 sequence);
};

/**
 * struct sim_logic - the FPGA's logic of a channel
 * @chan: its channel of the engine
 * @ops: what is particular to it
 * @worker: thread that does the work of the hardware
 * @work: moves the frames that are due
 * @timer: the frame clock, in hardirq context
 * @interval: time of a frame; 0: as fast as descriptors are issued
 * @due: frames whose time has come, and that are neither moved nor lost
 * @running: between start and stop; cleared with &sim_chan.lock held
 * @format: set while not running
 * @configured: it was set, and there was power since
 * @run: number of the run
 * @sequence: of the next frame; only @work uses it
 * @lost_flags: why frames were lost since the last good one; only @work
 * @scratch: for a line or a block of a frame
 * @scratch_size: bytes of it
 */
struct sim_logic {
	struct sim_chan *chan;
	const struct sim_logic_ops *ops;
	struct kthread_worker *worker;
	struct kthread_work work;
	struct hrtimer timer;
	ktime_t interval;
	atomic_t due;
	bool running;
	struct fpgabuf_format format;
	bool configured;
	u32 run;
	u64 sequence;
	u32 lost_flags;
	u8 *scratch;
	size_t scratch_size;
};

/* logic.c */
int sim_logic_init(struct sim_logic *logic, struct sim_chan *chan,
		   const struct sim_logic_ops *ops, const char *name);
void sim_logic_fini(struct sim_logic *logic);
void sim_logic_kick(struct sim_logic *logic);
void sim_logic_issued(struct sim_logic *logic);
bool sim_logic_step(struct sim_logic *logic);
void sim_logic_move(struct sim_logic *logic, struct sim_desc *desc);
void sim_logic_lose(struct sim_logic *logic, unsigned int frames, u32 reason);
int sim_logic_set_format(struct sim_logic *logic,
			 const struct fpgabuf_format *format, size_t scratch);
ktime_t sim_logic_interval(const struct sim_logic *logic);
int sim_logic_start(struct sim_logic *logic, u32 run, ktime_t interval);
void sim_logic_stop(void *priv);
int sim_logic_configure(void *priv, struct dma_chan *chan);
int sim_logic_idle(void *priv);
u32 sim_logic_line(const struct sim_logic *logic);
void sim_logic_frame(void *priv, const void *metadata, size_t len,
		     struct fpgabuf_frame *frame);

/* source.c */
int sim_source_init(struct sim_logic *logic, struct sim_chan *chan,
		    const char *name);
extern const struct fpgabuf_channel_ops sim_source_ops;

/**
 * struct sim_loop_frame - a frame in the FPGA's own memory
 * @capacity: bytes that there is room for
 * @length: bytes of the frame
 * @data: the frame
 */
struct sim_loop_frame {
	size_t capacity;
	size_t length;
	u8 data[] __counted_by(capacity);
};

/**
 * struct sim_loop - the FPGA's logic of loop0, and its store for a frame
 * @logic: what it shares with others
 * @from: the logic that fills the store
 * @lock: guards the fields down to @capacity; nobody sleeps with it
 * @empty: the store, while there is no frame in it and nobody uses it
 * @full: the store, while there is a frame in it that nobody has taken
 * @capacity: bytes that the store must have room for
 * @patient: a frame waits until there is a descriptor for it
 * @current_frame: what the logic's thread has taken; only it uses it
 *
 * The store belongs to who took it from @empty or @full.
 */
struct sim_loop {
	struct sim_logic logic;
	struct sim_logic *from;
	spinlock_t lock;	/* for what is said above */
	struct sim_loop_frame *empty;
	struct sim_loop_frame *full;
	size_t capacity;
	bool patient;
	struct sim_loop_frame *current_frame;
};

/* loop.c */
int sim_loop_init(struct sim_loop *loop, struct sim_chan *chan,
		  const char *name);
void sim_loop_fini(struct sim_loop *loop);
int sim_loop_resize(struct sim_loop *loop, size_t capacity);
void sim_loop_set_patient(struct sim_loop *loop, bool patient);
bool sim_loop_is_empty(struct sim_loop *loop);
struct sim_loop_frame *sim_loop_take_empty(struct sim_loop *loop);
void sim_loop_give(struct sim_loop *loop, struct sim_loop_frame *frame,
		   size_t length);
extern const struct fpgabuf_channel_ops sim_loop_ops;

/* copier.c */
int sim_copier_init(struct sim_logic *logic, struct sim_chan *chan,
		    const char *name);

/**
 * struct sim_sink - the FPGA's logic of a tx channel
 * @logic: what it shares with others
 * @frames: since start
 * @good: those whose trailer is right
 * @bad: those whose trailer is wrong, or that came short
 * @disordered: those that do not follow the one before
 * @last_run: run in the last trailer
 * @last_sequence: sequence in it
 * @any: there was one
 * @loop: what gets its frames, or NULL; constant
 *
 * The counts are for debugfs, and set by the logic's thread only.
 */
struct sim_sink {
	struct sim_logic logic;
	u64 frames;
	u64 good;
	u64 bad;
	u64 disordered;
	u32 last_run;
	u64 last_sequence;
	bool any;
	struct sim_loop *loop;
};

/* sink.c */
int sim_sink_init(struct sim_sink *sink, struct sim_chan *chan,
		  struct sim_loop *loop, const char *name);
void sim_sink_debugfs(struct sim_sink *sink, struct dentry *dir);
extern const struct fpgabuf_channel_ops sim_sink_ops;

/* pattern.c */
unsigned int sim_pattern_cpp(u32 fourcc);
void sim_pattern_bars(const struct fpgabuf_format *format, u64 sequence,
		      u8 *line);
void sim_pattern_count(u64 sequence, u64 offset, u8 *block, size_t len);
u64 sim_pattern_length(u64 sequence, u64 max);
void sim_pattern_trailer(u32 run, u64 sequence, u64 length, u32 crc,
			 struct fpgabuf_trailer *trailer);
bool sim_pattern_trailer_right(const struct fpgabuf_trailer *trailer,
			       u64 length, u32 crc);

#endif /* _FPGABUF_SIM_H */
