/* fhir/decimal.h: exact decimal numbers: a whole coefficient and a count of decimal places.
 * Owns:    nothing; a decimal is a value.
 * Units:   value = coefficient / 10^scale; the scale remembers trailing zeros ("1.50" has 2).
 * Errors:  false when a value cannot be held: past the scale's limits, or division by zero. What
 *          has more digits than fit is rounded to the nearest, half away from zero.
 * Threads: pure; any thread.
 * Limits:  FHIR_DECIMAL_DIGITS_MAX significant digits, scales within ±FHIR_DECIMAL_SCALE_MAX.
 * Source:  FHIR R4 §2.24.0.1 (decimal: precision matters); FHIRPath 2.0.0 §2.1.20.4 and §6.6.   */
#ifndef MEDULLA_FHIR_DECIMAL_H
#define MEDULLA_FHIR_DECIMAL_H

#include "base/buf.h"
#include "base/err.h"

#define FHIR_DECIMAL_DIGITS_MAX 34
#define FHIR_DECIMAL_SCALE_MAX 1000
#define FHIR_DECIMAL_TEXT_BYTES 1100 /* the longest text, without exponent */

/* On 8 bytes, so that a value holding one stays small. */
typedef __int128 fhir_int128 __attribute__((aligned(8)));

struct fhir_decimal {
  fhir_int128 coefficient;
  int32_t scale;
};

struct fhir_decimal fhir_decimal_int(int64_t value);
/* A JSON number, a leading '+' and zeros allowed; nothing may be left over. */
bool fhir_decimal_parse(struct bytes text, struct fhir_decimal *ret_value) MUST_CHECK;
/* Finite doubles only; the 16 digits they carry. */
bool fhir_decimal_double(long double value, struct fhir_decimal *ret_value) MUST_CHECK;
long double fhir_decimal_to_double(struct fhir_decimal a);
/* The value when it is whole and fits. */
bool fhir_decimal_to_int(struct fhir_decimal a, int64_t *ret_value);
void fhir_decimal_write(struct buf *buf, struct fhir_decimal a);

int fhir_decimal_sign(struct fhir_decimal a);
int fhir_decimal_cmp(struct fhir_decimal a, struct fhir_decimal b);
struct fhir_decimal fhir_decimal_neg(struct fhir_decimal a);
struct fhir_decimal fhir_decimal_abs(struct fhir_decimal a);
bool fhir_decimal_add(struct fhir_decimal a, struct fhir_decimal b,
                      struct fhir_decimal *ret_sum) MUST_CHECK;
bool fhir_decimal_mul(struct fhir_decimal a, struct fhir_decimal b,
                      struct fhir_decimal *ret_product) MUST_CHECK;
bool fhir_decimal_div(struct fhir_decimal a, struct fhir_decimal b,
                      struct fhir_decimal *ret_quotient) MUST_CHECK;
/* The quotient cut to a whole number, and what is left: a = whole * b + rest. */
bool fhir_decimal_divmod(struct fhir_decimal a, struct fhir_decimal b,
                         struct fhir_decimal *ret_whole, struct fhir_decimal *ret_rest) MUST_CHECK;

enum fhir_rounding { FHIR_ROUND_NEAREST, FHIR_ROUND_DOWN, FHIR_ROUND_UP, FHIR_ROUND_TO_ZERO };
/* To `scale` places; one that has fewer stays as it is. Down is towards minus infinity. */
struct fhir_decimal fhir_decimal_round(struct fhir_decimal a, int32_t scale,
                                       enum fhir_rounding rounding);
/* Exactly `scale` places: rounded or filled with zeros; false when it then has too many digits. */
bool fhir_decimal_rescale(struct fhir_decimal a, int32_t scale, enum fhir_rounding rounding,
                          struct fhir_decimal *ret_value) MUST_CHECK;
/* Without zeros at the end of its places. */
struct fhir_decimal fhir_decimal_trim(struct fhir_decimal a);

#endif
