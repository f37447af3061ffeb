// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of memory: cut to what a device takes, addressed, cleared.
 */
#include <kunit/visibility.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "exporter.h"

/*
 * How much of the @left bytes at @start makes one piece. It ends with a page, so
 * that all pieces but the first one start with one, or with the memory.
 */
static size_t fpgabuf_piece(u64 start, size_t left,
			    const struct fpgabuf_cut *cut)
{
	const size_t len = min_t(size_t, left,
				 cut->max - offset_in_page(start));
	const unsigned long room = cut->boundary - (start & cut->boundary);

	return min_t(size_t, len - 1, room) + 1;
}

/*
 * The address that counts for the boundary, @done bytes into @sg, which is @before
 * bytes into the memory. Where the memory has none for the device yet, the DMA API
 * keeps to the boundary, or maps one to one.
 */
static u64 fpgabuf_cut_address(const struct fpgabuf_cut *cut,
			       struct scatterlist *sg, size_t before,
			       size_t done)
{
	if (cut->own != DMA_MAPPING_ERROR)
		return (u64)cut->own + before + done;
	return fpgabuf_sg_phys(sg) + done;
}

static unsigned int fpgabuf_count_pieces(const struct sg_table *table,
					 const struct fpgabuf_cut *cut)
{
	unsigned int i, pieces = 0;
	size_t done, before = 0;
	struct scatterlist *sg;

	for_each_sgtable_sg(table, sg, i) {
		for (done = 0; done < sg->length; pieces++)
			done += fpgabuf_piece(fpgabuf_cut_address(cut, sg,
								  before, done),
					      sg->length - done, cut);
		before += sg->length;
	}
	return pieces;
}

/* The piece of @len bytes that is @done bytes into @sg */
static void fpgabuf_set_piece(struct scatterlist *piece,
			      struct scatterlist *sg, size_t done,
			      size_t len)
{
	const size_t offset = sg->offset + done;

	/* Memory with no pages: only a length. */
	if (sg_page(sg))
		sg_set_page(piece, sg_page(sg) + (offset >> PAGE_SHIFT), len,
			    offset_in_page(offset));
	piece->length = len;
}

/* Copy a table of memory, cut to pieces. It may start and end within a page. */
int fpgabuf_cut_table(const struct sg_table *from, struct sg_table *to,
		      const struct fpgabuf_cut *cut)
{
	struct scatterlist *sg, *piece;
	size_t done, len, before = 0;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(to, fpgabuf_count_pieces(from, cut), GFP_KERNEL);
	if (ret)
		return ret;

	piece = to->sgl;
	for_each_sgtable_sg(from, sg, i) {
		for (done = 0; done < sg->length; done += len) {
			len = fpgabuf_piece(fpgabuf_cut_address(cut, sg,
								before, done),
					    sg->length - done, cut);
			fpgabuf_set_piece(piece, sg, done, len);
			piece = sg_next(piece);
		}
		before += sg->length;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_cut_table);

/* The device finds the pieces of @table one behind the other, from @addr on. */
void fpgabuf_set_addresses(struct sg_table *table, dma_addr_t addr)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(table, sg, i) {
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		addr += sg->length;
	}
	table->nents = table->orig_nents;
}

static void fpgabuf_clear_piece(struct scatterlist *sg)
{
	struct page *page = sg_page(sg);
	unsigned int i;

	if (!PageHighMem(page)) {
		memset(page_address(page), 0, sg->length);
		return;
	}
	for (i = 0; i < sg->length >> PAGE_SHIFT; i++)
		clear_highpage(page + i);
}

/**
 * fpgabuf_clear_pages() - zero a buffer by its pages
 * @buffer: the buffer; maps synchronise what the CPU wrote for their devices
 */
void fpgabuf_clear_pages(struct fpgabuf_buffer *buffer)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&buffer->pages, sg, i) {
		fpgabuf_clear_piece(sg);
		cond_resched();
	}
}
