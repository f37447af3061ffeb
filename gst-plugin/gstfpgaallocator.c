/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GStreamer plugin for fpgabuf: the buffers of a channel as GstMemory
 *
 * Each registered slot of the channel has one GstMemory for all of its life.
 * It travels: free -> queued (with the driver) -> done (taken from the driver)
 * -> out (downstream) -> free. The last step is made by the memory, not by a
 * GstBuffer: its dispose function revives it. So whoever keeps the memory, in
 * whatever buffer, keeps the engine from writing to it.
 *
 * Memory that is out holds a reference to the allocator, idle memory does not.
 * Detaching gives the slots back to the driver. Memory that is out at that
 * time stays valid, as a dma-buf with no slot, and is freed when released.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstfpgaallocator.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GST_CAT_DEFAULT fpga_allocator_debug
GST_DEBUG_CATEGORY_STATIC (fpga_allocator_debug);

typedef enum
{
  SLOT_FREE,
  SLOT_QUEUED,
  SLOT_DONE,
  SLOT_OUT,
} SlotState;

typedef struct
{
  GstMemory *mem;
  guint32 number;               /* the driver's name of the slot */
  SlotState state;
} Slot;

struct _GstFpgaAllocator
{
  GstDmaBufAllocator parent;

  /* constant after gst_fpga_allocator_new() */
  gsize frame_size;
  guint depth;                  /* most buffers that the driver queues */
  guint low;                    /* with fewer queued the engine may starve */
  Slot *slots;
  guint num_slots;

  GMutex lock;
  /* protected by lock */
  struct fpgabuf_channel *channel;      /* NULL once detached */
  GQueue free;                  /* of Slot */
  guint num_queued;
  guint num_out;
  gboolean waiting;             /* a release shall write to wake_fd */
  gint wake_fd;
};

G_DEFINE_TYPE_WITH_CODE (GstFpgaAllocator, gst_fpga_allocator,
    GST_TYPE_DMABUF_ALLOCATOR,
    GST_DEBUG_CATEGORY_INIT (fpga_allocator_debug, "fpgaallocator", 0,
        "fpgabuf allocator"));

static GQuark
slot_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_quark_from_static_string ("GstFpgaSlot"));

  return quark;
}

static void
wake_waiter (GstFpgaAllocator * self)
{
  if (!self->waiting || self->num_queued >= self->low)
    return;

  self->waiting = FALSE;
  if (eventfd_write (self->wake_fd, 1) < 0)
    GST_ERROR_OBJECT (self, "eventfd: %s", g_strerror (errno));
}

static void
free_slot (GstFpgaAllocator * self, Slot * slot)
{
  slot->state = SLOT_FREE;
  g_queue_push_tail (&self->free, slot);
  wake_waiter (self);
}

/* The dispose function of memory that is out: its last reference is gone. */
static gboolean
gst_fpga_allocator_release (GstMiniObject * object)
{
  GstMemory *mem = GST_MEMORY_CAST (object);
  GstFpgaAllocator *self = GST_FPGA_ALLOCATOR (mem->allocator);
  Slot *slot = gst_mini_object_get_qdata (object, slot_quark ());
  gboolean detached;

  g_mutex_lock (&self->lock);
  self->num_out--;
  detached = self->channel == NULL;
  if (!detached) {
    gst_memory_ref (mem);
    free_slot (self, slot);
  }
  g_mutex_unlock (&self->lock);

  if (detached)
    return TRUE;

  /* From here on @mem belongs to others. This may be the last reference. */
  gst_object_unref (self);

  return FALSE;
}

static void
free_memory (GstFpgaAllocator * self, GstMemory * mem)
{
  GST_MINI_OBJECT_CAST (mem)->dispose = NULL;
  /* the one that idle memory does not hold, but drops when freed */
  gst_object_ref (self);
  gst_memory_unref (mem);
}

static gint
add_slot (GstFpgaAllocator * self, guint32 kind)
{
  Slot *slot = &self->slots[self->num_slots];
  off_t size;
  gint fd, ret;

  fd = fpgabuf_channel_alloc (self->channel, self->frame_size, kind);
  if (fd < 0)
    return fd;

  size = lseek (fd, 0, SEEK_END);
  ret = size < 0 ? -errno : fpgabuf_channel_register (self->channel, fd, 0, 0);
  if (ret < 0) {
    close (fd);
    return ret;
  }

  slot->number = ret;
  slot->mem = gst_dmabuf_allocator_alloc_with_flags (GST_ALLOCATOR_CAST (self),
      fd, size, GST_FD_MEMORY_FLAG_KEEP_MAPPED);
  GST_MINI_OBJECT_CAST (slot->mem)->dispose = gst_fpga_allocator_release;
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (slot->mem), slot_quark (),
      slot, NULL);
  gst_object_unref (self);

  self->num_slots++;
  g_queue_push_tail (&self->free, slot);

  return 0;
}

static void
gst_fpga_allocator_init (GstFpgaAllocator * self)
{
  g_mutex_init (&self->lock);
  g_queue_init (&self->free);
}

static void
gst_fpga_allocator_dispose (GObject * object)
{
  gst_fpga_allocator_detach (GST_FPGA_ALLOCATOR (object));

  G_OBJECT_CLASS (gst_fpga_allocator_parent_class)->dispose (object);
}

static void
gst_fpga_allocator_finalize (GObject * object)
{
  GstFpgaAllocator *self = GST_FPGA_ALLOCATOR (object);

  g_free (self->slots);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_fpga_allocator_parent_class)->finalize (object);
}

static void
gst_fpga_allocator_class_init (GstFpgaAllocatorClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = gst_fpga_allocator_dispose;
  object_class->finalize = gst_fpga_allocator_finalize;
}

/*
 * Allocates and registers @num_buffers buffers of @kind. @channel must stay
 * open until gst_fpga_allocator_detach(), @wake_fd is an eventfd.
 *
 * Returns: (transfer full): NULL on failure, with the negative errno in @error
 */
GstFpgaAllocator *
gst_fpga_allocator_new (struct fpgabuf_channel *channel, guint64 frame_size,
    guint32 kind, guint num_buffers, gint wake_fd, gint * error)
{
  GstFpgaAllocator *self = g_object_new (GST_TYPE_FPGA_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->channel = channel;
  self->frame_size = frame_size;
  self->depth = fpgabuf_channel_info (channel)->queue_depth;
  self->low = MAX (2, num_buffers / 2);
  self->low = MIN (self->low, self->depth);
  self->slots = g_new0 (Slot, num_buffers);
  self->wake_fd = wake_fd;

  for (guint i = 0; i < num_buffers; i++) {
    *error = add_slot (self, kind);
    if (*error < 0) {
      GST_ERROR_OBJECT (self, "buffer %u of %u: %s", i + 1, num_buffers,
          g_strerror (-*error));
      gst_object_unref (self);
      return NULL;
    }
  }

  return self;
}

static guint
pop_free (GstFpgaAllocator * self, struct fpgabuf_queue_entry *queue)
{
  Slot *slot;
  guint n = 0;

  g_mutex_lock (&self->lock);
  self->waiting = FALSE;
  while (n < GST_FPGA_BATCH && self->num_queued < self->depth &&
      (slot = g_queue_pop_head (&self->free))) {
    slot->state = SLOT_QUEUED;
    self->num_queued++;
    queue[n++] = (struct fpgabuf_queue_entry) {
      .slot = slot->number,
      .user_data = slot - self->slots,
    };
  }
  g_mutex_unlock (&self->lock);

  return n;
}

static void
push_back (GstFpgaAllocator * self, const struct fpgabuf_queue_entry *queue,
    guint n)
{
  g_mutex_lock (&self->lock);
  while (n--) {
    Slot *slot = &self->slots[queue[n].user_data];

    slot->state = SLOT_FREE;
    self->num_queued--;
    g_queue_push_head (&self->free, slot);
  }
  g_mutex_unlock (&self->lock);
}

static void
mark_done (GstFpgaAllocator * self, const struct fpgabuf_completion *done,
    guint n)
{
  g_mutex_lock (&self->lock);
  self->num_queued -= n;
  while (n--)
    self->slots[done[n].user_data].state = SLOT_DONE;
  g_mutex_unlock (&self->lock);
}

/*
 * In one system call: gives all free buffers to the driver and takes up to
 * @max done ones. Never waits.
 *
 * Returns: how many were taken, or a negative errno
 */
gint
gst_fpga_allocator_exchange (GstFpgaAllocator * self,
    struct fpgabuf_completion *done, guint max)
{
  struct fpgabuf_queue_entry queue[GST_FPGA_BATCH];
  guint n = pop_free (self, queue);
  gint ret;

  if (n == 0 && max == 0)
    return 0;

  ret = fpgabuf_channel_exchange (self->channel, queue, n, done, max, 0, 0);
  if (ret < 0) {
    push_back (self, queue, n);
    return ret == -EAGAIN ? 0 : ret;
  }
  mark_done (self, done, ret);

  return ret;
}

/* Gives all free buffers to the driver. Returns: 0 or a negative errno */
gint
gst_fpga_allocator_queue (GstFpgaAllocator * self)
{
  return gst_fpga_allocator_exchange (self, NULL, 0);
}

/* After the channel was stopped: takes back what the driver still has. */
void
gst_fpga_allocator_drain (GstFpgaAllocator * self)
{
  struct fpgabuf_completion done[GST_FPGA_BATCH];
  gint n;

  while ((n = fpgabuf_channel_take (self->channel, done, G_N_ELEMENTS (done),
              0, 0)) > 0) {
    mark_done (self, done, n);
    while (n--)
      gst_fpga_allocator_recycle (self, &done[n]);
  }
}

/* Returns: (transfer full): the memory of a buffer that was done */
GstMemory *
gst_fpga_allocator_take (GstFpgaAllocator * self,
    const struct fpgabuf_completion *done)
{
  Slot *slot = &self->slots[done->user_data];

  g_mutex_lock (&self->lock);
  slot->state = SLOT_OUT;
  self->num_out++;
  g_mutex_unlock (&self->lock);

  gst_object_ref (self);
  /* whoever had it last may have resized it */
  slot->mem->offset = 0;
  slot->mem->size = self->frame_size;

  return slot->mem;
}

/* The buffer of @done is not wanted downstream. */
void
gst_fpga_allocator_recycle (GstFpgaAllocator * self,
    const struct fpgabuf_completion *done)
{
  g_mutex_lock (&self->lock);
  free_slot (self, &self->slots[done->user_data]);
  g_mutex_unlock (&self->lock);
}

static gboolean
is_short (GstFpgaAllocator * self)
{
  return self->num_queued < self->low && !g_queue_is_empty (&self->free);
}

/* Is the driver short of buffers that it could have? */
gboolean
gst_fpga_allocator_is_short (GstFpgaAllocator * self)
{
  gboolean ret;

  g_mutex_lock (&self->lock);
  ret = is_short (self);
  g_mutex_unlock (&self->lock);

  return ret;
}

/*
 * Call before waiting for the channel. FALSE: don't wait, there are buffers to
 * queue. TRUE: wake_fd becomes readable as soon as there are.
 */
gboolean
gst_fpga_allocator_prepare_wait (GstFpgaAllocator * self)
{
  gboolean ret;

  g_mutex_lock (&self->lock);
  ret = self->waiting = !is_short (self);
  if (ret && self->num_queued == 0)
    GST_DEBUG_OBJECT (self, "all %u buffers are held downstream",
        self->num_slots);
  g_mutex_unlock (&self->lock);

  return ret;
}

/*
 * Gives up the slots, the channel must be stopped. Memory that is out outlives
 * this; nothing of the channel is used afterwards.
 */
void
gst_fpga_allocator_detach (GstFpgaAllocator * self)
{
  struct fpgabuf_channel *channel;
  GPtrArray *idle = g_ptr_array_new ();

  g_mutex_lock (&self->lock);
  channel = self->channel;
  self->channel = NULL;
  self->waiting = FALSE;
  g_queue_clear (&self->free);
  for (guint i = 0; channel && i < self->num_slots; i++) {
    gint ret = fpgabuf_channel_unregister (channel, self->slots[i].number);

    if (ret < 0)
      GST_WARNING_OBJECT (self, "unregister of slot %u: %s",
          self->slots[i].number, g_strerror (-ret));
    if (self->slots[i].state != SLOT_OUT)
      g_ptr_array_add (idle, self->slots[i].mem);
  }
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < idle->len; i++)
    free_memory (self, g_ptr_array_index (idle, i));
  g_ptr_array_unref (idle);
}

guint
gst_fpga_allocator_get_size (GstFpgaAllocator * self)
{
  return self->num_slots;
}

void
gst_fpga_allocator_count (GstFpgaAllocator * self, guint * queued, guint * held)
{
  g_mutex_lock (&self->lock);
  *queued = self->num_queued;
  *held = self->num_out;
  g_mutex_unlock (&self->lock);
}
