// SPDX-License-Identifier: GPL-2.0
/*
 * The machine around the channel devices: debugfs, time, processes, modules.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../kselftest.h"
#include "fpgabuf_test.h"

#define DEBUGFS		"/sys/kernel/debug"
#define TOTALS		DEBUGFS "/fpgabuf/buffers"
#define TRACEFS		"/sys/kernel/tracing"

const char *const kind_names[KIND_COUNT] = {
	[FPGABUF_KIND_COHERENT] = "coherent",
	[FPGABUF_KIND_CONTIGUOUS] = "contiguous",
	[FPGABUF_KIND_SYSTEM] = "system",
	[FPGABUF_KIND_WRITECOMBINE] = "writecombine",
	[FPGABUF_KIND_NONCONTIGUOUS] = "noncontiguous",
	[FPGABUF_KIND_USER] = "user",
	[FPGABUF_KIND_POOL] = "pool",
	[FPGABUF_KIND_REGION] = "region",
};

static FILE *totals_open(void)
{
	/* Fails where it is mounted already. */
	if (access(TOTALS, F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	return fopen(TOTALS, "re");
}

/* Lines "kind count bytes"; every kind must be there. */
int totals_read(struct totals *totals)
{
	unsigned int seen = 0;
	long long count, bytes;
	char name[32];
	FILE *f;
	int i;

	memset(totals, 0, sizeof(*totals));
	f = totals_open();
	if (!f)
		return -errno;
	while (fscanf(f, "%31s %lld %lld", name, &count, &bytes) == 3) {
		for (i = 0; i < KIND_COUNT; i++) {
			if (strcmp(name, kind_names[i]))
				continue;
			totals->count[i] = count;
			totals->bytes[i] = bytes;
			seen |= 1U << i;
		}
	}
	fclose(f);
	return seen == (1U << KIND_COUNT) - 1 ? 0 : -EBADMSG;
}

bool totals_equal(const struct totals *a, const struct totals *b)
{
	return !memcmp(a, b, sizeof(*a));
}

const char *test_channel_missing(unsigned int number)
{
	struct fpgabuf_info info = { 0 };
	int ch, ret;

	ch = fpga_open(number, O_RDWR);
	if (ch == -ENOENT)
		return "no such channel device: load fpgabuf_sim channels=2";
	if (ch < 0)
		return "the channel device cannot be opened: are you root?";
	ret = fpga_ioctl(ch, FPGABUF_IOC_INFO, &info);
	close(ch);
	if (!ret && strcmp((char *)info.driver, SIM_DRIVER))
		return "the channel is not one of the simulated FPGA";
	return NULL;
}

int cannot_test(const char *what, const char *missing, bool ours)
{
	bool fail = ours && getenv("FPGABUF_REQUIRED");

	printf("TAP version 13\n1..1\n%s 1 - %s%s%s\n", fail ? "not ok" : "ok",
	       what, fail ? ": " : " # SKIP ", missing);
	return fail ? KSFT_FAIL : KSFT_SKIP;
}

static const char *capture_one(int ch, size_t size)
{
	struct fpgabuf_completion done;
	const char *verdict;
	struct buffer b;
	int slot;

	if (fpga_set_raw(ch, size, 0))
		return "cannot set a format";
	if (buffer_alloc(ch, size, FPGABUF_KIND_SYSTEM, &b))
		return "cannot allocate";
	slot = fpga_register(ch, b.fd, 0, 0);
	if (slot < 0)
		verdict = "cannot register a buffer";
	else if (fpga_capture(ch, slot, &done))
		verdict = "cannot capture";
	else
		verdict = done.status ? "the capture failed" : "ok";
	buffer_free(&b);
	return verdict;
}

const char *channel_usable(void)
{
	int ch = fpga_open(0, O_RDWR);
	const char *verdict;

	if (ch < 0)
		return "cannot open the channel";
	verdict = capture_one(ch, 4096);
	close(ch);
	return verdict;
}

bool bounced(void)
{
	char line[4096] = "";
	FILE *f;

	f = fopen("/proc/cmdline", "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return strstr(line, "swiotlb=force");
}

__s64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

void pass_time(__s64 ns)
{
	struct timespec ts = { .tv_sec = ns / SEC, .tv_nsec = ns % SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		count++;
	closedir(dir);
	/* ".", ".." and the directory's own */
	return count - 3;
}

int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1 ? 0 : -errno;
}

int recv_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

int run_program(const char *const argv[])
{
	int ret, status;
	pid_t pid;

	ret = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv,
			   environ);
	if (ret)
		return -ret;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

atomic_uint *shared_counters(unsigned int num)
{
	void *page = mmap(NULL, num * sizeof(atomic_uint),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

bool counts_on(atomic_uint *counter)
{
	const unsigned int before = *counter;
	__s64 end = now_ns() + 10 * SEC;

	while (*counter == before && now_ns() < end)
		pass_time(MSEC);
	return *counter != before;
}

long memory_kib(const char *key)
{
	char line[128];
	long value = -1;
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	if (!f)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), ": %ld", &value);
	fclose(f);
	return value;
}

long long env_number(const char *name, long long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoll(text, NULL, 0) : otherwise;
}

unsigned int test_seed(void)
{
	static unsigned int seed;

	if (seed)
		return seed;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = now_ns();
	seed = env_number("FPGABUF_SEED", seed);
	printf("# seed %u: run with FPGABUF_SEED=%u to repeat\n", seed, seed);
	fflush(stdout);
	return seed;
}

int read_first_line(const char *path, char *line, size_t len)
{
	FILE *f = fopen(path, "re");
	int ret = 0;

	if (!f)
		return -errno;
	if (!fgets(line, len, f))
		ret = -ENODATA;
	else
		line[strcspn(line, "\n")] = '\0';
	fclose(f);
	return ret;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int driver_write(const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s",
		 SIM_DRIVER, file);
	return write_file(path, SIM_DEVICE);
}

bool module_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

static char missing[96];

const char *module_missing(const char *name)
{
	snprintf(missing, sizeof(missing), "%s is not loaded", name);
	return module_loaded(name) ? NULL : missing;
}

const char *file_missing(const char *path)
{
	snprintf(missing, sizeof(missing), "no %s: built without the modules",
		 path);
	return access(path, F_OK) ? missing : NULL;
}

static const char *modules[2];
static unsigned int num_modules;

static void remove_modules(void)
{
	while (num_modules) {
		const char *const argv[] = {
			"modprobe", "-r", modules[--num_modules], NULL,
		};

		run_program(argv);
	}
}

void load_module(const char *name, const char *param)
{
	const char *const argv[] = { "modprobe", "-q", name, param, NULL };

	if (module_loaded(name) || num_modules == ARRAY_LEN(modules) ||
	    run_program(argv))
		return;
	if (!num_modules)
		atexit(remove_modules);
	modules[num_modules++] = name;
}

int trace_events(const char *system, bool on)
{
	char path[128];
	int ret;

	/* It may be there already. */
	mount("nodev", TRACEFS, "tracefs", 0, NULL);
	snprintf(path, sizeof(path), TRACEFS "/events/%s/enable", system);
	if (access(path, W_OK))
		return -ENOENT;
	ret = on ? write_file(TRACEFS "/trace", "") : 0;
	return ret ?: write_file(path, on ? "1" : "0");
}

int trace_count(const char *text)
{
	char line[512];
	int count = 0;
	FILE *f = fopen(TRACEFS "/trace", "re");

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		count += !!strstr(line, text);
	fclose(f);
	return count;
}

int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0 || lseek(log, 0, SEEK_END) < 0)
		return -errno;
	return log;
}

bool log_says(int log, const char *what, const char *help)
{
	char line[1024];
	const char *found;
	ssize_t len;

	while ((len = read(log, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		found = strstr(line, what);
		if (found && strstr(found, help))
			return true;
	}
	return false;
}

void *no_access_page(void)
{
	return mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

void *read_only_copy(const void *data, size_t len)
{
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, data, len);
	mprotect(page, page_size(), PROT_READ);
	return page;
}

static void do_nothing(int sig)
{
	(void)sig;
}

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

int touch(const volatile void *address)
{
	struct sigaction act = { .sa_handler = on_fault }, old;
	int sig;

	sigaction(SIGBUS, &act, &old);
	sig = sigsetjmp(fault, 1);
	if (!sig)
		(void)*(const volatile char *)address;
	sigaction(SIGBUS, &old, NULL);
	return sig;
}

int catch_signal(int sig)
{
	struct sigaction action = { .sa_handler = do_nothing };

	return sigaction(sig, &action, NULL) ? -errno : 0;
}
