// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program in a process of its own, with several threads. The process
 * runs many programs, closing all files in between, until one of them ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fuzz.h"

/* <linux/kcov.h>, which old headers do not have */
#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_TRACE_PC	0
#define KCOV_TRACE_CMP	1

/* A call that takes longer does not keep the next ones from being made. */
#define PATIENCE	(20 * MSEC)
/* After that time calls that still block are interrupted, again and again. */
#define INTERRUPT_AFTER	(300 * MSEC)
#define MAX_FILES	256

struct shared *shared;

static unsigned int num_threads;
static int kcov[MAX_THREADS];
static __u64 *cover[MAX_THREADS];

/* The session's side: the process, and pipes to and from it */
static pid_t child;
static int to_child = -1, from_child = -1;

/* The process's side: all protected by lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
/* Counts the programs that were begun */
static unsigned int round_number;
/* Threads that are not done with this one */
static unsigned int busy;
/* Calls before this one have been made, or are not waited for. */
static unsigned int turn;
static bool made[MAX_CALLS];
static pthread_t threads[MAX_THREADS];
/* All threads have their files. */
static pthread_barrier_t started;

__s64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

/* ---- Coverage ---- */

static int cover_open(unsigned int thread)
{
	void *p;
	int fd;

	fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, KCOV_INIT_TRACE, COVER_WORDS))
		goto err_close;
	p = mmap(NULL, COVER_WORDS * sizeof(__u64), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		goto err_close;
	kcov[thread] = fd;
	cover[thread] = p;
	return 0;

err_close:
	close(fd);
	return -ENODEV;
}

bool exec_has_cover(void)
{
	return cover[0];
}

const __u64 *exec_cover(unsigned int thread)
{
	return cover[thread];
}

static void cover_begin(unsigned int thread)
{
	int mode = shared->cover == COVER_CMP ? KCOV_TRACE_CMP : KCOV_TRACE_PC;

	if (!cover[thread] || !shared->cover)
		return;
	__atomic_store_n(&cover[thread][0], 0, __ATOMIC_RELAXED);
	if (ioctl(kcov[thread], KCOV_ENABLE, mode))
		perror("fuzz: KCOV_ENABLE");
}

static void cover_end(unsigned int thread)
{
	if (cover[thread] && shared->cover)
		ioctl(kcov[thread], KCOV_DISABLE, 0);
}

/* ---- In the process ---- */

static void wait_changed(__s64 until)
{
	struct timespec ts = { .tv_sec = until / SEC, .tv_nsec = until % SEC };

	if (until)
		pthread_cond_timedwait(&changed, &lock, &ts);
	else
		pthread_cond_wait(&changed, &lock);
}

static void wait_turn(unsigned int index)
{
	__s64 until = now_ns() + PATIENCE;

	if (index > shared->prog.race)
		index = shared->prog.race;
	pthread_mutex_lock(&lock);
	while (turn < index && now_ns() < until)
		wait_changed(until);
	if (turn < index)
		turn = index;
	pthread_mutex_unlock(&lock);
}

static void was_made(unsigned int index, long ret)
{
	pthread_mutex_lock(&lock);
	shared->results[index] = ret < 0 ? ret : 1;
	made[index] = true;
	while (turn < shared->prog.num_calls && made[turn])
		turn++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void make_calls(unsigned int thread)
{
	const struct program *prog = &shared->prog;
	unsigned int i;

	for (i = 0; i < prog->num_calls; i++) {
		if (prog->calls[i].thread % num_threads != thread)
			continue;
		wait_turn(i);
		was_made(i, call_make(prog, i));
	}
}

/* The first thread waits for the others, and closes what the program opened. */
static void end_program(void)
{
	pthread_mutex_lock(&lock);
	while (busy > 1)
		wait_changed(0);
	pthread_mutex_unlock(&lock);
	if (shared->prog.ending != END_EXIT)
		calls_end(shared->prog.ending == END_UNMAP);
}

static void *thread_main(void *arg)
{
	unsigned int thread = (uintptr_t)arg;
	unsigned int round = 0;

	if (calls_init_thread())
		_exit(3);
	pthread_barrier_wait(&started);
	for (;;) {
		pthread_mutex_lock(&lock);
		while (round == round_number)
			wait_changed(0);
		round = round_number;
		pthread_mutex_unlock(&lock);

		cover_begin(thread);
		make_calls(thread);
		if (!thread)
			end_program();
		cover_end(thread);

		pthread_mutex_lock(&lock);
		busy--;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void interrupt_threads(void)
{
	unsigned int i;

	for (i = 0; i < num_threads; i++)
		pthread_kill(threads[i], SIGUSR1);
}

static void run_program(void)
{
	const struct program *prog = &shared->prog;
	__s64 until = now_ns() + INTERRUPT_AFTER;

	calls_begin();
	pthread_mutex_lock(&lock);
	if (prog->ending == END_KILL)
		until = now_ns() + prog->kill_us * 1000LL;
	memset(made, 0, sizeof(made));
	turn = 0;
	busy = num_threads;
	round_number++;
	pthread_cond_broadcast(&changed);
	while (busy) {
		wait_changed(until);
		if (now_ns() < until)
			continue;
		if (prog->ending == END_KILL)
			kill(getpid(), SIGKILL);
		interrupt_threads();
		until = now_ns() + PATIENCE;
	}
	pthread_mutex_unlock(&lock);
}

static void do_nothing(int sig)
{
	(void)sig;
}

static void child_setup(void)
{
	struct rlimit no_core = { 0 }, files = { MAX_FILES, MAX_FILES };
	struct sigaction action = { .sa_handler = do_nothing };
	pthread_condattr_t attr;
	uintptr_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_NOFILE, &files);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	if (calls_init())
		_exit(3);
	pthread_barrier_init(&started, NULL, num_threads + 1);
	for (i = 0; i < num_threads; i++)
		if (pthread_create(&threads[i], NULL, thread_main, (void *)i))
			_exit(3);
	pthread_barrier_wait(&started);
}

static void child_main(int commands, int done)
{
	char byte;

	child_setup();
	while (read(commands, &byte, 1) == 1) {
		run_program();
		if (shared->prog.ending == END_EXIT)
			break;
		if (write(done, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

/* ---- In the session ---- */

int exec_init(unsigned int count)
{
	unsigned int i;
	int ret;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -ENOMEM;
	num_threads = count;
	for (i = 0; i < count; i++) {
		ret = cover_open(i);
		if (ret)
			return i ? ret : 0;
	}
	return 0;
}

bool exec_alive(void)
{
	return child;
}

/* The kernel's own heap takes all memory that it is asked for: the parent must survive that. */
static void be_killed_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		perror("fuzz: /proc/self/oom_score_adj");
	close(fd);
}

static int spawn(void)
{
	int commands[2], done[2];

	if (pipe2(commands, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	child = fork();
	if (!child) {
		close(commands[1]);
		close(done[0]);
		be_killed_first();
		child_main(commands[0], done[1]);
	}
	close(commands[0]);
	close(done[1]);
	to_child = commands[1];
	from_child = done[0];
	return child < 0 ? -errno : 0;
}

/* Wait until the process is gone: its status, or -1 */
static int reap(unsigned int limit_s)
{
	__s64 until = now_ns() + limit_s * SEC;
	int status;

	while (waitpid(child, &status, WNOHANG) != child) {
		if (now_ns() > until)
			return -1;
		poll(NULL, 0, 2);
	}
	close(to_child);
	close(from_child);
	to_child = -1;
	from_child = -1;
	child = 0;
	return status;
}

static void say_to_kernel_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror("fuzz: /dev/kmsg");
	close(fd);
}

/* Where the threads of the process wait, in the kernel's log */
static void show_threads(void)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "for s in /proc/%d/task/*/stack; do echo \"fuzz: $s\"; cat $s; done >/dev/kmsg",
		 child);
	say_to_kernel_log("fuzz: a program does not end\n");
	if (system(command))
		perror("fuzz: cannot tell where it waits");
}

static enum outcome end_by_force(unsigned int limit_s)
{
	show_threads();
	kill(child, SIGKILL);
	return reap(limit_s) == -1 ? HANGS : SLOW;
}

static bool ends_process(const struct program *prog)
{
	return prog->ending == END_EXIT || prog->ending == END_KILL;
}

enum outcome exec_run(unsigned int limit_s)
{
	struct pollfd pfd = { .events = POLLIN };
	char byte = 0;
	int status;

	memset(shared->results, 0, sizeof(shared->results));
	if (!child && spawn())
		return DIED;
	if (write(to_child, &byte, 1) != 1)
		return reap(limit_s) == -1 ? end_by_force(limit_s) : DIED;
	pfd.fd = from_child;
	if (poll(&pfd, 1, limit_s * 1000) <= 0)
		return end_by_force(limit_s);
	if (read(from_child, &byte, 1) == 1)
		return RAN;
	status = reap(limit_s);
	if (status == -1)
		return end_by_force(limit_s);
	if (!ends_process(&shared->prog) || WIFEXITED(status))
		return status ? DIED : RAN;
	return WTERMSIG(status) == SIGKILL ? RAN : DIED;
}

enum outcome exec_stop(unsigned int limit_s)
{
	if (!child)
		return RAN;
	close(to_child);
	to_child = -1;
	return reap(limit_s) == -1 ? end_by_force(limit_s) : RAN;
}
