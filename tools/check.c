// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "message.h"

/* A stream that is broken in every frame is told in so many lines. */
#define MAX_TOLD	10

__attribute__((format(printf, 3, 4)))
static void tell(struct check *check, uint64_t sequence, const char *format,
		 ...)
{
	char reason[160];
	va_list args;

	if (check->told > MAX_TOLD)
		return;
	if (check->told++ == MAX_TOLD) {
		complain("more frames are wrong, which are only counted");
		return;
	}

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	complain("frame %" PRIu64 ": %s", sequence, reason);
}

static const char *loss_reason(uint32_t flags)
{
	switch (flags & (FPGABUF_DONE_LOST_STARVED |
			 FPGABUF_DONE_LOST_OVERRUN)) {
	case FPGABUF_DONE_LOST_STARVED:
		return "no buffer was queued";
	case FPGABUF_DONE_LOST_OVERRUN:
		return "the device could not keep up";
	case FPGABUF_DONE_LOST_STARVED | FPGABUF_DONE_LOST_OVERRUN:
		return "no buffer was queued, and the device could not keep up";
	default:
		return "no reason given";
	}
}

static void check_loss(struct check *check,
		       const struct fpgabuf_completion *done)
{
	if (!done->lost)
		return;
	check->lost += done->lost;
	if (check->strict)
		tell(check, done->sequence, "%u lost before it: %s",
		     done->lost, loss_reason(done->flags));
}

/*
 * Every gap must be told as loss, and nothing may come twice or late. The number
 * of a frame that failed is undefined, and the driver may not have counted it.
 */
static void check_order(struct check *check,
			const struct fpgabuf_completion *done)
{
	const uint64_t wanted = check->next + done->lost;

	if (done->status && done->status != -EMSGSIZE) {
		check->next = wanted;
		check->unnumbered++;
		return;
	}
	if (done->sequence < wanted ||
	    done->sequence - wanted > check->unnumbered) {
		check->reordered++;
		if (check->strict)
			tell(check, done->sequence,
			     "out of order: %" PRIu64 " was to come", wanted);
	}
	check->next = done->sequence + 1;
	check->unnumbered = 0;
}

/* The frame before it was read for longer than the engine takes for a round. */
static void check_overwritten(struct check *check,
			      const struct fpgabuf_completion *done)
{
	if (!(done->flags & FPGABUF_DONE_OVERWRITTEN))
		return;
	check->wrong++;
	tell(check, done->sequence,
	     "the frame before it in this buffer was overwritten while it was read");
}

static bool check_status(struct check *check,
			 const struct fpgabuf_completion *done, uint64_t size)
{
	if (!done->status && done->bytes == size)
		return true;

	check->wrong++;
	if (done->status == -EIO)
		tell(check, done->sequence, "the engine reported an error");
	else if (done->status == -EOVERFLOW)
		tell(check, done->sequence,
		     "it was overwritten before it was taken");
	else if (done->status && done->status != -EMSGSIZE)
		tell(check, done->sequence, "%s", strerror(-done->status));
	else
		tell(check, done->sequence, "%" PRIu64 " bytes came of %"
		     PRIu64, (uint64_t)done->bytes, size);

	return false;
}

bool check_completion(struct check *check,
		      const struct fpgabuf_completion *done, uint64_t size)
{
	check_loss(check, done);
	check_order(check, done);
	check_overwritten(check, done);

	return check_status(check, done, size);
}

static void tell_trailer(struct check *check, uint64_t sequence, int error,
			 const struct fpgabuf_trailer *trailer, uint64_t size)
{
	switch (error) {
	case EBADMSG:
		tell(check, sequence, "it has no trailer");
		break;
	case EMSGSIZE:
		tell(check, sequence,
		     "its trailer tells %" PRIu64 " bytes, not %" PRIu64,
		     (uint64_t)trailer->length, size);
		break;
	default:
		tell(check, sequence, "its CRC-32C is not 0x%08x, as its trailer tells",
		     (uint32_t)trailer->crc);
	}
}

void check_frame(struct check *check, const struct fpgabuf_completion *done,
		 const void *frame, uint64_t size)
{
	struct fpgabuf_trailer trailer = { .length = 0 };
	int ret;

	ret = fpgabuf_verify_frame(frame, size, &trailer);
	if (!ret && trailer.sequence == done->sequence &&
	    trailer.run == done->run)
		return;

	check->wrong++;
	if (ret)
		tell_trailer(check, done->sequence, -ret, &trailer, size);
	else
		tell(check, done->sequence,
		     "its trailer tells frame %" PRIu64 " of run %u, not of run %u",
		     (uint64_t)trailer.sequence, (uint32_t)trailer.run,
		     done->run);
}

bool check_failed(const struct check *check)
{
	if (check->wrong)
		return true;

	return check->strict && (check->lost || check->reordered);
}
