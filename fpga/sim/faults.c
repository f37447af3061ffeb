// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of the simulated FPGA's engine, on demand: which of its descriptors
 * meet one is written into debugfs. What then happens is in the files that would
 * do it right.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "sim.h"

#define SIM_FAULT_MS	100
/* A kind and two numbers */
#define SIM_PLAN_LEN	48

static const char * const sim_fault_names[SIM_NUM_FAULTS] = {
	[SIM_FAULT_NONE]	= "none",
	[SIM_FAULT_DROP]	= "drop",
	[SIM_FAULT_SHORT]	= "short",
	[SIM_FAULT_LATE]	= "late",
	[SIM_FAULT_ABORT]	= "abort",
	[SIM_FAULT_ERROR]	= "error",
	[SIM_FAULT_HANG]	= "hang",
	[SIM_FAULT_LOST]	= "lost",
	[SIM_FAULT_DUPLICATE]	= "duplicate",
	[SIM_FAULT_FULL]	= "full",
	[SIM_FAULT_REFUSE]	= "refuse",
	[SIM_FAULT_ZOMBIE]	= "zombie",
	[SIM_FAULT_STUCK]	= "stuck",
	[SIM_FAULT_BACK]	= "back",
	[SIM_FAULT_SHORT_BACK]	= "short-back",
	[SIM_FAULT_FORMAT]	= "format",
};

static bool plan_meets(struct sim_plan *plan)
{
	if (!plan->count)
		return false;
	if (plan->skip) {
		plan->skip--;
		return false;
	}
	plan->count--;
	return true;
}

/* Whether a descriptor on its way to the engine meets @kind; with the lock held. */
bool sim_fault_meets(struct sim_chan *chan, enum sim_fault kind)
{
	lockdep_assert_held(&chan->lock);
	return chan->plan.kind == kind && plan_meets(&chan->plan);
}

/* Likewise, for callers that do not hold the lock. */
bool sim_fault_strikes(struct sim_chan *chan, enum sim_fault kind)
{
	unsigned long flags;
	bool strikes;

	spin_lock_irqsave(&chan->lock, flags);
	strikes = sim_fault_meets(chan, kind);
	spin_unlock_irqrestore(&chan->lock, flags);
	return strikes;
}

/* What the descriptor that the engine takes now meets; with the lock held. */
enum sim_fault sim_fault_next(struct sim_chan *chan)
{
	enum sim_fault kind = chan->plan.kind;

	lockdep_assert_held(&chan->lock);
	if (kind == SIM_FAULT_FULL || kind == SIM_FAULT_REFUSE ||
	    kind == SIM_FAULT_FORMAT)
		return SIM_FAULT_NONE;
	return plan_meets(&chan->plan) ? kind : SIM_FAULT_NONE;
}

/**
 * sim_fault_lasts() - wait for the end of a fault
 * @chan: the channel
 * @desc: the current descriptor
 * @timeout: in jiffies
 *
 * Return: whether it still lasts then: neither is the fault cleared nor the
 * descriptor terminated.
 */
bool sim_fault_lasts(struct sim_chan *chan, const struct sim_desc *desc,
		     long timeout)
{
	return !wait_event_idle_timeout(chan->wait,
					READ_ONCE(desc->aborted) ||
					!READ_ONCE(desc->fault), timeout);
}

static void sim_fault_plan(struct sim_chan *chan, const struct sim_plan *plan)
{
	spin_lock_irq(&chan->lock);
	chan->plan = *plan;
	spin_unlock_irq(&chan->lock);
}

/* None is to come, and what one holds up goes on. */
void sim_fault_clear(struct sim_chan *chan)
{
	const struct sim_plan none = { .kind = SIM_FAULT_NONE };

	sim_fault_plan(chan, &none);
	sim_chan_release(chan);
}

/* An engine that is stuck, or was to be, can be stopped from now on. */
void sim_fault_unstick(struct sim_chan *chan)
{
	spin_lock_irq(&chan->lock);
	if (chan->plan.kind == SIM_FAULT_STUCK)
		chan->plan.kind = SIM_FAULT_HANG;
	spin_unlock_irq(&chan->lock);
	sim_chan_unstick(chan);
}

static int plan_get_number(char **text, unsigned int *number)
{
	char *word = strsep(text, " ");

	return word ? kstrtouint(word, 10, number) : 0;
}

/* "KIND [COUNT [SKIP]]" */
static int plan_parse(char *text, struct sim_plan *plan)
{
	const char *word = strsep(&text, " ");
	int kind = match_string(sim_fault_names, SIM_NUM_FAULTS, word);
	int ret;

	if (kind < 0)
		return kind;
	*plan = (struct sim_plan){ .kind = kind, .count = 1 };
	ret = plan_get_number(&text, &plan->count);
	if (!ret)
		ret = plan_get_number(&text, &plan->skip);
	if (ret)
		return ret;
	return text || !plan->count ? -EINVAL : 0;
}

static ssize_t fault_write(struct file *file, const char __user *user,
			   size_t len, loff_t *pos)
{
	struct sim_chan *chan = file->private_data;
	char text[SIM_PLAN_LEN];
	struct sim_plan plan;
	int ret;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, len))
		return -EFAULT;
	text[len] = '\0';
	ret = plan_parse(strim(text), &plan);
	if (ret)
		return ret;
	if (plan.kind == SIM_FAULT_NONE)
		sim_fault_clear(chan);
	else
		sim_fault_plan(chan, &plan);
	return len;
}

static ssize_t fault_read(struct file *file, char __user *user, size_t len,
			  loff_t *pos)
{
	struct sim_chan *chan = file->private_data;
	char text[SIM_PLAN_LEN];
	struct sim_plan plan;
	int used;

	spin_lock_irq(&chan->lock);
	plan = chan->plan;
	spin_unlock_irq(&chan->lock);
	if (plan.count)
		used = scnprintf(text, sizeof(text), "%s %u %u\n",
				 sim_fault_names[plan.kind], plan.count,
				 plan.skip);
	else
		used = scnprintf(text, sizeof(text), "none\n");
	return simple_read_from_buffer(user, len, pos, text, used);
}

static const struct file_operations fault_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= fault_read,
	.write	= fault_write,
	.llseek	= default_llseek,
};

void sim_fault_debugfs(struct sim_chan *chan, struct dentry *dir)
{
	chan->fault_ms = SIM_FAULT_MS;
	debugfs_create_file("fault", 0600, dir, chan, &fault_fops);
	debugfs_create_u32("fault_ms", 0600, dir, &chan->fault_ms);
}
