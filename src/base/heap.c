/* base/heap.c: sift up, sift down. Equal keys keep no order; put a counter in the key if it
 * matters. */
#include "base/heap.h"

#include "base/must.h"

#include <stdlib.h>

void heap_fini(struct heap *heap) {
  free(heap->nodes);
  *heap = (struct heap){0};
}

static void place(struct heap *heap, size_t at, struct heap_node *node) {
  heap->nodes[at - 1] = node;
  node->at = at;
}

static void sift_up(struct heap *heap, struct heap_node *node, size_t at) {
  while (at > 1 && heap->nodes[at / 2 - 1]->key > node->key) {
    place(heap, at, heap->nodes[at / 2 - 1]);
    at /= 2;
  }
  place(heap, at, node);
}

static void sift_down(struct heap *heap, struct heap_node *node, size_t at) {
  for (;;) {
    size_t child = at * 2;
    if (child > heap->count) break;
    if (child < heap->count && heap->nodes[child]->key < heap->nodes[child - 1]->key) child++;
    if (heap->nodes[child - 1]->key >= node->key) break;
    place(heap, at, heap->nodes[child - 1]);
    at = child;
  }
  place(heap, at, node);
}

void heap_set(struct heap *heap, struct heap_node *node, int64_t key) {
  if (node->at) heap_drop(heap, node);
  if (heap->count == heap->room) {
    heap->room = heap->room ? heap->room * 2 : 64;
    heap->nodes = must_realloc(heap->nodes, heap->room * sizeof(struct heap_node *));
  }
  node->key = key;
  heap->count++;
  sift_up(heap, node, heap->count);
}

void heap_drop(struct heap *heap, struct heap_node *node) {
  if (!node->at) return;
  size_t at = node->at;
  struct heap_node *last = heap->nodes[heap->count - 1];
  heap->count--;
  node->at = 0;
  if (last == node) return;
  if (at > 1 && heap->nodes[at / 2 - 1]->key > last->key)
    sift_up(heap, last, at);
  else
    sift_down(heap, last, at);
}

struct heap_node *heap_first(const struct heap *heap) {
  return heap->count ? heap->nodes[0] : NULL;
}
