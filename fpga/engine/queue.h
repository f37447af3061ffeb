/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_QUEUE_H
#define _FPGABUF_QUEUE_H

#include <linux/fpgabuf.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_fence;
struct fpgabuf_engine;

/**
 * enum fpgabuf_job_state - where a job is
 * @FPGABUF_JOB_IDLE: not in the queue, owned by the front
 * @FPGABUF_JOB_QUEUED: waits for its fences, or for the jobs before it
 * @FPGABUF_JOB_ACTIVE: its descriptors are being given to the engine, or it failed
 *	and waits for the jobs before it to complete
 * @FPGABUF_JOB_DONE: complete, its completion not yet taken
 *
 *	IDLE -> QUEUED -> ACTIVE -> DONE -> IDLE
 *
 * ACTIVE may go back to QUEUED: after the engine was stopped.
 */
enum fpgabuf_job_state {
	FPGABUF_JOB_IDLE,
	FPGABUF_JOB_QUEUED,
	FPGABUF_JOB_ACTIVE,
	FPGABUF_JOB_DONE,
};

/**
 * struct fpgabuf_job - work for an engine: one or more descriptors
 * @engine: the engine that does it; constant
 * @node: entry in the list of &struct fpgabuf_queue that @state names. The front
 *	may use it while the job is IDLE
 * @state: see above
 * @more: descriptors of it have not been issued yet
 * @issuing: the engine object is preparing descriptors of it, so it must not
 *	complete
 * @again: it was pending when the engine was stopped after a timeout, or was found
 *	to have lost an interrupt
 * @lost: its callback was never called, but that of a later job was: the engine
 *	has completed it
 * @asked: likewise, but the engine reported it complete when it was asked. Its
 *	descriptor is not valid any more
 * @issued: descriptors given to the engine
 * @finished: how many of these have completed
 * @status: first error, a negative errno, or 0. Before the job is ACTIVE also
 *	written with &fpgabuf_engine.lock held alone
 * @wait: the fences it waits for. Owned by the submitter while the job is IDLE,
 *	then protected by &fpgabuf_engine.lock
 * @fence: signaled when the job completes; a reference, or NULL. Set by the
 *	submitter while the job is IDLE
 *
 * Protected by &fpgabuf_queue.lock unless noted.
 */
struct fpgabuf_job {
	struct fpgabuf_engine *engine;
	struct list_head node;
	enum fpgabuf_job_state state;
	bool more;
	bool issuing;
	bool again;
	bool lost;
	bool asked;
	unsigned int issued;
	unsigned int finished;
	int status;
	struct fpgabuf_wait wait;
	struct dma_fence *fence;
};

/**
 * struct fpgabuf_queue - the jobs of an engine
 * @lock: protects all fields, and the jobs. Taken in the engine's callback
 * @queued: jobs in that state, oldest first
 * @active: likewise. All descriptors have been issued of all of them, except of
 *	the last one
 * @done: likewise
 * @num_pending: number of QUEUED and ACTIVE jobs
 * @num_done: number of DONE jobs; those who wait for some read it without the lock,
 *	by READ_ONCE()
 * @num_fenced: number of pending jobs that have a fence
 * @in_flight: number of descriptors that the engine has
 *
 * Bookkeeping only. All functions except the _init() ones must be called with
 * @lock held.
 */
struct fpgabuf_queue {
	spinlock_t lock;	/* protects all fields, and the jobs */
	struct list_head queued;
	struct list_head active;
	struct list_head done;
	unsigned int num_pending;
	unsigned int num_done;
	unsigned int num_fenced;
	unsigned int in_flight;
};

void fpgabuf_queue_init(struct fpgabuf_queue *queue);
void fpgabuf_job_init(struct fpgabuf_job *job);
void fpgabuf_queue_add(struct fpgabuf_queue *queue, struct fpgabuf_job *job);
void fpgabuf_queue_begin(struct fpgabuf_queue *queue, struct fpgabuf_job *job);
unsigned int fpgabuf_queue_issue(struct fpgabuf_queue *queue,
				 struct fpgabuf_job *job, bool more);
void fpgabuf_queue_unissue(struct fpgabuf_queue *queue,
			   struct fpgabuf_job *job);
void fpgabuf_queue_finish_to(struct fpgabuf_queue *queue,
			     struct fpgabuf_job *job, unsigned int finished);
void fpgabuf_queue_forget(struct fpgabuf_queue *queue,
			  struct fpgabuf_job *job);
void fpgabuf_queue_requeue(struct fpgabuf_queue *queue,
			   struct fpgabuf_job *job);
void fpgabuf_queue_fail(struct fpgabuf_queue *queue, struct fpgabuf_job *job,
			int status);
void fpgabuf_queue_complete(struct fpgabuf_queue *queue,
			    struct fpgabuf_job *job);
void fpgabuf_queue_take(struct fpgabuf_queue *queue, struct fpgabuf_job *job);
struct fpgabuf_job *fpgabuf_queue_unfinished(struct fpgabuf_queue *queue);
struct fpgabuf_job *fpgabuf_queue_over(struct fpgabuf_queue *queue);

static inline bool fpgabuf_job_pending(const struct fpgabuf_job *job)
{
	return job->state == FPGABUF_JOB_QUEUED ||
		job->state == FPGABUF_JOB_ACTIVE;
}

/* The oldest queued job, or NULL */
static inline struct fpgabuf_job *
fpgabuf_queue_first(struct fpgabuf_queue *queue)
{
	return list_first_entry_or_null(&queue->queued, struct fpgabuf_job, node);
}

/* The oldest job whose completion was not taken, or NULL */
static inline struct fpgabuf_job *
fpgabuf_queue_first_done(struct fpgabuf_queue *queue)
{
	return list_first_entry_or_null(&queue->done, struct fpgabuf_job, node);
}

#endif /* _FPGABUF_QUEUE_H */
