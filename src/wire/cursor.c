/* wire/cursor.c: the only pointer arithmetic on foreign bytes. */
#include "wire/cursor.h"

struct cursor cursor_of(struct bytes input) {
  return (struct cursor){.input = input};
}

bool cursor_ok(const struct cursor *cursor) {
  return !cursor->failed;
}

bool cursor_at_end(const struct cursor *cursor) {
  return cursor->at == cursor->input.len;
}

size_t cursor_left(const struct cursor *cursor) {
  return cursor->input.len - cursor->at;
}

void cursor_fail(struct cursor *cursor) {
  cursor->failed = true;
}

struct bytes cursor_take(struct cursor *cursor, size_t len) {
  if (cursor->failed || len > cursor_left(cursor)) {
    cursor->failed = true;
    return BYTES_NONE;
  }
  struct bytes taken = bytes_sub(cursor->input, cursor->at, len);
  cursor->at += len;
  return taken;
}

uint8_t cursor_u8(struct cursor *cursor) {
  struct bytes one = cursor_take(cursor, 1);
  return one.len ? one.at[0] : 0;
}

uint32_t cursor_u32_be(struct cursor *cursor) {
  uint32_t value = 0;
  struct bytes four = cursor_take(cursor, 4);
  for (size_t i = 0; i < four.len; i++) value = value << 8 | four.at[i];
  return value;
}

uint64_t cursor_u64_be(struct cursor *cursor) {
  uint64_t high = cursor_u32_be(cursor);
  return high << 32 | cursor_u32_be(cursor);
}

int cursor_peek(const struct cursor *cursor) {
  if (cursor->failed || cursor_at_end(cursor)) return -1;
  return cursor->input.at[cursor->at];
}

bool cursor_accept(struct cursor *cursor, uint8_t c) {
  if (cursor_peek(cursor) != c) return false;
  cursor->at++;
  return true;
}

struct bytes cursor_until(struct cursor *cursor, uint8_t c) {
  struct bytes left = bytes_from(cursor->input, cursor->at);
  size_t len = bytes_find(left, c);
  struct bytes before = cursor_take(cursor, len);
  if (!cursor_accept(cursor, c)) cursor->failed = true;
  return cursor->failed ? BYTES_NONE : before;
}

uint32_t cursor_decimal(struct cursor *cursor, uint32_t max) {
  uint64_t value = 0;
  size_t digits = 0;
  for (int c; (c = cursor_peek(cursor)) >= '0' && c <= '9'; digits++) {
    value = value * 10 + (uint64_t)(c - '0');
    if (value > max) break;
    cursor->at++;
  }
  if (digits == 0 || value > max) cursor->failed = true;
  return cursor->failed ? 0 : (uint32_t)value;
}
