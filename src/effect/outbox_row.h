/* effect/outbox_row.h: a row of TABLE_outbox: one message owed to one contact.
 * Owns:    nothing; slices point to what the maker or outbox_row_decode's input holds.
 * Units:   UTC milliseconds.
 * Errors:  outbox_row_decode: CORRUPT; outbox_key_parse: MALFORMED.
 * Threads: pure; any thread.
 *
 * Row key: the delivery's id and the call's ordinal (8 bytes, big-endian). The contact's address is
 * kept as it was when the run settled; a secret is never in the row, it is read when it is used. */
#ifndef MEDULLA_EFFECT_OUTBOX_ROW_H
#define MEDULLA_EFFECT_OUTBOX_ROW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define OUTBOX_KEY_BYTES (ID_BYTES + 8)
#define OUTBOX_KEY_TEXT_BYTES (ID_TEXT_BYTES + 21)

enum outbox_state { OUTBOX_OWED, OUTBOX_DEAD };

struct outbox_row {
  enum outbox_state state;
  struct bytes app, function, contact;
  struct bytes spec;    /* JSON: the contact as in the manifest */
  struct bytes payload; /* JSON: {subject, text, data} */
  struct id key;        /* idempotency key */
  struct id run, event, delivery;
  uint64_t lane;     /* messages of one lane go in order; 0: all of the contact's do */
  uint32_t attempts; /* made so far */
  int64_t created_ms, next_ms;
  struct bytes reason; /* of the last failure; PHI-free */
};

void outbox_key(struct id delivery, uint64_t ordinal, uint8_t ret_key[OUTBOX_KEY_BYTES]);
/* How people name a message: the delivery's id, a dot, the ordinal. */
void outbox_key_text(struct bytes key, char ret_text[OUTBOX_KEY_TEXT_BYTES]);
bool outbox_key_parse(struct bytes text, uint8_t ret_key[OUTBOX_KEY_BYTES],
                      struct err *err) MUST_CHECK;
void outbox_row_encode(struct buf *buf, const struct outbox_row *row);
bool outbox_row_decode(struct bytes input, struct outbox_row *ret_row, struct err *err) MUST_CHECK;

#endif
