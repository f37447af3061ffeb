/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An importing device and its node:
 *
 *	node.c      registration, the file, and ioctls that only ask
 *	slots.c     the buffers that it is attached to
 *	map.c       where these are, which may change
 *	exchange.c  the ioctl that copies go in by, and come out
 *	submit.c    the requests of an exchange
 *	copy.c      what copies are to the engine
 */
#ifndef _FPGABUF_NODE_H
#define _FPGABUF_NODE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/workqueue.h>

#include "../client/client.h"

/* Copies that are queued, or done and not taken. */
#define IMPORTER_DEPTH		64
/* Buffers that can be attached at a time. */
#define IMPORTER_SLOTS		64
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
 *	&fpgabuf_client.lock. To be compared only, unless it is the reader's
 *	own: the last reference to it may be gone
 * @access: FPGABUF_IMPORT_*
 * @map: where it is, with a reference; NULL: not known any more. Guarded by the
 *	reservation if it may move
 * @pending: copies that are queued or active; guarded by
 *	&fpgabuf_queue.lock
 * @quarantined: an engine that could not be stopped may still access it; guarded
 *	likewise
 *
 * Protected by &fpgabuf_client.lock unless noted, and constant while there are
 * pending copies.
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
 * @job: its job. While it is IDLE, its node is in &fpgabuf_importer.idle
 * @importer: whose; constant
 * @arg: the copy that the user asked for
 * @from: where the source is, with a reference; NULL: the copy is done
 * @to: where the destination is, likewise
 * @src: where the next piece comes from
 * @dst: where it goes
 * @left: bytes that no piece was prepared for yet
 * @last: bytes of the piece that was prepared last
 * @timestamp: when it was done, CLOCK_MONOTONIC in ns
 *
 * Owned by the submitter while the job is IDLE. Then @arg is constant, @src, @dst,
 * @left and @last are protected by &fpgabuf_engine.lock, the others by
 * &fpgabuf_queue.lock.
 */
struct importer_copy {
	struct fpgabuf_job job;
	struct fpgabuf_importer *importer;
	struct fpgabuf_import_copy arg;
	struct importer_map *from;
	struct importer_map *to;
	struct importer_cursor src;
	struct importer_cursor dst;
	u64 left;
	unsigned int last;
	u64 timestamp;
};

/**
 * struct fpgabuf_importer - an importing device and its node
 * @dev: the node's device; an open file holds a reference through @cdev
 * @cdev: the node
 * @parent: the device as its driver knows it; valid until
 *	fpgabuf_importer_unregister() sets &fpgabuf_client.gone
 * @config: what the driver registered
 * @name: copy of its name
 * @client: the engine, and exchanges. Open while there is a file, and while the
 *	engine is in quarantine. Its lock also serializes open, release and
 *	unregister, and protects the fields down to @slots
 * @opened: there is a file
 * @slots: attached buffers
 * @stale: maps that nobody holds a reference of; lockless
 * @unmap_work: frees them
 * @idle: copies that are idle; protected by &fpgabuf_queue.lock
 * @num_idle: number of copies in @idle; protected likewise
 * @kept: what an engine that does not stop may still access, with a reference each.
 *	Protected by &fpgabuf_queue.lock, and with no copy pending by
 *	&fpgabuf_client.lock
 * @num_kept: number of @kept, likewise
 * @copies: all copies
 *
 * Freed by the last reference to @dev.
 */
struct fpgabuf_importer {
	struct device dev;
	struct cdev cdev;
	struct device *parent;
	struct fpgabuf_importer_config config;
	char name[sizeof_field(struct fpgabuf_import_info, name)];

	struct fpgabuf_client client;
	bool opened;
	struct importer_slot slots[IMPORTER_SLOTS];

	struct llist_head stale;
	struct work_struct unmap_work;

	struct list_head idle;
	unsigned int num_idle;
	struct importer_map *kept[2 * IMPORTER_DEPTH];
	unsigned int num_kept;
	struct importer_copy copies[IMPORTER_DEPTH];
};

static inline struct fpgabuf_importer *
to_fpgabuf_importer(struct fpgabuf_client *client)
{
	return container_of(client, struct fpgabuf_importer, client);
}

/* The copies of the exchange that is being submitted */
static inline struct fpgabuf_import_copy *
importer_args(const struct fpgabuf_importer *importer)
{
	return importer->client.submission.args;
}

static inline struct importer_copy *to_importer_copy(struct fpgabuf_job *job)
{
	return container_of(job, struct importer_copy, job);
}

static inline struct device *
importer_dma_dev(const struct fpgabuf_importer *importer)
{
	return fpgabuf_engine_dev(&importer->client.engine);
}

/* node.c */
int fpgabuf_importing_init(void);
void fpgabuf_importing_exit(void);

/* slots.c: with no lock held */
int importer_ioctl_attach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size);
int importer_ioctl_detach(struct fpgabuf_importer *importer, void __user *user,
			  size_t size);
int importer_ioctl_segments(struct fpgabuf_importer *importer,
			    void __user *user, size_t size);
/* with importer->client.lock held */
struct importer_slot *importer_slot(struct fpgabuf_importer *importer,
				    u32 number);
void importer_slots_init(struct fpgabuf_importer *importer);
void importer_slots_release(struct fpgabuf_importer *importer);

/* map.c */
void importer_maps_init(struct fpgabuf_importer *importer);
void importer_maps_flush(struct fpgabuf_importer *importer);
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

/* submit.c: with importer->client.lock held */
int importer_submit(struct fpgabuf_client *client, struct file *file,
		    const void *exchange, struct fpgabuf_user_fault *fault);
int importer_submit_report(struct fpgabuf_client *client, const void *exchange,
			   unsigned int num, struct fpgabuf_user_fault *fault);
int importer_submit_locate(struct fpgabuf_client *client, unsigned int num);
/* with importer->client.engine.queue.lock held */
void importer_submit_queue(struct fpgabuf_client *client, unsigned int i);

/* exchange.c */
extern const struct fpgabuf_client_ops importer_exchange_ops;
/* with no lock held */
int importer_ioctl_exchange(struct fpgabuf_importer *importer,
			    struct file *file, void __user *user, size_t size);

/* power.c */
void importer_power_init(struct class *class);

/* copy.c */
extern const struct fpgabuf_engine_ops importer_copy_ops;
void importer_copies_init(struct fpgabuf_importer *importer);

#endif /* _FPGABUF_NODE_H */
