// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include "text.h"

#define print(text, ...) \
	(snprintf((text)->s, sizeof((text)->s), __VA_ARGS__), (text)->s)

const char *fourcc_text(struct text *text, uint32_t fourcc)
{
	int i, length = 0;

	for (i = 0; i < 4; i++) {
		const unsigned char c = fourcc >> 8 * i;

		if (c < ' ' || c > '~')
			return print(text, "0x%08x", fourcc);
		text->s[i] = c;
		if (c != ' ')
			length = i + 1;
	}
	text->s[length] = '\0';

	return text->s;
}

const char *modifier_text(struct text *text, uint64_t modifier)
{
	if (modifier == 0)
		return print(text, "linear");

	return print(text, "0x%016" PRIx64, modifier);
}

const char *bytes_text(struct text *text, uint64_t bytes)
{
	static const char * const units[] = { "bytes", "KiB", "MiB", "GiB",
					      "TiB" };
	unsigned int unit = 0;

	while (unit < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}

	return print(text, "%" PRIu64 " %s", bytes, units[unit]);
}

const char *pieces_text(struct text *text, uint32_t pieces, uint64_t largest)
{
	struct text part;

	bytes_text(&part, largest);
	if (pieces == 1)
		return print(text, "1, of %.40s", part.s);

	return print(text, "%u, the longest of %.40s", pieces, part.s);
}

const char *rate_text(struct text *text, const struct fpgabuf_fract *rate)
{
	const uint32_t n = rate->numerator, d = rate->denominator;

	if (!n)
		return print(text, "max");
	if (d && n % d == 0)
		return print(text, "%u fps", n / d);

	return print(text, "%.2f fps", d ? (double)n / d : 0.0);
}

const char *format_text(struct text *text, const struct fpgabuf_format *format)
{
	struct text part;

	if (format->type == FPGABUF_FORMAT_RAW)
		return print(text, "%s %.32s",
			     format->flags & FPGABUF_FORMAT_PACKETS ?
			     "packets of up to" : "raw",
			     bytes_text(&part, format->size));
	if (format->type != FPGABUF_FORMAT_VIDEO)
		return print(text, "type %u", format->type);

	return print(text, "%.10s %ux%u",
		     fourcc_text(&part, format->fourcc), format->width,
		     format->height);
}

const char *desc_text(struct text *text, const struct fpgabuf_format_desc *desc)
{
	struct text fourcc, modifier;

	if (desc->type == FPGABUF_FORMAT_RAW)
		return print(text, desc->flags & FPGABUF_FORMAT_PACKETS ?
			     "raw (also packets)" : "raw");
	if (desc->type != FPGABUF_FORMAT_VIDEO)
		return print(text, "type %u", desc->type);

	fourcc_text(&fourcc, desc->fourcc);
	if (!desc->modifier)
		return print(text, "%s", fourcc.s);

	return print(text, "%.10s (modifier %.18s)", fourcc.s,
		     modifier_text(&modifier, desc->modifier));
}

const char *direction_text(uint32_t direction)
{
	switch (direction) {
	case FPGABUF_DIR_CAPTURE:
		return "capture";
	case FPGABUF_DIR_OUTPUT:
		return "output";
	default:
		return "unknown";
	}
}
