// SPDX-License-Identifier: GPL-2.0
/*
 * Memory whose pages are long in coming, as those of a program may be
 * (userfaultfd, FUSE): who touches one waits until a test says so, or until it is
 * killed.
 */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "page_stall.h"

/**
 * struct stall - an open file
 * @mode: STALL_*; of mappings that are made from now on
 * @released: nobody is stalled
 * @stalled: how many are
 * @wait: woken when one of these changes
 * @pages: what is mapped
 */
struct stall {
	unsigned int mode;
	bool released;
	atomic_t stalled;
	wait_queue_head_t wait;
	struct page *pages[STALL_PAGES];
};

static vm_fault_t stall_wait(struct stall *stall)
{
	int ret;

	atomic_inc(&stall->stalled);
	wake_up_all(&stall->wait);
	ret = wait_event_killable(stall->wait, READ_ONCE(stall->released));
	atomic_dec(&stall->stalled);
	return ret ? VM_FAULT_SIGBUS : 0;
}

static vm_fault_t stall_page(struct vm_fault *vmf)
{
	struct stall *stall = vmf->vma->vm_private_data;

	if (vmf->pgoff >= STALL_PAGES)
		return VM_FAULT_SIGBUS;
	vmf->page = stall->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static vm_fault_t stall_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = stall_wait(vmf->vma->vm_private_data);

	return ret ?: stall_page(vmf);
}

static vm_fault_t stall_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = stall_wait(vmf->vma->vm_private_data);

	if (ret)
		return ret;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct stall_nobody_ops = {
	.fault = stall_page,
};

static const struct vm_operations_struct stall_all_ops = {
	.fault = stall_fault,
};

static const struct vm_operations_struct stall_writers_ops = {
	.fault = stall_page,
	.page_mkwrite = stall_mkwrite,
};

static int stall_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct stall *stall = file->private_data;

	if (vma->vm_pgoff + vma_pages(vma) > STALL_PAGES)
		return -EINVAL;
	if (stall->mode == STALL_ALL)
		vma->vm_ops = &stall_all_ops;
	else if (stall->mode == STALL_WRITERS)
		vma->vm_ops = &stall_writers_ops;
	else
		vma->vm_ops = &stall_nobody_ops;
	vma->vm_private_data = stall;
	return 0;
}

static long stall_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct stall *stall = file->private_data;

	switch (cmd) {
	case STALL_NOBODY:
	case STALL_ALL:
	case STALL_WRITERS:
		stall->mode = cmd;
		return 0;
	case STALL_RELEASE:
		WRITE_ONCE(stall->released, true);
		wake_up_all(&stall->wait);
		return 0;
	default:
		return -ENOTTY;
	}
}

static __poll_t stall_poll(struct file *file, poll_table *wait)
{
	struct stall *stall = file->private_data;

	poll_wait(file, &stall->wait, wait);
	return atomic_read(&stall->stalled) ? EPOLLIN : 0;
}

/* Mappings hold the file: nobody waits any more, and none is mapped. */
static int stall_release(struct inode *inode, struct file *file)
{
	struct stall *stall = file->private_data;
	unsigned int i;

	for (i = 0; i < STALL_PAGES; i++)
		if (stall->pages[i])
			put_page(stall->pages[i]);
	kfree(stall);
	return 0;
}

static int stall_open(struct inode *inode, struct file *file)
{
	struct stall *stall = kzalloc(sizeof(*stall), GFP_KERNEL);
	unsigned int i;

	if (!stall)
		return -ENOMEM;
	init_waitqueue_head(&stall->wait);
	file->private_data = stall;
	for (i = 0; i < STALL_PAGES; i++) {
		stall->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!stall->pages[i]) {
			stall_release(inode, file);
			return -ENOMEM;
		}
	}
	return 0;
}

static const struct file_operations stall_fops = {
	.owner = THIS_MODULE,
	.open = stall_open,
	.release = stall_release,
	.mmap = stall_mmap,
	.poll = stall_poll,
	.unlocked_ioctl = stall_ioctl,
};

static struct miscdevice stall_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME,
	.fops = &stall_fops,
};

module_misc_device(stall_misc);

MODULE_DESCRIPTION("Memory whose pages are long in coming, for fpgabuf");
MODULE_LICENSE("GPL");
