/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures of an engine, which is identified by the name of its node: that of a
 * channel or of an importing device.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fpgabuf

#if !defined(_FPGABUF_ENGINE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FPGABUF_ENGINE_TRACE_H

#include <linux/device.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "engine.h"

DECLARE_EVENT_CLASS(fpgabuf_engine,
		    TP_PROTO(const struct fpgabuf_engine *engine, int status),
		    TP_ARGS(engine, status),
		    TP_STRUCT__entry(__array(char, node, 32)
				     __field(int, status)
				     __field(unsigned int, pending)),
		    TP_fast_assign(strscpy(__entry->node,
					   dev_name(engine->node),
					   sizeof(__entry->node));
				   __entry->status = status;
				   __entry->pending = engine->queue.num_pending;),
		    TP_printk("node=%s status=%d pending=%u", __entry->node,
			      __entry->status, __entry->pending)
);

/* A descriptor took too long, or the engine failed; what its job reports */
DEFINE_EVENT(fpgabuf_engine, fpgabuf_timeout,
	     TP_PROTO(const struct fpgabuf_engine *engine, int status),
	     TP_ARGS(engine, status)
);

/* The engine does not stop, and why */
DEFINE_EVENT(fpgabuf_engine, fpgabuf_quarantine,
	     TP_PROTO(const struct fpgabuf_engine *engine, int status),
	     TP_ARGS(engine, status)
);

#endif /* _FPGABUF_ENGINE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
