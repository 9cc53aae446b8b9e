/* store/sqlite_schema.c: who the ledger is, and the shape of its tables.
 *
 * ledger/identity is text: "medulla ledger", the format of pages, the store's id, and the epoch,
 * which grows with each opening. It is needed to read the first page, so it stands beside the
 * database. The schema's number is the database's user_version.
 *
 * KV:   kv_NAME (k, p, v), ordered by key: p is the version, the position of the last write.
 * LOG:  log_NAME (r, k, v): r is position << 20 | ordinal, so rows are only appended; an index by
 * k. mark: the unique marks of one transaction in one row, for rebuilding the index. counter: one
 * row: last position, next audit index.                                           */
#include "base/cleanup.h"
#include "base/must.h"
#include "store/sqlite_impl.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_FORMAT = 1, IDENTITY_BYTES_MAX = 256 };
#define IDENTITY_PATH SQL_FOLDER "/identity"

/* ---- Identity ---- */

static bool parse_line(struct bytes *rest, const char *name, struct bytes *ret_value) {
  struct bytes line = bytes_cut(*rest, '\n', rest);
  struct bytes word = bytes_cut(line, ' ', ret_value);
  return bytes_eq_str(word, name);
}

static bool parse_identity(struct bytes text, struct page_key *ret_key, struct err *err) {
  struct bytes format, store, epoch;
  struct id id;
  uint64_t number;
  if (!parse_line(&text, "medulla-ledger", &format) || !bytes_u64(format, &number))
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", IDENTITY_PATH);
  if (number > PAGE_FORMAT)
    FAIL(ERR_NEWER, "the ledger has page format %llu, this Medulla knows %d",
         (unsigned long long)number, PAGE_FORMAT);
  if (!parse_line(&text, "store", &store) || !id_parse(store, &id, err) ||
      !parse_line(&text, "epoch", &epoch) || !bytes_u64(epoch, &ret_key->epoch))
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", IDENTITY_PATH);
  memcpy(ret_key->store_id, id.at, sizeof ret_key->store_id);
  return true;
}

static bool save_identity(struct disk *disk, const struct page_key *key, struct err *err) {
  char text[IDENTITY_BYTES_MAX], name[ID_TEXT_BYTES];
  struct id id;
  memcpy(id.at, key->store_id, sizeof id.at);
  id_text(id, name);
  snprintf(text, sizeof text, "medulla-ledger %d\nstore %s\nepoch %llu\n", PAGE_FORMAT, name,
           (unsigned long long)key->epoch);
  return disk_save(disk, IDENTITY_PATH, bytes_str(text), err);
}

bool sql_identity(struct disk *disk, const struct random_port *random,
                  const struct clock_port *clock, struct page_key *ret_key, struct err *err) {
  struct page_key key = {0};
  if (disk_exists(disk, IDENTITY_PATH)) {
    cleanup_buf struct buf text;
    buf_init(&text, IDENTITY_BYTES_MAX);
    TRY(disk_load(disk, IDENTITY_PATH, IDENTITY_BYTES_MAX, &text, err));
    TRY(parse_identity(buf_bytes(&text), &key, err));
  } else {
    if (disk_exists(disk, SQL_PATH))
      FAIL(ERR_CORRUPT, "%s is missing beside %s; restore it from a backup", IDENTITY_PATH,
           SQL_PATH);
    struct id id = random_id(random, clock);
    memcpy(key.store_id, id.at, sizeof key.store_id);
  }
  key.epoch++;
  TRY(save_identity(disk, &key, err));
  *ret_key = key;
  return true;
}

/* ---- Tables ---- */

static bool create_tables(struct sql_link *writer, struct err *err) {
  char text[256];
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    const char *name = table_name(table);
    if (table_is_log(table))
      snprintf(text, sizeof text,
               "CREATE TABLE log_%s (r INTEGER PRIMARY KEY, k BLOB NOT NULL, v BLOB NOT NULL);"
               "CREATE INDEX log_%s_k ON log_%s (k)",
               name, name, name);
    else
      snprintf(text, sizeof text,
               "CREATE TABLE kv_%s (k BLOB PRIMARY KEY, p INTEGER NOT NULL, v BLOB NOT NULL)"
               " WITHOUT ROWID",
               name);
    TRY(sql_exec(writer, text, err));
  }
  return sql_exec(writer,
                  "CREATE TABLE counter (position INTEGER NOT NULL, audit_next INTEGER NOT NULL);"
                  "INSERT INTO counter VALUES (0, 0);"
                  "CREATE TABLE mark (p INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
                  " marks BLOB NOT NULL)",
                  err);
}

/* Step i leads from schema i to i + 1; each is part of one transaction. */
typedef bool sql_step(struct sql_link *writer, struct err *err);
static sql_step *const steps[STORE_SCHEMA] = {create_tables};

static bool read_version(struct sql_link *writer, int *ret_version, struct err *err) {
  sqlite3_stmt *stmt;
  int code = sqlite3_prepare_v2(writer->db, "PRAGMA user_version", -1, &stmt, NULL);
  if (code != SQLITE_OK) return sql_fail(writer, code, "schema", err);
  code = sqlite3_step(stmt);
  *ret_version = code == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
  sqlite3_finalize(stmt);
  return code == SQLITE_ROW || sql_fail(writer, code, "schema", err);
}

static bool migrate(struct sql_link *writer, int version, struct err *err) {
  char text[64];
  for (; version < STORE_SCHEMA; version++) TRY(steps[version](writer, err));
  snprintf(text, sizeof text, "PRAGMA user_version=%d", STORE_SCHEMA);
  return sql_exec(writer, text, err);
}

bool sql_schema(struct sql_link *writer, struct err *err) {
  int version = 0;
  TRY(read_version(writer, &version, err));
  if (version > STORE_SCHEMA)
    FAIL(ERR_NEWER, "the ledger has schema %d, this Medulla knows %d; install the newer one",
         version, STORE_SCHEMA);
  if (version == STORE_SCHEMA) return true;
  TRY(sql_run_common(writer, SQL_BEGIN, "begin", err));
  if (migrate(writer, version, err) && sql_run_common(writer, SQL_COMMIT, "commit", err))
    return true;
  sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
  return false;
}
