// SPDX-License-Identifier: GPL-2.0
/*
 * Free buffers: memory of a device that was released, and waits for the next
 * one who wants as much of that kind.
 *
 * A device's free buffers are kept only while it is bound to its driver. They
 * hold no reference to the driver's module.
 *
 * They stay charged to the memory cgroup that they were allocated in, and only
 * that one gets them again. Where a limit applies to that nothing is kept.
 */
#include <linux/cgroup.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "exporter.h"

/*
 * Guards all stocks and all of each. Memory is allocated and given back without
 * it: both may end up in the shrinker.
 */
static DEFINE_SPINLOCK(fpgabuf_stocks_lock);
static LIST_HEAD(fpgabuf_stocks);
static size_t fpgabuf_free_bytes;

/*
 * Held by readers while they give back memory, from taking it out of a stock on; by
 * a device that is unbound for writing, so that it waits for them. Outside of
 * fpgabuf_stocks_lock.
 */
DECLARE_RWSEM(fpgabuf_giving_back);

/*
 * Four frames of 1920x1080 with four bytes a pixel: what a capture that is
 * started again wants, and half of the CMA area of most configurations.
 */
static unsigned long fpgabuf_free_limit = SZ_32M;

static struct shrinker *fpgabuf_shrinker;

/* Whom memory that this task allocates is charged to. Never dereferenced. */
static u64 fpgabuf_memcg(void)
{
	u64 id = 0;

#ifdef CONFIG_MEMCG
	rcu_read_lock();
	id = cgroup_id(mem_cgroup_from_task(current)->css.cgroup);
	rcu_read_unlock();
#endif
	return id;
}

/* From here to the shrinking of one: with fpgabuf_stocks_lock held. */
static void fpgabuf_stock_add(struct fpgabuf_stock *stock,
			      struct fpgabuf_buffer *buffer)
{
	list_add(&buffer->free, &stock->buffers);
	stock->bytes += buffer->size;
	stock->counts[buffer->number].buffers++;
	stock->counts[buffer->number].bytes += buffer->size;
	fpgabuf_free_bytes += buffer->size;
}

static void fpgabuf_stock_del(struct fpgabuf_stock *stock,
			      struct fpgabuf_buffer *buffer)
{
	list_del(&buffer->free);
	stock->bytes -= buffer->size;
	stock->counts[buffer->number].buffers--;
	stock->counts[buffer->number].bytes -= buffer->size;
	fpgabuf_free_bytes -= buffer->size;
}

/* Take out the one that was released first. */
static struct fpgabuf_buffer *fpgabuf_stock_oldest(struct fpgabuf_stock *stock)
{
	struct fpgabuf_buffer *buffer;

	buffer = list_last_entry(&stock->buffers, struct fpgabuf_buffer, free);
	fpgabuf_stock_del(stock, buffer);
	return buffer;
}

/* Move the oldest ones to @out, until no more than @limit bytes are left. */
static void fpgabuf_stock_trim(struct fpgabuf_stock *stock, size_t limit,
			       struct list_head *out)
{
	while (stock->bytes > limit)
		list_add(&fpgabuf_stock_oldest(stock)->free, out);
}

/* The same for want of memory, until @pages are out. Return: how many are. */
static unsigned long fpgabuf_stock_shrink(struct fpgabuf_stock *stock,
					  unsigned long pages,
					  struct list_head *out)
{
	struct fpgabuf_buffer *buffer;
	unsigned long done = 0;

	while (done < pages && stock->bytes) {
		buffer = fpgabuf_stock_oldest(stock);
		list_add(&buffer->free, out);
		stock->counts[buffer->number].shrunk++;
		done += buffer->size >> PAGE_SHIFT;
	}
	return done;
}

/* With fpgabuf_giving_back held since they were taken out. */
static void fpgabuf_give_back(struct list_head *buffers)
{
	struct fpgabuf_buffer *buffer, *next;

	list_for_each_entry_safe(buffer, next, buffers, free)
		fpgabuf_buffer_destroy(buffer);
}

/**
 * fpgabuf_stock_init() - a stock that keeps nothing yet
 * @stock: the caller's, zeroed
 * @dev: whose free buffers it is for
 */
void fpgabuf_stock_init(struct fpgabuf_stock *stock, struct device *dev)
{
	stock->dev = dev;
	stock->closed = true;
	INIT_LIST_HEAD(&stock->buffers);
}

/**
 * fpgabuf_stock_open() - begin to keep free buffers
 * @stock: from fpgabuf_stock_init()
 */
void fpgabuf_stock_open(struct fpgabuf_stock *stock)
{
	spin_lock(&fpgabuf_stocks_lock);
	stock->closed = false;
	list_add(&stock->node, &fpgabuf_stocks);
	spin_unlock(&fpgabuf_stocks_lock);
}

/**
 * fpgabuf_stock_close() - give all free buffers back, and keep none any more
 * @stock: from fpgabuf_stock_open()
 *
 * Context: with fpgabuf_giving_back held for writing, so that when this returns
 * nobody else gives back one of them any more.
 */
void fpgabuf_stock_close(struct fpgabuf_stock *stock)
{
	LIST_HEAD(out);

	spin_lock(&fpgabuf_stocks_lock);
	stock->closed = true;
	list_del(&stock->node);
	fpgabuf_stock_trim(stock, 0, &out);
	spin_unlock(&fpgabuf_stocks_lock);
	fpgabuf_give_back(&out);
}

/**
 * fpgabuf_stock_take() - get a free buffer
 * @stock: of the device
 * @size: bytes
 * @kind: kind of memory
 *
 * Return: a buffer of exactly that size, which shows what its last user left in
 * it, or NULL. &fpgabuf_buffer.owner is not held.
 */
struct fpgabuf_buffer *fpgabuf_stock_take(struct fpgabuf_stock *stock,
					  size_t size, enum fpgabuf_kind kind)
{
	u64 memcg = fpgabuf_memcg();
	struct fpgabuf_buffer *buffer;

	spin_lock(&fpgabuf_stocks_lock);
	list_for_each_entry(buffer, &stock->buffers, free) {
		if (buffer->size == size && buffer->number == kind &&
		    buffer->memcg == memcg) {
			fpgabuf_stock_del(stock, buffer);
			stock->counts[kind].hits++;
			goto out_unlock;
		}
	}
	stock->counts[kind].misses++;
	buffer = NULL;
out_unlock:
	spin_unlock(&fpgabuf_stocks_lock);
	return buffer;
}

/*
 * What is short because of the limit of a memory cgroup is reclaimed without a call of
 * our shrinker. A free buffer would get somebody killed there.
 */
static bool fpgabuf_is_limited(const struct fpgabuf_buffer *buffer)
{
	bool limited = false;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = page_memcg_check(sg_page(buffer->pages.sgl));
	for (; memcg && !limited; memcg = parent_mem_cgroup(memcg))
		limited = READ_ONCE(memcg->memory.max) < PAGE_COUNTER_MAX ||
			  READ_ONCE(memcg->memory.high) < PAGE_COUNTER_MAX;
	rcu_read_unlock();
#endif
	return limited;
}

/**
 * fpgabuf_stock_keep() - keep a buffer that was released
 * @stock: of its device
 * @buffer: the buffer; nobody else can reach it
 *
 * Context: with fpgabuf_giving_back held for reading.
 * Return: whether it is kept. If not it is still the caller's.
 */
bool fpgabuf_stock_keep(struct fpgabuf_stock *stock,
			struct fpgabuf_buffer *buffer)
{
	size_t limit = READ_ONCE(fpgabuf_free_limit);
	bool keep;
	LIST_HEAD(out);

	if (!buffer->kind->clear || buffer->size > limit)
		return false;
	/* Whoever holds a page of it would see the next user's frames. */
	if (READ_ONCE(buffer->referenced))
		return false;
	if (fpgabuf_has_pages(buffer) && fpgabuf_is_limited(buffer))
		return false;

	spin_lock(&fpgabuf_stocks_lock);
	keep = !stock->closed;
	if (keep) {
		fpgabuf_stock_trim(stock, limit - buffer->size, &out);
		fpgabuf_stock_add(stock, buffer);
	}
	spin_unlock(&fpgabuf_stocks_lock);
	fpgabuf_give_back(&out);
	return keep;
}

/**
 * fpgabuf_stock_charge() - note whom a new buffer's memory is charged to
 * @buffer: the buffer, allocated by this task
 */
void fpgabuf_stock_charge(struct fpgabuf_buffer *buffer)
{
	buffer->memcg = fpgabuf_memcg();
}

/* Leave every device no more than @limit. Return: whether any had more. */
static bool fpgabuf_stocks_trim(size_t limit)
{
	struct fpgabuf_stock *stock;
	LIST_HEAD(out);
	bool any;

	down_read(&fpgabuf_giving_back);
	spin_lock(&fpgabuf_stocks_lock);
	list_for_each_entry(stock, &fpgabuf_stocks, node)
		fpgabuf_stock_trim(stock, limit, &out);
	spin_unlock(&fpgabuf_stocks_lock);
	any = !list_empty(&out);
	fpgabuf_give_back(&out);
	up_read(&fpgabuf_giving_back);
	return any;
}

/**
 * fpgabuf_stocks_drop() - give all free buffers back, of all devices
 *
 * For an allocation that fails: what is kept may be what it lacks, a part of a
 * CMA area for example, for which no shrinker is ever called.
 *
 * Return: whether there were any.
 */
bool fpgabuf_stocks_drop(void)
{
	return fpgabuf_stocks_trim(0);
}

static unsigned long fpgabuf_shrink_count(struct shrinker *shrinker,
					  struct shrink_control *sc)
{
	return READ_ONCE(fpgabuf_free_bytes) >> PAGE_SHIFT ?:
		SHRINK_EMPTY;
}

/* From within any allocation, one that holds fpgabuf_giving_back too. */
static unsigned long fpgabuf_shrink_scan(struct shrinker *shrinker,
					 struct shrink_control *sc)
{
	struct fpgabuf_stock *stock;
	unsigned long pages = 0;
	LIST_HEAD(out);

	if (!down_read_trylock(&fpgabuf_giving_back))
		return SHRINK_STOP;

	spin_lock(&fpgabuf_stocks_lock);
	list_for_each_entry(stock, &fpgabuf_stocks, node)
		if (pages < sc->nr_to_scan)
			pages += fpgabuf_stock_shrink(stock,
						      sc->nr_to_scan - pages,
						      &out);
	spin_unlock(&fpgabuf_stocks_lock);

	fpgabuf_give_back(&out);
	up_read(&fpgabuf_giving_back);
	return pages ?: SHRINK_STOP;
}

/* debugfs: a line for each device and each kind that it had buffers of. */
int fpgabuf_free_show(struct seq_file *s, void *unused)
{
	const struct fpgabuf_free_count *c;
	struct fpgabuf_stock *stock;
	unsigned int kind;

	seq_puts(s, "device kind buffers bytes hits misses shrunk\n");
	spin_lock(&fpgabuf_stocks_lock);
	list_for_each_entry(stock, &fpgabuf_stocks, node) {
		for (kind = 0; kind < FPGABUF_NUM_KINDS; kind++) {
			c = &stock->counts[kind];
			if (!c->hits && !c->misses)
				continue;
			seq_printf(s, "%s %s %lu %lu %lu %lu %lu\n",
				   dev_name(stock->dev),
				   fpgabuf_kind_name(kind), c->buffers,
				   c->bytes, c->hits, c->misses, c->shrunk);
		}
	}
	spin_unlock(&fpgabuf_stocks_lock);
	return 0;
}

static int fpgabuf_free_limit_set(const char *text,
				  const struct kernel_param *param)
{
	int ret = param_set_ulong(text, param);

	if (!ret)
		fpgabuf_stocks_trim(fpgabuf_free_limit);
	return ret;
}

static const struct kernel_param_ops fpgabuf_free_limit_ops = {
	.set = fpgabuf_free_limit_set,
	.get = param_get_ulong,
};

module_param_cb(free_limit, &fpgabuf_free_limit_ops, &fpgabuf_free_limit, 0644);
MODULE_PARM_DESC(free_limit, "bytes of free buffers that are kept for each device (default 32 MiB, 0: none)");

int __init fpgabuf_recycle_init(void)
{
	fpgabuf_shrinker = shrinker_alloc(0, "fpgabuf");
	if (!fpgabuf_shrinker)
		return -ENOMEM;
	fpgabuf_shrinker->count_objects = fpgabuf_shrink_count;
	fpgabuf_shrinker->scan_objects = fpgabuf_shrink_scan;
	shrinker_register(fpgabuf_shrinker);
	return 0;
}

/* All stocks are closed. */
void fpgabuf_recycle_exit(void)
{
	shrinker_free(fpgabuf_shrinker);
}
