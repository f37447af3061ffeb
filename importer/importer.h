/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FPGABUF_IMPORTER_H
#define _FPGABUF_IMPORTER_H

#include <linux/scatterlist.h>
#include <linux/types.h>

/* fence.c */
void fpgabuf_fences_exit(void);

/* import.c */
bool fpgabuf_table_covers(const struct sg_table *sgt, u64 size);
int fpgabuf_table_slice(const struct sg_table *sgt, u64 size, u64 offset,
			u64 length, unsigned int max_segment,
			unsigned long boundary, struct sg_table *slice);

#endif /* _FPGABUF_IMPORTER_H */
