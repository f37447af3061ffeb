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
static long long number_of(const char *name, long long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoll(text, NULL, 0) : otherwise;
}

/* KEY of /proc/meminfo, in KiB */
static long memory_kib(const char *key)
{
	char line[128];
	long value = -1;
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), ": %ld", &value);
	if (f)
		fclose(f);
	return value;
}

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

/* One round of all buffers on one channel, each with a fence. */
static int queue_all(int ch)
{
	struct fpgabuf_queue_entry entries[DEPTH] = { 0 };
	struct fpgabuf_fences fences[DEPTH];
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)entries,
		.queue_count = DEPTH,
		.fences = (uintptr_t)fences,
	};
	int i, ret;

	for (i = 0; i < DEPTH; i++) {
		entries[i].slot = i;
		entries[i].flags = FPGABUF_QUEUE_OUT_FENCE;
	}
	ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);
	for (i = 0; !ret && i < DEPTH; i++)
		close(fences[i].out);
	return ret;
}

/* Returns how many frames were lost, or a negative errno. */
static int take_all(int ch)
{
	struct fpgabuf_completion done[DEPTH];
	int i, lost = 0, ret = fpga_take(ch, done, DEPTH, DEPTH, 10 * SEC);

	if (ret != DEPTH)
		return ret < 0 ? ret : -ETIME;
	for (i = 0; i < DEPTH; i++) {
		if (done[i].status)
			return done[i].status;
		lost += done[i].lost;
	}
	return lost;
}

static int round_of_frames(int rx, int tx)
{
	int ret = queue_all(rx);

	if (!ret)
		ret = queue_all(tx);
	if (!ret)
		ret = take_all(tx);
	return ret ? ret : take_all(rx);
}

TEST_F_TIMEOUT(soak, frames, 1500)
{
	const long long frames = number_of("FPGABUF_FRAMES", 2000000);
	const __s64 began = now_ns();
	const __s64 end = began + number_of("FPGABUF_SECONDS", 1200) * SEC;
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
