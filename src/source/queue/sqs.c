/* source/queue/sqs.c: the same queues in Amazon SQS's JSON protocol, for its clients.
 * Source: Amazon SQS API Reference, "Making query API requests: AWS JSON protocol".           */
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/must.h"
#include "source/queue/parts.h"
#include "wire/codec.h"

#include <stdio.h>

enum { SQS_ANSWER_BYTES_MAX = 256 << 20, SQS_REQUEST_BYTES_MAX = 8 << 20, SQS_MAX = 10 };

static const char json_type[] = "application/x-amz-json-1.0";

static void reply(struct api_call *call, int status, struct bytes json) {
  struct http_answer answer = {.status = status, .content_type = bytes_str(json_type)};
  exchange_reply(call->x, &answer, json);
}

static const char *error_word(const struct err *err) {
  switch ((int)err->code) {
  case ERR_NOT_FOUND: return "ReceiptHandleIsInvalid";
  case ERR_METHOD: return "UnsupportedOperation";
  case ERR_BUSY:
  case ERR_UNAVAILABLE: return "RequestThrottled";
  case ERR_MALFORMED:
  case ERR_INVALID:
  case ERR_LIMIT: return "InvalidParameterValue";
  default: return "InternalFailure";
  }
}

static void fail(struct api_call *call, const struct err *err) {
  cleanup_buf struct buf body = {0};
  struct json_out out;
  char type[80];
  int status = err_facts(err->code)->http_status;
  snprintf(type, sizeof type, "com.amazonaws.sqs#%s", error_word(err));
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "__type", type);
  json_out_member_str(&out, "message", err->detail);
  json_out_close(&out, '}');
  reply(call, status >= 500 ? status : 400, buf_bytes(&body));
}

/* The last segment of the queue's URL is its name. */
static struct bytes queue_of(const struct json *tree) {
  struct bytes url = json_get_text(tree, "QueueUrl");
  size_t from = url.len;
  while (from > 0 && url.at[from - 1] != '/') from--;
  return bytes_from(url, from);
}

static int64_t number(const struct json *tree, const char *name, int64_t fallback) {
  int64_t value;
  return json_int(json_get(tree, name), &value) ? value : fallback;
}

static void write_md5(struct json_out *out, const char *name, struct bytes body) {
  uint8_t digest[MD5_BYTES];
  struct buf text;
  md5(body, digest);
  buf_init(&text, 2 * MD5_BYTES);
  hex_encode(&text, bytes_of(digest, sizeof digest));
  json_out_member(out, name, buf_bytes(&text));
  buf_fini(&text);
}

/* ---- Sending ---- */

static void write_sent(struct json_out *out, const struct queue_entry *entry) {
  char id[ID_TEXT_BYTES];
  id_text(entry->id, id);
  json_out_open(out, '{');
  if (entry->tag.len) json_out_member(out, "Id", entry->tag);
  json_out_member_str(out, "MessageId", id);
  write_md5(out, "MD5OfMessageBody", entry->body);
  json_out_close(out, '}');
}

static void sent(struct queue_send *send, const struct flow_answer *answer) {
  cleanup_buf struct buf body = {0};
  struct json_out out;
  bool batch = send->entries[0].tag.len > 0;
  if (answer->err.code != ERR_OK) {
    fail(send->call, &answer->err);
    return;
  }
  buf_init(&body, SQS_ANSWER_BYTES_MAX);
  json_out_init(&out, &body);
  if (batch) {
    json_out_open(&out, '{');
    json_out_name(&out, "Successful");
    json_out_open(&out, '[');
  }
  for (size_t i = 0; i < send->count; i++) write_sent(&out, &send->entries[i]);
  if (batch) {
    json_out_close(&out, ']');
    json_out_member_raw(&out, "Failed", BYTES("[]"));
    json_out_close(&out, '}');
  }
  reply(send->call, 200, buf_bytes(&body));
}

static void add_entry(struct queue_send *send, const struct json *given) {
  struct queue_entry *entry = &send->entries[send->count++];
  entry->tag = json_get_text(given, "Id");
  entry->body = json_get_text(given, "MessageBody");
  entry->delay_ms = number(given, "DelaySeconds", 0) * 1000;
  entry->attributes = json_get(given, "MessageAttributes");
}

static struct queue_send *send_new(struct api_call *call, const struct json *tree) {
  struct queue_send *send = ARENA_NEW(api_arena(call), struct queue_send);
  must(send != NULL);
  send->call = call;
  send->queues = call->source;
  send->queue = queue_of(tree);
  send->done = sent;
  return send;
}

static bool send_message(struct api_call *call, const struct json *tree, struct err *err) {
  if (!json_get(tree, "MessageBody")) FAIL(ERR_INVALID, "MessageBody is missing");
  struct queue_send *send = send_new(call, tree);
  add_entry(send, tree);
  send->entries[0].tag = BYTES_NONE;
  queue_send(send);
  return true;
}

static bool send_batch(struct api_call *call, const struct json *tree, struct err *err) {
  const struct json *entries = json_get(tree, "Entries");
  if (!entries || entries->kind != JSON_ARRAY || entries->count == 0)
    FAIL(ERR_INVALID, "Entries is a list of messages");
  if (entries->count > SQS_MAX) FAIL(ERR_LIMIT, "at most %d entries", SQS_MAX);
  struct queue_send *send = send_new(call, tree);
  for (const struct json *entry = entries->first; entry; entry = entry->next) {
    if (!json_get_text(entry, "Id").len) FAIL(ERR_INVALID, "an entry has an Id");
    add_entry(send, entry);
  }
  queue_send(send);
  return true;
}

/* ---- Receiving ---- */

static void write_attributes(struct json_out *out, const struct json *given) {
  json_out_name(out, "MessageAttributes");
  json_out_open(out, '{');
  for (const struct json *a = given ? given->first : NULL; a; a = a->next) {
    struct bytes binary = json_get_text(a, "binaryValue");
    json_out_name_bytes(out, a->name);
    json_out_open(out, '{');
    json_out_member(out, "DataType", json_get_text(a, "dataType"));
    if (binary.len)
      json_out_member(out, "BinaryValue", binary);
    else
      json_out_member(out, "StringValue", json_get_text(a, "stringValue"));
    json_out_close(out, '}');
  }
  json_out_close(out, '}');
}

static void write_received(struct json_out *out, const struct queue_received *got) {
  const struct json *attributes = json_get(got->record, "attributes");
  char receives[16];
  snprintf(receives, sizeof receives, "%u", got->receives);
  json_out_open(out, '{');
  json_out_member(out, "MessageId", got->id);
  json_out_member(out, "ReceiptHandle", got->receipt);
  write_md5(out, "MD5OfBody", got->body);
  json_out_member(out, "Body", got->body);
  json_out_name(out, "Attributes");
  json_out_open(out, '{');
  json_out_member_str(out, "ApproximateReceiveCount", receives);
  json_out_member(out, "SentTimestamp", json_get_text(attributes, "SentTimestamp"));
  json_out_member(out, "SenderId", json_get_text(attributes, "SenderId"));
  json_out_close(out, '}');
  write_attributes(out, json_get(got->record, "messageAttributes"));
  json_out_close(out, '}');
}

static void received(struct queue_receive *receive) {
  cleanup_buf struct buf body = {0};
  struct json_out out;
  buf_init(&body, SQS_ANSWER_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  if (receive->got_count) {
    json_out_name(&out, "Messages");
    json_out_open(&out, '[');
    for (size_t i = 0; i < receive->got_count; i++) write_received(&out, &receive->got[i]);
    json_out_close(&out, ']');
  }
  json_out_close(&out, '}');
  reply(receive->call, 200, buf_bytes(&body));
}

static bool receive_message(struct api_call *call, const struct json *tree, struct err *err) {
  struct queues *queues = call->source;
  int64_t max = number(tree, "MaxNumberOfMessages", 1);
  int64_t wait_ms = number(tree, "WaitTimeSeconds", 0) * 1000;
  int64_t visibility_ms = number(tree, "VisibilityTimeout", QUEUE_VISIBILITY_MS / 1000) * 1000;
  TRY(queue_name_check(queue_of(tree), err));
  if (max < 1 || max > SQS_MAX) FAIL(ERR_INVALID, "MaxNumberOfMessages is 1 to %d", SQS_MAX);
  if (wait_ms < 0 || wait_ms > QUEUE_WAIT_MS_MAX) FAIL(ERR_INVALID, "WaitTimeSeconds is 0 to 20");
  if (visibility_ms < 0 || visibility_ms > QUEUE_VISIBILITY_MS_MAX)
    FAIL(ERR_INVALID, "VisibilityTimeout is 0 to 43200");
  if (queues->waiting >= QUEUE_WAITING_MAX)
    FAIL(ERR_BUSY, "QUEUE_WAITING_MAX: too many are waiting for messages");
  struct queue_receive *receive = ARENA_NEW(api_arena(call), struct queue_receive);
  must(receive != NULL);
  receive->call = call;
  receive->queues = queues;
  receive->done = received;
  receive->max = (size_t)max;
  receive->visibility_ms = visibility_ms;
  receive->until_ms = queues_now_ms(queues) + wait_ms;
  queue_receive(receive, queue_of(tree));
  return true;
}

/* ---- Receipts ---- */

/* To delete what is gone already is no error. */
static void deleted(struct queue_change *change, const struct err *err) {
  if (err && err->code != ERR_NOT_FOUND)
    fail(change->call, err);
  else
    reply(change->call, 200, BYTES("{}"));
}

static void shown(struct queue_change *change, const struct err *err) {
  if (err)
    fail(change->call, err);
  else
    reply(change->call, 200, BYTES("{}"));
}

static void change_message(struct api_call *call, const struct json *tree, int64_t visibility_ms,
                           void (*done)(struct queue_change *change, const struct err *err)) {
  struct queue_change *change = ARENA_NEW(api_arena(call), struct queue_change);
  must(change != NULL);
  change->call = call;
  change->queues = call->source;
  change->queue = queue_of(tree);
  change->receipt = json_get_text(tree, "ReceiptHandle");
  change->visibility_ms = visibility_ms;
  change->done = done;
  queue_change(change);
}

static bool delete_message(struct api_call *call, const struct json *tree, struct err *err) {
  change_message(call, tree, -1, deleted);
  return true;
}

static bool change_visibility(struct api_call *call, const struct json *tree, struct err *err) {
  int64_t seconds = number(tree, "VisibilityTimeout", -1);
  if (seconds < 0 || seconds > QUEUE_VISIBILITY_MS_MAX / 1000)
    FAIL(ERR_INVALID, "VisibilityTimeout is 0 to 43200");
  change_message(call, tree, seconds * 1000, shown);
  return true;
}

/* ---- The queue itself: it is there as soon as it is named ---- */

static bool queue_url(struct api_call *call, const struct json *tree, struct err *err) {
  struct bytes name = json_get_text(tree, "QueueName");
  cleanup_buf struct buf body = {0};
  struct json_out out;
  TRY(queue_name_check(name, err));
  struct bytes url = arena_printf(api_arena(call), "http://%.*s/000000000000/%.*s",
                                  BYTES_FMT(exchange_request(call->x)->host), BYTES_FMT(name));
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member(&out, "QueueUrl", url);
  json_out_close(&out, '}');
  reply(call, 200, buf_bytes(&body));
  return true;
}

static const struct {
  const char *name;
  bool (*handler)(struct api_call *call, const struct json *tree, struct err *err);
} operations[] = {
    {"SendMessage", send_message},
    {"SendMessageBatch", send_batch},
    {"ReceiveMessage", receive_message},
    {"DeleteMessage", delete_message},
    {"ChangeMessageVisibility", change_visibility},
    {"GetQueueUrl", queue_url},
    {"CreateQueue", queue_url},
};

static bool dispatch(struct api_call *call, struct err *err) {
  struct bytes target = exchange_header(call->x, "x-amz-target");
  struct bytes prefix = BYTES("AmazonSQS.");
  const struct json *tree;
  if (!bytes_starts(target, prefix))
    FAIL(ERR_METHOD, "this takes Amazon SQS's JSON protocol: X-Amz-Target: AmazonSQS.SendMessage");
  TRY(json_parse(api_arena(call), exchange_body(call->x), &tree, err));
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (bytes_eq_str(bytes_from(target, prefix.len), operations[i].name))
      return operations[i].handler(call, tree, err);
  FAIL(ERR_METHOD, "this operation of Amazon SQS is not supported");
}

static void post_sqs(struct api_call *call) {
  struct err err;
  if (!dispatch(call, &err)) fail(call, &err);
}

static const struct api_route routes[] = {
    {"POST", "/", ACT_DATA, post_sqs, SQS_REQUEST_BYTES_MAX},
    {"POST", "/000000000000/{queue}", ACT_DATA, post_sqs, SQS_REQUEST_BYTES_MAX},
};

void sqs_add(struct api *api, struct queues *queues) {
  api_add(api, routes, sizeof routes / sizeof *routes, queues);
}
