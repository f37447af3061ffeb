// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine waits for before it touches a buffer: an in-fence, and those
 * who use the buffer now; and who waits for the engine.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/foreign.h"
#include "fences_test.h"

/* Long enough for the engine to write many frames, if nothing held it back */
#define WHILE	(100 * MSEC)

FIXTURE(in) {
	struct totals before;
	struct slots s;
	struct gate gate;
	int out;
};

FIXTURE_VARIANT(in) {
	enum gate_kind gate;
};

FIXTURE_VARIANT_ADD(in, vgem) {
	.gate = GATE_VGEM,
};

FIXTURE_VARIANT_ADD(in, sw_sync) {
	.gate = GATE_SW_SYNC,
};

FIXTURE_SETUP(in)
{
	REQUIRE_CHANNEL(self->before);
	if (gate_missing(variant->gate))
		SKIP(return, "%s", gate_missing(variant->gate));
	ASSERT_EQ(0, slots_open(&self->s, 0, 3, 0));
	ASSERT_EQ(0, gate_make(&self->gate, variant->gate));
}

FIXTURE_TEARDOWN_PARENT(in)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* No byte changes before, and all of them do after. */
TEST_F(in, holds_the_engine_back)
{
	struct slots *s = &self->s;
	__s64 opened, took;

	slots_fill(s, 0);
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, FPGABUF_QUEUE_IN_FENCE,
				       self->gate.fence, NULL));
	pass_time(WHILE);
	EXPECT_TRUE(slots_untouched(s, 0));
	EXPECT_EQ(0, poll_fd(s->ch, POLLIN, 0));
	opened = now_ns();
	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_EQ(POLLIN, poll_fd(s->ch, POLLIN, 5000));
	took = now_ns() - opened;
	TH_LOG("a frame %lld us after its fence", (long long)took / 1000);
	EXPECT_GE(SLACK, took);
	EXPECT_STREQ("ok", slots_take(s, 0));
}

/* Those behind it wait, too: buffers are done in order. */
TEST_F(in, holds_the_queue_back)
{
	struct slots *s = &self->s;
	unsigned int i;

	for (i = 0; i < 3; i++)
		slots_fill(s, i);
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 1, FPGABUF_QUEUE_IN_FENCE,
				       self->gate.fence, NULL));
	ASSERT_EQ(0, fpga_queue(s->ch, 2, 0));
	EXPECT_STREQ("ok", slots_take(s, 0));
	pass_time(WHILE);
	EXPECT_TRUE(slots_untouched(s, 1));
	EXPECT_TRUE(slots_untouched(s, 2));
	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_STREQ("ok", slots_take(s, 1));
	EXPECT_STREQ("ok", slots_take(s, 2));
}

/* Queued before the start, and signaled before it, or after. */
TEST_F(in, before_the_start)
{
	struct slots *s = &self->s;

	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, FPGABUF_QUEUE_IN_FENCE,
				       self->gate.fence, NULL));
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_STREQ("ok", slots_take(s, 0));
	ASSERT_EQ(0, fpga_stop(s->ch));

	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 1, FPGABUF_QUEUE_IN_FENCE,
				       self->gate.fence, NULL));
	ASSERT_EQ(2, fpga_start(s->ch));
	EXPECT_STREQ("ok", slots_take(s, 1));
}

/* A stop forgets the fence; that it signals later disturbs nobody. */
TEST_F(in, stopped_meanwhile)
{
	struct slots *s = &self->s;

	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, IN_OUT, self->gate.fence,
				       &self->out));
	ASSERT_EQ(0, fpga_stop(s->ch));
	EXPECT_EQ(-ECANCELED, sync_file_status(self->out));
	EXPECT_EQ(-ECANCELED, slots_take_status(s, 0));
	ASSERT_EQ(0, fpga_unregister(s->ch, 0));
	ASSERT_EQ(0, gate_open(&self->gate));
	ASSERT_EQ(2, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue(s->ch, 1, 0));
	EXPECT_STREQ("ok", slots_take(s, 1));
}

/* The error of what it waited for becomes its own; the next one is right. */
TEST_F(in, fails)
{
	struct slots *s = &self->s;
	int error;

	if (variant->gate != GATE_SW_SYNC)
		SKIP(return, "vgem's fences cannot fail");
	slots_fill(s, 0);
	ASSERT_EQ(1, fpga_start(s->ch));
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, IN_OUT, self->gate.fence,
				       &self->out));
	ASSERT_EQ(0, fpga_queue(s->ch, 1, 0));
	error = gate_break(&self->gate);
	ASSERT_GT(0, error);
	ASSERT_EQ(0, sync_file_wait(self->out, 5000));
	EXPECT_EQ(error, sync_file_status(self->out));
	EXPECT_EQ(error, slots_take_status(s, 0));
	EXPECT_TRUE(slots_untouched(s, 0));
	EXPECT_STREQ("ok", slots_take(s, 1));
}

/* A buffer that vgem imported, and that its fences are in */
FIXTURE(implicit) {
	struct totals before;
	struct slots s;
	int drm;
	__u32 handle;
	int out;
};

FIXTURE_VARIANT(implicit) {
	bool write;
};

FIXTURE_VARIANT_ADD(implicit, reader) {
	.write = false,
};

FIXTURE_VARIANT_ADD(implicit, writer) {
	.write = true,
};

FIXTURE_SETUP(implicit)
{
	REQUIRE_CHANNEL(self->before);
	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	ASSERT_EQ(0, slots_open(&self->s, 0, 1, 0));
	self->drm = vgem_open();
	ASSERT_LE(0, self->drm);
	ASSERT_EQ(0, vgem_import(self->drm, self->s.b[0].fd, &self->handle));
	ASSERT_EQ(1, fpga_start(self->s.ch));
}

FIXTURE_TEARDOWN_PARENT(implicit)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* With bounce buffers vgem has one, too: what comes of a sync is undefined. */
static const char *take_shared(struct slots *s)
{
	int status;

	if (!bounced())
		return slots_take(s, 0);
	status = slots_take_status(s, 0);
	return status ? strerror(-status) : "ok";
}

/* A display that shows the buffer, or a GPU that draws into it */
TEST_F(implicit, capture_waits)
{
	struct slots *s = &self->s;
	int fence;

	slots_fill(s, 0);
	fence = vgem_fence_attach(self->drm, self->handle, variant->write);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, fpga_queue(s->ch, 0, 0));
	pass_time(WHILE);
	EXPECT_TRUE(slots_untouched(s, 0));
	ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_STREQ("ok", take_shared(s));
}

TEST_F(implicit, not_if_not_wanted)
{
	struct slots *s = &self->s;
	int fence;

	fence = vgem_fence_attach(self->drm, self->handle, variant->write);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, fpga_queue_fenced(s->ch, 0, FPGABUF_QUEUE_NO_IMPLICIT |
				       FPGABUF_QUEUE_OUT_FENCE, -1,
				       &self->out));
	ASSERT_EQ(0, sync_file_wait(self->out, 5000));
	ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
	EXPECT_STREQ("ok", take_shared(s));
}

/* Who waits for the engine: its fence is in the buffer while it is pending. */
FIXTURE(out) {
	struct totals before;
	struct slots s;
	struct gate gate;
	int out;
};

FIXTURE_SETUP(out)
{
	REQUIRE_CHANNEL(self->before);
	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	ASSERT_EQ(0, slots_open(&self->s, 0, 2, 0));
	ASSERT_EQ(0, gate_make(&self->gate, GATE_VGEM));
	ASSERT_EQ(1, fpga_start(self->s.ch));
	slots_fill(&self->s, 0);
	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 0, IN_OUT, self->gate.fence,
				       &self->out));
}

FIXTURE_TEARDOWN_PARENT(out)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(out, is_a_writer)
{
	int fd = self->s.b[0].fd;
	int reads, writes;

	EXPECT_EQ(0, poll_fd(fd, POLLIN | POLLOUT, 0));
	reads = export_sync_file(fd, DMA_BUF_SYNC_READ);
	writes = export_sync_file(fd, DMA_BUF_SYNC_WRITE);
	ASSERT_LE(0, reads);
	ASSERT_LE(0, writes);
	EXPECT_EQ(0, sync_file_status(reads));
	EXPECT_EQ(0, sync_file_status(writes));
	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_EQ(0, sync_file_wait(reads, 5000));
	EXPECT_EQ(0, sync_file_wait(writes, 5000));
	EXPECT_EQ(1, sync_file_status(self->out));
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(fd, POLLIN | POLLOUT, 5000));
	EXPECT_STREQ("ok", slots_take(&self->s, 0));
}

TEST_F(out, is_not_if_not_wanted)
{
	int fd = self->s.b[1].fd;

	ASSERT_EQ(0, fpga_queue_fenced(self->s.ch, 1,
				       FPGABUF_QUEUE_NO_IMPLICIT |
				       FPGABUF_QUEUE_OUT_FENCE, -1, NULL));
	EXPECT_EQ(POLLIN | POLLOUT, poll_fd(fd, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_STREQ("ok", slots_take(&self->s, 0));
	EXPECT_STREQ("ok", slots_take(&self->s, 1));
}

TEST_F(out, has_names)
{
	char driver[32], timeline[32], node[32];

	ASSERT_EQ(0, node_name(self->s.ch, node, sizeof(node)));
	ASSERT_EQ(0, sync_file_names(self->out, driver, timeline));
	EXPECT_STREQ("fpgabuf", driver);
	EXPECT_STREQ(node, timeline);
	ASSERT_EQ(0, gate_open(&self->gate));
}

static atomic_bool synced;

static void *sync_start(void *arg)
{
	intptr_t ret = dmabuf_sync(*(int *)arg, DMA_BUF_SYNC_START |
				   DMA_BUF_SYNC_READ);

	synced = true;
	return (void *)ret;
}

/* The CPU waits for the frame, and then sees the frame. */
TEST_F(out, holds_the_cpu_back)
{
	struct fpgabuf_completion done;
	struct buffer *b = &self->s.b[0];
	pthread_t reader;
	void *ret;

	ASSERT_EQ(0, pthread_create(&reader, NULL, sync_start, &b->fd));
	pass_time(WHILE);
	EXPECT_FALSE(atomic_load(&synced));
	ASSERT_EQ(0, gate_open(&self->gate));
	ASSERT_EQ(0, pthread_join(reader, &ret));
	EXPECT_EQ(NULL, ret);
	ASSERT_EQ(1, fpga_take(self->s.ch, &done, 1, 1, 5 * SEC));
	EXPECT_STREQ("ok", raw_check(b->map, FRAME, &done));
	EXPECT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

/* Another channel writes the buffer after this one, because it is told to. */
TEST_F(out, holds_another_channel_back)
{
	struct fpgabuf_completion done;
	struct slots *s = &self->s;
	int ch = fpga_open(1, O_RDWR);

	ASSERT_LE(0, ch);
	ASSERT_EQ(0, fpga_set_raw(ch, FRAME, 0));
	ASSERT_EQ(0, fpga_register(ch, s->b[0].fd, 0, 0));
	/* So that its frame differs: it is the second one there. */
	ASSERT_EQ(1, fpga_start(ch));
	ASSERT_EQ(0, fpga_stop(ch));
	ASSERT_EQ(2, fpga_start(ch));
	ASSERT_EQ(0, fpga_queue(ch, 0, 0));
	pass_time(WHILE);
	EXPECT_TRUE(slots_untouched(s, 0));
	EXPECT_EQ(0, poll_fd(ch, POLLIN, 0));
	ASSERT_EQ(0, gate_open(&self->gate));
	ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 5 * SEC));
	EXPECT_STREQ("ok", raw_check_synced(s->b[0].fd, s->b[0].map, FRAME,
					    &done));
	EXPECT_EQ(0, slots_take_status(s, 0));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
