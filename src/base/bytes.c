/* base/bytes.c: slices. */
#include "base/bytes.h"

#include "base/must.h"

#include <string.h>

struct bytes bytes_of(const void *at, size_t len) {
  return (struct bytes){at, len};
}

struct bytes bytes_str(const char *text) {
  return text ? bytes_of(text, strlen(text)) : BYTES_NONE;
}

bool bytes_eq(struct bytes a, struct bytes b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool bytes_eq_str(struct bytes a, const char *text) {
  return bytes_eq(a, bytes_str(text));
}

static uint8_t lower(uint8_t c) {
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool bytes_eq_nocase(struct bytes a, struct bytes b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++)
    if (lower(a.at[i]) != lower(b.at[i])) return false;
  return true;
}

int bytes_cmp(struct bytes a, struct bytes b) {
  size_t common = a.len < b.len ? a.len : b.len;
  int order = common ? memcmp(a.at, b.at, common) : 0;
  if (order != 0) return order;
  return a.len < b.len ? -1 : a.len > b.len;
}

bool bytes_starts(struct bytes a, struct bytes prefix) {
  return a.len >= prefix.len && bytes_eq(bytes_sub(a, 0, prefix.len), prefix);
}

bool bytes_ends(struct bytes a, struct bytes suffix) {
  return a.len >= suffix.len && bytes_eq(bytes_from(a, a.len - suffix.len), suffix);
}

struct bytes bytes_sub(struct bytes a, size_t from, size_t len) {
  if (from > a.len) from = a.len;
  if (len > a.len - from) len = a.len - from;
  return bytes_of(a.at ? a.at + from : NULL, len);
}

struct bytes bytes_from(struct bytes a, size_t from) {
  return bytes_sub(a, from, a.len);
}

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes a) {
  while (a.len && is_blank(a.at[0])) a = bytes_from(a, 1);
  while (a.len && is_blank(a.at[a.len - 1])) a.len--;
  return a;
}

size_t bytes_find(struct bytes a, uint8_t c) {
  const uint8_t *hit = a.len ? memchr(a.at, c, a.len) : NULL;
  return hit ? (size_t)(hit - a.at) : a.len;
}

size_t bytes_find_bytes(struct bytes a, struct bytes needle) {
  if (needle.len == 0) return 0;
  for (size_t i = 0; i + needle.len <= a.len; i++) {
    i += bytes_find(bytes_from(a, i), needle.at[0]);
    if (bytes_starts(bytes_from(a, i), needle)) return i;
  }
  return a.len;
}

struct bytes bytes_cut(struct bytes a, uint8_t c, struct bytes *rest) {
  size_t i = bytes_find(a, c);
  *rest = bytes_from(a, i + 1);
  return bytes_sub(a, 0, i);
}

bool bytes_u64(struct bytes a, uint64_t *ret_value) {
  uint64_t value = 0;
  if (a.len == 0) return false;
  for (size_t i = 0; i < a.len; i++) {
    uint8_t digit = (uint8_t)(a.at[i] - '0');
    if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *ret_value = value;
  return true;
}

/* wyhash's mixing step over 8-byte words: fast for short keys, seeded. */
static uint64_t mix(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t bytes_hash(struct bytes a, uint64_t seed) {
  uint64_t hash = seed ^ 0x9e3779b97f4a7c15u;
  while (a.len >= 8) {
    uint64_t word;
    memcpy(&word, a.at, 8);
    hash = mix(hash ^ word, 0xe7037ed1a0b428dbu);
    a = bytes_from(a, 8);
  }
  uint64_t tail = a.len;
  for (size_t i = 0; i < a.len; i++) tail = tail << 8 | a.at[i];
  return mix(hash ^ tail, 0x8ebc6af09c88c6e3u);
}

bool bytes_eq_secret(struct bytes a, struct bytes b) {
  if (a.len != b.len) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.len; i++) difference |= a.at[i] ^ b.at[i];
  return difference == 0;
}

void bytes_wipe(void *at, size_t len) {
  if (len == 0) return;
  memset(at, 0, len);
  __asm__ volatile("" : : "r"(at) : "memory");
}

char *bytes_dup(struct bytes a) {
  char *copy = must_alloc(a.len + 1);
  if (a.len) memcpy(copy, a.at, a.len);
  return copy;
}

void bytes_text(struct bytes a, char *ret_text, size_t text_bytes) {
  must(text_bytes > 0);
  size_t len = a.len < text_bytes - 1 ? a.len : text_bytes - 1;
  if (len) memcpy(ret_text, a.at, len);
  ret_text[len] = 0;
}
