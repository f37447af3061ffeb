/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every change of state of a buffer, and starts and stops of the channel. A channel
 * is identified by the number of its node, /dev/fpgabufN.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fpgabuf

#if !defined(_FPGABUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FPGABUF_TRACE_H

#include <linux/tracepoint.h>

#include "channel.h"

DECLARE_EVENT_CLASS(fpgabuf_job,
		    TP_PROTO(const struct fpgabuf_slot *slot),
		    TP_ARGS(slot),
		    TP_STRUCT__entry(__field(unsigned int, channel)
				     __field(u32, run)
				     __field(u32, slot)
				     __field(u64, user_data)),
		    TP_fast_assign(__entry->channel =
					MINOR(slot->channel->dev.devt);
				   __entry->run = slot->channel->run;
				   __entry->slot = slot->done.slot;
				   __entry->user_data = slot->done.user_data;),
		    TP_printk("channel=%u run=%u slot=%u user_data=%#llx",
			      __entry->channel, __entry->run, __entry->slot,
			      __entry->user_data)
);

/* From the user: IDLE -> QUEUED */
DEFINE_EVENT(fpgabuf_job, fpgabuf_queue,
	     TP_PROTO(const struct fpgabuf_slot *slot),
	     TP_ARGS(slot)
);

/* To the engine, when it has room: QUEUED -> ACTIVE */
DEFINE_EVENT(fpgabuf_job, fpgabuf_issue,
	     TP_PROTO(const struct fpgabuf_slot *slot),
	     TP_ARGS(slot)
);

/* Back from an engine that was stopped: ACTIVE -> QUEUED */
DEFINE_EVENT(fpgabuf_job, fpgabuf_unissue,
	     TP_PROTO(const struct fpgabuf_slot *slot),
	     TP_ARGS(slot)
);

/* QUEUED or ACTIVE -> DONE, and the fence signaled */
TRACE_EVENT(fpgabuf_done,
	    TP_PROTO(const struct fpgabuf_slot *slot),
	    TP_ARGS(slot),
	    TP_STRUCT__entry(__field(unsigned int, channel)
			     __field(u32, run)
			     __field(u32, slot)
			     __field(int, status)
			     __field(u64, sequence)
			     __field(u64, bytes)
			     __field(u32, lost)),
	    TP_fast_assign(__entry->channel = MINOR(slot->channel->dev.devt);
			   __entry->run = slot->done.run;
			   __entry->slot = slot->done.slot;
			   __entry->status = slot->done.status;
			   __entry->sequence = slot->done.sequence;
			   __entry->bytes = slot->done.bytes;
			   __entry->lost = slot->done.lost;),
	    TP_printk("channel=%u run=%u slot=%u status=%d sequence=%llu bytes=%llu lost=%u",
		      __entry->channel, __entry->run, __entry->slot,
		      __entry->status, __entry->sequence, __entry->bytes,
		      __entry->lost)
);

DECLARE_EVENT_CLASS(fpgabuf_channel,
		    TP_PROTO(const struct fpgabuf_channel *channel, int status),
		    TP_ARGS(channel, status),
		    TP_STRUCT__entry(__field(unsigned int, channel)
				     __field(u32, run)
				     __field(int, status)
				     __field(unsigned int, pending)),
		    TP_fast_assign(__entry->channel = MINOR(channel->dev.devt);
				   __entry->run = channel->run;
				   __entry->status = status;
				   __entry->pending =
					channel->client.engine.queue.num_pending;),
		    TP_printk("channel=%u run=%u status=%d pending=%u",
			      __entry->channel, __entry->run, __entry->status,
			      __entry->pending)
);

/* Started, or why not */
DEFINE_EVENT(fpgabuf_channel, fpgabuf_start,
	     TP_PROTO(const struct fpgabuf_channel *channel, int status),
	     TP_ARGS(channel, status)
);

/* Stopped; what is pending is done with that status */
DEFINE_EVENT(fpgabuf_channel, fpgabuf_stop,
	     TP_PROTO(const struct fpgabuf_channel *channel, int status),
	     TP_ARGS(channel, status)
);

#endif /* _FPGABUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
