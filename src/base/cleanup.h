/* base/cleanup.h: what a scope opened, the scope closes; no cleanup ladders.
 * Owns:    see each attribute.
 * Threads: any.                                                           */
#ifndef MEDULLA_BASE_CLEANUP_H
#define MEDULLA_BASE_CLEANUP_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_at(void *p) {
  free(*(void **)p);
}

static inline void cleanup_fd_at(const int *fd) {
  if (*fd >= 0) close(*fd);
}

#define cleanup_free __attribute__((cleanup(cleanup_free_at)))
#define cleanup_fd __attribute__((cleanup(cleanup_fd_at)))
#define cleanup_buf __attribute__((cleanup(buf_fini)))
#define cleanup_arena __attribute__((cleanup(arena_fini)))

/* Take a pointer or descriptor out of a scope that would have closed it. */
static inline void *steal_at(void *p) {
  void *taken = *(void **)p;
  *(void **)p = NULL;
  return taken;
}

static inline int steal_fd(int *fd) {
  int taken = *fd;
  *fd = -1;
  return taken;
}

#define steal(pointer) (1 ? steal_at(&(pointer)) : (pointer))

#endif
