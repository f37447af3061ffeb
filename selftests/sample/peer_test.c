// SPDX-License-Identifier: GPL-2.0
/*
 * A device that imports what is on another one: where it may, what it writes
 * there, and that it hears when the memory goes.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "../fpgabuf/fences.h"
#include "../fpgabuf/fpgabuf_test.h"
#include "board.h"
#include "test_modules/dma_peer.h"

#define MODULE		"dma_peer"
#define MODULE_FILE	"test_modules/" MODULE ".ko"
#define SIZE		(64 << 10)

/* Of the kernel, where there is a bridge that it does not trust */
#define FAR_APART	"cannot be used for peer-to-peer DMA"

enum importer {
	/* edu, which QEMU may put beside the board, below one switch */
	NEAR,
	/* The SATA controller of the chipset, for which no driver is loaded */
	FAR,
};

static char *importers[2];

/* The port of the root complex that it is behind: the first of its path */
static bool port_of(const char *device, char *port, size_t len)
{
	char path[96], real[PATH_MAX];
	const char *start, *end;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", device);
	if (!realpath(path, real))
		return false;
	start = strstr(real, "/pci");
	start = start ? strchr(start + 1, '/') : NULL;
	end = start ? strchr(start + 1, '/') : NULL;
	/* On the root bus itself: behind none */
	if (!end)
		return false;
	snprintf(port, len, "%.*s", (int)(end - start), start);
	return true;
}

static bool behind_one_port(const char *a, const char *b)
{
	char port[2][64];

	return port_of(a, port[0], sizeof(port[0])) &&
	       port_of(b, port[1], sizeof(port[1])) &&
	       !strcmp(port[0], port[1]);
}

/* A processor whose host bridge the kernel lets pass anything: AMD's, from Zen on */
static bool trusted_bridge(void)
{
	char line[256];
	bool amd = false;
	int family = 0;
	FILE *f;

	f = fopen("/proc/cpuinfo", "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "vendor_id", 9))
			amd = strstr(line, "AuthenticAMD");
		if (sscanf(line, "cpu family : %d", &family) == 1)
			break;
	}
	fclose(f);
	return amd && family >= 0x17;
}

/* The device is the module's when it is loaded. */
static int importer_load(const char *device, const char *param, bool told)
{
	const char *const argv[] = { "insmod", MODULE_FILE, param,
				     told ? "told=1" : "told=0", NULL };
	char path[96];
	int peer;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver_override", device);
	if (write_file(path, MODULE) || run_program(argv))
		return -ENOEXEC;
	peer = open("/dev/" MODULE, O_RDWR | O_CLOEXEC);
	return peer < 0 ? -errno : peer;
}

static int importer_unload(const char *device)
{
	const char *const argv[] = { "rmmod", MODULE, NULL };
	char path[96];

	if (!module_loaded(MODULE))
		return 0;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver_override", device);
	return run_program(argv) ?: write_file(path, "\n");
}

static int peer(int fd, unsigned int request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

FIXTURE(peer) {
	struct totals before;
	int node, peer, log;
	struct buffer b;
	/* What an attachment should give */
	int verdict;
};

FIXTURE_VARIANT(peer) {
	enum importer importer;
	const char *board;
	const char *param;
	bool asks;
	bool untold;
};

FIXTURE_VARIANT_ADD(peer, near) {
	.importer = NEAR,
	.board = "on_board=1",
	.param = "peer2peer=1",
	.asks = true,
};

FIXTURE_VARIANT_ADD(peer, far) {
	.importer = FAR,
	.board = "on_board=1",
	.param = "peer2peer=1",
	.asks = true,
};

/* It does not say that it takes memory with no pages. */
FIXTURE_VARIANT_ADD(peer, unasked) {
	.importer = NEAR,
	.board = "on_board=1",
	.param = "peer2peer=0",
};

/* Nobody can tell it when the memory goes. */
FIXTURE_VARIANT_ADD(peer, untold) {
	.importer = NEAR,
	.board = "on_board=1",
	.param = "peer2peer=1",
	.asks = true,
	.untold = true,
};

FIXTURE_VARIANT_ADD(peer, carve_out) {
	.importer = FAR,
	.board = "on_board=0",
	.param = "peer2peer=0",
};

static bool is_carve_out(const FIXTURE_VARIANT(peer) *variant)
{
	return !strcmp(variant->board, "on_board=0");
}

static int expected(int peer_fd, const FIXTURE_VARIANT(peer) *variant)
{
	if (is_carve_out(variant))
		return 0;
	if (!variant->asks || variant->untold ||
	    !peer(peer_fd, PEER_POSSIBLE, 0))
		return -EOPNOTSUPP;
	return behind_one_port(importers[variant->importer], board_name()) ||
	       trusted_bridge() ? 0 : -EOPNOTSUPP;
}

FIXTURE_SETUP(peer)
{
	REQUIRE_CHANNEL(self->before);
	REQUIRE_FILE(MODULE_FILE);
	if (!board_name() || !importers[variant->importer])
		SKIP(return, "no two devices: QEMU's ivshmem-plain, and edu or ICH9");
	self->log = log_open();
	ASSERT_LE(0, self->log);
	self->node = board_load(variant->board);
	ASSERT_LE(0, self->node);
	ASSERT_EQ(0, buffer_from_fd(board_get(self->node, SIZE), &self->b));
	self->peer = importer_load(importers[variant->importer],
				   variant->param, !variant->untold);
	ASSERT_LE(0, self->peer);
	self->verdict = expected(self->peer, variant);
}

FIXTURE_TEARDOWN_PARENT(peer)
{
	EXPECT_EQ(0, importer_unload(importers[variant->importer]));
	EXPECT_EQ(0, board_unload());
	EXPECT_NOTHING_LEFT(self->before);
}

/* As the PCI core says, which tells why not; and the exporter, what helps. */
TEST_F(peer, attaches)
{
	if (variant->untold && !peer(self->peer, PEER_POSSIBLE, 0))
		SKIP(return, "no such importers here: before 7.0, or no PCI_P2PDMA");
	EXPECT_EQ(self->verdict, peer(self->peer, PEER_ATTACH, self->b.fd));
	if (!self->verdict) {
		EXPECT_EQ(0, peer(self->peer, PEER_MAP, 0));
		EXPECT_EQ(0, peer(self->peer, PEER_DETACH, 0));
		return;
	}
	if (variant->importer == FAR && peer(self->peer, PEER_POSSIBLE, 0))
		EXPECT_TRUE(log_says(self->log, FAR_APART, board_name()));
	EXPECT_TRUE(log_says(self->log, "does not reach the memory on",
			     "peer to peer (CONFIG_PCI_P2PDMA), or another kind of memory, helps"));
}

static bool counts_from(const __le32 *words, size_t bytes, __u32 first)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		if (le32toh(words[i]) != first + i)
			return false;
	return true;
}

/* What edu writes is in the BAR, and what is beside it stays. */
static const char *write_check(int peer_fd, const struct buffer *b)
{
	const char *map = b->map;

	if (peer(peer_fd, PEER_WRITE, 0x12345678))
		return "cannot be written";
	if (!counts_from(b->map, PEER_BYTES, 0x12345678))
		return "not what was written";
	if (!all_bytes(map + PEER_BYTES, 0, SIZE - PEER_BYTES))
		return "something was written behind it";
	return "ok";
}

static atomic_bool unbound;

static void *unbind(void *arg)
{
	intptr_t ret = board_write("unbind");

	atomic_store(&unbound, true);
	return (void *)ret;
}

/* Unbinding waits for the device, which was told. */
static bool waits_for(int peer_fd)
{
	const __s64 end = now_ns() + 5 * SEC;

	while (!peer(peer_fd, PEER_TOLD, 0))
		if (now_ns() > end)
			return false;
	pass_time(200 * MSEC);
	return !atomic_load(&unbound);
}

/*
 * Told once, and waited for until it has unmapped it; from then on nothing is mapped.
 * A carve-out stays.
 */
TEST_F(peer, used_to_the_end)
{
	const int after = is_carve_out(variant) ? 0 : -ENODEV;
	const int told = after ? 1 : 0;
	pthread_t thread;
	void *ret;

	if (self->verdict)
		SKIP(return, "not peer to peer here");
	ASSERT_EQ(0, peer(self->peer, PEER_ATTACH, self->b.fd));
	ASSERT_EQ(0, peer(self->peer, PEER_MAP, 0));
	if (variant->importer == NEAR)
		EXPECT_STREQ("ok", write_check(self->peer, &self->b));
	EXPECT_EQ(0, peer(self->peer, PEER_TOLD, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, NULL));
	if (after) {
		EXPECT_TRUE(waits_for(self->peer));
		EXPECT_EQ(0, peer(self->peer, PEER_UNMAP, 0));
	}
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	if (!after)
		EXPECT_EQ(0, peer(self->peer, PEER_UNMAP, 0));
	EXPECT_EQ(told, peer(self->peer, PEER_TOLD, 0));
	EXPECT_EQ(after, peer(self->peer, PEER_MAP, 0));

	/* Nor when the board is back: this buffer is of what was there before. */
	ASSERT_EQ(0, board_write("bind"));
	EXPECT_EQ(0, peer(self->peer, PEER_DETACH, 0));
	EXPECT_EQ(after, peer(self->peer, PEER_ATTACH, self->b.fd));
	EXPECT_EQ(told, peer(self->peer, PEER_TOLD, 0));
}

/* Who has a fence in the buffer is at it still: the memory does not go before. */
TEST_F(peer, waited_for)
{
	pthread_t thread;
	struct gate gate;
	void *ret;

	if (self->verdict || is_carve_out(variant))
		SKIP(return, "not peer to peer here");
	if (gate_missing(GATE_VGEM))
		SKIP(return, "%s", gate_missing(GATE_VGEM));
	ASSERT_EQ(0, gate_make(&gate, GATE_VGEM));
	ASSERT_EQ(0, peer(self->peer, PEER_ATTACH, self->b.fd));
	ASSERT_EQ(0, peer(self->peer, PEER_MAP, 0));
	ASSERT_EQ(0, import_sync_file(self->b.fd, DMA_BUF_SYNC_RW,
				      gate.fence));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, NULL));
	EXPECT_TRUE(waits_for(self->peer));
	EXPECT_EQ(0, peer(self->peer, PEER_UNMAP, 0));
	pass_time(200 * MSEC);
	EXPECT_FALSE(atomic_load(&unbound));
	ASSERT_EQ(0, gate_open(&gate));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(1, peer(self->peer, PEER_TOLD, 0));
	ASSERT_EQ(0, board_write("bind"));
	EXPECT_EQ(0, peer(self->peer, PEER_DETACH, 0));
}

/* Unbinding is never refused, and ends in bounded time. */
TEST_F_TIMEOUT(peer, that_keeps_it, 60)
{
	__s64 began;

	if (self->verdict || is_carve_out(variant))
		SKIP(return, "not peer to peer here");
	ASSERT_EQ(0, peer(self->peer, PEER_ATTACH, self->b.fd));
	ASSERT_EQ(0, peer(self->peer, PEER_MAP, 0));
	began = now_ns();
	ASSERT_EQ(0, board_write("unbind"));
	EXPECT_LT(10 * SEC, now_ns() - began);
	EXPECT_GT(20 * SEC, now_ns() - began);
	EXPECT_TRUE(log_says(self->log, board_name(),
			     "another device still has"));
	EXPECT_EQ(0, peer(self->peer, PEER_UNMAP, 0));
	EXPECT_EQ(-ENODEV, peer(self->peer, PEER_MAP, 0));
	ASSERT_EQ(0, board_write("bind"));
	EXPECT_EQ(0, peer(self->peer, PEER_DETACH, 0));
}

int main(int argc, char **argv)
{
	load_module("vgem", NULL);
	importers[NEAR] = pci_find(0x1234, 0x11e8);
	importers[FAR] = pci_find(0x8086, 0x2922);
	return test_harness_run(argc, argv);
}
