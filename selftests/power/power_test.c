// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine does to its processors and tasks beside a stream: processors
 * come and go, and all tasks are frozen, as at the beginning of a suspend. The
 * stream goes on, and no frame is lost or wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fpgabuf_test.h"

#define FRAME		(16 << 10)
#define SLOTS		4
#define ROUNDS		10
#define CPU		"/sys/devices/system/cpu/cpu1/online"
#define PM_TEST		"/sys/power/pm_test"
#define PM_STATE	"/sys/power/state"
/* What waits ends by itself before that, and says what did not come. */
#define LIMIT_S		100
#define PM_DELAY	"/sys/module/suspend/parameters/pm_test_delay"

/**
 * struct progress - what the process that streams says, in shared memory
 * @frames: so many came, right and in order
 * @end: set by its parent
 * @wrong: what was wrong first
 */
struct progress {
	volatile __u64 frames;
	volatile bool end;
	char wrong[80];
};

FIXTURE(power) {
	struct totals before;
	struct progress *progress;
	pid_t pid;
};

static const char *stream_step(int ch, const struct buffer *b, __u64 number)
{
	struct fpgabuf_queue_entry entry;
	struct fpgabuf_completion done;
	const char *verdict;
	int ret;

	/* Who is frozen while it waits is interrupted. */
	do {
		ret = fpga_take(ch, &done, 1, 1, 20 * SEC);
	} while (ret == -EINTR);
	if (ret != 1)
		return ret < 0 ? strerror(-ret) : "no frame in 20 seconds";
	if (done.sequence != number)
		return "a frame was lost";
	verdict = raw_check_synced(b->fd, (char *)b->map + done.slot * FRAME,
				   FRAME, &done);
	if (strcmp(verdict, "ok"))
		return verdict;
	entry = (struct fpgabuf_queue_entry){ .slot = done.slot };
	return fpga_exchange(ch, &entry, 1, NULL, 0, 0, 0) < 0 ?
	       "cannot queue" : NULL;
}

static const char *stream(struct progress *p)
{
	const char *wrong = NULL;
	struct buffer b;
	int ch, i;

	ch = fpga_open(1, O_RDWR);
	if (ch < 0 || fpga_set_raw(ch, FRAME, 0) ||
	    buffer_alloc(ch, SLOTS * FRAME, FPGABUF_KIND_SYSTEM, &b))
		return "cannot set up";
	for (i = 0; i < SLOTS; i++)
		if (fpga_register(ch, b.fd, i * FRAME, FRAME) != i ||
		    fpga_queue(ch, i, 0))
			return "cannot register";
	if (fpga_start(ch) < 0)
		return "cannot start";
	while (!wrong && !p->end) {
		wrong = stream_step(ch, &b, p->frames);
		if (!wrong)
			p->frames++;
	}
	fpga_stop(ch);
	return wrong;
}

FIXTURE_SETUP(power)
{
	REQUIRE_CHANNEL(self->before);
	self->progress = mmap(NULL, sizeof(*self->progress),
			      PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->progress);
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		const char *wrong = stream(self->progress);

		if (wrong)
			snprintf(self->progress->wrong,
				 sizeof(self->progress->wrong), "%s", wrong);
		_exit(!!wrong);
	}
}

FIXTURE_TEARDOWN_PARENT(power)
{
	write_file(CPU, "1");
	write_file(PM_TEST, "none");
	EXPECT_NOTHING_LEFT(self->before);
}

/* @more frames come. When none does, nobody waits for it again. */
static bool goes_on(struct progress *p, unsigned int more)
{
	const __u64 wanted = p->frames + more;
	const __s64 end = now_ns() + 30 * SEC;

	while (p->frames < wanted && !p->wrong[0] && now_ns() < end)
		pass_time(MSEC);
	if (p->frames >= wanted)
		return true;
	if (!p->wrong[0])
		snprintf(p->wrong, sizeof(p->wrong), "stands still after %llu frames",
			 (unsigned long long)p->frames);
	return false;
}

static int stream_end(struct progress *p, pid_t pid)
{
	int status;

	p->end = true;
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

TEST_F_TIMEOUT(power, processors_come_and_go, LIMIT_S)
{
	int i;

	if (access(CPU, W_OK))
		SKIP(return, "one processor, or no CONFIG_HOTPLUG_CPU");
	EXPECT_TRUE(goes_on(self->progress, 10));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, write_file(CPU, "0"));
		EXPECT_TRUE(goes_on(self->progress, 5));
		ASSERT_EQ(0, write_file(CPU, "1"));
		EXPECT_TRUE(goes_on(self->progress, 5));
	}
	EXPECT_EQ(0, stream_end(self->progress, self->pid));
	EXPECT_STREQ("", self->progress->wrong);
}

/* No device is suspended: a root that comes over virtio would not come back. */
TEST_F_TIMEOUT(power, tasks_are_frozen, LIMIT_S)
{
	int i;

	if (access(PM_TEST, W_OK))
		SKIP(return, "no CONFIG_PM_DEBUG");
	EXPECT_TRUE(goes_on(self->progress, 10));
	ASSERT_EQ(0, write_file(PM_TEST, "freezer"));
	write_file(PM_DELAY, "1");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, write_file(PM_STATE, "freeze"));
		EXPECT_TRUE(goes_on(self->progress, 10));
	}
	EXPECT_EQ(0, stream_end(self->progress, self->pid));
	EXPECT_STREQ("", self->progress->wrong);
}

TEST_HARNESS_MAIN
