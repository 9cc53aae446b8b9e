/* model/zone_rule.c: "CET-1CEST,M3.5.0,M10.5.0/3" as numbers, and the changes it means. */
#include "model/zone_rule.h"

#include "base/civil.h"
#include "wire/cursor.h"

enum { HOUR_S = 3600, RULE_HOURS_MAX = 167, OFFSET_HOURS_MAX = 24, TURN_DEFAULT_S = 2 * HOUR_S };

static bool is_letter(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "CET" or "<+0330>": of no use to us but for finding its end. */
static void skip_name(struct cursor *in) {
  if (cursor_accept(in, '<')) {
    cursor_until(in, '>');
    return;
  }
  size_t letters = 0;
  for (; is_letter(cursor_peek(in)); letters++) cursor_u8(in);
  if (letters < 3) cursor_fail(in);
}

/* [+-]hh[:mm[:ss]] */
static int32_t read_time(struct cursor *in, uint32_t hours_max) {
  bool minus = cursor_accept(in, '-');
  if (!minus) cursor_accept(in, '+');
  int32_t seconds = (int32_t)cursor_decimal(in, hours_max) * HOUR_S;
  if (cursor_accept(in, ':')) seconds += (int32_t)cursor_decimal(in, 59) * 60;
  if (cursor_accept(in, ':')) seconds += (int32_t)cursor_decimal(in, 59);
  return minus ? -seconds : seconds;
}

static int read_in(struct cursor *in, uint32_t min, uint32_t max) {
  uint32_t value = cursor_decimal(in, max);
  if (value < min) cursor_fail(in);
  return (int)value;
}

static void read_turn(struct cursor *in, struct zone_turn *turn) {
  if (!cursor_accept(in, ',')) cursor_fail(in);
  if (cursor_accept(in, 'M')) {
    turn->kind = ZONE_DAY_MONTH;
    turn->month = read_in(in, 1, 12);
    if (!cursor_accept(in, '.')) cursor_fail(in);
    turn->week = read_in(in, 1, 5);
    if (!cursor_accept(in, '.')) cursor_fail(in);
    turn->weekday = read_in(in, 0, 6);
  } else if (cursor_accept(in, 'J')) {
    turn->kind = ZONE_DAY_JULIAN;
    turn->day = read_in(in, 1, 365);
  } else {
    turn->kind = ZONE_DAY_ORDINAL;
    turn->day = read_in(in, 0, 365);
  }
  turn->time_s = cursor_accept(in, '/') ? read_time(in, RULE_HOURS_MAX) : TURN_DEFAULT_S;
}

bool zone_rule_parse(struct bytes text, struct zone_rule *ret_rule, struct err *err) {
  struct cursor in = cursor_of(text);
  struct zone_rule rule = {0};
  skip_name(&in);
  rule.standard_s = -read_time(&in, OFFSET_HOURS_MAX);
  if (cursor_ok(&in) && !cursor_at_end(&in)) {
    rule.has_summer = true;
    skip_name(&in);
    bool stated = cursor_peek(&in) != ',';
    rule.summer_s = stated ? -read_time(&in, OFFSET_HOURS_MAX) : rule.standard_s + HOUR_S;
    read_turn(&in, &rule.begin);
    read_turn(&in, &rule.end);
  }
  if (!cursor_ok(&in) || !cursor_at_end(&in))
    FAIL_AT(ERR_MALFORMED, in.at, "the time zone's rule is not of the POSIX form");
  *ret_rule = rule;
  return true;
}

static int64_t turn_day(const struct zone_turn *turn, int64_t year) {
  if (turn->kind == ZONE_DAY_ORDINAL) return civil_days(year, 1, 1) + turn->day;
  if (turn->kind == ZONE_DAY_JULIAN) {
    bool after_leap_day = civil_is_leap(year) && turn->day >= 60;
    return civil_days(year, 1, 1) + turn->day - 1 + after_leap_day;
  }
  int64_t first = civil_days(year, turn->month, 1);
  int64_t day = first + (turn->weekday - civil_weekday(first) + 7) % 7 + 7 * (turn->week - 1);
  /* Week 5 means the last, which may be the fourth. */
  if (day >= first + civil_month_days(year, turn->month)) day -= 7;
  return day;
}

int zone_rule_changes(const struct zone_rule *rule, int64_t utc_s,
                      struct zone_change ret_changes[ZONE_RULE_CHANGES]) {
  if (!rule->has_summer) return 0;
  int count = 0;
  int64_t year_at = civil_date(civil_floor_div(utc_s, CIVIL_DAY_S)).year;
  for (int64_t year = year_at - 2; year <= year_at + 2; year++) {
    int64_t begin_s =
        turn_day(&rule->begin, year) * CIVIL_DAY_S + rule->begin.time_s - rule->standard_s;
    int64_t end_s = turn_day(&rule->end, year) * CIVIL_DAY_S + rule->end.time_s - rule->summer_s;
    struct zone_change begin = {begin_s, rule->summer_s};
    struct zone_change end = {end_s, rule->standard_s};
    ret_changes[count++] = begin_s < end_s ? begin : end;
    ret_changes[count++] = begin_s < end_s ? end : begin;
  }
  /* Rules that move by weeks can meet at a year's end: keep the order, equal instants as they are,
   * so that the later year's change wins. */
  for (int i = 1; i < count; i++) {
    struct zone_change change = ret_changes[i];
    int at = i;
    for (; at > 0 && ret_changes[at - 1].utc_s > change.utc_s; at--)
      ret_changes[at] = ret_changes[at - 1];
    ret_changes[at] = change;
  }
  return count;
}
