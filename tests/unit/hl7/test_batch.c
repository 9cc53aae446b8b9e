/* Files of messages, with and without their envelope. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/batch.h"

static struct hl7_batch all(const char *text, const char *expected) {
  struct hl7_batch batch;
  struct bytes message;
  cleanup_buf struct buf out;
  buf_init(&out, 4096);
  hl7_batch_init(&batch, bytes_str(text));
  while (hl7_batch_next(&batch, &message)) {
    struct hl7_message m = parsed_bytes(message);
    buf_printf(&out, "%.*s:%u ", BYTES_FMT(hl7_value(&m, &m.segments[0], 3, 1)), m.count);
  }
  assert_bytes(buf_bytes(&out), expected);
  return batch;
}

static void messages_are_found(void **state) {
  struct hl7_batch b = all("MSH|^~\\&|A\rPID|1\r", "A:2 ");
  assert_true(hl7_batch_is_whole(&b));
  b = all("MSH|^~\\&|A\nPID|1\n\nMSH|^~\\&|B\n", "A:2 B:1 ");
  b = all("FHS|^~\\&|F\rBHS|^~\\&|F\rMSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\rBTS|2\rFTS|1\r", "A:2 B:1 ");
  assert_true(b.has_count && hl7_batch_is_whole(&b));
  b = all("\x0bMSH|^~\\&|A\r\x1c\r\x0bMSH|^~\\&|B\r\x1c\r", "A:1 B:1 ");
  assert_int_equal(b.skipped_lines, 0);
}

static void a_false_count_is_told(void **state) {
  struct hl7_batch b = all("BHS|^~\\&\rMSH|^~\\&|A\rBTS|3\r", "A:1 ");
  assert_false(hl7_batch_is_whole(&b));
}

static void noise_is_counted(void **state) {
  struct hl7_batch b = all("hello\r\rworld\rMSH|^~\\&|A\r", "A:1 ");
  assert_int_equal(b.skipped_lines, 2);
  b = all("", "");
  assert_int_equal(b.messages, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_are_found),
      cmocka_unit_test(a_false_count_is_told),
      cmocka_unit_test(noise_is_counted),
  };
  return cmocka_run_group_tests(tests, hl7_test_setup, hl7_test_teardown);
}
