/* store/sqlite_read.c: a reader: a connection of its own, one short transaction per question. */
#include "base/must.h"
#include "store/pack.h"
#include "store/sqlite_impl.h"

#include <stdlib.h>

struct sqlite_reader {
  struct engine_reader reader; /* first member */
  struct sql_link link;
};

static struct sql_link *link_of(struct engine_reader *reader) {
  return &((struct sqlite_reader *)reader)->link;
}

bool sqlite_reader_open(struct engine *engine, struct engine_reader **ret_reader, struct err *err) {
  struct sqlite_reader *reader = must_alloc(sizeof *reader);
  reader->reader.engine = engine;
  struct engine_reader *base = &reader->reader;
  if (!sql_link_open(((struct sqlite_engine *)engine)->vfs, false, &reader->link, err)) {
    sqlite_reader_close(&base);
    return false;
  }
  *ret_reader = base;
  return true;
}

void sqlite_reader_close(struct engine_reader **reader) {
  if (!*reader) return;
  sql_link_close(link_of(*reader));
  free(*reader);
  *reader = NULL;
}

bool sqlite_read_begin(struct engine_reader *reader, struct err *err) {
  return sql_run_common(link_of(reader), SQL_BEGIN_READ, "begin", err);
}

void sqlite_read_end(struct engine_reader *reader) {
  struct err err;
  if (sql_run_common(link_of(reader), SQL_COMMIT, "end", &err)) return;
  sqlite3_exec(link_of(reader)->db, "ROLLBACK", NULL, NULL, NULL);
}

bool sqlite_read_get(struct engine_reader *reader, enum store_table table, struct bytes key,
                     struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  return sql_get(link_of(reader), table, key, ret_value, ret_version, err);
}

/* Columns: key, value, version or row id. Stops at the prefix's end or when visit says so. */
static bool walk(struct sql_link *link, sqlite3_stmt *stmt, bool log, struct bytes prefix,
                 store_visit *visit, void *arg, struct err *err) {
  int code;
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct store_row row = {.key = sql_column(stmt, 0), .value = sql_column(stmt, 1)};
    uint64_t number = (uint64_t)sqlite3_column_int64(stmt, 2);
    row.version = log ? number >> SQL_ROW_BITS : number;
    row.ordinal = log ? (uint32_t)(number & ((1u << SQL_ROW_BITS) - 1)) : 0;
    if (!bytes_starts(row.key, prefix) || !visit(arg, &row)) break;
  }
  bool good = code == SQLITE_ROW || code == SQLITE_DONE || sql_fail(link, code, "read", err);
  sql_done(link, stmt);
  return good;
}

static bool scan_back(struct sql_link *link, const struct store_range *range, store_visit *visit,
                      void *arg, struct err *err) {
  sqlite3_stmt *stmt;
  struct buf end;
  buf_init(&end, STORE_KEY_BYTES_MAX);
  bool bounded = pack_prefix_end(range->prefix, &end);
  enum sql sql = range->from.len ? SQL_BACK_FROM : bounded ? SQL_BACK_BEFORE : SQL_BACK;
  bool good = sql_use(link, range->table, sql, &stmt, err);
  if (good) {
    if (sql != SQL_BACK) sql_bind(stmt, 1, range->from.len ? range->from : buf_bytes(&end));
    good = walk(link, stmt, false, range->prefix, visit, arg, err);
  }
  buf_fini(&end);
  return good;
}

bool sqlite_read_scan(struct engine_reader *reader, const struct store_range *range,
                      store_visit *visit, void *arg, struct err *err) {
  struct sql_link *link = link_of(reader);
  if (range->reverse) return scan_back(link, range, visit, arg, err);
  sqlite3_stmt *stmt;
  TRY(sql_use(link, range->table, SQL_SCAN, &stmt, err));
  sql_bind(stmt, 1, range->from.len ? range->from : range->prefix);
  return walk(link, stmt, false, range->prefix, visit, arg, err);
}

/* Positions past what a row id holds are past every row. */
static int64_t row_of(uint64_t position) {
  return position >> (63 - SQL_ROW_BITS) ? INT64_MAX : (int64_t)(position << SQL_ROW_BITS);
}

bool sqlite_read_tail(struct engine_reader *reader, enum store_table log, uint64_t from_position,
                      bool reverse, store_visit *visit, void *arg, struct err *err) {
  struct sql_link *link = link_of(reader);
  sqlite3_stmt *stmt;
  TRY(sql_use(link, log, reverse ? SQL_TAIL_BACK : SQL_TAIL, &stmt, err));
  int64_t from = row_of(from_position + 1);
  if (reverse) from = from_position ? row_of(from_position) : INT64_MAX;
  sqlite3_bind_int64(stmt, 1, from);
  return walk(link, stmt, true, BYTES_NONE, visit, arg, err);
}

struct found {
  struct buf *value;
  uint64_t position;
};

static bool take_row(void *arg, const struct store_row *row) {
  struct found *found = arg;
  found->position = row->version;
  buf_reset(found->value);
  buf_put(found->value, row->value);
  return false;
}

bool sqlite_read_find(struct engine_reader *reader, enum store_table log, struct bytes key,
                      struct buf *ret_value, uint64_t *ret_position, struct err *err) {
  struct sql_link *link = link_of(reader);
  struct found found = {.value = ret_value};
  sqlite3_stmt *stmt;
  TRY(sql_use(link, log, SQL_FIND, &stmt, err));
  sql_bind(stmt, 1, key);
  TRY(walk(link, stmt, true, BYTES_NONE, take_row, &found, err));
  if (found.position && !buf_ok(ret_value)) FAIL(ERR_LIMIT, "a value does not fit its buffer");
  *ret_position = found.position;
  return true;
}

bool sqlite_read_position(struct engine_reader *reader, uint64_t *ret_position, struct err *err) {
  struct sql_link *link = link_of(reader);
  sqlite3_stmt *stmt;
  TRY(sql_use_common(link, SQL_COUNT_GET, &stmt, err));
  int code = sqlite3_step(stmt);
  if (code == SQLITE_ROW) *ret_position = (uint64_t)sqlite3_column_int64(stmt, 0);
  sqlite3_reset(stmt);
  return code == SQLITE_ROW || sql_fail(link, code, "position", err);
}
