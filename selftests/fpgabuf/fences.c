// SPDX-License-Identifier: GPL-2.0
/*
 * Fences as files, see fences.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "fences.h"
#include "foreign.h"
#include "fpgabuf_test.h"

#define SW_SYNC	"/sys/kernel/debug/sync/sw_sync"

/* The ABI of sw_sync has no header: drivers/dma-buf/sw_sync.c. */
struct sw_sync_create_fence_data {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_IOC_CREATE_FENCE \
	_IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC	_IOW('W', 1, __u32)

int export_sync_file(int fd, __u32 flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	int ret = fpga_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret < 0 ? ret : arg.fd;
}

int import_sync_file(int fd, __u32 flags, int sync_file)
{
	struct dma_buf_import_sync_file arg = {
		.flags = flags,
		.fd = sync_file,
	};

	return fpga_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

static int first_fence(int sync_file, struct sync_fence_info *fence)
{
	struct sync_file_info info = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)fence,
	};

	memset(fence, 0, sizeof(*fence));
	return fpga_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);
}

int sync_file_status(int sync_file)
{
	struct sync_file_info info = { 0 };
	int ret = fpga_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);

	return ret < 0 ? ret : info.status;
}

__s64 sync_file_time(int sync_file)
{
	struct sync_fence_info fence;
	int ret = first_fence(sync_file, &fence);

	return ret < 0 ? ret : (__s64)fence.timestamp_ns;
}

int sync_file_names(int sync_file, char *driver, char *timeline)
{
	struct sync_fence_info fence;
	int ret = first_fence(sync_file, &fence);

	memcpy(driver, fence.driver_name, sizeof(fence.driver_name));
	memcpy(timeline, fence.obj_name, sizeof(fence.obj_name));
	return ret < 0 ? ret : 0;
}

int sync_file_merge(int one, int other)
{
	struct sync_merge_data merge = { .name = "merged", .fd2 = other };
	int ret = fpga_ioctl(one, SYNC_IOC_MERGE, &merge);

	return ret < 0 ? ret : merge.fence;
}

int sync_file_wait(int sync_file, int timeout_ms)
{
	int ret = poll_fd(sync_file, POLLIN, timeout_ms);

	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

int fpga_queue_fenced(int ch, __u32 slot, __u32 flags, int in, int *out)
{
	struct fpgabuf_queue_entry entry = { .slot = slot, .flags = flags };
	struct fpgabuf_fences fences = { .in = in, .out = -1 };
	struct fpgabuf_exchange exchange = {
		.queue = (uintptr_t)&entry,
		.queue_count = 1,
		.fences = (uintptr_t)&fences,
	};
	int ret = fpga_ioctl(ch, FPGABUF_IOC_EXCHANGE, &exchange);

	if (out)
		*out = ret < 0 ? -1 : fences.out;
	return ret;
}

int fpga_start_timeout(int ch, __u32 timeout_ms)
{
	struct fpgabuf_start start = { .timeout_ms = timeout_ms };
	int ret = fpga_ioctl(ch, FPGABUF_IOC_START, &start);

	return ret < 0 ? ret : (int)start.run;
}

const char *gate_missing(enum gate_kind kind)
{
	if (kind == GATE_VGEM)
		return module_loaded("vgem") ? NULL : "no vgem module";
	return access(SW_SYNC, W_OK) ? "no CONFIG_SW_SYNC" : NULL;
}

/* A fence of vgem's hangs on a buffer, from which it can be had as a file. */
static int gate_make_vgem(struct gate *gate)
{
	int fd = vgem_alloc(gate->device, page_size());
	__u32 handle;
	int ret;

	if (fd < 0)
		return fd;
	ret = vgem_import(gate->device, fd, &handle);
	if (!ret)
		ret = vgem_fence_attach(gate->device, handle, true);
	if (ret >= 0) {
		gate->number = ret;
		ret = export_sync_file(fd, DMA_BUF_SYNC_READ);
	}
	close(fd);
	return ret;
}

static int gate_make_sw_sync(struct gate *gate)
{
	struct sw_sync_create_fence_data data = {
		.value = 1,
		.name = "gate",
	};
	int ret = fpga_ioctl(gate->device, SW_SYNC_IOC_CREATE_FENCE, &data);

	return ret < 0 ? ret : data.fence;
}

int gate_make(struct gate *gate, enum gate_kind kind)
{
	int ret;

	gate->kind = kind;
	gate->device = kind == GATE_VGEM ? vgem_open() :
					   open(SW_SYNC, O_RDWR | O_CLOEXEC);
	if (gate->device < 0)
		return kind == GATE_VGEM ? gate->device : -errno;
	ret = kind == GATE_VGEM ? gate_make_vgem(gate) :
				  gate_make_sw_sync(gate);
	if (ret < 0) {
		close(gate->device);
		return ret;
	}
	gate->fence = ret;
	return 0;
}

int gate_open(struct gate *gate)
{
	__u32 one = 1;

	if (gate->kind == GATE_VGEM)
		return vgem_fence_signal(gate->device, gate->number);
	return fpga_ioctl(gate->device, SW_SYNC_IOC_INC, &one);
}

/* A timeline that is closed takes its fences with it. */
int gate_break(struct gate *gate)
{
	if (gate->kind != GATE_SW_SYNC)
		return -EOPNOTSUPP;
	close(gate->device);
	gate->device = -1;
	return sync_file_status(gate->fence);
}

void gate_free(struct gate *gate)
{
	close(gate->fence);
	if (gate->device >= 0)
		close(gate->device);
}
