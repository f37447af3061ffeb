// SPDX-License-Identifier: GPL-2.0
/* The names of the kinds of memory, both ways. */
#include <errno.h>
#include <string.h>

#include "fpgabuf.h"
#include "tap.h"

static const struct {
	uint32_t kind;
	const char *name;
} kinds[] = {
	{ FPGABUF_KIND_COHERENT, "coherent" },
	{ FPGABUF_KIND_CONTIGUOUS, "contiguous" },
	{ FPGABUF_KIND_SYSTEM, "system" },
	{ FPGABUF_KIND_WRITECOMBINE, "writecombine" },
	{ FPGABUF_KIND_NONCONTIGUOUS, "noncontiguous" },
	{ FPGABUF_KIND_USER, "user" },
	{ FPGABUF_KIND_POOL, "pool" },
	{ FPGABUF_KIND_REGION, "region" },
};

static void test_known(uint32_t kind, const char *name)
{
	const char *found = fpgabuf_kind_name(kind);

	ok(found && !strcmp(found, name), "kind %u is \"%s\"", kind, name);
	is(fpgabuf_kind_from_name(name), kind, "\"%s\" is kind %u", name, kind);
}

static void test_unknown_name(const char *name)
{
	is(fpgabuf_kind_from_name(name), -EINVAL, "no kind \"%s\"", name);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_known(kinds[i].kind, kinds[i].name);

	ok(!fpgabuf_kind_name(FPGABUF_KIND_REGION + 1), "kind after the last");
	ok(!fpgabuf_kind_name(UINT32_MAX), "largest number");
	test_unknown_name("");
	test_unknown_name("Coherent");
	test_unknown_name("coheren");
	test_unknown_name("coherent ");

	return tap_end();
}
