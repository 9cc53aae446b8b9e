/* MSH-18 that is right, silent, wrong and unknown. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/charset.h"

/* The first component of PID-5, in UTF-8. */
static struct hl7_message with(const char *set, const char *name, const char *fallback,
                               struct bytes *ret_name) {
  struct hl7_message m;
  struct err err;
  struct bytes text =
      arena_printf(&arena, "MSH|^~\\&|A|||||||||||||||%s\rPID|1||||%s^X\r", set, name);
  assert_ok(hl7_parse(&arena, text, fallback, &m, &err), err);
  *ret_name = hl7_value(&m, &m.segments[1], 5, 1);
  return m;
}

static void named_sets_are_read(void **state) {
  static const struct {
    const char *set, *raw, *utf8;
  } cases[] = {
      {"UNICODE UTF-8", "M\xc3\xbcller", "M\xc3\xbcller"},
      {"8859/1", "M\xfcller", "M\xc3\xbcller"},
      {"8859/15", "\xa4", "\xe2\x82\xac"},
      {"8859/2", "\xb3", "\xc5\x82"},
      {"8859/5", "\xb8\xd2", "\xd0\x98\xd0\xb2"},
      {"GB 18030-2000", "\xc0\xee", "\xe6\x9d\x8e"},
      {"BIG-5", "\xa7\xf5", "\xe6\x9d\x8e"},
      {"KS X 1001", "\xb1\xe8", "\xea\xb9\x80"},
      {"ISO IR87", "\x1b$B;3ED\x1b(B", "\xe5\xb1\xb1\xe7\x94\xb0"},
      {"8859/1~ISO IR87", "M\xfcller", "M\xc3\xbcller"}, /* the first is the default set */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bytes name;
    struct hl7_message m = with(cases[i].set, cases[i].raw, NULL, &name);
    assert_bytes(name, cases[i].utf8);
    assert_int_equal(m.note_count, 0);
  }
}

/* In Big5 the second byte of some letters is ^ or |: it must not split the field. */
static void letters_that_hold_separators_stay_whole(void **state) {
  struct bytes name;
  with("BIG-5", "\xb3\x5e\xa7\x7c", NULL, &name);
  assert_int_equal(name.len, 6);
}

static void silence_and_lies_are_read_and_told(void **state) {
  struct bytes name;
  struct hl7_message m = with("", "M\xc3\xbcller", NULL, &name);
  assert_bytes(name, "M\xc3\xbcller");
  assert_true(noted(&m, HL7_CHARSET_MISSING));
  m = with("", "M\xfcller \x80", NULL, &name);
  assert_bytes(name, "M\xc3\xbcller \xe2\x82\xac"); /* windows-1252 */
  m = with("", "\xc8\xe2", "WINDOWS-1251", &name);
  assert_bytes(name, "\xd0\x98\xd0\xb2"); /* the feed's own */
  m = with("ASCII", "M\xfcller", NULL, &name);
  assert_bytes(name, "M\xc3\xbcller");
  assert_true(noted(&m, HL7_CHARSET_WRONG));
  m = with("UNICODE UTF-8", "M\xfcller", NULL, &name);
  assert_bytes(name, "M\xc3\xbcller");
  assert_true(noted(&m, HL7_CHARSET_WRONG));
  m = with("KLINGON", "M\xfcller", NULL, &name);
  assert_bytes(name, "M\xc3\xbcller");
  assert_true(noted(&m, HL7_CHARSET_UNKNOWN));
  m = with("", "a\x81z", NULL, &name); /* in no set */
  assert_bytes(name, "a\xef\xbf\xbdz");
  assert_true(noted(&m, HL7_CHARSET_WRONG));
}

static void wide_sets_are_refused(void **state) {
  struct hl7_message m;
  struct err err;
  assert_false(
      hl7_parse(&arena, BYTES("MSH|^~\\&|A|||||||||||||||UNICODE UTF-16\r"), NULL, &m, &err));
  assert_int_equal(err.code, ERR_UNSUPPORTED);
}

static void names_are_known_in_any_case(void **state) {
  assert_string_equal(hl7_charset_name(BYTES("unicode utf-8")), "UTF-8");
  assert_null(hl7_charset_name(BYTES("8859/99")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(named_sets_are_read),
      cmocka_unit_test(letters_that_hold_separators_stay_whole),
      cmocka_unit_test(silence_and_lies_are_read_and_told),
      cmocka_unit_test(wide_sets_are_refused),
      cmocka_unit_test(names_are_known_in_any_case),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
