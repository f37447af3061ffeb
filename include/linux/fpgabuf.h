/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fpgabuf modules offer each other and other drivers.
 */
#ifndef _LINUX_FPGABUF_H
#define _LINUX_FPGABUF_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <uapi/linux/fpgabuf.h>

struct delayed_work;
struct device;
struct dma_buf;
struct dma_buf_attachment;
struct dma_chan;
struct dma_fence;
struct fpgabuf_device;
struct fpgabuf_user_memory;
struct notifier_block;
struct sync_file;
struct work_struct;
struct ww_acquire_ctx;

/* Exporter: memory -> dma_buf (fpgabuf_exporter.ko) */

struct dma_buf *fpgabuf_alloc(struct device *dev, size_t size,
			      enum fpgabuf_kind kind, unsigned int fd_flags);
struct fpgabuf_user_memory *fpgabuf_user_pin(unsigned long address,
					     size_t length,
					     unsigned int fd_flags);
void fpgabuf_user_put(struct fpgabuf_user_memory *memory);
struct dma_buf *fpgabuf_alloc_pinned(struct device *dev,
				     struct fpgabuf_user_memory *memory);
struct dma_buf *fpgabuf_alloc_pool(struct device *dev, u32 block_size,
				   u32 num_blocks, u32 alignment, u32 boundary,
				   unsigned int fd_flags, u32 *stride);
const char *fpgabuf_kind_name(enum fpgabuf_kind kind);
bool fpgabuf_kind_by_size(enum fpgabuf_kind kind);

/**
 * enum fpgabuf_region_caching - how the CPU maps a region
 * @FPGABUF_REGION_CACHED: as its own memory; the device snoops its caches
 * @FPGABUF_REGION_WRITECOMBINE: writes are gathered (a prefetchable BAR, memory
 *	of a device that does not snoop)
 * @FPGABUF_REGION_UNCACHED: every access goes to the bus (any other BAR)
 */
enum fpgabuf_region_caching {
	FPGABUF_REGION_CACHED,
	FPGABUF_REGION_WRITECOMBINE,
	FPGABUF_REGION_UNCACHED,
};

/**
 * struct fpgabuf_region_config - memory that a device brings along
 * @start: where the CPU finds it: physical address of a page
 * @size: bytes, whole pages
 * @bus_address: where its device finds it (behind a BAR the FPGA's own bus
 *	begins), or DMA_MAPPING_ERROR: as any other, through dma_map_resource()
 * @on_board: it is on the device and goes with it; other devices reach it peer
 *	to peer only. Else it is RAM of the system, reserved for the device
 * @caching: how the CPU maps it
 * @release: nobody has a buffer of it any more, after fpgabuf_region_remove();
 *	process context. May be NULL
 * @priv: handed to @release
 */
struct fpgabuf_region_config {
	phys_addr_t start;
	size_t size;
	dma_addr_t bus_address;
	bool on_board;
	enum fpgabuf_region_caching caching;
	void (*release)(void *priv);
	void *priv;
};

int fpgabuf_region_add(struct device *dev,
		       const struct fpgabuf_region_config *config);
void fpgabuf_region_remove(struct device *dev);
bool fpgabuf_region_exists(const struct device *dev);

int devm_fpgabuf_reserved_add(struct device *dev, struct device *dma_dev,
			      enum fpgabuf_region_caching caching);

/**
 * struct fpgabuf_description - what the exporter knows of a buffer of its own
 * @kind: kind of memory
 * @pieces: contiguous pieces of memory that it is made of
 * @largest: bytes of the longest one
 * @coherent: for the device in question it needs no cache maintenance, whatever
 *	its addresses are
 */
struct fpgabuf_description {
	enum fpgabuf_kind kind;
	unsigned int pieces;
	u64 largest;
	bool coherent;
};

bool fpgabuf_describe(const struct dma_buf *dmabuf, const struct device *dev,
		      struct fpgabuf_description *desc);

/**
 * struct fpgabuf_device_ops - how to get at the device that does the DMA
 *
 * Both run in process context, may sleep, and may be called by several tasks
 * at a time.
 */
struct fpgabuf_device_ops {
	/**
	 * @get: the device to allocate for, or an ERR_PTR. It is bound to its
	 * driver until @put.
	 */
	struct device *(*get)(struct fpgabuf_device *device);

	/**
	 * @put: the device is not used any more.
	 */
	void (*put)(struct fpgabuf_device *device);
};

/**
 * struct fpgabuf_device - a device that memory can be had for by name
 * @dev: the device that users know; its name is the name
 * @ops: how to get at the one that does the DMA for it
 * @node: the exporter's
 *
 * Belongs to who announces it, constant from fpgabuf_device_add() until
 * fpgabuf_device_remove().
 */
struct fpgabuf_device {
	struct device *dev;
	const struct fpgabuf_device_ops *ops;
	struct list_head node;
};

/**
 * enum fpgabuf_device_event - what happens to a name, for notifiers
 * @FPGABUF_DEVICE_ADD: there is a device of that name from now on
 * @FPGABUF_DEVICE_REMOVE: there is none any more
 */
enum fpgabuf_device_event {
	FPGABUF_DEVICE_ADD,
	FPGABUF_DEVICE_REMOVE,
};

void fpgabuf_device_add(struct fpgabuf_device *device);
void fpgabuf_device_remove(struct fpgabuf_device *device);
bool fpgabuf_device_offers(const struct fpgabuf_device *device,
			   enum fpgabuf_kind kind);
struct dma_buf *fpgabuf_device_alloc(const char *name, size_t size,
				     enum fpgabuf_kind kind,
				     unsigned int fd_flags);
int fpgabuf_device_register_notifier(struct notifier_block *nb);
void fpgabuf_device_unregister_notifier(struct notifier_block *nb);

/* Importer: dma_buf -> addresses on a device (fpgabuf_importer.ko) */

struct fpgabuf_import;

/**
 * struct fpgabuf_import_ops - what an importer does when memory is to move
 */
struct fpgabuf_import_ops {
	/**
	 * @invalidate: mappings that were made before are not to be used for
	 * anything new. What the device is at goes on until the fences that are
	 * in the reservation have signaled, which may not take for ever; then
	 * fpgabuf_import_unmap() must follow in bounded time. Called with the
	 * reservation held; must not wait. May be called before
	 * fpgabuf_import_movable() returns.
	 */
	void (*invalidate)(struct fpgabuf_import *import);
};

/**
 * struct fpgabuf_import - a dma-buf that a device is attached to
 * @ref: users of the import
 * @dmabuf: the buffer; the import holds a reference
 * @attach: the attachment of the device
 * @sgt: the mapping, of which only DMA addresses and lengths may be used; NULL:
 *	its user maps it, see fpgabuf_import_map()
 * @dir: direction it is mapped for
 * @ops: of a user who maps it, or NULL
 * @priv: that user's
 *
 * Made by fpgabuf_import() or fpgabuf_import_movable(), constant until the last
 * fpgabuf_import_put(); no lock is needed to read it.
 */
struct fpgabuf_import {
	struct kref ref;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	const struct fpgabuf_import_ops *ops;
	void *priv;
};

struct fpgabuf_import *fpgabuf_import(struct device *dev,
				      struct dma_buf *dmabuf,
				      enum dma_data_direction dir);
struct fpgabuf_import *
fpgabuf_import_movable(struct device *dev, struct dma_buf *dmabuf,
		       enum dma_data_direction dir, bool peer,
		       const struct fpgabuf_import_ops *ops, void *priv);
struct sg_table *fpgabuf_import_map(struct fpgabuf_import *import);
void fpgabuf_import_unmap(struct fpgabuf_import *import, struct sg_table *sgt);
struct fpgabuf_import *fpgabuf_import_get(struct fpgabuf_import *import);
void fpgabuf_import_put(struct fpgabuf_import *import);
int fpgabuf_import_slice(const struct fpgabuf_import *import,
			 const struct sg_table *sgt, u64 offset, u64 length,
			 unsigned int max_segment, struct sg_table *slice);

/**
 * struct fpgabuf_wait - fences that something waits for, without a thread
 * @func: called when the last one signals, see fpgabuf_wait_init(); constant
 * @fences: the fences; the caller's between fpgabuf_wait_init() and
 *	fpgabuf_wait_start(), constant until fpgabuf_wait_fini()
 * @left: how many are not signaled
 *
 * Belongs to its user, who calls all but fpgabuf_wait_done() one at a time.
 */
struct fpgabuf_wait {
	void (*func)(struct fpgabuf_wait *wait);
	struct list_head fences;
	atomic_t left;
};

void fpgabuf_wait_init(struct fpgabuf_wait *wait,
		       void (*func)(struct fpgabuf_wait *wait));
int fpgabuf_wait_add(struct fpgabuf_wait *wait, struct dma_fence *fence,
		     bool needed);
int fpgabuf_wait_add_file(struct fpgabuf_wait *wait, int fd);
void fpgabuf_wait_start(struct fpgabuf_wait *wait);
bool fpgabuf_wait_done(const struct fpgabuf_wait *wait);
int fpgabuf_wait_error(const struct fpgabuf_wait *wait);
void fpgabuf_wait_fini(struct fpgabuf_wait *wait);

struct dma_fence *fpgabuf_fence_create(const char *timeline, u64 context,
				       u64 seqno);
int fpgabuf_fence_file(struct dma_fence *fence, struct sync_file **file);

bool fpgabuf_queue_work(struct work_struct *work);
bool fpgabuf_queue_delayed_work(struct delayed_work *work, unsigned long delay);

/**
 * fpgabuf_overlap() - whether two ranges have a byte in common
 * @a: where one starts; anything, as a program says it
 * @a_len: its length in bytes, less than half of all addresses
 * @b: where the other one starts
 * @b_len: its length in bytes, likewise
 *
 * Context: any.
 * Return: whether they do; false when one of them is empty.
 */
static inline bool fpgabuf_overlap(u64 a, u64 a_len, u64 b, u64 b_len)
{
	return a_len && b_len && (a - b < b_len || b - a < a_len);
}

/**
 * struct fpgabuf_reservation - a buffer and a fence that is to be added to it
 * @import: the buffer; the caller holds a reference
 * @fence: the fence, or NULL: nothing is to be added
 * @write: the device writes the buffer; otherwise it only reads it
 * @explicit_sync: others do not wait for it implicitly, nor it for them: they are
 *	ordered by explicit fences
 * @unseen: others do not wait for it implicitly: they learn of its end from a
 *	completion
 * @locked: the reservation is held, and this is the entry to give it back by;
 *	false at first, fpgabuf_reserve()'s from then on
 */
struct fpgabuf_reservation {
	struct fpgabuf_import *import;
	struct dma_fence *fence;
	bool write;
	bool explicit_sync;
	bool unseen;
	bool locked;
};

int fpgabuf_wait_add_implicit(struct fpgabuf_wait *wait,
			      const struct fpgabuf_reservation *res,
			      u64 context);
int fpgabuf_reserve(struct fpgabuf_reservation *res, unsigned int num,
		    struct ww_acquire_ctx *ctx);
void fpgabuf_publish(const struct fpgabuf_reservation *res);
void fpgabuf_unreserve(struct fpgabuf_reservation *res, unsigned int num,
		       struct ww_acquire_ctx *ctx);

/**
 * struct fpgabuf_engine_limits - what dmaengine does not report about an engine
 * @dma_dev: the device that does the DMA: buffers are mapped for it. NULL: the
 *	one that dmaengine reports. To be set where the provider's device is another
 *	one, as with the XDMA IP, whose provider is a child of the PCI device. Must
 *	live as long as the channel
 * @max_segment: longest segment of a descriptor, bytes; 0: what the device reports
 *	(dma_get_max_seg_size()). With one shorter than the alignment registration
 *	returns -EOPNOTSUPP
 * @max_segments: most segments of a descriptor; 0: any number. 1 for engines that
 *	end a packet with its last segment only if it has no other
 * @max_in_flight: most descriptors that the engine is given at a time; 0: 64, which
 *	is the most
 * @max_coalesced: most descriptors that one interrupt reports; 0: one. The timeout
 *	is for each of them, so the last one may take as many timeouts. For engines
 *	that gather interrupts, as the AXI DMA IP does
 * @lines: pictures are moved line by line, without the padding between their lines
 *	(device_prep_interleaved_dma). Engines that take no scatterlists, as the AXI
 *	VDMA IP, do so anyway. Each frame must be in one piece then, each line not
 *	longer than @max_segment, and the pitch a multiple of the alignment
 * @ring: a channel that captures goes round in its buffers and never stops
 *	(device_prep_dma_cyclic). Engines that have nothing else do so anyway. The
 *	buffers must follow each other in one piece of memory then
 *
 * All 0: nothing more is known.
 */
struct fpgabuf_engine_limits {
	struct device *dma_dev;
	u32 max_segment;
	u32 max_segments;
	u32 max_in_flight;
	u32 max_coalesced;
	bool lines;
	bool ring;
};

struct fpgabuf_importer;

/**
 * struct fpgabuf_importer_config - an importing device, as its driver describes
 *	it
 * @name: shown to users; copied
 * @dma_name: name of the engine's channel for dma_request_chan() on the device:
 *	one that copies (DMA_MEMCPY)
 * @timeout_ms: longest time that the engine may take for a descriptor, 1 to
 *	FPGABUF_MAX_TIMEOUT_MS; 0: two seconds
 * @limits: of the engine; @max_segments is ignored, since a copy has a descriptor
 *	for each piece
 *
 * What it points to must live until fpgabuf_importer_unregister().
 */
struct fpgabuf_importer_config {
	const char *name;
	const char *dma_name;
	u32 timeout_ms;
	struct fpgabuf_engine_limits limits;
};

struct fpgabuf_importer *
fpgabuf_importer_register(struct device *dev,
			  const struct fpgabuf_importer_config *config);
void fpgabuf_importer_unregister(struct fpgabuf_importer *importer);

/* Channels: streams on a dmaengine channel (fpgabuf_dma.ko) */

struct fpgabuf_channel;

/* The most entries of one exchange, and the largest queue of a channel */
#define FPGABUF_MAX_BATCH	1024
#define FPGABUF_MAX_DEPTH	4096

/**
 * struct fpgabuf_frame - what a board knows of a frame that was moved
 * @sequence: number of the frame since start, lost frames included
 * @timestamp: CLOCK_MONOTONIC in ns
 * @flags: FPGABUF_DONE_*, why frames before this one were lost
 * @status: 0; or a negative errno: the frame is damaged. It is the status of the
 *	completion, and the error of the fence
 * @bytes: how many were moved. For engines whose result does not say it
 * @metadata: what the user gets with the completion; it is copied when
 *	&fpgabuf_channel_ops.frame has returned
 * @metadata_len: bytes of it, at most FPGABUF_METADATA_SIZE; 0: none
 */
struct fpgabuf_frame {
	u64 sequence;
	u64 timestamp;
	u32 flags;
	int status;
	u64 bytes;
	const void *metadata;
	size_t metadata_len;
};

/**
 * struct fpgabuf_channel_ops - what a board's driver does for its channel
 *
 * All are optional. All but @frame run in process context and may sleep; the
 * channel calls them (but @reset) one at a time, and none after
 * fpgabuf_channel_unregister().
 */
struct fpgabuf_channel_ops {
	/**
	 * @set_format: configure the FPGA's side for @format, which is complete
	 * and within the limits of its description. Not called while started.
	 */
	int (*set_format)(void *priv, const struct fpgabuf_format *format);

	/**
	 * @start: let frames flow. @run counts the starts of this owner. Called
	 * with the queued buffers already issued to the engine.
	 */
	int (*start)(void *priv, u32 run);

	/**
	 * @stop: stop the flow. Called before the engine is terminated.
	 */
	void (*stop)(void *priv);

	/**
	 * @reset: the engine was stopped in the middle of a frame: let the next
	 * one begin with its first byte, and do not start before it is so.
	 * Called with the engine idle, while started or not. Other devices may
	 * wait for what follows: must not wait for memory, nor take a lock that
	 * is held while somebody does. Serialised with nothing but itself.
	 * Returns 0, or a negative errno: the FPGA may still write.
	 */
	int (*reset)(void *priv);

	/**
	 * @configure: set up the engine's channel: dmaengine_slave_config(), or
	 * what dmaengine has no call for. Called when the channel was requested,
	 * and each time after it was terminated. Restricted as @reset. Returns 0,
	 * or a negative errno: the node cannot be opened, or the channel goes
	 * into quarantine.
	 */
	int (*configure)(void *priv, struct dma_chan *chan);

	/**
	 * @idle: the engine was terminated without an error: find out whether it
	 * has stopped. For engines that do not report it if they have not. May
	 * wait, for a bounded time. Restricted as @reset. Returns 0, or a
	 * negative errno: the FPGA may still access memory.
	 */
	int (*idle)(void *priv);

	/**
	 * @frame: read what the engine reported of a completed frame: @metadata of
	 * @len bytes, see dmaengine_desc_get_metadata_ptr(). @frame comes
	 * filled with what the channel knows by itself. Not called for a
	 * transfer that failed. A &fpgabuf_frame.sequence that is lower than
	 * one before it in the run, or more bytes than the buffer got, make
	 * the frame fail with -EIO. Called from
	 * the engine's completion callback: must not sleep.
	 */
	void (*frame)(void *priv, const void *metadata, size_t len,
		      struct fpgabuf_frame *frame);
};

/**
 * struct fpgabuf_channel_config - a channel, as its board describes it
 * @name: shown to users; copied
 * @dma_name: name of the engine's channel for dma_request_chan() on @dev: an
 *	entry of the device tree's dma-names, or of the provider's filter map
 * @direction: enum fpgabuf_direction
 * @capabilities: FPGABUF_CAP_*, but for those that are found out:
 *	FPGABUF_CAP_SCATTER, FPGABUF_CAP_LINES, FPGABUF_CAP_RING,
 *	FPGABUF_CAP_FENCES
 * @queue_depth: buffers that may be queued at a time, 1 to FPGABUF_MAX_DEPTH
 * @alignment: of frames in memory, bytes, a power of two
 * @timeout_ms: longest time that the engine may take for a frame that somebody
 *	has a fence of, from the frame before on, 1 to FPGABUF_MAX_TIMEOUT_MS; 0:
 *	two seconds
 * @formats: what the channel can do; the first one is the default
 * @num_formats: entries of @formats, at least one
 * @default_format: format of a new owner; must be valid for @formats
 * @limits: of the engine
 * @ops: the board's functions, or NULL
 * @priv: handed to them
 *
 * Everything that it points to must live until fpgabuf_channel_unregister().
 */
struct fpgabuf_channel_config {
	const char *name;
	const char *dma_name;
	enum fpgabuf_direction direction;
	u32 capabilities;
	u32 queue_depth;
	u32 alignment;
	u32 timeout_ms;
	const struct fpgabuf_format_desc *formats;
	unsigned int num_formats;
	struct fpgabuf_format default_format;
	struct fpgabuf_engine_limits limits;
	const struct fpgabuf_channel_ops *ops;
	void *priv;
};

struct fpgabuf_channel *
fpgabuf_channel_register(struct device *dev,
			 const struct fpgabuf_channel_config *config);
void fpgabuf_channel_unregister(struct fpgabuf_channel *channel);

#endif /* _LINUX_FPGABUF_H */
