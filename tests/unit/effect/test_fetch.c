/* fetch: grants, redirects, the audit before the first byte, the answer on record. */
#include "tests/unit/effect/rig.h"

#include "effect/fetch_request.h"

static const char yaml[] =
    "app: ward\n"
    "functions:\n"
    "  news2: {code: a.js, grants: [{fetch: \"https://api.example.org/v1\"},\n"
    "    {fetch: {url: \"http://127.0.0.1:9\", private: true}}, {state: readwrite}]}\n";

static void ask(struct rig *rig, uint8_t delivery, const char *payload) {
  rig_run(rig, delivery);
  rig_call(rig, "fetch", payload);
}

static void test_denied(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  ask(&rig, 1, "{\"url\":\"https://evil.example.org/\"}");
  assert_false(rig.ok);
  assert_non_null(strstr(rig.body, "AccessDenied"));
  assert_non_null(strstr(rig.body, "fetch: https://evil.example.org"));
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v2\"}");
  assert_non_null(strstr(rig.body, "AccessDenied"));
  ask(&rig, 1, "{\"url\":\"file:///etc/passwd\"}");
  assert_false(rig.ok);
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v1\",\"method\":\"CONNECT\"}");
  assert_false(rig.ok);
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v1\",\"headers\":[[\"A\",\"b\\r\\nC: d\"]]}");
  assert_false(rig.ok);
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v1\",\"timeout_ms\":0}");
  assert_non_null(strstr(rig.body, "EGRESS_TIMEOUT_MS_MAX"));
  assert_int_equal(rig.sent_count, 0);
  rig_close(&rig);
}

static void test_answer(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  rig_run(&rig, 1);
  rig.run.traceparent = BYTES("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  rig_call(&rig, "fetch",
           "{\"url\":\"https://api.example.org/v1/a?b#c\",\"method\":\"POST\",\"body\":\"aGk=\","
           "\"encoding\":\"base64\",\"headers\":[[\"X-One\",\"1\"],[\"Host\",\"evil\"]]}");
  assert_int_equal(rig.sent_count, 1);
  assert_string_equal(rig.sent[0].url, "https://api.example.org/v1/a?b");
  assert_string_equal(rig.sent[0].body, "hi");
  assert_non_null(strstr(rig.sent[0].headers, "X-One: 1\r\n"));
  assert_non_null(strstr(rig.sent[0].headers, "Idempotency-Key: "));
  assert_non_null(strstr(rig.sent[0].headers, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736"));
  assert_null(strstr(rig.sent[0].headers, "evil"));
  assert_false(rig.sent[0].request.allow_private);
  assert_int_equal(rig_audits(&rig, "\"asked\""), 1); /* durable before the first byte */
  assert_true(rig.run.stage.live);
  rig_answer_with(&rig, 0, 201, "made", NULL);
  assert_true(rig.ok);
  assert_non_null(strstr(rig.body, "\"status\":201,\"statusText\":\"Created\""));
  assert_non_null(strstr(rig.body, "[\"X-A\",\"b\"]"));
  assert_non_null(strstr(rig.body, "\"body\":\"made\""));
  rig_settle(&rig);
  assert_int_equal(rig_audits(&rig, "\"asked\""), 1); /* and not written twice */
  assert_int_equal(rig_audits(&rig, "status 201"), 1);
  rig_close(&rig);
}

static void test_bytes_and_private(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  ask(&rig, 1, "{\"url\":\"http://127.0.0.1:9/\"}");
  assert_true(rig.sent[0].request.allow_private);
  assert_null(strstr(rig.sent[0].headers, "Idempotency-Key"));
  rig_answer_with(&rig, 0, 200, "\xff", NULL);
  assert_non_null(strstr(rig.body, "\"body\":\"/w==\",\"encoding\":\"base64\""));
  ask(&rig, 2, "{\"url\":\"http://127.0.0.1:9/\"}");
  rig_answer(&rig, 1, ERR_TIMEOUT, 0);
  assert_false(rig.ok);
  assert_non_null(strstr(rig.body, "\"code\":\"timeout\""));
  rig_close(&rig);
}

static void test_redirects(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  ask(&rig, 1,
      "{\"url\":\"https://api.example.org/v1/a\",\"method\":\"POST\",\"body\":\"x\","
      "\"headers\":[[\"Authorization\",\"secret\"],[\"Content-Type\",\"a/b\"]]}");
  rig_answer_with(&rig, 0, 302, "", "https://api.example.org/v1/b");
  assert_int_equal(rig.sent_count, 2);
  assert_true(bytes_eq_str(rig.sent[1].request.method, "GET"));
  assert_string_equal(rig.sent[1].body, "");
  assert_null(strstr(rig.sent[1].headers, "Content-Type"));
  assert_non_null(strstr(rig.sent[1].headers, "secret"));
  rig_answer_with(&rig, 1, 307, "", "http://127.0.0.1:9/c"); /* granted, another origin */
  assert_null(strstr(rig.sent[2].headers, "secret"));
  rig_answer_with(&rig, 2, 302, "", "http://127.0.0.1:10/");
  assert_false(rig.ok);
  assert_non_null(strstr(rig.body, "the redirect is denied"));
  ask(&rig, 2, "{\"url\":\"https://api.example.org/v1\"}");
  for (int i = 3; i <= 8; i++) rig_answer_with(&rig, i, 301, "", "https://api.example.org/v1");
  assert_non_null(strstr(rig.body, "FETCH_HOPS_MAX"));
  rig_close(&rig);
}

static void test_interrupted(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v1\"}");
  rig_settle(&rig); /* the run ended without its answer */
  assert_int_equal(rig_audits(&rig, "interrupted"), 1);
  rig_answer_with(&rig, 0, 200, "late", NULL);
  assert_string_equal(rig.body, "no answer");
  rig_close(&rig);
}

static void test_answer_on_record(void **state) {
  static const char payload[] = "{\"url\":\"https://api.example.org/v1\",\"method\":\"POST\"}";
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  ask(&rig, 1, payload);
  rig_answer_with(&rig, 0, 200, "once", NULL);
  gate_run_end(&rig.run); /* the run failed afterwards */
  assert_int_equal(rig_rows(&rig, TABLE_recording), 1);
  ask(&rig, 1, payload);
  assert_int_equal(rig.sent_count, 1);
  assert_non_null(strstr(rig.body, "\"body\":\"once\""));
  gate_run_end(&rig.run);
  ask(&rig, 1, "{\"url\":\"https://api.example.org/v1/other\",\"method\":\"POST\"}");
  assert_int_equal(rig.sent_count, 2); /* it asks something else now */
  rig_answer(&rig, 1, ERR_CLOSED, 0);
  ask(&rig, 1, payload);
  rig_settle(&rig); /* this time it succeeds: nothing is kept */
  assert_int_equal(rig_rows(&rig, TABLE_recording), 0);
  ask(&rig, 2, payload);
  assert_int_equal(rig.sent_count, 3); /* another delivery */
  rig_answer(&rig, 2, ERR_CLOSED, 0);
  rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_denied),      cmocka_unit_test(test_answer),
      cmocka_unit_test(test_redirects),   cmocka_unit_test(test_bytes_and_private),
      cmocka_unit_test(test_interrupted), cmocka_unit_test(test_answer_on_record),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
