// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of which descriptors the simulated engine takes.
 */
#include <kunit/test.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/spinlock.h>

#include "../sim/sim.h"

/* A channel with one issued descriptor; its logic is stopped. */
static int sim_chan_test_init(struct kunit *test)
{
	struct sim_logic *logic;
	struct sim_desc *desc;
	struct sim_chan *chan;

	chan = kunit_kzalloc(test, sizeof(*chan), GFP_KERNEL);
	logic = kunit_kzalloc(test, sizeof(*logic), GFP_KERNEL);
	desc = kunit_kzalloc(test, struct_size(desc, segs, 0), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chan);
	KUNIT_ASSERT_NOT_NULL(test, logic);
	KUNIT_ASSERT_NOT_NULL(test, desc);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->issued);
	chan->logic = logic;
	/* No fault is planned for it. */
	desc->planned = true;
	list_add(&desc->node, &chan->issued);
	test->priv = chan;
	return 0;
}

/*
 * A descriptor that is issued between two runs is for the second one: a thread
 * that is late in the first may not give it a frame.
 */
static void sim_chan_test_between_runs(struct kunit *test)
{
	struct sim_chan *chan = test->priv;

	KUNIT_EXPECT_NULL(test, sim_chan_next(chan));
	KUNIT_EXPECT_FALSE(test, chan->busy);
	KUNIT_EXPECT_FALSE(test, list_empty(&chan->issued));
}

static void sim_chan_test_in_a_run(struct kunit *test)
{
	struct sim_chan *chan = test->priv;
	struct sim_desc *desc = list_first_entry(&chan->issued,
						 struct sim_desc, node);

	WRITE_ONCE(chan->logic->running, true);
	KUNIT_EXPECT_PTR_EQ(test, sim_chan_next(chan), desc);
	KUNIT_EXPECT_PTR_EQ(test, chan->current_desc, desc);
	KUNIT_EXPECT_TRUE(test, chan->busy);
	KUNIT_EXPECT_TRUE(test, list_empty(&chan->issued));
	KUNIT_EXPECT_NULL(test, sim_chan_next(chan));
}

static struct kunit_case sim_chan_test_cases[] = {
	KUNIT_CASE(sim_chan_test_between_runs),
	KUNIT_CASE(sim_chan_test_in_a_run),
	{}
};

static struct kunit_suite sim_chan_test_suite = {
	.name = "fpgabuf_sim_chan",
	.init = sim_chan_test_init,
	.test_cases = sim_chan_test_cases,
};

kunit_test_suite(sim_chan_test_suite);
