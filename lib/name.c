// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "internal.h"

static const char * const kind_names[] = {
	[FPGABUF_KIND_COHERENT] = "coherent",
	[FPGABUF_KIND_CONTIGUOUS] = "contiguous",
	[FPGABUF_KIND_SYSTEM] = "system",
	[FPGABUF_KIND_WRITECOMBINE] = "writecombine",
	[FPGABUF_KIND_NONCONTIGUOUS] = "noncontiguous",
	[FPGABUF_KIND_USER] = "user",
	[FPGABUF_KIND_POOL] = "pool",
	[FPGABUF_KIND_REGION] = "region",
};

#define NUM_KINDS	(sizeof(kind_names) / sizeof(kind_names[0]))

const char *fpgabuf_kind_name(uint32_t kind)
{
	return kind < NUM_KINDS ? kind_names[kind] : NULL;
}

int fpgabuf_kind_from_name(const char *name)
{
	size_t i;

	for (i = 0; i < NUM_KINDS; i++)
		if (!strcmp(name, kind_names[i]))
			return i;

	return -EINVAL;
}
