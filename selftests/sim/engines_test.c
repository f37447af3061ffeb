// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that a channel does, on each engine that the simulated one can behave
 * as: frames and pictures in, frames out, fences, errors, stop, an engine that does
 * not stop, unbind, copies.
 */
#include <drm/drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fences.h"
#include "../importer/importer_test.h"
#include "sim_test.h"

#define FRAME		4096
#define SLOTS		8
/* Of a picture: pixels of two bytes, and bytes from line to line */
#define WIDTH		100
#define HEIGHT		20
#define LINE		(WIDTH * 2U)
#define PITCH		256U
#define FILL		0xa5
/* Longest line of the simulated engines */
#define MAX_LINE	(2 << 20)
#define TIMEOUT_MS	300

FIXTURE(engine) {
	struct totals before;
	int ch;
	struct buffer b;
};

/* @lines: pictures are moved line by line; @gathered: frames per interrupt, at most */
FIXTURE_VARIANT(engine) {
	const char *name;
	bool lines;
	int gathered;
};

FIXTURE_VARIANT_ADD(engine, ideal) {
	.name = "ideal", .gathered = 1,
};

FIXTURE_VARIANT_ADD(engine, vdma) {
	.name = "vdma", .lines = true, .gathered = 1,
};

FIXTURE_VARIANT_ADD(engine, axidma) {
	.name = "axidma", .gathered = 4,
};

FIXTURE_VARIANT_ADD(engine, xdma) {
	.name = "xdma", .gathered = 1,
};

FIXTURE_VARIANT_ADD(engine, qdma) {
	.name = "qdma", .gathered = 1,
};

FIXTURE_VARIANT_ADD(engine, edma) {
	.name = "edma", .gathered = 1,
};

FIXTURE_SETUP(engine)
{
	ASSERT_EQ(0, sim_load(variant->name));
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_CONTIGUOUS, &self->b));
}

FIXTURE_TEARDOWN_PARENT(engine)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* One interrupt for several frames */
FIXTURE(gathering) {
	struct totals before;
	int ch;
	struct buffer b;
};

FIXTURE_SETUP(gathering)
{
	ASSERT_EQ(0, sim_load("axidma"));
	REQUIRE_CHANNEL(self->before);
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * FRAME,
				  FPGABUF_KIND_CONTIGUOUS, &self->b));
}

FIXTURE_TEARDOWN_PARENT(gathering)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int set_up(int ch, const struct buffer *b, __u32 fps)
{
	return fpga_set_raw(ch, FRAME, fps) ?:
	       sim_register(ch, b->fd, FRAME, SLOTS);
}

static int queue_some(int ch, int num)
{
	int i, ret = 0;

	for (i = 0; !ret && i < num; i++)
		ret = fpga_queue(ch, i, i);
	return ret;
}

static const char *check(const struct buffer *b,
			 const struct fpgabuf_completion *done)
{
	return raw_check_synced(b->fd, (char *)b->map + done->slot * FRAME,
				FRAME, done);
}

/* Take one frame, whole, and queue its buffer again. */
static const char *pass_on(int ch, const struct buffer *b)
{
	struct fpgabuf_completion done;
	const char *verdict;

	if (fpga_take(ch, &done, 1, 1, 5 * SEC) != 1)
		return "no frame";
	verdict = check(b, &done);
	if (fpga_queue(ch, done.slot, 0))
		return "not queued again";
	return verdict;
}

/* A run of frames, after whatever came before */
static const char *streams(int ch, const struct buffer *b, int frames)
{
	const char *verdict = "ok";

	if (queue_some(ch, SLOTS) || fpga_start(ch) <= 0)
		return "not started";
	while (frames-- && !strcmp(verdict, "ok"))
		verdict = pass_on(ch, b);
	return fpga_stop(ch) ? "not stopped" : verdict;
}

/* Take what is done, all of it, and say how many had that status. */
static int count_status(int ch, int num, int status)
{
	struct fpgabuf_completion done[SLOTS];
	int i, count = 0;

	if (fpga_take(ch, done, num, num, 10 * SEC) != num)
		return -ETIME;
	for (i = 0; i < num; i++)
		count += done[i].status == status;
	return count;
}

TEST_F(engine, captures)
{
	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	EXPECT_STREQ("ok", streams(self->ch, &self->b, 200));
}

TEST_F(engine, is_described)
{
	struct fpgabuf_info info = { 0 };

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ(variant->lines, !!(info.capabilities & FPGABUF_CAP_LINES));
	EXPECT_EQ(!variant->lines, !!(info.capabilities & FPGABUF_CAP_SCATTER));
	EXPECT_EQ((__u64)MAX_LINE, info.max_segment);
	EXPECT_STREQ(SIM_DEVICE, (char *)info.bus);
	/* A raw block is one line. */
	EXPECT_EQ(0, fpga_set_raw(self->ch, MAX_LINE, 0));
	EXPECT_EQ(variant->lines ? -ERANGE : 0,
		  fpga_set_raw(self->ch, MAX_LINE + 4, 0));
}

/* Memory in pieces: pages that are touched one after the other are no neighbours. */
TEST_F(engine, takes_pieces_or_refuses_them)
{
	const size_t page = page_size(), size = 64 * page;
	struct fpgabuf_inspect inspect = { 0 };
	size_t i;
	char *memory;
	int fd, ret;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (i = 0; i < size; i += 2 * page)
		memory[i] = 1;
	for (i = page; i < size; i += 2 * page)
		memory[i] = 1;
	fd = fpga_alloc_user(self->ch, memory, size, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fpga_inspect(self->ch, fd, &inspect, NULL, 0));
	ASSERT_EQ(0, fpga_set_raw(self->ch, size, 0));
	ret = fpga_register(self->ch, fd, 0, 0);
	/* Bounce buffers may happen to be neighbours, other ones each time. */
	if (variant->lines && bounced() && !ret)
		return;
	if (!bounced())
		ASSERT_LT(1U, inspect.dma_segments);
	EXPECT_EQ(variant->lines ? -EOPNOTSUPP : 0, ret);
}

/* @pitch: in bytes; 0: the driver chooses it. @format: out, as it was set */
static int set_picture(int ch, __u32 pitch, struct fpgabuf_format *format)
{
	*format = (struct fpgabuf_format){
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = DRM_FORMAT_YUYV,
		.width = WIDTH,
		.height = HEIGHT,
		.pitches = { pitch },
		.rate = { 0, 1 },
	};
	return fpga_set_format(ch, format);
}

/* What is between the lines of a picture is all @value; with the last line's */
static bool padding_is(const char *picture, int lines, __u8 value)
{
	int i;

	for (i = 0; i < lines; i++)
		if (!all_bytes(picture + i * PITCH + LINE, value, PITCH - LINE))
			return false;
	return true;
}

static void pack(char *to, const char *picture)
{
	int i;

	for (i = 0; i < HEIGHT; i++)
		memcpy(to + i * LINE, picture + i * PITCH, LINE);
}

static const char *check_picture(const struct buffer *b, bool lines,
				 struct fpgabuf_completion *done)
{
	char packed[LINE * HEIGHT];
	const char *verdict;

	if (done->bytes != PITCH * HEIGHT)
		return "bytes are not those of the picture";
	if (dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return "no sync";
	if (lines) {
		pack(packed, b->map);
		done->bytes = sizeof(packed);
		verdict = frame_check(packed, sizeof(packed), done);
		if (!padding_is(b->map, HEIGHT, FILL))
			verdict = "something was written between lines";
	} else {
		verdict = frame_check(b->map, PITCH * HEIGHT, done);
		/* The last one is where the trailer is. */
		if (!padding_is(b->map, HEIGHT - 1, 0))
			verdict = "the padding is not that of the frame";
	}
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	return verdict;
}

TEST_F(engine, captures_pictures)
{
	struct fpgabuf_completion done;
	struct fpgabuf_format format;

	ASSERT_EQ(0, set_picture(self->ch, 0, &format));
	/* Lines begin at aligned addresses. */
	EXPECT_EQ(variant->lines ? PITCH : LINE, format.pitches[0]);
	EXPECT_EQ(variant->lines ? -EINVAL : 0,
		  set_picture(self->ch, LINE, &format));
	ASSERT_EQ(0, set_picture(self->ch, PITCH, &format));
	ASSERT_EQ((__u64)PITCH * HEIGHT, format.size);
	/* Before it is mapped: bounce buffers keep what the engine does not write. */
	memset(self->b.map, FILL, self->b.size);
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, fpga_capture(self->ch, 0, &done));
	EXPECT_STREQ("ok", check_picture(&self->b, variant->lines, &done));
}

/* Half of the picture's pixels: so many lines, and their padding */
TEST_F(engine, says_how_far_it_came)
{
	struct fpgabuf_completion done;
	struct fpgabuf_format format;

	ASSERT_EQ(0, set_picture(self->ch, PITCH, &format));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, sim_fault("rx0", "short"));
	ASSERT_EQ(0, fpga_capture(self->ch, 0, &done));
	EXPECT_EQ(-EMSGSIZE, done.status);
	EXPECT_EQ((__u64)PITCH * HEIGHT / 2, done.bytes);
}

static void number_bytes(const struct buffer *b)
{
	size_t i;

	dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	for (i = 0; i < b->size; i++)
		((char *)b->map)[i] = i * 7 + i / 256;
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

/* One frame of @bytes, 0: a whole one, through tx0 to loop0 */
static int send_one(int tx, int loop, __u64 bytes,
		    struct fpgabuf_completion *done)
{
	const struct fpgabuf_queue_entry entry = { .bytes = bytes };

	if (fpga_queue(loop, 0, 0) || fpga_start(loop) <= 0 ||
	    fpga_start(tx) <= 0)
		return -EIO;
	if (fpga_exchange(tx, &entry, 1, done, 1, 1, 5 * SEC) != 1)
		return -ETIME;
	if (done->status)
		return done->status;
	return fpga_take(loop, done, 1, 1, 5 * SEC) == 1 ? 0 : -ETIME;
}

TEST_F(engine, puts_out)
{
	int tx = sim_open("tx0"), loop = sim_open("loop0");
	struct fpgabuf_format format;
	struct fpgabuf_completion done;
	struct buffer in;

	ASSERT_EQ(0, set_picture(tx, PITCH, &format));
	ASSERT_EQ(0, set_picture(loop, PITCH, &format));
	ASSERT_EQ(0, buffer_alloc(loop, FRAME * 2, FPGABUF_KIND_CONTIGUOUS,
				  &in));
	number_bytes(&self->b);
	memset(in.map, FILL, in.size);
	ASSERT_EQ(0, fpga_register(tx, self->b.fd, 0, 0));
	ASSERT_EQ(0, fpga_register(loop, in.fd, 0, 0));
	ASSERT_EQ(0, send_one(tx, loop, 0, &done));
	EXPECT_EQ(0, done.status);
	ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	if (!variant->lines) {
		EXPECT_EQ(0, memcmp(in.map, self->b.map, PITCH * HEIGHT));
	} else {
		char sent[LINE * HEIGHT], came[LINE * HEIGHT];

		pack(sent, self->b.map);
		pack(came, in.map);
		EXPECT_EQ(0, memcmp(came, sent, sizeof(sent)));
		EXPECT_TRUE(padding_is(in.map, HEIGHT, FILL));
	}
}

/* A packet that is shorter than its buffer */
TEST_F(engine, puts_out_a_part)
{
	int tx = sim_open("tx0"), loop = sim_open("loop0");
	struct fpgabuf_completion done;
	struct buffer in;

	ASSERT_EQ(0, fpga_set_raw(tx, FRAME, 0));
	ASSERT_EQ(0, fpga_set_packets(loop, FRAME, 0));
	ASSERT_EQ(0, buffer_alloc(loop, FRAME, FPGABUF_KIND_CONTIGUOUS, &in));
	number_bytes(&self->b);
	ASSERT_EQ(0, fpga_register(tx, self->b.fd, 0, FRAME));
	ASSERT_EQ(0, fpga_register(loop, in.fd, 0, 0));
	ASSERT_EQ(0, send_one(tx, loop, 1024, &done));
	EXPECT_EQ(0, done.status);
	EXPECT_EQ(1024ULL, done.bytes);
	ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, memcmp(in.map, self->b.map, 1024));
	/* The next one is whole again. */
	ASSERT_EQ(0, fpga_stop(tx));
	ASSERT_EQ(0, fpga_stop(loop));
	ASSERT_EQ(0, send_one(tx, loop, 0, &done));
	EXPECT_EQ((__u64)FRAME, done.bytes);
}

/* The longest time in ns until an error or a hang of any engine is reported */
static __s64 bound(int gathered)
{
	return (__s64)TIMEOUT_MS * MSEC * gathered * 2 + SLACK;
}

TEST_F(engine, signals)
{
	int fence[3], i;
	__s64 begin;

	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, TIMEOUT_MS));
	ASSERT_EQ(0, sim_fault("rx0", "hang 1 1"));
	begin = now_ns();
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &fence[i]));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, sync_file_wait(fence[i], 10000));
	EXPECT_GE(bound(variant->gathered), now_ns() - begin);
	EXPECT_EQ(1, sync_file_status(fence[2]));
	/* If it has not reported the first one, it may hang in that as well. */
	if (variant->gathered == 1) {
		EXPECT_EQ(1, sync_file_status(fence[0]));
		EXPECT_EQ(-ETIMEDOUT, sync_file_status(fence[1]));
	}
	EXPECT_EQ(1, count_status(self->ch, 3, -ETIMEDOUT));
}

/* Also without a callback, and without a fence to be signaled */
TEST_F(engine, reports_errors)
{
	struct fpgabuf_completion done[3];
	__s64 begin;

	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	ASSERT_EQ(0, sim_fault("rx0", "error 1 1"));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, TIMEOUT_MS));
	begin = now_ns();
	ASSERT_EQ(0, queue_some(self->ch, 3));
	ASSERT_EQ(3, fpga_take(self->ch, done, 3, 3, 10 * SEC));
	EXPECT_GE(bound(variant->gathered), now_ns() - begin);
	if (variant->gathered == 1) {
		EXPECT_EQ(0, done[0].status);
		EXPECT_EQ(-EIO, done[1].status);
	}
	EXPECT_EQ(-EIO, done[0].status ?: done[1].status);
	EXPECT_EQ(0, done[2].status);
	EXPECT_STREQ("ok", check(&self->b, &done[2]));
}

TEST_F(engine, stops)
{
	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	ASSERT_EQ(0, sim_fault("rx0", "hang"));
	ASSERT_EQ(0, queue_some(self->ch, SLOTS));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(SLOTS, count_status(self->ch, SLOTS, -ECANCELED));
	EXPECT_STREQ("ok", streams(self->ch, &self->b, 20));
}

/* Also if its terminate reports success although it goes on */
TEST_F(engine, is_quarantined)
{
	struct fpgabuf_info info = { 0 };

	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	ASSERT_EQ(0, sim_fault("rx0", "stuck"));
	ASSERT_EQ(0, queue_some(self->ch, 2));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_TRUE(sim_fault_met("rx0"));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(2, count_status(self->ch, 2, -EIO));
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ(FPGABUF_STATE_QUARANTINE, info.state);
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	ASSERT_EQ(0, sim_fault("rx0", "none"));
	EXPECT_STREQ("ok", streams(self->ch, &self->b, 20));
}

TEST_F(engine, is_unbound)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, set_up(self->ch, &self->b, 100));
	ASSERT_EQ(0, queue_some(self->ch, SLOTS));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	ASSERT_EQ(0, driver_write("unbind"));
	EXPECT_EQ(-ENODEV, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	ASSERT_EQ(0, driver_write("bind"));
	self->ch = sim_open("rx0");
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, set_up(self->ch, &self->b, 0));
	EXPECT_STREQ("ok", streams(self->ch, &self->b, 20));
}

TEST_F(engine, copies)
{
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, 16 * FRAME, FPGABUF_KIND_CONTIGUOUS,
			       FPGABUF_IMPORT_READ));
	ASSERT_EQ(0, import_copy(p.dev, SRC, DST, 16 * FRAME));
	EXPECT_EQ(16 * FRAME,
		  buffer_differs(&p.b[DST], SEED, 0, 16 * FRAME));
}

/* The interrupt is longer to come than a frame may take: that is no timeout. */
TEST_F(gathering, has_time)
{
	int fence[SLOTS], i;

	/* 5 frames a second: an interrupt each 800 ms */
	ASSERT_EQ(0, set_up(self->ch, &self->b, 5));
	ASSERT_EQ(1, fpga_start_timeout(self->ch, 500));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &fence[i]));
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, sync_file_wait(fence[i], 10000));
		EXPECT_EQ(1, sync_file_status(fence[i]));
	}
	EXPECT_EQ(SLOTS, count_status(self->ch, SLOTS, 0));
}

int main(int argc, char **argv)
{
	sim_load_at_exit();
	return test_harness_run(argc, argv);
}
