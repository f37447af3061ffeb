// SPDX-License-Identifier: GPL-2.0
/*
 * A device with 28 address lines and no IOMMU (QEMU's edu): memory that it does
 * not reach is refused, where the DMA API would bounce each frame in silence, and
 * memory that is made for it is where it reaches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "../pci/edu.h"
#include "kinds_test.h"

/* The addresses that the device has, as bytes */
#define REACH	(1ULL << 28)

/* Of memory that is held until some of it must be out of reach */
#define PIECE	(16ULL << 20)
#define PIECES	(REACH / PIECE + 1)

/* What the exporter takes at a time of system memory */
#define BLOCK	(1ULL << 20)

/* Chunks of the engine in two pages each, and a short one */
#define FRAME	5000
#define OFFSET	(4096 + 3000)
#define SIZE	(64 << 10)

FIXTURE(mask) {
	struct totals before;
	struct fpgabuf_info info;
	int edu, sim, log;
};

FIXTURE_SETUP(mask)
{
	REQUIRE_CHANNEL(self->before);
	if (!edu_name())
		SKIP(return, "no narrow device: QEMU's edu");
	if (edu_behind_iommu())
		SKIP(return, "the narrow device is behind an IOMMU: it reaches all memory");
	self->edu = edu_open(&self->info);
	ASSERT_LE(0, self->edu);
	ASSERT_EQ(REACH - 1, self->info.dma_mask);
	ASSERT_EQ(0, fpga_set_raw(self->edu, FRAME, 0));
	self->sim = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->sim);
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN_PARENT(mask)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/*
 * The kernel said why memory is refused. With swiotlb=force it would be bounced
 * as the user wants, but the bounce buffers are out of reach, too.
 */
static bool said(int log, const char *memory)
{
	const char *help = "28 address bits; an IOMMU, or memory allocated for this device, helps";

	if (bounced()) {
		memory = "does not reach the bounce buffers of swiotlb=force";
		help = "28 address bits; to boot without it helps";
	}
	return log_says(log, memory, help);
}

/*
 * Of memory that anybody may have, hold what it reaches: until it is refused, so
 * that the next block will be out of its reach, too.
 */
static int hold_what_it_reaches(int sim, int edu)
{
	unsigned int i;
	int fd, slot;

	for (i = 0, slot = 0; slot >= 0 && i < PIECES * PIECE / BLOCK; i++) {
		fd = fpga_alloc(sim, BLOCK, FPGABUF_KIND_SYSTEM);
		if (fd < 0)
			return fd;
		slot = fpga_register(edu, fd, 0, 0);
		if (slot >= 0 && fpga_unregister(edu, slot))
			return -EPROTO;
	}
	return slot;
}

/* The only kind that is allocated, and has no address for its device yet */
static const char *own_verdict(int kind)
{
	return bounced() && kind == FPGABUF_KIND_SYSTEM ? strerror(ENXIO) :
							  "ok";
}

/* Of every kind that is allocated; all of them at a time */
TEST_F(mask, memory_of_its_own)
{
	struct buffer b[KIND_COUNT];
	unsigned int i, n = 0;
	int kind = -1;

	ASSERT_EQ(-ENXIO, hold_what_it_reaches(self->sim, self->edu));
	while (edu_next_kind(&self->info, &kind)) {
		if (kind == FPGABUF_KIND_USER)
			continue;
		ASSERT_GT(ARRAY_LEN(b), n);
		ASSERT_EQ(0, buffer_alloc(self->edu, kind == FPGABUF_KIND_SYSTEM ?
					  BLOCK : SIZE, kind, &b[n]));
		EXPECT_TRUE(all_bytes(b[n].map, 0, b[n].size));
		EXPECT_STREQ(own_verdict(kind),
			     edu_capture(self->edu, &b[n++], OFFSET, FRAME)) {
			TH_LOG("kind %s", kind_names[kind]);
		}
	}
	EXPECT_LT((unsigned int)SIZED_KINDS, n);
	for (i = 0; i < n; i++)
		buffer_free(&b[i]);
}

/*
 * Not all of the pieces can be where the device reaches: there is more of them
 * than it has addresses for.
 */
TEST_F(mask, memory_of_a_wider_device)
{
	struct fpgabuf_inspect inspect;
	unsigned int i;
	int fd, slot;

	for (i = 0, slot = 0; slot >= 0 && i < PIECES; i++) {
		fd = fpga_alloc(self->sim, PIECE, FPGABUF_KIND_SYSTEM);
		ASSERT_LE(0, fd);
		slot = fpga_register(self->edu, fd, 0, 0);
	}
	ASSERT_EQ(-ENXIO, slot);
	EXPECT_TRUE(said(self->log, "does not reach the system memory of "
			 SIM_DEVICE));

	/* The same when it is only asked; and the others still have it. */
	ASSERT_EQ(0, fpga_inspect(self->edu, fd, &inspect, NULL, 0));
	EXPECT_EQ(-ENXIO, inspect.status);
	EXPECT_LE(0, fpga_register(self->sim, fd, 0, 0));
}

/* The highest address of a page of this process's memory; 0: not known */
static __u64 highest_address(const void *map, size_t size)
{
	const size_t page = page_size();
	__u64 entry, highest = 0;
	size_t at;
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	for (at = 0; at < size; at += page) {
		if (pread(fd, &entry, sizeof(entry), ((uintptr_t)map + at) /
			  page * sizeof(entry)) != sizeof(entry))
			break;
		/* The lower 55 bits are the page's number. */
		entry = (entry & ((1ULL << 55) - 1)) * page;
		if (entry > highest)
			highest = entry;
	}
	close(fd);
	return at < size ? 0 : highest;
}

/* A program's memory is where it is, also when the channel makes a dma-buf of it. */
TEST_F(mask, memory_of_a_program)
{
	__u64 highest = 0;
	struct memory m;
	unsigned int i;
	int fd, slot;

	for (i = 0; highest < REACH && i < PIECES; i++) {
		ASSERT_EQ(0, memory_get(&m, ANONYMOUS, PIECE));
		fd = fpga_alloc_user(self->edu, m.map, m.size,
				     O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		highest = highest_address(m.map, m.size);
		ASSERT_NE(0U, highest);
		slot = fpga_register(self->edu, fd, 0, 0);
		EXPECT_EQ(highest < REACH && !bounced() ? 0 : -ENXIO,
			  slot < 0 ? slot : 0);
	}
	ASSERT_LE(REACH, highest);
	EXPECT_TRUE(said(self->log, "does not reach the user memory of "));
}

/* There would be enough of it, but not within reach. */
TEST_F(mask, more_than_it_reaches)
{
	if (bounced())
		SKIP(return, "swiotlb=force: any memory will do");
	EXPECT_EQ(-ENOMEM, fpga_alloc(self->edu, REACH + page_size(),
				      FPGABUF_KIND_SYSTEM));
	EXPECT_TRUE(log_says(self->log, "bytes of memory; more RAM",
			     "so does an IOMMU, for it reaches 28 address bits only"));
}

int main(int argc, char **argv)
{
	load_module(EDU_DRIVER, NULL);
	return test_harness_run(argc, argv);
}
