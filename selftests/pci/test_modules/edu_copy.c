// SPDX-License-Identifier: GPL-2.0
/*
 * Copies memory by edu's engine as any client of dmaengine does, once, when it
 * is loaded: that fails when a copy was not what it should be.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/string.h>

static bool unmapped;
module_param(unmapped, bool, 0444);
MODULE_PARM_DESC(unmapped, "copy to an address that is not mapped");

/* Nothing else has it: the DMA API begins at the other end of 28 bits. */
#define UNMAPPED	0xbad000UL

/* Several chunks of the engine, of which the first is in two pages */
#define COPY_LEN	5001
#define COPY_SRC	3
#define COPY_DST	3007
#define COPY_ORDER	2
#define COPY_SIZE	(PAGE_SIZE << COPY_ORDER)
#define COPY_FILL	0x5a

/**
 * struct copy - two buffers, and the engine
 * @chan: its channel
 * @dev: the device that does the DMA
 * @src: COPY_SIZE bytes, random
 * @dst: COPY_SIZE bytes
 * @src_addr: of @src for @dev
 * @dst_addr: of @dst for @dev
 */
struct copy {
	struct dma_chan *chan;
	struct device *dev;
	u8 *src;
	u8 *dst;
	dma_addr_t src_addr;
	dma_addr_t dst_addr;
};

static bool copy_is_edu(struct dma_chan *chan, void *param)
{
	return !strcmp(dev_driver_string(chan->device->dev), "fpgabuf_edu");
}

static void copy_done(void *done)
{
	complete(done);
}

static dma_cookie_t copy_submit(struct copy *c, dma_addr_t dst, dma_addr_t src,
				size_t len, struct completion *done)
{
	struct dma_async_tx_descriptor *desc;

	desc = dmaengine_prep_dma_memcpy(c->chan, dst, src, len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return -ENOMEM;
	init_completion(done);
	desc->callback = copy_done;
	desc->callback_param = done;
	return dmaengine_submit(desc);
}

static int copy_wait(struct copy *c, dma_cookie_t cookie,
		     struct completion *done)
{
	if (!wait_for_completion_timeout(done, 10 * HZ)) {
		dmaengine_terminate_sync(c->chan);
		return -ETIMEDOUT;
	}
	return dmaengine_tx_status(c->chan, cookie, NULL) == DMA_COMPLETE ?
		0 : -EIO;
}

static int copy_one(struct copy *c, dma_addr_t dst, dma_addr_t src, size_t len)
{
	struct completion done;
	dma_cookie_t cookie;

	cookie = copy_submit(c, dst, src, len, &done);
	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(c->chan);
	return copy_wait(c, cookie, &done);
}

static void copy_clear(struct copy *c)
{
	memset(c->dst, COPY_FILL, COPY_SIZE);
	dma_sync_single_for_device(c->dev, c->dst_addr, COPY_SIZE,
				   DMA_BIDIRECTIONAL);
}

/* What was copied is right, and nothing else was written. */
static int copy_check(struct copy *c, size_t len)
{
	u8 *end = c->dst + COPY_DST + len;

	dma_sync_single_for_cpu(c->dev, c->dst_addr, COPY_SIZE,
				DMA_BIDIRECTIONAL);
	if (memcmp(c->dst + COPY_DST, c->src + COPY_SRC, len))
		return -EBADMSG;
	if (memchr_inv(c->dst, COPY_FILL, COPY_DST) ||
	    memchr_inv(end, COPY_FILL, c->dst + COPY_SIZE - end))
		return -ERANGE;
	return 0;
}

/* The second one waits for the first one, and is all left until then. */
static int copy_two(struct copy *c)
{
	struct completion done[2];
	struct dma_tx_state state;
	dma_cookie_t cookies[2];
	enum dma_status status;
	int ret;

	copy_clear(c);
	cookies[0] = copy_submit(c, c->dst_addr + COPY_DST,
				 c->src_addr + COPY_SRC, 1, &done[0]);
	cookies[1] = copy_submit(c, c->dst_addr + COPY_DST + 1,
				 c->src_addr + COPY_SRC + 1, COPY_LEN - 1,
				 &done[1]);
	if (cookies[0] < 0 || cookies[1] < 0) {
		dmaengine_terminate_sync(c->chan);
		return -ENOMEM;
	}
	dma_async_issue_pending(c->chan);
	status = dmaengine_tx_status(c->chan, cookies[1], &state);
	ret = copy_wait(c, cookies[0], &done[0]) ?:
	      copy_wait(c, cookies[1], &done[1]) ?:
	      copy_check(c, COPY_LEN);
	if (!ret && (status != DMA_IN_PROGRESS ||
		     state.residue != COPY_LEN - 1))
		ret = -EPROTO;
	return ret;
}

/* It is over when terminating it has ended, and nobody is called. */
static int copy_terminated(struct copy *c)
{
	struct completion done;
	dma_cookie_t cookie;
	int ret;

	cookie = copy_submit(c, c->dst_addr, c->src_addr, COPY_SIZE, &done);
	if (cookie < 0)
		return cookie;
	dma_async_issue_pending(c->chan);
	ret = dmaengine_terminate_sync(c->chan);
	if (ret)
		return ret;
	return completion_done(&done) ? -EPROTO : 0;
}

/*
 * While an address is mapped the engine writes there; when it is not any more,
 * the same copy is done, as far as the engine knows, and nothing was written.
 */
static int copy_unmapped_page(struct copy *c, struct iommu_domain *domain,
			      struct sg_table *table, u8 *page)
{
	int ret;

	if (iommu_map_sgtable(domain, UNMAPPED, table,
			      IOMMU_READ | IOMMU_WRITE) != PAGE_SIZE)
		return -ENOMEM;
	memset(page, 0, PAGE_SIZE);
	ret = copy_one(c, UNMAPPED, c->src_addr, 64);
	iommu_unmap(domain, UNMAPPED, PAGE_SIZE);
	if (ret)
		return ret;
	if (memcmp(page, c->src, 64))
		return -EBADMSG;

	memset(page, COPY_FILL, PAGE_SIZE);
	ret = copy_one(c, UNMAPPED, c->src_addr, 64);
	if (ret)
		return ret;
	return memchr_inv(page, COPY_FILL, PAGE_SIZE) ? -EFAULT : 0;
}

static int copy_unmapped(struct copy *c)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(c->dev);
	struct sg_table table;
	struct page *page;
	int ret;

	if (!domain)
		return -ENODEV;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	ret = sg_alloc_table(&table, 1, GFP_KERNEL);
	if (!ret) {
		sg_set_page(table.sgl, page, PAGE_SIZE, 0);
		ret = copy_unmapped_page(c, domain, &table, page_address(page));
		sg_free_table(&table);
	}
	__free_page(page);
	return ret;
}

static int copy_run(struct copy *c)
{
	if (unmapped)
		return copy_unmapped(c);
	return copy_two(c) ?: copy_terminated(c) ?: copy_two(c);
}

static int copy_map(struct copy *c)
{
	c->src_addr = dma_map_single(c->dev, c->src, COPY_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(c->dev, c->src_addr))
		return -ENOMEM;
	c->dst_addr = dma_map_single(c->dev, c->dst, COPY_SIZE,
				     DMA_BIDIRECTIONAL);
	if (dma_mapping_error(c->dev, c->dst_addr)) {
		dma_unmap_single(c->dev, c->src_addr, COPY_SIZE, DMA_TO_DEVICE);
		return -ENOMEM;
	}
	return 0;
}

static int copy_with_buffers(struct copy *c)
{
	int ret;

	get_random_bytes(c->src, COPY_SIZE);
	ret = copy_map(c);
	if (ret)
		return ret;
	ret = copy_run(c);
	dma_unmap_single(c->dev, c->dst_addr, COPY_SIZE, DMA_BIDIRECTIONAL);
	dma_unmap_single(c->dev, c->src_addr, COPY_SIZE, DMA_TO_DEVICE);
	return ret;
}

static int __init copy_init(void)
{
	struct copy c = {};
	dma_cap_mask_t mask;
	int ret = -ENOMEM;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	c.chan = dma_request_channel(mask, copy_is_edu, NULL);
	if (!c.chan)
		return -ENODEV;
	c.dev = dmaengine_get_dma_device(c.chan);
	c.src = (u8 *)__get_free_pages(GFP_KERNEL, COPY_ORDER);
	c.dst = (u8 *)__get_free_pages(GFP_KERNEL, COPY_ORDER);
	if (c.src && c.dst)
		ret = copy_with_buffers(&c);
	free_pages((unsigned long)c.dst, COPY_ORDER);
	free_pages((unsigned long)c.src, COPY_ORDER);
	dma_release_channel(c.chan);
	return ret;
}

static void __exit copy_exit(void)
{
}

module_init(copy_init);
module_exit(copy_exit);

MODULE_DESCRIPTION("Copies by the engine of QEMU's edu device");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_LICENSE("GPL");
