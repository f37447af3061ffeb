// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a file is a recording: frame after frame of the simulated FPGA, at a
 * fixed stride, and none of it in the page cache, where what was written with
 * no copy never was.
 *
 * Usage: record_check FILE SIZE STRIDE COUNT
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fpgabuf.h>

struct recording {
	const char *path;
	int fd;
	size_t size;
	size_t stride;
	size_t count;
};

static size_t parse_number(const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (*end || !number)
		errx(2, "not a number: %s", text);

	return number;
}

static void check_size(const struct recording *r)
{
	struct stat st;

	if (fstat(r->fd, &st))
		err(1, "%s", r->path);
	if ((uint64_t)st.st_size != (uint64_t)r->stride * r->count)
		errx(1, "%s: %jd bytes, not %zu times %zu", r->path,
		     (intmax_t)st.st_size, r->count, r->stride);
}

/* Mapped, but not touched: that would read it. */
static void check_not_cached(const struct recording *r)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const size_t pages = (r->stride * r->count + page - 1) / page;
	unsigned char *resident = calloc(pages, 1);
	size_t cached = 0, i;
	void *map;

	map = mmap(NULL, pages * page, PROT_READ, MAP_SHARED, r->fd, 0);
	if (!resident || map == MAP_FAILED ||
	    mincore(map, pages * page, resident))
		err(1, "%s: mincore", r->path);
	for (i = 0; i < pages; i++)
		cached += resident[i] & 1;
	if (cached)
		errx(1, "%s: %zu of %zu pages are in the page cache", r->path,
		     cached, pages);
	munmap(map, pages * page);
	free(resident);
}

static bool is_zero(const char *data, size_t size)
{
	while (size--)
		if (*data++)
			return false;

	return true;
}

static void check_frame(const struct recording *r, const char *frame, size_t i)
{
	struct fpgabuf_trailer trailer;
	int ret;

	ret = fpgabuf_verify_frame(frame, r->size, &trailer);
	if (ret < 0)
		errx(1, "%s: frame %zu: %s", r->path, i, strerror(-ret));
	if (trailer.sequence != i)
		errx(1, "%s: frame %zu is number %" PRIu64, r->path, i,
		     (uint64_t)trailer.sequence);
	if (!is_zero(frame + r->size, r->stride - r->size))
		errx(1, "%s: something lies behind frame %zu", r->path, i);
}

static void check_frames(const struct recording *r)
{
	void *frame;
	size_t i;

	if (posix_memalign(&frame, sysconf(_SC_PAGESIZE), r->stride))
		errx(1, "no memory");
	for (i = 0; i < r->count; i++) {
		if (pread(r->fd, frame, r->stride, i * r->stride) !=
		    (ssize_t)r->stride)
			err(1, "%s: reading frame %zu", r->path, i);
		check_frame(r, frame, i);
	}
	free(frame);
}

int main(int argc, char **argv)
{
	struct recording r;

	if (argc != 5)
		errx(2, "Usage: record_check FILE SIZE STRIDE COUNT");
	r.path = argv[1];
	r.size = parse_number(argv[2]);
	r.stride = parse_number(argv[3]);
	r.count = parse_number(argv[4]);
	r.fd = open(r.path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (r.fd < 0)
		err(1, "%s", r.path);

	check_size(&r);
	check_not_cached(&r);
	check_frames(&r);
	printf("%zu frames\n", r.count);

	return 0;
}
