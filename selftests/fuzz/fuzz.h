/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzzer of the requests of fpgabuf's nodes and of the files that they
 * return. A program is a short sequence of calls, whose arguments may be the
 * results of calls before them. Programs that run code which none ran before
 * (KCOV) are kept in a corpus, and varied.
 *
 * calls.c has the table of calls and makes one of them, program.c creates,
 * varies, reads and prints programs, exec.c runs one with several threads in a
 * child process, session.c decides what runs and keeps what was found.
 */
#ifndef FPGABUF_FUZZ_H
#define FPGABUF_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/types.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define MSEC		1000000LL
#define SEC		1000000000LL

#define MAX_CALLS	24
#define MAX_FIELDS	12
#define MAX_ARRAYS	3
/* Elements of an array of structures that have values of their own */
#define MAX_ELEMS	4
#define MAX_VALUES	48
#define MAX_THREADS	4
/* Room for a program as text */
#define MAX_TEXT	16384

/* What a call returns, and what it may be called on */
enum resource {
	RES_NONE,
	RES_CHANNEL,
	RES_IMPORTER,
	RES_HEAP,
	RES_BUFFER,
	RES_FENCE,
	RES_TIMELINE,
	/* An address range of a mapped file; all others are file descriptors. */
	RES_MAPPING,
	/* Any file descriptor */
	RES_ANY,
};

enum type {
	/* Resource of kind @a */
	T_RES,
	/* @a to @b */
	T_NUM,
	/* The same, the first one most often */
	T_SLOT,
	/* A subset of @a */
	T_MASK,
	/* One of @list */
	T_LIST,
	/* Bytes of memory */
	T_SIZE,
	/* Must be zero */
	T_ZERO,
	T_ANY,
	/* ns */
	T_TIME,
	/* Pointer to the call's array @a; the value is an enum place. */
	T_PTR,
	/* Address of memory of the program */
	T_ADDR,
};

/* Where an argument, or an array that it points to, is in memory */
enum place {
	PLACE_OWN,
	PLACE_NULL,
	/* The second half is not mapped. */
	PLACE_TORN,
	PLACE_READ_ONLY,
	/* In a dma-buf that the program has mapped */
	PLACE_MAPPING,
	/* Where the other threads have theirs */
	PLACE_SHARED,
	PLACES,
};

/**
 * struct field - a parameter of a call
 * @name: in the text of a program
 * @type: what values it takes
 * @array: 0: it is in the argument; n: in each element of array n - 1
 * @offset: bytes from the start of the structure
 * @size: bytes; 0: in no structure, the call's function reads it
 * @a: see enum type
 * @b: see enum type
 * @def: of T_MASK: the value that is right most often
 * @list: ends with its first value
 */
struct field {
	const char *name;
	enum type type;
	unsigned int array, offset, size;
	__u64 a, b, def;
	const __u64 *list;
};

/**
 * struct op - a kind of call
 * @name: in the text of a program
 * @run: makes the call; NULL: an ioctl
 * @request: of the ioctl
 * @makes: what it returns
 * @needs: call that must come before it on the same file, to be of use
 * @result: where in the argument the ioctl stores the new file descriptor; of
 *	an ioctl with arrays, where in an element of the last array
 * @elem: sizes of the elements of the arrays; 0: no such array
 * @weight: how often it is chosen
 * @resets: the device must be set up again after it
 * @num_fields: number of @fields
 * @fields: if it is called on a file, that is the first one
 */
struct op {
	const char *name;
	long (*run)(const __u64 *values);
	unsigned long request;
	enum resource makes;
	const char *needs;
	unsigned int result;
	unsigned int elem[MAX_ARRAYS];
	unsigned int weight;
	bool resets;
	unsigned int num_fields;
	struct field fields[MAX_FIELDS + 4];
};

/* A value that is the result of call (value & 0xff) */
#define REFERENCE	(1ULL << 40)

/**
 * struct call - a call of a program
 * @op: index into ops
 * @thread: which thread makes it
 * @place: enum place of the argument
 * @fail: its so manyth allocation fails; 0: none. If the kernel can do that
 * @grow: bytes that the argument of an ioctl is longer than it should be
 * @values: of the fields in the argument, then of those of the arrays: all of
 *	the first element, all of the second, and so on
 */
struct call {
	__u16 op;
	__u8 thread;
	__u8 place;
	__u8 fail;
	__s16 grow;
	__u64 values[MAX_VALUES];
};

/* How the process ends the program */
enum ending {
	/* Files first, mappings last, or the other way round */
	END_CLOSE,
	END_UNMAP,
	/* By the end of the process */
	END_EXIT,
	/* It is killed after @kill_us. */
	END_KILL,
	ENDINGS,
};

/**
 * struct program - a sequence of calls
 * @number: counted by the session
 * @num_calls: number of @calls
 * @race: calls up to this one are made in turn, those from there on by all
 *	threads at the same time
 * @ending: enum ending
 * @kill_us: see END_KILL
 * @calls: the calls
 */
struct program {
	__u32 number;
	__u32 num_calls;
	__u32 race;
	__u32 ending;
	__u32 kill_us;
	struct call calls[MAX_CALLS];
};

/* calls.c */
extern const struct op ops[];
extern const unsigned int num_ops;
const struct field *value_field(const struct op *op, unsigned int value,
				unsigned int *elem);
unsigned int num_values(const struct op *op);
__u64 default_value(const struct field *field);
/* Once per process that makes calls */
int calls_init(void);
/* Once per thread */
int calls_init_thread(void);
/* Before a program, and after it, by one thread while no other calls. */
void calls_begin(void);
void calls_end(bool unmap_first);
/* Make call @index of @prog. Returns 0, or a negative errno. */
long call_make(const struct program *prog, unsigned int index);
/* Let allocations fail where a program says so. */
void calls_allow_faults(void);
/* Bind the device, and let no fault be to come. */
void device_reset(void);
/* Give the device its first nodes again. */
void device_renumber(void);

/* program.c */
void rng_seed(__u64 seed);
/* 0 to @limit - 1 */
unsigned int draw(unsigned int limit);
__u64 draw_number(void);
enum resource makes(const struct program *prog, unsigned int index);
void program_generate(struct program *prog, unsigned int threads);
void program_mutate(struct program *prog, const struct program *other,
		    unsigned int threads);
void program_remove(struct program *prog, unsigned int index);
bool program_resets(const struct program *prog);
/* Returns the number of bytes. */
size_t program_print(const struct program *prog, char *text, size_t size);
/* The next program of @f. Returns 1, 0 at the end, or -EINVAL after a message. */
int program_read(FILE *f, struct program *prog);

/* exec.c */
enum cover_mode { COVER_NONE, COVER_PC, COVER_CMP };

/* Words of a thread's KCOV buffer */
#define COVER_WORDS	(64 << 10)

/**
 * struct shared - what the session shares with the process that makes calls
 * @prog: the program to run
 * @next_shrink: when the caches may be shrunk again, by now_ns()
 * @faults: allocations may fail
 * @cover: what KCOV is to record
 * @results: of each call: 1: it succeeded, 0: it was not made, or a negative errno
 */
struct shared {
	struct program prog;
	__s64 next_shrink;
	enum cover_mode cover;
	bool faults;
	__s16 results[MAX_CALLS];
};

extern struct shared *shared;

/* Allocate what is shared. @threads: 1 to MAX_THREADS. */
int exec_init(unsigned int threads);
bool exec_has_cover(void);
/* A thread's KCOV buffer: the number of records, and the records */
const __u64 *exec_cover(unsigned int thread);

enum outcome {
	RAN,
	/* The process died on its own. */
	DIED,
	/* It did not end in time, but did when it was killed. */
	SLOW,
	/* It cannot be killed. */
	HANGS,
};

/* Run @shared->prog. */
enum outcome exec_run(unsigned int limit_s);
/* End the process, if there is one. Returns RAN or HANGS. */
enum outcome exec_stop(unsigned int limit_s);
/* Whether there is a process, which may have files open */
bool exec_alive(void);

/* session.c */

/**
 * struct options - of a session
 * @seconds: it ends after that time; 0: it does not end by time
 * @programs: or after that number of programs; 0: any number
 * @seed: of the random numbers
 * @threads: of a program
 * @repro: file with programs that are run again and again; NULL: none
 * @dir: folder of the corpus and of reports; NULL: nothing is kept
 * @seeds: file with programs to begin with, or NULL
 * @faults: allocations may fail in the second half of it
 * @quiet: print nothing while it runs
 */
struct options {
	unsigned int seconds, programs;
	__u64 seed;
	unsigned int threads;
	const char *repro, *dir, *seeds;
	bool faults, quiet;
};

/**
 * struct totals - of a session
 * @programs: that were run
 * @calls: that were made
 * @succeeded: of these
 * @died: processes that died
 * @reports: of the kernel, of memory that was not freed, of hangs
 * @of_kernel: lines of the kernel's log among these; they may be harmless
 * @blocks: of code that ran (PCs)
 * @edges: pairs of blocks, one after the other
 * @corpus: programs in the corpus
 * @ops_succeeded: kinds of calls of which at least one succeeded
 */
struct totals {
	unsigned long programs, calls, succeeded, died, reports, of_kernel;
	unsigned long blocks, edges, corpus, ops_succeeded;
};

/* Returns 0, or a negative errno when it could not begin. */
int session_run(const struct options *opts, struct totals *totals);
__s64 now_ns(void);

#endif /* FPGABUF_FUZZ_H */
