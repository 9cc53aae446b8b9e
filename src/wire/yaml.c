/* wire/yaml.c: libyaml's events to a tree. Its marks count code points, ours count bytes; events
 * come nearly in order, so one place in the input follows them in both units. */
#include "wire/yaml.h"

#include "base/cleanup.h"
#include "wire/json_number.h"
#include "wire/json_sort.h"
#include "wire/utf8.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct frame {
  struct json *node;
  struct json *last;
  struct bytes name;
  bool has_name;
};

struct builder {
  struct arena *arena;
  struct bytes input;
  size_t at_byte; /* the followed place, in bytes ... */
  size_t at_code; /* ... and in code points after the byte order mark */
  const struct json *root;
  size_t depth;
  struct frame frames[YAML_DEPTH_MAX];
};

/* The house's FAIL_AT, with the place a person looks for. */
#define BAD(byte_offset, ...) \
  do { \
    char what_[120]; \
    snprintf(what_, sizeof what_, __VA_ARGS__); \
    size_t offset_ = (byte_offset); \
    struct yaml_place place_ = yaml_place(b->input, offset_); \
    FAIL_AT(ERR_MALFORMED, offset_, "line %u, column %u: %s", place_.line, place_.column, what_); \
  } while (0)

struct yaml_place yaml_place(struct bytes input, size_t offset) {
  struct yaml_place place = {1, 1};
  for (size_t i = 0; i < offset && i < input.len; i++) {
    if (input.at[i] == '\n')
      place = (struct yaml_place){place.line + 1, 1};
    else if ((input.at[i] & 0xC0) != 0x80)
      place.column++;
  }
  return place;
}

size_t yaml_name_offset(struct bytes input, const struct json *member) {
  uintptr_t start = (uintptr_t)input.at;
  uintptr_t name = (uintptr_t)member->name.at;
  bool inside = name >= start && name - start <= input.len && member->name.at;
  return inside ? name - start : member->offset;
}

static bool is_tail(const struct builder *b, size_t at) {
  return at < b->input.len && (b->input.at[at] & 0xC0) == 0x80;
}

static void follow(struct builder *b, int step) {
  b->at_byte += (size_t)step;
  while (is_tail(b, b->at_byte)) b->at_byte += (size_t)step;
  b->at_code += (size_t)step;
}

static size_t byte_offset(struct builder *b, const yaml_mark_t *mark) {
  while (b->at_code < mark->index && b->at_byte < b->input.len) follow(b, 1);
  while (b->at_code > mark->index) follow(b, -1);
  return b->at_byte;
}

static bool is_one_of(struct bytes text, const char *const *words) {
  while (*words && !bytes_eq_str(text, *words)) words++;
  return *words != NULL;
}

static size_t skip_set(struct bytes text, size_t at, const char *set) {
  while (at < text.len && text.at[at] && strchr(set, text.at[at])) at++;
  return at;
}

/* What the core schema calls a number, in whatever form. */
static bool is_core_number(struct bytes text) {
  static const char digits[] = "0123456789";
  static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
  if (bytes_starts(text, BYTES("0o")))
    return text.len > 2 && skip_set(text, 2, "01234567") == text.len;
  if (bytes_starts(text, BYTES("0x")))
    return text.len > 2 && skip_set(text, 2, "0123456789abcdefABCDEF") == text.len;
  if (text.len && (text.at[0] == '+' || text.at[0] == '-')) text = bytes_from(text, 1);
  if (is_one_of(text, words)) return true;
  size_t at = skip_set(text, 0, digits);
  size_t mantissa = at;
  if (at < text.len && text.at[at] == '.') {
    at = skip_set(text, at + 1, digits);
    mantissa = at - 1;
  }
  if (mantissa == 0) return false;
  if (at < text.len && (text.at[at] | 0x20) == 'e') {
    size_t exponent = at + 1;
    if (exponent < text.len && (text.at[exponent] == '+' || text.at[exponent] == '-')) exponent++;
    at = skip_set(text, exponent, digits);
    if (at == exponent) return false;
  }
  return at == text.len;
}

/* YAML 1.2.2 §10.3.2, tag resolution of plain scalars. */
static bool resolve_plain(struct builder *b, struct json *node, struct err *err) {
  static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
  static const char *const trues[] = {"true", "True", "TRUE", NULL};
  static const char *const falses[] = {"false", "False", "FALSE", NULL};
  struct bytes text = node->text;
  if (is_one_of(text, nulls))
    node->kind = JSON_NULL;
  else if (is_one_of(text, trues))
    node->kind = JSON_TRUE;
  else if (is_one_of(text, falses))
    node->kind = JSON_FALSE;
  else if (!is_core_number(text))
    return true;
  else if (json_number_scan(text) == text.len)
    node->kind = JSON_NUMBER;
  else
    BAD(node->offset, "a number in this form is unclear; write it in decimal or quote it");
  if (node->kind != JSON_NUMBER) node->text = BYTES_NONE;
  return true;
}

/* The value as it stands in the input, or a copy when it was written otherwise. */
static bool scalar_text(struct builder *b, const yaml_event_t *event, size_t offset,
                        struct bytes *ret_text, struct err *err) {
  struct bytes value = bytes_of(event->data.scalar.value, event->data.scalar.length);
  size_t quote = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  struct bytes source = bytes_sub(b->input, offset + quote, value.len);
  struct bytes text = bytes_eq(source, value) ? source : arena_copy(b->arena, value);
  if (!arena_ok(b->arena)) FAIL(ERR_LIMIT, "YAML: more memory than its arena allows");
  *ret_text = text;
  return true;
}

static bool name_again(struct builder *b, const struct json *before, size_t offset,
                       struct err *err) {
  size_t line = yaml_place(b->input, yaml_name_offset(b->input, before)).line;
  BAD(offset, "this key stands already in line %zu", line);
}

/* Sorted once when the map closes, so that many keys cost no more than their number. */
static bool check_names(struct builder *b, const struct json *map, struct err *err) {
  if (map->count < 2) return true;
  cleanup_free const struct json **sorted = json_sorted(map, json_order_quick);
  for (size_t i = 1; i < map->count; i++)
    if (json_order_quick(sorted[i - 1], sorted[i]) == 0)
      return name_again(b, sorted[i - 1], yaml_name_offset(b->input, sorted[i]), err);
  return true;
}

static struct frame *top(struct builder *b) {
  return b->depth ? &b->frames[b->depth - 1] : NULL;
}

static bool wants_key(struct builder *b) {
  struct frame *frame = top(b);
  return frame && frame->node->kind == JSON_OBJECT && !frame->has_name;
}

static bool add_node(struct builder *b, enum json_kind kind, size_t offset, struct json **ret_node,
                     struct err *err) {
  struct frame *frame = top(b);
  struct json *node = ARENA_NEW(b->arena, struct json);
  if (!node) FAIL(ERR_LIMIT, "YAML: more memory than its arena allows");
  *node = (struct json){.kind = kind, .offset = (uint32_t)offset};
  *ret_node = node;
  if (!frame) {
    b->root = node;
    return true;
  }
  node->name = frame->name;
  frame->name = BYTES_NONE;
  frame->has_name = false;
  frame->node->count++;
  if (frame->last)
    frame->last->next = node;
  else
    frame->node->first = node;
  frame->last = node;
  return true;
}

static bool take_scalar(struct builder *b, const yaml_event_t *event, struct err *err) {
  size_t offset = byte_offset(b, &event->start_mark);
  struct frame *frame = top(b);
  struct json *node;
  if (wants_key(b)) {
    TRY(scalar_text(b, event, offset, &frame->name, err));
    frame->has_name = true;
    return true;
  }
  TRY(add_node(b, JSON_STRING, offset, &node, err));
  TRY(scalar_text(b, event, offset, &node->text, err));
  if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return true;
  return resolve_plain(b, node, err);
}

static bool open_frame(struct builder *b, const yaml_event_t *event, enum json_kind kind,
                       struct err *err) {
  size_t offset = byte_offset(b, &event->start_mark);
  struct json *node;
  if (wants_key(b)) BAD(offset, "a key must be a plain or quoted word");
  if (b->depth == YAML_DEPTH_MAX)
    FAIL_AT(ERR_LIMIT, offset, "YAML: deeper than %d levels", YAML_DEPTH_MAX);
  TRY(add_node(b, kind, offset, &node, err));
  b->frames[b->depth++] = (struct frame){.node = node};
  return true;
}

static bool close_frame(struct builder *b, const yaml_event_t *event, struct err *err) {
  struct json *node = b->frames[--b->depth].node;
  size_t end = byte_offset(b, &event->end_mark);
  node->text = bytes_sub(b->input, node->offset, end > node->offset ? end - node->offset : 0);
  return node->kind == JSON_ARRAY || check_names(b, node, err);
}

static bool check_plainness(struct builder *b, const yaml_event_t *event, struct err *err) {
  const yaml_char_t *anchor = NULL;
  const yaml_char_t *tag = NULL;
  if (event->type == YAML_SCALAR_EVENT) {
    anchor = event->data.scalar.anchor;
    tag = event->data.scalar.tag;
  } else if (event->type == YAML_SEQUENCE_START_EVENT) {
    anchor = event->data.sequence_start.anchor;
    tag = event->data.sequence_start.tag;
  } else if (event->type == YAML_MAPPING_START_EVENT) {
    anchor = event->data.mapping_start.anchor;
    tag = event->data.mapping_start.tag;
  }
  if (anchor || event->type == YAML_ALIAS_EVENT)
    BAD(byte_offset(b, &event->start_mark), "anchors and aliases (& and *) are not allowed");
  if (tag) BAD(byte_offset(b, &event->start_mark), "tags (!) are not allowed");
  return true;
}

static bool take_event(struct builder *b, const yaml_event_t *event, struct err *err) {
  TRY(check_plainness(b, event, err));
  switch (event->type) {
  case YAML_DOCUMENT_START_EVENT:
    if (b->root) BAD(byte_offset(b, &event->start_mark), "only one document is allowed");
    return true;
  case YAML_SCALAR_EVENT: return take_scalar(b, event, err);
  case YAML_SEQUENCE_START_EVENT: return open_frame(b, event, JSON_ARRAY, err);
  case YAML_MAPPING_START_EVENT: return open_frame(b, event, JSON_OBJECT, err);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT: return close_frame(b, event, err);
  case YAML_STREAM_START_EVENT:
  case YAML_DOCUMENT_END_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_ALIAS_EVENT:
  case YAML_NO_EVENT: return true;
  }
  return true;
}

static bool parser_failed(struct builder *b, const yaml_parser_t *parser, size_t base,
                          struct err *err) {
  const char *what = parser->problem ? parser->problem : "not YAML";
  if (parser->error == YAML_MEMORY_ERROR) FAIL(ERR_NO_MEMORY, "YAML: no memory is left");
  if (parser->error == YAML_READER_ERROR) BAD(base + parser->problem_offset, "%s", what);
  BAD(byte_offset(b, &parser->problem_mark), "%s", what);
}

static bool build(struct builder *b, yaml_parser_t *parser, struct err *err) {
  size_t base = b->at_byte;
  for (bool more = true; more;) {
    yaml_event_t event;
    if (!yaml_parser_parse(parser, &event)) return parser_failed(b, parser, base, err);
    more = event.type != YAML_STREAM_END_EVENT;
    bool ok = take_event(b, &event, err);
    yaml_event_delete(&event);
    if (!ok) return false;
  }
  if (!b->root) BAD(b->input.len, "there is no content");
  return true;
}

bool yaml_parse(struct arena *arena, struct bytes input, const struct json **ret_value,
                struct err *err) {
  struct builder builder = {.arena = arena, .input = input};
  struct builder *b = &builder;
  yaml_parser_t parser;
  if (input.len > YAML_BYTES_MAX)
    FAIL(ERR_LIMIT, "YAML: more than %u bytes (YAML_BYTES_MAX)", YAML_BYTES_MAX);
  if (utf8_invalid_at(input) < input.len) BAD(utf8_invalid_at(input), "invalid UTF-8");
  if (bytes_starts(input, BYTES("\xEF\xBB\xBF"))) b->at_byte = 3;
  if (!yaml_parser_initialize(&parser)) FAIL(ERR_NO_MEMORY, "YAML: no memory is left");
  struct bytes text = bytes_from(input, b->at_byte);
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, text.len ? text.at : (const uint8_t *)"", text.len);
  bool ok = build(b, &parser, err);
  yaml_parser_delete(&parser);
  TRY(ok);
  *ret_value = b->root;
  return true;
}
