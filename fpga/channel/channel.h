/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_CHANNEL_H
#define _FPGABUF_CHANNEL_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fpgabuf.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>

#include "../client/client.h"
#include "format.h"

struct attribute_group;
struct dma_async_tx_descriptor;
struct dma_interleaved_template;
struct fpgabuf_channel;

/* Buffers that can be registered with a channel at a time */
#define FPGABUF_MAX_SLOTS	4096U
/* Room for that many to begin with */
#define FPGABUF_MIN_SLOTS	64U

/**
 * struct fpgabuf_pieces - a frame in memory, as the engine gets it
 * @frame: all of it; constant
 * @part: for output that is shorter than a frame: its entries are set when such
 *	a one is prepared, and then stay as they are until it is done, since
 *	engines may read them late. As many as in @frame; none for capture
 * @template: for an engine that moves it line by line, else NULL: the frame is in
 *	one piece then, and there is no @part. The length of its lines is set when
 *	a frame is prepared
 * @lines: what @template was made of; constant
 */
struct fpgabuf_pieces {
	struct sg_table frame;
	struct sg_table part;
	struct dma_interleaved_template *template;
	struct fpgabuf_lines lines;
};

/**
 * struct fpgabuf_slot - a registered buffer, and its frames' job
 * @job: the capture or output of its next frame. Its node is in
 *	&fpgabuf_channel.kept when the owner has closed the node and the engine does
 *	not stop
 * @channel: the channel it belongs to; constant
 * @number: the user's name for it; constant
 * @seen: &fpgabuf_channel.num_submissions when it was named last
 * @import: the dma-buf, attached to the engine's device and mapped, with a
 *	reference; shared by all slots in that dma-buf. Constant
 * @range: in &fpgabuf_channel.ranges
 * @offset: where its range starts in the dma-buf, bytes
 * @length: bytes of the range
 * @pieces: the device's view of one frame at the start of the range
 * @quarantined: an engine that could not be stopped may still access it. Protected
 *	by &fpgabuf_queue.lock
 * @overwritten: an engine in a ring has written to it since its last completion,
 *	before it was queued again, and no completion has reported that. Protected
 *	by &fpgabuf_queue.lock
 * @bytes: how much of the frame is to be moved
 * @desc: the engine's descriptor; valid while the engine has it
 * @done: the completion; valid while the job is DONE, except for the slot and
 *	user_data, which are valid from when it is queued
 * @metadata: what the board added, &fpgabuf_completion.metadata_len bytes; valid
 *	while the job is DONE
 *
 * Protected by &fpgabuf_client.lock unless noted. Constant while the job is QUEUED
 * or ACTIVE, so the completion callback may read the fields without that lock.
 */
struct fpgabuf_slot {
	struct fpgabuf_job job;
	struct fpgabuf_channel *channel;
	u32 number;
	u64 seen;
	struct fpgabuf_import *import;
	struct rb_node range;
	u64 offset;
	u64 length;
	struct fpgabuf_pieces pieces;
	bool quarantined;
	bool overwritten;
	u64 bytes;
	struct dma_async_tx_descriptor *desc;
	struct fpgabuf_completion done;
	struct fpgabuf_metadata metadata;
};

/**
 * struct fpgabuf_stats - what a channel has done since it was registered
 * @frames: whole frames
 * @bytes: bytes of these
 * @lost: frames that the FPGA lost
 * @errors: buffers that were done with an error that nothing below counts
 * @timeouts: buffers that were done with -ETIMEDOUT
 * @canceled: buffers that were done with -ECANCELED or -ENODEV
 */
struct fpgabuf_stats {
	u64 frames;
	u64 bytes;
	u64 lost;
	u64 errors;
	u64 timeouts;
	u64 canceled;
};

/**
 * struct fpgabuf_channel - a channel and its node
 * @dev: the node's device; an open file holds a reference through @cdev
 * @cdev: the node
 * @parent: the board's device; @config is its driver's. Both are valid until
 *	fpgabuf_channel_unregister() sets &fpgabuf_client.gone
 * @device: @parent as the exporter knows it
 * @config: what the board registered
 * @name: copy of its name
 * @client: the engine, and exchanges. Open while the node has users. Its lock also
 *	serializes ioctls, open, release and unregister, and protects the fields
 *	down to @slots
 * @register_lock: serializes registration of buffers, so that all slots in a
 *	dma-buf share one import. Sleeps; taken inside of &fpgabuf_client.alive and
 *	outside of &fpgabuf_client.lock, and by nobody else
 * @users: number of open files, and of those who allocate by @device
 * @owner: the file that may stream, or NULL; poll() compares it without the lock,
 *	by READ_ONCE()
 * @has_metadata: the engine reports on each frame in its descriptor's metadata
 * @configured: the board has @format, and had power since
 * @format: the owner's, or the default
 * @run: number of starts of this owner
 * @num_submissions: number of exchanges with requests
 * @kept: slots whose buffers are in quarantine, and whose owner has closed the node
 * @num_slots: number of registered buffers. Rises only with @register_lock held,
 *	too, and is read by READ_ONCE() with that alone
 * @max_slots: length of @slots. Written with &fpgabuf_client.lock,
 *	&fpgabuf_queue.lock and @register_lock held, read with any of them
 * @slots: registered buffers by number, or NULL. Written with &fpgabuf_client.lock
 *	and &fpgabuf_queue.lock held, read with either
 * @ranges: the same slots, by dma-buf and offset; they do not overlap
 * @ring: the slots in the order in which the engine goes round in them, or NULL if
 *	it does not. All of them: meanwhile none comes or goes. Constant while the
 *	engine goes round
 * @ring_sequence: of the frame that it is at; protected by &fpgabuf_queue.lock
 * @next_sequence: of the frame that is expected next; protected by
 *	&fpgabuf_queue.lock
 * @stats: protected likewise
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

	struct fpgabuf_client client;
	struct mutex register_lock;	/* serializes registration of buffers */
	unsigned int users;
	struct file *owner;
	bool has_metadata;
	bool configured;
	struct fpgabuf_format format;
	u32 run;
	u64 num_submissions;
	struct list_head kept;
	unsigned int num_slots;
	unsigned int max_slots;
	struct fpgabuf_slot **slots;
	struct rb_root ranges;
	struct fpgabuf_slot **ring;
	u64 ring_sequence;

	u64 next_sequence;
	struct fpgabuf_stats stats;
};

static inline struct fpgabuf_channel *
to_fpgabuf_channel(struct fpgabuf_client *client)
{
	return container_of(client, struct fpgabuf_channel, client);
}

static inline struct fpgabuf_slot *to_fpgabuf_slot(struct fpgabuf_job *job)
{
	return container_of(job, struct fpgabuf_slot, job);
}

/* The entries of the exchange that is being submitted */
static inline struct fpgabuf_queue_entry *
fpgabuf_channel_entries(const struct fpgabuf_channel *channel)
{
	return channel->client.submission.args;
}

/* Their fences, as the caller knows them */
static inline struct fpgabuf_fences *
fpgabuf_channel_fences(const struct fpgabuf_channel *channel)
{
	const struct fpgabuf_submission *s = &channel->client.submission;

	return s->args + s->capacity * sizeof(struct fpgabuf_queue_entry);
}

static inline struct device *
fpgabuf_channel_dma_dev(const struct fpgabuf_channel *channel)
{
	return fpgabuf_engine_dev(&channel->client.engine);
}

static inline bool fpgabuf_channel_is_output(const struct fpgabuf_channel *channel)
{
	return channel->config.direction == FPGABUF_DIR_OUTPUT;
}

/* node.c */
int fpgabuf_channels_init(void);
void fpgabuf_channels_exit(void);

/* ioctl.c */
long fpgabuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* alloc.c: with no lock held */
struct fpgabuf_ioctl_arg;
int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);

/* stream.c: with channel->client.engine.queue.lock held */
void fpgabuf_stream_fill_done(struct fpgabuf_slot *slot,
			      const struct fpgabuf_frame *frame);

/* ring.c: with channel->client.lock held */
int fpgabuf_ring_start(struct fpgabuf_channel *channel, u32 timeout_ms);
void fpgabuf_ring_free(struct fpgabuf_channel *channel);
/* with channel->client.engine.queue.lock held */
void fpgabuf_ring_entered(struct fpgabuf_engine *engine, unsigned int index);
void fpgabuf_ring_passed(struct fpgabuf_engine *engine, unsigned int index);
void fpgabuf_ring_quarantine(struct fpgabuf_engine *engine);

/* pieces.c: with no lock held */
u32 fpgabuf_pieces_max_segment(const struct fpgabuf_channel *channel);
u32 fpgabuf_pieces_line_align(const struct fpgabuf_channel *channel);
int fpgabuf_pieces_check(const struct fpgabuf_channel *channel,
			 const struct fpgabuf_format *format,
			 struct fpgabuf_lines *lines);
int fpgabuf_pieces_init(struct fpgabuf_pieces *pieces,
			const struct fpgabuf_channel *channel,
			const struct fpgabuf_format *format,
			const struct fpgabuf_import *import, u64 offset);
void fpgabuf_pieces_fini(struct fpgabuf_pieces *pieces);
/* with channel->client.engine.lock held */
struct dma_async_tx_descriptor *
fpgabuf_pieces_prepare(const struct fpgabuf_slot *slot);
/* in any context */
u64 fpgabuf_pieces_moved(const struct fpgabuf_slot *slot, u32 residue);

/* slots.c: with no lock held */
int fpgabuf_ioctl_register(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg);
void fpgabuf_slots_free(struct list_head *slots);
/* with channel->client.lock held */
int fpgabuf_ioctl_unregister(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
struct fpgabuf_slot *fpgabuf_slot(const struct fpgabuf_channel *channel,
				  u32 number);
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf);
void fpgabuf_slots_release(struct fpgabuf_channel *channel);

/* inspect.c: with no lock held */
int fpgabuf_ioctl_inspect(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_ioctl_arg *arg);

/* stream.c */
extern const struct fpgabuf_engine_ops fpgabuf_stream_ops;
/* with channel->client.lock held */
void fpgabuf_stream_power_down(struct fpgabuf_channel *channel);
int fpgabuf_stream_configure(struct fpgabuf_channel *channel,
			     const struct fpgabuf_format *format);
int fpgabuf_stream_start(struct fpgabuf_channel *channel, u32 timeout_ms);
void fpgabuf_stream_stop(struct fpgabuf_channel *channel, int status);

/* attrs.c */
extern const struct attribute_group *fpgabuf_channel_groups[];

/* stats.c */
extern const struct attribute_group fpgabuf_stats_group;
/* with channel->client.engine.queue.lock held */
void fpgabuf_stats_count(struct fpgabuf_channel *channel,
			 const struct fpgabuf_completion *done);

/* power.c */
void fpgabuf_power_init(struct class *class);

/* quarantine.c: with channel->client.lock held */
int fpgabuf_quarantine_end(struct fpgabuf_channel *channel);
void fpgabuf_quarantine_abandon(struct fpgabuf_channel *channel);

/* submit.c: with channel->client.lock held */
int fpgabuf_submit(struct fpgabuf_client *client, struct file *file,
		   const void *exchange, struct fpgabuf_user_fault *fault);
int fpgabuf_submit_report(struct fpgabuf_client *client, const void *exchange,
			  unsigned int num, struct fpgabuf_user_fault *fault);
/* with channel->client.engine.queue.lock held */
void fpgabuf_submit_queue(struct fpgabuf_client *client, unsigned int i);

/* exchange.c */
extern const struct fpgabuf_client_ops fpgabuf_exchange_ops;
/* with channel->client.lock held */
int fpgabuf_channel_claim(struct fpgabuf_channel *channel, struct file *file);
/* with no lock held */
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
/* with channel->client.lock held */
int fpgabuf_ioctl_put_locked(struct fpgabuf_ioctl_arg *arg);

#endif /* _FPGABUF_CHANNEL_H */
