#include "tests/unit/effect/rig.h"

#include "audit/record.h"

static void on_request(void *self, const struct egress_request *request, egress_done *done,
                       void *arg) {
  struct rig *rig = self;
  assert_true(rig->sent_count < RIG_SENT_MAX);
  struct rig_sent *sent = &rig->sent[rig->sent_count++];
  sent->request = *request;
  bytes_text(request->url, sent->url, sizeof sent->url);
  bytes_text(request->headers, sent->headers, sizeof sent->headers);
  bytes_text(request->body, sent->body, sizeof sent->body);
  bytes_text(request->mail_to, sent->to, sizeof sent->to);
  sent->done = done;
  sent->arg = arg;
}

static void on_outbox(void *self, const struct stage *stage) {
  (void)self, (void)stage;
}

static const struct egress_ops scripted = {on_request, on_outbox};

static void open_outbox(struct rig *rig) {
  struct err err;
  const struct outbox_options options = {.loop = rig->loop,
                                         .store = rig->store,
                                         .clock = &rig->clock.port,
                                         .random = &rig->random.port,
                                         .egress = &rig->egress};
  assert_ok(outbox_open(&options, &rig->outbox, &err), err);
  rig->gate = (struct gate){.store = rig->store,
                            .clock = &rig->clock.port,
                            .random = &rig->random.port,
                            .egress = outbox_port(rig->outbox)};
}

void rig_open(struct rig *rig, const char *yaml) {
  struct err err;
  struct manifest_problems problems;
  *rig = (struct rig){.egress = {&scripted, rig}};
  sim_clock_init(&rig->clock, 1000000000000);
  random_seeded_init(&rig->random, 1);
  rig->loop = loop_new_simulated(&rig->clock.port);
  rig->store_options = (struct store_options){.loop = rig->loop,
                                              .clock = &rig->clock.port,
                                              .random = &rig->random.port,
                                              .inline_execution = true};
  assert_ok(store_open_memory(&rig->store_options, &rig->store, &err), err);
  arena_init(&rig->manifest_arena, 1 << 20);
  arena_init(&rig->arena, 8 << 20);
  assert_ok(manifest_parse(&rig->manifest_arena, bytes_str(yaml), &rig->manifest, &problems, &err),
            err);
  open_outbox(rig);
}

/* As the egress does when it is closed: who still waits is told. */
static void close_outbox(struct rig *rig) {
  struct egress_answer closed = {0};
  err_set(&closed.err, ERR_CLOSED, "test", ERR_OFFSET_NONE, "closed");
  outbox_close(&rig->outbox);
  for (int i = 0; i < rig->sent_count; i++)
    if (rig->sent[i].done) rig->sent[i].done(rig->sent[i].arg, &closed);
  rig->sent_count = 0;
}

void rig_close(struct rig *rig) {
  close_outbox(rig);
  store_close(&rig->store);
  loop_free(&rig->loop);
  arena_fini(&rig->arena);
  arena_fini(&rig->manifest_arena);
}

void rig_crash(struct rig *rig) {
  struct err err;
  struct store *after;
  close_outbox(rig);
  assert_ok(store_crash_memory(&rig->store, &rig->store_options, &after, &err), err);
  rig->store = after;
  open_outbox(rig);
  rig_turn(rig);
}

static void on_answer(struct gate_run *run, uint64_t ordinal, bool ok, struct bytes body) {
  struct rig *rig = (struct rig *)(void *)((char *)run - offsetof(struct rig, run));
  (void)ordinal;
  rig->answers++;
  rig->ok = ok;
  bytes_text(body, rig->body, sizeof rig->body);
}

void rig_run(struct rig *rig, uint8_t delivery) {
  arena_reset(&rig->arena);
  gate_run_init(&rig->run, &rig->arena);
  rig->delivery = (struct id){{[0] = 1, [15] = delivery}};
  rig->run.app = rig->manifest->app;
  rig->run.function = BYTES("ward/news2");
  rig->run.grants = rig->manifest->functions->grants;
  rig->run.manifest = rig->manifest;
  rig->run.run = (struct id){{[0] = 2, [15] = delivery}};
  rig->run.delivery = rig->run.tenant_delivery = rig->delivery;
  rig->run.answer = on_answer;
  rig->ordinal = 0;
}

void rig_turn(struct rig *rig) {
  for (int i = 0; i < 1000 && loop_step(rig->loop, 0); i++) continue;
}

void rig_pass(struct rig *rig, int64_t ms) {
  sim_clock_advance_ms(&rig->clock, ms);
  rig_turn(rig);
}

void rig_call(struct rig *rig, const char *effect, const char *payload) {
  int before = rig->answers;
  gate_effect(&rig->gate, &rig->run, ++rig->ordinal, bytes_str(effect), bytes_str(payload));
  rig_turn(rig);
  if (rig->answers == before) bytes_text(BYTES("no answer"), rig->body, sizeof rig->body);
}

static void settled(void *arg, const struct store_result *result) {
  struct rig *rig = arg;
  assert_int_equal(result->err.code, ERR_OK);
  if (rig->run.stage.outbox_count)
    rig->gate.egress->ops->outbox(rig->gate.egress->self, &rig->run.stage);
}

void rig_settle(struct rig *rig) {
  struct store_commit *commit = commit_new();
  gate_run_end(&rig->run);
  stage_commit(&rig->run.stage, commit, &rig->random.port);
  store_submit(rig->store, &commit, settled, rig);
  rig_turn(rig);
}

static void answer(struct rig *rig, int index, const struct egress_answer *answer) {
  assert_true(index < rig->sent_count);
  struct rig_sent *sent = &rig->sent[index];
  egress_done *done = sent->done;
  sent->done = NULL;
  assert_non_null(done);
  done(sent->arg, answer);
  rig_turn(rig);
}

void rig_answer(struct rig *rig, int index, enum err_code code, int status) {
  struct egress_answer given = {.status = status};
  err_clear(&given.err);
  if (code != ERR_OK) err_set(&given.err, code, "test", ERR_OFFSET_NONE, "as the script says");
  answer(rig, index, &given);
}

void rig_answer_with(struct rig *rig, int index, int status, const char *body,
                     const char *redirect) {
  struct egress_answer given = {.status = status,
                                .headers = BYTES("Content-Type: text/plain\r\nX-A: b\r\n"),
                                .body = bytes_str(body),
                                .redirect = bytes_str(redirect)};
  err_clear(&given.err);
  answer(rig, index, &given);
}

static void put_done(void *arg, const struct store_result *result) {
  (void)arg;
  assert_int_equal(result->err.code, ERR_OK);
}

void rig_put(struct rig *rig, enum store_table table, const char *key, size_t key_bytes,
             const char *value) {
  struct store_commit *commit = commit_new();
  commit_put(commit, table, bytes_of(key, key_bytes), bytes_str(value));
  store_submit(rig->store, &commit, put_done, rig);
  rig_turn(rig);
}

static bool count_row(void *arg, const struct store_row *row) {
  (void)row;
  ++*(int *)arg;
  return true;
}

int rig_rows(struct rig *rig, enum store_table table) {
  const struct store_range range = {.table = table};
  struct err err;
  int count = 0;
  assert_ok(store_scan(store_reader(rig->store), &range, count_row, &count, &err), err);
  return count;
}

struct looking {
  const char *text;
  int found;
};

static bool look(void *arg, const struct store_row *row) {
  struct looking *looking = arg;
  struct audit_stored stored;
  struct err err;
  assert_ok(audit_decode(row->value, &stored, &err), err);
  struct bytes needle = bytes_str(looking->text);
  if (bytes_find_bytes(stored.leaf, needle) < stored.leaf.len) looking->found++;
  return true;
}

int rig_audits(struct rig *rig, const char *text) {
  struct looking looking = {.text = text};
  struct err err;
  assert_ok(store_tail(store_reader(rig->store), TABLE_audit, 0, false, look, &looking, &err), err);
  return looking.found;
}
