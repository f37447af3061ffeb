// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of memory, and memory of others, as a device reaches it that masters
 * the bus behind an IOMMU: an address that is not mapped for it is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-heap.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/foreign.h"
#include "edu.h"

/*
 * Three chunks of the engine, the last one is short. It begins in mid-page, at
 * a place where each of them but the last is in two pages.
 */
#define FRAME	5000
#define OFFSET	(4096 + 3000)
#define SIZE	(64 << 10)

/* The addresses that the device has, as bytes */
#define REACH	(1ULL << 28)

/* Read by the tests' processes and by their parent */
static int kmsg;

FIXTURE(edu) {
	struct totals before;
	struct fpgabuf_info info;
	int ch;
};

FIXTURE_SETUP(edu)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = edu_open(&self->info);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(edu)
{
	struct totals after;

	EXPECT_EQ(0, totals_read(&after));
	EXPECT_TRUE(totals_equal(&self->before, &after));
	EXPECT_EQ(0, kmsg_faults(kmsg));
}

TEST_F(edu, info)
{
	EXPECT_STREQ(edu_name(), (char *)self->info.bus);
	EXPECT_EQ(REACH - 1, self->info.dma_mask);
	EXPECT_NE(0U, self->info.capabilities & FPGABUF_CAP_SCATTER);
	/* All of them, or the loops below would see less than there is. */
	EXPECT_NE(0U, self->info.kinds);
	EXPECT_EQ(0U, self->info.kinds >> KIND_COUNT);
}

TEST_F(edu, every_kind)
{
	struct buffer b;
	int kind = -1;

	while (edu_next_kind(&self->info, &kind)) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b));
		EXPECT_TRUE(all_bytes(b.map, 0, SIZE));
		EXPECT_STREQ("ok", edu_capture(self->ch, &b, OFFSET, FRAME)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
		buffer_free(&b);
	}
}

static int heap_buffer(const char *device, int kind, struct buffer *b)
{
	struct dma_heap_allocation_data data = {
		.len = SIZE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[128];
	int heap, ret;

	snprintf(path, sizeof(path), "/dev/dma_heap/fpgabuf-%s-%s", device,
		 kind_names[kind]);
	heap = open(path, O_RDONLY | O_CLOEXEC);
	if (heap < 0)
		return -errno;
	ret = fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret < 0 ? ret : buffer_from_fd(data.fd, b);
}

TEST_F(edu, every_heap)
{
	struct buffer b;
	int kind = -1;

	REQUIRE_MODULE("fpgabuf_heaps");
	while (edu_next_kind(&self->info, &kind)) {
		/* A size is not enough for these. */
		if (kind == FPGABUF_KIND_USER || kind == FPGABUF_KIND_POOL)
			continue;
		ASSERT_EQ(0, heap_buffer(edu_name(), kind, &b));
		EXPECT_TRUE(all_bytes(b.map, 0, SIZE));
		EXPECT_STREQ("ok", edu_capture(self->ch, &b, OFFSET, FRAME)) {
			TH_LOG("heap %s", kind_names[kind]);
		}
		buffer_free(&b);
	}
}

/* Whatever the kernel maps it by, also by page as behind an IOMMU */
TEST_F(edu, mapping_does_not_grow)
{
	size_t page = page_size();
	struct buffer b;
	int kind = -1;
	void *map;

	while (edu_next_kind(&self->info, &kind)) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b));
		map = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, b.fd, 0);
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_EQ(MAP_FAILED, mremap(map, 2 * page, 3 * page,
					     MREMAP_MAYMOVE)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * page, PROT_READ,
					   MAP_SHARED, b.fd, SIZE - page));
		munmap(map, 2 * page);
		buffer_free(&b);
	}
}

/*
 * Put a reference to the first page of @b into a pipe, which is @b's no more then.
 * Returns the pipe's end to read it from; -EFAULT: the kernel gives out none.
 */
static int take_page(const struct buffer *b)
{
	struct iovec iov = { .iov_base = b->map, .iov_len = page_size() };
	ssize_t ret;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	ret = vmsplice(fds[1], &iov, 1, 0);
	if (ret < 0)
		ret = -errno;
	close(fds[1]);
	if (ret == (ssize_t)page_size())
		return fds[0];
	close(fds[0]);
	return ret < 0 ? ret : -EIO;
}

/* Whether the page in the pipe shows @byte somewhere; a negative errno */
static int page_shows(int pipe, __u8 byte)
{
	static __u8 page[65536];
	ssize_t ret = read(pipe, page, page_size());

	if (ret != (ssize_t)page_size())
		return ret < 0 ? -errno : -EIO;
	return !!memchr(page, byte, page_size());
}

/* Who holds a page of a buffer that was released sees nothing of later ones. */
TEST_F(edu, no_page_of_another)
{
	unsigned int taken = 0;
	struct buffer b;
	int kind = -1;
	int pipe;

	while (edu_next_kind(&self->info, &kind)) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b));
		memset(b.map, 0x11, SIZE);
		pipe = take_page(&b);
		buffer_free(&b);
		if (pipe == -EFAULT)
			continue;
		ASSERT_LE(0, pipe);
		taken++;
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b));
		EXPECT_TRUE(kind == FPGABUF_KIND_USER ||
			    all_bytes(b.map, 0, SIZE));
		memset(b.map, 0x22, SIZE);
		EXPECT_EQ(0, page_shows(pipe, 0x22)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
		buffer_free(&b);
		close(pipe);
	}
	/* The user's own at least, or nothing was tried. */
	EXPECT_LT(0U, taken);
}

/* Its memory is memory for a device with no IOMMU as well. */
TEST_F(edu, another_device_writes_its_memory)
{
	struct fpgabuf_completion done;
	struct buffer b;
	int sim, slot;
	int kind = -1;

	REQUIRE_NOTHING_MISSING(test_channel_missing(0));
	sim = fpga_open(0, O_RDWR);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, fpga_set_raw(sim, SIZE, 0));
	while (edu_next_kind(&self->info, &kind)) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, kind, &b));
		slot = fpga_register(sim, b.fd, 0, 0);
		ASSERT_LE(0, slot);
		ASSERT_EQ(0, fpga_capture(sim, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE,
						    &done)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
		ASSERT_EQ(0, fpga_unregister(sim, slot));
		/* Both may have it at a time. */
		EXPECT_STREQ("ok", edu_capture(self->ch, &b, 0, 64)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
		buffer_free(&b);
	}
}

/*
 * The engine is writing when it is stopped, and the memory is unmapped right
 * after: if it went on, the IOMMU would tell.
 */
TEST_F(edu, stopped_in_mid_frame)
{
	struct fpgabuf_completion done;
	volatile __u8 *first;
	struct buffer b;
	int slot, i;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM, &b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	slot = fpga_register(self->ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	/* The run's number, in the word of the first chunk that is in memory */
	first = b.map;
	for (i = 0; !first[2] && i < 100; i++)
		pass_time(10 * MSEC);
	ASSERT_EQ(1, first[2]);
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(0, fpga_unregister(self->ch, slot));
	memset(b.map, 0x5a, SIZE);

	/* Longer than a transfer takes */
	pass_time(300 * MSEC);
	EXPECT_TRUE(all_bytes(b.map, 0x5a, SIZE));
	EXPECT_EQ(0, kmsg_faults(kmsg));
	/* A slot that was given back has no completion. */
	EXPECT_EQ(-EPIPE, fpga_take(self->ch, &done, 1, 1, 0));
	buffer_free(&b);
}

/*
 * More memory than the device has addresses for cannot be mapped for it, also
 * when there is enough of it; and what is mapped is not harmed.
 */
TEST_F(edu, more_than_its_addresses)
{
	const size_t size = 32 << 20;
	int slots[REACH / (32 << 20)];
	unsigned int n = 0;
	struct buffer b;
	int fd, slot;

	ASSERT_EQ(0, fpga_set_raw(self->ch, FRAME, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM, &b));
	for (;;) {
		fd = fpga_alloc(self->ch, size, FPGABUF_KIND_SYSTEM);
		ASSERT_LE(0, fd);
		slot = fpga_register(self->ch, fd, 0, 0);
		close(fd);
		if (slot < 0)
			break;
		ASSERT_GT(ARRAY_LEN(slots), n);
		slots[n++] = slot;
	}
	EXPECT_EQ(-ENOMEM, slot);
	EXPECT_LT(0U, n);
	while (n)
		EXPECT_EQ(0, fpga_unregister(self->ch, slots[--n]));
	EXPECT_STREQ("ok", edu_capture(self->ch, &b, OFFSET, FRAME));
	buffer_free(&b);
}

static int from_udmabuf(void)
{
	return udmabuf_alloc(SIZE);
}

static int from_system_heap(void)
{
	return heap_alloc(SIZE);
}

static int from_vgem(void)
{
	int drm = vgem_open();
	int fd;

	if (drm < 0)
		return drm;
	fd = vgem_alloc(drm, SIZE);
	close(drm);
	return fd;
}

static int from_other_device(void)
{
	int sim, fd;

	if (test_channel_missing(0))
		return -ENODEV;
	sim = fpga_open(0, O_RDWR);
	if (sim < 0)
		return sim;
	fd = fpga_alloc(sim, SIZE, FPGABUF_KIND_CONTIGUOUS);
	close(sim);
	return fd;
}

FIXTURE(foreign) {
	struct totals before;
	int ch;
};

FIXTURE_VARIANT(foreign) {
	int (*alloc)(void);
};

FIXTURE_VARIANT_ADD(foreign, udmabuf) {
	.alloc = from_udmabuf,
};

FIXTURE_VARIANT_ADD(foreign, system_heap) {
	.alloc = from_system_heap,
};

FIXTURE_VARIANT_ADD(foreign, vgem) {
	.alloc = from_vgem,
};

FIXTURE_VARIANT_ADD(foreign, other_device) {
	.alloc = from_other_device,
};

FIXTURE_SETUP(foreign)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = edu_open(NULL);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(foreign)
{
	struct totals after;

	EXPECT_EQ(0, totals_read(&after));
	EXPECT_TRUE(totals_equal(&self->before, &after));
	EXPECT_EQ(0, kmsg_faults(kmsg));
}

/* Memory from elsewhere, wherever it is, is within the device's reach. */
TEST_F(foreign, captured_into)
{
	int fd = variant->alloc();
	struct buffer b;

	if (fd == -ENOENT || fd == -ENODEV)
		SKIP(return, "this kernel has no such exporter");
	ASSERT_EQ(0, buffer_from_fd(fd, &b));
	EXPECT_STREQ("ok", edu_capture(self->ch, &b, OFFSET, FRAME));
	buffer_free(&b);
}

int main(int argc, char **argv)
{
	int status = edu_set_up();

	if (status)
		return status;
	load_module("vgem", NULL);
	kmsg = kmsg_open();
	return test_harness_run(argc, argv);
}
