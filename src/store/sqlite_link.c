/* store/sqlite_link.c: one connection, and every statement there is. */
#include "store/sqlite_impl.h"

#include <stdio.h>
#include <string.h>

/* A log's rows are appended at the right edge of a rowid table: no page is filled twice. */
static const char *const per_table_text[SQL_PER_TABLE] = {
    [SQL_GET] = "SELECT p, v FROM kv_@ WHERE k = ?1",
    [SQL_PUT] = ("INSERT INTO kv_@ (k, p, v) VALUES (?1, ?2, ?3)"
                 " ON CONFLICT (k) DO UPDATE SET p = excluded.p, v = excluded.v"),
    [SQL_REMOVE] = "DELETE FROM kv_@ WHERE k = ?1",
    [SQL_APPEND] = "INSERT INTO log_@ (r, k, v) VALUES (?1, ?2, ?3)",
    [SQL_TRIM] = ("DELETE FROM log_@ WHERE r IN"
                  " (SELECT r FROM log_@ WHERE r < ?1 ORDER BY r LIMIT ?2)"),
    [SQL_SCAN] = "SELECT k, v, p FROM kv_@ WHERE k >= ?1 ORDER BY k",
    [SQL_BACK_FROM] = "SELECT k, v, p FROM kv_@ WHERE k <= ?1 ORDER BY k DESC",
    [SQL_BACK_BEFORE] = "SELECT k, v, p FROM kv_@ WHERE k < ?1 ORDER BY k DESC",
    [SQL_BACK] = "SELECT k, v, p FROM kv_@ ORDER BY k DESC",
    [SQL_TAIL] = "SELECT k, v, r FROM log_@ WHERE r >= ?1 ORDER BY r",
    [SQL_TAIL_BACK] = "SELECT k, v, r FROM log_@ WHERE r < ?1 ORDER BY r DESC",
    [SQL_FIND] = "SELECT k, v, r FROM log_@ WHERE k = ?1 ORDER BY r DESC LIMIT 1",
};

static const char *const common_text[SQL_COMMON] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_COUNT_SET] = "UPDATE counter SET position = ?1, audit_next = ?2",
    [SQL_COUNT_GET] = "SELECT position, audit_next FROM counter",
    [SQL_MARK] = "INSERT INTO mark (p, day, marks) VALUES (?1, ?2, ?3)",
    [SQL_MARKS] = "SELECT p, marks FROM mark WHERE p > ?1 ORDER BY p",
    [SQL_MARKS_TRIM] = ("DELETE FROM mark WHERE p IN"
                        " (SELECT p FROM mark ORDER BY p LIMIT ?2) AND day < ?1"),
};

static enum err_code code_of(int code) {
  switch (code & 0xff) {
  case SQLITE_FULL: return ERR_FULL;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: return ERR_CORRUPT;
  case SQLITE_NOMEM: return ERR_NO_MEMORY;
  case SQLITE_TOOBIG: return ERR_LIMIT;
  case SQLITE_PERM:
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN: return ERR_DENIED;
  default: return code == SQLITE_IOERR_DATA ? ERR_CORRUPT : ERR_IO;
  }
}

bool sql_fail(struct sql_link *link, int code, const char *what, struct err *err) {
  int extended = link->db ? sqlite3_extended_errcode(link->db) : code;
  if ((extended & 0xff) == (code & 0xff)) code = extended;
  uint32_t page = vfs_bad_page(link->vfs);
  if (code_of(code) == ERR_FULL)
    FAIL(ERR_FULL, "no space is left on the ledger's disk: free some, then try again; what was "
                   "accepted before is safe");
  if (code_of(code) != ERR_CORRUPT)
    FAIL(code_of(code), "the ledger: %s: %s", what, sqlite3_errstr(code));
  if (page)
    FAIL(ERR_CORRUPT, "%s: page %u is damaged; keep a copy of it, then restore a backup", SQL_PATH,
         page);
  FAIL(ERR_CORRUPT, "%s is damaged; keep a copy of it, then restore a backup", SQL_PATH);
}

/* ---- Statements ---- */

static bool prepare(struct sql_link *link, const char *text, sqlite3_stmt **ret_stmt,
                    struct err *err) {
  int code = sqlite3_prepare_v3(link->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL);
  return code == SQLITE_OK || sql_fail(link, code, "prepare", err);
}

/* The statement's text: every '@' is the table's name. Both are ours: no text from outside ever
 * becomes SQL. */
static void write_text(const char *format, const char *name, char *ret_text, size_t room) {
  size_t len = 0;
  for (; *format && len + 1 < room; format++) {
    int more = *format == '@' ? snprintf(ret_text + len, room - len, "%s", name) : 1;
    if (*format != '@') ret_text[len] = *format;
    len += (size_t)more;
  }
  ret_text[len < room ? len : room - 1] = '\0';
}

bool sql_use(struct sql_link *link, enum store_table table, enum sql sql, sqlite3_stmt **ret_stmt,
             struct err *err) {
  char text[256];
  sqlite3_stmt **slot = &link->per_table[table][sql];
  bool nested = *slot && sqlite3_stmt_busy(*slot);
  if (*slot && !nested) {
    *ret_stmt = *slot;
    return true;
  }
  write_text(per_table_text[sql], table_name(table), text, sizeof text);
  TRY(prepare(link, text, ret_stmt, err));
  if (!nested) *slot = *ret_stmt;
  return true;
}

bool sql_use_common(struct sql_link *link, enum sql_common sql, sqlite3_stmt **ret_stmt,
                    struct err *err) {
  if (!link->common[sql]) TRY(prepare(link, common_text[sql], &link->common[sql], err));
  *ret_stmt = link->common[sql];
  return true;
}

static bool is_kept(const struct sql_link *link, const sqlite3_stmt *stmt) {
  for (unsigned i = 0; i < SQL_COMMON; i++)
    if (link->common[i] == stmt) return true;
  for (unsigned table = 0; table < TABLE_COUNT; table++)
    for (unsigned i = 0; i < SQL_PER_TABLE; i++)
      if (link->per_table[table][i] == stmt) return true;
  return false;
}

void sql_done(struct sql_link *link, sqlite3_stmt *stmt) {
  if (is_kept(link, stmt))
    sqlite3_reset(stmt);
  else
    sqlite3_finalize(stmt);
}

void sql_bind(sqlite3_stmt *stmt, int at, struct bytes value) {
  sqlite3_bind_blob64(stmt, at, value.len ? (const void *)value.at : "", value.len, SQLITE_STATIC);
}

struct bytes sql_column(sqlite3_stmt *stmt, int at) {
  const void *value = sqlite3_column_blob(stmt, at);
  return bytes_of(value, value ? (size_t)sqlite3_column_bytes(stmt, at) : 0);
}

bool sql_run(struct sql_link *link, sqlite3_stmt *stmt, const char *what, struct err *err) {
  int code = sqlite3_step(stmt);
  bool good = code == SQLITE_DONE || code == SQLITE_ROW || sql_fail(link, code, what, err);
  sqlite3_reset(stmt);
  return good;
}

bool sql_run_common(struct sql_link *link, enum sql_common sql, const char *what, struct err *err) {
  sqlite3_stmt *stmt;
  TRY(sql_use_common(link, sql, &stmt, err));
  return sql_run(link, stmt, what, err);
}

bool sql_exec(struct sql_link *link, const char *text, struct err *err) {
  int code = sqlite3_exec(link->db, text, NULL, NULL, NULL);
  return code == SQLITE_OK || sql_fail(link, code, "set up", err);
}

bool sql_get(struct sql_link *link, enum store_table table, struct bytes key, struct buf *ret_value,
             uint64_t *ret_version, struct err *err) {
  sqlite3_stmt *stmt;
  TRY(sql_use(link, table, SQL_GET, &stmt, err));
  sql_bind(stmt, 1, key);
  int code = sqlite3_step(stmt);
  *ret_version = 0;
  if (code == SQLITE_ROW) {
    *ret_version = (uint64_t)sqlite3_column_int64(stmt, 0);
    if (ret_value) {
      buf_reset(ret_value);
      buf_put(ret_value, sql_column(stmt, 1));
    }
  }
  bool good = code == SQLITE_ROW || code == SQLITE_DONE || sql_fail(link, code, "get", err);
  sqlite3_reset(stmt);
  if (good && ret_value && !buf_ok(ret_value)) FAIL(ERR_LIMIT, "a value does not fit its buffer");
  return good;
}

/* ---- The connection ---- */

enum { WRITER_CACHE_KIB = 32768, READER_CACHE_KIB = 8192 };

static bool configure(struct sql_link *link, bool writes, struct err *err) {
  char text[256];
  snprintf(text, sizeof text,
           "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
           "PRAGMA cell_size_check=ON; PRAGMA cache_size=-%d; PRAGMA wal_autocheckpoint=0;",
           writes ? WRITER_CACHE_KIB : READER_CACHE_KIB);
  TRY(sql_exec(link, text, err));
  return writes ? sql_exec(link, "PRAGMA synchronous=FULL", err)
                : sql_exec(link, "PRAGMA query_only=ON", err);
}

/* Before the first page is written its size and reserve are set; then the log is turned on. */
static bool shape(struct sql_link *link, struct err *err) {
  char text[64];
  int reserve = PAGE_RESERVE_BYTES;
  snprintf(text, sizeof text, "PRAGMA page_size=%d", PAGE_BYTES);
  TRY(sql_exec(link, text, err));
  int code = sqlite3_file_control(link->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
  if (code != SQLITE_OK) return sql_fail(link, code, "reserve", err);
  return sql_exec(link, "PRAGMA journal_mode=WAL", err);
}

bool sql_link_open(struct vfs *vfs, bool writes, struct sql_link *ret_link, struct err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_CREATE : 0);
  *ret_link = (struct sql_link){.vfs = vfs};
  int code = sqlite3_open_v2(SQL_PATH, &ret_link->db, flags, vfs_name(vfs));
  if (code != SQLITE_OK) return sql_fail(ret_link, code, "open", err);
  sqlite3_busy_timeout(ret_link->db, 2000);
  TRY(configure(ret_link, writes, err));
  return !writes || shape(ret_link, err);
}

void sql_link_close(struct sql_link *link) {
  if (!link->db) return;
  for (unsigned i = 0; i < SQL_COMMON; i++) sqlite3_finalize(link->common[i]);
  for (unsigned table = 0; table < TABLE_COUNT; table++)
    for (unsigned i = 0; i < SQL_PER_TABLE; i++) sqlite3_finalize(link->per_table[table][i]);
  sqlite3_close(link->db);
  *link = (struct sql_link){0};
}
