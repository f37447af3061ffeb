/* SPDX-License-Identifier: GPL-2.0 */
/* Opening a device, with the reason told when it cannot be. */
#ifndef DEVICE_H
#define DEVICE_H

#include <fpgabuf.h>

/* @name: "/dev/fpgabuf1", "fpgabuf1" or "1"; NULL for the first one. */
struct fpgabuf_channel *open_channel(const char *name);
/* @name: "/dev/fpgabuf_import1", "fpgabuf_import1" or "1"; NULL for the first. */
struct fpgabuf_importer *open_importer(const char *name);

/*
 * The command line of a command that has no options but --help: runs @run with
 * the device that it names, or NULL, and returns its status.
 */
int run_on_device(int argc, char **argv, const char *command,
		  void (*print_help)(void), int (*run)(const char *device));

/* Says that there is no channel, and what makes one. */
void complain_no_channel(void);

#endif /* DEVICE_H */
