/* What is written can be read, and says the same. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/path.h"
#include "hl7/write.h"

static void a_message_is_put_together(void **state) {
  cleanup_buf struct buf buf;
  struct hl7_out out;
  buf_init(&buf, 4096);
  hl7_out_init(&out, &buf, NULL);
  hl7_out_segment(&out, "MSH");
  hl7_out_str(&out, 3, 1, "MEDULLA");
  hl7_out_str(&out, 9, 1, "ORM");
  hl7_out_str(&out, 9, 2, "O01");
  hl7_out_segment(&out, "PID");
  hl7_out_str(&out, 3, 1, "123");
  hl7_out_at(&out, 3, 4, 2, BYTES("1.2.3"));
  hl7_out_repeat(&out);
  hl7_out_str(&out, 3, 1, "456");
  hl7_out_str(&out, 5, 2, "");
  hl7_out_segment(&out, "NTE");
  hl7_out_end(&out);
  assert_bytes(buf_bytes(&buf), "MSH|^~\\&|MEDULLA||||||ORM^O01\rPID|||123^^^&1.2.3~456\rNTE\r");
}

static void any_text_comes_back(void **state) {
  static const char *const texts[] = {"a|b^c~d&e\\f",  "\\.br\\",  "line\nbreak", "tab\there",
                                      "M\xc3\xbcller", "\x01\x1f", "ends with \\"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cleanup_buf struct buf buf;
    struct hl7_out out;
    buf_init(&buf, 4096);
    hl7_out_init(&out, &buf, NULL);
    hl7_out_segment(&out, "MSH");
    hl7_out_str(&out, 18, 1, "UNICODE UTF-8");
    hl7_out_segment(&out, "NTE");
    hl7_out_str(&out, 3, 1, texts[i]);
    hl7_out_end(&out);
    struct hl7_message m = parsed_bytes(buf_bytes(&buf));
    assert_int_equal(m.count, 2);
    assert_bytes(hl7_text(&arena, &m, hl7_get_str(&m, "NTE-3")), texts[i]);
    assert_int_equal(m.note_count, 0);
  }
}

static void other_separators_are_kept(void **state) {
  cleanup_buf struct buf buf;
  struct hl7_out out;
  struct hl7_separators own = {'*', '!', '%', '?', '$', '#'};
  buf_init(&buf, 4096);
  hl7_out_init(&out, &buf, &own);
  hl7_out_segment(&out, "MSH");
  hl7_out_str(&out, 3, 1, "a*b!c#d|e");
  hl7_out_raw(&out, 4, BYTES("x!y"));
  hl7_out_end(&out);
  assert_bytes(buf_bytes(&buf), "MSH*!%?$#*a?F?b?S?c?P?d|e*x!y\r");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_is_put_together),
      cmocka_unit_test(any_text_comes_back),
      cmocka_unit_test(other_separators_are_kept),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
