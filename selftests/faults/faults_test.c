// SPDX-License-Identifier: GPL-2.0
/*
 * Every call of a channel and of a buffer, with each of its allocations failing
 * in turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <drm/drm_fourcc.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fences.h"
#include "../heaps/heaps_test.h"
#include "../importer/importer_test.h"
#include "inject.h"

/* One block of each order that the system kind allocates */
#define BUFFER_SIZE	((2 << 20) + (1 << 20) + (1 << 16) + (1 << 12))

#define EXPECT_ROBUST(call, ctx) \
	EXPECT_STREQ("ok", fault_each(call, ctx))

static void undo_close(void *ctx, int fd)
{
	close(fd);
}

/* What the first opener brings about: the engine's channel is requested. */
static int call_open(void *ctx)
{
	return fpga_open(CHANNEL, O_RDWR);
}

TEST(open_channel)
{
	const struct fault_call call = {
		.name = "open", .call = call_open, .undo = undo_close,
	};

	EXPECT_ROBUST(&call, NULL);
}

FIXTURE(channel) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(channel)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = fpga_open(CHANNEL, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(channel)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static int call_info(void *ctx)
{
	struct fpgabuf_info info;

	return fpga_ioctl(*(int *)ctx, FPGABUF_IOC_INFO, &info);
}

static int call_enum_format(void *ctx)
{
	struct fpgabuf_format_desc desc = { .index = 0 };

	return fpga_ioctl(*(int *)ctx, FPGABUF_IOC_ENUM_FORMAT, &desc);
}

static int call_get_format(void *ctx)
{
	struct fpgabuf_format format;

	return fpga_get_format(*(int *)ctx, &format);
}

static int call_set_format(void *ctx)
{
	return fpga_set_raw(*(int *)ctx, 4096, 0);
}

static int call_stop(void *ctx)
{
	return fpga_stop(*(int *)ctx);
}

static int call_poll(void *ctx)
{
	return poll_fd(*(int *)ctx, POLLIN, 0);
}

TEST_F(channel, asks_and_sets)
{
	static const struct fault_call calls[] = {
		{ .name = "info", .call = call_info,
		  .none = "it copies what the channel has" },
		{ .name = "enum_format", .call = call_enum_format,
		  .none = "it copies what the board says" },
		{ .name = "get_format", .call = call_get_format,
		  .none = "it copies what the channel has" },
		{ .name = "set_format", .call = call_set_format,
		  .none = "the start allocates what a format needs" },
		{ .name = "stop", .call = call_stop,
		  .none = "who stops cannot be refused" },
		{ .name = "poll", .call = call_poll,
		  .none = "one file is looked at, on the stack" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(calls); i++)
		EXPECT_ROBUST(&calls[i], &self->ch);
}

/**
 * struct starter - starts that each need a longer line than the one before
 * @ch: channel
 * @pitch: bytes of the line
 */
struct starter {
	int ch;
	__u32 pitch;
};

static int call_start(void *ctx)
{
	struct starter *s = ctx;
	struct fpgabuf_format format = {
		.type = FPGABUF_FORMAT_VIDEO,
		.fourcc = DRM_FORMAT_R8,
		.width = 64,
		.height = 1,
		.pitches = { s->pitch += 4096 },
	};
	int ret = fpga_set_format(s->ch, &format);

	return ret < 0 ? ret : fpga_start(s->ch);
}

static void undo_start(void *ctx, int run)
{
	struct starter *s = ctx;

	fpga_stop(s->ch);
}

TEST_F(channel, start)
{
	const struct fault_call call = {
		.name = "start", .call = call_start, .undo = undo_start,
	};
	struct starter s = { .ch = self->ch };

	EXPECT_ROBUST(&call, &s);
}

FIXTURE(kind) {
	struct totals before;
	int ch;
	int slot;
	struct buffer b;
};

FIXTURE_VARIANT(kind) {
	__u32 kind;
	size_t size;
};

FIXTURE_VARIANT_ADD(kind, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
	.size = 1 << 16,
};

FIXTURE_VARIANT_ADD(kind, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
	.size = 1 << 16,
};

FIXTURE_VARIANT_ADD(kind, system) {
	.kind = FPGABUF_KIND_SYSTEM,
	.size = BUFFER_SIZE,
};

FIXTURE_VARIANT_ADD(kind, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
	.size = 1 << 16,
};

FIXTURE_VARIANT_ADD(kind, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
	.size = 1 << 16,
};

FIXTURE_SETUP(kind)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = fpga_open(CHANNEL, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	ASSERT_EQ(0, buffer_alloc(self->ch, variant->size, variant->kind,
				  &self->b));
}

FIXTURE_TEARDOWN_PARENT(kind)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/**
 * struct request - memory to ask for
 * @ch: channel
 * @size: bytes
 * @kind: of memory
 */
struct request {
	int ch;
	size_t size;
	__u32 kind;
};

static int call_alloc(void *ctx)
{
	const struct request *r = ctx;

	return fpga_alloc(r->ch, r->size, r->kind);
}

TEST_F(kind, alloc)
{
	const struct fault_call call = {
		.name = "alloc", .call = call_alloc, .undo = undo_close,
	};
	struct request r = { self->ch, variant->size, variant->kind };

	EXPECT_ROBUST(&call, &r);
}

static int call_heap(void *ctx)
{
	const struct request *r = ctx;

	return heap_get(r->ch, r->size);
}

/* As a program does that knows only dma-heaps; the channel is not open then. */
TEST_F(kind, heap)
{
	const struct fault_call call = {
		.name = "alloc from a heap", .call = call_heap,
		.undo = undo_close,
	};
	struct request r = { heap_open(variant->kind), variant->size,
			     variant->kind };

	REQUIRE_MODULE(MODULE);
	ASSERT_LE(0, r.ch);
	EXPECT_ROBUST(&call, &r);
}

TEST_F(channel, alloc_region)
{
	const struct fault_call call = {
		.name = "alloc of a region", .call = call_alloc,
		.undo = undo_close,
	};
	struct request r = { self->ch, 1 << 16, FPGABUF_KIND_REGION };

	EXPECT_ROBUST(&call, &r);
}

/**
 * struct pinning - memory of this program to be made a dma-buf
 * @ch: channel
 * @map: where it is
 * @size: bytes
 * @give_up: give its pages up before each call, which then has to make them
 */
struct pinning {
	int ch;
	char *map;
	size_t size;
	bool give_up;
};

static int call_alloc_user(void *ctx)
{
	const struct pinning *p = ctx;

	if (p->give_up && madvise(p->map, p->size, MADV_DONTNEED))
		return -errno;
	return fpga_alloc_user(p->ch, p->map + 100, p->size - 200,
			       O_RDWR | O_CLOEXEC);
}

static const struct fault_call alloc_user_call = {
	.name = "alloc_user", .call = call_alloc_user, .undo = undo_close,
};

TEST_F(channel, alloc_user)
{
	struct pinning p = { .ch = self->ch, .size = 1 << 16 };

	p.map = mmap(NULL, p.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, p.map);
	EXPECT_ROBUST(&alloc_user_call, &p);
	p.give_up = true;
	EXPECT_ROBUST(&alloc_user_call, &p);
}

static int call_alloc_pool(void *ctx)
{
	__u32 stride;

	return fpga_alloc_pool(*(int *)ctx, 100, 1000, 0, 4096, &stride);
}

TEST_F(channel, alloc_pool)
{
	const struct fault_call call = {
		.name = "alloc_pool", .call = call_alloc_pool,
		.undo = undo_close,
	};

	EXPECT_ROBUST(&call, &self->ch);
}

/**
 * struct registration - a buffer to register
 * @ch: channel
 * @fd: the dma-buf
 * @offset: where the frame is
 */
struct registration {
	int ch;
	int fd;
	__u64 offset;
};

static int call_register(void *ctx)
{
	const struct registration *r = ctx;

	return fpga_register(r->ch, r->fd, r->offset, 4096);
}

static void undo_register(void *ctx, int slot)
{
	const struct registration *r = ctx;

	fpga_unregister(r->ch, slot);
}

static const struct fault_call register_call = {
	.name = "register", .call = call_register, .undo = undo_register,
};

TEST_F(kind, register)
{
	struct registration r = { self->ch, self->b.fd, 0 };

	EXPECT_ROBUST(&register_call, &r);
}

/* Into an import that is there already */
TEST_F(kind, register_more)
{
	struct registration r = { self->ch, self->b.fd, 4096 };

	ASSERT_LE(0, fpga_register(self->ch, self->b.fd, 0, 4096));
	EXPECT_ROBUST(&register_call, &r);
}

static int call_unregister(void *ctx)
{
	const struct registration *r = ctx;

	return fpga_unregister(r->ch, 0);
}

static void undo_unregister(void *ctx, int ret)
{
	call_register(ctx);
}

TEST_F(kind, unregister)
{
	const struct fault_call call = {
		.name = "unregister", .call = call_unregister,
		.undo = undo_unregister,
		.none = "who gives back cannot be refused",
	};
	struct registration r = { self->ch, self->b.fd, 0 };

	ASSERT_EQ(0, call_register(&r));
	EXPECT_ROBUST(&call, &r);
}

/**
 * struct inspection - a buffer to look at
 * @ch: channel
 * @b: the buffer
 * @kind: of its memory
 * @told: how often the device could not have it, and the rest was told
 */
struct inspection {
	int ch;
	const struct buffer *b;
	__u32 kind;
	unsigned int told;
};

static int call_inspect(void *ctx)
{
	struct inspection *want = ctx;
	struct fpgabuf_inspect i;
	char names[64];
	int ret;

	ret = fpga_inspect(want->ch, want->b->fd, &i, names, sizeof(names));
	if (ret < 0)
		return ret;
	if (i.size != want->b->size || i.kind != want->kind ||
	    !i.cpu_segments || !i.dma_segments != !!i.status)
		return -EBADMSG;
	want->told += !!i.status;
	return i.status;
}

static const struct fault_call inspect_call = {
	.name = "inspect", .call = call_inspect,
};

/* It is mapped for the question: where that fails the rest is told. */
TEST_F(kind, inspect)
{
	struct inspection i = {
		.ch = self->ch, .b = &self->b, .kind = variant->kind,
	};

	EXPECT_ROBUST(&inspect_call, &i);
	EXPECT_LE(1U, i.told);
}

TEST_F(kind, inspect_registered)
{
	struct inspection i = {
		.ch = self->ch, .b = &self->b, .kind = variant->kind,
	};

	ASSERT_LE(0, fpga_register(self->ch, self->b.fd, 0, 4096));
	EXPECT_ROBUST(&inspect_call, &i);
}

static int call_mmap(void *ctx)
{
	struct buffer *b = ctx;
	void *map = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 b->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	b->map = map;
	return 0;
}

/* What is mapped can be used. */
static void undo_mmap(void *ctx, int ret)
{
	struct buffer *b = ctx;

	memset(b->map, 0x5a, b->size);
	munmap(b->map, b->size);
}

TEST_F(kind, mmap)
{
	const struct fault_call call = {
		.name = "mmap", .call = call_mmap, .undo = undo_mmap,
	};

	munmap(self->b.map, self->b.size);
	EXPECT_ROBUST(&call, &self->b);
}

static int call_sync(void *ctx)
{
	const struct buffer *b = ctx;
	int ret;

	ret = dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	return ret < 0 ? ret : dmabuf_sync(b->fd, DMA_BUF_SYNC_END |
					   DMA_BUF_SYNC_RW);
}

TEST_F(kind, sync)
{
	const struct fault_call call = {
		.name = "sync", .call = call_sync,
		.none = "what a sync needs was allocated by the map",
	};

	ASSERT_LE(0, fpga_register(self->ch, self->b.fd, 0, 0));
	EXPECT_ROBUST(&call, &self->b);
}

/**
 * struct importer - a DRM device and a buffer of ours
 * @drm: the device
 * @fd: the dma-buf
 * @handle: what it is there
 */
struct importer {
	int drm;
	int fd;
	__u32 handle;
};

static int call_import(void *ctx)
{
	struct importer *i = ctx;

	return vgem_import(i->drm, i->fd, &i->handle);
}

static void undo_import(void *ctx, int ret)
{
	const struct importer *i = ctx;

	vgem_close(i->drm, i->handle);
}

TEST_F(kind, import)
{
	const struct fault_call call = {
		.name = "import by vgem", .call = call_import,
		.undo = undo_import,
	};
	struct importer i = { .drm = vgem_open(), .fd = self->b.fd };

	if (i.drm < 0)
		SKIP(return, "no vgem device: CONFIG_DRM_VGEM is off in this kernel");
	EXPECT_ROBUST(&call, &i);
}

/**
 * struct streamer - a channel that streams into one of its two buffers
 * @ch: channel
 * @slot: the buffer
 * @fd: likewise
 */
struct streamer {
	int ch;
	int slot;
	int fd;
};

/* Queue a buffer and wait for its frame. */
static int call_exchange(void *ctx)
{
	const struct streamer *s = ctx;
	const struct fpgabuf_queue_entry entry = { .slot = s->slot };
	struct fpgabuf_completion done = { .slot = ~0U };
	int ret = fpga_exchange(s->ch, &entry, 1, &done, 1, 1, 5 * SEC);

	if (ret < 0)
		return ret;
	if (ret != 1)
		return -ETIMEDOUT;
	return done.status;
}

/* A rule of the design. The engine keeps its descriptors. */
TEST_F(kind, exchange)
{
	const struct fault_call call = {
		.name = "exchange", .call = call_exchange,
		.none = "the path of a frame allocates nothing",
	};
	struct streamer s = { .ch = self->ch };

	s.slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, s.slot);
	ASSERT_LE(0, fpga_start(self->ch));
	EXPECT_ROBUST(&call, &s);
	EXPECT_EQ(0, fpga_stop(self->ch));
}

/* An engine's channel that was just requested has no descriptor. */
static int prepare_exchange(void *ctx)
{
	struct streamer *s = ctx;
	int ret;

	close(s->ch);
	s->ch = fpga_open(CHANNEL, O_RDWR);
	if (s->ch < 0)
		return s->ch;
	ret = fpga_set_raw(s->ch, 4096, 0);
	s->slot = ret < 0 ? ret : fpga_register(s->ch, s->fd, 0, 0);
	return s->slot < 0 ? s->slot : fpga_start(s->ch);
}

TEST_F(kind, first_exchange)
{
	const struct fault_call call = {
		.name = "first exchange", .prepare = prepare_exchange,
		.call = call_exchange,
	};
	struct streamer s = { .ch = self->ch, .fd = self->b.fd };

	EXPECT_ROBUST(&call, &s);
}

static int call_exchange_fenced(void *ctx)
{
	const struct streamer *s = ctx;
	struct fpgabuf_completion done;
	int in, out, ret;

	in = export_sync_file(s->fd, DMA_BUF_SYNC_WRITE);
	if (in < 0)
		return in;
	ret = fpga_queue_fenced(s->ch, s->slot, FPGABUF_QUEUE_IN_FENCE |
				FPGABUF_QUEUE_OUT_FENCE, in, &out);
	close(in);
	if (ret < 0)
		return ret;
	close(out);
	ret = fpga_take(s->ch, &done, 1, 1, 5 * SEC);
	if (ret < 0)
		return ret;
	return ret == 1 ? done.status : -ETIMEDOUT;
}

TEST_F(kind, exchange_fenced)
{
	const struct fault_call call = {
		.name = "exchange with fences", .call = call_exchange_fenced,
	};
	struct streamer s = { .ch = self->ch, .fd = self->b.fd };

	s.slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, s.slot);
	ASSERT_LE(0, fpga_start(self->ch));
	/* One fence stays in the buffer from here on. */
	ASSERT_EQ(0, call_exchange_fenced(&s));
	EXPECT_ROBUST(&call, &s);
	EXPECT_EQ(0, fpga_stop(self->ch));
}

/* Two frames in the hands of a channel that is started */
static int capture_two(int ch, int fd)
{
	struct fpgabuf_queue_entry queue[2] = { 0 };
	struct fpgabuf_completion done[2] = { 0 };
	int i, ret = 0;

	for (i = 0; i < 2 && ret >= 0; i++) {
		ret = fpga_register(ch, fd, i * 4096, 4096);
		queue[i].slot = ret;
	}
	if (ret >= 0)
		ret = fpga_exchange(ch, queue, 2, NULL, 0, 0, 0);
	if (ret >= 0)
		ret = fpga_start(ch);
	if (ret >= 0)
		ret = fpga_take(ch, done, 2, 2, 5 * SEC);
	if (ret < 0)
		return ret;
	if (ret != 2)
		return -ETIMEDOUT;
	return done[0].status ?: done[1].status;
}

/* From open to close: each fault hits a channel that nobody used before. */
static int call_session(void *ctx)
{
	int ch = fpga_open(CHANNEL, O_RDWR);
	int fd, ret;

	if (ch < 0)
		return ch;
	ret = fpga_set_raw(ch, 4096, 0);
	fd = ret < 0 ? ret : fpga_alloc(ch, 8192, FPGABUF_KIND_SYSTEM);
	ret = fd < 0 ? fd : capture_two(ch, fd);
	if (fd >= 0)
		close(fd);
	close(ch);
	return ret;
}

TEST(session)
{
	const struct fault_call call = {
		.name = "session", .call = call_session,
	};

	EXPECT_ROBUST(&call, NULL);
}

/* Two buffers are queued, and the engine has room for the first only. */
static int queue_two(int ch, int fd)
{
	const struct fpgabuf_queue_entry queue[2] = { { .slot = 0 },
						      { .slot = 1 } };
	int i, ret;

	for (i = 0; i < 2; i++) {
		ret = fpga_register(ch, fd, i * 4096, 4096);
		if (ret != i)
			return ret < 0 ? ret : -EBUSY;
	}
	return fpga_exchange(ch, queue, 2, NULL, 0, 0, 0);
}

/*
 * What the engine had no room for goes to it as soon as it has, though the only
 * one who could ask it to waits for both: the second descriptor is refused at the
 * start, and again when the wait begins. Which allocation it is, is tried out.
 */
TEST_F(channel, wait_resumes)
{
	struct fpgabuf_completion done[2];
	unsigned int n;
	int ch, fd;

	fd = fpga_alloc(self->ch, 8192, FPGABUF_KIND_SYSTEM);
	ASSERT_LE(0, fd);
	close(self->ch);
	for (n = 1; n <= 8; n++) {
		/* An engine's channel that has no descriptors yet */
		ch = fpga_open(CHANNEL, O_RDWR);
		ASSERT_LE(0, ch);
		ASSERT_EQ(0, fpga_set_raw(ch, 4096, 20));
		ASSERT_EQ(0, queue_two(ch, fd));
		ASSERT_EQ(0, inject_nth(n));
		EXPECT_EQ(1, fpga_start(ch));
		ASSERT_EQ(0, inject_nth(1));
		EXPECT_EQ(2, fpga_take(ch, done, 2, 2, 3 * SEC));
		ASSERT_EQ(0, inject_nth(0));
		close(ch);
	}
}

FIXTURE(importer) {
	struct totals before;
	int ch;
	struct buffer b[2];
};

FIXTURE_VARIANT(importer) {
	__u32 flags;
};

FIXTURE_VARIANT_ADD(importer, pinned) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(importer, movable) {
	.flags = FPGABUF_IMPORT_MOVABLE,
};

FIXTURE_SETUP(importer)
{
	int i;

	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = fpga_open(CHANNEL, O_RDWR);
	ASSERT_LE(0, self->ch);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, buffer_alloc(self->ch, BUFFER_SIZE,
					  FPGABUF_KIND_SYSTEM, &self->b[i]));
}

FIXTURE_TEARDOWN_PARENT(importer)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/**
 * struct importing - two buffers for an importing device
 * @dev: the device; of a call that opens it by itself: not used
 * @fds: the buffers
 * @flags: how to attach to them
 */
struct importing {
	int dev;
	int fds[2];
	__u32 flags;
};

static int attach_both(int dev, const struct importing *im)
{
	struct fpgabuf_import_attach arg;
	int i, ret = 0;

	for (i = 0; i < 2 && ret >= 0; i++) {
		arg = (struct fpgabuf_import_attach){
			.fd = im->fds[i],
			.flags = im->flags,
			.access = IMPORT_BOTH,
		};
		ret = fpga_ioctl(dev, FPGABUF_IMPORT_IOC_ATTACH, &arg);
	}
	return ret;
}

/* From open to close, which detaches */
static int call_attach(void *ctx)
{
	struct fpgabuf_import_segment segments[16];
	__u32 count = ARRAY_LEN(segments);
	int dev = import_open(O_RDWR);
	int ret;

	if (dev < 0)
		return dev;
	ret = attach_both(dev, ctx);
	if (ret >= 0)
		ret = import_segments(dev, 0, segments, &count);
	close(dev);
	return ret;
}

static int call_copy(void *ctx)
{
	const struct importing *im = ctx;
	struct fpgabuf_import_copy copies[2] = {
		{ .length = BUFFER_SIZE, .dst = 1,
		  .flags = FPGABUF_QUEUE_OUT_FENCE },
		{ .length = BUFFER_SIZE, .dst = 1 },
	};
	struct fpgabuf_import_done done[2];
	int ret = import_queue(im->dev, copies, 2);

	if (ret < 0)
		return ret;
	close(copies[0].out_fence);
	/* One that fails does not hold up the next one. */
	ret = import_take(im->dev, done, 2, 2, 5 * SEC);
	if (ret < 0)
		return ret;
	if (ret != 2)
		return -ETIMEDOUT;
	return done[0].status ?: done[1].status;
}

TEST_F(importer, attach_and_copy)
{
	const struct fault_call calls[] = {
		{ .name = "attach", .call = call_attach },
		/* The engine had no memory for a descriptor. */
		{ .name = "copy", .call = call_copy },
	};
	struct importing im = {
		.fds = { self->b[0].fd, self->b[1].fd },
		.flags = variant->flags,
	};

	EXPECT_ROBUST(&calls[0], &im);
	im.dev = import_open(O_RDWR);
	ASSERT_LE(0, im.dev);
	ASSERT_LE(0, attach_both(im.dev, &im));
	/* One fence stays in each buffer from here on. */
	ASSERT_EQ(0, call_copy(&im));
	EXPECT_ROBUST(&calls[1], &im);
}

FIXTURE(foreign) {
	struct totals before;
	int ch;
};

FIXTURE_VARIANT(foreign) {
	const char *option;
	int (*alloc)(size_t size);
};

FIXTURE_VARIANT_ADD(foreign, vgem) {
	.option = "CONFIG_DRM_VGEM",
	.alloc = vgem_memory,
};

FIXTURE_VARIANT_ADD(foreign, udmabuf) {
	.option = "CONFIG_UDMABUF",
	.alloc = udmabuf_alloc,
};

FIXTURE_VARIANT_ADD(foreign, system_heap) {
	.option = "CONFIG_DMABUF_HEAPS_SYSTEM",
	.alloc = heap_alloc,
};

FIXTURE_SETUP(foreign)
{
	ASSERT_EQ(0, totals_read(&self->before));
	self->ch = fpga_open(CHANNEL, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
}

FIXTURE_TEARDOWN_PARENT(foreign)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(foreign, register)
{
	struct registration r = { .ch = self->ch };

	r.fd = variant->alloc(1 << 16);
	if (r.fd == -ENOENT || r.fd == -ENODEV)
		SKIP(return, "%s is off in this kernel", variant->option);
	ASSERT_LE(0, r.fd);
	EXPECT_ROBUST(&register_call, &r);
}

int main(int argc, char **argv)
{
	int status = inject_set_up();

	if (status)
		return status;
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
