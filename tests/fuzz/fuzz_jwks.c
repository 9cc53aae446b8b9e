/* Fuzzes jwks_parse and jwks_verify: a key set from outside yields usable keys or words. */
#include "base/must.h"
#include "wire/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct jwks *keys;
  struct err err;
  uint8_t signature[64] = {1};
  if (!jwks_parse(bytes_of(data, size), &keys, &err)) return 0;
  must(jwks_count(keys) <= JWKS_KEYS_MAX);
  for (int alg = 0; alg < JWS_ALG_COUNT; alg++) {
    must(!jwks_verify(keys, BYTES_NONE, (enum jws_alg)alg, BYTES("x"),
                      bytes_of(signature, sizeof signature), &err));
  }
  jwks_free(&keys);
  return 0;
}
