/* fhir/datetime.h: dates, times and both together, each with the precision it was written in.
 * Owns:    nothing; a datetime is a value of 16 bytes.
 * Units:   civil fields; the zone in minutes east of Greenwich.
 * Errors:  false for a text that is no such value, and for results outside the years 1 to 9999.
 * Threads: pure; any thread.
 * Limits:  nanoseconds; further digits are checked and dropped.
 * Source:  FHIR R4 §2.24.0.1; FHIRPath 2.0.0 §2.1.20.5, §6.1, §6.2, §6.6.7.                     */
#ifndef MEDULLA_FHIR_DATETIME_H
#define MEDULLA_FHIR_DATETIME_H

#include "fhir/decimal.h"

enum fhir_precision {
  FHIR_YEAR,
  FHIR_MONTH,
  FHIR_DAY,
  FHIR_HOUR,
  FHIR_MINUTE,
  FHIR_SECOND,
  FHIR_FRACTION /* of a second, as many digits as written */
};

struct fhir_datetime {
  int16_t year;
  uint8_t month, day, hour, minute, second;
  uint8_t precision;       /* enum fhir_precision */
  uint32_t nanosecond;     /* 0 unless FHIR_FRACTION */
  int16_t zone_min;        /* FHIR_ZONE_NONE: not said */
  uint8_t fraction_digits; /* 1 to 9, with FHIR_FRACTION */
};

#define FHIR_ZONE_NONE INT16_MIN
#define FHIR_DATETIME_TEXT_BYTES 48

/* "2015", "2015-02", "2015-02-04". */
bool fhir_date_parse(struct bytes text, struct fhir_datetime *ret_value) MUST_CHECK;
/* A date, then "T" and a time of any precision, then a zone; all but the year may be missing. */
bool fhir_datetime_parse(struct bytes text, struct fhir_datetime *ret_value) MUST_CHECK;
/* "14", "14:30", "14:30:28", "14:30:28.123". */
bool fhir_time_parse(struct bytes text, struct fhir_datetime *ret_value) MUST_CHECK;
/* What a clock shows in a zone, to the millisecond. */
struct fhir_datetime fhir_datetime_now(int64_t utc_ms, int zone_min);

void fhir_date_write(struct buf *buf, const struct fhir_datetime *value);
void fhir_datetime_write(struct buf *buf, const struct fhir_datetime *value);
void fhir_time_write(struct buf *buf, const struct fhir_datetime *value);

enum fhir_order { FHIR_LESS, FHIR_EQUAL, FHIR_GREATER, FHIR_UNKNOWN };
/* Unknown when they agree as far as both go and one goes further, or when only one names its zone
 * and the other could be either side of it. */
enum fhir_order fhir_datetime_order(const struct fhir_datetime *a, const struct fhir_datetime *b);
enum fhir_order fhir_time_order(const struct fhir_datetime *a, const struct fhir_datetime *b);

enum fhir_unit_of_time {
  FHIR_TIME_YEAR,
  FHIR_TIME_MONTH,
  FHIR_TIME_WEEK,
  FHIR_TIME_DAY,
  FHIR_TIME_HOUR,
  FHIR_TIME_MINUTE,
  FHIR_TIME_SECOND,
  FHIR_TIME_MILLISECOND
};
/* A day past the month's end becomes its last. Fractions count from the second down only; an
 * amount finer than the value's precision is brought to it (24 months are 2 years). */
bool fhir_datetime_add(struct fhir_datetime value, struct fhir_decimal amount,
                       enum fhir_unit_of_time unit, struct fhir_datetime *ret_value) MUST_CHECK;
/* Wraps around midnight. */
bool fhir_time_add(struct fhir_datetime value, struct fhir_decimal amount,
                   enum fhir_unit_of_time unit, struct fhir_datetime *ret_value) MUST_CHECK;

/* The earliest or latest moment the value can mean, to the precision `digits` ("20150204" are 8,
 * with milliseconds 17; a time's are 9); false when there is no such precision. */
bool fhir_date_bound(struct fhir_datetime value, bool high, int64_t digits,
                     struct fhir_datetime *ret_value) MUST_CHECK;
bool fhir_datetime_bound(struct fhir_datetime value, bool high, int64_t digits,
                         struct fhir_datetime *ret_value) MUST_CHECK;
bool fhir_time_bound(struct fhir_datetime value, bool high, int64_t digits,
                     struct fhir_datetime *ret_value) MUST_CHECK;
int fhir_datetime_digits(const struct fhir_datetime *value);
int fhir_time_digits(const struct fhir_datetime *value);

#endif
