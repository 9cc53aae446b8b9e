/* Messages as they should be, as they really come, and as they must not be. */
#include "tests/unit/hl7/hl7_test.h"

#define ADT \
  "MSH|^~\\&|ADT|HOSP|LAB|HOSP|20260102030405||ADT^A01^ADT_A01|17|P|2.5.1\r" \
  "EVN|A01|20260102030405\r" \
  "PID|1||123^^^HOSP^MR~456^^^STATE&1.2.3&ISO^SS||DOE^JOHN^Q||19700101|M\r" \
  "PV1|1|I|W^1^2\r" \
  "ZBE|x\r"

static void a_message_comes_apart(void **state) {
  struct hl7_message m = parsed(ADT);
  assert_int_equal(m.count, 5);
  assert_int_equal(m.note_count, 0);
  const struct hl7_segment *msh = hl7_segment(&m, "MSH", 1), *pid = hl7_segment(&m, "PID", 1);
  assert_bytes(hl7_field(&m, msh, 1), "|");
  assert_bytes(hl7_field(&m, msh, 2), "^~\\&");
  assert_bytes(hl7_field(&m, msh, 3), "ADT");
  assert_bytes(hl7_value(&m, msh, 9, 3), "ADT_A01");
  assert_bytes(hl7_field(&m, msh, 12), "2.5.1");
  assert_bytes(hl7_field(&m, msh, 13), "");
  assert_int_equal(hl7_field_count(&m, msh), 12);
  assert_int_equal(hl7_field_count(&m, pid), 8);
  struct bytes ids = hl7_field(&m, pid, 3), second = hl7_repetition(&m, ids, 2);
  assert_int_equal(hl7_repetition_count(&m, ids), 2);
  assert_bytes(hl7_subcomponent(&m, hl7_component(&m, second, 4), 2), "1.2.3");
  assert_bytes(hl7_component(&m, second, 6), "");
  assert_bytes(hl7_repetition(&m, ids, 3), "");
  assert_bytes(hl7_value(&m, pid, 5, 2), "JOHN");
  assert_int_equal(hl7_segment_number(&m, pid), 3);
  assert_null(hl7_segment(&m, "PID", 2));
  assert_null(hl7_segment(&m, "OBX", 1));
  assert_non_null(hl7_segment(&m, "ZBE", 1));
  assert_ptr_equal(m.text.at, bytes_sub(m.text, 0, 1).at);
}

static void nothing_is_copied(void **state) {
  static const char text[] = ADT;
  struct hl7_message m = parsed(text);
  assert_ptr_equal(m.text.at, text);
}

static void separators_are_the_messages_own(void **state) {
  struct hl7_message m = parsed("MSH*!%?$*A!B*C\rPID*1**1!2!3$4%5\r");
  assert_bytes(hl7_value(&m, &m.segments[0], 3, 2), "B");
  struct bytes field = hl7_field(&m, &m.segments[1], 3);
  assert_int_equal(hl7_repetition_count(&m, field), 2);
  assert_bytes(hl7_subcomponent(&m, hl7_component(&m, field, 3), 1), "3");
  m = parsed("MSH|^~\\&#|A\r");
  assert_int_equal(m.separators.truncation, '#');
}

static void empty_places_are_empty(void **state) {
  struct hl7_message m = parsed("MSH|^~\\&|\rPID||||\rNK1\rPV1|\r");
  for (uint32_t field = 1; field < 8; field++) {
    assert_int_equal(hl7_field(&m, &m.segments[1], field).len, 0);
    assert_int_equal(hl7_field(&m, &m.segments[2], field).len, 0);
  }
  assert_int_equal(hl7_field(&m, NULL, 3).len, 0);
  assert_int_equal(hl7_field(&m, &m.segments[1], 0).len, 0);
  assert_int_equal(hl7_repetition(&m, BYTES_NONE, 1).len, 0);
  assert_int_equal(hl7_field_count(&m, NULL), 0);
  assert_true(hl7_is_null(BYTES("\"\"")) && !hl7_is_null(BYTES_NONE));
}

static void lenient(const char *text, enum hl7_leniency leniency, uint32_t segments) {
  struct hl7_message m = parsed(text);
  assert_int_equal(m.count, segments);
  assert_true(noted(&m, leniency));
  assert_true(strlen(hl7_leniency_word(leniency)) && strlen(hl7_leniency_sentence(leniency)));
}

static void known_faults_are_read_and_told(void **state) {
  lenient("MSH|^~\\&|A\nPID|1\n", HL7_LINE_FEED, 2);
  lenient("MSH|^~\\&|A\r\nPID|1\r\n", HL7_LINE_FEED, 2);
  lenient("\x0bMSH|^~\\&|A\rPID|1\r\x1c\r", HL7_BLANKS, 2);
  lenient("\xef\xbb\xbfMSH|^~\\&|A\r", HL7_BLANKS, 1);
  lenient("MSH|^~\\&|A\r\rPID|1\r", HL7_BLANKS, 2);
  lenient("MSH|^~\\&|A\r  PID|1\r", HL7_BLANKS, 2);
  lenient("msh|^~\\&|A\rpid|1\r", HL7_LOWER_CASE, 2);
  lenient("MSH|^~\\|A\rPID|1\r", HL7_SHORT_ENCODING, 2);
  lenient("MSH||A\rPID|1\r", HL7_SHORT_ENCODING, 2);
}

static void a_raw_line_break_stays_in_its_value(void **state) {
  struct hl7_message m =
      parsed("MSH|^~\\&|A\rOBX|1|TX|||first line\rsecond line, longer|x\rNTE|1\r");
  assert_int_equal(m.count, 3);
  assert_true(noted(&m, HL7_CONTINUED));
  assert_bytes(hl7_field(&m, &m.segments[1], 5), "first line\rsecond line, longer");
  assert_bytes(hl7_field(&m, &m.segments[1], 6), "x");
}

static void refused(struct bytes text, enum err_code code, uint64_t offset) {
  struct hl7_message m = {.count = 77};
  struct err err = {0};
  assert_false(hl7_parse(&arena, text, NULL, &m, &err));
  assert_int_equal(err.code, code);
  assert_true(err.offset == offset);
  assert_int_equal(m.count, 77);
}

static void what_is_no_message_is_refused(void **state) {
  refused(BYTES_NONE, ERR_MALFORMED, 0);
  refused(BYTES("MSH"), ERR_MALFORMED, 0);
  refused(BYTES("PID|1"), ERR_MALFORMED, 0);
  refused(BYTES("<ClinicalDocument/>"), ERR_MALFORMED, 0);
  refused(BYTES("MSHA^~\\&|"), ERR_MALFORMED, 3);
  refused(BYTES("MSH |"), ERR_MALFORMED, 3);
  refused(BYTES("MSH|^^\\&|"), ERR_MALFORMED, 5);
  refused(BYTES("MSH|^~\\a|"), ERR_MALFORMED, 7);
  refused(BYTES("MSH|^~\\&#!|"), ERR_MALFORMED, 4);
  refused(BYTES("MSH~^~x"), ERR_MALFORMED, 4); /* ~ cannot part repetitions, too */
  refused(BYTES("MSH|^&|"), ERR_MALFORMED, 4);
  refused(BYTES("MSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\r"), ERR_MALFORMED, 17); /* glued */
}

static void limits_are_named(void **state) {
  struct buf big;
  buf_init(&big, HL7_BYTES_MAX * 2);
  buf_str(&big, "MSH|^~\\&|A\r");
  for (int i = 0; i < HL7_SEGMENTS_MAX; i++) buf_str(&big, "NTE|\r");
  struct err err;
  struct hl7_message m;
  assert_false(hl7_parse(&arena, buf_bytes(&big), NULL, &m, &err));
  assert_int_equal(err.code, ERR_LIMIT);
  while (big.len <= HL7_BYTES_MAX) buf_str(&big, "0123456789012345678901234567890123456789");
  assert_false(hl7_parse(&arena, buf_bytes(&big), NULL, &m, &err));
  assert_int_equal(err.code, ERR_LIMIT);
  struct arena small;
  arena_init(&small, 16);
  assert_false(hl7_parse(&small, bytes_str(ADT), NULL, &m, &err));
  assert_int_equal(err.code, ERR_LIMIT);
  arena_fini(&small);
  buf_fini(&big);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_comes_apart),
      cmocka_unit_test(nothing_is_copied),
      cmocka_unit_test(separators_are_the_messages_own),
      cmocka_unit_test(empty_places_are_empty),
      cmocka_unit_test(known_faults_are_read_and_told),
      cmocka_unit_test(a_raw_line_break_stays_in_its_value),
      cmocka_unit_test(what_is_no_message_is_refused),
      cmocka_unit_test(limits_are_named),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
