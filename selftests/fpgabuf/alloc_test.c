// SPDX-License-Identifier: GPL-2.0
/*
 * FPGABUF_IOC_ALLOC: what it makes is a dma-buf of the right size, zeroed, with
 * the access mode that was asked for, and gone when its last user is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/dma-buf.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

#define DEVICE		SIM_DRIVER ".0"

/* What the buddy allocator gives in one piece, with 4 KiB pages. */
#define BUDDY_MAX	(4ULL << 20)

/* Whether an allocation fails with @error, and the kernel log says what helps. */
static bool fails_helpfully(int ch, __u64 size, __u32 kind, int error,
			    const char *help)
{
	char what[64];
	bool said;
	int log;

	log = log_open();
	if (log < 0)
		return false;
	snprintf(what, sizeof(what), DEVICE ": no %ju ", (uintmax_t)size);
	said = fpga_alloc(ch, size, kind) == error && log_says(log, what, help);
	close(log);
	return said;
}

/*
 * Nobody tries for more than there is. First of the tests, which use up what may
 * be said of it in 5 seconds; behind others there is another line by then.
 */
TEST(more_than_the_machine_has)
{
	__s64 end = now_ns() + 6 * SEC;
	struct totals before;
	bool said;
	int ch;

	REQUIRE_CHANNEL(before);
	ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, ch);
	do {
		said = fails_helpfully(ch, 1ULL << 45, FPGABUF_KIND_SYSTEM,
				       -ENOMEM, "more RAM");
	} while (!said && now_ns() < end);
	EXPECT_TRUE(said);
}

FIXTURE(alloc) {
	struct totals before;
	int ch;
};

FIXTURE_VARIANT(alloc) {
	__u32 kind;
	const char *exp_name;
};

FIXTURE_VARIANT_ADD(alloc, coherent) {
	.kind = FPGABUF_KIND_COHERENT,
	.exp_name = "fpgabuf-coherent",
};

FIXTURE_VARIANT_ADD(alloc, contiguous) {
	.kind = FPGABUF_KIND_CONTIGUOUS,
	.exp_name = "fpgabuf-contiguous",
};

FIXTURE_VARIANT_ADD(alloc, system) {
	.kind = FPGABUF_KIND_SYSTEM,
	.exp_name = "fpgabuf-system",
};

FIXTURE_VARIANT_ADD(alloc, writecombine) {
	.kind = FPGABUF_KIND_WRITECOMBINE,
	.exp_name = "fpgabuf-writecombine",
};

FIXTURE_VARIANT_ADD(alloc, noncontiguous) {
	.kind = FPGABUF_KIND_NONCONTIGUOUS,
	.exp_name = "fpgabuf-noncontiguous",
};

FIXTURE_VARIANT_ADD(alloc, region) {
	.kind = FPGABUF_KIND_REGION,
	.exp_name = "fpgabuf-region",
};

FIXTURE_SETUP(alloc)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(alloc)
{
	EXPECT_NOTHING_LEFT(self->before);
}

static bool have_cma(void)
{
	long long total = 0;
	char line[128];
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CmaTotal: %lld", &total) == 1)
			break;
	fclose(f);
	return total > 0;
}

/* One segment, and the engine takes none of that length. */
static bool too_long(__u64 size, __u32 kind, __u32 max_segment)
{
	return kind == FPGABUF_KIND_NONCONTIGUOUS && size > max_segment;
}

/* Whether there may be no memory of that size and kind. */
static bool may_fail(__u64 size, __u32 kind)
{
	return size > BUDDY_MAX && kind != FPGABUF_KIND_SYSTEM;
}

/* Whether there cannot be any. Behind an IOMMU coherent memory is in pieces. */
static bool must_fail(__u64 size, __u32 kind)
{
	return size > BUDDY_MAX && kind == FPGABUF_KIND_CONTIGUOUS &&
	       !have_cma();
}

static const __u64 sizes[] = {
	1, 4096, 4097, 64 << 10, (1 << 20) - 1, 1280 * 720 * 2, 4 << 20,
	8 << 20, 16 << 20,
};

static __u64 whole_pages(__u64 size)
{
	return (size + page_size() - 1) / page_size() * page_size();
}

TEST_F(alloc, sizes)
{
	struct fpgabuf_info info;
	struct totals now;
	struct stat st;
	struct buffer b;
	size_t i;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct fpgabuf_alloc alloc = {
			.size = sizes[i],
			.kind = variant->kind,
			.fd_flags = O_RDWR | O_CLOEXEC,
			.fd = -1,
		};
		__u64 want = whole_pages(sizes[i]);
		int ret = fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC, &alloc);

		if (too_long(want, variant->kind, info.max_segment)) {
			EXPECT_EQ(-EFBIG, ret);
			EXPECT_EQ(-1, alloc.fd);
			continue;
		}
		if (must_fail(sizes[i], variant->kind)) {
			EXPECT_EQ(-ENOMEM, ret);
		}
		if (ret == -ENOMEM && may_fail(sizes[i], variant->kind)) {
			EXPECT_EQ(-1, alloc.fd);
			EXPECT_EQ(sizes[i], alloc.size);
			continue;
		}
		ASSERT_EQ(0, ret) TH_LOG("%ju bytes", (uintmax_t)sizes[i]);

		EXPECT_EQ(want, alloc.size);
		EXPECT_EQ((__s64)want, dmabuf_size(alloc.fd));
		ASSERT_EQ(0, fstat(alloc.fd, &st));
		EXPECT_EQ((off_t)want, st.st_size);
		ASSERT_EQ(0, totals_read(&now));
		EXPECT_EQ(self->before.count[variant->kind] + 1,
			  now.count[variant->kind]);
		EXPECT_EQ(self->before.bytes[variant->kind] + (__s64)want,
			  now.bytes[variant->kind]);

		ASSERT_EQ(0, buffer_from_fd(alloc.fd, &b));
		EXPECT_TRUE(all_bytes(b.map, 0, b.size));
		buffer_free(&b);
		ASSERT_EQ(0, totals_read(&now));
		EXPECT_TRUE(totals_equal(&self->before, &now));
	}
}

/* The next buffer may well be made of the pages of the last one. */
TEST_F(alloc, zeroed_again)
{
	static const __u64 again[] = { 4096, 64 << 10, (1 << 20) + 4096 };
	struct buffer b;
	size_t i;
	int n;

	for (i = 0; i < ARRAY_LEN(again); i++) {
		for (n = 0; n < 8; n++) {
			ASSERT_EQ(0, buffer_alloc(self->ch, again[i],
						  variant->kind, &b));
			EXPECT_TRUE(all_bytes(b.map, 0, b.size));
			memset(b.map, 0xa5, b.size);
			EXPECT_TRUE(all_bytes(b.map, 0xa5, b.size));
			buffer_free(&b);
		}
	}
}

/* Several at a time are different memory. */
TEST_F(alloc, separate)
{
	struct buffer b[8];
	struct totals now;
	size_t i;

	for (i = 0; i < ARRAY_LEN(b); i++) {
		ASSERT_EQ(0, buffer_alloc(self->ch, 128 << 10, variant->kind,
					  &b[i]));
		memset(b[i].map, i + 1, b[i].size);
	}
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_EQ(self->before.count[variant->kind] + 8,
		  now.count[variant->kind]);
	EXPECT_EQ(self->before.bytes[variant->kind] + (8 * 128 << 10),
		  now.bytes[variant->kind]);
	for (i = 0; i < ARRAY_LEN(b); i++) {
		EXPECT_TRUE(all_bytes(b[i].map, i + 1, b[i].size));
		buffer_free(&b[i]);
	}
}

TEST_F(alloc, access_mode)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	size_t i;

	for (i = 0; i < ARRAY_LEN(modes); i++) {
		int plain = fpga_alloc_flags(self->ch, 4096, variant->kind,
					     modes[i]);
		int cloexec = fpga_alloc_flags(self->ch, 4096, variant->kind,
					       modes[i] | O_CLOEXEC);

		ASSERT_LE(0, plain);
		ASSERT_LE(0, cloexec);
		EXPECT_EQ(modes[i], fcntl(plain, F_GETFL) & O_ACCMODE);
		EXPECT_EQ(modes[i], fcntl(cloexec, F_GETFL) & O_ACCMODE);
		EXPECT_EQ(0, fcntl(plain, F_GETFD));
		EXPECT_EQ(FD_CLOEXEC, fcntl(cloexec, F_GETFD));
	}
}

static int map_errno(int fd, int prot)
{
	void *map = mmap(NULL, 4096, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, 4096);
	return 0;
}

TEST_F(alloc, access_mode_of_mappings)
{
	int ro = fpga_alloc_flags(self->ch, 4096, variant->kind, O_RDONLY);
	int wo = fpga_alloc_flags(self->ch, 4096, variant->kind, O_WRONLY);
	void *map;

	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	EXPECT_EQ(0, map_errno(ro, PROT_READ));
	EXPECT_EQ(EACCES, map_errno(ro, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, map_errno(ro, PROT_WRITE));
	/* A mapping can always be read, so the file must be readable. */
	EXPECT_EQ(EACCES, map_errno(wo, PROT_READ));
	EXPECT_EQ(EACCES, map_errno(wo, PROT_WRITE));

	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
}

/* As gdb does; on-board memory is not for the kernel. */
TEST_F(alloc, seen_by_a_debugger)
{
	const bool on_board = variant->kind == FPGABUF_KIND_REGION;
	const size_t size = 5 * 4096;
	char seen[100];
	struct buffer b;
	off_t at;
	int mem;

	ASSERT_EQ(0, buffer_alloc(self->ch, size, variant->kind, &b));
	memset(b.map, 0x6b, size);
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	/* Across pages, and up to the end */
	at = (intptr_t)b.map + size - 4096 - 50;
	EXPECT_EQ(on_board ? -1 : 100, pread(mem, seen, 100, at));
	if (on_board) {
		EXPECT_EQ(EIO, errno);
		close(mem);
		buffer_free(&b);
		return;
	}
	EXPECT_TRUE(all_bytes(seen, 0x6b, 100));
	EXPECT_EQ(50, pread(mem, seen, 50, (intptr_t)b.map + size - 50));
	memset(seen, 0x29, 100);
	EXPECT_EQ(100, pwrite(mem, seen, 100, at));
	EXPECT_TRUE(all_bytes((void *)at, 0x29, 100));
	EXPECT_TRUE(all_bytes(b.map, 0x6b, size - 4096 - 50));
	EXPECT_TRUE(all_bytes((char *)at + 100, 0x6b, 4096 - 50));
	/* What may be read only stays so. */
	ASSERT_EQ(0, mprotect(b.map, size, PROT_READ));
	EXPECT_EQ(-1, pwrite(mem, "x", 1, at));
	EXPECT_TRUE(all_bytes((void *)at, 0x29, 100));
	close(mem);
	buffer_free(&b);
}

TEST_F(alloc, identity)
{
	char text[64];
	int fd;

	fd = fpga_alloc(self->ch, 12345, variant->kind);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dmabuf_fdinfo(fd, "exp_name", text, sizeof(text)));
	EXPECT_STREQ(variant->exp_name, text);
	ASSERT_EQ(0, dmabuf_fdinfo(fd, "size", text, sizeof(text)));
	EXPECT_STREQ("16384", text);
	ASSERT_EQ(0, dmabuf_fdinfo(fd, "count", text, sizeof(text)));
	EXPECT_STREQ("1", text);
	EXPECT_EQ(-ENOENT, dmabuf_fdinfo(fd, "name", text, sizeof(text)));
	EXPECT_EQ(0, fpga_ioctl(fd, DMA_BUF_SET_NAME, "left eye"));
	ASSERT_EQ(0, dmabuf_fdinfo(fd, "name", text, sizeof(text)));
	EXPECT_STREQ("left eye", text);
}

TEST_F(alloc, bad_fd_flags)
{
	static const __u32 bad[] = {
		O_ACCMODE, O_RDWR | O_NONBLOCK, O_RDWR | O_APPEND,
		O_RDWR | O_CREAT, O_RDWR | O_DIRECT, 1U << 31,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EINVAL, fpga_alloc_flags(self->ch, 4096,
						    variant->kind, bad[i]))
			TH_LOG("fd_flags %#x", bad[i]);
	}
}

TEST_F(alloc, bad_sizes)
{
	static const struct {
		__u64 size;
		int error;
	} bad[] = {
		{ 0, -EINVAL },
		{ UINT64_MAX, -EOVERFLOW },
		{ UINT64_MAX - 4095, -EOVERFLOW },
		{ INT64_MAX, -EOVERFLOW },
		{ 1ULL << 63, -EOVERFLOW },
		{ 1ULL << 62, -ENOMEM },
		{ 1ULL << 45, -ENOMEM },
	};
	size_t i;
	int error;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		error = bad[i].error;
		/* It is not of the machine's RAM, and in one piece. */
		if (error == -ENOMEM && variant->kind == FPGABUF_KIND_REGION)
			error = -EFBIG;
		EXPECT_EQ(error, fpga_alloc(self->ch, bad[i].size,
					    variant->kind))
			TH_LOG("%#jx bytes", (uintmax_t)bad[i].size);
	}
}

TEST_F(alloc, bad_flags)
{
	struct fpgabuf_alloc alloc;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		alloc = (struct fpgabuf_alloc){
			.size = 4096,
			.kind = variant->kind,
			.flags = 1U << bit,
			.fd_flags = O_RDWR | O_CLOEXEC,
			.fd = -1,
		};
		EXPECT_EQ(-EINVAL, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC,
					      &alloc));
		EXPECT_EQ(-1, alloc.fd);
	}
}

/* The fd cannot be told: it must not be there. */
TEST_F(alloc, unwritable_argument)
{
	struct fpgabuf_alloc alloc = {
		.size = 4096,
		.kind = variant->kind,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.fd = -1,
	};
	void *page = read_only_copy(&alloc, sizeof(alloc));
	int fds = open_fds();
	struct totals now;

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, fpga_ioctl(self->ch, FPGABUF_IOC_ALLOC, page));
	EXPECT_EQ(fds, open_fds());
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

TEST_F(alloc, no_fd_left)
{
	struct rlimit old, none;
	struct totals now;
	int fds, ret;

	fds = open_fds();
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	/* All numbers below the limit are in use: 0, 1, 2 and the channel. */
	none = old;
	none.rlim_cur = dup(self->ch);
	close(none.rlim_cur);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	ret = fpga_alloc(self->ch, 1 << 20, variant->kind);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));

	EXPECT_EQ(-EMFILE, ret);
	EXPECT_EQ(fds, open_fds());
	ASSERT_EQ(0, totals_read(&now));
	EXPECT_TRUE(totals_equal(&self->before, &now));
}

/* Memory is the device's, not the file's. */
TEST_F(alloc, outlives_the_channel_file)
{
	struct buffer b;

	ASSERT_EQ(0, buffer_alloc(self->ch, 1 << 20, variant->kind, &b));
	close(self->ch);
	memset(b.map, 0x5a, b.size);
	EXPECT_TRUE(all_bytes(b.map, 0x5a, b.size));
	EXPECT_EQ(0, dmabuf_sync(b.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dmabuf_sync(b.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	buffer_free(&b);
}

FIXTURE(no_kind) {
	struct totals before;
	int ch;
};

FIXTURE_SETUP(no_kind)
{
	REQUIRE_CHANNEL(self->before);
	self->ch = fpga_open(0, O_RDWR);
	ASSERT_LE(0, self->ch);
}

FIXTURE_TEARDOWN_PARENT(no_kind)
{
	EXPECT_NOTHING_LEFT(self->before);
}

/* More than is free, less than there is: nobody is killed for it. */
TEST_F(no_kind, more_than_is_free)
{
	const __u64 size = ((__u64)memory_kib("MemTotal") - 1024) << 10;
	int log = log_open(), whole = log_open();

	ASSERT_LE(0, log);
	ASSERT_LE(0, whole);
	EXPECT_EQ(-ENOMEM, fpga_alloc(self->ch, size, FPGABUF_KIND_SYSTEM));
	EXPECT_TRUE(log_says(log, SIM_DRIVER ".0: no ", "more RAM"));
	EXPECT_FALSE(log_says(whole, "oom-killer", ""));
}

TEST_F(no_kind, refused)
{
	static const __u32 bad[] = { 8, 9, 31, 32, 63, 64, 1U << 31, ~0U };
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-EOPNOTSUPP, fpga_alloc(self->ch, 4096, bad[i]))
			TH_LOG("kind %u", bad[i]);
	}
}

/* Kinds that need more than a size have a request of their own. */
TEST_F(no_kind, more_than_a_size)
{
	EXPECT_EQ(-EINVAL, fpga_alloc(self->ch, 4096, FPGABUF_KIND_USER));
	EXPECT_EQ(-EINVAL, fpga_alloc(self->ch, 4096, FPGABUF_KIND_POOL));
}

/* Half of the memory in one piece: there is none, whatever cma= says. */
TEST_F(no_kind, shortage_says_what_helps)
{
	static const __u32 kinds[] = {
		FPGABUF_KIND_COHERENT, FPGABUF_KIND_WRITECOMBINE,
		FPGABUF_KIND_CONTIGUOUS,
	};
	__u64 size = sysconf(_SC_PHYS_PAGES) / 2 * page_size();
	size_t i;

	if (!access("/sys/bus/platform/devices/" DEVICE "/iommu_group", F_OK))
		SKIP(return, "behind an IOMMU coherent memory is in pieces");
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		EXPECT_TRUE(fails_helpfully(self->ch, size, kinds[i], -ENOMEM,
					    "(cma=)"))
			TH_LOG("%s", kind_names[kinds[i]]);
}

/* Pieces that only a CMA area has, until it has none left. */
TEST_F(no_kind, exhausted_cma)
{
	const __u64 size = 2 * BUDDY_MAX;
	int fds[1024];
	int i, n;

	if (!have_cma())
		SKIP(return, "this kernel has no CMA area");
	for (n = 0; n < (int)ARRAY_LEN(fds); n++) {
		fds[n] = fpga_alloc(self->ch, size, FPGABUF_KIND_CONTIGUOUS);
		if (fds[n] < 0)
			break;
	}
	ASSERT_GT((int)ARRAY_LEN(fds), n);
	ASSERT_LT(2, n);
	EXPECT_EQ(-ENOMEM, fds[n]);
	EXPECT_TRUE(fails_helpfully(self->ch, size, FPGABUF_KIND_CONTIGUOUS,
				    -ENOMEM, "(cma=)"));
	for (i = 0; i < n; i++)
		close(fds[i]);
	/* Half of it may be kept, for this size: another must not go without. */
	fds[0] = fpga_alloc(self->ch, (n - 2) * size, FPGABUF_KIND_CONTIGUOUS);
	EXPECT_LE(0, fds[0]);
}

/* What is one segment may be as long as the engine's are, and no longer. */
TEST_F(no_kind, one_segment)
{
	struct fpgabuf_info info;
	struct buffer b;

	ASSERT_EQ(0, fpga_ioctl(self->ch, FPGABUF_IOC_INFO, &info));
	ASSERT_EQ(0, buffer_alloc(self->ch, info.max_segment,
				  FPGABUF_KIND_NONCONTIGUOUS, &b));
	buffer_free(&b);
	EXPECT_TRUE(fails_helpfully(self->ch, info.max_segment + page_size(),
				    FPGABUF_KIND_NONCONTIGUOUS, -EFBIG,
				    "dma_set_max_seg_size()"));
}

TEST_HARNESS_MAIN
