/* Time zones: against libc's own reading of the same files, at jumps, and on damaged files. */
#include "tests/unit/test.h"

#include "model/zone_rule.h"
#include "tests/unit/model/tzdata.h"

#include <time.h>
#include <unistd.h>

static const char *const names[] = {"Europe/Zurich",        "Europe/London",
                                    "Europe/Dublin",        "America/New_York",
                                    "America/Sao_Paulo",    "America/St_Johns",
                                    "America/Scoresbysund", "Australia/Lord_Howe",
                                    "Africa/Casablanca",    "Pacific/Apia",
                                    "Asia/Kathmandu",       "Asia/Gaza",
                                    "Antarctica/Troll",     "Asia/Tehran",
                                    "America/Godthab",      "Etc/GMT+5",
                                    "Pacific/Kwajalein",    "UTC"};
enum { NAMES = sizeof names / sizeof *names };

static void offsets_agree_with_libc(void **state) {
  uint64_t seed = 1;
  for (int i = 0; i < NAMES; i++) {
    struct zone *zone = tzdata_zone(names[i]);
    if (!zone) skip();
    setenv("TZ", names[i], 1);
    tzset();
    for (int n = 0; n < 2000; n++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      time_t at = (time_t)(seed >> 31) - 2000000000; /* 1906 to 2178 */
      struct tm tm;
      localtime_r(&at, &tm);
      if (zone_offset(zone, at) != tm.tm_gmtoff)
        fail_msg("%s at %lld: %d, libc says %ld", names[i], (long long)at, zone_offset(zone, at),
                 tm.tm_gmtoff);
    }
    zone_free(&zone);
  }
  unsetenv("TZ");
}

/* Around every change of 60 years: the way there and back. */
static void walls_lead_back(void **state) {
  for (int i = 0; i < NAMES; i++) {
    struct zone *zone = tzdata_zone(names[i]);
    if (!zone) skip();
    int64_t at = utc_s(1985, 1, 1, 0, 0);
    for (int n = 0; n < 200 && at < utc_s(2045, 1, 1, 0, 0); n++) {
      at = zone_next_change(zone, at);
      if (at == INT64_MAX) break;
      for (int64_t t = at - 5400; t < at + 5400; t += 600) {
        int64_t back;
        enum zone_fit fit = zone_instant(zone, t + zone_offset(zone, t), &back);
        assert_int_not_equal(fit, ZONE_GAP);
        if (fit == ZONE_ONCE) assert_int_equal(back, t);
        if (fit == ZONE_FOLD) assert_true(back <= t);
        assert_int_equal(back + zone_offset(zone, back), t + zone_offset(zone, t));
      }
    }
    zone_free(&zone);
  }
}

static void zurich_jumps(void **state) {
  struct zone *zone = tzdata_zone("Europe/Zurich");
  if (!zone) skip();
  int64_t at;
  assert_int_equal(zone_next_change(zone, utc_s(2024, 1, 1, 0, 0)), utc_s(2024, 3, 31, 1, 0));
  assert_int_equal(zone_instant(zone, utc_s(2024, 3, 31, 2, 30), &at), ZONE_GAP);
  assert_int_equal(at, utc_s(2024, 3, 31, 1, 0));
  assert_int_equal(zone_instant(zone, utc_s(2024, 10, 27, 2, 30), &at), ZONE_FOLD);
  assert_int_equal(at, utc_s(2024, 10, 27, 0, 30));
  /* Far beyond what the file lists. */
  assert_int_equal(zone_instant(zone, utc_s(2390, 7, 1, 12, 0), &at), ZONE_ONCE);
  assert_int_equal(at, utc_s(2390, 7, 1, 10, 0));
  zone_free(&zone);
}

static void apia_lost_a_day(void **state) {
  struct zone *zone = tzdata_zone("Pacific/Apia");
  if (!zone) skip();
  int64_t at;
  assert_int_equal(zone_instant(zone, utc_s(2011, 12, 30, 12, 0), &at), ZONE_GAP);
  assert_int_equal(at, utc_s(2011, 12, 30, 10, 0));
  zone_free(&zone);
}

static void rules_are_read(void **state) {
  struct zone_rule rule;
  struct err err;
  assert_ok(zone_rule_parse(BYTES("CET-1CEST,M3.5.0,M10.5.0/3"), &rule, &err), err);
  assert_int_equal(rule.standard_s, 3600);
  assert_int_equal(rule.summer_s, 7200);
  assert_int_equal(rule.end.time_s, 10800);
  assert_ok(zone_rule_parse(BYTES("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1"), &rule, &err), err);
  assert_int_equal(rule.begin.time_s, -7200);
  assert_ok(zone_rule_parse(BYTES("IST-1GMT0,M10.5.0,M3.5.0/1"), &rule, &err), err);
  assert_int_equal(rule.summer_s, 0);
  assert_ok(zone_rule_parse(BYTES("XXX3EDT4,0/0,J365/23"), &rule, &err), err);
  assert_ok(zone_rule_parse(BYTES("UTC0"), &rule, &err), err);
  assert_false(rule.has_summer);
  const char *bad[] = {"",
                       "CE-1",
                       "CET",
                       "CET-25",
                       "CET-1CEST",
                       "CET-1CEST,M3.5.0",
                       "CET-1CEST,M13.5.0,M10.5.0",
                       "CET-1CEST,M3.6.0,M10.5.0",
                       "CET-1CEST,M3.5.0,M10.5.0/168",
                       "CET-1CEST,J0,J365",
                       "<CET-1",
                       "CET-1:60",
                       "CET-1 "};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_fails(zone_rule_parse(bytes_str(bad[i]), &rule, &err), err, ERR_MALFORMED);
}

static void damaged_files_are_refused(void **state) {
  FILE *file = fopen(ZONE_FOLDER "/Europe/Zurich", "rb");
  if (!file) skip();
  static uint8_t data[16384];
  size_t len = fread(data, 1, sizeof data, file);
  fclose(file);
  struct zone *zone = NULL;
  struct err err;
  for (size_t cut = 0; cut < len; cut++) {
    assert_false(zone_parse(bytes_of(data, cut), &zone, &err));
    assert_null(zone);
  }
  /* Every byte changed: refused or read, never beyond the input. */
  for (size_t i = 0; i < len; i++) {
    data[i] ^= 0xff;
    if (zone_parse(bytes_of(data, len), &zone, &err)) zone_free(&zone);
    data[i] ^= 0xff;
  }
  data[4] = 0;
  assert_fails(zone_parse(bytes_of(data, len), &zone, &err), err, ERR_UNSUPPORTED);
  data[0] = 'X';
  assert_fails(zone_parse(bytes_of(data, len), &zone, &err), err, ERR_MALFORMED);
}

static void zones_are_loaded_by_name(void **state) {
  if (access(ZONE_FOLDER "/Europe/Zurich", R_OK) != 0) skip();
  struct disk *tzdata;
  struct zone *zone = NULL;
  struct err err;
  assert_ok(disk_open_real(ZONE_FOLDER, &tzdata, &err), err);
  static const char *const good[] = {"Europe/Zurich", "UTC", "America/Argentina/Buenos_Aires",
                                     "Etc/GMT+5", "Asia/Calcutta"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_ok(zone_load(tzdata, bytes_str(good[i]), &zone, &err), err);
    if (i + 1 == sizeof good / sizeof *good) assert_int_equal(zone_offset(zone, 0), 19800);
    zone_free(&zone);
  }
  static const char *const bad[] = {"",          "Europe",         "Europe/",   "/Europe/Zurich",
                                    "../zurich", "Europe//Zurich", "Mars/Base", "Europe/Z\xc3\xbc",
                                    "tzdata.zi"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_fails(zone_load(tzdata, bytes_str(bad[i]), &zone, &err), err, ERR_NOT_FOUND);
  disk_close(&tzdata);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(offsets_agree_with_libc),
      cmocka_unit_test(walls_lead_back),
      cmocka_unit_test(zurich_jumps),
      cmocka_unit_test(apia_lost_a_day),
      cmocka_unit_test(rules_are_read),
      cmocka_unit_test(damaged_files_are_refused),
      cmocka_unit_test(zones_are_loaded_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
