/* store/commit.c: building a commit. Limits are sticky, so that whoever builds one checks nothing;
 * store_submit tells. A wrong table is our own mistake. */
#include "store/commit.h"

#include "base/must.h"

#include <stdlib.h>

struct table_facts {
  const char *name;
  enum { KV, LOG } kind;
  enum { PLAIN, SEALED } seal;
};

static const struct table_facts tables[TABLE_COUNT] = {
#define TABLE(name, kind, sealed, what) [TABLE_##name] = {#name, kind, sealed},
#include "store/tables.tbl.h"
#undef TABLE
};

bool table_is_log(enum store_table table) {
  must((unsigned)table < TABLE_COUNT);
  return tables[table].kind == LOG;
}

bool table_is_sealed(enum store_table table) {
  must((unsigned)table < TABLE_COUNT);
  return tables[table].seal == SEALED;
}

const char *table_name(enum store_table table) {
  must((unsigned)table < TABLE_COUNT);
  return tables[table].name;
}

struct store_commit *commit_new(void) {
  struct store_commit *commit = must_alloc(sizeof *commit);
  buf_init(&commit->bytes, STORE_COMMIT_BYTES_MAX);
  return commit;
}

void commit_free(struct store_commit **commit) {
  if (!*commit) return;
  buf_fini(&(*commit)->bytes);
  free((*commit)->ops);
  free(*commit);
  *commit = NULL;
}

size_t commit_bytes(const struct store_commit *commit) {
  return commit->bytes.len + commit->ops_count * sizeof *commit->ops;
}

/* Where the copy starts; the offset fits because STORE_COMMIT_BYTES_MAX does. */
static uint32_t copy(struct store_commit *commit, struct bytes a) {
  uint32_t at = (uint32_t)commit->bytes.len;
  buf_put(&commit->bytes, a);
  if (!buf_ok(&commit->bytes)) commit->refused = "STORE_COMMIT_BYTES_MAX";
  return at;
}

static struct commit_op *add_op(struct store_commit *commit, enum commit_kind kind,
                                enum store_table table, struct bytes key, struct bytes value) {
  if (key.len > STORE_KEY_BYTES_MAX) commit->refused = "STORE_KEY_BYTES_MAX";
  if (value.len > STORE_VALUE_BYTES_MAX) commit->refused = "STORE_VALUE_BYTES_MAX";
  if (commit->ops_count == COMMIT_ROWS_MAX) commit->refused = "COMMIT_ROWS_MAX";
  if (commit->refused) return NULL;
  if (commit->ops_count == commit->ops_room) {
    commit->ops_room = commit->ops_room ? commit->ops_room * 2 : 8;
    commit->ops = must_realloc(commit->ops, commit->ops_room * sizeof *commit->ops);
  }
  struct commit_op *op = &commit->ops[commit->ops_count++];
  *op = (struct commit_op){.kind = kind, .table = table};
  op->key_at = copy(commit, key);
  op->key_bytes = (uint32_t)key.len;
  op->value_at = copy(commit, value);
  op->value_bytes = (uint32_t)value.len;
  op->subject_at = commit->subject_at;
  op->subject_bytes = commit->subject_bytes;
  return op;
}

void commit_check(struct store_commit *commit, enum store_table table, struct bytes key,
                  uint64_t version, enum err_code if_not) {
  must(!table_is_log(table) && if_not != ERR_OK);
  struct commit_op *op = add_op(commit, COMMIT_CHECK, table, key, BYTES_NONE);
  if (!op) return;
  op->number = (int64_t)version;
  op->if_not = if_not;
}

void commit_unique(struct store_commit *commit, const uint8_t digest[16], int64_t now_ms,
                   struct bytes note) {
  if (note.len > COMMIT_NOTE_BYTES_MAX) commit->refused = "COMMIT_NOTE_BYTES_MAX";
  struct commit_op *op = add_op(commit, COMMIT_UNIQUE, TABLE_meta, bytes_of(digest, 16), note);
  if (op) op->number = now_ms;
}

void commit_put(struct store_commit *commit, enum store_table table, struct bytes key,
                struct bytes value) {
  must(!table_is_log(table));
  add_op(commit, COMMIT_PUT, table, key, value);
}

void commit_remove(struct store_commit *commit, enum store_table table, struct bytes key) {
  must(!table_is_log(table));
  add_op(commit, COMMIT_REMOVE, table, key, BYTES_NONE);
}

void commit_add(struct store_commit *commit, enum store_table table, struct bytes key,
                int64_t delta) {
  must(!table_is_log(table));
  struct commit_op *op = add_op(commit, COMMIT_ADD, table, key, BYTES_NONE);
  if (!op) return;
  op->number = delta;
  commit->adds++;
}

void commit_append(struct store_commit *commit, enum store_table log, struct bytes key,
                   struct bytes value) {
  must(table_is_log(log));
  add_op(commit, COMMIT_APPEND, log, key, value);
}

void commit_subject(struct store_commit *commit, struct bytes subject) {
  if (subject.len > STORE_KEY_BYTES_MAX) commit->refused = "STORE_KEY_BYTES_MAX";
  if (commit->refused) return;
  commit->subject_at = copy(commit, subject);
  commit->subject_bytes = (uint32_t)subject.len;
}

void commit_trim(struct store_commit *commit, enum store_table log, uint64_t before,
                 uint32_t rows_max) {
  must(table_is_log(log));
  struct commit_op *op = add_op(commit, COMMIT_TRIM, log, BYTES_NONE, BYTES_NONE);
  if (!op) return;
  op->number = (int64_t)before;
  op->rows_max = rows_max;
}

static struct bytes part(const struct store_commit *commit, uint32_t at, uint32_t len) {
  return bytes_sub(buf_bytes(&commit->bytes), at, len);
}

struct bytes commit_key(const struct store_commit *commit, const struct commit_op *op) {
  return part(commit, op->key_at, op->key_bytes);
}

struct bytes commit_value(const struct store_commit *commit, const struct commit_op *op) {
  return part(commit, op->value_at, op->value_bytes);
}

struct bytes commit_op_subject(const struct store_commit *commit, const struct commit_op *op) {
  return part(commit, op->subject_at, op->subject_bytes);
}
