/* wire/cloudevents.c: attributes and their rules, the JSON format, the canonical envelope. */
#include "wire/cloudevents.h"

#include "wire/codec.h"
#include "wire/json.h"
#include "wire/utf8.h"

#include <stddef.h>
#include <stdlib.h>

/* The attributes the specification names, in the order they are written. */
static const struct attribute {
  struct bytes name;
  size_t offset;
} attributes[] = {
    {BYTES_INIT("id"), offsetof(struct cloudevent, id)},
    {BYTES_INIT("source"), offsetof(struct cloudevent, source)},
    {BYTES_INIT("type"), offsetof(struct cloudevent, type)},
    {BYTES_INIT("subject"), offsetof(struct cloudevent, subject)},
    {BYTES_INIT("time"), offsetof(struct cloudevent, time)},
    {BYTES_INIT("datacontenttype"), offsetof(struct cloudevent, datacontenttype)},
    {BYTES_INIT("dataschema"), offsetof(struct cloudevent, dataschema)},
};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes, REQUIRED = 3 };

static struct bytes *seat(struct cloudevent *event, const struct attribute *attribute) {
  return (struct bytes *)(void *)((char *)event + attribute->offset);
}

/* Core §3.1.1: no control characters and no noncharacters; the text is UTF-8. */
static bool text_valid(struct bytes text) {
  while (text.len) {
    uint32_t code;
    size_t len = utf8_decode(text, &code);
    bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    bool nothing = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
    if (len == 0 || control || nothing) return false;
    text = bytes_from(text, len);
  }
  return true;
}

static bool name_valid(struct bytes name) {
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  }
  return name.len > 0 && name.len <= CLOUDEVENT_NAME_BYTES_MAX;
}

static bool value_check(struct bytes name, struct bytes value, struct err *err) {
  if (value.len > CLOUDEVENT_ATTRIBUTE_BYTES_MAX)
    FAIL(ERR_LIMIT, "attribute \"%.*s\" is longer than CLOUDEVENT_ATTRIBUTE_BYTES_MAX",
         BYTES_FMT(name));
  if (!text_valid(value))
    FAIL(ERR_INVALID, "attribute \"%.*s\" has a character that is not allowed", BYTES_FMT(name));
  return true;
}

/* RFC 2045 §5.1, loosely: type "/" subtype, then parameters. */
static bool media_type_valid(struct bytes text) {
  struct bytes parameters, subtype;
  struct bytes essence = bytes_trim(bytes_cut(text, ';', &parameters));
  struct bytes type = bytes_cut(essence, '/', &subtype);
  return http_token_valid(type) && http_token_valid(subtype);
}

static bool has_blank(struct bytes text) {
  return bytes_find(text, ' ') < text.len;
}

static int compare_extensions(const void *a, const void *b) {
  const struct cloudevent_extension *left = a, *right = b;
  return bytes_cmp(left->name, right->name);
}

static bool extensions_check(struct cloudevent *event, struct err *err) {
  qsort(event->extensions, event->extension_count, sizeof *event->extensions, compare_extensions);
  for (size_t i = 0; i < event->extension_count; i++) {
    const struct cloudevent_extension *extension = &event->extensions[i];
    if (!name_valid(extension->name))
      FAIL(ERR_INVALID, "an attribute name is not made of a-z and 0-9, or is too long");
    if (i > 0 && bytes_eq(extension[-1].name, extension->name))
      FAIL(ERR_INVALID, "attribute \"%.*s\" is there twice", BYTES_FMT(extension->name));
    TRY(value_check(extension->name, extension->value, err));
  }
  return true;
}

bool cloudevent_check(struct cloudevent *event, struct err *err) {
  for (size_t i = 0; i < ATTRIBUTES; i++) {
    struct bytes value = *seat(event, &attributes[i]);
    if (i < REQUIRED && value.len == 0)
      FAIL(ERR_INVALID, "attribute \"%.*s\" is missing or empty", BYTES_FMT(attributes[i].name));
    TRY(value_check(attributes[i].name, value, err));
  }
  if (has_blank(event->source)) FAIL(ERR_INVALID, "attribute \"source\" is not a URI reference");
  if (has_blank(event->dataschema)) FAIL(ERR_INVALID, "attribute \"dataschema\" is not a URI");
  if (event->time.len && !rfc3339_parse(event->time, &event->time_ms, NULL))
    FAIL(ERR_INVALID, "attribute \"time\" is not an RFC 3339 time");
  if (event->datacontenttype.len && !media_type_valid(event->datacontenttype))
    FAIL(ERR_INVALID, "attribute \"datacontenttype\" is not a media type");
  return extensions_check(event, err);
}

/* The bytes of a value as they were written. */
static struct bytes raw_of(struct bytes input, const struct json *value) {
  static const struct bytes words[] = {
      [JSON_NULL] = BYTES_INIT("null"),
      [JSON_FALSE] = BYTES_INIT("false"),
      [JSON_TRUE] = BYTES_INIT("true"),
  };
  if (value->kind <= JSON_TRUE) return words[value->kind];
  if (value->kind != JSON_STRING) return value->text;
  size_t end = value->offset + 1;
  while (input.at[end] != '"') end += input.at[end] == '\\' ? 2 : 1;
  return bytes_sub(input, value->offset, end + 1 - value->offset);
}

static bool base64_read(const struct json *member, struct cloudevent *event, struct err *err) {
  struct buf decoded;
  if (member->kind != JSON_STRING) FAIL(ERR_INVALID, "\"data_base64\" is not a string");
  buf_init(&decoded, member->text.len + 1);
  bool valid = base64_decode(&decoded, member->text, 0, NULL);
  buf_fini(&decoded);
  if (!valid) FAIL(ERR_INVALID, "\"data_base64\" is not base64");
  event->kind = CLOUDEVENT_BASE64;
  event->data = member->text;
  return true;
}

static bool data_read(struct bytes input, const struct json *member, struct cloudevent *event,
                      struct err *err) {
  if (event->kind != CLOUDEVENT_NO_DATA)
    FAIL(ERR_INVALID, "\"data\" and \"data_base64\" exclude each other");
  if (bytes_eq(member->name, BYTES("data_base64"))) return base64_read(member, event, err);
  event->kind = CLOUDEVENT_JSON;
  event->data = raw_of(input, member);
  return true;
}

static bool extension_read(const struct json *member, struct cloudevent *event, struct err *err) {
  struct bytes name = name_valid(member->name) ? member->name : BYTES("?");
  if (event->extension_count == CLOUDEVENT_EXTENSIONS_MAX)
    FAIL(ERR_LIMIT, "more extension attributes than CLOUDEVENT_EXTENSIONS_MAX");
  struct cloudevent_extension extension = {member->name, member->text, false};
  int64_t number;
  switch (member->kind) {
  case JSON_STRING: extension.is_string = true; break;
  case JSON_TRUE: extension.value = BYTES("true"); break;
  case JSON_FALSE: extension.value = BYTES("false"); break;
  case JSON_NUMBER:
    /* Core §3.1.1: whole numbers of 32 bits. */
    if (json_int(member, &number) && number >= INT32_MIN && number <= INT32_MAX) break;
    FAIL(ERR_INVALID, "attribute \"%.*s\" is not a 32-bit integer", BYTES_FMT(name));
  case JSON_NULL:
  case JSON_ARRAY:
  case JSON_OBJECT:
    FAIL(ERR_INVALID, "attribute \"%.*s\" is neither text, integer nor boolean", BYTES_FMT(name));
  }
  event->extensions[event->extension_count++] = extension;
  return true;
}

static bool member_read(struct bytes input, const struct json *member, struct cloudevent *event,
                        struct err *err) {
  struct bytes name = member->name;
  if (bytes_eq(name, BYTES("data")) || bytes_eq(name, BYTES("data_base64")))
    return data_read(input, member, event, err);
  if (member->kind == JSON_NULL) return true; /* JSON format §2.2: null is absence */
  if (bytes_eq(name, BYTES("specversion"))) return true;
  for (size_t i = 0; i < ATTRIBUTES; i++) {
    if (!bytes_eq(name, attributes[i].name)) continue;
    if (member->kind != JSON_STRING || member->text.len == 0)
      FAIL(ERR_INVALID, "attribute \"%.*s\" is not a text or empty", BYTES_FMT(name));
    *seat(event, &attributes[i]) = member->text;
    return true;
  }
  return extension_read(member, event, err);
}

static bool event_read(struct arena *arena, struct bytes input, const struct json *value,
                       size_t bytes_max, struct cloudevent *event, struct err *err) {
  if (value->kind != JSON_OBJECT) FAIL(ERR_INVALID, "an event is not a JSON object");
  if (value->text.len > bytes_max) FAIL(ERR_LIMIT, "an event is larger than EVENT_BYTES_MAX");
  const struct json *version = json_get(value, "specversion");
  if (!version || version->kind != JSON_STRING || !bytes_eq(version->text, BYTES("1.0")))
    FAIL(ERR_INVALID, "attribute \"specversion\" is not \"1.0\"");
  size_t room = value->count < CLOUDEVENT_EXTENSIONS_MAX ? value->count : CLOUDEVENT_EXTENSIONS_MAX;
  event->extensions = ARENA_ARRAY(arena, struct cloudevent_extension, room);
  if (!event->extensions) FAIL(ERR_LIMIT, "the events do not fit their arena");
  event->tree = value;
  for (const struct json *member = value->first; member; member = member->next) {
    TRY(member_read(input, member, event, err));
    if (member->kind == JSON_NULL) event->tree = NULL; /* a member that is not written */
  }
  return cloudevent_check(event, err);
}

/* Puts "event 3: " before the detail. */
static bool at_index(size_t index, struct err *err) {
  if (!err) return false;
  struct err inner = *err;
  err_set(err, inner.code, inner.place, inner.offset, "event %zu: %s", index, inner.detail);
  return false;
}

static bool array_read(struct arena *arena, struct bytes input, const struct json *array,
                       size_t bytes_max, struct cloudevents *events, struct err *err) {
  if (array->kind != JSON_ARRAY) FAIL(ERR_INVALID, "a batch is not a JSON array");
  if (array->count > EVENT_BATCH_MAX) FAIL(ERR_LIMIT, "more events than EVENT_BATCH_MAX");
  events->events = ARENA_ARRAY(arena, struct cloudevent, array->count);
  if (!events->events && array->count) FAIL(ERR_LIMIT, "the events do not fit their arena");
  for (const struct json *item = array->first; item; item = item->next) {
    if (!event_read(arena, input, item, bytes_max, &events->events[events->count], err))
      return at_index(events->count, err);
    events->count++;
  }
  return true;
}

static bool one_read(struct arena *arena, struct bytes input, const struct json *value,
                     size_t bytes_max, struct cloudevents *events, struct err *err) {
  events->events = ARENA_NEW(arena, struct cloudevent);
  if (!events->events) FAIL(ERR_LIMIT, "the events do not fit their arena");
  events->count = 1;
  return event_read(arena, input, value, bytes_max, events->events, err);
}

bool cloudevents_read_json(struct arena *arena, struct bytes text, bool batch,
                           size_t event_bytes_max, struct cloudevents *ret_events,
                           struct err *err) {
  struct cloudevents events = {.batch = batch};
  const struct json *value;
  size_t bytes_max = event_bytes_max ? event_bytes_max : EVENT_BYTES_MAX;
  TRY(json_parse(arena, text, &value, err));
  if (batch)
    TRY(array_read(arena, text, value, bytes_max, &events, err));
  else
    TRY(one_read(arena, text, value, bytes_max, &events, err));
  *ret_events = events;
  return true;
}

static size_t lines_count(struct bytes text) {
  size_t count = 0;
  while (text.len) count += bytes_trim(bytes_cut(text, '\n', &text)).len > 0;
  return count;
}

static bool lines_read(struct arena *arena, struct bytes text, size_t bytes_max,
                       struct cloudevents *events, struct err *err) {
  size_t count = lines_count(text);
  events->events = ARENA_ARRAY(arena, struct cloudevent, count);
  if (!events->events && count) FAIL(ERR_LIMIT, "the events do not fit their arena");
  while (text.len) {
    const struct json *value;
    struct bytes line = bytes_trim(bytes_cut(text, '\n', &text));
    if (bytes_ends(line, BYTES("\r"))) line.len--;
    if (bytes_trim(line).len == 0) continue;
    bool good = json_parse(arena, line, &value, err) &&
                event_read(arena, line, value, bytes_max, &events->events[events->count], err);
    if (!good) return at_index(events->count, err);
    events->count++;
  }
  return true;
}

bool cloudevents_read_file(struct arena *arena, struct bytes text, size_t event_bytes_max,
                           struct cloudevents *ret_events, struct err *err) {
  struct cloudevents events = {0};
  const struct json *value;
  size_t bytes_max = event_bytes_max ? event_bytes_max : EVENT_BYTES_MAX;
  if (json_parse(arena, text, &value, err)) {
    bool batch = value->kind == JSON_ARRAY;
    return cloudevents_read_json(arena, text, batch, bytes_max, ret_events, err);
  }
  /* Not one value: lines, if the first is one; otherwise what was wrong with the one value. */
  struct bytes rest, first = bytes_cut(text, '\n', &rest);
  if (rest.len == 0 || !json_parse(arena, first, &value, NULL)) return false;
  TRY(lines_read(arena, text, bytes_max, &events, err));
  *ret_events = events;
  return true;
}

void cloudevents_write(struct buf *buf, const struct cloudevent *event) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "specversion", "1.0");
  for (size_t i = 0; i < ATTRIBUTES; i++) {
    struct bytes value = *seat((struct cloudevent *)(uintptr_t)event, &attributes[i]);
    if (value.len) json_out_member(&out, (const char *)attributes[i].name.at, value);
  }
  for (size_t i = 0; i < event->extension_count; i++) {
    const struct cloudevent_extension *extension = &event->extensions[i];
    json_out_name_bytes(&out, extension->name);
    if (extension->is_string)
      json_out_string(&out, extension->value);
    else
      json_out_raw(&out, extension->value);
  }
  if (event->kind == CLOUDEVENT_JSON) json_out_member_raw(&out, "data", event->data);
  if (event->kind == CLOUDEVENT_BASE64) json_out_member(&out, "data_base64", event->data);
  json_out_close(&out, '}');
}
