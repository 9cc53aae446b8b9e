/* tests/unit/wire/jws_signer.h: keys made for the test, their public halves as JWK, and tokens
 * signed with them: the other side of wire/jws.h, on OpenSSL alone. */
#ifndef MEDULLA_TESTS_UNIT_WIRE_JWS_SIGNER_H
#define MEDULLA_TESTS_UNIT_WIRE_JWS_SIGNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/must.h"
#include "wire/codec.h"
#include "wire/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static inline struct bytes signer_base64(struct arena *arena, struct bytes input) {
  struct buf out;
  buf_init(&out, 1 << 20);
  base64_encode(&out, input, BASE64_URL | BASE64_NO_PAD);
  struct bytes text = arena_copy(arena, buf_bytes(&out));
  buf_fini(&out);
  return text;
}

static inline EVP_PKEY *signer_key(enum jws_alg alg) {
  static EVP_PKEY *made[JWS_ALG_COUNT]; /* an RSA key takes a while */
  if (made[alg]) return made[alg];
  if (alg == JWS_RS384) return made[alg] = signer_key(JWS_RS256);
  if (alg == JWS_RS256) made[alg] = EVP_RSA_gen(2048);
  if (alg == JWS_ES256) made[alg] = EVP_EC_gen("P-256");
  if (alg == JWS_ES384) made[alg] = EVP_EC_gen("P-384");
  if (alg == JWS_EDDSA) made[alg] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  must(made[alg]);
  return made[alg];
}

static inline struct bytes signer_number(struct arena *arena, EVP_PKEY *key, const char *name,
                                         int width) {
  BIGNUM *n = NULL;
  uint8_t at[1024];
  must(EVP_PKEY_get_bn_param(key, name, &n) == 1);
  if (width == 0) width = BN_num_bytes(n);
  must(BN_bn2binpad(n, at, width) == width);
  BN_free(n);
  return signer_base64(arena, bytes_of(at, (size_t)width));
}

/* more: further members, with a comma before each, or "". */
static inline struct bytes signer_jwk(struct arena *arena, enum jws_alg alg, const char *kid,
                                      const char *more) {
  EVP_PKEY *key = signer_key(alg);
  if (alg == JWS_RS256 || alg == JWS_RS384) {
    return arena_printf(arena, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%.*s\",\"e\":\"%.*s\"%s}",
                        kid, BYTES_FMT(signer_number(arena, key, OSSL_PKEY_PARAM_RSA_N, 0)),
                        BYTES_FMT(signer_number(arena, key, OSSL_PKEY_PARAM_RSA_E, 0)), more);
  }
  if (alg == JWS_EDDSA) {
    uint8_t raw[32];
    size_t len = sizeof raw;
    must(EVP_PKEY_get_raw_public_key(key, raw, &len) == 1);
    return arena_printf(arena,
                        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%.*s\"%s}",
                        kid, BYTES_FMT(signer_base64(arena, bytes_of(raw, len))), more);
  }
  int side = alg == JWS_ES256 ? 32 : 48;
  return arena_printf(
      arena, "{\"kty\":\"EC\",\"crv\":\"%s\",\"kid\":\"%s\",\"x\":\"%.*s\",\"y\":\"%.*s\"%s}",
      alg == JWS_ES256 ? "P-256" : "P-384", kid,
      BYTES_FMT(signer_number(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, side)),
      BYTES_FMT(signer_number(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, side)), more);
}

/* An ECDSA signature in DER to r and s side by side. */
static inline size_t signer_flat(const uint8_t *der, size_t len, int side, uint8_t *ret_flat) {
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
  must(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_flat, side) == side &&
       BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_flat + side, side) == side);
  ECDSA_SIG_free(sig);
  return 2 * (size_t)side;
}

/* header and payload as JSON text; alg's key signs, whatever the header says. */
static inline struct bytes signer_token(struct arena *arena, enum jws_alg alg, const char *header,
                                        const char *payload) {
  struct bytes part =
      arena_printf(arena, "%.*s.%.*s", BYTES_FMT(signer_base64(arena, bytes_str(header))),
                   BYTES_FMT(signer_base64(arena, bytes_str(payload))));
  const char *digest = alg == JWS_EDDSA                       ? NULL
                       : alg == JWS_RS256 || alg == JWS_ES256 ? "SHA256"
                                                              : "SHA384";
  uint8_t at[1024], flat[96];
  size_t len = sizeof at;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  must(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, signer_key(alg), NULL) == 1);
  must(EVP_DigestSign(ctx, at, &len, part.at, part.len) == 1);
  EVP_MD_CTX_free(ctx);
  struct bytes signature = bytes_of(at, len);
  if (alg == JWS_ES256) signature = bytes_of(flat, signer_flat(at, len, 32, flat));
  if (alg == JWS_ES384) signature = bytes_of(flat, signer_flat(at, len, 48, flat));
  return arena_printf(arena, "%.*s.%.*s", BYTES_FMT(part),
                      BYTES_FMT(signer_base64(arena, signature)));
}

#endif
