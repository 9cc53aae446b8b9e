/* effect/emit.c: events a run emits: admitted when the run settles, or later by a durable timer.
 *
 * The event's id derives from delivery and ordinal: the same in every attempt, so a retried run
 * cannot emit twice. A keyed timer is one row: emitting under the key again moves it.           */
#include "effect/call.h"

#include "wire/codec.h"

#include <stdio.h>
#include <string.h>

enum {
  EMIT_TEXT_BYTES_MAX = 1024,
  EMIT_DATA_BYTES_MAX = 1 << 20,
  EMIT_AFTER_MS_MAX = INT32_MAX, /* about 24 days in ms; `at` reaches further */
  TIMER_KEY_BYTES_MAX = 512,
};

/* Row key of a timer: app, NUL, 'k' and the key, or 'i' and the event's id. */
struct bytes effect_timer_key(struct effect_call *call, char kind, struct bytes key) {
  uint8_t *tagged = arena_alloc(&call->arena, key.len + 1);
  if (!tagged) return BYTES_NONE;
  tagged[0] = (uint8_t)kind;
  memcpy(tagged + 1, key.at, key.len);
  return effect_app_key(call, bytes_of(tagged, key.len + 1));
}

/* When: 0 for now. */
static bool emit_time(struct effect_call *call, int64_t *ret_at_ms) {
  const struct json *at = json_get(call->payload, "at");
  const struct json *after = json_get(call->payload, "after");
  int64_t value = 0;
  struct err err;
  *ret_at_ms = 0;
  if (at && at->kind == JSON_STRING) {
    if (rfc3339_parse(at->text, ret_at_ms, &err)) return true;
    effect_fail(call, ERR_INVALID, "emit: \"at\" is no RFC 3339 time");
    return false;
  }
  if (at && json_int(at, ret_at_ms)) return true;
  if (after && json_int(after, &value) && value >= 0 && value <= EMIT_AFTER_MS_MAX) {
    *ret_at_ms = clock_wall_ms(call->gate->clock) + value;
    return true;
  }
  if (!at && !after) return true;
  effect_fail(call, ERR_INVALID, "emit: \"at\" is a time, \"after\" milliseconds (0 to 2^31-1)");
  return false;
}

static struct bytes or_else(struct bytes text, struct bytes fallback) {
  return text.len ? text : fallback;
}

/* Everything in the run's arena, because the stage keeps it until settle. */
static bool emit_event(struct effect_call *call, const struct json *given, struct event *ret) {
  struct arena *arena = call->run->stage.arena;
  char id[ID_TEXT_BYTES];
  struct event event = {.shape = EVENT_ENVELOPE, .cause = call->run->run};
  event.id = effect_idempotency(call);
  id_text(event.id, id);
  event.received_ms = clock_wall_ms(call->gate->clock);
  event.depth = call->run->depth + 1;
  event.ce_id = arena_copy(arena, or_else(json_get_text(given, "id"), bytes_str(id)));
  event.ce_type = arena_copy(arena, json_get_text(given, "type"));
  event.ce_source = arena_copy(arena, or_else(json_get_text(given, "source"), call->run->function));
  event.ce_subject = arena_copy(arena, json_get_text(given, "subject"));
  event.principal = arena_copy(arena, call->run->function);
  event.traceparent = call->run->traceparent;
  if (event.ce_id.len > EMIT_TEXT_BYTES_MAX || event.ce_source.len > EMIT_TEXT_BYTES_MAX ||
      event.ce_subject.len > EMIT_TEXT_BYTES_MAX) {
    effect_fail(call, ERR_LIMIT, "emit: id, source and subject have at most 1024 bytes");
    return false;
  }
  struct buf data;
  struct buf envelope;
  struct json_out out;
  buf_init(&data, EMIT_DATA_BYTES_MAX);
  buf_init(&envelope, 2 * EMIT_DATA_BYTES_MAX);
  json_out_init(&out, &data);
  if (json_get(given, "data")) json_out_value(&out, json_get(given, "data"));
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  bool fits = buf_ok(&data) && buf_ok(&envelope);
  event.envelope = arena_copy(arena, buf_bytes(&envelope));
  /* data is the last member */
  if (data.len) event.data = bytes_sub(event.envelope, event.envelope.len - 1 - data.len, data.len);
  buf_fini(&data);
  buf_fini(&envelope);
  if (!fits || !arena_ok(arena)) {
    effect_fail(call, ERR_LIMIT, "emit: an event's data have at most 1 MiB");
    return false;
  }
  *ret = event;
  return true;
}

void effect_emit(struct effect_call *call) {
  const struct json *given = json_get(call->payload, "event");
  struct bytes type = json_get_text(given, "type");
  struct bytes key = json_get_text(call->payload, "key");
  struct bytes row = BYTES_NONE;
  struct event event;
  int64_t at_ms;
  if (type.len == 0 || type.len > EMIT_TEXT_BYTES_MAX) {
    effect_fail(call, ERR_INVALID, "emit needs an event with a \"type\"");
    return;
  }
  if (!effect_granted(call, "emit", "emit", type) || !emit_time(call, &at_ms)) return;
  if (key.len > TIMER_KEY_BYTES_MAX || (key.len && at_ms == 0)) {
    effect_fail(call, ERR_INVALID, "emit: a \"key\" has at most 512 bytes and needs at or after");
    return;
  }
  if (!emit_event(call, given, &event)) return;
  if (at_ms) row = effect_timer_key(call, key.len ? 'k' : 'i', key.len ? key : id_bytes(&event.id));
  stage_event(&call->run->stage, &event, at_ms, row);
  effect_audit(call, type, "ok", NULL, BYTES_NONE);
  char answer[ID_TEXT_BYTES + 16];
  char id[ID_TEXT_BYTES];
  id_text(event.id, id);
  snprintf(answer, sizeof answer, "{\"id\":\"%s\"}", id);
  effect_answer(call, bytes_str(answer));
}

void effect_cancel(struct effect_call *call) {
  struct bytes key;
  if (!effect_text(call, "key", TIMER_KEY_BYTES_MAX, &key)) return;
  stage_cancel_timer(&call->run->stage, effect_timer_key(call, 'k', key));
  effect_audit(call, BYTES("timer"), "ok", NULL, key);
  effect_answer(call, BYTES("null"));
}
