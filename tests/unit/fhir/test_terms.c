/* tests/unit/fhir/test_terms.c: value sets hold what they say, and do not guess. */
#include "../test.h"

#include "fhir/terms.h"

static const struct fhir_value_set *set(const char *name) {
  char url[128];
  (void)snprintf(url, sizeof url, "http://hl7.org/fhir/ValueSet/%s|4.0.1", name);
  const struct fhir_value_set *found = fhir_value_set_find(bytes_str(url));
  if (!found) fail_msg("no value set %s", name);
  return found;
}

static void sets_and_systems_are_found_by_url(void **state) {
  (void)state;
  for (size_t i = 0; i < FHIR_VALUE_SETS; i++) {
    const struct fhir_value_set *each = fhir_value_set_at(i);
    assert_ptr_equal(fhir_value_set_find(fhir_text(each->url)), each);
  }
  for (size_t i = 0; i < FHIR_SYSTEMS; i++) {
    const struct fhir_system *each = fhir_system_at(i);
    assert_ptr_equal(fhir_system_find(fhir_text(each->url)), each);
    for (size_t c = 0; c < each->concept_count; c++) {
      const struct fhir_concept *concept = fhir_concept_at(each->concept_first + c);
      assert_int_equal(concept->system, i);
      assert_ptr_equal(fhir_concept_find(each, fhir_concept_code(concept)), concept);
    }
  }
  assert_null(fhir_value_set_find(BYTES("http://example.org/none")));
  assert_null(fhir_system_find(BYTES("")));
}

static void a_set_holds_its_concepts_and_no_others(void **state) {
  (void)state;
  for (size_t i = 0; i < FHIR_VALUE_SETS; i++) {
    const struct fhir_value_set *each = fhir_value_set_at(i);
    for (size_t c = 0; c < each->concept_count; c++) {
      const struct fhir_concept *concept = fhir_value_set_concept(each, c);
      struct bytes system = fhir_text(fhir_system_at(concept->system)->url);
      struct bytes code = fhir_concept_code(concept);
      assert_int_equal(fhir_value_set_has(each, system, code), FHIR_ANSWER_YES);
      assert_int_equal(fhir_value_set_has_code(each, code), FHIR_ANSWER_YES);
    }
    assert_null(fhir_value_set_concept(each, each->concept_count));
  }
  const struct fhir_value_set *gender = set("administrative-gender");
  assert_int_equal(gender->concept_count, 4);
  assert_int_equal(fhir_value_set_has_code(gender, BYTES("female")), FHIR_ANSWER_YES);
  assert_int_equal(fhir_value_set_has_code(gender, BYTES("Female")), FHIR_ANSWER_NO);
  assert_int_equal(fhir_value_set_has_code(gender, BYTES("")), FHIR_ANSWER_NO);
  assert_int_equal(fhir_value_set_has(gender, BYTES("http://hl7.org/fhir/administrative-gender"),
                                      BYTES("other")),
                   FHIR_ANSWER_YES);
  assert_int_equal(fhir_value_set_has(gender, BYTES("http://example.org"), BYTES("other")),
                   FHIR_ANSWER_NO);
}

static void what_is_not_here_is_unknown(void **state) {
  (void)state;
  const struct fhir_value_set *codes = set("observation-codes"); /* all of LOINC */
  assert_int_equal(fhir_value_set_has(codes, BYTES("http://loinc.org"), BYTES("8867-4")),
                   FHIR_ANSWER_UNKNOWN);
}

static void some_are_known_by_their_form(void **state) {
  (void)state;
  static const struct {
    const char *set, *code;
    enum fhir_answer answer;
  } cases[] = {
      {"mimetypes", "text/html; charset=utf-8", FHIR_ANSWER_YES},
      {"mimetypes", "application/fhir+json", FHIR_ANSWER_YES},
      {"mimetypes", "text", FHIR_ANSWER_NO},
      {"mimetypes", "a b/c", FHIR_ANSWER_NO},
      {"all-languages", "de-CH", FHIR_ANSWER_YES},
      {"all-languages", "de-", FHIR_ANSWER_NO},
      {"all-languages", "1de", FHIR_ANSWER_NO},
      {"currencies", "CHF", FHIR_ANSWER_YES},
      {"currencies", "XYZ", FHIR_ANSWER_NO},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (fhir_value_set_has_code(set(cases[i].set), bytes_str(cases[i].code)) != cases[i].answer)
      fail_msg("%s in %s", cases[i].code, cases[i].set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_and_systems_are_found_by_url),
      cmocka_unit_test(a_set_holds_its_concepts_and_no_others),
      cmocka_unit_test(what_is_not_here_is_unknown),
      cmocka_unit_test(some_are_known_by_their_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
