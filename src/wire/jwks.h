/* wire/jwks.h: public keys in JSON (a JWK Set), and signatures checked with them.
 * Owns:    a jwks holds its OpenSSL keys until jwks_free.
 * Units:   bytes.
 * Errors:  jwks_parse: MALFORMED, INVALID (a private or unsafe key), LIMIT.
 *          jwks_verify: UNAUTHENTICATED, in words that name the rule and never the token.
 * Threads: a parsed set is read-only; any number of threads may verify with it.
 * Limits:  JWKS_BYTES_MAX, JWKS_KEYS_MAX, JWKS_KID_BYTES_MAX; RSA 2,048 to 4,096 bits.
 * Source:  RFC 7517 §4, §5; RFC 7518 §3.3, §3.4, §6; RFC 8037 §2; RFC 8725 §3.1.
 *
 * The key decides the algorithm, never the token: RSA keys take RS256 and RS384, P-256 takes ES256,
 * P-384 ES384, Ed25519 EdDSA; a key that names its `alg` takes that one alone. Keys of other kinds
 * (symmetric ones, encryption keys) are passed over and serve nobody.                            */
#ifndef MEDULLA_WIRE_JWKS_H
#define MEDULLA_WIRE_JWKS_H

#include "base/bytes.h"
#include "base/err.h"

#define JWKS_BYTES_MAX (256u << 10)
#define JWKS_KEYS_MAX 64
#define JWKS_KID_BYTES_MAX 256
#define JWKS_RSA_BITS_MIN 2048
#define JWKS_RSA_BITS_MAX 4096

enum jws_alg { JWS_RS256, JWS_RS384, JWS_ES256, JWS_ES384, JWS_EDDSA, JWS_ALG_COUNT };

const char *jws_alg_word(enum jws_alg alg);
/* False for everything not in the list: `none`, HS256 and whatever comes next. */
bool jws_alg_parse(struct bytes word, enum jws_alg *ret_alg);

struct jwks;

bool jwks_parse(struct bytes text, struct jwks **ret_keys, struct err *err) MUST_CHECK;
void jwks_free(struct jwks **keys); /* harmless on NULL */
/* Keys that can verify something. */
size_t jwks_count(const struct jwks *keys);
/* Is there a key of this id? With an empty id: is there any? */
bool jwks_has(const struct jwks *keys, struct bytes kid);
/* kid: must name exactly one key; when empty, exactly one key must fit the algorithm. */
bool jwks_verify(const struct jwks *keys, struct bytes kid, enum jws_alg alg, struct bytes input,
                 struct bytes signature, struct err *err) MUST_CHECK;

#endif
