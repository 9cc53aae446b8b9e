/* source/queue/send.c: messages become events of the queue; the flow knows whether a function wants
 * them or they wait as rows. */
#include "base/must.h"
#include "source/queue/parts.h"

enum { QUEUE_RECORD_BYTES_MAX = 8 << 20, QUEUE_ENVELOPE_BYTES_MAX = 9 << 20 };

int64_t queues_now_ms(const struct queues *queues) {
  return clock_wall_ms(queues->clock);
}

static void on_admitted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  struct queue_send *send = call->own;
  if (answer->err.code == ERR_OK) queue_kick(send->queues, send->queue);
  send->done(send, answer);
}

static void make_event(struct queue_send *send, struct queue_entry *entry,
                       struct flow_incoming *ret_incoming) {
  struct arena *arena = api_arena(send->call);
  struct buf data, envelope;
  char id[ID_TEXT_BYTES];
  int64_t now_ms = queues_now_ms(send->queues);
  entry->id = flow_id(send->queues->flow); /* rows are received in this order */
  id_text(entry->id, id);
  struct queue_message message = {.queue = send->queue,
                                  .body = entry->body,
                                  .sender = send->call->principal->name,
                                  .id = entry->id,
                                  .sent_ms = now_ms,
                                  .attributes = entry->attributes};
  struct event event = {.id = entry->id,
                        .received_ms = now_ms,
                        .shape = EVENT_DATA,
                        .ce_id = arena_copy(arena, bytes_str(id)),
                        .ce_source = send->queue,
                        .ce_type = BYTES(EVENT_TYPE_QUEUE),
                        .principal = send->call->principal->name,
                        .traceparent = api_trace(send->call)};
  buf_init(&data, QUEUE_RECORD_BYTES_MAX);
  buf_init(&envelope, QUEUE_ENVELOPE_BYTES_MAX);
  queue_record_write(&data, &message);
  event_write_envelope(&envelope, &event, buf_bytes(&data));
  must(buf_ok(&data) && buf_ok(&envelope));
  event.envelope = arena_copy(arena, buf_bytes(&envelope));
  if (event.envelope.len)
    event.data = bytes_sub(event.envelope, envelope.len - 1 - data.len, data.len);
  *ret_incoming = (struct flow_incoming){
      .event = event, .not_before_ms = entry->delay_ms ? now_ms + entry->delay_ms : 0};
  buf_fini(&data);
  buf_fini(&envelope);
}

static bool entries_are_sound(const struct queue_send *send, struct err *err) {
  TRY(queue_name_check(send->queue, err));
  if (send->count == 0) FAIL(ERR_INVALID, "there is no message in it");
  for (size_t i = 0; i < send->count; i++) {
    const struct queue_entry *entry = &send->entries[i];
    if (entry->body.len > QUEUE_BODY_BYTES_MAX)
      FAIL(ERR_LIMIT, "QUEUE_BODY_BYTES_MAX: a message's body is at most 1 MiB");
    if (entry->delay_ms < 0 || entry->delay_ms > QUEUE_DELAY_MS_MAX)
      FAIL(ERR_INVALID, "QUEUE_DELAY_MS_MAX: a delay is at most 12 hours");
    if (entry->attributes && entry->attributes->kind != JSON_OBJECT)
      FAIL(ERR_INVALID, "attributes are an object of names and values");
  }
  return true;
}

void queue_send(struct queue_send *send) {
  struct api_call *call = send->call;
  struct arena *arena = api_arena(call);
  struct flow_answer refused = {0};
  struct flow_incoming *incoming = ARENA_ARRAY(arena, struct flow_incoming, QUEUE_BATCH_MAX);
  must(incoming != NULL);
  if (!entries_are_sound(send, &refused.err)) {
    send->done(send, &refused);
    return;
  }
  for (size_t i = 0; i < send->count; i++) make_event(send, &send->entries[i], &incoming[i]);
  if (!arena_ok(arena)) {
    err_set(&refused.err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE, "the messages are too large");
    send->done(send, &refused);
    return;
  }
  struct flow_admission admission = {.incoming = incoming, .count = send->count};
  call->own = send;
  call->reply.answer = on_admitted;
  flow_admit(send->queues->flow, &admission, &call->reply);
}
