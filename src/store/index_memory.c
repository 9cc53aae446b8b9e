/* store/index_memory.c: the derived index without a disk: gone with the process, so that every
 * opening meets the catch-up from the ledger. */
#include "base/must.h"
#include "store/index_ops.h"
#include "store/ordered.h"
#include "store/pack.h"

#include <pthread.h>
#include <stdlib.h>

struct index_memory {
  struct index index;
  pthread_rwlock_t lock;
  struct ordered rows;
  uint64_t position;
};

static struct index_memory *memory_of(struct index *index) {
  return (struct index_memory *)index;
}

static void apply_one(struct index_memory *memory, const struct index_change *change) {
  switch (change->kind) {
  case INDEX_PUT: ordered_put(&memory->rows, change->key, change->value, 0); break;
  case INDEX_REMOVE: ordered_drop(&memory->rows, change->key); break;
  case INDEX_REMOVE_RANGE:
    for (;;) {
      struct ordered_node *node = ordered_seek(&memory->rows, change->key);
      if (!node || bytes_cmp(node->key, change->value) >= 0) break;
      ordered_drop(&memory->rows, node->key);
    }
    break;
  }
}

static bool memory_apply(struct index *index, struct index_batch *batch, uint64_t position,
                         struct err *err) {
  struct index_memory *memory = memory_of(index);
  struct index_change change;
  pthread_rwlock_wrlock(&memory->lock);
  for (size_t at = 0; index_batch_next(batch, &at, &change);) apply_one(memory, &change);
  memory->position = position;
  pthread_rwlock_unlock(&memory->lock);
  return true;
}

static bool memory_get(struct index *index, struct bytes key, struct buf *ret_value,
                       bool *ret_found, struct err *err) {
  struct index_memory *memory = memory_of(index);
  pthread_rwlock_rdlock(&memory->lock);
  struct ordered_node *node = ordered_get(&memory->rows, key);
  if (node) {
    buf_reset(ret_value);
    buf_put(ret_value, node->value);
  }
  pthread_rwlock_unlock(&memory->lock);
  *ret_found = node != NULL;
  if (node && !buf_ok(ret_value)) FAIL(ERR_LIMIT, "an index value does not fit its buffer");
  return true;
}

static struct ordered_node *scan_last(const struct ordered *rows, struct bytes prefix,
                                      struct bytes from) {
  if (from.len) return ordered_seek_back(rows, from);
  struct buf after;
  buf_init(&after, SIZE_MAX);
  struct ordered_node *node = ordered_last(rows);
  if (pack_prefix_end(prefix, &after)) {
    node = ordered_seek(rows, buf_bytes(&after));
    node = node ? ordered_prev(rows, node) : ordered_last(rows);
  }
  buf_fini(&after);
  return node;
}

static bool memory_scan(struct index *index, struct bytes prefix, struct bytes from, bool reverse,
                        bool (*visit)(void *arg, struct bytes key, struct bytes value), void *arg,
                        struct err *err) {
  struct index_memory *memory = memory_of(index);
  pthread_rwlock_rdlock(&memory->lock);
  struct ordered_node *node =
      reverse ? scan_last(&memory->rows, prefix, from)
              : ordered_seek(&memory->rows, bytes_cmp(from, prefix) > 0 ? from : prefix);
  while (node && bytes_starts(node->key, prefix) && visit(arg, node->key, node->value))
    node = reverse ? ordered_prev(&memory->rows, node) : ordered_next(node);
  pthread_rwlock_unlock(&memory->lock);
  return true;
}

static bool memory_flush(struct index *index, struct err *err) {
  return true;
}

static uint64_t memory_position(const struct index *index) {
  return ((const struct index_memory *)index)->position;
}

static void memory_close(struct index *index) {
  struct index_memory *memory = memory_of(index);
  ordered_fini(&memory->rows);
  pthread_rwlock_destroy(&memory->lock);
  free(memory);
}

struct index *index_open_memory(void) {
  static const struct index_ops ops = {
      .apply = memory_apply,
      .get = memory_get,
      .scan = memory_scan,
      .flush = memory_flush,
      .position = memory_position,
      .close = memory_close,
  };
  struct index_memory *memory = must_alloc(sizeof *memory);
  memory->index.ops = &ops;
  must(pthread_rwlock_init(&memory->lock, NULL) == 0);
  ordered_init(&memory->rows);
  return &memory->index;
}
