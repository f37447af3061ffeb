/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every change of state of a copy. An importing device is identified by the number
 * of its node, /dev/fpgabuf_importN.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fpgabuf_import

#if !defined(_FPGABUF_IMPORT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FPGABUF_IMPORT_TRACE_H

#include <linux/tracepoint.h>

#include "node.h"

DECLARE_EVENT_CLASS(fpgabuf_copy,
		    TP_PROTO(const struct importer_copy *copy),
		    TP_ARGS(copy),
		    TP_STRUCT__entry(__field(unsigned int, importer)
				     __field(u32, src)
				     __field(u32, dst)
				     __field(int, status)
				     __field(u64, length)
				     __field(u64, user_data)),
		    TP_fast_assign(__entry->importer =
					MINOR(copy->importer->dev.devt);
				   __entry->src = copy->arg.src;
				   __entry->dst = copy->arg.dst;
				   __entry->status = copy->job.status;
				   __entry->length = copy->arg.length;
				   __entry->user_data = copy->arg.user_data;),
		    TP_printk("importer=%u src=%u dst=%u length=%llu user_data=%#llx status=%d",
			      __entry->importer, __entry->src, __entry->dst,
			      __entry->length, __entry->user_data,
			      __entry->status)
);

/* From the user: IDLE -> QUEUED */
DEFINE_EVENT(fpgabuf_copy, fpgabuf_copy_queue,
	     TP_PROTO(const struct importer_copy *copy),
	     TP_ARGS(copy)
);

/* Nothing to wait for any more: QUEUED -> ACTIVE */
DEFINE_EVENT(fpgabuf_copy, fpgabuf_copy_begin,
	     TP_PROTO(const struct importer_copy *copy),
	     TP_ARGS(copy)
);

/* Back from an engine that was stopped: ACTIVE -> QUEUED */
DEFINE_EVENT(fpgabuf_copy, fpgabuf_copy_again,
	     TP_PROTO(const struct importer_copy *copy),
	     TP_ARGS(copy)
);

/* ACTIVE -> DONE, and the fence signaled */
DEFINE_EVENT(fpgabuf_copy, fpgabuf_copy_done,
	     TP_PROTO(const struct importer_copy *copy),
	     TP_ARGS(copy)
);

#endif /* _FPGABUF_IMPORT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
