/* The cursor: what it gives, and that failure sticks. */
#include "tests/unit/test.h"

#include "wire/cursor.h"

static void reads_in_order(void **state) {
  struct cursor in = cursor_of(BYTES("\x01\x00\x00\x01\x02key=42;"));
  assert_int_equal(cursor_u8(&in), 1);
  assert_int_equal(cursor_u32_be(&in), 0x102);
  assert_bytes(cursor_until(&in, '='), "key");
  assert_int_equal(cursor_decimal(&in, 99), 42);
  assert_int_equal(cursor_peek(&in), ';');
  assert_true(cursor_accept(&in, ';'));
  assert_true(cursor_ok(&in) && cursor_at_end(&in));
}

static void the_end_sticks(void **state) {
  struct cursor in = cursor_of(BYTES("abc"));
  assert_int_equal(cursor_u32_be(&in), 0);
  assert_false(cursor_ok(&in));
  assert_int_equal(cursor_u8(&in), 0);
  assert_int_equal(cursor_peek(&in), -1);
  assert_bytes(cursor_take(&in, 1), "");
  assert_int_equal(in.at, 0);
  assert_int_equal(cursor_u64_be(&in), 0);
}

static void refuses_what_is_not_there(void **state) {
  struct cursor in = cursor_of(BYTES("abc"));
  cursor_until(&in, ';');
  assert_false(cursor_ok(&in));
  in = cursor_of(BYTES("x"));
  cursor_decimal(&in, 9);
  assert_false(cursor_ok(&in));
  in = cursor_of(BYTES("60"));
  assert_int_equal(cursor_decimal(&in, 59), 0);
  assert_false(cursor_ok(&in));
  in = cursor_of(BYTES("99999999999999999999999"));
  cursor_decimal(&in, UINT32_MAX);
  assert_false(cursor_ok(&in));
  in = cursor_of(BYTES_NONE);
  assert_bytes(cursor_take(&in, 0), "");
  assert_true(cursor_ok(&in));
  cursor_take(&in, SIZE_MAX);
  assert_false(cursor_ok(&in));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_in_order),
      cmocka_unit_test(the_end_sticks),
      cmocka_unit_test(refuses_what_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
