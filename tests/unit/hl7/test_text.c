/* Escapes, known and unknown. */
#include "tests/unit/hl7/hl7_test.h"

static void text_is(const char *raw, const char *expected) {
  struct hl7_message m = parsed("MSH|^~\\&|A\r");
  assert_bytes(hl7_text(&arena, &m, bytes_str(raw)), expected);
  assert_int_equal(m.note_count, 0);
}

static void escapes_are_decoded(void **state) {
  text_is("plain", "plain");
  text_is("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\P\\", "a|b^c&d~e\\f#");
  text_is("\\X4869\\", "Hi");
  text_is("\\XC3BC\\", "\xc3\xbc");
  text_is("\\XFC\\", "\xc3\xbc"); /* one byte of Latin-1 */
  text_is("one\\.br\\two\\.sp2\\three\\.sk3\\four", "one\ntwo\n\nthree   four");
  text_is("\\H\\bold\\N\\ \\.in+4\\in", "bold in");
  text_is("\\C2842\\x\\M254A42\\y", "xy");
  text_is("\\E\\\\E\\", "\\\\");
}

static void what_is_unknown_stays_and_is_told(void **state) {
  static const struct {
    const char *raw;
    enum hl7_leniency note;
  } cases[] = {{"C:\\", HL7_ESCAPE_OPEN},        {"50% \\ 60%", HL7_ESCAPE_OPEN},
               {"\\Zlocal\\", HL7_ESCAPE_LOCAL}, {"\\X4\\", HL7_ESCAPE_LOCAL},
               {"\\\\", HL7_ESCAPE_LOCAL},       {"\\.zz\\", HL7_ESCAPE_LOCAL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct hl7_message m = parsed("MSH|^~\\&|A\r");
    assert_bytes(hl7_text(&arena, &m, bytes_str(cases[i].raw)), cases[i].raw);
    assert_true(noted(&m, cases[i].note));
  }
}

static void formatting_cannot_blow_a_text_up(void **state) {
  struct hl7_message m = parsed("MSH|^~\\&|A\r");
  assert_int_equal(hl7_text(&arena, &m, BYTES("\\.sp 4000000000\\")).len, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(escapes_are_decoded),
      cmocka_unit_test(what_is_unknown_stays_and_is_told),
      cmocka_unit_test(formatting_cannot_blow_a_text_up),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
