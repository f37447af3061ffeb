// SPDX-License-Identifier: GPL-2.0
/*
 * The board, its driver, and its memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "../fpgabuf/fpgabuf_test.h"
#include "board.h"

/* The value of a file of a PCI device, 0: none */
static unsigned int pci_value(const char *device, const char *file)
{
	unsigned int value = 0;
	char path[384];
	FILE *f;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%x", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

char *pci_find(unsigned int vendor, unsigned int device)
{
	struct dirent *entry;
	char *name = NULL;
	DIR *dir;

	dir = opendir(PCI_DEVICES);
	if (!dir)
		return NULL;
	while (!name && (entry = readdir(dir)))
		if (pci_value(entry->d_name, "vendor") == vendor &&
		    pci_value(entry->d_name, "device") == device)
			name = strdup(entry->d_name);
	closedir(dir);
	return name;
}

const char *board_name(void)
{
	static char *name;

	if (!name)
		name = pci_find(0x1af4, 0x1110);
	return name;
}

int board_write(const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", BOARD_MODULE,
		 file);
	return write_file(path, board_name());
}

int board_load(const char *param)
{
	const char *const argv[] = { "insmod", BOARD_FILE, param, NULL };
	int node;

	if (run_program(argv))
		return -ENOEXEC;
	node = open("/dev/" BOARD_MODULE, O_RDWR | O_CLOEXEC);
	return node < 0 ? -errno : node;
}

int board_unload(void)
{
	const char *const argv[] = { "rmmod", BOARD_MODULE, NULL };

	return module_loaded(BOARD_MODULE) ? run_program(argv) : 0;
}

int board_get(int node, size_t size)
{
	int fd = ioctl(node, 0, size);

	return fd < 0 ? -errno : fd;
}
