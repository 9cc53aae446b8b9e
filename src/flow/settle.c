/* flow/settle.c: staged writes, outbox, new events, outcome, meter and audit record: one commit.
 *
 * A delivery's row is the fence: a settle that comes too late finds another version and is FENCED.
 * A read that changed meanwhile is a CONFLICT: the function runs again, unless something live left.
 */
#include "base/must.h"
#include "effect/egress.h"
#include "flow/run.h"

#include <stdio.h>

enum { SETTLE_RECORDING_BYTES_MAX = 40 << 20, SETTLE_STORE_RETRY_MS = 1000 };

static const char *outcome_word(enum run_end end) {
  switch (end) {
  case RUN_SUCCEEDED: return "succeeded";
  case RUN_FAILED: return "failed";
  case RUN_TIMED_OUT: return "timed_out";
  case RUN_REFUSED: return "refused";
  }
  return "failed";
}

static void output_contract(struct run *run) {
  const struct schema *schema = run->version ? run->version->output : NULL;
  struct schema_problem problem;
  const struct json *tree;
  struct err err;
  char message[512];
  if (!schema || run->end != RUN_SUCCEEDED) return;
  if (json_parse(&run->arena, buf_bytes(&run->body), &tree, &err) &&
      schema_check(schema, tree, &problem))
    return;
  snprintf(message, sizeof message, "the result breaks the function's output contract at %s: %s",
           problem.instance, problem.sentence);
  run_fail(run, RUN_FAILED, "contract", message);
}

/* {"batchItemFailures":[{"itemIdentifier":ID}]}: those deliveries failed, the others are done. */
static void batch_failures(struct run *run) {
  const struct json *tree;
  struct err err;
  run->failed_items = 0;
  for (size_t i = 0; i < run->owed_count; i++) run->item_failed[i] = run->end != RUN_SUCCEEDED;
  if (run->end != RUN_SUCCEEDED || !bytes_eq_str(run->event.ce_type, EVENT_TYPE_QUEUE)) return;
  if (!json_parse(&run->arena, buf_bytes(&run->body), &tree, &err)) return;
  const struct json *failures = json_get(tree, "batchItemFailures");
  for (const struct json *item = failures ? failures->first : NULL; item; item = item->next) {
    struct bytes id = json_get_text(item, "itemIdentifier");
    for (size_t i = 0; i < run->owed_count; i++) {
      if (!bytes_eq(run->owed[i]->body->event->ce_id, id)) continue;
      run->item_failed[i] = true;
      run->failed_items++;
    }
  }
}

static const struct manifest_function *spec_of(const struct run *run) {
  return run->version ? run->version->spec : run->function->live->spec;
}

/* The next state of one delivery's row. */
static void settle_owed(struct run *run, struct store_commit *commit, size_t i) {
  struct owed *owed = run->owed[i];
  struct delivery *delivery = &owed->delivery;
  int64_t now_ms = flow_now_ms(run->flow);
  int64_t delay_ms;
  commit_check(commit, TABLE_delivery, id_bytes(&delivery->id), owed->row_version, ERR_FENCED);
  if (!run->item_failed[i]) {
    commit_remove(commit, TABLE_delivery, id_bytes(&delivery->id));
    return;
  }
  struct delivery after = *delivery; /* takes force when the commit is durable: release_owed */
  after.attempts++;
  after.reason = bytes_str(run->reason);
  bool again = !run->dead_at_once &&
               retry_next(&spec_of(run)->retry, after.attempts, now_ms - after.created_ms,
                          random_u64(run->flow->options.random), &delay_ms);
  after.state = again ? DELIVERY_OWED : DELIVERY_DEAD;
  after.next_ms = again ? now_ms + delay_ms : 0;
  owed_put(commit, &after);
  owed->then_dead = !again;
  owed->then_ms = after.next_ms;
  run->record.next_ms = after.next_ms;
  run->decision = again ? "retry" : "dead";
}

static void fill_record(struct run *run) {
  struct run_record *record = &run->record;
  run_note_unanswered(run);
  run_note(run, BYTES("settle"), outcome_word(run->end));
  const struct version *version = run->version;
  struct bytes name = bytes_str(run->function->name);
  record->app = run->function->app;
  record->function = bytes_from(name, run->function->app.len + 1);
  record->version = version ? version->number : 0;
  record->event = run->event.id;
  record->delivery = run->owed_count ? run->origin : (struct id){{0}};
  record->outcome = bytes_str(outcome_word(run->end));
  record->reason = run->end == RUN_SUCCEEDED ? BYTES_NONE : bytes_str(run->reason);
  record->decision = bytes_str(run->decision);
  record->principal = run->event.principal;
  record->isolation = bytes_str(run->flow->options.isolation);
  record->settled_ms = flow_now_ms(run->flow);
  record->seed = bytes_of(run->handle.input.seed, sizeof run->handle.input.seed);
  record->engine =
      bytes_str(version ? runtime_engine(run->flow->options.runtime, version->code.code.kind) : "");
  record->trace = run->event.traceparent;
  record->error = run->end == RUN_SUCCEEDED ? BYTES_NONE : buf_bytes(&run->body);
  record->steps = buf_bytes(&run->steps);
  record->log = buf_bytes(&run->log);
  record->log_levels = buf_bytes(&run->log_levels);
}

/* One row of the run log is a page of records; here of one. */
static void append_record(struct run *run, struct store_commit *commit) {
  struct buf record;
  buf_init(&record, 2 * GUEST_OUTPUT_BYTES_MAX);
  run_encode(&record, &run->record);
  if (!buf_ok(&record)) {
    run->record.error = BYTES_NONE;
    buf_reset(&record);
    run_encode(&record, &run->record);
  }
  run_page_append(commit, &run->record.id, buf_bytes(&record));
  buf_fini(&record);
}

/* What a replay needs: the event as the handler got it, and every answer. */
static void put_recording(struct run *run, struct store_commit *commit) {
  struct buf value;
  struct json_out out;
  buf_init(&value, SETTLE_RECORDING_BYTES_MAX);
  json_out_init(&out, &value);
  json_out_open(&out, '{');
  json_out_member_raw(&out, "event", buf_bytes(&run->input));
  json_out_member_raw(&out, "context", buf_bytes(&run->context));
  json_out_name(&out, "answers");
  json_out_open(&out, '[');
  if (run->answers.len) json_out_raw(&out, buf_bytes(&run->answers));
  json_out_close(&out, ']');
  json_out_member_raw(&out, "result", buf_bytes(&run->body));
  json_out_close(&out, '}');
  if (buf_ok(&value))
    commit_put(commit, TABLE_recording, id_bytes(&run->record.id), buf_bytes(&value));
  buf_fini(&value);
}

static bool wants_recording(const struct run *run) {
  if (!run->version || !run->context.len) return false; /* it never started */
  switch (run->version->spec->record) {
  case RECORD_NONE: return false;
  case RECORD_FAILURES: return run->end != RUN_SUCCEEDED;
  case RECORD_ALL: return true;
  }
  return false;
}

/* Events the run emitted, and what they are owed to. */
static bool settle_events(struct run *run, struct store_commit *commit) {
  for (const struct stage_event *staged = run->gate.stage.events; staged; staged = staged->next) {
    if (staged->at_ms && !timer_fits(run->flow, staged, &run->err)) return false;
    if (staged->cancel || staged->at_ms) continue;
    if (!owing_add(&run->owing, commit, &staged->event, NULL, NULL, &run->err)) return false;
  }
  timers_staged(run->flow, &run->gate.stage, commit);
  return true;
}

/* Asynchronous outcomes go where the manifest sends them, as events of their own. */
static bool settle_destination(struct run *run, struct store_commit *commit) {
  bool failed = run->end != RUN_SUCCEEDED;
  const struct manifest_destination *to =
      failed ? &spec_of(run)->on_failure : &spec_of(run)->on_success;
  if (run->owed_count == 0 || (failed && bytes_eq_str(bytes_str(run->decision), "retry")))
    return true;
  if (to->emit.len == 0 && to->queue.len == 0) return true;
  struct event event = {.id = id_derive(id_bytes(&run->origin), UINT64_MAX),
                        .received_ms = flow_now_ms(run->flow),
                        .ce_source = bytes_str(run->function->name),
                        .ce_subject = run->event.ce_subject,
                        .principal = bytes_str(run->function->name),
                        .cause = run->record.id,
                        .depth = run->event.depth + 1};
  return owing_add_outcome(&run->owing, commit, to, &event, buf_bytes(&run->input),
                           buf_bytes(&run->body), outcome_word(run->end), &run->err);
}

static bool is_pure(const struct run *run) {
  const struct stage *stage = &run->gate.stage;
  return run->owed_count == 0 && run->record.effects == 0 && !stage->audits &&
         !wants_recording(run);
}

static void settle_done(void *arg, const struct store_result *result) {
  struct run *run = arg;
  run->result = *result;
  run->result.seen_note = BYTES_NONE;
  run_next(run, STEP_AT_SETTLED);
  run_drive(run);
}

/* Without the function's effects: what a failure leaves is its record and its denials. */
static void settle_failure(struct run *run, struct store_commit *commit) {
  if (run->gate.stage.arena)
    stage_commit_audit(&run->gate.stage, commit, run->flow->options.random);
}

static struct store_commit *build(struct run *run) {
  struct store_commit *commit = commit_new();
  commit_subject(commit, run->event.ce_subject);
  run->decision = run->owed_count ? "done" : "none";
  batch_failures(run);
  for (size_t i = 0; i < run->owed_count; i++) settle_owed(run, commit, i);
  bool ok = run->end == RUN_SUCCEEDED;
  if (ok) stage_commit(&run->gate.stage, commit, run->flow->options.random);
  if (ok) ok = settle_events(run, commit);
  if (ok || run->end != RUN_SUCCEEDED) ok = settle_destination(run, commit);
  if (run->end != RUN_SUCCEEDED) settle_failure(run, commit);
  if (!ok) {
    commit_free(&commit);
    return NULL;
  }
  fill_record(run);
  append_record(run, commit);
  if (wants_recording(run)) put_recording(run, commit);
  return commit;
}

static void count_outcome(struct flow *flow, const struct run *run) {
  struct flow_load *load = &flow->load;
  load->runs++;
  switch (run->end) {
  case RUN_SUCCEEDED: load->succeeded++; break;
  case RUN_FAILED: load->failed++; break;
  case RUN_TIMED_OUT: load->timed_out++; break;
  case RUN_REFUSED: load->refused++; break;
  }
}

/* Pure: no gate call, nobody is owed anything. The reply goes first, the rows follow soon. */
static enum step_result settle_pure(struct run *run) {
  struct buf record;
  run->decision = "none";
  fill_record(run);
  buf_init(&record, 2 * GUEST_OUTPUT_BYTES_MAX);
  run_encode(&record, &run->record);
  defer_run(run->flow, &run->record.id, buf_bytes(&record));
  buf_fini(&record);
  count_outcome(run->flow, run);
  run_next(run, STEP_AT_REPLY);
  return STEP_MORE;
}

enum step_result step_settle(struct run *run) {
  struct flow *flow = run->flow;
  if (run->end == RUN_SUCCEEDED && run->gate.stage.arena && !stage_ok(&run->gate.stage))
    run_fail(run, RUN_FAILED, "effects", "run_arena_bytes_max: the run staged too much");
  output_contract(run);
  if (is_pure(run) && flow->deferred_count < flow->options.limits.deferred_max)
    return settle_pure(run);
  struct store_commit *commit = build(run);
  if (!commit) { /* an emitted event could not be matched: the function's fault */
    owing_dropped(&run->owing);
    owing_init(&run->owing, flow);
    run_fail(run, RUN_FAILED, "effects", run->err.detail);
    err_clear(&run->err);
    commit = build(run);
    must(commit != NULL || run->owing.count == 0);
  }
  if (!commit) commit = commit_new();
  store_submit(flow->options.store, &commit, settle_done, run);
  return STEP_WAIT;
}

/* ---- SETTLED ---- */

/* Durable: every delivery leaves its line, or waits for its next attempt. */
static void release_owed(struct run *run) {
  for (size_t i = 0; i < run->owed_count; i++) {
    struct owed *owed = run->owed[i];
    owed->running = false;
    owed->row_version = run->result.position;
    if (!run->item_failed[i] || owed->then_dead) {
      if (run->item_failed[i]) run->flow->load.dead++;
      owed_leave(owed);
      owed_free(owed);
      continue;
    }
    run->flow->load.retried++;
    owed->delivery.attempts++;
    owed->delivery.next_ms = owed->then_ms;
    if (spec_of(run)->hold)
      owed_hold(owed, spec_of(run)->hold_max_ms);
    else
      owed_leave(owed);
    owed_enter(owed);
  }
  run->owed_count = 0;
}

void run_put_back(struct run *run) {
  for (size_t i = 0; i < run->owed_count; i++) {
    struct owed *owed = run->owed[i];
    owed->running = false;
    owed->delivery.next_ms = flow_now_ms(run->flow) + SETTLE_STORE_RETRY_MS;
    owed_enter(owed);
  }
  run->owed_count = 0;
}

static void drop_fenced(struct run *run) {
  for (size_t i = 0; i < run->owed_count; i++) {
    owed_leave(run->owed[i]);
    owed_free(run->owed[i]);
  }
  run->owed_count = 0;
}

static enum step_result run_again(struct run *run) {
  run->record.conflicts++;
  run->record.effects = 0;
  buf_reset(&run->answers);
  run->asked = NULL;
  arena_reset(&run->arena);
  owing_init(&run->owing, run->flow);
  run_note(run, BYTES("conflict"), "again");
  run_next(run, STEP_AT_LOAD);
  return STEP_MORE;
}

static enum step_result settle_conflict(struct run *run) {
  owing_dropped(&run->owing);
  if (run->record.conflicts < RUN_CONFLICTS_MAX && !run->gate.stage.live) return run_again(run);
  owing_init(&run->owing, run->flow);
  run_fail(run, RUN_FAILED, "conflict", "what the function read was changed meanwhile, each time");
  if (!run->reply && run->owed_count == 0) err_clear(&run->err);
  if (run->owed_count == 0)
    err_set(&run->err, ERR_CONFLICT, ERR_PLACE, ERR_OFFSET_NONE,
            "what the function read was changed meanwhile, %d times", RUN_CONFLICTS_MAX + 1);
  run_next(run, STEP_AT_SETTLE);
  return STEP_MORE;
}

static void settle_ok(struct run *run) {
  struct flow *flow = run->flow;
  bool succeeded = run->end == RUN_SUCCEEDED;
  flow->seen_position = run->result.position;
  count_outcome(flow, run);
  usage_add(flow, &run->record);
  release_owed(run);
  owing_settled(&run->owing, run->result.position);
  if (succeeded) timers_settled(flow, &run->gate.stage, run->result.position);
  struct egress_port *egress = flow->options.egress;
  if (succeeded && egress && run->gate.stage.outbox_count)
    egress->ops->outbox(egress->self, &run->gate.stage);
}

enum step_result step_settled(struct run *run) {
  enum err_code code = run->result.err.code;
  if (code == ERR_CONFLICT) return settle_conflict(run);
  if (code == ERR_OK) {
    settle_ok(run);
  } else {
    run->err = run->result.err;
    owing_dropped(&run->owing);
    if (code == ERR_FENCED)
      drop_fenced(run);
    else
      run_put_back(run);
  }
  run_next(run, STEP_AT_REPLY);
  return STEP_MORE;
}
