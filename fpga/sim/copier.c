// SPDX-License-Identifier: GPL-2.0
/*
 * The logic of copy0, which has none of its own: what the engine reads it writes
 * elsewhere. It runs as long as the board is there.
 */
#include <linux/minmax.h>

#include "sim.h"

static int copier_move(struct sim_logic *logic, struct sim_transfer *transfer,
		       u64 sequence)
{
	size_t left = transfer->desc->length;
	int ret = 0;

	while (!ret && left) {
		size_t len = min_t(size_t, SIM_BLOCK, left);

		ret = sim_transfer_move(transfer, logic->scratch, len);
		left -= len;
	}
	return ret;
}

static const struct sim_logic_ops copier_logic_ops = {
	.step	= sim_logic_step,
	.move	= copier_move,
};

int sim_copier_init(struct sim_logic *logic, struct sim_chan *chan,
		    const char *name)
{
	static const struct fpgabuf_format none;
	int ret;

	ret = sim_logic_init(logic, chan, &copier_logic_ops, name);
	if (ret)
		return ret;
	ret = sim_logic_set_format(logic, &none, SIM_BLOCK);
	if (!ret)
		ret = sim_logic_start(logic, 1, 0);
	if (ret)
		sim_logic_fini(logic);
	return ret;
}
