/* model/queued.c: records in SQS's shape; rows as fields in order. */
#include "model/queued.h"

#include "base/digest.h"
#include "base/must.h"
#include "wire/codec.h"
#include "wire/fields.h"

#include <stdio.h>
#include <string.h>

enum { QUEUED_FORMAT = 1 };

bool queue_name_check(struct bytes name, struct err *err) {
  bool ok = name.len > 0 && name.len <= QUEUE_NAME_BYTES_MAX;
  for (size_t i = 0; ok && i < name.len; i++) {
    uint8_t c = name.at[i];
    uint8_t letter = c | 32;
    ok = (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
  }
  if (!ok)
    FAIL(ERR_INVALID, "a queue's name is 1 to %d letters, digits, '-', '_' and '.'",
         QUEUE_NAME_BYTES_MAX);
  return true;
}

/* A plain text or number stands for a value of that type. */
static void write_attribute(struct json_out *out, const struct json *given) {
  struct bytes text = json_get_text(given, "StringValue");
  struct bytes type = json_get_text(given, "DataType");
  struct bytes binary = json_get_text(given, "BinaryValue");
  if (!text.len) text = json_get_text(given, "stringValue");
  if (!type.len) type = json_get_text(given, "dataType");
  if (given->kind == JSON_STRING || given->kind == JSON_NUMBER) text = given->text;
  if (!type.len) type = given->kind == JSON_NUMBER ? BYTES("Number") : BYTES("String");
  json_out_name_bytes(out, given->name);
  json_out_open(out, '{');
  if (binary.len)
    json_out_member(out, "binaryValue", binary);
  else
    json_out_member(out, "stringValue", text);
  json_out_member_raw(out, "stringListValues", BYTES("[]"));
  json_out_member_raw(out, "binaryListValues", BYTES("[]"));
  json_out_member(out, "dataType", type);
  json_out_close(out, '}');
}

static void write_md5(struct json_out *out, struct bytes body) {
  uint8_t digest[MD5_BYTES];
  struct buf text;
  md5(body, digest);
  buf_init(&text, 2 * MD5_BYTES);
  hex_encode(&text, bytes_of(digest, sizeof digest));
  json_out_member(out, "md5OfBody", buf_bytes(&text));
  buf_fini(&text);
}

void queue_record_write(struct buf *buf, const struct queue_message *message) {
  struct json_out out;
  char id[ID_TEXT_BYTES];
  char sent[24];
  char arn[sizeof QUEUE_ARN_PREFIX + QUEUE_NAME_BYTES_MAX];
  id_text(message->id, id);
  snprintf(sent, sizeof sent, "%lld", (long long)message->sent_ms);
  snprintf(arn, sizeof arn, QUEUE_ARN_PREFIX "%.*s", BYTES_FMT(message->queue));
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "messageId", id);
  json_out_member_str(&out, "receiptHandle", id);
  json_out_member(&out, "body", message->body);
  json_out_name(&out, "attributes");
  json_out_open(&out, '{');
  json_out_member_str(&out, "ApproximateReceiveCount", "1");
  json_out_member_str(&out, "SentTimestamp", sent);
  json_out_member(&out, "SenderId", message->sender);
  json_out_member_str(&out, "ApproximateFirstReceiveTimestamp", sent);
  json_out_close(&out, '}');
  json_out_name(&out, "messageAttributes");
  json_out_open(&out, '{');
  const struct json *attribute = message->attributes ? message->attributes->first : NULL;
  for (; attribute; attribute = attribute->next) write_attribute(&out, attribute);
  json_out_close(&out, '}');
  write_md5(&out, message->body);
  json_out_member_str(&out, "eventSource", "aws:sqs");
  json_out_member_str(&out, "eventSourceARN", arn);
  json_out_member_str(&out, "awsRegion", "local");
  json_out_close(&out, '}');
}

struct bytes queued_key(struct bytes queue, struct id id, uint8_t ret_key[QUEUE_KEY_BYTES_MAX]) {
  must(queue.len <= QUEUE_NAME_BYTES_MAX);
  memcpy(ret_key, queue.at, queue.len);
  ret_key[queue.len] = 0;
  memcpy(ret_key + queue.len + 1, id.at, ID_BYTES);
  return bytes_of(ret_key, queue.len + 1 + ID_BYTES);
}

void queued_encode(struct buf *buf, const struct queued *queued) {
  fields_put_u64(buf, QUEUED_FORMAT);
  fields_put_i64(buf, queued->visible_ms);
  fields_put_u64(buf, queued->receives);
  fields_put_bytes(buf, queued->event);
}

bool queued_decode(struct bytes input, struct queued *ret_queued, struct err *err) {
  struct cursor in = cursor_of(input);
  struct queued queued = {0};
  if (fields_get_u64(&in) != QUEUED_FORMAT)
    FAIL(ERR_CORRUPT, "a stored message has an unknown format");
  queued.visible_ms = fields_get_i64(&in);
  queued.receives = (uint32_t)fields_get_u64(&in);
  queued.event = fields_get_bytes(&in);
  TRY(fields_end(&in, "message", err));
  *ret_queued = queued;
  return true;
}
