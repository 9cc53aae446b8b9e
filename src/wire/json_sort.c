/* wire/json_sort.c: a bottom-up merge sort. libc's qsort may be quadratic, so it is not used. */
#include "wire/json_sort.h"

#include "base/must.h"
#include "wire/utf8.h"

#include <stdlib.h>
#include <string.h>

int json_order_quick(const struct json *a, const struct json *b) {
  if (a->name.len != b->name.len) return a->name.len < b->name.len ? -1 : 1;
  return a->name.len ? memcmp(a->name.at, b->name.at, a->name.len) : 0;
}

/* In UTF-16 codes from U+10000 on begin with a surrogate, which sorts before U+E000. */
static uint32_t utf16_rank(uint32_t code) {
  if (code >= 0x10000) return 0xD800 + (code >> 16);
  return code >= 0xD800 ? code + 0x1000 : code;
}

int json_order_utf16(const struct json *a, const struct json *b) {
  size_t common = a->name.len < b->name.len ? a->name.len : b->name.len;
  size_t at = 0;
  while (at < common && a->name.at[at] == b->name.at[at]) at++;
  if (at == common) return (a->name.len > b->name.len) - (a->name.len < b->name.len);
  while (at > 0 && (a->name.at[at] & 0xC0) == 0x80) at--;
  uint32_t code_a = 0;
  uint32_t code_b = 0;
  utf8_decode(bytes_from(a->name, at), &code_a);
  utf8_decode(bytes_from(b->name, at), &code_b);
  uint32_t rank_a = utf16_rank(code_a);
  uint32_t rank_b = utf16_rank(code_b);
  if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
  return (code_a > code_b) - (code_a < code_b);
}

static void merge(const struct json **from, const struct json **to, size_t left, size_t middle,
                  size_t right, json_order *order) {
  size_t a = left;
  size_t b = middle;
  for (size_t i = left; i < right; i++) {
    bool take_a = a < middle && (b >= right || order(from[a], from[b]) <= 0);
    to[i] = take_a ? from[a++] : from[b++];
  }
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

const struct json **json_sorted(const struct json *parent, json_order *order) {
  size_t count = parent->count;
  const struct json **from = must_alloc((count + 1) * sizeof *from);
  const struct json **to = must_alloc((count + 1) * sizeof *to);
  size_t n = 0;
  for (const struct json *child = parent->first; child; child = child->next) from[n++] = child;
  must(n == count);
  for (size_t width = 1; width < count; width *= 2) {
    for (size_t left = 0; left < count; left += 2 * width)
      merge(from, to, left, least(left + width, count), least(left + 2 * width, count), order);
    const struct json **done = to;
    to = from;
    from = done;
  }
  free(to);
  return from;
}
