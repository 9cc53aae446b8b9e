/* wire/fields.h: compact records of our own: varints, byte strings, ids, in a fixed order.
 * Owns:    nothing; slices read point into the input.
 * Errors:  writing: the buffer's sticky overflow; reading: the cursor's sticky failure, zeros after
 *          it; fields_end: CORRUPT when it failed or when bytes are left over.
 * Threads: pure; any thread.
 * Limits:  varints of at most 10 bytes.                                                          */
#ifndef MEDULLA_WIRE_FIELDS_H
#define MEDULLA_WIRE_FIELDS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "wire/cursor.h"

void fields_put_u64(struct buf *buf, uint64_t value);
void fields_put_i64(struct buf *buf, int64_t value); /* zigzag */
void fields_put_bytes(struct buf *buf, struct bytes value);
void fields_put_str(struct buf *buf, const char *value);
void fields_put_id(struct buf *buf, struct id value);

uint64_t fields_get_u64(struct cursor *in);
int64_t fields_get_i64(struct cursor *in);
struct bytes fields_get_bytes(struct cursor *in);
struct id fields_get_id(struct cursor *in);
bool fields_more(const struct cursor *in);
bool fields_end(const struct cursor *in, const char *what, struct err *err) MUST_CHECK;

#endif
