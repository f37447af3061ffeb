// SPDX-License-Identifier: GPL-2.0
/*
 * A device while it is bound to its driver. Only then may the DMA API be used for
 * it, so the memory that needs it must be given back before. When the device is
 * unbound, a devres entry gives back the free buffers, and moves those that are in
 * use into ordinary pages. What cannot be moved is stranded: it is freed when the
 * device has a driver again. See Documentation/ends.md.
 */
#include <kunit/visibility.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "exporter.h"

/* How long a device that is unbound waits for other devices, for all its buffers */
#define BINDING_END_MS	(FPGABUF_MAX_TIMEOUT_MS + 1000)

/*
 * Guards the list of bindings, &fpgabuf_binding.closed and .buffers, and the list of
 * stranded buffers, by &fpgabuf_buffer.live, which were released.
 */
static DEFINE_SPINLOCK(fpgabuf_bindings_lock);
static LIST_HEAD(fpgabuf_bindings);
static LIST_HEAD(fpgabuf_stranded);

/* For &fpgabuf_binding.work: this module waits for the last one of it. */
static struct workqueue_struct *fpgabuf_binding_wq;

static void binding_release(struct kref *ref)
{
	struct fpgabuf_binding *binding =
		container_of(ref, struct fpgabuf_binding, ref);

	put_device(binding->bound);
	put_device(binding->dev);
	kfree(binding);
}

/**
 * fpgabuf_binding_put() - put a reference
 * @binding: from fpgabuf_binding_get(), or NULL
 */
void fpgabuf_binding_put(struct fpgabuf_binding *binding)
{
	if (binding)
		kref_put(&binding->ref, binding_release);
}

/**
 * fpgabuf_binding_add() - a buffer is in use from now on
 * @buffer: the buffer, with its &fpgabuf_buffer.binding
 *
 * Return: 0; -ENODEV: it must not be, since the device is being unbound.
 */
int fpgabuf_binding_add(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_binding *binding = buffer->binding;
	int ret = 0;

	if (!buffer->kind->bound)
		return 0;
	spin_lock(&fpgabuf_bindings_lock);
	if (binding->closed)
		ret = -ENODEV;
	else
		list_add_tail(&buffer->live, &binding->buffers);
	spin_unlock(&fpgabuf_bindings_lock);
	return ret;
}

/**
 * fpgabuf_binding_del() - a buffer is in use no more
 * @buffer: the buffer; the caller has a reference
 */
void fpgabuf_binding_del(struct fpgabuf_buffer *buffer)
{
	spin_lock(&fpgabuf_bindings_lock);
	list_del_init(&buffer->live);
	spin_unlock(&fpgabuf_bindings_lock);
}

/* Its driver has gone: the memory stays until there is one. */
static void binding_strand(struct fpgabuf_buffer *buffer)
{
	dev_warn(buffer->dev,
		 "%zu bytes of %s memory were in use when it was unbound, and are freed when it is bound again\n",
		 buffer->size, buffer->kind->name);
	spin_lock(&fpgabuf_bindings_lock);
	list_add_tail(&buffer->live, &fpgabuf_stranded);
	spin_unlock(&fpgabuf_bindings_lock);
}

static void binding_last_put(struct kref *ref)
{
	struct fpgabuf_buffer *buffer =
		container_of(ref, struct fpgabuf_buffer, ref);
	struct fpgabuf_binding *binding = buffer->binding;
	struct module *owner = buffer->owner;

	down_read(&fpgabuf_giving_back);
	if (binding && fpgabuf_stock_keep(&binding->stock, buffer))
		; /* It may be somebody's again. */
	else if (buffer->kind->bound && binding->over)
		binding_strand(buffer);
	else
		fpgabuf_buffer_destroy(buffer);
	up_read(&fpgabuf_giving_back);
	fpgabuf_binding_put(binding);
	module_put(owner);
}

/**
 * fpgabuf_binding_put_buffer() - put a reference to a buffer
 * @buffer: the buffer. With the last reference it is freed, kept or stranded
 *
 * Context: process context, may sleep.
 */
void fpgabuf_binding_put_buffer(struct fpgabuf_buffer *buffer)
{
	kref_put(&buffer->ref, binding_last_put);
}

/* The next one that is still in use, with a reference */
static struct fpgabuf_buffer *binding_next(struct fpgabuf_binding *binding)
{
	struct fpgabuf_buffer *buffer;

	spin_lock(&fpgabuf_bindings_lock);
	buffer = list_first_entry_or_null(&binding->buffers,
					  struct fpgabuf_buffer, live);
	if (buffer) {
		list_del_init(&buffer->live);
		kref_get(&buffer->ref);
	}
	spin_unlock(&fpgabuf_bindings_lock);
	return buffer;
}

/*
 * What its own driver still uses is moved when that has done with it; see
 * fpgabuf_unmap().
 */
static void binding_move_buffers(struct fpgabuf_binding *binding)
{
	const ktime_t end = ktime_add_ms(ktime_get(), BINDING_END_MS);
	struct fpgabuf_buffer *buffer;

	while ((buffer = binding_next(binding))) {
		fpgabuf_buffer_tell(buffer, end);
		fpgabuf_buffer_move(buffer);
		fpgabuf_binding_put_buffer(buffer);
	}
}

static void binding_close(struct fpgabuf_binding *binding)
{
	down_write(&fpgabuf_giving_back);
	spin_lock(&fpgabuf_bindings_lock);
	binding->closed = true;
	spin_unlock(&fpgabuf_bindings_lock);
	fpgabuf_stock_close(&binding->stock);
	up_write(&fpgabuf_giving_back);

	binding_move_buffers(binding);

	down_write(&fpgabuf_giving_back);
	binding->over = true;
	up_write(&fpgabuf_giving_back);
	queue_work(fpgabuf_binding_wq, &binding->work);
}

/* The devres entry points to the binding, which may live longer. */
static void binding_devres(struct device *dev, void *res)
{
	struct fpgabuf_binding **entry = res;

	binding_close(*entry);
}

static int binding_match(struct device *dev, void *res, void *binding)
{
	struct fpgabuf_binding **entry = res;

	return *entry == binding;
}

/*
 * With the device's lock binding_devres() has returned, whoever called it: this
 * module may go.
 */
static void binding_work(struct work_struct *work)
{
	struct fpgabuf_binding *binding =
		container_of(work, struct fpgabuf_binding, work);

	device_lock(binding->bound);
	device_unlock(binding->bound);
	spin_lock(&fpgabuf_bindings_lock);
	list_del(&binding->node);
	spin_unlock(&fpgabuf_bindings_lock);
	fpgabuf_binding_put(binding);
}

/* With fpgabuf_bindings_lock held. Returns a reference, or NULL. */
static struct fpgabuf_binding *binding_find(const struct device *dev)
{
	struct fpgabuf_binding *binding;

	list_for_each_entry(binding, &fpgabuf_bindings, node) {
		if (binding->dev == dev && !binding->closed) {
			kref_get(&binding->ref);
			return binding;
		}
	}
	return NULL;
}

/* It has a driver, which is not on its way out. */
static bool binding_is_bound(const struct device *dev)
{
	const enum dl_dev_state state = READ_ONCE(dev->links.status);

	return state == DL_DEV_PROBING || state == DL_DEV_DRIVER_BOUND;
}

/*
 * Who does the DMA may have no driver itself, as the channels of some engines: then
 * that of a device above it counts. Returns NULL if there is none, and an ERR_PTR if
 * it is on its way out.
 */
static struct device *binding_find_bound(struct device *dev)
{
	for (; dev; dev = dev->parent) {
		if (binding_is_bound(dev))
			return dev;
		if (READ_ONCE(dev->links.status) == DL_DEV_UNBINDING)
			return ERR_PTR(-ENODEV);
	}
	return NULL;
}

static struct fpgabuf_binding *binding_create(struct device *dev,
					      struct device *bound)
{
	struct fpgabuf_binding *binding;

	binding = kzalloc(sizeof(*binding), GFP_KERNEL);
	if (!binding)
		return NULL;
	kref_init(&binding->ref);
	binding->dev = get_device(dev);
	binding->bound = get_device(bound);
	INIT_WORK(&binding->work, binding_work);
	INIT_LIST_HEAD(&binding->buffers);
	fpgabuf_stock_init(&binding->stock, dev);
	return binding;
}

/* No driver is there to be unbound: it ends with its only buffer. */
static struct fpgabuf_binding *binding_loose(struct device *dev)
{
	return binding_create(dev, NULL);
}

/* Let it be the one of its device. Return: that, with another reference. */
static struct fpgabuf_binding *binding_publish(struct fpgabuf_binding *binding)
{
	struct fpgabuf_binding *found;

	spin_lock(&fpgabuf_bindings_lock);
	found = binding_find(binding->dev);
	if (!found) {
		kref_get(&binding->ref);
		list_add(&binding->node, &fpgabuf_bindings);
	}
	spin_unlock(&fpgabuf_bindings_lock);
	return found ?: binding;
}

/* Free what an earlier driver of @dev has left. */
static void binding_rescue(const struct device *dev)
{
	struct fpgabuf_buffer *buffer, *next;
	LIST_HEAD(out);

	down_read(&fpgabuf_giving_back);
	spin_lock(&fpgabuf_bindings_lock);
	list_for_each_entry_safe(buffer, next, &fpgabuf_stranded, live)
		if (buffer->dev == dev)
			list_move(&buffer->live, &out);
	spin_unlock(&fpgabuf_bindings_lock);
	list_for_each_entry_safe(buffer, next, &out, live)
		fpgabuf_buffer_destroy(buffer);
	up_read(&fpgabuf_giving_back);
}

static struct fpgabuf_binding *binding_new(struct device *dev,
					   struct device *bound)
{
	struct fpgabuf_binding *binding, *found, **entry;

	entry = devres_alloc(binding_devres, sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return NULL;
	binding = binding_create(dev, bound);
	if (!binding) {
		devres_free(entry);
		return NULL;
	}
	fpgabuf_stock_open(&binding->stock);
	found = binding_publish(binding);
	if (found != binding) {
		devres_free(entry);
		down_write(&fpgabuf_giving_back);
		fpgabuf_stock_close(&binding->stock);
		up_write(&fpgabuf_giving_back);
		fpgabuf_binding_put(binding);
		return found;
	}
	binding_rescue(dev);
	*entry = binding;
	devres_add(bound, entry);
	/* Too late: it would be left for the next driver. */
	if (!binding_is_bound(bound))
		devres_release(bound, binding_devres, binding_match, binding);
	return binding;
}

/**
 * fpgabuf_binding_get() - a device with the driver that it is bound to
 * @dev: the device
 *
 * Context: process context, may sleep; the device's lock may be held, as in a
 * probe().
 * Return: a reference, or NULL: it is being unbound, or there is no memory.
 */
struct fpgabuf_binding *fpgabuf_binding_get(struct device *dev)
{
	struct fpgabuf_binding *binding;
	struct device *bound;

	spin_lock(&fpgabuf_bindings_lock);
	binding = binding_find(dev);
	spin_unlock(&fpgabuf_bindings_lock);
	if (binding)
		return binding;
	bound = binding_find_bound(dev);
	if (IS_ERR(bound))
		return NULL;
	return bound ? binding_new(dev, bound) : binding_loose(dev);
}

/* Return: how many buffers are stranded; @bytes: out */
static unsigned int binding_count_stranded(u64 *bytes)
{
	struct fpgabuf_buffer *buffer;
	unsigned int buffers = 0;

	*bytes = 0;
	spin_lock(&fpgabuf_bindings_lock);
	list_for_each_entry(buffer, &fpgabuf_stranded, live) {
		buffers++;
		*bytes += buffer->size;
	}
	spin_unlock(&fpgabuf_bindings_lock);
	return buffers;
}

#if IS_ENABLED(CONFIG_KUNIT)
unsigned int fpgabuf_stranded_count(void)
{
	u64 bytes;

	return binding_count_stranded(&bytes);
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_stranded_count);
#endif

/* debugfs: buffers that are stranded, and their bytes */
int fpgabuf_stranded_show(struct seq_file *s, void *unused)
{
	u64 bytes;
	unsigned int buffers = binding_count_stranded(&bytes);

	seq_printf(s, "%u %llu\n", buffers, bytes);
	return 0;
}

int __init fpgabuf_bindings_init(void)
{
	fpgabuf_binding_wq = alloc_workqueue("fpgabuf_binding", WQ_UNBOUND, 0);
	return fpgabuf_binding_wq ? 0 : -ENOMEM;
}

static struct fpgabuf_binding *bindings_first(void)
{
	struct fpgabuf_binding *binding;

	spin_lock(&fpgabuf_bindings_lock);
	binding = list_first_entry_or_null(&fpgabuf_bindings,
					   struct fpgabuf_binding, node);
	if (binding)
		kref_get(&binding->ref);
	spin_unlock(&fpgabuf_bindings_lock);
	return binding;
}

/* Nobody can tell any more when its device has a driver. */
static void binding_exit_stranded(struct fpgabuf_buffer *buffer)
{
	struct device *bound = binding_find_bound(buffer->dev);

	if (IS_ERR_OR_NULL(bound)) {
		dev_err(buffer->dev, "%zu bytes of %s memory are lost: it has no driver\n",
			buffer->size, buffer->kind->name);
		fpgabuf_buffer_free(buffer);
		return;
	}
	get_device(bound);
	device_lock(bound);
	fpgabuf_buffer_destroy(buffer);
	device_unlock(bound);
	put_device(bound);
}

/**
 * fpgabuf_bindings_exit() - end all bindings
 *
 * Drivers that have had memory may stay, and know nothing of this module. Nobody
 * allocates any more, and no buffer is in use.
 */
void fpgabuf_bindings_exit(void)
{
	struct fpgabuf_buffer *buffer, *next;
	struct fpgabuf_binding *binding;

	while ((binding = bindings_first())) {
		/* Else the driver is being unbound, and runs our function itself. */
		device_lock(binding->bound);
		devres_release(binding->bound, binding_devres, binding_match,
			       binding);
		device_unlock(binding->bound);
		flush_work(&binding->work);
		fpgabuf_binding_put(binding);
	}
	destroy_workqueue(fpgabuf_binding_wq);
	list_for_each_entry_safe(buffer, next, &fpgabuf_stranded, live)
		binding_exit_stranded(buffer);
}
