/* store/sqlite_impl.h: the SQLite engine from the inside: connections and their statements.
 * Owns:    a connection owns its statements; the engine owns its VFS and the folder's identity.
 * Errors:  SQLite's codes become FULL, CORRUPT, DENIED, LIMIT, NO_MEMORY or IO in sql_fail.
 * Threads: one at a time per connection.
 * Limits:  see engine.h; SQL_ROW_BITS for the ordinals of one commit.                          */
#ifndef MEDULLA_STORE_SQLITE_IMPL_H
#define MEDULLA_STORE_SQLITE_IMPL_H

#include "store/commit.h"
#include "store/engine.h"
#include "store/open.h"
#include "store/reach.h"
#include "store/vfs.h"

#include <sqlite3.h>

#define SQL_FOLDER "ledger"
#define SQL_PATH SQL_FOLDER "/ledger.db"
#define SQL_ROW_BITS 20 /* a log row's id is position << SQL_ROW_BITS | ordinal */

/* Every statement once: what it is called, and its text with @ for the table's name. */
enum sql {
  SQL_GET,
  SQL_PUT,
  SQL_REMOVE,
  SQL_APPEND,
  SQL_TRIM,
  SQL_SCAN,
  SQL_BACK_FROM,
  SQL_BACK_BEFORE,
  SQL_BACK,
  SQL_TAIL,
  SQL_TAIL_BACK,
  SQL_FIND,
  SQL_PER_TABLE, /* how many there are per table */
};

enum sql_common {
  SQL_BEGIN,
  SQL_BEGIN_READ,
  SQL_COMMIT,
  SQL_ROLLBACK,
  SQL_COUNT_SET,
  SQL_COUNT_GET,
  SQL_MARK,
  SQL_MARKS,
  SQL_MARKS_TRIM,
  SQL_COMMON,
};

struct sql_link {
  sqlite3 *db;
  struct vfs *vfs;
  sqlite3_stmt *per_table[TABLE_COUNT][SQL_PER_TABLE];
  sqlite3_stmt *common[SQL_COMMON];
};

struct sqlite_engine {
  struct engine engine; /* first member */
  struct disk *disk;
  struct vfs *vfs;
  struct reach reach;
  struct sql_link writer;
  int log_pages; /* in the write-ahead log since its start */
  int checkpoint_pages;
  bool broken; /* a sync failed: nothing more is promised until the next opening */
  uint64_t disk_bytes;
};

/* Tells what SQLite said. Always false. */
bool sql_fail(struct sql_link *link, int code, const char *what, struct err *err);
/* A ready statement; nested use of the same one gets a copy. sql_done gives it back. */
bool sql_use(struct sql_link *link, enum store_table table, enum sql sql, sqlite3_stmt **ret_stmt,
             struct err *err) MUST_CHECK;
bool sql_use_common(struct sql_link *link, enum sql_common sql, sqlite3_stmt **ret_stmt,
                    struct err *err) MUST_CHECK;
void sql_done(struct sql_link *link, sqlite3_stmt *stmt);
void sql_bind(sqlite3_stmt *stmt, int at, struct bytes value);
struct bytes sql_column(sqlite3_stmt *stmt, int at);
/* Runs a statement that gives no rows. */
bool sql_run(struct sql_link *link, sqlite3_stmt *stmt, const char *what,
             struct err *err) MUST_CHECK;
bool sql_run_common(struct sql_link *link, enum sql_common sql, const char *what,
                    struct err *err) MUST_CHECK;
bool sql_exec(struct sql_link *link, const char *text, struct err *err) MUST_CHECK;
/* KV: the row's value and version. */
bool sql_get(struct sql_link *link, enum store_table table, struct bytes key, struct buf *ret_value,
             uint64_t *ret_version, struct err *err) MUST_CHECK;

bool sql_link_open(struct vfs *vfs, bool writes, struct sql_link *ret_link,
                   struct err *err) MUST_CHECK;
void sql_link_close(struct sql_link *link);

/* Makes or migrates the tables; NEWER when they are of a later schema. */
bool sql_schema(struct sql_link *writer, struct err *err) MUST_CHECK;
/* The ledger's identity: invented (fresh) at the first opening, its epoch raised at each. */
bool sql_identity(const struct store_options *options, struct page_key *ret_key, bool *ret_fresh,
                  struct err *err) MUST_CHECK;
bool sql_identity_save(struct disk *disk, const struct page_key *key, struct err *err) MUST_CHECK;

/* Readers, for the engine's table of functions. */
bool sqlite_reader_open(struct engine *engine, struct engine_reader **ret_reader, struct err *err);
void sqlite_reader_close(struct engine_reader **reader);
bool sqlite_read_begin(struct engine_reader *reader, struct err *err);
void sqlite_read_end(struct engine_reader *reader);
bool sqlite_read_get(struct engine_reader *reader, enum store_table table, struct bytes key,
                     struct buf *ret_value, uint64_t *ret_version, struct err *err);
bool sqlite_read_scan(struct engine_reader *reader, const struct store_range *range,
                      store_visit *visit, void *arg, struct err *err);
bool sqlite_read_tail(struct engine_reader *reader, enum store_table log, uint64_t from_position,
                      bool reverse, store_visit *visit, void *arg, struct err *err);
bool sqlite_read_find(struct engine_reader *reader, enum store_table log, struct bytes key,
                      struct buf *ret_value, uint64_t *ret_position, struct err *err);
bool sqlite_read_position(struct engine_reader *reader, uint64_t *ret_position, struct err *err);

#endif
