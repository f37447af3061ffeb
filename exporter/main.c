// SPDX-License-Identifier: GPL-2.0
/*
 * fpgabuf exporter: DMA memory of a device as dma-bufs.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "exporter.h"

DEFINE_SHOW_ATTRIBUTE(fpgabuf_buffers);
DEFINE_SHOW_ATTRIBUTE(fpgabuf_free);
DEFINE_SHOW_ATTRIBUTE(fpgabuf_stranded);

static struct dentry *fpgabuf_debugfs;

static int __init fpgabuf_exporter_init(void)
{
	int ret;

	ret = fpgabuf_bindings_init();
	if (ret)
		return ret;
	ret = fpgabuf_recycle_init();
	if (ret) {
		fpgabuf_bindings_exit();
		return ret;
	}

	fpgabuf_debugfs = debugfs_create_dir("fpgabuf", NULL);
	debugfs_create_file("buffers", 0444, fpgabuf_debugfs, NULL,
			    &fpgabuf_buffers_fops);
	debugfs_create_file("free", 0444, fpgabuf_debugfs, NULL,
			    &fpgabuf_free_fops);
	debugfs_create_file("stranded", 0444, fpgabuf_debugfs, NULL,
			    &fpgabuf_stranded_fops);
	return 0;
}

static void __exit fpgabuf_exporter_exit(void)
{
	debugfs_remove_recursive(fpgabuf_debugfs);
	fpgabuf_bindings_exit();
	fpgabuf_recycle_exit();
}

module_init(fpgabuf_exporter_init);
module_exit(fpgabuf_exporter_exit);

MODULE_DESCRIPTION("DMA memory for FPGAs, exported as dma-bufs");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
