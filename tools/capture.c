// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "capture.h"
#include "check.h"
#include "device.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "progress.h"

#define NSEC_PER_SEC	INT64_C(1000000000)

/* Frames that are taken at a time */
#define MAX_TAKEN	64

struct capture {
	const struct capture_options *options;
	struct fpgabuf_channel *channel;
	struct fpgabuf_format format;
	struct pool pool;
	struct output output;
	struct check check;
	struct progress progress;
	/* when the last frame was seen, or the capture began */
	int64_t alive;
	int interrupt;
	/* buffers to be queued with the next system call */
	struct fpgabuf_queue_entry *queue;
	unsigned int queue_count;
};

static bool finished(const struct capture *c)
{
	const uint64_t frames = c->options->frames;

	return interrupted() || (frames && c->progress.frames >= frames);
}

static void complain_stream(const struct capture *c, int error)
{
	const char *path = fpgabuf_channel_path(c->channel);

	switch (error) {
	case ENODEV:
		complain("%s: the device is gone", path);
		break;
	case EPIPE:
		complain("%s: the channel was stopped", path);
		break;
	case EBUSY:
		complain("%s: is busy: another program owns the channel", path);
		break;
	default:
		complain("%s: %s", path, strerror(error));
	}
}

/* Bytes of a whole frame: packets say how long they are. */
static uint64_t frame_size(const struct capture *c,
			   const struct fpgabuf_completion *done)
{
	if (c->format.flags & FPGABUF_FORMAT_PACKETS && !done->status)
		return done->bytes;

	return c->format.size;
}

/* What is in the buffer, for those who want to know. */
static int use_contents(struct capture *c, const struct fpgabuf_map *map,
			const struct fpgabuf_completion *done)
{
	const uint64_t size = frame_size(c, done);
	int ret, end;

	ret = fpgabuf_map_begin(map, DMA_BUF_SYNC_READ);
	if (ret < 0) {
		complain_stream(c, -ret);
		return ret;
	}

	if (c->options->verify)
		check_frame(&c->check, done, map->addr, size);
	if (c->output.fd >= 0)
		ret = output_write(&c->output, map->addr, size);

	end = fpgabuf_map_end(map, DMA_BUF_SYNC_READ);
	if (end < 0)
		complain_stream(c, -end);

	return ret < 0 ? ret : end;
}

static int take_frame(struct capture *c, const struct fpgabuf_completion *done)
{
	const struct buffer *buffer = &c->pool.buffers[done->user_data];
	int ret = 0;

	if (check_completion(&c->check, done, frame_size(c, done)) &&
	    c->pool.mapped)
		ret = use_contents(c, &buffer->map, done);
	if (ret < 0)
		return ret;

	progress_frame(&c->progress, done->timestamp, done->bytes);
	c->queue[c->queue_count++] = (struct fpgabuf_queue_entry){
		.slot = buffer->slot,
		.user_data = done->user_data,
	};

	return 0;
}

/* Buffers go back in small groups, so that the engine is not left without. */
static unsigned int batch_size(const struct capture *c)
{
	const unsigned int size = c->pool.count > 4 ? c->pool.count / 4 : 1;

	return size < MAX_TAKEN ? size : MAX_TAKEN;
}

/* Return: how many frames were taken, or a negative errno. */
static int exchange(struct capture *c, struct fpgabuf_completion *done)
{
	int ret;

	ret = fpgabuf_channel_exchange(c->channel, c->queue, c->queue_count,
				       done, batch_size(c), 0, 0);
	if (ret == -EAGAIN)
		ret = 0;
	if (ret < 0)
		complain_stream(c, -ret);
	else
		c->queue_count = 0;

	return ret;
}

/* The time that is left for the next frame, or the next line of progress. */
static int64_t wait_time(struct capture *c)
{
	const int64_t tick = progress_tick(&c->progress, &c->check);
	int64_t left;

	if (!c->options->timeout)
		return tick;

	left = c->options->timeout - (monotonic_ns() - c->alive);
	if (left < 0)
		left = 0;

	return tick >= 0 && tick < left ? tick : left;
}

static bool stalled(struct capture *c)
{
	const int64_t timeout = c->options->timeout;

	if (!timeout || monotonic_ns() - c->alive < timeout)
		return false;
	complain("%s: no frame came for %.9g s",
		 fpgabuf_channel_path(c->channel),
		 (double)timeout / NSEC_PER_SEC);

	return true;
}

/* Until a frame is there, or something else is to be looked at. */
static int wait_frame(struct capture *c)
{
	struct pollfd fds[] = {
		{ .fd = fpgabuf_channel_fd(c->channel), .events = POLLIN },
		{ .fd = c->interrupt, .events = POLLIN },
	};
	const int64_t ns = wait_time(c);
	const struct timespec timeout = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};
	int ret;

	ret = ppoll(fds, 2, ns < 0 ? NULL : &timeout, NULL);
	if (ret < 0) {
		ret = -errno;
		if (ret != -EINTR)
			complain("poll: %m");
		return ret;
	}

	return !ret && stalled(c) ? -ETIMEDOUT : 0;
}

static int take_frames(struct capture *c)
{
	struct fpgabuf_completion done[MAX_TAKEN];
	int ret, i, count;

	count = exchange(c, done);
	if (count < 0)
		return count;
	if (count == 0)
		return wait_frame(c);

	c->alive = monotonic_ns();
	for (i = 0; i < count && !finished(c); i++) {
		ret = take_frame(c, &done[i]);
		if (ret < 0)
			return ret;
	}
	progress_tick(&c->progress, &c->check);

	return 0;
}

static bool queue_all(struct capture *c)
{
	unsigned int i;

	c->queue = calloc(c->pool.count, sizeof(*c->queue));
	if (!c->queue) {
		complain("no memory for %u buffers", c->pool.count);
		return false;
	}
	for (i = 0; i < c->pool.count; i++)
		c->queue[i] = (struct fpgabuf_queue_entry){
			.slot = c->pool.buffers[i].slot,
			.user_data = i,
		};
	c->queue_count = c->pool.count;

	return true;
}

static bool start(struct capture *c)
{
	int ret;

	if (!queue_all(c))
		return false;
	ret = fpgabuf_channel_exchange(c->channel, c->queue, c->queue_count,
				       NULL, 0, 0, 0);
	if (ret >= 0) {
		c->queue_count = 0;
		progress_start(&c->progress, !c->options->quiet &&
			       isatty(STDERR_FILENO));
		c->alive = c->progress.start;
		ret = fpgabuf_channel_start(c->channel);
	}
	if (ret < 0)
		complain_stream(c, -ret);

	return ret >= 0;
}

static bool stop(struct capture *c)
{
	int ret;

	ret = fpgabuf_channel_stop(c->channel);
	if (ret < 0)
		complain_stream(c, -ret);

	return ret >= 0;
}

/* Whether the capture gave what was asked for; says what it gave. */
static bool conclude(struct capture *c, bool good)
{
	const struct capture_options *options = c->options;
	const bool to_stdout = options->output && !strcmp(options->output, "-");

	if (!options->quiet)
		progress_summary(&c->progress, &c->check, options->verify,
				 to_stdout ? stderr : stdout);
	if (good && c->progress.frames < options->frames) {
		complain("interrupted after %" PRIu64 " of %" PRIu64 " frames",
			 c->progress.frames, options->frames);
		good = false;
	}

	return good && !check_failed(&c->check);
}

static bool stream(struct capture *c)
{
	int ret = 0;
	bool good;

	if (!start(c))
		return false;
	/* Each has told its errors. A signal is none: interrupted() decides. */
	while (!finished(c) && (ret >= 0 || ret == -EINTR))
		ret = take_frames(c);
	good = ret >= 0 || ret == -EINTR;
	good = stop(c) && good;

	return conclude(c, good);
}

static bool is_suitable(struct fpgabuf_channel *channel,
			const struct capture_options *options)
{
	const struct fpgabuf_info *info = fpgabuf_channel_info(channel);
	const char *path = fpgabuf_channel_path(channel);

	if (info->direction != FPGABUF_DIR_CAPTURE)
		complain("%s: is not for capture, but for output", path);
	else if (options->verify && !(info->capabilities & FPGABUF_CAP_TRAILER))
		complain("%s: its frames have no trailer to --verify", path);
	else
		return true;

	return false;
}

/* Last before the stream, as it empties the file. */
static bool start_output(struct capture *c)
{
	const struct capture_options *options = c->options;

	if (options->output)
		return output_open(&c->output, options->output);
	if (!options->direct)
		return true;
	if (!output_empty(&c->output))
		return false;
	if (!options->quiet)
		printf("frames of %" PRIu64 " bytes, one every %" PRIu64
		       " bytes of %s\n", (uint64_t)c->format.size,
		       c->output.stride, options->direct);

	return true;
}

static bool run(struct capture *c)
{
	const struct capture_options *options = c->options;
	struct pool_request request = options->pool;
	bool good = true;

	request.map = options->verify || options->output || options->direct;
	if (!select_format(c->channel, &options->format, &c->format))
		return false;
	if (options->direct)
		good = output_open_direct(&c->output, options->direct,
					  c->format.size);
	request.own = c->output.stride;

	good = good && pool_init(&c->pool, c->channel, &request,
				 c->format.size);
	good = good && start_output(c) && stream(c);

	if (!output_close(&c->output))
		good = false;
	pool_free(&c->pool);
	free(c->queue);

	return good;
}

int capture(const struct capture_options *options)
{
	struct capture c = {
		.options = options,
		.output = { .fd = -1 },
		.check = { .strict = options->verify },
	};
	bool good;

	c.interrupt = interrupt_init();
	if (c.interrupt < 0) {
		complain("signals: %s", strerror(-c.interrupt));
		return STATUS_FAILURE;
	}

	c.channel = open_channel(options->device);
	if (!c.channel)
		return STATUS_FAILURE;
	good = is_suitable(c.channel, options) && run(&c);
	fpgabuf_channel_close(c.channel);

	return good ? STATUS_OK : STATUS_FAILURE;
}
