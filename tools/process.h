/* SPDX-License-Identifier: GPL-2.0 */
/* Another process, for its dma-bufs. All tell what went wrong. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	int pidfd;
};

bool process_open(struct process *process, pid_t pid);
void process_close(struct process *process);

/* Return: a duplicate of its @fd, -1 when there is none to be had. */
int process_get_fd(const struct process *process, int fd);

/*
 * Its dma-bufs, in ascending order.
 * @fds: out: to be freed
 * Return: how many, -1 when it cannot be found out.
 */
ssize_t process_dmabufs(const struct process *process, int **fds);

/*
 * Who made the dma-buf @fd of this process.
 * Return: whether it is one.
 */
bool dmabuf_exporter(int fd, char *name, size_t size);

#endif /* PROCESS_H */
