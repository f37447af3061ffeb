// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: how they are created and varied, and their text:
 *
 *	program 17 race=3 end=0 kill=0
 *	t0 r0 = open_channel node=1
 *	t0 r1 = alloc on=r0 size=0x1000
 *	t0 r2 = register on=r0 fd=r1
 *	t1 r3 = exchange on=r0 queue_count=1 slot[0]=0
 *	end
 *
 * Values that are not there are the default ones. "@2" behind a call's name is
 * the place of its argument, "+8" how much longer than usual that is, "!3" that
 * the third allocation fails.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static __u64 rng;

void rng_seed(__u64 seed)
{
	rng = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static __u64 rng_next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

unsigned int draw(unsigned int limit)
{
	return (rng_next() >> 20) % limit;
}

__u64 draw_number(void)
{
	static const __u64 numbers[] = {
		0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 65, 255, 4095, 4096, 4097,
		1 << 20, 0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32,
		~0ULL >> 1, 1ULL << 63, ~0ULL - 4095, ~0ULL,
	};

	if (!draw(4))
		return rng_next();
	return numbers[draw(ARRAY_LEN(numbers))];
}

/* ---- Values ---- */

/*
 * What kind of result call @index returns: a duplicate, that of its original,
 * which comes before it. What refers to itself, or to what is behind it, has none.
 */
enum resource makes(const struct program *prog, unsigned int index)
{
	const struct call *call = &prog->calls[index];

	while (ops[call->op].makes == RES_ANY && call->values[0] & REFERENCE) {
		if ((call->values[0] & 0xff) >= index)
			return RES_ANY;
		index = call->values[0] & 0xff;
		call = &prog->calls[index];
	}
	return ops[call->op].makes;
}

static bool fits(enum resource made, enum resource wanted)
{
	if (made == RES_NONE || made == RES_ANY)
		return false;
	return made == wanted || (wanted == RES_ANY && made != RES_MAPPING);
}

/* One of the results of kind @wanted of the calls before @index, or -1 */
static __u64 pick_result(const struct program *prog, unsigned int index,
			 enum resource wanted)
{
	unsigned int i, found = 0;
	__u64 value = 0xffffffff;

	for (i = 0; i < index; i++)
		if (fits(makes(prog, i), wanted) && !draw(++found))
			value = REFERENCE | i;
	return value;
}

static __u64 draw_size(const struct field *field)
{
	return draw(3) ? field->list[0] : draw(1 << 18);
}

static __u64 draw_list(const struct field *field)
{
	unsigned int len = 1;

	while (field->list[len] != field->list[0])
		len++;
	return draw(3) ? field->list[0] : field->list[draw(len)];
}

/* Most are waits that end at once; some end when another thread acts. */
static __u64 draw_time(void)
{
	static const __s64 times[] = {
		0, MSEC, 5 * MSEC, 20 * MSEC, 100 * MSEC, -1
	};

	return times[draw(draw(8) ? 4 : ARRAY_LEN(times))];
}

static __u64 draw_address(const struct program *prog, unsigned int index)
{
	__u64 address = draw(16) * 4096 + (draw(4) ? 0 : draw(4096));

	switch (draw(12)) {
	case 0:
		return address | 1ULL << 33;
	case 1:
	case 2:
		return address | 1ULL << 34;
	case 3:
		return pick_result(prog, index, RES_MAPPING);
	default:
		return address;
	}
}

/* A value that is likely to be right */
static __u64 draw_value(const struct program *prog, unsigned int index,
			const struct field *field)
{
	switch (field->type) {
	case T_RES:
		return pick_result(prog, index,
				   draw(40) ? field->a : RES_ANY);
	case T_SLOT:
		return field->a + draw(draw(2) ? field->b - field->a + 1 : 1);
	case T_NUM:
		return field->a + draw(field->b - field->a + 1);
	case T_MASK:
		return draw(2) ? field->def : draw(field->a + 1);
	case T_LIST:
		return draw_list(field);
	case T_SIZE:
		return draw(2) ? draw_list(field) : draw_size(field);
	case T_TIME:
		return draw_time();
	case T_ADDR:
		return draw_address(prog, index);
	case T_ANY:
		return draw_number();
	case T_PTR:
	case T_ZERO:
		break;
	}
	return 0;
}

/* A value that is likely to be wrong */
static __u64 draw_wrong(const struct program *prog, unsigned int index,
			const struct field *field)
{
	switch (field->type) {
	case T_RES:
		return draw(4) ? pick_result(prog, index, RES_ANY) :
				 0xffffffff;
	case T_PTR:
		return draw(PLACES);
	case T_MASK:
		return draw(4) ? 1ULL << draw(32) : draw_number();
	default:
		return draw_number();
	}
}

static void redraw_value(struct program *prog, unsigned int index)
{
	struct call *call = &prog->calls[index];
	unsigned int elem, count = num_values(&ops[call->op]);
	const struct field *field;
	unsigned int value;

	if (!count)
		return;
	value = draw(count);
	field = value_field(&ops[call->op], value, &elem);
	if (draw(5))
		call->values[value] = draw_value(prog, index, field);
	else if (draw(3))
		call->values[value] = draw_wrong(prog, index, field);
	else
		call->values[value] += draw(2) ? 1 : -1;
}

/* ---- Calls ---- */

static unsigned int draw_op(void)
{
	unsigned int i, sum = 0, at;

	for (i = 0; i < num_ops; i++)
		sum += ops[i].weight;
	at = draw(sum);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

static int find_op(const char *name)
{
	unsigned int i;

	for (i = 0; i < num_ops; i++)
		if (!strcmp(ops[i].name, name))
			return i;
	return -EINVAL;
}

static unsigned int draw_maker(enum resource kind)
{
	unsigned int i;

	/* Those that a queue returns, it returns only where it is asked to. */
	if (kind == RES_FENCE && draw(3))
		return find_op(draw(2) ? "sw_fence" : "export_sync_file");
	do {
		i = draw_op();
	} while (ops[i].makes != kind);
	return i;
}

static void call_place(struct call *call)
{
	if (!ops[call->op].run && !draw(25))
		call->place = draw(PLACES);
	if (!ops[call->op].run && !draw(40))
		call->grow = (int)draw(5) * 8 - 16;
	if (!draw(30))
		call->fail = 1 + draw(draw(2) ? 4 : 30);
}

/* References to calls from @from on move by @by; those to nothing go. */
static void renumber(struct program *prog, unsigned int from, int by)
{
	unsigned int i, j;

	for (i = 0; i < prog->num_calls; i++) {
		for (j = 0; j < MAX_VALUES; j++) {
			__u64 *value = &prog->calls[i].values[j];
			unsigned int at = *value & 0xff;

			if ((*value & ~0xffULL) != REFERENCE || at < from)
				continue;
			if (by < 0 && at == from)
				*value = 0xffffffff;
			else
				*value = REFERENCE | (at + by);
		}
	}
}

static struct call *make_room(struct program *prog, unsigned int index)
{
	struct call *call = &prog->calls[index];

	memmove(call + 1, call, (prog->num_calls - index) * sizeof(*call));
	memset(call, 0, sizeof(*call));
	prog->num_calls++;
	renumber(prog, index, 1);
	if (prog->race > index)
		prog->race++;
	return call;
}

void program_remove(struct program *prog, unsigned int index)
{
	struct call *call = &prog->calls[index];

	renumber(prog, index, -1);
	prog->num_calls--;
	memmove(call, call + 1, (prog->num_calls - index) * sizeof(*call));
	if (prog->race > index)
		prog->race--;
}

static void insert_call(struct program *prog, unsigned int index,
			unsigned int op, unsigned int depth);

/* Insert what returns a resource before call @index: where the call is then */
static unsigned int insert_makers(struct program *prog, unsigned int index,
				  unsigned int op, unsigned int depth)
{
	unsigned int i, before;
	enum resource kind;

	for (i = 0; i < ARRAY_LEN(ops[op].fields); i++) {
		const struct field *field = &ops[op].fields[i];

		if (!field->name || field->type != T_RES)
			continue;
		/* An in-fence is not needed, and there may be none yet. */
		kind = field->a == RES_ANY ? RES_CHANNEL : field->a;
		if (depth > 3 || (kind == RES_FENCE && i && draw(4)) ||
		    (draw(12) && pick_result(prog, index, field->a) & REFERENCE))
			continue;
		before = prog->num_calls;
		insert_call(prog, index, draw_maker(kind), depth + 1);
		index += prog->num_calls - before;
	}
	return index;
}

/* One of the calls before @index that do @op, or -1 */
static int pick_call(const struct program *prog, unsigned int index, int op)
{
	unsigned int i, found = 0;
	int picked = -1;

	for (i = 0; i < index; i++)
		if (prog->calls[i].op == op && !draw(++found))
			picked = i;
	return picked;
}

/* Insert what a call is of no use without, if it is not there. */
static unsigned int insert_needs(struct program *prog, unsigned int index,
				 unsigned int op, unsigned int depth)
{
	unsigned int before = prog->num_calls;
	int needs;

	if (!ops[op].needs || depth > 3 || !draw(8))
		return index;
	needs = find_op(ops[op].needs);
	if (pick_call(prog, index, needs) < 0)
		insert_call(prog, index, needs, depth + 1);
	return index + prog->num_calls - before;
}

/* Half of the calls have few values that are not the default ones. */
static void draw_values(struct program *prog, unsigned int index)
{
	struct call *call = &prog->calls[index];
	const struct op *op = &ops[call->op];
	bool plain = draw(2);
	unsigned int i, elem;
	int needs = -1;

	for (i = 0; i < num_values(op); i++) {
		const struct field *field = value_field(op, i, &elem);

		if (plain && field->type != T_RES && draw(4))
			call->values[i] = default_value(field);
		else
			call->values[i] = draw_value(prog, index, field);
	}
	if (op->needs)
		needs = pick_call(prog, index, find_op(op->needs));
	if (needs >= 0 && draw(8))
		call->values[0] = prog->calls[needs].values[0];
}

static void insert_call(struct program *prog, unsigned int index,
			unsigned int op, unsigned int depth)
{
	struct call *call;

	if (prog->num_calls >= MAX_CALLS)
		return;
	index = insert_needs(prog, index, op, depth);
	index = insert_makers(prog, index, op, depth);
	if (prog->num_calls >= MAX_CALLS)
		return;
	call = make_room(prog, index);
	call->op = op;
	draw_values(prog, index);
	call_place(call);
	if (!draw(5))
		redraw_value(prog, index);
}

static void draw_shape(struct program *prog, unsigned int threads)
{
	unsigned int i;

	prog->race = prog->num_calls;
	if (threads > 1 && draw(2))
		prog->race = draw(prog->num_calls + 1);
	for (i = 0; i < prog->num_calls; i++)
		prog->calls[i].thread = i < prog->race && draw(8) ? 0 :
					draw(threads);
	prog->ending = draw(8) ? END_CLOSE : draw(ENDINGS);
	prog->kill_us = draw(20000);
}

void program_generate(struct program *prog, unsigned int threads)
{
	unsigned int calls = 4 + draw(MAX_CALLS - 4);

	memset(prog, 0, sizeof(*prog));
	while (prog->num_calls < calls)
		insert_call(prog, prog->num_calls, draw_op(), 0);
	draw_shape(prog, threads);
}

/* The end of @other behind a beginning of @prog */
static void splice(struct program *prog, const struct program *other)
{
	unsigned int keep = draw(prog->num_calls + 1);
	unsigned int i, j, base;

	/* What the rest refers to comes with it. */
	base = keep;
	for (i = 0; i < other->num_calls && base + i < MAX_CALLS; i++) {
		struct call *call = &prog->calls[base + i];

		*call = other->calls[i];
		for (j = 0; j < MAX_VALUES; j++)
			if ((call->values[j] & ~0xffULL) == REFERENCE)
				call->values[j] += base;
	}
	prog->num_calls = base + i;
	if (prog->race > prog->num_calls)
		prog->race = prog->num_calls;
}

/* Let a call use another of the results of its kind. */
static void rewire(struct program *prog, unsigned int index)
{
	struct call *call = &prog->calls[index];
	const struct field *field;
	unsigned int i, elem;

	for (i = 0; i < num_values(&ops[call->op]); i++) {
		field = value_field(&ops[call->op], i, &elem);
		if (field->type == T_RES && draw(2))
			call->values[i] = pick_result(prog, index, field->a);
	}
}

static void repeat_call(struct program *prog, unsigned int index)
{
	unsigned int at = index + 1 + draw(prog->num_calls - index);
	struct call copy = prog->calls[index];

	if (prog->num_calls < MAX_CALLS)
		*make_room(prog, at) = copy;
}

static void mutate_once(struct program *prog, unsigned int threads)
{
	unsigned int index = prog->num_calls ? draw(prog->num_calls) : 0;

	switch (prog->num_calls ? draw(16) : 0) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		insert_call(prog, draw(prog->num_calls + 1), draw_op(), 1);
		break;
	case 5:
	case 6:
		program_remove(prog, index);
		break;
	case 7:
		draw_shape(prog, threads);
		break;
	case 8:
		repeat_call(prog, index);
		break;
	case 9:
		rewire(prog, index);
		break;
	case 10:
		call_place(&prog->calls[index]);
		break;
	default:
		redraw_value(prog, index);
		break;
	}
}

void program_mutate(struct program *prog, const struct program *other,
		    unsigned int threads)
{
	unsigned int i, times = 1 + draw(4);

	if (other && !draw(8))
		splice(prog, other);
	for (i = 0; i < times || !prog->num_calls; i++)
		mutate_once(prog, threads);
}

bool program_resets(const struct program *prog)
{
	unsigned int i;

	for (i = 0; i < prog->num_calls; i++)
		if (ops[prog->calls[i].op].resets)
			return true;
	return false;
}

/* ---- Text ---- */

static int print_value(char *text, size_t size, const struct field *field,
		       unsigned int elem, __u64 value)
{
	char where[8] = "";

	if (field->array)
		snprintf(where, sizeof(where), "[%u]", elem);
	if ((field->type == T_RES || field->type == T_ADDR) &&
	    value & REFERENCE)
		return snprintf(text, size, " %s%s=r%llu", field->name, where,
				value & 0xff);
	return snprintf(text, size, " %s%s=%#llx", field->name, where, value);
}

static size_t print_call(const struct program *prog, unsigned int index,
			 char *text, size_t size)
{
	const struct call *call = &prog->calls[index];
	const struct op *op = &ops[call->op];
	const struct field *field;
	unsigned int i, elem;
	size_t len;

	len = snprintf(text, size, "t%u r%u = %s", call->thread, index,
		       op->name);
	if (call->place)
		len += snprintf(text + len, size - len, " @%u", call->place);
	if (call->grow)
		len += snprintf(text + len, size - len, " %+d", call->grow);
	if (call->fail)
		len += snprintf(text + len, size - len, " !%u", call->fail);
	for (i = 0; i < num_values(op) && len < size; i++) {
		field = value_field(op, i, &elem);
		if (call->values[i] != default_value(field))
			len += print_value(text + len, size - len, field, elem,
					   call->values[i]);
	}
	if (len < size)
		len += snprintf(text + len, size - len, "\n");
	return len < size ? len : size;
}

size_t program_print(const struct program *prog, char *text, size_t size)
{
	unsigned int i;
	size_t len;

	len = snprintf(text, size, "program %u race=%u end=%u kill=%u\n",
		       prog->number, prog->race, prog->ending, prog->kill_us);
	for (i = 0; i < prog->num_calls && len < size; i++)
		len += print_call(prog, i, text + len, size - len);
	if (len < size)
		len += snprintf(text + len, size - len, "end\n");
	return len < size ? len : size;
}

/* "name=value" or "name[element]=value" */
static int read_value(struct call *call, char *word)
{
	const struct op *op = &ops[call->op];
	char *text = strchr(word, '=');
	const struct field *field;
	unsigned int i, elem;
	char name[64];

	if (!text)
		return -EINVAL;
	*text++ = '\0';
	for (i = 0; i < num_values(op); i++) {
		field = value_field(op, i, &elem);
		snprintf(name, sizeof(name), "%s", field->name);
		if (field->array)
			snprintf(name, sizeof(name), "%s[%u]", field->name,
				 elem);
		if (strcmp(name, word))
			continue;
		if (*text == 'r')
			call->values[i] = REFERENCE |
				(strtoul(text + 1, NULL, 0) % MAX_CALLS);
		else
			call->values[i] = strtoull(text, NULL, 0);
		return 0;
	}
	return -EINVAL;
}

static int read_call(struct call *call, char *line)
{
	char *save, *word = strtok_r(line, " ", &save);
	unsigned int i, elem;
	int op;

	memset(call, 0, sizeof(*call));
	call->thread = word && *word == 't' ? atoi(word + 1) % MAX_THREADS : 0;
	strtok_r(NULL, " ", &save);
	strtok_r(NULL, " ", &save);
	word = strtok_r(NULL, " ", &save);
	op = word ? find_op(word) : -EINVAL;
	if (op < 0)
		return op;
	call->op = op;
	for (i = 0; i < num_values(&ops[op]); i++)
		call->values[i] = default_value(value_field(&ops[op], i,
							    &elem));
	while ((word = strtok_r(NULL, " ", &save))) {
		if (*word == '@')
			call->place = atoi(word + 1) % PLACES;
		else if (*word == '!')
			call->fail = atoi(word + 1);
		else if (*word == '+' || *word == '-')
			call->grow = atoi(word);
		else if (read_value(call, word))
			return -EINVAL;
	}
	return 0;
}

int program_read(FILE *f, struct program *prog)
{
	char line[4096], copy[4096];

	memset(prog, 0, sizeof(*prog));
	do {
		if (!fgets(line, sizeof(line), f))
			return 0;
	} while (sscanf(line, "program %u race=%u end=%u kill=%u",
			&prog->number, &prog->race, &prog->ending,
			&prog->kill_us) != 4);
	prog->ending %= ENDINGS;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "end"))
			return 1;
		memcpy(copy, line, sizeof(copy));
		if (prog->num_calls == MAX_CALLS ||
		    read_call(&prog->calls[prog->num_calls], line)) {
			fprintf(stderr, "fuzz: cannot read: %s\n", copy);
			return -EINVAL;
		}
		prog->num_calls++;
	}
	return 0;
}
