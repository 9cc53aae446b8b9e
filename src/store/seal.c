/* store/seal.c: the identity: one format byte in front of the plain value. */
#include "store/seal.h"

enum { SEAL_FORMAT_IDENTITY = 0 };

static bool identity_seal(void *self, const struct seal_place *place, struct bytes plain,
                          struct buf *ret_sealed, struct err *err) {
  buf_char(ret_sealed, SEAL_FORMAT_IDENTITY);
  buf_put(ret_sealed, plain);
  if (!buf_ok(ret_sealed)) FAIL(ERR_LIMIT, "a sealed value does not fit its buffer");
  return true;
}

static bool identity_open(void *self, const struct seal_place *place, struct bytes sealed,
                          struct buf *scratch, struct bytes *ret_plain, struct err *err) {
  if (sealed.len == 0 || sealed.at[0] != SEAL_FORMAT_IDENTITY)
    FAIL(ERR_CORRUPT, "a value in table %s has an unknown seal format", place->table);
  *ret_plain = bytes_from(sealed, 1);
  return true;
}

const struct seal_port *seal_identity(void) {
  static const struct seal_port port = {.seal = identity_seal, .open = identity_open};
  return &port;
}
