/* effect/gate.c: look the effect up, copy its payload, carry it out; answers and denials. */
#include "effect/gate.h"

#include "base/must.h"
#include "effect/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_ARENA_BYTES_MAX = 4 * EFFECT_PAYLOAD_BYTES_MAX, FAIL_TEXT_BYTES = 512 };

static const struct effect_row {
  const char *name;
  enum effect_class class;
  effect_function *function;
} effects[] = {
#define EFFECT(name, class, function, what) {name, EFFECT_##class, function},
#include "effect/effects.tbl.h"
#undef EFFECT
};

static const struct effect_row *row_of(struct bytes effect) {
  for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
    if (bytes_eq_str(effect, effects[i].name)) return &effects[i];
  return NULL;
}

bool gate_class(struct bytes effect, enum effect_class *ret_class) {
  const struct effect_row *row = row_of(effect);
  if (!row) return false;
  *ret_class = row->class;
  return true;
}

void gate_run_init(struct gate_run *run, struct arena *arena) {
  *run = (struct gate_run){0};
  stage_init(&run->stage, arena);
  list_init(&run->calls);
}

static void call_free(struct effect_call *call) {
  list_drop(&call->link);
  arena_fini(&call->arena);
  free(call);
}

void gate_run_end(struct gate_run *run) {
  LIST_EACH (call, &run->calls, struct effect_call, link) {
    if (call->live) effect_audit(call, BYTES("interrupted"), "unknown", NULL, BYTES_NONE);
    list_drop(&call->link);
    call->run = NULL; /* freed by its late answer */
  }
}

void effect_answer(struct effect_call *call, struct bytes json) {
  /* It may have staged a key that did not fit: nothing of this run may be settled. */
  if (call->run && !arena_ok(&call->arena)) call->run->stage.arena->overflow = true;
  if (call->run) call->run->answer(call->run, call->ordinal, true, json);
  call_free(call);
}

static void fail_text(struct effect_call *call, enum err_code code, const char *message) {
  struct buf body;
  struct json_out out;
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "name", code == ERR_DENIED ? "AccessDenied" : "EffectError");
  json_out_member_str(&out, "message", message);
  json_out_member_str(&out, "code", err_facts(code)->word);
  json_out_member_str(&out, "effect", call->name);
  json_out_close(&out, '}');
  if (call->run) call->run->answer(call->run, call->ordinal, false, buf_bytes(&body));
  buf_fini(&body);
  call_free(call);
}

void effect_fail(struct effect_call *call, enum err_code code, const char *format, ...) {
  char message[FAIL_TEXT_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  fail_text(call, code, message);
}

void effect_fail_err(struct effect_call *call, const struct err *err) {
  fail_text(call, err->code, err->detail);
}

void effect_audit(struct effect_call *call, struct bytes resource, const char *outcome,
                  const char *detail, struct bytes personal) {
  struct gate_run *run = call->run;
  if (!run) return;
  struct audit_record record = {.at_ms = clock_wall_ms(call->gate->clock),
                                .actor = run->function,
                                .action = bytes_str(call->name),
                                .resource = resource,
                                .outcome = bytes_str(outcome),
                                .detail = bytes_str(detail),
                                .run = run->run,
                                .event = run->event,
                                .delivery = run->delivery,
                                .personal = personal};
  stage_audit(&run->stage, &record);
}

bool effect_granted(struct effect_call *call, const char *kind, const char *action,
                    struct bytes resource) {
  char missing[GRANT_TEXT_BYTES];
  if (grant_allows(call->run->grants, kind, action, resource, missing)) return true;
  effect_audit(call, bytes_str(kind), "denied", missing, resource);
  effect_fail(call, ERR_DENIED, "%s is denied: the function lacks the grant `%s`", call->name,
              missing);
  return false;
}

bool effect_text(struct effect_call *call, const char *member, size_t bytes_max,
                 struct bytes *ret_text) {
  const struct json *value = json_get(call->payload, member);
  if (!value || value->kind != JSON_STRING || value->text.len == 0) {
    effect_fail(call, ERR_INVALID, "%s needs a text \"%s\"", call->name, member);
    return false;
  }
  if (value->text.len > bytes_max) {
    effect_fail(call, ERR_LIMIT, "%s: \"%s\" has more than %zu bytes", call->name, member,
                bytes_max);
    return false;
  }
  *ret_text = value->text;
  return true;
}

bool effect_own(struct effect_call *call, size_t bytes) {
  call->own = arena_alloc(&call->arena, bytes);
  if (!call->own) effect_fail(call, ERR_LIMIT, "%s: the call needs too much memory", call->name);
  return call->own != NULL;
}

void effect_ask(struct effect_call *call, store_query *query, void (*done)(void *call)) {
  store_ask(call->gate->store, query, done, call);
}

struct bytes effect_app_key(struct effect_call *call, struct bytes key) {
  size_t app_bytes = call->run->app.len;
  uint8_t *at = arena_alloc(&call->arena, app_bytes + 1 + key.len);
  if (!at) return BYTES_NONE;
  memcpy(at, call->run->app.at, app_bytes);
  if (key.len) memcpy(at + app_bytes + 1, key.at, key.len);
  return bytes_of(at, app_bytes + 1 + key.len);
}

struct id effect_idempotency(const struct effect_call *call) {
  return id_derive(id_bytes(&call->run->tenant_delivery), call->ordinal);
}

void gate_effect(struct gate *gate, struct gate_run *run, uint64_t ordinal, struct bytes effect,
                 struct bytes payload) {
  const struct effect_row *row = row_of(effect);
  struct effect_call *call = must_alloc(sizeof *call);
  struct err err;
  *call = (struct effect_call){.gate = gate, .run = run, .ordinal = ordinal, .name = "effect"};
  arena_init(&call->arena, CALL_ARENA_BYTES_MAX);
  list_init(&call->link);
  list_push(&run->calls, &call->link);
  if (!row) {
    effect_fail(call, ERR_UNSUPPORTED, "there is no effect \"%.*s\"",
                (int)(effect.len < 64 ? effect.len : 64), (const char *)effect.at);
    return;
  }
  call->name = row->name;
  call->class = row->class;
  struct bytes copy = arena_copy(&call->arena, payload);
  if (payload.len > EFFECT_PAYLOAD_BYTES_MAX || !arena_ok(&call->arena))
    effect_fail(call, ERR_LIMIT, "%s: more than EFFECT_PAYLOAD_BYTES_MAX (8 MiB)", row->name);
  else if (!json_parse(&call->arena, copy, &call->payload, &err))
    effect_fail_err(call, &err);
  else
    row->function(call);
}
