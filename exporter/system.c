// SPDX-License-Identifier: GPL-2.0
/*
 * Cached pages in blocks that are as large as can be had without effort: for
 * engines with scatter-gather.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "exporter.h"

/*
 * 2 MiB, 1 MiB and 64 KiB with 4 KiB pages: what page tables, IOMMUs and TLBs
 * have entries for.
 */
static const unsigned int system_orders[] = { 9, 8, 4, 0 };

static gfp_t system_gfp(gfp_t gfp, unsigned int order)
{
	gfp |= __GFP_ZERO | __GFP_NOWARN;
	/* Large blocks only when they are there: no compaction, no reclaim. */
	if (order)
		gfp = (gfp | __GFP_COMP | __GFP_NORETRY) & ~__GFP_RECLAIM;
	else
		/* Rather none than that the OOM killer ends somebody for it. */
		gfp |= __GFP_RETRY_MAYFAIL;
	return gfp;
}

static struct page *system_alloc_block(gfp_t gfp, int node, size_t left,
				       unsigned int *max_order)
{
	struct page *page;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(system_orders); i++) {
		unsigned int order = system_orders[i];

		if (order > *max_order || left < (PAGE_SIZE << order))
			continue;
		/* Without a node of the device, as the task's memory policy says */
		page = node == NUMA_NO_NODE ?
		       alloc_pages(system_gfp(gfp, order), order) :
		       alloc_pages_node(node, system_gfp(gfp, order), order);
		if (page) {
			*max_order = order;
			return page;
		}
	}
	return NULL;
}

static void system_free_blocks(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
	}
}

/* Move the blocks, each the head of a compound page or a page, into a table. */
static int system_fill_table(struct sg_table *table, struct list_head *blocks,
			     unsigned int count)
{
	struct page *page, *next;
	struct scatterlist *sg;
	int ret;

	ret = sg_alloc_table(table, count, GFP_KERNEL);
	if (ret)
		return ret;

	sg = table->sgl;
	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		sg_set_page(sg, page, page_size(page), 0);
		sg = sg_next(sg);
	}
	return 0;
}

/**
 * fpgabuf_system_put_pages() - free pages
 * @pages: from fpgabuf_system_get_pages()
 */
void fpgabuf_system_put_pages(struct sg_table *pages)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(pages, sg, i)
		__free_pages(sg_page(sg), compound_order(sg_page(sg)));
	sg_free_table(pages);
}

/**
 * fpgabuf_system_get_pages() - allocate pages that a device reaches, near to it
 * @dev: the device
 * @size: bytes, whole pages
 * @gfp: GFP_KERNEL or GFP_KERNEL_ACCOUNT
 * @pages: out: a table of them, zeroed
 *
 * Return: 0, -ENOMEM, -EINTR for a fatal signal.
 */
int fpgabuf_system_get_pages(struct device *dev, size_t size, gfp_t gfp,
			     struct sg_table *pages)
{
	unsigned int max_order = system_orders[0];
	size_t left = size;
	unsigned int count = 0;
	LIST_HEAD(blocks);
	int ret;

	/* Whoever needs memory while this takes the last of it would be killed. */
	if (PFN_UP(size) > si_mem_available())
		return -ENOMEM;

	gfp |= fpgabuf_limits_gfp(dev);
	while (left) {
		struct page *page;

		ret = -EINTR;
		if (fatal_signal_pending(current))
			goto err_free;
		ret = -ENOMEM;
		page = system_alloc_block(gfp, dev_to_node(dev), left,
					  &max_order);
		if (!page)
			goto err_free;
		list_add_tail(&page->lru, &blocks);
		left -= page_size(page);
		count++;
		/* Clearing them takes a while. */
		cond_resched();
	}

	ret = system_fill_table(pages, &blocks, count);
	if (ret)
		goto err_free;
	if (!fpgabuf_reaches(dev, pages)) {
		fpgabuf_system_put_pages(pages);
		return -ENOMEM;
	}
	return 0;

err_free:
	system_free_blocks(&blocks);
	return ret;
}

static int system_alloc(struct fpgabuf_buffer *buffer)
{
	return fpgabuf_system_get_pages(buffer->dev, buffer->size,
					GFP_KERNEL_ACCOUNT, &buffer->pages);
}

static void system_free(struct fpgabuf_buffer *buffer)
{
	fpgabuf_system_put_pages(&buffer->pages);
}

static int system_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	unsigned int count = buffer->size >> PAGE_SHIFT;
	struct sg_page_iter iter;
	struct page **pages;
	unsigned int i = 0;
	void *vaddr;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for_each_sgtable_page(&buffer->pages, &iter, 0)
		pages[i++] = sg_page_iter_page(&iter);
	vaddr = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void system_vunmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

const struct fpgabuf_kind_ops fpgabuf_kind_system = {
	.name		= "system",
	.exp_name	= "fpgabuf-system",
	.shortage	=
		"bytes of memory; more RAM, or a higher limit of the memory cgroup, helps",
	.alloc		= system_alloc,
	.free		= system_free,
	.clear		= fpgabuf_clear_pages,
	.vmap		= system_vmap,
	.vunmap		= system_vunmap,
};
