// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronisation of a buffer: CPU access brackets, fences as sync_files in and
 * out, poll(). vgem makes the fences: its user says when they signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <linux/dma-buf.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "../kselftest_harness.h"
#include "fences.h"
#include "foreign.h"
#include "fpgabuf_test.h"

#define SIZE	(64 << 10)

FIXTURE(sync) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(sync) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(sync, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(sync, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(sync, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(sync, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(sync, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(sync, region) {
	.kind = FPGABUF_KIND_REGION,
};

FIXTURE_SETUP(sync)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, variant->kind, &self->b));
}

FIXTURE_TEARDOWN_PARENT(sync)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static const __u64 directions[] = {
	DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
};

static int sync_both(int fd, __u64 direction)
{
	int ret = dmabuf_sync(fd, DMA_BUF_SYNC_START | direction);

	return ret ? ret : dmabuf_sync(fd, DMA_BUF_SYNC_END | direction);
}

/* Alone, registered, and with one bracket inside of another. */
TEST_F(sync, brackets)
{
	size_t i;
	int fd = self->b.fd;

	for (i = 0; i < ARRAY_LEN(directions); i++) {
		EXPECT_EQ(0, sync_both(fd, directions[i]));
	}

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	ASSERT_LE(0, fpga_register(self->ch, fd, 0, 0));
	for (i = 0; i < ARRAY_LEN(directions); i++) {
		EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, sync_both(fd, directions[i]));
		EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_RW));
	}
}

TEST_F(sync, bad_flags)
{
	static const __u64 bad[] = {
		0, DMA_BUF_SYNC_END, DMA_BUF_SYNC_RW | 1 << 3,
		DMA_BUF_SYNC_RW | 1ULL << 32, DMA_BUF_SYNC_RW | 1ULL << 63,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, dmabuf_sync(self->b.fd, bad[i]))
			TH_LOG("flags %#jx", (uintmax_t)bad[i]);
	}
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->b.fd, DMA_BUF_IOCTL_SYNC,
				      no_access_page()));
}

static bool reads_all(const struct buffer *b, __u8 value)
{
	bool same;

	if (dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return false;
	same = all_bytes(b->map, value, b->size);
	return !dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ) &&
	       same;
}

/*
 * What the CPU wrote in a bracket does not come back over a frame that the
 * device wrote later, and the other way round.
 */
TEST_F(sync, around_capture)
{
	struct fpgabuf_completion done;
	int fd = self->b.fd;
	int slot, i;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	slot = fpga_register(self->ch, fd, 0, 0);
	ASSERT_LE(0, slot);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_WRITE));
		memset(self->b.map, 0xee, SIZE);
		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_WRITE));
		ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(fd, self->b.map, SIZE,
						    &done));

		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_RW));
		memset(self->b.map, i, SIZE);
		ASSERT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_RW));
		EXPECT_TRUE(reads_all(&self->b, i));
		ASSERT_EQ(0, fpga_unregister(self->ch, slot));
		EXPECT_TRUE(reads_all(&self->b, i));
		slot = fpga_register(self->ch, fd, 0, 0);
		ASSERT_LE(0, slot);
	}
}

/* What the device wrote is there, though it has gone before anybody looked. */
TEST_F(sync, unregistered_unseen)
{
	struct fpgabuf_completion done;
	int slot;

	memset(self->b.map, 0xee, SIZE);
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
	ASSERT_EQ(0, fpga_unregister(self->ch, slot));
	EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map, SIZE,
					    &done));
}

TEST_F(sync, idle_buffer_is_signalled)
{
	size_t i;
	int sf;

	for (i = 0; i < ARRAY_LEN(directions); i++) {
		sf = export_sync_file(self->b.fd, directions[i]);
		ASSERT_LE(0, sf);
		EXPECT_EQ(1, sync_file_status(sf));
		EXPECT_EQ(POLLIN, poll_fd(sf, POLLIN, 0));
		close(sf);
	}
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(self->b.fd, POLLIN | POLLOUT, 0));
}

TEST_F(sync, bad_sync_files)
{
	int pipe_fds[2];
	int sf;

	EXPECT_EQ(-EINVAL, export_sync_file(self->b.fd, 0));
	EXPECT_EQ(-EINVAL, export_sync_file(self->b.fd, DMA_BUF_SYNC_END));
	EXPECT_EQ(-EINVAL, export_sync_file(self->b.fd, 1U << 31));
	sf = export_sync_file(self->b.fd, DMA_BUF_SYNC_RW);
	ASSERT_LE(0, sf);
	EXPECT_EQ(0, import_sync_file(self->b.fd, DMA_BUF_SYNC_RW, sf));
	EXPECT_EQ(-EINVAL, import_sync_file(self->b.fd, 0, sf));
	EXPECT_EQ(-EINVAL, import_sync_file(self->b.fd, 1U << 3, sf));
	EXPECT_EQ(-EINVAL, import_sync_file(self->b.fd, DMA_BUF_SYNC_RW, -1));
	ASSERT_EQ(0, pipe(pipe_fds));
	EXPECT_EQ(-EINVAL, import_sync_file(self->b.fd, DMA_BUF_SYNC_RW,
					    pipe_fds[0]));
}

/*
 * A capture by completion publishes no fence: the FPGA may never send the
 * frame, and nobody may wait for it in the kernel.
 */
TEST_F(sync, queued_buffer_has_no_fence)
{
	int slot, sf;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 1));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	sf = export_sync_file(self->b.fd, DMA_BUF_SYNC_RW);
	ASSERT_LE(0, sf);
	EXPECT_EQ(1, sync_file_status(sf));
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(self->b.fd, POLLIN | POLLOUT, 0));
	EXPECT_EQ(0, fpga_stop(self->ch));
}

/* A buffer that vgem imported, and the fences that it makes for it */
FIXTURE(fence) {
	struct totals before;
	int ch;
	int drm;
	__u32 handle;
	struct buffer b;
};

FIXTURE_SETUP(fence)
{
	REQUIRE_CHANNEL(self->before);
	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	self->drm = vgem_open();
	ASSERT_LE(0, self->drm);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_SYSTEM,
				  &self->b));
	ASSERT_EQ(0, vgem_import(self->drm, self->b.fd, &self->handle));
}

FIXTURE_TEARDOWN_PARENT(fence)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(fence, exported)
{
	int fd = self->b.fd;
	int fence, reads, writes;

	fence = vgem_fence_attach(self->drm, self->handle, true);
	ASSERT_LE(0, fence);
	EXPECT_EQ(0, poll_fd(fd, POLLIN | POLLOUT, 0));
	reads = export_sync_file(fd, DMA_BUF_SYNC_READ);
	writes = export_sync_file(fd, DMA_BUF_SYNC_WRITE);
	ASSERT_LE(0, reads);
	ASSERT_LE(0, writes);
	EXPECT_EQ(0, sync_file_status(reads));
	EXPECT_EQ(0, sync_file_status(writes));
	EXPECT_EQ(0, poll_fd(reads, POLLIN, 0));

	ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_EQ(1, sync_file_status(reads));
	EXPECT_EQ(1, sync_file_status(writes));
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(fd, POLLIN | POLLOUT, 1000));
}

/* Who reads waits for writers only; who writes waits for everybody. */
TEST_F(fence, of_a_reader)
{
	int fd = self->b.fd;
	int fence, reads, writes;

	fence = vgem_fence_attach(self->drm, self->handle, false);
	ASSERT_LE(0, fence);
	reads = export_sync_file(fd, DMA_BUF_SYNC_READ);
	writes = export_sync_file(fd, DMA_BUF_SYNC_WRITE);
	ASSERT_LE(0, reads);
	ASSERT_LE(0, writes);
	EXPECT_EQ(1, sync_file_status(reads));
	EXPECT_EQ(0, sync_file_status(writes));
	EXPECT_EQ(POLLIN, poll_fd(fd, POLLIN | POLLOUT, 0));
	EXPECT_EQ(0, sync_both(fd, DMA_BUF_SYNC_READ));
	ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_EQ(1, sync_file_status(writes));
}

/* A fence of one buffer is given to another. */
TEST_F(fence, imported)
{
	struct buffer other;
	int fence, in, out;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS,
				  &other));
	fence = vgem_fence_attach(self->drm, self->handle, true);
	ASSERT_LE(0, fence);
	in = export_sync_file(self->b.fd, DMA_BUF_SYNC_RW);
	ASSERT_LE(0, in);
	ASSERT_EQ(0, import_sync_file(other.fd, DMA_BUF_SYNC_WRITE, in));
	EXPECT_EQ(0, poll_fd(other.fd, POLLIN | POLLOUT, 0));
	out = export_sync_file(other.fd, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, out);
	EXPECT_EQ(0, sync_file_status(out));

	ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_EQ(1, sync_file_status(out));
	EXPECT_EQ(POLLIN | POLLOUT,
		  poll_fd(other.fd, POLLIN | POLLOUT, 1000));
	buffer_free(&other);
}

TEST_F(fence, wakes_poll)
{
	int status, fence;
	pid_t pid;

	fence = vgem_fence_attach(self->drm, self->handle, true);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, poll_fd(self->b.fd, POLLIN, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(vgem_fence_signal(self->drm, fence) != 0);
	EXPECT_EQ(POLLIN, poll_fd(self->b.fd, POLLIN, 5000));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static void *shared_page(void)
{
	return mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* A bracket opens when the fence has signalled, and not before. */
static void waits_for_fence(struct __test_metadata *_metadata, int drm,
			    __u32 handle, int fd, bool writer,
			    __u64 direction)
{
	atomic_bool *signalled = shared_page();
	int status, fence;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)signalled);
	fence = vgem_fence_attach(drm, handle, writer);
	ASSERT_LE(0, fence);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Time for the parent to be wrong in */
		pass_time(50 * MSEC);
		*signalled = true;
		_exit(vgem_fence_signal(drm, fence) != 0);
	}
	EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_START | direction));
	EXPECT_TRUE(atomic_load(signalled));
	EXPECT_EQ(0, dmabuf_sync(fd, DMA_BUF_SYNC_END | direction));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	munmap(signalled, page_size());
}

TEST_F(fence, holds_cpu_access)
{
	waits_for_fence(_metadata, self->drm, self->handle, self->b.fd, true,
			DMA_BUF_SYNC_READ);
	waits_for_fence(_metadata, self->drm, self->handle, self->b.fd, true,
			DMA_BUF_SYNC_RW);
	waits_for_fence(_metadata, self->drm, self->handle, self->b.fd, false,
			DMA_BUF_SYNC_WRITE);
}

/* A wait for somebody else's fence can be interrupted. */
TEST_F(fence, cpu_access_is_interrupted)
{
	/* Again and again: the first may come before the wait has begun. */
	struct itimerval often = {
		.it_value.tv_usec = 20000,
		.it_interval.tv_usec = 20000,
	};
	struct itimerval never = { 0 };
	int fence;

	ASSERT_EQ(0, catch_signal(SIGALRM));
	fence = vgem_fence_attach(self->drm, self->handle, true);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(-EINTR, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				      DMA_BUF_SYNC_READ));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_EQ(0, sync_both(self->b.fd, DMA_BUF_SYNC_READ));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
