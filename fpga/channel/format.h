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

const struct fpgabuf_format_info *fpgabuf_format_info(u32 fourcc);
int fpgabuf_format_complete(const struct fpgabuf_format_desc *descs,
			    unsigned int num_descs,
			    struct fpgabuf_fract default_rate, bool unthrottled,
			    struct fpgabuf_format *format);

#endif /* _FPGABUF_FORMAT_H */
