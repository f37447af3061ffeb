// SPDX-License-Identifier: GPL-2.0
/*
 * The channels of the simulated FPGA by name, and their files in debugfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim_test.h"

/* More than it has channels */
#define MAX_NODES	32

static bool is_named(int ch, const char *name)
{
	struct fpgabuf_info info = { 0 };
	char full[64];

	snprintf(full, sizeof(full), SIM_DEVICE " %s", name);
	return !fpga_ioctl(ch, FPGABUF_IOC_INFO, &info) &&
	       !strcmp((char *)info.name, full);
}

int sim_open(const char *name)
{
	unsigned int i;
	int ch;

	for (i = 0; i < MAX_NODES; i++) {
		ch = fpga_open(i, O_RDWR);
		if (ch >= 0 && is_named(ch, name))
			return ch;
		if (ch >= 0)
			close(ch);
	}
	return -ENOENT;
}

static int open_file(const char *name, const char *file, int flags)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/" SIM_DEVICE "/%s/%s",
		 name, file);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_text(const char *name, const char *file, char *text, size_t len)
{
	int fd = open_file(name, file, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read(fd, text, len - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got <= 0)
		return got ?: -ENODATA;
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int write_text(const char *name, const char *file, const char *text)
{
	int fd = open_file(name, file, O_WRONLY);
	int ret = 0;

	if (fd < 0)
		return fd;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

__s64 sim_number(const char *name, const char *file)
{
	char text[32];
	int ret = read_text(name, file, text, sizeof(text));

	return ret ?: strtoll(text, NULL, 0);
}

int sim_fault(const char *name, const char *text)
{
	return write_text(name, "fault", text);
}

int sim_fault_ms(const char *name, unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	return write_text(name, "fault_ms", text);
}

bool sim_fault_met(const char *name)
{
	const __s64 end = now_ns() + 5 * SEC;

	while (strcmp(sim_fault_left(name), "none"))
		if (now_ns() > end)
			return false;
	return true;
}

const char *sim_fault_left(const char *name)
{
	static char text[64];
	int ret = read_text(name, "fault", text, sizeof(text));

	return ret ? strerror(-ret) : text;
}

int sim_copier_timeout(unsigned int ms)
{
	char text[16];
	int ret;

	snprintf(text, sizeof(text), "%u", ms);
	ret = write_file("/sys/module/" SIM_DRIVER "/parameters/copier_timeout",
			 text);
	ret = ret ?: driver_write("unbind");
	return ret ?: driver_write("bind");
}

int sim_register(int ch, int fd, size_t size, int count)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++)
		if (fpga_register(ch, fd, i * size, size) != i)
			ret = -EBADSLT;
	return ret;
}

static pid_t loader;

/* The tests that follow expect that engine. Not in a test's own process */
static void load_ideal(void)
{
	if (getpid() == loader)
		sim_load("ideal");
}

void sim_load_at_exit(void)
{
	loader = getpid();
	atexit(load_ideal);
}

int sim_load(const char *engine)
{
	static const char *const remove[] = { "rmmod", SIM_DRIVER, NULL };
	char parameter[32], now[16];
	const char *const load[] = { "modprobe", SIM_DRIVER, parameter, NULL };

	if (!read_first_line("/sys/module/" SIM_DRIVER "/parameters/engine",
			     now, sizeof(now)) && !strcmp(now, engine))
		return 0;
	if (module_loaded(SIM_DRIVER) && run_program(remove))
		return -EBUSY;
	snprintf(parameter, sizeof(parameter), "engine=%s", engine);
	return run_program(load) ? -ENODEV : 0;
}
