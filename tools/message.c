// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

static bool progress_shown;

void clear_progress(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

void show_progress(const char *format, ...)
{
	va_list args;

	clear_progress();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
	progress_shown = true;
}

static void print_line(const char *format, va_list args)
{
	const int error = errno;

	clear_progress();
	fputs("fpgabuf: ", stderr);
	errno = error;
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

int usage_hint(const char *command)
{
	fprintf(stderr, "Try 'fpgabuf %s%s--help'.\n", command ?: "",
		command ? " " : "");

	return STATUS_USAGE;
}

int usage_error(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);

	return usage_hint(command);
}
