// SPDX-License-Identifier: GPL-2.0
/*
 * Formats: what is asked for against what a channel describes, and how frames lie
 * in memory. Pure logic, no device and no lock.
 */
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lcm.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <drm/drm_fourcc.h>

#include "format.h"

static const struct fpgabuf_format_info format_infos[] = {
	{ DRM_FORMAT_R8,	1, { 1 },	1, 1 },
	{ DRM_FORMAT_R16,	1, { 2 },	1, 1 },
	{ DRM_FORMAT_RGB565,	1, { 2 },	1, 1 },
	{ DRM_FORMAT_RGB888,	1, { 3 },	1, 1 },
	{ DRM_FORMAT_BGR888,	1, { 3 },	1, 1 },
	{ DRM_FORMAT_XRGB8888,	1, { 4 },	1, 1 },
	{ DRM_FORMAT_XBGR8888,	1, { 4 },	1, 1 },
	{ DRM_FORMAT_ARGB8888,	1, { 4 },	1, 1 },
	{ DRM_FORMAT_YUYV,	1, { 2 },	2, 1 },
	{ DRM_FORMAT_UYVY,	1, { 2 },	2, 1 },
	{ DRM_FORMAT_NV12,	2, { 1, 2 },	2, 2 },
	{ DRM_FORMAT_NV16,	2, { 1, 2 },	2, 1 },
};

/* Returns NULL for a fourcc that is not known. */
const struct fpgabuf_format_info *fpgabuf_format_info(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(format_infos); i++)
		if (format_infos[i].fourcc == fourcc)
			return &format_infos[i];
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_format_info);

static const struct fpgabuf_format_desc *
format_find(const struct fpgabuf_format_desc *descs, unsigned int num_descs,
	    const struct fpgabuf_format *format)
{
	unsigned int i;

	for (i = 0; i < num_descs; i++)
		if (descs[i].type == format->type &&
		    descs[i].fourcc == format->fourcc &&
		    descs[i].modifier == format->modifier)
			return &descs[i];
	return NULL;
}

static bool is_allowed(u64 value, u64 min, u64 max, u32 step)
{
	u32 rest = 0;

	if (step)
		div_u64_rem(value, step, &rest);
	return value >= min && value <= max && !rest;
}

static int rate_cmp(const struct fpgabuf_fract *a,
		    const struct fpgabuf_fract *b)
{
	u64 left = (u64)a->numerator * b->denominator;
	u64 right = (u64)b->numerator * a->denominator;

	return left < right ? -1 : left > right;
}

static int complete_rate(const struct fpgabuf_format_desc *desc,
			 struct fpgabuf_fract fallback, bool unthrottled,
			 struct fpgabuf_fract *rate)
{
	if (!rate->numerator && !rate->denominator)
		*rate = fallback;
	if (!rate->denominator)
		return -EINVAL;
	if (!rate->numerator) {
		if (rate->denominator != 1)
			return -EINVAL;
		return unthrottled ? 0 : -ERANGE;
	}
	if (rate_cmp(rate, &desc->min_rate) < 0 ||
	    rate_cmp(rate, &desc->max_rate) > 0)
		return -ERANGE;
	return 0;
}

/* Fields that the driver decides: 0, or what it would have decided. */
static int decide(u32 *field, u32 value)
{
	if (*field && *field != value)
		return -EINVAL;
	*field = value;
	return 0;
}

static int complete_raw(const struct fpgabuf_format_desc *desc,
			struct fpgabuf_format *format)
{
	unsigned int i;

	if (format->width || format->height || format->num_planes)
		return -EINVAL;
	for (i = 0; i < FPGABUF_MAX_PLANES; i++)
		if (format->pitches[i] || format->offsets[i])
			return -EINVAL;

	if (!is_allowed(format->size, desc->min_size, desc->max_size,
			desc->step_size))
		return -ERANGE;
	return 0;
}

/* What pitches are multiples of, for the board and for the engine, bytes */
u32 fpgabuf_pitch_align(const struct fpgabuf_format_desc *desc, u32 line_align)
{
	return lcm_not_zero(desc->stride_align, line_align);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_pitch_align);

static int complete_pitch(const struct fpgabuf_format_desc *desc,
			  const struct fpgabuf_format_info *info,
			  u32 line_align, struct fpgabuf_format *format)
{
	u32 align = fpgabuf_pitch_align(desc, line_align);
	u64 min = (u64)format->width * info->cpp[0];
	u64 pitch = format->pitches[0] ?:
		    mul_u32_u32(DIV_ROUND_UP_ULL(min, align), align);

	if (pitch < min || pitch > S32_MAX || (u32)pitch % align)
		return -EINVAL;
	format->pitches[0] = pitch;
	return 0;
}

static int complete_planes(const struct fpgabuf_format_info *info,
			   struct fpgabuf_format *format, u64 *size)
{
	u64 offset = (u64)format->pitches[0] * format->height;
	unsigned int i;
	int ret;

	ret = decide(&format->offsets[0], 0);
	for (i = 1; i < FPGABUF_MAX_PLANES && !ret; i++) {
		bool used = i < info->num_planes;
		u32 samples = format->pitches[0] / info->cpp[0];
		u32 pitch = used ? samples / info->hsub * info->cpp[i] : 0;

		if (used && offset > U32_MAX)
			return -ERANGE;
		ret = decide(&format->pitches[i], pitch);
		if (!ret)
			ret = decide(&format->offsets[i], used ? offset : 0);
		if (used)
			offset += (u64)pitch *
				  DIV_ROUND_UP(format->height, info->vsub);
	}
	*size = offset;
	return ret;
}

static int complete_video(const struct fpgabuf_format_desc *desc,
			  u32 line_align, struct fpgabuf_format *format)
{
	const struct fpgabuf_format_info *info;
	u64 size;
	int ret;

	info = fpgabuf_format_info(format->fourcc);
	if (!info)
		return -EOPNOTSUPP;
	if (!is_allowed(format->width, desc->min_width, desc->max_width,
			desc->step_width) ||
	    !is_allowed(format->height, desc->min_height, desc->max_height,
			desc->step_height))
		return -ERANGE;

	ret = complete_pitch(desc, info, line_align, format);
	if (ret)
		return ret;
	ret = complete_planes(info, format, &size);
	if (ret)
		return ret;
	ret = decide(&format->num_planes, info->num_planes);
	if (ret)
		return ret;
	if (format->size && format->size != size)
		return -EINVAL;
	if (size < desc->min_size || size > desc->max_size)
		return -ERANGE;
	format->size = size;
	return 0;
}

/**
 * fpgabuf_format_complete() - check a format and fill in what it leaves open
 * @descs: what the channel can do
 * @num_descs: entries of @descs
 * @default_rate: the rate for a format that names none
 * @unthrottled: whether the rate may be 0/1
 * @line_align: of the pitch, beside what @descs say, bytes; 1: any
 * @format: in and out; undefined after an error
 *
 * Return: 0, or the errors of FPGABUF_IOC_SET_FORMAT: -EINVAL, -EOPNOTSUPP,
 * -ERANGE.
 */
int fpgabuf_format_complete(const struct fpgabuf_format_desc *descs,
			    unsigned int num_descs,
			    struct fpgabuf_fract default_rate, bool unthrottled,
			    u32 line_align, struct fpgabuf_format *format)
{
	const struct fpgabuf_format_desc *desc;
	int ret;

	if (format->flags & ~(FPGABUF_FORMAT_TRY | FPGABUF_FORMAT_PACKETS))
		return -EINVAL;
	if (format->type != FPGABUF_FORMAT_RAW &&
	    format->type != FPGABUF_FORMAT_VIDEO)
		return -EINVAL;
	if (format->type == FPGABUF_FORMAT_RAW &&
	    (format->fourcc || format->modifier))
		return -EINVAL;

	desc = format_find(descs, num_descs, format);
	if (!desc || format->flags & FPGABUF_FORMAT_PACKETS & ~desc->flags)
		return -EOPNOTSUPP;

	ret = complete_rate(desc, default_rate, unthrottled, &format->rate);
	if (ret)
		return ret;
	if (format->type == FPGABUF_FORMAT_RAW)
		return complete_raw(desc, format);
	return complete_video(desc, line_align, format);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_format_complete);

/* All planes have lines of the same length and pitch, or -EOPNOTSUPP. */
static int lines_of_video(const struct fpgabuf_format *format,
			  struct fpgabuf_lines *lines)
{
	const struct fpgabuf_format_info *info =
		fpgabuf_format_info(format->fourcc);
	unsigned int i;

	if (!info)
		return -EOPNOTSUPP;
	lines->length = format->width * info->cpp[0];
	lines->pitch = format->pitches[0];
	for (i = 1; i < info->num_planes; i++)
		if (format->pitches[i] != lines->pitch ||
		    format->width / info->hsub * info->cpp[i] != lines->length)
			return -EOPNOTSUPP;
	lines->num = lines->pitch ? div_u64(format->size, lines->pitch) : 0;
	return 0;
}

/**
 * fpgabuf_format_lines() - how an engine moves a frame that does so line by line
 * @format: the format, complete
 * @max_length: longest line that the engine takes, bytes
 * @alignment: of each line's address, bytes, a power of two
 * @lines: out; a raw block is one line
 *
 * Return: 0; -ERANGE: its lines are too long, or there are none; -EINVAL: they are
 * not aligned; -EOPNOTSUPP: its planes have lines of different lengths.
 */
int fpgabuf_format_lines(const struct fpgabuf_format *format, u32 max_length,
			 u32 alignment, struct fpgabuf_lines *lines)
{
	int ret;

	if (format->type == FPGABUF_FORMAT_RAW) {
		if (!format->size || format->size > max_length)
			return -ERANGE;
		*lines = (struct fpgabuf_lines){
			.length = format->size,
			.pitch = format->size,
			.num = 1,
		};
		return 0;
	}
	ret = lines_of_video(format, lines);
	if (ret)
		return ret;
	if (!lines->num || lines->length > max_length)
		return -ERANGE;
	return IS_ALIGNED(lines->pitch, alignment) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_format_lines);

/**
 * fpgabuf_lines_moved() - how far in memory a frame came
 * @lines: the frame
 * @residue: bytes of its lines that were not moved
 *
 * Return: bytes from the start of the frame: lines that were moved, with their
 * padding, and the part of the last one.
 */
u64 fpgabuf_lines_moved(const struct fpgabuf_lines *lines, u32 residue)
{
	const u64 all = (u64)lines->length * lines->num;
	u32 rest;
	u64 num;

	if (!residue)
		return (u64)lines->pitch * lines->num;
	num = div_u64_rem(all - min_t(u64, residue, all), lines->length, &rest);
	return num * lines->pitch + rest;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_lines_moved);
