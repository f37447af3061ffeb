/* SPDX-License-Identifier: GPL-2.0 */
/* TAP: one line a check, the plan at the end. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 4, 5)))
static inline bool tap_check(bool good, const char *file, int line,
			     const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');

	if (!good) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	/* A program that crashes later must not take this with it. */
	fflush(stdout);

	return good;
}

#define ok(condition, ...) \
	tap_check(condition, __FILE__, __LINE__, __VA_ARGS__)

/* Both sides as signed 64 bit; says what was found when they differ. */
#define is(found, wanted, ...) do {					\
	const long long f_ = (found), w_ = (wanted);			\
									\
	if (!ok(f_ == w_, __VA_ARGS__))					\
		printf("# found %lld (%#llx), wanted %lld (%#llx)\n",	\
		       f_, f_, w_, w_);					\
} while (0)

__attribute__((unused))
static void tap_skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, name, reason);
}

/* For what a test needs and that is not its subject. */
#define need(condition) do {						\
	if (!(condition)) {						\
		printf("Bail out! %s:%d: %s: %m\n", __FILE__, __LINE__,	\
		       #condition);					\
		exit(1);						\
	}								\
} while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);

	return tap_failed ? 1 : 0;
}

#endif /* TAP_H */
