// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a process already has, pinned where it is: anonymous, of a memfd,
 * huge pages; any address and any length. The buffer is exactly that range, so
 * that nothing beside it is ever synchronised.
 *
 * What happens to the process's mapping later (munmap, MADV_DONTNEED, exit)
 * does not matter to the pages: they stay until the dma-buf is released.
 */
#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/backing-dev.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "exporter.h"

/* Pages that are pinned at a time; a fatal signal is looked for between. */
#define USER_BATCH	1024UL

/**
 * struct fpgabuf_user_memory - pinned memory of a process
 * @ref: one of whoever pinned it, one of the buffer that it is in. All that
 *	follows but for @written is constant
 * @written: a device may have written it; set by the buffer before it puts its
 *	reference, and read by the last one
 * @address: where it starts in that process
 * @length: its bytes
 * @fd_flags: access mode of the dma-buf to come; O_RDONLY: no device may write it
 * @pages: all of its pages, in order
 * @count: how many
 * @user: whose RLIMIT_MEMLOCK they count against, or NULL
 */
struct fpgabuf_user_memory {
	struct kref ref;
	bool written;
	unsigned long address;
	size_t length;
	unsigned int fd_flags;
	struct page **pages;
	unsigned long count;
	struct user_struct *user;
};

static bool user_read_only(const struct fpgabuf_user_memory *m)
{
	return (m->fd_flags & O_ACCMODE) == O_RDONLY;
}

/* Once for each buffer that a page is in, as everywhere in the kernel. */
static int user_account(struct fpgabuf_user_memory *m)
{
	const unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct user_struct *user;
	unsigned long new;
	long old;

	if (capable(CAP_IPC_LOCK))
		return 0;

	user = get_uid(current_user());
	old = atomic_long_read(&user->locked_vm);
	do {
		new = old + m->count;
		if (new > limit) {
			free_uid(user);
			return -ENOMEM;
		}
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, new));
	m->user = user;
	return 0;
}

static void user_unaccount(struct fpgabuf_user_memory *m)
{
	if (!m->user)
		return;
	atomic_long_sub(m->count, &m->user->locked_vm);
	free_uid(m->user);
}

/*
 * pin_user_pages_fast() says -EFAULT for all that it does not like. What the
 * mapping is like tells those apart that a program can do something about; it
 * may have changed meanwhile, which only makes another errno as true.
 */
static int user_fault(unsigned long address, bool read_only)
{
	const vm_flags_t access = read_only ? VM_READ : VM_WRITE;
	struct vm_area_struct *vma;
	struct page *page;
	int ret = 0;

	address = untagged_addr(address);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, address);
	if (!vma)
		ret = -EFAULT;
	else if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		ret = -EOPNOTSUPP;
	else if (!(vma->vm_flags & access))
		ret = -EACCES;
	mmap_read_unlock(current->mm);
	if (ret)
		return ret;

	/* Some file systems' pages can be pinned for a moment only. */
	if (pin_user_pages_fast(address, 1, read_only ? 0 : FOLL_WRITE,
				&page) != 1)
		return -EFAULT;
	unpin_user_page(page);
	return -EOPNOTSUPP;
}

static int user_error(long err, unsigned long address, bool read_only)
{
	switch (err) {
	case -ENOMEM:
	case -EOPNOTSUPP:
		return err;
	case -EINTR:
	case -ERESTARTSYS:
		return -EINTR;
	default:
		return user_fault(address, read_only);
	}
}

/*
 * Shared pages of a file that is written back: a device would write them behind its
 * file system's back. From 6.5 on pin_user_pages_fast() refuses them itself.
 */
static bool user_is_written_back(unsigned long address, unsigned long end)
{
	VMA_ITERATOR(vmi, current->mm, untagged_addr(address));
	struct vm_area_struct *vma;
	bool found = false;

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, untagged_addr(end))
		if (vma->vm_file && vma->vm_flags & VM_SHARED &&
		    mapping_can_writeback(vma->vm_file->f_mapping))
			found = true;
	mmap_read_unlock(current->mm);
	return found;
}

/* Pin @count pages from @address on; how many it were, or why it was none. */
static long user_pin_batch(unsigned long address, unsigned long count,
			   bool read_only, struct page **pages)
{
	long ret;

	if (!read_only)
		return pin_user_pages_fast(address, count,
					   FOLL_LONGTERM | FOLL_WRITE, pages);

	ret = pin_user_pages_fast(address, count,
				  FOLL_LONGTERM | FOLL_LONGTERM_READ, pages);
	if (ret == -EFAULT && FOLL_LONGTERM_READ)
		ret = pin_user_pages_fast(address, count, FOLL_LONGTERM, pages);
	return ret;
}

static int user_pin(struct fpgabuf_user_memory *m)
{
	const unsigned long first = m->address & PAGE_MASK;
	const bool read_only = user_read_only(m);
	unsigned long pinned = 0;

	if (!read_only &&
	    user_is_written_back(first, first + m->count * PAGE_SIZE))
		return -EOPNOTSUPP;
	while (pinned < m->count) {
		const unsigned long address = first + pinned * PAGE_SIZE;
		long ret = -EINTR;

		if (!fatal_signal_pending(current))
			ret = user_pin_batch(address,
					     min(m->count - pinned, USER_BATCH),
					     read_only, m->pages + pinned);
		if (ret <= 0) {
			unpin_user_pages(m->pages, pinned);
			return user_error(ret, address, read_only);
		}
		pinned += ret;
	}
	return 0;
}

/* Pages and what they count against; nothing of it is held after an error. */
static int user_get(struct fpgabuf_user_memory *m)
{
	int ret;

	m->pages = kvmalloc_array(m->count, sizeof(*m->pages), GFP_KERNEL);
	if (!m->pages)
		return -ENOMEM;

	ret = user_account(m);
	if (ret) {
		pr_warn_ratelimited("fpgabuf: no %zu bytes more can be pinned by %s; a higher RLIMIT_MEMLOCK (ulimit -l) helps\n",
				    m->length, current->comm);
		goto err_free;
	}
	ret = user_pin(m);
	if (ret)
		goto err_unaccount;
	return 0;

err_unaccount:
	user_unaccount(m);
err_free:
	kvfree(m->pages);
	return ret;
}

static void user_release(struct kref *ref)
{
	struct fpgabuf_user_memory *m =
		container_of(ref, struct fpgabuf_user_memory, ref);

	unpin_user_pages_dirty_lock(m->pages, m->count, m->written);
	user_unaccount(m);
	kvfree(m->pages);
	kfree(m);
}

static int user_alloc(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_user_memory *m = buffer->priv;
	int ret;

	/* To the byte: nothing beside the range is to be synchronised. */
	ret = sg_alloc_table_from_pages(&buffer->pages, m->pages, m->count,
					offset_in_page(m->address),
					buffer->size, GFP_KERNEL);
	if (ret)
		return ret;
	buffer->read_only = user_read_only(m);
	buffer->no_vmap = buffer->read_only;
	kref_get(&m->ref);
	return 0;
}

static void user_free(struct fpgabuf_buffer *buffer)
{
	struct fpgabuf_user_memory *m = buffer->priv;

	sg_free_table(&buffer->pages);
	/* What could have been written has to be taken for written. */
	m->written = !buffer->read_only;
	kref_put(&m->ref, user_release);
}

static int user_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	const struct fpgabuf_user_memory *m = buffer->priv;
	void *vaddr;

	vaddr = vmap(m->pages, m->count, VM_MAP, PAGE_KERNEL);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr + buffer->pages.sgl->offset);
	return 0;
}

static void user_vunmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	vunmap(PTR_ALIGN_DOWN(map->vaddr, PAGE_SIZE));
}

const struct fpgabuf_kind_ops fpgabuf_kind_user = {
	.name		= "user",
	.exp_name	= "fpgabuf-user",
	.requested	= true,
	.alloc		= user_alloc,
	.free		= user_free,
	.vmap		= user_vmap,
	.vunmap		= user_vunmap,
};

/* What can be said of a range on a machine with @ram_pages before trying. */
VISIBLE_IF_KUNIT int fpgabuf_user_check(unsigned long address, size_t length,
					unsigned long ram_pages)
{
	unsigned long end;
	int ret;

	ret = fpgabuf_size_check(length, ram_pages);
	if (ret)
		return ret;
	return check_add_overflow(address, (unsigned long)length, &end) ?
		-EOVERFLOW : 0;
}
EXPORT_SYMBOL_IF_KUNIT(fpgabuf_user_check);

/**
 * fpgabuf_user_pin() - pin memory of the current process
 * @address: where the memory starts, any byte
 * @length: bytes, any number
 * @fd_flags: access mode of the dma-buf's file that fpgabuf_alloc_pinned() makes.
 *	With O_RDONLY no device gets to write the memory, and it need not be
 *	writable
 *
 * The pages count against the RLIMIT_MEMLOCK of their user until they are
 * unpinned (not with CAP_IPC_LOCK). They stay pinned whatever becomes of the
 * process and its mapping.
 *
 * Context: process context of the memory's process, may sleep for as long as
 * the memory's owner likes, since a page may come from a program (userfaultfd,
 * FUSE). No lock held that anybody else needs, nor mmap_lock.
 * Return: the pinned memory, with a reference for fpgabuf_user_put(),
 * or an ERR_PTR: -EINVAL for length 0, -EOVERFLOW when the range does not fit,
 * -EFAULT when not all of it is mapped, -EACCES when not all of it is writable
 * (O_RDONLY: readable), -EOPNOTSUPP for memory that cannot be pinned for long
 * (of devices, of dma-bufs, and of files whose file system must know of each
 * write), -EINTR for a fatal signal, -ENOMEM, also when RLIMIT_MEMLOCK is
 * reached.
 */
struct fpgabuf_user_memory *fpgabuf_user_pin(unsigned long address,
					     size_t length,
					     unsigned int fd_flags)
{
	struct fpgabuf_user_memory *m;
	int ret;

	ret = fpgabuf_user_check(address, length, totalram_pages());
	if (ret)
		return ERR_PTR(ret);

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	kref_init(&m->ref);
	m->address = address;
	m->length = length;
	m->fd_flags = fd_flags;
	m->count = PFN_UP(offset_in_page(address) + length);
	ret = user_get(m);
	if (ret) {
		kfree(m);
		return ERR_PTR(ret);
	}
	return m;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_user_pin, "FPGABUF");

/* Bytes that were pinned, and what the dma-buf's file may do with them */
size_t fpgabuf_user_length(const struct fpgabuf_user_memory *memory,
			   unsigned int *fd_flags)
{
	*fd_flags = memory->fd_flags;
	return memory->length;
}

/**
 * fpgabuf_user_put() - put the reference to pinned memory
 * @memory: from fpgabuf_user_pin()
 *
 * The memory is unpinned with the last reference; the dma-buf that was made of
 * it has one.
 *
 * Context: process context, may sleep.
 */
void fpgabuf_user_put(struct fpgabuf_user_memory *memory)
{
	kref_put(&memory->ref, user_release);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_user_put, "FPGABUF");
