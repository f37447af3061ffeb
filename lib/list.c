// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

#define CHANNEL_DIR	"/sys/class/fpgabuf"
#define IMPORTER_DIR	"/sys/class/fpgabuf_import"
#define DEV_DIR		"/dev"

struct entry {
	unsigned long number;
	char *path;
};

struct entries {
	struct entry *entry;
	size_t count;
};

/* "fpgabuf12" is 12; what is not such a device's name is ignored. */
static bool parse_name(const char *name, const char *prefix,
		       unsigned long *number)
{
	const char *digits = name + strlen(prefix);
	char *end;

	if (strncmp(name, prefix, strlen(prefix)))
		return false;
	if (*digits < '0' || *digits > '9')
		return false;

	errno = 0;
	*number = strtoul(digits, &end, 10);

	return !*end && !errno;
}

static bool is_device_node(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISCHR(st.st_mode);
}

static int append(struct entries *list, unsigned long number, char *path)
{
	struct entry *entry;

	entry = reallocarray(list->entry, list->count + 1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;

	entry[list->count].number = number;
	entry[list->count].path = path;
	list->entry = entry;
	list->count++;

	return 0;
}

static int add_name(struct entries *list, const char *dev_dir,
		    const char *prefix, const char *name)
{
	unsigned long number;
	char *path;
	int ret;

	if (!parse_name(name, prefix, &number))
		return 0;
	if (asprintf(&path, "%s/%s", dev_dir, name) < 0)
		return -ENOMEM;

	/* Between the device's arrival and udev there is no node to open. */
	if (!is_device_node(path)) {
		free(path);
		return 0;
	}

	ret = append(list, number, path);
	if (ret < 0)
		free(path);

	return ret;
}

static int read_dir(struct entries *list, const char *class_dir,
		    const char *dev_dir, const char *prefix)
{
	struct dirent *dirent;
	int ret = 0;
	DIR *dir;

	dir = opendir(class_dir);
	if (!dir)
		/* No module of the framework is loaded. */
		return errno == ENOENT ? 0 : -errno;

	while (!ret) {
		errno = 0;
		dirent = readdir(dir);
		if (!dirent) {
			ret = -errno;
			break;
		}
		ret = add_name(list, dev_dir, prefix, dirent->d_name);
	}
	closedir(dir);

	return ret;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static char **sorted_paths(struct entries *list)
{
	char **paths;
	size_t i;

	paths = calloc(list->count + 1, sizeof(*paths));
	if (!paths)
		return NULL;

	if (list->count)
		qsort(list->entry, list->count, sizeof(*list->entry), compare);
	for (i = 0; i < list->count; i++)
		paths[i] = list->entry[i].path;

	return paths;
}

int fpgabuf_list_dir(const char *class_dir, const char *dev_dir,
		     const char *prefix, char ***paths)
{
	struct entries list = { 0 };
	size_t i;
	int ret;

	ret = read_dir(&list, class_dir, dev_dir, prefix);
	if (ret < 0)
		goto err_free_paths;

	*paths = sorted_paths(&list);
	if (!*paths) {
		ret = -ENOMEM;
		goto err_free_paths;
	}
	free(list.entry);

	return list.count;

err_free_paths:
	for (i = 0; i < list.count; i++)
		free(list.entry[i].path);
	free(list.entry);

	return ret;
}

int fpgabuf_list(char ***paths)
{
	return fpgabuf_list_dir(CHANNEL_DIR, DEV_DIR, "fpgabuf", paths);
}

int fpgabuf_importer_list(char ***paths)
{
	return fpgabuf_list_dir(IMPORTER_DIR, DEV_DIR, "fpgabuf_import", paths);
}

void fpgabuf_list_free(char **paths)
{
	char **path;

	for (path = paths; path && *path; path++)
		free(*path);
	free(paths);
}
