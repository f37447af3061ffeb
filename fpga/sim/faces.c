// SPDX-License-Identifier: GPL-2.0
/*
 * The engines that the simulated one can behave as: habits, good and bad, of those
 * that the kernel has drivers for. Faults, which are no habits, are in faults.c.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "sim.h"

static const struct sim_face sim_faces[] = {
	{
		.name = "ideal",
	},
	/* xilinx_dma: AXI VDMA */
	{
		.name = "vdma",
		.by_lines = true,
		.hides_errors = true,
		.lies = true,
	},
	/* xilinx_dma: AXI DMA */
	{
		.name = "axidma",
		.gathers = 4,
		.room = 8,
		.hides_errors = true,
		.lies = true,
	},
	/* xdma */
	{
		.name = "xdma",
		.reports_nothing = true,
		.is_child = true,
		.hides_errors = true,
	},
	/* qdma; but that it can be stopped */
	{
		.name = "qdma",
		.no_results = true,
		.reads_late = true,
	},
	/* Engines of converters, as they are used for sound */
	{
		.name = "cyclic",
		.by_ring = true,
		.hides_errors = true,
	},
	/* dw-edma */
	{
		.name = "edma",
		.needs_config = true,
	},
};

/* Returns NULL for a name that is not known. */
const struct sim_face *sim_face_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sim_faces); i++)
		if (!strcmp(sim_faces[i].name, name))
			return &sim_faces[i];
	return NULL;
}
