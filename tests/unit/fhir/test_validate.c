/* tests/unit/fhir/test_validate.c: each rule of the base definitions, kept and broken. A case is a
 * resource and what must be said of it: "expression: part of the text", one a line, no more. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/outcome.h"
#include "fhir/validate.h"

enum { ARENA_BYTES = 4 << 20, SAID_BYTES = 8192 };

struct sample {
  const char *json, *said;
};

static struct fhir_validator *validator;

static int start(void **state) {
  (void)state;
  validator = fhir_validator_new();
  return 0;
}

static int stop(void **state) {
  (void)state;
  fhir_validator_free(&validator);
  assert_null(validator);
  return 0;
}

static void check(const struct sample *sample) {
  cleanup_arena struct arena arena;
  const struct fhir_validate_options options = {.errors_only = true};
  const struct json *resource;
  struct fhir_issues issues;
  struct err err;
  char wanted[SAID_BYTES];
  arena_init(&arena, ARENA_BYTES);
  assert_ok(json_parse(&arena, bytes_str(sample->json), &resource, &err), err);
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, resource, &options, &issues);
  struct bytes rest = bytes_str(sample->said);
  for (const struct fhir_issue *issue = issues.first; issue; issue = issue->next) {
    struct bytes line = bytes_cut(rest, '\n', &rest);
    snprintf(wanted, sizeof wanted, "%.*s: %.*s", BYTES_FMT(issue->expression),
             BYTES_FMT(issue->text));
    struct bytes said = bytes_str(wanted);
    size_t colon = bytes_find_bytes(line, BYTES(": "));
    bool same = line.len > 0 && bytes_starts(said, bytes_sub(line, 0, colon + 2)) &&
                bytes_find_bytes(said, bytes_from(line, colon + 2)) < said.len;
    if (!same) fail_msg("%s\n got: %s\n expected: %.*s", sample->json, wanted, BYTES_FMT(line));
  }
  if (rest.len) fail_msg("%s\n nobody said: %.*s", sample->json, BYTES_FMT(rest));
}

#define CHECK_ALL(cases) \
  for (size_t i = 0; i < sizeof(cases) / sizeof *(cases); i++) check(&(cases)[i])
#define PATIENT(rest) "{\"resourceType\":\"Patient\"" rest "}"
#define OBSERVATION(rest) \
  "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}" rest "}"
#define BUNDLE(type, entries) \
  "{\"resourceType\":\"Bundle\",\"type\":\"" type "\",\"entry\":[" entries "]}"

static void structure_is_checked(void **state) {
  (void)state;
  static const struct sample cases[] = {
      {PATIENT(""), ""},
      {"[]", ": a resource must be an object"},
      {"{}", ": resourceType is missing"},
      {"{\"resourceType\":1}", ": resourceType must be a string"},
      {"{\"resourceType\":\"Pacient\"}", ": \"Pacient\" is no resource type"},
      {"{\"resourceType\":\"DomainResource\"}", ": \"DomainResource\" is no resource type"},
      {PATIENT(",\"brithDate\":\"2020\""), "Patient: \"brithDate\" here; did you mean birthDate"},
      {PATIENT(",\"a\\u0008b\":1"), "Patient: \"a?b\" here"},
      {PATIENT(",\"name\":{\"family\":\"A\"}"), "Patient.name: this must be an array"},
      {PATIENT(",\"gender\":[\"male\"]"), "Patient.gender: this must not be an array"},
      {PATIENT(",\"name\":[]"), "Patient.name: an array must not be empty"},
      {PATIENT(",\"name\":[{}]"), "Patient.name[0]: ele-1"},
      {PATIENT(",\"name\":[{\"id\":\"a\"}]"), "Patient.name[0]: ele-1"},
      {PATIENT(",\"name\":[null]"), "Patient.name[0]: null is no value"},
      {PATIENT(",\"active\":null"), "Patient.active: null is no value"},
      {PATIENT(",\"name\":[\"A\"]"), "Patient.name[0]: this must be an object"},
      {PATIENT(",\"meta\":{\"deleted\":true}"), "Patient.meta: no element \"deleted\"\n"
                                                "Patient.meta: ele-1"},
      {"{\"resourceType\":\"Observation\"}", "Observation: status is missing\n"
                                             "Observation: code is missing"},
      {OBSERVATION(",\"value\":1"), "Observation: no element \"value\""},
      {OBSERVATION(",\"valueString\":\"a\",\"valueInteger\":1"),
       "Observation.value: only one of the choices of value[x]"},
      {OBSERVATION(",\"valueAddress\":{\"text\":\"a\"}"), "Observation: no element"},
      {OBSERVATION(
           ",\"component\":[{\"code\":{\"text\":\"a\"},\"valueQuantity\":{\"value\":\"1\"}}]"),
       "Observation.component[0].value.value: the decimal must be a JSON number"},
      {"{\"resourceType\":\"Questionnaire\",\"status\":\"draft\",\"item\":[{\"linkId\":\"1\","
       "\"type\":"
       "\"group\",\"item\":[{\"linkId\":\"2\"}]}]}",
       "Questionnaire.item[0].item[0]: type is missing\n"
       "Questionnaire.item[0].item[0]: que-1"},
  };
  CHECK_ALL(cases);
}

static void primitives_have_extensions_beside_them(void **state) {
  (void)state;
#define URL "\"extension\":[{\"url\":\"http://a\",\"valueCode\":\"x\"}]"
  static const struct sample cases[] = {
      {PATIENT(",\"_birthDate\":{" URL "}"), ""},
      {PATIENT(",\"birthDate\":\"2020\",\"_birthDate\":{" URL "}"), ""},
      {PATIENT(",\"_birthDate\":{\"value\":1}"), "Patient.birthDate: no element \"value\"\n"
                                                 "Patient.birthDate: ele-1"},
      {PATIENT(",\"_birthDate\":[{" URL "}]"), "Patient.birthDate: this must not be an array"},
      {PATIENT(",\"_name\":[{" URL "}]"), "Patient: no element \"_name\""},
      {PATIENT(",\"name\":[{\"given\":[\"A\",null],\"_given\":[null,{" URL "}]}]"), ""},
      {PATIENT(",\"name\":[{\"_given\":[{" URL "}]}]"), ""},
      {PATIENT(",\"name\":[{\"given\":[\"A\",null],\"_given\":[{" URL "}]}]"),
       "Patient.name[0].given: of one number\nPatient.name[0].given[1]: null is no value"},
      {PATIENT(",\"name\":[{\"given\":[null],\"_given\":[null]}]"),
       "Patient.name[0].given[0]: null is no value"},
      {OBSERVATION(",\"_valueString\":{" URL "}"), ""},
      {OBSERVATION(",\"_valueQuantity\":{" URL "}"), "Observation: no element"},
      {"{\"resourceType\":\"Observation\",\"_status\":{" URL "},\"code\":{\"text\":\"x\"}}", ""},
      {PATIENT(",\"extension\":[{\"url\":\"http://a\"}]"), "Patient.extension[0]: ext-1"},
      {PATIENT(",\"extension\":[{\"url\":\"http://a\",\"valueCode\":\"x\"," URL "}]"),
       "Patient.extension[0]: ext-1"},
      {PATIENT(",\"extension\":[{\"valueCode\":\"x\"}]"), "Patient.extension[0]: url is missing"},
  };
  CHECK_ALL(cases);
}

static void codes_are_of_their_value_sets(void **state) {
  (void)state;
  static const struct sample cases[] = {
      {PATIENT(",\"gender\":\"male\""), ""},
      {PATIENT(",\"gender\":\"Male\""), "Patient.gender: male, female, other, unknown"},
      {PATIENT(",\"gender\":\"\""), "Patient.gender: the code is no code"},
      {PATIENT(",\"maritalStatus\":{\"text\":\"x\"}"), ""},
      {"{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
       "1\"},\"clinicalStatus\":{"
       "\"coding\":[{\"system\":\"http://example.org\",\"code\":\"active\"}]}}",
       "Condition.clinicalStatus: a coding must be of the value set"},
      {"{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
       "1\"},\"clinicalStatus\":{"
       "\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/condition-clinical\","
       "\"code\":\"active\"}]}}",
       ""},
      {"{\"resourceType\":\"Binary\",\"contentType\":\"application/pdf\"}", ""},
      {"{\"resourceType\":\"Binary\",\"contentType\":\"pdf\"}", "Binary.contentType: mimetypes"},
  };
  CHECK_ALL(cases);
}

static void references_point_where_they_may(void **state) {
  (void)state;
#define SUBJECT(text) OBSERVATION(",\"subject\":{\"reference\":\"" text "\"}")
  static const struct sample cases[] = {
      {SUBJECT("Patient/1"), ""},
      {SUBJECT("Patient/1/_history/2"), ""},
      {SUBJECT("https://example.org/fhir/Patient/1"), ""},
      {SUBJECT("Patient?identifier=1"), ""},
      {SUBJECT("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"), ""},
      {SUBJECT("https://example.org/anything"), ""},
      {SUBJECT("Medication/1"), "Observation.subject.reference: a Medication may not"},
      {SUBJECT("https://a.b/Medication/1"), "Observation.subject.reference: a Medication may not"},
      {SUBJECT("Patient"), "Observation.subject.reference: of the form Type/id"},
      {SUBJECT("Patients/1"), "Observation.subject.reference: of the form Type/id"},
      {SUBJECT("Patient/a b"), "Observation.subject.reference: of the form Type/id"},
      {SUBJECT("#a"), "Observation.subject.reference: ref-1"},
      {OBSERVATION(",\"subject\":{\"reference\":\"Patient/1\",\"type\":\"Group\"}"),
       "Observation.subject.reference: its type says otherwise"},
      {OBSERVATION(",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"a\"}],"
                   "\"subject\":{\"reference\":\"#a\"}"),
       ""},
      {OBSERVATION(",\"contained\":[{\"resourceType\":\"Medication\",\"id\":\"a\"}],"
                   "\"subject\":{\"reference\":\"#a\"}"),
       "Observation.subject.reference: a Medication may not"},
  };
  CHECK_ALL(cases);
}

static void what_is_contained_has_its_rules(void **state) {
  (void)state;
#define WITH(contained) \
  OBSERVATION(",\"subject\":{\"reference\":\"#a\"},\"contained\":[" contained "]")
  static const struct sample cases[] = {
      {OBSERVATION(",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"a\"}]"),
       "Observation.contained[0]: dom-3"},
      {OBSERVATION(
           ",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"a\",\"link\":[{\"other\":{"
           "\"reference\":\"#\"},\"type\":\"refer\"}]}]"),
       "Observation.contained[0].link[0].other.reference: a Observation may not"},
      {WITH("{\"resourceType\":\"Patient\",\"id\":\"a\",\"contained\":[{\"resourceType\":"
            "\"Patient\","
            "\"id\":\"b\"}]}"),
       "Observation.contained[0]: dom-2"},
      {WITH("{\"resourceType\":\"Patient\",\"id\":\"a\",\"meta\":{\"versionId\":\"1\",\"security\":"
            "[{"
            "\"code\":\"R\"}]}}"),
       "Observation.contained[0]: dom-4\nObservation.contained[0]: dom-5"},
      {WITH("{\"resourceType\":\"Patient\",\"id\":\"a\"},{\"resourceType\":\"Patient\",\"id\":"
            "\"a\"}"),
       "Observation.contained[1]: another contained one has this id"},
      {WITH("{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"x\"}"),
       "Observation.contained[0].gender: must be of the value set"},
  };
  CHECK_ALL(cases);
}

static void bundles_have_their_rules(void **state) {
  (void)state;
#define ENTRY(url, rest) \
  "{\"fullUrl\":\"" url "\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"" rest "}}"
  static const struct sample cases[] = {
      {BUNDLE("collection", ENTRY("http://a/Patient/1", "")), ""},
      {BUNDLE("collection", ENTRY("http://a/Patient/1", ",\"gender\":\"x\"")),
       "Bundle.entry[0].resource.gender: must be of the value set"},
      {BUNDLE("collection", ENTRY("http://a/Patient/1", "") "," ENTRY("http://a/Patient/1", "")),
       "Bundle.entry[1]: bdl-7"},
      {BUNDLE("collection",
              ENTRY("http://a/Patient/1", ",\"meta\":{\"versionId\":\"1\"}") "," ENTRY(
                  "http://a/Patient/1", ",\"meta\":{\"versionId\":\"2\"}")),
       ""},
      {BUNDLE("collection", ENTRY("http://a/Patient/2", "")),
       "Bundle.entry[0].fullUrl: does not agree"},
      {BUNDLE("collection", ENTRY("Patient/1", "")), "Bundle.entry[0].fullUrl: must be absolute"},
      {BUNDLE("collection", "{\"resource\":{\"resourceType\":\"Patient\"}}"),
       "Bundle.entry[0]: fullUrl is missing"},
      {BUNDLE("transaction", "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":"
                             "\"POST\",\"url\":\"Patient\"}}"),
       ""},
      {BUNDLE("transaction", "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":"
                             "\"PUT\",\"url\":\"Group/1\"}}"),
       "Bundle.entry[0].request: does not name the resource's type"},
      {BUNDLE("searchset", ENTRY("http://a/Patient/1", "")), ""},
      {BUNDLE("searchset", "{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resourceType\":"
                           "\"Patient\"}}"),
       "Bundle.entry[0].resource: must have an id"},
      {"{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"link\":[{\"relation\":\"self\","
       "\"url\":"
       "\"http://a\"},{\"relation\":\"self\",\"url\":\"http://b\"}]}",
       "Bundle.link[1]: there may be one link"},
      {BUNDLE("transaction", "{\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}"),
       "Bundle.entry[0].request: the POST has no resource"},
      {BUNDLE("collection", ENTRY("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
                                  ",\"managingOrganization\":{\"reference\":"
                                  "\"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7\"}")),
       "Bundle.entry[0].resource.managingOrganization.reference: a Patient may not"},
  };
  CHECK_ALL(cases);
}

static void invariants_are_checked(void **state) {
  (void)state;
#define PERIOD(from, to) \
  PATIENT(",\"name\":[{\"period\":{\"start\":\"" from "\",\"end\":\"" to "\"}}]")
  static const struct sample cases[] = {
      {PERIOD("2020", "2021"), ""},
      {PERIOD("2021-02-01", "2021-01-01"), "Patient.name[0].period: per-1"},
      {PATIENT(",\"contact\":[{\"gender\":\"male\"}]"), "Patient.contact[0]: pat-1"},
      {PATIENT(",\"telecom\":[{\"value\":\"1\"}]"), "Patient.telecom[0]: cpt-2"},
      {OBSERVATION(",\"valueQuantity\":{\"value\":1,\"code\":\"mg\"}"), "Observation.value: qty-3"},
      {OBSERVATION(",\"valueString\":\"a\",\"dataAbsentReason\":{\"text\":\"b\"}"),
       "Observation: obs-6"},
      {OBSERVATION(",\"referenceRange\":[{\"low\":{\"value\":1,\"comparator\":\"<\"}}]"),
       "Observation.referenceRange[0].low: sqty-1"},
      {OBSERVATION(",\"referenceRange\":[{\"age\":{\"low\":{\"value\":1}}}]"),
       "Observation.referenceRange[0]: obs-3"},
      {"{\"resourceType\":\"Organization\",\"address\":[{\"use\":\"home\"}]}",
       "Organization.address[0]: org-2\nOrganization: org-1"},
      {PATIENT(",\"photo\":[{\"contentType\":\"image/png\",\"data\":\"QUJD\",\"size\":3}]"), ""},
      {PATIENT(",\"photo\":[{\"contentType\":\"image/png\",\"data\":\"QUJD\",\"size\":4}]"),
       "Patient.photo[0]: the size is not that of the data"},
      {PATIENT(",\"photo\":[{\"data\":\"QUJD\"}]"), "Patient.photo[0]: att-1"},
      {PATIENT(",\"identifier\":[{\"system\":\"mrn\",\"value\":\"1\"}]"),
       "Patient.identifier[0].system: absolute"},
      {PATIENT(",\"maritalStatus\":{\"coding\":[{\"system\":"
               "\"http://hl7.org/fhir/ValueSet/marital-status\",\"code\":\"M\"}]}"),
       "Patient.maritalStatus.coding[0].system: value set"},
  };
  CHECK_ALL(cases);
}

static void narratives_are_plain(void **state) {
  (void)state;
#define TEXT(div) PATIENT(",\"text\":{\"status\":\"generated\",\"div\":\"" div "\"}")
  static const struct sample cases[] = {
      {TEXT("<div xmlns='http://www.w3.org/1999/xhtml'><p>a &amp; b<br/></p><!-- c --></div>"), ""},
      {TEXT("<div><img src='#a' alt='x'/></div>"), ""},
      {TEXT("hello"), "Patient.text.div: must be one div"},
      {TEXT("<p>a</p>"), "Patient.text.div: must be one div"},
      {TEXT("<div>a</div><div>b</div>"), "Patient.text.div: must be one div"},
      {TEXT("<div> </div>"), "Patient.text.div: has nothing to see"},
      {TEXT("<div><p>a</div>"), "Patient.text.div: do not close in order"},
      {TEXT("<div>a"), "Patient.text.div: do not close in order"},
      {TEXT("<div><script>a</script></div>"), "Patient.text.div: has an element"},
      {TEXT("<div><form>a</form></div>"), "Patient.text.div: has an element"},
      {TEXT("<div><p onclick='x'>a</p></div>"), "Patient.text.div: has an attribute"},
      {TEXT("<div><a href=' JavaScript:x'>a</a></div>"),
       "Patient.text.div: a link that is a script"},
      {TEXT("<div><p class=a>a</p></div>"), "Patient.text.div: is not quoted"},
      {TEXT("<div>a & b</div>"), "Patient.text.div: begins no entity"},
      {TEXT("<div><![CDATA[a]]></div>"), "Patient.text.div: has an element"},
      {TEXT("<!DOCTYPE a><div>a</div>"), "Patient.text.div: has an element"},
  };
  CHECK_ALL(cases);
}

static void an_outcome_says_where(void **state) {
  (void)state;
  cleanup_arena struct arena arena;
  cleanup_buf struct buf buf;
  struct bytes text = BYTES("{\"resourceType\":\"Patient\",\n  \"gender\": \"x\",\n \"active\":1}");
  struct fhir_outcome_source source = {.text = text, .line_first = 1};
  const struct json *resource, *outcome;
  struct fhir_issues issues;
  struct json_out out;
  struct err err;
  arena_init(&arena, ARENA_BYTES);
  buf_init(&buf, ARENA_BYTES);
  json_out_init(&out, &buf);
  assert_ok(json_parse(&arena, text, &resource, &err), err);
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, resource, NULL, &issues);
  assert_int_equal(issues.errors, 2);
  assert_int_equal(issues.warnings, 1); /* dom-6 */
  fhir_outcome_write(&out, &issues, &source);
  assert_ok(json_parse(&arena, buf_bytes(&buf), &outcome, &err), err);
  int64_t line, column;
  assert_true(json_int(json_path(outcome, BYTES("issue[0].extension[0].valueInteger")), &line));
  assert_true(json_int(json_path(outcome, BYTES("issue[0].extension[1].valueInteger")), &column));
  assert_int_equal(line, 2);
  assert_int_equal(column, 13);
  assert_true(json_int(json_path(outcome, BYTES("issue[1].extension[0].valueInteger")), &line));
  assert_int_equal(line, 3);
  /* What we write is itself valid. */
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, outcome, &(struct fhir_validate_options){.errors_only = true}, &issues);
  assert_int_equal(issues.count, 0);
}

static void many_problems_are_counted(void **state) {
  (void)state;
  cleanup_arena struct arena arena;
  cleanup_buf struct buf text, out_text;
  const struct json *resource;
  struct fhir_issues issues;
  struct json_out out;
  struct err err;
  arena_init(&arena, ARENA_BYTES);
  buf_init(&text, ARENA_BYTES);
  buf_init(&out_text, ARENA_BYTES);
  json_out_init(&out, &out_text);
  buf_str(&text, "{\"resourceType\":\"Patient\",\"name\":[{}");
  for (size_t i = 0; i < 2 * FHIR_ISSUES_MAX; i++) buf_str(&text, ",{}");
  buf_str(&text, "]}");
  assert_ok(json_parse(&arena, buf_bytes(&text), &resource, &err), err);
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, resource, NULL, &issues);
  assert_int_equal(issues.count, FHIR_ISSUES_MAX);
  assert_int_equal(issues.errors, 2 * FHIR_ISSUES_MAX + 1);
  fhir_outcome_write(&out, &issues, NULL);
  struct bytes said = buf_bytes(&out_text);
  assert_true(bytes_find_bytes(said, BYTES("there are more problems")) < said.len);
}

static void a_type_can_be_asked_for(void **state) {
  (void)state;
  cleanup_arena struct arena arena;
  const struct json *resource;
  struct fhir_issues issues;
  struct err err;
  const struct fhir_validate_options options = {.type = fhir_resource_find(BYTES("Group")),
                                                .errors_only = true};
  arena_init(&arena, ARENA_BYTES);
  assert_ok(json_parse(&arena, BYTES(PATIENT("")), &resource, &err), err);
  fhir_issues_init(&issues, &arena);
  fhir_validate(validator, resource, &options, &issues);
  assert_int_equal(issues.errors, 1);
  assert_bytes(issues.first->text, "the resource must be a Group");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(structure_is_checked),
      cmocka_unit_test(primitives_have_extensions_beside_them),
      cmocka_unit_test(codes_are_of_their_value_sets),
      cmocka_unit_test(references_point_where_they_may),
      cmocka_unit_test(what_is_contained_has_its_rules),
      cmocka_unit_test(bundles_have_their_rules),
      cmocka_unit_test(invariants_are_checked),
      cmocka_unit_test(narratives_are_plain),
      cmocka_unit_test(an_outcome_says_where),
      cmocka_unit_test(many_problems_are_counted),
      cmocka_unit_test(a_type_can_be_asked_for),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
