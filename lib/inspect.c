// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Of the one device that uses a buffer, and then some. */
#define FIRST_ROOM	256

/* The answer with all names that it counts: room is made until it is enough. */
static int inspect_all(int channel, int fd, struct fpgabuf_inspect *inspect,
		       char **names)
{
	size_t room = FIRST_ROOM;
	char *more;
	int ret;

	for (*names = NULL; ; room = inspect->names_size) {
		more = realloc(*names, room);
		if (!more)
			return -ENOMEM;
		*names = more;

		*inspect = (struct fpgabuf_inspect){
			.fd = fd,
			.names = (uintptr_t)more,
			.names_size = room,
		};
		ret = fpgabuf_ioctl(channel, FPGABUF_IOC_INSPECT, inspect);
		if (ret < 0 || inspect->names_size <= room)
			return ret;
	}
}

static char **split_names(const char *names, size_t count)
{
	char **list;
	size_t i;

	list = calloc(count + 1, sizeof(*list));
	for (i = 0; list && i < count; i++) {
		list[i] = strdup(names);
		if (!list[i]) {
			fpgabuf_list_free(list);
			return NULL;
		}
		names += strlen(names) + 1;
	}

	return list;
}

int fpgabuf_channel_inspect(struct fpgabuf_channel *channel, int fd,
			    struct fpgabuf_inspect *inspect, char ***names)
{
	struct fpgabuf_inspect answer;
	char **list = NULL;
	char *text;
	int ret;

	ret = inspect_all(channel->node.fd, fd, &answer, &text);
	if (ret >= 0 && names) {
		list = split_names(text, answer.attached);
		if (!list)
			ret = -ENOMEM;
	}
	free(text);
	if (ret < 0)
		return ret;

	answer.names = 0;
	*inspect = answer;
	if (names)
		*names = list;

	return 0;
}
