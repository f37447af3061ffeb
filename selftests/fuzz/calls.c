// SPDX-License-Identifier: GPL-2.0
/*
 * The table of calls, and how one is made. To describe another request is to
 * add an entry to ops.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/fpgabuf.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fuzz.h"

#define PAGE		4096
#define SIM		"fpgabuf_sim.0"
#define SIM_DRIVER	"/sys/bus/platform/drivers/fpgabuf_sim/"
#define DEBUGFS		"/sys/kernel/debug/"
#define SIM_NODES	4
#define SHRINK_S	20
#define RENUMBER_S	30
/* Numbers that a node may have */
#define MAX_NODES	64
#define MAX_HEAPS	32
/* Memory that programs give away as buffers of their own */
#define USER_PAGES	64
#define USER_BYTES	(USER_PAGES * PAGE)
/* T_ADDR: which memory of the program it is an offset into */
#define ADDR_READ_ONLY	(1ULL << 33)
#define ADDR_FILE	(1ULL << 34)
/* Larger requests either fail at once, or would leave no memory to others. */
#define LARGEST		(4ULL << 20)
#define TOO_LARGE	(64ULL << 30)

/* The ABI of sw_sync has no header: drivers/dma-buf/sw_sync.c. */
struct sw_sync_create_fence_data {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_IOC_CREATE_FENCE \
	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC		_IOW('W', 1, __u32)

/* SYNC_IOC_SET_DEADLINE, which the headers have from Linux 6.6 on */
struct set_deadline {
	__u64 deadline_ns;
	__u64 pad;
};

#define SET_DEADLINE	_IOW(SYNC_IOC_MAGIC, 5, struct set_deadline)

/* Results of the program's calls: file descriptors, addresses; -1: none */
static long results[MAX_CALLS];
/* Bytes of those that are addresses */
static size_t lengths[MAX_CALLS];
static enum resource kinds[MAX_CALLS];
/* Files from this number on are the program's. */
static int first_fd;
static char *user_memory, *user_read_only, *user_file, *shared_page;
static int user_fd, copy_fd;
static char *heaps[MAX_HEAPS];
static unsigned int num_heaps;

/* A page for the argument, one for each array, and one that is not mapped */
static __thread char *arena;
static __thread char *read_only;
/* Where the number of the allocation that fails is written, or -1 */
static __thread int fail_nth;

/* Lists, the likeliest value first */
static const __u64 open_flags[] = {
	O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY, O_WRONLY, O_RDWR
};

static const __u64 fd_flags[] = {
	O_RDWR | O_CLOEXEC, O_RDWR, O_RDONLY | O_CLOEXEC, O_WRONLY,
	O_RDWR | O_NONBLOCK, O_RDWR | O_CLOEXEC
};

static const __u64 frame_sizes[] = {
	4096, 64, 256, 4100, 8192, 65536, 63, 1 << 20, 4096
};

/* Most have room for several frames. */
static const __u64 buffer_sizes[] = {
	16384, 4096, 8192, 65536, 64, 4097, 1 << 20, 3 << 20, 16384
};

static const __u64 fourccs[] = {
	0, 0x56595559, 0x59565955, 0x34325258, 0x20203852, 0x3231564e, 0
};

static const __u64 widths[] = { 0, 16, 64, 640, 15, 17, 8192, 0 };
static const __u64 pitches[] = { 0, 128, 1280, 2560, 130, 4096, 0 };
static const __u64 rates[] = { 0, 1, 1000, 10000, 30000, 10001, 0 };
static const __u64 denominators[] = { 1, 0, 1001, 1 };
static const __u64 offsets[] = { 0, 4096, 64, 8192, 32, 1, 0 };
static const __u64 lens[] = { 0, 4096, 64, 8192, 65536, 0 };
static const __u64 copy_lens[] = { 64, 4096, 128, 1024, 1, 65536, 64 };
static const __u64 user_lens[] = { 16384, 4096, 64, 65536, 100, 262144, 16384 };
static const __u64 blocks[] = { 64, 1, 100, 4096, 8192, 1 << 20, 64 };
static const __u64 counts[] = { 16, 1, 2, 64, 1000, 16 };
static const __u64 powers[] = { 0, 64, 1, 4096, 256, 1 << 20, 96, 0 };
static const __u64 timeouts_ms[] = { 20, 0, 1, 100, 10000, 10001, 20 };
static const __u64 batches[] = { 1, 0, 2, 3, 4, 64, 1 };
static const __u64 taken[] = { 0, 1, 2, 4, 64, 0 };
static const __u64 awaited[] = { 0, 1, 2, 0 };
static const __u64 rooms[] = { 0, 256, 16, 1, 4096, 0 };
static const __u64 prots[] = {
	PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE,
	PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE
};

static const __u64 advices[] = {
	MADV_DONTNEED, MADV_DONTFORK, MADV_WILLNEED, MADV_HUGEPAGE,
	MADV_REMOVE, MADV_FREE, MADV_PAGEOUT, MADV_POPULATE_READ,
	MADV_POPULATE_WRITE, MADV_DONTNEED
};

static const __u64 polled[] = {
	POLLIN | POLLOUT, POLLIN, POLLOUT, POLLPRI, 0xffff, POLLIN | POLLOUT
};

static const __u64 limits[] = { 32 << 20, 0, 4096, 1 << 20, 32 << 20 };

static const char *const sim_channels[] = {
	"rx0", "rx1", "tx0", "loop0", "copy0",
};

static const char *const sim_faults[] = {
	"none", "drop", "short", "late", "abort", "error", "hang", "lost",
	"full", "refuse", "duplicate", "zombie", "stuck",
};

static const char *const files[] = {
	"/sys/class/fpgabuf/fpgabuf0/statistics/frames",
	"/sys/class/fpgabuf/fpgabuf2/statistics/stray",
	DEBUGFS "fpgabuf/buffers",
	DEBUGFS "fpgabuf/free",
	DEBUGFS "dma_buf/bufinfo",
	DEBUGFS "sync/info",
	DEBUGFS SIM "/rx0/fault",
	DEBUGFS SIM "/tx0/good",
	DEBUGFS "fpgabuf/stranded",
};

static long result_of(long ret)
{
	return ret < 0 ? -errno : ret;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* ---- Calls that are no ioctl ---- */

/* Numbers of the channels' nodes, in their order, as far as known */
static unsigned int channels[SIM_NODES];

static bool has_node(unsigned int number)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/fpgabuf%u", number);
	return !access(path, F_OK);
}

/*
 * The nodes of a device that is bound again have other numbers while files, or
 * a slow release, keep the old ones.
 */
static void find_channels(void)
{
	unsigned int number, found = 0;

	for (number = 0; number < MAX_NODES && found < SIM_NODES; number++)
		if (has_node(number))
			channels[found++] = number;
}

static long run_open_channel(const __u64 *v)
{
	unsigned int n = v[0] % SIM_NODES;
	char path[32];
	int fd;

	if (!has_node(channels[n]) || (n && channels[n] <= channels[n - 1]))
		find_channels();
	snprintf(path, sizeof(path), "/dev/fpgabuf%u", channels[n]);
	fd = open(path, (int)v[1] | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static long run_open_importer(const __u64 *v)
{
	char path[32];
	int fd = -1;
	int i;

	for (i = 0; fd < 0 && i < MAX_NODES; i++) {
		snprintf(path, sizeof(path), "/dev/fpgabuf_import%d", i);
		fd = open(path, (int)v[0] | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	return result_of(fd);
}

static long run_open_heap(const __u64 *v)
{
	if (!num_heaps)
		return -ENOENT;
	return result_of(open(heaps[v[0] % num_heaps], O_RDWR | O_CLOEXEC));
}

static long run_close(const __u64 *v)
{
	/* Not a file of the fuzzer's own */
	return (int)v[0] < first_fd ? -EBADF : result_of(close(v[0]));
}

static long run_dup(const __u64 *v)
{
	return result_of(fcntl(v[0], F_DUPFD_CLOEXEC, first_fd));
}

static long run_fcntl(const __u64 *v)
{
	return result_of(fcntl(v[0], F_SETFL, v[1] ? O_NONBLOCK : 0));
}

static long run_mmap(const __u64 *v)
{
	void *p = mmap(NULL, v[1], v[2],
		       v[3] ? MAP_PRIVATE : MAP_SHARED, v[0], v[4]);

	return p == MAP_FAILED ? -errno : (long)p;
}

static long run_munmap(const __u64 *v)
{
	return result_of(munmap((void *)v[0], v[1]));
}

static long run_mprotect(const __u64 *v)
{
	return result_of(mprotect((void *)v[0], v[1], v[2]));
}

static long run_madvise(const __u64 *v)
{
	return result_of(madvise((void *)v[0], v[1], v[2]));
}

static long run_mremap(const __u64 *v)
{
	void *p = mremap((void *)v[0], v[1], v[2], MREMAP_MAYMOVE);

	return p == MAP_FAILED ? -errno : (long)p;
}

/* The kernel's copies fail where ours would be a signal. */
static long memory_write(void *to, const void *from, size_t size)
{
	loff_t at = (long)syscall(SYS_gettid) % 512 * PAGE;

	if (pwrite(copy_fd, from, size, at) < 0)
		return -errno;
	return result_of(pread(copy_fd, to, size, at));
}

static long run_touch(const __u64 *v)
{
	static char bytes[PAGE];

	if (v[1])
		return memory_write((char *)v[0] + v[2], bytes, v[3]);
	return memory_write(bytes, (char *)v[0] + v[2], v[3]);
}

static long run_poll(const __u64 *v)
{
	struct pollfd pfd = { .fd = v[0], .events = v[1] };

	return result_of(poll(&pfd, 1, v[2]));
}

static long run_epoll(const __u64 *v)
{
	struct epoll_event event = { .events = v[1] };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	if (ep < 0)
		return -errno;
	ret = result_of(epoll_ctl(ep, EPOLL_CTL_ADD, v[0], &event));
	if (!ret)
		ret = result_of(epoll_wait(ep, &event, 1, v[2]));
	close(ep);
	return ret;
}

static long run_lseek(const __u64 *v)
{
	return result_of(lseek(v[0], v[1], v[2]));
}

static long run_read(const __u64 *v)
{
	return result_of(read(v[0], arena, v[1]));
}

static long run_write(const __u64 *v)
{
	return result_of(write(v[0], arena, v[1]));
}

static long read_file(const char *path)
{
	char text[2048];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = result_of(read(fd, text, sizeof(text)));
	close(fd);
	return ret;
}

static long run_fdinfo(const __u64 *v)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", (int)v[0]);
	return read_file(path);
}

static long run_read_file(const __u64 *v)
{
	return read_file(files[v[0] % ARRAY_LEN(files)]);
}

static long run_timeline(const __u64 *v)
{
	(void)v;
	return result_of(open(DEBUGFS "sync/sw_sync", O_RDWR | O_CLOEXEC));
}

static long run_udmabuf(const __u64 *v)
{
	struct udmabuf_create create = {
		.memfd = user_fd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = v[0] * PAGE,
		.size = v[1] * PAGE,
	};
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	long ret;

	if (dev < 0)
		return -errno;
	ret = result_of(ioctl(dev, UDMABUF_CREATE, &create));
	close(dev);
	return ret;
}

/* Other pages in place of some of the program's memory */
static long run_renew(const __u64 *v)
{
	void *p = mmap(user_memory + v[0] * PAGE, v[1] * PAGE,
		       v[2] ? PROT_READ | PROT_WRITE : PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static long run_fault(const __u64 *v)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), DEBUGFS SIM "/%s/fault",
		 sim_channels[v[0] % ARRAY_LEN(sim_channels)]);
	snprintf(text, sizeof(text), "%s %llu %llu",
		 sim_faults[v[1] % ARRAY_LEN(sim_faults)], v[2], v[3]);
	return write_text(path, v[1] ? text : "none");
}

static long run_fault_ms(const __u64 *v)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), DEBUGFS SIM "/%s/fault_ms",
		 sim_channels[v[0] % ARRAY_LEN(sim_channels)]);
	snprintf(text, sizeof(text), "%llu", v[1]);
	return write_text(path, text);
}

static long run_unbind(const __u64 *v)
{
	(void)v;
	return write_text(SIM_DRIVER "unbind", SIM);
}

static long run_bind(const __u64 *v)
{
	(void)v;
	return write_text(SIM_DRIVER "bind", SIM);
}

/* A start ends a channel's quarantine, an open() an importing device's. */
static void end_quarantine(void)
{
	struct fpgabuf_info info = { 0 };
	struct fpgabuf_start start = { 0 };
	int fd;
	__u64 i;

	for (i = 0; i < SIM_NODES; i++) {
		fd = run_open_channel((__u64 []){ i, O_RDWR });
		if (fd < 0)
			continue;
		if (!ioctl(fd, FPGABUF_IOC_INFO, &info) &&
		    info.state & FPGABUF_STATE_QUARANTINE)
			ioctl(fd, FPGABUF_IOC_START, &start);
		close(fd);
	}
	fd = run_open_importer((__u64 []){ O_RDWR });
	if (fd >= 0)
		close(fd);
}

/* The device as it was before any program */
void device_reset(void)
{
	unsigned int i;

	if (access(SIM_DRIVER SIM, F_OK))
		run_bind(NULL);
	for (i = 0; i < ARRAY_LEN(sim_channels); i++) {
		run_fault((__u64 []){ i, 0, 0, 0 });
		run_fault_ms((__u64 []){ i, 100 });
	}
	end_quarantine();
}

static bool has_first_nodes(void)
{
	unsigned int i;

	for (i = 0; i < SIM_NODES; i++)
		if (!has_node(i))
			return false;
	return true;
}

/*
 * Whoever comes next looks for the first nodes. Their numbers are free when the
 * last reference to the old ones is gone, of which no event tells.
 */
void device_renumber(void)
{
	__s64 until = now_ns() + RENUMBER_S * SEC;

	while (!has_first_nodes() && now_ns() < until) {
		run_unbind(NULL);
		poll(NULL, 0, 200);
		run_bind(NULL);
	}
}

static long run_free_limit(const __u64 *v)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", v[0]);
	return write_text("/sys/module/fpgabuf_exporter/parameters/free_limit",
			  text);
}

/* Takes seconds in an instrumented kernel, so that it is done now and then. */
static long run_shrink(const __u64 *v)
{
	__s64 now = now_ns();

	(void)v;
	if (shared->next_shrink > now)
		return -EAGAIN;
	shared->next_shrink = now + SHRINK_S * SEC;
	return write_text("/proc/sys/vm/drop_caches", "2");
}

static long run_sleep(const __u64 *v)
{
	return result_of(poll(NULL, 0, v[0]));
}

/* Mappings and files in two processes for a moment */
static long run_fork(const __u64 *v)
{
	pid_t pid = fork();

	(void)v;
	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	return waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

/* Change arguments while other threads' calls read them. */
static long run_scribble(const __u64 *v)
{
	volatile __u32 *words = (__u32 *)shared_page;
	__u64 i;

	for (i = 0; i < v[0] % 10000; i++)
		words[i * 7 % 256] = v[1] + i % 3;
	return 0;
}

/* ---- The table ---- */

#define FIELD(_type, _struct, _member, ...) {				\
	.name = #_member, .type = (_type),				\
	.offset = offsetof(struct _struct, _member),			\
	.size = sizeof(((struct _struct *)0)->_member), __VA_ARGS__	\
}

#define VALUE(_name, _type, ...) {					\
	.name = (_name), .type = (_type), __VA_ARGS__			\
}

#define ON(_kind)	VALUE("on", T_RES, .a = (_kind))
#define LIST(_list)	.list = (_list)
#define NUM(_a, _b)	.a = (_a), .b = (_b)
/* Fields that are 32 bits of an argument with no structure */
#define WORD(_name, _type, _offset, ...)				\
	VALUE(_name, _type, .offset = (_offset), .size = 4, __VA_ARGS__)

#define CALL(_name, _makes, _weight, ...) {				\
	.name = #_name, .run = run_##_name, .makes = (_makes),		\
	.weight = (_weight), .fields = { __VA_ARGS__ }			\
}

/* These leave a device behind that is not as it was. */
#define RESETTING(_name, _weight, ...) {				\
	.name = #_name, .run = run_##_name, .weight = (_weight),	\
	.resets = true, .fields = { __VA_ARGS__ }			\
}

/* An ioctl that is of use behind another one on the same file */
#define AFTER(_needs, _name, _request, _weight, ...) {			\
	.name = (_name), .request = (_request), .weight = (_weight),	\
	.needs = (_needs), .fields = { __VA_ARGS__ }			\
}

#define IOCTL(_name, _request, _weight, ...) {				\
	.name = (_name), .request = (_request), .weight = (_weight),	\
	.fields = { __VA_ARGS__ }					\
}

/* An ioctl that returns a file descriptor in _member of the argument */
#define MAKER(_name, _request, _makes, _struct, _member, _weight, ...) { \
	.name = (_name), .request = (_request), .makes = (_makes),	\
	.result = offsetof(struct _struct, _member),			\
	.weight = (_weight), .fields = { __VA_ARGS__ }			\
}

static const __u64 format_types[] = { 1, 2, 0, 3, 1 };

const struct op ops[] = {
	CALL(open_channel, RES_CHANNEL, 10,
	     VALUE("node", T_NUM, NUM(0, SIM_NODES - 1)),
	     VALUE("flags", T_LIST, LIST(open_flags))),
	CALL(open_importer, RES_IMPORTER, 6,
	     VALUE("flags", T_LIST, LIST(open_flags))),
	CALL(open_heap, RES_HEAP, 3, VALUE("heap", T_NUM, NUM(0, 15))),
	CALL(close, RES_NONE, 6, ON(RES_ANY)),
	CALL(dup, RES_ANY, 2, ON(RES_ANY)),
	CALL(fcntl, RES_NONE, 2, ON(RES_ANY),
	     VALUE("nonblock", T_NUM, NUM(0, 1))),
	CALL(mmap, RES_MAPPING, 8, ON(RES_BUFFER),
	     VALUE("length", T_SIZE, LIST(frame_sizes)),
	     VALUE("prot", T_LIST, LIST(prots)),
	     VALUE("private", T_NUM, NUM(0, 1)),
	     VALUE("offset", T_LIST, LIST(offsets))),
	CALL(munmap, RES_NONE, 3, ON(RES_MAPPING),
	     VALUE("length", T_SIZE, LIST(frame_sizes))),
	CALL(mprotect, RES_NONE, 2, ON(RES_MAPPING),
	     VALUE("length", T_SIZE, LIST(frame_sizes)),
	     VALUE("prot", T_LIST, LIST(prots))),
	CALL(madvise, RES_NONE, 2, ON(RES_MAPPING),
	     VALUE("length", T_SIZE, LIST(frame_sizes)),
	     VALUE("advice", T_LIST, LIST(advices))),
	CALL(mremap, RES_MAPPING, 2, ON(RES_MAPPING),
	     VALUE("length", T_SIZE, LIST(frame_sizes)),
	     VALUE("new_length", T_SIZE, LIST(frame_sizes))),
	CALL(touch, RES_NONE, 8, ON(RES_MAPPING),
	     VALUE("write", T_NUM, NUM(0, 1)),
	     VALUE("offset", T_LIST, LIST(offsets)),
	     VALUE("length", T_NUM, NUM(1, 64))),
	CALL(poll, RES_NONE, 8, ON(RES_ANY),
	     VALUE("events", T_LIST, LIST(polled)),
	     VALUE("ms", T_NUM, NUM(0, 4))),
	CALL(epoll, RES_NONE, 4, ON(RES_ANY),
	     VALUE("events", T_LIST, LIST(polled)),
	     VALUE("ms", T_NUM, NUM(0, 4))),
	CALL(lseek, RES_NONE, 2, ON(RES_ANY),
	     VALUE("offset", T_LIST, LIST(offsets)),
	     VALUE("whence", T_NUM, NUM(0, 4))),
	CALL(read, RES_NONE, 1, ON(RES_ANY),
	     VALUE("length", T_NUM, NUM(0, 64))),
	CALL(write, RES_NONE, 1, ON(RES_ANY),
	     VALUE("length", T_NUM, NUM(0, 64))),
	CALL(fdinfo, RES_NONE, 2, ON(RES_ANY)),
	CALL(read_file, RES_NONE, 3,
	     VALUE("file", T_NUM, NUM(0, ARRAY_LEN(files) - 1))),
	CALL(timeline, RES_TIMELINE, 3),
	CALL(udmabuf, RES_BUFFER, 3,
	     VALUE("page", T_NUM, NUM(0, 7)),
	     VALUE("pages", T_NUM, NUM(1, 4))),
	CALL(renew, RES_NONE, 2,
	     VALUE("page", T_NUM, NUM(0, 15)),
	     VALUE("pages", T_NUM, NUM(1, 16)),
	     VALUE("mapped", T_NUM, NUM(0, 1))),
	CALL(sleep, RES_NONE, 3, VALUE("ms", T_NUM, NUM(1, 30))),
	CALL(fork, RES_NONE, 1),
	CALL(scribble, RES_NONE, 2,
	     VALUE("times", T_NUM, NUM(1, 5000)),
	     VALUE("value", T_NUM, NUM(0, 4))),
	CALL(free_limit, RES_NONE, 2,
	     VALUE("bytes", T_LIST, LIST(limits))),
	CALL(shrink, RES_NONE, 1),
	RESETTING(fault, 10,
		  VALUE("channel", T_NUM, NUM(0, 4)),
		  VALUE("kind", T_NUM, NUM(0, 12)),
		  VALUE("count", T_NUM, NUM(1, 4)),
		  VALUE("skip", T_NUM, NUM(0, 3))),
	RESETTING(fault_ms, 1,
		  VALUE("channel", T_NUM, NUM(0, 4)),
		  VALUE("ms", T_NUM, NUM(0, 100))),
	RESETTING(unbind, 2),
	RESETTING(bind, 2),

	IOCTL("info", FPGABUF_IOC_INFO, 2, ON(RES_CHANNEL)),
	IOCTL("enum_format", FPGABUF_IOC_ENUM_FORMAT, 2, ON(RES_CHANNEL),
	      FIELD(T_NUM, fpgabuf_format_desc, index, NUM(0, 5)),
	      FIELD(T_ZERO, fpgabuf_format_desc, flags)),
	IOCTL("get_format", FPGABUF_IOC_GET_FORMAT, 2, ON(RES_CHANNEL)),
	IOCTL("set_format", FPGABUF_IOC_SET_FORMAT, 12, ON(RES_CHANNEL),
	      FIELD(T_LIST, fpgabuf_format, type, LIST(format_types)),
	      FIELD(T_MASK, fpgabuf_format, flags, .a = 3),
	      FIELD(T_LIST, fpgabuf_format, fourcc, LIST(fourccs)),
	      FIELD(T_NUM, fpgabuf_format, num_planes, NUM(0, 4)),
	      FIELD(T_ZERO, fpgabuf_format, modifier),
	      FIELD(T_LIST, fpgabuf_format, width, LIST(widths)),
	      FIELD(T_LIST, fpgabuf_format, height, LIST(widths)),
	      FIELD(T_LIST, fpgabuf_format, pitches[0], LIST(pitches)),
	      FIELD(T_LIST, fpgabuf_format, pitches[1], LIST(pitches)),
	      FIELD(T_LIST, fpgabuf_format, offsets[1], LIST(offsets)),
	      FIELD(T_SIZE, fpgabuf_format, size, LIST(frame_sizes)),
	      FIELD(T_LIST, fpgabuf_format, rate.numerator, LIST(rates)),
	      FIELD(T_LIST, fpgabuf_format, rate.denominator, LIST(denominators))),
	MAKER("alloc", FPGABUF_IOC_ALLOC, RES_BUFFER, fpgabuf_alloc, fd, 12,
	      ON(RES_CHANNEL),
	      FIELD(T_SIZE, fpgabuf_alloc, size, LIST(buffer_sizes)),
	      FIELD(T_NUM, fpgabuf_alloc, kind, NUM(0, 8)),
	      FIELD(T_ZERO, fpgabuf_alloc, flags),
	      FIELD(T_LIST, fpgabuf_alloc, fd_flags, LIST(fd_flags))),
	MAKER("alloc_user", FPGABUF_IOC_ALLOC_USER, RES_BUFFER,
	      fpgabuf_alloc_user, fd, 6, ON(RES_CHANNEL),
	      FIELD(T_ADDR, fpgabuf_alloc_user, address),
	      FIELD(T_SIZE, fpgabuf_alloc_user, length, LIST(user_lens)),
	      FIELD(T_ZERO, fpgabuf_alloc_user, flags),
	      FIELD(T_LIST, fpgabuf_alloc_user, fd_flags, LIST(fd_flags)),
	      FIELD(T_ZERO, fpgabuf_alloc_user, reserved)),
	MAKER("alloc_pool", FPGABUF_IOC_ALLOC_POOL, RES_BUFFER,
	      fpgabuf_alloc_pool, fd, 4, ON(RES_CHANNEL),
	      FIELD(T_LIST, fpgabuf_alloc_pool, block_size, LIST(blocks)),
	      FIELD(T_LIST, fpgabuf_alloc_pool, num_blocks, LIST(counts)),
	      FIELD(T_LIST, fpgabuf_alloc_pool, alignment, LIST(powers)),
	      FIELD(T_LIST, fpgabuf_alloc_pool, boundary, LIST(powers)),
	      FIELD(T_ZERO, fpgabuf_alloc_pool, flags),
	      FIELD(T_LIST, fpgabuf_alloc_pool, fd_flags, LIST(fd_flags))),
	AFTER("set_format", "register", FPGABUF_IOC_REGISTER, 16, ON(RES_CHANNEL),
	      FIELD(T_RES, fpgabuf_register, fd, .a = RES_BUFFER),
	      FIELD(T_ZERO, fpgabuf_register, flags),
	      FIELD(T_LIST, fpgabuf_register, offset, LIST(offsets)),
	      FIELD(T_SIZE, fpgabuf_register, length, LIST(lens)),
	      FIELD(T_ZERO, fpgabuf_register, reserved)),
	AFTER("register", "unregister", FPGABUF_IOC_UNREGISTER, 8, ON(RES_CHANNEL),
	      FIELD(T_SLOT, fpgabuf_unregister, slot, NUM(0, 3)),
	      FIELD(T_ZERO, fpgabuf_unregister, flags)),
	{
		.name = "exchange",
		.needs = "register",
		.request = FPGABUF_IOC_EXCHANGE,
		.makes = RES_FENCE,
		.result = offsetof(struct fpgabuf_fences, out),
		.elem = {
			sizeof(struct fpgabuf_completion),
			sizeof(struct fpgabuf_queue_entry),
			sizeof(struct fpgabuf_fences),
		},
		.weight = 40,
		.fields = {
			ON(RES_CHANNEL),
			FIELD(T_PTR, fpgabuf_exchange, done, .a = 0),
			FIELD(T_PTR, fpgabuf_exchange, queue, .a = 1),
			FIELD(T_PTR, fpgabuf_exchange, fences, .a = 2),
			FIELD(T_LIST, fpgabuf_exchange, queue_count,
			      LIST(batches)),
			FIELD(T_LIST, fpgabuf_exchange, done_count, LIST(taken)),
			FIELD(T_LIST, fpgabuf_exchange, min_done, LIST(awaited)),
			FIELD(T_ZERO, fpgabuf_exchange, flags),
			FIELD(T_TIME, fpgabuf_exchange, timeout),
			FIELD(T_SLOT, fpgabuf_queue_entry, slot, NUM(0, 3),
			      .array = 2),
			FIELD(T_MASK, fpgabuf_queue_entry, flags, .a = 7,
			      .array = 2),
			FIELD(T_LIST, fpgabuf_queue_entry, bytes, LIST(lens),
			      .array = 2),
			FIELD(T_RES, fpgabuf_fences, in, .a = RES_FENCE,
			      .array = 3),
		},
	},
	AFTER("register", "start", FPGABUF_IOC_START, 14, ON(RES_CHANNEL),
	      FIELD(T_ZERO, fpgabuf_start, flags),
	      FIELD(T_LIST, fpgabuf_start, timeout_ms, LIST(timeouts_ms)),
	      FIELD(T_ZERO, fpgabuf_start, reserved)),
	AFTER("start", "stop", FPGABUF_IOC_STOP, 8, ON(RES_CHANNEL)),
	IOCTL("inspect", FPGABUF_IOC_INSPECT, 5, ON(RES_CHANNEL),
	      FIELD(T_RES, fpgabuf_inspect, fd, .a = RES_BUFFER),
	      FIELD(T_ZERO, fpgabuf_inspect, flags),
	      FIELD(T_PTR, fpgabuf_inspect, names, .a = 0),
	      FIELD(T_LIST, fpgabuf_inspect, names_size, LIST(rooms)),
	      FIELD(T_ZERO, fpgabuf_inspect, reserved)),

	IOCTL("import_info", FPGABUF_IMPORT_IOC_INFO, 1, ON(RES_IMPORTER)),
	IOCTL("attach", FPGABUF_IMPORT_IOC_ATTACH, 14, ON(RES_IMPORTER),
	      FIELD(T_RES, fpgabuf_import_attach, fd, .a = RES_BUFFER),
	      FIELD(T_MASK, fpgabuf_import_attach, flags, .a = 3),
	      FIELD(T_MASK, fpgabuf_import_attach, access, .a = 3, .def = 3),
	      FIELD(T_ZERO, fpgabuf_import_attach, reserved)),
	AFTER("attach", "detach", FPGABUF_IMPORT_IOC_DETACH, 6, ON(RES_IMPORTER),
	      FIELD(T_SLOT, fpgabuf_import_detach, slot, NUM(0, 3)),
	      FIELD(T_ZERO, fpgabuf_import_detach, flags)),
	{
		.name = "segments",
		.needs = "attach",
		.request = FPGABUF_IMPORT_IOC_SEGMENTS,
		.elem = { sizeof(struct fpgabuf_import_segment) },
		.weight = 3,
		.fields = {
			ON(RES_IMPORTER),
			FIELD(T_PTR, fpgabuf_import_segments, segments,
			      .a = 0),
			FIELD(T_SLOT, fpgabuf_import_segments, slot,
			      NUM(0, 3)),
			FIELD(T_ZERO, fpgabuf_import_segments, flags),
			FIELD(T_NUM, fpgabuf_import_segments, count,
			      NUM(0, 64)),
			FIELD(T_ZERO, fpgabuf_import_segments, reserved),
		},
	},
	{
		.name = "copy",
		.needs = "attach",
		.request = FPGABUF_IMPORT_IOC_EXCHANGE,
		.makes = RES_FENCE,
		.result = offsetof(struct fpgabuf_import_copy, out_fence),
		.elem = {
			sizeof(struct fpgabuf_import_done),
			sizeof(struct fpgabuf_import_copy),
		},
		.weight = 30,
		.fields = {
			ON(RES_IMPORTER),
			FIELD(T_PTR, fpgabuf_import_exchange, done, .a = 0),
			FIELD(T_PTR, fpgabuf_import_exchange, copies, .a = 1),
			FIELD(T_LIST, fpgabuf_import_exchange, copy_count,
			      LIST(batches)),
			FIELD(T_LIST, fpgabuf_import_exchange, done_count,
			      LIST(taken)),
			FIELD(T_LIST, fpgabuf_import_exchange, min_done,
			      LIST(awaited)),
			FIELD(T_ZERO, fpgabuf_import_exchange, flags),
			FIELD(T_TIME, fpgabuf_import_exchange, timeout),
			FIELD(T_LIST, fpgabuf_import_copy, src_offset,
			      LIST(offsets), .array = 2),
			FIELD(T_LIST, fpgabuf_import_copy, dst_offset,
			      LIST(offsets), .array = 2),
			FIELD(T_LIST, fpgabuf_import_copy, length,
			      LIST(copy_lens), .array = 2),
			FIELD(T_SLOT, fpgabuf_import_copy, src, NUM(0, 3),
			      .array = 2),
			FIELD(T_SLOT, fpgabuf_import_copy, dst, NUM(0, 3),
			      .array = 2),
			FIELD(T_MASK, fpgabuf_import_copy, flags, .a = 7,
			      .array = 2),
			FIELD(T_RES, fpgabuf_import_copy, in_fence,
			      .a = RES_FENCE, .array = 2),
		},
	},

	MAKER("heap_alloc", DMA_HEAP_IOCTL_ALLOC, RES_BUFFER,
	      dma_heap_allocation_data, fd, 5, ON(RES_HEAP),
	      FIELD(T_SIZE, dma_heap_allocation_data, len,
		    LIST(buffer_sizes)),
	      FIELD(T_ZERO, dma_heap_allocation_data, fd),
	      FIELD(T_LIST, dma_heap_allocation_data, fd_flags, LIST(fd_flags)),
	      FIELD(T_ZERO, dma_heap_allocation_data, heap_flags)),
	IOCTL("sync", DMA_BUF_IOCTL_SYNC, 5, ON(RES_BUFFER),
	      FIELD(T_MASK, dma_buf_sync, flags, .a = 7, .def = 3)),
	IOCTL("set_name_a", DMA_BUF_SET_NAME_A, 1, ON(RES_BUFFER),
	      WORD("name", T_ANY, 0)),
	IOCTL("set_name_b", DMA_BUF_SET_NAME_B, 1, ON(RES_BUFFER),
	      WORD("name", T_ANY, 0)),
	MAKER("export_sync_file", DMA_BUF_IOCTL_EXPORT_SYNC_FILE, RES_FENCE,
	      dma_buf_export_sync_file, fd, 6, ON(RES_BUFFER),
	      FIELD(T_MASK, dma_buf_export_sync_file, flags, .a = 3,
		    .def = 3)),
	IOCTL("import_sync_file", DMA_BUF_IOCTL_IMPORT_SYNC_FILE, 6,
	      ON(RES_BUFFER),
	      FIELD(T_MASK, dma_buf_import_sync_file, flags, .a = 3, .def = 3),
	      FIELD(T_RES, dma_buf_import_sync_file, fd, .a = RES_FENCE)),
	MAKER("merge", SYNC_IOC_MERGE, RES_FENCE, sync_merge_data, fence, 4,
	      ON(RES_FENCE),
	      FIELD(T_RES, sync_merge_data, fd2, .a = RES_FENCE),
	      FIELD(T_ZERO, sync_merge_data, flags),
	      FIELD(T_ZERO, sync_merge_data, pad)),
	{
		.name = "file_info",
		.request = SYNC_IOC_FILE_INFO,
		.elem = { sizeof(struct sync_fence_info) },
		.weight = 3,
		.fields = {
			ON(RES_FENCE),
			FIELD(T_ZERO, sync_file_info, flags),
			FIELD(T_NUM, sync_file_info, num_fences, NUM(0, 8)),
			FIELD(T_PTR, sync_file_info, sync_fence_info, .a = 0),
			FIELD(T_ZERO, sync_file_info, pad),
		},
	},
	IOCTL("set_deadline", SET_DEADLINE, 2, ON(RES_FENCE),
	      FIELD(T_ANY, set_deadline, deadline_ns),
	      FIELD(T_ZERO, set_deadline, pad)),
	MAKER("sw_fence", SW_SYNC_IOC_CREATE_FENCE, RES_FENCE,
	      sw_sync_create_fence_data, fence, 6, ON(RES_TIMELINE),
	      FIELD(T_NUM, sw_sync_create_fence_data, value, NUM(1, 3))),
	IOCTL("sw_inc", SW_SYNC_IOC_INC, 4, ON(RES_TIMELINE),
	      WORD("by", T_NUM, 0, NUM(1, 2))),
	/* Requests that there are not, and those of other nodes */
	IOCTL("unknown", _IOWR(FPGABUF_IOC_MAGIC, 0x0d, __u64[4]), 1,
	      ON(RES_ANY)),
	IOCTL("unknown_import", _IOWR(FPGABUF_IOC_MAGIC, 0x45, __u64[4]), 1,
	      ON(RES_ANY)),
	IOCTL("info_of_any", FPGABUF_IOC_INFO, 1, ON(RES_ANY)),
	IOCTL("import_info_of_any", FPGABUF_IMPORT_IOC_INFO, 1, ON(RES_ANY)),
	IOCTL("heap_alloc_of_any", DMA_HEAP_IOCTL_ALLOC, 1, ON(RES_ANY)),
};

const unsigned int num_ops = ARRAY_LEN(ops);

static unsigned int count_fields(const struct op *op, bool in_arrays)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_LEN(op->fields) && op->fields[i].name; i++)
		if (!!op->fields[i].array == in_arrays)
			count++;
	return count;
}

/* The fields of the argument come first in each op. */
unsigned int num_values(const struct op *op)
{
	return count_fields(op, false) + MAX_ELEMS * count_fields(op, true);
}

const struct field *value_field(const struct op *op, unsigned int value,
				unsigned int *elem)
{
	unsigned int head = count_fields(op, false);
	unsigned int each = count_fields(op, true);

	*elem = 0;
	if (value < head)
		return &op->fields[value];
	*elem = (value - head) / each;
	return &op->fields[head + (value - head) % each];
}

/* The value that is right most often */
__u64 default_value(const struct field *field)
{
	switch (field->type) {
	case T_RES:
		return 0xffffffff;
	case T_NUM:
	case T_SLOT:
		return field->a;
	case T_LIST:
	case T_SIZE:
		return field->list[0];
	default:
		return field->def;
	}
}

/* ---- Making a call ---- */

/*
 * The kernel's heaps for CMA areas map a buffer as one segment, however long the
 * device says that one may be: the DMA-API debugger reports it.
 */
static bool heap_is_usable(const char *name)
{
	return !strncmp(name, "fpgabuf-", 8) || !strcmp(name, "system");
}

static void find_heaps(void)
{
	DIR *dir = opendir("/dev/dma_heap");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir)) && num_heaps < MAX_HEAPS) {
		if (!heap_is_usable(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/dma_heap/%s", entry->d_name);
		heaps[num_heaps++] = strdup(path);
	}
	if (dir)
		closedir(dir);
}

static char *map_pages(unsigned int pages, int prot, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

int calls_init(void)
{
	if (!num_heaps)
		find_heaps();
	user_fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	copy_fd = memfd_create("fuzz-copy", MFD_CLOEXEC);
	if (user_fd < 0 || copy_fd < 0 || ftruncate(user_fd, USER_BYTES) ||
	    fcntl(user_fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	user_memory = map_pages(USER_PAGES, PROT_READ | PROT_WRITE, -1);
	user_read_only = map_pages(USER_PAGES, PROT_READ, -1);
	user_file = map_pages(USER_PAGES, PROT_READ | PROT_WRITE, user_fd);
	shared_page = map_pages(1, PROT_READ | PROT_WRITE, -1);
	if (!user_memory || !user_read_only || !user_file || !shared_page)
		return -ENOMEM;
	/* Above the files that the threads open */
	first_fd = copy_fd + 1 + MAX_THREADS;
	return 0;
}

/* As in Documentation/fault-injection: all allocations, with no message */
void calls_allow_faults(void)
{
	static const char *const settings[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(settings); i++)
		write_text(settings[i][0], settings[i][1]);
}

static void fail_begin(const struct call *call)
{
	char text[8];
	int len = snprintf(text, sizeof(text), "%u", call->fail);

	if (call->fail && shared->faults && fail_nth >= 0 &&
	    pwrite(fail_nth, text, len, 0) < 0)
		perror("fuzz: fail-nth");
}

static void fail_end(const struct call *call)
{
	if (call->fail && shared->faults && fail_nth >= 0 &&
	    pwrite(fail_nth, "0", 1, 0) < 0)
		perror("fuzz: fail-nth");
}

int calls_init_thread(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth >= first_fd)
		return -EMFILE;
	arena = map_pages(MAX_ARRAYS + 2, PROT_READ | PROT_WRITE, -1);
	read_only = map_pages(1, PROT_READ, -1);
	if (!arena || !read_only)
		return -ENOMEM;
	return mprotect(arena + (MAX_ARRAYS + 1) * PAGE, PAGE, PROT_NONE);
}

void calls_begin(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++) {
		results[i] = -1;
		kinds[i] = RES_NONE;
	}
}

static void unmap_all(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++)
		if (kinds[i] == RES_MAPPING && results[i] != -1)
			munmap((void *)results[i], lengths[i]);
}

void calls_end(bool unmap_first)
{
	if (unmap_first)
		unmap_all();
	close_range(first_fd, ~0U, 0);
	if (!unmap_first)
		unmap_all();
	mmap(user_memory, USER_BYTES, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static long result_get(__u64 value)
{
	return __atomic_load_n(&results[value & 0xff], __ATOMIC_RELAXED);
}

static __u64 resolve_size(__u64 value)
{
	return value > LARGEST && value < TOO_LARGE ? value % LARGEST : value;
}

static __u64 resolve_address(__u64 value)
{
	__u64 offset = value & 0xffffffff;

	if (value & REFERENCE)
		return result_get(value);
	if (offset >= USER_BYTES)
		return value;
	if (value & ADDR_READ_ONLY)
		return (__u64)user_read_only + offset;
	return (__u64)(value & ADDR_FILE ? user_file : user_memory) + offset;
}

static __u64 resolve(const struct field *field, __u64 value)
{
	switch (field->type) {
	case T_RES:
		return value & REFERENCE ? result_get(value) : (int)value;
	case T_SIZE:
		return resolve_size(value);
	case T_ADDR:
		return resolve_address(value);
	default:
		return value;
	}
}

static char *a_mapping(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++)
		if (kinds[i] == RES_MAPPING && results[i] != -1)
			return (char *)results[i];
	return read_only;
}

/* Memory of @size bytes; @page: of the arena */
static char *place(enum place place, unsigned int page, size_t size)
{
	switch (place) {
	case PLACE_NULL:
		return NULL;
	case PLACE_TORN:
		return arena + (MAX_ARRAYS + 1) * PAGE - size / 2 / 4 * 4;
	case PLACE_READ_ONLY:
		return read_only;
	case PLACE_MAPPING:
		return a_mapping();
	case PLACE_SHARED:
		return shared_page + page * PAGE / 4;
	default:
		return arena + page * PAGE;
	}
}

/* Where an array is: the place that its pointer's value says */
static char *array_place(const struct op *op, const __u64 *values,
			 unsigned int array)
{
	const struct field *field = op->fields;
	unsigned int i;

	for (i = 0; field[i].name && !field[i].array; i++)
		if (field[i].type == T_PTR && field[i].a == array)
			return place(values[i], array + 1,
				     op->elem[array] * MAX_ELEMS);
	return place(PLACE_OWN, array + 1, 0);
}

/**
 * struct piece - an argument, or an array, as it is put into memory
 * @bytes: its contents
 * @at: where it goes
 */
struct piece {
	char bytes[512];
	char *at;
};

static void pieces_fill(struct piece *pieces, const struct call *call)
{
	const struct op *op = &ops[call->op];
	const struct field *field;
	unsigned int i, elem, step;
	__u64 value;

	for (i = 0; i < num_values(op); i++) {
		field = value_field(op, i, &elem);
		if (!field->size)
			continue;
		value = resolve(field, call->values[i]);
		if (field->type == T_PTR)
			value = (__u64)pieces[field->a + 1].at;
		step = field->array ? elem * op->elem[field->array - 1] : 0;
		memcpy(pieces[field->array].bytes + step + field->offset,
		       &value, field->size);
	}
}

static void pieces_store(struct piece *pieces, const struct op *op, size_t size)
{
	unsigned int i;

	memory_write(pieces[0].at, pieces[0].bytes, size);
	for (i = 0; i < MAX_ARRAYS; i++)
		if (op->elem[i])
			memory_write(pieces[i + 1].at, pieces[i + 1].bytes,
				     op->elem[i] * MAX_ELEMS);
}

/* The new file descriptor that a successful ioctl has stored */
static long ioctl_result(const struct op *op, const struct piece *pieces)
{
	unsigned int i, array = MAX_ARRAYS;
	int fd = -1;

	while (array && !op->elem[array - 1])
		array--;
	/* A call with arrays stores one per element, if at all. */
	for (i = 0; fd < first_fd && i < (array ? MAX_ELEMS : 1); i++) {
		const char *at = pieces[array].at + op->result;

		if (array)
			at += i * op->elem[array - 1];
		if (memory_write(&fd, at, sizeof(fd)) < 0)
			return -1;
	}
	return fd < first_fd ? -1 : fd;
}

static long run_ioctl(const struct call *call, long *result)
{
	const struct op *op = &ops[call->op];
	size_t size = _IOC_SIZE(op->request);
	struct piece pieces[MAX_ARRAYS + 1];
	unsigned int i;
	int fd, ret;

	memset(pieces, 0, sizeof(pieces));
	/* Not a file descriptor, until the kernel stores one. */
	if (op->makes == RES_FENCE && op->elem[0])
		for (i = 0; i < MAX_ELEMS; i++)
			memset(pieces[op->elem[2] ? 3 : 2].bytes + op->result +
			       i * op->elem[op->elem[2] ? 2 : 1], 0xff, 4);
	pieces[0].at = place(call->place, 0, size);
	for (i = 0; i < MAX_ARRAYS; i++)
		pieces[i + 1].at = array_place(op, call->values, i);
	pieces_fill(pieces, call);
	size = (int)size + call->grow < 0 ? 0 : size + call->grow;
	pieces_store(pieces, op, size);
	fd = resolve(&op->fields[0], call->values[0]);
	fail_begin(call);
	ret = ioctl(fd, _IOC(_IOC_DIR(op->request), _IOC_TYPE(op->request),
			     _IOC_NR(op->request), size), pieces[0].at);
	if (ret < 0)
		ret = -errno;
	fail_end(call);
	if (ret < 0)
		return ret;
	if (op->makes)
		*result = ioctl_result(op, pieces);
	return ret;
}

static long run_function(const struct call *call, long *result)
{
	const struct op *op = &ops[call->op];
	__u64 values[MAX_VALUES];
	unsigned int i, elem;
	long ret;

	for (i = 0; i < num_values(op); i++)
		values[i] = resolve(value_field(op, i, &elem),
				    call->values[i]);
	fail_begin(call);
	ret = op->run(values);
	fail_end(call);
	if (op->makes && ret >= 0)
		*result = ret;
	return ret;
}

/* A mapping's length: that of the call that returned it */
static size_t mapped_length(const struct call *call)
{
	const struct op *op = &ops[call->op];

	return resolve_size(call->values[num_values(op) == 3 ? 2 : 1]);
}

long call_make(const struct program *prog, unsigned int index)
{
	const struct call *call = &prog->calls[index];
	const struct op *op = &ops[call->op];
	long result = -1;
	long ret;

	ret = op->run ? run_function(call, &result) : run_ioctl(call, &result);
	if (op->makes == RES_MAPPING && result != -1)
		lengths[index] = mapped_length(call);
	kinds[index] = op->makes;
	__atomic_store_n(&results[index], result, __ATOMIC_RELAXED);
	return ret < 0 ? ret : 0;
}
