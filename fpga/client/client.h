/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fronts of an engine have in common: requests of programs come in by an
 * exchange, are submitted with their fences, and completions go out.
 *
 *	client.c    the object and its end
 *	submit.c    jobs and their fences into the engine's queue: all or none
 *	exchange.c  the order of an exchange, waiting, taking completions
 *	usercopy.c  user memory while a lock is held
 *	power.c     runtime PM of the device
 */
#ifndef _FPGABUF_CLIENT_H
#define _FPGABUF_CLIENT_H

#include <linux/fpgabuf.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include "../engine/engine.h"
#include "usercopy.h"

struct file;
struct fpgabuf_client;
struct sync_file;

/* Bytes of the longest completion of any front */
#define FPGABUF_DONE_SIZE	64

/* Flags of requests that all fronts know */
#define FPGABUF_CLIENT_FLAGS	(FPGABUF_QUEUE_IN_FENCE | \
				 FPGABUF_QUEUE_OUT_FENCE | \
				 FPGABUF_QUEUE_NO_IMPLICIT)

/**
 * struct fpgabuf_request - a job that is to be submitted
 * @job: the job, idle
 * @flags: FPGABUF_CLIENT_FLAGS
 * @in_fence: sync_file to wait for, with FPGABUF_QUEUE_IN_FENCE
 * @out_fence: out: number of the new sync_file, with FPGABUF_QUEUE_OUT_FENCE
 * @file: the new sync_file until it is installed, or NULL
 *
 * The front sets the first three, fpgabuf_client_submit() the others.
 */
struct fpgabuf_request {
	struct fpgabuf_job *job;
	u32 flags;
	int in_fence;
	int out_fence;
	struct sync_file *file;
};

/**
 * struct fpgabuf_submission - the requests of an exchange
 * @capacity: number of requests there is room for
 * @flags: flags of all requests
 * @requests: what is to be submitted
 * @res: the buffers of each, &fpgabuf_client_ops.num_buffers of them; the front
 *	sets import and write
 * @args: what the front reads from user space, &fpgabuf_client_ops.arg_size bytes a
 *	request
 */
struct fpgabuf_submission {
	unsigned int capacity;
	u32 flags;
	struct fpgabuf_request *requests;
	struct fpgabuf_reservation *res;
	void *args;
};

/**
 * struct fpgabuf_client_ops - what differs between fronts
 * @num_buffers: number of buffers of a job
 * @arg_size: bytes that the front reads from user space for a request
 * @fenced: all jobs have a fence in the reservations of their buffers, not only
 *	those with FPGABUF_QUEUE_OUT_FENCE
 * @done_size: bytes of a completion, at most FPGABUF_DONE_SIZE
 * @extra_size: distance of what @extra returns in user memory
 */
struct fpgabuf_client_ops {
	unsigned int num_buffers;
	size_t arg_size;
	bool fenced;
	size_t done_size;
	size_t extra_size;

	/**
	 * @submit: read the exchange's requests, and submit them by
	 * fpgabuf_client_submit(). Returns 0, or a negative errno, with nothing
	 * changed; -EFAULT with @fault set is tried again. Called with
	 * &fpgabuf_client.lock held.
	 */
	int (*submit)(struct fpgabuf_client *client, struct file *file,
		      const void *exchange, struct fpgabuf_user_fault *fault);

	/**
	 * @report: write the numbers of new sync_files to user space. Returns 0
	 * or -EFAULT, as @submit. Called with &fpgabuf_client.lock held.
	 */
	int (*report)(struct fpgabuf_client *client, const void *exchange,
		      unsigned int num, struct fpgabuf_user_fault *fault);

	/**
	 * @locate: the reservations of the first @num requests' buffers are
	 * held: find out where the buffers are. Returns 0 or a negative errno.
	 * May be NULL.
	 */
	int (*locate)(struct fpgabuf_client *client, unsigned int num);

	/**
	 * @queue: request number @i goes into the queue. Called with
	 * &fpgabuf_queue.lock held.
	 */
	void (*queue)(struct fpgabuf_client *client, unsigned int i);

	/**
	 * @allowed: returns 0, or -EBUSY if another file uses the client. Called
	 * with &fpgabuf_client.lock held. May be NULL.
	 */
	int (*allowed)(struct fpgabuf_client *client, struct file *file);

	/**
	 * @ended: returns 0, or the negative errno to report when there are no
	 * completions and none will come. @min_done: the number of completions
	 * that is waited for. Called with &fpgabuf_queue.lock held.
	 */
	int (*ended)(struct fpgabuf_client *client, u32 min_done);

	/**
	 * @fill: write the completion of a DONE job, @done_size bytes, to
	 * @done, which is zeroed. May be called again for the same job. Called
	 * with &fpgabuf_queue.lock held.
	 */
	void (*fill)(struct fpgabuf_job *job, void *done);

	/**
	 * @extra: returns what belongs to the completion of a DONE job besides,
	 * and sets how many bytes that is, at most @extra_size. NULL if the
	 * front has nothing.
	 */
	const void *(*extra)(const struct fpgabuf_job *job, size_t *len);

	/**
	 * @taken: the job is idle again. Called with &fpgabuf_queue.lock held.
	 * May be NULL.
	 */
	void (*taken)(struct fpgabuf_job *job);
};

/**
 * struct fpgabuf_client - an engine as a front uses it
 * @ops: the front's functions; constant
 * @engine: the engine
 * @alive: held for reading by those who use the engine's device without @lock: to
 *	allocate for it, to attach and to map. The front's end holds it for
 *	writing, and so waits for them. Sleeps; taken outside of all other locks.
 *	Nobody who holds it touches user memory
 * @lock: serializes exchanges (except their wait) and the front's other requests,
 *	and protects the fields that follow. Sleeps; taken outside of reservations
 *	and never in a completion. Nobody who holds it touches user memory that
 *	may fault, allocates much, attaches or maps
 * @gone: the device is no more: nothing works except close. Written with @lock and
 *	&fpgabuf_queue.lock held, read with either, or by READ_ONCE() with @alive
 *	held, where it may be set right after
 * @powered: there is a reference that keeps the device resumed
 * @context: timeline of the fences
 * @seqno: of the last fence that was created
 * @submission: the exchange that is being submitted
 */
struct fpgabuf_client {
	const struct fpgabuf_client_ops *ops;
	struct fpgabuf_engine engine;
	struct rw_semaphore alive;
	struct mutex lock;	/* protects the fields that follow */
	bool gone;
	bool powered;
	u64 context;
	u64 seqno;
	struct fpgabuf_submission submission;
};

/**
 * struct fpgabuf_client_exchange - the part of an exchange that all fronts have
 * @client: the client
 * @file: the file it came by
 * @exchange: all of it, for &fpgabuf_client_ops.submit
 * @queue_count: number of requests
 * @done: user memory for completions
 * @done_count: number of completions there is room for; set to the number taken
 * @min_done: number of completions to wait for
 * @timeout: ns; 0: do not wait; negative: no limit
 * @extra: user memory for &fpgabuf_client_ops.extra of each completion; 0: not
 *	wanted
 */
struct fpgabuf_client_exchange {
	struct fpgabuf_client *client;
	struct file *file;
	const void *exchange;
	u32 queue_count;
	u64 done;
	u32 done_count;
	u32 min_done;
	s64 timeout;
	u64 extra;
};

/* client.c */
int fpgabuf_client_init(struct fpgabuf_client *client,
			const struct fpgabuf_client_ops *ops);
void fpgabuf_client_fini(struct fpgabuf_client *client);
int fpgabuf_client_enter(struct fpgabuf_client *client);
void fpgabuf_client_leave(struct fpgabuf_client *client);
int fpgabuf_client_reserve(struct fpgabuf_client *client, unsigned int num);
/* with client->lock held */
void fpgabuf_client_new_timeline(struct fpgabuf_client *client);
void fpgabuf_client_set_gone(struct fpgabuf_client *client);

/* power.c: with client->lock held */
int fpgabuf_client_power_up(struct fpgabuf_client *client);
bool fpgabuf_client_power_down(struct fpgabuf_client *client);
void fpgabuf_client_power_end(struct fpgabuf_client *client);

/* submit.c: with client->lock held */
int fpgabuf_client_submit(struct fpgabuf_client *client, const void *exchange,
			  unsigned int num, struct fpgabuf_user_fault *fault);

/* exchange.c: with no lock held */
int fpgabuf_client_exchange(struct fpgabuf_client_exchange *x);

#endif /* _FPGABUF_CLIENT_H */
