// SPDX-License-Identifier: GPL-2.0
/*
 * Memory from the heaps: what it is, and all that can be done with it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/foreign.h"
#include "heaps_test.h"

#define SIZE	(256 << 10)

FIXTURE(nodes) {
	struct totals before;
};

FIXTURE_SETUP(nodes)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_MODULE(MODULE);
}

FIXTURE_TEARDOWN_PARENT(nodes)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* A heap for every kind of memory that a size is enough for, and no other */
TEST_F(nodes, one_per_kind)
{
	const char *prefix = "fpgabuf-" DEVICE "-";
	struct dirent *entry;
	struct stat st;
	char path[96];
	DIR *dir;
	int i;

	for (i = 0; i < SIZED_KINDS; i++) {
		heap_path(path, sizeof(path), i);
		ASSERT_EQ(0, stat(path, &st)) TH_LOG("%s", path);
		EXPECT_TRUE(S_ISCHR(st.st_mode));
		EXPECT_EQ(0600U, st.st_mode & 0777);
	}

	dir = opendir(HEAPS);
	ASSERT_NE(NULL, dir);
	for (i = 0; (entry = readdir(dir));)
		i += !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(dir);
	EXPECT_EQ(SIZED_KINDS, i);
}

FIXTURE(heap) {
	struct totals before;
	int heap;
};

FIXTURE_VARIANT(heap) {
	__u32 kind;
};

FIXTURE_VARIANT_ADD(heap, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
};

FIXTURE_VARIANT_ADD(heap, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
};

FIXTURE_VARIANT_ADD(heap, system) {
	.kind = FPGABUF_KIND_SYSTEM,
};

FIXTURE_VARIANT_ADD(heap, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
};

FIXTURE_VARIANT_ADD(heap, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
};

FIXTURE_SETUP(heap)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_MODULE(MODULE);
	self->heap = heap_open(variant->kind);
	ASSERT_LE(0, self->heap);
}

FIXTURE_TEARDOWN_PARENT(heap)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* The kind that its name says, in whole pages */
TEST_F(heap, kind_and_size)
{
	static const __u64 sizes[] = { 1, 4095, 4096, 4097, SIZE, 1 << 20 };
	struct totals now;
	char name[64];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		__s64 pages = (sizes[i] + page_size() - 1) / page_size();

		fd = heap_get(self->heap, sizes[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(pages * (__s64)page_size(), dmabuf_size(fd));
		ASSERT_EQ(0, dmabuf_fdinfo(fd, "exp_name", name, sizeof(name)));
		EXPECT_EQ(0, strncmp(name, "fpgabuf-", 8));
		EXPECT_STREQ(kind_names[variant->kind], name + 8);
		ASSERT_EQ(0, totals_read(&now));
		EXPECT_EQ(self->before.count[variant->kind] + 1,
			  now.count[variant->kind]);
		close(fd);
		ASSERT_EQ(0, totals_read(&now));
		EXPECT_TRUE(totals_equal(&self->before, &now));
	}
}

TEST_F(heap, fd_flags)
{
	int fd;

	fd = heap_get_flags(self->heap, SIZE, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	close(fd);

	fd = heap_get_flags(self->heap, SIZE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(NULL, dmabuf_map(fd, SIZE));
	EXPECT_EQ(EACCES, errno);
}

/* Also what somebody else had before */
TEST_F(heap, zeroed)
{
	struct buffer b[8];
	size_t i;
	int round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_LEN(b); i++) {
			ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE),
						    &b[i]));
			EXPECT_TRUE(all_bytes(b[i].map, 0, SIZE));
		}
		for (i = 0; i < ARRAY_LEN(b); i++) {
			memset(b[i].map, 0xa5, SIZE);
			buffer_free(&b[i]);
		}
	}
}

/* A part of it is that part; past its end there is nothing. */
TEST_F(heap, mapped)
{
	size_t page = page_size();
	struct buffer b;
	char *part;

	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &b));
	memset(b.map, 0x11, SIZE);
	memset((char *)b.map + page, 0x22, page);
	part = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, b.fd, page);
	ASSERT_NE(MAP_FAILED, part);
	EXPECT_TRUE(all_bytes(part, 0x22, page));
	EXPECT_TRUE(all_bytes(part + page, 0x11, page));
	munmap(part, 2 * page);
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, page, PROT_READ, MAP_SHARED, b.fd, SIZE));
	EXPECT_EQ(EINVAL, errno);
	buffer_free(&b);
}

/* A DRM device takes it, keeps it, and gives the very same back. */
TEST_F(heap, imported)
{
	struct totals now;
	struct buffer b;
	__u32 handle;
	int drm;

	if (!module_loaded("vgem"))
		SKIP(return, "no vgem module");
	drm = vgem_open();
	ASSERT_LE(0, drm);
	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &b));
	memset(b.map, 0x3c, SIZE);
	ASSERT_EQ(0, vgem_import(drm, b.fd, &handle));
	buffer_free(&b);
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 1,
		  now.count[variant->kind]);
	ASSERT_EQ(0, buffer_from_fd(vgem_export(drm, handle), &b));
	EXPECT_TRUE(all_bytes(b.map, 0x3c, SIZE));
	buffer_free(&b);
	ASSERT_EQ(0, vgem_close(drm, handle));
}

/* It is what the FPGA writes its frames into. */
TEST_F(heap, captured_into)
{
	struct fpgabuf_completion done;
	int ch = fpga_open(0, O_RDWR);
	struct buffer b;
	int slot, i;

	ASSERT_LE(0, ch);
	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &b));
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	slot = fpga_register(ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	close(self->heap);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, fpga_capture(ch, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE, &done));
	}
}

/* While a channel is streaming there is memory, too. */
TEST_F(heap, beside_a_stream)
{
	struct fpgabuf_completion done;
	int ch = fpga_open(0, O_RDWR);
	struct buffer b, more;
	int slot, i;

	ASSERT_LE(0, ch);
	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &b));
	ASSERT_EQ(0, fpga_set_raw(ch, SIZE, 0));
	slot = fpga_register(ch, b.fd, 0, 0);
	ASSERT_LE(0, slot);
	ASSERT_EQ(0, fpga_queue(ch, slot, 0));
	ASSERT_EQ(1, fpga_start(ch));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &more));
		EXPECT_TRUE(all_bytes(more.map, 0, SIZE));
		buffer_free(&more);
		ASSERT_EQ(1, fpga_take(ch, &done, 1, 1, 5 * SEC));
		EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, SIZE, &done));
		ASSERT_EQ(0, fpga_queue(ch, slot, 0));
	}
	ASSERT_EQ(0, fpga_stop(ch));
}

/* The other end of a socket: writes a pattern into what comes. */
static int fill_received(int socket)
{
	struct buffer b;

	if (buffer_from_fd(recv_fd(socket), &b) || b.size != SIZE ||
	    !all_bytes(b.map, 0x5a, SIZE))
		return 1;
	memset(b.map, 0xc3, SIZE);
	buffer_free(&b);
	return 0;
}

TEST_F(heap, passed_to_a_process)
{
	int sockets[2], status;
	struct buffer b;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(sockets[0]);
		_exit(fill_received(sockets[1]));
	}
	close(sockets[1]);
	ASSERT_EQ(0, buffer_from_fd(heap_get(self->heap, SIZE), &b));
	close(self->heap);
	memset(b.map, 0x5a, SIZE);
	ASSERT_EQ(0, send_fd(sockets[0], b.fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(all_bytes(b.map, 0xc3, SIZE));
}

/*
 * What a camera program does: it gets the fd from the process that allocated, and
 * lets one device after the other write into it, the same picture each time.
 */
static const char *use_received(int socket)
{
	static char picture[2 << 20];
	struct fpgabuf_completion done;
	const char *verdict = "vivid cannot capture";
	size_t size = 0;
	struct buffer b;
	int ch, drm, video, slot;
	__u32 handle;

	video = vivid_open(&size);
	drm = vgem_open();
	ch = fpga_open(0, O_RDWR);
	if (buffer_from_fd(recv_fd(socket), &b) || size > b.size ||
	    size > sizeof(picture))
		return "no buffer, or too small";
	if (!vivid_capture(video, -1, picture, size) &&
	    !vivid_capture(video, b.fd, NULL, size))
		verdict = crc32c(picture, size) == crc32c(b.map, size) ?
			"ok" : "not vivid's picture";
	if (strcmp(verdict, "ok"))
		return verdict;

	/* The GEM handle is all that is left of the fd. */
	if (vgem_import(drm, b.fd, &handle))
		return "vgem cannot import";
	buffer_free(&b);
	if (buffer_from_fd(vgem_export(drm, handle), &b) ||
	    vgem_close(drm, handle))
		return "vgem cannot export";
	if (crc32c(picture, size) != crc32c(b.map, size))
		return "vgem's is another buffer";

	slot = fpga_set_raw(ch, b.size, 0) ? -1 : fpga_register(ch, b.fd, 0, 0);
	if (slot < 0 || fpga_capture(ch, slot, &done))
		return "the channel cannot capture";
	return raw_check_synced(b.fd, b.map, b.size, &done);
}

TEST_F(heap, used_by_a_process)
{
	int sockets[2], status, fd;
	const char *verdict;
	pid_t pid;

	if (!module_loaded("vgem") || !module_loaded("vivid"))
		SKIP(return, "no vgem, or no vivid module");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				sockets));
	fd = heap_get(self->heap, 1 << 20);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_fd(sockets[0], fd));
	close(fd);
	close(self->heap);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(sockets[0]);
		verdict = use_received(sockets[1]);
		EXPECT_STREQ("ok", verdict);
		_exit(!!strcmp(verdict, "ok"));
	}
	close(sockets[0]);
	close(sockets[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	load_module("vivid", VIVID_PARAM);
	return test_harness_run(argc, argv);
}
