/* wire/codec_time.c: instants as text. */
#include "wire/codec.h"

#include "base/civil.h"

#include <stdio.h>
#include <string.h>

static const int64_t DAY_MS = 86400000;
static const int64_t FIRST_MS = -62167219200000; /* 0000-01-01 */
static const int64_t LAST_MS = 253402300799999;  /* 9999-12-31 */

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";

struct instant {
  int year, month, day; /* 1 to 12, 1 to 31 */
  int hour, minute, second, ms;
  int offset_minutes;
};

static struct instant instant_of(int64_t utc_ms, int64_t *ret_days) {
  if (utc_ms < FIRST_MS) utc_ms = FIRST_MS;
  if (utc_ms > LAST_MS) utc_ms = LAST_MS;
  int64_t days = civil_floor_div(utc_ms, DAY_MS);
  int64_t rest = utc_ms - days * DAY_MS;
  struct civil date = civil_date(days);
  struct instant i = {.year = (int)date.year, .month = date.month, .day = date.day};
  i.hour = (int)(rest / 3600000);
  i.minute = (int)(rest / 60000 % 60);
  i.second = (int)(rest / 1000 % 60);
  i.ms = (int)(rest % 1000);
  *ret_days = days;
  return i;
}

static int64_t ms_of(const struct instant *i) {
  int64_t minutes = i->hour * 60 + i->minute - i->offset_minutes;
  return civil_days(i->year, i->month, i->day) * DAY_MS + minutes * 60000 +
         (i->second == 60 ? 59 : i->second) * 1000 + i->ms;
}

/* Two or four digits at the cursor. */
static bool take_number(struct bytes *text, size_t digits, int max, int *ret_value) {
  int value = 0;
  if (text->len < digits) return false;
  for (size_t i = 0; i < digits; i++) {
    if (text->at[i] < '0' || text->at[i] > '9') return false;
    value = value * 10 + (text->at[i] - '0');
  }
  *text = bytes_from(*text, digits);
  *ret_value = value;
  return value <= max;
}

static bool take_text(struct bytes *text, const char *word) {
  if (!bytes_starts(*text, bytes_str(word))) return false;
  *text = bytes_from(*text, strlen(word));
  return true;
}

/* The place of a three-letter name in a run of them, or -1. */
static int take_name(struct bytes *text, const char *names) {
  if (text->len < 3) return -1;
  for (int i = 0; names[i * 3]; i++)
    if (memcmp(text->at, names + i * 3, 3) == 0) {
      *text = bytes_from(*text, 3);
      return i;
    }
  return -1;
}

static bool date_exists(const struct instant *i) {
  return i->month >= 1 && i->day >= 1 && i->day <= civil_month_days(i->year, i->month);
}

static bool take_clock(struct bytes *text, struct instant *i) {
  return take_number(text, 2, 23, &i->hour) && take_text(text, ":") &&
         take_number(text, 2, 59, &i->minute) && take_text(text, ":") &&
         take_number(text, 2, 60, &i->second);
}

void http_date_format(int64_t utc_ms, char ret_text[HTTP_DATE_BYTES]) {
  int64_t days;
  struct instant i = instant_of(utc_ms, &days);
  int weekday = civil_weekday(days);
  snprintf(ret_text, HTTP_DATE_BYTES, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
           day_names + weekday * 3, (unsigned)i.day % 100, month_names + (i.month - 1) * 3,
           (unsigned)i.year % 10000, (unsigned)i.hour % 100, (unsigned)i.minute % 100,
           (unsigned)i.second % 100);
}

bool http_date_parse(struct bytes text, int64_t *ret_utc_ms, struct err *err) {
  struct instant i = {0};
  int weekday = take_name(&text, day_names);
  bool ok = weekday >= 0 && take_text(&text, ", ") && take_number(&text, 2, 31, &i.day) &&
            take_text(&text, " ");
  i.month = ok ? take_name(&text, month_names) + 1 : 0;
  ok = ok && i.month > 0 && take_text(&text, " ") && take_number(&text, 4, 9999, &i.year) &&
       take_text(&text, " ") && take_clock(&text, &i) && take_text(&text, " GMT") &&
       text.len == 0 && date_exists(&i);
  int64_t days = ok ? civil_days(i.year, i.month, i.day) : 0;
  if (!ok || civil_weekday(days) != weekday)
    FAIL(ERR_MALFORMED, "not an HTTP date as in \"Sun, 06 Nov 1994 08:49:37 GMT\"");
  *ret_utc_ms = ms_of(&i);
  return true;
}

void rfc3339_format(int64_t utc_ms, char ret_text[RFC3339_BYTES]) {
  int64_t days;
  struct instant i = instant_of(utc_ms, &days);
  snprintf(ret_text, RFC3339_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)i.year % 10000,
           (unsigned)i.month % 100, (unsigned)i.day % 100, (unsigned)i.hour % 100,
           (unsigned)i.minute % 100, (unsigned)i.second % 100, (unsigned)i.ms % 1000);
}

static bool take_date(struct bytes *text, struct instant *i) {
  return take_number(text, 4, 9999, &i->year) && take_text(text, "-") &&
         take_number(text, 2, 12, &i->month) && take_text(text, "-") &&
         take_number(text, 2, 31, &i->day) && date_exists(i);
}

static bool take_fraction(struct bytes *text, struct instant *i) {
  if (!take_text(text, ".")) return true;
  size_t digits = 0;
  int weight = 100;
  for (; digits < text->len && text->at[digits] >= '0' && text->at[digits] <= '9'; digits++) {
    i->ms += (text->at[digits] - '0') * weight;
    weight /= 10;
  }
  *text = bytes_from(*text, digits);
  return digits > 0;
}

static bool take_offset(struct bytes *text, struct instant *i) {
  if (take_text(text, "Z") || take_text(text, "z")) return true;
  int hours;
  int minutes;
  int sign = take_text(text, "+") ? 1 : take_text(text, "-") ? -1 : 0;
  if (sign == 0 || !take_number(text, 2, 23, &hours) || !take_text(text, ":") ||
      !take_number(text, 2, 59, &minutes))
    return false;
  i->offset_minutes = sign * (hours * 60 + minutes);
  return true;
}

/* RFC 3339 §5.7: a leap second comes only at the end of a UTC day. */
static bool take_time(struct bytes *text, struct instant *i) {
  if (!take_clock(text, i) || !take_fraction(text, i) || !take_offset(text, i)) return false;
  int utc_minute = (i->hour * 60 + i->minute - i->offset_minutes + 2880) % 1440;
  return i->second < 60 || utc_minute == 1439;
}

bool rfc3339_parse(struct bytes text, int64_t *ret_utc_ms, struct err *err) {
  struct instant i = {0};
  bool ok = take_date(&text, &i) && (take_text(&text, "T") || take_text(&text, "t")) &&
            take_time(&text, &i) && text.len == 0;
  if (!ok) FAIL(ERR_MALFORMED, "not an RFC 3339 time as in \"1994-11-06T08:49:37Z\"");
  *ret_utc_ms = ms_of(&i);
  return true;
}

bool rfc3339_is_date(struct bytes text) {
  struct instant i = {0};
  return take_date(&text, &i) && text.len == 0;
}

bool rfc3339_is_time(struct bytes text) {
  struct instant i = {0};
  return take_time(&text, &i) && text.len == 0;
}
