// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "message.h"
#include "parse.h"
#include "process.h"

/* The line of its fdinfo that only a dma-buf has */
#define EXPORTER	"exp_name:"

static void complain_process(pid_t pid, int error)
{
	switch (error) {
	case ESRCH:
		complain("there is no process %d", pid);
		break;
	case EPERM:
	case EACCES:
		complain("process %d: its file descriptors are only for root and its owner, and for the owner only as far as kernel.yama.ptrace_scope lets",
			 pid);
		break;
	default:
		complain("process %d: %s", pid, strerror(error));
	}
}

bool process_open(struct process *process, pid_t pid)
{
	process->pid = pid;
	process->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd < 0)
		complain_process(pid, errno);

	return process->pidfd >= 0;
}

void process_close(struct process *process)
{
	close(process->pidfd);
}

int process_get_fd(const struct process *process, int fd)
{
	int ret;

	ret = syscall(SYS_pidfd_getfd, process->pidfd, fd, 0);
	if (ret >= 0)
		return ret;

	if (errno == EBADF)
		complain("process %d: has no file descriptor %d", process->pid,
			 fd);
	else
		complain_process(process->pid, errno);

	return -1;
}

/* @process: "self" or a number */
static bool read_exporter(const char *process, int fd, char *name, size_t size)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%d", process, fd);
	file = fopen(path, "re");
	if (!file)
		return false;

	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, EXPORTER, strlen(EXPORTER)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "%s", line + strlen(EXPORTER) +
			 strspn(line + strlen(EXPORTER), "\t "));
		found = true;
	}
	fclose(file);

	return found;
}

bool dmabuf_exporter(int fd, char *name, size_t size)
{
	return read_exporter("self", fd, name, size);
}

static bool append(int **fds, size_t *count, int fd)
{
	int *more;

	more = reallocarray(*fds, *count + 1, sizeof(*more));
	if (!more)
		return false;
	more[(*count)++] = fd;
	*fds = more;

	return true;
}

/* Return: 0, or a negative errno */
static int read_dmabufs(DIR *dir, const char *process, int **fds, size_t *count)
{
	struct dirent *entry;
	char name[64];
	int fd;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (!parse_fd(entry->d_name, &fd))
			continue;
		/* One that was closed meanwhile is none. */
		if (!read_exporter(process, fd, name, sizeof(name)))
			continue;
		if (!append(fds, count, fd))
			return -ENOMEM;
	}
}

static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

ssize_t process_dmabufs(const struct process *process, int **fds)
{
	char number[16], path[64];
	size_t count = 0;
	DIR *dir;
	int ret;

	*fds = NULL;
	snprintf(number, sizeof(number), "%d", process->pid);
	snprintf(path, sizeof(path), "/proc/%s/fdinfo", number);
	dir = opendir(path);
	if (!dir) {
		complain_process(process->pid, errno == ENOENT ? ESRCH : errno);
		return -1;
	}

	ret = read_dmabufs(dir, number, fds, &count);
	closedir(dir);
	if (ret < 0) {
		complain_process(process->pid, -ret);
		free(*fds);
		*fds = NULL;
		return -1;
	}
	if (count)
		qsort(*fds, count, sizeof(**fds), compare);

	return count;
}
