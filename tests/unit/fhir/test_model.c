/* tests/unit/fhir/test_model.c: the compiled definitions say what R4 says. */
#include "../test.h"

#include "fhir/model.h"
#include "fhir/terms.h"

static const struct fhir_type *type(const char *name) {
  const struct fhir_type *found = fhir_type_find(bytes_str(name));
  if (!found) fail_msg("no type %s", name);
  return found;
}

static const struct fhir_element *element(const char *type_name, const char *name) {
  const struct fhir_element *found = fhir_element_find(type(type_name), bytes_str(name));
  if (!found) fail_msg("no element %s.%s", type_name, name);
  return found;
}

static void types_are_found_by_name(void **state) {
  (void)state;
  for (size_t id = 0; id < FHIR_TYPES; id++) {
    const struct fhir_type *each = fhir_type_at(id);
    const struct fhir_type *found = fhir_type_find(fhir_text(each->name));
    assert_true(each->kind == FHIR_KIND_NESTED ? found == NULL : found == each);
    assert_int_equal(fhir_type_id(each), id);
    assert_int_equal(fhir_type_is_primitive(each), id < FHIR_PRIMITIVES);
    for (size_t m = 0; m < each->member_count; m++) {
      const struct fhir_member *member = fhir_member_at(each->member_first + m);
      assert_ptr_equal(fhir_member_find(each, fhir_text(member->name)), member);
    }
  }
  assert_null(fhir_type_find(BYTES("Patients")));
  assert_null(fhir_type_find(BYTES("")));
  assert_null(fhir_resource_find(BYTES("DomainResource")));
  assert_null(fhir_resource_find(BYTES("Quantity")));
  assert_non_null(fhir_resource_find(BYTES("Patient")));
  assert_ptr_equal(type("CodeableConcept"), fhir_type_at(FHIR_TYPE_CODEABLECONCEPT));
}

static void types_know_their_bases(void **state) {
  (void)state;
  assert_true(fhir_type_is(type("Patient"), FHIR_TYPE_DOMAINRESOURCE));
  assert_true(fhir_type_is(type("Patient"), FHIR_TYPE_RESOURCE));
  assert_false(fhir_type_is(type("Bundle"), FHIR_TYPE_DOMAINRESOURCE));
  assert_true(fhir_type_is(type("id"), FHIR_TYPE_STRING));
  assert_true(fhir_type_is(type("Age"), FHIR_TYPE_QUANTITY));
  const struct fhir_element *contact = element("Patient", "contact");
  const struct fhir_type *nested = fhir_type_at(fhir_element_type(contact, 0)->type);
  assert_bytes(fhir_text(nested->name), "Patient.contact");
  assert_true(fhir_type_is(nested, FHIR_TYPE_BACKBONEELEMENT));
  assert_ptr_equal(fhir_type_outer(nested), type("Patient"));
  assert_bytes(fhir_text(fhir_type_rule(nested, 0)->key), "pat-1");
}

static void elements_have_their_facts(void **state) {
  (void)state;
  assert_int_equal(element("Patient", "name")->max, FHIR_MANY);
  const struct fhir_element *status = element("Observation", "status");
  assert_int_equal(status->min, 1);
  assert_int_equal(status->max, 1);
  assert_int_equal(status->binding, FHIR_REQUIRED);
  assert_int_equal(status->flags, FHIR_SUMMARY | FHIR_MODIFIER);
  assert_bytes(fhir_text(fhir_value_set_at(status->value_set)->url),
               "http://hl7.org/fhir/ValueSet/observation-status");
  const struct fhir_element_type *subject = fhir_element_type(element("Observation", "subject"), 0);
  assert_int_equal(subject->type, FHIR_TYPE_REFERENCE);
  assert_int_equal(subject->target_count, 4);
  assert_int_equal(fhir_target(subject, 0), FHIR_TYPE_PATIENT);
  assert_int_equal(fhir_element_type(element("Range", "low"), 0)->profile,
                   FHIR_TYPE_SIMPLEQUANTITY);
  assert_int_equal(fhir_element_type(element("Patient", "id"), 0)->type, FHIR_TYPE_ID);
  assert_int_equal(fhir_element_type(element("Period", "id"), 0)->type, FHIR_TYPE_STRING);
  assert_int_equal(fhir_element_type(element("Extension", "url"), 0)->type, FHIR_TYPE_URI);
  const struct fhir_element *item = element("Questionnaire", "item");
  const struct fhir_type *nested = fhir_type_at(fhir_element_type(item, 0)->type);
  const struct fhir_element *inner = fhir_element_find(nested, BYTES("item"));
  assert_true(inner->flags & FHIR_CONTENT_REFERENCE);
  assert_int_equal(fhir_element_type(inner, 0)->type, fhir_element_type(item, 0)->type);
}

static void choices_are_found_by_both_names(void **state) {
  (void)state;
  const struct fhir_type *observation = type("Observation");
  const struct fhir_member *quantity = fhir_member_find(observation, BYTES("valueQuantity"));
  const struct fhir_member *bare = fhir_member_find(observation, BYTES("value"));
  assert_int_equal(quantity->type, FHIR_TYPE_QUANTITY);
  assert_int_equal(bare->type, FHIR_NONE);
  assert_int_equal(bare->element, quantity->element);
  const struct fhir_element *value = fhir_element_at(bare->element);
  assert_bytes(fhir_text(value->name), "value");
  assert_true(value->flags & FHIR_CHOICE);
  assert_int_equal(value->type_count, 11);
  assert_int_equal(fhir_element_type(value, quantity->choice)->type, FHIR_TYPE_QUANTITY);
  assert_null(fhir_member_find(observation, BYTES("valueAddress")));
  assert_null(fhir_member_find(observation, BYTES("valuequantity")));
}

static void parameters_serve_one_type_each(void **state) {
  (void)state;
  const struct fhir_type *observation = type("Observation");
  const struct fhir_parameter *code = fhir_parameter_find(observation, BYTES("code"));
  assert_bytes(fhir_text(code->expression), "Observation.code");
  assert_int_equal(code->type, FHIR_PARAMETER_TOKEN);
  assert_bytes(fhir_text(fhir_parameter_find(observation, BYTES("_id"))->expression),
               "Resource.id");
  assert_null(fhir_parameter_find(observation, BYTES("nothing")));
  const struct fhir_parameter *patient = fhir_parameter_find(observation, BYTES("patient"));
  assert_bytes(fhir_text(patient->expression), "Observation.subject.where(resolve() is Patient)");
  assert_true(patient->target_count > 0);
  const struct fhir_parameter *pair =
      fhir_parameter_find(observation, BYTES("code-value-quantity"));
  assert_int_equal(pair->component_count, 2);
  const struct fhir_component *second = fhir_component(pair, 1);
  assert_bytes(fhir_text(fhir_parameter_at(second->parameter)->code), "value-quantity");
  assert_int_equal(fhir_parameter_at(second->parameter)->base, FHIR_TYPE_OBSERVATION);
}

static void a_resource_knows_its_patient(void **state) {
  (void)state;
  const struct fhir_type *observation = type("Observation");
  assert_int_equal(observation->compartment_count, 2);
  assert_bytes(fhir_text(fhir_compartment(observation, 0)->code), "subject");
  assert_bytes(fhir_text(fhir_compartment(observation, 1)->code), "performer");
  assert_int_equal(type("Medication")->compartment_count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_are_found_by_name),
      cmocka_unit_test(types_know_their_bases),
      cmocka_unit_test(elements_have_their_facts),
      cmocka_unit_test(choices_are_found_by_both_names),
      cmocka_unit_test(parameters_serve_one_type_each),
      cmocka_unit_test(a_resource_knows_its_patient),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
