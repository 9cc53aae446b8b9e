/* store/sqlite.c: the embedded ledger. One connection does every write and every checkpoint (two
 * connections doing both at once can damage a log in SQLite before 3.51); readers have their own.
 *
 * After a failed sync of the log nobody knows what the disk holds, and a second sync would not
 * tell: the engine then refuses everything until it is opened again and recovery decides. */
#include "base/cleanup.h"
#include "base/must.h"
#include "store/front.h"
#include "store/sqlite_impl.h"

#include <stdlib.h>

enum {
  CHECKPOINT_PAGES = 2000, /* 16 MiB: a checkpoint is short, a page is mostly written once */
  CHECKPOINT_PATIENCE = 8, /* so many times more, held up by readers: now wait for them */
};

static struct sqlite_engine *sqlite_of(struct engine *engine) {
  return (struct sqlite_engine *)engine;
}

static bool check_broken(struct sqlite_engine *sqlite, struct err *err) {
  if (vfs_sync_failed(sqlite->vfs)) sqlite->broken = true;
  if (!sqlite->broken) return true;
  FAIL(ERR_IO, "the ledger's disk failed while writing; check it and start Medulla again");
}

static bool sqlite_begin(struct engine *engine, struct err *err) {
  struct sqlite_engine *sqlite = sqlite_of(engine);
  TRY(check_broken(sqlite, err));
  return sql_run_common(&sqlite->writer, SQL_BEGIN, "begin", err);
}

static void sqlite_rollback(struct engine *engine) {
  struct sqlite_engine *sqlite = sqlite_of(engine);
  /* After some failures SQLite has rolled back already. */
  if (!sqlite3_get_autocommit(sqlite->writer.db))
    sqlite3_exec(sqlite->writer.db, "ROLLBACK", NULL, NULL, NULL);
}

static bool sqlite_commit(struct engine *engine, const struct engine_counters *counters,
                          struct err *err) {
  struct sqlite_engine *sqlite = sqlite_of(engine);
  sqlite3_stmt *stmt;
  TRY(sql_use_common(&sqlite->writer, SQL_COUNT_SET, &stmt, err));
  sqlite3_bind_int64(stmt, 1, (int64_t)counters->position);
  sqlite3_bind_int64(stmt, 2, (int64_t)counters->audit_next);
  TRY(sql_run(&sqlite->writer, stmt, "count", err));
  TRY(sql_run_common(&sqlite->writer, SQL_COMMIT, "commit", err));
  reach_note(&sqlite->reach, counters->position);
  engine->counters = *counters;
  return true;
}

static bool sqlite_get(struct engine *engine, enum store_table table, struct bytes key,
                       struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  return sql_get(&sqlite_of(engine)->writer, table, key, ret_value, ret_version, err);
}

static bool sqlite_put(struct engine *engine, enum store_table table, struct bytes key,
                       struct bytes value, uint64_t position, struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use(writer, table, SQL_PUT, &stmt, err));
  sql_bind(stmt, 1, key);
  sqlite3_bind_int64(stmt, 2, (int64_t)position);
  sql_bind(stmt, 3, value);
  return sql_run(writer, stmt, "put", err);
}

static bool sqlite_remove(struct engine *engine, enum store_table table, struct bytes key,
                          struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use(writer, table, SQL_REMOVE, &stmt, err));
  sql_bind(stmt, 1, key);
  return sql_run(writer, stmt, "remove", err);
}

static bool sqlite_append(struct engine *engine, enum store_table log, uint64_t position,
                          uint32_t ordinal, struct bytes key, struct bytes value, struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use(writer, log, SQL_APPEND, &stmt, err));
  sqlite3_bind_int64(stmt, 1, (int64_t)(position << SQL_ROW_BITS | ordinal));
  sql_bind(stmt, 2, key);
  sql_bind(stmt, 3, value);
  return sql_run(writer, stmt, "append", err);
}

static bool sqlite_trim(struct engine *engine, enum store_table log, uint64_t before,
                        uint32_t rows_max, struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use(writer, log, SQL_TRIM, &stmt, err));
  bool all = before >> (63 - SQL_ROW_BITS);
  sqlite3_bind_int64(stmt, 1, all ? INT64_MAX : (int64_t)(before << SQL_ROW_BITS));
  sqlite3_bind_int64(stmt, 2, rows_max);
  return sql_run(writer, stmt, "trim", err);
}

static bool sqlite_mark(struct engine *engine, uint64_t position, uint32_t day, struct bytes marks,
                        struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use_common(writer, SQL_MARK, &stmt, err));
  sqlite3_bind_int64(stmt, 1, (int64_t)position);
  sqlite3_bind_int64(stmt, 2, day);
  sql_bind(stmt, 3, marks);
  return sql_run(writer, stmt, "mark", err);
}

static bool sqlite_marks_trim(struct engine *engine, uint32_t day, uint32_t rows_max,
                              struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  TRY(sql_use_common(writer, SQL_MARKS_TRIM, &stmt, err));
  sqlite3_bind_int64(stmt, 1, day);
  sqlite3_bind_int64(stmt, 2, rows_max);
  return sql_run(writer, stmt, "trim marks", err);
}

static bool sqlite_marks(struct engine *engine, uint64_t after, engine_marks_visit *visit,
                         void *arg, struct err *err) {
  struct sql_link *writer = &sqlite_of(engine)->writer;
  sqlite3_stmt *stmt;
  int code;
  TRY(sql_use_common(writer, SQL_MARKS, &stmt, err));
  sqlite3_bind_int64(stmt, 1, (int64_t)after);
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
    if (!visit(arg, (uint64_t)sqlite3_column_int64(stmt, 0), sql_column(stmt, 1))) break;
  bool good = code == SQLITE_ROW || code == SQLITE_DONE || sql_fail(writer, code, "marks", err);
  sqlite3_reset(stmt);
  return good;
}

/* A checkpoint that fails (a full disk) is tried again later: the log still has everything. */
static void sqlite_tidy(struct engine *engine) {
  struct sqlite_engine *sqlite = sqlite_of(engine);
  if (sqlite->log_pages < sqlite->checkpoint_pages || sqlite->broken) return;
  bool patient = sqlite->log_pages / CHECKPOINT_PATIENCE < sqlite->checkpoint_pages;
  int how = patient ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
  sqlite3_wal_checkpoint_v2(sqlite->writer.db, NULL, how, NULL, NULL);
}

static int count_log(void *arg, sqlite3 *db, const char *name, int pages) {
  ((struct sqlite_engine *)arg)->log_pages = pages;
  return SQLITE_OK;
}

static uint64_t bytes_of_file(struct disk *disk, const char *path) {
  struct file *file = NULL;
  struct err err;
  uint64_t bytes = 0;
  if (!file_open(disk, path, FILE_READ, &file, &err)) return 0;
  if (!file_size(file, &bytes, &err)) bytes = 0;
  file_close(&file);
  return bytes;
}

/* The sizes are asked for seldom: they are for people and back-pressure, not for accounts. */
static uint64_t sqlite_disk_bytes(struct engine *engine) {
  struct sqlite_engine *sqlite = sqlite_of(engine);
  if (sqlite->log_pages % 64 == 0 || !sqlite->disk_bytes)
    sqlite->disk_bytes =
        bytes_of_file(sqlite->disk, SQL_PATH) + bytes_of_file(sqlite->disk, SQL_PATH "-wal");
  return sqlite->disk_bytes;
}

static void sqlite_close(struct engine **engine) {
  if (!*engine) return;
  struct sqlite_engine *sqlite = sqlite_of(*engine);
  sql_link_close(&sqlite->writer);
  vfs_free(&sqlite->vfs);
  reach_close(&sqlite->reach);
  free(sqlite);
  *engine = NULL;
}

static bool load_counters(struct sqlite_engine *sqlite, struct err *err) {
  sqlite3_stmt *stmt;
  TRY(sql_use_common(&sqlite->writer, SQL_COUNT_GET, &stmt, err));
  int code = sqlite3_step(stmt);
  if (code == SQLITE_ROW) {
    sqlite->engine.counters.position = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite->engine.counters.audit_next = (uint64_t)sqlite3_column_int64(stmt, 1);
  }
  sqlite3_reset(stmt);
  if (code == SQLITE_DONE) code = SQLITE_CORRUPT;
  return code == SQLITE_ROW || sql_fail(&sqlite->writer, code, "counters", err);
}

static bool check_there(struct disk *disk, struct err *err) {
  struct file *file = NULL;
  uint64_t bytes = 0;
  bool good = file_open(disk, SQL_PATH, FILE_READ, &file, err) && file_size(file, &bytes, err);
  file_close(&file);
  if (!good && err->code != ERR_NOT_FOUND) return false;
  if (good && bytes >= PAGE_BYTES) return true;
  FAIL(ERR_CORRUPT, "%s is missing or cut to nothing; restore a backup", SQL_PATH);
}

/* The note comes first, the identity second, the database third: what is missing beside a later
 * one was taken away. A database that is gone is not made anew over what the note remembers. */
static bool open_identity(const struct store_options *options, struct sqlite_engine *sqlite,
                          struct page_key *ret_key, struct err *err) {
  bool fresh;
  TRY(sql_identity(options, ret_key, &fresh, err));
  TRY(reach_open(sqlite->disk, ret_key, fresh, &sqlite->reach, err));
  TRY(sql_identity_save(sqlite->disk, ret_key, err));
  return !sqlite->reach.position || check_there(sqlite->disk, err);
}

static bool check_reach(struct sqlite_engine *sqlite, struct err *err) {
  uint64_t position = sqlite->engine.counters.position;
  if (position >= sqlite->reach.position) return true;
  FAIL(
      ERR_CORRUPT,
      "%s ends at position %llu but had come to %llu: its log was cut or damaged, or an older copy "
      "was put back; keep a copy, then restore a backup",
      SQL_PATH, (unsigned long long)position, (unsigned long long)sqlite->reach.position);
}

bool engine_sqlite_open(const struct store_options *options, struct engine **ret_engine,
                        struct err *err) {
  static const struct engine_ops ops = {
      .begin = sqlite_begin,
      .commit = sqlite_commit,
      .rollback = sqlite_rollback,
      .get = sqlite_get,
      .put = sqlite_put,
      .remove = sqlite_remove,
      .append = sqlite_append,
      .trim = sqlite_trim,
      .mark = sqlite_mark,
      .marks_trim = sqlite_marks_trim,
      .marks = sqlite_marks,
      .tidy = sqlite_tidy,
      .reader_open = sqlite_reader_open,
      .reader_close = sqlite_reader_close,
      .read_begin = sqlite_read_begin,
      .read_end = sqlite_read_end,
      .read_get = sqlite_read_get,
      .read_scan = sqlite_read_scan,
      .read_tail = sqlite_read_tail,
      .read_find = sqlite_read_find,
      .read_position = sqlite_read_position,
      .disk_bytes = sqlite_disk_bytes,
      .close = sqlite_close,
  };
  struct page_key key = {0};
  struct sqlite_engine *sqlite = must_alloc(sizeof *sqlite);
  struct engine *engine = &sqlite->engine;
  sqlite->engine.ops = &ops;
  sqlite->disk = options->disk;
  sqlite->checkpoint_pages =
      options->checkpoint_pages ? (int)options->checkpoint_pages : CHECKPOINT_PAGES;
  bool good = open_identity(options, sqlite, &key, err);
  if (good) sqlite->vfs = vfs_new(options->disk, &key);
  good = good && sql_link_open(sqlite->vfs, true, &sqlite->writer, err) &&
         sql_schema(&sqlite->writer, err) && load_counters(sqlite, err) && check_reach(sqlite, err);
  bytes_wipe(&key, sizeof key);
  if (!good) {
    sqlite_close(&engine);
    return false;
  }
  sqlite3_wal_hook(sqlite->writer.db, count_log, sqlite);
  *ret_engine = engine;
  return true;
}

/* ---- The store ---- */

#define cleanup_file __attribute__((cleanup(file_close)))

static bool open_index(const struct store_options *options, uint64_t ledger_position,
                       struct index **ret_index, struct err *err) {
  const char *root = disk_root(options->disk);
  if (options->index_memory || !root) {
    *ret_index = index_open_memory();
    return true;
  }
  struct buf path;
  buf_init(&path, 4096 + DISK_PATH_BYTES_MAX);
  if (!options->keys) buf_printf(&path, "%s/", root);
  buf_str(&path, "index");
  buf_char(&path, '\0');
  const struct index_place place = {
      .path = (const char *)path.at, .disk = options->disk, .keys = options->keys};
  bool good = index_open_or_rebuild(&place, ledger_position, ret_index, err);
  buf_fini(&path);
  return good;
}

bool store_open_sqlite(const struct store_options *options, struct store **ret_store,
                       struct err *err) {
  cleanup_file struct file *lock = NULL;
  struct engine *engine = NULL;
  struct index *index = NULL;
  TRY(disk_mkdir(options->disk, SQL_FOLDER, err));
  TRY(disk_lock(options->disk, SQL_FOLDER "/lock", &lock, err));
  TRY(engine_sqlite_open(options, &engine, err));
  if (!open_index(options, engine->counters.position, &index, err)) {
    engine->ops->close(&engine);
    return false;
  }
  return front_open(options, engine, index, steal(lock), ret_store, err);
}

const char *store_sqlite_version(void) {
  return sqlite3_libversion();
}
