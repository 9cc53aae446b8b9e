/* model/cron.c: each field is a set of bits; the next instant is a search through months, days,
 * hours and minutes on the wall clock, then one step through the zone. */
#include "model/cron.h"

#include "base/civil.h"
#include "base/must.h"
#include "wire/cursor.h"

#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600, SECOND_MS = 1000, YEAR_FIRST = 1970, FOLD_STEPS_MAX = 20000 };
#define ALL_HOURS 0xffffffu

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

/* What one field may hold. */
struct field {
  const char *word;
  uint32_t min, max;
  const char *const *names;
  uint32_t name_count, first_name;
};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR, FIELDS };
static const struct field vixie_fields[] = {
    {"minute", 0, 59, NULL, 0, 0},
    {"hour", 0, 23, NULL, 0, 0},
    {"day", 1, 31, NULL, 0, 0},
    {"month", 1, 12, month_names, 12, 1},
    {"weekday", 0, 7, weekday_names, 7, 0},
};
static const struct field aws_fields[] = {
    {"minute", 0, 59, NULL, 0, 0},
    {"hour", 0, 23, NULL, 0, 0},
    {"day", 1, 31, NULL, 0, 0},
    {"month", 1, 12, month_names, 12, 1},
    {"weekday", 1, 7, weekday_names, 7, 1},
    {"year", 1970, 2199, NULL, 0, 0},
};

/* A field's values as bits from `min` on; years need more than 64. */
struct bits {
  uint64_t word[CRON_YEAR_WORDS];
};

static void bits_set(struct bits *bits, uint32_t at) {
  bits->word[at / 64] |= UINT64_C(1) << at % 64;
}

static struct bytes take_letters(struct cursor *in) {
  size_t from = in->at;
  for (int c; (c = cursor_peek(in)) >= 0 && ((c | 32) >= 'a' && (c | 32) <= 'z');) cursor_u8(in);
  return bytes_sub(in->input, from, in->at - from);
}

static bool read_value(struct cursor *in, const struct field *field, uint32_t *ret_value,
                       struct err *err) {
  size_t at = in->at;
  int c = cursor_peek(in);
  if (c >= '0' && c <= '9') {
    uint32_t value = cursor_decimal(in, 9999);
    if (!cursor_ok(in) || value < field->min || value > field->max)
      FAIL_AT(ERR_MALFORMED, at, "%s: must be from %u to %u", field->word, field->min, field->max);
    *ret_value = value;
    return true;
  }
  struct bytes name = take_letters(in);
  for (uint32_t i = 0; i < field->name_count; i++) {
    if (!bytes_eq_nocase(name, bytes_str(field->names[i]))) continue;
    *ret_value = field->first_name + i;
    return true;
  }
  c = cursor_peek(in);
  if (bytes_eq_nocase(name, BYTES("L")) || bytes_eq_nocase(name, BYTES("W")) || c == '#')
    FAIL_AT(ERR_UNSUPPORTED, at, "%s: L, W and # are not supported", field->word);
  FAIL_AT(ERR_MALFORMED, at, "%s: a number%s is missing here", field->word,
          field->names ? " or name" : "");
}

static bool read_step(struct cursor *in, const struct field *field, uint32_t *ret_step,
                      struct err *err) {
  *ret_step = 1;
  if (!cursor_accept(in, '/')) return true;
  size_t at = in->at;
  uint32_t step = cursor_decimal(in, field->max);
  if (!cursor_ok(in) || step == 0)
    FAIL_AT(ERR_MALFORMED, at, "%s: a step is a number from 1 to %u", field->word, field->max);
  *ret_step = step;
  return true;
}

/* "*", "5", "1-5", "MON-FRI", each with "/2" behind it; "5/10" means from 5 to the end. */
static bool read_part(struct cursor *in, const struct field *field, struct bits *bits,
                      struct err *err) {
  size_t at = in->at;
  uint32_t first = field->min, last = field->max, step;
  if (!cursor_accept(in, '*')) {
    TRY(read_value(in, field, &first, err));
    last = first;
    bool range = cursor_accept(in, '-');
    if (range) TRY(read_value(in, field, &last, err));
    /* FRI-SUN: Sunday ends the week here, as 7 does. */
    if (field->max == 7 && field->min == 0 && last == 0 && first > 0 && range) last = 7;
    if (!range && cursor_peek(in) == '/') last = field->max;
  }
  TRY(read_step(in, field, &step, err));
  if (first > last)
    FAIL_AT(ERR_MALFORMED, at, "%s: the range runs backwards; write it as two", field->word);
  for (uint32_t value = first; value <= last; value += step) bits_set(bits, value - field->min);
  return true;
}

static bool read_field(struct cursor *in, const struct field *field, bool question_allowed,
                       struct bits *ret_bits, bool *ret_any, struct err *err) {
  struct bits bits = {0};
  *ret_any = cursor_peek(in) == '*';
  if (question_allowed && cursor_accept(in, '?')) {
    *ret_any = true;
    for (uint32_t i = field->min; i <= field->max; i++) bits_set(&bits, i - field->min);
  } else {
    do TRY(read_part(in, field, &bits, err));
    while (cursor_accept(in, ','));
  }
  int c = cursor_peek(in);
  if (c == 'L' || c == 'W' || c == '#')
    FAIL_AT(ERR_UNSUPPORTED, in->at, "%s: L, W and # are not supported", field->word);
  if (c >= 0 && c != ' ' && c != '\t')
    FAIL_AT(ERR_MALFORMED, in->at, "%s: this character does not belong here", field->word);
  *ret_bits = bits;
  return true;
}

static bool skip_blanks(struct cursor *in) {
  size_t from = in->at;
  while (cursor_accept(in, ' ') || cursor_accept(in, '\t')) continue;
  return in->at > from;
}

static void cron_of_bits(const struct bits bits[FIELDS], bool aws, struct cron *ret_cron) {
  struct cron *cron = ret_cron;
  cron->minutes = bits[MINUTE].word[0];
  cron->hours = (uint32_t)bits[HOUR].word[0];
  cron->days = (uint32_t)(bits[DAY].word[0] << 1);
  cron->months = (uint32_t)(bits[MONTH].word[0] << 1);
  cron->weekdays = (uint32_t)bits[WEEKDAY].word[0];
  if (cron->weekdays & 1u << 7) cron->weekdays |= 1; /* 7 is Sunday, too */
  cron->weekdays &= 0x7f;
  if (aws)
    memcpy(cron->years, bits[YEAR].word, sizeof cron->years);
  else
    memset(cron->years, 0xff, sizeof cron->years);
}

static bool read_fields(struct bytes text, size_t offset, bool aws, struct cron *ret_cron,
                        struct err *err) {
  const struct field *fields = aws ? aws_fields : vixie_fields;
  int count = aws ? FIELDS : FIELDS - 1;
  struct cursor in = cursor_of(text);
  struct bits bits[FIELDS] = {0};
  bool any[FIELDS] = {0};
  skip_blanks(&in);
  for (int i = 0; i < count; i++) {
    if (cursor_at_end(&in))
      FAIL_AT(ERR_MALFORMED, offset + in.at, "%d fields are needed; %s is missing", count,
              fields[i].word);
    if (!read_field(&in, &fields[i], aws && (i == DAY || i == WEEKDAY), &bits[i], &any[i], err)) {
      if (err) err->offset += offset;
      return false;
    }
    skip_blanks(&in);
  }
  if (!cursor_at_end(&in))
    FAIL_AT(ERR_MALFORMED, offset + in.at, "there is something after the %d fields", count);
  cron_of_bits(bits, aws, ret_cron);
  ret_cron->any_day = any[DAY];
  ret_cron->any_weekday = any[WEEKDAY];
  return true;
}

static bool read_rate(struct bytes text, size_t offset, struct cron *ret_cron, struct err *err) {
  static const struct {
    const char *one, *many;
    int64_t ms;
  } units[] = {{"second", "seconds", SECOND_MS},
               {"minute", "minutes", MINUTE_S * SECOND_MS},
               {"hour", "hours", HOUR_S * SECOND_MS},
               {"day", "days", CIVIL_DAY_S * (int64_t)SECOND_MS}};
  struct cursor in = cursor_of(text);
  skip_blanks(&in);
  uint32_t count = cursor_decimal(&in, 1000000);
  bool apart = skip_blanks(&in);
  struct bytes unit = take_letters(&in);
  skip_blanks(&in);
  if (cursor_ok(&in) && cursor_at_end(&in) && apart && count > 0) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
      if (!bytes_eq_str(unit, units[i].one) && !bytes_eq_str(unit, units[i].many)) continue;
      ret_cron->rate_ms = count * units[i].ms;
      return true;
    }
  }
  FAIL_AT(ERR_MALFORMED, offset + in.at, "a rate is like rate(5 minutes)");
}

static struct bytes expand_macro(struct bytes text) {
  static const struct {
    const char *name, *fields;
  } macros[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                {"@annually", "0 0 1 1 *"}};
  for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
    if (bytes_eq_nocase(text, bytes_str(macros[i].name))) return bytes_str(macros[i].fields);
  return text;
}

static bool day_matches(const struct cron *cron, int64_t days, int day) {
  bool in_days = cron->days >> day & 1;
  bool in_weekdays = cron->weekdays >> civil_weekday(days) & 1;
  /* crontab(5): both restricted, either serves; a field that begins with * narrows the other. */
  if (!cron->any_day && !cron->any_weekday) return in_days || in_weekdays;
  return in_days && in_weekdays;
}

static bool year_matches(const struct cron *cron, int64_t year) {
  int64_t at = year - YEAR_FIRST;
  return at >= 0 && year <= CRON_YEAR_MAX && cron->years[at / 64] >> at % 64 & 1;
}

/* The first matching minute of a day, from `from_s` after midnight on, or -1. */
static int64_t next_in_day(const struct cron *cron, int64_t from_s) {
  int64_t minute = (from_s + MINUTE_S - 1) / MINUTE_S;
  for (; minute < 24 * 60; minute++) {
    if (!(cron->hours >> minute / 60 & 1)) {
      minute = (minute / 60 + 1) * 60 - 1; /* the loop adds one */
      continue;
    }
    if (cron->minutes >> minute % 60 & 1) return minute * MINUTE_S;
  }
  return -1;
}

/* The first matching wall time at or after from_s. */
static bool next_wall(const struct cron *cron, int64_t from_s, int64_t *ret_wall_s) {
  if (from_s < 0) from_s = 0;
  int64_t day_at = from_s / CIVIL_DAY_S;
  struct civil date = civil_date(day_at);
  int64_t in_day_s = from_s % CIVIL_DAY_S;
  while (date.year <= CRON_YEAR_MAX) {
    if (!year_matches(cron, date.year)) {
      date = (struct civil){date.year + 1, 1, 1};
      in_day_s = 0;
      continue;
    }
    int last = civil_month_days(date.year, date.month);
    if (!(cron->months >> date.month & 1)) date.day = last + 1;
    for (; date.day <= last; date.day++) {
      int64_t days = civil_days(date.year, date.month, date.day);
      int64_t found_s = day_matches(cron, days, date.day) ? next_in_day(cron, in_day_s) : -1;
      in_day_s = 0;
      if (found_s < 0) continue;
      *ret_wall_s = days * CIVIL_DAY_S + found_s;
      return true;
    }
    in_day_s = 0;
    date = date.month < 12 ? (struct civil){date.year, date.month + 1, 1}
                           : (struct civil){date.year + 1, 1, 1};
  }
  return false;
}

/* `inner` of "word(inner)", or nothing. */
static bool call_of(struct bytes text, const char *word, struct bytes *ret_inner) {
  struct bytes open = bytes_str(word);
  if (!bytes_starts(text, open) || !bytes_ends(text, BYTES(")"))) return false;
  *ret_inner = bytes_sub(text, open.len, text.len - open.len - 1);
  return true;
}

bool cron_parse(struct bytes text, struct cron *ret_cron, struct err *err) {
  struct cron cron = {0};
  struct bytes inner;
  if (text.len > CRON_TEXT_BYTES_MAX)
    FAIL(ERR_LIMIT, "CRON_TEXT_BYTES_MAX is %d", CRON_TEXT_BYTES_MAX);
  if (call_of(text, "rate(", &inner)) {
    TRY(read_rate(inner, strlen("rate("), &cron, err));
    *ret_cron = cron;
    return true;
  }
  if (call_of(text, "cron(", &inner))
    TRY(read_fields(inner, strlen("cron("), true, &cron, err));
  else
    TRY(read_fields(expand_macro(text), 0, false, &cron, err));
  int64_t wall_s;
  if (!next_wall(&cron, 0, &wall_s)) FAIL(ERR_INVALID, "this date never comes");
  *ret_cron = cron;
  return true;
}

/* Every hour matches: go by what the clock shows, stretch by stretch of one offset. */
static bool next_by_clock(const struct cron *cron, const struct zone *zone, int64_t after_s,
                          int64_t *ret_at_s) {
  int64_t from_s = after_s + 1;
  for (int step = 0; step < FOLD_STEPS_MAX; step++) {
    int32_t offset = zone_offset(zone, from_s);
    int64_t end_s = zone_next_change(zone, from_s);
    int64_t wall_s;
    if (!next_wall(cron, from_s + offset, &wall_s)) return false;
    *ret_at_s = wall_s - offset;
    if (*ret_at_s < end_s) return true;
    from_s = end_s;
  }
  return false;
}

/* Wall times in order; their instants never go back, so the first one after after_s is the next. */
static bool next_by_wall(const struct cron *cron, const struct zone *zone, int64_t after_s,
                         int64_t *ret_at_s) {
  int64_t wall_s = after_s + zone_offset(zone, after_s);
  wall_s -= wall_s % MINUTE_S;
  for (int step = 0; step < FOLD_STEPS_MAX; step++) {
    if (!next_wall(cron, wall_s, &wall_s)) return false;
    zone_instant(zone, wall_s, ret_at_s);
    if (*ret_at_s > after_s) return true;
    wall_s += MINUTE_S;
  }
  return false;
}

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ms,
               int64_t *ret_at_ms) {
  if (cron->rate_ms) {
    *ret_at_ms = (civil_floor_div(after_ms, cron->rate_ms) + 1) * cron->rate_ms;
    return true;
  }
  int64_t after_s = civil_floor_div(after_ms, SECOND_MS);
  int64_t at_s;
  bool by_clock = (cron->hours & ALL_HOURS) == ALL_HOURS;
  if (!(by_clock ? next_by_clock : next_by_wall)(cron, zone, after_s, &at_s)) return false;
  *ret_at_ms = at_s * SECOND_MS;
  return true;
}
