// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "output.h"

static bool open_stdout(struct output *output)
{
	output->name = "standard output";
	if (isatty(STDOUT_FILENO)) {
		complain("frames are not written to a terminal: give a file, or a pipe");
		return false;
	}
	output->fd = STDOUT_FILENO;

	return true;
}

bool output_open(struct output *output, const char *path)
{
	if (!strcmp(path, "-"))
		return open_stdout(output);

	output->name = path;
	output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output->fd < 0)
		complain("%s: %m", path);

	return output->fd >= 0;
}

int output_write(const struct output *output, const void *data, size_t size)
{
	const char *p = data;
	ssize_t written;

	while (size) {
		written = write(output->fd, p, size);
		if (written >= 0) {
			p += written;
			size -= written;
		} else if (errno != EINTR) {
			const int error = errno;

			complain("%s: %m", output->name);
			return -error;
		}
		if (size && interrupted())
			return -EINTR;
	}

	return 0;
}

bool output_close(struct output *output)
{
	const int fd = output->fd;

	output->fd = -1;
	if (fd < 0 || fd == STDOUT_FILENO)
		return true;
	if (close(fd)) {
		complain("%s: %m", output->name);
		return false;
	}

	return true;
}
