/* notify and the outbox: what is staged, what is sent, what is kept, and in which order. */
#include "tests/unit/effect/rig.h"

static const char yaml[] =
    "app: ward\n"
    "functions:\n"
    "  news2: {code: a.js, grants: [{notify: on-call}, {notify: charge}, {notify: pager}]}\n"
    "contacts:\n"
    "  on-call: {smtp: \"smtp://127.0.0.1:2525\", from: ward@example.org, to: nurse@example.org}\n"
    "  charge: {webhook: \"https://hooks.example.org/a\", secret: board-key}\n"
    "  pager: {sms: \"https://sms.example.org/send\", template: "
    "'{\"to\":\"{to}\",\"msg\":\"{text}\"}', to: [\"+41\", \"+49\"]}\n"
    "  other: {webhook: \"https://hooks.example.org/b\"}\n";

static void notify(struct rig *rig, uint8_t delivery, const char *payload) {
  rig_run(rig, delivery);
  rig_call(rig, "notify", payload);
  if (!rig->ok) fail_msg("%s", rig->body);
  rig_settle(rig);
}

static void test_denied(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  rig_run(&rig, 1);
  rig_call(&rig, "notify", "{\"contact\":\"other\",\"text\":\"x\"}");
  assert_false(rig.ok);
  assert_non_null(strstr(rig.body, "AccessDenied"));
  assert_non_null(strstr(rig.body, "notify: other"));
  rig_call(&rig, "notify", "{\"contact\":\"on-call\"}");
  assert_non_null(strstr(rig.body, "needs a text"));
  rig_call(&rig, "notify",
           "{\"contact\":\"on-call\",\"text\":\"x\",\"subject\":\"a\\r\\nBcc: b@example.org\"}");
  assert_false(rig.ok);
  assert_non_null(strstr(rig.body, "control"));
  rig_settle(&rig);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  assert_int_equal(rig_audits(&rig, "denied"), 1);
  rig_close(&rig);
}

static void test_mail(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1,
         "{\"contact\":\"on-call\",\"text\":\"Fi\xc3\xa8vre 39\\n.\",\"subject\":\"NEWS2 7\"}");
  assert_int_equal(rig.sent_count, 1);
  assert_int_equal(rig.sent[0].request.kind, EGRESS_SMTP);
  assert_string_equal(rig.sent[0].to, "nurse@example.org");
  assert_true(rig.sent[0].request.allow_private); /* written as a loopback address */
  assert_non_null(strstr(rig.sent[0].body, "Subject: NEWS2 7\r\n"));
  assert_non_null(strstr(rig.sent[0].body, "Fi=C3=A8vre 39\r\n=2E\r\n"));
  assert_non_null(strstr(rig.sent[0].body, "Auto-Submitted: auto-generated\r\n"));
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 1);
  rig_answer(&rig, 0, ERR_OK, 250);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  assert_int_equal(rig_audits(&rig, "\"sent\""), 1);
  assert_int_equal(outbox_load(rig.outbox).sent, 1);
  assert_int_equal(outbox_load(rig.outbox).owed, 0);
  rig_close(&rig);
}

static void test_webhook(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"charge\",\"text\":\"x\",\"data\":{\"a\":1.0}}");
  assert_int_equal(rig.sent_count, 0); /* nobody has set the secret */
  rig_put(&rig, TABLE_secret, "ward\0board-key", 14, "topsecret");
  rig_pass(&rig, 1000);
  assert_int_equal(rig.sent_count, 1);
  assert_non_null(strstr(rig.sent[0].body, "\"data\":{\"a\":1.0}"));
  assert_non_null(strstr(rig.sent[0].headers, "webhook-signature: v1,"));
  assert_non_null(strstr(rig.sent[0].headers, "Idempotency-Key: "));
  assert_false(rig.sent[0].request.allow_private);
  rig_answer(&rig, 0, ERR_OK, 204);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  rig_close(&rig);
}

static void test_sms(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"pager\",\"text\":\"say \\\"hi\\\"\"}");
  assert_string_equal(rig.sent[0].body, "{\"to\":\"+41,+49\",\"msg\":\"say \\\"hi\\\"\"}");
  rig_close(&rig);
}

static void test_retry_keeps_key_and_order(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"on-call\",\"text\":\"first\"}");
  notify(&rig, 2, "{\"contact\":\"on-call\",\"text\":\"second\"}");
  notify(&rig, 3, "{\"contact\":\"pager\",\"text\":\"other\"}");
  assert_int_equal(rig.sent_count, 2); /* one for each contact */
  rig_answer(&rig, 0, ERR_UNREACHABLE, 0);
  assert_int_equal(rig.sent_count, 2);
  rig_pass(&rig, 400); /* at least half a second */
  assert_int_equal(rig.sent_count, 2);
  rig_pass(&rig, 700);
  assert_int_equal(rig.sent_count, 3);
  assert_string_equal(strstr(rig.sent[2].body, "Message-ID"),
                      strstr(rig.sent[0].body, "Message-ID"));
  rig_answer(&rig, 2, ERR_OK, 0);
  assert_int_equal(rig.sent_count, 4);
  assert_non_null(strstr(rig.sent[3].body, "second"));
  rig_close(&rig);
}

static void webhook_of(struct rig *rig, uint8_t delivery, const char *key, const char *payload) {
  rig_run(rig, delivery);
  rig->run.order_key = bytes_str(key);
  rig_call(rig, "notify", payload);
  if (!rig->ok) fail_msg("%s", rig->body);
  rig_settle(rig);
}

/* One key in order, another passes it; one message at a time looks whether the contact is back. */
static void test_webhooks_pass_each_other(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  rig_put(&rig, TABLE_secret, "ward\0board-key", 14, "topsecret");
  webhook_of(&rig, 1, "bed-1", "{\"contact\":\"charge\",\"text\":\"first\"}");
  webhook_of(&rig, 2, "bed-1", "{\"contact\":\"charge\",\"text\":\"second\"}");
  webhook_of(&rig, 3, "bed-2", "{\"contact\":\"charge\",\"text\":\"third\"}");
  assert_int_equal(rig.sent_count, 2);
  assert_non_null(strstr(rig.sent[0].body, "first"));
  assert_non_null(strstr(rig.sent[1].body, "third"));
  rig_answer(&rig, 1, ERR_UNREACHABLE, 0);
  rig_answer(&rig, 0, ERR_OK, 503);
  assert_int_equal(rig.sent_count, 2);
  rig_pass(&rig, 1100);
  assert_int_equal(rig.sent_count, 3);
  int second = 0;
  for (int i = 2; i < 5; i++) { /* it is back: both keys go on, as chance has it */
    rig_pass(&rig, 1100);
    assert_true(rig.sent_count > i);
    if (strstr(rig.sent[i].body, "first")) assert_int_equal(second, 0);
    if (strstr(rig.sent[i].body, "second")) second = i;
    rig_answer(&rig, i, ERR_OK, 204);
  }
  assert_true(second > 2);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  rig_close(&rig);
}

/* A contact has so many places; each that ends gives its place to the next. */
static void test_places_of_a_contact(void **state) {
  struct rig rig;
  char key[16];
  (void)state;
  rig_open(&rig, yaml);
  rig_put(&rig, TABLE_secret, "ward\0board-key", 14, "topsecret");
  for (int i = 0; i < OUTBOX_CONTACT_BUSY_MAX + 2; i++) {
    snprintf(key, sizeof key, "bed-%d", i);
    webhook_of(&rig, (uint8_t)(i + 1), key, "{\"contact\":\"charge\",\"text\":\"x\"}");
  }
  assert_int_equal(rig.sent_count, OUTBOX_CONTACT_BUSY_MAX);
  for (int i = 0; i < OUTBOX_CONTACT_BUSY_MAX + 2; i++) rig_answer(&rig, (unsigned)i, ERR_OK, 204);
  assert_int_equal(rig.sent_count, OUTBOX_CONTACT_BUSY_MAX + 2);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  rig_close(&rig);
}

static void test_survives_crash(void **state) {
  struct rig rig;
  char first[RIG_TEXT_BYTES];
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"on-call\",\"text\":\"first\"}");
  notify(&rig, 2, "{\"contact\":\"on-call\",\"text\":\"second\"}");
  bytes_text(bytes_str(rig.sent[0].body), first, sizeof first);
  rig_crash(&rig); /* sent, perhaps, but not yet committed */
  assert_int_equal(rig.sent_count, 1);
  assert_string_equal(rig.sent[0].body, first);
  rig_answer(&rig, 0, ERR_OK, 250);
  assert_int_equal(rig.sent_count, 2);
  rig_close(&rig);
}

static bool first_key(void *arg, struct bytes key, const struct outbox_row *row) {
  assert_int_equal(row->state, OUTBOX_DEAD);
  assert_bytes(row->reason, "smtp_550");
  memcpy(arg, key.at, key.len);
  return false;
}

static void acted(void *arg, const struct err *err) {
  *(enum err_code *)arg = err->code;
}

static void test_dead(void **state) {
  struct rig rig;
  struct err err;
  uint8_t key[OUTBOX_KEY_BYTES] = {0};
  enum err_code code = ERR_INTERNAL;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"on-call\",\"text\":\"first\"}");
  notify(&rig, 2, "{\"contact\":\"on-call\",\"text\":\"second\"}");
  rig_answer(&rig, 0, ERR_CLOSED, 550); /* permanent: the next one is not held up */
  assert_int_equal(rig.sent_count, 2);
  assert_int_equal(outbox_load(rig.outbox).dead, 1);
  assert_int_equal(rig_audits(&rig, "smtp_550"), 1);
  assert_ok(outbox_list(store_reader(rig.store), BYTES_NONE, true, first_key, key, &err), err);
  rig_answer(&rig, 1, ERR_OK, 250);
  outbox_redrive(rig.outbox, bytes_of(key, sizeof key), BYTES("admin"), acted, &code);
  rig_turn(&rig);
  assert_int_equal(code, ERR_OK);
  assert_int_equal(rig.sent_count, 3);
  assert_non_null(strstr(rig.sent[2].body, "first"));
  rig_answer(&rig, 2, ERR_OK, 250);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  outbox_discard(rig.outbox, bytes_of(key, sizeof key), BYTES("admin"), acted, &code);
  rig_turn(&rig);
  assert_int_equal(code, ERR_NOT_FOUND);
  rig_close(&rig);
}

static void test_given_up_after_a_day(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"pager\",\"text\":\"x\"}");
  rig_answer(&rig, 0, ERR_OK, 503);
  assert_int_equal(outbox_load(rig.outbox).retried, 1);
  rig_pass(&rig, OUTBOX_AGE_MS_MAX);
  rig_answer(&rig, 1, ERR_TIMEOUT, 0);
  assert_int_equal(outbox_load(rig.outbox).dead, 1);
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 1);
  rig_close(&rig);
}

static void test_same_key_once(void **state) {
  struct rig rig;
  static const char payload[] =
      "{\"contact\":\"pager\",\"text\":\"x\",\"key\":\"k\",\"window\":5000}";
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, payload);
  assert_non_null(strstr(rig.body, "\"duplicate\":false"));
  rig_run(&rig, 2);
  rig_call(&rig, "notify", payload);
  assert_non_null(strstr(rig.body, "\"duplicate\":true"));
  rig_settle(&rig);
  assert_int_equal(rig.sent_count, 1);
  rig_answer(&rig, 0, ERR_OK, 200);
  rig_pass(&rig, 5001);
  rig_run(&rig, 3);
  rig_call(&rig, "notify", payload);
  assert_non_null(strstr(rig.body, "\"duplicate\":false"));
  rig_call(&rig, "notify", payload); /* twice in one run */
  assert_non_null(strstr(rig.body, "\"duplicate\":true"));
  rig_settle(&rig);
  assert_int_equal(rig.sent_count, 2);
  rig_close(&rig);
}

static void on_stopped(void *arg, const struct egress_answer *answer) {
  *(enum err_code *)arg = answer->err.code;
}

/* A server that stops: nothing new goes out, what was under way is found again. */
static void test_stopped(void **state) {
  struct rig rig;
  enum err_code code = ERR_OK;
  (void)state;
  rig_open(&rig, yaml);
  notify(&rig, 1, "{\"contact\":\"pager\",\"text\":\"x\"}");
  outbox_stop(rig.outbox);
  rig_answer(&rig, 0, ERR_CLOSED, 0);
  notify(&rig, 2, "{\"contact\":\"pager\",\"text\":\"y\"}");
  struct egress_request request = {.url = BYTES("https://example.org/")};
  rig.gate.egress->ops->request(rig.gate.egress->self, &request, on_stopped, &code);
  assert_int_equal(code, ERR_CLOSED);
  assert_int_equal(rig.sent_count, 1);
  rig_crash(&rig);
  assert_int_equal(outbox_load(rig.outbox).owed, 2);
  rig_close(&rig);
}

/* More than fits into memory: the rest comes from the store. */
static void test_spill(void **state) {
  struct rig rig;
  (void)state;
  rig_open(&rig, yaml);
  enum { MANY = OUTBOX_ROWS_MAX + 300 };
  for (int i = 0; i < MANY; i += 100) {
    rig_run(&rig, (uint8_t)(i / 100));
    for (int k = 0; k < 100; k++)
      rig_call(&rig, "notify", "{\"contact\":\"pager\",\"text\":\"x\"}");
    rig_settle(&rig);
  }
  assert_int_equal(rig_rows(&rig, TABLE_outbox), MANY);
  assert_true(outbox_load(rig.outbox).more);
  for (int i = 0; i < MANY; i++) {
    rig_answer(&rig, 0, ERR_OK, 200);
    rig.sent[0] = rig.sent[rig.sent_count - 1];
    rig.sent_count = rig.sent_count > 1 ? 1 : 0;
  }
  assert_int_equal(rig_rows(&rig, TABLE_outbox), 0);
  assert_false(outbox_load(rig.outbox).more);
  rig_close(&rig);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_denied),
      cmocka_unit_test(test_mail),
      cmocka_unit_test(test_webhook),
      cmocka_unit_test(test_sms),
      cmocka_unit_test(test_retry_keeps_key_and_order),
      cmocka_unit_test(test_webhooks_pass_each_other),
      cmocka_unit_test(test_places_of_a_contact),
      cmocka_unit_test(test_survives_crash),
      cmocka_unit_test(test_dead),
      cmocka_unit_test(test_given_up_after_a_day),
      cmocka_unit_test(test_same_key_once),
      cmocka_unit_test(test_stopped),
      cmocka_unit_test(test_spill),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
