/* store/index.c: batches, and the calls through the port. A batch is a run of
 * kind (1), key length (4), value length (4), key, value. */
#include "store/index_ops.h"

#include "base/must.h"
#include "store/pack.h"

#include <stdlib.h>

enum { CHANGE_HEAD_BYTES = 9 };

struct index_batch {
  struct buf changes;
};

struct index_batch *index_batch_new(void) {
  struct index_batch *batch = must_alloc(sizeof *batch);
  buf_init(&batch->changes, INDEX_BATCH_BYTES_MAX);
  return batch;
}

void index_batch_free(struct index_batch **batch) {
  if (!*batch) return;
  buf_fini(&(*batch)->changes);
  free(*batch);
  *batch = NULL;
}

static void add(struct index_batch *batch, enum index_change_kind kind, struct bytes key,
                struct bytes value) {
  buf_char(&batch->changes, (uint8_t)kind);
  pack_put_u32(&batch->changes, (uint32_t)key.len);
  pack_put_u32(&batch->changes, (uint32_t)value.len);
  buf_put(&batch->changes, key);
  buf_put(&batch->changes, value);
}

void index_batch_put(struct index_batch *batch, struct bytes key, struct bytes value) {
  add(batch, INDEX_PUT, key, value);
}

void index_batch_remove(struct index_batch *batch, struct bytes key) {
  add(batch, INDEX_REMOVE, key, BYTES_NONE);
}

void index_batch_remove_range(struct index_batch *batch, struct bytes from, struct bytes to) {
  add(batch, INDEX_REMOVE_RANGE, from, to);
}

void index_batch_clear(struct index_batch *batch) {
  buf_reset(&batch->changes);
}

bool index_batch_next(const struct index_batch *batch, size_t *at,
                      struct index_change *ret_change) {
  struct bytes rest = bytes_from(buf_bytes(&batch->changes), *at);
  if (rest.len < CHANGE_HEAD_BYTES) return false;
  uint32_t key_bytes = unpack_u32(rest.at + 1), value_bytes = unpack_u32(rest.at + 5);
  ret_change->kind = (enum index_change_kind)rest.at[0];
  ret_change->key = bytes_sub(rest, CHANGE_HEAD_BYTES, key_bytes);
  ret_change->value = bytes_sub(rest, CHANGE_HEAD_BYTES + (size_t)key_bytes, value_bytes);
  *at += CHANGE_HEAD_BYTES + (size_t)key_bytes + value_bytes;
  return true;
}

bool index_apply(struct index *index, struct index_batch *batch, uint64_t position,
                 struct err *err) {
  if (!buf_ok(&batch->changes)) FAIL(ERR_LIMIT, "an index batch exceeds INDEX_BATCH_BYTES_MAX");
  TRY(index->ops->apply(index, batch, position, err));
  index_batch_clear(batch);
  return true;
}

uint64_t index_position(const struct index *index) {
  return index->ops->position(index);
}

bool index_get(struct index *index, struct bytes key, struct buf *ret_value, bool *ret_found,
               struct err *err) {
  return index->ops->get(index, key, ret_value, ret_found, err);
}

bool index_scan(struct index *index, struct bytes prefix, struct bytes from, bool reverse,
                bool (*visit)(void *arg, struct bytes key, struct bytes value), void *arg,
                struct err *err) {
  return index->ops->scan(index, prefix, from, reverse, visit, arg, err);
}

bool index_flush(struct index *index, struct err *err) {
  return index->ops->flush(index, err);
}

void index_close(struct index **index) {
  if (!*index) return;
  (*index)->ops->close(*index);
  *index = NULL;
}
