// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the modules and binding the driver, with each of the allocations that
 * their own code brings about failing in turn. What gets lost kmemleak finds,
 * which the guest's init asks behind all tests. FPGABUF_LONG=1 tries each
 * allocation, else it is one of a few.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "inject.h"

#define BUS	"/sys/bus/platform"
#define DRIVER	"drivers/" SIM_DRIVER
#define DEVICE	SIM_DRIVER ".0"

/*
 * Loading a module takes long where all is checked: one of so many faults is
 * tried, another one each time, but all of them where FPGABUF_LONG is set.
 */
#define STRIDE	5
/* Of a test, in seconds */
#define TIMEOUT	200

/* So many of the faults that are tried make the load, or the binding, fail. */
#define FAILURES_OF_LOAD	10U
#define FAILURES_OF_BIND	20

static unsigned int stride(void)
{
	return getenv("FPGABUF_LONG") ? 1 : STRIDE;
}

/**
 * struct module - a module and where it comes from
 * @name: its name
 * @params: for it
 * @faults: how many are tried, the last ones: the kernel makes hundreds of
 *	allocations before it calls the module's init, and hardly any after it.
 *	More than the init makes; few, since a module takes long to load
 * @fd: a copy of its file, in memory
 */
struct module {
	const char *name;
	const char *params;
	unsigned int faults;
	int fd;
};

/* In the order they need each other */
static struct module modules[] = {
	{ .name = "fpgabuf_exporter", .params = "", .faults = 16 },
	{ .name = "fpgabuf_importer", .params = "", .faults = 4 },
	{ .name = "fpgabuf_dma", .params = "", .faults = 40 },
	{ .name = "fpgabuf_heaps", .params = "", .faults = 24 },
	{ .name = SIM_DRIVER, .params = "channels=2", .faults = 40 },
};

#define NUM_MODULES	ARRAY_LEN(modules)

/* Of a file that nobody has open for writing any more, as its loader wants it */
static int copy_of(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("module", MFD_CLOEXEC);
	char copy[32];
	int fd = -1;

	while (from >= 0 && to >= 0 && sendfile(to, from, NULL, 1 << 20) > 0)
		;
	snprintf(copy, sizeof(copy), "/proc/self/fd/%d", to);
	if (lseek(to, 0, SEEK_END) > 0)
		fd = open(copy, O_RDONLY | O_CLOEXEC);
	close(from);
	close(to);
	return fd;
}

/* A copy, since it is not the file system that is tested. */
static int find_module(struct module *m)
{
	char command[64], path[256] = "";
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), "modinfo -n %s", m->name);
	f = popen(command, "re");
	if (!f)
		return -errno;
	if (!fgets(path, sizeof(path), f))
		path[0] = '\0';
	pclose(f);
	len = strcspn(path, "\n");
	path[len] = '\0';
	if (len < 3 || strcmp(path + len - 3, ".ko"))
		return -ENOENT;
	m->fd = copy_of(path);
	return m->fd < 0 ? -ENOENT : 0;
}

static int call_load(void *ctx)
{
	const struct module *m = ctx;

	return syscall(SYS_finit_module, m->fd, m->params, 0) ? -errno : 0;
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static void undo_load(void *ctx, int ret)
{
	const struct module *m = ctx;

	unload(m->name);
}

static int write_bus(const char *file, const char *text)
{
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", BUS, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int call_bind(void *ctx)
{
	return write_bus(DRIVER "/bind", DEVICE);
}

static void undo_bind(void *ctx, int ret)
{
	write_bus(DRIVER "/unbind", DEVICE);
}

FIXTURE(modules) {
	bool unloaded;
};

FIXTURE_SETUP(modules)
{
	unsigned int i;

	for (i = 0; i < NUM_MODULES; i++)
		REQUIRE_NOTHING_MISSING(find_module(&modules[i]) ?
					"a module is no plain .ko file" : NULL);
	/* Loading is one thing, binding another. */
	ASSERT_EQ(0, write_bus("drivers_autoprobe", "0"));
	self->unloaded = true;
	for (i = NUM_MODULES; i--;)
		ASSERT_EQ(0, unload(modules[i].name));
}

/* As it was found, whatever happened meanwhile */
FIXTURE_TEARDOWN_PARENT(modules)
{
	const char *const argv[] = { "modprobe", SIM_DRIVER, NULL };

	if (!self->unloaded)
		return;
	EXPECT_EQ(0, write_bus("drivers_autoprobe", "1"));
	unload(SIM_DRIVER);
	EXPECT_EQ(0, run_program(argv));
	EXPECT_STREQ("ok", channel_usable());
}

/* Each module above those it needs, which are there to stay */
TEST_F_TIMEOUT(modules, load, TIMEOUT)
{
	unsigned int i;

	for (i = 0; i < NUM_MODULES; i++) {
		const struct fault_call call = {
			.name = modules[i].name, .call = call_load,
			.undo = undo_load, .leave = modules[i].faults,
			.stride = stride(),
			/* platform_device_add() without a name */
			.errnos = { EINVAL },
		};

		EXPECT_STREQ("ok", fault_each(&call, &modules[i]));
		ASSERT_EQ(0, call_load(&modules[i]));
	}
	/* A part of them is tried at random: there are 27 in 99. */
	EXPECT_LE(stride() == 1 ? FAILURES_OF_LOAD : 1U, fault_failures());
	ASSERT_EQ(0, call_bind(NULL));
	EXPECT_STREQ("ok", channel_usable());
}

/* A device that could not be bound is as one that never was, and can be. */
TEST_F_TIMEOUT(modules, bind, TIMEOUT)
{
	const struct fault_call call = {
		.name = "bind", .call = call_bind, .undo = undo_bind,
		/*
		 * The second channel, the heaps, and some of the first
		 * channel. What comes before them, the engine, is left out:
		 * of 6.12 dma_async_device_register() loses the name of its
		 * device when it fails, which kmemleak would not forgive.
		 */
		.leave = 210,
		.stride = stride(),
	};
	unsigned int i;

	for (i = 0; i < NUM_MODULES; i++)
		ASSERT_EQ(0, call_load(&modules[i]));
	EXPECT_STREQ("ok", fault_each(&call, NULL));
	EXPECT_LE(FAILURES_OF_BIND / stride(), fault_failures());
	EXPECT_EQ(-ENOENT, fpga_open(0, O_RDWR));
	ASSERT_EQ(0, call_bind(NULL));
	EXPECT_STREQ("ok", channel_usable());
}

int main(int argc, char **argv)
{
	int status = inject_set_up();

	if (status)
		return status;
	return test_harness_run(argc, argv);
}
