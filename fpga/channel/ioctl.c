// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: copying in and out, dispatch, and those that only ask or set.
 */
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "format.h"

/* The answer goes to user space as far as that has room for it. */
int fpgabuf_ioctl_put(const struct fpgabuf_ioctl_arg *arg)
{
	if (copy_to_user(arg->user, &arg->info, min(arg->size, arg->ksize)))
		return -EFAULT;
	return 0;
}

/*
 * The same for a request that holds the lock. When the memory for the answer is
 * not there, that is faulted in with no lock held, and the request done again
 * from its beginning: it must have undone what it did by then.
 */
int fpgabuf_ioctl_put_locked(struct fpgabuf_ioctl_arg *arg)
{
	return fpgabuf_user_write((uintptr_t)arg->user, &arg->info,
				  min(arg->size, arg->ksize), &arg->fault);
}

static int ioctl_info(struct fpgabuf_channel *channel, struct file *file,
		      struct fpgabuf_ioctl_arg *arg)
{
	struct device *dma_dev = fpgabuf_channel_dma_dev(channel);
	struct fpgabuf_info *info = &arg->info;

	*info = (struct fpgabuf_info){
		.abi_version = FPGABUF_ABI_VERSION,
		.direction = channel->config.direction,
		.capabilities = channel->config.capabilities |
				(channel->client.engine.by_ring ?
				 FPGABUF_CAP_RING : FPGABUF_CAP_FENCES),
		.kinds = BIT(FPGABUF_KIND_COHERENT) |
			 BIT(FPGABUF_KIND_CONTIGUOUS) |
			 BIT(FPGABUF_KIND_SYSTEM) |
			 BIT(FPGABUF_KIND_WRITECOMBINE) |
			 BIT(FPGABUF_KIND_NONCONTIGUOUS) |
			 BIT(FPGABUF_KIND_USER) |
			 BIT(FPGABUF_KIND_POOL),
		.num_formats = channel->config.num_formats,
		.num_slots = FPGABUF_MAX_SLOTS,
		.max_batch = FPGABUF_MAX_BATCH,
		.queue_depth = channel->config.queue_depth,
		.alignment = channel->config.alignment,
		.max_segment = fpgabuf_engine_max_segment(&channel->client.engine),
		.dma_mask = dma_get_mask(dma_dev),
		.timeout_ms = channel->config.timeout_ms,
	};
	if (channel->client.engine.running)
		info->state |= FPGABUF_STATE_STREAMING;
	if (READ_ONCE(channel->client.engine.quarantine))
		info->state |= FPGABUF_STATE_QUARANTINE;
	if (fpgabuf_region_exists(dma_dev))
		info->kinds |= BIT(FPGABUF_KIND_REGION);
	if (fpgabuf_engine_scatters(&channel->client.engine))
		info->capabilities |= FPGABUF_CAP_SCATTER;
	if (fpgabuf_engine_by_lines(&channel->client.engine))
		info->capabilities |= FPGABUF_CAP_LINES;
	strscpy(info->name, channel->name, sizeof(info->name));
	strscpy(info->driver, channel->parent->driver->name,
		sizeof(info->driver));
	strscpy(info->bus, dev_name(dma_dev), sizeof(info->bus));
	return fpgabuf_ioctl_put_locked(arg);
}

static int ioctl_enum_format(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_format_desc *desc = &arg->desc;
	u32 index = desc->index;

	if (desc->flags)
		return -EINVAL;
	if (index >= channel->config.num_formats)
		return -ENOENT;
	*desc = channel->config.formats[index];
	desc->index = index;
	desc->stride_align =
		fpgabuf_pitch_align(desc, fpgabuf_pieces_line_align(channel));
	return fpgabuf_ioctl_put_locked(arg);
}

static int ioctl_get_format(struct fpgabuf_channel *channel, struct file *file,
			    struct fpgabuf_ioctl_arg *arg)
{
	arg->format = channel->format;
	return fpgabuf_ioctl_put_locked(arg);
}

static int ioctl_set_format(struct fpgabuf_channel *channel, struct file *file,
			    struct fpgabuf_ioctl_arg *arg)
{
	const struct fpgabuf_channel_config *config = &channel->config;
	struct fpgabuf_format *format = &arg->format;
	bool try = format->flags & FPGABUF_FORMAT_TRY;
	struct fpgabuf_lines lines;
	int ret;

	ret = fpgabuf_format_complete(config->formats, config->num_formats,
				      config->default_format.rate,
				      config->capabilities &
				      FPGABUF_CAP_UNTHROTTLED,
				      fpgabuf_pieces_line_align(channel),
				      format);
	if (!ret)
		ret = fpgabuf_pieces_check(channel, format, &lines);
	if (ret)
		return ret;
	format->flags &= ~FPGABUF_FORMAT_TRY;
	if (try)
		return fpgabuf_ioctl_put_locked(arg);

	if (channel->owner && channel->owner != file)
		return -EBUSY;
	if (channel->client.engine.running || channel->num_slots)
		return -EBUSY;
	ret = fpgabuf_ioctl_put_locked(arg);
	if (ret)
		return ret;
	ret = fpgabuf_stream_configure(channel, format);
	if (ret)
		return ret;
	channel->format = *format;
	return fpgabuf_channel_claim(channel, file);
}

static int ioctl_start(struct fpgabuf_channel *channel, struct file *file,
		       struct fpgabuf_ioctl_arg *arg)
{
	u32 timeout_ms = arg->start.timeout_ms ?: channel->config.timeout_ms;
	int ret;

	if (arg->start.flags || arg->start.reserved ||
	    timeout_ms > FPGABUF_MAX_TIMEOUT_MS)
		return -EINVAL;
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	if (channel->client.engine.running && !READ_ONCE(channel->client.engine.quarantine))
		return -EALREADY;
	/* The quarantine has ended that run, with no stop. */
	if (channel->client.engine.running)
		fpgabuf_stream_stop(channel, -EIO);

	/* Told before it is true: once it streams nothing may fail. */
	arg->start.run = channel->run + 1;
	ret = fpgabuf_ioctl_put_locked(arg);
	if (ret)
		return ret;
	ret = fpgabuf_stream_start(channel, timeout_ms);
	if (ret)
		return ret;
	return fpgabuf_channel_claim(channel, file);
}

static int ioctl_stop(struct fpgabuf_channel *channel, struct file *file,
		      struct fpgabuf_ioctl_arg *arg)
{
	if (channel->owner && channel->owner != file)
		return -EBUSY;
	fpgabuf_stream_stop(channel, -ECANCELED);
	return 0;
}

/**
 * struct fpgabuf_ioctl_desc - an ioctl
 * @cmd: its request number, with the size that its argument has in this kernel
 * @min_size: the size that it had at first
 * @unlocked: takes &fpgabuf_client.lock by itself, where it needs it
 * @func: does it, and copies the answer out: without @unlocked by
 *	fpgabuf_ioctl_put_locked()
 */
struct fpgabuf_ioctl_desc {
	unsigned int cmd;
	size_t min_size;
	bool unlocked;
	int (*func)(struct fpgabuf_channel *channel, struct file *file,
		    struct fpgabuf_ioctl_arg *arg);
};

/* The one that is called for every frame comes first. */
static const struct fpgabuf_ioctl_desc fpgabuf_ioctls[] = {
	{ FPGABUF_IOC_EXCHANGE, offsetofend(struct fpgabuf_exchange, timeout),
	  true, fpgabuf_ioctl_exchange },
	{ FPGABUF_IOC_INFO, offsetofend(struct fpgabuf_info, bus), false,
	  ioctl_info },
	{ FPGABUF_IOC_ENUM_FORMAT, sizeof(struct fpgabuf_format_desc), false,
	  ioctl_enum_format },
	{ FPGABUF_IOC_GET_FORMAT, sizeof(struct fpgabuf_format), false,
	  ioctl_get_format },
	{ FPGABUF_IOC_SET_FORMAT, sizeof(struct fpgabuf_format), false,
	  ioctl_set_format },
	{ FPGABUF_IOC_ALLOC, sizeof(struct fpgabuf_alloc), true,
	  fpgabuf_ioctl_alloc },
	{ FPGABUF_IOC_REGISTER, sizeof(struct fpgabuf_register), true,
	  fpgabuf_ioctl_register },
	{ FPGABUF_IOC_UNREGISTER, sizeof(struct fpgabuf_unregister), false,
	  fpgabuf_ioctl_unregister },
	{ FPGABUF_IOC_START, offsetofend(struct fpgabuf_start, run), false,
	  ioctl_start },
	{ FPGABUF_IOC_STOP, 0, false, ioctl_stop },
	{ FPGABUF_IOC_ALLOC_USER, sizeof(struct fpgabuf_alloc_user), true,
	  fpgabuf_ioctl_alloc_user },
	{ FPGABUF_IOC_ALLOC_POOL, sizeof(struct fpgabuf_alloc_pool), true,
	  fpgabuf_ioctl_alloc_pool },
	{ FPGABUF_IOC_INSPECT, sizeof(struct fpgabuf_inspect), true,
	  fpgabuf_ioctl_inspect },
};

/* The number, type and direction must be right; the size may have grown. */
static const struct fpgabuf_ioctl_desc *ioctl_find(unsigned int cmd)
{
	const unsigned int mask = ~(_IOC_SIZEMASK << _IOC_SIZESHIFT);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fpgabuf_ioctls); i++)
		if ((cmd & mask) == (fpgabuf_ioctls[i].cmd & mask))
			return &fpgabuf_ioctls[i];
	return NULL;
}

/* Of an answer that is newer than this kernel the rest is zeroed. */
static int ioctl_get(const struct fpgabuf_ioctl_desc *desc, unsigned int cmd,
		     struct fpgabuf_ioctl_arg *arg)
{
	if (arg->size < desc->min_size)
		return -EINVAL;
	/* This makes sure that the rest is zero. */
	if (_IOC_DIR(cmd) & _IOC_WRITE)
		return copy_struct_from_user(&arg->info, arg->ksize, arg->user,
					     arg->size);
	if (arg->size > arg->ksize &&
	    clear_user(arg->user + arg->ksize, arg->size - arg->ksize))
		return -EFAULT;
	return 0;
}

static int ioctl_run(const struct fpgabuf_ioctl_desc *desc,
		     struct fpgabuf_channel *channel, struct file *file,
		     struct fpgabuf_ioctl_arg *arg)
{
	int ret;

	if (READ_ONCE(channel->client.gone))
		return -ENODEV;
	if (desc->unlocked)
		return desc->func(channel, file, arg);
	if (mutex_lock_interruptible(&channel->client.lock))
		return -EINTR;
	ret = channel->client.gone ? -ENODEV : desc->func(channel, file, arg);
	mutex_unlock(&channel->client.lock);
	return ret;
}

long fpgabuf_ioctl(struct file *file, unsigned int cmd, unsigned long argp)
{
	struct fpgabuf_channel *channel = file->private_data;
	const struct fpgabuf_ioctl_desc *desc = ioctl_find(cmd);
	struct fpgabuf_ioctl_arg request = {};
	struct fpgabuf_ioctl_arg arg;
	int ret;

	if (!desc)
		return -ENOTTY;

	request.user = (void __user *)argp;
	request.size = _IOC_SIZE(cmd);
	request.ksize = _IOC_SIZE(desc->cmd);
	ret = ioctl_get(desc, cmd, &request);
	if (ret)
		return ret;
	do {
		arg = request;
		ret = ioctl_run(desc, channel, file, &arg);
	} while (ret == -EFAULT && !fpgabuf_user_fault_in(&arg.fault));
	return ret;
}
