// SPDX-License-Identifier: GPL-2.0
/*
 * What of the device tree is of no use, and what the kernel keeps off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "soc.h"

FIXTURE(nodes) {
	struct totals before;
	int node;
};

FIXTURE_SETUP(nodes)
{
	REQUIRE_CHANNEL(self->before);
	if (soc_missing())
		SKIP(return, "%s", soc_missing());
	self->node = soc_load();
	ASSERT_LE(0, self->node);
}

FIXTURE_TEARDOWN_PARENT(nodes)
{
	EXPECT_EQ(0, soc_unload());
	EXPECT_NOTHING_LEFT(self->before);
}

/* The log names the node, and the owner of one that is taken. */
static const struct {
	const char *board;
	int error;
	const char *node;
	const char *other;
} useless[] = {
	{ "soc-mapped", -EINVAL, "mapped@33000000", "" },
	{ "soc-empty", -EINVAL, "empty@33100000", "" },
	{ "soc-elsewhere", -EINVAL, "/chosen", "" },
	{ "soc-twice", -EINVAL, "spare@33200000", "" },
	{ "soc-engine-pool", -EOPNOTSUPP, "coherent@32400000", "ffa90000.dma" },
	{ "soc-taken", -EBUSY, "carveout@32000000", "soc-carveout" },
};

TEST_F(nodes, what_is_of_no_use_is_said)
{
	int log, again;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(useless); i++) {
		log = log_open();
		ASSERT_LE(0, log);
		again = log_open();
		ASSERT_LE(0, again);
		EXPECT_EQ(useless[i].error, soc_write("bind", useless[i].board))
			TH_LOG("%s", useless[i].board);
		EXPECT_TRUE(log_says(log, useless[i].board, useless[i].node))
			TH_LOG("%s", useless[i].board);
		EXPECT_TRUE(log_says(again, useless[i].board, useless[i].other))
			TH_LOG("%s", useless[i].board);
		close(log);
		close(again);
	}
}

/* A node that cannot be used leaves nothing behind of those before it. */
TEST_F(nodes, nothing_is_left_of_a_useless_one)
{
	EXPECT_EQ(4, soc_room(self->node, "soc-all",
			      FPGABUF_KIND_COHERENT, 2, 4));
	ASSERT_EQ(-EINVAL, soc_write("bind", "soc-mapped"));
	ASSERT_EQ(-EINVAL, soc_write("bind", "soc-twice"));
	EXPECT_EQ(4, soc_room(self->node, "soc-all",
			      FPGABUF_KIND_COHERENT, 2, 4));
	EXPECT_EQ(-EINVAL, soc_write("bind", "soc-twice"));
}

/* It is anybody's again once its board and its buffers are gone. */
TEST_F(nodes, a_carve_out_changes_hands)
{
	struct buffer b;

	ASSERT_EQ(0, soc_alloc(self->node, "soc-carveout", MIB,
			       FPGABUF_KIND_REGION, &b));
	ASSERT_EQ(0, soc_write("unbind", "soc-carveout"));
	EXPECT_EQ(-EBUSY, soc_write("bind", "soc-taken"));
	buffer_free(&b);
	EXPECT_EQ(0, soc_write("bind", "soc-taken"));
	EXPECT_EQ(4, soc_room(self->node, "soc-taken", FPGABUF_KIND_REGION,
			      0, 4));
	EXPECT_EQ(-EBUSY, soc_write("bind", "soc-carveout"));
	EXPECT_EQ(0, soc_write("unbind", "soc-taken"));
	EXPECT_EQ(0, soc_write("bind", "soc-carveout"));
}

/* Memory of the engine's client before, which is in use, is not another one's. */
TEST_F(nodes, an_engine_changes_hands)
{
	struct buffer b;
	int log;

	ASSERT_EQ(0, soc_alloc(self->node, "soc-engine", MIB,
			       FPGABUF_KIND_REGION, &b));
	ASSERT_EQ(0, soc_write("unbind", "soc-engine"));
	log = log_open();
	ASSERT_LE(0, log);
	EXPECT_EQ(-EBUSY, soc_write("bind", "soc-engine-other"));
	EXPECT_TRUE(log_says(log, "soc-engine-other", "/soc-engine names"));
	close(log);
	buffer_free(&b);
	/* The other's area has one piece. */
	EXPECT_EQ(0, soc_write("bind", "soc-engine-other"));
	EXPECT_EQ(1, soc_room(self->node, "soc-engine-other",
			      FPGABUF_KIND_REGION, 0, 1));
	EXPECT_EQ(0, soc_write("unbind", "soc-engine-other"));
	EXPECT_EQ(0, soc_write("bind", "soc-engine"));
}

/* "from-to : name" lines; those of a name, at any depth */
static bool iomem_has(const char *name, unsigned long from, unsigned long to)
{
	unsigned long start, end;
	bool found = false;
	char line[128];
	FILE *f;

	f = fopen("/proc/iomem", "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, " %lx-%lx", &start, &end) == 2 &&
			start <= to && end >= from && strstr(line, name);
	fclose(f);
	return found;
}

/* The page allocator has what the kernel takes for its RAM, and that alone. */
TEST_F(nodes, the_kernel_keeps_off)
{
	static const unsigned long reserved[] = {
		0x30000000, 0x32000000, 0x32400000, 0x32800000,
		0x34000000,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(reserved); i++) {
		EXPECT_FALSE(iomem_has("System RAM", reserved[i],
				       reserved[i] + 4 * MIB - 1));
		EXPECT_TRUE(iomem_has("reserved", reserved[i],
				      reserved[i] + 4 * MIB - 1));
	}
	/* It lends out what is reusable. */
	EXPECT_TRUE(iomem_has("System RAM", 0x31000000, 0x31ffffff));
}

TEST_HARNESS_MAIN
