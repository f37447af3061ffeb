// SPDX-License-Identifier: GPL-2.0
/* The values of options: what is understood, what is not, and the limits. */
#include <string.h>

#include "parse.h"
#include "tap.h"

#define LENGTH(array)	(sizeof(array) / sizeof((array)[0]))

/* What every number shares: none of these is one. */
static const char * const not_numbers[] = {
	"", " ", "-1", "+1", " 1", "1 ", "0x10", "1e3", "one", "1,5", "0",
	"18446744073709551616", "99999999999999999999999999",
};

static void test_count(void)
{
	uint64_t n = 7;
	size_t i;

	for (i = 0; i < LENGTH(not_numbers); i++)
		ok(!parse_count(not_numbers[i], UINT64_MAX, &n),
		   "count '%s'", not_numbers[i]);
	ok(!parse_count("65", 64, &n), "count over its maximum");
	ok(!parse_count("1K", 64, &n), "count with a suffix");
	is(n, 7, "nothing is changed by what is not understood");

	ok(parse_count("64", 64, &n) && n == 64, "count at its maximum");
	ok(parse_count("1", 64, &n) && n == 1, "the smallest count");
	ok(parse_count("18446744073709551615", UINT64_MAX, &n) &&
	   n == UINT64_MAX, "the largest count");
}

static void test_fd(void)
{
	size_t i;
	int fd = 7;

	for (i = 0; i < LENGTH(not_numbers); i++)
		ok(!strcmp(not_numbers[i], "0") ||
		   !parse_fd(not_numbers[i], &fd), "fd '%s'", not_numbers[i]);
	ok(!parse_fd("2147483648", &fd), "fd over its maximum");
	is(fd, 7, "nothing is changed by what is not understood");

	ok(parse_fd("0", &fd) && fd == 0, "the smallest fd");
	ok(parse_fd("2147483647", &fd) && fd == 2147483647, "the largest fd");
}

static void test_bytes(void)
{
	static const char * const wrong[] = {
		"K", "1KB", "1KiB", "1k", "1T", "1.5K", "0K",
		"18014398509481984K", "17592186044416M", "17179869184G",
	};
	uint64_t n = 7;
	size_t i;

	for (i = 0; i < LENGTH(not_numbers); i++)
		ok(!parse_bytes(not_numbers[i], &n), "bytes '%s'",
		   not_numbers[i]);
	for (i = 0; i < LENGTH(wrong); i++)
		ok(!parse_bytes(wrong[i], &n), "bytes '%s'", wrong[i]);
	is(n, 7, "nothing is changed by what is not understood");

	ok(parse_bytes("4096", &n) && n == 4096, "bytes");
	ok(parse_bytes("64K", &n) && n == 65536, "KiB");
	ok(parse_bytes("2M", &n) && n == 2097152, "MiB");
	ok(parse_bytes("1G", &n) && n == 1073741824, "GiB");
	ok(parse_bytes("17179869183G", &n) && n == 17179869183ULL << 30,
	   "the most GiB");
}

static void test_size(void)
{
	static const char * const wrong[] = {
		"", "x", "1280", "1280x", "x720", "1280x0", "0x720", "1280X720",
		"1280x720x1", "1280 x720", "1280x 720", "-1x720", "1280x720 ",
		"4294967296x1", "1x4294967296",
	};
	uint32_t w = 7, h = 8;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++)
		ok(!parse_size(wrong[i], &w, &h), "size '%s'", wrong[i]);
	ok(w == 7 && h == 8, "nothing is changed by what is not understood");

	ok(parse_size("1280x720", &w, &h) && w == 1280 && h == 720, "size");
	ok(parse_size("4294967295x1", &w, &h) && w == UINT32_MAX && h == 1,
	   "the largest width");
}

static void test_rate(void)
{
	static const char * const wrong[] = {
		"", "0", "0/1", "60/0", "60/", "/1", "60/1/1", "29.97", "MAX",
		"max ", "60 ", "-60", "4294967296", "1/4294967296",
	};
	struct fpgabuf_fract rate = { 7, 8 };
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++)
		ok(!parse_rate(wrong[i], &rate), "rate '%s'", wrong[i]);
	ok(rate.numerator == 7 && rate.denominator == 8,
	   "nothing is changed by what is not understood");

	ok(parse_rate("60", &rate) && rate.numerator == 60 &&
	   rate.denominator == 1, "whole rate");
	ok(parse_rate("30000/1001", &rate) && rate.numerator == 30000 &&
	   rate.denominator == 1001, "fraction");
	ok(parse_rate("max", &rate) && rate.numerator == 0 &&
	   rate.denominator == 1, "as fast as possible");
}

static void test_seconds(void)
{
	static const char * const wrong[] = {
		"", "0", "0.0", ".5", "1.", "1.5s", "-1", "1e3", "1,5",
		"0.0000000001", "9223372037", "9223372036.854775808",
		"18446744073709551616",
	};
	int64_t ns = 7;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++)
		ok(!parse_seconds(wrong[i], &ns), "seconds '%s'", wrong[i]);
	is(ns, 7, "nothing is changed by what is not understood");

	ok(parse_seconds("10", &ns) && ns == 10000000000, "whole seconds");
	ok(parse_seconds("0.5", &ns) && ns == 500000000, "half a second");
	ok(parse_seconds("0.000000001", &ns) && ns == 1, "a nanosecond");
	ok(parse_seconds("1.0000000019", &ns) && ns == 1000000001,
	   "less than a nanosecond is cut off");
	ok(parse_seconds("9223372036.854775807", &ns) && ns == INT64_MAX,
	   "the longest time");
}

static void test_fourcc(void)
{
	static const char * const wrong[] = { "", "YUYV2", "Y\n", "\xc3\xa9" };
	uint32_t fourcc = 7;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++)
		ok(!parse_fourcc(wrong[i], &fourcc), "bad fourcc %zu", i);
	is(fourcc, 7, "nothing is changed by what is not understood");

	/* DRM_FORMAT_YUYV, DRM_FORMAT_XRGB8888, DRM_FORMAT_R8 */
	ok(parse_fourcc("YUYV", &fourcc) && fourcc == 0x56595559, "YUYV");
	ok(parse_fourcc("XR24", &fourcc) && fourcc == 0x34325258, "XR24");
	ok(parse_fourcc("R8", &fourcc) && fourcc == 0x20203852, "R8");
}

int main(void)
{
	test_count();
	test_fd();
	test_bytes();
	test_size();
	test_rate();
	test_seconds();
	test_fourcc();

	return tap_end();
}
