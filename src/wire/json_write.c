/* wire/json_write.c: writing values in order, and the canonical form. */
#include "wire/json.h"

#include "base/cleanup.h"
#include "wire/json_number.h"
#include "wire/json_sort.h"
#include "wire/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void json_out_init(struct json_out *out, struct buf *buf) {
  *out = (struct json_out){.buf = buf};
}

static void begin_value(struct json_out *out) {
  if (out->comma) buf_char(out->buf, ',');
  out->comma = true;
}

void json_out_open(struct json_out *out, char bracket) {
  begin_value(out);
  buf_char(out->buf, (uint8_t)bracket);
  out->comma = false;
}

void json_out_close(struct json_out *out, char bracket) {
  buf_char(out->buf, (uint8_t)bracket);
  out->comma = true;
}

static void put_escape(struct buf *buf, uint8_t c) {
  static const char meanings[] = "\"\\\b\f\n\r\t";
  static const char letters[] = "\"\\bfnrt";
  const char *meaning = c ? strchr(meanings, c) : NULL;
  if (meaning)
    buf_printf(buf, "\\%c", letters[meaning - meanings]);
  else
    buf_printf(buf, "\\u%04x", c);
}

/* RFC 8785 §3.2.2.2: the shortest escapes, and only where JSON demands one. */
static void put_string(struct buf *buf, struct bytes text) {
  buf_char(buf, '"');
  size_t from = 0;
  for (size_t at = 0; at < text.len;) {
    uint8_t c = text.at[at];
    uint32_t code;
    size_t len = c < 0x80 ? 1 : utf8_decode(bytes_from(text, at), &code);
    if (len > 0 && c >= 0x20 && c != '"' && c != '\\') {
      at += len;
      continue;
    }
    buf_put(buf, bytes_sub(text, from, at - from));
    if (len > 0)
      put_escape(buf, c);
    else
      buf_str(buf, "\xEF\xBF\xBD");
    from = ++at;
  }
  buf_put(buf, bytes_from(text, from));
  buf_char(buf, '"');
}

void json_out_name_bytes(struct json_out *out, struct bytes name) {
  begin_value(out);
  put_string(out->buf, name);
  buf_char(out->buf, ':');
  out->comma = false;
}

void json_out_name(struct json_out *out, const char *name) {
  json_out_name_bytes(out, bytes_str(name));
}

void json_out_string(struct json_out *out, struct bytes text) {
  begin_value(out);
  put_string(out->buf, text);
}

void json_out_str(struct json_out *out, const char *text) {
  json_out_string(out, bytes_str(text));
}

void json_out_raw(struct json_out *out, struct bytes json_text) {
  begin_value(out);
  buf_put(out->buf, json_text);
}

void json_out_int(struct json_out *out, int64_t value) {
  begin_value(out);
  if (value < 0) buf_char(out->buf, '-');
  buf_u64_decimal(out->buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* JSON has no word for infinity and not-a-number: null, as ECMAScript writes them. */
void json_out_double(struct json_out *out, double value) {
  char text[JSON_DOUBLE_TEXT_BYTES];
  if (!isfinite(value)) {
    json_out_null(out);
    return;
  }
  size_t len = json_double_text(value, text);
  json_out_raw(out, bytes_of(text, len));
}

void json_out_bool(struct json_out *out, bool value) {
  json_out_raw(out, value ? BYTES("true") : BYTES("false"));
}

void json_out_null(struct json_out *out) {
  json_out_raw(out, BYTES("null"));
}

static void put_children(struct json_out *out, const struct json *value) {
  bool object = value->kind == JSON_OBJECT;
  json_out_open(out, object ? '{' : '[');
  for (const struct json *child = value->first; child; child = child->next) {
    if (object) json_out_name_bytes(out, child->name);
    json_out_value(out, child);
  }
  json_out_close(out, object ? '}' : ']');
}

/* Recursion ends at JSON_DEPTH_MAX: no tree is deeper. */
void json_out_value(struct json_out *out, const struct json *value) {
  switch (value ? value->kind : JSON_NULL) {
  case JSON_NULL: json_out_null(out); break;
  case JSON_FALSE: json_out_bool(out, false); break;
  case JSON_TRUE: json_out_bool(out, true); break;
  case JSON_NUMBER: json_out_raw(out, value->text); break;
  case JSON_STRING: json_out_string(out, value->text); break;
  case JSON_ARRAY:
  case JSON_OBJECT: put_children(out, value); break;
  }
}

void json_out_member_str(struct json_out *out, const char *name, const char *text) {
  json_out_name(out, name);
  json_out_str(out, text);
}

void json_out_member(struct json_out *out, const char *name, struct bytes text) {
  json_out_name(out, name);
  json_out_string(out, text);
}

void json_out_member_int(struct json_out *out, const char *name, int64_t value) {
  json_out_name(out, name);
  json_out_int(out, value);
}

void json_out_member_bool(struct json_out *out, const char *name, bool value) {
  json_out_name(out, name);
  json_out_bool(out, value);
}

void json_out_member_raw(struct json_out *out, const char *name, struct bytes json_text) {
  json_out_name(out, name);
  json_out_raw(out, json_text);
}

/* A number no double can hold has no form in RFC 8785; it keeps the one it came in. */
static void canonical_number(struct json_out *out, struct bytes text) {
  double value;
  if (json_number_double(text, &value))
    json_out_double(out, value);
  else
    json_out_raw(out, text);
}

static void canonical_value(struct json_out *out, const struct json *value);

static void canonical_object(struct json_out *out, const struct json *object) {
  cleanup_free const struct json **sorted = json_sorted(object, json_order_utf16);
  json_out_open(out, '{');
  for (size_t i = 0; i < object->count; i++) {
    json_out_name_bytes(out, sorted[i]->name);
    canonical_value(out, sorted[i]);
  }
  json_out_close(out, '}');
}

static void canonical_array(struct json_out *out, const struct json *array) {
  json_out_open(out, '[');
  for (const struct json *item = array->first; item; item = item->next) canonical_value(out, item);
  json_out_close(out, ']');
}

static void canonical_value(struct json_out *out, const struct json *value) {
  enum json_kind kind = value ? value->kind : JSON_NULL;
  if (kind == JSON_NUMBER)
    canonical_number(out, value->text);
  else if (kind == JSON_OBJECT)
    canonical_object(out, value);
  else if (kind == JSON_ARRAY)
    canonical_array(out, value);
  else
    json_out_value(out, value);
}

void json_canonical(struct buf *buf, const struct json *value) {
  struct json_out out;
  json_out_init(&out, buf);
  canonical_value(&out, value);
}
