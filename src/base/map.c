/* base/map.c: linear probing, backward-shift deletion, at most three quarters full. */
#include "base/map.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { MAP_FIRST_SLOTS = 16 };

void map_init(struct map *map, uint64_t seed) {
  *map = (struct map){.seed = seed};
}

void map_fini(struct map *map) {
  for (size_t i = 0; i < map->room; i++) free(map->slots[i].key);
  free(map->slots);
  *map = (struct map){0};
}

/* The slot of the key, or the free slot where it would go. */
static struct map_slot *slot_of(const struct map *map, struct bytes key, uint64_t hash) {
  for (size_t i = hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
    struct map_slot *slot = &map->slots[i];
    if (!slot->key) return slot;
    if (slot->hash == hash && bytes_eq(bytes_of(slot->key, slot->key_bytes), key)) return slot;
  }
}

void *map_get(const struct map *map, struct bytes key) {
  if (map->count == 0) return NULL;
  return slot_of(map, key, bytes_hash(key, map->seed))->value;
}

static void grow(struct map *map) {
  struct map_slot *old = map->slots;
  size_t old_room = map->room;
  map->room = old_room ? old_room * 2 : MAP_FIRST_SLOTS;
  map->slots = must_alloc(map->room * sizeof *map->slots);
  for (size_t i = 0; i < old_room; i++)
    if (old[i].key) *slot_of(map, bytes_of(old[i].key, old[i].key_bytes), old[i].hash) = old[i];
  free(old);
}

void *map_put(struct map *map, struct bytes key, void *value) {
  must(value != NULL);
  if ((map->count + 1) * 4 > map->room * 3) grow(map);
  uint64_t hash = bytes_hash(key, map->seed);
  struct map_slot *slot = slot_of(map, key, hash);
  void *before = slot->value;
  if (!slot->key) {
    *slot = (struct map_slot){(uint8_t *)bytes_dup(key), key.len, hash, NULL};
    map->count++;
  }
  slot->value = value;
  return before;
}

static void close_gap(struct map *map, size_t gap) {
  size_t mask = map->room - 1;
  for (size_t i = (gap + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
    size_t home = map->slots[i].hash & mask;
    if (((i - home) & mask) < ((i - gap) & mask)) continue;
    map->slots[gap] = map->slots[i];
    gap = i;
  }
  map->slots[gap] = (struct map_slot){0};
}

void *map_drop(struct map *map, struct bytes key) {
  if (map->count == 0) return NULL;
  struct map_slot *slot = slot_of(map, key, bytes_hash(key, map->seed));
  if (!slot->key) return NULL;
  void *value = slot->value;
  free(slot->key);
  close_gap(map, (size_t)(slot - map->slots));
  map->count--;
  return value;
}

bool map_next(const struct map *map, size_t *at, struct bytes *ret_key, void **ret_value) {
  while (*at < map->room) {
    const struct map_slot *slot = &map->slots[(*at)++];
    if (!slot->key) continue;
    *ret_key = bytes_of(slot->key, slot->key_bytes);
    *ret_value = slot->value;
    return true;
  }
  return false;
}
