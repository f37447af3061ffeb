// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of a PCI board that has RAM behind BAR 2 (QEMU's ivshmem-plain) and
 * no channel: its memory is to be had from heaps.
 */
#include <linux/dma-mapping.h>
#include <linux/fpgabuf.h>
#include <linux/module.h>
#include <linux/pci.h>

static struct device *board_get(struct fpgabuf_device *device)
{
	return device->dev;
}

static void board_put(struct fpgabuf_device *device)
{
}

static const struct fpgabuf_device_ops board_ops = { board_get, board_put };

static int board_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct fpgabuf_region_config ram = {
		.start = pci_resource_start(pdev, 2),
		.size = pci_resource_len(pdev, 2),
		.bus_address = DMA_MAPPING_ERROR,
		.on_board = true,
		.caching = FPGABUF_REGION_WRITECOMBINE,
	};
	struct fpgabuf_device *device;
	int ret;

	device = devm_kzalloc(&pdev->dev, sizeof(*device), GFP_KERNEL);
	if (!device)
		return -ENOMEM;
	ret = pcim_enable_device(pdev) ?:
	      pci_request_region(pdev, 2, KBUILD_MODNAME) ?:
	      dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	pci_set_master(pdev);

	ret = fpgabuf_region_add(&pdev->dev, &ram);
	if (ret)
		return ret;
	device->dev = &pdev->dev;
	device->ops = &board_ops;
	pci_set_drvdata(pdev, device);
	fpgabuf_device_add(device);
	return 0;
}

static void board_remove(struct pci_dev *pdev)
{
	fpgabuf_device_remove(pci_get_drvdata(pdev));
	fpgabuf_region_remove(&pdev->dev);
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
module_pci_driver(board_driver);

MODULE_DESCRIPTION("A board with memory, for fpgabuf");
MODULE_IMPORT_NS("FPGABUF");
MODULE_LICENSE("GPL");
