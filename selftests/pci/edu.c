// SPDX-License-Identifier: GPL-2.0
/*
 * Finding QEMU's edu device, its frames, and what the kernel says of an IOMMU.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "edu.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define EDU_VENDOR	"0x1234"
#define EDU_DEVICE	"0x11e8"
#define MAX_NODES	16

/* A register, and its bit that says that a transfer is under way */
#define EDU_DMA_CMD	0x98
#define EDU_DMA_BUSY	1

/* Words after which a frame begins anew, see fpga/edu/main.c */
#define PATTERN_WORDS	512

static char name[64];

/* Whether the first line of a device's file is, or begins with, @text. */
static bool attribute_is(const char *device, const char *file, const char *text)
{
	char path[384], line[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return !strncmp(line, text, strlen(text));
}

static bool is_edu(const char *device)
{
	return attribute_is(device, "vendor", EDU_VENDOR) &&
	       attribute_is(device, "device", EDU_DEVICE);
}

const char *edu_name(void)
{
	struct dirent *entry;
	DIR *dir;

	if (name[0])
		return name;
	dir = opendir(PCI_DEVICES);
	if (!dir)
		return NULL;
	while (!name[0] && (entry = readdir(dir)))
		if (is_edu(entry->d_name))
			snprintf(name, sizeof(name), "%.63s", entry->d_name);
	closedir(dir);
	return name[0] ? name : NULL;
}

/* "DMA", or "DMA-FQ" where invalidation is lazy: what is mapped and no more. */
bool edu_behind_iommu(void)
{
	return edu_name() && attribute_is(edu_name(), "iommu_group/type", "DMA");
}

int edu_set_up(void)
{
	int ch;

	if (!edu_behind_iommu())
		return cannot_test("edu", "no edu device behind an IOMMU",
				   false);
	load_module(EDU_DRIVER, NULL);
	ch = edu_open(NULL);
	if (ch < 0)
		return cannot_test("edu", "no " EDU_DRIVER " module", true);
	close(ch);
	return 0;
}

int edu_open(struct fpgabuf_info *info)
{
	struct fpgabuf_info mine;
	unsigned int i;
	int ch;

	if (!info)
		info = &mine;
	for (i = 0; i < MAX_NODES; i++) {
		ch = fpga_open(i, O_RDWR);
		if (ch < 0)
			continue;
		memset(info, 0, sizeof(*info));
		if (!fpga_ioctl(ch, FPGABUF_IOC_INFO, info) &&
		    !strcmp((char *)info->driver, EDU_DRIVER))
			return ch;
		close(ch);
	}
	return -ENODEV;
}

int edu_driver_write(const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", EDU_DRIVER,
		 file);
	return write_file(path, edu_name());
}

static int edu_enable(bool on)
{
	char path[128];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/enable", edu_name());
	return write_file(path, on ? "1" : "0");
}

/* Its registers, as sysfs shows them of a device that has no driver */
static void *map_registers(void)
{
	char path[128];
	void *regs;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource0", edu_name());
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	regs = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return regs == MAP_FAILED ? NULL : regs;
}

int edu_busy(void)
{
	int ret = edu_enable(true);
	__u8 *regs;

	if (ret)
		return ret;
	regs = map_registers();
	ret = -EIO;
	if (regs) {
		ret = *(volatile __u32 *)(regs + EDU_DMA_CMD) & EDU_DMA_BUSY;
		munmap(regs, page_size());
	}
	edu_enable(false);
	return ret;
}

int edu_pull_out(void)
{
	char path[128];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/remove", edu_name());
	return write_file(path, "1");
}

int edu_put_back(void)
{
	return write_file("/sys/bus/pci/rescan", "1");
}

bool edu_next_kind(const struct fpgabuf_info *info, int *kind)
{
	while (++*kind < 32)
		if (info->kinds & 1U << *kind)
			return true;
	return false;
}

bool edu_frame(const void *frame, size_t size, __u32 run)
{
	const __u8 *p = frame;
	__u32 word;
	size_t i;

	for (i = 0; i < size / sizeof(word); i++) {
		memcpy(&word, p + i * sizeof(word), sizeof(word));
		if (le32toh(word) != (run << 16) + i % PATTERN_WORDS)
			return false;
	}
	return true;
}

static int set_bytes(const struct buffer *b, __u8 value)
{
	int ret;

	ret = dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	if (ret)
		return ret;
	memset(b->map, value, b->size);
	return dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
}

static const char *check(const struct buffer *b, size_t offset, size_t size,
			 const struct fpgabuf_completion *done)
{
	const __u8 *map = b->map;

	if (done->status)
		return "the status is not 0";
	if (done->bytes != size)
		return "bytes is not the size of the frame";
	if (!all_bytes(map, 0, offset))
		return "something was written before the frame";
	if (!edu_frame(map + offset, size, done->run))
		return "not what the device has";
	if (!all_bytes(map + offset + size, 0, b->size - offset - size))
		return "something was written behind the frame";
	return "ok";
}

const char *edu_capture(int ch, const struct buffer *b, size_t offset,
			size_t size)
{
	struct fpgabuf_completion done;
	const char *verdict;
	int slot;

	if (set_bytes(b, 0))
		return "cannot be cleared";
	if (fpga_set_raw(ch, size, 0))
		return "cannot set a format";
	slot = fpga_register(ch, b->fd, offset, 0);
	if (slot < 0)
		return strerror(-slot);
	if (fpga_capture(ch, slot, &done))
		verdict = "cannot capture";
	else if (dmabuf_sync(b->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ))
		verdict = "DMA_BUF_SYNC_START failed";
	else
		verdict = check(b, offset, size, &done);
	dmabuf_sync(b->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	if (fpga_unregister(ch, slot))
		return "cannot be unregistered";
	return verdict;
}

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* The next line, or a negative errno; -EAGAIN: there is none yet. */
static int kmsg_next(int kmsg, char *line, size_t len)
{
	ssize_t ret;

	/* EPIPE: some were lost before they were read. */
	do {
		ret = read(kmsg, line, len - 1);
	} while (ret < 0 && errno == EPIPE);
	if (ret < 0)
		return -errno;
	line[ret] = '\0';
	return 0;
}

int kmsg_wait(int kmsg, const char *text, int timeout_ms)
{
	const __s64 end = now_ns() + timeout_ms * MSEC;
	char line[8192];
	int ret;

	for (;;) {
		ret = kmsg_next(kmsg, line, sizeof(line));
		if (!ret && strstr(line, text))
			return 0;
		if (ret && ret != -EAGAIN)
			return ret;
		if (!ret)
			continue;
		ret = (end - now_ns()) / MSEC;
		if (ret <= 0 || poll_fd(kmsg, POLLIN, ret) <= 0)
			return -ETIMEDOUT;
	}
}

int kmsg_faults(int kmsg)
{
	char line[8192];
	int faults = 0;
	int ret;

	while (!(ret = kmsg_next(kmsg, line, sizeof(line))))
		if (strstr(line, "fault addr"))
			faults++;
	return ret == -EAGAIN ? faults : ret;
}
