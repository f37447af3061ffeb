// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"

int fpgabuf_channel_start_timeout(struct fpgabuf_channel *channel,
				  uint32_t timeout_ms)
{
	struct fpgabuf_start arg = { .timeout_ms = timeout_ms };

	return fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_START, &arg);
}

int fpgabuf_channel_start(struct fpgabuf_channel *channel)
{
	return fpgabuf_channel_start_timeout(channel, 0);
}

int fpgabuf_channel_stop(struct fpgabuf_channel *channel)
{
	return fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_STOP, NULL);
}

/* One exchange, taken up again while a signal came before anything was done. */
static int exchange(struct fpgabuf_channel *channel,
		    struct fpgabuf_exchange *arg, int64_t deadline)
{
	return fpgabuf_ioctl_wait(channel->node.fd, FPGABUF_IOC_EXCHANGE, arg,
				  &arg->done_count, &arg->timeout, deadline);
}

int fpgabuf_channel_exchange(struct fpgabuf_channel *channel,
			     const struct fpgabuf_queue_entry *queue,
			     uint32_t queue_count,
			     struct fpgabuf_completion *done,
			     uint32_t max, uint32_t min, int64_t timeout_ns)
{
	const int64_t deadline = fpgabuf_deadline(timeout_ns);
	struct fpgabuf_exchange arg = {
		.queue = (uintptr_t)queue,
		.done = (uintptr_t)done,
		.queue_count = queue_count,
		.done_count = max,
		.min_done = min,
	};
	uint32_t taken;
	int ret;

	ret = exchange(channel, &arg, deadline);
	if (ret < 0)
		return ret;

	/*
	 * A signal may have ended the wait after something was queued or taken,
	 * which the kernel cannot report beside the success. Wait for the rest.
	 * When the time is over, or the channel stopped, this says so at once,
	 * and what was done before it is still the result.
	 */
	for (taken = ret; taken < min; taken += ret) {
		arg.done = (uintptr_t)(done + taken);
		arg.queue_count = 0;
		arg.done_count = max - taken;
		arg.min_done = min - taken;
		ret = exchange(channel, &arg, deadline);
		if (ret <= 0)
			break;
	}

	return taken;
}

int fpgabuf_channel_take(struct fpgabuf_channel *channel,
			 struct fpgabuf_completion *done, uint32_t max,
			 uint32_t min, int64_t timeout_ns)
{
	return fpgabuf_channel_exchange(channel, NULL, 0, done, max, min,
					timeout_ns);
}

int fpgabuf_channel_queue(struct fpgabuf_channel *channel, uint32_t slot,
			  uint64_t user_data)
{
	const struct fpgabuf_queue_entry entry = {
		.slot = slot,
		.user_data = user_data,
	};

	return fpgabuf_channel_exchange(channel, &entry, 1, NULL, 0, 0, 0);
}

int fpgabuf_channel_queue_fenced(struct fpgabuf_channel *channel,
				 const struct fpgabuf_queue_entry *entry,
				 int in_fence, int *out_fence)
{
	struct fpgabuf_queue_entry queue = *entry;
	struct fpgabuf_fences fences = { .in = in_fence, .out = -1 };
	struct fpgabuf_exchange arg = {
		.queue = (uintptr_t)&queue,
		.queue_count = 1,
		.fences = (uintptr_t)&fences,
	};
	int ret;

	queue.flags &= ~(FPGABUF_QUEUE_IN_FENCE | FPGABUF_QUEUE_OUT_FENCE);
	if (in_fence >= 0)
		queue.flags |= FPGABUF_QUEUE_IN_FENCE;
	if (out_fence)
		queue.flags |= FPGABUF_QUEUE_OUT_FENCE;

	ret = fpgabuf_ioctl(channel->node.fd, FPGABUF_IOC_EXCHANGE, &arg);
	if (out_fence)
		*out_fence = ret < 0 ? -1 : fences.out;
	return ret;
}
