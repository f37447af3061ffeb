// SPDX-License-Identifier: GPL-2.0
/* The list of devices, from directories made for it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "tap.h"

static char *root;

static void make_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	need(!mkdir(path, 0700));
}

static void make_node(const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/dev/%s", root, name);
	need(!symlink(target, path));
}

static int list(const char *class, char ***paths)
{
	char class_dir[256], dev_dir[256];

	snprintf(class_dir, sizeof(class_dir), "%s/%s", root, class);
	snprintf(dev_dir, sizeof(dev_dir), "%s/dev", root);

	return fpgabuf_list_dir(class_dir, dev_dir, "fpgabuf", paths);
}

static void check_path(const char *path, const char *name)
{
	const size_t len = strlen(root);

	ok(path && !strncmp(path, root, len) &&
	   !strncmp(path + len, "/dev/", 5) && !strcmp(path + len + 5, name),
	   "%s is listed in its place", name);
}

static void test_sorted(void)
{
	static const char * const names[] = {
		"fpgabuf10", "fpgabuf2", "fpgabuf0", "fpgabuf100", "fpgabuf",
		"fpgabufx", "fpgabuf-1", "fpgabuf1x", "other0", "fpgabuf3",
		"fpgabuf4", "fpgabuf99999999999999999999999",
	};
	char name[64], **paths;
	size_t i;

	make_dir("class");
	make_dir("dev");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "class/%s", names[i]);
		make_dir(name);
		/* 3 has no node yet, 4's is something else. */
		if (!strcmp(names[i], "fpgabuf4"))
			make_node(names[i], root);
		else if (strcmp(names[i], "fpgabuf3"))
			make_node(names[i], "/dev/null");
	}

	is(list("class", &paths), 4, "four channels");
	check_path(paths[0], "fpgabuf0");
	check_path(paths[1], "fpgabuf2");
	check_path(paths[2], "fpgabuf10");
	check_path(paths[3], "fpgabuf100");
	ok(!paths[4], "NULL-terminated");
	fpgabuf_list_free(paths);
}

static void test_none(void)
{
	char **paths = NULL;

	make_dir("empty");
	is(list("empty", &paths), 0, "an empty class");
	ok(paths && !paths[0], "has an empty list");
	fpgabuf_list_free(paths);

	paths = NULL;
	is(list("absent", &paths), 0, "no class at all");
	ok(paths && !paths[0], "has an empty list");
	fpgabuf_list_free(paths);
	fpgabuf_list_free(NULL);
}

static void test_not_a_directory(void)
{
	char **paths;

	need(!chdir(root));
	need(!symlink("/dev/null", "file"));
	is(list("file", &paths), -ENOTDIR, "an error is told");
}

int main(void)
{
	const char *dir = getenv("TMPDIR") ?: P_tmpdir;
	char path[128], command[160];

	snprintf(path, sizeof(path), "%s/fpgabuf-list-XXXXXX", dir);
	root = mkdtemp(path);
	need(root);

	test_sorted();
	test_none();
	test_not_a_directory();

	snprintf(command, sizeof(command), "rm -r '%s'", root);
	need(!system(command));

	return tap_end();
}
