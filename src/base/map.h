/* base/map.h: bytes to pointer, a seeded open-addressing hash map.
 * Owns:    its table and copies of its keys; never the values.
 * Errors:  growth without memory is a broken promise (must).
 * Threads: one at a time.
 * Limits:  none of its own; whoever fills it names the limit.      */
#ifndef MEDULLA_BASE_MAP_H
#define MEDULLA_BASE_MAP_H

#include "base/bytes.h"

struct map_slot {
  uint8_t *key; /* NULL: free */
  size_t key_bytes;
  uint64_t hash;
  void *value;
};

struct map {
  struct map_slot *slots;
  size_t room; /* power of two, or 0 */
  size_t count;
  uint64_t seed;
};

void map_init(struct map *map, uint64_t seed);
void map_fini(struct map *map);
void *map_get(const struct map *map, struct bytes key);
/* Sets or replaces; returns the value that was there, or NULL. */
void *map_put(struct map *map, struct bytes key, void *value);
/* Returns the value that was there, or NULL. */
void *map_drop(struct map *map, struct bytes key);
/* Iterate: start with at = 0; false at the end. Do not change the map meanwhile. */
bool map_next(const struct map *map, size_t *at, struct bytes *ret_key, void **ret_value);

#endif
