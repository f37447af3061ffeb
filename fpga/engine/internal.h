/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this folder offer each other.
 */
#ifndef _FPGABUF_ENGINE_INTERNAL_H
#define _FPGABUF_ENGINE_INTERNAL_H

#include "engine.h"

/* complete.c: with engine->queue.lock held */
void fpgabuf_engine_transfer_done(struct fpgabuf_engine *engine,
				  struct fpgabuf_transfer *transfer,
				  const struct dmaengine_result *result);
void fpgabuf_engine_reap(struct fpgabuf_engine *engine);
void fpgabuf_engine_forget(struct fpgabuf_engine *engine,
			   struct fpgabuf_job *job);
void fpgabuf_engine_fail(struct fpgabuf_engine *engine, struct fpgabuf_job *job,
			 int status);
/* with engine->lock held */
void fpgabuf_engine_fail_queued(struct fpgabuf_engine *engine,
				struct fpgabuf_job *job, int status);
void fpgabuf_engine_complete_all(struct fpgabuf_engine *engine, int status);
/* in any context */
void fpgabuf_engine_callback(void *param, const struct dmaengine_result *result);

/* issue.c */
void fpgabuf_engine_work(struct work_struct *work);
void fpgabuf_engine_retry_work(struct work_struct *work);
/* with engine->lock held */
void fpgabuf_engine_issue_ready(struct fpgabuf_engine *engine);
void fpgabuf_engine_arm(struct fpgabuf_engine *engine, u64 min_ns);
struct fpgabuf_job *fpgabuf_engine_look(struct fpgabuf_engine *engine,
					s64 *left);

/* halt.c: with engine->lock held */
int fpgabuf_engine_terminate(struct fpgabuf_engine *engine, bool reset);
int fpgabuf_engine_halt(struct fpgabuf_engine *engine, bool reset);
void fpgabuf_engine_requeue(struct fpgabuf_engine *engine,
			    const struct fpgabuf_job *failed, int status);

/**
 * enum fpgabuf_answer - state of the oldest descriptor, as the engine reports it
 * @FPGABUF_ANSWER_BUSY: it is not complete
 * @FPGABUF_ANSWER_FAILED: it will not be
 * @FPGABUF_ANSWER_COMPLETE: it is complete; its callback may be on its way
 * @FPGABUF_ANSWER_LOST: likewise, but that had time to come: the job was given the
 *	completion
 */
enum fpgabuf_answer {
	FPGABUF_ANSWER_BUSY,
	FPGABUF_ANSWER_FAILED,
	FPGABUF_ANSWER_COMPLETE,
	FPGABUF_ANSWER_LOST,
};

/* ask.c: with engine->lock held */
enum fpgabuf_answer fpgabuf_engine_ask(struct fpgabuf_engine *engine);

/* engine.c: with engine->lock held */
void fpgabuf_engine_set_running(struct fpgabuf_engine *engine, bool running);

/* ring.c: with engine->lock held */
void fpgabuf_ring_end(struct fpgabuf_engine *engine);
void fpgabuf_ring_watch(struct fpgabuf_engine *engine);

/* watchdog.c */
void fpgabuf_watchdog_work(struct work_struct *work);

#endif /* _FPGABUF_ENGINE_INTERNAL_H */
