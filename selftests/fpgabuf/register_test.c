// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_REGISTER and _UNREGISTER: which memory a channel takes, from
 * whom, and what the device may touch of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "foreign.h"
#include "fpgabuf_test.h"

#define SIZE	(256 << 10)

FIXTURE(reg) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(reg)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(reg)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Of a buffer of SIZE, for a frame of 4096 bytes */
static const struct {
	__u64 offset;
	__u64 length;
	int error;
} bad_ranges[] = {
	{ 1, 0, -EINVAL },
	{ 4, 4096, -EINVAL },
	{ SIM_ALIGNMENT - 1, 4096, -EINVAL },
	{ SIM_ALIGNMENT + 1, 4096, -EINVAL },
	{ 4096 - 4, 4096, -EINVAL },
	{ SIZE + SIM_ALIGNMENT, 0, -ERANGE },
	{ SIZE + SIM_ALIGNMENT, 4096, -ERANGE },
	{ SIZE, 4096, -ERANGE },
	{ 0, SIZE + 1, -ERANGE },
	{ 0, UINT64_MAX, -ERANGE },
	{ SIM_ALIGNMENT, SIZE, -ERANGE },
	{ SIM_ALIGNMENT, UINT64_MAX, -ERANGE },
	{ SIM_ALIGNMENT, UINT64_MAX - SIM_ALIGNMENT + 1, -ERANGE },
	{ UINT64_MAX - SIM_ALIGNMENT + 1, 0, -ERANGE },
	{ UINT64_MAX - SIM_ALIGNMENT + 1, SIM_ALIGNMENT, -ERANGE },
	{ 1ULL << 32, 4096, -ERANGE },
	{ 1ULL << 63, 4096, -ERANGE },
	{ 0, 4095, -EMSGSIZE },
	{ 0, 1, -EMSGSIZE },
	{ SIZE - 4096, 4095, -EMSGSIZE },
	{ SIZE - 4096 + SIM_ALIGNMENT, 0, -EMSGSIZE },
};

static const struct {
	__u64 offset;
	__u64 length;
} good_ranges[] = {
	{ 0, 0 },
	{ 0, 4096 },
	{ 0, SIZE },
	{ SIZE - 4096, 0 },
	{ SIZE - 4096, 4096 },
	{ SIM_ALIGNMENT, 4096 },
	{ SIM_ALIGNMENT, 0 },
};

TEST_F(reg, range)
{
	size_t i;
	int slot;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	for (i = 0; i < ARRAY_LEN(bad_ranges); i++) {
		EXPECT_EQ(bad_ranges[i].error,
			  fpga_register(self->ch, self->b.fd,
					bad_ranges[i].offset,
					bad_ranges[i].length))
			TH_LOG("offset %#jx length %#jx",
			       (uintmax_t)bad_ranges[i].offset,
			       (uintmax_t)bad_ranges[i].length);
	}
	for (i = 0; i < ARRAY_LEN(good_ranges); i++) {
		slot = fpga_register(self->ch, self->b.fd,
				     good_ranges[i].offset,
				     good_ranges[i].length);
		EXPECT_LE(0, slot);
		EXPECT_EQ(0, fpga_unregister(self->ch, slot));
	}
}

/* The frame is what must fit, in the format that is set. */
TEST_F(reg, shorter_than_a_frame)
{
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = SIZE + 4,
	};

	/* The default is a picture of 1,843,200 bytes. */
	EXPECT_EQ(-EMSGSIZE, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, fpga_set_format(self->ch, &format));
	EXPECT_EQ(-EMSGSIZE, fpga_register(self->ch, self->b.fd, 0, 0));
	format.size = SIZE;
	ASSERT_EQ(0, fpga_set_format(self->ch, &format));
	EXPECT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
}

TEST_F(reg, overlap)
{
	struct buffer other;
	int alias;

	alias = dup(self->b.fd);
	ASSERT_LE(0, alias);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  &other));
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	ASSERT_LE(0, fpga_register(self->ch, self->b.fd, 8192, 8192));

	/* The same, inside, around, and the last and the first byte of it */
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, self->b.fd, 8192, 8192));
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, alias, 8192, 8192));
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, alias, 10240, 4096));
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, alias, 0, 0));
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, alias, 4096, 4097));
	EXPECT_EQ(-EEXIST, fpga_register(self->ch, alias,
					 16384 - SIM_ALIGNMENT, 4096));

	EXPECT_LE(0, fpga_register(self->ch, alias, 4096, 4096));
	EXPECT_LE(0, fpga_register(self->ch, alias, 16384, 4096));
	EXPECT_LE(0, fpga_register(self->ch, other.fd, 8192, 8192));
	buffer_free(&other);
}

TEST_F(reg, read_only_fd)
{
	int ro = fpga_alloc_flags(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  O_RDONLY | O_CLOEXEC);
	int wo = fpga_alloc_flags(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  O_WRONLY | O_CLOEXEC);

	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	EXPECT_EQ(-EACCES, fpga_register(self->ch, ro, 0, 0));
	EXPECT_LE(0, fpga_register(self->ch, wo, 0, 0));
}

TEST_F(reg, not_a_dma_buf)
{
	int null, memfd, path;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	memfd = memfd_create("fpgabuf-test", MFD_CLOEXEC);
	path = open("/dev", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, null);
	ASSERT_LE(0, memfd);
	ASSERT_LE(0, path);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));

	EXPECT_EQ(-EINVAL, fpga_register(self->ch, null, 0, 0));
	EXPECT_EQ(-EINVAL, fpga_register(self->ch, memfd, 0, 0));
	EXPECT_EQ(-EINVAL, fpga_register(self->ch, self->ch, 0, 0));
	EXPECT_EQ(-EBADF, fpga_register(self->ch, path, 0, 0));
	EXPECT_EQ(-EBADF, fpga_register(self->ch, -1, 0, 0));
	EXPECT_EQ(-EBADF, fpga_register(self->ch, INT32_MIN, 0, 0));
	EXPECT_EQ(-EBADF, fpga_register(self->ch, 1000000, 0, 0));
	close(null);
	EXPECT_EQ(-EBADF, fpga_register(self->ch, null, 0, 0));
}

/* Every slot is used once; what is given back can be had again. */
TEST_F_TIMEOUT(reg, all_slots, 180)
{
	const __u64 end = SIM_SLOTS * SIM_MIN_FRAME;
	static bool used[SIM_SLOTS];
	struct buffer b;
	int i, slot;

	ASSERT_EQ(0, buffer_alloc(self->ch, 3 * end, FPGABUF_KIND_SYSTEM, &b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIM_MIN_FRAME, 0));
	for (i = 0; i < SIM_SLOTS; i++) {
		slot = fpga_register(self->ch, b.fd, i * SIM_MIN_FRAME,
				     SIM_MIN_FRAME);
		ASSERT_LE(0, slot);
		ASSERT_GT(SIM_SLOTS, slot);
		EXPECT_FALSE(used[slot]);
		used[slot] = true;
	}
	EXPECT_EQ(-ENOSPC, fpga_register(self->ch, b.fd, end, 4096));
	ASSERT_EQ(0, fpga_unregister(self->ch, 17));
	EXPECT_EQ(17, fpga_register(self->ch, b.fd, end, 4096));
	EXPECT_EQ(-ENOSPC, fpga_register(self->ch, b.fd, 2 * end, 4096));
	for (i = 0; i < SIM_SLOTS; i++) {
		EXPECT_EQ(0, fpga_unregister(self->ch, i));
	}
}

TEST_F(reg, unregister)
{
	struct fpgabuf_unregister flags = { 0 };
	int slot, bit;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 1));
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, 0));
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, SIM_SLOTS));
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, ~0U));

	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	flags.slot = slot;
	for (bit = 0; bit < 32; bit++) {
		flags.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch,
					      FPGABUF_IOC_UNREGISTER, &flags));
	}

	/* Waiting for the start, and with the engine */
	ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
	EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, slot));
	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, slot));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0, fpga_unregister(self->ch, slot));
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, slot));
}

/* A completion that nobody took goes with its slot, the others stay. */
TEST_F(reg, unregister_done)
{
	struct fpgabuf_completion done[3];
	int slot[3], i;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	for (i = 0; i < 3; i++) {
		slot[i] = fpga_register(self->ch, self->b.fd, i * 4096, 4096);
		ASSERT_LE(0, slot[i]);
		ASSERT_EQ(0, fpga_queue(self->ch, slot[i], i));
	}
	ASSERT_EQ(1, fpga_start(self->ch));
	/* Done or cancelled, they are to be taken. */
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0, fpga_unregister(self->ch, slot[1]));
	ASSERT_EQ(2, fpga_take(self->ch, done, 3, 0, 0));
	EXPECT_EQ(0U, done[0].user_data);
	EXPECT_EQ(2U, done[1].user_data);
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, done, 3, 1, 0));
}

/* The slot holds the buffer, no fd is needed. */
TEST_F(reg, keeps_the_buffer)
{
	struct fpgabuf_completion done;
	struct totals now;
	int slot;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[FPGABUF_KIND_SYSTEM] + 1,
		  now.count[FPGABUF_KIND_SYSTEM]);
	EXPECT_EQ(0, fpga_capture(self->ch, slot, &done));
	EXPECT_EQ((__u64)SIZE, done.bytes);
	EXPECT_EQ(0, fpga_unregister(self->ch, slot));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* Two slots in one dma-buf: each goes without harm to the other. */
TEST_F(reg, slots_of_one_buffer)
{
	struct fpgabuf_completion done;
	struct totals now;
	int first, second;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	first = fpga_register(self->ch, self->b.fd, 0, 4096);
	second = fpga_register(self->ch, self->b.fd, 4096, 4096);
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, fpga_capture(self->ch, first, &done));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map, 4096,
					    &done));
	ASSERT_EQ(0, fpga_unregister(self->ch, first));
	ASSERT_EQ(0, fpga_capture(self->ch, second, &done));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd,
					    (char *)self->b.map + 4096, 4096,
					    &done));
	EXPECT_EQ(first, fpga_register(self->ch, self->b.fd, 0, 4096));
	ASSERT_EQ(0, fpga_unregister(self->ch, second));
	ASSERT_EQ(0, fpga_unregister(self->ch, first));

	/* No reference of either is left. */
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

TEST_F(reg, a_thousand_times)
{
	int fds = open_fds();
	int i;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	}
	EXPECT_EQ(fds, open_fds());
}

TEST_F(reg, format_is_fixed)
{
	struct fpgabuf_format format, now;
	int slot;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ(-EBUSY, fpga_set_raw(self->ch, 2048, 0));
	ASSERT_EQ(0, fpga_get_format(self->ch, &now));
	EXPECT_EQ(0, memcmp(&format, &now, sizeof(now)));
	ASSERT_EQ(0, fpga_unregister(self->ch, slot));
	EXPECT_EQ(0, fpga_set_raw(self->ch, 2048, 0));
}

TEST_F(reg, bad_arguments)
{
	struct fpgabuf_register reg = {
		.fd = self->b.fd,
		.slot = 1234,
	};
	int bit;

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	for (bit = 0; bit < 32; bit++) {
		reg.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_REGISTER,
					      &reg));
		reg.flags = 0;
		reg.reserved = 1U << bit;
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_REGISTER,
					      &reg));
		reg.reserved = 0;
	}
	EXPECT_EQ(1234U, reg.slot);
	EXPECT_EQ(-ENOENT, fpga_unregister(self->ch, 0));
}

/*
 * Frames of odd sizes in one dma-buf: the bytes between them, which share cache
 * lines and pages with them, stay what they were.
 */
TEST_F(reg, guard_bytes)
{
	enum { FRAMES = 24, FRAME = 9996, STEP = 10048 };
	struct fpgabuf_completion done[FRAMES];
	struct fpgabuf_queue_entry queue[FRAMES] = { 0 };
	char *map = self->b.map;
	int i;

	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_WRITE));
	memset(map, 0xa5, SIZE);
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_WRITE));
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	for (i = 0; i < FRAMES; i++) {
		int slot = fpga_register(self->ch, self->b.fd,
					 SIM_ALIGNMENT + i * STEP, FRAME);

		ASSERT_LE(0, slot);
		queue[i].slot = slot;
		queue[i].user_data = i;
	}
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(FRAMES, fpga_exchange(self->ch, queue, FRAMES, done, FRAMES,
					FRAMES, 5 * SEC));

	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_TRUE(all_bytes(map, 0xa5, SIM_ALIGNMENT));
	for (i = 0; i < FRAMES; i++) {
		char *frame = map + SIM_ALIGNMENT + i * STEP;

		EXPECT_EQ((__u64)i, done[i].user_data);
		EXPECT_STREQ("ok", raw_check(frame, FRAME, &done[i]));
		EXPECT_TRUE(all_bytes(frame + FRAME, 0xa5, STEP - FRAME))
			TH_LOG("after frame %d", i);
	}
	EXPECT_TRUE(all_bytes(map + SIM_ALIGNMENT + FRAMES * STEP, 0xa5,
			      SIZE - SIM_ALIGNMENT - FRAMES * STEP));
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_READ));
}

/* Memory of every other exporter that the kernel has */
FIXTURE(foreign) {
	struct totals before;
	int ch;
	int device;
	struct buffer b;
};

FIXTURE_VARIANT(foreign) {
	const char *module;
	/* The kernel has none without */
	const char *node;
	const char *config;
	/* Why a bounced frame never arrives, or not before it is unmapped */
	const char *no_sync;
	const char *late_sync;
	int (*open)(void);
	int (*alloc)(int device);
};

static int vgem_64k(int drm)
{
	return vgem_alloc(drm, 64 << 10);
}

static int udmabuf_64k(int unused)
{
	return udmabuf_alloc(64 << 10);
}

static int heap_64k(int unused)
{
	return heap_alloc(64 << 10);
}

static int open_nothing(void)
{
	return 0;
}

static int vivid_open_any(void)
{
	size_t size;

	return vivid_open(&size);
}

FIXTURE_VARIANT_ADD(foreign, vgem) {
	.module = "vgem",
	.no_sync = "vgem does not sync bounce buffers",
	.open = vgem_open,
	.alloc = vgem_64k,
};

FIXTURE_VARIANT_ADD(foreign, vivid) {
	.module = "vivid",
	.late_sync = "vivid syncs bounce buffers only when it unmaps",
	.open = vivid_open_any,
	.alloc = vivid_alloc,
};

FIXTURE_VARIANT_ADD(foreign, udmabuf) {
	.node = "/dev/udmabuf",
	.config = "CONFIG_UDMABUF",
	.no_sync = "udmabuf syncs no bounce buffer but one of its own",
	.open = open_nothing,
	.alloc = udmabuf_64k,
};

FIXTURE_VARIANT_ADD(foreign, system_heap) {
	.node = "/dev/dma_heap/system",
	.config = "CONFIG_DMABUF_HEAPS_SYSTEM",
	.open = open_nothing,
	.alloc = heap_64k,
};

FIXTURE_SETUP(foreign)
{
	int fd;

	REQUIRE_CHANNEL(self->before);
	if (variant->module && !module_loaded(variant->module))
		SKIP(return, "no %s module", variant->module);
	if (variant->node && access(variant->node, F_OK))
		SKIP(return, "no %s: %s is off in this kernel", variant->node,
		     variant->config);
	if (variant->no_sync && bounced())
		SKIP(return, "%s", variant->no_sync);
	self->device = variant->open();
	ASSERT_LE(0, self->device);
	fd = variant->alloc(self->device);
	ASSERT_EQ(0, buffer_from_fd(fd, &self->b));
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(foreign)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(foreign, captured_into)
{
	struct fpgabuf_completion done;
	int slot, i;

	if (variant->late_sync && bounced())
		SKIP(return, "%s", variant->late_sync);
	ASSERT_LE(64U << 10, self->b.size);
	ASSERT_EQ(0, fpga_set_raw(self->ch, self->b.size, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
						    self->b.size, &done));
	}
}

/* At an offset, and with the fd closed */
TEST_F(foreign, part_of_it)
{
	enum { FRAME = 20000, OFFSET = 3 * 4096 + SIM_ALIGNMENT };
	struct fpgabuf_completion done;
	char *map = self->b.map;
	int slot;

	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_WRITE));
	memset(map, 0xa5, self->b.size);
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_WRITE));
	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	slot = fpga_register(self->ch, self->b.fd, OFFSET, FRAME);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
	/* Ends what the device may still hold back. */
	ASSERT_EQ(0, fpga_unregister(self->ch, slot));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, map + OFFSET, FRAME,
					    &done));
	EXPECT_TRUE(all_bytes(map, 0xa5, OFFSET));
	EXPECT_TRUE(all_bytes(map + OFFSET + FRAME, 0xa5,
			      self->b.size - OFFSET - FRAME));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	load_module("vivid", VIVID_PARAM);
	return test_harness_run(argc, argv);
}
