/* fhir/ucum.h: units of measure: are two of them comparable, and what is a value in the other?
 * Owns:    nothing; a unit is a value.
 * Units:   a factor (numerator / denominator) on powers of m, s, g, rad, K, C, cd.
 * Errors:  false for a text that is no unit of the table, and for what cannot be converted.
 * Threads: pure; any thread.
 * Limits:  UCUM_TEXT_BYTES_MAX, UCUM_NESTING_MAX, exponents within ±UCUM_POWER_MAX. Of the units
 *          on scales of their own only Cel and [degF] convert; pH, B, Np and their kind compare
 *          with themselves alone, as arbitrary units ([iU]) do.
 * Source:  The Unified Code for Units of Measure 2.1, §2 (grammar), §4 (tables), case sensitive. */
#ifndef MEDULLA_FHIR_UCUM_H
#define MEDULLA_FHIR_UCUM_H

#include "fhir/decimal.h"

#define UCUM_TEXT_BYTES_MAX 200
#define UCUM_NESTING_MAX 16
#define UCUM_POWER_MAX 60

enum ucum_base { UCUM_M, UCUM_S, UCUM_G, UCUM_RAD, UCUM_K, UCUM_C, UCUM_CD, UCUM_BASES };

struct ucum {
  struct fhir_decimal numerator, denominator;
  struct fhir_decimal offset; /* added before the factor: 273.15 for Cel, else 0 */
  int8_t power[UCUM_BASES];
  uint8_t own_power; /* as int8_t: of the unit named by `own` */
  uint16_t own;      /* 1-based place of an arbitrary unit in the table, or 0 */
};

/* The empty text and "1" are the unit of counts. */
bool ucum_parse(struct bytes text, struct ucum *ret_unit) MUST_CHECK;
bool ucum_comparable(const struct ucum *a, const struct ucum *b);
/* -1, 0, 1 by value; both must be comparable. */
bool ucum_cmp(struct fhir_decimal a, const struct ucum *unit_a, struct fhir_decimal b,
              const struct ucum *unit_b, int *ret_order) MUST_CHECK;
/* A value in `from` as one in `to`, which must be comparable. */
bool ucum_convert(struct fhir_decimal value, const struct ucum *from, const struct ucum *to,
                  struct fhir_decimal *ret_value) MUST_CHECK;

#endif
