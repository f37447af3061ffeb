// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping a buffer into a process.
 *
 * Pages are mapped by pfn, as dma-buf wants it: nobody takes a reference to one.
 * They stay until the buffer is released or moved, and each mapping holds the
 * dma-buf's file. A mapping is filled when it is touched, in one fault for all that a
 * page table holds (2 MiB with 4 KiB pages): by a huge entry where one fits, else by
 * page.
 */
#include <linux/align.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>

#include "exporter.h"

/**
 * struct fpgabuf_place - a page of a buffer
 * @sg: the piece that it is in, or NULL behind the last one
 * @page: number of it in there
 */
struct fpgabuf_place {
	struct scatterlist *sg;
	unsigned long page;
};

/* Pages from the place to the end of its piece; 0 behind the last one. */
static unsigned long fpgabuf_place_left(const struct fpgabuf_place *place)
{
	return place->sg ? (place->sg->length >> PAGE_SHIFT) - place->page : 0;
}

static unsigned long fpgabuf_place_pfn(const struct fpgabuf_place *place)
{
	return PHYS_PFN(fpgabuf_sg_phys(place->sg)) + place->page;
}

/* Where that is what @vma shows at @addr. */
static struct fpgabuf_place fpgabuf_find(const struct vm_area_struct *vma,
					 unsigned long addr)
{
	const struct fpgabuf_buffer *buffer = vma->vm_private_data;
	struct fpgabuf_place place = {
		.page = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT),
	};
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&buffer->pages, sg, i) {
		unsigned long pages = sg->length >> PAGE_SHIFT;

		if (place.page < pages) {
			place.sg = sg;
			break;
		}
		place.page -= pages;
	}
	return place;
}

static void fpgabuf_place_next(struct fpgabuf_place *place)
{
	place->page++;
	if (fpgabuf_place_left(place))
		return;
	place->sg = sg_next(place->sg);
	place->page = 0;
}

/* What it was moved to is memory like any other, whatever it was before. */
static pgprot_t fpgabuf_prot(const struct vm_area_struct *vma)
{
	const struct fpgabuf_buffer *buffer = vma->vm_private_data;

	return buffer->moved ? vm_get_page_prot(vma->vm_flags) :
			       vma->vm_page_prot;
}

#ifdef CONFIG_ARM
static vm_fault_t fpgabuf_insert(struct vm_area_struct *vma,
				 unsigned long addr, unsigned long pfn)
{
	int ret;

	if (!(vma->vm_flags & VM_MIXEDMAP))
		return vmf_insert_pfn_prot(vma, addr, pfn, fpgabuf_prot(vma));
	/* The DMA API had pages there, and has said so in the flags. */
	ret = vm_insert_page(vma, addr, pfn_to_page(pfn));
	return ret && ret != -EBUSY ? vmf_error(ret) : VM_FAULT_NOPAGE;
}

/* A module has no set_ptes() there: page by page, with a walk for each. */
static vm_fault_t fpgabuf_fill_range(struct vm_area_struct *vma,
				     unsigned long start, unsigned long end)
{
	struct fpgabuf_place place = fpgabuf_find(vma, start);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (; start < end && ret == VM_FAULT_NOPAGE; start += PAGE_SIZE) {
		if (!fpgabuf_place_left(&place))
			return VM_FAULT_SIGBUS;
		ret = fpgabuf_insert(vma, start, fpgabuf_place_pfn(&place));
		fpgabuf_place_next(&place);
	}
	return ret;
}
#else
/**
 * struct fpgabuf_fill - the next page to map
 * @vma: where to
 * @prot: how
 * @place: which
 */
struct fpgabuf_fill {
	const struct vm_area_struct *vma;
	pgprot_t prot;
	struct fpgabuf_place place;
};

/* Under the page table's lock; another thread may have been here before. */
static int fpgabuf_fill_pte(pte_t *ptep, unsigned long addr, void *data)
{
	struct fpgabuf_fill *fill = data;
	const struct vm_area_struct *vma = fill->vma;
	pte_t pte;

	if (!fpgabuf_place_left(&fill->place))
		return -EFAULT;
	if (pte_none(ptep_get(ptep))) {
		pte = pte_mkspecial(pfn_pte(fpgabuf_place_pfn(&fill->place),
					    fill->prot));
		/* Nobody asks whether it is, and the first write is no fault. */
		if (vma->vm_flags & VM_WRITE)
			pte = pte_mkyoung(pte_mkdirty(pte));
		set_pte_at(vma->vm_mm, addr, ptep, pte);
	}
	fpgabuf_place_next(&fill->place);
	return 0;
}

static vm_fault_t fpgabuf_fill_range(struct vm_area_struct *vma,
				     unsigned long start, unsigned long end)
{
	struct fpgabuf_fill fill = {
		.vma = vma,
		.prot = fpgabuf_prot(vma),
		.place = fpgabuf_find(vma, start),
	};

	switch (apply_to_page_range(vma->vm_mm, start, end - start,
				    fpgabuf_fill_pte, &fill)) {
	case 0:
		return VM_FAULT_NOPAGE;
	case -ENOMEM:
		return VM_FAULT_OOM;
	default:
		return VM_FAULT_SIGBUS;
	}
}
#endif

#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
/*
 * Only where a huge entry can be told from one whose pages have references
 * (from 6.12 on): elsewhere get_user_pages_fast() would take some.
 *
 * What can be mapped so always is, and by whichever handler is asked: were it
 * for the settings of transparent huge pages, which may change at any time, to
 * decide, an entry might meet the page table of another thread's fault.
 */
static vm_fault_t fpgabuf_map_huge(struct vm_fault *vmf)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = ALIGN_DOWN(vmf->address, PMD_SIZE);
	struct fpgabuf_place place;
	unsigned long pfn;

	if (addr < vma->vm_start || vma->vm_end - addr < PMD_SIZE)
		return VM_FAULT_FALLBACK;
	/* The DMA API has mapped it, by page, or in another way than this would. */
	if (vma->vm_flags & VM_MIXEDMAP ||
	    pgprot_val(vma->vm_page_prot) != pgprot_val(fpgabuf_prot(vma)))
		return VM_FAULT_FALLBACK;

	place = fpgabuf_find(vma, addr);
	if (fpgabuf_place_left(&place) < PMD_SIZE >> PAGE_SHIFT)
		return VM_FAULT_FALLBACK;
	pfn = fpgabuf_place_pfn(&place);
	if (!IS_ALIGNED(pfn, PMD_SIZE >> PAGE_SHIFT))
		return VM_FAULT_FALLBACK;

	return vmf_insert_pfn_pmd(vmf, pfn, vma->vm_flags & VM_WRITE);
}

vm_fault_t fpgabuf_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return order == HPAGE_PMD_ORDER ? fpgabuf_map_huge(vmf) :
					  VM_FAULT_FALLBACK;
}

static vm_fault_t fpgabuf_vm_huge_fault(struct vm_fault *vmf,
					unsigned int order)
{
	struct fpgabuf_buffer *buffer = vmf->vma->vm_private_data;
	vm_fault_t ret;

	down_read(&buffer->memory);
	ret = fpgabuf_huge_fault(vmf, order);
	up_read(&buffer->memory);
	return ret;
}

/* There is a page table where mremap() moved pages to. */
static vm_fault_t fpgabuf_try_huge(struct vm_fault *vmf)
{
	return pmd_none(pmdp_get_lockless(vmf->pmd)) ? fpgabuf_map_huge(vmf) :
						       VM_FAULT_FALLBACK;
}
#else
static vm_fault_t fpgabuf_try_huge(struct vm_fault *vmf)
{
	return VM_FAULT_FALLBACK;
}
#endif

/* The memory does not move meanwhile. */
vm_fault_t fpgabuf_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = max(ALIGN_DOWN(vmf->address, PMD_SIZE),
				  vma->vm_start);
	unsigned long end = pmd_addr_end(start, vma->vm_end);
	vm_fault_t ret;

	ret = fpgabuf_try_huge(vmf);
	if (ret != VM_FAULT_FALLBACK)
		return ret;
	return fpgabuf_fill_range(vma, start, end);
}

static vm_fault_t fpgabuf_vm_fault(struct vm_fault *vmf)
{
	struct fpgabuf_buffer *buffer = vmf->vma->vm_private_data;
	vm_fault_t ret;

	down_read(&buffer->memory);
	ret = fpgabuf_fault(vmf);
	up_read(&buffer->memory);
	return ret;
}

/* &vm_operations_struct.open */
void fpgabuf_vm_open(struct vm_area_struct *vma)
{
	struct fpgabuf_buffer *buffer = vma->vm_private_data;

	mutex_lock(&buffer->mappings_lock);
	buffer->mapping = vma->vm_file->f_mapping;
	buffer->mappings++;
	mutex_unlock(&buffer->mappings_lock);
}

/* &vm_operations_struct.close */
void fpgabuf_vm_close(struct vm_area_struct *vma)
{
	struct fpgabuf_buffer *buffer = vma->vm_private_data;

	mutex_lock(&buffer->mappings_lock);
	buffer->mappings--;
	mutex_unlock(&buffer->mappings_lock);
}

/* @len bytes from @offset on, by a kernel address for just that */
static int fpgabuf_access_memory(struct fpgabuf_buffer *buffer, size_t offset,
				 void *buf, int len, bool write)
{
	struct iosys_map map;

	if (buffer->no_vmap || buffer->kind->vmap(buffer, &map))
		return -EIO;
	if (write)
		iosys_map_memcpy_to(&map, offset, buf, len);
	else
		iosys_map_memcpy_from(buf, &map, offset, len);
	buffer->kind->vunmap(buffer, &map);
	return len;
}

/* &vm_operations_struct.access: of debuggers, which cannot have the pages */
int fpgabuf_vm_access(struct vm_area_struct *vma, unsigned long addr, void *buf,
		      int len, int write)
{
	struct fpgabuf_buffer *buffer = vma->vm_private_data;
	const size_t offset = (vma->vm_pgoff << PAGE_SHIFT) +
			      (addr - vma->vm_start);
	int ret;

	if (write && !(vma->vm_flags & VM_WRITE))
		return -EACCES;
	len = min_t(unsigned long, len, vma->vm_end - addr);
	down_read(&buffer->memory);
	ret = fpgabuf_access_memory(buffer, offset, buf, len, write);
	up_read(&buffer->memory);
	return ret;
}

/* All user mappings are empty then: the next access is a fault. */
void fpgabuf_zap(struct fpgabuf_buffer *buffer)
{
	mutex_lock(&buffer->mappings_lock);
	if (buffer->mappings)
		unmap_mapping_range(buffer->mapping, 0, 0, 1);
	mutex_unlock(&buffer->mappings_lock);
}

static const struct vm_operations_struct fpgabuf_vm_ops = {
	.open		= fpgabuf_vm_open,
	.close		= fpgabuf_vm_close,
	.fault		= fpgabuf_vm_fault,
	.access		= fpgabuf_vm_access,
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	.huge_fault	= fpgabuf_vm_huge_fault,
#endif
};

static int fpgabuf_mmap_kind(struct fpgabuf_buffer *buffer,
			     struct vm_area_struct *vma)
{
	int ret = 0;

	/* A page that the buffer has only a part of is not for everybody. */
	if (buffer->pages.sgl->offset)
		return -EINVAL;
	/* Pages by pfn, when they are touched */
	vma->vm_private_data = buffer;
	vma->vm_ops = &fpgabuf_vm_ops;
	if (buffer->kind->mmap)
		ret = buffer->kind->mmap(buffer, vma);
	else
		vm_flags_set(vma, VM_PFNMAP | VM_IO);
	if (!ret)
		fpgabuf_vm_open(vma);
	return ret;
}

int fpgabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct fpgabuf_buffer *buffer = dmabuf->priv;
	unsigned long pages = buffer->size >> PAGE_SHIFT;
	int ret;

	/* A private copy of a page would never see the device's writes. */
	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;

	/* Locks the VMA, as faults do, which take the other lock inside of that. */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	down_read(&buffer->memory);
	ret = fpgabuf_mmap_kind(buffer, vma);
	up_read(&buffer->memory);
	return ret;
}
