// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI itself: request numbers, sizes that grow, pointers that are bad, and
 * that a call that fails has changed nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

/* These numbers are what old programs were compiled with. */
_Static_assert(FPGABUF_IOC_INFO == 0x80a0fb00, "INFO");
_Static_assert(FPGABUF_IOC_ENUM_FORMAT == 0xc058fb01, "ENUM_FORMAT");
_Static_assert(FPGABUF_IOC_GET_FORMAT == 0x8050fb02, "GET_FORMAT");
_Static_assert(FPGABUF_IOC_SET_FORMAT == 0xc050fb03, "SET_FORMAT");
_Static_assert(FPGABUF_IOC_ALLOC == 0xc018fb04, "ALLOC");
_Static_assert(FPGABUF_IOC_REGISTER == 0xc020fb05, "REGISTER");
_Static_assert(FPGABUF_IOC_UNREGISTER == 0x4008fb06, "UNREGISTER");
_Static_assert(FPGABUF_IOC_EXCHANGE == 0xc038fb07, "EXCHANGE");
_Static_assert(FPGABUF_IOC_START == 0xc010fb08, "START");
_Static_assert(FPGABUF_IOC_STOP == 0x0000fb09, "STOP");
_Static_assert(FPGABUF_IOC_INSPECT == 0xc048fb0c, "INSPECT");
_Static_assert(sizeof(struct fpgabuf_queue_entry) == 24, "queue entry");
_Static_assert(sizeof(struct fpgabuf_completion) == 56, "completion");
_Static_assert(sizeof(struct fpgabuf_trailer) == 32, "trailer");

#define FRAME	4096

/* A good argument of each request, in the state that the fixture sets up */
union argument {
	struct fpgabuf_info info;
	struct fpgabuf_format_desc desc;
	struct fpgabuf_format format;
	struct fpgabuf_alloc alloc;
	struct fpgabuf_alloc_user alloc_user;
	struct fpgabuf_alloc_pool alloc_pool;
	struct fpgabuf_register reg;
	struct fpgabuf_unregister unreg;
	struct fpgabuf_exchange exchange;
	struct fpgabuf_start start;
	struct fpgabuf_inspect inspect;
	/* Room for a structure that has grown */
	__u8 bytes[1024];
};

FIXTURE(abi) {
	struct totals before;
	int ch;
	struct buffer b;
	struct fpgabuf_format format;
	int fds;
	struct totals now;
};

FIXTURE_SETUP(abi)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, 2 * FRAME, FPGABUF_KIND_SYSTEM,
				  &self->b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, FRAME));
	ASSERT_EQ(0, fpga_get_format(self->ch, &self->format));
	ASSERT_EQ(0, totals_read(&self->now));
	self->fds = open_fds();
}

FIXTURE_TEARDOWN_PARENT(abi)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static const struct request {
	const char *name;
	unsigned long nr;
} requests[] = {
	{ "INFO", FPGABUF_IOC_INFO },
	{ "ENUM_FORMAT", FPGABUF_IOC_ENUM_FORMAT },
	{ "GET_FORMAT", FPGABUF_IOC_GET_FORMAT },
	{ "SET_FORMAT", FPGABUF_IOC_SET_FORMAT },
	{ "ALLOC", FPGABUF_IOC_ALLOC },
	{ "ALLOC_USER", FPGABUF_IOC_ALLOC_USER },
	{ "ALLOC_POOL", FPGABUF_IOC_ALLOC_POOL },
	{ "REGISTER", FPGABUF_IOC_REGISTER },
	{ "UNREGISTER", FPGABUF_IOC_UNREGISTER },
	{ "EXCHANGE", FPGABUF_IOC_EXCHANGE },
	{ "START", FPGABUF_IOC_START },
	{ "INSPECT", FPGABUF_IOC_INSPECT },
};

/* How long it was at first */
static size_t first_size(const struct request *request)
{
	switch (request->nr) {
	case FPGABUF_IOC_INFO:
		return 144;
	case FPGABUF_IOC_EXCHANGE:
		return 40;
	case FPGABUF_IOC_START:
		return 8;
	default:
		return _IOC_SIZE(request->nr);
	}
}

static unsigned long with_size(unsigned long nr, size_t size)
{
	return _IOC(_IOC_DIR(nr), _IOC_TYPE(nr), _IOC_NR(nr), size);
}

static char memory[FRAME];

static void good_argument(const FIXTURE_DATA(abi) *self, unsigned long nr,
			  union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	switch (nr) {
	case FPGABUF_IOC_SET_FORMAT:
		arg->format = self->format;
		arg->format.flags = FPGABUF_FORMAT_TRY;
		break;
	case FPGABUF_IOC_ALLOC:
		arg->alloc.size = FRAME;
		arg->alloc.kind = FPGABUF_KIND_SYSTEM;
		arg->alloc.fd_flags = O_RDWR | O_CLOEXEC;
		break;
	case FPGABUF_IOC_ALLOC_USER:
		arg->alloc_user.address = (uintptr_t)memory;
		arg->alloc_user.length = FRAME;
		arg->alloc_user.fd_flags = O_RDWR | O_CLOEXEC;
		break;
	case FPGABUF_IOC_ALLOC_POOL:
		arg->alloc_pool.block_size = 100;
		arg->alloc_pool.num_blocks = 10;
		arg->alloc_pool.fd_flags = O_RDWR | O_CLOEXEC;
		break;
	case FPGABUF_IOC_REGISTER:
		arg->reg.fd = self->b.fd;
		arg->reg.offset = FRAME;
		break;
	case FPGABUF_IOC_INSPECT:
		arg->inspect.fd = self->b.fd;
		break;
	}
}

/* Undo what the good argument did. */
static int undo(const FIXTURE_DATA(abi) *self, unsigned long nr,
		const union argument *arg)
{
	switch (nr) {
	case FPGABUF_IOC_ALLOC:
		return close(arg->alloc.fd);
	case FPGABUF_IOC_ALLOC_USER:
		return close(arg->alloc_user.fd);
	case FPGABUF_IOC_ALLOC_POOL:
		return close(arg->alloc_pool.fd);
	case FPGABUF_IOC_REGISTER:
		return fpga_unregister(self->ch, arg->reg.slot);
	case FPGABUF_IOC_UNREGISTER:
		return fpga_register(self->ch, self->b.fd, 0, FRAME);
	case FPGABUF_IOC_START:
		return fpga_stop(self->ch);
	}
	return 0;
}

/* Format, buffers, descriptors, registered slots and run are as set up. */
static void expect_unchanged(struct __test_metadata *_metadata,
			     const FIXTURE_DATA(abi) *self, const char *what)
{
	struct fpgabuf_format format;
	struct totals now;

	EXPECT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ(0, memcmp(&format, &self->format, sizeof(format)))
		TH_LOG("format after %s", what);
	EXPECT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->now, &now))
		TH_LOG("buffers after %s", what);
	EXPECT_EQ(self->fds, open_fds())
		TH_LOG("after %s", what);
	/* Slot 0 is in use and idle, slot 1 is free, nothing streams. */
	EXPECT_EQ(0, fpga_unregister(self->ch, 0))
		TH_LOG("after %s", what);
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, 1))
		TH_LOG("after %s", what);
	EXPECT_EQ(0, fpga_register(self->ch, self->b.fd, 0, FRAME));
	EXPECT_EQ(POLLERR, poll_fd(self->ch, POLLIN, 0))
		TH_LOG("after %s", what);
}

TEST_F(abi, info)
{
	struct fpgabuf_info info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ((__u32)FPGABUF_ABI_VERSION, info.abi_version);
	EXPECT_EQ((__u32)FPGABUF_DIR_CAPTURE, info.direction);
	EXPECT_EQ(FPGABUF_CAP_SCATTER | FPGABUF_CAP_TRAILER | FPGABUF_CAP_LOSS |
		  FPGABUF_CAP_UNTHROTTLED | FPGABUF_CAP_FENCES,
		  info.capabilities);
	EXPECT_EQ(1U << FPGABUF_KIND_COHERENT | 1U << FPGABUF_KIND_CONTIGUOUS |
		  1U << FPGABUF_KIND_SYSTEM | 1U << FPGABUF_KIND_WRITECOMBINE |
		  1U << FPGABUF_KIND_NONCONTIGUOUS | 1U << FPGABUF_KIND_USER |
		  1U << FPGABUF_KIND_POOL | 1U << FPGABUF_KIND_REGION,
		  info.kinds);
	EXPECT_EQ(5U, info.num_formats);
	EXPECT_EQ((__u32)SIM_SLOTS, info.num_slots);
	EXPECT_EQ((__u32)SIM_BATCH, info.max_batch);
	EXPECT_EQ(0U, info.reserved);
	EXPECT_EQ((__u32)SIM_DEPTH, info.queue_depth);
	EXPECT_EQ((__u32)SIM_ALIGNMENT, info.alignment);
	EXPECT_NE(0U, info.max_segment);
	EXPECT_EQ(0U, info.max_segment % SIM_ALIGNMENT);
	EXPECT_NE(0U, info.dma_mask);
	EXPECT_EQ(0U, info.dma_mask & (info.dma_mask + 1));
	EXPECT_EQ('\0', info.name[sizeof(info.name) - 1]);
	EXPECT_EQ('\0', info.bus[sizeof(info.bus) - 1]);
	EXPECT_NE('\0', info.name[0]);
	EXPECT_STREQ(SIM_DRIVER, (char *)info.driver);
	EXPECT_STREQ("fpgabuf_sim.0", (char *)info.bus);
}

/* What udev's rules can ask for */
TEST_F(abi, sysfs)
{
	char node[32], path[80], value[64];
	struct fpgabuf_info info;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	ASSERT_EQ(0, node_name(self->ch, node, sizeof(node)));
	snprintf(path, sizeof(path), "/sys/class/fpgabuf/%s/name", node);
	ASSERT_EQ(0, read_first_line(path, value, sizeof(value)));
	EXPECT_STREQ((char *)info.name, value);
	snprintf(path, sizeof(path), "/sys/class/fpgabuf/%s/direction", node);
	ASSERT_EQ(0, read_first_line(path, value, sizeof(value)));
	EXPECT_STREQ("capture", value);
}

/* The good arguments are good: else what follows would prove nothing. */
TEST_F(abi, good)
{
	union argument arg;
	size_t i;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		good_argument(self, requests[i].nr, &arg);
		EXPECT_EQ(0, fpga_ioctl(self->ch, requests[i].nr, &arg))
			TH_LOG("%s", requests[i].name);
		EXPECT_EQ(0, undo(self, requests[i].nr, &arg));
		expect_unchanged(_metadata, self, requests[i].name);
	}
}

TEST_F(abi, unknown_requests)
{
	union argument arg = { 0 };
	unsigned long nr;
	size_t i;

	for (i = 0x0d; i <= 0xff; i++) {
		nr = _IOC(_IOC_NONE, FPGABUF_IOC_MAGIC, i, 0);
		EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, nr, &arg));
		nr = _IOC(_IOC_READ | _IOC_WRITE, FPGABUF_IOC_MAGIC, i, 64);
		EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, nr, &arg));
	}
	for (i = 0; i < ARRAY_LEN(requests); i++) {
		nr = _IOC(_IOC_DIR(requests[i].nr), FPGABUF_IOC_MAGIC + 1,
			  _IOC_NR(requests[i].nr), _IOC_SIZE(requests[i].nr));
		EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, nr, &arg));
	}
	expect_unchanged(_metadata, self, "unknown requests");
}

TEST_F(abi, wrong_direction)
{
	union argument arg;
	unsigned long nr;
	unsigned int dir;
	size_t i;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		for (dir = 0; dir < 4; dir++) {
			if (dir == _IOC_DIR(requests[i].nr))
				continue;
			good_argument(self, requests[i].nr, &arg);
			nr = _IOC(dir, FPGABUF_IOC_MAGIC,
				  _IOC_NR(requests[i].nr),
				  _IOC_SIZE(requests[i].nr));
			EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, nr, &arg))
				TH_LOG("%s as %#lx", requests[i].name, nr);
		}
	}
	nr = _IOC(_IOC_WRITE, FPGABUF_IOC_MAGIC, _IOC_NR(FPGABUF_IOC_STOP), 0);
	EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, nr, &arg));
	expect_unchanged(_metadata, self, "wrong directions");
}

/* As it was at first is the shortest there is. */
TEST_F(abi, too_short)
{
	union argument arg;
	size_t size;
	size_t i;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		for (size = 0; size < first_size(&requests[i]); size += 4) {
			good_argument(self, requests[i].nr, &arg);
			EXPECT_EQ(-EINVAL,
				  fpga_ioctl(self->ch,
					     with_size(requests[i].nr, size),
					     &arg))
				TH_LOG("%s of %zu bytes", requests[i].name,
				       size);
		}
		expect_unchanged(_metadata, self, requests[i].name);
	}
}

/* A program that was built for the first kernels finds what it knows. */
TEST_F(abi, as_it_was_at_first)
{
	union argument arg;
	size_t i;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		const size_t size = first_size(&requests[i]);
		unsigned long nr = requests[i].nr;

		good_argument(self, nr, &arg);
		memset(arg.bytes + size, 0xa5, sizeof(arg) - size);
		EXPECT_EQ(0, fpga_ioctl(self->ch, with_size(nr, size), &arg))
			TH_LOG("%s as it was", requests[i].name);
		EXPECT_EQ(0, undo(self, nr, &arg));
		EXPECT_TRUE(all_bytes(arg.bytes + size, 0xa5,
				      sizeof(arg) - size));
		expect_unchanged(_metadata, self, requests[i].name);
	}
}

/* What a newer program does not use is zero, and does no harm. */
TEST_F(abi, longer_and_zero)
{
	static const size_t more[] = { 1, 4, 8, 64, 512 };
	union argument arg;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		unsigned long nr = requests[i].nr;

		for (j = 0; j < ARRAY_LEN(more); j++) {
			good_argument(self, nr, &arg);
			EXPECT_EQ(0, fpga_ioctl(self->ch,
						with_size(nr, _IOC_SIZE(nr) +
							  more[j]), &arg))
				TH_LOG("%s + %zu", requests[i].name, more[j]);
			EXPECT_EQ(0, undo(self, nr, &arg));
			EXPECT_TRUE(all_bytes(arg.bytes + _IOC_SIZE(nr), 0,
					      more[j]));
		}
		expect_unchanged(_metadata, self, requests[i].name);
	}
}

/* What it does use is not ignored. */
TEST_F(abi, longer_and_not_zero)
{
	static const size_t more[] = { 1, 4, 64, 512 };
	union argument arg;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		unsigned long nr = requests[i].nr;
		size_t size = _IOC_SIZE(nr);

		if (!(_IOC_DIR(nr) & _IOC_WRITE))
			continue;
		for (j = 0; j < ARRAY_LEN(more); j++) {
			good_argument(self, nr, &arg);
			arg.bytes[size + more[j] - 1] = 1;
			EXPECT_EQ(-E2BIG,
				  fpga_ioctl(self->ch,
					     with_size(nr, size + more[j]),
					     &arg))
				TH_LOG("%s + %zu", requests[i].name, more[j]);
			good_argument(self, nr, &arg);
			arg.bytes[size] = 0x80;
			EXPECT_EQ(-E2BIG,
				  fpga_ioctl(self->ch,
					     with_size(nr, size + more[j]),
					     &arg));
		}
		expect_unchanged(_metadata, self, requests[i].name);
	}
}

/* Of an answer that is longer than the kernel's the rest is zero. */
TEST_F(abi, longer_answer)
{
	static const unsigned long answers[] = {
		FPGABUF_IOC_INFO, FPGABUF_IOC_GET_FORMAT,
	};
	union argument arg;
	size_t i;

	for (i = 0; i < ARRAY_LEN(answers); i++) {
		size_t size = _IOC_SIZE(answers[i]);

		memset(&arg, 0xff, sizeof(arg));
		EXPECT_EQ(0, fpga_ioctl(self->ch,
					with_size(answers[i], size + 64),
					&arg));
		EXPECT_TRUE(all_bytes(arg.bytes + size, 0, 64));
		EXPECT_TRUE(all_bytes(arg.bytes + size + 64, 0xff, 64));
	}
}

TEST_F(abi, bad_pointers)
{
	void *const bad[] = {
		NULL, (void *)1, (void *)-1, (void *)-4096, no_access_page(),
		/* The kernel's half, where it has one */
		(void *)(~0UL << 47),
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		for (j = 0; j < ARRAY_LEN(bad); j++) {
			EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, requests[i].nr,
						      bad[j]))
				TH_LOG("%s at %p", requests[i].name, bad[j]);
		}
		expect_unchanged(_metadata, self, requests[i].name);
	}
	/* Takes none */
	EXPECT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_STOP, (void *)-1));
}

/* The request can be read, the answer cannot be written. */
TEST_F(abi, unwritable_answer)
{
	union argument arg;
	void *page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(requests); i++) {
		if (!(_IOC_DIR(requests[i].nr) & _IOC_READ))
			continue;
		good_argument(self, requests[i].nr, &arg);
		page = read_only_copy(&arg, sizeof(arg));
		ASSERT_NE(NULL, page);
		EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, requests[i].nr, page))
			TH_LOG("%s", requests[i].name);
		munmap(page, page_size());
		expect_unchanged(_metadata, self, requests[i].name);
	}

	/* A format that would be set, and a start that would be the first */
	arg.format = self->format;
	arg.format.size = 2 * FRAME;
	ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	page = read_only_copy(&arg, sizeof(arg));
	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, FPGABUF_IOC_SET_FORMAT, page));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, FRAME));
	expect_unchanged(_metadata, self, "SET_FORMAT");
	EXPECT_EQ(1, fpga_start(self->ch));
}

TEST_F(abi, unknown_flags)
{
	union argument arg;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		good_argument(self, FPGABUF_IOC_START, &arg);
		arg.start.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_START,
					      &arg));
		good_argument(self, FPGABUF_IOC_EXCHANGE, &arg);
		arg.exchange.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE,
					      &arg));
		good_argument(self, FPGABUF_IOC_INSPECT, &arg);
		arg.inspect.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_INSPECT,
					      &arg));
		good_argument(self, FPGABUF_IOC_INSPECT, &arg);
		arg.inspect.reserved = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_INSPECT,
					      &arg));
	}
	expect_unchanged(_metadata, self, "unknown flags");
}

/* Neither buffers nor completions get lost to a bad pointer. */
TEST_F(abi, exchange_with_bad_arrays)
{
	struct fpgabuf_queue_entry queue = { .slot = 0, .user_data = 42 };
	struct fpgabuf_completion done = { 0 };
	struct fpgabuf_completion *bad = no_access_page();
	struct fpgabuf_completion *fixed;
	int ch = self->ch;

	fixed = read_only_copy(&done, sizeof(done));
	ASSERT_NE(NULL, fixed);
	EXPECT_EQ(-EFAULT, fpga_exchange(ch, (void *)bad, 1, NULL, 0, 0, 0));
	EXPECT_EQ(-EFAULT, fpga_exchange(ch, NULL, 1, NULL, 0, 0, 0));
	EXPECT_EQ(-EFAULT, fpga_exchange(ch, &queue, 1, bad, 1, 0, 0));
	EXPECT_EQ(-EFAULT, fpga_exchange(ch, &queue, 1, fixed, 1, 0, 0));
	EXPECT_EQ(-EFAULT, fpga_exchange(ch, &queue, 1, NULL, 1, 0, 0));
	expect_unchanged(_metadata, self, "EXCHANGE");

	ASSERT_EQ(1, fpga_start(ch));
	ASSERT_EQ(0, fpga_exchange(ch, &queue, 1, NULL, 0, 0, 0));
	ASSERT_EQ(POLLIN, poll_fd(ch, POLLIN, 5000));
	EXPECT_EQ(-EFAULT, fpga_take(ch, bad, 1, 1, SEC));
	EXPECT_EQ(-EFAULT, fpga_take(ch, fixed, 1, 1, SEC));
	EXPECT_EQ(-EFAULT, fpga_take(ch, NULL, 1, 1, SEC));
	EXPECT_EQ(1, fpga_take(ch, &done, 1, 1, SEC));
	EXPECT_EQ(42U, done.user_data);
	EXPECT_EQ(0U, done.sequence);
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map, FRAME,
					    &done));
}

/* Completions may not be written over what is to be queued, not by a byte. */
TEST_F(abi, exchange_with_arrays_that_overlap)
{
	const struct fpgabuf_queue_entry queue = { .slot = 0, .user_data = 42 };
	const size_t page = page_size();
	struct fpgabuf_fences fences;
	struct fpgabuf_exchange x = {
		.queue_count = 1,
		.done_count = 1,
	};
	char *at, *pages;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)pages);
	at = pages + page;
	memcpy(at, &queue, sizeof(queue));
	x.queue = (uintptr_t)at;
	x.done = x.queue;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	x.done = x.queue + sizeof(queue) - 1;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	x.done = x.queue - sizeof(struct fpgabuf_completion) + 1;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	x.fences = (uintptr_t)&fences;
	x.done = x.fences;
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	EXPECT_EQ(0, memcmp(at, &queue, sizeof(queue)));
	expect_unchanged(_metadata, self, "EXCHANGE");

	/* Side by side, and with nothing to write, they do not overlap. */
	x.fences = 0;
	x.done = x.queue + sizeof(queue);
	EXPECT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	EXPECT_EQ(0, fpga_stop(self->ch));
	x.queue_count = 0;
	x.done = x.queue;
	x.done_count = 1;
	EXPECT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_EXCHANGE, &x));
	EXPECT_EQ(1U, x.done_count);
	EXPECT_EQ(42U, ((struct fpgabuf_completion *)at)->user_data);
}

/* Room for two, of which the second lies behind the end of the memory */
TEST_F(abi, exchange_half_writable)
{
	struct fpgabuf_completion *room, done[2];
	size_t page = page_size();
	char *two;

	two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)two);
	ASSERT_EQ(0, mprotect(two + page, page, PROT_NONE));
	room = (void *)(two + page - sizeof(*room));
	ASSERT_EQ(1, fpga_register(self->ch, self->b.fd, FRAME, FRAME));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 10));
	ASSERT_EQ(0, fpga_queue(self->ch, 1, 11));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(-EFAULT, fpga_take(self->ch, room, 2, 2, SEC));
	EXPECT_EQ(2, fpga_take(self->ch, done, 2, 2, SEC));
	EXPECT_EQ(10U, done[0].user_data);
	EXPECT_EQ(11U, done[1].user_data);
}

/* Other file operations of the node */
TEST_F(abi, not_a_stream_of_bytes)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->ch, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->ch, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size(), PROT_READ, MAP_SHARED,
				   self->ch, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, lseek(self->ch, 1, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_HARNESS_MAIN
