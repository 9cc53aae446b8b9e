/* base/arena.h: memory that lives and ends together.
 * Owns:    its blocks; everything in it ends with arena_reset or arena_fini.
 * Units:   bytes.
 * Errors:  sticky: past the limit every call gives NULL until the reset; check arena_ok() once.
 * Threads: one at a time.
 * Limits:  bytes_max, named by whoever makes the arena. Blocks are wiped on release.          */
#ifndef MEDULLA_BASE_ARENA_H
#define MEDULLA_BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
  struct arena_block *block;
  size_t used_bytes;
  size_t bytes_max;
  bool overflow;
};

void arena_init(struct arena *arena, size_t bytes_max);
void arena_fini(struct arena *arena);
/* Forget all; the first block stays for the next use. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type. NULL past the limit. */
void *arena_alloc(struct arena *arena, size_t bytes);
struct bytes arena_copy(struct arena *arena, struct bytes a);
struct bytes arena_lower(struct arena *arena, struct bytes a); /* a copy in lower case, ASCII */
/* NUL-terminated copy. */
char *arena_str(struct arena *arena, struct bytes a);
struct bytes arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool arena_ok(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) \
  ((size_t)(count) > SIZE_MAX / sizeof(type) \
       ? NULL \
       : (type *)arena_alloc((arena), (count) * sizeof(type)))

#endif
