/* fhir/datetime.c: reading, writing and comparing; datetime_math.c calculates. */
#include "fhir/datetime.h"

#include "base/civil.h"

enum { ZONE_EAST_MAX_MIN = 14 * 60, ZONE_WEST_MAX_MIN = 12 * 60, DAY_MIN = 1440, NANO_DIGITS = 9 };

struct reader {
  struct bytes left;
};

static bool take(struct reader *reader, char c) {
  if (reader->left.len == 0 || reader->left.at[0] != (uint8_t)c) return false;
  reader->left = bytes_from(reader->left, 1);
  return true;
}

/* Exactly `count` digits within the bounds. */
static bool number(struct reader *reader, size_t count, int min, int max, int *ret_value) {
  int value = 0;
  if (reader->left.len < count) return false;
  for (size_t i = 0; i < count; i++) {
    uint8_t c = reader->left.at[i];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  reader->left = bytes_from(reader->left, count);
  *ret_value = value;
  return value >= min && value <= max;
}

static bool read_date(struct reader *reader, struct fhir_datetime *value) {
  int year;
  int month;
  int day;
  if (!number(reader, 4, 1, 9999, &year)) return false;
  *value = (struct fhir_datetime){.year = (int16_t)year,
                                  .month = 1,
                                  .day = 1,
                                  .precision = FHIR_YEAR,
                                  .zone_min = FHIR_ZONE_NONE};
  if (!take(reader, '-')) return true;
  if (!number(reader, 2, 1, 12, &month)) return false;
  value->month = (uint8_t)month;
  value->precision = FHIR_MONTH;
  if (!take(reader, '-')) return true;
  if (!number(reader, 2, 1, civil_month_days(year, month), &day)) return false;
  value->day = (uint8_t)day;
  value->precision = FHIR_DAY;
  return true;
}

static bool read_fraction(struct reader *reader, struct fhir_datetime *value) {
  size_t count = 0;
  uint32_t nano = 0;
  while (count < reader->left.len) {
    uint8_t c = reader->left.at[count];
    if (c < '0' || c > '9') break;
    if (count < NANO_DIGITS) nano = nano * 10 + (uint32_t)(c - '0');
    count++;
  }
  if (count == 0) return false;
  reader->left = bytes_from(reader->left, count);
  value->fraction_digits = (uint8_t)(count < NANO_DIGITS ? count : NANO_DIGITS);
  for (size_t i = count; i < NANO_DIGITS; i++) nano *= 10;
  value->nanosecond = nano;
  value->precision = FHIR_FRACTION;
  return true;
}

static bool read_time(struct reader *reader, struct fhir_datetime *value) {
  int hour;
  int minute;
  int second;
  if (!number(reader, 2, 0, 23, &hour)) return false;
  value->hour = (uint8_t)hour;
  value->precision = FHIR_HOUR;
  if (!take(reader, ':')) return true;
  if (!number(reader, 2, 0, 59, &minute)) return false;
  value->minute = (uint8_t)minute;
  value->precision = FHIR_MINUTE;
  if (!take(reader, ':')) return true;
  /* 60: a leap second, which FHIR's own pattern admits. */
  if (!number(reader, 2, 0, 60, &second)) return false;
  value->second = (uint8_t)second;
  value->precision = FHIR_SECOND;
  return !take(reader, '.') || read_fraction(reader, value);
}

static bool read_zone(struct reader *reader, struct fhir_datetime *value) {
  int hours;
  int minutes;
  if (take(reader, 'Z')) {
    value->zone_min = 0;
    return true;
  }
  bool west = take(reader, '-');
  if (!west && !take(reader, '+')) return true;
  if (!number(reader, 2, 0, 14, &hours) || !take(reader, ':')) return false;
  if (!number(reader, 2, 0, 59, &minutes) || hours * 60 + minutes > ZONE_EAST_MAX_MIN) return false;
  value->zone_min = (int16_t)((west ? -1 : 1) * (hours * 60 + minutes));
  return true;
}

bool fhir_date_parse(struct bytes text, struct fhir_datetime *ret_value) {
  struct reader reader = {text};
  struct fhir_datetime value;
  if (!read_date(&reader, &value) || reader.left.len) return false;
  *ret_value = value;
  return true;
}

bool fhir_datetime_parse(struct bytes text, struct fhir_datetime *ret_value) {
  struct reader reader = {text};
  struct fhir_datetime value;
  if (!read_date(&reader, &value)) return false;
  if (take(&reader, 'T') && reader.left.len) {
    if (value.precision != FHIR_DAY || !read_time(&reader, &value)) return false;
    if (!read_zone(&reader, &value)) return false;
  }
  if (reader.left.len) return false;
  *ret_value = value;
  return true;
}

bool fhir_time_parse(struct bytes text, struct fhir_datetime *ret_value) {
  struct reader reader = {text};
  struct fhir_datetime value = {.year = 1, .month = 1, .day = 1, .zone_min = FHIR_ZONE_NONE};
  if (!read_time(&reader, &value) || reader.left.len) return false;
  *ret_value = value;
  return true;
}

struct fhir_datetime fhir_datetime_now(int64_t utc_ms, int zone_min) {
  int64_t local_ms = utc_ms + (int64_t)zone_min * 60000;
  int64_t days = civil_floor_div(local_ms, (int64_t)CIVIL_DAY_S * 1000);
  int64_t rest = local_ms - days * CIVIL_DAY_S * 1000;
  struct civil date = civil_date(days);
  return (struct fhir_datetime){.year = (int16_t)date.year,
                                .month = (uint8_t)date.month,
                                .day = (uint8_t)date.day,
                                .hour = (uint8_t)(rest / 3600000),
                                .minute = (uint8_t)(rest / 60000 % 60),
                                .second = (uint8_t)(rest / 1000 % 60),
                                .nanosecond = (uint32_t)(rest % 1000 * 1000000),
                                .precision = FHIR_FRACTION,
                                .fraction_digits = 3,
                                .zone_min = (int16_t)zone_min};
}

static void write_time(struct buf *buf, const struct fhir_datetime *value) {
  static const uint32_t units[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                   10000,      1000,      100,      10,      1};
  buf_printf(buf, "%02d", value->hour);
  if (value->precision >= FHIR_MINUTE) buf_printf(buf, ":%02d", value->minute);
  if (value->precision >= FHIR_SECOND) buf_printf(buf, ":%02d", value->second);
  if (value->precision < FHIR_FRACTION) return;
  buf_printf(buf, ".%0*u", value->fraction_digits,
             value->nanosecond / units[value->fraction_digits]);
}

void fhir_date_write(struct buf *buf, const struct fhir_datetime *value) {
  buf_printf(buf, "%04d", value->year);
  if (value->precision >= FHIR_MONTH) buf_printf(buf, "-%02d", value->month);
  if (value->precision >= FHIR_DAY) buf_printf(buf, "-%02d", value->day);
}

void fhir_datetime_write(struct buf *buf, const struct fhir_datetime *value) {
  fhir_date_write(buf, value);
  if (value->precision < FHIR_HOUR) return;
  buf_char(buf, 'T');
  write_time(buf, value);
  if (value->zone_min == FHIR_ZONE_NONE) return;
  int minutes = value->zone_min < 0 ? -value->zone_min : value->zone_min;
  if (minutes == 0)
    buf_char(buf, 'Z');
  else
    buf_printf(buf, "%c%02d:%02d", value->zone_min < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void fhir_time_write(struct buf *buf, const struct fhir_datetime *value) {
  write_time(buf, value);
}

/* The field as a number; seconds with their fraction, so that :30 and :30.0 are the same. */
static int64_t field(const struct fhir_datetime *value, enum fhir_precision precision) {
  switch (precision) {
  case FHIR_YEAR: return value->year;
  case FHIR_MONTH: return value->month;
  case FHIR_DAY: return value->day;
  case FHIR_HOUR: return value->hour;
  case FHIR_MINUTE: return value->minute;
  case FHIR_SECOND:
  case FHIR_FRACTION: break;
  }
  return (int64_t)value->second * 1000000000 + value->nanosecond;
}

static enum fhir_precision depth(const struct fhir_datetime *value) {
  return value->precision > FHIR_SECOND ? FHIR_SECOND : (enum fhir_precision)value->precision;
}

static enum fhir_order order(const struct fhir_datetime *a, const struct fhir_datetime *b,
                             enum fhir_precision from) {
  enum fhir_precision common = depth(a) < depth(b) ? depth(a) : depth(b);
  for (enum fhir_precision at = from; at <= common; at++) {
    int64_t left = field(a, at);
    int64_t right = field(b, at);
    if (left != right) return left < right ? FHIR_LESS : FHIR_GREATER;
  }
  return depth(a) == depth(b) ? FHIR_EQUAL : FHIR_UNKNOWN;
}

/* The same moment as a clock in Greenwich shows it, were the value's zone `zone_min`. */
static struct fhir_datetime in_utc(struct fhir_datetime value, int zone_min) {
  int64_t minutes = civil_days(value.year, value.month, value.day) * DAY_MIN + value.hour * 60 +
                    value.minute - zone_min;
  int64_t days = civil_floor_div(minutes, DAY_MIN);
  struct civil date = civil_date(days);
  int of_day = (int)(minutes - days * DAY_MIN);
  value.year = (int16_t)date.year;
  value.month = (uint8_t)date.month;
  value.day = (uint8_t)date.day;
  value.hour = (uint8_t)(of_day / 60);
  value.minute = (uint8_t)(of_day % 60);
  return value;
}

static enum fhir_order zoned_order(const struct fhir_datetime *a, int zone_a,
                                   const struct fhir_datetime *b, int zone_b) {
  struct fhir_datetime left = in_utc(*a, zone_a);
  struct fhir_datetime right = in_utc(*b, zone_b);
  return order(&left, &right, FHIR_YEAR);
}

enum fhir_order fhir_datetime_order(const struct fhir_datetime *a, const struct fhir_datetime *b) {
  bool zone_a = a->zone_min != FHIR_ZONE_NONE;
  bool zone_b = b->zone_min != FHIR_ZONE_NONE;
  if (a->precision < FHIR_HOUR || b->precision < FHIR_HOUR || (!zone_a && !zone_b))
    return order(a, b, FHIR_YEAR);
  if (zone_a && zone_b) return zoned_order(a, a->zone_min, b, b->zone_min);
  enum fhir_order east = zoned_order(a, zone_a ? a->zone_min : ZONE_EAST_MAX_MIN, b,
                                     zone_b ? b->zone_min : ZONE_EAST_MAX_MIN);
  enum fhir_order west = zoned_order(a, zone_a ? a->zone_min : -ZONE_WEST_MAX_MIN, b,
                                     zone_b ? b->zone_min : -ZONE_WEST_MAX_MIN);
  return east == west ? east : FHIR_UNKNOWN;
}

enum fhir_order fhir_time_order(const struct fhir_datetime *a, const struct fhir_datetime *b) {
  return order(a, b, FHIR_HOUR);
}
