// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that memory can be had for by name: who drives one announces it,
 * and whoever wants to offer its memory is told.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fpgabuf.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/string.h>

#include "exporter.h"
#include "region.h"

/*
 * Guards both of them. Held by readers for as long as they allocate, so that a
 * device stays until that is done. Taken outside of all locks of who announces
 * and who is told.
 */
static DECLARE_RWSEM(fpgabuf_devices_lock);
static LIST_HEAD(fpgabuf_devices);
static RAW_NOTIFIER_HEAD(fpgabuf_devices_chain);

static struct fpgabuf_device *fpgabuf_device_find(const char *name)
{
	struct fpgabuf_device *device;

	list_for_each_entry(device, &fpgabuf_devices, node)
		if (!strcmp(dev_name(device->dev), name))
			return device;
	return NULL;
}

/**
 * fpgabuf_device_add() - announce a device that memory can be had for
 * @device: filled in but for its node. Several of one &fpgabuf_device.dev, or
 *	of that name, are one device for those who ask for memory
 *
 * Context: process context, may sleep; no lock held that @device's functions
 * take.
 */
void fpgabuf_device_add(struct fpgabuf_device *device)
{
	bool known;

	down_write(&fpgabuf_devices_lock);
	known = fpgabuf_device_find(dev_name(device->dev));
	list_add_tail(&device->node, &fpgabuf_devices);
	if (!known)
		raw_notifier_call_chain(&fpgabuf_devices_chain,
					FPGABUF_DEVICE_ADD, device);
	up_write(&fpgabuf_devices_lock);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_add, "FPGABUF");

/**
 * fpgabuf_device_remove() - take back what was announced
 * @device: from fpgabuf_device_add(). Its functions are not called any more
 *	when this returns; memory that was had for it may live on
 *
 * Context: process context, may sleep; no lock held that @device's functions
 * take.
 */
void fpgabuf_device_remove(struct fpgabuf_device *device)
{
	down_write(&fpgabuf_devices_lock);
	list_del(&device->node);
	if (!fpgabuf_device_find(dev_name(device->dev)))
		raw_notifier_call_chain(&fpgabuf_devices_chain,
					FPGABUF_DEVICE_REMOVE, device);
	up_write(&fpgabuf_devices_lock);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_remove, "FPGABUF");

/**
 * fpgabuf_device_offers() - whether a device has a kind of memory for everybody
 * @device: from a notifier
 * @kind: the kind
 *
 * Return: whether fpgabuf_device_alloc() can make it, and others than @device can
 * import it; on-board memory is not of that kind. That there is any left it does
 * not say.
 */
bool fpgabuf_device_offers(const struct fpgabuf_device *device,
			   enum fpgabuf_kind kind)
{
	if (kind == FPGABUF_KIND_REGION)
		return fpgabuf_region_is_shared(device->dev);
	return fpgabuf_kind_by_size(kind);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_offers, "FPGABUF");

/**
 * fpgabuf_device_alloc() - fpgabuf_alloc() for a device that is known by name
 * @name: its device's name
 * @size: as fpgabuf_alloc()
 * @kind: as fpgabuf_alloc()
 * @fd_flags: as fpgabuf_alloc()
 *
 * Context: process context, may sleep; not from a notifier.
 * Return: as fpgabuf_alloc(), -ENODEV also when there is no such device (now),
 * -EOPNOTSUPP also when @kind is not for everybody (any more), or why the device
 * cannot be used.
 */
struct dma_buf *fpgabuf_device_alloc(const char *name, size_t size,
				     enum fpgabuf_kind kind,
				     unsigned int fd_flags)
{
	struct dma_buf *dmabuf = ERR_PTR(-ENODEV);
	struct fpgabuf_device *device;
	struct device *dma_dev;

	down_read(&fpgabuf_devices_lock);
	device = fpgabuf_device_find(name);
	if (!device)
		goto out_unlock;
	/* Who asks may have heard of a region that is no more. */
	if (kind == FPGABUF_KIND_REGION &&
	    !fpgabuf_device_offers(device, kind)) {
		dmabuf = ERR_PTR(-EOPNOTSUPP);
		goto out_unlock;
	}

	dma_dev = device->ops->get(device);
	if (IS_ERR(dma_dev)) {
		dmabuf = ERR_CAST(dma_dev);
		goto out_unlock;
	}
	dmabuf = fpgabuf_alloc(dma_dev, size, kind, fd_flags);
	device->ops->put(device);
out_unlock:
	up_read(&fpgabuf_devices_lock);
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_alloc, "FPGABUF");

/**
 * fpgabuf_device_register_notifier() - be told of devices that come and go
 * @nb: called with enum fpgabuf_device_event and the &struct fpgabuf_device, one
 *	call at a time. For the devices that are there, within this call. It
 *	must not call any function of this file but fpgabuf_device_offers()
 *
 * Context: process context, may sleep.
 * Return: 0, or why @nb cannot be registered.
 */
int fpgabuf_device_register_notifier(struct notifier_block *nb)
{
	struct fpgabuf_device *device;
	int ret;

	down_write(&fpgabuf_devices_lock);
	ret = raw_notifier_chain_register(&fpgabuf_devices_chain, nb);
	if (ret)
		goto out_unlock;
	list_for_each_entry(device, &fpgabuf_devices, node) {
		/* The first one of its name */
		if (fpgabuf_device_find(dev_name(device->dev)) == device)
			nb->notifier_call(nb, FPGABUF_DEVICE_ADD, device);
	}
out_unlock:
	up_write(&fpgabuf_devices_lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_register_notifier, "FPGABUF");

/**
 * fpgabuf_device_unregister_notifier() - be told no more
 * @nb: from fpgabuf_device_register_notifier(); not called any more when this
 *	returns, nor for the devices that are there
 *
 * Context: process context, may sleep.
 */
void fpgabuf_device_unregister_notifier(struct notifier_block *nb)
{
	down_write(&fpgabuf_devices_lock);
	raw_notifier_chain_unregister(&fpgabuf_devices_chain, nb);
	up_write(&fpgabuf_devices_lock);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_device_unregister_notifier, "FPGABUF");
