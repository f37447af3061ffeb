// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <time.h>

#include "message.h"
#include "progress.h"

#define NSEC_PER_SEC	INT64_C(1000000000)
#define INTERVAL	NSEC_PER_SEC

int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static double per_second(uint64_t count, int64_t ns)
{
	return ns > 0 ? (double)count * NSEC_PER_SEC / ns : 0.0;
}

void progress_start(struct progress *progress, bool live)
{
	const int64_t now = monotonic_ns();

	*progress = (struct progress){
		.start = now,
		.end = now,
		.shown_at = now,
		.live = live,
	};
}

void progress_frame(struct progress *progress, int64_t timestamp,
		    uint64_t bytes)
{
	progress->end = timestamp;
	progress->frames++;
	progress->bytes += bytes;
}

static void show(struct progress *progress, const struct check *check,
		 int64_t now)
{
	const int64_t ns = now - progress->shown_at;

	show_progress("%" PRIu64 " frames, %.2f fps, %.2f MB/s, %" PRIu64
		      " lost, %" PRIu64 " wrong", progress->frames,
		      per_second(progress->frames - progress->shown_frames, ns),
		      per_second(progress->bytes - progress->shown_bytes, ns) /
		      1e6, check->lost, check->wrong + check->reordered);
	progress->shown_at = now;
	progress->shown_frames = progress->frames;
	progress->shown_bytes = progress->bytes;
}

int64_t progress_tick(struct progress *progress, const struct check *check)
{
	int64_t now;

	if (!progress->live)
		return -1;

	now = monotonic_ns();
	if (now - progress->shown_at >= INTERVAL)
		show(progress, check, now);

	return progress->shown_at + INTERVAL - now;
}

void progress_summary(const struct progress *progress,
		      const struct check *check, bool verified, FILE *to)
{
	const int64_t ns = progress->end - progress->start;

	clear_progress();
	fprintf(to, "%" PRIu64 " frames, %" PRIu64 " bytes in %.3f s: ",
		progress->frames, progress->bytes, (double)ns / NSEC_PER_SEC);
	fprintf(to, "%.2f fps, %.2f MB/s; ", per_second(progress->frames, ns),
		per_second(progress->bytes, ns) / 1e6);
	fprintf(to, "%" PRIu64 " lost, %" PRIu64 " wrong, %" PRIu64
		" out of order%s\n", check->lost, check->wrong,
		check->reordered, verified ? "; contents verified" : "");
}
