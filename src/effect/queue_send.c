/* effect/queue_send.c: a message for a queue is an event of the queue, admitted when the run
 * settles, or later. Its id derives from delivery and ordinal: a retried run sends it once.   */
#include "effect/call.h"
#include "model/queued.h"

#include <stdio.h>

enum { QUEUE_RECORD_BYTES_MAX = 8 << 20, QUEUE_ENVELOPE_BYTES_MAX = 9 << 20 };

/* A text as it is, anything else as JSON. */
static struct bytes body_text(struct effect_call *call, const struct json *value) {
  struct buf text;
  struct json_out out;
  if (value->kind == JSON_STRING) return value->text;
  buf_init(&text, QUEUE_BODY_BYTES_MAX + 1);
  json_out_init(&out, &text);
  json_out_value(&out, value);
  struct bytes copy = arena_copy(&call->arena, buf_bytes(&text));
  if (!buf_ok(&text)) copy.len = QUEUE_BODY_BYTES_MAX + 1; /* refused by its length */
  buf_fini(&text);
  return copy;
}

/* `after` in milliseconds, as in emit, or `delaySeconds`, as in SQS. */
static bool read_delay(struct effect_call *call, int64_t *ret_delay_ms) {
  const struct json *after = json_get(call->payload, "after");
  const struct json *seconds = json_get(call->payload, "delaySeconds");
  int64_t value = 0;
  bool ok = after ? json_int(after, &value) : !seconds || json_int(seconds, &value);
  if (!after && ok) ok = value <= QUEUE_DELAY_MS_MAX / 1000;
  if (!after) value *= ok ? 1000 : 0;
  if (ok && value >= 0 && value <= QUEUE_DELAY_MS_MAX) {
    *ret_delay_ms = value;
    return true;
  }
  effect_fail(call, ERR_INVALID, "queue.send: QUEUE_DELAY_MS_MAX: a delay is at most 12 hours");
  return false;
}

static bool make_event(struct effect_call *call, const struct queue_message *message,
                       struct event *ret) {
  struct arena *arena = call->run->stage.arena;
  struct buf data, envelope;
  char id[ID_TEXT_BYTES];
  id_text(message->id, id);
  struct event event = {.id = message->id,
                        .received_ms = message->sent_ms,
                        .shape = EVENT_DATA,
                        .ce_id = arena_copy(arena, bytes_str(id)),
                        .ce_source = arena_copy(arena, message->queue),
                        .ce_type = BYTES(EVENT_TYPE_QUEUE),
                        .principal = arena_copy(arena, call->run->function),
                        .traceparent = call->run->traceparent,
                        .cause = call->run->run,
                        .depth = call->run->depth + 1};
  buf_init(&data, QUEUE_RECORD_BYTES_MAX);
  buf_init(&envelope, QUEUE_ENVELOPE_BYTES_MAX);
  queue_record_write(&data, message);
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  event.envelope = arena_copy(arena, buf_bytes(&envelope));
  bool fits = buf_ok(&data) && buf_ok(&envelope) && arena_ok(arena);
  /* data is the last member */
  if (fits) event.data = bytes_sub(event.envelope, envelope.len - 1 - data.len, data.len);
  buf_fini(&data);
  buf_fini(&envelope);
  *ret = event;
  return fits;
}

static void answer(struct effect_call *call, struct id message) {
  char id[ID_TEXT_BYTES];
  char json[ID_TEXT_BYTES + 20];
  id_text(message, id);
  snprintf(json, sizeof json, "{\"messageId\":\"%s\"}", id);
  effect_answer(call, bytes_str(json));
}

void effect_queue_send(struct effect_call *call) {
  const struct json *body = json_get(call->payload, "body");
  const struct json *attributes = json_get(call->payload, "attributes");
  struct queue_message message = {.attributes = attributes};
  struct event event;
  struct err err;
  int64_t delay_ms = 0;
  if (!effect_text(call, "queue", QUEUE_NAME_BYTES_MAX, &message.queue)) return;
  if (!effect_granted(call, "queue", "send", message.queue)) return;
  if (!queue_name_check(message.queue, &err)) {
    effect_fail_err(call, &err);
    return;
  }
  if (!body || (attributes && attributes->kind != JSON_OBJECT)) {
    effect_fail(call, ERR_INVALID, "queue.send needs a \"body\"; \"attributes\" is an object");
    return;
  }
  if (!read_delay(call, &delay_ms)) return;
  message.body = body_text(call, body);
  message.sender = call->run->function;
  message.id = effect_idempotency(call);
  message.sent_ms = clock_wall_ms(call->gate->clock);
  if (message.body.len > QUEUE_BODY_BYTES_MAX || !make_event(call, &message, &event)) {
    effect_fail(call, ERR_LIMIT, "queue.send: QUEUE_BODY_BYTES_MAX: a body has at most 1 MiB");
    return;
  }
  struct bytes timer = delay_ms ? effect_timer_key(call, 'i', id_bytes(&event.id)) : BYTES_NONE;
  stage_event(&call->run->stage, &event, delay_ms ? message.sent_ms + delay_ms : 0, timer);
  effect_audit(call, message.queue, "ok", NULL, BYTES_NONE);
  answer(call, message.id);
}
