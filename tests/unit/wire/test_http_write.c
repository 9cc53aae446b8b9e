/* Heads, dates and query strings: what goes out can be read back and cannot be split. */
#include "tests/unit/test.h"

#include "wire/http.h"

static void a_reply_is_written(void **state) {
  struct buf buf;
  struct err err;
  struct http_date date = {0};
  const struct http_header headers[] = {
      {BYTES_INIT("X-A"), BYTES_INIT("1")},
      {BYTES_INIT("CONTENT-length"), BYTES_INIT("99")},
      {BYTES_INIT("Transfer-Encoding"), BYTES_INIT("chunked")},
  };
  struct http_reply reply = {.status = 404,
                             .date = http_date(&date, 784111777000),
                             .content_type = BYTES("application/json"),
                             .headers = headers,
                             .header_count = 3,
                             .content_length = 2,
                             .close = true};
  buf_init(&buf, 4096);
  assert_ok(http_reply_write(&buf, &reply, &err), err);
  assert_bytes(buf_bytes(&buf), "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Content-Type: application/json\r\nX-A: 1\r\nContent-Length: 2\r\n"
                                "Connection: close\r\n\r\n");
  buf_reset(&buf);
  reply = (struct http_reply){.status = 204, .content_length = 0};
  assert_ok(http_reply_write(&buf, &reply, &err), err);
  assert_bytes(buf_bytes(&buf), "HTTP/1.1 204 No Content\r\n\r\n");
  buf_reset(&buf);
  reply = (struct http_reply){.status = 299, .chunked = true};
  assert_ok(http_reply_write(&buf, &reply, &err), err);
  assert_bytes(buf_bytes(&buf), "HTTP/1.1 299 Success\r\nTransfer-Encoding: chunked\r\n\r\n");
  buf_fini(&buf);
}

static void a_guest_cannot_split_a_reply(void **state) {
  static const struct http_header bad[] = {
      {BYTES_INIT("X"), BYTES_INIT("a\r\nSet-Cookie: b")},
      {BYTES_INIT("X"), BYTES_INIT("a\nb")},
      {BYTES_INIT("X"), BYTES_INIT("a\0b")},
      {BYTES_INIT("X: y\r\nZ"), BYTES_INIT("a")},
      {BYTES_INIT(""), BYTES_INIT("a")},
      {BYTES_INIT("X Y"), BYTES_INIT("a")},
  };
  struct buf buf;
  struct err err;
  buf_init(&buf, 4096);
  buf_str(&buf, "before");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct http_reply reply = {.status = 200, .headers = &bad[i], .header_count = 1};
    assert_fails(http_reply_write(&buf, &reply, &err), err, ERR_INVALID);
    assert_bytes(buf_bytes(&buf), "before");
    struct http_ask ask = {.method = BYTES("GET"),
                           .target = BYTES("/"),
                           .host = BYTES("h"),
                           .headers = &bad[i],
                           .header_count = 1};
    assert_fails(http_ask_write(&buf, &ask, &err), err, ERR_INVALID);
    assert_bytes(buf_bytes(&buf), "before");
  }
  struct http_reply reply = {.status = 99};
  assert_fails(http_reply_write(&buf, &reply, &err), err, ERR_INVALID);
  reply = (struct http_reply){.status = 200, .content_type = BYTES("a\r\nb: c")};
  assert_fails(http_reply_write(&buf, &reply, &err), err, ERR_INVALID);
  buf_fini(&buf);
}

static void a_full_buffer_is_an_error(void **state) {
  struct buf buf;
  struct err err;
  struct http_reply reply = {.status = 200};
  buf_init(&buf, 20);
  assert_fails(http_reply_write(&buf, &reply, &err), err, ERR_LIMIT);
  buf_fini(&buf);
}

static void a_request_is_written_and_read(void **state) {
  static struct http_request request;
  struct buf buf;
  struct err err;
  struct http_parser parser = {0};
  size_t consumed;
  struct http_ask ask = {.method = BYTES("PUT"),
                         .target = BYTES("/a?b"),
                         .host = BYTES("h:1"),
                         .has_body = true,
                         .content_length = 7};
  buf_init(&buf, 4096);
  assert_ok(http_ask_write(&buf, &ask, &err), err);
  assert_int_equal(http_request_parse(&parser, buf_bytes(&buf), &request, &consumed, &err),
                   HTTP_DONE);
  assert_int_equal(consumed, buf.len);
  assert_bytes(request.target, "/a?b");
  assert_int_equal(request.head.content_length, 7);
  buf_reset(&buf);
  ask.target = BYTES("/a b");
  assert_fails(http_ask_write(&buf, &ask, &err), err, ERR_INVALID);
  ask.target = BYTES("");
  assert_fails(http_ask_write(&buf, &ask, &err), err, ERR_INVALID);
  buf_fini(&buf);
}

static void queries_are_decoded(void **state) {
  struct arena arena;
  struct bytes name, value, rest = BYTES("a=1&&b=x+y%20z%3d=&c&%41=%4g%&=v");
  static const char *const expected[][2] = {
      {"a", "1"}, {"b", "x y z=="}, {"c", ""}, {"A", "%4g%"}, {"", "v"}};
  arena_init(&arena, 4096);
  for (size_t i = 0; i < 5; i++) {
    assert_true(http_query_next(&arena, &rest, &name, &value));
    assert_bytes(name, expected[i][0]);
    assert_bytes(value, expected[i][1]);
  }
  assert_false(http_query_next(&arena, &rest, &name, &value));
  arena_fini(&arena);
}

static void dates_follow_the_clock(void **state) {
  struct http_date date = {0};
  assert_bytes(http_date(&date, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
  assert_bytes(http_date(&date, 1709164799999), "Wed, 28 Feb 2024 23:59:59 GMT");
  assert_bytes(http_date(&date, 1709164800000), "Thu, 29 Feb 2024 00:00:00 GMT");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reply_is_written),        cmocka_unit_test(a_guest_cannot_split_a_reply),
      cmocka_unit_test(a_full_buffer_is_an_error), cmocka_unit_test(a_request_is_written_and_read),
      cmocka_unit_test(queries_are_decoded),       cmocka_unit_test(dates_follow_the_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
