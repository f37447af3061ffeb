/* SPDX-License-Identifier: GPL-2.0 */
/* Before 6.12 it was <asm/unaligned.h>. */
#ifndef _FPGABUF_FALLBACK_UNALIGNED_H
#define _FPGABUF_FALLBACK_UNALIGNED_H

#include <asm/unaligned.h>

#endif /* _FPGABUF_FALLBACK_UNALIGNED_H */
