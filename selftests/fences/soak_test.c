// SPDX-License-Identifier: GPL-2.0
/*
 * Frames for a long time: FPGABUF_FRAMES of them (2,000,000), or as many as come
 * in FPGABUF_SECONDS (1,200), through three channels that run by fences alone.
 * None is lost, and the kernel has as much memory afterwards as before. Not
 * among the tests that are run always: make soak.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "../sim/sim_test.h"
#include "fences_test.h"

#define DEPTH		32
#define SHORT		256

/*
 * What caches and lists may have grown by, in KiB. An instrumented kernel keeps
 * what is freed for a while, to see who uses it; there kmemleak sees a leak.
 */
static long tolerance(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? 4096 : 65536;
}

FIXTURE(soak) {
	struct totals before;
	struct buffer b[DEPTH];
	int rx, tx;
};

FIXTURE_SETUP(soak)
{
	int i;

	REQUIRE_CHANNEL(self->before);
	self->rx = sim_open("rx0");
	self->tx = sim_open("tx0");
	ASSERT_LE(0, self->rx);
	ASSERT_LE(0, self->tx);
	ASSERT_EQ(0, fpga_set_raw(self->rx, SHORT, 0));
	ASSERT_EQ(0, fpga_set_raw(self->tx, SHORT, 0));
	for (i = 0; i < DEPTH; i++) {
		ASSERT_EQ(0, buffer_alloc(self->rx, SHORT,
					  FPGABUF_KIND_COHERENT, &self->b[i]));
		ASSERT_EQ(i, fpga_register(self->rx, self->b[i].fd, 0, 0));
		ASSERT_EQ(i, fpga_register(self->tx, self->b[i].fd, 0, 0));
	}
}

FIXTURE_TEARDOWN_PARENT(soak)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* All buffers once through both; how many frames were lost, or an error. */
static int round_of_frames(int rx, int tx)
{
	struct fpgabuf_completion done[DEPTH];
	int ret = batch_queue(rx, DEPTH);

	if (!ret)
		ret = batch_queue(tx, DEPTH);
	if (!ret)
		ret = batch_take(tx, done, DEPTH);
	return ret ? ret : batch_take(rx, done, DEPTH);
}

TEST_F_TIMEOUT(soak, frames, 1500)
{
	const long long frames = env_number("FPGABUF_FRAMES", 2000000);
	const __s64 began = now_ns();
	const __s64 end = began + env_number("FPGABUF_SECONDS", 1200) * SEC;
	long before, after;
	long long i;

	ASSERT_EQ(1, fpga_start(self->rx));
	ASSERT_EQ(1, fpga_start(self->tx));
	ASSERT_EQ(0, round_of_frames(self->rx, self->tx));
	before = memory_kib("Slab") + memory_kib("VmallocUsed");
	for (i = DEPTH; i < frames && now_ns() < end; i += DEPTH)
		ASSERT_EQ(0, round_of_frames(self->rx, self->tx));
	after = memory_kib("Slab") + memory_kib("VmallocUsed");
	TH_LOG("%lld frames in %lld s, 0 lost; slab and vmalloc %ld KiB before, %ld KiB after",
	       i, (long long)(now_ns() - began) / SEC, before, after);
	EXPECT_GE(before + tolerance(), after);
	EXPECT_EQ(i, sim_number("tx0", "good"));
	EXPECT_EQ(0, sim_number("tx0", "bad"));
	EXPECT_EQ(0, sim_number("tx0", "disordered"));
}

int main(int argc, char **argv)
{
	return test_harness_run(argc, argv);
}
