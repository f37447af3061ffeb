// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CRC-32C by slicing-by-8: eight bytes a step, in plain C. No package of C code
 * for it is in every release that is supported, and an emulated machine, where
 * frames are checked most, is three times slower with the CRC32 instruction.
 */
#include <string.h>
#include <endian.h>

#include "internal.h"

/*
 * The CRC of a byte is the exclusive or of those of its bits, so that 256
 * entries follow from 8. Those are the states that the shift register with the
 * polynomial 0x82f63b78 (reversed) runs through, from the byte's bit 7 to its
 * bit 0; a byte that is followed by n others is 8 * n states later.
 */
#define ENTRY(i, b7, b6, b5, b4, b3, b2, b1, b0)		\
	(((i) & 0x80 ? b7 : 0) ^ ((i) & 0x40 ? b6 : 0) ^	\
	 ((i) & 0x20 ? b5 : 0) ^ ((i) & 0x10 ? b4 : 0) ^	\
	 ((i) & 0x08 ? b3 : 0) ^ ((i) & 0x04 ? b2 : 0) ^	\
	 ((i) & 0x02 ? b1 : 0) ^ ((i) & 0x01 ? b0 : 0))
#define ENTRIES_4(i, ...)					\
	ENTRY(i, __VA_ARGS__), ENTRY(i + 1, __VA_ARGS__),	\
	ENTRY(i + 2, __VA_ARGS__), ENTRY(i + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...)					\
	ENTRIES_4(i, __VA_ARGS__), ENTRIES_4(i + 4, __VA_ARGS__), \
	ENTRIES_4(i + 8, __VA_ARGS__), ENTRIES_4(i + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...)					\
	ENTRIES_16(i, __VA_ARGS__), ENTRIES_16(i + 16, __VA_ARGS__), \
	ENTRIES_16(i + 32, __VA_ARGS__), ENTRIES_16(i + 48, __VA_ARGS__)
#define TABLE(...) {						\
	ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), \
	ENTRIES_64(128, __VA_ARGS__), ENTRIES_64(192, __VA_ARGS__) }

static const uint32_t table[8][256] = {
	TABLE(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f,
	      0x8ad958cf, 0xc79a971f, 0xe13b70f7, 0xf26b8303),
	TABLE(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181,
	      0x9d14c3b8, 0x4e8a61dc, 0x274530ee, 0x13a29877),
	TABLE(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a,
	      0x38513ec5, 0x9edea41a, 0x4f6f520d, 0xa541927e),
	TABLE(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d,
	      0xf64463e6, 0x7b2231f3, 0xbf672381, 0xdd45aab8),
	TABLE(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3,
	      0xc5670b91, 0xe045beb0, 0x7022df58, 0x38116fac),
	TABLE(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e,
	      0x6006181f, 0xb2f53777, 0xdb8ca0c3, 0xef306b19),
	TABLE(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6,
	      0x4e2dfd53, 0xa5e0c5d1, 0xd0065990, 0x68032cc8),
	TABLE(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4,
	      0x423b04da, 0x211d826d, 0x9278fa4e, 0x493c7d27),
};

static uint32_t step_1(uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ table[0][(crc ^ byte) & 0xff];
}

static uint32_t step_8(uint32_t crc, const uint8_t *data)
{
	uint32_t low, high;

	memcpy(&low, data, sizeof(low));
	memcpy(&high, data + sizeof(low), sizeof(high));
	low = le32toh(low) ^ crc;
	high = le32toh(high);

	return table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
	       table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
	       table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
	       table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
}

uint32_t fpgabuf_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8)
		crc = step_8(crc, p);
	for (; len; p++, len--)
		crc = step_1(crc, *p);

	return ~crc;
}
