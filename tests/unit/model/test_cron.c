/* Schedules: against a scan minute by minute, and what is refused. */
#include "tests/unit/test.h"

#include "base/civil.h"
#include "model/cron.h"
#include "tests/unit/model/tzdata.h"

static struct cron parsed(const char *text) {
  struct cron cron;
  struct err err;
  if (!cron_parse(bytes_str(text), &cron, &err)) fail_msg("%s: %s", text, err.detail);
  return cron;
}

static int64_t next_s(const char *text, const struct zone *zone, int64_t after_s) {
  struct cron cron = parsed(text);
  int64_t at_ms = 0;
  assert_true(cron_next(&cron, zone, after_s * 1000, &at_ms));
  assert_int_equal(at_ms % 1000, 0);
  return at_ms / 1000;
}

static bool wall_matches(const struct cron *cron, int64_t wall_s) {
  struct civil date = civil_date(wall_s / CIVIL_DAY_S);
  bool day = cron->days >> date.day & 1;
  bool weekday = cron->weekdays >> civil_weekday(wall_s / CIVIL_DAY_S) & 1;
  bool either = !cron->any_day && !cron->any_weekday;
  return (cron->minutes >> wall_s / 60 % 60 & 1) && (cron->hours >> wall_s / 3600 % 24 & 1) &&
         (cron->months >> date.month & 1) && (either ? day || weekday : day && weekday);
}

/* The rules, said once more: a wall time never shown before counts, as do those jumped over. */
static bool minute_fires(const struct cron *cron, int64_t wall_s, int64_t *shown_s) {
  if (cron->hours == 0xffffff) return wall_matches(cron, wall_s);
  bool fires = false;
  for (; *shown_s < wall_s; *shown_s += 60) fires |= wall_matches(cron, *shown_s + 60);
  return fires;
}

static void scan(const char *text, const struct zone *zone, int64_t from_s, int64_t until_s) {
  struct cron cron = parsed(text);
  int64_t shown_s = from_s + zone_offset(zone, from_s);
  int64_t expected_ms = 0;
  bool found = cron_next(&cron, zone, from_s * 1000, &expected_ms);
  for (int64_t at_s = from_s + 60; at_s < until_s; at_s += 60) {
    if (!minute_fires(&cron, at_s + zone_offset(zone, at_s), &shown_s)) continue;
    if (!found || expected_ms != at_s * 1000)
      fail_msg("%s: fires at %lld, cron_next says %lld", text, (long long)at_s,
               (long long)expected_ms / 1000);
    found = cron_next(&cron, zone, expected_ms, &expected_ms);
  }
  assert_true(!found || expected_ms >= until_s * 1000);
}

static void next_is_what_a_scan_finds(void **state) {
  static const char *const crons[] = {
      "30 2 * * *",  "0 2 * * *",     "0 0 * * *",      "15,45 1-3 * * *", "*/7 * * * *",
      "0 * * * *",   "59 23 * * SUN", "0 3 31 * *",     "10 2 1 * 1",      "*/20 0-2,23 * * *",
      "0 0 */2 * 3", "5 4 29 2 *",    "30 1 * 10,11 *", "* 2 * * *",       "0 12 * 1-6/2 1-5"};
  static const struct {
    const char *name;
    int year, month, days;
  } spans[] = {{"Europe/Zurich", 2024, 3, 60},       {"Europe/Zurich", 2024, 10, 60},
               {"America/New_York", 2023, 2, 300},   {"Australia/Lord_Howe", 2024, 3, 60},
               {"Australia/Lord_Howe", 2024, 9, 60}, {"Pacific/Apia", 2011, 12, 60},
               {"America/Sao_Paulo", 2018, 10, 60},  {"Africa/Casablanca", 2024, 2, 90},
               {"Asia/Kathmandu", 2024, 2, 30},      {"Europe/Zurich", 2092, 2, 90}};
  for (size_t s = 0; s < sizeof spans / sizeof *spans; s++) {
    struct zone *zone = tzdata_zone(spans[s].name);
    if (!zone) skip();
    int64_t from_s = utc_s(spans[s].year, spans[s].month, 1, 0, 0);
    for (size_t c = 0; c < sizeof crons / sizeof *crons; c++)
      scan(crons[c], zone, from_s, from_s + spans[s].days * (int64_t)CIVIL_DAY_S);
    zone_free(&zone);
  }
}

static void a_gap_fires_at_the_jump_and_a_fold_once(void **state) {
  struct zone *zone = tzdata_zone("Europe/Zurich");
  if (!zone) skip();
  const char *nightly = "30 2 * * *";
  assert_int_equal(next_s(nightly, zone, utc_s(2024, 3, 30, 12, 0)), utc_s(2024, 3, 31, 1, 0));
  assert_int_equal(next_s(nightly, zone, utc_s(2024, 3, 31, 1, 0)), utc_s(2024, 4, 1, 0, 30));
  assert_int_equal(next_s(nightly, zone, utc_s(2024, 10, 27, 0, 0)), utc_s(2024, 10, 27, 0, 30));
  assert_int_equal(next_s(nightly, zone, utc_s(2024, 10, 27, 0, 30)), utc_s(2024, 10, 28, 1, 30));
  /* Every quarter of an hour means so, in the repeated hour too. */
  assert_int_equal(next_s("*/15 * * * *", zone, utc_s(2024, 10, 27, 0, 59)),
                   utc_s(2024, 10, 27, 1, 0));
  zone_free(&zone);
}

static void day_or_weekday(void **state) {
  /* Friday 2024-09-13; restricted both, either serves: Friday the 6th comes first. */
  assert_int_equal(next_s("0 0 13 * FRI", zone_utc(), utc_s(2024, 9, 1, 0, 0)),
                   utc_s(2024, 9, 6, 0, 0));
  /* A field that begins with * is no restriction, but narrows. */
  assert_int_equal(next_s("0 0 */31 * FRI", zone_utc(), utc_s(2024, 9, 2, 0, 0)),
                   utc_s(2024, 11, 1, 0, 0));
  assert_int_equal(next_s("0 0 * * 7", zone_utc(), utc_s(2024, 9, 2, 0, 0)),
                   utc_s(2024, 9, 8, 0, 0));
  assert_int_equal(next_s("0 0 * * FRI-SUN", zone_utc(), utc_s(2024, 9, 7, 0, 0)),
                   utc_s(2024, 9, 8, 0, 0));
}

static void rare_dates_are_found(void **state) {
  assert_int_equal(next_s("0 0 29 2 *", zone_utc(), utc_s(2097, 1, 1, 0, 0)),
                   utc_s(2104, 2, 29, 0, 0));
  assert_int_equal(next_s("5/20 * * * *", zone_utc(), utc_s(2024, 1, 1, 0, 30)),
                   utc_s(2024, 1, 1, 0, 45));
  assert_int_equal(next_s("@monthly", zone_utc(), utc_s(2024, 12, 1, 0, 0)),
                   utc_s(2025, 1, 1, 0, 0));
}

static void aws_forms(void **state) {
  assert_int_equal(next_s("cron(0 7 ? * MON-FRI *)", zone_utc(), utc_s(2024, 9, 6, 8, 0)),
                   utc_s(2024, 9, 9, 7, 0));
  assert_int_equal(next_s("cron(0 7 ? * 1 *)", zone_utc(), utc_s(2024, 9, 6, 8, 0)),
                   utc_s(2024, 9, 8, 7, 0));
  assert_int_equal(next_s("cron(15 10 1 1 ? 2030-2032/2)", zone_utc(), utc_s(2030, 1, 2, 0, 0)),
                   utc_s(2032, 1, 1, 10, 15));
  assert_int_equal(next_s("rate(5 minutes)", zone_utc(), 301), 600);
  assert_int_equal(next_s("rate(5 minutes)", zone_utc(), 300), 600);
  assert_int_equal(next_s("rate(1 day)", zone_utc(), -1), 0);
  struct cron past = parsed("cron(0 0 1 1 ? 2001)");
  int64_t at_ms;
  assert_false(cron_next(&past, zone_utc(), utc_s(2002, 1, 1, 0, 0) * 1000, &at_ms));
}

static void wrong_texts_are_refused(void **state) {
  static const struct {
    const char *text;
    enum err_code code;
    uint64_t offset;
  } bad[] = {{"", ERR_MALFORMED, 0},
             {"* * * *", ERR_MALFORMED, 7},
             {"* * * * * *", ERR_MALFORMED, 10},
             {"60 * * * *", ERR_MALFORMED, 0},
             {"* 24 * * *", ERR_MALFORMED, 2},
             {"* * 0 * *", ERR_MALFORMED, 4},
             {"* * * 13 *", ERR_MALFORMED, 6},
             {"* * * * 8", ERR_MALFORMED, 8},
             {"*/0 * * * *", ERR_MALFORMED, 2},
             {"5-1 * * * *", ERR_MALFORMED, 0},
             {"1,,2 * * * *", ERR_MALFORMED, 2},
             {"1- * * * *", ERR_MALFORMED, 2},
             {"* * * FOO *", ERR_MALFORMED, 6},
             {"* * L * *", ERR_UNSUPPORTED, 4},
             {"* * * * 5#2", ERR_UNSUPPORTED, 9},
             {"* * * * 5L", ERR_UNSUPPORTED, 9},
             {"* * ? * *", ERR_MALFORMED, 4},
             {"*\n* * * *", ERR_MALFORMED, 1},
             {"0 0 31 2 *", ERR_INVALID, ERR_OFFSET_NONE},
             {"0 0 30 2 */2", ERR_INVALID, ERR_OFFSET_NONE},
             {"cron(0 0 31 4 ? *)", ERR_INVALID, ERR_OFFSET_NONE},
             {"cron(0 0 29 2 ? 2023)", ERR_INVALID, ERR_OFFSET_NONE},
             {"cron(0 7 * * ?)", ERR_MALFORMED, 14},
             {"cron(0 25 * * ? *)", ERR_MALFORMED, 7},
             {"rate(0 minutes)", ERR_MALFORMED, 14},
             {"rate(5 fortnights)", ERR_MALFORMED, 17},
             {"rate(5minutes)", ERR_MALFORMED, 13},
             {"rate(5 minutes", ERR_MALFORMED, 0},
             {"@reboot", ERR_MALFORMED, 0}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct cron cron;
    struct err err = {0};
    if (cron_parse(bytes_str(bad[i].text), &cron, &err)) fail_msg("%s is taken", bad[i].text);
    if (err.code != bad[i].code || err.offset != bad[i].offset)
      fail_msg("%s: %s at %lld: %s", bad[i].text, err_facts(err.code)->word, (long long)err.offset,
               err.detail);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(next_is_what_a_scan_finds),
      cmocka_unit_test(a_gap_fires_at_the_jump_and_a_fold_once),
      cmocka_unit_test(day_or_weekday),
      cmocka_unit_test(rare_dates_are_found),
      cmocka_unit_test(aws_forms),
      cmocka_unit_test(wrong_texts_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
