// SPDX-License-Identifier: GPL-2.0
/*
 * A frame on its way between the FPGA's logic and memory.
 */
#include <linux/errno.h>

#include "sim.h"

/**
 * sim_transfer_begin() - begin to move the frame of a descriptor
 * @transfer: filled in
 * @chan: the channel
 * @desc: the descriptor, from sim_chan_next()
 */
void sim_transfer_begin(struct sim_transfer *transfer, struct sim_chan *chan,
			struct sim_desc *desc)
{
	*transfer = (struct sim_transfer){
		.chan = chan,
		.desc = desc,
		.cursor = {
			.dev = chan->chan.device->dev,
			.seg = desc->segs,
			.num = desc->num,
		},
	};
}

/**
 * sim_transfer_move() - move the next bytes
 * @transfer: what they are a part of
 * @data: what to write to memory, or (tx) where to put what is read there
 * @len: bytes
 *
 * Return: 0; -ECANCELED: terminated; -EFAULT: a bus error, or past the end of
 * the descriptor's memory.
 */
int sim_transfer_move(struct sim_transfer *transfer, void *data, size_t len)
{
	int ret;

	/* As an engine stops in mid-frame when it is told to. */
	if (READ_ONCE(transfer->desc->aborted))
		return -ECANCELED;
	if (transfer->chan->direction == DMA_DEV_TO_MEM)
		ret = sim_bus_write(&transfer->cursor, data, len);
	else
		ret = sim_bus_read(&transfer->cursor, data, len);
	if (!ret)
		transfer->moved += len;
	return ret;
}

/**
 * sim_transfer_end() - all of the frame is moved, or as much of it as can be
 * @transfer: the frame
 */
void sim_transfer_end(struct sim_transfer *transfer)
{
	transfer->desc->residue = transfer->desc->length - transfer->moved;
}
