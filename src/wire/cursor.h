/* wire/cursor.h: the one way to read foreign bytes: every step is checked, and failure sticks.
 * Owns:    nothing; slices it gives point into the input.
 * Units:   bytes.
 * Errors:  sticky: past the end, readers give zeros or empty slices and cursor_ok() is false;
 *          check once, after reading a whole element. `at` then is where the input ended too soon.
 * Threads: one at a time.                                                                     */
#ifndef MEDULLA_WIRE_CURSOR_H
#define MEDULLA_WIRE_CURSOR_H

#include "base/bytes.h"

struct cursor {
  struct bytes input;
  size_t at;
  bool failed;
};

struct cursor cursor_of(struct bytes input);
bool cursor_ok(const struct cursor *cursor);
bool cursor_at_end(const struct cursor *cursor);
size_t cursor_left(const struct cursor *cursor);
void cursor_fail(struct cursor *cursor); /* the reader found something else wrong */

struct bytes cursor_take(struct cursor *cursor, size_t len);
uint8_t cursor_u8(struct cursor *cursor);
uint32_t cursor_u32_be(struct cursor *cursor);
uint64_t cursor_u64_be(struct cursor *cursor);
/* The next byte without taking it, or -1 at the end. */
int cursor_peek(const struct cursor *cursor);
/* Takes the byte when it is `c`. */
bool cursor_accept(struct cursor *cursor, uint8_t c);
/* Up to the first `c`, which is taken too but not given; fails when there is none. */
struct bytes cursor_until(struct cursor *cursor, uint8_t c);
/* Unsigned decimal of at least one digit; fails when it is missing or larger than `max`. */
uint32_t cursor_decimal(struct cursor *cursor, uint32_t max);

#endif
