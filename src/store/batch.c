/* store/batch.c: runs folded commits. Every check of a commit runs before its first write, so a
 * commit that fails has written nothing and the transaction goes on without a savepoint. Later
 * commits see what earlier ones of the same transaction wrote. */
#include "store/batch.h"

#include "base/must.h"
#include "store/pack.h"

#include <stdio.h>
#include <string.h>

bool engine_fault_pass(struct engine_fault *fault, struct err *err) {
  if (atomic_load_explicit(&fault->nth_call, memory_order_relaxed) == 0) return true;
  if (atomic_fetch_sub(&fault->nth_call, 1) != 1) return true;
  FAIL((enum err_code)atomic_load(&fault->code), "the engine call was made to fail");
}

void batch_add(struct batch *batch, struct store_commit *commit) {
  commit->next = NULL;
  if (batch->last)
    batch->last->next = commit;
  else
    batch->first = commit;
  batch->last = commit;
  batch->count++;
  batch->bytes += commit_bytes(commit);
}

struct store_commit *batch_take(struct batch *batch) {
  struct store_commit *commit = batch->first;
  if (!commit) return NULL;
  batch->first = commit->next;
  if (!batch->first) batch->last = NULL;
  batch->count--;
  batch->bytes -= commit_bytes(commit);
  commit->next = NULL;
  return commit;
}

/* ---- The engine, past the fault ---- */

static bool engine_get(struct batch_port *port, enum store_table table, struct bytes key,
                       struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  TRY(engine_fault_pass(port->fault, err));
  return port->engine->ops->get(port->engine, table, key, ret_value, ret_version, err);
}

static bool engine_put(struct batch_port *port, const struct commit_op *op, struct bytes key,
                       struct bytes value, uint64_t position, struct err *err) {
  TRY(engine_fault_pass(port->fault, err));
  return port->engine->ops->put(port->engine, op->table, key, value, position, err);
}

/* ---- Checks ---- */

/* A check that does not hold is the commit's own failure; false is the engine's. */
static void refuse(struct store_commit *commit, enum err_code code, unsigned check,
                   const char *what, enum store_table table) {
  err_set(&commit->result.err, code, ERR_PLACE, ERR_OFFSET_NONE, "%s %s", what, table_name(table));
  commit->result.failed_check = check;
}

static bool check_version(struct batch_port *port, struct store_commit *commit,
                          const struct commit_op *op, unsigned check, struct err *err) {
  uint64_t version = 0;
  TRY(engine_get(port, op->table, commit_key(commit, op), NULL, &version, err));
  if (version != (uint64_t)op->number)
    refuse(commit, op->if_not, check, "a version check did not hold in table", op->table);
  return true;
}

static void keep_seen(struct store_commit *commit, uint64_t position, struct bytes note) {
  size_t len = note.len < sizeof commit->note ? note.len : sizeof commit->note;
  if (len) memcpy(commit->note, note.at, len);
  commit->result.seen_position = position;
  commit->result.seen_note = bytes_of(commit->note, len);
}

/* `own` holds the digests this very commit marks. */
static bool check_unique(struct batch_port *port, struct store_commit *commit,
                         const struct commit_op *op, unsigned check, struct map *own,
                         struct err *err) {
  struct bytes digest = commit_key(commit, op);
  struct unique_seen seen = {0};
  bool found = false;
  const struct commit_op *before = map_put(own, digest, (void *)(uintptr_t)op);
  if (before) {
    found = true;
    seen.note = commit_value(commit, before);
  } else {
    TRY(unique_find(port->unique, digest, op->number, &found, &seen, err));
  }
  if (!found) return true;
  refuse(commit, ERR_EXISTS, check, "a unique mark is there already, table", TABLE_event);
  keep_seen(commit, seen.position, seen.note);
  return true;
}

static bool check_all(struct batch_port *port, struct store_commit *commit, struct err *err) {
  struct map own;
  unsigned check = 0;
  bool good = true;
  map_init(&own, port->unique->overlay.seed);
  for (uint32_t i = 0; good && i < commit->ops_count && !commit->result.err.code; i++) {
    const struct commit_op *op = &commit->ops[i];
    if (op->kind == COMMIT_CHECK) good = check_version(port, commit, op, check++, err);
    if (op->kind == COMMIT_UNIQUE) good = check_unique(port, commit, op, check++, &own, err);
  }
  map_fini(&own);
  return good;
}

/* ---- Additions: every sum is known before the first write ---- */

/* A JSON integer that fits 64 bits. */
static bool read_integer(struct bytes text, int64_t *ret_value) {
  bool negative = text.len && text.at[0] == '-';
  struct bytes digits = bytes_from(text, negative);
  uint64_t size, limit = (uint64_t)INT64_MAX + negative;
  if (digits.len > 1 && digits.at[0] == '0') return false;
  if (!bytes_u64(digits, &size) || size > limit) return false;
  *ret_value = negative ? (int64_t)(0 - size) : (int64_t)size;
  return true;
}

static bool open_value(struct batch_port *port, enum store_table table, struct bytes key,
                       struct bytes sealed, struct bytes *ret_plain, struct err *err) {
  *ret_plain = sealed;
  if (!table_is_sealed(table)) return true;
  struct seal_place place = {.tenant = port->seal->tenant, .table = table_name(table), .key = key};
  return port->seal->open(port->seal->self, &place, sealed, &port->plain, ret_plain, err);
}

/* What the row holds before this addition: the commit's own last write, or the ledger's row.
 * `seen` has the last earlier operation of this commit on each row. */
static bool read_addend(struct batch_port *port, struct store_commit *commit,
                        const struct commit_op *op, const struct commit_op *before,
                        int64_t *ret_value, bool *ret_good, struct err *err) {
  struct bytes key = commit_key(commit, op), text;
  uint64_t version = 0;
  *ret_value = 0;
  *ret_good = true;
  if (before && before->kind == COMMIT_ADD) {
    *ret_value = before->number;
  } else if (before) {
    if (before->kind == COMMIT_PUT)
      *ret_good = read_integer(commit_value(commit, before), ret_value);
  } else {
    TRY(engine_get(port, op->table, key, &port->sealed, &version, err));
    if (!version) return true;
    TRY(open_value(port, op->table, key, buf_bytes(&port->sealed), &text, err));
    *ret_good = read_integer(text, ret_value);
  }
  return true;
}

/* Turns each delta into the sum it leads to. */
static bool sum_up(struct batch_port *port, struct store_commit *commit, struct err *err) {
  struct map seen;
  struct buf place;
  bool good = true;
  map_init(&seen, port->unique->overlay.seed);
  buf_init(&place, STORE_KEY_BYTES_MAX + 1);
  for (uint32_t i = 0; good && i < commit->ops_count && !commit->result.err.code; i++) {
    struct commit_op *op = &commit->ops[i];
    if (op->kind != COMMIT_PUT && op->kind != COMMIT_REMOVE && op->kind != COMMIT_ADD) continue;
    buf_reset(&place);
    buf_char(&place, (uint8_t)op->table);
    buf_put(&place, commit_key(commit, op));
    const struct commit_op *before = map_put(&seen, buf_bytes(&place), op);
    if (op->kind != COMMIT_ADD) continue;
    int64_t value;
    bool integer;
    good = read_addend(port, commit, op, before, &value, &integer, err);
    if (good && (!integer || __builtin_add_overflow(value, op->number, &op->number)))
      refuse(commit, ERR_INVALID, 0, "an addition found no 64-bit integer in table", op->table);
  }
  buf_fini(&place);
  map_fini(&seen);
  return good;
}

/* ---- Writes ---- */

static bool seal_value(struct batch_port *port, struct store_commit *commit,
                       const struct commit_op *op, struct bytes key, struct bytes plain,
                       struct bytes *ret_sealed, struct err *err) {
  *ret_sealed = plain;
  if (!table_is_sealed(op->table)) return true;
  struct seal_place place = {.tenant = port->seal->tenant,
                             .subject = commit_op_subject(commit, op),
                             .table = table_name(op->table),
                             .key = key};
  buf_reset(&port->sealed);
  TRY(port->seal->seal(port->seal->self, &place, plain, &port->sealed, err));
  *ret_sealed = buf_bytes(&port->sealed);
  return true;
}

static bool write_put(struct batch_port *port, struct store_commit *commit,
                      const struct commit_op *op, struct bytes plain, uint64_t position,
                      struct err *err) {
  struct bytes key = commit_key(commit, op), value;
  TRY(seal_value(port, commit, op, key, plain, &value, err));
  return engine_put(port, op, key, value, position, err);
}

static bool write_add(struct batch_port *port, struct store_commit *commit,
                      const struct commit_op *op, uint64_t position, struct err *err) {
  char text[24];
  int len = snprintf(text, sizeof text, "%lld", (long long)op->number);
  return write_put(port, commit, op, bytes_of(text, (size_t)len), position, err);
}

/* Audit records get their tree index here, in commit order. */
static bool write_append(struct batch_port *port, struct batch *batch, struct store_commit *commit,
                         const struct commit_op *op, uint32_t ordinal, struct err *err) {
  uint8_t index[8];
  struct bytes key = commit_key(commit, op), value;
  if (op->table == TABLE_audit) {
    pack_u64(index, batch->counters.audit_next++);
    key = bytes_of(index, sizeof index);
  }
  TRY(seal_value(port, commit, op, key, commit_value(commit, op), &value, err));
  TRY(engine_fault_pass(port->fault, err));
  return port->engine->ops->append(port->engine, op->table, batch->counters.position, ordinal, key,
                                   value, err);
}

static bool write_op(struct batch_port *port, struct batch *batch, struct store_commit *commit,
                     const struct commit_op *op, uint32_t *ordinal, struct err *err) {
  uint64_t position = batch->counters.position;
  struct engine *engine = port->engine;
  switch (op->kind) {
  case COMMIT_CHECK: break;
  case COMMIT_UNIQUE:
    unique_mark(port->unique, commit_key(commit, op), op->number, position,
                commit_value(commit, op));
    break;
  case COMMIT_PUT: return write_put(port, commit, op, commit_value(commit, op), position, err);
  case COMMIT_REMOVE:
    TRY(engine_fault_pass(port->fault, err));
    return engine->ops->remove(engine, op->table, commit_key(commit, op), err);
  case COMMIT_ADD: return write_add(port, commit, op, position, err);
  case COMMIT_APPEND: return write_append(port, batch, commit, op, (*ordinal)++, err);
  case COMMIT_TRIM:
    TRY(engine_fault_pass(port->fault, err));
    return engine->ops->trim(engine, op->table, (uint64_t)op->number, op->rows_max, err);
  }
  return true;
}

static bool execute(struct batch_port *port, struct batch *batch, struct store_commit *commit,
                    struct err *err) {
  TRY(check_all(port, commit, err));
  if (!commit->result.err.code && commit->adds) TRY(sum_up(port, commit, err));
  if (commit->result.err.code) return true;
  uint32_t ordinal = 0;
  commit->result.position = ++batch->counters.position;
  commit->result.audit_index = batch->counters.audit_next;
  for (uint32_t i = 0; i < commit->ops_count; i++)
    TRY(write_op(port, batch, commit, &commit->ops[i], &ordinal, err));
  return true;
}

/* ---- The transaction ---- */

/* Nothing of the batch is there. */
static void fail_all(struct batch *batch, struct batch_port *port, const struct err *err) {
  if (batch->open) port->engine->ops->rollback(port->engine);
  batch->open = false;
  batch->failed = err->code;
  unique_forget(port->unique);
  for (struct store_commit *commit = batch->first; commit; commit = commit->next)
    commit->result = (struct store_result){.err = *err};
}

static bool execute_all(struct batch *batch, struct batch_port *port, struct err *err) {
  if (port->unique->behind) TRY(unique_catch_up(port->unique, port->engine, err));
  TRY(engine_fault_pass(port->fault, err));
  TRY(port->engine->ops->begin(port->engine, err));
  batch->open = true;
  for (struct store_commit *commit = batch->first; commit; commit = commit->next)
    TRY(execute(port, batch, commit, err));
  return true;
}

void batch_execute(struct batch *batch, struct batch_port *port) {
  struct err err;
  err_clear(&err);
  batch->counters = port->engine->counters;
  if (!execute_all(batch, port, &err)) fail_all(batch, port, &err);
}

static bool settle(struct batch *batch, struct batch_port *port, struct err *err) {
  TRY(unique_write(port->unique, port->engine, batch->counters.position, err));
  TRY(engine_fault_pass(port->fault, err));
  return port->engine->ops->commit(port->engine, &batch->counters, err);
}

void batch_settle(struct batch *batch, struct batch_port *port) {
  struct err err;
  err_clear(&err);
  if (!batch->open) return;
  if (batch->counters.position == port->engine->counters.position) {
    /* Every check failed: there is nothing to make durable. */
    port->engine->ops->rollback(port->engine);
    batch->open = false;
    return;
  }
  if (!settle(batch, port, &err)) {
    fail_all(batch, port, &err);
    return;
  }
  batch->open = false;
  unique_apply(port->unique, batch->counters.position);
}
