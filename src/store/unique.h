/* store/unique.h: event de-duplication: digests marked in the index by day, with a named window.
 * Owns:    the marks of one transaction until they are applied; never the index.
 * Units:   UTC milliseconds; days since 1970.
 * Errors:  those of the index and the engine.
 * Threads: the store thread.
 * Limits:  STORE_UNIQUE_DAYS; marks of days before the window are dropped as the newest day moves.
 *
 * Most events are new. A filter in memory says so; it is filled from the index bit by bit, a slice
 * after each transaction, and only asked once it has everything.
 *
 * Index:  'u', day (4), digest (16) -> position (8), time (8), note
 * Ledger: one row per transaction: per mark digest (16), time (8), position (8), note length (1),
 *         note. The index is written after the ledger, and rebuilt from it.                     */
#ifndef MEDULLA_STORE_UNIQUE_H
#define MEDULLA_STORE_UNIQUE_H

#include "base/map.h"
#include "store/engine.h"
#include "store/filter.h"
#include "store/index.h"

#define UNIQUE_DIGEST_BYTES 16

/* A mark that was found. */
struct unique_seen {
  uint64_t position; /* 0: set by the same commit */
  struct bytes note; /* valid until the next call */
};

struct unique {
  struct index *index;
  struct index_batch *batch; /* for the index, once the ledger has them */
  struct buf ledger;         /* the same marks for the ledger */
  struct map overlay;        /* digest -> place in ledger + 1 */
  struct buf scratch;
  struct filter filter;   /* digests of the index and the batch */
  struct buf filter_next; /* key to go on from, reading the index into it; empty: it has them all */
  uint32_t day_first, day_last; /* days that have marks in the index; first > last: none */
  bool behind;                  /* the index has not got all the ledger has */
};

void unique_init(struct unique *unique, struct index *index, size_t filter_bytes, uint64_t seed);
void unique_fini(struct unique *unique);
/* Brings the index up to the ledger: at open, and after the index failed. */
bool unique_catch_up(struct unique *unique, struct engine *engine, struct err *err) MUST_CHECK;
/* Is the digest marked within the window before now_ms? */
bool unique_find(struct unique *unique, struct bytes digest, int64_t now_ms, bool *ret_found,
                 struct unique_seen *ret_seen, struct err *err) MUST_CHECK;
void unique_mark(struct unique *unique, struct bytes digest, int64_t now_ms, uint64_t position,
                 struct bytes note);
/* Writes this transaction's marks to the ledger. */
bool unique_write(struct unique *unique, struct engine *engine, uint64_t position,
                  struct err *err) MUST_CHECK;
/* The transaction is durable: the index follows. A failure is kept in `behind`. */
void unique_apply(struct unique *unique, uint64_t position);
void unique_forget(struct unique *unique); /* the transaction was rolled back */

#endif
