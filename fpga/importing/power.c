// SPDX-License-Identifier: GPL-2.0
/*
 * What an importing device does when the machine is suspended, or shuts down: copies
 * that are not complete by then fail, and no fence is left pending.
 */
#include <linux/device/class.h>
#include <linux/pm.h>

#include "node.h"

/* All tasks are frozen: nobody queues a copy before it is resumed. */
static int importer_suspend(struct device *dev)
{
	struct fpgabuf_importer *importer =
		container_of(dev, struct fpgabuf_importer, dev);

	mutex_lock(&importer->client.lock);
	if (importer->opened && !importer->client.gone) {
		fpgabuf_engine_stop(&importer->client.engine, -ECANCELED);
		fpgabuf_client_power_down(&importer->client);
	}
	mutex_unlock(&importer->client.lock);
	return 0;
}

/* An engine that did not stop goes on being in quarantine. */
static int importer_start_again(struct fpgabuf_importer *importer)
{
	struct fpgabuf_client *client = &importer->client;
	const int ret = fpgabuf_client_power_up(client);

	if (ret)
		/* Copies would wait for ever. */
		fpgabuf_client_set_gone(client);
	else if (!READ_ONCE(client->engine.quarantine))
		fpgabuf_engine_start(&client->engine,
				     importer->config.timeout_ms);
	return ret;
}

static int importer_resume(struct device *dev)
{
	struct fpgabuf_importer *importer =
		container_of(dev, struct fpgabuf_importer, dev);
	int ret = 0;

	mutex_lock(&importer->client.lock);
	if (importer->opened && !importer->client.gone)
		ret = importer_start_again(importer);
	mutex_unlock(&importer->client.lock);
	return ret;
}

static DEFINE_SIMPLE_DEV_PM_OPS(importer_pm_ops, importer_suspend,
				importer_resume);

/* Tasks run on, and the next kernel may be entered without a reset (kexec). */
static int importer_shutdown(struct device *dev)
{
	struct fpgabuf_importer *importer =
		container_of(dev, struct fpgabuf_importer, dev);

	mutex_lock(&importer->client.lock);
	if (!importer->client.gone) {
		fpgabuf_client_set_gone(&importer->client);
		fpgabuf_engine_stop(&importer->client.engine, -ENODEV);
	}
	mutex_unlock(&importer->client.lock);
	return 0;
}

/* Before the first importing device is registered */
void importer_power_init(struct class *class)
{
	class->pm = pm_sleep_ptr(&importer_pm_ops);
	class->shutdown_pre = importer_shutdown;
}
