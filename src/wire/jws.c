/* wire/jws.c: three dots' worth of token, checked before anything in it is believed. */
#include "wire/jws.h"

#include "wire/codec.h"

#include <string.h>

/* Headers by which a token would name the key that shall judge it (RFC 8725 §3.10). */
static const char *const self_vouching[] = {"jwk", "x5u", "x5c", "jku"};

static bool part_decode(struct arena *arena, struct bytes part, const char *what,
                        struct bytes *ret_bytes, struct err *err) {
  struct buf out;
  buf_init(&out, JWS_BYTES_MAX);
  bool ok = bytes_find(part, '=') == part.len &&
            base64_decode(&out, part, BASE64_URL | BASE64_NO_PAD, NULL) && buf_ok(&out);
  struct bytes copy = ok ? arena_copy(arena, buf_bytes(&out)) : BYTES_NONE;
  buf_fini(&out);
  if (!ok) FAIL(ERR_MALFORMED, "the token's %s is not base64url without padding", what);
  if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the token does not fit its arena");
  *ret_bytes = copy;
  return true;
}

static bool object_parse(struct arena *arena, struct bytes part, const char *what,
                         const struct json **ret_object, struct err *err) {
  struct bytes text;
  const struct json *object;
  TRY(part_decode(arena, part, what, &text, err));
  /* The parser's own words could quote the token; these do not. */
  if (!json_parse(arena, text, &object, NULL) || object->kind != JSON_OBJECT) {
    FAIL(ERR_MALFORMED, "the token's %s is not a JSON object without duplicate members", what);
  }
  *ret_object = object;
  return true;
}

static bool header_text(const struct json *header, const char *name, struct bytes *ret_text,
                        struct err *err) {
  const struct json *value = json_get(header, name);
  if (value && value->kind != JSON_STRING) {
    FAIL(ERR_MALFORMED, "the token's header member \"%s\" is not a string", name);
  }
  *ret_text = json_text(value);
  return true;
}

static bool header_read(const struct json *header, struct bytes jku, struct jws *ret_jws,
                        struct err *err) {
  struct bytes alg, key_address;
  if (json_get(header, "crit")) {
    FAIL(ERR_UNSUPPORTED, "the token's header names critical extensions; none is known here");
  }
  TRY(header_text(header, "jku", &key_address, err));
  for (size_t i = 0; i < sizeof self_vouching / sizeof *self_vouching; i++) {
    if (!json_get(header, self_vouching[i])) continue;
    if (strcmp(self_vouching[i], "jku") == 0 && jku.len && bytes_eq(key_address, jku)) continue;
    FAIL(ERR_UNSUPPORTED,
         "the token's header brings its own key (\"%s\"); keys are registered "
         "with the server, never taken from a token",
         self_vouching[i]);
  }
  TRY(header_text(header, "alg", &alg, err));
  if (!jws_alg_parse(alg, &ret_jws->alg)) {
    FAIL(ERR_UNSUPPORTED,
         "the token's algorithm is not accepted; RS256, RS384, ES256, ES384 and EdDSA are");
  }
  TRY(header_text(header, "kid", &ret_jws->kid, err));
  TRY(header_text(header, "typ", &ret_jws->type, err));
  if (ret_jws->kid.len > JWKS_KID_BYTES_MAX) {
    FAIL(ERR_LIMIT, "the token's key id is over %d bytes", JWKS_KID_BYTES_MAX);
  }
  return true;
}

bool jws_parse(struct arena *arena, struct bytes token, struct bytes jku, struct jws *ret_jws,
               struct err *err) {
  struct jws jws = {0};
  struct bytes rest, rest2;
  const struct json *header;
  if (token.len > JWS_BYTES_MAX) FAIL(ERR_LIMIT, "the token is over %u bytes", JWS_BYTES_MAX);
  struct bytes head = bytes_cut(token, '.', &rest);
  struct bytes payload = bytes_cut(rest, '.', &rest2);
  if (head.len == token.len || payload.len == rest.len || bytes_find(rest2, '.') != rest2.len) {
    FAIL(ERR_MALFORMED, "a signed token has three parts, header.payload.signature");
  }
  jws.signed_part = bytes_sub(token, 0, head.len + 1 + payload.len);
  TRY(object_parse(arena, head, "header", &header, err));
  TRY(header_read(header, jku, &jws, err));
  TRY(object_parse(arena, payload, "payload", &jws.claims, err));
  TRY(part_decode(arena, rest2, "signature", &jws.signature, err));
  if (jws.signature.len == 0) FAIL(ERR_MALFORMED, "the token is not signed");
  *ret_jws = jws;
  return true;
}

/* ---- Claims ---- */

/* NumericDate: seconds, a fraction is allowed and cut. Years past 9999 count as a lie. */
static bool claim_time(const struct json *claims, const char *name, int64_t *ret_ms,
                       struct err *err) {
  double seconds;
  const struct json *value = json_get(claims, name);
  if (!value || value->kind != JSON_NUMBER || !json_double(value, &seconds) || seconds < 0 ||
      seconds > 253402300799.0) {
    FAIL(ERR_UNAUTHENTICATED, "the token's \"%s\" is missing or not a time in seconds", name);
  }
  *ret_ms = (int64_t)(seconds * 1000.0);
  return true;
}

static bool not_in_future(const struct json *claims, const char *name, int64_t latest_ms,
                          struct err *err) {
  int64_t at_ms;
  if (!json_get(claims, name)) return true;
  TRY(claim_time(claims, name, &at_ms, err));
  if (at_ms > latest_ms) {
    FAIL(ERR_UNAUTHENTICATED, "the token's \"%s\" lies in the future; check both clocks", name);
  }
  return true;
}

static bool names_audience(const struct json *claim, struct bytes audience) {
  if (!claim) return false;
  if (claim->kind == JSON_STRING) return bytes_eq(claim->text, audience);
  if (claim->kind != JSON_ARRAY) return false;
  for (const struct json *item = claim->first; item; item = item->next) {
    if (item->kind == JSON_STRING && bytes_eq(item->text, audience)) return true;
  }
  return false;
}

bool jws_claims(const struct jws *jws, const struct jws_rules *rules, struct err *err) {
  int64_t expires_ms;
  int64_t skew_ms = rules->skew_ms < JWS_SKEW_MS_MAX ? rules->skew_ms : JWS_SKEW_MS_MAX;
  const struct json *issuer = json_get(jws->claims, "iss");
  if (!issuer || issuer->kind != JSON_STRING || !rules->issuer.len ||
      !bytes_eq(issuer->text, rules->issuer)) {
    FAIL(ERR_UNAUTHENTICATED, "the token's issuer is not the one expected");
  }
  if (!rules->audience.len || !names_audience(json_get(jws->claims, "aud"), rules->audience)) {
    FAIL(ERR_UNAUTHENTICATED, "the token is meant for another audience");
  }
  TRY(claim_time(jws->claims, "exp", &expires_ms, err));
  if (expires_ms + skew_ms <= rules->now_ms) FAIL(ERR_UNAUTHENTICATED, "the token has expired");
  if (rules->life_ms_max && expires_ms > rules->now_ms + rules->life_ms_max + skew_ms) {
    FAIL(ERR_UNAUTHENTICATED, "the token is valid for longer than %lld s, the most allowed here",
         (long long)(rules->life_ms_max / 1000));
  }
  TRY(not_in_future(jws->claims, "nbf", rules->now_ms + skew_ms, err));
  return not_in_future(jws->claims, "iat", rules->now_ms + skew_ms, err);
}
