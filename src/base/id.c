/* base/id.c: UUID version 7 and 8. */
#include "base/id.h"

#include "base/digest.h"

#include <string.h>

static void set_version(struct id *id, uint8_t version) {
  id->at[6] = (uint8_t)(version << 4 | (id->at[6] & 0x0f));
  id->at[8] = (uint8_t)(0x80 | (id->at[8] & 0x3f));
}

struct id id_make(int64_t now_ms, const uint8_t random[10]) {
  struct id id;
  for (int i = 0; i < 6; i++) id.at[i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
  memcpy(id.at + 6, random, 10);
  set_version(&id, 7);
  return id;
}

struct id id_derive(struct bytes seed, uint64_t ordinal) {
  uint8_t key[8];
  uint8_t mac[SHA256_BYTES];
  for (int i = 0; i < 8; i++) key[i] = (uint8_t)(ordinal >> (56 - 8 * i));
  hmac_sha256(bytes_of(key, sizeof key), seed, mac);
  struct id id;
  memcpy(id.at, mac, ID_BYTES);
  set_version(&id, 8);
  return id;
}

void id_text(struct id id, char ret_text[ID_TEXT_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  char *at = ret_text;
  for (int i = 0; i < ID_BYTES; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = digits[id.at[i] >> 4];
    *at++ = digits[id.at[i] & 15];
  }
  *at = 0;
}

static int nibble(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool id_parse(struct bytes text, struct id *ret_id, struct err *err) {
  struct id id;
  if (text.len != ID_TEXT_BYTES - 1) FAIL(ERR_MALFORMED, "an id has 36 characters");
  size_t at = 0;
  for (int i = 0; i < ID_BYTES; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      if (text.at[at++] != '-') FAIL_AT(ERR_MALFORMED, at - 1, "an id has '-' here");
    int high = nibble(text.at[at]);
    int low = nibble(text.at[at + 1]);
    if (high < 0 || low < 0) FAIL_AT(ERR_MALFORMED, at, "an id has hexadecimal digits here");
    id.at[i] = (uint8_t)(high << 4 | low);
    at += 2;
  }
  *ret_id = id;
  return true;
}

int64_t id_time_ms(struct id id) {
  int64_t ms = 0;
  for (int i = 0; i < 6; i++) ms = ms << 8 | id.at[i];
  return ms;
}

bool id_eq(struct id a, struct id b) {
  return memcmp(a.at, b.at, ID_BYTES) == 0;
}

bool id_is_none(struct id id) {
  static const struct id none;
  return id_eq(id, none);
}

struct bytes id_bytes(const struct id *id) {
  return bytes_of(id->at, ID_BYTES);
}
