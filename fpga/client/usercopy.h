/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_USERCOPY_H
#define _FPGABUF_USERCOPY_H

#include <linux/types.h>

/**
 * struct fpgabuf_user_fault - user memory that was not there
 * @address: where it is
 * @size: bytes; 0: none was missing
 * @write: it was to be written
 */
struct fpgabuf_user_fault {
	u64 address;
	size_t size;
	bool write;
};

/* with any lock held */
int fpgabuf_user_read(void *to, u64 from, size_t size,
		      struct fpgabuf_user_fault *fault);
int fpgabuf_user_write(u64 to, const void *from, size_t size,
		       struct fpgabuf_user_fault *fault);
/* with no lock held */
int fpgabuf_user_fault_in(struct fpgabuf_user_fault *fault);

#endif /* _FPGABUF_USERCOPY_H */
