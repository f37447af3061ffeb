/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI board with RAM behind BAR 2 (QEMU's ivshmem-plain), and the module that
 * drives it, test_modules/board_ram.c.
 */
#ifndef FPGABUF_BOARD_H
#define FPGABUF_BOARD_H

#include <stddef.h>

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define BOARD_MODULE	"board_ram"
#define BOARD_FILE	"test_modules/" BOARD_MODULE ".ko"

/* The first PCI device of that kind, or NULL; to be freed */
char *pci_find(unsigned int vendor, unsigned int device);
/* Its name, or NULL: there is none. */
const char *board_name(void);
/* Write its name into a file of its driver. */
int board_write(const char *file);
/* Load the module with @param, and open its node. */
int board_load(const char *param);
int board_unload(void);
/* A dma-buf of its memory, from its node */
int board_get(int node, size_t size);

#endif /* FPGABUF_BOARD_H */
