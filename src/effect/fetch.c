/* effect/fetch.c: an HTTP request at once, through egress.
 *
 *   grant -> answer on record? -> audit durable -> request -> (next hop: grant, request) -> record
 *
 * The record of the answer is a row keyed by the call and the request's bytes: a retry of the same
 * delivery that asks the same gets the same answer, and nothing leaves a second time. */
#include "effect/fetch_request.h"
#include "effect/live_record.h"

#include <stdio.h>

enum { FETCH_HOPS_MAX = 5 };

struct fetch {
  struct fetch_request request;
  struct live_record record;
  struct buf answer;
  unsigned hops;
};

static void end(struct effect_call *call) {
  struct fetch *fetch = call->own;
  buf_fini(&fetch->answer);
  live_record_fini(&fetch->record);
}

static void fail(struct effect_call *call, const struct err *err) {
  struct fetch *fetch = call->own;
  const char *word = err_facts(err->code)->word;
  effect_audit(call, fetch->request.origin, err->code == ERR_DENIED ? "denied" : "failed", word,
               BYTES_NONE);
  call->live = false;
  end(call);
  effect_fail(call, err->code, "fetch %.*s: %s", BYTES_FMT(fetch->request.origin), err->detail);
}

static void give(struct effect_call *call) {
  struct fetch *fetch = call->own;
  struct buf answer = fetch->answer;
  buf_init(&fetch->answer, 0); /* its bytes outlive the call */
  end(call);
  effect_answer(call, buf_bytes(&answer));
  buf_fini(&answer);
}

/* An answer that could not be kept is an answer all the same. */
static void recorded(void *arg, const struct store_result *result) {
  (void)result;
  give(arg);
}

static void send(struct effect_call *call);

/* The next hop: the same grants, judged anew. False: it is denied, and the call has ended. */
static bool hop(struct effect_call *call, const struct egress_answer *answer) {
  struct fetch *fetch = call->own;
  char missing[GRANT_TEXT_BYTES];
  struct err err;
  if (++fetch->hops > FETCH_HOPS_MAX) {
    err_set(&err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "FETCH_HOPS_MAX: more than 5 redirects");
  } else if (fetch_request_hop(call, &fetch->request, answer->status, answer->redirect, &err)) {
    if (grant_allows(call->run->grants, "fetch", "fetch", fetch->request.url, missing)) return true;
    err_set(&err, ERR_DENIED, ERR_PLACE, ERR_OFFSET_NONE,
            "the redirect is denied: the function lacks the grant `%s`", missing);
  }
  fail(call, &err);
  return false;
}

static void on_answer(void *arg, const struct egress_answer *answer) {
  struct effect_call *call = arg;
  struct fetch *fetch = call->own;
  char detail[32];
  if (!call->run) { /* audited as unknown when the run ended */
    end(call);
    effect_answer(call, BYTES_NONE);
    return;
  }
  if (answer->err.code != ERR_OK) {
    fail(call, &answer->err);
    return;
  }
  if (fetch_is_redirect(answer)) {
    if (hop(call, answer)) send(call);
    return;
  }
  snprintf(detail, sizeof detail, "status %d", answer->status);
  effect_audit(call, fetch->request.origin, "ok", detail, fetch->request.url);
  call->live = false; /* answered: nothing is unknown any more */
  fetch_answer_write(&fetch->answer, answer, fetch->request.url, fetch->hops > 0);
  if (!live_record_put(call, &fetch->record, buf_bytes(&fetch->answer), recorded)) give(call);
}

static void send(struct effect_call *call) {
  struct fetch *fetch = call->own;
  struct egress_port *egress = call->gate->egress;
  struct egress_request request = {.kind = EGRESS_HTTP,
                                   .url = fetch->request.url,
                                   .method = fetch->request.method,
                                   .headers = fetch->request.headers,
                                   .body = fetch->request.body,
                                   .timeout_ms = fetch->request.timeout_ms};
  request.allow_private = grant_private(call->run->grants, fetch->request.url);
  call->live = true;
  call->run->stage.live = true;
  egress->ops->request(egress->self, &request, on_answer, call);
}

/* What the run has read so far is durable, and that it is about to ask. */
static void audited(void *arg, const struct store_result *result) {
  struct effect_call *call = arg;
  if (!call->run) {
    end(call);
    effect_answer(call, BYTES_NONE);
  } else if (result->err.code != ERR_OK) {
    stage_unflush_audit(&call->run->stage);
    fail(call, &result->err);
  } else {
    send(call);
  }
}

static void ask(struct effect_call *call) {
  struct fetch *fetch = call->own;
  struct store_commit *commit = commit_new();
  effect_audit(call, fetch->request.origin, "unknown", "asked", fetch->request.url);
  stage_flush_audit(&call->run->stage, commit, call->gate->random);
  store_submit(call->gate->store, &commit, audited, call);
}

static void looked_up(void *arg) {
  struct effect_call *call = arg;
  struct fetch *fetch = call->own;
  struct bytes kept;
  if (!call->run) {
    end(call);
    effect_answer(call, BYTES_NONE);
  } else if (live_record_found(&fetch->record, &kept)) {
    effect_audit(call, fetch->request.origin, "ok", "from the record", fetch->request.url);
    live_record_done(call, &fetch->record);
    buf_put(&fetch->answer, kept);
    give(call);
  } else {
    ask(call);
  }
}

static void look_up(void *arg, struct store_reader *reader) {
  struct fetch *fetch = ((struct effect_call *)arg)->own;
  live_record_read(&fetch->record, reader);
}

void effect_fetch(struct effect_call *call) {
  struct err err;
  if (!effect_own(call, sizeof(struct fetch))) return;
  struct fetch *fetch = call->own;
  if (!fetch_request_read(call, &fetch->request, &err)) {
    effect_fail(call, err.code, "fetch: %s", err.detail);
    return;
  }
  if (!effect_granted(call, "fetch", "fetch", fetch->request.url)) return;
  if (!call->gate->egress) {
    effect_fail(call, ERR_UNAVAILABLE, "fetch: this server asks nobody: it has no egress");
    return;
  }
  buf_init(&fetch->answer, FETCH_ANSWER_BYTES_MAX);
  if (live_record_init(call, &fetch->record, &fetch->request))
    effect_ask(call, look_up, looked_up);
  else
    ask(call);
}
