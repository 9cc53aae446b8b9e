/* base/starve.h: let one allocation fail, on purpose.
 * Owns:    one counter per kind, of the whole process.
 * Units:   allocations.
 * Errors:  none; whoever is starved says so in its own way: must.h ends the process, an arena and a
 *          buffer overflow.
 * Threads: any.
 * Limits:  one failure per arming. Unarmed it is one load and a branch.
 *
 * Tests arm it; a server is armed by the environment, MEDULLA_STARVE=must:N or room:N, which
 * starve_from_environment() reads once.                                                       */
#ifndef MEDULLA_BASE_STARVE_H
#define MEDULLA_BASE_STARVE_H

#include <stdatomic.h>
#include <stdbool.h>

enum starve_kind {
  STARVE_MUST, /* must_alloc, must_realloc */
  STARVE_ROOM, /* arena_alloc, a buffer that grows */
  STARVE_KINDS
};

extern _Atomic long starve_left[STARVE_KINDS];

/* The nth from now fails; 0: none. */
void starve_arm(enum starve_kind kind, long nth);
/* Armed and not yet hungry. */
bool starve_is_armed(enum starve_kind kind);
/* False: the variable is there and makes no sense. */
bool starve_from_environment(void);
bool starve_count(enum starve_kind kind);

/* Asked before each allocation; true: this one fails. */
static inline bool starve(enum starve_kind kind) {
  return atomic_load_explicit(&starve_left[kind], memory_order_relaxed) != 0 && starve_count(kind);
}

#endif
