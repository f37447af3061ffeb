// SPDX-License-Identifier: GPL-2.0
/*
 * Which devices bring memory along: regions by device.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/genalloc.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "region.h"

/* Guards the list. Taken outside of &fpgabuf_region.lock. */
static DEFINE_MUTEX(region_list_lock);
static LIST_HEAD(region_list);

static struct fpgabuf_region *region_find(const struct device *dev)
{
	struct fpgabuf_region *region;

	lockdep_assert_held(&region_list_lock);
	list_for_each_entry(region, &region_list, node)
		if (region->dev == dev)
			return region;
	return NULL;
}

/* The region of @dev, with a reference, or NULL */
struct fpgabuf_region *fpgabuf_region_get(const struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	if (region)
		kref_get(&region->ref);
	mutex_unlock(&region_list_lock);
	return region;
}

static void region_release(struct kref *ref)
{
	struct fpgabuf_region *region =
		container_of(ref, struct fpgabuf_region, ref);

	if (region->config.release)
		region->config.release(region->config.priv);
	gen_pool_destroy(region->pool);
	kfree(region);
}

void fpgabuf_region_put(struct fpgabuf_region *region)
{
	kref_put(&region->ref, region_release);
}

static int region_check(const struct fpgabuf_region_config *config)
{
	if (!config->size || config->size > SSIZE_MAX ||
	    !PAGE_ALIGNED(config->start) || !PAGE_ALIGNED(config->size) ||
	    config->start + config->size - 1 < config->start)
		return -EINVAL;
	if (config->caching > FPGABUF_REGION_UNCACHED)
		return -EINVAL;
	return 0;
}

static struct fpgabuf_region *
region_create(struct device *dev, const struct fpgabuf_region_config *config)
{
	struct fpgabuf_region *region;

	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return NULL;

	kref_init(&region->ref);
	region->dev = dev;
	region->config = *config;
	init_rwsem(&region->lock);
	INIT_LIST_HEAD(&region->blocks);
	region->pool = gen_pool_create(PAGE_SHIFT, dev_to_node(dev));
	if (!region->pool)
		goto err_free;
	if (gen_pool_add(region->pool, FPGABUF_REGION_BASE, config->size,
			 dev_to_node(dev)))
		goto err_destroy;
	return region;

err_destroy:
	gen_pool_destroy(region->pool);
err_free:
	kfree(region);
	return NULL;
}

/**
 * fpgabuf_region_add() - offer memory that a device brings along
 * @dev: the device that does the DMA, bound to its driver. On-board memory of a
 *	PCI device is behind one of its BARs
 * @config: the memory; copied. The caller has claimed it (request_mem_region(),
 *	pcim_iomap_regions(), reserved-memory of the device tree). On-board
 *	memory is claimed until fpgabuf_region_remove(), a carve-out until
 *	&fpgabuf_region_config.release
 *
 * From now on fpgabuf_alloc() makes %FPGABUF_KIND_REGION for @dev.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL for a range that is not whole pages, -EBUSY when @dev has
 * one already, -ENOMEM.
 */
int fpgabuf_region_add(struct device *dev,
		       const struct fpgabuf_region_config *config)
{
	struct fpgabuf_region *region;
	int ret;

	ret = region_check(config);
	if (ret)
		return ret;
	region = region_create(dev, config);
	if (!region)
		return -ENOMEM;

	mutex_lock(&region_list_lock);
	if (region_find(dev))
		ret = -EBUSY;
	else
		list_add_tail(&region->node, &region_list);
	mutex_unlock(&region_list_lock);
	if (ret) {
		/* Still the caller's: not released. */
		region->config.release = NULL;
		fpgabuf_region_put(region);
	}
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_add, "FPGABUF");

/**
 * fpgabuf_region_unlist() - make nothing more of a region
 * @dev: its device
 *
 * Return: the region, with the list's reference, or NULL.
 */
struct fpgabuf_region *fpgabuf_region_unlist(const struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	if (region)
		list_del(&region->node);
	mutex_unlock(&region_list_lock);
	return region;
}

/**
 * fpgabuf_region_exists() - does a device bring memory along
 * @dev: the device
 *
 * Context: process context, may sleep.
 * Return: whether fpgabuf_alloc() can make %FPGABUF_KIND_REGION for it.
 */
bool fpgabuf_region_exists(const struct device *dev)
{
	struct fpgabuf_region *region;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	mutex_unlock(&region_list_lock);
	return region;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_exists, "FPGABUF");

/* Whether it is memory that any device may be attached to. */
bool fpgabuf_region_is_shared(const struct device *dev)
{
	struct fpgabuf_region *region;
	bool shared;

	mutex_lock(&region_list_lock);
	region = region_find(dev);
	shared = region && !region->config.on_board;
	mutex_unlock(&region_list_lock);
	return shared;
}
