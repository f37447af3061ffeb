// SPDX-License-Identifier: GPL-2.0
/*
 * What a captured frame must be: an oracle of its own, written from the ABI.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <linux/dma-buf.h>

#include "fpgabuf_test.h"

/*
 * The other files must not be optimised (see Makefile), this one need be. Clang
 * has no such pragma: it is slow there.
 */
#ifndef __clang__
#pragma GCC optimize("O2")
#endif

/* The reflected polynomial 0x1EDC6F41 of CRC-32C. */
#define CRC32C_POLY	0x82f63b78U

static __u32 crc_table[256];

static void __attribute__((constructor)) crc_init(void)
{
	__u32 crc;
	int i, bit;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY : 0);
		crc_table[i] = crc;
	}
}

__u32 crc32c(const void *data, size_t len)
{
	const __u8 *p = data;
	__u32 crc = ~0U;

	while (len--)
		crc = crc >> 8 ^ crc_table[(crc ^ *p++) & 0xff];
	return ~crc;
}

bool all_bytes(const void *data, __u8 value, size_t len)
{
	const __u8 *p = data;

	/* Equal to itself one byte on, and the first byte is right */
	return !len || (*p == value && !memcmp(p, p + 1, len - 1));
}

const char *frame_check(const void *frame, size_t size,
			const struct fpgabuf_completion *done)
{
	size_t before = size - sizeof(struct fpgabuf_trailer);
	const char *end = (const char *)frame + before;
	struct fpgabuf_trailer trailer;

	if (done->status)
		return strerror(-done->status);
	if (done->bytes != size)
		return "bytes is not the size of the frame";
	/* There is none if the engine had to be asked. */
	if (done->metadata_len &&
	    done->metadata_len != sizeof(struct sim_metadata))
		return "the completion's metadata is not the simulator's";
	if (size < sizeof(trailer))
		return "no room for a trailer";
	memcpy(&trailer, end, sizeof(trailer));
	if (le32toh(trailer.magic) != FPGABUF_TRAILER_MAGIC)
		return "no trailer";
	if (le64toh(trailer.length) != size)
		return "the trailer's length is not the size of the frame";
	if (le64toh(trailer.sequence) != done->sequence)
		return "the trailer's sequence is not the completion's";
	if (le32toh(trailer.run) != done->run)
		return "the trailer's run is not the completion's";
	if (trailer.reserved)
		return "the trailer's reserved field is not zero";
	if (le32toh(trailer.crc) !=
	    crc32c(frame, size - sizeof(trailer.crc)))
		return "the CRC is wrong";
	return "ok";
}

static bool counting(const void *frame, size_t size, __u32 first)
{
	const __u8 *p = frame;
	__u32 word;
	size_t i;

	for (i = 0; i < size / sizeof(word); i++) {
		memcpy(&word, p + i * sizeof(word), sizeof(word));
		if (le32toh(word) != first + (__u32)i)
			return false;
	}
	/* The last word may be cut off. */
	word = htole32(first + (__u32)i);
	return !memcmp(p + i * sizeof(word), &word, size % sizeof(word));
}

const char *raw_check(const void *frame, size_t size,
		      const struct fpgabuf_completion *done)
{
	const char *verdict = frame_check(frame, size, done);

	if (strcmp(verdict, "ok"))
		return verdict;
	if (!counting(frame, size - sizeof(struct fpgabuf_trailer),
		      done->sequence))
		return "not the counting pattern of its sequence";
	return "ok";
}

const char *raw_check_synced(int fd, const void *frame, size_t size,
			     const struct fpgabuf_completion *done)
{
	const char *verdict;

	if (dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return "DMA_BUF_SYNC_START failed";
	verdict = raw_check(frame, size, done);
	if (dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ))
		return "DMA_BUF_SYNC_END failed";
	return verdict;
}
