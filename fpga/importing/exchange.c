// SPDX-License-Identifier: GPL-2.0
/*
 * The exchange: copies in, completions out, in one system call.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "node.h"

static int exchange_check(const struct fpgabuf_import_exchange *x)
{
	if (x->flags || x->min_done > x->done_count)
		return -EINVAL;
	if (x->copy_count > IMPORTER_DEPTH || x->done_count > IMPORTER_DEPTH)
		return -E2BIG;
	/* Probing @done writes to it, before the copies are read. */
	if (fpgabuf_overlap(x->done,
			    x->done_count * sizeof(struct fpgabuf_import_done),
			    x->copies,
			    x->copy_count * sizeof(struct fpgabuf_import_copy)))
		return -EINVAL;
	return 0;
}

/*
 * Find out about bad pointers before anything is done: completions that were
 * taken off the queue cannot be lost to one.
 */
static int exchange_probe(void __user *user, size_t size,
			  const struct fpgabuf_import_exchange *x)
{
	if (fault_in_writeable(u64_to_user_ptr(x->done), x->done_count *
			       sizeof(struct fpgabuf_import_done)))
		return -EFAULT;
	return copy_struct_to_user(user, size, x, sizeof(*x), NULL);
}

/* There is one file, but its tasks may queue copies. Not waiting is no error. */
static int exchange_ended(struct fpgabuf_client *client, u32 min_done)
{
	return min_done && !client->engine.queue.num_pending ? -EPIPE : 0;
}

static void exchange_fill(struct fpgabuf_job *job, void *to)
{
	const struct importer_copy *copy =
		container_of(job, struct importer_copy, job);
	struct fpgabuf_import_done *done = to;

	done->user_data = copy->arg.user_data;
	done->timestamp = copy->timestamp;
	done->status = job->status;
}

static void exchange_taken(struct fpgabuf_job *job)
{
	struct fpgabuf_importer *importer = to_importer_copy(job)->importer;

	list_add_tail(&job->node, &importer->idle);
	importer->num_idle++;
}

static_assert(sizeof(struct fpgabuf_import_done) <= FPGABUF_DONE_SIZE);

const struct fpgabuf_client_ops importer_exchange_ops = {
	.num_buffers	= 2,
	.arg_size	= sizeof(struct fpgabuf_import_copy),
	.fenced		= true,
	.done_size	= sizeof(struct fpgabuf_import_done),
	.submit		= importer_submit,
	.report		= importer_submit_report,
	.locate		= importer_submit_locate,
	.queue		= importer_submit_queue,
	.ended		= exchange_ended,
	.fill		= exchange_fill,
	.taken		= exchange_taken,
};

int importer_ioctl_exchange(struct fpgabuf_importer *importer,
			    struct file *file, void __user *user, size_t size)
{
	struct fpgabuf_client_exchange cx;
	struct fpgabuf_import_exchange x;
	int ret;

	ret = copy_struct_from_user(&x, sizeof(x), user, size);
	if (!ret)
		ret = exchange_check(&x);
	if (!ret)
		ret = exchange_probe(user, size, &x);
	if (ret)
		return ret;
	cx = (struct fpgabuf_client_exchange){
		.client = &importer->client,
		.file = file,
		.exchange = &x,
		.queue_count = x.copy_count,
		.done = x.done,
		.done_count = x.done_count,
		.min_done = x.min_done,
		.timeout = x.timeout,
	};
	ret = fpgabuf_client_exchange(&cx);
	if (ret)
		return ret;
	x.done_count = cx.done_count;
	return copy_struct_to_user(user, size, &x, sizeof(x), NULL);
}
