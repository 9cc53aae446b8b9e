/* wire/json.c: reading the tree: members, paths, pointers, equality. */
#include "wire/json.h"

#include "base/cleanup.h"
#include "wire/json_number.h"
#include "wire/json_sort.h"

#include <string.h>

enum { SMALL_OBJECT_MEMBERS = 16 };

const struct json *json_get_bytes(const struct json *object, struct bytes name) {
  if (!object || object->kind != JSON_OBJECT) return NULL;
  for (const struct json *member = object->first; member; member = member->next)
    if (bytes_eq(member->name, name)) return member;
  return NULL;
}

const struct json *json_get(const struct json *object, const char *name) {
  return json_get_bytes(object, bytes_str(name));
}

const struct json *json_item(const struct json *array, size_t index) {
  if (!array || array->kind != JSON_ARRAY || index >= array->count) return NULL;
  const struct json *item = array->first;
  while (index-- > 0) item = item->next;
  return item;
}

/* RFC 6901 §4: ~1 is '/', ~0 is '~', anything else after '~' is malformed. */
static bool token_is(struct bytes token, struct bytes name) {
  size_t n = 0;
  for (size_t i = 0; i < token.len; i++, n++) {
    uint8_t c = token.at[i];
    if (c == '~') {
      if (++i == token.len || (token.at[i] != '0' && token.at[i] != '1')) return false;
      c = token.at[i] == '0' ? '~' : '/';
    }
    if (n >= name.len || name.at[n] != c) return false;
  }
  return n == name.len;
}

static const struct json *token_member(const struct json *object, struct bytes token) {
  for (const struct json *member = object->first; member; member = member->next)
    if (token_is(token, member->name)) return member;
  return NULL;
}

static const struct json *index_item(const struct json *array, struct bytes digits) {
  uint64_t index;
  if (digits.len > 1 && digits.at[0] == '0') return NULL;
  return bytes_u64(digits, &index) ? json_item(array, index) : NULL;
}

const struct json *json_pointer(const struct json *value, struct bytes pointer) {
  while (value && pointer.len) {
    if (pointer.at[0] != '/') return NULL;
    pointer = bytes_from(pointer, 1);
    struct bytes token = bytes_sub(pointer, 0, bytes_find(pointer, '/'));
    pointer = bytes_from(pointer, token.len);
    if (value->kind == JSON_OBJECT)
      value = token_member(value, token);
    else
      value = index_item(value, token);
  }
  return value;
}

static size_t name_end(struct bytes path) {
  size_t end = 0;
  while (end < path.len && path.at[end] != '.' && path.at[end] != '[') end++;
  return end;
}

const struct json *json_path(const struct json *value, struct bytes path) {
  for (bool first = true; value && path.len; first = false) {
    if (path.at[0] == '[') {
      size_t close = bytes_find(path, ']');
      if (close == path.len) return NULL;
      value = index_item(value, bytes_sub(path, 1, close - 1));
      path = bytes_from(path, close + 1);
      continue;
    }
    if (!first && path.at[0] != '.') return NULL;
    if (!first) path = bytes_from(path, 1);
    size_t end = name_end(path);
    if (end == 0) return NULL;
    value = json_get_bytes(value, bytes_sub(path, 0, end));
    path = bytes_from(path, end);
  }
  return value;
}

struct bytes json_text(const struct json *value) {
  bool has_text = value && (value->kind == JSON_STRING || value->kind == JSON_NUMBER);
  return has_text ? value->text : BYTES_NONE;
}

struct bytes json_get_text(const struct json *object, const char *name) {
  return json_text(json_get(object, name));
}

bool json_is_true(const struct json *value) {
  return value && value->kind == JSON_TRUE;
}

bool json_int(const struct json *value, int64_t *ret_value) {
  return value && value->kind == JSON_NUMBER && json_number_int(value->text, ret_value);
}

bool json_double(const struct json *value, double *ret_value) {
  return value && value->kind == JSON_NUMBER && json_number_double(value->text, ret_value);
}

static bool items_eq(const struct json *a, const struct json *b) {
  const struct json *other = b->first;
  for (const struct json *item = a->first; item; item = item->next, other = other->next)
    if (!json_eq(item, other)) return false;
  return true;
}

/* Large objects are compared in sorted order, or hostile ones would cost the square. */
static bool sorted_eq(const struct json *a, const struct json *b) {
  cleanup_free const struct json **in_a = json_sorted(a, json_order_quick);
  cleanup_free const struct json **in_b = json_sorted(b, json_order_quick);
  for (size_t i = 0; i < a->count; i++)
    if (json_order_quick(in_a[i], in_b[i]) != 0 || !json_eq(in_a[i], in_b[i])) return false;
  return true;
}

static bool members_eq(const struct json *a, const struct json *b) {
  if (a->count > SMALL_OBJECT_MEMBERS) return sorted_eq(a, b);
  for (const struct json *member = a->first; member; member = member->next) {
    const struct json *other = json_get_bytes(b, member->name);
    if (!other || !json_eq(member, other)) return false;
  }
  return true;
}

bool json_eq(const struct json *a, const struct json *b) {
  if (a == b) return true;
  if (!a || !b || a->kind != b->kind || a->count != b->count) return false;
  switch (a->kind) {
  case JSON_NULL:
  case JSON_FALSE:
  case JSON_TRUE: return true;
  case JSON_NUMBER: return json_number_cmp(a->text, b->text) == 0;
  case JSON_STRING: return bytes_eq(a->text, b->text);
  case JSON_ARRAY: return items_eq(a, b);
  case JSON_OBJECT: return members_eq(a, b);
  }
  return false;
}
