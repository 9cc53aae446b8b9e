/* store/commit.h: a commit from the inside: operations in order, over one buffer of bytes.
 * Owns:    copies of all keys, values and notes.
 * Errors:  sticky in refused; told at submit.
 * Threads: built by the loop's thread, then handed to the store thread whole.
 * Limits:  COMMIT_ROWS_MAX operations, COMMIT_NOTE_BYTES_MAX, and those of store.h.            */
#ifndef MEDULLA_STORE_COMMIT_H
#define MEDULLA_STORE_COMMIT_H

#include "store/store.h"

#define COMMIT_ROWS_MAX (1u << 20) /* ordinals of one commit fit 20 bits of a row id */
#define COMMIT_NOTE_BYTES_MAX 64

enum commit_kind {
  COMMIT_CHECK,
  COMMIT_UNIQUE,
  COMMIT_PUT,
  COMMIT_REMOVE,
  COMMIT_ADD,
  COMMIT_APPEND,
  COMMIT_TRIM,
};

struct commit_op {
  enum commit_kind kind;
  enum store_table table;
  enum err_code if_not;
  uint32_t key_at, key_bytes;
  uint32_t value_at, value_bytes;
  uint32_t subject_at, subject_bytes;
  uint32_t rows_max; /* TRIM */
  int64_t number;    /* CHECK: version; UNIQUE: now; ADD: delta; TRIM: position */
};

struct store_commit {
  struct store_commit *next;
  struct buf bytes;
  struct commit_op *ops;
  uint32_t ops_count, ops_room;
  uint32_t adds; /* how many of them are additions */
  uint32_t subject_at, subject_bytes;
  const char *refused; /* the limit that was passed; NULL: none */
  store_done *done;
  void *arg;
  struct store_result result;
  uint8_t note[COMMIT_NOTE_BYTES_MAX]; /* what result.seen_note points at */
};

/* Facts of the table of tables. */
bool table_is_log(enum store_table table);
bool table_is_sealed(enum store_table table);
const char *table_name(enum store_table table);

struct bytes commit_key(const struct store_commit *commit, const struct commit_op *op);
struct bytes commit_value(const struct store_commit *commit, const struct commit_op *op);
struct bytes commit_op_subject(const struct store_commit *commit, const struct commit_op *op);
void commit_trim(struct store_commit *commit, enum store_table log, uint64_t before,
                 uint32_t rows_max);

#endif
