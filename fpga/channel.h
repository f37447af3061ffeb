/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_CHANNEL_H
#define _FPGABUF_CHANNEL_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "queue.h"
#include "usercopy.h"

struct attribute_group;
struct dma_fence;
struct fpgabuf_channel;
struct sync_file;

/**
 * struct fpgabuf_transfer - a descriptor on its way through the engine
 * @channel: whose; constant
 * @slot: what is moved; NULL once that is done, or given up: what the engine
 *	says of it after that is not listened to. Guarded by
 *	&fpgabuf_channel.queue.lock
 *
 * What the engine's callback gets. There are so many that one is used again long
 * after its descriptor is forgotten.
 */
struct fpgabuf_transfer {
	struct fpgabuf_channel *channel;
	struct fpgabuf_slot *slot;
};

#define FPGABUF_NUM_TRANSFERS	(4 * FPGABUF_MAX_SLOTS)

/**
 * struct fpgabuf_pieces - a frame in memory, as the engine gets it
 * @frame: all of it; constant
 * @part: for output that is shorter than a frame: its entries are set when such
 *	a one is prepared, and then stay as they are until it is done, since
 *	engines may read them late. As many as in @frame; none for capture
 */
struct fpgabuf_pieces {
	struct sg_table frame;
	struct sg_table part;
};

/**
 * struct fpgabuf_slot - a registered buffer
 * @channel: the channel it belongs to; constant
 * @job: what it is doing; in &fpgabuf_channel.queue, constant
 * @import: the dma-buf, attached to the engine's device and mapped; shared by
 *	all slots in that dma-buf
 * @offset: where its range starts in the dma-buf, bytes
 * @length: bytes of the range
 * @pieces: the device's view of one frame at the start of the range
 * @quarantined: an engine that could not be stopped may still access it; guarded
 *	by &fpgabuf_channel.queue.lock
 * @bytes: how much of the frame is to be moved
 * @again: its job was begun anew, or had to wait longer, because another one took
 *	too long; guarded by &fpgabuf_channel.queue.lock
 * @wait: what the job waits for; the submitter's while it is IDLE, then guarded
 *	by &fpgabuf_channel.engine_lock
 * @fence: signals when the job is done; a reference, or NULL. Guarded by
 *	&fpgabuf_channel.queue.lock once the job is queued
 * @desc: the engine's descriptor; valid while the job is ACTIVE
 * @transfer: likewise, what its callback gets
 *
 * What nothing else is said of is guarded by &fpgabuf_channel.lock and does not
 * change while the job is QUEUED or ACTIVE, so that the completion may read it.
 */
struct fpgabuf_slot {
	struct fpgabuf_channel *channel;
	struct fpgabuf_job *job;
	struct fpgabuf_import *import;
	u64 offset;
	u64 length;
	struct fpgabuf_pieces pieces;
	bool quarantined;
	u64 bytes;
	bool again;
	struct fpgabuf_wait wait;
	struct dma_fence *fence;
	struct dma_async_tx_descriptor *desc;
	struct fpgabuf_transfer *transfer;
};

/**
 * struct fpgabuf_kept - what an engine that does not stop may still access
 * @import: the buffer, with a reference
 * @pieces: the scatterlists that it was given, which some engines read while they
 *	work
 */
struct fpgabuf_kept {
	struct fpgabuf_import *import;
	struct fpgabuf_pieces pieces;
};

/**
 * struct fpgabuf_submission - an exchange on its way into the queue
 * @entries: what is to be queued
 * @fds: the fences of each, as the caller knows them
 * @files: the new ones among them, not yet installed; or NULL
 * @res: the buffers, and the fences that are to be added to them
 */
struct fpgabuf_submission {
	struct fpgabuf_queue_entry entries[FPGABUF_MAX_BATCH];
	struct fpgabuf_fences fds[FPGABUF_MAX_BATCH];
	struct sync_file *files[FPGABUF_MAX_BATCH];
	struct fpgabuf_reservation res[FPGABUF_MAX_BATCH];
};

/**
 * struct fpgabuf_stats - what a channel has done since it was registered
 * @frames: whole frames
 * @bytes: bytes of these
 * @lost: frames that the FPGA lost
 * @errors: buffers that were done with an error that nothing below counts
 * @timeouts: buffers that were done with -ETIMEDOUT
 * @canceled: buffers that were done with -ECANCELED or -ENODEV
 * @stray: callbacks for what was done, or given up, before
 */
struct fpgabuf_stats {
	u64 frames;
	u64 bytes;
	u64 lost;
	u64 errors;
	u64 timeouts;
	u64 canceled;
	u64 stray;
};

/**
 * struct fpgabuf_channel - a channel and its node
 * @dev: the node's device; an open file holds a reference through @cdev
 * @cdev: the node
 * @parent: the board's device; @config is its driver's. Both are valid until
 *	fpgabuf_channel_unregister() sets @gone
 * @device: @parent as the exporter knows it
 * @config: what the board said
 * @name: copy of its name
 * @alive: held for reading by whoever uses the engine's device without @lock: to
 *	allocate for it, to attach and to map. For writing by unregister, which
 *	so waits until they are done. Sleeps; taken outside of all other locks.
 *	Nobody who holds it touches user memory
 * @register_lock: serialises those who register buffers, so that all slots in a
 *	dma-buf share one import. Sleeps; taken inside of @alive and outside of
 *	@lock, and by nobody else
 * @lock: serialises all ioctls but the wait of an exchange, open, release and
 *	unregister, and guards the fields down to @slots. Sleeps; taken outside
 *	of a dma-buf's reservation, never in a completion. Nobody who holds it
 *	touches user memory that may fault, allocates much, attaches or maps
 * @gone: the board's device is no more: nothing but closing works; written with
 *	@lock and @queue.lock held, read with either, or by READ_ONCE() with
 *	@alive held, where it may come about right after
 * @users: open files, and those who allocate by @device
 * @owner: the file that may stream, or NULL; poll() compares it without @lock,
 *	by READ_ONCE()
 * @dma: the engine's channel, requested by the first user and released by the
 *	last one, so that an unused node does not hold its driver's module.
 *	Users may read it with @alive held, too
 * @has_metadata: the engine tells of each frame in its descriptor's metadata
 * @configured: the board was told @format
 * @format: the owner's, or the default
 * @run: starts of this owner
 * @context: timeline of the run's fences
 * @seqno: of the last fence that was made
 * @submission: the exchange under way
 * @kept: buffers in quarantine whose owner is gone
 * @num_kept: how many
 * @slots: registered buffers
 * @engine_lock: serialises all that talks to @dma while it streams, and guards
 *	the fields down to @timeout. Sleeps; taken inside of @lock, and in the
 *	path that signals fences: nobody who holds it waits for memory, for a
 *	reservation or for a fence
 * @next_transfer: the one of @transfers to use next
 * @transfers: what the engine's callbacks get
 * @timeout: longest time for a frame, in ns
 * @work: gives the engine what has become ready
 * @watchdog: sees to it that fences signal
 * @queue: jobs of @slots; has a lock of its own, taken inside of @engine_lock
 * @streaming: written with @lock, @engine_lock and @queue.lock held, read with
 *	any
 * @quarantine: the engine does not stop, and takes no more work; written with
 *	@engine_lock and @queue.lock held, read with either, or by READ_ONCE()
 *	where it may come about right after
 * @num_fenced: pending jobs that have a fence; guarded by @queue.lock
 * @head_since: when the engine's oldest job became that, or the first fence came
 *	to be waited for, CLOCK_MONOTONIC in ns; guarded by @queue.lock
 * @next_sequence: of the frame that is expected next; guarded by @queue.lock
 * @stats: guarded by @queue.lock
 * @wait: woken at completions, stop and removal
 *
 * Freed by the last reference to @dev.
 */
struct fpgabuf_channel {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	struct fpgabuf_device device;
	struct fpgabuf_channel_config config;
	char name[sizeof_field(struct fpgabuf_info, name)];

	struct rw_semaphore alive;
	struct mutex register_lock;	/* for what is said above */
	struct mutex lock;	/* for what is said above */
	bool gone;
	unsigned int users;
	struct file *owner;
	struct dma_chan *dma;
	bool has_metadata;
	bool configured;
	struct fpgabuf_format format;
	u32 run;
	u64 context;
	u64 seqno;
	struct fpgabuf_submission submission;
	struct fpgabuf_kept kept[FPGABUF_MAX_SLOTS];
	unsigned int num_kept;
	struct fpgabuf_slot slots[FPGABUF_MAX_SLOTS];

	struct mutex engine_lock;	/* for what is said above */
	unsigned int next_transfer;
	struct fpgabuf_transfer transfers[FPGABUF_NUM_TRANSFERS];
	u64 timeout;
	struct work_struct work;
	struct delayed_work watchdog;

	struct fpgabuf_queue queue;
	bool streaming;
	bool quarantine;
	unsigned int num_fenced;
	u64 head_since;
	u64 next_sequence;
	struct fpgabuf_stats stats;
	wait_queue_head_t wait;
};

static inline struct device *
fpgabuf_channel_dma_dev(const struct fpgabuf_channel *channel)
{
	return dmaengine_get_dma_device(channel->dma);
}

static inline bool fpgabuf_channel_is_output(const struct fpgabuf_channel *channel)
{
	return channel->config.direction == FPGABUF_DIR_OUTPUT;
}

/* channel.c */
int fpgabuf_channels_init(void);
void fpgabuf_channels_exit(void);
int fpgabuf_channel_enter(struct fpgabuf_channel *channel);
void fpgabuf_channel_leave(struct fpgabuf_channel *channel);
/* with channel->lock held */
int fpgabuf_channel_claim(struct fpgabuf_channel *channel, struct file *file);

/* ioctl.c */
long fpgabuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* buffers.c: with no lock held */
struct fpgabuf_ioctl_arg;
int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_register(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg);
void fpgabuf_slots_init(struct fpgabuf_channel *channel);
/* with channel->lock held */
int fpgabuf_ioctl_unregister(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
bool fpgabuf_slots_used(const struct fpgabuf_channel *channel);
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf);
void fpgabuf_slots_release(struct fpgabuf_channel *channel);
void fpgabuf_pieces_free(struct fpgabuf_pieces *pieces);
unsigned int fpgabuf_max_segment(const struct fpgabuf_channel *channel);

/* inspect.c: with no lock held */
int fpgabuf_ioctl_inspect(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_ioctl_arg *arg);

/* stream.c */
void fpgabuf_stream_init(struct fpgabuf_channel *channel);
void fpgabuf_stream_fini(struct fpgabuf_channel *channel);
void fpgabuf_stream_issue(struct fpgabuf_channel *channel);
/* with channel->lock held */
int fpgabuf_stream_configure(struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format);
int fpgabuf_stream_start(struct fpgabuf_channel *channel, u32 timeout_ms);
void fpgabuf_stream_stop(struct fpgabuf_channel *channel, int status);
/* with channel->engine_lock held */
void fpgabuf_stream_issue_ready(struct fpgabuf_channel *channel);
void fpgabuf_stream_complete_all(struct fpgabuf_channel *channel, int status);
/* with channel->queue.lock held */
void fpgabuf_stream_finish_job(struct fpgabuf_channel *channel,
			       struct fpgabuf_job *job, int status);
void fpgabuf_stream_unissue_all(struct fpgabuf_channel *channel);

/* attrs.c */
extern const struct attribute_group *fpgabuf_channel_groups[];

/* stats.c */
extern const struct attribute_group fpgabuf_stats_group;
/* with channel->queue.lock held */
void fpgabuf_stats_count(struct fpgabuf_channel *channel,
			 const struct fpgabuf_completion *done);

/* watchdog.c */
void fpgabuf_watchdog_init(struct fpgabuf_channel *channel);
/* with channel->engine_lock held */
void fpgabuf_watchdog_start(struct fpgabuf_channel *channel);

/* quarantine.c: with channel->engine_lock held */
int fpgabuf_engine_halt(struct fpgabuf_channel *channel, bool reset);
/* with channel->lock held */
int fpgabuf_quarantine_end(struct fpgabuf_channel *channel);
void fpgabuf_quarantine_keep(struct fpgabuf_channel *channel,
			     struct fpgabuf_slot *slot);
void fpgabuf_quarantine_abandon(struct fpgabuf_channel *channel);

/* submit.c: with channel->lock held */
int fpgabuf_submit(struct fpgabuf_channel *channel,
		   const struct fpgabuf_exchange *x,
		   struct fpgabuf_user_fault *fault);

/* exchange.c: with no lock held */
int fpgabuf_ioctl_exchange(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg);

/**
 * struct fpgabuf_ioctl_arg - the argument of an ioctl under way
 * @user: where it is in user space
 * @size: its size there, at least what it was at first
 * @ksize: its size here
 * @fault: what of it could not be written with a lock held
 * @info: the value as this kernel knows it, and the answer, of FPGABUF_IOC_INFO
 * @desc: of FPGABUF_IOC_ENUM_FORMAT
 * @format: of FPGABUF_IOC_GET_FORMAT, FPGABUF_IOC_SET_FORMAT
 * @alloc: of FPGABUF_IOC_ALLOC
 * @alloc_user: of FPGABUF_IOC_ALLOC_USER
 * @alloc_pool: of FPGABUF_IOC_ALLOC_POOL
 * @reg: of FPGABUF_IOC_REGISTER
 * @unreg: of FPGABUF_IOC_UNREGISTER
 * @exchange: of FPGABUF_IOC_EXCHANGE
 * @start: of FPGABUF_IOC_START
 * @inspect: of FPGABUF_IOC_INSPECT
 */
struct fpgabuf_ioctl_arg {
	void __user *user;
	size_t size;
	size_t ksize;
	struct fpgabuf_user_fault fault;
	union {
		struct fpgabuf_info info;
		struct fpgabuf_format_desc desc;
		struct fpgabuf_format format;
		struct fpgabuf_alloc alloc;
		struct fpgabuf_alloc_user alloc_user;
		struct fpgabuf_alloc_pool alloc_pool;
		struct fpgabuf_register reg;
		struct fpgabuf_unregister unreg;
		struct fpgabuf_exchange exchange;
		struct fpgabuf_start start;
		struct fpgabuf_inspect inspect;
	};
};

/* with no lock held */
int fpgabuf_ioctl_put(const struct fpgabuf_ioctl_arg *arg);
/* with channel->lock held */
int fpgabuf_ioctl_put_locked(struct fpgabuf_ioctl_arg *arg);

#endif /* _FPGABUF_CHANNEL_H */
