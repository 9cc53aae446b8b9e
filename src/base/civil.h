/* base/civil.h: the proleptic Gregorian calendar as arithmetic, without libc's time zones.
 * Units:   days since 1970-01-01; months and days count from 1; weekdays from Sunday, 0.
 * Errors:  none; a month outside 1..12 is a broken promise of the caller (must).
 * Threads: pure; any thread.
 * Source:  ISO 8601; the year is taken to begin in March, so that a leap day ends it.   */
#ifndef MEDULLA_BASE_CIVIL_H
#define MEDULLA_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY_S 86400

struct civil {
  int64_t year;
  int month, day;
};

/* A day beyond the month's end runs into the next month. */
int64_t civil_days(int64_t year, int month, int day);
struct civil civil_date(int64_t days);
int civil_weekday(int64_t days);
bool civil_is_leap(int64_t year);
int civil_month_days(int64_t year, int month);
/* Division that rounds towards minus infinity, for times before 1970. */
int64_t civil_floor_div(int64_t a, int64_t positive);

#endif
