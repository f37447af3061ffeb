// SPDX-License-Identifier: GPL-2.0
#include <linux/uaccess.h>

int probe(void __user *user);
int probe(void __user *user)
{
	const int value = 0;

	return copy_struct_to_user(user, sizeof(value), &value, sizeof(value),
				   NULL);
}
