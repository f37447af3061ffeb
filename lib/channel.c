// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int fpgabuf_channel_open(const char *path, struct fpgabuf_channel **channel)
{
	struct fpgabuf_channel *ch;
	int ret;

	ch = calloc(1, sizeof(*ch));
	if (!ch)
		return -ENOMEM;

	ret = fpgabuf_node_open(&ch->node, path, fpgabuf_list,
				FPGABUF_IOC_INFO, &ch->info);
	if (ret < 0) {
		free(ch);
		return ret;
	}
	*channel = ch;

	return 0;
}

void fpgabuf_channel_close(struct fpgabuf_channel *channel)
{
	if (!channel)
		return;

	fpgabuf_node_close(&channel->node);
	free(channel);
}

int fpgabuf_channel_fd(const struct fpgabuf_channel *channel)
{
	return channel->node.fd;
}

const char *fpgabuf_channel_path(const struct fpgabuf_channel *channel)
{
	return channel->node.path;
}

const struct fpgabuf_info *
fpgabuf_channel_info(const struct fpgabuf_channel *channel)
{
	return &channel->info;
}
