// SPDX-License-Identifier: GPL-2.0
/*
 * The module: any dma-buf for a device, and the fences that go with it.
 */
#include <linux/export.h>
#include <linux/fpgabuf.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "importer.h"

/* What the signalling of fences depends on, for all of fpgabuf */
static struct workqueue_struct *fpgabuf_workqueue;

/**
 * fpgabuf_queue_work() - do some work that fences wait for
 * @work: the work; must not wait for memory, nor for a reservation, nor take a
 *	lock that is held while somebody does
 *
 * It is done also when there is no memory for a thread to do it. Who queues it
 * cancels it before its module goes.
 *
 * Context: any.
 * Return: false if it was queued already.
 */
bool fpgabuf_queue_work(struct work_struct *work)
{
	return queue_work(fpgabuf_workqueue, work);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_queue_work, "FPGABUF");

/**
 * fpgabuf_queue_delayed_work() - do it later
 * @work: as with fpgabuf_queue_work()
 * @delay: jiffies
 *
 * Context: any.
 * Return: false if it was queued already.
 */
bool fpgabuf_queue_delayed_work(struct delayed_work *work, unsigned long delay)
{
	return queue_delayed_work(fpgabuf_workqueue, work, delay);
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_queue_delayed_work, "FPGABUF");

static int __init fpgabuf_importer_init(void)
{
	fpgabuf_workqueue = alloc_workqueue("fpgabuf", WQ_UNBOUND | WQ_HIGHPRI |
					    WQ_MEM_RECLAIM, 0);
	return fpgabuf_workqueue ? 0 : -ENOMEM;
}

static void __exit fpgabuf_importer_exit(void)
{
	destroy_workqueue(fpgabuf_workqueue);
	fpgabuf_fences_exit();
}

module_init(fpgabuf_importer_init);
module_exit(fpgabuf_importer_exit);

MODULE_DESCRIPTION("dma-bufs as addresses on an FPGA's device");
MODULE_AUTHOR("The fpgabuf authors");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
