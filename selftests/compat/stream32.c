// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program on a 64-bit kernel: allocates, captures, waits for fences and
 * copies, by the raw ABI. Its structs have one layout for both, and no field of
 * 64 bits may be cut off on its way.
 */
#include <linux/dma-buf.h>
#include <linux/fpgabuf.h>
#include <linux/sync_file.h>

#define FRAME		4096
#define SLOTS		2
#define FRAMES		20
#define SECOND		1000000000LL

static int count, failed;

static void ok(int good, const char *name)
{
	count++;
	failed += !good;
	printf("%sok %d %s\n", good ? "" : "not ", count, name);
	if (!good)
		printf("# errno %d\n", errno);
}

static __u64 pointer(const void *p)
{
	return (unsigned long)p;
}

static int alloc(int ch, __u64 size)
{
	struct fpgabuf_alloc arg = {
		.size = size,
		.kind = FPGABUF_KIND_SYSTEM,
		.fd_flags = O_RDWR,
		.fd = -1,
	};

	return ioctl(ch, FPGABUF_IOC_ALLOC, &arg) ? -1 : arg.fd;
}

static int register_at(int ch, int fd, __u64 offset, __u64 length)
{
	struct fpgabuf_register arg = {
		.fd = fd,
		.offset = offset,
		.length = length,
	};

	return ioctl(ch, FPGABUF_IOC_REGISTER, &arg) ? -1 : (int)arg.slot;
}

static int set_raw(int ch, __u64 size)
{
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_RAW,
		.size = size,
		.rate.denominator = 1,
	};

	return ioctl(ch, FPGABUF_IOC_SET_FORMAT, &format);
}

/* Queues @slot if it is not negative; returns how many were taken, or -1. */
static int exchange(int ch, int slot, struct fpgabuf_fences *fences,
		    struct fpgabuf_completion *done)
{
	struct fpgabuf_queue_entry entry = {
		.slot = slot,
		.user_data = 0x123456789abcdef0ULL + slot,
		.flags = fences ? FPGABUF_QUEUE_OUT_FENCE : 0,
	};
	struct fpgabuf_exchange arg = {
		.queue = pointer(&entry),
		.queue_count = slot >= 0,
		.fences = fences ? pointer(fences) : 0,
		.done = pointer(done),
		.done_count = done ? 1 : 0,
		.min_done = done ? 1 : 0,
		.timeout = done ? 10 * SECOND : 0,
	};

	return ioctl(ch, FPGABUF_IOC_EXCHANGE, &arg) ? -1 : (int)arg.done_count;
}

static int sync_buffer(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* The counting pattern, and the trailer that says the same of the frame. */
static int frame_is(int fd, const __u8 *frame, __u64 sequence)
{
	const struct fpgabuf_trailer *trailer;
	const __u32 *words = (const void *)frame;
	int good;

	trailer = (const void *)(frame + FRAME - sizeof(*trailer));
	if (sync_buffer(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		return 0;
	good = words[0] == (__u32)sequence &&
	       words[100] == (__u32)sequence + 100 &&
	       trailer->magic == FPGABUF_TRAILER_MAGIC &&
	       trailer->length == FRAME && trailer->sequence == sequence;
	return !sync_buffer(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ) && good;
}

static int frames_are_right(int ch, int fd, const __u8 *map)
{
	struct fpgabuf_completion done;
	int i;

	for (i = 0; i < FRAMES; i++) {
		if (exchange(ch, -1, NULL, &done) != 1 || done.status ||
		    done.sequence != (__u64)i || done.bytes != FRAME ||
		    done.user_data != 0x123456789abcdef0ULL + done.slot ||
		    !frame_is(fd, map + done.slot * FRAME, i))
			return 0;
		if (exchange(ch, done.slot, NULL, NULL) < 0)
			return 0;
	}
	return 1;
}

/* As C libraries of today do it: the other one is an option of the kernel. */
static int wait_for(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	const __s64 timeout[2] = { 10, 0 };

	return syscall(__NR_ppoll_time64, &pfd, 1, timeout, NULL, 0) == 1;
}

static int fence_signals(int ch)
{
	struct fpgabuf_fences fences = { .in = -1, .out = -1 };
	struct fpgabuf_completion done;
	struct sync_file_info info;

	while (exchange(ch, -1, NULL, &done) == 1 && done.slot)
		;
	if (exchange(ch, 0, &fences, NULL) < 0 || fences.out < 0)
		return 0;
	memset(&info, 0, sizeof(info));
	return wait_for(fences.out) &&
	       !ioctl(fences.out, SYNC_IOC_FILE_INFO, &info) &&
	       info.status == 1;
}

static void stream(int ch)
{
	struct fpgabuf_start start = { 0 };
	int fd, i;
	__u8 *map;

	ok(!set_raw(ch, FRAME), "format");
	fd = alloc(ch, SLOTS * FRAME);
	ok(fd >= 0, "alloc");
	map = mmap(NULL, SLOTS * FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	ok(map != MAP_FAILED, "map");
	if (map == MAP_FAILED)
		return;
	for (i = 0; i < SLOTS; i++)
		ok(register_at(ch, fd, i * FRAME, FRAME) == i &&
		   exchange(ch, i, NULL, NULL) >= 0, "register and queue");
	ok(!ioctl(ch, FPGABUF_IOC_START, &start), "start");
	ok(frames_are_right(ch, fd, map), "frames, in order, and whole");
	ok(fence_signals(ch), "a fence");
	ok(!ioctl(ch, FPGABUF_IOC_STOP, 0), "stop");
}

/* Cut to 32 bits each of these would be good. */
static void wide(int ch)
{
	const __u64 high = 1ULL << 32;
	int fd = alloc(ch, SLOTS * FRAME);

	ok(fd >= 0 && !set_raw(ch, FRAME), "alloc and format");
	ok(alloc(ch, high * 4096 + FRAME) < 0, "a size is of 64 bits");
	ok(register_at(ch, fd, high, FRAME) < 0, "so is an offset");
	ok(register_at(ch, fd, 0, high + FRAME) < 0, "so is a length");
	ok(set_raw(ch, high * 4096 + FRAME) < 0, "so is that of a frame");
	ok(register_at(ch, fd, 0, FRAME) >= 0, "what fits is taken");
}

int main(void)
{
	struct fpgabuf_info info = { 0 };
	int ch = open("/dev/fpgabuf1", O_RDWR);

	if (ch < 0 && !getenv("FPGABUF_REQUIRED")) {
		printf("1..0 # SKIP no channel device: fpgabuf_sim is not loaded\n");
		return 4;
	}
	ok(ch >= 0, "open");
	if (ch < 0)
		return 1;
	ok(!ioctl(ch, FPGABUF_IOC_INFO, &info) &&
	   info.abi_version == FPGABUF_ABI_VERSION, "info");
	stream(ch);
	close(ch);
	ch = open("/dev/fpgabuf1", O_RDWR);
	ok(ch >= 0, "open");
	wide(ch);
	printf("1..%d\n", count);
	return failed != 0;
}
