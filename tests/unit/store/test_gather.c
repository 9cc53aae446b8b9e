/* When a small fold waits: only several commits do, and only while waiting pays. */
#include "store/gather.h"
#include "tests/unit/test.h"

static void one_or_enough_never_waits(void **state) {
  (void)state;
  struct gather gather = {0};
  assert_false(gather_wanted(&gather, 0));
  assert_false(gather_wanted(&gather, 1));
  assert_true(gather_wanted(&gather, 2));
  assert_true(gather_wanted(&gather, GATHER_ENOUGH - 1));
  assert_false(gather_wanted(&gather, GATHER_ENOUGH));
}

static void a_wait_that_pays_is_repeated(void **state) {
  (void)state;
  struct gather gather = {0};
  for (int i = 0; i < 1000; i++) {
    assert_true(gather_wanted(&gather, 3));
    gather_note(&gather, 3, 5);
  }
}

static void a_wait_in_vain_rests(void **state) {
  (void)state;
  struct gather gather = {0};
  assert_true(gather_wanted(&gather, 3));
  gather_note(&gather, 3, 4);
  for (int i = 0; i < GATHER_REST; i++) assert_false(gather_wanted(&gather, 3));
  assert_true(gather_wanted(&gather, 3));
}

static void a_lone_commit_leaves_the_rest_alone(void **state) {
  (void)state;
  struct gather gather = {.rest = 1};
  assert_false(gather_wanted(&gather, 1));
  assert_false(gather_wanted(&gather, 2));
  assert_true(gather_wanted(&gather, 2));
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_or_enough_never_waits),
      cmocka_unit_test(a_wait_that_pays_is_repeated),
      cmocka_unit_test(a_wait_in_vain_rests),
      cmocka_unit_test(a_lone_commit_leaves_the_rest_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
