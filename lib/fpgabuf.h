/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libfpgabuf: frames between an FPGA and memory, shared as dma-bufs.
 *
 * Every function that can fail returns a negative errno, and prints nothing.
 * The errors of the calls that wrap an ioctl are those of <linux/fpgabuf.h>;
 * what is said there of buffers and ownership holds here. EINTR is handled: a
 * call is taken up again with the time that is left, except where said.
 *
 * Objects are not locked: a struct fpgabuf_channel may be used by several
 * threads only where said (one thread in fpgabuf_channel_exchange() while
 * another calls fpgabuf_channel_stop(), and fpgabuf_channel_alloc*() and
 * fpgabuf_channel_inspect() at any time), a struct fpgabuf_importer by one at a
 * time. There is no global state.
 */
#ifndef LIBFPGABUF_H
#define LIBFPGABUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/fpgabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPGABUF_API __attribute__((visibility("default")))
#define FPGABUF_MUST_CHECK __attribute__((warn_unused_result))

struct fpgabuf_channel;
struct fpgabuf_importer;

/* Devices */

/**
 * fpgabuf_list() - the channel devices of this machine
 * @paths: out: NULL-terminated array of device nodes ("/dev/fpgabuf0"), in
 *	ascending order of their number; freed by fpgabuf_list_free()
 *
 * Return: how many there are (0 is no error), or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int fpgabuf_list(char ***paths);
/* For every array of texts that this library returns. NULL is ignored. */
FPGABUF_API void fpgabuf_list_free(char **paths);

/**
 * fpgabuf_channel_open() - open a channel
 * @path: device node, or NULL for the first one there is
 * @channel: out: the channel; closed by fpgabuf_channel_close()
 *
 * The file is close-on-exec and non-blocking never: waits are said per call.
 *
 * Return: 0; -ENOENT: no such node, or with NULL none at all; -ENOTTY: the node
 * is not a channel; -EPROTO: the driver's ABI is newer than this library and
 * not compatible; otherwise what open(2) says.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_open(const char *path, struct fpgabuf_channel **channel);

/* Closes; stops and unregisters all, if this was the owner. NULL is ignored. */
FPGABUF_API void fpgabuf_channel_close(struct fpgabuf_channel *channel);

/* The file, for poll(2): POLLIN when a completion can be taken. Stays ours. */
FPGABUF_API int fpgabuf_channel_fd(const struct fpgabuf_channel *channel);

/* The node that was opened. Valid until close. */
FPGABUF_API const char *
fpgabuf_channel_path(const struct fpgabuf_channel *channel);

/* What the driver told at open. Valid until close. */
FPGABUF_API const struct fpgabuf_info *
fpgabuf_channel_info(const struct fpgabuf_channel *channel);

/* Formats */

/* -ENOENT when @index is past the last one. */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_enum_format(struct fpgabuf_channel *channel, uint32_t index,
			    struct fpgabuf_format_desc *desc);
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_get_format(struct fpgabuf_channel *channel,
			   struct fpgabuf_format *format);
/* Completes @format (pitches, offsets, size, rate) as the driver would. */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_try_format(struct fpgabuf_channel *channel,
			   struct fpgabuf_format *format);
/* The same, and sets it. Makes this file the channel's owner. */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_set_format(struct fpgabuf_channel *channel,
			   struct fpgabuf_format *format);

/* Buffers */

/**
 * fpgabuf_channel_alloc() - zeroed memory for this channel's engine
 * @channel: the channel
 * @size: bytes; rounded up to whole pages
 * @kind: enum fpgabuf_kind; FPGABUF_KIND_USER and FPGABUF_KIND_POOL need more
 *	than a size, see below
 *
 * Return: a dma-buf (O_RDWR, O_CLOEXEC) that the caller closes, or a negative
 * errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_alloc(struct fpgabuf_channel *channel, uint64_t size,
		      uint32_t kind);

/**
 * fpgabuf_channel_alloc_user() - memory that the caller has, as a dma-buf
 * @channel: the channel
 * @address: any byte of this process
 * @length: bytes, any number; the dma-buf has exactly that many
 * @prot: what devices may do: PROT_READ, or PROT_READ | PROT_WRITE
 *
 * The memory is pinned, and counts against RLIMIT_MEMLOCK, until the dma-buf is
 * gone. See struct fpgabuf_alloc_user for what may be done with it meanwhile,
 * and for who takes it when it is not page-aligned.
 *
 * Return: a dma-buf (O_CLOEXEC) that the caller closes, or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_alloc_user(struct fpgabuf_channel *channel, void *address,
			   size_t length, int prot);

/**
 * fpgabuf_channel_alloc_pool() - many small blocks in one dma-buf
 * @channel: the channel
 * @block_size: bytes of a block, 1 to FPGABUF_POOL_MAX_BLOCK
 * @num_blocks: how many
 * @alignment: of each, a power of two; 0: its size, rounded up to one
 * @boundary: that no block crosses a multiple of, a power of two; 0: none
 * @stride: out: block i starts at i * @stride
 *
 * Return: a dma-buf (O_RDWR, O_CLOEXEC) that the caller closes, or a negative
 * errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_alloc_pool(struct fpgabuf_channel *channel,
			   uint32_t block_size, uint32_t num_blocks,
			   uint32_t alignment, uint32_t boundary,
			   uint32_t *stride);

/**
 * fpgabuf_channel_register() - give the engine access to a dma-buf
 * @channel: the channel
 * @fd: any dma-buf; may be closed afterwards
 * @offset: where the frame starts, bytes
 * @length: bytes that may be used, 0 for all from @offset on
 *
 * Return: the slot, or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_register(struct fpgabuf_channel *channel, int fd,
			 uint64_t offset, uint64_t length);
FPGABUF_API int fpgabuf_channel_unregister(struct fpgabuf_channel *channel,
					   uint32_t slot);

/**
 * fpgabuf_channel_inspect() - what a dma-buf is, as the channel's engine sees it
 * @channel: the channel; no matter who owns it
 * @fd: any dma-buf
 * @inspect: out: what is known; its @names is the library's, and 0
 * @names: out: NULL-terminated array of the names of the devices that are
 *	attached, &fpgabuf_inspect.attached of them, freed by
 *	fpgabuf_list_free(); or NULL
 *
 * Return: 0, or a negative errno. That the channel's device cannot get at the
 * buffer is no error, but in &fpgabuf_inspect.status.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_inspect(struct fpgabuf_channel *channel, int fd,
			struct fpgabuf_inspect *inspect, char ***names);

/* Streaming */

/* Returns 0; the number of the run is in its completions. */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_start(struct fpgabuf_channel *channel);
/*
 * May be called while another thread waits in fpgabuf_channel_exchange(), or is
 * in any call that does not wait.
 */
FPGABUF_API int fpgabuf_channel_stop(struct fpgabuf_channel *channel);

/**
 * fpgabuf_channel_start_timeout() - start, with a bound of one's own
 * @channel: the channel
 * @timeout_ms: longest time that a frame may take while there is an out-fence to
 *	be signaled, up to FPGABUF_MAX_TIMEOUT_MS; 0: the channel's own
 *
 * Return: 0, or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_start_timeout(struct fpgabuf_channel *channel,
			      uint32_t timeout_ms);

/* Queue one buffer; nothing is waited for or taken. */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_queue(struct fpgabuf_channel *channel, uint32_t slot,
		      uint64_t user_data);

/**
 * fpgabuf_channel_queue_fenced() - queue one buffer, with fences
 * @channel: the channel; started, if a fence is to come out
 * @entry: the buffer; FPGABUF_QUEUE_IN_FENCE and FPGABUF_QUEUE_OUT_FENCE are set
 *	as the next two say, its other flags are the caller's
 * @in_fence: a sync_file that the engine waits for, or -1; stays the caller's
 * @out_fence: out: a sync_file that signals when the buffer is done, or NULL; the
 *	caller owns it. -1 on an error
 *
 * Return: 0, or a negative errno; then nothing was queued.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_queue_fenced(struct fpgabuf_channel *channel,
			     const struct fpgabuf_queue_entry *entry,
			     int in_fence, int *out_fence);

/**
 * fpgabuf_channel_take() - take completions
 * @channel: the channel
 * @done: out: room for @max
 * @max: 1 to &fpgabuf_info.max_batch
 * @min: wait for that many, 0 to @max
 * @timeout_ns: longest wait; negative: no limit; 0: none
 *
 * Return: how many were taken, 1 to @max (fewer than @min when the time was
 * over or the channel stopped); -EAGAIN, -ETIMEDOUT or -EPIPE when none was.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_take(struct fpgabuf_channel *channel,
		     struct fpgabuf_completion *done, uint32_t max,
		     uint32_t min, int64_t timeout_ns);

/**
 * fpgabuf_channel_exchange() - queue and take in one system call
 * @channel: the channel
 * @queue: @queue_count buffers, all queued or none
 * @queue_count: 0 to &fpgabuf_info.max_batch
 * @done: out: room for @max completions
 * @max: 0 to &fpgabuf_info.max_batch
 * @min: wait for that many, 0 to @max
 * @timeout_ns: as in fpgabuf_channel_take()
 *
 * Return: how many were taken; 0 is possible only with @queue_count > 0 or
 * @max == 0. On an error nothing was queued and nothing taken.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_channel_exchange(struct fpgabuf_channel *channel,
			 const struct fpgabuf_queue_entry *queue,
			 uint32_t queue_count, struct fpgabuf_completion *done,
			 uint32_t max, uint32_t min, int64_t timeout_ns);

/* Importing devices: what another device gets of a dma-buf, and copies of it */

/**
 * fpgabuf_importer_list() - the importing devices of this machine
 * @paths: out: NULL-terminated array of device nodes ("/dev/fpgabuf_import0"), in
 *	ascending order of their number; freed by fpgabuf_list_free()
 *
 * Return: how many there are (0 is no error), or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int fpgabuf_importer_list(char ***paths);

/**
 * fpgabuf_importer_open() - open an importing device
 * @path: device node, or NULL for the first one there is
 * @importer: out: the device; closed by fpgabuf_importer_close()
 *
 * One program has it at a time. The file is close-on-exec, and waits are said per
 * call.
 *
 * Return: 0; -ENOENT: no such node, or with NULL none at all; -EBUSY: another
 * program has it; -ENOTTY: the node is no importing device; -EPROTO: the driver's
 * ABI is newer than this library and not compatible; otherwise what open(2) says.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_importer_open(const char *path, struct fpgabuf_importer **importer);

/* Closes; copies that are not done are given up, all is detached. NULL is ignored. */
FPGABUF_API void fpgabuf_importer_close(struct fpgabuf_importer *importer);

/* The file, for poll(2): POLLIN when a completion can be taken. Stays ours. */
FPGABUF_API int fpgabuf_importer_fd(const struct fpgabuf_importer *importer);

/* The node that was opened. Valid until close. */
FPGABUF_API const char *
fpgabuf_importer_path(const struct fpgabuf_importer *importer);

/* What the driver told at open. Valid until close. */
FPGABUF_API const struct fpgabuf_import_info *
fpgabuf_importer_info(const struct fpgabuf_importer *importer);

/**
 * fpgabuf_importer_attach() - attach the device to a dma-buf, and map it
 * @importer: the device
 * @attach: in: &fpgabuf_import_attach.fd, any dma-buf, which may be closed
 *	afterwards, @access and @flags; out: its @slot, @size and @segments
 *
 * Return: 0, or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_importer_attach(struct fpgabuf_importer *importer,
			struct fpgabuf_import_attach *attach);
FPGABUF_API int fpgabuf_importer_detach(struct fpgabuf_importer *importer,
					uint32_t slot);

/**
 * fpgabuf_importer_segments() - the pieces that the device gets of a dma-buf
 * @importer: the device
 * @slot: from fpgabuf_importer_attach()
 * @segments: out: room for @max, which get the first ones
 * @max: may be 0
 *
 * Return: how many pieces there are, or a negative errno.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_importer_segments(struct fpgabuf_importer *importer, uint32_t slot,
			  struct fpgabuf_import_segment *segments,
			  uint32_t max);

/**
 * fpgabuf_importer_exchange() - queue copies, and take those that are done
 * @importer: the device
 * @copies: @copy_count copies, all queued or none; an
 *	&fpgabuf_import_copy.out_fence that was asked for is the caller's
 * @copy_count: 0 to &fpgabuf_import_info.queue_depth
 * @done: out: room for @max completions
 * @max: likewise
 * @min: wait for that many, 0 to @max
 * @timeout_ns: longest wait; negative: no limit; 0: none
 *
 * Return: how many were taken; 0 is possible only with @copy_count > 0 or
 * @max == 0. On an error nothing was queued and nothing taken.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_importer_exchange(struct fpgabuf_importer *importer,
			  struct fpgabuf_import_copy *copies,
			  uint32_t copy_count,
			  struct fpgabuf_import_done *done, uint32_t max,
			  uint32_t min, int64_t timeout_ns);

/* Mapped dma-bufs */

/**
 * struct fpgabuf_map - a dma-buf in this process
 * @addr: where it is; aligned to 2 MiB when it is that long, so that the kernel
 *	can use huge pages
 * @size: bytes
 * @fd: a duplicate of the dma-buf's fd, owned by the map
 * @prot: PROT_READ and PROT_WRITE as mapped
 */
struct fpgabuf_map {
	void *addr;
	size_t size;
	int fd;
	int prot;
};

/* Maps all of @fd. @prot: PROT_READ, PROT_WRITE or both. */
FPGABUF_API FPGABUF_MUST_CHECK int fpgabuf_map(int fd, int prot,
					       struct fpgabuf_map *map);
FPGABUF_API void fpgabuf_unmap(struct fpgabuf_map *map);

/*
 * Brackets CPU access (DMA_BUF_IOCTL_SYNC): begin waits for the fences of the
 * buffer and makes what the devices wrote visible, end gives it back to them.
 * @flags: DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE or DMA_BUF_SYNC_RW.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_map_begin(const struct fpgabuf_map *map, uint64_t flags);
FPGABUF_API int fpgabuf_map_end(const struct fpgabuf_map *map, uint64_t flags);

/* Frames that prove what they are (FPGABUF_CAP_TRAILER) */

/* CRC-32C (RFC 3720) of @len bytes, continuing @crc; start with 0. */
FPGABUF_API uint32_t fpgabuf_crc32c(uint32_t crc, const void *data, size_t len);

/**
 * fpgabuf_verify_frame() - check a frame against its trailer
 * @frame: the frame, inside of fpgabuf_map_begin() and _end()
 * @length: bytes of it, &fpgabuf_format.size
 * @trailer: out, may be NULL: the trailer in this machine's byte order
 *
 * Return: 0; -EMSGSIZE: too short, or the trailer tells another length;
 * -EBADMSG: there is no trailer; -EILSEQ: the CRC is wrong.
 */
FPGABUF_API FPGABUF_MUST_CHECK int
fpgabuf_verify_frame(const void *frame, size_t length,
		     struct fpgabuf_trailer *trailer);

/* Names */

/* "coherent", "contiguous", …; NULL for a number that is not known. */
FPGABUF_API const char *fpgabuf_kind_name(uint32_t kind);
/* The kind of that name, or -EINVAL. */
FPGABUF_API FPGABUF_MUST_CHECK int fpgabuf_kind_from_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* LIBFPGABUF_H */
