/* base/id.h: 16-byte ids, ordered by time: UUID version 7.
 * Owns:    nothing.
 * Units:   UTC milliseconds.
 * Errors:  id_parse: MALFORMED.
 * Threads: pure; any thread (randomness is handed in).
 * Source:  RFC 9562 §5.7 (version 7), §4 (text form).        */
#ifndef MEDULLA_BASE_ID_H
#define MEDULLA_BASE_ID_H

#include "base/bytes.h"
#include "base/err.h"

#define ID_BYTES 16
#define ID_TEXT_BYTES 37 /* with NUL */

struct id {
  uint8_t at[ID_BYTES];
};

struct id id_make(int64_t now_ms, const uint8_t random[10]);
/* An id that depends on its inputs alone: the same in every attempt (version 8, RFC 9562 §5.8). */
struct id id_derive(struct bytes seed, uint64_t ordinal);
void id_text(struct id id, char ret_text[ID_TEXT_BYTES]);
bool id_parse(struct bytes text, struct id *ret_id, struct err *err) MUST_CHECK;
/* When it was made, of version 7; 0 for none. */
int64_t id_time_ms(struct id id);
bool id_eq(struct id a, struct id b);
bool id_is_none(struct id id);
struct bytes id_bytes(const struct id *id);

#endif
