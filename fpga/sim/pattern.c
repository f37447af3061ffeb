// SPDX-License-Identifier: GPL-2.0
/*
 * What the simulated frames contain. Pure functions.
 */
#include <kunit/visibility.h>
#include <linux/crc32c.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <drm/drm_fourcc.h>

#include "sim.h"

/* Pixels that the bars move from frame to frame. */
#define SIM_BAR_STEP	4

/**
 * struct sim_colour - a colour of the bars
 * @r: red
 * @g: green
 * @b: blue
 * @y: luma, ITU-R BT.709, limited range
 * @cb: blue difference
 * @cr: red difference
 */
struct sim_colour {
	u8 r, g, b;
	u8 y, cb, cr;
};

/* The 75 % bars of SMPTE RP 219, white to blue, then black. */
static const struct sim_colour sim_colours[] = {
	{ 191, 191, 191, 180, 128, 128 },
	{ 191, 191,   0, 168,  44, 136 },
	{   0, 191, 191, 145, 147,  44 },
	{   0, 191,   0, 133,  63,  52 },
	{ 191,   0, 191,  63, 193, 204 },
	{ 191,   0,   0,  51, 109, 212 },
	{   0,   0, 191,  28, 212, 120 },
	{   0,   0,   0,  16, 128, 128 },
};

static const struct sim_colour *sim_colour(u32 x, u32 width)
{
	return &sim_colours[div_u64((u64)x * ARRAY_SIZE(sim_colours), width)];
}

static void sim_put_pixel(u32 fourcc, const struct sim_colour *c, u32 x,
			  u8 *line)
{
	switch (fourcc) {
	case DRM_FORMAT_YUYV:
		line[2 * x] = c->y;
		line[2 * x + 1] = x & 1 ? c->cr : c->cb;
		break;
	case DRM_FORMAT_UYVY:
		line[2 * x] = x & 1 ? c->cr : c->cb;
		line[2 * x + 1] = c->y;
		break;
	case DRM_FORMAT_XRGB8888:
		put_unaligned_le32(c->r << 16 | c->g << 8 | c->b,
				   line + 4 * x);
		break;
	case DRM_FORMAT_R8:
		line[x] = c->y;
		break;
	}
}

/* Bytes of a pixel of the simulator's formats */
unsigned int sim_pattern_cpp(u32 fourcc)
{
	switch (fourcc) {
	case DRM_FORMAT_XRGB8888:
		return 4;
	case DRM_FORMAT_R8:
		return 1;
	default:
		return 2;
	}
}

/**
 * sim_pattern_bars() - a line of the moving colour bars
 * @format: a video format of the simulator
 * @sequence: number of the frame
 * @line: out: &fpgabuf_format.pitches[0] bytes; what lies behind the last pixel
 *	is zero
 *
 * All lines of a frame are alike.
 */
void sim_pattern_bars(const struct fpgabuf_format *format, u64 sequence,
		      u8 *line)
{
	u32 width = format->width;
	u32 shift = (u32)(sequence * SIM_BAR_STEP) % width;
	u32 x;

	memset(line, 0, format->pitches[0]);
	for (x = 0; x < width; x++) {
		u32 pos = x + shift;

		sim_put_pixel(format->fourcc,
			      sim_colour(pos < width ? pos : pos - width,
					 width), x, line);
	}
}
EXPORT_SYMBOL_IF_KUNIT(sim_pattern_bars);

/**
 * sim_pattern_count() - a block of the counting pattern
 * @sequence: number of the frame
 * @offset: where in the frame the block starts, a multiple of 4
 * @block: out
 * @len: bytes of it
 *
 * Word i of a frame, little-endian, is the low half of @sequence, plus i. The
 * last one may be cut off.
 */
void sim_pattern_count(u64 sequence, u64 offset, u8 *block, size_t len)
{
	u32 word = (u32)sequence + (u32)(offset / 4);
	size_t i;

	for (i = 0; i + 4 <= len; i += 4)
		put_unaligned_le32(word++, block + i);
	for (; i < len; i++, word >>= 8)
		block[i] = word;
}
EXPORT_SYMBOL_IF_KUNIT(sim_pattern_count);

/**
 * sim_pattern_length() - how long a packet is
 * @sequence: number of the packet
 * @max: the longest one, bytes, SIM_MIN_SIZE to U32_MAX
 *
 * Return: bytes, SIM_MIN_SIZE to @max; the same for the same packet, and any for
 * one after it.
 */
u64 sim_pattern_length(u64 sequence, u64 max)
{
	u32 choices = max - SIM_MIN_SIZE + 1;

	return SIM_MIN_SIZE + reciprocal_scale(jhash_1word(sequence, 0),
					       choices);
}
EXPORT_SYMBOL_IF_KUNIT(sim_pattern_length);

/**
 * sim_pattern_trailer() - the trailer of a frame
 * @run: number of the run
 * @sequence: number of the frame
 * @length: bytes of the frame, trailer included
 * @crc: crc32c() of all bytes before the trailer, begun with ~0
 * @trailer: out
 */
void sim_pattern_trailer(u32 run, u64 sequence, u64 length, u32 crc,
			 struct fpgabuf_trailer *trailer)
{
	*trailer = (struct fpgabuf_trailer){
		.magic = cpu_to_le32(FPGABUF_TRAILER_MAGIC),
		.run = cpu_to_le32(run),
		.sequence = cpu_to_le64(sequence),
		.length = cpu_to_le64(length),
	};
	crc = crc32c(crc, trailer, offsetof(typeof(*trailer), crc));
	trailer->crc = cpu_to_le32(~crc);
}
EXPORT_SYMBOL_IF_KUNIT(sim_pattern_trailer);

/**
 * sim_pattern_trailer_right() - whether a frame is what its trailer says
 * @trailer: the end of the frame
 * @length: bytes of the frame, trailer included
 * @crc: crc32c() of all bytes before the trailer, begun with ~0
 *
 * Return: whether magic, length and CRC are right.
 */
bool sim_pattern_trailer_right(const struct fpgabuf_trailer *trailer,
			       u64 length, u32 crc)
{
	crc = ~crc32c(crc, trailer, offsetof(typeof(*trailer), crc));
	return trailer->magic == cpu_to_le32(FPGABUF_TRAILER_MAGIC) &&
	       trailer->length == cpu_to_le64(length) &&
	       trailer->crc == cpu_to_le32(crc);
}
EXPORT_SYMBOL_IF_KUNIT(sim_pattern_trailer_right);
