/* flow/flow.h: admit, match, dispatch, settle: the one loop that owns deliveries, runs and limits.
 * Owns:    all deliveries, runs and function versions in memory; the store owns what is durable.
 * Units:   UTC milliseconds, bytes.
 * Errors:  flow_open: the store's. Everything else answers through the reply port.
 * Threads: the loop's thread only.
 * Limits:  struct flow_limits; every one is named in the answer that meets it.
 *
 * A source turns bytes into a flow_admission or flow_invocation and attaches a reply. The flow
 * never calls up: it answers through the reply, once. */
#ifndef MEDULLA_FLOW_FLOW_H
#define MEDULLA_FLOW_FLOW_H

#include "effect/gate.h"
#include "model/event.h"
#include "model/run.h"
#include "os/loop.h"
#include "runtime/builder.h"
#include "runtime/runtime.h"
#include "wire/json.h"

struct flow;

struct flow_limits {
  uint32_t deliveries_max;   /* owed deliveries in memory; more wait in the store */
  uint32_t admitting_max;    /* admissions waiting for the store; then 503 */
  uint32_t sync_waiting_max; /* sync runs waiting per function; then 429 */
  uint32_t runs_max;         /* runs under way in all */
  uint32_t timers_max;
  size_t run_arena_bytes_max;
  size_t event_cache_bytes; /* bodies of fresh events kept in memory */
  int64_t defer_ms;         /* a pure sync run's rows follow within this */
  uint32_t deferred_max;    /* rows waiting for that; then the reply waits too */
};
extern const struct flow_limits flow_limits_default;

struct flow_options {
  struct loop *loop;                /* Required */
  struct store *store;              /* Required */
  struct runtime *runtime;          /* Required */
  const struct clock_port *clock;   /* Required */
  const struct random_port *random; /* Required */
  struct egress_port *egress;       /* Optional: see gate.h */
  struct builder *builder;          /* Optional: WebAssembly modules need it */
  struct disk *disk;                /* Optional: objects */
  struct disk *tzdata;              /* Optional: what a deploy's time zones are looked up in */
  const char *isolation;            /* name of the sandbox level in force, for run records */
  struct flow_limits limits;
  /* Optional: a line a run logged, a run that ended, a change of the catalogue. */
  void (*on_log)(void *arg, const struct run_record *run, enum guest_level level, int64_t at_ms,
                 struct bytes line);
  void (*on_run)(void *arg, const struct run_record *run);
  void (*on_catalog)(void *arg);
  void *arg;
};

/* Loads functions, timers and owed deliveries; what was under way at a crash is owed again. */
bool flow_open(const struct flow_options *options, struct flow **ret_flow,
               struct err *err) MUST_CHECK;
/* No new runs; `drained` when the last one has settled. Owed deliveries stay in the store. */
void flow_drain(struct flow *flow, void (*drained)(void *arg), void *arg);
/* Without draining: as a crash would, but memory is given back. */
void flow_close(struct flow **flow);
struct catalog *flow_catalog(struct flow *flow);
struct gate *flow_gate(struct flow *flow);
/* An id larger than all this flow has given before. */
struct id flow_id(struct flow *flow);

/* ---- The reply port ---- */
struct flow_answer {
  struct err err; /* code OK: what follows holds */
  /* admission */
  uint32_t accepted, duplicates, deliveries;
  struct id event;        /* of a single event: the accepted one, or the one seen before */
  int64_t retry_after_ms; /* with BUSY and UNAVAILABLE */
  /* invocation */
  enum run_end end;
  struct bytes body;            /* result or Lambda's error JSON; valid during the call */
  const struct run_record *run; /* likewise; NULL before there was a run */
  const char *reason;
};
struct flow_reply {
  void (*answer)(struct flow_reply *reply, const struct flow_answer *answer);
};

/* ---- Admission: events that were sent to us; accepted means durable ---- */
struct flow_incoming {
  struct event event;      /* id may be none: then it gets one */
  const struct json *tree; /* Optional: the parsed envelope; parsed when NULL */
  int64_t not_before_ms;   /* Optional: its deliveries wait until then */
};
struct flow_admission {
  const struct flow_incoming *incoming;
  size_t count;
  bool unique;           /* CloudEvents: source and id are accepted once in the window */
  struct bytes function; /* Optional: owed to this function alone (asynchronous invoke) */
  /* Optional: the source's own checks and rows, in the commit of the first event. Called before
   * flow_admit returns; a check that does not hold is the answer's error. */
  void (*with)(void *arg, struct store_commit *commit);
  void *with_arg;
};
/* Everything is copied. The answer comes when all is durable, or nothing more will be. A queue's
 * message that no function has a trigger for becomes a row of TABLE_queue (model/queued.h). */
void flow_admit(struct flow *flow, const struct flow_admission *admission,
                struct flow_reply *reply);

/* ---- Invocation: a run whose answer somebody waits for ---- */
struct flow_invocation {
  struct bytes function;  /* APP/FUNCTION, the bare name where it is unique, APP-FUNCTION */
  struct bytes qualifier; /* Optional: version number or alias */
  struct bytes payload;   /* JSON the handler gets */
  struct bytes principal;
  struct bytes traceparent;    /* Optional */
  struct bytes client_context; /* Optional: JSON */
  const char *source;          /* "invoke" or "http", for the envelope */
  bool dry;                    /* only check that it could be called */
};
void flow_invoke(struct flow *flow, const struct flow_invocation *invocation,
                 struct flow_reply *reply);

/* ---- Dead letters ---- */
void flow_redrive(struct flow *flow, struct id delivery, struct bytes principal,
                  struct flow_reply *reply);
void flow_discard(struct flow *flow, struct id delivery, struct bytes principal,
                  struct flow_reply *reply);

struct flow_load {
  uint32_t owed, running, sync_waiting, admitting, timers, held_keys;
  uint64_t admitted, duplicates, runs, succeeded, failed, timed_out, refused, retried, dead;
};
struct flow_load flow_load(const struct flow *flow);

/* An admin act on record, in a commit of its own or with others. */
void flow_audit(struct flow *flow, struct store_commit *commit, struct bytes actor,
                const char *action, struct bytes resource, const char *outcome, const char *detail);

#endif
