/* From a frame to an easy handle: what is refused before anything is resolved. */
#include "tests/unit/test.h"

#include "egress/transfer.h"

static struct egress_request good(void) {
  return (struct egress_request){
      .url = BYTES("https://example.org/a"), .method = BYTES("GET"), .timeout_ms = 1000};
}

static enum err_code set_up(const struct egress_request *request) {
  struct transfer *transfer = NULL;
  struct bytes frame;
  struct buf buf;
  struct err err = {.code = ERR_OK};
  uint64_t number = 0;
  size_t consumed;
  buf_init(&buf, 1 << 20);
  egress_put_request(&buf, 7, request);
  assert_int_equal(egress_frame_next(buf_bytes(&buf), &frame, &consumed), EGRESS_FRAME);
  assert_int_equal(consumed, buf.len);
  if (transfer_new(frame, &number, &transfer, &err)) transfer_free(&transfer);
  assert_int_equal(number, err.code == ERR_CORRUPT ? 0 : 7);
  buf_fini(&buf);
  return err.code;
}

static void test_requests(void **state) {
  struct egress_request request = good();
  (void)state;
  assert_int_equal(set_up(&request), ERR_OK);
  request.url = BYTES("https://user:pass@example.org/");
  assert_int_not_equal(set_up(&request), ERR_OK);
  request.url = BYTES("file:///etc/passwd");
  assert_int_not_equal(set_up(&request), ERR_OK);
  request.url = BYTES("http://0x7f.1/");
  assert_int_not_equal(set_up(&request), ERR_OK);
  request.url = BYTES("smtp://example.org/");
  assert_int_equal(set_up(&request), ERR_INVALID);
  request = good();
  request.method = BYTES("GET /x HTTP/1.1\r\nA:");
  assert_int_equal(set_up(&request), ERR_INVALID);
  request = good();
  request.headers = BYTES("A: b\r\n: c\r\n");
  assert_int_equal(set_up(&request), ERR_INVALID);
  request = good();
  request.kind = EGRESS_SMTP;
  assert_int_equal(set_up(&request), ERR_INVALID); /* not a mail server's URL */
  request.url = BYTES("smtp://example.org");
  request.mail_from = BYTES("a@example.org");
  assert_int_equal(set_up(&request), ERR_INVALID); /* no recipient */
  request.mail_to = BYTES("b@example.org, c@example.org");
  assert_int_equal(set_up(&request), ERR_OK);
  request.timeout_ms = EGRESS_TIMEOUT_MS_MAX + 1;
  assert_int_equal(set_up(&request), ERR_CORRUPT);
}

/* Every cut of a frame is refused, and none is read past its end. */
static void test_cut_frames(void **state) {
  struct egress_request request = good();
  struct buf buf;
  struct bytes frame, cut;
  size_t consumed;
  (void)state;
  buf_init(&buf, 1 << 16);
  egress_put_request(&buf, 1, &request);
  struct bytes whole = buf_bytes(&buf);
  for (size_t len = 0; len < whole.len; len++)
    assert_int_equal(egress_frame_next(bytes_sub(whole, 0, len), &cut, &consumed), EGRESS_MORE);
  assert_int_equal(egress_frame_next(whole, &frame, &consumed), EGRESS_FRAME);
  for (size_t len = 0; len < frame.len; len++) {
    struct err err;
    uint64_t number;
    assert_fails(egress_get_request(bytes_sub(frame, 0, len), &number, &request, &err), err,
                 ERR_CORRUPT);
  }
  assert_int_equal(egress_frame_next(BYTES("\xff\xff\xff\xff"), &cut, &consumed), EGRESS_BAD);
  buf_fini(&buf);
}

static void test_answer(void **state) {
  struct egress_answer answer = {.status = 404, .headers = BYTES("A: b\r\n"), .body = BYTES("x")};
  struct egress_answer back;
  struct buf buf;
  struct bytes frame;
  struct err err;
  uint64_t number;
  size_t consumed;
  (void)state;
  buf_init(&buf, 1 << 16);
  err_clear(&answer.err);
  egress_put_answer(&buf, 3, &answer);
  assert_int_equal(egress_frame_next(buf_bytes(&buf), &frame, &consumed), EGRESS_FRAME);
  assert_ok(egress_get_answer(frame, &number, &back, &err), err);
  assert_int_equal(number, 3);
  assert_int_equal(back.status, 404);
  assert_bytes(back.headers, "A: b\r\n");
  assert_bytes(back.body, "x");
  for (size_t len = 0; len < frame.len; len++)
    assert_fails(egress_get_answer(bytes_sub(frame, 0, len), &number, &back, &err), err,
                 ERR_CORRUPT);
  buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_requests),
                                     cmocka_unit_test(test_cut_frames),
                                     cmocka_unit_test(test_answer)};
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
