/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_FORMAT_H
#define _FPGABUF_FORMAT_H

#include <linux/types.h>
#include <uapi/linux/fpgabuf.h>

/**
 * struct fpgabuf_format_info - how the pixels of a fourcc lie in memory
 * @fourcc: DRM_FORMAT_*
 * @num_planes: planes, one after the other
 * @cpp: bytes of a sample, per plane
 * @hsub: pixels that a sample of the further planes stands for, horizontally
 * @vsub: the same, vertically
 */
struct fpgabuf_format_info {
	u32 fourcc;
	u8 num_planes;
	u8 cpp[FPGABUF_MAX_PLANES];
	u8 hsub;
	u8 vsub;
};

/**
 * struct fpgabuf_lines - a frame as lines of equal length
 * @length: bytes of a line, without padding
 * @pitch: bytes from the start of a line to that of the next one
 * @num: number of lines
 */
struct fpgabuf_lines {
	u32 length;
	u32 pitch;
	u32 num;
};

const struct fpgabuf_format_info *fpgabuf_format_info(u32 fourcc);
u32 fpgabuf_pitch_align(const struct fpgabuf_format_desc *desc, u32 line_align);
int fpgabuf_format_lines(const struct fpgabuf_format *format, u32 max_length,
			 u32 alignment, struct fpgabuf_lines *lines);
u64 fpgabuf_lines_moved(const struct fpgabuf_lines *lines, u32 residue);
int fpgabuf_format_complete(const struct fpgabuf_format_desc *descs,
			    unsigned int num_descs,
			    struct fpgabuf_fract default_rate, bool unthrottled,
			    u32 line_align, struct fpgabuf_format *format);

#endif /* _FPGABUF_FORMAT_H */
