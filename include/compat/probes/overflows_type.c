// SPDX-License-Identifier: GPL-2.0
#include <linux/overflow.h>

bool probe(u64 n);
bool probe(u64 n)
{
	return overflows_type(n, size_t);
}
