/* wire/cloudevents_http.c: the HTTP protocol binding: which form a message has, and the binary one,
 * where attributes are ce- headers and the body is the data. */
#include "wire/cloudevents.h"

#include "wire/codec.h"
#include "wire/json.h"
#include "wire/utf8.h"

#include <string.h>

static const struct bytes prefix = BYTES_INIT("ce-");

/* A media type without its parameters; a charset other than UTF-8 is refused. */
static bool essence_read(struct bytes content_type, struct bytes *ret_essence, struct err *err) {
  struct bytes rest;
  *ret_essence = bytes_trim(bytes_cut(content_type, ';', &rest));
  while (rest.len) {
    struct bytes value, parameter = bytes_cut(rest, ';', &rest);
    struct bytes name = bytes_trim(bytes_cut(parameter, '=', &value));
    value = bytes_trim(value);
    if (value.len >= 2 && value.at[0] == '"') value = bytes_sub(value, 1, value.len - 2);
    bool charset = bytes_eq_nocase(name, BYTES("charset"));
    if (charset && !bytes_eq_nocase(value, BYTES("utf-8")))
      FAIL(ERR_UNSUPPORTED, "the only charset supported is utf-8");
  }
  return true;
}

/* RFC 9110 §5.6.4: blanks and percent signs may come quoted from older senders. */
static size_t unquote(struct bytes value, uint8_t *out) {
  size_t len = 0;
  bool quoted = value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"';
  if (quoted) value = bytes_sub(value, 1, value.len - 2);
  for (size_t i = 0; i < value.len; i++) {
    if (quoted && value.at[i] == '\\' && i + 1 < value.len) i++;
    out[len++] = value.at[i];
  }
  return len;
}

bool cloudevents_value_decode(struct arena *arena, struct bytes value, struct bytes *ret_text,
                              struct err *err) {
  uint8_t *text = arena_alloc(arena, value.len + 1);
  size_t len = 0;
  if (!text) FAIL(ERR_LIMIT, "the events do not fit their arena");
  size_t unquoted = unquote(value, text);
  for (size_t i = 0; i < unquoted; i++) {
    uint8_t c = text[i];
    if (c == '%') {
      int high = unquoted - i > 2 ? hex_digit(text[i + 1]) : -1;
      int low = unquoted - i > 2 ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) FAIL(ERR_MALFORMED, "a percent sign lacks two digits");
      c = (uint8_t)(high << 4 | low);
      i += 2;
    }
    text[len++] = c;
  }
  if (!utf8_valid(bytes_of(text, len))) FAIL(ERR_MALFORMED, "a value is not UTF-8");
  *ret_text = bytes_of(text, len);
  return true;
}

void cloudevents_value_encode(struct buf *buf, struct bytes text) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (c > ' ' && c < 0x7f && c != '"' && c != '%') {
      buf_char(buf, c);
      continue;
    }
    buf_char(buf, '%');
    buf_char(buf, (uint8_t)hex[c >> 4]);
    buf_char(buf, (uint8_t)hex[c & 15]);
  }
}

static bool is_json(struct bytes essence) {
  return bytes_eq_nocase(essence, BYTES("application/json")) ||
         bytes_eq_nocase(essence, BYTES("text/json")) ||
         (essence.len > 5 && bytes_eq_nocase(bytes_from(essence, essence.len - 5), BYTES("+json")));
}

static bool is_text(struct bytes essence) {
  return bytes_eq_nocase(bytes_sub(essence, 0, 5), BYTES("text/")) ||
         bytes_eq_nocase(essence, BYTES("application/xml")) ||
         (essence.len > 4 && bytes_eq_nocase(bytes_from(essence, essence.len - 4), BYTES("+xml")));
}

/* JSON format §3.1.1: text as a JSON string, other bytes as base64; `encode` writes one of them. */
static bool data_encode(struct arena *arena, struct bytes body, bool text, struct cloudevent *event,
                        struct err *err) {
  struct buf buf;
  buf_init(&buf, body.len * 6 + 16); /* the longest escape of a byte is six */
  if (text) {
    struct json_out out;
    json_out_init(&out, &buf);
    json_out_string(&out, body);
  } else {
    base64_encode(&buf, body, 0);
  }
  event->kind = text ? CLOUDEVENT_JSON : CLOUDEVENT_BASE64;
  event->data = arena_copy(arena, buf_bytes(&buf));
  buf_fini(&buf);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the events do not fit their arena");
  return true;
}

static struct bytes trim_json(struct bytes text) {
  while (text.len && memchr(" \t\r\n", text.at[0], 4)) text = bytes_from(text, 1);
  while (text.len && memchr(" \t\r\n", text.at[text.len - 1], 4)) text.len--;
  return text;
}

/* Without a content type the data is JSON (JSON format §3.1). */
static bool body_read(struct arena *arena, struct bytes essence, struct bytes body,
                      struct cloudevent *event, struct err *err) {
  if (body.len == 0) return true;
  if (essence.len && !is_json(essence))
    return data_encode(arena, body, is_text(essence) && utf8_valid(body), event, err);
  const struct json *value;
  TRY(json_parse(arena, body, &value, err));
  event->kind = CLOUDEVENT_JSON;
  event->data = trim_json(body);
  return true;
}

static struct bytes *named_seat(struct cloudevent *event, struct bytes name) {
  const struct {
    struct bytes name, *seat;
  } seats[] = {
      {BYTES("id"), &event->id},     {BYTES("source"), &event->source},
      {BYTES("type"), &event->type}, {BYTES("subject"), &event->subject},
      {BYTES("time"), &event->time}, {BYTES("dataschema"), &event->dataschema},
  };
  for (size_t i = 0; i < sizeof seats / sizeof *seats; i++)
    if (bytes_eq(name, seats[i].name)) return seats[i].seat;
  return NULL;
}

static bool attribute_read(struct arena *arena, const struct http_header *header,
                           struct cloudevent *event, bool *version_seen, struct err *err) {
  struct bytes name = arena_lower(arena, bytes_from(header->name, prefix.len)), value;
  TRY(cloudevents_value_decode(arena, header->value, &value, err));
  if (bytes_eq(name, BYTES("specversion"))) {
    if (*version_seen || !bytes_eq(value, BYTES("1.0")))
      FAIL(ERR_INVALID, "attribute \"specversion\" is not \"1.0\"");
    *version_seen = true;
    return true;
  }
  /* HTTP binding §3.1.1 and §3.1.2: the content type stands for itself, the body is the data. */
  if (bytes_eq(name, BYTES("datacontenttype")) || bytes_starts(name, BYTES("data_")) ||
      bytes_eq(name, BYTES("data")))
    FAIL(ERR_INVALID, "data and its type do not come in ce- headers");
  struct bytes *seat = named_seat(event, name);
  if (seat) {
    if (seat->at || value.len == 0)
      FAIL(ERR_INVALID, "attribute \"%.*s\" is empty or there twice", BYTES_FMT(name));
    *seat = value;
    return true;
  }
  if (event->extension_count == CLOUDEVENT_EXTENSIONS_MAX)
    FAIL(ERR_LIMIT, "more extension attributes than CLOUDEVENT_EXTENSIONS_MAX");
  event->extensions[event->extension_count++] = (struct cloudevent_extension){name, value, true};
  return true;
}

static bool binary_read(struct arena *arena, const struct http_head *head, struct bytes essence,
                        struct bytes body, struct cloudevents *events, struct err *err) {
  struct cloudevent *event = ARENA_NEW(arena, struct cloudevent);
  bool version_seen = false;
  if (event)
    event->extensions = ARENA_ARRAY(arena, struct cloudevent_extension, CLOUDEVENT_EXTENSIONS_MAX);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the events do not fit their arena");
  for (size_t i = 0; i < head->header_count; i++) {
    const struct http_header *header = &head->headers[i];
    if (header->name.len <= prefix.len ||
        !bytes_eq_nocase(bytes_sub(header->name, 0, prefix.len), prefix))
      continue;
    TRY(attribute_read(arena, header, event, &version_seen, err));
  }
  if (!version_seen)
    FAIL(ERR_INVALID, "this is no CloudEvent: neither a ce-specversion header nor the content type "
                      "application/cloudevents+json");
  event->datacontenttype = http_header_get(head, "content-type");
  TRY(body_read(arena, essence, body, event, err));
  TRY(cloudevent_check(event, err));
  *events = (struct cloudevents){.events = event, .count = 1};
  return true;
}

bool cloudevents_read_http(struct arena *arena, const struct http_head *head, struct bytes body,
                           size_t event_bytes_max, struct cloudevents *ret_events,
                           struct err *err) {
  static const struct bytes family = BYTES_INIT("application/cloudevents");
  size_t bytes_max = event_bytes_max ? event_bytes_max : EVENT_BYTES_MAX;
  struct bytes essence;
  if (http_header_count(head, "content-type") > 1) FAIL(ERR_INVALID, "Content-Type is there twice");
  TRY(essence_read(http_header_get(head, "content-type"), &essence, err));
  if (bytes_eq_nocase(essence, BYTES("application/cloudevents+json")))
    return cloudevents_read_json(arena, body, false, bytes_max, ret_events, err);
  if (bytes_eq_nocase(essence, BYTES("application/cloudevents-batch+json")))
    return cloudevents_read_json(arena, body, true, bytes_max, ret_events, err);
  if (bytes_eq_nocase(bytes_sub(essence, 0, family.len), family))
    FAIL(ERR_UNSUPPORTED, "the only event format supported is JSON");
  if (body.len > bytes_max) FAIL(ERR_LIMIT, "an event is larger than EVENT_BYTES_MAX");
  struct cloudevents events = {0};
  TRY(binary_read(arena, head, essence, body, &events, err));
  *ret_events = events;
  return true;
}
