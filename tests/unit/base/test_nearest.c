/* Which word was meant. */
#include "tests/unit/test.h"

#include "base/nearest.h"

static void distances(void **state) {
  assert_int_equal(nearest_distance(BYTES("memory"), BYTES("memory")), 0);
  assert_int_equal(nearest_distance(BYTES("memroy"), BYTES("memory")), 1);
  assert_int_equal(nearest_distance(BYTES("Memory"), BYTES("memory")), 0);
  assert_int_equal(nearest_distance(BYTES(""), BYTES("abc")), 3);
  assert_int_equal(nearest_distance(BYTES("kitten"), BYTES("sitting")), 3);
  char longer[NEAREST_BYTES_MAX + 2] = {0};
  memset(longer, 'a', NEAREST_BYTES_MAX + 1);
  assert_true(nearest_distance(bytes_str(longer), BYTES("a")) == SIZE_MAX);
}

static void near_words(void **state) {
  static const char *const words[] = {"time", "memory", "concurrency", "provisioned"};
  assert_string_equal(nearest_word(BYTES("tiem"), words, 4), "time");
  assert_string_equal(nearest_word(BYTES("concurency"), words, 4), "concurrency");
  assert_string_equal(nearest_word(BYTES("mem"), words, 4) ? "some" : "none", "none");
  assert_null(nearest_word(BYTES("zebra"), words, 4));
  assert_null(nearest_word(BYTES("x"), words, 4));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances),
      cmocka_unit_test(near_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
