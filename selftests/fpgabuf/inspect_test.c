// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_INSPECT: what is told of a buffer is true, and asking changes
 * nothing, least of all a frame that is being captured.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <linux/dma-buf.h>

#include "../kselftest_harness.h"
#include "foreign.h"
#include "fpgabuf_test.h"

/* A block of each order that the system kind allocates */
#define SIZE		((1 << 20) + (1 << 16) + (1 << 12))
#define SMALL		(64 << 10)
#define VGEM_DEVICE	"vgem"

FIXTURE(kind) {
	struct totals before;
	int ch;
	struct buffer b;
	struct fpgabuf_info info;
};

FIXTURE_VARIANT(kind) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(kind, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(kind, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(kind, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(kind, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(kind, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(kind)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &self->info));
	ASSERT_EQ(0, buffer_alloc(self->ch, SIZE, variant->kind, &self->b));
}

FIXTURE_TEARDOWN_PARENT(kind)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* Only the system kind gets its addresses when it is mapped, and bounced. */
static __u32 sync_trait(__u32 kind)
{
	return kind == FPGABUF_KIND_SYSTEM && bounced() ?
		FPGABUF_INSPECT_NEEDS_SYNC : 0;
}

TEST_F(kind, memory)
{
	struct fpgabuf_inspect i;

	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, NULL, 0));
	EXPECT_EQ((__u64)self->b.size, i.size);
	EXPECT_EQ(variant->kind, i.kind);
	EXPECT_EQ(sync_trait(variant->kind), i.traits);
	EXPECT_EQ(0, i.status);
	EXPECT_EQ(0U, i.attached);
	EXPECT_EQ(0U, i.names_size);
	EXPECT_EQ(0U, i.reserved);
	if (variant->kind == FPGABUF_KIND_SYSTEM) {
		EXPECT_LE(3U, i.cpu_segments);
		EXPECT_GE(1U << 20, i.cpu_largest);
		EXPECT_LE((__u64)SIZE, i.cpu_segments * i.cpu_largest);
	} else {
		EXPECT_EQ(1U, i.cpu_segments);
		EXPECT_EQ((__u64)self->b.size, i.cpu_largest);
		EXPECT_EQ(1U, i.dma_segments);
		EXPECT_EQ((__u64)self->b.size, i.dma_largest);
	}
	EXPECT_LE(1U, i.dma_segments);
	EXPECT_GE(i.cpu_segments * (bounced() ? 4 : 1), i.dma_segments);
	EXPECT_LE((__u64)SIZE, i.dma_segments * i.dma_largest);
}

/* What is longer than a piece of the engine comes in more of them. */
TEST_F(kind, longer_than_a_piece)
{
	const __u64 max = self->info.max_segment;
	struct fpgabuf_inspect i;
	int fd;

	fd = fpga_alloc(self->ch, max + page_size(), variant->kind);
	if (variant->kind == FPGABUF_KIND_NONCONTIGUOUS) {
		ASSERT_EQ(-EFBIG, fd);
		return;
	}
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fpga_inspect(self->ch, fd, &i, NULL, 0));
	EXPECT_EQ(0, i.status);
	EXPECT_LE(2U, i.dma_segments);
	EXPECT_GE(max, i.dma_largest);
	if (variant->kind != FPGABUF_KIND_SYSTEM) {
		EXPECT_EQ(2U, i.dma_segments);
		EXPECT_EQ(max, i.dma_largest);
		EXPECT_EQ(1U, i.cpu_segments);
		EXPECT_EQ(max + page_size(), i.cpu_largest);
	}
	close(fd);
}

/* Who is attached, asked from a file that owns nothing, and another channel's */
TEST_F(kind, registered)
{
	const int other = fpga_open(0, O_RDWR), second = fpga_open(1, O_RDWR);
	const __u32 sync = sync_trait(variant->kind);
	struct fpgabuf_inspect i;
	char names[64];

	ASSERT_LE(0, other);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 4096));
	ASSERT_EQ(1, fpga_register(self->ch, self->b.fd, 4096, 4096));

	ASSERT_EQ(0, fpga_inspect(other, self->b.fd, &i, names, sizeof(names)));
	EXPECT_EQ(FPGABUF_INSPECT_REGISTERED | sync, i.traits);
	EXPECT_EQ(1U, i.attached);
	EXPECT_EQ((__u32)sizeof(SIM_DEVICE), i.names_size);
	EXPECT_STREQ(SIM_DEVICE, names);
	EXPECT_EQ(0, i.status);
	EXPECT_LE(1U, i.dma_segments);

	ASSERT_EQ(0, fpga_inspect(second, self->b.fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ(sync, i.traits);
	EXPECT_EQ(1U, i.attached);

	ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	ASSERT_EQ(0, fpga_inspect(other, self->b.fd, &i, NULL, 0));
	EXPECT_EQ(1U, i.attached);
	ASSERT_EQ(0, fpga_unregister(self->ch, 1));
	ASSERT_EQ(0, fpga_inspect(other, self->b.fd, &i, NULL, 0));
	EXPECT_EQ(0U, i.attached);
	EXPECT_EQ(sync, i.traits);
}

/* An fd of any access mode will do: nothing of the contents is told. */
TEST_F(kind, access_modes)
{
	static const __u32 modes[] = { O_RDONLY, O_WRONLY };
	struct fpgabuf_inspect i;
	size_t n;
	int fd;

	for (n = 0; n < ARRAY_LEN(modes); n++) {
		fd = fpga_alloc_flags(self->ch, SIZE, variant->kind, modes[n]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, fpga_inspect(self->ch, fd, &i, NULL, 0));
		EXPECT_EQ(0, i.status);
		EXPECT_EQ(variant->kind, i.kind);
		close(fd);
	}
}

/**
 * struct asker - a thread that asks on and on
 * @thread: the thread
 * @ch: whom
 * @fd: of what
 * @stop: set when it is enough
 * @count: how often it did
 * @wrong: answers that were not right
 */
struct asker {
	pthread_t thread;
	int ch;
	int fd;
	atomic_bool stop;
	atomic_uint count;
	unsigned int wrong;
};

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct fpgabuf_inspect i;
	char names[64];

	while (!a->stop) {
		if (fpga_inspect(a->ch, a->fd, &i, names, sizeof(names)) ||
		    i.status || i.attached != 1 || strcmp(names, SIM_DEVICE))
			a->wrong++;
		a->count++;
	}
	return NULL;
}

/*
 * The frame's bytes must stay those that the device wrote: behind bounce buffers
 * the mapping of an inspection has older ones.
 */
static void stream_while_asked(struct __test_metadata *_metadata,
			       FIXTURE_DATA(kind) *self, unsigned int asked)
{
	struct fpgabuf_completion done;
	const size_t size = 128 << 10;
	struct asker a = {
		.ch = fpga_open(asked, O_RDWR),
		.fd = self->b.fd,
	};
	unsigned int frames;

	ASSERT_LE(0, a.ch);
	ASSERT_EQ(0, fpga_set_raw(self->ch, size, 0));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	ASSERT_EQ(0, pthread_create(&a.thread, NULL, ask, &a));

	for (frames = 0; frames < 25 || a.count < 25; frames++) {
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
						    size, &done));
		ASSERT_EQ(0, fpga_queue(self->ch, 0, 0));
	}
	a.stop = true;
	ASSERT_EQ(0, pthread_join(a.thread, NULL));
	ASSERT_EQ(0, fpga_stop(self->ch));
	EXPECT_EQ(0U, a.wrong);
	close(a.ch);
}

TEST_F(kind, registered_while_streaming)
{
	stream_while_asked(_metadata, self, 0);
}

TEST_F(kind, mapped_while_streaming)
{
	stream_while_asked(_metadata, self, 1);
}

FIXTURE(attached) {
	struct totals before;
	int ch;
	int drm;
	__u32 handle;
	struct buffer b;
};

FIXTURE_SETUP(attached)
{
	REQUIRE_CHANNEL(self->before);
	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->drm = vgem_open();
	ASSERT_LE(0, self->drm);
	ASSERT_EQ(0, buffer_alloc(self->ch, SMALL, FPGABUF_KIND_CONTIGUOUS,
				  &self->b));
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	ASSERT_EQ(0, fpga_register(self->ch, self->b.fd, 0, 0));
	ASSERT_EQ(0, vgem_import(self->drm, self->b.fd, &self->handle));
}

FIXTURE_TEARDOWN_PARENT(attached)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* As the core lists attachments: the newest first. */
static const char both[] = VGEM_DEVICE "\0" SIM_DEVICE;

TEST_F(attached, names)
{
	struct fpgabuf_inspect i;
	char names[64];

	memset(names, 0x55, sizeof(names));
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ(2U, i.attached);
	EXPECT_EQ((__u32)sizeof(both), i.names_size);
	EXPECT_EQ(0, memcmp(names, both, sizeof(both)));
	EXPECT_TRUE(all_bytes(names + sizeof(both), 0x55,
			      sizeof(names) - sizeof(both)));

	ASSERT_EQ(0, fpga_unregister(self->ch, 0));
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ(1U, i.attached);
	EXPECT_STREQ(VGEM_DEVICE, names);
	ASSERT_EQ(0, vgem_close(self->drm, self->handle));
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ(0U, i.attached);
	EXPECT_EQ(0U, i.names_size);
}

/* Whole names as far as there is room, nothing behind it, the need in any case */
TEST_F(attached, room)
{
	struct fpgabuf_inspect i;
	char names[64];
	size_t fits;
	__u32 room;

	for (room = 0; room <= sizeof(both); room++) {
		memset(names, 0x55, sizeof(names));
		ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, names,
					  room));
		EXPECT_EQ(2U, i.attached);
		EXPECT_EQ((__u32)sizeof(both), i.names_size);
		fits = room == sizeof(both) ? room :
		       room >= sizeof(VGEM_DEVICE) ? sizeof(VGEM_DEVICE) : 0;
		EXPECT_EQ(0, memcmp(names, both, fits));
		EXPECT_TRUE(all_bytes(names + fits, 0, room - fits))
			TH_LOG("room of %u", room);
		EXPECT_TRUE(all_bytes(names + room, 0x55,
				      sizeof(names) - room));
	}
	/* More room than memory: what is not needed is not touched. */
	ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, names, ~0U));
	EXPECT_EQ(0, memcmp(names, both, sizeof(both)));
}

TEST_F(attached, bad_room)
{
	struct fpgabuf_inspect i;

	EXPECT_EQ(-EFAULT, fpga_inspect(self->ch, self->b.fd, &i,
					no_access_page(), 64));
	EXPECT_EQ(-EFAULT, fpga_inspect(self->ch, self->b.fd, &i, (void *)-1,
					64));
	/* Nothing is written there. */
	EXPECT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, (void *)-1, 0));
	EXPECT_EQ(2U, i.attached);
}

TEST_F(attached, busy)
{
	struct fpgabuf_inspect i;
	bool write;
	int fence;

	for (write = false; ; write = true) {
		fence = vgem_fence_attach(self->drm, self->handle, write);
		ASSERT_LE(0, fence);
		ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, NULL, 0));
		EXPECT_EQ(FPGABUF_INSPECT_REGISTERED | FPGABUF_INSPECT_BUSY,
			  i.traits);
		ASSERT_EQ(0, vgem_fence_signal(self->drm, fence));
		ASSERT_EQ(0, fpga_inspect(self->ch, self->b.fd, &i, NULL, 0));
		EXPECT_EQ(FPGABUF_INSPECT_REGISTERED, i.traits);
		if (write)
			break;
	}
}

FIXTURE(foreign) {
	struct totals before;
	int ch;
	int fd;
};

FIXTURE_VARIANT(foreign) {
	const char *name;
	int (*alloc)(size_t size);
};

FIXTURE_VARIANT_ADD(foreign, vgem) {
	.name = "vgem",
	.alloc = vgem_memory,
};

FIXTURE_VARIANT_ADD(foreign, udmabuf) {
	.name = "udmabuf",
	.alloc = udmabuf_alloc,
};

FIXTURE_VARIANT_ADD(foreign, heap) {
	.name = "system heap",
	.alloc = heap_alloc,
};

FIXTURE_SETUP(foreign)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	self->fd = variant->alloc(SMALL);
	if (self->fd == -ENOENT || self->fd == -ENODEV)
		SKIP(return, "no %s in this kernel", variant->name);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN_PARENT(foreign)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(foreign, memory)
{
	const __u32 sync = bounced() ? FPGABUF_INSPECT_NEEDS_SYNC : 0;
	struct fpgabuf_inspect i;
	char names[64] = "";

	ASSERT_EQ(0, fpga_inspect(self->ch, self->fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ((__u64)SMALL, i.size);
	EXPECT_EQ(FPGABUF_KIND_FOREIGN, i.kind);
	EXPECT_EQ(0U, i.cpu_segments);
	EXPECT_EQ(0U, i.cpu_largest);
	EXPECT_EQ(0, i.status);
	EXPECT_EQ(sync, i.traits);
	EXPECT_LE(1U, i.dma_segments);
	EXPECT_GE(SMALL / page_size(), i.dma_segments);
	EXPECT_LE((__u64)page_size(), i.dma_largest);
	EXPECT_LE((__u64)SMALL, i.dma_segments * i.dma_largest);
	EXPECT_EQ(0U, i.attached);

	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	ASSERT_EQ(0, fpga_register(self->ch, self->fd, 0, 0));
	ASSERT_EQ(0, fpga_inspect(self->ch, self->fd, &i, names,
				  sizeof(names)));
	EXPECT_EQ(FPGABUF_INSPECT_REGISTERED | sync, i.traits);
	EXPECT_EQ(1U, i.attached);
	EXPECT_STREQ(SIM_DEVICE, names);
}

FIXTURE(errors) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(errors)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(errors)
{
	EXPECT_NOTHING_LEFT(self->before);
}

TEST_F(errors, bad_fd)
{
	struct fpgabuf_inspect i;
	int fd;

	EXPECT_EQ(-EBADF, fpga_inspect(self->ch, -1, &i, NULL, 0));
	EXPECT_EQ(-EINVAL, fpga_inspect(self->ch, self->ch, &i, NULL, 0));
	fd = fpga_alloc(self->ch, 4096, FPGABUF_KIND_SYSTEM);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EBADF, fpga_inspect(self->ch, fd, &i, NULL, 0));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	return test_harness_run(argc, argv);
}
