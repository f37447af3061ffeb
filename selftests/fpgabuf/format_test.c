// SPDX-License-Identifier: GPL-2.0
/*
 * Formats: what a channel lists, how it completes and refuses what it is asked
 * for, and frames in each of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <drm/drm_fourcc.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

static const struct video {
	__u32 fourcc;
	__u32 cpp;
} videos[] = {
	{ DRM_FORMAT_YUYV, 2 },
	{ DRM_FORMAT_UYVY, 2 },
	{ DRM_FORMAT_XRGB8888, 4 },
	{ DRM_FORMAT_R8, 1 },
};

FIXTURE(format) {
	struct totals before;
	int ch;
	/* The default, as found */
	struct fpgabuf_format initial;
};

FIXTURE_SETUP(format)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_get_format(self->ch, &self->initial));
}

FIXTURE_TEARDOWN_PARENT(format)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static struct fpgabuf_format video(__u32 fourcc, __u32 width,
				   __u32 height)
{
	return (struct fpgabuf_format){
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = fourcc,
		.width = width,
		.height = height,
	};
}

static struct fpgabuf_format raw(__u64 size)
{
	return (struct fpgabuf_format){
		.type = FPGABUF_FORMAT_RAW,
		.size = size,
	};
}

/* What it gives back is exactly @want. */
static bool gives(int ch, struct fpgabuf_format ask,
		  const struct fpgabuf_format *want)
{
	struct fpgabuf_format now;

	return !fpga_set_format(ch, &ask) &&
	       !memcmp(&ask, want, sizeof(ask)) &&
	       !fpga_get_format(ch, &now) &&
	       !memcmp(&now, want, sizeof(now));
}

TEST_F(format, initial)
{
	const struct fpgabuf_format *f = &self->initial;
	int i;

	EXPECT_EQ((__u32)FPGABUF_FORMAT_VIDEO, f->type);
	EXPECT_EQ(0U, f->flags);
	EXPECT_EQ((__u32)DRM_FORMAT_YUYV, f->fourcc);
	EXPECT_EQ(1U, f->num_planes);
	EXPECT_EQ(DRM_FORMAT_MOD_LINEAR, f->modifier);
	EXPECT_EQ(1280U, f->width);
	EXPECT_EQ(720U, f->height);
	EXPECT_EQ(2560U, f->pitches[0]);
	EXPECT_EQ(2560U * 720, f->size);
	EXPECT_EQ(60U, f->rate.numerator);
	EXPECT_EQ(1U, f->rate.denominator);
	for (i = 1; i < FPGABUF_MAX_PLANES; i++) {
		EXPECT_EQ(0U, f->pitches[i]);
	}
	for (i = 0; i < FPGABUF_MAX_PLANES; i++) {
		EXPECT_EQ(0U, f->offsets[i]);
	}
}

static bool listed(int ch, __u32 num, __u32 type, __u32 fourcc,
		   struct fpgabuf_format_desc *desc)
{
	__u32 i;

	for (i = 0; i < num; i++) {
		*desc = (struct fpgabuf_format_desc){ .index = i };
		if (!fpga_ioctl(ch, FPGABUF_IOC_ENUM_FORMAT, desc) &&
		    desc->index == i && desc->type == type &&
		    desc->fourcc == fourcc)
			return true;
	}
	return false;
}

TEST_F(format, list)
{
	struct fpgabuf_format_desc desc;
	struct fpgabuf_info info;
	size_t i;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ(5U, info.num_formats);
	for (i = 0; i < ARRAY_LEN(videos); i++) {
		ASSERT_TRUE(listed(self->ch, 5, FPGABUF_FORMAT_VIDEO,
				   videos[i].fourcc, &desc));
		EXPECT_EQ(DRM_FORMAT_MOD_LINEAR, desc.modifier);
		EXPECT_EQ(4U, desc.stride_align);
		EXPECT_EQ(16U, desc.min_width);
		EXPECT_EQ(8192U, desc.max_width);
		EXPECT_EQ(videos[i].cpp == 2 ? 2U : 1U, desc.step_width);
		EXPECT_EQ(1U, desc.min_height);
		EXPECT_EQ(8192U, desc.max_height);
		EXPECT_EQ((__u64)SIM_MIN_FRAME, desc.min_size);
		EXPECT_EQ(SIM_MAX_FRAME, desc.max_size);
		EXPECT_EQ(1U, desc.min_rate.numerator);
		EXPECT_EQ(1U, desc.min_rate.denominator);
		EXPECT_EQ(0U, desc.flags);
		EXPECT_EQ(10000U, desc.max_rate.numerator);
		EXPECT_EQ(1U, desc.max_rate.denominator);
	}
	ASSERT_TRUE(listed(self->ch, 5, FPGABUF_FORMAT_RAW, 0, &desc));
	EXPECT_EQ((__u64)SIM_MIN_FRAME, desc.min_size);
	EXPECT_EQ(SIM_MAX_FRAME, desc.max_size);
	EXPECT_EQ(4U, desc.step_size);
	EXPECT_EQ(1U, desc.min_rate.numerator);
	EXPECT_EQ(1U, desc.min_rate.denominator);
	EXPECT_EQ(10000U, desc.max_rate.numerator);
	EXPECT_EQ(1U, desc.max_rate.denominator);
	EXPECT_EQ(FPGABUF_FORMAT_PACKETS, desc.flags);
}

TEST_F(format, past_the_list)
{
	static const __u32 bad[] = { 5, 6, 1U << 31, ~0U };
	struct fpgabuf_format_desc desc;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		desc = (struct fpgabuf_format_desc){ .index = bad[i] };
		EXPECT_EQ(-ENOENT, fpga_ioctl(self->ch,
					      FPGABUF_IOC_ENUM_FORMAT, &desc));
	}
	desc = (struct fpgabuf_format_desc){ .flags = 1 };
	EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ENUM_FORMAT,
				      &desc));
}

/* All that is left open is filled in, in each video format. */
TEST_F(format, completed)
{
	struct fpgabuf_format ask, want;
	size_t i;

	for (i = 0; i < ARRAY_LEN(videos); i++) {
		ask = video(videos[i].fourcc, 642, 33);
		want = ask;
		want.num_planes = 1;
		/* Of R8 642 bytes, which is no multiple of 4 */
		want.pitches[0] = (642 * videos[i].cpp + 3) / 4 * 4;
		want.size = want.pitches[0] * 33;
		want.rate = self->initial.rate;
		EXPECT_TRUE(gives(self->ch, ask, &want));
		/* The answer is a valid question. */
		EXPECT_TRUE(gives(self->ch, want, &want));

		ask.pitches[0] = want.pitches[0] + 128;
		ask.rate = (struct fpgabuf_fract){ 30000, 1001 };
		want.pitches[0] = ask.pitches[0];
		want.size = want.pitches[0] * 33;
		want.rate = ask.rate;
		EXPECT_TRUE(gives(self->ch, ask, &want));
	}

	ask = raw(4096);
	want = ask;
	want.rate = self->initial.rate;
	EXPECT_TRUE(gives(self->ch, ask, &want));
	ask.rate = (struct fpgabuf_fract){ 0, 1 };
	EXPECT_TRUE(gives(self->ch, ask, &ask));
}

TEST_F(format, limits)
{
	struct fpgabuf_format f;

	f = raw(SIM_MIN_FRAME);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f = raw(SIM_MAX_FRAME);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_YUYV, 32, 1);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_R8, 16, 4);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_R8, 8192, 8192);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_XRGB8888, 8192, 2048);
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f.rate = (struct fpgabuf_fract){ 1, 1 };
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	f.rate = (struct fpgabuf_fract){ 10000, 1 };
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
}

/* Trying tells the same and changes nothing, for any file. */
TEST_F(format, tried)
{
	struct fpgabuf_format try = video(DRM_FORMAT_R8, 642, 33);
	struct fpgabuf_format now;
	int other = fpga_open(0, O_RDWR);

	ASSERT_LE(0, other);
	try.flags = FPGABUF_FORMAT_TRY;
	ASSERT_EQ(0, fpga_set_format(other, &try));
	EXPECT_EQ(644U, try.pitches[0]);
	EXPECT_EQ(644U * 33, try.size);
	ASSERT_EQ(0, fpga_get_format(other, &now));
	EXPECT_EQ(0, memcmp(&self->initial, &now, sizeof(now)));
	try = raw(60);
	try.flags = FPGABUF_FORMAT_TRY;
	EXPECT_EQ(-ERANGE, fpga_set_format(other, &try));
	EXPECT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
}

/* One field of a good format that is changed, and what must be said of it */
struct spoil {
	const char *name;
	size_t offset;
	size_t size;
	__u64 value;
	int error;
};

#define SPOIL(_field, _value, _error) {					\
	.name = #_field,						\
	.offset = offsetof(struct fpgabuf_format, _field),		\
	.size = sizeof(((struct fpgabuf_format *)NULL)->_field),	\
	.value = (_value),						\
	.error = (_error),						\
}

static struct fpgabuf_format spoilt(struct fpgabuf_format f,
				    const struct spoil *spoil)
{
	char *field = (char *)&f + spoil->offset;
	__u32 value = spoil->value;

	if (spoil->size == sizeof(spoil->value))
		memcpy(field, &spoil->value, sizeof(spoil->value));
	else
		memcpy(field, &value, sizeof(value));
	return f;
}

/* Set and tried, it is refused, and the format stays what it was. */
static void expect_refused(struct __test_metadata *_metadata, int ch,
			   struct fpgabuf_format good,
			   const struct spoil *spoil)
{
	struct fpgabuf_format bad = spoilt(good, spoil);
	struct fpgabuf_format before, now;

	ASSERT_EQ(0, fpga_get_format(ch, &before));
	EXPECT_EQ(spoil->error, fpga_set_format(ch, &bad))
		TH_LOG("%s %#jx", spoil->name, (uintmax_t)spoil->value);
	bad = spoilt(good, spoil);
	bad.flags |= FPGABUF_FORMAT_TRY;
	EXPECT_EQ(spoil->error, fpga_set_format(ch, &bad))
		TH_LOG("%s %#jx, tried", spoil->name, (uintmax_t)spoil->value);
	ASSERT_EQ(0, fpga_get_format(ch, &now));
	EXPECT_EQ(0, memcmp(&before, &now, sizeof(now)))
		TH_LOG("%s has changed the format", spoil->name);
}

TEST_F(format, refused_video)
{
	static const struct spoil spoils[] = {
		SPOIL(type, 0, -EINVAL),
		SPOIL(type, 3, -EINVAL),
		SPOIL(type, ~0U, -EINVAL),
		SPOIL(flags, 1 << 1, -EOPNOTSUPP),
		SPOIL(flags, 1 << 2, -EINVAL),
		SPOIL(flags, 1U << 31, -EINVAL),
		SPOIL(fourcc, 0, -EOPNOTSUPP),
		SPOIL(fourcc, DRM_FORMAT_NV12, -EOPNOTSUPP),
		SPOIL(fourcc, DRM_FORMAT_YUYV | DRM_FORMAT_BIG_ENDIAN,
		      -EOPNOTSUPP),
		SPOIL(fourcc, 0x12345678, -EOPNOTSUPP),
		SPOIL(modifier, 1, -EOPNOTSUPP),
		SPOIL(modifier, DRM_FORMAT_MOD_INVALID, -EOPNOTSUPP),
		SPOIL(modifier, 1ULL << 32, -EOPNOTSUPP),
		SPOIL(width, 0, -ERANGE),
		SPOIL(width, 14, -ERANGE),
		SPOIL(width, 641, -ERANGE),
		SPOIL(width, 8194, -ERANGE),
		SPOIL(width, 0x80000000, -ERANGE),
		SPOIL(width, ~1U, -ERANGE),
		SPOIL(height, 0, -ERANGE),
		SPOIL(height, 8193, -ERANGE),
		SPOIL(height, ~0U, -ERANGE),
		SPOIL(pitches[0], 1, -EINVAL),
		SPOIL(pitches[0], 1276, -EINVAL),
		SPOIL(pitches[0], 1282, -EINVAL),
		SPOIL(pitches[0], 0x80000000, -EINVAL),
		SPOIL(pitches[0], ~3U, -EINVAL),
		SPOIL(pitches[0], 0x7ffffffc, -ERANGE),
		SPOIL(pitches[1], 1280, -EINVAL),
		SPOIL(pitches[3], 4, -EINVAL),
		SPOIL(offsets[0], 64, -EINVAL),
		SPOIL(offsets[1], 1280 * 360, -EINVAL),
		SPOIL(offsets[3], 4, -EINVAL),
		SPOIL(size, 1280 * 360 - 1, -EINVAL),
		SPOIL(size, 1280 * 360 + 1, -EINVAL),
		SPOIL(size, ~0ULL, -EINVAL),
		SPOIL(size, (1ULL << 32) + 1280 * 360, -EINVAL),
	};
	struct fpgabuf_format good = video(DRM_FORMAT_YUYV, 640, 360);
	size_t i;

	for (i = 0; i < ARRAY_LEN(spoils); i++)
		expect_refused(_metadata, self->ch, good, &spoils[i]);
	EXPECT_EQ(0, fpga_set_format(self->ch, &good));
}

TEST_F(format, refused_raw)
{
	static const struct spoil spoils[] = {
		SPOIL(size, 0, -ERANGE),
		SPOIL(size, 60, -ERANGE),
		SPOIL(size, 66, -ERANGE),
		SPOIL(size, SIM_MAX_FRAME + 4, -ERANGE),
		SPOIL(size, (1ULL << 32) + 4096, -ERANGE),
		SPOIL(size, 1ULL << 63, -ERANGE),
		SPOIL(fourcc, DRM_FORMAT_YUYV, -EINVAL),
		SPOIL(modifier, 1, -EINVAL),
		SPOIL(width, 64, -EINVAL),
		SPOIL(height, 64, -EINVAL),
		SPOIL(pitches[0], 64, -EINVAL),
		SPOIL(pitches[3], 64, -EINVAL),
		SPOIL(offsets[0], 64, -EINVAL),
		SPOIL(offsets[3], 64, -EINVAL),
	};
	struct fpgabuf_format good = raw(4096);
	size_t i;

	for (i = 0; i < ARRAY_LEN(spoils); i++)
		expect_refused(_metadata, self->ch, good, &spoils[i]);
	EXPECT_EQ(0, fpga_set_format(self->ch, &good));
}

TEST_F(format, refused_rates)
{
	static const struct {
		struct fpgabuf_fract rate;
		int error;
	} bad[] = {
		{ { 1, 0 }, -EINVAL },
		{ { ~0U, 0 }, -EINVAL },
		{ { 0, 2 }, -EINVAL },
		{ { 0, ~0U }, -EINVAL },
		{ { 1, 2 }, -ERANGE },
		{ { 1, ~0U }, -ERANGE },
		{ { ~0U - 1, ~0U }, -ERANGE },
		{ { 10001, 1 }, -ERANGE },
		{ { 1000000000, 1 }, -ERANGE },
		{ { ~0U, 1 }, -ERANGE },
	};
	struct fpgabuf_format ask, now;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		ask = raw(4096);
		ask.rate = bad[i].rate;
		EXPECT_EQ(bad[i].error, fpga_set_format(self->ch, &ask))
			TH_LOG("rate %u/%u", bad[i].rate.numerator,
			       bad[i].rate.denominator);
		ASSERT_EQ(0, fpga_get_format(self->ch, &now));
		EXPECT_EQ(0, memcmp(&self->initial, &now, sizeof(now)));
	}
}

/* Together too large, and too small to hold the trailer of every frame */
TEST_F(format, refused_sizes)
{
	struct fpgabuf_format f = video(DRM_FORMAT_XRGB8888, 8192, 2049);

	EXPECT_EQ(-ERANGE, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_XRGB8888, 8192, 8192);
	EXPECT_EQ(-ERANGE, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_R8, 16, 1);
	EXPECT_EQ(-ERANGE, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_R8, 16, 3);
	EXPECT_EQ(-ERANGE, fpga_set_format(self->ch, &f));
	f = video(DRM_FORMAT_YUYV, 30, 1);
	EXPECT_EQ(-ERANGE, fpga_set_format(self->ch, &f));
}

TEST_F(format, while_streaming)
{
	struct fpgabuf_format f = self->initial;

	ASSERT_EQ(1, fpga_start(self->ch));
	EXPECT_EQ(-EBUSY, fpga_set_format(self->ch, &f));
	f.flags = FPGABUF_FORMAT_TRY;
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
	ASSERT_EQ(0, fpga_stop(self->ch));
	f.flags = 0;
	EXPECT_EQ(0, fpga_set_format(self->ch, &f));
}

/* Two frames of a picture: each proves itself, and the picture moves. */
static void capture_video(struct __test_metadata *_metadata, int ch,
			  struct fpgabuf_format f)
{
	struct fpgabuf_completion done[2];
	size_t picture, size;
	struct buffer b[2];
	int i;

	f.rate = (struct fpgabuf_fract){ 0, 1 };
	ASSERT_EQ(0, fpga_set_format(ch, &f));
	size = f.size;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, buffer_alloc(ch, size, FPGABUF_KIND_SYSTEM,
					  &b[i]));
		ASSERT_EQ(i, fpga_register(ch, b[i].fd, 0, 0));
		ASSERT_EQ(0, fpga_queue(ch, i, i));
	}
	ASSERT_LE(1, fpga_start(ch));
	ASSERT_EQ(2, fpga_take(ch, done, 2, 2, 5 * SEC));
	ASSERT_EQ(0, fpga_stop(ch));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fpga_unregister(ch, i));
		ASSERT_EQ(0, dmabuf_sync(b[i].fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		EXPECT_STREQ("ok", frame_check(b[i].map, size, &done[i]))
			TH_LOG("%.4s, pitch %u", (char *)&f.fourcc,
			       f.pitches[0]);
	}
	picture = size - sizeof(struct fpgabuf_trailer);
	EXPECT_NE(0, memcmp(b[0].map, b[1].map, picture));
	EXPECT_FALSE(all_bytes(b[0].map, *(__u8 *)b[0].map, picture));
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(all_bytes((char *)b[i].map + size, 0,
				      b[i].size - size));
		buffer_free(&b[i]);
	}
}

TEST_F(format, captured)
{
	struct fpgabuf_format f;
	size_t i;

	for (i = 0; i < ARRAY_LEN(videos); i++) {
		f = video(videos[i].fourcc, 322, 181);
		capture_video(_metadata, self->ch, f);
		f.pitches[0] = 322 * 4 + 132;
		capture_video(_metadata, self->ch, f);
	}
	capture_video(_metadata, self->ch, video(DRM_FORMAT_R8, 32, 2));
	capture_video(_metadata, self->ch, self->initial);
}

/* Long enough for several segments of the engine, and blocks of memory */
TEST_F(format, large_frame)
{
	struct fpgabuf_completion done;
	struct buffer b;

	ASSERT_EQ(0, fpga_set_raw(self->ch, (5 << 20) + 4, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, (5 << 20) + 4, FPGABUF_KIND_SYSTEM,
				  &b));
	ASSERT_EQ(0, fpga_register(self->ch, b.fd, 0, 0));
	ASSERT_EQ(0, fpga_capture(self->ch, 0, &done));
	EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, (5 << 20) + 4,
					    &done));
	buffer_free(&b);
}

TEST_HARNESS_MAIN
