/* base/arena.c: a chain of blocks; a block doubles the one before it. */
#include "base/arena.h"

#include "base/must.h"
#include "base/starve.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_FIRST_BYTES = 4096, ARENA_BLOCK_BYTES_MAX = 1 << 20, ARENA_ALIGN = 16 };

struct arena_block {
  struct arena_block *before;
  size_t bytes; /* usable */
  size_t used;
  size_t pad;
  uint8_t data[];
};

_Static_assert(offsetof(struct arena_block, data) % ARENA_ALIGN == 0, "blocks keep alignment");

void arena_init(struct arena *arena, size_t bytes_max) {
  *arena = (struct arena){.bytes_max = bytes_max};
}

static void block_free(struct arena_block *block) {
  bytes_wipe(block->data, block->used);
  free(block);
}

void arena_reset(struct arena *arena) {
  while (arena->block && arena->block->before) {
    struct arena_block *block = arena->block;
    arena->block = block->before;
    block_free(block);
  }
  if (arena->block) {
    bytes_wipe(arena->block->data, arena->block->used);
    arena->block->used = 0;
  }
  arena->used_bytes = 0;
  arena->overflow = false;
}

void arena_fini(struct arena *arena) {
  arena_reset(arena);
  free(arena->block);
  *arena = (struct arena){0};
}

static struct arena_block *block_new(struct arena *arena, size_t need) {
  size_t bytes = arena->block ? arena->block->bytes * 2 : ARENA_BLOCK_FIRST_BYTES;
  if (bytes > ARENA_BLOCK_BYTES_MAX) bytes = ARENA_BLOCK_BYTES_MAX;
  if (bytes < need) bytes = need;
  struct arena_block *block = malloc(sizeof *block + bytes);
  if (!block) return NULL;
  *block = (struct arena_block){.before = arena->block, .bytes = bytes};
  arena->block = block;
  return block;
}

void *arena_alloc(struct arena *arena, size_t bytes) {
  if (arena->overflow) return NULL;
  if (bytes > arena->bytes_max || arena->used_bytes > arena->bytes_max - bytes) {
    arena->overflow = true;
    return NULL;
  }
  size_t need = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
  if (need == 0) need = ARENA_ALIGN;
  struct arena_block *block = arena->block;
  if (!block || block->bytes - block->used < need) block = block_new(arena, need);
  if (!block || starve(STARVE_ROOM)) {
    arena->overflow = true;
    return NULL;
  }
  void *at = block->data + block->used;
  block->used += need;
  arena->used_bytes += need;
  memset(at, 0, bytes);
  return at;
}

struct bytes arena_copy(struct arena *arena, struct bytes a) {
  uint8_t *at = arena_alloc(arena, a.len);
  if (!at) return BYTES_NONE;
  if (a.len) memcpy(at, a.at, a.len);
  return bytes_of(at, a.len);
}

struct bytes arena_lower(struct arena *arena, struct bytes a) {
  uint8_t *at = arena_alloc(arena, a.len);
  if (!at) return BYTES_NONE;
  for (size_t i = 0; i < a.len; i++)
    at[i] = a.at[i] >= 'A' && a.at[i] <= 'Z' ? (uint8_t)(a.at[i] + 32) : a.at[i];
  return bytes_of(at, a.len);
}

char *arena_str(struct arena *arena, struct bytes a) {
  char *at = arena_alloc(arena, a.len + 1);
  if (at && a.len) memcpy(at, a.at, a.len);
  return at;
}

struct bytes arena_printf(struct arena *arena, const char *format, ...) {
  va_list args;
  va_list again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  must(len >= 0);
  char *at = arena_alloc(arena, (size_t)len + 1);
  if (at) vsnprintf(at, (size_t)len + 1, format, again);
  va_end(again);
  return at ? bytes_of(at, (size_t)len) : BYTES_NONE;
}

bool arena_ok(const struct arena *arena) {
  return !arena->overflow;
}
