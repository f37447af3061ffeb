// SPDX-License-Identifier: GPL-2.0
/*
 * Submitting: the copies of an exchange, with what they wait for and the fences
 * that come out of them, into the queue. All of them or none: whatever can fail
 * is done before the first fence is published.
 */
#include <linux/align.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/lockdep.h>
#include <linux/sync_file.h>
#include <linux/ww_mutex.h>

#include "node.h"
#include "trace.h"

#define SUBMIT_FLAGS	(FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE | \
			 FPGABUF_QUEUE_NO_IMPLICIT)

/* A range of a buffer that is attached for it. */
static int submit_check_range(struct fpgabuf_importer *importer, u32 number,
			      u32 access, u64 offset, u64 length)
{
	const struct importer_slot *slot = importer_slot(importer, number);
	u64 size;

	if (!slot)
		return -ENOENT;
	if (!(slot->access & access))
		return -EACCES;
	if (!IS_ALIGNED(offset | length, importer_alignment(importer)))
		return -EINVAL;
	size = slot->import->dmabuf->size;
	return offset < size && length <= size - offset ? 0 : -ERANGE;
}

static int submit_check(struct fpgabuf_importer *importer,
			const struct fpgabuf_import_copy *arg)
{
	int ret;

	if (arg->flags & ~SUBMIT_FLAGS || arg->reserved || !arg->length)
		return -EINVAL;
	ret = submit_check_range(importer, arg->src, FPGABUF_IMPORT_READ,
				 arg->src_offset, arg->length);
	if (!ret)
		ret = submit_check_range(importer, arg->dst,
					 FPGABUF_IMPORT_WRITE, arg->dst_offset,
					 arg->length);
	if (ret)
		return ret;
	if (arg->src == arg->dst &&
	    arg->src_offset < arg->dst_offset + arg->length &&
	    arg->dst_offset < arg->src_offset + arg->length)
		return -EINVAL;
	return 0;
}

static int submit_get(struct fpgabuf_importer *importer,
		      const struct fpgabuf_import_exchange *x, u32 *flags,
		      struct fpgabuf_user_fault *fault)
{
	struct importer_submission *s = &importer->submission;
	unsigned int i;
	int ret;

	ret = fpgabuf_user_read(s->args, x->copies,
				x->copy_count * sizeof(*s->args), fault);
	if (ret)
		return ret;
	*flags = 0;
	for (i = 0; i < x->copy_count; i++) {
		ret = submit_check(importer, &s->args[i]);
		if (ret)
			return ret;
		*flags |= s->args[i].flags;
	}
	return 0;
}

/* Idle ones, which stay where they are until nothing can fail any more. */
static int submit_get_copies(struct fpgabuf_importer *importer,
			     unsigned int num)
{
	struct importer_submission *s = &importer->submission;
	struct importer_copy *copy;
	unsigned int i = 0;
	int ret = 0;

	spin_lock_irq(&importer->queue_lock);
	if (importer->quarantine)
		ret = -EIO;
	else if (num > importer->num_idle)
		ret = -ENOSPC;
	list_for_each_entry(copy, &importer->idle, node) {
		if (ret || i == num)
			break;
		s->copies[i++] = copy;
	}
	spin_unlock_irq(&importer->queue_lock);
	return ret;
}

static void submit_reservations(struct fpgabuf_importer *importer,
				unsigned int i)
{
	struct importer_submission *s = &importer->submission;
	const struct fpgabuf_import_copy *arg = &s->args[i];
	struct fpgabuf_reservation res = {
		.import = importer->slots[arg->src].import,
		.fence = s->copies[i]->fence,
		.explicit_sync = arg->flags & FPGABUF_QUEUE_NO_IMPLICIT,
		.unseen = !(arg->flags & FPGABUF_QUEUE_OUT_FENCE),
	};

	s->res[2 * i] = res;
	res.import = importer->slots[arg->dst].import;
	res.write = true;
	s->res[2 * i + 1] = res;
}

static int submit_prepare(struct fpgabuf_importer *importer, unsigned int i)
{
	struct importer_submission *s = &importer->submission;
	struct importer_copy *copy = s->copies[i];
	const u32 flags = s->args[i].flags;
	int ret = 0;

	s->files[i] = NULL;
	/* All have one: what may move must know when it may. */
	copy->fence = fpgabuf_fence_create(dev_name(&importer->dev),
					   importer->context,
					   ++importer->seqno);
	if (!copy->fence)
		return -ENOMEM;
	submit_reservations(importer, i);
	if (flags & FPGABUF_QUEUE_IN_FENCE)
		ret = fpgabuf_wait_add_file(&copy->wait, s->args[i].in_fence);
	if (ret || !(flags & FPGABUF_QUEUE_OUT_FENCE))
		return ret;
	ret = fpgabuf_fence_file(copy->fence, &s->files[i]);
	if (ret < 0)
		return ret;
	s->args[i].out_fence = ret;
	return 0;
}

/* Nobody has seen anything of the first @num. */
static void submit_undo(struct fpgabuf_importer *importer, unsigned int num)
{
	struct importer_submission *s = &importer->submission;

	while (num--) {
		struct importer_copy *copy = s->copies[num];

		fpgabuf_wait_fini(&copy->wait);
		dma_fence_put(copy->fence);
		copy->fence = NULL;
		if (!s->files[num])
			continue;
		put_unused_fd(s->args[num].out_fence);
		fput(s->files[num]->file);
	}
}

/* Where the buffers are, and who uses them now; with all of them locked. */
static int submit_look(struct fpgabuf_importer *importer, unsigned int num)
{
	struct importer_submission *s = &importer->submission;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < num; i++) {
		ret = importer_map_slot(importer,
					&importer->slots[s->args[i].src]);
		if (!ret)
			ret = importer_map_slot(importer,
						&importer->slots[s->args[i].dst]);
	}
	for (i = 0; !ret && i < 2 * num; i++)
		ret = fpgabuf_wait_add_implicit(&s->copies[i / 2]->wait,
						&s->res[i], importer->context);
	return ret;
}

static struct importer_map *submit_get_map(struct importer_slot *slot)
{
	slot->pending++;
	refcount_inc(&slot->map->ref);
	return slot->map;
}

static void submit_queue(struct fpgabuf_importer *importer, unsigned int num)
{
	struct importer_submission *s = &importer->submission;
	unsigned int i;

	spin_lock_irq(&importer->queue_lock);
	for (i = 0; i < num; i++) {
		struct importer_copy *copy = s->copies[i];

		copy->arg = s->args[i];
		copy->left = copy->arg.length;
		copy->again = false;
		copy->issued = 0;
		copy->finished = 0;
		copy->status = 0;
		copy->from = submit_get_map(&importer->slots[copy->arg.src]);
		copy->to = submit_get_map(&importer->slots[copy->arg.dst]);
		list_move_tail(&copy->node, &importer->queued);
		trace_fpgabuf_copy_queue(copy);
	}
	importer->num_idle -= num;
	spin_unlock_irq(&importer->queue_lock);
}

/* From the first fence on there is no way back. */
static void submit_commit(struct fpgabuf_importer *importer, unsigned int num,
			  struct ww_acquire_ctx *ctx)
{
	struct importer_submission *s = &importer->submission;
	bool cookie = dma_fence_begin_signalling();
	unsigned int i;

	for (i = 0; i < num; i++)
		fpgabuf_wait_start(&s->copies[i]->wait);
	for (i = 0; i < 2 * num; i++)
		fpgabuf_publish(&s->res[i]);
	submit_queue(importer, num);
	fpgabuf_unreserve(s->res, 2 * num, ctx);
	importer_issue(importer);
	dma_fence_end_signalling(cookie);

	for (i = 0; i < num; i++)
		if (s->files[i])
			fd_install(s->args[i].out_fence, s->files[i]->file);
}

static int submit_all(struct fpgabuf_importer *importer, unsigned int num)
{
	struct importer_submission *s = &importer->submission;
	struct ww_acquire_ctx ctx;
	int ret;

	ret = fpgabuf_reserve(s->res, 2 * num, &ctx);
	if (ret)
		return ret;
	ret = submit_look(importer, num);
	if (ret) {
		fpgabuf_unreserve(s->res, 2 * num, &ctx);
		return ret;
	}
	submit_commit(importer, num, &ctx);
	return 0;
}

/*
 * Queue what an exchange brings, and let the engine have what it takes of it.
 * -EFAULT leaves everything as it was, and @fault says what to bring in.
 */
int importer_submit(struct fpgabuf_importer *importer,
		    const struct fpgabuf_import_exchange *x,
		    struct fpgabuf_user_fault *fault)
{
	struct importer_submission *s = &importer->submission;
	const unsigned int num = x->copy_count;
	unsigned int i;
	u32 flags;
	int ret;

	lockdep_assert_held(&importer->lock);
	if (!num)
		return 0;
	ret = submit_get(importer, x, &flags, fault);
	if (!ret)
		ret = submit_get_copies(importer, num);
	if (ret)
		return ret;

	for (i = 0; !ret && i < num; i++)
		ret = submit_prepare(importer, i);
	if (!ret && flags & FPGABUF_QUEUE_OUT_FENCE)
		ret = fpgabuf_user_write(x->copies, s->args,
					 num * sizeof(*s->args), fault);
	if (!ret)
		ret = submit_all(importer, num);
	if (ret)
		submit_undo(importer, i);
	return ret;
}
