/* wire/codec.c: bytes as text: base64, hexadecimal, percent encoding. */
#include "wire/codec.h"

#include <string.h>

static const char base64_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

void base64_encode(struct buf *out, struct bytes input, unsigned flags) {
  if (input.len == 0) return;
  const char *alphabet = flags & BASE64_URL ? base64_url : base64_standard;
  if (input.len > out->bytes_max) {
    out->overflow = true;
    return;
  }
  uint8_t *to = buf_room(out, (input.len + 2) / 3 * 4);
  if (!to) return;
  uint8_t *start = to;
  for (size_t i = 0; i < input.len; i += 3) {
    size_t left = input.len - i;
    uint32_t word = (uint32_t)input.at[i] << 16;
    if (left > 1) word |= (uint32_t)input.at[i + 1] << 8;
    if (left > 2) word |= input.at[i + 2];
    *to++ = (uint8_t)alphabet[word >> 18];
    *to++ = (uint8_t)alphabet[word >> 12 & 63];
    if (left > 1 || !(flags & BASE64_NO_PAD))
      *to++ = left > 1 ? (uint8_t)alphabet[word >> 6 & 63] : '=';
    if (left > 2 || !(flags & BASE64_NO_PAD)) *to++ = left > 2 ? (uint8_t)alphabet[word & 63] : '=';
  }
  buf_grew(out, (size_t)(to - start));
}

static int base64_value(uint8_t c, unsigned flags) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == (flags & BASE64_URL ? '-' : '+')) return 62;
  if (c == (flags & BASE64_URL ? '_' : '/')) return 63;
  return -1;
}

/* The text without its padding; padding is whole or, where allowed, absent. */
static bool base64_body(struct bytes text, unsigned flags, struct bytes *ret_body,
                        struct err *err) {
  struct bytes body = text;
  while (body.len && text.len - body.len < 2 && body.at[body.len - 1] == '=') body.len--;
  bool padded = body.len < text.len || body.len % 4 == 0;
  if (body.len % 4 == 1 || (padded && text.len % 4 != 0) || (!padded && !(flags & BASE64_NO_PAD)))
    FAIL_AT(ERR_MALFORMED, text.len, "base64: the length or the padding is wrong");
  *ret_body = body;
  return true;
}

bool base64_decode(struct buf *out, struct bytes text, unsigned flags, struct err *err) {
  struct bytes body;
  TRY(base64_body(text, flags, &body, err));
  uint8_t *to = buf_room(out, body.len / 4 * 3 + 3);
  if (!to) FAIL(ERR_LIMIT, "base64: longer than the %zu bytes allowed", out->bytes_max);
  uint8_t *start = to;
  uint32_t word = 0;
  unsigned bits = 0;
  for (size_t i = 0; i < body.len; i++) {
    int value = base64_value(body.at[i], flags);
    if (value < 0) FAIL_AT(ERR_MALFORMED, i, "base64: a character outside the alphabet");
    word = word << 6 | (uint32_t)value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    *to++ = (uint8_t)(word >> bits);
  }
  if (word & ((1u << bits) - 1)) FAIL_AT(ERR_MALFORMED, body.len, "base64: bits are left over");
  buf_grew(out, (size_t)(to - start));
  return true;
}

void hex_encode(struct buf *out, struct bytes input) {
  for (size_t i = 0; i < input.len; i++) {
    buf_char(out, (uint8_t)hex_lower[input.at[i] >> 4]);
    buf_char(out, (uint8_t)hex_lower[input.at[i] & 15]);
  }
}

int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct buf *out, struct bytes text, struct err *err) {
  if (text.len % 2) FAIL_AT(ERR_MALFORMED, text.len, "hex: an odd number of digits");
  for (size_t i = 0; i < text.len; i += 2) {
    int high = hex_digit(text.at[i]);
    int low = hex_digit(text.at[i + 1]);
    if (high < 0 || low < 0) FAIL_AT(ERR_MALFORMED, i, "hex: not a hexadecimal digit");
    buf_char(out, (uint8_t)(high << 4 | low));
  }
  if (!buf_ok(out)) FAIL(ERR_LIMIT, "hex: longer than the %zu bytes allowed", out->bytes_max);
  return true;
}

static bool is_unreserved(uint8_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct bytes input, const char *keep) {
  for (size_t i = 0; i < input.len; i++) {
    uint8_t c = input.at[i];
    if (is_unreserved(c) || (c && strchr(keep, c))) {
      buf_char(out, c);
      continue;
    }
    buf_char(out, '%');
    buf_char(out, (uint8_t)hex_upper[c >> 4]);
    buf_char(out, (uint8_t)hex_upper[c & 15]);
  }
}

bool percent_decode(struct buf *out, struct bytes text, bool plus_is_blank, struct err *err) {
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    if (c == '%') {
      int high = text.len - i > 2 ? hex_digit(text.at[i + 1]) : -1;
      int low = text.len - i > 2 ? hex_digit(text.at[i + 2]) : -1;
      if (high < 0 || low < 0)
        FAIL_AT(ERR_MALFORMED, i, "percent encoding: '%%' needs two hexadecimal digits");
      c = (uint8_t)(high << 4 | low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    buf_char(out, c);
  }
  if (!buf_ok(out))
    FAIL(ERR_LIMIT, "percent encoding: longer than the %zu bytes allowed", out->bytes_max);
  return true;
}
