/* app/cli/test_compare.c: a result against what a test wants of it. */
#include "app/cli/test.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES_MAX = 120, POINTER_BYTES = 256 };

static const char *kind_word(const struct json *value) {
  static const char *const words[] = {"null",   "false",  "true", "a number",
                                      "a text", "a list", "a map"};
  return value ? words[value->kind] : "nothing";
}

static void show(const struct json *value, char text[SHOWN_BYTES_MAX]) {
  bool scalar = value && (value->kind == JSON_STRING || value->kind == JSON_NUMBER);
  if (scalar)
    bytes_text(value->text, text, SHOWN_BYTES_MAX);
  else
    snprintf(text, SHOWN_BYTES_MAX, "%s", kind_word(value));
}

static bool differs(const struct json *wanted, const struct json *got, const char *pointer,
                    char ret_why[TEST_WHY_BYTES]) {
  char a[SHOWN_BYTES_MAX], b[SHOWN_BYTES_MAX];
  show(wanted, a);
  show(got, b);
  snprintf(ret_why, TEST_WHY_BYTES, "at %s: wanted %s, got %s", *pointer ? pointer : "/", a, b);
  return false;
}

static bool holds(const struct json *wanted, const struct json *got, char pointer[POINTER_BYTES],
                  char ret_why[TEST_WHY_BYTES]) {
  size_t len = strlen(pointer);
  if (!got || got->kind != wanted->kind) return differs(wanted, got, pointer, ret_why);
  if (wanted->kind == JSON_ARRAY && wanted->count != got->count) {
    snprintf(ret_why, TEST_WHY_BYTES, "at %s: wanted %u items, got %u", *pointer ? pointer : "/",
             wanted->count, got->count);
    return false;
  }
  if (wanted->kind != JSON_ARRAY && wanted->kind != JSON_OBJECT)
    return json_eq(wanted, got) || differs(wanted, got, pointer, ret_why);
  const struct json *item = got->first;
  unsigned index = 0;
  for (const struct json *part = wanted->first; part; part = part->next, index++) {
    bool map = wanted->kind == JSON_OBJECT;
    if (map)
      snprintf(pointer + len, POINTER_BYTES - len, "/%.*s", BYTES_FMT(part->name));
    else
      snprintf(pointer + len, POINTER_BYTES - len, "/%u", index);
    const struct json *other = map ? json_get_bytes(got, part->name) : item;
    if (!holds(part, other, pointer, ret_why)) return false;
    if (item) item = item->next;
  }
  pointer[len] = '\0';
  return true;
}

bool test_holds(const struct json *wanted, const struct json *got, char ret_why[TEST_WHY_BYTES]) {
  char pointer[POINTER_BYTES] = "";
  return holds(wanted, got, pointer, ret_why);
}
