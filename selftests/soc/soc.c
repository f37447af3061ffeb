// SPDX-License-Identifier: GPL-2.0
/*
 * The boards, their driver, and their memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "soc.h"
#include "test_modules/soc_board.h"

const char *soc_missing(void)
{
	if (access("/proc/device-tree/soc-coherent", F_OK))
		return "no board in the device tree: lane soc adds them to it";
	/* Where all is known to be there, the tests fail without. */
	if (access(SOC_FILE, F_OK) && !getenv("FPGABUF_REQUIRED"))
		return "no " SOC_FILE ": built without the modules";
	return NULL;
}

int soc_load(void)
{
	const char *const argv[] = { "insmod", SOC_FILE, NULL };
	int node;

	if (run_program(argv))
		return -ENOEXEC;
	node = open(SOC_NODE, O_RDWR | O_CLOEXEC);
	return node < 0 ? -errno : node;
}

int soc_unload(void)
{
	const char *const argv[] = { "rmmod", SOC_MODULE, NULL };

	return module_loaded(SOC_MODULE) ? run_program(argv) : 0;
}

int soc_write(const char *file, const char *board)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s",
		 SOC_MODULE, file);
	return write_file(path, board);
}

static int soc_request(int node, unsigned long cmd, const char *board,
		       struct soc_board_request *req)
{
	snprintf(req->board, sizeof(req->board), "%s", board);
	return fpga_ioctl(node, cmd, req);
}

int soc_get(int node, const char *board, size_t size, __u32 kind)
{
	struct soc_board_request req = { .size = size, .kind = kind };

	return soc_request(node, SOC_BOARD_ALLOC, board, &req);
}

int soc_alloc(int node, const char *board, size_t size, __u32 kind,
	      struct buffer *b)
{
	return buffer_from_fd(soc_get(node, board, size, kind), b);
}

int soc_where(int node, const char *board, int fd)
{
	struct soc_board_request req = { .fd = fd };

	return soc_request(node, SOC_BOARD_WHERE, board, &req);
}

int soc_copy(int node, const char *board, int fd, int to)
{
	struct soc_board_request req = { .fd = fd, .to = to };

	return soc_request(node, SOC_BOARD_COPY, board, &req);
}

int soc_take(int node, const char *board, __u32 kind, int index, int count,
	     int *fds)
{
	int i;

	for (i = 0; i < count; i++) {
		fds[i] = soc_get(node, board, MIB, kind);
		if (fds[i] < 0)
			break;
		if (soc_where(node, board, fds[i]) != index) {
			close(fds[i]);
			break;
		}
	}
	return i;
}

void soc_give_back(const int *fds, int count)
{
	while (count--)
		close(fds[count]);
}

int soc_room(int node, const char *board, __u32 kind, int index, int count)
{
	int fds[SOC_PIECES];

	count = soc_take(node, board, kind, index, count, fds);
	soc_give_back(fds, count);
	return count;
}

long soc_cma_used(const char *name)
{
	char path[96];
	long used = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/cma/%s/used", name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%ld", &used) != 1)
		used = -EBADMSG;
	fclose(f);
	return used;
}
