/* effect/call.h: one call of one effect, for the files that carry effects out.
 * Owns:    a call owns its arena (payload copy, answer) and ends with its answer.
 * Errors:  effect_fail(): the guest's exception.
 * Threads: the loop's thread, but the query of effect_ask (a reader thread).
 * Limits:  EFFECT_PAYLOAD_BYTES_MAX.                                                        */
#ifndef MEDULLA_EFFECT_CALL_H
#define MEDULLA_EFFECT_CALL_H

#include "effect/gate.h"
#include "wire/json.h"

struct effect_call {
  struct gate *gate;
  struct gate_run *run; /* NULL once the run has ended: the answer goes nowhere */
  struct list link;     /* in run->calls */
  uint64_t ordinal;
  const char *name;
  enum effect_class class;
  const struct json *payload; /* an object */
  struct arena arena;
  bool live; /* bytes may have left: an end without answer is "unknown" */
  void *own; /* the effect's own, in arena */
};

typedef void effect_function(struct effect_call *call);
#define EFFECT(name, class, function, what) effect_function function;
#include "effect/effects.tbl.h"
#undef EFFECT

/* Checks the grant. False: the denial is audited and answered; return at once. */
bool effect_granted(struct effect_call *call, const char *kind, const char *action,
                    struct bytes resource) MUST_CHECK;
/* The audit record of what was done; resource is never personal, personal may be empty. */
void effect_audit(struct effect_call *call, struct bytes resource, const char *outcome,
                  const char *detail, struct bytes personal);
/* Ends the call. */
void effect_answer(struct effect_call *call, struct bytes json);
void effect_fail(struct effect_call *call, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void effect_fail_err(struct effect_call *call, const struct err *err);
/* A required text member of the payload, within a length. False: answered with what is wrong. */
bool effect_text(struct effect_call *call, const char *member, size_t bytes_max,
                 struct bytes *ret_text) MUST_CHECK;
/* call->own, zeroed. False: answered, the call has ended. */
bool effect_own(struct effect_call *call, size_t bytes) MUST_CHECK;
/* Runs query on a reader thread, then done on the loop. Both get the call; query may only touch
 * call->own and call->arena. */
void effect_ask(struct effect_call *call, store_query *query, void (*done)(void *call));
/* "app NUL key", in the call's arena; empty when it does not fit: then the run fails when the call
 * is answered. So does the timer's key. */
struct bytes effect_app_key(struct effect_call *call, struct bytes key);
/* The row key of a timer: kind 'k' with the guest's key, 'i' with the event's id. */
struct bytes effect_timer_key(struct effect_call *call, char kind, struct bytes key);
/* The idempotency key of this call: the same in every attempt. */
struct id effect_idempotency(const struct effect_call *call);

#endif
