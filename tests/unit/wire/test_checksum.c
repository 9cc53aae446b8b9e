/* The check values every CRC catalogue lists for "123456789", and their base64. */
#include "tests/unit/test.h"

#include "wire/checksum.h"

static void check(enum checksum_kind kind, const char *expected) {
  struct checksum checksum;
  char text[CHECKSUM_TEXT_BYTES];
  checksum_init(&checksum, kind);
  checksum_add(&checksum, BYTES("1234"));
  checksum_add(&checksum, BYTES(""));
  checksum_add(&checksum, BYTES("56789"));
  checksum_text(&checksum, text);
  checksum_fini(&checksum);
  assert_string_equal(text, expected);
}

static void check_values_agree(void **state) {
  check(CHECKSUM_CRC32, "y/Q5Jg==");
  check(CHECKSUM_CRC32C, "4waSgw==");
  check(CHECKSUM_CRC64NVME, "rosUhgp5mIg=");
  check(CHECKSUM_SHA256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
  check(CHECKSUM_NONE, "");
}

static void headers_name_kinds(void **state) {
  assert_int_equal(checksum_of_header(BYTES("X-Amz-Checksum-CRC32C")), CHECKSUM_CRC32C);
  assert_int_equal(checksum_of_header(BYTES("x-amz-checksum-sha1")), CHECKSUM_NONE);
  assert_int_equal(checksum_of_header(BYTES("")), CHECKSUM_NONE);
  assert_bytes(checksum_header(CHECKSUM_SHA256), "x-amz-checksum-sha256");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(check_values_agree),
      cmocka_unit_test(headers_name_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
