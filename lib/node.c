// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static int first_path(int (*list)(char ***paths), char **path)
{
	char **paths;
	int ret;

	ret = list(&paths);
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

static int choose_path(const char *wanted, int (*list)(char ***paths),
		       char **path)
{
	if (!wanted)
		return first_path(list, path);

	*path = strdup(wanted);

	return *path ? 0 : -ENOMEM;
}

static int open_path(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDWR | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);

	return fd < 0 ? -errno : fd;
}

static int read_info(int fd, unsigned long request, void *info)
{
	const uint32_t *abi_version = info;
	int ret;

	ret = fpgabuf_ioctl(fd, request, info);
	/* Old drivers answer an ioctl that they do not know with -EINVAL. */
	if (ret == -EINVAL)
		return -ENOTTY;
	if (ret < 0)
		return ret;

	return *abi_version == FPGABUF_ABI_VERSION ? 0 : -EPROTO;
}

int fpgabuf_node_open(struct fpgabuf_node *node, const char *wanted,
		      int (*list)(char ***paths), unsigned long request,
		      void *info)
{
	int ret;

	ret = choose_path(wanted, list, &node->path);
	if (ret < 0)
		return ret;

	node->fd = open_path(node->path);
	if (node->fd < 0) {
		ret = node->fd;
		goto err_free_path;
	}

	ret = read_info(node->fd, request, info);
	if (ret < 0)
		goto err_close;

	return 0;

err_close:
	close(node->fd);
err_free_path:
	free(node->path);

	return ret;
}

void fpgabuf_node_close(struct fpgabuf_node *node)
{
	close(node->fd);
	free(node->path);
}
