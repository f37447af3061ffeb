// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of an engine's queue: each transition, and random walks beside a
 * model.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "../engine/queue.h"

#define QUEUE_JOBS	6
#define WALK_STEPS	2000
#define WALK_PIECES	3

/*
 * The functions must be called with the lock held, and a failed expectation cannot
 * be reported with it: each step takes it for itself.
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

struct fixture {
	struct fpgabuf_queue queue;
	struct fpgabuf_job jobs[QUEUE_JOBS];
};

static int queue_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	fpgabuf_queue_init(&f->queue);
	for (i = 0; i < QUEUE_JOBS; i++)
		fpgabuf_job_init(&f->jobs[i]);
	test->priv = f;
	return 0;
}

static void add(struct fixture *f, unsigned int job)
{
	LOCKED_DO(&f->queue, fpgabuf_queue_add(&f->queue, &f->jobs[job]));
}

static void begin(struct fixture *f, unsigned int job)
{
	LOCKED_DO(&f->queue, fpgabuf_queue_begin(&f->queue, &f->jobs[job]));
}

static void fail_begun(struct fixture *f, unsigned int job, int status)
{
	LOCKED_DO(&f->queue,
		  fpgabuf_queue_fail(&f->queue, &f->jobs[job], status));
	f->jobs[job].issuing = false;
}

static unsigned int issue(struct fixture *f, unsigned int job, bool more)
{
	return LOCKED(&f->queue,
		      fpgabuf_queue_issue(&f->queue, &f->jobs[job], more));
}

static void finish_to(struct fixture *f, unsigned int job, unsigned int num)
{
	LOCKED_DO(&f->queue,
		  fpgabuf_queue_finish_to(&f->queue, &f->jobs[job], num));
}

static struct fpgabuf_job *over(struct fixture *f)
{
	return LOCKED(&f->queue, fpgabuf_queue_over(&f->queue));
}

static struct fpgabuf_job *unfinished(struct fixture *f)
{
	return LOCKED(&f->queue, fpgabuf_queue_unfinished(&f->queue));
}

static void complete_job(struct fixture *f, unsigned int job)
{
	LOCKED_DO(&f->queue, fpgabuf_queue_complete(&f->queue, &f->jobs[job]));
}

/* Takes the oldest completion, which must be that of @job. */
static void take(struct kunit *test, unsigned int job)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_PTR_EQ(test, &f->jobs[job],
			    fpgabuf_queue_first_done(&f->queue));
	LOCKED_DO(&f->queue, fpgabuf_queue_take(&f->queue, &f->jobs[job]));
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_IDLE, f->jobs[job].state);
}

/* A job of one descriptor: what a channel has */
static void issue_whole(struct fixture *f, unsigned int job)
{
	begin(f, job);
	issue(f, job, false);
}

static void queue_test_starts_empty(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_NULL(test, fpgabuf_queue_first(&f->queue));
	KUNIT_EXPECT_NULL(test, fpgabuf_queue_first_done(&f->queue));
	KUNIT_EXPECT_NULL(test, over(f));
	KUNIT_EXPECT_NULL(test, unfinished(f));
	KUNIT_EXPECT_EQ(test, 0, f->queue.num_pending);
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_IDLE, f->jobs[0].state);
}

static void queue_test_one_descriptor(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	KUNIT_EXPECT_EQ(test, FPGABUF_JOB_QUEUED, f->jobs[0].state);
	KUNIT_EXPECT_TRUE(test, fpgabuf_job_pending(&f->jobs[0]));
	begin(f, 0);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], unfinished(f));
	KUNIT_EXPECT_NULL(test, over(f));
	KUNIT_EXPECT_EQ(test, 0, issue(f, 0, false));
	KUNIT_EXPECT_NULL(test, unfinished(f));
	KUNIT_EXPECT_NULL(test, over(f));
	KUNIT_EXPECT_EQ(test, 1, f->queue.in_flight);
	finish_to(f, 0, 1);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], over(f));
	KUNIT_EXPECT_TRUE(test, fpgabuf_job_pending(&f->jobs[0]));
	complete_job(f, 0);
	KUNIT_EXPECT_FALSE(test, fpgabuf_job_pending(&f->jobs[0]));
	KUNIT_EXPECT_EQ(test, 0, f->queue.num_pending);
	KUNIT_EXPECT_EQ(test, 1, f->queue.num_done);
	take(test, 0);
	KUNIT_EXPECT_EQ(test, 0, f->queue.num_done);
}

/* Between two descriptors nothing is in flight, and the job is not over. */
static void queue_test_not_over_before_the_last(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	begin(f, 0);
	KUNIT_EXPECT_EQ(test, 0, issue(f, 0, true));
	finish_to(f, 0, 1);
	KUNIT_EXPECT_EQ(test, 0, f->queue.in_flight);
	KUNIT_EXPECT_NULL(test, over(f));
	f->jobs[0].issuing = false;
	KUNIT_EXPECT_NULL(test, over(f));
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], unfinished(f));
	f->jobs[0].issuing = true;
	KUNIT_EXPECT_EQ(test, 1, issue(f, 0, false));
	finish_to(f, 0, 2);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], over(f));
}

/* One whose descriptors failed gets no more, but is kept while it is issued. */
static void queue_test_failed_piece(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	begin(f, 0);
	issue(f, 0, true);
	issue(f, 0, true);
	finish_to(f, 0, 1);
	f->jobs[0].status = -EIO;
	KUNIT_EXPECT_NULL(test, unfinished(f));
	KUNIT_EXPECT_NULL(test, over(f));
	f->jobs[0].issuing = false;
	KUNIT_EXPECT_NULL(test, over(f));
	finish_to(f, 0, 2);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], over(f));
}

static void queue_test_unissue(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	begin(f, 0);
	issue(f, 0, true);
	issue(f, 0, false);
	LOCKED_DO(&f->queue, fpgabuf_queue_unissue(&f->queue, &f->jobs[0]));
	KUNIT_EXPECT_EQ(test, 1, f->queue.in_flight);
	finish_to(f, 0, 1);
	KUNIT_EXPECT_NULL(test, over(f));
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], unfinished(f));
	KUNIT_EXPECT_EQ(test, 1, issue(f, 0, false));
}

/* A job that fails at once waits for its predecessor. */
static void queue_test_fails_in_turn(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 3);
	add(f, 1);
	issue_whole(f, 3);
	begin(f, 1);
	fail_begun(f, 1, -ECANCELED);
	KUNIT_EXPECT_NULL(test, unfinished(f));
	KUNIT_EXPECT_NULL(test, over(f));
	finish_to(f, 3, 1);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[3], over(f));
	complete_job(f, 3);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[1], over(f));
	complete_job(f, 1);
	KUNIT_EXPECT_EQ(test, -ECANCELED, f->jobs[1].status);
	take(test, 3);
	take(test, 1);
}

/* The engine has none of its descriptors, and the first error stays. */
static void queue_test_fail(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	begin(f, 0);
	issue(f, 0, true);
	issue(f, 0, true);
	f->jobs[0].issuing = false;
	f->jobs[0].status = -EMSGSIZE;
	LOCKED_DO(&f->queue,
		  fpgabuf_queue_fail(&f->queue, &f->jobs[0], -ETIMEDOUT));
	KUNIT_EXPECT_EQ(test, 0, f->queue.in_flight);
	KUNIT_EXPECT_EQ(test, 0, f->jobs[0].finished);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, f->jobs[0].status);
	KUNIT_EXPECT_PTR_EQ(test, &f->jobs[0], over(f));
}

/* What a job was before does not show in its next turn. */
static void queue_test_add_forgets(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	issue_whole(f, 0);
	finish_to(f, 0, 1);
	f->jobs[0].status = -EIO;
	f->jobs[0].again = true;
	f->jobs[0].lost = true;
	complete_job(f, 0);
	take(test, 0);

	add(f, 0);
	KUNIT_EXPECT_EQ(test, 0, f->jobs[0].status);
	KUNIT_EXPECT_FALSE(test, f->jobs[0].again);
	KUNIT_EXPECT_FALSE(test, f->jobs[0].lost);
	KUNIT_EXPECT_EQ(test, 0, f->jobs[0].issued);
	KUNIT_EXPECT_EQ(test, 0, f->jobs[0].finished);
}

/* An engine that was stopped: its jobs come first again, in their order. */
static void queue_test_requeue(struct kunit *test)
{
	static const unsigned int order[] = { 2, 0, 3, 1 };
	struct fixture *f = test->priv;
	struct fpgabuf_job *job;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		add(f, order[i]);
	issue_whole(f, 2);
	begin(f, 0);
	issue(f, 0, true);
	finish_to(f, 0, 1);
	LOCKED_DO(&f->queue, fpgabuf_queue_requeue(&f->queue, &f->jobs[0]));
	LOCKED_DO(&f->queue, fpgabuf_queue_requeue(&f->queue, &f->jobs[2]));

	KUNIT_EXPECT_TRUE(test, list_empty(&f->queue.active));
	KUNIT_EXPECT_EQ(test, 4, f->queue.num_pending);
	KUNIT_EXPECT_EQ(test, 0, f->queue.in_flight);
	i = 0;
	list_for_each_entry(job, &f->queue.queued, node) {
		KUNIT_EXPECT_EQ(test, FPGABUF_JOB_QUEUED, job->state);
		KUNIT_EXPECT_PTR_EQ(test, &f->jobs[order[i++]], job);
		KUNIT_EXPECT_TRUE(test, job->more);
	}
	KUNIT_EXPECT_EQ(test, 4, i);

	/* It begins with its first descriptor again. */
	begin(f, 2);
	KUNIT_EXPECT_EQ(test, 0, issue(f, 2, false));
	begin(f, 0);
	KUNIT_EXPECT_EQ(test, 0, issue(f, 0, true));
}

/* A requeued job that failed before fails with its first error. */
static void queue_test_requeue_keeps_errors(struct kunit *test)
{
	struct fixture *f = test->priv;

	add(f, 0);
	begin(f, 0);
	fail_begun(f, 0, -ENODEV);
	LOCKED_DO(&f->queue, fpgabuf_queue_requeue(&f->queue, &f->jobs[0]));
	begin(f, 0);
	fail_begun(f, 0, -EIO);
	KUNIT_EXPECT_EQ(test, -ENODEV, f->jobs[0].status);
}

/* Counted from when a job is queued until it is complete. */
static void queue_test_fenced(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Never looked into */
	f->jobs[1].fence = (struct dma_fence *)f;
	add(f, 0);
	KUNIT_EXPECT_EQ(test, 0, f->queue.num_fenced);
	add(f, 1);
	KUNIT_EXPECT_EQ(test, 1, f->queue.num_fenced);
	issue_whole(f, 0);
	issue_whole(f, 1);
	finish_to(f, 0, 1);
	complete_job(f, 0);
	KUNIT_EXPECT_EQ(test, 1, f->queue.num_fenced);
	finish_to(f, 1, 1);
	complete_job(f, 1);
	KUNIT_EXPECT_EQ(test, 0, f->queue.num_fenced);
}

/**
 * struct fifo - jobs in the order they came
 * @job: their numbers, oldest first
 * @num: how many
 */
struct fifo {
	unsigned int job[QUEUE_JOBS];
	unsigned int num;
};

/**
 * struct model - what the queue should be, said in another way
 * @queued: jobs in that state
 * @active: likewise
 * @done: likewise
 * @left: descriptors that each has still to get
 * @flying: descriptors of each that the engine has
 * @failed: whether it is to complete with an error
 * @rnd: what happens next
 * @completed: number of jobs that did
 */
struct model {
	struct fifo queued;
	struct fifo active;
	struct fifo done;
	unsigned int left[QUEUE_JOBS];
	unsigned int flying[QUEUE_JOBS];
	bool failed[QUEUE_JOBS];
	struct rnd_state rnd;
	unsigned int completed;
};

static void fifo_push(struct fifo *f, unsigned int job)
{
	f->job[f->num++] = job;
}

static unsigned int fifo_shift(struct fifo *f)
{
	const unsigned int job = f->job[0];

	memmove(f->job, f->job + 1, --f->num * sizeof(*f->job));
	return job;
}

static bool fifo_has(const struct fifo *f, unsigned int job)
{
	unsigned int i;

	for (i = 0; i < f->num; i++)
		if (f->job[i] == job)
			return true;
	return false;
}

static u32 below(struct model *m, u32 limit)
{
	return prandom_u32_state(&m->rnd) % limit;
}

static void walk_add(struct kunit *test, struct model *m)
{
	unsigned int job = below(m, QUEUE_JOBS);

	if (fifo_has(&m->queued, job) || fifo_has(&m->active, job) ||
	    fifo_has(&m->done, job))
		return;
	add(test->priv, job);
	fifo_push(&m->queued, job);
	m->left[job] = 1 + below(m, WALK_PIECES);
	m->flying[job] = 0;
	m->failed[job] = false;
}

/* The newest active job goes on, or else the oldest queued one begins. */
static void walk_issue(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;
	struct fpgabuf_job *job = unfinished(f);
	unsigned int number;

	if (m->active.num &&
	    m->left[m->active.job[m->active.num - 1]] &&
	    !m->failed[m->active.job[m->active.num - 1]]) {
		number = m->active.job[m->active.num - 1];
		KUNIT_ASSERT_PTR_EQ(test, &f->jobs[number], job);
		job->issuing = true;
	} else {
		KUNIT_ASSERT_NULL(test, job);
		if (!m->queued.num)
			return;
		number = fifo_shift(&m->queued);
		fifo_push(&m->active, number);
		begin(f, number);
	}
	issue(f, number, --m->left[number]);
	f->jobs[number].issuing = false;
	m->flying[number]++;
}

static void walk_fail(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;
	unsigned int number;

	if (!m->active.num)
		return;
	number = m->active.job[below(m, m->active.num)];
	LOCKED_DO(&f->queue,
		  fpgabuf_queue_fail(&f->queue, &f->jobs[number], -EIO));
	m->failed[number] = true;
	m->left[number] = 0;
	m->flying[number] = 0;
}

/* The engine is done with its oldest descriptor. */
static void walk_finish(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;
	unsigned int i, number;

	for (i = 0; i < m->active.num; i++) {
		number = m->active.job[i];
		if (!m->flying[number])
			continue;
		finish_to(f, number, f->jobs[number].finished + 1);
		m->flying[number]--;
		return;
	}
}

static void walk_complete(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;
	struct fpgabuf_job *job = over(f);
	unsigned int number;

	if (!m->active.num || m->flying[m->active.job[0]] ||
	    m->left[m->active.job[0]]) {
		KUNIT_ASSERT_NULL(test, job);
		return;
	}
	number = fifo_shift(&m->active);
	KUNIT_ASSERT_PTR_EQ(test, &f->jobs[number], job);
	KUNIT_ASSERT_EQ(test, m->failed[number] ? -EIO : 0, job->status);
	complete_job(f, number);
	fifo_push(&m->done, number);
	m->completed++;
}

/* The engine was stopped: those that did not fail begin again. */
static void walk_requeue(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;
	struct fifo queued;
	unsigned int i;

	while (m->active.num && !m->failed[m->active.job[m->active.num - 1]]) {
		unsigned int number = m->active.job[--m->active.num];

		LOCKED_DO(&f->queue, fpgabuf_queue_requeue(&f->queue,
							   &f->jobs[number]));
		m->left[number] = 1 + below(m, WALK_PIECES);
		m->flying[number] = 0;
		queued = m->queued;
		m->queued = (struct fifo){ .job = { number }, .num = 1 };
		for (i = 0; i < queued.num; i++)
			fifo_push(&m->queued, queued.job[i]);
	}
}

static void walk_take(struct kunit *test, struct model *m)
{
	struct fixture *f = test->priv;

	if (m->done.num)
		take(test, fifo_shift(&m->done));
	else
		KUNIT_ASSERT_NULL(test, fpgabuf_queue_first_done(&f->queue));
}

static void compare_list(struct kunit *test, struct list_head *list,
			 const struct fifo *jobs, enum fpgabuf_job_state state)
{
	struct fixture *f = test->priv;
	struct fpgabuf_job *job;
	unsigned int i = 0;

	list_for_each_entry(job, list, node) {
		KUNIT_ASSERT_LT(test, i, jobs->num);
		KUNIT_ASSERT_PTR_EQ(test, &f->jobs[jobs->job[i++]], job);
		KUNIT_ASSERT_EQ(test, state, job->state);
	}
	KUNIT_ASSERT_EQ(test, jobs->num, i);
}

static void compare(struct kunit *test, const struct model *m)
{
	struct fixture *f = test->priv;
	struct fpgabuf_queue *q = &f->queue;
	unsigned int i, flying = 0;

	compare_list(test, &q->queued, &m->queued, FPGABUF_JOB_QUEUED);
	compare_list(test, &q->active, &m->active, FPGABUF_JOB_ACTIVE);
	compare_list(test, &q->done, &m->done, FPGABUF_JOB_DONE);
	for (i = 0; i < m->active.num; i++)
		flying += m->flying[m->active.job[i]];
	KUNIT_ASSERT_EQ(test, flying, q->in_flight);
	KUNIT_ASSERT_EQ(test, m->queued.num + m->active.num, q->num_pending);
	KUNIT_ASSERT_EQ(test, m->done.num, q->num_done);
}

/* How often each step is taken, out of the sum */
static const struct {
	void (*step)(struct kunit *test, struct model *m);
	unsigned int weight;
} walk_steps[] = {
	{ walk_add, 10 },
	{ walk_issue, 12 },
	{ walk_fail, 1 },
	{ walk_finish, 12 },
	{ walk_complete, 10 },
	{ walk_requeue, 1 },
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
	KUNIT_EXPECT_GT(test, m->completed, WALK_STEPS / 20);
}

static struct kunit_case queue_test_cases[] = {
	KUNIT_CASE(queue_test_starts_empty),
	KUNIT_CASE(queue_test_one_descriptor),
	KUNIT_CASE(queue_test_not_over_before_the_last),
	KUNIT_CASE(queue_test_failed_piece),
	KUNIT_CASE(queue_test_unissue),
	KUNIT_CASE(queue_test_fails_in_turn),
	KUNIT_CASE(queue_test_fail),
	KUNIT_CASE(queue_test_add_forgets),
	KUNIT_CASE(queue_test_requeue),
	KUNIT_CASE(queue_test_requeue_keeps_errors),
	KUNIT_CASE(queue_test_fenced),
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
