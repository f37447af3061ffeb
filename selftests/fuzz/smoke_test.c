// SPDX-License-Identifier: GPL-2.0
/*
 * A short session of the fuzzer on any kernel, so that its calls still fit the
 * nodes. FPGABUF_SEED=N: other programs. Without KCOV nothing is learned, which
 * is enough for this.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "fuzz.h"

#define PROGRAMS	300
/* Measured: 62 to 65 of a hundred calls, and 51 kinds of them or more */
#define PERCENT		45
#define KINDS		44

FIXTURE(smoke) {
};

FIXTURE_SETUP(smoke)
{
	if (!access("/dev/fpgabuf0", F_OK))
		return;
	ASSERT_EQ(NULL, getenv("FPGABUF_REQUIRED"));
	SKIP(return, "no such channel device: load fpgabuf_sim");
}

FIXTURE_TEARDOWN(smoke)
{
}

TEST_F_TIMEOUT(smoke, session, 300)
{
	const char *seed = getenv("FPGABUF_SEED");
	struct options opts = {
		.programs = PROGRAMS,
		.seed = seed ? strtoull(seed, NULL, 0) : 1,
		.threads = 3,
		.seeds = "seeds.txt",
		.quiet = true,
	};
	struct totals totals;

	ASSERT_EQ(0, session_run(&opts, &totals));
	TH_LOG("%lu programs, %lu calls, %lu succeeded, %lu of %u kinds of calls",
	       totals.programs, totals.calls, totals.succeeded,
	       totals.ops_succeeded, num_ops);
	EXPECT_LE((unsigned long)PROGRAMS, totals.programs);
	EXPECT_LE(totals.calls * PERCENT, totals.succeeded * 100);
	EXPECT_LE((unsigned long)KINDS, totals.ops_succeeded);
	EXPECT_EQ(0UL, totals.died);
	EXPECT_EQ(0UL, totals.reports);
}

/* A duplicate of itself, of one behind it, and one of an original */
static char circle_text[] =
	"program 1 race=5 end=0 kill=1\n"
	"t0 r0 = dup on=r0\n"
	"t0 r1 = dup on=r2\n"
	"t0 r2 = dup on=r1\n"
	"t0 r3 = open_importer\n"
	"t0 r4 = dup on=r3\n"
	"end\n";

/* Changing numbers makes such programs; who asks what they are must come back. */
TEST(circles)
{
	FILE *f = fmemopen(circle_text, strlen(circle_text), "r");
	struct program prog;
	unsigned int i;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, program_read(f, &prog));
	fclose(f);
	ASSERT_EQ(5U, prog.num_calls);
	for (i = 0; i < 3; i++)
		EXPECT_EQ((int)RES_ANY, (int)makes(&prog, i));
	EXPECT_EQ((int)makes(&prog, 3), (int)makes(&prog, 4));
}

TEST_HARNESS_MAIN
