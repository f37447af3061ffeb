// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of a channel: which buffer is where. Pure logic, no device.
 */
#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "queue.h"

void fpgabuf_queue_init(struct fpgabuf_queue *queue, unsigned int num_jobs)
{
	unsigned int i;

	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->queued);
	INIT_LIST_HEAD(&queue->active);
	INIT_LIST_HEAD(&queue->done);
	queue->num_jobs = num_jobs;
	queue->num_pending = 0;
	queue->num_done = 0;
	for (i = 0; i < num_jobs; i++) {
		INIT_LIST_HEAD(&queue->jobs[i].node);
		queue->jobs[i].state = FPGABUF_JOB_EMPTY;
		queue->jobs[i].done = (struct fpgabuf_completion){ .slot = i };
	}
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_init);

/* Put a buffer into the first empty slot; NULL when there is none. */
struct fpgabuf_job *fpgabuf_queue_fill(struct fpgabuf_queue *queue)
{
	unsigned int i;

	lockdep_assert_held(&queue->lock);
	for (i = 0; i < queue->num_jobs; i++) {
		if (queue->jobs[i].state != FPGABUF_JOB_EMPTY)
			continue;
		queue->jobs[i].state = FPGABUF_JOB_IDLE;
		return &queue->jobs[i];
	}
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_fill);

/* Take the buffer out of a slot, with a completion that nobody took. */
int fpgabuf_queue_empty(struct fpgabuf_queue *queue, unsigned int slot)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	if (slot >= queue->num_jobs)
		return -ENOENT;

	job = &queue->jobs[slot];
	switch (job->state) {
	case FPGABUF_JOB_EMPTY:
		return -ENOENT;
	case FPGABUF_JOB_QUEUED:
	case FPGABUF_JOB_ACTIVE:
		return -EBUSY;
	case FPGABUF_JOB_DONE:
		list_del_init(&job->node);
		queue->num_done--;
		break;
	case FPGABUF_JOB_IDLE:
		break;
	}
	job->state = FPGABUF_JOB_EMPTY;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_empty);

/* Whether all of @entries can be queued now: all or nothing. */
int fpgabuf_queue_check(const struct fpgabuf_queue *queue,
			const struct fpgabuf_queue_entry *entries,
			unsigned int count, unsigned int depth)
{
	DECLARE_BITMAP(seen, FPGABUF_MAX_SLOTS) = { 0 };
	unsigned int i;

	lockdep_assert_held(&queue->lock);
	for (i = 0; i < count; i++) {
		u32 slot = entries[i].slot;

		if (slot >= queue->num_jobs ||
		    queue->jobs[slot].state == FPGABUF_JOB_EMPTY)
			return -ENOENT;
		if (queue->jobs[slot].state != FPGABUF_JOB_IDLE ||
		    test_and_set_bit(slot, seen))
			return -EBUSY;
	}
	if (queue->num_pending + count > depth)
		return -ENOSPC;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_check);

/* Queue what fpgabuf_queue_check() found to be right. */
void fpgabuf_queue_add(struct fpgabuf_queue *queue,
		       const struct fpgabuf_queue_entry *entry)
{
	struct fpgabuf_job *job = &queue->jobs[entry->slot];

	lockdep_assert_held(&queue->lock);
	job->state = FPGABUF_JOB_QUEUED;
	job->done = (struct fpgabuf_completion){
		.slot = entry->slot,
		.user_data = entry->user_data,
	};
	list_add_tail(&job->node, &queue->queued);
	queue->num_pending++;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_add);

/* The oldest queued job goes to the engine. */
void fpgabuf_queue_issue(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_QUEUED);
	job->state = FPGABUF_JOB_ACTIVE;
	list_move_tail(&job->node, &queue->active);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_issue);

/* The engine did not take @job, its newest: it is the oldest queued one again. */
void fpgabuf_queue_unissue(struct fpgabuf_queue *queue, struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_ACTIVE ||
		     !list_is_last(&job->node, &queue->active));
	job->state = FPGABUF_JOB_QUEUED;
	list_move(&job->node, &queue->queued);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_unissue);

/* The engine gave everything back unused; the order stays. */
void fpgabuf_queue_unissue_all(struct fpgabuf_queue *queue)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(job, &queue->active, node)
		job->state = FPGABUF_JOB_QUEUED;
	list_splice_init(&queue->active, &queue->queued);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_unissue_all);

/* &fpgabuf_job.done is filled in. */
void fpgabuf_queue_complete(struct fpgabuf_queue *queue,
			    struct fpgabuf_job *job)
{
	lockdep_assert_held(&queue->lock);
	WARN_ON_ONCE(job->state != FPGABUF_JOB_QUEUED &&
		     job->state != FPGABUF_JOB_ACTIVE);
	job->state = FPGABUF_JOB_DONE;
	list_move_tail(&job->node, &queue->done);
	queue->num_pending--;
	queue->num_done++;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_complete);

/* What is to be done next: the engine's oldest job, or else the oldest queued. */
struct fpgabuf_job *fpgabuf_queue_oldest(struct fpgabuf_queue *queue)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	job = list_first_entry_or_null(&queue->active, struct fpgabuf_job, node);
	if (job)
		return job;
	return list_first_entry_or_null(&queue->queued, struct fpgabuf_job,
					node);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_oldest);

/* Copy the oldest completion; false when there is none. */
bool fpgabuf_queue_peek(struct fpgabuf_queue *queue,
			struct fpgabuf_completion *done)
{
	const struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	job = list_first_entry_or_null(&queue->done, struct fpgabuf_job, node);
	if (job)
		*done = job->done;
	return job;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_peek);

/* The user has got the oldest completion. */
void fpgabuf_queue_pop(struct fpgabuf_queue *queue)
{
	struct fpgabuf_job *job;

	lockdep_assert_held(&queue->lock);
	job = list_first_entry(&queue->done, struct fpgabuf_job, node);
	job->state = FPGABUF_JOB_IDLE;
	list_del_init(&job->node);
	queue->num_done--;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_queue_pop);
