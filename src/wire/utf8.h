/* wire/utf8.h: the one judge of UTF-8: strict, no overlong forms, no surrogates.
 * Owns:    nothing.
 * Units:   bytes; code points.
 * Errors:  none; a bad sequence is reported by its position or by length 0.
 * Threads: pure; any thread.
 * Source:  RFC 3629 §3 and §4.                                              */
#ifndef MEDULLA_WIRE_UTF8_H
#define MEDULLA_WIRE_UTF8_H

#include "base/bytes.h"

#define UTF8_BYTES_MAX 4
#define UTF8_CODE_MAX 0x10FFFFu

bool utf8_valid(struct bytes text);
/* Position of the first byte that is not part of a valid sequence, or text.len. */
size_t utf8_invalid_at(struct bytes text);
/* Bytes of the code point at the start of text; 0 when it is empty or invalid. */
size_t utf8_decode(struct bytes text, uint32_t *ret_code);
/* Bytes written; 0 for a surrogate or a code past UTF8_CODE_MAX. */
size_t utf8_encode(uint32_t code, uint8_t ret_bytes[UTF8_BYTES_MAX]);
/* Code points in valid text. */
size_t utf8_count(struct bytes text);

#endif
