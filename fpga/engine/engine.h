/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An engine: a dmaengine channel, the jobs it works on, and what happens when it
 * does not complete them.
 *
 *	queue.c     states and order of jobs: pure logic
 *	complete.c  callbacks to completions
 *	issue.c     jobs to descriptors
 *	halt.c      the engine is stopped, or put into quarantine
 *	ask.c       reads the state of an engine that is overdue
 *	watchdog.c  bounds how long a descriptor may take
 *	ring.c      an engine that never stops
 *	engine.c    the channel is requested, started, stopped, released
 *
 * What a job means is known to the engine's user, its front, which has an object
 * around each job and &struct fpgabuf_engine_ops.
 */
#ifndef _FPGABUF_ENGINE_H
#define _FPGABUF_ENGINE_H

#include <linux/dmaengine.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "queue.h"

struct device;
struct fpgabuf_engine;
struct sg_table;

/* Descriptors that an engine has at a time at most */
#define FPGABUF_IN_FLIGHT	64
/* Each is reused long after its descriptor is forgotten. */
#define FPGABUF_NUM_TRANSFERS	(4 * FPGABUF_IN_FLIGHT)

/**
 * enum fpgabuf_engine_use - what an engine's channel is for
 * @FPGABUF_ENGINE_CAPTURE: from the FPGA to memory
 * @FPGABUF_ENGINE_OUTPUT: from memory to the FPGA
 * @FPGABUF_ENGINE_COPY: from memory to memory
 */
enum fpgabuf_engine_use {
	FPGABUF_ENGINE_CAPTURE,
	FPGABUF_ENGINE_OUTPUT,
	FPGABUF_ENGINE_COPY,
};

/**
 * struct fpgabuf_engine_ops - the front's part
 *
 * Other devices may wait for what these functions do: they must not allocate
 * memory, nor take a lock under which somebody does, nor a reservation.
 */
struct fpgabuf_engine_ops {
	/**
	 * @begin: @prepare is to start with the job's first descriptor. Called
	 * again for a job that was requeued. Called with &fpgabuf_engine.lock
	 * held.
	 */
	void (*begin)(struct fpgabuf_job *job);

	/**
	 * @prepare: return the job's next descriptor, not submitted, or NULL if
	 * the engine has no room. Sets @more if another one follows. Called with
	 * &fpgabuf_engine.lock held.
	 */
	struct dma_async_tx_descriptor *(*prepare)(struct fpgabuf_job *job,
						   bool *more);

	/**
	 * @refused: the engine did not take the descriptor that @prepare
	 * returned last; the next one is to be the same. Called with
	 * &fpgabuf_engine.lock held. May be NULL.
	 */
	void (*refused)(struct fpgabuf_job *job);

	/**
	 * @transferred: a descriptor of the job has completed. @status is what
	 * @result says: 0, or a negative errno. Returns what the job is to
	 * report. Called with &fpgabuf_queue.lock held, in the engine's
	 * callback. May be NULL: it reports @status.
	 */
	int (*transferred)(struct fpgabuf_job *job,
			   const struct dmaengine_result *result, int status);

	/**
	 * @entered: the engine, in a ring, begins with frame @index. Called with
	 * &fpgabuf_queue.lock held, before the engine is started or in its
	 * callback. May be NULL for fronts that start no ring.
	 */
	void (*entered)(struct fpgabuf_engine *engine, unsigned int index);

	/**
	 * @passed: it has moved frame @index. Called with &fpgabuf_queue.lock
	 * held, in the engine's callback. May be NULL as @entered.
	 */
	void (*passed)(struct fpgabuf_engine *engine, unsigned int index);

	/**
	 * @again: the job was requeued, after the engine was stopped. Called
	 * with &fpgabuf_queue.lock held.
	 */
	void (*again)(struct fpgabuf_job *job);

	/**
	 * @done: the job is complete. Its fence is signaled after this. The
	 * engine does not access its memory any more, unless
	 * &fpgabuf_engine.quarantine is set. Called with &fpgabuf_queue.lock
	 * held, in any context.
	 */
	void (*done)(struct fpgabuf_job *job);

	/**
	 * @configure: set up the channel, after it was requested or terminated.
	 * Returns 0 or a negative errno. Called with &fpgabuf_engine.lock held.
	 * May be NULL.
	 */
	int (*configure)(struct fpgabuf_engine *engine);

	/**
	 * @stopped: the channel was terminated. Returns 0, or a negative errno
	 * if the device may still access memory. Called with
	 * &fpgabuf_engine.lock held. May be NULL.
	 */
	int (*stopped)(struct fpgabuf_engine *engine);

	/**
	 * @reset: the engine is idle, but was stopped in the middle of a job:
	 * prepare the device for the next one. Returns 0, or a negative errno:
	 * the device may still access memory. Called with &fpgabuf_engine.lock
	 * held. May be NULL.
	 */
	int (*reset)(struct fpgabuf_engine *engine);

	/**
	 * @quarantine: the engine could not be stopped, and may access the job's
	 * memory until @idle is called. Called with &fpgabuf_queue.lock held.
	 */
	void (*quarantine)(struct fpgabuf_job *job);

	/**
	 * @quarantine_ring: likewise, all memory of the ring. May be NULL as
	 * @entered.
	 */
	void (*quarantine_ring)(struct fpgabuf_engine *engine);

	/**
	 * @idle: the engine is known not to access any memory. Called with
	 * &fpgabuf_queue.lock held.
	 */
	void (*idle)(struct fpgabuf_engine *engine);
};

/**
 * struct fpgabuf_transfer - a descriptor that the engine has
 * @engine: its engine; constant
 * @job: its job; NULL once it has completed, or was given up: later callbacks for
 *	it are ignored
 * @number: its place among the descriptors of @job
 * @cookie: the descriptor's; 0: not submitted yet. Protected by
 *	&fpgabuf_engine.lock, and read by the callback with READ_ONCE()
 * @given_up: a callback for an earlier descriptor may still come, of a faulty
 *	engine
 *
 * The parameter of the engine's callback. Protected by &fpgabuf_queue.lock unless
 * noted.
 */
struct fpgabuf_transfer {
	struct fpgabuf_engine *engine;
	struct fpgabuf_job *job;
	unsigned int number;
	dma_cookie_t cookie;
	bool given_up;
};

/**
 * struct fpgabuf_ring - memory in which an engine goes round
 * @addr: where its first frame is, for the device
 * @period: bytes of a frame
 * @num: number of frames; 0: it does not go round
 * @cookie: of the descriptor; 0: it failed, and has none
 * @next: the frame that it is at, as far as it was heard of
 */
struct fpgabuf_ring {
	dma_addr_t addr;
	u32 period;
	unsigned int num;
	dma_cookie_t cookie;
	unsigned int next;
};

/**
 * struct fpgabuf_engine_config - which channel it is, and what is known about it
 * @parent: the device whose driver has the channel; valid until the front's device
 *	is unregistered
 * @dma_name: name of the channel, for dma_request_chan() on @parent
 * @use: direction of its transfers
 * @limits: what dmaengine does not report
 * @alignment: of addresses and of segments, in bytes, a power of two; 0: as the
 *	engine's copies
 */
struct fpgabuf_engine_config {
	struct device *parent;
	const char *dma_name;
	enum fpgabuf_engine_use use;
	struct fpgabuf_engine_limits limits;
	u32 alignment;
};

/**
 * struct fpgabuf_engine - an engine
 * @ops: the front's functions; constant
 * @node: the front's device, for messages; constant
 * @config: which channel it is; constant
 * @chan: the channel, or NULL if the engine is closed. Set and cleared by
 *	fpgabuf_engine_open() and _close(), which the front serializes with all
 *	other users
 * @by_ring: it is started by fpgabuf_engine_start_ring(), else by
 *	fpgabuf_engine_start(). Constant while the engine is open
 * @lock: serializes all calls into @chan while the engine runs, and protects
 *	@next_transfer and @timeout. Taken in the path that signals fences: nobody
 *	who holds it may wait for memory, a reservation or a fence
 * @next_transfer: index in @transfers of the next one to use
 * @transfers: parameters of the engine's callbacks
 * @timeout: longest time for a descriptor, in ns
 * @work: issues jobs that have become ready
 * @watchdog: looks after an engine that takes too long
 * @retry: issues jobs again that an idle engine refused
 * @refused_since: when it began to refuse all descriptors, CLOCK_MONOTONIC in ns;
 *	0: it took the last one. Protected by @lock
 * @asked: cookie of the descriptor that the engine reported as complete when it
 *	was asked last; 0: none. Protected by @lock
 * @ring: where it goes round. Written with @lock and &fpgabuf_queue.lock held, but
 *	for @next, which the latter protects; read with either
 * @queue: the jobs. Its lock nests in @lock
 * @running: jobs may be issued. Written with @lock and &fpgabuf_queue.lock held,
 *	read with either
 * @quarantine: the engine cannot be stopped, and gets no more work. Written with
 *	@lock and &fpgabuf_queue.lock held, read with either, or by READ_ONCE()
 *	where it may be set right after
 * @since: when the engine's oldest descriptor became the oldest, or when the first
 *	fence was added, CLOCK_MONOTONIC in ns. Protected by &fpgabuf_queue.lock
 * @stray: number of callbacks that were ignored. Protected likewise
 * @wait: woken when jobs complete, and when the engine is stopped
 */
struct fpgabuf_engine {
	const struct fpgabuf_engine_ops *ops;
	struct device *node;
	struct fpgabuf_engine_config config;
	struct dma_chan *chan;
	bool by_ring;

	struct mutex lock;	/* serializes calls into @chan */
	unsigned int next_transfer;
	struct fpgabuf_transfer transfers[FPGABUF_NUM_TRANSFERS];
	u64 timeout;
	struct work_struct work;
	struct delayed_work watchdog;
	struct delayed_work retry;
	u64 refused_since;
	dma_cookie_t asked;

	struct fpgabuf_ring ring;
	struct fpgabuf_queue queue;
	bool running;
	bool quarantine;
	u64 since;
	u64 stray;
	wait_queue_head_t wait;
};

/* The device that does the DMA, while the engine is open */
static inline struct device *
fpgabuf_engine_dev(const struct fpgabuf_engine *engine)
{
	return engine->config.limits.dma_dev ?:
		dmaengine_get_dma_device(engine->chan);
}

/* engine.c */
int fpgabuf_engine_check(const struct fpgabuf_engine_config *config);
void fpgabuf_engine_init(struct fpgabuf_engine *engine,
			 const struct fpgabuf_engine_ops *ops,
			 struct device *node,
			 const struct fpgabuf_engine_config *config);
void fpgabuf_engine_cancel(struct fpgabuf_engine *engine);
void fpgabuf_engine_fini(struct fpgabuf_engine *engine);
void fpgabuf_engine_job_init(struct fpgabuf_engine *engine,
			     struct fpgabuf_job *job);
int fpgabuf_engine_open(struct fpgabuf_engine *engine);
void fpgabuf_engine_close(struct fpgabuf_engine *engine);
int fpgabuf_engine_configure(struct fpgabuf_engine *engine);
bool fpgabuf_engine_scatters(const struct fpgabuf_engine *engine);
bool fpgabuf_engine_by_lines(const struct fpgabuf_engine *engine);
u32 fpgabuf_engine_alignment(const struct fpgabuf_engine *engine);
u32 fpgabuf_engine_max_segment(const struct fpgabuf_engine *engine);
int fpgabuf_engine_check_table(const struct fpgabuf_engine *engine,
			       const struct sg_table *table);
void fpgabuf_engine_start(struct fpgabuf_engine *engine, u32 timeout_ms);
void fpgabuf_engine_unstart(struct fpgabuf_engine *engine);
void fpgabuf_engine_stop(struct fpgabuf_engine *engine, int status);
int fpgabuf_engine_end_quarantine(struct fpgabuf_engine *engine);

/* ring.c */
int fpgabuf_engine_start_ring(struct fpgabuf_engine *engine, u32 timeout_ms,
			      dma_addr_t addr, u32 period, unsigned int num);
/* with engine->queue.lock held */
void fpgabuf_engine_ring_done(struct fpgabuf_engine *engine,
			      struct fpgabuf_job *job);

/* issue.c */
void fpgabuf_engine_issue(struct fpgabuf_engine *engine);
/* with engine->queue.lock held */
void fpgabuf_engine_add(struct fpgabuf_engine *engine, struct fpgabuf_job *job);

#endif /* _FPGABUF_ENGINE_H */
