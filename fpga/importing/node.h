/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An importing device and its node:
 *
 *	node.c      registration, the file, and ioctls that only ask
 *	slots.c     the buffers that it is attached to
 *	map.c       where these are, which may change
 *	exchange.c  the ioctl that copies go in by, and come out
 *	submit.c    copies on their way into the queue, with their fences
 *	copy.c      copies on their way through the engine, and the watchdog
 */
#ifndef _FPGABUF_NODE_H
#define _FPGABUF_NODE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../usercopy.h"

struct importer_copy;
struct sync_file;

/* Copies that are queued, or done and not taken. */
#define IMPORTER_DEPTH		FPGABUF_MAX_BATCH
/* Descriptors that the engine has at a time at most. */
#define IMPORTER_IN_FLIGHT	64
/* One is used again long after its descriptor is forgotten. */
#define IMPORTER_TRANSFERS	(4 * IMPORTER_IN_FLIGHT)

/**
 * struct importer_transfer - a descriptor on its way through the engine
 * @importer: whose; constant
 * @copy: what it is a piece of; NULL once it is done, or given up: what the
 *	engine says of it after that is not listened to
 * @number: its place among the pieces of @copy
 *
 * What the engine's callback gets. Guarded by &fpgabuf_importer.queue_lock.
 */
struct importer_transfer {
	struct fpgabuf_importer *importer;
	struct importer_copy *copy;
	unsigned int number;
};

/**
 * struct importer_map - where a buffer is, as the device sees it
 * @ref: of its slot, as long as the buffer is there, and of copies
 * @stale: in &fpgabuf_importer.stale, after the last reference
 * @import: the buffer, with a reference
 * @sgt: the mapping that @table is of, if the memory may move; else NULL
 * @table: pieces that the engine takes, of all of it
 *
 * Constant.
 */
struct importer_map {
	refcount_t ref;
	struct llist_node stale;
	struct fpgabuf_import *import;
	struct sg_table *sgt;
	struct sg_table table;
};

/**
 * struct importer_slot - an attached buffer
 * @importer: whose; constant
 * @import: the buffer, attached, with a reference; NULL: none
 * @busy: the buffer that a request is attaching or detaching; NULL: none. The
 *	other fields are that request's until it is done. Guarded by
 *	&fpgabuf_importer.lock. To be compared only, unless it is the reader's
 *	own: the last reference to it may be gone
 * @access: FPGABUF_IMPORT_*
 * @map: where it is, with a reference; NULL: not known any more. Guarded by the
 *	reservation if it may move
 * @pending: copies that are queued or active; guarded by
 *	&fpgabuf_importer.queue_lock
 * @quarantined: an engine that could not be stopped may still access it; guarded
 *	likewise
 *
 * What nothing else is said of is guarded by &fpgabuf_importer.lock, and constant
 * while there are pending copies.
 */
struct importer_slot {
	struct fpgabuf_importer *importer;
	struct fpgabuf_import *import;
	struct dma_buf *busy;
	u32 access;
	struct importer_map *map;
	unsigned int pending;
	bool quarantined;
};

/**
 * struct importer_cursor - where in a buffer the next piece begins
 * @sg: entry of its table
 * @skip: bytes of it that are before
 */
struct importer_cursor {
	struct scatterlist *sg;
	u64 skip;
};

/**
 * struct importer_copy - a copy
 * @node: in one of the importer's lists; guarded by
 *	&fpgabuf_importer.queue_lock
 * @importer: whose; constant
 * @arg: what is wanted
 * @wait: what it waits for; the submitter's, then guarded by
 *	&fpgabuf_importer.engine_lock
 * @fence: signals when it is done; a reference
 * @from: where the source is, with a reference; NULL: once it is done
 * @to: where the destination is, likewise
 * @src: where the next piece comes from
 * @dst: where it goes
 * @left: bytes that no piece was made for yet; written with both locks held
 * @issuing: pieces of it are being given to the engine: it is not over
 * @again: it was begun anew, or had to wait longer, because another one took too
 *	long
 * @issued: pieces that the engine was given
 * @finished: how many of these it is done with
 * @status: its first error, or 0
 * @timestamp: when it was done, CLOCK_MONOTONIC in ns
 *
 * Idle ones are the submitter's. For all others @src and @dst are guarded by
 * &fpgabuf_importer.engine_lock, what follows @left by
 * &fpgabuf_importer.queue_lock, and so are @fence, @from and @to; @arg does not
 * change.
 */
struct importer_copy {
	struct list_head node;
	struct fpgabuf_importer *importer;
	struct fpgabuf_import_copy arg;
	struct fpgabuf_wait wait;
	struct dma_fence *fence;
	struct importer_map *from;
	struct importer_map *to;
	struct importer_cursor src;
	struct importer_cursor dst;
	u64 left;
	bool issuing;
	bool again;
	unsigned int issued;
	unsigned int finished;
	int status;
	u64 timestamp;
};

/**
 * struct importer_submission - an exchange on its way into the queue
 * @args: what is wanted
 * @copies: idle ones, for @args
 * @files: the new sync_files, not yet installed; or NULL
 * @res: source and destination of each, and the fence to be added to both
 */
struct importer_submission {
	struct fpgabuf_import_copy args[FPGABUF_MAX_BATCH];
	struct importer_copy *copies[FPGABUF_MAX_BATCH];
	struct sync_file *files[FPGABUF_MAX_BATCH];
	struct fpgabuf_reservation res[2 * FPGABUF_MAX_BATCH];
};

/**
 * struct fpgabuf_importer - an importing device and its node
 * @dev: the node's device; an open file holds a reference through @cdev
 * @cdev: the node
 * @parent: the device as its driver knows it; valid until
 *	fpgabuf_importer_unregister() sets @gone
 * @config: what the driver said
 * @name: copy of its name
 * @alive: held for reading by whoever attaches, maps or detaches without @lock; for
 *	writing by unregister, which so waits until they are done. Sleeps; taken
 *	outside of all other locks. Nobody who holds it touches user memory
 * @lock: serialises exchanges but for their wait, open, release and unregister,
 *	and guards the fields down to @slots. Sleeps; taken outside of a
 *	dma-buf's reservation, never in a completion. Nobody who holds it touches
 *	user memory that may fault, nor attaches or detaches
 * @gone: the device is no more: nothing but closing works; written with @lock and
 *	@queue_lock held, read with either, or by READ_ONCE() with @alive held,
 *	where it may come about right after
 * @opened: there is a file
 * @dma: the engine's channel, requested at open. Who has the node open may read
 *	it with @alive held, too
 * @context: timeline of the file's fences
 * @seqno: of the last fence that was made
 * @submission: the exchange under way
 * @slots: attached buffers
 * @stale: maps that nobody has a reference of; lockless
 * @unmap_work: ends them
 * @engine_lock: serialises all that talks to @dma while there is work, and guards
 *	@next_transfer. Sleeps; taken inside of @lock, and in the path that
 *	signals fences: nobody who holds it waits for memory, for a reservation
 *	or for a fence
 * @next_transfer: the one of @transfers to use next
 * @work: gives the engine what has become ready
 * @watchdog: sees to it that the engine comes to an end
 * @queue_lock: guards what follows. Taken inside of @engine_lock, in any context;
 *	fences are signaled with it held
 * @transfers: what the engine's callbacks get
 * @idle: copies that are nothing
 * @queued: those that the engine has nothing of, in order
 * @active: those that it has pieces of, in order; all have been issued whole but
 *	for the last one
 * @done: those that are done, in order, to be taken
 * @num_idle: copies in @idle
 * @num_done: copies in @done
 * @in_flight: pieces that the engine has
 * @head_since: when it began with the oldest of these, CLOCK_MONOTONIC in ns
 * @quarantine: the engine does not stop, and takes no more work; written with
 *	@engine_lock held, too, and read with either, or by READ_ONCE() where it
 *	may come about right after
 * @kept: what an engine that does not stop may still be at, with a reference each;
 *	with nothing queued or active guarded by @lock
 * @num_kept: how many, likewise
 * @wait: woken when copies are done, and at removal
 * @copies: all of them
 *
 * Freed by the last reference to @dev.
 */
struct fpgabuf_importer {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	struct fpgabuf_importer_config config;
	char name[sizeof_field(struct fpgabuf_import_info, name)];

	struct rw_semaphore alive;
	struct mutex lock;	/* for what is said above */
	bool gone;
	bool opened;
	struct dma_chan *dma;
	u64 context;
	u64 seqno;
	struct importer_submission submission;
	struct importer_slot slots[FPGABUF_MAX_SLOTS];

	struct llist_head stale;
	struct work_struct unmap_work;

	struct mutex engine_lock;	/* for what is said above */
	unsigned int next_transfer;
	struct work_struct work;
	struct delayed_work watchdog;

	spinlock_t queue_lock;		/* for what is said above */
	struct importer_transfer transfers[IMPORTER_TRANSFERS];
	struct list_head idle;
	struct list_head queued;
	struct list_head active;
	struct list_head done;
	unsigned int num_idle;
	unsigned int num_done;
	unsigned int in_flight;
	u64 head_since;
	bool quarantine;
	struct importer_map *kept[2 * IMPORTER_DEPTH];
	unsigned int num_kept;
	wait_queue_head_t wait;
	struct importer_copy copies[IMPORTER_DEPTH];
};

static inline struct device *
importer_dma_dev(const struct fpgabuf_importer *importer)
{
	return dmaengine_get_dma_device(importer->dma);
}

/* What all offsets and lengths must be a multiple of */
static inline u32 importer_alignment(const struct fpgabuf_importer *importer)
{
	return 1U << importer->dma->device->copy_align;
}

/* node.c */
int fpgabuf_importing_init(void);
void fpgabuf_importing_exit(void);
int importer_enter(struct fpgabuf_importer *importer);
void importer_leave(struct fpgabuf_importer *importer);

/* slots.c: with no lock held */
int importer_ioctl_attach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size);
int importer_ioctl_detach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size);
int importer_ioctl_segments(struct fpgabuf_importer *importer,
			    void __user *user, size_t size);
/* with importer->lock held */
struct importer_slot *importer_slot(struct fpgabuf_importer *importer,
				    u32 number);
void importer_slots_init(struct fpgabuf_importer *importer);
void importer_slots_release(struct fpgabuf_importer *importer);

/* map.c */
void importer_maps_init(struct fpgabuf_importer *importer);
void importer_maps_flush(struct fpgabuf_importer *importer);
u64 importer_max_segment(const struct fpgabuf_importer *importer);
struct importer_map *importer_map_pinned(struct fpgabuf_importer *importer,
					 struct fpgabuf_import *import);
void importer_map_put(struct fpgabuf_importer *importer,
		      struct importer_map *map);
void importer_maps_unkeep(struct fpgabuf_importer *importer);
void importer_maps_abandon(struct fpgabuf_importer *importer);
extern const struct fpgabuf_import_ops importer_import_ops;
/* with the reservation held, if it may move */
int importer_map_slot(struct fpgabuf_importer *importer,
		      struct importer_slot *slot);

/* submit.c: with importer->lock held */
int importer_submit(struct fpgabuf_importer *importer,
		    const struct fpgabuf_import_exchange *x,
		    struct fpgabuf_user_fault *fault);

/* exchange.c: with no lock held */
int importer_ioctl_exchange(struct fpgabuf_importer *importer,
			    void __user *user, size_t size, bool nonblock);

/* copy.c */
void importer_engine_init(struct fpgabuf_importer *importer);
void importer_engine_fini(struct fpgabuf_importer *importer);
void importer_issue(struct fpgabuf_importer *importer);
/* with importer->lock held */
void importer_stop(struct fpgabuf_importer *importer, int status);
int importer_quarantine_end(struct fpgabuf_importer *importer);

#endif /* _FPGABUF_NODE_H */
