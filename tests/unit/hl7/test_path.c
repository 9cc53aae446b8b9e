/* Paths: what they name, in which order, and where they are wrong. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/path.h"

#define ORU \
  "MSH|^~\\&|LAB\rPID|1||1^^^A~2^^^B&1.2&ISO\rOBX|1|NM|K||4.1\rOBX|2|NM|NA||140~141\rOBX|3|TX\r"

static void paths_name_places(void **state) {
  struct hl7_message m = parsed(ORU);
  assert_bytes(hl7_get_str(&m, "PID-3"), "1^^^A");
  assert_bytes(hl7_get_str(&m, "PID-3[2].4.2"), "1.2");
  assert_bytes(hl7_get_str(&m, "PID.3[2].1"), "2");
  assert_bytes(hl7_get_str(&m, "PID-3[3].1"), "");
  assert_bytes(hl7_get_str(&m, "OBX[2]-5[2]"), "141");
  assert_bytes(hl7_get_str(&m, "OBX[2]-5[*]"), "140");
  assert_bytes(hl7_get_str(&m, "OBX[4]-5"), "");
  assert_bytes(hl7_get_str(&m, "OBX"), "OBX|1|NM|K||4.1");
  assert_bytes(hl7_get_str(&m, "MSH-1"), "|");
  assert_bytes(hl7_get_str(&m, "MSH-2"), "^~\\&");
  assert_bytes(hl7_get_str(&m, "ZZZ-1"), "");
}

static bool list(void *arg, uint32_t segment_nth, uint32_t field_nth, struct bytes raw) {
  buf_printf(arg, "%u/%u=%.*s ", segment_nth, field_nth, BYTES_FMT(raw));
  return true;
}

static void every_is(const char *text, const char *expected) {
  struct hl7_message m = parsed(ORU);
  struct hl7_path path;
  struct err err;
  cleanup_buf struct buf all;
  buf_init(&all, 4096);
  assert_ok(hl7_path_parse(bytes_str(text), &path, &err), err);
  hl7_each(&m, &path, list, &all);
  assert_bytes(buf_bytes(&all), expected);
}

static void every_place_is_visited_in_order(void **state) {
  every_is("OBX[*]-5", "1/1=4.1 2/1=140 3/1= ");
  every_is("OBX[*]-5[*]", "1/1=4.1 2/1=140 2/2=141 ");
  every_is("PID-3[*].4.1", "1/1=A 1/2=B ");
  every_is("OBX[2]-3", "2/1=NA ");
}

static void wrong_paths_say_where(void **state) {
  static const struct {
    const char *path;
    uint64_t offset;
  } cases[] = {{"", 0},       {"pid-3", 0},    {"PI", 2},          {"PID-", 4},
               {"PID-0", 4},  {"PID-3[", 6},   {"PID-3[2", 7},     {"PID-3[0]", 6},
               {"PID-3.", 6}, {"PID-3.1.", 8}, {"PID-3.1.1.1", 9}, {"PID-100001", 4},
               {"PID-3 ", 5}, {"1ID-3", 0},    {"PID[]-3", 4},     {"PID-99999999999999999999", 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct hl7_path path;
    struct err err = {0};
    assert_false(hl7_path_parse(bytes_str(cases[i].path), &path, &err));
    assert_int_equal(err.code, ERR_MALFORMED);
    assert_int_equal(err.offset, cases[i].offset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_name_places),
      cmocka_unit_test(every_place_is_visited_in_order),
      cmocka_unit_test(wrong_paths_say_where),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
