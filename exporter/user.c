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
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fcntl.h>
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
 * struct user_request - what to pin
 * @address: where it starts in the current process
 * @read_only: no device may write it
 */
struct user_request {
	unsigned long address;
	bool read_only;
};

/**
 * struct user_memory - pinned memory
 * @pages: all of its pages, in order
 * @count: how many
 * @user: whose RLIMIT_MEMLOCK they count against, or NULL
 */
struct user_memory {
	struct page **pages;
	unsigned long count;
	struct user_struct *user;
};

/* Once for each buffer that a page is in, as everywhere in the kernel. */
static int user_account(struct user_memory *m)
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

static void user_unaccount(struct user_memory *m)
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

static int user_pin(struct user_memory *m, const struct user_request *request)
{
	const unsigned long first = request->address & PAGE_MASK;
	unsigned long pinned = 0;

	while (pinned < m->count) {
		const unsigned long address = first + pinned * PAGE_SIZE;
		long ret = -EINTR;

		if (!fatal_signal_pending(current))
			ret = user_pin_batch(address,
					     min(m->count - pinned, USER_BATCH),
					     request->read_only,
					     m->pages + pinned);
		if (ret <= 0) {
			unpin_user_pages(m->pages, pinned);
			return user_error(ret, address, request->read_only);
		}
		pinned += ret;
	}
	return 0;
}

/* Pages and what they count against; nothing of it is held after an error. */
static int user_get(struct fpgabuf_buffer *buffer, struct user_memory *m,
		    const struct user_request *request)
{
	int ret;

	m->pages = kvmalloc_array(m->count, sizeof(*m->pages), GFP_KERNEL);
	if (!m->pages)
		return -ENOMEM;

	ret = user_account(m);
	if (ret) {
		dev_warn_ratelimited(buffer->dev,
				     "no %zu bytes more can be pinned; a higher RLIMIT_MEMLOCK (ulimit -l) helps\n",
				     buffer->size);
		goto err_free;
	}
	ret = user_pin(m, request);
	if (ret)
		goto err_unaccount;
	return 0;

err_unaccount:
	user_unaccount(m);
err_free:
	kvfree(m->pages);
	return ret;
}

/* What could have been written has to be taken for written. */
static void user_put(struct user_memory *m, bool dirty)
{
	unpin_user_pages_dirty_lock(m->pages, m->count, dirty);
	user_unaccount(m);
	kvfree(m->pages);
}

static int user_alloc(struct fpgabuf_buffer *buffer)
{
	const struct user_request *request = buffer->priv;
	const unsigned int offset = offset_in_page(request->address);
	struct user_memory *m;
	int ret;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->count = PFN_UP(offset + buffer->size);
	ret = user_get(buffer, m, request);
	if (ret)
		goto err_free;

	/* To the byte: nothing beside the range is to be synchronised. */
	ret = sg_alloc_table_from_pages(&buffer->pages, m->pages, m->count,
					offset, buffer->size, GFP_KERNEL);
	if (ret)
		goto err_put;
	buffer->read_only = request->read_only;
	buffer->no_vmap = request->read_only;
	buffer->priv = m;
	return 0;

err_put:
	user_put(m, false);
err_free:
	kfree(m);
	return ret;
}

static void user_free(struct fpgabuf_buffer *buffer)
{
	struct user_memory *m = buffer->priv;

	sg_free_table(&buffer->pages);
	user_put(m, !buffer->read_only);
	kfree(m);
}

static int user_vmap(struct fpgabuf_buffer *buffer, struct iosys_map *map)
{
	const struct user_memory *m = buffer->priv;
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
 * fpgabuf_alloc_user() - memory of the current process as a dma-buf
 * @dev: the device that really does the DMA; as in fpgabuf_alloc()
 * @address: where the memory starts, any byte
 * @length: bytes, any number
 * @fd_flags: access mode of the dma-buf's file. With O_RDONLY no device gets to
 *	write the memory, and it need not be writable
 *
 * The dma-buf has exactly @length bytes. The pages are pinned until it is
 * released, whatever becomes of the process and its mapping, and count against
 * the RLIMIT_MEMLOCK of its user until then (not with CAP_IPC_LOCK). Unless it
 * is O_RDONLY they are marked dirty then.
 *
 * What importers map of a dma-buf is page-aligned. So memory that does not
 * start and end with a page can be attached to by @dev only, who knows. Where
 * @dev does not snoop the CPU's caches nothing else in the first and the last
 * cache line may be written meanwhile (see dma_get_cache_alignment()).
 *
 * Context: process context of the memory's process, may sleep; no lock of a
 * dma-buf held, nor mmap_lock.
 * Return: the dma-buf, whose only reference is the caller's, or an ERR_PTR:
 * -EINVAL for length 0, -EOVERFLOW when the range does not fit, -EFAULT when not
 * all of it is mapped, -EACCES when not all of it is writable (O_RDONLY:
 * readable), -EOPNOTSUPP for memory that cannot be pinned for long (of devices,
 * of dma-bufs, and of files whose file system must know of each write),
 * -ENODEV when the driver of @dev is being removed, -EINTR for a fatal signal,
 * -ENOMEM, also when RLIMIT_MEMLOCK is reached.
 */
struct dma_buf *fpgabuf_alloc_user(struct device *dev, unsigned long address,
				   size_t length, unsigned int fd_flags)
{
	struct user_request request = {
		.address = address,
		.read_only = (fd_flags & O_ACCMODE) == O_RDONLY,
	};
	int ret;

	ret = fpgabuf_user_check(address, length, totalram_pages());
	if (ret)
		return ERR_PTR(ret);
	return fpgabuf_alloc_requested(dev, length, FPGABUF_KIND_USER, fd_flags,
				       &request);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_alloc_user, "FPGABUF");
