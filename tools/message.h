/* SPDX-License-Identifier: GPL-2.0 */
/* What is told to people, on standard error. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

/* The exit status of the program. */
enum {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,
	STATUS_USAGE = 2,
	/* What shells say of a program that they cannot run, or find. */
	STATUS_CANNOT_RUN = 126,
	STATUS_NOT_FOUND = 127,
};

/* One line that says what is wrong. */
__attribute__((format(printf, 1, 2)))
void complain(const char *format, ...);

/* Both return STATUS_USAGE. @command: whose help would help, NULL for none. */
__attribute__((format(printf, 2, 3)))
int usage_error(const char *command, const char *format, ...);
int usage_hint(const char *command);

/* A line on a terminal that the next one, of any kind, takes the place of. */
__attribute__((format(printf, 1, 2)))
void show_progress(const char *format, ...);
void clear_progress(void);

#endif /* MESSAGE_H */
