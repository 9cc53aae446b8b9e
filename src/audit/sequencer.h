/* audit/sequencer.h: gives audit records their place in the tree, in commit order, and writes
 * checkpoints (size, root) that a later verification is held to.
 * Owns:    its tree; the store owns the log.
 * Units:   milliseconds.
 * Errors:  opening: CORRUPT when the log is shorter than, or differs from, the last checkpoint.
 * Threads: the loop's thread; reading the log happens on a reader thread.
 * Limits:  a checkpoint at most every AUDIT_CHECKPOINT_MS, while there are new records.
 *
 * The tree is derived: what is authoritative is the log and the checkpoints. A record changed,
 * missing or moved behind the last checkpoint's back gives another root.                         */
#ifndef MEDULLA_AUDIT_SEQUENCER_H
#define MEDULLA_AUDIT_SEQUENCER_H

#include "audit/tree.h"
#include "os/clock.h"
#include "os/loop.h"
#include "store/store.h"

#define AUDIT_CHECKPOINT_MS 1000

struct sequencer;
bool sequencer_open(struct loop *loop, struct store *store, const struct clock_port *clock,
                    struct sequencer **ret_sequencer, struct err *err) MUST_CHECK;
/* A last checkpoint is not its job: call sequencer_checkpoint before, where there is time. */
void sequencer_close(struct sequencer **sequencer);
void sequencer_checkpoint(struct sequencer *sequencer, void (*done)(void *arg), void *arg);
uint64_t sequencer_size(const struct sequencer *sequencer);

/* Every record against its hash, the whole tree against every checkpoint. */
struct audit_verdict {
  bool ok;
  uint64_t records, checkpoints;
  uint64_t bad_position; /* of the first record or checkpoint that does not fit; 0: none */
  struct err err;        /* what is wrong */
  uint8_t root[SHA256_BYTES];
};
void audit_verify(struct store_reader *reader, struct audit_verdict *ret_verdict);

#endif
