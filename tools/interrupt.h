/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT and SIGTERM end a capture as if it were complete. The second one of
 * a kind ends the program, whatever it waits for.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

/* Return: an fd that polls as readable from the first signal on, or -errno. */
int interrupt_init(void);
bool interrupted(void);

#endif /* INTERRUPT_H */
