// SPDX-License-Identifier: GPL-2.0
/*
 * Who is not root: an ordinary user, and root of a user namespace, which has all
 * capabilities there and none here. Both use a node that lets them, and only such
 * a one.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "fpgabuf_test.h"

#define NODE		"/dev/fpgabuf1"
#define UID		54322
#define FRAME		4096
#define LIMIT_PAGES	16

FIXTURE(ordinary) {
	struct totals before;
	struct stat node;
};

FIXTURE_VARIANT(ordinary) {
	bool namespace;
};

FIXTURE_VARIANT_ADD(ordinary, user) {
	.namespace = false,
};

FIXTURE_VARIANT_ADD(ordinary, namespace_root) {
	.namespace = true,
};

FIXTURE_SETUP(ordinary)
{
	REQUIRE_CHANNEL(self->before);
	if (geteuid())
		SKIP(return, "only root can become somebody else");
	if (variant->namespace && access("/proc/self/ns/user", F_OK))
		SKIP(return, "no CONFIG_USER_NS");
	ASSERT_EQ(0, stat(NODE, &self->node));
}

FIXTURE_TEARDOWN_PARENT(ordinary)
{
	chmod(NODE, 0600);
	EXPECT_NOTHING_LEFT(self->before);
}

/* From here on with no rights but those of the node, and little locked memory. */
static int become(bool namespace)
{
	const size_t bytes = LIMIT_PAGES * page_size();
	const struct rlimit limit = { bytes, bytes };
	char map[32];

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgroups(0, NULL) ||
	    setgid(UID) || setuid(UID))
		return -errno;
	if (!namespace)
		return 0;
	/* Or its files in /proc would be root's. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %d 1", UID);
	return write_file("/proc/self/uid_map", map);
}

TEST_F(ordinary, is_kept_out)
{
	EXPECT_EQ(0600U, self->node.st_mode & 07777);
	ASSERT_EQ(0, become(variant->namespace));
	EXPECT_EQ(variant->namespace ? 0U : UID, geteuid());
	EXPECT_EQ(-EACCES, fpga_open(1, O_RDWR));
	EXPECT_EQ(-EACCES, fpga_open(1, O_RDONLY));
}

TEST_F(ordinary, captures)
{
	struct fpgabuf_completion done;
	struct buffer b;
	__u32 kind;
	int ch, slot;

	ASSERT_EQ(0, chmod(NODE, 0606));
	ASSERT_EQ(0, become(variant->namespace));
	ch = fpga_open(1, O_RDWR);
	ASSERT_LE(0, ch);
	ASSERT_EQ(0, fpga_set_raw(ch, FRAME, 0));
	for (kind = 0; kind < SIZED_KINDS; kind++) {
		ASSERT_EQ(0, buffer_alloc(ch, FRAME, kind, &b));
		slot = fpga_register(ch, b.fd, 0, 0);
		ASSERT_LE(0, slot);
		ASSERT_EQ(0, fpga_capture(ch, slot, &done));
		EXPECT_STREQ("ok", raw_check_synced(b.fd, b.map, FRAME, &done));
		EXPECT_EQ(0, fpga_unregister(ch, slot));
		buffer_free(&b);
	}
}

/* The limit of the user counts, whatever he may do in a namespace of his own. */
TEST_F(ordinary, pins_as_much_as_the_limit)
{
	const size_t page = page_size();
	char *map;
	int ch, fd;

	ASSERT_EQ(0, chmod(NODE, 0606));
	ASSERT_EQ(0, become(variant->namespace));
	ch = fpga_open(1, O_RDWR);
	ASSERT_LE(0, ch);
	map = mmap(NULL, 2 * LIMIT_PAGES * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-ENOMEM, fpga_alloc_user(ch, map, (LIMIT_PAGES + 1) * page,
					   O_RDWR | O_CLOEXEC));
	fd = fpga_alloc_user(ch, map, LIMIT_PAGES * page, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOMEM, fpga_alloc_user(ch, map + LIMIT_PAGES * page, page,
					   O_RDWR | O_CLOEXEC));
	EXPECT_EQ(0, close(fd));
	fd = fpga_alloc_user(ch, map + LIMIT_PAGES * page, page,
			     O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, fd);
}

TEST_HARNESS_MAIN
