// SPDX-License-Identifier: GPL-2.0
/* Who decides without the mapping does so for anonymous pages only. */
#include <linux/mm.h>

bool probe(unsigned int flags, struct page *page);
bool probe(unsigned int flags, struct page *page)
{
	return gup_must_unshare(flags, page);
}
