/* wire/fields.c: LEB128 varints and length-prefixed bytes, read through the checked cursor. */
#include "wire/fields.h"

#include <string.h>

enum { VARINT_BYTES_MAX = 10 };

void fields_put_u64(struct buf *buf, uint64_t value) {
  uint8_t *at = buf_room(buf, VARINT_BYTES_MAX);
  if (!at) return;
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) at[n++] = (uint8_t)(value | 0x80);
  at[n++] = (uint8_t)value;
  buf_grew(buf, n);
}

void fields_put_i64(struct buf *buf, int64_t value) {
  fields_put_u64(buf, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void fields_put_bytes(struct buf *buf, struct bytes value) {
  fields_put_u64(buf, value.len);
  buf_put(buf, value);
}

void fields_put_str(struct buf *buf, const char *value) {
  fields_put_bytes(buf, bytes_str(value));
}

void fields_put_id(struct buf *buf, struct id value) {
  buf_put(buf, id_bytes(&value));
}

uint64_t fields_get_u64(struct cursor *in) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
    uint8_t byte = cursor_u8(in);
    if (!cursor_ok(in)) return 0;
    if (shift == 63 && byte > 1) break;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  cursor_fail(in);
  return 0;
}

int64_t fields_get_i64(struct cursor *in) {
  uint64_t value = fields_get_u64(in);
  return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

struct bytes fields_get_bytes(struct cursor *in) {
  uint64_t len = fields_get_u64(in);
  if (len > cursor_left(in)) {
    cursor_fail(in);
    return BYTES_NONE;
  }
  return cursor_take(in, (size_t)len);
}

struct id fields_get_id(struct cursor *in) {
  struct id id = {{0}};
  struct bytes sixteen = cursor_take(in, ID_BYTES);
  if (sixteen.len == ID_BYTES) memcpy(id.at, sixteen.at, ID_BYTES);
  return id;
}

bool fields_more(const struct cursor *in) {
  return cursor_ok(in) && !cursor_at_end(in);
}

bool fields_end(const struct cursor *in, const char *what, struct err *err) {
  if (!cursor_ok(in)) FAIL(ERR_CORRUPT, "a stored %s ends too early", what);
  if (!cursor_at_end(in)) FAIL(ERR_CORRUPT, "a stored %s has bytes left over", what);
  return true;
}
