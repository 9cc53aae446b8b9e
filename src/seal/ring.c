/* seal/ring.c: one way to write the text, so that a ring that was read can be checked by writing
 * it again. */
#include "seal/ring.h"

#include "base/cleanup.h"
#include "wire/codec.h"

#include <string.h>

enum { RING_FORMAT = 1 };

/* ---- Writing ---- */

static void write_body(struct buf *out, const struct ring *ring) {
  const struct keyring_facts *facts = &ring->facts;
  char tenant[ID_TEXT_BYTES];
  bool passphrase = facts->root_kind == ROOT_PASSPHRASE;
  id_text(facts->tenant, tenant);
  buf_printf(out, "medulla-keys %d\ntenant %s\nroot %s %s", RING_FORMAT, tenant,
             passphrase ? "passphrase" : "file", facts->root_id);
  if (passphrase) {
    buf_printf(out, " %u ", facts->cost_log);
    hex_encode(out, bytes_of(facts->salt, ROOT_SALT_BYTES));
  }
  buf_char(out, '\n');
  for (size_t i = 0; i < facts->count; i++) {
    buf_printf(out, "epoch %u %lld ", facts->epochs[i].number, (long long)facts->epochs[i].made_ms);
    hex_encode(out, bytes_of(ring->wrapped[i], RING_WRAPPED_BYTES));
    buf_char(out, '\n');
  }
}

static void write_mac(struct buf *out, const uint8_t mac[SHA256_BYTES]) {
  buf_str(out, "mac ");
  hex_encode(out, bytes_of(mac, SHA256_BYTES));
  buf_char(out, '\n');
}

static void mac_of(const struct ring *ring, const uint8_t key[AEAD_KEY_BYTES],
                   uint8_t ret_mac[SHA256_BYTES]) {
  cleanup_buf struct buf body;
  buf_init(&body, RING_FILE_BYTES_MAX);
  write_body(&body, ring);
  hmac_sha256(bytes_of(key, AEAD_KEY_BYTES), buf_bytes(&body), ret_mac);
}

bool ring_is_genuine(const struct ring *ring, const uint8_t key[AEAD_KEY_BYTES]) {
  uint8_t mac[SHA256_BYTES];
  mac_of(ring, key, mac);
  return bytes_eq_secret(bytes_of(mac, SHA256_BYTES), bytes_of(ring->mac, SHA256_BYTES));
}

bool ring_save(struct disk *disk, const struct ring *ring, const uint8_t key[AEAD_KEY_BYTES],
               struct err *err) {
  cleanup_buf struct buf text;
  uint8_t mac[SHA256_BYTES];
  buf_init(&text, RING_FILE_BYTES_MAX);
  write_body(&text, ring);
  mac_of(ring, key, mac);
  write_mac(&text, mac);
  if (!buf_ok(&text)) FAIL(ERR_LIMIT, "the ring exceeds RING_FILE_BYTES_MAX");
  return disk_save(disk, KEYRING_PATH, buf_bytes(&text), err);
}

/* ---- Reading ---- */

/* The next word of a line. */
static struct bytes word(struct bytes *line) {
  return bytes_cut(*line, ' ', line);
}

static bool take_hex(struct bytes digits, uint8_t *ret_at, size_t len) {
  cleanup_buf struct buf bytes;
  struct err err;
  buf_init(&bytes, len);
  if (digits.len != 2 * len || !hex_decode(&bytes, digits, &err)) return false;
  memcpy(ret_at, bytes.at, len);
  return true;
}

static bool take_root(struct bytes line, struct keyring_facts *facts) {
  uint64_t cost = 0;
  if (!bytes_eq_str(word(&line), "root")) return false;
  struct bytes kind = word(&line), id = word(&line);
  if (id.len != ROOT_ID_BYTES - 1) return false;
  bytes_text(id, facts->root_id, ROOT_ID_BYTES);
  if (bytes_eq_str(kind, "file")) return line.len == 0;
  facts->root_kind = ROOT_PASSPHRASE;
  if (!bytes_eq_str(kind, "passphrase") || !bytes_u64(word(&line), &cost) || cost > 64)
    return false;
  facts->cost_log = (unsigned)cost;
  return take_hex(line, facts->salt, ROOT_SALT_BYTES);
}

static bool take_epoch(struct bytes line, struct ring *ring) {
  struct keyring_facts *facts = &ring->facts;
  uint64_t number = 0, made_ms = 0;
  uint32_t last = facts->count ? facts->epochs[facts->count - 1].number : 0;
  if (!bytes_eq_str(word(&line), "epoch") || facts->count == KEYRING_EPOCHS_MAX ||
      !bytes_u64(word(&line), &number) || number <= last || number >= UINT32_MAX ||
      !bytes_u64(word(&line), &made_ms) || made_ms > INT64_MAX ||
      !take_hex(line, ring->wrapped[facts->count], RING_WRAPPED_BYTES))
    return false;
  facts->epochs[facts->count].number = (uint32_t)number;
  facts->epochs[facts->count++].made_ms = (int64_t)made_ms;
  return true;
}

static bool take_rest(struct bytes rest, struct ring *ring) {
  struct err err;
  struct bytes line = bytes_cut(rest, '\n', &rest);
  if (!bytes_eq_str(word(&line), "tenant") || !id_parse(line, &ring->facts.tenant, &err))
    return false;
  if (!take_root(bytes_cut(rest, '\n', &rest), &ring->facts)) return false;
  while (bytes_starts(rest, BYTES("epoch ")))
    if (!take_epoch(bytes_cut(rest, '\n', &rest), ring)) return false;
  line = bytes_cut(rest, '\n', &rest);
  return ring->facts.count > 0 && rest.len == 0 && bytes_eq_str(word(&line), "mac") &&
         take_hex(line, ring->mac, SHA256_BYTES);
}

/* There is one way to write a ring; another one was tampered with. */
static bool is_as_written(struct bytes text, const struct ring *ring) {
  cleanup_buf struct buf own;
  buf_init(&own, RING_FILE_BYTES_MAX);
  write_body(&own, ring);
  write_mac(&own, ring->mac);
  return bytes_eq(text, buf_bytes(&own));
}

bool ring_parse(struct bytes text, struct ring *ret_ring, struct err *err) {
  struct ring ring = {0};
  struct bytes rest = text, line = bytes_cut(rest, '\n', &rest);
  uint64_t format = 0;
  if (!bytes_eq_str(word(&line), "medulla-keys") || !bytes_u64(line, &format) || format == 0)
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", KEYRING_PATH);
  if (format > RING_FORMAT)
    FAIL(ERR_NEWER, "%s has format %llu, this Medulla knows %d", KEYRING_PATH,
         (unsigned long long)format, RING_FORMAT);
  if (!take_rest(rest, &ring) || !is_as_written(text, &ring))
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", KEYRING_PATH);
  *ret_ring = ring;
  return true;
}

bool ring_load(struct disk *disk, struct ring *ret_ring, struct err *err) {
  cleanup_buf struct buf text;
  buf_init(&text, RING_FILE_BYTES_MAX);
  if (!disk_exists(disk, KEYRING_PATH))
    FAIL(ERR_NOT_FOUND, "there is no %s in the data folder", KEYRING_PATH);
  TRY(disk_load(disk, KEYRING_PATH, RING_FILE_BYTES_MAX, &text, err));
  return ring_parse(buf_bytes(&text), ret_ring, err);
}
