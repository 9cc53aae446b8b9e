/* flow/run.c: the step table of a run and its short driver. The drawing is in run.h. */
#include "flow/run.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  RUN_BODY_BYTES_MAX = GUEST_OUTPUT_BYTES_MAX + 4096,
  RUN_CONTEXT_BYTES_MAX = 64 << 10,
  RUN_STEPS_BYTES_MAX = 32 << 10,
  RUN_ANSWERS_BYTES_MAX = 16 << 20,
  RUN_INPUT_BYTES_MAX = 64 << 20,
  RUN_KEEP_BYTES_MAX = 64 << 10,
  RUN_WAIT_SYNC_MS = 30000,
};

static enum step_result step_load(struct run *run);
static enum step_result step_start(struct run *run);
static enum step_result step_running(struct run *run);
static enum step_result step_reply(struct run *run);
static enum step_result step_end(struct run *run);

static const struct {
  const char *name;
  enum step_result (*function)(struct run *run);
  unsigned next;
} steps[STEP_COUNT] = {
#define STEP(name, function, next, what) {#name, function, next},
    RUN_STEPS(STEP)
#undef STEP
};

void run_next(struct run *run, enum run_step next) {
  must(steps[run->step].next & 1u << next);
  run->step = next;
}

void run_drive(struct run *run) {
  must(run->magic == RUN_MAGIC);
  while (steps[run->step].function(run) == STEP_MORE) continue;
}

struct run *run_new(struct flow *flow, struct function *function) {
  struct run *run = must_alloc(sizeof *run);
  run->magic = RUN_MAGIC;
  run->flow = flow;
  run->function = function;
  arena_init(&run->arena, flow->options.limits.run_arena_bytes_max);
  arena_init(&run->keep, RUN_KEEP_BYTES_MAX);
  buf_init(&run->input, RUN_INPUT_BYTES_MAX);
  buf_init(&run->context, RUN_CONTEXT_BYTES_MAX);
  buf_init(&run->body, RUN_BODY_BYTES_MAX);
  buf_init(&run->log, RUN_LOG_BYTES_MAX);
  buf_init(&run->log_levels, RUN_LOG_BYTES_MAX);
  buf_init(&run->steps, RUN_STEPS_BYTES_MAX);
  buf_init(&run->answers, RUN_ANSWERS_BYTES_MAX);
  owing_init(&run->owing, flow);
  run->record.id = flow_id(flow);
  run->record.app = function->app; /* the rest follows at settle; log lines need these */
  run->record.function = bytes_from(bytes_str(function->name), function->app.len + 1);
  run->asked_ns = flow_now_ns(flow);
  list_init(&run->link);
  list_push(&flow->runs, &run->link);
  flow->run_count++;
  function->running++;
  return run;
}

static int64_t run_at_us(const struct run *run) {
  return (flow_now_ns(run->flow) - run->asked_ns) / 1000;
}

void run_note(struct run *run, struct bytes what, const char *status) {
  run_pack_step(&run->steps, what, status, run_at_us(run), 0);
}

void run_note_unanswered(struct run *run) {
  for (struct asked_effect *asked = run->asked; asked; asked = asked->next)
    run_pack_step(&run->steps, asked->name, "unanswered", asked->at_us,
                  run_at_us(run) - asked->at_us);
  run->asked = NULL;
}

void run_fail(struct run *run, enum run_end end, const char *reason, const char *message) {
  struct json_out out;
  run->end = end;
  run->reason = reason;
  buf_reset(&run->body);
  json_out_init(&out, &run->body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "errorMessage", message);
  json_out_name(&out, "errorType");
  buf_printf(out.buf, "\"Medulla.%c%s\"", reason[0] - ('a' <= reason[0] ? 32 : 0), reason + 1);
  json_out_close(&out, '}');
}

/* ---- LOAD ---- */

struct loading { /* one event on its way from the store */
  struct run *run;
  size_t at;
  struct id event;
  struct buf value;
  uint64_t position;
  bool ok;
  struct err err;
};

static void load_query(void *arg, struct store_reader *reader) {
  struct loading *loading = arg;
  loading->ok = store_find(reader, TABLE_event, id_bytes(&loading->event), &loading->value,
                           &loading->position, &loading->err);
}

static void load_done(void *arg) {
  struct loading *loading = arg;
  struct run *run = loading->run;
  struct event event;
  struct err err = loading->err;
  bool ok =
      loading->ok && loading->position && event_decode(buf_bytes(&loading->value), &event, &err);
  if (ok) run->owed[loading->at]->body = body_new(run->flow, &event);
  bool gone = loading->ok; /* the store could be read; what it has is of no use */
  if (!ok && gone) {
    run->dead_at_once = true;
    run_fail(run, RUN_REFUSED, "event", "the event cannot be read from the store");
    run_next(run, STEP_AT_SETTLE);
  } else if (!ok) {
    run->err = err;
    run_put_back(run);
    run_next(run, STEP_AT_REPLY);
  }
  buf_fini(&loading->value);
  free(loading);
  run_drive(run);
}

/* What the handler gets: the event, or the batch as Records. */
static void write_input(struct run *run) {
  buf_reset(&run->input);
  if (!bytes_eq_str(run->event.ce_type, EVENT_TYPE_QUEUE)) {
    buf_put(&run->input, event_for_handler(&run->event));
    return;
  }
  buf_str(&run->input, "{\"Records\":[");
  for (size_t i = 0; i < run->owed_count; i++) {
    if (i) buf_char(&run->input, ',');
    buf_put(&run->input, event_for_handler(run->owed[i]->body->event));
  }
  buf_str(&run->input, "]}");
}

static enum step_result step_load(struct run *run) {
  for (size_t i = 0; i < run->owed_count; i++) {
    if (run->owed[i]->body) continue;
    struct loading *loading = must_alloc(sizeof *loading);
    loading->run = run;
    loading->at = i;
    loading->event = run->owed[i]->delivery.event;
    buf_init(&loading->value, RUN_INPUT_BYTES_MAX);
    store_ask(run->flow->options.store, load_query, load_done, loading);
    return STEP_WAIT;
  }
  if (run->owed_count) {
    run->event = *run->owed[0]->body->event;
    write_input(run);
  }
  run_next(run, STEP_AT_START);
  return STEP_MORE;
}

/* ---- START ---- */

static void on_effect(struct run_handle *handle, uint64_t ordinal, struct bytes effect,
                      struct bytes payload) {
  struct run *run = LIST_OF(handle, struct run, handle);
  struct asked_effect *asked = ARENA_NEW(&run->arena, struct asked_effect);
  run->record.effects++;
  run_note(run, effect, "asked");
  if (asked) {
    *asked =
        (struct asked_effect){run->asked, ordinal, arena_copy(&run->arena, effect), run_at_us(run)};
    run->asked = asked;
  }
  gate_effect(&run->flow->gate, &run->gate, ordinal, effect, payload);
}

static void note_answer(struct run *run, uint64_t ordinal, bool ok, struct bytes body) {
  struct asked_effect **at = &run->asked;
  while (*at && (*at)->ordinal != ordinal) at = &(*at)->next;
  struct asked_effect *asked = *at;
  if (!asked) return;
  bool denied = !ok && bytes_find_bytes(body, BYTES("AccessDenied")) < body.len;
  *at = asked->next;
  run_pack_step(&run->steps, asked->name,
                ok       ? "ok"
                : denied ? "denied"
                         : "failed",
                asked->at_us, run_at_us(run) - asked->at_us);
}

/* The gate's answer goes to the guest and, for replay, into the recording. */
static void on_answer(struct gate_run *gate, uint64_t ordinal, bool ok, struct bytes body) {
  struct run *run = LIST_OF(gate, struct run, gate);
  note_answer(run, ordinal, ok, body);
  if (run->version->spec->record != RECORD_NONE) {
    buf_printf(&run->answers,
               "%s{\"ordinal\":%llu,\"ok\":%s,\"body\":", run->answers.len ? "," : "",
               (unsigned long long)ordinal, ok ? "true" : "false");
    buf_put(&run->answers, body);
    buf_char(&run->answers, '}');
  }
  runtime_answer(run->flow->options.runtime, &run->handle, ordinal, ok, body);
}

static void on_log(struct run_handle *handle, enum guest_level level, int64_t at_ms,
                   struct bytes line) {
  struct run *run = LIST_OF(handle, struct run, handle);
  struct flow *flow = run->flow;
  static const uint8_t letters[] = {'d', 'i', 'w', 'e'};
  line = bytes_sub(line, 0, RUN_LOG_BYTES_MAX / 4);
  while (run->log.len + line.len + 1 > RUN_LOG_BYTES_MAX) { /* the oldest line goes */
    size_t first = bytes_find(buf_bytes(&run->log), '\n') + 1;
    buf_consume(&run->log, first < run->log.len ? first : run->log.len);
    if (run->log_levels.len) buf_consume(&run->log_levels, 1);
  }
  buf_put(&run->log, line);
  buf_char(&run->log, '\n');
  buf_char(&run->log_levels, letters[level]);
  for (size_t i = 0; i < line.len; i++)
    if (line.at[i] == '\n') buf_char(&run->log_levels, letters[level]);
  if (flow->options.on_log)
    flow->options.on_log(flow->options.arg, &run->record, level, at_ms, line);
}

static void on_started(struct run_handle *handle) {
  struct run *run = LIST_OF(handle, struct run, handle);
  run->record.started_ms = flow_now_ms(run->flow);
  run_note(run, BYTES("worker"), "ok");
}

static void on_done(struct run_handle *handle, const struct run_done *done) {
  struct run *run = LIST_OF(handle, struct run, handle);
  struct run_record *record = &run->record;
  run->end = done->end;
  run->reason = done->reason;
  buf_reset(&run->body);
  buf_put(&run->body, done->body);
  record->wait_us = done->meter.wait_us;
  record->start_us = done->meter.start_us;
  record->restore_us = done->meter.restore_us;
  record->run_us = done->meter.run_us;
  record->effect_us = done->meter.effect_us;
  record->cpu_us = done->meter.cpu_us;
  record->memory_bytes = done->meter.memory_bytes;
  record->in_bytes = run->input.len;
  record->out_bytes = done->body.len;
  record->dirty_pages = done->meter.dirty_pages;
  record->cold = done->meter.cold;
  gate_run_end(&run->gate);
  run_trace_sources(run);
  run_next(run, STEP_AT_SETTLE);
  run_drive(run);
}

static const struct run_callbacks callbacks = {on_effect, on_log, on_started, on_done};

static void write_context(struct run *run) {
  struct json_out out;
  char id[ID_TEXT_BYTES];
  char number[16];
  const struct version *version = run->version;
  buf_reset(&run->context);
  json_out_init(&out, &run->context);
  json_out_open(&out, '{');
  id_text(run->record.id, id);
  json_out_member_str(&out, "awsRequestId", id);
  json_out_member_str(&out, "functionName", run->function->name);
  snprintf(number, sizeof number, "%u", version->number);
  json_out_member_str(&out, "functionVersion", number);
  json_out_member_int(&out, "memoryLimitInMB", (int64_t)(version->spec->memory_bytes >> 20));
  json_out_member_int(&out, "timeLimitInMillis", version->spec->time_ms);
  json_out_member_int(&out, "attempt", (int64_t)run->record.attempt);
  json_out_member_int(&out, "receivedMs", run->record.admitted_ms);
  if (run->owed_count) {
    id_text(run->origin, id);
    json_out_member_str(&out, "deliveryId", id);
  }
  if (run->gate.traceparent.len) json_out_member(&out, "traceparent", run->gate.traceparent);
  json_out_close(&out, '}');
}

/* The contract sees the envelope whatever the handler gets. */
static bool input_fits(struct run *run) {
  struct buf envelope;
  struct schema_problem problem;
  const struct json *tree = NULL;
  struct err err;
  if (!run->version->input) return true;
  buf_init(&envelope, RUN_INPUT_BYTES_MAX);
  if (run->event.envelope.len)
    buf_put(&envelope, run->event.envelope);
  else
    event_write_envelope(&envelope, &run->event, buf_bytes(&run->input));
  bool fits = json_parse(&run->arena, buf_bytes(&envelope), &tree, &err) &&
              schema_check(run->version->input, tree, &problem);
  if (!fits) {
    char message[640];
    snprintf(message, sizeof message, "the event breaks the function's input contract at %s: %s",
             tree ? problem.instance : "", tree ? problem.sentence : err.detail);
    run->dead_at_once = true;
    run_fail(run, RUN_REFUSED, "contract", message);
  }
  buf_fini(&envelope);
  return fits;
}

static void gate_begin(struct run *run) {
  struct gate_run *gate = &run->gate;
  gate_run_init(gate, &run->arena);
  gate->app = run->function->app;
  gate->function = bytes_str(run->function->name);
  gate->grants = run->version->spec->grants;
  gate->manifest = run->version->manifest;
  gate->run = run->record.id;
  gate->event = run->event.id;
  gate->delivery = run->owed_count ? run->origin : (struct id){{0}};
  gate->tenant_delivery = run->origin;
  gate->order_key = run->owed_count ? run->owed[0]->delivery.key : BYTES_NONE;
  gate->depth = run->event.depth;
  gate->traceparent = run->event.traceparent;
  gate->answer = on_answer;
}

/* Its snapshot is there (or is being made anew: the engine changed, or a folder was restored). */
static void on_prepared(void *arg, const struct err *err) {
  struct run *run = arg;
  if (err) {
    run_fail(run, RUN_FAILED, "start", err->detail);
    run_next(run, STEP_AT_SETTLE);
  }
  run_drive(run);
}

static enum step_result step_start(struct run *run) {
  struct flow *flow = run->flow;
  if (!run->version) { /* the canary's share is by order key, so that a key stays with a version */
    struct bytes key = run->owed[0]->delivery.key;
    run->version = version_ref(catalog_choose(run->function, key.len ? key : run->event.ce_id));
  }
  if (!run->version->prepared) {
    catalog_prepare(flow, run->version, on_prepared, run);
    return STEP_WAIT;
  }
  run->record.attempt = run->owed_count ? run->owed[0]->delivery.attempts + 1 : 1;
  gate_begin(run);
  if (!input_fits(run)) {
    run_next(run, STEP_AT_SETTLE);
    return STEP_MORE;
  }
  write_context(run);
  run->record.clock_ms = flow_now_ms(flow);
  random_fill(flow->options.random, run->handle.input.seed, sizeof run->handle.input.seed);
  struct run_handle *handle = &run->handle;
  handle->code = &run->version->code;
  handle->input.event = buf_bytes(&run->input);
  handle->input.context = buf_bytes(&run->context);
  handle->input.env = arena_copy(&run->arena, run->version->env_json);
  handle->input.clock_ms = run->record.clock_ms;
  handle->input.handler = run->version->spec->handler;
  handle->time_ms_max = run->version->spec->time_ms;
  handle->wait_ms_max = run->owed_count ? 0 : RUN_WAIT_SYNC_MS;
  handle->callbacks = &callbacks;
  handle->fair_key = run->function->fair_key;
  run_next(run, STEP_AT_RUNNING);
  runtime_start(flow->options.runtime, handle);
  return STEP_WAIT;
}

/* Between START and SETTLE everything happens in the callbacks above. */
static enum step_result step_running(struct run *run) {
  return STEP_WAIT;
}

/* ---- REPLY and END ---- */

static enum step_result step_reply(struct run *run) {
  struct flow *flow = run->flow;
  struct flow_reply *reply = run->reply;
  run->reply = NULL;
  if (reply) {
    struct flow_answer answer = {.err = run->err,
                                 .end = run->end,
                                 .body = buf_bytes(&run->body),
                                 .run = &run->record,
                                 .reason = run->reason};
    reply->answer(reply, &answer);
  }
  if (flow->options.on_run && run->record.outcome.len)
    flow->options.on_run(flow->options.arg, &run->record);
  run_next(run, STEP_AT_END);
  return STEP_MORE;
}

void run_free(struct run *run) {
  list_drop(&run->link);
  run->flow->run_count--;
  run->function->running--;
  if (run->version) version_unref(&run->version);
  buf_fini(&run->input);
  buf_fini(&run->context);
  buf_fini(&run->body);
  buf_fini(&run->log);
  buf_fini(&run->log_levels);
  buf_fini(&run->steps);
  buf_fini(&run->answers);
  arena_fini(&run->arena);
  arena_fini(&run->keep);
  run->magic = 0;
  free(run);
}

static enum step_result step_end(struct run *run) {
  struct flow *flow = run->flow;
  struct function *function = run->function;
  run_free(run);
  dispatch_ready(flow, function);
  refill(flow);
  run_drain_check(flow);
  return STEP_GONE;
}

void run_start_owed(struct flow *flow, struct owed **owed, size_t count) {
  struct run *run = run_new(flow, owed[0]->function);
  memcpy(run->owed, owed, count * sizeof *owed);
  run->owed_count = count;
  run->origin = owed[0]->delivery.id;
  run->record.admitted_ms = owed[0]->delivery.created_ms;
  run_drive(run);
}
