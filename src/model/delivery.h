/* model/delivery.h: one event owed to one function, as it is stored until it is done.
 * Owns:    nothing; slices point to what the maker or delivery_decode's input holds.
 * Units:   UTC milliseconds.
 * Errors:  delivery_decode: CORRUPT.
 * Threads: pure; any thread.                                                             */
#ifndef MEDULLA_MODEL_DELIVERY_H
#define MEDULLA_MODEL_DELIVERY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

/* A delivery that is done has no row any more: its runs and its event tell of it. */
enum delivery_state {
  DELIVERY_OWED, /* waiting for its first or next attempt */
  DELIVERY_DEAD, /* used up its attempts; kept until somebody redrives or discards it */
};

struct delivery {
  struct id id; /* ids of one server rise in the order of admission */
  struct id event;
  struct bytes function; /* "app/function" */
  struct bytes key;      /* order key, or empty: no order */
  enum delivery_state state;
  uint32_t attempts; /* made so far */
  int64_t created_ms;
  int64_t next_ms;     /* not before this */
  uint32_t redrives;   /* a redriven delivery runs out of order */
  struct bytes reason; /* of the last failure; a word, PHI-free */
};

void delivery_encode(struct buf *buf, const struct delivery *delivery);
bool delivery_decode(struct bytes input, struct delivery *ret_delivery, struct err *err) MUST_CHECK;

#endif
