// SPDX-License-Identifier: GPL-2.0
/*
 * Copies to descriptors and back.
 *
 * A queued copy goes to the engine once it has nothing to wait for, in order, a
 * descriptor for each piece that is one for both buffers. What the callbacks say
 * becomes its status, and signals its fence. From the moment that a fence is
 * published all of this is in the way of whoever waits for it, and is marked so
 * (dma_fence_begin_signalling()): nothing here allocates memory or takes a
 * reservation, or a lock under which somebody does.
 */
#include <linux/dma-fence.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/poll.h>

#include "node.h"
#include "trace.h"

/* ---- where a copy is ---- */

static void cursor_set(struct importer_cursor *cursor,
		       const struct importer_map *map, u64 offset)
{
	cursor->sg = map->table.sgl;
	cursor->skip = offset;
	while (cursor->skip >= sg_dma_len(cursor->sg)) {
		cursor->skip -= sg_dma_len(cursor->sg);
		cursor->sg = sg_next(cursor->sg);
	}
}

static dma_addr_t cursor_address(const struct importer_cursor *cursor)
{
	return sg_dma_address(cursor->sg) + cursor->skip;
}

static u64 cursor_room(const struct importer_cursor *cursor)
{
	return sg_dma_len(cursor->sg) - cursor->skip;
}

static void cursor_advance(struct importer_cursor *cursor, u64 len)
{
	cursor->skip += len;
	if (cursor->skip < sg_dma_len(cursor->sg))
		return;
	cursor->sg = sg_next(cursor->sg);
	cursor->skip = 0;
}

/* ---- a copy is done ---- */

/* It has no use for the buffer any more; but an engine that does not stop may. */
static void copy_put_map(struct importer_copy *copy, struct importer_map *map,
			 u32 slot)
{
	struct fpgabuf_importer *importer = copy->importer;

	if (importer->quarantine)
		importer->kept[importer->num_kept++] = map;
	else
		importer_map_put(importer, map);
	importer->slots[slot].pending--;
}

/* The fence is signaled with the lock held, so that the next cannot come first. */
static void copy_finish(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;
	struct dma_fence *fence = copy->fence;

	lockdep_assert_held(&importer->queue_lock);
	copy->timestamp = ktime_get_ns();
	copy_put_map(copy, copy->from, copy->arg.src);
	copy_put_map(copy, copy->to, copy->arg.dst);
	copy->from = NULL;
	copy->to = NULL;
	copy->fence = NULL;
	list_move_tail(&copy->node, &importer->done);
	importer->num_done++;
	if (copy->status)
		dma_fence_set_error(fence, copy->status);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	trace_fpgabuf_copy_done(copy);
}

/* Nothing of it is with the engine, and nothing will be. */
static bool copy_is_over(const struct importer_copy *copy)
{
	return !copy->issuing && copy->finished == copy->issued &&
		(!copy->left || copy->status);
}

static void engine_reap(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy, *next;

	lockdep_assert_held(&importer->queue_lock);
	list_for_each_entry_safe(copy, next, &importer->active, node) {
		if (!copy_is_over(copy))
			break;
		copy_finish(copy);
	}
}

/* What the engine has or had of it is not listened to any more. */
static void copy_forget(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;
	unsigned int i;

	lockdep_assert_held(&importer->queue_lock);
	for (i = 0; i < IMPORTER_TRANSFERS; i++)
		if (importer->transfers[i].copy == copy)
			importer->transfers[i].copy = NULL;
	importer->in_flight -= copy->issued - copy->finished;
	copy->issued = 0;
	copy->finished = 0;
}

/* The callbacks of what comes before piece @number have gone lost. */
static void copy_skip_to(struct importer_copy *copy, unsigned int number)
{
	struct importer_transfer *transfers = copy->importer->transfers;
	unsigned int i;

	for (i = 0; i < IMPORTER_TRANSFERS; i++)
		if (transfers[i].copy == copy && transfers[i].number < number)
			transfers[i].copy = NULL;
	copy->importer->in_flight -= number - copy->finished;
	copy->finished = number;
	copy->status = copy->status ?: -EIO;
}

/* It comes to nothing; to be reaped when those before it are. */
static void copy_fail(struct importer_copy *copy, int status)
{
	copy_forget(copy);
	copy->status = copy->status ?: status;
	copy->left = 0;
}

static int engine_status(const struct dmaengine_result *result)
{
	switch (result->result) {
	case DMA_TRANS_NOERROR:
		return result->residue ? -EMSGSIZE : 0;
	case DMA_TRANS_ABORTED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}

/* The one that the engine may have in part, or NULL. */
static struct importer_copy *engine_last(struct fpgabuf_importer *importer)
{
	lockdep_assert_held(&importer->queue_lock);
	if (list_empty(&importer->active))
		return NULL;
	return list_last_entry(&importer->active, struct importer_copy, node);
}

/* Whether the engine could be given more. */
static bool engine_has_work(struct fpgabuf_importer *importer)
{
	const struct importer_copy *copy;

	lockdep_assert_held(&importer->queue_lock);
	if (!list_empty(&importer->queued))
		return true;
	copy = engine_last(importer);
	return copy && copy->left;
}

/*
 * The engine is done with a descriptor, and therefore with all before it, whose
 * callbacks have gone lost.
 */
static void engine_transfer_done(struct importer_transfer *transfer,
				 const struct dmaengine_result *result)
{
	struct fpgabuf_importer *importer = transfer->importer;
	struct importer_copy *copy = transfer->copy;
	struct importer_copy *lost;

	list_for_each_entry(lost, &importer->active, node) {
		if (lost == copy)
			break;
		if (!copy_is_over(lost))
			copy_fail(lost, -EIO);
	}
	if (copy->finished != transfer->number)
		copy_skip_to(copy, transfer->number);
	transfer->copy = NULL;
	importer->in_flight--;
	copy->finished++;
	copy->status = copy->status ?: engine_status(result);
	importer->head_since = ktime_get_ns();
	engine_reap(importer);
	if (engine_has_work(importer))
		fpgabuf_queue_work(&importer->work);
}

static void importer_wake(struct fpgabuf_importer *importer)
{
	wake_up_interruptible_poll(&importer->wait, EPOLLIN | EPOLLRDNORM);
}

/*
 * Called by the engine, in any context that does not sleep; by a faulty one also
 * twice, or for what was terminated before.
 */
static void engine_callback(void *param, const struct dmaengine_result *result)
{
	struct importer_transfer *transfer = param;
	struct fpgabuf_importer *importer = transfer->importer;
	bool cookie = dma_fence_begin_signalling();
	unsigned long flags;

	spin_lock_irqsave(&importer->queue_lock, flags);
	if (transfer->copy)
		engine_transfer_done(transfer, result);
	spin_unlock_irqrestore(&importer->queue_lock, flags);
	dma_fence_end_signalling(cookie);
	importer_wake(importer);
}

/* ---- to the engine ---- */

static struct importer_transfer *
engine_get_transfer(struct fpgabuf_importer *importer)
{
	unsigned int i = importer->next_transfer++;

	lockdep_assert_held(&importer->engine_lock);
	return &importer->transfers[i % IMPORTER_TRANSFERS];
}

/* The engine is to have the next @len bytes; it may be done before this returns. */
static struct importer_transfer *copy_account(struct importer_copy *copy,
					      unsigned int len)
{
	struct fpgabuf_importer *importer = copy->importer;
	struct importer_transfer *transfer = engine_get_transfer(importer);

	spin_lock_irq(&importer->queue_lock);
	transfer->copy = copy;
	transfer->number = copy->issued++;
	copy->left -= len;
	if (!importer->in_flight++)
		importer->head_since = ktime_get_ns();
	spin_unlock_irq(&importer->queue_lock);
	return transfer;
}

/* The engine did not take them. */
static void copy_unaccount(struct importer_copy *copy,
			   struct importer_transfer *transfer, unsigned int len)
{
	struct fpgabuf_importer *importer = copy->importer;

	spin_lock_irq(&importer->queue_lock);
	transfer->copy = NULL;
	copy->issued--;
	copy->left += len;
	/* The last completion may have come before there was one to try again. */
	if (!--importer->in_flight)
		fpgabuf_queue_work(&importer->work);
	spin_unlock_irq(&importer->queue_lock);
}

/*
 * The next copy may read what this one wrote: a pipelined engine must not begin
 * with it before the last piece is written.
 */
static unsigned long copy_flags(const struct importer_copy *copy, u64 len)
{
	unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;

	return len == copy->left ? flags | DMA_PREP_FENCE : flags;
}

/* The next piece; false: the engine takes no more. */
static bool copy_issue_piece(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;
	struct dma_async_tx_descriptor *desc;
	struct importer_transfer *transfer;
	unsigned int len;

	len = min3(copy->left, cursor_room(&copy->src),
		   cursor_room(&copy->dst));
	desc = dmaengine_prep_dma_memcpy(importer->dma,
					 cursor_address(&copy->dst),
					 cursor_address(&copy->src), len,
					 copy_flags(copy, len));
	if (!desc)
		return false;

	transfer = copy_account(copy, len);
	desc->callback_result = engine_callback;
	desc->callback_param = transfer;
	if (dma_submit_error(dmaengine_submit(desc))) {
		copy_unaccount(copy, transfer, len);
		return false;
	}
	cursor_advance(&copy->src, len);
	cursor_advance(&copy->dst, len);
	return true;
}

enum issue {
	ISSUE_MORE,	/* there are pieces, and room for them */
	ISSUE_FULL,	/* there are pieces, but the engine has enough */
	ISSUE_ALL,	/* there are none any more */
};

/* @idle: the engine has nothing, so that no completion is to come. */
static enum issue copy_issue_state(struct importer_copy *copy, bool *idle)
{
	struct fpgabuf_importer *importer = copy->importer;
	enum issue state = ISSUE_MORE;

	spin_lock_irq(&importer->queue_lock);
	*idle = !importer->in_flight;
	if (!copy->left || copy->status)
		state = ISSUE_ALL;
	else if (importer->in_flight >= IMPORTER_IN_FLIGHT)
		state = ISSUE_FULL;
	spin_unlock_irq(&importer->queue_lock);
	return state;
}

/*
 * The pieces of a copy, as many as the engine takes. One that takes none has no
 * room, which the next completion makes; with none to come the copy has failed.
 * False: those behind it must wait for a completion, too.
 */
static bool copy_issue(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;
	bool idle, refused = false;
	enum issue state;

	while (!refused &&
	       (state = copy_issue_state(copy, &idle)) == ISSUE_MORE)
		refused = !copy_issue_piece(copy);

	spin_lock_irq(&importer->queue_lock);
	copy->issuing = false;
	if (refused && idle)
		copy->status = copy->status ?: -EIO;
	engine_reap(importer);
	spin_unlock_irq(&importer->queue_lock);
	return refused ? idle : state == ISSUE_ALL;
}

/* A copy begins, or comes to nothing by what it waited for. */
static void copy_begin(struct importer_copy *copy)
{
	struct fpgabuf_importer *importer = copy->importer;
	int status = fpgabuf_wait_error(&copy->wait);

	fpgabuf_wait_fini(&copy->wait);
	cursor_set(&copy->src, copy->from, copy->arg.src_offset);
	cursor_set(&copy->dst, copy->to, copy->arg.dst_offset);

	spin_lock_irq(&importer->queue_lock);
	copy->left = copy->arg.length;
	/* One that was given up with others may have failed before. */
	copy->status = copy->status ?: status;
	copy->issuing = true;
	list_move_tail(&copy->node, &importer->active);
	trace_fpgabuf_copy_begin(copy);
	spin_unlock_irq(&importer->queue_lock);
}

/* The one that the engine has in part, or else the oldest one that may begin. */
static struct importer_copy *engine_next(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;

	spin_lock_irq(&importer->queue_lock);
	copy = engine_last(importer);
	if (copy && copy->left && !copy->status) {
		copy->issuing = true;
		spin_unlock_irq(&importer->queue_lock);
		return copy;
	}
	copy = list_first_entry_or_null(&importer->queued,
					struct importer_copy, node);
	spin_unlock_irq(&importer->queue_lock);

	if (!copy || !fpgabuf_wait_done(&copy->wait))
		return NULL;
	copy_begin(copy);
	return copy;
}

/* All that is pending is done with @status: the engine is idle, or in quarantine. */
static void engine_complete_all(struct fpgabuf_importer *importer, int status)
{
	struct importer_copy *copy;

	lockdep_assert_held(&importer->engine_lock);
	spin_lock_irq(&importer->queue_lock);
	list_splice_tail_init(&importer->queued, &importer->active);
	list_for_each_entry(copy, &importer->active, node)
		copy_fail(copy, status);
	engine_reap(importer);
	spin_unlock_irq(&importer->queue_lock);
	wake_up_all(&importer->wait);
}

static void engine_watch(struct fpgabuf_importer *importer);

static void engine_issue_ready(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;

	lockdep_assert_held(&importer->engine_lock);
	if (importer->quarantine)
		engine_complete_all(importer, -EIO);
	while ((copy = engine_next(importer)))
		if (!copy_issue(copy))
			break;
	dma_async_issue_pending(importer->dma);
	engine_watch(importer);
	importer_wake(importer);
}

/* Give the engine what it takes of the copies that have nothing to wait for. */
void importer_issue(struct fpgabuf_importer *importer)
{
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&importer->engine_lock);
	/* It may come when the file is closed. */
	if (importer->dma)
		engine_issue_ready(importer);
	mutex_unlock(&importer->engine_lock);
	dma_fence_end_signalling(cookie);
}

static void engine_work(struct work_struct *work)
{
	importer_issue(container_of(work, struct fpgabuf_importer, work));
}

/* The last fence that a copy waited for, in whatever context. */
static void copy_ready(struct fpgabuf_wait *wait)
{
	struct importer_copy *copy =
		container_of(wait, struct importer_copy, wait);

	fpgabuf_queue_work(&copy->importer->work);
}

/* ---- when the engine does not come to an end ---- */

/*
 * Stop the engine, and wait until it is idle. 0, or -EIO: it is not idle, and
 * what it has is in quarantine.
 */
static int engine_halt(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;
	int ret;

	lockdep_assert_held(&importer->engine_lock);
	ret = dmaengine_terminate_sync(importer->dma);
	if (!ret)
		return importer->quarantine ? -EIO : 0;

	spin_lock_irq(&importer->queue_lock);
	list_for_each_entry(copy, &importer->active, node) {
		importer->slots[copy->arg.src].quarantined = true;
		importer->slots[copy->arg.dst].quarantined = true;
	}
	WRITE_ONCE(importer->quarantine, true);
	spin_unlock_irq(&importer->queue_lock);
	dev_err(&importer->dev,
		"the engine cannot be stopped (%d), its buffers go into quarantine\n",
		ret);
	return -EIO;
}

/* The oldest copy, if it had its second try. Nothing is with the engine. */
static struct importer_copy *engine_next_tried(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;

	spin_lock_irq(&importer->queue_lock);
	copy = list_first_entry_or_null(&importer->queued,
					struct importer_copy, node);
	if (copy && !copy->again)
		copy = NULL;
	spin_unlock_irq(&importer->queue_lock);
	return copy;
}

/*
 * An engine that hangs again fails all that were pending when it did so before,
 * so that one that hangs for good has all fences signaled after two timeouts.
 */
static void engine_fail_tried(struct fpgabuf_importer *importer)
{
	struct importer_copy *copy;

	lockdep_assert_held(&importer->engine_lock);
	while ((copy = engine_next_tried(importer))) {
		fpgabuf_wait_fini(&copy->wait);
		spin_lock_irq(&importer->queue_lock);
		list_move_tail(&copy->node, &importer->active);
		copy_fail(copy, -ETIMEDOUT);
		engine_reap(importer);
		spin_unlock_irq(&importer->queue_lock);
	}

	spin_lock_irq(&importer->queue_lock);
	list_for_each_entry(copy, &importer->queued, node)
		copy->again = true;
	spin_unlock_irq(&importer->queue_lock);
}

/*
 * The engine is stopped, in which it may have got the oldest copy done after
 * all. If it has not, that has failed; the others begin anew.
 */
static void engine_give_up(struct fpgabuf_importer *importer,
			   const struct importer_copy *oldest)
{
	struct importer_copy *copy, *prev;
	int status = engine_halt(importer);

	if (status) {
		engine_complete_all(importer, status);
		return;
	}

	spin_lock_irq(&importer->queue_lock);
	list_for_each_entry_safe_reverse(copy, prev, &importer->active, node) {
		if (copy == oldest) {
			copy_fail(copy, -ETIMEDOUT);
			break;
		}
		copy_forget(copy);
		list_move(&copy->node, &importer->queued);
		trace_fpgabuf_copy_again(copy);
	}
	engine_reap(importer);
	spin_unlock_irq(&importer->queue_lock);
	engine_fail_tried(importer);
	importer_wake(importer);
}

/* What the engine is at, and how long it has for that, in ns. */
static struct importer_copy *engine_look(struct fpgabuf_importer *importer,
					 s64 *left)
{
	const u64 timeout = (u64)importer->config.timeout_ms * NSEC_PER_MSEC;
	struct importer_copy *copy = NULL;

	spin_lock_irq(&importer->queue_lock);
	if (importer->in_flight)
		copy = list_first_entry(&importer->active,
					struct importer_copy, node);
	*left = importer->head_since + timeout - ktime_get_ns();
	spin_unlock_irq(&importer->queue_lock);
	return copy;
}

/* Look again when it should be done; one look is enough for many pieces. */
static void engine_watch(struct fpgabuf_importer *importer)
{
	s64 left;

	if (!engine_look(importer, &left))
		return;
	fpgabuf_queue_delayed_work(&importer->watchdog,
				   nsecs_to_jiffies(max_t(s64, left, 0)) + 1);
}

static void watchdog_work(struct work_struct *work)
{
	struct fpgabuf_importer *importer =
		container_of(work, struct fpgabuf_importer, watchdog.work);
	bool cookie = dma_fence_begin_signalling();
	struct importer_copy *copy;
	s64 left;

	mutex_lock(&importer->engine_lock);
	copy = engine_look(importer, &left);
	if (copy && left <= 0) {
		engine_give_up(importer, copy);
		engine_issue_ready(importer);
	} else {
		engine_watch(importer);
	}
	mutex_unlock(&importer->engine_lock);
	dma_fence_end_signalling(cookie);
}

/*
 * When it returns the engine touches no buffer but those in quarantine, and what
 * it calls back is not listened to. All that is pending is done with @status.
 */
void importer_stop(struct fpgabuf_importer *importer, int status)
{
	unsigned int i;
	bool cookie;
	int ret;

	lockdep_assert_held(&importer->lock);
	cookie = dma_fence_begin_signalling();
	mutex_lock(&importer->engine_lock);
	ret = engine_halt(importer);
	engine_complete_all(importer, ret ?: status);
	for (i = 0; i < IMPORTER_DEPTH; i++)
		fpgabuf_wait_fini(&importer->copies[i].wait);
	mutex_unlock(&importer->engine_lock);
	dma_fence_end_signalling(cookie);
}

/* Try again, if there is one. 0: the engine is idle; or -EIO. */
int importer_quarantine_end(struct fpgabuf_importer *importer)
{
	unsigned int i;
	int ret;

	lockdep_assert_held(&importer->lock);
	mutex_lock(&importer->engine_lock);
	ret = importer->quarantine ? dmaengine_terminate_sync(importer->dma) : 0;
	spin_lock_irq(&importer->queue_lock);
	for (i = 0; !ret && i < FPGABUF_MAX_SLOTS; i++)
		importer->slots[i].quarantined = false;
	if (!ret)
		WRITE_ONCE(importer->quarantine, false);
	spin_unlock_irq(&importer->queue_lock);
	mutex_unlock(&importer->engine_lock);
	return ret ? -EIO : 0;
}

/* ---- */

void importer_engine_init(struct fpgabuf_importer *importer)
{
	unsigned int i;

	mutex_init(&importer->engine_lock);
	spin_lock_init(&importer->queue_lock);
	init_waitqueue_head(&importer->wait);
	INIT_WORK(&importer->work, engine_work);
	INIT_DELAYED_WORK(&importer->watchdog, watchdog_work);
	INIT_LIST_HEAD(&importer->idle);
	INIT_LIST_HEAD(&importer->queued);
	INIT_LIST_HEAD(&importer->active);
	INIT_LIST_HEAD(&importer->done);
	for (i = 0; i < IMPORTER_TRANSFERS; i++)
		importer->transfers[i].importer = importer;
	for (i = 0; i < IMPORTER_DEPTH; i++) {
		struct importer_copy *copy = &importer->copies[i];

		copy->importer = importer;
		fpgabuf_wait_init(&copy->wait, copy_ready);
		list_add_tail(&copy->node, &importer->idle);
	}
	importer->num_idle = IMPORTER_DEPTH;
}

/* Stopped for the last time: nobody queues the works any more. */
void importer_engine_fini(struct fpgabuf_importer *importer)
{
	cancel_work_sync(&importer->work);
	cancel_delayed_work_sync(&importer->watchdog);
}
