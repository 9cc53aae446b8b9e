/* base/civil.c: 400 years are one cycle of 146,097 days. */
#include "base/civil.h"

#include "base/must.h"

enum { CYCLE_YEARS = 400, CYCLE_DAYS = 146097, CYCLE_TO_1970_DAYS = 719468 };

int64_t civil_floor_div(int64_t a, int64_t positive) {
  return a / positive - (a % positive < 0);
}

int64_t civil_days(int64_t year, int month, int day) {
  must(month >= 1 && month <= 12);
  if (month <= 2) year--;
  int64_t cycle = civil_floor_div(year, CYCLE_YEARS);
  int64_t in_cycle = year - cycle * CYCLE_YEARS;
  int from_march = (month + 9) % 12;
  /* Months from March on have 31, 30, 31, 30, 31 days, and again: 153 in five months. */
  int64_t in_year = (153 * from_march + 2) / 5 + day - 1;
  int64_t in_days = in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + in_year;
  return cycle * CYCLE_DAYS + in_days - CYCLE_TO_1970_DAYS;
}

struct civil civil_date(int64_t days) {
  days += CYCLE_TO_1970_DAYS;
  int64_t cycle = civil_floor_div(days, CYCLE_DAYS);
  int64_t in_days = days - cycle * CYCLE_DAYS;
  /* Take out the leap days passed so far, so that every year has 365 days. */
  int64_t year = (in_days - in_days / 1460 + in_days / 36524 - in_days / 146096) / 365;
  int in_year = (int)(in_days - (year * 365 + year / 4 - year / 100));
  int from_march = (5 * in_year + 2) / 153;
  int month = from_march < 10 ? from_march + 3 : from_march - 9;
  return (struct civil){
      .year = cycle * CYCLE_YEARS + year + (month <= 2),
      .month = month,
      .day = in_year - (153 * from_march + 2) / 5 + 1,
  };
}

int civil_weekday(int64_t days) {
  /* 1970-01-01 was a Thursday. */
  int64_t weekday = (days + 4) % 7;
  return (int)(weekday < 0 ? weekday + 7 : weekday);
}

bool civil_is_leap(int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int civil_month_days(int64_t year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  must(month >= 1 && month <= 12);
  return days[month - 1] + (month == 2 && civil_is_leap(year));
}
