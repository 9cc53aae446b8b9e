/* wire/utf8.c: decode by the table of RFC 3629 §4; ASCII goes eight bytes at a time. */
#include "wire/utf8.h"

#include <string.h>

static const uint64_t HIGH_BITS = 0x8080808080808080u;

static bool is_tail(uint8_t c) {
  return (c & 0xC0) == 0x80;
}

/* Lead byte and length are known; the least code of that length refuses overlong forms. */
static size_t decode_long(struct bytes text, size_t len, uint32_t least, uint32_t *ret_code) {
  if (text.len < len) return 0;
  uint32_t code = text.at[0] & (0x7Fu >> len);
  for (size_t i = 1; i < len; i++) {
    if (!is_tail(text.at[i])) return 0;
    code = code << 6 | (text.at[i] & 0x3F);
  }
  if (code < least || code > UTF8_CODE_MAX || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  *ret_code = code;
  return len;
}

size_t utf8_decode(struct bytes text, uint32_t *ret_code) {
  if (text.len == 0) return 0;
  uint8_t lead = text.at[0];
  if (lead < 0x80) {
    *ret_code = lead;
    return 1;
  }
  if ((lead & 0xE0) == 0xC0) return decode_long(text, 2, 0x80, ret_code);
  if ((lead & 0xF0) == 0xE0) return decode_long(text, 3, 0x800, ret_code);
  if ((lead & 0xF8) == 0xF0) return decode_long(text, 4, 0x10000, ret_code);
  return 0;
}

size_t utf8_encode(uint32_t code, uint8_t ret_bytes[UTF8_BYTES_MAX]) {
  if (code > UTF8_CODE_MAX || (code >= 0xD800 && code <= 0xDFFF)) return 0;
  if (code < 0x80) {
    ret_bytes[0] = (uint8_t)code;
    return 1;
  }
  size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = len - 1; i > 0; i--, code >>= 6) ret_bytes[i] = (uint8_t)(0x80 | (code & 0x3F));
  ret_bytes[0] = (uint8_t)(0xF00u >> len | code);
  return len;
}

static size_t ascii_run(struct bytes text, size_t from) {
  while (text.len - from >= 8) {
    uint64_t word;
    memcpy(&word, text.at + from, 8);
    if (word & HIGH_BITS) break;
    from += 8;
  }
  while (from < text.len && text.at[from] < 0x80) from++;
  return from;
}

size_t utf8_invalid_at(struct bytes text) {
  size_t at = 0;
  while ((at = ascii_run(text, at)) < text.len) {
    uint32_t code;
    size_t len = utf8_decode(bytes_of(text.at + at, text.len - at), &code);
    if (len == 0) return at;
    at += len;
  }
  return at;
}

bool utf8_valid(struct bytes text) {
  return utf8_invalid_at(text) == text.len;
}

size_t utf8_count(struct bytes text) {
  size_t count = 0;
  for (size_t i = 0; i < text.len; i++) count += !is_tail(text.at[i]);
  return count;
}
