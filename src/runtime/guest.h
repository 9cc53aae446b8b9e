/* runtime/guest.h: one function version's code in linear memory: run it, make it pristine again.
 * Owns:    a guest owns its memory, its maps of the snapshot and its module handle.
 * Units:   milliseconds and nanoseconds as named; bytes.
 * Errors:  guest_prepare, guest_open: MALFORMED, UNSUPPORTED, LIMIT, CORRUPT, GUEST (the top level
 *          threw; detail has the message), NO_MEMORY. What a run does wrong is an outcome.
 * Threads: single-threaded; lives in a worker process that does one run at a time.
 * Limits:  memory_bytes_max of the function; GUEST_OUTPUT_BYTES_MAX; stack by depth count.
 *
 * The guest never sees the world: everything it asks for goes through `guest_host`. The worker
 * (runtime/worker.c) implements it over the rings; tests implement it in a few lines.            */
#ifndef MEDULLA_RUNTIME_GUEST_H
#define MEDULLA_RUNTIME_GUEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define GUEST_OUTPUT_BYTES_MAX (6u << 20)
#define GUEST_LOG_LINE_BYTES_MAX (64u << 10)
#define GUEST_REQUESTS_MAX 10000 /* effects one run may ask for */
#define GUEST_ABI 1              /* of the medulla_ imports of Wasm modules */

enum guest_kind { GUEST_JS, GUEST_WASM };

enum guest_level { GUEST_LOG_DEBUG, GUEST_LOG_INFO, GUEST_LOG_WARN, GUEST_LOG_ERROR };

/* The answer to one request. */
struct guest_answer {
  uint64_t ordinal;
  bool ok;           /* false: body is {"name":..., "message":..., "code":...} to throw */
  struct bytes body; /* JSON (or raw bytes where the effect says so); valid until the next wait */
};

/* What a guest may ask of its worker. All of it is recorded by the other side. */
struct guest_host {
  void *self;
  /* Ask for an effect ("state.get", "fetch", ...) with a JSON payload. Ordinals count from 1. */
  void (*request)(void *self, uint64_t ordinal, struct bytes effect, struct bytes payload);
  /* Wait for any answer, at most until_mono_ns (INT64_MAX: as long as it takes). False: timed out.
   */
  bool (*wait)(void *self, int64_t until_mono_ns, struct guest_answer *ret_answer);
  void (*log)(void *self, enum guest_level level, struct bytes line);
  int64_t (*mono_ns)(void *self); /* the real one, for timers; the guest sees the run's own clock */
};

/* One run's inputs: with the code and the answers, all that it depends on. */
struct guest_input {
  struct bytes event; /* JSON, in the shape the handler gets */
  struct bytes
      context;      /* JSON object: awsRequestId, functionName, functionVersion, deadlineMs, ... */
  struct bytes env; /* JSON object of strings: process.env, secrets included */
  int64_t
      clock_ms; /* wall clock at the start; advances with the real monotonic clock in whole ms */
  uint8_t seed[32]; /* of Math.random and crypto */
  int64_t deadline_mono_ns;
  struct bytes handler; /* export to call; empty: "handler" */
};

enum guest_result { GUEST_RETURNED, GUEST_THREW, GUEST_TRAPPED };

struct guest_output {
  enum guest_result result;
  struct buf *body;      /* in: where to put it. RETURNED: JSON; THREW: Lambda's error JSON
                            {"errorMessage","errorType","stackTrace":[...]}; TRAPPED: a sentence */
  const char *reason;    /* a static word: "returned", "threw", "trapped", "memory", "stack",
                            "output", "unsettled" */
  uint32_t requests;     /* effects asked for */
  uint32_t dirty_pages;  /* put back by the restore that follows */
  uint64_t memory_bytes; /* peak linear memory */
  int64_t restore_ns;    /* taken by making it pristine again */
};

struct guest;

struct guest_code {
  enum guest_kind kind;
  struct bytes source;     /* js: UTF-8 source text; wasm: ignored (module_path is used) */
  const char *file_name;   /* for stack traces, e.g. "news2.js" */
  bool module;             /* js: ES module (else CommonJS-style exports) */
  const char *module_path; /* wasm: the translated module (.so) made by the builder */
  uint64_t memory_bytes_max;
};

/* Deploy: evaluate the top level with a fixed clock and no randomness or effects, then write the
 * snapshot (portable, versioned, keyed by the engine's hash, no pointers) to the descriptor. */
bool guest_prepare(const struct guest_code *code, int snapshot_fd, struct err *err) MUST_CHECK;

/* Before a process forks workers: what each would do over again, and no guest can change. */
void guest_warm(void);

/* Load code and snapshot; after this no file is opened any more, and the worker may confine itself.
 */
bool guest_open(const struct guest_code *code, int snapshot_fd, struct guest **ret_guest,
                struct err *err) MUST_CHECK;
/* One run. Always leaves the guest pristine again: memory byte-identical to the snapshot. */
void guest_run(struct guest *guest, const struct guest_input *input, const struct guest_host *host,
               struct guest_output *output);
/* For tests: compares all of memory, globals and tables with the snapshot. */
bool guest_is_pristine(const struct guest *guest, struct err *err) MUST_CHECK;
/* For benches and reuse figures: run without making it pristine afterwards. */
void guest_run_reused(struct guest *guest, const struct guest_input *input,
                      const struct guest_host *host, struct guest_output *output);
void guest_close(struct guest **guest);

/* Hash over the translated engine and this library's snapshot format: 64 hex digits. */
const char *guest_engine_hash(enum guest_kind kind);

#endif
