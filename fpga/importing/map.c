// SPDX-License-Identifier: GPL-2.0
/*
 * Where a buffer is, as the engine sees it. Memory that may move is mapped anew
 * after it was moved, by the first copy that wants it; the copies before that
 * have the old mapping, which goes when the last of them is done.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "node.h"

/* Of a mapping that is the map's from then on, or NULL: the import's own. */
static struct importer_map *map_alloc(struct fpgabuf_importer *importer,
				      struct fpgabuf_import *import,
				      struct sg_table *sgt)
{
	const struct fpgabuf_engine *engine = &importer->client.engine;
	struct importer_map *map;
	int ret;

	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return ERR_PTR(-ENOMEM);
	ret = fpgabuf_import_slice(import, sgt, 0, import->dmabuf->size,
				   fpgabuf_engine_max_segment(engine),
				   &map->table);
	if (ret)
		goto err_free;
	ret = fpgabuf_engine_check_table(engine, &map->table);
	if (ret)
		goto err_free_table;
	refcount_set(&map->ref, 1);
	map->sgt = sgt;
	map->import = fpgabuf_import_get(import);
	return map;

err_free_table:
	sg_free_table(&map->table);
err_free:
	kfree(map);
	return ERR_PTR(ret);
}

/* Of a buffer that is mapped, and stays so. */
struct importer_map *importer_map_pinned(struct fpgabuf_importer *importer,
					 struct fpgabuf_import *import)
{
	return map_alloc(importer, import, NULL);
}

/* Find out where the buffer is, if that is not known. */
int importer_map_slot(struct fpgabuf_importer *importer,
		      struct importer_slot *slot)
{
	struct importer_map *map;
	struct sg_table *sgt;

	if (slot->map)
		return 0;
	sgt = fpgabuf_import_map(slot->import);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	map = map_alloc(importer, slot->import, sgt);
	if (IS_ERR(map)) {
		fpgabuf_import_unmap(slot->import, sgt);
		return PTR_ERR(map);
	}
	slot->map = map;
	return 0;
}

static void map_free(struct importer_map *map)
{
	struct dma_resv *resv = map->import->dmabuf->resv;

	sg_free_table(&map->table);
	if (map->sgt) {
		dma_resv_lock(resv, NULL);
		fpgabuf_import_unmap(map->import, map->sgt);
		dma_resv_unlock(resv);
	}
	fpgabuf_import_put(map->import);
	kfree(map);
}

static void maps_unmap(struct work_struct *work)
{
	struct fpgabuf_importer *importer =
		container_of(work, struct fpgabuf_importer, unmap_work);
	struct llist_node *stale = llist_del_all(&importer->stale);
	struct importer_map *map, *next;

	llist_for_each_entry_safe(map, next, stale, stale)
		map_free(map);
}

/* In any context: the last reference leaves the rest to a work. */
void importer_map_put(struct fpgabuf_importer *importer,
		      struct importer_map *map)
{
	if (!map || !refcount_dec_and_test(&map->ref))
		return;
	llist_add(&map->stale, &importer->stale);
	/* Not one of those that fences wait for: it takes reservations. */
	queue_work(system_unbound_wq, &importer->unmap_work);
}

/* Copies that have a reference go on; the next one maps it anew. */
static void importer_invalidate(struct fpgabuf_import *import)
{
	struct importer_slot *slot = import->priv;
	struct importer_map *map = slot->map;

	dma_resv_assert_held(import->dmabuf->resv);
	slot->map = NULL;
	importer_map_put(slot->importer, map);
}

const struct fpgabuf_import_ops importer_import_ops = {
	.invalidate = importer_invalidate,
};

/* The engine is idle after all. */
void importer_maps_unkeep(struct fpgabuf_importer *importer)
{
	lockdep_assert_held(&importer->client.lock);
	while (importer->num_kept)
		importer_map_put(importer,
				 importer->kept[--importer->num_kept]);
}

/*
 * The device goes, with an engine that may still write: what it has stays mapped
 * for ever, since that is the lesser evil.
 */
void importer_maps_abandon(struct fpgabuf_importer *importer)
{
	unsigned int i;

	lockdep_assert_held(&importer->client.lock);
	if (!importer->num_kept)
		return;
	dev_err(&importer->dev, "buffers are lost to an engine that does not stop\n");
	/*
	 * Their exporters know the device as long as they are, and may say that
	 * they move.
	 */
	__module_get(THIS_MODULE);
	get_device(&importer->dev);
	for (i = 0; i < importer->num_kept; i++)
		get_device(importer->kept[i]->import->attach->dev);
	importer->num_kept = 0;
}

void importer_maps_init(struct fpgabuf_importer *importer)
{
	init_llist_head(&importer->stale);
	INIT_WORK(&importer->unmap_work, maps_unmap);
}

/* All that nobody has a reference of is unmapped when it returns. */
void importer_maps_flush(struct fpgabuf_importer *importer)
{
	flush_work(&importer->unmap_work);
}
