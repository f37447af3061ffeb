// SPDX-License-Identifier: GPL-2.0
/*
 * Heaps for kernels that let no module add one, or have none at all: nodes in
 * /dev/dma_heap that answer as the kernel's own do, to the errno.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-heap.h>

#include "heap.h"

static struct class *heap_class;
static dev_t heap_devt;
/* By minor; written before there is a node of that minor. */
static struct fpgabuf_heap *heaps[FPGABUF_MAX_HEAPS];

static int heap_open(struct inode *inode, struct file *file)
{
	file->private_data = heaps[iminor(inode)];
	return nonseekable_open(inode, file);
}

/* The file descriptor in @data is reserved, for the dma-buf returned. */
static struct dma_buf *heap_allocate(const struct fpgabuf_heap *heap,
				     struct dma_heap_allocation_data *data)
{
	struct dma_buf *dmabuf;
	u64 len;
	int fd;

	if (data->fd || data->fd_flags & ~DMA_HEAP_VALID_FD_FLAGS ||
	    data->heap_flags & ~DMA_HEAP_VALID_HEAP_FLAGS)
		return ERR_PTR(-EINVAL);
	len = PAGE_ALIGN(data->len);
	if (!len)
		return ERR_PTR(-EINVAL);
	if (overflows_type(len, unsigned long))
		return ERR_PTR(-ENOMEM);

	dmabuf = fpgabuf_heap_alloc(heap, len, data->fd_flags);
	if (IS_ERR(dmabuf))
		return dmabuf;
	fd = get_unused_fd_flags(data->fd_flags);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return ERR_PTR(fd);
	}
	data->fd = fd;
	return dmabuf;
}

/* @kdata holds a structure of any version, as far as we know it, and more. */
static int heap_ioctl_alloc(const struct fpgabuf_heap *heap, void *kdata,
			    void __user *user, size_t out_size)
{
	struct dma_heap_allocation_data *data = kdata;
	struct dma_buf *dmabuf;

	dmabuf = heap_allocate(heap, data);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	/* Nobody else may have the descriptor before its number is told. */
	if (copy_to_user(user, kdata, out_size)) {
		put_unused_fd(data->fd);
		dma_buf_put(dmabuf);
		return -EFAULT;
	}
	dma_buf_fd_install(dmabuf, data->fd);
	return 0;
}

/*
 * As dma-heap.c does it: a command is known by its number alone; what is
 * shorter than ours is filled with zeros, what is longer is copied back as it
 * came.
 */
static long heap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);
	void *kdata;
	int ret;

	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC))
		return -EINVAL;

	kdata = kzalloc(max(size, sizeof(struct dma_heap_allocation_data)),
			GFP_KERNEL);
	if (!kdata)
		return -ENOMEM;
	if (cmd & IOC_IN && copy_from_user(kdata, user, size))
		ret = -EFAULT;
	else
		ret = heap_ioctl_alloc(file->private_data, kdata, user,
				       cmd & IOC_OUT ? size : 0);
	kfree(kdata);
	return ret;
}

static const struct file_operations heap_fops = {
	.owner		= THIS_MODULE,
	.open		= heap_open,
	.unlocked_ioctl	= heap_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

int fpgabuf_heap_show(struct fpgabuf_heap *heap)
{
	dev_t devt = heap_devt + heap->number;
	struct device *dev;
	struct cdev *cdev;
	int ret;

	cdev = cdev_alloc();
	if (!cdev)
		return -ENOMEM;
	cdev->owner = THIS_MODULE;
	cdev->ops = &heap_fops;
	heaps[heap->number] = heap;
	ret = cdev_add(cdev, devt, 1);
	if (ret)
		goto err_put;

	/* Of an exclamation mark devtmpfs, and udev, make a slash. */
	dev = device_create(heap_class, NULL, devt, NULL, "dma_heap!%s",
			    heap->name);
	if (IS_ERR(dev)) {
		cdev_del(cdev);
		return PTR_ERR(dev);
	}
	heap->cdev = cdev;
	return 0;

err_put:
	kobject_put(&cdev->kobj);
	return ret;
}

/* Files that are open stay, and get -ENODEV while the device is not there. */
void fpgabuf_heap_hide(struct fpgabuf_heap *heap)
{
	if (!heap->cdev)
		return;
	device_destroy(heap_class, heap_devt + heap->number);
	cdev_del(heap->cdev);
	heap->cdev = NULL;
}

int __init fpgabuf_nodes_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&heap_devt, 0, FPGABUF_MAX_HEAPS,
				  "fpgabuf_heap");
	if (ret)
		return ret;

	/* Where the kernel has heaps, it has a class of the name dma_heap. */
	heap_class = class_create("fpgabuf_heap");
	if (IS_ERR(heap_class)) {
		unregister_chrdev_region(heap_devt, FPGABUF_MAX_HEAPS);
		return PTR_ERR(heap_class);
	}
	return 0;
}

void fpgabuf_nodes_exit(void)
{
	class_destroy(heap_class);
	unregister_chrdev_region(heap_devt, FPGABUF_MAX_HEAPS);
}

MODULE_IMPORT_NS("DMA_BUF");
