/* source/api/events.c: POST /events: CloudEvents in, 202 when durable. */
#include "base/must.h"
#include "source/api/parts.h"
#include "wire/cloudevents.h"

#include <stdio.h>

/* {"accepted":N,"duplicates":N,"deliveries":N,"event":ID}: 202 as soon as one was new; 200 when all
 * had been accepted before. */
static void on_admitted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  char id[ID_TEXT_BYTES];
  char body[256];
  if (answer->err.code != ERR_OK) {
    api_fail_err(call, &answer->err, answer->retry_after_ms);
    return;
  }
  id_text(answer->event, id);
  int len = snprintf(body, sizeof body,
                     "{\"accepted\":%u,\"duplicates\":%u,\"deliveries\":%u,\"event\":\"%s\"}",
                     answer->accepted, answer->duplicates, answer->deliveries, id);
  api_json(call, answer->accepted ? 202 : 200, bytes_of(body, (size_t)len));
}

/* A device speaks for itself alone. */
static bool source_allowed(struct api_call *call, const struct cloudevent *event) {
  const struct principal *principal = call->principal;
  if (principal->role != ROLE_DEVICE || bytes_eq(principal->source, event->source)) return true;
  door_deny(call, ERR_DENIED, principal->name, "a device token emits to its own source only");
  return false;
}

static struct event event_of(struct api_call *call, const struct cloudevent *given) {
  struct buf envelope;
  struct event event = {.shape = EVENT_ENVELOPE,
                        .ce_id = given->id,
                        .ce_source = given->source,
                        .ce_type = given->type,
                        .ce_subject = given->subject,
                        .principal = call->principal->name,
                        .traceparent = api_trace(call)};
  buf_init(&envelope, 2 * EVENT_BYTES_MAX);
  cloudevents_write(&envelope, given);
  event.envelope = arena_copy(api_arena(call), buf_bytes(&envelope));
  if (given->kind == CLOUDEVENT_JSON && given->data.len)
    event.data =
        bytes_sub(event.envelope, event.envelope.len - 1 - given->data.len, given->data.len);
  buf_fini(&envelope);
  return event;
}

static void post_events(struct api_call *call) {
  struct arena *arena = api_arena(call);
  struct cloudevents events;
  struct err err;
  if (exchange_header(call->x, "content-encoding").len) {
    api_fail(call, ERR_UNSUPPORTED, "Content-Encoding is not supported; send events as they are");
    return;
  }
  if (!cloudevents_read_http(arena, &exchange_request(call->x)->head, exchange_body(call->x), 0,
                             &events, &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  struct flow_incoming *incoming = ARENA_ARRAY(arena, struct flow_incoming, events.count);
  for (size_t i = 0; incoming && i < events.count; i++) {
    if (!source_allowed(call, &events.events[i])) return;
    incoming[i].event = event_of(call, &events.events[i]);
    incoming[i].tree = events.events[i].tree;
  }
  if (!arena_ok(arena)) {
    api_fail(call, ERR_LIMIT, "the events are too large together");
    return;
  }
  struct flow_admission admission = {.incoming = incoming, .count = events.count, .unique = true};
  call->reply.answer = on_admitted;
  flow_admit(call->api->options.flow, &admission, &call->reply);
}

const struct api_route events_routes[] = {
    {"POST", "/events", ACT_EMIT, post_events, 64u << 20},
};
API_ROUTE_COUNT(events)
