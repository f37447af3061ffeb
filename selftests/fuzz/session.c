// SPDX-License-Identifier: GPL-2.0
/*
 * What runs, and what is kept: programs that run new code in the corpus, and
 * the last programs before the kernel reports something. These are in a file
 * before they run, which another machine has to keep: the kernel may panic.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_CORPUS	4096
#define MAX_OPS		256
#define MAX_ERRNO	134
/* Programs that a report comes with */
#define RECENT		64
/* A process makes the calls of so many programs at most. */
#define PER_PROCESS	32
/* No call blocks for that long: the engine is given 10 s at most. */
#define HANG_S		90
#define LEFT_S		15
#define MAX_REPORTS	8
#define PROGRESS_S	30
#define MAX_FRESH	256
#define HINTS		8
#define EDGES		(1 << 18)
#define BUFFERS		"/sys/kernel/debug/fpgabuf/buffers"

/**
 * struct set - of numbers other than 0, by open addressing
 * @keys: 0: free
 * @size: a power of two
 * @used: how many there are
 */
struct set {
	__u64 *keys;
	size_t size, used;
};

static const struct options *opts;
static struct totals *totals;
/* Per kind of call; of errors, how often each errno was returned */
static unsigned long op_made[MAX_OPS], op_succeeded[MAX_OPS];
static unsigned int op_errors[MAX_OPS][MAX_ERRNO];

static struct program *corpus;
static unsigned int corpus_size;

static struct set blocks, edges, wanted;
/* Edges that no program had before this one, and whether there was a block */
static __u64 fresh[MAX_FRESH];
static unsigned int num_fresh;
static bool fresh_block;

static char recent[RECENT][MAX_TEXT];
static size_t recent_len[RECENT];
static __u32 program_number;
static unsigned int in_process;

static int running = -1, kernel_log = -1;
static long buffers_before;
static __s64 began, next_progress;
static bool stopped;

/* ---- Sets ---- */

static int set_init(struct set *set, size_t size)
{
	set->size = size;
	set->used = 0;
	set->keys = calloc(size, sizeof(*set->keys));
	return set->keys ? 0 : -ENOMEM;
}

static void set_clear(struct set *set)
{
	memset(set->keys, 0, set->size * sizeof(*set->keys));
	set->used = 0;
}

static __u64 *set_find(const struct set *set, __u64 key)
{
	size_t at = (key * 0x9e3779b97f4a7c15ULL) >> 32;

	for (at &= set->size - 1; set->keys[at] && set->keys[at] != key;
	     at = (at + 1) & (set->size - 1))
		;
	return &set->keys[at];
}

/* Whether it was not there */
static bool set_add(struct set *set, __u64 key)
{
	__u64 *at = set_find(set, key);

	if (*at || set->used > set->size * 3 / 4)
		return false;
	*at = key;
	set->used++;
	return true;
}

/* Whether it was there */
static bool set_remove_once(struct set *set, __u64 key)
{
	__u64 *at = set_find(set, key);

	if (*at != key)
		return false;
	/* Leaves a key that nothing looks for, so that chains stay whole. */
	*at = 1;
	set->used--;
	return true;
}

/* ---- Coverage ---- */

static __u64 edge(__u64 from, __u64 to)
{
	return (from * 0x9e3779b97f4a7c15ULL ^ to) | 2;
}

static void cover_merge_thread(const __u64 *trace)
{
	__u64 i, key, from = 0;

	for (i = 1; i <= trace[0] && i < COVER_WORDS; i++) {
		if (set_add(&blocks, trace[i]))
			fresh_block = true;
		key = edge(from, trace[i]);
		from = trace[i];
		if (set_add(&edges, key) && num_fresh < MAX_FRESH)
			fresh[num_fresh++] = key;
	}
}

/* What ran for the first time is in fresh. */
static void cover_merge(void)
{
	unsigned int thread;

	num_fresh = 0;
	fresh_block = false;
	for (thread = 0; exec_has_cover() && thread < opts->threads; thread++)
		cover_merge_thread(exec_cover(thread));
}

/* How many of the edges in @keys the last program had; these come first. */
static unsigned int cover_check(__u64 *keys, unsigned int count)
{
	unsigned int i, thread, found = 0;
	__u64 from, key;

	set_clear(&wanted);
	for (i = 0; i < count; i++)
		set_add(&wanted, keys[i]);
	for (thread = 0; thread < opts->threads; thread++) {
		const __u64 *trace = exec_cover(thread);

		from = 0;
		for (i = 1; i <= trace[0] && i < COVER_WORDS; i++) {
			key = edge(from, trace[i]);
			from = trace[i];
			if (set_remove_once(&wanted, key))
				keys[found++] = key;
		}
	}
	return found;
}

/* ---- Reports ---- */

static long buffers_left(void)
{
	long long count, sum = 0;
	FILE *f = fopen(BUFFERS, "re");

	while (f && fscanf(f, "%*s %lld %*s", &count) == 1)
		sum += count;
	if (f)
		fclose(f);
	return sum;
}

static FILE *open_report(void)
{
	char path[512];

	if (!opts->dir)
		return NULL;
	snprintf(path, sizeof(path), "%s/report-%lu", opts->dir,
		 totals->reports);
	return fopen(path, "we");
}

/* The last programs, and what is wrong below them */
static void report(const char *what)
{
	FILE *f = open_report();
	unsigned int i, at;

	totals->reports++;
	fprintf(stderr, "fuzz: program %u: %s\n", program_number, what);
	for (i = 1; f && i <= RECENT; i++) {
		at = (program_number + i) % RECENT;
		fwrite(recent[at], 1, recent_len[at], f);
	}
	if (f) {
		fprintf(f, "# %s\n", what);
		fclose(f);
	}
	if (totals->reports >= MAX_REPORTS)
		stopped = true;
}

/* The scanner of the whole log, on the host, knows better what is harmless. */
static bool is_trouble(const char *line)
{
	static const char *const signs[] = {
		"BUG:", "WARNING:", "KASAN:", "UBSAN:", "INFO:", "DMA-API:",
		"refcount_t:", "corruption", "ODEBUG:", "possible deadlock",
		"sleeping function", "blocked for more than", "invoked oom",
		"released with pending", "Objects remaining", "bad unlock",
		"allocation failure:",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(signs); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

static void check_kernel_log(void)
{
	static __s64 last;
	char line[8192];
	ssize_t len;
	char *text;

	while (kernel_log >= 0) {
		len = read(kernel_log, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return;
		line[len] = '\0';
		text = strchr(line, ';');
		line[strcspn(line, "\n")] = '\0';
		/* One report, many lines */
		if (!text || !is_trouble(text) || now_ns() < last + 2 * SEC)
			continue;
		last = now_ns();
		report(text + 1);
		/* Whoever reads the log as a whole decides. */
		totals->of_kernel++;
	}
}

/* With no process there must be no buffer. */
static void check_left(void)
{
	__s64 until = now_ns() + LEFT_S * SEC;
	char text[64];
	long left;

	while ((left = buffers_left()) != buffers_before) {
		if (now_ns() > until) {
			snprintf(text, sizeof(text), "%ld buffers are left",
				 left - buffers_before);
			report(text);
			buffers_before = left;
			return;
		}
		usleep(10000);
	}
}

/* ---- Running ---- */

static void write_running(const struct program *prog)
{
	unsigned int at = prog->number % RECENT;
	size_t len, before = recent_len[at];

	len = program_print(prog, recent[at], MAX_TEXT);
	recent_len[at] = len;
	if (running < 0)
		return;
	if (before > len)
		memset(recent[at] + len, 0, before - len);
	if (pwrite(running, recent[at], before > len ? before : len,
		   (off_t)at * MAX_TEXT) < 0)
		perror("fuzz: cannot write what is running");
}

static void count_calls(const struct program *prog)
{
	unsigned int i;

	totals->programs++;
	for (i = 0; i < prog->num_calls; i++) {
		if (!shared->results[i])
			continue;
		totals->calls++;
		op_made[prog->calls[i].op]++;
		if (shared->results[i] < 0) {
			op_errors[prog->calls[i].op]
				 [-shared->results[i] % MAX_ERRNO]++;
			continue;
		}
		totals->succeeded++;
		op_succeeded[prog->calls[i].op]++;
	}
}

static void judge(enum outcome outcome)
{
	if (outcome == DIED) {
		totals->died++;
		fprintf(stderr, "fuzz: program %u: its process died\n",
			program_number);
	} else if (outcome == SLOW) {
		report("does not end in time");
	} else if (outcome == HANGS) {
		report("hangs, and cannot be killed");
		stopped = true;
	}
}

static void progress(void)
{
	__s64 now = now_ns();

	if (opts->seconds && now > began + opts->seconds * SEC)
		stopped = true;
	if (opts->programs && totals->programs >= opts->programs)
		stopped = true;
	if (opts->quiet || now < next_progress)
		return;
	next_progress = now + PROGRESS_S * SEC;
	printf("%4lld s: %lu programs, %lu calls, %lu%% ok, %zu blocks, %zu edges, corpus %u\n",
	       (now - began) / SEC, totals->programs, totals->calls,
	       totals->calls ? totals->succeeded * 100 / totals->calls : 0,
	       blocks.used, edges.used, corpus_size);
	fflush(stdout);
}

static void end_process(void)
{
	judge(exec_stop(HANG_S));
	in_process = 0;
}

/*
 * Allocations that fail come late, since with them the DMA-API debugger has no
 * memory sooner or later, and checks no more.
 */
static bool late(void)
{
	return opts->repro || now_ns() > began + opts->seconds * SEC / 2;
}

/* Run a program; all that can be wrong is looked for afterwards. */
static void run(struct program *prog, enum cover_mode cover)
{
	prog->number = ++program_number;
	write_running(prog);
	shared->prog = *prog;
	shared->cover = exec_has_cover() ? cover : COVER_NONE;
	shared->faults = opts->faults && late();
	judge(exec_run(HANG_S));
	count_calls(prog);
	if (++in_process >= PER_PROCESS)
		end_process();
	if (program_resets(prog))
		device_reset();
	if (!exec_alive() && !stopped) {
		in_process = 0;
		check_left();
	}
	check_kernel_log();
	progress();
}

/* ---- The corpus ---- */

static void corpus_path(const struct program *prog, char *path, size_t size)
{
	struct program copy = *prog;
	__u64 hash = 0xcbf29ce484222325ULL;
	static char text[MAX_TEXT];
	size_t i, len;

	copy.number = 0;
	len = program_print(&copy, text, sizeof(text));
	for (i = 0; i < len; i++)
		hash = (hash ^ (__u8)text[i]) * 0x100000001b3ULL;
	snprintf(path, size, "%s/corpus/%016llx", opts->dir, hash);
}

static void corpus_save(const struct program *prog)
{
	static char text[MAX_TEXT];
	char path[512];
	FILE *f;

	corpus_path(prog, path, sizeof(path));
	f = fopen(path, "we");
	if (!f)
		return;
	fwrite(text, 1, program_print(prog, text, sizeof(text)), f);
	fclose(f);
}

static void corpus_add(const struct program *prog, bool save)
{
	if (corpus_size == MAX_CORPUS)
		return;
	corpus[corpus_size++] = *prog;
	if (save && opts->dir)
		corpus_save(prog);
}

/* Leave out each call without which the new edges are there all the same. */
static void minimise(struct program *prog, __u64 *keys, unsigned int count)
{
	static struct program shorter;
	__u64 copy[MAX_FRESH];
	unsigned int i;

	for (i = prog->num_calls; i-- && !stopped;) {
		shorter = *prog;
		program_remove(&shorter, i);
		if (!shorter.num_calls)
			return;
		run(&shorter, COVER_PC);
		memcpy(copy, keys, count * sizeof(*keys));
		if (cover_check(copy, count) == count)
			*prog = shorter;
	}
}

/* Run a program, and keep it if it ran new code. */
static bool consider(struct program *prog, bool is_saved)
{
	static struct program kept;
	__u64 keys[MAX_FRESH];
	unsigned int count;
	bool with_block;

	run(prog, COVER_PC);
	cover_merge();
	if (!num_fresh || stopped)
		return false;
	kept = *prog;
	if (is_saved) {
		corpus_add(&kept, false);
		return true;
	}
	count = num_fresh;
	with_block = fresh_block;
	memcpy(keys, fresh, count * sizeof(*keys));
	run(&kept, COVER_PC);
	count = cover_check(keys, count);
	/* An order of threads that does not come again is worth little. */
	if (!count && !with_block)
		return false;
	if (count)
		minimise(&kept, keys, count);
	corpus_add(&kept, true);
	return true;
}

static void load_file(const char *path, bool is_saved)
{
	static struct program prog;
	FILE *f = fopen(path, "re");
	bool kept = true;

	if (!f) {
		fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
		return;
	}
	while (!stopped && program_read(f, &prog) == 1) {
		kept = consider(&prog, is_saved);
		if (!exec_has_cover())
			corpus_add(&prog, false);
	}
	fclose(f);
	if (is_saved && exec_has_cover() && !kept && !stopped)
		unlink(path);
}

static void load_corpus(void)
{
	struct dirent *entry;
	char path[512];
	DIR *dir;

	if (opts->seeds)
		load_file(opts->seeds, false);
	if (!opts->dir)
		return;
	snprintf(path, sizeof(path), "%s/corpus", opts->dir);
	mkdir(path, 0777);
	dir = opendir(path);
	while (dir && !stopped && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/corpus/%s", opts->dir,
			 entry->d_name);
		load_file(path, true);
	}
	if (dir)
		closedir(dir);
}

static const struct program *pick(void)
{
	unsigned int from = 0;

	/* What came last leads on more often. */
	if (draw(2))
		from = corpus_size * 7 / 8;
	return &corpus[from + draw(corpus_size - from)];
}

/* ---- Comparisons ---- */

/**
 * struct hint - a value of a program that the kernel has compared
 * @call: the call
 * @value: which value of it
 * @with: what it would have to be to be equal
 */
struct hint {
	unsigned int call, value;
	__u64 with;
};

static unsigned int num_hints;

/* Each of all that are found is kept with the same probability. */
static void hint_add(struct hint *hints, struct hint hint)
{
	unsigned int at = num_hints++;

	if (at >= HINTS)
		at = draw(num_hints);
	if (at < HINTS)
		hints[at] = hint;
}

static void hints_of(const struct program *prog, __u64 is, __u64 with,
		     __u64 mask, struct hint *hints)
{
	unsigned int i, j, elem, count;

	for (i = 0; i < prog->num_calls; i++) {
		const struct call *call = &prog->calls[i];

		count = num_values(&ops[call->op]);
		for (j = 0; j < count; j++) {
			__u64 value = call->values[j];
			enum type type = value_field(&ops[call->op], j,
						     &elem)->type;

			if (type == T_RES || type == T_PTR ||
			    (value & mask) != is || (!value && draw(50)))
				continue;
			hint_add(hints, (struct hint){
				i, j, (value & ~mask) | with });
		}
	}
}

static void hints_of_thread(const struct program *prog, const __u64 *trace,
			    struct hint *hints)
{
	__u64 i, mask;

	for (i = 0; i < trace[0] && 4 * i + 4 < COVER_WORDS; i++) {
		const __u64 *record = &trace[1 + 4 * i];
		unsigned int bits = 8 << (record[0] >> 1 & 3);

		mask = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
		if ((record[1] & mask) == (record[2] & mask) || draw(8))
			continue;
		hints_of(prog, record[2] & mask, record[1] & mask, mask,
			 hints);
		/* Where neither is a constant, either may be ours. */
		if (!(record[0] & 1))
			hints_of(prog, record[1] & mask, record[2] & mask,
				 mask, hints);
	}
}

/* Run a program with values that the kernel has compared its own with. */
static void use_comparisons(const struct program *from)
{
	static struct program prog, changed;
	struct hint hints[HINTS];
	unsigned int i;

	prog = *from;
	num_hints = 0;
	run(&prog, COVER_CMP);
	for (i = 0; i < opts->threads; i++)
		hints_of_thread(&prog, exec_cover(i), hints);
	for (i = 0; i < num_hints && i < HINTS && !stopped; i++) {
		changed = prog;
		changed.calls[hints[i].call].values[hints[i].value] =
			hints[i].with;
		consider(&changed, false);
	}
}

/* ---- A session ---- */

static void fuzz(void)
{
	static struct program prog;

	load_corpus();
	while (!stopped) {
		if (!corpus_size || !draw(exec_has_cover() ? 8 : 2)) {
			program_generate(&prog, opts->threads);
		} else if (exec_has_cover() && !draw(24)) {
			use_comparisons(pick());
			continue;
		} else {
			prog = *pick();
			program_mutate(&prog, pick(), opts->threads);
		}
		consider(&prog, false);
	}
}

static int by_number(const void *a, const void *b)
{
	const struct program *p = a, *q = b;

	return p->number < q->number ? -1 : p->number > q->number;
}

static int repeat(void)
{
	FILE *f = fopen(opts->repro, "re");
	static struct program prog;
	unsigned int i;

	if (!f)
		return -errno;
	while (corpus_size < MAX_CORPUS && program_read(f, &prog) == 1)
		corpus[corpus_size++] = prog;
	fclose(f);
	if (!corpus_size)
		return -ENODATA;
	qsort(corpus, corpus_size, sizeof(*corpus), by_number);
	while (!stopped && !totals->reports)
		for (i = 0; i < corpus_size && !stopped; i++) {
			prog = corpus[i];
			run(&prog, COVER_NONE);
		}
	return 0;
}

static int open_dir(void)
{
	char path[512];

	if (!opts->dir)
		return 0;
	snprintf(path, sizeof(path), "%s/running", opts->dir);
	running = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC |
		       O_CLOEXEC, 0666);
	return running < 0 ? -errno : 0;
}

static int session_init(void)
{
	int ret;

	signal(SIGPIPE, SIG_IGN);
	corpus = mmap(NULL, MAX_CORPUS * sizeof(*corpus),
		      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (corpus == MAP_FAILED)
		return -ENOMEM;
	/* The processes that make calls do without. */
	madvise(corpus, MAX_CORPUS * sizeof(*corpus), MADV_DONTFORK);
	ret = set_init(&blocks, 1 << 16);
	ret = ret ?: set_init(&edges, EDGES);
	ret = ret ?: set_init(&wanted, 4 * MAX_FRESH);
	ret = ret ?: exec_init(opts->threads);
	ret = ret ?: open_dir();
	if (ret)
		return ret;
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel_log >= 0)
		lseek(kernel_log, 0, SEEK_END);
	return 0;
}

/* The errors of a call, the most frequent three */
static void print_errors(unsigned int op)
{
	unsigned int i, n, most;

	for (n = 0; n < 3; n++) {
		most = 0;
		for (i = 1; i < MAX_ERRNO; i++)
			if (op_errors[op][i] > op_errors[op][most])
				most = i;
		if (!op_errors[op][most])
			break;
		printf("  %u %s", op_errors[op][most], strerrorname_np(most));
		op_errors[op][most] = 0;
	}
	printf("\n");
}

static void print_ops(void)
{
	unsigned int i;

	for (i = 0; i < num_ops; i++) {
		totals->ops_succeeded += !!op_succeeded[i];
		if (opts->quiet)
			continue;
		printf("%-18s %7lu calls %7lu ok", ops[i].name, op_made[i],
		       op_succeeded[i]);
		print_errors(i);
	}
}

/* The functions of our modules, and how many blocks of each ran */
static void write_functions(void)
{
	char path[512], line[512];
	FILE *symbols, *f;

	if (!opts->dir || !exec_has_cover())
		return;
	snprintf(path, sizeof(path), "%s/blocks", opts->dir);
	f = fopen(path, "we");
	symbols = fopen("/proc/kallsyms", "re");
	while (f && symbols && fgets(line, sizeof(line), symbols))
		if (strstr(line, "[fpgabuf") && strpbrk(line, "tT") == line + 17)
			fputs(line, f);
	for (size_t i = 0; f && i < blocks.size; i++)
		if (blocks.keys[i])
			fprintf(f, "%016llx\n", blocks.keys[i]);
	if (symbols)
		fclose(symbols);
	if (f)
		fclose(f);
}

int session_run(const struct options *options, struct totals *sums)
{
	int ret;

	opts = options;
	totals = sums;
	memset(totals, 0, sizeof(*totals));
	rng_seed(opts->seed);
	ret = session_init();
	if (ret)
		return ret;
	device_reset();
	if (opts->faults)
		calls_allow_faults();
	buffers_before = buffers_left();
	began = now_ns();
	next_progress = began + PROGRESS_S * SEC;
	if (opts->repro)
		ret = repeat();
	else
		fuzz();
	end_process();
	check_left();
	device_renumber();
	check_kernel_log();
	totals->blocks = blocks.used;
	totals->edges = edges.used;
	totals->corpus = corpus_size;
	print_ops();
	write_functions();
	return ret;
}
