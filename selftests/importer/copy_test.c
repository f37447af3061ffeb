// SPDX-License-Identifier: GPL-2.0
/*
 * What an importing device copies: every byte, and no other; and what it does when
 * its engine does something wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "importer_test.h"

#define SIZE	(68 * 1024)
/* Of the device where a copy hangs: long enough for those that do not */
#define TIMEOUT_MS	500

FIXTURE(from) {
	struct totals before;
	int ch, dev;
	struct buffer src, dst;
	int s, d;
};

FIXTURE_VARIANT(from) {
	enum origin src, dst;
};

FIXTURE_VARIANT_ADD(from, coherent) {
	.src = ORIGIN_COHERENT,
	.dst = ORIGIN_SYSTEM,
};

FIXTURE_VARIANT_ADD(from, writecombine) {
	.src = ORIGIN_WRITECOMBINE,
	.dst = ORIGIN_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(from, contiguous) {
	.src = ORIGIN_CONTIGUOUS,
	.dst = ORIGIN_USER,
};

FIXTURE_VARIANT_ADD(from, noncontiguous) {
	.src = ORIGIN_NONCONTIGUOUS,
	.dst = ORIGIN_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(from, system) {
	.src = ORIGIN_SYSTEM,
	.dst = ORIGIN_COHERENT,
};

FIXTURE_VARIANT_ADD(from, user) {
	.src = ORIGIN_USER,
	.dst = ORIGIN_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(from, pool) {
	.src = ORIGIN_POOL,
	.dst = ORIGIN_POOL,
};

FIXTURE_VARIANT_ADD(from, vgem) {
	.src = ORIGIN_VGEM,
	.dst = ORIGIN_SYSTEM,
};

FIXTURE_VARIANT_ADD(from, into_vgem) {
	.src = ORIGIN_SYSTEM,
	.dst = ORIGIN_VGEM,
};

FIXTURE_VARIANT_ADD(from, udmabuf) {
	.src = ORIGIN_UDMABUF,
	.dst = ORIGIN_USER,
};

FIXTURE_VARIANT_ADD(from, heap) {
	.src = ORIGIN_HEAP,
	.dst = ORIGIN_UDMABUF,
};

FIXTURE_VARIANT_ADD(from, into_heap) {
	.src = ORIGIN_SYSTEM,
	.dst = ORIGIN_HEAP,
};

FIXTURE_SETUP(from)
{
	int ret;

	REQUIRE_CHANNEL(self->before);
	if (bounced() && (!origin_syncs(variant->src) ||
			  !origin_syncs(variant->dst)))
		SKIP(return, "that exporter does not sync bounce buffers");
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ret = origin_alloc(variant->src, self->ch, SIZE, &self->src);
	if (!ret)
		ret = origin_alloc(variant->dst, self->ch, SIZE, &self->dst);
	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "this kernel does not have it");
	ASSERT_EQ(0, ret);
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
	self->s = import_attach(self->dev, self->src.fd,
				origin_access(variant->src) |
				FPGABUF_IMPORT_READ);
	ASSERT_LE(0, self->s);
	self->d = import_attach(self->dev, self->dst.fd,
				origin_access(variant->dst) |
				FPGABUF_IMPORT_WRITE);
	ASSERT_LE(0, self->d);
	buffer_fill(&self->src, SEED);
	buffer_fill(&self->dst, OTHER);
}

FIXTURE_TEARDOWN_PARENT(from)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(from, all_of_it)
{
	ASSERT_EQ(0, import_copy(self->dev, self->s, self->d, SIZE));
	EXPECT_EQ(SIZE, buffer_differs(&self->dst, SEED, 0, SIZE));
	EXPECT_EQ((int)self->dst.size,
		  buffer_differs(&self->dst, OTHER, SIZE, self->dst.size));
	EXPECT_EQ((int)self->src.size,
		  buffer_differs(&self->src, SEED, 0, self->src.size));
	/* What the CPU writes later is copied later. */
	buffer_fill(&self->src, SEED + 1);
	ASSERT_EQ(0, import_copy(self->dev, self->s, self->d, SIZE));
	EXPECT_EQ(SIZE, buffer_differs(&self->dst, SEED + 1, 0, SIZE));
}

/* Anywhere, of any length: over the borders of pages and pieces, and beside. */
TEST_F(from, any_range)
{
	static const struct {
		size_t src, dst, length;
	} ranges[] = {
		{ 0, SIZE - 1, 1 }, { 4095, 1, 2 }, { 1, 4097, 4096 },
		{ 4096, 12288, 8192 }, { 63, 64, 20001 },
		{ 32768 - 5, 32768 + 5, 30000 },
	};
	struct fpgabuf_import_copy copy = { .src = self->s, .dst = self->d };
	struct fpgabuf_import_done done;
	size_t i;

	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		const int begin = ranges[i].dst;
		const int end = begin + ranges[i].length;

		buffer_fill(&self->dst, OTHER);
		copy.src_offset = ranges[i].src;
		copy.dst_offset = begin;
		copy.length = ranges[i].length;
		copy.user_data = i + 100;
		ASSERT_EQ(0, import_queue(self->dev, &copy, 1));
		ASSERT_EQ(1, import_take(self->dev, &done, 1, 1, 10 * SEC));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ(i + 100, (size_t)done.user_data);
		EXPECT_EQ(begin, buffer_differs(&self->dst, OTHER, 0, begin));
		EXPECT_EQ(end, buffer_differs_from(&self->dst, SEED, begin, end,
						   ranges[i].src));
		EXPECT_EQ((int)self->dst.size,
			  buffer_differs(&self->dst, OTHER, end,
					 self->dst.size));
	}
}

FIXTURE(copy) {
	struct totals before;
	struct pair p;
	struct fpgabuf_import_copy copies[IMPORT_DEPTH + 1];
};

FIXTURE_SETUP(copy)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_SYSTEM,
			       FPGABUF_IMPORT_READ));
	/* Copy i is of a thousand bytes, from and to i thousand. */
	for (i = 0; i <= IMPORT_DEPTH; i++)
		self->copies[i] = (struct fpgabuf_import_copy){
			.src_offset = 1000 * i,
			.dst_offset = 1000 * i,
			.length = 1000,
			.user_data = i,
			.dst = 1,
		};
}

FIXTURE_TEARDOWN_PARENT(copy)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(copy, many_at_once)
{
	struct fpgabuf_import_done done[IMPORT_DEPTH] = { 0 };
	__u64 last = 0;
	int i;

	ASSERT_EQ(0, import_queue(self->p.dev, self->copies, IMPORT_DEPTH));
	EXPECT_EQ(-ENOSPC, import_queue(self->p.dev, self->copies, 1));
	ASSERT_EQ(IMPORT_DEPTH, import_take(self->p.dev, done, IMPORT_DEPTH,
					    IMPORT_DEPTH, 10 * SEC));
	for (i = 0; i < IMPORT_DEPTH; i++) {
		EXPECT_EQ(i, (int)done[i].user_data);
		EXPECT_EQ(0, done[i].status);
		EXPECT_LE(last, done[i].timestamp);
		last = done[i].timestamp;
	}
	EXPECT_EQ(64000, buffer_differs(&self->p.b[DST], SEED, 0, 64000));
	EXPECT_EQ(SIZE, buffer_differs(&self->p.b[DST], OTHER, 64000, SIZE));
	EXPECT_EQ(0, import_queue(self->p.dev, self->copies, 1));
}

/* One copy reads what the one before it has written. */
TEST_F(copy, in_order)
{
	struct fpgabuf_import_copy copies[] = {
		{ .length = 1000, .dst = 1 },
		{ .length = 1000, .src = 1, .dst = 1, .dst_offset = 1000 },
		{ .length = 2000, .src = 1, .dst = 1, .dst_offset = 2000 },
		{ .length = 4000, .src = 1, .dst = 1, .dst_offset = 4000 },
	};
	struct fpgabuf_import_done done[4];
	int i;

	ASSERT_EQ(0, import_queue(self->p.dev, copies, 4));
	ASSERT_EQ(4, import_take(self->p.dev, done, 4, 4, 10 * SEC));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(1000 * (i + 1),
			  buffer_differs_from(&self->p.b[DST], SEED, 1000 * i,
					      1000 * (i + 1), 0));
}

/* More pieces than the engine has descriptors for at a time. */
TEST_F(copy, many_pieces)
{
	const size_t size = 4 << 20;
	struct buffer src, dst;

	ASSERT_EQ(0, buffer_alloc(self->p.ch, size, FPGABUF_KIND_USER, &src));
	ASSERT_EQ(0, buffer_alloc(self->p.ch, size, FPGABUF_KIND_USER, &dst));
	ASSERT_EQ(2, import_attach(self->p.dev, src.fd, FPGABUF_IMPORT_READ));
	ASSERT_EQ(3, import_attach(self->p.dev, dst.fd, FPGABUF_IMPORT_WRITE));
	buffer_fill(&src, SEED);
	ASSERT_EQ(0, import_copy(self->p.dev, 2, 3, size));
	EXPECT_EQ((int)size, buffer_differs(&dst, SEED, 0, size));
}

TEST_F(copy, bad_input)
{
	struct fpgabuf_import_copy bad[2] = { self->copies[0] };

#define BAD(_field, _value, _error) do {				\
	bad[1] = self->copies[0];					\
	bad[1]._field = _value;						\
	EXPECT_EQ(_error, import_queue(self->p.dev, bad, 2));		\
} while (0)
	BAD(length, 0, -EINVAL);
	BAD(flags, 8, -EINVAL);
	BAD(reserved, 1, -EINVAL);
	BAD(src, 2, -ENOENT);
	BAD(dst, IMPORT_SLOTS, -ENOENT);
	/* Attached to be read only */
	BAD(dst, 0, -EACCES);
	BAD(length, SIZE + 1, -ERANGE);
	BAD(src_offset, SIZE - 999, -ERANGE);
	BAD(dst_offset, SIZE, -ERANGE);
	BAD(dst_offset, ~0ULL - 10, -ERANGE);
	BAD(src, 1, -EINVAL);
	BAD(flags, FPGABUF_QUEUE_IN_FENCE, -EINVAL);
#undef BAD
	EXPECT_EQ(-E2BIG, import_queue(self->p.dev, self->copies,
				       IMPORT_DEPTH + 1));
	EXPECT_EQ(-EFAULT, import_queue(self->p.dev, no_access_page(), 1));
	/* Nothing of all that was queued. */
	EXPECT_EQ(-EPIPE, import_take(self->p.dev, (void *)bad, 1, 1, SEC));
	EXPECT_EQ(SIZE, buffer_differs(&self->p.b[DST], OTHER, 0, SIZE));
}

/* At every one of the files that are to be made; none of them is left. */
TEST_F(copy, no_file_descriptor)
{
	struct fpgabuf_import_done done;
	struct rlimit limit, all;
	int first = dup(0), next, i;

	ASSERT_LE(0, first);
	close(first);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &all));
	for (i = 0; i < 3; i++)
		self->copies[i].flags = FPGABUF_QUEUE_OUT_FENCE;
	for (i = 0; i < 3; i++) {
		limit = all;
		limit.rlim_cur = first + i;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_EQ(-EMFILE, import_queue(self->p.dev, self->copies, 3));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &all));
		next = dup(0);
		EXPECT_EQ(first, next);
		close(next);
	}
	EXPECT_EQ(-EPIPE, import_take(self->p.dev, &done, 1, 1, SEC));
	EXPECT_EQ(SIZE, buffer_differs(&self->p.b[DST], OTHER, 0, SIZE));
}

TEST_F(copy, waits)
{
	struct fpgabuf_import_exchange x = { .min_done = 1 };
	struct fpgabuf_import_done done[2];

	EXPECT_EQ(-EINVAL, fpga_ioctl(self->p.dev, FPGABUF_IMPORT_IOC_EXCHANGE,
				      &x));
	x.done_count = IMPORT_DEPTH + 1;
	EXPECT_EQ(-E2BIG, fpga_ioctl(self->p.dev, FPGABUF_IMPORT_IOC_EXCHANGE,
				     &x));
	x.done_count = 1;
	/* A completion over the copies that are to be queued */
	x.copy_count = 1;
	x.copies = (uintptr_t)self->copies;
	x.done = x.copies + sizeof(self->copies[0]) - 1;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->p.dev, FPGABUF_IMPORT_IOC_EXCHANGE,
				      &x));
	x.copy_count = 0;
	x.flags = 1;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->p.dev, FPGABUF_IMPORT_IOC_EXCHANGE,
				      &x));
	EXPECT_EQ(-EFAULT, import_take(self->p.dev, no_access_page(), 1, 1, SEC));
	EXPECT_EQ(-EAGAIN, import_take(self->p.dev, done, 1, 0, SEC));
	EXPECT_EQ(-EPIPE, import_take(self->p.dev, done, 1, 1, SEC));
	EXPECT_EQ(0, poll_fd(self->p.dev, POLLIN, 0));

	ASSERT_EQ(0, sim_fault("copy0", "hang"));
	ASSERT_EQ(0, import_queue(self->p.dev, self->copies, 1));
	EXPECT_EQ(-EAGAIN, import_take(self->p.dev, done, 1, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, import_take(self->p.dev, done, 1, 1, 20 * MSEC));
	ASSERT_EQ(0, catch_signal(SIGALRM));
	alarm(1);
	EXPECT_EQ(-EINTR, import_take(self->p.dev, done, 1, 1, -1));
	EXPECT_EQ(0, poll_fd(self->p.dev, POLLIN, 0));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(POLLIN, poll_fd(self->p.dev, POLLIN, 5000));
	EXPECT_EQ(1, import_take(self->p.dev, done, 2, 1, SEC));
	EXPECT_EQ(0, done[0].status);
}

TEST_F(copy, does_not_wait)
{
	struct fpgabuf_import_done done;

	ASSERT_EQ(0, fcntl(self->p.dev, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, sim_fault("copy0", "hang"));
	ASSERT_EQ(0, import_queue(self->p.dev, self->copies, 1));
	EXPECT_EQ(-EAGAIN, import_take(self->p.dev, &done, 1, 1, -1));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(POLLIN, poll_fd(self->p.dev, POLLIN, 5000));
	EXPECT_EQ(1, import_take(self->p.dev, &done, 1, 1, -1));
}

/*
 * An engine that has nothing, and takes nothing, is asked again, for as long as a
 * copy may take. Then all that are queued have failed.
 */
TEST_F(copy, refused)
{
	static const char *const faults[] = { "full 2", "refuse 2" };
	static const char *const for_good[] = { "full 99999", "refuse 99999" };
	struct fpgabuf_import_copy copies[3] = {
		self->copies[0], self->copies[0], self->copies[0],
	};
	struct fpgabuf_import_done done[3];
	struct fpgabuf_import_info info;
	size_t i, k;
	__s64 begin;

	ASSERT_EQ(0, import_info(self->p.dev, &info));
	for (i = 0; i < ARRAY_LEN(faults); i++) {
		ASSERT_EQ(0, sim_fault("copy0", faults[i]));
		ASSERT_EQ(0, import_queue(self->p.dev, copies, 3));
		ASSERT_EQ(3, import_take(self->p.dev, done, 3, 3, 5 * SEC));
		for (k = 0; k < 3; k++)
			EXPECT_EQ(0, done[k].status);
	}
	EXPECT_EQ(1000, buffer_differs(&self->p.b[DST], SEED, 0, 1000));

	for (i = 0; i < ARRAY_LEN(for_good); i++) {
		ASSERT_EQ(0, sim_fault("copy0", for_good[i]));
		begin = now_ns();
		ASSERT_EQ(0, import_queue(self->p.dev, copies, 3));
		ASSERT_EQ(3, import_take(self->p.dev, done, 3, 3, 10 * SEC));
		EXPECT_GE(info.timeout_ms + 1000, (now_ns() - begin) / MSEC);
		for (k = 0; k < 3; k++)
			EXPECT_EQ(-EIO, done[k].status);
		ASSERT_EQ(0, sim_fault("copy0", "none"));
	}
	ASSERT_EQ(0, import_queue(self->p.dev, copies, 1));
	ASSERT_EQ(1, import_take(self->p.dev, done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done[0].status);
}

FIXTURE(fault) {
	struct totals before;
	struct pair p;
};

FIXTURE_VARIANT(fault) {
	const char *fault;
	int status;
};

FIXTURE_VARIANT_ADD(fault, short_copy) {
	.fault = "short 1 1",
	.status = -EMSGSIZE,
};

FIXTURE_VARIANT_ADD(fault, abort) {
	.fault = "abort 1 1",
	.status = -ECANCELED,
};

FIXTURE_VARIANT_ADD(fault, error) {
	.fault = "error 1 1",
	.status = -EIO,
};

FIXTURE_VARIANT_ADD(fault, late) {
	.fault = "late 1 1",
};

FIXTURE_VARIANT_ADD(fault, drop) {
	.fault = "drop 1 1",
};

FIXTURE_VARIANT_ADD(fault, hang) {
	.fault = "hang 1 1",
	.status = -ETIMEDOUT,
};

FIXTURE_VARIANT_ADD(fault, lost) {
	.fault = "lost 1 1",
	.status = -EIO,
};

/* There is room when the one before is done. */
FIXTURE_VARIANT_ADD(fault, full) {
	.fault = "full 1 1",
};

FIXTURE_VARIANT_ADD(fault, refuse) {
	.fault = "refuse 1 1",
};

FIXTURE_VARIANT_ADD(fault, duplicate) {
	.fault = "duplicate 1 1",
};

FIXTURE_VARIANT_ADD(fault, zombie) {
	.fault = "zombie 1 1",
	.status = -ETIMEDOUT,
};

FIXTURE_SETUP(fault)
{
	REQUIRE_CHANNEL(self->before);
	if (variant->status == -ETIMEDOUT)
		ASSERT_EQ(0, sim_copier_timeout(TIMEOUT_MS));
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
	ASSERT_EQ(0, sim_fault_ms("copy0", 50));
	ASSERT_EQ(0, sim_fault("copy0", variant->fault));
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	if (variant->status == -ETIMEDOUT)
		EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

/* The second one of four meets it. */
TEST_F(fault, of_one_copy)
{
	struct fpgabuf_import_copy copies[4];
	struct fpgabuf_import_done done[4];
	__s64 before = now_ns(), time;
	int i, out[4];

	for (i = 0; i < 4; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.src_offset = 1000 * i,
			.dst_offset = 1000 * i,
			.length = 1000,
			.flags = FPGABUF_QUEUE_OUT_FENCE,
			.dst = 1,
		};
	ASSERT_EQ(0, import_queue(self->p.dev, copies, 4));
	for (i = 0; i < 4; i++)
		out[i] = copies[i].out_fence;
	ASSERT_EQ(4, import_take(self->p.dev, done, 4, 4, 10 * SEC));
	for (i = 0; i < 4; i++) {
		int status = i == 1 ? variant->status : 0;

		EXPECT_EQ(status, done[i].status);
		EXPECT_EQ(status ?: 1, sync_file_status(out[i]));
		time = sync_file_time(out[i]);
		EXPECT_LE(before, time);
		EXPECT_GE(TIMEOUT_MS * MSEC + SLACK, time - before);
		before = time;
		if (!status)
			EXPECT_EQ(1000 * (i + 1),
				  buffer_differs(&self->p.b[DST], SEED, 1000 * i,
						 1000 * (i + 1)));
	}
	/* Whatever comes later is not listened to. */
	pass_time(100 * MSEC);
	EXPECT_EQ(0, import_copy(self->p.dev, 0, 1, SIZE));
	EXPECT_EQ(SIZE, buffer_differs(&self->p.b[DST], SEED, 0, SIZE));
}

FIXTURE(pieces) {
	struct totals before;
	struct pair p;
};

FIXTURE_VARIANT(pieces) {
	const char *fault;
	int status;
};

FIXTURE_VARIANT_ADD(pieces, error) {
	.fault = "error 1 3",
	.status = -EIO,
};

FIXTURE_VARIANT_ADD(pieces, lost) {
	.fault = "lost 1 3",
	.status = -EIO,
};

FIXTURE_VARIANT_ADD(pieces, full) {
	.fault = "full 1 3",
};

FIXTURE_VARIANT_ADD(pieces, refuse) {
	.fault = "refuse 1 3",
};

FIXTURE_VARIANT_ADD(pieces, hang) {
	.fault = "hang 1 3",
	.status = -ETIMEDOUT,
};

/*
 * Memory in many pieces. The file gets its pages first, in the file's order; the
 * mapping takes every STRIDE-th of them. Pages that the kernel hands out in a row,
 * upwards or downwards, are then never neighbours.
 */
#define STRIDE 37

static int scattered_alloc(int ch, size_t size, struct buffer *b)
{
	const size_t page = page_size();
	int memfd = memfd_create("pieces", MFD_CLOEXEC);
	size_t at;

	/* An odd stride and a power of two: each page is mapped once. */
	if (size & (size - 1) || memfd < 0 || fallocate(memfd, 0, 0, size))
		return -errno;
	b->size = size;
	b->map = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (b->map == MAP_FAILED)
		return -errno;
	for (at = 0; at < size; at += page)
		if (mmap((char *)b->map + at, page, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, memfd,
			 at * STRIDE & (size - 1)) == MAP_FAILED)
			return -errno;
	close(memfd);
	b->fd = fpga_alloc_user(ch, b->map, size, O_RDWR | O_CLOEXEC);
	return b->fd < 0 ? b->fd : 0;
}

FIXTURE_SETUP(pieces)
{
	const size_t size = 1 << 20;
	struct buffer *src = &self->p.b[SRC];

	REQUIRE_CHANNEL(self->before);
	if (variant->status == -ETIMEDOUT)
		ASSERT_EQ(0, sim_copier_timeout(TIMEOUT_MS));
	ASSERT_EQ(0, pair_open(&self->p, size, FPGABUF_KIND_USER,
			       IMPORT_BOTH));
	ASSERT_EQ(0, import_detach(self->p.dev, SRC));
	buffer_free(src);
	ASSERT_EQ(0, scattered_alloc(self->p.ch, size, src));
	buffer_fill(src, SEED);
	ASSERT_EQ(SRC, import_attach(self->p.dev, src->fd, IMPORT_BOTH));
}

FIXTURE_TEARDOWN_PARENT(pieces)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	if (variant->status == -ETIMEDOUT)
		EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

/* One of the pieces of a copy fails: so does the copy, and not the next one. */
TEST_F(pieces, fail_their_copy)
{
	struct fpgabuf_import_segment segments[4];
	struct fpgabuf_import_copy copies[2] = {
		{ .length = self->p.b[SRC].size, .dst = 1 },
		{ .length = self->p.b[SRC].size, .dst = 1 },
	};
	struct fpgabuf_import_done done[2];
	__u32 count = 0;
	__s64 began;

	ASSERT_EQ(0, import_segments(self->p.dev, 0, segments, &count));
	if (bounced())
		SKIP(return, "bounce buffers make one piece of them");
	ASSERT_LE(5U, count);
	ASSERT_EQ(0, sim_fault("copy0", variant->fault));
	began = now_ns();
	ASSERT_EQ(0, import_queue(self->p.dev, copies, 2));
	ASSERT_EQ(2, import_take(self->p.dev, done, 2, 2, 10 * SEC));
	EXPECT_GE(TIMEOUT_MS * MSEC + SLACK, now_ns() - began);
	EXPECT_EQ(variant->status, done[0].status);
	EXPECT_EQ(0, done[1].status);
	EXPECT_EQ((int)self->p.b[SRC].size,
		  buffer_differs(&self->p.b[DST], SEED, 0, self->p.b[SRC].size));
}

/* Descriptors that take a while each, one after the other */
FIXTURE(slow) {
	struct totals before;
	struct pair p;
};

/* Ten times what a descriptor takes: a busy host may stop its guest for a while. */
#define SLOW_TIMEOUT_MS	5000
#define SLOW_COPIES	12

FIXTURE_SETUP(slow)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_copier_timeout(SLOW_TIMEOUT_MS));
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
}

FIXTURE_TEARDOWN_PARENT(slow)
{
	EXPECT_EQ(0, sim_fault_ms("copy0", 100));
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

/* The timeout is that of a descriptor, not of all that are with the engine. */
TEST_F_TIMEOUT(slow, each_has_the_timeout, 60)
{
	struct fpgabuf_import_copy copies[SLOW_COPIES];
	struct fpgabuf_import_done done[SLOW_COPIES];
	struct fpgabuf_import_info info;
	__s64 began = now_ns();
	int i;

	ASSERT_EQ(0, import_info(self->p.dev, &info));
	ASSERT_EQ((__u32)SLOW_TIMEOUT_MS, info.timeout_ms);
	ASSERT_EQ(0, sim_fault_ms("copy0", SLOW_TIMEOUT_MS / 10));
	ASSERT_EQ(0, sim_fault("copy0", "late 12"));
	for (i = 0; i < SLOW_COPIES; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = 1000,
			.dst = DST,
		};
	ASSERT_EQ(0, import_queue(self->p.dev, copies, SLOW_COPIES));
	ASSERT_EQ(SLOW_COPIES, import_take(self->p.dev, done, SLOW_COPIES,
					   SLOW_COPIES, 50 * SEC));
	for (i = 0; i < SLOW_COPIES; i++)
		EXPECT_EQ(0, done[i].status);
	/* Else nothing was tested. */
	EXPECT_LT(SLOW_TIMEOUT_MS * MSEC, now_ns() - began);
}

#define HANG_TIMEOUT_MS	1500

FIXTURE(hangs) {
	struct totals before;
	struct pair p;
};

FIXTURE_SETUP(hangs)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, sim_copier_timeout(HANG_TIMEOUT_MS));
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
}

FIXTURE_TEARDOWN_PARENT(hangs)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(0, sim_copier_timeout(0));
	EXPECT_NOTHING_LEFT(self->before);
}

/*
 * If it hangs for good all end after two timeouts, however many there are. A
 * busy machine is late by less than as much again.
 */
TEST_F_TIMEOUT(hangs, all_end_together, 60)
{
	struct fpgabuf_import_copy copies[SLOW_COPIES];
	struct fpgabuf_import_done done[SLOW_COPIES];
	__s64 began;
	int i;

	for (i = 0; i < SLOW_COPIES; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = 1000,
			.dst = DST,
		};
	ASSERT_EQ(0, sim_fault("copy0", "hang 1000"));
	began = now_ns();
	ASSERT_EQ(0, import_queue(self->p.dev, copies, SLOW_COPIES));
	ASSERT_EQ(SLOW_COPIES,
		  import_take(self->p.dev, done, SLOW_COPIES, SLOW_COPIES,
			      SLOW_COPIES * HANG_TIMEOUT_MS * MSEC));
	EXPECT_LE(2 * HANG_TIMEOUT_MS * MSEC, now_ns() - began);
	EXPECT_GT(4 * HANG_TIMEOUT_MS * MSEC, now_ns() - began);
	for (i = 0; i < SLOW_COPIES; i++)
		EXPECT_EQ(-ETIMEDOUT, done[i].status);
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
