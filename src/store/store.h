/* store/store.h: the ledger: ordered tables and logs, changed only by commits.
 * Owns:    a store owns its engine and thread; a commit owns copies of all it holds.
 * Units:   position: a place in commit order, from 1, the same scale for all tables; 0 is none.
 * Errors:  in a commit's result: CONFLICT, FENCED, EXISTS, PRECONDITION (a check did not hold:
 * nothing of the commit is there), FULL, IO (the same), LIMIT. Opening: NEWER, CORRUPT, EXISTS.
 * Threads: store_submit, store_ask and all callbacks: the loop's thread. A query runs on a reader
 *          thread and sees one committed state; it must touch nothing but its own argument.
 * Limits:  STORE_COMMIT_BYTES_MAX, 2^20 operations per commit, STORE_PENDING_MAX commits waiting
 *          (then BUSY; LIMIT and BUSY are told before commits that wait, UNAVAILABLE once the
 *          store closes), keys of at most STORE_KEY_BYTES_MAX, values of STORE_VALUE_BYTES_MAX.
 *
 * A commit is a value: checks, unique marks, puts, additions, appends. All of it happens in one
 * durable transaction, or nothing. The store folds waiting commits into one transaction and then
 * calls their `done` in submission order. The fence of a delivery is a check on its row's version
 * with FENCED as the error: a worker presumed dead can therefore never commit twice. */
#ifndef MEDULLA_STORE_STORE_H
#define MEDULLA_STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define STORE_SCHEMA 1
#define STORE_KEY_BYTES_MAX 2048
#define STORE_VALUE_BYTES_MAX (64u << 20)
#define STORE_COMMIT_BYTES_MAX (128u << 20)
#define STORE_PENDING_MAX 65536
#define STORE_UNIQUE_DAYS 7 /* the named window of event de-duplication */

enum store_table {
#define TABLE(name, kind, sealed, what) TABLE_##name,
#include "store/tables.tbl.h"
#undef TABLE
  TABLE_COUNT
};

struct store;
struct store_reader;
struct store_commit;

/* What became of a commit. */
struct store_result {
  struct err err;         /* code OK when it is durable */
  uint64_t position;      /* of this commit; later commits have larger ones */
  uint64_t audit_index;   /* tree index of its first audit append */
  unsigned failed_check;  /* which check or unique mark did not hold, in order of adding, from 0 */
  uint64_t seen_position; /* unique mark seen before: the position of the commit that set it */
  struct bytes seen_note; /* and the note it left (valid during done) */
};
typedef void store_done(void *arg, const struct store_result *result);

/* ---- Building a commit. Keys and values are copied. Sticky: too large fails at submit. ---- */
struct store_commit *commit_new(void);
void commit_free(struct store_commit **commit);
/* The row must have this version (the position of the commit that last wrote it; 0: no row). */
void commit_check(struct store_commit *commit, enum store_table table, struct bytes key,
                  uint64_t version, enum err_code if_not);
/* EXISTS when this digest was marked within STORE_UNIQUE_DAYS before now_ms; else marks it, with a
 * note (at most 64 bytes) for whoever comes second. */
void commit_unique(struct store_commit *commit, const uint8_t digest[16], int64_t now_ms,
                   struct bytes note);
void commit_put(struct store_commit *commit, enum store_table table, struct bytes key,
                struct bytes value);
void commit_remove(struct store_commit *commit, enum store_table table, struct bytes key);
/* Adds to a row that holds a JSON integer (none: 0). A row with anything else: INVALID. Commutes.
 */
void commit_add(struct store_commit *commit, enum store_table table, struct bytes key,
                int64_t delta);
/* `subject` names whose data the value is (may be empty); sealing keys follow it. */
void commit_append(struct store_commit *commit, enum store_table log, struct bytes key,
                   struct bytes value);
void commit_subject(struct store_commit *commit, struct bytes subject); /* for what follows */
size_t commit_bytes(const struct store_commit *commit);

/* Takes the commit. done is called on the loop's thread, never from within submit. */
void store_submit(struct store *store, struct store_commit **commit_take, store_done *done,
                  void *arg);

/* ---- Reading ---- */
struct store_row {
  struct bytes key;   /* valid until the visit returns */
  struct bytes value; /* opened (unsealed); likewise */
  uint64_t version;   /* KV: last write; LOG: the row's own position */
  uint32_t ordinal;   /* LOG: place within its commit */
};
/* Copies the value into ret_value; *ret_version is 0 when there is no row. False only for errors.
 */
bool store_get(struct store_reader *reader, enum store_table table, struct bytes key,
               struct buf *ret_value, uint64_t *ret_version, struct err *err) MUST_CHECK;
/* KV rows with this prefix, from `from` on (inclusive; empty: the first), in byte order of keys or
 * reversed. Stops when visit returns false. */
struct store_range {
  enum store_table table;
  struct bytes prefix;
  struct bytes from;
  bool reverse;
};
typedef bool store_visit(void *arg, const struct store_row *row);
bool store_scan(struct store_reader *reader, const struct store_range *range, store_visit *visit,
                void *arg, struct err *err) MUST_CHECK;
/* LOG rows with position > after (forward), or < before (reverse; 0: from the end). */
bool store_tail(struct store_reader *reader, enum store_table log, uint64_t from_position,
                bool reverse, store_visit *visit, void *arg, struct err *err) MUST_CHECK;
/* The LOG row with this key, newest first (logs are indexed by key). */
bool store_find(struct store_reader *reader, enum store_table log, struct bytes key,
                struct buf *ret_value, uint64_t *ret_position, struct err *err) MUST_CHECK;
uint64_t store_last_position(struct store_reader *reader);

/* Runs query(arg, reader) off the loop, then done(arg) on it. The answer lives in arg. */
typedef void store_query(void *arg, struct store_reader *reader);
void store_ask(struct store *store, store_query *query, void (*done)(void *arg), void *arg);
/* A reader for start-up, before the loop runs, and for tests. */
struct store_reader *store_reader(struct store *store);

/* Retention: removes at most rows_max log rows older than `before` (a commit of its own). */
void store_trim(struct store *store, enum store_table log, uint64_t before, uint32_t rows_max,
                store_done *done, void *arg);

/* Load now: commits waiting, bytes on disk; for back-pressure, doctor and metrics. */
struct store_load {
  uint32_t pending;
  uint64_t commits, transactions, disk_bytes, last_position;
  int64_t last_sync_us;
  enum err_code failing; /* why the last transaction failed; OK: it did not */
};
struct store_load store_load(const struct store *store);

/* Waits for what was submitted, stops the threads, closes. Remaining done callbacks are called. */
void store_close(struct store **store);

#endif
