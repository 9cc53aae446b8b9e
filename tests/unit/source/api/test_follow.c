/* Runs and logs as they happen: to those who may see them, and never at the cost of the rest. */
#include "tests/unit/source/rig.h"

#include "source/api/follow.h"

static void ended(struct flow_reply *reply, const struct flow_answer *answer) {
  assert_int_equal(answer->err.code, ERR_OK);
}

static void run_one(const char *function) {
  static struct flow_reply reply = {ended};
  struct flow_invocation invocation = {.function = bytes_str(function),
                                       .payload = BYTES("{}"),
                                       .principal = BYTES("test"),
                                       .source = "invoke"};
  flow_invoke(rig.flow, &invocation, &reply);
  rig_wait(100);
}

static void open_rig(void) {
  rig_open(1767225600000);
  rig_deploy("  f: {code: a.js, on: [{event: {type: x}}]}\n"
             "  g: {code: a.js, on: [{event: {type: x}}]}\n");
}

static size_t got(const char *text) {
  size_t count = 0;
  struct bytes left = buf_bytes(&rig.got);
  for (size_t at; (at = bytes_find_bytes(left, bytes_str(text))) < left.len; count++)
    left = bytes_from(left, at + strlen(text));
  return count;
}

static void runs_come_after_those_that_were(void **state) {
  open_rig();
  run_one("t/f");
  rig_http_begin("GET", "/admin/runs?follow=true&function=t/f", NULL, BYTES_NONE);
  rig_wait(10);
  assert_int_equal(got("\"outcome\":\"succeeded\""), 1);
  run_one("t/f");
  run_one("t/g");
  assert_int_equal(got("\"outcome\":\"succeeded\""), 2);
  assert_int_equal(got("\"function\":\"g\""), 0);
  assert_false(rig.ended);
  rig_close();
}

static void logs_come_with_their_run(void **state) {
  struct run_record run = {.app = BYTES("t"), .function = BYTES("f")};
  open_rig();
  rig_http_begin("GET", "/admin/logs?follow=1&function=f", NULL, BYTES_NONE);
  api_publish_log(rig.api, &run, GUEST_LOG_WARN, 1767225600007, BYTES("a \"b\""));
  run.function = BYTES("g");
  api_publish_log(rig.api, &run, GUEST_LOG_WARN, 1767225600008, BYTES("other"));
  rig_wait(10);
  assert_int_equal(got("{\"at_ms\":1767225600007,\"level\":\"warn\",\"function\":\"t/f\",\"run\":"),
                   1);
  assert_int_equal(got("\"line\":\"a \\\"b\\\"\"}\n"), 1);
  assert_int_equal(got("other"), 0);
  rig_close();
}

static void a_slow_follower_is_dropped_and_told(void **state) {
  static char text[60000];
  struct run_record run = {.app = BYTES("t"), .function = BYTES("f")};
  open_rig();
  memset(text, 'x', sizeof text);
  rig_http_begin("GET", "/admin/logs?follow=true", NULL, BYTES_NONE);
  for (int i = 0; i < 100; i++) /* the loop does not turn, so nothing is taken */
    api_publish_log(rig.api, &run, GUEST_LOG_INFO, 1, bytes_of(text, sizeof text));
  rig_wait(1000);
  assert_true(rig.ended);
  assert_int_equal(got("{\"dropped\":"), 1);
  assert_true(rig.got.len < 2 << 20);
  assert_true(list_empty(&rig.api->followers));
  rig_close();
}

static void a_follower_may_leave(void **state) {
  open_rig();
  rig_http_begin("GET", "/admin/runs?follow=true", NULL, BYTES_NONE);
  rig_wait(10);
  assert_false(list_empty(&rig.api->followers));
  stream_close(&rig.client);
  rig_wait(10);
  run_one("t/f"); /* a client that is silent anyway is missed when there is something to tell it */
  run_one("t/f");
  assert_true(list_empty(&rig.api->followers));
  rig_close();
}

static void drained(void *arg) {
  *(bool *)arg = true;
}

static void draining_ends_followers(void **state) {
  bool done = false;
  open_rig();
  rig_http_begin("GET", "/admin/logs?follow=true", NULL, BYTES_NONE);
  rig_wait(10);
  api_drain(rig.api, drained, &done);
  rig_wait(10000);
  assert_true(done);
  rig_close();
}

static void an_app_token_sees_its_app(void **state) {
  struct principal one = {.app = BYTES("t")}, all = {.app = BYTES("")};
  struct run_record run = {.app = BYTES("t"), .function = BYTES("f")};
  struct run_record other = {.app = BYTES("u"), .function = BYTES("f")};
  assert_true(follow_wants(&one, BYTES(""), &run));
  assert_false(follow_wants(&one, BYTES(""), &other));
  assert_false(follow_wants(&one, BYTES("u/f"), &other));
  assert_true(follow_wants(&all, BYTES("u/f"), &other));
  assert_true(follow_wants(&all, BYTES("f"), &other));
  assert_true(follow_wants(&all, BYTES("u"), &other));
  assert_false(follow_wants(&all, BYTES("t/f"), &other));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_come_after_those_that_were),
      cmocka_unit_test(logs_come_with_their_run),
      cmocka_unit_test(a_slow_follower_is_dropped_and_told),
      cmocka_unit_test(a_follower_may_leave),
      cmocka_unit_test(draining_ends_followers),
      cmocka_unit_test(an_app_token_sees_its_app),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
