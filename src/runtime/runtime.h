/* runtime/runtime.h: the port to whatever runs functions: start, effect, answer, done, cancel.
 * Owns:    the caller owns struct run_handle memory until `done` was called for it; a runtime owns
 *          its processes.
 * Units:   nanoseconds (mono), microseconds in the meter, bytes.
 * Errors:  runtime_prepare's result; a start that cannot be made ends in done with RUN_FAILED.
 * Threads: the loop's thread only. Callbacks come from the loop, never from within a call.
 * Limits:  per version: struct runtime_code; in all: the runtime's options; RUNTIME_ below.
 *
 * Real: workers behind a launcher (runtime/pool.c). Simulated: tests/sim has its own. Later:
 * process. */
#ifndef MEDULLA_RUNTIME_RUNTIME_H
#define MEDULLA_RUNTIME_RUNTIME_H

#include "base/err.h"
#include "base/id.h"
#include "base/list.h"
#include "os/loop.h"
#include "runtime/guest.h"

#define RUNTIME_WAITING_MAX 100000         /* runs waiting for a worker, in all */
#define RUNTIME_LOG_BYTES_MAX (1u << 20)   /* of one run; what follows is dropped, and said so */
#define RUNTIME_INPUT_BYTES_MAX (7u << 20) /* event, context, env and handler of one run */
#define RUNTIME_PREPARE_MS_MAX 10000       /* a top level may take this long */

struct runtime;
struct run_handle;

/* A function version as a runtime knows it; the flow owns it and keeps it until it has retired it
 * and has no run of it any more. */
struct runtime_code {
  struct bytes name; /* "app/function" for titles and messages */
  uint32_t version;
  struct guest_code code;
  char key[65];             /* content key: code, engine and settings; names snapshot and pool */
  uint32_t concurrency_max; /* workers of this version at once */
  uint32_t provisioned;     /* workers kept when idle */
  int64_t idle_ms;          /* an idle worker beyond `provisioned` ends after this */
  unsigned isolation_floor; /* refuse to run below this level (runtime/sandbox.h) */
  void *pool;               /* the runtime's own; starts as NULL */
};

enum run_end {
  RUN_SUCCEEDED, /* body: the result, JSON */
  RUN_FAILED,    /* threw, trapped, out of memory, worker died; body: Lambda's error JSON */
  RUN_TIMED_OUT, /* past its deadline; the worker was killed */
  RUN_REFUSED,   /* never started: limits, isolation floor */
};

struct run_meter {
  int64_t wait_us;    /* from start to a worker */
  int64_t start_us;   /* cold: making and confining the worker; 0 when one was there */
  int64_t restore_us; /* of the restore after this run */
  int64_t run_us;     /* in the handler, effects included */
  int64_t effect_us;  /* of that, waiting for answers */
  int64_t cpu_us;
  uint64_t memory_bytes;
  uint64_t in_bytes, out_bytes;
  uint32_t dirty_pages;
  bool cold;
};

struct run_done {
  enum run_end end;
  struct bytes body;  /* valid during the call */
  const char *reason; /* word for RUN_FAILED: "threw", "trapped", "stack", "memory", "killed",
                         "output", "start", "unsettled"; for RUN_REFUSED: "limit", "isolation",
                         "wait"; static */
  struct run_meter meter;
};

struct run_callbacks {
  /* The guest asks for an effect; answer with runtime_answer, now or later. */
  void (*effect)(struct run_handle *run, uint64_t ordinal, struct bytes effect,
                 struct bytes payload);
  void (*log)(struct run_handle *run, enum guest_level level, int64_t at_ms, struct bytes line);
  void (*started)(struct run_handle *run); /* a worker has it now */
  void (*done)(struct run_handle *run, const struct run_done *done);
};

/* One run. The caller fills in the first part; bytes must live until done. */
struct run_handle {
  struct runtime_code *code;
  struct guest_input input; /* deadline_mono_ns is set from limits when the run starts */
  int64_t time_ms_max;
  int64_t wait_ms_max; /* give up waiting for a worker after this; 0: no limit */
  const struct run_callbacks *callbacks;
  uint64_t fair_key; /* runs waiting are served round-robin over fair keys (functions) */
  /* The runtime's part. */
  struct list link;
  struct loop_timer timer; /* wait_ms_max */
  void *worker;            /* while it runs */
  void *waits;             /* for whom it waits */
  int64_t asked_ns;
  int stage;
};

struct runtime_ops {
  void (*start)(void *self, struct run_handle *run);
  void (*answer)(void *self, struct run_handle *run, uint64_t ordinal, bool ok, struct bytes body);
  /* Ends the run without done being called; its worker is killed. */
  void (*cancel)(void *self, struct run_handle *run);
  /* Deploy: make the snapshot in a confined worker. done(arg, err or NULL) on the loop. */
  void (*prepare)(void *self, struct runtime_code *code,
                  void (*done)(void *arg, const struct err *err), void *arg);
  /* Optional: names engine and snapshot format; part of every content key. */
  const char *(*engine)(void *self, enum guest_kind kind);
  /* A version is no longer wanted: idle workers end now, busy ones after their run. */
  void (*retire)(void *self, struct runtime_code *code);
};
struct runtime {
  const struct runtime_ops *ops;
  void *self;
};

void runtime_start(struct runtime *runtime, struct run_handle *run);
void runtime_answer(struct runtime *runtime, struct run_handle *run, uint64_t ordinal, bool ok,
                    struct bytes body);
void runtime_cancel(struct runtime *runtime, struct run_handle *run);
void runtime_prepare(struct runtime *runtime, struct runtime_code *code,
                     void (*done)(void *arg, const struct err *err), void *arg);
void runtime_retire(struct runtime *runtime, struct runtime_code *code);
const char *runtime_engine(struct runtime *runtime, enum guest_kind kind);

#endif
