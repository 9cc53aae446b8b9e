/* effect/stage.h: what a run has staged: reads to validate, writes, events, sends, audit records.
 * Owns:    everything in it lives in the run's arena.
 * Units:   UTC milliseconds.
 * Errors:  sticky through the arena: past its limit stage_ok() is false and the run fails.
 * Threads: the loop's thread.
 * Limits:  STAGE_OPS_MAX of each kind per run.
 *
 * Settle turns a stage into one commit; a failed run's stage gives up all but its audit records. */
#ifndef MEDULLA_EFFECT_STAGE_H
#define MEDULLA_EFFECT_STAGE_H

#include "audit/record.h"
#include "base/arena.h"
#include "model/event.h"
#include "store/store.h"

#define STAGE_OPS_MAX 10000

enum stage_kind { STAGE_PUT, STAGE_REMOVE, STAGE_ADD };

struct stage_op {
  struct stage_op *next;
  enum stage_kind kind;
  enum store_table table;
  struct bytes key, value;
  int64_t delta;
};

struct stage_read {
  struct stage_read *next;
  enum store_table table;
  struct bytes key;
  uint64_t version;
};

/* An event to admit when the run settles, or later (timers). */
struct stage_event {
  struct stage_event *next;
  struct event event;
  int64_t at_ms;      /* 0: at once */
  struct bytes timer; /* row key in TABLE_timer when at_ms is set, or of a cancelled timer */
  bool cancel;
};

struct stage_audit {
  struct stage_audit *next;
  bool written; /* by a commit before settle */
  struct audit_record record;
};

struct stage {
  struct arena *arena;
  struct stage_op *ops, **ops_end;
  struct stage_read *reads, **reads_end;
  struct stage_event *events, **events_end;
  struct stage_audit *audits, **audits_end;
  uint32_t op_count, outbox_count;
  bool live; /* something left the house at once: no silent re-run */
};

void stage_init(struct stage *stage, struct arena *arena);
void stage_put(struct stage *stage, enum store_table table, struct bytes key, struct bytes value);
void stage_remove(struct stage *stage, enum store_table table, struct bytes key);
void stage_add(struct stage *stage, enum store_table table, struct bytes key, int64_t delta);
/* The row must still have this version when the run settles. */
void stage_read(struct stage *stage, enum store_table table, struct bytes key, uint64_t version);
void stage_event(struct stage *stage, const struct event *event, int64_t at_ms,
                 struct bytes timer_key);
void stage_cancel_timer(struct stage *stage, struct bytes timer_key);
void stage_audit(struct stage *stage, const struct audit_record *record);
bool stage_ok(const struct stage *stage);

/* Adds reads (CONFLICT if not), writes and audit records to a commit. Events are the flow's. */
void stage_commit(const struct stage *stage, struct store_commit *commit,
                  const struct random_port *random);
/* The records so far, in a commit before something leaves the house; they are not written twice. */
void stage_flush_audit(struct stage *stage, struct store_commit *commit,
                       const struct random_port *random);
/* That commit failed: they are settle's again. */
void stage_unflush_audit(struct stage *stage);
/* Only the audit records: what a failed or refused run leaves behind. */
void stage_commit_audit(const struct stage *stage, struct store_commit *commit,
                        const struct random_port *random);

#endif
