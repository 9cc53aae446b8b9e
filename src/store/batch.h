/* store/batch.h: commits folded into one transaction: checks, then writes, then durable.
 * Owns:    the commits in it, until the front takes them back.
 * Errors:  a commit whose check does not hold gets its own error and writes nothing; a failing
 *          engine gives its error to every commit of the batch.
 * Threads: the store thread (inline: the loop's).
 * Limits:  BATCH_COMMITS_MAX, BATCH_BYTES_MAX (one larger commit goes alone).
 *
 *   taken -> executed (transaction open, nothing durable) -> settled (durable or rolled back)    */
#ifndef MEDULLA_STORE_BATCH_H
#define MEDULLA_STORE_BATCH_H

#include "store/commit.h"
#include "store/engine.h"
#include "store/seal.h"
#include "store/unique.h"

#include <stdatomic.h>

#define BATCH_COMMITS_MAX 4096
#define BATCH_BYTES_MAX (32u << 20)

/* Fails the Nth call into the engine, for fault sweeps. */
struct engine_fault {
  _Atomic uint64_t nth_call; /* 0: none */
  _Atomic int code;
};

/* True when the call may go ahead. */
bool engine_fault_pass(struct engine_fault *fault, struct err *err) MUST_CHECK;

/* What executing needs; belongs to the store. */
struct batch_port {
  struct engine *engine;
  struct unique *unique;
  const struct seal_port *seal;
  struct engine_fault *fault;
  struct buf sealed, plain; /* scratch of the store thread */
};

struct batch {
  struct store_commit *first, *last;
  uint32_t count;
  size_t bytes;
  struct engine_counters counters; /* after this batch */
  bool open;                       /* the transaction is */
  enum err_code failed;            /* why the whole of it did; or OK */
};

void batch_add(struct batch *batch, struct store_commit *commit);
/* Takes the oldest commit out, or NULL. */
struct store_commit *batch_take(struct batch *batch);
/* Opens the transaction and runs every commit in it; each gets its result. */
void batch_execute(struct batch *batch, struct batch_port *port);
/* Makes it durable, then marks the index. */
void batch_settle(struct batch *batch, struct batch_port *port);

#endif
