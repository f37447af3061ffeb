// SPDX-License-Identifier: GPL-2.0
/*
 * User memory, for a caller that holds a lock which others need. A page of it
 * may come from a program (userfaultfd, FUSE) and take as long as that likes. So
 * with a lock held memory is copied only if it is there; if not, the caller
 * undoes what it did, drops its lock, has the memory faulted in, and begins
 * again.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "usercopy.h"

static int user_missing(u64 address, size_t size, bool write,
			struct fpgabuf_user_fault *fault)
{
	*fault = (struct fpgabuf_user_fault){
		.address = address,
		.size = size,
		.write = write,
	};
	return -EFAULT;
}

/**
 * fpgabuf_user_read() - copy from user memory that is there
 * @to: where it goes
 * @from: address in the current process
 * @size: bytes
 * @fault: notes what was not there
 *
 * Context: process context of the memory's process, any lock held; does not
 * sleep.
 * Return: 0, or -EFAULT: see fpgabuf_user_fault_in().
 */
int fpgabuf_user_read(void *to, u64 from, size_t size,
		      struct fpgabuf_user_fault *fault)
{
	if (copy_from_user_nofault(to, u64_to_user_ptr(from), size))
		return user_missing(from, size, false, fault);
	return 0;
}

/**
 * fpgabuf_user_write() - copy to user memory that is there
 * @to: address in the current process
 * @from: what goes there
 * @size: bytes
 * @fault: notes what was not there
 *
 * Context: as fpgabuf_user_read().
 * Return: 0, or -EFAULT: see fpgabuf_user_fault_in(). Some of it may have been
 * written.
 */
int fpgabuf_user_write(u64 to, const void *from, size_t size,
		       struct fpgabuf_user_fault *fault)
{
	if (copy_to_user_nofault(u64_to_user_ptr(to), from, size))
		return user_missing(to, size, true, fault);
	return 0;
}

/**
 * fpgabuf_user_fault_in() - have user memory that was not there brought there
 * @fault: what was missing; none is missing after this
 *
 * Does not change the memory.
 *
 * Context: process context of the memory's process, no lock held. Sleeps for as
 * long as the memory's owner likes.
 * Return: 0: try again. -EFAULT: nothing was missing, or there is no such memory;
 * -EINTR: the process is being killed.
 */
int fpgabuf_user_fault_in(struct fpgabuf_user_fault *fault)
{
	const size_t size = fault->size;
	void __user *user = u64_to_user_ptr(fault->address);

	fault->size = 0;
	if (!size)
		return -EFAULT;
	if (fatal_signal_pending(current))
		return -EINTR;
	if (fault->write)
		return fault_in_safe_writeable(user, size) ? -EFAULT : 0;
	return fault_in_readable(user, size) ? -EFAULT : 0;
}
