/* Answers: now, later, in pieces, to nobody; framed so that no client can misread them. */
#include "tests/unit/source/http/rig.h"

static void open_one(void) {
  rig_open((struct http_server_options){0});
  rig_connect((struct sim_stream_options){0});
}

static void reply_held(size_t i, const char *text) {
  static const struct http_answer ok = {.status = 200};
  exchange_reply(rig.held[i], &ok, bytes_str(text));
  rig.held[i] = NULL;
  rig_run();
}

static void an_answer_can_come_later(void **state) {
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  rig_wait(600000);
  assert_int_equal(rig.requests, 1); /* in order: the second waits for the first */
  reply_held(0, "late");
  assert_int_equal(rig.requests, 2);
  size_t first = bytes_find_bytes(buf_bytes(&rig.got), BYTES("late"));
  size_t second = bytes_find_bytes(buf_bytes(&rig.got), BYTES("\r\n\r\n/b"));
  assert_true(first < second && second < rig.got.len);
  rig_shut();
}

static void input_during_a_wait_is_left_to_tcp(void **state) {
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  static char flood[60000];
  memset(flood, 'x', sizeof flood);
  rig_send_bytes(bytes_of(flood, sizeof flood));
  rig_run();
  assert_true(http_server_load(rig.server).bytes_in < 1000);
  reply_held(0, "late");
  rig_assert_got("late");
  rig_assert_got("HTTP/1.1 414 ");
  rig_shut();
}

static void a_half_closed_client_gets_its_answer(void **state) {
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  stream_finish(rig.client);
  rig_run();
  assert_int_equal(rig.gone, 0);
  reply_held(0, "still here");
  rig_assert_got("still here");
  assert_true(rig.client_ended);
  assert_int_equal(http_server_load(rig.server).connections, 0);
  rig_shut();
}

static void a_handler_is_told_when_the_client_is_gone(void **state) {
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  sim_stream_break(rig.client);
  rig_run();
  assert_int_equal(rig.gone, 1);
  assert_true(exchange_is_gone(rig.held[0]));
  assert_bytes(exchange_request(rig.held[0])->path, "/hold"); /* still valid */
  assert_int_equal(http_server_load(rig.server).connections, 0);
  assert_int_equal(http_server_load(rig.server).exchanges, 1);
  reply_held(0, "to nobody");
  assert_int_equal(http_server_load(rig.server).exchanges, 0);
  rig_shut();
}

static void head_has_a_length_and_no_body(void **state) {
  open_one();
  rig_send("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\nHEAD /down HTTP/1.1\r\nHost: h\r\n\r\n"
           "HEAD /known HTTP/1.1\r\nHost: h\r\n\r\nGET /z HTTP/1.1\r\nHost: h\r\n\r\n");
  rig_assert_got("Content-Length: 4\r\n\r\nHTTP/1.1 200 OK");
  rig_assert_got("Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK");
  rig_assert_got("Content-Length: 1000000\r\n\r\nHTTP/1.1 200 OK");
  rig_assert_got("\r\n\r\n/z");
  rig_shut();
}

static void old_clients_are_answered_and_closed(void **state) {
  open_one();
  rig_send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  rig_assert_got("Connection: close\r\n");
  rig_assert_got("\r\n\r\n/a");
  assert_true(rig.client_ended);
  rig_shut();
  open_one();
  rig_send("GET /down HTTP/1.0\r\n\r\n");
  assert_int_equal(rig_count("chunked"), 0);
  assert_int_equal(rig_count("Content-Length"), 0);
  assert_true(rig.client_ended);
  assert_int_equal(rig.got.len - bytes_find_bytes(buf_bytes(&rig.got), BYTES("\r\n\r\n")) - 4,
                   1000 * 1000);
  rig_shut();
}

static void close_is_obeyed(void **state) {
  open_one();
  rig_send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  rig_assert_got("Connection: close\r\n");
  assert_true(rig.client_ended);
  assert_int_equal(http_server_load(rig.server).connections, 1); /* lingers for the client's end */
  stream_close(&rig.client);
  rig_run();
  assert_int_equal(http_server_load(rig.server).connections, 0);
  rig_shut();
}

static void a_long_answer_goes_out_in_random_pieces(void **state) {
  for (uint64_t seed = 0; seed < 10; seed++) {
    struct random_seeded random;
    random_seeded_init(&random, seed);
    rig_open((struct http_server_options){0});
    rig_connect((struct sim_stream_options){.room_bytes = 5000, .random = &random.port});
    rig_send("GET /down HTTP/1.1\r\nHost: h\r\n\r\nGET /known HTTP/1.1\r\nHost: h\r\n\r\n"
             "GET /z HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(rig_count("\r\n3e8\r\nd"), 1000);
    assert_int_equal(rig_count("\r\n0\r\n\r\nHTTP/1.1"), 1);
    rig_assert_got("ddHTTP/1.1 200 OK");
    rig_assert_got("\r\n\r\n/z");
    rig_shut();
  }
}

static void a_slow_reader_holds_the_writer_back(void **state) {
  open_one();
  stream_want(rig.client, 0);
  rig_send("GET /known HTTP/1.1\r\nHost: h\r\n\r\n");
  struct http_server_load load = http_server_load(rig.server);
  assert_true(load.bytes_out < 100000);
  assert_int_equal(load.exchanges, 1);
  rig_wait(29000);
  assert_int_equal(http_server_load(rig.server).connections, 1);
  rig_wait(2000); /* nothing read in 30 s: cut */
  assert_int_equal(http_server_load(rig.server).connections, 0);
  rig_shut();
}

static void bytes_that_are_not_allowed_in_a_header(void **state) {
  open_one();
  rig_send("GET /bad HTTP/1.1\r\nHost: h\r\n\r\nGET /z HTTP/1.1\r\nHost: h\r\n\r\n");
  rig_assert_got("HTTP/1.1 502 ");
  rig_assert_got("\"code\":\"guest\"");
  rig_assert_got("\r\n\r\n/z");
  assert_int_equal(rig_count("Evil"), 0);
  rig_shut();
}

static void an_answer_short_of_its_length_is_cut(void **state) {
  static const struct http_answer ok = {.status = 200};
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  exchange_reply_start(rig.held[0], &ok, 10);
  assert_true(exchange_write(rig.held[0], BYTES("short")));
  exchange_reply_end(rig.held[0]);
  rig.held[0] = NULL;
  rig_run();
  assert_true(rig.client_broken);
  rig_shut();
}

static void events_go_out_one_by_one(void **state) {
  static const struct http_answer ok = {.status = 200,
                                        .content_type = BYTES_INIT("text/event-stream")};
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  exchange_reply_start(rig.held[0], &ok, HTTP_LENGTH_UNKNOWN);
  for (int i = 0; i < 5; i++) {
    rig_wait(100000); /* a quiet stream has no deadline */
    assert_true(exchange_write(rig.held[0], BYTES("data: 1\n\n")));
    rig_run();
    assert_int_equal(rig_count("9\r\ndata: 1\n\n\r\n"), i + 1);
  }
  sim_stream_break(rig.client);
  rig_run();
  assert_int_equal(rig.gone, 1);
  assert_true(exchange_write(rig.held[0], BYTES("data: 2\n\n")));
  exchange_reply_end(rig.held[0]);
  rig.held[0] = NULL;
  rig_shut();
}

static void an_error_answers_by_the_table(void **state) {
  struct err err;
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  err_set(&err, ERR_BUSY, "x.c:1", ERR_OFFSET_NONE, "the \"queue\" is full");
  exchange_fail(rig.held[0], &err);
  rig.held[0] = NULL;
  rig_run();
  rig_assert_got("HTTP/1.1 429 ");
  rig_assert_got("Retry-After: 1\r\n");
  rig_assert_got("{\"error\":{\"code\":\"busy\",\"message\":\"the \\\"queue\\\" is full\"}}");
  rig_shut();
}

static void a_reset_anywhere_leaves_nothing(void **state) {
  static const char text[] = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                             "PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789"
                             "GET /known HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t cut = 0; cut < sizeof text; cut++) {
    for (int finish = 0; finish < 2; finish++) {
      open_one();
      rig_send_bytes(bytes_of(text, cut));
      if (finish)
        stream_close(&rig.client);
      else
        sim_stream_break(rig.client);
      rig_run();
      rig_wait(3000); /* at most the time a closing connection lingers */
      assert_int_equal(http_server_load(rig.server).connections, 0);
      assert_int_equal(http_server_load(rig.server).exchanges, 0);
      rig_shut();
    }
  }
}

static void closing_the_server_keeps_unanswered_exchanges_valid(void **state) {
  open_one();
  rig_send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  http_server_close(&rig.server);
  rig_run();
  assert_true(rig.client_ended);
  assert_int_equal(rig.gone, 0);
  assert_bytes(exchange_request(rig.held[0])->path, "/hold");
  reply_held(0, "to nobody");
  rig_shut();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_can_come_later),
      cmocka_unit_test(input_during_a_wait_is_left_to_tcp),
      cmocka_unit_test(a_half_closed_client_gets_its_answer),
      cmocka_unit_test(a_handler_is_told_when_the_client_is_gone),
      cmocka_unit_test(head_has_a_length_and_no_body),
      cmocka_unit_test(old_clients_are_answered_and_closed),
      cmocka_unit_test(close_is_obeyed),
      cmocka_unit_test(a_long_answer_goes_out_in_random_pieces),
      cmocka_unit_test(a_slow_reader_holds_the_writer_back),
      cmocka_unit_test(bytes_that_are_not_allowed_in_a_header),
      cmocka_unit_test(an_answer_short_of_its_length_is_cut),
      cmocka_unit_test(events_go_out_one_by_one),
      cmocka_unit_test(an_error_answers_by_the_table),
      cmocka_unit_test(a_reset_anywhere_leaves_nothing),
      cmocka_unit_test(closing_the_server_keeps_unanswered_exchanges_valid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
