// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what the simulated frames contain, by oracles of their own: the
 * colours are computed from the standards, the CRC bit by bit.
 */
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <drm/drm_fourcc.h>

#include "../sim/sim.h"

/* What no pattern writes: behind the end of a line or block. */
#define GUARD		0xa5
#define GUARD_BYTES	16

#define LINE_BYTES	8192
#define NUM_BARS	8
#define BAR_STEP	4

static int pattern_test_init(struct kunit *test)
{
	test->priv = kunit_kmalloc(test, LINE_BYTES + GUARD_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	memset(test->priv, GUARD, LINE_BYTES + GUARD_BYTES);
	return 0;
}

static void expect_guard(struct kunit *test, size_t end)
{
	const u8 *bytes = test->priv;

	KUNIT_EXPECT_NULL(test, memchr_inv(bytes + end, GUARD, GUARD_BYTES));
}

/* The CRC-32C of RFC 3720, appendix B.4, by its definition. */
static u32 reference_crc(const u8 *data, size_t len)
{
	u32 crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/**
 * struct crc_case - a known CRC
 * @name: of the data
 * @first: its first byte
 * @step: from a byte to the next
 * @len: bytes
 * @crc: CRC-32C of them
 */
struct crc_case {
	const char *name;
	u8 first;
	u8 step;
	size_t len;
	u32 crc;
};

static const struct crc_case crc_cases[] = {
	{ "32 bytes of zeros", 0, 0, 32, 0x8a9136aa },
	{ "32 bytes of ones", 0xff, 0, 32, 0x62a8ab43 },
	{ "32 bytes, counting up", 0, 1, 32, 0x46dd794e },
	{ "32 bytes, counting down", 31, 0xff, 32, 0x113fdb5c },
	{ "the digits 1 to 9", '1', 1, 9, 0xe3069283 },
};

static void crc_case_desc(const struct crc_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(crc_case, crc_cases, crc_case_desc);

/* The vectors of RFC 3720, for what the frames use and for the oracle. */
static void pattern_test_crc(struct kunit *test)
{
	const struct crc_case *c = test->param_value;
	u8 *data = test->priv;
	size_t i;

	for (i = 0; i < c->len; i++)
		data[i] = c->first + i * c->step;
	KUNIT_EXPECT_EQ(test, c->crc, reference_crc(data, c->len));
	KUNIT_EXPECT_EQ(test, c->crc, ~crc32c(~0U, data, c->len));
}

/* Word by word, the sum being of 32 bits. */
static void pattern_test_count(struct kunit *test)
{
	static const u64 sequences[] = { 0, 1, 0xfffffff0, 0x500000003ULL };
	u8 *block = test->priv;
	unsigned int s, i;

	for (s = 0; s < ARRAY_SIZE(sequences); s++) {
		sim_pattern_count(sequences[s], 0, block, 256);
		for (i = 0; i < 64; i++)
			KUNIT_EXPECT_EQ(test, (u32)(sequences[s] + i),
					get_unaligned_le32(block + 4 * i));
		expect_guard(test, 256);
	}
}

/* A frame is the same in whatever blocks it is made. */
static void pattern_test_count_blocks(struct kunit *test)
{
	u8 *whole = test->priv, *parts = whole + 1024;
	static const size_t lens[] = { 4, 60, 256, 700 };
	size_t offset = 0;
	unsigned int i;

	sim_pattern_count(77, 0, whole, 1020);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		sim_pattern_count(77, offset, parts + offset, lens[i]);
		offset += lens[i];
	}
	KUNIT_EXPECT_EQ(test, 1020, offset);
	KUNIT_EXPECT_EQ(test, 0, memcmp(whole, parts, offset));
}

/* A frame may end within a word. */
static void pattern_test_count_bytes(struct kunit *test)
{
	u8 *whole = test->priv, *part = whole + 1024;
	size_t len;

	sim_pattern_count(0x807060504ULL, 0, whole, 16);
	for (len = 1; len < 16; len++) {
		memset(part, GUARD, 17);
		sim_pattern_count(0x807060504ULL, 0, part, len);
		KUNIT_EXPECT_EQ(test, 0, memcmp(whole, part, len));
		KUNIT_EXPECT_EQ(test, GUARD, part[len]);
	}
}

static void pattern_test_count_far(struct kunit *test)
{
	u8 *block = test->priv;

	sim_pattern_count(5, 0x100000008ULL, block, 4);
	KUNIT_EXPECT_EQ(test, 0x40000007, get_unaligned_le32(block));
	sim_pattern_count(5, 0x400000004ULL, block, 4);
	KUNIT_EXPECT_EQ(test, 6, get_unaligned_le32(block));
	expect_guard(test, 4);
}

/**
 * struct colour - a colour of the bars, computed
 * @rgb: 0xrrggbb
 * @y: luma
 * @cb: blue difference
 * @cr: red difference
 */
struct colour {
	u32 rgb;
	u8 y, cb, cr;
};

/* ITU-R BT.709, 8 bits, limited range; coefficients in 1/10000. */
static struct colour bar_colour(unsigned int bar)
{
	/* In the order of their luma: white is 7 (GRB), black 0; 75 % */
	s64 g = (7 - bar) & 4 ? 191 : 0;
	s64 r = (7 - bar) & 2 ? 191 : 0;
	s64 b = (7 - bar) & 1 ? 191 : 0;
	s64 y = 2126 * r + 7152 * g + 722 * b;

	return (struct colour){
		.rgb = r << 16 | g << 8 | b,
		.y = 16 + DIV_ROUND_CLOSEST((s32)(219 * y), 255 * 10000),
		.cb = 128 + DIV_ROUND_CLOSEST((s32)(224 * (10000 * b - y)),
					      255 * 18556),
		.cr = 128 + DIV_ROUND_CLOSEST((s32)(224 * (10000 * r - y)),
					      255 * 15748),
	};
}

/**
 * struct bars_case - a line of colour bars
 * @fourcc: DRM_FORMAT_*
 * @width: pixels
 * @pitch: bytes of the line
 * @sequence: number of the frame
 */
struct bars_case {
	u32 fourcc;
	u32 width;
	u32 pitch;
	u64 sequence;
};

static const struct bars_case bars_cases[] = {
	{ DRM_FORMAT_YUYV, 16, 32, 0 },
	{ DRM_FORMAT_YUYV, 1280, 2560, 3 },
	{ DRM_FORMAT_YUYV, 18, 64, 1000 },
	{ DRM_FORMAT_UYVY, 1280, 2560, 319 },
	{ DRM_FORMAT_UYVY, 30, 60, 320 },
	{ DRM_FORMAT_XRGB8888, 1920, 7680, 7 },
	{ DRM_FORMAT_XRGB8888, 17, 128, 4 },
	{ DRM_FORMAT_R8, 16, 16, 1 },
	{ DRM_FORMAT_R8, 4099, 4100, 12345 },
};

static void bars_case_desc(const struct bars_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%p4cc width %u, pitch %u, frame %llu",
		 &c->fourcc, c->width, c->pitch, c->sequence);
}

KUNIT_ARRAY_PARAM(bars_case, bars_cases, bars_case_desc);

/* The bytes of pixel @x; returns how many. */
static size_t expected_pixel(u32 fourcc, const struct colour *c, u32 x, u8 *out)
{
	u8 chroma = x & 1 ? c->cr : c->cb;

	switch (fourcc) {
	case DRM_FORMAT_YUYV:
		out[0] = c->y;
		out[1] = chroma;
		return 2;
	case DRM_FORMAT_UYVY:
		out[0] = chroma;
		out[1] = c->y;
		return 2;
	case DRM_FORMAT_XRGB8888:
		put_unaligned_le32(c->rgb, out);
		return 4;
	default:
		out[0] = c->y;
		return 1;
	}
}

/* Bars of equal width that move to the left, round and round. */
static void pattern_test_bars(struct kunit *test)
{
	const struct bars_case *c = test->param_value;
	const struct fpgabuf_format format = {
		.fourcc = c->fourcc,
		.width = c->width,
		.pitches = { c->pitch },
	};
	u8 *line = test->priv, pixel[4];
	size_t len, at = 0;
	u32 x, pos;

	sim_pattern_bars(&format, c->sequence, line);
	for (x = 0; x < c->width; x++) {
		struct colour colour;

		div_u64_rem(x + c->sequence * BAR_STEP, c->width, &pos);
		colour = bar_colour(pos * NUM_BARS / c->width);
		len = expected_pixel(c->fourcc, &colour, x, pixel);
		KUNIT_ASSERT_EQ_MSG(test, 0, memcmp(line + at, pixel, len),
				    "pixel %u", x);
		at += len;
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(line + at, 0, c->pitch - at));
	expect_guard(test, c->pitch);
}

/* A whole frame of the counting pattern, whose CRC was computed elsewhere. */
static void pattern_test_trailer_known(struct kunit *test)
{
	struct fpgabuf_trailer trailer;
	u8 *frame = test->priv;

	sim_pattern_count(0x1234567f0ULL, 0, frame, 64);
	sim_pattern_trailer(7, 0x1234567f0ULL, 96, crc32c(~0U, frame, 64),
			    &trailer);
	KUNIT_EXPECT_EQ(test, FPGABUF_TRAILER_MAGIC,
			le32_to_cpu(trailer.magic));
	KUNIT_EXPECT_EQ(test, 7, le32_to_cpu(trailer.run));
	KUNIT_EXPECT_EQ(test, 0x1234567f0ULL, le64_to_cpu(trailer.sequence));
	KUNIT_EXPECT_EQ(test, 96, le64_to_cpu(trailer.length));
	KUNIT_EXPECT_EQ(test, 0, le32_to_cpu(trailer.reserved));
	KUNIT_EXPECT_EQ(test, 0xdd1059e0, le32_to_cpu(trailer.crc));
}

/* The CRC is that of everything before it, the rest of the trailer included. */
static void pattern_test_trailer_crc(struct kunit *test)
{
	const size_t size = 2000, end = size - sizeof(struct fpgabuf_trailer);
	const struct fpgabuf_format format = {
		.fourcc = DRM_FORMAT_R8,
		.width = end,
		.pitches = { end },
	};
	struct fpgabuf_trailer trailer;
	u8 *frame = test->priv;
	u32 crc = ~0U;

	sim_pattern_bars(&format, 41, frame);
	crc = crc32c(crc, frame, 1000);
	crc = crc32c(crc, frame + 1000, end - 1000);
	sim_pattern_trailer(U32_MAX, U64_MAX, size, crc, &trailer);
	memcpy(frame + end, &trailer, sizeof(trailer));
	KUNIT_EXPECT_EQ(test, reference_crc(frame, size - sizeof(trailer.crc)),
			le32_to_cpu(trailer.crc));

	frame[500] ^= 1;
	KUNIT_EXPECT_NE(test, reference_crc(frame, size - sizeof(trailer.crc)),
			le32_to_cpu(trailer.crc));
}

/* Whether a frame is right, after what @flip says was done to its trailer. */
static bool trailer_right(struct fpgabuf_trailer trailer, size_t at, u8 flip,
			  u64 length, u32 crc)
{
	((u8 *)&trailer)[at] ^= flip;
	return sim_pattern_trailer_right(&trailer, length, crc);
}

/* One byte anywhere, another length, other data: wrong. */
static void pattern_test_trailer_right(struct kunit *test)
{
	struct fpgabuf_trailer trailer;
	size_t i;

	sim_pattern_trailer(3, 17, 96, 0x12345678, &trailer);
	KUNIT_EXPECT_TRUE(test, trailer_right(trailer, 0, 0, 96, 0x12345678));
	KUNIT_EXPECT_FALSE(test, trailer_right(trailer, 0, 0, 92, 0x12345678));
	KUNIT_EXPECT_FALSE(test, trailer_right(trailer, 0, 0, 96, 0x12345679));
	for (i = 0; i < sizeof(trailer); i++)
		KUNIT_EXPECT_FALSE(test, trailer_right(trailer, i, 0x40, 96,
						       0x12345678));
}

/* A trailer that fits its data, but not the frame: of another length or kind. */
static void pattern_test_trailer_consistent(struct kunit *test)
{
	struct fpgabuf_trailer trailer;

	sim_pattern_trailer(3, 17, 100, 0x12345678, &trailer);
	KUNIT_EXPECT_FALSE(test, trailer_right(trailer, 0, 0, 96, 0x12345678));

	sim_pattern_trailer(3, 17, 96, 0x12345678, &trailer);
	trailer.magic = 0;
	trailer.crc = cpu_to_le32(~crc32c(0x12345678, &trailer,
					  offsetof(typeof(trailer), crc)));
	KUNIT_EXPECT_FALSE(test, trailer_right(trailer, 0, 0, 96, 0x12345678));
}

/* Any length within the limits, and both limits: the same each time. */
static void pattern_test_length(struct kunit *test)
{
	unsigned int shortest = 0, longest = 0;
	u64 sequence, length;

	for (sequence = 0; sequence < 1000; sequence++) {
		length = sim_pattern_length(sequence, SIM_MIN_SIZE + 3);
		KUNIT_ASSERT_GE(test, length, SIM_MIN_SIZE);
		KUNIT_ASSERT_LE(test, length, SIM_MIN_SIZE + 3);
		KUNIT_ASSERT_EQ(test, length,
				sim_pattern_length(sequence, SIM_MIN_SIZE + 3));
		shortest += length == SIM_MIN_SIZE;
		longest += length == SIM_MIN_SIZE + 3;
		length = sim_pattern_length(sequence, SIM_MIN_SIZE);
		KUNIT_ASSERT_EQ(test, length, SIM_MIN_SIZE);
	}
	/* A quarter each, more or less */
	KUNIT_EXPECT_GT(test, shortest, 200);
	KUNIT_EXPECT_LT(test, shortest, 300);
	KUNIT_EXPECT_GT(test, longest, 200);
	KUNIT_EXPECT_LT(test, longest, 300);
}

static struct kunit_case pattern_test_cases[] = {
	KUNIT_CASE_PARAM(pattern_test_crc, crc_case_gen_params),
	KUNIT_CASE(pattern_test_count),
	KUNIT_CASE(pattern_test_count_blocks),
	KUNIT_CASE(pattern_test_count_bytes),
	KUNIT_CASE(pattern_test_count_far),
	KUNIT_CASE_PARAM(pattern_test_bars, bars_case_gen_params),
	KUNIT_CASE(pattern_test_length),
	KUNIT_CASE(pattern_test_trailer_known),
	KUNIT_CASE(pattern_test_trailer_crc),
	KUNIT_CASE(pattern_test_trailer_right),
	KUNIT_CASE(pattern_test_trailer_consistent),
	{}
};

static struct kunit_suite pattern_test_suite = {
	.name = "fpgabuf_pattern",
	.init = pattern_test_init,
	.test_cases = pattern_test_cases,
};

kunit_test_suite(pattern_test_suite);

MODULE_DESCRIPTION("KUnit tests of the simulated FPGA's frames");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
