/* model/event.c: stored form: version, then the fields in order; data as offset and length within
 * the envelope, so that nothing is stored twice. */
#include "model/event.h"

#include "base/must.h"
#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/json.h"

#include <string.h>

enum { EVENT_FORMAT = 1 };

void event_write_envelope(struct buf *buf, const struct event *event, struct bytes data_json) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "specversion", "1.0");
  json_out_member(&out, "id", event->ce_id);
  json_out_member(&out, "source", event->ce_source);
  json_out_member(&out, "type", event->ce_type);
  if (event->ce_subject.len) json_out_member(&out, "subject", event->ce_subject);
  char time[RFC3339_BYTES];
  rfc3339_format(event->received_ms, time);
  json_out_member_str(&out, "time", time);
  if (data_json.len) {
    json_out_member_str(&out, "datacontenttype", "application/json");
    json_out_member_raw(&out, "data", data_json);
  }
  json_out_close(&out, '}');
}

void event_encode(struct buf *buf, const struct event *event) {
  bool inside = event->data.len && event->data.at >= event->envelope.at &&
                event->data.at + event->data.len <= event->envelope.at + event->envelope.len;
  must(inside || event->data.len == 0);
  fields_put_u64(buf, EVENT_FORMAT);
  fields_put_id(buf, event->id);
  fields_put_i64(buf, event->received_ms);
  fields_put_u64(buf, event->shape);
  fields_put_bytes(buf, event->ce_id);
  fields_put_bytes(buf, event->ce_source);
  fields_put_bytes(buf, event->ce_type);
  fields_put_bytes(buf, event->ce_subject);
  fields_put_bytes(buf, event->envelope);
  fields_put_u64(buf, inside ? (uint64_t)(event->data.at - event->envelope.at) : 0);
  fields_put_u64(buf, event->data.len);
  fields_put_bytes(buf, event->principal);
  fields_put_bytes(buf, event->traceparent);
  fields_put_id(buf, event->cause);
  fields_put_u64(buf, event->depth);
}

bool event_decode(struct bytes input, struct event *ret_event, struct err *err) {
  struct cursor in = cursor_of(input);
  struct event event = {0};
  if (fields_get_u64(&in) != EVENT_FORMAT)
    FAIL(ERR_CORRUPT, "a stored event has an unknown format");
  event.id = fields_get_id(&in);
  event.received_ms = fields_get_i64(&in);
  event.shape = fields_get_u64(&in) == EVENT_DATA ? EVENT_DATA : EVENT_ENVELOPE;
  event.ce_id = fields_get_bytes(&in);
  event.ce_source = fields_get_bytes(&in);
  event.ce_type = fields_get_bytes(&in);
  event.ce_subject = fields_get_bytes(&in);
  event.envelope = fields_get_bytes(&in);
  uint64_t data_at = fields_get_u64(&in);
  uint64_t data_len = fields_get_u64(&in);
  event.principal = fields_get_bytes(&in);
  event.traceparent = fields_get_bytes(&in);
  event.cause = fields_get_id(&in);
  event.depth = (uint32_t)fields_get_u64(&in);
  TRY(fields_end(&in, "event", err));
  if (data_at > event.envelope.len || data_len > event.envelope.len - data_at)
    FAIL(ERR_CORRUPT, "a stored event's data lie outside it");
  event.data = bytes_sub(event.envelope, data_at, data_len);
  *ret_event = event;
  return true;
}

struct event *event_copy(const struct event *event) {
  const size_t offsets[] = {offsetof(struct event, ce_id),      offsetof(struct event, ce_source),
                            offsetof(struct event, ce_type),    offsetof(struct event, ce_subject),
                            offsetof(struct event, envelope),   offsetof(struct event, principal),
                            offsetof(struct event, traceparent)};
  enum { FIELDS = sizeof offsets / sizeof *offsets };
  size_t bytes = sizeof(struct event);
  for (int i = 0; i < FIELDS; i++)
    bytes += ((const struct bytes *)(const void *)((const char *)event + offsets[i]))->len;
  struct event *copy = must_alloc(bytes);
  *copy = *event;
  uint8_t *at = (uint8_t *)(copy + 1);
  for (int i = 0; i < FIELDS; i++) {
    struct bytes *field = (struct bytes *)(void *)((char *)copy + offsets[i]);
    if (field->len) memcpy(at, field->at, field->len);
    field->at = at;
    at += field->len;
  }
  if (event->data.len) copy->data.at = copy->envelope.at + (event->data.at - event->envelope.at);
  return copy;
}

struct bytes event_for_handler(const struct event *event) {
  if (event->shape == EVENT_ENVELOPE) return event->envelope;
  return event->data.len ? event->data : BYTES("null");
}
