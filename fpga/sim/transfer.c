// SPDX-License-Identifier: GPL-2.0
/*
 * A frame on its way between the FPGA's logic and memory.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "sim.h"

/* Where in the frame the fault strikes; SIZE_MAX: not while it is moved. */
static size_t transfer_fault_at(const struct sim_desc *desc)
{
	switch (READ_ONCE(desc->fault)) {
	case SIM_FAULT_ABORT:
		return 0;
	case SIM_FAULT_SHORT:
	case SIM_FAULT_SHORT_BACK:
	case SIM_FAULT_ERROR:
	case SIM_FAULT_HANG:
	case SIM_FAULT_ZOMBIE:
	case SIM_FAULT_STUCK:
		return desc->length / 2;
	default:
		return SIZE_MAX;
	}
}

/**
 * sim_transfer_begin() - begin to move the frame of a descriptor
 * @transfer: filled in
 * @chan: the channel
 * @desc: the descriptor, from sim_chan_next()
 */
void sim_transfer_begin(struct sim_transfer *transfer, struct sim_chan *chan,
			struct sim_desc *desc)
{
	sim_desc_read_late(desc);
	*transfer = (struct sim_transfer){
		.chan = chan,
		.desc = desc,
		.place.cursor = {
			.dev = chan->dev,
			.seg = desc->segs,
			.num = desc->num,
			.line = desc->frame,
		},
		.fault_at = transfer_fault_at(desc),
	};
	if (chan->direction != DMA_MEM_TO_MEM)
		return;
	transfer->place.to = transfer->place.cursor;
	transfer->place.to.seg++;
	transfer->place.cursor.num = 1;
	transfer->place.to.num = 1;
}

static int transfer_part(const struct sim_transfer *transfer,
			 struct sim_place *place, void *data, size_t len)
{
	const enum dma_transfer_direction direction = transfer->chan->direction;
	int ret;

	/* As an engine stops in mid-frame when it is told to. */
	if (READ_ONCE(transfer->desc->aborted))
		return -ECANCELED;
	if (direction == DMA_DEV_TO_MEM)
		return sim_bus_write(&place->cursor, data, len);
	ret = sim_bus_read(&place->cursor, data, len);
	if (!ret && direction == DMA_MEM_TO_MEM)
		ret = sim_bus_write(&place->to, data, len);
	return ret;
}

/* An engine that is stuck moves the same bytes again, once a jiffy. */
static int transfer_repeat(struct sim_transfer *transfer,
			   const struct sim_place *begin, void *data,
			   size_t len)
{
	struct sim_place place;
	int ret = 0;

	while (!ret && sim_fault_lasts(transfer->chan, transfer->desc, 1)) {
		place = *begin;
		ret = transfer_part(transfer, &place, data, len);
	}
	return ret;
}

/* @data was moved last, from or to where @begin is. */
static int transfer_meet_fault(struct sim_transfer *transfer,
			       const struct sim_place *begin, void *data,
			       size_t len)
{
	transfer->fault_at = SIZE_MAX;
	switch (READ_ONCE(transfer->desc->fault)) {
	case SIM_FAULT_ABORT:
		return -ECONNABORTED;
	case SIM_FAULT_SHORT:
	case SIM_FAULT_SHORT_BACK:
		return -EMSGSIZE;
	case SIM_FAULT_ERROR:
		return -EIO;
	case SIM_FAULT_HANG:
	case SIM_FAULT_ZOMBIE:
		sim_fault_lasts(transfer->chan, transfer->desc,
				MAX_SCHEDULE_TIMEOUT);
		return 0;
	case SIM_FAULT_STUCK:
		return transfer_repeat(transfer, begin, data, len);
	default:
		return 0;
	}
}

/**
 * sim_transfer_move() - move the next bytes
 * @transfer: what they are a part of
 * @data: what to write to memory, or where to put what is read there; from memory
 *	to memory, room for it
 * @len: bytes
 *
 * Return: 0; -ECANCELED: terminated; -EFAULT: a bus error, or past the end of
 * the descriptor's memory; what the descriptor's fault says: -ECONNABORTED,
 * -EMSGSIZE, -EIO.
 */
int sim_transfer_move(struct sim_transfer *transfer, void *data, size_t len)
{
	size_t before = min(len, transfer->fault_at - transfer->moved);
	const struct sim_place begin = transfer->place;
	int ret;

	ret = transfer_part(transfer, &transfer->place, data, before);
	if (ret)
		return ret;
	transfer->moved += before;
	if (transfer->moved == transfer->fault_at)
		ret = transfer_meet_fault(transfer, &begin, data, before);
	if (ret || before == len)
		return ret;

	ret = transfer_part(transfer, &transfer->place, data + before,
			    len - before);
	if (!ret)
		transfer->moved += len - before;
	return ret;
}

/**
 * sim_transfer_end() - all of the frame is moved, or as much of it as can be
 * @transfer: the frame
 */
void sim_transfer_end(struct sim_transfer *transfer)
{
	struct sim_desc *desc = transfer->desc;

	/* The first jiffy may be over at once. */
	if (READ_ONCE(desc->fault) == SIM_FAULT_LATE)
		sim_fault_lasts(transfer->chan, desc, 1 +
				msecs_to_jiffies(transfer->chan->fault_ms));
	desc->residue = desc->length - transfer->moved;
}
