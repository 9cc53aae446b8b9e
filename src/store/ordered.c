/* store/ordered.c: a skip list with a quarter of the nodes on each higher level. The list is
 * ringed backwards on the lowest level, so that reverse scans cost nothing extra. */
#include "store/ordered.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static struct ordered_node *node_new(unsigned levels, struct bytes key, struct bytes value) {
  size_t links = levels * sizeof(struct ordered_node *);
  struct ordered_node *node = must_alloc(sizeof *node + links + key.len);
  uint8_t *at = (uint8_t *)node + sizeof *node + links;
  if (key.len) memcpy(at, key.at, key.len);
  node->key = bytes_of(at, key.len);
  uint8_t *copy = must_alloc(value.len);
  if (value.len) memcpy(copy, value.at, value.len);
  node->value = bytes_of(copy, value.len);
  node->levels = levels;
  return node;
}

static void node_free(struct ordered_node *node) {
  bytes_wipe((void *)(uintptr_t)node->value.at, node->value.len);
  free((void *)(uintptr_t)node->value.at);
  free(node);
}

void ordered_init(struct ordered *ordered) {
  *ordered = (struct ordered){.dice = 88172645463325252u};
  ordered->head = node_new(ORDERED_LEVELS, BYTES_NONE, BYTES_NONE);
  ordered->head->prev = ordered->head;
}

void ordered_clear(struct ordered *ordered) {
  for (struct ordered_node *node = ordered->head->next[0]; node;) {
    struct ordered_node *next = node->next[0];
    node_free(node);
    node = next;
  }
  memset(ordered->head->next, 0, ORDERED_LEVELS * sizeof(struct ordered_node *));
  ordered->head->prev = ordered->head;
  ordered->count = 0;
}

void ordered_fini(struct ordered *ordered) {
  if (!ordered->head) return;
  ordered_clear(ordered);
  node_free(ordered->head);
  *ordered = (struct ordered){0};
}

/* On every level the last node whose key is smaller. */
static void find(const struct ordered *ordered, struct bytes key,
                 struct ordered_node *before[ORDERED_LEVELS]) {
  struct ordered_node *at = ordered->head;
  for (unsigned level = ORDERED_LEVELS; level-- > 0;) {
    while (at->next[level] && bytes_cmp(at->next[level]->key, key) < 0) at = at->next[level];
    before[level] = at;
  }
}

struct ordered_node *ordered_seek(const struct ordered *ordered, struct bytes key) {
  struct ordered_node *before[ORDERED_LEVELS];
  find(ordered, key, before);
  return before[0]->next[0];
}

struct ordered_node *ordered_seek_back(const struct ordered *ordered, struct bytes key) {
  struct ordered_node *before[ORDERED_LEVELS];
  find(ordered, key, before);
  struct ordered_node *next = before[0]->next[0];
  if (next && bytes_eq(next->key, key)) return next;
  return before[0] == ordered->head ? NULL : before[0];
}

struct ordered_node *ordered_get(const struct ordered *ordered, struct bytes key) {
  struct ordered_node *node = ordered_seek(ordered, key);
  return node && bytes_eq(node->key, key) ? node : NULL;
}

static unsigned roll(struct ordered *ordered) {
  uint64_t x = ordered->dice;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  ordered->dice = x;
  unsigned levels = 1;
  for (; levels < ORDERED_LEVELS && (x & 3) == 0; x >>= 2) levels++;
  return levels;
}

static void replace_value(struct ordered_node *node, struct bytes value) {
  uint8_t *copy = must_alloc(value.len);
  if (value.len) memcpy(copy, value.at, value.len);
  bytes_wipe((void *)(uintptr_t)node->value.at, node->value.len);
  free((void *)(uintptr_t)node->value.at);
  node->value = bytes_of(copy, value.len);
}

struct ordered_node *ordered_put(struct ordered *ordered, struct bytes key, struct bytes value,
                                 uint64_t version) {
  struct ordered_node *before[ORDERED_LEVELS];
  find(ordered, key, before);
  struct ordered_node *node = before[0]->next[0];
  if (node && bytes_eq(node->key, key)) {
    replace_value(node, value);
    node->version = version;
    node->tombstone = false;
    return node;
  }
  node = node_new(roll(ordered), key, value);
  node->version = version;
  for (unsigned level = 0; level < node->levels; level++) {
    node->next[level] = before[level]->next[level];
    before[level]->next[level] = node;
  }
  node->prev = before[0];
  if (node->next[0])
    node->next[0]->prev = node;
  else
    ordered->head->prev = node;
  ordered->count++;
  return node;
}

void ordered_drop(struct ordered *ordered, struct bytes key) {
  struct ordered_node *before[ORDERED_LEVELS];
  find(ordered, key, before);
  struct ordered_node *node = before[0]->next[0];
  if (!node || !bytes_eq(node->key, key)) return;
  for (unsigned level = 0; level < node->levels; level++) {
    if (before[level]->next[level] == node) before[level]->next[level] = node->next[level];
  }
  if (node->next[0])
    node->next[0]->prev = node->prev;
  else
    ordered->head->prev = node->prev;
  ordered->count--;
  node_free(node);
}

struct ordered_node *ordered_first(const struct ordered *ordered) {
  return ordered->head->next[0];
}

struct ordered_node *ordered_last(const struct ordered *ordered) {
  return ordered->head->prev == ordered->head ? NULL : ordered->head->prev;
}

struct ordered_node *ordered_next(const struct ordered_node *node) {
  return node->next[0];
}

struct ordered_node *ordered_prev(const struct ordered *ordered, const struct ordered_node *node) {
  return node->prev == ordered->head ? NULL : node->prev;
}
