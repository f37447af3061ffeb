/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_EXPORTER_H
#define _FPGABUF_EXPORTER_H

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fpgabuf.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct address_space;
struct fpgabuf_buffer;
struct fpgabuf_reserved;
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
 * @bound: the DMA API is needed to free it, and so the driver that its device is
 *	bound to: the memory goes with that. Needs @vmap
 * @alloc: get memory of &fpgabuf_buffer.size for &fpgabuf_buffer.dev, zeroed if
 *	nobody had it before, and fill in &fpgabuf_buffer.pages, .dma_addr and
 *	.priv. Process context
 * @free: give it back. Nothing maps or uses it any more. Process context, or
 *	reclaim: allocates nothing
 * @clear: zero it, for another user; NULL: is not kept when it is released.
 *	Nor is memory that is &fpgabuf_buffer.referenced
 * @attach: 0, or why that device cannot have it; NULL: any device can
 * @map: addresses on a device for the pieces of its table, of memory with no
 *	pages, which is in one piece, by dma_map_resource(). Not called for the
 *	device of &fpgabuf_buffer.dma_addr
 * @mmap: map it into @vma, whose range was checked against the buffer's size, and
 *	which has vm_ops that fill it; NULL: &fpgabuf_buffer.pages are mapped,
 *	cached
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
	bool bound;
	int (*alloc)(struct fpgabuf_buffer *buffer);
	void (*free)(struct fpgabuf_buffer *buffer);
	void (*clear)(struct fpgabuf_buffer *buffer);
	int (*attach)(const struct fpgabuf_buffer *buffer,
		      struct dma_buf_attachment *attach);
	int (*map)(const struct fpgabuf_buffer *buffer, struct device *dev,
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
 * struct fpgabuf_free_count - what became of the buffers of a kind
 * @buffers: free ones that there are
 * @bytes: of them
 * @hits: allocations that took one
 * @misses: allocations that found none of their size
 * @shrunk: free ones that were given back for want of memory
 */
struct fpgabuf_free_count {
	unsigned long buffers;
	unsigned long bytes;
	unsigned long hits;
	unsigned long misses;
	unsigned long shrunk;
};

/**
 * struct fpgabuf_stock - the free buffers of a device
 * @dev: the device
 * @node: in the list of all stocks, while it is open
 * @buffers: by &fpgabuf_buffer.free, the one that was released last first
 * @bytes: of them
 * @closed: nothing is kept
 * @counts: by kind
 *
 * Belongs to recycle.c, which has the lock of all that may change.
 */
struct fpgabuf_stock {
	struct device *dev;
	struct list_head node;
	struct list_head buffers;
	size_t bytes;
	bool closed;
	struct fpgabuf_free_count counts[FPGABUF_NUM_KINDS];
};

/**
 * struct fpgabuf_binding - a device from its first buffer until it is unbound
 * @ref: one of the list of all bindings, one of each buffer
 * @dev: the device; a reference is held
 * @bound: @dev, or the device above it whose driver counts; a reference is held.
 *	NULL: there is none, and the binding is in no list
 * @node: in that list
 * @work: takes it out of the list, when its driver's end is over
 * @buffers: by &fpgabuf_buffer.live, those in use that are of a @bound kind
 * @closed: the driver is on its way out: there are no more buffers
 * @over: the DMA API is not used any more. Changes only with
 *	fpgabuf_giving_back held for writing
 * @stock: its free buffers
 *
 * Belongs to binding.c, which has the lock of @node, @buffers and @closed. The next
 * driver of the device has another binding.
 */
struct fpgabuf_binding {
	struct kref ref;
	struct device *dev;
	struct device *bound;
	struct list_head node;
	struct work_struct work;
	struct list_head buffers;
	bool closed;
	bool over;
	struct fpgabuf_stock stock;
};

/**
 * struct fpgabuf_buffer - memory that is shared as one dma-buf
 * @ref: one is the dma-buf's; then it is freed, or kept. Others are had while it
 *	is in &fpgabuf_binding.buffers
 * @release: what the dma-buf calls at its end
 * @dev: the device it was allocated for; a reference is held
 * @owner: module of @dev's driver, held so that it cannot go before its memory
 *	while that is in use; may be NULL
 * @kind: how its memory is handled; guarded by @memory
 * @number: enum fpgabuf_kind that it was allocated as
 * @moved: its memory is not any more what was allocated: it was moved into
 *	ordinary pages; guarded by @memory
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
 *	that has no pages, physical addresses in place of DMA addresses. Guarded
 *	by @memory
 * @dma_addr: its address on @dev, or DMA_MAPPING_ERROR for a kind whose memory
 *	has none before it is mapped; guarded by @memory
 * @priv: the kind's own; guarded by @memory
 * @reserved: what the device tree reserves for @dev and @kind; a reference is
 *	held. NULL: nothing
 * @binding: @dev with the driver that it was allocated with; a reference is held.
 *	NULL: it is not of a @bound kind, and not to be kept
 * @live: in &fpgabuf_binding.buffers, while it is in use
 * @memcg: memory cgroup that it is charged to, a number to compare only
 * @free: in &fpgabuf_stock.buffers, while the buffer is free
 * @memory: guards what the memory is: held for reading by all who use it, for
 *	writing while it moves. Taken inside of the reservation lock, and of
 *	mmap_lock; outside of @lock and @mappings_lock
 * @lock: guards @attachments, &fpgabuf_attachment.mapped and @vaddr. Taken
 *	inside of the reservation lock by map, unmap, vmap and vunmap, without
 *	it by attach, detach, begin and end; never held while a fence is
 *	waited for
 * @attachments: all &fpgabuf_attachment of it
 * @unmapped: woken when a device has unmapped it
 * @vaddr: kernel alias made by vmap, else NULL
 * @dmabuf: the dma-buf; valid while there are @attachments, which hold it
 * @mappings_lock: guards @mapping and @mappings. Innermost but for those of mm
 * @mapping: of the dma-buf's file; valid while @mappings is not 0
 * @mappings: user mappings of it, which hold that file
 *
 * Owned by the dma-buf from dma_buf_export() on, until its release: then it is
 * freed, or the stock's until fpgabuf_alloc() takes it again. All fields without
 * a lock are constant while the dma-buf lives.
 */
struct fpgabuf_buffer {
	struct kref ref;
	void (*release)(struct fpgabuf_buffer *buffer);
	struct device *dev;
	struct module *owner;
	const struct fpgabuf_kind_ops *kind;
	enum fpgabuf_kind number;
	bool moved;
	size_t size;
	bool read_only;
	bool no_vmap;
	bool referenced;
	struct sg_table pages;
	dma_addr_t dma_addr;
	void *priv;
	struct fpgabuf_reserved *reserved;
	struct fpgabuf_binding *binding;
	struct list_head live;
	u64 memcg;
	struct list_head free;

	struct rw_semaphore memory;	/* for what is said above */
	struct mutex lock;		/* likewise */
	struct list_head attachments;
	wait_queue_head_t unmapped;
	void *vaddr;
	struct dma_buf *dmabuf;

	struct mutex mappings_lock;	/* likewise */
	struct address_space *mapping;
	unsigned int mappings;
};

struct fpgabuf_attachment;

/**
 * struct fpgabuf_way - how a device gets at memory
 * @map: fill in the addresses of &fpgabuf_attachment.table, for its direction
 * @unmap: undo @map
 * @sync_for_device: cache maintenance before the device gets the memory
 * @sync_for_cpu: the same, before the CPU gets it back
 *
 * Called with both locks of the buffer held. Constant data.
 */
struct fpgabuf_way {
	int (*map)(const struct fpgabuf_buffer *buffer,
		   struct fpgabuf_attachment *a);
	void (*unmap)(const struct fpgabuf_buffer *buffer,
		      struct fpgabuf_attachment *a);
	void (*sync_for_device)(const struct fpgabuf_buffer *buffer,
				struct fpgabuf_attachment *a);
	void (*sync_for_cpu)(const struct fpgabuf_buffer *buffer,
			     struct fpgabuf_attachment *a);
};

/**
 * struct fpgabuf_attachment - a device that is attached to a buffer
 * @dev: the device; the importer holds it for as long as it is attached
 * @table: the memory, in pieces that @dev takes; what is mapped and synchronised
 * @view: copy of @table, for the importer. The core scrambles the page links of
 *	what it hands out (CONFIG_DMABUF_DEBUG), which synchronising needs
 * @node: in &fpgabuf_buffer.attachments
 * @own: @dev has the address that came with the memory
 * @way: how @dev gets at the memory
 * @revocable: its importer is told when the memory goes, and unmaps it then
 * @stale: the memory has moved since the tables were made; guarded by
 *	&fpgabuf_buffer.lock
 * @mapped: between map and unmap; guarded by &fpgabuf_buffer.lock
 * @dir: the direction it is mapped in, while @mapped
 */
struct fpgabuf_attachment {
	struct device *dev;
	struct sg_table table;
	struct sg_table view;
	struct list_head node;
	const struct fpgabuf_way *way;
	bool own;
	bool revocable;
	bool stale;
	bool mapped;
	enum dma_data_direction dir;
};

/* kinds.c: by enum fpgabuf_kind */
extern const struct fpgabuf_kind_ops *const fpgabuf_kinds[];

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
struct fpgabuf_buffer *fpgabuf_buffer_new(struct device *dev, size_t size,
					  const struct fpgabuf_kind_ops *ops,
					  enum fpgabuf_kind kind,
					  void *request);
void fpgabuf_buffer_free(struct fpgabuf_buffer *buffer);
void fpgabuf_buffer_destroy(struct fpgabuf_buffer *buffer);

/* alloc.c */
int fpgabuf_buffers_show(struct seq_file *s, void *unused);

/* binding.c */
struct fpgabuf_binding *fpgabuf_binding_get(struct device *dev);
void fpgabuf_binding_put(struct fpgabuf_binding *binding);
int fpgabuf_binding_add(struct fpgabuf_buffer *buffer);
void fpgabuf_binding_del(struct fpgabuf_buffer *buffer);
void fpgabuf_binding_put_buffer(struct fpgabuf_buffer *buffer);
int fpgabuf_stranded_show(struct seq_file *s, void *unused);
int fpgabuf_bindings_init(void);
void fpgabuf_bindings_exit(void);

/* move.c */
bool fpgabuf_buffer_tell(struct fpgabuf_buffer *buffer, ktime_t end);
int fpgabuf_buffer_move(struct fpgabuf_buffer *buffer);

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

/* dmabuf.c */
struct dma_buf *fpgabuf_dmabuf_export(struct fpgabuf_buffer *buffer,
				      unsigned int fd_flags);

/* table.c */
int fpgabuf_cut_table(const struct sg_table *from, struct sg_table *to,
		      const struct fpgabuf_cut *cut);
void fpgabuf_set_addresses(struct sg_table *table, dma_addr_t addr);
void fpgabuf_clear_pages(struct fpgabuf_buffer *buffer);

/* reserved.c */
struct fpgabuf_reserved *fpgabuf_reserved_get(const struct device *dev,
					      enum fpgabuf_kind kind);
bool fpgabuf_reserved_no_map(const struct device *dev, enum fpgabuf_kind kind);
void fpgabuf_reserved_put(struct fpgabuf_reserved *reserved);

/* recycle.c */
extern struct rw_semaphore fpgabuf_giving_back;
void fpgabuf_stock_init(struct fpgabuf_stock *stock, struct device *dev);
void fpgabuf_stock_open(struct fpgabuf_stock *stock);
void fpgabuf_stock_close(struct fpgabuf_stock *stock);
struct fpgabuf_buffer *fpgabuf_stock_take(struct fpgabuf_stock *stock,
					  size_t size, enum fpgabuf_kind kind);
bool fpgabuf_stock_keep(struct fpgabuf_stock *stock,
			struct fpgabuf_buffer *buffer);
void fpgabuf_stock_charge(struct fpgabuf_buffer *buffer);
bool fpgabuf_stocks_drop(void);
int fpgabuf_free_show(struct seq_file *s, void *unused);
int fpgabuf_recycle_init(void);
void fpgabuf_recycle_exit(void);

/* system.c */
int fpgabuf_system_get_pages(struct device *dev, size_t size, gfp_t gfp,
			     struct sg_table *pages);
void fpgabuf_system_put_pages(struct sg_table *pages);

/* way.c */
const struct fpgabuf_way *fpgabuf_way(const struct fpgabuf_buffer *buffer,
				      bool own);

/* pool.c */
int fpgabuf_pool_lay_out(u32 block_size, u32 num_blocks, u32 alignment,
			 u32 boundary, struct fpgabuf_pool_layout *layout);

/* user.c */
size_t fpgabuf_user_length(const struct fpgabuf_user_memory *memory,
			   unsigned int *fd_flags);

/* limits.c */
int fpgabuf_size_check(size_t size, unsigned long ram_pages);
u64 fpgabuf_reach(struct device *dev);
bool fpgabuf_reaches(struct device *dev, const struct sg_table *table);
int fpgabuf_limits_attach(const struct fpgabuf_buffer *buffer,
			  struct device *dev);
gfp_t fpgabuf_limits_gfp(struct device *dev);
void fpgabuf_limits_shortage(struct device *dev, size_t size,
			     const struct fpgabuf_kind_ops *ops, bool reserved);

/* mmap.c */
int fpgabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma);
void fpgabuf_zap(struct fpgabuf_buffer *buffer);
void fpgabuf_vm_open(struct vm_area_struct *vma);
void fpgabuf_vm_close(struct vm_area_struct *vma);
int fpgabuf_vm_access(struct vm_area_struct *vma, unsigned long addr, void *buf,
		      int len, int write);
vm_fault_t fpgabuf_fault(struct vm_fault *vmf);
vm_fault_t fpgabuf_huge_fault(struct vm_fault *vmf, unsigned int order);

#if IS_ENABLED(CONFIG_KUNIT)
/* alloc.c */
int fpgabuf_alloc_check(size_t size, enum fpgabuf_kind kind,
			unsigned long ram_pages);

/* binding.c */
unsigned int fpgabuf_stranded_count(void);

/* user.c */
int fpgabuf_user_check(unsigned long address, size_t length,
		       unsigned long ram_pages);
#endif

#endif /* _FPGABUF_EXPORTER_H */
