/* wire/json_number.h: arithmetic on JSON numbers as they are written, without rounding.
 * Owns:    nothing.
 * Units:   the texts are JSON numbers (RFC 8259 §6), already checked by the parser.
 * Errors:  none.
 * Threads: pure; any thread.
 * Limits:  exponents past 10^17 are taken as 10^17.
 * Source:  RFC 8259 §6; ECMA-262 Number::toString for the shortest form.           */
#ifndef MEDULLA_WIRE_JSON_NUMBER_H
#define MEDULLA_WIRE_JSON_NUMBER_H

#include "base/bytes.h"

#define JSON_DOUBLE_TEXT_BYTES 32

/* The length of the JSON number at the start of text; 0 when there is none. */
size_t json_number_scan(struct bytes text);
/* -1, 0, 1 by value. */
int json_number_cmp(struct bytes a, struct bytes b);
/* Equal values have equal hashes. */
uint64_t json_number_hash(struct bytes a);
bool json_number_is_integer(struct bytes a);
/* The value as int64; false when it is not an integer or out of range. */
bool json_number_int(struct bytes a, int64_t *ret_value);
/* The nearest double; false when that is infinite. */
bool json_number_double(struct bytes a, double *ret_value);
/* Whether the factor can be used below: not zero and at most 18 significant digits. */
bool json_number_factor_ok(struct bytes factor);
bool json_number_is_multiple(struct bytes a, struct bytes factor);
/* The shortest text that reads back as the same finite double; returns its length. */
size_t json_double_text(double value, char ret_text[JSON_DOUBLE_TEXT_BYTES]);

#endif
