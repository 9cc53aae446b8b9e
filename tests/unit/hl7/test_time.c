/* Times keep their precision; dates that do not exist are refused. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/time.h"

static void fhir_is(const char *text, const char *expected) {
  struct hl7_time time;
  struct err err;
  cleanup_buf struct buf buf;
  buf_init(&buf, 64);
  assert_ok(hl7_time_parse(bytes_str(text), &time, &err), err);
  hl7_time_fhir(&buf, &time, 60);
  assert_bytes(buf_bytes(&buf), expected);
}

static void precision_is_kept(void **state) {
  fhir_is("2026", "2026");
  fhir_is("202601", "2026-01");
  fhir_is("20260102", "2026-01-02");
  fhir_is("2026010203", "2026-01-02T03:00:00+01:00");
  fhir_is("202601020304", "2026-01-02T03:04:00+01:00");
  fhir_is("20260102030405", "2026-01-02T03:04:05+01:00");
  fhir_is("20260102030405.6789-0530", "2026-01-02T03:04:05.6789-05:30");
  fhir_is("20260102030405.67891234+0000", "2026-01-02T03:04:05.6789Z");
  fhir_is(" 20240229 ", "2024-02-29");
  fhir_is("20260102+0100", "2026-01-02");
}

static void what_is_no_time_is_refused(void **state) {
  static const char *const bad[] = {"",
                                    "0000",
                                    "202",
                                    "20261",
                                    "202613",
                                    "20260230",
                                    "20250229",
                                    "2026010224",
                                    "202601020360",
                                    "20260102030460",
                                    "20260102030405.",
                                    "20260102030405+1",
                                    "20260102030405+0160",
                                    "2026-01-02",
                                    "20260102T03",
                                    "now",
                                    "20260102030405+01000",
                                    "20260102030405+1500"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct hl7_time time;
    struct err err = {0};
    if (hl7_time_parse(bytes_str(bad[i]), &time, &err)) fail_msg("%s was taken", bad[i]);
    assert_int_equal(err.code, ERR_MALFORMED);
  }
}

static void our_clock_is_utc(void **state) {
  char text[HL7_TIME_BYTES];
  hl7_time_format(1767323045678, text);
  assert_string_equal(text, "20260102030405.678+0000");
  hl7_time_format(-1, text);
  assert_string_equal(text, "19691231235959.999+0000");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(precision_is_kept),
      cmocka_unit_test(what_is_no_time_is_refused),
      cmocka_unit_test(our_clock_is_utc),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
