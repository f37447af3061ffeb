/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_QUEUE_H
#define _FPGABUF_QUEUE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/fpgabuf.h>

/**
 * enum fpgabuf_job_state - where a slot's buffer is
 * @FPGABUF_JOB_EMPTY: the slot has no buffer
 * @FPGABUF_JOB_IDLE: with the user
 * @FPGABUF_JOB_QUEUED: with the channel, not yet with the engine
 * @FPGABUF_JOB_ACTIVE: with the engine
 * @FPGABUF_JOB_DONE: with the channel, its completion not yet taken
 *
 *	EMPTY <-> IDLE -> QUEUED -> ACTIVE -> DONE -> IDLE
 *
 * QUEUED may also become DONE (cancelled, refused by the engine, or what it
 * waited for failed), ACTIVE may go back to QUEUED (a start that failed, an
 * engine that was stopped for the job before it), and DONE may become EMPTY.
 */
enum fpgabuf_job_state {
	FPGABUF_JOB_EMPTY,
	FPGABUF_JOB_IDLE,
	FPGABUF_JOB_QUEUED,
	FPGABUF_JOB_ACTIVE,
	FPGABUF_JOB_DONE,
};

/**
 * struct fpgabuf_job - what a slot's buffer is doing
 * @node: in the list of &struct fpgabuf_queue that @state names
 * @state: see above
 * @done: what the user will be told; .slot is constant, .user_data set when it
 *	is queued, the rest when it is done
 */
struct fpgabuf_job {
	struct list_head node;
	enum fpgabuf_job_state state;
	struct fpgabuf_completion done;
};

/**
 * struct fpgabuf_queue - the jobs of a channel
 * @lock: guards all of it and of its jobs; taken in the engine's callback
 * @jobs: one per slot
 * @num_jobs: how many
 * @queued: jobs in that state, oldest first
 * @active: likewise
 * @done: likewise
 * @num_pending: QUEUED and ACTIVE jobs
 * @num_done: DONE jobs
 *
 * Pure bookkeeping. All functions but fpgabuf_queue_init() are called with
 * @lock held.
 */
struct fpgabuf_queue {
	spinlock_t lock;	/* for what is said above */
	struct fpgabuf_job jobs[FPGABUF_MAX_SLOTS];
	unsigned int num_jobs;
	struct list_head queued;
	struct list_head active;
	struct list_head done;
	unsigned int num_pending;
	unsigned int num_done;
};

void fpgabuf_queue_init(struct fpgabuf_queue *queue, unsigned int num_jobs);
struct fpgabuf_job *fpgabuf_queue_fill(struct fpgabuf_queue *queue);
int fpgabuf_queue_empty(struct fpgabuf_queue *queue, unsigned int slot);
int fpgabuf_queue_check(const struct fpgabuf_queue *queue,
			const struct fpgabuf_queue_entry *entries,
			unsigned int count, unsigned int depth);
void fpgabuf_queue_add(struct fpgabuf_queue *queue,
		       const struct fpgabuf_queue_entry *entry);
void fpgabuf_queue_issue(struct fpgabuf_queue *queue, struct fpgabuf_job *job);
void fpgabuf_queue_unissue(struct fpgabuf_queue *queue,
			   struct fpgabuf_job *job);
void fpgabuf_queue_unissue_all(struct fpgabuf_queue *queue);
void fpgabuf_queue_complete(struct fpgabuf_queue *queue,
			    struct fpgabuf_job *job);
struct fpgabuf_job *fpgabuf_queue_oldest(struct fpgabuf_queue *queue);
bool fpgabuf_queue_peek(struct fpgabuf_queue *queue,
			struct fpgabuf_completion *done);
void fpgabuf_queue_pop(struct fpgabuf_queue *queue);

#endif /* _FPGABUF_QUEUE_H */
