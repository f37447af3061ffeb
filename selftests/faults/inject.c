// SPDX-License-Identifier: GPL-2.0
/*
 * Injecting faults, and looking for what they leave behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "inject.h"

#define DEBUG		"/sys/kernel/debug"
#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FREE_LIMIT	"/sys/module/fpgabuf_exporter/parameters/free_limit"

/* More allocations than any call makes */
#define MAX_FAULTS	20000

static char verdict[256];

static const char *wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(verdict, sizeof(verdict), format, args);
	va_end(args);
	return verdict;
}

static const char *inject_missing(void)
{
	static const struct {
		const char *path;
		const char *value;
		const char *config;
	} settings[] = {
		{ "failslab/ignore-gfp-wait", "N", "FAILSLAB" },
		{ "failslab/verbose", "0", "FAILSLAB" },
		{ "fail_page_alloc/ignore-gfp-wait", "N", "FAIL_PAGE_ALLOC" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N",
		  "FAIL_PAGE_ALLOC" },
		{ "fail_page_alloc/min-order", "0", "FAIL_PAGE_ALLOC" },
		{ "fail_page_alloc/verbose", "0", "FAIL_PAGE_ALLOC" },
	};
	struct totals totals;
	char path[128];
	unsigned int i;

	if (access(FAIL_NTH, W_OK))
		return "no " FAIL_NTH ": CONFIG_FAULT_INJECTION is off in this kernel";
	/* Mounts debugfs. */
	totals_read(&totals);
	for (i = 0; i < ARRAY_LEN(settings); i++) {
		snprintf(path, sizeof(path), DEBUG "/%s", settings[i].path);
		if (write_file(path, settings[i].value))
			return wrong("cannot set %s: CONFIG_%s or its debugfs is off",
				     path, settings[i].config);
	}
	return NULL;
}

int inject_set_up(void)
{
	const char *missing = test_channel_missing(CHANNEL);

	/* A buffer that is kept would spare the allocations that shall fail. */
	if (!missing && write_file(FREE_LIMIT, "0"))
		missing = "cannot write to " FREE_LIMIT;
	if (missing)
		return cannot_test("faults", missing, true);
	missing = inject_missing();
	return missing ? cannot_test("faults", missing, false) : 0;
}

/* Opened once, and by whom it is used: a fault is one task's. */
static int fail_nth_open(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return fd;
}

int inject_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);
	int fd = fail_nth_open();

	return pwrite(fd, text, len, 0) == len ? 0 : -errno;
}

/* Allocations that are left until the fault; 0: it happened. */
static int faults_left(void)
{
	char text[16] = "";

	if (pread(fail_nth_open(), text, sizeof(text) - 1, 0) <= 0)
		return -errno;
	return atoi(text);
}

static const char *const modules[] = {
	"fpgabuf_exporter", "fpgabuf_importer", "fpgabuf_dma", "fpgabuf_sim",
	"fpgabuf_heaps",
};

/**
 * struct state - what a call that failed must not change
 * @fds: open files of this program
 * @refs: users of each module, -1: not loaded
 * @totals: buffers of the exporter
 */
struct state {
	int fds;
	int refs[ARRAY_LEN(modules)];
	struct totals totals;
};

static int module_refs(const char *name)
{
	char path[64];
	int refs = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &refs) != 1)
		refs = -2;
	fclose(f);
	return refs;
}

static void state_read(struct state *state)
{
	unsigned int i;

	memset(state, 0, sizeof(*state));
	state->fds = open_fds();
	for (i = 0; i < ARRAY_LEN(modules); i++)
		state->refs[i] = module_refs(modules[i]);
	/* Without an exporter there is none of it. */
	if (state->refs[0] >= 0 && totals_read(&state->totals))
		state->fds = -1;
}

/* NULL, or what is not as it was. */
static const char *state_differs(const struct state *before)
{
	struct state now;
	unsigned int i;

	state_read(&now);
	if (now.fds != before->fds)
		return "the number of open files";
	for (i = 0; i < ARRAY_LEN(modules); i++)
		if (now.refs[i] != before->refs[i])
			return modules[i];
	if (!totals_equal(&now.totals, &before->totals))
		return "the number of buffers";
	return NULL;
}

/* A fence that nobody has any more holds its module until RCU has freed it. */
static const char *state_changed(const struct state *before)
{
	__s64 end = now_ns() + 5 * SEC;
	const char *what;

	while ((what = state_differs(before)) && now_ns() < end)
		pass_time(MSEC);
	return what;
}

/*
 * What it is like when all that is on its way has come: what RCU frees holds its
 * module until then, and the kernel waits for that here.
 */
static void state_settle(struct state *state)
{
	do {
		syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		state_read(state);
		pass_time(20 * MSEC);
	} while (state_differs(state));
}

/**
 * struct sweep - all faults of a call
 * @call: the call
 * @ctx: for it
 * @before: what must stay as it is
 * @failed: faults that made it fail
 * @survived: faults that it did without
 */
struct sweep {
	const struct fault_call *call;
	void *ctx;
	struct state before;
	unsigned int failed;
	unsigned int survived;
};

static bool may_fail(const struct fault_call *call, int ret)
{
	unsigned int i;

	if (ret == -ENOMEM)
		return true;
	for (i = 0; i < ARRAY_LEN(call->errnos); i++)
		if (call->errnos[i] && ret == -call->errnos[i])
			return true;
	return false;
}

static unsigned int failures;

unsigned int fault_failures(void)
{
	return failures;
}

static int prepare(const struct sweep *s)
{
	return s->call->prepare ? s->call->prepare(s->ctx) : 0;
}

static void undo(const struct sweep *s, int ret)
{
	if (ret >= 0 && s->call->undo)
		s->call->undo(s->ctx, ret);
}

static int once(const struct sweep *s)
{
	int ret = prepare(s);

	if (ret >= 0)
		ret = s->call->call(s->ctx);
	undo(s, ret);
	return ret;
}

/* The call with no fault; @when says what came before. */
static const char *plain(const struct sweep *s, const char *when,
			 unsigned int n)
{
	const char *changed;
	int ret = once(s);

	if (ret < 0)
		return wrong("%s %s %u: %s", s->call->name, when, n,
			     strerror(-ret));
	changed = state_changed(&s->before);
	if (changed)
		return wrong("%s %s %u: changed: %s", s->call->name, when, n,
			     changed);
	return NULL;
}

/* The call with fault @n; *@more: whether there was one. */
static const char *faulty(struct sweep *s, unsigned int n, bool *more)
{
	const char *changed;
	int ret = prepare(s), rest;

	if (ret < 0)
		return wrong("%s cannot be prepared: %s", s->call->name,
			     strerror(-ret));
	if (inject_nth(n))
		return wrong("%s: fail-nth cannot be set", s->call->name);
	ret = s->call->call(s->ctx);
	rest = faults_left();
	if (rest < 0 || inject_nth(0))
		return wrong("%s: fail-nth cannot be read", s->call->name);
	*more = !rest;
	if (ret < 0 && (rest || !may_fail(s->call, ret)))
		return wrong("%s with fault %u: %s", s->call->name, n,
			     strerror(-ret));

	undo(s, ret);
	changed = state_changed(&s->before);
	if (changed)
		return wrong("%s with fault %u (%s): changed: %s",
			     s->call->name, n, ret < 0 ? "failed" : "succeeded",
			     changed);
	if (rest)
		return NULL;
	if (ret >= 0) {
		s->survived++;
		return NULL;
	}
	s->failed++;
	failures++;
	return plain(s, "after fault", n);
}

/* The first fault to try */
static int first_fault(const struct sweep *s)
{
	int ret, rest;

	if (!s->call->leave)
		return 1;
	if (prepare(s) || inject_nth(MAX_FAULTS))
		return -EIO;
	ret = s->call->call(s->ctx);
	rest = faults_left();
	inject_nth(0);
	undo(s, ret);
	if (ret < 0 || rest <= 0)
		return -EIO;
	rest = MAX_FAULTS - rest - s->call->leave;
	return rest > 0 ? rest : 1;
}

/*
 * "ok", or: the faults that were met are not those that the call should meet. Of a
 * few of them, one in a stride may be none.
 */
static const char *enough(const struct sweep *s)
{
	const unsigned int met = s->failed + s->survived;
	const unsigned int min = s->call->stride > 1 ? 0 : s->call->min ?: 1;

	if (s->call->none && met)
		return wrong("%s: %u faults, but %s", s->call->name, met,
			     s->call->none);
	if (!s->call->none && met < min)
		return wrong("%s: %u faults, not %u", s->call->name, met, min);
	return "ok";
}

static const char *sweep(struct sweep *s)
{
	const unsigned int stride = s->call->stride ?: 1;
	const char *trouble;
	bool more = true;
	int n, first;

	/* What is allocated once and kept */
	n = once(s);
	if (n < 0)
		return wrong("%s with no fault: %s", s->call->name,
			     strerror(-n));
	state_settle(&s->before);
	first = first_fault(s);
	if (first < 0)
		return wrong("%s: its faults cannot be counted", s->call->name);
	n = first + (stride > 1 ? test_seed() % stride : 0);
	for (; more; n += stride) {
		if (n > MAX_FAULTS)
			return wrong("%s: no end of faults", s->call->name);
		trouble = faulty(s, n, &more);
		if (trouble)
			return trouble;
	}
	printf("# %s: %u faults", s->call->name, s->failed + s->survived);
	if (first > 1)
		printf(" after %d that were left out", first - 1);
	printf(", %u made it fail\n", s->failed);
	fflush(stdout);
	return enough(s);
}

const char *fault_each(const struct fault_call *call, void *ctx)
{
	struct sweep s = { .call = call, .ctx = ctx };

	/* It stays open, so it must count in what was before. */
	if (inject_nth(0))
		return wrong(FAIL_NTH ": %s", strerror(errno));
	return sweep(&s);
}
