/* store/open.h: the kinds of store there are.
 * Owns:    *ret_store is the caller's; store_close ends it.
 * Errors:  NEWER (schema of a newer Medulla), CORRUPT (with what to do), EXISTS (another server has
 *          the folder), FULL, DENIED, IO.
 * Threads: call from the loop's thread.
 * Limits:  see store.h.                                                                          */
#ifndef MEDULLA_STORE_OPEN_H
#define MEDULLA_STORE_OPEN_H

#include "os/clock.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/random.h"
#include "store/store.h"

/* Sealing of values; the identity (one format byte in front) until keys exist. */
struct seal_port;
struct keyring;

struct store_options {
  struct loop *loop;                /* Required: callbacks run on it */
  struct disk *disk;                /* Required for sqlite; outlives the store */
  const struct clock_port *clock;   /* Required */
  const struct random_port *random; /* Required */
  const struct keyring *keys;       /* sqlite: seals pages; NULL (tests) leaves them plain */
  const struct seal_port *seal;     /* Optional: NULL is the identity */
  bool inline_execution;            /* Simulation: no threads; work is done in posts on the loop */
  bool index_memory;                /* Use the memory index instead of RocksDB */
  uint32_t checkpoint_pages;        /* Optional: pages in SQLite's log that call for a checkpoint */
};

/* The embedded default: SQLite through our VFS in "ledger/" of the disk, the index in "index/". */
bool store_open_sqlite(const struct store_options *options, struct store **ret_store,
                       struct err *err) MUST_CHECK;
/* Keeps nothing on disk; the same behaviour otherwise. For tests and simulation: what is durable
 * can be carried over into a new store as a crash would leave it. */
bool store_open_memory(const struct store_options *options, struct store **ret_store,
                       struct err *err) MUST_CHECK;
/* The memory store as a crash at this moment leaves it: durable commits only; `store` is used up.
 */
bool store_crash_memory(struct store **store, const struct store_options *options,
                        struct store **ret_store, struct err *err) MUST_CHECK;

/* The library behind the ledger, as loaded. */
const char *store_sqlite_version(void);

/* Fault sweep: the Nth call into the engine from now fails with this code (0: no more faults). */
void store_fault(struct store *store, uint64_t nth_call, enum err_code code);

#endif
