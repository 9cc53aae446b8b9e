/* Requests in, however they are cut up; what is not a request is refused with a reason. */
#include "tests/unit/source/http/rig.h"

static const char three[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
                            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nbye\r\n4;x=y\r\nbye!\r\n0\r\n\r\n";

static void expect_three(void) {
  assert_bytes(buf_bytes(&rig.seen), "GET /a;POST /echo;helloPOST /echo;byebye!");
  assert_bytes(buf_bytes(&rig.got), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                    "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n/a"
                                    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                    "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
                                    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                    "Content-Type: text/plain\r\nContent-Length: 7\r\n\r\nbyebye!");
}

static void every_split_gives_the_same_answers(void **state) {
  for (size_t cut = 1; cut < sizeof three - 1; cut++) {
    rig_open((struct http_server_options){0});
    rig_connect((struct sim_stream_options){0});
    rig_send_bytes(bytes_of(three, cut));
    rig_run();
    rig_send(three + cut);
    expect_three();
    rig_shut();
  }
}

static void byte_by_byte_and_all_at_once(void **state) {
  for (size_t step = 0; step < 4; step++) {
    rig_open((struct http_server_options){0});
    rig_connect((struct sim_stream_options){.step_bytes_max = step});
    rig_send(three);
    expect_three();
    rig_shut();
  }
}

static void random_steps_in_a_narrow_pipe(void **state) {
  for (uint64_t seed = 0; seed < 100; seed++) {
    struct random_seeded random;
    random_seeded_init(&random, seed);
    rig_open((struct http_server_options){0});
    rig_connect((struct sim_stream_options){.room_bytes = 40, .random = &random.port});
    rig_send(three);
    expect_three();
    rig_shut();
  }
}

static void many_pipelined_are_answered_in_order(void **state) {
  rig_open((struct http_server_options){.pipeline_max = 3});
  rig_connect((struct sim_stream_options){0});
  struct buf all;
  buf_init(&all, 1 << 20);
  for (int i = 0; i < 500; i++) buf_printf(&all, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
  rig_send_bytes(buf_bytes(&all));
  rig_run();
  buf_fini(&all);
  assert_int_equal(rig.requests, 500);
  struct bytes left = buf_bytes(&rig.got);
  for (int i = 0; i < 500; i++) {
    char expected[32];
    snprintf(expected, sizeof expected, "\r\n\r\n/%d", i);
    size_t at = bytes_find_bytes(left, bytes_str(expected));
    assert_true(at < left.len);
    left = bytes_from(left, at + 4);
  }
  rig_shut();
}

static void refused(const char *text, const char *status, const char *code) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
  rig_send(text);
  rig_assert_got(status);
  rig_assert_got(code);
  rig_assert_got("Connection: close\r\n");
  assert_int_equal(rig_count("Content-Length: "), 1);
  assert_true(rig.client_ended);
  assert_int_equal(rig.requests, 0);
  rig_shut();
}

static void what_is_no_request_is_refused(void **state) {
  refused("hello\r\n\r\n", "HTTP/1.1 400 ", "{\"error\":{\"code\":\"malformed\",\"message\":\"");
  refused("GET /a HTTP/1.1\nHost: h\n\n", "HTTP/1.1 400 ", "malformed");
  refused("GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "\"error\"");
  refused("GET /a HTTP/2.0\r\nHost: h\r\n\r\n", "HTTP/1.1 505 ", "\"error\"");
  refused("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 400 ", "\"error\"");
  refused("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 ",
          "\"error\"");
  refused("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
          "HTTP/1.1 400 ", "malformed");
}

static void too_long_heads_and_targets(void **state) {
  struct buf text;
  buf_init(&text, 1 << 20);
  buf_str(&text, "GET /");
  for (int i = 0; i < 9000; i++) buf_char(&text, 'a');
  buf_char(&text, 0);
  refused((const char *)text.at, "HTTP/1.1 414 ", "limit");
  buf_reset(&text);
  buf_str(&text, "GET / HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 99; i++) buf_printf(&text, "X-%d: %0400d\r\n", i, i);
  buf_str(&text, "\r\n");
  buf_char(&text, 0);
  refused((const char *)text.at, "HTTP/1.1 431 ", "limit");
  buf_fini(&text);
}

static void too_large_bodies(void **state) {
  refused("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 ",
          "at most 1000 bytes");
  struct buf text;
  buf_init(&text, 1 << 20);
  buf_str(&text, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; i++) buf_printf(&text, "64\r\n%0100d\r\n", i);
  buf_str(&text, "0\r\n\r\n");
  buf_char(&text, 0);
  refused((const char *)text.at, "HTTP/1.1 413 ", "at most 1000 bytes");
  buf_fini(&text);
}

static void a_client_that_asks_first_is_told_to_go_on(void **state) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
  rig_send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  assert_bytes(buf_bytes(&rig.got), "HTTP/1.1 100 Continue\r\n\r\n");
  rig_send("ok");
  rig_assert_got("\r\n\r\nok");
  rig_shut();
  refused("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n",
          "HTTP/1.1 413 ", "limit");
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
  rig_send("PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n"
           "Expect: 100-continue\r\n\r\n");
  rig_assert_got("HTTP/1.1 413 ");
  assert_int_equal(rig_count("100 Continue"), 0);
  rig_shut();
}

static void a_streamed_body_arrives_whole(void **state) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    struct random_seeded random;
    static char block[50000];
    memset(block, 's', sizeof block);
    random_seeded_init(&random, seed);
    rig_open((struct http_server_options){0});
    rig_connect((struct sim_stream_options){.random = &random.port});
    rig_send("PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n");
    rig_send_bytes(bytes_of(block, sizeof block));
    rig_send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(rig.streamed_bytes, sizeof block);
    assert_int_equal(rig.stream_end, ERR_OK);
    rig_assert_got("\r\n\r\nstored");
    rig_assert_got("\r\n\r\n/next");
    rig_shut();
  }
}

static void a_paused_body_waits(void **state) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){.room_bytes = 100});
  rig.pause = true;
  rig_send("PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
           "2\r\nab\r\n2\r\ncd\r\n");
  assert_int_equal(rig.streamed_bytes, 2);
  rig_wait(120000); /* being made to wait is not being slow */
  assert_int_equal(rig.stream_ends, 0);
  exchange_resume_body(rig.streaming);
  rig_run();
  assert_int_equal(rig.streamed_bytes, 4);
  rig.pause = false;
  exchange_resume_body(rig.streaming);
  rig_send("0\r\n\r\n");
  assert_int_equal(rig.stream_ends, 1);
  rig_assert_got("\r\n\r\nstored");
  rig_shut();
}

static void a_streamed_body_over_its_limit(void **state) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
  rig_send("PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  static char block[70000];
  memset(block, 's', sizeof block);
  for (int i = 0; i < 16; i++) {
    rig_send("11170\r\n");
    rig_send_bytes(bytes_of(block, sizeof block));
    rig_send("\r\n");
  }
  assert_int_equal(rig.stream_ends, 1);
  assert_int_equal(rig.stream_end, ERR_LIMIT);
  rig_assert_got("HTTP/1.1 413 ");
  rig_shut();
}

static void an_answer_before_the_body_ends_the_connection(void **state) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
  rig_send("PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nGET /x HTTP/1.1\r\n\r\n");
  rig_assert_got("no need");
  rig_assert_got("Connection: close");
  assert_int_equal(rig.requests, 1); /* the body is never taken for a request */
  assert_true(rig.client_ended);
  rig_shut();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_split_gives_the_same_answers),
      cmocka_unit_test(byte_by_byte_and_all_at_once),
      cmocka_unit_test(random_steps_in_a_narrow_pipe),
      cmocka_unit_test(many_pipelined_are_answered_in_order),
      cmocka_unit_test(what_is_no_request_is_refused),
      cmocka_unit_test(too_long_heads_and_targets),
      cmocka_unit_test(too_large_bodies),
      cmocka_unit_test(a_client_that_asks_first_is_told_to_go_on),
      cmocka_unit_test(a_streamed_body_arrives_whole),
      cmocka_unit_test(a_paused_body_waits),
      cmocka_unit_test(a_streamed_body_over_its_limit),
      cmocka_unit_test(an_answer_before_the_body_ends_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
