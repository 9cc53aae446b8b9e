/* wire/jws.h: a signed JSON token (compact JWS) taken apart, and its claims judged.
 * Owns:    nothing; everything lives in the caller's arena or points into the token.
 * Units:   claims carry seconds since 1970; our clock, milliseconds.
 * Errors:  jws_parse: MALFORMED, LIMIT, UNSUPPORTED (algorithm, critical header). jws_claims:
 *          UNAUTHENTICATED. The words name the rule, never a part of the token.
 * Threads: pure; any thread.
 * Limits:  JWS_BYTES_MAX, JWS_SKEW_MS_MAX; duplicate members are refused.
 * Source:  RFC 7515 §3.1, §4.1, §5.2; RFC 7519 §4.1, §7.2; RFC 8725.
 *
 * A parsed token is a claim, not a fact: nothing in it may be believed before jwks_verify said yes
 * for the very bytes in `signed_part`. Key material or key addresses in the token's own header
 * (jwk, jku, x5u, x5c) are refused: a token cannot vouch for itself.                             */
#ifndef MEDULLA_WIRE_JWS_H
#define MEDULLA_WIRE_JWS_H

#include "wire/json.h"
#include "wire/jwks.h"

#define JWS_BYTES_MAX (16u << 10)
#define JWS_SKEW_MS_MAX 60000

struct jws {
  enum jws_alg alg;
  struct bytes kid;         /* or empty */
  struct bytes type;        /* `typ`, or empty */
  struct bytes signed_part; /* header.payload as sent */
  struct bytes signature;   /* decoded */
  const struct json *claims;
};

/* jku: the one key address this sender has registered, or empty: then the header may hold none. */
bool jws_parse(struct arena *arena, struct bytes token, struct bytes jku, struct jws *ret_jws,
               struct err *err) MUST_CHECK;

struct jws_rules {
  struct bytes issuer;   /* Required: exact */
  struct bytes audience; /* Required: exact; the claim may be a list that holds it */
  int64_t now_ms;        /* Required */
  int64_t skew_ms;       /* at most JWS_SKEW_MS_MAX */
  int64_t life_ms_max;   /* 0: any. Else `exp` may not lie further ahead than this (and skew) */
};
/* `exp` is required; `nbf` and `iat`, when there, may not lie in the future. */
bool jws_claims(const struct jws *jws, const struct jws_rules *rules, struct err *err) MUST_CHECK;

#endif
