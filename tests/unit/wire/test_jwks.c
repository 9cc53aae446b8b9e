/* Key sets: which keys are taken, which are refused in words, which signatures hold. */
#include "tests/unit/test.h"

#include "tests/unit/wire/jws_signer.h"

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, 8 << 20);
  return 0;
}

static int teardown(void **state) {
  for (int i = 0; i < JWS_ALG_COUNT; i++) {
    if (i != JWS_RS384) EVP_PKEY_free(signer_key((enum jws_alg)i));
  }
  arena_fini(&arena);
  return 0;
}

static struct jwks *keys_of(const char *list) {
  struct jwks *keys;
  struct err err;
  assert_ok(jwks_parse(arena_printf(&arena, "{\"keys\":[%s]}", list), &keys, &err), err);
  return keys;
}

static void refused(const char *text, enum err_code code) {
  struct jwks *keys = NULL;
  struct err err = {0};
  assert_false(jwks_parse(bytes_str(text), &keys, &err));
  assert_int_equal(err.code, code);
  assert_null(keys);
}

/* A token as the RFC prints it, against the key it prints. */
static bool published(const char *key, const char *token, enum jws_alg alg) {
  struct jwks *keys = keys_of(key);
  struct bytes all = bytes_str(token);
  struct buf signature;
  buf_init(&signature, 1024);
  size_t dot = all.len;
  while (all.at[--dot] != '.') continue;
  assert_true(
      base64_decode(&signature, bytes_from(all, dot + 1), BASE64_URL | BASE64_NO_PAD, NULL));
  bool holds =
      jwks_verify(keys, BYTES_NONE, alg, bytes_sub(all, 0, dot), buf_bytes(&signature), NULL);
  buf_fini(&signature);
  jwks_free(&keys);
  return holds;
}

#define ES256_KEY \
  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define ES256_TOKEN \
  "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv" \
  "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf" \
  "KTUJqPP3-Kg6NU1Q"

static void published_signatures_hold(void **state) { /* RFC 8037 A.4, RFC 7515 A.3 */
  assert_true(
      published("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpA"
                "r_MuM0KAg",
                JWS_EDDSA));
  assert_true(published(ES256_KEY, ES256_TOKEN, JWS_ES256));
  assert_false(published(ES256_KEY, ES256_TOKEN, JWS_RS256)); /* the key decides */
}

static bool verify(struct jwks *keys, const char *kid, enum jws_alg alg, struct bytes token) {
  size_t dot = token.len;
  while (token.at[--dot] != '.') continue;
  struct buf signature;
  buf_init(&signature, 1024);
  assert_true(
      base64_decode(&signature, bytes_from(token, dot + 1), BASE64_URL | BASE64_NO_PAD, NULL));
  struct err err = {0};
  bool holds =
      jwks_verify(keys, bytes_str(kid), alg, bytes_sub(token, 0, dot), buf_bytes(&signature), &err);
  if (!holds) assert_int_equal(err.code, ERR_UNAUTHENTICATED);
  buf_fini(&signature);
  return holds;
}

static void every_algorithm_verifies_its_own_and_no_other(void **state) {
  for (int a = 0; a < JWS_ALG_COUNT; a++) {
    struct jwks *keys = keys_of((char *)arena_str(&arena, signer_jwk(&arena, a, "k", "")));
    struct bytes token = signer_token(&arena, a, "{}", "{\"sub\":\"x\"}");
    assert_true(verify(keys, "k", a, token));
    for (int other = 0; other < JWS_ALG_COUNT; other++) {
      if (other != a) assert_false(verify(keys, "k", other, token));
    }
    uint8_t *at = (uint8_t *)(uintptr_t)token.at;
    at[5] ^= 1; /* one bit of what was signed */
    assert_false(verify(keys, "k", a, token));
    jwks_free(&keys);
  }
}

static void an_id_must_name_one_key(void **state) {
  struct bytes a = signer_jwk(&arena, JWS_ES256, "a", ""),
               b = signer_jwk(&arena, JWS_ES384, "b", "");
  struct bytes twin = signer_jwk(&arena, JWS_RS256, "a", "");
  struct bytes token = signer_token(&arena, JWS_ES256, "{}", "{}");
  struct jwks *keys =
      keys_of(arena_str(&arena, arena_printf(&arena, "%.*s,%.*s", BYTES_FMT(a), BYTES_FMT(b))));
  assert_int_equal(jwks_count(keys), 2);
  assert_true(verify(keys, "a", JWS_ES256, token));
  assert_true(verify(keys, "", JWS_ES256, token)); /* one key fits */
  assert_false(verify(keys, "b", JWS_ES256, token));
  assert_false(verify(keys, "c", JWS_ES256, token));
  assert_true(jwks_has(keys, BYTES("b")) && !jwks_has(keys, BYTES("c")));
  jwks_free(&keys);
  keys =
      keys_of(arena_str(&arena, arena_printf(&arena, "%.*s,%.*s", BYTES_FMT(a), BYTES_FMT(twin))));
  assert_false(verify(keys, "a", JWS_ES256, token)); /* two of one name */
  jwks_free(&keys);
}

static void a_key_that_names_its_algorithm_takes_that_alone(void **state) {
  struct jwks *keys = keys_of(
      arena_str(&arena, signer_jwk(&arena, JWS_RS256, "k", ",\"alg\":\"RS384\",\"use\":\"sig\"")));
  assert_false(verify(keys, "k", JWS_RS256, signer_token(&arena, JWS_RS256, "{}", "{}")));
  assert_true(verify(keys, "k", JWS_RS384, signer_token(&arena, JWS_RS384, "{}", "{}")));
  jwks_free(&keys);
}

static void keys_for_other_purposes_serve_nobody(void **state) {
  const char *more[] = {",\"use\":\"enc\"", ",\"key_ops\":[\"sign\"]", ",\"alg\":\"HS256\"",
                        ",\"alg\":\"none\"", ",\"alg\":\"PS256\""};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    struct jwks *keys = keys_of(arena_str(&arena, signer_jwk(&arena, JWS_RS256, "k", more[i])));
    assert_int_equal(jwks_count(keys), 0);
    jwks_free(&keys);
  }
  struct jwks *keys = keys_of("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"},"
                              "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}");
  assert_int_equal(jwks_count(keys), 0);
  jwks_free(&keys);
}

static void unsafe_sets_are_refused(void **state) {
  refused("{}", ERR_MALFORMED);
  refused("[]", ERR_MALFORMED);
  refused("{\"keys\":{}}", ERR_MALFORMED);
  refused("{\"keys\":[1]}", ERR_MALFORMED);
  refused("{\"keys\":[],\"keys\":[]}", ERR_MALFORMED); /* a member twice */
  refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", ERR_INVALID); /* small */
  refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"Ag\"}]}", ERR_INVALID);   /* even */
  refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQ\"}]}", ERR_INVALID);   /* one */
  refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ=B\",\"e\":\"AQAB\"}]}", ERR_MALFORMED);
  refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":5,\"e\":\"AQAB\"}]}", ERR_MALFORMED);
  refused("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}]}", ERR_INVALID);
  refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
          "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
          "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
          ERR_INVALID); /* not on the curve */
  refused(arena_str(&arena,
                    arena_printf(&arena, "{\"keys\":[%.*s]}",
                                 BYTES_FMT(signer_jwk(&arena, JWS_ES256, "k", ",\"d\":\"AQAB\"")))),
          ERR_INVALID); /* a private key */
  refused(arena_str(&arena, arena_printf(&arena, "{\"keys\":[%.*s]}",
                                         BYTES_FMT(signer_jwk(&arena, JWS_ES256, "k",
                                                              ",\"alg\":\"ES384\"")))),
          ERR_INVALID);
}

static void sets_have_a_limit(void **state) {
  struct buf many;
  buf_init(&many, 1 << 20);
  struct bytes one = signer_jwk(&arena, JWS_EDDSA, "k", "");
  buf_str(&many, "{\"keys\":[");
  for (int i = 0; i <= JWKS_KEYS_MAX; i++)
    buf_printf(&many, "%s%.*s", i ? "," : "", BYTES_FMT(one));
  buf_str(&many, "]}");
  refused(arena_str(&arena, buf_bytes(&many)), ERR_LIMIT);
  buf_reset(&many);
  buf_str(&many, "{\"keys\":[]}");
  while (many.len <= JWKS_BYTES_MAX) buf_char(&many, ' ');
  refused(arena_str(&arena, buf_bytes(&many)), ERR_LIMIT);
  buf_fini(&many);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_signatures_hold),
      cmocka_unit_test(every_algorithm_verifies_its_own_and_no_other),
      cmocka_unit_test(an_id_must_name_one_key),
      cmocka_unit_test(a_key_that_names_its_algorithm_takes_that_alone),
      cmocka_unit_test(keys_for_other_purposes_serve_nobody),
      cmocka_unit_test(unsafe_sets_are_refused),
      cmocka_unit_test(sets_have_a_limit),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
