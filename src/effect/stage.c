/* effect/stage.c: lists in the run's arena, in the order of the calls. */
#include "effect/stage.h"

#include "base/must.h"

void stage_init(struct stage *stage, struct arena *arena) {
  *stage = (struct stage){.arena = arena};
  stage->ops_end = &stage->ops;
  stage->reads_end = &stage->reads;
  stage->events_end = &stage->events;
  stage->audits_end = &stage->audits;
}

static struct stage_op *op_new(struct stage *stage, enum stage_kind kind, enum store_table table,
                               struct bytes key) {
  struct stage_op *op =
      stage->op_count < STAGE_OPS_MAX ? ARENA_NEW(stage->arena, struct stage_op) : NULL;
  if (!op) {
    stage->arena->overflow = true;
    return NULL;
  }
  *op = (struct stage_op){.kind = kind, .table = table, .key = arena_copy(stage->arena, key)};
  *stage->ops_end = op;
  stage->ops_end = &op->next;
  stage->op_count++;
  return op;
}

void stage_put(struct stage *stage, enum store_table table, struct bytes key, struct bytes value) {
  struct stage_op *op = op_new(stage, STAGE_PUT, table, key);
  if (op) op->value = arena_copy(stage->arena, value);
}

void stage_remove(struct stage *stage, enum store_table table, struct bytes key) {
  op_new(stage, STAGE_REMOVE, table, key);
}

void stage_add(struct stage *stage, enum store_table table, struct bytes key, int64_t delta) {
  struct stage_op *op = op_new(stage, STAGE_ADD, table, key);
  if (op) op->delta = delta;
}

void stage_read(struct stage *stage, enum store_table table, struct bytes key, uint64_t version) {
  struct stage_read *read = ARENA_NEW(stage->arena, struct stage_read);
  if (!read) return;
  *read =
      (struct stage_read){.table = table, .key = arena_copy(stage->arena, key), .version = version};
  *stage->reads_end = read;
  stage->reads_end = &read->next;
}

static struct stage_event *event_new(struct stage *stage) {
  struct stage_event *staged = ARENA_NEW(stage->arena, struct stage_event);
  if (!staged) return NULL;
  *stage->events_end = staged;
  stage->events_end = &staged->next;
  return staged;
}

void stage_event(struct stage *stage, const struct event *event, int64_t at_ms,
                 struct bytes timer_key) {
  struct stage_event *staged = event_new(stage);
  if (!staged) return;
  staged->event = *event; /* its slices are in the run's arena already */
  staged->at_ms = at_ms;
  staged->timer = arena_copy(stage->arena, timer_key);
}

void stage_cancel_timer(struct stage *stage, struct bytes timer_key) {
  struct stage_event *staged = event_new(stage);
  if (!staged) return;
  staged->cancel = true;
  staged->timer = arena_copy(stage->arena, timer_key);
}

void stage_audit(struct stage *stage, const struct audit_record *record) {
  struct stage_audit *audit = ARENA_NEW(stage->arena, struct stage_audit);
  if (!audit) return;
  audit->record = *record;
  audit->record.actor = arena_copy(stage->arena, record->actor);
  audit->record.action = arena_copy(stage->arena, record->action);
  audit->record.resource = arena_copy(stage->arena, record->resource);
  audit->record.outcome = arena_copy(stage->arena, record->outcome);
  audit->record.detail = arena_copy(stage->arena, record->detail);
  audit->record.personal = arena_copy(stage->arena, record->personal);
  *stage->audits_end = audit;
  stage->audits_end = &audit->next;
}

bool stage_ok(const struct stage *stage) {
  return arena_ok(stage->arena);
}

void stage_commit(const struct stage *stage, struct store_commit *commit,
                  const struct random_port *random) {
  for (const struct stage_read *read = stage->reads; read; read = read->next)
    commit_check(commit, read->table, read->key, read->version, ERR_CONFLICT);
  for (const struct stage_op *op = stage->ops; op; op = op->next) {
    switch (op->kind) {
    case STAGE_PUT: commit_put(commit, op->table, op->key, op->value); break;
    case STAGE_REMOVE: commit_remove(commit, op->table, op->key); break;
    case STAGE_ADD: commit_add(commit, op->table, op->key, op->delta); break;
    }
  }
  stage_commit_audit(stage, commit, random);
}

void stage_commit_audit(const struct stage *stage, struct store_commit *commit,
                        const struct random_port *random) {
  for (const struct stage_audit *audit = stage->audits; audit; audit = audit->next)
    if (!audit->written) audit_append(commit, random, &audit->record);
}

void stage_flush_audit(struct stage *stage, struct store_commit *commit,
                       const struct random_port *random) {
  stage_commit_audit(stage, commit, random);
  for (struct stage_audit *audit = stage->audits; audit; audit = audit->next) audit->written = true;
}

void stage_unflush_audit(struct stage *stage) {
  for (struct stage_audit *audit = stage->audits; audit; audit = audit->next)
    audit->written = false;
}
