// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static int first_path(char **path)
{
	char **paths;
	int ret;

	ret = fpgabuf_list(&paths);
	if (ret < 0)
		return ret;

	if (ret == 0) {
		ret = -ENOENT;
	} else {
		*path = strdup(paths[0]);
		ret = *path ? 0 : -ENOMEM;
	}
	fpgabuf_list_free(paths);

	return ret;
}

static int choose_path(const char *wanted, char **path)
{
	if (!wanted)
		return first_path(path);

	*path = strdup(wanted);

	return *path ? 0 : -ENOMEM;
}

static int open_node(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDWR | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);

	return fd < 0 ? -errno : fd;
}

static int read_info(int fd, struct fpgabuf_info *info)
{
	int ret;

	ret = fpgabuf_ioctl(fd, FPGABUF_IOC_INFO, info);
	/* Old drivers answer an ioctl that they do not know with -EINVAL. */
	if (ret == -EINVAL)
		return -ENOTTY;
	if (ret < 0)
		return ret;

	return info->abi_version == FPGABUF_ABI_VERSION ? 0 : -EPROTO;
}

int fpgabuf_channel_open(const char *path, struct fpgabuf_channel **channel)
{
	struct fpgabuf_channel *ch;
	int ret;

	ch = calloc(1, sizeof(*ch));
	if (!ch)
		return -ENOMEM;

	ret = choose_path(path, &ch->path);
	if (ret < 0)
		goto err_free;

	ch->fd = open_node(ch->path);
	if (ch->fd < 0) {
		ret = ch->fd;
		goto err_free_path;
	}

	ret = read_info(ch->fd, &ch->info);
	if (ret < 0)
		goto err_close;

	*channel = ch;

	return 0;

err_close:
	close(ch->fd);
err_free_path:
	free(ch->path);
err_free:
	free(ch);

	return ret;
}

void fpgabuf_channel_close(struct fpgabuf_channel *channel)
{
	if (!channel)
		return;

	close(channel->fd);
	free(channel->path);
	free(channel);
}

int fpgabuf_channel_fd(const struct fpgabuf_channel *channel)
{
	return channel->fd;
}

const char *fpgabuf_channel_path(const struct fpgabuf_channel *channel)
{
	return channel->path;
}

const struct fpgabuf_info *
fpgabuf_channel_info(const struct fpgabuf_channel *channel)
{
	return &channel->info;
}
