/* effect/gate.h: the one place where what a run asks for is checked, carried out and audited.
 * Owns:    struct gate_run belongs to the flow and outlives its calls, or gate_run_end() cuts them.
 * Units:   UTC milliseconds.
 * Errors:  none of its own: a call ends in an answer, ok or an error the guest sees as an exception
 *          {"name","message","code"}. A denial names the missing grant and is audited.
 * Threads: the loop's thread.
 * Limits:  GUEST_REQUESTS_MAX calls per run (the worker's); EFFECT_PAYLOAD_BYTES_MAX.
 *
 * Four classes. READ: at once, from the committed state, by key also from the run's own writes.
 * STAGED: collected, settled with the run. OUTBOX: committed with the run, sent afterwards.
 * LIVE: at once through egress; before a byte leaves, the audit of what was read is durable. */
#ifndef MEDULLA_EFFECT_GATE_H
#define MEDULLA_EFFECT_GATE_H

#include "base/list.h"
#include "effect/stage.h"
#include "model/grant.h"
#include "os/clock.h"
#include "os/random.h"
#include "store/store.h"

#define EFFECT_PAYLOAD_BYTES_MAX (8u << 20)

enum effect_class { EFFECT_READ, EFFECT_STAGED, EFFECT_OUTBOX, EFFECT_LIVE };

struct egress_port;
struct manifest;

/* What all runs share. */
struct gate {
  struct store *store;
  const struct clock_port *clock;
  const struct random_port *random;
  struct egress_port *egress; /* effect/egress.h; NULL: live and outbox effects are unavailable */
  struct disk *disk;          /* object bodies; NULL in simulation */
};

/* One run as the gate sees it. The flow fills it in before the first call. */
struct gate_run {
  struct bytes app, function; /* "ward", "ward/news2" */
  const struct grant_set *grants;
  const struct manifest *manifest; /* of the app: contacts */
  struct id run, event, delivery;
  struct id tenant_delivery; /* what idempotency keys derive from: the same in every attempt */
  struct bytes order_key;    /* the delivery's; empty: unordered */
  uint32_t depth;            /* causation depth of the run's event */
  struct bytes traceparent;
  struct stage stage;
  struct list calls; /* under way */
  /* Called for each call, from within gate_effect or later from the loop. */
  void (*answer)(struct gate_run *run, uint64_t ordinal, bool ok, struct bytes body);
};

void gate_run_init(struct gate_run *run, struct arena *arena);
/* Cuts the calls still under way: their answers go nowhere, live ones are audited as unknown. */
void gate_run_end(struct gate_run *run);
void gate_effect(struct gate *gate, struct gate_run *run, uint64_t ordinal, struct bytes effect,
                 struct bytes payload);
/* The class of an effect by name; false: there is no such effect. */
bool gate_class(struct bytes effect, enum effect_class *ret_class);

#endif
