// SPDX-License-Identifier: GPL-2.0
/* Numbers of the ABI as text. */
#include <string.h>

#include "tap.h"
#include "text.h"

static void same(const char *found, const char *wanted)
{
	if (!ok(!strcmp(found, wanted), "\"%s\"", wanted))
		printf("# found \"%s\"\n", found);
}

static void test_numbers(void)
{
	struct text text;

	same(fourcc_text(&text, 0x56595559), "YUYV");
	same(fourcc_text(&text, 0x20203852), "R8");
	same(fourcc_text(&text, 0), "0x00000000");
	same(fourcc_text(&text, 0xb6595559), "0xb6595559");
	same(modifier_text(&text, 0), "linear");
	same(modifier_text(&text, 0x0100000000000002), "0x0100000000000002");
	same(bytes_text(&text, 0), "0 bytes");
	same(bytes_text(&text, 1023), "1023 bytes");
	same(bytes_text(&text, 1843200), "1800 KiB");
	same(bytes_text(&text, 64 << 20), "64 MiB");
	same(bytes_text(&text, UINT64_MAX), "18446744073709551615 bytes");
	same(bytes_text(&text, 1ULL << 63), "8388608 TiB");
	same(pieces_text(&text, 1, 4 << 20), "1, of 4 MiB");
	same(pieces_text(&text, 4, 1 << 20), "4, the longest of 1 MiB");
	same(pieces_text(&text, UINT32_MAX, UINT64_MAX),
	     "4294967295, the longest of 18446744073709551615 bytes");
	same(direction_text(FPGABUF_DIR_CAPTURE), "capture");
	same(direction_text(FPGABUF_DIR_OUTPUT), "output");
	same(direction_text(99), "unknown");
}

static const char *rate(struct text *text, uint32_t n, uint32_t d)
{
	const struct fpgabuf_fract fract = { n, d };

	return rate_text(text, &fract);
}

static void test_rates(void)
{
	struct text text;

	same(rate(&text, 60, 1), "60 fps");
	same(rate(&text, 120, 2), "60 fps");
	same(rate(&text, 30000, 1001), "29.97 fps");
	same(rate(&text, 1, 2), "0.50 fps");
	same(rate(&text, 0, 1), "max");
	same(rate(&text, 1, 0), "0.00 fps");
}

static void test_formats(void)
{
	const struct fpgabuf_format raw = {
		.type = FPGABUF_FORMAT_RAW,
		.size = 65536,
	};
	const struct fpgabuf_format packets = {
		.type = FPGABUF_FORMAT_RAW,
		.flags = FPGABUF_FORMAT_PACKETS,
		.size = 65536,
	};
	const struct fpgabuf_format video = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = 0x34325258,
		.width = UINT32_MAX,
		.height = 720,
	};
	struct fpgabuf_format_desc desc = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = 0x34325258,
	};
	const struct fpgabuf_format new = { .type = 3 };
	struct text text;

	same(format_text(&text, &raw), "raw 64 KiB");
	same(format_text(&text, &packets), "packets of up to 64 KiB");
	same(format_text(&text, &video), "XR24 4294967295x720");
	same(format_text(&text, &new), "type 3");
	same(desc_text(&text, &desc), "XR24");
	desc.modifier = 0x0100000000000001;
	same(desc_text(&text, &desc), "XR24 (modifier 0x0100000000000001)");
	desc.type = FPGABUF_FORMAT_RAW;
	same(desc_text(&text, &desc), "raw");
	desc.flags = FPGABUF_FORMAT_PACKETS;
	same(desc_text(&text, &desc), "raw (also packets)");
	desc.type = 3;
	same(desc_text(&text, &desc), "type 3");
}

int main(void)
{
	test_numbers();
	test_rates();
	test_formats();

	return tap_end();
}
