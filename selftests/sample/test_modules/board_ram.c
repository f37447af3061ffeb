// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of a PCI board that has RAM behind BAR 2 (QEMU's ivshmem-plain) and
 * no channel: a request of /dev/board_ram is a size, and is answered with a
 * file descriptor. With on_board=0 it is taken for a carve-out, as of a SoC.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fpgabuf.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

static bool on_board = true;
module_param(on_board, bool, 0444);

/* The board, or NULL: held while it is used, so that it stays. */
static DEFINE_MUTEX(board_lock);
static struct device *board_dev;

static long board_ioctl(struct file *file, unsigned int cmd, unsigned long size)
{
	struct dma_buf *dmabuf = ERR_PTR(-ENODEV);
	int fd;

	mutex_lock(&board_lock);
	if (board_dev)
		dmabuf = fpgabuf_alloc(board_dev, size, FPGABUF_KIND_REGION,
				       O_RDWR);
	mutex_unlock(&board_lock);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static const struct file_operations board_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = board_ioctl,
};

static struct miscdevice board_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = KBUILD_MODNAME, .fops = &board_fops,
};

static struct device *board_get(struct fpgabuf_device *device)
{
	return device->dev;
}

static void board_put(struct fpgabuf_device *device)
{
}

static const struct fpgabuf_device_ops board_ops = { board_get, board_put };

static void board_set(struct device *dev)
{
	mutex_lock(&board_lock);
	board_dev = dev;
	mutex_unlock(&board_lock);
}

static int board_offer(struct pci_dev *pdev, struct fpgabuf_device *device)
{
	const struct fpgabuf_region_config ram = {
		.start = pci_resource_start(pdev, 2),
		.size = pci_resource_len(pdev, 2),
		.bus_address = DMA_MAPPING_ERROR,
		.on_board = on_board,
		.caching = FPGABUF_REGION_WRITECOMBINE,
	};
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = fpgabuf_region_add(&pdev->dev, &ram);
	if (ret)
		return ret;
	pci_set_master(pdev);
	device->dev = &pdev->dev;
	device->ops = &board_ops;
	pci_set_drvdata(pdev, device);
	fpgabuf_device_add(device);
	return 0;
}

static int board_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct fpgabuf_device *device;
	int ret;

	device = devm_kzalloc(&pdev->dev, sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_region(pdev, 2, KBUILD_MODNAME);
	if (ret)
		goto err_disable;
	ret = board_offer(pdev, device);
	if (ret)
		goto err_release;
	board_set(&pdev->dev);
	return 0;

err_release:
	pci_release_region(pdev, 2);
err_disable:
	pci_disable_device(pdev);
	return ret;
}

static void board_remove(struct pci_dev *pdev)
{
	board_set(NULL);
	fpgabuf_device_remove(pci_get_drvdata(pdev));
	fpgabuf_region_remove(&pdev->dev);
	pci_release_region(pdev, 2);
	pci_disable_device(pdev);
}

static const struct pci_device_id board_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) }, {}
};
MODULE_DEVICE_TABLE(pci, board_ids);

static struct pci_driver board_driver = {
	.name = KBUILD_MODNAME,
	.id_table = board_ids,
	.probe = board_probe,
	.remove = board_remove,
};

static int __init board_init(void)
{
	int ret;

	ret = misc_register(&board_misc);
	if (ret)
		return ret;
	ret = pci_register_driver(&board_driver);
	if (ret)
		misc_deregister(&board_misc);
	return ret;
}

static void __exit board_exit(void)
{
	pci_unregister_driver(&board_driver);
	misc_deregister(&board_misc);
}

module_init(board_init);
module_exit(board_exit);

MODULE_DESCRIPTION("A board with memory, for fpgabuf");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
