// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <string.h>

#include "parse.h"

#define NSEC_PER_SEC	INT64_C(1000000000)

/* Decimal digits and nothing else; strtoull() takes signs and blanks too. */
static bool scan_number(const char **text, uint64_t *number)
{
	const char *p = *text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return false;
	if (p == *text)
		return false;

	*text = p;
	*number = n;

	return true;
}

static bool scan_positive_u32(const char **text, uint32_t *number)
{
	uint64_t n;

	if (!scan_number(text, &n) || n < 1 || n > UINT32_MAX)
		return false;
	*number = n;

	return true;
}

bool parse_count(const char *text, uint64_t max, uint64_t *count)
{
	uint64_t n;

	if (!scan_number(&text, &n) || *text || n < 1 || n > max)
		return false;
	*count = n;

	return true;
}

bool parse_fd(const char *text, int *fd)
{
	uint64_t n;

	if (!scan_number(&text, &n) || *text || n > INT_MAX)
		return false;
	*fd = n;

	return true;
}

static bool suffix_shift(const char *suffix, unsigned int *shift)
{
	static const char letters[] = "KMG";
	const char *letter;

	*shift = 0;
	if (!*suffix)
		return true;
	letter = strchr(letters, *suffix);
	if (!letter || suffix[1])
		return false;
	*shift = 10 * (letter - letters + 1);

	return true;
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
	unsigned int shift;
	uint64_t n;

	if (!scan_number(&text, &n) || !suffix_shift(text, &shift) || n < 1 ||
	    n > UINT64_MAX >> shift)
		return false;
	*bytes = n << shift;

	return true;
}

bool parse_size(const char *text, uint32_t *width, uint32_t *height)
{
	uint32_t w, h;

	if (!scan_positive_u32(&text, &w) || *text++ != 'x' ||
	    !scan_positive_u32(&text, &h) || *text)
		return false;
	*width = w;
	*height = h;

	return true;
}

bool parse_rate(const char *text, struct fpgabuf_fract *rate)
{
	struct fpgabuf_fract r = { .denominator = 1 };

	if (strcmp(text, "max")) {
		if (!scan_positive_u32(&text, &r.numerator))
			return false;
		if (*text == '/') {
			text++;
			if (!scan_positive_u32(&text, &r.denominator))
				return false;
		}
		if (*text)
			return false;
	}
	*rate = r;

	return true;
}

/* The digits after the point, of which nine count. */
static bool scan_fraction(const char **text, int64_t *ns)
{
	const char *p = *text;
	int64_t unit = NSEC_PER_SEC;

	*ns = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		unit /= 10;
		*ns += unit * (*p - '0');
	}
	if (p == *text)
		return false;
	*text = p;

	return true;
}

bool parse_seconds(const char *text, int64_t *ns)
{
	int64_t total, fraction = 0;
	uint64_t seconds;

	if (!scan_number(&text, &seconds))
		return false;
	if (*text == '.') {
		text++;
		if (!scan_fraction(&text, &fraction))
			return false;
	}
	if (*text || __builtin_mul_overflow(seconds, NSEC_PER_SEC, &total) ||
	    __builtin_add_overflow(total, fraction, &total) || total < 1)
		return false;
	*ns = total;

	return true;
}

bool parse_fourcc(const char *text, uint32_t *fourcc)
{
	const size_t length = strlen(text);
	uint32_t code = 0;
	size_t i;

	if (length < 1 || length > 4)
		return false;
	for (i = 0; i < 4; i++) {
		const unsigned char c = i < length ? text[i] : ' ';

		if (c < ' ' || c > '~')
			return false;
		code |= (uint32_t)c << 8 * i;
	}
	*fourcc = code;

	return true;
}
