// SPDX-License-Identifier: GPL-2.0
/*
 * The loop: what tx0 takes comes back on loop0, byte for byte; what becomes of it
 * when loop0 has no buffer, is not started, or has frames of another size.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "sim_test.h"

#define FRAME		1024
#define SLOTS		8

FIXTURE(loopback) {
	struct totals before;
	int tx, loop;
	struct buffer out, in;
};

FIXTURE_SETUP(loopback)
{
	REQUIRE_CHANNEL(self->before);
	self->tx = sim_open("tx0");
	self->loop = sim_open("loop0");
	ASSERT_LE(0, self->tx);
	ASSERT_LE(0, self->loop);
	ASSERT_EQ(0, buffer_alloc(self->tx, SLOTS * FRAME,
				  FPGABUF_KIND_SYSTEM, &self->out));
	ASSERT_EQ(0, buffer_alloc(self->loop, SLOTS * FRAME,
				  FPGABUF_KIND_SYSTEM, &self->in));
}

FIXTURE_TEARDOWN_PARENT(loopback)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Frames of @out bytes to tx0, @fps a second, and of @in bytes from loop0. */
static int prepare(int tx, const struct buffer *out, size_t size_out, __u32 fps,
		   int loop, const struct buffer *in, size_t size_in)
{
	return fpga_set_raw(tx, size_out, fps) ?:
	       fpga_set_raw(loop, size_in, 0) ?:
	       sim_register(tx, out->fd, size_out, out->size / size_out) ?:
	       sim_register(loop, in->fd, size_in, in->size / size_in);
}

/* Word i of frame @number: a counter that no two frames have in common. */
static __u32 word(__u64 number, size_t i)
{
	return (number << 16) + i * 0x9e3779b9U;
}

static int make_frame(const struct buffer *b, int slot, size_t size,
		      __u64 number)
{
	__u32 *frame = (__u32 *)((char *)b->map + slot * size);
	size_t i;
	int ret;

	ret = dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	for (i = 0; i < size / sizeof(*frame); i++)
		frame[i] = word(number, i);
	return ret ?: dmabuf_sync(b->fd, DMA_BUF_SYNC_END |
				  DMA_BUF_SYNC_WRITE);
}

/* Whether the first @len bytes in a slot are those of frame @number. */
static bool is_frame(const struct buffer *b, int slot, size_t size, size_t len,
		     __u64 number)
{
	const __u32 *frame = (const __u32 *)((char *)b->map + slot * size);
	size_t i;

	if (dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return false;
	for (i = 0; i < len / sizeof(*frame); i++)
		if (frame[i] != word(number, i))
			return false;
	return !dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

/* Frame @number in slot @number, modulo the slots */
static int send(int tx, const struct buffer *b, size_t size, __u64 number)
{
	int slot = number % (b->size / size);

	return make_frame(b, slot, size, number) ?:
	       fpga_queue(tx, slot, number);
}

static int queue_all(int ch, int count)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++)
		ret = fpga_queue(ch, i, i);
	return ret;
}

/* Take one completion. */
static int take_one(int ch, struct fpgabuf_completion *done)
{
	int ret = fpga_take(ch, done, 1, 1, 5 * SEC);

	return ret < 0 ? ret : ret == 1 ? 0 : -ETIME;
}

TEST_F(loopback, thousand_frames)
{
	const __u64 frames = 1000;
	struct fpgabuf_completion done;
	__u64 next;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME));
	ASSERT_EQ(0, queue_all(self->loop, SLOTS));
	for (next = 0; next < SLOTS; next++)
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, next));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));

	for (next = 0; next < frames; next++) {
		ASSERT_EQ(0, take_one(self->loop, &done));
		ASSERT_EQ(0, done.status);
		ASSERT_EQ((__u64)FRAME, done.bytes);
		ASSERT_EQ(next, done.sequence);
		ASSERT_EQ(0U, done.lost);
		ASSERT_TRUE(is_frame(&self->in, done.slot, FRAME, FRAME, next));
		ASSERT_EQ(0, fpga_queue(self->loop, done.slot, 0));

		ASSERT_EQ(0, take_one(self->tx, &done));
		ASSERT_EQ(0, done.status);
		ASSERT_EQ(next, done.user_data);
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, next + SLOTS));
	}
}

/* The trailer is that of the frame, not made anew. */
TEST_F(loopback, trailer)
{
	struct fpgabuf_completion captured, done;
	struct buffer *b = &self->out;
	int rx = sim_open("rx0");

	ASSERT_LE(0, rx);
	ASSERT_EQ(0, prepare(self->tx, b, FRAME, 0,
			     self->loop, &self->in, FRAME));
	ASSERT_EQ(0, fpga_set_raw(rx, FRAME, 0));
	ASSERT_EQ(0, fpga_register(rx, b->fd, 0, FRAME));
	ASSERT_EQ(0, fpga_capture(rx, 0, &captured));
	ASSERT_EQ(0, fpga_capture(rx, 0, &captured));
	ASSERT_EQ(2U, captured.run);
	ASSERT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	ASSERT_EQ(0, dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));

	ASSERT_EQ(0, fpga_queue(self->loop, 3, 0));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(0, fpga_queue(self->tx, 0, 0));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, take_one(self->loop, &done));
	EXPECT_EQ(1U, done.run);
	EXPECT_STREQ("ok", raw_check_synced(self->in.fd,
					    (char *)self->in.map + 3 * FRAME,
					    FRAME, &captured));
}

/* Without a rate a frame waits for a buffer of loop0, those behind it in tx0. */
TEST_F(loopback, patient)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, i));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(1, fpga_take(self->tx, done, 1, 1, 5 * SEC));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->tx, done, 1, 1, 50 * MSEC));

	ASSERT_EQ(0, queue_all(self->loop, SLOTS));
	ASSERT_EQ(SLOTS, fpga_take(self->loop, done, SLOTS, SLOTS, 5 * SEC));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ(0U, done[i].lost);
		EXPECT_TRUE(is_frame(&self->in, done[i].slot, FRAME, FRAME, i));
	}
}

/* With a rate it is lost, and that is told with the next one. */
TEST_F(loopback, starved)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 500,
			     self->loop, &self->in, FRAME));
	for (i = 0; i < SLOTS - 1; i++)
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, i));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(SLOTS - 1, fpga_take(self->tx, done, SLOTS, SLOTS - 1,
				       5 * SEC));

	ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME, SLOTS - 1));
	ASSERT_EQ(0, take_one(self->loop, &done[0]));
	EXPECT_EQ(0, done[0].status);
	/* The last one but one may still have been on its way. */
	EXPECT_LE(SLOTS - 2U, done[0].lost);
	EXPECT_EQ(done[0].lost, done[0].sequence);
	EXPECT_EQ((__u32)FPGABUF_DONE_LOST_STARVED, done[0].flags);
	EXPECT_TRUE(is_frame(&self->in, 0, FRAME, FRAME, done[0].sequence));
}

/* What comes while loop0 is stopped is of no interest to it. */
TEST_F(loopback, not_started)
{
	struct fpgabuf_completion done[SLOTS];
	int i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, i));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(SLOTS, fpga_take(self->tx, done, SLOTS, SLOTS, 5 * SEC));

	ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME, SLOTS));
	ASSERT_EQ(0, take_one(self->loop, &done[0]));
	EXPECT_EQ(0U, done[0].lost);
	EXPECT_EQ(0U, done[0].sequence);
	EXPECT_TRUE(is_frame(&self->in, 0, FRAME, FRAME, SLOTS));
}

/* A frame that waits when loop0 stops is gone, and does not hold up tx0. */
TEST_F(loopback, stopped_meanwhile)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, send(self->tx, &self->out, FRAME, i));
	ASSERT_EQ(0, take_one(self->tx, &done));
	ASSERT_EQ(0, fpga_stop(self->loop));
	ASSERT_EQ(0, take_one(self->tx, &done));
	EXPECT_EQ(1U, done.user_data);
}

/* Room for a frame of another size is made while one of the old size waits. */
TEST_F(loopback, new_format_meanwhile)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME / 2, 0,
			     self->loop, &self->in, FRAME));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME / 2, 0));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, take_one(self->tx, &done));
	ASSERT_EQ(0, fpga_stop(self->tx));

	for (i = 0; i < 2 * SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->tx, i));
	ASSERT_EQ(0, fpga_set_raw(self->tx, FRAME, 0));
	ASSERT_EQ(0, sim_register(self->tx, self->out.fd, FRAME, SLOTS));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME, 1));
	ASSERT_EQ(2, fpga_start(self->tx));
	ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
	ASSERT_EQ(0, take_one(self->loop, &done));
	EXPECT_EQ((__u64)FRAME, done.bytes);
	EXPECT_TRUE(is_frame(&self->in, 0, FRAME, FRAME, 1));
}

/* loop0's frames are larger: they come short, the rest is not written. */
TEST_F(loopback, larger)
{
	const char *rest = (char *)self->in.map + FRAME / 2;
	struct fpgabuf_completion done;

	memset(self->in.map, 0xa5, self->in.size);
	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME / 2, 0,
			     self->loop, &self->in, FRAME));
	ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME / 2, 7));
	ASSERT_EQ(0, take_one(self->loop, &done));
	EXPECT_EQ(-EMSGSIZE, done.status);
	EXPECT_EQ((__u64)FRAME / 2, done.bytes);
	EXPECT_TRUE(is_frame(&self->in, 0, FRAME, FRAME / 2, 7));
	EXPECT_TRUE(all_bytes(rest, 0xa5, FRAME / 2));
}

/* Packets come as long as they were sent, and that is no error. */
TEST_F(loopback, packets)
{
	static const __u64 lengths[] = { FRAME / 2, SIM_MIN_FRAME, FRAME };
	struct fpgabuf_queue_entry entry = { .slot = 0 };
	struct fpgabuf_completion done;
	size_t i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0, self->loop,
			     &self->in, FRAME));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_unregister(self->loop, i));
	ASSERT_EQ(0, fpga_set_packets(self->loop, FRAME, 0));
	ASSERT_EQ(0, sim_register(self->loop, self->in.fd, FRAME, SLOTS));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
		ASSERT_EQ(0, make_frame(&self->out, 0, lengths[i], i));
		entry.bytes = lengths[i];
		ASSERT_EQ(0, fpga_exchange(self->tx, &entry, 1, NULL, 0, 0, 0));
		ASSERT_EQ(0, take_one(self->loop, &done));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ(lengths[i], done.bytes);
		EXPECT_TRUE(is_frame(&self->in, 0, FRAME, lengths[i], i));
		ASSERT_EQ(0, take_one(self->tx, &done));
	}
}

/* They are smaller: the rest is cut off. */
TEST_F(loopback, smaller)
{
	const char *next = (char *)self->in.map + FRAME / 2;
	struct fpgabuf_completion done;

	memset(self->in.map, 0xa5, self->in.size);
	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME / 2));
	ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, send(self->tx, &self->out, FRAME, 7));
	ASSERT_EQ(0, take_one(self->loop, &done));
	EXPECT_EQ(0, done.status);
	EXPECT_EQ((__u64)FRAME / 2, done.bytes);
	EXPECT_TRUE(is_frame(&self->in, 0, FRAME / 2, FRAME / 2, 7));
	EXPECT_TRUE(all_bytes(next, 0xa5, FRAME / 2));
}

/* Pieces of memory of which no two lie side by side */
static int scattered(int ch, size_t size, struct buffer *b)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t page = page_size(), i, pages = size / page;

	if (memory == MAP_FAILED)
		return -errno;
	madvise(memory, size, MADV_NOHUGEPAGE);
	/* Touched backwards: neighbours here are none there, or in reverse. */
	for (i = pages; i-- > 0;)
		memory[i * page] = 1;
	return buffer_from_fd(fpga_alloc_user(ch, memory, size,
					      O_RDWR | O_CLOEXEC), b);
}

/*
 * Less than a frame, down to the smallest one, ending in any of the pieces that
 * the memory is in; and a whole frame is whole again after it.
 */
TEST_F(loopback, less_than_a_frame)
{
	static const __u64 lengths[] = {
		64, 4096 - 64, 4096, 4096 + 64, 3 * 4096 - 4, 4 * 4096, 0,
	};
	const size_t size = 4 * 4096;
	struct fpgabuf_completion done;
	struct buffer out, in;
	size_t i;

	if (page_size() != 4096)
		SKIP(return, "made for pages of 4 KiB");
	ASSERT_EQ(0, scattered(self->tx, size, &out));
	ASSERT_EQ(0, buffer_alloc(self->loop, size, FPGABUF_KIND_SYSTEM, &in));
	ASSERT_EQ(0, prepare(self->tx, &out, size, 0, self->loop, &in, size));
	ASSERT_EQ(1, fpga_start(self->loop));
	ASSERT_EQ(1, fpga_start(self->tx));
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		const __u64 bytes = lengths[i] ?: size;
		const struct fpgabuf_queue_entry entry = {
			.bytes = lengths[i],
		};

		ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_WRITE));
		memset(in.map, 0xa5, size);
		ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_WRITE));
		ASSERT_EQ(0, make_frame(&out, 0, size, i));
		ASSERT_EQ(0, fpga_queue(self->loop, 0, 0));
		ASSERT_EQ(0, fpga_exchange(self->tx, &entry, 1, NULL, 0, 0,
					   0));
		ASSERT_EQ(1, fpga_take(self->tx, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ(bytes, done.bytes);
		ASSERT_EQ(1, fpga_take(self->loop, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(bytes < size ? -EMSGSIZE : 0, done.status);
		EXPECT_EQ(bytes, done.bytes);
		ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		EXPECT_TRUE(is_frame(&in, 0, size, bytes, i));
		EXPECT_TRUE(all_bytes((char *)in.map + bytes, 0xa5,
				      size - bytes));
		ASSERT_EQ(0, dmabuf_sync(in.fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_READ));
	}
}

/* What is no length of a frame is refused. */
TEST_F(loopback, bad_lengths)
{
	static const __u64 lengths[] = {
		1, 60, 63, 66, FRAME - 1, FRAME + 4, 2 * FRAME, 1ULL << 32,
		~0ULL,
	};
	struct fpgabuf_queue_entry entry = { 0 };
	size_t i;

	ASSERT_EQ(0, prepare(self->tx, &self->out, FRAME, 0,
			     self->loop, &self->in, FRAME));
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		entry.bytes = lengths[i];
		EXPECT_EQ(-EINVAL, fpga_exchange(self->tx, &entry, 1, NULL, 0,
						 0, 0))
			TH_LOG("%#llx bytes", (unsigned long long)lengths[i]);
	}
	entry.bytes = FRAME;
	EXPECT_EQ(0, fpga_exchange(self->tx, &entry, 1, NULL, 0, 0, 0));
}

TEST_HARNESS_MAIN
