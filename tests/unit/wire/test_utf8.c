/* tests/unit/wire/test_utf8.c: every code point there and back; every way to be invalid. */
#include "tests/unit/test.h"

#include "wire/utf8.h"

static void every_code_point_survives(void **state) {
  for (uint32_t code = 0; code <= UTF8_CODE_MAX + 2; code++) {
    uint8_t text[UTF8_BYTES_MAX];
    uint32_t back = 0;
    size_t len = utf8_encode(code, text);
    bool exists = code <= UTF8_CODE_MAX && (code < 0xD800 || code > 0xDFFF);
    assert_int_equal(len > 0, exists);
    if (!exists) continue;
    assert_int_equal(utf8_decode(bytes_of(text, len), &back), len);
    assert_int_equal(back, code);
    assert_int_equal(utf8_decode(bytes_of(text, len - 1), &back), 0);
  }
}

static void invalid_sequences_are_found_where_they_are(void **state) {
  static const struct {
    const char *text;
    size_t at;
  } cases[] = {
      {"\x80", 0},
      {"a\xC3", 1},
      {"abcdefgh\xC0\x80", 8},
      {"\xC1\xBF", 0},
      {"\xE0\x9F\xBF", 0},
      {"\xED\xA0\x80", 0},
      {"\xF0\x8F\xBF\xBF", 0},
      {"\xF4\x90\x80\x80", 0},
      {"\xF5\x80\x80\x80", 0},
      {"\xC3\xA9\xFE", 2},
      {"\xE2\x82(", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(utf8_invalid_at(bytes_str(cases[i].text)), cases[i].at);
    assert_false(utf8_valid(bytes_str(cases[i].text)));
  }
  assert_true(utf8_valid(BYTES_NONE));
  assert_true(utf8_valid(BYTES("plain text of many letters \xF0\x9F\x98\x80 and more")));
}

static void code_points_are_counted(void **state) {
  assert_int_equal(utf8_count(BYTES_NONE), 0);
  assert_int_equal(utf8_count(BYTES("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_point_survives),
      cmocka_unit_test(invalid_sequences_are_found_where_they_are),
      cmocka_unit_test(code_points_are_counted),
  };
  return cmocka_run_group_tests_name("wire/utf8", tests, NULL, NULL);
}
