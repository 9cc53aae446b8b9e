/* Messages as FHIR: what they become, what is left over, and that sending again changes nothing. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/map.h"
#include "wire/json.h"

#include <string.h>

static struct hl7_mapped mapped;
static struct hl7_message message;

static struct bytes written(const char *text, const struct hl7_map_options *options) {
  struct err err;
  struct buf buf;
  message = parsed(text);
  assert_ok(hl7_map(&arena, &message, options, &mapped, &err), err);
  buf_init(&buf, 1 << 20);
  hl7_mapped_write(&buf, &mapped);
  struct bytes copy = arena_copy(&arena, buf_bytes(&buf));
  buf_fini(&buf);
  return copy;
}

static const struct json *bundle(const char *text) {
  const struct json *value;
  struct err err;
  assert_ok(json_parse(&arena, written(text, NULL), &value, &err), err);
  return value;
}

/* The nth entry of this type, from 0. */
static const struct json *entry(const struct json *all, const char *type, int nth) {
  for (const struct json *e = json_get(all, "entry")->first; e; e = e->next) {
    if (!bytes_eq_str(json_get_text(json_get(e, "resource"), "resourceType"), type)) continue;
    if (nth-- == 0) return e;
  }
  return NULL;
}

static void assert_at(const struct json *all, const char *type, int nth, const char *path,
                      const char *expected) {
  const struct json *e = entry(all, type, nth);
  assert_non_null(e);
  assert_bytes(json_text(json_path(e, bytes_str(path))), expected);
}

static bool left_over(const char *place) {
  for (const struct hl7_left *left = mapped.left; left; left = left->next) {
    struct buf buf;
    buf_init(&buf, 64);
    hl7_left_write(&buf, &message, left);
    bool same = bytes_eq_str(buf_bytes(&buf), place);
    buf_fini(&buf);
    if (same) return true;
  }
  return false;
}

#define HEAD(type) "MSH|^~\\&|APP|HOSP|||20260102030405+0100||" type "|7|P|2.5\r"
#define ADMISSION \
  HEAD("ADT^A01") \
  "EVN|A01|20260102\rPID|1||123^^^HOSP^MR||Muster&von^Ada^B^^^^L|Roe|19800102|F||x|Weg " \
  "3^^Bern^^3000^CH^H\r" \
  "PV1|1|I|W1^12^B||||7^Doc^Ann||||||||||||V9^^^HOSP|||||||||||||||||||||||||20260102030000\r" \
  "AL1|1|DA|99^Penicillin^L|SV|Rash\rZPI|1|secret\r"

static void an_admission_registers_patient_and_visit(void **state) {
  const struct json *b = bundle(ADMISSION);
  assert_at(b, "Patient", 0, "request.method", "PUT");
  assert_at(b, "Patient", 0, "request.url", "Patient?identifier=HOSP%7C123");
  assert_at(b, "Patient", 0, "resource.name[0].family", "Muster");
  assert_at(b, "Patient", 0, "resource.name[0].given[1]", "B");
  assert_at(b, "Patient", 0, "resource.name[0].use", "official");
  assert_at(b, "Patient", 0, "resource.gender", "female");
  assert_at(b, "Patient", 0, "resource.birthDate", "1980-01-02");
  assert_at(b, "Patient", 0, "resource.address[0].line[0]", "Weg 3");
  assert_at(b, "Encounter", 0, "resource.status", "in-progress");
  assert_at(b, "Encounter", 0, "resource.class.code", "IMP");
  assert_at(b, "Encounter", 0, "request.url", "Encounter?identifier=HOSP%7CV9");
  assert_at(b, "Encounter", 0, "resource.participant[0].type[0].coding[0].code", "ATND");
  assert_at(b, "Encounter", 0, "resource.period.start", "2026-01-02T03:00:00+00:00");
  assert_at(b, "AllergyIntolerance", 0, "resource.criticality", "high");
  assert_at(b, "AllergyIntolerance", 0, "resource.reaction[0].manifestation[0].text", "Rash");
  assert_at(b, "Location", 0, "resource.physicalType.coding[0].code", "");
  assert_at(b, "Provenance", 0, "resource.entity[0].what.identifier.value", "7");
}

static void references_lead_to_entries(void **state) {
  const struct json *b = bundle(ADMISSION);
  struct bytes patient = json_get_text(entry(b, "Patient", 0), "fullUrl");
  struct bytes subject =
      json_text(json_path(entry(b, "Encounter", 0), bytes_str("resource.subject.reference")));
  assert_true(bytes_eq(patient, subject));
}

static void what_became_nothing_is_listed(void **state) {
  (void)bundle(ADMISSION);
  assert_true(left_over("PID-10"));
  assert_true(left_over("ZPI-1"));
  assert_true(left_over("ZPI-2"));
  assert_true(left_over("AL1-3.3"));
  assert_false(left_over("PID-5"));
  assert_false(left_over("PID-3"));
  assert_false(left_over("PID-8"));
}

static void unknown_codes_and_times_are_left_over(void **state) {
  const struct json *b =
      bundle(HEAD("ADT^A31") "PID|1||1^^^A||Roe||19801399|Q|||||||||||||||||\"\"\r");
  assert_null(json_path(entry(b, "Patient", 0), bytes_str("resource.gender")));
  assert_true(left_over("PID-8"));
  assert_true(left_over("PID-7"));
  assert_true(left_over("PID-25"));
}

static void the_same_message_makes_the_same_bundle(void **state) {
  struct bytes once = written(ADMISSION, NULL), again = written(ADMISSION, NULL);
  assert_true(bytes_eq(once, again));
}

#define RESULT \
  HEAD("ORU^R01") \
  "PID|1||123^^^HOSP^MR||Muster^Ada\rORC|RE|P1^HIS|F1^LAB\rOBR|1|P1^HIS|F1^LAB|718-7^Hb^LN|||" \
  "2026010203|||||||||||||||||LAB|F\r" \
  "OBX|1|NM|718-7^Hb^LN||7.20|g/dL^^UCUM|12.0-16.0|LL|||F\rNTE|1||low~again\r" \
  "OBX|2|SN|1-8^T^LN||^1^:^128||||||F\rOBX|3|CE|5-1^B^LN||A^Big^L~B^Bad^L||||||P\rOBX|4|NM|9-9^C^" \
  "LN||<0.5||||||C\r"

static void results_hang_on_their_report(void **state) {
  const struct json *b = bundle(RESULT);
  assert_at(b, "Patient", 0, "request.method", "POST");
  assert_at(b, "Patient", 0, "request.ifNoneExist", "identifier=HOSP%7C123");
  assert_at(b, "DiagnosticReport", 0, "resource.status", "final");
  assert_at(b, "DiagnosticReport", 0, "resource.identifier[1].value", "F1");
  assert_null(json_path(entry(b, "DiagnosticReport", 0), bytes_str("resource.identifier[2]")));
  assert_at(b, "Observation", 0, "resource.valueQuantity.value", "7.20");
  assert_at(b, "Observation", 0, "resource.valueQuantity.system", "http://unitsofmeasure.org");
  assert_at(b, "Observation", 0, "resource.referenceRange[0].low.value", "12.0");
  assert_at(b, "Observation", 0, "resource.note[0].text", "low\nagain");
  assert_at(b, "Observation", 0, "resource.interpretation[0].coding[0].code", "LL");
  assert_at(b, "Observation", 1, "resource.valueRatio.denominator.value", "128");
  assert_at(b, "Observation", 2, "resource.valueCodeableConcept.coding[0].code", "A");
  assert_at(b, "Observation", 3, "resource.valueQuantity.comparator", "<");
  assert_at(b, "Observation", 3, "resource.status", "corrected");
  assert_true(left_over("OBX[3]-5[2]"));
  struct bytes observation = json_get_text(entry(b, "Observation", 3), "fullUrl");
  assert_true(
      bytes_eq(observation, json_text(json_path(entry(b, "DiagnosticReport", 0),
                                                bytes_str("resource.result[3].reference")))));
}

static void a_corrected_result_replaces_the_first(void **state) {
  const struct json *first = bundle(RESULT);
  struct bytes url = json_text(json_path(entry(first, "Observation", 0), bytes_str("request.url")));
  const struct json *second = bundle(HEAD(
      "ORU^R01") "PID|1||123^^^HOSP^MR\rORC|RE|P1^HIS|F1^LAB\rOBR|1|P1^HIS|F1^LAB|718-7^Hb^LN\r"
                 "OBX|1|NM|718-7^Hb^LN||7.9|g/dL^^UCUM||||||C\r");
  assert_true(bytes_eq(
      url, json_text(json_path(entry(second, "Observation", 0), bytes_str("request.url")))));
}

static void a_merge_names_both_patients(void **state) {
  const struct json *b = bundle(HEAD(
      "ADT^A40") "EVN|A40|20260102\rPID|1||1^^^H^MR||Roe\rMRG|2^^^H^MR\rPID|1||3^^^H\rMRG|4^^^H\r");
  assert_at(b, "Patient", 0, "request.url", "Patient?identifier=H%7C1");
  assert_at(b, "Patient", 0, "resource.link[0].type", "replaces");
  assert_at(b, "Patient", 1, "request.url", "Patient?identifier=H%7C2");
  assert_at(b, "Patient", 1, "resource.link[0].type", "replaced-by");
  assert_false(json_is_true(json_path(entry(b, "Patient", 1), bytes_str("resource.active"))));
  assert_at(b, "Patient", 3, "request.url", "Patient?identifier=H%7C4");
}

static void other_messages_become_their_resources(void **state) {
  const struct json *b = bundle(HEAD("SIU^S15") "SCH|1^P|2^F|||||CHECKUP^x^HL70276||30|min|^^^"
                                                "202601020900+0000^202601020930+0000\r"
                                                "PID|1||1^^^H\rRGS|1\rAIP|1||7^Doc\r");
  assert_at(b, "Appointment", 0, "resource.status", "cancelled");
  assert_at(b, "Appointment", 0, "resource.start", "2026-01-02T09:00:00Z");
  assert_at(b, "Appointment", 0, "resource.minutesDuration", "30");
  assert_at(b, "Appointment", 0, "resource.participant[1].status", "accepted");
  b = bundle(HEAD("VXU^V04") "PID|1||1^^^H\rORC|RE||I1^F\rRXA|0|1|20260102||08^HepB^CVX|0.5|mL^^"
                             "UCUM||||||||L1||MSD^Merck^MVX|||CP\rRXR|IM^^HL70162|LA^^HL70163\r");
  assert_at(b, "Immunization", 0, "resource.status", "completed");
  assert_at(b, "Immunization", 0, "resource.vaccineCode.coding[0].system",
            "http://hl7.org/fhir/sid/cvx");
  assert_at(b, "Immunization", 0, "resource.site.coding[0].code", "LA");
  b = bundle(HEAD("RDE^O11") "PID|1||1^^^H\rORC|NW|R1^H\rRXE||N1^Drug^NDC|5||mg\rRXR|PO\r");
  assert_at(b, "MedicationRequest", 0, "resource.status", "active");
  assert_at(b, "MedicationRequest", 0, "resource.dosageInstruction[0].route.coding[0].code", "PO");
  b = bundle(HEAD("MDM^T02") "EVN|T02|20260102\rPID|1||1^^^H\rPV1|1|I\rTXA|1|CN|TX|20260102||||||||"
                             "D1|||||AU\rOBX|1|TX|1^Note||Hi\r");
  assert_at(b, "DocumentReference", 0, "resource.docStatus", "final");
  assert_at(b, "DocumentReference", 0, "resource.content[0].attachment.data", "SGk=");
  b = bundle(HEAD("ORM^O01") "PID|1||1^^^H\rORC|NW|O1^H\rOBR|1|O1^H||5^Ward^LN|||||||G\r");
  assert_at(b, "ServiceRequest", 0, "resource.intent", "reflex-order");
  assert_at(b, "ServiceRequest", 0, "resource.status", "active");
}

static void unknown_messages_are_refused(void **state) {
  struct hl7_message m = parsed(HEAD("QBP^Q11") "PID|1\r");
  struct hl7_mapped none;
  struct err err;
  assert_false(hl7_map_knows(&m));
  assert_false(hl7_map(&arena, &m, NULL, &none, &err));
  assert_int_equal(err.code, ERR_UNSUPPORTED);
}

static void a_small_arena_is_an_error(void **state) {
  struct hl7_message m = parsed(RESULT);
  struct arena small;
  struct hl7_mapped none;
  struct err err;
  for (size_t bytes = 1 << 10; bytes < 1 << 13; bytes += 1 << 10) {
    arena_init(&small, bytes);
    assert_false(hl7_map(&small, &m, NULL, &none, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    arena_fini(&small);
  }
}

static struct bytes by_site(void *arg, struct bytes name_space, struct bytes universal_id) {
  return bytes_eq_str(name_space, "HOSP") ? BYTES("urn:oid:1.2.3") : BYTES_NONE;
}

static void a_site_names_its_authorities(void **state) {
  struct hl7_map_options options = {
      .message_id = BYTES("m-1"), .offset_min = 60, .authority = by_site};
  const struct json *b;
  struct err err;
  assert_ok(json_parse(&arena, written(ADMISSION, &options), &b, &err), err);
  assert_at(b, "Patient", 0, "resource.identifier[0].system", "urn:oid:1.2.3");
  assert_at(b, "Encounter", 0, "resource.period.start", "2026-01-02T03:00:00+01:00");
  assert_at(b, "Provenance", 0, "resource.entity[0].what.identifier.value", "m-1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_admission_registers_patient_and_visit),
      cmocka_unit_test(references_lead_to_entries),
      cmocka_unit_test(what_became_nothing_is_listed),
      cmocka_unit_test(unknown_codes_and_times_are_left_over),
      cmocka_unit_test(the_same_message_makes_the_same_bundle),
      cmocka_unit_test(results_hang_on_their_report),
      cmocka_unit_test(a_corrected_result_replaces_the_first),
      cmocka_unit_test(a_merge_names_both_patients),
      cmocka_unit_test(other_messages_become_their_resources),
      cmocka_unit_test(unknown_messages_are_refused),
      cmocka_unit_test(a_small_arena_is_an_error),
      cmocka_unit_test(a_site_names_its_authorities),
  };
  return cmocka_run_group_tests_name("hl7/map", tests, hl7_test_setup, hl7_test_teardown);
}
