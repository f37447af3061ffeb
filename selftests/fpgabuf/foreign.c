// SPDX-License-Identifier: GPL-2.0
/*
 * Exporters and importers of dma-bufs that are not fpgabuf's: DRM and memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <drm/vgem_drm.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "foreign.h"
#include "fpgabuf_test.h"

static bool is_vgem(int fd)
{
	char name[8] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, "vgem");
}

int vgem_open(void)
{
	char path[32];
	int fd, i;

	for (i = 0; i < 16; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vgem(fd))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int vgem_export(int drm, __u32 handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};
	int ret = fpga_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	return ret < 0 ? ret : prime.fd;
}

int vgem_import(int drm, int fd, __u32 *handle)
{
	struct drm_prime_handle prime = { .fd = fd };
	int ret = fpga_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = prime.handle;
	return ret;
}

int vgem_close(int drm, __u32 handle)
{
	struct drm_gem_close gem_close = { .handle = handle };

	return fpga_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &gem_close);
}

int vgem_alloc(int drm, size_t size)
{
	struct drm_mode_create_dumb dumb = {
		.width = page_size(),
		.height = (size + page_size() - 1) / page_size(),
		.bpp = 8,
	};
	int ret;

	ret = fpga_ioctl(drm, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret < 0)
		return ret;
	ret = vgem_export(drm, dumb.handle);
	vgem_close(drm, dumb.handle);
	return ret;
}

int vgem_memory(size_t size)
{
	int drm = vgem_open();
	int fd;

	if (drm < 0)
		return drm;
	fd = vgem_alloc(drm, size);
	close(drm);
	return fd;
}

int vgem_fence_attach(int drm, __u32 handle, bool write)
{
	struct drm_vgem_fence_attach attach = {
		.handle = handle,
		.flags = write ? VGEM_FENCE_WRITE : 0,
	};
	int ret = fpga_ioctl(drm, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);

	return ret < 0 ? ret : (int)attach.out_fence;
}

int vgem_fence_signal(int drm, __u32 fence)
{
	struct drm_vgem_fence_signal signal = { .fence = fence };

	return fpga_ioctl(drm, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
}

static int sealed_memfd(size_t size)
{
	int fd = memfd_create("fpgabuf-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int udmabuf_alloc(size_t size)
{
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = (size + page_size() - 1) / page_size() * page_size(),
	};
	int dev, memfd, ret;

	dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -errno;
	memfd = sealed_memfd(create.size);
	if (memfd < 0) {
		close(dev);
		return memfd;
	}
	create.memfd = memfd;
	ret = fpga_ioctl(dev, UDMABUF_CREATE, &create);
	close(memfd);
	close(dev);
	return ret;
}

int heap_alloc(size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap, ret;

	heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	if (heap < 0)
		return -errno;
	ret = fpga_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret < 0 ? ret : (int)data.fd;
}
