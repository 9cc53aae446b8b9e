/* POST /telemetry: durable, whole or not at all, once. */
#include "tests/unit/source/rig.h"

#include "source/telemetry/telemetry.h"

#define SAMPLE(dev, t) "{\"dev\":\"" dev "\",\"t\":" t ",\"m\":\"hr\",\"v\":61}\n"

static void open_rig(void) {
  rig_open(1767225600000);
  telemetry_add(rig.api);
}

static void samples_become_events(void **state) {
  struct buf events;
  open_rig();
  rig_deploy("  take: {code: a.js, on: [{telemetry: {}}], order_by: data.shard}\n");
  assert_int_equal(rig_http("POST", "/telemetry", NULL, SAMPLE("a", "1") SAMPLE("a", "2")), 202);
  assert_bytes(rig_body(),
               "{\"samples\":2,\"events\":1,\"accepted\":1,\"duplicates\":0,\"deliveries\":1}");
  buf_init(&events, 1 << 20);
  assert_int_equal(rig_events(EVENT_TYPE_TELEMETRY, &events), 1);
  struct bytes text = buf_bytes(&events);
  assert_true(bytes_find_bytes(text, BYTES("\"source\":\"telemetry\"")) < text.len);
  assert_true(bytes_find_bytes(text, BYTES("\"samples\":["
                                           "{\"dev\":\"a\",\"t\":1,")) < text.len);
  buf_fini(&events);
  rig_wait(100);
  assert_int_equal(flow_load(rig.flow).succeeded, 1);
  rig_close();
}

static void one_bad_line_refuses_all(void **state) {
  open_rig();
  assert_int_equal(rig_http("POST", "/telemetry", NULL, SAMPLE("a", "1") SAMPLE("a", "1.5")), 400);
  assert_true(bytes_find_bytes(rig_body(), BYTES("line 2")) < rig_body().len);
  assert_int_equal(rig_http("POST", "/telemetry", NULL, NULL), 400);
  assert_int_equal(rig_http("POST", "/telemetry", NULL, "\n"), 400);
  assert_int_equal(rig_http("POST", "/telemetry", NULL, SAMPLE("a", "1") "{"), 400);
  assert_int_equal(rig_events(EVENT_TYPE_TELEMETRY, NULL), 0);
  rig_close();
}

static void a_batch_with_an_id_can_be_sent_again(void **state) {
  static const char *id = "Medulla-Batch-Id: ward-4/17\r\n";
  open_rig();
  assert_int_equal(rig_http("POST", "/telemetry", id, SAMPLE("a", "1")), 202);
  assert_int_equal(rig_http("POST", "/telemetry", id, SAMPLE("a", "1")), 200);
  assert_true(bytes_find_bytes(rig_body(), BYTES("\"duplicates\":1")) < rig_body().len);
  assert_int_equal(rig_http("POST", "/telemetry", NULL, SAMPLE("a", "1")), 202);
  assert_int_equal(rig_events(EVENT_TYPE_TELEMETRY, NULL), 2);
  assert_int_equal(rig_http("POST", "/telemetry", "Medulla-Batch-Id: a b\r\n", SAMPLE("a", "1")),
                   400);
  rig_close();
}

struct made {
  char token[128];
};

static void on_made(void *arg, const struct err *err, const struct principal *principal,
                    const char *token) {
  assert_null(err);
  snprintf(((struct made *)arg)->token, sizeof((struct made *)arg)->token, "%s", token);
}

static void a_device_sends_its_own_samples(void **state) {
  struct made made = {""};
  char headers[256];
  open_rig();
  struct principal_request request = {
      .name = BYTES("m17"), .role = BYTES("device"), .source = BYTES("a"), .by = BYTES("test")};
  principal_create(rig.principals, &request, on_made, &made);
  rig_settle();
  snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", made.token);
  assert_int_equal(rig_http("POST", "/telemetry", headers, SAMPLE("a", "1")), 202);
  assert_int_equal(rig_http("POST", "/telemetry", headers, SAMPLE("b", "1")), 403);
  struct buf events;
  buf_init(&events, 1 << 20);
  assert_int_equal(rig_events(EVENT_TYPE_TELEMETRY, &events), 1);
  assert_true(bytes_find_bytes(buf_bytes(&events), BYTES("\"source\":\"a\"")) < events.len);
  buf_fini(&events);
  rig_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_become_events),
      cmocka_unit_test(one_bad_line_refuses_all),
      cmocka_unit_test(a_batch_with_an_id_can_be_sent_again),
      cmocka_unit_test(a_device_sends_its_own_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
