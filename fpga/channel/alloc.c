// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for a channel's engine, as dma-bufs.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/overflow.h>

#include "channel.h"

/* A number for the dma-buf to come, if the flags are right. */
static int alloc_get_fd(u32 flags, u32 fd_flags)
{
	if (flags || fd_flags & ~(O_ACCMODE | O_CLOEXEC) ||
	    (fd_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return get_unused_fd_flags(fd_flags & O_CLOEXEC);
}

/* The answer is complete, if there is a @dmabuf: then let @fd be that. */
static int alloc_answer(const struct fpgabuf_ioctl_arg *arg,
			struct dma_buf *dmabuf, int fd)
{
	int ret = PTR_ERR_OR_ZERO(dmabuf);

	if (ret)
		goto err_fd;
	ret = fpgabuf_ioctl_put(arg);
	if (ret)
		goto err_dmabuf;
	dma_buf_fd_install(dmabuf, fd);
	return 0;

err_dmabuf:
	dma_buf_put(dmabuf);
err_fd:
	put_unused_fd(fd);
	return ret;
}

static struct dma_buf *alloc_by_size(struct fpgabuf_channel *channel,
				     struct fpgabuf_alloc *alloc)
{
	struct dma_buf *dmabuf;
	int ret;

	ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		return ERR_PTR(ret);
	dmabuf = fpgabuf_alloc(fpgabuf_channel_dma_dev(channel), alloc->size,
			       alloc->kind, alloc->fd_flags & O_ACCMODE);
	fpgabuf_client_leave(&channel->client);
	if (!IS_ERR(dmabuf))
		alloc->size = dmabuf->size;
	return dmabuf;
}

int fpgabuf_ioctl_alloc(struct fpgabuf_channel *channel, struct file *file,
			struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc *alloc = &arg->alloc;
	int fd;

	if (overflows_type(alloc->size, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_by_size(channel, alloc), fd);
}

/* The pages may be long in coming: the device may be unbound meanwhile. */
static struct dma_buf *alloc_of_user(struct fpgabuf_channel *channel,
				     const struct fpgabuf_alloc_user *alloc)
{
	struct fpgabuf_user_memory *memory;
	struct dma_buf *dmabuf;
	int ret;

	memory = fpgabuf_user_pin(alloc->address, alloc->length,
				  alloc->fd_flags & O_ACCMODE);
	if (IS_ERR(memory))
		return ERR_CAST(memory);
	ret = fpgabuf_client_enter(&channel->client);
	if (ret) {
		dmabuf = ERR_PTR(ret);
		goto out_put;
	}
	dmabuf = fpgabuf_alloc_pinned(fpgabuf_channel_dma_dev(channel), memory);
	fpgabuf_client_leave(&channel->client);
out_put:
	fpgabuf_user_put(memory);
	return dmabuf;
}

int fpgabuf_ioctl_alloc_user(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_user *alloc = &arg->alloc_user;
	int fd;

	if (alloc->reserved)
		return -EINVAL;
	if (overflows_type(alloc->address, unsigned long) ||
	    overflows_type(alloc->length, size_t))
		return -EOVERFLOW;
	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_of_user(channel, alloc), fd);
}

static struct dma_buf *alloc_of_pool(struct fpgabuf_channel *channel,
				     struct fpgabuf_alloc_pool *alloc)
{
	struct dma_buf *dmabuf;
	int ret;

	ret = fpgabuf_client_enter(&channel->client);
	if (ret)
		return ERR_PTR(ret);
	dmabuf = fpgabuf_alloc_pool(fpgabuf_channel_dma_dev(channel),
				    alloc->block_size, alloc->num_blocks,
				    alloc->alignment, alloc->boundary,
				    alloc->fd_flags & O_ACCMODE,
				    &alloc->stride);
	fpgabuf_client_leave(&channel->client);
	return dmabuf;
}

int fpgabuf_ioctl_alloc_pool(struct fpgabuf_channel *channel,
			     struct file *file, struct fpgabuf_ioctl_arg *arg)
{
	struct fpgabuf_alloc_pool *alloc = &arg->alloc_pool;
	int fd;

	fd = alloc_get_fd(alloc->flags, alloc->fd_flags);
	if (fd < 0)
		return fd;
	alloc->fd = fd;
	return alloc_answer(arg, alloc_of_pool(channel, alloc), fd);
}
