// SPDX-License-Identifier: GPL-2.0
/*
 * What a heap says of arguments that are wrong or odd: to the errno what the
 * kernel's own heap says, where there is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "../kselftest_harness.h"
#include "heaps_test.h"

#define KERNELS_OWN	HEAPS "/system"
#define LEN		8192

/* DMA_HEAP_IOCTL_ALLOC as another @type, or of another size or direction */
#define ALLOC_AS(dir, type, nr, size)	_IOC(dir, type, nr, size)
#define ALLOC_SIZED(size)						\
	ALLOC_AS(_IOC_READ | _IOC_WRITE, DMA_HEAP_IOC_MAGIC, 0, size)

/* An argument that is larger than any there is yet */
struct larger {
	struct dma_heap_allocation_data data;
	__u64 more[20];
};

static const struct dma_heap_allocation_data good = {
	.len = LEN,
	.fd_flags = O_RDWR | O_CLOEXEC,
};

/*
 * One call: 0 when it gave a dma-buf of LEN bytes, which is closed, or else a
 * negative errno.
 */
static int try_as(int heap, unsigned long request, const struct larger *arg)
{
	struct larger copy = *arg;
	int ret = fpga_ioctl(heap, request, &copy);

	if (ret < 0)
		return ret;
	if (dmabuf_size(copy.data.fd) != LEN || close(copy.data.fd))
		return -EBADMSG;
	/* Nothing but the descriptor is written. */
	copy.data.fd = arg->data.fd;
	return memcmp(&copy, arg, sizeof(copy)) ? -EBADMSG : ret;
}

static int try_data(int heap, __u64 len, __u32 fd, __u32 fd_flags,
		    __u64 heap_flags)
{
	const struct larger arg = {
		.data = {
			.len = len,
			.fd = fd,
			.fd_flags = fd_flags,
			.heap_flags = heap_flags,
		},
		.more = { ~0ULL, 1, 2, 3 },
	};

	return try_as(heap, DMA_HEAP_IOCTL_ALLOC, &arg);
}

static int try_good_as(int heap, unsigned long request)
{
	const struct larger arg = { .data = good, .more = { 1, [19] = 2 } };

	return try_as(heap, request, &arg);
}

static int good_one(int heap)
{
	return try_data(heap, LEN, 0, O_RDWR | O_CLOEXEC, 0);
}

static int len_0(int heap)
{
	return try_data(heap, 0, 0, O_RDWR, 0);
}

static int len_overflows(int heap)
{
	return try_data(heap, ~0ULL, 0, O_RDWR, 0);
}

static int len_of_half_of_all(int heap)
{
	return try_data(heap, 1ULL << 62, 0, O_RDWR, 0);
}

static int len_negative(int heap)
{
	return try_data(heap, -2LL * LEN, 0, O_RDWR, 0);
}

static int fd_given(int heap)
{
	return try_data(heap, LEN, 1, O_RDWR, 0);
}

static int fd_flags_nonblock(int heap)
{
	return try_data(heap, LEN, 0, O_RDWR | O_NONBLOCK, 0);
}

static int fd_flags_all(int heap)
{
	return try_data(heap, LEN, 0, ~0U, 0);
}

static int fd_flags_no_mode(int heap)
{
	return try_data(heap, LEN, 0, O_ACCMODE, 0);
}

static int fd_flags_write_only(int heap)
{
	return try_data(heap, LEN, 0, O_WRONLY, 0);
}

static int heap_flags_1(int heap)
{
	return try_data(heap, LEN, 0, O_RDWR, 1);
}

static int heap_flags_high(int heap)
{
	return try_data(heap, LEN, 0, O_RDWR, 1ULL << 63);
}

static int number_1(int heap)
{
	return try_good_as(heap, _IOWR(DMA_HEAP_IOC_MAGIC, 1,
				       struct dma_heap_allocation_data));
}

static int number_255(int heap)
{
	return try_good_as(heap, _IO(DMA_HEAP_IOC_MAGIC, 255));
}

static int other_type(int heap)
{
	return try_good_as(heap, _IOWR('h', 0,
				       struct dma_heap_allocation_data));
}

static int terminal(int heap)
{
	return try_good_as(heap, TCGETS);
}

static int no_direction(int heap)
{
	return try_good_as(heap, ALLOC_AS(_IOC_NONE, DMA_HEAP_IOC_MAGIC, 0,
					  sizeof(good)));
}

static int no_input(int heap)
{
	return try_good_as(heap, ALLOC_AS(_IOC_READ, DMA_HEAP_IOC_MAGIC, 0,
					  sizeof(good)));
}

static int size_0(int heap)
{
	return try_good_as(heap, ALLOC_SIZED(0));
}

static int size_of_len(int heap)
{
	const struct larger arg = { .data = { .len = 0, .fd = 7 } };

	return try_as(heap, ALLOC_SIZED(sizeof(__u64)), &arg);
}

static int size_older(int heap)
{
	return try_good_as(heap, ALLOC_SIZED(16));
}

static int size_larger(int heap)
{
	return try_good_as(heap, ALLOC_SIZED(sizeof(struct larger)));
}

/* With something before the end of a page, and nothing after it */
static int try_at_end(int heap, size_t size, bool writable)
{
	size_t page = page_size();
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *arg = map + page - sizeof(good);
	int ret;

	if (map == MAP_FAILED)
		return -ENOMEM;
	memcpy(arg, &good, sizeof(good));
	mprotect(map, page, writable ? PROT_READ | PROT_WRITE : PROT_READ);
	mprotect(map + page, page, PROT_NONE);
	ret = fpga_ioctl(heap, ALLOC_SIZED(size), arg);
	munmap(map, 2 * page);
	return ret;
}

static int size_past_memory(int heap)
{
	return try_at_end(heap, sizeof(good) + 8, true);
}

static int size_largest(int heap)
{
	return try_at_end(heap, (1 << _IOC_SIZEBITS) - 1, true);
}

/* Known only when the memory is there already */
static int answer_not_writable(int heap)
{
	return try_at_end(heap, sizeof(good), false);
}

static int no_argument(int heap)
{
	return fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, NULL);
}

static int no_descriptor_left(int heap)
{
	struct rlimit limit, none = { .rlim_cur = 0 };
	int ret;

	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	ret = good_one(heap);
	setrlimit(RLIMIT_NOFILE, &limit);
	return ret;
}

static int call_read(int heap)
{
	char byte;

	return read(heap, &byte, 1) < 0 ? -errno : 0;
}

static int call_write(int heap)
{
	return write(heap, "", 1) < 0 ? -errno : 0;
}

static int call_lseek(int heap)
{
	return lseek(heap, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int call_pread(int heap)
{
	char byte;

	return pread(heap, &byte, 1, 0) < 0 ? -errno : 0;
}

static int call_mmap(int heap)
{
	void *map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, heap, 0);

	return map == MAP_FAILED ? -errno : 0;
}

static int call_poll(int heap)
{
	return poll_fd(heap, POLLIN | POLLOUT, 0);
}

/* @greedy: the kernel's own would try, until nobody else has memory any more. */
static const struct {
	const char *name;
	int (*call)(int heap);
	int ret;
	bool greedy;
} calls[] = {
#define CALL(function, result)		{ #function, function, result, false }
#define CALL_GREEDY(function, result)	{ #function, function, result, true }
	CALL(good_one, 0),
	CALL(len_0, -EINVAL),
	CALL(len_overflows, -EINVAL),
	CALL_GREEDY(len_of_half_of_all, -ENOMEM),
	CALL_GREEDY(len_negative, -ENOMEM),
	CALL(fd_given, -EINVAL),
	CALL(fd_flags_nonblock, -EINVAL),
	CALL(fd_flags_all, -EINVAL),
	CALL(fd_flags_no_mode, 0),
	CALL(fd_flags_write_only, 0),
	CALL(heap_flags_1, -EINVAL),
	CALL(heap_flags_high, -EINVAL),
	CALL(number_1, -EINVAL),
	CALL(number_255, -EINVAL),
	CALL(other_type, 0),
	CALL(terminal, -EINVAL),
	CALL(no_direction, -EINVAL),
	CALL(no_input, -EINVAL),
	CALL(size_0, -EINVAL),
	CALL(size_of_len, -EINVAL),
	CALL(size_older, 0),
	CALL(size_larger, 0),
	CALL(size_past_memory, -EFAULT),
	CALL(size_largest, -EFAULT),
	CALL(answer_not_writable, -EFAULT),
	CALL(no_argument, -EFAULT),
	CALL(no_descriptor_left, -EMFILE),
	CALL(call_read, -EINVAL),
	CALL(call_write, -EBADF),
	CALL(call_lseek, -ESPIPE),
	CALL(call_pread, -ESPIPE),
	CALL(call_mmap, -ENODEV),
	CALL(call_poll, POLLIN | POLLOUT),
};

FIXTURE(answers) {
	struct totals before;
	int heap;
};

FIXTURE_VARIANT(answers) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(answers, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(answers, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(answers, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(answers, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(answers, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(answers)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_MODULE(MODULE);
	self->heap = heap_open(variant->kind);
	ASSERT_LE(0, self->heap);
}

FIXTURE_TEARDOWN_PARENT(answers)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* And no failure leaves a file or a buffer behind. */
TEST_F(answers, as_said)
{
	int fds = open_fds();
	struct totals now;
	size_t i;

	for (i = 0; i < ARRAY_LEN(calls); i++) {
		EXPECT_EQ(calls[i].ret, calls[i].call(self->heap))
			TH_LOG("%s", calls[i].name);
		EXPECT_EQ(fds, open_fds()) TH_LOG("%s", calls[i].name);
		ASSERT_EQ(0, totals_read(&now));
		EXPECT_TRUE(totals_equal(&self->before, &now))
			TH_LOG("%s", calls[i].name);
	}
}

/* The next number for a file: one that is kept for a file is not free. */
static int next_number(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

/* Not even a number that no file has got */
TEST_F(answers, leaves_no_number)
{
	const int next = next_number();

	ASSERT_LE(0, next);
	EXPECT_EQ(-EFAULT, answer_not_writable(self->heap));
	EXPECT_EQ(next, next_number());
}

TEST_F(answers, as_the_kernels_own)
{
	size_t i;
	int own;

	own = open(KERNELS_OWN, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		SKIP(return, "this kernel has no " KERNELS_OWN);
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		if (calls[i].greedy)
			continue;
		EXPECT_EQ(calls[i].call(own), calls[i].call(self->heap))
			TH_LOG("%s", calls[i].name);
	}
}

TEST_HARNESS_MAIN
