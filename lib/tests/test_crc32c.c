// SPDX-License-Identifier: GPL-2.0
/* fpgabuf_crc32c() against the RFC's vectors and a bit by bit oracle. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fpgabuf.h"
#include "tap.h"

/* RFC 3720, B.4: "SCSI Read (10) Command PDU" */
static const uint8_t read_pdu[48] = {
	0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
	0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
	0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void test_rfc3720(void)
{
	uint8_t data[32];
	size_t i;

	memset(data, 0x00, sizeof(data));
	is(fpgabuf_crc32c(0, data, 32), 0x8a9136aa, "32 bytes of zeroes");
	memset(data, 0xff, sizeof(data));
	is(fpgabuf_crc32c(0, data, 32), 0x62a8ab43, "32 bytes of ones");
	for (i = 0; i < 32; i++)
		data[i] = i;
	is(fpgabuf_crc32c(0, data, 32), 0x46dd794e, "32 ascending bytes");
	for (i = 0; i < 32; i++)
		data[i] = 31 - i;
	is(fpgabuf_crc32c(0, data, 32), 0x113fdb5c, "32 descending bytes");
	is(fpgabuf_crc32c(0, read_pdu, 48), 0xd9963a56, "iSCSI read PDU");
	is(fpgabuf_crc32c(0, "123456789", 9), 0xe3069283, "check value");
	is(fpgabuf_crc32c(0, NULL, 0), 0, "nothing at all");
}

static uint32_t oracle(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;
	int bit;

	while (len--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}

	return ~crc;
}

/* Every byte value in each of the eight tables, and what is left after them. */
static void test_oracle(const uint8_t *data, size_t size)
{
	size_t start, len, wrong = 0;

	for (start = 0; start < 8; start++)
		for (len = 0; len <= 64; len++)
			wrong += fpgabuf_crc32c(0, data + start, len) !=
				 oracle(data + start, len);
	is(wrong, 0, "short blocks at every alignment");
	is(fpgabuf_crc32c(0, data, size), oracle(data, size), "a long block");
}

static void test_continued(const uint8_t *data)
{
	const uint32_t whole = fpgabuf_crc32c(0, data, 64);
	size_t split, wrong = 0;
	uint32_t crc;

	for (split = 0; split <= 64; split++) {
		crc = fpgabuf_crc32c(0, data, split);
		crc = fpgabuf_crc32c(crc, data + split, 64 - split);
		wrong += crc != whole;
	}
	is(wrong, 0, "continued from any point");
}

/* Blocks that end, and begin, where the memory does. */
static void test_edges(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	size_t len, wrong = 0;
	uint8_t *map;

	map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(map != MAP_FAILED);
	need(!mprotect(map, page, PROT_NONE));
	need(!mprotect(map + 2 * page, page, PROT_NONE));
	memset(map + page, 0xa5, page);

	for (len = 0; len <= 64; len++) {
		const uint32_t crc = oracle(map + page, len);

		wrong += fpgabuf_crc32c(0, map + page, len) != crc;
		wrong += fpgabuf_crc32c(0, map + 2 * page - len, len) != crc;
	}
	is(wrong, 0, "nothing is read outside of the block");
	munmap(map, 3 * page);
}

int main(void)
{
	static uint8_t data[1 << 16];
	uint32_t random = 1;
	size_t i;

	for (i = 0; i < sizeof(data); i++) {
		random = random * 1664525 + 1013904223;
		data[i] = random >> 24;
	}

	test_rfc3720();
	test_oracle(data, sizeof(data));
	test_continued(data);
	test_edges();

	return tap_end();
}
