/* source/queue/queue.c: the routes of queues, in Medulla's own JSON. */
#include "source/queue/queue.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "source/queue/parts.h"

#include <stdlib.h>

enum { QUEUE_ANSWER_BYTES_MAX = 256 << 20, QUEUE_REQUEST_BYTES_MAX = 8 << 20 };

/* ---- POST /queues/{name}/messages ---- */

static void sent(struct queue_send *send, const struct flow_answer *answer) {
  cleanup_buf struct buf body = {0};
  struct json_out out;
  char id[ID_TEXT_BYTES];
  if (answer->err.code != ERR_OK) {
    api_fail_err(send->call, &answer->err, answer->retry_after_ms);
    return;
  }
  buf_init(&body, QUEUE_ANSWER_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_name(&out, "messages");
  json_out_open(&out, '[');
  for (size_t i = 0; i < send->count; i++) {
    id_text(send->entries[i].id, id);
    json_out_str(&out, id);
  }
  json_out_close(&out, ']');
  json_out_member_int(&out, "deliveries", answer->deliveries);
  json_out_close(&out, '}');
  api_json(send->call, 202, buf_bytes(&body));
}

static bool read_entry(struct queue_send *send, const struct json *given, struct err *err) {
  struct queue_entry *entry = &send->entries[send->count];
  const struct json *body = json_get(given, "body");
  const struct json *delay = json_get(given, "delay_ms");
  if (!body) FAIL(ERR_INVALID, "a message has a body: {\"body\": ...}");
  entry->attributes = json_get(given, "attributes");
  if (delay && !json_int(delay, &entry->delay_ms))
    FAIL(ERR_INVALID, "delay_ms is a number of milliseconds");
  if (body->kind == JSON_STRING) {
    entry->body = body->text;
  } else { /* any JSON: its text */
    struct buf text;
    struct json_out out;
    buf_init(&text, QUEUE_REQUEST_BYTES_MAX);
    json_out_init(&out, &text);
    json_out_value(&out, body);
    entry->body = arena_copy(api_arena(send->call), buf_bytes(&text));
    buf_fini(&text);
  }
  send->count++;
  return true;
}

static bool read_entries(struct queue_send *send, const struct json *tree, struct err *err) {
  const struct json *entries = json_get(tree, "entries");
  if (!entries) return read_entry(send, tree, err);
  if (entries->kind != JSON_ARRAY) FAIL(ERR_INVALID, "entries is a list of messages");
  if (entries->count > QUEUE_BATCH_MAX)
    FAIL(ERR_LIMIT, "QUEUE_BATCH_MAX: at most %d messages at once", QUEUE_BATCH_MAX);
  for (const struct json *entry = entries->first; entry; entry = entry->next)
    TRY(read_entry(send, entry, err));
  return true;
}

static void post_messages(struct api_call *call) {
  struct queue_send *send = ARENA_NEW(api_arena(call), struct queue_send);
  const struct json *tree;
  struct err err;
  must(send != NULL);
  send->call = call;
  send->queues = call->source;
  send->queue = call->captures[0];
  send->done = sent;
  if (!api_body_json(call, &tree)) return;
  if (read_entries(send, tree, &err))
    queue_send(send);
  else
    api_fail_err(call, &err, 0);
}

/* ---- GET or POST /queues/{name}/messages/receive ---- */

static void received(struct queue_receive *receive) {
  cleanup_buf struct buf body = {0};
  struct json_out out;
  buf_init(&body, QUEUE_ANSWER_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_name(&out, "messages");
  json_out_open(&out, '[');
  for (size_t i = 0; i < receive->got_count; i++) {
    const struct queue_received *got = &receive->got[i];
    const struct json *attributes = json_get(got->record, "messageAttributes");
    json_out_open(&out, '{');
    json_out_member(&out, "id", got->id);
    json_out_member(&out, "receipt", got->receipt);
    json_out_member_int(&out, "receives", got->receives);
    json_out_member(&out, "body", got->body);
    json_out_name(&out, "attributes");
    if (attributes)
      json_out_value(&out, attributes);
    else
      json_out_raw(&out, BYTES("{}"));
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  api_json(receive->call, 200, buf_bytes(&body));
}

/* A number from the query within its limits; false: answered. */
static bool query_number(struct api_call *call, const char *name, int64_t fallback, int64_t max,
                         int64_t *ret_value) {
  struct bytes text = api_query(call, name);
  uint64_t value;
  *ret_value = fallback;
  if (!text.len) return true;
  if (!bytes_u64(text, &value) || value > (uint64_t)max) {
    api_fail(call, ERR_INVALID, "%s is a number up to %lld", name, (long long)max);
    return false;
  }
  *ret_value = (int64_t)value;
  return true;
}

static void receive_messages(struct api_call *call) {
  struct queues *queues = call->source;
  struct queue_receive *receive = ARENA_NEW(api_arena(call), struct queue_receive);
  struct err err;
  int64_t max, wait_ms;
  must(receive != NULL);
  receive->call = call;
  receive->queues = queues;
  receive->done = received;
  if (!queue_name_check(call->captures[0], &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  if (!query_number(call, "max", 1, QUEUE_BATCH_MAX, &max) ||
      !query_number(call, "wait_ms", 0, QUEUE_WAIT_MS_MAX, &wait_ms) ||
      !query_number(call, "visibility_ms", QUEUE_VISIBILITY_MS, QUEUE_VISIBILITY_MS_MAX,
                    &receive->visibility_ms))
    return;
  if (queues->waiting >= QUEUE_WAITING_MAX) {
    api_fail(call, ERR_BUSY, "QUEUE_WAITING_MAX: too many are waiting for messages");
    return;
  }
  receive->max = max > 0 ? (size_t)max : 1;
  receive->until_ms = queues_now_ms(queues) + wait_ms;
  queue_receive(receive, call->captures[0]);
}

/* ---- DELETE /queues/{name}/messages/{receipt}, POST .../{receipt}?visibility_ms= ---- */

static void changed(struct queue_change *change, const struct err *err) {
  if (err)
    api_fail_err(change->call, err, 0);
  else
    exchange_reply(change->call->x, &(struct http_answer){.status = 204}, BYTES_NONE);
}

static void change_message(struct api_call *call, int64_t visibility_ms) {
  struct queue_change *change = ARENA_NEW(api_arena(call), struct queue_change);
  must(change != NULL);
  change->call = call;
  change->queues = call->source;
  change->queue = call->captures[0];
  change->receipt = call->captures[1];
  change->visibility_ms = visibility_ms;
  change->done = changed;
  queue_change(change);
}

static void delete_message(struct api_call *call) {
  change_message(call, -1);
}

static void show_message(struct api_call *call) {
  int64_t visibility_ms;
  if (query_number(call, "visibility_ms", 0, QUEUE_VISIBILITY_MS_MAX, &visibility_ms))
    change_message(call, visibility_ms);
}

static const struct api_route routes[] = {
    {"POST", "/queues/{name}/messages", ACT_DATA, post_messages, QUEUE_REQUEST_BYTES_MAX},
    {"GET", "/queues/{name}/messages/receive", ACT_DATA, receive_messages, 0},
    {"POST", "/queues/{name}/messages/receive", ACT_DATA, receive_messages, 0},
    {"DELETE", "/queues/{name}/messages/{receipt}", ACT_DATA, delete_message, 0},
    {"POST", "/queues/{name}/messages/{receipt}", ACT_DATA, show_message, 0},
};

void queues_open(struct api *api, struct queues **ret_queues) {
  const struct api_options *options = api_options(api);
  struct queues *queues = must_alloc(sizeof *queues);
  queues->api = api;
  queues->flow = options->flow;
  queues->loop = options->loop;
  queues->store = options->store;
  queues->clock = options->clock;
  map_init(&queues->lines, random_u64(options->random));
  api_add(api, routes, sizeof routes / sizeof *routes, queues);
  sqs_add(api, queues);
  queue_drain(queues);
  *ret_queues = queues;
}

void queues_catalog_changed(struct queues *queues) {
  queue_drain(queues);
}

void queues_close(struct queues **queues) {
  struct queues *q = *queues;
  *queues = NULL;
  if (!q) return;
  loop_timer_drop(q->loop, &q->drain_timer);
  queue_lines_close(q);
  free(q);
}
