// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "vivid.h"

extern char **environ;

static int run(char *const argv[])
{
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		return -1;
	if (waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int is_output(const char *node)
{
	struct v4l2_capability cap = { 0 };
	int fd = open(node, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return 0;
	ret = !ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
	      !strcmp((char *)cap.driver, "vivid") &&
	      cap.device_caps & V4L2_CAP_VIDEO_OUTPUT;
	close(fd);
	return ret;
}

void vivid_unload(void)
{
	char *const argv[] = { "modprobe", "-r", "-q", "vivid", NULL };

	run(argv);
}

const char *vivid_load(int allocator, char *node, size_t len)
{
	char allocators[32];
	char *const argv[] = {
		"modprobe", "-q", "vivid", "n_devs=1", "num_inputs=1",
		"input_types=3", "num_outputs=1", "output_types=1",
		allocators, NULL,
	};

	vivid_unload();
	if (!access("/sys/module/vivid", F_OK))
		return "vivid is in use";
	snprintf(allocators, sizeof(allocators), "allocators=%d", allocator);
	if (run(argv))
		return "vivid cannot be loaded";
	for (int i = 0; i < 64; i++) {
		snprintf(node, len, "/dev/video%d", i);
		if (is_output(node))
			return NULL;
	}
	return "vivid has no output";
}
