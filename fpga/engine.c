// SPDX-License-Identifier: GPL-2.0
/*
 * An engine's channel: requested, looked at, released. What it must be able to do
 * is in Documentation/driver-api/dmaengine/provider.rst of the kernel.
 */
#include <linux/device.h>
#include <linux/device/driver.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/module.h>

#include "engine.h"

/* Some providers report nothing: then nothing is known, and all is possible. */
static struct dma_slave_caps engine_caps(struct dma_chan *chan)
{
	struct dma_slave_caps caps = {};

	if (dma_get_slave_caps(chan, &caps))
		return (struct dma_slave_caps){};
	return caps;
}

static bool engine_goes(struct dma_chan *chan,
			enum dma_transfer_direction direction)
{
	const u32 directions = engine_caps(chan).directions;

	return !directions || directions & BIT(direction);
}

/* What the engine lacks; NULL: nothing. */
static const char *engine_lacks(struct dma_chan *chan,
				enum fpgabuf_engine_use use)
{
	struct dma_device *dma = chan->device;

	if (!dma->device_terminate_all)
		return "cannot be stopped (no device_terminate_all)";
	if (dma_has_cap(DMA_COMPLETION_NO_ORDER, dma->cap_mask))
		return "completes out of order (DMA_COMPLETION_NO_ORDER)";
	if (use == FPGABUF_ENGINE_COPY)
		return dma->device_prep_dma_memcpy ? NULL :
			"does not copy (no device_prep_dma_memcpy)";
	if (!dma->device_prep_slave_sg)
		return "takes no scatterlists (no device_prep_slave_sg)";
	if (use == FPGABUF_ENGINE_CAPTURE && !engine_goes(chan, DMA_DEV_TO_MEM))
		return "does not write to memory (DMA_DEV_TO_MEM)";
	if (use == FPGABUF_ENGINE_OUTPUT && !engine_goes(chan, DMA_MEM_TO_DEV))
		return "does not read from memory (DMA_MEM_TO_DEV)";
	return NULL;
}

/* 0, or -EOPNOTSUPP, and the kernel's log says why. */
static int engine_judge(struct device *dev, const char *name,
			struct dma_chan *chan, enum fpgabuf_engine_use use)
{
	const char *lacks = engine_lacks(chan, use);

	if (!lacks)
		return 0;
	dev_err(dev, "the engine of DMA channel \"%s\" %s\n", name, lacks);
	return -EOPNOTSUPP;
}

/**
 * fpgabuf_engine_check() - whether there is an engine that can be used
 * @dev: the device whose driver is to use it, bound or being probed
 * @name: of the channel, for dma_request_chan() on @dev
 * @use: what for
 *
 * Reports in the kernel's log what is wrong. Nothing is held after it.
 *
 * Context: process context, may sleep.
 * Return: 0; -EPROBE_DEFER: there is none (yet); -EOPNOTSUPP: it cannot be used
 * for that; or what dma_request_chan() returns.
 */
int fpgabuf_engine_check(struct device *dev, const char *name,
			 enum fpgabuf_engine_use use)
{
	struct dma_chan *chan = dma_request_chan(dev, name);
	int ret;

	if (IS_ERR(chan))
		return dev_err_probe(dev, PTR_ERR(chan),
				     "no DMA channel \"%s\"\n", name);
	ret = engine_judge(dev, name, chan, use);
	dma_release_channel(chan);
	return ret;
}

/**
 * fpgabuf_engine_get() - request the engine's channel
 * @dev: as with fpgabuf_engine_check(), which was asked before
 * @name: likewise
 * @use: likewise
 *
 * Context: process context, may sleep.
 * Return: the channel, together with a reference of the module of @dev's driver,
 * to be given to fpgabuf_engine_put(); or an ERR_PTR: -ENODEV when the driver or
 * the engine is no more, -EOPNOTSUPP as fpgabuf_engine_check(), or what
 * dma_request_chan() returns.
 */
struct dma_chan *fpgabuf_engine_get(struct device *dev, const char *name,
				    enum fpgabuf_engine_use use)
{
	struct module *owner = dev->driver->owner;
	struct dma_chan *chan;
	int ret;

	if (!try_module_get(owner))
		return ERR_PTR(-ENODEV);
	chan = dma_request_chan(dev, name);
	/* It was there at registration; nobody's probe waits for it now. */
	ret = PTR_ERR_OR_ZERO(chan) == -EPROBE_DEFER ? -ENODEV :
						       PTR_ERR_OR_ZERO(chan);
	if (ret)
		goto err_put;
	ret = engine_judge(dev, name, chan, use);
	if (ret)
		goto err_release;
	return chan;

err_release:
	dma_release_channel(chan);
err_put:
	module_put(owner);
	return ERR_PTR(ret);
}

/**
 * fpgabuf_engine_put() - release the engine's channel
 * @dev: its device
 * @chan: from fpgabuf_engine_get(), idle
 *
 * Context: process context, may sleep.
 */
void fpgabuf_engine_put(struct device *dev, struct dma_chan *chan)
{
	dma_release_channel(chan);
	module_put(dev->driver->owner);
}

/**
 * fpgabuf_engine_scatters() - whether a descriptor may have several pieces
 * @chan: from fpgabuf_engine_get()
 *
 * Context: any.
 * Return: whether it may; true where the provider does not report it.
 */
bool fpgabuf_engine_scatters(struct dma_chan *chan)
{
	return engine_caps(chan).max_sg_burst != 1;
}
