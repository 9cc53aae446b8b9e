/* fhir/datetime_math.c: adding durations, and the moments a value of some precision can mean. */
#include "base/civil.h"
#include "fhir/datetime.h"

enum {
  DAY_MS = 86400000,
  HOUR_MS = 3600000,
  MINUTE_MS = 60000,
  SECOND_MS = 1000,
  NANO_PER_MS = 1000000
};
enum { MONTH_DAYS = 30, YEAR_DAYS = 365, YEAR_MONTHS = 12, WEEK_DAYS = 7, MS_DIGITS = 3 };
enum { ZONE_EARLIEST_MIN = 14 * 60, ZONE_LATEST_MIN = -12 * 60, YEAR_MAX = 9999 };

/* No result within the calendar needs more; so the products below cannot overflow. */
static const int64_t AMOUNT_MAX = 10000LL * 366 * DAY_MS;

static bool whole(struct fhir_decimal amount, int64_t *ret_value) {
  amount = fhir_decimal_round(amount, 0, FHIR_ROUND_TO_ZERO);
  return fhir_decimal_to_int(amount, ret_value) && *ret_value <= AMOUNT_MAX &&
         *ret_value >= -AMOUNT_MAX;
}

static bool add_months(struct fhir_datetime *value, int64_t months) {
  int64_t month = (int64_t)value->year * YEAR_MONTHS + value->month - 1 + months;
  int64_t year = civil_floor_div(month, YEAR_MONTHS);
  if (year < 1 || year > YEAR_MAX) return false;
  value->year = (int16_t)year;
  value->month = (uint8_t)(month - year * YEAR_MONTHS + 1);
  int days = civil_month_days(year, value->month);
  if (value->day > days) value->day = (uint8_t)days;
  return true;
}

static bool add_days(struct fhir_datetime *value, int64_t days) {
  struct civil date = civil_date(civil_days(value->year, value->month, value->day) + days);
  if (date.year < 1 || date.year > YEAR_MAX) return false;
  value->year = (int16_t)date.year;
  value->month = (uint8_t)date.month;
  value->day = (uint8_t)date.day;
  return true;
}

static int64_t ms_of_day(const struct fhir_datetime *value) {
  return (int64_t)value->hour * HOUR_MS + (int64_t)value->minute * MINUTE_MS +
         (int64_t)value->second * SECOND_MS + value->nanosecond / NANO_PER_MS;
}

static void set_ms_of_day(struct fhir_datetime *value, int64_t ms) {
  value->hour = (uint8_t)(ms / HOUR_MS);
  value->minute = (uint8_t)(ms / MINUTE_MS % 60);
  value->second = (uint8_t)(ms / SECOND_MS % 60);
  value->nanosecond = (uint32_t)(ms % SECOND_MS) * NANO_PER_MS + value->nanosecond % NANO_PER_MS;
  if (value->nanosecond == 0 || value->precision < FHIR_SECOND) return;
  value->precision = FHIR_FRACTION;
  if (value->fraction_digits < MS_DIGITS) value->fraction_digits = MS_DIGITS;
}

static bool add_ms(struct fhir_datetime *value, int64_t ms) {
  int64_t sum = ms_of_day(value) + ms;
  int64_t days = civil_floor_div(sum, DAY_MS);
  if (!add_days(value, days)) return false;
  set_ms_of_day(value, sum - days * DAY_MS);
  return true;
}

/* Milliseconds; from the second down the fraction counts (§6.6.7). */
static bool amount_ms(struct fhir_decimal amount, enum fhir_unit_of_time unit, int64_t *ret_ms) {
  static const int64_t units[] = {[FHIR_TIME_WEEK] = (int64_t)WEEK_DAYS * DAY_MS,
                                  [FHIR_TIME_DAY] = DAY_MS,
                                  [FHIR_TIME_HOUR] = HOUR_MS,
                                  [FHIR_TIME_MINUTE] = MINUTE_MS,
                                  [FHIR_TIME_MILLISECOND] = 1};
  int64_t count;
  if (unit == FHIR_TIME_SECOND) {
    if (!fhir_decimal_mul(amount, fhir_decimal_int(SECOND_MS), &amount)) return false;
    return whole(amount, ret_ms);
  }
  if (!whole(amount, &count) || count > AMOUNT_MAX / units[unit] ||
      count < -AMOUNT_MAX / units[unit])
    return false;
  *ret_ms = count * units[unit];
  return true;
}

/* The smallest part the value has, below which an amount is cut. */
static int64_t grain_ms(const struct fhir_datetime *value) {
  switch ((enum fhir_precision)value->precision) {
  case FHIR_YEAR:
  case FHIR_MONTH:
  case FHIR_DAY: return DAY_MS;
  case FHIR_HOUR: return HOUR_MS;
  case FHIR_MINUTE: return MINUTE_MS;
  case FHIR_SECOND:
  case FHIR_FRACTION: break;
  }
  return 1;
}

bool fhir_datetime_add(struct fhir_datetime value, struct fhir_decimal amount,
                       enum fhir_unit_of_time unit, struct fhir_datetime *ret_value) {
  int64_t count;
  int64_t ms;
  if (unit == FHIR_TIME_YEAR || unit == FHIR_TIME_MONTH) {
    if (!whole(amount, &count)) return false;
    int64_t months = unit == FHIR_TIME_YEAR ? count * YEAR_MONTHS : count;
    if (value.precision == FHIR_YEAR) months -= months % YEAR_MONTHS;
    if (!add_months(&value, months)) return false;
  } else {
    if (!amount_ms(amount, unit, &ms)) return false;
    int64_t days = ms / DAY_MS;
    bool ok;
    if (value.precision == FHIR_YEAR)
      ok = add_months(&value, days / YEAR_DAYS * YEAR_MONTHS);
    else if (value.precision == FHIR_MONTH)
      ok = add_months(&value, days / MONTH_DAYS);
    else
      ok = add_ms(&value, ms - ms % grain_ms(&value));
    if (!ok) return false;
  }
  *ret_value = value;
  return true;
}

bool fhir_time_add(struct fhir_datetime value, struct fhir_decimal amount,
                   enum fhir_unit_of_time unit, struct fhir_datetime *ret_value) {
  int64_t ms;
  if (unit < FHIR_TIME_HOUR || !amount_ms(amount, unit, &ms)) return false;
  int64_t sum = ms_of_day(&value) + (ms - ms % grain_ms(&value));
  set_ms_of_day(&value, sum - civil_floor_div(sum, DAY_MS) * DAY_MS);
  *ret_value = value;
  return true;
}

static void fill(struct fhir_datetime *value, bool high) {
  if (value->precision < FHIR_MONTH) value->month = high ? YEAR_MONTHS : 1;
  if (value->precision < FHIR_DAY)
    value->day = high ? (uint8_t)civil_month_days(value->year, value->month) : 1;
  if (value->precision < FHIR_HOUR) value->hour = high ? 23 : 0;
  if (value->precision < FHIR_MINUTE) value->minute = high ? 59 : 0;
  if (value->precision < FHIR_SECOND) value->second = high ? 59 : 0;
  if (value->precision < FHIR_FRACTION) {
    value->nanosecond = high ? 999 * NANO_PER_MS : 0;
    value->fraction_digits = MS_DIGITS;
  }
}

/* Cut to a coarser precision, so that equal texts are equal values. */
static void cut(struct fhir_datetime *value, enum fhir_precision precision) {
  value->precision = (uint8_t)precision;
  if (precision < FHIR_FRACTION) {
    value->nanosecond = 0;
    value->fraction_digits = 0;
  }
  if (precision < FHIR_SECOND) value->second = 0;
  if (precision < FHIR_MINUTE) value->minute = 0;
  if (precision < FHIR_HOUR) {
    value->hour = 0;
    value->zone_min = FHIR_ZONE_NONE;
  }
  if (precision < FHIR_DAY) value->day = 1;
  if (precision < FHIR_MONTH) value->month = 1;
}

static bool precision_of(int64_t digits, enum fhir_precision *ret_precision) {
  switch (digits) {
  case 4: *ret_precision = FHIR_YEAR; return true;
  case 6: *ret_precision = FHIR_MONTH; return true;
  case 8: *ret_precision = FHIR_DAY; return true;
  case 10: *ret_precision = FHIR_HOUR; return true;
  case 12: *ret_precision = FHIR_MINUTE; return true;
  case 14: *ret_precision = FHIR_SECOND; return true;
  case 17: *ret_precision = FHIR_FRACTION; return true;
  default: return false;
  }
}

bool fhir_date_bound(struct fhir_datetime value, bool high, int64_t digits,
                     struct fhir_datetime *ret_value) {
  enum fhir_precision precision;
  if (!precision_of(digits, &precision) || precision > FHIR_DAY) return false;
  fill(&value, high);
  cut(&value, precision);
  *ret_value = value;
  return true;
}

bool fhir_datetime_bound(struct fhir_datetime value, bool high, int64_t digits,
                         struct fhir_datetime *ret_value) {
  enum fhir_precision precision;
  if (!precision_of(digits, &precision)) return false;
  fill(&value, high);
  if (value.zone_min == FHIR_ZONE_NONE) value.zone_min = high ? ZONE_LATEST_MIN : ZONE_EARLIEST_MIN;
  cut(&value, precision);
  *ret_value = value;
  return true;
}

bool fhir_time_bound(struct fhir_datetime value, bool high, int64_t digits,
                     struct fhir_datetime *ret_value) {
  enum fhir_precision precision;
  if (digits < 2 || !precision_of(digits + 8, &precision)) return false;
  fill(&value, high);
  cut(&value, precision);
  *ret_value = value;
  return true;
}

int fhir_datetime_digits(const struct fhir_datetime *value) {
  static const int digits[] = {4, 6, 8, 10, 12, 14};
  return value->precision < FHIR_FRACTION ? digits[value->precision] : 14 + value->fraction_digits;
}

int fhir_time_digits(const struct fhir_datetime *value) {
  return fhir_datetime_digits(value) - 8;
}
