// SPDX-License-Identifier: GPL-2.0
/*
 * Memory from the exporter for a driver with no channel: what it takes.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fpgabuf.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static const char greeting[] = "from the kernel";
static struct platform_device *pdev;
static struct dma_buf *dmabuf;

/* Any request is answered with a file descriptor of the buffer. */
static long sample_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int fd;

	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sample_ioctl,
};

static struct miscdevice sample_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "fpgabuf_sample", .fops = &sample_fops,
};

static int sample_greet(void)
{
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(dmabuf, &map);

	if (ret)
		return ret;
	iosys_map_memcpy_to(&map, 0, greeting, sizeof(greeting));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

/* When it is unbound: whoever else has the buffer keeps it. */
static void sample_end(void *unused)
{
	misc_deregister(&sample_misc);
	dma_buf_put(dmabuf);
}

static int sample_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	dmabuf = fpgabuf_alloc(dev, SZ_64K, FPGABUF_KIND_COHERENT, O_RDWR);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = sample_greet() ?: misc_register(&sample_misc);
	if (ret) {
		dma_buf_put(dmabuf);
		return ret;
	}
	return devm_add_action_or_reset(dev, sample_end, NULL);
}

static struct platform_driver sample_driver = {
	.probe = sample_probe,
	.driver = {
		.name = "fpgabuf_sample",
	},
};

static int __init sample_init(void)
{
	int ret = platform_driver_register(&sample_driver);

	if (ret)
		return ret;
	pdev = platform_device_register_simple("fpgabuf_sample", 0, NULL, 0);
	if (IS_ERR(pdev))
		platform_driver_unregister(&sample_driver);
	return PTR_ERR_OR_ZERO(pdev);
}

/* Its own buffer is a use of it: to be unbound before. */
static void __exit sample_exit(void)
{
	platform_device_unregister(pdev);
	platform_driver_unregister(&sample_driver);
}

module_init(sample_init);
module_exit(sample_exit);

MODULE_DESCRIPTION("Memory of the fpgabuf exporter, in a driver of its own");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
