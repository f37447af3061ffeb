// SPDX-License-Identifier: GPL-2.0
/*
 * The requests of an exchange: copies that are to be queued.
 */
#include <linux/align.h>
#include <linux/dma-buf.h>
#include <linux/errno.h>
#include <linux/list.h>

#include "node.h"
#include "trace.h"

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
	if (!IS_ALIGNED(offset | length, fpgabuf_engine_alignment(&importer->client.engine)))
		return -EINVAL;
	size = slot->import->dmabuf->size;
	return offset < size && length <= size - offset ? 0 : -ERANGE;
}

static int submit_check(struct fpgabuf_importer *importer,
			const struct fpgabuf_import_copy *arg)
{
	int ret;

	if (arg->flags & ~FPGABUF_CLIENT_FLAGS || arg->reserved || !arg->length)
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

static int submit_read(struct fpgabuf_importer *importer,
		       const struct fpgabuf_import_exchange *x, u32 *flags,
		       struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_import_copy *args = importer_args(importer);
	unsigned int i;
	int ret;

	ret = fpgabuf_user_read(args, x->copies, x->copy_count * sizeof(*args),
				fault);
	if (ret)
		return ret;
	*flags = 0;
	for (i = 0; i < x->copy_count; i++) {
		ret = submit_check(importer, &args[i]);
		if (ret)
			return ret;
		*flags |= args[i].flags;
	}
	return 0;
}

/*
 * Idle copies, for the requests. They stay in the list of idle ones until they are
 * queued.
 */
static int submit_get_copies(struct fpgabuf_importer *importer,
			     unsigned int num)
{
	struct fpgabuf_engine *engine = &importer->client.engine;
	struct fpgabuf_request *r = importer->client.submission.requests;
	struct fpgabuf_job *job;
	int ret = 0;

	spin_lock_irq(&engine->queue.lock);
	if (engine->quarantine)
		ret = -EIO;
	else if (num > importer->num_idle)
		ret = -ENOSPC;
	list_for_each_entry(job, &importer->idle, node) {
		if (ret || !num--)
			break;
		*r++ = (struct fpgabuf_request){ .job = job };
	}
	spin_unlock_irq(&engine->queue.lock);
	return ret;
}

static void submit_fill(struct fpgabuf_importer *importer, unsigned int i)
{
	struct fpgabuf_submission *s = &importer->client.submission;
	const struct fpgabuf_import_copy *arg = &importer_args(importer)[i];

	to_importer_copy(s->requests[i].job)->arg = *arg;
	s->requests[i].flags = arg->flags;
	s->requests[i].in_fence = arg->in_fence;
	s->res[2 * i].import = importer->slots[arg->src].import;
	s->res[2 * i].write = false;
	s->res[2 * i + 1].import = importer->slots[arg->dst].import;
	s->res[2 * i + 1].write = true;
}

/* &fpgabuf_client_ops.submit */
int importer_submit(struct fpgabuf_client *client, struct file *file,
		    const void *exchange, struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_importer *importer = to_fpgabuf_importer(client);
	const struct fpgabuf_import_exchange *x = exchange;
	unsigned int i;
	u32 flags;
	int ret;

	if (!x->copy_count)
		return 0;
	ret = submit_read(importer, x, &flags, fault);
	if (!ret)
		ret = submit_get_copies(importer, x->copy_count);
	if (ret)
		return ret;
	for (i = 0; i < x->copy_count; i++)
		submit_fill(importer, i);
	client->submission.flags = flags;
	return fpgabuf_client_submit(client, x, x->copy_count, fault);
}

/* &fpgabuf_client_ops.report */
int importer_submit_report(struct fpgabuf_client *client, const void *exchange,
			   unsigned int num, struct fpgabuf_user_fault *fault)
{
	struct fpgabuf_importer *importer = to_fpgabuf_importer(client);
	const struct fpgabuf_request *requests = client->submission.requests;
	struct fpgabuf_import_copy *args = importer_args(importer);
	const struct fpgabuf_import_exchange *x = exchange;
	unsigned int i;

	for (i = 0; i < num; i++)
		if (requests[i].file)
			args[i].out_fence = requests[i].out_fence;
	return fpgabuf_user_write(x->copies, args, num * sizeof(*args), fault);
}

/* &fpgabuf_client_ops.locate */
int importer_submit_locate(struct fpgabuf_client *client, unsigned int num)
{
	struct fpgabuf_importer *importer = to_fpgabuf_importer(client);
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < num; i++) {
		const struct fpgabuf_import_copy *arg = &importer_args(importer)[i];

		ret = importer_map_slot(importer, &importer->slots[arg->src]);
		if (!ret)
			ret = importer_map_slot(importer,
						&importer->slots[arg->dst]);
	}
	return ret;
}

static struct importer_map *submit_get_map(struct importer_slot *slot)
{
	slot->pending++;
	refcount_inc(&slot->map->ref);
	return slot->map;
}

/* &fpgabuf_client_ops.queue */
void importer_submit_queue(struct fpgabuf_client *client, unsigned int i)
{
	struct fpgabuf_importer *importer = to_fpgabuf_importer(client);
	struct importer_copy *copy =
		to_importer_copy(client->submission.requests[i].job);

	copy->from = submit_get_map(&importer->slots[copy->arg.src]);
	copy->to = submit_get_map(&importer->slots[copy->arg.dst]);
	importer->num_idle--;
	trace_fpgabuf_copy_queue(copy);
}
