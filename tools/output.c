// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
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

/*
 * What offsets and lengths of direct I/O must be multiples of; 0: there is no
 * direct I/O. Where the file system does not tell, a block of it.
 */
static size_t direct_alignment(int fd)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct stat st;
#ifdef STATX_DIOALIGN
	struct statx stx;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) &&
	    stx.stx_mask & STATX_DIOALIGN)
		return stx.stx_dio_mem_align > page ? 0 :
		       stx.stx_dio_offset_align;
#endif
	if (fstat(fd, &st) || st.st_blksize < 1)
		return 0;

	return (size_t)st.st_blksize < page ? (size_t)st.st_blksize : page;
}

static bool choose_stride(struct output *output, uint64_t size)
{
	const size_t alignment = direct_alignment(output->fd);

	if (!alignment) {
		complain("%s: cannot be written with direct I/O", output->name);
		return false;
	}
	output->stride = (size + alignment - 1) / alignment * alignment;

	return true;
}

bool output_open_direct(struct output *output, const char *path, uint64_t size)
{
	output->name = path;
	output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_DIRECT,
			  0666);
	if (output->fd >= 0)
		return choose_stride(output, size);

	if (errno == EINVAL)
		complain("%s: cannot be written with direct I/O: use --output",
			 path);
	else
		complain("%s: %m", path);

	return false;
}

bool output_empty(const struct output *output)
{
	struct stat st;

	/* A disk has no end to be moved. */
	if (!fstat(output->fd, &st) && S_ISBLK(st.st_mode))
		return true;
	if (ftruncate(output->fd, 0)) {
		complain("%s: %m", output->name);
		return false;
	}

	return true;
}

/* Half a frame at the end would be taken for a whole one. */
static int fail_direct(const struct output *output)
{
	const int error = errno;

	complain("%s: %m", output->name);
	if (ftruncate(output->fd, output->position) && errno != EINVAL)
		complain("%s: the last frame in it is not whole: %m",
			 output->name);

	return -error;
}

static int write_direct(struct output *output, const char *data)
{
	uint64_t done = 0;
	ssize_t written;

	while (done < output->stride) {
		written = pwrite(output->fd, data + done, output->stride - done,
				 output->position + done);
		if (written >= 0)
			done += written;
		else if (errno != EINTR)
			return fail_direct(output);
	}
	output->position += done;

	return 0;
}

static int write_stream(const struct output *output, const char *data,
			size_t size)
{
	ssize_t written;

	while (size) {
		written = write(output->fd, data, size);
		if (written >= 0) {
			data += written;
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

int output_write(struct output *output, const void *data, size_t size)
{
	return output->stride ? write_direct(output, data) :
				write_stream(output, data, size);
}

bool output_close(struct output *output)
{
	const int fd = output->fd;
	bool good;

	output->fd = -1;
	if (fd < 0 || fd == STDOUT_FILENO)
		return true;
	/* The frames are on the disk; where they are there may not be, yet. */
	good = !output->stride || !fsync(fd);
	if (!good)
		complain("%s: %m", output->name);
	if (close(fd)) {
		complain("%s: %m", output->name);
		good = false;
	}

	return good;
}
