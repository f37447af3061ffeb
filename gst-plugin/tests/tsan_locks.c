/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLib's locks for the thread sanitizer. They are futexes in a library that is
 * not instrumented, so that by itself it sees no lock at all. These take the
 * place of GLib's for the test and for GStreamer, though not within GLib.
 * Empty without the sanitizer.
 */
#ifdef __SANITIZE_THREAD__
#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

#define EXPORT __attribute__ ((visibility ("default")))

/* GLib's own function, of the name and type of the one that calls this. */
#define REAL(name) \
  static __typeof__ (name) *real; \
  if (!real) \
    real = dlsym (RTLD_NEXT, #name)

static void
acquired (GMutex * mutex)
{
  __tsan_mutex_post_lock (mutex, __tsan_mutex_linker_init, 0);
}

/* A wait for a condition gives up the lock and takes it again. */
static void
begin_wait (GMutex * mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
end_wait (GMutex * mutex)
{
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_linker_init);
  acquired (mutex);
}

EXPORT void
g_mutex_lock (GMutex * mutex)
{
  REAL (g_mutex_lock);

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_linker_init);
  real (mutex);
  acquired (mutex);
}

EXPORT gboolean
g_mutex_trylock (GMutex * mutex)
{
  REAL (g_mutex_trylock);
  gboolean ret;

  __tsan_mutex_pre_lock (mutex,
      __tsan_mutex_linker_init | __tsan_mutex_try_lock);
  ret = real (mutex);
  __tsan_mutex_post_lock (mutex, __tsan_mutex_linker_init |
      __tsan_mutex_try_lock | (ret ? 0 : __tsan_mutex_try_lock_failed), 0);

  return ret;
}

EXPORT void
g_mutex_unlock (GMutex * mutex)
{
  REAL (g_mutex_unlock);

  __tsan_mutex_pre_unlock (mutex, 0);
  real (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

EXPORT void
g_mutex_clear (GMutex * mutex)
{
  REAL (g_mutex_clear);

  real (mutex);
  __tsan_mutex_destroy (mutex, __tsan_mutex_linker_init);
}

EXPORT void
g_cond_wait (GCond * cond, GMutex * mutex)
{
  REAL (g_cond_wait);

  begin_wait (mutex);
  real (cond, mutex);
  end_wait (mutex);
}

EXPORT gboolean
g_cond_wait_until (GCond * cond, GMutex * mutex, gint64 end_time)
{
  REAL (g_cond_wait_until);
  gboolean ret;

  begin_wait (mutex);
  ret = real (cond, mutex, end_time);
  end_wait (mutex);

  return ret;
}

EXPORT void
g_rec_mutex_lock (GRecMutex * mutex)
{
  REAL (g_rec_mutex_lock);

  real (mutex);
  __tsan_acquire (mutex);
}

EXPORT gboolean
g_rec_mutex_trylock (GRecMutex * mutex)
{
  REAL (g_rec_mutex_trylock);
  gboolean ret = real (mutex);

  if (ret)
    __tsan_acquire (mutex);

  return ret;
}

EXPORT void
g_rec_mutex_unlock (GRecMutex * mutex)
{
  REAL (g_rec_mutex_unlock);

  __tsan_release (mutex);
  real (mutex);
}
#endif
