/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the fpgabuf channel devices share. They speak the ABI of
 * <linux/fpgabuf.h> by raw ioctls: what is tested is the kernel, no library.
 *
 * Functions that can fail return a negative errno; none of them prints.
 */
#ifndef FPGABUF_TEST_H
#define FPGABUF_TEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <linux/fpgabuf.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

#define KIND_COUNT	8
/* FPGABUF_IOC_ALLOC makes the first ones, and FPGABUF_KIND_REGION. */
#define SIZED_KINDS	5
#define MSEC		1000000LL
#define SEC		1000000000LL
/* What a machine that is emulated and busy may add to a bound on time */
#define SLACK		(2 * SEC)

/* What the simulated FPGA is; test_channel_ready() checks that it is there. */
#define SIM_DRIVER	"fpgabuf_sim"
#define SIM_DEVICE	SIM_DRIVER ".0"
#define SIM_DEPTH	32
#define SIM_SLOTS	4096
#define SIM_BATCH	1024
#define SIM_ALIGNMENT	64
/* The channel that writes frames of any size to any address */
#define SIM_BYTES	1
#define SIM_MIN_FRAME	64
#define SIM_MAX_FRAME	(64ULL << 20)

/* What it adds to each frame, little-endian */
struct sim_metadata {
	__u64 sequence;
	__u32 length;
	__u32 run;
};

/* Calls: 0 or what the call returned, or a negative errno */

int fpga_open(unsigned int number, int flags);
int fpga_ioctl(int fd, unsigned long request, void *arg);
int fpga_alloc(int ch, __u64 size, __u32 kind);
int fpga_alloc_flags(int ch, __u64 size, __u32 kind, __u32 fd_flags);
int fpga_alloc_user(int ch, const void *address, __u64 length, __u32 fd_flags);
int fpga_alloc_pool(int ch, __u32 block_size, __u32 num_blocks,
		    __u32 alignment, __u32 boundary, __u32 *stride);
int fpga_register(int ch, int fd, __u64 offset, __u64 length);
int fpga_unregister(int ch, __u32 slot);
/* @names: @room bytes for the names of the attached devices */
int fpga_inspect(int ch, int fd, struct fpgabuf_inspect *inspect, void *names,
		 __u32 room);
int fpga_start(int ch);
int fpga_stop(int ch);
int fpga_get_format(int ch, struct fpgabuf_format *format);
int fpga_set_format(int ch, struct fpgabuf_format *format);
/* @fps frames a second, 0: as fast as buffers are queued */
int fpga_set_raw(int ch, __u64 size, __u32 fps);
/* Likewise, of packets of up to @size bytes */
int fpga_set_packets(int ch, __u64 size, __u32 fps);
int fpga_queue(int ch, __u32 slot, __u64 user_data);
/* Returns how many completions were taken. */
int fpga_take(int ch, struct fpgabuf_completion *done, __u32 max,
	      __u32 min, __s64 timeout);
int fpga_exchange(int ch, const struct fpgabuf_queue_entry *queue,
		  __u32 queue_count, struct fpgabuf_completion *done,
		  __u32 max, __u32 min, __s64 timeout);
/* Queue @slot, start, take one frame, stop. */
int fpga_capture(int ch, __u32 slot, struct fpgabuf_completion *done);

/* poll() of one fd: revents, 0 when nothing came in @timeout_ms */
int poll_fd(int fd, short events, int timeout_ms);

/* dma-bufs */

struct buffer {
	int fd;
	size_t size;
	void *map;
};

size_t page_size(void);
/* The name of an open node in /dev, which is that of its fences' timeline. */
int node_name(int fd, char *name, size_t len);
int dmabuf_sync(int fd, __u64 flags);
__s64 dmabuf_size(int fd);
/* The value of a line "key:\tvalue" of /proc/self/fdinfo/@fd. */
int dmabuf_fdinfo(int fd, const char *key, char *value, size_t len);
/* NULL when it cannot be mapped; errno says why. */
void *dmabuf_map(int fd, size_t size);
/*
 * Allocate and map, of any kind: memory of our own, or blocks of 64 bytes, where
 * a size is not enough. Nothing is left behind on an error.
 */
int buffer_alloc(int ch, __u64 size, __u32 kind, struct buffer *b);
/* Take over @fd and map all of it; the fd is closed on an error. */
int buffer_from_fd(int fd, struct buffer *b);
void buffer_free(struct buffer *b);

/* Contents */

__u32 crc32c(const void *data, size_t len);
bool all_bytes(const void *data, __u8 value, size_t len);
/*
 * "ok", or what is wrong with a frame of which @done was told: status, bytes,
 * trailer, CRC.
 */
const char *frame_check(const void *frame, size_t size,
			const struct fpgabuf_completion *done);
/* The same, and a raw frame's counting pattern. */
const char *raw_check(const void *frame, size_t size,
		      const struct fpgabuf_completion *done);
/* raw_check() bracketed by DMA_BUF_IOCTL_SYNC. */
const char *raw_check_synced(int fd, const void *frame, size_t size,
			     const struct fpgabuf_completion *done);

/* The system */

/* Live buffers of the exporter, from debugfs. */
struct totals {
	__s64 count[KIND_COUNT];
	__s64 bytes[KIND_COUNT];
};

int totals_read(struct totals *totals);
bool totals_equal(const struct totals *a, const struct totals *b);
/* NULL, or why the tests cannot run: no simulated FPGA. */
const char *test_channel_missing(unsigned int number);
/*
 * For a main() whose tests cannot run: says why, in TAP. Returns the program's
 * exit status: skipped; or failed, where FPGABUF_REQUIRED is set and what is
 * missing comes with this tree (@ours).
 */
int cannot_test(const char *what, const char *missing, bool ours);
/* Whether a new file can set up, stream from and leave channel 0. */
const char *channel_usable(void);
extern const char *const kind_names[KIND_COUNT];

/*
 * Whether devices get bounce buffers (swiotlb=force): nothing that one of them
 * wrote is seen before a sync, and an exporter or importer that does without
 * is no use.
 */
bool bounced(void);

/* What @key of /proc/meminfo says, in KiB, or -1 */
long memory_kib(const char *key);
/* A number from the environment, or @otherwise */
long long env_number(const char *name, long long otherwise);
/*
 * The seed of a process's random numbers: FPGABUF_SEED of the environment, or
 * another one each time. Printed with how to repeat the run.
 */
unsigned int test_seed(void);

__s64 now_ns(void);
/* For letting time pass where that is what is tested. */
void pass_time(__s64 ns);
int open_fds(void);
int send_fd(int socket, int fd);
int recv_fd(int socket);
/* Runs a program; its exit status, or 128 and the signal that ended it. */
int run_program(const char *const argv[]);
/* What a child counts and its parent reads, 0 at first; NULL: no memory */
atomic_uint *shared_counters(unsigned int num);
/* Wait until another one was counted, for 10 s at most; whether it was. */
bool counts_on(atomic_uint *counter);
bool module_loaded(const char *name);
/* NULL, or that it is: valid until the next call */
const char *module_missing(const char *name);
const char *file_missing(const char *path);
/* The first line of a file, without its end; what does not fit is cut off. */
int read_first_line(const char *path, char *line, size_t len);
/* Write @text into a file that is there. */
int write_file(const char *path, const char *text);
/* Write the simulated FPGA's name into a file of its driver: bind, unbind. */
int driver_write(const char *file);
/* For main(): load a module that is not, if there is one; removed at exit. */
void load_module(const char *name, const char *param);
/* The kernel log from now on; and whether a line of it says @what, and then @help. */
int log_open(void);
bool log_says(int log, const char *what, const char *help);
/*
 * Empty the kernel's trace and let a system's events come into it from now on, or
 * no more; -ENOENT: there are none. And its lines that have @text.
 */
int trace_events(const char *system, bool on);
int trace_count(const char *text);
/* An address range that cannot be touched, and one that cannot be written. */
void *no_access_page(void);
void *read_only_copy(const void *data, size_t len);
/* The signal that reading there ends with, or 0 */
int touch(const volatile void *address);
/* Deliver @sig with no SA_RESTART to a handler that does nothing. */
int catch_signal(int sig);

/*
 * The fixtures' teardown runs in the parent, after the test's process is gone
 * with all of its files and mappings: whatever still lives then is a leak.
 */
#define EXPECT_NOTHING_LEFT(before) do {				\
	struct totals after_;						\
	EXPECT_EQ(0, totals_read(&after_));				\
	EXPECT_TRUE(totals_equal(&(before), &after_));			\
	EXPECT_STREQ("ok", channel_usable());				\
} while (0)

/*
 * Skip if @missing is not NULL; fail where the environment has FPGABUF_REQUIRED,
 * as in the lanes. For what comes with this tree, the simulated FPGA and the
 * modules: a test that lost them must not make the rest pass by being skipped.
 * What a kernel's configuration lacks is no failure: SKIP().
 */
#define REQUIRE_NOTHING_MISSING(missing) do {				\
	const char *what_ = (missing);					\
	if (what_ && getenv("FPGABUF_REQUIRED"))			\
		ASSERT_STREQ("ok", what_);				\
	if (what_)							\
		SKIP(return, "%s", what_);				\
} while (0)

/* A module, or another file of this tree's */
#define REQUIRE_MODULE(name)	REQUIRE_NOTHING_MISSING(module_missing(name))
#define REQUIRE_FILE(name)	REQUIRE_NOTHING_MISSING(file_missing(name))

/* First lines of every setup. */
#define REQUIRE_CHANNEL_NUMBER(number, before) do {			\
	REQUIRE_NOTHING_MISSING(test_channel_missing(number));		\
	ASSERT_EQ(0, totals_read(&(before)));				\
} while (0)
#define REQUIRE_CHANNEL(before)	REQUIRE_CHANNEL_NUMBER(0, before)

#endif /* FPGABUF_TEST_H */
