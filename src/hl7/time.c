/* hl7/time.c: digits in pairs, as far as they go. */
#include "hl7/time.h"

#include "base/civil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digits {
  struct bytes all, rest;
};

static bool digit(struct digits *in) {
  return in->rest.len && in->rest.at[0] >= '0' && in->rest.at[0] <= '9';
}

/* `count` digits within the range; false without a change when there is no digit. */
static bool part(struct digits *in, int count, int least, int most, int *ret_value,
                 struct err *err) {
  int value = 0;
  size_t at = in->all.len - in->rest.len;
  for (int i = 0; i < count; i++) {
    if (!digit(in)) FAIL_AT(ERR_MALFORMED, at, "a time's digits end within a number");
    value = value * 10 + (in->rest.at[0] - '0');
    in->rest = bytes_from(in->rest, 1);
  }
  if (value < least || value > most) {
    FAIL_AT(ERR_MALFORMED, at, "a time holds a number outside %d to %d", least, most);
  }
  *ret_value = value;
  return true;
}

static bool fraction(struct digits *in, struct hl7_time *time, struct err *err) {
  size_t kept = 0;
  if (!in->rest.len || in->rest.at[0] != '.') return true;
  in->rest = bytes_from(in->rest, 1);
  if (!digit(in)) FAIL_AT(ERR_MALFORMED, in->all.len - in->rest.len, "a fraction without digits");
  for (; digit(in); in->rest = bytes_from(in->rest, 1)) {
    if (kept + 1 < sizeof time->fraction) time->fraction[kept++] = (char)in->rest.at[0];
  }
  return true;
}

static bool zone(struct digits *in, struct hl7_time *time, struct err *err) {
  int hours, minutes;
  if (!in->rest.len) return true;
  uint8_t sign = in->rest.at[0];
  if (sign != '+' && sign != '-') {
    FAIL_AT(ERR_MALFORMED, in->all.len - in->rest.len,
            "a time ends with an offset, +HHMM or -HHMM");
  }
  in->rest = bytes_from(in->rest, 1);
  TRY(part(in, 2, 0, 14, &hours, err));
  TRY(part(in, 2, 0, 59, &minutes, err));
  if (in->rest.len) FAIL_AT(ERR_MALFORMED, in->all.len - in->rest.len, "a time has ended here");
  time->has_offset = true;
  time->offset_min = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
  return true;
}

bool hl7_time_parse(struct bytes text, struct hl7_time *ret_time, struct err *err) {
  static const struct {
    int count, least, most;
  } parts[] = {{4, 1, 9999}, {2, 1, 12}, {2, 1, 31}, {2, 0, 23}, {2, 0, 59}, {2, 0, 59}};
  struct hl7_time time = {.month = 1, .day = 1};
  int *const slots[] = {&time.year, &time.month, &time.day, &time.hour, &time.minute, &time.second};
  struct digits in = {bytes_trim(text), bytes_trim(text)};
  TRY(part(&in, 4, 1, 9999, &time.year, err));
  for (int i = 1; i <= HL7_SECOND && digit(&in); i++) {
    TRY(part(&in, parts[i].count, parts[i].least, parts[i].most, slots[i], err));
    time.precision = (enum hl7_precision)i;
  }
  if (time.day > civil_month_days(time.year, time.month)) {
    FAIL_AT(ERR_MALFORMED, 6, "a date that is in no calendar");
  }
  if (time.precision == HL7_SECOND) TRY(fraction(&in, &time, err));
  TRY(zone(&in, &time, err));
  *ret_time = time;
  return true;
}

void hl7_time_format(int64_t utc_ms, char ret_text[HL7_TIME_BYTES]) {
  int64_t seconds = civil_floor_div(utc_ms, 1000), days = civil_floor_div(seconds, CIVIL_DAY_S);
  unsigned of_day = (unsigned)(seconds - days * CIVIL_DAY_S),
           ms = (unsigned)(utc_ms - seconds * 1000);
  struct civil date = civil_date(days);
  snprintf(ret_text, HL7_TIME_BYTES, "%04u%02u%02u%02u%02u%02u.%03u+0000",
           (unsigned)date.year % 10000, (unsigned)date.month % 100, (unsigned)date.day % 100,
           of_day / 3600 % 24, of_day / 60 % 60, of_day % 60, ms % 1000);
}

void hl7_time_fhir(struct buf *buf, const struct hl7_time *time, int fallback_min) {
  int offset = time->has_offset ? time->offset_min : fallback_min;
  buf_printf(buf, "%04d", time->year);
  if (time->precision >= HL7_MONTH) buf_printf(buf, "-%02d", time->month);
  if (time->precision >= HL7_DAY) buf_printf(buf, "-%02d", time->day);
  if (time->precision < HL7_HOUR) return;
  /* FHIR knows no hour alone: the minute and second are those the clock began with. */
  buf_printf(buf, "T%02d:%02d:%02d", time->hour, time->minute, time->second);
  if (time->fraction[0]) buf_printf(buf, ".%s", time->fraction);
  if (offset == 0 && time->has_offset) {
    buf_str(buf, "Z");
    return;
  }
  buf_printf(buf, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60);
}
