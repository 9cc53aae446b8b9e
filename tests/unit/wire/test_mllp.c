/* Frames split anywhere, glued, abandoned, endless. */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/mllp.h"

/* Feeds `stream` in steps of `step` bytes; the frames, each followed by ';'. */
static struct mllp feed(const char *stream, size_t step, const char *expected) {
  struct mllp mllp;
  struct bytes all = bytes_str(stream), frame;
  cleanup_buf struct buf in, out;
  struct err err;
  buf_init(&in, 4096);
  buf_init(&out, 4096);
  mllp_init(&mllp, 100);
  while (all.len) {
    buf_put(&in, bytes_sub(all, 0, step));
    all = bytes_from(all, step);
    for (bool has = true; has;) {
      size_t consumed;
      assert_ok(mllp_next(&mllp, buf_bytes(&in), &consumed, &frame, &has, &err), err);
      if (has) buf_printf(&out, "%.*s;", BYTES_FMT(frame));
      buf_consume(&in, consumed);
    }
  }
  assert_bytes(buf_bytes(&out), expected);
  return mllp;
}

static void frames_may_come_in_any_pieces(void **state) {
  for (size_t step = 1; step < 30; step++) {
    feed("\vabc\x1c\r\vde\x1c\r\v\x1c\r", step, "abc;de;;");
    feed("\vabc\x1c\vde\x1c", step, "abc;de;"); /* without <CR> */
  }
}

static void noise_is_skipped_and_counted(void **state) {
  struct mllp m = feed("xy\vabc\x1c\r\nz\vd\x1c\r", 3, "abc;d;");
  assert_int_equal(m.skipped_bytes, 3);
  m = feed("\vhalf\vwhole\x1c\r", 4, "whole;");
  assert_int_equal(m.skipped_bytes, 4);
  m = feed("no frame at all", 4, "");
  assert_int_equal(m.skipped_bytes, 15);
}

static void a_frame_has_a_limit(void **state) {
  struct mllp mllp;
  struct bytes frame;
  struct err err;
  size_t consumed;
  bool has;
  char big[200] = "\v";
  memset(big + 1, 'a', sizeof big - 1);
  mllp_init(&mllp, 100);
  assert_true(mllp_next(&mllp, bytes_of(big, 101), &consumed, &frame, &has, &err) && !has);
  assert_false(mllp_next(&mllp, bytes_of(big, 102), &consumed, &frame, &has, &err));
  assert_int_equal(err.code, ERR_LIMIT);
}

static void what_is_written_is_read(void **state) {
  cleanup_buf struct buf buf;
  buf_init(&buf, 100);
  mllp_write(&buf, BYTES("MSH|"));
  assert_bytes(buf_bytes(&buf), "\vMSH|\x1c\r");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_may_come_in_any_pieces),
      cmocka_unit_test(noise_is_skipped_and_counted),
      cmocka_unit_test(a_frame_has_a_limit),
      cmocka_unit_test(what_is_written_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
