// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of formats: the table of pixel layouts, the arithmetic of pitches,
 * planes and sizes, limits and rates.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>

#include "../channel/format.h"

#define VIDEO(_fourcc, _align) {					\
	.type = FPGABUF_FORMAT_VIDEO,					\
	.fourcc = (_fourcc),						\
	.stride_align = (_align),					\
	.min_width = 2, .max_width = 8192, .step_width = 2,		\
	.min_height = 1, .max_height = 8192, .step_height = 1,		\
	.min_size = 16, .max_size = SZ_1G,				\
	.min_rate = { 1, 2 }, .max_rate = { 240, 1 },			\
}

static const struct fpgabuf_format_desc descs[] = {
	VIDEO(DRM_FORMAT_R8, 4),
	VIDEO(DRM_FORMAT_RGB888, 0),
	VIDEO(DRM_FORMAT_XRGB8888, 256),
	VIDEO(DRM_FORMAT_YUYV, 4),
	VIDEO(DRM_FORMAT_NV12, 16),
	VIDEO(DRM_FORMAT_NV16, 16),
	/* No limit of its own: only the arithmetic's. */
	{
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = DRM_FORMAT_ARGB8888,
		.max_width = U32_MAX, .max_height = U32_MAX,
		.max_size = U64_MAX,
		.min_rate = { 1, U32_MAX }, .max_rate = { U32_MAX, 1 },
	},
	{
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = DRM_FORMAT_NV12,
		.modifier = DRM_FORMAT_MOD_SAMSUNG_64_32_TILE,
		.max_width = U32_MAX, .max_height = U32_MAX,
		.max_size = U64_MAX,
		.min_rate = { 1, 1 }, .max_rate = { 60, 1 },
	},
	/* Of a fourcc whose layout nobody described. */
	VIDEO(DRM_FORMAT_C8, 4),
	{
		.type = FPGABUF_FORMAT_RAW,
		.flags = FPGABUF_FORMAT_PACKETS,
		.min_size = 64, .max_size = 0x180000000ULL, .step_size = 4,
		.min_rate = { 1, 1 }, .max_rate = { 1000, 1 },
	},
};

static int complete_format(struct fpgabuf_format *format)
{
	const struct fpgabuf_fract rate = { 30, 1 };

	return fpgabuf_format_complete(descs, ARRAY_SIZE(descs), rate, true, 1,
				       format);
}

/**
 * struct layout - how the pixels of a fourcc lie in memory, after drm_fourcc.h
 * @fourcc: DRM_FORMAT_*
 * @bits: of a pixel, over all planes
 * @num_planes: planes
 * @hsub: pixels that share their chroma, horizontally
 * @vsub: the same, vertically
 */
struct layout {
	u32 fourcc;
	unsigned int bits;
	unsigned int num_planes;
	unsigned int hsub;
	unsigned int vsub;
};

static const struct layout layouts[] = {
	{ DRM_FORMAT_R8, 8, 1, 1, 1 },
	{ DRM_FORMAT_R16, 16, 1, 1, 1 },
	{ DRM_FORMAT_RGB565, 16, 1, 1, 1 },
	{ DRM_FORMAT_RGB888, 24, 1, 1, 1 },
	{ DRM_FORMAT_BGR888, 24, 1, 1, 1 },
	{ DRM_FORMAT_XRGB8888, 32, 1, 1, 1 },
	{ DRM_FORMAT_XBGR8888, 32, 1, 1, 1 },
	{ DRM_FORMAT_ARGB8888, 32, 1, 1, 1 },
	{ DRM_FORMAT_YUYV, 16, 1, 2, 1 },
	{ DRM_FORMAT_UYVY, 16, 1, 2, 1 },
	{ DRM_FORMAT_NV12, 12, 2, 2, 2 },
	{ DRM_FORMAT_NV16, 16, 2, 2, 1 },
};

static void layout_desc(const struct layout *layout, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%p4cc", &layout->fourcc);
}

KUNIT_ARRAY_PARAM(layout, layouts, layout_desc);

/* The bytes of a picture with no padding are those of its bits. */
static void format_test_layout(struct kunit *test)
{
	const struct layout *layout = test->param_value;
	const struct fpgabuf_format_desc desc = VIDEO(layout->fourcc, 1);
	const struct fpgabuf_fract rate = { 30, 1 };
	const struct fpgabuf_format_info *info;
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = layout->fourcc,
		.width = 64,
		.height = 48,
	};

	info = fpgabuf_format_info(layout->fourcc);
	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_EXPECT_EQ(test, layout->fourcc, info->fourcc);
	KUNIT_EXPECT_EQ(test, layout->num_planes, info->num_planes);
	KUNIT_EXPECT_EQ(test, layout->hsub, info->hsub);
	KUNIT_EXPECT_EQ(test, layout->vsub, info->vsub);

	KUNIT_ASSERT_EQ(test, 0, fpgabuf_format_complete(&desc, 1, rate, false,
							 1, &format));
	KUNIT_EXPECT_EQ(test, layout->num_planes, format.num_planes);
	KUNIT_EXPECT_EQ(test, 64 * 48 * layout->bits / 8, format.size);
}

static void format_test_info_unknown(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, fpgabuf_format_info(0));
	KUNIT_EXPECT_NULL(test, fpgabuf_format_info(DRM_FORMAT_C8));
	KUNIT_EXPECT_NULL(test, fpgabuf_format_info(DRM_FORMAT_R8 |
						    DRM_FORMAT_BIG_ENDIAN));
}

/**
 * struct format_case - a format asked for, and the answer
 * @name: what is special
 * @ret: the answer
 * @in: what is asked for
 * @pitches: the answer's
 * @offsets: the answer's
 * @size: the answer's
 */
struct format_case {
	const char *name;
	int ret;
	struct fpgabuf_format in;
	u32 pitches[FPGABUF_MAX_PLANES];
	u32 offsets[FPGABUF_MAX_PLANES];
	u64 size;
};

static void format_case_desc(const struct format_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

#define ASK(_fourcc, _width, _height, ...) {				\
	.type = FPGABUF_FORMAT_VIDEO, .fourcc = (_fourcc),		\
	.width = (_width), .height = (_height), ##__VA_ARGS__ }

#define ASK_RAW(_size, ...) {						\
	.type = FPGABUF_FORMAT_RAW, .size = (_size), ##__VA_ARGS__ }

static const struct format_case size_cases[] = {
	{ "YUYV", 0, ASK(DRM_FORMAT_YUYV, 1280, 720),
	  { 2560 }, {}, 1843200 },
	{ "R8, padded pitch", 0, ASK(DRM_FORMAT_R8, 10, 3),
	  { 12 }, {}, 36 },
	{ "RGB888, any pitch", 0, ASK(DRM_FORMAT_RGB888, 22, 10),
	  { 66 }, {}, 660 },
	{ "XRGB8888, wide pitch", 0, ASK(DRM_FORMAT_XRGB8888, 66, 2),
	  { 512 }, {}, 1024 },
	{ "pitch as it is", 0,
	  ASK(DRM_FORMAT_YUYV, 16, 2, .pitches = { 32 }, .num_planes = 1,
	      .size = 64), { 32 }, {}, 64 },
	{ "pitch longer than needed", 0,
	  ASK(DRM_FORMAT_YUYV, 16, 2, .pitches = { 4096 }),
	  { 4096 }, {}, 8192 },
	{ "NV12", 0, ASK(DRM_FORMAT_NV12, 1920, 1080),
	  { 1920, 1920 }, { 0, 2073600 }, 3110400 },
	{ "NV12, odd height", 0, ASK(DRM_FORMAT_NV12, 64, 3),
	  { 64, 64 }, { 0, 192 }, 320 },
	{ "NV12, padded", 0, ASK(DRM_FORMAT_NV12, 50, 2),
	  { 64, 64 }, { 0, 128 }, 192 },
	{ "NV16, all said", 0,
	  ASK(DRM_FORMAT_NV16, 64, 4, .pitches = { 80, 80 },
	      .offsets = { 0, 320 }, .num_planes = 2, .size = 640),
	  { 80, 80 }, { 0, 320 }, 640 },
	{ "pitch of a whole frame over 4 GiB", 0,
	  ASK(DRM_FORMAT_ARGB8888, 0x10000, 0x20000),
	  { 0x40000 }, {}, 0x800000000ULL },
	{ "widest", 0, ASK(DRM_FORMAT_ARGB8888, S32_MAX / 4, U32_MAX),
	  { S32_MAX - 3 }, {}, (u64)(S32_MAX - 3) * U32_MAX },
	{ "raw", 0, ASK_RAW(64), {}, {}, 64 },
	{ "raw over 4 GiB", 0, ASK_RAW(0x180000000ULL), {}, {},
	  0x180000000ULL },
};

KUNIT_ARRAY_PARAM(size_case, size_cases, format_case_desc);

static void format_test_size(struct kunit *test)
{
	const struct format_case *c = test->param_value;
	struct fpgabuf_format format = c->in;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, complete_format(&format));
	KUNIT_EXPECT_EQ(test, c->size, format.size);
	for (i = 0; i < FPGABUF_MAX_PLANES; i++) {
		KUNIT_EXPECT_EQ(test, c->pitches[i], format.pitches[i]);
		KUNIT_EXPECT_EQ(test, c->offsets[i], format.offsets[i]);
	}
	KUNIT_EXPECT_EQ(test, c->in.width, format.width);
	KUNIT_EXPECT_EQ(test, c->in.height, format.height);
	KUNIT_EXPECT_EQ(test, 30, format.rate.numerator);
	KUNIT_EXPECT_EQ(test, 1, format.rate.denominator);
}

/* What came out is an answer that is taken as a question. */
static void format_test_again(struct kunit *test)
{
	const struct format_case *c = test->param_value;
	struct fpgabuf_format format = c->in, again;

	KUNIT_ASSERT_EQ(test, 0, complete_format(&format));
	again = format;
	KUNIT_ASSERT_EQ(test, 0, complete_format(&again));
	KUNIT_EXPECT_EQ(test, 0, memcmp(&format, &again, sizeof(format)));
}

static const struct format_case error_cases[] = {
	{ "unknown flag", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .flags = FPGABUF_FORMAT_PACKETS << 1) },
	{ "packets of pictures", -EOPNOTSUPP,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .flags = FPGABUF_FORMAT_PACKETS) },
	{ "no type", -EINVAL, {} },
	{ "unknown type", -EINVAL, { .type = 3 } },
	{ "fourcc of raw", -EINVAL, ASK_RAW(64, .fourcc = DRM_FORMAT_R8) },
	{ "modifier of raw", -EINVAL, ASK_RAW(64, .modifier = 1) },
	{ "width of raw", -EINVAL, ASK_RAW(64, .width = 1) },
	{ "height of raw", -EINVAL, ASK_RAW(64, .height = 1) },
	{ "planes of raw", -EINVAL, ASK_RAW(64, .num_planes = 1) },
	{ "pitch of raw", -EINVAL, ASK_RAW(64, .pitches = { 0, 0, 0, 1 }) },
	{ "offset of raw", -EINVAL, ASK_RAW(64, .offsets = { 0, 0, 0, 1 }) },
	{ "raw too small", -ERANGE, ASK_RAW(60) },
	{ "raw too large", -ERANGE, ASK_RAW(0x180000004ULL) },
	{ "raw off its steps", -ERANGE, ASK_RAW(66) },
	{ "fourcc that is not there", -EOPNOTSUPP,
	  ASK(DRM_FORMAT_UYVY, 16, 16) },
	{ "modifier that is not there", -EOPNOTSUPP,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .modifier = 1) },
	{ "layout that is not known", -EOPNOTSUPP,
	  ASK(DRM_FORMAT_C8, 16, 16) },
	{ "too narrow", -ERANGE, ASK(DRM_FORMAT_YUYV, 0, 16) },
	{ "too wide", -ERANGE, ASK(DRM_FORMAT_YUYV, 8194, 16) },
	{ "width off its steps", -ERANGE, ASK(DRM_FORMAT_YUYV, 17, 16) },
	{ "too low", -ERANGE, ASK(DRM_FORMAT_YUYV, 16, 0) },
	{ "too high", -ERANGE, ASK(DRM_FORMAT_YUYV, 16, 8193) },
	{ "pitch too short", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .pitches = { 28 }) },
	{ "pitch misaligned", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .pitches = { 34 }) },
	{ "pitch over S32_MAX", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .pitches = { 0x80000000 }) },
	{ "width that overflows the pitch", -EINVAL,
	  ASK(DRM_FORMAT_ARGB8888, 0x40000004, 1) },
	{ "pitch of a plane that is not there", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .pitches = { 32, 32 }) },
	{ "second pitch wrong", -EINVAL,
	  ASK(DRM_FORMAT_NV12, 64, 16, .pitches = { 64, 32 }) },
	{ "first offset wrong", -EINVAL,
	  ASK(DRM_FORMAT_YUYV, 16, 16, .offsets = { 4 }) },
	{ "second offset wrong", -EINVAL,
	  ASK(DRM_FORMAT_NV12, 64, 16, .offsets = { 0, 1020 }) },
	{ "offset over 4 GiB", -ERANGE,
	  ASK(DRM_FORMAT_NV12, 0x10000, 0x10001,
	      .modifier = DRM_FORMAT_MOD_SAMSUNG_64_32_TILE) },
	{ "planes wrong", -EINVAL,
	  ASK(DRM_FORMAT_NV12, 64, 16, .num_planes = 1) },
	{ "size wrong", -EINVAL, ASK(DRM_FORMAT_YUYV, 16, 16, .size = 511) },
	{ "size too small", -ERANGE, ASK(DRM_FORMAT_R8, 4, 1) },
	{ "size too large", -ERANGE,
	  ASK(DRM_FORMAT_YUYV, 8192, 8192, .pitches = { 0x20004 }) },
};

KUNIT_ARRAY_PARAM(error_case, error_cases, format_case_desc);

static void format_test_error(struct kunit *test)
{
	const struct format_case *c = test->param_value;
	struct fpgabuf_format format = c->in;

	KUNIT_EXPECT_EQ(test, c->ret, complete_format(&format));
}

/* Sizes of more than 32 bits, in steps that are no power of two. */
static void format_test_large_step(struct kunit *test)
{
	const struct fpgabuf_format_desc desc = {
		.type = FPGABUF_FORMAT_RAW,
		.min_size = 12, .max_size = U64_MAX, .step_size = 12,
		.min_rate = { 1, 1 }, .max_rate = { 60, 1 },
	};
	const struct fpgabuf_fract rate = { 30, 1 };
	struct fpgabuf_format format = ASK_RAW(12ULL * 0x20000001);

	KUNIT_EXPECT_EQ(test, 0, fpgabuf_format_complete(&desc, 1, rate, false,
							 1, &format));
	/* A multiple of 12 in its low half only */
	format.size = (1ULL << 32) + 12;
	KUNIT_EXPECT_EQ(test, -ERANGE,
			fpgabuf_format_complete(&desc, 1, rate, false, 1,
						&format));
}

/**
 * struct rate_case - a rate asked for, within 1/2 to 240/1
 * @name: what is special
 * @rate: asked for
 * @unthrottled: whether 0/1 is possible
 * @ret: the answer
 */
struct rate_case {
	const char *name;
	struct fpgabuf_fract rate;
	bool unthrottled;
	int ret;
};

static const struct rate_case rate_cases[] = {
	{ "60", { 60, 1 }, false, 0 },
	{ "NTSC", { 30000, 1001 }, false, 0 },
	{ "slowest", { 1, 2 }, false, 0 },
	{ "slowest, not reduced", { 1000000000, 2000000000 }, false, 0 },
	{ "one, not reduced", { 0x80000000, 0x80000000 }, false, 0 },
	{ "slower", { 499999999, 1000000000 }, false, -ERANGE },
	{ "fastest", { 240, 1 }, false, 0 },
	{ "faster", { 241, 1 }, false, -ERANGE },
	{ "a little faster", { 4294967281U, 17895697 }, false, -ERANGE },
	{ "as fast as can be said", { U32_MAX, 1 }, false, -ERANGE },
	{ "as slow as can be said", { 1, U32_MAX }, false, -ERANGE },
	{ "the driver's choice", { 0, 0 }, false, 0 },
	{ "unthrottled", { 0, 1 }, true, 0 },
	{ "unthrottled where it cannot be", { 0, 1 }, false, -ERANGE },
	{ "zero over two", { 0, 2 }, true, -EINVAL },
	{ "over zero", { 30, 0 }, true, -EINVAL },
};

static void rate_case_desc(const struct rate_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rate_case, rate_cases, rate_case_desc);

static void format_test_rate(struct kunit *test)
{
	const struct fpgabuf_format_desc desc = VIDEO(DRM_FORMAT_YUYV, 4);
	const struct fpgabuf_fract fallback = { 25, 1 };
	const struct rate_case *c = test->param_value;
	struct fpgabuf_fract wanted = c->rate;
	struct fpgabuf_format format = ASK(DRM_FORMAT_YUYV, 16, 16,
					   .rate = c->rate);

	KUNIT_ASSERT_EQ(test, c->ret,
			fpgabuf_format_complete(&desc, 1, fallback,
						c->unthrottled, 1, &format));
	if (c->ret)
		return;
	if (!wanted.denominator)
		wanted = fallback;
	KUNIT_EXPECT_EQ(test, wanted.numerator, format.rate.numerator);
	KUNIT_EXPECT_EQ(test, wanted.denominator, format.rate.denominator);
}

/**
 * struct lines_case - a format as lines of at most 1,024 bytes, each aligned to 8
 * @format: the format
 * @ret: what comes of it
 * @lines: the lines
 */
struct lines_case {
	struct fpgabuf_format format;
	int ret;
	struct fpgabuf_lines lines;
};

static const struct lines_case lines_cases[] = {
	{ ASK_RAW(1024), 0, { 1024, 1024, 1 } },
	{ ASK_RAW(1028), -ERANGE },
	{ ASK(DRM_FORMAT_YUYV, 100, 6, .pitches = { 208 }), 0, { 200, 208, 6 } },
	{ ASK(DRM_FORMAT_YUYV, 100, 6, .pitches = { 204 }), -EINVAL },
	{ ASK(DRM_FORMAT_YUYV, 512, 1), 0, { 1024, 1024, 1 } },
	{ ASK(DRM_FORMAT_YUYV, 514, 1), -ERANGE },
	{ ASK(DRM_FORMAT_XRGB8888, 256, 3), 0, { 1024, 1024, 3 } },
	{ ASK(DRM_FORMAT_RGB888, 8, 3), 0, { 24, 24, 3 } },
	{ ASK(DRM_FORMAT_ARGB8888, 0, 0), -ERANGE },
	{ ASK(DRM_FORMAT_ARGB8888, 8, 0), -ERANGE },
	/* Chroma is lines of the same length. */
	{ ASK(DRM_FORMAT_NV12, 100, 6), 0, { 100, 112, 9 } },
	{ ASK(DRM_FORMAT_NV16, 100, 6), 0, { 100, 112, 12 } },
};

static void lines_case_desc(const struct lines_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%p4cc, %ux%u, %llu bytes, pitch %u",
		 &c->format.fourcc, c->format.width, c->format.height,
		 c->format.size, c->format.pitches[0]);
}

KUNIT_ARRAY_PARAM(lines_case, lines_cases, lines_case_desc);

static void format_test_lines(struct kunit *test)
{
	const struct lines_case *c = test->param_value;
	struct fpgabuf_format format = c->format;
	struct fpgabuf_lines lines = {};

	KUNIT_ASSERT_EQ(test, 0, complete_format(&format));
	KUNIT_ASSERT_EQ(test, c->ret,
			fpgabuf_format_lines(&format, 1024, 8, &lines));
	if (c->ret)
		return;
	KUNIT_EXPECT_EQ(test, c->lines.length, lines.length);
	KUNIT_EXPECT_EQ(test, c->lines.pitch, lines.pitch);
	KUNIT_EXPECT_EQ(test, c->lines.num, lines.num);
	KUNIT_EXPECT_EQ(test, format.size, (u64)lines.pitch * lines.num);
}

/* Planes whose lines differ are not one transfer. */
static void format_test_no_lines(struct kunit *test)
{
	struct fpgabuf_format format = ASK(DRM_FORMAT_NV12, 100, 6);
	struct fpgabuf_lines lines;

	KUNIT_ASSERT_EQ(test, 0, complete_format(&format));
	format.pitches[1] *= 2;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			fpgabuf_format_lines(&format, 1024, 8, &lines));
	format.fourcc = DRM_FORMAT_C8;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			fpgabuf_format_lines(&format, 1024, 8, &lines));
}

/* Where in memory the engine came to, with so much left of the lines */
static void format_test_moved(struct kunit *test)
{
	const struct fpgabuf_lines lines = { .length = 6, .pitch = 8, .num = 3 };
	const struct fpgabuf_lines one = { .length = 6, .pitch = 8, .num = 1 };

	KUNIT_EXPECT_EQ(test, 24, fpgabuf_lines_moved(&lines, 0));
	KUNIT_EXPECT_EQ(test, 21, fpgabuf_lines_moved(&lines, 1));
	KUNIT_EXPECT_EQ(test, 16, fpgabuf_lines_moved(&lines, 6));
	KUNIT_EXPECT_EQ(test, 13, fpgabuf_lines_moved(&lines, 7));
	KUNIT_EXPECT_EQ(test, 0, fpgabuf_lines_moved(&lines, 18));
	KUNIT_EXPECT_EQ(test, 0, fpgabuf_lines_moved(&lines, 19));
	KUNIT_EXPECT_EQ(test, 8, fpgabuf_lines_moved(&one, 0));
	KUNIT_EXPECT_EQ(test, 5, fpgabuf_lines_moved(&one, 1));
}

/* What the engine needs counts beside what the board needs. */
static void format_test_line_align(struct kunit *test)
{
	const struct fpgabuf_fract rate = { 30, 1 };
	const struct fpgabuf_format_desc odd = VIDEO(DRM_FORMAT_RGB888, 12);
	struct fpgabuf_format format = ASK(DRM_FORMAT_YUYV, 100, 6);

	KUNIT_ASSERT_EQ(test, 0,
			fpgabuf_format_complete(descs, ARRAY_SIZE(descs), rate,
						true, 64, &format));
	KUNIT_EXPECT_EQ(test, 256, format.pitches[0]);
	/* Of 12 for the board, and of 64 for the engine */
	KUNIT_EXPECT_EQ(test, 192, fpgabuf_pitch_align(&odd, 64));
	format = (struct fpgabuf_format)ASK(DRM_FORMAT_YUYV, 100, 6,
					    .pitches = { 208 });
	KUNIT_EXPECT_EQ(test, -EINVAL,
			fpgabuf_format_complete(descs, ARRAY_SIZE(descs), rate,
						true, 64, &format));
}

static struct kunit_case format_test_cases[] = {
	KUNIT_CASE_PARAM(format_test_layout, layout_gen_params),
	KUNIT_CASE(format_test_info_unknown),
	KUNIT_CASE_PARAM(format_test_size, size_case_gen_params),
	KUNIT_CASE_PARAM(format_test_again, size_case_gen_params),
	KUNIT_CASE_PARAM(format_test_error, error_case_gen_params),
	KUNIT_CASE(format_test_large_step),
	KUNIT_CASE_PARAM(format_test_rate, rate_case_gen_params),
	KUNIT_CASE_PARAM(format_test_lines, lines_case_gen_params),
	KUNIT_CASE(format_test_no_lines),
	KUNIT_CASE(format_test_moved),
	KUNIT_CASE(format_test_line_align),
	{}
};

static struct kunit_suite format_test_suite = {
	.name = "fpgabuf_format",
	.test_cases = format_test_cases,
};

kunit_test_suite(format_test_suite);
