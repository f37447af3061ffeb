// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps whose device goes and comes back, and whose module is removed. Where the
 * heaps are the kernel's (dma_heap_add()) neither takes a node away, since the
 * kernel lets no heap go; where the nodes are fpgabuf's own, both do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "heaps_test.h"

#define SIZE	(64 << 10)

/* The node as everybody sees it: 0 when it is there. */
static int node(__u32 kind)
{
	char path[96];

	heap_path(path, sizeof(path), kind);
	return access(path, F_OK) ? -errno : 0;
}

static int usable(__u32 kind)
{
	int heap = heap_open(kind), fd;

	if (heap < 0)
		return heap;
	fd = heap_get(heap, SIZE);
	close(heap);
	return fd < 0 ? fd : close(fd);
}

FIXTURE(gone) {
	struct totals before;
	int heap;
	struct buffer b;
};

FIXTURE_VARIANT(gone) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(gone, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(gone, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(gone, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(gone, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(gone, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(gone)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_MODULE(MODULE);
	self->heap = heap_open(variant->kind);
	ASSERT_LE(0, self->heap);
	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &self->b));
	memset(self->b.map, 0x42, SIZE);
}

FIXTURE_TEARDOWN_PARENT(gone)
{
	const char *const argv[] = { "modprobe", MODULE, NULL };

	/* Fails when it is bound, as it is after most tests. */
	driver_write("bind");
	if (!module_loaded(MODULE))
		EXPECT_EQ(0, run_program(argv));
	EXPECT_EQ(0, usable(variant->kind));
	EXPECT_NOTHING_LEFT(self->before);
}

/* What there is stays, more there is not; and when it is back, more there is. */
TEST_F(gone, device_unbound_and_bound)
{
	bool stay = heaps_stay();
	int fd, round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, driver_write("unbind"));
		EXPECT_EQ(stay ? 0 : -ENOENT, node(variant->kind));
		EXPECT_EQ(-ENODEV, heap_get(self->heap, SIZE));
		EXPECT_EQ(stay ? -ENODEV : -ENOENT, usable(variant->kind));
		EXPECT_TRUE(all_bytes(self->b.map, 0x42, SIZE));
		EXPECT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_RW));

		ASSERT_EQ(0, driver_write("bind"));
		EXPECT_EQ(0, node(variant->kind));
		EXPECT_EQ(0, usable(variant->kind));
		/* A file from before is as good as a new one. */
		fd = heap_get(self->heap, SIZE);
		EXPECT_LE(0, fd);
		close(fd);
	}
}

/* The last of it may be given back when there is no device any more. */
TEST_F(gone, buffer_outlives_device)
{
	struct totals now;

	close(self->heap);
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_TRUE(all_bytes(self->b.map, 0x42, SIZE));
	buffer_free(&self->b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* What the load counts */
enum { GOT, REFUSED, NUM_COUNTERS };

static void keep_allocating(__u32 kind, atomic_uint *counters)
{
	for (;;) {
		int heap = heap_open(kind);
		int fd = heap < 0 ? heap : heap_get(heap, SIZE);

		close(heap);
		if (fd >= 0)
			close(fd);
		else if (fd != -ENODEV && fd != -ENXIO && fd != -ENOENT)
			_exit(-fd);
		counters[fd >= 0 ? GOT : REFUSED]++;
	}
}

/* Whoever allocates at that moment gets memory, or hears that it is gone. */
TEST_F(gone, device_unbound_under_load)
{
	atomic_uint *counters = shared_counters(NUM_COUNTERS);
	int round, status;
	pid_t pid = fork();
	bool refused;

	ASSERT_LE(0, pid);
	ASSERT_NE(NULL, counters);
	if (!pid)
		keep_allocating(variant->kind, counters);
	/* It allocates when the device goes, and when it comes. */
	for (round = 0; round < 10 && counts_on(&counters[GOT]); round++) {
		EXPECT_EQ(0, driver_write("unbind"));
		refused = counts_on(&counters[REFUSED]);
		EXPECT_EQ(0, driver_write("bind"));
		if (!refused)
			break;
	}
	EXPECT_EQ(10, round);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status)) TH_LOG("%s", strerror(status >> 8));
}

static int remove_module(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

/* A file is a use of the module, a buffer is none. */
TEST_F(gone, module_removed)
{
	const char *const argv[] = { "modprobe", MODULE, NULL };

	EXPECT_EQ(-EAGAIN, remove_module());
	close(self->heap);
	if (heaps_stay()) {
		EXPECT_EQ(-EAGAIN, remove_module());
		EXPECT_EQ(0, usable(variant->kind));
		return;
	}
	ASSERT_EQ(0, remove_module());
	EXPECT_EQ(-ENOENT, node(variant->kind));
	EXPECT_TRUE(all_bytes(self->b.map, 0x42, SIZE));
	EXPECT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_RW));
	/* The device was there before the module. */
	ASSERT_EQ(0, run_program(argv));
	EXPECT_EQ(0, node(variant->kind));
	EXPECT_EQ(0, usable(variant->kind));
}

TEST_HARNESS_MAIN
