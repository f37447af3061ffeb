// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the queue: each transition, and random walks beside a model.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "../queue.h"

#define QUEUE_JOBS	6
#define QUEUE_DEPTH	4
#define WALK_STEPS	2000
/* Entries that a step queues at most; one more than there can be room for. */
#define WALK_BATCH	(QUEUE_DEPTH + 1)

/*
 * The functions want the lock held, and what a failed expectation says cannot be
 * said with it: each step takes it for itself.
 */
#define LOCKED(q, expr) ({			\
	spinlock_t *lock_ = &(q)->lock;		\
	typeof(expr) ret_;			\
						\
	spin_lock_irq(lock_);			\
	ret_ = (expr);				\
	spin_unlock_irq(lock_);			\
	ret_;					\
})

#define LOCKED_DO(q, statement) do {		\
	spinlock_t *lock_ = &(q)->lock;		\
						\
	spin_lock_irq(lock_);			\
	statement;				\
	spin_unlock_irq(lock_);			\
} while (0)

static int queue_test_init(struct kunit *test)
{
	struct fpgabuf_queue *q;

	q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	fpgabuf_queue_init(q, QUEUE_JOBS);
	/* Behind the last one, where nobody should look */
	q->jobs[QUEUE_JOBS].state = FPGABUF_JOB_IDLE;
	test->priv = q;
	return 0;
}

static void fill(struct kunit *test, unsigned int count)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_job *job;

	while (count--) {
		job = LOCKED(q, fpgabuf_queue_fill(q));
		KUNIT_ASSERT_NOT_NULL(test, job);
	}
}

static void add(struct fpgabuf_queue *q, u32 slot, u64 user_data)
{
	const struct fpgabuf_queue_entry entry = {
		.slot = slot,
		.user_data = user_data,
	};

	LOCKED_DO(q, fpgabuf_queue_add(q, &entry));
}

static void issue(struct fpgabuf_queue *q, u32 slot)
{
	LOCKED_DO(q, fpgabuf_queue_issue(q, &q->jobs[slot]));
}

static void finish(struct fpgabuf_queue *q, u32 slot)
{
	LOCKED_DO(q, fpgabuf_queue_complete(q, &q->jobs[slot]));
}

static int check_one(struct fpgabuf_queue *q, u32 slot, unsigned int depth)
{
	const struct fpgabuf_queue_entry entry = { .slot = slot };

	return LOCKED(q, fpgabuf_queue_check(q, &entry, 1, depth));
}

/* Takes the oldest completion, which must be that of @slot. */
static struct fpgabuf_completion take(struct kunit *test, u32 slot)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_completion done = { .slot = ~0U };

	KUNIT_ASSERT_TRUE(test, LOCKED(q, fpgabuf_queue_peek(q, &done)));
	KUNIT_ASSERT_EQ(test, slot, done.slot);
	LOCKED_DO(q, fpgabuf_queue_pop(q));
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_IDLE, q->jobs[slot].state);
	return done;
}

static void queue_test_starts_empty(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_completion done;
	unsigned int i;

	for (i = 0; i < QUEUE_JOBS; i++) {
		KUNIT_EXPECT_EQ(test, FPGABUF_JOB_EMPTY, q->jobs[i].state);
		KUNIT_EXPECT_EQ(test, -ENOENT,
				LOCKED(q, fpgabuf_queue_empty(q, i)));
		KUNIT_EXPECT_EQ(test, -ENOENT, check_one(q, i, QUEUE_DEPTH));
	}
	KUNIT_EXPECT_FALSE(test, LOCKED(q, fpgabuf_queue_peek(q, &done)));
	KUNIT_EXPECT_EQ(test, 0, q->num_pending);
	KUNIT_EXPECT_EQ(test, 0, q->num_done);
}

/* The lowest empty slot first, and none when all are full. */
static void queue_test_fill(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_job *job;
	unsigned int i;

	for (i = 0; i < QUEUE_JOBS; i++) {
		job = LOCKED(q, fpgabuf_queue_fill(q));
		KUNIT_ASSERT_PTR_EQ(test, job, &q->jobs[i]);
		KUNIT_EXPECT_EQ(test, i, job->done.slot);
		KUNIT_EXPECT_EQ(test, FPGABUF_JOB_IDLE, job->state);
	}
	KUNIT_EXPECT_NULL(test, LOCKED(q, fpgabuf_queue_fill(q)));

	KUNIT_EXPECT_EQ(test, 0, LOCKED(q, fpgabuf_queue_empty(q, 2)));
	KUNIT_EXPECT_EQ(test, -ENOENT, LOCKED(q, fpgabuf_queue_empty(q, 2)));
	KUNIT_EXPECT_PTR_EQ(test, LOCKED(q, fpgabuf_queue_fill(q)),
			    &q->jobs[2]);
}

static void queue_test_empty_out_of_range(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;

	fill(test, QUEUE_JOBS);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			LOCKED(q, fpgabuf_queue_empty(q, QUEUE_JOBS)));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			LOCKED(q, fpgabuf_queue_empty(q, ~0U)));
	KUNIT_EXPECT_EQ(test, -ENOENT, check_one(q, QUEUE_JOBS, QUEUE_DEPTH));
	KUNIT_EXPECT_EQ(test, -ENOENT, check_one(q, ~0U, QUEUE_DEPTH));
}

/* A buffer that the channel or the engine has cannot be taken away. */
static void queue_test_empty_pending(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;

	fill(test, 1);
	add(q, 0, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, LOCKED(q, fpgabuf_queue_empty(q, 0)));
	issue(q, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, LOCKED(q, fpgabuf_queue_empty(q, 0)));
	finish(q, 0);
	KUNIT_EXPECT_EQ(test, 0, LOCKED(q, fpgabuf_queue_empty(q, 0)));
}

/* With it goes its completion, and only its own. */
static void queue_test_empty_done(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;
	u32 slot;

	fill(test, 3);
	for (slot = 0; slot < 3; slot++) {
		add(q, slot, slot);
		issue(q, slot);
		finish(q, slot);
	}
	KUNIT_EXPECT_EQ(test, 0, LOCKED(q, fpgabuf_queue_empty(q, 1)));
	KUNIT_EXPECT_EQ(test, 2, q->num_done);
	take(test, 0);
	take(test, 2);
	KUNIT_EXPECT_EQ(test, 0, q->num_done);
	KUNIT_EXPECT_TRUE(test, list_empty(&q->done));
}

static void queue_test_check_states(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;

	fill(test, 1);
	KUNIT_EXPECT_EQ(test, 0, check_one(q, 0, QUEUE_DEPTH));
	add(q, 0, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, check_one(q, 0, QUEUE_DEPTH));
	issue(q, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, check_one(q, 0, QUEUE_DEPTH));
	finish(q, 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, check_one(q, 0, QUEUE_DEPTH));
	take(test, 0);
	KUNIT_EXPECT_EQ(test, 0, check_one(q, 0, QUEUE_DEPTH));
}

static void queue_test_check_twice(struct kunit *test)
{
	const struct fpgabuf_queue_entry entries[] = {
		{ .slot = 0 }, { .slot = 1 }, { .slot = 0 },
	};
	struct fpgabuf_queue *q = test->priv;

	fill(test, 2);
	KUNIT_EXPECT_EQ(test, 0, LOCKED(q, fpgabuf_queue_check(q, entries, 2,
							       QUEUE_DEPTH)));
	KUNIT_EXPECT_EQ(test, -EBUSY,
			LOCKED(q, fpgabuf_queue_check(q, entries, 3,
						      QUEUE_DEPTH)));
}

/* QUEUED and ACTIVE count; DONE does not. */
static void queue_test_check_depth(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;

	fill(test, 4);
	add(q, 0, 0);
	add(q, 1, 0);
	issue(q, 0);
	KUNIT_EXPECT_EQ(test, 0, check_one(q, 2, 3));
	KUNIT_EXPECT_EQ(test, -ENOSPC, check_one(q, 2, 2));
	finish(q, 0);
	KUNIT_EXPECT_EQ(test, 0, check_one(q, 2, 2));
	KUNIT_EXPECT_EQ(test, 0,
			LOCKED(q, fpgabuf_queue_check(q, NULL, 0, 1)));
}

/* A slot's completion says nothing of the one before. */
static void queue_test_add_forgets(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_completion done;

	fill(test, 1);
	add(q, 0, 11);
	q->jobs[0].done.status = -EIO;
	q->jobs[0].done.lost = 3;
	q->jobs[0].done.bytes = 77;
	finish(q, 0);
	take(test, 0);

	add(q, 0, 22);
	finish(q, 0);
	done = take(test, 0);
	KUNIT_EXPECT_EQ(test, 22, done.user_data);
	KUNIT_EXPECT_EQ(test, 0, done.status);
	KUNIT_EXPECT_EQ(test, 0, done.lost);
	KUNIT_EXPECT_EQ(test, 0, done.bytes);
}

/* To look at a completion does not take it. */
static void queue_test_peek_keeps(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_completion done = {};

	fill(test, 2);
	add(q, 1, 5);
	finish(q, 1);
	KUNIT_EXPECT_TRUE(test, LOCKED(q, fpgabuf_queue_peek(q, &done)));
	KUNIT_EXPECT_TRUE(test, LOCKED(q, fpgabuf_queue_peek(q, &done)));
	KUNIT_EXPECT_EQ(test, 1, done.slot);
	KUNIT_EXPECT_EQ(test, 5, done.user_data);
	KUNIT_EXPECT_EQ(test, 1, q->num_done);
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_DONE, q->jobs[1].state);
}

/* The engine refused the newest: it is still the next one to be issued. */
static void queue_test_unissue_one(struct kunit *test)
{
	struct fpgabuf_queue *q = test->priv;

	fill(test, 3);
	add(q, 1, 0);
	add(q, 2, 0);
	add(q, 0, 0);
	issue(q, 1);
	issue(q, 2);
	LOCKED_DO(q, fpgabuf_queue_unissue(q, &q->jobs[2]));

	KUNIT_EXPECT_TRUE(test, list_is_singular(&q->active));
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_QUEUED, q->jobs[2].state);
	KUNIT_EXPECT_EQ(test, 3, q->num_pending);
	KUNIT_EXPECT_PTR_EQ(test, &q->jobs[2],
			    list_first_entry(&q->queued, struct fpgabuf_job,
					     node));
	issue(q, 2);
	issue(q, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&q->queued));
}

/* A start that failed: the engine's jobs come first again, in their order. */
static void queue_test_unissue(struct kunit *test)
{
	static const u32 order[] = { 2, 0, 3, 1 };
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_job *job;
	unsigned int i;

	fill(test, 4);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		add(q, order[i], 0);
	issue(q, 2);
	issue(q, 0);
	LOCKED_DO(q, fpgabuf_queue_unissue_all(q));

	KUNIT_EXPECT_TRUE(test, list_empty(&q->active));
	KUNIT_EXPECT_EQ(test, 4, q->num_pending);
	i = 0;
	list_for_each_entry(job, &q->queued, node) {
		KUNIT_EXPECT_EQ(test, FPGABUF_JOB_QUEUED, job->state);
		KUNIT_EXPECT_EQ(test, order[i++], job->done.slot);
	}
	KUNIT_EXPECT_EQ(test, 4, i);
}

/* The oldest first, wherever it is, until there is none. */
static void cancel_all(struct fpgabuf_queue *q)
{
	struct fpgabuf_job *job;

	while ((job = LOCKED(q, fpgabuf_queue_oldest(q)))) {
		job->done.status = -ECANCELED;
		LOCKED_DO(q, fpgabuf_queue_complete(q, job));
	}
}

static void queue_test_cancel(struct kunit *test)
{
	static const u32 order[] = { 3, 1, 0, 2 };
	struct fpgabuf_queue *q = test->priv;
	unsigned int i;

	fill(test, 5);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		add(q, order[i], 100 + order[i]);
	issue(q, 3);
	issue(q, 1);
	issue(q, 0);
	finish(q, 3);
	cancel_all(q);

	KUNIT_EXPECT_EQ(test, 0, q->num_pending);
	KUNIT_EXPECT_EQ(test, 4, q->num_done);
	KUNIT_EXPECT_EQ(test, 0, take(test, order[0]).status);
	for (i = 1; i < ARRAY_SIZE(order); i++) {
		struct fpgabuf_completion done = take(test, order[i]);

		KUNIT_EXPECT_EQ(test, -ECANCELED, done.status);
		KUNIT_EXPECT_EQ(test, 100 + order[i], done.user_data);
	}
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_IDLE, q->jobs[4].state);
}

/**
 * struct fifo - slots in the order they came
 * @slot: their numbers, oldest first
 * @num: how many
 */
struct fifo {
	u32 slot[QUEUE_JOBS];
	unsigned int num;
};

/**
 * struct model - what the queue should be, said in another way
 * @state: of each slot
 * @user_data: of each slot that is not empty or idle
 * @cancelled: whether its completion says so
 * @queued: slots in that state
 * @active: likewise
 * @done: likewise
 * @rnd: what happens next
 * @serial: user_data of the next entry
 */
struct model {
	enum fpgabuf_job_state state[QUEUE_JOBS];
	u64 user_data[QUEUE_JOBS];
	bool cancelled[QUEUE_JOBS];
	struct fifo queued;
	struct fifo active;
	struct fifo done;
	struct rnd_state rnd;
	u64 serial;
};

static void fifo_push(struct fifo *f, u32 slot)
{
	f->slot[f->num++] = slot;
}

static void fifo_remove(struct fifo *f, u32 slot)
{
	unsigned int i, kept = 0;

	for (i = 0; i < f->num; i++)
		if (f->slot[i] != slot)
			f->slot[kept++] = f->slot[i];
	f->num = kept;
}

static u32 below(struct model *m, u32 limit)
{
	return prandom_u32_state(&m->rnd) % limit;
}

static void walk_fill(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_job *job = LOCKED(q, fpgabuf_queue_fill(q));
	u32 slot = 0;

	while (slot < QUEUE_JOBS && m->state[slot] != FPGABUF_JOB_EMPTY)
		slot++;
	if (slot == QUEUE_JOBS) {
		KUNIT_ASSERT_NULL(test, job);
		return;
	}
	KUNIT_ASSERT_PTR_EQ(test, job, &q->jobs[slot]);
	m->state[slot] = FPGABUF_JOB_IDLE;
}

static void walk_empty(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue *q = test->priv;
	u32 slot = below(m, QUEUE_JOBS + 1);
	int ret = LOCKED(q, fpgabuf_queue_empty(q, slot));

	if (slot == QUEUE_JOBS || m->state[slot] == FPGABUF_JOB_EMPTY) {
		KUNIT_ASSERT_EQ(test, -ENOENT, ret);
	} else if (m->state[slot] == FPGABUF_JOB_QUEUED ||
		   m->state[slot] == FPGABUF_JOB_ACTIVE) {
		KUNIT_ASSERT_EQ(test, -EBUSY, ret);
	} else {
		KUNIT_ASSERT_EQ(test, 0, ret);
		m->state[slot] = FPGABUF_JOB_EMPTY;
		fifo_remove(&m->done, slot);
	}
}

/* What fpgabuf_queue_check() should say. */
static int model_check(const struct model *m,
		       const struct fpgabuf_queue_entry *entries,
		       unsigned int count, unsigned int depth)
{
	unsigned int i, k;

	for (i = 0; i < count; i++) {
		u32 slot = entries[i].slot;

		if (slot >= QUEUE_JOBS || m->state[slot] == FPGABUF_JOB_EMPTY)
			return -ENOENT;
		if (m->state[slot] != FPGABUF_JOB_IDLE)
			return -EBUSY;
		for (k = 0; k < i; k++)
			if (entries[k].slot == slot)
				return -EBUSY;
	}
	return m->queued.num + m->active.num + count > depth ? -ENOSPC : 0;
}

static void walk_add(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue_entry entries[WALK_BATCH] = {};
	unsigned int count = below(m, WALK_BATCH + 1);
	struct fpgabuf_queue *q = test->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		entries[i].slot = below(m, QUEUE_JOBS);
		entries[i].user_data = m->serial++;
	}
	ret = LOCKED(q, fpgabuf_queue_check(q, entries, count, QUEUE_DEPTH));
	KUNIT_ASSERT_EQ(test, model_check(m, entries, count, QUEUE_DEPTH), ret);
	for (i = 0; !ret && i < count; i++) {
		u32 slot = entries[i].slot;

		LOCKED_DO(q, fpgabuf_queue_add(q, &entries[i]));
		m->state[slot] = FPGABUF_JOB_QUEUED;
		m->user_data[slot] = entries[i].user_data;
		m->cancelled[slot] = false;
		fifo_push(&m->queued, slot);
	}
}

static void walk_issue(struct kunit *test, struct model *m)
{
	u32 slot = m->queued.slot[0];

	if (!m->queued.num)
		return;
	issue(test->priv, slot);
	m->state[slot] = FPGABUF_JOB_ACTIVE;
	fifo_remove(&m->queued, slot);
	fifo_push(&m->active, slot);
}

static void walk_unissue(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue *q = test->priv;
	struct fifo queued = m->active;
	unsigned int i;

	LOCKED_DO(q, fpgabuf_queue_unissue_all(q));
	for (i = 0; i < m->active.num; i++)
		m->state[m->active.slot[i]] = FPGABUF_JOB_QUEUED;
	for (i = 0; i < m->queued.num; i++)
		fifo_push(&queued, m->queued.slot[i]);
	m->active.num = 0;
	m->queued = queued;
}

static void model_done(struct model *m, struct fifo *from, bool cancelled)
{
	u32 slot = from->slot[0];

	fifo_remove(from, slot);
	fifo_push(&m->done, slot);
	m->state[slot] = FPGABUF_JOB_DONE;
	m->cancelled[slot] = cancelled;
}

/* The engine completes its oldest job, or refuses the channel's oldest. */
static void walk_complete(struct kunit *test, struct model *m)
{
	struct fifo *from = m->active.num ? &m->active : &m->queued;

	if (!from->num)
		return;
	finish(test->priv, from->slot[0]);
	model_done(m, from, false);
}

static void walk_cancel(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue *q = test->priv;

	cancel_all(q);
	while (m->active.num)
		model_done(m, &m->active, true);
	while (m->queued.num)
		model_done(m, &m->queued, true);
}

static void walk_take(struct kunit *test, struct model *m)
{
	struct fpgabuf_queue *q = test->priv;
	struct fpgabuf_completion done;
	u32 slot = m->done.slot[0];

	if (!m->done.num) {
		KUNIT_ASSERT_FALSE(test,
				   LOCKED(q, fpgabuf_queue_peek(q, &done)));
		return;
	}
	done = take(test, slot);
	KUNIT_ASSERT_EQ(test, m->user_data[slot], done.user_data);
	KUNIT_ASSERT_EQ(test, m->cancelled[slot] ? -ECANCELED : 0, done.status);
	m->state[slot] = FPGABUF_JOB_IDLE;
	fifo_remove(&m->done, slot);
}

static void compare_list(struct kunit *test, struct list_head *list,
			 const struct fifo *f)
{
	struct fpgabuf_job *job;
	unsigned int i = 0;

	list_for_each_entry(job, list, node) {
		KUNIT_ASSERT_LT(test, i, f->num);
		KUNIT_ASSERT_EQ(test, f->slot[i++], job->done.slot);
	}
	KUNIT_ASSERT_EQ(test, f->num, i);
}

static void compare(struct kunit *test, const struct model *m)
{
	struct fpgabuf_queue *q = test->priv;
	u32 slot;

	for (slot = 0; slot < QUEUE_JOBS; slot++)
		KUNIT_ASSERT_EQ(test, m->state[slot], q->jobs[slot].state);
	compare_list(test, &q->queued, &m->queued);
	compare_list(test, &q->active, &m->active);
	compare_list(test, &q->done, &m->done);
	KUNIT_ASSERT_EQ(test, m->queued.num + m->active.num, q->num_pending);
	KUNIT_ASSERT_EQ(test, m->done.num, q->num_done);
}

/* How often each step is taken, out of the sum. */
static const struct {
	void (*step)(struct kunit *test, struct model *m);
	unsigned int weight;
} walk_steps[] = {
	{ walk_fill, 6 },
	{ walk_empty, 4 },
	{ walk_add, 12 },
	{ walk_issue, 10 },
	{ walk_unissue, 1 },
	{ walk_complete, 8 },
	{ walk_cancel, 1 },
	{ walk_take, 10 },
};

static void walk_step(struct kunit *test, struct model *m)
{
	unsigned int i, sum = 0;
	u32 pick;

	for (i = 0; i < ARRAY_SIZE(walk_steps); i++)
		sum += walk_steps[i].weight;
	pick = below(m, sum);
	for (i = 0; pick >= walk_steps[i].weight; i++)
		pick -= walk_steps[i].weight;
	walk_steps[i].step(test, m);
}

static const u64 walk_seeds[] = { 1, 0x66706761, 0x7fffffffffffffffULL };

static void walk_seed_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %#llx", *seed);
}

KUNIT_ARRAY_PARAM(walk_seed, walk_seeds, walk_seed_desc);

static void queue_test_walk(struct kunit *test)
{
	const u64 *seed = test->param_value;
	struct model *m;
	unsigned int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&m->rnd, *seed);
	for (i = 0; i < WALK_STEPS; i++) {
		walk_step(test, m);
		compare(test, m);
	}
	/* The walk went somewhere. */
	KUNIT_EXPECT_GT(test, m->serial, WALK_STEPS / 10);
}

static struct kunit_case queue_test_cases[] = {
	KUNIT_CASE(queue_test_starts_empty),
	KUNIT_CASE(queue_test_fill),
	KUNIT_CASE(queue_test_empty_out_of_range),
	KUNIT_CASE(queue_test_empty_pending),
	KUNIT_CASE(queue_test_empty_done),
	KUNIT_CASE(queue_test_check_states),
	KUNIT_CASE(queue_test_check_twice),
	KUNIT_CASE(queue_test_check_depth),
	KUNIT_CASE(queue_test_add_forgets),
	KUNIT_CASE(queue_test_peek_keeps),
	KUNIT_CASE(queue_test_unissue_one),
	KUNIT_CASE(queue_test_unissue),
	KUNIT_CASE(queue_test_cancel),
	KUNIT_CASE_PARAM(queue_test_walk, walk_seed_gen_params),
	{}
};

static struct kunit_suite queue_test_suite = {
	.name = "fpgabuf_queue",
	.init = queue_test_init,
	.test_cases = queue_test_cases,
};

kunit_test_suite(queue_test_suite);

MODULE_DESCRIPTION("KUnit tests of fpgabuf_dma's pure logic");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
