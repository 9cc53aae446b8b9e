/* base/heap.h: an intrusive binary heap by 64-bit key; the smallest first. Timers live in it.
 * Owns:    its array of pointers; never the nodes.
 * Threads: one at a time.                                                                  */
#ifndef MEDULLA_BASE_HEAP_H
#define MEDULLA_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
  int64_t key;
  size_t at; /* 1-based place in the heap; 0: not in it */
};

struct heap {
  struct heap_node **nodes;
  size_t count, room;
};

void heap_fini(struct heap *heap);
/* Puts the node in, or moves it where the new key belongs. */
void heap_set(struct heap *heap, struct heap_node *node, int64_t key);
void heap_drop(struct heap *heap, struct heap_node *node); /* harmless when not in it */
struct heap_node *heap_first(const struct heap *heap);     /* NULL when empty */

#endif
