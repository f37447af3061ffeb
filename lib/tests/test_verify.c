// SPDX-License-Identifier: GPL-2.0
/* fpgabuf_verify_frame(): a good frame, and each way to break it. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "fpgabuf.h"
#include "tap.h"

#define LENGTH		4000
#define TRAILER		(LENGTH - sizeof(struct fpgabuf_trailer))
#define FIELD(name)	(TRAILER + offsetof(struct fpgabuf_trailer, name))

/* One more on each side: frames at odd addresses, and what must not matter. */
static uint8_t memory[LENGTH + 2];

static void seal(uint8_t *frame, size_t length)
{
	const size_t end = length - sizeof(uint32_t);
	const uint32_t crc = htole32(fpgabuf_crc32c(0, frame, end));

	memcpy(frame + end, &crc, sizeof(crc));
}

static uint8_t *make_frame(size_t length)
{
	struct fpgabuf_trailer trailer = {
		.magic = htole32(FPGABUF_TRAILER_MAGIC),
		.run = htole32(0x01020304),
		.sequence = htole64(0x1122334455667788),
		.length = htole64(length),
	};
	uint8_t *frame = memory + 1;
	size_t i;

	memset(memory, 0x5a, sizeof(memory));
	for (i = 0; i < length; i++)
		frame[i] = i * 7;
	memcpy(frame + length - sizeof(trailer), &trailer, sizeof(trailer));
	seal(frame, length);

	return frame;
}

static void test_good(void)
{
	struct fpgabuf_trailer trailer;
	uint8_t *frame = make_frame(LENGTH);

	is(fpgabuf_verify_frame(frame, LENGTH, &trailer), 0, "good frame");
	is(trailer.magic, FPGABUF_TRAILER_MAGIC, "magic");
	is(trailer.run, 0x01020304, "run");
	is(trailer.sequence, 0x1122334455667788, "sequence");
	is(trailer.length, LENGTH, "length");
	is(trailer.reserved, 0, "reserved");
	is(trailer.crc, fpgabuf_crc32c(0, frame, LENGTH - 4), "crc");
	is(fpgabuf_verify_frame(frame, LENGTH, NULL), 0, "no trailer wanted");

	memory[0] ^= 1;
	memory[LENGTH + 1] ^= 1;
	is(fpgabuf_verify_frame(frame, LENGTH, NULL), 0,
	   "what is around the frame does not matter");

	frame = make_frame(sizeof(trailer));
	is(fpgabuf_verify_frame(frame, sizeof(trailer), NULL), 0,
	   "a trailer and nothing else");
}

static void test_every_bit(void)
{
	uint8_t *frame = make_frame(LENGTH);
	size_t bit, accepted = 0;

	for (bit = 0; bit < LENGTH * 8; bit++) {
		frame[bit / 8] ^= 1 << bit % 8;
		accepted += !fpgabuf_verify_frame(frame, LENGTH, NULL);
		frame[bit / 8] ^= 1 << bit % 8;
	}
	is(accepted, 0, "no flipped bit is accepted");
	is(fpgabuf_verify_frame(frame, LENGTH, NULL), 0, "good again");
}

static void test_broken(size_t byte, bool sealed, int error, const char *what)
{
	struct fpgabuf_trailer trailer = { .run = 0 };
	uint8_t *frame = make_frame(LENGTH);

	frame[byte] ^= 0x80;
	if (sealed)
		seal(frame, LENGTH);
	is(fpgabuf_verify_frame(frame, LENGTH, &trailer), error, "%s", what);
	ok(trailer.sequence == 0x1122334455667788, "%s: trailer told", what);
}

static void test_short(void)
{
	uint8_t *frame = make_frame(LENGTH);

	is(fpgabuf_verify_frame(frame, sizeof(struct fpgabuf_trailer) - 1,
				NULL), -EMSGSIZE, "shorter than a trailer");
	is(fpgabuf_verify_frame(frame, 0, NULL), -EMSGSIZE, "empty");
	is(fpgabuf_verify_frame(frame, LENGTH - 4, NULL), -EBADMSG, "cut off");
	/* A whole frame, at the end of what is taken for a longer one. */
	is(fpgabuf_verify_frame(frame - 1, LENGTH + 1, NULL), -EMSGSIZE,
	   "length of another frame");
}

static void test_zeroes(void)
{
	memset(memory, 0, sizeof(memory));
	is(fpgabuf_verify_frame(memory, LENGTH, NULL), -EBADMSG,
	   "a buffer that nobody wrote");
}

int main(void)
{
	test_good();
	test_every_bit();
	test_broken(0, false, -EILSEQ, "first byte wrong");
	test_broken(TRAILER - 1, false, -EILSEQ, "last payload byte wrong");
	test_broken(FIELD(crc), false, -EILSEQ, "CRC wrong");
	test_broken(FIELD(run), false, -EILSEQ, "run wrong");
	test_broken(FIELD(magic), true, -EBADMSG, "magic wrong, CRC right");
	test_broken(FIELD(length), true, -EMSGSIZE, "length wrong, CRC right");
	test_short();
	test_zeroes();

	return tap_end();
}
