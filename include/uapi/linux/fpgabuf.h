/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * User ABI of the fpgabuf channel devices, /dev/fpgabufN.
 *
 * A channel is one stream between an FPGA and memory, moved by one DMA engine
 * channel. Memory is named by dma-buf file descriptors only: allocated here
 * (FPGABUF_IOC_ALLOC) or by anyone else, registered once (FPGABUF_IOC_REGISTER)
 * and from then on named by a small slot number.
 *
 * Rules that hold for every ioctl:
 *
 * - Structures have the same layout for 32-bit and 64-bit programs and no
 *   implicit padding. Fields named reserved must be zero, else -EINVAL.
 * - Structures may grow at the end. The size is part of the request number: an
 *   older, shorter structure is accepted, the missing fields count as zero; in
 *   a newer, longer one the fields that this kernel does not know must be zero,
 *   else -E2BIG (where it is only written they come back as zero). Shorter than
 *   it was at first is -EINVAL. None of that changes FPGABUF_ABI_VERSION.
 * - A call that fails has changed nothing, and has leaked no file descriptor.
 * - -ENOTTY: no such request; -EFAULT: bad pointer; -ENODEV: the device is gone
 *   (unbound, or its driver removed); -EINTR: a signal came before anything
 *   was done, with or without SA_RESTART.
 * - Memory of a program that is long in coming (userfaultfd, FUSE) holds up the
 *   call that needs it, and nobody else: no other file, no close, no unbind.
 * - Any number of files may be open. The first one that sets a format,
 *   registers a buffer or starts becomes the owner until it is closed; requests
 *   marked [owner] fail with -EBUSY on every other file.
 */
#ifndef _UAPI_LINUX_FPGABUF_H
#define _UAPI_LINUX_FPGABUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Stays 1 until the first release. What programs have to change till then:
 * - FPGABUF_MAX_SLOTS and FPGABUF_MAX_BATCH are gone: &fpgabuf_info.num_slots and
 *   &fpgabuf_info.max_batch, &fpgabuf_import_info.num_slots and .queue_depth say
 *   how many.
 * - &fpgabuf_format_desc.reserved is &fpgabuf_format_desc.flags,
 *   &fpgabuf_completion.reserved is &fpgabuf_completion.metadata_len.
 */
#define FPGABUF_ABI_VERSION	1

#define FPGABUF_MAX_PLANES	4

/* The longest time that a fence can be made to wait for a frame. */
#define FPGABUF_MAX_TIMEOUT_MS	10000

/* The largest block of FPGABUF_KIND_POOL, and its largest alignment. */
#define FPGABUF_POOL_MAX_BLOCK	(1U << 20)

/**
 * enum fpgabuf_direction - which way the frames of a channel go
 * @FPGABUF_DIR_CAPTURE: from the FPGA to memory
 * @FPGABUF_DIR_OUTPUT: from memory to the FPGA
 */
enum fpgabuf_direction {
	FPGABUF_DIR_CAPTURE = 1,
	FPGABUF_DIR_OUTPUT = 2,
};

/**
 * enum fpgabuf_kind - kinds of memory
 * @FPGABUF_KIND_COHERENT: dma_alloc_attrs(); no cache maintenance is needed for
 *	the device that it was allocated for. For control blocks, small frames
 * @FPGABUF_KIND_CONTIGUOUS: dma_alloc_pages(); one physically contiguous,
 *	cached block (from CMA where the kernel has it)
 * @FPGABUF_KIND_SYSTEM: cached pages in blocks of up to 2 MiB, for engines with
 *	scatter-gather
 * @FPGABUF_KIND_WRITECOMBINE: as coherent, but write-combined for the CPU where
 *	the device does not snoop its caches. For frames that the CPU only
 *	writes: reading them may be very slow
 * @FPGABUF_KIND_NONCONTIGUOUS: dma_alloc_noncontiguous(); cached, one address
 *	for the device: pages in any order behind an IOMMU, else one block as
 *	with contiguous. For large frames, up to &fpgabuf_info.max_segment
 * @FPGABUF_KIND_USER: memory that the program already has, pinned where it is:
 *	any address and length. Made by FPGABUF_IOC_ALLOC_USER only
 * @FPGABUF_KIND_POOL: many small blocks of coherent memory, with an alignment
 *	and a boundary. For descriptors, headers, metadata. Made by
 *	FPGABUF_IOC_ALLOC_POOL only
 * @FPGABUF_KIND_REGION: memory that the device brings along: on-board RAM, a
 *	carve-out. Only some devices have it. On-board memory cannot be attached
 *	by other devices but peer to peer, nor mapped into the kernel, and when
 *	its device goes its mappings fail with SIGBUS
 *
 * The numbers are stable, new kinds are added at the end. What a channel can
 * allocate is in &fpgabuf_info.kinds.
 */
enum fpgabuf_kind {
	FPGABUF_KIND_COHERENT = 0,
	FPGABUF_KIND_CONTIGUOUS = 1,
	FPGABUF_KIND_SYSTEM = 2,
	FPGABUF_KIND_WRITECOMBINE = 3,
	FPGABUF_KIND_NONCONTIGUOUS = 4,
	FPGABUF_KIND_USER = 5,
	FPGABUF_KIND_POOL = 6,
	FPGABUF_KIND_REGION = 7,
};

/**
 * enum fpgabuf_format_type - what a frame is
 * @FPGABUF_FORMAT_RAW: a block of &fpgabuf_format.size bytes
 * @FPGABUF_FORMAT_VIDEO: a picture, described by a DRM fourcc and modifier
 */
enum fpgabuf_format_type {
	FPGABUF_FORMAT_RAW = 1,
	FPGABUF_FORMAT_VIDEO = 2,
};

/* The most bytes of its own that a board adds to a completion */
#define FPGABUF_METADATA_SIZE	64

/**
 * struct fpgabuf_fract - a frame rate
 * @numerator: frames
 * @denominator: seconds
 *
 * 30000/1001 is NTSC's rate. 0/1 means unthrottled: a frame for every buffer, as
 * fast as they are queued (FPGABUF_CAP_UNTHROTTLED). 0/0 lets the driver choose;
 * any other fraction with a zero in it is -EINVAL.
 */
struct fpgabuf_fract {
	__u32 numerator;
	__u32 denominator;
};

/* fpgabuf_info.capabilities */

/* The engine takes buffers in several pieces; without it one piece is needed. */
#define FPGABUF_CAP_SCATTER		(1U << 0)
/* Every captured frame ends with a struct fpgabuf_trailer. */
#define FPGABUF_CAP_TRAILER		(1U << 1)
/* The device reports frames that it had to drop (see fpgabuf_completion). */
#define FPGABUF_CAP_LOSS		(1U << 2)
/* The frame rate may be 0/1. */
#define FPGABUF_CAP_UNTHROTTLED		(1U << 3)
/* FPGABUF_QUEUE_*, &fpgabuf_exchange.fences and &fpgabuf_start.timeout_ms */
#define FPGABUF_CAP_FENCES		(1U << 4)
/*
 * Pictures are moved line by line: the padding between the end of a line and the
 * next pitch is neither written nor read, nor is it a part of the stream. A line
 * may not be longer than &fpgabuf_info.max_segment.
 */
#define FPGABUF_CAP_LINES		(1U << 5)
/*
 * The engine never stops between start and stop: it writes to the registered
 * buffers one after the other, and then again, whether or not they are queued.
 * These are at least two, and follow each other in one dma-buf without a gap. A
 * buffer that is queued is done with the next frame that is written to it; a frame
 * that finds its buffer not queued is lost. FPGABUF_DONE_OVERWRITTEN and -EOVERFLOW
 * report what was overwritten. Frames during a failure of the engine (-EIO) are not
 * counted. Nothing can hold the engine back: there are no
 * fences (FPGABUF_CAP_FENCES), and those of the buffers are not waited for.
 */
#define FPGABUF_CAP_RING		(1U << 6)

/* fpgabuf_info.state */

/* Between FPGABUF_IOC_START and FPGABUF_IOC_STOP */
#define FPGABUF_STATE_STREAMING		(1U << 0)
/*
 * The engine could not be stopped, and may still access buffers: they are kept
 * from everybody. FPGABUF_IOC_START tries again, and fails with -EIO till then.
 */
#define FPGABUF_STATE_QUARANTINE	(1U << 1)

/**
 * struct fpgabuf_info - argument of FPGABUF_IOC_INFO
 * @abi_version: out: FPGABUF_ABI_VERSION of this kernel
 * @direction: out: enum fpgabuf_direction
 * @capabilities: out: FPGABUF_CAP_*
 * @kinds: out: bit (1 << enum fpgabuf_kind) for each kind that can be allocated
 * @num_formats: out: formats that FPGABUF_IOC_ENUM_FORMAT lists
 * @num_slots: out: buffers that can be registered at a time
 * @queue_depth: out: buffers that can be queued at a time
 * @alignment: out: bytes that a buffer's offset must be a multiple of
 * @max_segment: out: longest piece in bytes that one descriptor may have
 * @dma_mask: out: addresses that the engine reaches, as a mask
 * @name: out: the channel's name, NUL-terminated
 * @driver: out: the board driver's name, NUL-terminated
 * @bus: out: the device that does the DMA, NUL-terminated
 * @timeout_ms: out: &fpgabuf_start.timeout_ms when that is 0
 * @state: out: FPGABUF_STATE_*
 * @max_batch: out: the most entries, and the most completions, of an exchange
 * @reserved: out: zero
 */
struct fpgabuf_info {
	__u32 abi_version;
	__u32 direction;
	__u32 capabilities;
	__u32 kinds;
	__u32 num_formats;
	__u32 num_slots;
	__u32 queue_depth;
	__u32 alignment;
	__u64 max_segment;
	__u64 dma_mask;
	__u8 name[32];
	__u8 driver[32];
	__u8 bus[32];
	__u32 timeout_ms;
	__u32 state;
	__u32 max_batch;
	__u32 reserved;
};

/**
 * struct fpgabuf_format_desc - argument of FPGABUF_IOC_ENUM_FORMAT
 * @index: in: 0 to &fpgabuf_info.num_formats - 1
 * @type: out: enum fpgabuf_format_type
 * @fourcc: out: DRM_FORMAT_* (video)
 * @stride_align: out: bytes that a pitch must be a multiple of (video)
 * @modifier: out: DRM_FORMAT_MOD_* (video)
 * @min_width: out: smallest width in pixels (video)
 * @max_width: out: largest width in pixels (video)
 * @step_width: out: widths are multiples of this (video)
 * @min_height: out: smallest height in lines (video)
 * @max_height: out: largest height in lines (video)
 * @step_height: out: heights are multiples of this (video)
 * @min_size: out: smallest frame in bytes, padding included
 * @max_size: out: largest frame in bytes, padding included
 * @step_size: out: frame sizes are multiples of this (raw)
 * @flags: in: must be 0; out: FPGABUF_FORMAT_PACKETS if the format may have it
 * @min_rate: out: slowest frame rate
 * @max_rate: out: fastest frame rate, but for 0/1
 *
 * Errors: -ENOENT when there is no format of that index.
 */
struct fpgabuf_format_desc {
	__u32 index;
	__u32 type;
	__u32 fourcc;
	__u32 stride_align;
	__u64 modifier;
	__u32 min_width;
	__u32 max_width;
	__u32 step_width;
	__u32 min_height;
	__u32 max_height;
	__u32 step_height;
	__u64 min_size;
	__u64 max_size;
	__u32 step_size;
	__u32 flags;
	struct fpgabuf_fract min_rate;
	struct fpgabuf_fract max_rate;
};

/* fpgabuf_format.flags */

/* Check and fill in, but do not set; any file may ask. Only in */
#define FPGABUF_FORMAT_TRY		(1U << 0)
/*
 * Packets: a frame may have any length up to &fpgabuf_format.size. One that is
 * shorter is whole: &fpgabuf_completion.bytes says how long it is.
 */
#define FPGABUF_FORMAT_PACKETS		(1U << 1)

/**
 * struct fpgabuf_format - argument of FPGABUF_IOC_GET_FORMAT, _SET_FORMAT
 * @type: enum fpgabuf_format_type
 * @flags: FPGABUF_FORMAT_*
 * @fourcc: DRM_FORMAT_* (video; 0 for raw)
 * @num_planes: planes in use; in: 0, or right (video; 0 for raw)
 * @modifier: DRM_FORMAT_MOD_* (video; 0 for raw)
 * @width: pixels (video; 0 for raw)
 * @height: lines (video; 0 for raw)
 * @pitches: bytes from a line to the next, per plane. In: 0 lets the driver
 *	choose; the pitch of the first plane decides the others, which must be
 *	0 or right (video; 0 for raw)
 * @offsets: bytes from the start of the frame to each plane. In: 0, or right
 * @size: bytes of a whole frame, of packets the longest; in for raw; for video
 *	out, in: 0 or right
 * @rate: frames per second; in 0/0: the driver's choice
 *
 * A new owner starts with the driver's default, which FPGABUF_IOC_GET_FORMAT
 * tells. What is asked for is never changed, only what is left open is filled
 * in. [owner] unless FPGABUF_FORMAT_TRY is given.
 *
 * Errors: -EINVAL: unknown type or flag, a fraction or pitch that is impossible,
 * an offset or a size of a picture that is not right; -EOPNOTSUPP: fourcc or
 * modifier that the channel does not have, or packets of a format that has none
 * (&fpgabuf_format_desc.flags); -ERANGE: width, height, size or rate
 * outside of what it can do, or off its steps;
 * -EBUSY: streaming, or buffers are registered, or another file is the owner.
 */
struct fpgabuf_format {
	__u32 type;
	__u32 flags;
	__u32 fourcc;
	__u32 num_planes;
	__u64 modifier;
	__u32 width;
	__u32 height;
	__u32 pitches[FPGABUF_MAX_PLANES];
	__u32 offsets[FPGABUF_MAX_PLANES];
	__u64 size;
	struct fpgabuf_fract rate;
};

/**
 * struct fpgabuf_alloc - argument of FPGABUF_IOC_ALLOC
 * @size: in: bytes wanted; out: bytes of the buffer, a multiple of the page size
 * @kind: in: enum fpgabuf_kind
 * @flags: in: must be 0
 * @fd_flags: in: O_RDONLY, O_WRONLY or O_RDWR, and O_CLOEXEC
 * @fd: out: the dma-buf; the caller owns it
 *
 * The memory is zeroed, and made for the device that does the channel's DMA.
 * The buffer is an ordinary dma-buf: it may outlive the file.
 *
 * Errors: -EINVAL: size 0, unknown flag or fd_flag, a kind that has a request of
 * its own because it needs more than a size; -EOVERFLOW: a size that does not
 * fit; -EFBIG: FPGABUF_KIND_NONCONTIGUOUS of more than
 * &fpgabuf_info.max_segment, 4 GiB or more of what may be one piece (all kinds but
 * that and FPGABUF_KIND_SYSTEM); -EOPNOTSUPP: a kind that the channel does not have;
 * -ENOMEM: no memory (the kernel log says which knob helps); -EMFILE, -ENFILE: no
 * file descriptor left.
 */
struct fpgabuf_alloc {
	__u64 size;
	__u32 kind;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
};

/**
 * struct fpgabuf_alloc_user - argument of FPGABUF_IOC_ALLOC_USER
 * @address: in: where the memory starts, any byte
 * @length: in: bytes, any number
 * @flags: in: must be 0
 * @fd_flags: in: O_RDONLY, O_WRONLY or O_RDWR, and O_CLOEXEC
 * @fd: out: the dma-buf; the caller owns it
 * @reserved: must be zero
 *
 * Memory of the calling process as a dma-buf of exactly @length bytes:
 * anonymous memory, a memfd, huge pages. The channel's device writes nothing
 * but these bytes, and only they are synchronised: those beside them may be
 * used meanwhile. Where the device does not snoop the CPU's caches this is so
 * from cache line to cache line.
 *
 * The pages are pinned until the dma-buf is gone, and count against the
 * RLIMIT_MEMLOCK of the caller's user until then (not with CAP_IPC_LOCK).
 * Unmapping the memory, or the end of the process, changes nothing of that: what
 * is captured then goes to pages that nobody else has. With O_RDONLY no device
 * can write the memory, and it may be read-only itself.
 *
 * When @address or @length is not page-aligned the dma-buf can be registered
 * with channels of the same device only; anybody else who attaches to it gets
 * -EOPNOTSUPP. mmap() of it shows whole pages, and needs an aligned @address.
 *
 * Errors: -EINVAL: length 0, unknown flag or fd_flag, reserved; -EOVERFLOW: a
 * range that does not fit; -EFAULT: not all of it is mapped; -EACCES: not all
 * of it is writable (O_RDONLY: readable); -EOPNOTSUPP: memory that cannot be
 * pinned for long: of a device, of a dma-buf, of a file on a disk; -ENOMEM: no
 * memory, or RLIMIT_MEMLOCK is reached (the kernel log says so); -EINTR: a fatal
 * signal; -EMFILE, -ENFILE: no file descriptor left.
 */
struct fpgabuf_alloc_user {
	__u64 address;
	__u64 length;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct fpgabuf_alloc_pool - argument of FPGABUF_IOC_ALLOC_POOL
 * @block_size: in: bytes of a block, 1 to FPGABUF_POOL_MAX_BLOCK
 * @num_blocks: in: how many, at least 1
 * @alignment: in: of each block at the device's address, a power of two up to
 *	FPGABUF_POOL_MAX_BLOCK; 0: @block_size, rounded up to a power of two
 * @boundary: in: no block crosses a multiple of it at the device's address, a
 *	power of two and no less than @block_size; 0: none
 * @flags: in: must be 0
 * @fd_flags: in: O_RDONLY, O_WRONLY or O_RDWR, and O_CLOEXEC
 * @fd: out: the dma-buf; the caller owns it
 * @stride: out: bytes from the start of a block to that of the next one
 *
 * One dma-buf with all of the blocks, block i at i * @stride, zeroed, coherent
 * for the channel's device. A block of up to a page crosses no page either. The
 * stride is @block_size, rounded up to a multiple of @alignment, and that to a
 * power of two where a block would cross a boundary or a page otherwise. A
 * block is registered with the offset and the length that it has.
 *
 * Errors: -EINVAL: a number that is not as said, unknown flag or fd_flag;
 * -EOVERFLOW: more than 2 GiB in all; -ENXIO: the device's coherent memory is not
 * aligned as it must be;
 * -ENOMEM: no memory (the kernel log says which knob helps); -EMFILE, -ENFILE:
 * no file descriptor left.
 */
struct fpgabuf_alloc_pool {
	__u32 block_size;
	__u32 num_blocks;
	__u32 alignment;
	__u32 boundary;
	__u32 flags;
	__u32 fd_flags;
	__s32 fd;
	__u32 stride;
};

/**
 * struct fpgabuf_register - argument of FPGABUF_IOC_REGISTER
 * @fd: in: a dma-buf, from anywhere
 * @flags: in: must be 0
 * @offset: in: where in the dma-buf the frame starts, a multiple of
 *	&fpgabuf_info.alignment
 * @length: in: bytes that may be used from there on; 0: all to the end
 * @slot: out: the slot's number
 * @reserved: must be zero
 *
 * Attaches the engine's device to the dma-buf and maps it, once. The slot keeps
 * a reference to the dma-buf, the fd may be closed. [owner]
 *
 * Errors: -EBADF: not an open file; -EINVAL: not a dma-buf, unknown flag,
 * misaligned offset, or (FPGABUF_KIND_USER) a frame that is not aligned for the
 * device; -ERANGE: the range is not inside of the dma-buf;
 * -EMSGSIZE: the range is shorter than a frame; -EACCES: capture into an fd
 * that is not open for writing, or output from one not open for reading;
 * -EEXIST: the range overlaps a registered one; -ENOSPC: no free slot;
 * -EBUSY: also when the size of a frame was changed during the call;
 * -EOPNOTSUPP: more pieces than the engine takes; what the exporter says when
 * it refuses the device: -ENXIO if that is fpgabuf, and the engine does not reach
 * all of the memory, which it would only see through bounce buffers, or not even
 * those (swiotlb=force).
 */
struct fpgabuf_register {
	__s32 fd;
	__u32 flags;
	__u64 offset;
	__u64 length;
	__u32 slot;
	__u32 reserved;
};

/**
 * struct fpgabuf_unregister - argument of FPGABUF_IOC_UNREGISTER
 * @slot: in: the slot
 * @flags: in: must be 0
 *
 * Unmaps and detaches the buffer. A completion of the slot that was not taken
 * yet is dropped. [owner]
 *
 * Errors: -EINVAL: unknown flag; -ENOENT: no buffer in that slot; -EBUSY: it is
 * queued, or in quarantine (FPGABUF_STATE_QUARANTINE).
 */
struct fpgabuf_unregister {
	__u32 slot;
	__u32 flags;
};

/* fpgabuf_queue_entry.flags */

/* The engine does not begin before &fpgabuf_fences.in has signaled. */
#define FPGABUF_QUEUE_IN_FENCE		(1U << 0)
/* &fpgabuf_fences.out signals when the buffer is done. */
#define FPGABUF_QUEUE_OUT_FENCE		(1U << 1)
/*
 * No implicit synchronisation: the engine does not wait for others who use the
 * buffer, and those who do later are not made to wait for it.
 */
#define FPGABUF_QUEUE_NO_IMPLICIT	(1U << 2)

/**
 * struct fpgabuf_fences - the fences of a buffer given to the channel
 * @in: in: a sync_file (FPGABUF_QUEUE_IN_FENCE), of any device; else ignored
 * @out: out: a new sync_file (FPGABUF_QUEUE_OUT_FENCE), with O_CLOEXEC; else left
 *	as it is. The caller owns it. Undefined when the call fails
 */
struct fpgabuf_fences {
	__s32 in;
	__s32 out;
};

/**
 * struct fpgabuf_queue_entry - a buffer given to the channel
 * @slot: a registered slot that is with the caller
 * @flags: FPGABUF_QUEUE_*
 * @bytes: output: bytes of the frame, 0: all of it; capture: must be 0
 * @user_data: comes back in the completion
 */
struct fpgabuf_queue_entry {
	__u32 slot;
	__u32 flags;
	__u64 bytes;
	__u64 user_data;
};

/* fpgabuf_completion.flags */

/* Frames before this one were lost: no buffer was queued when they came. */
#define FPGABUF_DONE_LOST_STARVED	(1U << 0)
/* Frames before this one were lost: the device could not keep up. */
#define FPGABUF_DONE_LOST_OVERRUN	(1U << 1)

/*
 * The engine has written to this buffer between its last completion and when it was
 * queued again (FPGABUF_CAP_RING): what was read of that frame may be torn.
 */
#define FPGABUF_DONE_OVERWRITTEN	(1U << 2)

/**
 * struct fpgabuf_completion - a buffer given back by the channel
 * @slot: the slot; its buffer is with the caller again
 * @status: 0: a whole frame; -EIO: the engine did not take the buffer, reported
 *	an error, lost count of it, gave the frame a number that came before, or
 *	cannot be stopped; -EMSGSIZE: the frame came out shorter than the format
 *	says (never with FPGABUF_FORMAT_PACKETS); -ECANCELED: stopped before the
 *	frame was complete; -ETIMEDOUT: it took longer than
 *	&fpgabuf_start.timeout_ms, or two before it did while it was queued;
 *	-EOVERFLOW: overwritten before it was taken (FPGABUF_CAP_RING); else
 *	the error of a fence that it waited for, or what the board says of a
 *	frame that it found damaged. With all but 0 and -EMSGSIZE the contents
 *	are undefined
 * @sequence: number of the frame since FPGABUF_IOC_START, from 0, lost frames
 *	included; defined with status 0 and -EMSGSIZE only
 * @bytes: bytes that were moved, if the status is 0 or -EMSGSIZE; else 0, or
 *	what the engine says
 * @timestamp: CLOCK_MONOTONIC in ns at the end of the transfer
 * @user_data: from &fpgabuf_queue_entry
 * @flags: FPGABUF_DONE_*, why frames were lost; FPGABUF_DONE_OVERWRITTEN
 * @lost: frames lost between the previous completion of this run and this one
 * @run: counts the calls of FPGABUF_IOC_START, from 1, on this file
 * @metadata_len: bytes that the board added to the frame, up to
 *	FPGABUF_METADATA_SIZE: see &fpgabuf_exchange.metadata
 */
struct fpgabuf_completion {
	__u32 slot;
	__s32 status;
	__u64 sequence;
	__u64 bytes;
	__u64 timestamp;
	__u64 user_data;
	__u32 flags;
	__u32 lost;
	__u32 run;
	__u32 metadata_len;
};

/**
 * struct fpgabuf_metadata - what a board adds to a frame
 * @data: as the board's documentation says
 */
struct fpgabuf_metadata {
	__u8 data[FPGABUF_METADATA_SIZE];
};

/**
 * struct fpgabuf_exchange - argument of FPGABUF_IOC_EXCHANGE
 * @queue: in: pointer to @queue_count struct fpgabuf_queue_entry
 * @done: in: pointer to room for @done_count struct fpgabuf_completion
 * @queue_count: in: buffers to queue, 0 to &fpgabuf_info.max_batch
 * @done_count: in: completions wanted at most, 0 to &fpgabuf_info.max_batch;
 *	out: completions taken
 * @min_done: in: wait for that many of them, 0 to @done_count
 * @flags: in: must be 0
 * @timeout: in: longest wait in ns; negative: no limit. Ignored (no wait) when
 *	the file is O_NONBLOCK
 * @fences: in: pointer to @queue_count struct fpgabuf_fences, in/out, one per
 *	entry; 0: no entry has FPGABUF_QUEUE_IN_FENCE or _OUT_FENCE
 * @metadata: in: pointer to room for @done_count struct fpgabuf_metadata, one per
 *	completion, of which &fpgabuf_completion.metadata_len bytes are valid;
 *	0: not wanted
 *
 * First queues all of @queue, or none of it, in order; then waits until
 * @min_done buffers are done; then takes up to @done_count, in queue order.
 * Buffers may be queued before the channel is started. A buffer is done once
 * the engine no longer touches it and its frame can be read after
 * DMA_BUF_IOCTL_SYNC (or by another device). [owner]
 *
 * Before it begins with a buffer the engine waits, without a thread, for the
 * fences that are in its dma_resv when it is queued: capture for all, output for
 * those of writers. Buffers are done in the order in which they were queued, so
 * that one that waits holds back those behind it.
 *
 * With FPGABUF_QUEUE_OUT_FENCE others can be given the buffer at once: a fence
 * comes out as a sync_file, and is in the dma-buf's reservation, as a writer's
 * for capture, a reader's for output. It signals in bounded time, with the
 * completion's status as its error; the completion comes, too. From when the
 * engine has it, and the one before it is done, a buffer may take
 * &fpgabuf_start.timeout_ms, so does every one that is queued before it. All
 * such fences of a run are one timeline.
 *
 * A wait that ends early (time, signal, stop) with anything queued or taken by
 * this call is a success: look at @done_count. It is an error when nothing was
 * queued, and completions were asked for but none was taken: -EAGAIN (no wait:
 * O_NONBLOCK, timeout 0 or min_done 0), -ETIMEDOUT, -EINTR, or -EPIPE (the
 * channel is stopped and no completion is left).
 *
 * Errors besides these, nothing queued and nothing taken: -EINVAL: unknown
 * flag, min_done > done_count, reserved or bytes that must be zero, or @done or
 * @metadata overlaps @queue, @fences or the other one; -E2BIG: a
 * count over &fpgabuf_info.max_batch; -ENOENT: a slot with no buffer; -EBUSY: a
 * buffer that is queued already (or twice in the list) or whose completion was
 * not taken; -ENOSPC: more than &fpgabuf_info.queue_depth would be queued;
 * -EPIPE: min_done > 0, but the channel is not started and nothing is done; or
 * an out-fence is wanted of a channel that is not started; -EIO: in quarantine,
 * and, when it is not started, still not to be stopped; -ENOMEM: for a list this
 * long, or for its fences.
 * With fences also -EINVAL: no @fences, or &fpgabuf_fences.in is no sync_file;
 * -EMFILE, -ENFILE: no file descriptor left.
 */
struct fpgabuf_exchange {
	__u64 queue;
	__u64 done;
	__u32 queue_count;
	__u32 done_count;
	__u32 min_done;
	__u32 flags;
	__s64 timeout;
	__u64 fences;
	__u64 metadata;
};

/**
 * struct fpgabuf_start - argument of FPGABUF_IOC_START
 * @flags: in: must be 0
 * @run: out: the run's number, as in its completions
 * @timeout_ms: in: longest time that the engine may take for a frame while
 *	there is an out-fence to be signaled, in ms, as many times as the engine
 *	reports frames by one interrupt (commonly once); up to
 *	FPGABUF_MAX_TIMEOUT_MS; 0: &fpgabuf_info.timeout_ms. Without out-fences a
 *	source may be idle as long as it likes
 * @reserved: must be zero
 *
 * Starts the FPGA's side and hands the queued buffers to the engine. [owner]
 *
 * Errors: -EINVAL: unknown flag, a timeout that is too long, reserved;
 * -EALREADY: started already, and not in quarantine; -EIO: in quarantine, and
 * still not to be stopped; -EXDEV: the registered buffers are no ring
 * (FPGABUF_CAP_RING); -EFBIG: they are, of 4 GiB or more; what the board's driver
 * says.
 */
struct fpgabuf_start {
	__u32 flags;
	__u32 run;
	__u32 timeout_ms;
	__u32 reserved;
};

/* fpgabuf_inspect.kind: of memory that is not fpgabuf's */
#define FPGABUF_KIND_FOREIGN		0xffffffffU

/* fpgabuf_inspect.traits */

/*
 * What the CPU or the channel's device writes is seen by the other only after
 * cache maintenance, or copying to or from a bounce buffer. Without it, memory
 * is coherent for the two as far as the DMA API knows.
 */
#define FPGABUF_INSPECT_NEEDS_SYNC	(1U << 0)
/* A slot of this channel is in the buffer. */
#define FPGABUF_INSPECT_REGISTERED	(1U << 1)
/* A device is not done with the buffer: it has a fence that did not signal. */
#define FPGABUF_INSPECT_BUSY		(1U << 2)

/**
 * struct fpgabuf_inspect - argument of FPGABUF_IOC_INSPECT
 * @fd: in: a dma-buf, from anywhere
 * @flags: in: must be 0
 * @size: out: bytes of the buffer
 * @kind: out: enum fpgabuf_kind, or FPGABUF_KIND_FOREIGN
 * @traits: out: FPGABUF_INSPECT_*
 * @cpu_segments: out: contiguous pieces of memory that it is made of; 0: only
 *	its exporter knows (FPGABUF_KIND_FOREIGN)
 * @dma_segments: out: pieces that this channel's engine would get of all of it,
 *	none longer than &fpgabuf_info.max_segment; 0: see @status
 * @cpu_largest: out: bytes of the longest of @cpu_segments
 * @dma_largest: out: bytes of the longest of @dma_segments
 * @status: out: 0, or the negative errno with which this channel's device cannot
 *	get at the buffer. FPGABUF_IOC_REGISTER would say the same. What is
 *	not about the device is told nevertheless
 * @attached: out: how many devices are attached, each as often as it is
 * @names: in: pointer to @names_size bytes for the names of the attached
 *	devices, each NUL-terminated; as many as fit are written
 * @names_size: in: room at @names, may be 0; out: bytes of all names
 * @reserved: must be zero
 *
 * Tells what a buffer is, as this channel's device sees it. Any file may ask, at
 * any time; a stream into the buffer, of this channel or another, is not
 * disturbed. A buffer that is not registered is attached and mapped during the
 * call, which is not told in @attached.
 *
 * Errors: -EBADF: not an open file; -EINVAL: not a dma-buf, unknown flag;
 * -ENOMEM.
 */
struct fpgabuf_inspect {
	__s32 fd;
	__u32 flags;
	__u64 size;
	__u32 kind;
	__u32 traits;
	__u32 cpu_segments;
	__u32 dma_segments;
	__u64 cpu_largest;
	__u64 dma_largest;
	__s32 status;
	__u32 attached;
	__u64 names;
	__u32 names_size;
	__u32 reserved;
};

/*
 * FPGABUF_IOC_STOP stops the FPGA's side and the engine, and returns when the
 * engine touches no buffer any more but those in quarantine. What was queued is
 * done with -ECANCELED, or -EIO if the engine could not be stopped. 0 also when
 * nothing was started. [owner]
 *
 * When the machine is suspended, a stream ends as by FPGABUF_IOC_STOP; it may be
 * started again when it is resumed. Copies of an importing device that are not
 * complete by then are done with -ECANCELED.
 *
 * poll(): EPOLLIN when a completion can be taken; EPOLLERR when the channel is
 * stopped or in quarantine and there is none; EPOLLERR | EPOLLHUP when the
 * device is gone. While another open() streams there is nothing to take, and
 * poll() waits until that one is closed.
 */
#define FPGABUF_IOC_MAGIC	0xfb
#define FPGABUF_IOC_INFO	_IOR(FPGABUF_IOC_MAGIC, 0x00, struct fpgabuf_info)
#define FPGABUF_IOC_ENUM_FORMAT	_IOWR(FPGABUF_IOC_MAGIC, 0x01, struct fpgabuf_format_desc)
#define FPGABUF_IOC_GET_FORMAT	_IOR(FPGABUF_IOC_MAGIC, 0x02, struct fpgabuf_format)
#define FPGABUF_IOC_SET_FORMAT	_IOWR(FPGABUF_IOC_MAGIC, 0x03, struct fpgabuf_format)
#define FPGABUF_IOC_ALLOC	_IOWR(FPGABUF_IOC_MAGIC, 0x04, struct fpgabuf_alloc)
#define FPGABUF_IOC_REGISTER	_IOWR(FPGABUF_IOC_MAGIC, 0x05, struct fpgabuf_register)
#define FPGABUF_IOC_UNREGISTER	_IOW(FPGABUF_IOC_MAGIC, 0x06, struct fpgabuf_unregister)
#define FPGABUF_IOC_EXCHANGE	_IOWR(FPGABUF_IOC_MAGIC, 0x07, struct fpgabuf_exchange)
#define FPGABUF_IOC_START	_IOWR(FPGABUF_IOC_MAGIC, 0x08, struct fpgabuf_start)
#define FPGABUF_IOC_STOP	_IO(FPGABUF_IOC_MAGIC, 0x09)
#define FPGABUF_IOC_ALLOC_USER	_IOWR(FPGABUF_IOC_MAGIC, 0x0a, struct fpgabuf_alloc_user)
#define FPGABUF_IOC_ALLOC_POOL	_IOWR(FPGABUF_IOC_MAGIC, 0x0b, struct fpgabuf_alloc_pool)
#define FPGABUF_IOC_INSPECT	_IOWR(FPGABUF_IOC_MAGIC, 0x0c, struct fpgabuf_inspect)

/*
 * Importing devices: /dev/fpgabuf_importN is a device that is attached to
 * dma-bufs of any origin, and copies from one to another by its DMA engine, in
 * order with everybody else who uses them. One file at a time may be open, any
 * other open() is -EBUSY; -EIO: the engine is in quarantine, and still not to be
 * stopped. To close it is to stop it.
 *
 * The conventions are those above. All calls but for FPGABUF_IMPORT_IOC_INFO are
 * -EIO in quarantine (FPGABUF_STATE_QUARANTINE), where they would attach or copy.
 */

/**
 * struct fpgabuf_import_info - argument of FPGABUF_IMPORT_IOC_INFO
 * @abi_version: out: FPGABUF_ABI_VERSION of this kernel
 * @state: out: FPGABUF_STATE_*
 * @num_slots: out: buffers that can be attached at a time
 * @queue_depth: out: copies that can be queued, or done and not taken, at a time
 * @alignment: out: bytes that all offsets and lengths must be a multiple of
 * @timeout_ms: out: longest time that the engine may take for a piece, in ms
 * @max_segment: out: longest piece in bytes that one descriptor may have
 * @dma_mask: out: addresses that the engine reaches, as a mask
 * @name: out: the importing device's name, NUL-terminated
 * @driver: out: its driver's name, NUL-terminated
 * @bus: out: the device that does the DMA, NUL-terminated
 */
struct fpgabuf_import_info {
	__u32 abi_version;
	__u32 state;
	__u32 num_slots;
	__u32 queue_depth;
	__u32 alignment;
	__u32 timeout_ms;
	__u64 max_segment;
	__u64 dma_mask;
	__u8 name[32];
	__u8 driver[32];
	__u8 bus[32];
};

/* fpgabuf_import_attach.access */

/* The device reads the buffer: it may be &fpgabuf_import_copy.src. */
#define FPGABUF_IMPORT_READ		(1U << 0)
/* The device writes it: it may be &fpgabuf_import_copy.dst. */
#define FPGABUF_IMPORT_WRITE		(1U << 1)

/* fpgabuf_import_attach.flags */

/*
 * Without it the memory stays where it is while it is attached. With it the
 * exporter may move it between copies, or take it away: then copies fail with
 * -ENODEV. For engines that can be stopped: one in quarantine may still access
 * where it was, and an exporter need not wait for that.
 */
#define FPGABUF_IMPORT_MOVABLE		(1U << 0)
/*
 * It may be memory of another device, if the two are peers (peer to peer). Only
 * with FPGABUF_IMPORT_MOVABLE
 */
#define FPGABUF_IMPORT_PEER		(1U << 1)

/**
 * struct fpgabuf_import_attach - argument of FPGABUF_IMPORT_IOC_ATTACH
 * @fd: in: a dma-buf, from anywhere
 * @flags: in: FPGABUF_IMPORT_MOVABLE, _PEER
 * @access: in: FPGABUF_IMPORT_READ, _WRITE or both
 * @slot: out: the number by which it is known to this file
 * @size: out: bytes of the buffer
 * @segments: out: pieces that the engine gets of it, see
 *	FPGABUF_IMPORT_IOC_SEGMENTS
 * @reserved: must be zero
 *
 * Attaches the device and maps the buffer, which stays so until
 * FPGABUF_IMPORT_IOC_DETACH or close(). The file descriptor may be closed.
 *
 * Errors: -EBADF: not an open file; -EINVAL: not a dma-buf, unknown flag, no
 * access, not aligned for the engine; -EACCES: the file descriptor is not open
 * for that access; -EEXIST: it is attached; -ENOSPC: no free slot; -EIO: the
 * exporter maps less than the buffer's size; -ENOMEM; what the exporter says when
 * it refuses the device: fpgabuf itself -ENXIO if the engine does not reach all
 * of the memory.
 */
struct fpgabuf_import_attach {
	__s32 fd;
	__u32 flags;
	__u32 access;
	__u32 slot;
	__u64 size;
	__u32 segments;
	__u32 reserved;
};

/**
 * struct fpgabuf_import_detach - argument of FPGABUF_IMPORT_IOC_DETACH
 * @slot: in: the slot
 * @flags: in: must be 0
 *
 * Unmaps and detaches. Errors: -EINVAL: unknown flag; -ENOENT: no buffer in that
 * slot; -EBUSY: a copy from or to it is queued, or the engine may still access
 * it (FPGABUF_STATE_QUARANTINE).
 */
struct fpgabuf_import_detach {
	__u32 slot;
	__u32 flags;
};

/**
 * struct fpgabuf_import_segment - a piece of a buffer, as the engine gets it
 * @length: bytes
 * @alignment: the largest power of two that its DMA address is a multiple of; 0:
 *	the address is 0
 *
 * The address itself is nobody's business but the device's.
 */
struct fpgabuf_import_segment {
	__u64 length;
	__u64 alignment;
};

/**
 * struct fpgabuf_import_segments - argument of FPGABUF_IMPORT_IOC_SEGMENTS
 * @segments: in: pointer to room for @count struct fpgabuf_import_segment
 * @slot: in: the slot
 * @flags: in: must be 0
 * @count: in: how many to tell at most; out: how many there are
 * @reserved: must be zero
 *
 * The pieces of the buffer from its beginning on. Errors: -EINVAL: unknown flag;
 * -ENOENT: no buffer in that slot; what FPGABUF_IMPORT_IOC_ATTACH says, of memory
 * that has moved.
 */
struct fpgabuf_import_segments {
	__u64 segments;
	__u32 slot;
	__u32 flags;
	__u32 count;
	__u32 reserved;
};

/**
 * struct fpgabuf_import_copy - bytes to be copied by the device
 * @src_offset: where in the source they are
 * @dst_offset: where in the destination they go
 * @length: how many, at least 1
 * @user_data: comes back when they are copied
 * @src: slot of the source, attached for FPGABUF_IMPORT_READ
 * @dst: slot of the destination, attached for FPGABUF_IMPORT_WRITE. May be the
 *	source, if the ranges do not overlap
 * @flags: FPGABUF_QUEUE_*
 * @reserved: must be zero
 * @in_fence: in: a sync_file (FPGABUF_QUEUE_IN_FENCE), of any device; else ignored
 * @out_fence: out: a new sync_file (FPGABUF_QUEUE_OUT_FENCE), with O_CLOEXEC; else
 *	left as it is. The caller owns it. Undefined when the call fails
 */
struct fpgabuf_import_copy {
	__u64 src_offset;
	__u64 dst_offset;
	__u64 length;
	__u64 user_data;
	__u32 src;
	__u32 dst;
	__u32 flags;
	__u32 reserved;
	__s32 in_fence;
	__s32 out_fence;
};

/**
 * struct fpgabuf_import_done - a copy that is done
 * @user_data: from &fpgabuf_import_copy
 * @timestamp: CLOCK_MONOTONIC in ns at its end
 * @status: 0: copied; -EIO: the engine did not take it, reported an error, lost
 *	count of it, or cannot be stopped; -EMSGSIZE: it copied less; -ECANCELED:
 *	it gave up; -ETIMEDOUT: it took longer than
 *	&fpgabuf_import_info.timeout_ms, or two before it did while it was
 *	queued; else the error of a fence that was waited for. With all but 0 the
 *	contents of the destination are undefined
 * @reserved: zero
 */
struct fpgabuf_import_done {
	__u64 user_data;
	__u64 timestamp;
	__s32 status;
	__u32 reserved;
};

/**
 * struct fpgabuf_import_exchange - argument of FPGABUF_IMPORT_IOC_EXCHANGE
 * @copies: in: pointer to @copy_count struct fpgabuf_import_copy, in/out
 * @done: in: pointer to room for @done_count struct fpgabuf_import_done
 * @copy_count: in: copies to queue, 0 to
 *	&fpgabuf_import_info.queue_depth
 * @done_count: in: completions wanted at most, likewise; out:
 *	completions taken
 * @min_done: in: wait for that many of them, 0 to @done_count
 * @flags: in: must be 0
 * @timeout: in: longest wait in ns; negative: no limit. Ignored (no wait) when
 *	the file is O_NONBLOCK
 *
 * First queues all of @copies, or none of them, in order; then waits until
 * @min_done are done; then takes up to @done_count, in the order in which they
 * were queued, which is the order in which they are done.
 *
 * Before it begins with a copy the device waits, without a thread, for who
 * writes the source and who uses the destination when the copy is queued. With
 * FPGABUF_QUEUE_OUT_FENCE others can be given both at once, as with
 * &struct fpgabuf_exchange: the fence is in the source's reservation as a
 * reader's, in the destination's as a writer's. It signals in bounded time, with
 * the completion's status as its error; all of a file are one timeline.
 *
 * A wait that ends early with anything queued or taken by this call is a success:
 * look at @done_count. It is an error when nothing was queued, and completions
 * were asked for but none was taken: -EAGAIN (no wait: O_NONBLOCK, timeout 0 or
 * min_done 0), -ETIMEDOUT, -EINTR, or -EPIPE (nothing is queued).
 *
 * Errors besides these, nothing queued and nothing taken: -EINVAL: unknown flag,
 * min_done > done_count, reserved that must be zero, no length, a misaligned
 * offset, length or buffer, ranges that overlap, &fpgabuf_import_copy.in_fence is
 * no sync_file, @done overlaps @copies; -E2BIG: a count over
 * &fpgabuf_import_info.queue_depth;
 * -ENOENT: a slot with no buffer; -EACCES: a buffer not attached for that;
 * -ERANGE: a range not inside of its buffer; -ENOSPC: more than
 * &fpgabuf_import_info.queue_depth; -EIO: in quarantine; -EMFILE, -ENFILE: no
 * file descriptor left; -ENOMEM; of memory that has moved
 * (FPGABUF_IMPORT_MOVABLE) what FPGABUF_IMPORT_IOC_ATTACH says, and -ENODEV when
 * it is gone.
 */
struct fpgabuf_import_exchange {
	__u64 copies;
	__u64 done;
	__u32 copy_count;
	__u32 done_count;
	__u32 min_done;
	__u32 flags;
	__s64 timeout;
};

/*
 * poll(): EPOLLIN when a copy is done and not taken; EPOLLERR in quarantine when
 * there is none; EPOLLERR | EPOLLHUP when the device is gone.
 */
#define FPGABUF_IMPORT_IOC_INFO		_IOR(FPGABUF_IOC_MAGIC, 0x40, struct fpgabuf_import_info)
#define FPGABUF_IMPORT_IOC_ATTACH	_IOWR(FPGABUF_IOC_MAGIC, 0x41, struct fpgabuf_import_attach)
#define FPGABUF_IMPORT_IOC_DETACH	_IOW(FPGABUF_IOC_MAGIC, 0x42, struct fpgabuf_import_detach)
#define FPGABUF_IMPORT_IOC_SEGMENTS \
	_IOWR(FPGABUF_IOC_MAGIC, 0x43, struct fpgabuf_import_segments)
#define FPGABUF_IMPORT_IOC_EXCHANGE \
	_IOWR(FPGABUF_IOC_MAGIC, 0x44, struct fpgabuf_import_exchange)

/* "fpgb", the magic of struct fpgabuf_trailer */
#define FPGABUF_TRAILER_MAGIC	0x62677066

/**
 * struct fpgabuf_trailer - the last bytes of every frame (FPGABUF_CAP_TRAILER)
 * @magic: FPGABUF_TRAILER_MAGIC
 * @run: &fpgabuf_completion.run
 * @sequence: &fpgabuf_completion.sequence
 * @length: bytes of the frame, trailer included
 * @reserved: zero
 * @crc: CRC-32C (Castagnoli, RFC 3720 appendix B.4) of all bytes of the frame
 *	before this field
 *
 * Lets a consumer prove what it received. All fields are little-endian. In a
 * picture it takes the end of the last line, where camera sensors put their
 * embedded data. Padding of lines counts as a part of the frame, but not with
 * FPGABUF_CAP_LINES: then the frame is its lines without padding, one after the
 * other, for @length, for @crc, and for where the trailer is.
 */
struct fpgabuf_trailer {
	__le32 magic;
	__le32 run;
	__le64 sequence;
	__le64 length;
	__le32 reserved;
	__le32 crc;
};

#endif /* _UAPI_LINUX_FPGABUF_H */
