/* Acknowledgements: which, when, and what they say. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/ack.h"
#include "hl7/path.h"

#define NOW 1767323045678 /* 2026-01-02T03:04:05.678Z */

static struct bytes ack_of(const struct hl7_message *message, struct hl7_ack ack) {
  struct buf buf;
  buf_init(&buf, 65536);
  ack.now_ms = NOW;
  ack.id = BYTES("A-1");
  hl7_ack_write(&buf, message, &ack);
  struct bytes text = arena_copy(&arena, buf_bytes(&buf));
  buf_fini(&buf);
  return text;
}

static void an_acceptance_turns_the_header_round(void **state) {
  struct hl7_message m = parsed(
      "MSH|^~\\&|ADT|HOSP^1.2^ISO|LAB|SITE|20260101||ADT^A01^ADT_A01|ID\\T\\1|T|2.3||||||8859/1\r");
  assert_bytes(ack_of(&m, (struct hl7_ack){.stage = HL7_APPLICATION}),
               "MSH|^~\\&|LAB|SITE|ADT|HOSP^1.2^ISO|20260102030405.678+0000||ACK^A01^ACK|A-1|T|2.3|"
               "|||||8859/1\r"
               "MSA|AA|ID\\T\\1\r");
}

static void a_fault_says_where_and_what(void **state) {
  struct hl7_message m = parsed("MSH|^~\\&|A|B|C|D|||ADT^A01|9|P|2.5.1\rPID|1\r");
  struct hl7_ack ack = {.stage = HL7_COMMIT,
                        .fault = HL7_FAULT_FIELD_MISSING,
                        .segment = "PID",
                        .field = 3,
                        .diagnostic = BYTES("PID-3 is | empty")};
  struct hl7_message a = parsed_bytes(ack_of(&m, ack));
  assert_bytes(hl7_get_str(&a, "MSA-1"), "CE");
  assert_bytes(hl7_get_str(&a, "MSA-2"), "9");
  assert_bytes(hl7_get_str(&a, "ERR-2"), "PID^1^3");
  assert_bytes(hl7_get_str(&a, "ERR-3"), "101^Required field missing^HL70357");
  assert_bytes(hl7_get_str(&a, "ERR-4"), "E");
  assert_bytes(hl7_text(&arena, &a, hl7_get_str(&a, "ERR-7")), "PID-3 is | empty");
  ack.fault = HL7_FAULT_VERSION_ID;
  ack.stage = HL7_APPLICATION;
  a = parsed_bytes(ack_of(&m, ack));
  assert_bytes(hl7_get_str(&a, "MSA-1"), "AR");
}

static void what_cannot_be_read_is_rejected(void **state) {
  struct hl7_ack ack = {.stage = HL7_APPLICATION, .fault = HL7_FAULT_SEGMENT_SEQUENCE};
  struct hl7_message a = parsed_bytes(ack_of(NULL, ack));
  assert_bytes(hl7_get_str(&a, "MSH-9"), "ACK");
  assert_bytes(hl7_get_str(&a, "MSH-12"), "2.5.1");
  assert_bytes(hl7_get_str(&a, "MSA-1"), "AE");
  assert_bytes(hl7_get_str(&a, "MSA-2"), "");
}

static void senders_say_when_they_want_one(void **state) {
  static const struct {
    const char *accept, *application;
    bool enhanced;
    const char *wants; /* commit good, commit bad, application good, application bad */
  } cases[] = {
      {"", "", false, "--yy"},    {"AL", "NE", true, "yy--"}, {"AL", "AL", true, "yyyy"},
      {"NE", "AL", true, "--yy"}, {"ER", "SU", true, "-yy-"}, {"", "ER", true, "---y"},
      {"SU", "", true, "y---"},   {"XX", "AL", true, "--yy"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct hl7_message m = parsed_bytes(arena_printf(&arena, "MSH|^~\\&|A||||||||||||%s|%s\r",
                                                     cases[i].accept, cases[i].application));
    assert_int_equal(hl7_is_enhanced(&m), cases[i].enhanced);
    for (int k = 0; k < 4; k++) {
      bool wants = hl7_wants_ack(&m, k < 2 ? HL7_COMMIT : HL7_APPLICATION, k % 2 == 0);
      assert_int_equal(wants, cases[i].wants[k] == 'y');
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_acceptance_turns_the_header_round),
      cmocka_unit_test(a_fault_says_where_and_what),
      cmocka_unit_test(what_cannot_be_read_is_rejected),
      cmocka_unit_test(senders_say_when_they_want_one),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
