/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_CHANNEL_H
#define _FPGABUF_CHANNEL_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/fpgabuf.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>

#include "queue.h"

struct fpgabuf_channel;

/**
 * struct fpgabuf_slot - a registered buffer
 * @channel: the channel it belongs to; constant
 * @job: what it is doing; in &fpgabuf_channel.queue, constant
 * @import: the dma-buf, attached to the engine's device and mapped; shared by
 *	all slots in that dma-buf
 * @offset: where its range starts in the dma-buf, bytes
 * @length: bytes of the range
 * @frame: the device's view of one frame at the start of the range
 * @desc: the engine's descriptor; valid while the job is ACTIVE
 *
 * All but @desc is guarded by &fpgabuf_channel.lock and does not change while
 * the job is QUEUED or ACTIVE, so that the completion may read it.
 */
struct fpgabuf_slot {
	struct fpgabuf_channel *channel;
	struct fpgabuf_job *job;
	struct fpgabuf_import *import;
	u64 offset;
	u64 length;
	struct sg_table frame;
	struct dma_async_tx_descriptor *desc;
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
 * @lock: serialises all ioctls but the wait of an exchange, open, release and
 *	unregister, and guards the fields down to @slots. Sleeps; taken outside
 *	of a dma-buf's reservation and of mmap_lock, never in a completion
 * @gone: the board's device is no more: nothing but closing works; written with
 *	@lock and @queue.lock held, read with either
 * @users: open files, and those who allocate by @device
 * @owner: the file that may stream, or NULL
 * @dma: the engine's channel, requested by the first user and released by the
 *	last one, so that an unused node does not hold its driver's module
 * @has_metadata: the engine tells of each frame in its descriptor's metadata
 * @configured: the board was told @format
 * @format: the owner's, or the default
 * @run: starts of this owner
 * @scratch: entries of the exchange under way
 * @slots: registered buffers
 * @queue: jobs of @slots; has a lock of its own, taken inside of @lock
 * @streaming: written with @lock and @queue.lock held, read with either
 * @next_sequence: of the frame that is expected next; guarded by @queue.lock
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

	struct mutex lock;	/* for what is said above */
	bool gone;
	unsigned int users;
	struct file *owner;
	struct dma_chan *dma;
	bool has_metadata;
	bool configured;
	struct fpgabuf_format format;
	u32 run;
	struct fpgabuf_queue_entry scratch[FPGABUF_MAX_BATCH];
	struct fpgabuf_slot slots[FPGABUF_MAX_SLOTS];

	struct fpgabuf_queue queue;
	bool streaming;
	u64 next_sequence;
	wait_queue_head_t wait;
};

static inline struct device *
fpgabuf_channel_dma_dev(const struct fpgabuf_channel *channel)
{
	return dmaengine_get_dma_device(channel->dma);
}

/* channel.c: with channel->lock held */
int fpgabuf_channel_claim(struct fpgabuf_channel *channel, struct file *file);

/* ioctl.c */
long fpgabuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* buffers.c: with channel->lock held */
struct fpgabuf_ioctl_arg;
int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_register(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg);
int fpgabuf_ioctl_unregister(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg);
void fpgabuf_slots_init(struct fpgabuf_channel *channel);
bool fpgabuf_slots_used(const struct fpgabuf_channel *channel);
struct fpgabuf_import *fpgabuf_slots_import(struct fpgabuf_channel *channel,
					    const struct dma_buf *dmabuf);
void fpgabuf_slots_release(struct fpgabuf_channel *channel);
unsigned int fpgabuf_max_segment(const struct fpgabuf_channel *channel);

/* inspect.c: with channel->lock held */
int fpgabuf_ioctl_inspect(struct fpgabuf_channel *channel, struct file *file,
			  struct fpgabuf_ioctl_arg *arg);

/* stream.c: with channel->lock held */
int fpgabuf_stream_start(struct fpgabuf_channel *channel);
void fpgabuf_stream_stop(struct fpgabuf_channel *channel);
void fpgabuf_stream_issue(struct fpgabuf_channel *channel);

/* exchange.c: with channel->lock not held */
int fpgabuf_ioctl_exchange(struct fpgabuf_channel *channel, struct file *file,
			   struct fpgabuf_ioctl_arg *arg);

/**
 * struct fpgabuf_ioctl_arg - the argument of an ioctl under way
 * @user: where it is in user space
 * @size: its size there, at least that of the first ABI version
 * @ksize: its size here
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

int fpgabuf_ioctl_put(const struct fpgabuf_ioctl_arg *arg);

#endif /* _FPGABUF_CHANNEL_H */
