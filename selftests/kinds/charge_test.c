// SPDX-License-Identifier: GPL-2.0
/*
 * Memory is charged to the memory cgroup of who allocates it, whatever its kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "kinds_test.h"

/* Each allocation succeeds in one piece; more than the pages of a program */
#define SIZE		(1 << 20)
#define NUM		8
#define BLOCK		(64 << 10)

FIXTURE(charge) {
	struct totals before;
	char top[24];
	int ch;
};

FIXTURE_VARIANT(charge) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(charge, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(charge, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(charge, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(charge, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_VARIANT_ADD(charge, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(charge, pool) {
	.kind = FPGABUF_KIND_POOL,
};

static int cgroup_write(const char *top, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return write_file(path, text);
}

/* Bytes that are charged to the test's own group */
static long long charged(const char *top)
{
	char path[64];
	long long bytes;
	FILE *f;

	snprintf(path, sizeof(path), "%s/charge/memory.current", top);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%lld", &bytes) != 1)
		bytes = -EIO;
	fclose(f);
	return bytes;
}

/* NULL, or why there is no group with a count of its memory. */
static const char *group_missing(const char *top)
{
	char path[64];

	if (mount("cgroup2", top, "cgroup2", 0, NULL))
		return "no cgroup2 in this kernel";
	if (cgroup_write(top, "cgroup.subtree_control", "+memory"))
		return "no memory controller in this kernel's cgroup2";
	snprintf(path, sizeof(path), "%s/charge", top);
	return mkdir(path, 0755) ? "no cgroup can be made" : NULL;
}

FIXTURE_SETUP(charge)
{
	const char *missing;

	REQUIRE_CHANNEL(self->before);
	snprintf(self->top, sizeof(self->top), "/tmp/cgroup-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	missing = group_missing(self->top);
	if (missing)
		SKIP(return, "%s", missing);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

/* The test's process is gone, and with it all that was in the group. */
FIXTURE_TEARDOWN_PARENT(charge)
{
	char path[64];

	if (!self->top[0])
		return;
	snprintf(path, sizeof(path), "%s/charge", self->top);
	rmdir(path);
	umount(self->top);
	rmdir(self->top);
	EXPECT_NOTHING_LEFT(self->before);
}

static int alloc_some(int ch, __u32 kind)
{
	__u32 stride;

	if (kind == FPGABUF_KIND_POOL)
		return fpga_alloc_pool(ch, BLOCK, SIZE / BLOCK, 64, 0, &stride);
	return fpga_alloc(ch, SIZE, kind);
}

/* A new group: none of its memory waits to be used again. */
TEST_F(charge, is_of_all_bytes)
{
	long long before, after;
	int i;

	/* CmaFree does not tell: pages that were there may have moved away. */
	if (variant->kind != FPGABUF_KIND_SYSTEM && memory_kib("CmaTotal") > 0)
		SKIP(return, "it may come from the CMA area, which is charged to nobody");
	ASSERT_EQ(0, cgroup_write(self->top, "charge/cgroup.procs", "0"));
	before = charged(self->top);
	ASSERT_LE(0, before);
	for (i = 0; i < NUM; i++)
		ASSERT_LE(0, alloc_some(self->ch, variant->kind));
	after = charged(self->top);
	TH_LOG("%d KiB, charged %lld KiB", NUM * (SIZE >> 10),
	       (after - before) >> 10);
	/* Each processor may have counted some pages ahead. */
	EXPECT_LE(before + NUM * SIZE / 4 * 3, after);
}

TEST_HARNESS_MAIN
