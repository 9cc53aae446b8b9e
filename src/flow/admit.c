/* flow/admit.c: events from outside: one commit each, folded by the store; answered when all are
 * durable. A CloudEvent seen before is not stored again, and the answer says so.               */
#include "base/must.h"
#include "flow/world.h"

#include <stdlib.h>
#include <string.h>

/* One request's events. */
struct admission {
  struct flow *flow;
  struct flow_reply *reply;
  size_t waiting;
  struct flow_answer answer;
};

/* One event of it. */
struct admitted {
  struct admission *admission;
  struct owing owing;
  struct id event;
};

static void answer_now(struct flow_reply *reply, enum err_code code, int64_t retry_after_ms,
                       const char *what) {
  struct flow_answer answer = {.retry_after_ms = retry_after_ms};
  err_set(&answer.err, code, ERR_PLACE, ERR_OFFSET_NONE, "%s", what);
  reply->answer(reply, &answer);
}

static void admission_end(struct admission *admission) {
  if (--admission->waiting) return;
  admission->reply->answer(admission->reply, &admission->answer);
  free(admission);
}

static void duplicate(struct admission *admission, const struct store_result *result) {
  admission->answer.duplicates++;
  admission->flow->load.duplicates++;
  if (result->seen_note.len == ID_BYTES)
    memcpy(admission->answer.event.at, result->seen_note.at, ID_BYTES);
}

static void event_durable(void *arg, const struct store_result *result) {
  struct admitted *admitted = arg;
  struct admission *admission = admitted->admission;
  struct flow *flow = admission->flow;
  flow->admitting--;
  if (result->err.code == ERR_OK) {
    flow->seen_position = result->position;
    flow->load.admitted++;
    admission->answer.accepted++;
    admission->answer.deliveries += admitted->owing.count;
    admission->answer.event = admitted->event;
    owing_settled(&admitted->owing, result->position);
  } else {
    owing_dropped(&admitted->owing);
    if (result->err.code == ERR_EXISTS)
      duplicate(admission, result);
    else
      admission->answer.err = result->err;
  }
  free(admitted);
  admission_end(admission);
}

/* RFC-free but stable: the first half of SHA-256 over source, NUL, id. */
static void mark_unique(struct store_commit *commit, const struct event *event, int64_t now_ms) {
  uint8_t hash[SHA256_BYTES];
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, event->ce_source);
  digest_add(&digest, BYTES("\0"));
  digest_add(&digest, event->ce_id);
  digest_final(&digest, hash);
  commit_unique(commit, hash, now_ms, id_bytes(&event->id));
}

static void admit_one(struct admission *admission, const struct flow_admission *given, size_t at,
                      struct function *function) {
  const struct flow_incoming *incoming = &given->incoming[at];
  struct flow *flow = admission->flow;
  struct store_commit *commit = commit_new();
  struct admitted *admitted = must_alloc(sizeof *admitted);
  struct event event = incoming->event;
  struct err err;
  if (id_is_none(event.id)) event.id = flow_id(flow);
  event.received_ms = flow_now_ms(flow);
  admitted->admission = admission;
  admitted->event = event.id;
  owing_init(&admitted->owing, flow);
  admitted->owing.not_before_ms = incoming->not_before_ms;
  if (given->unique) mark_unique(commit, &event, event.received_ms);
  if (given->with && at == 0) given->with(given->with_arg, commit);
  if (owing_add(&admitted->owing, commit, &event, incoming->tree, function, &err)) {
    flow->admitting++;
    store_submit(flow->options.store, &commit, event_durable, admitted);
    return;
  }
  commit_free(&commit);
  owing_dropped(&admitted->owing);
  admission->answer.err = err;
  free(admitted);
  admission_end(admission);
}

void flow_admit(struct flow *flow, const struct flow_admission *given, struct flow_reply *reply) {
  struct function *function = NULL;
  struct err err;
  if (flow->draining) {
    answer_now(reply, ERR_UNAVAILABLE, 1000, "the server is shutting down");
    return;
  }
  if (flow->admitting + given->count > flow->options.limits.admitting_max) {
    answer_now(reply, ERR_UNAVAILABLE, 1000,
               "admitting_max: too many events are waiting for the store");
    return;
  }
  if (given->function.len && !catalog_find(flow->catalog, given->function, &function, &err)) {
    answer_now(reply, err.code, 0, err.detail);
    return;
  }
  struct admission *admission = must_alloc(sizeof *admission);
  *admission = (struct admission){.flow = flow, .reply = reply, .waiting = given->count + 1};
  for (size_t i = 0; i < given->count; i++) admit_one(admission, given, i, function);
  admission_end(admission);
}
