/* tests/unit/fhir/test_primitive.c: the forms of primitive types. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/primitive.h"

struct sample {
  const char *type, *json;
  bool good;
};

static const struct sample cases[] = {
    {"boolean", "true", true},
    {"boolean", "\"true\"", false},
    {"integer", "-2147483648", true},
    {"integer", "2147483648", false},
    {"integer", "1.0", false},
    {"integer", "1e3", false},
    {"integer", "\"1\"", false},
    {"positiveInt", "0", false},
    {"positiveInt", "1", true},
    {"unsignedInt", "0", true},
    {"unsignedInt", "-1", false},
    {"decimal", "1.0e-7", true},
    {"decimal", "\"1.0\"", false},
    {"string", "\"a b\"", true},
    {"string", "\"\"", false},
    {"string", "\" \\n\"", false},
    {"string", "\"a\\u0007\"", false},
    {"string", "1", false},
    {"code", "\"a b\"", true},
    {"code", "\"a  b\"", false},
    {"code", "\" a\"", false},
    {"code", "\"a \"", false},
    {"code", "\"\"", false},
    {"id", "\"A-z.9\"", true},
    {"id", "\"a_b\"", false},
    {"id", "\"0123456789012345678901234567890123456789012345678901234567890123\"", true},
    {"id", "\"01234567890123456789012345678901234567890123456789012345678901234\"", false},
    {"uri", "\"urn:x\"", true},
    {"uri", "\"a b\"", false},
    {"url", "\"\"", false},
    {"canonical", "\"http://a/b|1\"", true},
    {"oid", "\"urn:oid:1.2.840.0\"", true},
    {"oid", "\"urn:oid:3.1\"", false},
    {"oid", "\"urn:oid:1.02\"", false},
    {"oid", "\"urn:oid:1.\"", false},
    {"oid", "\"1.2.3\"", false},
    {"uuid", "\"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7\"", true},
    {"uuid", "\"urn:uuid:53FEFA32-fcbb-4ff8-8a92-55ee120877b7\"", false},
    {"uuid", "\"urn:uuid:53fefa32fcbb-4ff8-8a92-55ee120877b7-\"", false},
    {"base64Binary", "\"QUJD RA==\"", true},
    {"base64Binary", "\"QUJDR\"", false},
    {"base64Binary", "\"QU=JD\"", false},
    {"base64Binary", "\"====\"", false},
    {"date", "\"2024\"", true},
    {"date", "\"2024-02-29\"", true},
    {"date", "\"2023-02-29\"", false},
    {"date", "\"1900-02-29\"", false},
    {"date", "\"0000\"", false},
    {"date", "\"2024-13\"", false},
    {"date", "\"2024-1-1\"", false},
    {"date", "\"2024-04-31\"", false},
    {"date", "\"2024-01-01T00:00:00Z\"", false},
    {"dateTime", "\"2024-01-01\"", true},
    {"dateTime", "\"2024-01-01T23:59:60Z\"", true},
    {"dateTime", "\"2024-01-01T23:59:59.123456789+14:00\"", true},
    {"dateTime", "\"2024-01-01T23:59:59+14:01\"", false},
    {"dateTime", "\"2024-01-01T23:59:59\"", false},
    {"dateTime", "\"2024-01-01T24:00:00Z\"", false},
    {"dateTime", "\"2024-01-01T10:00Z\"", false},
    {"dateTime", "\"2024-01T10:00:00Z\"", false},
    {"dateTime", "\"2024-01-01T10:00:00.Z\"", false},
    {"instant", "\"2024-01-01T10:00:00.5-05:00\"", true},
    {"instant", "\"2024-01-01\"", false},
    {"time", "\"10:00:00\"", true},
    {"time", "\"10:00\"", false},
    {"time", "\"10:00:00Z\"", false},
};

static void forms_are_those_of_the_specification(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cleanup_arena struct arena arena;
    const struct json *value;
    struct err err;
    arena_init(&arena, 4096);
    assert_ok(json_parse(&arena, bytes_str(cases[i].json), &value, &err), err);
    uint16_t type = fhir_type_id(fhir_type_find(bytes_str(cases[i].type)));
    if ((fhir_primitive_problem(type, value) == NULL) != cases[i].good)
      fail_msg("%s %s", cases[i].type, cases[i].json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(forms_are_those_of_the_specification)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
