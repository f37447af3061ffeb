// SPDX-License-Identifier: GPL-2.0
/*
 * What engines do that the simulated FPGA's does not: they copy only what is
 * aligned, take only one piece, and have room for more in a moment in which
 * nobody looks. And what readers of a fence do that no system call does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/memfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "importer_test.h"
#include "test_modules/dma_bare.h"
#include "test_modules/dma_mover.h"

#define MODULE		"dma_bare"
#define READER		"fence_reader"
#define MOVER		"dma_mover"
#define MODULE_FILE(_name)	"test_modules/" _name ".ko"

#define SIZE		4096
/* Descriptors after which an engine's callbacks are used again */
#define TRANSFERS	256
/* Nodes to look at for the module's own */
#define MAX_NODES	32

static int insert_with(const char *file, const char *parameter)
{
	const char *const argv[] = { "insmod", file, parameter, NULL };

	return run_program(argv);
}

static int insert(const char *file)
{
	return insert_with(file, NULL);
}

static int unload(const char *name)
{
	const char *const argv[] = { "rmmod", name, NULL };

	return module_loaded(name) ? run_program(argv) : 0;
}

/* @chan: BARE_RX, BARE_TX or BARE_COPY */
static bool is_ours(int fd, int chan)
{
	struct fpgabuf_import_info import = { 0 };
	struct fpgabuf_info info = { 0 };

	if (chan == BARE_COPY)
		return !import_info(fd, &import) &&
		       !strcmp((char *)import.driver, MODULE);
	return !fpga_ioctl(fd, FPGABUF_IOC_INFO, &info) &&
	       !strcmp((char *)info.driver, MODULE) &&
	       (info.direction == FPGABUF_DIR_OUTPUT) == (chan == BARE_TX);
}

/* /dev/fpgabufN, or /dev/fpgabuf_importN, of the module */
static int open_ours(int chan)
{
	char path[32];
	int i, fd;

	for (i = 0; i < MAX_NODES; i++) {
		snprintf(path, sizeof(path), "/dev/fpgabuf%s%d",
			 chan == BARE_COPY ? "_import" : "", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && is_ours(fd, chan))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

FIXTURE(engine) {
	struct totals before;
	int bare, ch, dev;
};

FIXTURE_SETUP(engine)
{
	REQUIRE_CHANNEL(self->before);
	if (access(MODULE_FILE(MODULE), F_OK))
		SKIP(return, "no " MODULE ".ko: built without the modules");
	ASSERT_EQ(0, insert(MODULE_FILE(MODULE)));
	self->bare = open("/dev/" MODULE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->bare);
	self->ch = open_ours(BARE_RX);
	ASSERT_LE(0, self->ch);
	self->dev = open_ours(BARE_COPY);
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN_PARENT(engine)
{
	EXPECT_EQ(0, unload(MODULE));
	EXPECT_EQ(0, unload(MOVER));
	EXPECT_NOTHING_LEFT(self->before);
}

/* The same page twice, one after the other: pieces that never are neighbours */
static void *page_twice(void)
{
	const int fd = memfd_create("engine-test", MFD_CLOEXEC);
	char *map;
	int i;

	if (fd < 0 || ftruncate(fd, page_size()))
		return NULL;
	map = mmap(NULL, 2 * page_size(), PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; map != MAP_FAILED && i < 2; i++)
		if (mmap(map + i * page_size(), page_size(),
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			 0) == MAP_FAILED)
			return NULL;
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

/* A frame in two pieces is not for this one; in one piece it is. */
TEST_F(engine, takes_one_piece)
{
	const size_t size = 2 * page_size();
	void *memory = page_twice();
	int fd;

	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, fpga_set_raw(self->ch, size, 0));
	fd = fpga_alloc_user(self->ch, memory, size, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	if (!bounced())
		EXPECT_EQ(-EOPNOTSUPP, fpga_register(self->ch, fd, 0, 0));
	close(fd);
	fd = fpga_alloc(self->ch, size, FPGABUF_KIND_CONTIGUOUS);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fpga_register(self->ch, fd, 0, 0));
	close(fd);
}

/* Where a buffer begins is as much the engine's business as where a copy does. */
TEST_F(engine, copies_what_is_aligned)
{
	struct fpgabuf_import_copy copy = {
		.length = BARE_ALIGN,
		.dst_offset = MOVER_SIZE / 2,
	};
	struct fpgabuf_import_info info;
	int mover, fd;

	if (bounced())
		SKIP(return, "bounce buffers begin where they like");
	ASSERT_EQ(0, import_info(self->dev, &info));
	EXPECT_EQ((__u32)BARE_ALIGN, info.alignment);
	ASSERT_EQ(0, insert(MODULE_FILE(MOVER)));
	mover = open("/dev/" MOVER, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mover);
	fd = ioctl(mover, MOVER_ALLOC, BARE_ALIGN / 2);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, import_attach(self->dev, fd, IMPORT_BOTH));
	close(fd);
	fd = ioctl(mover, MOVER_ALLOC, BARE_ALIGN);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, import_attach(self->dev, fd, IMPORT_BOTH));
	close(fd);
	EXPECT_EQ(0, import_queue(self->dev, &copy, 1));
	copy.src_offset = BARE_ALIGN / 2;
	EXPECT_EQ(-EINVAL, import_queue(self->dev, &copy, 1));
}

/*
 * It refuses a descriptor, and what it had is done before it has said so: no
 * completion comes that would be a reason to try again.
 */
TEST_F(engine, has_room_when_nobody_looks)
{
	struct fpgabuf_completion done[2];
	struct buffer b[2];
	int i, out[2];

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE,
					  FPGABUF_KIND_CONTIGUOUS, &b[i]));
		ASSERT_EQ(i, fpga_register(self->ch, b[i].fd, 0, 0));
	}
	ASSERT_EQ(1, fpga_start_timeout(self->ch, FPGABUF_MAX_TIMEOUT_MS));
	ASSERT_EQ(0, fpga_queue_fenced(self->ch, 0, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &out[0]));
	ASSERT_EQ(0, ioctl(self->bare, BARE_REFUSE, BARE_RX));
	ASSERT_EQ(0, fpga_queue_fenced(self->ch, 1, FPGABUF_QUEUE_OUT_FENCE,
				       -1, &out[1]));
	EXPECT_EQ(1, ioctl(self->bare, BARE_REFUSED, BARE_RX));
	EXPECT_EQ(1, sync_file_status(out[0]));
	EXPECT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
	EXPECT_EQ(0, sync_file_wait(out[1], 5000));
	EXPECT_EQ(1, sync_file_status(out[1]));
	ASSERT_EQ(2, fpga_take(self->ch, done, 2, 2, 5 * SEC));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, done[i].status);
}

/* Likewise of copies. */
TEST_F(engine, has_room_for_copies_when_nobody_looks)
{
	struct fpgabuf_import_copy copies[2];
	struct fpgabuf_import_done done[2];
	int fd, i;

	fd = fpga_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->dev, fd, IMPORT_BOTH));
	for (i = 0; i < 2; i++)
		copies[i] = (struct fpgabuf_import_copy){
			.length = SIZE / 4,
			.dst_offset = SIZE / 2,
			.flags = FPGABUF_QUEUE_OUT_FENCE,
		};
	ASSERT_EQ(0, import_queue(self->dev, &copies[0], 1));
	ASSERT_EQ(0, ioctl(self->bare, BARE_REFUSE, BARE_COPY));
	ASSERT_EQ(0, import_queue(self->dev, &copies[1], 1));
	EXPECT_EQ(1, ioctl(self->bare, BARE_REFUSED, BARE_COPY));
	EXPECT_EQ(1, sync_file_status(copies[0].out_fence));
	EXPECT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_COPY));
	EXPECT_EQ(0, sync_file_wait(copies[1].out_fence, 5000));
	EXPECT_EQ(1, sync_file_status(copies[1].out_fence));
	ASSERT_EQ(2, import_take(self->dev, done, 2, 2, 5 * SEC));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, done[i].status);
}

/* It reads late how long an output is that is shorter than a frame. */
TEST_F(engine, puts_out_what_it_reads_late)
{
	struct fpgabuf_queue_entry entry = { .bytes = SIZE };
	const int ch = open_ours(BARE_TX);
	struct fpgabuf_completion done;
	int fd;

	ASSERT_LE(0, ch);
	ASSERT_EQ(0, fpga_set_raw(ch, 2 * SIZE, 0));
	fd = fpga_alloc(ch, 2 * SIZE, FPGABUF_KIND_CONTIGUOUS);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fpga_register(ch, fd, 0, 0));
	ASSERT_EQ(1, fpga_start(ch));
	ASSERT_EQ(0, fpga_exchange(ch, &entry, 1, NULL, 0, 0, 0));
	EXPECT_EQ(SIZE, ioctl(self->bare, BARE_WALK, BARE_TX));
	EXPECT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_TX));
	ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 5 * SEC));
	EXPECT_EQ((__u64)SIZE, done.bytes);

	/* A whole one after that is whole. */
	entry.bytes = 0;
	ASSERT_EQ(0, fpga_exchange(ch, &entry, 1, NULL, 0, 0, 0));
	EXPECT_EQ(2 * SIZE, ioctl(self->bare, BARE_WALK, BARE_TX));
	close(ch);
}

/* It may begin with a copy before the one before it is written; not with ours. */
TEST_F(engine, does_not_overtake_a_copy)
{
	struct fpgabuf_import_copy copy = {
		.length = SIZE / 4,
		.dst_offset = SIZE / 2,
	};
	int fd;

	fd = fpga_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_attach(self->dev, fd, IMPORT_BOTH));
	ASSERT_EQ(0, import_queue(self->dev, &copy, 1));
	EXPECT_EQ(1, ioctl(self->bare, BARE_FENCED, BARE_COPY));
	EXPECT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_COPY));
}

/*
 * It does not stop, and reads the scatterlist while it works: that stays as long
 * as the buffer does. KASAN sees if it does not.
 */
TEST_F(engine, reads_its_scatterlist)
{
	struct fpgabuf_info info;
	struct buffer b;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS, &b));
	ASSERT_EQ(0, fpga_register(self->ch, b.fd, 0, 0));
	buffer_free(&b);
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, ioctl(self->bare, BARE_STICK, BARE_RX));
	close(self->ch);
	EXPECT_EQ(SIZE, ioctl(self->bare, BARE_WALK, BARE_RX));
	ASSERT_EQ(0, ioctl(self->bare, BARE_LOOSEN, BARE_RX));

	/* Whoever starts it next ends the quarantine, and all is released. */
	self->ch = open_ours(BARE_RX);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ((__u32)FPGABUF_STATE_QUARANTINE, info.state);
	EXPECT_EQ(1, fpga_start(self->ch));
}

/* One buffer in slot 0, queued, with a fence or without */
static int one_queued(int ch, __u32 timeout_ms, bool fenced)
{
	struct buffer b;
	int ret, out;

	ret = fpga_set_raw(ch, SIZE, 0);
	if (!ret)
		ret = buffer_alloc(ch, SIZE, FPGABUF_KIND_CONTIGUOUS, &b);
	if (ret)
		return ret;
	ret = fpga_register(ch, b.fd, 0, 0);
	buffer_free(&b);
	if (!ret)
		ret = fpga_start_timeout(ch, timeout_ms);
	if (ret < 0)
		return ret;
	return fenced ? fpga_queue_fenced(ch, 0, FPGABUF_QUEUE_OUT_FENCE, -1,
					  &out) :
			fpga_queue(ch, 0, 0);
}

static int take_within(int ch, struct fpgabuf_completion *done, int ms,
		       long long *took)
{
	const long long begin = now_ns();
	int ret = fpga_take(ch, done, 1, 1, ms * MSEC);

	*took = (now_ns() - begin) / MSEC;
	return ret;
}

/*
 * The last interrupt is lost, and no other one follows. The engine is asked, and
 * reports that the frame is complete: with a fence, and without.
 */
TEST_F(engine, loses_its_last_interrupt)
{
	struct fpgabuf_completion done;
	long long took;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, one_queued(self->ch, 200, i));
		ASSERT_EQ(0, ioctl(self->bare, BARE_LOSE, BARE_RX));
		ASSERT_EQ(1, take_within(self->ch, &done, 5000, &took));
		EXPECT_EQ(0, done.status);
		EXPECT_EQ((__u64)SIZE, done.bytes);
		EXPECT_EQ(0U, done.sequence);
		EXPECT_GE(200 + 100 + 1000, took);
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	}
}

/*
 * All interrupts are lost. The fences are signaled after two timeouts, not one
 * each; what the engine reports to be complete by then is good.
 */
TEST_F(engine, loses_all_interrupts)
{
	const int timeout_ms = 1000, grace_ms = 100;
	struct fpgabuf_completion done[4];
	long long begin, took;
	struct buffer b;
	int i, out;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE,
					  FPGABUF_KIND_CONTIGUOUS, &b));
		ASSERT_EQ(i, fpga_register(self->ch, b.fd, 0, 0));
		buffer_free(&b);
	}
	ASSERT_EQ(1, fpga_start_timeout(self->ch, timeout_ms));
	begin = now_ns();
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, i,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &out));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, ioctl(self->bare, BARE_LOSE, BARE_RX));
	ASSERT_EQ(4, fpga_take(self->ch, done, 4, 4, 10 * SEC));
	took = (now_ns() - begin) / MSEC;
	EXPECT_GE(2 * (timeout_ms + grace_ms) + timeout_ms, took);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(i < 2 ? 0 : -EIO, done[i].status);

	/* It works again when its interrupts come. */
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
	ASSERT_EQ(1, fpga_take(self->ch, done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done[0].status);
}

/* Likewise of a copy */
TEST_F(engine, loses_the_last_interrupt_of_copies)
{
	struct fpgabuf_import_copy copy = {
		.length = SIZE / 4,
		.dst_offset = SIZE / 2,
		.flags = FPGABUF_QUEUE_OUT_FENCE,
	};
	struct fpgabuf_import_info info;
	struct fpgabuf_import_done done;
	long long begin;
	int fd;

	fd = fpga_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_info(self->dev, &info));
	ASSERT_EQ(0, import_attach(self->dev, fd, IMPORT_BOTH));
	begin = now_ns();
	ASSERT_EQ(0, import_queue(self->dev, &copy, 1));
	ASSERT_EQ(0, ioctl(self->bare, BARE_LOSE, BARE_COPY));
	ASSERT_EQ(1, import_take(self->dev, &done, 1, 1, 10 * SEC));
	EXPECT_EQ(0, done.status);
	EXPECT_EQ(1, sync_file_status(copy.out_fence));
	EXPECT_GE(info.timeout_ms + 100 + 1000, (now_ns() - begin) / MSEC);
}

/* It fails and calls nobody. Who waits learns it in time, and it works again. */
TEST_F(engine, fails_in_silence)
{
	struct fpgabuf_completion done;
	long long took;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, one_queued(self->ch, 200, i));
		ASSERT_EQ(0, ioctl(self->bare, BARE_FAIL, BARE_RX));
		ASSERT_EQ(1, take_within(self->ch, &done, 5000, &took));
		EXPECT_EQ(-EIO, done.status);
		EXPECT_GE(200 + 1000, took);
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
		ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(0, done.status);
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	}
}

/* Nothing is wrong with a source that has nothing to send. */
TEST_F(engine, idles_as_long_as_it_likes)
{
	struct fpgabuf_completion done;

	ASSERT_EQ(0, one_queued(self->ch, 50, false));
	EXPECT_EQ(-ETIMEDOUT, fpga_take(self->ch, &done, 1, 1, 500 * MSEC));
	EXPECT_EQ(1, ioctl(self->bare, BARE_PENDING, BARE_RX));
	ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
}

/* It reports that it has stopped, and the board reports that it has not. */
TEST_F(engine, lies_about_its_end)
{
	struct fpgabuf_info info;

	ASSERT_EQ(0, one_queued(self->ch, 200, false));
	ASSERT_EQ(0, ioctl(self->bare, BARE_LIE, BARE_RX));
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	EXPECT_EQ((__u32)FPGABUF_STATE_QUARANTINE, info.state);
	EXPECT_EQ(-EBUSY, fpga_unregister(self->ch, 0));
	EXPECT_EQ(-EIO, fpga_start(self->ch));
	ASSERT_EQ(0, ioctl(self->bare, BARE_LOOSEN, BARE_RX));
	EXPECT_EQ(2, fpga_start(self->ch));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0, fpga_unregister(self->ch, 0));
}

/*
 * It calls back for a descriptor that was terminated long ago, when what it calls
 * back with is in use for another one: that is not complete.
 */
TEST_F(engine, calls_back_late)
{
	struct fpgabuf_completion done;
	int i;

	ASSERT_EQ(0, one_queued(self->ch, 10000, false));
	ASSERT_EQ(0, fpga_stop(self->ch));
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(-ECANCELED, done.status);
	ASSERT_EQ(2, fpga_start(self->ch));
	for (i = 1; i < TRANSFERS; i++) {
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
		ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		ASSERT_EQ(0, done.status);
	}
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(0, ioctl(self->bare, BARE_STALE, BARE_RX));
	EXPECT_EQ(-EAGAIN, fpga_take(self->ch, &done, 1, 1, 0));
	ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
	ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
	EXPECT_EQ(0, done.status);
}

/**
 * struct verdict - what a board says of a frame, and what becomes of it
 * @says: to the channel
 * @packets: frames may be shorter
 * @status: of the completion, and error of the fence
 * @bytes: of the completion
 * @metadata_len: likewise
 */
struct verdict {
	enum bare_verdict says;
	bool packets;
	int status;
	__u64 bytes;
	__u32 metadata_len;
};

static const struct verdict verdicts[] = {
	{ BARE_GOOD,		false,	0,		SIZE,		0 },
	{ BARE_HALF,		false,	-EMSGSIZE,	SIZE / 2,	0 },
	{ BARE_HALF,		true,	0,		SIZE / 2,	0 },
	{ BARE_TOO_LONG,	true,	-EIO,		0,		0 },
	{ BARE_DAMAGED,		true,	-EILSEQ,	SIZE,		0 },
	{ BARE_POSITIVE,	false,	-EIO,		SIZE,		0 },
	{ BARE_TALKATIVE,	false,	0, SIZE, FPGABUF_METADATA_SIZE },
};

/* The engine reports a whole frame each time: the board knows better. */
TEST_F(engine, has_a_board_that_knows_better)
{
	struct fpgabuf_completion done;
	struct buffer b;
	size_t i;
	int out;

	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, FPGABUF_KIND_CONTIGUOUS, &b));
	for (i = 0; i < ARRAY_LEN(verdicts); i++) {
		const struct verdict *v = &verdicts[i];

		ASSERT_EQ(0, v->packets ? fpga_set_packets(self->ch, SIZE, 0) :
					  fpga_set_raw(self->ch, SIZE, 0));
		ASSERT_EQ(0, fpga_register(self->ch, b.fd, 0, 0));
		ASSERT_EQ((int)i + 1, fpga_start(self->ch));
		ASSERT_EQ(0, ioctl(self->bare, BARE_SAY(v->says), BARE_RX));
		ASSERT_EQ(0, fpga_queue_fenced(self->ch, 0,
					       FPGABUF_QUEUE_OUT_FENCE, -1,
					       &out));
		ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_EQ(v->status, done.status);
		EXPECT_EQ(v->bytes, done.bytes);
		EXPECT_EQ(v->metadata_len, done.metadata_len);
		EXPECT_EQ(0U, done.lost);
		EXPECT_EQ(v->status ?: 1, sync_file_status(out));
		close(out);
		ASSERT_EQ(0, fpga_stop(self->ch));
		ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	}
}

/* What dmaengine does not report the board does. */
FIXTURE(limit) {
	struct totals before;
	int bare, ch;
};

FIXTURE_VARIANT(limit) {
	const char *parameter;
	/* The longest segment, bytes */
	__u32 longest;
	/* How many pages a frame may be in, and how many frames it gets at a time */
	int pieces, frames;
	const char *device;
};

FIXTURE_VARIANT_ADD(limit, two_pieces) {
	.parameter = "habit=two_pieces", .pieces = 2, .frames = 2,
};

FIXTURE_VARIANT_ADD(limit, short_pieces) {
	.parameter = "habit=short_pieces", .longest = BARE_SHORT, .frames = 2,
};

FIXTURE_VARIANT_ADD(limit, one_at_a_time) {
	.parameter = "habit=one_at_a_time", .pieces = 1, .frames = 1,
};

FIXTURE_VARIANT_ADD(limit, elsewhere) {
	.parameter = "habit=elsewhere", .pieces = 1, .frames = 2,
	.device = BARE_BRIDGE,
};

FIXTURE_SETUP(limit)
{
	REQUIRE_CHANNEL(self->before);
	if (access(MODULE_FILE(MODULE), F_OK))
		SKIP(return, "no " MODULE ".ko: built without the modules");
	ASSERT_EQ(0, insert_with(MODULE_FILE(MODULE), variant->parameter));
	self->bare = open("/dev/" MODULE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->bare);
	self->ch = open_ours(BARE_RX);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(limit)
{
	EXPECT_EQ(0, unload(MODULE));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(limit, is_reported)
{
	struct fpgabuf_info info;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	if (variant->longest)
		EXPECT_EQ(variant->longest, info.max_segment);
	EXPECT_STREQ(variant->device ?: MODULE ".0", (char *)info.bus);
}

/* The same page so many times, in a frame: that many pieces */
static int register_pages(int ch, int pages)
{
	const size_t size = pages * page_size();
	int i, fd, ret;
	char *map;

	map = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = memfd_create("engine-test", MFD_CLOEXEC);
	if (map == MAP_FAILED || fd < 0 || ftruncate(fd, page_size()))
		return -errno;
	for (i = 0; i < pages; i++)
		if (mmap(map + i * page_size(), page_size(),
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			 0) == MAP_FAILED)
			return -errno;
	close(fd);
	ret = fpga_set_raw(ch, size, 0);
	if (ret)
		return ret;
	fd = fpga_alloc_user(ch, map, size, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = fpga_register(ch, fd, 0, 0);
	close(fd);
	munmap(map, size);
	if (ret < 0)
		return ret;
	return fpga_unregister(ch, ret);
}

/* A buffer that the engine does not take is refused at once. */
TEST_F(limit, refuses_more_pieces)
{
	if (bounced())
		SKIP(return, "bounce buffers are in one piece");
	if (variant->pieces)
		EXPECT_EQ(0, register_pages(self->ch, variant->pieces));
	EXPECT_EQ(-EOPNOTSUPP, register_pages(self->ch, variant->pieces + 1));
}

/* The engine never has more than it takes, and gets the rest in its turn. */
TEST_F(limit, is_kept)
{
	struct fpgabuf_completion done[2];
	struct buffer b[2];
	int i;

	ASSERT_EQ(0, fpga_set_raw(self->ch, SIZE, 0));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, buffer_alloc(self->ch, SIZE,
					  FPGABUF_KIND_CONTIGUOUS, &b[i]));
	/* In one piece it is too long, and this one takes no more. */
	if (variant->longest) {
		EXPECT_EQ(-EOPNOTSUPP, fpga_register(self->ch, b[0].fd, 0, 0));
		return;
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(i, fpga_register(self->ch, b[i].fd, 0, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, fpga_queue(self->ch, i, 0));
	EXPECT_EQ(variant->frames, ioctl(self->bare, BARE_PENDING, BARE_RX));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, ioctl(self->bare, BARE_COMPLETE, BARE_RX));
	ASSERT_EQ(2, fpga_take(self->ch, done, 2, 2, 5 * SEC));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, done[i].status);
}

/* What is wrong with an engine is found when it is registered. */
FIXTURE(habit) {
	struct totals before;
	int log;
};

FIXTURE_VARIANT(habit) {
	const char *parameter, *channel, *lacks;
};

FIXTURE_VARIANT_ADD(habit, endless) {
	.parameter = "habit=endless", .channel = "rx",
	.lacks = "device_terminate_all",
};

FIXTURE_VARIANT_ADD(habit, unordered) {
	.parameter = "habit=unordered", .channel = "rx",
	.lacks = "DMA_COMPLETION_NO_ORDER",
};

FIXTURE_VARIANT_ADD(habit, one_way) {
	.parameter = "habit=one_way", .channel = "rx",
	.lacks = "DMA_DEV_TO_MEM",
};

FIXTURE_VARIANT_ADD(habit, no_pieces) {
	.parameter = "habit=no_pieces", .channel = "rx",
	.lacks = "device_prep_slave_sg",
};

FIXTURE_VARIANT_ADD(habit, no_lines) {
	.parameter = "habit=no_lines", .channel = "rx",
	.lacks = "device_prep_interleaved_dma",
};

FIXTURE_VARIANT_ADD(habit, no_ring) {
	.parameter = "habit=no_ring", .channel = "rx",
	.lacks = "device_prep_dma_cyclic",
};

FIXTURE_VARIANT_ADD(habit, blind_ring) {
	.parameter = "habit=blind_ring", .channel = "rx",
	.lacks = "residue_granularity",
};

FIXTURE_VARIANT_ADD(habit, no_copies) {
	.parameter = "habit=no_copies", .channel = "copy",
	.lacks = "device_prep_dma_memcpy",
};

FIXTURE_VARIANT_ADD(habit, tiny_pieces) {
	.parameter = "habit=tiny_pieces", .channel = "rx",
	.lacks = "shorter than their alignment",
};

FIXTURE_VARIANT_ADD(habit, tiny_copies) {
	.parameter = "habit=tiny_copies", .channel = "copy",
	.lacks = "shorter than their alignment",
};

FIXTURE_SETUP(habit)
{
	REQUIRE_CHANNEL(self->before);
	if (access(MODULE_FILE(MODULE), F_OK))
		SKIP(return, "no " MODULE ".ko: built without the modules");
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN_PARENT(habit)
{
	EXPECT_EQ(0, unload(MODULE));
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(habit, is_refused)
{
	char channel[32];

	snprintf(channel, sizeof(channel), "\"%s\"", variant->channel);
	ASSERT_EQ(0, insert_with(MODULE_FILE(MODULE), variant->parameter));
	EXPECT_TRUE(log_says(self->log, channel, variant->lacks));
	EXPECT_EQ(-ENOENT, open_ours(BARE_RX));
	EXPECT_EQ(-ENOENT, open_ours(BARE_COPY));
}

FIXTURE(absent) {
	struct totals before;
};

FIXTURE_SETUP(absent)
{
	REQUIRE_CHANNEL(self->before);
	if (access(MODULE_FILE(MODULE), F_OK))
		SKIP(return, "no " MODULE ".ko: built without the modules");
}

FIXTURE_TEARDOWN_PARENT(absent)
{
	EXPECT_EQ(0, unload(MODULE));
	EXPECT_NOTHING_LEFT(self->before);
}

static bool is_deferred(const char *device, const char *reason)
{
	FILE *f = fopen("/sys/kernel/debug/devices_deferred", "re");
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, device) && strstr(line, reason);
	if (f)
		fclose(f);
	return found;
}

/* An engine that may still come: the probe waits for it, and says for which. */
TEST_F(absent, is_waited_for)
{
	ASSERT_EQ(0, insert_with(MODULE_FILE(MODULE), "habit=absent"));
	EXPECT_TRUE(is_deferred(MODULE ".0", "no DMA channel \"rx\""));
	EXPECT_EQ(-ENOENT, open_ours(BARE_RX));
	EXPECT_EQ(-ENOENT, open_ours(BARE_COPY));
}

FIXTURE(fence) {
	struct totals before;
};

FIXTURE_SETUP(fence)
{
	REQUIRE_CHANNEL(self->before);
	if (access(MODULE_FILE(READER), F_OK))
		SKIP(return, "no " READER ".ko: built without the modules");
}

FIXTURE_TEARDOWN_PARENT(fence)
{
	EXPECT_EQ(0, unload(READER));
	EXPECT_NOTHING_LEFT(self->before);
}

/* Who reads it under RCU has no reference, and need not have one. */
TEST_F(fence, outlives_its_readers)
{
	EXPECT_EQ(0, insert(MODULE_FILE(READER)));
}

TEST_HARNESS_MAIN
