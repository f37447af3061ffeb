/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of the ABI as text. Each returns its buffer. */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>
#include <linux/fpgabuf.h>

struct text {
	char s[96];
};

/* "YUYV", or "0x00000001" when it is no text */
const char *fourcc_text(struct text *text, uint32_t fourcc);
/* "linear", or the number */
const char *modifier_text(struct text *text, uint64_t modifier);
/* "64 bytes", "1800 KiB", "64 MiB" when exact, else "1843201 bytes" */
const char *bytes_text(struct text *text, uint64_t bytes);
/* "1, of 4 MiB", "4, the longest of 1 MiB" */
const char *pieces_text(struct text *text, uint32_t pieces, uint64_t largest);
/* "60 fps", "29.97 fps", "max" */
const char *rate_text(struct text *text, const struct fpgabuf_fract *rate);
/* "YUYV 1280x720", "raw 64 KiB" */
const char *format_text(struct text *text, const struct fpgabuf_format *format);
/* "YUYV", "YUYV (modifier 0x…)", "raw" */
const char *desc_text(struct text *text, const struct fpgabuf_format_desc *desc);
/* "capture", "output" */
const char *direction_text(uint32_t direction);

#endif /* TEXT_H */
