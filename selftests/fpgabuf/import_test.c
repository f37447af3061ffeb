// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of fpgabuf in the hands of other importers: they see the same memory,
 * and keep it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "foreign.h"
#include "fpgabuf_test.h"

FIXTURE(vivid) {
	struct totals before;
	int video;
	size_t size;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(vivid) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(vivid, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(vivid, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(vivid, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(vivid, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(vivid, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(vivid)
{
	REQUIRE_CHANNEL(self->before);
	if (!module_loaded("vivid"))
		SKIP(return, "no vivid module");
	self->video = vivid_open(&self->size);
	ASSERT_LE(0, self->video);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, self->size + 3 * page_size(),
				  variant->kind, &self->b));
}

FIXTURE_TEARDOWN_PARENT(vivid)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/*
 * vivid paints through a kernel mapping of the dma-buf. The picture must be the
 * one that it paints into memory of its own.
 */
TEST_F(vivid, paints_by_vmap)
{
	void *picture = malloc(self->size);
	char *map = self->b.map;

	ASSERT_NE(NULL, picture);
	memset(map, 0xa5, self->b.size);
	ASSERT_EQ(0, vivid_capture(self->video, -1, picture, self->size));
	ASSERT_FALSE(all_bytes(picture, *(__u8 *)picture, self->size));
	ASSERT_EQ(0, vivid_capture(self->video, self->b.fd, NULL,
				   self->size));

	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, memcmp(picture, map, self->size));
	EXPECT_TRUE(all_bytes(map + self->size, 0xa5,
			      self->b.size - self->size));
	ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_READ));
	free(picture);
}

/* In turns with the FPGA, to which the buffer stays mapped. */
TEST_F(vivid, takes_turns)
{
	void *picture = malloc(self->size);
	struct fpgabuf_completion done;
	int slot, i;

	if (variant->kind == FPGABUF_KIND_SYSTEM && bounced())
		SKIP(return, "vivid does not sync bounce buffers");
	ASSERT_NE(NULL, picture);
	ASSERT_EQ(0, vivid_capture(self->video, -1, picture, self->size));
	ASSERT_EQ(0, fpga_set_raw(self->ch, self->b.size, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fpga_capture(self->ch, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
						    self->b.size, &done));
		ASSERT_EQ(0, vivid_capture(self->video, self->b.fd, NULL,
					   self->size));
		ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_START |
					 DMA_BUF_SYNC_READ));
		EXPECT_EQ(0, memcmp(picture, self->b.map, self->size));
		ASSERT_EQ(0, dmabuf_sync(self->b.fd, DMA_BUF_SYNC_END |
					 DMA_BUF_SYNC_READ));
	}
	free(picture);
}

FIXTURE(vgem) {
	struct totals before;
	int drm;
	int ch;
	struct buffer b;
};

FIXTURE_VARIANT(vgem) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(vgem, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(vgem, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(vgem, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(vgem, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(vgem, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(vgem)
{
	REQUIRE_CHANNEL(self->before);
	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	self->drm = vgem_open();
	ASSERT_LE(0, self->drm);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
	ASSERT_EQ(0, buffer_alloc(self->ch, 1 << 20, variant->kind, &self->b));
}

FIXTURE_TEARDOWN_PARENT(vgem)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* What comes out of a DRM device is the dma-buf that went in. */
TEST_F(vgem, same_dma_buf)
{
	struct stat in, out;
	__u32 handle;
	int fd;

	ASSERT_EQ(0, vgem_import(self->drm, self->b.fd, &handle));
	fd = vgem_export(self->drm, handle);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(self->b.fd, &in));
	ASSERT_EQ(0, fstat(fd, &out));
	EXPECT_EQ(in.st_ino, out.st_ino);
	EXPECT_EQ(in.st_dev, out.st_dev);
	EXPECT_EQ((__s64)self->b.size, dmabuf_size(fd));
}

/* The importer is the last one that has the buffer. */
TEST_F(vgem, keeps_it)
{
	struct totals now;
	__u32 handle;
	struct buffer b;
	int fd;

	memset(self->b.map, 0x3c, self->b.size);
	ASSERT_EQ(0, vgem_import(self->drm, self->b.fd, &handle));
	buffer_free(&self->b);
	close(self->ch);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);

	fd = vgem_export(self->drm, handle);
	ASSERT_EQ(0, buffer_from_fd(fd, &b));
	EXPECT_TRUE(all_bytes(b.map, 0x3c, b.size));
	buffer_free(&b);
	ASSERT_EQ(0, vgem_close(self->drm, handle));
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* Two importers at once, and a stream into the buffer all the while */
TEST_F(vgem, attached_while_streaming)
{
	struct fpgabuf_completion done;
	__u32 handle;
	int slot, i;

	if (bounced())
		SKIP(return, "of two bounce buffers nobody knows the newer");
	ASSERT_EQ(0, fpga_set_raw(self->ch, 4096, 0));
	slot = fpga_register(self->ch, self->b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
	ASSERT_EQ(1, fpga_start(self->ch));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, vgem_import(self->drm, self->b.fd, &handle));
		ASSERT_EQ(1, fpga_take(self->ch, &done, 1, 1, 5 * SEC));
		EXPECT_STREQ("ok", raw_check_synced(self->b.fd, self->b.map,
						    4096, &done));
		ASSERT_EQ(0, fpga_queue(self->ch, slot, 0));
		ASSERT_EQ(0, vgem_close(self->drm, handle));
	}
	ASSERT_EQ(0, fpga_stop(self->ch));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	load_module("vivid", VIVID_PARAM);
	return test_harness_run(argc, argv);
}
