// SPDX-License-Identifier: GPL-2.0
/*
 * On-board memory goes with its device: it is taken away from everybody who has it
 * mapped, and from then on a buffer of it is a shell. See Documentation/ends.md.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/kref.h>
#include <linux/ktime.h>

#include "exporter.h"
#include "region.h"

/* How long a device waits for others when its memory goes, for all buffers */
#define REVOKE_MS	(FPGABUF_MAX_TIMEOUT_MS + 1000)

/* A buffer of which others were not told yet that it is gone, with a reference */
static struct fpgabuf_buffer *revoke_next(struct fpgabuf_region *region)
{
	struct fpgabuf_buffer *buffer = NULL;
	struct fpgabuf_region_block *block;

	down_write(&region->lock);
	list_for_each_entry(block, &region->blocks, node) {
		if (block->told)
			continue;
		block->told = true;
		/* Else it is on its way to free the block. */
		if (!kref_get_unless_zero(&block->buffer->ref))
			continue;
		buffer = block->buffer;
		break;
	}
	up_write(&region->lock);
	return buffer;
}

static void revoke_tell(struct fpgabuf_region *region)
{
	const ktime_t end = ktime_add_ms(ktime_get(), REVOKE_MS);
	struct fpgabuf_buffer *buffer;

	while ((buffer = revoke_next(region))) {
		if (!fpgabuf_buffer_tell(buffer, end))
			dev_err(region->dev,
				"another device still has %zu bytes of its memory mapped\n",
				buffer->size);
		fpgabuf_binding_put_buffer(buffer);
	}
}

static void revoke_zap(struct fpgabuf_region *region)
{
	struct fpgabuf_region_block *block;

	down_write(&region->lock);
	region->gone = true;
	list_for_each_entry(block, &region->blocks, node)
		fpgabuf_zap(block->buffer);
	up_write(&region->lock);
}

/**
 * fpgabuf_region_remove() - take a device's memory away
 * @dev: of fpgabuf_region_add()
 *
 * Nothing is allocated from it any more. On-board memory is not touched any more when
 * this returns: user mappings of it fail with SIGBUS, and new mappings with -ENODEV;
 * other devices, whose importers are all such that can be told, have done what they
 * had a fence for, and have unmapped it. One that has not after 11 seconds is
 * reported in the kernel log. The caller sees to it that its own device is idle.
 *
 * Context: process context, may sleep; before @dev's driver is unbound.
 */
void fpgabuf_region_remove(struct device *dev)
{
	struct fpgabuf_region *region = fpgabuf_region_unlist(dev);

	if (WARN_ON(!region))
		return;
	if (region->config.on_board) {
		revoke_zap(region);
		revoke_tell(region);
	}
	fpgabuf_region_put(region);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_region_remove, "FPGABUF");
