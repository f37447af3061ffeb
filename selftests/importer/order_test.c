// SPDX-License-Identifier: GPL-2.0
/*
 * Copies in order with everybody else: what they wait for, and who waits for
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "importer_test.h"
#include "test_modules/resv_holder.h"

#define HOLDER		"resv_holder"
#define HOLDER_FILE	"test_modules/" HOLDER ".ko"

#define SIZE	4096
#define NUM	4
/* Long enough for many copies, if nothing held them back */
#define WHILE	(50 * MSEC)

FIXTURE(order) {
	struct totals before;
	struct pair p;
	struct gate gates[NUM];
	struct fpgabuf_import_copy copies[NUM];
	struct fpgabuf_import_done done[NUM];
};

FIXTURE_VARIANT(order) {
	enum gate_kind gate;
};

FIXTURE_VARIANT_ADD(order, vgem) {
	.gate = GATE_VGEM,
};

FIXTURE_VARIANT_ADD(order, sw_sync) {
	.gate = GATE_SW_SYNC,
};

FIXTURE_SETUP(order)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	if (gate_missing(variant->gate))
		SKIP(return, "%s", gate_missing(variant->gate));
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, gate_make(&self->gates[i], variant->gate));
		self->copies[i] = (struct fpgabuf_import_copy){
			.src_offset = 1000 * i,
			.dst_offset = 1000 * i,
			.length = 1000,
			.dst = DST,
			.in_fence = self->gates[i].fence,
		};
	}
}

FIXTURE_TEARDOWN_PARENT(order)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

/* No bracket: it would wait for the fences. */
static bool is_untouched(const struct buffer *b)
{
	struct buffer copy = { .fd = -1, .size = SIZE, .map = b->map };

	return buffer_differs(&copy, OTHER, 0, SIZE) == SIZE;
}

/* No byte changes before, and all of them do after. */
TEST_F(order, in_fences)
{
	int i;

	for (i = 0; i < NUM; i++)
		self->copies[i].flags = FPGABUF_QUEUE_IN_FENCE |
			FPGABUF_QUEUE_OUT_FENCE;
	ASSERT_EQ(0, import_queue(self->p.dev, self->copies, NUM));
	/* They open from the last to the first, which all others are behind. */
	for (i = NUM; i-- > 0;) {
		pass_time(WHILE / NUM);
		EXPECT_TRUE(is_untouched(&self->p.b[DST]));
		EXPECT_EQ(0, sync_file_status(self->copies[0].out_fence));
		ASSERT_EQ(0, gate_open(&self->gates[i]));
	}
	ASSERT_EQ(NUM, import_take(self->p.dev, self->done, NUM, NUM, 5 * SEC));
	for (i = 0; i < NUM; i++) {
		EXPECT_EQ(0, self->done[i].status);
		ASSERT_EQ(0, sync_file_wait(self->copies[i].out_fence, 5000));
		if (i)
			EXPECT_LE(sync_file_time(self->copies[i - 1].out_fence),
				  sync_file_time(self->copies[i].out_fence));
	}
	EXPECT_EQ(NUM * 1000, buffer_differs(&self->p.b[DST], SEED, 0,
					     NUM * 1000));
}

/* A copy whose in-fence fails has its error, in its turn; the next is right. */
TEST_F(order, in_fence_fails)
{
	int error;

	if (variant->gate != GATE_SW_SYNC)
		SKIP(return, "a vgem fence fails after 10 s only");
	self->copies[0].flags = FPGABUF_QUEUE_IN_FENCE;
	self->copies[1].flags = FPGABUF_QUEUE_IN_FENCE;
	ASSERT_EQ(0, import_queue(self->p.dev, self->copies, 3));
	error = gate_break(&self->gates[1]);
	ASSERT_GT(0, error);
	pass_time(WHILE);
	EXPECT_EQ(0, poll_fd(self->p.dev, POLLIN, 0));
	ASSERT_EQ(0, gate_open(&self->gates[0]));
	ASSERT_EQ(3, import_take(self->p.dev, self->done, 3, 3, 5 * SEC));
	EXPECT_EQ(0, self->done[0].status);
	EXPECT_EQ(error, self->done[1].status);
	EXPECT_EQ(0, self->done[2].status);
	EXPECT_EQ(1000, buffer_differs(&self->p.b[DST], SEED, 0, 3000));
	EXPECT_EQ(3000, buffer_differs(&self->p.b[DST], SEED, 2000, 3000));
}

FIXTURE(implicit) {
	struct totals before;
	struct pair p;
	struct gate gate;
	struct fpgabuf_import_copy copy;
	struct fpgabuf_import_done done;
};

/* Somebody reads or writes one of the buffers. */
FIXTURE_VARIANT(implicit) {
	int buffer;
	__u32 use;
	bool waits;
};

FIXTURE_VARIANT_ADD(implicit, source_is_read) {
	.buffer = SRC,
	.use = DMA_BUF_SYNC_READ,
	.waits = false,
};

FIXTURE_VARIANT_ADD(implicit, source_is_written) {
	.buffer = SRC,
	.use = DMA_BUF_SYNC_WRITE,
	.waits = true,
};

FIXTURE_VARIANT_ADD(implicit, destination_is_read) {
	.buffer = DST,
	.use = DMA_BUF_SYNC_READ,
	.waits = true,
};

FIXTURE_VARIANT_ADD(implicit, destination_is_written) {
	.buffer = DST,
	.use = DMA_BUF_SYNC_WRITE,
	.waits = true,
};

FIXTURE_SETUP(implicit)
{
	int ret;

	REQUIRE_CHANNEL(self->before);
	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
	ASSERT_EQ(0, gate_make(&self->gate, GATE_VGEM));
	ret = import_sync_file(self->p.b[variant->buffer].fd, variant->use,
			       self->gate.fence);
	if (ret == -ENOTTY)
		SKIP(return, "no DMA_BUF_IOCTL_IMPORT_SYNC_FILE");
	ASSERT_EQ(0, ret);
	self->copy = (struct fpgabuf_import_copy){
		.length = SIZE,
		.src = SRC,
		.dst = DST,
	};
}

FIXTURE_TEARDOWN_PARENT(implicit)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(implicit, is_waited_for)
{
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	if (variant->waits) {
		pass_time(WHILE);
		EXPECT_TRUE(is_untouched(&self->p.b[DST]));
		EXPECT_EQ(0, poll_fd(self->p.dev, POLLIN, 0));
		ASSERT_EQ(0, gate_open(&self->gate));
	}
	ASSERT_EQ(1, import_take(self->p.dev, &self->done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, self->done.status);
	if (!variant->waits)
		ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_EQ(SIZE, buffer_differs(&self->p.b[DST], SEED, 0, SIZE));
}

TEST_F(implicit, is_not_when_told_so)
{
	self->copy.flags = FPGABUF_QUEUE_NO_IMPLICIT;
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	ASSERT_EQ(1, import_take(self->p.dev, &self->done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, self->done.status);
	ASSERT_EQ(0, gate_open(&self->gate));
}

FIXTURE(others) {
	struct totals before;
	struct pair p;
	struct fpgabuf_import_copy copy;
};

FIXTURE_SETUP(others)
{
	REQUIRE_CHANNEL(self->before);
	ASSERT_EQ(0, pair_open(&self->p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
	self->copy = (struct fpgabuf_import_copy){
		.length = SIZE,
		.flags = FPGABUF_QUEUE_OUT_FENCE,
		.dst = DST,
	};
	ASSERT_EQ(0, sim_fault("copy0", "hang"));
}

FIXTURE_TEARDOWN_PARENT(others)
{
	EXPECT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NOTHING_LEFT(self->before);
}

/* Readers of the source need not wait, all others must. */
TEST_F(others, poll_for_it)
{
	short both = POLLIN | POLLOUT;

	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	EXPECT_EQ(POLLIN, poll_fd(self->p.b[SRC].fd, both, 0));
	EXPECT_EQ(0, poll_fd(self->p.b[DST].fd, both, 0));
	EXPECT_EQ(0, sync_file_status(self->copy.out_fence));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_NE(0, POLLOUT & poll_fd(self->p.b[SRC].fd, POLLOUT, 5000));
	EXPECT_NE(0, POLLIN & poll_fd(self->p.b[DST].fd, POLLIN, 5000));
	EXPECT_EQ(0, sync_file_wait(self->copy.out_fence, 5000));
	EXPECT_EQ(1, sync_file_status(self->copy.out_fence));
}

TEST_F(others, get_a_file_of_it)
{
	char driver[32], timeline[32], node[32];
	int fence;

	ASSERT_EQ(0, node_name(self->p.dev, node, sizeof(node)));
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	fence = export_sync_file(self->p.b[DST].fd, DMA_BUF_SYNC_READ);
	if (fence == -ENOTTY)
		SKIP(return, "no DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	ASSERT_LE(0, fence);
	EXPECT_EQ(0, sync_file_status(fence));
	ASSERT_EQ(0, sync_file_names(fence, driver, timeline));
	EXPECT_STREQ("fpgabuf", driver);
	EXPECT_STREQ(node, timeline);
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	EXPECT_EQ(0, sync_file_wait(fence, 5000));
	EXPECT_EQ(1, sync_file_status(fence));
}

TEST_F(others, see_it_in_the_trace)
{
	static const char *const events[] = { "queue", "begin", "done" };
	struct fpgabuf_import_done done;
	char line[128];
	size_t i;

	if (trace_events("fpgabuf_import", true) == -ENOENT)
		SKIP(return, "no CONFIG_EVENT_TRACING");
	ASSERT_EQ(0, sim_fault("copy0", "error"));
	self->copy.user_data = 0xf00d;
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	ASSERT_EQ(1, import_take(self->p.dev, &done, 1, 1, 5 * SEC));
	ASSERT_EQ(0, trace_events("fpgabuf_import", false));
	for (i = 0; i < ARRAY_LEN(events); i++) {
		snprintf(line, sizeof(line),
			 "fpgabuf_copy_%s: importer=0 src=0 dst=1 length=4096 user_data=0xf00d status=%d",
			 events[i], i == 2 ? -EIO : 0);
		EXPECT_EQ(1, trace_count(line));
	}
}

/*
 * A buffer as source and as destination of many copies in one call, with the
 * fences of several others there
 */
TEST_F(others, are_in_the_way_of_many)
{
	struct fpgabuf_import_copy copies[IMPORT_DEPTH];
	struct fpgabuf_import_done done[IMPORT_DEPTH];
	struct gate gates[NUM];
	int i;

	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	for (i = 0; i < NUM; i++) {
		ASSERT_EQ(0, gate_make(&gates[i], GATE_VGEM));
		ASSERT_EQ(0, import_sync_file(self->p.b[SRC].fd,
					      DMA_BUF_SYNC_READ,
					      gates[i].fence));
	}
	for (i = 0; i < IMPORT_DEPTH; i++) {
		copies[i] = self->copy;
		copies[i].src = i & 1;
		copies[i].dst = !copies[i].src;
		if (i % 3 == 1)
			copies[i].flags |= FPGABUF_QUEUE_NO_IMPLICIT;
	}
	ASSERT_EQ(0, import_queue(self->p.dev, copies, IMPORT_DEPTH));
	EXPECT_EQ(0, poll_fd(self->p.b[SRC].fd, POLLIN, 0));
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	for (i = 0; i < NUM; i++)
		ASSERT_EQ(0, gate_open(&gates[i]));
	ASSERT_EQ(IMPORT_DEPTH, import_take(self->p.dev, done, IMPORT_DEPTH,
					    IMPORT_DEPTH, 10 * SEC));
	for (i = 0; i < IMPORT_DEPTH; i++) {
		EXPECT_EQ(0, done[i].status);
		EXPECT_EQ(1, sync_file_status(copies[i].out_fence));
	}
}

/* The engine does them in order: it has all of them at a time. */
TEST_F(others, are_not_those_before_it)
{
	struct fpgabuf_import_done done[2];
	char text[16];
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	ASSERT_EQ(0, dmabuf_fdinfo(self->p.dev, "active", text, sizeof(text)));
	EXPECT_STREQ("2", text);
	ASSERT_EQ(0, dmabuf_fdinfo(self->p.dev, "queued", text, sizeof(text)));
	EXPECT_STREQ("0", text);
	ASSERT_EQ(0, sim_fault("copy0", "none"));
	ASSERT_EQ(2, import_take(self->p.dev, done, 2, 2, 5 * SEC));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, done[i].status);
}

/* What is written next does not depend on what others did there before. */
TEST_F(others, may_have_failed_before_it_writes)
{
	struct fpgabuf_completion done[2];
	const int ch = self->p.ch;
	int i;

	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	for (i = SRC; i <= DST; i++)
		ASSERT_EQ(i, fpga_register(ch, self->p.b[i].fd, 0, 0));
	ASSERT_EQ(1, fpga_start(ch));
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	for (i = SRC; i <= DST; i++)
		ASSERT_EQ(0, fpga_queue(ch, i, 0));
	EXPECT_EQ(0, poll_fd(ch, POLLIN, 50));
	close(self->p.dev);
	EXPECT_EQ(-ECANCELED, sync_file_status(self->copy.out_fence));
	ASSERT_EQ(2, fpga_take(ch, done, 2, 2, 5 * SEC));
	for (i = SRC; i <= DST; i++)
		EXPECT_STREQ("ok", raw_check_synced(self->p.b[i].fd,
						    self->p.b[i].map, SIZE,
						    &done[i]));
}

/* What is read is of no use, if who was to write it did not. */
TEST_F(others, must_not_have_failed_before_it_reads)
{
	const int tx = sim_open("tx0");
	struct fpgabuf_completion done;

	if (tx == -ENOENT)
		SKIP(return, "no output channel");
	ASSERT_LE(0, tx);
	ASSERT_EQ(0, fpga_set_raw(tx, SIZE, 0));
	ASSERT_EQ(0, fpga_register(tx, self->p.b[DST].fd, 0, 0));
	ASSERT_EQ(1, fpga_start(tx));
	ASSERT_EQ(0, import_queue(self->p.dev, &self->copy, 1));
	ASSERT_EQ(0, fpga_queue(tx, 0, 0));
	close(self->p.dev);
	ASSERT_EQ(1, fpga_take(tx, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(-ECANCELED, done.status);
}

/**
 * struct party - two who lock the same two buffers
 * @holder: who has the destination, and wants the source
 * @p: the buffers, and the device that locks the source first
 */
struct party {
	int holder;
	struct pair p;
};

FIXTURE(locked) {
	struct totals before;
	struct party party;
};

FIXTURE_SETUP(locked)
{
	const char *const insert[] = { "insmod", HOLDER_FILE, NULL };

	REQUIRE_CHANNEL(self->before);
	if (access(HOLDER_FILE, F_OK))
		SKIP(return, "no " HOLDER_FILE ": built without the modules");
	ASSERT_EQ(0, run_program(insert));
	self->party.holder = open("/dev/" HOLDER, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->party.holder);
	ASSERT_EQ(0, pair_open(&self->party.p, SIZE, FPGABUF_KIND_COHERENT,
			       IMPORT_BOTH));
}

FIXTURE_TEARDOWN_PARENT(locked)
{
	const char *const remove[] = { "rmmod", HOLDER, NULL };

	if (module_loaded(HOLDER))
		EXPECT_EQ(0, run_program(remove));
	EXPECT_NOTHING_LEFT(self->before);
}

static atomic_int queuing;

static void *hold_destination(void *arg)
{
	const struct party *party = arg;

	return (void *)(intptr_t)ioctl(party->holder, HOLDER_HOLD,
				       party->p.b[DST].fd);
}

static void *queue_copy(void *arg)
{
	struct fpgabuf_import_copy copy = { .length = SIZE, .dst = DST };
	const struct party *party = arg;

	queuing = syscall(SYS_gettid);
	return (void *)(intptr_t)import_queue(party->p.dev, &copy, 1);
}

/* The thread sleeps in an ioctl: it waits for the buffer that is held. */
static bool waits_in_ioctl(int thread)
{
	char path[48], text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return atoi(text) == SYS_ioctl;
}

static bool comes_to_wait(void)
{
	const __s64 end = now_ns() + 10 * SEC;

	while (now_ns() < end) {
		if (queuing && waits_in_ioctl(queuing))
			return true;
		pass_time(MSEC);
	}
	return false;
}

/* Who came later gives back what he has, and waits; else both would for ever. */
TEST_F(locked, gives_way)
{
	struct fpgabuf_import_done done;
	pthread_t holder, queuer;
	void *ret;

	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_destination,
				    &self->party));
	ASSERT_EQ(0, ioctl(self->party.holder, HOLDER_WAIT));
	ASSERT_EQ(0, pthread_create(&queuer, NULL, queue_copy,
				    &self->party));
	EXPECT_TRUE(comes_to_wait());
	EXPECT_EQ(0, ioctl(self->party.holder, HOLDER_TRY,
			   self->party.p.b[SRC].fd));
	ASSERT_EQ(0, ioctl(self->party.holder, HOLDER_RELEASE));
	ASSERT_EQ(0, pthread_join(holder, &ret));
	EXPECT_EQ(NULL, ret);
	ASSERT_EQ(0, pthread_join(queuer, &ret));
	EXPECT_EQ(NULL, ret);
	ASSERT_EQ(1, import_take(self->party.p.dev, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
