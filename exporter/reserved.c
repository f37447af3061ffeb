// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the device tree reserves for a device: what the memory-region of
 * its node names.
 *
 * The DMA API asks the device where memory goes back to that is freed: taken from
 * it while a buffer lives, the pool's memory would end up in the page allocator.
 * And a carve-out that is offered anew would be given to two. So a device keeps
 * what it has until who took it is unbound and the last buffer is gone.
 */
#include <linux/bits.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/ioport.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "exporter.h"
#include "region.h"

/* What the kernel can do with one of each. */
enum reserved_type {
	RESERVED_COHERENT,	/* shared-dma-pool, no-map */
	RESERVED_REUSABLE,	/* shared-dma-pool, reusable: a CMA area */
	RESERVED_CARVE_OUT,	/* no-map only: a region */
};

static const char *const reserved_types[] = {
	[RESERVED_COHERENT] = "coherent pool",
	[RESERVED_REUSABLE] = "reusable pool",
	[RESERVED_CARVE_OUT] = "carve-out",
};

/**
 * struct fpgabuf_reserved - what is reserved for a device
 * @ref: one of who took it, until that one is unbound, one of each buffer
 * @node: in reserved_list
 * @dev: the device; a reference is held
 * @of_node: whose memory-region it is; a reference is held
 * @types: what it has, BIT(enum reserved_type)
 * @carve_out: where its carve-out is, if it has one
 *
 * Constant once it is in the list.
 */
struct fpgabuf_reserved {
	struct kref ref;
	struct list_head node;
	struct device *dev;
	struct device_node *of_node;
	unsigned long types;
	struct resource carve_out;
};

/*
 * Guards the list, and what is given back. Buffers are freed for want of memory,
 * too: nothing is allocated with it held. Outside of a region's locks.
 */
static DEFINE_MUTEX(reserved_lock);
static LIST_HEAD(reserved_list);

/* One at a time takes what is reserved. Outside of reserved_lock. */
static DEFINE_MUTEX(reserved_take_lock);

/* What memory of a kind may be from. */
static unsigned long reserved_types_for(enum fpgabuf_kind kind)
{
	switch (kind) {
	case FPGABUF_KIND_COHERENT:
	case FPGABUF_KIND_WRITECOMBINE:
	case FPGABUF_KIND_POOL:
		return BIT(RESERVED_COHERENT) | BIT(RESERVED_REUSABLE);
	case FPGABUF_KIND_CONTIGUOUS:
	case FPGABUF_KIND_NONCONTIGUOUS:
		return BIT(RESERVED_REUSABLE);
	case FPGABUF_KIND_REGION:
		return BIT(RESERVED_CARVE_OUT);
	default:
		return 0;
	}
}

static struct fpgabuf_reserved *reserved_get(const struct device *dev,
					     unsigned long types)
{
	struct fpgabuf_reserved *reserved, *found = NULL;

	mutex_lock(&reserved_lock);
	list_for_each_entry(reserved, &reserved_list, node) {
		if (reserved->dev == dev && reserved->types & types) {
			kref_get(&reserved->ref);
			found = reserved;
			break;
		}
	}
	mutex_unlock(&reserved_lock);
	return found;
}

/**
 * fpgabuf_reserved_get() - keep what is reserved for a device
 * @dev: the device
 * @kind: of the memory that is to be allocated for it
 *
 * Return: a reference for a buffer of it, or NULL: nothing is reserved for that.
 */
struct fpgabuf_reserved *fpgabuf_reserved_get(const struct device *dev,
					      enum fpgabuf_kind kind)
{
	return reserved_get(dev, reserved_types_for(kind));
}

static void reserved_give_back(struct fpgabuf_reserved *reserved)
{
	if (reserved->types & BIT(RESERVED_CARVE_OUT))
		fpgabuf_region_put(fpgabuf_region_unlist(reserved->dev));
	if (reserved->types & ~BIT(RESERVED_CARVE_OUT))
		of_reserved_mem_device_release(reserved->dev);
}

/* Called with reserved_lock held, and drops it. */
static void reserved_release(struct kref *ref)
{
	struct fpgabuf_reserved *reserved =
		container_of(ref, struct fpgabuf_reserved, ref);

	list_del(&reserved->node);
	reserved_give_back(reserved);
	mutex_unlock(&reserved_lock);
	of_node_put(reserved->of_node);
	put_device(reserved->dev);
	kfree(reserved);
}

/**
 * fpgabuf_reserved_put() - give back a reference
 * @reserved: from fpgabuf_reserved_get(), or NULL
 */
void fpgabuf_reserved_put(struct fpgabuf_reserved *reserved)
{
	if (reserved)
		kref_put_mutex(&reserved->ref, reserved_release,
			       &reserved_lock);
}

/**
 * fpgabuf_reserved_no_map() - whether memory may be none of the system's RAM
 * @dev: the device
 * @kind: of the memory that is to be allocated for it
 *
 * A reusable area is RAM, which totalram_pages() counts; the others are not.
 *
 * Return: whether such memory is reserved for @dev and @kind.
 */
bool fpgabuf_reserved_no_map(const struct device *dev, enum fpgabuf_kind kind)
{
	struct fpgabuf_reserved *reserved;
	bool no_map;

	reserved = reserved_get(dev, reserved_types_for(kind) &
				     ~BIT(RESERVED_REUSABLE));
	no_map = reserved;
	fpgabuf_reserved_put(reserved);
	return no_map;
}

/* ---- what the device tree says ---- */

static enum reserved_type reserved_type_of(const struct device_node *node,
					   const struct reserved_mem *rmem)
{
	const bool pool = of_device_is_compatible(node, "shared-dma-pool");

	if (pool && of_property_read_bool(node, "reusable"))
		return RESERVED_REUSABLE;
	/* Others that the kernel knows assign their memory in their own way. */
	if (pool || (rmem->ops && rmem->ops->device_init))
		return RESERVED_COHERENT;
	return RESERVED_CARVE_OUT;
}

/**
 * struct reserved_entry - an entry of a memory-region
 * @dev: whose
 * @index: which
 * @node: the node that it leads to
 * @rmem: what the kernel has reserved for that
 * @caching: how the CPU maps a carve-out
 */
struct reserved_entry {
	struct device *dev;
	int index;
	struct device_node *node;
	struct reserved_mem *rmem;
	enum fpgabuf_region_caching caching;
};

/*
 * Another driver's device has memory of its own, that of an engine's descriptors,
 * which may be freed when the pool is not its any more.
 */
static int reserved_assign_pool(struct fpgabuf_reserved *reserved,
				const struct reserved_entry *entry)
{
	int ret;

	if (reserved->dev != entry->dev) {
		dev_err(entry->dev, "%pOF: %s has a driver of its own; no-map only, no shared-dma-pool, helps\n",
			entry->node, dev_name(reserved->dev));
		return -EOPNOTSUPP;
	}
	ret = of_reserved_mem_device_init_by_idx(reserved->dev,
						 entry->dev->of_node,
						 entry->index);
	if (ret)
		dev_err(entry->dev, "%pOF: no pool (%d); either no-map or reusable, and CONFIG_DMA_DECLARE_COHERENT or CONFIG_DMA_CMA, help\n",
			entry->node, ret);
	return ret;
}

/* Two devices would give the same memory to two buffers. */
static int reserved_check_owner(struct fpgabuf_reserved *reserved,
				const struct reserved_entry *entry)
{
	struct fpgabuf_reserved *other;
	int ret = 0;

	mutex_lock(&reserved_lock);
	list_for_each_entry(other, &reserved_list, node) {
		if (!(other->types & BIT(RESERVED_CARVE_OUT)) ||
		    !resource_overlaps(&other->carve_out, &reserved->carve_out))
			continue;
		dev_err(entry->dev, "%pOF: %s has it; a shared-dma-pool is for several\n",
			entry->node, dev_name(other->dev));
		ret = -EBUSY;
		break;
	}
	mutex_unlock(&reserved_lock);
	return ret;
}

/* The kernel has kept off it, whatever the device tree wants. */
static bool reserved_is_free(const struct device_node *node,
			     const struct reserved_mem *rmem)
{
	return of_property_read_bool(node, "no-map") &&
	       region_intersects(rmem->base, rmem->size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

static int reserved_add_region(struct fpgabuf_reserved *reserved,
			       const struct reserved_entry *entry)
{
	const struct fpgabuf_region_config config = {
		.start = entry->rmem->base,
		.size = entry->rmem->size,
		.bus_address = DMA_MAPPING_ERROR,
		.caching = entry->caching,
	};
	int ret;

	if (!reserved_is_free(entry->node, entry->rmem)) {
		dev_err(entry->dev, "%pOF: the kernel uses it itself; no-map, and an area that is free, help\n",
			entry->node);
		return -EINVAL;
	}
	reserved->carve_out.start = config.start;
	reserved->carve_out.end = config.start + config.size - 1;
	ret = reserved_check_owner(reserved, entry);
	if (ret)
		return ret;
	ret = fpgabuf_region_add(reserved->dev, &config);
	if (ret)
		dev_err(entry->dev, "%pOF: no region (%d); whole pages, and no other region of %s, help\n",
			entry->node, ret, dev_name(reserved->dev));
	return ret;
}

static int reserved_add_entry(struct fpgabuf_reserved *reserved,
			      const struct reserved_entry *entry)
{
	const enum reserved_type type =
		reserved_type_of(entry->node, entry->rmem);
	int ret;

	if (reserved->types & BIT(type)) {
		dev_err(entry->dev, "%pOF: the second %s; a device has one\n",
			entry->node, reserved_types[type]);
		return -EINVAL;
	}
	if (type == RESERVED_CARVE_OUT)
		ret = reserved_add_region(reserved, entry);
	else
		ret = reserved_assign_pool(reserved, entry);
	if (!ret)
		reserved->types |= BIT(type);
	return ret;
}

static int reserved_read_entry(struct fpgabuf_reserved *reserved,
			       struct reserved_entry *entry)
{
	/* Switched off, as the kernel's own users of it take it */
	if (!of_device_is_available(entry->node))
		return 0;
	entry->rmem = of_reserved_mem_lookup(entry->node);
	if (!entry->rmem || !entry->rmem->size) {
		dev_err(entry->dev, "%pOF: nothing is reserved for it; a size, within reserved-memory, helps\n",
			entry->node);
		return -EINVAL;
	}
	return reserved_add_entry(reserved, entry);
}

static int reserved_read(struct fpgabuf_reserved *reserved, struct device *dev,
			 int count, enum fpgabuf_region_caching caching)
{
	struct reserved_entry entry = { .dev = dev, .caching = caching };
	int ret = 0;

	for (; !ret && entry.index < count; entry.index++) {
		entry.node = of_parse_phandle(dev->of_node, "memory-region",
					      entry.index);
		if (!entry.node) {
			dev_err(dev, "memory-region %d leads nowhere\n",
				entry.index);
			return -EINVAL;
		}
		ret = reserved_read_entry(reserved, &entry);
		of_node_put(entry.node);
	}
	return ret;
}

static struct fpgabuf_reserved *
reserved_create(struct device *dev, struct device *dma_dev, int count,
		enum fpgabuf_region_caching caching)
{
	struct fpgabuf_reserved *reserved;
	int ret;

	reserved = kzalloc(sizeof(*reserved), GFP_KERNEL);
	if (!reserved)
		return ERR_PTR(-ENOMEM);
	kref_init(&reserved->ref);
	reserved->dev = get_device(dma_dev);
	reserved->of_node = of_node_get(dev->of_node);

	ret = reserved_read(reserved, dev, count, caching);
	if (ret) {
		reserved_give_back(reserved);
		of_node_put(reserved->of_node);
		put_device(reserved->dev);
		kfree(reserved);
		return ERR_PTR(ret);
	}
	mutex_lock(&reserved_lock);
	list_add_tail(&reserved->node, &reserved_list);
	mutex_unlock(&reserved_lock);
	return reserved;
}

/*
 * Its buffers may have kept it since it was taken the last time. Another client of
 * the same engine has other memory.
 */
static struct fpgabuf_reserved *
reserved_take(struct device *dev, struct device *dma_dev, int count,
	      enum fpgabuf_region_caching caching)
{
	struct fpgabuf_reserved *reserved;

	mutex_lock(&reserved_take_lock);
	reserved = reserved_get(dma_dev, ~0UL);
	if (!reserved) {
		reserved = reserved_create(dev, dma_dev, count, caching);
	} else if (reserved->of_node != dev->of_node) {
		dev_err(dev, "%s has what %pOF names by memory-region\n",
			dev_name(dma_dev), reserved->of_node);
		fpgabuf_reserved_put(reserved);
		reserved = ERR_PTR(-EBUSY);
	}
	mutex_unlock(&reserved_take_lock);
	return reserved;
}

static void reserved_unbind(void *reserved)
{
	fpgabuf_reserved_put(reserved);
}

/**
 * devm_fpgabuf_reserved_add() - take the memory that is reserved for a device
 * @dev: the device whose node in the device tree names it by memory-region, in
 *	its driver's probe()
 * @dma_dev: the device that does the DMA, with its DMA masks set, and before
 *	anything is allocated for it: @dev, or the engine's that @dev has a
 *	channel of (dmaengine_get_dma_device())
 * @caching: how the CPU maps a carve-out: %FPGABUF_REGION_WRITECOMBINE, or
 *	%FPGABUF_REGION_CACHED where @dma_dev snoops the CPU's caches
 *
 * What is allocated for @dma_dev comes from the nodes of memory-region:
 *
 * - a shared-dma-pool with no-map is where the coherent, writecombine and pool
 *   kinds come from, and nothing else;
 * - a shared-dma-pool with reusable, which the kernel lends to others meanwhile,
 *   is where the contiguous kind comes from first, and the coherent ones if there
 *   is no pool with no-map;
 * - any other node with no-map is a carve-out: the region kind.
 *
 * One of each is possible; pools only where @dma_dev is @dev. It is given back when
 * @dev is unbound and no buffer of it lives any more; taken again before that, all
 * is as it was.
 *
 * Context: process context, may sleep.
 * Return: 0, also when the node names none, or there is no device tree; -EINVAL
 * for what cannot be used, -EOPNOTSUPP for a pool for another device than @dev,
 * -EBUSY when another device has the carve-out, or @dma_dev has a region or a pool
 * already, or what another node names, -ENOMEM. The kernel log says of which node.
 */
int devm_fpgabuf_reserved_add(struct device *dev, struct device *dma_dev,
			      enum fpgabuf_region_caching caching)
{
	struct fpgabuf_reserved *reserved;
	int count;

	count = of_count_phandle_with_args(dev->of_node, "memory-region", NULL);
	if (count == -EINVAL)
		return count;
	/* None, or no device tree */
	if (count <= 0)
		return 0;

	reserved = reserved_take(dev, dma_dev, count, caching);
	if (IS_ERR(reserved))
		return PTR_ERR(reserved);
	return devm_add_action_or_reset(dev, reserved_unbind, reserved);
}
EXPORT_SYMBOL_NS_GPL(devm_fpgabuf_reserved_add, "FPGABUF");
