/* flow/invoke.c: a call somebody waits for: straight to a run, answered when it has settled. */
#include "base/must.h"
#include "flow/run.h"

static void refuse(struct flow_reply *reply, const struct err *err, int64_t retry_after_ms) {
  struct flow_answer answer = {.err = *err, .retry_after_ms = retry_after_ms};
  reply->answer(reply, &answer);
}

static bool may_invoke(struct flow *flow, const struct flow_invocation *invocation,
                       struct function **ret_function, struct version **ret_version,
                       struct err *err) {
  TRY(catalog_find(flow->catalog, invocation->function, ret_function, err));
  TRY(catalog_qualify(flow->catalog, *ret_function, invocation->qualifier, ret_version, err));
  const struct function *function = *ret_function;
  uint32_t concurrency = (*ret_version)->code.concurrency_max;
  if (flow->draining) FAIL(ERR_UNAVAILABLE, "the server is shutting down");
  if (function->running >= concurrency + flow->options.limits.sync_waiting_max)
    FAIL(ERR_BUSY, "%s: sync_waiting_max: too many calls wait for its %u workers", function->name,
         concurrency);
  if (flow->run_count >= flow->options.limits.runs_max)
    FAIL(ERR_UNAVAILABLE, "runs_max: too many runs are under way");
  return true;
}

void flow_invoke(struct flow *flow, const struct flow_invocation *invocation,
                 struct flow_reply *reply) {
  struct function *function;
  struct version *version = NULL;
  struct err err;
  if (!may_invoke(flow, invocation, &function, &version, &err)) {
    refuse(reply, &err, err_facts(err.code)->retry == ERR_RETRY_LATER ? 1000 : 0);
    return;
  }
  if (invocation->dry) {
    struct flow_answer answer = {.end = RUN_SUCCEEDED};
    reply->answer(reply, &answer);
    return;
  }
  struct run *run = run_new(flow, function);
  run->reply = reply;
  run->origin = run->record.id;
  run->version = version_ref(version);
  run->record.admitted_ms = flow_now_ms(flow);
  buf_put(&run->input, invocation->payload.len ? invocation->payload : BYTES("null"));
  /* The envelope is written only where somebody looks: contract, recording. */
  run->event = (struct event){.id = run->record.id,
                              .received_ms = run->record.admitted_ms,
                              .shape = EVENT_DATA,
                              .ce_source = bytes_str(invocation->source),
                              .ce_type = bytes_eq_str(bytes_str(invocation->source), "http")
                                             ? BYTES(EVENT_TYPE_HTTP)
                                             : BYTES(EVENT_TYPE_INVOKE),
                              .principal = arena_copy(&run->keep, invocation->principal),
                              .traceparent = arena_copy(&run->keep, invocation->traceparent)};
  run_drive(run);
}
