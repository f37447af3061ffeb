// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching an importing device: memory of any origin, its pieces, and all that
 * is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "importer_test.h"

#define SIZE	(80 * 1024)

FIXTURE(memory) {
	struct totals before;
	int ch, dev;
	struct buffer b;
};

FIXTURE_VARIANT(memory) {
	enum origin origin;
};

FIXTURE_VARIANT_ADD(memory, coherent) {
	.origin = ORIGIN_COHERENT,
};

FIXTURE_VARIANT_ADD(memory, writecombine) {
	.origin = ORIGIN_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(memory, contiguous) {
	.origin = ORIGIN_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(memory, noncontiguous) {
	.origin = ORIGIN_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(memory, system) {
	.origin = ORIGIN_SYSTEM,
};

FIXTURE_VARIANT_ADD(memory, user) {
	.origin = ORIGIN_USER,
};

FIXTURE_VARIANT_ADD(memory, pool) {
	.origin = ORIGIN_POOL,
};

FIXTURE_VARIANT_ADD(memory, vgem) {
	.origin = ORIGIN_VGEM,
};

FIXTURE_VARIANT_ADD(memory, udmabuf) {
	.origin = ORIGIN_UDMABUF,
};

FIXTURE_VARIANT_ADD(memory, heap) {
	.origin = ORIGIN_HEAP,
};

FIXTURE_SETUP(memory)
{
	int ret;

	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ret = origin_alloc(variant->origin, self->ch, SIZE, &self->b);
	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "this kernel does not have it");
	ASSERT_EQ(0, ret);
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN_PARENT(memory)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* They make up the buffer, and none is longer than the engine takes. */
TEST_F(memory, has_segments)
{
	struct fpgabuf_import_attach arg = {
		.fd = self->b.fd,
		.access = IMPORT_BOTH,
	};
	struct fpgabuf_import_segment segments[2048] = { 0 };
	__u32 count = ARRAY_LEN(segments), i;
	struct fpgabuf_import_info info;
	__u64 sum = 0;

	ASSERT_EQ(0, import_info(self->dev, &info));
	ASSERT_EQ(0, fpga_ioctl(self->dev, FPGABUF_IMPORT_IOC_ATTACH, &arg));
	EXPECT_EQ((__u64)dmabuf_size(self->b.fd), arg.size);
	ASSERT_EQ(0, import_segments(self->dev, arg.slot, segments, &count));
	EXPECT_EQ(arg.segments, count);
	ASSERT_GE(ARRAY_LEN(segments), count);
	for (i = 0; i < count; i++) {
		EXPECT_LT(0U, segments[i].length);
		EXPECT_GE(info.max_segment, segments[i].length);
		EXPECT_EQ(0U, segments[i].alignment & (segments[i].alignment - 1));
		sum += segments[i].length;
	}
	/* Blocks of a pool have gaps, but for the device there are none. */
	EXPECT_EQ(arg.size, sum);
	EXPECT_EQ(0U, segments[count].length);
}

TEST_F(memory, outlives_its_fd)
{
	int slot = import_attach(self->dev, self->b.fd, IMPORT_BOTH);
	__u32 count = 0;

	ASSERT_LE(0, slot);
	buffer_free(&self->b);
	EXPECT_EQ(0, import_segments(self->dev, slot, NULL, &count));
	EXPECT_LT(0U, count);
	EXPECT_EQ(0, import_detach(self->dev, slot));
	EXPECT_EQ(-ENOENT, import_detach(self->dev, slot));
}

FIXTURE(attach) {
	struct totals before;
	int ch, dev;
	struct buffer b;
};

FIXTURE_SETUP(attach)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(attach)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(attach, info)
{
	struct fpgabuf_import_info info = { 0 };

	ASSERT_EQ(0, import_info(self->dev, &info));
	EXPECT_EQ((__u32)FPGABUF_ABI_VERSION, info.abi_version);
	EXPECT_EQ(0U, info.state);
	EXPECT_EQ((__u32)IMPORT_SLOTS, info.num_slots);
	EXPECT_EQ((__u32)IMPORT_DEPTH, info.queue_depth);
	EXPECT_EQ(1U, info.alignment);
	EXPECT_EQ(2000U, info.timeout_ms);
	EXPECT_EQ(2U << 20, info.max_segment);
	EXPECT_EQ(~0ULL, info.dma_mask);
	EXPECT_STREQ("fpgabuf_sim.0 copy0", (char *)info.name);
	EXPECT_STREQ(SIM_DRIVER, (char *)info.driver);
	EXPECT_STREQ(SIM_DEVICE, (char *)info.bus);
}

TEST_F(attach, one_file_at_a_time)
{
	EXPECT_EQ(-EBUSY, import_open(O_RDWR));
	close(self->dev);
	self->dev = import_open(O_RDWR);
	EXPECT_LE(0, self->dev);
}

/* Others see that it is there, and that it is gone. */
TEST_F(attach, is_seen)
{
	struct fpgabuf_inspect inspect;
	char names[256];
	int slot;

	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &inspect, names,
				  sizeof(names)));
	EXPECT_EQ(0U, inspect.attached);
	slot = import_attach(self->dev, self->b.fd, FPGABUF_IMPORT_READ);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &inspect, names,
				  sizeof(names)));
	EXPECT_EQ(1U, inspect.attached);
	EXPECT_STREQ(SIM_DEVICE, names);
	ASSERT_EQ(0, import_detach(self->dev, slot));
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &inspect, names,
				  sizeof(names)));
	EXPECT_EQ(0U, inspect.attached);
}

TEST_F(attach, bad_input)
{
	struct fpgabuf_import_attach arg = {
		.fd = self->b.fd,
		.access = IMPORT_BOTH,
	}, bad;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

#define BAD(_field, _value, _error) do {				\
	bad = arg;							\
	bad._field = _value;						\
	EXPECT_EQ(_error, fpga_ioctl(self->dev,				\
				     FPGABUF_IMPORT_IOC_ATTACH, &bad));	\
} while (0)
	BAD(fd, -1, -EBADF);
	BAD(fd, 1 << 20, -EBADF);
	BAD(fd, null, -EINVAL);
	BAD(flags, 4, -EINVAL);
	BAD(flags, FPGABUF_IMPORT_PEER, -EINVAL);
	BAD(access, 0, -EINVAL);
	BAD(access, 4, -EINVAL);
	BAD(reserved, 1, -EINVAL);
#undef BAD
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->dev, FPGABUF_IMPORT_IOC_ATTACH,
				      no_access_page()));
	EXPECT_EQ(-ENOTTY, fpga_ioctl(self->dev, FPGABUF_IOC_STOP, NULL));
	EXPECT_EQ(-ENOTTY, fpga_ioctl(self->ch, FPGABUF_IMPORT_IOC_INFO, &arg));
	EXPECT_EQ(-ENOENT, import_detach(self->dev, 0));
	EXPECT_EQ(-ENOENT, import_detach(self->dev, IMPORT_SLOTS));
	close(null);
}

/* A pointer that cannot be written leaves nothing attached. */
TEST_F(attach, answer_not_wanted)
{
	const struct fpgabuf_import_attach arg = {
		.fd = self->b.fd,
		.access = IMPORT_BOTH,
	};

	EXPECT_EQ(-EFAULT, fpga_ioctl(self->dev, FPGABUF_IMPORT_IOC_ATTACH,
				      read_only_copy(&arg, sizeof(arg))));
	EXPECT_EQ(0, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
	EXPECT_EQ(-EEXIST, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
}

/* Structures may grow. */
TEST_F(attach, other_sizes)
{
	struct {
		struct fpgabuf_import_detach known;
		__u64 more;
	} arg = { 0 };
	const unsigned long request = FPGABUF_IMPORT_IOC_DETACH;

	ASSERT_EQ(0, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->dev,
				      _IOC(_IOC_WRITE, _IOC_TYPE(request),
					   _IOC_NR(request), 4), &arg));
	arg.more = 1;
	EXPECT_EQ(-E2BIG, fpga_ioctl(self->dev,
				     _IOC(_IOC_WRITE, _IOC_TYPE(request),
					  _IOC_NR(request), sizeof(arg)),
				     &arg));
	arg.more = 0;
	EXPECT_EQ(0, fpga_ioctl(self->dev,
				_IOC(_IOC_WRITE, _IOC_TYPE(request),
				     _IOC_NR(request), sizeof(arg)), &arg));
}

TEST_F(attach, not_open_for_it)
{
	int fd = fpga_alloc_flags(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, import_attach(self->dev, fd, FPGABUF_IMPORT_WRITE));
	EXPECT_EQ(-EACCES, import_attach(self->dev, fd, IMPORT_BOTH));
	EXPECT_EQ(0, import_attach(self->dev, fd, FPGABUF_IMPORT_READ));
	close(fd);
}

TEST_F(attach, to_no_more)
{
	int fds[IMPORT_SLOTS], i;

	for (i = 0; i < IMPORT_SLOTS; i++) {
		fds[i] = fpga_alloc(self->ch, 4096, FPGABUF_KIND_SYSTEM);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(i, import_attach(self->dev, fds[i], IMPORT_BOTH));
	}
	EXPECT_EQ(-ENOSPC, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
	ASSERT_EQ(0, import_detach(self->dev, 17));
	EXPECT_EQ(17, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
}

/* What fits of a list is told, and how long it is. */
TEST_F(attach, some_segments)
{
	struct fpgabuf_import_segments bad = { .flags = 1 };
	struct fpgabuf_import_segment segments[2] = { 0 };
	const size_t size = 5 << 20;
	struct buffer large;
	__u32 count = 1;
	int slot;

	ASSERT_EQ(0, buffer_alloc(self->ch, size, FPGABUF_KIND_SYSTEM, &large));
	slot = import_attach(self->dev, large.fd, FPGABUF_IMPORT_READ);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, import_segments(self->dev, slot, segments, &count));
	EXPECT_LT(2U, count);
	EXPECT_LT(0U, segments[0].length);
	EXPECT_EQ(0U, segments[1].length);
	count = 1;
	EXPECT_EQ(-EFAULT, import_segments(self->dev, slot, no_access_page(),
					   &count));
	EXPECT_EQ(-ENOENT, import_segments(self->dev, slot + 1, segments,
					   &count));
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->dev, FPGABUF_IMPORT_IOC_SEGMENTS,
				      &bad));
}

TEST_F(attach, not_open_to_be_read)
{
	int fd = fpga_alloc_flags(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, import_attach(self->dev, fd, FPGABUF_IMPORT_READ));
	EXPECT_EQ(-EACCES, import_attach(self->dev, fd, IMPORT_BOTH));
	EXPECT_EQ(0, import_attach(self->dev, fd, FPGABUF_IMPORT_WRITE));
	close(fd);
}

/* A flag that is not known changes nothing. */
TEST_F(attach, bad_detach)
{
	struct fpgabuf_import_detach arg = { .flags = 1 };

	ASSERT_EQ(0, import_attach(self->dev, self->b.fd, IMPORT_BOTH));
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->dev, FPGABUF_IMPORT_IOC_DETACH,
				      &arg));
	EXPECT_EQ(0, import_detach(self->dev, 0));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
