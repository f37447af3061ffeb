// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that moves, or goes, while an importing device is attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "importer_test.h"
#include "test_modules/dma_mover.h"

#define MODULE		"dma_mover"
#define MODULE_FILE	"test_modules/" MODULE ".ko"

FIXTURE(move) {
	struct totals before;
	int mover, ch, dev;
	/* Memory that moves, and what is in it */
	int fd;
	struct buffer b;
	int m, s;
};

FIXTURE_VARIANT(move) {
	__u32 flags;
};

FIXTURE_VARIANT_ADD(move, movable) {
	.flags = FPGABUF_IMPORT_MOVABLE,
};

FIXTURE_VARIANT_ADD(move, peer) {
	.flags = FPGABUF_IMPORT_MOVABLE | FPGABUF_IMPORT_PEER,
};

static int attach_flags(int dev, int fd, __u32 flags)
{
	struct fpgabuf_import_attach arg = {
		.fd = fd,
		.flags = flags,
		.access = IMPORT_BOTH,
	};
	int ret = fpga_ioctl(dev, FPGABUF_IMPORT_IOC_ATTACH, &arg);

	return ret < 0 ? ret : (int)arg.slot;
}

FIXTURE_SETUP(move)
{
	static const char *const insert[] = { "insmod", MODULE_FILE, NULL };
	static const char *const remove[] = { "rmmod", MODULE, NULL };

	REQUIRE_CHANNEL(self->before);
	if (bounced())
		SKIP(return, "this memory has no sync for bounce buffers");
	REQUIRE_FILE(MODULE_FILE);
	ASSERT_EQ(0, run_program(insert));
	self->mover = open("/dev/" MODULE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->mover);
	if (!ioctl(self->mover, MOVER_POSSIBLE)) {
		close(self->mover);
		run_program(remove);
		SKIP(return, "a kernel without DMABUF_MOVE_NOTIFY moves nothing");
	}
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->fd = ioctl(self->mover, MOVER_ALLOC, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, buffer_alloc(self->ch, MOVER_SIZE, FPGABUF_KIND_SYSTEM,
				  &self->b));
	self->dev = import_open(O_RDWR);
	ASSERT_LE(0, self->dev);
	self->m = attach_flags(self->dev, self->fd, variant->flags);
	ASSERT_LE(0, self->m);
	self->s = import_attach(self->dev, self->b.fd, IMPORT_BOTH);
	ASSERT_LE(0, self->s);
	buffer_fill(&self->b, SEED);
	ASSERT_EQ(0, import_copy(self->dev, self->s, self->m, MOVER_SIZE));
	buffer_fill(&self->b, OTHER);
}

FIXTURE_TEARDOWN_PARENT(move)
{
	static const char *const remove[] = { "rmmod", MODULE, NULL };

	EXPECT_EQ(0, sim_fault("copy0", "none"));
	if (module_loaded(MODULE))
		EXPECT_EQ(0, run_program(remove));
	EXPECT_NOTHING_LEFT(self->before);
}

/* Old mappings are given back in a while, without anybody asking for it. */
static int mappings_become(int mover, int fd, int number)
{
	__s64 end = now_ns() + 5 * SEC;

	while (ioctl(mover, MOVER_MAPPINGS, fd) != number && now_ns() < end)
		pass_time(MSEC);
	return ioctl(mover, MOVER_MAPPINGS, fd);
}

/* What was written before is found where it is then. */
TEST_F(move, between_copies)
{
	int i;

	EXPECT_EQ(1, ioctl(self->mover, MOVER_MAPPINGS, self->fd));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ioctl(self->mover, MOVER_MOVE, self->fd));
		EXPECT_EQ(0, mappings_become(self->mover, self->fd, 0));
		ASSERT_EQ(0, import_copy(self->dev, self->m, self->s,
					 MOVER_SIZE));
		EXPECT_EQ(MOVER_SIZE, buffer_differs(&self->b, SEED, 0,
						     MOVER_SIZE));
		EXPECT_EQ(1, ioctl(self->mover, MOVER_MAPPINGS, self->fd));
		buffer_fill(&self->b, OTHER);
	}
	EXPECT_EQ(0, import_detach(self->dev, self->m));
	EXPECT_EQ(0, ioctl(self->mover, MOVER_MAPPINGS, self->fd));
}

/* A buffer that is attached without the flag stays where it is. */
TEST_F(move, not_when_pinned)
{
	ASSERT_EQ(0, import_detach(self->dev, self->m));
	ASSERT_EQ(self->m, attach_flags(self->dev, self->fd, 0));
	EXPECT_EQ(-1, ioctl(self->mover, MOVER_MOVE, self->fd));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(0, import_copy(self->dev, self->m, self->s, MOVER_SIZE));
	EXPECT_EQ(MOVER_SIZE, buffer_differs(&self->b, SEED, 0, MOVER_SIZE));
	ASSERT_EQ(0, import_detach(self->dev, self->m));
	EXPECT_EQ(0, ioctl(self->mover, MOVER_MOVE, self->fd));
}

/* It does not move under a copy; the next one goes where it is by then. */
TEST_F(move, during_a_copy)
{
	struct fpgabuf_import_copy copy = {
		.length = MOVER_SIZE,
		.src = self->m,
		.dst = self->s,
	};
	struct fpgabuf_import_done done;
	int status;
	pid_t pid;

	ASSERT_EQ(0, sim_fault("copy0", "hang"));
	ASSERT_EQ(0, import_queue(self->dev, &copy, 1));
	pid = fork();
	if (!pid)
		_exit(ioctl(self->mover, MOVER_MOVE, self->fd) ? 1 : 0);
	pass_time(50 * MSEC);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(0, poll_fd(self->dev, POLLIN, 0));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	ASSERT_EQ(1, import_take(self->dev, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(MOVER_SIZE, buffer_differs(&self->b, SEED, 0, MOVER_SIZE));
	EXPECT_EQ(0, mappings_become(self->mover, self->fd, 0));
	ASSERT_EQ(0, import_copy(self->dev, self->m, self->s, MOVER_SIZE));
	EXPECT_EQ(MOVER_SIZE, buffer_differs(&self->b, SEED, 0, MOVER_SIZE));
}

/* Memory that is gone is nobody's: copies fail, and nothing is left mapped. */
TEST_F(move, no_more)
{
	struct fpgabuf_import_copy copies[] = {
		{ .length = 1, .src = self->s, .dst = self->s, .dst_offset = 1 },
		{ .length = 1, .src = self->s, .dst = self->m },
	};
	__u32 count = 0;

	ASSERT_EQ(0, ioctl(self->mover, MOVER_REVOKE, self->fd));
	EXPECT_EQ(0, mappings_become(self->mover, self->fd, 0));
	EXPECT_EQ(-ENODEV, import_queue(self->dev, copies, 2));
	EXPECT_EQ(-ENODEV, import_segments(self->dev, self->m, NULL, &count));
	/* Nothing of that call was done. */
	EXPECT_EQ(MOVER_SIZE, buffer_differs(&self->b, OTHER, 0, MOVER_SIZE));
	EXPECT_EQ(0, import_queue(self->dev, copies, 1));
	EXPECT_EQ(0, import_detach(self->dev, self->m));
	EXPECT_EQ(-ENODEV, attach_flags(self->dev, self->fd, variant->flags));
}

/* Moved again and again, while it is copied to and from all the time. */
TEST_F(move, all_the_time)
{
	struct fpgabuf_import_done done[4];
	struct fpgabuf_import_copy copies[4];
	int i, moved = 0, status;
	pid_t pid;

	for (i = 0; i < 4; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = MOVER_SIZE,
			.src = i & 1 ? self->s : self->m,
			.dst = i & 1 ? self->m : self->s,
		};
	pid = fork();
	if (!pid) {
		while (!ioctl(self->mover, MOVER_MOVE, self->fd))
			if (++moved == 100)
				_exit(0);
		_exit(1);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		ASSERT_EQ(0, import_queue(self->dev, copies, 4));
		ASSERT_EQ(4, import_take(self->dev, done, 4, 4, 5 * SEC));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, done[i].status);
		ASSERT_EQ(MOVER_SIZE, buffer_differs(&self->b, SEED, 0,
						     MOVER_SIZE));
	}
	EXPECT_EQ(0, status);
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
