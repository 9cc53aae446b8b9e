/* audit/record.c: canonical leaf, salted commitment, stored form. */
#include "audit/record.h"

#include "base/must.h"
#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/json.h"

#include <string.h>

enum { AUDIT_FORMAT = 1, AUDIT_LEAF_BYTES_MAX = 64 << 10 };

static void commitment(struct bytes salt, struct bytes personal, uint8_t ret[SHA256_BYTES]) {
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, salt);
  digest_add(&digest, personal);
  digest_final(&digest, ret);
}

static void leaf_hash(struct bytes leaf, uint8_t ret[SHA256_BYTES]) {
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, BYTES("\0"));
  digest_add(&digest, leaf);
  digest_final(&digest, ret);
}

static void member_id(struct json_out *out, const char *name, struct id id) {
  char text[ID_TEXT_BYTES];
  if (id_is_none(id)) return;
  id_text(id, text);
  json_out_member_str(out, name, text);
}

/* Fixed order of members, so that the same record always gives the same leaf. */
static void write_leaf(struct buf *buf, const struct audit_record *record,
                       const uint8_t committed[SHA256_BYTES]) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_int(&out, "at_ms", record->at_ms);
  json_out_member(&out, "actor", record->actor);
  json_out_member(&out, "action", record->action);
  json_out_member(&out, "resource", record->resource);
  json_out_member(&out, "outcome", record->outcome);
  if (record->detail.len) json_out_member(&out, "detail", record->detail);
  member_id(&out, "run", record->run);
  member_id(&out, "event", record->event);
  member_id(&out, "delivery", record->delivery);
  if (record->personal.len) {
    struct buf hex;
    buf_init(&hex, 2 * SHA256_BYTES);
    hex_encode(&hex, bytes_of(committed, SHA256_BYTES));
    json_out_member(&out, "commitment", buf_bytes(&hex));
    buf_fini(&hex);
  }
  json_out_close(&out, '}');
}

void audit_encode(struct buf *buf, const struct audit_record *record,
                  const uint8_t salt[AUDIT_SALT_BYTES]) {
  struct buf leaf;
  uint8_t committed[SHA256_BYTES] = {0};
  uint8_t hash[SHA256_BYTES];
  struct bytes salt_bytes = record->personal.len ? bytes_of(salt, AUDIT_SALT_BYTES) : BYTES_NONE;
  buf_init(&leaf, AUDIT_LEAF_BYTES_MAX);
  if (record->personal.len) commitment(salt_bytes, record->personal, committed);
  write_leaf(&leaf, record, committed);
  leaf_hash(buf_bytes(&leaf), hash);
  fields_put_u64(buf, AUDIT_FORMAT);
  buf_put(buf, bytes_of(hash, sizeof hash));
  fields_put_bytes(buf, buf_bytes(&leaf));
  fields_put_bytes(buf, salt_bytes);
  fields_put_bytes(buf, record->personal);
  if (!buf_ok(&leaf)) buf->overflow = true;
  buf_fini(&leaf);
}

void audit_append(struct store_commit *commit, const struct random_port *random,
                  const struct audit_record *record) {
  uint8_t salt[AUDIT_SALT_BYTES];
  struct buf value;
  buf_init(&value, 2 * AUDIT_LEAF_BYTES_MAX);
  random_fill(random, salt, sizeof salt);
  audit_encode(&value, record, salt);
  must(buf_ok(&value));
  commit_append(commit, TABLE_audit, BYTES_NONE, buf_bytes(&value));
  buf_fini(&value);
}

static bool commitment_fits(const struct audit_stored *stored) {
  uint8_t committed[SHA256_BYTES];
  struct buf member;
  buf_init(&member, 256);
  commitment(stored->salt, stored->personal, committed);
  buf_str(&member, "\"commitment\":\"");
  hex_encode(&member, bytes_of(committed, sizeof committed));
  buf_str(&member, "\"}");
  bool fits = bytes_ends(stored->leaf, buf_bytes(&member));
  buf_fini(&member);
  return fits;
}

bool audit_decode(struct bytes input, struct audit_stored *ret_stored, struct err *err) {
  struct cursor in = cursor_of(input);
  struct audit_stored stored = {0};
  uint8_t hash[SHA256_BYTES];
  if (fields_get_u64(&in) != AUDIT_FORMAT)
    FAIL(ERR_CORRUPT, "an audit record has an unknown format");
  struct bytes claimed = cursor_take(&in, SHA256_BYTES);
  if (claimed.len != SHA256_BYTES) FAIL(ERR_CORRUPT, "an audit record ends too early");
  memcpy(stored.leaf_hash, claimed.at, SHA256_BYTES);
  stored.leaf = fields_get_bytes(&in);
  stored.salt = fields_get_bytes(&in);
  stored.personal = fields_get_bytes(&in);
  TRY(fields_end(&in, "audit record", err));
  leaf_hash(stored.leaf, hash);
  if (memcmp(hash, stored.leaf_hash, SHA256_BYTES) != 0)
    FAIL(ERR_CORRUPT, "an audit record was changed: its hash does not fit");
  if (stored.salt.len && !commitment_fits(&stored))
    FAIL(ERR_CORRUPT, "the personal part of an audit record was changed");
  *ret_stored = stored;
  return true;
}
