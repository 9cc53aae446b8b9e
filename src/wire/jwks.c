/* wire/jwks.c: keys built from their numbers, checked for sanity, and used for nothing but
 * verifying.
 *
 * ECDSA signatures travel as r and s side by side, of fixed length (RFC 7518 §3.4); OpenSSL wants
 * them in DER, so they are packed here. */
#include "wire/jwks.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "wire/codec.h"
#include "wire/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string.h>

enum { FIELD_BYTES_MAX = JWKS_RSA_BITS_MAX / 8, ARENA_BYTES_MAX = 4 << 20 };

enum kind { KIND_RSA, KIND_P256, KIND_P384, KIND_ED25519, KIND_COUNT };

static const struct {
  const char *word;
  enum kind kind;
  const char *digest;     /* NULL: the algorithm brings its own */
  size_t signature_bytes; /* 0: the modulus' length */
} algs[JWS_ALG_COUNT] = {
    [JWS_RS256] = {"RS256", KIND_RSA, "SHA256", 0},
    [JWS_RS384] = {"RS384", KIND_RSA, "SHA384", 0},
    [JWS_ES256] = {"ES256", KIND_P256, "SHA256", 64},
    [JWS_ES384] = {"ES384", KIND_P384, "SHA384", 96},
    [JWS_EDDSA] = {"EdDSA", KIND_ED25519, NULL, 64},
};

struct jwk {
  struct bytes kid;
  enum kind kind;
  bool pinned; /* the key names its algorithm */
  enum jws_alg alg;
  EVP_PKEY *pkey;
};

struct jwks {
  struct arena arena;
  struct jwk keys[JWKS_KEYS_MAX];
  size_t count;
};

const char *jws_alg_word(enum jws_alg alg) {
  must(alg < JWS_ALG_COUNT);
  return algs[alg].word;
}

bool jws_alg_parse(struct bytes word, enum jws_alg *ret_alg) {
  for (int i = 0; i < JWS_ALG_COUNT; i++) {
    if (!bytes_eq_str(word, algs[i].word)) continue;
    *ret_alg = (enum jws_alg)i;
    return true;
  }
  return false;
}

/* ---- Numbers ---- */

struct number {
  uint8_t at[FIELD_BYTES_MAX + 8];
  size_t len;
};

static bool number_read(const struct json *key, const char *name, struct number *ret,
                        struct err *err) {
  const struct json *value = json_get(key, name);
  cleanup_buf struct buf out;
  buf_init(&out, sizeof ret->at);
  if (!value || value->kind != JSON_STRING || !value->text.len ||
      bytes_find(value->text, '=') != value->text.len ||
      !base64_decode(&out, value->text, BASE64_URL | BASE64_NO_PAD, NULL) || !buf_ok(&out)) {
    FAIL(ERR_MALFORMED, "a key's \"%s\" is missing, too long or not base64url", name);
  }
  memcpy(ret->at, out.at, out.len);
  ret->len = out.len;
  return true;
}

/* Build the key from its parameters; takes the builder. */
static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *builder) {
  EVP_PKEY *pkey = NULL;
  OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
      EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    pkey = NULL;
  }
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  return pkey;
}

static bool pkey_sound(EVP_PKEY *pkey) {
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
  bool sound = ctx && EVP_PKEY_public_check_quick(ctx) == 1;
  EVP_PKEY_CTX_free(ctx);
  return sound;
}

static bool rsa_key(const struct json *key, struct jwk *ret, struct err *err) {
  struct number n, e;
  TRY(number_read(key, "n", &n, err));
  TRY(number_read(key, "e", &e, err));
  /* e: odd, over 2 and within 32 bits: what every sound issuer uses, and cheap to verify. */
  if (e.len > 4 || !(e.at[e.len - 1] & 1) || (e.len == 1 && e.at[0] < 3)) {
    FAIL(ERR_INVALID, "an RSA key's exponent is even, below 3 or over 32 bits");
  }
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  BIGNUM *modulus = BN_bin2bn(n.at, (int)n.len, NULL),
         *exponent = BN_bin2bn(e.at, (int)e.len, NULL);
  must(builder && modulus && exponent);
  int bits = BN_num_bits(modulus);
  bool odd = BN_is_odd(modulus);
  must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
       OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
  ret->pkey = pkey_from("RSA", builder);
  BN_free(modulus);
  BN_free(exponent);
  ret->kind = KIND_RSA;
  if (bits < JWKS_RSA_BITS_MIN || bits > JWKS_RSA_BITS_MAX || !odd) {
    FAIL(ERR_INVALID, "an RSA key has %d bits; %d to %d are accepted", bits, JWKS_RSA_BITS_MIN,
         JWKS_RSA_BITS_MAX);
  }
  if (!ret->pkey) FAIL(ERR_INVALID, "an RSA key is not sound");
  return true;
}

static bool ec_key(const struct json *key, struct jwk *ret, struct err *err) {
  struct bytes curve = json_get_text(key, "crv");
  bool p256 = bytes_eq_str(curve, "P-256"), p384 = bytes_eq_str(curve, "P-384");
  size_t side = p256 ? 32 : 48;
  struct number x, y;
  uint8_t point[1 + 2 * 48] = {4}; /* uncompressed (SEC 1 §2.3.3) */
  if (!p256 && !p384) return true; /* another curve serves nobody here */
  TRY(number_read(key, "x", &x, err));
  TRY(number_read(key, "y", &y, err));
  if (x.len != side || y.len != side) {
    FAIL(ERR_INVALID, "a key's point does not have its curve's length");
  }
  memcpy(point + 1, x.at, side);
  memcpy(point + 1 + side, y.at, side);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  must(builder &&
       OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                       p256 ? "prime256v1" : "secp384r1", 0) == 1 &&
       OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * side) ==
           1);
  ret->pkey = pkey_from("EC", builder);
  ret->kind = p256 ? KIND_P256 : KIND_P384;
  if (!ret->pkey || !pkey_sound(ret->pkey)) FAIL(ERR_INVALID, "a key's point is not on its curve");
  return true;
}

static bool okp_key(const struct json *key, struct jwk *ret, struct err *err) {
  struct number x;
  if (!bytes_eq_str(json_get_text(key, "crv"), "Ed25519")) return true;
  TRY(number_read(key, "x", &x, err));
  if (x.len != 32) FAIL(ERR_INVALID, "an Ed25519 key has 32 bytes, this one %zu", x.len);
  ret->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.at, x.len);
  ret->kind = KIND_ED25519;
  if (!ret->pkey) FAIL(ERR_INVALID, "an Ed25519 key is not sound");
  return true;
}

/* ---- The set ---- */

/* `use` and `key_ops`, when there, must allow verifying (RFC 7517 §4.2, §4.3). */
static bool for_signatures(const struct json *key) {
  const struct json *use = json_get(key, "use"), *ops = json_get(key, "key_ops");
  if (use && !bytes_eq_str(json_text(use), "sig")) return false;
  if (!ops) return true;
  for (const struct json *op = ops->first; op; op = op->next) {
    if (bytes_eq_str(json_text(op), "verify")) return true;
  }
  return false;
}

static bool key_read(const struct json *key, struct jwk *ret, struct err *err) {
  struct bytes type = json_get_text(key, "kty");
  const struct json *alg = json_get(key, "alg");
  ret->kid = json_get_text(key, "kid");
  if (ret->kid.len > JWKS_KID_BYTES_MAX) {
    FAIL(ERR_LIMIT, "a key's id is over %d bytes", JWKS_KID_BYTES_MAX);
  }
  if (!for_signatures(key)) return true;
  if (alg && !jws_alg_parse(json_text(alg), &ret->alg)) return true;
  bool known = bytes_eq_str(type, "RSA") || bytes_eq_str(type, "EC") || bytes_eq_str(type, "OKP");
  if (known && json_get(key, "d")) {
    FAIL(ERR_INVALID, "a key set holds a private key; it is no secret any more: replace that key");
  }
  if (bytes_eq_str(type, "RSA")) TRY(rsa_key(key, ret, err));
  if (bytes_eq_str(type, "EC")) TRY(ec_key(key, ret, err));
  if (bytes_eq_str(type, "OKP")) TRY(okp_key(key, ret, err));
  ret->pinned = alg != NULL;
  if (ret->pkey && ret->pinned && algs[ret->alg].kind != ret->kind) {
    FAIL(ERR_INVALID, "a key's \"alg\" does not fit its type");
  }
  return true;
}

static bool set_read(struct jwks *keys, const struct json *list, struct err *err) {
  for (const struct json *key = list->first; key; key = key->next) {
    struct jwk *slot = &keys->keys[keys->count];
    if (key->kind != JSON_OBJECT) FAIL(ERR_MALFORMED, "a key in the set is not an object");
    if (keys->count == JWKS_KEYS_MAX) FAIL(ERR_LIMIT, "a set has over %d keys", JWKS_KEYS_MAX);
    if (!key_read(key, slot, err)) {
      EVP_PKEY_free(slot->pkey);
      return false;
    }
    if (slot->pkey)
      keys->count++;
    else
      *slot = (struct jwk){0};
  }
  return true;
}

bool jwks_parse(struct bytes text, struct jwks **ret_keys, struct err *err) {
  const struct json *set, *list;
  if (text.len > JWKS_BYTES_MAX) FAIL(ERR_LIMIT, "a key set is over %u bytes", JWKS_BYTES_MAX);
  struct jwks *keys = must_alloc(sizeof *keys);
  arena_init(&keys->arena, ARENA_BYTES_MAX);
  bool ok = json_parse(&keys->arena, arena_copy(&keys->arena, text), &set, err);
  list = ok ? json_get(set, "keys") : NULL;
  if (ok && (!list || list->kind != JSON_ARRAY)) {
    err_set(err, ERR_MALFORMED, ERR_PLACE, ERR_OFFSET_NONE,
            "a key set is {\"keys\": [...]} (RFC 7517)");
    ok = false;
  }
  if (!ok || !set_read(keys, list, err)) {
    jwks_free(&keys);
    return false;
  }
  *ret_keys = keys;
  return true;
}

void jwks_free(struct jwks **keys) {
  if (!*keys) return;
  for (size_t i = 0; i < (*keys)->count; i++) EVP_PKEY_free((*keys)->keys[i].pkey);
  arena_fini(&(*keys)->arena);
  free(*keys);
  *keys = NULL;
}

size_t jwks_count(const struct jwks *keys) {
  return keys->count;
}

bool jwks_has(const struct jwks *keys, struct bytes kid) {
  for (size_t i = 0; i < keys->count; i++) {
    if (!kid.len || bytes_eq(keys->keys[i].kid, kid)) return true;
  }
  return false;
}

/* ---- Verify ---- */

static bool fits(const struct jwk *key, enum jws_alg alg) {
  return key->pinned ? key->alg == alg : key->kind == algs[alg].kind;
}

static const struct jwk *choose(const struct jwks *keys, struct bytes kid, enum jws_alg alg) {
  const struct jwk *found = NULL;
  for (size_t i = 0; i < keys->count; i++) {
    const struct jwk *key = &keys->keys[i];
    if (kid.len ? !bytes_eq(key->kid, kid) : !fits(key, alg)) continue;
    if (found) return NULL; /* two keys of one name: which was meant is not ours to guess */
    found = key;
  }
  return found && fits(found, alg) ? found : NULL;
}

/* r and s side by side to DER; NULL when OpenSSL refuses. OPENSSL_free it. */
static uint8_t *der_of(struct bytes signature, int *ret_len) {
  int half = (int)(signature.len / 2);
  uint8_t *der = NULL;
  ECDSA_SIG *sig = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(signature.at, half, NULL), *s = BN_bin2bn(signature.at + half, half, NULL);
  must(sig && r && s);
  must(ECDSA_SIG_set0(sig, r, s) == 1); /* it owns r and s now */
  *ret_len = i2d_ECDSA_SIG(sig, &der);
  ECDSA_SIG_free(sig);
  return *ret_len > 0 ? der : NULL;
}

static bool signature_holds(const struct jwk *key, enum jws_alg alg, struct bytes input,
                            struct bytes signature) {
  bool ec = key->kind == KIND_P256 || key->kind == KIND_P384;
  size_t expected = algs[alg].signature_bytes;
  uint8_t *der = NULL;
  if (expected == 0) expected = (size_t)EVP_PKEY_get_size(key->pkey);
  if (signature.len != expected) return false;
  if (ec) {
    int len;
    der = der_of(signature, &len);
    if (!der) return false;
    signature = bytes_of(der, (size_t)len);
  }
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool holds =
      ctx &&
      EVP_DigestVerifyInit_ex(ctx, NULL, algs[alg].digest, NULL, NULL, key->pkey, NULL) == 1 &&
      EVP_DigestVerify(ctx, signature.at, signature.len, input.at, input.len) == 1;
  EVP_MD_CTX_free(ctx);
  OPENSSL_free(der);
  return holds;
}

bool jwks_verify(const struct jwks *keys, struct bytes kid, enum jws_alg alg, struct bytes input,
                 struct bytes signature, struct err *err) {
  const struct jwk *key = choose(keys, kid, alg);
  if (!key) {
    FAIL(ERR_UNAUTHENTICATED, "no single key of the set has the token's key id and takes %s",
         jws_alg_word(alg));
  }
  if (!signature_holds(key, alg, input, signature)) {
    FAIL(ERR_UNAUTHENTICATED, "the token's signature does not hold");
  }
  return true;
}
