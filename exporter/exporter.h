/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_EXPORTER_H
#define _FPGABUF_EXPORTER_H

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fpgabuf.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>

struct fpgabuf_buffer;
struct fpgabuf_reserved;
struct fpgabuf_stock;
struct module;
struct seq_file;
struct vm_area_struct;

#define FPGABUF_NUM_KINDS	(FPGABUF_KIND_REGION + 1)

/**
 * struct fpgabuf_kind_ops - a kind of memory
 * @name: as users see it: the dma-buf's exp_name is "fpgabuf-@name"
 * @exp_name: that name
 * @shortage: what there was too little of, behind a number of bytes, and what
 *	would help; told when @alloc fails with -ENOMEM. NULL: @alloc tells
 * @attrs: DMA_ATTR_* that it is allocated with
 * @one_piece: it may be one piece of &fpgabuf_buffer.pages, which is shorter than
 *	4 GiB
 * @requested: a size is not enough to ask for it: @alloc finds the request in
 *	&fpgabuf_buffer.priv
 * @alloc: get memory of &fpgabuf_buffer.size for &fpgabuf_buffer.dev, zeroed if
 *	nobody had it before, and fill in &fpgabuf_buffer.pages, .dma_addr and
 *	.priv. Process context
 * @free: give it back. Nothing maps or uses it any more. Process context, or
 *	reclaim: allocates nothing
 * @clear: zero it, for another user; NULL: is not kept when it is released.
 *	Nor is memory that is &fpgabuf_buffer.referenced
 * @attach: 0, or why that device cannot have it; NULL: any device can
 * @detach: undo @attach
 * @map: addresses on a device for the pieces of its table, of memory with no
 *	pages, which is in one piece. Not called for the device of
 *	&fpgabuf_buffer.dma_addr
 * @unmap: undo @map
 * @mmap: map it into @vma, whose range was checked against the buffer's size;
 *	NULL: &fpgabuf_buffer.pages are mapped, cached
 * @vmap: a kernel address for it. Called once for all users of the address,
 *	with the buffer's reservation held from 6.12 on: must not take it
 * @vunmap: undo @vmap
 * @sync_for_device: cache maintenance for the allocating device at the address
 *	that came with the memory, before it gets the memory; NULL: needs none
 * @sync_for_cpu: the same, before the CPU gets the memory back
 *
 * Constant data; none of the functions may sleep on a fence.
 */
struct fpgabuf_kind_ops {
	const char *name;
	const char *exp_name;
	const char *shortage;
	unsigned long attrs;
	bool one_piece;
	bool requested;
	int (*alloc)(struct fpgabuf_buffer *buffer);
	void (*free)(struct fpgabuf_buffer *buffer);
	void (*clear)(struct fpgabuf_buffer *buffer);
	int (*attach)(const struct fpgabuf_buffer *buffer,
		      struct dma_buf_attachment *attach);
	void (*detach)(const struct fpgabuf_buffer *buffer,
		       struct dma_buf_attachment *attach);
	int (*map)(const struct fpgabuf_buffer *buffer, struct device *dev,
		   struct sg_table *table, enum dma_data_direction dir);
	void (*unmap)(const struct fpgabuf_buffer *buffer, struct device *dev,
		      struct sg_table *table, enum dma_data_direction dir);
	int (*mmap)(struct fpgabuf_buffer *buffer, struct vm_area_struct *vma);
	int (*vmap)(struct fpgabuf_buffer *buffer, struct iosys_map *map);
	void (*vunmap)(struct fpgabuf_buffer *buffer, struct iosys_map *map);
	void (*sync_for_device)(const struct fpgabuf_buffer *buffer,
				enum dma_data_direction dir);
	void (*sync_for_cpu)(const struct fpgabuf_buffer *buffer,
			     enum dma_data_direction dir);
};

/**
 * struct fpgabuf_buffer - memory that is shared as one dma-buf
 * @dev: the device it was allocated for; a reference is held
 * @owner: module of @dev's driver, held so that it cannot go before its memory
 *	while that is in use; may be NULL
 * @kind: how it was allocated
 * @number: enum fpgabuf_kind of it
 * @behind_iommu: @dev was behind an IOMMU when it was allocated
 * @size: bytes; whole pages, but for user memory
 * @read_only: no device may write it
 * @no_vmap: the kernel gets no address of it, which nobody could take back
 *	(memory that goes with its device) or make read-only
 * @referenced: it was mapped into a process by page, so that somebody may hold
 *	references to its pages for as long as they like: nobody else may get
 *	this memory. Set once, by any mmap() of the dma-buf; read after its
 *	release
 * @pages: the CPU's view of it, one entry per contiguous piece; only the first
 *	one may start, and only the last one end, within a page. Never mapped
 *	for a device itself: every attachment has a table of its own. For memory
 *	that has no pages, physical addresses in place of DMA addresses
 * @dma_addr: its address on @dev, or DMA_MAPPING_ERROR for a kind whose memory
 *	has none before it is mapped
 * @priv: the kind's own
 * @reserved: what the device tree reserves for @dev and @kind; a reference is
 *	held. NULL: nothing
 * @stock: free buffers of @dev; a reference is held. NULL: not to be kept
 * @memcg: memory cgroup that it is charged to, a number to compare only
 * @free: in &fpgabuf_stock.buffers, while the buffer is free
 * @lock: guards @attachments, &fpgabuf_attachment.mapped and @vaddr. Taken
 *	inside of the reservation lock by map, unmap, vmap and vunmap, without
 *	it by attach, detach, begin and end; never held while a fence is
 *	waited for
 * @attachments: all &fpgabuf_attachment of it
 * @vaddr: kernel alias made by vmap, else NULL
 *
 * Owned by the dma-buf from dma_buf_export() on, until its release: then it is
 * freed, or the stock's until fpgabuf_alloc() takes it again. All fields without
 * a lock are constant while the dma-buf lives.
 */
struct fpgabuf_buffer {
	struct device *dev;
	struct module *owner;
	const struct fpgabuf_kind_ops *kind;
	enum fpgabuf_kind number;
	bool behind_iommu;
	size_t size;
	bool read_only;
	bool no_vmap;
	bool referenced;
	struct sg_table pages;
	dma_addr_t dma_addr;
	void *priv;
	struct fpgabuf_reserved *reserved;
	struct fpgabuf_stock *stock;
	u64 memcg;
	struct list_head free;

	struct mutex lock;	/* for what is said above */
	struct list_head attachments;
	void *vaddr;
};

extern const struct fpgabuf_kind_ops fpgabuf_kind_coherent;
extern const struct fpgabuf_kind_ops fpgabuf_kind_contiguous;
extern const struct fpgabuf_kind_ops fpgabuf_kind_system;
extern const struct fpgabuf_kind_ops fpgabuf_kind_writecombine;
extern const struct fpgabuf_kind_ops fpgabuf_kind_noncontiguous;
extern const struct fpgabuf_kind_ops fpgabuf_kind_user;
extern const struct fpgabuf_kind_ops fpgabuf_kind_pool;
extern const struct fpgabuf_kind_ops fpgabuf_kind_region;

/**
 * struct fpgabuf_cut - what pieces of memory a device takes
 * @max: longest one in bytes, a multiple of the page size
 * @boundary: none crosses a multiple of @boundary + 1, a power of two and no less
 *	than a page
 * @own: the address that the memory came with on that device, or
 *	DMA_MAPPING_ERROR: none, the memory is to be mapped
 */
struct fpgabuf_cut {
	size_t max;
	unsigned long boundary;
	dma_addr_t own;
};

/**
 * struct fpgabuf_pool_layout - where the blocks of a pool's buffer are
 * @stride: bytes from the start of a block to that of the next one
 * @size: bytes of the buffer, whole pages
 * @base: what its address on the device is a multiple of, so that the blocks
 *	are aligned there, and within the boundary
 */
struct fpgabuf_pool_layout {
	size_t stride;
	size_t size;
	size_t base;
};

/*
 * Whether the memory has pages that the DMA API can map. Else it is a resource
 * for all devices but its own, and no cache maintenance reaches it.
 */
static inline bool fpgabuf_has_pages(const struct fpgabuf_buffer *buffer)
{
	return sg_page(buffer->pages.sgl);
}

/* Where a piece of &fpgabuf_buffer.pages is, whether it has pages or not. */
static inline phys_addr_t fpgabuf_sg_phys(struct scatterlist *sg)
{
	return sg_page(sg) ? sg_phys(sg) : sg_dma_address(sg);
}

/* buffer.c */
int fpgabuf_size_check(size_t size, unsigned long ram_pages);
struct dma_buf *fpgabuf_alloc_requested(struct device *dev, size_t size,
					enum fpgabuf_kind kind,
					unsigned int fd_flags, void *request);
bool fpgabuf_buffer_stranded(const struct fpgabuf_buffer *buffer);
void fpgabuf_buffer_release(struct fpgabuf_buffer *buffer);
void fpgabuf_buffer_destroy(struct fpgabuf_buffer *buffer);
int fpgabuf_buffers_show(struct seq_file *s, void *unused);

/* coherent.c: for kinds whose &fpgabuf_buffer.priv is the kernel's address */
int fpgabuf_coherent_alloc(struct fpgabuf_buffer *buffer);
void fpgabuf_coherent_free(struct fpgabuf_buffer *buffer);
int fpgabuf_coherent_mmap(struct fpgabuf_buffer *buffer,
			  struct vm_area_struct *vma);
int fpgabuf_coherent_vmap(struct fpgabuf_buffer *buffer,
			  struct iosys_map *map);
void fpgabuf_coherent_vunmap(struct fpgabuf_buffer *buffer,
			     struct iosys_map *map);
int fpgabuf_coherent_map(const struct fpgabuf_buffer *buffer,
			 struct device *dev, struct sg_table *table,
			 enum dma_data_direction dir);
void fpgabuf_coherent_unmap(const struct fpgabuf_buffer *buffer,
			    struct device *dev, struct sg_table *table,
			    enum dma_data_direction dir);

/* dmabuf.c */
struct dma_buf *fpgabuf_dmabuf_export(struct fpgabuf_buffer *buffer,
				      unsigned int fd_flags);
void fpgabuf_set_addresses(struct sg_table *table, dma_addr_t addr);

/* region.c */
bool fpgabuf_region_is_shared(const struct device *dev);

/* reserved.c */
struct fpgabuf_reserved *fpgabuf_reserved_get(const struct device *dev,
					      enum fpgabuf_kind kind);
bool fpgabuf_reserved_no_map(const struct device *dev, enum fpgabuf_kind kind);
void fpgabuf_reserved_put(struct fpgabuf_reserved *reserved);

/* recycle.c */
struct fpgabuf_stock *fpgabuf_stock_get(struct device *dev);
void fpgabuf_stock_put(struct fpgabuf_stock *stock);
struct fpgabuf_buffer *fpgabuf_stock_take(struct fpgabuf_stock *stock,
					  size_t size, enum fpgabuf_kind kind);
bool fpgabuf_stock_keep(struct fpgabuf_buffer *buffer);
void fpgabuf_stock_charge(struct fpgabuf_buffer *buffer);
bool fpgabuf_stocks_drop(void);
int fpgabuf_free_show(struct seq_file *s, void *unused);
int fpgabuf_recycle_init(void);
void fpgabuf_recycle_exit(void);
void fpgabuf_clear_pages(struct fpgabuf_buffer *buffer);

/* limits.c */
u64 fpgabuf_reach(struct device *dev);
bool fpgabuf_reaches(struct device *dev, const struct sg_table *table);
int fpgabuf_limits_attach(const struct fpgabuf_buffer *buffer,
			  struct device *dev);
gfp_t fpgabuf_limits_gfp(struct device *dev);
void fpgabuf_limits_shortage(const struct fpgabuf_buffer *buffer);

/* mmap.c */
int fpgabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void fpgabuf_mmap_pfns(struct fpgabuf_buffer *buffer,
		       struct vm_area_struct *vma,
		       const struct vm_operations_struct *ops);
vm_fault_t fpgabuf_vm_fault(struct vm_fault *vmf);
vm_fault_t fpgabuf_vm_huge_fault(struct vm_fault *vmf, unsigned int order);

#if IS_ENABLED(CONFIG_KUNIT)
/* buffer.c */
int fpgabuf_alloc_check(size_t size, enum fpgabuf_kind kind,
			unsigned long ram_pages);

/* dmabuf.c */
int fpgabuf_cut_table(const struct sg_table *from, struct sg_table *to,
		      const struct fpgabuf_cut *cut);

/* user.c */
int fpgabuf_user_check(unsigned long address, size_t length,
		       unsigned long ram_pages);

/* pool.c */
int fpgabuf_pool_lay_out(u32 block_size, u32 num_blocks, u32 alignment,
			 u32 boundary, struct fpgabuf_pool_layout *layout);
#endif

#endif /* _FPGABUF_EXPORTER_H */
