/* Signed tokens: the known attacks on JOSE, and claims at the edges of their validity. */
#include "tests/unit/test.h"

#include "tests/unit/wire/jws_signer.h"
#include "wire/jws.h"

#define NOW_S 1800000000LL
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}"

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, 8 << 20);
  return 0;
}

static int teardown(void **state) {
  EVP_PKEY_free(signer_key(JWS_ES256));
  arena_fini(&arena);
  return 0;
}

static enum err_code parse_code(struct bytes token, const char *jku) {
  struct jws jws;
  struct err err = {0};
  return jws_parse(&arena, token, bytes_str(jku), &jws, &err) ? ERR_OK : err.code;
}

static enum err_code header_code(const char *header) {
  return parse_code(signer_token(&arena, JWS_ES256, header, "{}"), "");
}

static void a_token_comes_apart(void **state) {
  struct jws jws;
  struct err err;
  struct bytes token = signer_token(&arena, JWS_ES256, HEADER, "{\"sub\":\"anna\"}");
  assert_ok(jws_parse(&arena, token, BYTES_NONE, &jws, &err), err);
  assert_int_equal(jws.alg, JWS_ES256);
  assert_bytes(jws.kid, "k");
  assert_bytes(jws.type, "JWT");
  assert_bytes(json_get_text(jws.claims, "sub"), "anna");
  assert_int_equal(jws.signature.len, 64);
  struct jwks *keys;
  struct bytes set =
      arena_printf(&arena, "{\"keys\":[%.*s]}", BYTES_FMT(signer_jwk(&arena, JWS_ES256, "k", "")));
  assert_ok(jwks_parse(set, &keys, &err), err);
  assert_ok(jwks_verify(keys, jws.kid, jws.alg, jws.signed_part, jws.signature, &err), err);
  jwks_free(&keys);
}

static void forged_headers_are_refused(void **state) {
  assert_int_equal(header_code("{\"alg\":\"none\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"None\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"HS256\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"PS256\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":[\"ES256\"]}"), ERR_MALFORMED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"alg\":\"none\"}"), ERR_MALFORMED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"crit\":[\"exp\"]}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}"),
                   ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"jwk\":{}}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"x5c\":[]}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"x5u\":\"https://a\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"jku\":\"https://a\"}"), ERR_UNSUPPORTED);
  assert_int_equal(header_code("{\"alg\":\"ES256\",\"kid\":7}"), ERR_MALFORMED);
  assert_int_equal(header_code("[]"), ERR_MALFORMED);
}

static void a_key_address_must_be_the_registered_one(void **state) {
  struct bytes token =
      signer_token(&arena, JWS_ES256, "{\"alg\":\"ES256\",\"jku\":\"https://a/jwks\"}", "{}");
  assert_int_equal(parse_code(token, "https://a/jwks"), ERR_OK);
  assert_int_equal(parse_code(token, "https://a/jwks2"), ERR_UNSUPPORTED);
  assert_int_equal(parse_code(token, ""), ERR_UNSUPPORTED);
}

static void malformed_tokens_are_refused(void **state) {
  static const char *const bad[] = {"",
                                    ".",
                                    "..",
                                    "...",
                                    "a.b",
                                    "e30.e30",

                                    "eyJhbGciOiJFUzI1NiJ9.e30.",
                                    "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA",
                                    "eyJhbGciOiJFUzI1NiJ9.e30=.AAAA",
                                    "eyJhbGciOiJFUzI1NiJ9.e30.AAA+",
                                    "eyJhbGciOiJFUzI1NiJ9.e31.AAAA" /* bits left over */,
                                    " eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
                                    "eyJhbGciOiJFUzI1NiJ9.W10.AAAA" /* an array */};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(parse_code(bytes_str(bad[i]), ""), ERR_MALFORMED);
  }
  struct buf big;
  buf_init(&big, 1 << 20);
  while (big.len <= JWS_BYTES_MAX) buf_char(&big, 'a');
  assert_int_equal(parse_code(buf_bytes(&big), ""), ERR_LIMIT);
  buf_fini(&big);
}

/* Judged by rules with 10 s of skew and at most 300 s of life. */
static bool claims_hold(const char *claims) {
  struct jws jws;
  struct err err = {0};
  struct jws_rules rules = {BYTES("https://idp"), BYTES("medulla"), NOW_S * 1000, 10000, 300000};
  assert_ok(
      jws_parse(&arena, signer_token(&arena, JWS_ES256, HEADER, claims), BYTES_NONE, &jws, &err),
      err);
  bool holds = jws_claims(&jws, &rules, &err);
  if (!holds) assert_int_equal(err.code, ERR_UNAUTHENTICATED);
  return holds;
}

/* The claim alone decides: all others are good (a member may not come twice). */
static bool claims_at(const char *name, long long at_s) {
  char text[256];
  snprintf(text, sizeof text, "{\"iss\":\"https://idp\",\"aud\":\"medulla\",\"%s\":%lld%s}", name,
           at_s, strcmp(name, "exp") == 0 ? "" : ",\"exp\":1800000100");
  return claims_hold(text);
}

static void times_are_judged_to_the_second(void **state) {
  assert_true(claims_at("exp", NOW_S));
  assert_true(claims_at("exp", NOW_S - 9));
  assert_false(claims_at("exp", NOW_S - 10));
  assert_true(claims_at("exp", NOW_S + 310));
  assert_false(claims_at("exp", NOW_S + 311));
  assert_true(claims_at("nbf", NOW_S + 10));
  assert_false(claims_at("nbf", NOW_S + 11));
  assert_true(claims_at("iat", NOW_S - 100000));
  assert_false(claims_at("iat", NOW_S + 11));
}

static void issuer_and_audience_are_exact(void **state) {
  assert_true(
      claims_hold("{\"iss\":\"https://idp\",\"aud\":[\"x\",\"medulla\"],\"exp\":1800000100}"));
  static const char *const bad[] = {
      "{\"iss\":\"https://idp\",\"aud\":[\"x\"],\"exp\":1800000100}",
      "{\"iss\":\"https://idp\",\"aud\":\"Medulla\",\"exp\":1800000100}",
      "{\"iss\":\"https://idp\",\"aud\":{\"medulla\":1},\"exp\":1800000100}",
      "{\"iss\":\"https://idp\",\"exp\":1800000100}",
      "{\"iss\":\"https://idp/\",\"aud\":\"medulla\",\"exp\":1800000100}",
      "{\"iss\":[\"https://idp\"],\"aud\":\"medulla\",\"exp\":1800000100}",
      "{\"aud\":\"medulla\",\"exp\":1800000100}",
      "{\"iss\":\"https://idp\",\"aud\":\"medulla\"}",
      "{\"iss\":\"https://idp\",\"aud\":\"medulla\",\"exp\":\"1800000100\"}",
      "{\"iss\":\"https://idp\",\"aud\":\"medulla\",\"exp\":-1}",
      "{\"iss\":\"https://idp\",\"aud\":\"medulla\",\"exp\":1e400}",
      "{\"iss\":\"https://idp\",\"aud\":\"medulla\",\"exp\":1800000100,\"nbf\":\"now\"}",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(claims_hold(bad[i]));
}

static void rules_without_an_issuer_or_audience_accept_nobody(void **state) {
  struct jws jws;
  struct jws_rules rules = {.now_ms = NOW_S * 1000};
  struct bytes token =
      signer_token(&arena, JWS_ES256, HEADER, "{\"iss\":\"\",\"aud\":\"\",\"exp\":1800000100}");
  assert_true(jws_parse(&arena, token, BYTES_NONE, &jws, NULL));
  assert_false(jws_claims(&jws, &rules, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_token_comes_apart),
      cmocka_unit_test(forged_headers_are_refused),
      cmocka_unit_test(a_key_address_must_be_the_registered_one),
      cmocka_unit_test(malformed_tokens_are_refused),
      cmocka_unit_test(times_are_judged_to_the_second),
      cmocka_unit_test(issuer_and_audience_are_exact),
      cmocka_unit_test(rules_without_an_issuer_or_audience_accept_nobody),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
