/* store/seal.h: the port that values of SEALED tables pass on their way into and out of the ledger.
 * Owns:    nothing; the port's owner keeps it alive as long as the store.
 * Errors:  CORRUPT (not in a format this port knows, or not what was sealed), LIMIT.
 * Threads: seal: the store thread; open: any. A port must allow both at once.
 * Limits:  SEAL_GROWTH_BYTES: how much longer than its plain value a sealed one may be.
 *
 * The first byte of a sealed value is its format: 0 the identity, for as long as no keys exist. */
#ifndef MEDULLA_STORE_SEAL_H
#define MEDULLA_STORE_SEAL_H

#include "base/buf.h"
#include "base/err.h"

#define SEAL_GROWTH_BYTES 256

/* Where a value stands; a real seal binds it to that place. */
struct seal_place {
  struct bytes tenant;
  struct bytes subject; /* whose data it is; empty when opening: the sealed value knows */
  const char *table;
  struct bytes key;
};

struct seal_port {
  /* Adds the sealed value to ret_sealed. */
  bool (*seal)(void *self, const struct seal_place *place, struct bytes plain,
               struct buf *ret_sealed, struct err *err);
  /* *ret_plain points into `sealed` or into `scratch`. */
  bool (*open)(void *self, const struct seal_place *place, struct bytes sealed, struct buf *scratch,
               struct bytes *ret_plain, struct err *err);
  void *self;
  struct bytes tenant;
};

const struct seal_port *seal_identity(void);

#endif
