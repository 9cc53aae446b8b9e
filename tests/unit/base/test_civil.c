/* The calendar against a count of days, one by one. */
#include "tests/unit/test.h"

#include "base/civil.h"

static void every_day_of_eight_centuries(void **state) {
  int64_t days = civil_days(1600, 1, 1);
  int weekday = 6; /* 1600-01-01 was a Saturday */
  for (int64_t year = 1600; year < 2400; year++)
    for (int month = 1; month <= 12; month++)
      for (int day = 1; day <= civil_month_days(year, month); day++, days++) {
        struct civil date = civil_date(days);
        assert_int_equal(civil_days(year, month, day), days);
        assert_int_equal(date.year, year);
        assert_int_equal(date.month, month);
        assert_int_equal(date.day, day);
        assert_int_equal(civil_weekday(days), weekday);
        weekday = (weekday + 1) % 7;
      }
}

static void known_days(void **state) {
  assert_int_equal(civil_days(1970, 1, 1), 0);
  assert_int_equal(civil_days(2000, 2, 29), 11016);
  assert_int_equal(civil_days(2000, 2, 30), civil_days(2000, 3, 1));
  assert_false(civil_is_leap(1900));
  assert_true(civil_is_leap(2000));
  assert_int_equal(civil_floor_div(-1, 60), -1);
  assert_int_equal(civil_floor_div(-60, 60), -1);
  assert_int_equal(civil_floor_div(59, 60), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_day_of_eight_centuries),
      cmocka_unit_test(known_days),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
