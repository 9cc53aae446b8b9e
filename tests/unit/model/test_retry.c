/* When a failed delivery is tried again. */
#include "tests/unit/test.h"

#include "model/retry.h"

static const struct retry_policy usual = {.attempts = 3, .max_age_ms = 21600000, .delay_ms = 1000};

static void attempts_are_counted(void **state) {
  int64_t delay_ms = -1;
  assert_true(retry_next(&usual, 1, 0, 0, &delay_ms));
  assert_true(retry_next(&usual, 2, 0, 0, &delay_ms));
  assert_false(retry_next(&usual, 3, 0, 0, &delay_ms));
  struct retry_policy once = {.attempts = 1, .max_age_ms = 1000, .delay_ms = 1};
  assert_false(retry_next(&once, 1, 0, 0, &delay_ms));
}

static void delays_double_within_their_jitter(void **state) {
  struct retry_policy many = {.attempts = 1000, .max_age_ms = INT64_MAX, .delay_ms = 1000};
  int64_t low = INT64_MAX, high = 0;
  for (uint64_t random = 0; random < 5000; random++) {
    int64_t delay_ms;
    assert_true(retry_next(&many, 3, 0, random * 7919, &delay_ms));
    low = delay_ms < low ? delay_ms : low;
    high = delay_ms > high ? delay_ms : high;
  }
  assert_in_range(low, 2000, 2010);
  assert_in_range(high, 3990, 4000);
  int64_t delay_ms;
  assert_true(retry_next(&many, 999, 0, UINT64_MAX, &delay_ms));
  assert_in_range(delay_ms, RETRY_DELAY_MS_MAX / 2, RETRY_DELAY_MS_MAX);
}

static void age_ends_it(void **state) {
  int64_t delay_ms;
  assert_false(retry_next(&usual, 1, 21600001, 0, &delay_ms));
  assert_false(retry_next(&usual, 1, 21599900, 0, &delay_ms));
  assert_true(retry_next(&usual, 1, 21590000, 0, &delay_ms));
  struct retry_policy endless = {.attempts = 9, .max_age_ms = INT64_MAX, .delay_ms = INT64_MAX};
  assert_true(retry_next(&endless, 8, 0, 1, &delay_ms));
  assert_true(delay_ms <= RETRY_DELAY_MS_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attempts_are_counted),
      cmocka_unit_test(delays_double_within_their_jitter),
      cmocka_unit_test(age_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
