// SPDX-License-Identifier: GPL-2.0
/*
 * Packets: frames that are shorter than their buffers, and what the board adds to
 * each of them.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <drm/drm_fourcc.h>

#include "../kselftest_harness.h"
#include "fences.h"
#include "fpgabuf_test.h"

#define SIZE		2048
#define SLOTS		32
/* How many of SLOTS have a length of their own, at least */
#define LENGTHS		(SLOTS / 2U)
#define UNTOUCHED	0xa5

FIXTURE(packet) {
	struct totals before;
	int ch;
	struct buffer b;
	struct fpgabuf_completion done[SLOTS];
	struct fpgabuf_metadata metadata[SLOTS];
};

FIXTURE_SETUP(packet)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, SLOTS * SIZE, FPGABUF_KIND_SYSTEM,
				  &self->b));
	ASSERT_EQ(0, fpga_set_packets(self->ch, SIZE, 0));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(i, fpga_register(self->ch, self->b.fd, i * SIZE,
					   SIZE));
}

FIXTURE_TEARDOWN_PARENT(packet)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int queue_all(int ch)
{
	int i, ret = 0;

	for (i = 0; !ret && i < SLOTS; i++)
		ret = fpga_queue(ch, i, i);
	return ret;
}

/* Take all; where the metadata goes: @metadata, or nowhere */
static int take_all(int ch, struct fpgabuf_completion *done, void *metadata)
{
	struct fpgabuf_exchange x = {
		.done = (uintptr_t)done,
		.done_count = SLOTS,
		.min_done = SLOTS,
		.timeout = 10 * SEC,
		.metadata = (uintptr_t)metadata,
	};
	const int ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &x);

	return ret ?: (int)x.done_count;
}

static int capture_all(int ch)
{
	const int ret = queue_all(ch);

	return ret ?: fpga_start(ch);
}

/* Whole, and nothing behind its end was written */
static const char *packet_check(const struct buffer *b,
				const struct fpgabuf_completion *done)
{
	const char *packet = (const char *)b->map + done->slot * SIZE;

	if (done->bytes < SIM_MIN_FRAME || done->bytes > SIZE)
		return "a length that there is not";
	if (!all_bytes(packet + done->bytes, UNTOUCHED, SIZE - done->bytes))
		return "more was written";
	return raw_check(packet, done->bytes, done);
}

static unsigned int num_lengths(const struct fpgabuf_completion *done)
{
	unsigned int num = 0;
	int i, k;

	for (i = 0; i < SLOTS; i++) {
		for (k = 0; k < i && done[k].bytes != done[i].bytes; k++)
			;
		num += k == i;
	}
	return num;
}

/* Each is as long as it says, and that is no error. */
TEST_F(packet, of_any_length)
{
	int i;

	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_WRITE));
	memset(self->b.map, UNTOUCHED, self->b.size);
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_WRITE));
	ASSERT_EQ(1, capture_all(self->ch));
	ASSERT_EQ(SLOTS, take_all(self->ch, self->done, NULL));
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ((__u64)i, self->done[i].sequence);
		EXPECT_STREQ("ok", packet_check(&self->b, &self->done[i]));
	}
	EXPECT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_READ));
	EXPECT_LE(LENGTHS, num_lengths(self->done));
}

/* Who waits for a packet by its fence does not take a short one for an error. */
TEST_F(packet, has_a_good_fence)
{
	int out[SLOTS], i;

	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < SLOTS; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &out[i]));
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, sync_file_wait(out[i], 10000));
		EXPECT_EQ(1, sync_file_status(out[i]));
		close(out[i]);
	}
	ASSERT_EQ(SLOTS, take_all(self->ch, self->done, NULL));
	EXPECT_LE(LENGTHS, num_lengths(self->done));
}

TEST_F(packet, brings_metadata)
{
	static const struct fpgabuf_metadata none;
	int i;

	memset(self->metadata, 0, sizeof(self->metadata));
	ASSERT_EQ(1, capture_all(self->ch));
	ASSERT_EQ(SLOTS, take_all(self->ch, self->done, self->metadata));
	for (i = 0; i < SLOTS; i++) {
		const struct fpgabuf_completion *done = &self->done[i];
		struct sim_metadata m;

		memcpy(&m, &self->metadata[i], sizeof(m));
		ASSERT_EQ(sizeof(m), done->metadata_len);
		EXPECT_EQ(done->sequence, le64toh(m.sequence));
		EXPECT_EQ(done->bytes, le32toh(m.length));
		EXPECT_EQ(done->run, le32toh(m.run));
		EXPECT_EQ(0, memcmp(&none, self->metadata[i].data + sizeof(m),
				    sizeof(none) - sizeof(m)));
	}
}

/* Except that a zero may have been written to find out whether one can */
static bool untouched(const void *data, size_t len)
{
	const __u8 *byte = data;

	while (len && (!*byte || *byte == UNTOUCHED)) {
		byte++;
		len--;
	}
	return !len;
}

/* Of a buffer that had a frame before, and now has none */
TEST_F(packet, brings_no_stale_metadata)
{
	int i;

	ASSERT_EQ(1, capture_all(self->ch));
	ASSERT_EQ(SLOTS, take_all(self->ch, self->done, NULL));
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(0, queue_all(self->ch));
	ASSERT_EQ(0, fpga_stop(self->ch));
	memset(self->metadata, UNTOUCHED, sizeof(self->metadata));
	ASSERT_EQ(SLOTS, take_all(self->ch, self->done, self->metadata));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ(-ECANCELED, self->done[i].status);
		EXPECT_EQ(0U, self->done[i].metadata_len);
		EXPECT_EQ(0U, self->done[i].bytes);
	}
	EXPECT_TRUE(untouched(self->metadata, sizeof(self->metadata)));
}

/* What cannot be written is refused, and no packet is lost. */
TEST_F(packet, refuses_bad_pointers)
{
	void *bad[] = {
		no_access_page(),
		read_only_copy(self->metadata, sizeof(self->metadata)),
	};
	size_t i;

	ASSERT_EQ(1, capture_all(self->ch));
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		ASSERT_NE(NULL, bad[i]);
		EXPECT_EQ(-EFAULT, take_all(self->ch, self->done, bad[i]));
	}
	EXPECT_EQ(-EINVAL, take_all(self->ch, self->done, self->done));
	EXPECT_EQ(-EINVAL, take_all(self->ch, self->done,
				    &self->done[SLOTS - 1]));
	EXPECT_EQ(SLOTS, take_all(self->ch, self->done, self->metadata));
}

/* A program of before there were packets */
TEST_F(packet, comes_to_an_older_program)
{
	const unsigned long request = _IOC(_IOC_READ | _IOC_WRITE,
		FPGABUF_IOC_MAGIC, _IOC_NR(FPGABUF_IOC_EXCHANGE),
		offsetof(struct fpgabuf_exchange, metadata));
	struct fpgabuf_exchange x = {
		.done = (uintptr_t)self->done,
		.done_count = SLOTS,
		.min_done = SLOTS,
		.timeout = 10 * SEC,
		.metadata = (uintptr_t)no_access_page(),
	};

	ASSERT_EQ(1, capture_all(self->ch));
	ASSERT_EQ(0, fpga_ioctl(self->ch, request, &x));
	EXPECT_EQ((__u32)SLOTS, x.done_count);
}

FIXTURE(format) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(format)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(SIM_BYTES, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(format)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(format, is_for_who_has_it)
{
	struct fpgabuf_format picture, format;

	ASSERT_EQ(0, fpga_get_format(self->ch, &picture));
	EXPECT_EQ(0U, picture.flags);
	picture.flags = FPGABUF_FORMAT_PACKETS;
	EXPECT_EQ(-EOPNOTSUPP, fpga_set_format(self->ch, &picture));

	format = (struct fpgabuf_format){
		.type = FPGABUF_FORMAT_RAW,
		.flags = FPGABUF_FORMAT_PACKETS | FPGABUF_FORMAT_TRY,
		.size = SIZE,
	};
	EXPECT_EQ(0, fpga_set_format(self->ch, &format));
	EXPECT_EQ(FPGABUF_FORMAT_PACKETS, format.flags);
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ(0U, format.flags);

	ASSERT_EQ(0, fpga_set_packets(self->ch, SIZE, 0));
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ(FPGABUF_FORMAT_PACKETS, format.flags);
	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	ASSERT_EQ(0, fpga_get_format(self->ch, &format));
	EXPECT_EQ(0U, format.flags);
}

TEST_HARNESS_MAIN
