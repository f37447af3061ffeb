// SPDX-License-Identifier: GPL-2.0
/*
 * The judge of frames: what it counts, what it tells, and that it is not too
 * strict with a stream that is as it should be.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "check.h"
#include "message.h"
#include "tap.h"

#define SIZE	256

static char last[200];
static int told;

/* In place of the program's own. */
void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof(last), format, args);
	va_end(args);
	told++;
}

static struct check begin(bool strict)
{
	told = 0;
	last[0] = '\0';

	return (struct check){ .strict = strict };
}

static struct fpgabuf_completion make(uint64_t sequence, uint32_t lost,
				      int32_t status)
{
	return (struct fpgabuf_completion){
		.sequence = sequence,
		.lost = lost,
		.flags = lost ? FPGABUF_DONE_LOST_STARVED : 0,
		.status = status,
		.bytes = SIZE,
		.run = 1,
	};
}

static bool feed(struct check *check, uint64_t sequence, uint32_t lost,
		 int32_t status)
{
	const struct fpgabuf_completion done = make(sequence, lost, status);

	return check_completion(check, &done, SIZE);
}

static void test_good_stream(void)
{
	struct check check = begin(true);
	uint64_t i;

	for (i = 0; i < 1000; i++)
		if (!feed(&check, i, 0, 0))
			break;
	is(i, 1000, "a whole stream");
	ok(!check_failed(&check), "does not fail");
	is(told, 0, "and nothing is told");
}

static void test_loss(bool strict)
{
	struct check check = begin(strict);

	feed(&check, 2, 2, 0);
	feed(&check, 3, 0, 0);
	ok(feed(&check, 7, 3, 0), "a frame after lost ones is whole");
	is(check.lost, 5, "lost frames are counted");
	is(check.reordered, 0, "and are not out of order");
	is(check_failed(&check), strict, "loss is a failure when strict");
	is(told, strict ? 2 : 0, "and told then");
	if (strict)
		ok(!strcmp(last, "frame 7: 3 lost before it: no buffer was queued"),
		   "with the reason: %s", last);
}

static void test_order(uint64_t second, uint32_t lost, const char *what)
{
	struct check check = begin(true);

	feed(&check, 0, 0, 0);
	feed(&check, second, lost, 0);
	is(check.reordered, 1, "%s: counted", what);
	ok(check_failed(&check), "%s: fails", what);
	ok(strstr(last, "out of order"), "%s: told: %s", what, last);
	feed(&check, second + 1, 0, 0);
	is(check.reordered, 1, "%s: once", what);
}

/*
 * A frame that failed has no number that is defined. The next one may be numbered
 * as if the failed ones had been, or had not.
 */
static void test_failed(uint64_t sequence, uint64_t next, uint32_t lost,
			int reordered, const char *what)
{
	struct check check = begin(false);

	feed(&check, 0, 0, 0);
	feed(&check, sequence, 0, -EIO);
	feed(&check, sequence, 1, -ETIMEDOUT);
	feed(&check, next, lost, 0);
	feed(&check, next + 1, 0, 0);
	is(check.reordered, reordered, "failed frames, %s", what);
	is(check.lost, 1 + lost, "failed frames, %s: loss is counted", what);
	is(check.wrong, 2, "failed frames, %s: and they are", what);
}

static void test_status(int32_t status, const char *reason)
{
	struct check check = begin(false);

	ok(!feed(&check, 0, 0, status), "status %d: no whole frame", status);
	is(check.wrong, 1, "status %d: counted", status);
	ok(check_failed(&check), "status %d: fails", status);
	ok(strstr(last, reason), "status %d: told: %s", status, last);
}

/* The frame itself is good; the one that its buffer had before was not. */
static void test_overwritten(void)
{
	struct fpgabuf_completion done = make(0, 0, 0);
	struct check check = begin(false);

	done.flags = FPGABUF_DONE_OVERWRITTEN;
	ok(check_completion(&check, &done, SIZE), "a whole frame");
	is(check.wrong, 1, "after one that was overwritten");
	ok(strstr(last, "overwritten while it was read"), "told: %s", last);
}

static void test_short(void)
{
	struct fpgabuf_completion done = make(0, 0, 0);
	struct check check = begin(true);

	done.bytes = SIZE - 4;
	ok(!check_completion(&check, &done, SIZE), "a short frame");
	ok(strstr(last, "252 bytes came of 256"), "is told: %s", last);
}

static void test_bounded(void)
{
	struct check check = begin(true);
	int i;

	for (i = 0; i < 1000; i++)
		feed(&check, i, 0, -EIO);
	is(check.wrong, 1000, "all are counted");
	ok(told <= 20, "not all are told (%d)", told);
}

static void make_frame(uint8_t *frame, uint64_t sequence, uint32_t run)
{
	struct fpgabuf_trailer trailer = {
		.magic = htole32(FPGABUF_TRAILER_MAGIC),
		.run = htole32(run),
		.sequence = htole64(sequence),
		.length = htole64(SIZE),
	};
	const size_t start = SIZE - sizeof(trailer);

	memset(frame, 0x5a, start);
	memcpy(frame + start, &trailer, sizeof(trailer));
	trailer.crc = htole32(fpgabuf_crc32c(0, frame, SIZE - 4));
	memcpy(frame + start, &trailer, sizeof(trailer));
}

static void test_contents(uint64_t sequence, uint32_t run, int flip,
			  const char *reason)
{
	const struct fpgabuf_completion done = make(5, 0, 0);
	struct check check = begin(true);
	uint8_t frame[SIZE];

	make_frame(frame, sequence, run);
	if (flip >= 0)
		frame[flip] ^= 1;
	check_frame(&check, &done, frame, SIZE);
	is(check.wrong, reason ? 1 : 0, "contents: %s", reason ?: "right");
	is(check_failed(&check), reason ? 1 : 0, "contents: judged");
	if (reason)
		ok(strstr(last, reason), "contents: told: %s", last);
	else
		is(told, 0, "contents: nothing told");
}

int main(void)
{
	test_good_stream();
	test_loss(true);
	test_loss(false);
	test_order(0, 0, "the same frame twice");
	test_order(5, 0, "a gap that is not told");
	test_order(2, 3, "a gap that is not as told");
	test_failed(1, 2, 0, 0, "not numbered");
	test_failed(1, 4, 0, 0, "numbered");
	test_failed(77, 3, 0, 0, "one of them numbered");
	test_failed(1, 5, 3, 0, "more lost after them");
	test_failed(1, 1, 0, 1, "a number that was");
	test_failed(1, 5, 0, 1, "a gap that is not told");
	test_status(-EIO, "the engine reported an error");
	test_status(-EMSGSIZE, "256 bytes came of 256");
	test_status(-ETIMEDOUT, "timed out");
	test_status(-EOVERFLOW, "overwritten before it was taken");
	test_overwritten();
	test_short();
	test_bounded();
	test_contents(5, 1, -1, NULL);
	test_contents(4, 1, -1, "its trailer tells frame 4 of run 1, not of run 1");
	test_contents(5, 2, -1, "its trailer tells frame 5 of run 2, not of run 1");
	test_contents(5, 1, 10, "CRC-32C");
	test_contents(5, 1, SIZE - 32, "no trailer");
	test_contents(5, 1, SIZE - 16, "its trailer tells 257 bytes");

	return tap_end();
}
