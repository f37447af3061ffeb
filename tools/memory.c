// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "memory.h"
#include "message.h"

static bool has_kind(const struct fpgabuf_info *info, uint32_t kind)
{
	return kind < 32 && info->kinds & 1U << kind;
}

/* Cached memory first: a CPU that reads frames is slow without. */
static bool default_kind(const struct fpgabuf_info *info, uint32_t *kind)
{
	static const uint32_t preferred[] = {
		FPGABUF_KIND_SYSTEM,
		FPGABUF_KIND_CONTIGUOUS,
		FPGABUF_KIND_COHERENT,
	};
	size_t i;

	for (i = 0; i < sizeof(preferred) / sizeof(preferred[0]); i++) {
		*kind = preferred[i];
		if (*kind == FPGABUF_KIND_SYSTEM &&
		    !(info->capabilities & FPGABUF_CAP_SCATTER))
			continue;
		if (has_kind(info, *kind))
			return true;
	}

	return false;
}

bool choose_kind(const struct fpgabuf_channel *channel, int wanted,
		 uint32_t *kind)
{
	const char *path = fpgabuf_channel_path(channel);
	const struct fpgabuf_info *info = fpgabuf_channel_info(channel);

	if (wanted < 0) {
		if (!default_kind(info, kind)) {
			complain("%s: allocates no memory; 'fpgabuf capture --register-heap' takes that of others",
				 path);
			return false;
		}
	} else {
		*kind = wanted;
		if (!has_kind(info, wanted)) {
			complain("%s: has no %s memory; see 'fpgabuf info %s'",
				 path, fpgabuf_kind_name(wanted), path);
			return false;
		}
	}

	return true;
}

void complain_alloc(const struct fpgabuf_channel *channel, const char *name,
		    uint64_t size, int error)
{
	const char *path = fpgabuf_channel_path(channel);

	if (error == ENOMEM)
		complain("%s: no %s memory for a buffer of %" PRIu64 " bytes; the kernel log tells more",
			 path, name, size);
	else if (error == EFBIG)
		complain("%s: %" PRIu64 " bytes are more than its longest piece, which %s memory is; see 'fpgabuf info %s'",
			 path, size, name, path);
	else
		complain("%s: %s memory for a buffer of %" PRIu64 " bytes: %s",
			 path, name, size, strerror(error));
}
