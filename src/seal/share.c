/* seal/share.c: polynomials over GF(256), one for each byte of the key. Products take the same time
 * for all operands: no table is looked into at a secret place. */
#include "seal/share.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "wire/codec.h"

#include <stdio.h>
#include <string.h>

enum { CHECK_BYTES = 4, FIELD_REDUCE = 0x1b };

static uint8_t times(uint8_t a, uint8_t b) {
  uint8_t product = 0;
  for (int bit = 0; bit < 8; bit++) {
    product ^= (uint8_t)(-(b >> bit & 1) & a);
    a = (uint8_t)(a << 1 ^ (-(a >> 7) & FIELD_REDUCE));
  }
  return product;
}

/* a^254: the inverse. */
static uint8_t inverse(uint8_t a) {
  uint8_t power = a, result = 1;
  for (int bit = 1; bit < 8; bit++) {
    power = times(power, power);
    result = times(result, power);
  }
  return result;
}

bool share_split(const struct root *root, const struct random_port *random, unsigned needed,
                 unsigned count, struct share *ret_shares, struct err *err) {
  uint8_t terms[SHARES_MAX];
  if (needed < 2 || needed > count || count > SHARES_MAX)
    FAIL(ERR_LIMIT, "of at most %d shares at least two are needed, and no more than there are",
         SHARES_MAX);
  for (unsigned i = 0; i < count; i++) {
    memcpy(ret_shares[i].root_id, root->id, ROOT_ID_BYTES);
    ret_shares[i].needed = (uint8_t)needed;
    ret_shares[i].number = (uint8_t)(i + 1);
  }
  for (size_t at = 0; at < ROOT_KEY_BYTES; at++) {
    random_fill(random, terms, needed);
    terms[0] = root->key[at];
    for (unsigned i = 0; i < count; i++) {
      uint8_t value = 0;
      for (unsigned term = needed; term-- > 0;)
        value = times(value, ret_shares[i].number) ^ terms[term];
      ret_shares[i].bytes[at] = value;
    }
  }
  bytes_wipe(terms, sizeof terms);
  return true;
}

/* ---- Together again ---- */

static bool check_set(const struct share *shares, unsigned count, struct err *err) {
  if (!count || count < shares[0].needed)
    FAIL(ERR_INVALID, "%u shares are needed, and %u are here", count ? shares[0].needed : 2, count);
  for (unsigned i = 0; i < count; i++) {
    if (strcmp(shares[i].root_id, shares[0].root_id) != 0 || shares[i].needed != shares[0].needed)
      FAIL(ERR_INVALID, "share %u is of another key or another cut", i + 1);
    for (unsigned j = 0; j < i; j++)
      if (shares[i].number == shares[j].number)
        FAIL(ERR_INVALID, "share number %u is here twice", shares[i].number);
  }
  return true;
}

/* Lagrange's weight of share i for the value at zero. */
static uint8_t weight(const struct share *shares, unsigned needed, unsigned i) {
  uint8_t above = 1, below = 1;
  for (unsigned j = 0; j < needed; j++) {
    if (j == i) continue;
    above = times(above, shares[j].number);
    below = times(below, shares[i].number ^ shares[j].number);
  }
  return times(above, inverse(below));
}

bool share_join(const struct share *shares, unsigned count, struct root **ret_root,
                struct err *err) {
  uint8_t key[ROOT_KEY_BYTES] = {0};
  TRY(check_set(shares, count, err));
  unsigned needed = shares[0].needed;
  for (unsigned i = 0; i < needed; i++) {
    uint8_t by = weight(shares, needed, i);
    for (size_t at = 0; at < ROOT_KEY_BYTES; at++) key[at] ^= times(by, shares[i].bytes[at]);
  }
  struct root *root = root_new(key);
  bytes_wipe(key, sizeof key);
  if (strcmp(root->id, shares[0].root_id) == 0) {
    *ret_root = root;
    return true;
  }
  root_free(&root);
  FAIL(ERR_INVALID, "the shares do not fit together");
}

/* ---- Text ---- */

static void write_body(struct buf *out, const struct share *share) {
  buf_printf(out, "medulla-share-1 %s %u %u ", share->root_id, share->needed, share->number);
  hex_encode(out, bytes_of(share->bytes, ROOT_KEY_BYTES));
}

void share_write(const struct share *share, char ret_text[SHARE_TEXT_BYTES]) {
  cleanup_buf struct buf text;
  uint8_t digest[SHA256_BYTES];
  buf_init(&text, SHARE_TEXT_BYTES);
  write_body(&text, share);
  sha256(buf_bytes(&text), digest);
  buf_char(&text, ' ');
  hex_encode(&text, bytes_of(digest, CHECK_BYTES));
  bytes_text(buf_bytes(&text), ret_text, SHARE_TEXT_BYTES);
}

static bool take_byte(struct bytes word, unsigned most, uint8_t *ret_byte) {
  uint64_t value;
  if (!bytes_u64(word, &value) || value < 1 || value > most) return false;
  *ret_byte = (uint8_t)value;
  return true;
}

static bool parse(struct bytes line, struct share *share) {
  struct bytes rest = line;
  cleanup_buf struct buf bytes;
  struct err err;
  buf_init(&bytes, ROOT_KEY_BYTES);
  if (!bytes_eq_str(bytes_cut(rest, ' ', &rest), "medulla-share-1")) return false;
  struct bytes id = bytes_cut(rest, ' ', &rest);
  if (id.len != ROOT_ID_BYTES - 1 ||
      !take_byte(bytes_cut(rest, ' ', &rest), SHARES_MAX, &share->needed) ||
      !take_byte(bytes_cut(rest, ' ', &rest), SHARES_MAX, &share->number) ||
      !hex_decode(&bytes, bytes_cut(rest, ' ', &rest), &err) || bytes.len != ROOT_KEY_BYTES)
    return false;
  bytes_text(id, share->root_id, ROOT_ID_BYTES);
  memcpy(share->bytes, bytes.at, ROOT_KEY_BYTES);
  return true;
}

bool share_read(struct bytes line, struct share *ret_share, struct err *err) {
  struct share share = {0};
  char again[SHARE_TEXT_BYTES];
  bool good = parse(line, &share);
  if (good) {
    share_write(&share, again); /* the check and every letter of it */
    good = bytes_eq_str(line, again);
  }
  if (good) *ret_share = share;
  bytes_wipe(&share, sizeof share);
  if (good) return true;
  FAIL(ERR_MALFORMED, "this is not a share as it was written down");
}
