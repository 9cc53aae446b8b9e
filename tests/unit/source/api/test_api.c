/* The HTTP door: every route against every kind of caller, and what the main routes answer. */
#include "tests/unit/source/rig.h"

#include "source/api/api.h"
#include "source/api/principal.h"

static const char functions[] =
    "  count: {code: a.js, on: [{event: {type: sim.count}}, {http: {method: POST, path: "
    "'/fn/count/{id}'}}], grants: [{state: readwrite}]}\n"
    "  fails: {code: a.js, on: [{event: {type: sim.fails}}], retry: {attempts: 1}}\n";

static char token_of[ROLE_COUNT][PRINCIPAL_TOKEN_BYTES];

static void keep_token(void *arg, const struct err *err, const struct principal *principal,
                       const char *token) {
  assert_null(err);
  snprintf(arg, PRINCIPAL_TOKEN_BYTES, "%s", token);
}

static void make_token(const char *name, const char *role, const char *app, const char *source,
                       int64_t expires_ms, char *ret_token) {
  struct principal_request request = {.name = bytes_str(name),
                                      .role = bytes_str(role),
                                      .app = bytes_str(app),
                                      .source = bytes_str(source),
                                      .expires_ms = expires_ms,
                                      .by = BYTES("test")};
  principal_create(rig.principals, &request, keep_token, ret_token);
  rig_settle();
}

static int setup(void **state) {
  rig_open(1767225600000);
  rig_deploy(functions);
  for (int role = 0; role < ROLE_COUNT; role++)
    make_token(role_word((enum role)role), role_word((enum role)role), NULL,
               role == ROLE_DEVICE ? "monitor/1" : NULL, 0, token_of[role]);
  return 0;
}

static int teardown(void **state) {
  rig_close();
  return 0;
}

static int as(const char *token, const char *method, const char *target, const char *body) {
  char headers[256];
  snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
  return rig_http(method, target, headers, body);
}

/* What each role may: 401 without a token, 403 beyond the role. */
static void every_route_asks_who_it_is(void **state) {
  static const struct {
    const char *method, *target, *body;
    bool allowed[ROLE_COUNT]; /* admin, deploy, invoke, read, device */
  } routes[] = {
      {"POST", "/2015-03-31/functions/count/invocations", "{}", {1, 1, 1, 0, 0}},
      {"POST", "/fn/count/7", "{}", {1, 1, 1, 0, 0}},
      {"GET", "/admin/runs", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/runs/01a20a1c-e6f6-7f68-8442-1f6494fb4375", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/functions", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/apps", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/versions?function=count", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/aliases?function=count", NULL, {1, 1, 0, 1, 0}},
      {"PUT", "/admin/aliases/blue?function=count", "{\"version\":1}", {1, 1, 0, 0, 0}},
      {"DELETE", "/admin/aliases/blue?function=count", NULL, {1, 1, 0, 0, 0}},
      {"GET", "/admin/usage", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/dead", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/outbox", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/admin/outbox/01a20a1c-e6f6-7f68-8442-1f6494fb4375.1", NULL, {1, 0, 0, 0, 0}},
      {"POST", "/admin/outbox", "{\"act\":\"redrive\",\"ids\":[]}", {1, 0, 0, 0, 0}},
      {"GET", "/admin/audit/verify", NULL, {1, 1, 0, 1, 0}},
      {"GET", "/metrics", NULL, {1, 1, 0, 1, 0}},
      {"POST", "/admin/deploy", "{}", {1, 1, 0, 0, 0}},
      {"POST", "/admin/rollback", "{}", {1, 1, 0, 0, 0}},
      {"GET", "/admin/secrets/t", NULL, {1, 1, 0, 0, 0}},
      {"PUT", "/admin/secrets/t/s", "{\"value\":\"x\"}", {1, 1, 0, 0, 0}},
      {"GET", "/admin/tokens", NULL, {1, 0, 0, 0, 0}},
      {"POST", "/admin/tokens", "{}", {1, 0, 0, 0, 0}},
      {"DELETE", "/admin/tokens/none", NULL, {1, 0, 0, 0, 0}},
      {"POST", "/admin/dead", "{\"act\":\"redrive\",\"ids\":[]}", {1, 0, 0, 0, 0}},
  };
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    const char *target = routes[i].target;
    if (rig_http(routes[i].method, target, "Host: elsewhere.example\r\n", routes[i].body) != 401)
      fail_msg("%s is open to anybody", target);
    if (as("mdl_unknown", routes[i].method, target, routes[i].body) != 401)
      fail_msg("%s takes any token", target);
    for (int role = 0; role < ROLE_COUNT; role++) {
      int status = as(token_of[role], routes[i].method, target, routes[i].body);
      bool allowed = status != 401 && status != 403;
      if (allowed != routes[i].allowed[role])
        fail_msg("%s %s as %s: %d", routes[i].method, target, role_word((enum role)role), status);
    }
  }
}

static void a_token_can_be_for_one_app_and_one_time(void **state) {
  char token[PRINCIPAL_TOKEN_BYTES];
  make_token("other", "admin", "elsewhere", NULL, 0, token);
  assert_int_equal(as(token, "POST", "/2015-03-31/functions/t/count/invocations", "{}"), 404);
  assert_int_equal(as(token, "POST", "/2015-03-31/functions/count/invocations", "{}"), 403);
  assert_int_equal(as(token, "GET", "/admin/secrets/t", NULL), 403);
  make_token("brief", "admin", NULL, NULL, 1767225600000 + 60000, token);
  assert_int_equal(as(token, "GET", "/admin/apps", NULL), 200);
  rig_wait(60000);
  assert_int_equal(as(token, "GET", "/admin/apps", NULL), 401);
}

static void a_revoked_token_ends_at_once_and_is_on_record(void **state) {
  char token[PRINCIPAL_TOKEN_BYTES];
  make_token("gone", "read", NULL, NULL, 0, token);
  assert_int_equal(as(token, "GET", "/admin/apps", NULL), 200);
  size_t before = (size_t)rig_rows(TABLE_token);
  assert_int_equal(as(token_of[ROLE_ADMIN], "DELETE", "/admin/tokens/gone", NULL), 204);
  assert_int_equal(as(token, "GET", "/admin/apps", NULL), 401);
  assert_int_equal(rig_rows(TABLE_token), before - 1);
  rig_crash();
  assert_int_equal(as(token, "GET", "/admin/apps", NULL), 401);
  assert_int_equal(as(token_of[ROLE_READ], "GET", "/admin/apps", NULL), 200);
}

static void development_serves_this_machine_alone(void **state) {
  assert_int_equal(rig_http("GET", "/admin/apps", NULL, NULL), 200);
  assert_int_equal(rig_http("GET", "/admin/apps", "Host: localhost:8080\r\n", NULL), 200);
  assert_int_equal(rig_http("GET", "/admin/apps", "Host: rebound.example\r\n", NULL), 401);
  assert_int_equal(rig_http("GET", "/admin/apps", "Origin: http://localhost:3000\r\n", NULL), 200);
  assert_int_equal(rig_http("GET", "/admin/apps", "Origin: https://evil.example\r\n", NULL), 401);
  assert_int_equal(rig_http("GET", "/admin/apps", "Origin: null\r\n", NULL), 401);
  assert_int_equal(rig_http("GET", "/healthz", "Host: anything.example\r\n", NULL), 200);
}

static int send(const char *token, const char *id, const char *source, const char *type) {
  char headers[256];
  char body[512];
  snprintf(headers, sizeof headers,
           "Authorization: Bearer %s\r\nContent-Type: application/cloudevents+json\r\n", token);
  snprintf(body, sizeof body,
           "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"type\":\"%s\"}", id, source,
           type);
  return rig_http("POST", "/events", headers, body);
}

static void events_are_durable_once_and_from_their_own_source(void **state) {
  assert_int_equal(send(token_of[ROLE_INVOKE], "e1", "ward", "sim.count"), 202);
  assert_int_equal(send(token_of[ROLE_INVOKE], "e1", "ward", "sim.count"), 200);
  assert_int_equal(send(token_of[ROLE_INVOKE], "e1", "other-ward", "sim.count"), 202);
  assert_int_equal(send(token_of[ROLE_DEVICE], "e2", "ward", "sim.count"), 403);
  assert_int_equal(send(token_of[ROLE_DEVICE], "e2", "monitor/1", "sim.count"), 202);
  assert_int_equal(send(token_of[ROLE_READ], "e3", "ward", "sim.count"), 403);
  assert_int_equal(send(token_of[ROLE_INVOKE], "", "ward", "sim.count"), 400);
  rig_wait(5000);
  assert_int_equal(rig_events("sim.count", NULL), 3);
}

static void unknown_things_are_refused(void **state) {
  const char *admin = token_of[ROLE_ADMIN];
  assert_int_equal(as(admin, "POST", "/2015-03-31/functions/none/invocations", "{}"), 404);
  assert_int_equal(as(admin, "POST", "/fn/none", "{}"), 404);
  assert_int_equal(as(admin, "GET", "/fn/count/7", NULL), 405);
  assert_int_equal(as(admin, "GET", "/2015-03-31/functions/count/invocations", NULL), 405);
  assert_int_equal(as(admin, "GET", "/nothing/here", NULL), 404);
  assert_int_equal(as(admin, "GET", "/admin/runs/not-an-id", NULL), 400);
  assert_int_equal(as(admin, "GET", "/admin/runs?limit=0", NULL), 400);
  assert_int_equal(as(admin, "POST", "/2015-03-31/functions/count/invocations", "{nope"), 400);
  assert_int_equal(as(admin, "POST", "/admin/dead", "{\"act\":\"eat\",\"ids\":[]}"), 400);
  assert_int_equal(as(admin, "GET", "/admin/../admin/apps", NULL), 200);
}

static void dead_letters_are_shown_and_redriven(void **state) {
  const char *admin = token_of[ROLE_ADMIN];
  char id[64], target[128], body[128], other[PRINCIPAL_TOKEN_BYTES];
  assert_int_equal(send(token_of[ROLE_INVOKE], "d1", "ward", "sim.fails"), 202);
  rig_wait(20000);
  assert_int_equal(as(admin, "GET", "/admin/dead", NULL), 200);
  struct bytes text = rig_body();
  struct bytes marker = BYTES("\"delivery\":\"");
  size_t at = bytes_find_bytes(text, marker);
  assert_true(at < text.len);
  bytes_text(bytes_sub(text, at + marker.len, 36), id, sizeof id);
  snprintf(target, sizeof target, "/admin/dead/%s", id);
  assert_int_equal(as(admin, "GET", target, NULL), 200);
  assert_true(bytes_find_bytes(rig_body(), BYTES("\"id\":\"d1\"")) < rig_body().len);
  assert_true(bytes_find_bytes(rig_body(), BYTES("\"runs\":[{\"id\"")) < rig_body().len);
  assert_true(bytes_find_bytes(rig_body(), BYTES("\"decision\":\"dead\"")) < rig_body().len);
  make_token("other-admin", "admin", "elsewhere", NULL, 0, other);
  snprintf(body, sizeof body, "{\"act\":\"discard\",\"ids\":[\"%s\"]}", id);
  assert_int_equal(as(other, "POST", "/admin/dead", body), 404);
  snprintf(body, sizeof body, "{\"act\":\"redrive\",\"ids\":[\"%s\"]}", id);
  assert_int_equal(as(admin, "POST", "/admin/dead", body), 200);
  assert_bytes(rig_body(), "{\"count\":1}");
  rig_wait(20000);
  snprintf(body, sizeof body, "{\"act\":\"discard\",\"ids\":[\"%s\"]}", id);
  assert_int_equal(as(admin, "POST", "/admin/dead", body), 200);
  assert_int_equal(as(admin, "GET", "/admin/dead", NULL), 200);
  assert_bytes(rig_body(), "{\"dead\":[],\"messages\":[]}");
  assert_int_equal(as(admin, "POST", "/admin/dead", body), 404);
}

static void put_message(uint64_t ordinal, enum outbox_state state) {
  static const uint8_t ids[4][ID_BYTES] = {{1}, {2}, {3}, {4}};
  struct outbox_row row = {.state = state,
                           .app = BYTES("t"),
                           .function = BYTES("t/count"),
                           .contact = BYTES("on-call"),
                           .spec = BYTES("{\"webhook\":\"https://a.example/x\"}"),
                           .payload = BYTES("{\"text\":\"NEWS2 9\"}"),
                           .attempts = 3,
                           .created_ms = 1767225600000,
                           .reason = BYTES("status 410")};
  struct store_commit *commit = commit_new();
  uint8_t key[OUTBOX_KEY_BYTES];
  struct buf value;
  memcpy(row.key.at, ids[0], ID_BYTES);
  memcpy(row.run.at, ids[1], ID_BYTES);
  memcpy(row.event.at, ids[2], ID_BYTES);
  memcpy(row.delivery.at, ids[3], ID_BYTES);
  buf_init(&value, STORE_VALUE_BYTES_MAX);
  outbox_row_encode(&value, &row);
  outbox_key(row.delivery, ordinal, key);
  commit_put(commit, TABLE_outbox, bytes_of(key, sizeof key), buf_bytes(&value));
  store_submit(rig.store, &commit, NULL, NULL);
  buf_fini(&value);
  rig_settle();
}

static bool body_has(const char *text) {
  return bytes_find_bytes(rig_body(), bytes_str(text)) < rig_body().len;
}

static void messages_are_shown_redriven_and_discarded(void **state) {
#define MESSAGE(n) "04000000-0000-0000-0000-000000000000." n
  const char *admin = token_of[ROLE_ADMIN];
  char other[PRINCIPAL_TOKEN_BYTES];
  put_message(1, OUTBOX_DEAD);
  put_message(2, OUTBOX_DEAD);
  put_message(3, OUTBOX_OWED);
  rig_crash();
  assert_int_equal(outbox_load(rig.outbox).dead, 2);
  assert_int_equal(as(admin, "GET", "/admin/dead", NULL), 200);
  assert_true(body_has("\"messages\":[{\"message\":\"" MESSAGE("1") "\""));
  assert_false(body_has(MESSAGE("3")));
  assert_int_equal(as(admin, "GET", "/admin/outbox?function=count", NULL), 200);
  assert_true(body_has("\"reason\":\"status 410\""));
  assert_false(body_has("NEWS2"));
  assert_true(body_has(MESSAGE("3")));
  assert_int_equal(as(admin, "GET", "/admin/outbox?state=dead&after=" MESSAGE("1"), NULL), 200);
  assert_false(body_has(MESSAGE("1")));
  assert_true(body_has(MESSAGE("2")));
  assert_int_equal(as(admin, "GET", "/admin/outbox?state=odd", NULL), 400);
  assert_int_equal(as(admin, "GET", "/admin/outbox?after=7", NULL), 400);
  assert_int_equal(as(admin, "GET", "/admin/outbox/" MESSAGE("1"), NULL), 200);
  assert_true(body_has("NEWS2 9"));
  assert_int_equal(as(admin, "GET", "/admin/outbox/" MESSAGE("9"), NULL), 404);
  assert_int_equal(as(admin, "GET", "/admin/outbox/9", NULL), 400);
  make_token("other-admin", "admin", "elsewhere", NULL, 0, other);
  assert_int_equal(as(other, "GET", "/admin/outbox/" MESSAGE("1"), NULL), 404);
  assert_int_equal(
      as(other, "POST", "/admin/outbox", "{\"act\":\"discard\",\"ids\":[\"" MESSAGE("1") "\"]}"),
      404);
  assert_int_equal(as(other, "POST", "/admin/outbox", "{\"act\":\"redrive\",\"all\":true}"), 200);
  assert_bytes(rig_body(), "{\"count\":0}");
  assert_int_equal(
      as(admin, "POST", "/admin/outbox", "{\"act\":\"discard\",\"ids\":[\"" MESSAGE("1") "\"]}"),
      200);
  assert_bytes(rig_body(), "{\"count\":1}");
  assert_int_equal(as(admin, "POST", "/admin/outbox", "{\"act\":\"discard\",\"all\":true}"), 400);
  assert_int_equal(as(admin, "POST", "/admin/outbox", "{\"act\":\"redrive\",\"all\":true}"), 200);
  assert_bytes(rig_body(), "{\"count\":1}");
  assert_int_equal(outbox_load(rig.outbox).dead, 0);
  assert_int_equal(
      as(admin, "POST", "/admin/outbox", "{\"act\":\"redrive\",\"ids\":[\"" MESSAGE("3") "\"]}"),
      404);
#undef MESSAGE
}

static void invoking_has_lambdas_headers(void **state) {
  const char *admin = token_of[ROLE_ADMIN];
  assert_int_equal(as(admin, "POST", "/2015-03-31/functions/t-count/invocations", "{}"), 200);
  assert_bytes(rig_header("x-amz-executed-version"), "1");
  assert_int_equal(rig_header("x-amzn-requestid").len, 36);
  assert_int_equal(as(admin, "POST", "/2015-03-31/functions/t%2Ffails/invocations", "{}"), 200);
  assert_bytes(rig_header("x-amz-function-error"), "Unhandled");
  assert_int_equal(rig_http("POST", "/2015-03-31/functions/count/invocations",
                            "X-Amz-Invocation-Type: DryRun\r\n", "{}"),
                   204);
  assert_int_equal(rig_http("POST", "/2015-03-31/functions/count/invocations",
                            "X-Amz-Invocation-Type: Event\r\n", "{}"),
                   202);
  assert_int_equal(as(admin, "POST", "/2015-03-31/functions/count/invocations?Qualifier=9", "{}"),
                   404);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_route_asks_who_it_is, setup, teardown),
      cmocka_unit_test_setup_teardown(a_token_can_be_for_one_app_and_one_time, setup, teardown),
      cmocka_unit_test_setup_teardown(a_revoked_token_ends_at_once_and_is_on_record, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(development_serves_this_machine_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(events_are_durable_once_and_from_their_own_source, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(unknown_things_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(dead_letters_are_shown_and_redriven, setup, teardown),
      cmocka_unit_test_setup_teardown(messages_are_shown_redriven_and_discarded, setup, teardown),
      cmocka_unit_test_setup_teardown(invoking_has_lambdas_headers, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
