/* Fuzzes jws_parse and jws_claims: whatever a token says, judging it never
 * crashes and never believes. */
#include "base/must.h"
#include "wire/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct jws jws;
  struct err err;
  struct jws_rules rules = {BYTES("https://idp"), BYTES("medulla"), 1800000000000, 0, 300000};
  arena_init(&arena, 1 << 20);
  if (jws_parse(&arena, bytes_of(data, size), BYTES("https://a"), &jws, &err)) {
    must(jws.alg < JWS_ALG_COUNT && jws.signature.len > 0 && jws.kid.len <= JWKS_KID_BYTES_MAX);
    if (!jws_claims(&jws, &rules, &err)) must(err.code == ERR_UNAUTHENTICATED);
  }
  arena_fini(&arena);
  return 0;
}
