/* Groups: every segment gets its place, also the ones that should not be there. */
#include "tests/unit/hl7/hl7_test.h"

#include "base/buf.h"
#include "hl7/structure.h"

static const struct hl7_place *placed(const struct hl7_message *m) {
  const struct hl7_place *places;
  struct err err;
  assert_ok(hl7_structure_match(&arena, hl7_structure_of(m), m, &places, &err), err);
  return places;
}

static void assert_place(const struct hl7_place *place, const char *expected) {
  struct buf buf;
  buf_init(&buf, 512);
  for (uint32_t i = 0; i < place->depth; i++) {
    buf_printf(&buf, "%s%s[%u]", i ? "." : "", place->groups[i].name, place->groups[i].nth);
  }
  assert_bytes(buf_bytes(&buf), expected);
  buf_fini(&buf);
}

#define ORU \
  "MSH|^~\\&|||||||ORU^R01|1|P|2.5\rPID|1\rPV1|1\rORC|1\rOBR|1\rNTE|1\rOBX|1\rNTE|2\rOBX|2\r" \
  "SPM|1\rOBR|2\rZZZ|1\rOBX|3\rPID|2\rOBR|3\r"
#define RESULT "PATIENT_RESULT[1].ORDER_OBSERVATION"

static void results_are_grouped(void **state) {
  struct hl7_message m = parsed(ORU);
  const struct hl7_place *p = placed(&m);
  static const char *const expected[] = {"",
                                         "PATIENT_RESULT[1].PATIENT[1]",
                                         "PATIENT_RESULT[1].PATIENT[1].VISIT[1]",
                                         RESULT "[1]",
                                         RESULT "[1]",
                                         RESULT "[1]",
                                         RESULT "[1].OBSERVATION[1]",
                                         RESULT "[1].OBSERVATION[1]",
                                         RESULT "[1].OBSERVATION[2]",
                                         RESULT "[1].SPECIMEN[1]",
                                         RESULT "[2]",
                                         RESULT "[2]",
                                         RESULT "[2].OBSERVATION[1]",
                                         "PATIENT_RESULT[2].PATIENT[1]",
                                         "PATIENT_RESULT[2].ORDER_OBSERVATION[1]"};
  assert_int_equal(m.count, sizeof expected / sizeof *expected);
  for (uint32_t i = 0; i < m.count; i++) assert_place(&p[i], expected[i]);
  assert_int_equal(p[11].fit, HL7_UNKNOWN);
}

static void the_structure_follows_from_the_event(void **state) {
  static const struct {
    const char *type, *structure;
  } cases[] = {{"ADT^A08", "ADT_A01"},         {"ADT^A40", "ADT_A39"},
               {"ADT^A31^ADT_A05", "ADT_A05"}, {"SIU^S26", "SIU_S12"},
               {"XYZ^Q01^ORU_R01", "ORU_R01"}, {"ADT^A40^ADT_A40", "ADT_A39"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[128];
    snprintf(text, sizeof text, "MSH|^~\\&|||||||%s|1|P|2.5", cases[i].type);
    struct hl7_message m = parsed_bytes(arena_copy(&arena, bytes_str(text)));
    assert_string_equal(hl7_structure_name(hl7_structure_of(&m)), cases[i].structure);
  }
  struct hl7_message m = parsed("MSH|^~\\&|||||||ADT|1|P|2.5\rPID|1");
  assert_null(hl7_structure_of(&m));
  assert_place(&placed(&m)[1], "");
}

static void a_wrong_order_is_taken_and_told(void **state) {
  struct hl7_message m =
      parsed("MSH|^~\\&|||||||ADT^A01|1|P|2.5\rPID|1\rEVN|A01\rPV1|1\rNK1|1\rAL1|1\r");
  const struct hl7_place *p = placed(&m);
  assert_int_equal(p[1].fit, HL7_FITS);
  assert_int_equal(p[2].fit, HL7_OUT_OF_ORDER);
  assert_int_equal(p[4].fit, HL7_OUT_OF_ORDER);
  assert_int_equal(p[5].fit, HL7_FITS);
}

static void missing_segments_are_named(void **state) {
  struct hl7_message m = parsed("MSH|^~\\&|||||||ADT^A40|1|P|2.5\rPID|1\r");
  const struct hl7_place *p = placed(&m);
  const char *group = NULL;
  uint32_t at = 0;
  assert_string_equal(hl7_structure_missing(hl7_structure_of(&m), &m, p, &at, &group), "EVN");
  assert_null(group);
  assert_string_equal(hl7_structure_missing(hl7_structure_of(&m), &m, p, &at, &group), "MRG");
  assert_string_equal(group, "PATIENT");
  assert_null(hl7_structure_missing(hl7_structure_of(&m), &m, p, &at, &group));
}

static bool collect(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw) {
  struct buf *buf = arg;
  buf_put(buf, raw);
  buf_char(buf, ' ');
  return true;
}

static void group_paths_name_places(void **state) {
  static const struct {
    const char *path, *found;
  } cases[] = {{"ORDER_OBSERVATION[1].OBSERVATION[*].OBX-1", "1 2 "},
               {"ORDER_OBSERVATION[2].OBSERVATION[1].OBX-1", "3 "},
               {"OBSERVATION[*].OBX-1", "1 2 3 "},
               {"OBSERVATION.NTE-1", "2 "},
               {"PATIENT_RESULT[2].OBR-1", "3 "},
               {"ORDER_OBSERVATION[3].OBX-1", ""},
               {"OBX[3]-1", "3 "}};
  struct hl7_message m = parsed(ORU);
  const struct hl7_place *p = placed(&m);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct hl7_group_path path;
    struct err err;
    struct buf buf;
    buf_init(&buf, 512);
    assert_ok(hl7_group_path_parse(bytes_str(cases[i].path), &path, &err), err);
    hl7_group_each(&m, p, &path, collect, &buf);
    assert_bytes(buf_bytes(&buf), cases[i].found);
    buf_fini(&buf);
  }
}

static void wrong_group_paths_are_refused(void **state) {
  static const struct {
    const char *path;
    uint64_t offset;
  } cases[] = {{"OBSERVATION", 11},
               {"OBSERVATION[0].OBX", 12},
               {"OBSERVATION[1", 11},
               {"OBSERVATION[1].OBX-", 19}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct hl7_group_path path;
    struct err err;
    assert_false(hl7_group_path_parse(bytes_str(cases[i].path), &path, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_int_equal(err.offset, cases[i].offset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_are_grouped),
      cmocka_unit_test(the_structure_follows_from_the_event),
      cmocka_unit_test(a_wrong_order_is_taken_and_told),
      cmocka_unit_test(missing_segments_are_named),
      cmocka_unit_test(group_paths_name_places),
      cmocka_unit_test(wrong_group_paths_are_refused),
  };
  return cmocka_run_group_tests_name("hl7/structure", tests, hl7_test_setup, hl7_test_teardown);
}
