/* Codes and systems: counterparts, and what has none. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/map_parts.h"

static void codes_have_counterparts(void **state) {
  struct vocab_code code;
  assert_true(vocab_find(VOCAB_Marital, BYTES("G"), &code));
  assert_string_equal(code.fhir, "T");
  assert_string_equal(code.system, "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus");
  assert_true(vocab_find(VOCAB_Marital, BYTES("T"), &code));
  assert_string_equal(code.system, "http://terminology.hl7.org/CodeSystem/v3-NullFlavor");
  assert_true(vocab_find(VOCAB_Gender, BYTES("A"), &code));
  assert_null(code.system);
  assert_false(vocab_find(VOCAB_Gender, BYTES("a"), &code));
  assert_false(vocab_find(VOCAB_Gender, BYTES(""), &code));
  assert_false(vocab_find(VOCAB_Race, BYTES("x"), &code));
}

static void systems_have_uris(void **state) {
  static const struct {
    const char *word, *uri;
  } cases[] = {{"LN", "http://loinc.org"},
               {"sct", "http://snomed.info/sct"},
               {"HL70002", "http://terminology.hl7.org/CodeSystem/v2-0002"},
               {"urn:oid:1.2", "urn:oid:1.2"},
               {"HL7000X", ""},
               {"L", ""},
               {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_bytes(vocab_system(&arena, bytes_str(cases[i].word)), cases[i].uri);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(codes_have_counterparts),
                                     cmocka_unit_test(systems_have_uris)};
  return cmocka_run_group_tests_name("hl7/vocab", tests, hl7_test_setup, hl7_test_teardown);
}
