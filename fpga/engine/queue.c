// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of an engine: states of jobs, and their order. Pure logic, no device.
 */
#include <kunit/visibility.h>
#include <linux/bug.h>
#include <linux/lockdep.h>

#include "queue.h"

void fpgabuf_queue_init(struct fpgabuf_queue *queue)
{
	*queue = (struct fpgabuf_queue){};
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->queued);
	INIT_LIST_HEAD(&queue->active);
	INIT_LIST_HEAD(&queue->done);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_init);

/* All but @engine and @wait */
void fpgabuf_job_init(struct fpgabuf_job *job)
{
	INIT_LIST_HEAD(&job->node);
	job->state = FPGABUF_JOB_IDLE;
	job->fence = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_job_init);

/* IDLE -> QUEUED, as the newest job */
void fpgabuf_queue_add(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_IDLE);
	job->state = FPGABUF_JOB_QUEUED;
	job->more = true;
	job->issuing = false;
	job->again = false;
	job->lost = false;
	job->asked = false;
	job->issued = 0;
	job->finished = 0;
	job->status = 0;
	list_move_tail(&job->node, &queue->queued);
	queue->num_pending++;
	if (job->fence)
		queue->num_fenced++;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_add);

/*
 * QUEUED -> ACTIVE, of the oldest queued job. It may not complete before the
 * caller clears @issuing.
 */
void fpgabuf_queue_begin(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_QUEUED);
	job->state = FPGABUF_JOB_ACTIVE;
	job->issuing = true;
	list_move_tail(&job->node, &queue->active);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_begin);

/*
 * Account a descriptor of the newest active job, before the engine gets it: its
 * callback may come first. @more: it is not the last one. Returns its number.
 */
unsigned int fpgabuf_queue_issue(struct fpgabuf_queue *queue,
				 struct fpgabuf_job *job, bool more)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_ACTIVE || !job->issuing);
	job->more = more;
	/* After its last descriptor the job may complete at any time. */
	job->issuing = more;
	queue->in_flight++;
	return job->issued++;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_issue);

/* The engine refused the descriptor that was accounted last. */
void fpgabuf_queue_unissue(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	job->more = true;
	job->issuing = true;
	job->issued--;
	queue->in_flight--;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_unissue);

/* The first @finished descriptors of an active job have completed. */
void fpgabuf_queue_finish_to(struct fpgabuf_queue *queue,
			     struct fpgabuf_job *job, unsigned int finished)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(finished < job->finished || finished > job->issued);
	queue->in_flight -= finished - job->finished;
	job->finished = finished;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_finish_to);

/* The engine does not have any descriptor of the job any more. */
void fpgabuf_queue_forget(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	queue->in_flight -= job->issued - job->finished;
	job->issued = 0;
	job->finished = 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_forget);

/* ACTIVE -> QUEUED, of the newest active job, to begin again */
void fpgabuf_queue_requeue(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	WARN_ON_ONCE(job->state != FPGABUF_JOB_ACTIVE ||
		     !list_is_last(&job->node, &queue->active));
	fpgabuf_queue_forget(queue, job);
	job->state = FPGABUF_JOB_QUEUED;
	job->more = true;
	list_move(&job->node, &queue->queued);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_requeue);

/* An active job fails; it completes when those before it have. */
void fpgabuf_queue_fail(struct fpgabuf_queue *queue, struct fpgabuf_job *job,
			int status)
{
	fpgabuf_queue_forget(queue, job);
	job->status = job->status ?: status;
	job->more = false;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_fail);

/* ACTIVE -> DONE, of the job that fpgabuf_queue_over() returned */
void fpgabuf_queue_complete(struct fpgabuf_queue *queue,
			    struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_ACTIVE);
	job->state = FPGABUF_JOB_DONE;
	list_move_tail(&job->node, &queue->done);
	queue->num_pending--;
	WRITE_ONCE(queue->num_done, queue->num_done + 1);
	if (job->fence)
		queue->num_fenced--;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_complete);

/* DONE -> IDLE */
void fpgabuf_queue_take(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_DONE);
	job->state = FPGABUF_JOB_IDLE;
	list_del_init(&job->node);
	WRITE_ONCE(queue->num_done, queue->num_done - 1);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_take);

/* The active job of which descriptors are to be issued, or NULL */
struct fpgabuf_job *fpgabuf_queue_unfinished(struct fpgabuf_queue *queue)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	if (list_empty(&queue->active))
		return NULL;
	job = list_last_entry(&queue->active, struct fpgabuf_job, node);
	return job->more && !job->status ? job : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_unfinished);

/*
 * The oldest active job, if it is to complete: the engine has no descriptor of it
 * and will not get another one. Otherwise NULL.
 */
struct fpgabuf_job *fpgabuf_queue_over(struct fpgabuf_queue *queue)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	job = list_first_entry_or_null(&queue->active, struct fpgabuf_job, node);
	if (!job || job->issuing || job->finished != job->issued)
		return NULL;
	return !job->more || job->status ? job : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_over);
