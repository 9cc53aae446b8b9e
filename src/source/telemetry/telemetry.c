/* source/telemetry/telemetry.c: a request's samples to events, while the body comes in. */
#include "source/telemetry/telemetry.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "source/telemetry/batch.h"

#include <stdio.h>
#include <stdlib.h>

enum { ENVELOPE_BYTES_MAX = TELEMETRY_PART_BYTES_MAX + (64 << 10) };

/* A request under way; in the exchange's arena. */
struct taking {
  struct telemetry_batch *batch;
  struct bytes id; /* of the batch, unique among all */
  bool again;      /* it may be sent again */
  uint64_t samples;
  size_t parts;
};

static void on_admitted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct api_call *call = LIST_OF(reply, struct api_call, reply);
  const struct taking *taking = call->own;
  char body[256];
  if (answer->err.code != ERR_OK) {
    api_fail_err(call, &answer->err, answer->retry_after_ms);
    return;
  }
  int len = snprintf(body, sizeof body,
                     "{\"samples\":%llu,\"events\":%zu,\"accepted\":%u,\"duplicates\":%u,"
                     "\"deliveries\":%u}",
                     (unsigned long long)taking->samples, taking->parts, answer->accepted,
                     answer->duplicates, answer->deliveries);
  api_json(call, answer->accepted ? 202 : 200, bytes_of(body, (size_t)len));
}

static struct bytes source_of(const struct principal *principal) {
  return principal->role == ROLE_DEVICE ? principal->source : BYTES("telemetry");
}

/* The envelope is written around the data; `envelope` holds it. */
static void make_event(struct api_call *call, const struct telemetry_part *part,
                       struct buf *envelope, struct event *ret_event) {
  const struct taking *taking = call->own;
  struct arena *arena = api_arena(call);
  struct event event = {
      .received_ms = clock_wall_ms(api_options(call->api)->clock),
      .shape = EVENT_ENVELOPE,
      .ce_id = arena_printf(arena, "%.*s/%u/%u", BYTES_FMT(taking->id), part->shard, part->number),
      .ce_source = source_of(call->principal),
      .ce_type = BYTES(EVENT_TYPE_TELEMETRY),
      .ce_subject = arena_printf(arena, "%u", part->shard),
      .principal = call->principal->name,
      .traceparent = api_trace(call)};
  buf_init(envelope, ENVELOPE_BYTES_MAX);
  event_write_envelope(envelope, &event, part->data);
  must(buf_ok(envelope));
  event.envelope = buf_bytes(envelope);
  event.data = bytes_sub(event.envelope, envelope->len - 1 - part->data.len, part->data.len);
  *ret_event = event;
}

/* The answer may come at once, and then the call is gone. */
static void admit(struct api_call *call, struct telemetry_batch *batch) {
  struct taking *taking = call->own;
  size_t count = taking->parts = telemetry_batch_parts(batch);
  struct flow_incoming *incoming = must_alloc(count * sizeof *incoming);
  struct buf *envelopes = must_alloc(count * sizeof *envelopes);
  taking->samples = telemetry_batch_samples(batch);
  for (size_t i = 0; i < count; i++) {
    struct telemetry_part part = telemetry_batch_part(batch, i);
    make_event(call, &part, &envelopes[i], &incoming[i].event);
  }
  struct flow_admission admission = {.incoming = incoming, .count = count, .unique = taking->again};
  call->reply.answer = on_admitted;
  if (arena_ok(api_arena(call)))
    flow_admit(api_options(call->api)->flow, &admission, &call->reply);
  else
    api_fail(call, ERR_LIMIT, "the request has too many parts");
  for (size_t i = 0; i < count; i++) buf_fini(&envelopes[i]);
  free(envelopes);
  free(incoming);
}

static void on_data(struct http_exchange *x, struct bytes data) {
  struct api_call *call = exchange_owner(x);
  struct taking *taking = call->own;
  struct err err;
  if (telemetry_batch_feed(taking->batch, data, &err)) return;
  telemetry_batch_free(&taking->batch);
  api_fail_err(call, &err, 0);
}

static void on_end(struct http_exchange *x, const struct err *failed) {
  struct api_call *call = exchange_owner(x);
  struct taking *taking = call->own;
  struct telemetry_batch *batch = steal(taking->batch);
  struct err err;
  if (failed)
    exchange_fail(x, failed);
  else if (telemetry_batch_end(batch, &err))
    admit(call, batch);
  else
    api_fail_err(call, &err, 0);
  telemetry_batch_free(&batch);
}

static bool id_is_sound(struct bytes id) {
  if (id.len > TELEMETRY_BATCH_ID_BYTES_MAX) return false;
  for (size_t i = 0; i < id.len; i++)
    if (id.at[i] <= ' ' || id.at[i] > '~') return false;
  return true;
}

static struct bytes batch_id(struct api_call *call, struct bytes given) {
  char text[ID_TEXT_BYTES];
  const struct api_options *options = api_options(call->api);
  if (given.len) /* another principal's batch is another one */
    return arena_printf(api_arena(call), "%.*s/%.*s", BYTES_FMT(call->principal->name),
                        BYTES_FMT(given));
  id_text(random_id(options->random, options->clock), text);
  return arena_copy(api_arena(call), bytes_str(text));
}

static void post_telemetry(struct api_call *call) {
  static const struct http_sink sink = {TELEMETRY_BYTES_MAX, on_data, on_end};
  const struct http_head *head = &exchange_request(call->x)->head;
  struct bytes given = exchange_header(call->x, "medulla-batch-id");
  struct bytes device = call->principal->role == ROLE_DEVICE ? call->principal->source : BYTES_NONE;
  if (!id_is_sound(given)) {
    api_fail(call, ERR_INVALID, "Medulla-Batch-Id is at most %d visible ASCII characters",
             TELEMETRY_BATCH_ID_BYTES_MAX);
    return;
  }
  if (head->body == HTTP_BODY_NONE ||
      (head->body == HTTP_BODY_LENGTH && head->content_length == 0)) {
    api_fail(call, ERR_INVALID, "there is no sample in it");
    return;
  }
  struct taking *taking = ARENA_NEW(api_arena(call), struct taking);
  must(taking != NULL);
  taking->again = given.len > 0;
  taking->id = batch_id(call, given);
  taking->batch = telemetry_batch_new(device);
  call->own = taking;
  exchange_stream_body(call->x, &sink);
}

static const struct api_route routes[] = {
    {"POST", "/telemetry", ACT_EMIT, post_telemetry, HTTP_BODY_STREAMED},
};

void telemetry_add(struct api *api) {
  api_add(api, routes, sizeof routes / sizeof *routes, NULL);
}
