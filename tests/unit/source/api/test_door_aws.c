/* Signed requests: let in when the signature, its date and the body are right, and not else. */
#include "tests/unit/source/rig.h"

#include "wire/sigv4.h"

static char key[PRINCIPAL_AWS_KEY_BYTES], secret[PRINCIPAL_AWS_SECRET_BYTES];

static void made(void *arg, const struct err *err, const struct principal *principal,
                 const char *token) {
  assert_null(err);
  memcpy(key, principal->aws_key, sizeof key);
  memcpy(secret, principal->aws_secret, sizeof secret);
}

static void open_rig(void) {
  rig_open(1767225600000);
  rig_deploy("  f: {code: a.js, on: [{event: {type: x}}]}\n");
  struct principal_request request = {
      .name = BYTES("sdk"), .role = BYTES("invoke"), .by = BYTES("test")};
  principal_create(rig.principals, &request, made, NULL);
  rig_settle();
}

struct attempt {
  const char *path, *body, *secret;
  const char *signed_body; /* whose hash is signed; NULL: the body itself */
  const char *payload;     /* NULL: that hash */
  int64_t late_ms;
};

static int request(const struct attempt *attempt) {
  struct arena arena;
  struct bytes authorization;
  struct err err;
  char date[SIGV4_DATE_BYTES], hex[SIGV4_HEX_BYTES], headers[2048];
  uint8_t sha[SHA256_BYTES];
  arena_init(&arena, 1 << 20);
  sha256(bytes_str(attempt->signed_body ? attempt->signed_body : attempt->body), sha);
  sigv4_hex(sha, hex);
  const char *payload = attempt->payload ? attempt->payload : hex;
  int64_t now_ms = clock_wall_ms(&rig.clock.port) - attempt->late_ms;
  sigv4_date_text(now_ms, date);
  struct http_header signed_headers[] = {{BYTES("host"), BYTES("127.0.0.1")},
                                         {BYTES("x-amz-content-sha256"), bytes_str(payload)},
                                         {BYTES("x-amz-date"), bytes_str(date)}};
  struct sigv4_subject subject = {BYTES("POST"), bytes_str(attempt->path), BYTES(""),
                                  signed_headers, 3};
  struct sigv4_signer signer = {.access_key = bytes_str(key),
                                .secret = bytes_str(attempt->secret),
                                .region = BYTES("local"),
                                .service = BYTES("lambda"),
                                .now_ms = now_ms,
                                .payload_text = bytes_str(payload)};
  assert_ok(sigv4_sign(&arena, &signer, &subject, &authorization, &err), err);
  snprintf(headers, sizeof headers,
           "X-Amz-Date: %s\r\nX-Amz-Content-Sha256: %s\r\nAuthorization: %.*s\r\n", date, payload,
           BYTES_FMT(authorization));
  int status = rig_http("POST", attempt->path, headers, attempt->body);
  arena_fini(&arena);
  return status;
}

static void a_right_signature_opens(void **state) {
  open_rig();
  assert_int_equal(request(&(struct attempt){"/2015-03-31/functions/f/invocations", "{}", secret}),
                   200);
  assert_int_equal(request(&(struct attempt){.path = "/2015-03-31/functions/f/invocations",
                                             .body = "{\"a\":1}",
                                             .secret = secret,
                                             .payload = "UNSIGNED-PAYLOAD"}),
                   200);
  rig_close();
}

static void anything_else_does_not(void **state) {
  static const char path[] = "/2015-03-31/functions/f/invocations";
  open_rig();
  assert_int_equal(request(&(struct attempt){path, "{}", "another secret"}), 401);
  assert_int_equal(request(&(struct attempt){path, "{\"a\":1}", secret, "{}"}), 401);
  assert_int_equal(request(&(struct attempt){path, "{}", secret, .late_ms = 16 * 60000}), 401);
  assert_int_equal(request(&(struct attempt){path, "{}", secret, .late_ms = -16 * 60000}), 401);
  assert_int_equal(request(&(struct attempt){path, "{}", secret,
                                             .payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}),
                   501);
  key[5] ^= 1; /* nobody's */
  assert_int_equal(request(&(struct attempt){path, "{}", secret}), 401);
  key[5] ^= 1;
  /* The role holds here as everywhere. */
  assert_int_equal(request(&(struct attempt){"/admin/deploy", "{}", secret}), 403);
  rig_close();
}

static void a_revoked_key_is_of_no_use(void **state) {
  open_rig();
  principal_revoke(rig.principals, BYTES("sdk"), BYTES("test"), made, NULL);
  rig_settle();
  assert_int_equal(request(&(struct attempt){"/2015-03-31/functions/f/invocations", "{}", secret}),
                   401);
  rig_close();
}

static void nonsense_is_no_signature(void **state) {
  open_rig();
  assert_int_equal(rig_http("POST", "/2015-03-31/functions/f/invocations",
                            "Authorization: AWS4-HMAC-SHA256 nonsense\r\n", "{}"),
                   400);
  rig_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_right_signature_opens),
      cmocka_unit_test(anything_else_does_not),
      cmocka_unit_test(a_revoked_key_is_of_no_use),
      cmocka_unit_test(nonsense_is_no_signature),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
