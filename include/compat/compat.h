/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows of kernel versions: what the newest kernel (7.3)
 * has, spelt its way, for kernels that lack it. HAVE_* come from test compiles
 * (probes/, run by configure.sh), since stable kernels get and lack backports
 * at random. Every module source is compiled with this header included first.
 */
#ifndef _FPGABUF_COMPAT_H
#define _FPGABUF_COMPAT_H

#include "fpgabuf-config.h"

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* From 6.13 a namespace is a string. */
#ifdef HAVE_IMPORT_NS_TOKEN
#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns)	MODULE_INFO(import_ns, ns)
#undef EXPORT_SYMBOL_NS_GPL
#ifdef HAVE_EXPORT_SYMBOL_LICENSE
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	__EXPORT_SYMBOL(sym, "GPL", ns)
#else
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	__EXPORT_SYMBOL(sym, "_gpl", ns)
#endif
#endif

/* The fences of newer kernels have a lock of their own, for callers who pass NULL. */
#ifdef HAVE_DMA_FENCE_INLINE_LOCK
struct fpgabuf_fence_lock {
};

static inline spinlock_t *
fpgabuf_fence_lock_init(struct fpgabuf_fence_lock *lock)
{
	return NULL;
}
#else
struct fpgabuf_fence_lock {
	spinlock_t lock;	/* protects the fence it is for */
};

static inline spinlock_t *
fpgabuf_fence_lock_init(struct fpgabuf_fence_lock *lock)
{
	spin_lock_init(&lock->lock);
	return &lock->lock;
}
#endif

#ifndef HAVE_CLASS_CREATE_NAME
static inline struct class *fpgabuf_class_create(const char *name)
{
	return class_create(THIS_MODULE, name);
}

#undef class_create
#define class_create(name)	fpgabuf_class_create(name)
#endif

/* As that of 6.13, but for the check of what the compiler knows of @src. */
#ifndef HAVE_COPY_STRUCT_TO_USER
static __always_inline __must_check int
copy_struct_to_user(void __user *dst, size_t usize, const void *src,
		    size_t ksize, bool *ignored_trailing)
{
	const size_t size = min(ksize, usize);
	const size_t rest = max(ksize, usize) - size;

	if (usize > ksize && clear_user(dst + size, rest))
		return -EFAULT;
	if (ignored_trailing)
		*ignored_trailing = ksize > usize &&
			memchr_inv(src + size, 0, rest);
	return copy_to_user(dst, src, size) ? -EFAULT : 0;
}
#endif

#ifndef HAVE_DMA_BUF_FD_INSTALL
static inline void dma_buf_fd_install(struct dma_buf *dmabuf, int fd)
{
	fd_install(fd, dmabuf->file);
}
#endif

/*
 * Before 6.2 a page that is pinned for reading may be replaced by the next write
 * of its process (the zero page is), and must be pinned for writing where it can.
 */
#ifdef HAVE_GUP_UNSHARE_ANON
#define FOLL_LONGTERM_READ	FOLL_WRITE
#else
#define FOLL_LONGTERM_READ	0
#endif

#ifndef HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#ifndef HAVE_OVERFLOWS_TYPE
#define overflows_type(n, T) ({				\
	typeof(T) __result;				\
	__builtin_add_overflow(n, 0, &__result);	\
})
#endif

#ifndef HAVE_SHRINKER_ALLOC
/* Its name is told when it is registered; there is one here. */
static inline struct shrinker *shrinker_alloc(unsigned int flags,
					      const char *name)
{
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (shrinker) {
		shrinker->flags = flags;
		shrinker->seeks = DEFAULT_SEEKS;
	}
	return shrinker;
}

/* Without it no memory is given back early: nothing to fail for. */
static inline void shrinker_register(struct shrinker *shrinker)
{
	if (register_shrinker(shrinker, "fpgabuf"))
		pr_warn("fpgabuf: no memory for a shrinker\n");
}

static inline void shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(shrinker);
}
#endif

#ifdef CONFIG_SWIOTLB
#include <linux/swiotlb.h>

/* One past the bounce buffers that a device gets, if it gets any. */
static inline phys_addr_t fpgabuf_swiotlb_end(const struct device *dev)
{
#ifdef HAVE_SWIOTLB_DEFPOOL
	return dev->dma_io_tlb_mem->defpool.end;
#else
	return dev->dma_io_tlb_mem->end;
#endif
}
#endif

#ifndef HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

#ifdef HAVE_VMF_INSERT_PFN_PMD_PFN_T
#include <linux/pfn_t.h>

static inline vm_fault_t fpgabuf_vmf_insert_pfn_pmd(struct vm_fault *vmf,
						    unsigned long pfn,
						    bool write)
{
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), write);
}

#define vmf_insert_pfn_pmd(vmf, pfn, write) \
	fpgabuf_vmf_insert_pfn_pmd(vmf, pfn, write)
#endif

#ifndef HAVE_ZAP_SPECIAL_VMA_RANGE
static inline void zap_special_vma_range(struct vm_area_struct *vma,
					 unsigned long address,
					 unsigned long size)
{
	zap_vma_ptes(vma, address, size);
}
#endif

/* Without PCI there is none, but a declaration. */
#if IS_ENABLED(CONFIG_PCI) && !defined(HAVE_PCIM_IOMAP_REGION)
#include <linux/pci.h>

static inline void __iomem *pcim_iomap_region(struct pci_dev *pdev, int bar,
					      const char *name)
{
	int ret = pcim_iomap_regions(pdev, BIT(bar), name);

	return ret ? IOMEM_ERR_PTR(ret) : pcim_iomap_table(pdev)[bar];
}
#endif

/* For other drivers: what fpgabuf has of them is called by the core. */
#ifndef HAVE_DMA_BUF_VMAP_UNLOCKED
static inline int dma_buf_vmap_unlocked(struct dma_buf *dmabuf,
					struct iosys_map *map)
{
	return dma_buf_vmap(dmabuf, map);
}

static inline void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf,
					   struct iosys_map *map)
{
	dma_buf_vunmap(dmabuf, map);
}
#endif

#ifndef HAVE_DMA_BUF_INVALIDATE_MAPPINGS
static inline void dma_buf_invalidate_mappings(struct dma_buf *dmabuf)
{
	dma_buf_move_notify(dmabuf);
}
#endif

/* What a device has mapped there may stay mapped for as long as it is attached. */
#ifndef HAVE_DMA_BUF_ATTACH_REVOCABLE
static inline bool dma_buf_attach_revocable(struct dma_buf_attachment *attach)
{
	return false;
}
#endif

/* For other drivers: a dynamic importer names it. */
#ifndef HAVE_DMA_BUF_ATTACH_OPS_INVALIDATE
#define invalidate_mappings	move_notify
#endif

#endif /* _FPGABUF_COMPAT_H */
