/* flow/run.h: one attempt at one delivery, a batch of them, or a call somebody waits for.
 * Owns:    the run owns its arena and buffers; it holds its version and, while it lasts, its owed.
 * Units:   nanoseconds mono for *_ns, UTC milliseconds for *_ms.
 * Errors:  kept in run->err until the reply.
 * Threads: the loop's thread.
 * Limits:  RUN_CONFLICTS_MAX silent re-runs; MANIFEST_BATCH_MAX deliveries.
 *
 *            +------------- conflict, nothing live: up to RUN_CONFLICTS_MAX ------------+
 *            v                                                                          |
 *   LOAD --> START --> RUNNING --> SETTLE --> (one commit) --> SETTLED --> REPLY --> END
 *     |        |                     ^  |                         |                   ^
 *     +--------+---- cannot run -----+  +--- pure sync: reply first, rows deferred ---+       */
#ifndef MEDULLA_FLOW_RUN_H
#define MEDULLA_FLOW_RUN_H

#include "flow/world.h"

#define RUN_CONFLICTS_MAX 3
#define RUN_MAGIC 0x52554e21u

/* STEP(name, function, allowed successors, what happens in it) */
#define RUN_STEPS(STEP) \
  STEP(LOAD, step_load, STEP_START | STEP_SETTLE | STEP_REPLY, "bring the event into memory") \
  STEP(START, step_start, STEP_RUNNING | STEP_SETTLE, "choose a version, check the contract") \
  STEP(RUNNING, step_running, STEP_SETTLE, "a worker has it; effects pass the gate") \
  STEP(SETTLE, step_settle, STEP_SETTLED | STEP_REPLY, "writes, outcome, meter, audit: a commit") \
  STEP(SETTLED, step_settled, STEP_LOAD | STEP_SETTLE | STEP_REPLY, "what the store answered") \
  STEP(REPLY, step_reply, STEP_END, "answer whoever waits") \
  STEP(END, step_end, 0, "give everything back")

enum run_step {
#define STEP(name, ...) STEP_AT_##name,
  RUN_STEPS(STEP)
#undef STEP
      STEP_COUNT
};
enum {
#define STEP(name, ...) STEP_##name = 1 << STEP_AT_##name,
  RUN_STEPS(STEP)
#undef STEP
};

enum step_result { STEP_MORE, STEP_WAIT, STEP_GONE };

/* An effect the guest waits for. */
struct asked_effect {
  struct asked_effect *next;
  uint64_t ordinal;
  struct bytes name;
  int64_t at_us;
};

struct run {
  unsigned magic;
  struct list link; /* flow->runs, or the free list */
  struct flow *flow;
  struct function *function;
  struct version *version;
  enum run_step step;
  struct owed *owed[MANIFEST_BATCH_MAX];
  size_t owed_count; /* 0: a sync call */
  struct flow_reply *reply;
  struct arena arena; /* of one try; reset when a conflict runs it again */
  struct arena keep;  /* of the whole run */
  struct gate_run gate;
  struct run_handle handle;
  struct run_record record;
  struct event event; /* of a batch: the first one's */
  struct buf input, context, body, log, log_levels, steps, answers;
  enum run_end end;
  const char *reason;
  const char *decision;
  struct err err;             /* of the platform, not of the function */
  struct id origin;           /* delivery, or the first run id of a call: seeds idempotency keys */
  int64_t asked_ns;           /* admitted or called */
  int64_t effect_ns;          /* when the oldest call under way began */
  struct asked_effect *asked; /* in the arena */
  struct owing owing;
  struct store_result result;
  uint32_t failed_items; /* of a batch */
  bool item_failed[MANIFEST_BATCH_MAX];
  bool dead_at_once; /* a retry cannot help */
  bool settle_again; /* the second settle after too many conflicts */
};

/* Sets the next step; the table says whether it may follow. */
void run_next(struct run *run, enum run_step next);
/* Goes on until the run waits or is gone. */
void run_drive(struct run *run);
struct run *run_new(struct flow *flow, struct function *function);
void run_free(struct run *run);
/* The function failed, or could not be started, before or after it ran. */
void run_fail(struct run *run, enum run_end end, const char *reason, const char *message);
void run_note(struct run *run, struct bytes what, const char *status);
/* Effects that were asked for and will not be answered any more. */
void run_note_unanswered(struct run *run);

/* trace.c: frames of bundled code name the file they were written in. */
void run_trace_sources(struct run *run);

/* settle.c */
/* The store failed: the deliveries are owed as before, a little later. */
void run_put_back(struct run *run);
enum step_result step_settle(struct run *run);
enum step_result step_settled(struct run *run);

#endif
