/* store/index_ops.h: the port behind index.h, for its implementations.
 * Owns:    a batch owns copies of its keys and values.
 * Errors:  as index.h.
 * Threads: as index.h.
 * Limits:  INDEX_BATCH_BYTES_MAX; a larger batch is refused when it is applied.          */
#ifndef MEDULLA_STORE_INDEX_OPS_H
#define MEDULLA_STORE_INDEX_OPS_H

#include "store/index.h"

#define INDEX_BATCH_BYTES_MAX (256u << 20)

enum index_change_kind { INDEX_PUT, INDEX_REMOVE, INDEX_REMOVE_RANGE };

struct index_change {
  enum index_change_kind kind;
  struct bytes key, value; /* REMOVE_RANGE: from (inclusive), to (exclusive) */
};

struct index_ops {
  bool (*apply)(struct index *index, struct index_batch *batch, uint64_t position, struct err *err);
  bool (*get)(struct index *index, struct bytes key, struct buf *ret_value, bool *ret_found,
              struct err *err);
  bool (*scan)(struct index *index, struct bytes prefix, struct bytes from, bool reverse,
               bool (*visit)(void *arg, struct bytes key, struct bytes value), void *arg,
               struct err *err);
  bool (*flush)(struct index *index, struct err *err);
  uint64_t (*position)(const struct index *index);
  void (*close)(struct index *index);
};

/* The first member of every index. */
struct index {
  const struct index_ops *ops;
};

/* Iterates over a batch; start with *at = 0. */
bool index_batch_next(const struct index_batch *batch, size_t *at, struct index_change *ret_change);

#endif
